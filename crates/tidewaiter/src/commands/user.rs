//! `tidewaiter user`: accounts of a data folder.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;

use customhouse::Error;
use customhouse::identity::{Account, NewAccount, PASSWORD_CHARACTERS_MIN};

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
        UserCommand::Add { name, role, party, office, data } => {
            let (house, reader) = open(data)?;
            let password = read_password()?;
            let new = NewAccount::new(name, *role, &password)
                .of_party(party.as_deref())
                .at_office(office.as_deref());
            let account = house.open_account(&reader, &new)?;
            terminal::line(&format!("made the account {} as {}", account.name, account.role.name()))?;
        }
        UserCommand::Assign { name, party, office, data } => {
            let (house, reader) = open(data)?;
            let account = house.assign(&reader, name, party.as_deref(), office.as_deref())?;
            let told = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".to_owned());
            let (party, office) = (told(&account.party), told(&account.office));
            terminal::line(&format!("{}: party {party}, office {office}", account.name))?;
        }
        UserCommand::Token { name, label, data } => {
            let (house, reader) = open(data)?;
            let (token, secret) = house.issue_token(&reader, name, label)?;
            terminal::note(&format!("It ends on {}.", token.expires_at.strftime("%Y-%m-%d")));
            terminal::line(&secret)?;
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
                account.party.clone().or_else(|| account.office.clone()).unwrap_or_default(),
                if account.closed { "closed" } else { "open" }.to_owned(),
                account.created_at.strftime("%Y-%m-%d %H:%M").to_string(),
                account.id.clone(),
            ]
        })
        .collect();
    terminal::table(&["NAME", "ROLE", "PARTY OR OFFICE", "STATE", "SINCE (UTC)", "ID"], &rows)
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
