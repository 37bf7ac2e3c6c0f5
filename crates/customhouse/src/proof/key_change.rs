//! A change of the log's key: after it may have been seen by others, or as often as a site's rules want it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::log::files::{DiskFiles, Durably};
use journal::log::{Files, KeyFile};
use serde::Serialize;
use serde_json::json;

use super::{KEYS_FOLDER, LOG_FOLDER, Proofs, origin, refused};
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::{Customhouse, Fact};

/// The kind of the event.
const KEY_CHANGED: &str = "log.key_changed";
/// How long it is waited for the log to hold everything.
const LOGGED_WAIT: Duration = Duration::from_secs(60);
/// How long it is waited for a process that went a moment ago.
const TURN_WAIT: Duration = Duration::from_secs(6);

/// What a change of the log's key came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyChanged {
    /// The log.
    pub origin: String,
    /// The key until then.
    pub old_key: String,
    /// The key from then on: tell it to whoever verifies, by another way than this log.
    pub new_key: String,
    /// Entries of the last checkpoint that the old key signed.
    pub size: u64,
}

impl Customhouse {
    /// Changes the key of the log. The record of the change is signed by both keys and stands beside the log; whoever
    /// trusts the old key learns the new one from it. The house is closed with this.
    ///
    /// # Errors
    /// `log_kept_elsewhere` while another process of the site keeps the log: it would go on with the old key.
    pub fn change_log_key(self, reader: &Reader) -> Result<KeyChanged, Error> {
        reader.require(Permission::ManageUsers)?;
        let until = Instant::now() + TURN_WAIT;
        while !self.keeps_log() {
            if Instant::now() >= until {
                return Err(Error::new(
                    Kind::Conflict,
                    "log_kept_elsewhere",
                    "another process of this site keeps the log, with the key that it knows",
                    "Stop all processes of the site, change the key, and start them again.",
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.logged()?;
        let Self { proofs, folder, journal, clock, .. } = self;
        let size = proofs.writer.logged();
        // Nothing is signed with the old key any more.
        drop(proofs);
        let log = folder.of_site(LOG_FOLDER);
        let files: Arc<dyn Files> =
            Arc::new(DiskFiles::open(&log).map_err(|error| Error::io("log_folder_unusable", &log, &error))?);
        let failed = |error: journal::log::LogError| refused(&error);
        let origin = origin(folder.administration(), folder.site());
        let path = folder.of_site(KEYS_FOLDER).join("log.key");
        let key_file = KeyFile::new(&path, &origin, &log).map_err(failed)?;
        let durably = Durably::new(files).map_err(failed)?;
        let (_, change) = key_file.change(&durably, size).map_err(failed)?;
        let changed = KeyChanged {
            origin,
            old_key: change.old.to_string(),
            new_key: change.new.to_string(),
            size: change.size,
        };
        let payload = json!({ "old_key": changed.old_key, "new_key": changed.new_key, "size": changed.size });
        let fact = Fact::new("log/key", KEY_CHANGED, payload);
        let position = crate::record_fact(journal.as_ref(), clock.now(), reader, fact)?;
        // The first checkpoint with the new key holds the event that says so.
        let proofs = Proofs::open(&folder, journal, clock)?;
        if proofs.writer.wait_until_logged(position, LOGGED_WAIT) < position {
            return Err(not_logged(&proofs));
        }
        Ok(changed)
    }

    fn logged(&self) -> Result<(), Error> {
        let head = self.journal.head();
        let writer = &self.proofs.writer;
        if writer.wait_until_logged(head, LOGGED_WAIT) >= head {
            Ok(())
        } else {
            Err(not_logged(&self.proofs))
        }
    }
}

fn not_logged(proofs: &Proofs) -> Error {
    let trouble = proofs.writer.stopped().or_else(|| proofs.writer.trouble().map(|error| error.to_string()));
    Error::new(
        Kind::Busy,
        "not_logged_yet",
        format!(
            "the log does not hold everything yet: {}",
            trouble.unwrap_or_else(|| "it is at work".to_owned())
        ),
        "Mend what keeps the log, then try again.",
    )
}
