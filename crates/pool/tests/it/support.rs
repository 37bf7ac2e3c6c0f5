//! What the tests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::{Intake, Mapping};
use pool::event::{ContractReference, FileReference, SchemaReference, SourceReference};
use pool::{
    BatchRecord, EntriesMetadata, EntriesReader, NewEntries, PoolFolder, ReadEntries, SourceContract,
};
use spine::{EntrySchema, EntryTable, Silent};

pub(crate) fn schema() -> Arc<EntrySchema> {
    spine::declaration_entry::schema()
}

pub(crate) fn metadata(batch: &str) -> EntriesMetadata {
    EntriesMetadata {
        batch: batch.to_owned(),
        contract_sha256: SourceContract::declarations().sha256(),
        source_sha256: "5".repeat(64),
    }
}

pub(crate) fn write(folder: &PoolFolder, table: &EntryTable, batch: &str) -> FileReference {
    let lines: Vec<u64> = (2..).take(table.len()).collect();
    let entries = NewEntries { table, lines: &lines, mends_lines: None };
    folder.write_entries(entries, &metadata(batch), &Silent).unwrap()
}

pub(crate) fn read(folder: &PoolFolder, sha256: &str, schema: &Arc<EntrySchema>) -> ReadEntries {
    let mut reader = EntriesReader::new(schema);
    folder.read_entries(sha256, None, &mut reader).unwrap();
    reader.finish()
}

/// A file read through the mapping that is proposed for it.
pub(crate) fn read_proposed(path: &Path) -> (Mapping, Intake) {
    let mapping = pool::propose_for_file(path, &schema(), None).unwrap().mapping;
    let intake = pool::read_file(path, &mapping, &schema(), &Silent).unwrap();
    (mapping, intake)
}

pub(crate) fn save(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

pub(crate) fn record(batch: &str, files: Vec<FileReference>) -> BatchRecord {
    BatchRecord {
        batch: batch.to_owned(),
        contract: ContractReference { name: "declarations".into(), sha256: "c".repeat(64) },
        schema: SchemaReference { id: "declaration_item".into(), version: 1 },
        source: SourceReference { name: "a.csv".into(), sha256: "5".repeat(64), bytes: 10, kept: false },
        outcomes: None,
        mends: None,
        rows_read: 3,
        rows: files.iter().map(|file| file.rows).sum(),
        rows_quarantined: 0,
        unknown: [("commodity_code".to_owned(), 1)].into(),
        first_date: Some("2024-01-31".parse().unwrap()),
        last_date: None,
        rows_simulated: 0,
        files,
        quarantine: None,
        verdict: Vec::new(),
        findings: Vec::new(),
        finding_groups_left_out: 0,
        unused_columns: Vec::new(),
        rewritten: None,
        mapping: Mapping::new(&schema()),
    }
}
