//! Making, changing and closing accounts: each an event.

use serde_json::json;

use super::accounts::{Account, Accounts, NewAccount, SignInRefusal};
use super::role::{Permission, Reader, Role};
use super::tokens::ApiToken;
use crate::error::{Error, Kind};
use crate::{Customhouse, Fact};

fn stream(account: &str) -> String {
    format!("account/{account}")
}

impl Customhouse {
    /// Makes an account.
    pub fn open_account(&self, reader: &Reader, new: &NewAccount<'_>) -> Result<Account, Error> {
        reader.require(Permission::ManageUsers)?;
        let account = self.accounts().add(new, self.wall_now())?;
        let payload = json!({
            "name": account.name, "role": account.role, "party": account.party, "office": account.office,
        });
        if let Err(error) = self.record(reader, Fact::new(&stream(&account.id), "account.opened", payload)) {
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
        self.open_account(&Reader::local_operator(), &NewAccount::new(name, Role::Admin, password))
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

    /// Gives an account the party it acts for and the office it works at; `None`: none.
    pub fn assign(
        &self,
        reader: &Reader,
        name: &str,
        party: Option<&str>,
        office: Option<&str>,
    ) -> Result<Account, Error> {
        reader.require(Permission::ManageUsers)?;
        let account = self.accounts().find(name)?;
        let (party, office) = Accounts::checked_assignment(party, office)?;
        if (&account.party, &account.office) != (&party, &office) {
            let payload = json!({ "party": party, "office": office });
            self.record(reader, Fact::new(&stream(&account.id), "account.assigned", payload))?;
            self.accounts().set_assignment(&account.id, party.as_deref(), office.as_deref())?;
        }
        self.accounts().find(&account.id)
    }

    /// Makes a token with which a program acts as an account: one's own, or anyone's for those who manage accounts.
    /// The answer's secret is shown this once; only its hash is kept.
    pub fn issue_token(&self, reader: &Reader, name: &str, label: &str) -> Result<(ApiToken, String), Error> {
        let account = self.account_of_tokens(reader, name)?;
        let (token, secret) = self.accounts().add_token(&account.id, label, self.wall_now())?;
        let payload = json!({ "token": token.id, "label": token.label });
        if let Err(error) =
            self.record(reader, Fact::new(&stream(&account.id), "account.token_issued", payload))
        {
            self.accounts().remove_token(&account.id, &token.id)?;
            return Err(error);
        }
        Ok((token, secret))
    }

    /// The tokens of an account, the latest first.
    pub fn tokens(&self, reader: &Reader, name: &str) -> Result<Vec<ApiToken>, Error> {
        let account = self.account_of_tokens(reader, name)?;
        self.accounts().list_tokens(&account.id)
    }

    /// Makes a token worthless at once.
    pub fn revoke_token(&self, reader: &Reader, name: &str, token: &str) -> Result<(), Error> {
        let account = self.account_of_tokens(reader, name)?;
        if self.accounts().remove_token(&account.id, token)? {
            let payload = json!({ "token": token });
            self.record(reader, Fact::new(&stream(&account.id), "account.token_revoked", payload))?;
            return Ok(());
        }
        Err(Error::new(
            Kind::NotFound,
            "token_unknown",
            "there is no such token",
            "See the account's list of tokens; it may have been revoked already.",
        ))
    }

    fn account_of_tokens(&self, reader: &Reader, name: &str) -> Result<Account, Error> {
        if reader.id != name {
            reader.require(Permission::ManageUsers)?;
        }
        self.accounts().find(name)
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
        match self.accounts().sign_in(&account.name, present, address, self.wall_now()) {
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
        let officer = house.open_account(&ada, &NewAccount::new("oleg", Role::Officer, PASSWORD)).unwrap();
        let oleg = Reader::new(&officer.id, Role::Officer);
        assert_eq!(house.list_accounts(&oleg).unwrap_err().code, "not_permitted");
        assert_eq!(
            house.open_account(&oleg, &NewAccount::new("eve", Role::Admin, PASSWORD)).unwrap_err().code,
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
        assert!(house.accounts().sign_in("ada", "another long password", "here", house.wall_now()).is_ok());
    }
    #[test]
    fn a_token_acts_as_its_account_until_it_is_revoked_or_the_account_changes() {
        let (_folder, house) = house();
        let operator = Reader::local_operator();
        let new = NewAccount::new("broker", Role::Trader, PASSWORD).of_party(Some("E1"));
        let broker = house.open_account(&operator, &new).unwrap();
        let (token, secret) = house.issue_token(&broker.reader(), &broker.id, "warehouse system").unwrap();
        let accounts = house.accounts();
        let now = house.wall_now();
        assert_eq!(accounts.token_reader(&secret, now), Some(broker.reader()));
        assert_eq!(broker.reader().party.as_deref(), Some("E1"));
        for guess in ["", "tw_", &secret[..secret.len() - 1], &secret.to_uppercase(), &token.id] {
            assert_eq!(accounts.token_reader(guess, now), None, "{guess}");
        }
        house.assign(&operator, "broker", Some("E2"), None).unwrap();
        assert_eq!(accounts.token_reader(&secret, now).unwrap().party.as_deref(), Some("E2"));
        house.change_role(&operator, "broker", Role::Officer).unwrap();
        let reader = accounts.token_reader(&secret, now).unwrap();
        assert_eq!((reader.role, reader.party), (Role::Officer, None), "a party is a trader's");
        house.set_account_closed(&operator, "broker", true).unwrap();
        assert_eq!(accounts.token_reader(&secret, now), None);
        house.set_account_closed(&operator, "broker", false).unwrap();
        assert!(accounts.token_reader(&secret, now).is_some());
        house.revoke_token(&operator, "broker", &token.id).unwrap();
        assert_eq!(accounts.token_reader(&secret, now), None);
        assert_eq!(house.revoke_token(&operator, "broker", &token.id).unwrap_err().code, "token_unknown");
        assert!(house.tokens(&operator, "broker").unwrap().is_empty());
    }

    #[test]
    fn tokens_of_others_are_for_administrators_and_ids_are_checked() {
        let (_folder, house) = house();
        let operator = Reader::local_operator();
        for (name, role) in [("oleg", Role::Officer), ("tara", Role::Trader)] {
            house.open_account(&operator, &NewAccount::new(name, role, PASSWORD)).unwrap();
        }
        let oleg = house.accounts().find("oleg").unwrap();
        let tara = house.accounts().find("tara").unwrap();
        for refused in [
            house.issue_token(&oleg.reader(), &tara.id, "x").map(|_| ()),
            house.tokens(&oleg.reader(), &tara.id).map(|_| ()),
            house.revoke_token(&oleg.reader(), &tara.id, "x"),
            house.assign(&oleg.reader(), "tara", Some("E1"), None).map(|_| ()),
        ] {
            assert_eq!(refused.unwrap_err().code, "not_permitted");
        }
        let odd = house.assign(&operator, "tara", Some("<script>"), None).unwrap_err();
        assert_eq!(odd.code, "account_assignment");
        let blank = house.assign(&operator, "tara", Some("  "), Some(" OFF1 ")).unwrap();
        assert_eq!((blank.party, blank.office.as_deref()), (None, Some("OFF1")));
    }
}
