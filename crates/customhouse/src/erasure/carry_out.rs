//! Carrying an erasure out. Every step may be done twice: one that was interrupted is begun again when the house is
//! opened.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use journal::{JournalError, Payload};
use serde_json::Value;
use spine::{Progress, Silent};

use super::model::{DONE, Done, ErasureCounts, ranges};
use super::record::{Kept, Ledger};
use super::scan::{Found, Scan};
use super::subject::Matcher;
use crate::error::{Error, Kind};
use crate::identity::Reader;
use crate::pool::RowsOf;
use crate::{Customhouse, Fact};

/// How long it is waited for read models that are built anew; they go on by themselves.
const READ_MODELS_WAIT: Duration = Duration::from_secs(120);

/// Payload of an event.
pub(super) fn payload(event: &impl serde::Serialize) -> Result<Value, Error> {
    serde_json::to_value(event).map_err(|error| Error::internal("event_unwritable", &error))
}

/// The stream of an erasure.
pub(super) fn stream(id: &str) -> String {
    format!("erasure/{id}")
}

/// What an erasure will destroy.
pub(super) struct Planned {
    pub(super) found: Found,
    pub(super) batches: BTreeSet<String>,
}

impl Customhouse {
    /// Looks for everything that holds the subject's data.
    pub(super) fn look_for(&self, matcher: &Matcher<'_>) -> Result<Planned, Error> {
        let is = |text: &str| matcher.is(text);
        let said = |text: &str| matcher.in_text(text);
        let batches = self.pool.batches_of(&RowsOf { is: &is, said: &said, party: matcher.is_party() })?;
        let head = self.journal.head();
        let found = Scan::new(self.journal.as_ref(), matcher, &batches).run(head)?;
        Ok(Planned { found, batches })
    }

    /// Destroys what was planned, and records that it is done.
    pub(super) fn carry_out(
        &self,
        reader: &Reader,
        matcher: &Matcher<'_>,
        planned: &Planned,
        kept: &Kept,
        again: bool,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let mut counts = ErasureCounts::default();
        // Replacements first: whatever happens, a batch has its files.
        self.replace_batches(reader, matcher, &planned.batches, &kept.id, &mut counts)?;
        let mut destroyed = Vec::new();
        let total = u64::try_from(kept.events.len()).unwrap_or(u64::MAX);
        for ((position, id), done) in kept.events.iter().zip(0..) {
            progress.report("destroying", done, total);
            if self.destroy_event(*position, id, &kept.basis)? {
                destroyed.push(*position);
            }
        }
        counts.events = u64::try_from(destroyed.len()).unwrap_or(u64::MAX);
        for sha256 in &kept.blobs {
            // One that is gone already was counted when it went.
            if self.journal.get_blob(sha256).is_err() {
                continue;
            }
            self.journal.erase_blob(sha256)?;
            counts.blobs = counts.blobs.saturating_add(1);
        }
        // An earlier attempt may have come as far as their replacement.
        self.pool.destroy(&self.pool.replaced_by(&kept.id)?)?;
        self.pool.read_again()?;
        self.forget_people(matcher, &mut counts)?;
        let (positions, positions_left_out) = ranges(destroyed);
        let done = Done {
            subject: kept.subject.clone(),
            basis: kept.basis.clone(),
            counts,
            positions,
            positions_left_out,
            again,
        };
        let position = self.record(reader, Fact::new(&stream(&kept.id), DONE, payload(&done)?))?;
        progress.report("building_anew", 0, 0);
        self.forget_erased(position)
    }

    /// Has everything of this process made anew that was derived from what was erased by the event at a position.
    pub(crate) fn forget_erased(&self, position: u64) -> Result<(), Error> {
        self.tags.forget_rows();
        self.registers.forget()?;
        self.replays.forget();
        self.desk().note_erasure();
        if !self.matrix.start_again(READ_MODELS_WAIT) {
            tracing::warn!("the tag matrix is not yet made anew after an erasure");
        }
        self.warnings.start_again(self.journal.as_ref())?;
        if !self.projection.start_again(position, READ_MODELS_WAIT)? {
            tracing::warn!("the read models are still being built anew after an erasure");
        }
        self.history.start_again()
    }

    /// Destroys an event if the one that is meant stands there and says anything. Answers whether it did.
    fn destroy_event(&self, position: u64, id: &str, basis: &str) -> Result<bool, Error> {
        let event = match self.journal.event(position) {
            Ok(event) => event,
            Err(JournalError::NoSuchPosition { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if event.envelope.id != id || matches!(event.payload, Payload::Erased { .. }) {
            return Ok(false);
        }
        self.journal.erase_payload(position, basis)?;
        Ok(true)
    }

    fn replace_batches(
        &self,
        reader: &Reader,
        matcher: &Matcher<'_>,
        batches: &BTreeSet<String>,
        erasure: &str,
        counts: &mut ErasureCounts,
    ) -> Result<(), Error> {
        let is = |text: &str| matcher.is(text);
        let said = |text: &str| matcher.in_text(text);
        let of = RowsOf { is: &is, said: &said, party: matcher.is_party() };
        for batch in batches {
            let Some(rewritten) = self.pool.without(batch, &of, erasure)? else { continue };
            let told = rewritten.record.rewritten.as_ref();
            let rows = told.map_or(0, |told| told.rows.saturating_add(told.rows_quarantined));
            let kind = if rewritten.record.files.is_empty() {
                ::pool::event::BATCH_REFUSED
            } else {
                ::pool::event::BATCH_ADMITTED
            };
            let fact = Fact::new(&format!("batch/{batch}"), kind, payload(&rewritten.record)?)
                .expecting(rewritten.version);
            self.record(reader, fact).map_err(|error| match error.kind {
                Kind::Conflict => Error::new(
                    Kind::Conflict,
                    "batch_moved_on",
                    format!("the batch {batch} came in again at the same moment"),
                    "Approve the erasure once more.",
                ),
                _ => error,
            })?;
            counts.pool_rows = counts.pool_rows.saturating_add(rows);
            let files = told.map_or(0, |told| u64::try_from(told.files.len()).unwrap_or(u64::MAX));
            counts.pool_files = counts.pool_files.saturating_add(files);
        }
        Ok(())
    }

    /// Drafts, saved views, accounts and clients of the party.
    fn forget_people(&self, matcher: &Matcher<'_>, counts: &mut ErasureCounts) -> Result<(), Error> {
        self.webhooks.erase(&|id| matcher.is(id))?;
        if !matcher.is_party() {
            return Ok(());
        }
        let accounts = self.accounts().list()?;
        let own: Vec<String> = accounts
            .into_iter()
            .filter(|account| account.party.as_deref().is_some_and(|party| matcher.is(party)))
            .map(|account| account.id)
            .collect();
        (counts.drafts, counts.views) = self.personal.erase(&own, &|text| matcher.in_text(text))?;
        for id in &own {
            self.accounts().forget(id)?;
            counts.accounts = counts.accounts.saturating_add(1);
        }
        let clients = self.accounts().forget_clients(&|party| matcher.is(party))?;
        counts.accounts = counts.accounts.saturating_add(clients);
        Ok(())
    }

    /// Destroys again what an older backup brought back, and ends what was interrupted. Answers with the number of
    /// erasures that were carried out.
    pub fn reapply_erasures(&self) -> Result<u64, Error> {
        let mut ledger = Ledger::read(self.folder.site_path())?;
        let mut reapplied = 0_u64;
        let due: Vec<Kept> = ledger.erasures().to_vec();
        for kept in due {
            if kept.done && !self.is_back(&kept)? {
                continue;
            }
            let key = super::subject::Key::of(self.folder.site_path())?;
            let matcher = Matcher::sealed(&key, &kept.subject_kind, &kept.subject);
            let planned = self.look_for(&matcher)?;
            let mut events: BTreeMap<u64, String> = kept.events.iter().cloned().collect();
            events.extend(planned.found.events.clone());
            let blobs: BTreeSet<String> = kept.blobs.iter().chain(&planned.found.blobs).cloned().collect();
            let again = kept.done;
            let kept = Kept {
                events: events.into_iter().collect(),
                blobs: blobs.into_iter().filter(|sha256| !planned.found.staying.contains(sha256)).collect(),
                ..kept
            };
            ledger.keep(kept.clone())?;
            self.carry_out(&Reader::local_operator(), &matcher, &planned, &kept, again, &Silent)?;
            ledger.keep(Kept { done: true, ..kept })?;
            reapplied = reapplied.saturating_add(1);
        }
        Ok(reapplied)
    }

    /// Does any event that was destroyed speak again?
    fn is_back(&self, kept: &Kept) -> Result<bool, Error> {
        for (position, id) in &kept.events {
            match self.journal.event(*position) {
                Ok(event) if event.envelope.id == *id => {
                    // A backup brings all of them back, or none.
                    return Ok(matches!(event.payload, Payload::Present(_)));
                }
                Ok(_) | Err(JournalError::NoSuchPosition { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}
