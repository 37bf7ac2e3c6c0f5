//! What everybody may know without signing in: is it running, and how long does each step take. Worked out once a
//! second at most, however many ask.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use customhouse::flow::Status;
use maud::{Markup, html};

use crate::failure::Failure;
use crate::once::Kept;
use crate::overview::step_table;
use crate::shell::{Page, Room};
use crate::view::{absent, figure, heading, simulated};
use crate::visit::{Visit, blocking};
use crate::words::{count, duration, minute, size, texts};

/// An answer is so old at most.
const AGE_MAX: Duration = Duration::from_secs(1);

/// The answer of the last second.
pub(crate) type StatusKept = Arc<Kept<Status>>;

/// Nothing is known yet.
pub(crate) fn kept() -> StatusKept {
    Arc::new(Kept::new(AGE_MAX))
}

pub(crate) async fn ask(visit: &Visit, kept: &Kept<Status>) -> Result<Arc<Status>, Failure> {
    let house = Arc::clone(visit.house());
    Ok(kept.get(blocking(move || house.status())).await?)
}

/// The page.
pub(crate) async fn show(visit: Visit, Extension(kept): Extension<StatusKept>) -> Result<Markup, Failure> {
    let status = ask(&visit, &kept).await?;
    let below = html! { (visit.say(texts::STATUS_INTRODUCTION)) " " (simulated(&visit, status.simulated)) };
    let content = html! {
        (heading(visit.say(texts::STATUS), &below, &html! {}))
        (standing(&visit, &status))
        p { a href="/verify" { (visit.say(texts::VERIFY)) } }
    };
    Ok(Page::new(&visit, Room::Elsewhere, visit.say(texts::STATUS)).public().show(&content))
}

/// Only what moves.
pub(crate) async fn live(visit: Visit, Extension(kept): Extension<StatusKept>) -> Result<Markup, Failure> {
    let status = ask(&visit, &kept).await?;
    Ok(standing(&visit, &status))
}

fn standing(visit: &Visit, status: &Status) -> Markup {
    let (class, sign) = match status.state.as_str() {
        "running" => ("good", "●"),
        "warming_up" => ("information", "◐"),
        _ => ("warn", "▲"),
    };
    let up = status.now.duration_since(status.since).as_millis();
    html! {
        div id="status" hx-get="/status/live" hx-trigger="every 10s" hx-swap="outerHTML" {
            p class={ "standing " (class) } role="status" { span aria-hidden="true" { (sign) } " " strong { (visit.named("service", &status.state)) } }
            p class="soft" { (visit.named("service_text", &status.state)) }
            dl class="figures" {
                (figure(&count(status.lodged_hour), visit.say(texts::LODGED_IN_HOUR), &html! {}))
                (figure(&count(status.waiting), visit.say(texts::WAITING_NOW), &html! { (visit.fill(texts::ROOM_FOR, &[("n", &count(status.waiting_max))])) }))
                (figure(&count(status.behind_events), visit.say(texts::NOT_SHOWN_YET), &html! { (visit.say(texts::NOT_SHOWN_YET_NOTE)) }))
                @match status.disk_free_bytes {
                    Some(bytes) => (figure(&size(bytes), visit.say(texts::DISK_FREE), &html! {})),
                    None => (figure("–", visit.say(texts::DISK_FREE), &absent())),
                }
            }
            @if let Some(turn) = &status.turn {
                p {
                    (visit.say(texts::ONE_OF_SEVERAL)) " "
                    (visit.say(if turn.decides { texts::THIS_ONE_DECIDES } else { texts::ANOTHER_DECIDES })) " "
                    (visit.say(if turn.keeps_log { texts::THIS_ONE_KEEPS_LOG } else { texts::ANOTHER_KEEPS_LOG }))
                }
            }
            h2 { (visit.say(texts::HOW_LONG)) }
            (step_table(visit, &status.steps))
            p class="soft" {
                (visit.fill(texts::AS_OF, &[("time", &minute(status.now))])) " · "
                (visit.fill(texts::RUNNING_FOR, &[("t", &duration(u64::try_from(up).unwrap_or(0)))]))
            }
        }
    }
}
