//! Policies that two people approve, the plan of selection among them, and how thresholds stand.
//!
//! | call | permission | event |
//! |---|---|---|
//! | `plans(&reader) -> PlanStanding` | view plans | none |
//! | `propose_policy(&reader, PolicyKind, serde_json::Value) -> Policy` | manage plans | `policy.proposed` |
//! | `approve_policy(&reader, hash) -> Policy`; the second different person brings it into force | manage plans | `policy.approved` |
//! | `withdraw_policy(&reader, hash, why) -> Policy` | manage plans | `policy.withdrawn` |
//! | `standard_policy(PolicyKind) -> serde_json::Value`: what ships with the program, to propose | none | none |
//! | `start_fit(self: &Arc<Self>, &reader, FitSpec) -> Arc<Job>`: fits weights on history and proposes the plan; the job's result is its hash | manage plans | `policy.proposed` |
//! | `consequences(&reader, office or "") -> Consequences` | view plans | none |

mod commands;
mod fit;
mod model;
mod policy;
mod read_model;

pub use ::selection::{Moved, OfficePlan, Plan};
pub use model::{
    ConsequencePoint, Consequences, FitSpec, MoveShown, OfficeToday, PlanStanding, Policy, PolicyKind,
};
pub(crate) use policy::{InForce, Policies};
