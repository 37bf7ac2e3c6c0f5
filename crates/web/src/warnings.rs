//! Early warnings: what has become more frequent than its own past says, where, and taking note of it; and the
//! combinations of tags that are watched besides.

mod watched;

pub(crate) use watched::begin_form;

use axum::Router;
use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::{get, post};
use customhouse::identity::Permission;
use customhouse::warnings::{
    DayOfWarning, NOTE_CHARACTERS_MAX, OpenWarnings, Scope, Standing, Warning, WarningsPage, WarningsQuery,
};
use maud::{Markup, html};

use crate::drawing::{Scale, place_of, points, short};
use crate::failure::Failure;
use crate::overview::rate_text;
use crate::shell::{Page, Room};
use crate::view::{chip, crumbs, csrf, empty, heading, pager, place, simulated, table, th};
use crate::visit::{Asked, Posted, Visit};
use crate::words::{count, minute, texts};

const PATH: &str = "/warnings";
/// Width and height of a chart in its own units; the page stretches it.
const CHART: (f64, f64) = (1_000.0, 40.0);

/// Routes of this room.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/warnings", get(list))
        .route("/warnings/{id}/acknowledge", post(acknowledge))
        .route("/warnings/watched", post(watched::begin))
        .route("/warnings/watched/{id}/stop", post(watched::stop))
}

/// The list.
async fn list(visit: Visit, Asked(asked): Asked<WarningsQuery>) -> Result<Markup, Failure> {
    let query = asked.clone();
    let (page, combinations) = visit
        .work(move |house, reader| Ok((house.warnings(reader, &query)?, house.watched_combinations(reader)?)))
        .await?;
    let below = html! { (visit.say(texts::WARNINGS_INTRODUCTION)) " " (simulated(&visit, page.simulated)) };
    let total = usize::try_from(page.total).unwrap_or(usize::MAX);
    let content = html! {
        (crumbs(&visit, &[("/tags", visit.say(texts::TAGS))]))
        (heading(visit.say(texts::WARNINGS), &below, &html! {}))
        (filters(&visit, &asked))
        p class="soft" { (series(&visit, &page)) }
        @if page.warnings.is_empty() {
            (empty(visit.say(texts::NO_WARNINGS), visit.say(texts::NO_WARNINGS_TEXT), &html! {}))
        }
        @if !page.warnings.is_empty() { p class="soft" { (visit.say(texts::WARNING_CHART)) } }
        @for warning in &page.warnings { (shown(&visit, warning)) }
        @if total > page.warnings.len() {
            (pager(&visit, PATH, &[("standing", &asked.standing), ("tag", &asked.tag)], asked.page.max(1), total))
        }
        (watched::list(&visit, &combinations))
    };
    Ok(Page::new(&visit, Room::Tags, visit.say(texts::WARNINGS)).show(&content))
}

/// How many series are watched, and how often that warns for nothing.
fn series(visit: &Visit, page: &WarningsPage) -> String {
    let rate = format!("{:.0}", page.false_alarms_a_year);
    visit.fill(texts::WARNINGS_WATCHED, &[("series", &count(page.series)), ("rate", &rate)])
}

fn filters(visit: &Visit, asked: &WarningsQuery) -> Markup {
    html! {
        form class="filters" method="get" action=(PATH) {
            label {
                (visit.say(texts::STATE))
                select name="standing" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for standing in Standing::ALL {
                        option value=(standing.name()) selected[standing.name() == asked.standing] { (visit.named("warning", standing.name())) }
                    }
                }
            }
            @if !asked.tag.is_empty() { input type="hidden" name="tag" value=(asked.tag); }
            button { (visit.say(texts::APPLY)) }
        }
    }
}

/// Where it is more frequent, in words.
pub(crate) fn scope_text(visit: &Visit, scope: &Scope) -> String {
    let kind = visit.named("warning_scope", scope.kind().name());
    match scope {
        Scope::Everywhere => kind.to_owned(),
        _ => format!("{kind} {}", scope.name()),
    }
}

/// The declarations behind a warning, as far as lists can be narrowed to its scope; those of a combination stand in no
/// list by scope, but in what its condition selects since the day before.
fn declarations(warning: &Warning) -> String {
    let until = warning.over.map(|day| day.to_string()).unwrap_or_default();
    if let Some(condition) = &warning.condition {
        let before = warning.since.yesterday().unwrap_or(warning.since).to_string();
        let values = [
            ("q", condition.as_str()),
            ("of", "declarations"),
            ("from", &before),
            ("to", &until),
            ("changed", "gained"),
        ];
        return place("/tag-query", &values);
    }
    let since = warning.since.to_string();
    let tag = warning.tag.as_deref().unwrap_or_default();
    let mut values = vec![("tag", tag), ("source", "live"), ("from", &since), ("to", &until)];
    match &warning.scope {
        Scope::Everywhere => {}
        Scope::Office { office } => values.push(("office", office)),
        Scope::Chapter { chapter } => values.push(("commodity", chapter)),
        Scope::Route { origin, .. } => values.push(("origin", origin)),
    }
    place("/declarations", &values)
}

fn standing_chip(visit: &Visit, standing: Standing) -> Markup {
    let class = if standing == Standing::Open { "warn" } else { "plain" };
    chip(class, visit.named("warning", standing.name()))
}

fn shown(visit: &Visit, warning: &Warning) -> Markup {
    let expected = format!("{:.1}", warning.expected);
    let numbers = [
        ("since", warning.since.to_string()),
        ("day", warning.day.to_string()),
        ("observed", count(warning.observed)),
        ("expected", expected),
        ("sum", format!("{:.1}", warning.sum)),
        ("bound", format!("{:.1}", warning.bound)),
        ("series", warning.series.map(count).unwrap_or_default()),
    ];
    let numbers: Vec<(&str, &str)> = numbers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sum = if warning.series.is_some() { texts::WARNING_SUM } else { texts::WARNING_SUM_ALONE };
    let about = match (&warning.tag, &warning.condition) {
        (_, Some(condition)) => place("/tag-query", &[("q", condition.as_str()), ("of", "declarations")]),
        (tag, None) => format!("/tags/{}", tag.as_deref().unwrap_or_default()),
    };
    html! {
        section class="card warning" id={ "warning-" (warning.id) } {
            h2 { a href=(about) { (visit.localized(&warning.title)) } ": " (scope_text(visit, &warning.scope)) " " (standing_chip(visit, warning.standing)) }
            @if let Some(condition) = &warning.condition { p { code class="condition-line" { (condition) } } }
            p { (visit.fill(texts::WARNING_NUMBERS, &numbers)) " " span class="soft" { (visit.fill(sum, &numbers)) } }
            (chart(visit, &warning.chart))
            p { strong { (visit.say(texts::INSPECTION_HINT)) ": " } (visit.localized(&warning.hint)) }
            (found(visit, warning))
            @if let Some(over) = warning.over { p { (visit.fill(texts::WARNING_OVER_ON, &[("day", &over.to_string())])) } }
            @if let Some(own) = &warning.acknowledged {
                p { strong { (own.by_name) } " " span class="soft" { (minute(own.at)) } ": " (own.note) }
            } @else if warning.standing == Standing::Open && (visit.may(Permission::Lead) || visit.may(Permission::ManagePlans)) {
                (form(visit, warning))
            }
        }
    }
}

/// The declarations since then, and what inspections of them found.
fn found(visit: &Visit, warning: &Warning) -> Markup {
    let all = warning.declarations;
    let unknown = |inspected: u64| all.map(|all| count(all.saturating_sub(inspected)));
    html! {
        p {
            @if let Some(all) = all {
                a href=(declarations(warning)) { (visit.fill(texts::WARNING_DECLARATIONS, &[("n", &count(all))])) }
            }
            @if let Some(hits) = &warning.hits {
                " · "
                @if hits.inspected == 0 { (visit.say(texts::NONE_INSPECTED)) } @else { (rate_text(visit, hits)) }
                @if let Some(unknown) = unknown(hits.inspected) {
                    " · " span class="soft" { (visit.fill(texts::WARNING_UNKNOWN, &[("n", &unknown)])) }
                }
            }
        }
    }
}

fn form(visit: &Visit, warning: &Warning) -> Markup {
    let id = format!("note-{}", warning.id);
    html! {
        form class="inline" method="post" action={ (PATH) "/" (warning.id) "/acknowledge" } {
            (csrf(visit))
            label for=(id) { (visit.say(texts::WARNING_NOTE)) }
            input id=(id) name="note" required maxlength=(NOTE_CHARACTERS_MAX) autocomplete="off";
            button { (visit.say(texts::WARNING_ACKNOWLEDGE)) }
        }
    }
}

/// Days' counts as bars, what was to be expected at most and the smoothed share as lines, and the same as a table.
fn chart(visit: &Visit, days: &[DayOfWarning]) -> Markup {
    let (width, height) = CHART;
    let smoothed = |day: &DayOfWarning| day.smoothed.map(|share| share * f64::from(day.declarations));
    let most = days.iter().fold(1.0_f64, |most, day| most.max(f64::from(day.carrying)).max(day.expected));
    let y = Scale { max: most, from: height, to: 0.0 };
    let step = width / place_of(days.len()).max(1.0);
    let x = |at: usize| step * (place_of(at) + 0.5);
    let line = |value: &dyn Fn(&DayOfWarning) -> Option<f64>| {
        points(days.iter().enumerate().filter_map(|(at, day)| Some((x(at), y.at(value(day)?)))))
    };
    html! {
        @if !days.is_empty() {
            svg class="bars warning-chart" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                @for (at, day) in days.iter().enumerate() {
                    @if day.carrying > 0 {
                        @let top = y.at(f64::from(day.carrying));
                        rect class="bar" x=(short(x(at) - step * 0.4)) width=(short(step * 0.8)) y=(short(top)) height=(short(height - top)) {
                            title { (day.day) ": " (day.carrying) " / " (day.declarations) }
                        }
                    }
                }
                polyline class="expected" points=(line(&|day| Some(day.expected))) {}
                polyline class="smoothed" points=(line(&smoothed)) {}
                line class="ground" x1="0" x2="1000" y1="40" y2="40" {}
            }
            details {
                summary { (visit.say(texts::AS_TABLE)) }
                (days_table(visit, days))
            }
        }
    }
}

fn days_table(visit: &Visit, days: &[DayOfWarning]) -> Markup {
    let head = html! {
        (th(visit, texts::WARNING_DAY, false)) (th(visit, texts::DECLARATIONS, true)) (th(visit, texts::WARNING_CARRYING, true))
        (th(visit, texts::WARNING_EXPECTED, true)) (th(visit, texts::WARNING_SMOOTHED, true))
    };
    let body = html! {
        @for day in days.iter().rev() {
            tr {
                td class="period" { (day.day) }
                td class="number" { (count(u64::from(day.declarations))) }
                td class="number" { (count(u64::from(day.carrying))) }
                td class="number" { (short(day.expected)) }
                td class="number" { @match day.smoothed { Some(share) => (crate::overview::share_text(share)), None => (crate::view::absent()) } }
            }
        }
    };
    table(visit.say(texts::WARNINGS), &head, &body)
}

/// Open warnings in short, for other pages; nothing where there are none.
pub(crate) fn strip(visit: &Visit, open: &OpenWarnings) -> Markup {
    html! {
        @if open.total > 0 {
            section class="notice warn" aria-label=(visit.say(texts::WARNINGS)) {
                p { a href="/warnings?standing=open" { strong { (visit.fill(texts::WARNINGS_OPEN, &[("n", &count(open.total))])) } } }
                ul {
                    @for own in &open.latest {
                        li { a href={ (PATH) "#warning-" (own.id) } { (visit.localized(&own.title)) } " · " (scope_text(visit, &own.scope)) " · " span class="soft" { (visit.fill(texts::WARNING_SINCE, &[("day", &own.since.to_string())])) } }
                    }
                }
            }
        }
    }
}

/// Takes note of a warning.
async fn acknowledge(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Redirect, Failure> {
    let note = posted.text("note").to_owned();
    let back = format!("{PATH}#warning-{id}");
    visit.work(move |house, reader| house.acknowledge_warning(reader, &id, &note)).await?;
    Ok(Redirect::to(&back))
}
