//! Declarations of each day by scope, and those carrying each tag.

use std::collections::{BTreeMap, HashMap};

use ::tags::warning::Day;
use serde::{Deserialize, Serialize};
use spine::declaration::Declaration;

use super::event::Scope;

/// Days kept: what is usual is told from 180 of them, and a week is left out.
pub(super) const DAYS_KEPT: i32 = 200;
/// Scopes kept at most, and series; what comes beyond is counted, not watched.
const SCOPES_MAX: usize = 20_000;
const SERIES_MAX: usize = 500_000;
/// Declarations that wait for their tags, kept at most.
const WAITING_MAX: usize = 1_000_000;

/// Counts by day, the earliest first; days without any are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Days(Vec<(i32, u32)>);

impl Days {
    fn add(&mut self, day: i32) {
        match self.0.binary_search_by_key(&day, |(own, _)| *own) {
            Ok(at) => {
                if let Some((_, count)) = self.0.get_mut(at) {
                    *count = count.saturating_add(1);
                }
            }
            Err(at) => self.0.insert(at, (day, 1)),
        }
    }

    fn on(&self, day: i32) -> u32 {
        let at = self.0.binary_search_by_key(&day, |(own, _)| *own).ok();
        at.and_then(|at| self.0.get(at)).map_or(0, |(_, count)| *count)
    }

    fn between(&self, first: i32, last: i32) -> u64 {
        let days = self.0.iter().filter(|(day, _)| (first..=last).contains(day));
        days.map(|(_, count)| u64::from(*count)).sum()
    }

    fn forget_before(&mut self, day: i32) {
        self.0.retain(|(own, _)| *own >= day);
    }

    fn first(&self) -> Option<i32> {
        self.0.first().map(|(day, _)| *day)
    }
}

/// What is counted of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OfScope {
    scope: Scope,
    declarations: Days,
    /// By place of the tag in [`Counts::tags`].
    carrying: BTreeMap<u32, Days>,
}

/// All counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    tags: Vec<String>,
    scopes: Vec<OfScope>,
    /// Scopes of declarations that have no tags yet, by number. No party is named.
    waiting: BTreeMap<String, Vec<Scope>>,
    series: usize,
    /// Scopes, series and declarations that found no room.
    left_out: u64,
    #[serde(skip)]
    tag_places: HashMap<String, u32>,
    #[serde(skip)]
    scope_places: HashMap<Scope, usize>,
    /// Series of each tag, by its place.
    #[serde(skip)]
    of_tags: HashMap<u32, u64>,
}

/// One series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series<'a> {
    /// The tag, or the watched combination.
    pub(super) tag: &'a str,
    pub(super) scope: &'a Scope,
}

impl Counts {
    /// Puts in order what is not kept in the file.
    pub(super) fn indexed(mut self) -> Self {
        self.tag_places = self.tags.iter().cloned().zip(0..).collect();
        self.scope_places = self.scopes.iter().map(|own| own.scope.clone()).zip(0..).collect();
        self.count_series();
        self
    }

    /// A declaration came in, or is another one now: its tags are to come.
    pub(super) fn lodged(&mut self, mrn: &str, declaration: Option<&Declaration>) {
        if self.waiting.len() >= WAITING_MAX && !self.waiting.contains_key(mrn) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.waiting.insert(mrn.to_owned(), declaration.map_or_else(|| vec![Scope::Everywhere], scopes));
    }

    pub(super) fn waits(&self, mrn: &str) -> bool {
        self.waiting.contains_key(mrn)
    }

    /// It will have no tags any more.
    pub(super) fn gone(&mut self, mrn: &str) {
        self.waiting.remove(mrn);
    }

    /// Its tags are known. What has them already is not counted again.
    pub(super) fn tagged<'a>(&mut self, mrn: &str, day: i32, tags: impl Iterator<Item = &'a str>) {
        let Some(scopes) = self.waiting.remove(mrn) else { return };
        let places: Vec<usize> = scopes.into_iter().filter_map(|scope| self.scope(scope)).collect();
        for place in &places {
            if let Some(own) = self.scopes.get_mut(*place) {
                own.declarations.add(day);
            }
        }
        for tag in tags {
            let Some(tag) = self.tag(tag) else { continue };
            for place in &places {
                let Some(own) = self.scopes.get_mut(*place) else { continue };
                if let Some(days) = own.carrying.get_mut(&tag) {
                    days.add(day);
                } else if self.series < SERIES_MAX {
                    self.series = self.series.saturating_add(1);
                    let of_tag = self.of_tags.entry(tag).or_default();
                    *of_tag = of_tag.saturating_add(1);
                    own.carrying.entry(tag).or_default().add(day);
                } else {
                    self.left_out = self.left_out.saturating_add(1);
                }
            }
        }
    }

    fn scope(&mut self, scope: Scope) -> Option<usize> {
        if let Some(place) = self.scope_places.get(&scope) {
            return Some(*place);
        }
        let place = self.scopes.len();
        if place >= SCOPES_MAX {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.scope_places.insert(scope.clone(), place);
        self.scopes.push(OfScope { scope, declarations: Days::default(), carrying: BTreeMap::new() });
        Some(place)
    }

    fn tag(&mut self, tag: &str) -> Option<u32> {
        if let Some(place) = self.tag_places.get(tag) {
            return Some(*place);
        }
        let place = u32::try_from(self.tags.len()).ok()?;
        self.tag_places.insert(tag.to_owned(), place);
        self.tags.push(tag.to_owned());
        Some(place)
    }

    /// Forgets the days before one, and the series that then have none.
    pub(super) fn forget_before(&mut self, day: i32) {
        for own in &mut self.scopes {
            own.declarations.forget_before(day);
            for days in own.carrying.values_mut() {
                days.forget_before(day);
            }
            own.carrying.retain(|_, days| days.first().is_some());
        }
        self.count_series();
    }

    /// Forgets all series of a tag.
    pub(super) fn forget(&mut self, tag: &str) {
        let Some(place) = self.tag_places.get(tag) else { return };
        for own in &mut self.scopes {
            own.carrying.remove(place);
        }
        self.count_series();
    }

    fn count_series(&mut self) {
        self.series = self.scopes.iter().map(|own| own.carrying.len()).sum();
        self.of_tags.clear();
        for tag in self.scopes.iter().flat_map(|own| own.carrying.keys()) {
            let of_tag = self.of_tags.entry(*tag).or_default();
            *of_tag = of_tag.saturating_add(1);
        }
    }

    /// How many series there are of tags that fit.
    pub(super) fn series_of(&self, fits: impl Fn(&str) -> bool) -> u64 {
        let name = |place: &u32| self.tags.get(usize::try_from(*place).ok()?);
        let fitting = self.of_tags.iter().filter(|(place, _)| name(place).is_some_and(|tag| fits(tag)));
        fitting.map(|(_, series)| series).sum()
    }

    /// How many series there are.
    pub(super) fn series(&self) -> u64 {
        u64::try_from(self.series).unwrap_or(u64::MAX)
    }

    /// The first day of which anything is known.
    pub(super) fn first_day(&self) -> Option<i32> {
        self.everywhere()?.declarations.first()
    }

    /// Was anything declared on a day?
    pub(super) fn has(&self, day: i32) -> bool {
        self.everywhere().is_some_and(|own| own.declarations.on(day) > 0)
    }

    /// The scope to which every declaration belongs.
    fn everywhere(&self) -> Option<&OfScope> {
        self.scope_places.get(&Scope::Everywhere).and_then(|place| self.scopes.get(*place))
    }

    /// Series of which something came on a day: only they can have become more frequent.
    pub(super) fn moved_on(&self, day: i32) -> impl Iterator<Item = Series<'_>> {
        self.scopes.iter().flat_map(move |own| {
            let moved = own.carrying.iter().filter(move |(_, days)| days.on(day) > 0);
            moved.filter_map(|(tag, _)| {
                let tag = self.tags.get(usize::try_from(*tag).ok()?)?;
                Some(Series { tag, scope: &own.scope })
            })
        })
    }

    /// Declarations of a series that carry its tag, from one day to another, both included.
    pub(super) fn carrying(&self, series: Series<'_>, first: i32, last: i32) -> u64 {
        let own = self.scope_places.get(series.scope).and_then(|place| self.scopes.get(*place));
        let days = own.and_then(|own| own.carrying.get(self.tag_places.get(series.tag)?));
        days.map_or(0, |days| days.between(first, last))
    }

    /// The days of a series up to one, the earliest first, from the first on of which anything is known of its scope, and
    /// that is not before `from`.
    pub(super) fn days(&self, series: Series<'_>, last: i32, from: Option<i32>) -> Vec<Day> {
        let Some(own) = self.scope_places.get(series.scope).and_then(|place| self.scopes.get(*place)) else {
            return Vec::new();
        };
        let carrying = self.tag_places.get(series.tag).and_then(|tag| own.carrying.get(tag));
        let earliest = last.saturating_sub(DAYS_KEPT).saturating_add(1).max(from.unwrap_or(i32::MIN));
        let first = own.declarations.first().map_or(last, |first| first.max(earliest));
        let day = |day| Day {
            declarations: own.declarations.on(day),
            carrying: carrying.map_or(0, |days| days.on(day)),
        };
        (first..=last).map(day).collect()
    }
}

fn scopes(declaration: &Declaration) -> Vec<Scope> {
    let first = declaration.items().first();
    let commodity = first.and_then(|item| item.commodity.code());
    let origin = first.and_then(|item| item.origin.first()?.country_code.as_deref());
    Scope::of(declaration.office_id(), commodity.as_deref(), origin, departure(declaration))
}

/// Country of departure of the first item.
pub(crate) fn departure(declaration: &Declaration) -> Option<&str> {
    let own = declaration.items().first().and_then(|item| item.export_country.as_deref());
    own.or(declaration.goods_shipment.export_country.as_deref())
}
