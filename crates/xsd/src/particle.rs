//! What may stand within an element, as a schema writes it: the tree from which an automaton is made.

use crate::name::{NameId, Names, NamespaceId};

/// An element declaration of a schema, global or local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ElementId(pub(crate) usize);

/// How often something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Occurs {
    pub(crate) min: u32,
    /// `None` is unbounded.
    pub(crate) max: Option<u32>,
}

impl Occurs {
    pub(crate) const ONCE: Self = Self { min: 1, max: Some(1) };
}

/// Something that stands so and so often.
#[derive(Debug, Clone)]
pub(crate) struct Particle {
    pub(crate) occurs: Occurs,
    pub(crate) term: Term,
}

/// What stands there.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    /// An element, and which of its model's places this is.
    Element {
        place: usize,
        name: NameId,
        element: ElementId,
    },
    /// Any element of some namespaces.
    Wildcard {
        place: usize,
        wildcard: Wildcard,
    },
    Sequence(Vec<Particle>),
    Choice(Vec<Particle>),
    /// All of these elements, in any order.
    All(Vec<Particle>),
}

/// What is done with what a wildcard lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// It must be declared and valid.
    Strict,
    /// It is judged where it is declared.
    Lax,
    /// It is not looked at.
    Skip,
}

/// `any` or `anyAttribute`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wildcard {
    pub(crate) namespaces: Namespaces,
    pub(crate) process: Process,
}

/// Which namespaces a wildcard lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Namespaces {
    Any,
    /// Any but this one, and not none.
    Other(NamespaceId),
    These(Vec<NamespaceId>),
}

impl Namespaces {
    pub(crate) fn has(&self, namespace: NamespaceId) -> bool {
        match self {
            Self::Any => true,
            Self::Other(own) => namespace != *own && namespace != NamespaceId::NONE,
            Self::These(list) => list.contains(&namespace),
        }
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::These(list), other) | (other, Self::These(list)) => {
                list.iter().any(|namespace| other.has(*namespace))
            }
            // Of all namespaces there are, two that exclude one each have some in common.
            _ => true,
        }
    }

    pub(crate) fn shown(&self, names: &Names) -> String {
        match self {
            Self::Any => "any element".to_owned(),
            Self::Other(own) => format!("an element of another namespace than {}", names.uri(*own)),
            Self::These(list) => {
                let uris: Vec<&str> = list
                    .iter()
                    .map(|namespace| match names.uri(*namespace) {
                        "" => "no namespace",
                        uri => uri,
                    })
                    .collect();
                format!("an element of {}", uris.join(" or "))
            }
        }
    }
}
