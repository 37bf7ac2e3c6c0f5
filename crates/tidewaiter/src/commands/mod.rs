//! One file a command. Each takes its arguments and answers with what the exit code says.

mod audit;
mod backup;
mod check;
mod client;
mod conformance;
mod country;
mod demo;
mod entities;
mod erase;
mod export;
mod import;
mod journal;
mod log;
mod map;
mod pack;
mod policy;
mod pool;
mod reference;
mod replay;
mod restore;
mod rule;
mod serve;
mod shown;
mod tags;
mod user;
mod verify;

pub(crate) use country::failed as country_failed;
use customhouse::identity::Reader;
use customhouse::{Customhouse, Error, Location};

use crate::arguments::{Arguments, Command, DataArguments};
use crate::terminal::TerminalProgress;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Done.
    Done,
    /// Done, and what was looked at has errors.
    FoundErrors,
}

impl Answer {
    fn of(errors: bool) -> Self {
        if errors { Self::FoundErrors } else { Self::Done }
    }
}

/// What every command may need beside its own arguments.
struct Context {
    progress: TerminalProgress,
    quiet: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Answer, Error> {
    let context = Context { progress: TerminalProgress::new(arguments.quiet), quiet: arguments.quiet };
    match &arguments.command {
        Command::Audit(arguments) => audit::run(arguments, &context),
        Command::Map(arguments) => map::run(arguments),
        Command::Country(arguments) => country::run(arguments, &context),
        Command::Import(arguments) => import::run(arguments, &context),
        Command::Pool(command) => pool::run(command),
        Command::Pack(command) => pack::run(command),
        Command::Tags(command) => tags::run(command, &context),
        Command::Entities(command) => entities::run(command, &context),
        Command::Rule(command) => rule::run(command),
        Command::Check(arguments) => check::run(arguments),
        Command::Conformance(arguments) => conformance::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::User(command) => user::run(command),
        Command::Client(command) => client::run(command),
        Command::Policy(command) => policy::run(command),
        Command::Erase(command) => erase::run(command, &context),
        Command::Replay(command) => replay::run(command, &context),
        Command::Verify(command) => verify::run(command, &context),
        Command::Backup(arguments) => backup::run(arguments, &context),
        Command::Restore(arguments) => restore::run(arguments, &context),
        Command::Export(arguments) => export::run(arguments, &context),
        Command::Journal(command) => journal::run(command, &context),
        Command::Log(command) => log::run(command, &context),
        Command::Demo(arguments) => demo::run(arguments, &context),
        Command::Completions { shell } => reference::completions(*shell),
        Command::Man { folder } => reference::man(folder.as_deref()),
        Command::Reference => reference::reference(),
    }
}

/// Opens a data folder, a sandbox as what it is; whoever may read its files acts as its operator.
fn open(data: &DataArguments) -> Result<(Customhouse, Reader), Error> {
    open_at(&data.location())
}

fn open_at(location: &Location) -> Result<(Customhouse, Reader), Error> {
    let house = match Customhouse::open_at(location) {
        Err(error) if error.code == "data_folder_sandbox" => Customhouse::open_sandbox(&location.data, None)?,
        opened => opened?,
    };
    Ok((house, Reader::local_operator()))
}
