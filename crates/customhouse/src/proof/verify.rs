//! Verification without a house: of a data folder, while it is served or not, of one event in it, and of one proof file,
//! offline.

use std::path::Path;
use std::sync::Arc;

use journal::log::files::DiskFiles;
use journal::log::note::NOTE_BYTES_MAX;
use journal::log::proof::PROOF_BYTES_MAX;
use journal::log::tiles::{CHECKPOINT, WITNESSED_CHECKPOINT};
use journal::log::tree::{inclusion_proof, leaf_hash, verify_inclusion};
use journal::log::{
    Against, Files, JournalEntries, KeyHistory, LogError, LogProof, LogReader, Policy, SignedCheckpoint,
    VerifierKey, published, verify_checkpoint,
};
use journal::{Journal, Payload, PostgresJournal, SqliteJournal};
use spine::Progress;

use super::model::{ProofVerdict, VerifiedEvent, VerifiedFolder};
use super::opened::{FORMAT, Opened, payload_commit};
use super::{KEYS_FOLDER, LOG_FOLDER, POLICY_FILE, refused, witnessing};
use crate::error::{Error, Kind};
use crate::folder::{FolderMark, Location};

/// Findings that are listed.
const FINDINGS_LISTED: usize = 1_000;
/// Events whose payloads are checked at once.
const EVENTS_PER_READ: usize = 5_000;

/// Verifies a data folder, or a site, while processes use it or not: every entry of the log against its tiles, these
/// against the signed checkpoint, that against the one that witnesses cosigned, every event of the journal against its
/// entry and every payload against its commitment.
///
/// Keys are taken from `trusted`; without any, those that the folder itself names, which finds accidents and careless
/// hands, but not someone who made the whole folder anew.
///
/// # Errors
/// There is no log, or no trusted key signed its checkpoint: nothing can be verified. A journal that cannot be opened.
pub fn verify_at(
    location: &Location,
    trusted: &[String],
    progress: &dyn Progress,
) -> Result<VerifiedFolder, Error> {
    verify_with(location.site_path(), trusted, || open_journal(location).map(Some), progress)
}

/// [`verify_at`] of a folder whose journal `open` opens, once the checkpoint was read; none where it cannot be opened.
pub(crate) fn verify_with(
    data: &Path,
    trusted: &[String],
    open: impl FnOnce() -> Result<Option<Arc<dyn Journal>>, Error>,
    progress: &dyn Progress,
) -> Result<VerifiedFolder, Error> {
    progress.report("verifying_the_log", 0, 0);
    let (reader, known) = (log_reader(data)?, known_keys(data, trusted)?);
    // In this order, so that each is no newer than the next one.
    let seen = witnessed(data, reader.files(), &known)?;
    let checkpoint = published(&reader).map_err(|error| refused(&error))?;
    let journal = open()?;
    let source = journal.clone().map(JournalEntries);
    let against = Against {
        source: source.as_ref().map(|source| -> &dyn journal::log::writer::Entries { source }),
        seen: seen.as_ref(),
        threads: None,
    };
    let report = verify_checkpoint(&reader, checkpoint, &known, &against).map_err(|error| refused(&error))?;
    let checkpoint = report.checkpoint.checkpoint();
    let mut verified = VerifiedFolder {
        origin: checkpoint.origin.clone(),
        size: checkpoint.size,
        root: checkpoint.root.to_string(),
        signed_by: report.signatories.iter().map(|by| by.key.to_string()).collect(),
        journal_compared: journal.is_some(),
        witnessed_compared: seen.is_some(),
        payloads_checked: 0,
        payloads_erased: 0,
        not_logged: report.not_logged.unwrap_or(0),
        findings: report
            .findings
            .iter()
            .map(|own| (own.place.clone(), format!("{} [{}]", own.reason, own.code)))
            .collect(),
        findings_total: report.findings_total,
    };
    if let Some(journal) = journal {
        check_payloads(journal.as_ref(), &mut verified, progress)?;
    }
    Ok(verified)
}

fn log_reader(data: &Path) -> Result<LogReader, Error> {
    let log = data.join(LOG_FOLDER);
    let files = DiskFiles::existing(&log).map_err(|error| Error::io("log_folder_unusable", &log, &error))?;
    Ok(LogReader::new(Arc::new(files)))
}

/// Verifies one event: what the journal holds at a position against its commitment, and its entry against the published
/// checkpoint and the one that witnesses cosigned. Keys as in [`verify_at`].
///
/// # Errors
/// There is no such event, it is in no checkpoint yet, or nothing can be verified.
pub fn verify_event(location: &Location, position: u64, trusted: &[String]) -> Result<VerifiedEvent, Error> {
    let data = location.site_path();
    let (reader, known) = (log_reader(data)?, known_keys(data, trusted)?);
    let seen = witnessed(data, reader.files(), &known)?;
    let last = published(&reader).map_err(|error| refused(&error))?;
    let signed = last.verify(&known).map_err(|error| refused(&error))?;
    let journal = open_journal(location)?;
    let sealed = journal.sealed(position)?;
    let size = last.checkpoint().size;
    let index = position.saturating_sub(1);
    if index >= size {
        return Err(refused(&LogError::NotLogged { position, logged: size }));
    }
    let leaf = leaf_hash(&sealed.envelope);
    let seen = seen.filter(|seen| index < seen.checkpoint().size);
    let mut findings = Vec::new();
    for (checkpoint, name) in
        std::iter::once((&last, CHECKPOINT)).chain(seen.iter().map(|seen| (seen, WITNESSED_CHECKPOINT)))
    {
        let said = checkpoint.checkpoint();
        let held = inclusion_proof(&mut reader.tree(said.size), index, said.size)
            .and_then(|path| verify_inclusion(leaf, index, said.size, said.root, &path));
        if let Err(error) = held {
            findings.push((name.to_owned(), error.to_string()));
        }
    }
    let opened = Opened::of(&sealed, false).ok_or_else(|| Error::internal("event_unreadable", &position))?;
    let envelope = opened.read_envelope().ok_or_else(|| Error::internal("event_unreadable", &position))?;
    if let Some((salt, payload)) = &sealed.opening
        && payload_commit(salt, payload) != envelope.payload_commit
    {
        findings.push(("payload".to_owned(), "it is not the one that the envelope commits to".to_owned()));
    }
    Ok(VerifiedEvent {
        origin: last.checkpoint().origin.clone(),
        position,
        kind: envelope.kind,
        stream: envelope.stream,
        occurred_at: envelope.occurred_at.to_string(),
        leaf: hex::encode(leaf.as_bytes()),
        size,
        root: last.checkpoint().root.to_string(),
        signed_by: signed.iter().map(|by| by.key.to_string()).collect(),
        witnessed_size: seen.map(|seen| seen.checkpoint().size),
        payload_erased: sealed.opening.is_none(),
        findings,
    })
}

/// Reads every event, which checks its payload against the envelope's commitment.
fn check_payloads(
    journal: &dyn Journal,
    verified: &mut VerifiedFolder,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let (mut position, head) = (0, journal.head());
    while position < head {
        if progress.cancelled() {
            return Err(Error::cancelled());
        }
        progress.report("verifying_payloads", position, head);
        match journal.feed(position, EVENTS_PER_READ) {
            Ok(events) => {
                for event in &events {
                    let place = match event.payload {
                        Payload::Present(_) => &mut verified.payloads_checked,
                        Payload::Erased { .. } => &mut verified.payloads_erased,
                    };
                    *place = place.saturating_add(1);
                }
                let Some(last) = events.last() else { break };
                position = last.position;
            }
            Err(first) => position = find_damaged(journal, position, head, verified, &first)?,
        }
    }
    Ok(())
}

/// Goes on one by one after a read that failed, names what is damaged, and answers with the position to go on from.
fn find_damaged(
    journal: &dyn Journal,
    from: u64,
    head: u64,
    verified: &mut VerifiedFolder,
    first: &journal::JournalError,
) -> Result<u64, Error> {
    let until = head.min(from.saturating_add(u64::try_from(EVENTS_PER_READ).unwrap_or(u64::MAX)));
    let mut found = false;
    for position in from.saturating_add(1)..=until {
        match journal.event(position) {
            Ok(_) => verified.payloads_checked = verified.payloads_checked.saturating_add(1),
            Err(error) => {
                found = true;
                verified.findings_total = verified.findings_total.saturating_add(1);
                if verified.findings.len() < FINDINGS_LISTED {
                    verified.findings.push((format!("the event at position {position}"), error.to_string()));
                }
            }
        }
    }
    if found { Ok(until) } else { Err(first.clone().into()) }
}

/// The keys that may have signed a folder's log: those that are trusted and what they were changed to; without any,
/// those that the folder itself names.
pub(crate) fn known_keys(data: &Path, trusted: &[String]) -> Result<Vec<VerifierKey>, Error> {
    let log = data.join(LOG_FOLDER);
    let files = DiskFiles::existing(&log).map_err(|error| Error::io("log_folder_unusable", &log, &error))?;
    let history = KeyHistory::read(&files).map_err(|error| refused(&error))?;
    if trusted.is_empty() { own_keys(data, &history) } else { Ok(history.accepted(&keys(trusted)?)) }
}

fn keys(texts: &[String]) -> Result<Vec<VerifierKey>, Error> {
    texts.iter().map(|text| VerifierKey::parse(text.trim()).map_err(|error| refused(&error))).collect()
}

/// The keys that a folder itself names: the history of its log, and the public part of its private key.
fn own_keys(data: &Path, history: &KeyHistory) -> Result<Vec<VerifierKey>, Error> {
    let mut keys = history.all_keys();
    let path = data.join(KEYS_FOLDER).join("log.key");
    let read =
        std::fs::read_to_string(&path).map_err(|error| Error::io("log_key_unreadable", &path, &error))?;
    let own = journal::log::SigningKey::parse(read.trim()).map_err(|error| refused(&error))?;
    if !keys.contains(own.verifier()) {
        keys.push(own.verifier().clone());
    }
    Ok(keys)
}

/// The journal, to be read while processes may be using it.
fn open_journal(location: &Location) -> Result<Arc<dyn Journal>, Error> {
    if let Some(url) = &location.database {
        return Ok(Arc::new(PostgresJournal::open_read_only(url)?));
    }
    FolderMark::look(location)?;
    Ok(Arc::new(SqliteJournal::open_read_only(&location.data.join("journal.sqlite"))?))
}

/// The bytes of a file with a checkpoint; of one that is too long for that, none.
pub(crate) fn checkpoint_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| Error::io("checkpoint_unreadable", path, &error);
    let long =
        std::fs::metadata(path).map_err(failed)?.len() > u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX);
    if long { Ok(Vec::new()) } else { std::fs::read(path).map_err(failed) }
}

/// The checkpoint that witnesses cosigned, as far as the policy's quorum did.
fn witnessed(
    data: &Path,
    files: &dyn Files,
    known: &[VerifierKey],
) -> Result<Option<SignedCheckpoint>, Error> {
    let Some(policy) = witnessing::read_policy(&data.join(POLICY_FILE))? else { return Ok(None) };
    let Ok(bytes) = files.read(WITNESSED_CHECKPOINT, NOTE_BYTES_MAX) else { return Ok(None) };
    let damaged = |error: LogError| LogError::Damaged {
        place: WITNESSED_CHECKPOINT.to_owned(),
        reason: error.to_string(),
    };
    let checkpoint = SignedCheckpoint::parse(&bytes).map_err(|error| refused(&damaged(error)))?;
    policy.check(&checkpoint, known).map_err(|error| refused(&error))?;
    Ok(Some(checkpoint))
}

/// Verifies one proof file by keys known from elsewhere, or by a policy file: offline, and of any log.
///
/// # Errors
/// It proves nothing: it is malformed, its event is not in the checkpoint, no known key signed that, its payload is not
/// the one that was committed to.
pub fn verify_proof(proof: &[u8], trusted: &[String], policy: Option<&[u8]>) -> Result<ProofVerdict, Error> {
    if proof.len() > PROOF_BYTES_MAX {
        return Err(Error::new(
            Kind::Invalid,
            "log_too_large",
            format!("the file has {} bytes; a proof has at most {PROOF_BYTES_MAX}", proof.len()),
            "Name a .tlog-proof file.",
        ));
    }
    let proof = LogProof::parse(proof).map_err(|error| refused(&error))?;
    let no_event = |detail: &str| {
        Error::new(
            Kind::Refused,
            "proof_without_event",
            detail.to_owned(),
            "Ask for the proof file again where it came from.",
        )
    };
    let extra =
        proof.extra.as_deref().ok_or_else(|| no_event("the file holds a proof, but not of which event"))?;
    let opened: Opened =
        serde_json::from_slice(extra).map_err(|error| no_event(&format!("its extra line: {error}")))?;
    if opened.format != FORMAT {
        return Err(no_event(&format!("its extra line has the form \"{}\", not {FORMAT}", opened.format)));
    }
    let entry = opened.envelope.as_bytes();
    let signed_by = match policy {
        Some(policy) => {
            let policy = Policy::parse(policy).map_err(|error| refused(&error))?;
            let verdict = proof.verify_by_policy(entry, &policy).map_err(|error| refused(&error))?;
            let witnesses = verdict.witnesses.iter().map(|(name, _)| name.clone());
            std::iter::once(verdict.log.to_string()).chain(witnesses).collect()
        }
        None => {
            let signed = proof.verify(entry, &keys(trusted)?).map_err(|error| refused(&error))?;
            signed.iter().map(|by| by.key.to_string()).collect()
        }
    };
    let envelope = opened.read_envelope().ok_or_else(|| no_event("its event is not in canonical form"))?;
    let payload = opened.checked_payload(&envelope).map_err(no_event)?;
    let checkpoint = proof.checkpoint.checkpoint();
    Ok(ProofVerdict {
        origin: checkpoint.origin.clone(),
        signed_by,
        index: proof.index,
        leaf: hex::encode(leaf_hash(entry).as_bytes()),
        size: checkpoint.size,
        kind: envelope.kind,
        stream: envelope.stream,
        occurred_at: envelope.occurred_at.to_string(),
        payload,
    })
}
