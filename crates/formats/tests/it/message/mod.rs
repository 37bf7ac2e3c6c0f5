//! Messages told apart, and amendments applied.

mod amend;
mod bad;
mod laws;
mod published;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use formats::declaration::{Form, Understood, read};
use formats::message::{AmendmentRequest, Message, read_message};
use formats::notification::FunctionCode;
use formats::wco::{WcoPointer, WcoStep};
use spine::declaration::Declaration;

use crate::declaration::EXAMPLE;
use crate::support::assert_helpful;

/// Reads `42A/67A[1]/68A[2]#006`.
pub(crate) fn pointer(text: &str) -> WcoPointer {
    let (steps, tag) =
        text.split_once('#').map_or((text, None), |(steps, tag)| (steps, Some(tag.to_owned())));
    let step = |step: &str| match step.trim_end_matches(']').split_once('[') {
        Some((section, number)) => {
            WcoStep { section: section.to_owned(), sequence: Some(number.parse().unwrap()) }
        }
        None => WcoStep { section: step.to_owned(), sequence: None },
    };
    WcoPointer { steps: steps.split('/').map(step).collect(), tag }
}

/// A request of function 13 on a declaration: its type, pointers, and whatever else it says.
fn request(kind: &str, pointers: &[&str], content: &str) -> String {
    let amendments: String = pointers
        .iter()
        .map(|text| {
            let pointer = pointer(text);
            let last = pointer.steps.len() - 1;
            let steps: String = pointer
                .steps
                .iter()
                .enumerate()
                .map(|(at, step)| {
                    let sequence = step.sequence.map(|n| format!("<SequenceNumeric>{n}</SequenceNumeric>"));
                    let tag = pointer.tag.as_ref().filter(|_| at == last);
                    let tag = tag.map(|tag| format!("<TagID>{tag}</TagID>"));
                    format!(
                        "<Pointer>{}<DocumentSectionCode>{}</DocumentSectionCode>{}</Pointer>",
                        sequence.unwrap_or_default(),
                        step.section,
                        tag.unwrap_or_default()
                    )
                })
                .collect();
            format!("<Amendment><ChangeReasonCode>32</ChangeReasonCode>{steps}</Amendment>")
        })
        .collect();
    format!(
        "<md:MetaData xmlns:md=\"urn:wco:datamodel:WCO:DocumentMetaData-DMS:2\" \
         xmlns=\"urn:wco:datamodel:WCO:DEC-DMS:2\"><Declaration><FunctionCode>13</FunctionCode>\
         <FunctionalReferenceID>REQ-1</FunctionalReferenceID><ID>26NL000396A1B2C3D4</ID><TypeCode>{kind}</TypeCode>\
         <Submitter><ID>NL123456789</ID></Submitter>{amendments}{content}</Declaration></md:MetaData>"
    )
}

fn amendment(pointers: &[&str], content: &str) -> AmendmentRequest {
    match read_message(request("COR", pointers, content).as_bytes()) {
        Ok(Message::Amendment(request)) => *request,
        other => panic!("{other:?}"),
    }
}

fn example() -> Declaration {
    read(EXAMPLE.as_bytes(), Form::Json).declaration.unwrap()
}

fn assert_all_helpful(understood: &Understood) {
    understood.findings.iter().for_each(assert_helpful);
}

#[test]
fn the_guide_tells_every_function_and_explains_every_finding() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(folder.join("../../docs/messages.md")).unwrap();
    for function in FunctionCode::ALL {
        assert!(guide.contains(function.code()) && guide.contains(function.title()), "{function:?}");
    }
    let mut codes = BTreeSet::new();
    for file in ["message", "notification", "entry_summary"] {
        for path in fs::read_dir(folder.join("src").join(file)).unwrap() {
            let text = fs::read_to_string(path.unwrap().path()).unwrap();
            for maker in ["Finding::error(\"", "Finding::warning(\""] {
                let found = text.split(maker).skip(1).filter_map(|rest| rest.split('"').next());
                codes.extend(found.map(str::to_owned));
            }
        }
    }
    assert!(codes.len() > 8, "{codes:?}");
    let untold: Vec<_> = codes.iter().filter(|code| !guide.contains(&format!("`{code}`"))).collect();
    assert_eq!(untold, Vec::<&String>::new());
}
