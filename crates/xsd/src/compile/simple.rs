//! Simple types: restrictions, lists and unions.

use std::sync::Arc;

use super::place::At;
use super::{Compiler, Made};
use crate::error::{Fault, SchemaError};
use crate::name::NameId;
use crate::pattern::Pattern;
use crate::simple::{Bound, Facets, Lexical, SimpleId, SimpleType, Variety, WhiteSpace};

/// Types that one value may be compared with.
const COST_MAX: usize = 1_000;

impl<'s, 'f> Compiler<'s, 'f> {
    /// A simple type that has a name.
    pub(super) fn named_simple(&mut self, name: NameId, at: At<'s, 'f>) -> Result<SimpleId, SchemaError> {
        match self.simple_made.get(&name) {
            Some(Made::Done(id)) => return Ok(*id),
            Some(Made::Doing) => {
                let detail = format!("{} rests on itself", self.names.shown(name));
                return Err(at.fault(Fault::Circular, detail));
            }
            None => {}
        }
        if !at.is("simpleType") {
            return Err(at.fault(Fault::ReferenceUnknown, "a simple type is needed here"));
        }
        self.simple_made.insert(name, Made::Doing);
        let id = self.deeper(at, |compiler| compiler.simple_type(at))?;
        self.simple_made.insert(name, Made::Done(id));
        Ok(id)
    }

    /// What a `simpleType` says.
    pub(super) fn simple_type(&mut self, at: At<'s, 'f>) -> Result<SimpleId, SchemaError> {
        at.allow(&["name"])?;
        let mut made = None;
        for child in at.children() {
            if made.is_some() {
                return Err(child.misplaced());
            }
            made = Some(match child.construct()? {
                "restriction" => self.restriction(child, at.attribute("name"))?,
                "list" => self.list(child, at.attribute("name"))?,
                "union" => self.union(child, at.attribute("name"))?,
                _ => return Err(child.unsupported()),
            });
        }
        made.ok_or_else(|| at.fault(Fault::Misplaced, "a simple type needs restriction, list or union"))
    }

    fn restriction(&mut self, at: At<'s, 'f>, name: Option<&str>) -> Result<SimpleId, SchemaError> {
        at.allow(&["base"])?;
        let base = self.named_or_inline(at, "base")?;
        let facets: Vec<At<'s, 'f>> = at.children().filter(|child| !child.is("simpleType")).collect();
        self.restricted(base, name, at, &facets)
    }

    /// The one type that an attribute names or a child states.
    fn named_or_inline(&mut self, at: At<'s, 'f>, attribute: &str) -> Result<SimpleId, SchemaError> {
        match (at.attribute(attribute), at.child("simpleType")) {
            (Some(written), None) => self.simple_named(at, written),
            (None, Some(inline)) => self.simple_type(inline),
            _ => {
                let detail = format!("either {attribute} or a simpleType within is needed");
                Err(at.fault(Fault::AttributeMissing, detail))
            }
        }
    }

    fn list(&mut self, at: At<'s, 'f>, name: Option<&str>) -> Result<SimpleId, SchemaError> {
        at.allow(&["itemType"])?;
        let item = self.named_or_inline(at, "itemType")?;
        if matches!(self.simple.get(item).map(|simple| &simple.variety), Some(Variety::List(_))) {
            return Err(at.fault(Fault::ValueInvalid, "a list of lists is none"));
        }
        let cost = self.cost(&[item], at)?;
        Ok(self.add_simple(name, Variety::List(item), cost))
    }

    fn union(&mut self, at: At<'s, 'f>, name: Option<&str>) -> Result<SimpleId, SchemaError> {
        at.allow(&["memberTypes"])?;
        let mut members = Vec::new();
        for written in at.attribute("memberTypes").unwrap_or_default().split_ascii_whitespace() {
            members.push(self.simple_named(at, written)?);
        }
        for child in at.children() {
            if !child.is("simpleType") {
                return Err(child.misplaced());
            }
            members.push(self.simple_type(child)?);
        }
        if members.is_empty() {
            return Err(at.fault(Fault::AttributeMissing, "a union needs members"));
        }
        let cost = self.cost(&members, at)?;
        Ok(self.add_simple(name, Variety::Union(members), cost))
    }

    /// How many types a value of these is compared with at the most.
    fn cost(&self, members: &[SimpleId], at: At<'s, 'f>) -> Result<usize, SchemaError> {
        let costs = members.iter().filter_map(|id| self.simple_costs.get(id.0));
        let cost = costs.fold(1_usize, |sum, cost| sum.saturating_add(*cost));
        if cost > COST_MAX {
            let detail = format!("a value may be compared with {COST_MAX} types at the most");
            return Err(at.fault(Fault::TooLarge, detail));
        }
        Ok(cost)
    }

    fn add_simple(&mut self, name: Option<&str>, variety: Variety, cost: usize) -> SimpleId {
        self.push_simple(
            SimpleType {
                name: name.unwrap_or("a type without a name").into(),
                base: Some(crate::builtin::ANY_SIMPLE),
                variety,
                white_space: WhiteSpace::Collapse,
                facets: Facets::default(),
            },
            cost,
        )
    }

    fn push_simple(&mut self, simple: SimpleType, cost: usize) -> SimpleId {
        self.simple.0.push(simple);
        self.simple_costs.push(cost);
        SimpleId(self.simple.0.len().saturating_sub(1))
    }

    /// A type restricted by facets.
    pub(super) fn restricted(
        &mut self,
        base: SimpleId,
        name: Option<&str>,
        at: At<'s, 'f>,
        facets: &[At<'s, 'f>],
    ) -> Result<SimpleId, SchemaError> {
        let Some(mut simple) = self.simple.get(base).cloned() else {
            return Err(at.fault(Fault::ReferenceUnknown, "the base is not a simple type"));
        };
        let cost = self.simple_costs.get(base.0).copied().unwrap_or(1);
        simple.base = Some(base);
        if let Some(name) = name {
            simple.name = name.into();
        }
        let mut patterns = Vec::new();
        let mut values: Vec<Box<str>> = Vec::new();
        for facet in facets {
            facet.allow(&["value", "fixed"])?;
            let value = facet.required("value")?;
            match facet.construct()? {
                "pattern" => patterns.push(self.pattern(value, *facet)?),
                "enumeration" => values.push(self.listed(base, value, *facet)?),
                _ => apply(&mut simple, *facet, value)?,
            }
        }
        if !patterns.is_empty() {
            simple.facets.patterns.push(patterns);
        }
        if !values.is_empty() {
            values.sort_unstable();
            values.dedup();
            simple.facets.enumeration = Some(Arc::new(values));
        }
        Ok(self.push_simple(simple, cost))
    }

    fn pattern(&mut self, source: &str, at: At<'s, 'f>) -> Result<Arc<Pattern>, SchemaError> {
        if let Some(known) = self.patterns.get(source) {
            return Ok(Arc::clone(known));
        }
        let pattern = Pattern::compile(source).map_err(|(fault, detail)| at.fault(fault, detail))?;
        let pattern = Arc::new(pattern);
        self.patterns.insert(source.to_owned(), Arc::clone(&pattern));
        Ok(pattern)
    }

    /// A value of an enumeration, which must be one of the base.
    fn listed(&self, base: SimpleId, value: &str, at: At<'s, 'f>) -> Result<Box<str>, SchemaError> {
        if self.simple.lexical(base) == Some(Lexical::QName) {
            return Err(
                at.fault(Fault::Unsupported, "an enumeration of qualified names is not understood here")
            );
        }
        match self.simple.check(base, value) {
            Ok(value) => Ok(value.into()),
            Err(refusal) => Err(at.fault(
                Fault::ValueInvalid,
                format!("\"{value}\" is no value of the base: it should be {}", refusal.expected),
            )),
        }
    }
}

/// One facet, within what the base allows already.
fn apply(simple: &mut SimpleType, at: At<'_, '_>, value: &str) -> Result<(), SchemaError> {
    let number = || value.trim().parse::<usize>().map_err(|_| at.invalid(at.node.tag_name().name(), value));
    let tighter_min = |known: Option<usize>, own: usize| Some(known.map_or(own, |known| known.max(own)));
    let tighter_max = |known: Option<usize>, own: usize| Some(known.map_or(own, |known| known.min(own)));
    let lexical = match simple.variety {
        Variety::Atomic(lexical) => Some(lexical),
        _ => None,
    };
    let has_length = match simple.variety {
        Variety::Atomic(lexical) => {
            !lexical.is_ordered() && !matches!(lexical, Lexical::Boolean | Lexical::Duration)
        }
        Variety::List(_) => true,
        Variety::Union(_) => false,
    };
    let facets = &mut simple.facets;
    match at.construct()? {
        "length" if has_length => {
            let own = number()?;
            facets.length_min = tighter_min(facets.length_min, own);
            facets.length_max = tighter_max(facets.length_max, own);
        }
        "minLength" if has_length => facets.length_min = tighter_min(facets.length_min, number()?),
        "maxLength" if has_length => facets.length_max = tighter_max(facets.length_max, number()?),
        "totalDigits" if lexical.is_some_and(Lexical::is_decimal) => {
            facets.total_digits = tighter_max(facets.total_digits, number()?);
        }
        "fractionDigits" if lexical.is_some_and(Lexical::is_decimal) => {
            facets.fraction_digits = tighter_max(facets.fraction_digits, number()?);
        }
        "whiteSpace" => {
            let own = match value.trim() {
                "preserve" => WhiteSpace::Preserve,
                "replace" => WhiteSpace::Replace,
                "collapse" => WhiteSpace::Collapse,
                _ => return Err(at.invalid("whiteSpace", value)),
            };
            if own < simple.white_space {
                return Err(
                    at.fault(Fault::ValueInvalid, "white space that the base removes cannot come back")
                );
            }
            simple.white_space = own;
        }
        name => {
            let bound = match name {
                "minInclusive" => Bound::MinInclusive,
                "minExclusive" => Bound::MinExclusive,
                "maxInclusive" => Bound::MaxInclusive,
                "maxExclusive" => Bound::MaxExclusive,
                _ => return Err(at.unsupported()),
            };
            match lexical {
                Some(lexical) if lexical.is_ordered() && lexical.accepts(value.trim()) => {
                    facets.bounds.push((bound, value.trim().into()));
                }
                Some(lexical) if lexical.is_ordered() => return Err(at.invalid(name, value)),
                _ => return Err(at.unsupported()),
            }
        }
    }
    Ok(())
}
