//! `tidewaiter verify`: that nothing recorded was altered.

use std::path::Path;

use customhouse::Error;
use customhouse::proof::{
    ProofVerdict, VerifiedEvent, VerifiedFolder, verify_at, verify_event, verify_proof,
};

use super::{Answer, Context, shown};
use crate::arguments::VerifyCommand;
use crate::terminal;

/// Longest file that is read: more than any proof or policy has.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

pub(super) fn run(command: &VerifyCommand, context: &Context) -> Result<Answer, Error> {
    match command {
        VerifyCommand::Folder { data, key, json } => {
            let verified = verify_at(&data.location(), key, &context.progress)?;
            context.progress.finish();
            if *json {
                terminal::json(&verified)?
            } else {
                print_folder(&verified, key.is_empty())?
            }
            Ok(Answer::of(!verified.holds()))
        }
        VerifyCommand::Event { position, data, key, json } => {
            let verified = verify_event(&data.location(), *position, key)?;
            if *json {
                terminal::json(&verified)?
            } else {
                print_event(&verified)?
            }
            Ok(Answer::of(!verified.holds()))
        }
        VerifyCommand::Proof { file, key, policy, json } => {
            let policy = policy.as_deref().map(read).transpose()?;
            let verdict = verify_proof(&read(file)?, key, policy.as_deref())?;
            if *json {
                terminal::json(&verdict)?
            } else {
                print_proof(&verdict)?
            }
            Ok(Answer::Done)
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let fail = |error: std::io::Error| Error::io("proof_unreadable", path, &error);
    let bytes = std::fs::metadata(path).map_err(fail)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(Error::new(
            customhouse::Kind::Invalid,
            "log_too_large",
            format!("{} has {bytes} bytes; at most {FILE_BYTES_MAX} are read", path.display()),
            "Name a proof or policy file.",
        ));
    }
    std::fs::read(path).map_err(fail)
}

pub(super) fn print_folder(verified: &VerifiedFolder, own_keys: bool) -> Result<(), Error> {
    print_log(&verified.origin, verified.size, &verified.root, &verified.signed_by)?;
    if own_keys {
        terminal::line(
            "keys are those that the folder names: give --key to trust one that you know from elsewhere",
        )?;
    }
    if verified.journal_compared {
        terminal::line(&format!(
            "journal compared: {} payloads hold, {} erased, {} events not logged yet",
            shown::count(verified.payloads_checked),
            shown::count(verified.payloads_erased),
            shown::count(verified.not_logged)
        ))?;
    } else {
        terminal::line("the journal was not compared")?;
    }
    if verified.witnessed_compared {
        terminal::line("compared with the checkpoint that witnesses cosigned")?;
    }
    print_findings(&verified.findings)?;
    terminal::line(&match verified.findings_total {
        0 => "everything holds".to_owned(),
        number => format!(
            "{} findings: tell an auditor; `tidewaiter log rebuild` makes good what is damaged in the log, and where it refuses restore a backup",
            shown::count(number)
        ),
    })
}

/// The log that everything was compared with.
fn print_log(origin: &str, size: u64, root: &str, signed_by: &[String]) -> Result<(), Error> {
    terminal::line(&format!(
        "{origin}: {} events, root {root}, signed by {}",
        shown::count(size),
        signed_by.join(", ")
    ))
}

fn print_findings(findings: &[(String, String)]) -> Result<(), Error> {
    findings.iter().try_for_each(|(place, reason)| terminal::line(&format!("{place}: {reason}")))
}

fn print_event(verified: &VerifiedEvent) -> Result<(), Error> {
    terminal::line(&format!(
        "event {}: {} of {} at {}; entry {}",
        verified.position, verified.kind, verified.stream, verified.occurred_at, verified.leaf
    ))?;
    print_log(&verified.origin, verified.size, &verified.root, &verified.signed_by)?;
    if let Some(size) = verified.witnessed_size {
        terminal::line(&format!("witnesses cosigned a checkpoint of {} events with it", shown::count(size)))?;
    }
    if verified.payload_erased {
        terminal::line("its payload was erased; that it happened still holds")?;
    }
    print_findings(&verified.findings)?;
    terminal::line(if verified.holds() {
        "it holds"
    } else {
        "it does not hold: restore a backup, and tell an auditor"
    })
}

fn print_proof(verdict: &ProofVerdict) -> Result<(), Error> {
    terminal::line(&format!(
        "proven: {} of {} at {}, event {} of {} in {}, signed by {}",
        verdict.kind,
        verdict.stream,
        verdict.occurred_at,
        shown::count(verdict.index),
        shown::count(verdict.size),
        verdict.origin,
        verdict.signed_by.join(", ")
    ))?;
    terminal::line(match verdict.payload {
        Some(_) => "what the file says is what was recorded; --json prints it",
        None => "the file does not hold what the event says",
    })
}
