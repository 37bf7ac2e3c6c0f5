//! Entries come back from Parquet exactly as they went in.

use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use pool::{EntriesReader, NewEntries, PoolError, PoolFolder};
use proptest::prelude::*;
use rust_decimal::Decimal;
use spine::{EntrySchema, EntryTable, FieldDefinition, FieldType, LocalizedText, Sensitivity, Silent, Value};

use crate::support::{metadata, read, save, write};

const TYPES: [FieldType; 5] =
    [FieldType::Text, FieldType::Decimal, FieldType::Date, FieldType::DateTime, FieldType::Boolean];

fn small_schema() -> Arc<EntrySchema> {
    let field = |field_type: FieldType| FieldDefinition {
        name: format!("a_{}", field_type.name()),
        field_type,
        unit: None,
        sensitivity: Sensitivity::Official,
        required: false,
        title: LocalizedText::default(),
    };
    Arc::new(EntrySchema { id: "small".into(), version: 1, fields: TYPES.map(field).to_vec() })
}

fn value(field_type: FieldType) -> BoxedStrategy<Option<Value>> {
    let present = match field_type {
        FieldType::Text => "\\PC{0,12}".prop_map(Value::Text).boxed(),
        FieldType::Decimal => (any::<i64>(), 0_u32..=19)
            .prop_map(|(number, scale)| Value::Decimal(Decimal::from_i128_with_scale(number.into(), scale)))
            .boxed(),
        FieldType::Date => (-4_371_587_i64..=2_932_896)
            .prop_map(|days| {
                let epoch: Date = "1970-01-01".parse().unwrap();
                Value::Date(epoch.checked_add(jiff::SignedDuration::from_hours(days * 24)).unwrap())
            })
            .boxed(),
        FieldType::DateTime => any::<i32>()
            .prop_map(|seconds| {
                let epoch: DateTime = "1970-01-01T00:00:00.000007".parse().unwrap();
                Value::DateTime(epoch.checked_add(jiff::SignedDuration::from_secs(seconds.into())).unwrap())
            })
            .boxed(),
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
    };
    proptest::option::weighted(0.8, present).boxed()
}

fn rows() -> impl Strategy<Value = Vec<Vec<Option<Value>>>> {
    proptest::collection::vec(TYPES.map(value).to_vec(), 0..60)
}

fn table(rows: Vec<Vec<Option<Value>>>) -> EntryTable {
    let mut table = EntryTable::empty(small_schema());
    for row in rows {
        table.push(row).unwrap();
    }
    table
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_again_and_twice_gives_the_same_file(rows in rows()) {
        let place = tempfile::tempdir().unwrap();
        let folder = PoolFolder::open(place.path()).unwrap();
        let table = table(rows);
        let file = write(&folder, &table, "b1");
        prop_assert_eq!(&write(&folder, &table, "b1"), &file);
        let back = read(&folder, &file.sha256, table.schema());
        prop_assert_eq!(&back.table, &table);
        prop_assert_eq!(back.lines.len(), table.len());
        prop_assert!(back.mends_lines.is_empty());
    }

    #[test]
    fn any_page_of_a_file_is_that_part_of_it(rows in rows(), from in 0_usize..70, many in 0_usize..70) {
        let place = tempfile::tempdir().unwrap();
        let folder = PoolFolder::open(place.path()).unwrap();
        let table = table(rows);
        let file = write(&folder, &table, "b1");
        let mut reader = EntriesReader::new(table.schema());
        folder.read_entries(&file.sha256, Some(from..from + many), &mut reader).unwrap();
        let page = reader.finish();
        let expected: Vec<usize> = (from..(from + many).min(table.len())).collect();
        prop_assert_eq!(page.table.len(), expected.len());
        for (at, row) in expected.into_iter().enumerate() {
            prop_assert_eq!(page.lines[at], u64::try_from(row).unwrap() + 2);
            for kind in TYPES {
                let name = format!("a_{}", kind.name());
                prop_assert_eq!(page.table.value(at, &name), table.value(row, &name));
            }
        }
    }
}

#[test]
fn more_rows_than_one_chunk_come_back_and_only_the_asked_fields_are_read() {
    let place = tempfile::tempdir().unwrap();
    let folder = PoolFolder::open(place.path()).unwrap();
    let mut long = EntryTable::empty(small_schema());
    for number in 0..140_000_i64 {
        let text = (number % 3 != 0).then(|| Value::Text(format!("trader {}", number % 977)));
        let amount = Some(Value::Decimal(Decimal::new(number, 2)));
        long.push(vec![text, amount, None, None, Some(Value::Boolean(number % 2 == 0))]).unwrap();
    }
    let file = write(&folder, &long, "b1");
    assert_eq!(read(&folder, &file.sha256, long.schema()).table, long);
    let mut reader = EntriesReader::of_fields(long.schema(), |name| name == "a_decimal");
    folder.read_entries(&file.sha256, Some(139_999..140_001), &mut reader).unwrap();
    let last = reader.finish();
    assert_eq!(last.table.value(0, "a_decimal"), Some(Value::Decimal(Decimal::new(139_999, 2))));
    assert_eq!((last.table.value(0, "a_text"), last.lines), (None, vec![140_001]));
}

#[test]
fn what_cannot_be_stored_without_loss_is_refused_with_its_column() {
    let place = tempfile::tempdir().unwrap();
    let folder = PoolFolder::open(place.path()).unwrap();
    let huge = Some(Value::Decimal("79228162514264337593543950335".parse().unwrap()));
    let tiny = Some(Value::Decimal("0.0000000001".parse().unwrap()));
    let fine = Some(Value::DateTime("2024-01-31T00:00:00.000000001".parse().unwrap()));
    let table = table(vec![vec![None, huge, None, fine, None], vec![None, tiny, None, None, None]]);
    let entries = NewEntries { table: &table, lines: &[2, 3], mends_lines: None };
    let refused = folder.write_entries(entries, &metadata("b1"), &Silent).unwrap_err();
    let PoolError::Unstorable(findings) = refused else { panic!("{refused}") };
    let told: Vec<String> = findings.iter().map(|f| format!("{} {}", f.pointer, f.code)).collect();
    assert_eq!(told, ["fields.a_decimal number_too_long", "fields.a_date_time time_too_fine"]);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_field_that_came_later_is_absent_in_an_earlier_file_and_another_schema_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = PoolFolder::open(place.path()).unwrap();
    let earlier = table(vec![vec![Some(Value::Text("x".into())), None, None, None, None]]);
    let file = write(&folder, &earlier, "b1");
    let mut wider = EntrySchema::clone(&small_schema());
    wider.fields.push(FieldDefinition { name: "later".into(), ..wider.fields[0].clone() });
    let back = read(&folder, &file.sha256, &Arc::new(wider.clone())).table;
    assert_eq!((back.value(0, "a_text"), back.value(0, "later")), (Some(Value::Text("x".into())), None));
    wider.id = "other".into();
    let mut reader = EntriesReader::new(&Arc::new(wider));
    let refused = folder.read_entries(&file.sha256, None, &mut reader).unwrap_err();
    assert_eq!(refused.code(), "pool_file_damaged");
}

#[test]
fn a_file_that_is_not_the_one_that_was_admitted_is_told() {
    let place = tempfile::tempdir().unwrap();
    let folder = PoolFolder::open(place.path()).unwrap();
    let file = write(&folder, &table(vec![vec![None; 5]]), "b1");
    let path = folder.file(&file.sha256);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let fails = |sha256: &str| {
        let mut reader = EntriesReader::new(&small_schema());
        folder.read_entries(sha256, None, &mut reader).unwrap_err().code()
    };
    assert_eq!(fails(&file.sha256), "pool_file_damaged");
    assert_eq!(fails(&"0".repeat(64)), "pool_file_missing");
    // Whole and named by its own hash, but not a file of the pool.
    let foreign = save(place.path(), "foreign", b"PAR1 and nothing more");
    let sha256 = pool::source_reference(&foreign, None, &Silent).unwrap().sha256;
    std::fs::rename(foreign, folder.file(&sha256)).unwrap();
    assert_eq!(fails(&sha256), "pool_file_damaged");
}
