//! The time machine: a past decision derived again, from what was in use when it was made and from what is in use now.
//!
//! | call | answer | needs |
//! |---|---|---|
//! | `replay_decision(&reader, mrn, &dyn Progress) -> Derivation` | one decision, then, again and now | view plans |
//! | `replay_sample(&reader, &SampleSpec, &dyn Progress) -> SampleReport` | many decisions drawn at random, then and again | view plans |
//! | `start_replay(&reader, mrn) -> Job`, `derivation(&reader, mrn) -> Option<Derivation>` | the same as work in the background, and what came of it | view plans |
//!
//! A decision is derived from the journal alone: history and declarations up to it are followed in their order, tags are
//! made by the very packs that it names, the lane is chosen by the very plan, with the draws that were recorded. What
//! comes out must be what was recorded, in every field. Opinions of numeric readers do not come in yet.

mod decide;
mod model;
#[cfg(test)]
pub(crate) mod tests;
mod walk;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use journal::RecordedEvent;
use learning::statistics::random::bits;
use serde::Deserialize;
use spine::Progress;

pub use model::{Change, ChangeKind, Decided, Derivation, Difference, SampleReport, SampleSpec};

use crate::Customhouse;
use crate::declarations::event::{SELECTION_MADE, TAGS_APPLIED, TagsApplied, stream};
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::jobs::Job;
use walk::{Asked, Walk};

/// Derivations that are remembered to be looked at.
const REMEMBERED_MAX: usize = 64;
/// Decisions of one sample.
const SAMPLE_MAX: usize = 1_000_000;
/// Differing decisions that a sample names.
const NAMED_MAX: usize = 20;
/// Events of one declaration that are looked through for its decision.
const EVENTS_MAX: usize = 1_000;
/// What the numbers of a sample are drawn for: others drawn with the same seed are others.
const PURPOSE: u64 = 0x7265_706c_6179;
/// Events read at once.
const EVENTS_PER_READ: usize = 5_000;

/// Derivations that were asked for, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<VecDeque<Derivation>>);

impl Replays {
    /// Drops all of them: something that one of them shows was erased.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn keep(&self, derivation: Derivation) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|own| own.mrn != derivation.mrn);
        if kept.len() >= REMEMBERED_MAX {
            kept.pop_front();
        }
        kept.push_back(derivation);
    }

    fn find(&self, mrn: &str) -> Option<Derivation> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|own| own.mrn == mrn).cloned()
    }
}

/// What is looked for on the way: decisions by declaration, and the packs that each was made with.
type Targets = BTreeMap<Vec<String>, HashSet<String>>;

impl Customhouse {
    /// Derives one decision again, with what was in use then and with what is in use now.
    ///
    /// # Errors
    /// There is no such declaration, or it was not decided yet.
    pub fn replay_decision(
        &self,
        reader: &Reader,
        mrn: &str,
        progress: &dyn Progress,
    ) -> Result<Derivation, Error> {
        reader.require(Permission::ViewPlans)?;
        let (packs, position) = self.decided(mrn)?;
        let asked = Asked { until: position, now_too: true, clearance: reader.clearance() };
        let mut walk = Walk::new(self, &packs, HashSet::from([mrn.to_owned()]), asked)?;
        let mut derived = walk.run(progress)?;
        derived.pop().ok_or_else(|| undecided(mrn))
    }

    /// Derives many decisions again, drawn at random from all that were made here.
    pub fn replay_sample(
        &self,
        reader: &Reader,
        spec: &SampleSpec,
        progress: &dyn Progress,
    ) -> Result<SampleReport, Error> {
        reader.require(Permission::ViewPlans)?;
        if spec.decisions == 0 || spec.decisions > SAMPLE_MAX {
            return Err(Error::new(
                Kind::Invalid,
                "sample_size",
                format!("{} decisions were asked for", spec.decisions),
                "Ask for 1 to 1,000,000.",
            ));
        }
        let targets = self.draw_targets(spec, progress)?;
        let mut report =
            SampleReport { seed: spec.seed, pack_sets: targets.len(), ..SampleReport::default() };
        for (packs, mrns) in targets {
            report.decisions = report.decisions.saturating_add(mrns.len());
            let asked = Asked { until: u64::MAX, now_too: false, clearance: reader.clearance() };
            for derivation in Walk::new(self, &packs, mrns, asked)?.run(progress)? {
                report.count(&derivation);
            }
        }
        Ok(report)
    }

    /// Derives one decision again in the background. The job's result is the declaration's number; what came of it is
    /// then there to be looked at.
    pub fn start_replay(self: &Arc<Self>, reader: &Reader, mrn: &str) -> Result<Arc<Job>, Error> {
        reader.require(Permission::ViewPlans)?;
        self.decided(mrn)?;
        let (house, reader, mrn) = (Arc::clone(self), reader.clone(), mrn.to_owned());
        self.jobs().start("replay", move |job| {
            let derivation = house.replay_decision(&reader, &mrn, job)?;
            house.replays.keep(derivation);
            Ok(mrn)
        })
    }

    /// What came of the latest derivation of a decision, if it was asked for in this process.
    pub fn derivation(&self, reader: &Reader, mrn: &str) -> Result<Option<Derivation>, Error> {
        reader.require(Permission::ViewPlans)?;
        self.decided(mrn)?;
        // Kept as far as whoever asked might see it: for somebody with another clearance it is made anew.
        Ok(self.replays.find(mrn).filter(|own| own.clearance == reader.clearance()))
    }

    /// The packs that a declaration was tagged with, and the position of the last event of its decision.
    fn decided(&self, mrn: &str) -> Result<(Vec<String>, u64), Error> {
        let events = self.journal.read_stream(&stream(mrn), 0, EVENTS_MAX)?;
        if events.is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                "declaration_unknown",
                format!("there is no declaration {mrn}"),
                "Look its number up in the list of declarations.",
            ));
        }
        let last = events.iter().filter(|own| is_decision(own)).map(|own| own.position).max();
        let packs = events.iter().find_map(packs_named).ok_or_else(|| undecided(mrn))?;
        Ok((packs, last.unwrap_or(u64::MAX)))
    }

    /// Draws decisions: a reservoir over the journal, so that each is as likely as any other.
    fn draw_targets(&self, spec: &SampleSpec, progress: &dyn Progress) -> Result<Targets, Error> {
        let mut drawn: Vec<(String, Vec<String>)> = Vec::new();
        let (mut position, mut seen) = (0, 0_u64);
        let head = self.journal.head();
        loop {
            if progress.cancelled() {
                return Err(Error::cancelled());
            }
            progress.report("drawing_decisions", position, head);
            let events = self.journal.feed(position, EVENTS_PER_READ)?;
            let Some(last) = events.last() else { break };
            position = last.position;
            for event in &events {
                let Some(packs) = packs_named(event) else { continue };
                let mrn = event.envelope.stream.trim_start_matches(crate::declarations::event::STREAM_PREFIX);
                seen = seen.saturating_add(1);
                if drawn.len() < spec.decisions {
                    drawn.push((mrn.to_owned(), packs));
                } else if let Ok(at) = usize::try_from(bits(spec.seed, PURPOSE, seen) % seen.max(1))
                    && let Some(place) = drawn.get_mut(at)
                {
                    *place = (mrn.to_owned(), packs);
                }
            }
        }
        let mut targets = Targets::new();
        for (mrn, packs) in drawn {
            targets.entry(packs).or_default().insert(mrn);
        }
        Ok(targets)
    }
}

fn is_decision(event: &RecordedEvent) -> bool {
    matches!(event.envelope.kind.as_str(), TAGS_APPLIED | SELECTION_MADE)
}

fn packs_named(event: &RecordedEvent) -> Option<Vec<String>> {
    if event.envelope.kind != TAGS_APPLIED {
        return None;
    }
    Some(TagsApplied::deserialize(event.payload.value()?).ok()?.packs)
}

fn undecided(mrn: &str) -> Error {
    Error::new(
        Kind::Refused,
        "not_decided",
        format!("{mrn} was not tagged and chosen a lane for, or what was recorded of it was erased"),
        "A decision can be derived again once it was made: look at what happened to the declaration.",
    )
}
