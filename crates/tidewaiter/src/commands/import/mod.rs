//! `tidewaiter import`: history into the pool of a data folder, declarations to its desk.

mod declarations;

use customhouse::audit::OutcomeSource;
use customhouse::pool::{Admission, AdmitRequest, BatchState, Outcomes};
use customhouse::{Error, offline};

use super::{Answer, Context, audit, open, shown};
use crate::arguments::ImportArguments;
use crate::terminal;

pub(super) fn run(arguments: &ImportArguments, context: &Context) -> Result<Answer, Error> {
    let mapping = arguments.map.as_deref().map(offline::read_mapping).transpose()?;
    let outcomes_mapping = arguments.outcomes_map.as_deref().map(offline::read_mapping).transpose()?;
    let outcomes = arguments.outcomes.as_deref().map(audit::outcome_source).transpose()?;
    let outcomes = outcomes.map(|source| match source {
        OutcomeSource::File(file) => Outcomes::File { file, mapping: outcomes_mapping },
        OutcomeSource::Column(column) => Outcomes::Column(column),
    });
    let sorted = declarations::sort(&arguments.files)?;
    let (house, reader) = open(&arguments.data)?;
    let mut admissions: Vec<Admission> = Vec::new();
    for file in &sorted.records {
        let mut request = AdmitRequest::new(file);
        request.mapping.clone_from(&mapping);
        request.outcomes.clone_from(&outcomes);
        request.mends.clone_from(&arguments.mends);
        if let Some(contract) = &arguments.contract {
            request.contract.clone_from(contract);
        }
        // What was admitted before a later file fails stays admitted, and is said.
        match house.admit(&reader, &request, &context.progress) {
            Ok(admission) => admissions.push(admission),
            Err(error) => {
                context.progress.finish();
                print(arguments.json, &admissions)?;
                return Err(error);
            }
        }
    }
    context.progress.finish();
    let refused = admissions.iter().any(|admission| admission.batch.summary.state == BatchState::Refused);
    if sorted.declarations.is_empty() {
        print(arguments.json, &admissions)?;
        return Ok(Answer::of(refused));
    }
    // With both, the batches are told first: lines of text, or the first of two JSON documents.
    if !sorted.records.is_empty() {
        print(arguments.json, &admissions)?;
    }
    let rejected = declarations::lodge(&house, &reader, &sorted.declarations, arguments.json, context)?;
    Ok(Answer::of(refused || rejected))
}

fn print(json: bool, admissions: &[Admission]) -> Result<(), Error> {
    if json {
        return terminal::json(&admissions);
    }
    if admissions.is_empty() {
        return Ok(());
    }
    let rows: Vec<Vec<String>> = admissions
        .iter()
        .map(|admission| {
            let batch = &admission.batch.summary;
            let state = if admission.repeated { "already in the pool" } else { batch.state.name() };
            vec![
                batch.source_name.clone(),
                shown::short(&batch.id).to_owned(),
                state.to_owned(),
                shown::count(batch.rows_read),
                shown::count(batch.rows),
                shown::count(batch.rows_quarantined),
            ]
        })
        .collect();
    terminal::table(&["FILE", "BATCH", "STATE", "READ", "ADMITTED", "QUARANTINED"], &rows)?;
    for admission in admissions {
        shown::findings(&admission.batch.verdict)?;
        shown::groups(&admission.batch.findings)?;
        if let Some(outcomes) = &admission.batch.outcomes {
            terminal::line(&format!(
                "outcomes of {}: {} joined, {} without a declaration, {} repeated",
                outcomes.source.name,
                shown::count(outcomes.joined),
                shown::count(outcomes.without_declaration),
                shown::count(outcomes.repeated),
            ))?;
        }
    }
    Ok(())
}
