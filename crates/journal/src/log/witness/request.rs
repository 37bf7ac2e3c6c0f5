//! What a log sends to a witness and what it gets back (C2SP `tlog-witness`, "add-checkpoint").

use std::slice;

use crate::log::error::{LogError, at_most};
use crate::log::note::{NOTE_BYTES_MAX, NoteSignature, SignedCheckpoint, VerifierKey, parse_decimal};
use crate::log::proof::parse_hashes;
use crate::log::tiles::LogReader;
use crate::log::tree::{TreeHash, consistency_proof};

/// Most hashes in a request.
const REQUEST_HASHES_MAX: usize = 63;
/// Longest request: the old size, 63 hashes, a checkpoint.
pub const REQUEST_BYTES_MAX: usize = 64 + REQUEST_HASHES_MAX * 45 + NOTE_BYTES_MAX;

/// A request to cosign a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Entries of the checkpoint that the witness cosigned last, as far as the log knows; 0 for none.
    pub old_size: u64,
    /// The proof that the log only grew since.
    pub path: Vec<TreeHash>,
    /// The checkpoint to be cosigned.
    pub checkpoint: SignedCheckpoint,
}

impl AddCheckpoint {
    /// The request for a witness that stands at `old_size`.
    ///
    /// # Errors
    /// A witness that is ahead of the checkpoint; a damaged or unreadable tile.
    pub fn new(reader: &LogReader, checkpoint: &SignedCheckpoint, old_size: u64) -> Result<Self, LogError> {
        let size = checkpoint.checkpoint().size;
        let path = consistency_proof(&mut reader.tree(size), old_size, size)?;
        Ok(Self { old_size, path, checkpoint: checkpoint.clone() })
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`LogError::Malformed`], [`LogError::TooLarge`].
    pub fn parse(body: &[u8]) -> Result<Self, LogError> {
        at_most("bytes of a request to a witness", body.len(), REQUEST_BYTES_MAX)?;
        let text = str::from_utf8(body)
            .map_err(|_| LogError::malformed("request", &String::from_utf8_lossy(body), "UTF-8"))?;
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| LogError::malformed("request", text, "an empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let first = lines.next().unwrap_or_default();
        let old_size = first
            .strip_prefix("old ")
            .and_then(parse_decimal)
            .ok_or_else(|| LogError::malformed("line 1 of a request", first, "old and a number"))?;
        let path = parse_hashes(lines, "request")?;
        at_most("hashes of a request", path.len(), REQUEST_HASHES_MAX)?;
        Ok(Self { old_size, path, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }

    /// The body of the request.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let path: String = self.path.iter().map(|hash| format!("{hash}\n")).collect();
        format!("old {}\n{path}\n{}", self.old_size, self.checkpoint.note()).into_bytes()
    }
}

/// HTTP status and body of an answer, or why none came.
pub type Carried = Result<(u16, Vec<u8>), LogError>;

/// Asks a witness to cosign. `known_size` is where it stood last as far as the log knows, 0 for a new witness;
/// `carry` takes the body of a request to the witness and brings status and body of its answer. A witness that stands
/// elsewhere is asked once more, from there.
///
/// # Errors
/// What `carry` says; an answer that is malformed or not validly signed by this witness; a damaged tile.
pub fn ask_witness(
    reader: &LogReader,
    checkpoint: &SignedCheckpoint,
    witness: &VerifierKey,
    known_size: u64,
    carry: &mut dyn FnMut(&[u8]) -> Carried,
) -> Result<WitnessAnswer, LogError> {
    let mut ask = |old_size: u64| {
        let request = AddCheckpoint::new(reader, checkpoint, old_size)?;
        let (status, body) = carry(&request.to_bytes())?;
        WitnessAnswer::read(status, &body, checkpoint, slice::from_ref(witness))
    };
    let size = checkpoint.checkpoint().size;
    let old_size = known_size.min(size);
    match ask(old_size)? {
        WitnessAnswer::StandsAt(now) if now != old_size && now <= size => ask(now),
        answer => Ok(answer),
    }
}

/// A witness's answer, for HTTP to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status: 200, 400, 403, 404, 409, 422 or 500.
    pub status: u16,
    /// Content type of the body.
    pub content_type: &'static str,
    /// Signature lines, the known size, or what is wrong.
    pub body: Vec<u8>,
}

impl Response {
    pub(super) fn cosigned(lines: String) -> Self {
        Self { status: 200, content_type: "text/plain; charset=utf-8", body: lines.into_bytes() }
    }

    pub(super) fn stands_at(size: u64) -> Self {
        Self { status: 409, content_type: "text/x.tlog.size", body: format!("{size}\n").into_bytes() }
    }

    pub(super) fn refused(status: u16, reason: &str) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: format!("{reason}\n").into_bytes() }
    }
}

/// What an answer means to the log that asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// The checkpoint with the witness's cosignature, which is valid.
    Cosigned(SignedCheckpoint),
    /// The witness stands elsewhere: ask again from this size; or, if it is the size that was named, it knows another
    /// root.
    StandsAt(u64),
    /// It does not cosign.
    Refused {
        /// HTTP status.
        status: u16,
        /// What it says.
        reason: String,
    },
}

impl WitnessAnswer {
    /// Reads the answer to a request; cosignatures of other keys than `witnesses` are left out.
    ///
    /// # Errors
    /// An answer of 200 without a valid cosignature, or one that is malformed.
    pub fn read(
        status: u16,
        body: &[u8],
        checkpoint: &SignedCheckpoint,
        witnesses: &[VerifierKey],
    ) -> Result<Self, LogError> {
        let text = || String::from_utf8_lossy(body.get(..200).unwrap_or(body)).trim_end().to_owned();
        match status {
            200 => {
                let mut cosigned = checkpoint.clone();
                let added = cosigned.add_cosignatures(&NoteSignature::parse_lines(body)?, witnesses);
                if added == 0 {
                    let reason = "no known witness has validly cosigned it";
                    return Err(LogError::unsigned("the answer of a witness", reason));
                }
                Ok(Self::Cosigned(cosigned))
            }
            409 => {
                let size = str::from_utf8(body).ok().and_then(|body| body.strip_suffix('\n'));
                let size = size.and_then(parse_decimal).ok_or_else(|| {
                    LogError::malformed("answer of a witness", &text(), "a size and a newline")
                })?;
                Ok(Self::StandsAt(size))
            }
            _ => Ok(Self::Refused { status, reason: text() }),
        }
    }
}
