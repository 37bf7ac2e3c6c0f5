//! Photos and documents of a case: what came with a result, an answer, or because it was asked for.

use std::io::Read as _;

use clearance::Event;
use spine::noun::Evidence;

use super::commands::{Folded, unknown};
use super::model::CaseDocument;
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::viewings::ViewedWhat;
use crate::viewings::read_model::LookAt;

/// Everything that the trader sent, in order.
pub(super) fn received(folded: &Folded) -> Vec<Evidence> {
    papers(folded, |event| match event {
        Event::DocumentsReceived { documents, .. } | Event::QuestionAnswered { documents, .. } => documents,
        _ => Vec::new(),
    })
}

/// What proves the results.
fn evidence(folded: &Folded) -> Vec<Evidence> {
    papers(folded, |event| match event {
        Event::ControlCompleted { result, .. } | Event::AuditClosed { result, .. } => result.evidence,
        _ => Vec::new(),
    })
}

fn papers(folded: &Folded, of: impl Fn(Event) -> Vec<Evidence>) -> Vec<Evidence> {
    let read = folded.events.iter().filter_map(|event| {
        let envelope = &event.envelope;
        Event::read(&envelope.kind, envelope.kind_version, event.payload.value()?)?.ok()
    });
    read.flat_map(of).collect()
}

impl Customhouse {
    /// A photo or document that belongs to a declaration, by its hash. Any other is not there.
    pub fn case_document(&self, reader: &Reader, mrn: &str, sha256: &str) -> Result<CaseDocument, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let folded = self.folded(mrn)?;
        let own = received(&folded).into_iter().chain(evidence(&folded)).find(|own| own.blob == sha256);
        let own = own.ok_or_else(|| {
            let detail = format!("no document of {mrn} has this number");
            Error::new(
                Kind::NotFound,
                "document_unknown",
                detail,
                "Follow the links of the declaration's page.",
            )
        })?;
        self.note_look(reader, ViewedWhat::Document, LookAt::Declaration(&self.known_record(mrn)?))?;
        let mut bytes = Vec::new();
        self.journal
            .get_blob(sha256)
            .map_err(|_| unknown(mrn))?
            .read_to_end(&mut bytes)
            .map_err(|error| Error::internal("document_unreadable", &error))?;
        Ok(CaseDocument { sha256: own.blob, media_type: own.media_type, bytes })
    }
}
