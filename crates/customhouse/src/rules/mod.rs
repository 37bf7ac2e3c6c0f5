//! Rules as the application uses them: an expression checked, a pack checked, a document held against a pack.
//! No data folder is touched and no event recorded.

use std::path::Path;

use ::rules::{Lists, RuleError, RulePack, compile_entry_rule, parse};
use formats::{XmlBounds, read_xml};
use packs::{Pack, PackKind, Registry};
use serde::Serialize;
use spine::{Finding, Severity, declaration_entry};

pub use ::rules::{Explanation, RuleFinding, Truth};

use crate::error::{Error, Kind};
use crate::offline::read_document;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleProblem {
    /// Stable snake_case code.
    pub code: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it, where that can be guessed.
    pub help: Option<String>,
    /// All of it with the line itself and carets under the place.
    pub rendered: String,
}

/// What came of checking an expression over declared items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedExpression {
    /// Nothing is wrong with it.
    pub valid: bool,
    /// Fields it reads.
    pub fields: Vec<String>,
    /// Steps of evaluating it for one entry, at most.
    pub cost: u64,
    /// What is wrong with it.
    pub problems: Vec<RuleProblem>,
}

/// Rules of a pack held against one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedDocument {
    /// The pack: id, version, content hash.
    pub pack: (String, String, String),
    /// Name of the document's root element.
    pub document: String,
    /// Rules that look at such documents.
    pub rules: usize,
    /// What was noticed while the document was read.
    pub reading: Vec<Finding>,
    /// The rules it breaks.
    pub findings: Vec<RuleFinding>,
}

impl CheckedDocument {
    /// Does it break a rule whose breach is an error?
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

fn lists(registry: &Registry) -> Lists {
    Lists(registry.lists())
}

/// Checks an expression over declared items: syntax, fields, types, cost.
#[must_use]
pub fn check_expression(registry: &Registry, source: &str) -> CheckedExpression {
    let problem = |error: &RuleError| {
        let (line, column) = error.line_column(source);
        RuleProblem {
            code: error.code.to_owned(),
            line,
            column,
            message: error.message.clone(),
            help: error.help.clone(),
            rendered: error.render(source),
        }
    };
    let compiled = parse(source).map_err(|error| vec![error]).and_then(|expression| {
        compile_entry_rule(&expression, &declaration_entry::schema(), &lists(registry))
    });
    match compiled {
        Ok(rule) => CheckedExpression {
            valid: true,
            fields: rule.fields().to_vec(),
            cost: rule.cost(),
            problems: Vec::new(),
        },
        Err(errors) => CheckedExpression {
            valid: false,
            fields: Vec::new(),
            cost: 0,
            problems: errors.iter().map(problem).collect(),
        },
    }
}

/// The rules of a pack, file by file, with what is wrong with them. Nothing for packs of other kinds.
#[must_use]
pub fn compile_pack(registry: &Registry, pack: &Pack) -> (Vec<RulePack>, Vec<Finding>) {
    compile_with(pack, &lists(registry))
}

fn compile_with(pack: &Pack, lists: &Lists) -> (Vec<RulePack>, Vec<Finding>) {
    let (mut compiled, mut findings) = (Vec::new(), Vec::new());
    if pack.manifest.kind != PackKind::Rules {
        return (compiled, findings);
    }
    for (path, _) in pack.files_with_extension("toml") {
        // A file that is no text was told by the check of the container.
        let Some(text) = pack.text(path) else { continue };
        let (rules, problems) = RulePack::from_toml(path, text, lists);
        compiled.push(rules);
        findings.extend(problems);
    }
    (compiled, findings)
}

/// The rules of a pack that is to be used.
///
/// # Errors
/// `pack_refused`, with what is wrong with them.
pub(crate) fn usable_rules(registry: &Registry, pack: &Pack) -> Result<Vec<RulePack>, Error> {
    usable_rules_with(pack, &lists(registry))
}

/// The same with the lists given.
pub(crate) fn usable_rules_with(pack: &Pack, lists: &Lists) -> Result<Vec<RulePack>, Error> {
    let (rules, broken) = compile_with(pack, lists);
    if broken.is_empty() {
        return Ok(rules);
    }
    let refused = Error::new(
        Kind::Refused,
        "pack_refused",
        format!("the pack \"{}\" has rules that cannot be used", pack.manifest.id),
        "Correct what the findings name, or use an earlier version of the pack.",
    );
    Err(refused.with_findings(broken))
}

/// Holds an XML document against the rules of a pack.
pub fn check_document(registry: &Registry, pack_id: &str, file: &Path) -> Result<CheckedDocument, Error> {
    let entry = registry.get(pack_id).ok_or_else(|| {
        let known: Vec<&str> = rule_packs(registry).collect();
        Error::new(
            Kind::NotFound,
            "pack_unknown",
            format!("there is no pack \"{pack_id}\""),
            format!("Packs of rules: {}.", known.join(", ")),
        )
    })?;
    let manifest = entry.manifest();
    if manifest.kind != PackKind::Rules {
        let known: Vec<&str> = rule_packs(registry).collect();
        return Err(Error::new(
            Kind::Invalid,
            "pack_of_other_kind",
            format!("the pack \"{pack_id}\" holds {}, not rules", manifest.kind.name()),
            format!("Packs of rules: {}.", known.join(", ")),
        ));
    }
    let bounds = XmlBounds::default();
    let bytes = read_document(file, bounds.bytes_max)?;
    let document = read_xml(&bytes, bounds).map_err(|finding| {
        Error::new(
            Kind::Refused,
            &finding.code.clone(),
            format!("{} cannot be read as XML", file.display()),
            "Correct what the finding names, then check it again.",
        )
        .with_findings(vec![finding])
    })?;
    let compiled = usable_rules(registry, &*registry.content(entry)?)?;
    // Rules on declarations look at the declaration, not at its envelope.
    let part = formats::declaration::part_in(&document)
        .filter(|part| compiled.iter().any(|rules| rules.applies_to(part)));
    let tree = part.as_ref().unwrap_or(&document.tree);
    let root = tree.node(tree.root()).map(|node| node.name.to_string()).unwrap_or_default();
    let fitting: Vec<&RulePack> = compiled.iter().filter(|rules| rules.applies_to(tree)).collect();
    if fitting.is_empty() {
        return Err(Error::new(
            Kind::Refused,
            "document_of_other_kind",
            format!("no rule of \"{pack_id}\" looks at documents \"{root}\""),
            "Name a pack for this kind of document; `tidewaiter pack list` shows all.",
        ));
    }
    Ok(CheckedDocument {
        pack: (manifest.id.clone(), manifest.version.to_string(), entry.hash().to_owned()),
        document: root,
        rules: fitting.iter().map(|rules| rules.definitions().len()).sum(),
        reading: document.findings,
        findings: fitting.iter().flat_map(|rules| rules.check(tree)).collect(),
    })
}

fn rule_packs(registry: &Registry) -> impl Iterator<Item = &str> {
    registry
        .current()
        .filter(|pack| pack.manifest.kind == PackKind::Rules)
        .map(|pack| pack.manifest.id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_checked_against_fields_types_and_lists() {
        let registry = Registry::built_in();
        let checked = check_expression(&registry, "gross_mass < net_mass");
        assert!(checked.valid && checked.fields.contains(&"net_mass".to_owned()), "{checked:?}");
        let checked = check_expression(&registry, "hs_heading(commodity_code) in parts_headings");
        assert!(checked.valid, "{checked:?}");
        for wrong in ["net_mas > 1", "net_mass >", "net_mass == 'heavy'", ""] {
            let checked = check_expression(&registry, wrong);
            assert!(!checked.valid && !checked.problems.is_empty(), "{wrong}: {checked:?}");
        }
        assert!(check_expression(&registry, "net_mas > 1").problems[0].rendered.contains("net_mass"));
    }

    #[test]
    fn a_document_is_held_against_a_pack_and_refusals_say_what_would_do() {
        let registry = Registry::built_in();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("message.xml");
        std::fs::write(&file, "<CC315A><HEAHEA><RefNumHEA4>X</RefNumHEA4></HEAHEA></CC315A>").unwrap();
        let checked = check_document(&registry, "ens-entry-summary", &file).unwrap();
        assert!(
            checked.document == "CC315A" && checked.rules >= 40,
            "{} {}",
            checked.document,
            checked.rules
        );
        for (pack, text, code) in [
            ("no-such-pack", "<a/>", "pack_unknown"),
            ("customs-lists", "<a/>", "pack_of_other_kind"),
            ("ens-entry-summary", "<Invoice/>", "document_of_other_kind"),
            ("ens-entry-summary", "", "file_empty"),
        ] {
            std::fs::write(&file, text).unwrap();
            let refused = check_document(&registry, pack, &file).unwrap_err();
            assert_eq!(refused.code, code);
            assert!(!refused.how_to_fix.is_empty());
        }
    }
}
