//! One batch with everything recorded of it, and the contract it came in under.

use axum::extract::Path;
use customhouse::identity::Permission;
use customhouse::pool::{BatchDetail, BatchState, ContractSummary};
use maud::{Markup, html};

use super::list::{state_chip, waiting};
use crate::failure::Failure;
use crate::shell::{Page, Room};
use crate::view::{
    absent, chip, crumbs, csrf, facts, figure, finding_groups, findings, heading, simulated, table, th,
};
use crate::visit::Visit;
use crate::words::{count, minute, percent, short, size, texts};

/// The parts of a batch that have pages of their own.
pub(super) fn parts(visit: &Visit, batch: &str, here: &str, waiting: u64) -> Markup {
    let places =
        [("", texts::SUMMARY, 0), ("/rows", texts::ROWS, 0), ("/quarantine", texts::QUARANTINE, waiting)];
    html! {
        nav class="parts" aria-label=(visit.say(texts::PARTS_OF_BATCH)) {
            ul {
                @for (path, word, number) in places {
                    li {
                        a href={ "/pool/batches/" (batch) (path) } aria-current=[(path == here).then_some("page")] {
                            (visit.say(word)) @if number > 0 { " " span class="number-badge" { (count(number)) } }
                        }
                    }
                }
            }
        }
    }
}

/// One batch.
pub(crate) async fn detail(visit: Visit, Path(id): Path<String>) -> Result<Markup, Failure> {
    let batch = visit.work(move |house, reader| house.find_batch(reader, &id)).await?;
    let summary = &batch.summary;
    let below = html! {
        (state_chip(&visit, summary.state)) " " (simulated(&visit, summary.rows_simulated > 0)) " "
        (minute(summary.recorded_at)) " UTC · " code { (short(&summary.id)) }
    };
    let actions = html! {
        @if visit.may(Permission::RunAudits) && summary.state == BatchState::Admitted {
            a class="button" href={ "/audits/new?batch=" (summary.id) } { (visit.say(texts::AUDIT_THIS)) }
        }
    };
    let content = html! {
        (crumbs(&visit, &[("/pool", visit.say(texts::POOL))]))
        (heading(&summary.source_name, &below, &actions))
        (parts(&visit, &summary.id, "", waiting(summary)))
        (verdict(&visit, &batch))
        (figures(&visit, &batch))
        @if waiting(summary) > 0 { (mend(&visit, &batch)) }
        @if !batch.findings.is_empty() {
            section {
                h2 { (visit.say(texts::FINDINGS)) }
                (finding_groups(&visit, &batch.findings))
                @if batch.finding_groups_left_out > 0 {
                    p class="soft" { (visit.fill(texts::AND_MORE, &[("n", &count(batch.finding_groups_left_out))])) }
                }
            }
        }
        (origin(&visit, &batch))
        (fields(&visit, &batch))
    };
    Ok(Page::new(&visit, Room::Pool, &summary.source_name).show(&content))
}

fn verdict(visit: &Visit, batch: &BatchDetail) -> Markup {
    html! {
        @if batch.summary.state == BatchState::Refused {
            div class="notice bad" {
                h2 { (visit.say(texts::BATCH_REFUSED)) }
                p { (visit.say(texts::BATCH_REFUSED_TEXT)) }
                (findings(visit, &batch.verdict))
            }
        } @else if !batch.verdict.is_empty() {
            div class="notice warn" { h2 { (visit.say(texts::GATE_SAYS)) } (findings(visit, &batch.verdict)) }
        }
    }
}

fn figures(visit: &Visit, batch: &BatchDetail) -> Markup {
    let summary = &batch.summary;
    let mended = html! { @if summary.rows_mended > 0 { (visit.fill(texts::MENDED_SINCE, &[("n", &count(summary.rows_mended))])) } };
    let period = match (summary.first_date, summary.last_date) {
        (Some(first), Some(last)) => html! { (first) " – " (last) },
        _ => html! {},
    };
    let share = html! { @if waiting(summary) > 0 { (percent(waiting(summary), summary.rows_read)) } };
    html! {
        dl class="figures" {
            (figure(&count(summary.rows_read), visit.say(texts::ROWS_READ), &period))
            (figure(&count(summary.rows), visit.say(texts::ROWS_ADMITTED), &mended))
            (figure(&count(waiting(summary)), visit.say(texts::IN_QUARANTINE), &share))
            (figure(&size(summary.bytes), visit.say(texts::SIZE_IN_POOL), &html! { (size(summary.source_bytes)) " " (visit.say(texts::AS_DELIVERED)) }))
        }
    }
}

/// How to mend what is in quarantine.
pub(super) fn mend(visit: &Visit, batch: &BatchDetail) -> Markup {
    let id = &batch.summary.id;
    html! {
        section class="card" aria-labelledby="mend" {
            h2 id="mend" { (visit.fill(texts::MEND_TITLE, &[("n", &count(waiting(&batch.summary)))])) }
            p { (visit.say(texts::MEND_TEXT)) }
            div class="actions" {
                a class="button" href={ "/pool/batches/" (id) "/quarantine" } { (visit.say(texts::SEE_QUARANTINE)) }
                @if visit.may(Permission::AdmitRecords) {
                    a class="button" href={ "/pool/batches/" (id) "/quarantine.csv" } download { (visit.say(texts::EXPORT_CSV)) }
                    form method="post" action="/pool/uploads" enctype="multipart/form-data" class="inline" {
                        (csrf(visit))
                        input type="hidden" name="mends" value=(id);
                        label { (visit.say(texts::MENDED_FILE)) input type="file" name="file" accept=".csv,.parquet" required; }
                        button { (visit.say(texts::SEND_MENDED)) }
                    }
                }
            }
        }
    }
}

fn origin(visit: &Visit, batch: &BatchDetail) -> Markup {
    let summary = &batch.summary;
    let mut pairs = vec![
        (visit.say(texts::FILE), html! { (summary.source_name) }),
        (visit.say(texts::FILE_HASH), html! { code class="hash" { (summary.source_sha256) } }),
        (
            visit.say(texts::ORIGINAL_KEPT),
            html! { (visit.say(if batch.source_kept { texts::YES } else { texts::NO })) },
        ),
        (
            visit.say(texts::CONTRACT),
            html! { a href={ "/pool/contracts/" (summary.contract) } { (summary.contract) } " " code class="hash" { (short(&batch.contract_sha256)) } },
        ),
        (visit.say(texts::SENT_BY), html! { code { (summary.actor) } }),
        (visit.say(texts::JOURNAL_POSITION), html! { (count(summary.position)) }),
    ];
    if let Some(outcomes) = &batch.outcomes {
        let values = [
            ("file", outcomes.source.name.as_str()),
            ("joined", &count(outcomes.joined)),
            ("without", &count(outcomes.without_declaration)),
            ("repeated", &count(outcomes.repeated)),
        ];
        pairs.push((visit.say(texts::OUTCOMES), html! { (visit.fill(texts::OUTCOMES_JOINED, &values)) }));
    }
    if let Some(mends) = &summary.mends {
        pairs.push((
            visit.say(texts::MENDS),
            html! { a href={ "/pool/batches/" (mends) } { code { (short(mends)) } } },
        ));
    }
    if !batch.mended_by.is_empty() {
        pairs.push((visit.say(texts::MENDED_BY), html! {
            @for other in &batch.mended_by { a href={ "/pool/batches/" (other) } { code { (short(other)) } } " " }
        }));
    }
    html! {
        section {
            h2 { (visit.say(texts::WHERE_FROM)) }
            (facts(&pairs))
            details {
                summary { (visit.say(texts::FILES_IN_POOL)) }
                ul {
                    @for file in batch.files.iter().chain(&batch.quarantine) {
                        li { code class="hash" { (file.sha256) } " · " (visit.fill(texts::ROWS_COUNTED, &[("n", &count(file.rows))])) " · " (size(file.bytes)) }
                    }
                }
            }
        }
    }
}

fn fields(visit: &Visit, batch: &BatchDetail) -> Markup {
    let schema = spine::declaration_entry::schema();
    let rows = batch.summary.rows;
    let head = html! {
        (th(visit, texts::FIELD, false)) (th(visit, texts::COLUMN, false)) (th(visit, texts::UNKNOWN_IN, true)) (th(visit, texts::SHARE, true))
    };
    let body = html! {
        @for field in &schema.fields {
            @if let Some(mapping) = batch.mapping.fields.get(&field.name) {
                @let unknown = batch.unknown.get(&field.name).copied().unwrap_or(0);
                tr {
                    td { (visit.localized(&field.title)) " " code { (field.name) } }
                    td {
                        @match (&mapping.column, &mapping.constant, &mapping.derived) {
                            (Some(column), _, _) => code { (column) },
                            (_, Some(constant), _) => { "“" (constant) "”" },
                            (_, _, Some(derived)) => (visit.named("derived", derived)),
                            _ => (absent()),
                        }
                    }
                    td class="number" { (count(unknown)) }
                    td class="number" { (percent(unknown, rows)) }
                }
            }
        }
    };
    html! {
        section {
            h2 { (visit.say(texts::HOW_READ)) }
            (table(visit.say(texts::HOW_READ), &head, &body))
            @if !batch.unused_columns.is_empty() {
                p class="soft" { (visit.say(texts::UNUSED_COLUMNS)) ": " (batch.unused_columns.join(", ")) }
            }
        }
    }
}

/// A contract, with the others there are.
pub(crate) async fn contract(visit: Visit, Path(name): Path<String>) -> Result<Markup, Failure> {
    let (contract, all) = visit
        .work(move |house, reader| Ok((house.find_contract(reader, &name)?, house.list_contracts(reader)?)))
        .await?;
    let title = visit.localized(&contract.contract.title).to_owned();
    let content = html! {
        (crumbs(&visit, &[("/pool", visit.say(texts::POOL))]))
        (heading(&title, &html! { code { (contract.contract.name) } }, &html! {}))
        @if all.len() > 1 {
            nav class="parts" aria-label=(visit.say(texts::CONTRACTS)) {
                ul {
                    @for other in &all {
                        li { a href={ "/pool/contracts/" (other.contract.name) } aria-current=[(other.contract.name == contract.contract.name).then_some("page")] { (visit.localized(&other.contract.title)) } }
                    }
                }
            }
        }
        (terms(&visit, &contract))
        h2 { (visit.say(texts::FIELDS)) }
        (contract_fields(&visit, &contract))
    };
    Ok(Page::new(&visit, Room::Pool, title).show(&content))
}

fn terms(visit: &Visit, known: &ContractSummary) -> Markup {
    let contract = &known.contract;
    let percent_of = |share: rust_decimal::Decimal| {
        format!("{}\u{a0}%", (share * rust_decimal::Decimal::ONE_HUNDRED).normalize())
    };
    let mut pairs = vec![
        (visit.say(texts::OWNER), html! { (contract.owner) }),
        (visit.say(texts::PURPOSE), html! { (contract.purpose) }),
        (visit.say(texts::LICENCE), html! { (contract.licence) }),
        (
            visit.say(texts::EXPECTED_VOLUME),
            html! { (visit.fill(texts::ROWS_COUNTED, &[("n", &format!("{} – {}", count(contract.volume.rows_min), count(contract.volume.rows_max)))])) },
        ),
        (
            visit.say(texts::QUARANTINE_AT_MOST),
            html! { (percent_of(contract.quality.quarantined_share_max)) },
        ),
        (
            visit.say(texts::ORIGINAL_KEPT),
            html! { (visit.say(if contract.keep_source { texts::YES } else { texts::NO })) },
        ),
        (visit.say(texts::CONTENT_HASH), html! { code class="hash" { (known.sha256) } }),
        (visit.say(texts::REVISION), html! { (count(known.revision)) }),
    ];
    for (field, share) in &contract.quality.unknown_share_max {
        pairs.push((visit.say(texts::UNKNOWN_AT_MOST), html! { code { (field) } " " (percent_of(*share)) }));
    }
    facts(&pairs)
}

fn contract_fields(visit: &Visit, known: &ContractSummary) -> Markup {
    let schema = spine::declaration_entry::schema();
    let head = html! {
        (th(visit, texts::FIELD, false)) (th(visit, texts::TYPE, false)) (th(visit, texts::UNIT, false))
        (th(visit, texts::SENSITIVITY, false)) (th(visit, texts::REQUIRED, false))
    };
    let body = html! {
        @for field in &known.contract.fields {
            tr {
                td { @if let Some(own) = schema.field(&field.name) { (visit.localized(&own.title)) " " } code { (field.name) } }
                td { (field.field_type.name()) }
                td { @match &field.unit { Some(unit) => (unit), None => (absent()) } }
                td { (chip("plain", visit.named("class", field.sensitivity.name()))) }
                td { @if field.required { (visit.say(texts::YES)) } @else { (absent()) } }
            }
        }
    };
    table(visit.say(texts::FIELDS), &head, &body)
}
