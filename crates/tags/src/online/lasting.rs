//! Tags that outlast their entry: raised on an enterprise or a route, carried for some days.

use std::sync::Arc;

use jiff::civil::Date;

use super::key::{Key, Keys};
use super::stream::{Holding, Keep, Span};
use super::tally::Tally;

/// An earlier entry that raised a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// The day of that entry.
    pub day: Date,
    /// Its declaration, and what the tag's condition read for it. Only kept of the latest entry that raised the tag;
    /// empty for one before.
    pub values: Vec<(String, String)>,
}

/// When a tag was raised on one subject.
#[derive(Debug, Default)]
struct Raised {
    days: Tally<()>,
    latest: Option<(i32, Arc<Raise>)>,
}

/// One tag's memory.
#[derive(Debug)]
pub(crate) struct Lasting {
    /// Position of the subject among the keys.
    pub(crate) key: usize,
    pub(crate) valid_days: i32,
    raised: Keys<Raised>,
    since: usize,
    /// So many subjects were left when it was last looked through.
    left: usize,
}

/// A memory is not looked through for what to let go before so many raises.
const SWEEP_RAISES_MIN: usize = 256;

impl Lasting {
    pub(crate) fn new(key: usize, valid_days: u16) -> Self {
        Self { key, valid_days: valid_days.into(), raised: Keys::default(), since: 0, left: 0 }
    }

    /// An entry raised the tag.
    pub(crate) fn remember(&mut self, key: Key, day: i32, raise: impl FnOnce() -> Option<Raise>) {
        let raised = self.raised.entry(key).or_default();
        raised.days.add(day, ());
        if raised.latest.as_ref().is_none_or(|(latest, _)| *latest <= day)
            && let Some(raise) = raise()
        {
            raised.latest = Some((day, Arc::new(raise)));
        }
        self.since = self.since.saturating_add(1);
    }

    /// The latest raise that still counts on a day.
    pub(crate) fn still_valid(&self, key: Key, day: i32) -> Option<Arc<Raise>> {
        let raised = self.raised.get(&key)?;
        let span = Span { from: day.saturating_sub(self.valid_days), to: day.saturating_add(1) };
        let last = raised.days.last_day(span)?;
        let (latest, raise) = raised.latest.as_ref()?;
        if *latest == last {
            return Some(Arc::clone(raise));
        }
        let before = i64::from(latest.saturating_sub(last));
        let day = raise.day.checked_sub(jiff::Span::new().try_days(before).ok()?).ok()?;
        Some(Arc::new(Raise { day, values: Vec::new() }))
    }

    /// Lets go of what no entry dated from `horizon` on asks for, once in a while.
    pub(crate) fn forget(&mut self, horizon: i32) {
        if self.since >= self.left.max(SWEEP_RAISES_MIN) {
            let keep = Keep { from: horizon.saturating_sub(self.valid_days), beginning: false };
            self.raised.retain(|raised| raised.days.forget(keep));
            (self.since, self.left) = (0, self.raised.len());
        }
    }

    /// Records held.
    pub(crate) fn held(&self) -> usize {
        self.raised.values().map(|raised| raised.days.held()).sum()
    }
}
