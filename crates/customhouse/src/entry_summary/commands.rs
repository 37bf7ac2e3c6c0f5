//! Lodging, amending, ordering an intervention.

use std::time::Duration;

use formats::entry_summary::{EntrySummary, FunctionalError, read_entry_summary};
use journal::{AppendRequest, NewEvent};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use spine::Severity;

use super::model::{
    ACCEPTED, AMENDED, AMENDMENT_REJECTED, Accepted, EntrySummaryAnswer, INTERVENTION_ORDERED, LODGED,
    Ordered, REJECTED, Received, Refusal, State, stream,
};
use super::read_model::unknown;
use crate::Customhouse;
use crate::civil_time::civil;
use crate::declarations::{LODGE_BYTES_MAX, entry_number};
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Characters of an intervention's code and words.
const CODE_CHARACTERS_MAX: usize = 4;
const TEXT_CHARACTERS_MAX: usize = 350;
/// How long whoever writes waits for lists to show it.
const SHOWN_WAIT: Duration = Duration::from_secs(5);

/// A fact of a stream, on its way.
type Recorded = (String, &'static str, Value);

fn fact(stream: &str, kind: &'static str, payload: &impl Serialize) -> Result<Recorded, Error> {
    let payload = serde_json::to_value(payload);
    Ok((stream.to_owned(), kind, payload.map_err(|error| Error::internal("payload_unwritable", &error))?))
}

impl Customhouse {
    /// Takes an entry summary declaration (CC315A) or an amendment of one (CC313A), holds it against the installed
    /// schema and the public rules, records what comes of it, and answers. What breaks a rule is answered, not an
    /// error.
    ///
    /// # Errors
    /// `no_party`, `entry_summary_not_own`, `entry_summary_unreadable` (with findings: nothing was recorded),
    /// `entry_summary_unknown` (an amendment of what is not there, or not theirs), `reference_in_use`.
    pub fn lodge_entry_summary(&self, reader: &Reader, bytes: &[u8]) -> Result<EntrySummaryAnswer, Error> {
        reader.require(Permission::Lodge)?;
        let party = reader.party.as_deref().ok_or_else(|| {
            Error::new(
                Kind::Forbidden,
                "no_party",
                "this account acts for no party",
                "Ask an administrator to name the party whose declarations you lodge.",
            )
        })?;
        let summary = readable(bytes)?;
        if !is_of(&summary, party) {
            return Err(Error::new(
                Kind::Forbidden,
                "entry_summary_not_own",
                "neither the person who lodges it nor the representative is the party of this account",
                "State your own identification as the lodging person or as the representative.",
            ));
        }
        let sha256 = hex::encode(Sha256::digest(bytes));
        let mrn = self.number_for(&summary)?;
        let state = self.entry_state(&mrn)?;
        if summary.amends && !state.received.as_ref().is_some_and(|own| is_of(&own.summary, party)) {
            return Err(unknown(&mrn));
        }
        if let Some(given) = state.given_to(&sha256) {
            return Ok(state.answer(given, &mrn, self.folder().administration(), true));
        }
        if summary.amends && state.registered_at.is_none() {
            return Err(unknown(&mrn));
        }
        if !summary.amends && state.registered_at.is_some() {
            return Err(Error::new(
                Kind::Conflict,
                "reference_in_use",
                format!("{} has lodged another entry summary declaration under this reference", party),
                "Give it a reference of its own, or send an amendment (CC313A).",
            ));
        }
        let errors = self.errors_of(reader, bytes)?;
        let kept = self.journal.put_blob(&mut &*bytes)?.sha256;
        let received = Received { summary, party: party.to_owned(), sha256: kept, errors };
        let facts = self.facts_of(&mrn, &received)?;
        self.append_facts(reader, &mrn, state.version, facts)?;
        self.answered(&mrn, &sha256)
    }

    /// Orders that what travels is stopped, and says so to who lodged it.
    ///
    /// # Errors
    /// `entry_summary_unknown`, `intervention_incomplete`, `intervention_ordered_already`.
    pub fn order_intervention(
        &self,
        reader: &Reader,
        mrn: &str,
        code: &str,
        text: &str,
    ) -> Result<EntrySummaryAnswer, Error> {
        reader.require(Permission::Examine)?;
        let fits = |text: &str, max: usize| !text.trim().is_empty() && text.chars().count() <= max;
        if !fits(code, CODE_CHARACTERS_MAX) || !fits(text, TEXT_CHARACTERS_MAX) {
            return Err(Error::new(
                Kind::Invalid,
                "intervention_incomplete",
                "an intervention says what is to be done, as a code and in words",
                format!(
                    "State a code of up to {CODE_CHARACTERS_MAX} characters, and what is to be done in up to {TEXT_CHARACTERS_MAX}."
                ),
            ));
        }
        let state = self.entry_state(mrn)?;
        if state.registered_at.is_none() {
            return Err(unknown(mrn));
        }
        if state.intervention.is_some() {
            return Err(Error::new(
                Kind::Conflict,
                "intervention_ordered_already",
                format!("an intervention was ordered on {mrn} already"),
                "Look at what was ordered.",
            ));
        }
        let ordered = Ordered { code: code.trim().to_owned(), text: text.trim().to_owned() };
        let facts = vec![fact(&stream(mrn), INTERVENTION_ORDERED, &ordered)?];
        self.append_facts(reader, mrn, state.version, facts)?;
        let state = self.entry_state(mrn)?;
        let given = state.given.last().ok_or_else(|| unknown(mrn))?;
        Ok(state.answer(given, mrn, self.folder().administration(), false))
    }

    /// The number that a message is about, or the one that it gets: made from who lodges it and its reference, of
    /// this year or, where there is one, of the last.
    fn number_for(&self, summary: &EntrySummary) -> Result<String, Error> {
        if summary.amends {
            return summary
                .mrn
                .clone()
                .ok_or_else(|| incomplete("the number of what is amended (DocNumHEA5)"));
        }
        let reference = summary.lrn.as_deref().ok_or_else(|| incomplete("a reference (RefNumHEA4)"))?;
        let person = summary.lodging_person.as_deref().unwrap_or_default();
        let year = civil(self.now()).year();
        let last = entry_number(year.saturating_sub(1), person, reference);
        let known = !self.journal.read_stream(&stream(&last), 0, 1)?.is_empty();
        Ok(if known { last } else { entry_number(year, person, reference) })
    }

    /// What schema and rules have against a message.
    fn errors_of(&self, reader: &Reader, bytes: &[u8]) -> Result<Vec<FunctionalError>, Error> {
        let checked = self.checker(reader.clearance()).check(bytes)?;
        let errors = checked.findings.into_iter().map(|own| own.finding);
        Ok(errors
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| FunctionalError {
                pointer: finding.pointer,
                reason: finding.code,
                original_value: finding.found,
            })
            .collect())
    }

    fn facts_of(&self, mrn: &str, received: &Received) -> Result<Vec<Recorded>, Error> {
        let (own, refused) = (stream(mrn), !received.errors.is_empty());
        if received.summary.amends {
            let kind = if refused { AMENDMENT_REJECTED } else { AMENDED };
            return Ok(vec![fact(&own, kind, received)?]);
        }
        let lodged = fact(&own, LODGED, received)?;
        if refused {
            let refusal = Refusal { errors: received.errors.len() };
            return Ok(vec![lodged, fact(&own, REJECTED, &refusal)?]);
        }
        let accepted = Accepted { mrn: mrn.to_owned() };
        Ok(vec![lodged, fact(&own, ACCEPTED, &accepted)?])
    }

    fn append_facts(
        &self,
        reader: &Reader,
        mrn: &str,
        version: u64,
        facts: Vec<Recorded>,
    ) -> Result<(), Error> {
        let now = self.now();
        let events = facts.into_iter().map(|(stream, kind, payload)| NewEvent {
            stream,
            kind: kind.to_owned(),
            kind_version: 1,
            occurred_at: now,
            actor: reader.actor(),
            causation: None,
            payload,
        });
        let request = AppendRequest {
            events: events.collect(),
            expected: vec![(stream(mrn), version)],
            ..AppendRequest::default()
        };
        let position = self.journal.append(request)?.last_position();
        self.projection.wait_for(position, SHOWN_WAIT);
        Ok(())
    }

    fn answered(&self, mrn: &str, sha256: &str) -> Result<EntrySummaryAnswer, Error> {
        let state = self.entry_state(mrn)?;
        let given = state.given_to(sha256).ok_or_else(|| unknown(mrn))?;
        Ok(state.answer(given, mrn, self.folder().administration(), false))
    }

    /// What is recorded of a number.
    pub(super) fn entry_state(&self, mrn: &str) -> Result<State, Error> {
        Ok(State::of(&self.whole_stream(&stream(mrn))?))
    }
}

/// What can be recorded at all.
fn readable(bytes: &[u8]) -> Result<EntrySummary, Error> {
    if bytes.len() > LODGE_BYTES_MAX {
        return Err(Error::new(
            Kind::Invalid,
            "too_large",
            format!("{} bytes; at most {LODGE_BYTES_MAX} are taken", bytes.len()),
            "Split the message.",
        ));
    }
    read_entry_summary(bytes)
        .map_err(|findings| incomplete("a message that can be read").with_findings(findings))
}

fn incomplete(what: &str) -> Error {
    Error::new(
        Kind::Refused,
        "entry_summary_unreadable",
        format!("this is no entry summary declaration that can be recorded: it lacks {what}"),
        "Correct it and send it again. Nothing was recorded.",
    )
}

/// Does this party lodge it, or act for who does?
pub(super) fn is_of(summary: &EntrySummary, party: &str) -> bool {
    [&summary.lodging_person, &summary.representative].into_iter().any(|own| own.as_deref() == Some(party))
}
