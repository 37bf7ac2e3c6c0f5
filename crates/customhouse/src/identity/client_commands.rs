//! Making, changing and closing clients: each an event.
//!
//! | call | who | event |
//! |---|---|---|
//! | `open_client(&reader, name, party, &scopes) -> (Client, secret)` | a trader for its own party, who manages accounts for any | `client.opened` |
//! | `make_client_secret(&reader, id) -> (ClientSecret's id, secret)` | the same | `client.secret_made` |
//! | `revoke_client_secret(&reader, id, secret)` | the same | `client.secret_revoked` |
//! | `set_client_scopes(&reader, id, &scopes) -> Client` | the same | `client.scopes_changed` |
//! | `close_client(&reader, id) -> Client` | the same | `client.closed` |
//! | `clients(&reader) -> Vec<Client>`, `client(&reader, id) -> Client` | the same | none |
//!
//! A client of somebody else's is as unknown as one that does not exist.

use serde_json::json;

use super::clients::{Client, client_unknown};
use super::role::{Permission, Reader};
use super::scope::Scopes;
use crate::error::{Error, Kind};
use crate::{Customhouse, Fact};

fn stream(client: &str) -> String {
    format!("client/{client}")
}

impl Customhouse {
    /// Makes a client. The answer's secret is shown this once; only its hash is kept.
    ///
    /// # Errors
    /// `not_permitted` for a party that is not the reader's own; `client_name`, `client_party`, `too_many_clients`.
    pub fn open_client(
        &self,
        reader: &Reader,
        name: &str,
        party: &str,
        scopes: &Scopes,
    ) -> Result<(Client, String), Error> {
        reader.require(Permission::ManageClients)?;
        if !manages_clients_of(reader, party.trim()) {
            return Err(Error::new(
                Kind::Forbidden,
                "client_of_others",
                "a trader makes clients of its own party only",
                "Name the party for which your account acts, or ask an administrator.",
            ));
        }
        let (client, secret) = self.accounts().add_client((name, party), scopes, self.wall_now())?;
        let payload = json!({ "name": client.name, "party": client.party, "scopes": client.scopes });
        if let Err(error) = self.record(reader, Fact::new(&stream(&client.id), "client.opened", payload)) {
            // Without its event the client must not be usable.
            self.accounts().close_client(&client.id)?;
            return Err(error);
        }
        Ok((client, secret))
    }

    /// Clients that the reader manages: open ones first, then the latest first.
    pub fn clients(&self, reader: &Reader) -> Result<Vec<Client>, Error> {
        reader.require(Permission::ManageClients)?;
        if reader.may(Permission::ManageUsers) {
            return self.accounts().clients(None);
        }
        let Some(party) = &reader.party else { return Ok(Vec::new()) };
        self.accounts().clients(Some(party))
    }

    /// One client that the reader manages.
    pub fn client(&self, reader: &Reader, id: &str) -> Result<Client, Error> {
        reader.require(Permission::ManageClients)?;
        let client = self.accounts().client(id)?;
        if manages_clients_of(reader, &client.party) { Ok(client) } else { Err(client_unknown(id)) }
    }

    /// Makes another secret beside the one in use, so that software can be given it before the old one is revoked.
    /// Answers with its id, and with what is shown this once.
    ///
    /// # Errors
    /// `too_many_secrets` where there are two; `client_closed`.
    pub fn make_client_secret(&self, reader: &Reader, id: &str) -> Result<(String, String), Error> {
        let client = self.open_client_of(reader, id)?;
        let (secret_id, secret) = self.accounts().add_client_secret(&client.id, self.wall_now())?;
        let payload = json!({ "secret": secret_id });
        if let Err(error) = self.record(reader, Fact::new(&stream(&client.id), "client.secret_made", payload))
        {
            self.accounts().remove_client_secret(&client.id, &secret_id)?;
            return Err(error);
        }
        Ok((secret_id, secret))
    }

    /// Makes a secret worthless at once, and every token that was given for it.
    pub fn revoke_client_secret(&self, reader: &Reader, id: &str, secret: &str) -> Result<(), Error> {
        let client = self.client(reader, id)?;
        if !self.accounts().remove_client_secret(&client.id, secret)? {
            return Err(Error::new(
                Kind::NotFound,
                "secret_unknown",
                "the client has no such secret",
                "See the client's list of secrets; it may have been revoked already.",
            ));
        }
        let payload = json!({ "secret": secret });
        self.record(reader, Fact::new(&stream(&client.id), "client.secret_revoked", payload)).map(|_| ())
    }

    /// Lets a client do something else. Tokens that it has lose at once what is taken away.
    pub fn set_client_scopes(&self, reader: &Reader, id: &str, scopes: &Scopes) -> Result<Client, Error> {
        let client = self.open_client_of(reader, id)?;
        if client.scopes != *scopes {
            let payload = json!({ "from": client.scopes, "to": scopes });
            self.record(reader, Fact::new(&stream(&client.id), "client.scopes_changed", payload))?;
            self.accounts().set_client_scopes(&client.id, scopes)?;
        }
        self.accounts().client(&client.id)
    }

    /// Closes a client for good; its secrets and tokens are worthless at once.
    pub fn close_client(&self, reader: &Reader, id: &str) -> Result<Client, Error> {
        let client = self.client(reader, id)?;
        if !client.closed {
            self.record(reader, Fact::new(&stream(&client.id), "client.closed", json!({})))?;
            self.accounts().close_client(&client.id)?;
        }
        self.accounts().client(&client.id)
    }

    fn open_client_of(&self, reader: &Reader, id: &str) -> Result<Client, Error> {
        let client = self.client(reader, id)?;
        if client.closed {
            return Err(Error::new(
                Kind::Refused,
                "client_closed",
                "the client is closed",
                "Make another one: a closed client never opens again.",
            ));
        }
        Ok(client)
    }
}

fn manages_clients_of(reader: &Reader, party: &str) -> bool {
    reader.may(Permission::ManageUsers) || reader.party.as_deref() == Some(party)
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
