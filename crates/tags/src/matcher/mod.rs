//! Many conditions over many entries at once: which entries fulfil which rules.
//!
//! Rules are [`rules::Formula`]s: ranges of single values, joined by *and* and *or*.
//!
//! 1. **Axes.** All ranges that rules ask of one value (a field, or what they compute of fields) cut it into intervals.
//!    A value becomes the number of its interval ([`axis`]), whatever its type; a condition becomes ranges of numbers.
//! 2. **Access.** Each rule is filed under its rarest condition. A block of entries is sorted by each axis that rules
//!    are filed under, so that the entries which fulfil a range of it stand side by side: a *run*. A rule is asked of
//!    the entries of its runs only, and a rule without an entry in its run costs a few instructions a block.
//! 3. **Runs.** The other conditions of the rule are asked of 64 entries of the run at a time ([`run`]): ranges all
//!    together, in loops over arrays of 16-bit numbers that a compiler turns into vector instructions, then the rest,
//!    the rarest first.
//!
//! What is absent has interval 0, which no range holds. An *or* is never multiplied out: it is asked where it stands, on
//! the entries that the rest of the rule has left.

mod axis;
mod block;
mod cutter;
mod estimate;
mod lint;
mod node;
mod plan;
mod run;

pub use block::{ABSENT, Block, Lane};
pub use lint::Remark;
pub use plan::{AXES_MAX, Matcher, TooManyAxes};
pub use run::{LANES, Matched, Scratch, Sink};
