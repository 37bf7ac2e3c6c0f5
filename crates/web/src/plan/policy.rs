//! Policies: what they decide, who proposed and approved them, and what they say.

use axum::extract::Path;
use customhouse::identity::Permission;
use customhouse::plans::Policy;
use maud::{Markup, html};

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, crumbs, csrf, facts, heading, table, th};
use crate::visit::Visit;
use crate::words::{minute, short, texts};

/// Approvals that bring a policy into force.
const APPROVALS: usize = 2;
/// Ended policies shown in the list.
const ENDED_MAX: usize = 5;

fn state_chip(visit: &Visit, policy: &Policy) -> Markup {
    let (class, name) = match (policy.in_force_since, policy.ended_at) {
        (_, Some(_)) => ("plain", "ended"),
        (Some(_), None) => ("good", "in_force"),
        (None, None) => ("information", "proposed"),
    };
    chip(class, visit.named("policy_state", name))
}

/// Who approved, and whose eyes are missing.
fn approvals(visit: &Visit, policy: &Policy) -> Markup {
    let missing = APPROVALS.saturating_sub(policy.approved_by.len());
    html! {
        @for name in &policy.approved_by { div { "✓ " (name) } }
        @if missing > 0 && policy.ended_at.is_none() {
            div class="soft" { (visit.fill(texts::APPROVALS_MISSING, &[("n", &missing.to_string())])) }
        }
    }
}

/// Approve where the reader may; otherwise why not.
fn act(visit: &Visit, policy: &Policy) -> Markup {
    html! {
        @if policy.may_approve {
            form method="post" action={ "/plan/policies/" (policy.hash) "/approve" } {
                (csrf(visit))
                button class="primary" { (visit.say(texts::APPROVE)) span class="unseen" { " " (visit.localized(&policy.title)) } }
            }
        } @else if visit.may(Permission::ManagePlans) && policy.ended_at.is_none() && policy.approved_by.len() < APPROVALS {
            span class="soft" { (visit.say(texts::ANOTHER_PERSON)) }
        }
    }
}

/// Policies in force and proposed, and the last that ended.
pub(super) fn list(visit: &Visit, policies: &[Policy]) -> Markup {
    let open = policies.iter().filter(|policy| policy.ended_at.is_none());
    let ended = policies.iter().filter(|policy| policy.ended_at.is_some()).take(ENDED_MAX);
    let head = html! {
        (th(visit, texts::DECIDES, false)) (th(visit, texts::POLICY, false)) (th(visit, texts::STATE, false))
        (th(visit, texts::PROPOSED, false)) (th(visit, texts::APPROVED_BY, false)) (th(visit, texts::ACTION, false))
    };
    let body = html! {
        @for policy in open.chain(ended) {
            tr {
                td { (visit.named("policy", policy.kind.name())) }
                td { a href={ "/plan/policies/" (policy.hash) } { (visit.localized(&policy.title)) } div class="soft" { code { (short(&policy.hash)) } } }
                td { (state_chip(visit, policy)) @if let Some(since) = policy.in_force_since { div class="soft period" { (minute(since)) } } }
                td { (policy.proposed_by) div class="soft period" { (minute(policy.proposed_at)) } }
                td { (approvals(visit, policy)) }
                td { (act(visit, policy)) }
            }
        }
    };
    html! {
        @if !policies.is_empty() {
            section {
                h2 { (visit.say(texts::POLICIES)) }
                p class="help" { (visit.say(texts::FOUR_EYES)) }
                (table(visit.say(texts::POLICIES), &head, &body))
            }
        }
    }
}

/// One policy with what it says.
pub(crate) async fn show(visit: Visit, Path(hash): Path<String>) -> Result<Markup, Failure> {
    let policy = visit.work(move |house, reader| house.find_policy(reader, &hash)).await?;
    let title = visit.localized(&policy.title);
    let content = html! {
        (crumbs(&visit, &[("/plan", visit.say(texts::PLAN))]))
        (heading(title, &html! { (visit.named("policy", policy.kind.name())) " " (state_chip(&visit, &policy)) }, &act(&visit, &policy)))
        div class="columns" {
            section { h2 { (visit.say(texts::SUMMARY)) } (about(&visit, &policy)) (withdraw(&visit, &policy)) }
            section {
                h2 { (visit.say(texts::CONTENT)) }
                pre class="payload" tabindex="0" aria-label=(visit.say(texts::CONTENT)) { code { (serde_json::to_string_pretty(&policy.content).unwrap_or_default()) } }
            }
        }
    };
    Ok(Page::new(&visit, Room::Plan, title).show(&content))
}

fn about(visit: &Visit, policy: &Policy) -> Markup {
    let time = |time: Option<jiff::Timestamp>| html! { @match time { Some(time) => (minute(time)), None => (absent()) } };
    facts(&[
        (visit.say(texts::LEGAL_BASIS), html! { (policy.legal_basis) }),
        (visit.say(texts::PROPOSED), html! { (policy.proposed_by) " · " (minute(policy.proposed_at)) }),
        (visit.say(texts::APPROVED_BY), approvals(visit, policy)),
        (visit.say(texts::IN_FORCE_SINCE), time(policy.in_force_since)),
        (visit.say(texts::ENDED), time(policy.ended_at)),
        (visit.say(texts::CONTENT_HASH), html! { code class="hash" { (policy.hash) } }),
    ])
}

fn withdraw(visit: &Visit, policy: &Policy) -> Markup {
    html! {
        @if visit.may(Permission::ManagePlans) && policy.ended_at.is_none() {
            details class="card" {
                summary { (visit.say(texts::WITHDRAW_POLICY)) }
                p { (visit.say(texts::WITHDRAW_POLICY_HELP)) }
                form class="stack" method="post" action={ "/plan/policies/" (policy.hash) "/withdraw" } {
                    (csrf(visit))
                    label for="why" { (visit.say(texts::WHY)) }
                    input id="why" name="why" required maxlength="500" autocomplete="off";
                    button { (visit.say(texts::WITHDRAW_POLICY)) }
                }
            }
        }
    }
}
