//! What parties trade: items, value and net mass by part played, chapter, origin and currency. Exact, for prices are
//! compared by it; gathered in memory, written once a transaction.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction, params};
use rust_decimal::Decimal;
use spine::declaration::Declaration;

use super::record::Record;

/// An item whose price per kilogram is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Goods {
    chapter: String,
    origin: String,
    currency: String,
    value: Decimal,
    /// Kilograms, above 0.
    mass: Decimal,
}

impl Goods {
    /// None where there is no chapter, or the mass is not above 0 and so there is no price.
    pub(super) fn of(
        commodity: &str,
        origin: &str,
        currency: &str,
        value: Decimal,
        mass: Decimal,
    ) -> Option<Self> {
        let chapter = commodity.get(..2)?.to_owned();
        let priced = mass > Decimal::ZERO && value >= Decimal::ZERO;
        let (origin, currency) = (origin.to_owned(), currency.to_owned());
        priced.then_some(Self { chapter, origin, currency, value, mass })
    }
}

/// The items of a declaration whose prices are known.
pub(super) fn goods_of(declaration: &Declaration) -> impl Iterator<Item = Goods> {
    declaration.items().iter().filter_map(|item| {
        let origin = item.origin.first()?.country_code.as_deref()?;
        let mass = item.commodity.goods_measure.net_net_weight_measure?;
        let value = item.value()?;
        Goods::of(&item.commodity.code()?, origin, value.currency.code(), value.amount, mass)
    })
}

/// Id, role, chapter, origin, currency.
type Key = (String, &'static str, String, String, String);

#[derive(Debug, Default)]
struct Sums {
    items: i64,
    value: Decimal,
    mass: Decimal,
    simulated: bool,
}

/// Sums on their way into the table.
#[derive(Debug, Default)]
pub(super) struct Trade(BTreeMap<Key, Sums>);

impl Trade {
    /// Counts a declaration's goods for its parties.
    pub(super) fn count(&mut self, record: &Record, goods: impl Iterator<Item = Goods>) {
        for own in goods {
            for (role, id) in record.parties() {
                let Goods { chapter, origin, currency, .. } = own.clone();
                let sums = self.0.entry((id.to_owned(), role, chapter, origin, currency)).or_default();
                sums.items = sums.items.saturating_add(1);
                sums.value = sums.value.saturating_add(own.value);
                sums.mass = sums.mass.saturating_add(own.mass);
                sums.simulated |= record.simulated;
            }
        }
    }

    /// Writes all of it. Decimals stand as texts, so they are added here and not in the table.
    pub(super) fn write(self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut known = transaction.prepare_cached(
            "SELECT items, value, mass, simulated FROM entity_trade
             WHERE id = ?1 AND role = ?2 AND chapter = ?3 AND origin = ?4 AND currency = ?5",
        )?;
        let mut save = transaction.prepare_cached(
            "INSERT OR REPLACE INTO entity_trade (id, role, chapter, origin, currency, items, value, mass, simulated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        for ((id, role, chapter, origin, currency), own) in self.0 {
            let before = known
                .query_row(params![id, role, chapter, origin, currency], |row| {
                    let decimal =
                        |at: usize| row.get::<_, String>(at).map(|text| text.parse().unwrap_or_default());
                    Ok(Sums {
                        items: row.get(0)?,
                        value: decimal(1)?,
                        mass: decimal(2)?,
                        simulated: row.get(3)?,
                    })
                })
                .optional()?
                .unwrap_or_default();
            let items = before.items.saturating_add(own.items);
            let value = before.value.saturating_add(own.value).to_string();
            let mass = before.mass.saturating_add(own.mass).to_string();
            let simulated = before.simulated || own.simulated;
            save.execute(params![id, role, chapter, origin, currency, items, value, mass, simulated])?;
        }
        Ok(())
    }
}
