//! What an entity trades by chapter and origin, beside others who trade the same: price per kilogram, items, value.
//!
//! It is computed when it is asked, from sums of the read model that are exact, so it is never behind them; only means,
//! deviations and medians are in floating point. At most [`GROUPS_SHOWN`] groups of [`TRADE_PEERS_MAX`] others are read.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use spine::declaration_entry;

use super::index::MEMBERS;
use super::model::{EntityRow, TRADE_PEERS_MAX, TRADE_PEERS_MIN, TradeComparison, TradeMeasure};
use crate::identity::Reader;

/// The groups of most items that are compared.
const GROUPS_SHOWN: usize = 6;

/// An entity's own sums in one group.
struct Own {
    chapter: String,
    origin: String,
    currency: String,
    sums: Sums,
    simulated: bool,
}

/// Items, value and net mass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) items: u64,
    pub(super) value: Decimal,
    pub(super) mass: Decimal,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.items = self.items.saturating_add(other.items);
        self.value = self.value.saturating_add(other.value);
        self.mass = self.mass.saturating_add(other.mass);
    }
}

/// The groups in which an entity and its members trade most in the main role, the farthest from the others first. Who
/// may not see values and masses is told nothing.
pub(super) fn compared(
    connection: &Connection,
    reader: &Reader,
    main: &EntityRow,
) -> rusqlite::Result<Vec<TradeComparison>> {
    let schema = declaration_entry::schema();
    let seen = |field: &str| schema.field(field).is_some_and(|field| field.sensitivity <= reader.clearance());
    if !["customs_value", "net_mass", "origin_country", "commodity_code"].into_iter().all(seen) {
        return Ok(Vec::new());
    }
    let mut groups = Vec::new();
    for own in own_groups(connection, main)? {
        groups.push(comparison(&own, &others(connection, main, &own)?));
    }
    let distance = |group: &TradeComparison| {
        let price = group.measures.first();
        price.map_or(-1.0, |price| price.from_median.or(price.from_mean).unwrap_or_default().abs())
    };
    groups.sort_by(|one, other| distance(other).total_cmp(&distance(one)));
    Ok(groups)
}

/// Decimals stand as texts, so members' sums are added here.
fn own_groups(connection: &Connection, main: &EntityRow) -> rusqlite::Result<Vec<Own>> {
    let mut statement = connection.prepare_cached(&format!(
        "{MEMBERS} SELECT chapter, origin, currency, items, value, mass, simulated FROM entity_trade
         WHERE id IN (SELECT id FROM member) AND role = ?2 ORDER BY chapter, origin, currency"
    ))?;
    let mut rows = statement.query(params![main.id, main.role])?;
    let mut groups: Vec<Own> = Vec::new();
    while let Some(row) = rows.next()? {
        let own = Own {
            chapter: row.get(0)?,
            origin: row.get(1)?,
            currency: row.get(2)?,
            sums: Sums { items: row.get(3)?, value: decimal(row.get(4)?), mass: decimal(row.get(5)?) },
            simulated: row.get(6)?,
        };
        let same = |last: &&mut Own| {
            (&last.chapter, &last.origin, &last.currency) == (&own.chapter, &own.origin, &own.currency)
        };
        match groups.last_mut().filter(same) {
            Some(last) => {
                last.sums.add(&own.sums);
                last.simulated |= own.simulated;
            }
            None => groups.push(own),
        }
    }
    groups.sort_by_key(|own| std::cmp::Reverse(own.sums.items));
    groups.truncate(GROUPS_SHOWN);
    Ok(groups)
}

/// Who is one counts once, with the sums of all members, those with too few items to be among the most included.
fn others(connection: &Connection, main: &EntityRow, own: &Own) -> rusqlite::Result<Vec<Sums>> {
    let mut statement = connection.prepare_cached(&format!(
        "{MEMBERS}, most (id) AS (
            SELECT id FROM entity_trade
            WHERE role = ?2 AND chapter = ?3 AND origin = ?4 AND currency = ?5 AND id NOT IN (SELECT id FROM member)
            ORDER BY items DESC, id LIMIT ?6
         ), whole (id) AS (
            SELECT id FROM most UNION
            SELECT other.id FROM most JOIN entity_group AS same ON same.id = most.id
            JOIN entity_group AS other ON other.leader = same.leader
         )
         SELECT coalesce(joined.leader, trade.id), trade.items, trade.value, trade.mass
         FROM whole CROSS JOIN entity_trade AS trade ON trade.id = whole.id
         LEFT JOIN entity_group AS joined ON joined.id = whole.id
         WHERE trade.role = ?2 AND trade.chapter = ?3 AND trade.origin = ?4 AND trade.currency = ?5"
    ))?;
    let mut rows = statement.query(params![
        main.id,
        main.role,
        own.chapter,
        own.origin,
        own.currency,
        TRADE_PEERS_MAX
    ])?;
    let mut others: BTreeMap<String, Sums> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let sums = Sums { items: row.get(1)?, value: decimal(row.get(2)?), mass: decimal(row.get(3)?) };
        others.entry(row.get(0)?).and_modify(|all| all.add(&sums)).or_insert(sums);
    }
    let mut others: Vec<Sums> = others.into_values().collect();
    others.sort_by_key(|sums| std::cmp::Reverse(sums.items));
    Ok(others)
}

fn decimal(text: String) -> Decimal {
    text.parse().unwrap_or_default()
}

fn comparison(own: &Own, others: &[Sums]) -> TradeComparison {
    let peers = u64::try_from(others.len()).unwrap_or(u64::MAX);
    let measures = if peers < TRADE_PEERS_MIN { Vec::new() } else { measures(&own.sums, others) };
    TradeComparison {
        chapter: own.chapter.clone(),
        origin: own.origin.clone(),
        currency: own.currency.clone(),
        items: own.sums.items,
        value: own.sums.value.normalize().to_string(),
        mass: own.sums.mass.normalize().to_string(),
        peers,
        measures,
        simulated: own.simulated,
    }
}

/// Price per kilogram first: by it groups are ordered.
pub(super) fn measures(own: &Sums, others: &[Sums]) -> Vec<TradeMeasure> {
    type Of = fn(&Sums) -> Option<f64>;
    let all: [(&str, Of); 3] = [
        ("price_per_kg", |sums| sums.value.checked_div(sums.mass)?.to_f64()),
        ("items", |sums| sums.items.to_f64()),
        ("value", |sums| sums.value.to_f64()),
    ];
    all.into_iter()
        .filter_map(|(name, of)| measure(name, of(own)?, others.iter().filter_map(of).collect()))
        .collect()
}

fn measure(name: &str, own: f64, mut others: Vec<f64>) -> Option<TradeMeasure> {
    let count = others.len().to_f64().filter(|count| *count > 1.0)?;
    let mean = others.iter().sum::<f64>() / count;
    let squares: f64 = others.iter().map(|other| (other - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0)).sqrt();
    let median = median(&mut others)?;
    others.iter_mut().for_each(|other| *other = (*other - median).abs());
    let median_deviation = self::median(&mut others)?;
    let apart = |from: f64, unit: f64| (unit > 0.0).then(|| (own - from) / unit);
    Some(TradeMeasure {
        measure: name.to_owned(),
        own,
        mean,
        deviation,
        median,
        median_deviation,
        from_mean: apart(mean, deviation),
        from_median: apart(median, median_deviation),
    })
}

/// Of an even number the mean of the two in the middle.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get(values.len().checked_sub(1)? / 2)?;
    Some(lower.midpoint(upper))
}

#[cfg(test)]
mod tests {
    use spine::Silent;

    use super::*;
    use crate::declarations::tests::{World, reader};
    use crate::entities::EntityFile;
    use crate::identity::Role;
    use crate::pool::AdmitRequest;

    /// Seven importers of chapter 64 from VN at 10 to 16 a kilogram, one at 40; three of chapter 85 from CN.
    fn world() -> World {
        let world = World::with_policies(false);
        let mut history = String::from(
            "declaration_id,date,office_id,importer_id,commodity_code,origin_country,net_mass,customs_value,currency\n",
        );
        let mut add = |importer: usize, commodity: &str, origin: &str, mass: &str, value: &str| {
            let number = history.lines().count();
            history.push_str(&format!(
                "H{number:03},2025-01-{:02},10,IMP-{importer},{commodity},{origin},{mass},{value},EUR\n",
                number % 28 + 1
            ));
        };
        for importer in 0..7 {
            add(importer, "640319", "VN", "10", &format!("{}", 100 + 10 * importer));
        }
        add(7, "640399", "VN", "10", "300.5");
        add(7, "640319", "VN", "5", "299.5");
        add(7, "640319", "VN", "0", "9");
        add(7, "640319", "VN", "", "9");
        for importer in 5..8 {
            add(importer, "851713", "CN", "1", "7");
        }
        let file = world.path().join("history.csv");
        std::fs::write(&file, history).unwrap();
        world.house.admit(&Reader::local_operator(), &AdmitRequest::new(&file), &Silent).unwrap();
        let head = world.house.journal_position();
        assert!(world.house.wait_until_shown(head, std::time::Duration::from_secs(60)) >= head);
        world
    }

    fn file(world: &World, id: &str) -> EntityFile {
        world.house.entity(&reader("c-1", Role::Chief), id).unwrap()
    }

    #[test]
    fn trade_is_compared_with_that_of_others_and_few_others_say_nothing() {
        let world = world();
        let [shoes, phones] = file(&world, "IMP-7").trade.try_into().unwrap();
        assert_eq!(
            (shoes.chapter.as_str(), shoes.origin.as_str(), shoes.currency.as_str()),
            ("64", "VN", "EUR")
        );
        assert_eq!(
            (shoes.items, shoes.value.as_str(), shoes.mass.as_str(), shoes.peers),
            (2, "600", "15", 7)
        );
        let names: Vec<&str> = shoes.measures.iter().map(|own| own.measure.as_str()).collect();
        assert_eq!(names, ["price_per_kg", "items", "value"]);
        let price = &shoes.measures[0];
        // Others at 10, 11, ... 16: mean and median 13, squares 28 among six, deviations 0 1 1 2 2 3 3.
        assert_eq!((price.own, price.mean, price.median, price.median_deviation), (40.0, 13.0, 13.0, 2.0));
        assert!((price.deviation - (28.0_f64 / 6.0).sqrt()).abs() < 1e-12, "{price:?}");
        assert_eq!(price.from_median, Some(13.5));
        assert_eq!(shoes.measures[1].from_median, None, "all others have one item");
        assert_eq!((phones.peers, phones.measures.len()), (2, 0), "too few others");
        // One of the others sees the eighth among its own.
        let usual = &file(&world, "IMP-3").trade[0];
        assert_eq!((usual.peers, usual.measures[0].own), (7, 13.0));
    }

    #[test]
    fn who_is_one_is_compared_as_one() {
        let world = world();
        let chief = reader("c-1", Role::Chief);
        world.house.merge_entities(&chief, "IMP-7", "IMP-6", "one office").unwrap();
        let head = world.house.journal_position();
        assert!(world.house.wait_until_shown(head, std::time::Duration::from_secs(60)) >= head);
        let shoes = file(&world, "IMP-6").trade.into_iter().find(|group| group.chapter == "64").unwrap();
        assert_eq!(
            (shoes.items, shoes.value.as_str(), shoes.mass.as_str(), shoes.peers),
            (3, "760", "25", 6)
        );
        assert_eq!(shoes.measures[0].own, 30.4);
        // For the others they are one too: 10, 11, 12, 14, 15 and 30.4.
        let usual = &file(&world, "IMP-3").trade[0];
        assert_eq!((usual.peers, usual.measures[0].median), (6, 13.0));
    }
}
