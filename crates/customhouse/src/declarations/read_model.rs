//! Lists of declarations: search, filter, sort, page, export, and the queue of work.

use std::io::Write;

use clearance::{Case, ControlKind, State};
use jiff::Timestamp;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use selection::Arm;
use spine::Sensitivity;

use super::desk::Parts;
use super::event::stream;
use super::lodging::Waiting;
use super::model::{
    DeclarationRow, DeclarationsPage, DeclarationsQuery, Progress, QueuePage, QueueQuery, QueueTask, Receipt,
};
use super::number::{Numbers, number_of};
use crate::Customhouse;
use crate::civil_time::{civil, day_of_query};
use crate::error::Error;
use crate::identity::{Permission, Reader};
use crate::projection::{COLUMNS, Projection, Record};
use crate::viewings::ViewedWhat;
use crate::viewings::read_model::LookAt;

/// Declarations of one page.
pub(super) const PAGE_ROWS: usize = 50;
/// Counting stops here: nobody reads further.
const COUNT_MAX: u64 = 10_000;
/// Declarations of one export.
const EXPORT_ROWS_MAX: usize = 1_000_000;
/// Declarations that wait for a policy taken up at once.
const WAITING_ROWS_MAX: usize = 256;
/// A node that has numbered nothing for so many years is forgotten: its numbers would begin anew, and be refused.
const YEARS_LOOKED_BACK: i16 = 20;
/// Events of one declaration that is looked through: far more than people do before it is accepted.
const WAITING_EVENTS_MAX: usize = 1_000;
/// Declarations looked through for them.
const WAITING_LOOKED_THROUGH_MAX: usize = 100_000;

/// A condition of a query with its values.
#[derive(Default)]
struct Filter {
    parts: Vec<String>,
    values: Vec<Sql>,
}

impl Filter {
    fn equal(&mut self, column: &str, value: &str) {
        if !value.is_empty() {
            self.parts.push(format!("{column} = ?"));
            self.values.push(Sql::Text(value.to_owned()));
        }
    }

    fn raw(&mut self, condition: &str, values: &[&str]) {
        self.parts.push(condition.to_owned());
        self.values.extend(values.iter().map(|value| Sql::Text((*value).to_owned())));
    }

    fn condition(&self) -> String {
        if self.parts.is_empty() { "true".to_owned() } else { self.parts.join(" AND ") }
    }
}

/// Everything that begins so, as a range of an index.
fn beginning(text: &str) -> (String, String) {
    (text.to_owned(), format!("{text}\u{10FFFF}"))
}

impl Customhouse {
    fn filter(&self, reader: &Reader, query: &DeclarationsQuery) -> Result<Filter, Error> {
        let restricted = reader.clearance() >= Sensitivity::Restricted;
        let mut filter = Filter::default();
        filter.equal("office", query.office.trim());
        filter.equal("lane", query.lane.trim());
        filter.equal("state", query.state.trim());
        if restricted {
            filter.equal("arm", query.arm.trim());
        }
        let party = query.party.trim();
        if !party.is_empty() {
            filter.raw("(importer = ? OR declarant = ? OR exporter = ? OR carrier = ?)", &[party; 4]);
        }
        let origin = query.origin.trim();
        if !origin.is_empty() {
            filter.raw("mrn IN (SELECT mrn FROM item WHERE origin = ?)", &[origin]);
        }
        let commodity = query.commodity.trim();
        if !commodity.is_empty() {
            let (from, to) = beginning(commodity);
            filter.raw("mrn IN (SELECT mrn FROM item WHERE commodity >= ? AND commodity < ?)", &[&from, &to]);
        }
        let tag = query.tag.trim();
        if !tag.is_empty() {
            // A tag above the clearance selects nothing, exactly as one that does not exist.
            let seen = self.tag(reader, tag).is_ok();
            filter.raw(
                if seen { "mrn IN (SELECT mrn FROM tag_on WHERE tag = ?)" } else { "false AND ? = ''" },
                &[tag],
            );
        }
        match query.outcome.trim() {
            "conform" => filter.raw("inspected = 1 AND irregular = 0", &[]),
            "irregular" => filter.raw("inspected = 1 AND irregular = 1", &[]),
            "inspected" => filter.raw("inspected = 1", &[]),
            "unknown" => filter.raw("irregular IS NULL", &[]),
            _ => {}
        }
        match query.source.trim() {
            "live" => filter.raw("batch IS NULL", &[]),
            "history" => filter.raw("batch IS NOT NULL", &[]),
            _ => {}
        }
        for (text, after, condition) in
            [(&query.from, false, "lodged_at >= ?"), (&query.to, true, "lodged_at < ?")]
        {
            if let Some(at) = day_of_query(text, after)? {
                filter.parts.push(condition.to_owned());
                filter.values.push(Sql::Integer(at));
            }
        }
        let q = query.q.trim();
        if !q.is_empty() {
            let (from, to) = beginning(q);
            filter.raw(
                "mrn IN (SELECT mrn FROM declaration WHERE mrn >= ? AND mrn < ?
                 UNION SELECT mrn FROM declaration WHERE lrn >= ? AND lrn < ?
                 UNION SELECT mrn FROM declaration WHERE importer = ?
                 UNION SELECT mrn FROM declaration WHERE declarant = ?
                 UNION SELECT mrn FROM declaration WHERE exporter = ?
                 UNION SELECT mrn FROM container WHERE container = ?
                 UNION SELECT mrn FROM item WHERE commodity >= ? AND commodity < ?)",
                &[&from, &to, &from, &to, q, q, q, q, &from, &to],
            );
        }
        Ok(filter)
    }

    /// A page of declarations.
    pub fn find_declarations(
        &self,
        reader: &Reader,
        query: &DeclarationsQuery,
    ) -> Result<DeclarationsPage, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let filter = self.filter(reader, query)?;
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let order = order(&query.sort);
        let (records, total) = self.projection.read(|connection| {
            let records = select(connection, &filter, order, PAGE_ROWS, skip)?;
            Ok((records, count(connection, &filter)?))
        })?;
        let rows: Vec<DeclarationRow> = records.iter().map(|record| row(record, reader)).collect();
        Ok(DeclarationsPage {
            simulated: rows.iter().any(|row| row.simulated),
            rows,
            total: total.min(COUNT_MAX),
            total_is_at_least: total > COUNT_MAX,
        })
    }

    /// Everything that a query finds, as CSV.
    pub fn export_declarations(
        &self,
        reader: &Reader,
        query: &DeclarationsQuery,
        out: &mut dyn Write,
    ) -> Result<u64, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let filter = self.filter(reader, query)?;
        let records = self
            .projection
            .read(|connection| select(connection, &filter, order(&query.sort), EXPORT_ROWS_MAX, 0))?;
        let found = u64::try_from(records.len()).unwrap_or(u64::MAX);
        self.note_look(reader, ViewedWhat::Export, LookAt::Export(query, found))?;
        let unwritable = |error: std::io::Error| Error::internal("export_unwritable", &error);
        writeln!(
            out,
            "mrn,lrn,office,declarant,importer,exporter,commodity,description,origin,items,value,currency,state,lane,arm,score,lodged_at,released_at,inspected,irregular,batch,simulated"
        )
        .map_err(unwritable)?;
        for record in &records {
            let row = row(record, reader);
            let yes = |yes: Option<bool>| yes.map(|yes| yes.to_string()).unwrap_or_default();
            let cells = [
                row.mrn,
                row.lrn,
                row.office,
                row.declarant.unwrap_or_default(),
                row.importer.unwrap_or_default(),
                row.exporter.unwrap_or_default(),
                row.commodity.unwrap_or_default(),
                row.description.unwrap_or_default(),
                row.origin.unwrap_or_default(),
                row.items.to_string(),
                row.value.unwrap_or_default(),
                row.currency.unwrap_or_default(),
                row.state.map(|state| state.name().to_owned()).unwrap_or_default(),
                row.lane.map(|lane| lane.name().to_owned()).unwrap_or_default(),
                row.arm.map(|arm| arm.name().to_owned()).unwrap_or_default(),
                row.score.map(|score| score.to_string()).unwrap_or_default(),
                row.lodged_at.to_string(),
                row.released_at.map(|at| at.to_string()).unwrap_or_default(),
                yes(row.inspected),
                yes(row.irregular),
                row.batch.unwrap_or_default(),
                row.simulated.to_string(),
            ];
            let line: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
            writeln!(out, "{}", line.join(",")).map_err(unwritable)?;
        }
        Ok(found)
    }

    /// Work that waits, the most urgent first.
    pub fn queue(&self, reader: &Reader, query: &QueueQuery) -> Result<QueuePage, Error> {
        reader.require(Permission::Examine)?;
        let mut filter = Filter::default();
        filter.parts.push("control IS NOT NULL".to_owned());
        filter.equal("office", query.office.trim());
        let kinds_filter = Filter { parts: filter.parts.clone(), values: filter.values.clone() };
        filter.equal("control", query.kind.trim());
        match query.whose.trim() {
            "mine" => filter.equal("officer", &reader.id),
            "free" => filter.raw("officer IS NULL", &[]),
            _ => {}
        }
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let (records, total, kinds) = self.projection.read(|connection| {
            let records = select(connection, &filter, "due_at, mrn", PAGE_ROWS, skip)?;
            let kinds: Vec<(String, u64)> = connection
                .prepare(&format!(
                    "SELECT control, count(*) FROM declaration WHERE {} GROUP BY control",
                    kinds_filter.condition()
                ))?
                .query_map(params_from_iter(&kinds_filter.values), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            Ok((records, count(connection, &filter)?, kinds))
        })?;
        let now = self.now();
        let tasks = records.iter().filter_map(|record| self.task(record, reader, now)).collect();
        let kinds =
            kinds.into_iter().filter_map(|(name, n)| Some((ControlKind::from_name(&name)?, n))).collect();
        Ok(QueuePage { tasks, total, kinds })
    }

    fn task(&self, record: &Record, reader: &Reader, now: Timestamp) -> Option<QueueTask> {
        let due_at = record.due_at?;
        Some(QueueTask {
            row: row(record, reader),
            kind: record.control_kind()?,
            due_at,
            overdue: due_at < now,
            officer_name: record.officer.as_deref().map(|id| self.name_of(id)),
            mine: record.officer.as_deref() == Some(reader.id.as_str()),
            waits_for_trader: record.waits_for_trader,
        })
    }

    /// Name of an account, or the id of whoever has none here.
    pub(crate) fn name_of(&self, id: &str) -> String {
        self.accounts().find(id).map_or_else(|_| id.to_owned(), |account| account.name)
    }

    /// Offices seen so far.
    pub fn offices(&self) -> Result<Vec<String>, Error> {
        self.projection.read(|connection| {
            connection
                .prepare_cached("SELECT office FROM office ORDER BY office")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }
}

fn order(sort: &str) -> &'static str {
    match sort {
        "lodged" => "lodged_at, mrn",
        "value" => "value_number, mrn",
        "-value" => "value_number DESC, mrn DESC",
        "score" => "score, mrn",
        "-score" => "score DESC, mrn DESC",
        "items" => "items, mrn",
        "-items" => "items DESC, mrn DESC",
        "mrn" => "mrn",
        "-mrn" => "mrn DESC",
        _ => "lodged_at DESC, mrn DESC",
    }
}

fn select(
    connection: &Connection,
    filter: &Filter,
    order: &str,
    limit: usize,
    skip: usize,
) -> rusqlite::Result<Vec<Record>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM declaration WHERE {} ORDER BY {order} LIMIT {limit} OFFSET {skip}",
            filter.condition()
        ))?
        .query_map(params_from_iter(&filter.values), Record::read)?
        .collect()
}

/// How many there are; counting stops just above [`COUNT_MAX`] where something narrows the list.
fn count(connection: &Connection, filter: &Filter) -> rusqlite::Result<u64> {
    if filter.parts.is_empty() {
        return connection.query_row(
            "SELECT coalesce((SELECT n FROM total WHERE measure = 'declarations'), 0)",
            [],
            |row| row.get(0),
        );
    }
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM declaration WHERE {} LIMIT {})",
        filter.condition(),
        COUNT_MAX.saturating_add(1)
    );
    connection.prepare_cached(&sql)?.query_row(params_from_iter(&filter.values), |row| row.get(0))
}

/// A cell of a CSV file.
pub(crate) fn csv_cell(text: &str) -> String {
    // A cell that a spreadsheet would take for a formula is written as text.
    let text =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A row as the reader may see it.
pub(crate) fn row(record: &Record, reader: &Reader) -> DeclarationRow {
    let restricted = reader.clearance() >= Sensitivity::Restricted;
    DeclarationRow {
        mrn: record.mrn.clone(),
        lrn: record.lrn.clone(),
        office: record.office.clone(),
        declarant: record.declarant.clone(),
        importer: record.importer.clone(),
        exporter: record.exporter.clone(),
        commodity: record.commodity.clone(),
        description: record.description.clone(),
        origin: record.origin.clone(),
        items: record.items,
        value: record.value.clone(),
        currency: record.currency.clone(),
        state: record.state,
        lane: record.lane,
        arm: record.arm.as_deref().and_then(Arm::from_name).filter(|_| restricted),
        score: record.score.filter(|_| restricted),
        lodged_at: record.lodged_at,
        released_at: record.released_at,
        officer: record.officer.clone(),
        inspected: record.inspected,
        irregular: record.irregular,
        batch: record.batch.clone(),
        simulated: record.simulated,
    }
}

/// The receipt of the last declaration that a party lodged under a reference.
pub(super) fn known_reference(
    projection: &Projection,
    party: &str,
    reference: &str,
) -> Result<Option<Receipt>, Error> {
    let record = projection.read(|connection| {
        connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM declaration WHERE party = ?1 AND lrn = ?2 ORDER BY number DESC LIMIT 1"
            ))?
            .query_row([party, reference], Record::read)
            .optional()
    })?;
    Ok(record.map(|record| receipt(&record)))
}

/// The highest running number that a node has given, as far as declarations of the last years tell.
pub(super) fn last_number(projection: &Projection, numbers: &Numbers, now: Timestamp) -> Result<u64, Error> {
    let this_year = civil(now).year();
    let mut last = 0;
    for back in 0..YEARS_LOOKED_BACK {
        let prefix = numbers.prefix(this_year.saturating_sub(back));
        let mrn: Option<String> = projection.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT mrn FROM declaration WHERE mrn >= ?1 AND mrn < ?1 || '~' ORDER BY mrn DESC LIMIT 1",
                )?
                .query_row([prefix], |row| row.get(0))
                .optional()
        })?;
        last = last.max(mrn.as_deref().and_then(number_of).unwrap_or(0));
    }
    Ok(last)
}

/// The receipt of a declaration, as it stands.
pub(super) fn receipt(record: &Record) -> Receipt {
    let findings = record.findings.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Receipt {
        mrn: record.mrn.clone(),
        functional_reference_id: record.lrn.clone(),
        sha256: record.sha256.clone().unwrap_or_default(),
        lodged_at: record.lodged_at,
        repeated: true,
        progress: record.case.as_ref().map_or(Progress::Received, Progress::of),
        findings: findings.unwrap_or_default(),
        position: record.position,
        schema: record.schema.clone(),
    }
}

/// Declarations that wait to be accepted: lodged while there was no policy, or lodged before their goods, which are here
/// now.
pub(super) fn waiting_for_acceptance(parts: &Parts) -> Result<Vec<Waiting>, Error> {
    let waiting: Vec<String> = parts.projection.read(|connection| {
        connection
            .prepare_cached(
                "SELECT mrn FROM declaration WHERE state IN (?1, ?2) ORDER BY lodged_at, mrn LIMIT ?3",
            )?
            .query_map((State::Lodged.name(), State::Presented.name(), WAITING_LOOKED_THROUGH_MAX), |row| {
                row.get(0)
            })?
            .collect()
    })?;
    let mut found = Vec::new();
    for mrn in waiting {
        if found.len() >= WAITING_ROWS_MAX {
            break;
        }
        let events = parts.journal.read_stream(&stream(&mrn), 0, WAITING_EVENTS_MAX)?;
        found.extend(Waiting::of(&events));
    }
    Ok(found)
}

impl Progress {
    /// Where a case stands, for its trader.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        if case.open_documents.is_some() {
            return Self::DocumentsWanted;
        }
        if case.open_question.is_some() {
            return Self::QuestionAsked;
        }
        let examined = case.control.as_ref().filter(|control| control.result.is_none());
        if case.state == State::UnderControl && examined.is_some_and(|control| !control.trader_may_be_told) {
            return Self::Accepted;
        }
        match case.state {
            State::Lodged | State::Presented => Self::Received,
            State::Received => Self::AwaitingArrival,
            State::Rejected => Self::Rejected,
            State::Accepted | State::ReleasePending => Self::Accepted,
            State::AwaitingDocuments | State::UnderControl | State::Held => Self::UnderExamination,
            State::PaymentPending => Self::PaymentWanted,
            State::Released | State::Cleared => Self::Released,
            State::Exited => Self::Exited,
            State::Detained => Self::Detained,
            State::Cancelled => Self::Cancelled,
        }
    }
}
