//! The document: the same every time, whole, readable in both languages, and silent to those who may not see.

use std::sync::atomic::{AtomicU64, Ordering};

use learning::document::{Parameter, StatementKind};
use learning::{Audit, AuditError, AuditOptions, Capacity, TagColumn, audit, texts};
use spine::{Language, Progress, Sensitivity, Silent};

use crate::world::{Dice, Item, ordinary, random_tags, run, table};

fn small_world() -> (Vec<Item>, Vec<TagColumn>) {
    let mut dice = Dice::new(31);
    let items: Vec<Item> = (0..2_000)
        .map(|number| {
            let item =
                ordinary(&mut dice, number, 300).text("selection_reason", format!("R{}", dice.skewed(5.0)));
            let p = if dice.yes(0.2) { 1.0 } else { 0.3 };
            let inspected = dice.yes(p);
            let item =
                item.yes("inspected", inspected).yes("simulated", true).number("selection_probability", p);
            let irregular = dice.yes(if p > 0.9 { 0.5 } else { 0.1 });
            if !inspected {
                return item;
            }
            item.yes("irregular", irregular).number("recovered_revenue", if irregular { 120.5 } else { 0.0 })
        })
        .collect();
    let mut tags = random_tags(&mut dice, items.len(), 5);
    tags[4].sensitivity = Sensitivity::Sealed;
    (items, tags)
}

#[test]
fn the_same_records_give_the_same_document_whatever_the_number_of_threads() {
    let (items, tags) = small_world();
    let table = table(items);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&run(&table, &tags)).unwrap())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_document_can_be_read_back_whole() {
    let (items, tags) = small_world();
    let audit = run(&table(items), &tags);
    let text = serde_json::to_string(&audit).unwrap();
    // A number that is none would be written as null and could not be read back.
    let back: Audit = serde_json::from_str(&text).unwrap();
    assert_eq!(back, audit);
    assert!(audit.plans.is_some() && audit.curve.is_some() && audit.leakage.is_some());
    assert!(matches!(
        audit.plans.as_ref().unwrap().plans.last().unwrap().estimate,
        Some(learning::document::Estimate::Given { .. })
    ));
}

#[test]
fn every_statement_speaks_both_languages_with_all_its_figures() {
    let (items, tags) = small_world();
    let mut audits = vec![run(&table(items.clone()), &tags)];
    audits.push(run(&table(items.iter().take(50).cloned()), &[]));
    audits.push(run(
        &table(items.iter().cloned().map(|mut item| {
            item.0.remove("irregular");
            item
        })),
        &tags,
    ));
    for statement in audits
        .iter()
        .flat_map(|audit| audit.statements.iter().chain(audit.quality.iter().map(|own| &own.statement)))
    {
        let (english, chinese) = (statement.render(Language::En), statement.render(Language::Zh));
        assert_ne!(english, chinese, "{statement:?}");
        for text in [&english, &chinese] {
            assert!(!text.contains(['{', '}', '…']), "{text}");
        }
    }
    let simulated = &audits[0].statements[0];
    assert_eq!(simulated.code, "simulated", "what is simulated says so first");
}

#[test]
fn templates_of_both_languages_name_the_same_parameters() {
    let names = |text: &str| {
        let mut names: Vec<String> =
            text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0.to_owned())).collect();
        names.sort();
        names.dedup();
        names
    };
    for code in texts::codes() {
        let text = texts::template(code).unwrap();
        let english: Vec<String> = names(text.in_language(Language::En));
        assert_eq!(english, names(text.in_language(Language::Zh)), "{code}");
    }
}

#[test]
fn values_with_braces_are_shown_and_not_read_as_names() {
    let (items, tags) = small_world();
    let mut statement = run(&table(items), &tags).statements.pop().unwrap();
    statement.code = "rows_break".to_owned();
    for name in ["month", "month_before", "rows", "rows_before"] {
        statement.parameters.insert(name.to_owned(), Parameter::Text("{rows}".to_owned()));
    }
    assert!(statement.render(Language::En).starts_with("{rows} has {rows} rows"));
}

#[test]
fn a_reader_sees_nothing_above_their_clearance() {
    let (items, tags) = small_world();
    let audit = run(&table(items), &tags);
    let open = audit.for_clearance(Sensitivity::Official);
    let text = serde_json::to_string(&open).unwrap();
    for secret in ["F00", "F11", "\"R1\"", "tag_4", "standing_out"] {
        assert!(!text.contains(secret), "{secret} is shown");
    }
    let dimension = |audit: &Audit, id: &str| {
        audit.hit_rates.as_ref().unwrap().dimensions.iter().find(|own| own.dimension == id).cloned()
    };
    assert!(dimension(&open, "officer_id").is_none() && dimension(&open, "selection_reason").is_none());
    assert_eq!(dimension(&open, "tag").unwrap().rest.values, 1, "a hidden tag is counted");
    assert!(dimension(&audit.for_clearance(Sensitivity::Restricted), "officer_id").is_some());
}

#[test]
fn what_cannot_be_said_is_said() {
    let (items, _) = small_world();
    let without = |fields: &[&str]| {
        let strip = |mut item: Item| {
            item.0.retain(|field, _| !fields.contains(field));
            item
        };
        run(&table(items.iter().cloned().map(strip)), &[])
    };
    let limits = |audit: &Audit| -> Vec<String> {
        let limits = audit.statements.iter().filter(|own| own.kind == StatementKind::Limitation);
        limits.map(|own| format!("{} {}", own.code, own.place).trim().to_owned()).collect()
    };
    let no_outcomes = without(&["irregular", "inspected"]);
    assert!(no_outcomes.hit_rates.is_none() && no_outcomes.plans.is_none());
    assert!(limits(&no_outcomes).contains(&"no_outcomes".to_owned()));
    let no_officers = without(&["officer_id", "selection_reason"]);
    let found = limits(&no_officers);
    for expected in ["no_field officer_id", "no_field selection_reason", "no_tags", "no_cancellations"] {
        assert!(found.contains(&expected.to_owned()), "{expected} is not among {found:?}");
    }
    let no_dates = without(&["date"]);
    assert!(no_dates.hit_rates.is_some() && no_dates.plans.is_none() && no_dates.leakage.is_none());
    assert!(limits(&no_dates).contains(&"no_split".to_owned()));
}

#[test]
fn odd_contents_are_counted_with_examples() {
    let base = || {
        Item::default()
            .text("commodity_code", "851712")
            .on_day(3)
            .text("importer_id", "I1")
            .text("origin_country", "CN")
    };
    let items = [
        base().text("declaration_id", "A").number("net_mass", 10.0).number("gross_mass", 9.0),
        base().text("declaration_id", "B").number("net_mass", 0.0).number("customs_value", 5.0),
        base().text("declaration_id", "C").yes("inspected", false).yes("irregular", true),
        base()
            .text("declaration_id", "D")
            .yes("inspected", true)
            .yes("irregular", false)
            .number("recovered_revenue", 7.0),
        base().text("declaration_id", "E").yes("inspected", true).text("commodity_code", "7701"),
        base().text("declaration_id", "E").number("selection_probability", 1.5).text("exporter_id", "I1"),
    ];
    let audit = run(&table(items), &[]);
    let found: Vec<(&str, u64, &str)> = audit
        .quality
        .iter()
        .map(|own| (own.statement.code.as_str(), own.count, own.examples.first().map_or("", String::as_str)))
        .collect();
    for expected in [
        ("net_above_gross", 1, "A"),
        ("mass_not_positive", 1, "B"),
        ("found_without_inspection", 1, "C"),
        ("revenue_without_find", 1, "D"),
        ("outcome_missing", 1, "E"),
        ("commodity_code_malformed", 1, "E"),
        ("declaration_number_repeated", 1, "E"),
        ("probability_out_of_range", 1, "E"),
        ("importer_is_exporter", 1, "E"),
        ("field_constant", 6, ""),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
    }
    assert_eq!(audit.population.irregular, 0, "found without inspection counts as never inspected");
}

#[test]
fn breaks_over_months_are_seen() {
    let mut dice = Dice::new(8);
    let items = (0..3_000).filter_map(|number| {
        let item = ordinary(&mut dice, number, 240);
        let spine::Value::Date(day) = item.0["date"] else { panic!("an ordinary item has its day") };
        let mut item = if day.month() < 5 { item.text("tax_type", format!("T{}", number % 3)) } else { item };
        item.0.remove("officer_id");
        (day.month() != 7 || number % 10 == 0).then_some(item)
    });
    let audit = run(&table(items), &[]);
    let codes: Vec<(&str, &str)> =
        audit.quality.iter().map(|own| (own.statement.code.as_str(), own.statement.place.as_str())).collect();
    assert!(codes.contains(&("filled_break", "tax_type")), "{codes:?}");
    assert!(codes.contains(&("rows_break", "2025-07")), "{codes:?}");
}

#[test]
fn options_without_sense_are_refused_with_a_reason() {
    let (items, tags) = small_world();
    let whole = table(items.iter().take(20).cloned());
    let options = |capacity: Capacity| AuditOptions { capacity, ..AuditOptions::default() };
    for (options, part) in [
        (options(Capacity::Share(5.0)), "no share"),
        (options(Capacity::Count(0)), "at least 1"),
        (AuditOptions { false_rate: 0.0, ..AuditOptions::default() }, "between 0 and 1"),
    ] {
        let error = audit(&whole, &[], &options, &Silent).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = audit(&whole, &tags, &AuditOptions::default(), &Silent).unwrap_err();
    assert_eq!(error.code(), "audit_option_invalid", "tags of another table");
    assert_eq!(audit(&table([]), &[], &AuditOptions::default(), &Silent), Err(AuditError::NoRows));
}

/// Asks to stop at the n-th question.
struct StopAt {
    left: AtomicU64,
}

impl Progress for StopAt {
    fn report(&self, _stage: &'static str, _done: u64, _total: u64) {}

    fn cancelled(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(1)))
            == Ok(0)
    }
}

#[test]
fn an_audit_can_be_cancelled_at_every_look() {
    let (items, tags) = small_world();
    let table = table(items);
    for left in [0, 3, 10, 25] {
        let progress = StopAt { left: AtomicU64::new(left) };
        assert_eq!(audit(&table, &tags, &AuditOptions::default(), &progress), Err(AuditError::Cancelled));
    }
}
