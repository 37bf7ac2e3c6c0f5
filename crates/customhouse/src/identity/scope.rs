//! What a client may be let do: a few scopes (RFC 6749, section 3.3), each of which stands for one permission of a
//! trader. Whatever no scope stands for, no client does.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::role::Permission;
use crate::error::{Error, Kind};

/// Something that a client is let do for its party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Check and lodge declarations, send what belongs to them, answer questions.
    #[serde(rename = "declarations.lodge")]
    LodgeDeclarations,
    /// See the party's declarations, receipts and proofs.
    #[serde(rename = "declarations.read")]
    ReadDeclarations,
    /// Fetch the party's notifications.
    #[serde(rename = "notifications.read")]
    ReadNotifications,
    /// Say where notifications are pushed to.
    #[serde(rename = "webhooks.manage")]
    ManageWebhooks,
}

impl Scope {
    /// All scopes in the order in which pages list them.
    pub const ALL: [Self; 4] =
        [Self::LodgeDeclarations, Self::ReadDeclarations, Self::ReadNotifications, Self::ManageWebhooks];

    /// Name as clients write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LodgeDeclarations => "declarations.lodge",
            Self::ReadDeclarations => "declarations.read",
            Self::ReadNotifications => "notifications.read",
            Self::ManageWebhooks => "webhooks.manage",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// What it lets a client do.
    pub(super) fn permission(self) -> Permission {
        match self {
            Self::LodgeDeclarations => Permission::Lodge,
            Self::ReadDeclarations => Permission::ViewOwn,
            Self::ReadNotifications => Permission::ViewOwnNotifications,
            Self::ManageWebhooks => Permission::ManageWebhooks,
        }
    }
}

/// Some scopes, in a fixed order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads names with blanks between, as RFC 6749 writes them.
    ///
    /// # Errors
    /// `scope_unknown` for a name that is none, or for no name at all.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let scopes: Option<BTreeSet<Scope>> = text.split_ascii_whitespace().map(Scope::from_name).collect();
        scopes.filter(|scopes| !scopes.is_empty()).map(Self).ok_or_else(|| {
            let names: Vec<&str> = Scope::ALL.into_iter().map(Scope::name).collect();
            Error::new(
                Kind::Invalid,
                "scope_unknown",
                format!("\"{}\" names no scopes", text.chars().take(80).collect::<String>()),
                format!("Name one or more of these with blanks between: {}.", names.join(", ")),
            )
        })
    }

    /// Those of a store; whatever this version does not know gives no right.
    pub(super) fn of_store(text: &str) -> Self {
        Self(text.split(' ').filter_map(Scope::from_name).collect())
    }

    /// Is it among them?
    #[must_use]
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Are all of these among them?
    pub(super) fn contain(&self, others: &Self) -> bool {
        others.0.is_subset(&self.0)
    }

    /// Those that are in both.
    pub(super) fn and(&self, others: &Self) -> Self {
        Self(self.0.intersection(&others.0).copied().collect())
    }

    /// Does one of them let a client do that?
    pub(super) fn allow(&self, permission: Permission) -> bool {
        self.0.iter().any(|scope| scope.permission() == permission)
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.0.iter().copied().map(Scope::name).collect();
        out.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written_as_names_with_blanks_between() {
        for (text, expected) in [
            ("declarations.read declarations.lodge", Some("declarations.lodge declarations.read")),
            (" notifications.read  notifications.read ", Some("notifications.read")),
            ("webhooks.manage", Some("webhooks.manage")),
            ("", None),
            ("  ", None),
            ("declarations.read everything", None),
            ("Declarations.Read", None),
        ] {
            let scopes = Scopes::parse(text);
            assert_eq!(scopes.as_ref().ok().map(Scopes::to_string).as_deref(), expected, "{text:?}");
            if let Ok(scopes) = scopes {
                assert_eq!(Scopes::of_store(&scopes.to_string()), scopes);
            }
        }
        let written = serde_json::to_string(&Scopes::parse("declarations.lodge").unwrap()).unwrap();
        assert_eq!(written, "[\"declarations.lodge\"]");
    }
}
