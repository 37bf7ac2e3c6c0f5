//! Proof files: that an entry is in a log, for anybody to check offline (C2SP `tlog-proof`).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::{LogError, at_most};
use super::note::{NOTE_BYTES_MAX, Signatory, SignedCheckpoint, VerifierKey, parse_decimal};
use super::tree::{PROOF_HASHES_MAX, TreeHash, leaf_hash, verify_inclusion};
use super::witness::{Policy, Verdict};

/// First line of a proof file.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// Longest extra data.
pub const PROOF_EXTRA_BYTES_MAX: usize = 64 * 1024;
/// Longest proof file: extra data in base64, 64 hashes, a checkpoint.
pub const PROOF_BYTES_MAX: usize = PROOF_EXTRA_BYTES_MAX / 3 * 4 + 64 * 45 + NOTE_BYTES_MAX + 100;

/// Where an entry stands in a log and how that follows from a checkpoint. Prints and parses as a `.tlog-proof` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Whatever its maker wants to hand over with it; nobody vouches for it.
    pub extra: Option<Vec<u8>>,
    /// Index of the entry, from 0: one less than its position in the journal.
    pub index: u64,
    /// From the sibling of the entry's leaf up to the root's child.
    pub path: Vec<TreeHash>,
    /// The checkpoint, with the signatures it came with.
    pub checkpoint: SignedCheckpoint,
}

impl LogProof {
    /// Reads a proof file. It proves nothing before it is verified.
    ///
    /// # Errors
    /// [`LogError::Malformed`], [`LogError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        at_most("bytes of a proof file", bytes.len(), PROOF_BYTES_MAX)?;
        let text = str::from_utf8(bytes)
            .map_err(|_| LogError::malformed("proof file", &String::from_utf8_lossy(bytes), "UTF-8"))?;
        let malformed = |place: &str, found: &str, expected| {
            LogError::malformed(format!("{place} of a proof file"), found, expected)
        };
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| malformed("end", "", "an empty line and a checkpoint after the proof"))?;
        let mut lines = head.split('\n').peekable();
        let first = lines.next().unwrap_or_default();
        if first != HEADER {
            return Err(malformed("line 1", first, "c2sp.org/tlog-proof@v1"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            None => None,
            Some(line) => {
                let decoded = STANDARD.decode(line.strip_prefix("extra ").unwrap_or_default());
                Some(decoded.map_err(|_| malformed("extra line", line, "base64"))?)
            }
        };
        at_most("bytes of extra data", extra.as_ref().map_or(0, Vec::len), PROOF_EXTRA_BYTES_MAX)?;
        let line = lines.next().unwrap_or_default();
        let index = line
            .strip_prefix("index ")
            .and_then(parse_decimal)
            .ok_or_else(|| malformed("index line", line, "index and a number without leading zeros"))?;
        let path = parse_hashes(lines, "proof file")?;
        Ok(Self { extra, index, path, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }

    /// Checks that this is the entry, in a checkpoint that the log signed; returns which known keys signed it.
    ///
    /// # Errors
    /// [`LogError::NotProven`], [`LogError::Unsigned`].
    pub fn verify(&self, entry: &[u8], known: &[VerifierKey]) -> Result<Vec<Signatory>, LogError> {
        self.verify_path(entry)?;
        self.checkpoint.verify(known)
    }

    /// Checks that this is the entry, in a checkpoint that satisfies a policy.
    ///
    /// # Errors
    /// [`LogError::NotProven`], [`LogError::Unsigned`], [`LogError::NoQuorum`].
    pub fn verify_by_policy(&self, entry: &[u8], policy: &Policy) -> Result<Verdict, LogError> {
        self.verify_path(entry)?;
        policy.check(&self.checkpoint, &[])
    }

    fn verify_path(&self, entry: &[u8]) -> Result<(), LogError> {
        let checkpoint = self.checkpoint.checkpoint();
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, checkpoint.root, &self.path)
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(out, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(out, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(out, "{hash}"))?;
        write!(out, "\n{}", self.checkpoint.note())
    }
}

/// Hashes, one a line.
pub(super) fn parse_hashes<'a>(
    lines: impl Iterator<Item = &'a str>,
    of: &str,
) -> Result<Vec<TreeHash>, LogError> {
    let mut path = Vec::new();
    for line in lines {
        at_most("hashes of a proof", path.len().saturating_add(1), PROOF_HASHES_MAX)?;
        path.push(TreeHash::from_base64(line).ok_or_else(|| {
            let place = format!("hash {} of a {of}", path.len().saturating_add(1));
            LogError::malformed(place, line, "32 bytes in base64")
        })?);
    }
    Ok(path)
}
