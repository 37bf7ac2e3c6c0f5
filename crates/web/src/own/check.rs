//! A message checked before it is sent: what the public rules say of it, each finding beside the element it is about.
//! Nothing is lodged and nothing kept.

use axum::extract::Multipart;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use customhouse::identity::Permission;
use customhouse::precheck::{CheckedFile, FileFinding};
use customhouse::{Error, Kind};
use maud::{Markup, html};
use spine::Severity;

use super::file::Parts;
use super::finding_words;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, csrf, facts, heading, severity};
use crate::visit::Visit;
use crate::words::{count, texts};

/// The form.
pub(super) async fn form(visit: Visit) -> Result<Markup, Failure> {
    visit.require(Permission::Lodge)?;
    Ok(page(&visit, None))
}

/// Checks the file.
pub(super) async fn receive(visit: Visit, parts: Multipart) -> Result<Response, Failure> {
    let mut parts = Parts::take(&visit, parts).await?;
    let Some((name, _, bytes)) = parts.files.pop() else {
        let missing =
            Error::new(Kind::Invalid, "file_missing", "no file was chosen", "Choose a JSON or XML file.");
        return Ok((StatusCode::BAD_REQUEST, page(&visit, Some(("", &Err(missing))))).into_response());
    };
    let checked = visit.work(move |house, reader| Ok(house.check_file(reader, &bytes))).await?;
    let status = match &checked {
        Err(error) if error.kind == Kind::Internal => return Err(error.clone().into()),
        Err(error) => Failure::from(error.clone()).status(),
        Ok(_) => StatusCode::OK,
    };
    Ok((status, page(&visit, Some((&name, &checked)))).into_response())
}

fn page(visit: &Visit, checked: Option<(&str, &Result<CheckedFile, Error>)>) -> Markup {
    let title = visit.say(texts::OWN_CHECK_FILE);
    let content = html! {
        (crumbs(visit, &[("/own", visit.say(texts::OWN_DECLARATIONS))]))
        (heading(title, &html! { (visit.say(texts::OWN_CHECK_TEXT)) }, &html! {}))
        @match checked {
            Some((name, Ok(file))) => (outcome(visit, name, file)),
            Some((_, Err(error))) => div class="notice bad" role="alert" {
                (super::error_words(visit, error))
                p class="code" { (error.code) }
            },
            None => {},
        }
        form method="post" action="/own/check/file" enctype="multipart/form-data" class="card stack" {
            (csrf(visit))
            label for="file" { (visit.say(texts::OWN_CHECK_MESSAGE)) }
            input id="file" type="file" name="file" accept=".json,.xml,application/json,application/xml,text/xml" required aria-describedby="file-help";
            p class="help" id="file-help" { (visit.say(texts::OWN_CHECK_HELP)) }
            button class="primary" { (visit.say(texts::OWN_CHECK)) }
        }
    };
    Page::new(visit, Room::Own, title).show(&content)
}

fn outcome(visit: &Visit, name: &str, file: &CheckedFile) -> Markup {
    let errors = file.findings.iter().filter(|own| own.finding.severity == Severity::Error).count();
    let (class, said) = if file.acceptable {
        ("good", visit.say(texts::OWN_CHECK_GOOD).to_owned())
    } else {
        ("bad", visit.fill(texts::OWN_CHECK_BAD, &[("n", &errors.to_string())]))
    };
    let rules = html! {
        @if file.checked_by.is_empty() { (absent()) }
        @for by in &file.checked_by {
            div { (by.pack) " " (by.version) " · " (visit.fill(texts::OWN_CHECK_RULES, &[("n", &by.rules.to_string())])) }
            @if by.rules_not_asked > 0 {
                div class="soft" { (visit.fill(texts::OWN_CHECK_NOT_ASKED, &[("n", &by.rules_not_asked.to_string()), ("lists", &by.lists_missing.join(", "))])) }
            }
            @if by.rules_of_xml > 0 {
                div class="soft" { (visit.fill(texts::OWN_CHECK_OF_XML, &[("n", &by.rules_of_xml.to_string())])) }
            }
        }
    };
    let pairs = [
        (visit.say(texts::OWN_CHECK_MESSAGE), html! { (name) }),
        (
            visit.say(texts::KIND),
            html! { (visit.named("message", file.kind.name())) " " code { (file.document) } },
        ),
        (
            visit.say(texts::OWN_REFERENCE),
            html! { @match &file.reference { Some(reference) => (reference), None => (absent()) } },
        ),
        (visit.say(texts::OWN_CHECKED_BY), rules),
        (
            visit.say(texts::OWN_CHECK_SCHEMA),
            html! { @match &file.schema { Some(by) => { (by.pack) " " (by.version) }, None => (visit.say(texts::OWN_CHECK_NO_SCHEMA)) } },
        ),
    ];
    html! {
        div class={ "notice " (class) } role="status" { p { strong { (said) } } }
        (facts(&pairs))
        @if !file.findings.is_empty() {
            ol class="placed" aria-label=(visit.say(texts::OWN_NOTICED)) { @for own in &file.findings { (placed(visit, own)) } }
            @if file.findings_total > file.findings.len() {
                p class="help" { (visit.fill(texts::OWN_CHECK_MORE, &[("n", &count(u64::try_from(file.findings_total).unwrap_or(u64::MAX)))])) }
            }
        }
    }
}

/// One finding with the line it is about.
fn placed(visit: &Visit, own: &FileFinding) -> Markup {
    let finding = &own.finding;
    html! {
        li {
            div class="said" {
                (severity(visit, finding.severity)) " "
                @match &own.words {
                    Some((message, fix)) => {
                        (message.in_language(visit.language())) " "
                        strong { (fix.in_language(visit.language())) } " "
                        span class="code" { (finding.code) }
                    },
                    None => (finding_words(visit, finding)),
                }
            }
            @if let Some(excerpt) = &own.excerpt {
                pre class="excerpt" tabindex="0" {
                    span class="line-number" { (excerpt.line) } (excerpt.before) mark { (excerpt.element) } (excerpt.after)
                }
            }
            @if let Some(code) = own.validation_code.as_ref().filter(|_| own.published_text.is_some() || own.wco_pointer.is_some()) {
                p class="soft" {
                    code { (code) } " "
                    @if let Some(place) = &own.wco_pointer { code { (place) } " " }
                    @if let Some(text) = &own.published_text { span lang="en" { (text) } }
                }
            }
            p class="soft" {
                @if !finding.pointer.0.is_empty() { code { (finding.pointer) } " " }
                @if own.excerpt.as_ref().is_some_and(|excerpt| !excerpt.exact) { (visit.say(texts::OWN_CHECK_MISSING)) " " }
                @if let Some(basis) = &own.legal_basis { (basis) }
            }
        }
    }
}
