//! The journal as people read it: what was done, event by event.

use axum::extract::Path;
use customhouse::events::{EventRow, EventShown, JournalPage, JournalQuery};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, crumbs, empty, facts, heading, place, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{count, minute, texts};

/// Kinds of events to choose from.
const KINDS: [&str; 33] = [
    "declaration.lodged",
    "declaration.accepted",
    "declaration.rejected",
    "tags.applied",
    "selection.made",
    "threshold.moved",
    "declaration.registered",
    "goods.presented",
    "amendment.requested",
    "amendment.granted",
    "debt.assessed",
    "control.ordered",
    "control.taken",
    "control.completed",
    "goods.released",
    "goods.detained",
    "declaration.cleared",
    "exit.confirmed",
    "decision.contested",
    "policy.proposed",
    "policy.approved",
    "policy.withdrawn",
    "warning.raised",
    "watch.begun",
    "warnings.tags_in_use",
    "batch.admitted",
    "audit.completed",
    "pack.installed",
    "account.opened",
    "api.changed",
    "conformance.measured",
    "record.viewed",
    "erasure.done",
];

/// Where the thing is that a stream is about.
fn thing(stream: &str) -> Option<String> {
    let (family, id) = stream.split_once('/')?;
    match family {
        "declaration" => Some(format!("/declarations/{id}")),
        "batch" => Some(format!("/pool/batches/{id}")),
        "policy" => Some("/plan".to_owned()),
        "contract" => Some(format!("/pool/contracts/{id}")),
        "api" => Some("/changes".to_owned()),
        "conformance" => Some("/conformance".to_owned()),
        "warning" => Some("/warnings".to_owned()),
        "viewing" => Some("/viewings".to_owned()),
        "erasure" => Some("/erasures".to_owned()),
        _ => None,
    }
}

/// The journal, the latest event first.
pub(crate) async fn list(visit: Visit, Asked(asked): Asked<JournalQuery>) -> Result<Markup, Failure> {
    let query =
        JournalQuery { stream: asked.stream.trim().to_owned(), kind: asked.kind.trim().to_owned(), ..asked };
    let page = visit
        .work({
            let query = query.clone();
            move |house, reader| house.journal_page(reader, &query)
        })
        .await?;
    let below = html! { (visit.fill(texts::EVENTS_COUNTED, &[("n", &count(page.head))])) };
    let content = html! {
        (heading(visit.say(texts::JOURNAL), &below, &html! {}))
        (filters(&visit, &query))
        @if page.events.is_empty() { (empty(visit.say(texts::NO_EVENTS), visit.say(texts::NO_EVENTS_TEXT), &html! {})) }
        @else { (rows(&visit, &page)) }
        (further(&visit, &query, &page))
    };
    Ok(Page::new(&visit, Room::Journal, visit.say(texts::JOURNAL)).show(&content))
}

fn filters(visit: &Visit, query: &JournalQuery) -> Markup {
    html! {
        form class="filters" method="get" action="/journal" {
            label { (visit.say(texts::STREAM)) input type="search" name="stream" value=(query.stream) placeholder="declaration/26XX…" spellcheck="false" autocomplete="off"; }
            label {
                (visit.say(texts::KIND)) input type="search" name="kind" value=(query.kind) list="kinds" placeholder="goods.released" spellcheck="false" autocomplete="off";
            }
            datalist id="kinds" { @for kind in KINDS { option value=(kind) {} } }
            button { (visit.say(texts::APPLY)) }
        }
        p class="help" { (visit.say(texts::STREAM_HELP)) }
    }
}

fn actor(visit: &Visit, row: &EventRow) -> Markup {
    let actor = &row.envelope.actor;
    html! {
        (visit.named("actor", actor.kind.name()))
        @match &row.actor_name {
            Some(name) => { " " strong { (name) } },
            None => { " " code { (shortened(&actor.id)) } },
        }
    }
}

/// The beginning of a long id.
fn shortened(id: &str) -> String {
    if id.chars().count() <= 24 {
        id.to_owned()
    } else {
        format!("{}…", id.chars().take(20).collect::<String>())
    }
}

fn rows(visit: &Visit, page: &JournalPage) -> Markup {
    let head = html! {
        (th(visit, texts::POSITION, true)) (th(visit, texts::WHEN_UTC, false)) (th(visit, texts::KIND, false))
        (th(visit, texts::STREAM, false)) (th(visit, texts::WHO, false))
    };
    let body = html! {
        @for row in &page.events {
            tr {
                td class="number" { a href={ "/journal/" (row.position) } { (count(row.position)) } }
                td class="period" { (row.envelope.occurred_at.strftime("%Y-%m-%d %H:%M:%S")) }
                td { code { (row.envelope.kind) } @if row.erased { " " (chip("warn", visit.say(texts::ERASED))) } }
                td { a href=(place("/journal", &[("stream", &row.envelope.stream)])) { code class="hash" { (row.envelope.stream) } } }
                td { (actor(visit, row)) }
            }
        }
    };
    table(visit.say(texts::JOURNAL), &head, &body)
}

fn further(visit: &Visit, query: &JournalQuery, page: &JournalPage) -> Markup {
    let narrowed = [("stream", query.stream.as_str()), ("kind", query.kind.as_str())];
    html! {
        nav class="pager" aria-label=(visit.say(texts::PAGES_OF_LIST)) {
            @if query.before > 0 { a href=(place("/journal", &narrowed)) { (visit.say(texts::LATEST_EVENTS)) } }
            @if let Some(before) = page.before {
                @let before = before.to_string();
                @let [stream, kind] = narrowed;
                a href=(place("/journal", &[stream, kind, ("before", &before)])) rel="next" { (visit.fill(texts::BEFORE_POSITION, &[("n", &before)])) }
            }
        }
    }
}

/// One event with what it says.
pub(crate) async fn show(visit: Visit, Path(position): Path<u64>) -> Result<Markup, Failure> {
    let event = visit.work(move |house, reader| house.journal_event(reader, position)).await?;
    let envelope = &event.row.envelope;
    let title = format!("{} {}", visit.say(texts::EVENT), count(position));
    let before = position.saturating_sub(1);
    let actions = html! {
        a class="button" href={ "/journal/" (position) "/proof" } download { (visit.say(texts::PROOF_OF_EVENT)) }
        @if before > 0 { a class="button" href={ "/journal/" (before) } rel="prev" { "← " (count(before)) } }
        a class="button" href={ "/journal/" (position.saturating_add(1)) } rel="next" { (count(position.saturating_add(1))) " →" }
    };
    let stream = place("/journal", &[("stream", &envelope.stream)]);
    let content = html! {
        (crumbs(&visit, &[("/journal", visit.say(texts::JOURNAL)), (&stream, &envelope.stream)]))
        (heading(&title, &html! { code { (envelope.kind) } }, &actions))
        div class="columns" {
            section { h2 { (visit.say(texts::ENVELOPE)) } (envelope_facts(&visit, &event)) }
            section { h2 { (visit.say(texts::PAYLOAD)) } (payload(&visit, &event)) }
        }
    };
    Ok(Page::new(&visit, Room::Journal, title).show(&content))
}

fn envelope_facts(visit: &Visit, event: &EventShown) -> Markup {
    let envelope = &event.row.envelope;
    let cause = html! {
        @match (&envelope.causation, event.caused_by) {
            (Some(_), Some(position)) => a href={ "/journal/" (position) } { (count(position)) },
            (Some(id), None) => code class="hash" { (id) },
            (None, _) => (absent()),
        }
    };
    facts(&[
        (
            visit.say(texts::STREAM),
            html! {
                @match thing(&envelope.stream) { Some(place) => a href=(place) { code class="hash" { (envelope.stream) } }, None => code class="hash" { (envelope.stream) } }
                span class="soft" { " · " (visit.fill(texts::STREAM_VERSION, &[("n", &count(envelope.stream_version))])) }
            },
        ),
        (visit.say(texts::KIND), html! { code { (envelope.kind) "@" (envelope.kind_version) } }),
        (visit.say(texts::OCCURRED), html! { (envelope.occurred_at) }),
        (visit.say(texts::RECORDED), html! { (envelope.recorded_at) }),
        (visit.say(texts::WHO), actor(visit, &event.row)),
        (visit.say(texts::CAUSED_BY), cause),
        (visit.say(texts::NODE), html! { code { (envelope.node) } " · " (envelope.administration) }),
        (visit.say(texts::ID), html! { code class="hash" { (envelope.id) } }),
        (
            visit.say(texts::COMMITMENT),
            html! { code class="hash" { (envelope.payload_commit) } p class="help" { (visit.say(texts::COMMITMENT_HELP)) } },
        ),
    ])
}

fn payload(visit: &Visit, event: &EventShown) -> Markup {
    html! {
        @if let Some((at, basis)) = &event.erased {
            p class="notice warn" { (visit.fill(texts::ERASED_WHY, &[("time", &minute(*at)), ("basis", basis)])) }
        }
        @if let Some(payload) = &event.payload {
            @if !event.whole { p class="help" { (visit.say(texts::PAYLOAD_AS_SEEN)) } }
            pre class="payload" tabindex="0" aria-label=(visit.say(texts::PAYLOAD)) { code { (serde_json::to_string_pretty(payload).unwrap_or_default()) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_leads_to_the_thing_it_is_about() {
        for (stream, wanted) in [
            ("declaration/26XX1", Some("/declarations/26XX1")),
            ("batch/abc", Some("/pool/batches/abc")),
            ("policy/selection", Some("/plan")),
            ("account/7", None),
            ("audits", None),
        ] {
            assert_eq!(thing(stream).as_deref(), wanted, "{stream}");
        }
    }
}
