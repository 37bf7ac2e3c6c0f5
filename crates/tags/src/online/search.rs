//! Looking for a day in a list in order of days: most spans lie near its end.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: positions stay within the list; a property test compares it with a plain count"
)]

/// How many elements of a list are before something, where those that are come first: looked for from the end, in steps
/// that double, so that a long list costs no more memory to look at than its end.
pub(crate) fn count_before<T>(list: &[T], is_before: impl Fn(&T) -> bool) -> usize {
    let (mut reach, mut not_before) = (1, list.len());
    while reach <= list.len() && !is_before(&list[list.len() - reach]) {
        not_before = list.len() - reach;
        reach *= 2;
    }
    let first = list.len().saturating_sub(reach);
    first + list[first..not_before].partition_point(is_before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_counting_finds(days in proptest::collection::vec(0..40_i32, 0..70), day in -1..42_i32) {
            let mut days = days;
            days.sort_unstable();
            prop_assert_eq!(count_before(&days, |own| *own < day), days.iter().filter(|own| **own < day).count());
        }
    }
}
