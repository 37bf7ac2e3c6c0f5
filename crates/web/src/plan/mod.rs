//! The plan of selection and the policies: what is in force and who approved it, how offices stand today, how
//! thresholds moved, and what another capacity would bring.

mod act;
mod curve;
mod policy;
mod standing;

use axum::http::HeaderValue;
use customhouse::identity::Permission;
use customhouse::plans::{Consequences, PlanStanding, PolicyKind};
use customhouse::tags::TagCatalogue;
use maud::{Markup, html};
use serde::Deserialize;

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{csrf, heading, simulated};
use crate::visit::{Asked, Visit};
use crate::words::texts;

pub(crate) use act::{approve, capacity, fit, propose, withdraw};
pub(crate) use policy::show as policy;

/// Which office's curve, and which point of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PlanQuery {
    /// Office; empty: all together.
    office: String,
    /// Point of the curve, from 0; empty: where the plan stands.
    at: String,
}

/// What the page shows.
struct Shown {
    standing: PlanStanding,
    consequences: Consequences,
    catalogue: TagCatalogue,
    offices: Vec<String>,
}

/// The page.
pub(crate) async fn show(visit: Visit, Asked(asked): Asked<PlanQuery>) -> Result<Markup, Failure> {
    let office = asked.office.clone();
    let shown = visit
        .work(move |house, reader| {
            Ok(Shown {
                standing: house.plans(reader)?,
                consequences: house.consequences(reader, &office)?,
                catalogue: house.tag_catalogue(reader)?,
                offices: house.offices()?,
            })
        })
        .await?;
    let standing = &shown.standing;
    let below = html! { (visit.say(texts::PLAN_INTRODUCTION)) " " (simulated(&visit, standing.simulated)) };
    let content = html! {
        (heading(visit.say(texts::PLAN), &below, &html! {}))
        (missing(&visit, standing))
        (policy::list(&visit, &standing.policies))
        @if let Some(plan) = &standing.plan {
            (standing::about(&visit, plan, standing))
            (curve::shown(&visit, &asked, &shown, plan))
            (standing::offices(&visit, &standing.offices))
            (standing::weights(&visit, plan, &shown.catalogue))
            (standing::moves(&visit, &standing.moves))
        }
        @if visit.may(Permission::ManagePlans) { (fit_form(&visit)) }
    };
    Ok(Page::new(&visit, Room::Plan, visit.say(texts::PLAN)).with_script("plan.js").show(&content))
}

/// Policies that are not in force, and what that means.
fn missing(visit: &Visit, standing: &PlanStanding) -> Markup {
    let lacks = |kind: &PolicyKind| {
        !standing
            .policies
            .iter()
            .any(|own| own.kind == *kind && own.in_force_since.is_some() && own.ended_at.is_none())
    };
    let kinds: Vec<PolicyKind> = PolicyKind::ALL.into_iter().filter(lacks).collect();
    let proposed =
        |kind: PolicyKind| standing.policies.iter().any(|own| own.kind == kind && own.ended_at.is_none());
    let to_propose: Vec<PolicyKind> = kinds.iter().copied().filter(|kind| !proposed(*kind)).collect();
    html! {
        @if !kinds.is_empty() {
            div class="notice warn" {
                h2 { (visit.say(texts::POLICIES_MISSING)) }
                ul { @for kind in &kinds { li { strong { (visit.named("policy", kind.name())) } ": " (visit.named("policy_missing", kind.name())) } } }
                @if visit.may(Permission::ManagePlans) && !to_propose.is_empty() {
                    form method="post" action="/plan/propose" {
                        (csrf(visit))
                        @for kind in &to_propose { input type="hidden" name="kind" value=(kind.name()); }
                        button class="primary" { (visit.say(texts::PROPOSE_STANDARD)) }
                    }
                }
            }
        }
    }
}

fn fit_form(visit: &Visit) -> Markup {
    html! {
        details class="card" {
            summary { (visit.say(texts::FIT_PLAN)) }
            p { (visit.say(texts::FIT_PLAN_HELP)) }
            form class="stack" method="post" action="/plan/fit" {
                (csrf(visit))
                label for="fit-title" { (visit.say(texts::TITLE_OF_PLAN)) }
                input id="fit-title" name="title" required maxlength="120" autocomplete="off";
                label for="fit-capacity" { (visit.say(texts::CAPACITY_PER_DAY)) }
                input id="fit-capacity" name="capacity" type="number" min="1" max="1000000" value="30" required;
                label for="fit-share" { (visit.say(texts::RANDOM_SHARE_PERCENT)) }
                input id="fit-share" name="share" type="number" min="1" max="100" value="10" required aria-describedby="fit-share-help";
                p class="help" id="fit-share-help" { (visit.say(texts::RANDOM_SHARE_HELP)) }
                button { (visit.say(texts::FIT_AND_PROPOSE)) }
            }
        }
    }
}

/// Where a form leads back to.
fn back(to: &str) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    let place = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/plan"));
    (axum::http::StatusCode::SEE_OTHER, [(axum::http::header::LOCATION, place)]).into_response()
}
