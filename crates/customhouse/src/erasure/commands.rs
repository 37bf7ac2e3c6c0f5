//! Ordering an erasure, approving it, taking it back.

use std::collections::BTreeSet;
use std::sync::Arc;

use spine::Progress;

use super::carry_out::{payload, stream};
use super::model::{
    APPROVED, Approved, Erasure, ErasureRequest, ErasureState, ORDERED, Ordered, Subject,
    TEXT_CHARACTERS_MAX, WITHDRAWN, ranges,
};
use super::record::{Kept, Ledger};
use super::subject::{Key, Matcher};
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::jobs::Job;
use crate::{Customhouse, Fact};

/// Longest id of a subject.
const SUBJECT_CHARACTERS_MAX: usize = 200;
/// Declarations named where they prevent an erasure.
const NAMED_MAX: usize = 10;

impl Customhouse {
    /// Orders an erasure. Nothing is destroyed before another person approves it.
    ///
    /// # Errors
    /// `erasure_text` for a basis or reason that is missing, too long, or names the subject; `erasure_subject` for one
    /// of whom nothing is recorded.
    pub fn order_erasure(&self, reader: &Reader, request: &ErasureRequest) -> Result<Erasure, Error> {
        reader.require(Permission::Erase)?;
        let key = Key::of(self.folder.site_path())?;
        checked_subject(&request.subject)?;
        let matcher = Matcher::named(&key, &request.subject);
        for (field, text) in [("basis", &request.basis), ("reason", &request.reason)] {
            let characters = text.trim().chars().count();
            if !(1..=TEXT_CHARACTERS_MAX).contains(&characters) || matcher.in_text(text) {
                return Err(Error::new(
                    Kind::Invalid,
                    "erasure_text",
                    format!("\"{field}\" has {characters} characters, or names whom it is about"),
                    format!(
                        "Write 1 to {TEXT_CHARACTERS_MAX} characters that name nobody: they stay for ever."
                    ),
                ));
            }
        }
        let ordered = Ordered {
            subject_kind: request.subject.kind().to_owned(),
            subject: key.seal(&request.subject),
            basis: request.basis.trim().to_owned(),
            reason: request.reason.trim().to_owned(),
        };
        let id = format!("e-{}", hex::encode(crate::random_bytes::<8>()?));
        let fact = Fact::new(&stream(&id), ORDERED, payload(&ordered)?).expecting(0);
        self.record(reader, fact)?;
        self.find_erasure(&id)
    }

    /// Approves an erasure that another person ordered, by naming the subject again, and has it carried out.
    ///
    /// # Errors
    /// `erasure_approved_by_same`, `erasure_subject_differs`, `erasure_not_open`; `erasure_case_open` while declarations
    /// of the subject are under way.
    pub fn approve_erasure(
        &self,
        reader: &Reader,
        id: &str,
        subject: &Subject,
        progress: &dyn Progress,
    ) -> Result<Erasure, Error> {
        let key = Key::of(self.folder.site_path())?;
        let erasure = self.approvable(reader, id, subject, &key)?;
        progress.report("looking_for_records", 0, 0);
        let _alone = self.folder.lock_site()?;
        // Looks that wait to be recorded may name the subject too.
        let _ = self.settle_viewings(std::time::Duration::from_secs(5));
        let matcher = Matcher::named(&key, subject);
        let planned = self.look_for(&matcher)?;
        if !planned.found.under_way.is_empty() {
            return Err(case_open(&planned.found.under_way));
        }
        let kept = Kept {
            id: erasure.id.clone(),
            subject_kind: erasure.subject_kind,
            subject: erasure.subject,
            basis: erasure.basis,
            events: planned.found.events.clone().into_iter().collect(),
            blobs: planned.found.blobs.iter().cloned().collect(),
            done: false,
        };
        let (positions, positions_left_out) = ranges(planned.found.events.keys().copied());
        let approved = Approved { positions, positions_left_out };
        let fact = Fact::new(&stream(id), APPROVED, payload(&approved)?).expecting(1);
        self.record(reader, fact)?;
        let mut ledger = Ledger::read(self.folder.site_path())?;
        ledger.keep(kept.clone())?;
        self.carry_out(reader, &matcher, &planned, &kept, false, progress)?;
        ledger.keep(Kept { done: true, ..kept })?;
        self.find_erasure(id)
    }

    /// [`Customhouse::approve_erasure`] in the background: what can be refused at once is. The job cannot be stopped, for
    /// what is approved is carried out; its result is the erasure's id.
    ///
    /// # Errors
    /// Those of [`Customhouse::approve_erasure`], but open cases, which the job tells.
    pub fn start_erasure(
        self: &Arc<Self>,
        reader: &Reader,
        id: &str,
        subject: Subject,
    ) -> Result<Arc<Job>, Error> {
        self.approvable(reader, id, &subject, &Key::of(self.folder.site_path())?)?;
        let (house, reader, id) = (Arc::clone(self), reader.clone(), id.to_owned());
        self.jobs().start("erasure", move |job| {
            house.approve_erasure(&reader, &id, &subject, job).map(|erasure| erasure.id)
        })
    }

    /// An erasure that the reader may approve, and whose subject was named rightly.
    fn approvable(&self, reader: &Reader, id: &str, subject: &Subject, key: &Key) -> Result<Erasure, Error> {
        reader.require(Permission::Erase)?;
        let erasure = self.find_erasure(id)?;
        may_approve(reader, &erasure)?;
        checked_subject(subject)?;
        if subject.kind() == erasure.subject_kind && key.seal(subject) == erasure.subject {
            return Ok(erasure);
        }
        Err(Error::new(
            Kind::Refused,
            "erasure_subject_differs",
            "that is not whom the order is about",
            "Ask who ordered it, and write the same id in the same way.",
        ))
    }

    /// Takes an order back that nobody approved yet.
    pub fn withdraw_erasure(&self, reader: &Reader, id: &str) -> Result<Erasure, Error> {
        reader.require(Permission::Erase)?;
        let erasure = self.find_erasure(id)?;
        if erasure.state != ErasureState::Ordered {
            return Err(not_open(&erasure));
        }
        self.record(reader, Fact::new(&stream(id), WITHDRAWN, serde_json::json!({})).expecting(1))?;
        self.find_erasure(id)
    }
}

fn may_approve(reader: &Reader, erasure: &Erasure) -> Result<(), Error> {
    if erasure.state != ErasureState::Ordered {
        return Err(not_open(erasure));
    }
    if erasure.ordered_by != reader.id {
        return Ok(());
    }
    Err(Error::new(
        Kind::Conflict,
        "erasure_approved_by_same",
        "you ordered it",
        "Ask another person whose role allows it: two different people erase.",
    ))
}

fn not_open(erasure: &Erasure) -> Error {
    Error::new(
        Kind::Conflict,
        "erasure_not_open",
        format!("the erasure {} is {}", erasure.id, erasure.state.name()),
        "Nothing is left to be done with it; order another one where more is to be erased.",
    )
}

fn checked_subject(subject: &Subject) -> Result<(), Error> {
    let id = subject.id();
    let fits = (2..=SUBJECT_CHARACTERS_MAX).contains(&id.chars().count());
    if fits && !id.contains(char::is_control) && id.trim() == id {
        return Ok(());
    }
    Err(Error::new(
        Kind::Invalid,
        "erasure_subject",
        "the id is missing, too short or too long",
        "Write the party's id as declarations have it, or the MRN.",
    ))
}

fn case_open(under_way: &BTreeSet<String>) -> Error {
    let named: Vec<&str> = under_way.iter().take(NAMED_MAX).map(String::as_str).collect();
    Error::new(
        Kind::Refused,
        "erasure_case_open",
        format!("{} of the declarations are still under way: {}", under_way.len(), named.join(", ")),
        "Bring them to their end first: goods are released, detained, or the declaration is cancelled.",
    )
}
