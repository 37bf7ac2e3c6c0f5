//! What customs tells a declarant: responses of the DMS profile of the WCO Data Model 3.6, written and read.
//!
//! What is written is valid by the public schema of the profile. Texts that are longer than the schema allows are cut
//! and end in `…`; codes, references and numbers that it has no room for are left out, for a part of them would be
//! another one.

mod function;
mod read;
mod write;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use spine::quantity::Money;

use crate::wco::WcoPointer;

pub use function::FunctionCode;
pub use read::read;
pub use write::write;

/// One notification (WCO class 07B). Times are told to the second, and only those of the years 2000 to 2099.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// What it tells.
    pub function_code: FunctionCode,
    /// Its own reference (`Response/FunctionalReferenceID`), at most 35 characters.
    pub id: String,
    /// When it was made out.
    pub issued_at: Timestamp,
    /// What state the matter is in.
    pub status: Option<NotificationStatus>,
    /// What is said in words or codes.
    pub statements: Vec<Statement>,
    /// What is wrong with the declaration.
    pub errors: Vec<NotificationError>,
    /// What was changed in the declaration.
    pub amendments: Vec<NotificationAmendment>,
    /// Office to turn to, at most 17 characters.
    pub contact_office: Option<String>,
    /// The declaration that it is about.
    pub declaration: NotificationDeclaration,
    /// Where to pay.
    pub bank: Option<Bank>,
}

/// A state (WCO class Status).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationStatus {
    /// Code of up to three characters: of a decision 39 granted, 41 denied; of a debt 67 provisional, 4 final, 115
    /// changed; of an exit A1 satisfactory.
    pub name_code: String,
    /// Since when.
    pub effective_at: Option<Timestamp>,
}

/// Something said (WCO class 03A).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// What, as a code of up to 17 characters.
    pub code: Option<String>,
    /// What kind of statement, up to three characters: ACA what is wanted, AFB the outcome, CEX the exit.
    pub type_code: String,
    /// What, in words; cut at 512 characters.
    pub description: Option<String>,
    /// Until when.
    pub limit_at: Option<Timestamp>,
}

/// Something that is wrong (WCO class Error).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationError {
    /// Code. The schema has room for eight characters: a longer one stands in front of the description.
    pub code: String,
    /// Where.
    pub pointer: Option<WcoPointer>,
    /// What, in words; cut at 512 characters.
    pub description: Option<String>,
}

/// A change (WCO class 06A).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationAmendment {
    /// Why, as a code of up to three characters; 16 is a correction by customs.
    pub reason_code: String,
    /// What was changed.
    pub pointer: Option<WcoPointer>,
}

/// The declaration that a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotificationDeclaration {
    /// The declarant's reference (LRN), or that of the request which is answered; at most 35 characters.
    pub functional_reference_id: String,
    /// Number that customs gave it (MRN).
    pub id: Option<String>,
    /// Its version, from 1, at most nine digits.
    pub version: Option<u32>,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// When it was rejected.
    pub rejected_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Sums that are to be paid.
    pub payments: Vec<NotificationPayment>,
    /// Duties and taxes of the goods items.
    pub items: Vec<TaxedItem>,
}

/// A sum that is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationPayment {
    /// How much.
    pub amount: Money,
    /// From which account or guarantee (`ObligationGuarantee/ReferenceID`), at most 35 characters.
    pub reference: Option<String>,
}

/// Duties and taxes of a goods item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxedItem {
    /// The item's number, at most five digits.
    pub sequence: u32,
    /// One line a duty or tax.
    pub lines: Vec<TaxLine>,
}

/// A duty or tax of a goods item (WCO class 50A). Amounts are told to three decimals, quantities to six; more is cut
/// off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    /// Kind of duty or tax, such as A00; up to three characters.
    pub type_code: String,
    /// Preference or other treatment, such as 100; up to three characters.
    pub regime_code: Option<String>,
    /// Value that the rate is applied to.
    pub base: Option<Decimal>,
    /// Quantity that the rate is applied to.
    pub quantity: Option<Decimal>,
    /// Rate, percent of the base or amount a unit.
    pub rate: Option<Decimal>,
    /// What is taken off.
    pub deducted: Option<Decimal>,
    /// What was assessed. An amount in the currency `XXX` (ISO 4217: none) is one that states no currency.
    pub assessed: Option<Money>,
    /// What is to be paid of it.
    pub payable: Option<Money>,
    /// How it is paid. The schema has no place for it: it is neither written nor read.
    pub method_code: Option<String>,
}

/// Where to pay (WCO class Bank).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bank {
    /// The bank's own code, at most 17 characters.
    pub reference: String,
    /// The account, at most 35 characters.
    pub id: String,
}
