//! Names as numbers: a document's names are looked up once, and compared as numbers from then on.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A namespace that a schema knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NamespaceId(usize);

impl NamespaceId {
    /// No namespace at all.
    pub(crate) const NONE: Self = Self(0);
    /// A namespace that the schema never mentions.
    pub(crate) const UNKNOWN: Self = Self(usize::MAX);
}

/// A name that a schema knows, with its namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameId(usize);

/// Eight bytes of a name at a time. Only schemas put names in; messages look them up, so that no sender can make
/// names that collide.
#[derive(Debug, Default)]
struct NameHasher(u64);

impl NameHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        self.add(rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)));
    }

    fn write_u8(&mut self, byte: u8) {
        self.0 ^= u64::from(byte);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The names of a schema.
#[derive(Debug)]
pub(crate) struct Names {
    uris: Vec<Box<str>>,
    by_namespace: Vec<HashMap<Box<str>, NameId, BuildHasherDefault<NameHasher>>>,
    all: Vec<(NamespaceId, Box<str>)>,
}

impl Names {
    pub(crate) fn new() -> Self {
        let mut names = Self { uris: Vec::new(), by_namespace: Vec::new(), all: Vec::new() };
        names.namespace(""); // NONE
        names
    }

    /// The number of a namespace, known from now on. The empty text means none.
    pub(crate) fn namespace(&mut self, uri: &str) -> NamespaceId {
        if let Some(at) = self.uris.iter().position(|known| &**known == uri) {
            return NamespaceId(at);
        }
        self.uris.push(uri.into());
        self.by_namespace.push(HashMap::default());
        NamespaceId(self.uris.len().saturating_sub(1))
    }

    /// The number of a namespace, [`NamespaceId::UNKNOWN`] where the schema never mentions it.
    pub(crate) fn find_namespace(&self, uri: &str) -> NamespaceId {
        self.uris.iter().position(|known| &**known == uri).map_or(NamespaceId::UNKNOWN, NamespaceId)
    }

    /// The number of a name, known from now on.
    pub(crate) fn name(&mut self, uri: &str, local: &str) -> NameId {
        let namespace = self.namespace(uri);
        let next = NameId(self.all.len());
        let Some(locals) = self.by_namespace.get_mut(namespace.0) else { return next };
        if let Some(known) = locals.get(local) {
            return *known;
        }
        locals.insert(local.into(), next);
        self.all.push((namespace, local.into()));
        next
    }

    pub(crate) fn find(&self, namespace: NamespaceId, local: &str) -> Option<NameId> {
        self.by_namespace.get(namespace.0)?.get(local).copied()
    }

    pub(crate) fn local(&self, name: NameId) -> &str {
        self.all.get(name.0).map_or("", |(_, local)| local)
    }

    pub(crate) fn namespace_of(&self, name: NameId) -> NamespaceId {
        self.all.get(name.0).map_or(NamespaceId::UNKNOWN, |(namespace, _)| *namespace)
    }

    pub(crate) fn uri(&self, namespace: NamespaceId) -> &str {
        self.uris.get(namespace.0).map_or("", |uri| uri)
    }

    /// `Declaration`, or `Declaration of urn:wco:…` where the namespace matters.
    pub(crate) fn shown(&self, name: NameId) -> String {
        let uri = self.uri(self.namespace_of(name));
        let local = self.local(name);
        if uri.is_empty() { local.to_owned() } else { format!("{local} of {uri}") }
    }
}
