//! The first job: anyone's records in, a report out.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{of_world, run};

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn an_administrations_records_become_a_report_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let audit = |out: &str, json: &str| {
        let (declarations, outcomes) = (of_world("declarations.csv"), of_world("outcomes.csv"));
        run(
            at,
            &[
                "audit",
                "--declarations",
                &declarations,
                "--outcomes",
                &outcomes,
                "--out",
                out,
                "--json",
                json,
            ],
        )
        .expect(0)
    };
    let said = audit("report.html", "report.json");
    assert!(said.out.contains("SIMULATED: ") && said.out.contains("of 2,500 declarations"), "{}", said.out);
    assert!(said.out.contains("never inspected: what they were is unknown"), "{}", said.out);
    assert!((8..=16).contains(&said.out.lines().count()), "about ten lines and where it is: {}", said.out);
    assert!(said.out.contains("wrote report.html"), "{}", said.out);
    let html = fs::read_to_string(at.join("report.html")).unwrap();
    assert!(html.to_lowercase().starts_with("<!doctype html>") && html.contains("SIMULATED"));
    assert!(
        !html.contains("<script src=") && !html.contains("<link rel=\"stylesheet\" href=\"http"),
        "no network"
    );
    let report = json_file(&at.join("report.json"));
    assert!(
        report["audit"]["population"]["rows"].as_u64().unwrap() > 2_500,
        "declarations have several items"
    );
    assert_eq!(report["audit"]["population"]["simulated"], true);
    assert!(report["tags"].as_u64().unwrap() >= 120);

    // The same records and seed give the same figures, but for the times.
    audit("again.html", "again.json");
    assert_eq!(report["audit"], json_file(&at.join("again.json"))["audit"]);
    let left: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

/// Records with headers, delimiter, dates and numbers of another administration; made by hand, no program of ours
/// knew them: `(number of rows, inspected, irregular)`.
fn french_records(path: &Path) -> (u64, u64, u64) {
    let mut text = String::from(
        "N° Déclaration;Date d'enregistrement;Bureau;Régime;Déclarant;Importateur;Nomenclature;Pays de provenance;\
         Pays d'origine;Masse nette;Masse brute;Colis;Valeur en douane;Taux de droit;Circuit;Contrôlé;Fraude;Vérificateur\n",
    );
    let (mut inspected, mut irregular) = (0, 0);
    for row in 0_u64..600 {
        let looked_at = row % 3 == 0;
        let fraud = looked_at && row % 12 == 0;
        inspected += u64::from(looked_at);
        irregular += u64::from(fraud);
        let (day, month) = (row % 28 + 1, row / 28 % 12 + 1);
        let value = format!("{} {:03},{:02}", row % 90 + 1, row * 7 % 1000, row % 100);
        let outcome = match (looked_at, fraud) {
            (false, _) => "",
            (true, true) => "Oui",
            (true, false) => "Non",
        };
        text.push_str(&format!(
            "C{row:05};{day:02}/{month:02}/2024;BX{:02};40;DEC{};IMP{};{};CN;{};{},{};{},{};{};{value};{},0;{};{};{outcome};{}\n",
            row % 7 + 1,
            row % 11,
            row % 83,
            ["84713000", "61091000", "40111000", "87032390"][usize::try_from(row % 4).unwrap()],
            ["CN", "TR", "VN"][usize::try_from(row % 3).unwrap()],
            row % 400 + 10,
            row % 10,
            row % 400 + 15,
            row % 10,
            row % 30 + 1,
            row % 4 * 5,
            if looked_at { "rouge" } else { "vert" },
            if looked_at { "Oui" } else { "Non" },
            if looked_at { format!("V{}", row % 5) } else { String::new() },
        ));
    }
    fs::write(path, text).unwrap();
    (600, inspected, irregular)
}

#[test]
fn records_of_another_administration_are_read_through_a_proposed_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (rows, inspected, irregular) = french_records(&at.join("export.csv"));
    let proposed = run(at, &["map", "export.csv", "--out", "map.toml"]).expect(0);
    println!("{}\n{}", proposed.out, proposed.err);
    let map = fs::read_to_string(at.join("map.toml")).unwrap();
    for expected in [
        "[fields.declaration_id]\ncolumn = \"N° Déclaration\"",
        "[fields.commodity_code]\ncolumn = \"Nomenclature\"",
        "[fields.customs_value]\ncolumn = \"Valeur en douane\"",
        "[fields.irregular]\ncolumn = \"Fraude\"",
        "[fields.inspected]\nderived = \"outcome_present\"",
        "format = \"%d/%m/%Y\"",
        "decimal = \",\"",
    ] {
        assert!(map.contains(expected), "{expected} is not in:\n{map}");
    }
    // What a person does with a proposal: the file has a column that says who was inspected.
    assert!(proposed.out.contains("not used: Contrôlé"), "{}", proposed.out);
    let edited = map.replace("derived = \"outcome_present\"", "column = \"Contrôlé\"");
    fs::write(at.join("map.toml"), edited).unwrap();
    let audited = run(
        at,
        &[
            "audit",
            "--declarations",
            "export.csv",
            "--map",
            "map.toml",
            "--out",
            "r.html",
            "--json",
            "r.json",
        ],
    )
    .expect(0);
    let report = json_file(&at.join("r.json"));
    let population = &report["audit"]["population"];
    println!("{}", audited.out);
    assert_eq!(population["rows"], rows, "{population}");
    assert_eq!((&population["inspected"], &population["irregular"]), (&inspected.into(), &irregular.into()));
    assert_eq!(population["first_day"], "2024-01-01");
    assert_eq!(report["inputs"][0]["rows_quarantined"], 0);
    assert_eq!(report["inputs"][0]["mapping"]["proposed"], false);
}

#[test]
fn the_outcome_may_be_a_column_and_several_files_are_one_history() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let header = "Declaration ID,Date,Office ID,Importer ID,HS6 Code,Net Mass,Item Price,Checked Result\n";
    for (month, name) in [(1, "january.csv"), (2, "february.csv"), (3, "march.csv")] {
        let row = |at: usize| {
            format!(
                "{month}{at:04},2024-{month:02}-{:02},{},I{},8471{:02},{},{},{}\n",
                at % 28 + 1,
                at % 4,
                at % 37,
                at % 30 + 10,
                at % 90 + 1,
                at % 800 + 20,
                usize::from(at.is_multiple_of(9))
            )
        };
        fs::write(at.join(name), header.to_owned() + &(0..200).map(row).collect::<String>()).unwrap();
    }
    let arguments = [
        "audit",
        "--declarations",
        "january.csv",
        "february.csv",
        "march.csv",
        "--outcomes",
        "Checked Result",
        "--out",
        "r.html",
        "--json",
        "r.json",
        "--capacity",
        "10%",
        "--simulated",
        "--language",
        "zh",
    ];
    let said = run(at, &arguments).expect(0);
    assert!(said.out.starts_with("SIMULATED: 600 rows"), "{}", said.out);
    let report = json_file(&at.join("r.json"));
    assert_eq!(report["inputs"].as_array().unwrap().len(), 3);
    assert_eq!(report["audit"]["population"]["inspected_known"], 600);
    assert_eq!(report["audit"]["population"]["irregular"], 69);
    let silent = run(at, &[arguments.as_slice(), &["--quiet"]].concat()).expect(0);
    assert_eq!(silent.out, "wrote r.html\nwrote r.json\n");
}

/// The report of a cancelled audit is not there at all, and an earlier one stays as it was.
#[cfg(unix)]
#[test]
fn a_cancelled_audit_leaves_the_earlier_report_as_it_was() {
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("report.html"), "the earlier one").unwrap();
    let made = run(at, &["country", "--out", "world", "--declarations", "20000"]);
    assert_eq!(made.code, 0);
    let child = crate::support::command(
        at,
        &[
            "audit",
            "--declarations",
            "world/declarations.csv",
            "--outcomes",
            "world/outcomes.csv",
            "--out",
            "report.html",
        ],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    // Long enough for the handler to be there, far shorter than twenty thousand rows take.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("[cancelled]"));
    assert_eq!(fs::read_to_string(at.join("report.html")).unwrap(), "the earlier one");
    assert_eq!(fs::read_dir(at).unwrap().count(), 2);
}
