//! When a notification that was not taken is sent again: soon at first, then ever later, for three days.

use jiff::{SignedDuration, Timestamp};

/// Waits after the first tries, in seconds; the last one repeats.
const WAITS_SECONDS: [i64; 8] = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600];
/// No try is made later than this after the first one.
const TRYING_SECONDS_MAX: i64 = 3 * 86_400;

/// When to try again after `tries` tries, the last of them now; `None`: it is given up.
pub(super) fn next_try(tries: u32, first: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let at = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    let [.., longest] = WAITS_SECONDS;
    let wait = WAITS_SECONDS.get(at).copied().unwrap_or(longest);
    let next = now.checked_add(SignedDuration::from_secs(wait)).ok()?;
    let last = first.checked_add(SignedDuration::from_secs(TRYING_SECONDS_MAX)).ok()?;
    (next <= last).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_seconds_to_hours_and_end_after_three_days() {
        let first = Timestamp::from_second(1_790_000_000).unwrap();
        let mut waits = Vec::new();
        let (mut now, mut tries) = (first, 1);
        while let Some(next) = next_try(tries, first, now) {
            waits.push(next.duration_since(now).as_secs());
            (now, tries) = (next, tries + 1);
        }
        assert_eq!(waits.get(..9).unwrap(), [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 21_600]);
        assert_eq!(waits.len(), 18);
        assert!(waits.iter().sum::<i64>() <= TRYING_SECONDS_MAX);
        // A clock that was moved far ahead ends it at once.
        let far = first + SignedDuration::from_hours(24 * 30);
        assert_eq!(next_try(1, first, far), None);
    }
}
