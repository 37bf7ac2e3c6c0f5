//! `tidewaiter replay`: past decisions derived again.

use customhouse::Error;
use customhouse::replay::{Decided, Derivation, SampleReport, SampleSpec};

use super::{Answer, Context, open, shown};
use crate::arguments::ReplayCommand;
use crate::terminal;

pub(super) fn run(command: &ReplayCommand, context: &Context) -> Result<Answer, Error> {
    match command {
        ReplayCommand::Decision { mrn, data, json } => {
            let (house, reader) = open(data)?;
            let derivation = house.replay_decision(&reader, mrn, &context.progress)?;
            context.progress.finish();
            if *json {
                terminal::json(&derivation)?
            } else {
                print(&derivation)?
            }
            Ok(Answer::of(!derivation.same))
        }
        ReplayCommand::Sample { decisions, seed, data, json } => {
            let (house, reader) = open(data)?;
            let spec = SampleSpec { decisions: *decisions, seed: *seed };
            let report = house.replay_sample(&reader, &spec, &context.progress)?;
            context.progress.finish();
            if *json {
                terminal::json(&report)?
            } else {
                print_sample(&report)?
            }
            Ok(Answer::of(report.same != report.decisions))
        }
    }
}

fn lane(decided: Option<&Decided>) -> String {
    let made = decided.and_then(|decided| decided.made.as_ref());
    made.map_or_else(|| "no plan".to_owned(), |made| made.lane.name().to_owned())
}

fn score(decided: Option<&Decided>) -> String {
    let made = decided.and_then(|decided| decided.made.as_ref());
    made.map_or_else(String::new, |made| format!("{} against {}", made.score, made.threshold))
}

fn print(derivation: &Derivation) -> Result<(), Error> {
    let simulated = if derivation.simulated { " (SIMULATED)" } else { "" };
    terminal::line(&format!(
        "{}{simulated}, decided {}: {}",
        derivation.mrn,
        derivation.decided_at,
        match (&derivation.again, derivation.same) {
            (_, true) => "derived again exactly as it was recorded".to_owned(),
            (Some(_), false) => format!("derived otherwise, {} differences", derivation.differences.len()),
            (None, false) => format!("cannot be derived, missing: {}", derivation.missing.join(", ")),
        }
    ))?;
    let columns = [
        ("recorded", Some(&derivation.then)),
        ("derived", derivation.again.as_ref()),
        ("today", derivation.now.as_ref()),
    ];
    let rows: Vec<Vec<String>> = columns
        .iter()
        .map(|(name, decided)| {
            vec![
                (*name).to_owned(),
                lane(*decided),
                score(*decided),
                decided.map_or_else(String::new, |decided| decided.tags.join(" ")),
            ]
        })
        .collect();
    terminal::table(&["", "lane", "score", "tags"], &rows)?;
    for difference in &derivation.differences {
        terminal::line(&format!(
            "{}: recorded {}, derived {}",
            difference.at, difference.recorded, difference.derived
        ))?;
    }
    for change in &derivation.changes {
        terminal::line(&format!(
            "today {}{}: {} then, {} now",
            change.kind.name(),
            change.tag.as_ref().map_or_else(String::new, |tag| format!(" {tag}")),
            change.then,
            change.now
        ))?;
    }
    if derivation.erased_before > 0 {
        let erased = derivation.erased_before;
        terminal::line(&format!(
            "{erased} declarations or merges before it were erased; windows are without them"
        ))?;
    }
    Ok(())
}

fn print_sample(report: &SampleReport) -> Result<(), Error> {
    let count = |number: usize| shown::count(u64::try_from(number).unwrap_or(u64::MAX));
    let simulated = if report.simulated { " SIMULATED" } else { "" };
    terminal::line(&format!(
        "{}{simulated} decisions of {} sets of packs: {} derived exactly as recorded, {} otherwise, {} not derivable",
        count(report.decisions),
        report.pack_sets,
        count(report.same),
        count(report.different),
        count(report.missing),
    ))?;
    for example in &report.examples {
        print(example)?;
    }
    Ok(())
}
