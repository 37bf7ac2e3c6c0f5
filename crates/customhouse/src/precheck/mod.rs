//! A message looked at before it is sent: everything that the public rules say of it, with the places in its text.
//! Nothing is recorded.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | [`Checker::of`]`(registry, clearance)`, `check(bytes) -> CheckedFile` | without a house, offline | none |
//! | `check_file(&reader, bytes) -> CheckedFile` | what the house knows as well: references in use, whose declaration it is | lodge |

mod schemas;
#[cfg(test)]
mod tests;

use ::rules::{RuleFinding, RulePack};
use formats::declaration::{self, Form};
use formats::{Excerpt, XmlBounds, XmlDocument, excerpts, read_xml};
use packs::{PackKind, Registry};
use serde::Serialize;
use spine::declaration::Declaration;
use spine::{Finding, LocalizedText, Pointer, Sensitivity, Severity};

use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::rules::usable_rules;
use schemas::Schemas;

/// Bytes of a message that is looked at.
pub const FILE_BYTES_MAX: usize = declaration::BYTES_MAX;
/// Findings that are told; how many there are is told beyond.
pub const FINDINGS_MAX: usize = 500;

/// Bounds of a message.
const BOUNDS: XmlBounds = XmlBounds {
    bytes_max: FILE_BYTES_MAX,
    depth_max: 32,
    nodes_max: 500_000,
    attributes_max: 64,
    namespaces_max: 64,
};

/// Places that count from the root of a document.
const ROOT: &[&str] = &[];

/// What a message turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// A customs declaration as JSON.
    DeclarationJson,
    /// A customs declaration of the DMS profile of the WCO Data Model.
    DeclarationXml,
    /// Another message for which there are rules, such as an entry summary declaration.
    Ruled,
}

impl MessageKind {
    /// The stable name: key of its words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeclarationJson => "declaration_json",
            Self::DeclarationXml => "declaration_xml",
            Self::Ruled => "ruled",
        }
    }
}

/// One finding, and where it is in the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFinding {
    /// Code, place, value, what was expected, how to mend it; in English where words are missing in another language.
    #[serde(flatten)]
    pub finding: Finding,
    /// What is wrong and what to do, in the languages of the rule that says so.
    pub words: Option<(LocalizedText, LocalizedText)>,
    /// Law behind the rule.
    pub legal_basis: Option<String>,
    /// The element in the text; none in JSON.
    pub excerpt: Option<Excerpt>,
}

/// A pack that a message was held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedBy {
    /// Id of the pack.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// Rules that looked; a schema has none.
    pub rules: usize,
}

/// What was found in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedFile {
    /// What it is.
    pub kind: MessageKind,
    /// Name of its root element; `Declaration` for JSON.
    pub document: String,
    /// The trader's reference (LRN), where it is a declaration that states one.
    pub reference: Option<String>,
    /// No finding is an error.
    pub acceptable: bool,
    /// What was found, errors first, then in the order of the text; at most [`FINDINGS_MAX`].
    pub findings: Vec<FileFinding>,
    /// How many there are.
    pub findings_total: usize,
    /// Whose rules looked at it, besides the structure of a declaration.
    pub checked_by: Vec<CheckedBy>,
    /// The installed schema that it was held against; none: no pack with a schema for it is installed.
    pub schema: Option<CheckedBy>,
}

/// Who says something of a message; it decides what its place counts from.
enum Said {
    /// The reader of declarations, from the declaration.
    Structure,
    /// The schema, from the root.
    Schema,
    /// A rule, from the root.
    Rule(Box<RuleFinding>),
}

/// Findings before they are placed.
#[derive(Default)]
struct Told {
    findings: Vec<(Finding, Said)>,
    checked_by: Vec<CheckedBy>,
    schema: Option<CheckedBy>,
}

/// What is known of messages, as far as somebody may know it: made once, for any number of them.
#[derive(Debug)]
pub struct Checker {
    clearance: Sensitivity,
    packs: Vec<RulesOfPack>,
    schemas: Schemas,
}

#[derive(Debug)]
struct RulesOfPack {
    pack: String,
    version: String,
    files: Vec<RulePack>,
}

impl Checker {
    /// What the packs of a registry say. Rules above `clearance` are not asked.
    ///
    /// # Errors
    /// A pack with rules that cannot be used.
    pub fn of(registry: &Registry, clearance: Sensitivity) -> Result<Self, Error> {
        let mut packs = Vec::new();
        let rules = registry.current().filter(|pack| pack.manifest.kind == PackKind::Rules);
        for pack in rules.filter(|pack| pack.manifest.sensitivity <= clearance) {
            let files = usable_rules(registry, pack)?;
            let (pack, version) = (pack.manifest.id.clone(), pack.manifest.version.to_string());
            packs.push(RulesOfPack { pack, version, files });
        }
        Ok(Self { clearance, packs, schemas: Schemas::of(registry) })
    }

    /// Looks at a message: a declaration as JSON or XML, or another message for which a pack has rules or a schema.
    ///
    /// # Errors
    /// `message_unknown` for one that nothing here has rules for; an installed schema that cannot be used.
    pub fn check(&self, bytes: &[u8]) -> Result<CheckedFile, Error> {
        self.look(bytes, &|_| Ok(Vec::new()))
    }

    fn look(&self, bytes: &[u8], of_house: OfHouse<'_>) -> Result<CheckedFile, Error> {
        if Form::sniff(bytes) == Some(Form::Json) {
            let (told, reference) = declared(bytes, Form::Json, of_house)?;
            return Ok(shown(MessageKind::DeclarationJson, "Declaration", reference, told, bytes, &[]));
        }
        let document = match read_xml(bytes, BOUNDS) {
            Ok(document) => document,
            Err(finding) => {
                let told = Told { findings: vec![(finding, Said::Structure)], ..Told::default() };
                return Ok(shown(MessageKind::Ruled, "", None, told, bytes, &[]));
            }
        };
        let root =
            document.tree.node(document.tree.root()).map(|node| node.name.to_string()).unwrap_or_default();
        let base = declaration::path_in(&document);
        let (kind, mut told, reference) = match base {
            Some(_) => {
                let (told, reference) = declared(bytes, Form::DmsXml, of_house)?;
                (MessageKind::DeclarationXml, told, reference)
            }
            None => {
                let odd = document.findings.iter().cloned().map(|finding| (finding, Said::Structure));
                (MessageKind::Ruled, Told { findings: odd.collect(), ..Told::default() }, None)
            }
        };
        self.by_schema(&root, bytes, &mut told)?;
        self.by_rules(&document, &mut told);
        if kind == MessageKind::Ruled && told.checked_by.is_empty() && told.schema.is_none() {
            return Err(unknown(&root));
        }
        Ok(shown(kind, &root, reference, told, bytes, base.unwrap_or_default()))
    }

    /// What an installed schema says.
    fn by_schema(&self, root: &str, bytes: &[u8], told: &mut Told) -> Result<(), Error> {
        let Some(found) = self.schemas.judge(root, bytes)? else { return Ok(()) };
        told.findings.extend(found.findings.into_iter().map(|finding| (finding, Said::Schema)));
        told.schema = Some(CheckedBy { pack: found.pack, version: found.version, rules: 0 });
        Ok(())
    }

    /// What the rules of all packs say that look at such documents.
    fn by_rules(&self, document: &XmlDocument, told: &mut Told) {
        for pack in &self.packs {
            let mut rules = 0_usize;
            for file in pack.files.iter().filter(|rules| rules.applies_to(&document.tree)) {
                rules = rules.saturating_add(file.definitions().len());
                let found = file.check(&document.tree).into_iter();
                let seen = found.filter(|found| found.sensitivity.is_none_or(|own| own <= self.clearance));
                told.findings.extend(seen.map(|found| (as_finding(&found), Said::Rule(Box::new(found)))));
            }
            if rules > 0 {
                let (pack, version) = (pack.pack.clone(), pack.version.clone());
                told.checked_by.push(CheckedBy { pack, version, rules });
            }
        }
    }
}

fn unknown(root: &str) -> Error {
    Error::new(
        Kind::Refused,
        "message_unknown",
        format!("nothing here has rules for a message \"{root}\""),
        "Give a customs declaration (JSON, or XML of the WCO DMS profile), or a message for which a pack of rules is installed, such as an entry summary declaration (CC315A, CC313A).",
    )
}

impl Customhouse {
    /// [`Checker::check`] with what this house knows: whose declaration it is, and whether its reference is in use.
    ///
    /// # Errors
    /// Those of [`Checker::of`] and [`Checker::check`].
    pub fn check_file(&self, reader: &Reader, bytes: &[u8]) -> Result<CheckedFile, Error> {
        reader.require(Permission::Lodge)?;
        let checker = Checker::of(&self.registry(), reader.clearance())?;
        checker.look(bytes, &|declaration| self.findings_of_house(reader, declaration))
    }
}

/// What somebody knows of a declaration besides its content.
type OfHouse<'a> = &'a dyn Fn(&Declaration) -> Result<Vec<Finding>, Error>;

/// What is found in a declaration, and its reference.
fn declared(bytes: &[u8], form: Form, of_house: OfHouse<'_>) -> Result<(Told, Option<String>), Error> {
    let understood = declaration::read(bytes, form);
    let mut findings = understood.findings;
    let mut reference = None;
    if let Some(declaration) = &understood.declaration {
        let of_house = of_house(declaration)?.into_iter();
        findings.extend(of_house.map(|finding| match form {
            Form::Json => finding,
            Form::DmsXml => Finding { pointer: in_xml(&finding.pointer), ..finding },
        }));
        reference.clone_from(&declaration.functional_reference_id);
    }
    let findings = findings.into_iter().map(|finding| (finding, Said::Structure)).collect();
    Ok((Told { findings, ..Told::default() }, reference))
}

/// The same place under the names of the DMS profile: `declarant/id` is `Declarant/ID`.
fn in_xml(pointer: &Pointer) -> Pointer {
    let word = |word: &str| -> String {
        let mut letters = word.chars();
        match (word, letters.next()) {
            ("id", _) => "ID".to_owned(),
            (_, Some(first)) => first.to_ascii_uppercase().to_string() + letters.as_str(),
            (_, None) => String::new(),
        }
    };
    let step = |step: &str| step.split('_').map(word).collect::<String>();
    Pointer(pointer.0.split('/').map(step).collect::<Vec<_>>().join("/"))
}

fn as_finding(found: &RuleFinding) -> Finding {
    let english = |text: &LocalizedText| text.in_language(spine::Language::En).to_owned();
    Finding::new(&found.code, found.severity)
        .at(found.pointer.clone())
        .expected(english(&found.message))
        .fix(english(&found.how_to_fix))
}

/// The first place below its own that a rule read: rather the field than the group that it stands in.
fn read_below(rule: &RuleFinding) -> Option<&Pointer> {
    let group = &rule.pointer.0;
    rule.explanation.read().into_iter().find(|read| {
        read.0
            .strip_prefix(group.as_str())
            .is_some_and(|below| !below.is_empty() && (group.is_empty() || below.starts_with('/')))
    })
}

/// Places what was told, and puts it in order.
fn shown(
    kind: MessageKind,
    document: &str,
    reference: Option<String>,
    told: Told,
    bytes: &[u8],
    base: &'static [&'static str],
) -> CheckedFile {
    let findings_total = told.findings.len();
    let acceptable = told.findings.iter().all(|(finding, _)| finding.severity != Severity::Error);
    let mut told_first = told.findings;
    told_first.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
    told_first.truncate(FINDINGS_MAX);
    let place = |(finding, said): &'_ (Finding, Said)| match said {
        Said::Structure => (base, finding.pointer.clone()),
        Said::Schema => (ROOT, finding.pointer.clone()),
        Said::Rule(rule) => (ROOT, read_below(rule).unwrap_or(&rule.pointer).clone()),
    };
    // In JSON, places have no lines.
    let places: Vec<_> = if kind == MessageKind::DeclarationJson {
        Vec::new()
    } else {
        told_first.iter().map(place).collect()
    };
    let mut excerpts = excerpts(bytes, BOUNDS, &places).into_iter();
    let mut findings: Vec<FileFinding> = told_first
        .into_iter()
        .map(|(finding, said)| {
            let excerpt = excerpts.next().flatten();
            let Said::Rule(rule) = said else {
                return FileFinding { finding, words: None, legal_basis: None, excerpt };
            };
            let RuleFinding { message, how_to_fix, legal_basis, .. } = *rule;
            FileFinding { finding, words: Some((message, how_to_fix)), legal_basis, excerpt }
        })
        .collect();
    findings.sort_by_key(|own| {
        let place = own.excerpt.as_ref().map(|excerpt| (excerpt.line, excerpt.column));
        (std::cmp::Reverse(own.finding.severity), place)
    });
    CheckedFile {
        kind,
        document: document.to_owned(),
        reference,
        acceptable,
        findings,
        findings_total,
        checked_by: told.checked_by,
        schema: told.schema,
    }
}
