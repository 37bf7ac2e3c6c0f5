//! Payloads of the events of this room, and what a series is about.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use spine::Sensitivity;

/// Stream of the days that ended.
pub(super) const DAYS_STREAM: &str = "warnings";
/// A day has ended and was looked at.
pub(super) const DAY_ENDED: &str = "warnings.day_ended";
/// Tags that are in use from now on, or mean something else, or are gone.
pub(super) const TAGS_IN_USE: &str = "warnings.tags_in_use";
/// Something is more frequent than usual.
pub(super) const RAISED: &str = "warning.raised";
/// Somebody has taken note.
pub(super) const ACKNOWLEDGED: &str = "warning.acknowledged";

/// Stream of the combinations of tags that are watched.
pub(super) const WATCH_STREAM: &str = "watched";
/// Kinds of its events begin like this.
pub(crate) const WATCH_KINDS: &str = "watch.";
/// A combination of tags is watched from now on.
pub(super) const WATCH_BEGUN: &str = "watch.begun";
/// It is watched no more.
pub(super) const WATCH_ENDED: &str = "watch.ended";

/// Streams of warnings begin like this.
const STREAM_PREFIX: &str = "warning/";

/// The stream of a warning. It names the tag, or the watched combination, so that whoever may not see that does not see
/// the stream.
pub(super) fn stream(about: &str, id: &str) -> String {
    format!("{STREAM_PREFIX}{about}/{id}")
}

/// The id of the warning of a stream.
pub(super) fn warning_of(stream: &str) -> &str {
    stream.rsplit('/').next().unwrap_or_default()
}

/// Which declarations a series is about. Chapter and route are those of the first item, as lists of declarations have
/// them: a declaration belongs to one scope of each kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Scope {
    /// All of them.
    Everywhere,
    /// Those of an office.
    Office {
        /// Its number.
        office: String,
    },
    /// Those of a commodity chapter.
    Chapter {
        /// Its two digits.
        chapter: String,
    },
    /// Those of a route.
    Route {
        /// Country of origin, ISO 3166.
        origin: String,
        /// Country of departure, ISO 3166.
        departure: String,
    },
}

/// Kinds of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScopeKind {
    /// [`Scope::Everywhere`].
    Everywhere,
    /// [`Scope::Office`].
    Office,
    /// [`Scope::Chapter`].
    Chapter,
    /// [`Scope::Route`].
    Route,
}

impl ScopeKind {
    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Office => "office",
            Self::Chapter => "chapter",
            Self::Route => "route",
        }
    }
}

impl Scope {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ScopeKind {
        match self {
            Self::Everywhere => ScopeKind::Everywhere,
            Self::Office { .. } => ScopeKind::Office,
            Self::Chapter { .. } => ScopeKind::Chapter,
            Self::Route { .. } => ScopeKind::Route,
        }
    }

    /// What it is called beside its kind: `10`, `85`, `CN > HK`; empty for everywhere.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Everywhere => String::new(),
            Self::Office { office } => office.clone(),
            Self::Chapter { chapter } => chapter.clone(),
            Self::Route { origin, departure } => format!("{origin} > {departure}"),
        }
    }

    /// The scopes of a declaration, one of each kind that is known of it.
    pub(crate) fn of(
        office: Option<&str>,
        commodity: Option<&str>,
        origin: Option<&str>,
        departure: Option<&str>,
    ) -> Vec<Self> {
        let mut scopes = vec![Self::Everywhere];
        scopes.extend(office.map(|office| Self::Office { office: office.to_owned() }));
        let chapter = commodity.and_then(|code| code.get(..2));
        scopes.extend(chapter.map(|chapter| Self::Chapter { chapter: chapter.to_owned() }));
        if let (Some(origin), Some(departure)) = (origin, departure) {
            scopes.push(Self::Route { origin: origin.to_owned(), departure: departure.to_owned() });
        }
        scopes
    }
}

/// `warnings.day_ended`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DayEnded {
    /// The day.
    pub(super) day: Date,
    /// Position up to which everything was counted.
    pub(super) counted: u64,
    /// Series that were watched.
    pub(super) series: u64,
    /// Ids of warnings whose episode is over.
    pub(super) over: Vec<String>,
    /// Warnings that there would have been beyond those that are raised in one day at most.
    pub(super) left_out: u64,
}

/// `warnings.tags_in_use`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TagsInUse {
    /// The first whole day on which they mean this; none: nothing is known of the time before.
    pub(super) from: Option<Date>,
    /// Tags that are new or mean something else, each with a hash of what it marks.
    pub(super) tags: BTreeMap<String, String>,
    /// Tags that are in use no more.
    pub(super) gone: Vec<String>,
}

/// What a series is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum About {
    /// A tag.
    Tag {
        /// Its id.
        tag: String,
        /// Its version then.
        tag_version: u32,
    },
    /// A combination of tags that is watched.
    Watched {
        /// Its id.
        watched: String,
        /// Its condition.
        condition: String,
    },
}

impl About {
    /// The name of its series: of the tag or of the watched combination.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Tag { tag, .. } => tag,
            Self::Watched { watched, .. } => watched,
        }
    }

    /// Version of `warning.raised`: the first is about tags only.
    pub(super) fn kind_version(&self) -> u32 {
        match self {
            Self::Tag { .. } => 1,
            Self::Watched { .. } => 2,
        }
    }
}

/// `warning.raised`, version 1 about a tag, version 2 about a watched combination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Raised {
    /// Its id.
    pub(super) warning: String,
    /// What is more frequent: `tag` and `tag_version`, or `watched` and `condition`.
    #[serde(flatten)]
    pub(super) about: About,
    /// Where it is more frequent.
    pub(super) scope: Scope,
    /// The day whose end it was.
    pub(super) day: Date,
    /// The first day of the episode.
    pub(super) since: Date,
    /// Days of the episode by then.
    pub(super) days: u64,
    /// Declarations that carried it in these days.
    pub(super) observed: u64,
    /// How many were to be expected at most.
    pub(super) expected: f64,
    /// The sum that passed
    pub(super) sum: f64,
    /// this bound.
    pub(super) bound: f64,
    /// False alarms a year, in all series together, at most.
    pub(super) false_alarms_a_year: f64,
    /// Series that were watched.
    pub(super) series: u64,
}

/// `warning.acknowledged`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Acknowledged {
    /// The warning.
    pub(super) warning: String,
    /// What its reader has to say.
    pub(super) note: String,
}

/// `watch.begun`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WatchBegun {
    /// Id of the combination.
    pub(super) watch: String,
    /// What people call it.
    pub(super) title: String,
    /// A condition on tags: their ids with `&&`, `||`, `!` and brackets.
    pub(super) condition: String,
    /// The tags that it names.
    pub(super) tags: Vec<String>,
    /// The class of the most secret of them.
    pub(super) sensitivity: Sensitivity,
    /// Why it is watched, and what to look for.
    pub(super) reason: String,
}

/// `watch.ended`, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WatchEnded {
    /// Id of the combination.
    pub(super) watch: String,
    /// The tags that it named, so that whoever may not see them does not see this.
    pub(super) tags: Vec<String>,
    /// Why it is watched no more.
    pub(super) reason: String,
}
