//! `tidewaiter erase`: what is recorded of somebody, ordered by one person, approved by another.

use customhouse::erasure::{Erasure, ErasureRequest, Subject};
use customhouse::{Error, Kind};

use super::policy::open_as;
use super::{Answer, Context, open};
use crate::arguments::EraseCommand;
use crate::terminal;

pub(super) fn run(command: &EraseCommand, context: &Context) -> Result<Answer, Error> {
    match command {
        EraseCommand::List { data, json } => {
            let (house, reader) = open(data)?;
            let _ = house.wait_until_shown(house.journal_position(), std::time::Duration::from_secs(60));
            let erasures = house.erasures(&reader)?;
            if *json { terminal::json(&erasures)? } else { print(&erasures)? }
        }
        EraseCommand::Order { kind, subject, basis, reason, acting } => {
            let request = ErasureRequest {
                subject: subject_of(kind, subject)?,
                basis: basis.clone(),
                reason: reason.clone(),
            };
            let (house, reader) = open_as(acting)?;
            let erasure = house.order_erasure(&reader, &request)?;
            terminal::line(&format!("the erasure {} waits for the approval of another person", erasure.id))?;
        }
        EraseCommand::Approve { id, kind, subject, acting } => {
            let subject = subject_of(kind, subject)?;
            let (house, reader) = open_as(acting)?;
            let counts = house.approve_erasure(&reader, id, &subject, &context.progress)?.counts;
            context.progress.finish();
            terminal::line(&format!(
                "erased {} events, {} documents, {} rows of the pool, {} drafts and {} saved views; {} accounts closed",
                counts.events, counts.blobs, counts.pool_rows, counts.drafts, counts.views, counts.accounts
            ))?;
        }
        EraseCommand::Withdraw { id, acting } => {
            let (house, reader) = open_as(acting)?;
            let erasure = house.withdraw_erasure(&reader, id)?;
            terminal::line(&format!("took the order {} back", erasure.id))?;
        }
    }
    Ok(Answer::Done)
}

fn subject_of(kind: &str, id: &str) -> Result<Subject, Error> {
    Subject::of_kind(kind, id).ok_or_else(|| {
        Error::new(
            Kind::Invalid,
            "erasure_subject",
            format!("\"{kind}\" is neither party nor declaration"),
            "Name a party by its id, or a declaration by its MRN.",
        )
    })
}

fn print(erasures: &[Erasure]) -> Result<(), Error> {
    let rows: Vec<Vec<String>> = erasures
        .iter()
        .map(|own| {
            vec![
                own.id.clone(),
                own.subject_kind.clone(),
                own.state.name().to_owned(),
                own.done_at.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default(),
                own.counts.events.to_string(),
                own.basis.clone(),
            ]
        })
        .collect();
    terminal::table(&["ERASURE", "ABOUT", "STATE", "DONE (UTC)", "EVENTS", "BASIS"], &rows)
}
