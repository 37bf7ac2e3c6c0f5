//! Publications of others: recognised, checked, installed; broken ones refused with the place.

use std::env;
use std::fmt::Write as _;
use std::path::PathBuf;

use packs::Registry;

use crate::support::{codes, folder};

/// The folder of real material, or the name of what is skipped.
fn reference(suite: &str) -> Option<PathBuf> {
    let root = env::var_os("TIDEWAITER_CASES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let found = root.join("reference").is_dir();
    if !found {
        println!("skipped: {suite} (no {})", root.join("reference").display());
    }
    found.then(|| root.join("reference"))
}

/// A table like a published one, with so many rows.
fn currencies(rows: usize, header: &str) -> String {
    let mut text = format!("{header}\n");
    for row in 0..rows {
        let _ = writeln!(text, "A{:02}X,{row:03},2,", row % 100);
    }
    text
}

#[test]
fn a_table_is_recognised_by_its_columns_and_refused_when_cut_off() {
    let header = "AlphabeticCode,NumericCode,MinorUnit,WithdrawalDate";
    let data = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(data.path()).unwrap();

    let whole = folder(&[("codes-all.csv", &currencies(200, header))]);
    let report = registry.install(whole.path()).unwrap();
    assert_eq!(report.offers[0].list, "currencies");
    assert!(registry.get("external-currencies").is_some());

    let cut = folder(&[("codes-all.csv", &currencies(20, header))]);
    assert_eq!(codes(&registry.install(cut.path()).unwrap().findings), ["external_rows_missing"]);

    let renamed =
        folder(&[("codes-all.csv", &currencies(200, "AlphabeticCode,NumericCode,Minor,WithdrawalDate"))]);
    let findings = registry.install(renamed.path()).unwrap().findings;
    assert_eq!(codes(&findings), ["external_column_missing"]);
    assert_eq!(findings[0].pointer.0, "codes-all.csv:1/MinorUnit");
}

#[test]
fn schemas_without_what_they_include_are_installed_with_a_warning() {
    let schema = |include: &str| {
        format!(
            "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"><xs:include schemaLocation=\"{include}\"/></xs:schema>"
        )
    };
    let source = folder(&[
        ("WCO_DEC_2_DMS.xsd", &schema("WCO_RES_2_DMS.xsd")),
        ("WCO_RES_2_DMS.xsd", &schema("types.xsd")),
    ]);
    let data = tempfile::tempdir().unwrap();
    let report = Registry::open(data.path()).unwrap().install(source.path()).unwrap();
    assert!(report.installed.is_some());
    assert_eq!(codes(&report.findings), ["external_schema_include_missing"]);
}

#[test]
fn a_register_of_authorisations_offers_holders_and_what_they_hold() {
    let source = folder(&[(
        "authorisations.csv",
        "holder,type,valid_from,valid_to\nGB1,CGU,2024-01-01,\nGB1,SDE,2024-01-01,2026-12-31\nXI2,,2024-01-01,\n",
    )]);
    let data = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(data.path()).unwrap();
    let report = registry.install(source.path()).unwrap();
    assert!(report.installed.is_some(), "{:?}", report.findings);
    let lists = registry.lists();
    let values = |list: &str| lists[list].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(values("authorisation_holders"), ["GB1", "XI2"]);
    assert_eq!(values("authorisations"), ["GB1 CGU", "GB1 SDE"]);
    assert!(!lists.contains_key("authorisations_in_force"), "it depends on the day");
    for (day, in_force) in [
        ("2023-12-31", &[][..]),
        ("2024-01-01", &["GB1 CGU", "GB1 SDE"]),
        ("2026-12-31", &["GB1 CGU", "GB1 SDE"]),
        ("2027-01-01", &["GB1 CGU"]),
    ] {
        let lists = registry.lists_on(day.parse().unwrap());
        let own: Vec<&str> = lists["authorisations_in_force"].iter().map(String::as_str).collect();
        assert_eq!((own.as_slice(), lists["authorisations"].len()), (in_force, 2), "{day}");
    }
    let entry = registry.get("external-authorisation-register").unwrap();
    assert_eq!(entry.manifest().sensitivity, spine::Sensitivity::Official);

    // Where no type is stated, who holds an authorisation is known, and not which.
    let holders = folder(&[("authorisations.csv", "holder,type,valid_from,valid_to\nGB9,,,\n")]);
    let mut registry = Registry::open(tempfile::tempdir().unwrap().path()).unwrap();
    assert!(registry.install(holders.path()).unwrap().installed.is_some());
    assert!(registry.lists().contains_key("authorisation_holders"));
    assert!(!registry.lists().contains_key("authorisations"));

    let odd = folder(&[("authorisations.csv", "holder,type,valid_from,valid_to\nGB1,CGU,soon,2026-12-31\n")]);
    let mut registry = Registry::open(tempfile::tempdir().unwrap().path()).unwrap();
    let report = registry.install(odd.path()).unwrap();
    assert_eq!((codes(&report.findings), report.installed.is_some()), (vec!["date_not_understood"], true));
    let on = |day: &str| registry.lists_on(day.parse().unwrap())["authorisations_in_force"].len();
    assert_eq!((on("1999-01-01"), on("2027-01-01")), (1, 0));

    let bare = folder(&[("authorisations.csv", "holder,type\nGB1,CGU\n")]);
    let findings = registry.install(bare.path()).unwrap().findings;
    assert_eq!(codes(&findings), ["external_column_missing", "external_column_missing"]);
}

/// Lists that a publication offers, with how many values at least.
type Lists = &'static [(&'static str, usize)];

/// What is really published: each folder is recognised and offers lists of about the right size.
#[test]
fn published_reference_lists_are_recognised() {
    let Some(reference) = reference("published_reference_lists_are_recognised") else { return };
    let cases: &[(&str, &str, Lists)] = &[
        (
            "hs",
            "external-harmonized-system",
            &[("hs_chapters", 90), ("hs_headings", 1_000), ("hs_subheadings", 5_000)],
        ),
        ("locode", "external-unlocode", &[("unlocodes", 80_000)]),
        ("currencies", "external-currencies", &[("currencies", 150)]),
        ("countries", "external-countries", &[("countries", 240)]),
        ("units", "external-units-of-measure", &[("units_of_measure", 1_000)]),
        ("packages", "external-package-types", &[("package_types", 300)]),
        (
            "cds-codelists",
            "external-code-lists",
            &[
                ("code_list_dms_error_codes", 150),
                ("error_codes", 150),
                ("offices_of_exit", 130),
                ("customs_offices", 90),
                ("authorisation_types", 50),
                ("previous_document_types", 40),
                ("export_procedures", 15),
                ("additional_procedures", 60),
            ],
        ),
    ];
    let data = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(data.path()).unwrap();
    for (path, id, lists) in cases {
        let report = registry.install(&reference.join(path)).unwrap();
        assert!(report.installed.is_some(), "{path}: {:?}", report.findings);
        assert!(registry.get(id).is_some(), "{path}");
        for (list, at_least) in *lists {
            let values = registry.lists().get(*list).map_or(0, std::collections::BTreeSet::len);
            assert!(values >= *at_least, "{path}: {list} has {values} values");
        }
    }
}

#[test]
fn codes_have_the_texts_that_were_published_with_them() {
    let source = folder(&[
        (
            "dmsErrorCodes.json",
            r#"[{"code": "E1", "en": "Not there ", "cy": "-"}, {"code": "E2", "en": "Wrong"}]"#,
        ),
        ("officeOfExits.json", r#"[{"code": "GB1", "en": "Port"}]"#),
        ("customsOffices.json", r#"[{"code": "GB2"}]"#),
    ]);
    let data = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(data.path()).unwrap();
    assert!(registry.install(source.path()).unwrap().installed.is_some());
    let pack = registry.get("external-code-lists").unwrap().held().unwrap();
    let texts = pack.code_texts("error_codes");
    assert_eq!(
        texts.iter().map(|(code, text)| (code.as_str(), text.as_str())).collect::<Vec<_>>(),
        [("E1", "Not there"), ("E2", "Wrong"),]
    );
    // Codes without texts, and lists that are not there, have none.
    assert!(pack.code_texts("customs_offices").is_empty() && pack.code_texts("nothing").is_empty());
}
