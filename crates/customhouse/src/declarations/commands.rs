//! Lodging declarations, and what officers and traders do with them: each an event or several.

use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use clearance::{Basis, Case, Command, decide};
use formats::declaration::Form;
use jiff::{SignedDuration, Timestamp};
use journal::{AppendRequest, BlobReference, Payload, RecordedEvent};
use sha2::{Digest, Sha256};
use spine::declaration::Declaration;
use spine::noun::Evidence;
use spine::{Actor, Finding, LocalizedText, Pointer};

use super::clerk::new_event;
use super::desk::{Lodgement, Reply};
use super::event::{LODGED, SELECTION_MADE, lodged_by, state_of_kind, stream};
use super::model::{LodgeRequest, Receipt};
use super::trader::own_version;
use super::wanted::{CaseAction, SentDocument};
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader, Role};
use crate::precheck::schema_named;
use crate::projection::Record;

/// Longest declaration.
pub const LODGE_BYTES_MAX: usize = 1024 * 1024;
/// Longest document that comes with an answer or a result.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest text of a question, an answer, a reason.
const TEXT_CHARACTERS_MAX: usize = 4_000;
/// Documents of one answer.
const DOCUMENTS_MAX: usize = 20;
/// How long a caller waits for its own write to be seen.
pub(super) const OWN_WRITE_WAIT: Duration = Duration::from_secs(5);
/// How long a blocking caller waits for its receipt.
const RECEIPT_WAIT: Duration = Duration::from_secs(30);
/// Timers run in one go.
const TIMERS_MAX: usize = 1_000;

/// A case with the version of its stream.
pub(crate) struct Folded {
    pub(crate) case: Case,
    pub(crate) version: u64,
    pub(super) events: Vec<RecordedEvent>,
}

impl Folded {
    /// When its content was erased, and on what ground.
    pub(super) fn erased(&self) -> Option<(Timestamp, &str)> {
        match &self.events.first()?.payload {
            Payload::Erased { erased_at, basis } => Some((*erased_at, basis)),
            Payload::Present(_) => None,
        }
    }
}

/// The case of a declaration whose content was erased: its state by the kinds of its events, and its lane.
fn what_is_left(folded: &Folded) -> Case {
    let mut case = Case { lane: folded.case.lane, ..Case::lodged() };
    for event in &folded.events {
        case.state = state_of_kind(&event.envelope.kind).unwrap_or(case.state);
    }
    case
}

impl Customhouse {
    /// Lodges a declaration; the reply comes from another thread, once everything up to the lane is durable.
    ///
    /// # Errors
    /// `Kind::Busy` at once when too many wait; `Kind::Forbidden` for a party that is not the reader's own.
    pub fn lodge_then(&self, reader: &Reader, request: LodgeRequest, reply: Reply) -> Result<(), Error> {
        let arrived = Instant::now();
        let for_others = reader.may(Permission::LodgeForOthers);
        if !for_others {
            reader.require(Permission::Lodge)?;
        }
        if request.bytes.len() > LODGE_BYTES_MAX {
            return Err(Error::new(
                Kind::Invalid,
                "declaration_too_long",
                format!(
                    "the declaration has {} bytes; at most {LODGE_BYTES_MAX} are taken",
                    request.bytes.len()
                ),
                "Split it into several declarations.",
            ));
        }
        let form = request.form.or_else(|| Form::sniff(&request.bytes)).ok_or_else(|| {
            Error::new(
                Kind::Invalid,
                "declaration_form_unknown",
                "the bytes are neither a JSON object nor an XML document",
                "Send JSON (application/json) or WCO DMS XML (application/xml).",
            )
        })?;
        let crate::precheck::Lodged { mut understood, schema } = self.understand(&request.bytes, form);
        let party = match (&reader.party, &understood.declaration) {
            (_, Some(declaration)) if for_others => responsible(declaration),
            (_, None) if for_others => "unknown".to_owned(),
            (Some(party), declaration) => {
                if let Some(finding) = declaration.as_ref().and_then(|own| not_own(own, party)) {
                    understood.findings.push(finding);
                }
                party.clone()
            }
            (None, _) => {
                return Err(Error::new(
                    Kind::Forbidden,
                    "no_party",
                    "this account acts for no party",
                    "Ask an administrator to name the party whose declarations you lodge.",
                ));
            }
        };
        self.desk().lodge(Lodgement {
            party,
            actor: reader.actor(),
            channel: request.channel,
            form,
            sha256: hex::encode(Sha256::digest(&request.bytes)),
            bytes: request.bytes,
            understood,
            schema: schema_named(schema.as_ref()),
            arrived,
            reply,
        })
    }

    /// Lodges a declaration and waits for its receipt.
    pub fn lodge(&self, reader: &Reader, request: LodgeRequest) -> Result<Receipt, Error> {
        let (sender, receiver) = sync_channel(1);
        self.lodge_then(
            reader,
            request,
            Box::new(move |receipt| {
                // A caller that no longer waits needs no answer.
                let _ = sender.send(receipt);
            }),
        )?;
        receiver.recv_timeout(RECEIPT_WAIT).map_err(|_| {
            Error::new(
                Kind::Busy,
                "receipt_late",
                "the declaration was handed in, and its receipt is late",
                "Send the very same declaration again: you will get its receipt.",
            )
        })?
    }

    /// The case of a declaration as the journal has it.
    pub(crate) fn folded(&self, mrn: &str) -> Result<Folded, Error> {
        let mut folded = Folded { case: Case::lodged(), version: 0, events: Vec::new() };
        loop {
            let events = self.journal.read_stream(&stream(mrn), folded.version, 1_000)?;
            let Some(last) = events.last() else { break };
            folded.version = last.envelope.stream_version;
            for event in events {
                fold(&mut folded.case, &event);
                folded.events.push(event);
            }
        }
        if folded.events.is_empty() {
            return Err(unknown(mrn));
        }
        if folded.erased().is_some() {
            folded.case = what_is_left(&folded);
        }
        Ok(folded)
    }

    /// Does something with a declaration that was looked at in this version. Answers with the position to wait for.
    ///
    /// # Errors
    /// `Kind::Conflict` if somebody else was faster, `Kind::Refused` with findings if the state does not allow it.
    pub fn act(&self, reader: &Reader, mrn: &str, version: u64, action: &CaseAction) -> Result<u64, Error> {
        self.may_act(reader, mrn, action)?;
        let folded = self.folded(mrn)?;
        if let Some((at, basis)) = folded.erased() {
            return Err(Error::new(
                Kind::Refused,
                "declaration_erased",
                format!("the content of {mrn} was erased at {at}: {basis}"),
                "Nothing can be done with it any more.",
            ));
        }
        let traders = is_traders(action);
        if traders && own_version(&folded) != version {
            return Err(something_happened());
        }
        if !traders && folded.version != version {
            return Err(faster(&folded, version));
        }
        let command = self.command(reader, action, &folded)?;
        let moved =
            self.move_case(mrn, &folded, &command, reader.actor()).map_err(|error| match error.kind {
                // Findings would tell a trader the state that officers see.
                Kind::Refused if traders => not_allowed(mrn, Vec::new()),
                _ => error,
            });
        if lets_go_on(action) {
            self.desk().prepare();
            self.desk().note_waiting();
        }
        moved
    }

    /// Keeps a document: answers and results name it by its hash.
    pub fn keep_document(&self, reader: &Reader, bytes: &[u8]) -> Result<BlobReference, Error> {
        if !reader.may(Permission::Examine) {
            reader.require(Permission::Lodge)?;
        }
        if bytes.is_empty() || bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(Error::new(
                Kind::Invalid,
                "document_size",
                format!(
                    "the document has {} bytes; between 1 and {DOCUMENT_BYTES_MAX} are taken",
                    bytes.len()
                ),
                "Send a smaller one, or several.",
            ));
        }
        Ok(self.journal.put_blob(&mut &*bytes)?)
    }

    /// Lets happen what is due by the house's clock: releases that were scheduled, deadlines that passed. Answers with
    /// the number of declarations that moved.
    pub fn run_timers(&self) -> Result<usize, Error> {
        let now = self.now();
        let due: Vec<String> = self.projection.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT mrn FROM declaration WHERE timer_at IS NOT NULL AND timer_at <= ?1
                     ORDER BY timer_at LIMIT ?2",
                )?
                .query_map((now.as_microsecond(), TIMERS_MAX), |row| row.get(0))?
                .collect()
        })?;
        let mut moved = 0_usize;
        let mut last = 0;
        for mrn in due {
            let folded = self.folded(&mrn)?;
            let by = folded.case.timer_policy().map_or_else(Actor::system, super::clerk::policy_actor);
            match self.move_case(&mrn, &folded, &Command::Tick, by) {
                Ok(position) => {
                    last = position;
                    moved = moved.saturating_add(1);
                }
                // Somebody did something meanwhile: the next round looks again.
                Err(error) if matches!(error.kind, Kind::Conflict | Kind::Refused) => {}
                Err(error) => return Err(error),
            }
        }
        if last > 0 {
            self.projection.wait_for(last, OWN_WRITE_WAIT);
        }
        Ok(moved)
    }

    fn move_case(&self, mrn: &str, folded: &Folded, command: &Command, by: Actor) -> Result<u64, Error> {
        self.move_by(mrn, folded, &[(command.clone(), by)])
    }

    /// Several things that follow one another, each done by somebody: all of them, or none.
    pub(super) fn move_by(
        &self,
        mrn: &str,
        folded: &Folded,
        steps: &[(Command, Actor)],
    ) -> Result<u64, Error> {
        let now = self.now();
        let mut case = folded.case.clone();
        let mut events = Vec::new();
        for (command, by) in steps {
            let decided = decide(&case, command, by, now).map_err(|findings| not_allowed(mrn, findings))?;
            for event in decided {
                events.push(new_event(mrn, event.kind(), event.payload(), by.clone(), now));
                case.apply(&event);
            }
        }
        if events.is_empty() {
            return Err(not_allowed(mrn, Vec::new()));
        }
        let appended = self.journal.append(AppendRequest {
            events,
            expected: vec![(stream(mrn), folded.version)],
            ..AppendRequest::default()
        });
        let position = appended.map_err(|error| match Error::from(error) {
            error if error.kind == Kind::Conflict => faster(folded, folded.version),
            error => error,
        })?;
        let position = position.last_position();
        self.projection.wait_for(position, OWN_WRITE_WAIT);
        Ok(position)
    }

    fn may_act(&self, reader: &Reader, mrn: &str, action: &CaseAction) -> Result<(), Error> {
        use CaseAction as A;
        match action {
            own if is_traders(own) => {
                reader.require(Permission::Lodge)?;
                self.own_record(reader, mrn).map(|_| ())
            }
            A::AnswerContest { .. }
            | A::Cancel { .. }
            | A::DenyCancel { .. }
            | A::GrantAmendment { .. }
            | A::DenyAmendment { .. } => reader.require(Permission::Lead),
            _ => reader.require(Permission::Examine),
        }
    }

    /// The row of a declaration that is the reader's own; any other is as unknown as one that does not exist.
    pub(crate) fn own_record(&self, reader: &Reader, mrn: &str) -> Result<Record, Error> {
        let find = || self.projection.read(|connection| Record::find(connection, mrn));
        let record = match find()? {
            // What was recorded a moment ago may not show yet.
            None => {
                self.projection.wait_for(self.journal.head(), OWN_WRITE_WAIT);
                find()?
            }
            found => found,
        };
        record.filter(|record| own(record, reader)).ok_or_else(|| unknown(mrn))
    }

    fn command(&self, reader: &Reader, action: &CaseAction, folded: &Folded) -> Result<Command, Error> {
        use CaseAction as A;
        let in_force = self.in_force();
        let deadlines = in_force.deadlines();
        let now = self.now();
        let hours = |hours: u32| now.checked_add(SignedDuration::from_hours(i64::from(hours))).unwrap_or(now);
        let basis = |why: &str| -> Result<Basis, Error> {
            let acceptance = in_force.acceptance.as_ref();
            Ok(Basis {
                legal_basis: in_force.release.as_ref().map_or_else(
                    || "WCO Revised Kyoto Convention, General Annex, Chapter 3".to_owned(),
                    |release| release.grounds.legal_basis.clone(),
                ),
                reason: said(&text("why", why)?),
                how_to_contest: acceptance
                    .map_or_else(super::words::how_to_contest, |own| own.grounds.how_to_contest.clone()),
                policy: None,
            })
        };
        let officer = |to: &str| -> Result<String, Error> {
            let account = self.accounts().find(to)?;
            let able = matches!(account.role, Role::Officer | Role::Chief) && !account.closed;
            if able { Ok(account.id) } else { Err(no_officer(to)) }
        };
        let result_basis = |result: &clearance::ControlResult| basis(&super::words::of_result(result));
        Ok(match action {
            A::Take => Command::Take,
            A::GiveBack => Command::GiveBack,
            A::HandOver { to, why } => {
                let has = folded.case.officer();
                if has != Some(reader.id.as_str()) {
                    reader.require(Permission::Lead)?;
                }
                Command::HandOver { to: officer(to)?, why: text("why", why)? }
            }
            A::Complete { result } => {
                Command::Complete { result: checked(result)?, basis: result_basis(result)?, deadlines }
            }
            A::CloseAudit { result } => {
                Command::CloseAudit { result: checked(result)?, basis: result_basis(result)? }
            }
            A::WithdrawResult { why } => Command::WithdrawResult { why: text("why", why)? },
            A::RequestDocuments { what } => Command::RequestDocuments {
                what: text("what", what)?,
                due_at: hours(deadlines.documents_hours),
            },
            A::Ask { text: asked } => {
                Command::Ask { text: text("text", asked)?, due_at: hours(deadlines.documents_hours) }
            }
            A::Escalate { why } => Command::Escalate {
                to: clearance::ControlKind::Physical,
                why: text("why", why)?,
                due_at: hours(deadlines.control_hours),
                basis: basis(why)?,
            },
            A::Release { why, open } => Command::Release { basis: basis(why)?, open: open.clone() },
            A::Clear { why } => Command::Clear { basis: basis(why)? },
            A::GrantAmendment { why } => {
                let super::amendment::Amended { declaration, packs } = self.amended(folded)?;
                let (basis, debt) = (basis(why)?, clearance::duty::declared(&declaration));
                Command::GrantAmendment { basis, declaration: Box::new(declaration), debt, packs }
            }
            A::DenyAmendment { why } => Command::DenyAmendment { basis: basis(why)? },
            A::Correct { why, declaration } => self.corrected(folded, declaration, basis(why)?)?,
            A::ReportInsufficient { note } => {
                Command::ReportInsufficient { note: text("note", note)?, deadlines }
            }
            A::ReceivePayment { note } => {
                Command::ReceivePayment { note: text("note", note)?, basis: basis(note)? }
            }
            A::ConfirmExit { office, code } => {
                Command::ConfirmExit { office: text("office", office)?, code: *code }
            }
            A::Present { location } => Command::Present { notice: reported(location) },
            A::Depart { location } => Command::Depart { notice: reported(location) },
            A::Detain { legal_basis, why } => Command::Detain {
                basis: Basis { legal_basis: text("legal_basis", legal_basis)?, ..basis(why)? },
            },
            A::Cancel { why } => Command::Cancel { basis: basis(why)? },
            A::DenyCancel { why } => Command::DenyCancel { basis: basis(why)? },
            A::AnswerContest { upheld, text: answer } => {
                Command::AnswerContest { upheld: *upheld, basis: basis(answer)?, text: text("text", answer)? }
            }
            A::Answer { text: answer } => {
                Command::Answer { text: text("text", answer)?, documents: Vec::new() }
            }
            A::SendDocuments { note, documents } => Command::SendDocuments {
                documents: self.evidence(documents)?,
                note: note.chars().take(TEXT_CHARACTERS_MAX).collect(),
            },
            A::RequestCancel { why } => Command::RequestCancel { why: text("why", why)?, reference: None },
            A::Contest { text: contest } => Command::Contest { text: text("text", contest)? },
        })
    }

    fn evidence(&self, documents: &[SentDocument]) -> Result<Vec<Evidence>, Error> {
        if documents.is_empty() || documents.len() > DOCUMENTS_MAX {
            return Err(Error::new(
                Kind::Invalid,
                "documents_count",
                format!("{} documents came; between 1 and {DOCUMENTS_MAX} are taken", documents.len()),
                "Choose the documents that were asked for.",
            ));
        }
        documents
            .iter()
            .map(|document| {
                self.journal.get_blob(&document.sha256)?;
                Ok(Evidence {
                    blob: document.sha256.clone(),
                    media_type: document.media_type.chars().take(100).collect(),
                    description: document.name.chars().take(200).collect(),
                })
            })
            .collect()
    }
}

/// Lets a case follow an event of its stream.
pub(crate) fn fold(case: &mut Case, event: &RecordedEvent) {
    let Some(payload) = event.payload.value() else { return };
    match event.envelope.kind.as_str() {
        LODGED => {}
        SELECTION_MADE => {
            if let Ok(made) = serde_json::from_value::<selection::Made>(payload.clone()) {
                case.select(made.lane);
            }
        }
        kind => {
            if let Some(Ok(moved)) = clearance::Event::read(kind, event.envelope.kind_version, payload) {
                case.apply(&moved);
            }
        }
    }
}

/// Is the declaration one of the reader's party: lodged by it, or in its name?
pub(super) fn own(record: &Record, reader: &Reader) -> bool {
    let Some(party) = &reader.party else { return false };
    if record.erased_at.is_some() {
        // Whose party it was is not known any more; which account lodged it is.
        return record.party.as_deref() == Some(lodged_by(&reader.id).as_str());
    }
    record.batch.is_none()
        && [&record.party, &record.declarant, &record.importer]
            .into_iter()
            .any(|own| own.as_ref() == Some(party))
}

pub(super) fn unknown(mrn: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "declaration_unknown",
        format!("there is no declaration \"{}\" that you may see", mrn.chars().take(64).collect::<String>()),
        "Check the number, or look it up in the list.",
    )
}

/// The party that a declaration of somebody else is kept under.
fn responsible(declaration: &Declaration) -> String {
    let mut parties = declaration.parties();
    parties.next().map_or_else(|| "unknown".to_owned(), |(_, id)| id.to_owned())
}

/// A finding if the party has no part in the declaration.
pub(super) fn not_own(declaration: &Declaration, party: &str) -> Option<Finding> {
    use spine::declaration::PartyRole::{Agent, Declarant, Importer};
    let mut own = declaration.parties().filter(|(role, _)| matches!(role, Declarant | Agent | Importer));
    if own.any(|(_, id)| id == party) {
        return None;
    }
    let found = declaration.declarant.id.clone().unwrap_or_default();
    Some(
        Finding::error("party_not_yours")
            .at(Pointer("declarant/id".to_owned()))
            .found(&found)
            .expected(format!("{party}, for which this account acts, as declarant, agent or importer"))
            .fix("Declare for your own party, or sign in with the account of the other one."),
    )
}

fn text(field: &str, given: &str) -> Result<String, Error> {
    let given = given.trim();
    let characters = given.chars().count();
    if (1..=TEXT_CHARACTERS_MAX).contains(&characters) {
        return Ok(given.to_owned());
    }
    Err(Error::new(
        Kind::Invalid,
        "text_length",
        format!("\"{field}\" has {characters} characters; between 1 and {TEXT_CHARACTERS_MAX} are taken"),
        "Say it in a few words.",
    ))
}

/// What a person said, in the language in which it was said.
fn said(words: &str) -> LocalizedText {
    LocalizedText([(spine::Language::En, words.to_owned())].into())
}

fn checked(result: &clearance::ControlResult) -> Result<clearance::ControlResult, Error> {
    let characters = result.note.chars().count();
    if characters > TEXT_CHARACTERS_MAX || result.findings.len() > Declaration::ITEMS_MAX {
        return Err(Error::new(
            Kind::Invalid,
            "result_too_long",
            format!("the note has {characters} characters and the result {} findings", result.findings.len()),
            format!(
                "At most {TEXT_CHARACTERS_MAX} characters and {} findings are taken.",
                Declaration::ITEMS_MAX
            ),
        ));
    }
    Ok(result.clone())
}

/// A report made by hand.
fn reported(location: &str) -> clearance::Notice {
    let location = location.trim();
    let location = (!location.is_empty()).then(|| location.chars().take(TEXT_CHARACTERS_MAX).collect());
    clearance::Notice { location, ..clearance::Notice::default() }
}

fn no_officer(name: &str) -> Error {
    Error::new(
        Kind::Invalid,
        "not_an_officer",
        format!("\"{name}\" does not examine declarations here"),
        "Name an officer or a chief with an open account.",
    )
}

fn not_allowed(mrn: &str, findings: Vec<Finding>) -> Error {
    Error::new(
        Kind::Refused,
        "move_not_allowed",
        format!("this cannot be done with {mrn} as it stands"),
        "Reload the page to see what can be done now.",
    )
    .with_findings(findings)
}

/// May a declaration that waits for its acceptance go on after this?
fn lets_go_on(action: &CaseAction) -> bool {
    use CaseAction as A;
    matches!(
        action,
        A::Present { .. } | A::GrantAmendment { .. } | A::DenyAmendment { .. } | A::DenyCancel { .. }
    )
}

fn is_traders(action: &CaseAction) -> bool {
    use CaseAction as A;
    matches!(
        action,
        A::Answer { .. }
            | A::SendDocuments { .. }
            | A::RequestCancel { .. }
            | A::Contest { .. }
            | A::Present { .. }
            | A::Depart { .. }
    )
}

/// What a trader is told where something happened in between: that, and no more.
fn something_happened() -> Error {
    Error::new(
        Kind::Conflict,
        "somebody_was_faster",
        "something happened to the declaration since you looked",
        "Reload the page and look again; nothing of yours was recorded.",
    )
}

fn faster(folded: &Folded, version: u64) -> Error {
    let since = folded.events.iter().find(|event| event.envelope.stream_version > version);
    let what = since.map_or_else(
        || "something was recorded at the same moment".to_owned(),
        |event| format!("{} was recorded at {}", event.envelope.kind, event.envelope.recorded_at),
    );
    Error::new(
        Kind::Conflict,
        "somebody_was_faster",
        format!("the declaration has moved on since you looked: {what}"),
        "Reload the page; nothing of yours was recorded.",
    )
}
