//! The visitor that fills a declaration from either form. What it cannot use it leaves absent and says why.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;
use spine::declaration::Declaration;
use spine::identifier::CountryCode;
use spine::quantity::{CurrencyCode, Money};
use spine::tree::{NodeId, Tree};
use spine::{Finding, Pointer};

use super::findings::Findings;
use super::json::Json;
use super::shape::names::{AMOUNT, CURRENCY};
use super::shape::{Class, Measure, Name, Rule, Visit};
use super::{Form, value};
use crate::mapping::did_you_mean;

/// Element names that were not read and are told; more are counted as one.
const UNREAD_MAX: usize = 40;
/// Longer names of members are not compared with known ones.
const NAME_CHARACTERS_MAX: usize = 64;

/// A place in a document of either form.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node<'a> {
    Json(&'a Json<'a>),
    Xml(&'a Tree, NodeId),
}

/// A class that is being read.
struct Frame<'a> {
    node: Node<'a>,
    name: &'static str,
    /// Position in its list, from 1; 0 outside lists.
    position: usize,
    known: Vec<Name>,
}

/// Reads a declaration; collects findings.
pub(super) struct Reader<'a> {
    form: Form,
    frames: Vec<Frame<'a>>,
    findings: Findings,
    unread: BTreeSet<String>,
    /// Function of the message, where it is not an original declaration.
    function: Option<&'static str>,
    /// Elements that somebody else reads.
    beside: &'static [&'static str],
}

/// A scalar as it stands: text and whether it was a JSON number.
struct Written<'a> {
    text: Cow<'a, str>,
    number: bool,
}

impl<'a> Reader<'a> {
    /// Reads the declaration that `root` is.
    pub(super) fn read(form: Form, root: Node<'a>, findings: Findings) -> (Declaration, Findings) {
        Self::new(form, findings).declaration(root)
    }

    /// Reads what a request of this function says of a declaration; `beside` are elements that the request reads.
    pub(super) fn read_request(
        function: &'static str,
        beside: &'static [&'static str],
        root: Node<'a>,
        findings: Findings,
    ) -> (Declaration, Findings) {
        let reader = Self::new(Form::DmsXml, findings);
        Self { function: Some(function), beside, ..reader }.declaration(root)
    }

    fn new(form: Form, findings: Findings) -> Self {
        Self { form, frames: Vec::new(), findings, unread: BTreeSet::new(), function: None, beside: &[] }
    }

    fn declaration(mut self, root: Node<'a>) -> (Declaration, Findings) {
        let mut declaration = Declaration::default();
        self.enter(root, "", 0, &mut declaration);
        self.tell_unread();
        (declaration, self.findings)
    }

    fn enter<T: Class>(&mut self, node: Node<'a>, name: &'static str, position: usize, slot: &mut T) {
        if let Node::Json(value) = node
            && !matches!(value, Json::Object(_))
        {
            let at = self.pointer_to(name, position);
            self.findings.push(value::wrong_kind(value.kind(), "an object").at(at));
            return;
        }
        self.frames.push(Frame { node, name, position, known: Vec::with_capacity(20) });
        slot.visit(self);
        self.leave();
    }

    /// Says what stood there and was not asked for.
    fn leave(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        match frame.node {
            Node::Json(Json::Object(members)) => {
                let first_of =
                    |name: &str| members.iter().position(|(member, _)| member == name).unwrap_or_default();
                let mut odd = Vec::new();
                for (at, (member, _)) in members.iter().enumerate() {
                    if first_of(member) != at {
                        odd.push(value::repeated_member().found(member));
                    } else if !frame.known.iter().any(|known| known.json == *member) {
                        let known = frame.known.iter().map(|known| known.json);
                        odd.push(unknown_member(member, known));
                    }
                }
                let at = self.place();
                odd.into_iter().for_each(|finding| self.findings.push(finding.at(at.clone())));
            }
            Node::Xml(tree, id) => {
                for child in tree.children(id).filter_map(|child| tree.node(child)) {
                    let known = frame.known.iter().any(|known| first_step(known.dms) == child.name)
                        || self.beside.contains(&child.name);
                    if !known && !child.name.starts_with('@') && self.unread.len() < UNREAD_MAX {
                        let classes = self.frames.iter().map(|frame| frame.name);
                        let path: Vec<&str> =
                            classes.chain([child.name]).filter(|name| !name.is_empty()).collect();
                        self.unread.insert(path.join("/"));
                    }
                }
            }
            Node::Json(_) => {}
        }
        self.frames.pop();
    }

    fn tell_unread(&mut self) {
        if self.unread.is_empty() {
            return;
        }
        let unread: Vec<&str> = self.unread.iter().map(String::as_str).collect();
        self.findings.push(
            value::information("elements_not_read")
                .found(&unread.join(", "))
                .expected("elements that the platform uses")
                .fix("Nothing to do: they are kept with the message as it was sent."),
        );
    }

    /// Pointer of the class being read.
    fn place(&self) -> Pointer {
        self.frames.iter().filter(|frame| !frame.name.is_empty()).fold(Pointer::root(), |at, frame| {
            if frame.position == 0 { at.child(frame.name) } else { at.item(frame.name, frame.position) }
        })
    }

    fn pointer_to(&self, name: &str, position: usize) -> Pointer {
        match (name, position) {
            ("", _) => self.place(),
            (_, 0) => self.place().child(name),
            _ => self.place().item(name, position),
        }
    }

    fn spelled(&self, name: Name) -> &'static str {
        self.form.spelled(name)
    }

    /// Adds a finding on an attribute of the class being read.
    fn tell(&mut self, name: Name, finding: Finding) {
        let at = self.pointer_to(self.spelled(name), 0);
        self.findings.push(finding.at(at));
    }

    /// The only node of a name below the class being read. Nothing for `null`.
    fn child(&mut self, name: Name) -> Option<Node<'a>> {
        let frame = self.frames.last_mut()?;
        frame.known.push(name);
        match frame.node {
            Node::Json(Json::Object(members)) => members
                .iter()
                .find(|(member, value)| member == name.json && *value != Json::Null)
                .map(|(_, value)| Node::Json(value)),
            Node::Json(_) => None,
            Node::Xml(tree, mut id) => {
                let mut repeated = false;
                for step in name.dms.split('/') {
                    let mut children = tree.children_named(id, step);
                    repeated |= children.len() > 1;
                    id = children.next()?;
                }
                if repeated {
                    self.tell(name, value::repeated_element());
                }
                Some(Node::Xml(tree, id))
            }
        }
    }

    /// All nodes of a name below the class being read.
    fn children(&mut self, name: Name) -> Vec<Node<'a>> {
        let Some(frame) = self.frames.last_mut() else { return Vec::new() };
        match frame.node {
            Node::Xml(tree, id) => {
                frame.known.push(name);
                tree.children_named(id, name.dms).map(|child| Node::Xml(tree, child)).collect()
            }
            Node::Json(_) => match self.child(name) {
                Some(Node::Json(Json::List(values))) => values.iter().map(Node::Json).collect(),
                Some(single @ Node::Json(value)) => {
                    self.tell(name, value::wrong_kind(value.kind(), "a list of objects"));
                    // What stands alone where a list is wanted is understood as a list of one.
                    if matches!(value, Json::Object(_)) { vec![single] } else { Vec::new() }
                }
                _ => Vec::new(),
            },
        }
    }

    /// A text or number, trimmed; nothing where it is absent or empty.
    fn written(&mut self, name: Name, wanted: &str) -> Option<Written<'a>> {
        let written = match self.child(name)? {
            Node::Xml(tree, id) => Written { text: Cow::Borrowed(tree.text(id)), number: false },
            Node::Json(Json::Text(text)) => Written { text: text.clone(), number: false },
            Node::Json(Json::Number(digits)) => Written { text: Cow::Borrowed(digits), number: true },
            Node::Json(value) => {
                self.tell(name, value::wrong_kind(value.kind(), wanted));
                return None;
            }
        };
        let text = match written.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        (!text.is_empty()).then_some(Written { text, number: written.number })
    }

    fn parsed<T>(
        &mut self,
        name: Name,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<T, Finding>,
    ) -> Option<T> {
        let written = self.written(name, wanted)?;
        parse(&written.text).map_err(|finding| self.tell(name, finding)).ok()
    }

    /// The unit that a mass states in the DMS form; kilograms where it states none.
    fn check_unit(&mut self, name: Name) {
        let Some(Node::Xml(tree, id)) = self.frames.last().map(|frame| frame.node) else { return };
        let measure = tree.children_named(id, name.dms).next();
        let unit = measure.and_then(|measure| tree.children_named(measure, "@unitCode").next());
        if let Some(unit) = unit.map(|unit| tree.text(unit))
            && unit != "KGM"
        {
            self.tell(name, value::wrong_unit(unit));
        }
    }

    fn currency(&mut self, money: Name) -> Option<CurrencyCode> {
        let missing = !self.has(CURRENCY);
        let currency = self.parsed(CURRENCY, "a text", value::currency);
        if missing {
            let at = self.place().child(self.spelled(CURRENCY));
            self.findings.push(value::missing_currency(self.spelled(money)).at(at));
        }
        currency
    }

    fn has(&mut self, name: Name) -> bool {
        self.written(name, "a text").is_some()
    }
}

fn first_step(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn unknown_member<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Finding {
    let otherwise = "Remove it, or see the documentation of the JSON form.";
    let fix = if name.chars().count() > NAME_CHARACTERS_MAX {
        otherwise.to_owned()
    } else {
        did_you_mean(name, known, otherwise)
    };
    Finding::warning("member_unknown").found(name).expected("a member that this class has").fix(fix)
}

impl Visit for Reader<'_> {
    fn constant(&mut self, name: Name, constant: &'static str) {
        if self.form == Form::DmsXml {
            let written = self.written(name, "a text").map(|written| written.text.into_owned());
            if written.as_deref() != Some(self.function.unwrap_or(constant)) {
                self.tell(name, value::not_original(written.as_deref().unwrap_or_default()));
            }
        }
    }

    fn sequence(&mut self, name: Name) {
        if let Some(frame) = self.frames.last_mut() {
            frame.known.push(name);
        }
    }

    fn text(&mut self, name: Name, rule: Rule, slot: &mut Option<String>) {
        let Some(written) = self.written(name, "a text") else { return };
        if written.number {
            self.tell(name, value::number_for_text(&written.text));
        }
        match value::text(written.text, rule) {
            Ok(text) => {
                if rule == Rule::Country && CountryCode::new(&text).is_err() {
                    self.tell(name, value::unknown_country(&text));
                }
                *slot = Some(text);
            }
            Err(finding) => self.tell(name, finding),
        }
    }

    fn number(&mut self, name: Name, measure: Measure, slot: &mut Option<Decimal>) {
        *slot = self.parsed(name, "a number", value::number);
        if slot.is_some() && measure == Measure::Mass {
            self.check_unit(name);
        }
    }

    fn count(&mut self, name: Name, slot: &mut Option<u32>) {
        *slot = self.parsed(name, "a whole number", value::count);
    }

    fn day(&mut self, name: Name, slot: &mut Option<Date>) {
        *slot = match self.form {
            Form::Json => self.parsed(name, "a date", value::day),
            Form::DmsXml => {
                let Some(Node::Xml(tree, id)) = self.child(name) else { return };
                let string = tree.children_named(id, "DateTimeString").next();
                let text = string.map_or("", |string| tree.text(string));
                value::dms_day(text).map_err(|finding| self.tell(name, finding)).ok()
            }
        };
    }

    fn money(&mut self, name: Name, slot: &mut Option<Money>) {
        let Some(node) = self.child(name) else { return };
        if let Node::Json(value) = node
            && !matches!(value, Json::Object(_))
        {
            self.tell(name, value::wrong_kind(value.kind(), "an object of amount and currency"));
            return;
        }
        let spelled = self.spelled(name);
        self.frames.push(Frame { node, name: spelled, position: 0, known: Vec::new() });
        let amount = match node {
            Node::Json(_) => self.parsed(AMOUNT, "a number", value::number),
            Node::Xml(tree, id) => {
                let amount = value::number(tree.text(id));
                amount.map_err(|finding| self.findings.push(finding.at(self.place()))).ok()
            }
        };
        let currency = self.currency(name);
        self.leave();
        *slot = amount.zip(currency).map(|(amount, currency)| Money { amount, currency });
    }

    fn class<T: Class>(&mut self, name: Name, slot: &mut T) {
        if let Some(node) = self.child(name) {
            self.enter(node, self.spelled(name), 0, slot);
        }
    }

    fn classes<T: Class>(&mut self, name: Name, max: usize, slot: &mut Vec<T>) {
        let nodes = self.children(name);
        if nodes.len() > max {
            self.tell(name, value::list_too_long(nodes.len(), max));
        }
        slot.reserve_exact(nodes.len().min(max));
        for (node, position) in nodes.into_iter().take(max).zip(1..) {
            let mut class = T::default();
            self.enter(node, self.spelled(name), position, &mut class);
            slot.push(class);
        }
    }
}
