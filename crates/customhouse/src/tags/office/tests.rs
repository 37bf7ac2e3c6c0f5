//! A tag is tried on history, proposed by one and approved by another, and is in force from then on.

use std::path::PathBuf;

use ::tags::TagSeverity;
use spine::noun::SubjectKind;
use spine::{LocalizedText, Silent};

use super::*;
use crate::Customhouse;
use crate::identity::{Reader, Role};
use crate::pool::AdmitRequest;

const RECORDS: &str =
    "Declaration ID,Date,Importer ID,HS6 Code,Country of Departure,Gross Mass,Net Mass,Fraud
A1,2024-01-31,IMP-1,851712,CN,100,90,0
A2,2024-02-01,IMP-2,851712,CN,40,50,1
A3,2024-02-02,IMP-1,851712,CN,,50,0
A4,2024-02-03,IMP-3,610910,VN,80,70,
";

pub(crate) struct Case {
    pub(crate) place: tempfile::TempDir,
    pub(crate) house: Customhouse,
    pub(crate) analyst: Reader,
    pub(crate) chief: Reader,
}

impl Case {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let house = Customhouse::open(&place.path().join("data")).unwrap();
        let (analyst, chief) = (Reader::new("o-analyst", Role::Analyst), Reader::new("o-chief", Role::Chief));
        Self { place, house, analyst, chief }
    }

    fn with_records() -> Self {
        let case = Self::new();
        let path: PathBuf = case.place.path().join("records.csv");
        std::fs::write(&path, RECORDS).unwrap();
        case.house.admit(&case.chief, &AdmitRequest::new(&path), &Silent).unwrap();
        case
    }

    fn in_use(&self, id: &str) -> bool {
        self.house.tag(&self.analyst, id).is_ok()
    }
}

pub(crate) fn tag(id: &str, when: &str) -> OwnTag {
    OwnTag {
        id: id.to_owned(),
        title: LocalizedText::en_zh("Heavy", "重"),
        description: LocalizedText::en_zh("Heavy goods.", "重货。"),
        on: SubjectKind::Item,
        when: when.to_owned(),
        valid_days: 0,
        severity: TagSeverity::High,
        legal_basis: "WTO Trade Facilitation Agreement, Article 7.4".to_owned(),
        inspection_hint: LocalizedText::en_zh("Weigh.", "过磅。"),
    }
}

#[test]
fn a_condition_is_tried_on_history() {
    let case = Case::with_records();
    let check = |when: &str, expect: (u64, u64, u64, u64, u64)| {
        let draft = TagDraft { when: when.to_owned(), ..TagDraft::default() };
        let found = case.house.preview_tag(&case.analyst, &draft).unwrap();
        assert_eq!(found.entries, 4);
        let told = (
            found.carrying,
            found.hits.inspected,
            found.hits.irregular,
            found.outcome_unknown,
            found.cannot_tell,
        );
        assert_eq!(told, expect, "{when}");
        assert_eq!(u64::try_from(found.rows.len()).unwrap(), found.carrying);
        assert_eq!((found.all.inspected, found.all.irregular), (3, 1));
    };
    check("gross_mass < net_mass", (1, 1, 1, 0, 1));
    check("net_mass >= 50", (4, 3, 1, 1, 0));
    check("origin_country == \"XX\"", (0, 0, 0, 0, 4));

    for (when, word) in
        [("net_mas > 3", "net_mass"), ("net_mass >", "net_mass >"), ("has(irregular)", "became of")]
    {
        let draft = TagDraft { when: when.to_owned(), ..TagDraft::default() };
        let refused = case.house.preview_tag(&case.analyst, &draft).unwrap_err();
        assert_eq!(refused.code, "tag_condition_refused");
        assert!(refused.detail.contains(word), "{}", refused.detail);
    }
    let trader = Reader::new("t", Role::Trader);
    assert_eq!(case.house.preview_tag(&trader, &TagDraft::default()).unwrap_err().code, "not_permitted");
}

#[test]
fn two_people_put_a_tag_into_force_and_out_of_it() {
    let case = Case::new();
    let (house, analyst, chief) = (&case.house, &case.analyst, &case.chief);
    let proposed = house.propose_tag(analyst, tag("office_heavy", "net_mass > 1000")).unwrap();
    assert_eq!(proposed.state, ProposalState::Waiting);
    assert!(!case.in_use("office_heavy"), "nothing is in force before another person approves");
    assert_eq!(house.approve_tag(analyst, proposed.number).unwrap_err().code, "tag_approved_by_same");
    let approved = house.approve_tag(chief, proposed.number).unwrap();
    assert_eq!(approved.state, ProposalState::Approved);
    assert_eq!(approved.decided_by.as_deref(), Some("o-chief"));
    assert!(case.in_use("office_heavy"));
    assert_eq!(house.approve_tag(chief, proposed.number).unwrap_err().code, "proposal_decided");

    let edited = house.propose_tag(chief, tag("office_heavy", "net_mass > 2000")).unwrap();
    let own = house.own_tags(analyst).unwrap();
    assert_eq!(own.in_force.len(), 1);
    assert_eq!(own.proposals[0].in_force.as_ref().unwrap().when, "net_mass > 1000");
    house.approve_tag(analyst, edited.number).unwrap();
    assert_eq!(house.tag(analyst, "office_heavy").unwrap().definition.when, "net_mass > 2000");

    let other = house.propose_tag(analyst, tag("office_light", "net_mass < 1")).unwrap();
    assert_eq!(house.decline_tag(chief, other.number, " ").unwrap_err().code, "reason_missing");
    let declined = house.decline_tag(chief, other.number, "Too many.").unwrap();
    assert_eq!((declined.state, declined.reason.as_deref()), (ProposalState::Declined, Some("Too many.")));
    assert!(!case.in_use("office_light"));

    let gone = house.propose_tag_removal(chief, "office_heavy").unwrap();
    house.approve_tag(analyst, gone.number).unwrap();
    assert!(!case.in_use("office_heavy"));
    assert_eq!(house.propose_tag_removal(chief, "office_heavy").unwrap_err().code, "tag_unknown");
}

#[test]
fn a_tag_that_could_not_be_used_is_refused_with_what_is_wrong() {
    let case = Case::new();
    let check = |tag: OwnTag, word: &str| {
        let refused = case.house.propose_tag(&case.analyst, tag).unwrap_err();
        assert_eq!(refused.code, "tag_refused");
        assert!(refused.detail.contains(word), "{word}: {}", refused.detail);
    };
    check(tag("office_heavy", "net_mas > 3"), "net_mass");
    check(tag("Heavy!", "net_mass > 3"), "small letters");
    check(tag("gross_below_net", "net_mass > 3"), "there already");
    check(OwnTag { title: LocalizedText::default(), ..tag("a_b", "net_mass > 3") }, "title needs a text");
    check(OwnTag { legal_basis: String::new(), ..tag("a_b", "net_mass > 3") }, "legal basis");
    check(OwnTag { valid_days: 3, ..tag("a_b", "net_mass > 3") }, "enterprises and routes");
    let officer = Reader::new("o", Role::Officer);
    let refused = case.house.propose_tag(&officer, tag("a_b", "net_mass > 3")).unwrap_err();
    assert_eq!(refused.code, "not_permitted");
    assert_eq!(case.house.own_tags(&case.analyst).unwrap().proposals, []);
}

#[test]
fn what_was_approved_is_in_force_after_a_start_even_if_the_registry_does_not_know_it_yet() {
    let case = Case::new();
    let proposed = case.house.propose_tag(&case.analyst, tag("office_heavy", "net_mass > 1000")).unwrap();
    case.house.approve_tag(&case.chief, proposed.number).unwrap();
    let Case { place, house, analyst, .. } = case;
    drop(house);
    // As after a death between the approval and the registry.
    std::fs::remove_dir_all(place.path().join("data/packs")).unwrap();
    let house = Customhouse::open(&place.path().join("data")).unwrap();
    assert!(house.tag(&analyst, "office_heavy").is_ok());
}
