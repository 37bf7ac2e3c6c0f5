//! The register of traders, as the administration keeps it. What everybody really is stands in the truth alone.

use std::sync::Arc;

use jiff::civil::Date;
use spine::declaration::PartyRole;

use crate::draw::Name;
use crate::people::Contact;
use crate::world::World;

/// One line of the register. Enterprises belong together where owner, address or telephone number are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredParty {
    /// As on declarations.
    pub id: Name,
    /// Declarant, importer, exporter or carrier.
    pub role: PartyRole,
    /// Made up, like address and telephone number.
    pub name: Name,
    /// Where it is registered.
    pub address: Name,
    /// Under the country code +999, which is nobody's; exporters have none.
    pub phone: Option<Name>,
    /// The person it belongs to; known of importers alone.
    pub owner: Option<Name>,
    /// When it was entered; known of importers alone.
    pub registered_on: Option<Date>,
    /// When it was closed; `None`: it has not been.
    pub closed_on: Option<Date>,
    /// Is it an authorised economic operator?
    pub trusted: bool,
}

/// The stable name of a role in files.
pub(crate) fn role_name(role: PartyRole) -> &'static str {
    match role {
        PartyRole::Declarant => "declarant",
        PartyRole::Agent => "agent",
        PartyRole::Importer => "importer",
        PartyRole::Exporter => "exporter",
        PartyRole::Carrier => "carrier",
        PartyRole::Buyer => "buyer",
        PartyRole::Seller => "seller",
        PartyRole::Consignee => "consignee",
        PartyRole::Consignor => "consignor",
    }
}

fn party(role: PartyRole, id: &Name, contact: &Contact) -> RegisteredParty {
    RegisteredParty {
        id: Arc::clone(id),
        role,
        name: Arc::clone(&contact.name),
        address: Arc::clone(&contact.address),
        phone: contact.phone.clone(),
        owner: None,
        registered_on: None,
        closed_on: None,
        trusted: false,
    }
}

impl World {
    /// The register at the end of a day: who is entered later is not there yet, and what closes later is open.
    pub fn register(&self, on: Date) -> impl Iterator<Item = RegisteredParty> {
        let people = &self.people;
        let importers = people.importers.all().map(move |importer| RegisteredParty {
            owner: Some(Arc::clone(&importer.owner)),
            registered_on: self.date(importer.registered_day),
            closed_on: importer.last_day.and_then(|day| self.date(day)).filter(|closed| *closed <= on),
            trusted: importer.trusted,
            ..party(PartyRole::Importer, &importer.id, &importer.contact)
        });
        let entered = importers.filter(move |own| own.registered_on.is_some_and(|day| day <= on));
        let declarants =
            people.declarants.iter().map(|own| party(PartyRole::Declarant, &own.id, &own.contact));
        let exporters = people.exporters.iter().map(|own| party(PartyRole::Exporter, &own.id, &own.contact));
        let carriers = people.carriers.iter().map(|(id, contact)| party(PartyRole::Carrier, id, contact));
        entered.chain(declarants).chain(exporters).chain(carriers)
    }
}
