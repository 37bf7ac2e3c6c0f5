//! Pages of the journal, and one event with what it says.
//!
//! The journal is read by position. Asking for a kind, or for all streams that begin so, looks back over a bounded
//! number of events and says how far it came; the streams of one declaration, policy or pack are read whole.

use std::collections::BTreeSet;

use jiff::Timestamp;
use journal::{JournalError, Payload, RecordedEvent};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::{Envelope, Sensitivity};

use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::warnings::WATCH_KINDS;

/// Events of one page.
const PAGE_EVENTS: usize = 50;
/// Events read at once.
const EVENTS_AT_ONCE: usize = 1_000;
/// Events read at once while looking back: where few fit, and where all do.
const EVENTS_AT_ONCE_NARROWED: u64 = 1_000;
const EVENTS_AT_ONCE_OF_ALL: u64 = 50;
/// Events looked at for one page at most.
const EVENTS_LOOKED_AT_MAX: u64 = 20_000;
/// Events of one stream that are read at most.
const STREAM_EVENTS_MAX: usize = 20_000;

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct JournalQuery {
    /// A stream; one that ends with `/` stands for all streams that begin so; empty: all.
    pub stream: String,
    /// Kind of event, or its beginning.
    pub kind: String,
    /// Only events before this position; 0: from the latest on.
    pub before: u64,
}

/// A page of the journal, the latest event first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JournalPage {
    /// Events.
    pub events: Vec<EventRow>,
    /// Position of the last event of the journal.
    pub head: u64,
    /// Where to go on backwards; `None`: the beginning is reached.
    pub before: Option<u64>,
}

/// One event in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventRow {
    /// Position.
    pub position: u64,
    /// What the event says about itself.
    pub envelope: Envelope,
    /// Name of the account that acted, where it is one here.
    pub actor_name: Option<String>,
    /// Was its payload erased?
    pub erased: bool,
}

/// One event with what it says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventShown {
    /// The line of the list.
    pub row: EventRow,
    /// What it says, as far as the reader may see it; `None`: erased.
    pub payload: Option<Value>,
    /// When and on what ground it was erased.
    pub erased: Option<(Timestamp, String)>,
    /// May the reader see everything, so that the commitment can be held against it?
    pub whole: bool,
    /// Position of the event that caused it.
    pub caused_by: Option<u64>,
}

/// What a reader may not see: tags and packs above the clearance, by everything that names them.
struct Withheld(BTreeSet<String>);

impl Withheld {
    fn names(&self, text: &str) -> bool {
        self.0.iter().any(|own| text.contains(own.as_str()))
    }

    /// Is the event about nothing but what is withheld?
    fn hides(&self, event: &RecordedEvent) -> bool {
        self.names(&event.envelope.stream)
            || ((event.envelope.kind.starts_with("pack.") || event.envelope.kind.starts_with(WATCH_KINDS))
                && event.payload.value().is_some_and(|payload| self.names(&payload.to_string())))
    }

    /// The value without what is withheld: whole elements of lists go, so that nobody counts them.
    fn pruned(&self, value: &Value) -> Option<Value> {
        match value {
            Value::String(text) => (!self.names(text)).then(|| value.clone()),
            Value::Array(parts) => {
                let named = |part: &&Value| match part {
                    Value::Object(fields) => {
                        !fields.values().any(|field| field.as_str().is_some_and(|text| self.names(text)))
                    }
                    Value::Array(inner) => {
                        !inner.iter().any(|field| field.as_str().is_some_and(|text| self.names(text)))
                    }
                    _ => true,
                };
                Some(parts.iter().filter(named).filter_map(|part| self.pruned(part)).collect())
            }
            Value::Object(fields) => {
                let seen = fields.iter().filter(|(name, _)| !self.names(name));
                Some(seen.filter_map(|(name, field)| Some((name.clone(), self.pruned(field)?))).collect())
            }
            _ => Some(value.clone()),
        }
    }
}

impl Customhouse {
    /// A page of the journal, the latest event first.
    pub fn journal_page(&self, reader: &Reader, query: &JournalQuery) -> Result<JournalPage, Error> {
        reader.require(Permission::ViewJournal)?;
        let withheld = self.withheld(reader);
        let head = self.journal.head();
        let end =
            if query.before == 0 { head.saturating_add(1) } else { query.before.min(head.saturating_add(1)) };
        let one_stream = !query.stream.is_empty() && !query.stream.ends_with('/');
        let (found, before) =
            if one_stream { self.of_stream(query, end)? } else { self.looking_back(query, end)? };
        let events =
            found.into_iter().filter(|event| !withheld.hides(event)).map(|event| self.row(&event)).collect();
        Ok(JournalPage { events, head, before })
    }

    /// Events of one stream before a position, the latest first.
    fn of_stream(&self, query: &JournalQuery, end: u64) -> Result<(Vec<RecordedEvent>, Option<u64>), Error> {
        let mut events: Vec<RecordedEvent> = Vec::new();
        let (mut version, mut read) = (0, 0);
        while read < STREAM_EVENTS_MAX {
            let more = self.journal.read_stream(&query.stream, version, EVENTS_AT_ONCE)?;
            let Some(last) = more.last() else { break };
            version = last.envelope.stream_version;
            read = read.saturating_add(more.len());
            events.extend(more.into_iter().filter(|event| event.position < end && kind_fits(query, event)));
            // Only the latest are shown; older ones need not be kept.
            let surplus = events.len().saturating_sub(PAGE_EVENTS.saturating_add(1));
            events.drain(..surplus);
        }
        events.reverse();
        let more = events.len() > PAGE_EVENTS;
        events.truncate(PAGE_EVENTS);
        let before = events.last().filter(|_| more).map(|event| event.position);
        Ok((events, before))
    }

    /// Events before a position that fit, the latest first, and how far back was looked.
    fn looking_back(
        &self,
        query: &JournalQuery,
        end: u64,
    ) -> Result<(Vec<RecordedEvent>, Option<u64>), Error> {
        let narrowed = !query.stream.is_empty() || !query.kind.is_empty();
        let step = if narrowed { EVENTS_AT_ONCE_NARROWED } else { EVENTS_AT_ONCE_OF_ALL };
        let stop = end.saturating_sub(EVENTS_LOOKED_AT_MAX);
        let mut found = Vec::new();
        let mut upper = end;
        while upper > 1 && upper > stop {
            let lower = upper.saturating_sub(step).max(1);
            let events = self.events_between(lower, upper)?;
            for event in events.into_iter().rev() {
                if event.envelope.stream.starts_with(&query.stream) && kind_fits(query, &event) {
                    let position = event.position;
                    found.push(event);
                    if found.len() == PAGE_EVENTS {
                        return Ok((found, (position > 1).then_some(position)));
                    }
                }
            }
            upper = lower;
        }
        Ok((found, (upper > 1).then_some(upper)))
    }

    /// Events from one position up to, and without, another.
    fn events_between(&self, lower: u64, upper: u64) -> Result<Vec<RecordedEvent>, Error> {
        let mut events: Vec<RecordedEvent> = Vec::new();
        loop {
            let last = events.last().map_or(lower.saturating_sub(1), |event| event.position);
            let left = usize::try_from(upper.saturating_sub(1).saturating_sub(last)).unwrap_or(0);
            if left == 0 {
                return Ok(events);
            }
            let more = self.journal.feed(last, left)?;
            if more.is_empty() {
                return Ok(events);
            }
            events.extend(more);
        }
    }

    /// One event with what it says, as far as the reader may see it.
    pub fn journal_event(&self, reader: &Reader, position: u64) -> Result<EventShown, Error> {
        reader.require(Permission::ViewJournal)?;
        let unknown = || {
            Error::new(
                Kind::NotFound,
                "event_unknown",
                format!("there is no event at position {position}"),
                "Look at the journal, the latest event first.",
            )
        };
        let event = match self.journal.event(position) {
            Err(JournalError::NoSuchPosition { .. }) => return Err(unknown()),
            read => read?,
        };
        let withheld = self.withheld(reader);
        if withheld.hides(&event) {
            return Err(unknown());
        }
        let caused_by = match &event.envelope.causation {
            Some(cause) => self.of_same_stream(&event, cause)?,
            None => None,
        };
        let erased = match &event.payload {
            Payload::Present(_) => None,
            Payload::Erased { erased_at, basis } => Some((*erased_at, basis.clone())),
        };
        let mut payload = event.payload.value().and_then(|payload| withheld.pruned(payload));
        if let Some(payload) = payload.as_mut().filter(|_| reader.clearance() < Sensitivity::Sealed) {
            self.hide_warnings(reader, &event.envelope.kind, payload);
        }
        // Warnings and tags of the past may be withheld where nothing is that is in use.
        let whole = withheld.0.is_empty() && payload.as_ref() == event.payload.value();
        Ok(EventShown { row: self.row(&event), payload, erased, whole, caused_by })
    }

    /// Position of a cause that stands in the same stream.
    fn of_same_stream(&self, event: &RecordedEvent, cause: &str) -> Result<Option<u64>, Error> {
        let events = self.journal.read_stream(&event.envelope.stream, 0, EVENTS_AT_ONCE)?;
        Ok(events.iter().find(|other| other.envelope.id == cause).map(|other| other.position))
    }

    fn row(&self, event: &RecordedEvent) -> EventRow {
        EventRow {
            position: event.position,
            envelope: event.envelope.clone(),
            // An actor that is no account here is shown by its id.
            actor_name: self.accounts.find(&event.envelope.actor.id).ok().map(|account| account.name),
            erased: event.payload.value().is_none(),
        }
    }

    fn withheld(&self, reader: &Reader) -> Withheld {
        let clearance = reader.clearance();
        let mut names = BTreeSet::new();
        for definition in self.compiled_tags().set.definitions() {
            if definition.sensitivity > clearance {
                names.insert(definition.id.clone());
            }
        }
        for entry in self.registry().list() {
            if entry.manifest().sensitivity > clearance {
                names.extend([entry.manifest().id.clone(), entry.hash().to_owned()]);
            }
        }
        names.extend(self.combinations_above(reader));
        Withheld(names)
    }
}

fn kind_fits(query: &JournalQuery, event: &RecordedEvent) -> bool {
    event.envelope.kind.starts_with(&query.kind)
}
