use jiff::{SignedDuration, Timestamp};

use super::super::{ACCESS_TOKEN_SECONDS, NewAccount, Role, TokenRefusal};
use super::*;

struct Party {
    house: Customhouse,
    tara: Reader,
    _folder: tempfile::TempDir,
}

/// A house with a trader of the party E1.
fn party() -> Party {
    let folder = tempfile::tempdir().unwrap();
    let house = Customhouse::open(&folder.path().join("data")).unwrap();
    let new = NewAccount::new("tara", Role::Trader, "correct horse battery").of_party(Some("E1"));
    let tara = house.open_account(&Reader::local_operator(), &new).unwrap().reader();
    Party { house, tara, _folder: folder }
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

impl Party {
    fn client(&self, allowed: &str) -> (Client, String) {
        self.house.open_client(&self.tara, "warehouse system", "E1", &scopes(allowed)).unwrap()
    }

    fn token(&self, client: &str, secret: &str, asked: Option<&str>) -> Result<String, TokenRefusal> {
        let given = self.house.accounts().give_access_token((client, secret), asked, "here", self.now());
        given.map(|given| given.token)
    }

    fn reader(&self, token: &str) -> Option<Reader> {
        self.house.accounts().token_reader(token, self.now())
    }

    fn now(&self) -> Timestamp {
        self.house.wall_now()
    }
}

#[test]
fn a_client_acts_for_its_party_within_its_scopes_for_an_hour() {
    let party = party();
    let (client, secret) = party.client("declarations.lodge declarations.read");
    let token = party.token(&client.id, &secret, None).unwrap();
    let reader = party.reader(&token).unwrap();
    assert_eq!(reader, Reader::client(&client.id, "E1", client.scopes.clone()));
    let narrow = party.token(&client.id, &secret, Some("declarations.read")).unwrap();
    assert!(!party.reader(&narrow).unwrap().may(Permission::Lodge));
    let later = |seconds| party.now() + SignedDuration::from_secs(seconds);
    let accounts = party.house.accounts();
    assert!(accounts.token_reader(&token, later(ACCESS_TOKEN_SECONDS - 5)).is_some());
    assert!(accounts.token_reader(&token, later(ACCESS_TOKEN_SECONDS + 5)).is_none());
    for worthless in [secret.as_str(), client.id.as_str(), "twa_", "", &token.to_uppercase()] {
        assert_eq!(party.reader(worthless), None, "{worthless}");
    }
    // What is taken away from the client is taken away from its tokens.
    party.house.set_client_scopes(&party.tara, &client.id, &scopes("declarations.lodge")).unwrap();
    assert!(!party.reader(&token).unwrap().may(Permission::ViewOwn));
    assert_eq!(party.reader(&narrow).unwrap().scopes().map(Scopes::to_string).as_deref(), Some(""));
}

#[test]
fn what_is_not_the_clients_is_refused_and_whoever_fails_often_waits() {
    let party = party();
    let (client, secret) = party.client("declarations.read");
    let (other, others_secret) = party.client("declarations.read");
    let wrong = [("c-0", secret.as_str()), (client.id.as_str(), "tws_0"), (&client.id, &others_secret)];
    for (client, secret) in wrong {
        assert_eq!(party.token(client, secret, None).unwrap_err(), TokenRefusal::Wrong, "{client}");
    }
    for asked in ["declarations.lodge", "declarations.read declarations.lodge", "everything", ""] {
        let refused = party.token(&client.id, &secret, Some(asked)).unwrap_err();
        assert!(matches!(refused, TokenRefusal::Scope(_)), "{asked}: {refused:?}");
    }
    for _ in 0..6 {
        assert_eq!(party.token(&client.id, "tws_0", None).unwrap_err(), TokenRefusal::Wrong);
    }
    assert_eq!(party.token(&client.id, &secret, None).unwrap_err(), TokenRefusal::Wait { seconds: 5 });
    let accounts = party.house.accounts();
    let elsewhere = accounts.give_access_token((&client.id, &secret), None, "elsewhere", party.now());
    assert!(elsewhere.is_ok(), "a stranger shuts nobody out: {elsewhere:?}");
    assert!(party.token(&other.id, &others_secret, None).is_ok());
}

#[test]
fn secrets_change_without_a_gap_and_a_revoked_one_takes_its_tokens_along() {
    let party = party();
    let (client, first) = party.client("declarations.read");
    let first_id = client.secrets.first().unwrap().id.clone();
    let of_first = party.token(&client.id, &first, None).unwrap();
    let (second_id, second) = party.house.make_client_secret(&party.tara, &client.id).unwrap();
    let refused = party.house.make_client_secret(&party.tara, &client.id).unwrap_err();
    assert_eq!(refused.code, "too_many_secrets");
    let of_second = party.token(&client.id, &second, None).unwrap();
    assert!(party.token(&client.id, &first, None).is_ok(), "both hold");
    let held = party.house.client(&party.tara, &client.id).unwrap().secrets;
    assert_eq!(held.iter().map(|held| held.id.as_str()).collect::<Vec<_>>(), [&second_id, &first_id]);
    assert!(held.iter().all(|held| held.used_at.is_some()), "{held:?}");
    party.house.revoke_client_secret(&party.tara, &client.id, &first_id).unwrap();
    assert_eq!(party.token(&client.id, &first, None).unwrap_err(), TokenRefusal::Wrong);
    assert_eq!((party.reader(&of_first), party.reader(&of_second).is_some()), (None, true));
    let again = party.house.revoke_client_secret(&party.tara, &client.id, &first_id).unwrap_err();
    assert_eq!(again.code, "secret_unknown");
    party.house.close_client(&party.tara, &client.id).unwrap();
    assert_eq!(party.reader(&of_second), None);
    assert_eq!(party.token(&client.id, &second, None).unwrap_err(), TokenRefusal::Wrong);
    let closed = party.house.make_client_secret(&party.tara, &client.id).unwrap_err();
    assert_eq!(closed.code, "client_closed");
}

#[test]
fn clients_are_managed_by_their_own_party_and_by_administrators() {
    let party = party();
    let (client, _) = party.client("declarations.read");
    let read = scopes("declarations.read");
    let tom = Reader::new("u-2", Role::Trader).of_party(Some("E2"));
    let nobody = Reader::new("u-3", Role::Trader);
    let admin = Reader::new("u-4", Role::Admin);
    let itself = Reader::client(&client.id, "E1", client.scopes.clone());
    for stranger in [&tom, &nobody] {
        assert_eq!(party.house.clients(stranger).unwrap(), []);
        assert_eq!(party.house.client(stranger, &client.id).unwrap_err().code, "client_unknown");
        assert_eq!(party.house.close_client(stranger, &client.id).unwrap_err().code, "client_unknown");
        let made = party.house.open_client(stranger, "x", "E1", &read).unwrap_err();
        assert_eq!(made.code, "client_of_others");
    }
    assert_eq!(party.house.clients(&itself).unwrap_err().code, "insufficient_scope");
    let officer = Reader::new("u-5", Role::Officer);
    assert_eq!(party.house.clients(&officer).unwrap_err().code, "not_permitted");
    let (others, _) = party.house.open_client(&admin, "x", "E2", &read).unwrap();
    assert_eq!(party.house.clients(&admin).unwrap().len(), 2);
    assert_eq!(party.house.clients(&tom).unwrap(), [others]);
    let code = |name: &str, of: &str| party.house.open_client(&admin, name, of, &read).unwrap_err().code;
    assert_eq!(code(" ", "E1"), "client_name");
    assert_eq!(code("x", " "), "client_party");
    assert_eq!(code("x", "<b>"), "account_assignment");
}

#[test]
fn what_happens_to_a_client_is_told_in_events_and_none_of_them_holds_a_secret() {
    let party = party();
    let (client, first) = party.client("declarations.read");
    let (_, second) = party.house.make_client_secret(&party.tara, &client.id).unwrap();
    let first_id = client.secrets.first().unwrap().id.clone();
    party.house.revoke_client_secret(&party.tara, &client.id, &first_id).unwrap();
    party.house.set_client_scopes(&party.tara, &client.id, &scopes("declarations.lodge")).unwrap();
    party.house.close_client(&party.tara, &client.id).unwrap();
    let events = party.house.journal.feed(0, 100).unwrap();
    let own: Vec<_> = events.iter().filter(|event| event.envelope.stream == stream(&client.id)).collect();
    let kinds: Vec<&str> = own.iter().map(|event| event.envelope.kind.as_str()).collect();
    let expected = ["opened", "secret_made", "secret_revoked", "scopes_changed", "closed"];
    assert_eq!(kinds, expected.map(|kind| format!("client.{kind}")));
    assert!(own.iter().all(|event| event.envelope.actor.id == party.tara.id));
    let told = format!("{own:?}");
    assert!(!told.contains(&first) && !told.contains(&second));
}
