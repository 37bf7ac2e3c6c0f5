//! A file handed in: a declaration, which is lodged, or a message about one, which is followed or answered.

use axum::extract::Multipart;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::declarations::{Channel, LodgeRequest, MessageAnswer, Received};
use customhouse::identity::Permission;
use customhouse::{Error, Kind};
use maud::{Markup, html};

use crate::api::{entry_summary_elsewhere, lodge_and_wait};
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, csrf, facts, heading};
use crate::visit::Visit;
use crate::words::texts;

/// Longest text of a field of the form.
const FIELD_BYTES_MAX: usize = 16 * 1024;

/// A form with files, taken in whole; the token stands before them.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Fields.
    pub(super) fields: Vec<(String, String)>,
    /// Files: name, media type, bytes.
    pub(super) files: Vec<(String, String, Vec<u8>)>,
}

impl Parts {
    /// Takes a form in; without its token nothing of its files is.
    pub(super) async fn take(visit: &Visit, mut parts: Multipart) -> Result<Self, Failure> {
        visit.require(Permission::Lodge)?;
        let mut taken = Self::default();
        let mut trusted = false;
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let name = part.name().unwrap_or_default().to_owned();
            if let Some(file) = part.file_name().map(str::to_owned) {
                if !trusted {
                    return Err(Failure::stale_form());
                }
                let media_type = part.content_type().unwrap_or("application/octet-stream").to_owned();
                let bytes = part.bytes().await.map_err(broken)?.to_vec();
                if !file.is_empty() || !bytes.is_empty() {
                    taken.files.push((file, media_type, bytes));
                }
                continue;
            }
            let bytes = part.bytes().await.map_err(broken)?;
            let text = String::from_utf8(bytes.to_vec()).ok().filter(|text| text.len() <= FIELD_BYTES_MAX);
            let text =
                text.ok_or_else(|| Failure::unreadable("a field of the form is too long or no text"))?;
            if name == "csrf" {
                visit.check_token(Some(&text))?;
                trusted = true;
            } else {
                taken.fields.push((name, text));
            }
        }
        if trusted { Ok(taken) } else { Err(Failure::stale_form()) }
    }

    /// A field's value, or empty.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
    }
}

fn broken(error: axum::extract::multipart::MultipartError) -> Failure {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return crate::visit::protocol(StatusCode::PAYLOAD_TOO_LARGE);
    }
    Error::new(
        Kind::Invalid,
        "upload_broken_off",
        format!("the file did not come in whole: {error}"),
        "Send it again. Nothing was recorded.",
    )
    .into()
}

/// The form.
pub(super) async fn form(visit: Visit) -> Result<Markup, Failure> {
    visit.require(Permission::Lodge)?;
    Ok(page(&visit, &html! {}))
}

/// The form, below what became of the file before.
fn page(visit: &Visit, answer: &Markup) -> Markup {
    let content = html! {
        (crumbs(visit, &[("/own", visit.say(texts::OWN_DECLARATIONS))]))
        (heading(visit.say(texts::OWN_HAND_IN_FILE), &html! { (visit.say(texts::OWN_FILE_TEXT)) }, &html! {}))
        (answer)
        form method="post" action="/own/files" enctype="multipart/form-data" class="card stack" {
            (csrf(visit))
            label for="file" { (visit.say(texts::OWN_FILE)) }
            input id="file" type="file" name="file" accept=".json,.xml,application/json,application/xml,text/xml" required aria-describedby="file-help";
            p class="help" id="file-help" { (visit.say(texts::OWN_FILE_HELP)) }
            button class="primary" { (visit.say(texts::OWN_SEND_FILE)) }
            p class="help" { (visit.say(texts::OWN_FILE_ONCE)) }
        }
    };
    Page::new(visit, Room::Own, visit.say(texts::OWN_HAND_IN_FILE)).show(&content)
}

/// Why nothing was taken in.
fn refusal(visit: &Visit, error: &Error) -> Markup {
    html! {
        div class="notice bad" role="alert" {
            h2 { (visit.say(texts::OWN_FILE_REFUSED)) }
            (super::error_words(visit, error))
            (super::findings_shown(visit, &error.findings))
            p class="code" { (error.code) }
        }
    }
}

/// What became of a message about declarations.
fn followed(visit: &Visit, answer: &MessageAnswer) -> Markup {
    let request = visit.named("request", &answer.request);
    let (class, said) =
        if answer.followed { ("good", texts::OWN_FOLLOWED) } else { ("bad", texts::OWN_NOT_FOLLOWED) };
    let declarations = html! {
        @if answer.declarations.is_empty() { (absent()) }
        @for mrn in &answer.declarations { div { a href={ "/own/" (mrn) } { code { (mrn) } } } }
    };
    let reference = html! { @match &answer.reference { Some(reference) => (reference), None => (absent()) } };
    html! {
        div class={ "notice " (class) } role=(if answer.followed { "status" } else { "alert" }) {
            h2 { (request) ": " (visit.say(said)) }
            @if answer.repeated { p { (visit.say(texts::OWN_FOLLOWED_BEFORE)) } }
            (super::findings_shown(visit, &answer.findings))
        }
        (facts(&[
            (visit.say(texts::KIND), html! { (request) }),
            (visit.say(texts::OWN_REFERENCE), reference),
            (visit.say(texts::OWN_ABOUT), declarations),
        ]))
    }
}

/// Takes the file in.
pub(super) async fn receive(visit: Visit, parts: Multipart) -> Result<Response, Failure> {
    let mut parts = Parts::take(&visit, parts).await?;
    let taken = match parts.files.pop() {
        Some((_, _, bytes)) => take(&visit, bytes).await,
        None => {
            Err(Error::new(Kind::Invalid, "file_missing", "no file was chosen", "Choose a JSON or XML file.")
                .into())
        }
    };
    match taken {
        Err(failure) => refused(&visit, failure),
        answered => answered,
    }
}

/// What was wrong with a file stands on its page; what was wrong here does not.
fn refused(visit: &Visit, failure: Failure) -> Result<Response, Failure> {
    match &failure {
        Failure::Refused(error) if error.kind != Kind::Internal => {
            Ok((failure.status(), page(visit, &refusal(visit, error))).into_response())
        }
        _ => Err(failure),
    }
}

/// Lodges a declaration; follows any other message.
async fn take(visit: &Visit, bytes: Vec<u8>) -> Result<Response, Failure> {
    let (received, bytes) =
        visit.work(move |house, reader| Ok((house.receive_message(reader, &bytes)?, bytes))).await?;
    match received {
        Received::Declaration(form) => {
            let request = LodgeRequest { bytes, form: Some(form), channel: Channel::File };
            let receipt = lodge_and_wait(visit, &visit.reader()?, request).await?;
            shown(visit, receipt.position).await?;
            Ok(Redirect::to(&format!("/own/{}/receipt", receipt.mrn)).into_response())
        }
        Received::EntrySummary => Err(entry_summary_elsewhere().into()),
        Received::Followed(answer) => {
            shown(visit, answer.position).await?;
            let status = if answer.followed { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            Ok((status, page(visit, &followed(visit, &answer))).into_response())
        }
    }
}

/// Waits until pages show it. Late is no failure: they do a moment later.
async fn shown(visit: &Visit, position: u64) -> Result<(), Failure> {
    visit
        .work(move |house, _| {
            let _ = house.wait_until_shown(position, super::SHOWN_WITHIN);
            Ok(())
        })
        .await
}
