//! Tags as entries come: what the batch evaluation would say of each declaration as it arrived.

use std::sync::Arc;

use proptest::prelude::*;
use spine::noun::SubjectKind;
use spine::{EntrySchema, EntryTable, Silent, Value, declaration_entry};
use tags::{ApplyError, OnlineHit, OnlineHits, OnlineTags, RaisedBy, TagHits, TagSet};

use crate::built_in::shipped;
use crate::laws::entries;
use crate::little_country::{Entry, LittleCountry};
use crate::support::{entry, family, pack, table, table_of, tag_set};

/// The entries of each declaration together, in the order in which declarations first appear.
pub(crate) fn by_declaration(entries: &[Entry]) -> Vec<Vec<Entry>> {
    let mut declarations: Vec<Vec<Entry>> = Vec::new();
    for entry in entries {
        let same = |own: &&mut Vec<Entry>| entry[0].is_some() && own[0][0] == entry[0];
        match declarations.iter_mut().find(same) {
            Some(own) => own.push(entry.clone()),
            None => declarations.push(vec![entry.clone()]),
        }
    }
    declarations
}

/// The same entries in order of days, no declaration over two days.
pub(crate) fn in_order(mut entries: Vec<Entry>) -> Vec<Entry> {
    let date = declaration_entry::schema().position("date").unwrap();
    let day = |entry: &Entry| entry[date].as_ref().map(Value::to_string);
    entries.sort_by_key(day);
    for entry in &mut entries {
        entry[0] = entry[0].as_ref().map(|own| Value::Text(format!("{own} {:?}", day(entry))));
    }
    entries
}

/// Tags that a row carries, with whether it raised them itself.
fn told(carried: &[OnlineHit]) -> Vec<(usize, bool)> {
    carried.iter().map(|hit| (hit.tag_index, hit.raised_by == RaisedBy::Itself)).collect()
}

fn told_by_batch(hits: &TagHits, row: usize) -> Vec<(usize, bool)> {
    let row = u32::try_from(row).unwrap();
    let carried = hits.hits.iter().filter(|hit| hit.rows.contains(row));
    carried.map(|hit| (hit.tag_index, hit.raised.contains(row))).collect()
}

/// Checks the rows of `new` (from row `start` of `hits` on), which came after `before`.
pub(crate) fn check_declaration(
    set: &TagSet,
    before: &[Entry],
    new: &[Entry],
    hits: &OnlineHits,
    start: usize,
    tags: &dyn Fn(SubjectKind) -> bool,
) {
    let prefix = table_of(before.iter().chain(new).cloned());
    let batch = set.apply(&prefix, &Silent).unwrap();
    let wanted = |told: Vec<(usize, bool)>| -> Vec<(String, bool)> {
        let of = told.into_iter().map(|(tag, raised)| (&set.definitions()[tag], raised));
        of.filter(|(tag, _)| tags(tag.on)).map(|(tag, raised)| (tag.id.clone(), raised)).collect()
    };
    for row in 0..new.len() {
        let online = wanted(told(hits.carried(start + row)));
        assert_eq!(online, wanted(told_by_batch(&batch, before.len() + row)), "row {row} of {new:?}");
    }
}

/// Feeds declarations in calls of `size` and checks every `nth` of them.
fn check_stream(
    set: &Arc<TagSet>,
    online: &mut OnlineTags,
    before: &mut Vec<Entry>,
    declarations: &[Vec<Entry>],
    (size, nth): (usize, usize),
    tags: &dyn Fn(SubjectKind) -> bool,
) {
    let mut at = 0;
    for together in declarations.chunks(size) {
        let hits = online.apply(&table_of(together.concat())).unwrap();
        let mut start = 0;
        for new in together {
            at += 1;
            if at % nth == 0 {
                check_declaration(set, before, new, &hits, start, tags);
            }
            start += new.len();
            before.extend(new.iter().cloned());
        }
        assert_eq!(hits.rows(), start);
        assert_eq!(online.entries(), u64::try_from(before.len()).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_declaration_carries_what_the_batch_says_of_it_on_arrival(
        entries in entries(), size in 1..6_usize, known in 0..40_usize,
    ) {
        let set = Arc::new(shipped().0);
        let declarations = by_declaration(&in_order(entries));
        let known = known.min(declarations.len());
        let mut online = OnlineTags::new(Arc::clone(&set));
        let mut before = declarations[..known].concat();
        online.absorb(&table_of(before.clone())).unwrap();
        check_stream(&set, &mut online, &mut before, &declarations[known..], (size, 1), &|_| true);
    }

    #[test]
    fn what_comes_late_is_told_and_counted_in_its_place(
        entries in entries(), size in 1..6_usize, known in 0..40_usize,
    ) {
        let set = Arc::new(shipped().0);
        let declarations = by_declaration(&entries);
        let known = known.min(declarations.len());
        let mut online = OnlineTags::new(Arc::clone(&set));
        let mut before = declarations[..known].concat();
        online.absorb(&table_of(before.clone())).unwrap();
        // What once was raised on an enterprise or a route is not revised by what comes late.
        let revised = |on| matches!(on, SubjectKind::Item | SubjectKind::Declaration);
        check_stream(&set, &mut online, &mut before, &declarations[known..], (size, 1), &revised);
    }

    #[test]
    fn what_cannot_be_told_is_counted(entries in entries()) {
        let set = Arc::new(shipped().0);
        let declarations = by_declaration(&in_order(entries));
        let (last, known) = declarations.split_last().unwrap();
        let mut online = OnlineTags::new(Arc::clone(&set));
        online.absorb(&table_of(known.concat())).unwrap();
        let hits = online.apply(&table_of(last.clone())).unwrap();
        let table = table_of(declarations.concat());
        let row = table.len() - 1;
        let unknown = set.definitions().iter().filter(|tag| set.why(&table, &tag.id, row).unwrap().unknown);
        prop_assert_eq!(hits.unknown(last.len() - 1), u64::try_from(unknown.count()).unwrap());
    }
}

/// The shipped tags and these, each with its head and condition.
fn shipped_and(tags: &[(&str, &str, &str)]) -> Arc<TagSet> {
    edited_to(None, tags)
}

/// The same, where there were others before.
fn edited_to(before: Option<&TagSet>, tags: &[(&str, &str, &str)]) -> Arc<TagSet> {
    let own = pack(&[("family.toml", &family(tags))]);
    let (_, packs) = shipped();
    let packs: Vec<&packs::Pack> = packs.iter().map(AsRef::as_ref).chain([&own]).collect();
    let schema = declaration_entry::schema();
    let (set, findings) = match before {
        None => TagSet::from_packs(&packs, &schema),
        Some(before) => {
            let lists = packs.iter().flat_map(|pack| pack.lists()).collect();
            before.edited(&packs, &schema, &rules::Lists(lists))
        }
    };
    assert!(findings.is_empty(), "{findings:#?}");
    Arc::new(set)
}

#[test]
fn other_tags_that_need_nothing_else_of_the_past_are_taken_up_at_once() {
    let mut country = LittleCountry::new(3, 4, 25);
    let history = table_of((0..600).flat_map(|_| country.declaration()));
    let new = table_of((0..40).flat_map(|_| country.declaration()));
    let before = shipped_and(&[("first", "", "customs_value > 100"), ("second", "", "net_mass > 1")]);
    let after = shipped_and(&[
        ("first", "", "customs_value > 100 && price_to_peers < 1.5"),
        ("third", "on = \"declaration\"", "gross_mass > 10"),
    ]);
    let mut adopting = OnlineTags::new(before);
    adopting.absorb(&history).unwrap();
    assert!(adopting.adopt(Arc::clone(&after)));
    let mut reading_again = OnlineTags::new(Arc::clone(&after));
    reading_again.absorb(&history).unwrap();
    let (told, expected) = (adopting.apply(&new).unwrap(), reading_again.apply(&new).unwrap());
    for row in 0..new.len() {
        assert_eq!(told.carried(row), expected.carried(row), "row {row}");
        assert_eq!(told.unknown(row), expected.unknown(row), "row {row}");
    }
    let first = after.position("first").unwrap();
    assert!((0..new.len()).any(|row| told.carried(row).iter().any(|hit| hit.tag_index == first)));
    assert_eq!(adopting.entries(), reading_again.entries());

    let of_past = "on = \"enterprise\"\nvalid_days = 30";
    let window = "aggregate.own = { measure = \"count\", by = [\"carrier_id\"], days = 12 }";
    for (head, when) in [(of_past, "net_mass > 1"), (window, "own > 3")] {
        let more = shipped_and(&[("first", head, when)]);
        assert!(!adopting.adopt(more), "{when} needs what is not held");
    }
    assert_eq!(adopting.apply(&new).unwrap().carried(0), reading_again.apply(&new).unwrap().carried(0));
}

#[test]
fn a_country_is_told_the_same_after_years_of_letting_go() {
    let set = Arc::new(shipped().0);
    let mut country = LittleCountry::new(7, 2, 25);
    let mut online = OnlineTags::new(Arc::clone(&set));
    let mut before: Vec<Entry> = Vec::new();
    let mut declarations = |number: usize| (0..number).map(|_| country.declaration()).collect::<Vec<_>>();
    // Eight hundred days, in three tables of which the second comes last; then as entries come.
    let history = declarations(1_600);
    let tables: Vec<Vec<Entry>> = history.chunks(600).map(<[_]>::concat).collect();
    for at in [0, 2, 1] {
        online.absorb(&table_of(tables[at].clone())).unwrap();
    }
    before.extend(tables.concat());
    for (number, size, nth) in [(60, 32, 20), (10, 1, 5), (200, 64, 100)] {
        check_stream(&set, &mut online, &mut before, &declarations(number), (size, nth), &|_| true);
    }
}

#[test]
fn memory_is_bounded_by_the_longest_window() {
    let head = |name: &str, what: &str| format!("aggregate.{name} = {{ {what} }}");
    let tags = [
        ("count", head("seen", "measure = \"count\", by = [\"importer_id\", \"customs_value\"], days = 60")),
        (
            "median",
            head("median", "measure = \"median\", of = \"customs_value\", by = [\"office_id\"], days = 90"),
        ),
        (
            "distinct",
            head(
                "sellers",
                "measure = \"distinct\", of = \"exporter_id\", by = [\"importer_id\"], days = 90",
            ),
        ),
        ("mean", head("mean", "measure = \"mean\", of = \"net_mass\", by = [\"importer_id\"], days = 30")),
        ("first", head("first", "measure = \"days_since_first\", by = [\"importer_id\"]")),
        (
            "lasts",
            format!(
                "on = \"enterprise\"\nvalid_days = 30\n{}",
                head("all", "measure = \"count\", by = [\"importer_id\"]")
            ),
        ),
    ];
    let when = ["seen > 3", "median > 9000", "sellers > 2", "mean > 500", "first > 100", "all > 20"];
    let tags: Vec<(&str, &str, &str)> =
        tags.iter().zip(when).map(|((id, head), when)| (*id, head.as_str(), when)).collect();
    let mut online = OnlineTags::new(Arc::new(tag_set(&family(&tags))));
    let mut country = LittleCountry::new(3, 20, 40);
    let mut held = Vec::new();
    for _ in 0..6 {
        for _ in 0..50 {
            let half_a_year = (0..73).flat_map(|_| country.declaration());
            online.apply(&table_of(half_a_year)).unwrap();
        }
        held.push(online.held());
    }
    let (early, late) = (held[1], *held.last().unwrap());
    assert!(late < early + early / 2, "{held:?}");
    assert!(late < usize::try_from(online.entries()).unwrap(), "{held:?}");
}

#[test]
fn keys_that_never_come_again_are_let_go() {
    let of_entry =
        "aggregate.own = { measure = \"count\", by = [\"declaration_id\", \"item_number\"], days = 10 }";
    let mut online = OnlineTags::new(Arc::new(tag_set(&family(&[("t", of_entry, "own > 3")]))));
    let mut country = LittleCountry::new(5, 40, 30);
    for _ in 0..200 {
        let ten_days = (0..400).flat_map(|_| country.declaration());
        online.apply(&table_of(ten_days)).unwrap();
    }
    let held = online.held();
    // What is held of 42 days, and as much again until it is looked through.
    assert!(held < 6 * 42 * 40, "{held} of {}", online.entries());
}

/// Checks of each row what it carries: nothing, or where it comes from and what made it true.
fn check_reasons(head: &str, when: &str, known: &[&str], new: &[&str], reasons: &[Option<(&str, &str)>]) {
    let mut online = OnlineTags::new(Arc::new(tag_set(&family(&[("t", head, when)]))));
    online.absorb(&table(known)).unwrap();
    let hits = online.apply(&table(new)).unwrap();
    for (row, reason) in reasons.iter().enumerate() {
        let own = hits.carried(row).first().map(|hit| match &hit.raised_by {
            RaisedBy::Itself => "itself".to_owned(),
            RaisedBy::Row(other) => format!("row {other}"),
            RaisedBy::Earlier(raise) => format!("on {}", raise.day),
        });
        let values: Vec<String> =
            hits.values(row, 0).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let told = own.as_ref().map(|own| (own.as_str(), values.join(" ")));
        assert_eq!(told, reason.map(|(own, values)| (own, values.to_owned())), "row {row}");
    }
}

#[test]
fn a_tag_says_what_made_it_true() {
    let head = "aggregate.seen = { measure = \"count\", by = [\"importer_id\"] }";
    check_reasons(
        head,
        "seen >= 2 && !has(exporter_id) && net_mass > 3",
        &["day=0 importer_id=A", "day=1 importer_id=A"],
        &["day=2 importer_id=A net_mass=4.50", "day=2 importer_id=B net_mass=4"],
        &[Some(("itself", "seen=2 exporter_id= net_mass=4.5")), None],
    );
}

#[test]
fn a_declaration_carries_it_because_of_one_of_its_items() {
    check_reasons(
        "on = \"declaration\"",
        "net_mass > 3",
        &[],
        &[
            "day=0 declaration=X net_mass=1",
            "day=0 declaration=X net_mass=4",
            "day=0 declaration=Y net_mass=1",
        ],
        &[Some(("row 1", "net_mass=4")), Some(("itself", "net_mass=4")), None],
    );
}

#[test]
fn an_enterprise_carries_what_was_raised_on_it_before_as_long_as_it_is_valid() {
    check_reasons(
        "on = \"enterprise\"\nvalid_days = 5",
        "net_mass > 3",
        &["day=1 declaration=K importer_id=A net_mass=7", "day=2 declaration=L importer_id=A net_mass=8"],
        &[
            "day=5 declaration=X importer_id=A net_mass=1",
            "day=6 declaration=Y importer_id=A net_mass=1",
            "day=6 declaration=Y importer_id=A net_mass=9",
            "day=6 declaration=Y importer_id=B net_mass=1",
            "day=1 declaration=Z importer_id=A net_mass=1",
            "day=12 declaration=W importer_id=A net_mass=1",
        ],
        &[
            Some(("on 2026-01-03", "declaration_id=L date=2026-01-03 net_mass=8")),
            Some(("row 2", "net_mass=9")),
            Some(("itself", "net_mass=9")),
            None,
            // Of all but the latest raise only the day is kept.
            Some(("on 2026-01-02", "date=2026-01-02")),
            None,
        ],
    );
}

#[test]
fn a_declaration_sees_those_before_it_in_the_same_call_and_never_itself() {
    let head =
        "aggregate.beside = { measure = \"count\", by = [\"importer_id\"], days = 0, same_day = true }";
    let mut online = OnlineTags::new(Arc::new(tag_set(&family(&[("t", head, "beside >= 0")]))));
    let new = [
        "day=0 declaration=X importer_id=A",
        "day=0 declaration=Y importer_id=A",
        "day=0 declaration=X importer_id=A",
        "day=0 declaration=Y importer_id=A",
        "day=0 importer_id=A",
        "day=1 importer_id=A",
    ];
    let hits = online.apply(&table(&new)).unwrap();
    let beside: Vec<String> = (0..new.len())
        .map(|row| hits.aggregates(row).map(|(_, value)| value.unwrap().to_string()).collect())
        .collect();
    // X came first, with both its rows.
    assert_eq!(beside, ["0", "2", "0", "2", "4", "0"]);
}

#[test]
fn what_is_no_table_for_these_tags_is_refused_and_nothing_is_taken_in() {
    let mut online = OnlineTags::new(Arc::new(tag_set(&family(&[("t", "", "net_mass > 3")]))));
    let whole = declaration_entry::schema();
    let fields = whole.fields.iter().filter(|field| field.name != "net_mass").cloned().collect();
    let schema = Arc::new(EntrySchema { id: whole.id.clone(), version: whole.version, fields });
    let lacking = EntryTable::empty(schema);
    let refusal = ApplyError::OtherSchema("net_mass".to_owned());
    assert_eq!(online.apply(&lacking).unwrap_err(), refusal);
    assert_eq!(online.absorb(&lacking).unwrap_err(), refusal);
    let too_many = tags::online::NEW_ENTRIES_MAX + 1;
    let table = table_of((0..too_many).map(|_| entry("day=0")));
    assert_eq!(online.apply(&table).unwrap_err(), ApplyError::TooManyRows(too_many));
    assert_eq!(online.entries(), 0);
}

/// Tags of an office; each condition has another amount the more often its tag was edited.
fn office(before: Option<&TagSet>, edited: &[u32]) -> Arc<TagSet> {
    let when = |at: usize, times: u32| match (at + usize::try_from(times).unwrap()) % 5 {
        0 => format!("customs_value > {}", 40 * at),
        1 => format!("commodity_code.startsWith(\"6\") && net_mass < {at}"),
        2 => format!("origin_country == \"CN\" && customs_value > {} || gross_mass > {at}", 90 * at),
        3 => format!("!(quantity > {at}) && price_to_peers < 1.{at}"),
        _ => format!("customs_value / net_mass > {at}"),
    };
    let tags: Vec<(String, String)> = edited
        .iter()
        .enumerate()
        .filter(|(_, times)| **times != GONE)
        .map(|(at, times)| (format!("office_{at}"), when(at, *times)))
        .collect();
    let tags: Vec<_> = tags.iter().map(|(id, when)| (id.as_str(), "", when.as_str())).collect();
    edited_to(before, &tags)
}

/// A tag that there is no more.
const GONE: u32 = u32::MAX;
const OFFICE_TAGS: usize = 1_300;

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_edits_entries_are_told_as_by_tags_that_were_never_edited(
        edits in proptest::collection::vec(
            (0..OFFICE_TAGS, prop_oneof![1..4_usize, 40..60_usize, Just(OFFICE_TAGS)], any::<bool>(), 0..40_usize),
            5,
        ),
    ) {
        let mut country = LittleCountry::new(7, 4, 25);
        let mut known: Vec<Entry> = (0..80).flat_map(|_| country.declaration()).collect();
        let mut edited = vec![0; OFFICE_TAGS];
        let mut before = office(None, &edited);
        let mut online = OnlineTags::new(Arc::clone(&before));
        online.absorb(&table_of(known.clone())).unwrap();
        for (first, many, away, declarations) in edits {
            for times in edited.iter_mut().skip(first).take(many) {
                *times = if away { GONE } else { times.wrapping_add(1) };
            }
            before = office(Some(&before), &edited);
            prop_assert!(online.adopt(Arc::clone(&before)));
            let mut fresh = OnlineTags::new(office(None, &edited));
            fresh.absorb(&table_of(known.clone())).unwrap();
            let new: Vec<Entry> = (0..6).flat_map(|_| country.declaration()).collect();
            let new_table = table_of(new.clone());
            let (told, expected) = (online.apply(&new_table).unwrap(), fresh.apply(&new_table).unwrap());
            for row in 0..new.len() {
                prop_assert_eq!(told.carried(row), expected.carried(row), "row {}", row);
                prop_assert_eq!(told.unknown(row), expected.unknown(row), "row {}", row);
            }
            known.extend(new);
            // More of the past, now and then enough for another plan.
            let past: Vec<Entry> = (0..declarations * 5).flat_map(|_| country.declaration()).collect();
            online.absorb(&table_of(past.clone())).unwrap();
            known.extend(past);
        }
    }
}
