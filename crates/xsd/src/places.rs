//! From the tree of a content model to its automaton: the places of the model, which may follow which, and the states
//! that this makes.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Accepted, ModelFault, Node};
use crate::name::NameId;
use crate::particle::{ElementId, Occurs, Particle, Term, Wildcard};

/// Places of one model after what repeats was written out.
const PLACES_MAX: usize = 4_096;
/// Ways from place to place in one model, and steps taken to find its states.
const WORK_MAX: usize = 2_000_000;
/// Groups within each other, those behind references included.
const DEPTH_MAX: usize = 128;

/// One place of a model.
#[derive(Debug, Clone)]
struct Place {
    /// Copies of one place of the schema share it.
    of_schema: usize,
    name: Option<NameId>,
    accepted: Accepted,
    /// How often it may fill itself, where it is counted.
    count: Option<Occurs>,
}

/// Why there is no automaton yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlacesFault {
    Model(ModelFault),
    /// A place that is counted meets itself or its like: it has to be written out.
    Counted,
}

impl From<ModelFault> for PlacesFault {
    fn from(fault: ModelFault) -> Self {
        Self::Model(fault)
    }
}

/// Where a part of a model begins and ends, and whether nothing of it need be there.
#[derive(Debug, Clone)]
struct Part {
    first: Vec<usize>,
    last: Vec<usize>,
    nullable: bool,
}

impl Part {
    fn empty() -> Self {
        Self { first: Vec::new(), last: Vec::new(), nullable: true }
    }
}

/// The places of a model and which may follow which.
pub(crate) struct Places {
    all: Vec<Place>,
    follow: Vec<Vec<usize>>,
    wildcards: Vec<Wildcard>,
    /// The first place of each name, and its declaration.
    elements: BTreeMap<NameId, (ElementId, usize)>,
    whole: Part,
    write_out: bool,
    work: usize,
    depth: usize,
}

/// What [`Places`] become.
pub(crate) struct Automaton {
    pub(crate) nodes: Vec<Node>,
    pub(crate) wildcards: Vec<Wildcard>,
    /// Name, declaration, and its rank in the order of the schema; in the order of names.
    pub(crate) elements: Vec<(NameId, ElementId, usize)>,
}

impl Places {
    /// The places of a particle; repeated elements are counted, or written out.
    pub(crate) fn collect(particle: &Particle, write_out: bool) -> Result<Self, PlacesFault> {
        let mut places = Self {
            all: Vec::new(),
            follow: Vec::new(),
            wildcards: Vec::new(),
            elements: BTreeMap::new(),
            whole: Part::empty(),
            write_out,
            work: 0,
            depth: 0,
        };
        places.whole = places.particle(particle)?;
        Ok(places)
    }

    fn spend(&mut self, steps: usize) -> Result<(), ModelFault> {
        self.work = self.work.saturating_add(steps);
        if self.work > WORK_MAX { Err(ModelFault::TooLarge) } else { Ok(()) }
    }

    fn particle(&mut self, particle: &Particle) -> Result<Part, ModelFault> {
        self.repeated(particle.occurs, &particle.term)
    }

    fn repeated(&mut self, occurs: Occurs, term: &Term) -> Result<Part, ModelFault> {
        let Occurs { min, max } = occurs;
        if max == Some(0) {
            return Ok(Part::empty());
        }
        // A group of one repeats as its member does.
        if let Term::Sequence(members) | Term::Choice(members) = term
            && let [only] = members.as_slice()
            && only.occurs == Occurs::ONCE
        {
            return self.deeper(|places| places.repeated(occurs, &only.term));
        }
        let is_place = matches!(term, Term::Element { .. } | Term::Wildcard { .. });
        let beyond = |max: u32| usize::try_from(max).map_or(true, |max| max > PLACES_MAX);
        if !is_place && max.is_some_and(beyond) {
            return Err(ModelFault::TooLarge);
        }
        let is_counted = min > 1 || max.is_some_and(|max| max > 1);
        if is_place && is_counted && !self.write_out {
            let mut part = self.term(term)?;
            if let Some(place) = part.first.first().and_then(|at| self.all.get_mut(*at)) {
                place.count = Some(Occurs { min, max });
            }
            part.nullable |= min == 0;
            return Ok(part);
        }
        match max {
            Some(max) => self.bounded(term, min, max),
            None => {
                let mut whole = Part::empty();
                for copy in 1..=min.max(1) {
                    let part = self.term(term)?;
                    if copy == min.max(1) {
                        self.link(&part.last, &part.first)?;
                    }
                    whole = self.joined(whole, part)?;
                }
                whole.nullable |= min == 0;
                Ok(whole)
            }
        }
    }

    fn deeper(
        &mut self,
        make: impl FnOnce(&mut Self) -> Result<Part, ModelFault>,
    ) -> Result<Part, ModelFault> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH_MAX {
            return Err(ModelFault::TooLarge);
        }
        let part = make(self);
        self.depth = self.depth.saturating_sub(1);
        part
    }

    /// Copies that must be there, then copies that each allow the next.
    fn bounded(&mut self, term: &Term, min: u32, max: u32) -> Result<Part, ModelFault> {
        let mut whole = Part::empty();
        for _ in 0..min {
            let copy = self.term(term)?;
            whole = self.joined(whole, copy)?;
        }
        let mut copies = Vec::new();
        for _ in min..max {
            copies.push(self.term(term)?);
        }
        let mut optional = Part::empty();
        for copy in copies.into_iter().rev() {
            optional = self.joined(copy, optional)?;
            optional.nullable = true;
        }
        self.joined(whole, optional)
    }

    fn term(&mut self, term: &Term) -> Result<Part, ModelFault> {
        self.spend(1)?;
        match term {
            Term::Element { place, name, element } => {
                let rank = self.all.len();
                self.elements.entry(*name).or_insert((*element, rank));
                self.place(Place {
                    of_schema: *place,
                    name: Some(*name),
                    accepted: Accepted::Element(*element),
                    count: None,
                })
            }
            Term::Wildcard { place, wildcard } => {
                let at = self.wildcards.iter().position(|known| known == wildcard).unwrap_or_else(|| {
                    self.wildcards.push(wildcard.clone());
                    self.wildcards.len().saturating_sub(1)
                });
                self.place(Place {
                    of_schema: *place,
                    name: None,
                    accepted: Accepted::Wildcard(at),
                    count: None,
                })
            }
            Term::Sequence(members) | Term::All(members) => self.deeper(|places| places.sequence(members)),
            Term::Choice(members) => self.deeper(|places| places.choice(members)),
        }
    }

    fn place(&mut self, place: Place) -> Result<Part, ModelFault> {
        let at = self.all.len();
        if at >= PLACES_MAX {
            return Err(ModelFault::TooLarge);
        }
        self.all.push(place);
        self.follow.push(Vec::new());
        Ok(Part { first: vec![at], last: vec![at], nullable: false })
    }

    fn sequence(&mut self, particles: &[Particle]) -> Result<Part, ModelFault> {
        let mut whole = Part::empty();
        for particle in particles {
            let part = self.particle(particle)?;
            whole = self.joined(whole, part)?;
        }
        Ok(whole)
    }

    fn choice(&mut self, particles: &[Particle]) -> Result<Part, ModelFault> {
        // A choice of nothing is never met; schemas that have one mean an empty group.
        let mut whole = Part { nullable: particles.is_empty(), ..Part::empty() };
        for particle in particles {
            let part = self.particle(particle)?;
            self.spend(part.first.len().saturating_add(part.last.len()))?;
            whole.first.extend(part.first);
            whole.last.extend(part.last);
            whole.nullable |= part.nullable;
        }
        Ok(whole)
    }

    /// One part behind the other.
    fn joined(&mut self, mut left: Part, right: Part) -> Result<Part, ModelFault> {
        self.link(&left.last, &right.first)?;
        self.spend(left.last.len().saturating_add(right.first.len()))?;
        if left.nullable {
            left.first.extend(&right.first);
        }
        let last = if right.nullable {
            left.last.extend(right.last);
            left.last
        } else {
            right.last
        };
        Ok(Part { first: left.first, last, nullable: left.nullable && right.nullable })
    }

    fn link(&mut self, from: &[usize], to: &[usize]) -> Result<(), ModelFault> {
        self.spend(from.len().saturating_mul(to.len()))?;
        for at in from {
            if let Some(follow) = self.follow.get_mut(*at) {
                follow.extend(to);
            }
        }
        Ok(())
    }

    /// The states: each is the set of places that the last child may have filled.
    pub(crate) fn automaton(mut self) -> Result<Automaton, PlacesFault> {
        for follow in &mut self.follow {
            follow.sort_unstable();
            follow.dedup();
        }
        let mut numbers: HashMap<Vec<usize>, usize> = HashMap::new();
        let mut states: Vec<Vec<usize>> = vec![Vec::new()];
        let mut nodes: Vec<Node> = Vec::new();
        let mut first = self.whole.first.clone();
        first.sort_unstable();
        let mut ends = vec![false; self.all.len()];
        for at in &self.whole.last {
            if let Some(end) = ends.get_mut(*at) {
                *end = true;
            }
        }
        while let Some(state) = states.get(nodes.len()).cloned() {
            let is_start = nodes.is_empty();
            let next = if is_start { first.clone() } else { self.after(&state) };
            self.spend(next.len().saturating_add(1))?;
            let mut node = self.node(&state);
            node.accepting = if is_start {
                self.whole.nullable
            } else {
                state.iter().any(|at| ends.get(*at).copied().unwrap_or(false))
            };
            let (by_name, by_wildcard) = self.grouped(&next)?;
            self.check_counts(&state, &next)?;
            for (name, places) in by_name {
                let Some(Accepted::Element(element)) =
                    places.first().and_then(|at| self.all.get(*at)).map(|place| place.accepted)
                else {
                    continue;
                };
                let to = number(&mut numbers, &mut states, places);
                node.by_name.push((name, to, element));
            }
            for (wildcard, places) in by_wildcard {
                let to = number(&mut numbers, &mut states, places);
                node.by_wildcard.push((wildcard, to));
            }
            nodes.push(node);
        }
        let elements =
            self.elements.into_iter().map(|(name, (element, rank))| (name, element, rank)).collect();
        Ok(Automaton { nodes, wildcards: self.wildcards, elements })
    }

    fn after(&self, state: &[usize]) -> Vec<usize> {
        let mut next: Vec<usize> =
            state.iter().filter_map(|at| self.follow.get(*at)).flatten().copied().collect();
        next.sort_unstable();
        next.dedup();
        next
    }

    fn node(&self, state: &[usize]) -> Node {
        let place = state.first().and_then(|at| self.all.get(*at));
        let repeat = place.and_then(|place| place.count);
        Node {
            repeat,
            own: place.map(|place| place.accepted),
            own_name: place.and_then(|place| place.name),
            ..Node::default()
        }
    }

    /// Places by what fills them; different places that the same child could fill are refused.
    fn grouped(&self, next: &[usize]) -> Result<(Named, Wild), PlacesFault> {
        let mut by_name: Named = BTreeMap::new();
        let mut by_wildcard: Wild = BTreeMap::new();
        for at in next {
            let Some(place) = self.all.get(*at) else { continue };
            let like = match (place.accepted, place.name) {
                (Accepted::Element(_), Some(name)) => by_name.entry(name).or_default(),
                (Accepted::Wildcard(wildcard), _) => by_wildcard.entry(wildcard).or_default(),
                (Accepted::Element(_), None) => continue,
            };
            if let Some(other) = like.first().and_then(|other| self.all.get(*other))
                && other.of_schema != place.of_schema
            {
                return Err(ModelFault::Ambiguous(other.name, place.name).into());
            }
            like.push(*at);
        }
        for (at, wildcard) in by_wildcard.keys().filter_map(|at| Some((*at, self.wildcards.get(*at)?))) {
            let others = by_wildcard.keys().filter(|other| **other > at);
            let mut others = others.filter_map(|other| self.wildcards.get(*other));
            if others.any(|other| other.namespaces.meets(&wildcard.namespaces)) {
                return Err(ModelFault::Ambiguous(None, None).into());
            }
        }
        Ok((by_name, by_wildcard))
    }

    /// A counted place must be alone in its state, and what comes after must not look like it.
    fn check_counts(&self, state: &[usize], next: &[usize]) -> Result<(), PlacesFault> {
        let counted = |at: &usize| self.all.get(*at).and_then(|place| place.count.map(|_| place));
        if let Some(place) = state.iter().find_map(counted) {
            let alike = |at: &usize| {
                self.all.get(*at).is_some_and(|other| match (place.accepted, other.accepted) {
                    (Accepted::Element(_), Accepted::Element(_)) => place.name == other.name,
                    (Accepted::Wildcard(left), Accepted::Wildcard(right)) => self.wildcards_meet(left, right),
                    _ => false,
                })
            };
            if state.len() > 1 || next.iter().any(alike) {
                return Err(PlacesFault::Counted);
            }
        }
        Ok(())
    }

    fn wildcards_meet(&self, left: usize, right: usize) -> bool {
        match (self.wildcards.get(left), self.wildcards.get(right)) {
            (Some(left), Some(right)) => left.namespaces.meets(&right.namespaces),
            _ => false,
        }
    }
}

type Named = BTreeMap<NameId, Vec<usize>>;
type Wild = BTreeMap<usize, Vec<usize>>;

fn number(
    numbers: &mut HashMap<Vec<usize>, usize>,
    states: &mut Vec<Vec<usize>>,
    places: Vec<usize>,
) -> usize {
    if let Some(known) = numbers.get(&places) {
        return *known;
    }
    let next = states.len();
    numbers.insert(places.clone(), next);
    states.push(places);
    next
}
