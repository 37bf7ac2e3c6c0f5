//! What simulated people mean to do, and when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

/// What somebody means to do with a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// An officer of the office takes the control.
    Take,
    /// The trader sends documents or answers.
    Reply,
    /// The officer who has it records the result, or escalates.
    Conclude,
    /// The officer releases or detains goods on which something was found.
    Decide,
    /// The trader contests that.
    Contest,
    /// Somebody else answers.
    AnswerContest,
}

/// One intention.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Task {
    pub(super) at: Timestamp,
    /// In the order in which they were meant.
    number: u64,
    pub(super) mrn: String,
    pub(super) step: Step,
}

/// All intentions, the next one first.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    tasks: BinaryHeap<Reverse<Task>>,
    number: u64,
}

impl Agenda {
    pub(super) fn mean(&mut self, at: Timestamp, mrn: &str, step: Step) {
        self.number = self.number.saturating_add(1);
        self.tasks.push(Reverse(Task { at, number: self.number, mrn: mrn.to_owned(), step }));
    }

    /// What is to be done by now.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Task> {
        let next = self.tasks.peek().is_some_and(|Reverse(task)| task.at <= now);
        if next { self.tasks.pop().map(|Reverse(task)| task) } else { None }
    }

    /// When the next thing is to be done.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.tasks.peek().map(|Reverse(task)| task.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_in_order_and_nothing_before_its_time() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let mut agenda = Agenda::default();
        agenda.mean(at(20), "B", Step::Conclude);
        agenda.mean(at(10), "A", Step::Take);
        agenda.mean(at(20), "C", Step::Take);
        assert_eq!(agenda.next_at(), Some(at(10)));
        assert!(agenda.due(at(9)).is_none());
        let order: Vec<String> = std::iter::from_fn(|| agenda.due(at(20))).map(|task| task.mrn).collect();
        assert_eq!(order, ["A", "B", "C"], "those of one moment in the order in which they were meant");
        assert_eq!(agenda.next_at(), None);
    }
}
