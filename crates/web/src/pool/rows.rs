//! Rows of a batch, rows in quarantine, and where a row came from.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use customhouse::pool::{BatchSummary, ColumnOfRows, Lineage, QuarantinePage, RowsPage};
use maud::{Markup, html};
use serde::Deserialize;
use spine::FieldType;

use super::batch::{mend, parts};
use super::list::waiting;
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{PAGE_ROWS, absent, crumbs, empty, facts, finding, heading, pager, simulated, table, th};
use crate::visit::{Asked, Visit};
use crate::words::{self, count, minute, short, texts};

/// Which page of rows.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct RowsQuery {
    /// Page, from 1.
    #[serde(default)]
    page: usize,
}

impl RowsQuery {
    fn page(self) -> usize {
        self.page.max(1)
    }

    fn offset(self) -> u64 {
        let rows = self.page().saturating_sub(1).saturating_mul(PAGE_ROWS);
        u64::try_from(rows).unwrap_or(u64::MAX)
    }
}

fn head_of_batch(visit: &Visit, batch: &BatchSummary, here: &str) -> Markup {
    let place = format!("/pool/batches/{}", batch.id);
    html! {
        (crumbs(visit, &[("/pool", visit.say(texts::POOL)), (&place, &batch.source_name)]))
        (heading(&batch.source_name, &html! { code { (short(&batch.id)) } " " (simulated(visit, batch.rows_simulated > 0)) }, &html! {}))
        (parts(visit, &batch.id, here, waiting(batch)))
    }
}

fn withheld(visit: &Visit, names: &[String]) -> Markup {
    html! { @if !names.is_empty() { p class="notice information" { (visit.say(texts::WITHHELD)) ": " (names.join(", ")) } } }
}

/// Admitted rows, as far as the reader's clearance goes.
pub(crate) async fn rows(
    visit: Visit,
    Path(id): Path<String>,
    Asked(asked): Asked<RowsQuery>,
) -> Result<Markup, Failure> {
    let (batch, page) = visit
        .work(move |house, reader| {
            let batch = house.find_batch(reader, &id)?.summary;
            let page = house.rows_page(reader, &batch.id, asked.offset(), PAGE_ROWS)?;
            Ok((batch, page))
        })
        .await?;
    let path = format!("/pool/batches/{}/rows", batch.id);
    let total = usize::try_from(page.rows_total).unwrap_or(usize::MAX);
    let content = html! {
        (head_of_batch(&visit, &batch, "/rows"))
        (withheld(&visit, &page.withheld))
        @if page.rows.is_empty() {
            (empty(visit.say(texts::NO_ROWS), visit.say(texts::NO_ROWS_TEXT), &html! {}))
        } @else {
            (rows_table(&visit, &page))
            (pager(&visit, &path, &[], asked.page(), total))
        }
    };
    Ok(Page::new(&visit, Room::Pool, format!("{}: {}", visit.say(texts::ROWS), batch.source_name))
        .show(&content))
}

fn rows_table(visit: &Visit, page: &RowsPage) -> Markup {
    let head = html! {
        (th(visit, texts::ROW, true))
        (th(visit, texts::LINE, true))
        @for column in &page.columns {
            th scope="col" class=[(column.field_type == FieldType::Decimal).then_some("number")] title=(column.name) {
                (visit.localized(&column.title)) @if let Some(unit) = &column.unit { " (" (unit) ")" }
            }
        }
    };
    let body = html! {
        @for row in &page.rows {
            tr {
                td class="number" { a href={ "/pool/batches/" (page.batch) "/rows/" (row.row) } { (count(row.row)) } }
                td class="number" { (count(row.line)) }
                @for (value, column) in row.values.iter().zip(&page.columns) {
                    td class=[(column.field_type == FieldType::Decimal).then_some("number")] {
                        @match value { Some(value) => (shown(visit, value, column)), None => (absent()) }
                    }
                }
            }
        }
    };
    html! { div class="dense" { (table(visit.say(texts::ROWS), &head, &body)) } }
}

/// Rows that could not be used, with the reasons.
pub(crate) async fn quarantine(
    visit: Visit,
    Path(id): Path<String>,
    Asked(asked): Asked<RowsQuery>,
) -> Result<Markup, Failure> {
    let (batch, page) = visit
        .work(move |house, reader| {
            let batch = house.find_batch(reader, &id)?;
            let page = house.quarantine_page(reader, &batch.summary.id, asked.offset(), PAGE_ROWS)?;
            Ok((batch, page))
        })
        .await?;
    let path = format!("/pool/batches/{}/quarantine", batch.summary.id);
    let total = usize::try_from(page.rows_total).unwrap_or(usize::MAX);
    let content = html! {
        (head_of_batch(&visit, &batch.summary, "/quarantine"))
        @if page.rows.is_empty() {
            (empty(visit.say(texts::QUARANTINE_EMPTY), visit.say(texts::QUARANTINE_EMPTY_TEXT), &html! {}))
        } @else {
            (mend(&visit, &batch))
            (withheld(&visit, &page.withheld))
            (quarantine_table(&visit, &page))
            (pager(&visit, &path, &[], asked.page(), total))
        }
    };
    let title = format!("{}: {}", visit.say(texts::QUARANTINE), batch.summary.source_name);
    Ok(Page::new(&visit, Room::Pool, title).show(&content))
}

fn quarantine_table(visit: &Visit, page: &QuarantinePage) -> Markup {
    let head = html! {
        (th(visit, texts::LINE, true)) (th(visit, texts::REASONS, false))
        @for column in &page.columns { th scope="col" { (column) } }
    };
    let body = html! {
        @for row in &page.rows {
            tr {
                td class="number" { (count(row.line)) }
                td class="reasons" { @for one in &row.findings { div { (finding(one)) } } }
                @for cell in &row.cells { td { @if cell.is_empty() { (absent()) } @else { (cell) } } }
            }
        }
    };
    html! { div class="dense" { (table(visit.say(texts::QUARANTINE), &head, &body)) } }
}

/// The quarantine as CSV, to be mended and sent again.
pub(crate) async fn export(visit: Visit, Path(id): Path<String>) -> Result<Response, Failure> {
    let (name, bytes) = visit
        .work(move |house, reader| {
            let batch = house.find_batch(reader, &id)?.summary;
            let mut bytes = Vec::new();
            house.export_quarantine(reader, &batch.id, &mut bytes)?;
            Ok((format!("quarantine-{}.csv", short(&batch.id)), bytes))
        })
        .await?;
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, bytes).into_response())
}

/// One row: its values, and where it came from, step by step.
pub(crate) async fn lineage(visit: Visit, Path((id, row)): Path<(String, u64)>) -> Result<Markup, Failure> {
    let (batch, page, lineage) = visit
        .work(move |house, reader| {
            let batch = house.find_batch(reader, &id)?.summary;
            let lineage = house.lineage(reader, &batch.id, row)?;
            let page = house.rows_page(reader, &batch.id, row, 1)?;
            Ok((batch, page, lineage))
        })
        .await?;
    let title = format!("{} {}", visit.say(texts::ROW), count(row));
    let (of_batch, of_rows) =
        (format!("/pool/batches/{}", batch.id), format!("/pool/batches/{}/rows", batch.id));
    let content = html! {
        (crumbs(&visit, &[("/pool", visit.say(texts::POOL)), (&of_batch, &batch.source_name), (&of_rows, visit.say(texts::ROWS))]))
        (heading(&title, &html! { (batch.source_name) " " (simulated(&visit, batch.rows_simulated > 0)) }, &html! {}))
        div class="columns" {
            section {
                h2 { (visit.say(texts::VALUES)) }
                (withheld(&visit, &page.withheld))
                (values(&visit, &page))
            }
            section {
                h2 { (visit.say(texts::WHERE_FROM)) }
                (steps(&visit, &lineage))
            }
        }
    };
    Ok(Page::new(&visit, Room::Pool, title).show(&content))
}

fn shown(visit: &Visit, value: &str, column: &ColumnOfRows) -> String {
    match (column.field_type, value) {
        (FieldType::Boolean, "true") => visit.say(texts::YES).to_owned(),
        (FieldType::Boolean, "false") => visit.say(texts::NO).to_owned(),
        (field_type, value) => words::value(value, field_type),
    }
}

/// The unit of a value; amounts are in the record's own currency.
fn unit_of(column: &ColumnOfRows, currency: Option<&str>) -> Markup {
    let unit = match column.unit.as_deref() {
        Some("currency") => currency,
        Some("percent") => Some("%"),
        Some("share") => None,
        unit => unit,
    };
    html! { @if let Some(unit) = unit { " " span class="soft" { (unit) } } }
}

/// The values of the first row of a page.
fn values(visit: &Visit, page: &RowsPage) -> Markup {
    html! {
        dl class="facts" {
            @if let Some(row) = page.rows.first() {
                @let at = page.columns.iter().position(|column| column.name == "currency");
                @let currency = at.and_then(|at| row.values.get(at)).and_then(Option::as_deref);
                @for (value, column) in row.values.iter().zip(&page.columns) {
                    @if let Some(value) = value {
                        div { dt { (visit.localized(&column.title)) } dd { (shown(visit, value, column)) (unit_of(column, currency)) } }
                    }
                }
            }
        }
    }
}

fn steps(visit: &Visit, lineage: &Lineage) -> Markup {
    html! {
        ol class="steps" {
            li {
                strong { (visit.say(texts::DELIVERED_FILE)) }
                (facts(&[
                    (visit.say(texts::FILE), html! { (lineage.source_name) }),
                    (visit.say(texts::LINE), html! { (count(lineage.line)) }),
                    (visit.say(texts::FILE_HASH), html! { code class="hash" { (lineage.source_sha256) } }),
                    (visit.say(texts::ORIGINAL_KEPT), html! { (visit.say(if lineage.source_kept { texts::YES } else { texts::NO })) }),
                ]))
            }
            @if let Some((batch, line)) = &lineage.mends {
                li {
                    strong { (visit.say(texts::MENDED_ROW)) }
                    (facts(&[
                        (visit.say(texts::MENDS), html! { a href={ "/pool/batches/" (batch) } { code { (short(batch)) } } }),
                        (visit.say(texts::LINE), html! { (count(*line)) }),
                    ]))
                }
            }
            li {
                strong { (visit.say(texts::ADMISSION)) }
                (facts(&[
                    (visit.say(texts::BATCH), html! { a href={ "/pool/batches/" (lineage.batch) } { code { (short(&lineage.batch)) } } }),
                    (visit.say(texts::CONTRACT), html! { a href={ "/pool/contracts/" (lineage.contract) } { (lineage.contract) } " " code { (short(&lineage.contract_sha256)) } }),
                    (visit.say(texts::RECORDED), html! { (minute(lineage.admitted_at)) " UTC" }),
                    (visit.say(texts::SENT_BY), html! { code { (lineage.actor) } }),
                    (visit.say(texts::JOURNAL_POSITION), html! { (count(lineage.position)) }),
                ]))
            }
            li {
                strong { (visit.say(texts::FILE_IN_POOL)) }
                (facts(&[
                    (visit.say(texts::FILE_HASH), html! { code class="hash" { (lineage.file_sha256) } }),
                    (visit.say(texts::ROW), html! { (count(lineage.file_row)) }),
                ]))
            }
        }
    }
}
