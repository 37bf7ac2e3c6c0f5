//! Making, changing and closing accounts: each an event.

use serde_json::json;

use super::accounts::Account;
use super::role::{Permission, Reader, Role};
use crate::error::{Error, Kind};
use crate::{Customhouse, Fact};

fn stream(account: &str) -> String {
    format!("account/{account}")
}

impl Customhouse {
    /// Makes an account.
    pub fn open_account(
        &self,
        reader: &Reader,
        name: &str,
        role: Role,
        password: &str,
    ) -> Result<Account, Error> {
        reader.require(Permission::ManageUsers)?;
        let account = self.accounts().add(name, role, password, self.now())?;
        let fact = Fact::new(&stream(&account.id), "account.opened", json!({ "name": account.name, "role": role }));
        if let Err(error) = self.record(reader, fact) {
            // Without its event the account must not be usable.
            self.accounts().set_closed(&account.id, true)?;
            return Err(error);
        }
        Ok(account)
    }

    /// The token with which the very first administrator may be made; `None` once there is any account.
    pub fn setup_token(&self) -> Result<Option<String>, Error> {
        let mut token = self.setup_token.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !self.accounts().is_empty()? {
            *token = None;
            return Ok(None);
        }
        if token.is_none() {
            *token = Some(hex::encode(crate::random_bytes::<16>()?));
        }
        Ok(token.clone())
    }

    /// Makes the very first administrator, against the token that stands on the console of the machine.
    pub fn set_up(&self, token: &str, name: &str, password: &str) -> Result<Account, Error> {
        use subtle::ConstantTimeEq;
        let expected = self.setup_token()?;
        let right = expected.is_some_and(|expected| bool::from(expected.as_bytes().ct_eq(token.trim().as_bytes())));
        if !right {
            return Err(Error::new(
                Kind::Forbidden,
                "setup_token_wrong",
                "this is not the setup token, or an account exists already",
                "Copy the token from the console where tidewaiter was started, or sign in.",
            ));
        }
        self.open_account(&Reader::local_operator(), name, Role::Admin, password)
    }

    /// Gives an account another role.
    pub fn change_role(&self, reader: &Reader, name: &str, role: Role) -> Result<Account, Error> {
        reader.require(Permission::ManageUsers)?;
        let account = self.accounts().find(name)?;
        if account.role != role {
            self.keep_an_administrator(&account, role == Role::Admin)?;
            let payload = json!({ "from": account.role, "to": role });
            self.record(reader, Fact::new(&stream(&account.id), "account.role_changed", payload))?;
            self.accounts().set_role(&account.id, role)?;
        }
        self.accounts().find(&account.id)
    }

    /// Closes or reopens an account; closing ends its sessions.
    pub fn set_account_closed(&self, reader: &Reader, name: &str, closed: bool) -> Result<Account, Error> {
        reader.require(Permission::ManageUsers)?;
        let account = self.accounts().find(name)?;
        if account.closed != closed {
            self.keep_an_administrator(&account, !closed)?;
            let kind = if closed { "account.closed" } else { "account.reopened" };
            self.record(reader, Fact::new(&stream(&account.id), kind, json!({})))?;
            self.accounts().set_closed(&account.id, closed)?;
        }
        self.accounts().find(&account.id)
    }

    /// Sets a password: one's own, or anyone's for those who manage accounts. Ends the account's sessions.
    pub fn set_password(&self, reader: &Reader, name: &str, password: &str) -> Result<Account, Error> {
        let account = self.accounts().find(name)?;
        if account.id != reader.id {
            reader.require(Permission::ManageUsers)?;
        }
        self.accounts().set_password(&account.id, password)?;
        self.record(reader, Fact::new(&stream(&account.id), "account.password_changed", json!({})))?;
        Ok(account)
    }

    /// All accounts, for those who manage them.
    pub fn list_accounts(&self, reader: &Reader) -> Result<Vec<Account>, Error> {
        reader.require(Permission::ManageUsers)?;
        self.accounts().list()
    }

    fn keep_an_administrator(&self, account: &Account, stays_administrator: bool) -> Result<(), Error> {
        let leaves = account.role == Role::Admin && !account.closed && !stays_administrator;
        if leaves && self.accounts().other_admins(&account.id)? == 0 {
            return Err(Error::new(
                Kind::Refused,
                "last_administrator",
                format!("\"{}\" is the last open administrator", account.name),
                "Make another administrator first.",
            ));
        }
        Ok(())
    }
}
