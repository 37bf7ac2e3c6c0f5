//! A declaration handed in as a file.

use axum::extract::Multipart;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use customhouse::declarations::{Channel, LodgeRequest};
use customhouse::identity::Permission;
use customhouse::{Error, Kind};
use maud::{Markup, html};

use crate::api::lodge_and_wait;
use crate::failure::Failure;
use crate::shell::{Page, Room, sentence};
use crate::view::{crumbs, csrf, heading};
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
    Ok(page(&visit, None))
}

fn page(visit: &Visit, refusal: Option<&Error>) -> Markup {
    let content = html! {
        (crumbs(visit, &[("/own", visit.say(texts::OWN_DECLARATIONS))]))
        (heading(visit.say(texts::OWN_HAND_IN_FILE), &html! { (visit.say(texts::OWN_FILE_TEXT)) }, &html! {}))
        @if let Some(error) = refusal {
            div class="notice bad" role="alert" {
                h2 { (visit.say(texts::OWN_NOT_LODGED)) }
                p { (sentence(&error.detail)) " " strong { (error.how_to_fix) } }
                (super::findings_shown(visit, &error.findings))
                p class="code" { (error.code) }
            }
        }
        form method="post" action="/own/files" enctype="multipart/form-data" class="card stack" {
            (csrf(visit))
            label for="file" { (visit.say(texts::OWN_FILE)) }
            input id="file" type="file" name="file" accept=".json,.xml,application/json,application/xml,text/xml" required aria-describedby="file-help";
            p class="help" id="file-help" { (visit.say(texts::OWN_FILE_HELP)) }
            button class="primary" { (visit.say(texts::OWN_LODGE)) }
            p class="help" { (visit.say(texts::OWN_FILE_ONCE)) }
        }
    };
    Page::new(visit, Room::Own, visit.say(texts::OWN_HAND_IN_FILE)).show(&content)
}

/// Lodges the file.
pub(super) async fn receive(visit: Visit, parts: Multipart) -> Result<Response, Failure> {
    let mut parts = Parts::take(&visit, parts).await?;
    let Some((_, _, bytes)) = parts.files.pop() else {
        let missing =
            Error::new(Kind::Invalid, "file_missing", "no file was chosen", "Choose a JSON or XML file.");
        return Ok((StatusCode::BAD_REQUEST, page(&visit, Some(&missing))).into_response());
    };
    let reader = visit.reader()?;
    let request = LodgeRequest { bytes, form: None, channel: Channel::File };
    match lodge_and_wait(&visit, &reader, request).await {
        Ok(receipt) => {
            let position = receipt.position;
            visit
                .work(move |house, _| {
                    // Late is no failure: the list shows it a moment later.
                    let _ = house.wait_until_shown(position, super::SHOWN_WITHIN);
                    Ok(())
                })
                .await?;
            Ok(Redirect::to(&format!("/own/{}/receipt", receipt.mrn)).into_response())
        }
        Err(error) if error.kind == Kind::Internal => Err(error.into()),
        Err(error) => {
            let status = Failure::from(error.clone()).status();
            Ok((status, page(&visit, Some(&error))).into_response())
        }
    }
}
