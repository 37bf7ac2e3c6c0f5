//! What a notification says in full, from the events of its declaration.

use clearance::duty::{DebtLine, ItemDebt};
use clearance::{Case, Change, Event};
use formats::notification::{
    FunctionCode, Notification, NotificationAmendment, NotificationDeclaration, NotificationError,
    NotificationPayment, NotificationStatus, Statement, TaxLine, TaxedItem,
};
use formats::wco;
use journal::RecordedEvent;
use spine::declaration::Declaration;
use spine::{Finding, Language, Severity};

use super::read_model::id_of;
use super::said::{Said, answered, said};
use crate::declarations::event::{LODGED, Lodged};
use crate::declarations::fold;
use crate::precheck::validation_code;

/// Statements of the DMS profile: what documents are asked for, remarks of customs, remarks on exit.
const DOCUMENTS_WANTED: &str = "ACA";
const REMARK: &str = "AFB";
const EXIT: &str = "CEX";

/// A declaration as far as its events were followed.
struct Followed {
    case: Case,
    reference: String,
    mrn: String,
    content: Option<Declaration>,
    /// What is owed, as last assessed.
    debt: Vec<ItemDebt>,
    /// What the open amendment changes.
    changes: Vec<Change>,
}

/// Every notification of a declaration with the position of its event, in order. `None`: it was erased.
pub(super) fn all(events: &[RecordedEvent]) -> Option<Vec<(u64, Notification)>> {
    let first = events.first()?;
    let lodged: Lodged = serde_json::from_value(first.payload.value()?.clone()).ok()?;
    let mut followed = Followed {
        case: Case::lodged(),
        reference: lodged.functional_reference_id,
        mrn: lodged.mrn,
        content: lodged.declaration,
        debt: Vec::new(),
        changes: Vec::new(),
    };
    let mut found = Vec::new();
    for event in events.iter().skip(1) {
        found.extend(followed.follow(event).into_iter().map(|notification| (event.position, notification)));
    }
    Some(found)
}

impl Followed {
    /// Follows an event, and answers with what it says.
    fn follow(&mut self, event: &RecordedEvent) -> Vec<Notification> {
        fold(&mut self.case, event);
        let kind = event.envelope.kind.as_str();
        let Some(payload) = event.payload.value().filter(|_| kind != LODGED) else { return Vec::new() };
        let Some(Ok(moved)) = Event::read(kind, event.envelope.kind_version, payload) else {
            return Vec::new();
        };
        self.note(&moved);
        let notifications = said(&moved, &self.case).into_iter().zip(0_u64..);
        notifications
            .map(|(said, ordinal)| self.notification(&moved, said, event, id_of(&event.envelope.id, ordinal)))
            .collect()
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::DebtAssessed { items } => self.debt.clone_from(items),
            Event::AmendmentRequested { changes, .. } => self.changes.clone_from(changes),
            Event::AmendmentGranted { declaration, .. } => self.content = Some((**declaration).clone()),
            Event::Corrected { declaration, changes, .. } => {
                self.content = Some((**declaration).clone());
                self.changes.clone_from(changes);
            }
            _ => {}
        }
    }

    fn notification(&self, event: &Event, said: Said, recorded: &RecordedEvent, id: String) -> Notification {
        let at = recorded.envelope.occurred_at;
        let mut notification = Notification {
            function_code: said.code,
            id,
            issued_at: at,
            status: said.status.map(|code| status(code, None)),
            statements: Vec::new(),
            errors: Vec::new(),
            amendments: Vec::new(),
            contact_office: None,
            declaration: NotificationDeclaration {
                functional_reference_id: self.reference.clone(),
                id: Some(self.mrn.clone()),
                version: Some(self.case.version),
                ..NotificationDeclaration::default()
            },
            bank: None,
        };
        match said.code {
            FunctionCode::Accepted => notification.declaration.accepted_at = Some(at),
            FunctionCode::Rejected => {
                notification.declaration.rejected_at = Some(at);
                notification.errors = self.errors(event);
            }
            FunctionCode::Cancelled => {
                notification.declaration.cancelled_at = Some(at);
                notification.statements = decision_remark(event);
            }
            FunctionCode::Decision => notification.statements = decision_remark(event),
            FunctionCode::Amended => notification.amendments = self.amendments(event),
            FunctionCode::Documents | FunctionCode::Query => notification.statements = wanted(event),
            FunctionCode::Debt => notification.declaration.items = self.debt.iter().map(taxed).collect(),
            FunctionCode::InsufficientFunds | FunctionCode::PaymentReminder => {
                notification.declaration.payments = self.payments();
            }
            FunctionCode::Exited | FunctionCode::ExitAwaited => exit(&mut notification, event),
            _ => {}
        }
        // A message is answered under the reference that it came with.
        if let Some(reference) = answered(said, event, &self.case) {
            reference.clone_into(&mut notification.declaration.functional_reference_id);
        }
        notification
    }

    fn errors(&self, event: &Event) -> Vec<NotificationError> {
        let (Event::Rejected { findings, .. } | Event::RequestRefused { findings, .. }) = event else {
            return Vec::new();
        };
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
        errors.map(|finding| self.error(finding)).collect()
    }

    fn error(&self, finding: &Finding) -> NotificationError {
        let pointer = wco::of_place(&finding.pointer);
        let numbered = |pointer: wco::WcoPointer| match &self.content {
            Some(content) => pointer.with_item_numbers(content),
            None => pointer,
        };
        NotificationError {
            code: validation_code(&finding.code).into_owned(),
            pointer: pointer.map(numbered),
            description: Some(finding.to_string()),
        }
    }

    fn amendments(&self, event: &Event) -> Vec<NotificationAmendment> {
        let reason = |change: &Change| match event {
            Event::Corrected { .. } => CUSTOMS_CORRECTION.to_owned(),
            _ => change.reason_code.clone(),
        };
        self.changes
            .iter()
            .map(|change| NotificationAmendment {
                reason_code: reason(change),
                pointer: wco::of_place(&change.place),
            })
            .collect()
    }

    fn payments(&self) -> Vec<NotificationPayment> {
        let deferred = self.content.iter().flat_map(|content| &content.additional_document);
        let account = deferred
            .filter(|own| {
                own.type_code.as_deref() == Some("DAN") || own.category_code.as_deref() == Some("1")
            })
            .find_map(|own| own.id.clone());
        let owed = self.case.debt.iter();
        owed.map(|amount| NotificationPayment { amount: *amount, reference: account.clone() }).collect()
    }
}

/// Reason of a change that customs made.
const CUSTOMS_CORRECTION: &str = "16";

fn status(code: &str, effective_at: Option<jiff::Timestamp>) -> NotificationStatus {
    NotificationStatus { name_code: code.to_owned(), effective_at }
}

fn statement(type_code: &str, description: Option<String>, limit_at: Option<jiff::Timestamp>) -> Statement {
    Statement { code: None, type_code: type_code.to_owned(), description, limit_at }
}

/// What is wanted of the trader, and until when.
fn wanted(event: &Event) -> Vec<Statement> {
    let (text, due_at) = match event {
        Event::DocumentsRequested { what, due_at } => (Some(what.clone()), *due_at),
        Event::QuestionAsked { text, due_at } => {
            return vec![statement(REMARK, Some(text.clone()), Some(*due_at))];
        }
        Event::ControlOrdered { due_at, .. } | Event::Escalated { due_at, .. } => (None, *due_at),
        _ => return Vec::new(),
    };
    let code = Some(DOCUMENTS_WANTED.to_owned());
    vec![Statement { code, ..statement(DOCUMENTS_WANTED, text, Some(due_at)) }]
}

/// Why customs decided so.
fn decision_remark(event: &Event) -> Vec<Statement> {
    let reason = event.basis().map(|basis| basis.reason.in_language(Language::En).to_owned());
    vec![statement(REMARK, reason, None)]
}

fn exit(notification: &mut Notification, event: &Event) {
    match event {
        Event::ExitConfirmed { office, code, left_at } => {
            notification.status = Some(status(code.code(), Some(*left_at)));
            notification.statements = vec![statement(EXIT, Some(office.clone()), None)];
        }
        Event::ExitAwaited { until } => notification.statements = vec![statement(EXIT, None, Some(*until))],
        _ => {}
    }
}

fn taxed(debt: &ItemDebt) -> TaxedItem {
    let line = |own: &DebtLine| TaxLine {
        type_code: own.type_code.clone(),
        regime_code: own.regime_code.clone(),
        base: own.base.map(|base| base.amount),
        quantity: None,
        rate: own.rate,
        deducted: None,
        assessed: Some(own.assessed),
        payable: Some(own.assessed),
        method_code: own.method_code.clone(),
    };
    TaxedItem { sequence: debt.item, lines: debt.lines.iter().map(line).collect() }
}
