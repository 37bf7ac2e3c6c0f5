//! Tags on entries of files: put on them, asked for, explained.

use std::path::Path;

use customhouse::tags::{
    BackfillReport, BackfillRequest, ExplainedEntry, backfill, explain_in_history, select_in_history,
};
use customhouse::{Error, Kind, Location, offline};

use super::super::{Answer, Context, open_at, shown};
use crate::arguments::{BackfillArguments, ExplainArguments, QueryArguments};
use crate::terminal;

pub(super) fn backfilled(arguments: &BackfillArguments, context: &Context) -> Result<Answer, Error> {
    let report = match &arguments.history {
        Some(folder) => {
            let request = BackfillRequest {
                rules: arguments.rules.clone(),
                entries: arguments.entries.clone(),
                by: arguments.by.clone(),
                folder: folder.clone(),
                threads: usize::from(arguments.threads),
            };
            let registry = offline::registry(arguments.data.data.as_deref())?;
            backfill(&registry, &request, &context.progress)?
        }
        None => {
            let data = arguments.data.data.clone().unwrap_or_default();
            let (house, reader) = open_at(&Location { data, database: None, shared: None })?;
            house.put_tags_on_pool_now(&reader, usize::from(arguments.threads), &context.progress)?
        }
    };
    context.progress.finish();
    if arguments.data.json {
        terminal::json(&report)?;
    } else {
        print_report(arguments, &report)?;
    }
    if report.complete {
        return Ok(Answer::Done);
    }
    let percent = report.done.saturating_mul(100).checked_div(report.total).unwrap_or_default();
    Err(Error::new(
        Kind::Cancelled,
        "backfill_paused",
        format!("stopped at {percent} %; what was done stays"),
        "The same command goes on where it stopped.",
    ))
}

fn print_report(arguments: &BackfillArguments, report: &BackfillReport) -> Result<(), Error> {
    let seconds = |seconds: f64| Some(format!("{seconds:.3} CPU seconds"));
    let new = |tags: usize| format!("{tags}, of them {} new or changed", report.new_tags);
    shown::facts(&[
        ("entries", Some(report.entries.to_string())),
        ("tags", Some(new(report.tags))),
        ("entities", Some(report.entities.to_string())),
        ("asked now", Some(shown::counted(report.asked, "entry", "entries"))),
        ("pairs kept", Some(format!("{} in {} MB", report.pairs, report.bytes / 1_000_000))),
        ("checking", seconds(report.checking_cpu_s)),
        ("compiling", seconds(report.compiling_cpu_s)),
        ("reading", seconds(report.reading_cpu_s)),
        ("matching", seconds(report.matching_cpu_s)),
        ("keeping", seconds(report.keeping_cpu_s)),
        ("merging", seconds(report.merging_cpu_s)),
        ("matrix", seconds(report.matrix_cpu_s)),
        ("memory", report.memory_peak_bytes.map(|bytes| format!("{} MB at most", bytes / 1_000_000))),
    ])?;
    if arguments.history.is_some() && !report.matrix {
        terminal::note("too many tags or pairs for a matrix: `tags query` does not tell their other tags");
    }
    terminal::line(&format!("{:.0} entries per CPU-second", report.entries_per_cpu_second()))
}

pub(super) fn queried(arguments: &QueryArguments) -> Result<Answer, Error> {
    let list = usize::try_from(arguments.list).unwrap_or_default();
    let selected =
        select_in_history(&arguments.history, &arguments.condition, usize::from(arguments.tags), list)?;
    if !selected.complete {
        terminal::note("some tags were not yet asked of all entries; `tags backfill` goes on");
    }
    if arguments.json {
        terminal::json(&selected)?;
        return Ok(Answer::Done);
    }
    terminal::line(&format!(
        "{} of {}",
        selected.count,
        shown::counted(u64::from(selected.entities), "entity", "entities")
    ))?;
    let rows: Vec<Vec<String>> =
        selected.tags.iter().map(|(tag, count)| vec![tag.clone(), count.to_string()]).collect();
    if !rows.is_empty() {
        terminal::table(&["TAG", "ENTITIES"], &rows)?;
    }
    for name in &selected.named {
        terminal::line(name)?;
    }
    let more = selected.count.saturating_sub(u64::try_from(selected.named.len()).unwrap_or(u64::MAX));
    if more > 0 && !selected.named.is_empty() {
        terminal::line(&format!("and {more} more; --list N names more of them"))?;
    }
    Ok(Answer::Done)
}

pub(super) fn explained(arguments: &ExplainArguments, folder: &Path) -> Result<Answer, Error> {
    let registry = offline::registry(arguments.data.as_deref())?;
    let told = explain_in_history(&registry, folder, &arguments.tag, &arguments.entity)?;
    if arguments.json {
        terminal::json(&told)?;
        return Ok(Answer::Done);
    }
    shown::facts(&[
        ("tag", Some(told.tag.clone())),
        ("entity", Some(told.entity.clone())),
        ("when", Some(told.when.clone())),
        ("entries", Some(told.entries.to_string())),
        ("meaning", Some(told.meaning.clone())),
    ])?;
    print_entry("first", &told.first)?;
    if let Some(last) = &told.last {
        print_entry("last", last)?;
    }
    if !told.complete {
        terminal::note("some entries were not yet asked; `tags backfill` goes on");
    }
    Ok(Answer::Done)
}

fn print_entry(word: &str, entry: &ExplainedEntry) -> Result<(), Error> {
    terminal::line(&format!("{word}  row {} of {}", entry.row, entry.file.display()))?;
    super::print_parts(&entry.explanation, 2)
}
