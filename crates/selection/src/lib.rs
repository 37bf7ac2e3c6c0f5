//! Which declarations are looked at: plans, thresholds, draws, lanes. Nothing here knows a clock, a file, a network, a
//! thread or chance, and every number is whole: from what a decision recorded it re-derives bit for bit.
//!
//! [`select`] chooses the lane of one declaration. [`steer`] moves an office's threshold and the chance of all others
//! so that inspections fill the capacity and the random arm keeps its share. `docs/selection.md` says why.

mod check;
mod made;
mod office;
mod plan;
mod steer;
mod volume;

pub use made::{Arm, Draws, Made, Reason, Subject, select};
pub use office::{OfficeStanding, Seen};
pub use plan::{HardRule, OfficePlan, Plan, PlanInForce, Trusted};
pub use steer::{Moved, steer};
pub use volume::Volume;

/// One million parts: certainty.
pub const PPM: u32 = 1_000_000;
