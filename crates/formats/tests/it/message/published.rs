//! Messages that an administration published, in the order in which they were sent.

use std::collections::BTreeMap;
use std::fs;

use formats::declaration::read;
use formats::message::{Message, amend, read_message};
use serde::Deserialize;
use spine::Severity;
use spine::declaration::Declaration;

use crate::declaration::told;
use crate::support::{assert_helpful, cases};

#[derive(Debug, Deserialize)]
struct Scenario {
    inputs: Vec<Input>,
}

#[derive(Debug, Deserialize)]
struct Input {
    file: String,
    kind: String,
}

/// What the suite calls a message.
fn kind(message: &Message) -> &'static str {
    match message {
        Message::Declaration(..) => "declaration",
        Message::Amendment(_) => "amendment",
        Message::Cancellation(_) => "cancellation",
        Message::Presentation(_) => "presentation",
        Message::Movement(_) | Message::Consolidation(_) | Message::GoodsArrival(_) | Message::Query(_) => {
            "movement"
        }
        Message::EntrySummary { .. } => "entry summary",
    }
}

/// Changes in published amendments that their own pointers do not name.
const UNNAMED_BY_THEMSELVES: [&str; 2] =
    ["TT_IM008b/TT_IM008b_Amendment.xml", "TT_IM016a/TT_IM016a_Amendment.xml"];

/// Applies an amendment; how many of its pointers changed something that the platform keeps.
fn apply(file: &str, before: &Declaration, message: &Message) -> usize {
    let Message::Amendment(request) = message else { panic!("{file}") };
    let amended = amend(before, request);
    amended.findings.iter().for_each(assert_helpful);
    let of_amending: Vec<_> = told(&amended, Severity::Warning)
        .into_iter()
        .filter(|(code, _)| code.starts_with("amendment_"))
        .collect();
    let not_kept = of_amending.iter().filter(|(code, _)| *code == "amendment_not_kept").count();
    let unnamed = of_amending.len() - not_kept;
    assert!(unnamed == 0 || UNNAMED_BY_THEMSELVES.contains(&file), "{file}: {of_amending:?}");
    let after = amended.declaration.unwrap_or_else(|| panic!("{file}: {:?}", amended.findings));
    assert_ne!(&after, before, "{file}");
    request.amendments.len() - not_kept
}

#[test]
fn published_messages_are_told_apart_and_their_amendments_apply() {
    let Some(folder) = cases("messages/cds-wco-dms") else {
        println!("skipped: published messages (set TIDEWAITER_CASES to the folder of external data)");
        return;
    };
    let scenarios = fs::read(folder.join("lifecycle-classes.json")).unwrap();
    let scenarios: BTreeMap<String, Scenario> = serde_json::from_slice(&scenarios).unwrap();
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    let mut applied = 0;
    for scenario in scenarios.values() {
        let mut declaration = None;
        for Input { file, kind: expected } in &scenario.inputs {
            let bytes = fs::read(folder.join("samples").join(file)).unwrap();
            let message = match read_message(&bytes) {
                Ok(message) => message,
                Err(findings) => {
                    // Some declarations are not well-formed as they were published.
                    assert_eq!(
                        (expected.as_str(), findings[0].code.as_str()),
                        ("declaration", "xml_not_well_formed")
                    );
                    continue;
                }
            };
            assert_eq!(kind(&message), expected, "{file}");
            *kinds.entry(expected.clone()).or_default() += 1;
            match &message {
                Message::Declaration(form) => declaration = read(&bytes, *form).declaration,
                Message::Amendment(_) => {
                    applied += apply(file, declaration.as_ref().unwrap(), &message);
                }
                _ => {}
            }
        }
    }
    println!("published messages: {kinds:?}; {applied} amendments applied");
    assert!(kinds.len() == 5 && applied > 20);
}
