//! `tidewaiter log`: the transparency log of a data folder.

use customhouse::Error;

use super::{Answer, open};
use crate::arguments::LogCommand;
use crate::terminal;

pub(super) fn run(command: &LogCommand) -> Result<Answer, Error> {
    match command {
        LogCommand::ChangeKey { data, json } => {
            let (house, reader) = open(data)?;
            let changed = house.change_log_key(&reader)?;
            if *json {
                terminal::json(&changed)?;
            } else {
                terminal::line(&format!(
                    "{}: the key signed {} entries, and no more",
                    changed.origin, changed.size
                ))?;
                terminal::line(&format!("old key: {}", changed.old_key))?;
                terminal::line(&format!("new key: {}", changed.new_key))?;
                terminal::line("tell the new key to those who verify, by another way than the log itself")?;
            }
        }
        LogCommand::Pad { events, data } => {
            let (house, reader) = open(data)?;
            house.pad_log(&reader, *events)?;
            terminal::line(&match events {
                1 => "sizes of checkpoints are no longer padded".to_owned(),
                _ => format!("sizes of checkpoints will be multiples of {events}"),
            })?;
            terminal::line("start the servers of this site anew: it holds from then on")?;
        }
    }
    Ok(Answer::Done)
}
