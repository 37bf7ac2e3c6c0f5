//! `tidewaiter tags aggregate`: windows of days over anybody's Parquet.

use customhouse::tags::{AggregateRequest, aggregate_files};
use customhouse::{Error, offline};

use super::super::{Answer, Context, shown};
use crate::arguments::AggregateArguments;
use crate::terminal;

pub(super) fn run(arguments: &AggregateArguments, context: &Context) -> Result<Answer, Error> {
    let request = AggregateRequest {
        aggregates: arguments.aggregates.clone(),
        entries: arguments.entries.clone(),
        by: arguments.by.clone(),
        date: arguments.date.clone(),
        as_of: arguments.as_of,
        out: arguments.out.clone(),
        threads: usize::from(arguments.threads),
    };
    let registry = offline::registry(arguments.data.data.as_deref())?;
    let report = aggregate_files(&registry, &request, &context.progress)?;
    context.progress.finish();
    for finding in &report.findings {
        terminal::note(&finding.to_string());
    }
    if arguments.data.json {
        terminal::json(&report)?;
        return Ok(Answer::Done);
    }
    let left_out = |count: u64| (count > 0).then(|| shown::count(count));
    shown::facts(&[
        ("entries", Some(shown::count(report.entries))),
        ("in windows", Some(shown::count(report.in_windows))),
        ("before them", left_out(report.too_old)),
        ("not yet", left_out(report.not_before)),
        ("no entity", left_out(report.without_entity)),
        ("no date", left_out(report.without_date)),
    ])?;
    let aggregates = u64::try_from(report.aggregates).unwrap_or(u64::MAX);
    terminal::line(&format!(
        "wrote {}: {} of {}, as of {}",
        arguments.out.display(),
        shown::counted(aggregates, "aggregate", "aggregates"),
        shown::counted(report.entities, "entity", "entities"),
        arguments.as_of,
    ))?;
    Ok(Answer::Done)
}
