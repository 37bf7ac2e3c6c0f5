//! What is known of a party, and what speaks for two of them being one.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What a party is. Parties of different kinds never match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// A legal person or a trading one.
    #[default]
    Enterprise,
    /// A natural person.
    Person,
    /// A vehicle, vessel or aircraft, by its registration marks.
    Vehicle,
}

impl PartyKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Enterprise, Self::Person, Self::Vehicle];

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Person => "person",
            Self::Vehicle => "vehicle",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.name() == name)
    }
}

/// One party of a register. What is not known is empty or absent, and speaks neither for nor against anything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Party {
    /// Id in the administration's records; different parties have different ones.
    pub id: String,
    /// What it is.
    pub kind: PartyKind,
    /// Name as registered, in any script.
    pub name: String,
    /// Other names; the first eight count.
    pub aliases: Vec<String>,
    /// Address as registered.
    pub address: Option<String>,
    /// Telephone number as written.
    pub phone: Option<String>,
    /// Id of the person it belongs to.
    pub owner: Option<String>,
    /// Numbers that others gave it: tax, company, passport, chassis.
    pub identifiers: Vec<String>,
    /// When it was entered in the register.
    pub entered_on: Option<Date>,
    /// When it was closed.
    pub closed_on: Option<Date>,
}

/// What kind of agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// The same number given by others.
    Identifier,
    /// The same owner.
    Owner,
    /// The same telephone number.
    Phone,
    /// The same address, or one that differs in spelling.
    Address,
    /// Names that share what is rare in them.
    Name,
    /// One was closed shortly before or after the other was entered.
    Succession,
}

impl EvidenceKind {
    /// All of them, the strongest first.
    pub const ALL: [Self; 6] =
        [Self::Identifier, Self::Owner, Self::Phone, Self::Address, Self::Name, Self::Succession];

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Owner => "owner",
            Self::Phone => "phone",
            Self::Address => "address",
            Self::Name => "name",
            Self::Succession => "succession",
        }
    }
}

/// One agreement of two parties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What agrees.
    pub kind: EvidenceKind,
    /// As the first has it.
    pub left: String,
    /// As the second has it.
    pub right: String,
    /// How many parties share it, as far as that is counted; 2: these two alone.
    pub shared_by: u32,
    /// How much it speaks for the pair, 0 to 1000.
    pub weight: u32,
}

/// Two parties that may be one, or belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The id that comes first in order.
    pub left: String,
    /// The other id.
    pub right: String,
    /// What the evidence says together, 0 to 1000.
    pub score: u32,
    /// Evidence, the heaviest first.
    pub evidence: Vec<Evidence>,
}

/// What weights say together: each leaves open what it does not say.
pub(super) fn together(weights: impl IntoIterator<Item = u32>) -> u32 {
    let open = weights.into_iter().fold(1_000_000_u64, |open, weight| {
        open.saturating_mul(u64::from(1_000_u32.saturating_sub(weight))).div_euclid(1_000)
    });
    let said = 1_000_000_u64.saturating_sub(open).div_euclid(1_000);
    u32::try_from(said).unwrap_or(1_000)
}

/// A weight as whole thousandths, at most so many.
pub(super) fn permille(weight: f64, most: u32) -> u32 {
    // No cast: the whole number at or below it is looked for between its bounds.
    let weight = weight.round();
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low.midpoint(high).saturating_add(u32::from(high.abs_diff(low) == 1));
        if f64::from(middle) <= weight { low = middle } else { high = middle.saturating_sub(1) }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_to_less_than_certainty_in_any_order() {
        for (weights, expected) in [
            (vec![], 0),
            (vec![500], 500),
            (vec![500, 500], 750),
            (vec![900, 900], 990),
            (vec![1_000, 1], 1_000),
        ] {
            assert_eq!(together(weights.iter().copied()), expected, "{weights:?}");
            assert_eq!(together(weights.into_iter().rev()), expected);
        }
    }

    #[test]
    fn weights_are_rounded_and_stay_within_their_bounds() {
        for (weight, expected) in [
            (-1.0, 0),
            (0.4, 0),
            (0.5, 1),
            (1.0, 1),
            (2.0, 2),
            (349.6, 350),
            (998.0, 998),
            (5e9, 999),
            (f64::NAN, 0),
        ] {
            assert_eq!(permille(weight, 999), expected, "{weight}");
        }
    }
}
