//! Content models as automata: which child may come next, decided by its name alone.
//!
//! A model's places (elements and wildcards) become the states of a Glushkov automaton. An element that repeats up to
//! 9,999 times is one state with a count. Groups that repeat, and repetitions that meet themselves, are written out,
//! within a bound. Two different places that the same child could fill are refused (XML Schema part 1, unique
//! particle attribution), so the automaton is deterministic once equal places are put together.

use crate::name::{NameId, Names, NamespaceId};
use crate::particle::{ElementId, Occurs, Particle, Term, Wildcard};
use crate::places::{Places, PlacesFault};

/// Elements of one `all`: one bit each.
const ALL_MAX: usize = 64;

/// Why there is no automaton.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelFault {
    /// These two could be the same child; a wildcard has no name.
    Ambiguous(Option<NameId>, Option<NameId>),
    TooLarge,
}

/// What a child is, once its name was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    Element(ElementId),
    /// The number of the wildcard in its model.
    Wildcard(usize),
}

/// Where in a model the children so far lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    at: usize,
    /// How often the element of this state was there; or, of an `all`, which elements were.
    seen: u64,
}

/// What may stand within an element.
#[derive(Debug)]
pub(crate) struct Model {
    form: Form,
    pub(crate) wildcards: Vec<Wildcard>,
    /// Each name of the model with its declaration and rank, in the order of names: what a misplaced child probably is.
    elements: Vec<(NameId, ElementId, usize)>,
}

#[derive(Debug)]
enum Form {
    Automaton(Vec<Node>),
    All { members: Vec<(NameId, ElementId)>, required: u64, may_be_empty: bool },
}

/// One state.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Name, next state and declaration, in the order of names.
    pub(crate) by_name: Vec<(NameId, usize, ElementId)>,
    /// Wildcard and next state.
    pub(crate) by_wildcard: Vec<(usize, usize)>,
    /// The element may end here.
    pub(crate) accepting: bool,
    /// This state's own place may fill itself again, so often in all.
    pub(crate) repeat: Option<Occurs>,
    /// What fills it.
    pub(crate) own: Option<Accepted>,
    pub(crate) own_name: Option<NameId>,
}

impl Model {
    /// The automaton of a particle.
    pub(crate) fn build(particle: &Particle) -> Result<Self, ModelFault> {
        if let Term::All(members) = &particle.term {
            return Self::build_all(particle.occurs, members);
        }
        let mut built = Places::collect(particle, false).and_then(Places::automaton);
        if matches!(built, Err(PlacesFault::Counted)) {
            built = Places::collect(particle, true).and_then(Places::automaton);
        }
        let automaton = built.map_err(|fault| match fault {
            PlacesFault::Model(fault) => fault,
            PlacesFault::Counted => ModelFault::TooLarge,
        })?;
        Ok(Self {
            form: Form::Automaton(automaton.nodes),
            wildcards: automaton.wildcards,
            elements: automaton.elements,
        })
    }

    fn build_all(occurs: Occurs, particles: &[Particle]) -> Result<Self, ModelFault> {
        if particles.len() > ALL_MAX {
            return Err(ModelFault::TooLarge);
        }
        let mut members = Vec::new();
        let mut required = 0_u64;
        for (at, particle) in particles.iter().enumerate() {
            if let Term::Element { name, element, .. } = &particle.term {
                if members.iter().any(|(known, _)| known == name) {
                    return Err(ModelFault::Ambiguous(Some(*name), Some(*name)));
                }
                if particle.occurs.min > 0 {
                    required |= bit(at);
                }
                members.push((*name, *element));
            }
        }
        let mut elements: Vec<(NameId, ElementId, usize)> =
            members.iter().enumerate().map(|(rank, (name, element))| (*name, *element, rank)).collect();
        elements.sort_unstable();
        let may_be_empty = occurs.min == 0;
        Ok(Self { form: Form::All { members, required, may_be_empty }, wildcards: Vec::new(), elements })
    }

    pub(crate) fn start(&self) -> State {
        State { at: 0, seen: 0 }
    }

    /// The state after a child, and what the child is; `None` where it may not stand. A child whose name the schema
    /// does not know has none here, but a namespace for wildcards.
    pub(crate) fn step(
        &self,
        state: State,
        name: Option<NameId>,
        namespace: NamespaceId,
    ) -> Option<(State, Accepted)> {
        match &self.form {
            Form::All { members, .. } => {
                let at = members.iter().position(|(known, _)| Some(*known) == name)?;
                let (_, element) = members.get(at)?;
                let seen = state.seen | bit(at);
                (seen != state.seen).then_some((State { at: 0, seen }, Accepted::Element(*element)))
            }
            Form::Automaton(nodes) => {
                let node = nodes.get(state.at)?;
                if let Some(repeat) = node.repeat {
                    if self.is_own(node, name, namespace)
                        && repeat.max.is_none_or(|max| state.seen < u64::from(max))
                    {
                        let seen = state.seen.saturating_add(1);
                        return node.own.map(|own| (State { at: state.at, seen }, own));
                    }
                    if state.seen < u64::from(repeat.min) {
                        return None;
                    }
                }
                if let Some(name) = name
                    && let Some((_, to, element)) = find(&node.by_name, name)
                {
                    return Some((State { at: *to, seen: 1 }, Accepted::Element(*element)));
                }
                let (wildcard, to) = node.by_wildcard.iter().find(|(wildcard, _)| {
                    self.wildcards.get(*wildcard).is_some_and(|wildcard| wildcard.namespaces.has(namespace))
                })?;
                Some((State { at: *to, seen: 1 }, Accepted::Wildcard(*wildcard)))
            }
        }
    }

    fn is_own(&self, node: &Node, name: Option<NameId>, namespace: NamespaceId) -> bool {
        match node.own {
            Some(Accepted::Element(_)) => node.own_name.is_some() && node.own_name == name,
            Some(Accepted::Wildcard(at)) => {
                self.wildcards.get(at).is_some_and(|wildcard| wildcard.namespaces.has(namespace))
            }
            None => false,
        }
    }

    /// May the element end here?
    pub(crate) fn may_end(&self, state: State) -> bool {
        match &self.form {
            Form::All { required, may_be_empty, .. } => {
                state.seen & required == *required || (*may_be_empty && state.seen == 0)
            }
            Form::Automaton(nodes) => nodes.get(state.at).is_some_and(|node| {
                node.accepting && node.repeat.is_none_or(|repeat| state.seen >= u64::from(repeat.min))
            }),
        }
    }

    /// The names that may come next, in the order of the schema, and the wildcards.
    pub(crate) fn next(&self, state: State) -> (Vec<NameId>, Vec<&Wildcard>) {
        match &self.form {
            Form::All { members, .. } => {
                let missing = members.iter().enumerate().filter(|(at, _)| state.seen & bit(*at) == 0);
                (missing.map(|(_, (name, _))| *name).collect(), Vec::new())
            }
            Form::Automaton(nodes) => {
                let Some(node) = nodes.get(state.at) else { return (Vec::new(), Vec::new()) };
                let mut names = Vec::new();
                if let Some(repeat) = node.repeat {
                    if repeat.max.is_none_or(|max| state.seen < u64::from(max)) {
                        names.extend(node.own_name);
                    }
                    if state.seen < u64::from(repeat.min) {
                        return (names, Vec::new());
                    }
                }
                names.extend(node.by_name.iter().map(|(name, ..)| *name));
                names.sort_by_key(|name| self.entry(*name).map(|(.., rank)| *rank));
                let wildcards =
                    node.by_wildcard.iter().filter_map(|(at, _)| self.wildcards.get(*at)).collect();
                (names, wildcards)
            }
        }
    }

    /// What a name means in this model, wherever it may stand.
    pub(crate) fn element(&self, name: NameId) -> Option<ElementId> {
        self.entry(name).map(|(_, element, _)| *element)
    }

    fn entry(&self, name: NameId) -> Option<&(NameId, ElementId, usize)> {
        let at = self.elements.binary_search_by(|(known, ..)| known.cmp(&name)).ok()?;
        self.elements.get(at)
    }

    /// A name that stands where a wildcard would let it in as well.
    pub(crate) fn name_behind_wildcard(&self, names: &Names) -> Option<NameId> {
        let Form::Automaton(nodes) = &self.form else { return None };
        nodes.iter().find_map(|node| {
            let own = node.repeat.and(node.own);
            let own_wildcard = match own {
                Some(Accepted::Wildcard(wildcard)) => Some(wildcard),
                _ => None,
            };
            let wild = node.by_wildcard.iter().map(|(wildcard, _)| *wildcard).chain(own_wildcard);
            let wild: Vec<&Wildcard> = wild.filter_map(|wildcard| self.wildcards.get(wildcard)).collect();
            let mut named = node.by_name.iter().map(|(name, ..)| *name).chain(own.and(node.own_name));
            named.find(|name| wild.iter().any(|wildcard| wildcard.namespaces.has(names.namespace_of(*name))))
        })
    }
}

fn bit(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0)
}

fn find(by_name: &[(NameId, usize, ElementId)], name: NameId) -> Option<&(NameId, usize, ElementId)> {
    if by_name.len() <= 8 {
        return by_name.iter().find(|(known, ..)| *known == name);
    }
    by_name.binary_search_by(|(known, ..)| known.cmp(&name)).ok().and_then(|at| by_name.get(at))
}
