//! A message against a schema, in a word.

use xsd::{AssumedNamespaces, Entry, Limits, Schema};

use super::Got;

pub(super) const VALID: &str = "valid";
pub(super) const REFUSED: &str = "refused";
pub(super) const NOT_WELL_FORMED: &str = "not well-formed";

/// Reading goes on to the end, so that a broken end is seen behind any number of other findings.
const FINDINGS_MAX: usize = 100_000;

/// What a message is.
pub(super) fn verdict(
    schema: &Schema,
    bytes: &[u8],
    entry: Entry<'_>,
    assumed: AssumedNamespaces<'_>,
) -> Got {
    let text = match formats::xml::decode(bytes) {
        Ok(text) => text,
        Err(finding) => {
            return Got { got: NOT_WELL_FORMED.to_owned(), because: Some(finding.to_string()) };
        }
    };
    let limits = Limits { findings_max: FINDINGS_MAX, ..Limits::default() };
    let found = schema.validate_assuming(&text, entry, assumed, limits);
    let broken = found.iter().find(|violation| violation.finding.code.starts_with("xml_"));
    let got = match (found.first(), broken) {
        (None, _) => VALID,
        (_, Some(_)) => NOT_WELL_FORMED,
        (Some(_), None) => REFUSED,
    };
    let because = broken.or(found.first());
    Got {
        got: got.to_owned(),
        because: because.map(|violation| format!("line {}, {}", violation.line, violation.finding)),
    }
}

/// The same where being refused is all that counts, for whichever reason.
pub(super) fn valid_or_refused(schema: &Schema, bytes: &[u8], entry: Entry<'_>) -> Got {
    let mut got = verdict(schema, bytes, entry, &[]);
    if got.got == NOT_WELL_FORMED {
        REFUSED.clone_into(&mut got.got);
    }
    got
}

/// The word for a recorded verdict.
pub(super) fn word(valid: bool) -> String {
    if valid { VALID } else { REFUSED }.to_owned()
}
