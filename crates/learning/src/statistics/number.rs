//! Conversions between counts and floating-point figures.
#![expect(
    clippy::as_conversions,
    reason = "the one place where counts become floats; all counts are below 2^53"
)]

/// A count as a float.
#[must_use]
pub fn float(count: u64) -> f64 {
    count as f64
}

/// A length as a float.
#[must_use]
pub fn float_of(length: usize) -> f64 {
    length as f64
}

/// A length as a count.
#[must_use]
pub fn count(length: usize) -> u64 {
    length as u64
}

/// The whole number nearest to a figure; 0 for negative ones and for what is no number.
#[must_use]
pub fn whole(figure: f64) -> u64 {
    figure.round() as u64
}

/// The same as a length.
#[must_use]
pub fn whole_length(figure: f64) -> usize {
    figure.round() as usize
}

/// A 32-bit position as an index.
#[must_use]
pub fn index(position: u32) -> usize {
    position as usize
}

/// An index as a 32-bit position; tables are bounded to fewer rows than that.
#[must_use]
pub fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// A figure as documents hold it: six significant digits, always finite.
#[must_use]
pub fn rounded(figure: f64) -> f64 {
    if figure.is_finite() { format!("{figure:.5e}").parse().unwrap_or(0.0) } else { 0.0 }
}

/// `part / whole`, or nothing when there is no whole.
#[must_use]
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) / float(whole))
}
