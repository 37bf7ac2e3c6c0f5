//! Declarations that an administration published for its software houses.

use std::collections::BTreeMap;
use std::fs;

use formats::declaration::{Form, read, write_dms, write_json};
use spine::Severity;

use crate::support::{assert_helpful, cases, xml_files};

/// Errors that stand in published originals: what the national profile leaves open and we ask of everybody.
const KNOWN: [&str; 1] = ["mass_missing"];

#[test]
fn published_originals_are_understood() {
    let Some(folder) = cases("messages/cds-wco-dms/samples") else {
        println!("skipped: published declarations (set TIDEWAITER_CASES to the folder of external data)");
        return;
    };
    let (mut originals, mut understood_whole) = (0_u32, 0_u32);
    let mut blocked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in xml_files(&folder) {
        let bytes = fs::read(&path).unwrap();
        let understood = read(&bytes, Form::DmsXml);
        understood.findings.iter().for_each(assert_helpful);
        let Some(declaration) = &understood.declaration else { continue };
        if understood.findings.iter().any(|finding| finding.code == "declaration_not_original") {
            continue;
        }
        originals += 1;
        if understood.is_acceptable() {
            understood_whole += 1;
        }
        for finding in understood.findings.iter().filter(|finding| finding.severity == Severity::Error) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            blocked.entry(finding.code.clone()).or_default().push(name);
        }
        for (form, written) in [(Form::Json, write_json(declaration)), (Form::DmsXml, write_dms(declaration))]
        {
            assert_eq!(read(&written, form).declaration.as_ref(), Some(declaration), "{}", path.display());
        }
    }
    println!("published originals: {understood_whole} of {originals} without an error");
    blocked.iter().for_each(|(code, names)| println!("  {code} {}: {}", names.len(), names.join(", ")));
    assert!(originals > 0);
    assert!(understood_whole * 20 >= originals * 19, "{understood_whole} of {originals}");
    assert!(blocked.keys().all(|code| KNOWN.contains(&code.as_str())), "{blocked:?}");
}
