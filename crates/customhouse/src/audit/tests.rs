use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::packs::Registry;
use spine::{Sensitivity, Silent};

use super::{AuditRequest, AuditSpec, Capacity, InputRole, OutcomeSource, audit_files};
use crate::Customhouse;
use crate::error::Kind;
use crate::identity::{Reader, Role};
use crate::jobs::JobState;
use crate::pool::{AdmitRequest, Outcomes};

/// 900 declarations over a year with outcomes in a file of their own; goods from VN are irregular half of the time.
fn records(folder: &Path) -> (PathBuf, PathBuf) {
    let mut declarations = String::from(
        "Declaration ID,Date,Office ID,Declarant ID,Importer ID,HS6 Code,Country of Origin,Net Mass,Item Price\n",
    );
    let mut outcomes = String::from("Declaration ID,Officer,Result\n");
    for number in 0..900_u32 {
        let (month, day) = (number / 75 + 1, number % 27 + 1);
        let origin = ["VN", "CN", "DE", "US"][usize::try_from(number % 4).unwrap()];
        writeln!(
            declarations,
            "D{number},2025-{month:02}-{day:02},O{},B{},I{},{},{origin},{}.5,{}",
            number % 3,
            number % 17,
            number % 101,
            ["851712", "640399", "030617"][usize::try_from(number % 5 % 3).unwrap()],
            10 + number % 89,
            1_000 + number * 7 % 5_003,
        )
        .unwrap();
        if number % 10 != 9 {
            // A hash rather than a pattern of its own decides which ones.
            let lot = number.wrapping_mul(2_654_435_761) >> 16 & 0xff;
            let irregular = lot < if origin == "VN" { 128 } else { 16 };
            writeln!(outcomes, "D{number},F{},{}", number % 5, u8::from(irregular)).unwrap();
        }
    }
    let (first, second) = (folder.join("declarations.csv"), folder.join("outcomes.csv"));
    fs::write(&first, declarations).unwrap();
    fs::write(&second, outcomes).unwrap();
    (first, second)
}

fn mapped_outcomes(folder: &Path) -> PathBuf {
    let path = folder.join("outcomes.toml");
    let text = "version = 1\nschema = \"declaration_item\"\n[fields.declaration_id]\ncolumn = \"Declaration ID\"\n\
                [fields.officer_id]\ncolumn = \"Officer\"\n[fields.irregular]\ncolumn = \"Result\"\n\
                values = { \"1\" = \"true\", \"0\" = \"false\" }\n";
    fs::write(&path, text).unwrap();
    path
}

fn request(declarations: &Path) -> AuditRequest {
    AuditRequest {
        declarations: vec![declarations.to_owned()],
        outcomes: None,
        map: None,
        outcomes_map: None,
        capacity: Capacity::AsInspected,
        currency: Some("EUR".to_owned()),
        simulated: true,
        seed: 1,
    }
}

#[test]
fn files_become_a_report_that_says_what_was_read_and_how() {
    let folder = tempfile::tempdir().unwrap();
    let (declarations, outcomes) = records(folder.path());
    let request = AuditRequest {
        outcomes: Some(OutcomeSource::File(outcomes)),
        outcomes_map: Some(mapped_outcomes(folder.path())),
        ..request(&declarations)
    };
    let report = audit_files(&request, &Registry::built_in(), &Silent).unwrap();
    let [first, second] = report.inputs.as_slice() else { panic!("{:?}", report.inputs) };
    assert_eq!(
        (first.role, first.name.as_str(), first.rows_read),
        (InputRole::Declarations, "declarations.csv", 900)
    );
    assert!(first.mapping.as_ref().unwrap().proposed && !second.mapping.as_ref().unwrap().proposed);
    assert_eq!(report.join.as_ref().unwrap().joined, 810);
    let population = &report.audit.population;
    assert_eq!((population.rows, population.inspected_known, population.never_inspected), (900, 810, 90));
    assert!(population.simulated && population.currency.as_deref() == Some("EUR"));
    assert!(report.tags > 100 && report.pack_findings.is_empty(), "{:?}", report.pack_findings);
    assert!(report.packs.iter().any(|pack| pack.kind == "tags"));
    let stages: Vec<&str> = report.times.iter().map(|time| time.stage.as_str()).collect();
    assert_eq!(stages, ["reading", "tags", "audit"]);
    assert!(
        report
            .audit
            .statements
            .iter()
            .any(|own| own.code == "values_differ" && own.place == "origin_country")
    );
    // Made again, it is the same but for the clock.
    let mut again = audit_files(&request, &Registry::built_in(), &Silent).unwrap();
    (again.made_at, again.times) = (report.made_at, report.times.clone());
    assert_eq!(again, report);
}

#[test]
fn several_files_are_one_history_and_the_outcome_may_be_a_column() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for part in 0..2 {
        let path = folder.path().join(format!("part{part}.csv"));
        let mut text = String::from("Declaration ID,Date,HS6 Code,Country of Origin,Seized\n");
        for number in 0..60 {
            writeln!(text, "D{part}_{number},2025-0{}-11,851712,CN,{}", part + 1, u8::from(number % 6 == 0))
                .unwrap();
        }
        fs::write(&path, text).unwrap();
        files.push(path);
    }
    let column = |name: &str| Some(OutcomeSource::Column(name.to_owned()));
    let request =
        AuditRequest { declarations: files.clone(), outcomes: column("Seized"), ..request(&files[0]) };
    let report = audit_files(&request, &Registry::built_in(), &Silent).unwrap();
    assert_eq!((report.audit.population.rows, report.audit.population.irregular), (120, 20));
    let wrong = AuditRequest { outcomes: column("Sized"), ..request.clone() };
    let error = audit_files(&wrong, &Registry::built_in(), &Silent).unwrap_err();
    assert!(error.findings.iter().any(|finding| finding.how_to_fix.contains("Seized")), "{error:?}");
    let missing = AuditRequest { declarations: vec![folder.path().join("nowhere.csv")], ..request };
    assert_eq!(audit_files(&missing, &Registry::built_in(), &Silent).unwrap_err().kind, Kind::NotFound);
}

fn house(folder: &Path) -> Arc<Customhouse> {
    let (declarations, outcomes) = records(folder);
    let house = Arc::new(Customhouse::open(&folder.join("data")).unwrap());
    let mapping = crate::offline::read_mapping(&mapped_outcomes(folder)).unwrap();
    let outcomes = Outcomes::File { file: outcomes, mapping: Some(mapping) };
    let request = AdmitRequest { outcomes: Some(outcomes), ..AdmitRequest::new(&declarations) };
    house.admit(&Reader::local_operator(), &request, &Silent).unwrap();
    house
}

#[test]
fn an_audit_of_the_pool_is_kept_listed_and_shown_by_clearance() {
    let folder = tempfile::tempdir().unwrap();
    let house = house(folder.path());
    let analyst = Reader::new("analyst-1", Role::Analyst);
    let job = house.start_audit(&analyst, AuditSpec::default()).unwrap();
    let status = job.wait(Duration::from_secs(300));
    let JobState::Done { result: id } = status.state else { panic!("{status:?}") };
    let [listed] = &house.list_audits(&analyst).unwrap()[..] else { panic!() };
    assert_eq!((&listed.id, listed.rows, listed.started_by.as_str()), (&id, 900, "analyst-1"));
    let report = house.find_audit(&analyst, &id[..12]).unwrap();
    assert_eq!(report.audit.population.inspected_known, 810);
    assert!(report.inputs[0].sha256.starts_with(&listed.batches[0]));
    let officers = |report: &super::AuditReport| {
        let rates = report.audit.hit_rates.as_ref().unwrap();
        rates.dimensions.iter().any(|own| own.dimension == "officer_id")
    };
    assert!(officers(&report));
    assert!(!officers(&report.for_clearance(Sensitivity::Official)));
    // Closed and opened again, it is still there.
    drop((job, house));
    let house = Customhouse::open(&folder.path().join("data")).unwrap();
    assert_eq!(house.find_audit(&analyst, &id).unwrap(), report);
    assert_eq!(house.find_audit(&analyst, "").unwrap_err().code, "audit_unknown");
    for role in [Role::Trader, Role::Officer, Role::Admin] {
        let reader = Reader::new("someone", role);
        assert_eq!(house.list_audits(&reader).unwrap_err().kind, Kind::Forbidden, "{role:?}");
        assert_eq!(house.find_audit(&reader, &id).unwrap_err().kind, Kind::Forbidden, "{role:?}");
    }
}

#[test]
fn only_analysts_and_chiefs_start_audits_and_nothing_is_kept_of_one_that_was_cancelled_or_empty() {
    let folder = tempfile::tempdir().unwrap();
    let house = Arc::new(Customhouse::open(folder.path()).unwrap());
    for role in [Role::Trader, Role::Officer, Role::Auditor, Role::Admin] {
        let refused = house.start_audit(&Reader::new("someone", role), AuditSpec::default());
        assert_eq!(refused.unwrap_err().kind, Kind::Forbidden, "{role:?}");
    }
    let chief = Reader::new("chief-1", Role::Chief);
    let job = house.start_audit(&chief, AuditSpec::default()).unwrap();
    let status = job.wait(Duration::from_secs(60));
    assert!(matches!(&status.state, JobState::Failed { code, .. } if code == "audit_no_rows"), "{status:?}");
    assert!(house.list_audits(&chief).unwrap().is_empty());
    let folder = tempfile::tempdir().unwrap();
    let (declarations, _) = records(folder.path());
    let cancelled = audit_files(&request(&declarations), &Registry::built_in(), &Cancelled);
    assert_eq!(cancelled.unwrap_err().kind, Kind::Cancelled);
}

struct Cancelled;

impl spine::Progress for Cancelled {
    fn report(&self, _stage: &'static str, _done: u64, _total: u64) {}

    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn the_event_of_a_completed_audit_is_read_for_ever() {
    let golden = include_str!("golden/audit.completed@1.json");
    let summary: super::AuditSummary = serde_json::from_str(golden).unwrap();
    let again = serde_json::to_value(&summary).unwrap();
    assert_eq!(again, serde_json::from_str::<serde_json::Value>(golden).unwrap());
}
