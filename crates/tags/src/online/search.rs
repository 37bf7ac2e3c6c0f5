//! Looking for a day in a list in order of days.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: positions stay within the list; a property test compares it with a plain count"
)]

/// Lists this short are halved at once.
const SHORT: usize = 8;

/// How many elements of a list in order of days are before a day. Trade is much the same from day to day: so the place
/// is guessed from the first day and the last, and looked for from there in steps that double. A long list costs little
/// more memory to look at than the place itself.
pub(crate) fn count_before<T>(list: &[T], day: i32, day_of: impl Fn(&T) -> i32) -> usize {
    let is_before = |own: &T| day_of(own) < day;
    match (list.first(), list.last()) {
        (Some(first), Some(last)) if is_before(first) => {
            if is_before(last) {
                return list.len();
            }
            if list.len() <= SHORT {
                return list.partition_point(is_before);
            }
            let at = guess(list.len(), (day_of(first), day_of(last)), day);
            let (low, high) = around(list, at, &is_before);
            low + list[low..high].partition_point(is_before)
        }
        _ => 0,
    }
}

/// Where the first element that is not before a day may be, in a list whose days are spread evenly.
fn guess(len: usize, (first, last): (i32, i32), day: i32) -> usize {
    let share = |days: i32| usize::try_from(days).unwrap_or_default();
    let (gone, all) = (share(day.saturating_sub(first)), share(last.saturating_sub(first)));
    len.saturating_mul(gone).checked_div(all).unwrap_or_default().min(len - 1)
}

/// The place is no less than the first of these and no more than the second.
fn around<T>(list: &[T], at: usize, is_before: &impl Fn(&T) -> bool) -> (usize, usize) {
    let mut step = 1;
    if is_before(&list[at]) {
        let mut low = at + 1;
        while low + step < list.len() && is_before(&list[low + step]) {
            low += step + 1;
            step *= 2;
        }
        (low, list.len().min(low + step))
    } else {
        let mut high = at;
        while step <= high && !is_before(&list[high - step]) {
            high -= step;
            step *= 2;
        }
        (high.saturating_sub(step), high)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_counting_finds(days in proptest::collection::vec(0..40_i32, 0..300), day in -1..42_i32) {
            let mut days = days;
            days.sort_unstable();
            prop_assert_eq!(count_before(&days, day, |own| *own), days.iter().filter(|own| **own < day).count());
        }
    }
}
