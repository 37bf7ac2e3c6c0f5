//! The pool seen from the application: gate, quarantine, lineage, exposure, and what a crash leaves.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use spine::{Sensitivity, Severity, Silent, Value};

use super::*;
use crate::identity::{Reader, Role};
use crate::{Customhouse, Error, Kind};

const RECORDS: &str = "Declaration ID,Date,HS6 Code,Net Mass,Officer,Fraud,Remark
A1,2024-01-31,851712,100.5,o-1,0,fine
A2,2024-02-01,851712,50,o-2,1,fine
A3,2024-02-30,030311,7,o-3,0,no such day
A4,2024-02-03,030311,-1,o-4,0,negative
A5,2024-02-04,030311,8,o-1,,not inspected
";

struct Case {
    place: tempfile::TempDir,
    house: Arc<Customhouse>,
    chief: Reader,
}

fn open(place: &Path) -> Arc<Customhouse> {
    Arc::new(Customhouse::open(&place.join("data")).unwrap())
}

impl Case {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let house = open(place.path());
        let case = Self { place, house, chief: Reader::new("o-chief", Role::Chief) };
        case.declare(|contract| contract.quality.quarantined_share_max = "0.5".parse().unwrap()).unwrap();
        case
    }

    fn declare(&self, change: impl FnOnce(&mut SourceContract)) -> Result<DeclaredContract, Error> {
        let mut contract = SourceContract::declarations();
        change(&mut contract);
        self.house.declare_contract(&self.chief, &contract.to_toml())
    }

    fn save(&self, name: &str, text: &str) -> PathBuf {
        let path = self.place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn admit(&self, text: &str) -> Result<Admission, Error> {
        self.house.admit(&self.chief, &AdmitRequest::new(&self.save("records.csv", text)), &Silent)
    }

    fn mend(&self, batch: &str, text: &str) -> Result<Admission, Error> {
        let file = self.save("mend.csv", text);
        let request = AdmitRequest { mends: Some(batch.to_owned()), ..AdmitRequest::new(&file) };
        self.house.admit(&self.chief, &request, &Silent)
    }

    fn export(&self, reader: &Reader, batch: &str) -> Result<String, Error> {
        let mut out = Vec::new();
        self.house.export_quarantine(reader, batch, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// Everything the pool answers about its batches and rows.
    fn answers(&self) -> String {
        let batches = self.house.list_batches(&self.chief, &BatchQuery::default()).unwrap();
        let rows: Vec<(BatchDetail, RowsPage, QuarantinePage)> = batches
            .iter()
            .map(|batch| {
                (
                    self.house.find_batch(&self.chief, &batch.id).unwrap(),
                    self.house.rows_page(&self.chief, &batch.id, 0, 100).unwrap(),
                    self.house.quarantine_page(&self.chief, &batch.id, 0, 100).unwrap(),
                )
            })
            .collect();
        format!("{:#?} {rows:#?}", self.house.list_contracts(&self.chief).unwrap())
    }
}

#[test]
fn a_batch_comes_in_with_its_figures_and_the_same_file_twice_comes_in_once() {
    let case = Case::new();
    let before = case.house.journal_position();
    let first = case.admit(RECORDS).unwrap();
    let batch = &first.batch.summary;
    assert!(!first.repeated);
    assert_eq!(
        (batch.state, batch.rows_read, batch.rows, batch.rows_quarantined),
        (BatchState::Admitted, 5, 3, 2)
    );
    assert_eq!(batch.first_date.unwrap().to_string(), "2024-01-31");
    assert_eq!(
        (first.batch.unused_columns.as_slice(), first.batch.unknown["irregular"]),
        (&["Remark".to_owned()][..], 1)
    );
    assert_eq!(case.house.journal_position(), before + 1);
    let again = case.admit(RECORDS).unwrap();
    assert!(again.repeated);
    assert_eq!((again.batch, case.house.journal_position()), (first.batch, before + 1));
    let entries = case.house.load_entries(&case.chief, &BatchSelection::All, &Silent).unwrap();
    assert_eq!(entries.table.len(), 3);
}

#[test]
fn the_same_file_sent_twice_at_once_comes_in_once() {
    let case = Case::new();
    let before = case.house.journal_position();
    let path = case.save("records.csv", RECORDS);
    let request = AdmitRequest::new(&path);
    let answers: Vec<Admission> = std::thread::scope(|scope| {
        let send = || case.house.admit(&case.chief, &request, &Silent).unwrap();
        let senders: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.batch == answers[0].batch), "{answers:?}");
    assert_eq!(case.house.journal_position(), before + 1);
}

#[test]
fn the_gate_sends_a_batch_back_and_a_changed_contract_lets_it_in() {
    let case = Case::new();
    case.declare(|contract| contract.owner = "office of statistics".into()).unwrap();
    let refused = case.admit(RECORDS).unwrap().batch;
    assert_eq!(
        (refused.summary.state, refused.summary.rows, refused.files.len()),
        (BatchState::Refused, 0, 0)
    );
    let told: Vec<&str> = refused.verdict.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(told, ["quarantined_share_too_high"]);
    // The rows that are wrong can be looked at all the same, but not mended into a batch that is not there.
    assert_eq!(case.house.quarantine_page(&case.chief, &refused.summary.id, 0, 10).unwrap().rows_total, 2);
    let exported = case.export(&case.chief, &refused.summary.id).unwrap();
    assert_eq!(case.mend(&refused.summary.id, &exported).unwrap_err().code, "nothing_to_mend");
    assert!(case.house.load_entries(&case.chief, &BatchSelection::All, &Silent).unwrap().table.is_empty());

    let lenient =
        |contract: &mut SourceContract| contract.quality.quarantined_share_max = "0.5".parse().unwrap();
    assert!(!case.declare(lenient).unwrap().unchanged);
    assert!(case.declare(lenient).unwrap().unchanged);
    let admitted = case.admit(RECORDS).unwrap();
    assert!(!admitted.repeated);
    assert_eq!(
        (admitted.batch.summary.state, admitted.batch.summary.id),
        (BatchState::Admitted, refused.summary.id)
    );
    let contracts = case.house.list_contracts(&case.chief).unwrap();
    assert_eq!((contracts.len(), contracts[0].revision), (1, 3));
}

#[test]
fn quarantine_is_exported_mended_and_sent_again_until_nothing_is_left() {
    let case = Case::new();
    let id = case.admit(RECORDS).unwrap().batch.summary.id;
    let exported = case.export(&case.chief, &id[..6]).unwrap();
    assert_eq!(
        exported.lines().next(),
        Some("Declaration ID,Date,HS6 Code,Net Mass,Officer,Fraud,_source_line,_reasons")
    );
    // Half of it is mended first, then the rest, in the same file.
    let half = exported.replace("2024-02-30", "2024-02-29");
    let first = case.mend(&id, &half).unwrap().batch;
    assert_eq!((first.summary.rows, first.summary.rows_quarantined, first.quarantine), (1, 1, None));
    let page = case.house.quarantine_page(&case.chief, &id, 0, 10).unwrap();
    assert_eq!((page.rows_total, page.rows[0].line), (1, 5));
    assert_eq!(page.rows[0].findings[0].code, "negative_value");
    let second = case.mend(&id, &half.replace("-1", "1")).unwrap().batch;
    assert_eq!((second.summary.rows, second.summary.mends.as_deref()), (1, Some(id.as_str())));
    let batch = case.house.find_batch(&case.chief, &id).unwrap();
    assert_eq!(
        (batch.summary.rows_mended, batch.mended_by),
        (2, vec![first.summary.id, second.summary.id.clone()])
    );
    assert_eq!(case.house.quarantine_page(&case.chief, &id, 0, 10).unwrap().rows_total, 0);
    // All rows of the source are in the pool, each once.
    let entries = case.house.load_entries(&case.chief, &BatchSelection::All, &Silent).unwrap();
    let mut ids: Vec<&str> =
        (0..entries.table.len()).filter_map(|row| entries.table.texts("declaration_id")?.get(row)).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["A1", "A2", "A3", "A4", "A5"]);
    assert_eq!(entries.origin(4), Some((second.summary.id.as_str(), 0)));
    assert_eq!((entries.origin(2), entries.origin(5)), (Some((id.as_str(), 2)), None));
    // Newer outcomes would bring the mended rows in twice.
    let newer = case.save("newer.csv", "Declaration ID,Fraud\nA1,1\n");
    let outcomes = Some(Outcomes::File { file: newer, mapping: None });
    let request = AdmitRequest { outcomes, ..AdmitRequest::new(&case.save("records.csv", RECORDS)) };
    assert_eq!(case.house.admit(&case.chief, &request, &Silent).unwrap_err().code, "batch_is_mended");
    // One mend more brings nothing and is sent back.
    let more = case.mend(&id, &half.replace("-1", "2")).unwrap().batch;
    assert_eq!((more.summary.state, more.verdict[0].code.as_str()), (BatchState::Refused, "batch_empty"));
}

#[test]
fn every_row_says_where_it_came_from() {
    let case = Case::new();
    let id = case.admit(RECORDS).unwrap().batch.summary.id;
    let exported = case.export(&case.chief, &id).unwrap();
    let mend = case.mend(&id, &exported.replace("-1", "1")).unwrap().batch.summary;
    let lineage = case.house.lineage(&case.chief, &id, 2).unwrap();
    assert_eq!((lineage.source_name.as_str(), lineage.line, lineage.mends), ("records.csv", 6, None));
    assert_eq!(
        (lineage.file_row, lineage.contract.as_str(), lineage.actor.as_str()),
        (2, "declarations", "o-chief")
    );
    assert!(case.house.pool.folder.file(&lineage.file_sha256).exists());
    assert!(lineage.source_kept && case.house.journal.get_blob(&lineage.source_sha256).is_ok());
    let mended = case.house.lineage(&case.chief, &mend.id, 0).unwrap();
    assert_eq!(
        (mended.source_name.as_str(), mended.line, mended.mends),
        ("mend.csv", 3, Some((id.clone(), 5)))
    );
    assert_eq!(case.house.lineage(&case.chief, &id, 3).unwrap_err().code, "row_unknown");
}

#[test]
fn nobody_sees_a_field_above_their_clearance() {
    let case = Case::new();
    let id = case.admit(RECORDS).unwrap().batch.summary.id;
    let officer = Reader::new("o-7", Role::Officer);
    let page = case.house.rows_page(&officer, &id, 1, 1).unwrap();
    let names: Vec<&str> = page.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["declaration_id", "date", "commodity_code", "net_mass", "inspected", "irregular"]);
    assert_eq!((page.withheld.as_slice(), page.rows_total), (&["officer_id".to_owned()][..], 3));
    assert_eq!((page.rows.len(), page.rows[0].row, page.rows[0].line), (1, 1, 3));
    assert_eq!(page.rows[0].values[0].as_deref(), Some("A2"));
    let all = case.house.rows_page(&case.chief, &id, 0, 10).unwrap();
    assert!(all.withheld.is_empty() && all.columns.iter().any(|column| column.name == "officer_id"));

    let quarantine = case.house.quarantine_page(&officer, &id, 0, 10).unwrap();
    assert_eq!(quarantine.withheld, ["Officer", "Remark"]);
    let seen = serde_json::to_string(&quarantine).unwrap();
    assert!(!seen.contains("o-3") && !seen.contains("negative\""), "{seen}");
    let admin = Reader::new("o-9", Role::Admin);
    let refused = case.export(&admin, &id).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.detail.contains("Officer")), ("export_above_clearance", true));
    assert_eq!(case.export(&officer, &id).unwrap_err().kind, Kind::Forbidden);

    // A contract that raises a field's class counts for what came in before.
    case.declare(|contract| {
        let field = contract.fields.iter_mut().find(|field| field.name == "net_mass").unwrap();
        field.sensitivity = Sensitivity::Restricted;
    })
    .unwrap();
    let page = case.house.rows_page(&officer, &id, 0, 10).unwrap();
    assert_eq!(page.withheld, ["net_mass", "officer_id"]);
    let groups = case.house.find_batch(&officer, &id).unwrap().findings;
    let negative = groups.iter().find(|group| group.code == "negative_value").unwrap();
    assert_eq!((negative.count, negative.examples.len()), (1, 0));

    let trader = Reader::new("t-1", Role::Trader);
    let path = case.save("records.csv", RECORDS);
    let refusals = [
        case.house.list_batches(&trader, &BatchQuery::default()).err(),
        case.house.list_contracts(&trader).err(),
        case.house.find_batch(&trader, &id).err(),
        case.house.rows_page(&trader, &id, 0, 1).err(),
        case.house.quarantine_page(&trader, &id, 0, 1).err(),
        case.house.lineage(&trader, &id, 0).err(),
        case.house.load_entries(&trader, &BatchSelection::All, &Silent).err(),
        case.house.admit(&officer, &AdmitRequest::new(&path), &Silent).err(),
        case.house.propose_mapping(&officer, &path, None, None).err(),
        case.house.declare_contract(&officer, "").err(),
    ];
    for refused in refusals {
        assert_eq!(refused.map(|error| error.kind), Some(Kind::Forbidden));
    }
}

#[test]
fn what_a_contract_does_not_name_does_not_come_in() {
    let case = Case::new();
    case.declare(|contract| {
        contract.quality.quarantined_share_max = "0.5".parse().unwrap();
        contract.fields.retain(|field| field.name != "officer_id");
        contract.keep_source = false;
    })
    .unwrap();
    let batch = case.admit(RECORDS).unwrap().batch;
    assert_eq!(
        (batch.unused_columns.as_slice(), batch.source_kept),
        (&["Officer".to_owned(), "Remark".to_owned()][..], false)
    );
    let entries = case.house.load_entries(&case.chief, &BatchSelection::All, &Silent).unwrap();
    assert_eq!(entries.table.schema(), &spine::declaration_entry::schema());
    assert_eq!(entries.table.value(0, "officer_id"), None);
    assert_eq!(entries.table.value(0, "net_mass"), Some(Value::Decimal("100.5".parse().unwrap())));
}

#[test]
fn outcomes_come_in_a_file_of_their_own_or_in_a_column() {
    let case = Case::new();
    let file = case.save(
        "records.csv",
        "Declaration ID,Date,HS6 Code,Found\nA1,2024-01-31,851712,1\nA2,2024-02-01,851712,0\n",
    );
    let outcomes = case.save(
        "outcomes.csv",
        "Declaration ID,Date,Officer,Fraud\nA2,01/02/2024,o-3,1\nA9,03/04/2024,o-3,0\n",
    );
    let mut request = AdmitRequest {
        outcomes: Some(Outcomes::File { file: outcomes, mapping: None }),
        ..AdmitRequest::new(&file)
    };
    let batch = case.house.admit(&case.chief, &request, &Silent).unwrap().batch;
    let joined = batch.outcomes.as_ref().unwrap();
    assert_eq!((joined.joined, joined.without_declaration), (1, 1));
    assert!(batch.findings.iter().any(|group| group.code == "outcome_without_declaration"));
    let entries = case.house.load_entries(&case.chief, &BatchSelection::All, &Silent).unwrap();
    assert_eq!(entries.table.booleans("irregular").unwrap()[1], Some(true));
    assert_eq!(entries.table.value(1, "officer_id"), Some(Value::Text("o-3".into())));
    // The same records with the same outcomes are known; with newer ones they take the place of what came in before.
    assert!(case.house.admit(&case.chief, &request, &Silent).unwrap().repeated);
    let newer = case.save("newer.csv", "Declaration ID,Fraud\nA1,1\nA2,0\n");
    request.outcomes = Some(Outcomes::File { file: newer, mapping: None });
    let again = case.house.admit(&case.chief, &request, &Silent).unwrap();
    assert_eq!((again.repeated, &again.batch.summary.id), (false, &batch.summary.id));
    assert_ne!(again.batch.files, batch.files);
    let entries = case.house.load_entries(&case.chief, &BatchSelection::All, &Silent).unwrap();
    assert_eq!(entries.table.booleans("irregular").unwrap(), [Some(true), Some(false)]);
    assert_eq!(
        case.house.lineage(&case.chief, &batch.summary.id, 1).unwrap().position,
        again.batch.summary.position
    );
    // What past work rests on stays.
    assert_eq!(case.house.pool.sweep(Duration::ZERO).unwrap(), 0);
    // Outcomes that the gate refuses change nothing.
    let silent = case.save("silent.csv", "Declaration ID,Fraud\nA1,1\n");
    request.outcomes = Some(Outcomes::File { file: silent, mapping: None });
    case.declare(|contract| {
        contract.quality.unknown_share_max.insert("officer_id".into(), "0.1".parse().unwrap());
    })
    .unwrap();
    let refused = case.house.admit(&case.chief, &request, &Silent).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.findings.len()), ("outcomes_refused", 1));
    assert_eq!(case.house.find_batch(&case.chief, &batch.summary.id).unwrap(), again.batch);
    case.declare(|_| ()).unwrap();

    let column = case.save("column.csv", "Declaration ID,Date,HS6 Code,Fund\nB1,2024-01-31,851712,1\n");
    let mut request = AdmitRequest::new(&column);
    request.outcomes = Some(Outcomes::Column("Fund".into()));
    let batch = case.house.admit(&case.chief, &request, &Silent).unwrap().batch;
    assert_eq!(batch.mapping.fields["irregular"].column.as_deref(), Some("Fund"));
    let other = case.save("other.csv", "Declaration ID,Date,HS6 Code,Fund\nB2,2024-01-31,851712,0\n");
    let mut mapping = batch.mapping.clone();
    mapping.fields.remove("irregular");
    let request = AdmitRequest { file: other, mapping: Some(mapping), ..request };
    let batch = case.house.admit(&case.chief, &request, &Silent).unwrap().batch;
    assert_eq!(batch.unknown["irregular"], 0);
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_leaves_no_trace() {
    let case = Case::new();
    let before = case.house.journal_position();
    let cases = [
        ("", "file_empty", Kind::Refused),
        ("PAR1 cut off", "parquet_unreadable", Kind::Refused),
        ("a,b\n1,2\n", "mapping_needed", Kind::Refused),
    ];
    for (text, code, kind) in cases {
        let error = case.admit(text).unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), (code, kind), "{error}");
        assert!(!error.findings.is_empty() && error.findings[0].severity == Severity::Error);
    }
    let missing = AdmitRequest::new(&case.place.path().join("missing.csv"));
    assert_eq!(case.house.admit(&case.chief, &missing, &Silent).unwrap_err().kind, Kind::NotFound);
    let mut unfit = AdmitRequest::new(&case.save("records.csv", "Number,Day\n1,2024-01-31\n"));
    unfit.mapping = Some(
        case.house.propose_mapping(&case.chief, &case.save("a.csv", RECORDS), None, None).unwrap().mapping,
    );
    let error = case.house.admit(&case.chief, &unfit, &Silent).unwrap_err();
    assert_eq!((error.code.as_str(), error.findings.is_empty()), ("mapping_does_not_fit", false));
    let unknown = AdmitRequest { contract: "manifests".into(), ..AdmitRequest::new(&unfit.file) };
    assert_eq!(case.house.admit(&case.chief, &unknown, &Silent).unwrap_err().code, "contract_unknown");
    assert_eq!(case.house.declare_contract(&case.chief, "name = 1").unwrap_err().code, "contract_refused");
    assert_eq!(case.house.find_batch(&case.chief, "abc").unwrap_err().code, "batch_unknown");
    assert_eq!(case.house.find_batch(&case.chief, "").unwrap_err().code, "batch_unknown");
    assert_eq!(case.house.journal_position(), before);
}

#[test]
fn the_catalogue_can_be_deleted_and_tells_the_same_again() {
    let mut case = Case::new();
    let id = case.admit(RECORDS).unwrap().batch.summary.id;
    let exported = case.export(&case.chief, &id).unwrap();
    case.mend(&id, &exported.replace("-1", "1")).unwrap();
    let bad = case.save("bad.csv", &RECORDS.replace("2024-0", "never-0"));
    let mapping = Some(case.house.find_batch(&case.chief, &id).unwrap().mapping);
    let request = AdmitRequest { mapping, ..AdmitRequest::new(&bad) };
    let refused = case.house.admit(&case.chief, &request, &Silent).unwrap().batch.summary;
    assert_eq!(refused.state, BatchState::Refused);
    let before = case.answers();
    let pool = case.place.path().join("data/pool");
    for name in ["catalogue.sqlite", "catalogue.sqlite-wal", "catalogue.sqlite-shm"] {
        // Nobody has it open once the house is gone.
        case.house = open(tempfile::tempdir().unwrap().path());
        let _ = std::fs::remove_file(pool.join(name));
    }
    case.house = open(case.place.path());
    assert_eq!(case.answers(), before);
}

/// Admits one small file after another until it is killed; only does so when the test below starts it.
#[test]
fn admits_until_killed() {
    let Some(place) = std::env::var_os("TIDEWAITER_TEST_ADMIT_UNTIL_KILLED").map(PathBuf::from) else {
        return;
    };
    let house = open(&place);
    for number in house.journal_position().. {
        let rows: String = (0..300).map(|row| format!("N{number}-{row},2024-01-31,851712,{row}\n")).collect();
        let text = format!("Declaration ID,Date,HS6 Code,Net Mass\n{rows}X{number},never,851712,1\n");
        let file = place.join("records.csv");
        std::fs::write(&file, text).unwrap();
        house.admit(&Reader::local_operator(), &AdmitRequest::new(&file), &Silent).unwrap();
    }
}

/// Every batch, page by page: a fast disk admits more between two kills than one page holds.
fn all_batches(house: &Customhouse, reader: &Reader) -> Vec<BatchSummary> {
    let mut batches: Vec<BatchSummary> = Vec::new();
    loop {
        let before = batches.last().map(|batch| batch.position);
        let page = house.list_batches(reader, &BatchQuery { before, ..BatchQuery::default() }).unwrap();
        if page.is_empty() {
            return batches;
        }
        batches.extend(page);
    }
}

#[test]
fn after_a_kill_at_any_moment_batches_are_whole_and_what_no_event_names_is_swept() {
    let place = tempfile::tempdir().unwrap();
    let mut orphans = 0;
    for kill in 0..8_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "pool::tests::admits_until_killed", "--nocapture"])
            .env("TIDEWAITER_TEST_ADMIT_UNTIL_KILLED", place.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(700 + 37 * kill));
        child.kill().unwrap();
        child.wait().unwrap();
        let house = open(place.path());
        let reader = Reader::local_operator();
        let batches = all_batches(&house, &reader);
        assert_eq!(u64::try_from(batches.len()).unwrap(), house.journal_position());
        let entries = house.load_entries(&reader, &BatchSelection::All, &Silent).unwrap();
        assert_eq!(entries.table.len(), batches.len() * 300);
        for batch in &batches {
            assert_eq!(house.quarantine_page(&reader, &batch.id, 0, 10).unwrap().rows_total, 1);
        }
        orphans += house.pool.sweep(Duration::ZERO).unwrap();
        let files = std::fs::read_dir(place.path().join("data/pool")).unwrap();
        let parquet = files
            .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "parquet"))
            .count();
        assert_eq!(parquet, batches.len() * 2, "one file of rows and one of quarantine a batch");
    }
    let admitted = open(place.path()).journal_position();
    println!("{admitted} batches admitted before 8 kills, {orphans} orphans swept");
    assert!(admitted > 0);
}
