//! Early warnings: tags that have become more frequent, at all, at an office, in a chapter or on a route, than their own
//! past says. The mathematics is [`::tags::warning`]'s.
//!
//! For each finished day (UTC, by the house's clock) declarations whose tags became known that day are counted, and those
//! carrying each tag, by scope. What is counted stands in a file of its own (`warnings/counts.json`), marked with the
//! position that it reflects; delete it, and it is counted again from the journal. At the end of each day whoever decides
//! looks at all series and records what was seen: of several processes that try, the journal takes one.
//!
//! | call | permission | event |
//! |---|---|---|
//! | `warnings(&reader, &WarningsQuery) -> WarningsPage` | view tags and declarations | none |
//! | `open_warnings(&reader, office, limit) -> OpenWarnings` | view tags and declarations | none |
//! | `acknowledge_warning(&reader, id, note) -> position` | lead, or manage plans | `warning.acknowledged` |
//! | `watched_combinations(&reader) -> Vec<Watched>` | view tags and declarations | none |
//! | `watch_combination(&reader, &NewWatch) -> Watched`, `unwatch_combination(&reader, id, reason) -> position` | manage plans | `watch.begun`, `watch.ended` |
//! | `watch_for_warnings() -> usize`: what the days that have ended since say | none: the house itself | `warnings.tags_in_use`, `warnings.day_ended`, `warning.raised` |
//!
//! Streams: `warnings` has the days and since when tags mean what they mean, `watched` the combinations that are watched,
//! `warning/TAG/ID` (or `warning/COMBINATION/ID`) what happened to one warning. A warning is of one episode: it is over
//! when the sum has come back to 0, and may then come again. Tags above a reader's clearance do not exist, nor do their
//! warnings.

mod commands;
mod counts;
mod event;
mod file;
mod hits;
mod in_use;
mod model;
mod read_model;
mod state;
#[cfg(test)]
mod tests;
mod watch;
#[cfg(test)]
mod watch_tests;
mod watched;

pub use commands::NOTE_CHARACTERS_MAX;
pub(crate) use commands::WarningRoom;
pub(crate) use counts::departure;
pub(crate) use event::WATCH_KINDS;
pub use event::{Scope, ScopeKind};
pub use model::{
    Acknowledgement, CombinationOnCase, DayOfWarning, NewWatch, OpenWarnings, Standing, Warning,
    WarningOnCase, WarningsPage, WarningsQuery, Watched,
};
pub use state::FALSE_ALARMS_A_YEAR;
pub use watch::{WATCH_TITLE_CHARACTERS_MAX, WATCHED_MAX};
