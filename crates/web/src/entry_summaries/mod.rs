//! Entry summary declarations: a list and one with its messages, for officials; a trader sees its own under `/own`.

mod list;
mod one;

use axum::Router;
use axum::routing::{get, post};
use customhouse::entry_summary::EntryState;
use maud::Markup;

use crate::shell::Room;
use crate::view::chip;
use crate::visit::Visit;

/// Routes of pages and forms.
pub(crate) fn routes() -> Router {
    Router::new()
        .route(OFFICIAL.path, get(list::all))
        .route("/entry-summaries/{mrn}", get(one::any))
        .route("/entry-summaries/{mrn}/intervention", post(one::intervene))
        .route("/entry-summaries/{mrn}/messages/{number}", get(one::message))
        .route(OWN.path, get(list::own))
        .route("/own/entry-summaries/{mrn}", get(one::own))
        .route("/own/entry-summaries/{mrn}/messages/{number}", get(one::message))
}

/// Whose pages these are.
#[derive(Debug, Clone, Copy)]
struct Side {
    path: &'static str,
    room: Room,
    /// A trader's own: nothing is decided there.
    own: bool,
}

const OFFICIAL: Side = Side { path: "/entry-summaries", room: Room::EntrySummaries, own: false };
const OWN: Side = Side { path: "/own/entry-summaries", room: Room::Own, own: true };

/// Where one stands, as word and colour.
fn state_chip(visit: &Visit, state: EntryState) -> Markup {
    let class = match state {
        EntryState::Accepted => "good",
        EntryState::Rejected => "bad",
        EntryState::Stopped => "warn",
    };
    chip(class, visit.named("entry_state", state.name()))
}

/// A moment that a message states, `CCYYMMDDhhmm`, as people read it; anything else as it came.
fn stated_moment(text: &str) -> String {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    if digits {
        format!("{}-{}-{} {}:{}", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_stated_moment_is_written_as_people_read_it() {
        for (stated, read) in
            [("202603311430", "2026-03-31 14:30"), ("2026033114", "2026033114"), ("soon", "soon"), ("", "")]
        {
            assert_eq!(super::stated_moment(stated), read);
        }
    }
}
