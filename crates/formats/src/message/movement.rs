//! Messages between ports and customs on where goods are (inventory linking).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use spine::Finding;
use spine::tree::NodeId;

use super::{identifier, required};
use crate::xml_reading::Reading;

/// Goods arrive at, or leave, a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// What happens.
    pub kind: MovementKind,
    /// Of which consignments.
    pub ucr: Ucr,
    /// Where the goods are, as a code.
    pub goods_location: String,
    /// When they arrived.
    pub arrived_at: Option<Timestamp>,
    /// When they left.
    pub departed_at: Option<Timestamp>,
    /// Shed within the place.
    pub shed: Option<String>,
    /// Reference that the consignment is put under, or taken from.
    pub master_ucr: Option<String>,
    /// What becomes of that: A put under, F and R taken away, X shut.
    pub master_action: Option<String>,
    /// The sender's own reference of the movement.
    pub reference: Option<String>,
    /// Who sends it (EORI number).
    pub agent: Option<String>,
    /// What the goods leave on.
    pub transport: Option<Transport>,
}

/// What a movement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// EAL: the goods are there.
    Arrival,
    /// EAA: the goods will be there.
    AnticipatedArrival,
    /// EDL: the goods have left.
    Departure,
    /// RET: the goods were there, told afterwards.
    RetrospectiveArrival,
}

/// A unique consignment reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ucr {
    /// The reference.
    pub id: String,
    /// Part of the consignment.
    pub part: Option<String>,
    /// What it stands for.
    pub kind: UcrKind,
}

/// What a reference stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UcrKind {
    /// D: one consignment (DUCR).
    Declaration,
    /// M: consignments that travel together (MUCR).
    Master,
}

/// A means of transport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transport {
    /// Identification.
    pub id: Option<String>,
    /// Mode of transport (UN/ECE Recommendation 19).
    pub mode: Option<String>,
    /// Nationality (ISO 3166-1 alpha-2).
    pub nationality: Option<String>,
}

/// Consignments are put under one reference, or that is shut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consolidation {
    /// What happens.
    pub kind: ConsolidationKind,
    /// The reference of what travels together; without one, the consignment is taken from where it was.
    pub master_ucr: Option<String>,
    /// The consignment that is put under it.
    pub ucr: Option<Ucr>,
}

/// What a consolidation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsolidationKind {
    /// CST: nothing more is put under the reference.
    Shut,
    /// EAC: a consignment is put under the reference.
    Associate,
}

/// The goods of an import declaration are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodsArrival {
    /// Number of the declaration (MRN, `entryNumber`).
    pub mrn: String,
    /// Its version.
    pub version: Option<u32>,
    /// The port's reference of the consignment.
    pub consignment_reference: String,
    /// Nationality of what the goods came on (ISO 3166-1 alpha-2).
    pub transport_nationality: Option<String>,
}

/// One of a few codes that must be there.
fn one_of<T: Copy>(
    reading: &mut Reading<'_>,
    at: NodeId,
    name: &str,
    expected: &str,
    codes: &[(&str, T)],
) -> Option<T> {
    let written = reading.text(at, name).unwrap_or_default();
    let found = codes.iter().find(|(code, _)| *code == written).map(|(_, meaning)| *meaning);
    if found.is_none() {
        let finding = Finding::error("message_code_unknown")
            .found(written)
            .expected(format!("{name}: {expected}"))
            .fix("Correct the code: it says what the message is about.");
        reading.tell(at, finding);
    }
    found
}

pub(super) fn movement(reading: &mut Reading<'_>, at: NodeId) -> Option<Movement> {
    let kinds = [
        ("EAL", MovementKind::Arrival),
        ("EAA", MovementKind::AnticipatedArrival),
        ("EDL", MovementKind::Departure),
        ("RET", MovementKind::RetrospectiveArrival),
    ];
    let kind = one_of(reading, at, "messageCode", "EAL, EAA, EDL or RET", &kinds);
    let ucr = ucr(reading, at, "ucrBlock");
    if ucr.is_none() {
        missing_ucr(reading, at, "ucrBlock");
    }
    let agent = reading.child(at, "agentDetails");
    let transport = reading.child(at, "transportDetails");
    Some(Movement {
        goods_location: required(reading, at, "goodsLocation", "where the goods are, as a code"),
        arrived_at: reading.parsed(at, "goodsArrivalDateTime", moment),
        departed_at: reading.parsed(at, "goodsDepartureDateTime", moment),
        shed: identifier(reading, at, "shedOPID"),
        master_ucr: identifier(reading, at, "masterUCR"),
        master_action: identifier(reading, at, "masterOpt"),
        reference: identifier(reading, at, "movementReference"),
        agent: agent.and_then(|agent| identifier(reading, agent, "EORI")),
        transport: transport.map(|transport| Transport {
            id: identifier(reading, transport, "transportID"),
            mode: identifier(reading, transport, "transportMode"),
            nationality: identifier(reading, transport, "transportNationality"),
        }),
        kind: kind?,
        ucr: ucr?,
    })
}

fn ucr(reading: &mut Reading<'_>, at: NodeId, name: &str) -> Option<Ucr> {
    let block = reading.child(at, name)?;
    let kinds = [("D", UcrKind::Declaration), ("M", UcrKind::Master)];
    let kind = one_of(reading, block, "ucrType", "D (one consignment) or M (several)", &kinds);
    let id = required(reading, block, "ucr", "the reference of the consignment");
    Some(Ucr { id, part: identifier(reading, block, "ucrPartNo"), kind: kind? })
}

fn missing_ucr(reading: &mut Reading<'_>, at: NodeId, name: &str) {
    if reading.child(at, name).is_none() {
        let finding = Finding::error("message_incomplete")
            .found(name)
            .expected("the consignment that it is about")
            .fix(format!("State {name} with ucr and ucrType."));
        reading.tell(at, finding);
    }
}

pub(super) fn consolidation(reading: &mut Reading<'_>, at: NodeId) -> Option<Consolidation> {
    let kinds = [("CST", ConsolidationKind::Shut), ("EAC", ConsolidationKind::Associate)];
    let kind = one_of(reading, at, "messageCode", "CST or EAC", &kinds);
    let ucr = ucr(reading, at, "ucrBlock");
    if kind == Some(ConsolidationKind::Associate) && ucr.is_none() {
        missing_ucr(reading, at, "ucrBlock");
    }
    let master_ucr = if kind == Some(ConsolidationKind::Shut) {
        Some(required(reading, at, "masterUCR", "the reference that is shut"))
    } else {
        identifier(reading, at, "masterUCR")
    };
    Some(Consolidation { kind: kind?, master_ucr, ucr })
}

pub(super) fn goods_arrival(reading: &mut Reading<'_>, at: NodeId) -> Option<GoodsArrival> {
    Some(GoodsArrival {
        mrn: required(reading, at, "entryNumber", "the number of the declaration (MRN)"),
        version: reading.count(at, "entryVersionNumber"),
        consignment_reference: required(
            reading,
            at,
            "inventoryConsignmentReference",
            "the port's reference of the consignment",
        ),
        transport_nationality: identifier(reading, at, "transportNationality"),
    })
}

pub(super) fn query(reading: &mut Reading<'_>, at: NodeId) -> Option<Ucr> {
    let ucr = ucr(reading, at, "queryUCR");
    if ucr.is_none() {
        missing_ucr(reading, at, "queryUCR");
    }
    ucr
}

/// A moment as XML Schema writes it (`xs:dateTime`); without an offset it is universal time.
fn moment(text: &str) -> Result<Timestamp, Finding> {
    let local = || text.parse::<DateTime>().ok().and_then(|local| Offset::UTC.to_timestamp(local).ok());
    text.parse::<Timestamp>().ok().or_else(local).ok_or_else(|| {
        Finding::error("date_not_understood")
            .found(text)
            .expected("a moment such as 2026-03-31T14:05:09Z (ISO 8601)")
            .fix("Correct the date.")
    })
}
