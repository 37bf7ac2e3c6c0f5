//! The life of a declaration from lodgement to release, as one table of states and events, and the decider that
//! applies it. Nothing here knows a clock, a file, a network, a thread or chance: the same case, command, actor and
//! time give the same events, and the same events give the same case.
//!
//! [`TRANSITIONS`] is the law of this room: [`decide`] allows nothing that it does not list, and [`Case::apply`] moves
//! only along it. `docs/clearance.md` shows it as it stands.

mod action;
mod bounds;
mod case;
mod command;
mod control;
mod decide;
pub mod duty;
mod event;
mod state;
mod transition;

pub use action::Action;
pub use case::{Case, ControlStanding, Request};
pub use command::{Basis, Command, Deadlines};
pub use control::{ControlKind, ControlResult, ItemFinding, LookFor, ResultCode};
pub use decide::decide;
pub use event::{Change, Event, Notice};
pub use state::State;
pub use transition::{TRANSITIONS, Transition, When};
