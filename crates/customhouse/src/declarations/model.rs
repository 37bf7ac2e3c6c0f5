//! What is told about declarations.

use std::collections::BTreeMap;

use clearance::{Action, ControlKind, ControlResult, LookFor, State};
use formats::declaration::Form;
use jiff::Timestamp;
use selection::{Arm, Made};
use serde::{Deserialize, Serialize};
use spine::declaration::Declaration;
use spine::noun::{Evidence, Lane};
use spine::{ActorKind, Finding, LocalizedText, Sensitivity};

use crate::viewings::OwnViewing;
use crate::warnings::{CombinationOnCase, WarningOnCase};

/// A declaration as it came in.
#[derive(Debug, Clone)]
pub struct LodgeRequest {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they are; guessed from the bytes where it is not said.
    pub form: Option<Form>,
    /// Which way it came.
    pub channel: Channel,
}

/// Which way a declaration came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Over the API.
    Api,
    /// From the form of the trader's pages.
    Form,
    /// From a file: uploaded, or named on the command line.
    File,
}

/// What whoever lodged a declaration gets at once, and may ask for again. It holds nothing that a trader may not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Movement reference number: the declaration's number here.
    pub mrn: String,
    /// The trader's own reference (LRN).
    pub functional_reference_id: String,
    /// SHA-256 of the bytes as they came.
    pub sha256: String,
    /// When it was recorded.
    pub lodged_at: Timestamp,
    /// True if the very same declaration had been lodged before: this is its first receipt.
    pub repeated: bool,
    /// Where it stands now, in words for a trader.
    pub progress: Progress,
    /// What was noticed; errors mean that it was rejected.
    pub findings: Vec<Finding>,
    /// Position in the journal up to which all of this is recorded.
    pub position: u64,
    /// The schema that the declaration was held against when it was handed in, or `schema_not_applied`; none of
    /// one that came before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

/// Where a declaration stands, as its trader may know it: never a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Received; not looked at yet.
    Received,
    /// Registered; its goods are to come.
    AwaitingArrival,
    /// Rejected for correction.
    Rejected,
    /// Accepted, and being processed.
    Accepted,
    /// Documents are asked for.
    DocumentsWanted,
    /// A question is asked.
    QuestionAsked,
    /// Under examination.
    UnderExamination,
    /// What is owed is to be paid.
    PaymentWanted,
    /// Released.
    Released,
    /// Its goods have left.
    Exited,
    /// Detained.
    Detained,
    /// Cancelled.
    Cancelled,
}

impl Progress {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::AwaitingArrival => "awaiting_arrival",
            Self::Rejected => "rejected",
            Self::Accepted => "accepted",
            Self::DocumentsWanted => "documents_wanted",
            Self::QuestionAsked => "question_asked",
            Self::UnderExamination => "under_examination",
            Self::PaymentWanted => "payment_wanted",
            Self::Released => "released",
            Self::Exited => "exited",
            Self::Detained => "detained",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Which declarations, in which order. Everything not given does not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DeclarationsQuery {
    /// Beginning of an MRN or LRN, a party's id, a container, the beginning of a commodity code.
    pub q: String,
    /// Office.
    pub office: String,
    /// Lane by name.
    pub lane: String,
    /// State by name.
    pub state: String,
    /// Arm of the selection by name.
    pub arm: String,
    /// Party in any role.
    pub party: String,
    /// Commodity code or its beginning.
    pub commodity: String,
    /// Country of origin of any item.
    pub origin: String,
    /// Tag carried; only such as the reader may see.
    pub tag: String,
    /// `conform`, `irregular`, `inspected` or `unknown`.
    pub outcome: String,
    /// `live`, `history`, or empty for both.
    pub source: String,
    /// First day of lodging, as a date.
    pub from: String,
    /// Last day of lodging.
    pub to: String,
    /// `lodged`, `value`, `score`, `items`, `mrn`, with `-` before it downwards; default `-lodged`.
    pub sort: String,
    /// Page, from 1.
    pub page: usize,
}

/// A page of declarations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeclarationsPage {
    /// Rows of the page.
    pub rows: Vec<DeclarationRow>,
    /// How many there are.
    pub total: u64,
    /// True if there are more than `total`: counting stopped there.
    pub total_is_at_least: bool,
    /// Is any row simulated?
    pub simulated: bool,
}

/// One declaration in a list. What the reader may not see is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeclarationRow {
    /// Movement reference number.
    pub mrn: String,
    /// The trader's own reference.
    pub lrn: String,
    /// Office.
    pub office: String,
    /// Declarant.
    pub declarant: Option<String>,
    /// Importer.
    pub importer: Option<String>,
    /// Exporter.
    pub exporter: Option<String>,
    /// Commodity code of the first item.
    pub commodity: Option<String>,
    /// Description of the first item.
    pub description: Option<String>,
    /// Origin of the first item.
    pub origin: Option<String>,
    /// Number of items.
    pub items: u32,
    /// Value, in `currency`, as a decimal.
    pub value: Option<String>,
    /// Currency of the value.
    pub currency: Option<String>,
    /// State; for history: released, or unknown.
    pub state: Option<State>,
    /// Lane.
    pub lane: Option<Lane>,
    /// Arm of the selection; restricted.
    pub arm: Option<Arm>,
    /// Score in points; restricted.
    pub score: Option<i32>,
    /// When it was lodged; for history: accepted.
    pub lodged_at: Timestamp,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// Officer who has its control.
    pub officer: Option<String>,
    /// Was it inspected?
    pub inspected: Option<bool>,
    /// Was anything irregular found? `None`: unknown.
    pub irregular: Option<bool>,
    /// Batch of the pool it came in with; `None`: it was lodged here.
    pub batch: Option<String>,
    /// Simulated?
    pub simulated: bool,
}

/// One declaration with everything an official may see of it.
#[derive(Debug, Clone, Serialize)]
pub struct CaseFile {
    /// The line of the list.
    pub row: DeclarationRow,
    /// Version of its stream: what an action is taken against.
    pub version: u64,
    /// The declaration; `None` for history (see `entries`) and if its payload was erased.
    pub declaration: Option<Declaration>,
    /// Fields of its entries for history, item by item, as far as they may be seen.
    pub entries: Vec<BTreeMap<String, String>>,
    /// What was noticed when it came in.
    pub findings: Vec<Finding>,
    /// Media type and size of the bytes as they came.
    pub original: Option<Original>,
    /// What the trader sent because it was asked for, in order.
    pub received: Vec<Evidence>,
    /// Tags it carries, the most telling first; none above the reader's clearance.
    pub tags: Vec<TagOnCase>,
    /// Watched combinations of tags that hold of it and are more frequent than usual where it belongs.
    pub combinations: Vec<CombinationOnCase>,
    /// How many tags were found that the reader may not see is never told; this is how many could not be decided.
    pub tags_unknown: u64,
    /// Parties that the windows of its tags counted as one, by the decisions that were known then.
    pub counted_together: Vec<Vec<String>>,
    /// The opinion in one sentence, with its reasons.
    pub opinion: Option<OpinionOnCase>,
    /// The selection as it was made; restricted.
    pub selection: Option<Made>,
    /// The control that is open or was completed.
    pub control: Option<ControlOnCase>,
    /// The audit after release.
    pub audit: Option<ControlOnCase>,
    /// When a scheduled release takes effect.
    pub release_at: Option<Timestamp>,
    /// A question to the trader that is open.
    pub open_question: Option<String>,
    /// Documents that are waited for.
    pub open_documents: Option<String>,
    /// A contest that nobody answered yet.
    pub open_contest: Option<String>,
    /// A wish to cancel that nobody answered yet.
    pub cancel_requested: Option<String>,
    /// Why its trader asks for an amendment that is not decided yet.
    pub amendment_requested: Option<String>,
    /// What the reader may do now, the primary one first.
    pub actions: Vec<Action>,
    /// Everything that happened, in order.
    pub timeline: Vec<TimelineStep>,
    /// Legal basis, reason and way to contest of the last decision.
    pub last_decision: Option<DecisionShown>,
    /// That its content was erased.
    pub erased: Option<Erased>,
}

/// A photo or document of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseDocument {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Media type, as whoever sent it named it.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The bytes as they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Original {
    /// Media type.
    pub media_type: String,
    /// SHA-256.
    pub sha256: String,
    /// How many.
    pub bytes: u64,
}

/// A tag on a declaration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagOnCase {
    /// Id.
    pub tag: String,
    /// What officers call it.
    pub title: LocalizedText,
    /// `low`, `medium`, `high`.
    pub severity: String,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Items that carry it.
    pub items: Vec<u32>,
    /// Points it adds to the score under the plan used; restricted, `None` otherwise.
    pub points: Option<i32>,
    /// Fields and aggregates that made it true, with their values, as far as they may be seen.
    pub values: Vec<(String, String)>,
    /// What to look for.
    pub hint: LocalizedText,
    /// Hit rate of inspected declarations with it, as found so far; restricted.
    pub hits: Option<HitRate>,
    /// Where it is more frequent than usual, of what the declaration belongs to.
    pub warnings: Vec<WarningOnCase>,
}

/// Finds among inspections whose result is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HitRate {
    /// Inspected, result known.
    pub inspected: u64,
    /// Of these irregular.
    pub irregular: u64,
    /// Share.
    pub rate: Option<f64>,
    /// Lower end of the 95 % interval (Wilson).
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// What the machine thinks, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpinionOnCase {
    /// Score in points; restricted.
    pub score: Option<i32>,
    /// Threshold then in force; restricted.
    pub threshold: Option<i32>,
    /// Share of such declarations expected to be irregular, by the plan's own fit; `None` without a fit.
    pub expected_share: Option<f64>,
    /// Lane it led to.
    pub lane: Lane,
    /// Arm; restricted.
    pub arm: Option<Arm>,
    /// Made from simulated records?
    pub simulated: bool,
}

/// A control as the page shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ControlOnCase {
    /// What kind.
    pub kind: ControlKind,
    /// Until when.
    pub due_at: Timestamp,
    /// Is that over?
    pub overdue: bool,
    /// Who has it: account id.
    pub officer: Option<String>,
    /// Name of that account, where it is one here.
    pub officer_name: Option<String>,
    /// What to look for, as far as the reader may see it.
    pub look_for: Vec<LookFor>,
    /// What came of it.
    pub result: Option<ControlResult>,
}

/// One step of what happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimelineStep {
    /// Position in the journal.
    pub position: u64,
    /// Kind of event, such as `declaration.accepted`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Milliseconds since the step before.
    pub after_ms: Option<u64>,
    /// What acted.
    pub actor_kind: ActorKind,
    /// Who: name of the account where it is one here, otherwise the id.
    pub actor: String,
    /// In a few words, such as a lane, a result, a question.
    pub note: String,
    /// Legal basis, reason and way to contest, where it is a decision.
    pub decision: Option<DecisionShown>,
}

/// What makes a decision one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionShown {
    /// Law or policy it rests on.
    pub legal_basis: String,
    /// Why.
    pub reason: LocalizedText,
    /// How to contest it.
    pub how_to_contest: LocalizedText,
    /// Content hash of the policy applied.
    pub policy: Option<String>,
}

/// That the content of a declaration was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// When.
    pub at: Timestamp,
    /// On what ground.
    pub basis: String,
}

impl From<(Timestamp, &str)> for Erased {
    fn from((at, basis): (Timestamp, &str)) -> Self {
        Self { at, basis: basis.to_owned() }
    }
}

/// One declaration as its own trader sees it: no lane, no tag, no score, nobody else's data.
#[derive(Debug, Clone, Serialize)]
pub struct OwnDeclaration {
    /// Movement reference number.
    pub mrn: String,
    /// How many steps the trader knows: what its own actions are taken against. The version of the stream would tell
    /// of steps that are not for traders.
    pub version: u64,
    /// The trader's own reference.
    pub lrn: String,
    /// Where it stands.
    pub progress: Progress,
    /// When it was lodged.
    pub lodged_at: Timestamp,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// Office.
    pub office: String,
    /// What was lodged.
    pub declaration: Option<Declaration>,
    /// What was noticed.
    pub findings: Vec<Finding>,
    /// The bytes as they came.
    pub original: Option<Original>,
    /// A question that waits for an answer.
    pub open_question: Option<String>,
    /// Documents that are waited for.
    pub open_documents: Option<String>,
    /// Until when an answer is waited for.
    pub answer_by: Option<Timestamp>,
    /// What the trader may do now.
    pub actions: Vec<Action>,
    /// The steps that concern the trader, in order; actors are offices, not people.
    pub timeline: Vec<TimelineStep>,
    /// The last decision, with its legal basis and how to contest it.
    pub last_decision: Option<DecisionShown>,
    /// That its content was erased.
    pub erased: Option<Erased>,
    /// Who looked at it, the latest look first: role and office, nobody's name.
    pub viewings: Vec<OwnViewing>,
    /// Simulated?
    pub simulated: bool,
}

/// A line of a trader's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnRow {
    /// Movement reference number.
    pub mrn: String,
    /// The trader's own reference.
    pub lrn: String,
    /// Where it stands.
    pub progress: Progress,
    /// When it was lodged.
    pub lodged_at: Timestamp,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// Description of the first item.
    pub description: Option<String>,
    /// Number of items.
    pub items: u32,
    /// Does it wait for the trader?
    pub waits_for_trader: bool,
}

/// What a message turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A declaration: it is to be lodged.
    Declaration(Form),
    /// An entry summary declaration.
    EntrySummary,
    /// A message about declarations that are here.
    Followed(MessageAnswer),
}

/// What became of a message about declarations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessageAnswer {
    /// What it asks for: `amendment`, `cancellation`, `presentation`, `arrival`, `departure`, `anticipated_arrival`,
    /// `associated`, `shut`, or `query`, which asks and changes nothing.
    pub request: String,
    /// The sender's reference of the message.
    pub reference: Option<String>,
    /// Declarations that it is about.
    pub declarations: Vec<String>,
    /// Was it followed? If not, it is kept, and the findings say why.
    pub followed: bool,
    /// Was the very same message sent before? This is what became of it then.
    pub repeated: bool,
    /// Why it was not followed; of one that changed nothing, why not.
    pub findings: Vec<Finding>,
    /// Position in the journal up to which this is recorded.
    pub position: u64,
}

impl MessageAnswer {
    pub(super) fn of(request: &str, reference: Option<String>) -> Self {
        Self { request: request.to_owned(), reference, followed: true, ..Self::default() }
    }

    /// Joins what became of it at another declaration.
    pub(super) fn join(&mut self, other: Self) {
        self.declarations.extend(other.declarations);
        self.followed &= other.followed;
        self.repeated |= other.repeated;
        self.findings.extend(other.findings);
        self.position = self.position.max(other.position);
    }
}

/// A list that an officer works through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueQuery {
    /// Office; empty: all.
    pub office: String,
    /// `documents`, `physical`, `query`, `audit`, or empty for all.
    pub kind: String,
    /// `mine`, `free`, or empty for both.
    pub whose: String,
    /// Page, from 1.
    pub page: usize,
}

/// Work that waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueuePage {
    /// Tasks, the most urgent first.
    pub tasks: Vec<QueueTask>,
    /// How many there are.
    pub total: u64,
    /// How many of each kind there are at the office.
    pub kinds: Vec<(ControlKind, u64)>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueTask {
    /// The declaration.
    pub row: DeclarationRow,
    /// What kind of control.
    pub kind: ControlKind,
    /// Until when.
    pub due_at: Timestamp,
    /// Is that over?
    pub overdue: bool,
    /// Who has it.
    pub officer_name: Option<String>,
    /// Is it the reader's?
    pub mine: bool,
    /// Does it wait for the trader?
    pub waits_for_trader: bool,
}

/// A declaration being written: kept as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Id.
    pub id: String,
    /// Its fields as they stand in the form, by name.
    pub fields: BTreeMap<String, String>,
    /// When it was kept last.
    pub saved_at: Timestamp,
}

/// A view somebody keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// Name.
    pub name: String,
    /// The query as the address has it.
    pub query: String,
}
