//! What is told of entry summary declarations: folded from their streams.

use jiff::civil::Date;
use serde::Deserialize;

use super::commands::is_of;
use super::model::{EntrySummaryRecord, Listed, State, stream_of_day};
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Entry summary declarations of one answer.
const ROWS_MAX: usize = 200;

/// What is not there, and what is somebody else's.
pub(super) fn unknown(mrn: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "entry_summary_unknown",
        format!("there is no entry summary declaration {mrn}"),
        "Check the number (MRN).",
    )
}

impl Customhouse {
    /// One that was accepted. A trader sees its own; the rest is as unknown as what does not exist.
    pub fn entry_summary(&self, reader: &Reader, mrn: &str) -> Result<EntrySummaryRecord, Error> {
        if !reader.may(Permission::ViewDeclarations) {
            reader.require(Permission::Lodge)?;
        }
        let state = self.entry_state(mrn)?;
        let own = |party: &str| state.received.as_ref().is_some_and(|sent| is_of(&sent.summary, party));
        let seen = reader.may(Permission::ViewDeclarations) || reader.party.as_deref().is_some_and(own);
        self.record_of(&state, mrn).filter(|_| seen).ok_or_else(|| unknown(mrn))
    }

    /// Those that were accepted on a day of the house's calendar, the latest first; at most 200.
    pub fn entry_summaries(&self, reader: &Reader, day: Date) -> Result<Vec<EntrySummaryRecord>, Error> {
        reader.require(Permission::ViewDeclarations)?;
        let listed = self.whole_stream(&stream_of_day(day))?;
        let numbers =
            listed.iter().rev().filter_map(|event| Listed::deserialize(event.payload.value()?).ok());
        let mut records = Vec::new();
        for Listed { mrn } in numbers.take(ROWS_MAX) {
            let state = self.entry_state(&mrn)?;
            records.extend(self.record_of(&state, &mrn));
        }
        Ok(records)
    }

    fn record_of(&self, state: &State, mrn: &str) -> Option<EntrySummaryRecord> {
        let summary = &state.received.as_ref()?.summary;
        let given = state.given.last()?;
        let answer = state.answer(given, mrn, self.folder().administration(), true);
        Some(EntrySummaryRecord {
            mrn: mrn.to_owned(),
            lrn: summary.lrn.clone(),
            lodging_person: summary.lodging_person.clone(),
            representative: summary.representative.clone(),
            carrier: summary.carrier.clone(),
            first_entry_office: summary.first_entry_office.clone(),
            expected_arrival: summary.expected_arrival.clone(),
            transport_mode: summary.transport_mode.clone(),
            items: summary.items,
            registered_at: state.registered_at?,
            amendments: state.amendments,
            intervention: state.intervention.clone(),
            last_answer: answer.xml,
        })
    }
}
