//! Beginning and ending to watch a combination of tags, and the list of what is watched.

use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};
use spine::Sensitivity;

use super::commands::{FOLLOW_MAX, NOTE_CHARACTERS_MAX};
use super::counts::Series;
use super::event::{Scope, WATCH_BEGUN, WATCH_ENDED, WATCH_STREAM, WatchBegun, WatchEnded};
use super::model::{NewWatch, Watched};
use super::read_model::CHART_DAYS;
use super::state::{State, day_of};
use super::watched::{Combination, Combinations};
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::tags::{Compiled, Condition, Seen};
use crate::{Customhouse, Fact};

/// Combinations watched at once, at most: each is asked of every declaration.
pub const WATCHED_MAX: usize = 100;
/// Longest title of a combination.
pub const WATCH_TITLE_CHARACTERS_MAX: usize = 120;
/// Digits of a combination's id after its beginning. No tag's id has a hyphen, so none is mistaken for another.
const ID_DIGITS: usize = 12;
const ID_PREFIX: &str = "watch-";

impl Customhouse {
    /// Watches a combination of tags from now on, its past included: how often it holds, in each scope, is a series like
    /// that of a tag.
    ///
    /// # Errors
    /// `not_permitted`, `watch_text`, `selection_refused`, `watch_without_tags`, `watch_known`, `too_many_watched`.
    pub fn watch_combination(&self, reader: &Reader, new: &NewWatch) -> Result<Watched, Error> {
        reader.require(Permission::ManagePlans)?;
        Self::may_see_warnings(reader)?;
        let title = text("title", &new.title, WATCH_TITLE_CHARACTERS_MAX)?;
        let reason = text("reason", &new.reason, NOTE_CHARACTERS_MAX)?;
        let seen = Seen { compiled: self.compiled_tags(), clearance: reader.clearance() };
        let source = new.condition.trim();
        let tags = Condition::read(source, &seen)?.named();
        if tags.is_empty() {
            return Err(Error::new(
                Kind::Invalid,
                "watch_without_tags",
                "the condition holds of every declaration, or of none",
                "Name the tags that are to be watched together, such as `a && !b`.",
            ));
        }
        let (all, version) = Combinations::read(self.journal.as_ref())?;
        refuse_more(&all, source)?;
        let sensitivities = tags.iter().filter_map(|tag| seen.tag(tag)).map(|tag| tag.sensitivity);
        let begun = WatchBegun {
            watch: id(title, source, version),
            title: title.to_owned(),
            condition: source.to_owned(),
            sensitivity: sensitivities.fold(Sensitivity::Public, Sensitivity::max),
            tags,
            reason: reason.to_owned(),
        };
        let payload =
            serde_json::to_value(&begun).map_err(|error| Error::internal("warning_unwritable", &error))?;
        self.record(reader, Fact::new(WATCH_STREAM, WATCH_BEGUN, payload).expecting(version))?;
        self.warnings.follow(self.journal.as_ref(), FOLLOW_MAX)?;
        self.find_watched(reader, &begun.watch)
    }

    /// Watches a combination no more. Its warnings stay, and are over at the end of the day. Answers with the event's
    /// position.
    ///
    /// # Errors
    /// `not_permitted`, `watch_text`, `watch_unknown`.
    pub fn unwatch_combination(&self, reader: &Reader, id: &str, reason: &str) -> Result<u64, Error> {
        reader.require(Permission::ManagePlans)?;
        Self::may_see_warnings(reader)?;
        let reason = text("reason", reason, NOTE_CHARACTERS_MAX)?;
        let (all, version) = Combinations::read(self.journal.as_ref())?;
        let compiled = self.compiled_tags();
        let own =
            all.watched().find(|own| own.begun.watch == id).filter(|own| may_see(own, &compiled, reader));
        let own = own.ok_or_else(watch_unknown)?;
        let ended =
            WatchEnded { watch: id.to_owned(), tags: own.begun.tags.clone(), reason: reason.to_owned() };
        let fact = Fact::new(WATCH_STREAM, WATCH_ENDED, json!(ended)).expecting(version);
        let position = self.record(reader, fact)?;
        self.warnings.follow(self.journal.as_ref(), FOLLOW_MAX)?;
        Ok(position)
    }

    /// Combinations that are watched and that a reader may see, the latest first.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn watched_combinations(&self, reader: &Reader) -> Result<Vec<Watched>, Error> {
        Self::may_see_warnings(reader)?;
        let compiled = self.compiled_tags();
        let today = day_of(self.now());
        // What is watched is told by the journal; counts may be a little behind it.
        let (all, _) = Combinations::read(self.journal.as_ref())?;
        let mut found: Vec<Watched> = self.warnings.read(|state| {
            let seen = all.watched().filter(|own| may_see(own, &compiled, reader));
            seen.map(|own| self.watched(state, own, &compiled, today)).collect()
        });
        found.sort_by_key(|own| std::cmp::Reverse(own.position));
        Ok(found)
    }

    /// Counts what was declared up to now, for at most so long; answers whether everything is counted.
    ///
    /// # Errors
    /// `event_unreadable`, what the journal says.
    pub fn count_for_warnings(&self, most: Duration) -> Result<bool, Error> {
        self.warnings.follow(self.journal.as_ref(), most)
    }

    fn find_watched(&self, reader: &Reader, id: &str) -> Result<Watched, Error> {
        let all = self.watched_combinations(reader)?;
        all.into_iter().find(|own| own.id == id).ok_or_else(watch_unknown)
    }

    fn watched(&self, state: &State, own: &Combination, compiled: &Compiled, today: i32) -> Watched {
        let begun = &own.begun;
        let series = Series { tag: &begun.watch, scope: &Scope::Everywhere };
        let days = state.counts.days(series, today, Some(today.saturating_sub(CHART_DAYS)));
        let total =
            |count: &dyn Fn(&::tags::warning::Day) -> u32| days.iter().map(|day| u64::from(count(day))).sum();
        let missing = begun.tags.iter().filter(|tag| !compiled.places.contains_key(*tag));
        let open = state
            .warnings
            .values()
            .filter(|known| known.over.is_none() && known.raised.about.name() == begun.watch);
        Watched {
            id: begun.watch.clone(),
            title: begun.title.clone(),
            condition: begun.condition.clone(),
            tags: begun.tags.clone(),
            missing: missing.cloned().collect(),
            reason: begun.reason.clone(),
            sensitivity: own.sensitivity(compiled),
            by: own.by.clone(),
            by_name: self.name_of(&own.by),
            at: own.at,
            position: own.position,
            declarations: total(&|day| day.declarations),
            carrying: total(&|day| day.carrying),
            warnings: u64::try_from(open.count()).unwrap_or(u64::MAX),
        }
    }
}

/// May a reader know of a combination?
pub(super) fn may_see(own: &Combination, compiled: &Compiled, reader: &Reader) -> bool {
    own.sensitivity(compiled) <= reader.clearance()
}

fn refuse_more(all: &Combinations, source: &str) -> Result<(), Error> {
    if all.watched().any(|own| own.begun.condition == source) {
        return Err(Error::new(
            Kind::Conflict,
            "watch_known",
            "this combination is watched already",
            "Look at the list of what is watched.",
        ));
    }
    if all.watched().count() >= WATCHED_MAX {
        return Err(Error::new(
            Kind::Conflict,
            "too_many_watched",
            format!("{WATCHED_MAX} combinations are watched already"),
            "Stop watching some of them first.",
        ));
    }
    Ok(())
}

/// A text without blanks around it, neither empty nor too long.
fn text<'a>(what: &str, text: &'a str, characters_max: usize) -> Result<&'a str, Error> {
    let text = text.trim();
    if (1..=characters_max).contains(&text.chars().count()) {
        return Ok(text);
    }
    Err(Error::new(
        Kind::Invalid,
        "watch_text",
        format!("the {what} is empty or too long"),
        format!("Give a {what} of 1 to {characters_max} characters."),
    ))
}

fn watch_unknown() -> Error {
    Error::new(
        Kind::NotFound,
        "watch_unknown",
        "no such combination is watched",
        "Look at the list of what is watched.",
    )
}

/// An id that tells nothing of what it is about.
fn id(title: &str, condition: &str, version: u64) -> String {
    let said = format!("{version}\n{title}\n{condition}");
    let digits = hex::encode(Sha256::digest(said.as_bytes())).chars().take(ID_DIGITS).collect::<String>();
    format!("{ID_PREFIX}{digits}")
}
