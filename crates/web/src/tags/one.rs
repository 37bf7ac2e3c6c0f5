//! Tags: the catalogue, one tag with its cases and the rows that carry it, and why it is, or is not, on a row.

use std::cmp::Ordering;

use axum::extract::Path;
use customhouse::rules::{Explanation, Truth};
use customhouse::tags::{
    Expectation, FamilyOfTags, PlaceOfRow, ReasonOfAggregate, TagCase, TagDetail, TagReason, TagRows,
    TagSeverity, TagSummary,
};
use maud::{Markup, html};
use serde::Deserialize;
use spine::noun::SubjectKind;

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{
    Order, absent, chip, crumbs, empty, facts, findings, heading, page_of, pager, simulated, table, th,
};
use crate::visit::{Asked, Visit};
use crate::words::{count, short, texts};

/// Rows shown that carry a tag.
const ROWS_SHOWN: usize = 20;
/// Deepest part of a condition that is shown.
const PARTS_DEPTH_MAX: usize = 24;

/// Which tags to list, and in which order.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct TagsQuery {
    /// Part of an id or title.
    #[serde(default)]
    q: String,
    /// Id of a family.
    #[serde(default)]
    family: String,
    /// `low`, `medium` or `high`.
    #[serde(default)]
    severity: String,
    /// `title`, `family` or `severity`; with a `-` before it: downwards.
    #[serde(default)]
    sort: String,
    /// Page, from 1.
    #[serde(default)]
    page: usize,
}

fn severity_chip(visit: &Visit, severity: TagSeverity) -> Markup {
    chip(severity.name(), visit.named("severity", severity.name()))
}

fn subject(on: SubjectKind) -> &'static str {
    match on {
        SubjectKind::Item => "item",
        SubjectKind::Declaration => "declaration",
        SubjectKind::Enterprise => "enterprise",
        SubjectKind::Route => "route",
    }
}

/// The tags that match, with what their families are called.
fn matching<'a>(
    visit: &Visit,
    families: &'a [FamilyOfTags],
    asked: &TagsQuery,
) -> Vec<(&'a FamilyOfTags, &'a TagSummary)> {
    let wanted = asked.q.trim().to_lowercase();
    let matches = |tag: &TagSummary| {
        wanted.is_empty()
            || tag.id.contains(&wanted)
            || tag.title.0.values().any(|title| title.to_lowercase().contains(&wanted))
    };
    let mut found: Vec<_> = families
        .iter()
        .filter(|family| asked.family.is_empty() || family.id == asked.family)
        .flat_map(|family| family.tags.iter().map(move |tag| (family, tag)))
        .filter(|(_, tag)| asked.severity.is_empty() || tag.severity.name() == asked.severity)
        .filter(|(_, tag)| matches(tag))
        .collect();
    let (key, down) = asked.sort.strip_prefix('-').map_or((asked.sort.as_str(), false), |key| (key, true));
    let title = |tag: &TagSummary| visit.localized(&tag.title).to_lowercase();
    found.sort_by(|(family_a, a), (family_b, b)| {
        let order = match key {
            "title" => title(a).cmp(&title(b)),
            "severity" => a.severity.cmp(&b.severity),
            "family" => visit.localized(&family_a.title).cmp(visit.localized(&family_b.title)),
            _ => Ordering::Equal,
        };
        if down { order.reverse() } else { order }
    });
    found
}

/// The catalogue.
pub(crate) async fn list(visit: Visit, Asked(asked): Asked<TagsQuery>) -> Result<Markup, Failure> {
    let catalogue = visit.work(|house, reader| house.tag_catalogue(reader)).await?;
    let found = matching(&visit, &catalogue.families, &asked);
    let content = html! {
        (heading(visit.say(texts::TAGS), &html! { (visit.say(texts::TAGS_INTRODUCTION)) }, &html! {}))
        (findings(&visit, &catalogue.findings))
        (filters(&visit, &catalogue.families, &asked))
        @if found.is_empty() {
            (empty(visit.say(texts::NO_TAGS), visit.say(texts::NO_TAGS_TEXT), &html! {}))
        } @else { (list_table(&visit, &asked, &found)) }
    };
    Ok(Page::new(&visit, Room::Tags, visit.say(texts::TAGS)).show(&content))
}

fn filters(visit: &Visit, families: &[FamilyOfTags], asked: &TagsQuery) -> Markup {
    html! {
        form class="filters" method="get" action="/tags" {
            label { (visit.say(texts::FILTER)) input type="search" name="q" value=(asked.q) placeholder=(visit.say(texts::FILTER_TAGS_HINT)); }
            label {
                (visit.say(texts::FAMILY))
                select name="family" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for family in families {
                        option value=(family.id) selected[family.id == asked.family] { (visit.localized(&family.title)) " (" (family.tags.len()) ")" }
                    }
                }
            }
            label {
                (visit.say(texts::SEVERITY))
                select name="severity" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for severity in [TagSeverity::High, TagSeverity::Medium, TagSeverity::Low] {
                        option value=(severity.name()) selected[severity.name() == asked.severity] { (visit.named("severity", severity.name())) }
                    }
                }
            }
            @if !asked.sort.is_empty() { input type="hidden" name="sort" value=(asked.sort); }
            button { (visit.say(texts::APPLY)) }
        }
    }
}

fn list_table(visit: &Visit, asked: &TagsQuery, found: &[(&FamilyOfTags, &TagSummary)]) -> Markup {
    let query =
        [("q", asked.q.as_str()), ("family", asked.family.as_str()), ("severity", asked.severity.as_str())];
    let order = Order { sort: &asked.sort, path: "/tags", query: &query };
    let head = html! {
        (order.head(visit, "title", texts::TAG, false))
        (order.head(visit, "family", texts::FAMILY, false))
        (order.head(visit, "severity", texts::SEVERITY, false))
        (th(visit, texts::ON_WHAT, false))
        (th(visit, texts::SENSITIVITY, false))
        (th(visit, texts::PACK, false))
    };
    let page = asked.page.max(1);
    let body = html! {
        @for (family, tag) in page_of(found, page) {
            tr {
                td { a href={ "/tags/" (tag.id) } { (visit.localized(&tag.title)) } div class="soft" { code { (tag.id) } } }
                td { (visit.localized(&family.title)) }
                td { (severity_chip(visit, tag.severity)) }
                td { (visit.named("subject", subject(tag.on))) }
                td { (visit.named("class", tag.sensitivity.name())) }
                td { a href={ "/packs/" (tag.pack) } { (tag.pack) } }
            }
        }
    };
    let [q, family, severity] = query;
    html! {
        (table(visit.say(texts::TAGS), &head, &body))
        (pager(visit, "/tags", &[q, family, severity, ("sort", &asked.sort)], page, found.len()))
    }
}

/// One tag: what it means, on which law it rests, its cases, and real rows that carry it.
pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Failure> {
    let (tag, rows) = visit
        .work(move |house, reader| {
            let tag = house.tag(reader, &id)?;
            let rows = house.tag_on_real_rows(reader, &id, ROWS_SHOWN)?;
            Ok((tag, rows))
        })
        .await?;
    let definition = &tag.definition;
    let title = visit.localized(&definition.title);
    let below = html! { (severity_chip(&visit, definition.severity)) " " code { (definition.id) } };
    let content = html! {
        (crumbs(&visit, &[("/tags", visit.say(texts::TAGS)), (&format!("/tags?family={}", definition.family), visit.localized(&tag.family_title))]))
        (heading(title, &below, &html! {}))
        p { (visit.localized(&definition.description)) }
        div class="columns" {
            section {
                h2 { (visit.say(texts::CONDITION)) }
                pre class="condition" tabindex="0" { code { (definition.when) } }
                p { strong { (visit.say(texts::INSPECTION_HINT)) ": " } (visit.localized(&definition.inspection_hint)) }
            }
            section { h2 { (visit.say(texts::SUMMARY)) } (about(&visit, &tag)) }
        }
        (carrying(&visit, &rows))
        (cases(&visit, &tag))
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
                td { (read_values(visit, reason)) }
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
fn read_values(visit: &Visit, reason: &TagReason) -> Markup {
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
