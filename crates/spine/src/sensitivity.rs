//! Who may see a field, a tag or a rule at all.

use serde::{Deserialize, Serialize};

/// Classes of exposure, from what anyone may read to what almost nobody may.
///
/// The order is the order of secrecy, so `reader.clearance() >= field.sensitivity` is the whole check.
/// Serialisers, search, export and logs deny by default: what has no class is [`Sensitivity::Sealed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Published: tariff texts, public rules, code lists.
    Public,
    /// A party's own business data: visible to that party and to officials.
    Party,
    /// For officials on duty: lanes, ordinary tags, examination results.
    Official,
    /// For analysts and above: hit rates, profiles, officers' figures.
    Restricted,
    /// Intelligence and integrity matters: named readers only.
    #[default]
    Sealed,
}

impl Sensitivity {
    /// All classes, least secret first.
    pub const ALL: [Self; 5] = [Self::Public, Self::Party, Self::Official, Self::Restricted, Self::Sealed];

    /// The stable name used in packs, contracts and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Party => "party",
            Self::Official => "official",
            Self::Restricted => "restricted",
            Self::Sealed => "sealed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_class_is_sealed_and_the_order_is_the_order_of_secrecy() {
        assert_eq!(Sensitivity::default(), Sensitivity::Sealed);
        assert!(Sensitivity::ALL.is_sorted());
    }
}
