//! The past that is learnt from and the later months of trial.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::document::Split;
use crate::history::{History, date_of, day_number};
use crate::statistics::number::{count, float_of, whole_length};

/// Fewer than these, and nothing is learnt or tried.
const LEARNING_MIN: usize = 200;
const LEARNING_FINDS_MIN: usize = 20;
const TRIAL_MIN: usize = 100;
const TRIAL_FINDS_MIN: usize = 10;
/// Share of inspections meant for learning.
const LEARNING_SHARE: f64 = 0.75;

/// Learning and trial, as units.
#[derive(Debug, Clone)]
pub(crate) struct Period {
    /// Inspected units with a known outcome before the cut, by day.
    pub(crate) learning: Vec<u32>,
    /// All units from the cut on, inspected or not, by number.
    pub(crate) trial: Vec<u32>,
    /// Dates and counts.
    pub(crate) split: Split,
}

/// First day of trial: the beginning of a month near the three-quarter mark where there are months enough, else that
/// day itself.
fn first_trial_day(days: &[i32]) -> Option<i32> {
    let target = whole_length(float_of(days.len()) * LEARNING_SHARE);
    let mut months: BTreeMap<Date, usize> = BTreeMap::new();
    for (at, day) in days.iter().enumerate() {
        months.entry(date_of(*day).first_of_month()).or_insert(at);
    }
    let near = months
        .iter()
        .filter(|(_, before)| {
            let share = float_of(**before) / float_of(days.len());
            (0.55..=0.9).contains(&share)
        })
        .min_by_key(|(_, before)| before.abs_diff(target))
        .map(|(month, _)| day_number(*month));
    if months.len() >= 4 && near.is_some() { near } else { days.get(target).copied() }
}

impl Period {
    /// Splits the history, or says nothing where there is too little of it.
    pub(crate) fn new(history: &History<'_>) -> Option<Self> {
        let mut known: Vec<(i32, u32)> = history
            .known
            .iter()
            .map(|unit| (history.day(unit), unit))
            .filter(|(day, _)| *day != i32::MIN)
            .collect();
        known.sort_unstable();
        let days: Vec<i32> = known.iter().map(|(day, _)| *day).collect();
        let cut = first_trial_day(&days)?;
        let learning: Vec<u32> = known.iter().filter(|(day, _)| *day < cut).map(|(_, unit)| *unit).collect();
        let trial: Vec<u32> = (0..crate::statistics::number::position(history.units()))
            .filter(|unit| history.day(*unit) >= cut)
            .collect();
        let finds = |units: &[u32]| units.iter().filter(|unit| history.fate(**unit).find()).count();
        let trial_known = trial.iter().filter(|unit| history.fate(**unit).known()).count();
        let (learning_finds, trial_finds) = (finds(&learning), finds(&trial));
        let enough = learning.len() >= LEARNING_MIN
            && learning_finds >= LEARNING_FINDS_MIN
            && learning.len().saturating_sub(learning_finds) >= LEARNING_FINDS_MIN
            && trial_known >= TRIAL_MIN
            && trial_finds >= TRIAL_FINDS_MIN
            && trial_finds < trial_known;
        if !enough {
            return None;
        }
        let split = Split {
            learning_from: date_of(*days.first()?),
            learning_to: date_of(history.day(*learning.last()?)),
            trial_from: date_of(trial.iter().map(|unit| history.day(*unit)).min()?),
            trial_to: date_of(trial.iter().map(|unit| history.day(*unit)).max()?),
            learning_inspected: count(learning.len()),
            learning_finds: count(learning_finds),
            trial_units: count(trial.len()),
            trial_inspected: count(trial_known),
            trial_finds: count(trial_finds),
        };
        Some(Self { learning, trial, split })
    }
}
