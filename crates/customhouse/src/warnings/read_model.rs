//! Warnings as readers see them: what is above their clearance does not exist.

use std::cmp::Reverse;

use ::tags::TagDefinition;
use ::tags::warning::{Settings, watch};
use rusqlite::{Connection, OptionalExtension};
use spine::Sensitivity;

use super::counts::Series;
use super::event::Scope;
use super::model::{
    Acknowledgement, DayOfWarning, OpenWarnings, Standing, Warning, WarningOnCase, WarningsPage,
    WarningsQuery,
};
use super::state::{FALSE_ALARMS_A_YEAR, Known, State, date, day};
use crate::Customhouse;
use crate::civil_time::day_begins;
use crate::declarations::HitRate;
use crate::error::{Error, Kind};
use crate::flow::any_simulated;
use crate::identity::{Permission, Reader};
use crate::projection::Record;
use crate::tags::live::Epoch;

/// Warnings of a page.
const PAGE_ROWS: usize = 50;
/// Days of a chart.
const CHART_DAYS: i32 = 60;
/// Declarations of a warning that are counted: the latest that belong to its scope.
const COUNTED_MAX: u64 = 2_000;
/// Declarations with a warning's tag that are looked through for them, wherever they belong.
const LOOKED_THROUGH_MAX: usize = 200_000;

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
    fn may_see_warnings(reader: &Reader) -> Result<(), Error> {
        reader.require(Permission::ViewTags)?;
        reader.require(Permission::ViewDeclarations)
    }

    /// Warnings that a reader may see and that fit, in the order of lists.
    fn warnings_that(&self, reader: &Reader, fits: impl Fn(&Known) -> bool) -> Vec<(Known, TagDefinition)> {
        let compiled = self.compiled_tags();
        let mut found: Vec<(Known, TagDefinition)> = self.warnings.read(|state| {
            let all = state.warnings.values().filter(|known| fits(known));
            let seen = all.filter_map(|known| {
                let tag = compiled.visible(reader.clearance(), &known.raised.tag)?;
                Some((known.clone(), tag.clone()))
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
                && (tag.is_empty() || known.raised.tag == tag)
        });
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let skip = query.page.saturating_sub(1).saturating_mul(PAGE_ROWS);
        let mut warnings = Vec::new();
        for (known, tag) in found.into_iter().skip(skip).take(PAGE_ROWS) {
            let mut warning = self.warning(&known, tag);
            warning.chart = self.warnings.read(|state| chart(state, &known));
            self.look_at_declarations(reader, &known, &mut warning)?;
            warnings.push(warning);
        }
        let (series, position) = self.warnings.read(|state| (state.counts.series(), state.position));
        Ok(WarningsPage {
            warnings,
            total,
            series,
            false_alarms_a_year: FALSE_ALARMS_A_YEAR,
            position,
            simulated: self.projection.read(any_simulated)?,
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
            latest: found.into_iter().take(limit).map(|(known, tag)| self.warning(&known, tag)).collect(),
        })
    }

    /// Warnings that are not over, by tag, of scopes to which a declaration belongs. Whoever calls this has seen to it
    /// that the reader may see the tags.
    pub(crate) fn warnings_on(&self, record: &Record, tag: &str) -> Vec<WarningOnCase> {
        let scopes = scopes_of(record);
        self.warnings.read(|state| {
            let of_tag = state.warnings.values().filter(|known| {
                known.over.is_none() && known.raised.tag == tag && scopes.contains(&known.raised.scope)
            });
            let shown = of_tag.map(|known| WarningOnCase {
                id: known.raised.warning.clone(),
                scope: known.raised.scope.clone(),
                since: known.raised.since,
            });
            shown.collect()
        })
    }

    /// The tag of a warning that a reader may see, and whether somebody has taken note of it.
    pub(super) fn known_warning(&self, reader: &Reader, id: &str) -> Result<(String, bool), Error> {
        Self::may_see_warnings(reader)?;
        let compiled = self.compiled_tags();
        let known = self.warnings.read(|state| {
            let known = state.warnings.get(id)?;
            compiled.visible(reader.clearance(), &known.raised.tag)?;
            Some((known.raised.tag.clone(), known.acknowledged.is_some()))
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

    fn warning(&self, known: &Known, tag: TagDefinition) -> Warning {
        let raised = &known.raised;
        Warning {
            id: raised.warning.clone(),
            tag: raised.tag.clone(),
            tag_version: raised.tag_version,
            title: tag.title,
            hint: tag.inspection_hint,
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
            bound: raised.bound,
            series: raised.series,
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

    /// What is known of the declarations since the first day of the episode, up to its last: of the latest
    /// [`COUNTED_MAX`] in the warning's scope, as far as they are among the latest [`LOOKED_THROUGH_MAX`] with its tag.
    fn look_at_declarations(
        &self,
        reader: &Reader,
        known: &Known,
        warning: &mut Warning,
    ) -> Result<(), Error> {
        let epoch = self.matrix.epoch()?;
        let (mut carrying, mut inspected, mut irregular) = (0_u64, 0_u64, 0_u64);
        self.projection.read(|connection| {
            for mrn in since(&epoch, known) {
                if carrying >= COUNTED_MAX {
                    break;
                }
                let Some((scopes, seen, bad)) = outcome(connection, mrn)? else { continue };
                if scopes.contains(&known.raised.scope) {
                    carrying = carrying.saturating_add(1);
                    inspected = inspected.saturating_add(u64::from(seen));
                    irregular = irregular.saturating_add(u64::from(bad));
                }
            }
            Ok(())
        })?;
        warning.declarations = Some(carrying);
        warning.hits =
            (reader.clearance() >= Sensitivity::Restricted).then(|| HitRate::of(inspected, irregular));
        Ok(())
    }
}

fn scopes_of(record: &Record) -> Vec<Scope> {
    let (commodity, origin) = (record.commodity.as_deref(), record.origin.as_deref());
    Scope::of(Some(&record.office), commodity, origin, record.departure.as_deref())
}

/// Numbers of the declarations that carry a warning's tag in its episode, in whatever scope, the latest first.
fn since<'a>(epoch: &'a Epoch, known: &Known) -> impl Iterator<Item = &'a str> {
    let at = |date| day_begins(date).map_or(i64::MIN, jiff::Timestamp::as_microsecond);
    let from = at(known.raised.since);
    let until = known.over.and_then(|over| over.tomorrow().ok()).map_or(i64::MAX, at);
    let place = epoch.tags().position(|own| own == known.raised.tag);
    let carriers = place.and_then(|place| epoch.of_declarations.carriers(u16::try_from(place).ok()?));
    let numbers = carriers.into_iter().flat_map(|all| all.iter().rev());
    let declarations = numbers.filter_map(|number| epoch.declaration(number));
    declarations
        .take_while(move |own| own.at >= from)
        .filter(move |own| own.at < until)
        .take(LOOKED_THROUGH_MAX)
        .map(|own| &*own.mrn)
}

/// Scopes of a declaration, whether it was inspected with a known result, and whether that was irregular.
fn outcome(connection: &Connection, mrn: &str) -> rusqlite::Result<Option<(Vec<Scope>, bool, bool)>> {
    let text = |row: &rusqlite::Row<'_>, at: usize| row.get::<_, Option<String>>(at);
    connection
        .prepare_cached(
            "SELECT office, commodity, origin, departure, inspected, irregular FROM declaration WHERE mrn = ?1",
        )?
        .query_row([mrn], |row| {
            let (office, commodity, origin, departure) =
                (text(row, 0)?, text(row, 1)?, text(row, 2)?, text(row, 3)?);
            let (inspected, irregular): (Option<bool>, Option<bool>) = (row.get(4)?, row.get(5)?);
            let seen = inspected == Some(true) && irregular.is_some();
            let scopes =
                Scope::of(office.as_deref(), commodity.as_deref(), origin.as_deref(), departure.as_deref());
            Ok((scopes, seen, seen && irregular == Some(true)))
        })
        .optional()
}

/// The latest days of a warning's series; of one that is over, up to then.
fn chart(state: &State, known: &Known) -> Vec<DayOfWarning> {
    let raised = &known.raised;
    let last = known.over.unwrap_or(raised.day);
    let last = if known.over.is_some() { day(last) } else { state.last_day().max(day(last)) };
    let days = state.counts.days(Series { tag: &raised.tag, scope: &raised.scope }, last);
    let settings = Settings { false_alarms_a_year: raised.false_alarms_a_year, series: raised.series };
    let first = last.saturating_add(1).saturating_sub(i32::try_from(days.len()).unwrap_or(0));
    let since = usize::try_from(day(raised.since).saturating_sub(first)).unwrap_or(0);
    let until = usize::try_from(day(raised.day).saturating_sub(first)).unwrap_or(0);
    let in_episode = days.get(since..=until).unwrap_or_default();
    let declared: f64 = in_episode.iter().map(|own| f64::from(own.declarations)).sum();
    let share = if declared > 0.0 { raised.expected / declared } else { 0.0 };
    let drawn_from = last.saturating_sub(CHART_DAYS);
    let all = (first..=last).zip(days.iter().enumerate());
    all.filter(|(day, _)| *day > drawn_from)
        .map(|(day, (at, own))| DayOfWarning {
            day: date(day),
            declarations: own.declarations,
            carrying: own.carrying,
            expected: share * f64::from(own.declarations),
            smoothed: watch(days.get(..=at).unwrap_or_default(), &settings).smoothed,
        })
        .collect()
}
