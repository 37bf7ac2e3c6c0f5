//! Checkpoints whose sizes do not tell how much happened.
//!
//! Checkpoints are public, and the difference of two sizes is the number of events between them: how many declarations
//! an office had in a fifth of a second. With padding every size is a multiple of a number, and what is missing is
//! filled with events that say nothing. (That something happened is still to be seen: an idle log does not grow.)

use serde_json::json;
use spine::Actor;

use crate::Journal;
use crate::clock::Clock;
use crate::error::JournalError;
use crate::model::{APPEND_EVENTS_MAX, AppendRequest, NewEvent};

/// Kind of the events that say nothing.
pub const PADDING: &str = "log.padding";
/// Their stream.
pub const PADDING_STREAM: &str = "log/padding";
/// The largest number that sizes can be multiples of.
pub const PAD_TO_MAX: u64 = 1_024;

/// Where the next checkpoint of a log ends that has `size` entries, over a journal that ends at `head`: everything there
/// is and what must be filled up, but at most `most` entries further. A log that does not grow ends where it is.
pub(super) fn next_end(size: u64, head: u64, pad_to: u64, most: u64) -> u64 {
    let limit = size.saturating_add(most.max(1));
    let pad_to = pad_to.clamp(1, PAD_TO_MAX);
    if head <= size {
        return size;
    }
    let filled = head.div_ceil(pad_to).saturating_mul(pad_to);
    if filled <= limit {
        return filled;
    }
    // The rest waits for the checkpoint after this one.
    let cut = limit - limit % pad_to;
    if cut > size { cut } else { filled }
}

/// Records events that say nothing, so many that the journal reaches `end`. Others may record meanwhile; then it goes
/// beyond.
pub(super) fn fill(journal: &dyn Journal, clock: &dyn Clock, end: u64) -> Result<(), JournalError> {
    let most = u64::try_from(APPEND_EVENTS_MAX).unwrap_or(u64::MAX);
    loop {
        let missing = end.saturating_sub(journal.head()).min(most);
        if missing == 0 {
            return Ok(());
        }
        let event = NewEvent {
            stream: PADDING_STREAM.to_owned(),
            kind: PADDING.to_owned(),
            kind_version: 1,
            occurred_at: clock.now(),
            actor: Actor::system(),
            causation: None,
            payload: json!({}),
        };
        let events = vec![event; usize::try_from(missing).unwrap_or(APPEND_EVENTS_MAX)];
        journal.append(AppendRequest { events, ..AppendRequest::default() })?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_ends_at_a_multiple_and_takes_in_at_most_what_it_may() {
        let check = |(size, head, pad_to, most), end| assert_eq!(next_end(size, head, pad_to, most), end);
        // Without padding: all there is, at most so much.
        check((0, 5, 1, 100), 5);
        check((0, 500, 1, 100), 100);
        check((7, 7, 1, 100), 7);
        // Filled up.
        check((0, 1, 16, 100), 16);
        check((16, 16, 16, 100), 16);
        check((16, 17, 16, 100), 32);
        check((16, 33, 16, 100), 48);
        // A log that was begun without padding comes to a multiple at once.
        check((5, 6, 16, 100), 16);
        // The rest waits.
        check((0, 500, 16, 100), 96);
        check((96, 500, 16, 100), 192);
        // A checkpoint that could not hold one multiple holds it all the same.
        check((0, 500, 16, 10), 512);
    }
}
