//! Any text as `map.toml`: it is refused with a place, or it reads records, and what is written reads back.
#![no_main]

use std::collections::BTreeMap;

use formats::csv::{CsvOptions, CsvSource};
use formats::{IntakeOptions, Mapping, RowSource, read_table};
use libfuzzer_sys::fuzz_target;
use spine::{Silent, declaration_entry};

const RECORDS: &[u8] = b"a,b,c\n1,2024-01-31,5\n2,31/01/2024,\"1.234,5\"\n,,\n3,20240131 10:00,-7\n";

fuzz_target!(|text: &str| {
    let mapping = match Mapping::from_toml(text) {
        Ok(mapping) => mapping,
        Err(finding) => {
            assert!(!finding.pointer.0.is_empty());
            return;
        }
    };
    let schema = declaration_entry::schema();
    let mut source = CsvSource::open(RECORDS, CsvOptions::default()).expect("records of our own");
    let findings = mapping.check(source.headers(), &schema);
    if let Ok(intake) = read_table(&mut source, &mapping, &schema, IntakeOptions::default(), &Silent) {
        assert!(findings.is_empty());
        assert_eq!(intake.rows_read, 4);
        assert_eq!(intake.rows_quarantined as usize + intake.table.len(), 4);
        let written = mapping.to_toml(&schema, &BTreeMap::new());
        assert_eq!(Mapping::from_toml(&written).expect("what is written"), mapping);
    }
});
