//! A text and the signatures under it (C2SP `signed-note`, "Format" and "Signatures").

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::key::{KEY_NAME_FORM, SigningKey, VerifierKey, is_key_name};
use crate::log::error::{LogError, at_most};

/// Longest signed note.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// Most signatures under a note; the standard asks for at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 100;
/// Begins every signature line: an em dash and a blank.
const SIGNATURE_START: &str = "\u{2014} ";

/// A text, ending in a newline, with the signatures under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature as it stands in a note, checked or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub key_id: u32,
    /// What the key's kind makes of it.
    pub signature: Vec<u8>,
}

/// Who signed a note, after it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatory {
    /// The key.
    pub key: VerifierKey,
    /// The time in a cosignature, in seconds since 1970.
    pub time: Option<u64>,
}

impl Note {
    /// A note that nobody has signed yet.
    ///
    /// # Errors
    /// A text that does not end in a newline, has control characters, or is too long.
    pub fn new(text: String) -> Result<Self, LogError> {
        at_most("bytes of a note's text", text.len(), NOTE_BYTES_MAX)?;
        check_text(&text)?;
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Reads a note. Nothing in it may be trusted before [`Note::verify`].
    ///
    /// # Errors
    /// [`LogError::Malformed`], [`LogError::TooLarge`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        at_most("bytes of a signed note", bytes.len(), NOTE_BYTES_MAX)?;
        let whole = str::from_utf8(bytes)
            .map_err(|_| LogError::malformed("note", &String::from_utf8_lossy(bytes), "UTF-8"))?;
        let (text, lines) = whole
            .rfind("\n\n")
            .and_then(|end| whole.split_at_checked(end.saturating_add(1)))
            .and_then(|(text, rest)| Some((text, rest.strip_prefix('\n')?)))
            .ok_or_else(|| LogError::malformed("note", whole, "a text, an empty line, and signatures"))?;
        check_text(text)?;
        let signatures = parse_lines(lines)?;
        if signatures.is_empty() {
            return Err(LogError::malformed("note", whole, "at least one signature"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text that is signed, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, unchecked.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Signs with one more key; one that has signed already takes its old signature back.
    pub fn sign(&mut self, key: &SigningKey, time: u64) {
        self.add(key.sign(&self.text, time));
    }

    /// Adds a signature made elsewhere, in place of an older one of the same key. False, and nothing is added, where
    /// there are too many.
    pub fn add(&mut self, signature: NoteSignature) -> bool {
        self.signatures.retain(|other| other.key_id != signature.key_id || other.name != signature.name);
        let fits = self.signatures.len() < NOTE_SIGNATURES_MAX;
        if fits {
            self.signatures.push(signature);
        }
        fits
    }

    /// Checks the signatures of all keys that are known. Those of unknown keys are ignored; one of a known key that
    /// is wrong spoils the note.
    ///
    /// # Errors
    /// [`LogError::Unsigned`] if a known key's signature is wrong or no known key has signed.
    pub fn verify(&self, known: &[VerifierKey]) -> Result<Vec<Signatory>, LogError> {
        let mut signatories: Vec<Signatory> = Vec::new();
        for signature in &self.signatures {
            let key = known.iter().find(|key| key.id() == signature.key_id && key.name() == signature.name);
            let Some(key) = key else { continue };
            let time = key.verify(&self.text, &signature.signature)?;
            if !signatories.iter().any(|other| other.key == *key) {
                signatories.push(Signatory { key: key.clone(), time });
            }
        }
        if signatories.is_empty() {
            let names: Vec<_> = self.signatures.iter().map(|line| line.name.as_str()).take(5).collect();
            let reason = format!("no known key has signed it, only {}", names.join(", "));
            return Err(LogError::unsigned(self.place(), reason));
        }
        Ok(signatories)
    }

    /// What an error calls this note: its first line.
    fn place(&self) -> String {
        let line = self.text.lines().next().unwrap_or_default();
        format!("the note \"{}\"", line.chars().take(80).collect::<String>())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| write!(out, "{signature}"))
    }
}

impl NoteSignature {
    /// Reads signature lines, each with its newline: what stands under a note, and what a witness answers.
    ///
    /// # Errors
    /// [`LogError::Malformed`], [`LogError::TooLarge`].
    pub fn parse_lines(bytes: &[u8]) -> Result<Vec<Self>, LogError> {
        at_most("bytes of signature lines", bytes.len(), NOTE_BYTES_MAX)?;
        let lines = str::from_utf8(bytes)
            .map_err(|_| LogError::malformed("signatures", &String::from_utf8_lossy(bytes), "UTF-8"))?;
        parse_lines(lines)
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.to_be_bytes().as_slice(), &self.signature].concat();
        writeln!(out, "{SIGNATURE_START}{} {}", self.name, STANDARD.encode(bytes))
    }
}

fn parse_lines(lines: &str) -> Result<Vec<NoteSignature>, LogError> {
    let mut signatures = Vec::new();
    for line in lines.split_inclusive('\n') {
        at_most("signatures of a note", signatures.len().saturating_add(1), NOTE_SIGNATURES_MAX)?;
        signatures.push(parse_line(line).ok_or_else(|| {
            let place = format!("signature line {}", signatures.len().saturating_add(1));
            LogError::malformed(place, line.trim_end(), "an em dash, a name, and base64, ended by a newline")
        })?);
    }
    Ok(signatures)
}

fn parse_line(line: &str) -> Option<NoteSignature> {
    let (name, base64) = line.strip_suffix('\n')?.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
    let bytes = STANDARD.decode(base64).ok()?;
    let (key_id, signature) = bytes.split_first_chunk::<4>()?;
    (is_key_name(name) && !signature.is_empty()).then(|| NoteSignature {
        name: name.to_owned(),
        key_id: u32::from_be_bytes(*key_id),
        signature: signature.to_vec(),
    })
}

fn check_text(text: &str) -> Result<(), LogError> {
    let control = text.bytes().any(|byte| byte < 0x20 && byte != b'\n');
    if control || !text.ends_with('\n') {
        let form = "lines without control characters, the last ended by a newline";
        return Err(LogError::malformed("text of a note", text, form));
    }
    Ok(())
}

/// Refuses a name that no key may have.
pub(crate) fn check_key_name(what: &str, name: &str) -> Result<(), LogError> {
    if is_key_name(name) { Ok(()) } else { Err(LogError::malformed(what, name, KEY_NAME_FORM)) }
}
