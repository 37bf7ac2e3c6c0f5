//! Sending records: the file comes in, the program proposes what its columns mean, a person checks that, and the
//! admission runs as a job.

use axum::extract::{Multipart, Path};
use axum::response::Redirect;
use customhouse::identity::Permission;
use customhouse::pool::{AdmitRequest, Mapping, Outcomes, Proposal};
use customhouse::uploads::Upload;
use customhouse::{Error, Kind};
use maud::{Markup, html};
use serde::Deserialize;

use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{absent, crumbs, csrf, findings, heading, place, table, th};
use crate::visit::{Asked, Posted, Visit};
use crate::words::{size, texts};

/// Largest body of an upload: a file at its limit, outcomes beside it, and the form around them.
pub(crate) const UPLOAD_BODY_BYTES_MAX: usize = 8 << 30;
/// Longest text of a field of the form.
const FIELD_BYTES_MAX: usize = 4 * 1024;

/// What the page of a waiting file is asked.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ReviewQuery {
    /// The column that says whether something was found.
    #[serde(default)]
    outcome: String,
    /// The upload with outcomes to join.
    #[serde(default)]
    outcomes: String,
    /// The batch whose quarantine the file mends.
    #[serde(default)]
    mends: String,
}

/// The form to send records.
pub(crate) async fn form(visit: Visit) -> Result<Markup, Failure> {
    visit.require(Permission::AdmitRecords)?;
    let content = html! {
        (crumbs(&visit, &[("/pool", visit.say(texts::POOL))]))
        (heading(visit.say(texts::SEND_RECORDS), &html! { (visit.say(texts::SEND_RECORDS_TEXT)) }, &html! {}))
        form method="post" action="/pool/uploads" enctype="multipart/form-data" class="card stack" {
            (csrf(&visit))
            label for="file" { (visit.say(texts::DECLARATIONS_FILE)) }
            input id="file" type="file" name="file" accept=".csv,.txt,.tsv,.parquet" required aria-describedby="file-help";
            p class="help" id="file-help" { (visit.say(texts::DECLARATIONS_FILE_HELP)) }
            label for="outcomes" { (visit.say(texts::OUTCOMES_FILE)) }
            input id="outcomes" type="file" name="outcomes" accept=".csv,.txt,.tsv,.parquet" aria-describedby="outcomes-help";
            p class="help" id="outcomes-help" { (visit.say(texts::OUTCOMES_FILE_HELP)) }
            button class="primary" { (visit.say(texts::NEXT_CHECK_COLUMNS)) }
            p class="help" { (visit.say(texts::NOTHING_YET_ADMITTED)) }
        }
    };
    Ok(Page::new(&visit, Room::Pool, visit.say(texts::SEND_RECORDS)).show(&content))
}

/// What is told where a body ends too early.
pub(crate) fn broken(error: impl std::fmt::Display) -> Failure {
    Error::new(
        Kind::Invalid,
        "upload_broken_off",
        format!("the file did not come in whole: {error}"),
        "Send it again. Nothing was changed.",
    )
    .into()
}

/// Takes the files in. The form's token comes before them; without it nothing is written.
pub(crate) async fn receive(visit: Visit, mut parts: Multipart) -> Result<Redirect, Failure> {
    visit.require(Permission::AdmitRecords)?;
    let mut trusted = false;
    let (mut file, mut outcomes, mut mends) = (None, None, String::new());
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "csrf" => {
                visit.check_token(Some(&small(part).await?))?;
                trusted = true;
            }
            "mends" => mends = small(part).await?,
            "file" | "outcomes" => {
                if !trusted {
                    return Err(Failure::stale_form());
                }
                let upload = take_in(&visit, part).await?;
                if name == "file" { file = upload } else { outcomes = upload }
            }
            _ => {}
        }
    }
    let file = file.filter(|_| trusted).ok_or_else(|| {
        Failure::from(Error::new(
            Kind::Invalid,
            "file_missing",
            "no file was chosen",
            "Choose a CSV or Parquet file.",
        ))
    })?;
    let outcomes = outcomes.map(|upload| upload.id).unwrap_or_default();
    let to = place(&format!("/pool/uploads/{}", file.id), &[("outcomes", &outcomes), ("mends", &mends)]);
    Ok(Redirect::to(&to))
}

/// A field of text.
pub(crate) async fn small(mut part: axum::extract::multipart::Field<'_>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > FIELD_BYTES_MAX {
            return Err(Failure::unreadable("a field of the form is too long"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Failure::unreadable("a field of the form is not UTF-8"))
}

/// Writes one file; `None` where none was chosen.
pub(crate) async fn take_in(
    visit: &Visit,
    mut part: axum::extract::multipart::Field<'_>,
) -> Result<Option<Upload>, Failure> {
    let name = part.file_name().unwrap_or_default().to_owned();
    let reader = visit.reader()?;
    let house = visit.house().clone();
    let mut first = part.chunk().await.map_err(broken)?;
    if name.is_empty() && first.as_ref().is_none_or(|piece| piece.is_empty()) {
        return Ok(None);
    }
    // Pieces are small and go to the disk's cache; a thread for each would cost more than it spares.
    let mut incoming = house.begin_upload(&reader, &name)?;
    while let Some(piece) = first {
        incoming.write(&piece)?;
        first = part.chunk().await.map_err(broken)?;
    }
    Ok(Some(incoming.finish()?))
}

/// What the program makes of the columns, to be checked.
pub(crate) async fn review(
    visit: Visit,
    Path(id): Path<String>,
    Asked(asked): Asked<ReviewQuery>,
) -> Result<Markup, Failure> {
    let (upload, proposal) = visit
        .work({
            let asked = asked.clone();
            move |house, reader| {
                let upload = house.find_upload(reader, &id)?;
                let outcome = Some(asked.outcome.as_str()).filter(|column| !column.is_empty());
                let proposal = house.propose_mapping(reader, &upload.path, None, outcome)?;
                Ok((upload, proposal))
            }
        })
        .await?;
    let content = html! {
        (crumbs(&visit, &[("/pool", visit.say(texts::POOL)), ("/pool/new", visit.say(texts::SEND_RECORDS))]))
        (heading(visit.say(texts::CHECK_COLUMNS), &html! { (upload.name) " · " (size(upload.bytes)) }, &html! {
            form method="post" action={ "/pool/uploads/" (upload.id) "/discard" } class="inline" { (csrf(&visit)) button { (visit.say(texts::DISCARD)) } }
        }))
        p { (visit.say(texts::CHECK_COLUMNS_TEXT)) }
        @if !proposal.findings.is_empty() {
            div class="notice warn" { h2 { (visit.say(texts::DECIDE)) } (findings(&visit, &proposal.findings)) }
        }
        @if asked.mends.is_empty() { (outcome_choice(&visit, &upload, &proposal, &asked)) }
        (mapping_form(&visit, &upload, &proposal, &asked))
        (text_form(&visit, &upload, &proposal, &asked))
    };
    Ok(Page::new(&visit, Room::Pool, visit.say(texts::CHECK_COLUMNS)).show(&content))
}

fn columns_of(proposal: &Proposal) -> Vec<&str> {
    let mut columns: Vec<&str> = proposal
        .fields
        .iter()
        .map(|field| field.column.as_str())
        .chain(proposal.unused_columns.iter().map(String::as_str))
        .filter(|column| !column.is_empty())
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

fn outcome_choice(visit: &Visit, upload: &Upload, proposal: &Proposal, asked: &ReviewQuery) -> Markup {
    html! {
        form class="filters" method="get" action={ "/pool/uploads/" (upload.id) } {
            label {
                (visit.say(texts::OUTCOME_COLUMN))
                select name="outcome" {
                    option value="" { (visit.say(texts::AS_PROPOSED)) }
                    @for column in columns_of(proposal) { option value=(column) selected[asked.outcome == column] { (column) } }
                }
            }
            input type="hidden" name="outcomes" value=(asked.outcomes);
            button { (visit.say(texts::PROPOSE_AGAIN)) }
        }
    }
}

fn hidden(visit: &Visit, asked: &ReviewQuery) -> Markup {
    html! {
        (csrf(visit))
        input type="hidden" name="outcome" value=(asked.outcome);
        input type="hidden" name="outcomes" value=(asked.outcomes);
        input type="hidden" name="mends" value=(asked.mends);
    }
}

fn mapping_form(visit: &Visit, upload: &Upload, proposal: &Proposal, asked: &ReviewQuery) -> Markup {
    let schema = spine::declaration_entry::schema();
    let columns = columns_of(proposal);
    let head = html! {
        (th(visit, texts::FIELD, false)) (th(visit, texts::COLUMN, false)) (th(visit, texts::CONFIDENCE, true))
        (th(visit, texts::REASON, false)) (th(visit, texts::EXAMPLES, false))
    };
    let body = html! {
        @for field in &schema.fields {
            @let proposed = proposal.fields.iter().find(|proposed| proposed.field == field.name);
            @let column = proposal.mapping.fields.get(&field.name).and_then(|mapping| mapping.column.as_deref());
            tr {
                td {
                    label for={ "column-" (field.name) } { (visit.localized(&field.title)) }
                    @if field.required { " " span class="required" { "(" (visit.say(texts::REQUIRED)) ")" } }
                    div class="soft" { code { (field.name) } }
                }
                td {
                    select id={ "column-" (field.name) } name={ "column." (field.name) } {
                        option value="" { "–" }
                        @for name in &columns { option value=(name) selected[column == Some(*name)] { (name) } }
                    }
                }
                td class="number" { @match proposed { Some(proposed) => (format!("{:.0}\u{a0}%", proposed.confidence * 100.0)), None => (absent()) } }
                td { @if let Some(proposed) = proposed { (proposed.reason) } }
                td { @if let Some(proposed) = proposed { (proposed.examples.iter().take(3).cloned().collect::<Vec<_>>().join(", ")) } }
            }
        }
    };
    html! {
        form method="post" action={ "/pool/uploads/" (upload.id) "/admit" } {
            (hidden(visit, asked))
            (table(visit.say(texts::CHECK_COLUMNS), &head, &body))
            @if !proposal.unused_columns.is_empty() {
                p class="soft" { (visit.say(texts::UNUSED_COLUMNS)) ": " (proposal.unused_columns.join(", ")) }
            }
            p class="actions" { button class="primary" { (visit.say(texts::ADMIT)) } span class="help" { (visit.say(texts::ADMIT_HELP)) } }
        }
    }
}

fn text_form(visit: &Visit, upload: &Upload, proposal: &Proposal, asked: &ReviewQuery) -> Markup {
    let text = proposal.to_toml(&spine::declaration_entry::schema());
    html! {
        details class="card" {
            summary { (visit.say(texts::EDIT_AS_TEXT)) }
            form method="post" action={ "/pool/uploads/" (upload.id) "/admit" } class="stack" {
                (hidden(visit, asked))
                label for="toml" { "map.toml" }
                textarea id="toml" name="toml" rows="24" spellcheck="false" class="code" { (text) }
                button class="primary" { (visit.say(texts::ADMIT)) }
            }
        }
    }
}

/// The mapping as the person left it.
fn mapping_of(posted: &Posted, proposal: Proposal) -> Result<Mapping, Error> {
    if let Some(text) = posted.filled("toml") {
        return Mapping::from_toml(text).map_err(|finding| {
            Error::new(Kind::Refused, &finding.code, finding.to_string(), "").with_findings(vec![finding])
        });
    }
    let mut mapping = proposal.mapping;
    for field in &spine::declaration_entry::schema().fields {
        let Some(chosen) = posted.get(&format!("column.{}", field.name)) else { continue };
        let now =
            mapping.fields.get(&field.name).and_then(|mapping| mapping.column.as_deref()).unwrap_or_default();
        if chosen == now {
            continue;
        }
        // What was proposed for another column (a form of dates, a factor) does not hold for this one.
        mapping.fields.remove(&field.name);
        if !chosen.is_empty() {
            mapping.fields.entry(field.name.clone()).or_default().column = Some(chosen.to_owned());
        }
    }
    Ok(mapping)
}

/// Starts the admission.
pub(crate) async fn admit(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Redirect, Failure> {
    let job = visit
        .work(move |house, reader| {
            let upload = house.find_upload(reader, &id)?;
            let proposal = house.propose_mapping(reader, &upload.path, None, posted.filled("outcome"))?;
            let mends = posted.filled("mends").map(str::to_owned);
            let mut uploads = vec![upload.id.clone()];
            let outcomes = match posted.filled("outcomes") {
                None => None,
                Some(id) => {
                    let file = house.find_upload(reader, id)?;
                    uploads.push(file.id.clone());
                    Some(Outcomes::File { file: file.path, mapping: None })
                }
            };
            // The mapping of a mended export is the batch's own, unless somebody wrote another.
            let mapping = match &mends {
                Some(_) if posted.filled("toml").is_none() => None,
                _ => Some(mapping_of(&posted, proposal)?),
            };
            let request = AdmitRequest {
                file_name: Some(upload.name.clone()),
                mapping,
                outcomes,
                mends,
                ..AdmitRequest::new(&upload.path)
            };
            house.start_admission_of_uploads(reader, request, uploads).map(|job| job.id())
        })
        .await?;
    Ok(crate::jobs::follow(job))
}

/// Throws a waiting file away.
pub(crate) async fn discard(
    visit: Visit,
    Path(id): Path<String>,
    _posted: Posted,
) -> Result<Redirect, Failure> {
    visit.work(move |house, reader| house.discard_upload(reader, &id)).await?;
    Ok(Redirect::to("/pool"))
}
