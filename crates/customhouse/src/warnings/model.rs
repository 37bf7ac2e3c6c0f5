//! Warnings as readers see them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use spine::{LocalizedText, Sensitivity};

use super::event::Scope;
use crate::declarations::HitRate;

/// How a warning stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has taken note of it.
    Open,
    /// Somebody has; it goes on.
    Acknowledged,
    /// Its episode is over.
    Over,
}

impl Standing {
    /// All of them, in the order of lists.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Over];

    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Over => "over",
        }
    }
}

/// What is asked of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WarningsQuery {
    /// Those that stand so, by the name of a [`Standing`]; empty: all.
    pub standing: String,
    /// Those of this tag, or of this watched combination; empty: all.
    pub tag: String,
    /// Page, from 1.
    pub page: usize,
}

/// Who has taken note, and what they wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acknowledgement {
    /// Account.
    pub by: String,
    /// Its name.
    pub by_name: String,
    /// When.
    pub at: Timestamp,
    /// What comes of it.
    pub note: String,
}

/// A day of the series.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DayOfWarning {
    /// The day (UTC).
    pub day: Date,
    /// Declarations in the scope whose tags became known that day.
    pub declarations: u32,
    /// Those that carry the tag.
    pub carrying: u32,
    /// How many were to be expected at most, by what was usual when the warning was raised.
    pub expected: f64,
    /// Share of declarations that carry it, smoothed day by day; `None` before the first declaration.
    pub smoothed: Option<f64>,
}

/// A warning.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Warning {
    /// Its id.
    pub id: String,
    /// The tag, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The tag's version when the warning was raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_version: Option<u32>,
    /// The watched combination, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watched: Option<String>,
    /// The combination's condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What officers call it.
    pub title: LocalizedText,
    /// What to look for; of a combination, why it is watched.
    pub hint: LocalizedText,
    /// Where it is more frequent than usual.
    pub scope: Scope,
    /// How it stands.
    pub standing: Standing,
    /// The first day of the episode.
    pub since: Date,
    /// The day at whose end it was raised.
    pub day: Date,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Position of that event.
    pub position: u64,
    /// Days of the episode by then.
    pub days: u64,
    /// Declarations that carried it in these days.
    pub observed: u64,
    /// How many were to be expected at most.
    pub expected: f64,
    /// The sum that passed
    pub sum: f64,
    /// this bound; down to tenths where some of the series are above the reader's clearance, and in short lists.
    pub bound: f64,
    /// Series that were watched; `None` where some of them are above the reader's clearance.
    pub series: Option<u64>,
    /// Who has taken note.
    pub acknowledged: Option<Acknowledgement>,
    /// The day at whose end it was over.
    pub over: Option<Date>,
    /// Declarations in the scope that carry it since the first day, as far as days are kept; `None` in short lists,
    /// and of a combination that is watched no more.
    pub declarations: Option<u64>,
    /// What inspections of them found, as far as they are among the latest 400 that were inspected and carry it anywhere;
    /// the others are unknown. Restricted, `None` otherwise and in short lists.
    pub hits: Option<HitRate>,
    /// Days of the series, the earliest first; none in short lists, and of a combination that is watched no more.
    pub chart: Vec<DayOfWarning>,
}

/// A page of warnings: open ones, then acknowledged ones, then those that are over, each the latest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WarningsPage {
    /// Warnings of the page.
    pub warnings: Vec<Warning>,
    /// How many there are.
    pub total: u64,
    /// Series that are watched and that the reader may know of: a tag, or a combination, in a scope.
    pub series: u64,
    /// False alarms a year, in all series together, at most.
    pub false_alarms_a_year: f64,
    /// Position up to which declarations are counted.
    pub position: u64,
    /// Is anything in this house made up?
    pub simulated: bool,
}

/// Open warnings in short.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpenWarnings {
    /// How many are open.
    pub total: u64,
    /// The latest.
    pub latest: Vec<Warning>,
}

/// That a tag of a declaration is more frequent than usual where the declaration belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarningOnCase {
    /// The warning.
    pub id: String,
    /// Where.
    pub scope: Scope,
    /// Since when.
    pub since: Date,
}

/// A combination of tags that is to be watched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewWatch {
    /// What people call it, 1 to 120 characters.
    pub title: String,
    /// A condition on tags: their ids with `&&`, `||`, `!` and brackets.
    pub condition: String,
    /// Why it is watched, and what to look for, 1 to 1,000 characters.
    pub reason: String,
}

/// A combination of tags that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// Id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// The condition.
    pub condition: String,
    /// The tags that it names.
    pub tags: Vec<String>,
    /// Those of them that are in use no more: nothing carries them.
    pub missing: Vec<String>,
    /// Why it is watched, and what to look for.
    pub reason: String,
    /// As secret as the most secret of its tags.
    pub sensitivity: Sensitivity,
    /// Account of who watches it.
    pub by: String,
    /// Its name.
    pub by_name: String,
    /// Since when.
    pub at: Timestamp,
    /// Position of that event.
    pub position: u64,
    /// Declarations whose tags became known in the last 60 days and today.
    pub declarations: u64,
    /// Those for which it holds.
    pub carrying: u64,
    /// Its warnings that are not over.
    pub warnings: u64,
}

/// A watched combination that holds of a declaration and is more frequent than usual where the declaration belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CombinationOnCase {
    /// Id.
    pub watched: String,
    /// What people call it.
    pub title: String,
    /// The condition.
    pub condition: String,
    /// Why it is watched, and what to look for.
    pub reason: String,
    /// Where it is more frequent.
    pub warnings: Vec<WarningOnCase>,
}
