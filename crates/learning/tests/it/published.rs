//! The public set of declarations with outcomes: the audit itself must say that it leaks its label.

use std::path::PathBuf;

use learning::document::{Verdict, Weight};
use spine::EntryTable;

use crate::world::{Item, run, table};

fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("TIDEWAITER_CASES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("declarations");
    folder.join("declarations_train.csv").exists().then_some(folder)
}

const COLUMNS: [(&str, &str); 18] = [
    ("Declaration ID", "declaration_id"),
    ("Office ID", "office_id"),
    ("Process Type", "process_type"),
    ("Import Type", "procedure_code"),
    ("Import Use", "import_use"),
    ("Payment Type", "payment_type"),
    ("Mode of Transport", "transport_mode"),
    ("Declarant ID", "declarant_id"),
    ("Importer ID", "importer_id"),
    ("Seller ID", "exporter_id"),
    ("Courier ID", "carrier_id"),
    ("HS6 Code", "commodity_code"),
    ("Country of Departure", "departure_country"),
    ("Country of Origin", "origin_country"),
    ("Tax Type", "tax_type"),
    ("Country of Origin Indicator", "origin_marking"),
    ("Tax Rate", "tax_rate"),
    ("Net Mass", "net_mass"),
];

fn read(folder: &std::path::Path) -> EntryTable {
    let mut items = Vec::new();
    for file in ["declarations_train.csv", "declarations_valid.csv", "declarations_test.csv"] {
        let mut reader = csv::Reader::from_path(folder.join(file)).unwrap();
        let headers = reader.headers().unwrap().clone();
        let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
        let columns: Vec<(usize, &'static str)> =
            COLUMNS.iter().map(|(name, field)| (at(name), *field)).collect();
        let (day, price, fraud) = (at("Date"), at("Item Price"), at("Fraud"));
        for record in reader.records() {
            let record = record.unwrap();
            let mut item = Item::default();
            for (column, field) in &columns {
                item = match (&record[*column], *field) {
                    ("", _) => item,
                    (number, "tax_rate" | "net_mass") => item.number(field, number.parse().unwrap()),
                    (code, "commodity_code") => item.text(field, format!("{code:0>6}")),
                    (value, _) => item.text(field, value),
                };
            }
            let date: jiff::civil::Date = record[day].parse().unwrap();
            item.0.insert("date", spine::Value::Date(date));
            item = item.number("customs_value", record[price].parse().unwrap());
            items.push(item.yes("inspected", true).yes("irregular", &record[fraud] == "1"));
        }
    }
    table(items)
}

#[test]
fn the_public_declarations_leak_their_label() {
    let Some(folder) = folder() else {
        println!("skipped: published declarations (set TIDEWAITER_CASES to the folder of external data)");
        return;
    };
    let audit = run(&read(&folder), &[]);
    assert_eq!(audit.population.rows, 54_000);
    let leakage = audit.leakage.as_ref().unwrap();
    println!("tuple {:?}, steps {:?}", leakage.tuple, leakage.steps);
    for scores in &leakage.scores {
        println!("{scores:?}");
    }
    assert_eq!(leakage.verdict, Verdict::Leaks);
    let look_up = &leakage.scores[0];
    assert!(look_up.published.unwrap().auc > 0.95, "{look_up:?}");
    assert!(look_up.novel.unwrap().auc < 0.6, "{look_up:?}");
    assert!(leakage.tuple.iter().any(|own| own == "commodity_code"), "{:?}", leakage.tuple);
    let first = &audit.statements[0];
    assert_eq!((first.code.as_str(), first.weight), ("leaks", Weight::Critical));
    for statement in &audit.statements {
        println!("- {}", statement.render(spine::Language::En));
    }
}
