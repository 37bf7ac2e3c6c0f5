//! A message looked at before it is sent: everything that the public rules say of it, with the places in its text.
//! Nothing is recorded.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | [`Checker::of`]`(registry, clearance, day)`, `of_today`, `check(bytes) -> CheckedFile` | without a house, offline | none |
//! | `check_file(&reader, bytes) -> CheckedFile` | what the house knows as well: references in use, whose declaration it is | lodge |

mod codes;
mod content;
mod kept;
mod schemas;
mod shown;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::rules::{Explanation, Lists, RuleFinding, RulePack};
use formats::declaration::{self, Form, Understood};
use formats::wco::WcoPointer;
use formats::{Excerpt, XmlBounds, XmlDocument, XmlText};
use jiff::Timestamp;
use jiff::civil::Date;
use packs::{NamedLists, PackKind, Registry};
use serde::Serialize;
use spine::declaration::Declaration;
use spine::tree::Tree;
use spine::{Finding, LocalizedText, Pointer, Sensitivity};

use crate::Customhouse;
use crate::civil_time::civil;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::rules::usable_rules_with;
use schemas::{BySchema, Schemas};

pub use codes::validation_code;
pub(crate) use content::{CheckedContent, responsible_in};
pub use kept::SCHEMA_NOT_APPLIED;
pub(crate) use kept::{Checkers, schema_named};

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
    /// What an administration answers for it, such as `DMS10001`; only of declarations.
    pub validation_code: Option<String>,
    /// What the administration's installed code lists say of that code, in English; none without such lists.
    pub published_text: Option<String>,
    /// Its place as sections and a tag of the WCO Data Model; only of declarations.
    pub wco_pointer: Option<WcoPointer>,
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
    /// Rules that did not look, because a list that they need is not installed.
    pub rules_not_asked: usize,
    /// Rules that did not look, because what they read has a place in XML only.
    pub rules_of_xml: usize,
    /// Lists that are not installed.
    pub lists_missing: Vec<String>,
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
    /// A rule, from the declaration where there is one, and otherwise from the root.
    Rule(Box<RuleFinding>),
}

/// Findings before they are placed.
#[derive(Default)]
struct Told {
    findings: Vec<(Finding, Said)>,
    checked_by: Vec<CheckedBy>,
    schema: Option<CheckedBy>,
}

impl Told {
    /// Adds what a schema says.
    fn by_schema(&mut self, found: BySchema) {
        self.findings.extend(found.findings.into_iter().map(|finding| (finding, Said::Schema)));
        self.schema = Some(CheckedBy {
            pack: found.pack,
            version: found.version,
            rules: 0,
            rules_not_asked: 0,
            rules_of_xml: 0,
            lists_missing: Vec::new(),
        });
    }
}

/// What an installed schema says of a message, if there is one for it; or why it cannot be used.
type SchemaSays = Result<Option<BySchema>, Error>;

/// A message that was looked at, before its findings are placed in its text.
struct Seen {
    kind: MessageKind,
    /// Name of its root element.
    root: String,
    /// Way from the root to the declaration in it.
    base: &'static [&'static str],
    /// The declaration as far as it was understood.
    declaration: Option<Declaration>,
    told: Told,
}

/// What is known of messages, as far as somebody may know it: made once, for any number of them.
#[derive(Debug)]
pub struct Checker {
    clearance: Sensitivity,
    packs: Vec<RulesOfPack>,
    /// Content hashes of the packs of rules and lists that it was made of.
    hashes: Vec<String>,
    schemas: Arc<Schemas>,
    /// Texts of published error codes.
    texts: BTreeMap<String, String>,
}

#[derive(Debug)]
struct RulesOfPack {
    pack: String,
    version: String,
    files: Vec<RulePack>,
    /// Those of declarations of which only the content is there, not the message: of the JSON form, and of amended ones.
    of_content: Vec<RulePack>,
}

impl Checker {
    /// What the packs of a registry say of declarations of a day. Rules above `clearance` are not asked.
    ///
    /// # Errors
    /// A pack with rules that cannot be used.
    pub fn of(registry: &Registry, clearance: Sensitivity, day: Date) -> Result<Self, Error> {
        Self::with_lists(registry, clearance, registry.lists_on(day))
    }

    /// [`Checker::of`] declarations of today, by the system's clock.
    ///
    /// # Errors
    /// Those of [`Checker::of`].
    pub fn of_today(registry: &Registry, clearance: Sensitivity) -> Result<Self, Error> {
        Self::of(registry, clearance, civil(Timestamp::now()).date())
    }

    /// The same with the lists given.
    pub(crate) fn with_lists(
        registry: &Registry,
        clearance: Sensitivity,
        lists: NamedLists,
    ) -> Result<Self, Error> {
        let (checker, refused) = Self::usable(registry, clearance, lists, Arc::new(Schemas::of(registry)));
        refused.into_iter().next().map_or(Ok(checker), Err)
    }

    /// The same of the packs that can be used, and why the others cannot.
    fn usable(
        registry: &Registry,
        clearance: Sensitivity,
        lists: NamedLists,
        schemas: Arc<Schemas>,
    ) -> (Self, Vec<Error>) {
        let (mut packs, mut refused) = (Vec::new(), Vec::new());
        let lists = Lists(lists);
        let rules = registry.current().filter(|pack| pack.manifest.kind == PackKind::Rules);
        for pack in rules.filter(|pack| pack.manifest.sensitivity <= clearance) {
            match usable_rules_with(pack, &lists) {
                Ok(files) => {
                    let (pack, version) = (pack.manifest.id.clone(), pack.manifest.version.to_string());
                    let part = |file: &RulePack| file.asked_where(&lists, &declaration::can_hold);
                    let of_content = files.iter().map(part).collect();
                    packs.push(RulesOfPack { pack, version, files, of_content });
                }
                Err(error) => refused.push(error),
            }
        }
        let texts = registry.current().flat_map(|pack| pack.code_texts("error_codes")).collect();
        let asked =
            registry.current().filter(|pack| matches!(pack.manifest.kind, PackKind::Rules | PackKind::Lists));
        let hashes = asked.map(|pack| pack.hash.clone()).collect();
        (Self { clearance, packs, hashes, schemas, texts }, refused)
    }

    /// Looks at a message: a declaration as JSON or XML, or another message for which a pack has rules or a schema.
    ///
    /// # Errors
    /// `message_unknown` for one that nothing here has rules for; an installed schema that cannot be used.
    pub fn check(&self, bytes: &[u8]) -> Result<CheckedFile, Error> {
        self.look(bytes, &|_| Ok(Vec::new()))
    }

    fn look(&self, bytes: &[u8], of_house: OfHouse<'_>) -> Result<CheckedFile, Error> {
        Ok(shown::shown(self.see(bytes, of_house)?, bytes, &self.texts))
    }

    /// What is found in a declaration that is handed in: by its structure, by an installed schema and by the rules.
    /// Places count from the declaration.
    pub(crate) fn understand(&self, bytes: &[u8], form: Form) -> Result<Lodged, Error> {
        let seen = match form {
            Form::Json => self.see_json(bytes, &|_| Ok(Vec::new()))?,
            Form::DmsXml => self.read(bytes, |document, by_schema| {
                if declaration::path_in(document).is_some() {
                    return self.see_document(document, by_schema, &|_| Ok(Vec::new()));
                }
                // Why there is no declaration in it, the reader says.
                declared(Form::DmsXml, declaration::read_document(document), ROOT, &|_| Ok(Vec::new()))
            })?,
        };
        let findings = seen.told.findings.into_iter().map(|(finding, said)| match said {
            Said::Schema => {
                let pointer = shown::below(&finding.pointer, seen.base);
                Finding { pointer, ..finding }
            }
            Said::Structure | Said::Rule(_) => finding,
        });
        let findings = findings.take(FINDINGS_MAX).collect();
        Ok(Lodged {
            understood: Understood { declaration: seen.declaration, findings },
            schema: seen.told.schema,
        })
    }

    fn see(&self, bytes: &[u8], of_house: OfHouse<'_>) -> Result<Seen, Error> {
        if Form::sniff(bytes) == Some(Form::Json) {
            return self.see_json(bytes, of_house);
        }
        self.read(bytes, |document, by_schema| {
            let seen = self.see_document(document, by_schema, of_house)?;
            let looked = !seen.told.checked_by.is_empty() || seen.told.schema.is_some();
            if seen.kind == MessageKind::Ruled && !looked { Err(unknown(&seen.root)) } else { Ok(seen) }
        })
    }

    /// Reads a message once, for its tree and for the schema that is installed for such messages, and looks at both.
    fn read(
        &self,
        bytes: &[u8],
        look: impl FnOnce(&XmlDocument, SchemaSays) -> Result<Seen, Error>,
    ) -> Result<Seen, Error> {
        let text = match XmlText::decode(bytes, BOUNDS) {
            Ok(text) => text,
            Err(finding) => return Ok(Seen::unread(finding)),
        };
        let mut judging = self.schemas.judging(text.root_name());
        let mut judgement =
            judging.as_mut().ok().and_then(Option::as_mut).map(|judging| &mut judging.judgement);
        match text.read(&mut judgement) {
            Ok(document) => {
                look(&document, judging.map(|judging| judging.map(|judging| judging.found(text.as_str()))))
            }
            Err(finding) => Ok(Seen::unread(finding)),
        }
    }

    fn see_document(
        &self,
        document: &XmlDocument,
        by_schema: SchemaSays,
        of_house: OfHouse<'_>,
    ) -> Result<Seen, Error> {
        let tree = &document.tree;
        let root = tree.node(tree.root()).map(|node| node.name.to_string()).unwrap_or_default();
        let mut seen = match declaration::path_in(document) {
            Some(base) => declared(Form::DmsXml, declaration::read_document(document), base, of_house)?,
            None => {
                let odd = document.findings.iter().cloned().map(|finding| (finding, Said::Structure));
                let told = Told { findings: odd.collect(), ..Told::default() };
                Seen { kind: MessageKind::Ruled, root: String::new(), base: ROOT, declaration: None, told }
            }
        };
        if let Some(found) = by_schema? {
            seen.told.by_schema(found);
        }
        match declaration::part_in(document) {
            Some(part) => self.by_rules(&part, Asked::OfMessage, &mut seen.told),
            None => self.by_rules(tree, Asked::OfMessage, &mut seen.told),
        }
        Ok(Seen { root, ..seen })
    }

    /// What the rules of all packs say that look at such documents.
    fn by_rules(&self, tree: &Tree, asked: Asked, told: &mut Told) {
        for pack in &self.packs {
            let mut by = CheckedBy {
                pack: pack.pack.clone(),
                version: pack.version.clone(),
                rules: 0,
                rules_not_asked: 0,
                rules_of_xml: 0,
                lists_missing: Vec::new(),
            };
            let files = pack.files.iter().zip(&pack.of_content);
            for (all, of_content) in files.filter(|(all, _)| all.applies_to(tree)) {
                let file = if asked == Asked::OfContent { of_content } else { all };
                by.rules = by.rules.saturating_add(file.definitions().len());
                by.rules_not_asked = by.rules_not_asked.saturating_add(all.not_asked().len());
                let of_xml = all.definitions().len().saturating_sub(file.definitions().len());
                by.rules_of_xml = by.rules_of_xml.saturating_add(of_xml);
                by.lists_missing.extend(file.missing_lists().iter().cloned());
                let found = file.check(tree).into_iter();
                let seen = found.filter(|found| found.sensitivity.is_none_or(|own| own <= self.clearance));
                told.findings.extend(seen.map(|found| (as_finding(&found), Said::Rule(Box::new(found)))));
            }
            if by.rules > 0 {
                by.lists_missing.sort();
                by.lists_missing.dedup();
                told.checked_by.push(by);
            }
        }
    }
}

/// What rules are asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// A message as it came.
    OfMessage,
    /// A declaration's content.
    OfContent,
}

/// A declaration that is handed in, as it was understood.
pub(crate) struct Lodged {
    /// With the findings of its structure, its schema and the rules.
    pub(crate) understood: Understood,
    /// The schema that it was held against, where one is installed.
    pub(crate) schema: Option<CheckedBy>,
}

impl Seen {
    /// A message that cannot be read at all.
    fn unread(finding: Finding) -> Self {
        Self {
            kind: MessageKind::Ruled,
            root: String::new(),
            base: ROOT,
            declaration: None,
            told: Told { findings: vec![(finding, Said::Structure)], ..Told::default() },
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
    /// Those of [`Checker::check`].
    pub fn check_file(&self, reader: &Reader, bytes: &[u8]) -> Result<CheckedFile, Error> {
        reader.require(Permission::Lodge)?;
        self.checker(reader.clearance())
            .look(bytes, &|declaration| self.findings_of_house(reader, declaration))
    }
}

/// What somebody knows of a declaration besides its content.
type OfHouse<'a> = &'a dyn Fn(&Declaration) -> Result<Vec<Finding>, Error>;

/// What the structure of a declaration says, and the house.
fn declared(
    form: Form,
    understood: Understood,
    base: &'static [&'static str],
    of_house: OfHouse<'_>,
) -> Result<Seen, Error> {
    let mut findings = understood.findings;
    if let Some(declaration) = &understood.declaration {
        let of_house = of_house(declaration)?.into_iter();
        findings.extend(of_house.map(|finding| match form {
            Form::Json => finding,
            Form::DmsXml => Finding { pointer: in_xml(&finding.pointer), ..finding },
        }));
    }
    let findings = findings.into_iter().map(|finding| (finding, Said::Structure)).collect();
    Ok(Seen {
        kind: if form == Form::Json { MessageKind::DeclarationJson } else { MessageKind::DeclarationXml },
        root: "Declaration".to_owned(),
        base,
        declaration: understood.declaration,
        told: Told { findings, ..Told::default() },
    })
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

/// The value at a place, where the rule read one there.
fn value_at<'a>(place: &Pointer, explanation: &'a Explanation) -> Option<&'a str> {
    let own = explanation.value.as_deref().filter(|_| explanation.pointers.as_slice() == [place.clone()]);
    own.or_else(|| explanation.parts.iter().find_map(|part| value_at(place, part)))
}

fn as_finding(found: &RuleFinding) -> Finding {
    let english = |text: &LocalizedText| text.in_language(spine::Language::En).to_owned();
    Finding::new(&found.code, found.severity)
        .at(found.pointer.clone())
        .found(value_at(&found.pointer, &found.explanation).unwrap_or_default())
        .expected(english(&found.message))
        .fix(english(&found.how_to_fix))
}
