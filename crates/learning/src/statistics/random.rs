//! Random numbers as a function of seed, purpose and position: the same whatever the order or number of threads.
#![expect(clippy::as_conversions, reason = "53 random bits become a float exactly")]

/// `SplitMix64` (Steele, Lea, Flood 2014): one step of its output function.
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// 64 random bits.
#[must_use]
pub fn bits(seed: u64, purpose: u64, position: u64) -> u64 {
    mix(mix(mix(seed) ^ purpose) ^ position)
}

/// A number in `[0, 1)`.
#[must_use]
pub fn uniform(seed: u64, purpose: u64, position: u64) -> f64 {
    (bits(seed, purpose, position) >> 11) as f64 / (1_u64 << 53) as f64
}
