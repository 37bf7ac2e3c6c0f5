//! Then and now: a decision as it was recorded, as it is derived again, and as it would be made today.

use axum::extract::Path;
use axum::response::Redirect;
use customhouse::declarations::CaseFile;
use customhouse::identity::Permission;
use customhouse::replay::{Change, ChangeKind, Decided, Derivation};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::jobs;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, csrf, heading, lane_chip, simulated, table, th};
use crate::visit::{Posted, Visit};
use crate::words::{count, minute, percent, texts};

/// Digits of a hash that are shown.
const HASH_SHOWN: usize = 12;

/// What came of the latest derivation, and the way to another one.
pub(crate) async fn show(visit: Visit, Path(mrn): Path<String>) -> Result<Markup, Failure> {
    visit.require(Permission::ViewPlans)?;
    let (case, derivation) = visit
        .work(move |house, reader| Ok((house.case(reader, &mrn)?, house.derivation(reader, &mrn)?)))
        .await?;
    Ok(page(&visit, &case, derivation.as_ref()))
}

/// Has it derived again.
pub(crate) async fn start(
    visit: Visit,
    Path(mrn): Path<String>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    visit.require(Permission::ViewPlans)?;
    let job = visit.work(move |house, reader| house.start_replay(reader, &mrn)).await?;
    Ok(jobs::follow(job.status().id))
}

fn page(visit: &Visit, case: &CaseFile, derivation: Option<&Derivation>) -> Markup {
    let mrn = case.row.mrn.as_str();
    let place = format!("/declarations/{mrn}");
    let title = visit.say(texts::THEN_AND_NOW);
    let below = html! { (mrn) " " (simulated(visit, case.row.simulated)) };
    let again = html! {
        form method="post" action={ (place) "/replay" } { (csrf(visit)) button class="primary" { (visit.say(texts::DERIVE_AGAIN)) } }
    };
    let content = html! {
        (crumbs(visit, &[("/declarations", visit.say(texts::DECLARATIONS)), (&place, mrn)]))
        (heading(title, &below, &again))
        @match derivation {
            None => p class="soft" { (visit.say(texts::DERIVE_AGAIN_TEXT)) },
            Some(derivation) => { (shown(visit, derivation)) },
        }
    };
    Page::new(visit, Room::Declarations, title).show(&content)
}

fn shown(visit: &Visit, derivation: &Derivation) -> Markup {
    html! {
        (verdict(visit, derivation))
        @if derivation.erased_before > 0 { p class="soft" { (visit.fill(texts::ERASED_BEFORE, &[("n", &count(derivation.erased_before))])) } }
        (side_by_side(visit, derivation))
        p class="help" { (visit.say(texts::TODAY_HELP)) }
        @if derivation.hidden > 0 { p class="soft" { (visit.fill(texts::HIDDEN_FROM_YOU, &[("n", &derivation.hidden.to_string())])) } }
        @if !derivation.differences.is_empty() { (differences(visit, derivation)) }
        @if derivation.now.is_some() {
            h2 { (visit.say(texts::WHAT_CHANGED)) }
            @if derivation.changes.is_empty() { p class="soft" { (visit.say(texts::NOTHING_CHANGED)) } }
            @else { (changes(visit, &derivation.changes)) }
        }
    }
}

fn verdict(visit: &Visit, derivation: &Derivation) -> Markup {
    let (class, title, text) = match (&derivation.again, derivation.same) {
        (_, true) => ("good", texts::DERIVED_SAME, visit.say(texts::DERIVED_SAME_TEXT).to_owned()),
        (Some(_), false) => {
            let n = derivation.differences.len().to_string();
            ("bad", texts::DERIVED_OTHERWISE, visit.fill(texts::DERIVED_OTHERWISE_TEXT, &[("n", &n)]))
        }
        (None, false) => {
            let what = derivation.missing.join(", ");
            ("warn", texts::DERIVED_MISSING, visit.fill(texts::DERIVED_MISSING_TEXT, &[("what", &what)]))
        }
    };
    html! { div class={ "notice " (class) } role="status" { h2 { (visit.say(title)) } p { (text) } } }
}

fn short(hash: &str) -> &str {
    hash.get(..HASH_SHOWN).unwrap_or(hash)
}

fn side_by_side(visit: &Visit, derivation: &Derivation) -> Markup {
    let columns = [Some(&derivation.then), derivation.again.as_ref(), derivation.now.as_ref()];
    let row = |word, cell: &dyn Fn(&Decided) -> Markup| {
        html! {
            tr {
                th scope="row" { (visit.say(word)) }
                @for column in columns { td { @match column { Some(decided) => (cell(decided)), None => (absent()) } } }
            }
        }
    };
    let made = |decided: &Decided, part: &dyn Fn(&customhouse::declarations::Made) -> Markup| {
        decided.made.as_ref().map_or_else(absent, part)
    };
    let ppm = |ppm: u32| percent(u64::from(ppm), 1_000_000);
    let head = html! { (th(visit, texts::VALUE_WORD, false)) (th(visit, texts::RECORDED_THEN, false)) (th(visit, texts::DERIVED, false)) (th(visit, texts::TODAY, false)) };
    let body = html! {
        (row(texts::LANE, &|own| made(own, &|made| lane_chip(visit, made.lane))))
        (row(texts::SCORE_WORD, &|own| made(own, &|made| html! { (made.score) })))
        (row(texts::THRESHOLD_WORD, &|own| made(own, &|made| html! { (made.threshold) })))
        (row(texts::CHANCE_WORD, &|own| made(own, &|made| html! { (ppm(made.probability_ppm)) })))
        (row(texts::DRAW_WORD, &|own| made(own, &|made| html! { (made.draws.selection_ppm) })))
        (row(texts::PLAN_WORD, &|own| made(own, &|made| html! { a href={ "/plan/policies/" (made.plan) } { code { (short(&made.plan)) } } })))
        (row(texts::TAGS_WORD, &|own| html! { ul class="plain" { @for tag in &own.tags { li { a href={ "/tags/" (tag) } { (tag) } } } } @if own.tags.is_empty() { (absent()) } }))
        (row(texts::PACKS_WORD, &|own| html! { ul class="plain" { @for pack in &own.packs { li { code { (short(pack)) } } } } }))
    };
    html! {
        p class="soft" { (visit.say(texts::RECORDED_THEN)) ": " (minute(derivation.decided_at)) }
        (table(visit.say(texts::THEN_AND_NOW), &head, &body))
    }
}

fn differences(visit: &Visit, derivation: &Derivation) -> Markup {
    let head = html! { (th(visit, texts::VALUE_WORD, false)) (th(visit, texts::RECORDED_THEN, false)) (th(visit, texts::DERIVED, false)) };
    let body = html! {
        @for own in &derivation.differences { tr { td { code { (own.at) } } td { (own.recorded) } td { (own.derived) } } }
    };
    table(visit.say(texts::DERIVED_OTHERWISE), &head, &body)
}

fn changes(visit: &Visit, changes: &[Change]) -> Markup {
    let value = |change: &Change, value: &str| match change.kind {
        ChangeKind::TagNew | ChangeKind::TagGone | ChangeKind::TagChanged | ChangeKind::ListChanged => {
            visit.named("carried", value).to_owned()
        }
        _ => value.to_owned(),
    };
    let head = html! { (th(visit, texts::WHAT_CHANGED, false)) (th(visit, texts::TAG, false)) (th(visit, texts::THEN_WORD, false)) (th(visit, texts::NOW_WORD, false)) };
    let body = html! {
        @for change in changes {
            tr {
                td { (visit.named("change_of", change.kind.name())) }
                td { @match &change.tag { Some(tag) => a href={ "/tags/" (tag) } { (tag) }, None => (absent()) } }
                td { (value(change, &change.then)) }
                td { (value(change, &change.now)) }
            }
        }
    };
    table(visit.say(texts::WHAT_CHANGED), &head, &body)
}
