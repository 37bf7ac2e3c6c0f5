//! `tidewaiter entities`: registers and lists come in, and people say who is one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use customhouse::entities::{EntityDecision, MatchesPage, MatchesQuery, file_bytes};
use customhouse::{Error, Kind};

use super::policy::open_as;
use super::{Answer, Context, open, shown};
use crate::arguments::{DataArguments, EntitiesCommand};
use crate::terminal;

/// How long it is waited until everything that is recorded is shown.
const SHOWN_WAIT: Duration = Duration::from_secs(60);

pub(super) fn run(command: &EntitiesCommand, context: &Context) -> Result<Answer, Error> {
    match command {
        EntitiesCommand::Register { file, list, columns, data } => {
            return register(file, list.as_deref(), columns, data, context);
        }
        EntitiesCommand::Matches { search, shares, one_closed, state, page, json, data } => {
            let (house, reader) = open(data)?;
            let _ = house.wait_until_shown(house.journal_position(), SHOWN_WAIT);
            let query = MatchesQuery {
                q: search.clone(),
                kind: shares.clone(),
                closed: *one_closed,
                state: state.clone(),
                page: *page,
            };
            let found = house.find_matches(&reader, &query)?;
            if *json { terminal::json(&found)? } else { print(&found)? }
        }
        EntitiesCommand::Merge { entity, into, reason, acting } => {
            let (house, reader) = open_as(acting)?;
            let _ = house.wait_until_shown(house.journal_position(), SHOWN_WAIT);
            tell(&house.merge_entities(&reader, entity, into, reason)?)?;
        }
        EntitiesCommand::Apart { entity, other, reason, acting } => {
            let (house, reader) = open_as(acting)?;
            let _ = house.wait_until_shown(house.journal_position(), SHOWN_WAIT);
            tell(&house.keep_entities_apart(&reader, entity, other, reason)?)?;
        }
        EntitiesCommand::Split { id, reason, acting } => {
            let (house, reader) = open_as(acting)?;
            let _ = house.wait_until_shown(house.journal_position(), SHOWN_WAIT);
            tell(&house.split_entities(&reader, id, reason)?)?;
        }
        EntitiesCommand::Approve { id, acting } => {
            let (house, reader) = open_as(acting)?;
            tell(&house.approve_entity_decision(&reader, id)?)?;
        }
        EntitiesCommand::Withdraw { id, acting } => {
            let (house, reader) = open_as(acting)?;
            tell(&house.withdraw_entity_decision(&reader, id)?)?;
        }
        EntitiesCommand::Resolve { data } => {
            let (house, reader) = open(data)?;
            let found = house.resolve_entities(&reader, &context.progress)?;
            context.progress.finish();
            terminal::line(&format!("{} pairs may be one", shown::count(found)))?;
        }
    }
    Ok(Answer::Done)
}

fn register(
    file: &Path,
    list: Option<&str>,
    columns: &[String],
    data: &DataArguments,
    context: &Context,
) -> Result<Answer, Error> {
    let mut named = BTreeMap::new();
    for column in columns {
        let (ours, theirs) = column.split_once('=').ok_or_else(|| {
            Error::new(
                Kind::Invalid,
                "register_columns",
                format!("\"{column}\" does not say what a column is called"),
                "Write OURS=THEIRS, such as --column name=Firma.",
            )
        })?;
        named.insert(ours.trim().to_owned(), theirs.trim().to_owned());
    }
    let bytes = file_bytes(file)?;
    let (house, reader) = open(data)?;
    let outcome = house.receive_register(&reader, &bytes, list, &named, &context.progress)?;
    context.progress.finish();
    shown::findings(&outcome.findings)?;
    terminal::line(&format!(
        "received {} lines, left out {}",
        shown::count(outcome.lines),
        shown::count(outcome.left_out)
    ))?;
    Ok(Answer::of(outcome.left_out > 0))
}

fn tell(decision: &EntityDecision) -> Result<(), Error> {
    terminal::line(&format!(
        "{} {} = {}: {}",
        decision.id,
        decision.entity,
        decision.into,
        decision.state.name()
    ))
}

fn print(page: &MatchesPage) -> Result<(), Error> {
    let rows: Vec<Vec<String>> = page
        .rows
        .iter()
        .map(|row| {
            let evidence: Vec<String> =
                row.evidence.iter().map(|own| format!("{} {}", own.kind.name(), own.weight)).collect();
            vec![
                row.decision.as_ref().map_or_else(|| row.score.to_string(), |own| own.id.clone()),
                row.left.id.clone(),
                row.left.name.clone(),
                row.right.id.clone(),
                row.right.name.clone(),
                evidence.join(", "),
            ]
        })
        .collect();
    terminal::table(&["SCORE", "ONE", "NAME", "OTHER", "NAME", "EVIDENCE"], &rows)?;
    terminal::line(&format!(
        "{} pairs of {} parties{}",
        shown::count(page.total),
        shown::count(page.parties),
        if page.simulated { " (SIMULATED)" } else { "" }
    ))
}
