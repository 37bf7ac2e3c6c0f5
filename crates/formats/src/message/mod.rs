//! Whatever a trader or port sends, told apart: declarations, requests on declarations (amendment, cancellation,
//! presentation), movements and consolidations of goods at a port, arrivals, and entry summary declarations.
//! See `docs/messages.md`.

mod amend;
mod movement;
mod request;

use serde::{Deserialize, Serialize};
use spine::Finding;
use spine::declaration::Declaration;
use spine::tree::NodeId;

use crate::declaration::{self, Form, dms, value};
use crate::wco::WcoPointer;
use crate::xml::{XmlDocument, read_xml};
use crate::xml_reading::Reading;

pub use amend::amend;
pub use movement::{
    Consolidation, ConsolidationKind, GoodsArrival, Movement, MovementKind, Transport, Ucr, UcrKind,
};

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// An original declaration in this form; [`declaration::read`] says what is in it.
    Declaration(Form),
    /// A request to change a declaration (DMS 13/COR).
    Amendment(Box<AmendmentRequest>),
    /// A request to cancel a declaration (DMS 13/INV).
    Cancellation(CancellationRequest),
    /// The goods of a declaration that was lodged before their arrival are there (DMS 13/GPR).
    Presentation(PresentationRequest),
    /// Goods arrive at, or leave, a place (`inventoryLinkingMovementRequest`).
    Movement(Box<Movement>),
    /// Consignments are put under one reference, or that is shut (`inventoryLinkingConsolidationRequest`).
    Consolidation(Consolidation),
    /// The goods of an import declaration are there (`inventoryLinkingImportsGoodsArrival`).
    GoodsArrival(GoodsArrival),
    /// What is known of a consignment reference (`inventoryLinkingQueryRequest`)?
    Query(Ucr),
    /// An entry summary declaration (IE315), or an amendment of one (IE313).
    EntrySummary {
        /// Is it an amendment?
        amends: bool,
    },
}

/// What every request on a declaration states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    /// The sender's own reference of the request (`FunctionalReferenceID`).
    pub reference: String,
    /// Number of the declaration that it is about (MRN, `ID`).
    pub mrn: String,
    /// Who sends it (`Submitter/ID`).
    pub submitter: Option<String>,
    /// Why, in words.
    pub reasons: Vec<RequestReason>,
}

/// Why something is asked for (`AdditionalInformation` with the statement type AES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestReason {
    /// In words.
    pub text: Option<String>,
    /// Which of the amendments it is about, from 1, where it says so.
    pub amendment: Option<u32>,
}

/// A request to change a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmendmentRequest {
    /// Who asks, about which declaration, and why.
    pub head: RequestHead,
    /// What changes; at most [`AmendmentRequest::AMENDMENTS_MAX`].
    pub amendments: Vec<Amendment>,
    /// The new values: as much of a declaration as the message holds, without what belongs to the request itself.
    pub changes: Declaration,
    /// What is odd about the message and does not refuse it.
    pub findings: Vec<Finding>,
}

impl AmendmentRequest {
    /// Amendments of one request.
    pub const AMENDMENTS_MAX: usize = 1_000;
}

/// One change (WCO class 06A).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// Why, as a code (`ChangeReasonCode`), such as 32.
    pub reason_code: Option<String>,
    /// What changes.
    pub pointer: Option<WcoPointer>,
}

/// A request to cancel a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationRequest {
    /// Who asks, about which declaration, and why.
    pub head: RequestHead,
    /// Why, as a code (`ChangeReasonCode`): 1 lodged twice, 2 not wanted any more, 3 other.
    pub reason_code: Option<String>,
}

/// The goods of a declaration are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentationRequest {
    /// Who says so, and of which declaration.
    pub head: RequestHead,
}

/// Names of the root elements of entry summary declarations, and whether they amend.
const ENTRY_SUMMARIES: [(&str, bool); 2] = [("CC315A", false), ("CC313A", true)];

/// Reads a message and says what it is: JSON as a declaration, XML by its root and, of DMS, by function and type.
///
/// The error holds what is wrong: with the XML, with what a request must state, or that nothing known was sent. A
/// declaration is told apart and not read: whoever takes it in does so with its schema.
pub fn read_message(bytes: &[u8]) -> Result<Message, Vec<Finding>> {
    if Form::sniff(bytes) == Some(Form::Json) {
        return Ok(Message::Declaration(Form::Json));
    }
    let document = read_xml(bytes, dms::BOUNDS).map_err(|finding| vec![finding])?;
    let tree = &document.tree;
    let root = tree.root();
    let name = tree.node(root).map_or("", |node| node.name);
    if let Some((_, amends)) = ENTRY_SUMMARIES.iter().find(|(known, _)| *known == name) {
        return Ok(Message::EntrySummary { amends: *amends });
    }
    let mut reading = Reading::new(tree, document.findings.clone());
    match name {
        "inventoryLinkingMovementRequest" => {
            let movement = movement::movement(&mut reading, root);
            finish(reading, movement.map(Box::new).map(Message::Movement))
        }
        "inventoryLinkingConsolidationRequest" => {
            let consolidation = movement::consolidation(&mut reading, root);
            finish(reading, consolidation.map(Message::Consolidation))
        }
        "inventoryLinkingImportsGoodsArrival" => {
            let arrival = movement::goods_arrival(&mut reading, root);
            finish(reading, arrival.map(Message::GoodsArrival))
        }
        "inventoryLinkingQueryRequest" => {
            let query = movement::query(&mut reading, root);
            finish(reading, query.map(Message::Query))
        }
        _ => read_dms(&document),
    }
}

/// A message of which nothing is missing.
fn finish(reading: Reading<'_>, message: Option<Message>) -> Result<Message, Vec<Finding>> {
    let (message, findings) = reading.finish(message)?;
    message.ok_or(findings)
}

fn read_dms(document: &XmlDocument) -> Result<Message, Vec<Finding>> {
    let tree = &document.tree;
    let (at, odd) = dms::locate(document).map_err(|finding| vec![unknown_root(finding)])?;
    let mut reading = Reading::new(tree, document.findings.iter().cloned().chain(odd).collect());
    let function = reading.text(at, "FunctionCode").unwrap_or("9");
    let kind = reading.text(at, "TypeCode").unwrap_or_default();
    match (function, kind) {
        ("9", _) => Ok(Message::Declaration(Form::DmsXml)),
        ("13", "COR") => {
            let request = request::amendment(&mut reading, at);
            let (request, findings) = reading.finish(request)?;
            Ok(Message::Amendment(Box::new(request::with_findings(request, findings))))
        }
        ("13", "INV") => {
            let request = request::cancellation(&mut reading, at);
            finish(reading, Some(Message::Cancellation(request)))
        }
        ("13", "GPR") => {
            let request = request::presentation(&mut reading, at);
            finish(reading, Some(Message::Presentation(request)))
        }
        _ => {
            let finding = Finding::error("message_type_unknown")
                .found(format!("{function} {kind}").trim())
                .expected("function 9, or 13 with type COR (amend), INV (cancel) or GPR (goods are there)")
                .fix("Correct function and type: they say what is asked for.");
            reading.tell(at, finding);
            finish(reading, None)
        }
    }
}

/// A document in which there is no declaration may be anything.
fn unknown_root(finding: Finding) -> Finding {
    if finding.code != "declaration_not_found" {
        return finding;
    }
    Finding::error("message_unknown")
        .found(&finding.found)
        .expected(
            "a declaration or request of WCO DMS in MetaData, an inventory linking message, CC315A or CC313A",
        )
        .fix("Send the message in its envelope, and to the address that is meant for it.")
}

/// A text that must be there, in bounds; what is wrong with it is told at its place.
fn required(reading: &mut Reading<'_>, at: NodeId, name: &str, what: &str) -> String {
    let text = identifier(reading, at, name);
    if text.is_none() && reading.text(at, name).is_none() {
        let finding =
            Finding::error("message_incomplete").found(name).expected(what).fix(format!("State {name}."));
        reading.tell(at, finding);
    }
    text.unwrap_or_default()
}

/// An identifier of at most 70 characters.
fn identifier(reading: &mut Reading<'_>, at: NodeId, name: &str) -> Option<String> {
    reading.parsed(at, name, |text| value::text(text.into(), declaration::shape::Rule::Identifier))
}
