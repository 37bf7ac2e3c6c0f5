//! Looking through the whole journal once for what holds a subject's data.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use clearance::State;
use formats::csv::{CsvOptions, CsvSource};
use formats::intake::RowSource;
use journal::{Journal, RecordedEvent};
use serde_json::Value;
use spine::Finding;

use super::model::is_personal;
use super::subject::Matcher;
use crate::declarations::event::{LODGED, SELECTION_MADE, STREAM_PREFIX, state_of_kind};
use crate::entities::{REGISTER_ANNOUNCED, REGISTER_RECEIVED};
use crate::error::Error;

/// Events read at once.
const EVENTS_AT_ONCE: usize = 1_000;
/// Longest report of an audit that is looked into.
const REPORT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Longest register that is looked into.
const REGISTER_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Events to be destroyed: position and id.
    pub(super) events: BTreeMap<u64, String>,
    /// Blobs that these name, and no event that stays.
    pub(super) blobs: BTreeSet<String>,
    /// Blobs that events name which stay.
    pub(super) staying: HashSet<String>,
    /// Declarations among them that are still under way.
    pub(super) under_way: BTreeSet<String>,
}

/// A walk through the journal.
pub(super) struct Scan<'a> {
    journal: &'a dyn Journal,
    matcher: &'a Matcher<'a>,
    /// Batches whose rows are rewritten: older words on them are destroyed too.
    batches: &'a BTreeSet<String>,
    /// The subject's declarations, and how each stands.
    declarations: BTreeMap<String, State>,
    found: Found,
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        journal: &'a dyn Journal,
        matcher: &'a Matcher<'a>,
        batches: &'a BTreeSet<String>,
    ) -> Self {
        Self { journal, matcher, batches, declarations: BTreeMap::new(), found: Found::default() }
    }

    /// Looks through everything up to a position.
    pub(super) fn run(mut self, head: u64) -> Result<Found, Error> {
        let mut position = 0;
        while position < head {
            let events = self.journal.feed(position, EVENTS_AT_ONCE)?;
            let Some(last) = events.last() else { break };
            position = last.position;
            for event in events.iter().take_while(|event| event.position <= head) {
                self.take(event)?;
            }
        }
        let staying = &self.found.staying;
        self.found.blobs.retain(|sha256| !staying.contains(sha256));
        let closed = |state: &State| state.is_final() || *state == State::Rejected;
        let open = self.declarations.iter().filter(|(_, state)| !closed(state));
        self.found.under_way = open.map(|(mrn, _)| mrn.clone()).collect();
        Ok(self.found)
    }

    fn take(&mut self, event: &RecordedEvent) -> Result<(), Error> {
        let envelope = &event.envelope;
        let mrn = envelope.stream.strip_prefix(STREAM_PREFIX);
        if let (Some(mrn), Some(state)) = (mrn, state_of_kind(&envelope.kind))
            && let Some(own) = self.declarations.get_mut(mrn)
        {
            *own = state;
        }
        // What was erased before is nothing to be found.
        let Some(payload) = event.payload.value() else { return Ok(()) };
        let own = match mrn {
            Some(mrn) => self.of_declaration(mrn, &envelope.kind, payload),
            None => is_personal(&envelope.kind) && self.speaks_of(event, payload)?,
        };
        let mut blobs = BTreeSet::new();
        named_blobs(&envelope.kind, payload, &mut blobs);
        if own {
            self.found.events.insert(event.position, envelope.id.clone());
            self.found.blobs.extend(blobs);
        } else {
            self.found.staying.extend(blobs);
        }
        Ok(())
    }

    fn of_declaration(&mut self, mrn: &str, kind: &str, payload: &Value) -> bool {
        if kind == LODGED {
            let own =
                if self.matcher.is_party() { self.matcher.in_value(payload) } else { self.matcher.is(mrn) };
            if own {
                self.declarations.insert(mrn.to_owned(), State::Lodged);
            }
        }
        kind != SELECTION_MADE && is_personal(kind) && self.declarations.contains_key(mrn)
    }

    fn speaks_of(&self, event: &RecordedEvent, payload: &Value) -> Result<bool, Error> {
        let kind = event.envelope.kind.as_str();
        if kind.starts_with("batch.") {
            let batch = payload.get("batch").and_then(Value::as_str).unwrap_or_default();
            // Only what another event takes the place of may go: a batch must not be lost.
            return Ok(self.batches.contains(batch));
        }
        if !self.matcher.is_party() {
            return Ok(false);
        }
        if kind == "audit.completed" {
            let Some(id) = payload.get("id").and_then(Value::as_str) else { return Ok(false) };
            let Ok(blob) = self.journal.get_blob(id) else { return Ok(false) };
            let bytes = blob.read_whole(REPORT_BYTES_MAX)?;
            let report: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            return Ok(self.matcher.in_value(&report));
        }
        if [REGISTER_ANNOUNCED, REGISTER_RECEIVED].contains(&kind) {
            return self.in_register(payload);
        }
        Ok(self.matcher.in_value(payload))
    }

    /// Does a register's file name the party? The whole file goes: it is to be sent again without it.
    fn in_register(&self, payload: &Value) -> Result<bool, Error> {
        let Some(sha256) = payload.get("blob").and_then(Value::as_str) else { return Ok(false) };
        let Ok(blob) = self.journal.get_blob(sha256) else { return Ok(false) };
        let bytes = blob.read_whole(REGISTER_BYTES_MAX)?;
        // Of what cannot be read to its end nobody can say that it does not name the party.
        Ok(self.in_table(&bytes).unwrap_or(true))
    }

    /// Does any cell of a table name the party? It is read as registers are: in whatever encoding it was written.
    fn in_table(&self, bytes: &[u8]) -> Result<bool, Finding> {
        let named = |cell: &String| self.matcher.in_text(cell.trim());
        let mut source = CsvSource::open(bytes, CsvOptions::default())?;
        if source.headers().iter().any(named) {
            return Ok(true);
        }
        let mut cells = Vec::new();
        while let Some(line) = source.next_row(&mut cells)? {
            // Of a line that is too long, the end was not read.
            let is_cut = source.row_finding(line, &cells).is_some_and(|own| own.code == "line_too_long");
            if is_cut || cells.iter().any(named) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Blobs that an event names: evidence and original bytes, a source that is kept, the report of an audit.
pub(super) fn named_blobs(kind: &str, payload: &Value, blobs: &mut BTreeSet<String>) {
    match kind {
        "audit.completed" => {
            blobs.extend(payload.get("id").and_then(Value::as_str).map(str::to_owned));
        }
        "batch.admitted" | "batch.refused" => {
            let kept = |source: &Value| source.get("kept").and_then(Value::as_bool) == Some(true);
            if let Some(source) = payload.get("source").filter(|source| kept(source)) {
                blobs.extend(source.get("sha256").and_then(Value::as_str).map(str::to_owned));
            }
        }
        _ => named_in(payload, blobs),
    }
}

fn named_in(value: &Value, blobs: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(sha256) if name == "blob" => {
                        blobs.insert(sha256.to_owned());
                    }
                    _ => named_in(field, blobs),
                }
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| named_in(part, blobs)),
        _ => {}
    }
}
