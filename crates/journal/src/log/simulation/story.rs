//! One story: steps that the dice choose, and what must hold after each.

use super::network::{Content, Message, Network};
use super::node::{Node, Place, key_of};
use super::observer::Observer;
use super::{Mutant, Totals, Violation};
use crate::log::error::LogError;
use crate::log::files::{Dice, Faults, Files};
use crate::log::note::{NOTE_BYTES_MAX, SignedCheckpoint};
use crate::log::proof::LogProof;
use crate::log::tiles::WITNESSED_CHECKPOINT;
use crate::log::tree::inclusion_proof;
use crate::log::verify::{Against, verify_log};
use crate::log::witness::{AddCheckpoint, WitnessAnswer};
use crate::log::writer::{Entries, SIGNED};

const STEPS_MIN: u64 = 60;
const STEPS_MORE: u64 = 90;
/// Entries of one checkpoint at most.
const ENTRIES_MAX: usize = 400;
const EVENTS_AT_ONCE_MAX: u64 = 90;
/// Rounds in which, once all is well, everything must have settled.
const ROUNDS_TO_SETTLE: u64 = 12;
const CLOCK_JUMP_SECONDS: u64 = 400_000;

type Checked = Result<(), String>;

/// A node, and what is known of it from outside.
#[derive(Debug)]
struct Side {
    node: Node,
    seen: Observer,
    /// Keys of events that a client has no answer for.
    in_doubt: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct Story {
    seed: u64,
    step: u64,
    dice: Dice,
    mutant: Mutant,
    sides: [Side; 2],
    network: Network,
    next_key: u64,
    totals: Totals,
}

impl Story {
    pub(super) fn new(seed: u64, mutant: Mutant) -> Result<Self, Violation> {
        let mut dice = Dice::new(seed);
        let mut side = |first| -> Result<Side, LogError> {
            let node = Node::new(first, mutant, &mut dice)?;
            Ok(Side { node, seen: Observer::default(), in_doubt: Vec::new() })
        };
        let sides = side(true).and_then(|first| Ok([first, side(false)?]));
        let sides = sides.map_err(|error| Violation { seed, step: 0, what: error.to_string() })?;
        let (network, totals) = (Network::default(), Totals::default());
        Ok(Self { seed, step: 0, dice, mutant, sides, network, next_key: 0, totals })
    }

    pub(super) fn tell(mut self) -> Result<Totals, Violation> {
        let told = self.live().and_then(|()| self.settle());
        let Self { seed, step, .. } = self;
        told.map_err(|what| Violation { seed, step, what })?;
        for side in &self.sides {
            let injected = side.node.injected();
            self.totals.deaths_in_operations =
                self.totals.deaths_in_operations.saturating_add(injected.deaths);
            self.totals.lost_syncs = self.totals.lost_syncs.saturating_add(injected.lost_syncs);
            self.totals.short_writes = self.totals.short_writes.saturating_add(injected.short_writes);
            self.totals.writes_without_room = self.totals.writes_without_room.saturating_add(injected.full);
        }
        Ok(self.totals)
    }

    fn live(&mut self) -> Checked {
        let steps = STEPS_MIN.saturating_add(self.dice.below(STEPS_MORE));
        for first in [true, false] {
            self.start(first, true)?;
        }
        for _ in 0..steps {
            self.step = self.step.saturating_add(1);
            self.totals.steps = self.totals.steps.saturating_add(1);
            let first = self.dice.one_in(2);
            self.act(first)?;
            self.deliver()?;
            for first in [true, false] {
                self.after_step(first)?;
            }
        }
        Ok(())
    }

    fn act(&mut self, first: bool) -> Checked {
        match self.dice.below(100) {
            0..28 => self.append(first),
            28..56 => return self.publish(first),
            56..68 => return self.ask(first),
            68..73 => return self.verify(first),
            73..79 => return self.prove(first),
            79..89 => self.plan(first),
            89..92 => return self.stop_and_start(first, true),
            92..94 => return self.stop_and_start(first, false),
            94..96 => self.jump(first),
            96..98 => self.part(),
            _ => return self.rot(first),
        }
        Ok(())
    }

    /// This node, the other one, and what else a step needs.
    fn parts(&mut self, first: bool) -> (&mut Side, &mut Side, &mut Dice, &mut Totals) {
        let [a, b] = &mut self.sides;
        let (own, other) = if first { (a, b) } else { (b, a) };
        (own, other, &mut self.dice, &mut self.totals)
    }

    /// Clients hand in events; whoever gets no answer hands in the same again later.
    fn append(&mut self, first: bool) {
        let count = self.dice.below(EVENTS_AT_ONCE_MAX);
        let keys: Vec<u64> = (0..count).map(|more| self.next_key.saturating_add(more)).collect();
        self.next_key = self.next_key.saturating_add(count);
        let twice = self.mutant == Mutant::RecordsTwice;
        let (lost, unanswered) = (self.network.loses(&mut self.dice), self.network.loses(&mut self.dice));
        let (own, _, _, totals) = self.parts(first);
        own.in_doubt.extend(keys);
        if lost || own.node.running.is_none() {
            return;
        }
        for key in own.in_doubt.clone() {
            if let Some(entry) = own.node.journal.append(key, twice) {
                own.seen.recorded(&entry);
            }
        }
        if !unanswered {
            let answered = std::mem::take(&mut own.in_doubt);
            let count = u64::try_from(answered.len()).unwrap_or(0);
            totals.events_acknowledged = totals.events_acknowledged.saturating_add(count);
            own.seen.acknowledged.extend(answered);
        }
    }

    fn publish(&mut self, first: bool) -> Checked {
        let (own, _, _, totals) = self.parts(first);
        let Side { node, seen, .. } = own;
        node.clock = node.clock.saturating_add(1);
        let Some(running) = &mut node.running else { return Ok(()) };
        let entries = node.journal.entries(running.log.size(), ENTRIES_MAX);
        let entries = entries.map_err(|error| error.to_string())?;
        match running.log.integrate(&entries, node.clock) {
            Ok(checkpoint) => {
                totals.checkpoints_published = totals.checkpoints_published.saturating_add(1);
                seen.saw(checkpoint.checkpoint())?;
                seen.published = seen.published.max(checkpoint.checkpoint().size);
                Ok(())
            }
            Err(LogError::Io { .. } | LogError::StorageFull { .. }) => Ok(()),
            Err(error) => self.repair(first, &error),
        }
    }

    /// Asks the other node's witness for a cosignature.
    fn ask(&mut self, first: bool) -> Checked {
        let step = self.step;
        let (own, _, _, _) = self.parts(first);
        let Some(running) = &own.node.running else { return Ok(()) };
        let Some(last) = running.log.last() else { return Ok(()) };
        let old_size = own.node.known_size.min(last.checkpoint().size);
        match AddCheckpoint::new(running.log.reader(), &last, old_size) {
            Ok(request) => {
                let content = Content::Request { body: request.to_bytes() };
                let message = Message { to_first: !first, about: (*last).clone(), content };
                self.network.send(step, &message, &mut self.dice, &mut self.totals);
                Ok(())
            }
            Err(error) if own.node.is_dead() => drop_error(&error),
            Err(error) => self.repair(first, &error),
        }
    }

    fn deliver(&mut self) -> Checked {
        while let Some(message) = self.network.due(self.step, &mut self.dice) {
            match &message.content {
                Content::Request { body } => self.witness(&message, body)?,
                Content::Answer { status, body } => self.answered(&message, *status, body)?,
            }
        }
        Ok(())
    }

    fn witness(&mut self, message: &Message, body: &[u8]) -> Checked {
        let (own, other, _, totals) = self.parts(message.to_first);
        let Some(running) = &own.node.running else { return Ok(()) };
        let response = running.witness.add_checkpoint(body, own.node.clock);
        if response.status == 200 {
            totals.cosignatures = totals.cosignatures.saturating_add(1);
            other.seen.saw(message.about.checkpoint())?;
            other.seen.cosigned = other.seen.cosigned.max(message.about.checkpoint().size);
        }
        let content = Content::Answer { status: response.status, body: response.body };
        let answer = Message { to_first: !message.to_first, about: message.about.clone(), content };
        let step = self.step;
        self.network.send(step, &answer, &mut self.dice, &mut self.totals);
        Ok(())
    }

    fn answered(&mut self, message: &Message, status: u16, body: &[u8]) -> Checked {
        let (own, other, _, _) = self.parts(message.to_first);
        let known = [other.node.witness_key.verifier().clone()];
        let answer = WitnessAnswer::read(status, body, &message.about, &known);
        let node = &mut own.node;
        match answer.map_err(|error| format!("a witness answers: {error}"))? {
            WitnessAnswer::Cosigned(cosigned) => {
                let size = cosigned.checkpoint().size;
                node.known_size = node.known_size.max(size);
                let times = cosigned.note().verify(&known).map_err(|error| error.to_string())?;
                own.seen.cosigned_at =
                    own.seen.cosigned_at.max(times.first().and_then(|by| by.time).unwrap_or(0));
                if let Some(running) = &node.running
                    && size > node.kept
                    && size <= running.log.size()
                    && running.log.keep_witnessed(&cosigned).is_ok()
                {
                    node.kept = size;
                }
                Ok(())
            }
            WitnessAnswer::StandsAt(size) if size > own.seen.published => {
                Err(format!("a witness stands at {size}, but only {} were published", own.seen.published))
            }
            WitnessAnswer::StandsAt(size) => {
                node.known_size = node.known_size.max(size);
                Ok(())
            }
            // Its disk failed.
            WitnessAnswer::Refused { status: 500, .. } => Ok(()),
            // A proof from tiles that were damaged.
            WitnessAnswer::Refused { status: 422, .. } if node.suspect == Some(Place::Log) => Ok(()),
            WitnessAnswer::Refused { status, reason } => {
                Err(format!("a witness refuses, {status}: {reason}"))
            }
        }
    }

    /// The whole log, read anew, and a witness without evidence: nobody ever forked.
    fn verify(&mut self, first: bool) -> Checked {
        let (own, other, _, totals) = self.parts(first);
        let node = &own.node;
        if node.running.is_none() || node.running.as_ref().is_some_and(|running| running.log.last().is_none())
        {
            return Ok(());
        }
        totals.verifications = totals.verifications.saturating_add(1);
        let keys = [node.key.verifier().clone(), other.node.witness_key.verifier().clone()];
        let against = Against { source: Some(node.journal.as_ref()), seen: None, threads: Some(1) };
        let found = match verify_log(&node.reader(), &keys, &against) {
            Ok(report) => {
                own.seen.saw(report.checkpoint.checkpoint())?;
                report.findings.first().map(|found| (found.place.clone(), found.reason.clone()))
            }
            Err(error) => Some(("checkpoint".to_owned(), error.to_string())),
        };
        if let Some((place, reason)) = found {
            self.repair(first, &LogError::damaged(place, reason))?;
        }
        Ok(())
    }

    /// The proof of some entry, verified as a stranger would.
    fn prove(&mut self, first: bool) -> Checked {
        let (own, _, dice, totals) = self.parts(first);
        let Some(running) = &own.node.running else { return Ok(()) };
        let Some(checkpoint) = running.log.last().filter(|last| last.checkpoint().size > 0) else {
            return Ok(());
        };
        let size = checkpoint.checkpoint().size;
        let index = dice.below(size);
        let entry = own.node.journal.entries(index, 1).map_err(|error| error.to_string())?;
        let entry = entry.into_iter().next().ok_or("what was logged is not in the journal")?;
        let proven = inclusion_proof(&mut running.log.reader().tree(size), index, size).and_then(|path| {
            let proof = LogProof { extra: None, index, path, checkpoint: (*checkpoint).clone() };
            LogProof::parse(proof.to_string().as_bytes())?
                .verify(&entry, std::slice::from_ref(own.node.key.verifier()))
        });
        totals.proofs = totals.proofs.saturating_add(1);
        match proven {
            Ok(_) => Ok(()),
            // The verification names the file.
            Err(LogError::NotProven { .. }) if own.node.suspect == Some(Place::Log) => self.verify(first),
            Err(error) => self.repair(first, &error),
        }
    }

    /// What goes wrong from now on.
    fn plan(&mut self, first: bool) {
        let (own, _, dice, _) = self.parts(first);
        let node = &mut own.node;
        let place = Place::ALL.get(dice.below_usize(3)).copied().unwrap_or(Place::Log);
        let mut faults = Faults::default();
        match dice.below(8) {
            0..4 => faults.dies_at = Some(dice.below(30).saturating_add(1)),
            4 => faults.short_write_per_mille = dice.below(300),
            5 => {
                faults.bytes_max = Some(node.disk(place).used_bytes().saturating_add(dice.below_usize(3_000)))
            }
            6 if place != Place::Witness && node.suspect.is_none_or(|suspect| suspect == place) => {
                node.suspect = Some(place);
                faults.lost_sync_per_mille = dice.below(600);
            }
            _ => return node.calm(),
        }
        node.set_faults(place, faults);
    }

    fn jump(&mut self, first: bool) {
        let (own, _, dice, totals) = self.parts(first);
        totals.clock_jumps = totals.clock_jumps.saturating_add(1);
        let by = dice.below(CLOCK_JUMP_SECONDS);
        let clock = &mut own.node.clock;
        *clock = if dice.one_in(2) { clock.saturating_sub(by) } else { clock.saturating_add(by) };
    }

    fn part(&mut self) {
        self.network.parted = !self.network.parted;
        self.totals.partitions = self.totals.partitions.saturating_add(u64::from(self.network.parted));
    }

    /// A bit of some file flips. It is found, named, and made good.
    fn rot(&mut self, first: bool) -> Checked {
        let (own, _, dice, totals) = self.parts(first);
        let node = &mut own.node;
        let place = Place::ALL.get(dice.below_usize(3)).copied().unwrap_or(Place::Log);
        let may = place == Place::Witness || node.suspect.is_none_or(|suspect| suspect == place);
        if node.running.is_none() || node.is_dead() || !may {
            return Ok(());
        }
        node.calm();
        totals.rotten_bits = totals.rotten_bits.saturating_add(1);
        match place {
            Place::Log => self.rot_log(first),
            Place::Memory => {
                node.suspect = Some(Place::Memory);
                if node.disk(place).rot(&|path| path == SIGNED).is_none() {
                    return Ok(());
                }
                node.stop(false);
                let repairs = self.start(first, false)?;
                if repairs == 0 { Err(format!("a bit of {SIGNED} rotted unnoticed")) } else { Ok(()) }
            }
            Place::Witness => self.rot_witness(first),
        }
    }

    fn rot_log(&mut self, first: bool) -> Checked {
        let (own, _, _, _) = self.parts(first);
        let node = &mut own.node;
        let files = node.log_files(own.seen.published);
        let Some((path, _)) = node.log.rot(&|path| files.contains(path)) else { return Ok(()) };
        node.suspect = Some(Place::Log);
        let harmless = path == WITNESSED_CHECKPOINT && self.still_says_the_same(first);
        self.verify(first)?;
        let (own, _, _, _) = self.parts(first);
        // Whoever repaired it is no longer suspect.
        if own.node.suspect.is_some() && !harmless {
            return Err(format!("a bit of {path} rotted unnoticed"));
        }
        Ok(())
    }

    /// A flipped bit in the name of a cosignature leaves the log's own signature as it is.
    fn still_says_the_same(&mut self, first: bool) -> bool {
        let (own, _, _, _) = self.parts(first);
        let keys = [own.node.key.verifier().clone()];
        let read = own.node.reader().witnessed_checkpoint().ok().flatten();
        read.is_some_and(|read| read.verify(&keys).is_ok())
    }

    /// A witness goes on only from what it signed itself. Its file comes back from a backup.
    fn rot_witness(&mut self, first: bool) -> Checked {
        let (own, other, _, _) = self.parts(first);
        let (node, origin) = (&mut own.node, other.node.origin().to_owned());
        let before = node.running.as_ref().and_then(|running| running.witness.newest(&origin));
        let disk = node.disk(Place::Witness).clone();
        let Some(before) = before else { return Ok(()) };
        let Some((path, _)) = disk.rot(&|path| path.starts_with("logs/")) else { return Ok(()) };
        node.stop(false);
        match node.start(false, &mut Dice::new(0)) {
            Ok(_) => {
                let after = node.running.as_ref().and_then(|running| running.witness.newest(&origin));
                if after.is_none_or(|after| after.checkpoint() != before.checkpoint()) {
                    return Err(format!("a bit of {path} of the witness rotted unnoticed"));
                }
            }
            Err(text) if text.contains(&path) => {}
            Err(text) => return Err(text),
        }
        node.stop(false);
        let restored = disk.write(&path, &before.to_bytes()).and_then(|()| disk.sync(&path));
        restored.map_err(|error| error.to_string())?;
        self.totals.repairs = self.totals.repairs.saturating_add(1);
        self.start(first, false).map(drop)
    }

    /// Carries out what an error about damage tells to do, and starts again.
    fn repair(&mut self, first: bool, error: &LogError) -> Checked {
        let (own, _, _, totals) = self.parts(first);
        own.node.repair(error)?;
        totals.repairs = totals.repairs.saturating_add(1);
        own.node.stop(false);
        self.start(first, false).map(drop)
    }

    fn stop_and_start(&mut self, first: bool, power_is_lost: bool) -> Checked {
        let (own, _, _, totals) = self.parts(first);
        own.node.stop(power_is_lost);
        if power_is_lost {
            totals.losses_of_power = totals.losses_of_power.saturating_add(1);
        } else {
            totals.kills = totals.kills.saturating_add(1);
        }
        self.start(first, true).map(drop)
    }

    /// Starts a node; what was published and cosigned must be there. Tells how much had to be repaired.
    fn start(&mut self, first: bool, may_die: bool) -> Result<u64, String> {
        let (own, other, dice, totals) = self.parts(first);
        let opened = own.node.start(may_die, dice)?;
        totals.repairs = totals.repairs.saturating_add(opened.repairs);
        totals.losses_of_power = totals.losses_of_power.saturating_add(opened.deaths);
        let name = own.node.name;
        let Some(running) = &own.node.running else { return Err(format!("{name} does not run")) };
        if let Some(last) = running.log.last() {
            own.seen.saw(last.checkpoint())?;
        }
        if running.log.size() < own.seen.published {
            let (size, published) = (running.log.size(), own.seen.published);
            return Err(format!("{name} is back at {size} entries, {published} were published"));
        }
        own.seen.published = running.log.size();
        let newest = running.witness.newest(other.node.origin());
        check_witness(name, newest.as_ref(), &mut other.seen, running.witness.verifier())?;
        Ok(opened.repairs)
    }

    /// A machine that died is started again, and what is always true is looked at.
    fn after_step(&mut self, first: bool) -> Checked {
        let (own, other, dice, totals) = self.parts(first);
        if own.node.is_dead() {
            let power_is_lost = !dice.one_in(4);
            totals.losses_of_power = totals.losses_of_power.saturating_add(u64::from(power_is_lost));
            totals.kills = totals.kills.saturating_add(u64::from(!power_is_lost));
            own.node.stop(power_is_lost);
            return self.start(first, true).map(drop);
        }
        let Some(running) = &own.node.running else { return Ok(()) };
        let newest = running.witness.newest(other.node.origin());
        check_witness(own.node.name, newest.as_ref(), &mut other.seen, running.witness.verifier())?;
        let published = own.node.log.read("checkpoint", NOTE_BYTES_MAX).ok();
        let parsed = published.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok());
        if let Some(published) = parsed
            && own.node.suspect != Some(Place::Log)
        {
            own.seen.saw(published.checkpoint())?;
        }
        Ok(())
    }

    /// Nothing goes wrong any more: everything must come to rest where it belongs.
    fn settle(&mut self) -> Checked {
        self.network.forget_all();
        for first in [true, false] {
            self.stop_and_start(first, true)?;
            self.verify(first)?;
        }
        for _ in 0..ROUNDS_TO_SETTLE {
            self.step = self.step.saturating_add(1);
            for first in [true, false] {
                self.append_again(first);
                self.publish(first)?;
                // Damage by a flush that lied may be in a tile that was written for a checkpoint that never came, and
                // be seen only now that the log has grown past it.
                self.verify(first)?;
                self.ask_directly(first)?;
            }
        }
        for first in [true, false] {
            let repairs = self.totals.repairs;
            self.verify(first)?;
            if self.totals.repairs != repairs {
                return Err("damage is found though all is well".to_owned());
            }
            self.check_end(first)?;
        }
        Ok(())
    }

    /// Hands in again what has no answer yet.
    fn append_again(&mut self, first: bool) {
        let twice = self.mutant == Mutant::RecordsTwice;
        let (own, _, _, _) = self.parts(first);
        for key in std::mem::take(&mut own.in_doubt) {
            if let Some(entry) = own.node.journal.append(key, twice) {
                own.seen.recorded(&entry);
            }
            own.seen.acknowledged.insert(key);
        }
    }

    fn ask_directly(&mut self, first: bool) -> Checked {
        let (own, other, _, _) = self.parts(first);
        let (Some(running), Some(asked)) = (&own.node.running, &other.node.running) else {
            return Err("a node does not run though all is well".to_owned());
        };
        let Some(last) = running.log.last() else { return Ok(()) };
        let old_size = own.node.known_size.min(last.checkpoint().size);
        let request = AddCheckpoint::new(running.log.reader(), &last, old_size);
        let request = request.map_err(|error| error.to_string())?;
        let response = asked.witness.add_checkpoint(&request.to_bytes(), other.node.clock);
        if response.status == 200 {
            own.seen.cosigned = own.seen.cosigned.max(last.checkpoint().size);
        }
        let content = Content::Answer { status: response.status, body: Vec::new() };
        let message = Message { to_first: first, about: (*last).clone(), content };
        self.answered(&message, response.status, &response.body)
    }

    fn check_end(&mut self, first: bool) -> Checked {
        let (own, other, _, _) = self.parts(first);
        let (name, head) = (own.node.name, own.seen.head());
        let (Some(running), Some(asked)) = (&own.node.running, &other.node.running) else {
            return Err(format!("{name} does not run though all is well"));
        };
        if head == 0 {
            return Ok(());
        }
        let size = running.log.size();
        let newest = asked.witness.newest(own.node.origin()).map_or(0, |newest| newest.checkpoint().size);
        if size != head || newest != head || own.node.kept != head {
            let kept = own.node.kept;
            return Err(format!(
                "{name}: of {head} events {size} are logged, {newest} cosigned, {kept} kept"
            ));
        }
        if !asked.witness.evidence().map_err(|error| error.to_string())?.is_empty() {
            return Err(format!("{name} showed two histories"));
        }
        let mut left = own.seen.acknowledged.clone();
        for index in 0..size {
            let entry = running.log.reader().entry(index, size).map_err(|error| error.to_string())?;
            if !key_of(&entry).is_some_and(|key| left.remove(&key)) {
                let entry = String::from_utf8_lossy(&entry).into_owned();
                return Err(format!("{name}: entry {index} is there twice, or nobody handed it in: {entry}"));
            }
        }
        if let Some(lost) = left.first() {
            return Err(format!("{name}: event {lost} was acknowledged and is lost"));
        }
        own.seen.prove_consistency()
    }
}

/// A witness never goes back: neither in what it cosigned nor in the time it said.
fn check_witness(
    name: &str,
    newest: Option<&SignedCheckpoint>,
    seen: &mut Observer,
    key: &crate::log::note::VerifierKey,
) -> Checked {
    let size = newest.map_or(0, |newest| newest.checkpoint().size);
    if size < seen.cosigned {
        return Err(format!("the witness of {name} went back from {} to {size}", seen.cosigned));
    }
    // It tells everybody who asks where it stands.
    seen.cosigned = size;
    let Some(newest) = newest else { return Ok(()) };
    seen.saw(newest.checkpoint())?;
    let by = newest.note().verify(std::slice::from_ref(key)).map_err(|error| error.to_string())?;
    let time = by.first().and_then(|by| by.time).unwrap_or(0);
    if time < seen.cosigned_at {
        return Err(format!("the witness of {name} went back in time, from {} to {time}", seen.cosigned_at));
    }
    Ok(())
}

/// An error of a machine that died is nobody's.
fn drop_error(error: &LogError) -> Checked {
    tracing::trace!(%error, "the machine died");
    Ok(())
}
