//! Somebody is erased: from every file, for good, and after an older backup came back; the rest stays as it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clearance::{ControlResult, ResultCode};
use journal::Payload;
use serde_json::json;
use spine::noun::Evidence;

use super::*;
use crate::Customhouse;
use crate::declarations::tests::{World, declaration, reader, trader};
use crate::declarations::{CaseAction, DeclarationsQuery};
use crate::identity::{NewAccount, Reader, Role, Scopes};
use crate::pool::AdmitRequest;

/// Bytes that only the erased party's records hold.
pub(crate) const SECRETS: [&str; 7] = [
    "NL0001",
    "LRN-ERASE",
    "sweetwater telephones",
    "a crate of undeclared radios",
    "PHOTO-OF-THE-CRATE",
    "HIST-GOODS-OF-NL",
    "half a draft of it",
];

fn chief() -> Reader {
    reader("c-1", Role::Chief)
}

fn admin() -> Reader {
    reader("a-1", Role::Admin)
}

fn party() -> Subject {
    Subject::Party("NL0001".to_owned())
}

fn request(subject: Subject) -> ErasureRequest {
    ErasureRequest {
        subject,
        basis: "Data Protection Act, section 17".to_owned(),
        reason: "The retention period is over.".to_owned(),
    }
}

/// All files below a folder.
pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Files in which any of these stands, and which.
pub(crate) fn standing(folder: &Path, secrets: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    files(folder, &mut all);
    let mut found = Vec::new();
    for path in all {
        // One that went since it was listed holds nothing.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for secret in secrets {
            if bytes.windows(secret.len()).any(|window| window == secret.as_bytes()) {
                found.push(format!("{} in {}", secret, path.display()));
            }
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let mut all = Vec::new();
    files(from, &mut all);
    for path in all {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&path, &target).unwrap();
    }
}

/// A declaration of another party.
fn of_other(reference: &str) -> serde_json::Value {
    let mut other = declaration(reference);
    other["declarant"]["id"] = json!("NL0002");
    other["goods_shipment"]["importer"]["id"] = json!("NL0002");
    other
}

/// A declaration of the party that is examined: packages that weigh nothing.
fn held(reference: &str) -> serde_json::Value {
    let mut odd = declaration(reference);
    let goods = &mut odd["goods_shipment"]["government_agency_goods_item"][0];
    goods["commodity"]["goods_measure"] =
        json!({ "gross_mass_measure": "10", "net_net_weight_measure": "10" });
    odd
}

pub(crate) struct Told {
    pub(crate) world: World,
    /// Released at once, and after a control.
    pub(crate) mrns: Vec<String>,
    pub(crate) theirs: String,
    pub(crate) batch: String,
}

/// A house in which a party and another one have done something of everything.
pub(crate) fn told() -> Told {
    let world = World::with_policies(false);
    let mut plain = declaration("LRN-ERASE-1");
    let goods = &mut plain["goods_shipment"]["government_agency_goods_item"][0];
    goods["commodity"]["description"] = json!("sweetwater telephones");
    let odd = held("LRN-ERASE-2");
    let mrns = [plain, odd].map(|own| world.lodge(&own).unwrap().mrn).to_vec();
    let other = reader("t-2", Role::Trader).of_party(Some("NL0002"));
    let theirs = world.lodge_as(&other, &of_other("LRN-STAYS")).unwrap().mrn;
    inspected(&world, &mrns[1]);
    world.clock.forward(2);
    world.house.run_timers().unwrap();
    let fields = BTreeMap::from([("note".to_owned(), "half a draft of it for NL0001".to_owned())]);
    world.house.save_draft(&reader("t-9", Role::Trader), "", fields).unwrap();
    world.house.save_view(&reader("o-1", Role::Officer), "theirs", "party=NL0001").unwrap();
    let account = NewAccount::new("tara", Role::Trader, "correct horse battery").of_party(Some("NL0001"));
    world.house.open_account(&admin(), &account).unwrap();
    let scopes = Scopes::parse("declarations.read").unwrap();
    world.house.open_client(&admin(), "warehouse of NL0001", "NL0001", &scopes).unwrap();
    world.house.open_webhook(&trader(), "https://broker.example/NL0001").unwrap();
    world.house.entity(&reader("o-1", Role::Officer), "NL0001").unwrap();
    let batch = history(&world);
    Told { world, mrns, theirs, batch }
}

fn inspected(world: &World, mrn: &str) {
    let officer = reader("o-1", Role::Officer);
    let photo = world.house.keep_document(&officer, b"PHOTO-OF-THE-CRATE").unwrap();
    let act = |action: CaseAction| {
        let version = world.house.case_unseen(&officer, mrn).unwrap().version;
        world.house.act(&officer, mrn, version, &action).unwrap();
    };
    act(CaseAction::Take);
    let result = ControlResult {
        code: ResultCode::Conform,
        findings: Vec::new(),
        recovered_revenue: None,
        inspected: true,
        note: "a crate of undeclared radios".to_owned(),
        evidence: vec![Evidence {
            blob: photo.sha256,
            media_type: "image/png".to_owned(),
            description: "the crate".to_owned(),
        }],
    };
    act(CaseAction::Complete { result });
}

fn history(world: &World) -> String {
    let mut text = String::from(
        "declaration_id,date,office_id,importer_id,commodity_code,origin_country,goods_description,gross_mass,net_mass,customs_value\n",
    );
    for row in 0..40 {
        let (importer, goods) =
            if row % 4 == 0 { ("NL0001", "HIST-GOODS-OF-NL") } else { ("NL0003", "wine") };
        text.push_str(&format!(
            "H{row:03},2025-01-{:02},10,{importer},851713,CN,{goods},12,10,100\n",
            row % 28 + 1
        ));
    }
    text.push_str("H999,2025-77-01,10,NL0001,851713,CN,HIST-GOODS-OF-NL,12,10,100\n");
    let file = world.path().join("history.csv");
    std::fs::write(&file, text).unwrap();
    let admitted =
        world.house.admit(&Reader::local_operator(), &AdmitRequest::new(&file), &spine::Silent).unwrap();
    assert_eq!((admitted.batch.summary.rows, admitted.batch.summary.rows_quarantined), (40, 1));
    admitted.batch.summary.id
}

pub(crate) fn erase(house: &Customhouse) -> Erasure {
    let ordered = house.order_erasure(&chief(), &request(party())).unwrap();
    house.approve_erasure(&admin(), &ordered.id, &party(), &spine::Silent).unwrap()
}

#[test]
fn nothing_of_an_erased_party_is_left_in_any_file_and_the_rest_stays() {
    let Told { world, mrns, theirs, batch } = told();
    let data = world.path().join("data");
    let before = standing(&data, &SECRETS);
    for secret in SECRETS.iter().filter(|secret| **secret != "HIST-GOODS-OF-NL") {
        assert!(before.iter().any(|found| found.starts_with(secret)), "{secret} is somewhere: {before:#?}");
    }
    let done = erase(&world.house);
    assert_eq!(done.state, ErasureState::Done);
    assert_eq!((done.counts.drafts, done.counts.views, done.counts.accounts), (1, 1, 2));
    assert_eq!((done.counts.pool_rows, done.counts.blobs), (11, 2), "{:?}", done.counts);
    assert!(!done.positions.is_empty());
    let officer = reader("o-1", Role::Officer);
    for mrn in &mrns {
        let case = world.house.case(&officer, mrn).unwrap();
        let erased = case.erased.unwrap();
        assert_eq!(erased.basis, "Data Protection Act, section 17");
        assert_eq!(case.row.state, Some(clearance::State::Cleared));
        assert!(case.row.lane.is_some() && case.row.office == "10" && case.actions.is_empty());
        let own = world.house.own_declaration(&trader(), mrn).unwrap();
        assert_eq!(own.erased.unwrap().basis, erased.basis);
        assert_eq!(world.house.original(&trader(), mrn).unwrap_err().code, "original_erased");
        let act = world.house.act(&officer, mrn, case.version, &CaseAction::Take).unwrap_err();
        assert_eq!(act.code, "declaration_erased");
    }
    assert_eq!(world.house.own_declarations(&trader(), "", 1).unwrap().1, 2);
    let kept = world.house.case(&officer, &theirs).unwrap();
    assert!(kept.erased.is_none() && kept.declaration.is_some());
    assert_eq!(world.house.entity(&officer, "NL0001").unwrap_err().code, "entity_unknown");
    assert!(world.house.entity(&officer, "NL0003").is_ok());
    let detail = world.house.find_batch(&reader("x", Role::Auditor), &batch).unwrap();
    assert_eq!((detail.summary.rows, detail.summary.rows_quarantined), (40, 1));
    let told =
        serde_json::to_string(&world.house.rows_page(&reader("x", Role::Auditor), &batch, 0, 40).unwrap());
    let told = told.unwrap();
    assert!(!told.contains("NL0001") && !told.contains("HIST-GOODS") && told.contains("NL0003"));
    let everything = DeclarationsQuery::default();
    let shown = world.house.find_declarations(&chief(), &everything).unwrap();
    world.lodge_as(&reader("t-2", Role::Trader).of_party(Some("NL0002")), &of_other("LRN-LATER")).unwrap();
    // While the house is open, readers may hold the read models' log for a moment; all else is gone already.
    let left = standing(&data, &SECRETS);
    assert!(left.iter().all(|found| found.contains("read-models")), "{left:#?}");
    let world = world.reopened();
    assert_eq!(standing(&data, &SECRETS), Vec::<String>::new());
    let world = world.closed(|data| std::fs::remove_dir_all(data.join("read-models")).unwrap());
    assert!(
        world.house.wait_until_shown(world.house.journal_position(), std::time::Duration::from_secs(60)) > 0
    );
    let later = world.house.find_declarations(&chief(), &everything).unwrap();
    assert_eq!(later.rows[1..], shown.rows[..], "rebuilt, it is the same, and one more");
}

#[test]
fn two_people_are_needed_who_name_the_same_and_nobody_is_written_down() {
    let Told { world, .. } = told();
    let house = &world.house;
    for role in [Role::Trader, Role::Officer, Role::Analyst, Role::Auditor] {
        let refused = house.order_erasure(&reader("x", role), &request(party())).unwrap_err();
        assert_eq!(refused.code, "not_permitted", "{role:?}");
    }
    let naming = ErasureRequest { reason: "NL0001 asked for it.".to_owned(), ..request(party()) };
    assert_eq!(house.order_erasure(&chief(), &naming).unwrap_err().code, "erasure_text");
    let id = house.order_erasure(&chief(), &request(party())).unwrap().id;
    let by_same = house.approve_erasure(&chief(), &id, &party(), &spine::Silent).unwrap_err();
    assert_eq!(by_same.code, "erasure_approved_by_same");
    for other in [Subject::Party("NL0002".to_owned()), Subject::Declaration("NL0001".to_owned())] {
        let refused = house.approve_erasure(&admin(), &id, &other, &spine::Silent).unwrap_err();
        assert_eq!(refused.code, "erasure_subject_differs");
    }
    assert_eq!(house.withdraw_erasure(&chief(), &id).unwrap().state, ErasureState::Withdrawn);
    assert_eq!(
        house.approve_erasure(&admin(), &id, &party(), &spine::Silent).unwrap_err().code,
        "erasure_not_open"
    );
    let done = erase(house);
    let events = house.journal.read_stream(&format!("erasure/{}", done.id), 0, 10).unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event.envelope.kind.as_str()).collect();
    assert_eq!(kinds, ["erasure.ordered", "erasure.approved", "erasure.done"]);
    for event in &events {
        assert!(!event.payload.value().unwrap().to_string().contains("NL0001"));
    }
    assert_eq!(house.erasures(&reader("x", Role::Auditor)).unwrap().len(), 2);
}

#[test]
fn a_declaration_under_way_is_not_erased_and_one_alone_can_be() {
    let world = World::with_policies(false);
    let mrn = world.lodge(&held("LRN-1")).unwrap().mrn;
    let stays = world.lodge(&declaration("LRN-2")).unwrap().mrn;
    let one = Subject::Declaration(mrn.clone());
    let id = world.house.order_erasure(&chief(), &request(one.clone())).unwrap().id;
    assert_eq!(
        world.house.approve_erasure(&admin(), &id, &one, &spine::Silent).unwrap_err().code,
        "erasure_case_open"
    );
    inspected(&world, &mrn);
    world.clock.forward(2);
    world.house.run_timers().unwrap();
    world.house.approve_erasure(&admin(), &id, &one, &spine::Silent).unwrap();
    let officer = reader("o-1", Role::Officer);
    assert!(world.house.case(&officer, &mrn).unwrap().erased.is_some());
    assert!(world.house.case(&officer, &stays).unwrap().erased.is_none());
}

/// Issue 6: the desk read its numbers from what declarations say, gave the number of an erased one again, and could
/// record nothing from then on.
#[test]
fn the_number_of_an_erased_declaration_is_not_given_again() {
    let world = World::with_policies(false);
    let stays = world.lodge(&declaration("LRN-1")).unwrap().mrn;
    let gone = world.lodge(&held("LRN-2")).unwrap().mrn;
    let one = Subject::Declaration(gone.clone());
    let id = world.house.order_erasure(&chief(), &request(one.clone())).unwrap().id;
    inspected(&world, &gone);
    world.clock.forward(2);
    world.house.run_timers().unwrap();
    world.house.approve_erasure(&admin(), &id, &one, &spine::Silent).unwrap();
    let next = world.lodge(&declaration("LRN-3")).unwrap().mrn;
    let world = world.reopened();
    let last = world.lodge(&declaration("LRN-4")).unwrap().mrn;
    let mut all = vec![stays, gone, next, last];
    all.dedup();
    assert!(all.len() == 4 && all.is_sorted(), "{all:?}");
}

#[test]
fn what_an_older_backup_brings_back_is_erased_again_and_nothing_else() {
    let Told { world, mrns, theirs, .. } = told();
    let backup = world.path().join("backup");
    let world = world.closed(|data| copy(data, &backup));
    let done = erase(&world.house);
    let head = world.house.journal_position();
    let world = world.closed(|data| {
        // The backup carries forward what was erased since, and nothing else.
        for carried in CARRIED_FORWARD {
            std::fs::copy(data.join(carried), backup.join(carried)).unwrap();
        }
        std::fs::remove_dir_all(data).unwrap();
        copy(&backup, data);
        std::fs::remove_dir_all(&backup).unwrap();
    });
    assert!(world.house.journal_position() < head + 10);
    let erased = &world.house.erasures(&admin()).unwrap()[0];
    assert_eq!((erased.id.as_str(), erased.state), (done.id.as_str(), ErasureState::Done));
    assert_eq!(erased.counts.events, done.counts.events);
    let officer = reader("o-1", Role::Officer);
    assert!(world.house.case(&officer, &mrns[0]).unwrap().erased.is_some());
    assert!(world.house.case(&officer, &theirs).unwrap().erased.is_none());
    let data = world.path().join("data");
    let world = world.reopened();
    assert_eq!(standing(&data, &SECRETS), Vec::<String>::new());
    let again = world.house.journal_position();
    assert_eq!(world.house.reapply_erasures().unwrap(), 0, "nothing is left to be done");
    assert_eq!(world.house.journal_position(), again);
}

#[test]
fn an_erasure_that_was_interrupted_is_ended_when_the_house_is_opened() {
    let Told { world, mrns, .. } = told();
    let done = erase(&world.house);
    let untouched: u64 = {
        let events = world.house.journal.feed(0, 10_000).unwrap();
        u64::try_from(events.iter().filter(|event| matches!(event.payload, Payload::Present(_))).count())
            .unwrap()
    };
    let world = world.closed(|data| {
        let path = data.join("erasures.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"done\":true", "\"done\":false")).unwrap();
    });
    let erasure = &world.house.erasures(&admin()).unwrap()[0];
    assert_eq!(erasure.counts, done.counts, "what was done counts once");
    assert!(world.house.journal_position() > untouched);
    assert!(world.house.case(&reader("o-1", Role::Officer), &mrns[0]).unwrap().erased.is_some());
}
