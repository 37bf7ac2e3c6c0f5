//! What customs answers to entry summary declarations.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use spine::Pointer;

use crate::xml_writer::XmlWriter;

/// Functional errors of one answer; more are not told.
const ERRORS_MAX: usize = 999;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// To whom, from whom, about what.
    pub head: AnswerHead,
    /// What it says.
    pub outcome: Outcome,
}

/// What every answer states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerHead {
    /// Who answers, at most 35 characters.
    pub sender: String,
    /// Who is answered, at most 35 characters.
    pub recipient: String,
    /// Identification of the answer, at most 14 characters.
    pub message_id: String,
    /// Identification of the message that is answered (`CorIdeMES25`).
    pub correlation_id: Option<String>,
    /// When, to the minute.
    pub prepared_at: Timestamp,
    /// The sender's reference (LRN).
    pub lrn: Option<String>,
    /// Number of the declaration (MRN).
    pub mrn: Option<String>,
    /// Who lodged it.
    pub lodging_person: Option<String>,
    /// Who acted for them.
    pub representative: Option<String>,
    /// Office of first entry.
    pub first_entry_office: Option<String>,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// CC328A: accepted and registered under its MRN.
    Accepted {
        /// When.
        registered_at: Timestamp,
    },
    /// CC304A: the amendment is accepted.
    AmendmentAccepted {
        /// When.
        accepted_at: Timestamp,
    },
    /// CC316A: not accepted.
    Rejected {
        /// When.
        rejected_at: Timestamp,
        /// Why.
        errors: Vec<FunctionalError>,
    },
    /// CC305A: the amendment is not accepted; what it was about stands as before.
    AmendmentRejected {
        /// When.
        rejected_at: Timestamp,
        /// Why.
        errors: Vec<FunctionalError>,
    },
    /// CC351A: what travels is to be stopped before it is loaded, or on the way.
    Intervention {
        /// When it was ordered.
        ordered_at: Timestamp,
        /// When the declaration was registered.
        registered_at: Timestamp,
        /// What is to be done, as a code of up to four characters.
        code: String,
        /// What is to be done, in words.
        text: String,
    },
}

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionalError {
    /// Where.
    pub pointer: Pointer,
    /// Code of the rule that says so.
    pub reason: String,
    /// What stood there; empty: nothing did.
    pub original_value: String,
}

impl Outcome {
    /// Name of the message, such as `CC328A`.
    #[must_use]
    pub const fn message_type(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "CC328A",
            Self::AmendmentAccepted { .. } => "CC304A",
            Self::Rejected { .. } => "CC316A",
            Self::AmendmentRejected { .. } => "CC305A",
            Self::Intervention { .. } => "CC351A",
        }
    }
}

/// Writes an answer, UTF-8. Texts longer than the elements of the system are cut.
#[must_use]
pub fn write_answer(answer: &Answer) -> Vec<u8> {
    let kind = answer.outcome.message_type();
    let head = &answer.head;
    let mut writer = Writer { xml: XmlWriter::new() };
    let element = format!("ie:{kind}");
    writer.xml.open_with(&element, &format!(" xmlns:ie=\"http://ics.dgtaxud.ec/{kind}\""));
    writer.text("MesSenMES3", &head.sender, 35);
    writer.text("MesRecMES6", &head.recipient, 35);
    writer.time("DatOfPreMES9", head.prepared_at, "%y%m%d");
    writer.time("TimOfPreMES10", head.prepared_at, "%H%M");
    writer.text("MesIdeMES19", &head.message_id, 14);
    writer.text("MesTypMES20", kind, 6);
    writer.optional("CorIdeMES25", head.correlation_id.as_deref(), 14);
    writer.header(head, &answer.outcome);
    if let Outcome::Rejected { errors, .. } | Outcome::AmendmentRejected { errors, .. } = &answer.outcome {
        errors.iter().take(ERRORS_MAX).for_each(|error| writer.error(error));
    }
    writer.group("TRAREP", "TINTRE1", head.representative.as_deref());
    writer.group("PERLODSUMDEC", "TINPLD1", head.lodging_person.as_deref());
    writer.group("CUSOFFFENT730", "RefNumCUSOFFFENT731", head.first_entry_office.as_deref());
    if let Outcome::Intervention { code, text, .. } = &answer.outcome {
        writer.xml.open("CUSINT632");
        writer.text("CusIntCodCUSINT665", code, 4);
        writer.text("CusIntTexCUSINT666", text, 350);
        writer.xml.close("CUSINT632");
    }
    writer.xml.close(&element);
    writer.xml.finish().into_bytes()
}

struct Writer {
    xml: XmlWriter,
}

/// A moment to the minute.
const MINUTE: &str = "%Y%m%d%H%M";

impl Writer {
    fn header(&mut self, head: &AnswerHead, outcome: &Outcome) {
        self.xml.open("HEAHEA");
        self.optional("RefNumHEA4", head.lrn.as_deref(), 22);
        self.optional("DocNumHEA5", head.mrn.as_deref(), 21);
        match outcome {
            Outcome::Accepted { registered_at } => self.time("DecRegDatTimHEA115", *registered_at, MINUTE),
            Outcome::AmendmentAccepted { accepted_at } => {
                self.time("AmeAccDatTimHEA112", *accepted_at, MINUTE)
            }
            Outcome::Rejected { rejected_at, .. } => self.time("DecRejDatTimHEA116", *rejected_at, MINUTE),
            Outcome::AmendmentRejected { rejected_at, .. } => {
                self.time("AmeRejDatTimHEA111", *rejected_at, MINUTE);
            }
            Outcome::Intervention { ordered_at, registered_at, .. } => {
                self.time("NotDatTimHEA104", *ordered_at, MINUTE);
                self.time("DecRegDatTimHEA115", *registered_at, MINUTE);
            }
        }
        self.xml.close("HEAHEA");
    }

    fn error(&mut self, error: &FunctionalError) {
        self.xml.open("FUNERRER1");
        // 13: missing; 12: a value that is not right.
        self.text("ErrTypER11", if error.original_value.is_empty() { "13" } else { "12" }, 2);
        self.text("ErrPoiER12", &error.pointer.0, 210);
        self.text("ErrReaER13", &error.reason, 140);
        self.text("OriAttValER14", &error.original_value, 140);
        self.xml.close("FUNERRER1");
    }

    fn group(&mut self, group: &str, element: &str, text: Option<&str>) {
        if text.is_some_and(|text| !text.is_empty()) {
            self.xml.open(group);
            self.optional(element, text, 17);
            self.xml.close(group);
        }
    }

    fn optional(&mut self, element: &str, text: Option<&str>, max: usize) {
        self.text(element, text.unwrap_or_default(), max);
    }

    fn text(&mut self, element: &str, text: &str, max: usize) {
        if text.is_empty() {
            return;
        }
        let cut: String = text.chars().take(max).collect();
        self.xml.line(element, "", &cut);
    }

    fn time(&mut self, element: &str, time: Timestamp, format: &str) {
        let text = Offset::UTC.to_datetime(time).strftime(format).to_string();
        self.xml.line(element, "", &text);
    }
}
