//! This node as a witness of other logs, and others as witnesses of its own.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use journal::log::note::NOTE_BYTES_MAX;
use journal::log::tiles::WITNESSED_CHECKPOINT;
use journal::log::witness::{AddCheckpoint, REQUEST_BYTES_MAX, Response, WitnessAnswer, WitnessedLog};
use journal::log::{KeyFile, KeyKind, Policy, SignedCheckpoint, VerifierKey, Witness};

use super::{KEYS_FOLDER, POLICY_FILE, WITNESS_FOLDER, disk, refused};
use crate::Customhouse;
use crate::error::{Error, Kind};

/// Longest request that a witness reads, in bytes.
pub const WITNESS_REQUEST_BYTES_MAX: usize = REQUEST_BYTES_MAX;
/// Longest policy file.
const POLICY_BYTES_MAX: u64 = 1024 * 1024;

/// A witness that this node asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessToAsk {
    /// Where it is asked: the prefix to which `/add-checkpoint` is appended, as the policy file has it.
    pub url: String,
}

/// What is known of witnesses.
pub(super) struct Witnessing {
    own: Option<Witness>,
    policy: Option<Policy>,
    /// Addresses behind the witnesses in the policy file.
    urls: Vec<String>,
    /// The latest checkpoint that the quorum cosigned.
    witnessed: Mutex<Option<Arc<SignedCheckpoint>>>,
    /// Cosignatures of a checkpoint that is being collected.
    collecting: Mutex<Option<SignedCheckpoint>>,
}

impl Witnessing {
    /// Opens what the policy file asks for; without one this node witnesses nobody and asks nobody.
    pub(super) fn open(data: &Path, origin: &str, log: &Path) -> Result<Self, Error> {
        let policy = read_policy(&data.join(POLICY_FILE))?;
        let logs = policy.as_ref().map_or(&[][..], Policy::logs);
        let own = if logs.is_empty() {
            None
        } else {
            let failed = |error: journal::log::LogError| refused(&error);
            let files = disk(&data.join(WITNESS_FOLDER))?;
            let path = data.join(KEYS_FOLDER).join("witness.key");
            let key_file = KeyFile::new(&path, &format!("{origin}/witness"), log).map_err(failed)?;
            let key = key_file.open_or_make(files.as_ref()).map_err(failed)?.as_kind(KeyKind::Cosignature);
            Some(Witness::open(files, key, witnessed_logs(logs)).map_err(failed)?)
        };
        let files = disk(log)?;
        let witnessed = match files.read(WITNESSED_CHECKPOINT, NOTE_BYTES_MAX) {
            Ok(bytes) => SignedCheckpoint::parse(&bytes).ok().map(Arc::new),
            Err(_) => None,
        };
        let urls = read_urls(&data.join(POLICY_FILE));
        Ok(Self { own, policy, urls, witnessed: Mutex::new(witnessed), collecting: Mutex::default() })
    }

    /// Events in the latest witnessed checkpoint.
    pub(super) fn witnessed_size(&self) -> Option<u64> {
        self.lock().as_ref().map(|own| own.checkpoint().size)
    }

    /// The latest witnessed checkpoint, if it holds an event.
    pub(super) fn checkpoint_with(&self, position: u64) -> Option<Arc<SignedCheckpoint>> {
        self.lock().clone().filter(|own| own.checkpoint().size >= position)
    }

    /// How often a witnessed log showed two histories.
    pub(super) fn split_views(&self) -> usize {
        self.own.as_ref().and_then(|own| own.evidence().ok()).map_or(0, |evidence| evidence.len())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<SignedCheckpoint>>> {
        self.witnessed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> Vec<VerifierKey> {
        self.policy.iter().flat_map(|policy| policy.witnesses().values()).cloned().collect()
    }
}

fn witnessed_logs(keys: &[VerifierKey]) -> Vec<WitnessedLog> {
    let mut logs: Vec<WitnessedLog> = Vec::new();
    for key in keys {
        match logs.iter_mut().find(|log| log.origin == key.name()) {
            Some(log) => log.keys.push(key.clone()),
            None => logs.push(WitnessedLog { origin: key.name().to_owned(), keys: vec![key.clone()] }),
        }
    }
    logs
}

/// Addresses in the `witness NAME KEY URL` lines of a policy file that was read before.
fn read_urls(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let words = text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    words
        .filter_map(|words| match words.as_slice() {
            ["witness", _, _, url] => Some((*url).trim_end_matches('/').to_owned()),
            _ => None,
        })
        .collect()
}

/// The policy in a file, if there is one.
pub(super) fn read_policy(path: &Path) -> Result<Option<Policy>, Error> {
    let bytes = match std::fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("policy_unreadable", path, &error)),
    };
    if bytes > POLICY_BYTES_MAX {
        return Err(Error::new(
            Kind::Refused,
            "policy_refused",
            format!("{} has {bytes} bytes; at most {POLICY_BYTES_MAX} are read", path.display()),
            "Write a policy as C2SP tlog-policy describes it.",
        ));
    }
    let bytes = std::fs::read(path).map_err(|error| Error::io("policy_unreadable", path, &error))?;
    Policy::parse(&bytes).map(Some).map_err(|error| refused(&error))
}

impl Customhouse {
    /// Answers another log that asks for a cosignature (C2SP `tlog-witness`, `add-checkpoint`).
    #[must_use]
    pub fn add_checkpoint(&self, body: &[u8]) -> Response {
        let now = u64::try_from(self.wall_now().as_second()).unwrap_or(0);
        match &self.proofs.witnessing.own {
            Some(witness) => witness.add_checkpoint(body, now),
            None => Response {
                status: 404,
                content_type: "text/plain; charset=utf-8",
                body: b"this node witnesses no other logs\n".to_vec(),
            },
        }
    }

    /// The key that this node cosigns with, if it does.
    #[must_use]
    pub fn witness_key(&self) -> Option<String> {
        self.proofs.witnessing.own.as_ref().map(|own| own.verifier().to_string())
    }

    /// Evidence that a witnessed log showed two histories: each a file that convinces anybody.
    pub fn split_views(&self) -> Result<Vec<String>, Error> {
        let Some(own) = &self.proofs.witnessing.own else { return Ok(Vec::new()) };
        let evidence = own.evidence().map_err(|error| refused(&error))?;
        Ok(evidence.iter().map(ToString::to_string).collect())
    }

    /// Whom this node asks to cosign its log.
    #[must_use]
    pub fn witnesses(&self) -> Vec<WitnessToAsk> {
        self.proofs.witnessing.urls.iter().map(|url| WitnessToAsk { url: url.clone() }).collect()
    }

    /// The body of a request to cosign the latest checkpoint, for a witness that stands at `old_size`; `None` while
    /// there is nothing new to cosign.
    pub fn witness_request(&self, old_size: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(checkpoint) = self.proofs.writer.checkpoint() else { return Ok(None) };
        let size = checkpoint.checkpoint().size;
        if size == 0 || self.proofs.witnessing.witnessed_size() == Some(size) {
            return Ok(None);
        }
        let mut collecting = self.proofs.witnessing.collecting.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = collecting.get_or_insert_with(|| (*checkpoint).clone());
        let old_size = old_size.min(under_way.checkpoint().size);
        let request = AddCheckpoint::new(self.proofs.writer.reader(), under_way, old_size);
        request.map(|request| Some(request.to_bytes())).map_err(|error| refused(&error))
    }

    /// Takes a witness's answer. Answers with the size from which it must be asked again, if it must. Once the policy's
    /// quorum has cosigned, the checkpoint is kept, and proofs rest on it.
    pub fn witness_answered(&self, status: u16, body: &[u8]) -> Result<Option<u64>, Error> {
        let witnessing = &self.proofs.witnessing;
        let Some(policy) = &witnessing.policy else { return Ok(None) };
        let mut collecting = witnessing.collecting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(under_way) = collecting.as_ref() else { return Ok(None) };
        let answer = WitnessAnswer::read(status, body, under_way, &witnessing.keys());
        match answer.map_err(|error| refused(&error))? {
            WitnessAnswer::StandsAt(size) => Ok(Some(size)),
            WitnessAnswer::Refused { status, reason } => Err(Error::new(
                Kind::Refused,
                "witness_refused",
                format!("the witness answered {status}: {reason}"),
                "Ask those who run it whether it knows this log's key.",
            )),
            WitnessAnswer::Cosigned(checkpoint) => {
                if policy.check(&checkpoint, &self.proofs.keys).is_err() {
                    // Others have still to cosign it.
                    *collecting = Some(checkpoint);
                    return Ok(None);
                }
                *collecting = None;
                let kept = self.proofs.writer.keep_witnessed(checkpoint.clone());
                kept.map_err(|error| refused(&error))?;
                *witnessing.lock() = Some(Arc::new(checkpoint));
                Ok(None)
            }
        }
    }

    /// Gives up a checkpoint that not enough witnesses cosigned in time: the next round asks for a newer one.
    pub fn witness_round_over(&self) {
        *self.proofs.witnessing.collecting.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
