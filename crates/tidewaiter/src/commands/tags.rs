//! `tidewaiter tags`: the catalogue, one tag, why it is on a row, what is usual, and many conditions asked of many entries.

use customhouse::rules::Explanation;
use customhouse::tags::{
    MatchReport, MatchRequest, QuestionableRule, TagCatalogue, TagDetail, TagReason, UsualReport, WhyRequest,
    catalogue, find_tag, match_file, usual_in_file, why_in_file,
};
use customhouse::warnings::NewWatch;
use customhouse::{Error, Location, offline};
use serde::Serialize;
use spine::{Language, LocalizedText, Sensitivity};

mod aggregate;
mod history;
mod live;
mod watch;

use super::{Answer, Context, open_at, shown};
use crate::arguments::{LintArguments, MatchArguments, TagsCommand};
use crate::terminal;

/// Whoever may read the packs' files may see every tag in them.
const CLEARANCE: Sensitivity = Sensitivity::Sealed;

pub(super) fn run(command: &TagsCommand, context: &Context) -> Result<Answer, Error> {
    match command {
        TagsCommand::List { data } => {
            let all = catalogue(&offline::registry(data.data.as_deref())?, CLEARANCE);
            if data.json {
                terminal::json(&all.families)?
            } else {
                print_catalogue(&all)?
            }
            for finding in &all.findings {
                terminal::note(&finding.to_string());
            }
            Ok(Answer::of(offline::has_errors(&all.findings)))
        }
        TagsCommand::Show { tag, data } => {
            let detail = find_tag(&offline::registry(data.data.as_deref())?, CLEARANCE, tag)?;
            if data.json {
                terminal::json(&detail)?
            } else {
                print_tag(&detail)?
            }
            Ok(Answer::Done)
        }
        TagsCommand::Why { tag, declarations, declaration, map, data } => {
            let request = WhyRequest {
                tag: tag.clone(),
                declarations: declarations.clone(),
                declaration: declaration.clone(),
                map: map.clone(),
            };
            let registry = offline::registry(data.data.as_deref())?;
            let reasons = why_in_file(&registry, &request, &context.progress)?;
            context.progress.finish();
            if data.json {
                terminal::json(&reasons)?;
            } else {
                for reason in &reasons {
                    print_reason(reason)?;
                }
            }
            Ok(Answer::Done)
        }
        TagsCommand::Usual { declarations, map, out, data, json } => {
            let report = match (declarations, data) {
                (Some(file), _) => usual_in_file(file, map.as_deref(), out, &context.progress)?,
                (None, data) => {
                    let data = data.clone().unwrap_or_default();
                    let (house, reader) = open_at(&Location { data, database: None, shared: None })?;
                    house.usual_in_pool(&reader, out, &context.progress)?
                }
            };
            context.progress.finish();
            if *json {
                terminal::json(&report)?
            } else {
                print_usual(&report)?
            }
            Ok(Answer::Done)
        }
        TagsCommand::Match(arguments) => matched(arguments, context),
        TagsCommand::Aggregate(arguments) => aggregate::run(arguments, context),
        TagsCommand::Lint(arguments) => linted(arguments, context),
        TagsCommand::Backfill(arguments) => history::backfilled(arguments, context),
        TagsCommand::Query(arguments) => history::queried(arguments),
        TagsCommand::Who(arguments) => live::who(arguments),
        TagsCommand::Explain(arguments) => match &arguments.history {
            Some(folder) => history::explained(arguments, folder),
            None => live::explained(arguments),
        },
        TagsCommand::Depends { name, data } => live::depends(name.as_deref(), data),
        TagsCommand::Watch { condition, title, reason, acting } => {
            let (condition, title, reason) = (condition.clone(), title.clone(), reason.clone());
            watch::begin(&NewWatch { title, condition, reason }, acting)
        }
        TagsCommand::Watched { json, data } => watch::list(*json, data),
        TagsCommand::Unwatch { id, reason, acting } => watch::stop(id, reason, acting),
    }
}

fn print_usual(report: &UsualReport) -> Result<(), Error> {
    let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let rows: Vec<Vec<String>> =
        report.rows.iter().map(|(table, rows)| vec![table.clone(), shown::count(count(*rows))]).collect();
    terminal::table(&["TABLE", "ROWS"], &rows)?;
    terminal::line(&format!(
        "wrote {}, made of {}",
        report.folder.display(),
        shown::counted(count(report.entries), "entry", "entries")
    ))
}

fn linted(arguments: &LintArguments, context: &Context) -> Result<Answer, Error> {
    let request = MatchRequest {
        rules: arguments.rules.clone(),
        entries: arguments.entries.clone(),
        threads: 1,
        pairs: false,
    };
    let registry = offline::registry(arguments.data.data.as_deref())?;
    let report = match_file(&registry, &request, &context.progress)?;
    context.progress.finish();
    let questionable = report.questionable();
    if arguments.data.json {
        terminal::json(&questionable)?;
    } else {
        for rule in &questionable {
            terminal::line(&format!("{}: {}", rule.id, remark(rule)))?;
        }
        let named = u64::try_from(questionable.len()).unwrap_or(u64::MAX);
        let rules = shown::counted(u64::try_from(report.rules).unwrap_or(u64::MAX), "rule", "rules");
        terminal::line(&format!("{rules}, {}", shown::counted(named, "remark", "remarks")))?;
    }
    Ok(Answer::of(questionable.iter().any(|rule| matches!(rule.remark, "never" | "always"))))
}

fn remark(rule: &QuestionableRule) -> String {
    let about = rule.about.as_deref().unwrap_or_default();
    match rule.remark {
        "never" => "no entry can fulfil it; its conditions exclude each other".to_owned(),
        "always" => "every entry fulfils it; it tells nothing".to_owned(),
        "same_as" => format!("it is true exactly where {about} is; keep one of the two"),
        "asked_of_all" => {
            "it is asked of every entry; add a condition on a code, a party or an amount that joins all of it"
                .to_owned()
        }
        "computed" => format!("it computes {about} for every entry; a column of its own would be cheaper"),
        _ => "no entry of the file fulfils it".to_owned(),
    }
}

fn matched(arguments: &MatchArguments, context: &Context) -> Result<Answer, Error> {
    let request = MatchRequest {
        rules: arguments.rules.clone(),
        entries: arguments.entries.clone(),
        threads: usize::from(arguments.threads),
        pairs: arguments.pairs,
    };
    let registry = offline::registry(arguments.data.data.as_deref())?;
    let report = match_file(&registry, &request, &context.progress)?;
    context.progress.finish();
    report.write_counts(&arguments.counts)?;
    for finding in &report.findings {
        terminal::note(&finding.to_string());
    }
    if arguments.data.json {
        terminal::json(&report)?;
    } else {
        print_matched(&report)?;
    }
    Ok(Answer::Done)
}

fn print_matched(report: &MatchReport) -> Result<(), Error> {
    let seconds = |seconds: f64| Some(format!("{seconds:.3} CPU seconds"));
    shown::facts(&[
        ("entries", Some(report.entries.to_string())),
        ("rules", Some(report.rules.to_string())),
        ("matches", Some(report.matches.to_string())),
        ("compiling", seconds(report.compiling_cpu_s)),
        ("reading", seconds(report.reading_cpu_s)),
        ("matching", seconds(report.matching_cpu_s)),
        ("memory", report.memory_peak_bytes.map(|bytes| format!("{} MB at most", bytes / 1_000_000))),
    ])?;
    terminal::line(&format!("{:.0} entries per CPU-second", report.entries_per_cpu_second()))
}

fn english(text: &LocalizedText) -> String {
    text.in_language(Language::En).to_owned()
}

/// The stable name that a value has in JSON.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

fn print_catalogue(all: &TagCatalogue) -> Result<(), Error> {
    let rows: Vec<Vec<String>> = all
        .families
        .iter()
        .flat_map(|family| &family.tags)
        .map(|tag| {
            vec![tag.family.clone(), tag.id.clone(), name(&tag.on), name(&tag.severity), english(&tag.title)]
        })
        .collect();
    terminal::table(&["FAMILY", "TAG", "ON", "WEIGHT", "TITLE"], &rows)?;
    terminal::line(&format!("{} tags in {} families", all.tags, all.families.len()))
}

fn print_tag(detail: &TagDetail) -> Result<(), Error> {
    let tag = &detail.definition;
    shown::facts(&[
        ("tag", Some(format!("{}, version {}", tag.id, tag.version))),
        ("title", Some(english(&tag.title))),
        ("about", Some(english(&tag.description)).filter(|text| !text.is_empty())),
        ("family", Some(english(&detail.family_title))),
        ("on", Some(name(&tag.on))),
        ("when", Some(tag.when.clone())),
        ("look at", Some(english(&tag.inspection_hint))),
        ("weight", Some(tag.severity.name().to_owned())),
        ("owner", Some(tag.owner.clone())),
        ("legal basis", Some(tag.legal_basis.clone())),
        ("seen from", Some(tag.sensitivity.name().to_owned())),
        (
            "stands in",
            Some(format!(
                "{} {}, {}:{}",
                tag.source.pack_id, tag.source.pack_version, tag.source.file, tag.source.line
            )),
        ),
    ])?;
    for aggregate in tag.aggregates.keys() {
        terminal::line(&format!("aggregate    {aggregate}"))?;
    }
    for case in &detail.cases {
        let entry: Vec<String> =
            case.entry.iter().map(|(field, value)| format!("{field} = {value}")).collect();
        let history = if case.history_entries > 0 {
            format!(" after {}", shown::counted(case.history_entries, "entry", "entries"))
        } else {
            String::new()
        };
        terminal::line(&format!("case         {}: {}{history}", name(&case.expect), entry.join(", ")))?;
    }
    Ok(())
}

fn print_reason(reason: &TagReason) -> Result<(), Error> {
    let said = match (reason.carried, reason.unknown) {
        (true, _) => "carried",
        (false, true) => "cannot be told: something is missing",
        (false, false) => "not carried",
    };
    let line = |place: &customhouse::tags::PlaceOfRow| {
        place.line.map(|line| format!("line {line}")).unwrap_or_default()
    };
    let raised =
        (reason.explained != reason.place).then(|| format!(", raised by {}", line(&reason.explained)));
    terminal::line(&format!(
        "{}: {} {said}{}",
        line(&reason.place),
        reason.tag.id,
        raised.unwrap_or_default()
    ))?;
    print_parts(&reason.explanation, 1)?;
    for aggregate in &reason.aggregates {
        let value = aggregate.value.as_deref().unwrap_or("unknown");
        let key: Vec<String> = aggregate
            .key
            .iter()
            .map(|(field, value)| format!("{field} {}", value.as_deref().unwrap_or("unknown")))
            .collect();
        let window = match (aggregate.first_day, aggregate.last_day) {
            (Some(first), Some(last)) => format!(", {first} to {last}"),
            (None, Some(last)) => format!(", up to {last}"),
            _ => String::new(),
        };
        let entries = aggregate
            .entries
            .map(|entries| format!(", from {}", shown::counted(entries, "entry", "entries")));
        let rows: Vec<String> =
            aggregate.sample.iter().filter_map(|place| place.line).map(|line| line.to_string()).collect();
        let rows = if rows.is_empty() { String::new() } else { format!(" (lines {})", rows.join(", ")) };
        terminal::line(&format!(
            "  {} = {value} of {}{window}{}{rows}",
            aggregate.name,
            key.join(", "),
            entries.unwrap_or_default()
        ))?;
    }
    Ok(())
}

/// The condition's parts, each deeper by two blanks than what it is a part of.
fn print_parts(explanation: &Explanation, depth: usize) -> Result<(), Error> {
    const DEPTH_MAX: usize = 12;
    let came_to = match (&explanation.truth, &explanation.value) {
        (Some(truth), _) => name(truth),
        (None, Some(value)) => value.clone(),
        (None, None) => "unknown".to_owned(),
    };
    terminal::line(&format!("{:width$}{}: {came_to}", "", explanation.source, width = depth * 2))?;
    if depth < DEPTH_MAX {
        for part in &explanation.parts {
            print_parts(part, depth.saturating_add(1))?;
        }
    }
    Ok(())
}
