//! `tidewaiter map`: what the columns of a file probably mean.

use customhouse::{Error, offline};

use super::Answer;
use crate::arguments::MapArguments;
use crate::terminal;

pub(super) fn run(arguments: &MapArguments) -> Result<Answer, Error> {
    let proposal = offline::propose_mapping(&arguments.file, arguments.outcome.as_deref())?;
    let errors = offline::has_errors(&proposal.findings);
    let text = offline::proposal_as_toml(&proposal);
    if let Some(out) = &arguments.out {
        customhouse::write_whole(out, text.as_bytes())?;
    }
    if arguments.json {
        terminal::json(&proposal)?;
    } else if let Some(out) = &arguments.out {
        let rows: Vec<Vec<String>> = proposal
            .fields
            .iter()
            .map(|field| {
                let sure = format!("{:.0} %", field.confidence * 100.0);
                vec![
                    field.field.clone(),
                    field.column.clone(),
                    sure,
                    field.reason.clone(),
                    field.examples.join(", "),
                ]
            })
            .collect();
        terminal::table(&["FIELD", "COLUMN", "SURE", "WHY", "SUCH AS"], &rows)?;
        if !proposal.unused_columns.is_empty() {
            terminal::line(&format!("not used: {}", proposal.unused_columns.join(", ")))?;
        }
        terminal::line(&format!("wrote {}; read it, edit it, then use it with --map", out.display()))?;
    } else {
        terminal::line(text.trim_end())?;
    }
    for finding in &proposal.findings {
        terminal::note(&format!("to decide: {finding}"));
    }
    Ok(Answer::of(errors))
}
