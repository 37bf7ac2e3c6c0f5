//! The form in which a declaration is written: kept as it is typed, checked before it is lodged. Everything works
//! without scripts; with them it is kept by itself.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::declarations::{Channel, Draft, Form, LodgeRequest};
use customhouse::identity::Permission;
use customhouse::{Error, Kind};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;
use spine::{Finding, Severity};

use super::fields::{Field, HEAD, ITEM, ITEMS_MAX, Input, Typed, VALUE_CHARACTERS_MAX, field_of, item_name};
use crate::api::lodge_and_wait;
use crate::failure::Failure;
use crate::shell::{Page, Room, sentence};
use crate::view::{crumbs, csrf, heading};
use crate::visit::{Asked, Posted, Visit};
use crate::words::texts;

/// What the form is shown with.
#[derive(Debug, Default)]
struct Shown {
    draft: Option<String>,
    saved_at: Option<Timestamp>,
    /// Was it checked, and what was found?
    checked: Option<Vec<Finding>>,
    refusal: Option<Error>,
    offices: Vec<String>,
}

/// An empty form. It becomes a draft with the first thing that is typed.
pub(super) async fn begin(visit: Visit) -> Result<Markup, Failure> {
    visit.require(Permission::Lodge)?;
    let typed = Typed::begun(visit.reader()?.party.as_deref());
    let offices = visit.work(|house, _| house.offices()).await?;
    Ok(page(&visit, &typed, &Shown { offices, ..Shown::default() }))
}

/// Whether a draft is shown with what would be found in it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct DraftQuery {
    check: bool,
}

/// A draft, as it was left.
pub(super) async fn resume(
    visit: Visit,
    Path(id): Path<String>,
    Asked(asked): Asked<DraftQuery>,
) -> Result<Markup, Failure> {
    let (typed, shown) = visit
        .work(move |house, reader| {
            let draft = house.draft(reader, &id)?;
            let typed = Typed { fields: draft.fields };
            let mut shown = Shown {
                draft: Some(id),
                saved_at: Some(draft.saved_at),
                offices: house.offices()?,
                ..Shown::default()
            };
            if asked.check {
                shown.checked = Some(house.check_declaration(reader, &typed.declaration(), Form::Json)?);
            }
            Ok((typed, shown))
        })
        .await?;
    Ok(page(&visit, &typed, &shown))
}

/// Throws a draft away.
pub(super) async fn discard(
    visit: Visit,
    Path(id): Path<String>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    visit.work(move |house, reader| house.discard_draft(reader, &id)).await?;
    Ok(Redirect::to("/own"))
}

/// What a form without a draft says is to be done.
pub(super) async fn first(visit: Visit, headers: HeaderMap, posted: Posted) -> Result<Response, Failure> {
    act(visit, String::new(), &headers, posted).await
}

/// What the form of a draft says is to be done.
pub(super) async fn go_on(
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Failure> {
    act(visit, id, &headers, posted).await
}

async fn act(visit: Visit, id: String, headers: &HeaderMap, posted: Posted) -> Result<Response, Failure> {
    visit.require(Permission::Lodge)?;
    let mut typed = Typed::of(&posted.0);
    let to_do = posted.text("do").to_owned();
    match to_do.as_str() {
        "lodge" => return lodge(visit, id, typed).await,
        "add" => typed.add_item(),
        other => {
            if let Some(item) = other.strip_prefix("remove-").and_then(|item| item.parse().ok()) {
                typed.remove_item(item);
            }
        }
    }
    let draft = save(&visit, id, typed.fields.clone()).await?;
    let place = format!("/own/drafts/{}", draft.id);
    if headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == b"application/json") {
        return Ok(Json(json!({ "place": place, "saved_at": draft.saved_at })).into_response());
    }
    let part = match to_do.as_str() {
        "check" => "?check=true".to_owned(),
        "add" => format!("#item-{}", typed.items()),
        _ => String::new(),
    };
    Ok(Redirect::to(&format!("{place}{part}")).into_response())
}

async fn save(visit: &Visit, id: String, fields: BTreeMap<String, String>) -> Result<Draft, Failure> {
    visit.work(move |house, reader| house.save_draft(reader, &id, fields)).await
}

fn wrong(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// Lodges what is written, unless it would be rejected: then the form shows why, and nothing is recorded.
async fn lodge(visit: Visit, id: String, typed: Typed) -> Result<Response, Failure> {
    let bytes = typed.declaration();
    let to_check = bytes.clone();
    let findings =
        visit.work(move |house, reader| house.check_declaration(reader, &to_check, Form::Json)).await?;
    if wrong(&findings) {
        let draft = save(&visit, id, typed.fields).await?;
        return Ok(Redirect::to(&format!("/own/drafts/{}?check=true", draft.id)).into_response());
    }
    let reader = visit.reader()?;
    let request = LodgeRequest { bytes, form: Some(Form::Json), channel: Channel::Form };
    match lodge_and_wait(&visit, &reader, request).await {
        Ok(receipt) => {
            let position = receipt.position;
            visit
                .work(move |house, reader| {
                    // Late is no failure: the list shows it a moment later.
                    let _ = house.wait_until_shown(position, super::SHOWN_WITHIN);
                    house.discard_draft(reader, &id)
                })
                .await?;
            Ok(Redirect::to(&format!("/own/{}/receipt", receipt.mrn)).into_response())
        }
        Err(error) if matches!(error.kind, Kind::Conflict | Kind::Busy | Kind::Refused) => {
            let draft = save(&visit, id, typed.fields.clone()).await?;
            let offices = visit.work(|house, _| house.offices()).await?;
            let status = Failure::from(error.clone()).status();
            let shown = Shown {
                draft: Some(draft.id),
                saved_at: Some(draft.saved_at),
                refusal: Some(error),
                offices,
                checked: None,
            };
            Ok((status, page(&visit, &typed, &shown)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn page(visit: &Visit, typed: &Typed, shown: &Shown) -> Markup {
    let action =
        shown.draft.as_ref().map_or_else(|| "/own/drafts".to_owned(), |id| format!("/own/drafts/{id}"));
    let title = visit.say(texts::OWN_NEW);
    let file = html! { a class="button" href="/own/file" { (visit.say(texts::OWN_HAND_IN_FILE)) } };
    let content = html! {
        (crumbs(visit, &[("/own", visit.say(texts::OWN_DECLARATIONS))]))
        (heading(title, &html! { (visit.say(texts::OWN_NEW_TEXT)) }, &file))
        (summary(visit, shown))
        form method="post" action=(action) class="declaration" data-draft=(shown.draft.as_deref().unwrap_or_default()) novalidate {
            (csrf(visit))
            input type="hidden" name="items" value=(typed.items());
            // What the Enter key in a field does: keep, and nothing else.
            button class="unseen" name="do" value="save" tabindex="-1" aria-hidden="true" { (visit.say(texts::OWN_SAVE)) }
            @for (word, fields) in HEAD {
                fieldset class="card" {
                    legend { (visit.say(word)) }
                    div class="fields" { @for field in fields { (field_shown(visit, field, field.name, typed, shown)) } }
                }
            }
            @for item in 1..=typed.items() { (item_shown(visit, item, typed, shown)) }
            p class="actions" {
                @if typed.items() < ITEMS_MAX { button name="do" value="add" { (visit.say(texts::OWN_ADD_ITEM)) } }
                @else { span class="soft" { (visit.fill(texts::OWN_ITEMS_AT_MOST, &[("n", &ITEMS_MAX.to_string())])) } }
            }
            (foot(visit, shown))
        }
    };
    Page::new(visit, Room::OwnNew, title).with_script("draft.js").show(&content)
}

/// Whether it is kept, and what can be done with it.
fn foot(visit: &Visit, shown: &Shown) -> Markup {
    html! {
        div class="foot" {
            p class="saved" role="status" data-saved
                data-saved-at=(visit.say(texts::OWN_SAVED_AT))
                data-saving=(visit.say(texts::OWN_SAVING))
                data-not-saved=(visit.say(texts::OWN_NOT_SAVED))
                data-signed-out=(visit.say(texts::OWN_SIGNED_OUT))
            {
                @match shown.saved_at {
                    Some(at) => (visit.fill(texts::OWN_SAVED_AT, &[("time", &at.strftime("%H:%M:%S UTC").to_string())])),
                    None => (visit.say(texts::OWN_NOTHING_TYPED)),
                }
            }
            div class="actions" {
                button name="do" value="save" { (visit.say(texts::OWN_SAVE)) }
                button name="do" value="check" { (visit.say(texts::OWN_CHECK)) }
                button class="primary" name="do" value="lodge" { (visit.say(texts::OWN_LODGE)) }
            }
        }
        p class="help" { (visit.say(texts::OWN_LODGE_HELP)) }
    }
}

/// What was found, with ways to the fields.
fn summary(visit: &Visit, shown: &Shown) -> Markup {
    html! {
        @if let Some(error) = &shown.refusal {
            div class="notice bad" role="alert" {
                h2 { (visit.say(texts::OWN_NOT_LODGED)) }
                p { (sentence(&error.detail)) " " strong { (error.how_to_fix) } }
                (super::findings_shown(visit, &error.findings))
                p class="code" { (error.code) }
            }
        }
        @match shown.checked.as_deref() {
            Some([]) => div class="notice good" role="status" { h2 { (visit.say(texts::OWN_CHECKED_WELL)) } p { (visit.say(texts::OWN_CHECKED_WELL_TEXT)) } },
            Some(findings) => {
                div class={ "notice " (if wrong(findings) { "bad" } else { "warn" }) } role="alert" {
                    h2 { (visit.say(if wrong(findings) { texts::OWN_TO_CORRECT } else { texts::OWN_TO_LOOK_AT })) }
                    ul class="findings" {
                        @for finding in findings {
                            li {
                                @match field_of(finding) {
                                    Some(field) => a href={ "#" (field) } {
                                        @if let Some((item, _)) = field.split_once('.') { (visit.fill(texts::OWN_ITEM, &[("n", item)])) ": " }
                                        (super::finding_words(visit, finding))
                                    },
                                    None => { (super::finding_words(visit, finding)) " " span class="soft" { (finding.pointer) } },
                                }
                            }
                        }
                    }
                }
            },
            None => {},
        }
    }
}

fn item_shown(visit: &Visit, item: usize, typed: &Typed, shown: &Shown) -> Markup {
    let number = item.to_string();
    html! {
        fieldset class="card" id={ "item-" (item) } {
            legend { (visit.fill(texts::OWN_ITEM, &[("n", &number)])) }
            div class="fields" {
                @for field in ITEM { (field_shown(visit, field, &item_name(item, field.name), typed, shown)) }
            }
            @if typed.items() > 1 {
                p class="actions" { button name="do" value={ "remove-" (item) } { (visit.fill(texts::OWN_REMOVE_ITEM, &[("n", &number)])) } }
            }
        }
    }
}

fn field_shown(visit: &Visit, field: &Field, name: &str, typed: &Typed, shown: &Shown) -> Markup {
    let found: Vec<&Finding> =
        shown.checked.iter().flatten().filter(|finding| field_of(finding).as_deref() == Some(name)).collect();
    let bad = found.iter().any(|finding| finding.severity == Severity::Error);
    let help = field.help.map(|_| format!("{name}-help"));
    let told = (!found.is_empty()).then(|| format!("{name}-found"));
    let described = [&help, &told].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let described = (!described.is_empty()).then_some(described);
    html! {
        div class={ "field" @if bad { " wrong" } @if field.wide { " wide" } } {
            label for=(name) {
                (visit.say(field.label))
                @if !field.wanted { " " span class="required" { (visit.say(texts::OWN_OPTIONAL)) } }
            }
            @if let (Some(help), Some(id)) = (field.help, &help) { p class="help" id=(id) { (visit.say(help)) } }
            @if let Some(id) = &told {
                ul class="findings" id=(id) { @for finding in &found { li { (super::finding_words(visit, finding)) } } }
            }
            (input(visit, field, name, typed.value(name), bad, described.as_deref(), shown))
        }
    }
}

fn input(
    visit: &Visit,
    field: &Field,
    name: &str,
    value: &str,
    bad: bool,
    described: Option<&str>,
    shown: &Shown,
) -> Markup {
    let invalid = bad.then_some("true");
    match field.input {
        Input::Choice(choices) => html! {
            select id=(name) name=(name) aria-invalid=[invalid] aria-describedby=[described] {
                @if !field.wanted { option value="" selected[value.is_empty()] { "–" } }
                @for (own, word) in choices {
                    option value=(own) selected[*own == value] { (visit.named("own", word)) }
                }
                // What came from elsewhere stays as it is.
                @if !value.is_empty() && choices.iter().all(|(own, _)| *own != value) { option value=(value) selected { (value) } }
            }
        },
        Input::Day => html! {
            input id=(name) name=(name) type="date" value=(value) aria-invalid=[invalid] aria-describedby=[described];
        },
        Input::Number => html! {
            input id=(name) name=(name) value=(value) inputmode="decimal" autocomplete="off" maxlength=(VALUE_CHARACTERS_MAX) aria-invalid=[invalid] aria-describedby=[described];
        },
        Input::Text => html! {
            input id=(name) name=(name) value=(value) autocomplete="off" maxlength=(VALUE_CHARACTERS_MAX) aria-invalid=[invalid] aria-describedby=[described];
        },
        Input::Office => html! {
            input id=(name) name=(name) value=(value) list="offices" autocomplete="off" maxlength=(VALUE_CHARACTERS_MAX) aria-invalid=[invalid] aria-describedby=[described];
            datalist id="offices" { @for office in &shown.offices { option value=(office) {} } }
        },
    }
}
