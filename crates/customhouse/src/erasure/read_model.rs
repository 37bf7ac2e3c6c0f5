//! Erasures as they are shown: folded from their streams.

use jiff::Timestamp;
use journal::RecordedEvent;
use serde::Deserialize;

use super::carry_out::stream;
use super::model::{APPROVED, DONE, Done, Erasure, ErasureCounts, ErasureState, ORDERED, Ordered, WITHDRAWN};
use super::record::Ledger;
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Erasures listed at most.
const LISTED_MAX: usize = 500;
/// Events of one erasure.
const EVENTS_MAX: usize = 1_000;

impl Customhouse {
    /// Erasures, the latest first.
    pub fn erasures(&self, reader: &Reader) -> Result<Vec<Erasure>, Error> {
        if !reader.may(Permission::ViewJournal) {
            reader.require(Permission::Erase)?;
        }
        let ids: Vec<String> = self.projection.read(|connection| {
            connection
                .prepare_cached("SELECT id FROM erasure ORDER BY position DESC LIMIT ?1")?
                .query_map([LISTED_MAX], |row| row.get(0))?
                .collect()
        })?;
        ids.iter().map(|id| self.find_erasure(id)).collect()
    }

    /// One erasure.
    pub(super) fn find_erasure(&self, id: &str) -> Result<Erasure, Error> {
        let well_formed = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && id.len() < 64;
        let events =
            if well_formed { self.journal.read_stream(&stream(id), 0, EVENTS_MAX)? } else { Vec::new() };
        let mut erasure = None;
        for event in &events {
            fold(id, &mut erasure, event);
        }
        let mut erasure = erasure.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "erasure_unknown",
                "there is no such erasure",
                "Look it up in the list of erasures.",
            )
        })?;
        // What an older backup knows nothing of is told by the ledger that is carried forward.
        if erasure.subject_kind.is_empty()
            && let Some(kept) = Ledger::read(self.folder.site_path())?.find(id)
        {
            erasure.subject_kind.clone_from(&kept.subject_kind);
        }
        Ok(erasure)
    }
}

fn fold(id: &str, erasure: &mut Option<Erasure>, event: &RecordedEvent) {
    let envelope = &event.envelope;
    let Some(payload) = event.payload.value() else { return };
    let (at, actor) = (envelope.occurred_at, &envelope.actor.id);
    match envelope.kind.as_str() {
        ORDERED => {
            let Ok(ordered) = Ordered::deserialize(payload) else { return };
            let begun = begun(id, at, actor, ordered.subject, ordered.basis);
            *erasure = Some(Erasure { subject_kind: ordered.subject_kind, reason: ordered.reason, ..begun });
        }
        APPROVED => {
            if let Some(own) = erasure {
                own.state = ErasureState::Approved;
                own.approved_by = Some(actor.clone());
            }
        }
        WITHDRAWN => {
            if let Some(own) = erasure {
                own.state = ErasureState::Withdrawn;
            }
        }
        DONE => {
            let Ok(done) = Done::deserialize(payload) else { return };
            let own =
                erasure.get_or_insert_with(|| begun(id, at, actor, done.subject.clone(), done.basis.clone()));
            own.state = ErasureState::Done;
            own.done_at = Some(at);
            own.counts = together(own.counts, done.counts);
            own.positions.extend(done.positions);
        }
        _ => {}
    }
}

fn begun(id: &str, at: Timestamp, actor: &str, subject: String, basis: String) -> Erasure {
    Erasure {
        id: id.to_owned(),
        subject_kind: String::new(),
        subject,
        basis,
        reason: String::new(),
        state: ErasureState::Ordered,
        ordered_by: actor.to_owned(),
        ordered_at: at,
        approved_by: None,
        done_at: None,
        counts: ErasureCounts::default(),
        positions: Vec::new(),
    }
}

fn together(one: ErasureCounts, other: ErasureCounts) -> ErasureCounts {
    ErasureCounts {
        events: one.events.saturating_add(other.events),
        blobs: one.blobs.saturating_add(other.blobs),
        drafts: one.drafts.saturating_add(other.drafts),
        views: one.views.saturating_add(other.views),
        accounts: one.accounts.saturating_add(other.accounts),
        pool_rows: one.pool_rows.saturating_add(other.pool_rows),
        pool_files: one.pool_files.saturating_add(other.pool_files),
    }
}
