//! `world.toml` as types; that file says what each parameter means.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use spine::identifier::CountryCode;

use crate::draw::Name;
use crate::error::CountryError;
use crate::fraud::Scheme;

const FILE: &str = "world.toml";
const TEXT: &str = include_str!("../world.toml");

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    pub(crate) time: Time,
    pub(crate) trade: Trade,
    pub(crate) enterprises: Enterprises,
    pub(crate) missing: BTreeMap<String, f64>,
    pub(crate) office: Vec<OfficeParameters>,
    pub(crate) origin: Vec<Arc<Origin>>,
    pub(crate) honesty: HonestyParameters,
    pub(crate) schemes: SchemeParameters,
    pub(crate) ring: RingParameters,
    pub(crate) selection: SelectionParameters,
    pub(crate) inspection: InspectionParameters,
    pub(crate) null: NullParameters,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Time {
    pub(crate) first_day: Date,
    pub(crate) days: u32,
    pub(crate) growth: f64,
    pub(crate) weekend: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trade {
    pub(crate) currency: Name,
    pub(crate) items_a_declaration: f64,
    pub(crate) items_max: u32,
    pub(crate) importer_declarations: f64,
    pub(crate) importers_min: u32,
    pub(crate) exporter_share: f64,
    pub(crate) declarants: u32,
    pub(crate) lines_max: u32,
    pub(crate) goods_spread: f64,
    pub(crate) trusted_importers: f64,
    pub(crate) simplified: f64,
    pub(crate) own_use: f64,
    pub(crate) preference_claimed: f64,
    pub(crate) preference_factor: f64,
    pub(crate) shared_container: f64,
    pub(crate) generic_words: f64,
    pub(crate) generic: Vec<Name>,
    pub(crate) procedures: Vec<(Name, f64)>,
    pub(crate) payments: Vec<(Name, f64)>,
    pub(crate) dutiable_procedure: Name,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enterprises {
    pub(crate) births_a_year: f64,
    pub(crate) closures_a_year: f64,
    pub(crate) living_years: f64,
    pub(crate) age_years_max: f64,
    pub(crate) days_to_first_trade: [f64; 2],
    pub(crate) succeeded: f64,
    pub(crate) succeeded_dishonest: f64,
    pub(crate) successor_days: [f64; 2],
    pub(crate) same_owner: f64,
    pub(crate) same_owner_dishonest: f64,
    pub(crate) other_address: f64,
    pub(crate) other_phone: f64,
    pub(crate) at_centre: f64,
    pub(crate) business_centres: u32,
    pub(crate) chains_a_year: f64,
    pub(crate) chain_shells: [u32; 2],
    pub(crate) straw_man: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfficeParameters {
    pub(crate) id: Name,
    pub(crate) mode: Mode,
    pub(crate) weight: f64,
    pub(crate) officers: u32,
}

/// Mode of transport (UNECE Recommendation 19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) enum Mode {
    #[serde(rename = "1")]
    Sea,
    #[serde(rename = "3")]
    Road,
    #[serde(rename = "4")]
    Air,
    #[serde(rename = "5")]
    Post,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Sea, Self::Road, Self::Air, Self::Post];

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Sea => "1",
            Self::Road => "3",
            Self::Air => "4",
            Self::Post => "5",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Origin {
    pub(crate) code: Name,
    pub(crate) price: f64,
    #[serde(default)]
    pub(crate) sea: f64,
    #[serde(default)]
    pub(crate) air: f64,
    #[serde(default)]
    pub(crate) road: f64,
    pub(crate) hub: Option<Name>,
    #[serde(default)]
    pub(crate) through: f64,
    #[serde(default)]
    pub(crate) preference: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HonestyParameters {
    pub(crate) careless_importers: f64,
    pub(crate) careless_strike: f64,
    pub(crate) dishonest_importers: f64,
    pub(crate) dishonest_strike: f64,
    pub(crate) honest_strike: f64,
    pub(crate) favourite_scheme: f64,
    pub(crate) dishonest_declarants: f64,
    pub(crate) helping_factor: f64,
    pub(crate) mistakes: f64,
    pub(crate) duty_of_temptation: f64,
    pub(crate) temptation_max: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchemeParameters {
    pub(crate) undervaluation: [f64; 2],
    pub(crate) short_quantity: [f64; 2],
    pub(crate) concealed_value: [f64; 2],
    pub(crate) concealed_mass: [f64; 2],
    pub(crate) weight: BTreeMap<Scheme, f64>,
    pub(crate) true_words: f64,
    pub(crate) direct_departure: f64,
    pub(crate) shell_days: [f64; 2],
    pub(crate) shell_strike: f64,
    pub(crate) shell_activity: f64,
    pub(crate) colluding_pairs: usize,
    pub(crate) colluding_strike: f64,
    pub(crate) colluding_presence: f64,
}

/// A ring of shell importers; there is one only where settings ask for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RingParameters {
    pub(crate) shells: u32,
    pub(crate) declarations_a_day: f64,
    pub(crate) strike: f64,
    pub(crate) undervaluation: [f64; 2],
    pub(crate) days: [f64; 2],
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectionParameters {
    pub(crate) random: f64,
    pub(crate) trusted_factor: f64,
    pub(crate) high_price_duty: f64,
    pub(crate) low_price: f64,
    pub(crate) gross_gap: f64,
    pub(crate) new_importer_days: i64,
    pub(crate) large_value: f64,
    pub(crate) heavy_package: f64,
    pub(crate) watched_countries: u32,
    pub(crate) watched_declarants: u32,
    pub(crate) rules: Vec<RuleParameters>,
    pub(crate) random_red: f64,
    pub(crate) post_clearance: f64,
}

/// One of the administration's rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleParameters {
    pub(crate) id: Rule,
    pub(crate) title: String,
    pub(crate) draw: f64,
    pub(crate) red: f64,
}

/// What a rule looks at; its id on declarations is the variant's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Rule {
    R01,
    R02,
    R03,
    R04,
    R05,
    R06,
    R07,
    R08,
    R09,
    R10,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InspectionParameters {
    pub(crate) skill: [f64; 2],
    pub(crate) poor_officers: f64,
    pub(crate) poor_skill: f64,
    pub(crate) papers_find: BTreeMap<Scheme, f64>,
    pub(crate) physical_find: BTreeMap<Scheme, f64>,
    pub(crate) unrecorded: f64,
    pub(crate) recovered: [f64; 2],
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NullParameters {
    pub(crate) irregular: f64,
    pub(crate) found: f64,
    pub(crate) recovered: [f64; 2],
}

impl Parameters {
    /// Reads and checks `world.toml`.
    pub(crate) fn built_in() -> Result<Self, CountryError> {
        let refuse = |reason: String| CountryError::Parameters { file: FILE, reason };
        let parameters: Self = toml::from_str(TEXT).map_err(|error| refuse(error.message().to_owned()))?;
        for origin in &parameters.origin {
            let codes = std::iter::once(&origin.code).chain(&origin.hub);
            for code in codes {
                CountryCode::new(code).map_err(|error| refuse(error.to_string()))?;
            }
        }
        for mode in Mode::ALL {
            if !parameters.office.iter().any(|office| office.mode == mode && office.officers > 0) {
                return Err(refuse(format!("no office with officers for mode of transport {}", mode.code())));
            }
        }
        for field in parameters.missing.keys() {
            if spine::declaration_entry::schema().field(field).is_none_or(|field| field.required) {
                return Err(refuse(format!("[missing] {field}: not a field that may be absent")));
            }
        }
        Ok(parameters)
    }

    /// The country of this code.
    pub(crate) fn origin(&self, code: &str) -> Option<&Arc<Origin>> {
        self.origin.iter().find(|origin| &*origin.code == code)
    }
}
