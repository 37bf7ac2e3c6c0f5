//! Why a text cannot be read further.

/// Why a text cannot be read further, and the byte where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// `xml_not_well_formed`, `xml_document_type`, or the bound that is exceeded: `xml_too_deep`,
    /// `xml_too_many_nodes`, `xml_too_many_attributes`, `xml_too_many_namespaces`.
    pub code: &'static str,
    /// Where, in bytes; the length of the text where something is missing at its end.
    pub at: usize,
    /// What should stand there.
    pub expected: String,
}

impl Broken {
    pub(crate) fn not_well_formed(at: usize, rule: &str) -> Self {
        Self { code: "xml_not_well_formed", at, expected: format!("well-formed XML: {rule}") }
    }

    pub(crate) fn namespaces(at: usize, rule: &str) -> Self {
        Self { code: "xml_not_well_formed", at, expected: format!("well-formed XML with namespaces: {rule}") }
    }

    pub(crate) fn bound(code: &'static str, at: usize, max: usize, what: &str) -> Self {
        Self { code, at, expected: format!("at most {max} {what}") }
    }

    pub(crate) fn document_type(at: usize) -> Self {
        let expected = "a message without document type and entities: they are never read here".to_owned();
        Self { code: "xml_document_type", at, expected }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        Self::remedy_of(self.code)
            .unwrap_or("Correct the place; a program that writes XML never produces this.")
    }

    /// What to do about what has this code; `None` for a code that no reader of markup gives.
    #[must_use]
    pub fn remedy_of(code: &str) -> Option<&'static str> {
        Some(match code {
            "xml_not_well_formed" => "Correct the place; a program that writes XML never produces this.",
            "xml_document_type" => "Remove the declaration and write the entities out.",
            "xml_too_deep" => "Look for elements that are not closed.",
            "xml_too_many_nodes" => "Split the message, or ask for a larger bound.",
            "xml_too_many_attributes" | "xml_too_many_namespaces" => {
                "Customs messages have a handful; check the program that wrote this."
            }
            _ => return None,
        })
    }
}
