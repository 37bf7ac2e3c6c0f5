//! What the journal's events do to the counts and to warnings, and what the end of a day says. Pure: the same events
//! give the same warnings.

use std::collections::{BTreeMap, BTreeSet};

use ::tags::warning::{Day, Settings, Standing, watch};
use clearance::Event;
use jiff::Timestamp;
use jiff::civil::Date;
use journal::RecordedEvent;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spine::declaration::Declaration;

use super::counts::{Counts, DAYS_KEPT, Series};
use super::event::{
    ACKNOWLEDGED, About, Acknowledged, DAY_ENDED, DAYS_STREAM, DayEnded, RAISED, Raised, Scope, ScopeKind,
    TAGS_IN_USE, TagsInUse, WATCH_BEGUN, WATCH_STREAM, warning_of,
};
use super::in_use::InUse;
use super::watched::{Combinations, Followed};
use crate::civil_time::civil;
use crate::declarations::event::{AMENDED, CORRECTED, LODGED, STREAM_PREFIX, TAGS_APPLIED, TagsApplied};
use crate::error::Error;

/// False alarms a year, in all series together, at most. One a month: so rarely that each can be looked at by a person,
/// and so often that a rise by a factor of two is still found within days.
pub const FALSE_ALARMS_A_YEAR: f64 = 12.0;
/// Warnings raised at the end of one day at most; what goes beyond is one event with many faces, and is counted.
const RAISED_A_DAY_MAX: usize = 100;
/// Warnings kept; of more, those that were over first go.
const WARNINGS_KEPT_MAX: usize = 5_000;
/// Days that ended while nobody looked are looked at if they are not older than this: nobody acts on older ones.
const DAYS_LATE_MAX: i32 = 30;
/// Digits of a warning's id.
const ID_DIGITS: usize = 16;
const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// A warning as events have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) raised: Raised,
    pub(super) raised_at: Timestamp,
    pub(super) position: u64,
    pub(super) acknowledged: Option<KnownNote>,
    pub(super) over: Option<Date>,
    /// The first day of which anything was known of its series when it was raised, as far as that was later than the
    /// first of all: what it is about was new then, or had begun to mean what it means.
    pub(super) from: Option<i32>,
}

/// Who has taken note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownNote {
    pub(super) by: String,
    pub(super) at: Timestamp,
    pub(super) note: String,
}

/// Everything, as it stands at a position.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) position: u64,
    /// Id of the event at the position: another journal has another one.
    pub(super) event: String,
    /// Everything that was erased up to this position was gone before the first event was followed.
    begun_at: u64,
    /// Combinations begun up to this position were known before the first event was followed: they are counted from the
    /// first declaration on.
    watched_to: u64,
    /// Version of the stream of days.
    pub(super) version: u64,
    /// The last day that was looked at, in days since 1970.
    looked: Option<i32>,
    /// Series that were watched then.
    pub(super) series: u64,
    pub(super) counts: Counts,
    /// Since when tags mean what they mean.
    pub(super) in_use: InUse,
    /// Combinations of tags that are watched, or were.
    pub(super) combinations: Combinations,
    /// Is a combination watched whose past was not counted?
    pub(super) behind: bool,
    /// By id.
    pub(super) warnings: BTreeMap<String, Known>,
}

/// The day of a moment (UTC), in days since 1970.
pub(super) fn day_of(at: Timestamp) -> i32 {
    i32::try_from(at.as_microsecond().div_euclid(DAY_MICROSECONDS)).unwrap_or_default()
}

/// The date of a day.
pub(super) fn date(day: i32) -> Date {
    let at = Timestamp::from_microsecond(i64::from(day).saturating_mul(DAY_MICROSECONDS));
    civil(at.unwrap_or_default()).date()
}

/// The day of a date.
pub(super) fn day(date: Date) -> i32 {
    crate::civil_time::day_begins(date).map(day_of).unwrap_or_default()
}

impl State {
    /// Nothing was followed yet of a journal that reaches up to `head`. Combinations that are known to be watched are
    /// counted from the first declaration on.
    pub(super) fn begun_at(head: u64, combinations: Combinations) -> Self {
        // Some may have begun between the two looks at the journal.
        let watched_to = combinations.all().map(|own| own.position).fold(head, u64::max);
        Self { begun_at: head, watched_to, combinations, ..Self::default() }
    }

    /// May what was followed say something that was erased by now?
    pub(super) fn is_erased_by(&self, event: &RecordedEvent) -> bool {
        event.envelope.kind == crate::erasure::model::DONE && event.position > self.begun_at
    }

    pub(super) fn indexed(self) -> Self {
        Self { counts: self.counts.indexed(), combinations: self.combinations.indexed(), ..self }
    }

    /// Follows one event.
    ///
    /// # Errors
    /// `event_unreadable`.
    pub(super) fn apply(&mut self, event: &RecordedEvent) -> Result<(), Error> {
        self.follow(event)?;
        self.position = event.position;
        self.event.clone_from(&event.envelope.id);
        Ok(())
    }

    fn follow(&mut self, event: &RecordedEvent) -> Result<(), Error> {
        let (envelope, payload) = (&event.envelope, event.payload.value());
        if let Some(mrn) = envelope.stream.strip_prefix(STREAM_PREFIX) {
            return self.declared(mrn, event);
        }
        if envelope.stream == DAYS_STREAM {
            self.version = envelope.stream_version;
        }
        if envelope.stream == WATCH_STREAM {
            // What began so early and is not known has ended long ago and was forgotten, or was erased: there is no past
            // to count.
            if envelope.kind == WATCH_BEGUN && event.position <= self.watched_to {
                return Ok(());
            }
            match self.combinations.follow(event)? {
                Followed::Nothing => {}
                Followed::Begun => self.behind = true,
                Followed::Ended(id) => self.counts.forget(&id),
            }
            return Ok(());
        }
        let Some(payload) = payload else {
            if envelope.kind == ACKNOWLEDGED {
                self.acknowledged(event, warning_of(&envelope.stream), String::new());
            }
            return Ok(());
        };
        let unreadable = |error: serde_json::Error| Error::unreadable_event(event, &error);
        match envelope.kind.as_str() {
            TAGS_IN_USE => self.in_use.follow(TagsInUse::deserialize(payload).map_err(unreadable)?),
            DAY_ENDED => self.ended(&DayEnded::deserialize(payload).map_err(unreadable)?),
            RAISED => {
                let raised = Raised::deserialize(payload).map_err(unreadable)?;
                self.raised(raised, envelope.occurred_at, event.position);
            }
            ACKNOWLEDGED => {
                let own = Acknowledged::deserialize(payload).map_err(unreadable)?;
                self.acknowledged(event, &own.warning, own.note);
            }
            _ => {}
        }
        Ok(())
    }

    /// Of a note that was erased it stays who has taken note, and when.
    fn acknowledged(&mut self, event: &RecordedEvent, warning: &str, note: String) {
        if let Some(known) = self.warnings.get_mut(warning) {
            let (by, at) = (event.envelope.actor.id.clone(), event.envelope.occurred_at);
            known.acknowledged = Some(KnownNote { by, at, note });
        }
    }

    fn declared(&mut self, mrn: &str, event: &RecordedEvent) -> Result<(), Error> {
        let kind = event.envelope.kind.as_str();
        let Some(payload) = event.payload.value() else {
            // What was erased is still a declaration; where, nobody knows any more.
            if kind == LODGED {
                self.counts.lodged(mrn, None);
            }
            return Ok(());
        };
        match kind {
            LODGED | AMENDED | CORRECTED => {
                if kind != LODGED && !self.counts.waits(mrn) {
                    return Ok(());
                }
                let own = payload.get("declaration").filter(|own| !own.is_null());
                let declaration = own.map(Declaration::deserialize).transpose();
                let declaration = declaration.map_err(|error| Error::unreadable_event(event, &error))?;
                self.counts.lodged(mrn, declaration.as_ref());
            }
            TAGS_APPLIED => {
                let applied = TagsApplied::deserialize(payload)
                    .map_err(|error| Error::unreadable_event(event, &error))?;
                let day = day_of(event.envelope.occurred_at);
                let carried: BTreeSet<&str> = applied.tags.iter().map(|own| own.tag.as_str()).collect();
                let combined = self.combinations.that_hold(&carried).map(|own| own.begun.watch.as_str());
                self.counts.tagged(mrn, day, carried.iter().copied().chain(combined));
            }
            _ => {
                let read = Event::read(kind, event.envelope.kind_version, payload);
                if let Some(Ok(Event::Rejected { .. } | Event::Cancelled { .. })) = read {
                    self.counts.gone(mrn);
                }
            }
        }
        Ok(())
    }

    pub(super) fn raised(&mut self, raised: Raised, raised_at: Timestamp, position: u64) {
        let id = raised.warning.clone();
        let from = self.means_the_same_from(raised.about.name());
        let known = Known { raised, raised_at, position, acknowledged: None, over: None, from };
        self.warnings.insert(id, known);
        self.forget_oldest();
    }

    pub(super) fn ended(&mut self, ended: &DayEnded) {
        let day = day(ended.day);
        self.looked = self.looked.max(Some(day));
        self.series = ended.series;
        for id in &ended.over {
            if let Some(known) = self.warnings.get_mut(id) {
                known.over = Some(ended.day);
            }
        }
        self.counts.forget_before(day.saturating_sub(DAYS_KEPT).saturating_add(1));
    }

    fn forget_oldest(&mut self) {
        while self.warnings.len() > WARNINGS_KEPT_MAX {
            let over = self.warnings.iter().filter(|(_, known)| known.over.is_some());
            let oldest = over.min_by_key(|(_, known)| known.position).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { return };
            self.warnings.remove(&oldest);
        }
    }

    /// The last day that was looked at, in days since 1970; the first of all where none was.
    pub(super) fn last_day(&self) -> i32 {
        self.looked.unwrap_or_default()
    }

    /// The next day that has ended and was not looked at, as seen from a day that has not.
    pub(super) fn due(&self, today: i32) -> Option<i32> {
        let first = self.counts.first_day()?.max(today.saturating_sub(DAYS_LATE_MAX));
        let Some(looked) = self.looked else {
            // Where declarations came in before anybody looked, the latest day says what goes on; what was over before it
            // is nothing to warn of.
            return (first..today).rev().find(|day| self.counts.has(*day));
        };
        (looked.saturating_add(1).max(first)..today).find(|day| self.counts.has(*day))
    }

    /// The first whole day on which a tag means what it means, or all tags of a combination do; `None`: always.
    fn means_the_same_from(&self, name: &str) -> Option<i32> {
        match self.combinations.get(name) {
            Some(combination) => combination.begun.tags.iter().filter_map(|tag| self.in_use.from(tag)).max(),
            None => self.in_use.from(name),
        }
    }

    /// The days of a series up to one, as far back as its tags mean what they mean.
    fn days(&self, own: Series<'_>, last: i32) -> Vec<Day> {
        self.counts.days(own, last, self.means_the_same_from(own.tag))
    }

    /// Is it a combination whose past is still to be counted? Its series are zeros up to its beginning, which say nothing.
    fn waits_for_past(&self, name: &str) -> bool {
        self.combinations.get(name).is_some_and(|own| !own.ended && own.position > self.watched_to)
    }

    /// What a series is about, as long as it is looked at; `version` tells the version of a tag in use.
    fn about(&self, name: &str, version: impl Fn(&str) -> Option<u32>) -> Option<About> {
        if let Some(own) = self.combinations.get(name) {
            let (watched, condition) = (own.begun.watch.clone(), own.begun.condition.clone());
            let looked_at = !own.ended && !self.waits_for_past(name);
            return looked_at.then_some(About::Watched { watched, condition });
        }
        Some(About::Tag { tag: name.to_owned(), tag_version: version(name)? })
    }

    /// What the end of a day says; `version` tells the version of a tag in use.
    pub(super) fn end_of(&self, day: i32, version: impl Fn(&str) -> Option<u32>) -> (DayEnded, Vec<Raised>) {
        let series = self.counts.series();
        let settings = Settings { false_alarms_a_year: FALSE_ALARMS_A_YEAR, series };
        let mut open: BTreeMap<&str, BTreeSet<&Scope>> = BTreeMap::new();
        let mut over = Vec::new();
        for (id, known) in self.warnings.iter().filter(|(_, known)| known.over.is_none()) {
            let own = Series { tag: known.raised.about.name(), scope: &known.raised.scope };
            if !self.waits_for_past(own.tag) && watch(&self.days(own, day), &settings).days == 0 {
                over.push(id.clone());
            } else {
                open.entry(own.tag).or_default().insert(own.scope);
            }
        }
        let is_open = |own: &Series<'_>| open.get(own.tag).is_some_and(|scopes| scopes.contains(own.scope));
        let mut found: Vec<_> = self
            .counts
            .moved_on(day)
            .filter(|own| !is_open(own))
            .filter_map(|own| {
                Passed::of(own, self.about(own.tag, &version)?, &self.days(own, day), &settings)
            })
            .collect();
        // Where the same declarations make several series of a tag more frequent, the one that says it most clearly speaks
        // for all: the one with the fewest declarations without the tag where sums are the same, the wider one where these
        // are, too.
        found.sort_by(|one, other| {
            let sums = rounded(other.standing.sum).total_cmp(&rounded(one.standing.sum));
            sums.then_with(|| one.place().cmp(&other.place()))
        });
        let mut kinds: BTreeMap<&str, ScopeKind> = BTreeMap::new();
        for (tag, scopes) in &open {
            kinds.extend(scopes.first().map(|scope| (*tag, scope.kind())));
        }
        found.retain(|own| {
            let kind = own.series.scope.kind();
            *kinds.entry(own.series.tag).or_insert(kind) == kind
        });
        let left_out = u64::try_from(found.len().saturating_sub(RAISED_A_DAY_MAX)).unwrap_or(u64::MAX);
        found.truncate(RAISED_A_DAY_MAX);
        let raised = found.iter().map(|own| own.raised(day, series)).collect();
        (DayEnded { day: date(day), counted: self.position, series, over, left_out }, raised)
    }
}

/// A series whose sum has passed the bound.
struct Passed<'a> {
    series: Series<'a>,
    about: About,
    standing: Standing,
    /// Declarations in the days of the sum.
    declarations: u64,
}

impl<'a> Passed<'a> {
    /// `None` where it has not.
    fn of(series: Series<'a>, about: About, days: &[Day], settings: &Settings) -> Option<Self> {
        let standing = watch(days, settings);
        let episode = days.iter().rev().take(standing.days);
        let declarations = episode.map(|day| u64::from(day.declarations)).sum();
        standing.warned.then_some(Self { series, about, standing, declarations })
    }

    /// What the order is told by where sums are the same.
    fn place(&self) -> (u64, &'a str, &'a Scope) {
        (self.declarations, self.series.tag, self.series.scope)
    }

    fn raised(&self, day: i32, series: u64) -> Raised {
        let standing = &self.standing;
        let days = i32::try_from(standing.days).unwrap_or(DAYS_KEPT);
        Raised {
            warning: id(self.series, day),
            about: self.about.clone(),
            scope: self.series.scope.clone(),
            day: date(day),
            since: date(day.saturating_sub(days).saturating_add(1)),
            days: u64::try_from(standing.days).unwrap_or(u64::MAX),
            observed: standing.carrying,
            expected: rounded(standing.expected),
            sum: rounded(standing.sum),
            bound: rounded(standing.bound),
            false_alarms_a_year: FALSE_ALARMS_A_YEAR,
            series,
        }
    }
}

/// A warning's id: it tells nothing of what it is about, and the same events give the same.
fn id(series: Series<'_>, day: i32) -> String {
    let kind = series.scope.kind().name();
    let said = format!("{}\n{kind}\n{}\n{day}", series.tag, series.scope.name());
    hex::encode(Sha256::digest(said.as_bytes())).chars().take(ID_DIGITS).collect()
}

/// To thousandths: what is recorded is what is shown.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
