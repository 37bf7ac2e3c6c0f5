//! Who carries which tags in a data folder, why, and what tags rest on.

use std::io::Write as _;
use std::time::Duration;

use customhouse::identity::Reader;
use customhouse::tags::{LineageStep, TagQuery, TagSelection, tag_dependents, tag_sources};
use customhouse::{Customhouse, Error, Location, offline, write_whole};

use super::super::{Answer, open_at, shown};
use super::{CLEARANCE, english};
use crate::arguments::{ExplainArguments, OptionalDataArguments, WhoArguments};
use crate::terminal;

/// How long the matrix may take to catch up.
const CATCH_UP: Duration = Duration::from_secs(600);

/// Opens a data folder whose matrix reflects everything that is recorded.
fn caught_up(location: &Location) -> Result<(Customhouse, Reader), Error> {
    let (house, reader) = open_at(location)?;
    let head = house.journal_position();
    if house.wait_until_tags_counted(head, CATCH_UP) < head || house.wait_until_shown(head, CATCH_UP) < head {
        terminal::note("the newest events are not counted yet; ask again later");
    }
    Ok((house, reader))
}

pub(super) fn who(arguments: &WhoArguments) -> Result<Answer, Error> {
    let (house, reader) = caught_up(&arguments.data.location())?;
    let query = TagQuery {
        q: arguments.condition.clone(),
        of: arguments.of.clone(),
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        ..TagQuery::default()
    };
    if let Some(path) = &arguments.out {
        let mut bytes = Vec::new();
        house.export_by_tags(&reader, &query, &mut bytes)?;
        bytes.flush().map_err(|error| Error::io("file_unwritable", path, &error))?;
        write_whole(path, &bytes)?;
    }
    let found = house.select_by_tags(&reader, &query)?;
    if arguments.json {
        terminal::json(&found)?;
    } else {
        print_selection(&found, &arguments.of)?;
    }
    Ok(Answer::Done)
}

fn print_selection(found: &TagSelection, of: &str) -> Result<(), Error> {
    terminal::line(&format!("{} of {} {of}", found.counted.count, found.counted.all))?;
    if let Some(hits) = &found.hits {
        let inspected = shown::counted(hits.inspected, "inspection", "inspections");
        terminal::line(&format!("{} irregular in {inspected}; of all others it is unknown", hits.irregular))?;
    }
    if let Some(difference) = &found.difference {
        terminal::line(&format!(
            "{} then, {} later: {} gained, {} lost",
            difference.before, difference.after, difference.gained, difference.lost
        ))?;
    }
    let rows: Vec<Vec<String>> = found
        .together
        .iter()
        .map(|own| vec![own.tag.clone(), own.count.to_string(), format!("{:.1}", own.lift)])
        .collect();
    if !rows.is_empty() {
        terminal::table(&["TAG", "HOW MANY", "LIFT"], &rows)?;
    }
    for own in &found.entities {
        terminal::line(&own.id)?;
    }
    for own in &found.declarations {
        terminal::line(&own.mrn)?;
    }
    Ok(())
}

pub(super) fn explained(arguments: &ExplainArguments) -> Result<Answer, Error> {
    let data = arguments.data.clone().unwrap_or_default();
    let (house, reader) = caught_up(&arguments.site.location(&data))?;
    let told = house.tag_lineage(&reader, &arguments.tag, &arguments.entity)?;
    if arguments.json {
        terminal::json(&told)?;
        return Ok(Answer::Done);
    }
    shown::facts(&[
        ("tag", Some(format!("{}: {}", told.tag.id, english(&told.tag.title)))),
        ("entity", Some(told.entity.clone())),
        ("when", Some(told.when.clone())),
        ("declarations", Some(told.declarations.to_string())),
        ("pack", Some(format!("{} {}", told.tag.pack, told.versions.join(", ")))),
    ])?;
    print_step("first", &told.first)?;
    for step in &told.latest {
        print_step("later", step)?;
    }
    Ok(Answer::Done)
}

fn print_step(word: &str, step: &LineageStep) -> Result<(), Error> {
    let items: Vec<String> = step.items.iter().map(u32::to_string).collect();
    terminal::line(&format!("{word}  {}  {}  items {}", step.mrn, step.at, items.join(", ")))?;
    if step.erased {
        terminal::line("       what was recorded was erased")?;
    }
    for (name, value) in &step.values {
        terminal::line(&format!("       {name} = {value}"))?;
    }
    Ok(())
}

pub(super) fn depends(name: Option<&str>, data: &OptionalDataArguments) -> Result<Answer, Error> {
    let registry = offline::registry(data.data.as_deref())?;
    let Some(name) = name else {
        let sources = tag_sources(&registry, CLEARANCE);
        if data.json {
            terminal::json(&sources)?;
        } else {
            let row = |own: &customhouse::tags::TagSource| {
                vec![own.kind.name().to_owned(), own.name.clone(), own.tags.to_string()]
            };
            terminal::table(&["KIND", "NAME", "TAGS"], &sources.iter().map(row).collect::<Vec<_>>())?;
        }
        return Ok(Answer::Done);
    };
    let found = tag_dependents(&registry, CLEARANCE, name)?;
    if data.json {
        terminal::json(&found)?;
        return Ok(Answer::Done);
    }
    let rows: Vec<Vec<String>> = found
        .tags
        .iter()
        .map(|own| vec![own.tag.id.clone(), own.reads.join(" "), own.aggregates.join(" ")])
        .collect();
    terminal::table(&["TAG", "READS", "THROUGH"], &rows)?;
    terminal::line(&shown::counted(found.source.tags, "tag", "tags"))?;
    Ok(Answer::Done)
}
