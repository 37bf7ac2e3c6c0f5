//! Ratios and shares, kept as the two whole numbers that they are quotients of.

use rust_decimal::Decimal;

use crate::window::quotient;

/// A part of a whole, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotient {
    part: i64,
    whole: i128,
}

impl Quotient {
    /// None where the whole is 0.
    #[must_use]
    pub fn new(part: i64, whole: i128) -> Option<Self> {
        (whole != 0).then_some(Self { part, whole })
    }

    /// The part.
    #[must_use]
    pub fn part(&self) -> i64 {
        self.part
    }

    /// The whole; never 0.
    #[must_use]
    pub fn whole(&self) -> i128 {
        self.whole
    }

    /// Is it more than `over` divided by `under`, which is above 0? Decided without dividing.
    #[must_use]
    pub fn is_above(&self, over: i32, under: u32) -> bool {
        let own = i128::from(self.part).saturating_mul(under.into());
        let other = self.whole.saturating_mul(over.into());
        if self.whole > 0 { own > other } else { own < other }
    }

    /// The same where part and whole have so many digits behind the point.
    #[must_use]
    pub fn decimal_of(&self, part_digits: u32, whole_digits: u32) -> Option<Decimal> {
        let part = Decimal::try_from_i128_with_scale(self.part.into(), part_digits).ok()?;
        quotient(part, Decimal::try_from_i128_with_scale(self.whole, whole_digits).ok()?)
    }

    /// With six digits behind the point, as aggregates of tags have them; none where that is too large for a decimal.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        self.decimal_of(0, 0)
    }
}
