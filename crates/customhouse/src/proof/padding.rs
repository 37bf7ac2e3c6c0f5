//! Whether sizes of checkpoints tell how much happened: a setting of the site, recorded in its journal.

use journal::Journal;
use journal::log::writer::PAD_TO_MAX;
use serde_json::json;

use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::{Customhouse, Fact};

const STREAM: &str = "log/settings";
const PADDING_SET: &str = "log.padding_set";
/// Events read at once.
const EVENTS_AT_ONCE: usize = 1_000;

impl Customhouse {
    /// Lets sizes of checkpoints be multiples of `pad_to`, at most [`PAD_TO_MAX`], filled up with events that say
    /// nothing; 1 fills nothing up. It holds from the next start of every process of the site.
    ///
    /// # Errors
    /// `padding_out_of_range`.
    pub fn pad_log(&self, reader: &Reader, pad_to: u64) -> Result<(), Error> {
        reader.require(Permission::ManageUsers)?;
        if !(1..=PAD_TO_MAX).contains(&pad_to) {
            return Err(Error::new(
                Kind::Invalid,
                "padding_out_of_range",
                format!("sizes of checkpoints cannot be multiples of {pad_to}"),
                format!("Give a number from 1 (no padding) to {PAD_TO_MAX}."),
            ));
        }
        let fact = Fact::new(STREAM, PADDING_SET, json!({ "pad_to": pad_to }));
        crate::record_fact(self.journal.as_ref(), self.clock.now(), reader, fact)?;
        Ok(())
    }
}

/// What was set last.
pub(super) fn pad_to(journal: &dyn Journal) -> Result<u64, Error> {
    let (mut version, mut pad_to) = (0, 1);
    loop {
        let events = journal.read_stream(STREAM, version, EVENTS_AT_ONCE)?;
        let Some(last) = events.last() else { return Ok(pad_to) };
        version = last.envelope.stream_version;
        let said = events.iter().filter(|event| event.envelope.kind == PADDING_SET);
        let mut said = said.filter_map(|event| event.payload.value()?.get("pad_to")?.as_u64());
        pad_to = said.next_back().unwrap_or(pad_to);
    }
}
