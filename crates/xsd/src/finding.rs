//! What is wrong with a message, where, and how to mend it.

use serde::{Deserialize, Serialize};
use spine::Finding;

use crate::limits::Limits;
use crate::place::locate;

/// Something in a message that its schema does not allow.
///
/// The pointer names every element from the root with its position among its like, and the attribute:
/// `MetaData[1]/Declaration[1]/GoodsShipment[1]/@languageID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Code, place, value, expectation, remedy.
    #[serde(flatten)]
    pub finding: Finding,
    /// Line of the message, from 1.
    pub line: u32,
    /// Column in it, in characters from 1.
    pub column: u32,
}

/// A violation whose place is still a byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) code: &'static str,
    pub(crate) at: usize,
    pub(crate) attribute: Option<String>,
    pub(crate) found: String,
    pub(crate) expected: String,
}

/// Bytes to places.
pub(crate) fn placed(text: &str, limits: Limits, raw: Vec<Raw>) -> Vec<Violation> {
    let bytes: Vec<usize> = raw.iter().map(|raw| raw.at).collect();
    let places = locate(text, limits, &bytes);
    raw.into_iter()
        .zip(places)
        .map(|(raw, place)| {
            let pointer = match raw.attribute {
                Some(name) => place.pointer.child(&format!("@{name}")),
                None => place.pointer,
            };
            let finding = Finding::error(raw.code)
                .at(pointer)
                .found(&raw.found)
                .expected(raw.expected)
                .fix(remedy(raw.code));
            Violation { finding, line: place.line, column: place.column }
        })
        .collect()
}

fn remedy(code: &str) -> &'static str {
    match code {
        "file_empty" => "Send the message again; this file holds nothing.",
        "xml_too_large" => "Split the message, or ask for a larger bound.",
        "xsd_root_unknown" => "Check which message this is, and its namespace (xmlns).",
        "xsd_entry_missing" => "Send the message that this place is for, with its namespace (xmlns).",
        "xsd_element_unexpected" => {
            "Remove the element, or put it where the schema has it; the order counts."
        }
        "xsd_element_missing" => "Add what is missing.",
        "xsd_element_undeclared" => "Check the element's name and namespace (xmlns).",
        "xsd_text_unexpected" => "Remove the text, or close the element before it.",
        "xsd_attribute_unexpected" => "Remove the attribute, or correct its name.",
        "xsd_attribute_missing" => "Add the attribute.",
        "xsd_nil_not_allowed" | "xsd_nil_with_content" => "Leave xsi:nil out, or leave the element empty.",
        "xsd_type_unknown" | "xsd_type_not_derived" | "xsd_type_abstract" => {
            "Leave xsi:type out, or name a type that the schema derives from the declared one."
        }
        "xsd_element_abstract" => "Use one of the elements that stand for it.",
        "xsd_id_repeated" => "Give each element an identifier of its own.",
        "xsd_idref_unknown" => "Name an identifier that stands in the message.",
        "xsd_too_many_findings" => "Mend what is named, then check again.",
        // What cannot be read is not the schema's matter.
        code => markup::Broken::remedy_of(code).unwrap_or("Correct the value."),
    }
}
