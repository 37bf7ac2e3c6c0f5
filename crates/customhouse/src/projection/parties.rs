//! What parties have to do with declarations, tags and each other: gathered in memory, written once a transaction, so
//! that a party of a thousand declarations is written once and not a thousand times.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::record::Record;

/// A party's id.
type Id = String;
/// Declarant, importer, exporter, carrier.
type Role = &'static str;

/// What one party did in one role.
#[derive(Debug, Default)]
struct Deeds {
    declarations: i64,
    value: f64,
    currency: Option<String>,
    first_at: i64,
    last_at: i64,
    inspected: i64,
    irregular: i64,
    simulated: bool,
}

impl Deeds {
    fn add(&mut self, record: &Record) {
        let at = record.lodged_at.as_microsecond();
        if self.declarations == 0 {
            (self.first_at, self.last_at) = (at, at);
            self.currency.clone_from(&record.currency);
        } else if self.currency != record.currency {
            self.currency = Some("mixed".to_owned());
        }
        self.declarations = self.declarations.saturating_add(1);
        self.value += record.value_number.unwrap_or(0.0);
        (self.first_at, self.last_at) = (self.first_at.min(at), self.last_at.max(at));
        self.simulated |= record.simulated;
    }
}

/// Declarations, and those of them with a known outcome.
#[derive(Debug, Default)]
struct Counts {
    declarations: i64,
    inspected: i64,
    irregular: i64,
}

/// How often a tag was on a party's declarations, and when.
#[derive(Debug)]
struct Worn {
    n: i64,
    first_at: i64,
    last_at: i64,
}

/// Counts of parties on their way into the tables.
#[derive(Debug, Default)]
pub(super) struct Parties {
    deeds: BTreeMap<(Id, Role), Deeds>,
    months: BTreeMap<(Id, String), Counts>,
    chapters: BTreeMap<(Id, Role, String), i64>,
    relations: BTreeMap<(Id, Id, Role), Counts>,
    tags: BTreeMap<(Id, String), Worn>,
}

impl Parties {
    /// Counts a declaration for its parties and their relations.
    pub(super) fn count(&mut self, record: &Record) {
        let month = month_of(record.lodged_at);
        let chapter = record.commodity.as_deref().and_then(|code| code.get(..2));
        let parties = record.parties();
        for id in different(&parties) {
            more(&mut self.months.entry((id.to_owned(), month.clone())).or_default().declarations, 1);
        }
        for (role, id) in &parties {
            self.deeds.entry(((*id).to_owned(), role)).or_default().add(record);
            if let Some(chapter) = chapter {
                let place = self.chapters.entry(((*id).to_owned(), role, chapter.to_owned()));
                more(place.or_default(), 1);
            }
        }
        for related in relations(&parties) {
            more(&mut self.relations.entry(related).or_default().declarations, 1);
        }
    }

    /// Counts an outcome that has become known, or is unknown again.
    pub(super) fn count_outcome(&mut self, record: &Record, inspected: i64, irregular: i64) {
        let month = month_of(record.lodged_at);
        let parties = record.parties();
        for id in different(&parties) {
            let counts = self.months.entry((id.to_owned(), month.clone())).or_default();
            more(&mut counts.inspected, inspected);
            more(&mut counts.irregular, irregular);
        }
        for (role, id) in &parties {
            let deeds = self.deeds.entry(((*id).to_owned(), role)).or_default();
            more(&mut deeds.inspected, inspected);
            more(&mut deeds.irregular, irregular);
        }
        for related in relations(&parties) {
            more(&mut self.relations.entry(related).or_default().irregular, irregular);
        }
    }

    /// Counts a tag that is on a declaration of these parties.
    pub(super) fn wear(&mut self, parties: &[Id], tag: &str, at: Timestamp) {
        let at = at.as_microsecond();
        for party in parties {
            let new = || Worn { n: 0, first_at: at, last_at: at };
            let worn = self.tags.entry((party.clone(), tag.to_owned())).or_insert_with(new);
            more(&mut worn.n, 1);
            (worn.first_at, worn.last_at) = (worn.first_at.min(at), worn.last_at.max(at));
        }
    }

    /// Writes all of it.
    pub(super) fn write(self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        write_deeds(transaction, self.deeds)?;
        let mut month = transaction.prepare_cached(
            "INSERT INTO entity_month (id, month, declarations, inspected, irregular) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET declarations = declarations + ?3, inspected = inspected + ?4,
                 irregular = irregular + ?5",
        )?;
        for ((id, own), counts) in self.months {
            month.execute(params![id, own, counts.declarations, counts.inspected, counts.irregular])?;
        }
        let mut chapter = transaction.prepare_cached(
            "INSERT INTO entity_chapter (id, role, chapter, n) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET n = n + ?4",
        )?;
        for ((id, role, own), n) in self.chapters {
            chapter.execute(params![id, role, own, n])?;
        }
        let mut relation = transaction.prepare_cached(
            "INSERT INTO relation (id, other, other_role, n, irregular) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET n = n + ?4, irregular = irregular + ?5",
        )?;
        for ((id, other, role), counts) in self.relations {
            relation.execute(params![id, other, role, counts.declarations, counts.irregular])?;
        }
        let mut tag = transaction.prepare_cached(
            "INSERT INTO entity_tag (id, tag, n, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET n = n + ?3, first_at = min(first_at, ?4), last_at = max(last_at, ?5)",
        )?;
        for ((id, own), worn) in self.tags {
            tag.execute(params![id, own, worn.n, worn.first_at, worn.last_at])?;
        }
        Ok(())
    }
}

fn write_deeds(transaction: &Transaction<'_>, deeds: BTreeMap<(Id, Role), Deeds>) -> rusqlite::Result<()> {
    let mut lodged = transaction.prepare_cached(
        "INSERT INTO entity (id, role, declarations, value, currency, first_at, last_at, inspected, irregular, simulated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT DO UPDATE SET declarations = declarations + ?3, value = value + ?4,
             currency = CASE WHEN currency IS ?5 THEN currency ELSE 'mixed' END,
             first_at = min(first_at, ?6), last_at = max(last_at, ?7),
             inspected = inspected + ?8, irregular = irregular + ?9, simulated = max(simulated, ?10)",
    )?;
    // Of a party that lodged nothing meanwhile there is only news of outcomes.
    let mut known = transaction.prepare_cached(
        "UPDATE entity SET inspected = inspected + ?3, irregular = irregular + ?4 WHERE id = ?1 AND role = ?2",
    )?;
    for ((id, role), own) in deeds {
        if own.declarations == 0 {
            known.execute(params![id, role, own.inspected, own.irregular])?;
            continue;
        }
        lodged.execute(params![
            id,
            role,
            own.declarations,
            own.value,
            own.currency,
            own.first_at,
            own.last_at,
            own.inspected,
            own.irregular,
            own.simulated
        ])?;
    }
    Ok(())
}

fn more(count: &mut i64, by: i64) {
    *count = count.saturating_add(by);
}

/// Ids of parties, each once, whatever the number of its roles.
fn different<'a>(parties: &[(Role, &'a str)]) -> BTreeSet<&'a str> {
    parties.iter().map(|(_, id)| *id).collect()
}

/// Who has to do with whom, and in what role.
fn relations(parties: &[(Role, &str)]) -> impl Iterator<Item = (Id, Id, Role)> {
    parties.iter().flat_map(move |(role, id)| {
        let others = parties.iter().filter(move |(other_role, other)| other_role != role && other != id);
        others.map(move |(other_role, other)| ((*id).to_owned(), (*other).to_owned(), *other_role))
    })
}

fn month_of(at: Timestamp) -> String {
    at.strftime("%Y-%m").to_string()
}
