//! Targeting audits: start one over chosen batches, watch it, read its report.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::audit::{Audit, AuditSpec, AuditSummary, Capacity};
use customhouse::identity::Permission;
use customhouse::jobs::{JobState, JobStatus};
use customhouse::pool::{BatchState, BatchSummary};
use customhouse::{Error, Kind};
use maud::{Markup, html};
use serde::Deserialize;

use crate::entities::place_of;
use crate::failure::Failure;
use crate::pool::{BatchesQuery, matching};
use crate::report;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, csrf, empty, heading, simulated, table, th};
use crate::visit::{Asked, Posted, Visit};
use crate::words::{count, minute, short, texts};

/// Pairs that stand out, listed above a report.
const STANDING_OUT_SHOWN: usize = 12;

/// What the form for an audit is asked.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct NewQuery {
    /// A batch that is chosen already.
    #[serde(default)]
    batch: String,
}

/// All audits, and those that run.
pub(crate) async fn list(visit: Visit) -> Result<Markup, Failure> {
    let (audits, jobs) = visit
        .work(|house, reader| {
            let audits = house.list_audits(reader)?;
            let mut jobs = house.list_jobs(reader);
            jobs.retain(|job| job.kind == "audit" && !matches!(job.state, JobState::Done { .. }));
            Ok((audits, jobs))
        })
        .await?;
    let start = html! {
        @if visit.may(Permission::RunAudits) { a class="button primary" href="/audits/new" { (visit.say(texts::RUN_AUDIT)) } }
    };
    let content = html! {
        (heading(visit.say(texts::AUDITS), &html! { (visit.say(texts::AUDITS_INTRODUCTION)) }, &start))
        (unfinished(&visit, &jobs))
        @if audits.is_empty() {
            (empty(visit.say(texts::NO_AUDITS), visit.say(texts::NO_AUDITS_TEXT), &start))
        } @else { (list_table(&visit, &audits)) }
    };
    Ok(Page::new(&visit, Room::Audits, visit.say(texts::AUDITS)).show(&content))
}

fn unfinished(visit: &Visit, jobs: &[JobStatus]) -> Markup {
    html! {
        @if !jobs.is_empty() {
            ul class="latest" {
                @for job in jobs {
                    li {
                        a href={ "/jobs/" (job.id) } { (visit.named("job", job.kind)) " " (job.id) }
                        span class="soft" { (visit.named("stage", job.stage)) }
                    }
                }
            }
        }
    }
}

fn list_table(visit: &Visit, audits: &[AuditSummary]) -> Markup {
    let head = html! {
        (th(visit, texts::COMPLETED, false)) (th(visit, texts::BATCHES, true)) (th(visit, texts::DECLARED_ITEMS, true))
        (th(visit, texts::INSPECTIONS_KNOWN, true)) (th(visit, texts::FINDS, true)) (th(visit, texts::STATEMENTS, true))
        (th(visit, texts::STARTED_BY, false)) (th(visit, texts::ID, false))
    };
    let body = html! {
        @for audit in audits {
            tr {
                td { a href={ "/audits/" (audit.id) } { (minute(audit.completed_at)) " UTC" } " " (simulated(visit, audit.simulated)) }
                td class="number" { (count(u64::try_from(audit.batches.len()).unwrap_or(u64::MAX))) }
                td class="number" { (count(audit.rows)) }
                td class="number" { (count(audit.inspected_known)) }
                td class="number" { (count(audit.irregular)) }
                td class="number" { (count(audit.statements)) }
                td { code { (audit.started_by) } }
                td { code { (short(&audit.id)) } }
            }
        }
    };
    table(visit.say(texts::AUDITS), &head, &body)
}

/// The form for an audit.
pub(crate) async fn form(visit: Visit, Asked(asked): Asked<NewQuery>) -> Result<Markup, Failure> {
    visit.require(Permission::RunAudits)?;
    let admitted = BatchesQuery { state: BatchState::Admitted.name().to_owned(), ..BatchesQuery::default() };
    let batches = visit.work(move |house, reader| matching(house, reader, &admitted)).await?;
    let content = html! {
        (crumbs(&visit, &[("/audits", visit.say(texts::AUDITS))]))
        (heading(visit.say(texts::RUN_AUDIT), &html! { (visit.say(texts::RUN_AUDIT_TEXT)) }, &html! {}))
        @if batches.is_empty() {
            (empty(visit.say(texts::POOL_EMPTY), visit.say(texts::POOL_EMPTY_TEXT), &html! { a class="button primary" href="/pool/new" { (visit.say(texts::SEND_RECORDS)) } }))
        } @else {
            form method="post" action="/audits" {
                (csrf(&visit))
                (batch_choice(&visit, &batches, &asked.batch))
                (options(&visit))
                p class="actions" { button class="primary" { (visit.say(texts::START_AUDIT)) } span class="help" { (visit.say(texts::START_AUDIT_HELP)) } }
            }
        }
    };
    Ok(Page::new(&visit, Room::Audits, visit.say(texts::RUN_AUDIT)).show(&content))
}

fn batch_choice(visit: &Visit, batches: &[BatchSummary], chosen: &str) -> Markup {
    let head = html! {
        (th(visit, texts::CHOOSE, false)) (th(visit, texts::FILE, false)) (th(visit, texts::ROWS, true)) (th(visit, texts::PERIOD, false)) (th(visit, texts::RECORDED, false))
    };
    let body = html! {
        @for batch in batches {
            tr {
                td { input type="checkbox" name="batch" value=(batch.id) id={ "batch-" (batch.id) } checked[chosen.is_empty() || chosen == batch.id]; }
                td { label for={ "batch-" (batch.id) } { (batch.source_name) } " " (simulated(visit, batch.rows_simulated > 0)) }
                td class="number" { (count(batch.rows)) }
                td { @match (batch.first_date, batch.last_date) {
                    (Some(first), Some(last)) => span class="period" { (first) " – " (last) },
                    _ => (absent()),
                } }
                td { (minute(batch.recorded_at)) }
            }
        }
    };
    html! { fieldset class="plain" { legend { (visit.say(texts::WHICH_BATCHES)) } (table(visit.say(texts::WHICH_BATCHES), &head, &body)) } }
}

fn options(visit: &Visit) -> Markup {
    html! {
        div class="card fields" {
            div {
                label for="capacity" { (visit.say(texts::CAPACITY)) }
                input id="capacity" name="capacity" placeholder="5%" autocomplete="off" aria-describedby="capacity-help";
                p class="help" id="capacity-help" { (visit.say(texts::CAPACITY_HELP)) }
            }
            div {
                label for="currency" { (visit.say(texts::CURRENCY)) }
                input id="currency" name="currency" placeholder="EUR" maxlength="3" autocomplete="off" aria-describedby="currency-help";
                p class="help" id="currency-help" { (visit.say(texts::CURRENCY_HELP)) }
            }
            div {
                label for="seed" { (visit.say(texts::SEED)) }
                input id="seed" name="seed" type="number" min="0" value="1" aria-describedby="seed-help";
                p class="help" id="seed-help" { (visit.say(texts::SEED_HELP)) }
            }
        }
    }
}

/// Reads a capacity: a number of inspections, or a share of declarations with a percent sign.
fn capacity_of(text: Option<&str>) -> Result<Capacity, Error> {
    let Some(text) = text else { return Ok(Capacity::AsInspected) };
    let read = match text.strip_suffix('%') {
        Some(percent) => {
            let share = percent.trim().replace(',', ".").parse::<f64>().ok().map(|percent| percent / 100.0);
            share.filter(|share| *share > 0.0 && *share <= 1.0).map(Capacity::Share)
        }
        None => {
            text.replace(['\u{202f}', ' '], "").parse().ok().filter(|number| *number > 0).map(Capacity::Count)
        }
    };
    read.ok_or_else(|| {
        Error::new(
            Kind::Invalid,
            "capacity_unreadable",
            format!("\"{text}\" is no capacity"),
            "Write a number of inspections such as 1200, or a share of declarations such as 5%.",
        )
    })
}

/// Starts an audit.
pub(crate) async fn start(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    let batches = posted.all("batch");
    if batches.is_empty() {
        let error =
            Error::new(Kind::Invalid, "no_batch_chosen", "no batch was chosen", "Choose at least one batch.");
        return Err(error.into());
    }
    let seed = match posted.filled("seed") {
        None => 1,
        Some(text) => text.parse().map_err(|_| Failure::unreadable("the seed is not a whole number"))?,
    };
    let spec = AuditSpec {
        batches,
        capacity: capacity_of(posted.filled("capacity"))?,
        currency: posted.filled("currency").map(str::to_uppercase),
        seed,
    };
    let job = visit.work(move |house, reader| house.start_audit(reader, spec).map(|job| job.id())).await?;
    Ok(crate::jobs::follow(job))
}

/// The report as a page.
pub(crate) async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Failure> {
    let audit = visit
        .work({
            let id = id.clone();
            move |house, reader| house.find_audit(reader, &id)
        })
        .await?;
    let content = html! {
        (crumbs(&visit, &[("/audits", visit.say(texts::AUDITS))]))
        p class="actions aside" {
            a class="button" href={ "/audits/" (id) "/report.html" } download { (visit.say(texts::DOWNLOAD_REPORT)) }
            a class="button" href={ "/api/v1/audits/" (id) } { (visit.say(texts::AS_JSON)) }
        }
        (stand_out(&visit, &audit.audit))
        (report::body(&audit, visit.language()))
    };
    Ok(Page::new(&visit, Room::Audits, visit.say(texts::AUDIT))
        .with_island("report.css", "report.js")
        .show(&content))
}

/// Enterprises whose dealings stand out among officers and pairs, each with the way to its file. The report itself is
/// also a file that opens without us, so it leads nowhere.
fn stand_out(visit: &Visit, audit: &Audit) -> Markup {
    let tables = audit.integrity.iter().flat_map(|integrity| &integrity.tables);
    let flagged = tables.flat_map(|table| table.rows.iter().map(move |row| (table.id.as_str(), row)));
    let found: Vec<_> = flagged.filter(|(_, row)| row.flag.is_some()).take(STANDING_OUT_SHOWN).collect();
    // Officers have no file: of an officer's pair the other leads somewhere.
    let party = |officer: bool, id: &str| {
        html! { @if officer { code { (id) } } @else { a href=(place_of(id)) { code { (id) } } } }
    };
    html! {
        @if found.iter().any(|(_, row)| row.second.is_some()) {
            section class="card" {
                h2 { (visit.say(texts::PAIRS_STAND_OUT)) " " (simulated(visit, audit.population.simulated)) }
                p class="help" { (visit.say(texts::PAIRS_STAND_OUT_HELP)) }
                ul {
                    @for (table, row) in &found {
                        @if let Some(second) = &row.second {
                            li {
                                (party(table.starts_with("officer"), &row.first)) " · " (party(false, second)) ": "
                                (visit.fill(texts::PAIR_SAID, &[
                                    ("observed", &count(row.observed)),
                                    ("n", &count(row.count)),
                                    ("expected", &format!("{:.1}", row.expected)),
                                ]))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The report as a file of its own.
pub(crate) async fn download(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let language = visit.language();
    let (name, text) = visit
        .work(move |house, reader| {
            let audit = house.find_audit(reader, &id)?;
            let name: String = id.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
            Ok((name, crate::render_report(&audit, language)))
        })
        .await?;
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"audit-{name}.html\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_is_a_number_or_a_share() {
        for (text, expected) in [
            (None, Some(Capacity::AsInspected)),
            (Some("1200"), Some(Capacity::Count(1_200))),
            (Some("1 200"), Some(Capacity::Count(1_200))),
            (Some("5%"), Some(Capacity::Share(0.05))),
            (Some("0,5 %"), Some(Capacity::Share(0.005))),
            (Some("0%"), None),
            (Some("101%"), None),
            (Some("-3"), None),
            (Some("many"), None),
        ] {
            assert_eq!(capacity_of(text).ok(), expected, "{text:?}");
        }
    }
}
