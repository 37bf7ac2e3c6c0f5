//! Rule packs: rules over documents, written in TOML.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spine::name_table::{NameNumber, NameTable};
use spine::tree::{NodeId, Tree};
use spine::{Finding, Language, LocalizedText, Pointer, Sensitivity, Severity};
use toml::Spanned;

use crate::document::{Budget, DocumentRule, compile_document_rule, compile_sharing, names_in};
use crate::explanation::Explanation;
use crate::lists::Lists;
use crate::machine::Place;
use crate::parser::parse;
use crate::reads::paths_read;
use crate::truth::Truth;

/// Steps that all rules of a file together may take on one document.
pub const STEPS_MAX: u64 = 20_000_000;

/// Findings of one check at most.
pub const FINDINGS_MAX: usize = 10_000;

/// Rules of one file at most.
const RULES_MAX: usize = 2_000;

/// Bytes of one file at most.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A rule as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleDefinition {
    /// Unique in its file.
    pub id: String,
    /// Code of the finding; several rules may have the same.
    pub code: String,
    /// Path of the nodes that the rule is asked of: `/` is the root, `/GOOITEGDS/TRACONCE2` is below it.
    pub context: String,
    /// The condition; true means that the rule is broken.
    pub when: String,
    /// Path, below the node, of the place that the finding names.
    pub at: Option<String>,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong.
    pub message: LocalizedText,
    /// What to do.
    pub how_to_fix: LocalizedText,
    /// Why customs may ask for it; if there is none, the pack's.
    pub legal_basis: Option<String>,
    /// Who may see it; if there is none, the pack's. The stricter of both holds.
    pub sensitivity: Option<Sensitivity>,
    /// Named lists without which it is not asked: what is not in an unknown list is not wrong.
    pub needs: Vec<String>,
    /// Line of the file on which it begins.
    pub line: u64,
}

/// A broken rule, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleFinding {
    /// Which rule.
    pub rule_id: String,
    /// Its code.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// The place as a path from the root, each step with its position: `/ie:CC315A[1]/GOOITEGDS[2]`.
    pub location: String,
    /// The place below the root.
    pub pointer: Pointer,
    /// What is wrong.
    pub message: LocalizedText,
    /// What to do.
    pub how_to_fix: LocalizedText,
    /// Why customs may ask for it; if there is none, the pack's.
    pub legal_basis: Option<String>,
    /// Who may see it; if there is none, the pack's. The stricter of both holds.
    pub sensitivity: Option<Sensitivity>,
    /// Which parts of the condition held, with which values from where.
    pub explanation: Explanation,
}

/// The rules of one file, compiled.
#[derive(Debug, Clone, Default)]
pub struct RulePack {
    roots: BTreeSet<String>,
    prefix: Option<String>,
    /// What must hold at the root for the rules to be asked at all.
    only_where: Option<DocumentRule>,
    definitions: Vec<RuleDefinition>,
    compiled: Vec<Asked>,
    /// Names of elements that the rules ask for.
    names: NameTable,
    /// Ways from the root to the nodes that rules are asked of, each once.
    contexts: Vec<Vec<NameNumber>>,
    not_asked: Vec<RuleDefinition>,
    missing: BTreeSet<String>,
}

/// A rule that is asked.
#[derive(Debug, Clone)]
struct Asked {
    rule: DocumentRule,
    /// Which of the contexts.
    context: usize,
    /// Names without which it is not broken anywhere.
    needs: Vec<NameNumber>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    document: RawDocument,
    #[serde(default)]
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDocument {
    roots: BTreeSet<String>,
    prefix: Option<String>,
    #[serde(rename = "where")]
    only_where: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    code: String,
    context: String,
    when: Spanned<String>,
    at: Option<String>,
    severity: Severity,
    message: LocalizedText,
    how_to_fix: LocalizedText,
    legal_basis: Option<String>,
    sensitivity: Option<Sensitivity>,
    #[serde(default)]
    needs: Vec<String>,
}

impl RulePack {
    /// Reads one file. What cannot be used is left out and told in a finding with file, line and remedy.
    #[must_use]
    pub fn from_toml(file_name: &str, text: &str, lists: &Lists) -> (Self, Vec<Finding>) {
        let mut pack = Self::default();
        let raw = match read(file_name, text) {
            Ok(raw) => raw,
            Err(finding) => return (pack, vec![*finding]),
        };
        pack.roots = raw.document.roots;
        pack.prefix = raw.document.prefix;
        let mut findings = Vec::new();
        if let Some(only_where) = raw.document.only_where {
            let rule = match parse(only_where.get_ref()) {
                Ok(expression) => compile_document_rule(&expression, lists),
                Err(error) => Err(vec![error]),
            };
            match rule {
                Ok(rule) => pack.only_where = Some(rule),
                // Rules that are asked of more than their author meant are worse than none.
                Err(errors) => {
                    let line = line_at(text, only_where.span().start);
                    findings.extend(errors.iter().map(|error| {
                        Finding::error("rule_refused")
                            .at(Pointer(format!("{file_name}:{line}/document")))
                            .found(only_where.get_ref())
                            .expected("a condition as docs/rules.md describes it")
                            .fix(format!("Correct it: {}", error.render(only_where.get_ref())))
                    }));
                    return (pack, findings);
                }
            }
        }
        if pack.roots.is_empty() {
            findings.push(
                Finding::error("rule_file_without_roots")
                    .at(Pointer(format!(
                        "{file_name}:{}/document",
                        line_at(text, text.find("roots").unwrap_or(0))
                    )))
                    .expected("roots with the name of at least one document element")
                    .fix("Name the documents that the rules look at, such as roots = [\"CC315A\"]."),
            );
        }
        for raw in raw.rule {
            let line = line_at(text, raw.id.span().start);
            let when_line = line_at(text, raw.when.span().start);
            let id = raw.id.get_ref().clone();
            match pack.compile(raw, line, when_line, lists) {
                Ok((definition, rule)) => pack.keep(definition, rule, lists),
                Err(problems) => findings.extend(problems.into_iter().map(|(line, problem)| {
                    Finding::error("rule_refused")
                        .at(Pointer(format!("{file_name}:{line}/{id}")))
                        .found(&id)
                        .expected("a rule as docs/rules.md describes it")
                        .fix(format!("Correct it: {problem}"))
                })),
            }
        }
        (pack, findings)
    }

    /// Keeps a rule among those that are asked, or, where a list that it needs is not there, among the others.
    fn keep(&mut self, definition: RuleDefinition, rule: DocumentRule, lists: &Lists) {
        let missing: Vec<&String> =
            definition.needs.iter().filter(|list| !lists.0.contains_key(*list)).collect();
        if missing.is_empty() {
            let context = self.context(&definition.context);
            let needs = rule.needs();
            self.definitions.push(definition);
            self.compiled.push(Asked { rule, context, needs });
        } else {
            self.missing.extend(missing.into_iter().cloned());
            self.not_asked.push(definition);
        }
    }

    /// The number of a way from the root, known from now on.
    fn context(&mut self, path: &str) -> usize {
        let steps = path.split('/').filter(|step| !step.is_empty());
        let context: Vec<NameNumber> = steps.filter_map(|step| self.names.number(step)).collect();
        self.contexts.iter().position(|known| *known == context).unwrap_or_else(|| {
            self.contexts.push(context);
            self.contexts.len().saturating_sub(1)
        })
    }

    /// The rule compiled, or all that is wrong with it, each with its line.
    fn compile(
        &mut self,
        raw: RawRule,
        line: u64,
        when_line: u64,
        lists: &Lists,
    ) -> Result<(RuleDefinition, DocumentRule), Vec<(u64, String)>> {
        let mut problems: Vec<(u64, String)> =
            self.problems(&raw).into_iter().map(|problem| (line, problem)).collect();
        let source = raw.when.get_ref();
        let in_when = |rendered: String| (when_line, format!("in `when`, {rendered}"));
        let compiled = match parse(source) {
            Ok(expression) => compile_sharing(&expression, lists, &mut self.names),
            Err(error) => Err(vec![error]),
        };
        match compiled {
            Ok(rule) if problems.is_empty() => Ok((
                RuleDefinition {
                    id: raw.id.into_inner(),
                    code: raw.code,
                    context: raw.context,
                    when: raw.when.into_inner(),
                    at: raw.at,
                    severity: raw.severity,
                    message: raw.message,
                    how_to_fix: raw.how_to_fix,
                    legal_basis: raw.legal_basis,
                    sensitivity: raw.sensitivity,
                    needs: raw.needs,
                    line,
                },
                rule,
            )),
            Ok(_) => Err(problems),
            Err(errors) => {
                problems.extend(errors.iter().map(|error| in_when(error.render(source))));
                Err(problems)
            }
        }
    }

    fn problems(&self, raw: &RawRule) -> Vec<String> {
        let mut problems = Vec::new();
        let id = raw.id.get_ref();
        let well_formed = (1..=64).contains(&id.len())
            && id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !well_formed {
            problems.push("its id must be at most 64 small letters, digits and underscores".to_owned());
        }
        if self.definitions.iter().chain(&self.not_asked).any(|own| own.id == *id) {
            problems.push(format!("a rule {id} is there already; ids are unique"));
        }
        if self.definitions.len().saturating_add(self.not_asked.len()) >= RULES_MAX {
            problems.push(format!("a file has at most {RULES_MAX} rules; begin another"));
        }
        if raw.code.trim().is_empty() {
            problems.push("code is empty".to_owned());
        }
        let context_well_formed = raw.context == "/"
            || raw.context.strip_prefix('/').is_some_and(|path| path.split('/').all(is_step));
        if !context_well_formed {
            problems
                .push("context must be / or a path of element names such as /GOOITEGDS/TRACONCE2".to_owned());
        }
        if raw.at.as_ref().is_some_and(|at| !at.split('/').all(is_step)) {
            problems
                .push("at must be a path of element names below the context, such as PosCodCE123".to_owned());
        }
        if raw.severity == Severity::Information {
            problems.push("severity must be error or warning".to_owned());
        }
        for (name, text) in [("message", &raw.message), ("how_to_fix", &raw.how_to_fix)] {
            for language in [Language::En, Language::Zh] {
                if text.0.get(&language).is_none_or(|text| text.trim().is_empty()) {
                    problems.push(format!("{name} needs a text in {}", language.own_name()));
                }
            }
        }
        problems
    }

    /// The rules that were understood and are asked, in the file's order.
    #[must_use]
    pub fn definitions(&self) -> &[RuleDefinition] {
        &self.definitions
    }

    /// The rules that were understood and are not asked, because a list that they need is not there, or what they read.
    #[must_use]
    pub fn not_asked(&self) -> &[RuleDefinition] {
        &self.not_asked
    }

    /// Lists that rules need and that are not there.
    #[must_use]
    pub fn missing_lists(&self) -> &BTreeSet<String> {
        &self.missing
    }

    /// The same rules for documents of which only part is there: those that read something that cannot be there are
    /// not asked. `there` is asked with paths below the root, as `GoodsShipment/Consignee/ID`; `lists` are those that
    /// the file was read with.
    #[must_use]
    pub fn asked_where(&self, lists: &Lists, there: &dyn Fn(&str) -> bool) -> Self {
        let mut part = self.clone();
        (part.definitions, part.compiled) = (Vec::new(), Vec::new());
        for (definition, rule) in self.definitions.iter().zip(&self.compiled) {
            if paths_read(definition, lists).iter().all(|path| there(path)) {
                part.definitions.push(definition.clone());
                part.compiled.push(rule.clone());
            } else {
                part.not_asked.push(definition.clone());
            }
        }
        part
    }

    /// Do these rules look at documents like this one?
    #[must_use]
    pub fn applies_to(&self, tree: &Tree) -> bool {
        let root = tree.root();
        let known = tree.node(root).is_some_and(|node| self.roots.contains(node.name));
        known
            && self
                .only_where
                .as_ref()
                .is_none_or(|rule| rule.evaluate(tree, root, &mut Budget::of_steps(STEPS_MAX)) == Truth::True)
    }

    /// All rules that the document breaks, in document order, and at one place in the file's order. Nothing if the
    /// rules look at other documents.
    #[must_use]
    pub fn check(&self, tree: &Tree) -> Vec<RuleFinding> {
        self.check_within(tree, STEPS_MAX)
    }

    /// The same with another bound for the steps of all rules together. A document that needs more gets a finding
    /// that says so.
    #[must_use]
    pub fn check_within(&self, tree: &Tree, steps_max: u64) -> Vec<RuleFinding> {
        if !self.applies_to(tree) {
            return Vec::new();
        }
        let names = names_in(tree, &self.names);
        let (mut broken, limit) = self.broken(tree, &names, steps_max);
        broken.sort_unstable();
        let mut budget = Budget::of_steps(steps_max);
        let mut findings: Vec<RuleFinding> = broken
            .into_iter()
            .filter_map(|(node, rule)| {
                let (definition, asked) = (self.definitions.get(rule)?, self.compiled.get(rule)?);
                let place = Place::Node { tree, node, names: &names };
                Some(self.finding(tree, node, definition, asked.rule.explain_at(place, &mut budget)))
            })
            .collect();
        if let Some((rule, limit)) = limit
            && let Some(definition) = self.definitions.get(rule)
        {
            findings.push(self.limit_finding(tree, definition, limit));
        }
        findings
    }

    /// Places and rules broken there, and what stopped the check, if something did.
    fn broken(
        &self,
        tree: &Tree,
        names: &[Option<NameNumber>],
        steps_max: u64,
    ) -> (Vec<Broken>, Option<(usize, Limit)>) {
        let mut contexts: Vec<Option<Vec<NodeId>>> = vec![None; self.contexts.len()];
        let mut broken = Vec::new();
        let mut budget = Budget::of_steps(steps_max);
        let there = |name: &NameNumber| names.get(name.position()).copied().flatten().is_some();
        for (at, asked) in self.compiled.iter().enumerate() {
            if !asked.needs.iter().all(there) {
                continue;
            }
            let Some(context) = contexts.get_mut(asked.context) else { continue };
            let nodes = context.get_or_insert_with(|| {
                let path = self.contexts.get(asked.context).map_or(&[][..], Vec::as_slice);
                nodes_at(tree, path, names)
            });
            for node in nodes.iter() {
                let place = Place::Node { tree, node: *node, names };
                let truth = asked.rule.evaluate_at(place, &mut budget);
                if budget.is_exhausted() {
                    return (broken, Some((at, Limit::Steps(steps_max))));
                }
                if truth == Truth::True {
                    if broken.len() >= FINDINGS_MAX {
                        return (broken, Some((at, Limit::Findings)));
                    }
                    broken.push((*node, at));
                }
            }
        }
        (broken, None)
    }

    fn finding(
        &self,
        tree: &Tree,
        node: NodeId,
        rule: &RuleDefinition,
        explanation: Explanation,
    ) -> RuleFinding {
        let pointer = place(tree, node, rule.at.as_deref());
        RuleFinding {
            rule_id: rule.id.clone(),
            code: rule.code.clone(),
            severity: rule.severity,
            location: self.location(tree, &pointer),
            pointer,
            message: rule.message.clone(),
            how_to_fix: rule.how_to_fix.clone(),
            legal_basis: rule.legal_basis.clone(),
            sensitivity: rule.sensitivity,
            explanation,
        }
    }

    fn limit_finding(&self, tree: &Tree, rule: &RuleDefinition, limit: Limit) -> RuleFinding {
        let (code, message) = match limit {
            Limit::Steps(steps) => (
                "rule_budget_exceeded",
                LocalizedText::en_zh(
                    &format!(
                        "The document was not checked to the end: rule {} and those behind it need more than {steps} steps.",
                        rule.id
                    ),
                    &format!("单证未检查完毕：规则 {} 及其后的规则所需步骤超过 {steps} 步。", rule.id),
                ),
            ),
            Limit::Findings => (
                "rule_findings_exceeded",
                LocalizedText::en_zh(
                    &format!(
                        "The document breaks rules in more than {FINDINGS_MAX} places; the others are not shown."
                    ),
                    &format!("单证违反规则之处超过 {FINDINGS_MAX} 处，其余不再列出。"),
                ),
            ),
        };
        let pointer = Pointer::root();
        RuleFinding {
            rule_id: rule.id.clone(),
            code: code.to_owned(),
            severity: Severity::Error,
            location: self.location(tree, &pointer),
            pointer,
            message,
            how_to_fix: LocalizedText::en_zh(
                "Mend the places that are shown, or split the document into smaller ones, and check again.",
                "请先更正已列出之处，或将单证拆分后重新检查。",
            ),
            legal_basis: None,
            sensitivity: None,
            explanation: Explanation::default(),
        }
    }

    fn location(&self, tree: &Tree, pointer: &Pointer) -> String {
        let root = tree.node(tree.root()).map_or("", |root| root.name);
        let prefix = self.prefix.as_ref().map(|prefix| format!("{prefix}:")).unwrap_or_default();
        let below = if pointer.0.is_empty() { String::new() } else { format!("/{}", pointer.0) };
        format!("/{prefix}{root}[1]{below}")
    }
}

/// The nodes that a way from the root leads to, in document order.
fn nodes_at(tree: &Tree, path: &[NameNumber], names: &[Option<NameNumber>]) -> Vec<NodeId> {
    let mut reached = vec![tree.root()];
    for step in path {
        let Some(name) = names.get(step.position()).copied().flatten() else { return Vec::new() };
        let mut next = Vec::new();
        for node in reached {
            next.extend(tree.children_numbered(node, name));
        }
        reached = next;
    }
    reached
}

/// A node and the position of the rule that is broken there.
type Broken = (NodeId, usize);

/// What ended a check before its time.
#[derive(Debug, Clone, Copy)]
enum Limit {
    Steps(u64),
    Findings,
}

fn read(file_name: &str, text: &str) -> Result<RawFile, Box<Finding>> {
    if text.len() > FILE_BYTES_MAX {
        let finding = Finding::error("rule_file_too_large")
            .at(Pointer(format!("{file_name}:1")))
            .found(&format!("{} bytes", text.len()))
            .expected(format!("at most {FILE_BYTES_MAX} bytes"))
            .fix("Split the rules over several files.");
        return Err(Box::new(finding));
    }
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let line = line_at(text, span.start);
        let finding = Finding::error("rule_file_unreadable")
            .at(Pointer(format!("{file_name}:{line}")))
            .found(text.get(span).unwrap_or_default())
            .expected("TOML as docs/rules.md describes it")
            .fix(format!("Correct line {line}: {}", error.message()));
        Box::new(finding)
    })
}

fn line_at(text: &str, byte: usize) -> u64 {
    let lines = text.get(..byte).unwrap_or(text).matches('\n').count();
    u64::try_from(lines).unwrap_or(u64::MAX).saturating_add(1)
}

fn is_step(step: &str) -> bool {
    !step.is_empty() && step.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// The place of a finding: the first node at the path, or, from the first step that is missing, where it should be.
fn place(tree: &Tree, node: NodeId, at: Option<&str>) -> Pointer {
    let (mut current, mut pointer) = (Some(node), tree.pointer(node));
    for step in at.into_iter().flat_map(|at| at.split('/')) {
        current = current.and_then(|node| tree.children_named(node, step).next());
        pointer = match current {
            Some(node) => tree.pointer(node),
            None => pointer.item(step, 1),
        };
    }
    pointer
}
