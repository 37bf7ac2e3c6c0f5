//! Tags in use come to the records of the pool, all of them, and go on where they were stopped.

use std::time::Duration;

use spine::Silent;

use crate::Customhouse;
use crate::erasure::{ErasureRequest, Subject};
use crate::identity::{Reader, Role};
use crate::pool::{AdmitRequest, BatchSelection};
use crate::tags::{HouseWithTags as Case, own_tag};

const LONG: Duration = Duration::from_secs(60);

impl Case {
    fn admit(&self, name: &str, rows: std::ops::Range<u32>) {
        let mut text = String::from(
            "declaration_id,date,importer_id,commodity_code,gross_mass,net_mass,customs_value,currency,goods_description\n",
        );
        let goods =
            [("851712", "telephones"), ("980100", "abc"), ("8517", "12-34"), ("300490", "assorted parts")];
        for row in rows {
            let (importer, gross, value) = (row % 13, 40 + row % 60, row % 17 * 10);
            let (code, description) = goods[usize::try_from(row).unwrap() % goods.len()];
            let currency = if row % 9 == 0 { "QQQ" } else { "EUR" };
            let day = row % 28 + 1;
            text.push_str(&format!(
                "A{row},2024-02-{day:02},IMP-{importer},{code},{gross},70,{value},{currency},{description}\n"
            ));
        }
        let path = self.place.path().join(name);
        std::fs::write(&path, text).unwrap();
        self.house.admit(&self.chief, &AdmitRequest::new(&path), &Silent).unwrap();
    }

    fn tagged(&self) {
        // The first time something has just come, and it is left for a quieter moment.
        let begun = self.house.put_tags_on_pool().unwrap() || self.house.put_tags_on_pool().unwrap();
        assert!(begun, "something is new");
        if !self.house.wait_until_pool_is_tagged(LONG) {
            panic!("{:?}", self.house.pool_history(&self.chief));
        }
    }
}

#[test]
fn tags_in_use_come_to_the_pool() {
    let case = Case::new();
    assert!(!case.house.pool_history(&case.chief).unwrap().complete);
    case.tagged();
    assert_eq!(
        case.house.tag_in_pool(&case.analyst, "gross_below_net").unwrap(),
        None,
        "there is no record yet"
    );
    case.admit("a.csv", 0..500);
    case.admit("b.csv", 500..800);
    case.tagged();
    let status = case.house.pool_history(&case.chief).unwrap();
    assert_eq!((status.entries, status.complete, status.paused), (800, true, false));
    assert!(status.tags > 20 && status.left_out > 50, "{status:?}");

    // Every tag that is put there is where the evaluation of the pool says.
    let (set, _) = crate::tags::tag_set(&case.house.registry());
    let entries = case.house.load_entries(&case.chief, &BatchSelection::All, &Silent).unwrap();
    let marks = set.apply(&entries.table, &Silent).unwrap();
    let mut somewhere = 0;
    for own in set.asking_fields_only() {
        let hit = marks.hits.iter().find(|hit| set.definitions()[hit.tag_index].id == own.id).unwrap();
        let found = case.house.tag_in_pool(&case.chief, &own.id).unwrap();
        assert_eq!(found.as_ref().map_or(0, |found| found.rows), hit.rows.len(), "{}", own.id);
        somewhere += u32::from(found.is_some());
    }
    assert!(somewhere > 3, "{somewhere} tags are on rows");
    let found = case.house.tag_in_pool(&case.analyst, "gross_below_net").unwrap().unwrap();
    assert_eq!((found.entities, found.asked, found.carriers.len()), (13, 800, 10));
    let why = case.house.tag_on_row(
        &case.analyst,
        "gross_below_net",
        found.last.batch.as_deref().unwrap(),
        found.last.row.unwrap(),
    );
    assert!(why.unwrap().carried, "the last of the rows explains itself");

    // A tag that two people brought into force comes to all of them, by itself.
    let proposal = case.house.propose_tag(&case.analyst, own_tag("heavy_here", "gross_mass >= 90")).unwrap();
    case.house.approve_tag(&case.chief, proposal.number).unwrap();
    case.tagged();
    let found = case.house.tag_in_pool(&case.analyst, "heavy_here").unwrap().unwrap();
    let wanted = (0..800_u32).filter(|row| 40 + row % 60 >= 90).count();
    assert_eq!(found.rows, u64::try_from(wanted).unwrap());
}

#[test]
fn it_can_be_stopped_and_goes_on() {
    let case = Case::new();
    case.admit("a.csv", 0..200);
    let outsider = Reader::new("o-officer", Role::Officer);
    assert_eq!(case.house.pause_pool_history(&outsider).unwrap_err().code, "not_permitted");
    case.house.pause_pool_history(&case.chief).unwrap();
    assert!(!case.house.put_tags_on_pool().unwrap(), "nothing begins while it is stopped");
    let status = case.house.pool_history(&case.chief).unwrap();
    assert_eq!((status.paused, status.complete), (true, false));
    // It stays so over a restart.
    let Case { place, house, analyst, chief } = case;
    drop(house);
    let house = Customhouse::open(&place.path().join("data")).unwrap();
    let case = Case { place, house, analyst, chief };
    assert!(!case.house.put_tags_on_pool().unwrap());
    let status = case.house.pool_history(&case.chief).unwrap();
    assert!(
        status.paused && status.entries == 200 && status.tags > 20,
        "it is told, so that it can go on: {status:?}"
    );
    case.house.resume_pool_history(&case.chief).unwrap();
    let _ = case.house.put_tags_on_pool().unwrap();
    assert!(case.house.wait_until_pool_is_tagged(LONG));
    assert_eq!(case.house.tag_in_pool(&case.analyst, "gross_below_net").unwrap().unwrap().entries, 200);
}

#[test]
fn what_was_erased_is_in_no_file_of_it() {
    let case = Case::new();
    case.admit("a.csv", 0..200);
    case.tagged();
    let folder = case.place.path().join("data/tag-history");
    let holds = |name: &str| {
        if !folder.exists() {
            return false;
        }
        let mut files = Vec::new();
        crate::erasure::tests::files(&folder, &mut files);
        files.iter().any(|path| {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(name.len()).any(|part| part == name.as_bytes())
        })
    };
    assert!(holds("IMP-7"));
    let subject = || Subject::Party("IMP-7".to_owned());
    let (basis, reason) =
        ("Data Protection Act, section 17".to_owned(), "The retention period is over.".to_owned());
    let request = ErasureRequest { subject: subject(), basis, reason };
    let ordered = case.house.order_erasure(&case.chief, &request).unwrap();
    let admin = Reader::new("o-admin", Role::Admin);
    case.house.approve_erasure(&admin, &ordered.id, &subject(), &Silent).unwrap();
    assert!(!holds("IMP-7"));
    case.tagged();
    assert!(!holds("IMP-7") && holds("IMP-8"));
}
