//! Whoever is one counts as one in windows, from when that is known; a split brings back what was.

use std::sync::Arc;

use proptest::prelude::*;
use spine::noun::SubjectKind;
use spine::{Value, declaration_entry};
use tags::OnlineTags;
use tags::entities::{Groups, groups};

use crate::built_in::shipped;
use crate::laws::entries;
use crate::little_country::{Entry, LittleCountry};
use crate::online::{by_declaration, check_declaration, in_order};
use crate::support::table_of;

const IDS: [&str; 10] = ["I1", "I2", "I3", "S1", "S2", "S3", "B1", "B2", "C1", "C2"];
const ENTERPRISES: [&str; 4] = ["importer_id", "exporter_id", "declarant_id", "carrier_id"];

/// Entries as if everybody had declared under the first id of its group.
fn as_one(entries: &[Entry], groups: &Groups) -> Vec<Entry> {
    let schema = declaration_entry::schema();
    let places = ENTERPRISES.map(|field| schema.position(field).unwrap());
    let mut entries = entries.to_vec();
    for entry in &mut entries {
        for place in places {
            if let Some(Value::Text(id)) = &entry[place] {
                entry[place] = Some(Value::Text(groups.leader(id).to_owned()));
            }
        }
    }
    entries
}

/// Nobody buys from itself: a condition that compares both sees the ids that were declared, whoever is one.
fn traded(mut entries: Vec<Entry>) -> Vec<Entry> {
    let schema = declaration_entry::schema();
    let (importer, exporter) =
        (schema.position("importer_id").unwrap(), schema.position("exporter_id").unwrap());
    for entry in entries.iter_mut().filter(|entry| entry[exporter] == Some(Value::Text("I1".to_owned()))) {
        entry[exporter] = None;
        entry[importer] = Some(Value::Text("S1".to_owned()));
    }
    entries
}

/// Tells everybody's group.
fn know(online: &mut OnlineTags, groups: &Groups, ids: &[String]) {
    ids.iter().for_each(|id| online.know_group(&groups.members(id)));
}

/// Merges of ids of one kind.
fn merges() -> impl Strategy<Value = Vec<(usize, usize)>> {
    proptest::collection::vec((0..IDS.len(), 0..IDS.len()), 0..4)
        .prop_map(|all| all.into_iter().filter(|(one, other)| IDS[*one][..1] == IDS[*other][..1]).collect())
}

fn groups_of(merges: &[(usize, usize)]) -> Groups {
    groups(merges.iter().map(|(one, other)| (IDS[*one], IDS[*other])))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_count_whoever_is_one_as_one(
        entries in entries(), merges in merges(), known in 0..40_usize, size in 1..4_usize,
    ) {
        let set = Arc::new(shipped().0);
        let ids = IDS.map(str::to_owned);
        let groups = groups_of(&merges);
        let declarations = by_declaration(&in_order(traded(entries)));
        let known = known.min(declarations.len());
        let mut online = OnlineTags::new(Arc::clone(&set));
        know(&mut online, &groups, &ids);
        let mut before = declarations[..known].concat();
        online.absorb(&table_of(before.clone())).unwrap();
        for together in declarations[known..].chunks(size) {
            let hits = online.apply(&table_of(together.concat())).unwrap();
            let mut start = 0;
            for new in together {
                let (then, now) = (as_one(&before, &groups), as_one(new, &groups));
                check_declaration(&set, &then, &now, &hits, start, &|_| true);
                start += new.len();
                before.extend(new.iter().cloned());
            }
        }
    }

    #[test]
    fn merges_and_splits_count_from_then_on_over_all_that_was_declared(
        entries in entries(), steps in proptest::collection::vec(merges(), 8), known in 0..20_usize,
    ) {
        let set = Arc::new(shipped().0);
        let ids = IDS.map(str::to_owned);
        let declarations = by_declaration(&traded(entries));
        let known = known.min(declarations.len());
        let mut online = OnlineTags::new(Arc::clone(&set));
        let mut before = declarations[..known].concat();
        online.absorb(&table_of(before.clone())).unwrap();
        for (at, new) in declarations[known..].iter().enumerate() {
            let groups = groups_of(&steps[at * steps.len() / (declarations.len() - known)]);
            know(&mut online, &groups, &ids);
            let hits = online.apply(&table_of(new.clone())).unwrap();
            let (then, now) = (as_one(&before, &groups), as_one(new, &groups));
            // What was raised on an enterprise is not revised by who is one now.
            let revised = |on| matches!(on, SubjectKind::Item | SubjectKind::Declaration);
            check_declaration(&set, &then, &now, &hits, 0, &revised);
            before.extend(new.iter().cloned());
        }
    }
}

#[test]
fn a_country_in_which_some_are_one_is_told_the_same_after_years_of_letting_go() {
    let set = Arc::new(shipped().0);
    let mut country = LittleCountry::new(11, 6, 12);
    let id = |number: u64| format!("I{number}");
    let groups = groups([(id(0).as_str(), id(3).as_str()), (id(3).as_str(), id(7).as_str())]);
    let mut online = OnlineTags::new(Arc::clone(&set));
    online.know_group(&groups.members(&id(0)));
    let declarations: Vec<Vec<Entry>> = (0..5_000).map(|_| country.declaration()).collect();
    let (history, new) = declarations.split_at(4_700);
    let mut before = history.concat();
    online.absorb(&table_of(before.clone())).unwrap();
    for (at, new) in new.iter().enumerate() {
        let hits = online.apply(&table_of(new.clone())).unwrap();
        if at % 30 == 0 {
            check_declaration(&set, &as_one(&before, &groups), &as_one(new, &groups), &hits, 0, &|_| true);
        }
        before.extend(new.iter().cloned());
    }
}
