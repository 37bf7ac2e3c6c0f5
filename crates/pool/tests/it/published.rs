//! Published records go through the pool and come back as they were read.

use std::path::{Path, PathBuf};

use pool::PoolFolder;

use crate::support::{read, read_proposed, schema, write};

fn published() -> Option<PathBuf> {
    let root = std::env::var_os("TIDEWAITER_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    Some(root.join("declarations/declarations_valid.csv")).filter(|file| file.exists())
}

#[test]
fn published_declarations_come_back_as_they_were_read() {
    let Some(file) = published() else {
        println!("skipped: published declarations (set TIDEWAITER_CASES to the folder of external data)");
        return;
    };
    let (_, intake) = read_proposed(&file);
    assert_eq!((intake.rows_read, intake.rows_quarantined), (8_134, 0));
    let place = tempfile::tempdir().unwrap();
    let folder = PoolFolder::open(place.path()).unwrap();
    let stored = write(&folder, &intake.table, "published");
    assert_eq!(read(&folder, &stored.sha256, &schema()).table, intake.table);
    let delivered = std::fs::metadata(&file).unwrap().len();
    assert!(stored.bytes * 2 < delivered, "{} bytes of {delivered}", stored.bytes);
    // What the pool wrote is a source like any other.
    let (_, again) = read_proposed(&folder.file(&stored.sha256));
    assert_eq!(again.table.len(), intake.table.len());
    for field in ["declaration_id", "date", "commodity_code", "net_mass", "customs_value", "irregular"] {
        for row in [0, 4_000, 8_133] {
            assert_eq!(again.table.value(row, field), intake.table.value(row, field), "{field} of row {row}");
        }
    }
}
