//! The country as those see it who rely on it: same bytes, known truth, and nothing to find in the null world.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking, and counts stand in arrays of two"
)]

mod audit;
mod entities;
mod register;
mod ring;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use country::{DeclaredConsignment, Examination, Item, Preset, Scheme, Settings, Summary, World};
use jiff::civil::date;
use rust_decimal::prelude::ToPrimitive;
use spine::declaration::{Declaration, EntryContext};
use spine::identifier::{ContainerNumber, CountryCode, HsCode};
use spine::{Silent, Value};

fn settings(declarations: u64, preset: Preset) -> Settings {
    Settings { seed: 7, declarations, preset, ..Settings::default() }
}

fn items(settings: Settings) -> Vec<Item> {
    World::new(settings).unwrap().items().collect()
}

fn text(item: &Item, field: &str) -> String {
    item.value(field).map(ToString::to_string).unwrap_or_default()
}

fn number(item: &Item, field: &str) -> Option<f64> {
    let Some(Value::Decimal(number)) = item.value(field) else { return None };
    number.to_f64()
}

fn irregular(item: &Item) -> Option<bool> {
    let Some(Value::Boolean(irregular)) = item.value("irregular") else { return None };
    Some(*irregular)
}

/// How far a feature's hit rates are from those of chance: (chi-square - df) / sqrt(2 df), about standard normal.
fn association(items: &[Item], feature: impl Fn(&Item) -> String) -> f64 {
    let mut counts: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for item in items {
        if let Some(irregular) = irregular(item) {
            counts.entry(feature(item)).or_default()[usize::from(irregular)] += 1.0;
        }
    }
    let kept: Vec<[f64; 2]> = counts.into_values().filter(|cell| cell[0] + cell[1] >= 20.0).collect();
    let total: f64 = kept.iter().flatten().sum();
    let hits: f64 = kept.iter().map(|cell| cell[1]).sum();
    let chi_square: f64 = kept
        .iter()
        .flat_map(|cell| {
            let inspected = cell[0] + cell[1];
            let expected = [inspected * (1.0 - hits / total), inspected * hits / total];
            [0, 1].map(|at| (cell[at] - expected[at]).powi(2) / expected[at])
        })
        .sum();
    let freedom = f64::from(u32::try_from(kept.len()).unwrap()) - 1.0;
    assert!(freedom >= 1.0, "a feature of one value says nothing");
    (chi_square - freedom) / (2.0 * freedom).sqrt()
}

type Feature = (&'static str, fn(&Item) -> String);

const FEATURES: [Feature; 9] = [
    ("office", |item| text(item, "office_id")),
    ("officer", |item| text(item, "officer_id")),
    ("declarant", |item| text(item, "declarant_id")),
    ("importer", |item| text(item, "importer_id")),
    ("chapter", |item| text(item, "commodity_code").chars().take(2).collect()),
    ("origin", |item| text(item, "origin_country")),
    ("reason", |item| text(item, "selection_reason")),
    ("lane", |item| text(item, "lane")),
    ("packing", |item| {
        let ratio = number(item, "gross_mass").zip(number(item, "net_mass")).map(|(gross, net)| gross / net);
        ratio.map_or_else(|| "?".to_owned(), |ratio| format!("{:.1}", ratio.min(2.0)))
    }),
];

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let summaries = folders
        .each_ref()
        .map(|folder| country::write(settings(2_000, Preset::Ordinary), folder.path(), &Silent).unwrap());
    assert_eq!(summaries[0].declarations, 2_000);
    assert_eq!(summaries[0], Summary { files: summaries[0].files.clone(), ..summaries[1].clone() });
    let names = summaries[0].files.iter().map(|file| file.strip_prefix(folders[0].path()).unwrap());
    let names: Vec<&str> = names.map(|name| name.to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "declarations.csv",
            "outcomes.csv",
            "parties.csv",
            "truth/truth.csv",
            "truth/parties.csv",
            "truth/README.md"
        ]
    );
    for name in names {
        let [first, second] = folders.each_ref().map(|folder| fs::read(folder.path().join(name)).unwrap());
        assert!(first == second, "{name}");
        assert!(
            name.ends_with(".md") || first.split(|byte| *byte == b'\n').skip(1).all(says_simulated),
            "{name}"
        );
    }
    let other = Settings { seed: 8, ..settings(2_000, Preset::Ordinary) };
    country::write(other, folders[1].path(), &Silent).unwrap();
    let [first, second] =
        folders.each_ref().map(|folder| fs::read(folder.path().join("outcomes.csv")).unwrap());
    assert!(first != second);
}

fn says_simulated(line: &[u8]) -> bool {
    line.is_empty() || line.ends_with(b",true")
}

#[test]
fn a_folder_with_other_files_is_left_alone_and_a_cancelled_country_leaves_nothing() {
    struct Impatient;
    impl spine::Progress for Impatient {
        fn report(&self, _: &'static str, _: u64, _: u64) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let cancelled = country::write(settings(5_000, Preset::Ordinary), folder.path(), &Impatient).unwrap_err();
    assert_eq!(cancelled.code(), "cancelled");
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["truth"], "only the empty folder stays");
    fs::write(folder.path().join("thesis.odt"), "years of work").unwrap();
    let refused = country::write(settings(10, Preset::Ordinary), folder.path(), &Silent).unwrap_err();
    assert_eq!(refused.code(), "folder_foreign");
}

#[test]
fn everything_an_administration_records_is_well_formed() {
    let world = World::new(settings(7_000, Preset::Ordinary)).unwrap();
    let (all, table) = (world.items().collect::<Vec<_>>(), world.table());
    assert_eq!(all.len(), table.len());
    let schema = spine::declaration_entry::schema();
    for field in &schema.fields {
        let filled = all.iter().filter(|item| item.value(&field.name).is_some()).count();
        assert!(filled > 0 && (filled == all.len() || !field.required), "{}: {filled}", field.name);
    }
    let missing = all.iter().filter(|item| item.value("gross_mass").is_none()).count();
    assert!((40..300).contains(&missing), "about one in a hundred lacks its gross mass: {missing}");
    for item in &all {
        assert!(HsCode::new(&text(item, "commodity_code")).is_ok_and(|code| code.subheading().is_some()));
        CountryCode::new(&text(item, "origin_country")).unwrap();
        let container = text(item, "container_id");
        assert!(container.is_empty() || ContainerNumber::new(&container).is_ok(), "{container}");
        assert!(number(item, "customs_value").unwrap() > 0.0);
        assert_eq!(irregular(item).is_some(), item.value("recovered_revenue").is_some());
        assert_eq!(item.value("inspected"), Some(&Value::Boolean(item.truth.inspected)));
        assert!(item.truth.inspected || irregular(item).is_none(), "nobody knows what was never inspected");
    }
    assert!(all.is_sorted_by_key(|item| text(item, "date")));
    let keys: BTreeSet<_> =
        all.iter().map(|item| (text(item, "declaration_id"), text(item, "item_number"))).collect();
    assert_eq!(keys.len(), all.len());
}

#[test]
fn recorded_probabilities_are_those_by_which_declarations_were_chosen() {
    let mut declarations: BTreeMap<String, (f64, bool)> = BTreeMap::new();
    for item in items(settings(24_000, Preset::Ordinary)) {
        let probability = number(&item, "selection_probability").unwrap();
        declarations.insert(text(&item, "declaration_id"), (probability, item.truth.inspected));
    }
    // By the height of the probability: as many inspected as the probabilities promise, within four deviations.
    for bounds in [(0.0, 0.02), (0.02, 0.2), (0.2, 0.5), (0.5, 1.0)] {
        let band: Vec<_> = declarations.values().filter(|(p, _)| bounds.0 <= *p && *p < bounds.1).collect();
        let expected: f64 = band.iter().map(|(p, _)| p).sum();
        let deviation = band.iter().map(|(p, _)| p * (1.0 - p)).sum::<f64>().sqrt();
        let inspected =
            f64::from(u32::try_from(band.iter().filter(|(_, inspected)| *inspected).count()).unwrap());
        assert!(expected > 20.0, "{bounds:?}: {expected}");
        assert!((inspected - expected).abs() < 4.0 * deviation, "{bounds:?}: {inspected} of {expected}");
    }
}

#[test]
fn a_country_lives_on_where_its_history_ended() {
    let asked =
        Settings { first_day: Some(date(2025, 3, 1)), days: Some(60), ..settings(1_200, Preset::Ordinary) };
    let world = World::new(asked.clone()).unwrap();
    let history: Vec<DeclaredConsignment> = world.declarations().collect();
    assert_eq!(history.len(), 1_200);
    let [first, last] = [&history[0], &history[1_199]].map(|declaration| declaration.accepted_at.date());
    assert!(first >= date(2025, 3, 1) && last == date(2025, 4, 29), "{first} {last}");
    let alive: Vec<DeclaredConsignment> = world.living().take(2_000).collect();
    assert_eq!(alive[0].accepted_at.date(), date(2025, 4, 30));
    // As many a day as before: 2,000 take about three months, weekends and growth apart.
    let end = alive[1_999].accepted_at.date();
    assert!((date(2025, 7, 15)..date(2025, 9, 1)).contains(&end), "{end}");
    let all: Vec<&DeclaredConsignment> = history.iter().chain(&alive).collect();
    assert!(all.is_sorted_by_key(|declaration| declaration.accepted_at));
    assert!(all.iter().zip(1..).all(|(declaration, number)| declaration.number == number));
    let again = World::new(asked).unwrap();
    assert_eq!(again.living().take(300).collect::<Vec<_>>(), alive[..300], "without its history");
    let empty = World::new(settings(0, Preset::Ordinary)).unwrap();
    assert_eq!((empty.declarations().count(), empty.living().take(3).count()), (0, 3));
    let refused = World::new(Settings { days: Some(0), ..settings(10, Preset::Ordinary) }).unwrap_err();
    assert_eq!(refused.code(), "country_days");
}

#[test]
fn a_consignment_is_what_its_declarant_lodges() {
    let world = World::new(settings(300, Preset::Ordinary)).unwrap();
    let schema = spine::declaration_entry::schema();
    for consignment in world.declarations() {
        let id = text(&consignment.items[0], "declaration_id");
        let lodged = Declaration::from_rows(&id, &consignment.items);
        assert_eq!(lodged.items().len(), consignment.items.len());
        let context = EntryContext {
            declaration_id: id,
            accepted_at: consignment.accepted_at,
            trusted_trader: consignment.items[0]
                .value("trusted_trader")
                .map(|own| *own == Value::Boolean(true)),
            simulated: true,
        };
        for (row, item) in lodged.rows(&context).into_iter().zip(&consignment.items) {
            for (field, value) in schema.fields.iter().zip(row) {
                if !spine::declaration_entry::OUTCOME_FIELDS.contains(&field.name.as_str()) {
                    assert_eq!(value.as_ref(), item.value(&field.name), "{}", field.name);
                }
            }
        }
    }
}

#[test]
fn what_an_examination_finds_depends_on_what_is_wrong_how_one_looks_and_who() {
    let all = items(settings(12_000, Preset::Ordinary));
    let mut chances: BTreeMap<(Scheme, Examination), f64> = BTreeMap::new();
    for item in &all {
        let truth = &item.truth;
        for examination in [Examination::Documents, Examination::Physical] {
            // The highest of a hundred draws that still finds it is the chance to find it.
            let finds = |skill: f64| {
                (0..100)
                    .filter(|draw| truth.found_by(examination, skill, f64::from(*draw) / 100.0).is_some())
                    .count()
            };
            let (perfect, blind) = (finds(1.0), finds(0.0));
            assert_eq!(blind, 0);
            assert!(truth.irregular() || perfect == 0, "nothing is found where nothing is wrong");
            if let Some(scheme) = truth.scheme {
                assert!(finds(0.5).abs_diff(perfect / 2) <= 1, "half the skill finds half");
                let told = truth.found_by(examination, 1.0, 0.0);
                assert_eq!(told, if scheme == Scheme::ShellImporter { Some(scheme) } else { truth.method });
                chances
                    .insert((truth.method.unwrap(), examination), f64::from(u32::try_from(perfect).unwrap()));
            }
        }
        assert!(!truth.covered_up || text(item, "officer_id") == *truth.partner.clone().unwrap());
    }
    let chance = |scheme, examination| chances[&(scheme, examination)];
    assert!(
        chance(Scheme::Concealment, Examination::Physical)
            > 10.0 * chance(Scheme::Concealment, Examination::Documents)
    );
    assert!(
        chance(Scheme::FalseOrigin, Examination::Physical)
            < chance(Scheme::FalseOrigin, Examination::Documents)
    );
}

#[test]
fn fraud_of_seven_kinds_is_planted_and_partly_found() {
    let all = items(settings(24_000, Preset::Ordinary));
    let whole = |count: usize| f64::from(u32::try_from(count).unwrap());
    let share = |count: usize| whole(count) / whole(all.len());
    let false_items = all.iter().filter(|item| item.truth.irregular()).count();
    assert!((0.02..0.10).contains(&share(false_items)), "{}", share(false_items));
    let inspected = all.iter().filter(|item| item.truth.inspected).count();
    assert!((0.04..0.20).contains(&share(inspected)), "{}", share(inspected));
    let mut counts: BTreeMap<Scheme, [usize; 2]> = BTreeMap::new();
    for item in &all {
        if let Some(scheme) = item.truth.scheme {
            let count = counts.entry(scheme).or_default();
            count[0] += 1;
            count[1] += usize::from(item.truth.found);
        }
    }
    println!("{false_items} irregular, {inspected} inspected, by kind (all, found): {counts:?}");
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), Scheme::ALL);
    assert!(counts.values().all(|[planted, found]| *planted >= 20 && found < planted), "{counts:?}");
    assert!(
        counts.iter().all(|(scheme, [_, found])| *found > 0 || *scheme == Scheme::Collusion),
        "{counts:?}"
    );
    let covered: Vec<&Item> = all.iter().filter(|item| item.truth.covered_up).collect();
    let pairs: BTreeSet<_> =
        covered.iter().map(|item| (text(item, "officer_id"), text(item, "declarant_id"))).collect();
    assert!(covered.len() >= 10 && pairs.len() == 2, "{} {pairs:?}", covered.len());
    let evaded: f64 = all.iter().filter_map(|item| item.truth.duty_evaded.to_f64()).sum();
    assert!(evaded > 0.0);
    for (name, feature) in FEATURES {
        let association = association(&all, feature);
        println!("ordinary world, {name}: {association:.1}");
        let telling = ["declarant", "importer", "chapter", "reason", "packing"].contains(&name);
        assert!(!telling || association > 4.0, "{name}: {association}");
    }
}

#[test]
fn in_the_null_world_nothing_goes_with_anything() {
    let all = items(settings(24_000, Preset::Null));
    for (name, feature) in FEATURES {
        let association = association(&all, feature);
        println!("null world, {name}: {association:.1}");
        assert!(association.abs() < 4.0, "{name}: {association}");
    }
    assert!(all.iter().all(|item| text(item, "commodity_code") == *item.truth.commodity_code));
}

#[test]
fn every_code_is_in_the_harmonized_system_and_that_takes_the_place_of_ours_where_it_is_at_hand() {
    let cases = std::env::var("TIDEWAITER_CASES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    let Ok(published) = fs::read_to_string(Path::new(&cases).join("reference/hs/harmonized-system.csv"))
    else {
        println!("SKIPPED reference/hs: no such folder under {cases}");
        return;
    };
    let mut published = csv::Reader::from_reader(published.as_bytes());
    let codes: Vec<(String, String)> = published
        .records()
        .map(|row| row.unwrap())
        .filter(|row| {
            row[1].len() == 6 && row[1].bytes().all(|byte| byte.is_ascii_digit()) && &row[1][..2] <= "97"
        })
        .map(|row| (row[1].to_owned(), row[2].to_owned()))
        .collect();
    let used = |settings: Settings| -> BTreeSet<String> {
        items(settings).iter().map(|item| item.truth.commodity_code.to_string()).collect()
    };
    let ours = used(settings(12_000, Preset::Ordinary));
    let known: BTreeSet<&str> = codes.iter().map(|(code, _)| code.as_str()).collect();
    let unknown: Vec<_> = ours.iter().filter(|code| !known.contains(code.as_str())).collect();
    assert!(ours.len() >= 400 && unknown.is_empty(), "{unknown:?}");
    let asked = Settings { codes: Some(codes), ..settings(12_000, Preset::Ordinary) };
    let described: Vec<Item> = World::new(asked.clone()).unwrap().items().take(500).collect();
    assert!(
        described.iter().any(|item| text(item, "goods_description").len() > 60),
        "in the published words"
    );
    assert!(used(asked).difference(&ours).count() > 500, "codes that ours lacks are traded");
}
