//! `tidewaiter policy`: what decides, proposed by one person and approved by two.

use std::path::Path;

use customhouse::identity::Reader;
use customhouse::plans::{Policy, PolicyKind};
use customhouse::{Customhouse, Error, Kind};
use serde_json::Value;

use super::{Answer, open, shown};
use crate::arguments::{ActingArguments, PolicyCommand};
use crate::terminal;

/// Longest file of a policy that is read.
const POLICY_BYTES_MAX: u64 = 1 << 20;

pub(super) fn run(command: &PolicyCommand) -> Result<Answer, Error> {
    match command {
        PolicyCommand::List { data, json } => {
            let (house, reader) = open(data)?;
            let policies = house.plans(&reader)?.policies;
            if *json { terminal::json(&policies)? } else { print(&policies)? }
        }
        PolicyCommand::Propose { kind, file, acting } => {
            let content = file.as_deref().map(read).transpose()?;
            let (house, reader) = open_as(acting)?;
            let content = content.map_or_else(|| house.standard_policy(*kind), Ok)?;
            let policy = house.propose_policy(&reader, *kind, content)?;
            terminal::line(&format!(
                "the policy of {} {} waits for the approval of two people",
                kind.name(),
                shown::short(&policy.hash)
            ))?;
        }
        PolicyCommand::Approve { hash, acting } => {
            let (house, reader) = open_as(acting)?;
            let policy = house.approve_policy(&reader, hash)?;
            let hash = shown::short(&policy.hash);
            terminal::line(&match policy.in_force_since {
                Some(_) => format!("the policy of {} {hash} is in force", policy.kind.name()),
                None => format!("approved {hash}; another person has to approve it too"),
            })?;
        }
        PolicyCommand::Withdraw { hash, why, acting } => {
            let (house, reader) = open_as(acting)?;
            let policy = house.withdraw_policy(&reader, hash, why)?;
            terminal::line(&format!("withdrew {}", shown::short(&policy.hash)))?;
        }
    }
    Ok(Answer::Done)
}

/// Opens a data folder to act as one of its accounts: what two people must do, two accounts do.
pub(super) fn open_as(acting: &ActingArguments) -> Result<(Customhouse, Reader), Error> {
    let (house, _) = open(&acting.data)?;
    let account = house.accounts().find(&acting.account)?;
    if account.closed {
        return Err(Error::new(
            Kind::Refused,
            "account_closed",
            format!("the account {} is closed", account.name),
            "Name an open account with --as.",
        ));
    }
    let reader = account.reader();
    Ok((house, reader))
}

fn read(path: &Path) -> Result<Value, Error> {
    let fail = |error: std::io::Error| Error::io("policy_unreadable", path, &error);
    let bytes = std::fs::metadata(path).map_err(fail)?.len();
    let refuse = |detail: String| {
        Error::new(
            Kind::Refused,
            "policy_refused",
            format!("{} {detail}", path.display()),
            "Start from the standard policy: `tidewaiter policy list --json` prints contents.",
        )
    };
    if bytes > POLICY_BYTES_MAX {
        return Err(refuse(format!("has {bytes} bytes; a policy has at most {POLICY_BYTES_MAX}")));
    }
    let text = std::fs::read_to_string(path).map_err(fail)?;
    serde_json::from_str(&text).map_err(|error| refuse(format!("is no JSON: {error}")))
}

fn state(policy: &Policy) -> &'static str {
    match (policy.in_force_since, policy.ended_at) {
        (_, Some(_)) => "ended",
        (Some(_), None) => "in force",
        (None, None) => "proposed",
    }
}

fn print(policies: &[Policy]) -> Result<(), Error> {
    let missing: Vec<&str> = PolicyKind::ALL
        .iter()
        .filter(|kind| !policies.iter().any(|own| own.kind == **kind && state(own) == "in force"))
        .map(|kind| kind.name())
        .collect();
    if !missing.is_empty() {
        terminal::note(&format!("No policy in force for: {}", missing.join(", ")));
    }
    let rows: Vec<Vec<String>> = policies
        .iter()
        .map(|policy| {
            vec![
                shown::short(&policy.hash).to_owned(),
                policy.kind.name().to_owned(),
                state(policy).to_owned(),
                policy.title.in_language(spine::Language::En).to_owned(),
                policy.proposed_by.clone(),
                policy.approved_by.join(", "),
            ]
        })
        .collect();
    terminal::table(&["POLICY", "KIND", "STATE", "TITLE", "PROPOSED BY", "APPROVED BY"], &rows)
}
