//! Early warning: it finds what has become more frequent, and keeps to its rate of false alarms.

use tags::warning::{Day, Settings, watch};

/// A small generator of Poisson counts; the same seed gives the same days.
struct Counts(u64);

impl Counts {
    fn uniform(&mut self) -> f64 {
        // Splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn poisson(&mut self, mean: f64) -> u32 {
        let (end, mut product, mut count) = ((-mean).exp(), self.uniform(), 0);
        while product > end {
            product *= self.uniform();
            count += 1;
        }
        count
    }

    fn days(&mut self, rates: impl Iterator<Item = f64>) -> Vec<Day> {
        rates.map(|mean| Day { declarations: 1_000, carrying: self.poisson(mean) }).collect()
    }
}

fn settings(series: u64) -> Settings {
    Settings { false_alarms_a_year: 12.0, series }
}

/// Counts of days, each so many times; of 100 declarations a day. Does it warn at the end?
fn check(days: &[(usize, u32)], expect: bool) {
    let days: Vec<Day> = days
        .iter()
        .flat_map(|(times, carrying)| {
            std::iter::repeat_n(Day { declarations: 100, carrying: *carrying }, *times)
        })
        .collect();
    let standing = watch(&days, &settings(1_000));
    assert_eq!(standing.warned, expect, "{standing:?}");
}

#[test]
fn it_warns_of_what_has_become_more_frequent() {
    check(&[(60, 2)], false);
    check(&[(60, 2), (1, 4)], false);
    check(&[(60, 2), (12, 8)], true);
    check(&[(60, 2), (2, 25)], true);
    // What has never been is warned of once it comes more than once or twice.
    check(&[(60, 0), (1, 2)], false);
    check(&[(60, 0), (3, 6)], true);
    // Of a short past nothing is told; nor of less than usual.
    check(&[(15, 2), (3, 25)], false);
    check(&[(60, 20), (30, 0)], false);
    // More declarations are no higher rate, and it is over when it is over.
    check(&[(60, 2), (12, 8), (40, 1)], false);
    let mut busy = vec![Day { declarations: 100, carrying: 2 }; 60];
    busy.extend(vec![Day { declarations: 2_000, carrying: 40 }; 10]);
    assert!(!watch(&busy, &settings(1_000)).warned);
}

#[test]
fn days_that_have_always_varied_widely_do_not_warn() {
    let wide: Vec<Day> =
        (0..120).map(|day| Day { declarations: 100, carrying: if day % 10 == 0 { 30 } else { 0 } }).collect();
    for end in 40..=wide.len() {
        let standing = watch(&wide[..end], &settings(1_000));
        assert!(!standing.warned, "after {end} days: {standing:?}");
    }
}

#[test]
fn where_nothing_changes_it_warns_no_more_than_it_says() {
    let (mut counts, series) = (Counts(7), 600_u64);
    let settings = Settings { false_alarms_a_year: 20.0, series };
    let mut alarms = 0;
    for number in 0..series {
        let mean = [0.02, 0.1, 0.5, 2.0, 8.0][usize::try_from(number % 5).unwrap()];
        let days = counts.days(std::iter::repeat_n(mean, 60 + 365));
        let mut warned = false;
        for end in 60..=days.len() {
            let now = watch(&days[end.saturating_sub(200)..end], &settings).warned;
            alarms += u32::from(now && !warned);
            warned = now;
        }
    }
    // At most 20 are to be expected in this year; three deviations above would be 33.
    assert!(alarms <= 33, "{alarms} false alarms in a year of {series} series");
}

#[test]
fn it_tells_since_when_and_how_many_were_expected() {
    let mut counts = Counts(3);
    let days = counts.days(std::iter::repeat_n(5.0, 90).chain(std::iter::repeat_n(20.0, 8)));
    let standing = watch(&days, &settings(10_000));
    assert!(standing.warned, "{standing:?}");
    assert!((7..=10).contains(&standing.days), "{standing:?}");
    assert!(standing.carrying > 130 && standing.expected < 60.0, "{standing:?}");
    assert!(standing.smoothed.unwrap() > 0.009, "{standing:?}");
}
