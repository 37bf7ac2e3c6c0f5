//! Any bytes as a file of records: each row is an entry or quarantined, and nothing panics.
#![no_main]

use formats::csv::{CsvOptions, CsvSource};
use formats::{IntakeOptions, RowSource, propose, read_table};
use libfuzzer_sys::fuzz_target;
use spine::{Silent, declaration_entry};

fuzz_target!(|bytes: &[u8]| {
    let schema = declaration_entry::schema();
    let Ok(mut source) = CsvSource::open(bytes, CsvOptions::default()) else { return };
    let mut sample = Vec::new();
    let mut cells = Vec::new();
    while sample.len() < 50 {
        match source.next_row(&mut cells) {
            Ok(Some(_)) => sample.push(cells.clone()),
            _ => break,
        }
    }
    let mut mapping = propose(source.headers(), &sample, &schema, None).mapping;
    for required in ["declaration_id", "date"] {
        // Reach the rows even where the proposal found no column for what is required.
        let first = source.headers().iter().find(|header| !header.is_empty());
        if let Some(column) = first {
            mapping
                .fields
                .entry(required.to_owned())
                .or_insert_with(|| formats::FieldMapping::column(column));
        }
    }
    let Ok(mut source) = CsvSource::open(bytes, CsvOptions::default()) else { return };
    if let Ok(intake) = read_table(&mut source, &mapping, &schema, IntakeOptions::default(), &Silent) {
        let entries = u64::try_from(intake.table.len()).expect("a table fits into memory");
        assert_eq!(intake.rows_read, entries + intake.rows_quarantined);
        assert_eq!(intake.lines.len(), intake.table.len());
    }
});
