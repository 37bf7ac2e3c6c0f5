//! `tidewaiter pool`: what is in the pool, what was left out, where a row came from.

use customhouse::pool::{BatchDetail, BatchQuery, BatchSummary, ContractSummary, Lineage};
use customhouse::{Error, Kind};

use super::{Answer, open, shown};
use crate::arguments::PoolCommand;
use crate::terminal;

pub(super) fn run(command: &PoolCommand) -> Result<Answer, Error> {
    match command {
        PoolCommand::List { data, json } => {
            let (house, reader) = open(data)?;
            let mut batches: Vec<BatchSummary> = Vec::new();
            loop {
                let before = batches.last().map(|batch| batch.position);
                let page = house.list_batches(&reader, &BatchQuery { before, ..BatchQuery::default() })?;
                if page.is_empty() {
                    break;
                }
                batches.extend(page);
            }
            if *json { terminal::json(&batches)? } else { print_batches(&batches)? }
        }
        PoolCommand::Show { batch, data, json } => {
            let (house, reader) = open(data)?;
            let batch = house.find_batch(&reader, batch)?;
            if *json { terminal::json(&batch)? } else { print_batch(&batch)? }
        }
        PoolCommand::Quarantine { batch, data, out } => {
            let (house, reader) = open(data)?;
            let mut bytes = Vec::new();
            let rows = house.export_quarantine(&reader, batch, &mut bytes)?;
            if rows == 0 {
                return Err(Error::new(
                    Kind::NotFound,
                    "quarantine_empty",
                    format!("no row of the batch {batch} is in quarantine"),
                    "Nothing is to be mended; `tidewaiter pool list` shows which batches have quarantined rows.",
                ));
            }
            let Some(out) = out else {
                terminal::line(String::from_utf8_lossy(&bytes).trim_end())?;
                return Ok(Answer::Done);
            };
            customhouse::write_whole(out, &bytes)?;
            terminal::line(&format!(
                "wrote {} to {}; mend the cells, then: tidewaiter import {} --mends {batch}",
                shown::counted(rows, "row", "rows"),
                out.display(),
                out.display(),
            ))?;
        }
        PoolCommand::Lineage { batch, row, data, json } => {
            let (house, reader) = open(data)?;
            let lineage = house.lineage(&reader, batch, *row)?;
            if *json { terminal::json(&lineage)? } else { print_lineage(&lineage)? }
        }
        PoolCommand::Contracts { name, data, json } => {
            let (house, reader) = open(data)?;
            match name {
                Some(name) => {
                    let found = house.find_contract(&reader, name)?;
                    if *json {
                        terminal::json(&found)?
                    } else {
                        terminal::line(found.contract.to_toml().trim_end())?
                    }
                }
                None => {
                    let contracts = house.list_contracts(&reader)?;
                    if *json { terminal::json(&contracts)? } else { print_contracts(&contracts)? }
                }
            }
        }
        PoolCommand::Declare { file, data, json } => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Error::io("contract_unreadable", file, &error))?;
            let (house, reader) = open(data)?;
            let declared = house.declare_contract(&reader, &text)?;
            if *json {
                terminal::json(&declared)?;
            } else {
                let name = &declared.contract.name;
                terminal::line(&if declared.unchanged {
                    format!("the contract {name} is in force already, word for word")
                } else {
                    format!("the contract {name} is in force ({})", shown::short(&declared.sha256))
                })?;
            }
        }
    }
    Ok(Answer::Done)
}

fn print_contracts(contracts: &[ContractSummary]) -> Result<(), Error> {
    let rows: Vec<Vec<String>> = contracts
        .iter()
        .map(|known| {
            vec![
                known.contract.name.clone(),
                known.contract.owner.clone(),
                known.contract.fields.len().to_string(),
                known.revision.to_string(),
                shown::short(&known.sha256).to_owned(),
            ]
        })
        .collect();
    terminal::table(&["contract", "owner", "fields", "revision", "sha256"], &rows)
}

fn period(batch: &BatchSummary) -> String {
    match (batch.first_date, batch.last_date) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => String::new(),
    }
}

fn print_batches(batches: &[BatchSummary]) -> Result<(), Error> {
    if batches.is_empty() {
        return terminal::line("the pool is empty; `tidewaiter import` admits records");
    }
    let rows: Vec<Vec<String>> = batches
        .iter()
        .map(|batch| {
            vec![
                shown::short(&batch.id).to_owned(),
                batch.state.name().to_owned(),
                batch.recorded_at.strftime("%Y-%m-%d %H:%M").to_string(),
                batch.source_name.clone(),
                shown::count(batch.rows),
                shown::count(batch.rows_quarantined.saturating_sub(batch.rows_mended)),
                period(batch),
                shown::bytes(batch.bytes),
            ]
        })
        .collect();
    let header = ["BATCH", "STATE", "RECORDED (UTC)", "FILE", "ROWS", "QUARANTINED", "PERIOD", "SIZE"];
    terminal::table(&header, &rows)
}

fn print_batch(batch: &BatchDetail) -> Result<(), Error> {
    let summary = &batch.summary;
    let some_of = |count: u64| (count > 0).then(|| shown::count(count));
    shown::facts(&[
        ("batch", Some(summary.id.clone())),
        ("state", Some(summary.state.name().to_owned())),
        ("recorded", Some(summary.recorded_at.to_string())),
        ("by", Some(summary.actor.clone())),
        ("contract", Some(summary.contract.clone())),
        ("file", Some(format!("{}, {}", summary.source_name, shown::bytes(summary.source_bytes)))),
        ("file's SHA-256", Some(summary.source_sha256.clone())),
        ("file kept", Some(if batch.source_kept { "yes" } else { "no" }.to_owned())),
        ("rows read", Some(shown::count(summary.rows_read))),
        ("rows admitted", Some(shown::count(summary.rows))),
        ("quarantined", Some(shown::count(summary.rows_quarantined))),
        ("of them mended", some_of(summary.rows_mended)),
        ("SIMULATED rows", some_of(summary.rows_simulated)),
        ("period", Some(period(summary)).filter(|period| !period.is_empty())),
        ("mends", summary.mends.clone()),
        ("mended by", Some(batch.mended_by.join(", ")).filter(|ids| !ids.is_empty())),
        ("columns unused", Some(batch.unused_columns.join(", ")).filter(|names| !names.is_empty())),
    ])?;
    shown::findings(&batch.verdict)?;
    shown::groups(&batch.findings)
}

fn print_lineage(lineage: &Lineage) -> Result<(), Error> {
    let mends = lineage.mends.as_ref().map(|(batch, line)| format!("line {line} of batch {batch}"));
    shown::facts(&[
        ("row", Some(format!("{} of batch {}", lineage.row, lineage.batch))),
        ("came from", Some(format!("{}, line {}", lineage.source_name, lineage.line))),
        ("file's SHA-256", Some(lineage.source_sha256.clone())),
        ("mends", mends),
        ("stands in", Some(format!("{}, row {}", lineage.file_sha256, lineage.file_row))),
        ("contract", Some(format!("{} ({})", lineage.contract, shown::short(&lineage.contract_sha256)))),
        ("admitted", Some(format!("{} by {}", lineage.admitted_at, lineage.actor))),
        ("journal position", Some(lineage.position.to_string())),
    ])
}
