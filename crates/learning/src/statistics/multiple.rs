//! Control of false claims when many things are tested at once.

use super::number::{float, float_of};

/// Benjamini and Hochberg (1995): adjusted p-values in the order given.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let tests = float_of(p_values.len());
    let mut adjusted: Vec<(usize, f64)> = Vec::with_capacity(order.len());
    let mut smallest = 1.0_f64;
    for (rank_from_end, (at, p)) in order.into_iter().enumerate() {
        let rank = tests - float_of(rank_from_end);
        smallest = smallest.min(p * (tests / rank));
        adjusted.push((at, smallest));
    }
    adjusted.sort_by_key(|(at, _)| *at);
    adjusted.into_iter().map(|(_, p)| p).collect()
}

/// Adjusted p-values of several families of tests.
#[derive(Debug, Clone, PartialEq)]
pub struct Controlled {
    /// One list a family, in the order given; a claim is made where the value is at or below the stated rate.
    pub adjusted: Vec<Vec<f64>>,
    /// Families with at least one test.
    pub families: u64,
    /// Families selected.
    pub selected: u64,
}

/// Two levels (Benjamini and Bogomolov 2014): families are selected by Benjamini-Hochberg on their Simes p-values, and
/// tests within are judged at `rate` times the share of selected families. Where nothing is there to be found, the
/// chance of any claim is at most `rate`; otherwise the expected share of false claims, averaged over the selected
/// families, is.
#[must_use]
pub fn control(families: &[Vec<f64>], rate: f64) -> Controlled {
    let within: Vec<Vec<f64>> = families.iter().map(|family| benjamini_hochberg(family)).collect();
    // The Simes p-value of a family is the smallest of its adjusted p-values.
    let simes: Vec<f64> =
        within.iter().filter_map(|family| family.iter().copied().reduce(f64::min)).collect();
    let tested = u64::try_from(simes.len()).unwrap_or(u64::MAX);
    let selected =
        u64::try_from(benjamini_hochberg(&simes).iter().filter(|p| **p <= rate).count()).unwrap_or(u64::MAX);
    let scale = float(tested) / float(selected.max(1));
    let adjusted =
        within.into_iter().map(|family| family.into_iter().map(|p| (p * scale).min(1.0)).collect()).collect();
    Controlled { adjusted, families: tested, selected }
}
