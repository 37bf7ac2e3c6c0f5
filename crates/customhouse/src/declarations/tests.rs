//! Declarations through the house: lodged, tagged, selected, controlled, decided, released.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clearance::{ControlResult, ResultCode, State};
use jiff::{SignedDuration, Timestamp};
use journal::Clock;
use serde_json::{Value, json};
use spine::noun::Lane;

use super::*;
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Reader, Role};
use crate::plans::PolicyKind;

/// A clock that a test moves.
///
/// The second part stops the desk alone: as long as it is taken, the desk cannot learn the time.
#[derive(Debug)]
pub(crate) struct HandClock(Mutex<Timestamp>, Mutex<()>);

impl HandClock {
    /// Forward, or back.
    pub(crate) fn forward(&self, hours: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_hours(hours)).unwrap();
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        let at_desk = std::thread::current().name() == Some("desk");
        let _stopped = at_desk.then(|| self.1.lock().unwrap());
        *self.0.lock().unwrap()
    }
}

/// A house with a clock, for the tests of other rooms too.
pub(crate) struct World {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) house: Customhouse,
}

pub(crate) fn reader(id: &str, role: Role) -> Reader {
    Reader::new(id, role)
}

pub(crate) fn trader() -> Reader {
    reader("t-1", Role::Trader).of_party(Some("NL0001"))
}

fn officer(id: &str) -> Reader {
    reader(id, Role::Officer)
}

impl World {
    /// A house without any policy.
    fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock(Mutex::new("2026-03-02T08:00:00Z".parse().unwrap()), Mutex::new(())));
        let house = Customhouse::open_with_clock(&folder.path().join("data"), clock.clone()).unwrap();
        Self { folder, clock, house }
    }

    /// A house whose plan sends every declaration the way its tests need: gross below net is a hard rule for red, a
    /// very large value scores above any threshold and goes yellow, everything else is released, `audit` of it blue.
    pub(crate) fn with_policies(audit: bool) -> Self {
        let world = Self::bare();
        put_policies_into_force(&world.house, audit);
        world
    }

    pub(crate) fn bring_into_force(&self, kind: PolicyKind, content: Value) {
        bring_into_force(&self.house, kind, content);
    }

    pub(crate) fn lodge(&self, declaration: &Value) -> Result<Receipt, Error> {
        self.lodge_as(&trader(), declaration)
    }

    pub(crate) fn lodge_as(&self, reader: &Reader, declaration: &Value) -> Result<Receipt, Error> {
        let bytes = serde_json::to_vec(declaration).unwrap();
        let receipt = self.house.lodge(reader, LodgeRequest { bytes, form: None, channel: Channel::Api })?;
        self.shown(receipt.position);
        Ok(receipt)
    }

    fn shown(&self, position: u64) {
        assert!(self.house.wait_until_shown(position, Duration::from_secs(60)) >= position);
    }

    pub(crate) fn case(&self, mrn: &str) -> CaseFile {
        self.house.case(&reader("c", Role::Chief), mrn).unwrap()
    }

    pub(crate) fn act(&self, reader: &Reader, mrn: &str, action: CaseAction) -> Result<u64, Error> {
        let version = match reader.role {
            Role::Trader => self.house.own_declaration(reader, mrn)?.version,
            _ => self.case(mrn).version,
        };
        self.house.act(reader, mrn, version, &action)
    }

    pub(crate) fn reopened(self) -> Self {
        self.closed(|_| ())
    }

    /// Something is done to the folder after the house was closed.
    pub(crate) fn closed_for_good(self, afterwards: impl FnOnce(&std::path::Path)) {
        let Self { folder, house, .. } = self;
        drop(house);
        afterwards(&folder.path().join("data"));
    }

    /// The folder in which its data folder stands.
    pub(crate) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The same house, opened again after something was done with it that closes it.
    pub(crate) fn replaced(self, last: impl FnOnce(Customhouse)) -> Self {
        let Self { folder, clock, house } = self;
        last(house);
        let house = Customhouse::open_with_clock(&folder.path().join("data"), clock.clone()).unwrap();
        Self { folder, clock, house }
    }

    /// The same house after something was done to its folder while it was closed.
    pub(crate) fn closed(self, meanwhile: impl FnOnce(&std::path::Path)) -> Self {
        let Self { folder, clock, house } = self;
        drop(house);
        meanwhile(&folder.path().join("data"));
        let house = Customhouse::open_with_clock(&folder.path().join("data"), clock.clone()).unwrap();
        Self { folder, clock, house }
    }
}

/// The policies of [`World::with_policies`].
pub(crate) fn put_policies_into_force(house: &Customhouse, audit: bool) {
    for kind in [PolicyKind::Acceptance, PolicyKind::Release] {
        bring_into_force(house, kind, house.standard_policy(kind).unwrap());
    }
    let mut plan = house.standard_policy(PolicyKind::Selection).unwrap();
    let hard = json!({ "lane": "red", "legal_basis": "Customs Act, section 1", "reason": { "en": "Packed goods weigh more than the goods." } });
    plan["hard_rules"] = json!({ "no_tare_at_all": hard });
    plan["weights"] = json!({});
    plan["physical_tags"] = json!([]);
    plan["physical_share_ppm"] = json!(0);
    plan["floor_ppm"] = json!(1);
    plan["random_share_ppm"] = json!(0);
    plan["initial_threshold"] = json!(500);
    plan["base_points"] = json!(-300);
    plan["audit_share_ppm"] = json!(if audit { 1_000_000 } else { 0 });
    bring_into_force(house, PolicyKind::Selection, plan);
}

fn bring_into_force(house: &Customhouse, kind: PolicyKind, content: Value) {
    let (analyst, chief) = (reader("a", Role::Analyst), reader("c", Role::Chief));
    let hash = house.propose_policy(&analyst, kind, content).unwrap().hash;
    house.approve_policy(&analyst, &hash).unwrap();
    assert!(house.approve_policy(&chief, &hash).unwrap().in_force_since.is_some());
}

/// A declaration of one item of mobile phones.
pub(crate) fn declaration(reference: &str) -> Value {
    json!({
        "functional_reference_id": reference,
        "type_code": "IMA",
        "declaration_office_id": "10",
        "declarant": { "id": "NL0001" },
        "exporter": { "id": "CN0001" },
        "border_transport_means": { "mode_code": "1" },
        "goods_shipment": {
            "importer": { "id": "NL0001" },
            "export_country": "CN",
            "government_agency_goods_item": [{
                "sequence_numeric": 1,
                "customs_value_amount": { "amount": "1200.50", "currency": "EUR" },
                "commodity": {
                    "description": "mobile phones",
                    "classification": [{ "id": "851713" }],
                    "goods_measure": { "gross_mass_measure": "12.5", "net_net_weight_measure": "10" }
                },
                "government_procedure": [{ "current_code": "40", "previous_code": "00" }],
                "origin": [{ "country_code": "CN" }],
                "packaging": [{ "quantity_quantity": "10", "type_code": "CT" }]
            }]
        }
    })
}

/// The same with packages that weigh nothing: the hard rule of the tests. No rule refuses it at lodgement.
pub(crate) fn impossible(reference: &str) -> Value {
    let mut declaration = declaration(reference);
    let item = &mut declaration["goods_shipment"]["government_agency_goods_item"][0];
    item["commodity"]["goods_measure"]["gross_mass_measure"] = json!("10");
    declaration
}

pub(crate) fn result(code: ResultCode) -> ControlResult {
    ControlResult {
        code,
        findings: Vec::new(),
        recovered_revenue: None,
        note: "seen".to_owned(),
        evidence: Vec::new(),
        inspected: true,
    }
}

fn kinds(case: &CaseFile) -> Vec<&str> {
    case.timeline.iter().map(|step| step.kind.as_str()).collect()
}

#[test]
fn a_green_declaration_is_released_at_once_and_says_why() {
    let world = World::with_policies(false);
    let receipt = world.lodge(&declaration("LRN-1")).unwrap();
    assert_eq!((receipt.progress, receipt.repeated, receipt.mrn.len()), (Progress::Released, false, 18));
    let case = world.case(&receipt.mrn);
    assert_eq!(
        kinds(&case),
        ["declaration.lodged", "declaration.accepted", "tags.applied", "selection.made", "goods.released"]
    );
    assert_eq!((case.row.lane, case.row.state), (Some(Lane::Green), Some(State::Cleared)));
    let decision = case.last_decision.unwrap();
    assert!(!decision.legal_basis.is_empty() && decision.policy.is_some());
    let made = case.selection.unwrap();
    assert_eq!((made.arm, made.probability_ppm > 0), (Arm::None, true));
}

#[test]
fn a_blue_declaration_is_released_and_an_audit_waits() {
    let world = World::with_policies(true);
    let mrn = world.lodge(&declaration("LRN-1")).unwrap().mrn;
    let case = world.case(&mrn);
    assert_eq!((case.row.lane, case.row.state), (Some(Lane::Blue), Some(State::Cleared)));
    let queue = world.house.queue(&officer("o-1"), &QueueQuery::default()).unwrap();
    assert_eq!((queue.total, queue.tasks[0].kind), (1, ControlKind::Audit));
    world.act(&officer("o-1"), &mrn, CaseAction::Take).unwrap();
    world.act(&officer("o-1"), &mrn, CaseAction::CloseAudit { result: result(ResultCode::Conform) }).unwrap();
    assert_eq!(world.house.queue(&officer("o-1"), &QueueQuery::default()).unwrap().total, 0);
    assert_eq!(world.case(&mrn).row.irregular, Some(false));
}

#[test]
fn a_red_declaration_is_examined_and_its_release_can_be_undone_until_it_has_effect() {
    let world = World::with_policies(false);
    let receipt = world.lodge(&impossible("LRN-1")).unwrap();
    assert_eq!(receipt.progress, Progress::UnderExamination);
    let case = world.case(&receipt.mrn);
    assert_eq!((case.row.lane, case.row.arm), (Some(Lane::Red), Some(Arm::HardRule)));
    assert!(
        case.tags.iter().any(|tag| tag.tag == "no_tare_at_all" && !tag.values.is_empty()),
        "{:?}",
        case.tags
    );
    let one = officer("o-1");
    world.act(&one, &receipt.mrn, CaseAction::Take).unwrap();
    // The other officer is told who has it.
    let second = world.act(&officer("o-2"), &receipt.mrn, CaseAction::Take).unwrap_err();
    assert_eq!((second.kind, second.findings.len()), (crate::Kind::Refused, 1));
    let conform = CaseAction::Complete { result: result(ResultCode::Conform) };
    world.act(&one, &receipt.mrn, conform.clone()).unwrap();
    assert_eq!(world.case(&receipt.mrn).row.state, Some(State::ReleasePending));
    world.act(&one, &receipt.mrn, CaseAction::WithdrawResult { why: "wrong box".to_owned() }).unwrap();
    assert_eq!(world.case(&receipt.mrn).row.state, Some(State::UnderControl));
    world.act(&one, &receipt.mrn, conform).unwrap();
    assert_eq!(world.house.run_timers().unwrap(), 0, "nothing is due yet");
    world.clock.forward(1);
    assert_eq!(world.house.run_timers().unwrap(), 1);
    let case = world.case(&receipt.mrn);
    assert_eq!((case.row.state, case.row.irregular), (Some(State::Cleared), Some(false)));
}

#[test]
fn what_was_found_is_an_outcome_and_goods_are_detained_by_an_officer_only() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&impossible("LRN-1")).unwrap().mrn;
    world.act(&officer("o-1"), &mrn, CaseAction::Take).unwrap();
    world.act(&officer("o-1"), &mrn, CaseAction::Complete { result: result(ResultCode::Irregular) }).unwrap();
    let detain = CaseAction::Detain {
        legal_basis: "Customs Act, section 9".to_owned(),
        why: "hidden goods".to_owned(),
    };
    world.act(&officer("o-1"), &mrn, detain).unwrap();
    let case = world.case(&mrn);
    assert_eq!((case.row.state, case.row.irregular), (Some(State::Detained), Some(true)));
    let entity = world.house.entity(&officer("o-1"), "NL0001").unwrap();
    assert_eq!((entity.roles[0].hits.inspected, entity.roles[0].hits.irregular), (1, 1));
    assert!(case.tags[0].hits.is_some_and(|hits| hits.irregular == 1));
}

#[test]
fn the_same_reference_gets_its_first_receipt_and_other_content_is_told_whose_it_is() {
    let world = World::with_policies(false);
    let first = world.lodge(&declaration("LRN-1")).unwrap();
    let again = world.lodge(&declaration("LRN-1")).unwrap();
    assert_eq!((again.mrn.as_str(), again.repeated), (first.mrn.as_str(), true));
    let mut other = declaration("LRN-1");
    other["type_code"] = json!("IMD");
    assert_eq!(world.lodge(&other).unwrap_err().code, "reference_in_use");
    // The same after the house was closed and opened again, and the next number is a new one.
    let world = world.reopened();
    assert_eq!(world.lodge(&declaration("LRN-1")).unwrap().mrn, first.mrn);
    assert_ne!(world.lodge(&declaration("LRN-2")).unwrap().mrn, first.mrn);
}

#[test]
fn what_cannot_be_accepted_is_rejected_for_correction_and_may_come_again() {
    let world = World::with_policies(false);
    let mut wrong = declaration("LRN-1");
    wrong["goods_shipment"]["government_agency_goods_item"][0]["origin"] = json!([]);
    let rejected = world.lodge(&wrong).unwrap();
    assert_eq!(rejected.progress, Progress::Rejected);
    assert!(
        rejected.findings.iter().any(|finding| finding.pointer.0.contains("origin")),
        "{:?}",
        rejected.findings
    );
    let accepted = world.lodge(&declaration("LRN-1")).unwrap();
    assert_eq!((accepted.progress, accepted.repeated), (Progress::Released, false));
    let nonsense = LodgeRequest { bytes: b"not a declaration".to_vec(), form: None, channel: Channel::Api };
    assert_eq!(world.house.lodge(&trader(), nonsense).unwrap_err().code, "declaration_form_unknown");
}

#[test]
fn without_policies_declarations_wait_and_nothing_is_lost() {
    let world = World::bare();
    let receipt = world.lodge(&declaration("LRN-1")).unwrap();
    assert_eq!(receipt.progress, Progress::Received);
    let kind = PolicyKind::Acceptance;
    world.bring_into_force(kind, world.house.standard_policy(kind).unwrap());
    // The desk takes up what waited; without a plan an officer looks at it.
    let waited = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        world.case(&receipt.mrn).row.state == Some(State::Held)
    });
    assert!(waited, "{:?}", kinds(&world.case(&receipt.mrn)));
}

/// Issue 3: whoever comes when the desk is full is told so at once, and whoever was let in gets a receipt.
#[test]
fn a_full_desk_says_so_at_once_and_loses_nobody_it_let_in() {
    let world = World::bare();
    let request = |number: u32| LodgeRequest {
        bytes: serde_json::to_vec(&declaration(&format!("LRN-{number}"))).unwrap(),
        form: None,
        channel: Channel::Api,
    };
    let (told, receipts) = std::sync::mpsc::channel();
    let hand_in = |number: u32| {
        let told = told.clone();
        let reply = Box::new(move |receipt| told.send(receipt).unwrap());
        world.house.lodge_then(&trader(), request(number), reply)
    };
    // The desk stands still as long as it cannot learn the time.
    let stopped = world.clock.1.lock().unwrap();
    let bound = u32::try_from(WAITING_MAX).unwrap();
    let (turned_away, error) =
        (0..2 * bound).find_map(|number| hand_in(number).err().map(|error| (number, error))).unwrap();
    assert_eq!((error.kind, error.code.as_ref()), (Kind::Busy, "too_many_waiting"));
    assert!((bound..bound + 512).contains(&turned_away), "{turned_away}");
    drop(stopped);
    let mut numbers = std::collections::BTreeSet::new();
    for _ in 0..turned_away {
        let receipt = receipts.recv_timeout(Duration::from_secs(120)).unwrap().unwrap();
        assert!(!receipt.repeated && numbers.insert(receipt.mrn), "each once, under a number of its own");
    }
    assert!(!world.lodge(&declaration(&format!("LRN-{turned_away}"))).unwrap().repeated);
}

/// Issue 3: a clock that is set back or far ahead neither loses a declaration nor gives a number twice, and a case still
/// tells its steps in the order in which they were taken.
#[test]
fn a_clock_that_jumps_loses_nothing_and_repeats_no_number() {
    let world = World::with_policies(false);
    let mut numbers = std::collections::BTreeSet::new();
    let hours = [0, -3, 24 * 400, -24 * 365 * 30, 24 * 365 * 31, -24 * 400];
    for (step, hours) in hours.into_iter().enumerate() {
        world.clock.forward(hours);
        let free = world.lodge(&declaration(&format!("FREE-{step}"))).unwrap();
        assert_eq!(free.progress, Progress::Released, "after a jump of {hours} hours");
        let red = world.lodge(&impossible(&format!("RED-{step}"))).unwrap();
        world.house.run_timers().unwrap();
        for mrn in [&free.mrn, &red.mrn] {
            assert!(numbers.insert(mrn.clone()), "{mrn} was given twice");
            assert_eq!(kinds(&world.case(mrn)).first(), Some(&"declaration.lodged"), "{mrn}");
        }
    }
    let world = world.reopened();
    for step in 0..hours.len() {
        assert!(
            world.lodge(&declaration(&format!("FREE-{step}"))).unwrap().repeated,
            "known after all jumps"
        );
    }
    let fresh = world.lodge(&declaration("FRESH")).unwrap();
    assert!(numbers.insert(fresh.mrn), "the next number is a new one");
    let chief = reader("c", Role::Chief);
    let all = world.house.find_declarations(&chief, &DeclarationsQuery::default()).unwrap();
    assert_eq!(usize::try_from(all.total).unwrap(), numbers.len());
}

/// Waits until every declaration has left a state, and says which states there are then.
fn states_after(world: &World, state: State) -> Vec<State> {
    let query = DeclarationsQuery { state: state.name().to_owned(), ..DeclarationsQuery::default() };
    let chief = reader("c", Role::Chief);
    let left = |house: &Customhouse| house.find_declarations(&chief, &query).unwrap().total;
    for _ in 0..600 {
        if left(&world.house) == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let all = DeclarationsQuery::default();
    let page = world.house.find_declarations(&chief, &all).unwrap();
    page.rows.iter().filter_map(|row| row.state).collect()
}

/// Issue 3: policies that come into force one right after the other took up what waited twice, and only some of it.
#[test]
fn whatever_waits_for_policies_is_taken_up_once() {
    let world = World::bare();
    let mut wrong = declaration("WRONG");
    wrong["goods_shipment"]["government_agency_goods_item"][0]["origin"] = json!([]);
    let rejected = world.lodge(&wrong).unwrap();
    assert_eq!(rejected.progress, Progress::Received);
    let mut last = 0;
    for number in 0..300 {
        let bytes = serde_json::to_vec(&declaration(&format!("LRN-{number}"))).unwrap();
        let request = LodgeRequest { bytes, form: None, channel: Channel::Api };
        last = world.house.lodge(&trader(), request).unwrap().position;
    }
    for kind in [PolicyKind::Acceptance, PolicyKind::Selection, PolicyKind::Release] {
        world.bring_into_force(kind, world.house.standard_policy(kind).unwrap());
    }
    world.shown(last);
    let states = states_after(&world, State::Lodged);
    assert!(!states.contains(&State::Lodged), "{states:?}");
    assert_eq!(world.case(&rejected.mrn).row.state, Some(State::Rejected));
    let mut position = 0;
    let mut accepted = std::collections::BTreeMap::<String, u32>::new();
    loop {
        let events = world.house.journal.feed(position, 1_000).unwrap();
        let Some(last) = events.last() else { break };
        position = last.position;
        for event in events.iter().filter(|event| event.envelope.kind == "declaration.accepted") {
            *accepted.entry(event.envelope.stream.clone()).or_default() += 1;
        }
    }
    assert_eq!(accepted.len(), 300);
    assert!(accepted.values().all(|times| *times == 1), "{accepted:?}");
}

/// Issue 3: read models that were behind after a start let a reference in twice.
#[test]
fn a_reference_is_known_at_once_after_a_start_whatever_read_models_show() {
    let world = World::with_policies(false);
    let first: Vec<String> =
        (0..40).map(|number| world.lodge(&declaration(&format!("LRN-{number}"))).unwrap().mrn).collect();
    let World { folder, clock, house } = world;
    drop(house);
    std::fs::remove_dir_all(folder.path().join("data/read-models")).unwrap();
    let house = Customhouse::open_with_clock(&folder.path().join("data"), clock.clone()).unwrap();
    let world = World { folder, clock, house };
    for (number, mrn) in first.iter().enumerate().rev() {
        let again = world.lodge(&declaration(&format!("LRN-{number}"))).unwrap();
        assert_eq!((&again.mrn, again.repeated), (mrn, true));
    }
}

#[test]
fn a_policy_needs_two_different_people() {
    let world = World::bare();
    let analyst = reader("a", Role::Analyst);
    let content = world.house.standard_policy(PolicyKind::Release).unwrap();
    let hash = world.house.propose_policy(&analyst, PolicyKind::Release, content.clone()).unwrap().hash;
    assert!(world.house.approve_policy(&analyst, &hash).unwrap().in_force_since.is_none());
    assert_eq!(world.house.approve_policy(&analyst, &hash).unwrap_err().code, "policy_approved_by_same");
    assert_eq!(world.house.approve_policy(&officer("o"), &hash).unwrap_err().code, "not_permitted");
    assert!(world.house.approve_policy(&reader("c", Role::Chief), &hash).unwrap().in_force_since.is_some());
    let world = world.reopened();
    let policies = world.house.plans(&analyst).unwrap().policies;
    assert_eq!(
        (policies.len(), policies[0].hash == hash, policies[0].in_force_since.is_some()),
        (1, true, true)
    );
    let mut empty = content;
    empty["legal_basis"] = json!(" ");
    assert_eq!(
        world.house.propose_policy(&analyst, PolicyKind::Release, empty).unwrap_err().code,
        "policy_refused"
    );
}

#[test]
fn a_trader_sees_its_own_and_what_is_not_its_own_is_as_unknown_as_what_does_not_exist() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&impossible("LRN-1")).unwrap().mrn;
    let own = world.house.own_declaration(&trader(), &mrn).unwrap();
    assert_eq!((own.progress, own.lrn.as_str()), (Progress::UnderExamination, "LRN-1"));
    let told = serde_json::to_string(&own).unwrap();
    for secret in ["no_tare_at_all", "\"red\"", "score", "threshold", "o-1"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    let stranger = reader("t-2", Role::Trader).of_party(Some("NL0002"));
    let theirs = world.house.own_declaration(&stranger, &mrn).unwrap_err();
    let none = world.house.own_declaration(&stranger, "26ZZ00000000000000").unwrap_err();
    assert_eq!((theirs.code.as_str(), none.code.as_str()), ("declaration_unknown", "declaration_unknown"));
    assert_eq!(world.house.case(&trader(), &mrn).unwrap_err().code, "not_permitted");
    assert_eq!(world.lodge_as(&stranger, &declaration("X-1")).unwrap().progress, Progress::Rejected);
}

#[test]
fn a_question_is_asked_and_answered_and_a_decision_contested() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&impossible("LRN-1")).unwrap().mrn;
    world.act(&officer("o-1"), &mrn, CaseAction::Take).unwrap();
    world.act(&officer("o-1"), &mrn, CaseAction::Ask { text: "Which masses?".to_owned() }).unwrap();
    let own = world.house.own_declaration(&trader(), &mrn).unwrap();
    assert_eq!(
        (own.progress, own.open_question.as_deref()),
        (Progress::QuestionAsked, Some("Which masses?"))
    );
    world.act(&trader(), &mrn, CaseAction::Answer { text: "Swapped.".to_owned() }).unwrap();
    assert_eq!(world.case(&mrn).open_question, None);
    world.act(&trader(), &mrn, CaseAction::Contest { text: "It is released elsewhere.".to_owned() }).unwrap();
    assert!(world.case(&mrn).open_contest.is_some());
    let answer = CaseAction::AnswerContest { upheld: false, text: "The control goes on.".to_owned() };
    assert_eq!(world.act(&officer("o-1"), &mrn, answer.clone()).unwrap_err().code, "not_permitted");
    world.act(&reader("c", Role::Chief), &mrn, answer).unwrap();
    assert_eq!(world.case(&mrn).open_contest, None);
}

#[test]
fn the_read_model_can_be_deleted_and_is_rebuilt_the_same() {
    let world = World::with_policies(false);
    for number in 0..5 {
        world.lodge(&declaration(&format!("LRN-{number}"))).unwrap();
    }
    let mrn = world.lodge(&impossible("LRN-9")).unwrap().mrn;
    let chief = reader("c", Role::Chief);
    let before = world.house.find_declarations(&chief, &DeclarationsQuery::default()).unwrap();
    assert_eq!(before.total, 6);
    let World { folder, clock, house } = world;
    let head = house.journal_position();
    drop(house);
    std::fs::remove_dir_all(folder.path().join("data/read-models")).unwrap();
    let house = Customhouse::open_with_clock(&folder.path().join("data"), clock.clone()).unwrap();
    assert!(house.wait_until_shown(head, Duration::from_secs(60)) >= head);
    assert_eq!(house.find_declarations(&chief, &DeclarationsQuery::default()).unwrap(), before);
    let by_tag = DeclarationsQuery { tag: "no_tare_at_all".to_owned(), ..DeclarationsQuery::default() };
    let found = house.find_declarations(&chief, &by_tag).unwrap();
    assert_eq!(found.rows.iter().map(|row| row.mrn.as_str()).collect::<Vec<_>>(), [mrn.as_str()]);
}

#[test]
fn a_damaged_read_model_says_what_to_remove_and_comes_back_the_same() {
    let world = World::with_policies(false);
    for number in 0..40 {
        world.lodge(&declaration(&format!("LRN-{number}"))).unwrap();
    }
    let chief = reader("c", Role::Chief);
    let before = world.house.find_declarations(&chief, &DeclarationsQuery::default()).unwrap();
    let world = world.closed(|data| {
        let models = std::fs::read_dir(data.join("read-models")).unwrap().map(|entry| entry.unwrap().path());
        let path =
            models.into_iter().find(|path| path.extension().is_some_and(|end| end == "sqlite")).unwrap();
        // One page of one table: the file still opens.
        let asked = "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = 'declaration'";
        let connection = rusqlite::Connection::open(&path).unwrap();
        let (page, size): (usize, usize) =
            connection.query_row(asked, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        drop(connection);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[(page - 1) * size..page * size].fill(0x5A);
        std::fs::write(&path, bytes).unwrap();
    });
    let damaged = world.house.find_declarations(&chief, &DeclarationsQuery::default()).unwrap_err();
    assert_eq!(damaged.code, "read_model_damaged");
    assert!(damaged.how_to_fix.contains("remove the folder read-models"), "{damaged}");
    let world = world.closed(|data| std::fs::remove_dir_all(data.join("read-models")).unwrap());
    world.shown(world.house.journal_position());
    assert_eq!(world.house.find_declarations(&chief, &DeclarationsQuery::default()).unwrap(), before);
}
