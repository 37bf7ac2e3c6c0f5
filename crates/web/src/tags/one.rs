//! One tag with its cases and the rows that carry it, and why it is, or is not, on a row.

use axum::extract::Path;
use customhouse::rules::{Explanation, Truth};
use customhouse::tags::{Expectation, PlaceOfRow, ReasonOfAggregate, TagCase, TagDetail, TagReason, TagRows};
use maud::{Markup, html};

use super::{severity_chip, subject};
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, facts, heading, place, simulated, table, th};
use crate::visit::Visit;
use crate::words::{count, short, texts};

/// Rows shown that carry a tag.
const ROWS_SHOWN: usize = 20;
/// Deepest part of a condition that is shown.
const PARTS_DEPTH_MAX: usize = 24;

/// One tag: what it means, on which law it rests, its cases, and real rows that carry it.
pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Failure> {
    let (tag, rows, in_pool) = visit
        .work(move |house, reader| {
            let tag = house.tag(reader, &id)?;
            let rows = house.tag_on_real_rows(reader, &id, ROWS_SHOWN)?;
            let in_pool = super::history::where_known(house.tag_in_pool(reader, &id)).flatten();
            Ok((tag, rows, in_pool))
        })
        .await?;
    let definition = &tag.definition;
    let title = visit.localized(&definition.title);
    let below = html! { (severity_chip(&visit, definition.severity)) " " code { (definition.id) } };
    let actions = html! {
        a class="button" href=(place("/tag-query", &[("q", &definition.id)])) { (visit.say(texts::WHO_CARRIES_IT)) }
        a class="button" href=(place("/tag-graph", &[("q", &definition.id)])) { (visit.say(texts::TOGETHER_WITH)) }
    };
    let content = html! {
        (crumbs(&visit, &[("/tags", visit.say(texts::TAGS)), (&format!("/tags?family={}", definition.family), visit.localized(&tag.family_title))]))
        (heading(title, &below, &actions))
        p { (visit.localized(&definition.description)) }
        div class="columns" {
            section {
                h2 { (visit.say(texts::CONDITION)) }
                pre class="condition" tabindex="0" { code { (definition.when) } }
                p { strong { (visit.say(texts::INSPECTION_HINT)) ": " } (visit.localized(&definition.inspection_hint)) }
            }
            section { h2 { (visit.say(texts::SUMMARY)) } (about(&visit, &tag)) }
        }
        (super::history::in_pool(&visit, &tag, in_pool.as_ref()))
        (carrying(&visit, &rows))
        @if !tag.cases.is_empty() { (cases(&visit, &tag)) }
    };
    Ok(Page::new(&visit, Room::Tags, title).show(&content))
}

fn about(visit: &Visit, tag: &TagDetail) -> Markup {
    let definition = &tag.definition;
    let source = &definition.source;
    facts(&[
        (visit.say(texts::FAMILY), html! { (visit.localized(&tag.family_title)) }),
        (visit.say(texts::ON_WHAT), html! { (visit.named("subject", subject(definition.on))) }),
        (visit.say(texts::LEGAL_BASIS), html! { (definition.legal_basis) }),
        (visit.say(texts::OWNER), html! { (definition.owner) }),
        (visit.say(texts::SENSITIVITY), html! { (visit.named("class", definition.sensitivity.name())) }),
        (visit.say(texts::VERSION), html! { (definition.version) }),
        (
            visit.say(texts::SOURCE),
            html! {
                a href={ "/packs/" (source.pack_id) } { (source.pack_id) " " (source.pack_version) } " · " (source.file) ":" (source.line) " · " code { (short(&source.pack_hash)) }
            },
        ),
    ])
}

fn carrying(visit: &Visit, rows: &TagRows) -> Markup {
    let head = html! {
        (th(visit, texts::ROW, true)) (th(visit, texts::BATCH, false)) (th(visit, texts::VALUES, false)) (th(visit, texts::WHY, false))
    };
    let body = html! {
        @for reason in &rows.rows {
            tr {
                td class="number" { (row_number(reason)) }
                td { @if let Some(batch) = &reason.place.batch { a href={ "/pool/batches/" (batch) } { code { (short(batch)) } } } }
                td { (values_read(visit, reason)) }
                td { a href=(why_place(&reason.tag.id, &reason.place)) { (visit.say(texts::WHY)) } }
            }
        }
    };
    let figures =
        [("carried", count(rows.carrying)), ("rows", count(rows.entries)), ("unknown", count(rows.unknown))];
    let values: Vec<(&str, &str)> = figures.iter().map(|(name, value)| (*name, value.as_str())).collect();
    html! {
        section {
            h2 { (visit.say(texts::CARRIED_BY)) " " (simulated(visit, rows.entries_simulated > 0)) }
            @if rows.entries == 0 { p class="soft" { (visit.say(texts::NO_BATCH_FOR_TAG)) } }
            @else { p { (visit.fill(texts::ROWS_CARRY, &values)) @if rows.older_left_out { " " (visit.say(texts::OLDER_LEFT_OUT)) } } }
            @if !rows.rows.is_empty() { (table(visit.say(texts::CARRIED_BY), &head, &body)) }
        }
    }
}

fn row_number(reason: &TagReason) -> Markup {
    match (&reason.place.batch, reason.place.row) {
        (Some(batch), Some(row)) => {
            html! { a href={ "/pool/batches/" (batch) "/rows/" (row) } { (count(row)) } }
        }
        _ => absent(),
    }
}

fn why_place(tag: &str, place: &PlaceOfRow) -> String {
    let (batch, row) = (place.batch.as_deref().unwrap_or_default(), place.row.unwrap_or_default());
    format!("/tags/{tag}/why/{batch}/{row}")
}

/// The values that the condition read.
pub(super) fn values_read(visit: &Visit, reason: &TagReason) -> Markup {
    let schema = spine::declaration_entry::schema();
    let mut leaves = Vec::new();
    gather(&reason.explanation, &mut leaves, PARTS_DEPTH_MAX);
    html! {
        @for (name, value) in leaves.iter().take(4) {
            div { span class="soft" { @match schema.field(name) { Some(field) => (visit.localized(&field.title)), None => code { (name) } } ": " } (value) }
        }
    }
}

fn gather<'a>(part: &'a Explanation, leaves: &mut Vec<(&'a str, &'a str)>, depth: usize) {
    if let ([pointer], Some(value)) = (part.pointers.as_slice(), &part.value)
        && !leaves.iter().any(|(name, _)| *name == pointer.0)
    {
        leaves.push((&pointer.0, value));
    }
    if depth > 0 {
        for inner in &part.parts {
            gather(inner, leaves, depth.saturating_sub(1));
        }
    }
}

fn cases(visit: &Visit, tag: &TagDetail) -> Markup {
    let noted = tag.cases.iter().any(|case| !case.note.is_empty());
    let head = html! {
        (th(visit, texts::EXPECTED, false))
        @if noted { (th(visit, texts::REASON, false)) }
        (th(visit, texts::ENTRY, false))
    };
    let body = html! {
        @for case in &tag.cases {
            @let name = match case.expect { Expectation::Tagged => "tagged", Expectation::NotTagged => "not_tagged", Expectation::Unknown => "unknown" };
            tr {
                td { (visit.named("case", name)) }
                @if noted { td { (case.note) } }
                td class="case-entry" { (case_entry(visit, tag, case)) }
            }
        }
    };
    html! { section { h2 { (visit.say(texts::CASES)) } (table(visit.say(texts::CASES), &head, &body)) } }
}

/// The fields that the condition names, then the others folded away.
fn case_entry(visit: &Visit, tag: &TagDetail, case: &TagCase) -> Markup {
    let definition = &tag.definition;
    let reads = |field: &str| {
        definition.when.contains(field)
            || definition.aggregates.values().any(|own| own.fields().any(|part| part.field == field))
    };
    let (named, others): (Vec<_>, Vec<_>) = case.entry.iter().partition(|(field, _)| reads(field));
    html! {
        @for (field, value) in &named { div { code { (field) } " = " (value) } }
        @if case.history_entries > 0 { p class="soft" { (visit.fill(texts::WITH_HISTORY, &[("n", &count(case.history_entries))])) } }
        @if !others.is_empty() {
            details {
                summary { (visit.fill(texts::OTHER_FIELDS, &[("n", &others.len().to_string())])) }
                @for (field, value) in &others { div { code { (field) } " = " (value) } }
            }
        }
    }
}

/// Why a tag is, or is not, on a row.
pub(crate) async fn why(
    visit: Visit,
    Path((id, batch, row)): Path<(String, String, u64)>,
) -> Result<Markup, Failure> {
    let reason = visit.work(move |house, reader| house.tag_on_row(reader, &id, &batch, row)).await?;
    let title = visit.localized(&reason.tag.title);
    let verdict = if reason.carried {
        texts::TAG_CARRIED
    } else if reason.unknown {
        texts::TAG_UNKNOWN
    } else {
        texts::TAG_NOT_CARRIED
    };
    let tag_place = format!("/tags/{}", reason.tag.id);
    let content = html! {
        (crumbs(&visit, &[("/tags", visit.say(texts::TAGS)), (&tag_place, title)]))
        (heading(&format!("{}: {}", visit.say(texts::WHY), title), &html! {
            (visit.say(texts::ROW)) " " (row_number(&reason)) ": " strong { (visit.say(verdict)) }
            " " (simulated(&visit, reason.fields.iter().any(|field| field.name == "simulated" && field.value == "true")))
        }, &html! {}))
        @if reason.explained != reason.place {
            p class="notice information" {
                (visit.fill(texts::EXPLAINED_BY_OTHER, &[("row", &count(reason.explained.row.unwrap_or_default()))])) " "
                a href=(why_place(&reason.tag.id, &reason.explained)) { (visit.say(texts::WHY)) }
            }
        }
        @if !reason.withheld.is_empty() { p class="notice information" { (visit.say(texts::WITHHELD)) ": " (reason.withheld.join(", ")) } }
        div class="columns" {
            section {
                h2 { (visit.say(texts::PARTS_TRUE)) }
                ul class="explained" { (part(&visit, &reason.explanation, PARTS_DEPTH_MAX)) }
                @for one in &reason.aggregates { (aggregate(&visit, one)) }
            }
            section {
                h2 { (visit.say(texts::VALUES)) }
                dl class="facts" { @for field in &reason.fields { div { dt { (visit.localized(&field.title)) } dd { (field.value) } } } }
            }
        }
    };
    Ok(Page::new(&visit, Room::Tags, title).show(&content))
}

fn truth_name(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    }
}

/// A part of a condition with what it came to, and its own parts.
fn part(visit: &Visit, explanation: &Explanation, depth: usize) -> Markup {
    let truth = explanation.truth.map(truth_name);
    html! {
        li class=(truth.unwrap_or_default()) {
            code { (explanation.source) }
            @if let Some(truth) = truth { " " span class={ "truth " (truth) } { (visit.named("truth", truth)) } }
            @if let Some(value) = &explanation.value { " = " strong { (value) } }
            @if !explanation.parts.is_empty() && depth > 0 {
                ul { @for inner in &explanation.parts { (part(visit, inner, depth.saturating_sub(1))) } }
            }
        }
    }
}

fn aggregate(visit: &Visit, one: &ReasonOfAggregate) -> Markup {
    let key: Vec<String> =
        one.key.iter().map(|(name, value)| format!("{name} = {}", value.as_deref().unwrap_or("–"))).collect();
    let window = match (one.first_day, one.last_day) {
        (Some(first), Some(last)) => format!("{first} – {last}"),
        (None, Some(last)) => format!("… – {last}"),
        _ => "–".to_owned(),
    };
    html! {
        section class="card" {
            h3 { code { (one.name) } @if let Some(value) = &one.value { " = " (value) } }
            @if one.withheld { p class="soft" { (visit.say(texts::WITHHELD)) } }
            @else {
                (facts(&[
                    (visit.say(texts::WINDOW), html! { span class="period" { (window) } }),
                    (visit.say(texts::SAME), html! { (key.join(", ")) }),
                    (visit.say(texts::EARLIER_ENTRIES), html! {
                        @if let Some(entries) = one.entries { (count(entries)) " " }
                        @for place in &one.sample {
                            @if let (Some(batch), Some(row)) = (&place.batch, place.row) { a href={ "/pool/batches/" (batch) "/rows/" (row) } { (count(row)) } " " }
                        }
                    }),
                ]))
            }
        }
    }
}
