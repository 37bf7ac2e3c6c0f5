//! Small made-up records with known truth.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::date;
use learning::statistics::random;
use learning::{Audit, AuditOptions, TagColumn, audit};
use rust_decimal::Decimal;
use spine::{EntryTable, LocalizedText, Sensitivity, Silent, Value, declaration_entry};

/// One declared item.
#[derive(Debug, Clone, Default)]
pub(crate) struct Item(pub(crate) BTreeMap<&'static str, Value>);

impl Item {
    pub(crate) fn text(mut self, field: &'static str, value: impl ToString) -> Self {
        self.0.insert(field, Value::Text(value.to_string()));
        self
    }

    pub(crate) fn number(mut self, field: &'static str, value: f64) -> Self {
        self.0.insert(field, Value::Decimal(Decimal::try_from(value).unwrap().round_dp(4)));
        self
    }

    pub(crate) fn yes(mut self, field: &'static str, value: bool) -> Self {
        self.0.insert(field, Value::Boolean(value));
        self
    }

    /// A day counted from the beginning of 2025.
    pub(crate) fn on_day(mut self, day: u64) -> Self {
        let span = jiff::Span::new().days(i64::try_from(day).unwrap());
        self.0.insert("date", Value::Date(date(2025, 1, 1).checked_add(span).unwrap()));
        self
    }
}

pub(crate) fn table(items: impl IntoIterator<Item = Item>) -> EntryTable {
    let schema = declaration_entry::schema();
    let mut table = EntryTable::empty(Arc::clone(&schema));
    for mut item in items {
        let values = schema.fields.iter().map(|field| item.0.remove(field.name.as_str())).collect();
        table.push(values).unwrap();
    }
    table
}

/// Random draws of one world.
pub(crate) struct Dice {
    pub(crate) seed: u64,
    next: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    pub(crate) fn share(&mut self) -> f64 {
        self.next += 1;
        random::uniform(self.seed, 99, self.next)
    }

    pub(crate) fn yes(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A number below `sides`, small ones more often: parties and goods are never equally frequent.
    pub(crate) fn skewed(&mut self, sides: f64) -> u64 {
        let share = self.share();
        (share * share * sides).floor() as u64
    }
}

/// An ordinary item: who, what, where, when; nothing about outcomes.
pub(crate) fn ordinary(dice: &mut Dice, number: u64, days: u64) -> Item {
    let office = dice.skewed(6.0);
    let origin = ["CN", "DE", "US", "VN", "TR", "IN"][usize::try_from(dice.skewed(6.0)).unwrap()];
    Item::default()
        .text("declaration_id", format!("D{number}"))
        .on_day((dice.share() * days as f64) as u64)
        .text("office_id", format!("O{office}"))
        .text("importer_id", format!("I{}", dice.skewed(150.0)))
        .text("declarant_id", format!("B{}", dice.skewed(40.0)))
        .text("exporter_id", format!("X{}", dice.skewed(200.0)))
        .text("officer_id", format!("F{office}{}", dice.skewed(4.0)))
        .text("commodity_code", format!("{:06}", 100_000 + 7_919 * dice.skewed(90.0)))
        .text("origin_country", origin)
        .number("tax_rate", [0.0, 5.0, 8.0, 13.0][usize::try_from(dice.skewed(4.0)).unwrap()])
        .number("net_mass", 1.0 + dice.share() * 1_000.0)
        .number("customs_value", 10.0 + dice.share() * 50_000.0)
}

/// Tags that fall on rows at random.
pub(crate) fn random_tags(dice: &mut Dice, rows: usize, tags: usize) -> Vec<TagColumn> {
    (0..tags)
        .map(|tag| TagColumn {
            id: format!("tag_{tag}"),
            title: LocalizedText::en_zh("Tag", "标签"),
            family: "family".to_owned(),
            severity: "medium".to_owned(),
            sensitivity: Sensitivity::Official,
            rows: (0..u32::try_from(rows).unwrap()).filter(|_| dice.yes(0.02 + 0.02 * tag as f64)).collect(),
            unknown: 0,
        })
        .collect()
}

pub(crate) fn run(table: &EntryTable, tags: &[TagColumn]) -> Audit {
    audit(table, tags, &AuditOptions::default(), &Silent).unwrap()
}

/// Codes of the statements that claim a pattern.
pub(crate) fn claims(audit: &Audit) -> Vec<String> {
    audit
        .statements
        .iter()
        .filter(|statement| statement.kind == learning::document::StatementKind::Pattern)
        .map(|statement| format!("{} {}", statement.code, statement.place))
        .collect()
}
