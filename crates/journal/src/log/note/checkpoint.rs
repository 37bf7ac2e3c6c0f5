//! Checkpoints: how many entries a log has and what its root is (C2SP `tlog-checkpoint`).

use std::fmt;

use super::key::{KeyKind, SigningKey, VerifierKey};
use super::signed::{Note, NoteSignature, Signatory};
use crate::log::error::{LogError, at_most};
use crate::log::tree::{TREE_SIZE_MAX, TreeHash};

/// Most extension lines of a checkpoint.
pub const CHECKPOINT_EXTENSIONS_MAX: usize = 16;

/// What a log says of itself at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: its name, without a scheme.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: TreeHash,
    /// Further lines, not empty; what they mean is between the log and its readers.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Reads the text of a checkpoint, without signatures.
    ///
    /// # Errors
    /// [`LogError::Malformed`], [`LogError::TooLarge`].
    pub fn parse(text: &str) -> Result<Self, LogError> {
        let malformed = |place: &str, found: &str, expected| {
            Err(LogError::malformed(format!("{place} of a checkpoint"), found, expected))
        };
        let Some(lines) = text.strip_suffix('\n') else {
            return malformed("end", text, "a newline");
        };
        let mut lines = lines.split('\n');
        let mut line = || lines.next().unwrap_or_default();
        let (origin, size_line, root_line) = (line(), line(), line());
        if origin.is_empty() {
            return malformed("line 1", origin, "the origin of the log");
        }
        let Some(size) = parse_decimal(size_line).filter(|size| *size <= TREE_SIZE_MAX) else {
            return malformed("line 2", size_line, "the number of entries, without leading zeros");
        };
        let Some(root) = TreeHash::from_base64(root_line) else {
            return malformed("line 3", root_line, "the root hash in base64");
        };
        let extensions: Vec<String> =
            lines.map(str::to_owned).take(CHECKPOINT_EXTENSIONS_MAX.saturating_add(1)).collect();
        at_most("extension lines of a checkpoint", extensions.len(), CHECKPOINT_EXTENSIONS_MAX)?;
        if extensions.iter().any(String::is_empty) {
            return malformed("extension line", "", "a line that is not empty");
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n{}\n{}", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

/// A checkpoint in its note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Signs a checkpoint with each of these keys, the log's own signature first; `time` in seconds since 1970.
    ///
    /// # Errors
    /// A checkpoint that cannot be written down: an origin or extension with control characters.
    pub fn sign(checkpoint: Checkpoint, keys: &[SigningKey], time: u64) -> Result<Self, LogError> {
        let text = checkpoint.to_string();
        // What is signed must read back as what was meant.
        if Checkpoint::parse(&text)? != checkpoint {
            return Err(LogError::malformed(
                "checkpoint",
                &text,
                "an origin and extensions of one line each",
            ));
        }
        let mut note = Note::new(text)?;
        for key in keys {
            note.sign(key, time);
        }
        Ok(Self { checkpoint, note })
    }

    /// Reads a checkpoint in its note. Nothing in it may be trusted before [`SignedCheckpoint::verify`].
    ///
    /// # Errors
    /// [`LogError::Malformed`], [`LogError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        let note = Note::parse(bytes)?;
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// What it says.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note it stands in.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Checks that the log itself signed it: a key of these whose name is the origin and which signs notes. Returns
    /// all of these keys that signed it.
    ///
    /// # Errors
    /// [`LogError::Unsigned`].
    pub fn verify(&self, known: &[VerifierKey]) -> Result<Vec<Signatory>, LogError> {
        let signatories = self.note.verify(known)?;
        let origin = &self.checkpoint.origin;
        let by_the_log = |by: &Signatory| by.key.kind() == KeyKind::Note && by.key.name() == origin.as_str();
        if signatories.iter().any(by_the_log) {
            return Ok(signatories);
        }
        Err(LogError::unsigned(format!("the checkpoint of {origin}"), "the log itself has not signed it"))
    }

    /// The checkpoint with the signatures of these keys alone.
    ///
    /// # Errors
    /// [`LogError::Unsigned`] if there are none.
    pub fn only_signed_by(&self, known: &[VerifierKey]) -> Result<Self, LogError> {
        let signatories = self.verify(known)?;
        let mut note = Note::new(self.note.text().to_owned())?;
        for signature in self.note.signatures() {
            let id = |by: &Signatory| by.key.id() == signature.key_id && by.key.name() == signature.name;
            if signatories.iter().any(id) {
                note.add(signature.clone());
            }
        }
        Ok(Self { checkpoint: self.checkpoint.clone(), note })
    }

    /// Adds cosignatures that these keys made and leaves out all others; how many were added.
    pub fn add_cosignatures(&mut self, lines: &[NoteSignature], known: &[VerifierKey]) -> usize {
        let mut added = 0_usize;
        for line in lines {
            let key = known.iter().find(|key| key.id() == line.key_id && key.name() == line.name);
            let holds = key.is_some_and(|key| {
                key.kind() == KeyKind::Cosignature && key.verify(self.note.text(), &line.signature).is_ok()
            });
            if holds && self.note.add(line.clone()) {
                added = added.saturating_add(1);
            }
        }
        added
    }

    /// The note's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.note.to_string().into_bytes()
    }
}

/// A number as the standards write it: decimal, without sign and leading zeros.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}
