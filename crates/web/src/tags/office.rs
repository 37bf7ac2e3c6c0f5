//! Tags of the office's own: a condition is tried on history as it is written, proposed by one person and put into force
//! by another.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::identity::Permission;
use customhouse::tags::{OwnTag, OwnTags, ProposalState, TagDraft, TagPreview, TagProposal, TagSeverity};
use customhouse::{Error, Kind};
use maud::{Markup, html};
use serde::Deserialize;
use spine::noun::SubjectKind;
use spine::{Language, LocalizedText};

use super::one::values_read;
use super::{severity_chip, subject};
use crate::failure::Failure;
use crate::overview::rate_text;
use crate::shell::{Page, Room};
use crate::view::{absent, chip, crumbs, csrf, empty, facts, heading, simulated, table, th};
use crate::visit::{Asked, Posted, Visit};
use crate::words::{count, minute, percent, texts};

const PATH: &str = "/own-tags";

/// Which tag is edited.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Edited {
    id: String,
}

/// The office's own tags, and what was proposed.
pub(crate) async fn list(visit: Visit) -> Result<Markup, Failure> {
    let own = visit.work(|house, reader| house.own_tags(reader)).await?;
    let actions = html! {
        @if visit.may(Permission::ManagePlans) { a class="button primary" href="/own-tags/new" { (visit.say(texts::WRITE_TAG)) } }
    };
    let content = html! {
        (crumbs(&visit, &[("/tags", visit.say(texts::TAGS))]))
        (heading(visit.say(texts::OWN_TAGS), &html! { (visit.say(texts::OWN_TAGS_HELP)) }, &actions))
        (proposals(&visit, &own))
        (in_force(&visit, &own))
    };
    Ok(Page::new(&visit, Room::Tags, visit.say(texts::OWN_TAGS)).show(&content))
}

fn proposals(visit: &Visit, own: &OwnTags) -> Markup {
    html! {
        @if !own.proposals.is_empty() {
            section {
                h2 { (visit.say(texts::PROPOSALS)) }
                @for proposal in &own.proposals { (proposed(visit, proposal)) }
            }
        }
    }
}

fn proposed(visit: &Visit, proposal: &TagProposal) -> Markup {
    let (class, name) = match proposal.state {
        ProposalState::Waiting => ("information", "waiting"),
        ProposalState::Approved => ("good", "approved"),
        ProposalState::Declined => ("plain", "declined"),
    };
    let title = proposal.tag.as_ref().map_or(proposal.id.as_str(), |tag| visit.localized(&tag.title));
    html! {
        article class="card proposal" {
            h3 { (title) " " code { (proposal.id) } " " (chip(class, visit.named("proposal", name))) }
            p class="soft" {
                (visit.say(texts::PROPOSED)) " " (proposal.proposed_by) " · " (minute(proposal.proposed_at))
                @if let (Some(who), Some(at)) = (&proposal.decided_by, proposal.decided_at) { " · " (visit.named("proposal", name)) " " (who) " · " (minute(at)) }
                @if let Some(reason) = &proposal.reason { ": " (reason) }
            }
            @match &proposal.tag {
                None => p { strong { (visit.say(texts::TAG_TO_GO)) } },
                Some(tag) => {
                    pre class="condition" tabindex="0" { code { (tag.when) } }
                    @if let Some(before) = proposal.in_force.as_ref().filter(|before| before.when != tag.when) {
                        details { summary { (visit.say(texts::CONDITION_BEFORE)) } pre class="condition" tabindex="0" { code { (before.when) } } }
                    }
                    @if proposal.state == ProposalState::Waiting && visit.may(Permission::ManagePlans) {
                        details hx-get=(preview_place(tag)) hx-trigger="toggle once" hx-target="find .tried" {
                            summary { (visit.say(texts::TRIED_ON_HISTORY)) }
                            div class="tried" { a href=(edit_place(&tag.id)) { (visit.say(texts::TRY_CONDITION)) } }
                        }
                    }
                }
            }
            (decide(visit, proposal))
        }
    }
}

fn preview_place(tag: &OwnTag) -> String {
    let days = tag.valid_days.to_string();
    crate::view::place(
        "/own-tags/preview",
        &[("when", &tag.when), ("on", subject(tag.on)), ("valid_days", &days)],
    )
}

fn edit_place(id: &str) -> String {
    crate::view::place("/own-tags/new", &[("id", id)])
}

/// Approve and decline, where the reader may.
fn decide(visit: &Visit, proposal: &TagProposal) -> Markup {
    let open = proposal.state == ProposalState::Waiting && visit.may(Permission::ManagePlans);
    let mine = !proposal.may_approve;
    html! {
        @if open {
            div class="inline" {
                @if mine { span class="soft" { (visit.say(texts::ANOTHER_APPROVES)) } }
                @else {
                    form method="post" action={ (PATH) "/" (proposal.number) "/approve" } {
                        (csrf(visit))
                        button class="primary" { (visit.say(texts::APPROVE)) span class="unseen" { " " (proposal.id) } }
                    }
                }
                form class="inline" method="post" action={ (PATH) "/" (proposal.number) "/decline" } {
                    (csrf(visit))
                    @let field = format!("why-{}", proposal.number);
                    label for=(field) { (visit.say(texts::WHY)) }
                    input id=(field) name="why" required maxlength="500" autocomplete="off";
                    button { (visit.say(if mine { texts::TAKE_PROPOSAL_BACK } else { texts::DECLINE })) }
                }
            }
        }
    }
}

fn in_force(visit: &Visit, own: &OwnTags) -> Markup {
    let head = html! {
        (th(visit, texts::TAG, false)) (th(visit, texts::CONDITION, false)) (th(visit, texts::WEIGHT, false)) (th(visit, texts::ACTION, false))
    };
    let body = html! {
        @for tag in &own.in_force {
            tr {
                td { a href={ "/tags/" (tag.id) } { (visit.localized(&tag.title)) } div class="soft" { code { (tag.id) } } }
                td { code class="condition-line" { (tag.when) } }
                td { (severity_chip(visit, tag.severity)) }
                td { @if visit.may(Permission::ManagePlans) {
                    a href=(edit_place(&tag.id)) { (visit.say(texts::EDIT)) }
                    form method="post" action="/own-tags/remove" {
                        (csrf(visit))
                        input type="hidden" name="id" value=(tag.id);
                        button class="link" { (visit.say(texts::PROPOSE_REMOVAL)) span class="unseen" { " " (tag.id) } }
                    }
                } @else { (absent()) } }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::IN_FORCE)) }
            @if own.in_force.is_empty() { (empty(visit.say(texts::NO_OWN_TAGS), visit.say(texts::NO_OWN_TAGS_TEXT), &html! {})) }
            @else { (table(visit.say(texts::OWN_TAGS), &head, &body)) }
        }
    }
}

/// The form: of a new tag, or of one that is in force.
pub(crate) async fn edit(visit: Visit, Asked(edited): Asked<Edited>) -> Result<Markup, Failure> {
    visit.require(Permission::ManagePlans)?;
    let (own, names) =
        visit.work(|house, reader| Ok((house.own_tags(reader)?, house.names_in_conditions(reader)?))).await?;
    let known = own.in_force.into_iter().find(|tag| tag.id == edited.id);
    let waiting = own.proposals.into_iter().filter(|own| own.state == ProposalState::Waiting);
    let tag = known.or_else(|| waiting.filter_map(|own| own.tag).find(|tag| tag.id == edited.id));
    Ok(form(&visit, &tag.unwrap_or_else(blank), &names, None))
}

fn blank() -> OwnTag {
    OwnTag {
        id: String::new(),
        title: LocalizedText::default(),
        description: LocalizedText::default(),
        on: SubjectKind::Item,
        when: String::new(),
        valid_days: 0,
        severity: TagSeverity::Medium,
        legal_basis: "WTO Trade Facilitation Agreement, Article 7.4".to_owned(),
        inspection_hint: LocalizedText::default(),
    }
}

/// The form with what was written, and what is wrong with it.
fn form(visit: &Visit, tag: &OwnTag, names: &[String], refused: Option<&Error>) -> Markup {
    let title = visit.say(texts::WRITE_TAG);
    let again = "load, input delay:400ms from:#when, change from:#on, change from:#valid-days";
    let content = html! {
        (crumbs(visit, &[("/tags", visit.say(texts::TAGS)), (PATH, visit.say(texts::OWN_TAGS))]))
        (heading(title, &html! { (visit.say(texts::WRITE_TAG_HELP)) }, &html! {}))
        @if let Some(error) = refused { div class="notice bad" role="alert" { pre class="marked" { (error.detail) } p { (error.how_to_fix) } } }
        form class="tag-editor" method="post" action=(PATH) {
            (csrf(visit))
            div class="columns" {
                section { (condition(visit, tag, names)) }
                section aria-label=(visit.say(texts::TRIED_ON_HISTORY)) {
                    h2 { (visit.say(texts::TRIED_ON_HISTORY)) }
                    div class="tried" aria-live="polite" hx-get="/own-tags/preview" hx-include="#when, #on, #valid-days" hx-trigger=(again) hx-sync="this:replace" {
                        p class="soft" { (visit.say(texts::TRIED_AS_WRITTEN)) }
                    }
                }
            }
            (described(visit, tag))
            button class="primary" { (visit.say(texts::PROPOSE_TAG)) }
            p class="help" { (visit.say(texts::FOUR_EYES_TAG)) }
        }
    };
    Page::new(visit, Room::Tags, title).show(&content)
}

/// The condition and what carries the tag.
fn condition(visit: &Visit, tag: &OwnTag, names: &[String]) -> Markup {
    html! {
        h2 { label for="when" { (visit.say(texts::CONDITION)) } }
        textarea id="when" name="when" rows="4" required maxlength="2000" spellcheck="false" autocapitalize="none" class="code" placeholder="commodity_code.startsWith(\"8703\") && net_mass < 500" { (tag.when) }
        (names_help(visit, names))
        div class="settings" {
            label { (visit.say(texts::ON_WHAT)) select id="on" name="on" {
                @for kind in [SubjectKind::Item, SubjectKind::Declaration, SubjectKind::Enterprise, SubjectKind::Route] {
                    option value=(subject(kind)) selected[kind == tag.on] { (visit.named("subject", subject(kind))) }
                }
            } }
            label { (visit.say(texts::VALID_DAYS)) input id="valid-days" name="valid_days" type="number" min="0" max="3650" value=(tag.valid_days); }
            label { (visit.say(texts::WEIGHT)) select name="severity" {
                @for weight in [TagSeverity::Low, TagSeverity::Medium, TagSeverity::High] {
                    option value=(weight.name()) selected[weight == tag.severity] { (visit.named("severity", weight.name())) }
                }
            } }
        }
    }
}

/// What people read of it.
fn described(visit: &Visit, tag: &OwnTag) -> Markup {
    html! {
        div class="described" {
            label { (visit.say(texts::ID))
                input id="id" name="id" value=(tag.id) required maxlength="64" pattern="[a-z][a-z0-9_]*" autocomplete="off" spellcheck="false" aria-describedby="id-help";
                span class="help" id="id-help" { (visit.say(texts::TAG_ID_HELP)) }
            }
            label { (visit.say(texts::LEGAL_BASIS)) input id="legal-basis" name="legal_basis" value=(tag.legal_basis) required maxlength="500" autocomplete="off"; }
            (text(visit, "title", visit.say(texts::TITLE), &tag.title, true))
            (text(visit, "hint", visit.say(texts::INSPECTION_HINT), &tag.inspection_hint, true))
            (text(visit, "description", visit.say(texts::WHY), &tag.description, false))
        }
    }
}

fn names_help(visit: &Visit, names: &[String]) -> Markup {
    html! {
        details class="names" {
            summary { (visit.fill(texts::NAMES_TO_READ, &[("n", &names.len().to_string())])) }
            p { @for name in names { code { (name) } " " } }
        }
    }
}

/// A text in English and Chinese.
fn text(visit: &Visit, name: &str, word: &str, own: &LocalizedText, required: bool) -> Markup {
    html! {
        @for (language, needed) in [(Language::En, true), (Language::Zh, required)] {
            @let id = format!("{name}-{}", language.code());
            label { span { (word) " (" (language.own_name()) ")" @if !needed { " " span class="soft" { (visit.say(texts::OPTIONAL)) } } }
                input id=(id) name=(format!("{name}_{}", language.code())) value=(own.0.get(&language).map_or("", String::as_str)) required[needed] maxlength="500" autocomplete="off" lang=(language.code());
            }
        }
    }
}

/// What a condition would have marked, while it is written.
pub(crate) async fn preview(visit: Visit, Asked(draft): Asked<TagDraft>) -> Result<Markup, Failure> {
    if draft.when.trim().is_empty() {
        visit.require(Permission::ManagePlans)?;
        return Ok(html! { p class="soft" { (visit.say(texts::TRIED_AS_WRITTEN)) } });
    }
    let found = visit
        .work(move |house, reader| match house.preview_tag(reader, &draft) {
            Err(error) if error.code != "tag_condition_refused" => Err(error),
            found => Ok(found),
        })
        .await?;
    Ok(match found {
        Ok(found) => tried(&visit, &found),
        Err(error) => {
            html! { div class="notice bad" role="status" { pre class="marked" { (error.detail) } } }
        }
    })
}

fn tried(visit: &Visit, found: &TagPreview) -> Markup {
    let rows = |n: u64| count(n);
    html! {
        p class="lead" {
            (visit.fill(texts::WOULD_HAVE_MARKED, &[("n", &rows(found.carrying)), ("all", &rows(found.entries))]))
            " " span class="soft" { (percent(found.carrying, found.entries)) } " " (simulated(visit, found.simulated > 0))
        }
        (facts(&[
            (visit.say(texts::INSPECTED_OF_THESE), html! { (count(found.hits.inspected)) }),
            (visit.say(texts::FOUND_IRREGULAR), html! { (count(found.hits.irregular)) }),
            (visit.say(texts::NOBODY_KNOWS), html! { (count(found.outcome_unknown)) }),
            (visit.say(texts::HIT_RATE), html! { @if found.hits.inspected == 0 { (visit.say(texts::NONE_INSPECTED)) } @else { (rate_text(visit, &found.hits)) } }),
            (visit.say(texts::HIT_RATE_OF_ALL), rate_text(visit, &found.all)),
            (visit.say(texts::CANNOT_BE_TOLD), html! { (count(found.cannot_tell)) }),
        ]))
        @if found.older_left_out { p class="help" { (visit.say(texts::OLDER_LEFT_OUT)) } }
        @if !found.rows.is_empty() {
            h3 { (visit.say(texts::LATEST_MARKED)) }
            ul class="plain" { @for reason in &found.rows { li { (values_read(visit, reason)) } } }
        }
    }
}

/// Proposes what was written; what is refused comes back with the form.
pub(crate) async fn propose(visit: Visit, posted: Posted) -> Result<Response, Failure> {
    visit.require(Permission::ManagePlans)?;
    let tag = written(&posted)?;
    let asked = tag.clone();
    let proposed = visit
        .work(move |house, reader| match house.propose_tag(reader, asked) {
            Err(error) if error.code == "tag_refused" => Ok(Err((error, house.names_in_conditions(reader)?))),
            Err(error) => Err(error),
            Ok(_) => Ok(Ok(())),
        })
        .await?;
    Ok(match proposed {
        Ok(()) => Redirect::to(PATH).into_response(),
        Err((error, names)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, form(&visit, &tag, &names, Some(&error))).into_response()
        }
    })
}

fn written(posted: &Posted) -> Result<OwnTag, Failure> {
    let text = |name: &str| {
        let own = [Language::En, Language::Zh].into_iter().filter_map(|language| {
            let written = posted.filled(&format!("{name}_{}", language.code()))?;
            Some((language, written.to_owned()))
        });
        LocalizedText(own.collect())
    };
    let expected = |field: &str, words: &str| {
        let found: String = posted.text(field).chars().take(40).collect();
        Failure::from(Error::new(
            Kind::Invalid,
            "value_unknown",
            format!("\"{found}\" in the field \"{field}\" is none of those there are"),
            words,
        ))
    };
    let days = posted.filled("valid_days").unwrap_or("0");
    Ok(OwnTag {
        id: posted.text("id").trim().to_owned(),
        title: text("title"),
        description: text("description"),
        on: kind_of(posted.text("on"))
            .ok_or_else(|| expected("on", "Choose item, declaration, enterprise or route."))?,
        when: posted.text("when").trim().to_owned(),
        valid_days: days
            .parse()
            .map_err(|_| expected("valid_days", "Write a whole number of days, such as 90."))?,
        severity: weight_of(posted.text("severity"))
            .ok_or_else(|| expected("severity", "Choose low, medium or high."))?,
        legal_basis: posted.text("legal_basis").trim().to_owned(),
        inspection_hint: text("hint"),
    })
}

fn kind_of(name: &str) -> Option<SubjectKind> {
    [SubjectKind::Item, SubjectKind::Declaration, SubjectKind::Enterprise, SubjectKind::Route]
        .into_iter()
        .find(|kind| subject(*kind) == name)
}

fn weight_of(name: &str) -> Option<TagSeverity> {
    [TagSeverity::Low, TagSeverity::Medium, TagSeverity::High]
        .into_iter()
        .find(|weight| weight.name() == name)
}

/// Proposes that a tag goes.
pub(crate) async fn remove(visit: Visit, posted: Posted) -> Result<Redirect, Failure> {
    let id = posted.text("id").to_owned();
    visit.work(move |house, reader| house.propose_tag_removal(reader, &id)).await?;
    Ok(Redirect::to(PATH))
}

/// Approves a proposal.
pub(crate) async fn approve(
    visit: Visit,
    Path(number): Path<u64>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    visit.work(move |house, reader| house.approve_tag(reader, number)).await?;
    Ok(Redirect::to(PATH))
}

/// Declines a proposal, or takes it back.
pub(crate) async fn decline(
    visit: Visit,
    Path(number): Path<u64>,
    posted: Posted,
) -> Result<Redirect, Failure> {
    let why = posted.text("why").to_owned();
    visit.work(move |house, reader| house.decline_tag(reader, number, &why)).await?;
    Ok(Redirect::to(PATH))
}
