//! The first page of a house without a flow: what is here, and what to do next.

use customhouse::audit::AuditSummary;
use customhouse::identity::{Permission, Reader};
use customhouse::jobs::{JobState, JobStatus};
use customhouse::pool::{BatchState, BatchSummary};
use customhouse::{Customhouse, Error};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::pool::{BatchesQuery, matching};
use crate::view::{empty, figure, heading, simulated};
use crate::visit::Visit;
use crate::words::{count, minute, texts};

/// Latest things shown.
const LATEST: usize = 5;

/// What the reader may know of what is here.
struct Standing {
    batches: Vec<BatchSummary>,
    audits: Vec<AuditSummary>,
    running: Vec<JobStatus>,
    tags: usize,
    policies_missing: bool,
}

fn standing(house: &Customhouse, reader: &Reader) -> Result<Standing, Error> {
    let pool = reader.may(Permission::ViewPool);
    let audits = reader.may(Permission::ViewAudits);
    let mut running = house.list_jobs(reader);
    running.retain(|job| job.state == JobState::Running);
    Ok(Standing {
        batches: if pool { matching(house, reader, &BatchesQuery::default())? } else { Vec::new() },
        audits: if audits { house.list_audits(reader)? } else { Vec::new() },
        running,
        policies_missing: reader.may(Permission::ManagePlans) && house.plans(reader)?.policies.is_empty(),
        tags: if reader.may(Permission::ViewTags) { house.tag_catalogue(reader)?.tags } else { 0 },
    })
}

/// The page while nothing is lodged here yet.
pub(super) async fn shown(visit: &Visit) -> Result<Markup, Failure> {
    let standing = visit.work(|house, reader| standing(house, reader)).await?;
    let name = visit.session().map(|session| session.account.name.clone()).unwrap_or_default();
    Ok(html! {
        (heading(visit.say(texts::OVERVIEW), &html! { (visit.fill(texts::WELCOME, &[("name", &name)])) }, &html! {}))
        @if visit.may(Permission::ViewPool) {
            (figures(visit, &standing))
            (running(visit, &standing.running))
            (next_steps(visit, &standing))
            (latest(visit, &standing))
        } @else {
            (empty(visit.say(texts::NOTHING_FOR_ROLE), visit.say(texts::NOTHING_FOR_ROLE_TEXT), &html! {
                a class="button" href="/packs" { (visit.say(texts::PUBLIC_PACKS)) }
            }))
        }
    })
}

fn figures(visit: &Visit, standing: &Standing) -> Markup {
    let admitted = || standing.batches.iter().filter(|batch| batch.state == BatchState::Admitted);
    let rows: u64 = admitted().map(|batch| batch.rows).sum();
    let waiting: u64 = admitted().map(|batch| batch.rows_quarantined.saturating_sub(batch.rows_mended)).sum();
    let made_up: u64 = admitted().map(|batch| batch.rows_simulated).sum();
    let number = |number: usize| count(u64::try_from(number).unwrap_or(u64::MAX));
    let link = |place: &str, word: &str| html! { a href=(place) { (word) } };
    html! {
        dl class="figures" {
            (figure(&count(rows), visit.say(texts::ROWS_IN_POOL), &html! {
                (link("/pool", &visit.fill(texts::IN_BATCHES, &[("n", &number(admitted().count()))]))) " " (simulated(visit, made_up > 0))
            }))
            (figure(&count(waiting), visit.say(texts::IN_QUARANTINE), &link("/pool?sort=-quarantined", visit.say(texts::WAITING_TO_BE_MENDED))))
            (figure(&number(standing.tags), visit.say(texts::TAGS), &link("/tags", visit.say(texts::TO_THE_TAGS))))
            @if visit.may(Permission::ViewAudits) {
                (figure(&number(standing.audits.len()), visit.say(texts::AUDITS), &link("/audits", visit.say(texts::TO_THE_AUDITS))))
            }
        }
    }
}

fn running(visit: &Visit, jobs: &[JobStatus]) -> Markup {
    html! {
        @if !jobs.is_empty() {
            section class="card" {
                h2 { (visit.say(texts::RUNNING_NOW)) }
                ul { @for job in jobs { li { a href={ "/jobs/" (job.id) } { (visit.named("job", job.kind)) " " (job.id) } " · " (visit.named("stage", job.stage)) } } }
            }
        }
    }
}

/// The next steps, as far as the reader may take them.
fn next_steps(visit: &Visit, standing: &Standing) -> Markup {
    let waiting = standing.batches.iter().find(|batch| batch.rows_quarantined > batch.rows_mended);
    let admitted = standing.batches.iter().any(|batch| batch.state == BatchState::Admitted);
    html! {
        section aria-labelledby="next" {
            h2 id="next" { (visit.say(texts::WHAT_NEXT)) }
            ul class="next-steps" {
                @if !admitted && visit.may(Permission::AdmitRecords) {
                    (step("/pool/new", visit.say(texts::SEND_RECORDS), visit.say(texts::STEP_SEND)))
                }
                @if !admitted && !visit.may(Permission::AdmitRecords) {
                    (step("/pool", visit.say(texts::POOL), visit.say(texts::STEP_ASK_FOR_RECORDS)))
                }
                @if standing.policies_missing {
                    (step("/plan", visit.say(texts::PROPOSE_POLICIES), visit.say(texts::STEP_POLICIES)))
                }
                @if admitted && standing.audits.is_empty() && visit.may(Permission::RunAudits) {
                    (step("/audits/new", visit.say(texts::RUN_AUDIT), visit.say(texts::STEP_AUDIT)))
                }
                @if let Some(batch) = waiting.filter(|_| visit.may(Permission::AdmitRecords)) {
                    (step(&format!("/pool/batches/{}/quarantine", batch.id), visit.say(texts::MEND_QUARANTINE), visit.say(texts::STEP_MEND)))
                }
                @if let Some(audit) = standing.audits.first() {
                    (step(&format!("/audits/{}", audit.id), visit.say(texts::READ_LATEST_AUDIT), visit.say(texts::STEP_READ_AUDIT)))
                }
                (step("/tags", visit.say(texts::SEE_TAGS), visit.say(texts::STEP_TAGS)))
                @if visit.may(Permission::ManageUsers) { (step("/accounts", visit.say(texts::ADD_ACCOUNT), visit.say(texts::STEP_ACCOUNTS))) }
            }
        }
    }
}

fn step(place: &str, word: &str, why: &str) -> Markup {
    html! { li { a href=(place) { strong { (word) } span { (why) } } } }
}

fn latest(visit: &Visit, standing: &Standing) -> Markup {
    html! {
        div class="columns" {
            @if !standing.batches.is_empty() {
                section {
                    h2 { (visit.say(texts::LATEST_BATCHES)) }
                    ul class="latest" {
                        @for batch in standing.batches.iter().take(LATEST) {
                            li { a href={ "/pool/batches/" (batch.id) } { (batch.source_name) } span class="soft" { (visit.fill(texts::ROWS_COUNTED, &[("n", &count(batch.rows))])) " · " (minute(batch.recorded_at)) } }
                        }
                    }
                }
            }
            @if !standing.audits.is_empty() {
                section {
                    h2 { (visit.say(texts::LATEST_AUDITS)) }
                    ul class="latest" {
                        @for audit in standing.audits.iter().take(LATEST) {
                            li { a href={ "/audits/" (audit.id) } { (visit.fill(texts::AUDIT_OF, &[("n", &count(audit.rows))])) } " " (simulated(visit, audit.simulated)) span class="soft" { (minute(audit.completed_at)) } }
                        }
                    }
                }
            }
        }
    }
}
