//! The reception of a process that is one of several on one database: it records what comes in, and answers with a
//! receipt. What becomes of it is decided by whichever process has the turn ([`super::turn`]).
//!
//! Two processes may be handed one declaration at the same moment, by a sender that lost patience with the first. Each
//! claims the sender's reference in the append that records the declaration: one of them is told that it is taken.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use journal::{AppendRequest, JournalError};
use sha2::{Digest, Sha256};

use super::clerk::new_event;
use super::desk::{Lodgement, Parts};
use super::event::{LODGED, stream};
use super::lodging::{answer_known, receipt_of, reference_of, written_down};
use super::model::Receipt;
use super::number::Numbers;
use super::read_model::{known_reference, last_number};
use crate::civil_time::as_recorded;
use crate::error::{Error, Kind};

/// Declarations recorded at once: the journal makes one commit of them.
pub(super) const RECEPTION_THREADS: usize = 16;
/// How often it is looked whether the house is closed.
const STEP: Duration = Duration::from_millis(200);
/// How long it is waited until it is known whom a reference that is taken belongs to.
const OTHERS_WAIT: Duration = Duration::from_secs(5);
/// How often one declaration is tried.
const TRIES: usize = 4;

pub(super) struct Reception {
    parts: Parts,
    inbox: Mutex<Receiver<Box<Lodgement>>>,
    waiting: Arc<AtomicU64>,
    /// `None` until it is known which numbers this node has given.
    numbers: Mutex<Option<Numbers>>,
    /// Somebody came: decisions will be wanted.
    wanted: Arc<AtomicBool>,
}

impl Reception {
    pub(super) fn new(
        parts: Parts,
        inbox: Receiver<Box<Lodgement>>,
        waiting: Arc<AtomicU64>,
        wanted: Arc<AtomicBool>,
    ) -> Self {
        Self { parts, inbox: Mutex::new(inbox), waiting, numbers: Mutex::new(None), wanted }
    }

    /// Works until the house is closed; on several threads at once.
    pub(super) fn run(&self) {
        loop {
            let next = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(STEP);
            match next {
                Ok(lodgement) => {
                    self.wanted.store(true, Ordering::Relaxed);
                    let answer = self.receive(&lodgement);
                    (lodgement.reply)(answer);
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn receive(&self, lodgement: &Lodgement) -> Result<Receipt, Error> {
        let reference = reference_of(&lodgement.understood)?;
        for _ in 0..TRIES {
            let known = known_reference(&self.parts.projection, &lodgement.party, &reference)?;
            let replaced = known.as_ref().map(|known| known.mrn.clone());
            if let Some(answer) = known.and_then(|known| answer_known(known, &lodgement.sha256)) {
                return answer;
            }
            let now = as_recorded(self.parts.clock.now());
            let lodged = written_down(&self.parts, lodgement, &reference, || self.number(now))?;
            let receipt = receipt_of(&lodged, now);
            let payload =
                serde_json::to_value(&lodged).map_err(|error| Error::internal("event_unwritable", &error))?;
            let appended = self.parts.journal.append(AppendRequest {
                events: vec![new_event(&lodged.mrn, LODGED, payload, lodgement.actor.clone(), now)],
                // Nobody has used this number: a pair to the range that it was drawn from.
                expected: vec![(stream(&lodged.mrn), 0)],
                claims: vec![claim(&lodgement.party, &reference, replaced.as_deref())],
                ..AppendRequest::default()
            });
            match appended {
                Ok(appended) => return Ok(Receipt { position: appended.last_position(), ..receipt }),
                // Another process was faster, or recorded it before this one knew: whose it is shows soon.
                Err(JournalError::Claimed { position, .. }) => {
                    self.parts.projection.wait_for(position, OTHERS_WAIT);
                }
                // The number was given before the journal knew that it was.
                Err(JournalError::Conflict { .. }) => *self.numbers() = None,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(
            Kind::Busy,
            "reference_taken",
            format!("the reference \"{reference}\" was recorded by another process a moment ago"),
            "Send the very same declaration again: you will get its receipt.",
        ))
    }

    fn numbers(&self) -> std::sync::MutexGuard<'_, Option<Numbers>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a number, after it is known which ones this node has given before.
    fn number(&self, now: Timestamp) -> Result<(u64, String), Error> {
        let mut kept = self.numbers();
        let numbers = match kept.as_mut() {
            Some(numbers) => numbers,
            None => {
                self.parts.wait_for_read_models()?;
                let mut numbers = Numbers::new(&self.parts.node);
                numbers.seen(last_number(&self.parts.projection, &numbers, now)?);
                kept.insert(numbers)
            }
        };
        Ok(numbers.next(now))
    }
}

/// What is claimed for a sender's reference. Once what came under it was rejected, its correction is another claim.
fn claim(party: &str, reference: &str, replaced: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [party, reference, replaced.unwrap_or_default()] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    format!("reference/{}", hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_one_of_its_party_reference_and_what_it_corrects() {
        let all = [
            claim("NL1", "A-1", None),
            claim("NL1", "A-2", None),
            claim("NL1A", "-1", None),
            claim("NL1", "A-1", Some("26ZZ1")),
        ];
        assert!(all.iter().enumerate().all(|(at, own)| !all.iter().take(at).any(|other| other == own)));
        assert_eq!(claim("NL1", "A-1", None), claim("NL1", "A-1", None));
    }
}
