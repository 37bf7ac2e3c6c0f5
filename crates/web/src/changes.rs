//! The public record of changes in rules, lists, plans, contracts and the API, and the same as a feed (Atom, RFC 4287)
//! that anybody may subscribe to.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use customhouse::changes::{Change, ChangeKind};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::failure::Failure;
use crate::once::Kept;
use crate::shell::{Page, Room};
use crate::view::{empty, heading, table, th};
use crate::visit::{Visit, blocking};
use crate::words::{minute, short, texts};

/// Changes shown, and told in the feed.
const CHANGES_MAX: usize = 200;
/// An answer is so old at most.
const AGE_MAX: Duration = Duration::from_secs(5);

/// The latest changes as they were told last.
pub(crate) type ChangesKept = Arc<Kept<Vec<Change>>>;

/// Nothing is known yet.
pub(crate) fn kept() -> ChangesKept {
    Arc::new(Kept::new(AGE_MAX))
}

pub(crate) async fn ask(visit: &Visit, kept: &Kept<Vec<Change>>) -> Result<Arc<Vec<Change>>, Failure> {
    let house = Arc::clone(visit.house());
    Ok(kept.get(blocking(move || house.changes(CHANGES_MAX))).await?)
}

/// What a change is called.
fn title(visit: &Visit, change: &Change) -> String {
    let own = visit.localized(&change.title);
    let subject = match change.kind {
        ChangeKind::PolicyInForce | ChangeKind::PolicyWithdrawn => visit.named("policy", &change.subject),
        _ if own.is_empty() => change.subject.as_str(),
        _ => own,
    };
    format!("{}: {subject}", visit.named("change", change.kind.name()))
}

/// The page.
pub(crate) async fn show(visit: Visit, Extension(kept): Extension<ChangesKept>) -> Result<Markup, Failure> {
    let changes = ask(&visit, &kept).await?;
    let subscribe = html! { a class="button" href="/changes.atom" type="application/atom+xml" { (visit.say(texts::SUBSCRIBE)) } };
    let content = html! {
        (heading(visit.say(texts::CHANGES), &html! { (visit.say(texts::CHANGES_INTRODUCTION)) }, &subscribe))
        @if changes.is_empty() { (empty(visit.say(texts::NO_CHANGES), visit.say(texts::NO_CHANGES_TEXT), &html! {})) }
        @else { (list(&visit, &changes)) }
    };
    Ok(Page::new(&visit, Room::Changes, visit.say(texts::CHANGES)).public().show(&content))
}

fn list(visit: &Visit, changes: &[Change]) -> Markup {
    let head = html! {
        (th(visit, texts::WHEN_UTC, false)) (th(visit, texts::WHAT, false)) (th(visit, texts::VERSION, false)) (th(visit, texts::CONTENT_HASH, false))
    };
    let body = html! {
        @for change in changes {
            tr id={ "c" (change.position) } {
                td class="period" { (minute(change.at)) }
                td {
                    (title(visit, change))
                    (operations(visit, change))
                }
                td { @match &change.version { Some(version) => (version), None => "" } }
                td { code title=(change.hash) { (short(&change.hash)) } }
            }
        }
    };
    table(visit.say(texts::CHANGES), &head, &body)
}

/// Operations that came or went.
fn operations(visit: &Visit, change: &Change) -> Markup {
    let list = |word: &str, all: &[String]| {
        html! {
            @if !all.is_empty() {
                details { summary { (word) " (" (all.len()) ")" } ul class="operations" { @for one in all { li { code { (one) } } } } }
            }
        }
    };
    html! { (list(visit.say(texts::ADDED), &change.added)) (list(visit.say(texts::REMOVED), &change.removed)) }
}

/// The feed.
pub(crate) async fn feed(
    visit: Visit,
    Extension(kept): Extension<ChangesKept>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let changes = ask(&visit, &kept).await?;
    // A feed names its entries by addresses that stay; the host is the one that it was asked at.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let text = atom(&visit, host, &changes);
    Ok(([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], text).into_response())
}

fn atom(visit: &Visit, host: &str, changes: &[Change]) -> String {
    let stamp = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let updated = changes.first().map_or_else(|| stamp(Timestamp::UNIX_EPOCH), |change| stamp(change.at));
    let place = format!("//{host}/changes");
    let entries = html! {
        @for change in changes {
            entry {
                id { "urn:sha256:" (change.hash) ":" (change.position) }
                title { (title(visit, change)) }
                updated { (stamp(change.at)) }
                link href={ (place) "#c" (change.position) } {}
                category term=(change.kind.name()) {}
                content type="text" { (said(visit, change)) }
            }
        }
    };
    let head = html! {
        id { "urn:tidewaiter:changes:" (host) }
        title { "Tidewaiter · " (visit.say(texts::CHANGES)) }
        updated { (updated) }
        author { name { "Tidewaiter" } }
        link href=(place) {}
    };
    let language = visit.language().code();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{language}\">{}{}</feed>\n",
        head.into_string(),
        entries.into_string()
    )
}

/// A change in a sentence or two.
fn said(visit: &Visit, change: &Change) -> String {
    let mut parts = vec![title(visit, change)];
    parts.extend(change.version.clone());
    for (word, all) in [(texts::ADDED, &change.added), (texts::REMOVED, &change.removed)] {
        if !all.is_empty() {
            parts.push(format!("{}: {}", visit.say(word), all.join(", ")));
        }
    }
    parts.push(format!("SHA-256 {}", change.hash));
    parts.join("; ")
}
