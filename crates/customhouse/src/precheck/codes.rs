//! The codes that administrations answer a declaration's errors with (DMS10001 and its kin), for findings that have
//! codes of their own: those of the reader of declarations and of schemas. Rules of the pack `dms-declaration` carry
//! the published code themselves.

use std::borrow::Cow;

/// An element that must be there is not.
const MISSING: &str = "DMS10001";
/// An element is there that may not be, or too often.
const NOT_ALLOWED: &str = "CDS10002";
const TOO_MANY: &str = "CDS10003";
/// A value is not written as it must be.
const FORMAT: &str = "DMS10010";
/// A value is in no list, or out of its range.
const VALUE: &str = "DMS10020";

/// Finding codes by what is answered for them.
const ANSWERED: &[(&str, &[&str])] = &[
    (
        MISSING,
        &[
            "lrn_missing",
            "type_missing",
            "declarant_missing",
            "office_missing",
            "item_missing",
            "commodity_code_missing",
            "origin_missing",
            "value_missing",
            "mass_missing",
            "procedure_missing",
            "currency_missing",
            "xsd_element_missing",
            "xsd_attribute_missing",
        ],
    ),
    (NOT_ALLOWED, &["xsd_element_unexpected", "xsd_element_undeclared", "xsd_attribute_unexpected"]),
    (TOO_MANY, &["list_too_long", "element_repeated", "member_repeated"]),
    (
        FORMAT,
        &[
            "lrn_malformed",
            "commodity_code_malformed",
            "date_not_understood",
            "mass_unit",
            "number_not_decimal",
            "number_not_whole",
            "number_too_long",
            "text_not_printable",
            "text_too_long",
            "value_of_another_kind",
            "xsd_text_unexpected",
            "xsd_value_digits",
            "xsd_value_length",
            "xsd_value_pattern",
            "xsd_value_type",
        ],
    ),
    (
        VALUE,
        &[
            "type_unknown",
            "country_not_a_code",
            "currency_unknown",
            "xsd_value_fixed",
            "xsd_value_not_listed",
            "xsd_value_range",
        ],
    ),
    ("CDS10021", &["number_negative"]),
    ("CDS12003", &["reference_in_use"]),
    ("CDS12046", &["goods_never_presented"]),
    ("CDS12024", &["item_number_repeated", "xsd_id_repeated"]),
];

/// What a finding's code is answered as; a code that has no published counterpart stands for itself.
#[must_use]
pub fn validation_code(code: &str) -> Cow<'static, str> {
    let published = ANSWERED.iter().find(|(_, own)| own.contains(&code)).map(|(published, _)| *published);
    published.map_or_else(|| Cow::Owned(code.to_owned()), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_is_answered_in_one_way_and_published_codes_stand_for_themselves() {
        let all: Vec<&str> = ANSWERED.iter().flat_map(|(_, own)| own.iter().copied()).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for (code, answered) in [
            ("lrn_malformed", "DMS10010"),
            ("mass_missing", "DMS10001"),
            ("xsd_value_not_listed", "DMS10020"),
            ("CDS12005", "CDS12005"),
            ("not_own_declaration", "not_own_declaration"),
        ] {
            assert_eq!(validation_code(code), answered);
        }
    }
}
