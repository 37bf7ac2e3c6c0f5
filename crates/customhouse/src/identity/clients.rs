//! Clients in `accounts.sqlite`: software of an enterprise, what it is let do, and the secrets it has at the moment. Of
//! secrets, which are 256 random bits, only a hash is kept.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use super::accounts::{Accounts, assigned, failed, token_hash};
use super::scope::Scopes;
use crate::error::{Error, Kind};

/// Secrets begin like this, so that one that lies around is recognised.
const SECRET_PREFIX: &str = "tws_";
/// Open clients of one party at most.
const CLIENTS_PER_PARTY_MAX: u32 = 50;
/// Secrets that hold at once: the one in use and the one that takes its place.
pub(super) const SECRETS_MAX: u32 = 2;
/// Longest name.
const NAME_CHARACTERS_MAX: usize = 80;

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS client (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        party TEXT NOT NULL,
        scopes TEXT NOT NULL,
        closed INTEGER NOT NULL DEFAULT 0,
        created_second INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS client_party ON client (party, created_second);
    CREATE TABLE IF NOT EXISTS client_secret (
        id TEXT PRIMARY KEY,
        secret_hash TEXT NOT NULL UNIQUE,
        client TEXT NOT NULL REFERENCES client (id),
        created_second INTEGER NOT NULL,
        used_second INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS client_secret_client ON client_secret (client, created_second);
    CREATE TABLE IF NOT EXISTS access_token (
        token_hash TEXT PRIMARY KEY,
        client TEXT NOT NULL REFERENCES client (id),
        secret TEXT NOT NULL REFERENCES client_secret (id) ON DELETE CASCADE,
        scopes TEXT NOT NULL,
        ends_second INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS access_token_client ON access_token (client, ends_second);
    CREATE INDEX IF NOT EXISTS access_token_secret ON access_token (secret);
    CREATE INDEX IF NOT EXISTS access_token_ends ON access_token (ends_second);
";

/// Software of an enterprise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Client {
    /// Id: what events carry, and the `client_id` of RFC 6749. No secret.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// The party for which it acts.
    pub party: String,
    /// What it is let do.
    pub scopes: Scopes,
    /// A closed client gets no token, and never opens again.
    pub closed: bool,
    /// When it was made.
    pub opened_at: Timestamp,
    /// Secrets that hold, the latest first.
    pub secrets: Vec<ClientSecret>,
}

/// A secret of a client, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientSecret {
    /// Id: no secret.
    pub id: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When a token was last asked for with it; `None`: never.
    pub used_at: Option<Timestamp>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

/// A client without its secrets.
fn read_client(row: &Row<'_>) -> rusqlite::Result<Client> {
    let scopes: String = row.get("scopes")?;
    Ok(Client {
        id: row.get("id")?,
        name: row.get("name")?,
        party: row.get("party")?,
        scopes: Scopes::of_store(&scopes),
        closed: row.get("closed")?,
        opened_at: at(row.get("created_second")?),
        secrets: Vec::new(),
    })
}

fn with_secrets(connection: &Connection, client: Client) -> rusqlite::Result<Client> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM client_secret WHERE client = ?1 ORDER BY created_second DESC, rowid DESC",
    )?;
    let secrets = statement.query_map([&client.id], |row| {
        let used: Option<i64> = row.get("used_second")?;
        Ok(ClientSecret {
            id: row.get("id")?,
            made_at: at(row.get("created_second")?),
            used_at: used.map(at),
        })
    })?;
    Ok(Client { secrets: secrets.collect::<rusqlite::Result<_>>()?, ..client })
}

/// Adds a secret; `false` where there are as many as there may be.
fn add_secret(
    connection: &Connection,
    client: &str,
    (id, secret): &(String, String),
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let added = connection.execute(
        "INSERT INTO client_secret (id, secret_hash, client, created_second) SELECT ?1, ?2, ?3, ?4
         WHERE (SELECT count(*) FROM client_secret WHERE client = ?3) < ?5",
        params![id, token_hash(secret), client, now.as_second(), SECRETS_MAX],
    )?;
    Ok(added > 0)
}

/// Id and secret.
fn made_up_secret() -> Result<(String, String), Error> {
    let id = format!("s-{}", hex::encode(crate::random_bytes::<8>()?));
    Ok((id, format!("{SECRET_PREFIX}{}", hex::encode(crate::random_bytes::<32>()?))))
}

pub(super) fn client_unknown(id: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "client_unknown",
        format!("there is no client \"{}\" that you may manage", id.chars().take(64).collect::<String>()),
        "See the list of clients for the ids there are.",
    )
}

fn checked_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    let well_formed =
        (1..=NAME_CHARACTERS_MAX).contains(&name.chars().count()) && !name.contains(char::is_control);
    if well_formed {
        return Ok(name);
    }
    Err(Error::new(
        Kind::Invalid,
        "client_name",
        "a client needs a name",
        format!("Say in 1 to {NAME_CHARACTERS_MAX} characters which software it is."),
    ))
}

impl Accounts {
    /// Makes a client with its first secret, which is shown this once.
    pub(super) fn add_client(
        &self,
        (name, party): (&str, &str),
        scopes: &Scopes,
        now: Timestamp,
    ) -> Result<(Client, String), Error> {
        let name = checked_name(name)?;
        let party = assigned("a party", Some(party))?.ok_or_else(|| {
            Error::new(
                Kind::Invalid,
                "client_party",
                "a client acts for a party, and none was named",
                "Name the enterprise's number, such as its EORI number.",
            )
        })?;
        let id = format!("c-{}", hex::encode(crate::random_bytes::<8>()?));
        let secret = made_up_secret()?;
        let mut connection = self.connection();
        let added = (|| {
            let transaction = connection.transaction()?;
            let added = transaction.execute(
                "INSERT INTO client (id, name, party, scopes, created_second) SELECT ?1, ?2, ?3, ?4, ?5
                 WHERE (SELECT count(*) FROM client WHERE party = ?3 AND NOT closed) < ?6",
                params![id, name, party, scopes.to_string(), now.as_second(), CLIENTS_PER_PARTY_MAX],
            )?;
            if added > 0 {
                add_secret(&transaction, &id, &secret, now)?;
            }
            transaction.commit().map(|()| added > 0)
        })();
        drop(connection);
        if !added.map_err(|error| failed(&error))? {
            return Err(Error::new(
                Kind::Refused,
                "too_many_clients",
                format!("the party has {CLIENTS_PER_PARTY_MAX} open clients already"),
                "Close one that is not used any more.",
            ));
        }
        Ok((self.client(&id)?, secret.1))
    }

    /// The client of an id.
    pub(super) fn client(&self, id: &str) -> Result<Client, Error> {
        let connection = self.connection();
        let found = connection
            .query_row("SELECT * FROM client WHERE id = ?1", [id], read_client)
            .and_then(|client| with_secrets(&connection, client))
            .optional();
        found.map_err(|error| failed(&error))?.ok_or_else(|| client_unknown(id))
    }

    /// Clients of a party, or all there are; open ones first, then the latest first.
    pub(super) fn clients(&self, party: Option<&str>) -> Result<Vec<Client>, Error> {
        let connection = self.connection();
        let read = || -> rusqlite::Result<Vec<Client>> {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM client WHERE ?1 IS NULL OR party = ?1
                 ORDER BY closed, created_second DESC, rowid DESC",
            )?;
            let clients: Vec<Client> =
                statement.query_map([party], read_client)?.collect::<rusqlite::Result<_>>()?;
            clients.into_iter().map(|client| with_secrets(&connection, client)).collect()
        };
        read().map_err(|error| failed(&error))
    }

    /// Makes another secret, beside the one there is; answers with its id and with what is shown this once.
    pub(super) fn add_client_secret(&self, client: &str, now: Timestamp) -> Result<(String, String), Error> {
        let secret = made_up_secret()?;
        if add_secret(&self.connection(), client, &secret, now).map_err(|error| failed(&error))? {
            return Ok(secret);
        }
        Err(Error::new(
            Kind::Refused,
            "too_many_secrets",
            format!("the client has {SECRETS_MAX} secrets already"),
            "Revoke the one that is not used any more; the list says when each was last used.",
        ))
    }

    /// Makes a secret worthless, and every token that was given for it. Was there such a secret?
    pub(super) fn remove_client_secret(&self, client: &str, secret: &str) -> Result<bool, Error> {
        let removed = self
            .connection()
            .execute("DELETE FROM client_secret WHERE client = ?1 AND id = ?2", [client, secret]);
        Ok(removed.map_err(|error| failed(&error))? > 0)
    }

    /// Tokens that hold lose at once what is taken away.
    pub(super) fn set_client_scopes(&self, client: &str, scopes: &Scopes) -> Result<(), Error> {
        self.connection()
            .execute("UPDATE client SET scopes = ?2 WHERE id = ?1", params![client, scopes.to_string()])
            .map(|_| ())
            .map_err(|error| failed(&error))
    }

    /// Closes a client for good: its secrets and tokens are gone.
    pub(super) fn close_client(&self, client: &str) -> Result<(), Error> {
        let mut connection = self.connection();
        let mut close = || {
            let transaction = connection.transaction()?;
            transaction.execute("DELETE FROM client_secret WHERE client = ?1", [client])?;
            transaction.execute("UPDATE client SET closed = 1 WHERE id = ?1", [client])?;
            transaction.commit()
        };
        close().map_err(|error| failed(&error))
    }

    /// Closes the clients of a party that is erased, and takes name and party away from them. The ids that events carry
    /// stay. Answers with how many there were.
    pub(crate) fn forget_clients(&self, is: &dyn Fn(&str) -> bool) -> Result<u64, Error> {
        let own: Vec<Client> = self.clients(None)?.into_iter().filter(|client| is(&client.party)).collect();
        for client in &own {
            self.close_client(&client.id)?;
            self.connection()
                .execute("UPDATE client SET name = 'erased', party = 'erased' WHERE id = ?1", [&client.id])
                .map_err(|error| failed(&error))?;
        }
        if !own.is_empty() {
            self.connection()
                .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
                .map_err(|error| failed(&error))?;
        }
        Ok(u64::try_from(own.len()).unwrap_or(u64::MAX))
    }
}
