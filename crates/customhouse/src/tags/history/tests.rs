//! Tags put on entries of the past: what is kept equals what the entries say, whatever happens in between.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::rules::Lists;
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use journal::log::files::{Faults, FaultyDisk};
use packs::Registry;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use spine::{Progress, Silent};

use super::backfill::{Backfill, Entries, Rules, Work};
use super::folder::{Folder, MANIFEST};
use super::manifest::Manifest;
use super::*;

/// Importer, commodity code, value, weight.
type Row = (Option<String>, String, Option<i64>, f64);
type Expected = BTreeMap<(String, String), (u64, u64, u64)>;

/// A rule in both languages.
#[derive(Clone, Copy)]
struct Rule {
    id: &'static str,
    when: &'static str,
    holds: fn(&Row) -> bool,
}

const PHONES: Rule =
    Rule { id: "phones", when: r#"code.startsWith("8517")"#, holds: |row| row.1.starts_with("8517") };
const DEAR: Rule =
    Rule { id: "dear", when: "value > 500", holds: |row| row.2.is_some_and(|value| value > 500) };
const DEARER: Rule =
    Rule { id: "dear", when: "value > 800", holds: |row| row.2.is_some_and(|value| value > 800) };
const UNKNOWN: Rule = Rule { id: "no value", when: "!has(value)", holds: |row| row.2.is_none() };
const HALF: Rule = Rule {
    id: "half",
    when: "weight >= 0.5 && code in watched",
    holds: |row| row.3 >= 0.5 && row.1 == "610910",
};
const ALL: Rule = Rule { id: "all", when: "true", holds: |_| true };

/// The same rows for the same seed.
fn rows(seed: u64, count: usize) -> Vec<Row> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let row = |_| {
        let importer = match next(20) {
            0 => None,
            number => Some(format!("IMP-{}", number % 7 * next(2) + number)),
        };
        let code = ["851712", "851770", "610910", "090111"][usize::try_from(next(4)).unwrap()].to_owned();
        let value = (next(8) > 0).then(|| i64::try_from(next(1_000)).unwrap());
        (importer, code, value, f64::from(u32::try_from(next(100)).unwrap()) / 100.0)
    };
    (0..count).map(row).collect()
}

fn write_entries(path: &Path, rows: &[Row]) {
    let columns: [(&str, ArrayRef); 4] = [
        ("importer", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.0.as_deref())))),
        ("code", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1)))),
        ("value", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.2)))),
        ("weight", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.3)))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    // Small row groups: reading begins in the middle of a file, too.
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(64)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn write_rules(path: &Path, rules: &[Rule]) {
    let line = |rule: &Rule| serde_json::json!({ "id": rule.id, "when": rule.when }).to_string() + "\n";
    fs::write(path, rules.iter().map(line).collect::<String>()).unwrap();
}

fn lists(codes: &[&str]) -> Lists {
    let codes = codes.iter().map(|code| (*code).to_owned()).collect::<BTreeSet<_>>();
    Lists(BTreeMap::from([("watched".to_owned(), codes)]))
}

fn expected(rules: &[Rule], rows: &[Row]) -> Expected {
    let mut all = Expected::new();
    for (entry, row) in (0_u64..).zip(rows) {
        for rule in rules.iter().filter(|rule| (rule.holds)(row)) {
            let importer = row.0.clone().unwrap_or_default();
            let own = all.entry((rule.id.to_owned(), importer)).or_insert((0, entry, entry));
            *own = (own.0 + 1, own.1, entry);
        }
    }
    all
}

/// Everything that a folder keeps, found by its tags and again entity by entity.
fn kept(folder: &Folder) -> Expected {
    let mut all = Expected::new();
    for tag in &folder.manifest.tags {
        folder
            .of_tag(tag.number, |own| {
                let name = folder.names.name(own.entity).unwrap_or_default().to_owned();
                let known = all.entry((tag.id.clone(), name)).or_insert((0, own.first, own.last));
                *known = (known.0 + own.entries, known.1.min(own.first), known.2.max(own.last));
            })
            .unwrap();
    }
    for ((tag, name), own) in &all {
        let nobody = ::tags::history::NOBODY;
        let entity = if name.is_empty() { nobody } else { folder.names.number(name).unwrap() };
        let tag = folder.tag(tag).unwrap().number;
        let found = folder.lineage(tag, entity).unwrap().unwrap();
        assert_eq!((found.entries, found.first, found.last), *own, "{name}");
    }
    all
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn entries(&self, name: &str, rows: &[Row]) -> PathBuf {
        let path = self.at(name);
        write_entries(&path, rows);
        path
    }

    /// Brings the folder up to these rules, with the list as it is now.
    fn run(&self, rules: &[Rule], files: &[PathBuf], lists: Lists, threads: usize) -> BackfillReport {
        write_rules(&self.at("rules.jsonl"), rules);
        let folder = Folder::open(&self.at("history"), Some("importer")).unwrap();
        let rules = self.at("rules.jsonl");
        let work = Work { rules: Rules::File(&rules), entries: Entries::Files(files), threads, matrix: true };
        Backfill::new(folder, lists, &Silent).run(&work).unwrap()
    }

    fn manifest(&self) -> Manifest {
        Folder::open(&self.at("history"), None).unwrap().manifest
    }

    /// Changes what stands in the folder's manifest.
    fn rewrite(&self, change: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) {
        let path = self.at("history").join(MANIFEST);
        let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(manifest.as_object_mut().unwrap());
        fs::write(&path, manifest.to_string()).unwrap();
    }

    fn kept(&self) -> Expected {
        kept(&Folder::open(&self.at("history"), None).unwrap())
    }
}

#[test]
fn what_is_missing_is_done_and_nothing_twice() {
    let place = Place::new();
    let (first, second) = (rows(1, 700), rows(2, 300));
    let files = [place.entries("a.parquet", &first), place.entries("b.parquet", &second)];
    let watched = || lists(&["610910"]);

    let report = place.run(&[PHONES, DEAR, HALF], &files[..1], watched(), 1);
    assert_eq!((report.asked, report.new_tags, report.complete, report.matrix), (700, 3, true, true));
    assert_eq!(place.kept(), expected(&[PHONES, DEAR, HALF], &first));

    let again = place.run(&[PHONES, DEAR, HALF], &[], watched(), 1);
    assert_eq!((again.asked, again.new_tags, again.complete), (0, 0, true), "there was nothing left to do");

    // A new rule is asked of all entries, the others of none; one that is gone is gone. Nobody looks for names again.
    assert_eq!(place.manifest().entities_known(), 700);
    let report = place.run(&[PHONES, UNKNOWN, HALF], &[], watched(), 2);
    assert_eq!((report.asked, report.new_tags), (700, 1));
    assert_eq!(place.kept(), expected(&[PHONES, UNKNOWN, HALF], &first));

    // A new file is asked of all.
    let report = place.run(&[PHONES, UNKNOWN, HALF], &files, watched(), 1);
    assert_eq!((report.asked, report.new_tags), (300, 0));
    let all: Vec<Row> = first.into_iter().chain(second).collect();
    assert_eq!(place.kept(), expected(&[PHONES, UNKNOWN, HALF], &all));

    // The same id with another meaning begins anew, whether its condition or a list that it names was changed.
    let report = place.run(&[DEAR, HALF], &[], watched(), 1);
    assert_eq!((report.asked, report.new_tags), (1_000, 1));
    let report = place.run(&[DEARER, HALF], &[], watched(), 1);
    assert_eq!((report.asked, report.new_tags), (1_000, 1));
    assert_eq!(place.kept(), expected(&[DEARER, HALF], &all));
    let report = place.run(&[DEARER, HALF], &[], lists(&["090111"]), 1);
    assert_eq!((report.asked, report.new_tags), (1_000, 1), "a list was replaced");
    let other = Rule { holds: |row| row.3 >= 0.5 && row.1 == "090111", ..HALF };
    assert_eq!(place.kept(), expected(&[DEARER, other], &all));
}

/// A folder of the version before has neither entities nor more than one matrix: it goes on, and gets them.
#[test]
fn a_folder_of_the_version_before_goes_on() {
    let place = Place::new();
    let (first, second) = (rows(4, 300), rows(5, 200));
    let files = [place.entries("a.parquet", &first), place.entries("b.parquet", &second)];
    place.run(&[PHONES, DEAR], &files[..1], Lists::default(), 1);
    place.rewrite(|manifest| {
        let matrices = manifest.remove("matrices").unwrap();
        manifest.insert("matrix".to_owned(), matrices[0]["file"].clone());
        manifest.remove("entities").unwrap();
        for source in manifest.get_mut("sources").unwrap().as_array_mut().unwrap() {
            source.as_object_mut().unwrap().remove("stamp");
        }
    });
    let report = place.run(&[PHONES, DEAR], &files, Lists::default(), 1);
    assert_eq!((report.asked, report.complete, report.matrix), (200, true, true));
    assert_eq!(place.manifest().entities_known(), 0, "those of the first entries are not known");
    let all: Vec<Row> = first.into_iter().chain(second).collect();
    assert_eq!(place.kept(), expected(&[PHONES, DEAR], &all));
    for _ in 0..2 {
        let report = place.run(&[PHONES, DEAR, UNKNOWN], &files, Lists::default(), 1);
        assert!(report.complete && report.matrix);
        assert_eq!(place.manifest().entities_known(), 500);
        assert_eq!(place.kept(), expected(&[PHONES, DEAR, UNKNOWN], &all));
    }
}

/// Tags that come one by one have matrices side by side, of which there are few; what they answer together is what one
/// would.
#[test]
fn matrices_side_by_side_answer_as_one() {
    let place = Place::new();
    let all = rows(6, 400);
    let files = [place.entries("a.parquet", &all)];
    let dearer = Rule { id: "dearer", ..DEARER };
    let sequences: [&[Rule]; 6] = [
        &[PHONES, UNKNOWN, ALL],
        &[PHONES, UNKNOWN, ALL, DEAR],
        &[DEAR, PHONES, UNKNOWN, ALL, HALF],
        &[DEAR, UNKNOWN, HALF, ALL],
        &[HALF, ALL, DEARER],
        &[PHONES, HALF, ALL, DEARER, UNKNOWN, dearer],
    ];
    let entities = |own: &Expected, id: &str| -> BTreeSet<String> {
        let named = own.keys().filter(|(tag, name)| tag == id && !name.is_empty());
        named.map(|(_, name)| name.clone()).collect()
    };
    let mut most = 0;
    for rules in sequences {
        place.run(rules, &files, lists(&["610910"]), 1);
        let matrices = place.manifest().matrices.len();
        most = most.max(matrices);
        assert!(matrices <= 3, "{matrices}");
        let whole = expected(rules, &all);
        // An id with a space in it is no name of the language.
        for rule in rules.iter().filter(|rule| !rule.id.contains(' ')) {
            let found = select_in_history(&place.at("history"), rule.id, 100, 100).unwrap();
            let own = entities(&whole, rule.id);
            assert_eq!(found.named.into_iter().collect::<BTreeSet<_>>(), own);
            let mut tags: Vec<(usize, String, u32)> = Vec::new();
            for (at, rule) in rules.iter().enumerate() {
                let both = entities(&whole, rule.id).intersection(&own).count();
                if both > 0 {
                    tags.push((at, rule.id.to_owned(), u32::try_from(both).unwrap()));
                }
            }
            tags.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
            let tags: Vec<(String, u32)> = tags.into_iter().map(|(_, id, count)| (id, count)).collect();
            assert_eq!(found.tags, tags);
        }
    }
    assert!(most > 1, "new tags had a matrix of their own");
}

/// A file that did not change for a while is known by how the system describes it; one that was changed in place, and
/// made to look as old and as long as before, is not.
#[cfg(unix)]
#[test]
fn a_file_that_changed_in_place_is_found_though_it_looks_the_same() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    let files = [place.entries("a.parquet", &rows(1, 200))];
    place.run(&[PHONES, DEAR], &files, Lists::default(), 1);
    assert_eq!(place.manifest().sources[0].stamp, None, "it is too new to be known by its stamp");

    let there = fs::metadata(&files[0]).unwrap();
    let nanoseconds = |seconds: i64, rest: i64| serde_json::json!(seconds * 1_000_000_000 + rest);
    place.rewrite(|manifest| {
        manifest["sources"][0]["stamp"] = serde_json::json!({
            "device": there.dev(),
            "inode": there.ino(),
            "bytes": there.size(),
            "modified_ns": nanoseconds(there.mtime(), there.mtime_nsec()),
            "changed_ns": nanoseconds(there.ctime(), there.ctime_nsec()),
        });
        // So that a hash that is computed is another.
        manifest["sources"][0]["sha256"] = "0".repeat(64).into();
    });
    let run = || {
        let folder = Folder::open(&place.at("history"), None).unwrap();
        let entries = Entries::Files(&[]);
        let work = Work { rules: Rules::Kept, entries, threads: 1, matrix: true };
        Backfill::new(folder, Lists::default(), &Silent).run(&work)
    };
    assert!(run().unwrap().complete, "its hash was not asked for");

    let file = File::options().write(true).open(&files[0]).unwrap();
    std::os::unix::fs::FileExt::write_at(&file, b"X", 100).unwrap();
    file.set_modified(there.modified().unwrap()).unwrap();
    drop(file);
    let now = fs::metadata(&files[0]).unwrap();
    assert_eq!((now.len(), now.modified().unwrap()), (there.len(), there.modified().unwrap()));
    assert_eq!(run().unwrap_err().code, "entries_changed");
}

/// Asks to stop when it was told so often.
struct StopsAfter(AtomicU64);

impl Progress for StopsAfter {
    fn report(&self, _: &'static str, _: u64, _: u64) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    }

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

#[test]
fn a_run_that_is_stopped_goes_on() {
    let place = Place::new();
    let parts: Vec<Vec<Row>> = (0..20).map(|seed| rows(seed, 40)).collect();
    let files: Vec<PathBuf> =
        parts.iter().enumerate().map(|(at, rows)| place.entries(&format!("{at}.parquet"), rows)).collect();
    write_rules(&place.at("rules.jsonl"), &[PHONES, DEAR, ALL]);
    let rules = place.at("rules.jsonl");
    let work = Work { rules: Rules::File(&rules), entries: Entries::Files(&files), threads: 1, matrix: true };
    let (mut stopped, mut done_before) = (0, 0);
    loop {
        let folder = Folder::open(&place.at("history"), Some("importer")).unwrap();
        let checks = u64::try_from(files.len()).unwrap() + 4;
        let report = Backfill::new(folder, Lists::default(), &StopsAfter(checks.into())).run(&work);
        let report = match report {
            Ok(report) => report,
            Err(error) => panic!("{error}"),
        };
        assert!(report.done > done_before, "each run comes further");
        done_before = report.done;
        if report.complete {
            break;
        }
        stopped += 1;
    }
    assert!(stopped > 2, "it was stopped {stopped} times");
    assert_eq!(place.kept(), expected(&[PHONES, DEAR, ALL], &parts.concat()));
}

/// The power fails at every operation on the disk: what was kept stays, and the next run makes the rest, as if nothing
/// had happened.
#[test]
fn a_run_that_loses_power_at_any_moment_goes_on() {
    let place = Place::new();
    let parts: Vec<Vec<Row>> = (0..18).map(|seed| rows(seed, 20)).collect();
    let files: Vec<PathBuf> =
        parts.iter().enumerate().map(|(at, rows)| place.entries(&format!("{at}.parquet"), rows)).collect();
    write_rules(&place.at("rules.jsonl"), &[PHONES, DEAR, ALL]);
    let rules = place.at("rules.jsonl");
    let work = Work { rules: Rules::File(&rules), entries: Entries::Files(&files), threads: 1, matrix: true };
    let run = |disk: &Arc<FaultyDisk>| {
        let folder = Folder::on(Arc::<FaultyDisk>::clone(disk), Some("importer"))?;
        Backfill::new(folder, Lists::default(), &Silent).run(&work)
    };
    let whole = expected(&[PHONES, DEAR, ALL], &parts.concat());

    let undisturbed = Arc::new(FaultyDisk::new(7, Faults::default()));
    assert!(run(&undisturbed).unwrap().complete);
    let operations = undisturbed.operations();
    assert!(operations > 100, "{operations} operations");
    let (mut went_on, mut merged) = (0, false);
    for dies_at in 1..=operations {
        let disk = Arc::new(FaultyDisk::new(dies_at, Faults { dies_at: Some(dies_at), ..Faults::default() }));
        assert!(run(&disk).is_err(), "the disk died at operation {dies_at}");
        disk.restart_after_power_loss(Faults::default());
        let before = Folder::on(Arc::<FaultyDisk>::clone(&disk), Some("importer")).unwrap();
        let done = before.manifest.cohorts.iter().map(|cohort| cohort.done).sum::<u64>();
        merged |= before.manifest.runs.iter().any(|run| run.level > 0);
        let rows_done = parts.concat().into_iter().take(usize::try_from(done).unwrap()).collect::<Vec<_>>();
        assert_eq!(kept(&before), expected(&[PHONES, DEAR, ALL], &rows_done), "what was kept at {dies_at}");
        drop(before);
        let report = run(&disk).unwrap();
        assert!(report.complete, "{dies_at}");
        went_on += u64::from(report.asked < 360);
        let after = Folder::on(Arc::<FaultyDisk>::clone(&disk), None).unwrap();
        assert_eq!(kept(&after), whole, "after the loss at {dies_at}");
        assert_eq!(after.manifest.entities_known(), 360);
        let named = whole.keys().filter(|(_, name)| !name.is_empty()).count();
        let matrices = &after.manifest.matrices;
        let pairs = matrices.iter().map(|own| after.matrix(own).unwrap().unwrap().pairs()).sum::<u64>();
        assert_eq!(pairs, u64::try_from(named).unwrap());
    }
    // Another tag finds whose the entries are as they were kept, whatever happened.
    let disk = Arc::new(FaultyDisk::new(1, Faults { dies_at: Some(operations / 2), ..Faults::default() }));
    run(&disk).unwrap_err();
    disk.restart_after_power_loss(Faults::default());
    run(&disk).unwrap();
    write_rules(&place.at("rules.jsonl"), &[PHONES, DEAR, ALL, UNKNOWN]);
    assert!(run(&disk).unwrap().complete);
    let after = Folder::on(Arc::<FaultyDisk>::clone(&disk), None).unwrap();
    assert_eq!(kept(&after), expected(&[PHONES, DEAR, ALL, UNKNOWN], &parts.concat()));
    assert!(went_on > operations / 2, "most runs went on where the last part ended: {went_on}");
    assert!(merged, "runs were merged before the end");
}

#[test]
fn questions_and_reasons() {
    let place = Place::new();
    let mut all = rows(3, 500);
    all[17] = (Some("IMP-X".to_owned()), "610910".to_owned(), Some(900), 0.1 + 0.4);
    let files = [place.entries("a.parquet", &all)];
    let rules = [PHONES, DEAR, Rule { when: "weight >= 0.5", holds: |row| row.3 >= 0.5, ..HALF }];
    place.run(&rules, &files, Lists::default(), 1);
    let folder = place.at("history");
    let whole = expected(&rules, &all);
    let carriers = |id: &str| -> BTreeSet<&str> {
        whole
            .keys()
            .filter(|(tag, name)| tag == id && !name.is_empty())
            .map(|(_, name)| name.as_str())
            .collect()
    };
    let found = select_in_history(&folder, "dear && !phones", 3, 100).unwrap();
    let wanted: BTreeSet<&str> = carriers("dear").difference(&carriers("phones")).copied().collect();
    assert_eq!(found.named.iter().map(String::as_str).collect::<BTreeSet<_>>(), wanted);
    assert_eq!((found.count, found.complete), (u64::try_from(wanted.len()).unwrap(), true));
    assert!(wanted.contains("IMP-X"));

    // Without a matrix the tags that are asked for are read.
    fs::remove_dir_all(folder.join("matrix")).unwrap();
    let again = select_in_history(&folder, "dear && !phones", 3, 100).unwrap();
    assert_eq!((again.count, &again.named, again.tags.len()), (found.count, &found.named, 0));

    // A matrix of other rules is not asked: what stands there is of those that are in force.
    write_rules(&place.at("rules.jsonl"), &rules[1..]);
    let stopped = StopsAfter(AtomicU64::new(1));
    let path = place.at("rules.jsonl");
    let work = Work { rules: Rules::File(&path), entries: Entries::Files(&files), threads: 1, matrix: false };
    let open = Folder::open(&folder, None).unwrap();
    Backfill::new(open, Lists::default(), &stopped).run(&work).unwrap_or_default();
    let dear = select_in_history(&folder, "dear", 3, 100).unwrap();
    assert_eq!(dear.named.iter().map(String::as_str).collect::<BTreeSet<_>>(), carriers("dear"));
    place.run(&rules, &files, Lists::default(), 1);

    let registry = Registry::open(&place.at("packs")).unwrap();
    let told = explain_in_history(&registry, &folder, "half", "IMP-X").unwrap();
    assert_eq!((told.entries, told.first.row, told.last), (1, 17, None));
    assert_eq!(told.first.values, [("weight".to_owned(), "0.5".to_owned())]);
    assert_eq!(told.first.explanation.truth, Some(::rules::Truth::True));
    for (tag, entity, code) in [
        ("half", "IMP-Y", "tag_not_on_entity"),
        ("phones", "IMP-X", "tag_not_on_entity"),
        ("none", "IMP-X", "tag_unknown"),
    ] {
        assert_eq!(explain_in_history(&registry, &folder, tag, entity).unwrap_err().code, code);
    }
    // Other entries in the same place do not explain what was found in those before.
    all[17].3 = 0.25;
    write_entries(&files[0], &all);
    assert_eq!(explain_in_history(&registry, &folder, "half", "IMP-X").unwrap_err().code, "entries_changed");
}

#[test]
fn what_cannot_be_used_is_refused_with_its_reason() {
    let place = Place::new();
    let good = place.entries("good.parquet", &rows(1, 50));
    let registry = Registry::open(&place.at("packs")).unwrap();
    fs::create_dir_all(place.at("foreign")).unwrap();
    fs::write(place.at("foreign/notes.txt"), "mine").unwrap();
    fs::write(place.at("text.parquet"), "no Parquet").unwrap();
    let columns: [(&str, ArrayRef); 2] = [
        ("importer", Arc::new(StringArray::from(vec!["A"]))),
        ("value", Arc::new(StringArray::from(vec!["cheap"]))),
    ];
    let other = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(place.at("other.parquet")).unwrap(), other.schema(), None).unwrap();
    writer.write(&other).unwrap();
    writer.close().unwrap();
    write_rules(&place.at("rules.jsonl"), &[DEAR]);
    write_rules(&place.at("wrong.jsonl"), &[Rule { when: "value > (", ..DEAR }]);
    write_rules(&place.at("none.jsonl"), &[Rule { when: "colour == \"red\"", ..DEAR }]);
    fs::write(place.at("empty.jsonl"), "").unwrap();

    let ask = |folder: &str, rules: &str, entries: &[&str], by: Option<&str>| {
        let request = BackfillRequest {
            rules: Some(place.at(rules)),
            entries: entries.iter().map(|name| place.at(name)).collect(),
            by: by.map(str::to_owned),
            folder: place.at(folder),
            threads: 1,
        };
        backfill(&registry, &request, &Silent)
            .map_or_else(|error| error.code, |report| report.asked.to_string())
    };
    let by = Some("importer");
    let cases = [
        ("foreign", "rules.jsonl", &["good.parquet"][..], by, "history_foreign"),
        ("new", "rules.jsonl", &["good.parquet"], None, "history_column_needed"),
        ("a", "rules.jsonl", &["good.parquet"], Some("colour"), "column_unknown"),
        ("b", "rules.jsonl", &[], by, "entries_needed"),
        ("c", "rules.jsonl", &["text.parquet"], by, "entries_unreadable"),
        ("c", "rules.jsonl", &["missing.parquet"], by, "entries_unreadable"),
        ("d", "wrong.jsonl", &["good.parquet"], by, "rules_refused"),
        ("d", "none.jsonl", &["good.parquet"], by, "rules_refused"),
        // A column that has another kind of values elsewhere is no column of all files.
        ("e", "rules.jsonl", &["good.parquet", "other.parquet"], by, "rules_refused"),
        ("f", "rules.jsonl", &["good.parquet"], by, "50"),
        ("f", "rules.jsonl", &["good.parquet"], Some("code"), "history_by_other_column"),
        ("f", "wrong.jsonl", &["good.parquet"], by, "rules_refused"),
        ("f", "rules.jsonl", &["good.parquet"], by, "0"),
    ];
    for (folder, rules, entries, by, code) in cases {
        assert_eq!(ask(folder, rules, entries, by), code, "{folder} {rules} {entries:?} {by:?}");
    }
    let open = Folder::open(&place.at("f"), None).unwrap();
    assert_eq!(ask("f", "rules.jsonl", &[], None), "history_in_use");
    drop(open);
    write_entries(&good, &rows(2, 50));
    assert_eq!(ask("f", "rules.jsonl", &[], None), "entries_changed");
}

/// A damaged file is told with its remedy, and never answers otherwise than before.
#[test]
fn a_flipped_bit_is_found() {
    let place = Place::new();
    let files = [place.entries("a.parquet", &rows(5, 300))];
    place.run(&[PHONES, DEAR, ALL], &files, Lists::default(), 1);
    let whole = place.kept();
    let history = place.at("history");
    let mut seen = 0;
    for folder in ["runs", "names"] {
        for entry in fs::read_dir(history.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            for at in (0..bytes.len()).step_by(7) {
                let mut flipped = bytes.clone();
                flipped[at] ^= 4;
                fs::write(&path, &flipped).unwrap();
                let told = Folder::open(&history, None).and_then(|folder| {
                    folder.manifest.tags.iter().try_for_each(|tag| folder.of_tag(tag.number, |_| ()))
                });
                assert_eq!(told.unwrap_err().code, "history_damaged", "byte {at} of {}", path.display());
                seen += 1;
            }
            fs::write(&path, &bytes).unwrap();
        }
    }
    assert!(seen > 50, "{seen}");
    assert_eq!(place.kept(), whole);

    // Whose entries they are is read when another tag comes.
    let path = history.join(&place.manifest().entities[0].file);
    let bytes = fs::read(&path).unwrap();
    write_rules(&place.at("rules.jsonl"), &[PHONES, DEAR, ALL, UNKNOWN]);
    let rules = place.at("rules.jsonl");
    let work = Work { rules: Rules::File(&rules), entries: Entries::Files(&files), threads: 1, matrix: true };
    for at in (0..bytes.len()).step_by(97) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let folder = Folder::open(&history, None).unwrap();
        let told = Backfill::new(folder, Lists::default(), &Silent).run(&work);
        assert_eq!(told.unwrap_err().code, "history_damaged", "byte {at}");
    }
    fs::write(&path, &bytes).unwrap();
    place.run(&[PHONES, DEAR, ALL, UNKNOWN], &files, Lists::default(), 1);
    let all = rows(5, 300);
    assert_eq!(place.kept(), expected(&[PHONES, DEAR, ALL, UNKNOWN], &all));
}
