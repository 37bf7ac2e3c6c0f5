//! Notifications read from XML, with their namespaces or, as they are often published, without.

use spine::Finding;
use spine::quantity::Money;
use spine::tree::NodeId;

use super::write::{ERROR_CODE_MAX, no_currency};
use super::{
    Bank, FunctionCode, Notification, NotificationAmendment, NotificationDeclaration, NotificationError,
    NotificationPayment, NotificationStatus, Statement, TaxLine, TaxedItem,
};
use crate::declaration::dms::BOUNDS;
use crate::declaration::value;
use crate::wco::pointer_in;
use crate::xml::read_xml;
use crate::xml_reading::Reading;

/// Reads the notifications of a message, in their order. What the platform does not use is left aside.
///
/// The error says what is wrong and where: in the XML, in a function, a number or a time, or that there is none.
pub fn read(bytes: &[u8]) -> Result<Vec<Notification>, Vec<Finding>> {
    let document = read_xml(bytes, BOUNDS).map_err(|finding| vec![finding])?;
    let tree = &document.tree;
    let root = tree.root();
    let is_response = tree.node(root).is_some_and(|node| node.name == "Response");
    let responses = if is_response { vec![root] } else { tree.at_path(&["Response"]) };
    if responses.is_empty() {
        return Err(vec![
            Finding::error("notification_not_found")
                .found(tree.node(root).map_or("", |node| node.name))
                .expected("MetaData with a Response in it (WCO DMS 3.6)")
                .fix("Send the notification in its envelope, MetaData."),
        ]);
    }
    let mut reading = Reading::new(tree, document.findings.clone());
    let read: Vec<Notification> = responses.into_iter().filter_map(|id| reading.response(id)).collect();
    reading.finish(read).map(|(read, _)| read)
}

impl Reading<'_> {
    fn money(&mut self, of: NodeId, name: &str) -> Option<Money> {
        let amount = self.number(of, name)?;
        let currency = match self.child(of, name).filter(|at| self.child(*at, "@currencyID").is_some()) {
            Some(at) => self.parsed(at, "@currencyID", value::currency),
            None => no_currency(),
        };
        Some(Money { amount, currency: currency? })
    }

    fn response(&mut self, id: NodeId) -> Option<Notification> {
        let function = self.text(id, "FunctionCode").unwrap_or_default();
        let function_code = FunctionCode::from_code(function);
        if function_code.is_none() {
            let finding = Finding::error("notification_function_unknown")
                .found(function)
                .expected("a function of a notification, such as 01 (accepted) or 03 (rejected)")
                .fix("Correct the code; without it nobody knows what is told.");
            self.tell(id, finding);
        }
        let issued_at = self.time(id, "IssueDateTime");
        if issued_at.is_none() {
            let finding = Finding::error("notification_time_missing")
                .expected("when it was made out, such as 20260331140509Z")
                .fix("State IssueDateTime.");
            self.tell(id, finding);
        }
        let status = self.child(id, "Status").map(|status| NotificationStatus {
            name_code: self.owned(status, "NameCode").unwrap_or_default(),
            effective_at: self.time(status, "EffectiveDateTime"),
        });
        let bank = self.child(id, "Bank").map(|bank| Bank {
            reference: self.owned(bank, "ReferenceID").unwrap_or_default(),
            id: self.owned(bank, "ID").unwrap_or_default(),
        });
        let contact_office = self.child(id, "ContactOffice").and_then(|office| self.owned(office, "ID"));
        Some(Notification {
            function_code: function_code?,
            id: self.owned(id, "FunctionalReferenceID").unwrap_or_default(),
            issued_at: issued_at?,
            status,
            statements: self.each(id, "AdditionalInformation", Self::statement),
            errors: self.each(id, "Error", Self::error),
            amendments: self.each(id, "Amendment", |reading, at| NotificationAmendment {
                reason_code: reading.owned(at, "ChangeReasonCode").unwrap_or_default(),
                pointer: pointer_in(reading.tree, at),
            }),
            contact_office,
            declaration: self.child(id, "Declaration").map(|at| self.declaration(at)).unwrap_or_default(),
            bank,
        })
    }

    fn statement(&mut self, at: NodeId) -> Statement {
        Statement {
            code: self.owned(at, "StatementCode"),
            type_code: self.owned(at, "StatementTypeCode").unwrap_or_default(),
            description: self.owned(at, "StatementDescription"),
            limit_at: self.time(at, "LimitDateTime"),
        }
    }

    fn error(&mut self, at: NodeId) -> NotificationError {
        let described = self.owned(at, "Description");
        let (code, description) = match (self.owned(at, "ValidationCode"), described) {
            (Some(code), description) => (code, description),
            // A code that was too long for its element.
            (None, Some(description)) => match description.split_once(':') {
                Some((code, rest)) if code.chars().count() > ERROR_CODE_MAX && !code.contains(' ') => {
                    (code.to_owned(), Some(rest.trim().to_owned()).filter(|rest| !rest.is_empty()))
                }
                _ => (String::new(), Some(description)),
            },
            (None, None) => (String::new(), None),
        };
        NotificationError { code, pointer: pointer_in(self.tree, at), description }
    }

    fn declaration(&mut self, at: NodeId) -> NotificationDeclaration {
        let shipment = self.child(at, "GoodsShipment");
        NotificationDeclaration {
            functional_reference_id: self.owned(at, "FunctionalReferenceID").unwrap_or_default(),
            id: self.owned(at, "ID"),
            version: self.count(at, "VersionID"),
            accepted_at: self.time(at, "AcceptanceDateTime"),
            rejected_at: self.time(at, "RejectionDateTime"),
            cancelled_at: self.time(at, "CancellationDateTime"),
            payments: self.each(at, "DutyTaxFee", Self::payment).into_iter().flatten().collect(),
            items: shipment
                .map(|shipment| self.each(shipment, "GovernmentAgencyGoodsItem", Self::item))
                .unwrap_or_default(),
        }
    }

    fn payment(&mut self, at: NodeId) -> Option<NotificationPayment> {
        let payment = self.child(at, "Payment")?;
        let amount = self.money(payment, "PaymentAmount")?;
        let guarantee = self.child(payment, "ObligationGuarantee");
        let reference = guarantee.and_then(|guarantee| self.owned(guarantee, "ReferenceID"));
        Some(NotificationPayment { amount, reference })
    }

    fn item(&mut self, at: NodeId) -> TaxedItem {
        let commodity = self.child(at, "Commodity");
        TaxedItem {
            sequence: self.count(at, "SequenceNumeric").unwrap_or_default(),
            lines: commodity.map(|at| self.each(at, "DutyTaxFee", Self::tax)).unwrap_or_default(),
        }
    }

    fn tax(&mut self, at: NodeId) -> TaxLine {
        let payment = self.child(at, "Payment");
        TaxLine {
            type_code: self.owned(at, "TypeCode").unwrap_or_default(),
            regime_code: self.owned(at, "DutyRegimeCode"),
            base: self.number(at, "AdValoremTaxBaseAmount"),
            quantity: self.number(at, "SpecificTaxBaseQuantity"),
            rate: self.number(at, "TaxRateNumeric"),
            deducted: self.number(at, "DeductAmount"),
            assessed: payment.and_then(|payment| self.money(payment, "TaxAssessedAmount")),
            payable: payment.and_then(|payment| self.money(payment, "PaymentAmount")),
            method_code: None,
        }
    }
}
