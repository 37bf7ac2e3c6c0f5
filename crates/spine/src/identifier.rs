//! Identifiers of the trade whose constructors check: what exists is well-formed.
//!
//! A well-formed identifier need not exist in the world: whether a heading is in the tariff or an importer in the
//! register is for rule packs with the lists installed.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why an identifier was refused: what it should be, and what was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{found}\" is not {expected}")]
pub struct IdentifierError {
    /// What the identifier should look like, in words.
    pub expected: &'static str,
    /// What was given.
    pub found: String,
}

fn refuse(found: &str, expected: &'static str) -> IdentifierError {
    IdentifierError { expected, found: found.chars().take(60).collect() }
}

macro_rules! text_identifier {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier in its canonical spelling.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentifierError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(identifier: $name) -> Self {
                identifier.0
            }
        }
    };
}

text_identifier! {
    /// Commodity code of the Harmonized System and its national extensions: 2, 4, 6, 8 or 10 digits
    /// (HS Convention, Article 3: chapter, heading, subheading; further digits are national).
    HsCode
}

impl HsCode {
    const EXPECTED: &'static str =
        "a commodity code of 2, 4, 6, 8 or 10 digits whose first two are a chapter from 01 to 99";

    /// Reads digits; dots and blanks between them are dropped.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let digits: String = text.trim().chars().filter(|c| !matches!(c, '.' | ' ')).collect();
        let well_formed = matches!(digits.len(), 2 | 4 | 6 | 8 | 10)
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with("00");
        if well_formed { Ok(Self(digits)) } else { Err(refuse(text, Self::EXPECTED)) }
    }

    /// Chapter: the first two digits.
    #[must_use]
    pub fn chapter(&self) -> &str {
        self.0.get(..2).unwrap_or(&self.0)
    }

    /// Heading: the first four digits, if the code has them.
    #[must_use]
    pub fn heading(&self) -> Option<&str> {
        self.0.get(..4)
    }

    /// Subheading: the first six digits, if the code has them.
    #[must_use]
    pub fn subheading(&self) -> Option<&str> {
        self.0.get(..6)
    }
}

text_identifier! {
    /// Country or territory: ISO 3166-1 alpha-2, and `XI`, `XK` and `ZZ`, which customs messages use beside it
    /// (Northern Ireland, Kosovo, unknown).
    CountryCode
}

impl CountryCode {
    const EXPECTED: &'static str = "a country code of two letters (ISO 3166-1 alpha-2) such as CN or NL";

    /// Reads two letters in either case.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let code = text.trim().to_ascii_uppercase();
        let known = matches!(code.as_str(), "XI" | "XK" | "ZZ") || celes::Country::from_alpha2(&code).is_ok();
        if known { Ok(Self(code)) } else { Err(refuse(text, Self::EXPECTED)) }
    }
}

text_identifier! {
    /// Place of trade and transport: UN/LOCODE (UN/CEFACT Recommendation 16), two letters of country and three
    /// of letters or digits 2 to 9.
    UnLocode
}

impl UnLocode {
    const EXPECTED: &'static str = "a UN/LOCODE: two letters of country, then three letters or digits 2 to 9";

    /// Reads `NLRTM` or `NL RTM`.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let code: String = text.trim().to_ascii_uppercase().split_whitespace().collect();
        let well_formed = code.len() == 5
            && code.get(..2).is_some_and(|country| CountryCode::new(country).is_ok())
            && code.bytes().skip(2).all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'9').contains(&byte));
        if well_formed { Ok(Self(code)) } else { Err(refuse(text, Self::EXPECTED)) }
    }

    /// The country's two letters.
    #[must_use]
    pub fn country(&self) -> &str {
        self.0.get(..2).unwrap_or(&self.0)
    }
}

text_identifier! {
    /// Freight container number with a correct check digit (ISO 6346): owner, category U, J or Z, six digits, check.
    ContainerNumber
}

impl ContainerNumber {
    const EXPECTED: &'static str = "a container number: three letters of owner, U, J or Z, six digits and a correct check digit (ISO 6346)";

    /// Reads `CSQU3054383`; blanks and dashes are dropped.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let number: String =
            text.trim().to_ascii_uppercase().chars().filter(|c| !matches!(c, ' ' | '-' | '/')).collect();
        let bytes = number.as_bytes();
        let letters = bytes.get(..4).is_some_and(|owner| {
            owner.iter().all(u8::is_ascii_uppercase) && matches!(owner.last(), Some(b'U' | b'J' | b'Z'))
        });
        let digits =
            bytes.get(4..).is_some_and(|rest| rest.len() == 7 && rest.iter().all(u8::is_ascii_digit));
        let check = bytes.last().map(|byte| u32::from(byte.saturating_sub(b'0')));
        if letters && digits && check == Some(Self::check_digit(bytes)) {
            Ok(Self(number))
        } else {
            Err(refuse(text, Self::EXPECTED))
        }
    }

    /// ISO 6346 annex A: letters count from 10, leaving out multiples of 11; weights are powers of two; modulo 11,
    /// and 10 counts as 0.
    fn check_digit(bytes: &[u8]) -> u32 {
        let sum: u32 = bytes
            .iter()
            .take(10)
            .zip(0_u32..)
            .map(|(byte, at)| {
                let value = if byte.is_ascii_digit() {
                    u32::from(byte.saturating_sub(b'0'))
                } else {
                    let letter = u32::from(byte.saturating_sub(b'A'));
                    10 + letter + letter.div_ceil(10)
                };
                value << at
            })
            .sum();
        sum % 11 % 10
    }
}

text_identifier! {
    /// Movement reference number (EU UCC data annex B, D.E. 12 01): two digits of the year, two letters of country,
    /// twelve letters or digits, one of procedure, one check character.
    Mrn
}

impl Mrn {
    const EXPECTED: &'static str = "a movement reference number of 18 characters: year (2 digits), country (2 letters), 14 letters or digits";

    /// Reads 18 characters in either case.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let mrn = text.trim().to_ascii_uppercase();
        let bytes = mrn.as_bytes();
        let well_formed = bytes.len() == 18
            && bytes.iter().take(2).all(u8::is_ascii_digit)
            && mrn.get(2..4).is_some_and(|country| CountryCode::new(country).is_ok())
            && bytes.iter().skip(4).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if well_formed { Ok(Self(mrn)) } else { Err(refuse(text, Self::EXPECTED)) }
    }
}

text_identifier! {
    /// Local reference number: the declarant's own, 1 to 22 printable characters without line breaks
    /// (EU UCC data annex B, D.E. 12 09).
    Lrn
}

impl Lrn {
    const EXPECTED: &'static str = "a local reference number of 1 to 22 printable characters";

    /// Keeps case, drops surrounding blanks.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let lrn = text.trim();
        let well_formed = (1..=22).contains(&lrn.chars().count()) && lrn.chars().all(|c| !c.is_control());
        if well_formed { Ok(Self(lrn.to_owned())) } else { Err(refuse(text, Self::EXPECTED)) }
    }
}

text_identifier! {
    /// Identification of an economic operator in the shape of an EORI number (Commission Delegated Regulation (EU)
    /// 2015/2446, annex B): two letters of country, then 1 to 15 letters or digits.
    TraderId
}

impl TraderId {
    const EXPECTED: &'static str =
        "a trader identification of two letters of country and 1 to 15 letters or digits (EORI)";

    /// Reads it in either case.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let id = text.trim().to_ascii_uppercase();
        let well_formed = (3..=17).contains(&id.len())
            && id.get(..2).is_some_and(|country| CountryCode::new(country).is_ok())
            && id.bytes().skip(2).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if well_formed { Ok(Self(id)) } else { Err(refuse(text, Self::EXPECTED)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each line: kind, text, and the canonical spelling or `-` where it must be refused.
    const CASES: &str = "
        hs        | 8517.12        | 851712
        hs        | 85             | 85
        hs        | 0303           | 0303
        hs        | 000000         | -
        hs        | 85171          | -
        hs        | 85171A         | -
        country   | nl             | NL
        country   | XI             | XI
        country   | XX             | -
        country   | NLD            | -
        locode    | NL RTM         | NLRTM
        locode    | usny2          | USNY2
        locode    | NLRT1          | -
        locode    | XXRTM          | -
        container | CSQU3054383    | CSQU3054383
        container | csqu 305438-3  | CSQU3054383
        container | CSQU3054384    | -
        container | CSQX3054383    | -
        container | MSKU907032     | -
        mrn       | 26GB0000000000000A | 26GB0000000000000A
        mrn       | 26XX0000000000000A | -
        mrn       | 26GB000000000000A  | -
        lrn       | A/2026-17      | A/2026-17
        lrn       | 12345678901234567890123 | -
        trader    | gb123456789012 | GB123456789012
        trader    | 123456789012   | -
        trader    | GB             | -
    ";

    fn canonical(kind: &str, text: &str) -> Result<String, IdentifierError> {
        match kind {
            "hs" => HsCode::new(text).map(Into::into),
            "country" => CountryCode::new(text).map(Into::into),
            "locode" => UnLocode::new(text).map(Into::into),
            "container" => ContainerNumber::new(text).map(Into::into),
            "mrn" => Mrn::new(text).map(Into::into),
            "lrn" => Lrn::new(text).map(Into::into),
            "trader" => TraderId::new(text).map(Into::into),
            other => panic!("unknown kind {other}"),
        }
    }

    #[test]
    fn identifiers_are_checked_and_spelled_canonically() {
        for line in CASES.lines().filter(|line| line.contains('|')) {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let got = canonical(parts[0], parts[1]);
            match parts[2] {
                "-" => assert!(got.is_err(), "{line}"),
                expected => assert_eq!(got.as_deref(), Ok(expected), "{line}"),
            }
        }
    }

    #[test]
    fn a_refusal_says_what_was_given_and_what_is_wanted() {
        assert_eq!(
            CountryCode::new("Netherlands").unwrap_err().to_string(),
            "\"Netherlands\" is not a country code of two letters (ISO 3166-1 alpha-2) such as CN or NL"
        );
    }

    proptest! {
        #[test]
        fn no_text_crashes_a_constructor(text in ".{0,40}") {
            for kind in ["hs", "country", "locode", "container", "mrn", "lrn", "trader"] {
                if let Ok(spelled) = canonical(kind, &text) {
                    // What was accepted is a fixed point of its own constructor.
                    prop_assert_eq!(canonical(kind, &spelled), Ok(spelled.clone()));
                }
            }
        }

        #[test]
        fn changing_one_digit_of_a_container_number_is_noticed(at in 4_usize..10, shift in 1_u8..10) {
            let mut bytes = b"CSQU3054383".to_vec();
            bytes[at] = b'0' + (bytes[at] - b'0' + shift) % 10;
            let changed = String::from_utf8(bytes.clone()).unwrap();
            // ISO 6346 knows one gap: a remainder of 10 is written 0.
            if ContainerNumber::check_digit(&bytes) != 3 {
                prop_assert!(ContainerNumber::new(&changed).is_err());
            }
        }
    }
}
