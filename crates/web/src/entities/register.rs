//! Files of the register of traders and of lists: which came in, and sending another.

use axum::extract::Multipart;
use axum::response::Redirect;
use customhouse::entities::RegisterFileReceived;
use customhouse::identity::Permission;
use customhouse::{Error, Kind};
use maud::{Markup, html};

use crate::failure::Failure;
use crate::pool::{broken, small, take_in};
use crate::view::{csrf, simulated, table, th};
use crate::visit::Visit;
use crate::words::{count, minute, texts};

/// Largest body: a file at its limit, and the form around it.
pub(crate) const REGISTER_BODY_BYTES_MAX: usize = 129 << 20;

/// Files that came in, and the form to send one.
pub(super) fn files(visit: &Visit, files: &[RegisterFileReceived]) -> Markup {
    let head = html! {
        (th(visit, texts::LIST_NAME, false)) (th(visit, texts::RECEIVED, true)) (th(visit, texts::REGISTER_LINES, true)) (th(visit, texts::REGISTER_LEFT_OUT, true))
    };
    let body = html! {
        @for own in files {
            tr {
                td { @match &own.list { Some(list) => (list), None => (visit.say(texts::REGISTER_OF_TRADERS)) } " " (simulated(visit, own.simulated)) }
                td class="number period" { (minute(own.at)) }
                td class="number" { (count(own.lines)) }
                td class={ "number" @if own.left_out > 0 { " late" } } { (count(own.left_out)) }
            }
        }
    };
    html! {
        details class="card" open[files.is_empty()] {
            summary { (visit.say(texts::REGISTERS)) " (" (files.len()) ")" }
            @if !files.is_empty() { (table(visit.say(texts::REGISTERS), &head, &body)) }
            @if visit.may(Permission::AdmitRecords) {
                form method="post" action="/entities/register" enctype="multipart/form-data" class="stack" {
                    (csrf(visit))
                    label for="list" { (visit.say(texts::REGISTER_LIST)) }
                    input id="list" name="list" maxlength="60" autocomplete="off" aria-describedby="list-help";
                    p class="help" id="list-help" { (visit.say(texts::REGISTER_LIST_HELP)) }
                    label for="file" { (visit.say(texts::REGISTER_FILE)) }
                    input id="file" type="file" name="file" accept=".csv,.txt,.tsv" required aria-describedby="file-help";
                    p class="help" id="file-help" { (visit.say(texts::REGISTER_FILE_HELP)) }
                    button { (visit.say(texts::REGISTER_SEND)) }
                }
            }
        }
    }
}

/// Takes a file in, and has it read in the background. The form's token comes before the file.
pub(crate) async fn receive(visit: Visit, mut parts: Multipart) -> Result<Redirect, Failure> {
    visit.require(Permission::AdmitRecords)?;
    let (mut trusted, mut list, mut file) = (false, None, None);
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        match part.name().unwrap_or_default() {
            "csrf" => {
                visit.check_token(Some(&small(part).await?))?;
                trusted = true;
            }
            "list" => list = Some(small(part).await?),
            "file" if trusted => file = take_in(&visit, part).await?,
            "file" => return Err(Failure::stale_form()),
            _ => {}
        }
    }
    let upload = file.filter(|_| trusted).ok_or_else(|| {
        let detail = "no file was chosen";
        Failure::from(Error::new(Kind::Invalid, "file_missing", detail, "Choose a CSV file."))
    })?;
    let job = visit
        .work(move |house, reader| {
            // Its bytes are read before the job begins: what waits on the disk is not needed any more.
            let started = house.start_register(reader, &upload.path, list);
            house.discard_upload(reader, &upload.id)?;
            started
        })
        .await?;
    Ok(crate::jobs::follow(job.id()))
}
