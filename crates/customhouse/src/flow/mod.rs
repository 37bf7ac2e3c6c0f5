//! How the flow of declarations stands.
//!
//! | call | answer | permission |
//! |---|---|---|
//! | `overview(&reader, office or "") -> Overview` | the last 24 hours, and hit rates of the last 30 days | view declarations |
//! | `status() -> Status` | what everybody may know | none |
//! | `wait_for_change(position, timeout) -> u64` | the position that read models show, once it is beyond `position` | none |

mod model;
mod read_model;

pub use model::{
    HitRatesOfArms, HourOfFlow, Overview, ProcessTurn, QueueFigure, Status, StepTime, StoppedShort,
};
pub(crate) use read_model::{any_simulated, arms, disk_free_bytes};
