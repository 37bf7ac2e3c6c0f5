//! `pack.toml`: what a pack says about itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use spine::{Finding, Language, LocalizedText, Pointer, Sensitivity};

use crate::content::MANIFEST_PATH;

/// What a pack holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackKind {
    /// Rules over trees (documents, messages).
    Rules,
    /// Risk tags over entries.
    Tags,
    /// Inspection plans.
    Plans,
    /// Trained models.
    Models,
    /// Parameters of an administration: offices, thresholds, holidays.
    Parameters,
    /// Named code lists.
    Lists,
    /// Texts for people.
    Texts,
    /// Message schemas that others publish (XSD).
    Schemas,
}

impl PackKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Rules,
        Self::Tags,
        Self::Plans,
        Self::Models,
        Self::Parameters,
        Self::Lists,
        Self::Texts,
        Self::Schemas,
    ];

    /// The stable name used in `pack.toml`, on the command line and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Tags => "tags",
            Self::Plans => "plans",
            Self::Models => "models",
            Self::Parameters => "parameters",
            Self::Lists => "lists",
            Self::Texts => "texts",
            Self::Schemas => "schemas",
        }
    }
}

/// Version of a pack: `major.minor.patch` (Semantic Versioning 2.0.0), and after a `+` the content hash's beginning
/// for packs made from what others publish. Ordered by the three numbers, then by the text after the `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// Grows when users must change something.
    pub major: u32,
    /// Grows with additions.
    pub minor: u32,
    /// Grows with corrections.
    pub patch: u32,
    /// Build metadata, empty in packs written by people.
    pub build: String,
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if self.build.is_empty() { Ok(()) } else { write!(out, "+{}", self.build) }
    }
}

impl FromStr for Version {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refuse =
            || format!("\"{text}\" is not a version of the form 1.4.0 (three whole numbers with dots)");
        let (numbers, build) = text.split_once('+').unwrap_or((text, ""));
        let build_well_formed =
            build.len() <= 64 && build.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        let mut parts = numbers.split('.').map(|part| {
            let canonical = part == "0" || !part.starts_with('0');
            part.parse::<u32>().ok().filter(|_| canonical && part.bytes().all(|b| b.is_ascii_digit()))
        });
        let mut next = || parts.next().flatten().ok_or_else(refuse);
        let (major, minor, patch) = (next()?, next()?, next()?);
        if parts.next().is_some() || !build_well_formed {
            return Err(refuse());
        }
        Ok(Self { major, minor, patch, build: build.to_owned() })
    }
}

impl TryFrom<String> for Version {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

/// Another pack that this one needs: at least `version`, of the same major number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// The other pack's id.
    pub id: String,
    /// Lowest version that will do.
    pub version: Version,
}

/// The published form that an external pack was recognised as; it decides how its files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalForm {
    /// `harmonized-system.csv`: the Harmonized System with chapters, headings and subheadings.
    HarmonizedSystem,
    /// `unlocode*.csv`: places of trade and transport.
    Unlocode,
    /// `codes-all.csv`: ISO 4217.
    Currencies,
    /// `unece-rec21.csv`: UN/ECE Recommendation 21.
    PackageTypes,
    /// `country-codes.csv` with ISO 3166-1 columns.
    Countries,
    /// `units-of-measure.csv`: UN/ECE Recommendation 20.
    UnitsOfMeasure,
    /// `authorisations.csv`: who holds which customs authorisation, from when until when.
    AuthorisationRegister,
    /// A folder of JSON code lists, each an array of objects with `code`.
    JsonCodeLists,
    /// XSDs of WCO DMS declarations and notifications.
    WcoDmsSchemas,
    /// XSDs of entry summary declarations.
    EntrySummarySchemas,
}

/// What a pack says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Stable id: small letters, digits and dashes.
    pub id: String,
    /// Version.
    pub version: Version,
    /// What it holds.
    pub kind: PackKind,
    /// What people call it: at least English and Chinese.
    pub title: LocalizedText,
    /// In a few sentences what it is for.
    #[serde(default, skip_serializing_if = "no_text")]
    pub description: LocalizedText,
    /// Who answers for it.
    pub owner: String,
    /// Law, convention or order that it rests on, in words.
    pub legal_basis: String,
    /// Who may see it at all; single tags and rules may be stricter.
    pub sensitivity: Sensitivity,
    /// Licence of its content (SPDX expression, or words where there is none).
    pub licence: String,
    /// Made from or for simulated records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// Other packs that it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends: Vec<Dependency>,
    /// Set by the registry for what others publish; authors leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalForm>,
}

fn no_text(text: &LocalizedText) -> bool {
    text.0.is_empty()
}

impl Manifest {
    /// Longest id.
    pub const ID_CHARACTERS_MAX: usize = 64;

    /// Reads `pack.toml`. What cannot be read, or breaks the rules of `packs/README.md`, comes back as findings.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        let manifest: Self =
            toml::from_str(text).map_err(|error| vec![toml_finding(MANIFEST_PATH, text, &error)])?;
        let findings = manifest.findings(text);
        if findings.is_empty() { Ok(manifest) } else { Err(findings) }
    }

    fn findings(&self, text: &str) -> Vec<Finding> {
        let at = |field: &str| Pointer(format!("{MANIFEST_PATH}:{}/{field}", line_of_key(text, field)));
        let mut findings = Vec::new();
        if !is_id(&self.id) {
            findings.push(
                Finding::error("pack_id_malformed")
                    .at(at("id"))
                    .found(&self.id)
                    .expected("2 to 64 small letters, digits and dashes, beginning with a letter")
                    .fix("Rename the pack, for example customs-tags."),
            );
        }
        for language in [Language::En, Language::Zh] {
            if self.title.0.get(&language).is_none_or(|title| title.trim().is_empty()) {
                findings.push(
                    Finding::error("pack_title_missing")
                        .at(at("title"))
                        .expected(format!("a title in {}", language.own_name()))
                        .fix(format!("Add {} = \"...\" to title.", language.code())),
                );
            }
        }
        for (field, value) in
            [("owner", &self.owner), ("legal_basis", &self.legal_basis), ("licence", &self.licence)]
        {
            if value.trim().is_empty() {
                findings.push(
                    Finding::error("pack_field_empty")
                        .at(at(field))
                        .expected("a text")
                        .fix(format!("Say in {field} what holds for this pack; it may be one sentence.")),
                );
            }
        }
        findings
    }
}

/// Is this a well-formed id of a pack?
pub(crate) fn is_id(id: &str) -> bool {
    (2..=Manifest::ID_CHARACTERS_MAX).contains(&id.len())
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A TOML error as a finding with file and line.
pub(crate) fn toml_finding(path: &str, text: &str, error: &toml::de::Error) -> Finding {
    let line = error.span().map_or(1, |span| line_at(text, span.start));
    let found = error.span().and_then(|span| text.get(span)).unwrap_or_default();
    Finding::error("toml_unreadable")
        .at(Pointer(format!("{path}:{line}")))
        .found(found)
        .expected("TOML as packs/README.md describes it")
        .fix(format!("Correct line {line}: {}", error.message()))
}

/// Line, from 1, of a byte position.
pub(crate) fn line_at(text: &str, position: usize) -> usize {
    let before = text.get(..position).unwrap_or(text);
    before.bytes().filter(|b| *b == b'\n').count().saturating_add(1)
}

/// Line, from 1, on which a top-level key stands; 1 where it does not.
fn line_of_key(text: &str, key: &str) -> usize {
    let is_key = |line: &str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
    };
    text.lines().position(is_key).map_or(1, |at| at.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers_and_ordered_as_numbers() {
        let version = |text: &str| text.parse::<Version>();
        assert!(version("1.10.0").unwrap() > version("1.9.3").unwrap());
        assert_eq!(version("1.0.0+ab12").unwrap().to_string(), "1.0.0+ab12");
        for bad in ["1", "1.2", "1.2.3.4", "1.2.x", "01.2.3", "1.2.3+ä", "-1.0.0", ""] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_manifest_says_line_value_and_remedy() {
        let text = "id = \"Bad Id\"\nversion = \"1.0.0\"\nkind = \"tags\"\ntitle = { en = \"Tags\" }\nowner = \"\"\n\
                    legal_basis = \"-\"\nsensitivity = \"official\"\nlicence = \"Apache-2.0 OR MIT\"\n";
        let findings: Vec<String> =
            Manifest::parse(text).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            [
                "pack.toml:1/id: found \"Bad Id\", expected 2 to 64 small letters, digits and dashes, beginning with a \
                 letter. Rename the pack, for example customs-tags. [pack_id_malformed]",
                "pack.toml:4/title: expected a title in 中文. Add zh = \"...\" to title. [pack_title_missing]",
                "pack.toml:5/owner: expected a text. Say in owner what holds for this pack; it may be one sentence. \
                 [pack_field_empty]",
            ]
        );
        let findings = Manifest::parse("id = \"x-y\"\nversion = \"1.0\"\n").unwrap_err();
        assert_eq!(findings[0].pointer.0, "pack.toml:2");
    }
}
