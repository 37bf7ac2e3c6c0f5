//! This node as a witness of other logs, and others as witnesses of its own.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use journal::log::note::NOTE_BYTES_MAX;
use journal::log::tiles::WITNESSED_CHECKPOINT;
use journal::log::witness::{REQUEST_BYTES_MAX, Response, WitnessAnswer, WitnessedLog, ask_witness};
use journal::log::{Files, KeyFile, KeyKind, Policy, SignedCheckpoint, SigningKey, VerifierKey, Witness};

use super::{KEYS_FOLDER, POLICY_FILE, WITNESS_FOLDER, disk, refused};
use crate::Customhouse;
use crate::backup::{RESTORED_FILE, RestoredMark};
use crate::error::{Error, Kind};
use crate::folder::DataFolder;

/// Longest request that a witness reads, in bytes.
pub const WITNESS_REQUEST_BYTES_MAX: usize = REQUEST_BYTES_MAX;
/// Longest policy file.
const POLICY_BYTES_MAX: u64 = 1024 * 1024;

/// Status and body of a witness's answer, or why none came.
pub type Carried = Result<(u16, Vec<u8>), journal::log::LogError>;

/// This node as a witness.
struct OwnWitness {
    witness: Witness,
    files: Arc<dyn Files>,
    key: SigningKey,
    logs: Vec<WitnessedLog>,
}

impl OwnWitness {
    /// Answers a request. Where other processes are the same witness, what they remember is read before, and the site
    /// is locked until the answer: of two requests one finds the other's.
    fn add_checkpoint(&self, folder: &DataFolder, body: &[u8], now: u64) -> Result<Response, Error> {
        if folder.database().is_none() {
            return Ok(self.witness.add_checkpoint(body, now));
        }
        let _alone = folder.lock_site()?;
        let fresh = Witness::open(Arc::clone(&self.files), self.key.clone(), self.logs.clone())
            .map_err(|error| refused(&error))?;
        Ok(fresh.add_checkpoint(body, now))
    }
}

/// What is known of witnesses.
pub(super) struct Witnessing {
    own: Option<OwnWitness>,
    policy: Option<Policy>,
    /// Names of witnesses in the policy file with the address behind them, to which `/add-checkpoint` is appended.
    urls: Vec<(String, String)>,
    /// The latest checkpoint that the quorum cosigned.
    witnessed: Mutex<Option<Arc<SignedCheckpoint>>>,
    /// The log's files, where another process may be the one that keeps such a checkpoint in them.
    kept_by_others: Option<Arc<dyn Files>>,
    /// Of a folder that was restored, until its witnesses were heard.
    restored: Mutex<Option<RestoredMark>>,
}

/// What one round of asking came to.
#[derive(Debug, Default)]
struct Round {
    cosigned: usize,
    /// Witnesses that have no more of this log than there is: they cosigned, or stand at an earlier event.
    heard: usize,
    /// A witness that has seen more, and how much.
    ahead: Option<(String, u64)>,
}

impl Witnessing {
    /// Opens what the policy file asks for; without one this node witnesses nobody and asks nobody.
    pub(super) fn open(
        folder: &DataFolder,
        origin: &str,
        log: &Path,
        restored: Option<RestoredMark>,
    ) -> Result<Self, Error> {
        let data = folder.site_path();
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
            let logs = witnessed_logs(logs);
            let witness = Witness::open(Arc::clone(&files), key.clone(), logs.clone()).map_err(failed)?;
            Some(OwnWitness { witness, files, key, logs })
        };
        let files = disk(log)?;
        let witnessed = Mutex::new(read_witnessed(files.as_ref()));
        let urls = read_urls(&data.join(POLICY_FILE));
        let kept_by_others = folder.database().is_some().then_some(files);
        Ok(Self { own, policy, urls, witnessed, kept_by_others, restored: Mutex::new(restored) })
    }

    /// The latest witnessed checkpoint, whichever process had it witnessed.
    fn latest(&self) -> Option<Arc<SignedCheckpoint>> {
        let mut own = self.lock();
        if let Some(read) = self.kept_by_others.as_ref().and_then(|files| read_witnessed(files.as_ref()))
            && own.as_ref().is_none_or(|own| own.checkpoint().size < read.checkpoint().size)
        {
            *own = Some(read);
        }
        own.clone()
    }

    /// Events in the latest witnessed checkpoint.
    pub(super) fn witnessed_size(&self) -> Option<u64> {
        self.latest().map(|own| own.checkpoint().size)
    }

    /// The latest witnessed checkpoint, if it holds an event.
    pub(super) fn checkpoint_with(&self, position: u64) -> Option<Arc<SignedCheckpoint>> {
        self.latest().filter(|own| own.checkpoint().size >= position)
    }

    /// The key that this node cosigns with, if it does.
    pub(super) fn key(&self) -> Option<String> {
        self.own.as_ref().map(|own| own.witness.verifier().to_string())
    }

    /// How often a witnessed log showed two histories.
    pub(super) fn split_views(&self) -> usize {
        self.own.as_ref().and_then(|own| own.witness.evidence().ok()).map_or(0, |evidence| evidence.len())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<SignedCheckpoint>>> {
        self.witnessed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_witnessed(files: &dyn Files) -> Option<Arc<SignedCheckpoint>> {
    let bytes = files.read(WITNESSED_CHECKPOINT, NOTE_BYTES_MAX).ok()?;
    SignedCheckpoint::parse(&bytes).ok().map(Arc::new)
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
fn read_urls(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let words = text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    words
        .filter_map(|words| match words.as_slice() {
            ["witness", name, _, url] => Some(((*name).to_owned(), url.trim_end_matches('/').to_owned())),
            _ => None,
        })
        .collect()
}

/// Does this node ask others to cosign its log?
pub(crate) fn asks_witnesses(data: &Path) -> Result<bool, Error> {
    let path = data.join(POLICY_FILE);
    Ok(read_policy(&path)?.is_some() && !read_urls(&path).is_empty())
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
            Some(own) => own.add_checkpoint(&self.folder, body, now).unwrap_or_else(|error| Response {
                status: 503,
                content_type: "text/plain; charset=utf-8",
                body: format!("{error}\n").into_bytes(),
            }),
            None => Response {
                status: 404,
                content_type: "text/plain; charset=utf-8",
                body: b"this node witnesses no other logs\n".to_vec(),
            },
        }
    }

    /// Does this process keep the log of its site? Of several on one database, one does at a time.
    #[must_use]
    pub fn keeps_log(&self) -> bool {
        self.proofs.writer.holds()
    }

    /// Evidence that a witnessed log showed two histories: each a file that convinces anybody.
    pub fn split_views(&self) -> Result<Vec<String>, Error> {
        let Some(own) = &self.proofs.witnessing.own else { return Ok(Vec::new()) };
        let evidence = own.witness.evidence().map_err(|error| refused(&error))?;
        Ok(evidence.iter().map(ToString::to_string).collect())
    }

    /// Asks the witnesses of the policy file to cosign the latest checkpoint, one after the other; `carry` takes an
    /// address and a request's body there, and brings status and body of the answer. Once the policy's quorum has
    /// cosigned, the checkpoint is kept, and proofs rest on it. Answers with how many cosigned, `None` if there was
    /// nothing new to cosign.
    ///
    /// A witness that has seen more of this log than there is holds it: nothing is signed any more. The log of a folder
    /// that was restored is held until its witnesses were heard.
    ///
    /// # Errors
    /// None of a witness that does not answer: that is told in the log, and the next round asks again.
    pub fn ask_witnesses(
        &self,
        carry: &mut dyn FnMut(&str, &[u8]) -> Carried,
    ) -> Result<Option<usize>, Error> {
        let witnessing = &self.proofs.witnessing;
        self.heard_by_others();
        if !self.keeps_log() {
            return Ok(None);
        }
        let (Some(policy), Some(checkpoint)) = (&witnessing.policy, self.proofs.writer.checkpoint()) else {
            return Ok(None);
        };
        let size = checkpoint.checkpoint().size;
        let known = witnessing.witnessed_size().unwrap_or(0);
        let restored = witnessing.restored.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if witnessing.urls.is_empty() || (size == known && restored.is_none()) {
            return Ok(None);
        }
        // What there can be of this log: of a restored one what came back, for the rest may be new.
        let events = restored.as_ref().map_or_else(|| self.journal.head(), |mark| mark.events);
        let mut cosigned = (*checkpoint).clone();
        let mut round = Round::default();
        for (name, url) in &witnessing.urls {
            let Some(key) = policy.witnesses().get(name) else { continue };
            let place = format!("{url}/add-checkpoint");
            let mut bring = |body: &[u8]| carry(&place, body);
            match ask_witness(self.proofs.writer.reader(), &cosigned, key, known, &mut bring) {
                Ok(WitnessAnswer::Cosigned(more)) => {
                    cosigned = more;
                    round.cosigned = round.cosigned.saturating_add(1);
                    round.heard = round.heard.saturating_add(1);
                }
                Ok(WitnessAnswer::StandsAt(seen)) if seen > events => {
                    round.ahead = Some((name.clone(), seen));
                }
                Ok(WitnessAnswer::StandsAt(seen)) if seen > size => {
                    round.heard = round.heard.saturating_add(1);
                }
                Ok(answer) => tracing::warn!(witness = name, ?answer, "a witness did not cosign"),
                Err(error) => tracing::warn!(
                    witness = name,
                    code = error.code(),
                    "a witness could not be asked: {error}"
                ),
            }
        }
        let quorum = policy.check(&cosigned, &self.proofs.keys).is_ok();
        if let Some((name, seen)) = &round.ahead {
            self.hold_log(name, *seen, events);
        } else if restored.is_some() && (quorum || round.heard == witnessing.urls.len()) {
            self.go_on_after_restore()?;
        }
        if quorum {
            self.proofs.writer.keep_witnessed(cosigned.clone()).map_err(|error| refused(&error))?;
            *witnessing.lock() = Some(Arc::new(cosigned));
        }
        Ok(Some(round.cosigned))
    }

    /// A witness has cosigned more of this log than there is: events were lost, and whatever is signed from here on
    /// would be a second history.
    fn hold_log(&self, witness: &str, seen: u64, events: u64) {
        let reason = format!(
            "the witness {witness} has seen {seen} events of this log, here are {events}: this folder is older than what was signed. Stop the server and restore the newest backup there is; docs/backup.md says what to do if there is none."
        );
        tracing::error!(code = "log_held", "the log signs nothing: {reason}");
        self.proofs.writer.hold(&reason);
    }

    /// Enough witnesses have seen no more than what was restored: the log goes on.
    fn go_on_after_restore(&self) -> Result<(), Error> {
        let path = self.folder.of_site(RESTORED_FILE);
        std::fs::remove_file(&path).map_err(|error| Error::io("restored_mark_unwritable", &path, &error))?;
        self.release_log();
        Ok(())
    }

    /// Of several processes on what was restored one hears the witnesses; it takes the mark away, and the others go on
    /// too. Asked later by their own old mark, the witnesses would seem to have seen too much.
    fn heard_by_others(&self) {
        let restored =
            self.proofs.witnessing.restored.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if restored && !self.folder.of_site(RESTORED_FILE).exists() {
            self.release_log();
        }
    }

    fn release_log(&self) {
        *self.proofs.witnessing.restored.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.proofs.writer.release();
    }
}
