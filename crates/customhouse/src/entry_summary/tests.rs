use serde::Serialize;
use serde::de::DeserializeOwned;

use super::model::{Accepted, Ordered, Received, Refusal};
use super::{EntryState, EntrySummariesQuery};
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
    assert_eq!(house.entry_summaries(&officer(), day, 1).unwrap(), [record]);
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
    assert_eq!((record.intervention.unwrap().code.as_str(), record.state), ("A002", EntryState::Stopped));
    let file = house.entry_summary_file(&own(), &mrn).unwrap();
    let told: Vec<(bool, &str)> =
        file.messages.iter().map(|own| (own.incoming, own.message_type.as_str())).collect();
    assert_eq!(told, [(true, "CC315A"), (false, "CC328A"), (false, "CC351A")]);
    let message = |number: u32| house.entry_summary_message(&own(), &mrn, number).unwrap();
    assert_eq!(message(1), ("CC315A".to_owned(), GOOD.as_bytes().to_vec()));
    assert_eq!(message(3), ("CC351A".to_owned(), ordered.xml));
    for (reader, number) in [(trader("GB999999999"), 1), (officer(), 0), (officer(), 4)] {
        let refused = house.entry_summary_message(&reader, &mrn, number).unwrap_err();
        assert_eq!(refused.code, "entry_summary_unknown");
    }
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
    assert_eq!(house.entry_summaries(&own(), day, 1).unwrap_err().code, "not_permitted");
    for broken in ["", "<CC315A>", "<CC316A/>", "<!DOCTYPE a><CC315A/>"] {
        let refused = house.lodge_entry_summary(&own(), broken.as_bytes()).unwrap_err();
        assert_eq!(refused.code, "entry_summary_unreadable");
        assert!(!refused.findings.is_empty());
    }
}

/// A message of another party and reference, against which the rules have nothing.
fn of(person: &str, lrn: &str) -> String {
    GOOD.replace("GB123456789<", &format!("{person}<")).replace(">LRN-1<", &format!(">{lrn}<"))
}

#[test]
fn lists_find_by_number_reference_party_state_and_day_and_a_trader_sees_its_own() {
    let (folder, house) = house();
    let mut numbers = Vec::new();
    for lrn in ["LRN-1", "LRN-2", "REF-3"] {
        let message = of("GB123456789", lrn);
        numbers.push(house.lodge_entry_summary(&own(), message.as_bytes()).unwrap().mrn.unwrap());
    }
    let theirs = of("GB777777777", "LRN-9");
    house.lodge_entry_summary(&trader("GB777777777"), theirs.as_bytes()).unwrap();
    let wrong = of("GB123456789", "BAD-1").replace("<TotNumOfIteHEA305>1<", "<TotNumOfIteHEA305>2<");
    house.lodge_entry_summary(&own(), wrong.as_bytes()).unwrap();
    house.order_intervention(&officer(), &numbers[1], "A002", "Do not load the goods.").unwrap();
    let day = crate::civil_time::civil(house.now()).date();
    house.lodge_entry_summary(&own(), amendment_of(&numbers[2]).as_bytes()).unwrap();
    let check = |house: &Customhouse, q: &str, state: &str, day: &str, sort: &str, expected: &[&str]| {
        let query = EntrySummariesQuery {
            q: q.to_owned(),
            state: state.to_owned(),
            day: day.to_owned(),
            sort: sort.to_owned(),
            page: 1,
        };
        let page = house.find_entry_summaries(&officer(), &query).unwrap();
        let found: Vec<&str> = page.rows.iter().filter_map(|row| row.lrn.as_deref()).collect();
        assert_eq!(
            (found.as_slice(), page.total),
            (expected, u64::try_from(expected.len()).unwrap()),
            "{query:?}"
        );
    };
    let all = |house: &Customhouse| {
        check(house, "", "", "", "lrn", &["BAD-1", "LRN-1", "LRN-2", "LRN-9", "REF-3"]);
        check(house, "LRN-", "", "", "-lrn", &["LRN-9", "LRN-2", "LRN-1"]);
        check(house, &numbers[2], "", "", "", &["REF-3"]);
        check(house, "GB777777777", "", "", "", &["LRN-9"]);
        check(house, "", "stopped", "", "", &["LRN-2"]);
        check(house, "", "rejected", "", "", &["BAD-1"]);
        check(house, "", "accepted", &day.to_string(), "lrn", &["LRN-1", "LRN-9", "REF-3"]);
        check(house, "", "", "1999-01-01", "", &[]);
        check(house, "nobody", "", "", "", &[]);
    };
    all(&house);
    let unreadable = EntrySummariesQuery { day: "soon".to_owned(), ..EntrySummariesQuery::default() };
    assert_eq!(house.find_entry_summaries(&officer(), &unreadable).unwrap_err().code, "day_unreadable");
    let every = EntrySummariesQuery::default();
    assert_eq!(house.find_entry_summaries(&own(), &every).unwrap_err().code, "not_permitted");
    let of = |party: &str| house.own_entry_summaries(&trader(party), &every).unwrap().total;
    assert_eq!((of("GB123456789"), of("GB777777777"), of("GB999999999")), (4, 1, 0));
    // What was rejected is told with what is wrong, and has no number that could be asked for.
    let rejected = EntrySummariesQuery { state: "rejected".to_owned(), ..EntrySummariesQuery::default() };
    let row = house.own_entry_summaries(&own(), &rejected).unwrap().rows.remove(0);
    let file = house.entry_summary_file(&own(), &row.mrn).unwrap();
    assert_eq!((file.record.registered_at, &file.record), (None, &row));
    assert_eq!(file.messages[0].findings[0].code, "8206");
    assert_eq!(house.entry_summary(&own(), &row.mrn).unwrap_err().code, "entry_summary_unknown");
    // The rows are the streams': gone, they come back the same.
    let head = house.journal_position();
    drop(house);
    std::fs::remove_dir_all(folder.path().join("data/read-models")).unwrap();
    let house = Customhouse::open(&folder.path().join("data")).unwrap();
    assert!(house.wait_until_shown(head, std::time::Duration::from_secs(60)) >= head);
    all(&house);
    for row in house.find_entry_summaries(&officer(), &every).unwrap().rows {
        assert_eq!(house.entry_summary_file(&officer(), &row.mrn).unwrap().record, row);
    }
}

/// A payload of a released kind: written like this, and read, for ever. A file that is not there is made when
/// `UPDATE_GOLDEN=1` is set; one that is there is never written again.
pub(crate) fn golden<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    room: &str,
    kind: &str,
    payload: &T,
) {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let path = source.join(room).join("golden").join(format!("{kind}@1.json"));
    let bytes = String::from_utf8(spine::event::canonical_bytes(payload).unwrap()).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
        std::fs::write(&path, &bytes).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(bytes, golden, "{kind}");
    assert_eq!(&serde_json::from_str::<T>(&golden).unwrap(), payload, "{kind}");
}

#[test]
fn payloads_of_released_events_are_written_and_read_for_ever() {
    let received = |xml: &str, errors: Vec<formats::entry_summary::FunctionalError>| Received {
        summary: formats::entry_summary::read_entry_summary(xml.as_bytes()).unwrap(),
        party: "GB123456789".to_owned(),
        sha256: "ab".repeat(32),
        errors,
    };
    let error = formats::entry_summary::FunctionalError {
        pointer: spine::Pointer("HEAHEA[1]/TotNumOfIteHEA305[1]".to_owned()),
        reason: "8206".to_owned(),
        original_value: "2".to_owned(),
    };
    let amendment = amendment_of("26ZZE000000000000");
    golden("entry_summary", "entry_summary.lodged", &received(GOOD, Vec::new()));
    golden("entry_summary", "entry_summary.accepted", &Accepted { mrn: "26ZZE000000000000".to_owned() });
    golden("entry_summary", "entry_summary.rejected", &Refusal { errors: 1 });
    golden("entry_summary", "entry_summary.amended", &received(&amendment, Vec::new()));
    golden("entry_summary", "entry_summary.amendment_rejected", &received(&amendment, vec![error]));
    let ordered = Ordered { code: "A002".to_owned(), text: "Do not load the goods.".to_owned() };
    golden("entry_summary", "entry_summary.intervention_ordered", &ordered);
}
