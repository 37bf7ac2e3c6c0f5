//! Keys of signed notes and their text forms (C2SP `signed-note`, "Verifier keys"; the private form is that of Go's
//! `sumdb/note`).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::signed::NoteSignature;
use crate::log::error::LogError;

/// Longest name of a key.
pub const KEY_NAME_BYTES_MAX: usize = 200;
/// Longest text form of a key: prefix, name, id, base64 of 33 bytes, and what stands between.
const KEY_TEXT_BYTES_MAX: usize = KEY_NAME_BYTES_MAX + 100;
const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";
/// The first line of what a cosignature signs (C2SP `tlog-cosignature`, "Ed25519 signed message").
const COSIGNATURE_HEADER: &str = "cosignature/v1";

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// Ed25519 over the note's text (type 0x01): a log's own signature.
    Note,
    /// Ed25519 over a time and the note's text (type 0x04, `cosignature/v1`): a witness's.
    Cosignature,
}

impl KeyKind {
    const fn type_byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    const fn of_type_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Note),
            0x04 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// A public key with its name; prints and parses as `name+id+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: KeyKind,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// Reads the text form.
    ///
    /// # Errors
    /// [`LogError::Malformed`]; an id that is not that of name and key is malformed too.
    pub fn parse(text: &str) -> Result<Self, LogError> {
        let malformed =
            || LogError::malformed("verifier key", text, "name+id+key, the id that of this name and key");
        let parts = KeyText::parse(text).ok_or_else(malformed)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&parts.key).map_err(|_| malformed())?;
        let read = Self::new(parts.name, parts.kind, key).ok_or_else(malformed)?;
        if read.id == parts.id { Ok(read) } else { Err(malformed()) }
    }

    fn new(name: &str, kind: KeyKind, key: ed25519_dalek::VerifyingKey) -> Option<Self> {
        let hash = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', kind.type_byte()])
            .chain_update(key.as_bytes())
            .finalize();
        let id = hash.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))?;
        is_key_name(name).then(|| Self { name: name.to_owned(), id, kind, key })
    }

    /// Its name: of a log the origin, of a witness its address without a scheme.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the hash over name, kind and key, big-endian.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What it signs with.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The 32 bytes of the public key (RFC 8032): the same key under two names or kinds is one key.
    #[must_use]
    pub fn public_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Was this signature made by this key over this text? Its time, in seconds since 1970, if its kind has one.
    ///
    /// # Errors
    /// [`LogError::Unsigned`].
    pub fn verify(&self, text: &str, signature: &[u8]) -> Result<Option<u64>, LogError> {
        let refused = || {
            LogError::unsigned(
                format!("the signature of {}", self.name),
                "it was not made with this key over this text",
            )
        };
        let (time, signature) = match self.kind {
            KeyKind::Note => (None, signature),
            KeyKind::Cosignature => {
                let (time, rest) = signature.split_first_chunk::<8>().ok_or_else(refused)?;
                let time = u64::from_be_bytes(*time);
                if time > i64::MAX.unsigned_abs() {
                    return Err(refused());
                }
                (Some(time), rest)
            }
        };
        let signature = Signature::from_slice(signature).map_err(|_| refused())?;
        let checked = match time {
            None => self.key.verify_strict(text.as_bytes(), &signature),
            Some(time) => self.key.verify_strict(cosigned(text, time).as_bytes(), &signature),
        };
        checked.map(|()| time).map_err(|_| refused())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = encode_key(self.kind, self.key.as_bytes());
        write!(out, "{}+{:08x}+{}", self.name, self.id, *key)
    }
}

/// A private key with its name. It never prints, except through [`SigningKey::to_private_text`].
#[derive(Clone)]
pub struct SigningKey {
    verifier: VerifierKey,
    key: ed25519_dalek::SigningKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("SigningKey").field(&self.verifier.name).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key from the operating system's random bytes.
    ///
    /// # Errors
    /// A name that no key may have; no random bytes.
    pub fn generate(name: &str, kind: KeyKind) -> Result<Self, LogError> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        getrandom::fill(seed.as_mut_slice())
            .map_err(|error| LogError::Stopped { reason: format!("no random bytes: {error}") })?;
        Self::from_seed(name, kind, &seed)
    }

    /// The key that follows from 32 secret bytes (RFC 8032, section 5.1.5).
    ///
    /// # Errors
    /// A name that no key may have.
    pub fn from_seed(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self, LogError> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, kind, key.verifying_key())
            .ok_or_else(|| LogError::malformed("name of a key", name, KEY_NAME_FORM))?;
        Ok(Self { verifier, key })
    }

    /// Reads [`SigningKey::to_private_text`].
    ///
    /// # Errors
    /// [`LogError::Malformed`], without the value.
    pub fn parse(text: &str) -> Result<Self, LogError> {
        let malformed = || LogError::malformed("private key", "(not shown)", "PRIVATE+KEY+name+id+key");
        let parts = text.strip_prefix(PRIVATE_PREFIX).and_then(KeyText::parse).ok_or_else(malformed)?;
        let read = Self::from_seed(parts.name, parts.kind, &parts.key).map_err(|_| malformed())?;
        if read.verifier.id == parts.id { Ok(read) } else { Err(malformed()) }
    }

    /// The secret as text: `PRIVATE+KEY+name+id+base64`.
    #[must_use]
    pub fn to_private_text(&self) -> Zeroizing<String> {
        let key = encode_key(self.verifier.kind, self.key.as_bytes());
        Zeroizing::new(format!("{PRIVATE_PREFIX}{}+{:08x}+{}", self.verifier.name, self.verifier.id, *key))
    }

    /// The same key, to sign in another way. Safe, because what a cosignature signs begins with a line that no note
    /// signed by a log begins with.
    #[must_use]
    pub fn as_kind(&self, kind: KeyKind) -> Self {
        let verifier = VerifierKey::new(&self.verifier.name, kind, self.key.verifying_key());
        Self { verifier: verifier.unwrap_or_else(|| self.verifier.clone()), key: self.key.clone() }
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a note's text; `time` in seconds since 1970 goes into a cosignature.
    #[must_use]
    pub fn sign(&self, text: &str, time: u64) -> NoteSignature {
        let signature = match self.verifier.kind {
            KeyKind::Note => self.key.sign(text.as_bytes()).to_bytes().to_vec(),
            KeyKind::Cosignature => {
                let signature = self.key.sign(cosigned(text, time).as_bytes());
                [time.to_be_bytes().as_slice(), &signature.to_bytes()].concat()
            }
        };
        NoteSignature { name: self.verifier.name.clone(), key_id: self.verifier.id, signature }
    }
}

fn cosigned(text: &str, time: u64) -> String {
    format!("{COSIGNATURE_HEADER}\ntime {time}\n{text}")
}

fn encode_key(kind: KeyKind, key: &[u8; 32]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0_u8; 33]);
    if let Some((first, rest)) = bytes.split_first_mut() {
        *first = kind.type_byte();
        rest.copy_from_slice(key);
    }
    Zeroizing::new(STANDARD.encode(bytes.as_slice()))
}

pub(super) const KEY_NAME_FORM: &str =
    "a name of at most 200 bytes without blanks, control characters and plus signs";

/// May a key have this name (C2SP `signed-note`, "Format")?
pub(super) fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= KEY_NAME_BYTES_MAX
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// The parts of a key's text form, public or private.
struct KeyText<'a> {
    name: &'a str,
    id: u32,
    kind: KeyKind,
    key: Zeroizing<[u8; 32]>,
}

impl<'a> KeyText<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if text.len() > KEY_TEXT_BYTES_MAX {
            return None;
        }
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let id_is_well_formed =
            id.len() == 8 && id.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
        let bytes = Zeroizing::new(STANDARD.decode(key).ok()?);
        let (kind, key) = bytes.split_first()?;
        Some(Self {
            name: is_key_name(name).then_some(name)?,
            id: id_is_well_formed.then(|| u32::from_str_radix(id, 16).ok()).flatten()?,
            kind: KeyKind::of_type_byte(*kind)?,
            key: Zeroizing::new(key.try_into().ok()?),
        })
    }
}
