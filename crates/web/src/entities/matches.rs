//! Pairs of entities that may be one, side by side with what speaks for it; and what was decided on them.

use axum::extract::Path;
use axum::response::Redirect;
use customhouse::entities::{
    DecisionState, EntityDecision, Evidence, EvidenceKind, MatchRow, MatchesPage, MatchesQuery, RegisterEntry,
};
use customhouse::identity::{Permission, Reader};
use customhouse::{Customhouse, Error};
use maud::{Markup, html};

use super::list::place_of;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, crumbs, csrf, empty, heading, pager, place, simulated};
use crate::visit::{Asked, Posted, Visit, own_place};
use crate::words::{count, minute, texts};

/// Where the list is.
pub(super) const PATH: &str = "/entities/matches";

/// The list.
pub(crate) async fn list(visit: Visit, Asked(asked): Asked<MatchesQuery>) -> Result<Markup, Failure> {
    let (page, files) = visit
        .work({
            let asked = asked.clone();
            move |house, reader| Ok((house.find_matches(reader, &asked)?, house.register_files(reader)?))
        })
        .await?;
    let below = html! {
        (visit.fill(texts::MATCHES_INTRODUCTION, &[("n", &count(page.parties))])) " " (simulated(&visit, page.simulated))
        @if page.waiting > 0 {
            " " a href=(place(PATH, &[("state", "merge_proposed")])) { (chip("warn", &visit.fill(texts::MATCHES_WAIT, &[("n", &count(page.waiting))]))) }
        }
    };
    let content = html! {
        (crumbs(&visit, &[("/entities", visit.say(texts::ENTITIES))]))
        (heading(visit.say(texts::MATCHES), &below, &html! {}))
        (filters(&visit, &asked))
        @if page.parties == 0 && page.rows.is_empty() {
            (empty(visit.say(texts::NO_REGISTER), visit.say(texts::NO_REGISTER_TEXT), &html! {}))
        } @else if page.rows.is_empty() {
            (empty(visit.say(texts::NO_MATCHES), visit.say(texts::NO_MATCHES_TEXT), &html! {}))
        } @else { (rows(&visit, &asked, &page)) }
        (super::register::files(&visit, &files))
    };
    Ok(Page::new(&visit, Room::Entities, visit.say(texts::MATCHES)).show(&content))
}

fn filters(visit: &Visit, asked: &MatchesQuery) -> Markup {
    html! {
        form class="filters" method="get" action=(PATH) {
            label { (visit.say(texts::MATCH_SEARCH)) input type="search" name="q" value=(asked.q) spellcheck="false" autocomplete="off"; }
            label {
                (visit.say(texts::MATCH_SHARES))
                select name="kind" {
                    option value="" { (visit.say(texts::ALL)) }
                    @for kind in EvidenceKind::ALL { option value=(kind.name()) selected[kind.name() == asked.kind] { (visit.named("match_by", kind.name())) } }
                }
            }
            label {
                (visit.say(texts::MATCH_ONE_CLOSED))
                select name="closed" {
                    option value="" { (visit.say(texts::ALL)) }
                    option value="yes" selected[asked.closed] { (visit.say(texts::YES)) }
                }
            }
            label {
                (visit.say(texts::STATE))
                select name="state" {
                    option value="" { (visit.say(texts::MATCH_OPEN)) }
                    @for state in DecisionState::ALL { option value=(state.name()) selected[state.name() == asked.state] { (visit.named("decided", state.name())) } }
                }
            }
            button { (visit.say(texts::APPLY)) }
        }
    }
}

fn rows(visit: &Visit, asked: &MatchesQuery, page: &MatchesPage) -> Markup {
    let closed = if asked.closed { "yes" } else { "" };
    let query = [("q", asked.q.as_str()), ("kind", &asked.kind), ("closed", closed), ("state", &asked.state)];
    let total = usize::try_from(page.total).unwrap_or(usize::MAX);
    html! {
        p class="soft" { (visit.fill(texts::MATCHES_FOUND, &[("n", &count(page.total))])) " " (visit.say(texts::MATCH_SCORE_HELP)) }
        @for row in &page.rows { (pair(visit, row)) }
        (pager(visit, PATH, &query, asked.page.max(1), total))
    }
}

/// Two side by side.
fn pair(visit: &Visit, row: &MatchRow) -> Markup {
    html! {
        article class="card match" {
            div class="table-scroll" tabindex="0" role="group" aria-label={ (row.left.id) " / " (row.right.id) } {
                table class="compared" {
                    thead { tr {
                        th scope="col" { (visit.fill(texts::MATCH_SCORE, &[("n", &row.score.to_string())])) }
                        th scope="col" { (named(&row.left)) }
                        th scope="col" { (named(&row.right)) }
                    } }
                    tbody { (lines(visit, row)) }
                }
            }
            @match &row.decision {
                Some(decision) => (decided(visit, decision, row.takes_two)),
                None => (actions(visit, row)),
            }
        }
    }
}

fn named(entry: &RegisterEntry) -> Markup {
    html! { a href=(place_of(&entry.id)) { code { (entry.id) } } }
}

/// What both are; where they agree, how much that says.
fn lines(visit: &Visit, row: &MatchRow) -> Markup {
    let of = |kind: EvidenceKind| row.evidence.iter().find(|own| own.kind == kind);
    let text = |text: Option<&String>| html! { @match text { Some(text) => (text), None => (absent()) } };
    let (left, right) = (&row.left, &row.right);
    let line = |kind: EvidenceKind, left: Markup, right: Markup| {
        html! {
            tr class=[of(kind).map(|_| "agrees")] {
                th scope="row" { (visit.named("match_by", kind.name())) " " @if let Some(own) = of(kind) { (weight(visit, own)) } }
                td { (left) } td { (right) }
            }
        }
    };
    let name =
        |entry: &RegisterEntry| html! { @if entry.name.is_empty() { (absent()) } @else { (entry.name) } };
    html! {
        (line(EvidenceKind::Name, name(left), name(right)))
        (line(EvidenceKind::Owner, text(left.owner.as_ref()), text(right.owner.as_ref())))
        (line(EvidenceKind::Phone, text(left.phone.as_ref()), text(right.phone.as_ref())))
        (line(EvidenceKind::Address, text(left.address.as_ref()), text(right.address.as_ref())))
        @if let Some(own) = of(EvidenceKind::Identifier) {
            (line(EvidenceKind::Identifier, html! { (own.left) }, html! { (own.right) }))
        }
        (line(EvidenceKind::Succession, since(visit, left), since(visit, right)))
        tr {
            th scope="row" { (visit.say(texts::DECLARATIONS)) }
            td { (declared(left)) } td { (declared(right)) }
        }
    }
}

/// From when to when it is in the register.
pub(super) fn since(visit: &Visit, entry: &RegisterEntry) -> Markup {
    html! {
        @match &entry.entered_on { Some(day) => (day), None => (absent()) }
        @if let Some(closed) = &entry.closed_on { " – " (closed) " " (chip("warn", visit.say(texts::CLOSED))) }
    }
}

fn declared(entry: &RegisterEntry) -> Markup {
    html! {
        @if entry.declarations == 0 { "0" }
        @else { a href=(place("/declarations", &[("party", &entry.id)])) { (count(entry.declarations)) } }
    }
}

/// A piece of evidence as a chip; its title says both values.
pub(super) fn weight(visit: &Visit, own: &Evidence) -> Markup {
    let (weight, shared) = (own.weight.to_string(), own.shared_by.to_string());
    let class = if own.weight >= 400 { "chip information" } else { "chip plain" };
    html! {
        span class=(class) title={ (own.left) " = " (own.right) } {
            "+" (weight) @if own.shared_by > 2 { " · " (visit.fill(texts::MATCH_SHARED_BY, &[("n", &shared)])) }
        }
    }
}

fn actions(visit: &Visit, row: &MatchRow) -> Markup {
    html! {
        @if visit.may(Permission::ResolveEntities) {
            form class="match-form" method="post" action={ (PATH) "/merge" } {
                (csrf(visit))
                input type="hidden" name="one" value=(row.right.id);
                input type="hidden" name="other" value=(row.left.id);
                input type="hidden" name="back" value=(visit.place());
                label { (visit.say(texts::REASON)) input name="reason" required maxlength="500" autocomplete="off"; }
                button class="primary" data-key="m" { (visit.say(if row.takes_two { texts::MATCH_PROPOSE } else { texts::MATCH_MERGE })) }
                button formaction={ (PATH) "/apart" } data-key="x" { (visit.say(texts::MATCH_APART)) }
            }
            @if row.takes_two { p class="help" { (visit.say(texts::MATCH_TAKES_TWO)) } }
        }
    }
}

/// What was decided, and what can be done about it.
pub(super) fn decided(visit: &Visit, decision: &EntityDecision, takes_two: bool) -> Markup {
    let class = if decision.state.waits() { "warn" } else { "plain" };
    let act = |action: &str, word: crate::words::Text, reason: bool| {
        html! {
            form class="match-form" method="post" action={ "/entities/decisions/" (decision.id) "/" (action) } {
                (csrf(visit))
                input type="hidden" name="back" value=(visit.place());
                @if reason { label { (visit.say(texts::REASON)) input name="reason" required maxlength="500" autocomplete="off"; } }
                button { (visit.say(word)) }
            }
        }
    };
    html! {
        p {
            (chip(class, visit.named("decided", decision.state.name()))) " "
            a href=(place("/journal", &[("stream", &format!("entity-decision/{}", decision.id))])) { code { (decision.id) } } " "
            span class="soft" { (minute(decision.at)) " UTC · " (decision.by) } br; (decision.reason)
        }
        @if visit.may(Permission::ResolveEntities) {
            @match decision.state {
                DecisionState::MergeProposed | DecisionState::SplitProposed => {
                    (act("approve", texts::APPROVE, false)) (act("withdraw", texts::MATCH_WITHDRAW, false))
                },
                DecisionState::Merged => {
                    (act("split", if takes_two { texts::MATCH_PROPOSE_SPLIT } else { texts::MATCH_SPLIT }, true))
                },
                DecisionState::Apart => (act("withdraw", texts::MATCH_WITHDRAW, false)),
                DecisionState::Split | DecisionState::Withdrawn => {},
            }
        }
    }
}

/// Where the form was, if that is one of our pages.
fn back(posted: &Posted) -> Redirect {
    let own = posted.get("back").filter(|back| back.starts_with("/entities/"));
    Redirect::to(own_place(Some(own.unwrap_or(PATH))))
}

/// Says that two are one.
pub(crate) async fn merge(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    decide(visit, posted, |house, reader, [one, other, reason]| {
        house.merge_entities(reader, one, other, reason).map(drop)
    })
    .await
}

/// Says that two are not the same.
pub(crate) async fn apart(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    decide(visit, posted, |house, reader, [one, other, reason]| {
        house.keep_entities_apart(reader, one, other, reason).map(drop)
    })
    .await
}

async fn decide(
    visit: Visit,
    posted: Posted,
    act: impl FnOnce(&Customhouse, &Reader, [&str; 3]) -> Result<(), Error> + Send + 'static,
) -> Result<Redirect, Failure> {
    visit.require(Permission::ResolveEntities)?;
    let back = back(&posted);
    visit
        .work(move |house, reader| {
            act(house, reader, ["one", "other", "reason"].map(|field| posted.text(field)))
        })
        .await?;
    Ok(back)
}

/// Approves, splits or takes back.
pub(crate) async fn act(
    visit: Visit,
    Path((id, action)): Path<(String, String)>,
    posted: Posted,
) -> Result<Redirect, Failure> {
    visit.require(Permission::ResolveEntities)?;
    let back = back(&posted);
    visit
        .work(move |house, reader| decide_on(house, reader, &id, &action, posted.text("reason")).map(drop))
        .await?;
    Ok(back)
}

/// Does what a button, or a program, says about a decision.
pub(crate) fn decide_on(
    house: &Customhouse,
    reader: &Reader,
    id: &str,
    action: &str,
    reason: &str,
) -> Result<EntityDecision, Error> {
    match action {
        "approve" => house.approve_entity_decision(reader, id),
        "split" => house.split_entities(reader, id, reason),
        "withdraw" => house.withdraw_entity_decision(reader, id),
        other => Err(Error::new(
            customhouse::Kind::NotFound,
            "action_unknown",
            format!("there is no action \"{other}\""),
            "Approve, split or withdraw.",
        )),
    }
}
