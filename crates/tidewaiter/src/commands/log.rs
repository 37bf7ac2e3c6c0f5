//! `tidewaiter log`: the transparency log of a data folder.

use customhouse::Error;
use customhouse::proof::{RebuiltLog, rebuild_log};

use super::{Answer, Context, open, shown, verify};
use crate::arguments::LogCommand;
use crate::terminal;

pub(super) fn run(command: &LogCommand, context: &Context) -> Result<Answer, Error> {
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
            Ok(Answer::Done)
        }
        LogCommand::Rebuild { data, key, checkpoint, json } => {
            let rebuilt = rebuild_log(&data.location(), key, checkpoint, &context.progress)?;
            context.progress.finish();
            if *json {
                terminal::json(&rebuilt)?;
            } else {
                print_rebuilt(&rebuilt)?;
                verify::print_folder(&rebuilt.verified, key.is_empty())?;
            }
            Ok(Answer::of(!rebuilt.verified.holds()))
        }
        LogCommand::Pad { events, data } => {
            let (house, reader) = open(data)?;
            house.pad_log(&reader, *events)?;
            terminal::line(&match events {
                1 => "sizes of checkpoints are no longer padded".to_owned(),
                _ => format!("sizes of checkpoints will be multiples of {events}"),
            })?;
            terminal::line("start the servers of this site anew: it holds from then on")?;
            Ok(Answer::Done)
        }
    }
}

fn print_rebuilt(rebuilt: &RebuiltLog) -> Result<(), Error> {
    for (place, size) in &rebuilt.compared {
        terminal::line(&format!("the journal agrees with {place}: {} events", shown::count(*size)))?;
    }
    for place in &rebuilt.renewed {
        terminal::line(&format!("{place}: was missing or damaged, and is made anew"))?;
    }
    if rebuilt.renewed.is_empty() {
        terminal::line("nothing of the log was missing or damaged")?;
    }
    if let Some(aside) = &rebuilt.kept_aside {
        terminal::line(&format!("what was damaged stands in {}", aside.display()))?;
    }
    Ok(())
}
