//! Payloads of the events, what they add up to, and what is told of it.

use formats::entry_summary::{Answer, AnswerHead, EntrySummary, FunctionalError, Outcome, write_answer};
use jiff::Timestamp;
use journal::RecordedEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spine::Finding;

pub(super) const LODGED: &str = "entry_summary.lodged";
pub(super) const ACCEPTED: &str = "entry_summary.accepted";
pub(super) const REJECTED: &str = "entry_summary.rejected";
pub(super) const AMENDED: &str = "entry_summary.amended";
pub(super) const AMENDMENT_REJECTED: &str = "entry_summary.amendment_rejected";
pub(super) const INTERVENTION_ORDERED: &str = "entry_summary.intervention_ordered";

/// Streams of entry summary declarations begin like this.
pub(crate) const STREAM_PREFIX: &str = "entry-summary/";

/// The stream of an entry summary declaration.
pub(super) fn stream(mrn: &str) -> String {
    format!("{STREAM_PREFIX}{mrn}")
}

/// A message that came in: `entry_summary.lodged`, `amended` and `amendment_rejected`, version 1. The payload holds
/// identifications of parties and can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Received {
    /// What was understood of it.
    pub(super) summary: EntrySummary,
    /// Party that sent it.
    pub(super) party: String,
    /// SHA-256 of its bytes, which are a blob: this name is how erasing finds it.
    #[serde(rename = "blob")]
    pub(super) sha256: String,
    /// What is wrong with it.
    pub(super) errors: Vec<FunctionalError>,
}

/// `entry_summary.rejected`, version 1. What is wrong stands in the event before it, which can be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refusal {
    /// How many errors there are.
    pub(super) errors: usize,
}

/// `entry_summary.intervention_ordered`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ordered {
    pub(super) code: String,
    pub(super) text: String,
}

/// `entry_summary.accepted`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub(super) mrn: String,
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// The message that was answered; none: customs acted of its own accord.
    pub(super) sha256: Option<String>,
    /// That message's identification and sender.
    pub(super) message_id: Option<String>,
    pub(super) recipient: String,
    pub(super) outcome: Outcome,
    pub(super) at: Timestamp,
    /// Id of the event.
    pub(super) event: String,
}

/// A message that came in, or went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exchanged {
    In(Box<Received>, Timestamp),
    Out(Box<Given>),
}

/// What the events of a stream add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    pub(super) version: u64,
    /// The message in force, or the last one that was rejected.
    pub(super) received: Option<Received>,
    pub(super) registered_at: Option<Timestamp>,
    pub(super) amendments: u32,
    pub(super) intervention: Option<InterventionRecord>,
    pub(super) given: Vec<Given>,
    /// When the message in force came, or the last one that was rejected.
    pub(super) came_at: Option<Timestamp>,
    /// All messages, in their order.
    pub(super) exchanged: Vec<Exchanged>,
}

impl State {
    pub(super) fn of(events: &[RecordedEvent]) -> Self {
        let mut state = Self::default();
        for event in events {
            state.version = event.envelope.stream_version;
            // What was erased is not told any more; that something stood there still counts.
            if let Some(payload) = event.payload.value() {
                state.apply(event, payload);
            }
        }
        state
    }

    fn apply(&mut self, event: &RecordedEvent, payload: &Value) {
        let at = event.envelope.occurred_at;
        let received = || Received::deserialize(payload).ok();
        if matches!(event.envelope.kind.as_str(), LODGED | AMENDED | AMENDMENT_REJECTED) {
            self.exchanged.extend(received().map(|own| Exchanged::In(Box::new(own), at)));
        }
        match event.envelope.kind.as_str() {
            LODGED => {
                self.received = received();
                self.came_at = Some(at);
            }
            ACCEPTED => {
                self.registered_at = Some(at);
                self.give(event, Outcome::Accepted { registered_at: at });
            }
            REJECTED => {
                let errors = self.received.as_ref().map(|own| own.errors.clone()).unwrap_or_default();
                self.give(event, Outcome::Rejected { rejected_at: at, errors });
            }
            AMENDED => {
                // Its own reference is not part of an amendment.
                let lrn = self.received.take().and_then(|before| before.summary.lrn);
                self.received = received().map(|mut received| {
                    received.summary.lrn = lrn;
                    received
                });
                self.amendments = self.amendments.saturating_add(1);
                self.give(event, Outcome::AmendmentAccepted { accepted_at: at });
            }
            AMENDMENT_REJECTED => {
                if let Some(refused) = received() {
                    let errors = refused.errors.clone();
                    let outcome = Outcome::AmendmentRejected { rejected_at: at, errors };
                    self.give_to(event, Some(&refused), outcome);
                }
            }
            INTERVENTION_ORDERED => {
                let Ok(Ordered { code, text }) = Ordered::deserialize(payload) else { return };
                self.intervention = Some(InterventionRecord { at, code: code.clone(), text: text.clone() });
                let registered_at = self.registered_at.unwrap_or(at);
                self.give_to(
                    event,
                    None,
                    Outcome::Intervention { ordered_at: at, registered_at, code, text },
                );
            }
            _ => {}
        }
    }

    fn give(&mut self, event: &RecordedEvent, outcome: Outcome) {
        let received = self.received.clone();
        self.give_to(event, received.as_ref(), outcome);
    }

    fn give_to(&mut self, event: &RecordedEvent, to: Option<&Received>, outcome: Outcome) {
        let sender = to.or(self.received.as_ref()).and_then(|received| received.summary.sender.clone());
        let given = Given {
            sha256: to.map(|received| received.sha256.clone()),
            message_id: to.and_then(|received| received.summary.message_id.clone()),
            recipient: sender.unwrap_or_default(),
            outcome,
            at: event.envelope.occurred_at,
            event: event.envelope.id.clone(),
        };
        self.exchanged.push(Exchanged::Out(Box::new(given.clone())));
        self.given.push(given);
    }

    /// Identification of an answer: the end of its event's id is what differs between events of one moment.
    pub(super) fn message_id(given: &Given) -> String {
        let digits: Vec<char> = given.event.chars().filter(char::is_ascii_alphanumeric).collect();
        digits.iter().skip(digits.len().saturating_sub(14)).collect()
    }

    /// The answer that these bytes got.
    pub(super) fn given_to(&self, sha256: &str) -> Option<&Given> {
        self.given.iter().rev().find(|given| given.sha256.as_deref() == Some(sha256))
    }

    /// The answer as a message.
    pub(super) fn answer(
        &self,
        given: &Given,
        mrn: &str,
        sender: &str,
        repeated: bool,
    ) -> EntrySummaryAnswer {
        let summary = self.received.as_ref().map(|received| &received.summary);
        let of =
            |read: fn(&EntrySummary) -> &Option<String>| summary.and_then(|summary| read(summary).clone());
        let rejected = matches!(given.outcome, Outcome::Rejected { .. });
        let mrn = Some(mrn.to_owned()).filter(|_| !rejected);
        let answer = Answer {
            head: AnswerHead {
                sender: sender.to_owned(),
                recipient: given.recipient.clone(),
                message_id: Self::message_id(given),
                correlation_id: given.message_id.clone(),
                prepared_at: given.at,
                lrn: of(|summary| &summary.lrn),
                mrn: mrn.clone(),
                lodging_person: of(|summary| &summary.lodging_person),
                representative: of(|summary| &summary.representative),
                first_entry_office: of(|summary| &summary.first_entry_office),
            },
            outcome: given.outcome.clone(),
        };
        let refused = matches!(answer.outcome, Outcome::Rejected { .. } | Outcome::AmendmentRejected { .. });
        EntrySummaryAnswer {
            message_type: answer.outcome.message_type(),
            accepted: !refused,
            mrn,
            repeated,
            xml: write_answer(&answer),
        }
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntrySummaryAnswer {
    /// Name of the message, such as `CC328A`.
    pub message_type: &'static str,
    /// Was what was asked for done?
    pub accepted: bool,
    /// Number of the declaration (MRN); a rejected one has none.
    pub mrn: Option<String>,
    /// The bytes were known, and this is their first answer.
    pub repeated: bool,
    /// The message, UTF-8.
    pub xml: Vec<u8>,
}

/// An intervention that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterventionRecord {
    /// When.
    pub at: Timestamp,
    /// What is to be done, as a code.
    pub code: String,
    /// What is to be done, in words.
    pub text: String,
}

/// Where an entry summary declaration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// It was accepted.
    Accepted,
    /// It was rejected, and may come again corrected.
    Rejected,
    /// It was accepted, and an intervention was ordered.
    Stopped,
}

impl EntryState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Rejected, Self::Stopped];

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Stopped => "stopped",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }
}

/// Which entry summary declarations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EntrySummariesQuery {
    /// Beginning of a number (MRN) or reference (LRN), or the identification of anybody whom the message names.
    pub q: String,
    /// `accepted`, `rejected`, `stopped`, or empty.
    pub state: String,
    /// Day on which it came, `2026-03-31`, or empty.
    pub day: String,
    /// `mrn`, `lrn`, `office`, `arrival`, `items`, `state`, `came`, with `-` before it downwards; default `-came`.
    pub sort: String,
    /// Page, from 1.
    pub page: usize,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EntrySummariesPage {
    /// Rows.
    pub rows: Vec<EntrySummaryRecord>,
    /// How many there are; counting stops at 10,000.
    pub total: u64,
}

/// A message in or out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntrySummaryMessage {
    /// Its place among all messages of the declaration, from 1.
    pub number: u32,
    /// When it came or went.
    pub at: Timestamp,
    /// Did it come in?
    pub incoming: bool,
    /// Name of the message, such as `CC315A`.
    pub message_type: String,
    /// Its sender's identification of it.
    pub message_id: Option<String>,
    /// What is wrong with one that came in.
    pub findings: Vec<Finding>,
}

/// One with everything that was exchanged about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntrySummaryFile {
    /// As it stands.
    pub record: EntrySummaryRecord,
    /// Messages in and out, in their order.
    pub messages: Vec<EntrySummaryMessage>,
}

/// An entry summary declaration as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntrySummaryRecord {
    /// Number (MRN).
    pub mrn: String,
    /// Reference of who lodged it.
    pub lrn: Option<String>,
    /// Who lodged it.
    pub lodging_person: Option<String>,
    /// Who acts for them.
    pub representative: Option<String>,
    /// Who brings the goods in.
    pub carrier: Option<String>,
    /// Office of first entry.
    pub first_entry_office: Option<String>,
    /// When the goods are expected there, `CCYYMMDDhhmm`.
    pub expected_arrival: Option<String>,
    /// Mode of transport at the border.
    pub transport_mode: Option<String>,
    /// Goods items.
    pub items: u32,
    /// Where it stands.
    pub state: EntryState,
    /// When it came.
    pub came_at: Timestamp,
    /// When it was accepted; none of one that was rejected.
    pub registered_at: Option<Timestamp>,
    /// Amendments that were accepted.
    pub amendments: u32,
    /// What was ordered.
    pub intervention: Option<InterventionRecord>,
}
