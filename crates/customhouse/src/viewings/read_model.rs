//! Looks as auditors and traders see them.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params_from_iter};

use super::model::{
    FILTER_CHARACTERS_MAX, Look, OwnViewing, Purpose, ViewedWhat, ViewingRow, ViewingsPage, ViewingsQuery,
};
use crate::Customhouse;
use crate::civil_time::day_of_query;
use crate::declarations::DeclarationsQuery;
use crate::error::Error;
use crate::identity::{Permission, Reader};
use crate::projection::Record;

/// Looks of one page.
const PAGE_ROWS: usize = 50;
/// Counting stops here.
const COUNT_MAX: u64 = 10_000;
/// Looks at one declaration from which people get their numbers.
const OWN_READ_MAX: usize = 10_000;
/// Looks shown to a trader: the latest.
const OWN_SHOWN_MAX: usize = 100;
/// How long a question about looks waits for those that were taken before it.
const OWN_LOOKS_WAIT: Duration = Duration::from_secs(2);

const COLUMNS: &str = "position, at, reader, role, office, what, mrn, entity, filter, rows, purpose";

impl Customhouse {
    /// Records that a reader looks at something. Before it is shown.
    pub(crate) fn note_look(&self, reader: &Reader, what: ViewedWhat, of: LookAt<'_>) -> Result<(), Error> {
        let mut look = Look {
            what,
            mrn: None,
            entity: None,
            filter: None,
            rows: None,
            role: reader.role.name().to_owned(),
            office: reader.office.clone(),
            purpose: None,
        };
        match of {
            LookAt::Declaration(record) => {
                look.mrn = Some(record.mrn.clone());
                look.purpose = (record.officer.as_ref() == Some(&reader.id)).then_some(Purpose::OwnControl);
            }
            LookAt::Entity(id) => look.entity = Some(id.to_owned()),
            LookAt::Export(query, rows) => {
                look.filter = Some(narrowed_by(query));
                look.rows = Some(rows);
            }
            LookAt::Selection(condition, rows) => {
                look.filter = Some(condition.chars().take(FILTER_CHARACTERS_MAX).collect());
                look.rows = Some(rows);
            }
        }
        self.recorder.note(reader.actor(), self.now(), look)
    }

    /// Waits until looks that were taken so far are recorded and shown, for at most `timeout`. Answers whether they are.
    #[must_use]
    pub fn settle_viewings(&self, timeout: Duration) -> bool {
        let recorded = self.recorder.flush(timeout);
        let head = self.journal.head();
        recorded && self.projection.wait_for(head, timeout) >= head
    }

    /// Looks, the latest first.
    pub fn viewings(&self, reader: &Reader, query: &ViewingsQuery) -> Result<ViewingsPage, Error> {
        reader.require(Permission::ViewViewings)?;
        // An answer that lacks the last second is better than none.
        let _ = self.settle_viewings(OWN_LOOKS_WAIT);
        let (condition, values) = self.condition(query)?;
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let (rows, total) = self.projection.read(|connection| {
            let rows = connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM viewing WHERE {condition} ORDER BY position DESC LIMIT {PAGE_ROWS} OFFSET {skip}"
                ))?
                .query_map(params_from_iter(&values), read)?
                .collect::<Result<Vec<_>, _>>()?;
            let total = connection
                .prepare_cached(&format!(
                    "SELECT count(*) FROM (SELECT 1 FROM viewing WHERE {condition} LIMIT {COUNT_MAX})"
                ))?
                .query_row(params_from_iter(&values), |row| row.get(0))?;
            Ok((rows, total))
        })?;
        let rows = rows
            .into_iter()
            .flatten()
            .map(|row| ViewingRow { reader_name: self.name_of(&row.reader), ..row })
            .collect();
        Ok(ViewingsPage { rows, total })
    }

    fn condition(&self, query: &ViewingsQuery) -> Result<(String, Vec<Sql>), Error> {
        let mut parts = vec!["true"];
        let mut values = Vec::new();
        let who = query.who.trim();
        if !who.is_empty() {
            let id = self.accounts().find(who).map_or_else(|_| who.to_owned(), |account| account.id);
            parts.push("reader = ?");
            values.push(Sql::Text(id));
        }
        if !query.what.trim().is_empty() {
            parts.push("what = ?");
            values.push(Sql::Text(query.what.trim().to_owned()));
        }
        let record = query.record.trim();
        if !record.is_empty() {
            parts.push("(mrn = ? OR entity = ?)");
            values.extend([Sql::Text(record.to_owned()), Sql::Text(record.to_owned())]);
        }
        for (text, after, part) in [(&query.from, false, "at >= ?"), (&query.to, true, "at < ?")] {
            if let Some(at) = day_of_query(text, after)? {
                parts.push(part);
                values.push(Sql::Integer(at));
            }
        }
        Ok((parts.join(" AND "), values))
    }

    /// Looks at a declaration as its own trader sees them, the latest first. While an examination goes on that is not
    /// announced, looks since it was ordered are not told either: `until` is when that was.
    pub(crate) fn own_viewings(&self, mrn: &str, until: Option<Timestamp>) -> Result<Vec<OwnViewing>, Error> {
        let rows = self.projection.read(|connection| of_declaration(connection, mrn))?;
        let mut people: Vec<&str> = Vec::new();
        let mut shown = Vec::new();
        for row in rows.iter().filter(|row| until.is_none_or(|until| row.at < until)) {
            let at = people.iter().position(|own| *own == row.reader).unwrap_or_else(|| {
                people.push(&row.reader);
                people.len().saturating_sub(1)
            });
            shown.push(OwnViewing {
                at: row.at,
                person: u64::try_from(at).unwrap_or(u64::MAX).saturating_add(1),
                role: row.role.clone(),
                office: row.office.clone(),
                what: row.what,
            });
        }
        shown.reverse();
        shown.truncate(OWN_SHOWN_MAX);
        Ok(shown)
    }
}

/// What is looked at.
pub(crate) enum LookAt<'a> {
    /// A declaration.
    Declaration(&'a Record),
    /// An entity's file.
    Entity(&'a str),
    /// So many declarations that a query finds.
    Export(&'a DeclarationsQuery, u64),
    /// So many entities or declarations that a condition on tags selects.
    Selection(&'a str, u64),
}

fn narrowed_by(query: &DeclarationsQuery) -> String {
    let fields = serde_json::to_value(query).unwrap_or_default();
    let narrow = |(name, value): (&String, &serde_json::Value)| {
        let value = value.as_str()?.trim();
        (!value.is_empty()).then(|| format!("{name}={value}"))
    };
    let parts: Vec<String> = fields.as_object().into_iter().flatten().filter_map(narrow).collect();
    parts.join("&").chars().take(FILTER_CHARACTERS_MAX).collect()
}

fn of_declaration(connection: &Connection, mrn: &str) -> rusqlite::Result<Vec<ViewingRow>> {
    let rows: Vec<Option<ViewingRow>> = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM viewing WHERE mrn = ?1 ORDER BY position LIMIT {OWN_READ_MAX}"
        ))?
        .query_map([mrn], read)?
        .collect::<Result<_, _>>()?;
    Ok(rows.into_iter().flatten().collect())
}

/// A look; `None` where it is of a kind that this program does not know.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<ViewingRow>> {
    let what: String = row.get("what")?;
    let Some(what) = ViewedWhat::from_name(&what) else { return Ok(None) };
    let purpose: Option<String> = row.get("purpose")?;
    Ok(Some(ViewingRow {
        position: row.get("position")?,
        at: Timestamp::from_microsecond(row.get("at")?).unwrap_or_default(),
        reader: row.get("reader")?,
        reader_name: String::new(),
        role: row.get("role")?,
        office: row.get("office")?,
        what,
        mrn: row.get("mrn")?,
        entity: row.get("entity")?,
        filter: row.get("filter")?,
        rows: row.get("rows")?,
        purpose: purpose.as_deref().and_then(Purpose::from_name),
    }))
}
