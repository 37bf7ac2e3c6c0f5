//! What the days that have ended say, and taking note of a warning.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use journal::{AppendRequest, Journal, NewEvent};
use serde::Serialize;
use serde_json::json;
use spine::Actor;

use super::event::{ACKNOWLEDGED, DAY_ENDED, DAYS_STREAM, RAISED, TAGS_IN_USE, stream};
use super::file;
use super::in_use::meanings;
use super::state::{State, date, day_of};
use super::watched::Combinations;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::{Customhouse, Fact};

/// Longest note on a warning.
pub const NOTE_CHARACTERS_MAX: usize = 1_000;
/// A day is looked at so long after its end: what was decided in its last moments is recorded by then.
const AFTER_MIDNIGHT: SignedDuration = SignedDuration::from_mins(10);
/// Events followed at once; between them others may ask.
const EVENTS_AT_ONCE: usize = 2_000;
/// How long the journal is followed before the house does something else.
pub(super) const FOLLOW_MAX: Duration = Duration::from_millis(500);
/// The file is written after so many events at the latest, at the end of each day, and when the house is closed.
const EVENTS_UNWRITTEN_MAX: u64 = 500_000;
/// Name of the file in the folder.
const FILE: &str = "counts.json";

/// The room's state, and where it is kept.
pub(crate) struct WarningRoom {
    path: PathBuf,
    held: Mutex<Held>,
    /// Packs whose tags were last held against those that the journal tells.
    compared: Mutex<Option<Vec<String>>>,
}

struct Held {
    state: State,
    /// The same, counted anew beside it because the past of a combination is wanted.
    next: Option<State>,
    written: u64,
}

/// Nothing followed yet, with everything that is watched by now.
fn begun(journal: &dyn Journal) -> Result<State, Error> {
    Ok(State::begun_at(journal.head(), Combinations::read(journal)?.0))
}

impl Held {
    /// Where a combination is watched whose past was not counted, everything is counted anew beside what there is, some
    /// events at a time, and takes its place when it has come as far. Answers whether nothing of that is left to do.
    ///
    /// # Errors
    /// `event_unreadable`, what the journal says.
    fn count_anew(&mut self, journal: &dyn Journal) -> Result<bool, Error> {
        if self.next.is_none() && self.state.behind {
            self.next = Some(begun(journal)?);
        }
        let Some(next) = &mut self.next else { return Ok(true) };
        let left = self.state.position.saturating_sub(next.position);
        let events = usize::try_from(left).unwrap_or(EVENTS_AT_ONCE).min(EVENTS_AT_ONCE);
        for event in &journal.feed(next.position, events)? {
            next.apply(event)?;
        }
        if next.position >= self.state.position
            && let Some(next) = self.next.take()
        {
            // It has not been written yet.
            self.written = 0;
            self.state = next;
        }
        Ok(self.next.is_none() && !self.state.behind)
    }
}

impl WarningRoom {
    /// Opens what stands in a folder. Nothing is followed yet.
    ///
    /// # Errors
    /// `warnings_unwritable`.
    pub(crate) fn open(folder: &Path, journal: &dyn Journal) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(|error| Error::io("warnings_unwritable", folder, &error))?;
        crate::tags::live::sweep(folder);
        let path = folder.join(FILE);
        let known = file::read(&path).filter(|state| {
            let of_journal = |event: journal::RecordedEvent| event.envelope.id == state.event;
            state.position <= journal.head() && journal.event(state.position).is_ok_and(of_journal)
        });
        if known.is_none() && path.exists() {
            tracing::warn!(
                "what warnings rest on is counted again: the file is damaged or of another journal"
            );
        }
        let state = match known {
            Some(state) => state,
            None => begun(journal)?,
        };
        let written = state.position;
        Ok(Self { path, held: Mutex::new(Held { state, next: None, written }), compared: Mutex::default() })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is asked of the state as it stands.
    pub(super) fn read<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.held().state)
    }

    /// Follows the journal for a while; answers whether its end was reached.
    ///
    /// # Errors
    /// `event_unreadable`, what the journal says.
    pub(super) fn follow(&self, journal: &dyn Journal, most: Duration) -> Result<bool, Error> {
        let until = Instant::now() + most;
        loop {
            let mut held = self.held();
            let events = journal.feed(held.state.position, EVENTS_AT_ONCE)?;
            for event in &events {
                if held.state.is_erased_by(event) {
                    self.forget(&mut held, journal)?;
                    break;
                }
                held.state.apply(event)?;
            }
            if held.state.position.saturating_sub(held.written) >= EVENTS_UNWRITTEN_MAX {
                self.write(&mut held);
            }
            let done = events.is_empty() && held.count_anew(journal)?;
            drop(held);
            if done {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(events.is_empty());
            }
        }
    }

    /// Removes the file and has everything followed anew, because something in it was erased: a note may name somebody.
    ///
    /// # Errors
    /// `warnings_unwritable`.
    pub(crate) fn start_again(&self, journal: &dyn Journal) -> Result<(), Error> {
        self.forget(&mut self.held(), journal)
    }

    fn forget(&self, held: &mut Held, journal: &dyn Journal) -> Result<(), Error> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("warnings_unwritable", &self.path, &error));
            }
            _ => {}
        }
        *held = Held { state: begun(journal)?, next: None, written: 0 };
        Ok(())
    }

    /// Writes the file if anything has changed. It is derived: where it cannot be written, it is counted again.
    fn write(&self, held: &mut Held) {
        if held.state.position <= held.written {
            return;
        }
        match file::write(&self.path, &held.state) {
            Ok(()) => held.written = held.state.position,
            Err(error) => {
                tracing::warn!(code = error.code, "the counts of warnings were not written: {error}");
            }
        }
    }
}

impl Drop for WarningRoom {
    fn drop(&mut self) {
        self.write(&mut self.held());
    }
}

impl Customhouse {
    /// Follows the journal, and where this process decides looks at the days that have ended since the last look.
    /// Answers with the number of warnings raised.
    ///
    /// # Errors
    /// `event_unreadable`, what the journal says.
    pub fn watch_for_warnings(&self) -> Result<usize, Error> {
        let mut raised = 0_usize;
        let today = self.now().checked_sub(AFTER_MIDNIGHT).map(day_of).unwrap_or_default();
        while self.warnings.follow(self.journal.as_ref(), FOLLOW_MAX)? && self.decides() {
            if self.tell_tags_in_use()? {
                continue;
            }
            let Some(day) = self.warnings.read(|state| state.due(today)) else { break };
            match self.end_day(day) {
                Ok(more) => raised = raised.saturating_add(more),
                // Another process did it.
                Err(error) if error.kind == Kind::Conflict => {}
                Err(error) => return Err(error),
            }
            self.warnings.follow(self.journal.as_ref(), FOLLOW_MAX)?;
            self.warnings.write(&mut self.warnings.held());
        }
        Ok(raised)
    }

    /// Records which tags are new, mean something else, or are gone since that was last recorded. Answers whether there
    /// was anything to record.
    fn tell_tags_in_use(&self) -> Result<bool, Error> {
        let compiled = self.compiled_tags();
        let compared = || self.warnings.compared.lock().unwrap_or_else(PoisonError::into_inner);
        if compared().as_ref() == Some(&compiled.packs) {
            return Ok(false);
        }
        let now = self.now();
        // What changes today has its first whole day tomorrow.
        let tomorrow = date(day_of(now).saturating_add(1));
        let meanings = meanings(&compiled.set);
        let (version, told) =
            self.warnings.read(|state| (state.version, state.in_use.changes(&meanings, tomorrow)));
        let told: Vec<NewEvent> = told
            .iter()
            .map(|own| event(DAYS_STREAM.to_owned(), TAGS_IN_USE, now, own))
            .collect::<Result<_, _>>()?;
        let any = !told.is_empty();
        if any {
            let expected = vec![(DAYS_STREAM.to_owned(), version)];
            let request = AppendRequest { events: told, expected, ..AppendRequest::default() };
            match self.journal.append(request).map_err(Error::from) {
                // Another process told something: look again.
                Err(error) if error.kind == Kind::Conflict => return Ok(true),
                told => told?,
            };
        }
        *compared() = Some(compiled.packs.clone());
        Ok(any)
    }

    fn end_day(&self, day: i32) -> Result<usize, Error> {
        let compiled = self.compiled_tags();
        let version = |tag: &str| {
            let place = compiled.places.get(tag)?;
            compiled.set.definitions().get(*place).map(|own| own.version)
        };
        let (version_read, (ended, raised)) =
            self.warnings.read(|state| (state.version, state.end_of(day, version)));
        let now = self.now();
        let mut events = vec![event(DAYS_STREAM.to_owned(), DAY_ENDED, now, &ended)?];
        for own in &raised {
            let stream = stream(own.about.name(), &own.warning);
            events.push(NewEvent {
                kind_version: own.about.kind_version(),
                ..event(stream, RAISED, now, own)?
            });
        }
        let expected = vec![(DAYS_STREAM.to_owned(), version_read)];
        self.journal.append(AppendRequest { events, expected, ..AppendRequest::default() })?;
        Ok(raised.len())
    }

    /// Takes note of a warning: it is still shown, but waits for nobody any more. Answers with the event's position.
    ///
    /// # Errors
    /// `not_permitted`, `warning_unknown`, `warning_note`, `warning_acknowledged`.
    pub fn acknowledge_warning(&self, reader: &Reader, id: &str, note: &str) -> Result<u64, Error> {
        if !reader.may(Permission::Lead) {
            reader.require(Permission::ManagePlans)?;
        }
        let note = note.trim();
        if !(1..=NOTE_CHARACTERS_MAX).contains(&note.chars().count()) {
            return Err(Error::new(
                Kind::Invalid,
                "warning_note",
                "the note is empty or too long",
                format!("Say in 1 to {NOTE_CHARACTERS_MAX} characters what comes of it."),
            ));
        }
        let (about, acknowledged) = self.known_warning(reader, id)?;
        let taken = || {
            Error::new(
                Kind::Conflict,
                "warning_acknowledged",
                "somebody has taken note of it already",
                "Look at the warning again: it says who, and what they wrote.",
            )
        };
        if acknowledged {
            return Err(taken());
        }
        // In its stream stands that it was raised, and nothing else.
        let fact =
            Fact::new(&stream(&about, id), ACKNOWLEDGED, json!({ "warning": id, "note": note })).expecting(1);
        let position = self.record(reader, fact).map_err(|error| match error.kind {
            Kind::Conflict => taken(),
            _ => error,
        })?;
        self.warnings.follow(self.journal.as_ref(), FOLLOW_MAX)?;
        Ok(position)
    }
}

fn event(
    stream: String,
    kind: &str,
    occurred_at: Timestamp,
    payload: &impl Serialize,
) -> Result<NewEvent, Error> {
    Ok(NewEvent {
        stream,
        kind: kind.to_owned(),
        kind_version: 1,
        occurred_at,
        actor: Actor::system(),
        causation: None,
        payload: serde_json::to_value(payload)
            .map_err(|error| Error::internal("warning_unwritable", &error))?,
    })
}
