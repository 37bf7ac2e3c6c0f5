//! Early warning: is something more frequent than its own history says?
//!
//! A *series* is a tag, or some tags together, within an office, a commodity chapter or a route: for each day how many
//! declarations there were and how many of them carried it. Its expected rate is told from its own past, and a
//! cumulative sum (CUSUM, E. S. Page, "Continuous Inspection Schemes", Biometrika 41, 1954) of log-likelihood ratios
//! grows with each day on which more come than expected. It warns where the sum passes a bound.
//!
//! **How often it warns for nothing.** By G. Lorden ("Procedures for Reacting to a Change in Distribution", Annals of
//! Mathematical Statistics 42, 1971, theorem 2) the mean time to a false alarm is at least `exp(bound)` days. So with
//! `bound = ln(2 * series * 365 / n)`, two sums a series, at most `n` false alarms a year are to be expected in all series
//! together, if counts vary as assumed: each day like a Poisson count about the expected one, or as much more as they did
//! in the past. The rate from the past is the upper end of what it may be, so that a short past does not warn.
//!
//! Weekdays and seasons of trade do not matter, for rates are of the day's declarations.

/// What warnings are to be like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// False alarms a year, in all series together, at most.
    pub false_alarms_a_year: f64,
    /// Series that are watched.
    pub series: u64,
}

/// A day of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Day {
    /// Declarations.
    pub declarations: u32,
    /// Those that carried it.
    pub carrying: u32,
}

/// How a series stands at the end of its last day.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The bound that a sum must pass.
    pub bound: f64,
    /// The larger of the sums.
    pub sum: f64,
    /// Is it passed?
    pub warned: bool,
    /// Days since which the larger sum has not been 0: since then there may be more than usual. 0 where it is 0.
    pub days: usize,
    /// Declarations that carried it in these days.
    pub carrying: u64,
    /// How many were expected.
    pub expected: f64,
    /// Share of declarations that carried it, smoothed day by day (EWMA, S. W. Roberts, Technometrics 1, 1959).
    pub smoothed: Option<f64>,
}

/// How many times as frequent as usual: one sum is quickest to find the first, the other the second.
const TIMES: [f64; 2] = [2.0, 5.0];
/// Days of the past that tell what is usual.
const PAST_DAYS: usize = 180;
/// So many days before a day are left out of its past: what has begun is not usual yet.
const LEFT_OUT_DAYS: usize = 7;
/// With fewer days of the past nothing is expected.
const PAST_DAYS_MIN: usize = 14;
/// Declarations that carry it, in the days of a sum, before it may warn.
const CARRYING_MIN: u64 = 3;
/// Weight of a day in the smoothed share.
const SMOOTHING: f64 = 0.1;
/// Upper quantile of the normal distribution at 95 %.
const UPPER: f64 = 1.645;

impl Settings {
    /// The bound of each sum.
    #[must_use]
    pub fn bound(&self) -> f64 {
        let series = f64::from(u32::try_from(self.series.max(1)).unwrap_or(u32::MAX));
        let sums = f64::from(u32::try_from(TIMES.len()).unwrap_or(u32::MAX));
        (sums * series * 365.0 / self.false_alarms_a_year.max(f64::MIN_POSITIVE)).ln().max(0.0)
    }
}

/// Looks at the days of a series, the oldest first.
#[must_use]
pub fn watch(days: &[Day], settings: &Settings) -> Standing {
    let mut past = Past::default();
    let mut runs = [Run::default(); TIMES.len()];
    let mut smoothed: Option<f64> = None;
    for (at, day) in days.iter().enumerate() {
        if let Some(old) = at.checked_sub(LEFT_OUT_DAYS.saturating_add(1)) {
            past.come(days.get(old));
            past.go(old.checked_sub(PAST_DAYS).and_then(|older| days.get(older)));
        }
        smoothed = smooth(smoothed, day);
        let Some((expected, spread)) = past.expected(day.declarations) else { continue };
        for (run, times) in runs.iter_mut().zip(TIMES) {
            run.add(*day, expected, spread, times);
        }
    }
    let bound = settings.bound();
    let run = runs.into_iter().max_by(|a, b| a.sum.total_cmp(&b.sum)).unwrap_or_default();
    Standing {
        bound,
        sum: run.sum,
        warned: run.sum > bound && run.carrying >= CARRYING_MIN,
        days: run.days,
        carrying: run.carrying,
        expected: run.expected,
        smoothed,
    }
}

/// The smoothed share of declarations that carry it at the end of a day, from that at the end of the day before; `None`
/// before the first declaration. A day without any changes nothing.
#[must_use]
pub fn smooth(before: Option<f64>, day: &Day) -> Option<f64> {
    if day.declarations == 0 {
        return before;
    }
    let share = f64::from(day.carrying) / f64::from(day.declarations);
    Some(before.map_or(share, |before| before + SMOOTHING * (share - before)))
}

/// A sum and the days in which it grew from 0.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    sum: f64,
    days: usize,
    carrying: u64,
    expected: f64,
}

impl Run {
    fn add(&mut self, day: Day, expected: f64, spread: f64, times: f64) {
        // How much likelier is the day's count where it is so many times as frequent?
        let likelier = f64::from(day.carrying) * times.ln() - expected * (times - 1.0);
        self.sum += likelier / spread;
        if self.sum <= 0.0 {
            *self = Self::default();
            return;
        }
        self.days = self.days.saturating_add(1);
        self.carrying = self.carrying.saturating_add(u64::from(day.carrying));
        self.expected += expected;
    }
}

/// What is known of the past.
#[derive(Debug, Clone, Copy, Default)]
struct Past {
    days: usize,
    declarations: f64,
    carrying: f64,
    /// Sum of squared counts divided by their day's declarations, and of the declarations squared: enough for the spread.
    squares: f64,
}

impl Past {
    fn come(&mut self, day: Option<&Day>) {
        self.change(day, 1.0);
    }

    fn go(&mut self, day: Option<&Day>) {
        self.change(day, -1.0);
    }

    fn change(&mut self, day: Option<&Day>, by: f64) {
        let Some(day) = day.filter(|day| day.declarations > 0) else { return };
        let (declarations, carrying) = (f64::from(day.declarations), f64::from(day.carrying));
        self.days = if by > 0.0 { self.days.saturating_add(1) } else { self.days.saturating_sub(1) };
        self.declarations += by * declarations;
        self.carrying += by * carrying;
        self.squares += by * carrying * carrying / declarations;
    }

    /// How many are expected among so many declarations, at most; and how much wider days vary than Poisson counts, not
    /// below 1.
    fn expected(&self, declarations: u32) -> Option<(f64, f64)> {
        if self.days < PAST_DAYS_MIN || self.declarations < 1.0 {
            return None;
        }
        let upper = self.carrying + UPPER * (self.carrying + 1.0).sqrt() + 1.0;
        let expected = f64::from(declarations) * upper / self.declarations;
        let days = f64::from(u32::try_from(self.days).unwrap_or(u32::MAX));
        let rate = self.carrying / self.declarations;
        // Pearson's statistic: the sum over days of (count - expected)^2 / expected, divided by its degrees of freedom.
        let spread = if self.carrying > 0.0 {
            (self.squares / rate - self.carrying) / (days - 1.0).max(1.0)
        } else {
            1.0
        };
        Some((expected, spread.max(1.0)))
    }
}
