//! What other processes of the site did, and what follows from it here: policies, packs, erasures. (Declarations are
//! followed by read models and by whoever decides, each in its own way.)

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use spine::Envelope;

use crate::Customhouse;
use crate::erasure::model::DONE;
use crate::error::Error;

/// How often it is looked whether the house is closed.
const STEP: Duration = Duration::from_millis(200);
/// Envelopes read at once.
const ENVELOPES_AT_ONCE: usize = 1_000;
/// Pause after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// What is to be read again.
#[derive(Debug, Default, PartialEq, Eq)]
struct News {
    policies: bool,
    packs: bool,
    /// Position at which an erasure was done.
    erasure: Option<u64>,
}

impl News {
    fn add(&mut self, position: u64, kind: &str) {
        if kind.starts_with("policy.") {
            self.policies = true;
        } else if kind.starts_with("pack.") {
            self.packs = true;
        } else if kind == DONE {
            self.erasure = Some(position);
        }
    }
}

/// Follows the journal on a thread of its own, until the house is closed.
pub(crate) fn follow(house: &Arc<Customhouse>) -> Result<(), Error> {
    let mut position = house.journal.head();
    // What happened while this house was opened.
    house.take_news(&News { policies: true, packs: true, erasure: None })?;
    let (journal, house) = (Arc::clone(&house.journal), Arc::downgrade(house));
    std::thread::Builder::new()
        .name("news".to_owned())
        .spawn(move || {
            loop {
                // The house is not held while nothing happens: it must be able to close.
                let head = journal.wait_for(position.saturating_add(1), STEP);
                let Some(house) = house.upgrade() else { return };
                if head <= position {
                    continue;
                }
                match house.read_news(position) {
                    Ok(read) => position = read,
                    Err(error) => {
                        tracing::warn!(code = error.code, "what others did could not be read: {error}");
                        drop(house);
                        std::thread::sleep(RETRY);
                    }
                }
            }
        })
        .map(drop)
        .map_err(|error| Error::internal("no_thread", &error))
}

impl Customhouse {
    /// Reads some of what was recorded after a position, and answers with how far it came.
    fn read_news(&self, after: u64) -> Result<u64, Error> {
        let mut news = News::default();
        let mut position = after;
        for bytes in self.journal.envelopes(after, ENVELOPES_AT_ONCE)? {
            position = position.saturating_add(1);
            let envelope = Envelope::from_canonical_bytes(&bytes)
                .map_err(|error| Error::internal("event_unreadable", &error))?;
            if envelope.node != self.folder.node() {
                news.add(position, &envelope.kind);
            }
        }
        self.take_news(&news)?;
        Ok(position)
    }

    fn take_news(&self, news: &News) -> Result<(), Error> {
        if news.policies {
            let mut policies = self.policies.write().unwrap_or_else(PoisonError::into_inner);
            policies.follow(self.journal.as_ref())?;
        }
        if news.packs {
            self.read_packs_of_others()?;
        }
        match news.erasure {
            Some(position) => {
                self.pool.read_again()?;
                self.forget_erased(position)
            }
            None => Ok(()),
        }
    }
}
