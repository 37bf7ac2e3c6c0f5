//! What streams answer as entries come equals a plain recomputation from everything that came before.

use proptest::prelude::*;
use rules::Lists;
use spine::{EntryTable, declaration_entry};

use super::kin::Kin;
use super::reading::{Steps, Wanted, declarations};
use super::stream::{Tell, streams};
use crate::plain;
use crate::set::NamedAggregate;
use crate::window_laws::{HUGE, Row, aggregate, rows, table};

/// Rows of each declaration, in the order in which declarations first appear.
fn by_declaration(rows: &[Row]) -> Vec<Vec<Row>> {
    declarations(&table(rows)).iter().map(|own| own.iter().map(|row| rows[*row]).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn streams_equal_plain_recomputation_over_the_prefix(
        rows in rows(),
        aggregate in aggregate(),
        wide in proptest::option::weighted(0.2, 0..60_usize),
        batch in 1..5_usize,
    ) {
        let mut rows = rows;
        if let Some(row) = wide.and_then(|at| rows.get_mut(at)) {
            row.5 = Some(HUGE);
        }
        let schema = declaration_entry::schema();
        let condition = aggregate.condition.as_ref().map(|source| {
            rules::compile_entry_rule(&rules::parse(source).unwrap(), &schema, &Lists::default()).unwrap()
        });
        let own = NamedAggregate { name: "own".to_owned(), aggregate: aggregate.clone(), condition: condition.clone() };
        let mut wanted = Wanted::default();
        let mut streams = streams(std::iter::once((0, &own)), |_| false, &mut wanted);
        let mut before: Vec<Row> = Vec::new();
        for arrived in by_declaration(&rows).chunks(batch) {
            let new: Vec<Row> = arrived.concat();
            let new_table = table(&new);
            let reading = wanted.read(&new_table, &Kin::default());
            let own = declarations(&new_table);
            let steps = Steps::by_arrival(&own, &reading);
            let answers = streams[0].take_in(&reading, &steps, Tell::All, &Kin::default());
            for declaration in &own {
                let start = before.len();
                before.extend(declaration.iter().map(|row| new[*row]));
                let prefix: EntryTable = table(&before);
                for (at, row) in declaration.iter().enumerate() {
                    let plain = plain::value(&prefix, &aggregate, condition.as_ref(), start + at);
                    prop_assert_eq!(answers[0].1[*row], plain.value, "row {} of {:?}", start + at, aggregate);
                }
            }
        }
    }
}
