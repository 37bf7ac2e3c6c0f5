//! A network that loses, delays, doubles and reorders messages, and falls apart.

use super::Totals;
use crate::log::files::Dice;
use crate::log::note::SignedCheckpoint;

/// Most messages under way: what comes on top is lost.
const MESSAGES_MAX: usize = 64;
/// Steps that a late message takes at most.
const DELAY_STEPS_MAX: u64 = 15;

/// What nodes say to each other.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A log asks a witness.
    Request { body: Vec<u8> },
    /// A witness answers.
    Answer { status: u16, body: Vec<u8> },
}

#[derive(Debug, Clone)]
pub(super) struct Message {
    /// To the first node, or to the second.
    pub(super) to_first: bool,
    /// What the log wants to have cosigned: it knows that of its own request when the answer comes.
    pub(super) about: SignedCheckpoint,
    pub(super) content: Content,
}

#[derive(Debug, Default)]
pub(super) struct Network {
    under_way: Vec<(u64, Message)>,
    pub(super) parted: bool,
}

impl Network {
    /// Takes a message, with whatever happens to it on the way.
    pub(super) fn send(&mut self, now: u64, message: &Message, dice: &mut Dice, totals: &mut Totals) {
        if self.loses(dice) || self.under_way.len() >= MESSAGES_MAX {
            totals.messages_lost = totals.messages_lost.saturating_add(1);
            return;
        }
        let copies = if dice.one_in(6) { 2 } else { 1 };
        totals.messages_doubled = totals.messages_doubled.saturating_add(copies - 1);
        for _ in 0..copies {
            let late = if dice.one_in(3) { dice.below(DELAY_STEPS_MAX) } else { 0 };
            totals.messages_delayed = totals.messages_delayed.saturating_add(u64::from(late > 0));
            self.under_way.push((now.saturating_add(late), message.clone()));
        }
    }

    /// Whether a request, or an answer, is lost.
    pub(super) fn loses(&self, dice: &mut Dice) -> bool {
        // The dice are thrown in any case, so that a story does not change its course with the network's state.
        dice.one_in(7) || self.parted
    }

    /// A message that is due, in no particular order.
    pub(super) fn due(&mut self, now: u64, dice: &mut Dice) -> Option<Message> {
        let due: Vec<usize> =
            (0..).zip(&self.under_way).filter(|(_, (at, _))| *at <= now).map(|(place, _)| place).collect();
        let place = *due.get(dice.below_usize(due.len()))?;
        let (_, message) = self.under_way.swap_remove(place);
        // A partition also loses what is under way.
        (!self.parted).then_some(message)
    }

    pub(super) fn forget_all(&mut self) {
        self.under_way.clear();
        self.parted = false;
    }
}
