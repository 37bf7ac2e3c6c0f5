//! A plan of inspection.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spine::LocalizedText;
use spine::event::canonical_bytes;
use spine::noun::Lane;

/// A plan of inspection: who is looked at, how often, and with which capacity.
///
/// Points are hundredths of log-odds; probabilities and shares are parts per million.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Stable id: small letters, digits, dashes.
    pub id: String,
    /// Version, in the words of its owner.
    pub version: String,
    /// What people call it.
    pub title: LocalizedText,
    /// Law it rests on.
    pub legal_basis: String,
    /// Points that every declaration begins with.
    pub base_points: i32,
    /// Points by tag; a tag that is not here has none.
    pub weights: BTreeMap<String, i32>,
    /// Tags that choose a lane by themselves, whatever the score.
    #[serde(default)]
    pub hard_rules: BTreeMap<String, HardRule>,
    /// Tags whose goods must be seen: what is selected with one of them goes to the red lane.
    #[serde(default)]
    pub physical_tags: BTreeSet<String>,
    /// Of all others that are selected, the share that goes to the red lane and not to the yellow one.
    pub physical_share_ppm: u32,
    /// Share of inspections that the random arm has.
    #[serde(default = "random_share")]
    pub random_share_ppm: u32,
    /// Least chance of inspection of any declaration; above 0.
    #[serde(default = "floor")]
    pub floor_ppm: u32,
    /// What the trust in a trader changes.
    #[serde(default)]
    pub trusted: Trusted,
    /// Share of declarations released at once that are audited afterwards.
    #[serde(default)]
    pub audit_share_ppm: u32,
    /// Inspections a day at an office that is not named in `offices`.
    pub capacity_per_day: u32,
    /// Offices that differ.
    #[serde(default)]
    pub offices: BTreeMap<String, OfficePlan>,
    /// Threshold of an office until enough of its scores have been seen.
    pub initial_threshold: i32,
    /// How the weights were fitted: data, split, figures. `None`: by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<serde_json::Value>,
    /// Does anything of it rest on simulated records?
    #[serde(default)]
    pub simulated: bool,
}

fn random_share() -> u32 {
    100_000
}

fn floor() -> u32 {
    1_000
}

/// A tag that chooses a lane by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardRule {
    /// Yellow, red or hold.
    pub lane: Lane,
    /// Law it rests on.
    pub legal_basis: String,
    /// Why.
    pub reason: LocalizedText,
}

/// What the trust in a trader changes. It never reaches a hard rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trusted {
    /// Points added to the score: 0 or less.
    pub points: i32,
    /// Factor of the chance, in parts per million.
    pub factor_ppm: u32,
}

impl Default for Trusted {
    /// Half a log-odds less, and half the chance.
    fn default() -> Self {
        Self { points: -50, factor_ppm: 500_000 }
    }
}

/// What an office can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficePlan {
    /// Inspections a day.
    pub capacity_per_day: u32,
}

impl Plan {
    /// Most points that one tag, the beginning or the trust may give or take: odds of 1 to 22,026.
    pub const POINTS_MAX: i32 = 1_000;
    /// Scores are cut to this on both sides.
    pub const SCORE_MAX: i32 = 100_000;
    /// Most tags with weights, hard rules or physical examination.
    pub const TAGS_MAX: usize = 100_000;
    /// Most offices.
    pub const OFFICES_MAX: usize = 10_000;

    /// Inspections a day at an office.
    #[must_use]
    pub fn capacity(&self, office: &str) -> u32 {
        self.offices.get(office).map_or(self.capacity_per_day, |own| own.capacity_per_day)
    }

    /// SHA-256 of the canonical bytes, in small hexadecimal digits.
    #[must_use]
    pub fn content_hash(&self) -> String {
        // Whole numbers, texts and maps with text keys always have canonical bytes; a float that somebody put into
        // `fit` and that is not finite cannot stand in JSON at all.
        hex::encode(Sha256::digest(canonical_bytes(self).unwrap_or_default()))
    }

    /// Reads a plan; the error says where it is not one.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The plan as canonical JSON (RFC 8785).
    #[must_use]
    pub fn to_json(&self) -> String {
        String::from_utf8(canonical_bytes(self).unwrap_or_default()).unwrap_or_default()
    }
}

/// A plan with its content hash, which was computed when it came into force: hashing it for every declaration would
/// cost more than the choice itself.
#[derive(Debug, Clone, Copy)]
pub struct PlanInForce<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its content hash.
    pub hash: &'a str,
}
