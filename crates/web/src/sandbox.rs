//! The bar of a sandbox: every page says plainly that this is one, shows its clock, and lets it be moved.

use axum::response::Redirect;
use customhouse::identity::Permission;
use customhouse::sandbox::SandboxStanding;
use customhouse::{Error, Kind};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::view::csrf;
use crate::visit::{Posted, Visit, own_place};
use crate::words::{Text, count, minute, texts};

/// How far the clock is moved at once, in seconds.
const MOVES: [(u64, Text); 2] = [(3_600, texts::ONE_HOUR_ON), (86_400, texts::ONE_DAY_ON)];
/// Paces of the simulated world, in declarations a minute.
const PACES: [(u32, Text); 4] =
    [(0, texts::PACE_PAUSED), (6, texts::PACE_SLOW), (60, texts::PACE_NORMAL), (600, texts::PACE_FAST)];

/// The word that marks every page of a sandbox.
pub(crate) fn mark(visit: &Visit) -> Markup {
    html! { @if visit.house().sandbox().is_some() { strong class="sandbox-mark" { (visit.say(texts::SANDBOX)) } } }
}

/// What it means, the clock, and what moves it.
pub(crate) fn bar(visit: &Visit) -> Markup {
    let Some(standing) = visit.house().sandbox() else { return html! {} };
    html! {
        aside class="sandbox" aria-label=(visit.say(texts::SANDBOX)) {
            p { strong { (visit.say(texts::SANDBOX)) } " " (visit.say(texts::SANDBOX_TEXT)) }
            p class="sandbox-clock" { (visit.say(texts::CLOCK_UTC)) " " strong { time datetime=(standing.now.strftime("%Y-%m-%dT%H:%M:%SZ")) { (minute(standing.now)) } } }
            @if visit.may(Permission::MoveClock) { (clock_form(visit)) (pace_form(visit, &standing)) }
        }
    }
}

fn clock_form(visit: &Visit) -> Markup {
    html! {
        form class="inline" method="post" action="/sandbox/clock" {
            (csrf(visit))
            input type="hidden" name="place" value=(visit.place());
            @for (seconds, word) in MOVES { button name="seconds" value=(seconds) { (visit.say(word)) } }
        }
    }
}

fn pace_form(visit: &Visit, standing: &SandboxStanding) -> Markup {
    let Some(pace) = standing.pace_per_minute else { return html! {} };
    let present = if standing.paused { 0 } else { pace };
    html! {
        form class="inline" method="post" action="/sandbox/pace" {
            (csrf(visit))
            input type="hidden" name="place" value=(visit.place());
            span class="soft" { (visit.fill(texts::PACE_OF_WORLD, &[("n", &count(present.into()))])) }
            @for (per_minute, word) in PACES { button name="per_minute" value=(per_minute) aria-pressed=(per_minute == present) { (visit.say(word)) } }
        }
    }
}

fn number<T: std::str::FromStr>(posted: &Posted, name: &str) -> Result<T, Failure> {
    posted.text(name).parse().map_err(|_| {
        let detail = format!("the field \"{name}\" is no whole number");
        Error::new(Kind::Invalid, "number_expected", detail, "Use the buttons of the bar.").into()
    })
}

/// Moves the clock forward.
pub(crate) async fn clock(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    visit.require(Permission::MoveClock)?;
    let seconds = number(&posted, "seconds")?;
    visit.work(move |house, reader| house.move_clock(reader, seconds)).await?;
    Ok(Redirect::to(own_place(posted.get("place"))))
}

/// Sets the pace of the simulated world.
pub(crate) async fn pace(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    visit.require(Permission::MoveClock)?;
    let per_minute = number(&posted, "per_minute")?;
    visit.work(move |house, reader| house.set_pace(reader, per_minute)).await?;
    Ok(Redirect::to(own_place(posted.get("place"))))
}
