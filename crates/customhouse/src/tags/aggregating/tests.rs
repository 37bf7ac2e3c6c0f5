//! Aggregates of anybody's entries against a plain computation from the same rows; what cannot be used; what docs show.
#![expect(
    clippy::as_conversions,
    reason = "the plain computation is in floating point and compared within its precision"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ::pool::lane_writer::{LaneWriter, WrittenType, WrittenValues};
use ::pool::lanes::{LaneValues, LanesFile};
use ::tags::matcher::ABSENT;
use jiff::civil::{Date, date};
use spine::{Column, Progress, Silent};

use super::*;
use crate::offline;
use crate::tags::{BackfillRequest, MatchRequest, backfill, match_file, select_in_history};

const AS_OF: Date = date(2026, 7, 1);

/// An entry as it stands in a file.
#[derive(Debug, Clone)]
struct Entry {
    importer: Option<&'static str>,
    day: Option<i32>,
    commodity: Option<String>,
    origin: Option<&'static str>,
    /// In hundredths.
    value: Option<i64>,
    mass: Option<i64>,
}

/// Made up, the same each time: some days after the day, some before every window, some values absent.
fn entries(count: u64) -> Vec<Entry> {
    let today = ::tags::day_number(AS_OF);
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let importers = ["IMP-9", "IMP-1", "IMP-33", "IMP-2", "IMP-5", "IMP-4", "IMP-7", "IMP-8"];
    let mut entry = || Entry {
        importer: (next(25) > 0).then(|| importers[next(8) as usize % 7]),
        day: (next(25) > 0).then(|| today - next(130) as i32 + 12),
        commodity: (next(9) > 0).then(|| format!("{:02}{:02}10", 60 + next(3), next(20))),
        origin: (next(12) > 0).then(|| ["CN", "VN", "IN"][next(3) as usize]),
        value: (next(10) > 0).then(|| next(100_000) as i64 - 2_000),
        mass: (next(10) > 0).then(|| next(900) as i64),
    };
    (0..count).map(|_| entry()).collect()
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.at(name), text).unwrap();
        self.at(name)
    }

    fn entries(&self, name: &str, entries: &[Entry]) -> PathBuf {
        let columns = [
            ("importer_id", WrittenType::Text),
            ("date", WrittenType::Day),
            ("commodity_code", WrittenType::Text),
            ("origin_country", WrittenType::Text),
            ("customs_value", WrittenType::Decimal(2)),
            ("net_mass", WrittenType::Float),
        ];
        let text =
            |of: &dyn Fn(&Entry) -> Option<String>| WrittenValues::Text(entries.iter().map(of).collect());
        self.parquet(
            name,
            &columns,
            vec![
                text(&|own| own.importer.map(str::to_owned)),
                WrittenValues::Day(entries.iter().map(|own| own.day).collect()),
                text(&|own| own.commodity.clone()),
                text(&|own| own.origin.map(str::to_owned)),
                WrittenValues::Decimal(entries.iter().map(|own| own.value.map(i128::from)).collect()),
                WrittenValues::Float(
                    entries.iter().map(|own| own.mass.map(|mass| mass as f64 / 10.0)).collect(),
                ),
            ],
        )
    }

    fn parquet(&self, name: &str, columns: &[(&str, WrittenType)], values: Vec<WrittenValues>) -> PathBuf {
        let path = self.at(name);
        let columns: Vec<_> = columns.iter().map(|(name, of)| ((*name).to_owned(), *of)).collect();
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = LaneWriter::new(file, &path, &columns, &[]).unwrap();
        writer.write(values).unwrap();
        writer.finish().unwrap();
        path
    }

    fn request(&self, aggregates: &str, entries: Vec<PathBuf>) -> AggregateRequest {
        AggregateRequest {
            aggregates: self.text("aggregates.toml", aggregates),
            entries,
            by: "importer_id".to_owned(),
            date: None,
            as_of: AS_OF,
            out: self.at("answers.parquet"),
            threads: 2,
        }
    }
}

fn run(request: &AggregateRequest) -> Result<AggregateReport, Error> {
    aggregate_files(&offline::registry(None).unwrap(), request, &Silent)
}

/// By entity and column: what is written there, whole numbers in units of their last digit.
fn answers(path: &Path) -> BTreeMap<String, BTreeMap<String, Option<f64>>> {
    let file = LanesFile::open(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = file.schema().fields.iter().map(|field| field.name.clone()).collect();
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut reader = file.read(&columns, 1_000_000).unwrap();
    let lanes = reader.next_lanes().unwrap().unwrap();
    let LaneValues::Column(Column::Text(entities)) = &lanes[0] else { panic!("{:?}", lanes[0]) };
    let value = |lane: &LaneValues, row: usize| match lane {
        LaneValues::Whole { values, .. } => {
            Some(values[row]).filter(|own| *own != ABSENT).map(|own| own as f64)
        }
        LaneValues::Float(values) => Some(values[row]).filter(|own| !own.is_nan()),
        LaneValues::Column(_) => panic!("a column of texts"),
    };
    let row = |row: usize| {
        names.iter().zip(&lanes).skip(1).map(|(name, lane)| (name.clone(), value(lane, row))).collect()
    };
    (0..entities.codes().len()).map(|at| (entities.get(at).unwrap().to_owned(), row(at))).collect()
}

const AGGREGATES: &str = r#"
[aggregate]
entries_30 = { measure = "count", days = 30 }
entries_90_cn = { measure = "count", days = 90, where = 'origin_country == "CN"' }
value_30 = { measure = "sum", of = "customs_value", days = 30 }
value_90_heavy = { measure = "sum", of = "customs_value", days = 90, where = "net_mass > 40" }
mass_30 = { measure = "sum", of = "net_mass", days = 30, digits = 1 }
most_90 = { measure = "maximum", of = "customs_value", days = 90, at_least = 12 }
headings_30 = { measure = "distinct", of = "commodity_code[:4]", days = 30 }
heavy_share = { measure = "share", where = "net_mass > 40", days = 90 }
price_30 = { measure = "ratio", of = "value_30", to = "mass_30" }
last = { measure = "last_day", days = 30, where = "customs_value > 900" }
since = { measure = "days_since_last", days = 90, where = "customs_value > 900" }
apart = { measure = "deviations_from_mean", of = "value_30", peers = ["commodity_code[:2]", "origin_country"], at_least = 2 }
apart_median = { measure = "deviations_from_median", of = "value_30", peers = ["commodity_code[:2]", "origin_country"] }
"#;

/// The same by looping over all entries for each entity and aggregate.
fn plainly(all: &[Entry]) -> BTreeMap<String, BTreeMap<String, Option<f64>>> {
    let today = ::tags::day_number(AS_OF);
    let dated = |own: &&Entry| own.day.is_some_and(|day| day < today);
    let importers: BTreeSet<&str> = all.iter().filter(dated).filter_map(|own| own.importer).collect();
    let of = |importer: &str, days: i32| -> Vec<&Entry> {
        let within = |own: &&Entry| own.day.is_some_and(|day| day < today && day >= today - days);
        all.iter().filter(|own| own.importer == Some(importer)).filter(within).collect()
    };
    let sum = |own: &[&Entry], of: &dyn Fn(&Entry) -> Option<i64>| -> i64 {
        own.iter().filter_map(|one| of(one)).sum()
    };
    let value_30 = |importer: &str| sum(&of(importer, 30), &|own| own.value);
    // The pair of most entries, the first of several.
    let group = |importer: &str| {
        let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for own in of(importer, 30) {
            if let (Some(commodity), Some(origin)) = (&own.commodity, own.origin) {
                *counts.entry((commodity[..2].to_owned(), origin)).or_default() += 1;
            }
        }
        let most = counts.values().copied().max()?;
        counts.into_iter().find(|(_, count)| *count == most).map(|(pair, _)| pair)
    };
    let apart = |importer: &str| {
        let own = group(importer)?;
        let peers: Vec<f64> = importers
            .iter()
            .filter(|other| group(other).as_ref() == Some(&own))
            .map(|other| value_30(other) as f64)
            .collect();
        let count = peers.len() as f64;
        let mean = peers.iter().sum::<f64>() / count;
        let deviation = (peers.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
        };
        let middle = median(peers.clone());
        let middle_deviation = median(peers.iter().map(|one| (one - middle).abs()).collect());
        let value = value_30(importer) as f64;
        let by_mean = (peers.len() >= 2 && deviation > 0.0).then(|| (value - mean) / deviation);
        Some((by_mean, (middle_deviation > 0.0).then(|| (value - middle) / middle_deviation)))
    };
    let row = |importer: &str| {
        let (month, quarter) = (of(importer, 30), of(importer, 90));
        let heavy = |own: &&&Entry| own.mass.is_some_and(|mass| mass > 400);
        let those: Vec<&Entry> = quarter.iter().filter(heavy).copied().collect();
        let known = quarter.iter().filter(|own| own.mass.is_some()).count();
        let values: Vec<i64> = quarter.iter().filter_map(|own| own.value).collect();
        let headings: BTreeSet<&str> =
            month.iter().filter_map(|own| own.commodity.as_deref()?.get(..4)).collect();
        let last = |own: &[&Entry]| {
            own.iter()
                .filter(|one| one.value.is_some_and(|value| value > 90_000))
                .filter_map(|one| one.day)
                .max()
        };
        let six_digits = |value: f64| (value * 1e6).round_ties_even();
        let mass = sum(&month, &|own| own.mass);
        let price =
            (mass != 0).then(|| six_digits((value_30(importer) as f64 / 100.0) / (mass as f64 / 10.0)));
        let (by_mean, by_median) = apart(importer).unwrap_or_default();
        [
            ("entries_30", Some(month.len() as f64)),
            ("entries_90_cn", Some(quarter.iter().filter(|own| own.origin == Some("CN")).count() as f64)),
            ("value_30", Some(value_30(importer) as f64)),
            ("value_90_heavy", Some(sum(&those, &|own| own.value) as f64)),
            ("mass_30", Some(mass as f64)),
            ("most_90", values.iter().max().filter(|_| values.len() >= 12).map(|most| *most as f64)),
            ("headings_30", Some(headings.len() as f64)),
            ("heavy_share", (known > 0).then(|| six_digits(those.len() as f64 / known as f64))),
            ("price_30", price),
            ("last", last(&month).map(f64::from)),
            ("since", last(&quarter).map(|day| f64::from(today - day))),
            ("apart", by_mean),
            ("apart_median", by_median),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    };
    importers.iter().map(|importer| ((*importer).to_owned(), row(importer))).collect()
}

#[test]
fn answers_are_those_of_a_plain_computation_in_whatever_order_and_files_entries_come() {
    let place = Place::new();
    for count in [9, 60, 400, 3_000] {
        let all = entries(count);
        let expected = plainly(&all);
        let one = place.entries("one.parquet", &all);
        let report = run(&place.request(AGGREGATES, vec![one])).unwrap();
        let counted = [
            report.in_windows,
            report.too_old,
            report.not_before,
            report.without_entity,
            report.without_date,
        ];
        assert_eq!((counted.iter().sum::<u64>(), report.entries), (count, count));
        assert_eq!(report.entities as usize, expected.len());
        let found = answers(&place.at("answers.parquet"));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (importer, row) in &expected {
            for (name, value) in row {
                let own = found[importer][name];
                let near = match (own, *value) {
                    (Some(own), Some(value)) => (own - value).abs() <= 1e-9 * value.abs().max(1.0),
                    (own, value) => own == value,
                };
                assert!(near, "{importer} {name}: {own:?}, plainly {value:?}");
            }
        }
        let bytes = std::fs::read(place.at("answers.parquet")).unwrap();
        let mut backwards = all.clone();
        backwards.reverse();
        let (early, late) = backwards.split_at(backwards.len() / 3);
        let two = vec![place.entries("two.parquet", late), place.entries("three.parquet", early)];
        run(&place.request(AGGREGATES, two)).unwrap();
        assert_eq!(std::fs::read(place.at("answers.parquet")).unwrap(), bytes, "of {count} in another order");
    }
}

#[test]
fn what_cannot_be_used_is_told_and_nothing_is_written() {
    let place = Place::new();
    let own = place.entries("entries.parquet", &entries(40));
    let cases = [
        ("", "aggregate_unreadable"),
        ("[aggregate]", "aggregates_missing"),
        ("[aggregates]\na = { measure = \"count\", days = 3 }", "aggregate_unreadable"),
        ("[aggregate]\na = { measure = \"count\" }", "aggregate_key_missing"),
        ("[aggregate]\na = { measure = \"average\", days = 3 }", "aggregate_unreadable"),
        ("[aggregate]\na = { measure = \"count\", days = 3, weeks = 3 }", "aggregate_unreadable"),
        ("[aggregate]\n\"a b\" = { measure = \"count\", days = 3 }", "aggregate_name_unusable"),
        ("[aggregate]\nimporter_id = { measure = \"count\", days = 3 }", "aggregate_name_unusable"),
        ("[aggregate]\na = { measure = \"count\", of = \"net_mass\", days = 3 }", "aggregate_key_unusable"),
        ("[aggregate]\na = { measure = \"sum\", of = \"mass\", days = 3 }", "column_unknown"),
        ("[aggregate]\na = { measure = \"sum\", of = \"origin_country\", days = 3 }", "column_type_unusable"),
        (
            "[aggregate]\na = { measure = \"distinct\", of = \"net_mass[:2]\", days = 3 }",
            "column_type_unusable",
        ),
        (
            "[aggregate]\na = { measure = \"count\", where = \"mass > 3\", days = 3 }",
            "aggregate_condition_refused",
        ),
        ("[aggregate]\na = { measure = \"share\", days = 3 }", "aggregate_key_missing"),
        ("[aggregate]\na = { measure = \"ratio\", of = \"b\", to = \"c\" }", "aggregate_reference_unusable"),
        (
            "[aggregate]\na = { measure = \"sum\", of = \"net_mass\", days = 3, digits = 7 }",
            "aggregate_digits_too_many",
        ),
        ("[aggregate]\na = { measure = \"count\", days = 0 }", "bucket_windows_unusable"),
        ("[aggregate]\na = { measure = \"count\", days = 4000 }", "bucket_windows_unusable"),
        (
            "[aggregate]\na = { measure = \"sum\", of = \"net_mass\", days = 90, digits = 0 }",
            "amount_has_too_many_digits",
        ),
    ];
    for (aggregates, code) in cases {
        let error = run(&place.request(aggregates, vec![own.clone()])).unwrap_err();
        let codes: Vec<&str> = error.findings.iter().map(|finding| finding.code.as_str()).collect();
        assert!(codes.contains(&code), "{aggregates}: {error:?}");
        assert!(error.findings.iter().all(|finding| !finding.how_to_fix.is_empty()), "{error:?}");
        assert!(!place.at("answers.parquet").exists(), "{aggregates}");
    }
    let many = |count: usize, each: &dyn Fn(usize) -> String| {
        format!("[aggregate]\n{}", (0..count).map(each).collect::<String>())
    };
    let windows = many(9, &|at| format!("a{at} = {{ measure = \"count\", days = {} }}\n", at + 1));
    let conditions =
        many(65, &|at| format!("a{at} = {{ measure = \"count\", days = 1, where = \"net_mass > {at}\" }}\n"));
    let aggregates = many(513, &|at| format!("a{at} = {{ measure = \"count\", days = 1 }}\n"));
    for (text, code) in [
        (windows, "bucket_windows_unusable"),
        (conditions, "bucket_conditions_too_many"),
        (aggregates, "aggregates_too_many"),
    ] {
        let error = run(&place.request(&text, vec![own.clone()])).unwrap_err();
        assert_eq!(error.findings[0].code, code, "{error:?}");
    }
}

#[test]
fn files_and_columns_that_do_not_fit_are_told() {
    let place = Place::new();
    let own = place.entries("entries.parquet", &entries(40));
    let count = "[aggregate]\na = { measure = \"count\", days = 3, where = \"net_mass > 1\" }";
    let good = || place.request(count, vec![own.clone()]);
    let code = |request: AggregateRequest| {
        let error = run(&request).unwrap_err();
        error.findings.first().map_or(error.code.clone(), |finding| finding.code.clone())
    };
    assert_eq!(code(AggregateRequest { by: "importer".to_owned(), ..good() }), "column_unknown");
    assert_eq!(
        code(AggregateRequest { date: Some("origin_country".to_owned()), ..good() }),
        "column_unknown"
    );
    assert_eq!(code(AggregateRequest { entries: Vec::new(), ..good() }), "entries_unreadable");
    assert_eq!(
        code(AggregateRequest { entries: vec![place.at("none.parquet")], ..good() }),
        "entries_unreadable"
    );
    assert_eq!(
        code(AggregateRequest { aggregates: place.at("none.toml"), ..good() }),
        "aggregates_unreadable"
    );
    let columns =
        [("importer_id", WrittenType::Text), ("date", WrittenType::Day), ("net_mass", WrittenType::Text)];
    let values = vec![
        WrittenValues::Text(vec![Some("IMP-1".to_owned())]),
        WrittenValues::Day(vec![Some(20_000)]),
        WrittenValues::Text(vec![Some("3".to_owned())]),
    ];
    let retyped = place.parquet("retyped.parquet", &columns, values);
    assert_eq!(code(AggregateRequest { entries: vec![own.clone(), retyped], ..good() }), "column_differs");
}

struct StopsAfter(AtomicU64);

impl Progress for StopsAfter {
    fn report(&self, _stage: &'static str, _done: u64, _total: u64) {}
    fn cancelled(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) == 0
    }
}

#[test]
fn whoever_stops_it_finds_the_earlier_answers_as_they_were() {
    let place = Place::new();
    let own = place.entries("entries.parquet", &entries(40));
    let request = place.request(AGGREGATES, vec![own]);
    place.text("answers.parquet", "what was there");
    for calls in [0, 1] {
        let stops = StopsAfter(AtomicU64::new(calls));
        let error = aggregate_files(&offline::registry(None).unwrap(), &request, &stops).unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (Kind::Cancelled, "cancelled"));
        assert_eq!(std::fs::read(place.at("answers.parquet")).unwrap(), b"what was there");
        assert_eq!(std::fs::read_dir(place.0.path()).unwrap().count(), 3, "nothing is left beside it");
    }
}

#[test]
fn entities_may_be_numbers_and_lines_may_be_json() {
    let place = Place::new();
    let columns = [("importer_id", WrittenType::Whole), ("date", WrittenType::Day)];
    let values = vec![
        WrittenValues::Whole(vec![Some(30), Some(4), Some(30), None]),
        WrittenValues::Day(vec![Some(20_600), Some(20_601), Some(20_602), Some(20_603)]),
    ];
    let entries = vec![place.parquet("entries.parquet", &columns, values)];
    let lines = "{\"id\": \"b\", \"measure\": \"count\", \"days\": 365}\n\n{\"id\": \"a\", \"measure\": \"last_day\", \"days\": 365}\n";
    let aggregates = place.text("aggregates.jsonl", lines);
    let report = run(&AggregateRequest { aggregates, ..place.request("", entries) }).unwrap();
    assert_eq!((report.entities, report.without_entity, report.aggregates), (2, 1, 2));
    let file = LanesFile::open(std::fs::File::open(place.at("answers.parquet")).unwrap()).unwrap();
    let names: Vec<_> = file.schema().fields.iter().map(|field| field.name.clone()).collect();
    assert_eq!(names, ["importer_id", "b", "a"], "in the order of the lines");
    let lanes = file.read(&["importer_id", "b", "a"], 10).unwrap().next_lanes().unwrap().unwrap();
    for (lane, expected) in lanes.iter().zip([[4, 30], [1, 2], [20_601, 20_602]]) {
        assert_eq!(*lane, LaneValues::Whole { values: expected.to_vec(), scale: 0 });
    }
}

/// The blocks of a language in a part of the documentation.
fn shown(language: &str) -> String {
    let docs = include_str!("../../../../../docs/tags.md");
    let (_, part) = docs.split_once("### Tags on aggregates of files").expect("the section is there");
    let (_, block) = part.split_once(&format!("```{language}\n")).expect("the block is there");
    block.split_once("```").expect("the block ends").0.to_owned()
}

#[test]
fn what_the_documentation_shows_tags_those_that_stand_out() {
    let place = Place::new();
    let entry = |importer, days_ago: i32, value: i64, mass| Entry {
        importer: Some(importer),
        day: Some(::tags::day_number(AS_OF) - days_ago),
        commodity: Some("640319".to_owned()),
        origin: Some("VN"),
        value: Some(value),
        mass: Some(mass),
    };
    // Twelve trade alike; IMP-4 multiplies its trade in the last month; IMP-5 has gone silent.
    let importers = [
        "IMP-1", "IMP-2", "IMP-3", "IMP-4", "IMP-5", "IMP-6", "IMP-7", "IMP-8", "IMP-9", "IMP-10", "IMP-11",
        "IMP-12",
    ];
    let mut all = Vec::new();
    for (at, importer) in (0_i32..).zip(importers) {
        for week in 0..12 {
            let days_ago = week * 7 + 1 + at % 5;
            if importer == "IMP-5" && days_ago < 70 {
                continue;
            }
            let copies = if importer == "IMP-4" && days_ago <= 30 { 9 } else { 1 };
            let value = 10_000 + i64::from(at % 3) * 500;
            all.extend((0..copies).map(|_| entry(importer, days_ago, value, 100)));
        }
    }
    let entries = place.entries("entries.parquet", &all);
    let mut request = place.request(&shown("toml"), vec![entries]);
    request.out = place.at("aggregates.parquet");
    run(&request).unwrap();
    let matched = MatchRequest {
        rules: place.text("rules.jsonl", &shown("json")),
        entries: request.out.clone(),
        threads: 1,
        pairs: false,
    };
    let report = match_file(&offline::registry(None).unwrap(), &matched, &Silent).unwrap();
    let counts: Vec<(&str, u64)> = report.counts.iter().map(|(id, count)| (id.as_str(), *count)).collect();
    assert_eq!(counts, [("surge", 1), ("far_above_peers", 1), ("fell_silent", 1)]);
    let kept = BackfillRequest {
        rules: Some(matched.rules),
        entries: vec![matched.entries],
        by: Some("importer_id".to_owned()),
        folder: place.at("kept"),
        threads: 1,
    };
    assert!(backfill(&offline::registry(None).unwrap(), &kept, &Silent).unwrap().complete);
    for (tag, importer) in [("surge", "IMP-4"), ("far_above_peers", "IMP-4"), ("fell_silent", "IMP-5")] {
        assert_eq!(select_in_history(&place.at("kept"), tag, 1, 5).unwrap().named, [importer], "{tag}");
    }
}
