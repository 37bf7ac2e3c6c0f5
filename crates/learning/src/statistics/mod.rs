//! The statistics the audit rests on, each with its source; tested against published values.

pub mod beta_binomial;
pub mod hypergeometric;
pub mod interval;
pub mod multiple;
pub mod number;
pub mod random;
pub mod ranking;
