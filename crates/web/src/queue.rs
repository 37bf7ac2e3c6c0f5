//! The work queue: what waits for an officer, the most urgent first. It can be worked through without a mouse, and
//! shows by itself what comes and goes.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::declarations::{CaseAction, ControlKind, QueuePage, QueueQuery, QueueTask};
use customhouse::identity::{Permission, Reader};
use customhouse::warnings::OpenWarnings;
use customhouse::{Customhouse, Error, Kind};
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::case::{answered, next_place};
use crate::declarations::clock;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{
    PAGE_ROWS, absent, chip, csrf, empty, heading, lane_chip, pager, place, simulated, table, th,
};
use crate::visit::{Asked, Posted, Visit};
use crate::words::{count, minute, texts};

const PATH: &str = "/queue";
/// The value of `office` that means every office.
const EVERY_OFFICE: &str = "all";
/// Open warnings named, the latest.
const WARNINGS_SHOWN: usize = 5;
/// Tasks tried for "take the next one", where others are faster.
const TRIES_MAX: usize = 5;

/// The reader's own office first, unless another one, or all, were chosen.
fn narrowed(reader: &Reader, mut query: QueueQuery) -> QueueQuery {
    if query.office.is_empty() {
        query.office = reader.office.clone().unwrap_or_default();
    } else if query.office == EVERY_OFFICE {
        query.office = String::new();
    }
    query
}

struct Shown {
    query: QueueQuery,
    page: QueuePage,
    offices: Vec<String>,
    warned: OpenWarnings,
}

fn read(house: &Customhouse, reader: &Reader, query: QueueQuery) -> Result<Shown, Error> {
    let query = narrowed(reader, query);
    let office = Some(query.office.as_str()).filter(|office| !office.is_empty());
    let warned = house.open_warnings(reader, office, WARNINGS_SHOWN)?;
    Ok(Shown { page: house.queue(reader, &query)?, offices: house.offices()?, warned, query })
}

/// The address with these filters, without the page.
fn here(query: &QueueQuery) -> Vec<(&str, &str)> {
    let office = if query.office.is_empty() { EVERY_OFFICE } else { &query.office };
    vec![("office", office), ("kind", &query.kind), ("whose", &query.whose)]
}

/// The queue.
pub(crate) async fn show(visit: Visit, Asked(query): Asked<QueueQuery>) -> Result<Markup, Failure> {
    let shown = visit.work(move |house, reader| read(house, reader, query)).await?;
    let below = html! { (visit.fill(texts::QUEUE_COUNTED, &[("n", &count(shown.page.total))])) };
    let content = html! {
        (heading(visit.say(texts::QUEUE), &below, &take_next(&visit, &shown.query)))
        (crate::warnings::strip(&visit, &shown.warned))
        (kinds(&visit, &shown))
        (filters(&visit, &shown))
        (tasks(&visit, &shown))
        (keys(&visit))
    };
    Ok(Page::new(&visit, Room::Queue, visit.say(texts::QUEUE)).show(&content))
}

/// Only the tasks, for the page that asks again; nothing where nothing has changed.
pub(crate) async fn changed(
    visit: Visit,
    Asked(query): Asked<QueueQuery>,
    Asked(pairs): Asked<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let shown = visit.work(move |house, reader| read(house, reader, query)).await?;
    let seen = pairs.iter().find(|(name, _)| name == "seen").map(|(_, value)| value.as_str());
    if seen == Some(fingerprint(&shown.page).as_str()) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(tasks(&visit, &shown).into_response())
}

/// What the tasks look like, in short: it changes exactly when they do.
fn fingerprint(page: &QueuePage) -> String {
    let mut hash = Sha256::new();
    for task in &page.tasks {
        hash.update(format!(
            "{} {} {} {:?} {} {}\n",
            task.row.mrn,
            task.kind.name(),
            task.overdue,
            task.officer_name,
            task.mine,
            task.waits_for_trader
        ));
    }
    hash.update(page.total.to_string());
    hex::encode(hash.finalize()).chars().take(16).collect()
}

fn take_next(visit: &Visit, query: &QueueQuery) -> Markup {
    html! {
        form method="post" action="/queue/next" class="next-task" {
            (csrf(visit))
            @for (name, value) in here(query) { input type="hidden" name=(name) value=(value); }
            button class="primary" data-key="n" title=(visit.say(texts::TAKE_NEXT_HELP)) { (visit.say(texts::TAKE_NEXT)) }
        }
    }
}

/// How much waits of each kind, each a way to narrow the list.
fn kinds(visit: &Visit, shown: &Shown) -> Markup {
    let query = &shown.query;
    let office = if query.office.is_empty() { EVERY_OFFICE } else { &query.office };
    let all: u64 = shown.page.kinds.iter().map(|(_, n)| n).sum();
    let to = |kind: &str| place(PATH, &[("office", office), ("kind", kind), ("whose", &query.whose)]);
    html! {
        nav class="parts" aria-label=(visit.say(texts::KIND)) {
            ul {
                li { a href=(to("")) aria-current=[query.kind.is_empty().then_some("page")] { (visit.say(texts::ALL)) " " span class="tally" { (count(all)) } } }
                @for kind in ControlKind::ALL {
                    @let n = shown.page.kinds.iter().find(|(own, _)| *own == kind).map_or(0, |(_, n)| *n);
                    li {
                        a href=(to(kind.name())) aria-current=[(query.kind == kind.name()).then_some("page")] {
                            (visit.named("control", kind.name())) " " span class="tally" { (count(n)) }
                        }
                    }
                }
            }
        }
    }
}

fn filters(visit: &Visit, shown: &Shown) -> Markup {
    let query = &shown.query;
    html! {
        form class="filters" method="get" action=(PATH) {
            label {
                (visit.say(texts::OFFICE))
                select name="office" {
                    option value=(EVERY_OFFICE) { (visit.say(texts::ALL)) }
                    @for office in &shown.offices { option value=(office) selected[*office == query.office] { (office) } }
                }
            }
            label {
                (visit.say(texts::WHOSE))
                select name="whose" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for whose in ["mine", "free"] { option value=(whose) selected[query.whose == whose] { (visit.named("whose", whose)) } }
                }
            }
            @if !query.kind.is_empty() { input type="hidden" name="kind" value=(query.kind); }
            button { (visit.say(texts::APPLY)) }
        }
    }
}

/// The tasks; they ask for themselves again, and answer only where something has changed.
fn tasks(visit: &Visit, shown: &Shown) -> Markup {
    let page = &shown.page;
    let seen = fingerprint(page);
    let number = shown.query.page.max(1).to_string();
    let mut query = here(&shown.query);
    query.extend([("page", number.as_str()), ("seen", seen.as_str())]);
    let head = html! {
        (th(visit, texts::DECLARATION, false)) (th(visit, texts::LANE, false)) (th(visit, texts::KIND, false))
        (th(visit, texts::GOODS, false)) (th(visit, texts::IMPORTER, false)) (th(visit, texts::OFFICE, false))
        (th(visit, texts::DUE, true)) (th(visit, texts::TAKEN_BY, false)) (th(visit, texts::ACTION, false))
    };
    let body = html! { @for task in &page.tasks { (task_row(visit, &shown.query, task)) } };
    let total = usize::try_from(page.total).unwrap_or(usize::MAX);
    html! {
        div id="tasks" data-live hx-get=(place("/queue/changed", &query)) hx-trigger="every 5s, moved" hx-swap="outerHTML" {
            @if page.tasks.is_empty() { (empty(visit.say(texts::QUEUE_EMPTY), visit.say(texts::QUEUE_EMPTY_TEXT), &html! {})) }
            @else {
                div class="queue" { (table(visit.say(texts::QUEUE), &head, &body)) }
                @if total > PAGE_ROWS { (pager(visit, PATH, &here(&shown.query), shown.query.page.max(1), total)) }
            }
        }
    }
}

fn task_row(visit: &Visit, query: &QueueQuery, task: &QueueTask) -> Markup {
    let row = &task.row;
    let next = place(PATH, &here(query));
    let now = visit.house().now();
    html! {
        tr id={ "task-" (row.mrn) } {
            td {
                a class="reference" id={ "open-" (row.mrn) } href={ "/declarations/" (row.mrn) } { (row.mrn) }
                " " (simulated(visit, row.simulated))
            }
            td { @match row.lane { Some(lane) => (lane_chip(visit, lane)), None => (absent()) } }
            td { (visit.named("control", task.kind.name())) }
            td { @match &row.description { Some(words) => span class="goods" { (words) }, None => (absent()) } }
            td { @match &row.importer { Some(importer) => (importer), None => (absent()) } }
            td { (row.office) }
            td class="number" {
                time datetime=(task.due_at) { (minute(task.due_at)) }
                div { @if task.overdue { (chip("bad", visit.say(texts::OVERDUE))) } @else { span class="soft" { (visit.fill(texts::TIME_LEFT, &[("t", &clock(now, task.due_at))])) } } }
            }
            td {
                @match &task.officer_name {
                    Some(name) => { @if task.mine { strong { (name) } } @else { (name) } },
                    None => span class="soft" { (visit.say(texts::NOBODY)) },
                }
                @if task.waits_for_trader { div class="soft" { (visit.say(texts::WAITS_FOR_TRADER)) } }
            }
            td class="task-actions" { (task_actions(visit, task, &next)) }
        }
    }
}

/// What can be done with a task from here. The version is the one that stands when the form is sent: taking and giving
/// back decide nothing about the goods.
fn task_actions(visit: &Visit, task: &QueueTask, next: &str) -> Markup {
    let mrn = &task.row.mrn;
    let quick = |action: &str, key: Option<&str>, class: Option<&str>| {
        html! {
            form method="post" action={ "/queue/" (mrn) "/" (action) } {
                (csrf(visit))
                input type="hidden" name="next" value=(next);
                button id={ (action) "-" (mrn) } class=[class] data-key=[key] { (visit.named("action", action)) span class="unseen" { " " (mrn) } }
            }
        }
    };
    html! {
        @if task.mine {
            a class="button small" id={ "result-" (mrn) } href={ "/declarations/" (mrn) "/result" } data-key="r" { (visit.named("action", "complete")) span class="unseen" { " " (mrn) } }
            details class="hand-over" {
                summary class="button small" data-key="h" { (visit.named("action", "hand_over")) span class="unseen" { " " (mrn) } }
                div {
                    form method="post" action={ "/queue/" (mrn) "/hand_over" } class="stack" {
                        (csrf(visit))
                        input type="hidden" name="next" value=(next);
                        label for={ "to-" (mrn) } { (visit.say(texts::HAND_OVER_TO)) }
                        input id={ "to-" (mrn) } name="to" required maxlength="100" autocomplete="off" spellcheck="false";
                        label for={ "why-" (mrn) } { (visit.say(texts::REASON)) }
                        input id={ "why-" (mrn) } name="why" required maxlength="400" autocomplete="off";
                        button class="primary" { (visit.named("action", "hand_over")) }
                    }
                }
            }
            (quick("give_back", None, Some("small")))
        } @else if task.officer_name.is_none() { (quick("take", Some("t"), Some("small"))) }
    }
}

fn keys(visit: &Visit) -> Markup {
    let kbd = |key: &str| format!("<kbd>{key}</kbd>");
    let (j, k, enter, t, r, h) = (kbd("j"), kbd("k"), kbd("Enter"), kbd("t"), kbd("r"), kbd("h"));
    let values = [("j", &*j), ("k", &*k), ("enter", &*enter), ("t", &*t), ("r", &*r), ("h", &*h)];
    // The text is ours, and so are the keys.
    html! { p class="soft keys" { (PreEscaped(visit.fill(texts::QUEUE_KEYS, &values))) } }
}

/// Takes the most urgent task that is free, and goes to it.
pub(crate) async fn next(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    let field = |name: &str| posted.text(name).to_owned();
    let query =
        QueueQuery { office: field("office"), kind: field("kind"), whose: "free".to_owned(), page: 1 };
    let taken = visit
        .work(move |house, reader| {
            let page = house.queue(reader, &narrowed(reader, query))?;
            let free = page.tasks.iter().filter(|task| !task.waits_for_trader).take(TRIES_MAX);
            for task in free {
                let mrn = &task.row.mrn;
                let version = house.case_unseen(reader, mrn)?.version;
                match house.act(reader, mrn, version, &CaseAction::Take) {
                    Ok(_) => return Ok(Some(mrn.clone())),
                    // Somebody else has it now: the next one, then.
                    Err(error) if matches!(error.kind, Kind::Conflict | Kind::Refused) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(None)
        })
        .await?;
    let taken = taken.ok_or_else(|| {
        let detail = "every task here is in somebody's hands, or waits for the trader";
        Error::new(
            Kind::Conflict,
            "nothing_free",
            detail,
            "Choose another office or kind, or come back later.",
        )
    })?;
    Ok(Redirect::to(&format!("/declarations/{taken}")))
}

/// Takes a task, gives it back, or hands it over, from its line.
pub(crate) async fn act(
    visit: Visit,
    Path((mrn, action)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Failure> {
    visit.require(Permission::Examine)?;
    let action = match action.as_str() {
        "take" => CaseAction::Take,
        "give_back" => CaseAction::GiveBack,
        "hand_over" => CaseAction::HandOver {
            to: posted.text("to").trim().to_owned(),
            why: posted.text("why").trim().to_owned(),
        },
        _ => return Err(Failure::unreadable("there is no such action here")),
    };
    let place = next_place(&posted, &mrn);
    let (acted, seen) = {
        let mrn = mrn.clone();
        visit
            .work(move |house, reader| {
                let case = house.case_unseen(reader, &mrn)?;
                // Where it is refused, its last step is what happened meanwhile.
                let before = case.timeline.iter().rev().nth(1);
                let seen = before.map_or(0, |step| step.position);
                Ok((house.act(reader, &mrn, case.version, &action), seen))
            })
            .await?
    };
    answered(&visit, mrn, seen, acted.map_err(Failure::from), &place).await
}
