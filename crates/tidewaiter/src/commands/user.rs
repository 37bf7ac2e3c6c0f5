//! `tidewaiter user`: accounts of a data folder.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;

use customhouse::Error;
use customhouse::identity::{Account, PASSWORD_CHARACTERS_MIN};

use super::{Answer, open};
use crate::arguments::UserCommand;
use crate::terminal;

pub(super) fn run(command: &UserCommand) -> Result<Answer, Error> {
    match command {
        UserCommand::List { data, json } => {
            let (house, reader) = open(data)?;
            let accounts = house.list_accounts(&reader)?;
            if *json { terminal::json(&accounts)? } else { print(&accounts)? }
        }
        UserCommand::Add { name, role, data } => {
            let (house, reader) = open(data)?;
            let password = read_password()?;
            let account = house.open_account(&reader, name, *role, &password)?;
            terminal::line(&format!("made the account {} as {}", account.name, account.role.name()))?;
        }
        UserCommand::Password { name, data } => {
            let (house, reader) = open(data)?;
            let account = house.accounts().find(name)?;
            let password = read_password()?;
            house.set_password(&reader, &account.name, &password)?;
            terminal::line(&format!("set the password of {}; its sessions have ended", account.name))?;
        }
        UserCommand::Role { name, role, data } => {
            let (house, reader) = open(data)?;
            let account = house.change_role(&reader, name, *role)?;
            terminal::line(&format!("{} is {} now", account.name, account.role.name()))?;
        }
        UserCommand::Close { name, data } => {
            let (house, reader) = open(data)?;
            let account = house.set_account_closed(&reader, name, true)?;
            terminal::line(&format!("closed the account {}; what it did stays recorded", account.name))?;
        }
        UserCommand::Reopen { name, data } => {
            let (house, reader) = open(data)?;
            let account = house.set_account_closed(&reader, name, false)?;
            terminal::line(&format!("the account {} is open again", account.name))?;
        }
    }
    Ok(Answer::Done)
}

fn print(accounts: &[Account]) -> Result<(), Error> {
    let rows: Vec<Vec<String>> = accounts
        .iter()
        .map(|account| {
            vec![
                account.name.clone(),
                account.role.name().to_owned(),
                if account.closed { "closed" } else { "open" }.to_owned(),
                account.created_at.strftime("%Y-%m-%d %H:%M").to_string(),
                account.id.clone(),
            ]
        })
        .collect();
    terminal::table(&["NAME", "ROLE", "STATE", "SINCE (UTC)", "ID"], &rows)
}

/// One line of standard input, so that passwords stand in no history and no list of processes.
fn read_password() -> Result<String, Error> {
    if io::stdin().is_terminal() {
        terminal::note(&format!(
            "Password (at least {PASSWORD_CHARACTERS_MIN} characters; it is shown as typed):"
        ));
    }
    const LINE_BYTES_MAX: u64 = 8 * 1024;
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(LINE_BYTES_MAX)
        .read_line(&mut line)
        .map_err(|error| Error::io("password_unreadable", Path::new("standard input"), &error))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
