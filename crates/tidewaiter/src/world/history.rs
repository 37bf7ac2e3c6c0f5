//! The country's past: all but its last days become batches of the pool, a quarter each.

use std::collections::BTreeMap;

use country::{DeclaredConsignment, World};
use customhouse::identity::Reader;
use customhouse::pool::AdmitRequest;
use customhouse::{Customhouse, Error, offline};
use jiff::civil::Date;
use spine::{EntryTable, Progress, declaration_entry};

/// The past, cut in two.
pub(super) struct Past {
    /// Year and quarter, and what came in then.
    quarters: BTreeMap<(i16, i8), EntryTable>,
    /// What comes in from the cut on.
    pub(super) recent: Vec<DeclaredConsignment>,
}

fn quarter(day: Date) -> (i16, i8) {
    let month = day.month().saturating_sub(1);
    (day.year(), month.div_euclid(3).saturating_add(1))
}

impl Past {
    /// Makes the country's history.
    pub(super) fn of(world: &World, cut: Date, total: u64, progress: &dyn Progress) -> Result<Self, Error> {
        let mut past = Self { quarters: BTreeMap::new(), recent: Vec::new() };
        for (done, consignment) in (0_u64..).zip(world.declarations()) {
            if done.is_multiple_of(500) {
                progress.report("making_the_country", done, total);
                if progress.cancelled() {
                    return Err(Error::cancelled());
                }
            }
            let day = consignment.accepted_at.date();
            if day >= cut {
                past.recent.push(consignment);
                continue;
            }
            let table = past
                .quarters
                .entry(quarter(day))
                .or_insert_with(|| EntryTable::empty(declaration_entry::schema()));
            for item in consignment.items {
                // Values are of the schema's types: a test of the country pushes every field.
                let _ = table.push(item.into_values());
            }
        }
        Ok(past)
    }

    /// Admits the quarters into the pool; they are kept there, and nowhere else.
    pub(super) fn admit(
        &mut self,
        house: &Customhouse,
        reader: &Reader,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        for ((year, quarter), table) in std::mem::take(&mut self.quarters) {
            let name = format!("declarations-{year}-q{quarter}.parquet");
            let file = house.folder().path().join("uploads").join(&name);
            offline::write_parquet(&file, &table, progress)?;
            let admitted = house.admit(reader, &AdmitRequest::new(&file), progress);
            // What cannot be removed now is swept at the next start.
            let _ = std::fs::remove_file(&file);
            admitted?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_has_four_quarters() {
        for (day, expected) in [
            ("2026-01-01", (2026, 1)),
            ("2026-03-31", (2026, 1)),
            ("2026-04-01", (2026, 2)),
            ("2026-12-31", (2026, 4)),
        ] {
            assert_eq!(quarter(day.parse().unwrap()), expected, "{day}");
        }
    }
}
