//! Money and mass. Never floats.

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a quantity was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// Not an ISO 4217 alphabetic code.
    #[error("\"{0}\" is not an ISO 4217 currency code such as EUR or CNY")]
    UnknownCurrency(String),
    /// A mass below zero.
    #[error("a mass cannot be negative, but this one is {0} kg")]
    NegativeMass(Decimal),
}

/// ISO 4217 alphabetic currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CurrencyCode(Currency);

impl CurrencyCode {
    /// Reads three letters, in either case.
    pub fn new(code: &str) -> Result<Self, QuantityError> {
        Currency::from_code(&code.trim().to_ascii_uppercase())
            .map(Self)
            .ok_or_else(|| QuantityError::UnknownCurrency(code.to_owned()))
    }

    /// Three capital letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal point that the currency's smallest unit needs, where it has one.
    #[must_use]
    pub fn minor_digits(self) -> Option<u16> {
        self.0.exponent()
    }
}

impl TryFrom<String> for CurrencyCode {
    type Error = QuantityError;
    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::new(&code)
    }
}

impl From<CurrencyCode> for String {
    fn from(code: CurrencyCode) -> Self {
        code.code().to_owned()
    }
}

/// An amount in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Exact decimal amount.
    pub amount: Decimal,
    /// Its currency.
    pub currency: CurrencyCode,
}

impl Money {
    /// The sum, if both are of one currency and it does not overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        (self.currency == other.currency)
            .then(|| self.amount.checked_add(other.amount))
            .flatten()
            .map(|amount| Self { amount, currency: self.currency })
    }
}

/// A mass in kilograms, zero or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Mass(Decimal);

impl Mass {
    /// A mass of `kilograms`; refuses a negative one.
    pub fn from_kilograms(kilograms: Decimal) -> Result<Self, QuantityError> {
        if kilograms.is_sign_negative() && !kilograms.is_zero() {
            return Err(QuantityError::NegativeMass(kilograms));
        }
        Ok(Self(kilograms))
    }

    /// Kilograms.
    #[must_use]
    pub fn kilograms(self) -> Decimal {
        self.0
    }
}

impl TryFrom<Decimal> for Mass {
    type Error = QuantityError;
    fn try_from(kilograms: Decimal) -> Result<Self, Self::Error> {
        Self::from_kilograms(kilograms)
    }
}

impl From<Mass> for Decimal {
    fn from(mass: Mass) -> Self {
        mass.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_of_two_currencies_does_not_add() {
        let euro = |amount: i64| Money { amount: amount.into(), currency: CurrencyCode::new("eur").unwrap() };
        let yuan = Money { amount: 1.into(), currency: CurrencyCode::new("CNY").unwrap() };
        assert_eq!(euro(2).checked_add(euro(3)), Some(euro(5)));
        assert_eq!(euro(2).checked_add(yuan), None);
        assert_eq!(
            CurrencyCode::new("EURO").unwrap_err().to_string(),
            "\"EURO\" is not an ISO 4217 currency code such as EUR or CNY"
        );
    }

    #[test]
    fn a_mass_is_never_negative() {
        assert!(Mass::from_kilograms((-1).into()).is_err());
        assert!(serde_json::from_str::<Mass>("\"-0.5\"").is_err());
        assert_eq!(serde_json::from_str::<Mass>("\"0\"").unwrap().kilograms(), Decimal::ZERO);
    }
}
