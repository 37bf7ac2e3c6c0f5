//! The witness: it remembers, durably, the newest checkpoint of each log that it has cosigned, and never goes back.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::evidence::{SPLIT_VIEW_BYTES_MAX, SplitView};
use super::request::{AddCheckpoint, Response};
use crate::log::error::{LogError, at_most};
use crate::log::files::{Durably, Files};
use crate::log::note::{KeyKind, NOTE_BYTES_MAX, SignedCheckpoint, SigningKey, VerifierKey};
use crate::log::tree::{TreeHash, verify_consistency};

/// Most pieces of evidence that are kept; the first ones are the ones that matter.
pub const EVIDENCE_MAX: usize = 1_000;
/// Most logs of one witness.
const LOGS_MAX: usize = 10_000;
const LOGS: &str = "logs";
const EVIDENCE: &str = "evidence";

/// A log that is witnessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessedLog {
    /// Its origin.
    pub origin: String,
    /// The keys that may sign its checkpoints, each named after the origin.
    pub keys: Vec<VerifierKey>,
}

/// Cosigns checkpoints of the logs it knows.
pub struct Witness {
    key: SigningKey,
    keys: BTreeMap<String, Vec<VerifierKey>>,
    durably: Durably,
    /// The newest checkpoint of each log, with the cosignature of this witness. The lock is held from the comparison
    /// to the answer, so that of two requests from the same size one finds the other's.
    newest: Mutex<BTreeMap<String, SignedCheckpoint>>,
}

impl fmt::Debug for Witness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Witness").field("name", &self.key.verifier().name()).finish_non_exhaustive()
    }
}

impl Witness {
    /// Opens the witness whose state stands in these files; `key` must be one that cosigns.
    ///
    /// # Errors
    /// A state that this key did not sign is refused: going on from a wrong one could help a log to go back.
    pub fn open(files: Arc<dyn Files>, key: SigningKey, logs: Vec<WitnessedLog>) -> Result<Self, LogError> {
        if key.verifier().kind() != KeyKind::Cosignature {
            return Err(LogError::malformed("key of a witness", key.verifier().name(), "a cosigning key"));
        }
        at_most("logs of one witness", logs.len(), LOGS_MAX)?;
        let durably = Durably::new(files)?;
        let (mut newest, mut settle) = (BTreeMap::new(), None);
        for log in &logs {
            let path = state_path(&log.origin);
            match durably.files().read(&path, NOTE_BYTES_MAX) {
                Ok(bytes) => {
                    newest.insert(log.origin.clone(), read_state(&path, &bytes, &log.origin, &key)?);
                    settle = Some(path);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(LogError::io(path, &error)),
            }
        }
        // They stand in one folder. What is told from now on must not be taken back by a loss of power.
        if let Some(path) = settle {
            durably.settle(&path)?;
        }
        let keys = logs.into_iter().map(|log| (log.origin, log.keys)).collect();
        Ok(Self { key, keys, durably, newest: Mutex::new(newest) })
    }

    /// The key others know this witness by.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// The newest checkpoint of a log that was cosigned.
    #[must_use]
    pub fn newest(&self, origin: &str) -> Option<SignedCheckpoint> {
        self.lock().get(origin).cloned()
    }

    /// Answers the body of a POST to `add-checkpoint`, at `now` in seconds since 1970.
    #[must_use]
    pub fn add_checkpoint(&self, body: &[u8], now: u64) -> Response {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return Response::refused(400, &error.to_string()),
        };
        let checkpoint = request.checkpoint.checkpoint();
        let Some(keys) = self.keys.get(&checkpoint.origin) else {
            return Response::refused(404, "this witness does not know that log");
        };
        if let Err(error) = request.checkpoint.verify(keys) {
            return Response::refused(403, &error.to_string());
        }
        if request.old_size > checkpoint.size {
            return Response::refused(400, "the old size is larger than the checkpoint's");
        }
        let mut newest = self.lock();
        let known = newest.get(&checkpoint.origin);
        let (known_size, known_root) = known.map_or((0, TreeHash::of_empty_tree()), |known| {
            (known.checkpoint().size, known.checkpoint().root)
        });
        if let Some(evidence) = known.and_then(|known| SplitView::between(known, &request.checkpoint, keys)) {
            tracing::error!(origin = checkpoint.origin, size = checkpoint.size, "a log shows two histories");
            return match self.keep(&evidence) {
                Ok(()) => Response::stands_at(known_size),
                Err(error) => Response::refused(500, &error.to_string()),
            };
        }
        let other_root = known_size == checkpoint.size && known_root != checkpoint.root;
        if request.old_size != known_size || (known.is_some() && other_root) {
            return Response::stands_at(known_size);
        }
        let consistent =
            verify_consistency(known_size, known_root, checkpoint.size, checkpoint.root, &request.path);
        if let Err(error) = consistent {
            return Response::refused(422, &error.to_string());
        }
        // A clock that was set back must not make a later statement look older than an earlier one.
        let time = known.map_or(0, |known| self.time_of(known)).max(now);
        match self.cosign(&request.checkpoint, keys, time) {
            Ok((cosigned, line)) => {
                newest.insert(checkpoint.origin.clone(), cosigned);
                Response::cosigned(line)
            }
            Err(error) => Response::refused(500, &error.to_string()),
        }
    }

    /// All evidence of misbehaviour that was kept, the newest not in particular order.
    ///
    /// # Errors
    /// What the files say; damaged evidence.
    pub fn evidence(&self) -> Result<Vec<SplitView>, LogError> {
        let names = self.evidence_names()?;
        let mut evidence = Vec::with_capacity(names.len());
        let all_keys: Vec<VerifierKey> = self.keys.values().flatten().cloned().collect();
        for name in names {
            let path = format!("{EVIDENCE}/{name}");
            let bytes = self.durably.files().read(&path, SPLIT_VIEW_BYTES_MAX);
            let bytes = bytes.map_err(|error| LogError::io(&path, &error))?;
            evidence.push(SplitView::parse(&bytes, &all_keys)?);
        }
        Ok(evidence)
    }

    /// Cosigns and makes that durable: whoever gets the line can rely on the witness remembering it.
    fn cosign(
        &self,
        checkpoint: &SignedCheckpoint,
        keys: &[VerifierKey],
        time: u64,
    ) -> Result<(SignedCheckpoint, String), LogError> {
        let line = self.key.sign(checkpoint.note().text(), time);
        // Only what was checked is kept: signatures of strangers could crowd out our own.
        let origin = &checkpoint.checkpoint().origin;
        let mut cosigned = checkpoint.only_signed_by(keys)?;
        if cosigned.add_cosignatures(std::slice::from_ref(&line), &[self.key.verifier().clone()]) != 1 {
            return Err(LogError::unsigned(
                format!("the checkpoint of {origin}"),
                "it could not be cosigned",
            ));
        }
        self.durably.put_one(&state_path(origin), cosigned.to_bytes())?;
        Ok((cosigned, line.to_string()))
    }

    fn keep(&self, evidence: &SplitView) -> Result<(), LogError> {
        let text = evidence.to_string();
        let name = hex::encode(Sha256::digest(&text));
        let names = self.evidence_names()?;
        if names.len() >= EVIDENCE_MAX || names.contains(&name) {
            return Ok(());
        }
        self.durably.put_one(&format!("{EVIDENCE}/{name}"), text.into_bytes())
    }

    fn evidence_names(&self) -> Result<Vec<String>, LogError> {
        match self.durably.files().list(EVIDENCE) {
            Ok(names) => Ok(names),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(LogError::io(EVIDENCE, &error)),
        }
    }

    fn time_of(&self, cosigned: &SignedCheckpoint) -> u64 {
        let own = cosigned.note().verify(std::slice::from_ref(self.key.verifier()));
        own.ok().and_then(|by| by.first()?.time).unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SignedCheckpoint>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of a log is the checkpoint that this witness cosigned, which its own signature protects.
fn read_state(
    path: &str,
    bytes: &[u8],
    origin: &str,
    key: &SigningKey,
) -> Result<SignedCheckpoint, LogError> {
    let damaged = |reason: String| LogError::unsigned(format!("the state {path} of the witness"), reason);
    let state = SignedCheckpoint::parse(bytes).map_err(|error| damaged(error.to_string()))?;
    state.note().verify(std::slice::from_ref(key.verifier())).map_err(|error| damaged(error.to_string()))?;
    if state.checkpoint().origin != origin {
        return Err(damaged(format!("it is of the log {}", state.checkpoint().origin)));
    }
    Ok(state)
}

/// Origins may hold anything, file names may not.
fn state_path(origin: &str) -> String {
    format!("{LOGS}/{}", hex::encode(Sha256::digest(origin)))
}
