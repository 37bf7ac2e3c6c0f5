//! Roles and what they may do and see. Everything is denied that is not named here.

use serde::{Deserialize, Serialize};
use spine::{Actor, Sensitivity};

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
        use Permission::{AdmitRecords, ManagePacks, ManageUsers, RunAudits, ViewAudits, ViewPool, ViewTags};
        match permission {
            ViewPool | ViewTags => self != Self::Trader,
            AdmitRecords => matches!(self, Self::Analyst | Self::Chief | Self::Admin),
            ViewAudits => matches!(self, Self::Analyst | Self::Chief | Self::Auditor),
            RunAudits => matches!(self, Self::Analyst | Self::Chief),
            ManageUsers | ManagePacks => self == Self::Admin,
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
    /// Whoever holds the data folder in their hands can do everything anyway.
    local: bool,
}

impl Reader {
    /// A person with an account.
    #[must_use]
    pub fn new(id: &str, role: Role) -> Self {
        Self { id: id.to_owned(), role, local: false }
    }

    /// Whoever sits at the machine with the data folder in their hands: the command line.
    #[must_use]
    pub fn local_operator() -> Self {
        Self { id: "local-operator".to_owned(), role: Role::Admin, local: true }
    }

    /// The most secret class this reader sees.
    #[must_use]
    pub fn clearance(&self) -> Sensitivity {
        if self.local { Sensitivity::Sealed } else { self.role.clearance() }
    }

    /// May this reader do that?
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.local || self.role.may(permission)
    }

    /// Refuses what this reader may not do.
    pub fn require(&self, permission: Permission) -> Result<(), Error> {
        if self.may(permission) {
            return Ok(());
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
        Actor::officer(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trader_may_do_nothing_here_and_an_auditor_changes_nothing() {
        use Permission::{AdmitRecords, ManagePacks, ManageUsers, RunAudits, ViewAudits, ViewPool, ViewTags};
        for permission in [ViewPool, AdmitRecords, ViewTags, ViewAudits, RunAudits, ManageUsers, ManagePacks]
        {
            assert!(!Role::Trader.may(permission), "{permission:?}");
        }
        for permission in [AdmitRecords, RunAudits, ManageUsers, ManagePacks] {
            assert!(!Role::Auditor.may(permission), "{permission:?}");
        }
        assert_eq!(Role::Trader.clearance(), Sensitivity::Public);
    }
}
