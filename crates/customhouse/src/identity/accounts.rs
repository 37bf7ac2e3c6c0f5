//! Accounts and sessions in `accounts.sqlite`. Times here are those of the operating system: a sandbox moves its own
//! clock, and nobody's session with it.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::rate_limit::RateLimit;
use super::role::{Reader, Role};
use super::tokens::Tokens;
use super::{clients, password};
use crate::error::{Error, Kind};

/// A session ends this long after it began.
const SESSION_SECONDS_MAX: i64 = 12 * 3600;
/// A session ends this long after its last use.
const SESSION_IDLE_SECONDS_MAX: i64 = 60 * 60;
/// More sessions of one account than this end the oldest.
const SESSIONS_PER_ACCOUNT_MAX: u32 = 20;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    CREATE TABLE IF NOT EXISTS account (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        role TEXT NOT NULL,
        password_hash TEXT NOT NULL,
        closed INTEGER NOT NULL DEFAULT 0,
        created_second INTEGER NOT NULL,
        party TEXT,
        office TEXT
    ) STRICT;
    CREATE TABLE IF NOT EXISTS session (
        token_hash TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES account (id),
        csrf TEXT NOT NULL,
        created_second INTEGER NOT NULL,
        used_second INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS session_account ON session (account, created_second);
    CREATE TABLE IF NOT EXISTS token (
        id TEXT PRIMARY KEY,
        token_hash TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL REFERENCES account (id),
        label TEXT NOT NULL,
        created_second INTEGER NOT NULL
    ) STRICT;
";
/// Columns that stores of earlier versions do not have.
const ADDED_COLUMNS: [&str; 2] = ["party", "office"];
/// Longest id of a party or office.
const ASSIGNED_CHARACTERS_MAX: usize = 64;

/// An account as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Pseudonymous id: what events carry.
    pub id: String,
    /// Sign-in name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Closed accounts cannot sign in.
    pub closed: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// A trader's party: the enterprise whose declarations it lodges and sees.
    pub party: Option<String>,
    /// An official's office: whose work comes first; `None`: all offices.
    pub office: Option<String>,
}

impl Account {
    /// Whoever looks or acts with this account.
    #[must_use]
    pub fn reader(&self) -> Reader {
        let reader = Reader::new(&self.id, self.role);
        match self.role {
            Role::Trader => reader.of_party(self.party.as_deref()),
            _ => reader.at_office(self.office.as_deref()),
        }
    }
}

/// An account to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewAccount<'a> {
    /// Sign-in name.
    pub name: &'a str,
    /// Role.
    pub role: Role,
    /// Password.
    pub password: &'a str,
    /// A trader's party.
    pub party: Option<&'a str>,
    /// An official's office.
    pub office: Option<&'a str>,
}

impl<'a> NewAccount<'a> {
    /// An account of no party and no office.
    #[must_use]
    pub fn new(name: &'a str, role: Role, password: &'a str) -> Self {
        Self { name, role, password, party: None, office: None }
    }

    /// The same, acting for a party.
    #[must_use]
    pub fn of_party(self, party: Option<&'a str>) -> Self {
        Self { party, ..self }
    }

    /// The same, working at an office.
    #[must_use]
    pub fn at_office(self, office: Option<&'a str>) -> Self {
        Self { office, ..self }
    }
}

/// A signed-in session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub account: Account,
    /// The token every form of this session must carry.
    pub csrf: String,
}

impl Session {
    /// Whoever looks or acts in this session.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.account.reader()
    }
}

/// Why signing in did not work. Deliberately the same for an unknown name and a wrong password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInRefusal {
    /// Name or password is wrong, or the account is closed.
    Wrong,
    /// Too many failures; wait this long.
    Wait {
        /// Seconds until the next attempt.
        seconds: i64,
    },
    /// The store failed.
    Failed(Error),
}

/// The store of accounts and sessions.
#[derive(Debug)]
pub struct Accounts {
    connection: Mutex<Connection>,
    pub(super) tokens: Tokens,
    limit: Mutex<RateLimit>,
    /// Verified against when the name is unknown, so that the answer takes as long as for a known one.
    decoy_hash: String,
}

pub(super) fn failed(error: &rusqlite::Error) -> Error {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        return Error::new(
            Kind::Internal,
            "disk_full",
            "there is no space left for accounts.sqlite",
            "Free some space on that disk and try again.",
        );
    }
    Error::internal("accounts_store_failed", error)
}

pub(super) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// A party or an office as it is kept: nothing at all instead of blanks.
pub(super) fn assigned(what: &str, id: Option<&str>) -> Result<Option<String>, Error> {
    let Some(id) = id.map(str::trim).filter(|id| !id.is_empty()) else { return Ok(None) };
    let well_formed = id.chars().count() <= ASSIGNED_CHARACTERS_MAX
        && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':'));
    if well_formed {
        return Ok(Some(id.to_owned()));
    }
    Err(Error::new(
        Kind::Invalid,
        "account_assignment",
        format!("\"{}\" cannot be the id of {what}", id.chars().take(64).collect::<String>()),
        "Use 1 to 64 letters, digits, and . - _ / : as they stand in declarations.",
    ))
}

pub(super) fn read_account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let role: String = row.get("role")?;
    let created: i64 = row.get("created_second")?;
    Ok(Account {
        id: row.get("id")?,
        name: row.get("name")?,
        // An account of a role this version does not know may do nothing.
        role: Role::from_name(&role).unwrap_or(Role::Trader),
        closed: row.get("closed")?,
        created_at: Timestamp::from_second(created).unwrap_or_default(),
        party: row.get("party")?,
        office: row.get("office")?,
    })
}

fn add_columns(connection: &Connection) -> rusqlite::Result<()> {
    for column in ADDED_COLUMNS {
        let there = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('account') WHERE name = ?1)";
        if !connection.query_row(there, [column], |row| row.get::<_, bool>(0))? {
            connection.execute_batch(&format!("ALTER TABLE account ADD COLUMN {column} TEXT"))?;
        }
    }
    Ok(())
}

impl Accounts {
    /// Opens or makes the store.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let connection = Connection::open(path).map_err(|error| failed(&error))?;
        connection
            .execute_batch(SCHEMA)
            .and_then(|()| connection.execute_batch(clients::SCHEMA))
            .and_then(|()| add_columns(&connection))
            .map_err(|error| failed(&error))?;
        let tokens = Tokens::read(&connection).map_err(|error| failed(&error))?;
        let decoy_hash = password::hash(&hex::encode(crate::random_bytes::<16>()?))?;
        Ok(Self { connection: Mutex::new(connection), tokens, limit: Mutex::default(), decoy_hash })
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn limit(&self) -> MutexGuard<'_, RateLimit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All accounts by name.
    pub fn list(&self) -> Result<Vec<Account>, Error> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT * FROM account ORDER BY name")
            .map_err(|error| failed(&error))?;
        let accounts = statement
            .query_map([], read_account)
            .and_then(Iterator::collect)
            .map_err(|error| failed(&error))?;
        Ok(accounts)
    }

    /// The account called `name` or with that id.
    pub fn find(&self, name_or_id: &str) -> Result<Account, Error> {
        self.connection()
            .query_row("SELECT * FROM account WHERE name = ?1 OR id = ?1", [name_or_id], read_account)
            .optional()
            .map_err(|error| failed(&error))?
            .ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    "account_unknown",
                    format!("there is no account \"{name_or_id}\""),
                    "See the list of accounts for the names there are.",
                )
            })
    }

    /// Is there no account at all yet?
    pub fn is_empty(&self) -> Result<bool, Error> {
        self.connection()
            .query_row("SELECT NOT EXISTS (SELECT 1 FROM account)", [], |row| row.get(0))
            .map_err(|error| failed(&error))
    }

    pub(crate) fn add(&self, new: &NewAccount<'_>, now: Timestamp) -> Result<Account, Error> {
        let name = new.name.trim();
        let well_formed = (1..=64).contains(&name.chars().count())
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | ' '));
        if !well_formed {
            return Err(Error::new(
                Kind::Invalid,
                "account_name",
                format!("\"{}\" cannot be a sign-in name", name.chars().take(64).collect::<String>()),
                "Use 1 to 64 letters, digits, blanks, and . - _ @.",
            ));
        }
        let (party, office) = (assigned("a party", new.party)?, assigned("an office", new.office)?);
        let hash = password::hash(new.password)?;
        let id = format!("u-{}", hex::encode(crate::random_bytes::<8>()?));
        let added = self.connection().execute(
            "INSERT INTO account (id, name, role, password_hash, created_second, party, office)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            params![id, name, new.role.name(), hash, now.as_second(), party, office],
        );
        match added {
            Ok(0) => Err(Error::new(
                Kind::Conflict,
                "account_exists",
                format!("there already is an account \"{name}\""),
                "Choose another name, or change that account.",
            )),
            Ok(_) => self.find(&id),
            Err(error) => Err(failed(&error)),
        }
    }

    /// What an assignment would be, or why it cannot be.
    pub(crate) fn checked_assignment(
        party: Option<&str>,
        office: Option<&str>,
    ) -> Result<(Option<String>, Option<String>), Error> {
        Ok((assigned("a party", party)?, assigned("an office", office)?))
    }

    pub(crate) fn set_assignment(
        &self,
        id: &str,
        party: Option<&str>,
        office: Option<&str>,
    ) -> Result<(), Error> {
        let connection = self.connection();
        connection
            .execute("UPDATE account SET party = ?2, office = ?3 WHERE id = ?1", params![id, party, office])
            .and_then(|_| self.tokens.read_again(&connection))
            .map_err(|error| failed(&error))
    }

    pub(crate) fn set_role(&self, id: &str, role: Role) -> Result<(), Error> {
        self.change(id, "UPDATE account SET role = ?2 WHERE id = ?1", role.name())
    }

    pub(crate) fn set_closed(&self, id: &str, closed: bool) -> Result<(), Error> {
        self.change(
            id,
            "UPDATE account SET closed = (?2 = 'closed') WHERE id = ?1",
            if closed { "closed" } else { "open" },
        )?;
        self.end_sessions_of(id)
    }

    pub(crate) fn set_password(&self, id: &str, password: &str) -> Result<(), Error> {
        let hash = password::hash(password)?;
        self.change(id, "UPDATE account SET password_hash = ?2 WHERE id = ?1", &hash)?;
        self.end_sessions_of(id)
    }

    /// Closes an account for good and takes name, party, password and tokens away from it: its person is erased. The id
    /// that events carry stays.
    pub(crate) fn forget(&self, id: &str) -> Result<(), Error> {
        self.end_sessions_of(id)?;
        let connection = self.connection();
        connection
            .execute_batch("PRAGMA secure_delete = ON")
            .and_then(|()| connection.execute("DELETE FROM token WHERE account = ?1", [id]))
            .and_then(|_| {
                connection.execute(
                    "UPDATE account SET name = 'erased-' || id, party = NULL, closed = 1, password_hash = ''
                     WHERE id = ?1",
                    [id],
                )
            })
            .and_then(|_| self.tokens.read_again(&connection))
            .and_then(|()| connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);"))
            .map_err(|error| failed(&error))
    }

    fn change(&self, id: &str, statement: &str, value: &str) -> Result<(), Error> {
        let connection = self.connection();
        connection
            .execute(statement, [id, value])
            .and_then(|_| self.tokens.read_again(&connection))
            .map_err(|error| failed(&error))
    }

    fn end_sessions_of(&self, id: &str) -> Result<(), Error> {
        self.connection()
            .execute("DELETE FROM session WHERE account = ?1", [id])
            .map_err(|error| failed(&error))?;
        Ok(())
    }

    /// How many accounts other than `id` can still manage accounts: the last one must stay.
    pub(crate) fn other_admins(&self, id: &str) -> Result<u32, Error> {
        self.connection()
            .query_row(
                "SELECT count(*) FROM account WHERE role = 'admin' AND NOT closed AND id <> ?1",
                [id],
                |row| row.get(0),
            )
            .map_err(|error| failed(&error))
    }

    /// Signs in and answers with the session's secret token. `address` is the caller's network address.
    pub fn sign_in(
        &self,
        name: &str,
        password: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<String, SignInRefusal> {
        let second = now.as_second();
        let keys = [format!("account {}", name.trim().to_lowercase()), format!("address {address}")];
        let wait = keys.iter().map(|key| self.limit().wait_seconds(key, second)).max().unwrap_or(0);
        if wait > 0 {
            return Err(SignInRefusal::Wait { seconds: wait });
        }
        let known: Option<(String, String, bool)> = self
            .connection()
            .query_row(
                "SELECT id, password_hash, closed FROM account WHERE name = ?1",
                [name.trim()],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()
            .map_err(|error| SignInRefusal::Failed(failed(&error)))?;
        let hash = known.as_ref().map_or(self.decoy_hash.as_str(), |(_, hash, _)| hash);
        let right = password::verify(password, hash);
        match known {
            Some((id, _, false)) if right => {
                for key in &keys {
                    self.limit().succeeded(key);
                }
                self.begin_session(&id, second).map_err(SignInRefusal::Failed)
            }
            _ => {
                for key in &keys {
                    self.limit().failed(key, second);
                }
                Err(SignInRefusal::Wrong)
            }
        }
    }

    fn begin_session(&self, account: &str, second: i64) -> Result<String, Error> {
        let token = hex::encode(crate::random_bytes::<32>()?);
        let csrf = hex::encode(crate::random_bytes::<32>()?);
        let connection = self.connection();
        connection
            .execute(
                "INSERT INTO session (token_hash, account, csrf, created_second, used_second)
                 VALUES (?1, ?2, ?3, ?4, ?4)",
                params![token_hash(&token), account, csrf, second],
            )
            .map_err(|error| failed(&error))?;
        connection
            .execute(
                "DELETE FROM session WHERE created_second < ?2 - ?4 OR used_second < ?2 - ?5
                 OR token_hash IN (SELECT token_hash FROM session WHERE account = ?1
                                   ORDER BY created_second DESC, rowid DESC LIMIT -1 OFFSET ?3)",
                params![
                    account,
                    second,
                    SESSIONS_PER_ACCOUNT_MAX,
                    SESSION_SECONDS_MAX,
                    SESSION_IDLE_SECONDS_MAX
                ],
            )
            .map_err(|error| failed(&error))?;
        Ok(token)
    }

    /// The session of a token, if it still runs; using it keeps it alive.
    pub fn session(&self, token: &str, now: Timestamp) -> Result<Option<Session>, Error> {
        let found = self.find_session(token, now)?;
        if let Some((_, used)) = found
            // Once a minute is often enough, and keeps reading pages from writing to the disk.
            && now.as_second().saturating_sub(used) >= 60
        {
            self.connection()
                .execute(
                    "UPDATE session SET used_second = ?2 WHERE token_hash = ?1",
                    params![token_hash(token), now.as_second()],
                )
                .map_err(|error| failed(&error))?;
        }
        Ok(found.map(|(session, _)| session))
    }

    /// The same for what happens without a person: a page that follows what moves keeps no session alive.
    pub fn session_unattended(&self, token: &str, now: Timestamp) -> Result<Option<Session>, Error> {
        Ok(self.find_session(token, now)?.map(|(session, _)| session))
    }

    /// The session with the second of its last use.
    fn find_session(&self, token: &str, now: Timestamp) -> Result<Option<(Session, i64)>, Error> {
        self.connection()
            .query_row(
                "SELECT account.*, session.csrf, session.used_second FROM session
                 JOIN account ON account.id = session.account WHERE token_hash = ?1 AND NOT closed
                 AND session.created_second >= ?2 - ?3 AND session.used_second >= ?2 - ?4",
                params![token_hash(token), now.as_second(), SESSION_SECONDS_MAX, SESSION_IDLE_SECONDS_MAX],
                |row| {
                    let session = Session { account: read_account(row)?, csrf: row.get("csrf")? };
                    Ok((session, row.get("used_second")?))
                },
            )
            .optional()
            .map_err(|error| failed(&error))
    }

    /// Ends a session.
    pub fn sign_out(&self, token: &str) -> Result<(), Error> {
        self.connection()
            .execute("DELETE FROM session WHERE token_hash = ?1", [token_hash(token)])
            .map_err(|error| failed(&error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn accounts() -> (tempfile::TempDir, Accounts) {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(&folder.path().join("accounts.sqlite")).unwrap();
        (folder, accounts)
    }

    #[test]
    fn a_session_lives_while_it_is_used_and_ends_when_signed_out_or_idle_or_old() {
        let (_folder, accounts) = accounts();
        let account = accounts
            .add(&NewAccount::new("analyst one", Role::Analyst, "correct horse battery"), at(0))
            .unwrap();
        let token = accounts.sign_in("Analyst One", "correct horse battery", "127.0.0.1", at(0)).unwrap();
        assert_eq!(accounts.session(&token, at(10)).unwrap().unwrap().account, account);
        assert!(accounts.session(&token, at(3_600)).unwrap().is_some());
        assert!(accounts.session(&token, at(7_100)).unwrap().is_some(), "used an hour ago");
        assert!(accounts.session(&token, at(11_000)).unwrap().is_none(), "idle for more than an hour");
        assert!(accounts.session_unattended(&token, at(10_700)).unwrap().is_some());
        assert!(accounts.session(&token, at(10_701)).unwrap().is_none(), "looking on keeps no session alive");
        accounts.sign_out(&token).unwrap();
        assert!(accounts.session(&token, at(20)).unwrap().is_none());
    }

    #[test]
    fn a_wrong_password_and_an_unknown_name_get_the_same_answer_and_then_have_to_wait() {
        let (_folder, accounts) = accounts();
        accounts.add(&NewAccount::new("chief", Role::Chief, "correct horse battery"), at(0)).unwrap();
        for (name, address) in [("chief", "a"), ("nobody", "b")] {
            for _ in 0..6 {
                let refused = accounts.sign_in(name, "wrong", address, at(0)).unwrap_err();
                assert_eq!(refused, SignInRefusal::Wrong);
            }
            let waiting = accounts.sign_in(name, "correct horse battery", address, at(0)).unwrap_err();
            assert_eq!(waiting, SignInRefusal::Wait { seconds: 5 });
        }
        assert!(accounts.sign_in("chief", "correct horse battery", "c", at(5)).is_ok());
    }

    #[test]
    fn closing_an_account_or_changing_its_password_ends_its_sessions() {
        let (_folder, accounts) = accounts();
        let account =
            accounts.add(&NewAccount::new("officer", Role::Officer, "correct horse battery"), at(0)).unwrap();
        let token = accounts.sign_in("officer", "correct horse battery", "a", at(0)).unwrap();
        accounts.set_password(&account.id, "another long password").unwrap();
        assert!(accounts.session(&token, at(1)).unwrap().is_none());
        let token = accounts.sign_in("officer", "another long password", "a", at(1)).unwrap();
        accounts.set_closed(&account.id, true).unwrap();
        assert!(accounts.session(&token, at(2)).unwrap().is_none());
        assert_eq!(
            accounts.sign_in("officer", "another long password", "a", at(3)).unwrap_err(),
            SignInRefusal::Wrong
        );
    }

    #[test]
    fn weak_passwords_and_odd_names_are_refused_with_a_remedy() {
        let (_folder, accounts) = accounts();
        assert_eq!(
            accounts.add(&NewAccount::new("a", Role::Admin, "short"), at(0)).unwrap_err().code,
            "password_length"
        );
        assert_eq!(
            accounts
                .add(&NewAccount::new("<b>", Role::Admin, "correct horse battery"), at(0))
                .unwrap_err()
                .code,
            "account_name"
        );
        accounts.add(&NewAccount::new("a", Role::Admin, "correct horse battery"), at(0)).unwrap();
        assert_eq!(
            accounts
                .add(&NewAccount::new("A", Role::Admin, "correct horse battery"), at(0))
                .unwrap_err()
                .code,
            "account_exists"
        );
    }
    #[test]
    fn a_store_of_an_earlier_version_gains_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.sqlite");
        let earlier = "CREATE TABLE account (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            role TEXT NOT NULL, password_hash TEXT NOT NULL, closed INTEGER NOT NULL DEFAULT 0,
            created_second INTEGER NOT NULL) STRICT;
            INSERT INTO account VALUES ('u-1', 'ada', 'admin', 'x', 0, 1790000000);";
        Connection::open(&path).unwrap().execute_batch(earlier).unwrap();
        for _ in 0..2 {
            let account = Accounts::open(&path).unwrap().find("ada").unwrap();
            assert_eq!((account.party, account.office), (None, None));
        }
        let accounts = Accounts::open(&path).unwrap();
        accounts.set_assignment("u-1", None, Some("OFF1")).unwrap();
        assert_eq!(accounts.find("ada").unwrap().reader().office.as_deref(), Some("OFF1"));
    }
}
