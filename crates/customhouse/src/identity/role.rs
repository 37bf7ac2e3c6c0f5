//! Roles and what they may do and see. Everything is denied that is not named here.

use serde::{Deserialize, Serialize};
use spine::{Actor, ActorKind, Sensitivity};

use super::scope::Scopes;
use crate::error::{Error, Kind};

/// What a person is to the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A trading party or its broker.
    Trader,
    /// Examines consignments.
    Officer,
    /// Works on rules, tags, audits.
    Analyst,
    /// Heads an office or the risk unit.
    Chief,
    /// Reads everything, changes nothing.
    Auditor,
    /// Manages accounts and packs; sees no more records than an officer.
    Admin,
}

/// Something a role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See batches, contracts and rows, as far as the reader's clearance goes.
    ViewPool,
    /// Admit records into the pool, mend quarantine.
    AdmitRecords,
    /// See the catalogue of tags and why a tag is on a row.
    ViewTags,
    /// See audits.
    ViewAudits,
    /// Start and cancel audits.
    RunAudits,
    /// Make, change and close accounts.
    ManageUsers,
    /// Install and approve packs.
    ManagePacks,
    /// See all declarations, their selection and what became of them, as far as the clearance goes.
    ViewDeclarations,
    /// Take controls, ask, record results, release or detain.
    Examine,
    /// Give anybody's control to another, answer contests, decide on cancellations.
    Lead,
    /// Lodge declarations for the party of the account, and do with them what is its trader's.
    Lodge,
    /// See the declarations of one's own party.
    ViewOwn,
    /// Fetch the notifications of one's own party.
    ViewOwnNotifications,
    /// Say where the notifications of one's own party are pushed to.
    ManageWebhooks,
    /// Make, change and close clients: of one's own party, or of any for those who manage accounts.
    ManageClients,
    /// Lodge declarations for whoever they name: files that are brought over from another system.
    LodgeForOthers,
    /// See plans, thresholds and policies.
    ViewPlans,
    /// Propose plans and policies, approve what another proposed, change capacities.
    ManagePlans,
    /// See the journal.
    ViewJournal,
    /// See who looked at what.
    ViewViewings,
    /// Say which entities are one, and which are not.
    ResolveEntities,
    /// Order the erasure of somebody's data, approve what another ordered.
    Erase,
    /// Move the clock of a sandbox and the pace of a simulated world.
    MoveClock,
}

impl Permission {
    /// What people are told of, in the order in which pages list it. Lodging for others is for the command line alone.
    pub const ALL: [Self; 22] = [
        Self::Lodge,
        Self::ViewOwn,
        Self::ViewOwnNotifications,
        Self::ManageWebhooks,
        Self::ManageClients,
        Self::ViewDeclarations,
        Self::Examine,
        Self::Lead,
        Self::ViewPlans,
        Self::ManagePlans,
        Self::ViewTags,
        Self::ViewAudits,
        Self::RunAudits,
        Self::ViewPool,
        Self::AdmitRecords,
        Self::ViewJournal,
        Self::ViewViewings,
        Self::ResolveEntities,
        Self::Erase,
        Self::ManagePacks,
        Self::ManageUsers,
        Self::MoveClock,
    ];

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ViewPool => "view_pool",
            Self::AdmitRecords => "admit_records",
            Self::ViewTags => "view_tags",
            Self::ViewAudits => "view_audits",
            Self::RunAudits => "run_audits",
            Self::ManageUsers => "manage_users",
            Self::ManagePacks => "manage_packs",
            Self::ViewDeclarations => "view_declarations",
            Self::Examine => "examine",
            Self::Lead => "lead",
            Self::Lodge => "lodge",
            Self::ViewOwn => "view_own",
            Self::ViewOwnNotifications => "view_own_notifications",
            Self::ManageWebhooks => "manage_webhooks",
            Self::ManageClients => "manage_clients",
            Self::LodgeForOthers => "lodge_for_others",
            Self::ViewPlans => "view_plans",
            Self::ManagePlans => "manage_plans",
            Self::ViewJournal => "view_journal",
            Self::ViewViewings => "view_viewings",
            Self::ResolveEntities => "resolve_entities",
            Self::Erase => "erase",
            Self::MoveClock => "move_clock",
        }
    }
}

impl Role {
    /// All roles in the order in which pages list them.
    pub const ALL: [Self; 6] =
        [Self::Trader, Self::Officer, Self::Analyst, Self::Chief, Self::Auditor, Self::Admin];

    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trader => "trader",
            Self::Officer => "officer",
            Self::Analyst => "analyst",
            Self::Chief => "chief",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// Reads a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The most secret class this role reads in records that are not its own.
    #[must_use]
    pub fn clearance(self) -> Sensitivity {
        match self {
            Self::Trader => Sensitivity::Public,
            Self::Officer | Self::Admin => Sensitivity::Official,
            Self::Analyst | Self::Chief => Sensitivity::Restricted,
            Self::Auditor => Sensitivity::Sealed,
        }
    }

    /// May this role do that?
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        use Permission::{
            AdmitRecords, Erase, Examine, Lead, Lodge, LodgeForOthers, ManageClients, ManagePacks,
            ManagePlans, ManageUsers, ManageWebhooks, MoveClock, ResolveEntities, RunAudits, ViewAudits,
            ViewDeclarations, ViewJournal, ViewOwn, ViewOwnNotifications, ViewPlans, ViewPool, ViewTags,
            ViewViewings,
        };
        match permission {
            ViewPool | ViewTags | ViewDeclarations | MoveClock => self != Self::Trader,
            Examine => matches!(self, Self::Officer | Self::Chief),
            Lead => self == Self::Chief,
            Lodge | ViewOwn | ViewOwnNotifications | ManageWebhooks => self == Self::Trader,
            ManageClients => matches!(self, Self::Trader | Self::Admin),
            // Only whoever holds the data folder: the command line.
            LodgeForOthers => false,
            ViewPlans | ViewJournal => matches!(self, Self::Analyst | Self::Chief | Self::Auditor),
            ManagePlans => matches!(self, Self::Analyst | Self::Chief),
            AdmitRecords => matches!(self, Self::Analyst | Self::Chief | Self::Admin),
            ResolveEntities => matches!(self, Self::Analyst | Self::Chief),
            ViewAudits => matches!(self, Self::Analyst | Self::Chief | Self::Auditor),
            RunAudits => matches!(self, Self::Analyst | Self::Chief),
            ManageUsers | ManagePacks => self == Self::Admin,
            ViewViewings => self == Self::Auditor,
            Erase => matches!(self, Self::Chief | Self::Admin),
        }
    }
}

/// Whoever looks or acts: every query and command of the application takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Pseudonymous account id.
    pub id: String,
    /// Role in which they look.
    pub role: Role,
    /// Party whose declarations a trader lodges and sees; `None`: none.
    pub party: Option<String>,
    /// Office whose work an officer sees first; `None`: all offices.
    pub office: Option<String>,
    /// What a client is let do of what its role may; `None`: a person, who may do all of it.
    scopes: Option<Scopes>,
    /// Whoever holds the data folder in their hands can do everything anyway.
    local: bool,
}

impl Reader {
    /// A person with an account.
    #[must_use]
    pub fn new(id: &str, role: Role) -> Self {
        Self { id: id.to_owned(), role, party: None, office: None, scopes: None, local: false }
    }

    /// The same, acting for a party.
    #[must_use]
    pub fn of_party(mut self, party: Option<&str>) -> Self {
        self.party = party.map(str::to_owned);
        self
    }

    /// Software of a party, which does no more than its scopes say.
    #[must_use]
    pub fn client(id: &str, party: &str, scopes: Scopes) -> Self {
        Self { scopes: Some(scopes), ..Self::new(id, Role::Trader).of_party(Some(party)) }
    }

    /// What a client is let do; `None` for a person.
    #[must_use]
    pub fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_ref()
    }

    /// The same, working at an office.
    #[must_use]
    pub fn at_office(mut self, office: Option<&str>) -> Self {
        self.office = office.map(str::to_owned);
        self
    }

    /// Whoever sits at the machine with the data folder in their hands: the command line.
    #[must_use]
    pub fn local_operator() -> Self {
        Self { local: true, ..Self::new("local-operator", Role::Admin) }
    }

    /// The most secret class this reader sees.
    #[must_use]
    pub fn clearance(&self) -> Sensitivity {
        if self.local { Sensitivity::Sealed } else { self.role.clearance() }
    }

    /// May this reader do that?
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        let in_scope = self.scopes.as_ref().is_none_or(|scopes| scopes.allow(permission));
        self.local || (in_scope && self.role.may(permission))
    }

    /// Refuses what this reader may not do.
    pub fn require(&self, permission: Permission) -> Result<(), Error> {
        if self.may(permission) {
            return Ok(());
        }
        if let Some(scopes) = &self.scopes {
            return Err(Error::new(
                Kind::Forbidden,
                "insufficient_scope",
                format!("the token's scopes are {scopes}, and none of them allows this"),
                "Ask for a token with the scope that this needs, and have it given to the client first.",
            ));
        }
        Err(Error::new(
            Kind::Forbidden,
            "not_permitted",
            format!("the role {} may not do this", self.role.name()),
            "Ask someone whose role allows it, or ask an administrator for another role.",
        ))
    }

    /// The actor of events this reader causes.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let kind = if self.role == Role::Trader { ActorKind::Trader } else { ActorKind::Officer };
        Actor { kind, id: self.id.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trader_may_do_nothing_but_lodge_and_an_auditor_changes_nothing() {
        use Permission::{
            AdmitRecords, Erase, Examine, Lead, Lodge, LodgeForOthers, ManageClients, ManagePacks,
            ManagePlans, ManageUsers, ManageWebhooks, MoveClock, ResolveEntities, RunAudits, ViewAudits,
            ViewDeclarations, ViewJournal, ViewOwn, ViewOwnNotifications, ViewPlans, ViewPool, ViewTags,
            ViewViewings,
        };
        let changes = [
            AdmitRecords,
            Erase,
            Examine,
            Lead,
            LodgeForOthers,
            ManagePacks,
            ManagePlans,
            ManageUsers,
            ResolveEntities,
            RunAudits,
        ];
        let views = [
            ViewPool,
            ViewTags,
            ViewAudits,
            ViewDeclarations,
            ViewPlans,
            ViewJournal,
            ViewViewings,
            MoveClock,
        ];
        for permission in changes.into_iter().chain(views) {
            assert!(!Role::Trader.may(permission), "{permission:?}");
        }
        // All of it for its own party only.
        let own = [Lodge, ViewOwn, ViewOwnNotifications, ManageWebhooks, ManageClients];
        assert!(own.into_iter().all(|permission| Role::Trader.may(permission)));
        for permission in changes.into_iter().chain(own) {
            assert!(!Role::Auditor.may(permission), "{permission:?}");
        }
        for role in Role::ALL {
            assert!(!role.may(LodgeForOthers), "{role:?}");
        }
        assert_eq!(Role::Trader.clearance(), Sensitivity::Public);
    }

    #[test]
    fn a_client_does_what_its_scopes_say_and_nothing_else_of_what_a_trader_may() {
        for (scopes, allowed) in [
            ("declarations.lodge", [true, false, false, false]),
            ("declarations.read", [false, true, false, false]),
            ("notifications.read webhooks.manage", [false, false, true, true]),
            ("declarations.lodge declarations.read", [true, true, false, false]),
        ] {
            let client = Reader::client("c-1", "E1", Scopes::parse(scopes).unwrap());
            let own = [
                Permission::Lodge,
                Permission::ViewOwn,
                Permission::ViewOwnNotifications,
                Permission::ManageWebhooks,
            ];
            assert_eq!(own.map(|permission| client.may(permission)), allowed, "{scopes}");
            for permission in Permission::ALL.into_iter().filter(|permission| !own.contains(permission)) {
                assert!(!client.may(permission), "{permission:?}");
            }
            assert_eq!(client.require(Permission::Examine).unwrap_err().code, "insufficient_scope");
        }
    }
}
