//! Tokens of an hour, for which clients trade their secrets (RFC 6749, section 4.4). They mean something to us only:
//! 256 random bits, of which a hash is kept. Times are those of the operating system, as for sessions.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::accounts::{Accounts, failed, token_hash};
use super::role::Reader;
use super::scope::Scopes;
use crate::error::Error;

/// A token is worthless this long after it was given.
pub const ACCESS_TOKEN_SECONDS: i64 = 3_600;
/// Tokens begin like this: so they are told apart from those of accounts.
const PREFIX: &str = "twa_";
/// Tokens of one client that hold at once; beyond, the oldest end.
const TOKENS_PER_CLIENT_MAX: u32 = 100;

/// A token that was just given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token itself: shown this once.
    pub token: String,
    /// What it lets its bearer do.
    pub scopes: Scopes,
}

/// Why no token was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRefusal {
    /// Client or secret is wrong, or the client is closed: deliberately the same answer.
    Wrong,
    /// Too many failures; wait this long.
    Wait {
        /// Seconds until the next attempt.
        seconds: i64,
    },
    /// The client is not let do what was asked for, or there is no such scope.
    Scope(Error),
    /// The store failed.
    Failed(Error),
}

impl Accounts {
    /// Gives a client a token for its secret. `scopes`: names with blanks between; `None`: all that the client has.
    /// `address` is the caller's network address.
    ///
    /// # Errors
    /// See [`TokenRefusal`].
    pub fn give_access_token(
        &self,
        (client, secret): (&str, &str),
        scopes: Option<&str>,
        address: &str,
        now: Timestamp,
    ) -> Result<AccessToken, TokenRefusal> {
        let second = now.as_second();
        // Nobody guesses 256 bits: the limit keeps a program with a wrong secret from asking for ever. It is one of
        // client and address together, so that a stranger shuts out neither a client nor everybody behind a proxy.
        let key = format!("client {} at {address}", client.chars().take(64).collect::<String>());
        let wait = self.limit().wait_seconds(&key, second);
        if wait > 0 {
            return Err(TokenRefusal::Wait { seconds: wait });
        }
        let known: Option<(String, String)> = self
            .connection()
            .prepare_cached(
                "SELECT client_secret.id, client.scopes FROM client_secret
                 JOIN client ON client.id = client_secret.client
                 WHERE secret_hash = ?1 AND client.id = ?2 AND NOT closed",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([token_hash(secret).as_str(), client], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(|error| TokenRefusal::Failed(failed(&error)))?;
        let Some((secret, allowed)) = known else {
            self.limit().failed(&key, second);
            return Err(TokenRefusal::Wrong);
        };
        self.limit().succeeded(&key);
        let allowed = Scopes::of_store(&allowed);
        let scopes = match scopes {
            Some(asked) => Scopes::parse(asked).map_err(TokenRefusal::Scope)?,
            None => allowed.clone(),
        };
        if !allowed.contain(&scopes) {
            return Err(TokenRefusal::Scope(Error::new(
                crate::Kind::Forbidden,
                "scope_not_given",
                format!("the client's scopes are {allowed}"),
                "Ask for no more than these, or have the client given more.",
            )));
        }
        self.keep_access_token(client, &secret, &scopes, second)
            .map(|token| AccessToken { token, scopes })
            .map_err(TokenRefusal::Failed)
    }

    fn keep_access_token(
        &self,
        client: &str,
        secret: &str,
        scopes: &Scopes,
        second: i64,
    ) -> Result<String, Error> {
        let token = format!("{PREFIX}{}", hex::encode(crate::random_bytes::<32>()?));
        let mut connection = self.connection();
        let mut keep = || {
            let transaction = connection.transaction()?;
            transaction.execute(
                "INSERT INTO access_token (token_hash, client, secret, scopes, ends_second)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    token_hash(&token),
                    client,
                    secret,
                    scopes.to_string(),
                    second.saturating_add(ACCESS_TOKEN_SECONDS)
                ],
            )?;
            transaction.execute(
                "UPDATE client_secret SET used_second = ?2 WHERE id = ?1",
                params![secret, second],
            )?;
            transaction.execute("DELETE FROM access_token WHERE ends_second < ?1", [second])?;
            transaction.execute(
                "DELETE FROM access_token WHERE token_hash IN (
                     SELECT token_hash FROM access_token WHERE client = ?1
                     ORDER BY ends_second DESC, rowid DESC LIMIT -1 OFFSET ?2)",
                params![client, TOKENS_PER_CLIENT_MAX],
            )?;
            transaction.commit()
        };
        keep().map_err(|error: rusqlite::Error| failed(&error))?;
        Ok(token)
    }

    /// Whoever bears a token of an hour; `None` for any other token. Asked of the store every time: whichever process
    /// of a site gave it or took it back, all know.
    pub(super) fn access_reader(&self, token: &str, now: Timestamp) -> Option<Reader> {
        if !token.starts_with(PREFIX) {
            return None;
        }
        let found = self
            .connection()
            .prepare_cached(
                "SELECT client.id, client.party, client.scopes, access_token.scopes FROM access_token
             JOIN client ON client.id = access_token.client
             WHERE token_hash = ?1 AND ends_second >= ?2 AND NOT closed",
            )
            .and_then(|mut statement| {
                statement
                    .query_row(params![token_hash(token), now.as_second()], |row| {
                        let (client, party): (String, String) = (row.get(0)?, row.get(1)?);
                        let (has, given): (String, String) = (row.get(2)?, row.get(3)?);
                        let scopes = Scopes::of_store(&given).and(&Scopes::of_store(&has));
                        Ok(Reader::client(&client, &party, scopes))
                    })
                    .optional()
            });
        found.unwrap_or_else(|error| {
            tracing::error!("whose token it is could not be read: {error}");
            None
        })
    }
}
