//! Who can sign in to the demo: one account for each role, named after it.

use std::collections::BTreeMap;

use country::DeclaredConsignment;
use customhouse::identity::{NewAccount, Reader, Role};
use customhouse::{Customhouse, Error, Kind};
use spine::Value;

/// A trader of about this many declarations is one to look at: neither empty nor endless.
const OWN_DECLARATIONS: u64 = 40;

/// The accounts of people who look at the demo.
#[derive(Debug, Clone)]
pub(crate) struct Visitors {
    /// Password of all of them.
    pub(crate) password: String,
    /// Office at which the officer works.
    pub(crate) office: String,
    /// Party for which the trader acts.
    pub(crate) party: String,
}

/// A field of the first item: what it says about the whole declaration.
pub(super) fn of_declaration(consignment: &DeclaredConsignment, field: &str) -> Option<String> {
    consignment.items.first()?.value(field).map(Value::to_string)
}

fn counts(recent: &[DeclaredConsignment], field: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for value in recent.iter().filter_map(|consignment| of_declaration(consignment, field)) {
        let count: &mut u64 = counts.entry(value).or_default();
        *count = count.saturating_add(1);
    }
    counts
}

/// Declarations of each office.
pub(super) fn of_offices(recent: &[DeclaredConsignment]) -> BTreeMap<String, u64> {
    counts(recent, "office_id")
}

impl Visitors {
    /// The busiest office, and a broker who declares there and elsewhere.
    pub(super) fn choose(recent: &[DeclaredConsignment], password: String) -> Result<Self, Error> {
        let offices = of_offices(recent);
        let office = offices.iter().max_by_key(|(_, count)| **count);
        let declarants = counts(recent, "declarant_id");
        let party = declarants.iter().min_by_key(|(_, count)| count.abs_diff(OWN_DECLARATIONS));
        match (office, party) {
            (Some((office, _)), Some((party, _))) => {
                Ok(Self { password, office: office.clone(), party: party.clone() })
            }
            _ => Err(Error::new(
                Kind::Invalid,
                "country_too_small",
                "the country lodges nothing in its last days",
                "Ask for more declarations.",
            )),
        }
    }

    /// Makes the accounts.
    pub(super) fn open_accounts(&self, house: &Customhouse) -> Result<(), Error> {
        let operator = Reader::local_operator();
        for role in Role::ALL {
            let new = NewAccount::new(role.name(), role, &self.password);
            let new = match role {
                Role::Trader => new.of_party(Some(&self.party)),
                Role::Officer => new.at_office(Some(&self.office)),
                _ => new,
            };
            house.open_account(&operator, &new)?;
        }
        Ok(())
    }

    /// The person who has the account of a role.
    pub(super) fn reader(house: &Customhouse, role: Role) -> Result<Reader, Error> {
        Ok(house.accounts().find(role.name())?.reader())
    }
}
