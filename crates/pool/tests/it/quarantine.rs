//! Rows that could not be used are kept, exported, mended and sent again.

use std::collections::HashSet;
use std::path::Path;

use formats::{Intake, IntakeOptions, Mapping, read_table};
use pool::quarantine::columns_of;
use pool::{MendSource, NewQuarantine, PoolFolder, Quarantine, SourceContract};
use spine::{Sensitivity, Silent};

use crate::support::{read_proposed, save, schema};

const RECORDS: &[u8] = b"Declaration ID;Date;Net Mass;Officer;Remark
A1;2024-01-31;1.200,5;o-1;fine
A2;never;2,5;o-2;\"a; b\"
A3;2024-02-01;-3,0;o-3;negative
A4;2024-02-02;4,0;o-4;one cell;too many
A5;2024-02-03;5,5;o-5;fine
";

struct Case {
    _place: tempfile::TempDir,
    folder: PoolFolder,
    mapping: Mapping,
    quarantine: Quarantine,
    intake: Intake,
}

fn case() -> Case {
    let place = tempfile::tempdir().unwrap();
    let folder = PoolFolder::open(&place.path().join("pool")).unwrap();
    let (mapping, intake) = read_proposed(&save(place.path(), "records.csv", RECORDS));
    let columns = columns_of(&intake.headers, &mapping, &SourceContract::declarations());
    let file =
        folder.write_quarantine(NewQuarantine { columns: &columns, rows: &intake.quarantine }).unwrap();
    assert_eq!(file.rows, 3);
    let quarantine = folder.read_quarantine(&file.sha256).unwrap();
    Case { _place: place, folder, mapping, quarantine, intake }
}

fn export(quarantine: &Quarantine, mended: &HashSet<u64>, clearance: Sensitivity) -> String {
    let mut out = Vec::new();
    let rows = quarantine.export(&quarantine.remaining(mended), clearance, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(u64::try_from(text.lines().count()).unwrap(), rows + 1);
    text
}

#[test]
fn cells_lines_and_reasons_are_kept_as_they_were() {
    let case = case();
    assert_eq!(case.quarantine.lines(), [3, 4, 5]);
    assert_eq!(case.quarantine.page(&[0, 1, 2]).unwrap(), case.intake.quarantine);
    assert_eq!(case.quarantine.page(&[1]).unwrap(), case.intake.quarantine[1..2]);
    assert_eq!(case.quarantine.remaining(&[4].into()), [0, 2]);
    let classes: Vec<(&str, Sensitivity)> =
        case.quarantine.columns().iter().map(|column| (column.header.as_str(), column.sensitivity)).collect();
    use Sensitivity::{Party, Restricted, Sealed};
    assert_eq!(
        classes,
        [
            ("Declaration ID", Party),
            ("Date", Party),
            ("Net Mass", Party),
            ("Officer", Restricted),
            ("Remark", Sealed)
        ]
    );
    assert!(case.folder.read_quarantine(&"0".repeat(64)).is_err());
}

#[test]
fn an_export_shows_what_its_reader_may_see() {
    let case = case();
    let heads =
        |clearance| export(&case.quarantine, &HashSet::new(), clearance).lines().next().unwrap().to_owned();
    assert_eq!(
        heads(Sensitivity::Sealed),
        "Declaration ID,Date,Net Mass,Officer,Remark,_extra_cells,_source_line,_reasons"
    );
    assert_eq!(heads(Sensitivity::Restricted), "Declaration ID,Date,Net Mass,Officer,_source_line,_reasons");
    assert_eq!(heads(Sensitivity::Official), "Declaration ID,Date,Net Mass,_source_line,_reasons");
    // Without the officers an export would lose cells: the caller refuses it.
    let withheld = case.quarantine.withheld(Sensitivity::Official);
    assert_eq!(withheld.iter().map(|column| column.header.as_str()).collect::<Vec<_>>(), ["Officer"]);
    assert!(case.quarantine.withheld(Sensitivity::Restricted).is_empty());
}

fn send(case: &Case, path: &Path, mended: &HashSet<u64>) -> (Vec<u64>, Vec<String>, Intake) {
    let inner = pool::open_source(path, None).unwrap();
    let mut source = MendSource::new(inner, case.quarantine.lines(), mended).unwrap();
    let intake =
        read_table(&mut source, &case.mapping, &schema(), IntakeOptions::default(), &Silent).unwrap();
    let lines = intake.lines.iter().map(|line| source.mended_line(*line).unwrap()).collect();
    let codes = intake
        .quarantine
        .iter()
        .map(|row| row.findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>().join(" "))
        .collect();
    (lines, codes, intake)
}

#[test]
fn a_mended_export_comes_in_once_row_by_row() {
    let case = case();
    let place = tempfile::tempdir().unwrap();
    let exported = export(&case.quarantine, &HashSet::new(), Sensitivity::Sealed);
    // The export as it is mends nothing but the row whose only fault was a cell too many.
    let path = save(place.path(), "mend.csv", exported.as_bytes());
    let (lines, codes, _) = send(&case, &path, &HashSet::new());
    assert_eq!((lines, codes.len()), (vec![5], 2));
    // One more is mended; the one that came in before is not taken twice.
    let better = exported.replace("never", "2024-01-31");
    let path = save(place.path(), "mend.csv", better.as_bytes());
    let (lines, codes, intake) = send(&case, &path, &[5].into());
    assert_eq!((lines, codes), (vec![3], vec!["negative_value".into(), "mend_already_admitted".into()]));
    assert_eq!(intake.table.value(0, "net_mass").unwrap().to_string(), "2.5");
    assert_eq!(intake.table.value(0, "officer_id").unwrap().to_string(), "o-2");
    // What is left is exported, and only that.
    let rest = export(&case.quarantine, &[3, 5].into(), Sensitivity::Sealed);
    assert!(rest.lines().count() == 2 && rest.contains("A3"), "{rest}");
}

#[test]
fn rows_that_belong_to_no_line_of_the_quarantine_are_told() {
    let case = case();
    let place = tempfile::tempdir().unwrap();
    let text = "Declaration ID;Date;Net Mass;Officer;_source_line\n\
        A2;2024-01-31;2,5;o-2;3\nA2;2024-01-31;2,5;o-2;3\nA9;2024-01-31;1,0;o-9;99\nA8;2024-01-31;1,0;o-8;\n";
    let path = save(place.path(), "mend.csv", text.as_bytes());
    let (lines, codes, _) = send(&case, &path, &HashSet::new());
    assert_eq!(lines, [3]);
    assert_eq!(codes, ["mend_repeated", "mend_unknown_line", "mend_unknown_line"]);
    let path = save(place.path(), "other.csv", b"Declaration ID;Date\nA2;2024-01-31\n");
    let inner = pool::open_source(&path, None).unwrap();
    let refused = MendSource::new(inner, &[3], &HashSet::new()).err().unwrap();
    assert_eq!(refused.code, "mend_column_missing");
}
