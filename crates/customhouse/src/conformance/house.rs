//! A house for one run of a suite: a folder that is removed afterwards, a clock that is moved, policies that accept and
//! leave every release to an officer, and the people who work there.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clearance::{Case, ControlResult, ResultCode, State};
use jiff::{SignedDuration, Timestamp};
use journal::Clock;
use sha2::{Digest, Sha256};

use super::material::Material;
use super::public_rules::CODE_LISTS;
use crate::Customhouse;
use crate::declarations::{CaseAction, Channel, LodgeRequest, SentDocument};
use crate::error::{Error, Kind};
use crate::identity::{Reader, Role};
use crate::plans::PolicyKind;

/// Folder of the published schemas.
const SCHEMAS: &str = "cds-wco-dms";
/// How long it is waited until what was recorded shows.
const SHOWN: Duration = Duration::from_secs(30);
/// How often it is looked whether the desk went on, and how long at most.
const STEP: Duration = Duration::from_millis(2);
const STEPS_MAX: usize = 15_000;
/// What the clock is moved by, so that a release has effect.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// A clock that is moved by hand.
#[derive(Debug)]
struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A declaration that was lodged here.
#[derive(Debug, Clone)]
pub(super) struct Lodged {
    pub(super) mrn: String,
    pub(super) export: bool,
    /// Its trader.
    trader: Reader,
}

pub(super) struct House {
    house: Customhouse,
    clock: Arc<HandClock>,
    officer: Reader,
    chief: Reader,
    /// Hashes of the references that were used.
    references: HashSet<String>,
    says: Vec<String>,
    /// Dropped last, and removed then.
    _folder: tempfile::TempDir,
}

impl House {
    /// A new house in which the schemas and code lists that lie beside the cases are installed, and a register of these
    /// holders of authorisations.
    pub(super) fn open(material: &Material, holders: &BTreeSet<String>) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(|error| Error::internal("no_temporary_folder", &error))?;
        let clock = Arc::new(HandClock(Mutex::new(Timestamp::now())));
        let house = Customhouse::open_with_clock(&folder.path().join("data"), clock.clone())?;
        let says = installed(material, &house, &folder.path().join("register"), holders)?;
        let (analyst, chief) = (Reader::new("analyst", Role::Analyst), Reader::new("chief", Role::Chief));
        let kind = PolicyKind::Acceptance;
        let hash = house.propose_policy(&analyst, kind, house.standard_policy(kind)?)?.hash;
        house.approve_policy(&analyst, &hash)?;
        house.approve_policy(&chief, &hash)?;
        let officer = Reader::new("officer", Role::Officer);
        Ok(Self { house, clock, officer, chief, references: HashSet::new(), says, _folder: folder })
    }

    /// What was found beside the cases, and what was not.
    pub(super) fn says(&self) -> impl Iterator<Item = &str> {
        self.says.iter().map(String::as_str)
    }

    /// Was no reference of these messages used here?
    pub(super) fn is_new_to<'a>(&self, messages: impl Iterator<Item = &'a [u8]>) -> bool {
        messages.map(hash).all(|hash| !self.references.contains(&hash))
    }

    pub(super) fn lodge(&mut self, bytes: &[u8]) -> Result<Lodged, Error> {
        let request = LodgeRequest { bytes: bytes.to_vec(), form: None, channel: Channel::Api };
        self.references.insert(hash(bytes));
        let receipt = self.house.lodge(&Reader::local_operator(), request)?;
        self.shown(receipt.position);
        let record = self.house.known_record(&receipt.mrn)?;
        let party = record.party.unwrap_or_default();
        let trader = Reader::new("trader", Role::Trader).of_party(Some(&party));
        let content = self.house.case_unseen(&self.chief, &receipt.mrn)?.declaration;
        let export = content.is_some_and(|declaration| declaration.is_export());
        Ok(Lodged { mrn: receipt.mrn, export, trader })
    }

    /// Sends another message of the trader. What it names as the number of a declaration is the number that the trader
    /// was given here: that of the last one.
    pub(super) fn send(&self, declarations: &[Lodged], bytes: &[u8]) -> Result<(), Error> {
        let Some(last) = declarations.last() else {
            return Err(Error::new(
                Kind::NotFound,
                "declaration_unknown",
                "the message comes before any declaration",
                "Send the declaration first.",
            ));
        };
        let bytes = self.addressed(bytes, declarations, last)?;
        self.house.receive_message(&last.trader, &bytes)?;
        self.shown(self.house.journal_position());
        Ok(())
    }

    /// The message as the trader would send it here: about the number that it was given, and about a consignment that one
    /// of its declarations names. (Numbers and some references of published messages are those of other runs.)
    fn addressed(&self, bytes: &[u8], declarations: &[Lodged], last: &Lodged) -> Result<Vec<u8>, Error> {
        use formats::message::{Message, read_message};
        let (named, instead) = match read_message(bytes) {
            Ok(Message::Amendment(request)) => (request.head.mrn, last.mrn.clone()),
            Ok(Message::Cancellation(request)) => (request.head.mrn, last.mrn.clone()),
            Ok(Message::Presentation(request)) => (request.head.mrn, last.mrn.clone()),
            Ok(Message::GoodsArrival(arrival)) => (arrival.mrn, last.mrn.clone()),
            Ok(Message::Movement(movement)) => {
                let mut references = Vec::new();
                for own in declarations {
                    let content = self.house.case_unseen(&self.chief, &own.mrn)?.declaration;
                    let named = content.iter().flat_map(|content| content.consignment_references());
                    references.extend(named.map(str::to_owned));
                }
                let known = references.contains(&movement.ucr.id);
                let first = references.into_iter().next().filter(|_| !known);
                (movement.ucr.id.clone(), first.unwrap_or(movement.ucr.id))
            }
            _ => return Ok(bytes.to_vec()),
        };
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) if !named.is_empty() => text.replace(&named, &instead).into_bytes(),
            _ => bytes.to_vec(),
        })
    }

    fn shown(&self, position: u64) {
        // What does not show in time shows in what comes out.
        let _ = self.house.wait_until_shown(position, SHOWN);
    }

    pub(super) fn case(&self, own: &Lodged) -> Result<Case, Error> {
        Ok(self.house.folded(&own.mrn)?.case)
    }

    /// Where a declaration stands, once the desk has nothing to do with it any more.
    pub(super) fn state(&self, own: &Lodged) -> Result<State, Error> {
        for _ in 0..STEPS_MAX {
            let case = self.case(own)?;
            let waits = case.state == State::Presented && case.amendment.is_none() && !case.cancel_requested;
            if !waits {
                return Ok(case.state);
            }
            std::thread::sleep(STEP);
        }
        Ok(State::Presented)
    }

    /// The trader, or an officer, does something.
    pub(super) fn act(&self, own: &Lodged, action: &CaseAction) -> Result<(), Error> {
        let traders = matches!(
            action,
            CaseAction::Present { .. } | CaseAction::Depart { .. } | CaseAction::SendDocuments { .. }
        );
        self.act_as(if traders { &own.trader } else { &self.officer }, own, action)
    }

    /// A chief decides.
    pub(super) fn lead(&self, own: &Lodged, action: &CaseAction) -> Result<(), Error> {
        self.act_as(&self.chief, own, action)
    }

    fn act_as(&self, reader: &Reader, own: &Lodged, action: &CaseAction) -> Result<(), Error> {
        let version = match reader.role {
            Role::Trader => self.house.own_declaration(reader, &own.mrn)?.version,
            _ => self.house.folded(&own.mrn)?.version,
        };
        let position = self.house.act(reader, &own.mrn, version, action)?;
        self.shown(position);
        Ok(())
    }

    /// Takes the control, where nobody has it.
    pub(super) fn take(&self, own: &Lodged) -> Result<(), Error> {
        if self.case(own)?.officer().is_none() { self.act(own, &CaseAction::Take) } else { Ok(()) }
    }

    /// Documents are asked for, and sent.
    pub(super) fn ask_for_documents(&self, own: &Lodged) -> Result<(), Error> {
        self.act(own, &CaseAction::RequestDocuments { what: "the invoice".to_owned() })?;
        let kept = self.house.keep_document(&own.trader, b"an invoice")?;
        let document = SentDocument {
            name: "invoice.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            sha256: kept.sha256,
        };
        self.act(own, &CaseAction::SendDocuments { note: String::new(), documents: vec![document] })
    }

    /// The control finds nothing irregular, and the release that follows has effect.
    pub(super) fn complete(&self, own: &Lodged) -> Result<(), Error> {
        let result = ControlResult {
            code: ResultCode::Conform,
            findings: Vec::new(),
            recovered_revenue: None,
            note: String::new(),
            evidence: Vec::new(),
            inspected: true,
        };
        self.act(own, &CaseAction::Complete { result })?;
        {
            let mut now = self.clock.0.lock().unwrap_or_else(PoisonError::into_inner);
            *now = now.checked_add(GRACE).unwrap_or(*now);
        }
        self.house.run_timers()?;
        Ok(())
    }

    /// What the traders' software was told of these declarations, in order: `13/67`.
    pub(super) fn told(&self, declarations: &[Lodged]) -> Result<Vec<String>, Error> {
        let mut told = Vec::new();
        for own in declarations {
            let rows = self.house.notifications_of(&own.trader, &own.mrn)?;
            told.extend(rows.into_iter().map(|row| {
                let status = row.status.map(|status| format!("/{status}")).unwrap_or_default();
                (row.sequence, format!("{}{status}", row.function_code))
            }));
        }
        told.sort();
        Ok(told.into_iter().map(|(_, said)| said).collect())
    }
}

/// Installs what lies beside the cases, and says what does not.
fn installed(
    material: &Material,
    house: &Customhouse,
    register: &Path,
    holders: &BTreeSet<String>,
) -> Result<Vec<String>, Error> {
    let admin = Reader::new("admin", Role::Admin);
    let mut says = Vec::new();
    for (what, folder) in [("code lists", material.beside(CODE_LISTS)), ("schemas", material.folder(SCHEMAS))]
    {
        if folder.is_dir() {
            house.install_pack(&admin, &folder)?;
            says.push(format!("with {what}"));
        } else {
            says.push(format!("without {what}: there is no {}", folder.display()));
        }
    }
    if !holders.is_empty() {
        let lines: Vec<String> = holders.iter().map(|holder| format!("{holder},,,")).collect();
        let text = format!("holder,type,valid_from,valid_to\n{}\n", lines.join("\n"));
        let fail = |error: std::io::Error| Error::io("register_unwritable", register, &error);
        std::fs::create_dir_all(register).map_err(fail)?;
        std::fs::write(register.join("authorisations.csv"), text).map_err(fail)?;
        house.install_pack(&admin, register)?;
    }
    Ok(says)
}

fn hash(bytes: &[u8]) -> String {
    let understood = formats::declaration::read(bytes, formats::declaration::Form::DmsXml).declaration;
    let reference = understood.and_then(|declaration| declaration.functional_reference_id);
    reference.unwrap_or_else(|| hex::encode(Sha256::digest(bytes)))
}
