//! How a subject is known without being written down: HMAC-SHA256 (RFC 2104) under a key of the data folder.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::model::Subject;
use crate::error::{Error, Kind};

/// File of the key.
const KEY_FILE: &str = "erasure.key";
const KEY_BYTES: usize = 32;
const BLOCK_BYTES: usize = 64;
/// Answers remembered.
const REMEMBERED_MAX: usize = 1_000_000;

/// The folder's key.
pub(super) struct Key([u8; KEY_BYTES]);

impl Key {
    /// Reads the key, making it where there is none.
    pub(super) fn of(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(KEY_FILE);
        if !path.exists() {
            let key = crate::random_bytes::<KEY_BYTES>()?;
            crate::write_whole(&path, hex::encode(key).as_bytes())?;
            return Ok(Self(key));
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Error::io("erasure_key_unreadable", &path, &error))?;
        let mut key = [0; KEY_BYTES];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| {
            Error::new(
                Kind::FolderUnusable,
                "erasure_key_damaged",
                format!("{} holds no key", path.display()),
                "Restore the file from a backup: without it nobody can tell whom past erasures were about.",
            )
        })?;
        Ok(Self(key))
    }

    /// What a subject is known by.
    pub(super) fn seal(&self, subject: &Subject) -> String {
        self.seal_of(subject.kind(), subject.id())
    }

    fn seal_of(&self, kind: &str, id: &str) -> String {
        let pad = |byte: u8| {
            let mut block = [byte; BLOCK_BYTES];
            for (own, key) in block.iter_mut().zip(self.0) {
                *own ^= key;
            }
            block
        };
        let inner = Sha256::new()
            .chain_update(pad(0x36))
            .chain_update(kind.as_bytes())
            .chain_update([0])
            .chain_update(id.as_bytes())
            .finalize();
        hex::encode(Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize())
    }
}

/// Tells whether a text is the subject, whether that is known in clear or by its seal only.
pub(super) struct Matcher<'a> {
    key: &'a Key,
    kind: String,
    seal: String,
    clear: Option<String>,
    remembered: RefCell<HashMap<String, bool>>,
}

impl<'a> Matcher<'a> {
    /// Of somebody who was named.
    pub(super) fn named(key: &'a Key, subject: &Subject) -> Self {
        let mut matcher = Self::sealed(key, subject.kind(), &key.seal(subject));
        matcher.clear = Some(subject.id().to_owned());
        matcher
    }

    /// Of somebody of whom only the seal is known.
    pub(super) fn sealed(key: &'a Key, kind: &str, seal: &str) -> Self {
        Self {
            key,
            kind: kind.to_owned(),
            seal: seal.to_owned(),
            clear: None,
            remembered: RefCell::default(),
        }
    }

    /// Is it about a party?
    pub(super) fn is_party(&self) -> bool {
        self.kind == "party"
    }

    /// Is that the subject?
    pub(super) fn is(&self, text: &str) -> bool {
        if let Some(clear) = &self.clear {
            return clear == text;
        }
        if let Some(known) = self.remembered.borrow().get(text) {
            return *known;
        }
        let seal = self.key.seal_of(&self.kind, text);
        let same = bool::from(seal.as_bytes().ct_eq(self.seal.as_bytes()));
        let mut remembered = self.remembered.borrow_mut();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(text.to_owned(), same);
        same
    }

    /// Is the subject somewhere in a text, as the whole of it or as a word of it?
    pub(super) fn in_text(&self, text: &str) -> bool {
        match &self.clear {
            Some(clear) => stands_in(text, clear),
            None => self.is(text) || words(text).any(|word| self.is(word)),
        }
    }

    /// Is the subject somewhere in a value?
    pub(super) fn in_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.in_text(text),
            Value::Array(parts) => parts.iter().any(|part| self.in_value(part)),
            Value::Object(fields) => {
                fields.iter().any(|(name, field)| self.in_text(name) || self.in_value(field))
            }
            _ => false,
        }
    }
}

/// Words of a text: what queries, JSON and sentences put between ids.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "&=\"',;:<>(){}[]".contains(c)).filter(|word| !word.is_empty())
}

/// Does an id stand in a text, not as a part of a longer one?
fn stands_in(text: &str, id: &str) -> bool {
    if id.is_empty() {
        return false;
    }
    text.match_indices(id).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at.saturating_add(id.len())..).and_then(|after| after.chars().next());
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        apart(before) && apart(after)
    })
}
