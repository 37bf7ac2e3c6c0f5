//! `tidewaiter restore`: a backup into a new folder or an empty database, and what is proven of it.

use customhouse::Error;
use customhouse::backup::{RestoreOptions, Restored, restore};

use super::{Answer, Context, shown};
use crate::arguments::RestoreArguments;
use crate::terminal;

pub(super) fn run(arguments: &RestoreArguments, context: &Context) -> Result<Answer, Error> {
    let options = RestoreOptions {
        last_complete: arguments.last_complete,
        checkpoint: arguments.checkpoint.clone(),
        erasures: arguments.erasures.clone(),
        keys: arguments.key.clone(),
    };
    let restored = restore(&arguments.from, &arguments.location(), &options, &context.progress)?;
    context.progress.finish();
    if arguments.json {
        terminal::json(&restored)?
    } else {
        print(&restored)?
    }
    Ok(Answer::of(!restored.holds()))
}

fn print(restored: &Restored) -> Result<(), Error> {
    terminal::line(&format!(
        "restored {} of {}, as of {}; {} compared with their hashes",
        shown::counted(restored.events, "event", "events"),
        restored.node,
        restored.backed_up_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        shown::counted(restored.files_compared, "file", "files")
    ))?;
    if let Some(verified) = &restored.verified {
        terminal::line(&format!(
            "verified {} of the log, root {}, signed by {}; {} hold, {} erased",
            shown::counted(verified.size, "entry", "entries"),
            verified.root,
            verified.signed_by.join(", "),
            shown::counted(verified.payloads_checked, "payload", "payloads"),
            shown::count(verified.payloads_erased)
        ))?;
        if verified.witnessed_compared {
            terminal::line("it continues the checkpoint that witnesses cosigned")?;
        }
    }
    if let Some(size) = restored.seen_size {
        let entries = shown::counted(size, "entry", "entries");
        terminal::line(&format!("it contains the checkpoint of {entries} that was named"))?;
    }
    if restored.erasures_carried {
        terminal::line("what was erased since is erased again when the folder is opened")?;
    }
    if restored.waits_for_witnesses {
        terminal::line("its log signs nothing until its witnesses say that they have seen no more of it")?;
    }
    for (place, reason) in &restored.findings {
        terminal::line(&format!("{place}: {reason}"))?;
    }
    terminal::line(&match restored.findings_total {
        0 => "everything holds".to_owned(),
        number => format!(
            "{}: the folder is not to be used; try another backup, and tell an auditor",
            shown::counted(number, "finding", "findings")
        ),
    })
}
