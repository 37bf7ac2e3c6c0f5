//! What holds for any bytes.

use formats::{Mapping, XmlBounds, read_xml};
use proptest::prelude::*;

use crate::support::{assert_helpful, by_name, proposal, read_with};

/// Rows that look like records, cells good and bad.
fn table() -> impl Strategy<Value = String> {
    let cell = prop_oneof![
        Just(String::new()),
        "[0-9]{1,12}",
        "-?[0-9]{1,4}[.,][0-9]{1,3}",
        Just("2024-01-31".to_owned()),
        Just("31/01/2024".to_owned()),
        Just("\"open".to_owned()),
        "[ -~]{0,12}",
        "\\PC{0,8}",
    ];
    let row = proptest::collection::vec(cell, 0..8).prop_map(|cells| cells.join(","));
    proptest::collection::vec(row, 0..30).prop_map(|rows| {
        format!("Declaration ID,Date,HS Code,Country of Origin,Net Mass,Fraud\n{}", rows.join("\n"))
    })
}

proptest! {
    #[test]
    fn every_row_is_an_entry_or_quarantined(text in table()) {
        let intake = read_with(text.as_bytes(), &by_name()).unwrap();
        let entries = u64::try_from(intake.table.len()).unwrap();
        prop_assert_eq!(intake.rows_read, entries + intake.rows_quarantined);
        prop_assert_eq!(intake.lines.len(), intake.table.len());
        let mut lines: Vec<u64> =
            intake.lines.iter().copied().chain(intake.quarantine.iter().map(|row| row.line)).collect();
        lines.sort_unstable();
        lines.dedup();
        prop_assert_eq!(u64::try_from(lines.len()).unwrap(), intake.rows_read, "each row has a line of its own");
        for row in &intake.quarantine {
            prop_assert!(!row.findings.is_empty());
            row.findings.iter().for_each(assert_helpful);
        }
    }

    #[test]
    fn the_same_bytes_get_the_same_answer(text in table()) {
        let (first, second) =
            (read_with(text.as_bytes(), &by_name()).unwrap(), read_with(text.as_bytes(), &by_name()).unwrap());
        prop_assert_eq!(first.findings, second.findings);
        prop_assert_eq!(first.quarantine, second.quarantine);
    }

    #[test]
    fn any_bytes_are_read_or_refused_with_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        match proposal(&bytes) {
            Ok(proposal) => {
                if let Err(findings) = read_with(&bytes, &proposal.mapping) {
                    prop_assert!(!findings.is_empty());
                }
            }
            Err(finding) => assert_helpful(&finding),
        }
        if let Err(finding) = read_xml(&bytes, XmlBounds::default()) {
            assert_helpful(&finding);
        }
    }

    #[test]
    fn any_text_is_a_mapping_or_refused_with_its_line(text in "(version = 1\n|schema = \"declaration_item\"\n|\\[fields\\.[a-z_]{1,12}\\]\n|column = \"[A-Z]\"\n|\\PC{0,20}\n){0,12}") {
        if let Err(finding) = Mapping::from_toml(&text) {
            assert_helpful(&finding);
            prop_assert!(!finding.pointer.0.is_empty());
        }
    }

    #[test]
    fn any_markup_is_a_tree_or_refused_with_its_place(
        text in "(<a>|</a>|<b x='1'>|</b>|<c/>|text|&amp;|&#65;|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?p|\\?>|<!DOCTYPE a>|\"|>){0,20}",
    ) {
        let document = format!("<r>{text}</r>");
        if let Err(finding) = read_xml(document.as_bytes(), XmlBounds::default()) {
            assert_helpful(&finding);
            prop_assert!(finding.pointer.0.starts_with("line["), "{}", finding);
        }
    }
}
