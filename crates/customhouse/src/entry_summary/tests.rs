use crate::Customhouse;
use crate::erasure::{ErasureRequest, Subject};
use crate::error::Kind;
use crate::identity::{Reader, Role};

/// A message against which the public rules have nothing.
const GOOD: &str = include_str!("accepted.xml");

fn house() -> (tempfile::TempDir, Customhouse) {
    let folder = tempfile::tempdir().unwrap();
    let house = Customhouse::open(&folder.path().join("data")).unwrap();
    (folder, house)
}

fn trader(party: &str) -> Reader {
    Reader::new("t-1", Role::Trader).of_party(Some(party))
}

fn own() -> Reader {
    trader("GB123456789")
}

fn officer() -> Reader {
    Reader::new("o-1", Role::Officer)
}

fn amendment_of(mrn: &str) -> String {
    GOOD.replace("CC315A", "CC313A")
        .replace("<RefNumHEA4>LRN-1</RefNumHEA4>", &format!("<DocNumHEA5>{mrn}</DocNumHEA5>"))
        .replace("DecPlaHEA394", "AmdPlaHEA598")
        .replace("DecDatTimHEA114", "DatTimAmeHEA113")
        .replace("smartphones", "mobile telephones")
}

#[test]
fn what_is_right_is_accepted_once_under_a_number_of_its_own() {
    let (_folder, house) = house();
    let accepted = house.lodge_entry_summary(&own(), GOOD.as_bytes()).unwrap();
    assert_eq!((accepted.message_type, accepted.accepted, accepted.repeated), ("CC328A", true, false));
    let mrn = accepted.mrn.clone().unwrap();
    let xml = String::from_utf8(accepted.xml.clone()).unwrap();
    assert!(
        xml.contains(&format!("<DocNumHEA5>{mrn}</DocNumHEA5>")) && xml.contains("<CorIdeMES25>M1<"),
        "{xml}"
    );
    let position = house.journal_position();
    let again = house.lodge_entry_summary(&own(), GOOD.as_bytes()).unwrap();
    assert_eq!((again.repeated, again.xml, house.journal_position()), (true, accepted.xml, position));
    let other = GOOD.replace("smartphones", "telephones");
    let refused = house.lodge_entry_summary(&own(), other.as_bytes()).unwrap_err();
    assert_eq!((refused.kind, refused.code.as_str()), (Kind::Conflict, "reference_in_use"));
    let record = house.entry_summary(&own(), &mrn).unwrap();
    assert_eq!((record.lrn.as_deref(), record.items, record.amendments), (Some("LRN-1"), 1, 0));
    let day = crate::civil_time::civil(house.now()).date();
    assert_eq!(house.entry_summaries(&officer(), day).unwrap(), [record]);
}

#[test]
fn what_breaks_a_rule_is_answered_with_its_places_and_may_come_again_corrected() {
    let (_folder, house) = house();
    let wrong = GOOD.replace("<TotNumOfIteHEA305>1<", "<TotNumOfIteHEA305>2<");
    let rejected = house.lodge_entry_summary(&own(), wrong.as_bytes()).unwrap();
    assert_eq!((rejected.message_type, rejected.accepted, rejected.mrn.as_ref()), ("CC316A", false, None));
    let xml = String::from_utf8(rejected.xml).unwrap();
    assert!(xml.contains("<ErrReaER13>8206<") && xml.contains("<ErrPoiER12>HEAHEA[1]<"), "{xml}");
    assert!(house.lodge_entry_summary(&own(), wrong.as_bytes()).unwrap().repeated);
    let accepted = house.lodge_entry_summary(&own(), GOOD.as_bytes()).unwrap();
    assert_eq!((accepted.message_type, accepted.repeated), ("CC328A", false));
}

#[test]
fn an_amendment_takes_its_place_or_leaves_it_as_it_was() {
    let (_folder, house) = house();
    let mrn = house.lodge_entry_summary(&own(), GOOD.as_bytes()).unwrap().mrn.unwrap();
    let wrong = amendment_of(&mrn).replace("<TotNumOfIteHEA305>1<", "<TotNumOfIteHEA305>2<");
    let rejected = house.lodge_entry_summary(&own(), wrong.as_bytes()).unwrap();
    assert_eq!((rejected.message_type, rejected.accepted), ("CC305A", false));
    assert_eq!(house.entry_summary(&own(), &mrn).unwrap().amendments, 0);
    let right = amendment_of(&mrn);
    let accepted = house.lodge_entry_summary(&own(), right.as_bytes()).unwrap();
    assert_eq!((accepted.message_type, accepted.mrn.as_ref()), ("CC304A", Some(&mrn)));
    let record = house.entry_summary(&own(), &mrn).unwrap();
    assert_eq!((record.amendments, record.lrn.as_deref()), (1, Some("LRN-1")));
    assert!(house.lodge_entry_summary(&own(), right.as_bytes()).unwrap().repeated);
    assert!(house.lodge_entry_summary(&own(), GOOD.as_bytes()).unwrap().repeated);
    let nothing = house.lodge_entry_summary(&own(), amendment_of("26ZZE000000000000").as_bytes());
    assert_eq!(nothing.unwrap_err().code, "entry_summary_unknown");
}

#[test]
fn an_officer_orders_an_intervention_once() {
    let (_folder, house) = house();
    let mrn = house.lodge_entry_summary(&own(), GOOD.as_bytes()).unwrap().mrn.unwrap();
    let order = |reader: &Reader, mrn: &str, code: &str| {
        house.order_intervention(reader, mrn, code, "Do not load the goods.")
    };
    assert_eq!(order(&own(), &mrn, "A002").unwrap_err().code, "not_permitted");
    assert_eq!(order(&officer(), "26ZZE000000000000", "A002").unwrap_err().code, "entry_summary_unknown");
    assert_eq!(order(&officer(), &mrn, "A00200").unwrap_err().code, "intervention_incomplete");
    let ordered = order(&officer(), &mrn, "A002").unwrap();
    assert_eq!(ordered.message_type, "CC351A");
    assert!(String::from_utf8(ordered.xml.clone()).unwrap().contains("<CusIntCodCUSINT665>A002<"));
    assert_eq!(order(&officer(), &mrn, "A002").unwrap_err().code, "intervention_ordered_already");
    let record = house.entry_summary(&own(), &mrn).unwrap();
    assert_eq!((record.intervention.unwrap().code.as_str(), record.last_answer), ("A002", ordered.xml));
}

#[test]
fn what_was_announced_of_an_erased_party_is_gone() {
    let (folder, house) = house();
    let mrn = house.lodge_entry_summary(&own(), GOOD.as_bytes()).unwrap().mrn.unwrap();
    // The consignee stands in no other field than its own.
    let subject = Subject::Party("GB987654322".to_owned());
    let request = ErasureRequest {
        subject: subject.clone(),
        basis: "Data Protection Act, section 17".to_owned(),
        reason: "it asked for it".to_owned(),
    };
    let chief = Reader::new("c-1", Role::Chief);
    let ordered = house.order_erasure(&chief, &request).unwrap();
    let admin = Reader::new("a-1", Role::Admin);
    house.approve_erasure(&admin, &ordered.id, &subject, &spine::Silent).unwrap();
    assert_eq!(house.entry_summary(&own(), &mrn).unwrap_err().code, "entry_summary_unknown");
    assert_eq!(house.lodge_entry_summary(&own(), GOOD.as_bytes()).unwrap_err().code, "reference_in_use");
    drop(house);
    let data = folder.path().join("data");
    let mut folders = vec![data];
    while let Some(place) = folders.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                let found = bytes.windows(11).any(|window| window == b"GB987654322");
                assert!(!found, "{}", path.display());
            }
        }
    }
}

#[test]
fn what_is_not_ones_own_is_as_unknown_as_what_does_not_exist() {
    let (_folder, house) = house();
    let stranger = trader("GB999999999");
    let refused = house.lodge_entry_summary(&stranger, GOOD.as_bytes()).unwrap_err();
    assert_eq!((refused.kind, refused.code.as_str()), (Kind::Forbidden, "entry_summary_not_own"));
    let nobody = Reader::new("t-2", Role::Trader);
    assert_eq!(house.lodge_entry_summary(&nobody, GOOD.as_bytes()).unwrap_err().code, "no_party");
    assert_eq!(house.lodge_entry_summary(&officer(), GOOD.as_bytes()).unwrap_err().code, "not_permitted");
    let mrn = house.lodge_entry_summary(&own(), GOOD.as_bytes()).unwrap().mrn.unwrap();
    let strange = amendment_of(&mrn).replace("GB123456789<", "GB999999999<");
    for error in [
        house.entry_summary(&stranger, &mrn).unwrap_err(),
        house.lodge_entry_summary(&stranger, strange.as_bytes()).unwrap_err(),
        house.entry_summary(&stranger, "26ZZE000000000000").unwrap_err(),
    ] {
        assert_eq!((error.kind, error.code.as_str()), (Kind::NotFound, "entry_summary_unknown"));
    }
    let day = crate::civil_time::civil(house.now()).date();
    assert_eq!(house.entry_summaries(&own(), day).unwrap_err().code, "not_permitted");
    for broken in ["", "<CC315A>", "<CC316A/>", "<!DOCTYPE a><CC315A/>"] {
        let refused = house.lodge_entry_summary(&own(), broken.as_bytes()).unwrap_err();
        assert_eq!(refused.code, "entry_summary_unreadable");
        assert!(!refused.findings.is_empty());
    }
}
