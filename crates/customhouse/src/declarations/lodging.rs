//! A declaration on its way into the journal: how it is recorded, and what its sender is told.

use clearance::{Case, State};
use formats::declaration::{Form, Understood};
use jiff::Timestamp;
use journal::RecordedEvent;

use super::commands::fold;
use super::desk::{Lodgement, Parts};
use super::event::{Kept, Lodged};
use super::model::{Progress, Receipt};
use super::past::as_tagged;
use crate::error::{Error, Kind};

/// Bytes up to which what came in stands in its event.
const KEPT_IN_EVENT_BYTES_MAX: usize = 256 * 1024;

/// A declaration that waits to be accepted.
pub(super) struct Waiting {
    /// As it stands: what was amended meanwhile is in it.
    pub(super) lodged: Lodged,
    pub(super) case: Case,
    /// Version of its stream.
    pub(super) version: u64,
}

impl Waiting {
    /// What its stream says. `None`: somebody asked something of it that is not decided yet, or it waits for something
    /// else; or its content was erased.
    pub(super) fn of(events: &[RecordedEvent]) -> Option<Self> {
        let mut case = Case::lodged();
        events.iter().for_each(|event| fold(&mut case, event));
        let open = case.cancel_requested || case.amendment.is_some();
        let lodged_only = case.state == State::Lodged && events.len() == 1;
        if open || !(lodged_only || case.state == State::Presented) {
            return None;
        }
        let version = events.last()?.envelope.stream_version;
        Some(Self { lodged: as_tagged(events)?, case, version })
    }

    /// One that has just been lodged.
    pub(super) fn lodged(lodged: Lodged) -> Self {
        Self { lodged, case: Case::lodged(), version: 1 }
    }

    /// One whose goods are here.
    pub(super) fn presented(lodged: Lodged, version: u64) -> Self {
        Self { lodged, case: Case { state: State::Presented, ..Case::lodged() }, version }
    }
}

/// The sender's own reference.
///
/// # Errors
/// `declaration_unreadable` with the findings, where nothing can be recorded.
pub(super) fn reference_of(understood: &Understood) -> Result<String, Error> {
    let reference =
        understood.declaration.as_ref().and_then(|declaration| declaration.functional_reference_id.clone());
    reference.ok_or_else(|| {
        let refused = Error::new(
            Kind::Refused,
            "declaration_unreadable",
            "this is no declaration that can be recorded: it cannot be read, or it has no reference of its own",
            "Correct what the findings name and send it again. Nothing was recorded.",
        );
        refused.with_findings(understood.findings.clone())
    })
}

/// What is said to a sender whose reference is known already: its first receipt, or that the reference is in use.
/// `None`: what was rejected may come again, corrected, under its reference.
pub(super) fn answer_known(known: Receipt, sha256: &str) -> Option<Result<Receipt, Error>> {
    if known.sha256 == sha256 {
        return Some(Ok(Receipt { repeated: true, ..known }));
    }
    (known.progress != Progress::Rejected).then(|| Err(reference_in_use(&known)))
}

/// Writes down what came in, and numbers it; bytes that are too long for an event are kept as a blob before that.
pub(super) fn written_down(
    parts: &Parts,
    lodgement: &Lodgement,
    reference: &str,
    number: impl FnOnce() -> Result<(u64, String), Error>,
) -> Result<Lodged, Error> {
    let text = std::str::from_utf8(&lodgement.bytes).ok();
    let kept = match text {
        Some(text) if text.len() <= KEPT_IN_EVENT_BYTES_MAX => Kept::Text(text.to_owned()),
        _ => Kept::Blob(parts.journal.put_blob(&mut lodgement.bytes.as_slice())?.sha256),
    };
    let (number, mrn) = number()?;
    Ok(Lodged {
        mrn,
        number,
        functional_reference_id: reference.to_owned(),
        party: lodgement.party.clone(),
        channel: lodgement.channel,
        media_type: media_type(lodgement.form).to_owned(),
        sha256: lodgement.sha256.clone(),
        bytes: u64::try_from(lodgement.bytes.len()).unwrap_or(u64::MAX),
        kept,
        waited_us: u64::try_from(lodgement.arrived.elapsed().as_micros()).unwrap_or(u64::MAX),
        declaration: lodgement.understood.declaration.clone(),
        findings: lodgement.understood.findings.clone(),
        simulated: parts.simulated,
        schema: Some(lodgement.schema.clone()),
    })
}

/// The receipt of what was written down; its position is known once it is durable.
pub(super) fn receipt_of(lodged: &Lodged, now: Timestamp) -> Receipt {
    Receipt {
        mrn: lodged.mrn.clone(),
        functional_reference_id: lodged.functional_reference_id.clone(),
        sha256: lodged.sha256.clone(),
        lodged_at: now,
        repeated: false,
        progress: Progress::Received,
        findings: lodged.findings.clone(),
        position: 0,
        schema: lodged.schema.clone(),
    }
}

fn media_type(form: Form) -> &'static str {
    match form {
        Form::Json => "application/json",
        Form::DmsXml => "application/xml",
    }
}

fn reference_in_use(known: &Receipt) -> Error {
    Error::new(
        Kind::Conflict,
        "reference_in_use",
        format!(
            "the reference \"{}\" is that of {}, lodged at {} with other content",
            known.functional_reference_id, known.mrn, known.lodged_at
        ),
        "Give the new declaration a reference of its own, or ask to have the first one cancelled or amended.",
    )
}
