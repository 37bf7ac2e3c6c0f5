//! Simulated officers and traders: they work through the queue with the country's truth and their own skill, and leave
//! to the people who look at the demo what is theirs.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use country::{DeclaredConsignment, Officer};
use customhouse::declarations::{
    Action, CaseAction, CaseFile, ControlKind, ControlOnCase, Progress, QueueQuery, Receipt, ResultCode,
    SentDocument, State,
};
use customhouse::identity::{Reader, Role};
use customhouse::{Customhouse, Error, Kind};
use jiff::{SignedDuration, Timestamp};

use super::agenda::{Agenda, Step, Task};
use super::chance::Chance;
use super::examination::examine;
use super::lodging::trader;
use super::people::{Visitors, of_declaration};

/// How long work that is a visitor's waits for them.
const PATIENCE: SignedDuration = SignedDuration::from_hours(8);
/// Shortest delay of anybody.
const DELAY_MIN: SignedDuration = SignedDuration::from_secs(5);
/// Offices are open from this hour to that one.
const OPEN_HOURS: (i8, i8) = (7, 19);

/// How often somebody looks which released goods are to be audited.
const AUDIT_LOOK: SignedDuration = SignedDuration::from_hours(2);
/// Released declarations whose truth is kept for an audit, the latest.
const RELEASED_MAX: usize = 4_096;

/// At what time people live.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// Through the past: hours are hours, and nights are nights. From a moment on, visitors' work is left to them.
    Past { left_from: Timestamp },
    /// In the present, with all delays multiplied, so that a fast world has fast officers.
    Present { factor: f64 },
}

/// Everybody who is simulated, and what they mean to do.
pub(super) struct Actors {
    house: Arc<Customhouse>,
    visitors: Visitors,
    officers: HashMap<String, Vec<Officer>>,
    /// The truth about what is examined.
    truths: HashMap<String, DeclaredConsignment>,
    /// The truth about what was released at once, the oldest first: some of it is audited afterwards.
    released: VecDeque<(String, DeclaredConsignment)>,
    audits_due: Timestamp,
    agenda: Agenda,
    chance: Chance,
    pub(super) pace: Pace,
}

impl Actors {
    pub(super) fn new(
        house: Arc<Customhouse>,
        visitors: Visitors,
        officers: impl Iterator<Item = Officer>,
        seed: u64,
        pace: Pace,
    ) -> Self {
        let mut by_office: HashMap<String, Vec<Officer>> = HashMap::new();
        for officer in officers {
            by_office.entry(officer.office_id.to_string()).or_default().push(officer);
        }
        Self {
            house,
            visitors,
            officers: by_office,
            truths: HashMap::new(),
            released: VecDeque::new(),
            audits_due: Timestamp::MIN,
            agenda: Agenda::default(),
            chance: Chance::new(seed),
            pace,
        }
    }

    /// When somebody means to do something next.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.agenda.next_at()
    }

    /// When that long has passed, at the pace at which people live.
    fn later(&self, now: Timestamp, delay: SignedDuration) -> Timestamp {
        match self.pace {
            Pace::Past { .. } => now.checked_add(delay).unwrap_or(now),
            Pace::Present { factor } => {
                let delay = SignedDuration::try_from_secs_f64(delay.as_secs_f64() * factor);
                now.checked_add(delay.unwrap_or(DELAY_MIN).max(DELAY_MIN)).unwrap_or(now)
            }
        }
    }

    fn mean(&mut self, now: Timestamp, delay: SignedDuration, mrn: &str, step: Step) {
        let at = self.later(now, delay);
        let at = if matches!(self.pace, Pace::Past { .. }) { in_office_hours(at) } else { at };
        self.agenda.mean(at, mrn, step);
    }

    fn after(&mut self, now: Timestamp, minutes: (u32, u32), mrn: &str, step: Step) {
        let delay = self.chance.minutes(minutes.0, minutes.1);
        self.mean(now, delay, mrn, step);
    }

    /// Takes notice of a declaration that came in: if it is to be examined, somebody will.
    pub(super) fn notice(
        &mut self,
        consignment: DeclaredConsignment,
        receipt: &Receipt,
    ) -> Result<(), Error> {
        match receipt.progress {
            Progress::Rejected => return Ok(()),
            Progress::Released => {
                self.released.push_back((receipt.mrn.clone(), consignment));
                if self.released.len() > RELEASED_MAX {
                    self.released.pop_front();
                }
                return Ok(());
            }
            _ => {}
        }
        let _ = self.house.wait_until_shown(receipt.position, std::time::Duration::from_secs(5));
        let case = self.house.case_unseen(&Reader::local_operator(), &receipt.mrn)?;
        if case.control.is_some() {
            self.truths.insert(receipt.mrn.clone(), consignment);
            self.after(self.house.now(), (20, 300), &receipt.mrn, Step::Take);
        }
        Ok(())
    }

    /// Does what is due by now, at most so many things; answers with how many were done.
    pub(super) fn act(&mut self, now: Timestamp, most: usize) -> Result<usize, Error> {
        if now >= self.audits_due {
            self.notice_audits(now)?;
            self.audits_due = self.later(now, AUDIT_LOOK);
        }
        let mut done = 0_usize;
        while done < most {
            let Some(task) = self.agenda.due(now) else { break };
            done = done.saturating_add(1);
            match self.perform(&task) {
                Ok(()) => {}
                // Somebody else was faster, or it stands otherwise now: people look again another time.
                Err(error)
                    if matches!(
                        error.kind,
                        Kind::Conflict | Kind::Refused | Kind::Invalid | Kind::NotFound | Kind::Forbidden
                    ) =>
                {
                    tracing::info!(code = error.code, mrn = task.mrn, "not done by the simulated: {error}");
                    self.truths.remove(&task.mrn);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Takes notice of released goods that are to be audited: an officer will, within days.
    fn notice_audits(&mut self, now: Timestamp) -> Result<(), Error> {
        let query =
            QueueQuery { kind: "audit".to_owned(), whose: "free".to_owned(), ..QueueQuery::default() };
        for task in self.house.queue(&Reader::local_operator(), &query)?.tasks {
            let Some(at) = self.released.iter().position(|(mrn, _)| *mrn == task.row.mrn) else { continue };
            let Some((mrn, consignment)) = self.released.remove(at) else { continue };
            self.truths.insert(mrn.clone(), consignment);
            self.after(now, (240, 2_880), &mrn, Step::Take);
        }
        Ok(())
    }

    fn perform(&mut self, task: &Task) -> Result<(), Error> {
        let Some(consignment) = self.truths.get(&task.mrn) else { return Ok(()) };
        let office = of_declaration(consignment, "office_id").unwrap_or_default();
        let party = of_declaration(consignment, "declarant_id").unwrap_or_default();
        let case = self.house.case_unseen(&Reader::local_operator(), &task.mrn)?;
        let now = self.house.now();
        if self.is_left(task, &case, &office, &party, now) {
            self.agenda.mean(now.checked_add(PATIENCE).unwrap_or(now), &task.mrn, task.step);
            return Ok(());
        }
        match task.step {
            Step::Take => self.take(&case, &office, now),
            Step::Reply => self.reply(&case, &party, now),
            Step::Conclude => self.conclude(&case, now),
            Step::Decide => self.decide(&case, now),
            Step::Contest => self.contest(&case, &party, now),
            Step::AnswerContest => self.answer_contest(&case, &office),
        }
    }

    /// Is it for the people who look at the demo, and are they still given time?
    fn is_left(&self, task: &Task, case: &CaseFile, office: &str, party: &str, now: Timestamp) -> bool {
        let theirs = match task.step {
            Step::Take => office == self.visitors.office,
            Step::Reply | Step::Contest => party == self.visitors.party,
            Step::AnswerContest => office == self.visitors.office,
            Step::Conclude | Step::Decide => false,
        };
        let began = match task.step {
            Step::Take => case.row.lodged_at,
            _ => case.timeline.last().map_or(case.row.lodged_at, |step| step.at),
        };
        let waited = now.duration_since(began) >= PATIENCE;
        theirs
            && match self.pace {
                Pace::Past { left_from } => now >= left_from,
                Pace::Present { .. } => !waited,
            }
    }

    /// A trader's action is taken against what the trader has seen.
    fn act_as_trader(&self, party: &str, mrn: &str, action: &CaseAction) -> Result<(), Error> {
        let reader = trader(party);
        let version = self.house.own_declaration(&reader, mrn)?.version;
        self.house.act(&reader, mrn, version, action).map(|_| ())
    }

    fn act_on(&self, reader: &Reader, case: &CaseFile, action: &CaseAction) -> Result<(), Error> {
        self.house.act(reader, &case.row.mrn, case.version, action).map(|_| ())
    }

    fn take(&mut self, case: &CaseFile, office: &str, now: Timestamp) -> Result<(), Error> {
        let (Some(control), true) = (open_work(case), case.actions.contains(&Action::Take)) else {
            return Ok(());
        };
        let mrn = &case.row.mrn;
        let officers = self.officers.get(office).map(Vec::as_slice).unwrap_or_default();
        let Some(officer) = self.chance.one_of(officers) else { return Ok(()) };
        let reader = Reader::new(&officer.id, Role::Officer).at_office(Some(office));
        self.act_on(&reader, case, &CaseAction::Take)?;
        let wish = match control.kind {
            ControlKind::Documents if self.chance.happens(0.4) => Some(CaseAction::RequestDocuments {
                what: "Commercial invoice, packing list and proof of payment".to_owned(),
            }),
            ControlKind::Documents if self.chance.happens(0.25) => Some(CaseAction::Ask {
                text: "What are the goods made of, and what are they used for?".to_owned(),
            }),
            ControlKind::Query => {
                Some(CaseAction::Ask { text: "Which licence covers these goods?".to_owned() })
            }
            _ => None,
        };
        let Some(wish) = wish else {
            self.after(now, (30, 240), mrn, Step::Conclude);
            return Ok(());
        };
        let taken = self.house.case(&reader, mrn)?;
        self.act_on(&reader, &taken, &wish)?;
        self.after(now, (60, 900), mrn, Step::Reply);
        Ok(())
    }

    fn reply(&mut self, case: &CaseFile, party: &str, now: Timestamp) -> Result<(), Error> {
        let reader = trader(party);
        let mrn = &case.row.mrn;
        if case.open_documents.is_some() {
            let text = format!(
                "SIMULATED\nCommercial invoice for declaration {mrn}\nSeller: {}\nBuyer: {}\n",
                case.row.exporter.as_deref().unwrap_or("not declared"),
                case.row.importer.as_deref().unwrap_or("not declared"),
            );
            let kept = self.house.keep_document(&reader, text.as_bytes())?;
            let documents = vec![SentDocument {
                name: "invoice.txt".to_owned(),
                media_type: "text/plain".to_owned(),
                sha256: kept.sha256,
            }];
            let note = "The invoice as asked for.".to_owned();
            self.act_as_trader(party, mrn, &CaseAction::SendDocuments { note, documents })?;
        } else if case.open_question.is_some() {
            let text = "They are as described in the declaration, for resale.".to_owned();
            self.act_as_trader(party, mrn, &CaseAction::Answer { text })?;
        }
        self.after(now, (30, 180), mrn, Step::Conclude);
        Ok(())
    }

    /// The simulated officer who has the control; `None` if it is nobody's or a visitor's.
    fn holder(&self, case: &CaseFile) -> Option<&Officer> {
        let officer = open_work(case)?.officer.as_deref()?;
        self.officers.get(&case.row.office)?.iter().find(|own| *own.id == *officer)
    }

    fn conclude(&mut self, case: &CaseFile, now: Timestamp) -> Result<(), Error> {
        let mrn = case.row.mrn.clone();
        let (Some(control), Some(officer)) = (open_work(case), self.holder(case).cloned()) else {
            return Ok(());
        };
        let reader = Reader::new(&officer.id, Role::Officer).at_office(Some(&officer.office_id));
        let may_escalate = control.kind == ControlKind::Documents && case.actions.contains(&Action::Escalate);
        if may_escalate && self.chance.happens(0.05) {
            let why = "The papers do not settle what the goods are.".to_owned();
            self.act_on(&reader, case, &CaseAction::Escalate { why })?;
            self.after(now, (30, 240), &mrn, Step::Take);
            return Ok(());
        }
        let Some(consignment) = self.truths.get(&mrn) else { return Ok(()) };
        let result = examine(consignment, control.kind, &officer, &mut self.chance);
        let audit = control.kind == ControlKind::Audit;
        let to_decide = result.code == ResultCode::Irregular && !audit;
        let action = if audit { CaseAction::CloseAudit { result } } else { CaseAction::Complete { result } };
        self.act_on(&reader, case, &action)?;
        if to_decide {
            self.after(now, (20, 180), &mrn, Step::Decide);
        } else {
            self.truths.remove(&mrn);
        }
        Ok(())
    }

    fn decide(&mut self, case: &CaseFile, now: Timestamp) -> Result<(), Error> {
        let mrn = case.row.mrn.clone();
        let Some(officer) = self.holder(case).cloned() else { return Ok(()) };
        if case.row.state != Some(State::Held) {
            return Ok(());
        }
        let reader = Reader::new(&officer.id, Role::Officer).at_office(Some(&officer.office_id));
        let detain = self.chance.happens(0.25);
        let action = if detain {
            CaseAction::Detain {
                legal_basis: "WCO Revised Kyoto Convention, Specific Annex H, Chapter 1".to_owned(),
                why: "The goods are not what was declared; they are kept until this is settled.".to_owned(),
            }
        } else {
            CaseAction::Release {
                why: "Released after correction of the declaration and payment of the difference.".to_owned(),
                open: Vec::new(),
            }
        };
        self.act_on(&reader, case, &action)?;
        if self.chance.happens(0.3) {
            self.after(now, (60, 1_200), &mrn, Step::Contest);
        } else {
            self.truths.remove(&mrn);
        }
        Ok(())
    }

    fn contest(&mut self, case: &CaseFile, party: &str, now: Timestamp) -> Result<(), Error> {
        let text = "We declared what the seller invoiced, and ask for the decision to be looked at again.";
        self.act_as_trader(party, &case.row.mrn, &CaseAction::Contest { text: text.to_owned() })?;
        self.after(now, (240, 1_440), &case.row.mrn, Step::AnswerContest);
        Ok(())
    }

    /// Another official of the office answers.
    fn answer_contest(&mut self, case: &CaseFile, office: &str) -> Result<(), Error> {
        let reader = Reader::new(&format!("CH{office}"), Role::Chief).at_office(Some(office));
        let upheld = !self.chance.happens(0.2);
        let text = if upheld {
            "The result was checked by a second officer and stands."
        } else {
            "The seller's invoice was found to be right; the finding does not stand."
        };
        self.act_on(&reader, case, &CaseAction::AnswerContest { upheld, text: text.to_owned() })?;
        self.truths.remove(&case.row.mrn);
        Ok(())
    }
}

/// The audit after release while it is open, the control before release otherwise.
fn open_work(case: &CaseFile) -> Option<&ControlOnCase> {
    case.audit.as_ref().filter(|audit| audit.result.is_none()).or(case.control.as_ref())
}

/// The moment itself, or the morning on which the office opens next.
fn in_office_hours(at: Timestamp) -> Timestamp {
    let zone = jiff::tz::TimeZone::UTC;
    let civil = zone.to_datetime(at);
    let (opens, closes) = OPEN_HOURS;
    let day = if civil.hour() < opens {
        civil.date()
    } else if civil.hour() >= closes {
        civil.date().tomorrow().unwrap_or(civil.date())
    } else {
        return at;
    };
    // Not all at once: the minute of the night becomes the minute of the morning.
    let morning = day.at(opens, civil.minute(), civil.second(), 0);
    zone.to_timestamp(morning).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_works_at_night_in_the_past() {
        for (meant, done) in [
            ("2026-03-02T10:15:00Z", "2026-03-02T10:15:00Z"),
            ("2026-03-02T03:15:09Z", "2026-03-02T07:15:09Z"),
            ("2026-03-02T19:00:00Z", "2026-03-03T07:00:00Z"),
            ("2026-12-31T23:59:59Z", "2027-01-01T07:59:59Z"),
        ] {
            assert_eq!(
                in_office_hours(meant.parse().unwrap()),
                done.parse::<Timestamp>().unwrap(),
                "{meant}"
            );
        }
    }
}
