//! Who must have signed a checkpoint for it to be believed: a policy file (C2SP `tlog-policy`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::log::error::{LogError, at_most};
use crate::log::note::{KeyKind, SignedCheckpoint, VerifierKey};

/// Longest policy file.
const POLICY_BYTES_MAX: usize = 256 * 1024;
/// Most logs, witnesses and groups together; the standard asks for at least 32 of each.
const POLICY_LINES_MAX: usize = 1_000;
/// The quorum that asks for nobody.
const NONE: &str = "none";

/// Logs that are known, witnesses that are known, and how many of the latter must agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: BTreeMap<String, VerifierKey>,
    /// In the order of the file: a group names only what stands before it.
    groups: Vec<Group>,
    quorum: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<String>,
}

/// Why a checkpoint may be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The log's key that signed it.
    pub log: VerifierKey,
    /// The witnesses that cosigned it, by their names in the policy, with the time each stated, in seconds since 1970.
    pub witnesses: Vec<(String, u64)>,
    /// Name of the quorum that is met.
    pub quorum: String,
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`LogError::Malformed`] names the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, LogError> {
        at_most("bytes of a policy file", bytes.len(), POLICY_BYTES_MAX)?;
        let text = str::from_utf8(bytes)
            .map_err(|_| LogError::malformed("policy file", &String::from_utf8_lossy(bytes), "UTF-8"))?;
        let mut reader = PolicyReader::default();
        for (number, line) in (1_usize..).zip(text.split('\n')) {
            let control = line.bytes().any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f);
            if control {
                return Err(malformed(number, line, "no control characters"));
            }
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            if words.first().is_some_and(|word| !word.starts_with('#')) {
                at_most("lines of a policy", reader.lines, POLICY_LINES_MAX)?;
                reader.take(&words).map_err(|expected| malformed(number, line, expected))?;
            }
        }
        let quorum = reader
            .quorum
            .ok_or_else(|| LogError::malformed("policy file", "no quorum line", "exactly one quorum line"))?;
        Ok(Self { logs: reader.logs, witnesses: reader.witnesses, groups: reader.groups, quorum })
    }

    /// Keys of the logs it names; none if the logs are known from elsewhere.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// Its witnesses by name.
    #[must_use]
    pub fn witnesses(&self) -> &BTreeMap<String, VerifierKey> {
        &self.witnesses
    }

    /// Checks that one of the policy's logs, or of `more_logs`, signed the checkpoint and that its quorum cosigned it.
    ///
    /// # Errors
    /// [`LogError::Unsigned`], [`LogError::NoQuorum`].
    pub fn check(
        &self,
        checkpoint: &SignedCheckpoint,
        more_logs: &[VerifierKey],
    ) -> Result<Verdict, LogError> {
        let mut known: Vec<VerifierKey> = self.logs.clone();
        known.extend_from_slice(more_logs);
        let is_log = |key: &VerifierKey| {
            key.kind() == KeyKind::Note && key.name() == checkpoint.checkpoint().origin.as_str()
        };
        let log = checkpoint.verify(&known)?.into_iter().find(|by| is_log(&by.key)).map(|by| by.key);
        let log =
            log.ok_or_else(|| LogError::unsigned("the checkpoint", "no log of the policy signed it"))?;
        let keys: Vec<VerifierKey> = self.witnesses.values().cloned().collect();
        // A checkpoint without any witness is no error before the quorum asks for one.
        let cosigned = checkpoint.note().signatures().iter().any(|signature| {
            keys.iter().any(|key| key.id() == signature.key_id && key.name() == signature.name)
        });
        let signatories = if cosigned { checkpoint.note().verify(&keys)? } else { Vec::new() };
        let mut witnesses = Vec::new();
        for (name, key) in &self.witnesses {
            if let Some(by) = signatories.iter().find(|by| by.key == *key) {
                witnesses.push((name.clone(), by.time.unwrap_or(0)));
            }
        }
        if self.is_met(witnesses.iter().map(|(name, _)| name.as_str()).collect()) {
            return Ok(Verdict { log, witnesses, quorum: self.quorum.clone() });
        }
        let names: Vec<&str> = witnesses.iter().map(|(name, _)| name.as_str()).collect();
        let witnesses = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        Err(LogError::NoQuorum { quorum: self.quorum.clone(), witnesses })
    }

    fn is_met<'a>(&'a self, mut witnessed: BTreeSet<&'a str>) -> bool {
        for group in &self.groups {
            let members = group.members.iter().filter(|member| witnessed.contains(member.as_str())).count();
            if members >= group.threshold {
                witnessed.insert(&group.name);
            }
        }
        self.quorum == NONE || witnessed.contains(self.quorum.as_str())
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.logs.iter().try_for_each(|log| writeln!(out, "log {log}"))?;
        self.witnesses.iter().try_for_each(|(name, key)| writeln!(out, "witness {name} {key}"))?;
        for group in &self.groups {
            writeln!(out, "group {} {} {}", group.name, group.threshold, group.members.join(" "))?;
        }
        writeln!(out, "quorum {}", self.quorum)
    }
}

fn malformed(number: usize, line: &str, expected: &'static str) -> LogError {
    LogError::malformed(format!("line {number} of a policy"), line, expected)
}

#[derive(Default)]
struct PolicyReader {
    lines: usize,
    logs: Vec<VerifierKey>,
    witnesses: BTreeMap<String, VerifierKey>,
    groups: Vec<Group>,
    /// Names that are a member of some group already.
    members: BTreeSet<String>,
    quorum: Option<String>,
}

impl PolicyReader {
    fn take(&mut self, words: &[&str]) -> Result<(), &'static str> {
        self.lines = self.lines.saturating_add(1);
        match words {
            ["log", key] | ["log", key, _] => self.log(key),
            ["witness", name, key] | ["witness", name, key, _] => self.witness(name, key),
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err("log KEY [URL], witness NAME KEY [URL], group NAME all|any|N NAME..., or quorum NAME"),
        }
    }

    fn log(&mut self, key: &str) -> Result<(), &'static str> {
        let key = VerifierKey::parse(key).map_err(|_| "a verifier key")?;
        if key.kind() != KeyKind::Note {
            return Err("the key of a log, which signs notes (type 1)");
        }
        if self.logs.iter().any(|other| other.public_bytes() == key.public_bytes()) {
            return Err("a log that is not named before");
        }
        self.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str) -> Result<(), &'static str> {
        let key = VerifierKey::parse(key).map_err(|_| "a verifier key")?;
        if key.kind() != KeyKind::Cosignature {
            return Err("the key of a witness, which cosigns (type 4)");
        }
        if self.witnesses.values().any(|other| other.public_bytes() == key.public_bytes()) {
            return Err("a witness that is not named before");
        }
        self.check_new(name)?;
        self.witnesses.insert(name.to_owned(), key);
        Ok(())
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), &'static str> {
        self.check_new(name)?;
        for member in members {
            if !self.is_defined(member) {
                return Err("members that are defined before");
            }
            if !self.members.insert((*member).to_owned()) {
                return Err("members that are in no group yet");
            }
        }
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => crate::log::note::parse_decimal(number)
                .and_then(|number| usize::try_from(number).ok())
                .ok_or("all, any, or a number")?,
        };
        if threshold < 1 || threshold > members.len() {
            return Err("a number from 1 to that of the members");
        }
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.groups.push(Group { name: name.to_owned(), threshold, members });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), &'static str> {
        if self.quorum.is_some() {
            return Err("only one quorum line");
        }
        if name != NONE && !self.is_defined(name) {
            return Err("the name of a witness or group defined before");
        }
        self.quorum = Some(name.to_owned());
        Ok(())
    }

    fn check_new(&self, name: &str) -> Result<(), &'static str> {
        if name == NONE || self.is_defined(name) { Err("a name that is not taken") } else { Ok(()) }
    }

    fn is_defined(&self, name: &str) -> bool {
        self.witnesses.contains_key(name) || self.groups.iter().any(|group| group.name == name)
    }
}
