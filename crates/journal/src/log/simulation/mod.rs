//! A seeded simulation: two nodes, each with a log and a witness of the other's log, on faulty disks and over a bad
//! network. [`simulate`] tells one whole story; the same seed tells the same story again.
//!
//! What must hold is checked after every step, against a record that an [observer](observer) keeps for itself and
//! roots that it computes for itself:
//! - what was acknowledged is in the journal and comes to be in the log, once;
//! - a checkpoint that anybody ever saw is of the one history that there is, and stays published;
//! - a witness never goes back, neither in size nor in time;
//! - damage that a disk did is named with its file and a remedy, the remedy works, and there is none without a cause.
//!
//! The journal is a list in memory here: SQLite's files are not behind [`Files`](super::Files). What becomes of them
//! when the power fails is what the recorder of the journal's crash tests is for. A disk that lies about flushes may
//! do so under the log or under its memory, not under both, and not under a witness: of what stands in one place only,
//! nothing could be promised then.

mod forgetful;
mod network;
mod node;
mod observer;
mod story;

use std::fmt;
use std::ops::AddAssign;

pub use forgetful::Forgetful;

use self::story::Story;

/// What is made wrong on purpose, to see that the simulation finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mutant {
    /// Nothing.
    #[default]
    None,
    /// Files are not flushed.
    ForgetsFiles,
    /// Folders are not flushed.
    ForgetsFolders,
    /// A witness begins anew whenever it starts.
    WitnessForgets,
    /// A request that comes again is recorded again.
    RecordsTwice,
    /// After a loss of power an early event is another, and log and memory begin anew.
    RewritesHistory,
}

/// How often each thing happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Totals {
    pub steps: u64,
    pub events_acknowledged: u64,
    pub checkpoints_published: u64,
    pub cosignatures: u64,
    pub verifications: u64,
    pub proofs: u64,
    pub deaths_in_operations: u64,
    pub losses_of_power: u64,
    pub kills: u64,
    pub short_writes: u64,
    pub lost_syncs: u64,
    pub writes_without_room: u64,
    pub rotten_bits: u64,
    pub repairs: u64,
    pub clock_jumps: u64,
    pub messages_lost: u64,
    pub messages_delayed: u64,
    pub messages_doubled: u64,
    pub partitions: u64,
}

impl Totals {
    /// Names and numbers, in order.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("steps", self.steps),
            ("events acknowledged", self.events_acknowledged),
            ("checkpoints published", self.checkpoints_published),
            ("cosignatures", self.cosignatures),
            ("verifications of a whole log", self.verifications),
            ("proofs", self.proofs),
            ("deaths in the midst of a file operation", self.deaths_in_operations),
            ("losses of power", self.losses_of_power),
            ("kills", self.kills),
            ("short writes", self.short_writes),
            ("flushes that lied", self.lost_syncs),
            ("writes without room", self.writes_without_room),
            ("rotten bits", self.rotten_bits),
            ("repairs", self.repairs),
            ("clock jumps", self.clock_jumps),
            ("messages lost", self.messages_lost),
            ("messages delayed", self.messages_delayed),
            ("messages doubled", self.messages_doubled),
            ("partitions", self.partitions),
        ]
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        let fields = [
            (&mut self.steps, other.steps),
            (&mut self.events_acknowledged, other.events_acknowledged),
            (&mut self.checkpoints_published, other.checkpoints_published),
            (&mut self.cosignatures, other.cosignatures),
            (&mut self.verifications, other.verifications),
            (&mut self.proofs, other.proofs),
            (&mut self.deaths_in_operations, other.deaths_in_operations),
            (&mut self.losses_of_power, other.losses_of_power),
            (&mut self.kills, other.kills),
            (&mut self.short_writes, other.short_writes),
            (&mut self.lost_syncs, other.lost_syncs),
            (&mut self.writes_without_room, other.writes_without_room),
            (&mut self.rotten_bits, other.rotten_bits),
            (&mut self.repairs, other.repairs),
            (&mut self.clock_jumps, other.clock_jumps),
            (&mut self.messages_lost, other.messages_lost),
            (&mut self.messages_delayed, other.messages_delayed),
            (&mut self.messages_doubled, other.messages_doubled),
            (&mut self.partitions, other.partitions),
        ];
        for (sum, more) in fields {
            *sum = sum.saturating_add(more);
        }
    }
}

/// What must never be, and was. Prints as one line that tells how to see it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The story.
    pub seed: u64,
    /// The step in it.
    pub step: u64,
    /// What was wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, step, what } = self;
        write!(out, "seed {seed}, step {step}: {what}. Again: cargo xtask simulate --seed {seed}")
    }
}

/// Tells the story of a seed.
///
/// # Errors
/// What was violated first.
pub fn simulate(seed: u64, mutant: Mutant) -> Result<Totals, Violation> {
    Story::new(seed, mutant).and_then(Story::tell)
}
