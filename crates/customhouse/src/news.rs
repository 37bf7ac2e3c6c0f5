//! What other processes of the site did, and what follows from it here: policies, packs, erasures. (Declarations are
//! followed by read models and by whoever decides, each in its own way.)

use std::path::PathBuf;
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
/// File beside the read models that says how far was read. It goes with them: what is made anew holds nothing erased.
const FILE: &str = "news-read";
/// It is written after each erasure, and after so many events: what is read again does no harm.
const EVENTS_UNWRITTEN_MAX: u64 = 10_000;

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

/// How far was read, kept in a file: what was erased by others while this house was closed still stands in what it
/// derived before.
struct Read {
    path: PathBuf,
    position: u64,
    written: u64,
}

impl Read {
    /// As far as the file says, or up to the journal's head where it says nothing that can be.
    fn open(path: PathBuf, head: u64) -> Self {
        let kept: Option<u64> = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        match kept.filter(|position| *position <= head) {
            Some(position) => Self { path, position, written: position },
            None => {
                let mut read = Self { path, position: head, written: head };
                read.write();
                read
            }
        }
    }

    fn reach(&mut self, position: u64, erased: bool) {
        self.position = position;
        if erased || position.saturating_sub(self.written) >= EVENTS_UNWRITTEN_MAX {
            self.write();
        }
    }

    fn write(&mut self) {
        match crate::write_whole(&self.path, self.position.to_string().as_bytes()) {
            Ok(()) => self.written = self.position,
            Err(error) => {
                tracing::warn!(code = error.code, "how far the news were read was not written: {error}");
            }
        }
    }
}

/// Follows the journal on a thread of its own, until the house is closed.
pub(crate) fn follow(house: &Arc<Customhouse>) -> Result<(), Error> {
    let path = house.folder.of_process("read-models").join(FILE);
    let mut read = Read::open(path, house.journal.head());
    // What happened while this house was opened.
    house.take_news(&News { policies: true, packs: true, erasure: None })?;
    let (journal, house) = (Arc::clone(&house.journal), Arc::downgrade(house));
    std::thread::Builder::new()
        .name("news".to_owned())
        .spawn(move || {
            loop {
                // The house is not held while nothing happens: it must be able to close.
                let head = journal.wait_for(read.position.saturating_add(1), STEP);
                let Some(house) = house.upgrade() else { return };
                if head <= read.position {
                    continue;
                }
                match house.read_news(read.position) {
                    Ok((position, erased)) => read.reach(position, erased),
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
    /// Reads some of what was recorded after a position, and answers with how far it came, and whether anything was
    /// erased.
    fn read_news(&self, after: u64) -> Result<(u64, bool), Error> {
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
        Ok((position, news.erasure.is_some()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declarations::Progress;
    use crate::declarations::tests::{declaration, put_policies_into_force, reader, trader};
    use crate::erasure::tests::{erase, standing};
    use crate::identity::Role;
    use crate::site_tests::{Site, lodge, shown, until};

    #[test]
    fn how_far_was_read_is_kept_and_nothing_is_left_out_of_what_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        // What the file says, how far the journal reaches, and from where it is read.
        for (kept, head, from) in
            [(None, 7, 7), (Some("3"), 7, 3), (Some("8"), 7, 7), (Some(""), 7, 7), (Some("0"), 7, 0)]
        {
            match kept {
                Some(text) => std::fs::write(&path, text).unwrap(),
                None => assert!(!path.exists()),
            }
            assert_eq!(Read::open(path.clone(), head).position, from, "{kept:?}");
        }
        let mut read = Read::open(path.clone(), 7);
        for (position, erased, again) in
            [(5, false, 0), (6, true, 6), (EVENTS_UNWRITTEN_MAX + 6, false, EVENTS_UNWRITTEN_MAX + 6)]
        {
            read.reach(position, erased);
            assert_eq!(Read::open(path.clone(), u64::MAX).position, again);
        }
    }

    #[test]
    fn an_erasure_by_others_is_not_missed_by_a_process_that_was_closed() {
        let Some(site) = Site::new("an_erasure_by_others_is_not_missed_by_a_process_that_was_closed") else {
            return;
        };
        let (first, second) = (site.open("one"), site.open("two"));
        put_policies_into_force(&first, false);
        let mrn = lodge(&first, &declaration("ERASE-ME")).unwrap().mrn;
        until("it is released", || {
            first.catch_up();
            first.own_declaration(&trader(), &mrn).is_ok_and(|own| own.progress == Progress::Released)
        });
        assert_eq!(shown(&second).len(), 1);
        let closed = site.folder.path().join("two");
        let secrets = ["NL0001", "ERASE-ME"];
        drop(second);
        assert!(!standing(&closed, &secrets).is_empty());
        erase(&first);
        let second = site.open("two");
        let chief = reader("c", Role::Chief);
        until("it has forgotten it too", || {
            let erased = second.case(&chief, &mrn).is_ok_and(|case| case.erased.is_some());
            erased && standing(&closed, &secrets).is_empty()
        });
    }
}
