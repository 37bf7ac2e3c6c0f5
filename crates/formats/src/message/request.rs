//! Requests on declarations: DMS messages of function 13.

use spine::Finding;
use spine::declaration::AdditionalInformation;
use spine::tree::NodeId;

use super::{
    Amendment, AmendmentRequest, CancellationRequest, PresentationRequest, RequestHead, RequestReason,
    identifier, required,
};
use crate::declaration::shape::Rule;
use crate::declaration::{self, value};
use crate::wco::pointer_in;
use crate::xml_reading::Reading;

/// Statement type of a reason in words.
const REASON: &str = "AES";
/// Section code of an amendment.
const AMENDMENT: &str = "06A";
/// Elements of a request that are none of the declaration's.
const BESIDE: &[&str] = &["ID", "Submitter", "Amendment", "Pointer"];

fn head(reading: &mut Reading<'_>, at: NodeId) -> RequestHead {
    let submitter = reading.child(at, "Submitter");
    RequestHead {
        reference: required(reading, at, "FunctionalReferenceID", "your own reference of this request"),
        mrn: required(reading, at, "ID", "the number of the declaration that it is about (MRN)"),
        submitter: submitter.and_then(|submitter| identifier(reading, submitter, "ID")),
        reasons: reasons(reading, at),
    }
}

fn reasons(reading: &mut Reading<'_>, at: NodeId) -> Vec<RequestReason> {
    let statements = reading.children(at, "AdditionalInformation").into_iter();
    let mut reasons = Vec::new();
    for statement in statements.take(AmendmentRequest::AMENDMENTS_MAX) {
        if reading.text(statement, "StatementTypeCode") != Some(REASON) {
            continue;
        }
        let words = |text: &str| value::text(text.into(), Rule::Words);
        let text = reading.parsed(statement, "StatementDescription", words);
        let pointer = pointer_in(reading.tree, statement);
        let amendment = pointer
            .and_then(|pointer| pointer.steps.into_iter().find(|step| step.section == AMENDMENT)?.sequence);
        reasons.push(RequestReason { text, amendment });
    }
    reasons
}

fn amendments(reading: &mut Reading<'_>, at: NodeId) -> Vec<Amendment> {
    let found = reading.children(at, "Amendment");
    if found.len() > AmendmentRequest::AMENDMENTS_MAX {
        reading.tell(at, value::list_too_long(found.len(), AmendmentRequest::AMENDMENTS_MAX));
    }
    let code = |text: &str| value::text(text.into(), Rule::Code);
    found
        .into_iter()
        .take(AmendmentRequest::AMENDMENTS_MAX)
        .map(|amendment| Amendment {
            reason_code: reading.parsed(amendment, "ChangeReasonCode", code),
            pointer: pointer_in(reading.tree, amendment),
        })
        .collect()
}

pub(super) fn amendment(reading: &mut Reading<'_>, at: NodeId) -> AmendmentRequest {
    let head = head(reading, at);
    let amendments = amendments(reading, at);
    if amendments.is_empty() {
        let finding = Finding::error("amendment_missing")
            .expected("an Amendment with a pointer for every change")
            .fix("Name every change by a pointer: what is not named does not change.");
        reading.tell(at, finding);
    }
    let (mut changes, findings) = declaration::read_request(reading.tree, at, BESIDE);
    for finding in findings {
        reading.pass(finding);
    }
    // These are the request's own.
    changes.functional_reference_id = None;
    changes.type_code = None;
    let is_reason =
        |statement: &AdditionalInformation| statement.statement_type_code.as_deref() == Some(REASON);
    changes.additional_information.retain(|statement| !is_reason(statement));
    AmendmentRequest { head, amendments, changes, findings: Vec::new() }
}

pub(super) fn with_findings(request: AmendmentRequest, findings: Vec<Finding>) -> AmendmentRequest {
    AmendmentRequest { findings, ..request }
}

pub(super) fn cancellation(reading: &mut Reading<'_>, at: NodeId) -> CancellationRequest {
    let head = head(reading, at);
    let reason_code = amendments(reading, at).into_iter().find_map(|amendment| amendment.reason_code);
    CancellationRequest { head, reason_code }
}

pub(super) fn presentation(reading: &mut Reading<'_>, at: NodeId) -> PresentationRequest {
    PresentationRequest { head: head(reading, at) }
}
