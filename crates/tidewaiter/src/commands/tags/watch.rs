//! Combinations of tags that are watched.

use std::time::Duration;

use customhouse::Error;
use customhouse::warnings::{NewWatch, Watched};

use super::super::policy::open_as;
use super::super::{Answer, open};
use crate::arguments::{ActingArguments, DataArguments};
use crate::terminal;

/// How long what was declared may take to be counted.
const COUNT_MAX: Duration = Duration::from_secs(600);

pub(super) fn begin(new: &NewWatch, acting: &ActingArguments) -> Result<Answer, Error> {
    let (house, reader) = open_as(acting)?;
    let own = house.watch_combination(&reader, new)?;
    terminal::line(&format!("{} is watched from now on", own.id))?;
    Ok(Answer::Done)
}

pub(super) fn stop(id: &str, reason: &str, acting: &ActingArguments) -> Result<Answer, Error> {
    let (house, reader) = open_as(acting)?;
    house.unwatch_combination(&reader, id, reason)?;
    terminal::line(&format!("{id} is watched no more"))?;
    Ok(Answer::Done)
}

pub(super) fn list(json: bool, data: &DataArguments) -> Result<Answer, Error> {
    let (house, reader) = open(data)?;
    if !house.count_for_warnings(COUNT_MAX)? {
        terminal::note("the newest declarations are not counted yet; ask again later");
    }
    let found = house.watched_combinations(&reader)?;
    if json {
        terminal::json(&found)?;
        return Ok(Answer::Done);
    }
    let row = |own: &Watched| {
        let held = format!("{} of {}", own.carrying, own.declarations);
        vec![own.id.clone(), own.condition.clone(), held, own.warnings.to_string(), own.title.clone()]
    };
    terminal::table(
        &["ID", "CONDITION", "IN 60 DAYS", "WARNINGS", "TITLE"],
        &found.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(Answer::Done)
}
