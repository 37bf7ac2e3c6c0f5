//! Audits that were made, and their reports.

use std::io::BufReader;

use super::model::{AuditReport, AuditSummary};
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// The stream of all audits: few enough to be read whole, so they need no catalogue of their own.
pub(super) const AUDITS: &str = "audits";
/// Events read from the journal at once.
const EVENTS_PER_READ: usize = 500;

impl Customhouse {
    /// All audits, the latest first.
    pub fn list_audits(&self, reader: &Reader) -> Result<Vec<AuditSummary>, Error> {
        reader.require(Permission::ViewAudits)?;
        let mut audits = Vec::new();
        let mut version = 0;
        loop {
            let events = self.journal.read_stream(AUDITS, version, EVENTS_PER_READ)?;
            let Some(last) = events.last() else { break };
            version = last.envelope.stream_version;
            // An audit whose payload was erased is no longer listed.
            for payload in events.iter().filter_map(|event| event.payload.value()) {
                let summary: AuditSummary = serde_json::from_value(payload.clone())
                    .map_err(|error| Error::internal("event_unreadable", &error))?;
                audits.push(summary);
            }
        }
        audits.reverse();
        Ok(audits)
    }

    /// One audit by its id or the beginning of it, without what is above the reader's clearance.
    pub fn find_audit(&self, reader: &Reader, id: &str) -> Result<AuditReport, Error> {
        let audits = self.list_audits(reader)?;
        let mut found = audits.iter().filter(|audit| !id.is_empty() && audit.id.starts_with(id));
        let audit = match (found.next(), found.next()) {
            (Some(audit), None) => audit,
            (first, _) => return Err(not_one(id, first.is_some())),
        };
        let blob = self.journal.get_blob(&audit.id)?;
        let report: AuditReport = serde_json::from_reader(BufReader::new(blob))
            .map_err(|error| Error::internal("audit_unreadable", &error))?;
        Ok(report.for_clearance(reader.clearance()))
    }
}

fn not_one(id: &str, several: bool) -> Error {
    if several {
        return Error::new(
            Kind::Invalid,
            "audit_ambiguous",
            format!("several audits begin with {id}"),
            "Give more characters of the id.",
        );
    }
    Error::new(
        Kind::NotFound,
        "audit_unknown",
        format!("there is no audit {id}"),
        "Look at the list of audits.",
    )
}
