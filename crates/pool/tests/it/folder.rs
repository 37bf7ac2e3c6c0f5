//! Files are there whole or not at all.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pool::{NewEntries, PoolError, PoolFolder, SWEEP_GRACE};
use rust_decimal::Decimal;
use spine::{EntryTable, Progress, Value};

use crate::support::{metadata, read, save, schema, write};

fn table(rows: i64) -> EntryTable {
    let schema = schema();
    let mut table = EntryTable::empty(Arc::clone(&schema));
    for number in 0..rows {
        // Numbers that do not repeat, so that the file cannot be squeezed into nothing.
        let text = format!("{:x}", number.wrapping_mul(0x5851_F42D_4C95_7F2D));
        let values = schema.fields.iter().map(|field| match field.name.as_str() {
            "declaration_id" | "importer_id" => Some(Value::Text(format!("{text}-{}", field.name))),
            "net_mass" => Some(Value::Decimal(Decimal::new(number.wrapping_mul(7_919), 3))),
            _ => None,
        });
        table.push(values.collect()).unwrap();
    }
    table
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_no_event_names_is_swept_after_its_grace_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let folder = PoolFolder::open(place.path()).unwrap();
    let admitted = write(&folder, &table(3), "admitted");
    let orphan = write(&folder, &table(4), "stopped before its event");
    save(place.path(), ".1234-0.part", b"stopped in the middle");
    save(place.path(), "catalogue.sqlite", b"");
    let named = |sha256: &str| sha256 == admitted.sha256;
    let now = SystemTime::now();
    assert_eq!(folder.sweep(named, SWEEP_GRACE, now).unwrap(), Vec::<PathBuf>::new());
    let later = now + SWEEP_GRACE + Duration::from_secs(60);
    let mut swept = folder.sweep(named, SWEEP_GRACE, later).unwrap();
    swept.sort();
    assert_eq!(swept, [place.path().join(".1234-0.part"), folder.file(&orphan.sha256)]);
    let mut kept = [format!("{}.parquet", admitted.sha256), "catalogue.sqlite".to_owned()];
    kept.sort();
    assert_eq!(names(place.path()), kept);
    assert_eq!(read(&folder, &admitted.sha256, &schema()).table, table(3));
}

struct Impatient;

impl Progress for Impatient {
    fn report(&self, _: &'static str, _: u64, _: u64) {}

    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn a_cancelled_write_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let folder = PoolFolder::open(place.path()).unwrap();
    let table = table(10);
    let entries = NewEntries { table: &table, lines: &[2; 10], mends_lines: None };
    let cancelled = folder.write_entries(entries, &metadata("b"), &Impatient).unwrap_err();
    assert_eq!((cancelled, names(place.path())), (PoolError::Cancelled, vec![]));
}

/// A file system of a few megabytes of its own, where this machine lets us have one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(at).output().ok()?;
        mounted.status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        println!("unmounted: {unmounted:?}");
    }
}

#[test]
fn a_full_disk_refuses_whole_leaves_nothing_half_and_goes_on_when_there_is_room() {
    let place = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(place.path()) else {
        println!("SKIPPED full disk: mounting a small file system is not allowed here");
        return;
    };
    let folder = PoolFolder::open(place.path()).unwrap();
    let small = write(&folder, &table(100), "small");
    let large = table(60_000);
    let lines = vec![2; large.len()];
    let entries = NewEntries { table: &large, lines: &lines, mends_lines: None };
    let refused = folder.write_entries(entries, &metadata("large"), &spine::Silent).unwrap_err();
    assert_eq!(refused.code(), "disk_full", "{refused}");
    assert_eq!(names(place.path()), [format!("{}.parquet", small.sha256)]);
    let next = write(&folder, &table(200), "next");
    assert_eq!(read(&folder, &next.sha256, &schema()).table.len(), 200);
    assert_eq!(read(&folder, &small.sha256, &schema()).table.len(), 100);
}
