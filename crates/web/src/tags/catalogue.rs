//! The catalogue: every tag with how often it comes, on whom it is, and what inspections found. Usable with thousands.

use customhouse::tags::{TagFigures, TagFiguresPage, TagFiguresQuery, TagSeverity, VOLUME_DAYS};
use maud::{Markup, html};

use super::history::{standing, where_known};
use super::{severity_chip, subject};
use crate::drawing::bars;
use crate::failure::Failure;
use crate::overview::rate_text;
use crate::shell::{Page, Room};
use crate::view::{Order, absent, empty, findings, heading, pager, place, simulated, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{count, texts};

/// Days of a week, for the words beside the drawing.
const WEEK: usize = 7;

/// The catalogue.
pub(crate) async fn list(visit: Visit, Asked(asked): Asked<TagFiguresQuery>) -> Result<Markup, Failure> {
    let (query, language) = (asked.clone(), visit.language());
    let (page, history) = visit
        .work(move |house, reader| {
            Ok((house.tag_figures(reader, &query, language)?, where_known(house.pool_history(reader))))
        })
        .await?;
    let below = html! { (visit.say(texts::TAGS_INTRODUCTION)) " " (simulated(&visit, page.simulated)) };
    let actions = html! {
        a class="button" href="/own-tags" { (visit.say(texts::OWN_TAGS)) }
        a class="button" href="/tag-query" { (visit.say(texts::TAG_QUERY)) }
        a class="button" href="/tag-graph" { (visit.say(texts::TAG_GRAPH)) }
        a class="button" href="/warnings" { (visit.say(texts::WARNINGS)) }
        a class="button" href="/tag-sources" { (visit.say(texts::TAG_SOURCES)) }
    };
    let content = html! {
        (heading(visit.say(texts::TAGS), &below, &actions))
        (findings(&visit, &page.findings))
        @if let Some(history) = &history { (standing(&visit, history)) }
        (filters(&visit, &page, &asked))
        @if page.rows.is_empty() {
            (empty(visit.say(texts::NO_TAGS), visit.say(texts::NO_TAGS_TEXT), &html! {}))
        } @else { (rows(&visit, &asked, &page)) }
    };
    Ok(Page::new(&visit, Room::Tags, visit.say(texts::TAGS)).show(&content))
}

fn filters(visit: &Visit, page: &TagFiguresPage, asked: &TagFiguresQuery) -> Markup {
    html! {
        form class="filters" method="get" action="/tags" role="search" aria-label=(visit.say(texts::FILTER)) {
            label { (visit.say(texts::FILTER)) input type="search" name="q" value=(asked.q) placeholder=(visit.say(texts::FILTER_TAGS_HINT)); }
            label {
                (visit.say(texts::FAMILY))
                select name="family" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for (id, title, tags) in &page.families {
                        option value=(id) selected[*id == asked.family] { (visit.localized(title)) " (" (tags) ")" }
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

fn rows(visit: &Visit, asked: &TagFiguresQuery, page: &TagFiguresPage) -> Markup {
    let query =
        [("q", asked.q.as_str()), ("family", asked.family.as_str()), ("severity", asked.severity.as_str())];
    let order = Order { sort: &asked.sort, path: "/tags", query: &query };
    let rated = page.rows.iter().any(|own| own.hits.is_some());
    let head = html! {
        (order.head(visit, "title", texts::TAG, false))
        (order.head(visit, "severity", texts::SEVERITY, false))
        (order.head(visit, "volume", texts::TAG_VOLUME, true))
        (th(visit, texts::TAG_TREND, false))
        (order.head(visit, "entities", texts::ENTITIES, true))
        @if rated {
            (order.head(visit, "rate", texts::HIT_RATE, true))
            (order.head(visit, "cost", texts::INSPECTIONS_PER_FIND, true))
        }
        (order.head(visit, "family", texts::FAMILY, false))
        (th(visit, texts::ON_WHAT, false))
    };
    let most = page.rows.iter().flat_map(|own| own.days.iter().copied()).max().unwrap_or(0);
    let body = html! { @for own in &page.rows { (row(visit, page, own, most, rated)) } };
    let [q, family, severity] = query;
    let number = usize::try_from(page.total).unwrap_or(usize::MAX);
    html! {
        p class="help" { (visit.fill(texts::TAG_FIGURES_HELP, &[("from", &page.from.to_string()), ("to", &page.to.to_string())])) }
        div class="catalogue" { (table(visit.say(texts::TAGS), &head, &body)) }
        (pager(visit, "/tags", &[q, family, severity, ("sort", &asked.sort)], asked.page.max(1), number))
    }
}

fn row(visit: &Visit, page: &TagFiguresPage, own: &TagFigures, most: u64, rated: bool) -> Markup {
    let tag = &own.tag;
    let declarations = place(
        "/declarations",
        &[("tag", &tag.id), ("from", &page.from.to_string()), ("to", &page.to.to_string())],
    );
    html! {
        tr {
            td { a href={ "/tags/" (tag.id) } { (visit.localized(&tag.title)) } div class="soft" { code { (tag.id) } } }
            td { (severity_chip(visit, tag.severity)) }
            td class="number" { @if own.volume == 0 { "0" } @else { a href=(declarations) { (count(own.volume)) } } }
            td class="trend" { (trend(visit, own, most)) }
            td class="number" { @if own.entities == 0 { "0" } @else { a href=(place("/tag-query", &[("q", &tag.id)])) { (count(own.entities)) } } }
            @if rated {
                td class="number rate" { @match &own.hits { Some(hits) if hits.inspected > 0 => (rate_text(visit, hits)), _ => span class="soft" { (visit.named("outcome", "unknown")) } } }
                td class="number" { @match own.inspections_per_find { Some(each) => { (format!("{each:.1}")) }, None => (absent()) } }
            }
            td { (visit.localized(&own.family_title)) }
            td { (visit.named("subject", subject(tag.on))) }
        }
    }
}

/// Declarations a day, as tall as those of the busiest tag of the page; the last two weeks in words for those who do
/// not see it.
fn trend(visit: &Visit, own: &TagFigures, most: u64) -> Markup {
    let of = |from: usize, to: usize| own.days.get(from..to).unwrap_or_default().iter().sum::<u64>();
    let week = VOLUME_DAYS.saturating_sub(WEEK);
    let (before, last) = (of(week.saturating_sub(WEEK), week), of(week, VOLUME_DAYS));
    let said = visit.fill(texts::TAG_TREND_SAID, &[("last", &count(last)), ("before", &count(before))]);
    let drawn: Vec<_> = own.days.iter().map(|day| vec![("all", *day, count(*day))]).collect();
    html! {
        @if own.volume == 0 { (absent()) } @else {
            (bars("trend", most, &drawn))
            span class="unseen" { (said) }
        }
    }
}
