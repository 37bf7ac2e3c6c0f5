//! Notifications as XML, in the order and within the lengths of the schema of the DMS profile.

use jiff::Timestamp;
use jiff::tz::Offset;
use rust_decimal::Decimal;
use spine::quantity::{CurrencyCode, Money};

use super::{
    Notification, NotificationDeclaration, NotificationError, NotificationPayment, Statement, TaxLine,
    TaxedItem,
};
use crate::declaration::dms::METADATA;
use crate::wco::WcoPointer;
use crate::xml_writer::XmlWriter;

/// Namespace of the responses.
const RESPONSE: &str = "urn:wco:datamodel:WCO:RES-DMS:2";
/// Namespace of the strings within their dates.
const DATES: &str = "urn:wco:datamodel:WCO:Response_DS:DMS:2";

/// Characters of a description.
const DESCRIPTION_MAX: usize = 512;
/// Characters of an error's code.
pub(super) const ERROR_CODE_MAX: usize = 8;
/// Greatest sequence number.
const SEQUENCE_MAX: u32 = 99_999;
/// Greatest version.
const VERSION_MAX: u32 = 999_999_999;
/// Digits of amounts and quantities.
const DIGITS_MAX: u32 = 16;
/// Decimals of amounts.
const AMOUNT_DECIMALS: u32 = 3;
/// Decimals of quantities.
const QUANTITY_DECIMALS: u32 = 6;

/// Writes notifications in one envelope, UTF-8. The schema wants at least one.
#[must_use]
pub fn write(notifications: &[Notification]) -> Vec<u8> {
    let mut xml = XmlWriter::new();
    let namespaces = format!(" xmlns:md=\"{METADATA}\" xmlns=\"{RESPONSE}\" xmlns:ds=\"{DATES}\"");
    xml.open_with("md:MetaData", &namespaces);
    xml.line("md:WCODataModelVersionCode", "", "3.6");
    xml.line("md:WCOTypeName", "", "RES");
    let mut writer = Writer { xml };
    notifications.iter().for_each(|notification| writer.response(notification));
    writer.xml.close("md:MetaData");
    writer.xml.finish().into_bytes()
}

struct Writer {
    xml: XmlWriter,
}

impl Writer {
    fn response(&mut self, notification: &Notification) {
        self.xml.open("Response");
        self.code("FunctionCode", notification.function_code.code(), 2);
        self.code("FunctionalReferenceID", &notification.id, 35);
        self.time("IssueDateTime", Some(notification.issued_at));
        notification.statements.iter().for_each(|statement| self.statement(statement));
        for amendment in &notification.amendments {
            self.xml.open("Amendment");
            self.code("ChangeReasonCode", &amendment.reason_code, 3);
            self.pointer(amendment.pointer.as_ref());
            self.xml.close("Amendment");
        }
        if let Some(bank) = &notification.bank {
            self.xml.open("Bank");
            self.code("ReferenceID", &bank.reference, 17);
            self.code("ID", &bank.id, 35);
            self.xml.close("Bank");
        }
        if let Some(office) = &notification.contact_office {
            self.xml.open("ContactOffice");
            self.code("ID", office, 17);
            self.xml.close("ContactOffice");
        }
        notification.errors.iter().for_each(|error| self.error(error));
        if let Some(status) = &notification.status {
            self.xml.open("Status");
            self.time("EffectiveDateTime", status.effective_at);
            self.code("NameCode", &status.name_code, 3);
            self.xml.close("Status");
        }
        self.declaration(&notification.declaration);
        self.xml.close("Response");
    }

    fn statement(&mut self, statement: &Statement) {
        self.xml.open("AdditionalInformation");
        self.optional("StatementCode", statement.code.as_deref(), 17);
        self.words("StatementDescription", statement.description.as_deref());
        self.time("LimitDateTime", statement.limit_at);
        self.code("StatementTypeCode", &statement.type_code, 3);
        self.xml.close("AdditionalInformation");
    }

    fn error(&mut self, error: &NotificationError) {
        self.xml.open("Error");
        let description = error.description.as_deref();
        if error.code.chars().count() > ERROR_CODE_MAX {
            self.words("Description", Some(&format!("{}: {}", error.code, description.unwrap_or_default())));
        } else {
            self.words("Description", description);
            self.code("ValidationCode", &error.code, ERROR_CODE_MAX);
        }
        self.pointer(error.pointer.as_ref());
        self.xml.close("Error");
    }

    fn pointer(&mut self, pointer: Option<&WcoPointer>) {
        let Some(pointer) = pointer else { return };
        let last = pointer.steps.len().saturating_sub(1);
        for (step, at) in pointer.steps.iter().zip(0_usize..) {
            self.xml.open("Pointer");
            self.count("SequenceNumeric", step.sequence, SEQUENCE_MAX);
            self.code("DocumentSectionCode", &step.section, 3);
            self.optional("TagID", pointer.tag.as_deref().filter(|_| at == last), 4);
            self.xml.close("Pointer");
        }
    }

    fn declaration(&mut self, declaration: &NotificationDeclaration) {
        self.xml.open("Declaration");
        self.time("AcceptanceDateTime", declaration.accepted_at);
        self.time("CancellationDateTime", declaration.cancelled_at);
        self.code("FunctionalReferenceID", &declaration.functional_reference_id, 35);
        self.optional("ID", declaration.id.as_deref(), 70);
        self.time("RejectionDateTime", declaration.rejected_at);
        self.count("VersionID", declaration.version, VERSION_MAX);
        declaration.payments.iter().for_each(|payment| self.payment(payment));
        if !declaration.items.is_empty() {
            self.xml.open("GoodsShipment");
            declaration.items.iter().for_each(|item| self.item(item));
            self.xml.close("GoodsShipment");
        }
        self.xml.close("Declaration");
    }

    fn payment(&mut self, payment: &NotificationPayment) {
        self.xml.open("DutyTaxFee");
        self.xml.open("Payment");
        self.money("PaymentAmount", Some(payment.amount));
        if let Some(reference) = payment.reference.as_deref() {
            self.xml.open("ObligationGuarantee");
            self.code("ReferenceID", reference, 35);
            self.xml.close("ObligationGuarantee");
        }
        self.xml.close("Payment");
        self.xml.close("DutyTaxFee");
    }

    fn item(&mut self, item: &TaxedItem) {
        self.xml.open("GovernmentAgencyGoodsItem");
        // The schema wants a number here, whatever it is.
        self.count("SequenceNumeric", Some(item.sequence.min(SEQUENCE_MAX)), SEQUENCE_MAX);
        self.xml.open("Commodity");
        item.lines.iter().for_each(|line| self.tax(line));
        self.xml.close("Commodity");
        self.xml.close("GovernmentAgencyGoodsItem");
    }

    fn tax(&mut self, line: &TaxLine) {
        self.xml.open("DutyTaxFee");
        self.number("AdValoremTaxBaseAmount", "", line.base, AMOUNT_DECIMALS);
        self.number("DeductAmount", "", line.deducted, AMOUNT_DECIMALS);
        self.optional("DutyRegimeCode", line.regime_code.as_deref(), 3);
        self.number("SpecificTaxBaseQuantity", "", line.quantity, QUANTITY_DECIMALS);
        if let Some(rate) = line.rate {
            self.xml.line("TaxRateNumeric", "", &rate.to_string());
        }
        self.code("TypeCode", &line.type_code, 3);
        if line.assessed.is_some() || line.payable.is_some() {
            self.xml.open("Payment");
            self.money("TaxAssessedAmount", line.assessed);
            self.money("PaymentAmount", line.payable);
            self.xml.close("Payment");
        }
        self.xml.close("DutyTaxFee");
    }

    /// A code or reference; left out where it is empty or longer than `max` characters.
    fn code(&mut self, element: &str, text: &str, max: usize) {
        if !text.is_empty() && text.chars().count() <= max {
            self.xml.line(element, "", text);
        }
    }

    fn optional(&mut self, element: &str, text: Option<&str>, max: usize) {
        self.code(element, text.unwrap_or_default(), max);
    }

    /// A text, cut where it is too long.
    fn words(&mut self, element: &str, text: Option<&str>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        if text.chars().count() <= DESCRIPTION_MAX {
            return self.xml.line(element, "", text);
        }
        let cut: String = text.chars().take(DESCRIPTION_MAX.saturating_sub(1)).chain(['…']).collect();
        self.xml.line(element, "", &cut);
    }

    fn count(&mut self, element: &str, count: Option<u32>, max: u32) {
        if let Some(count) = count.filter(|count| *count <= max) {
            self.xml.line(element, "", &count.to_string());
        }
    }

    /// A moment of the years that the schema knows.
    fn time(&mut self, element: &str, time: Option<Timestamp>) {
        let Some(time) = time.map(|time| Offset::UTC.to_datetime(time)) else { return };
        if (2000..=2099).contains(&time.year()) {
            self.xml.open(element);
            let text = time.strftime("%Y%m%d%H%M%SZ").to_string();
            self.xml.line("ds:DateTimeString", " formatCode=\"304\"", &text);
            self.xml.close(element);
        }
    }

    fn money(&mut self, element: &str, money: Option<Money>) {
        let Some(Money { amount, currency }) = money else { return };
        let currency = match currency.code() {
            NO_CURRENCY => String::new(),
            code => format!(" currencyID=\"{code}\""),
        };
        self.number(element, &currency, Some(amount), AMOUNT_DECIMALS);
    }

    fn number(&mut self, element: &str, attribute: &str, number: Option<Decimal>, decimals: u32) {
        let Some(number) = number else { return };
        let number = number.trunc_with_scale(number.scale().min(decimals));
        let digits = number.mantissa().unsigned_abs().checked_ilog10().map_or(1, |log| log.saturating_add(1));
        if digits <= DIGITS_MAX {
            self.xml.line(element, attribute, &number.to_string());
        }
    }
}

/// ISO 4217: no currency.
pub(super) const NO_CURRENCY: &str = "XXX";

/// The currency of an amount that states none.
pub(super) fn no_currency() -> Option<CurrencyCode> {
    CurrencyCode::new(NO_CURRENCY).ok()
}
