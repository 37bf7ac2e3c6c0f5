//! The first page of officials: the flow of the last 24 hours, work that waits, and whether the plan finds more than
//! chance does. While nothing is lodged here yet: what to do next.

mod beginning;
mod live;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::flow::Overview;
use customhouse::identity::Permission;
use maud::html;
use serde::Deserialize;

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{heading, place, simulated};
use crate::visit::{Asked, Visit};
use crate::words::texts;

pub(crate) use live::{rate_text, share_text, step_table};

/// Open warnings named, the latest.
const WARNINGS_SHOWN: usize = 3;

/// Whose flow, and whether the page keeps up by itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OverviewQuery {
    /// Office; empty: all.
    office: String,
    /// `off`: the page stays as it is until it is asked for again.
    updates: String,
    /// Position of the journal that the page shows already.
    shown: u64,
}

impl OverviewQuery {
    fn keeps_up(&self) -> bool {
        self.updates != "off"
    }
}

/// Has anything been lodged, or does anything wait?
fn flows(overview: &Overview) -> bool {
    overview.lodged_day > 0 || !overview.latest_stopped.is_empty() || !overview.queue.is_empty()
}

/// The first page. A trader's is another one.
pub(crate) async fn show(visit: Visit, Asked(asked): Asked<OverviewQuery>) -> Result<Response, Failure> {
    if visit.may(Permission::Lodge) {
        return Ok(Redirect::to("/own").into_response());
    }
    let office = asked.office.clone();
    let (overview, offices, warned) = visit
        .work(move |house, reader| {
            let own = Some(office.as_str()).filter(|office| !office.is_empty());
            let warned = house.open_warnings(reader, own, WARNINGS_SHOWN)?;
            Ok((house.overview(reader, &office)?, house.offices()?, warned))
        })
        .await?;
    let content = if flows(&overview) || !asked.office.is_empty() {
        let switch = if asked.keeps_up() { "off" } else { "" };
        let word = if asked.keeps_up() { texts::PAUSE_UPDATES } else { texts::RESUME_UPDATES };
        let actions = html! {
            (office_form(&visit, &asked, &offices))
            a class="button" href=(place("/", &[("office", &asked.office), ("updates", switch)])) { (visit.say(word)) }
        };
        let below =
            html! { (visit.say(texts::OVERVIEW_INTRODUCTION)) " " (simulated(&visit, overview.simulated)) };
        html! {
            (heading(visit.say(texts::OVERVIEW), &below, &actions))
            (crate::warnings::strip(&visit, &warned))
            (live::shown(&visit, &asked, &overview))
        }
    } else {
        beginning::shown(&visit).await?
    };
    Ok(Page::new(&visit, Room::Overview, visit.say(texts::OVERVIEW)).show(&content).into_response())
}

fn office_form(visit: &Visit, asked: &OverviewQuery, offices: &[String]) -> maud::Markup {
    html! {
        form class="inline" method="get" action="/" {
            label for="office" { (visit.say(texts::OFFICE)) }
            select id="office" name="office" data-send-on-change {
                option value="" { (visit.say(texts::ALL)) }
                @for office in offices { option value=(office) selected[*office == asked.office] { (office) } }
            }
            @if !asked.keeps_up() { input type="hidden" name="updates" value="off"; }
            button data-send-by-hand { (visit.say(texts::APPLY)) }
        }
    }
}

/// Only what moves, for the page that keeps up. Nothing where nothing moved.
pub(crate) async fn live(visit: Visit, Asked(asked): Asked<OverviewQuery>) -> Result<Response, Failure> {
    let office = asked.office.clone();
    let overview = visit.work(move |house, reader| house.overview(reader, &office)).await?;
    if overview.position == asked.shown {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(live::shown(&visit, &asked, &overview).into_response())
}
