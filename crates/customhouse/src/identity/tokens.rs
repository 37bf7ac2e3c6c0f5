//! Tokens with which programs act as an account. Their secrets are 256 random bits, so that a plain hash keeps them.
//!
//! All tokens in use are held in memory, read anew with every change of a token or an account: a program that calls
//! thousands of times a second waits for no disk, and what was revoked is worthless with the next call.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::accounts::{Accounts, failed, read_account, token_hash};
use super::role::Reader;
use crate::error::{Error, Kind};

/// Secrets begin like this, so that one that lies around is recognised.
const PREFIX: &str = "tw_";
/// Tokens of one account at most.
const TOKENS_PER_ACCOUNT_MAX: u32 = 20;
/// A token is worthless this long after it was issued.
const TOKEN_SECONDS_MAX: i64 = 366 * 86_400;
/// Longest label.
const LABEL_CHARACTERS_MAX: usize = 80;

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiToken {
    /// Id: no secret.
    pub id: String,
    /// What its owner calls it.
    pub label: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(Debug)]
struct InUse {
    reader: Reader,
    issued_second: i64,
}

/// Tokens in use, by the hash of their secret.
#[derive(Debug, Default)]
pub(super) struct Tokens(RwLock<HashMap<String, InUse>>);

impl Tokens {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let tokens = Self::default();
        tokens.read_again(connection)?;
        Ok(tokens)
    }

    /// Called with the store locked, so that no older state replaces a newer one.
    pub(super) fn read_again(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "SELECT account.*, token.token_hash, token.created_second AS issued_second
             FROM token JOIN account ON account.id = token.account WHERE NOT closed",
        )?;
        let in_use = statement
            .query_map([], |row| {
                let token =
                    InUse { reader: read_account(row)?.reader(), issued_second: row.get("issued_second")? };
                Ok((row.get("token_hash")?, token))
            })?
            .collect::<rusqlite::Result<_>>()?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = in_use;
        Ok(())
    }
}

fn read_token(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    let issued: i64 = row.get("created_second")?;
    let at = |second| Timestamp::from_second(second).unwrap_or_default();
    Ok(ApiToken {
        id: row.get("id")?,
        label: row.get("label")?,
        issued_at: at(issued),
        expires_at: at(issued.saturating_add(TOKEN_SECONDS_MAX)),
    })
}

impl Accounts {
    /// Whoever acts with this token: an account's, or one that a client was given. An account's waits for no disk and
    /// no lock that writers hold for long.
    #[must_use]
    pub fn token_reader(&self, secret: &str, now: Timestamp) -> Option<Reader> {
        if secret.starts_with(PREFIX) {
            self.account_reader(secret, now)
        } else {
            self.access_reader(secret, now)
        }
    }

    fn account_reader(&self, secret: &str, now: Timestamp) -> Option<Reader> {
        let in_use = self.tokens.0.read().unwrap_or_else(PoisonError::into_inner);
        let token = in_use.get(&token_hash(secret))?;
        (now.as_second().saturating_sub(token.issued_second) <= TOKEN_SECONDS_MAX)
            .then(|| token.reader.clone())
    }

    pub(super) fn add_token(
        &self,
        account: &str,
        label: &str,
        now: Timestamp,
    ) -> Result<(ApiToken, String), Error> {
        let label = label.trim();
        if label.is_empty()
            || label.chars().count() > LABEL_CHARACTERS_MAX
            || label.contains(char::is_control)
        {
            return Err(Error::new(
                Kind::Invalid,
                "token_label",
                "a token needs a label",
                format!("Say in 1 to {LABEL_CHARACTERS_MAX} characters which program will use it."),
            ));
        }
        let id = format!("t-{}", hex::encode(crate::random_bytes::<8>()?));
        let secret = format!("{PREFIX}{}", hex::encode(crate::random_bytes::<32>()?));
        let connection = self.connection();
        let added = connection
            .execute(
                "INSERT INTO token (id, token_hash, account, label, created_second) SELECT ?1, ?2, ?3, ?4, ?5
                 WHERE (SELECT count(*) FROM token WHERE account = ?3) < ?6",
                params![id, token_hash(&secret), account, label, now.as_second(), TOKENS_PER_ACCOUNT_MAX],
            )
            .map_err(|error| failed(&error))?;
        if added == 0 {
            return Err(Error::new(
                Kind::Refused,
                "too_many_tokens",
                format!("the account has {TOKENS_PER_ACCOUNT_MAX} tokens already"),
                "Revoke one that is not used any more.",
            ));
        }
        let token = connection
            .query_row("SELECT * FROM token WHERE id = ?1", [&id], read_token)
            .and_then(|token| self.tokens.read_again(&connection).map(|()| token))
            .map_err(|error| failed(&error))?;
        Ok((token, secret))
    }

    pub(super) fn list_tokens(&self, account: &str) -> Result<Vec<ApiToken>, Error> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT * FROM token WHERE account = ?1 ORDER BY created_second DESC, rowid DESC")
            .map_err(|error| failed(&error))?;
        statement.query_map([account], read_token).and_then(Iterator::collect).map_err(|error| failed(&error))
    }

    /// Was there such a token?
    pub(super) fn remove_token(&self, account: &str, id: &str) -> Result<bool, Error> {
        let connection = self.connection();
        let removed = connection
            .execute("DELETE FROM token WHERE account = ?1 AND id = ?2", [account, id])
            .map_err(|error| failed(&error))?;
        self.tokens.read_again(&connection).map_err(|error| failed(&error))?;
        Ok(removed > 0)
    }
}
