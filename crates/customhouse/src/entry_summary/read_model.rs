//! What is told of entry summary declarations: lists from the read model, one from its stream.

use std::io::Read;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, Row, named_params};
use spine::Finding;

use super::commands::is_of;
use super::model::{
    EntryState, EntrySummariesPage, EntrySummariesQuery, EntrySummaryFile, EntrySummaryMessage,
    EntrySummaryRecord, Exchanged, InterventionRecord, Received, State,
};
use crate::Customhouse;
use crate::civil_time::{day_begins, day_of_query};
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Rows of one page of a list.
const PAGE_ROWS: usize = 50;
/// Rows of one answer of the API.
const ANSWER_ROWS: usize = 200;
/// Counting stops here.
const COUNT_MAX: u64 = 10_000;
/// Findings of one message that are told.
const FINDINGS_MAX: usize = 500;

const COLUMNS: &str = "mrn, lrn, person, representative, carrier, office, arrival, mode, items, state, came_at, \
    registered_at, amendments, intervention_at, intervention_code, intervention_text";

/// What narrows a list; whoever is named may see those that it lodged or acts for, everybody else all of them.
const CONDITION: &str = "(:own IS NULL OR person = :own OR representative = :own)
    AND (:q = '' OR (mrn >= :q AND mrn < :to) OR (lrn >= :q AND lrn < :to)
         OR mrn IN (SELECT mrn FROM entry_summary_party WHERE party = :q))
    AND (:state = '' OR state = :state)
    AND (:from IS NULL OR came_at >= :from) AND (:until IS NULL OR came_at < :until)";

/// What is not there, and what is somebody else's.
pub(super) fn unknown(mrn: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "entry_summary_unknown",
        format!("there is no entry summary declaration {mrn}"),
        "Check the number (MRN).",
    )
}

impl Customhouse {
    /// One that was accepted. A trader sees its own; the rest is as unknown as what does not exist.
    pub fn entry_summary(&self, reader: &Reader, mrn: &str) -> Result<EntrySummaryRecord, Error> {
        let record = record_of(&self.seen_state(reader, mrn)?, mrn);
        record.filter(|record| record.registered_at.is_some()).ok_or_else(|| unknown(mrn))
    }

    /// Those that were accepted on a day of the house's calendar, the latest first: 200 on each page, from 1.
    pub fn entry_summaries(
        &self,
        reader: &Reader,
        day: Date,
        page: usize,
    ) -> Result<Vec<EntrySummaryRecord>, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let bound = |day: Date| day_begins(day).map(Timestamp::as_microsecond);
        let (from, until) = (bound(day), day.tomorrow().ok().and_then(bound));
        let skip = page.saturating_sub(1).saturating_mul(ANSWER_ROWS);
        self.projection.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM entry_summary WHERE registered_at >= ?1 AND (?2 IS NULL OR registered_at < ?2)
                     ORDER BY registered_at DESC, mrn LIMIT {ANSWER_ROWS} OFFSET {skip}"
                ))?
                .query_map([from, until], read)?
                .collect()
        })
    }

    /// A page of those that a query finds, for officials: accepted, rejected, stopped; the latest first unless it says
    /// otherwise.
    ///
    /// # Errors
    /// `day_unreadable`.
    pub fn find_entry_summaries(
        &self,
        reader: &Reader,
        query: &EntrySummariesQuery,
    ) -> Result<EntrySummariesPage, Error> {
        reader.require(Permission::ViewDeclarations)?;
        self.entry_summaries_page(None, query)
    }

    /// The same of those that a trader's party lodged or acts for.
    ///
    /// # Errors
    /// `day_unreadable`.
    pub fn own_entry_summaries(
        &self,
        reader: &Reader,
        query: &EntrySummariesQuery,
    ) -> Result<EntrySummariesPage, Error> {
        reader.require(Permission::ViewOwn)?;
        match &reader.party {
            Some(party) => self.entry_summaries_page(Some(party), query),
            None => Ok(EntrySummariesPage::default()),
        }
    }

    fn entry_summaries_page(
        &self,
        own: Option<&str>,
        query: &EntrySummariesQuery,
    ) -> Result<EntrySummariesPage, Error> {
        let q = query.q.trim();
        let to = format!("{q}\u{10FFFF}");
        let (from, until) = (day_of_query(&query.day, false)?, day_of_query(&query.day, true)?);
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let narrowed = named_params! {
            ":own": own, ":q": q, ":to": to, ":state": query.state.trim(), ":from": from, ":until": until,
        };
        let (rows, total) = self.projection.read(|connection| {
            let rows = connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM entry_summary WHERE {CONDITION} ORDER BY {} LIMIT {PAGE_ROWS} OFFSET {skip}",
                    order(&query.sort)
                ))?
                .query_map(narrowed, read)?
                .collect::<Result<Vec<_>, _>>()?;
            Ok((rows, counted(connection, narrowed)?))
        })?;
        Ok(EntrySummariesPage { rows, total })
    }

    /// One with its messages in and out; also one that was rejected. For a trader its own.
    pub fn entry_summary_file(&self, reader: &Reader, mrn: &str) -> Result<EntrySummaryFile, Error> {
        let state = self.seen_state(reader, mrn)?;
        let record = record_of(&state, mrn).ok_or_else(|| unknown(mrn))?;
        let messages = state.exchanged.iter().zip(1_u32..);
        let messages = messages.map(|(given, number)| match given {
            Exchanged::In(received, at) => EntrySummaryMessage {
                number,
                at: *at,
                incoming: true,
                message_type: message_type(received).to_owned(),
                message_id: received.summary.message_id.clone(),
                findings: findings(received),
            },
            Exchanged::Out(given) => EntrySummaryMessage {
                number,
                at: given.at,
                incoming: false,
                message_type: given.outcome.message_type().to_owned(),
                message_id: Some(State::message_id(given)),
                findings: Vec::new(),
            },
        });
        Ok(EntrySummaryFile { messages: messages.collect(), record })
    }

    /// The bytes of one of its messages: those that came as they came, the answers as they were given.
    pub fn entry_summary_message(
        &self,
        reader: &Reader,
        mrn: &str,
        number: u32,
    ) -> Result<(String, Vec<u8>), Error> {
        let state = self.seen_state(reader, mrn)?;
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let exchanged = at.and_then(|at| state.exchanged.get(at)).ok_or_else(|| unknown(mrn))?;
        match exchanged {
            Exchanged::In(received, _) => {
                let mut bytes = Vec::new();
                self.journal
                    .get_blob(&received.sha256)?
                    .read_to_end(&mut bytes)
                    .map_err(|error| Error::internal("message_unreadable", &error))?;
                Ok((message_type(received).to_owned(), bytes))
            }
            Exchanged::Out(given) => {
                let answer = state.answer(given, mrn, self.folder().administration(), true);
                Ok((answer.message_type.to_owned(), answer.xml))
            }
        }
    }

    /// What is recorded of a number, if the reader may see it.
    fn seen_state(&self, reader: &Reader, mrn: &str) -> Result<State, Error> {
        let all = reader.may(Permission::ViewDeclarations);
        if !all {
            reader.require(Permission::Lodge)?;
        }
        let state = self.entry_state(mrn)?;
        let own = |party: &str| state.received.as_ref().is_some_and(|sent| is_of(&sent.summary, party));
        if all || reader.party.as_deref().is_some_and(own) { Ok(state) } else { Err(unknown(mrn)) }
    }
}

fn message_type(received: &Received) -> &'static str {
    if received.summary.amends { "CC313A" } else { "CC315A" }
}

fn findings(received: &Received) -> Vec<Finding> {
    let told = received.errors.iter().take(FINDINGS_MAX);
    let told = told
        .map(|error| Finding::error(&error.reason).at(error.pointer.clone()).found(&error.original_value));
    told.collect()
}

fn counted(connection: &Connection, narrowed: &[(&str, &dyn rusqlite::ToSql)]) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(&format!(
            "SELECT count(*) FROM (SELECT 1 FROM entry_summary WHERE {CONDITION} LIMIT {COUNT_MAX})"
        ))?
        .query_row(narrowed, |row| row.get(0))
}

fn order(sort: &str) -> &'static str {
    match sort {
        "mrn" => "mrn",
        "-mrn" => "mrn DESC",
        "lrn" => "lrn, mrn",
        "-lrn" => "lrn DESC, mrn",
        "office" => "office, came_at DESC, mrn",
        "-office" => "office DESC, came_at DESC, mrn",
        "arrival" => "arrival, mrn",
        "-arrival" => "arrival DESC, mrn",
        "items" => "items, mrn",
        "-items" => "items DESC, mrn",
        "state" => "state, came_at DESC, mrn",
        "-state" => "state DESC, came_at DESC, mrn",
        "came" => "came_at, mrn",
        _ => "came_at DESC, mrn",
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<EntrySummaryRecord> {
    let at = |name: &str| -> rusqlite::Result<Option<Timestamp>> {
        let at: Option<i64> = row.get(name)?;
        Ok(at.and_then(|at| Timestamp::from_microsecond(at).ok()))
    };
    let state: String = row.get("state")?;
    let intervention = match at("intervention_at")? {
        Some(at) => {
            let (code, text) = (row.get("intervention_code")?, row.get("intervention_text")?);
            Some(InterventionRecord { at, code, text })
        }
        None => None,
    };
    Ok(EntrySummaryRecord {
        mrn: row.get("mrn")?,
        lrn: row.get("lrn")?,
        lodging_person: row.get("person")?,
        representative: row.get("representative")?,
        carrier: row.get("carrier")?,
        first_entry_office: row.get("office")?,
        expected_arrival: row.get("arrival")?,
        transport_mode: row.get("mode")?,
        items: row.get("items")?,
        state: EntryState::from_name(&state).unwrap_or(EntryState::Rejected),
        came_at: at("came_at")?.unwrap_or_default(),
        registered_at: at("registered_at")?,
        amendments: row.get("amendments")?,
        intervention,
    })
}

fn record_of(state: &State, mrn: &str) -> Option<EntrySummaryRecord> {
    let summary = &state.received.as_ref()?.summary;
    let stands = match (&state.intervention, state.registered_at) {
        (Some(_), _) => EntryState::Stopped,
        (None, Some(_)) => EntryState::Accepted,
        (None, None) => EntryState::Rejected,
    };
    Some(EntrySummaryRecord {
        mrn: mrn.to_owned(),
        lrn: summary.lrn.clone(),
        lodging_person: summary.lodging_person.clone(),
        representative: summary.representative.clone(),
        carrier: summary.carrier.clone(),
        first_entry_office: summary.first_entry_office.clone(),
        expected_arrival: summary.expected_arrival.clone(),
        transport_mode: summary.transport_mode.clone(),
        items: summary.items,
        state: stands,
        came_at: state.came_at?,
        registered_at: state.registered_at,
        amendments: state.amendments,
        intervention: state.intervention.clone(),
    })
}
