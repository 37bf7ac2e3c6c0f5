//! Making, changing and closing accounts: each an event.

use serde_json::json;

use super::accounts::{Account, SignInRefusal};
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
        let fact =
            Fact::new(&stream(&account.id), "account.opened", json!({ "name": account.name, "role": role }));
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
        let right =
            expected.is_some_and(|expected| bool::from(expected.as_bytes().ct_eq(token.trim().as_bytes())));
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

    /// Changes one's own password against the present one, under the same limits as signing in. Ends one's sessions.
    pub fn change_own_password(
        &self,
        reader: &Reader,
        present: &str,
        password: &str,
        address: &str,
    ) -> Result<Account, Error> {
        let account = self.accounts().find(&reader.id)?;
        match self.accounts().sign_in(&account.name, present, address, self.now()) {
            Ok(_) => self.set_password(reader, &reader.id, password),
            Err(SignInRefusal::Wrong) => Err(Error::new(
                Kind::Forbidden,
                "password_wrong",
                "the present password is not right",
                "Try again, or ask an administrator for a new password.",
            )),
            Err(SignInRefusal::Wait { seconds }) => Err(Error::new(
                Kind::Busy,
                "password_wait",
                "the present password was wrong too often",
                format!("Wait {seconds} seconds and try again."),
            )),
            Err(SignInRefusal::Failed(error)) => Err(error),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery";

    fn house() -> (tempfile::TempDir, Customhouse) {
        let folder = tempfile::tempdir().unwrap();
        let house = Customhouse::open(&folder.path().join("data")).unwrap();
        (folder, house)
    }

    #[test]
    fn the_first_administrator_is_made_once_and_only_with_the_token_of_the_console() {
        let (_folder, house) = house();
        let token = house.setup_token().unwrap().unwrap();
        assert_eq!(house.setup_token().unwrap().as_deref(), Some(token.as_str()), "it stays the same");
        assert_eq!(house.set_up("guess", "eve", PASSWORD).unwrap_err().code, "setup_token_wrong");
        let weak = house.set_up(&token, "ada", "short").unwrap_err();
        assert_eq!(weak.code, "password_length");
        let account = house.set_up(&format!(" {token}\n"), "ada", PASSWORD).unwrap();
        assert_eq!(account.role, Role::Admin);
        assert_eq!(house.setup_token().unwrap(), None);
        assert_eq!(house.set_up(&token, "eve", PASSWORD).unwrap_err().code, "setup_token_wrong");
    }

    #[test]
    fn accounts_are_managed_by_administrators_and_the_last_one_stays() {
        let (_folder, house) = house();
        let token = house.setup_token().unwrap().unwrap();
        let admin = house.set_up(&token, "ada", PASSWORD).unwrap();
        let ada = Reader::new(&admin.id, Role::Admin);
        let officer = house.open_account(&ada, "oleg", Role::Officer, PASSWORD).unwrap();
        let oleg = Reader::new(&officer.id, Role::Officer);
        assert_eq!(house.list_accounts(&oleg).unwrap_err().code, "not_permitted");
        assert_eq!(
            house.open_account(&oleg, "eve", Role::Admin, PASSWORD).unwrap_err().code,
            "not_permitted"
        );
        assert_eq!(
            house.set_password(&oleg, "ada", "another long password").unwrap_err().code,
            "not_permitted"
        );
        assert_eq!(house.change_role(&ada, "ada", Role::Officer).unwrap_err().code, "last_administrator");
        assert_eq!(house.set_account_closed(&ada, "ada", true).unwrap_err().code, "last_administrator");
        house.change_role(&ada, "oleg", Role::Admin).unwrap();
        house.set_account_closed(&ada, "ada", true).unwrap();
        assert!(house.accounts().find("ada").unwrap().closed);
    }

    #[test]
    fn ones_own_password_is_changed_against_the_present_one() {
        let (_folder, house) = house();
        let token = house.setup_token().unwrap().unwrap();
        let admin = house.set_up(&token, "ada", PASSWORD).unwrap();
        let ada = Reader::new(&admin.id, Role::Admin);
        let wrong = house.change_own_password(&ada, "a guess", "another long password", "here");
        assert_eq!(wrong.unwrap_err().code, "password_wrong");
        house.change_own_password(&ada, PASSWORD, "another long password", "here").unwrap();
        assert!(house.accounts().sign_in("ada", "another long password", "here", house.now()).is_ok());
    }
}
