//! What the days that have ended say, and taking note of a warning.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use journal::{AppendRequest, Journal, NewEvent};
use serde::Serialize;
use serde_json::json;
use spine::Actor;

use super::event::{ACKNOWLEDGED, DAY_ENDED, DAYS_STREAM, RAISED, stream};
use super::file;
use super::state::{State, day_of};
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
const FOLLOW_MAX: Duration = Duration::from_millis(500);
/// The file is written after so many events at the latest, at the end of each day, and when the house is closed.
const EVENTS_UNWRITTEN_MAX: u64 = 500_000;
/// Name of the file in the folder.
const FILE: &str = "counts.json";

/// The room's state, and where it is kept.
pub(crate) struct WarningRoom {
    path: PathBuf,
    held: Mutex<Held>,
}

struct Held {
    state: State,
    written: u64,
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
        let state = known.unwrap_or_else(|| State::begun_at(journal.head()));
        let written = state.position;
        Ok(Self { path, held: Mutex::new(Held { state, written }) })
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
            drop(held);
            if events.is_empty() {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
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
        *held = Held { state: State::begun_at(journal.head()), written: 0 };
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
            events.push(event(stream(&own.tag, &own.warning), RAISED, now, own)?);
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
        let (tag, acknowledged) = self.known_warning(reader, id)?;
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
            Fact::new(&stream(&tag, id), ACKNOWLEDGED, json!({ "warning": id, "note": note })).expecting(1);
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
