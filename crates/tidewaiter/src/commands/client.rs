//! `tidewaiter client`: software of enterprises.

use customhouse::Error;
use customhouse::identity::Client;

use super::{Answer, open};
use crate::arguments::ClientCommand;
use crate::terminal;

pub(super) fn run(command: &ClientCommand) -> Result<Answer, Error> {
    match command {
        ClientCommand::List { data, json } => {
            let (house, reader) = open(data)?;
            let clients = house.clients(&reader)?;
            if *json { terminal::json(&clients)? } else { print(&clients)? }
        }
        ClientCommand::Add { name, party, scope, data } => {
            let (house, reader) = open(data)?;
            let (client, secret) = house.open_client(&reader, name, party, scope)?;
            terminal::line(&format!("{} {secret}", client.id))?;
        }
        ClientCommand::Rotate { id, data } => {
            let (house, reader) = open(data)?;
            let (_, secret) = house.make_client_secret(&reader, id)?;
            terminal::note("Both secrets hold: revoke the old one once the software uses the new one.");
            terminal::line(&secret)?;
        }
        ClientCommand::Revoke { id, secret, data } => {
            let (house, reader) = open(data)?;
            house.revoke_client_secret(&reader, id, secret)?;
            terminal::line(&format!("the secret {secret} is worthless, and its tokens are"))?;
        }
        ClientCommand::Close { id, data } => {
            let (house, reader) = open(data)?;
            let client = house.close_client(&reader, id)?;
            terminal::line(&format!("closed the client {}; what it did stays recorded", client.name))?;
        }
    }
    Ok(Answer::Done)
}

fn print(clients: &[Client]) -> Result<(), Error> {
    let mut rows = Vec::new();
    for client in clients {
        let state = if client.closed { "closed" } else { "open" };
        let scopes = client.scopes.to_string();
        let told = [client.name.as_str(), &client.party, state, &scopes, &client.id];
        let told = told.map(str::to_owned).to_vec();
        if client.secrets.is_empty() {
            rows.push([told.clone(), vec![String::new(), String::new()]].concat());
        }
        for secret in &client.secrets {
            let used = secret
                .used_at
                .map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M").to_string());
            rows.push([told.clone(), vec![secret.id.clone(), used]].concat());
        }
    }
    terminal::table(&["NAME", "PARTY", "STATE", "SCOPES", "ID", "SECRET", "LAST USED (UTC)"], &rows)
}
