//! Proof of misbehaviour: two checkpoints of one size that a log signed, with different roots.

use std::fmt;

use crate::log::error::{LogError, at_most};
use crate::log::note::{NOTE_BYTES_MAX, SignedCheckpoint, VerifierKey, parse_decimal};

/// First line of the file.
const HEADER: &str = "tidewaiter.split-view@v1";
/// Longest file.
pub(super) const SPLIT_VIEW_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX + 100;

/// Two checkpoints that one log must not both have signed. Prints and parses as a file that convinces anybody who
/// knows the log's key: a header, the first checkpoint's length in bytes, an empty line, and both checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitView {
    first: SignedCheckpoint,
    second: SignedCheckpoint,
}

impl SplitView {
    /// The evidence in two checkpoints, if they are evidence: same log, same size, different roots, both signed.
    #[must_use]
    pub fn between(
        first: &SignedCheckpoint,
        second: &SignedCheckpoint,
        keys: &[VerifierKey],
    ) -> Option<Self> {
        let (one, other) = (first.checkpoint(), second.checkpoint());
        let contradict = one.origin == other.origin && one.size == other.size && one.root != other.root;
        let signed = contradict && first.verify(keys).is_ok() && second.verify(keys).is_ok();
        signed.then(|| Self { first: first.clone(), second: second.clone() })
    }

    /// Reads a file and checks that it is evidence against the log with these keys.
    ///
    /// # Errors
    /// [`LogError::Malformed`], [`LogError::NotProven`].
    pub fn parse(bytes: &[u8], keys: &[VerifierKey]) -> Result<Self, LogError> {
        at_most("bytes of a split view", bytes.len(), SPLIT_VIEW_BYTES_MAX)?;
        let text = String::from_utf8_lossy(bytes);
        let malformed =
            || LogError::malformed("split view", &text, "its header, a length, and two checkpoints");
        let (head, notes) = text.split_once("\n\n").ok_or_else(malformed)?;
        let length = head.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix("\nfirst "));
        let length = length.and_then(parse_decimal).and_then(|length| usize::try_from(length).ok());
        let (first, second) =
            length.and_then(|length| notes.split_at_checked(length)).ok_or_else(malformed)?;
        let first = SignedCheckpoint::parse(first.as_bytes())?;
        let second = SignedCheckpoint::parse(second.as_bytes())?;
        Self::between(&first, &second, keys).ok_or_else(|| {
            LogError::not_proven("the split view", "these checkpoints do not contradict each other")
        })
    }

    /// The checkpoint that was seen first.
    #[must_use]
    pub fn first(&self) -> &SignedCheckpoint {
        &self.first
    }

    /// The one that contradicts it.
    #[must_use]
    pub fn second(&self) -> &SignedCheckpoint {
        &self.second
    }
}

impl fmt::Display for SplitView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first.note().to_string();
        write!(out, "{HEADER}\nfirst {}\n\n{first}{}", first.len(), self.second.note())
    }
}
