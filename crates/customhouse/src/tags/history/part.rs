//! One part of the entries while its tags are found.

use std::ops::Range;

use ::tags::history::{HistoryError, PAIRS_MAX, Pairs};
use ::tags::matcher::{Block, Matcher, Scratch};

/// Entries of a part at most.
const ROWS_MAX: usize = 16 << 20;
/// A part is full from so many pairs on; there is room for one more step.
const PAIRS_FULL: usize = PAIRS_MAX / 8 * 7;

/// Entries of which pairs are being found, by several threads.
pub(super) struct Part {
    /// The entity of each entry.
    entity_of: Vec<u32>,
    workers: Vec<Worker>,
    /// Memory for the next run.
    ranks: Vec<u32>,
}

struct Worker {
    pairs: Pairs,
    scratch: Scratch,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is room for more.
    Taken,
    /// The part is full.
    Full,
    /// The step had more pairs than there is room for, and nothing of it was taken.
    TooMuch,
}

impl Part {
    /// A part that so many threads find, with room for so many rows.
    pub(super) fn new(threads: usize, rows: usize) -> Self {
        let worker = || Worker { pairs: Pairs::new(PAIRS_MAX / threads), scratch: Scratch::default() };
        let entity_of = Vec::with_capacity(rows.min(ROWS_MAX));
        let workers = std::iter::repeat_with(worker).take(threads).collect();
        Self { entity_of, workers, ranks: Vec::new() }
    }

    /// Entries so far.
    pub(super) fn rows(&self) -> usize {
        self.entity_of.len()
    }

    /// The entity of each entry so far.
    pub(super) fn entity_of(&self) -> &[u32] {
        &self.entity_of
    }

    /// Pairs of tag and entry so far.
    pub(super) fn pairs(&self) -> usize {
        self.workers.iter().map(|worker| worker.pairs.len()).sum()
    }

    /// Asks some rows of a block, whose entities are `entity_of`; each thread an equal share.
    pub(super) fn take(
        &mut self,
        matcher: &Matcher,
        block: &Block<'_>,
        rows: Range<usize>,
        entity_of: &[u32],
    ) -> Step {
        // Rows count from the beginning of the block: in the part they are as many further on.
        let shift = u32::try_from(self.rows()).unwrap_or(u32::MAX);
        let shift = shift.wrapping_sub(u32::try_from(rows.start).unwrap_or_default());
        let shares = self.workers.len().max(1);
        let share = |at: usize| rows.start.saturating_add(rows.len().saturating_mul(at) / shares);
        let work = |(at, worker): (usize, &mut Worker)| {
            worker.pairs.begin_block(shift);
            let rows = share(at)..share(at.saturating_add(1));
            matcher.run(block, rows, &mut worker.scratch, &mut worker.pairs);
            worker.pairs.is_whole()
        };
        let work = &work;
        let mut workers = self.workers.iter_mut().enumerate();
        let whole = std::thread::scope(|scope| {
            // One thread works here.
            let first = workers.next();
            let others: Vec<_> = workers.map(|own| scope.spawn(move || work(own))).collect();
            let first = first.is_none_or(work);
            others.into_iter().fold(first, |whole, other| other.join().unwrap_or(false) && whole)
        });
        if !whole {
            for worker in &mut self.workers {
                worker.pairs.back_to_block();
            }
            return Step::TooMuch;
        }
        self.entity_of.extend_from_slice(entity_of);
        if self.pairs() >= PAIRS_FULL || self.rows() >= ROWS_MAX { Step::Full } else { Step::Taken }
    }

    /// The run of what was found, and its pairs of tag and entity; the part is empty then.
    pub(super) fn finish(
        &mut self,
        numbers: &[u32],
        first_entry: u64,
    ) -> Result<(Vec<u8>, u64), HistoryError> {
        let all: Vec<&Pairs> = self.workers.iter().map(|worker| &worker.pairs).collect();
        let threads = self.workers.len();
        let made = Pairs::write(&all, numbers, &self.entity_of, first_entry, threads, &mut self.ranks);
        self.entity_of.clear();
        for worker in &mut self.workers {
            worker.pairs.clear();
        }
        made
    }
}
