//! Declarations of the past: rows of batches of the pool, one record a declaration. No lifecycle is made up for them:
//! they have an outcome where one was written down, and no steps.

use std::collections::HashMap;

use ::pool::event::BatchRecord;
use jiff::Timestamp;
use journal::RecordedEvent;
use rusqlite::params;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use spine::noun::Lane;
use spine::{EntryTable, Value};

use super::apply::{Applied, Applier};
use super::failed;
use super::record::Record;
use super::trade::Goods;
use crate::civil_time::{day_begins, moment};
use crate::error::{Error, Kind};

/// Applies `batch.admitted`.
pub(super) fn apply(
    applier: &mut Applier<'_>,
    event: &RecordedEvent,
    payload: &serde_json::Value,
) -> Result<Applied, Error> {
    let record: BatchRecord = Deserialize::deserialize(payload).map_err(|error| {
        Error::new(
            Kind::FolderUnusable,
            "event_unreadable",
            format!("the event at position {} (batch.admitted) cannot be read: {error}", event.position),
            "Run the newer version of tidewaiter that wrote it. Nothing was changed.",
        )
    })?;
    if record.schema.id != spine::declaration_entry::ID {
        return Ok(Applied::Done);
    }
    let Some(table) = applier.pool.table_if_latest(&record.batch, event.position)? else {
        // A later event brings the same batch with newer outcomes: that one counts.
        return Ok(Applied::Done);
    };
    let new = applier
        .transaction
        .execute("INSERT OR IGNORE INTO batch (batch) VALUES (?1)", [&record.batch])
        .map_err(|error| failed(&error))?;
    if new == 0 {
        return Ok(Applied::StartAgain);
    }
    Rows::new(&table, &record.batch, event.position).apply(applier).map_err(|error| failed(&error))?;
    Ok(Applied::Done)
}

/// A batch's rows.
struct Rows<'a> {
    table: &'a EntryTable,
    batch: &'a str,
    position: u64,
}

impl<'a> Rows<'a> {
    fn new(table: &'a EntryTable, batch: &'a str, position: u64) -> Self {
        Self { table, batch, position }
    }

    fn text(&self, row: usize, field: &str) -> Option<&'a str> {
        self.table.texts(field)?.get(row)
    }

    fn number(&self, row: usize, field: &str) -> Option<Decimal> {
        *self.table.decimals(field)?.get(row)?
    }

    fn yes(&self, row: usize, field: &str) -> Option<bool> {
        *self.table.booleans(field)?.get(row)?
    }

    fn moment(&self, row: usize, field: &str) -> Option<Timestamp> {
        match self.table.value(row, field)? {
            Value::DateTime(time) => moment(time),
            Value::Date(day) => day_begins(day),
            _ => None,
        }
    }

    /// Rows of each declaration, in the order in which declarations come up.
    fn by_declaration(&self) -> Vec<(String, Vec<usize>)> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut all: Vec<(String, Vec<usize>)> = Vec::new();
        for row in 0..self.table.len() {
            match self.text(row, "declaration_id") {
                Some(id) => {
                    let place = *places.entry(id).or_insert(all.len());
                    match all.get_mut(place) {
                        Some((_, rows)) => rows.push(row),
                        None => all.push((id.to_owned(), vec![row])),
                    }
                }
                None => all.push((format!("{}-{row}", self.batch), vec![row])),
            }
        }
        all
    }

    fn apply(&self, applier: &mut Applier<'_>) -> rusqlite::Result<()> {
        let transaction = applier.transaction;
        let mut item = transaction
            .prepare_cached("INSERT OR IGNORE INTO item (commodity, mrn, origin) VALUES (?1, ?2, ?3)")?;
        let mut container =
            transaction.prepare_cached("INSERT OR IGNORE INTO container (container, mrn) VALUES (?1, ?2)")?;
        for (id, rows) in self.by_declaration() {
            for row in &rows {
                if let Some(code) = self.text(*row, "commodity_code") {
                    item.execute(params![code, id, self.text(*row, "origin_country")])?;
                }
                if let Some(number) = self.text(*row, "container_id") {
                    container.execute(params![number, id])?;
                }
            }
            // A number that is known already keeps what it has: rows of a mended quarantine only add items.
            if Record::find(transaction, &id)?.is_some() {
                transaction
                    .prepare_cached("UPDATE declaration SET items = items + ?2 WHERE mrn = ?1")?
                    .execute(params![id, rows.len()])?;
                continue;
            }
            let record = self.record(&id, &rows);
            record.save(transaction)?;
            applier.tally.seen_at(&record.office);
            applier.tally.add("declarations", 1);
            if record.simulated {
                applier.tally.add("simulated", 1);
            }
            applier.parties.count(&record);
            applier.trade.count(&record, rows.iter().filter_map(|row| self.goods(*row)));
            let unknown = Record { inspected: None, irregular: None, ..record.clone() };
            applier.follow_outcome(&unknown, &record)?;
        }
        Ok(())
    }

    fn goods(&self, row: usize) -> Option<Goods> {
        let [code, origin, currency] =
            ["commodity_code", "origin_country", "currency"].map(|field| self.text(row, field));
        let [value, mass] = ["customs_value", "net_mass"].map(|field| self.number(row, field));
        Goods::of(code?, origin?, currency?, value?, mass?)
    }

    fn record(&self, id: &str, rows: &[usize]) -> Record {
        let first = rows.first().copied().unwrap_or_default();
        let own = |field: &str| self.text(first, field).map(str::to_owned);
        let any = |field: &str| {
            let known = rows.iter().filter_map(|row| self.yes(*row, field));
            known.reduce(|one, other| one || other)
        };
        let sum = |field: &str| {
            rows.iter().filter_map(|row| self.number(*row, field)).reduce(Decimal::saturating_add)
        };
        let value = sum("customs_value");
        let lodged_at =
            self.moment(first, "accepted_at").or_else(|| self.moment(first, "date")).unwrap_or_default();
        let released_at = self.moment(first, "released_at");
        let inspected = any("inspected").or_else(|| any("irregular").map(|_| true));
        let arm = (self.text(first, "selection_reason") == Some("random")).then(|| "random".to_owned());
        Record {
            mrn: id.to_owned(),
            lrn: String::new(),
            office: own("office_id").unwrap_or_else(|| "unknown".to_owned()),
            declarant: own("declarant_id"),
            importer: own("importer_id"),
            exporter: own("exporter_id"),
            carrier: own("carrier_id"),
            commodity: own("commodity_code"),
            description: own("goods_description"),
            origin: own("origin_country"),
            items: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            value: value.map(|value| value.to_string()),
            value_number: value.and_then(|value| value.to_f64()),
            currency: own("currency"),
            state: released_at.map(|_| clearance::State::Released),
            lane: self.text(first, "lane").and_then(Lane::from_name),
            arm,
            received_at: lodged_at,
            lodged_at,
            released_at,
            result_at: self.moment(first, "inspected_at"),
            inspected,
            irregular: any("irregular").filter(|_| inspected == Some(true)),
            recovered: sum("recovered_revenue").and_then(|value| value.to_f64()),
            batch: Some(self.batch.to_owned()),
            first_row: u64::try_from(first).ok(),
            last_row: rows.last().and_then(|row| u64::try_from(*row).ok()),
            simulated: any("simulated") == Some(true),
            position: self.position,
            ..Record::default()
        }
    }
}
