//! Figures as rows.

use std::time::Duration;

use crate::process::Cost;

/// Prints a Markdown table.
pub(super) fn print(header: &[&str], rows: &[Vec<String>]) {
    let line = |cells: Vec<&str>| println!("| {} |", cells.join(" | "));
    line(header.to_vec());
    line(vec!["---"; header.len()]);
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}

/// The middle one; of an even number, the lower of the two in the middle.
pub(super) fn median<T: Ord + Copy>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// Wall time, processor time and peak memory, each the median of its own.
pub(super) fn cells_of(costs: &[Cost]) -> [String; 3] {
    [
        median(costs.iter().map(|cost| cost.wall)).map_or_else(String::new, seconds),
        median(costs.iter().map(|cost| cost.processor)).map_or_else(String::new, seconds),
        median(costs.iter().map(|cost| cost.peak_bytes)).map_or_else(String::new, megabytes),
    ]
}

/// `1.23 s`.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// `123 MB`, rounded up.
fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_value_that_was_measured() {
        let check = |values: &[u64], expected: Option<u64>| {
            assert_eq!(median(values.iter().copied()), expected, "{values:?}")
        };
        check(&[], None);
        check(&[7], Some(7));
        check(&[9, 1, 5], Some(5));
        check(&[4, 1, 2, 3], Some(2));
    }
}
