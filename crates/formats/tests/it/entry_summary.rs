//! Entry summary declarations: what matters of them, and what is answered.

use std::fs;

use formats::entry_summary::{
    Answer, AnswerHead, FunctionalError, Outcome, read_entry_summary, write_answer,
};
use formats::message::{Message, read_message};
use jiff::Timestamp;
use spine::Pointer;

use crate::support::{assert_helpful, cases, xml_files};

const LODGED: &str = "<ie:CC315A xmlns:ie=\"http://ics.dgtaxud.ec/CC315A\"><MesSenMES3>NL1/1</MesSenMES3>\
    <MesIdeMES19>M1</MesIdeMES19><HEAHEA><RefNumHEA4>LRN-1</RefNumHEA4><TraModAtBorHEA76>1</TraModAtBorHEA76>\
    </HEAHEA><GOOITEGDS><IteNumGDS7>1</IteNumGDS7></GOOITEGDS><GOOITEGDS/><PERLODSUMDEC><TINPLD1>NL1</TINPLD1>\
    </PERLODSUMDEC><CUSOFFFENT730><RefNumCUSOFFFENT731>NL000510</RefNumCUSOFFFENT731></CUSOFFFENT730></ie:CC315A>";

#[test]
fn what_matters_of_an_entry_summary_is_read() {
    let summary = read_entry_summary(LODGED.as_bytes()).unwrap();
    assert!(!summary.amends && summary.items == 2);
    assert_eq!(summary.parties, ["NL1"]);
    assert_eq!(summary.lrn.as_deref(), Some("LRN-1"));
    assert_eq!(summary.lodging_person.as_deref(), Some("NL1"));
    assert_eq!(summary.first_entry_office.as_deref(), Some("NL000510"));
    assert_eq!((summary.mrn, summary.representative, summary.carrier), (None, None, None));
    let amended = LODGED.replace("CC315A", "CC313A").replace("RefNumHEA4", "DocNumHEA5");
    let amended = read_entry_summary(amended.as_bytes()).unwrap();
    assert!(amended.amends && amended.mrn.as_deref() == Some("LRN-1") && amended.lrn.is_none());
}

#[test]
fn what_is_no_entry_summary_is_refused_with_a_reason() {
    for (text, code) in [
        ("<CC316A/>".to_owned(), "entry_summary_not_found"),
        (String::new(), "file_empty"),
        (LODGED.replace("LRN-1", &"L".repeat(71)), "text_too_long"),
        (LODGED.replace("</HEAHEA>", ""), "xml_not_well_formed"),
    ] {
        let findings = read_entry_summary(text.as_bytes()).unwrap_err();
        findings.iter().for_each(assert_helpful);
        assert_eq!(findings[0].code, code);
    }
}

fn answer(outcome: Outcome) -> Answer {
    let time = "2026-03-31T14:05:09Z".parse().unwrap();
    Answer {
        head: AnswerHead {
            sender: "NTA.ZZ".to_owned(),
            recipient: "NL1/1".to_owned(),
            message_id: "A1".to_owned(),
            correlation_id: Some("M1".to_owned()),
            prepared_at: time,
            lrn: Some("LRN-1".to_owned()),
            mrn: Some("26ZZE0000000000014".to_owned()),
            lodging_person: Some("NL1".to_owned()),
            representative: Some("NL2".to_owned()),
            first_entry_office: Some("NL000510".to_owned()),
        },
        outcome,
    }
}

#[test]
fn answers_are_written_as_the_messages_of_the_system_are() {
    let time: Timestamp = "2026-03-31T14:05:09Z".parse().unwrap();
    let error = FunctionalError {
        pointer: Pointer("HEAHEA[1]/TotNumOfIteHEA305[1]".to_owned()),
        reason: "8206".to_owned(),
        original_value: "2 & more".to_owned(),
    };
    let missing = FunctionalError { original_value: String::new(), ..error.clone() };
    let outcomes = [
        Outcome::Accepted { registered_at: time },
        Outcome::AmendmentAccepted { accepted_at: time },
        Outcome::Rejected { rejected_at: time, errors: vec![error.clone(), missing] },
        Outcome::AmendmentRejected { rejected_at: time, errors: vec![error; 1200] },
        Outcome::Intervention {
            ordered_at: time,
            registered_at: time,
            code: "A002".to_owned(),
            text: "Do not load the goods.".to_owned(),
        },
    ];
    for outcome in outcomes {
        let kind = outcome.message_type();
        let written = String::from_utf8(write_answer(&answer(outcome))).unwrap();
        if kind == "CC305A" {
            assert_eq!(written.matches("<FUNERRER1>").count(), 999);
        } else {
            insta::assert_snapshot!(kind, written);
        }
    }
}

#[test]
fn published_entry_summaries_are_read() {
    let Some(folder) = cases("messages/ens-ics") else {
        println!("skipped: published entry summaries (set TIDEWAITER_CASES to the folder of external data)");
        return;
    };
    let mut read = 0;
    for (suite, amends) in [("ie315-rules", false), ("ie313-rules", true)] {
        for path in xml_files(&folder.join(suite)) {
            let bytes = fs::read(&path).unwrap();
            assert_eq!(read_message(&bytes), Ok(Message::EntrySummary { amends }), "{}", path.display());
            let summary = read_entry_summary(&bytes).unwrap_or_else(|found| panic!("{found:?}"));
            assert!(summary.lodging_person.is_some() || summary.mrn.is_some(), "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 0);
}
