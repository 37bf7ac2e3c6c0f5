//! What the journal proves to strangers: the transparency log of all events, proof files, witnessing, verification.
//! How it all fits together: `docs/proof.md`.
//!
//! Of [`crate::Customhouse`]:
//!
//! | call | answer | needs |
//! |---|---|---|
//! | `log_standing() -> LogStanding` | size, root, keys of the log | nothing: public |
//! | `log_file(path) -> bytes` | the checkpoint and the record of keys: public; tiles and entries | view journal |
//! | `event_proof(&reader, position) -> String` | proof file of an event, without its payload | view journal |
//! | `own_proof(&reader, mrn, what) -> String` | proof file of a receipt or release, with what it says | its own declaration |
//! | `proof_standing(index, leaf) -> ProofStanding` | whether a receipt or release still stands | its proof file |
//! | `add_checkpoint(body) -> Response` | this node as a witness of others | nothing: the protocol checks |
//! | `split_views() -> files` | evidence that a witnessed log showed two histories | nothing: public |
//! | `change_log_key(&reader) -> KeyChanged`, and closes the house | a new key, signed by the old one | manage users |
//! | `pad_log(&reader, pad_to)` | sizes of checkpoints are multiples of that from the next start on | manage users |
//! | `ask_witnesses(carry) -> cosigned` | others as witnesses of this node | the server itself |
//!
//! Without a house: [`verify_at`] a data folder or a site, [`verify_event`] one event, [`verify_proof`] a proof file; all
//! work offline. [`rebuild_log`] makes a damaged log anew from the journal.

mod key_change;
mod model;
mod opened;
mod padding;
mod read_model;
mod rebuild;
#[cfg(test)]
mod tests;
mod verify;
mod witnessing;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use journal::log::files::DiskFiles;
use journal::log::{Files, KeyFile, KeyHistory, LogIdentity, LogSettings, LogWriter};
use journal::{Clock, Journal};

pub use journal::log::LogError;
pub use journal::log::witness::Response as WitnessResponse;
pub use key_change::KeyChanged;
pub use model::{LogStanding, OwnProof, ProofStanding, ProofVerdict, VerifiedEvent, VerifiedFolder};
pub use opened::Opened;
pub use rebuild::{RebuiltLog, rebuild_log};
pub(crate) use verify::{checkpoint_bytes, known_keys, verify_with};
pub use verify::{verify_at, verify_event, verify_proof};
pub(crate) use witnessing::asks_witnesses;
pub use witnessing::{Carried, WITNESS_REQUEST_BYTES_MAX};

use crate::error::{Error, Kind};
use crate::folder::DataFolder;
use witnessing::Witnessing;

/// Folder of the log, in the data folder: what may be served.
pub(crate) const LOG_FOLDER: &str = "log";
/// Folder of keys and of what the log remembers, never served.
pub(crate) const KEYS_FOLDER: &str = "keys";
/// Folder, in that of keys, of what the log remembers to have signed.
const MEMORY_FOLDER: &str = "log-memory";
/// Folder of what this node saw of others' logs.
pub(crate) const WITNESS_FOLDER: &str = "witness";
/// Which logs this node cosigns, and whom it asks: a C2SP `tlog-policy`, with an address behind each witness.
pub(crate) const POLICY_FILE: &str = "witness.policy";
/// A proof waits so long for its event to be logged.
const LOGGED_WITHIN: Duration = Duration::from_secs(5);

/// The log of this house's journal, and its part in witnessing.
pub(crate) struct Proofs {
    writer: LogWriter,
    keys: Vec<journal::log::VerifierKey>,
    /// What sizes of checkpoints are multiples of.
    pad_to: u64,
    witnessing: Witnessing,
}

fn refused(error: &journal::log::LogError) -> Error {
    use journal::log::LogError as L;
    let kind = match error {
        L::Malformed { .. } | L::TooLarge { .. } => Kind::Invalid,
        L::NotLogged { .. } => Kind::Busy,
        L::StorageFull { .. } | L::Io { .. } | L::Stopped { .. } => Kind::Internal,
        _ => Kind::FolderUnusable,
    };
    // A log's message ends with its remedy.
    Error::new(kind, error.code(), error.to_string(), "")
}

/// The log's name: it stands in every checkpoint and in its keys.
pub(crate) fn origin(administration: &str, node: &str) -> String {
    let plain = |text: &str| -> String {
        let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') { c } else { '-' };
        text.chars().map(keep).collect()
    };
    format!("tidewaiter/{}/{}", plain(administration), plain(node))
}

fn disk(path: &Path) -> Result<Arc<dyn Files>, Error> {
    let files = DiskFiles::open(path).map_err(|error| Error::io("log_folder_unusable", path, &error))?;
    Ok(Arc::new(files))
}

impl Proofs {
    /// Opens the log in a data folder, or begins it, and follows the journal from then on.
    pub(crate) fn open(
        folder: &DataFolder,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let (log, secret) = (folder.of_site(LOG_FOLDER), folder.of_site(KEYS_FOLDER));
        let failed = |error: journal::log::LogError| refused(&error);
        let files = disk(&log)?;
        let origin = origin(folder.administration(), folder.site());
        let key_file = KeyFile::new(&secret.join("log.key"), &origin, &log).map_err(failed)?;
        let key = key_file.open_or_make(files.as_ref()).map_err(failed)?;
        let history = KeyHistory::read(files.as_ref()).map_err(failed)?;
        let mut keys = history.all_keys();
        if !keys.contains(key.verifier()) {
            keys.push(key.verifier().clone());
        }
        let identity = LogIdentity {
            keys: vec![key],
            trusted: keys.clone(),
            memory: Some(disk(&secret.join(MEMORY_FOLDER))?),
        };
        let restored = crate::backup::RestoredMark::read(folder.site_path())?;
        let held = restored.as_ref().map(|_| {
            "it was restored from a backup, and waits for its witnesses to say that they have seen no more of it"
                .to_owned()
        });
        let pad_to = padding::pad_to(journal.as_ref())?;
        let settings = LogSettings { held, pad_to, ..LogSettings::default() };
        let writer = if folder.database().is_some() {
            LogWriter::start_shared(journal, Arc::clone(&files), identity, settings, clock, folder.node())
        } else {
            LogWriter::start_with_clock(journal, Arc::clone(&files), identity, settings, clock)
        };
        let writer = writer.map_err(failed)?;
        let witnessing = Witnessing::open(folder, &origin, &log, restored)?;
        Ok(Self { writer, keys, pad_to, witnessing })
    }
}
