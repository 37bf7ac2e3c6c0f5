use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::declaration_entry::{self, OUTCOME_FIELDS};
use crate::entry::{EntryTable, FieldType, Value};

fn context() -> EntryContext {
    EntryContext {
        declaration_id: "26ZZ0000000000000A".to_owned(),
        accepted_at: date(2026, 3, 31).at(14, 5, 9, 0),
        trusted_trader: Some(true),
        simulated: true,
    }
}

/// Fields that customs adds: not declared.
const OF_CUSTOMS: [&str; 5] = ["declaration_id", "date", "accepted_at", "trusted_trader", "simulated"];

fn named(row: Vec<Option<Value>>) -> BTreeMap<String, Value> {
    let schema = declaration_entry::schema();
    let names = schema.fields.iter().map(|field| field.name.clone());
    names.zip(row).filter_map(|(name, value)| Some((name, value?))).collect()
}

/// An entry in which every declared field has a value that no other field has.
fn full_entry(item: u32) -> BTreeMap<String, Value> {
    let schema = declaration_entry::schema();
    let declared = schema.fields.iter().zip(100_u32..).filter(|(field, _)| {
        !OUTCOME_FIELDS.contains(&field.name.as_str()) && !OF_CUSTOMS.contains(&field.name.as_str())
    });
    declared
        .map(|(field, number)| {
            let value = match (field.name.as_str(), field.field_type) {
                ("item_number", _) => Value::Decimal(item.into()),
                ("currency", _) => Value::Text("EUR".to_owned()),
                (_, FieldType::Decimal) => Value::Decimal(number.into()),
                (name, _) => Value::Text(name.to_owned()),
            };
            (field.name.clone(), value)
        })
        .collect()
}

#[test]
fn every_declared_field_stands_at_its_place_in_the_row() {
    let declaration = Declaration::from_rows("LRN-1", &[full_entry(1)]);
    let rows = declaration.rows(&context());
    let schema = declaration_entry::schema();
    let mut table = EntryTable::empty(schema.clone());
    for row in &rows {
        assert_eq!(row.len(), schema.fields.len());
        table.push(row.clone()).unwrap();
    }
    let mut row = named(rows.into_iter().next().unwrap());
    assert_eq!(row.remove("declaration_id"), Some(Value::Text(context().declaration_id)));
    assert_eq!(row.remove("date"), Some(Value::Date(date(2026, 3, 31))));
    assert_eq!(row.remove("accepted_at"), Some(Value::DateTime(context().accepted_at)));
    assert_eq!(row.remove("trusted_trader"), Some(Value::Boolean(true)));
    assert_eq!(row.remove("simulated"), Some(Value::Boolean(true)));
    assert_eq!(row, full_entry(1));
}

#[test]
fn a_declaration_says_who_what_and_how_much() {
    let text = include_str!("../../../../docs/examples/declaration.json");
    let declaration: Declaration = serde_json::from_str(text).unwrap();
    let parties: Vec<_> = declaration.parties().collect();
    assert_eq!(
        parties,
        [
            (PartyRole::Declarant, "NL123456789"),
            (PartyRole::Importer, "NL987654321"),
            (PartyRole::Carrier, "NL555555555"),
        ]
    );
    // The exporter is known by name and address alone.
    assert_eq!(declaration.parties_in_full().count(), 4);
    assert_eq!(declaration.commodity_codes().collect::<Vec<_>>(), ["8517130000", "850440"]);
    let total: Vec<String> =
        declaration.total_value().iter().map(|m| format!("{} {}", m.amount, m.currency.code())).collect();
    assert_eq!(total, ["12600.50 EUR", "80 USD"]);
    assert_eq!(declaration.office_id(), Some("NL000396"));

    let rows: Vec<_> = declaration.rows(&context()).into_iter().map(named).collect();
    let shown = |row: usize, field: &str| rows[row].get(field).map(ToString::to_string);
    for (row, field, value) in [
        (0, "commodity_code", Some("8517130000")),
        (0, "procedure_code", Some("4000")),
        (0, "packages", Some("12")),
        (0, "container_id", Some("CSQU3054383")),
        (0, "departure_country", Some("CN")),
        (0, "currency", Some("EUR")),
        (1, "currency", Some("USD")),
        (1, "departure_country", Some("HK")),
        (1, "container_id", Some("MSKU9070323")),
        (1, "item_number", Some("2")),
        (1, "exporter_id", None),
        (1, "preference_code", Some("100")),
        (1, "lane", None),
    ] {
        assert_eq!(shown(row, field).as_deref(), value, "{row} {field}");
    }
}

#[test]
fn what_was_written_before_stays_readable() {
    let later =
        r#"{"functional_reference_id":"A","seals_of_tomorrow":[1],"declarant":{"id":"X","gender":"-"}}"#;
    let declaration: Declaration = serde_json::from_str(later).unwrap();
    assert_eq!(declaration.declarant.id.as_deref(), Some("X"));
    assert_eq!(serde_json::to_string(&Declaration::default()).unwrap(), "{}");
}

fn entries() -> impl Strategy<Value = Vec<BTreeMap<String, Value>>> {
    let item = (proptest::collection::vec(any::<bool>(), 60), 0_u32..3, 1_u64..1_000_000_000, 0_u32..4);
    proptest::collection::vec(item, 1..6).prop_map(|items| {
        // What belongs to the declaration as a whole is the same, or lacking, in every row.
        let whole = [
            "office_id",
            "process_type",
            "import_use",
            "transport_mode",
            "declarant_id",
            "importer_id",
            "exporter_id",
            "carrier_id",
        ];
        let first = items[0].0.clone();
        let of_item = |(number, (present, place, amount, scale)): (u32, (Vec<bool>, u32, u64, u32))| {
            let entry = full_entry(number).into_iter().zip(present.iter().zip(&first));
            let mut entry: BTreeMap<String, Value> = entry
                .filter(|((name, _), (own, first))| if whole.contains(&&**name) { **first } else { **own })
                .map(|((name, value), _)| match value {
                    Value::Decimal(_) if name != "item_number" => {
                        (name, Value::Decimal(Decimal::from_i128_with_scale(amount.into(), scale)))
                    }
                    Value::Text(_) if name == "departure_country" || name == "container_id" => {
                        (name, Value::Text(format!("P{place}")))
                    }
                    value => (name, value),
                })
                .collect();
            entry.insert("item_number".to_owned(), Value::Decimal(number.into()));
            if entry.contains_key("customs_value") != entry.contains_key("currency") {
                entry.remove("customs_value");
                entry.remove("currency");
            }
            entry
        };
        (1..).zip(items).map(of_item).collect()
    })
}

proptest! {
    #[test]
    fn entries_become_a_declaration_and_the_same_entries_again(entries in entries()) {
        let declaration = Declaration::from_rows("LRN", &entries);
        let rows = declaration.rows(&context());
        let again: Vec<_> = rows.into_iter().map(|row| {
            let mut row = named(row);
            OF_CUSTOMS.iter().for_each(|field| { row.remove(*field); });
            row
        }).collect();
        prop_assert_eq!(&again, &entries);
        prop_assert_eq!(Declaration::from_rows("LRN", &again), declaration);
    }

    #[test]
    fn written_and_read_again_a_declaration_is_the_same(entries in entries()) {
        let declaration = Declaration::from_rows("LRN", &entries);
        let text = serde_json::to_string(&declaration).unwrap();
        prop_assert_eq!(serde_json::from_str::<Declaration>(&text).unwrap(), declaration);
    }
}
