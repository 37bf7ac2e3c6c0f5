//! Amendments that traders ask for: by a message that names what changes, or by the whole new content.

use spine::declaration::Declaration;

use super::commands::Folded;
use crate::Customhouse;
use crate::error::{Error, Kind};

/// Bytes of a message that is read again.
const MESSAGE_BYTES_MAX: u64 = 1024 * 1024;

impl Customhouse {
    /// What the declaration is to be once the open amendment is granted.
    pub(super) fn amended(&self, folded: &Folded) -> Result<Declaration, Error> {
        let message = folded.case.amendment.as_ref().and_then(|notice| notice.message.as_ref());
        let message = message.ok_or_else(|| {
            Error::new(
                Kind::Refused,
                "amendment_not_requested",
                "no amendment of this declaration is asked for",
                "Reload the page to see what can be done now.",
            )
        })?;
        let mut bytes = Vec::new();
        let blob = self.journal.get_blob(&message.blob)?;
        std::io::Read::read_to_end(&mut std::io::Read::take(blob, MESSAGE_BYTES_MAX), &mut bytes)
            .map_err(|error| Error::internal("message_unreadable", &error))?;
        self.amended_by(folded, &bytes)
    }
}

impl Customhouse {
    fn amended_by(&self, folded: &Folded, bytes: &[u8]) -> Result<Declaration, Error> {
        let _ = (folded, bytes);
        Err(Error::cancelled())
    }
}
