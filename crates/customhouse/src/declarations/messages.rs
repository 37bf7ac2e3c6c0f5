//! Messages about declarations that are here: amendment, cancellation, presentation of the goods, arrival and departure.
//! Each becomes events of the declarations that it is about; one that cannot be followed is kept and answered.

use clearance::{Command, Event, Notice, State};
use formats::message::{
    Consolidation, ConsolidationKind, GoodsArrival, Message, Movement, MovementKind, read_message,
};
use journal::{AppendRequest, JournalError, NewEvent};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spine::noun::Evidence;
use spine::{Actor, Finding, Severity};

use super::amendment::{Amended, asked, reasons};
use super::clerk::policy_actor;
use super::commands::{Folded, LODGE_BYTES_MAX, OWN_WRITE_WAIT, own, unknown};
use super::event::{MOVEMENT_NOTED, REQUEST_REFUSED};
use super::model::{MessageAnswer, Progress, Received};
use super::words;
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::projection::Record;

/// How often a message is tried again where something else happened to its declaration at the same moment.
const TRIES: usize = 5;
/// Messages about one declaration that could not be followed and are kept.
const REFUSED_MAX: usize = 200;
/// Declarations of one consignment that a movement moves.
const CONSIGNMENT_MAX: usize = 1_000;

/// `movement.noted`, version 1: a movement that moves no declaration, consignments put under one reference, or the
/// arrival of goods that were here already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MovementNoted {
    /// What it is: `anticipated_arrival`, `associated`, `shut`; `arrival` and `presentation` of goods that had been
    /// presented before.
    pub(crate) what: String,
    /// Reference of the consignment.
    pub(crate) ucr: Option<String>,
    /// Reference that it travels under.
    pub(crate) master_ucr: Option<String>,
    /// Declarations that name it.
    pub(crate) declarations: Vec<String>,
    /// The message as it came.
    pub(crate) message: Evidence,
}

/// What a message asks of a declaration.
struct Asked {
    /// Its stable name.
    request: &'static str,
    notice: Notice,
    what: What,
}

/// What a message leads to and who does each, or why it cannot be followed.
type Steps = Result<Vec<(Command, Actor)>, Vec<Finding>>;

enum What {
    Amend(Box<formats::message::AmendmentRequest>),
    Cancel { why: String },
    Present,
    Depart,
}

impl Customhouse {
    /// Takes in any message of a trader's software. A declaration or an entry summary declaration is told apart, to be
    /// lodged as such; everything else is followed here.
    ///
    /// # Errors
    /// `message_unreadable` with findings where it is none, or lacks what it must state; `declaration_unknown` and
    /// `consignment_unknown` for what is not the reader's own. Nothing is recorded then.
    pub fn receive_message(&self, reader: &Reader, bytes: &[u8]) -> Result<Received, Error> {
        reader.require(Permission::Lodge)?;
        if bytes.len() > LODGE_BYTES_MAX {
            return Err(Error::new(
                Kind::Invalid,
                "message_too_long",
                format!("the message has {} bytes; at most {LODGE_BYTES_MAX} are taken", bytes.len()),
                "Split it into several messages.",
            ));
        }
        let message = read_message(bytes).map_err(|findings| {
            Error::new(
                Kind::Invalid,
                "message_unreadable",
                "this is no message that can be followed",
                "Correct what the findings name and send it again. Nothing was recorded.",
            )
            .with_findings(findings)
        })?;
        let (request, mrn, reference, what) = match message {
            Message::Declaration(form) => return Ok(Received::Declaration(form)),
            Message::EntrySummary { .. } => return Ok(Received::EntrySummary),
            Message::Movement(movement) => {
                return self.goods_moved(reader, &movement, bytes).map(Received::Followed);
            }
            Message::Consolidation(consolidation) => {
                return self.consolidated(reader, &consolidation, bytes).map(Received::Followed);
            }
            // It asks and changes nothing.
            Message::Query(ucr) => {
                let mut answer = MessageAnswer::of("query", None);
                answer.declarations = self.consignment(reader, &ucr.id)?;
                return Ok(Received::Followed(answer));
            }
            Message::Amendment(request) => {
                let (mrn, reference) = (request.head.mrn.clone(), request.head.reference.clone());
                ("amendment", mrn, Some(reference), What::Amend(request))
            }
            Message::Cancellation(request) => {
                let why = Some(reasons(&request.head)).filter(|why| !why.trim().is_empty());
                let why = why.or(request.reason_code).unwrap_or_else(|| "-".to_owned());
                let head = request.head;
                ("cancellation", head.mrn, Some(head.reference), What::Cancel { why })
            }
            Message::Presentation(request) => {
                let head = request.head;
                ("presentation", head.mrn, Some(head.reference), What::Present)
            }
            Message::GoodsArrival(GoodsArrival { mrn, .. }) => ("arrival", mrn, None, What::Present),
        };
        let reference = reference.filter(|reference| !reference.is_empty());
        let notice = Notice { reference, ..Notice::default() };
        let asked = Asked { request, notice, what };
        self.follow_message(reader, &mrn, asked, bytes).map(Received::Followed)
    }

    /// Keeps the bytes of a message.
    fn keep_message(&self, bytes: &[u8]) -> Result<Evidence, Error> {
        let kept = self.journal.put_blob(&mut &*bytes)?;
        let media_type = "application/xml".to_owned();
        Ok(Evidence { blob: kept.sha256, media_type, description: String::new() })
    }

    /// Follows a message about one declaration of the reader's own; of any other nothing is kept.
    fn follow_message(
        &self,
        reader: &Reader,
        mrn: &str,
        mut asked: Asked,
        bytes: &[u8],
    ) -> Result<MessageAnswer, Error> {
        self.own_record(reader, mrn)?;
        asked.notice.message = Some(self.keep_message(bytes)?);
        let mut tries = 0_usize;
        loop {
            tries = tries.saturating_add(1);
            match self.follow_message_once(reader, mrn, &asked) {
                Err(error) if error.kind == Kind::Conflict && tries < TRIES => {}
                answer => return answer,
            }
        }
    }

    fn follow_message_once(&self, reader: &Reader, mrn: &str, asked: &Asked) -> Result<MessageAnswer, Error> {
        let folded = self.folded(mrn)?;
        if folded.erased().is_some() {
            return Err(unknown(mrn));
        }
        let answer = |findings: Vec<Finding>, followed: bool, position: u64| MessageAnswer {
            request: asked.request.to_owned(),
            reference: asked.notice.reference.clone(),
            declarations: vec![mrn.to_owned()],
            followed,
            repeated: false,
            findings,
            position,
        };
        if let Some((position, findings)) = known(&folded, &asked.notice) {
            let followed = findings.is_empty();
            return Ok(MessageAnswer { repeated: true, ..answer(findings, followed, position) });
        }
        if matches!(asked.what, What::Present) && is_presented(folded.case.state) {
            let at = self.note_presented(reader, mrn, asked)?;
            let finding = presented_already(&folded);
            return Ok(match at {
                Ok(position) => answer(vec![finding], true, position),
                Err(position) => MessageAnswer { repeated: true, ..answer(vec![finding], true, position) },
            });
        }
        let steps = match self.message_steps(reader, &folded, asked)? {
            Ok(steps) => steps,
            Err(findings) => {
                return self
                    .refuse_message(mrn, &folded, asked, findings.clone())
                    .map(|at| answer(findings, false, at));
            }
        };
        match self.move_by(mrn, &folded, &steps) {
            Ok(position) => {
                self.desk().prepare();
                self.desk().note_waiting();
                Ok(answer(Vec::new(), true, position))
            }
            Err(error) if error.kind == Kind::Refused => {
                let findings = vec![not_possible(&folded, asked.request, &error)];
                self.refuse_message(mrn, &folded, asked, findings.clone())
                    .map(|at| answer(findings, false, at))
            }
            Err(error) => Err(error),
        }
    }

    /// What a message leads to, and who does it: the trader asks, and a policy may grant.
    fn message_steps(&self, reader: &Reader, folded: &Folded, request: &Asked) -> Result<Steps, Error> {
        let notice = request.notice.clone();
        let by = reader.actor();
        Ok(Ok(match &request.what {
            What::Amend(amendment) => {
                let Amended { declaration, packs } = match self.applied(folded, amendment)? {
                    Ok(amended) => amended,
                    Err(findings) => return Ok(Err(findings)),
                };
                let mut steps = vec![(asked(amendment, notice), by)];
                let acceptance = self.in_force().acceptance.clone();
                if let Some(acceptance) = acceptance.filter(|_| folded.case.state == State::Received) {
                    let basis = clearance::Basis { reason: words::amended(), ..acceptance.basis() };
                    let declaration = Box::new(declaration);
                    let grant = Command::GrantAmendment { basis, declaration, debt: Vec::new(), packs };
                    steps.push((grant, policy_actor(&acceptance.hash)));
                }
                steps
            }
            What::Cancel { why } => {
                vec![(Command::RequestCancel { why: why.clone(), reference: notice.reference }, by)]
            }
            What::Present => vec![(Command::Present { notice }, by)],
            What::Depart => vec![(Command::Depart { notice }, by)],
        }))
    }

    /// Keeps a message that tells of goods that are known to be here. Answers with its position; `Err` is that of the
    /// very same message, which came before.
    fn note_presented(&self, reader: &Reader, mrn: &str, asked: &Asked) -> Result<Result<u64, u64>, Error> {
        let Some(message) = asked.notice.message.clone() else { return Ok(Ok(self.journal.head())) };
        let claim = format!("presented-already/{mrn}/{}", message.blob);
        let noted = MovementNoted {
            what: asked.request.to_owned(),
            ucr: None,
            master_ucr: None,
            declarations: vec![mrn.to_owned()],
            message,
        };
        match self.journal.append(self.noting(reader, mrn, &noted, vec![claim])?) {
            Ok(appended) => Ok(Ok(appended.last_position())),
            Err(JournalError::Claimed { position, .. }) => Ok(Err(position)),
            Err(error) => Err(error.into()),
        }
    }

    /// The event of a movement of a consignment, or of the goods of a declaration.
    fn noting(
        &self,
        reader: &Reader,
        about: &str,
        noted: &MovementNoted,
        claims: Vec<String>,
    ) -> Result<AppendRequest, Error> {
        let payload =
            serde_json::to_value(noted).map_err(|error| Error::internal("event_unwritable", &error))?;
        let event = NewEvent {
            stream: format!("consignment/{}", hex::encode(Sha256::digest(about))),
            kind: MOVEMENT_NOTED.to_owned(),
            kind_version: 1,
            occurred_at: self.now(),
            actor: reader.actor(),
            causation: None,
            payload,
        };
        Ok(AppendRequest { events: vec![event], claims, ..AppendRequest::default() })
    }

    /// Keeps and answers a message that cannot be followed.
    fn refuse_message(
        &self,
        mrn: &str,
        folded: &Folded,
        asked: &Asked,
        findings: Vec<Finding>,
    ) -> Result<u64, Error> {
        let kept = folded.events.iter().filter(|event| event.envelope.kind == REQUEST_REFUSED).count();
        if kept >= REFUSED_MAX {
            return Err(Error::new(
                Kind::Refused,
                "too_many_refused",
                format!("{kept} messages about {mrn} could not be followed; no more of them are kept"),
                "Look at where the declaration stands and at what was answered before sending another message.",
            )
            .with_findings(findings));
        }
        let (notice, request) = (asked.notice.clone(), asked.request.to_owned());
        let refuse = Command::RefuseRequest { notice, request, findings };
        self.move_by(mrn, folded, &[(refuse, Actor::system())])
    }

    /// Goods arrive, set out, or are expected: by the reference of their consignment.
    fn goods_moved(
        &self,
        reader: &Reader,
        movement: &Movement,
        bytes: &[u8],
    ) -> Result<MessageAnswer, Error> {
        let (request, present) = match movement.kind {
            MovementKind::Arrival | MovementKind::RetrospectiveArrival => ("arrival", true),
            MovementKind::Departure => ("departure", false),
            MovementKind::AnticipatedArrival => {
                return self.note_movement(
                    reader,
                    "anticipated_arrival",
                    Some(&movement.ucr.id),
                    None,
                    bytes,
                );
            }
        };
        let mut together = MessageAnswer::of(request, movement.reference.clone());
        for mrn in self.consignment(reader, &movement.ucr.id)? {
            let location = Some(movement.goods_location.clone()).filter(|location| !location.is_empty());
            // The message has an answer of its own kind: no notification of the declaration is sent for it.
            let notice = Notice { location, ..Notice::default() };
            let what = if present { What::Present } else { What::Depart };
            together.join(self.follow_message(reader, &mrn, Asked { request, notice, what }, bytes)?);
        }
        Ok(together)
    }

    fn consolidated(
        &self,
        reader: &Reader,
        consolidation: &Consolidation,
        bytes: &[u8],
    ) -> Result<MessageAnswer, Error> {
        let (ucr, master) = (consolidation.ucr.as_ref(), consolidation.master_ucr.as_deref());
        let what = match consolidation.kind {
            ConsolidationKind::Shut => "shut",
            ConsolidationKind::Associate => "associated",
        };
        self.note_movement(reader, what, ucr.map(|ucr| ucr.id.as_str()), master, bytes)
    }

    /// Records a movement that moves no declaration.
    fn note_movement(
        &self,
        reader: &Reader,
        what: &str,
        ucr: Option<&str>,
        master_ucr: Option<&str>,
        bytes: &[u8],
    ) -> Result<MessageAnswer, Error> {
        let about = ucr.or(master_ucr).unwrap_or_default();
        let declarations = self.consignment(reader, about)?;
        let noted = MovementNoted {
            what: what.to_owned(),
            ucr: ucr.map(str::to_owned),
            master_ucr: master_ucr.map(str::to_owned),
            declarations: declarations.clone(),
            message: self.keep_message(bytes)?,
        };
        let appended = self.journal.append(self.noting(reader, about, &noted, Vec::new())?)?;
        let mut answer = MessageAnswer::of(what, None);
        answer.declarations = declarations;
        answer.position = appended.last_position();
        Ok(answer)
    }

    /// The reader's declarations that name a consignment.
    fn consignment(&self, reader: &Reader, ucr: &str) -> Result<Vec<String>, Error> {
        // What was lodged a moment ago must show.
        self.projection.wait_for(self.journal.head(), OWN_WRITE_WAIT);
        let records: Vec<Record> = self.projection.read(|connection| {
            let mrns: Vec<String> = connection
                .prepare_cached("SELECT mrn FROM consignment WHERE ucr = ?1 ORDER BY mrn LIMIT ?2")?
                .query_map((ucr, CONSIGNMENT_MAX), |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let records = mrns.iter().filter_map(|mrn| Record::find(connection, mrn).transpose());
            records.collect()
        })?;
        let others = reader.may(Permission::LodgeForOthers);
        let own: Vec<String> = records
            .into_iter()
            .filter(|record| others || own(record, reader))
            .map(|record| record.mrn)
            .collect();
        if own.is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                "consignment_unknown",
                format!(
                    "no declaration of yours names the consignment \"{}\"",
                    ucr.chars().take(64).collect::<String>()
                ),
                "Lodge the declaration first, and name the reference of the consignment in it (document kind DCR or MCR).",
            ));
        }
        Ok(own)
    }
}

/// Are its goods known to be here: were they presented, or was it accepted, which none is before they are?
fn is_presented(state: State) -> bool {
    use State as S;
    match state {
        S::Lodged | S::Received | S::Rejected | S::Cancelled => false,
        S::Presented
        | S::Accepted
        | S::AwaitingDocuments
        | S::UnderControl
        | S::Held
        | S::ReleasePending
        | S::PaymentPending
        | S::Released
        | S::Cleared
        | S::Exited
        | S::Detained => true,
    }
}

/// What is said of the arrival of goods that are here.
fn presented_already(folded: &Folded) -> Finding {
    Finding::new("goods_presented_already", Severity::Information)
        .found(Progress::of(&folded.case).name())
        .expected("a declaration that waits for its goods")
        .fix("Nothing to do: the goods of this declaration are known to be here. The message is kept.")
}

/// Was the very same message followed or refused before? Where, and with what findings.
fn known(folded: &Folded, notice: &Notice) -> Option<(u64, Vec<Finding>)> {
    let same = |own: &Notice| own.message.is_some() && own.message == notice.message;
    folded.events.iter().rev().find_map(|event| {
        let read =
            Event::read(&event.envelope.kind, event.envelope.kind_version, event.payload.value()?)?.ok()?;
        match read {
            Event::RequestRefused { notice: own, findings, .. } if same(&own) => {
                Some((event.position, findings))
            }
            Event::AmendmentRequested { notice: own, .. }
            | Event::Presented { notice: own }
            | Event::Departed { notice: own }
                if same(&own) =>
            {
                Some((event.position, Vec::new()))
            }
            Event::CancelRequested { reference, .. }
                if reference.is_some() && reference == notice.reference =>
            {
                Some((event.position, Vec::new()))
            }
            _ => None,
        }
    })
}

/// Why a message cannot be followed, as far as its trader may know.
fn not_possible(folded: &Folded, request: &str, error: &Error) -> Finding {
    // These say nothing that the trader was not told before.
    const TOLD: [&str; 4] =
        ["amendment_requested_already", "cancel_requested_already", "control_announced", "not_an_export"];
    let told = error.findings.iter().find(|finding| TOLD.contains(&finding.code.as_str()));
    told.cloned().unwrap_or_else(|| {
        Finding::error("request_not_possible")
            .found(Progress::of(&folded.case).name())
            .expected(format!("a declaration for which {request} is possible"))
            .fix("Look at where the declaration stands, and at what can be done with it now.")
    })
}
