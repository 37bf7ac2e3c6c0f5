//! Evaluation of one rule at one place: a row of a table, one text of a dictionary, or a node of a document.

use std::borrow::Cow;

use spine::Column;
use spine::name_table::NameNumber;
use spine::tree::{NodeId, Tree};

use crate::builtin::{TEXT_BYTES_MAX, number_of};
use crate::function::{Quantifier, Run};
use crate::nodes::{Nodes, NodesIter};
use crate::truth::Truth;
use crate::typed::{Form, Start, Typed};
use crate::types::Type;
use crate::value::{Data, Scalar};

/// Where names get their values.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// Nowhere: constants only.
    Nowhere,
    /// A row; one column a field of the rule, absent where the table has none of that name and type.
    Row { columns: &'a [Option<&'a Column>], row: usize },
    /// The only field is a text.
    Text(Option<&'a str>),
    /// A node of a document; what the rule calls an element is, by its number, what the document calls it, if it has
    /// such elements at all.
    Node { tree: &'a Tree, node: NodeId, names: &'a [Option<NameNumber>] },
}

/// Evaluates parts of a rule. Every part and every node looked at is a step; without steps left, everything is
/// unknown and [`Machine::exhausted`] says so.
#[derive(Debug)]
pub(crate) struct Machine<'a> {
    place: Place<'a>,
    variables: Vec<Data<'a>>,
    pub(crate) steps_left: u64,
    pub(crate) exhausted: bool,
}

impl<'a> Machine<'a> {
    /// A machine whose rule is bounded by its static cost.
    pub(crate) fn new(place: Place<'a>) -> Self {
        Self::with_steps(place, u64::MAX)
    }

    pub(crate) fn with_steps(place: Place<'a>, steps_left: u64) -> Self {
        Self { place, variables: Vec::new(), steps_left, exhausted: false }
    }

    /// The document, if there is one.
    pub(crate) fn tree(&self) -> Option<&'a Tree> {
        if let Place::Node { tree, .. } = self.place { Some(tree) } else { None }
    }

    fn spend(&mut self, steps: usize) -> bool {
        let left = u64::try_from(steps).ok().and_then(|steps| self.steps_left.checked_sub(steps));
        match left {
            Some(left) => self.steps_left = left,
            None => {
                self.steps_left = 0;
                self.exhausted = true;
            }
        }
        !self.exhausted
    }

    /// The truth of a condition.
    #[inline]
    pub(crate) fn truth(&mut self, part: &'a Typed) -> Truth {
        Truth::of(self.condition(part))
    }

    /// Whether a condition holds, if that is known.
    fn condition(&mut self, part: &'a Typed) -> Option<bool> {
        if !self.spend(1) {
            return None;
        }
        match &part.form {
            Form::Not(inner) => Some(!self.condition(inner)?),
            Form::All(parts) => self.joined(parts, false),
            Form::Any(parts) => self.joined(parts, true),
            Form::Compare(comparison, left, right) => {
                let order = self.one(left)?.order(&self.one(right)?)?;
                Some(comparison.holds(order))
            }
            Form::In(left, right) => self.is_in(left, right),
            Form::Matches(inner, pattern) => Some(pattern.is_match(self.one(inner)?.text()?)),
            Form::Has(inner) => Some(self.is_there(inner)),
            _ => self.spent(part).one()?.boolean(),
        }
    }

    /// The value of a part that is one value.
    pub(crate) fn one(&mut self, part: &'a Typed) -> Option<Scalar<'a>> {
        if !self.spend(1) {
            return None;
        }
        match &part.form {
            Form::Single(nodes) => self.only_node(nodes).and_then(|node| self.text_of(node)),
            Form::Constant(value) => Some(Scalar::of(value)),
            _ => self.spent(part).one(),
        }
    }

    /// The nodes of a part that is nodes.
    fn nodes(&mut self, part: &'a Typed) -> Option<Nodes<'a>> {
        if !self.spend(1) {
            return None;
        }
        match &part.form {
            Form::Start(start) => Some(self.start(*start).map_or_else(Nodes::none, Nodes::One)),
            Form::Step(base, name) => self.step(base, *name),
            _ => self.spent(part).nodes(),
        }
    }

    /// What a part comes to.
    pub(crate) fn data(&mut self, part: &'a Typed) -> Data<'a> {
        if self.spend(1) { self.spent(part) } else { Data::unknown(part.of) }
    }

    /// What a part comes to whose own step is spent.
    fn spent(&mut self, part: &'a Typed) -> Data<'a> {
        match &part.form {
            Form::List(parts) => Data::List(Some(parts.iter().map(|part| self.one(part)).collect())),
            Form::Variable(at) => self.variables.get(*at).cloned().unwrap_or(Data::One(None)),
            Form::Start(start) => Data::Nodes(Some(self.start(*start).map_or_else(Nodes::none, Nodes::One))),
            Form::Step(base, name) => Data::Nodes(self.step(base, *name)),
            Form::TextsOf(nodes) => Data::List(self.texts(nodes)),
            Form::NumbersOf(nodes) => {
                let number = |text: Option<Scalar<'a>>| text?.text().and_then(number_of).map(Scalar::Decimal);
                Data::List(self.texts(nodes).map(|texts| texts.into_iter().map(number).collect()))
            }
            Form::Conditional(three) => {
                let [condition, yes, no] = three.as_ref();
                match self.truth(condition) {
                    Truth::True => self.data(yes),
                    Truth::False => self.data(no),
                    Truth::Unknown => Data::unknown(part.of),
                }
            }
            Form::Call(run, _, parts) => self.call(*run, part.of, parts),
            Form::Quantify(quantifier, list, body) => self.quantify(*quantifier, list, body),
            _ => Data::One(self.scalar(part)),
        }
    }

    /// Forms that always come to one value.
    fn scalar(&mut self, part: &'a Typed) -> Option<Scalar<'a>> {
        match &part.form {
            Form::Constant(value) => Some(Scalar::of(value)),
            Form::Field(at) => self.field(*at),
            Form::Single(nodes) => self.only_node(nodes).and_then(|node| self.text_of(node)),
            Form::Not(inner) => Some(Scalar::Boolean(!self.condition(inner)?)),
            Form::Negate(inner) => Some(Scalar::Decimal(-self.one(inner)?.number()?)),
            Form::All(parts) => self.joined(parts, false).map(Scalar::Boolean),
            Form::Any(parts) => self.joined(parts, true).map(Scalar::Boolean),
            Form::Compare(comparison, left, right) => {
                let order = self.one(left)?.order(&self.one(right)?)?;
                Some(Scalar::Boolean(comparison.holds(order)))
            }
            Form::Arithmetic(arithmetic, left, right) => {
                let left = self.one(left)?.number()?;
                arithmetic.of(left, self.one(right)?.number()?).map(Scalar::Decimal)
            }
            Form::Join(left, right) => {
                let (left, right) = (self.one(left)?, self.one(right)?);
                let (left, right) = (left.text()?, right.text()?);
                let fits = left.len().saturating_add(right.len()) <= TEXT_BYTES_MAX;
                fits.then(|| Scalar::Text(Cow::Owned(format!("{left}{right}"))))
            }
            Form::In(left, right) => self.is_in(left, right).map(Scalar::Boolean),
            Form::Matches(inner, pattern) => {
                Some(Scalar::Boolean(pattern.is_match(self.one(inner)?.text()?)))
            }
            Form::Has(inner) => Some(Scalar::Boolean(self.is_there(inner))),
            Form::Count(nodes) => Some(Scalar::Decimal(self.nodes(nodes)?.len().into())),
            Form::Coalesce(parts) => parts.iter().find_map(|part| self.one(part)),
            _ => None,
        }
    }

    fn is_there(&mut self, part: &'a Typed) -> bool {
        match part.of {
            Type::Nodes => self.nodes(part).is_some_and(|nodes| !nodes.is_empty()),
            Type::One(_) => self.one(part).is_some(),
            Type::List(_) => self.data(part).list().is_some(),
        }
    }

    fn field(&self, at: usize) -> Option<Scalar<'a>> {
        match self.place {
            Place::Row { columns, row } => Scalar::at(columns.get(at).copied().flatten()?, row),
            Place::Text(text) => text.map(|text| Scalar::Text(Cow::Borrowed(text))),
            Place::Nowhere | Place::Node { .. } => None,
        }
    }

    /// `&&` and `||` with three values: `deciding` is the truth that decides whatever the others are.
    fn joined(&mut self, parts: &'a [Typed], deciding: bool) -> Option<bool> {
        let mut unknown = false;
        for part in parts {
            match self.condition(part) {
                Some(answer) if answer == deciding => return Some(deciding),
                Some(_) => {}
                None => unknown = true,
            }
        }
        if unknown { None } else { Some(!deciding) }
    }

    fn is_in(&mut self, left: &'a Typed, right: &'a Typed) -> Option<bool> {
        let wanted = self.one(left)?;
        if let Form::Texts(texts) = &right.form {
            return Some(texts.contains(wanted.text()?));
        }
        let same = |element: &Scalar<'a>| element.order(&wanted).is_some_and(std::cmp::Ordering::is_eq);
        let mut unknown = false;
        // A list that is written out is compared as it is read; no list is made of it.
        if let Form::List(parts) = &right.form {
            if !self.spend(1) {
                return None;
            }
            for part in parts {
                match self.one(part) {
                    Some(element) if same(&element) => return Some(true),
                    Some(_) => {}
                    None => unknown = true,
                }
            }
            return if unknown { None } else { Some(false) };
        }
        for element in self.data(right).list()? {
            match element {
                Some(element) if same(&element) => return Some(true),
                Some(_) => {}
                None => unknown = true,
            }
        }
        if unknown { None } else { Some(false) }
    }

    fn call(&mut self, run: Run, of: Type, parts: &'a [Typed]) -> Data<'a> {
        match run {
            Run::Values(function) => Data::One(self.values(function, parts)),
            Run::StartsWith => Data::One(self.values(crate::builtin::starts_with, parts)),
            Run::List(function) => {
                let list = parts.first().and_then(|part| self.data(part).list());
                match list {
                    Some(elements) if self.spend(elements.len()) => function(elements),
                    _ => Data::unknown(of),
                }
            }
            Run::Node(function) => {
                let node = parts.first().and_then(|part| self.only_node(part));
                Data::One(node.zip(self.tree()).and_then(|(node, tree)| function(tree, node)))
            }
            // The other ways to run have forms of their own.
            Run::Matches | Run::Has | Run::Count | Run::Coalesce | Run::Quantify(_) => Data::unknown(of),
        }
    }

    /// A function of known values; few take more than two.
    fn values(
        &mut self,
        function: impl Fn(&[Scalar<'a>]) -> Option<Scalar<'static>>,
        parts: &'a [Typed],
    ) -> Option<Scalar<'a>> {
        match parts {
            [only] => function(&[self.one(only)?]),
            [first, second] => {
                let first = self.one(first)?;
                function(&[first, self.one(second)?])
            }
            _ => {
                let known: Option<Vec<Scalar<'a>>> = parts.iter().map(|part| self.one(part)).collect();
                function(&known?)
            }
        }
    }

    // ---- documents ----

    fn start(&self, start: Start) -> Option<NodeId> {
        let Place::Node { tree, node, .. } = self.place else { return None };
        match start {
            Start::This => Some(node),
            Start::Parent => tree.parent(node),
            Start::Root => Some(tree.root()),
        }
    }

    fn step(&mut self, base: &'a Typed, name: NameNumber) -> Option<Nodes<'a>> {
        let Place::Node { tree, names, .. } = self.place else { return None };
        let name = names.get(name.position()).copied().flatten();
        let children = |node: NodeId| match name {
            Some(name) => tree.children_numbered(node, name),
            None => tree.no_children(),
        };
        let base = self.nodes(base)?;
        if let Some(node) = base.only() {
            let children = children(node);
            return self.spend(children.len().saturating_add(1)).then_some(Nodes::Children(children));
        }
        let mut found = Vec::new();
        for node in base {
            let children = children(node);
            if !self.spend(children.len().saturating_add(1)) {
                return None;
            }
            found.extend(children);
        }
        Some(Nodes::Many(found))
    }

    /// The node of a part that is exactly one.
    fn only_node(&mut self, part: &'a Typed) -> Option<NodeId> {
        self.nodes(part)?.only()
    }

    fn text_of(&self, node: NodeId) -> Option<Scalar<'a>> {
        Some(Scalar::Text(Cow::Borrowed(self.tree()?.text(node))))
    }

    fn texts(&mut self, nodes: &'a Typed) -> Option<Vec<Option<Scalar<'a>>>> {
        let nodes = self.nodes(nodes)?;
        if self.spend(nodes.len()) {
            Some(nodes.into_iter().map(|node| self.text_of(node)).collect())
        } else {
            None
        }
    }

    // ---- each element of a list ----

    /// The elements of a list or of nodes; unknown if the list is.
    pub(crate) fn elements(&mut self, list: &'a Typed) -> Option<Elements<'a>> {
        match self.data(list) {
            Data::Nodes(nodes) => Some(Elements::Nodes(nodes?.into_iter())),
            other => Some(Elements::List(other.list()?.into_iter())),
        }
    }

    /// Runs `inner` with a variable bound to an element.
    pub(crate) fn with_variable<T>(&mut self, element: Data<'a>, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.bind(element);
        let answer = inner(self);
        self.unbind();
        answer
    }

    pub(crate) fn bind(&mut self, element: Data<'a>) {
        self.variables.push(element);
    }

    pub(crate) fn unbind(&mut self) {
        self.variables.pop();
    }

    fn quantify(&mut self, quantifier: Quantifier, list: &'a Typed, body: &'a Typed) -> Data<'a> {
        let elements = self.elements(list);
        match quantifier {
            Quantifier::Exists => Data::One(elements.and_then(|elements| self.decided(elements, body, true))),
            Quantifier::All => Data::One(elements.and_then(|elements| self.decided(elements, body, false))),
            Quantifier::ExistsOne => Data::One(elements.and_then(|elements| self.exists_one(elements, body))),
            Quantifier::Filter => self.filter(elements, list.of, body),
            Quantifier::Map => Data::List(elements.map(|elements| {
                elements.map(|element| self.with_variable(element, |machine| machine.one(body))).collect()
            })),
        }
    }

    fn decided(&mut self, elements: Elements<'a>, body: &'a Typed, deciding: bool) -> Option<Scalar<'a>> {
        let mut unknown = false;
        for element in elements {
            match self.with_variable(element, |machine| machine.truth(body)) {
                Truth::Unknown => unknown = true,
                truth if (truth == Truth::True) == deciding => return Some(Scalar::Boolean(deciding)),
                _ => {}
            }
        }
        if unknown { None } else { Some(Scalar::Boolean(!deciding)) }
    }

    fn exists_one(&mut self, elements: Elements<'a>, body: &'a Typed) -> Option<Scalar<'a>> {
        let (mut holds, mut unknown) = (0_usize, false);
        for element in elements {
            match self.with_variable(element, |machine| machine.truth(body)) {
                Truth::True => holds = holds.saturating_add(1),
                Truth::False => {}
                Truth::Unknown => unknown = true,
            }
        }
        // Two that hold are too many, whatever the others are.
        if holds > 1 || !unknown { Some(Scalar::Boolean(holds == 1)) } else { None }
    }

    fn filter(&mut self, elements: Option<Elements<'a>>, of: Type, body: &'a Typed) -> Data<'a> {
        let Some(elements) = elements else { return Data::unknown(of) };
        let mut kept = Vec::new();
        let mut unknown = false;
        for element in elements {
            match self.with_variable(element.clone(), |machine| machine.truth(body)) {
                Truth::True => kept.push(element),
                Truth::False => {}
                Truth::Unknown => unknown = true,
            }
        }
        if unknown {
            return Data::unknown(of);
        }
        match of {
            Type::Nodes => {
                let kept = kept.into_iter().filter_map(Data::nodes).flatten().collect();
                Data::Nodes(Some(Nodes::Many(kept)))
            }
            _ => Data::List(Some(kept.into_iter().map(Data::one).collect())),
        }
    }
}

/// The elements of a list, one after the other.
#[derive(Debug)]
pub(crate) enum Elements<'a> {
    Nodes(NodesIter<'a>),
    List(std::vec::IntoIter<Option<Scalar<'a>>>),
}

impl<'a> Iterator for Elements<'a> {
    type Item = Data<'a>;

    fn next(&mut self) -> Option<Data<'a>> {
        match self {
            Self::Nodes(nodes) => nodes.next().map(|node| Data::Nodes(Some(Nodes::One(node)))),
            Self::List(list) => list.next().map(Data::One),
        }
    }
}
