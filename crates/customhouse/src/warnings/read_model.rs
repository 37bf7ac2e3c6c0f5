//! Warnings as readers see them: what is above their clearance does not exist.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use ::tags::warning::smooth;
use serde_json::Value;
use spine::{Language, LocalizedText, Sensitivity};

use super::counts::Series;
use super::event::{About, DAY_ENDED, RAISED, Scope, TAGS_IN_USE};
use super::hits::{Findings, scopes_of};
use super::model::{
    Acknowledgement, CombinationOnCase, DayOfWarning, OpenWarnings, Standing, Warning, WarningOnCase,
    WarningsPage, WarningsQuery,
};
use super::state::{FALSE_ALARMS_A_YEAR, Known, State, date, day};
use super::watch::may_see;
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::flow::any_simulated;
use crate::identity::{Permission, Reader};
use crate::projection::Record;
use crate::tags::{Compiled, Condition};

/// Warnings of a page.
const PAGE_ROWS: usize = 50;
/// Days of a chart.
pub(super) const CHART_DAYS: i32 = 60;

/// What readers are told a warning is about.
struct Told {
    title: LocalizedText,
    hint: LocalizedText,
}

impl Told {
    /// `None`: the reader may not know of it.
    fn of(about: &About, state: &State, compiled: &Compiled, reader: &Reader) -> Option<Self> {
        let english = |text: &str| LocalizedText([(Language::En, text.to_owned())].into());
        match about {
            About::Tag { tag, .. } => {
                let tag = compiled.visible(reader.clearance(), tag)?;
                Some(Self { title: tag.title.clone(), hint: tag.inspection_hint.clone() })
            }
            About::Watched { watched, .. } => {
                let own = state.combinations.get(watched).filter(|own| may_see(own, compiled, reader))?;
                Some(Self { title: english(&own.begun.title), hint: english(&own.begun.reason) })
            }
        }
    }
}

/// A warning of a page, and what else is told of it.
struct Shown {
    warning: Warning,
    known: Known,
    condition: Option<Condition>,
}

/// May a reader know of the series of a tag or a combination?
fn may_know(name: &str, state: &State, compiled: &Compiled, reader: &Reader) -> bool {
    match state.combinations.get(name) {
        Some(own) => may_see(own, compiled, reader),
        // Of a tag that is in use no more nobody knows how secret it was.
        None => compiled.visible(reader.clearance(), name).is_some(),
    }
}

impl Known {
    fn standing(&self) -> Standing {
        match (self.over.is_some(), self.acknowledged.is_some()) {
            (true, _) => Standing::Over,
            (false, true) => Standing::Acknowledged,
            (false, false) => Standing::Open,
        }
    }
}

impl Customhouse {
    pub(super) fn may_see_warnings(reader: &Reader) -> Result<(), Error> {
        reader.require(Permission::ViewTags)?;
        reader.require(Permission::ViewDeclarations)
    }

    /// Warnings that a reader may see and that fit, in the order of lists.
    fn warnings_that(&self, reader: &Reader, fits: impl Fn(&Known) -> bool) -> Vec<(Known, Told)> {
        let compiled = self.compiled_tags();
        let mut found: Vec<(Known, Told)> = self.warnings.read(|state| {
            let all = state.warnings.values().filter(|known| fits(known));
            let seen = all.filter_map(|known| {
                let told = Told::of(&known.raised.about, state, &compiled, reader)?;
                Some((known.clone(), told))
            });
            seen.collect()
        });
        found.sort_by_key(|(known, _)| (known.standing(), Reverse(known.position)));
        found
    }

    /// A page of warnings with their charts.
    ///
    /// # Errors
    /// `not_permitted`, `warning_standing`.
    pub fn warnings(&self, reader: &Reader, query: &WarningsQuery) -> Result<WarningsPage, Error> {
        Self::may_see_warnings(reader)?;
        let (wanted, tag) = (query.standing.trim(), query.tag.trim());
        if !wanted.is_empty() && !Standing::ALL.iter().any(|standing| standing.name() == wanted) {
            return Err(Error::new(
                Kind::Invalid,
                "warning_standing",
                "warnings do not stand like this",
                "Ask for `open`, `acknowledged` or `over`, or leave it empty.",
            ));
        }
        let found = self.warnings_that(reader, |known| {
            (wanted.is_empty() || known.standing().name() == wanted)
                && (tag.is_empty() || known.raised.about.name() == tag)
        });
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let compiled = self.compiled_tags();
        let knows = |state: &State| state.counts.series_of(|name| may_know(name, state, &compiled, reader));
        let (series, all_known, position) = self.warnings.read(|state| {
            let series = knows(state);
            (series, series == state.counts.series(), state.position)
        });
        let restricted = reader.clearance() >= Sensitivity::Restricted;
        let mut shown: Vec<Shown> = Vec::new();
        for (known, told) in found.into_iter().skip(skip).take(PAGE_ROWS) {
            let mut warning = self.warning(&known, told, all_known);
            let condition = self.warnings.read(|state| {
                let combination = state.combinations.get(known.raised.about.name());
                // What is watched no more is not counted, either: zeros would say that nothing came.
                if combination.is_none_or(|own| !own.ended) {
                    (warning.chart, warning.declarations) =
                        (chart(state, &known), Some(carrying_since(state, &known)));
                }
                combination.and_then(|own| own.condition().cloned())
            });
            shown.push(Shown { warning, known, condition });
        }
        if restricted {
            self.tell_hits(&mut shown)?;
        }
        let warnings = shown.into_iter().map(|own| own.warning).collect();
        Ok(WarningsPage {
            warnings,
            total,
            series,
            false_alarms_a_year: FALSE_ALARMS_A_YEAR,
            position,
            simulated: self.projection.read(any_simulated)?,
        })
    }

    /// Tells what inspections found of the declarations of warnings.
    fn tell_hits(&self, shown: &mut [Shown]) -> Result<(), Error> {
        let epoch = self.matrix.epoch()?;
        self.projection.read(|connection| {
            let mut findings = Findings::new(connection, &epoch);
            for own in shown {
                own.warning.hits = Some(findings.of(&own.known, own.condition.as_ref())?);
            }
            Ok(())
        })
    }

    /// Open warnings that concern an office, or all of them where none is given; the latest `limit` in short.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn open_warnings(
        &self,
        reader: &Reader,
        office: Option<&str>,
        limit: usize,
    ) -> Result<OpenWarnings, Error> {
        Self::may_see_warnings(reader)?;
        let concerns = |scope: &Scope| match (scope, office) {
            (Scope::Office { office }, Some(own)) => office == own,
            _ => true,
        };
        let found = self.warnings_that(reader, |known| {
            known.standing() == Standing::Open && concerns(&known.raised.scope)
        });
        Ok(OpenWarnings {
            total: u64::try_from(found.len()).unwrap_or(u64::MAX),
            latest: found
                .into_iter()
                .take(limit)
                .map(|(known, told)| self.warning(&known, told, false))
                .collect(),
        })
    }

    /// Warnings that are not over, by tag, of scopes to which a declaration belongs. Whoever calls this has seen to it
    /// that the reader may see the tags.
    pub(crate) fn warnings_on(&self, record: &Record, tag: &str) -> Vec<WarningOnCase> {
        let scopes = scopes_of(record);
        self.warnings.read(|state| {
            let of_tag = state.warnings.values().filter(|known| {
                known.over.is_none()
                    && known.raised.about.name() == tag
                    && scopes.contains(&known.raised.scope)
            });
            of_tag.map(on_case).collect()
        })
    }

    /// Watched combinations that hold of a declaration with these tags and have warnings that are not over, of scopes to
    /// which it belongs; as far as the reader may know of them.
    pub(crate) fn combinations_on(
        &self,
        reader: &Reader,
        record: &Record,
        tags: &BTreeSet<&str>,
    ) -> Vec<CombinationOnCase> {
        let (scopes, compiled) = (scopes_of(record), self.compiled_tags());
        self.warnings.read(|state| {
            let seen = state.combinations.that_hold(tags).filter(|own| may_see(own, &compiled, reader));
            let shown = seen.map(|own| {
                let of_it = state.warnings.values().filter(|known| {
                    known.over.is_none()
                        && known.raised.about.name() == own.begun.watch
                        && scopes.contains(&known.raised.scope)
                });
                CombinationOnCase {
                    watched: own.begun.watch.clone(),
                    title: own.begun.title.clone(),
                    condition: own.begun.condition.clone(),
                    reason: own.begun.reason.clone(),
                    warnings: of_it.map(on_case).collect(),
                }
            });
            shown.filter(|own| !own.warnings.is_empty()).collect()
        })
    }

    /// Ids of watched combinations that a reader may not know of.
    pub(crate) fn combinations_above(&self, reader: &Reader) -> Vec<String> {
        let compiled = self.compiled_tags();
        self.warnings.read(|state| {
            let above = state.combinations.all().filter(|own| !may_see(own, &compiled, reader));
            above.map(|own| own.begun.watch.clone()).collect()
        })
    }

    /// Takes from the payload of an event of this room what tells of warnings and tags that a reader may not see, who may
    /// not see everything: their ids, and how many series there are.
    pub(crate) fn hide_warnings(&self, reader: &Reader, kind: &str, payload: &mut Value) {
        let of_room = [DAY_ENDED, RAISED, TAGS_IN_USE].contains(&kind);
        let Some(fields) = payload.as_object_mut().filter(|_| of_room) else { return };
        if kind == TAGS_IN_USE {
            // Of a tag that is in use no more nobody knows how secret it was.
            fields.remove("gone");
            let compiled = self.compiled_tags();
            if let Some(tags) = fields.get_mut("tags").and_then(Value::as_object_mut) {
                tags.retain(|tag, _| compiled.visible(reader.clearance(), tag).is_some());
            }
            return;
        }
        fields.remove("series");
        fields.remove("left_out");
        if let Some(bound) = fields.get_mut("bound") {
            *bound = bound.as_f64().map(tenths).map_or(Value::Null, Value::from);
        }
        let Some(over) = fields.get_mut("over").and_then(Value::as_array_mut) else { return };
        let compiled = self.compiled_tags();
        self.warnings.read(|state| {
            over.retain(|id| {
                let known = id.as_str().and_then(|id| state.warnings.get(id));
                known.is_some_and(|known| may_know(known.raised.about.name(), state, &compiled, reader))
            });
        });
    }

    /// What the series of a warning is called that a reader may see, and whether somebody has taken note of it.
    pub(super) fn known_warning(&self, reader: &Reader, id: &str) -> Result<(String, bool), Error> {
        Self::may_see_warnings(reader)?;
        let compiled = self.compiled_tags();
        let known = self.warnings.read(|state| {
            let known = state.warnings.get(id)?;
            let name = known.raised.about.name();
            may_know(name, state, &compiled, reader).then(|| (name.to_owned(), known.acknowledged.is_some()))
        });
        known.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "warning_unknown",
                "there is no such warning",
                "Look at the list of warnings.",
            )
        })
    }

    fn warning(&self, known: &Known, told: Told, all_known: bool) -> Warning {
        let raised = &known.raised;
        let (tag, combination) = match raised.about.clone() {
            About::Tag { tag, tag_version } => (Some((tag, tag_version)), None),
            About::Watched { watched, condition } => (None, Some((watched, condition))),
        };
        let (tag, tag_version) = tag.unzip();
        let (watched, condition) = combination.unzip();
        Warning {
            id: raised.warning.clone(),
            tag,
            tag_version,
            watched,
            condition,
            title: told.title,
            hint: told.hint,
            scope: raised.scope.clone(),
            standing: known.standing(),
            since: raised.since,
            day: raised.day,
            raised_at: known.raised_at,
            position: known.position,
            days: raised.days,
            observed: raised.observed,
            expected: raised.expected,
            sum: raised.sum,
            bound: if all_known { raised.bound } else { tenths(raised.bound) },
            series: all_known.then_some(raised.series),
            acknowledged: known.acknowledged.as_ref().map(|own| Acknowledgement {
                by: own.by.clone(),
                by_name: self.name_of(&own.by),
                at: own.at,
                note: own.note.clone(),
            }),
            over: known.over,
            declarations: None,
            hits: None,
            chart: Vec::new(),
        }
    }
}

/// A bound down to tenths: from all its digits the number of series could be told. Down, as the sum has passed it.
fn tenths(bound: f64) -> f64 {
    (bound * 10.0).floor() / 10.0
}

fn on_case(known: &Known) -> WarningOnCase {
    WarningOnCase {
        id: known.raised.warning.clone(),
        scope: known.raised.scope.clone(),
        since: known.raised.since,
    }
}

/// The last day of a warning's series of which anything is to be told.
fn last_day(state: &State, known: &Known) -> i32 {
    known.over.map_or_else(|| state.last_day().max(day(known.raised.day)), day)
}

/// Declarations that carry it since the first day of the episode, up to its last, or to now.
fn carrying_since(state: &State, known: &Known) -> u64 {
    let series = Series { tag: known.raised.about.name(), scope: &known.raised.scope };
    // What came after the last day that was looked at is there, too.
    let last = known.over.map_or(i32::MAX, day);
    state.counts.carrying(series, day(known.raised.since), last)
}

/// The latest days of a warning's series, as far back as its tags mean what they meant when it was raised; of one that is
/// over, up to then.
pub(super) fn chart(state: &State, known: &Known) -> Vec<DayOfWarning> {
    let raised = &known.raised;
    let last = last_day(state, known);
    let series = Series { tag: raised.about.name(), scope: &raised.scope };
    let days = state.counts.days(series, last, known.from);
    let first = last.saturating_add(1).saturating_sub(i32::try_from(days.len()).unwrap_or(0));
    let since = usize::try_from(day(raised.since).saturating_sub(first)).unwrap_or(0);
    let until = usize::try_from(day(raised.day).saturating_sub(first)).unwrap_or(0);
    let in_episode = days.get(since..=until).unwrap_or_default();
    let declared: f64 = in_episode.iter().map(|own| f64::from(own.declarations)).sum();
    let share = if declared > 0.0 { raised.expected / declared } else { 0.0 };
    let drawn_from = last.saturating_sub(CHART_DAYS);
    let mut smoothed = None;
    let all = (first..=last).zip(&days).map(|(day, own)| {
        smoothed = smooth(smoothed, own);
        let expected = share * f64::from(own.declarations);
        let (declarations, carrying) = (own.declarations, own.carrying);
        (day, DayOfWarning { day: date(day), declarations, carrying, expected, smoothed })
    });
    all.filter(|(day, _)| *day > drawn_from).map(|(_, own)| own).collect()
}
