//! The live matrix against what the read model's tables say, after starts, damage, losses of power and erasure.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clearance::ResultCode;
use serde_json::json;

use super::*;
use crate::Customhouse;
use crate::declarations::CaseAction;
use crate::declarations::tests::{World, declaration, impossible, reader, result};
use crate::entities::index::members;
use crate::identity::Role;

/// Tag and entity, tag and declaration, inspected and irregular declarations.
type Content = (BTreeSet<(String, String)>, BTreeSet<(String, String)>, BTreeSet<String>, BTreeSet<String>);

const WAIT: Duration = Duration::from_secs(60);

fn of_matrix(house: &Customhouse) -> Content {
    let head = house.journal_position();
    assert!(house.matrix.wait_for(head, WAIT) >= head, "it catches up");
    content(&house.matrix.epoch().unwrap())
}

fn content(epoch: &Epoch) -> Content {
    let mrn = |number| epoch.declaration(number).unwrap().mrn.to_string();
    let mut all = Content::default();
    for (tag, id) in (0..).zip(epoch.tags()) {
        for entity in epoch.of_entities.carriers(tag).unwrap() {
            all.0.insert((id.to_owned(), epoch.entity(entity).unwrap().to_owned()));
        }
        for declaration in epoch.of_declarations.carriers(tag).unwrap() {
            all.1.insert((id.to_owned(), mrn(declaration)));
        }
    }
    all.2 = epoch.inspected.iter().map(mrn).collect();
    all.3 = epoch.irregular.iter().map(mrn).collect();
    all
}

fn of_tables(house: &Customhouse) -> Content {
    let head = house.journal_position();
    assert!(house.wait_until_shown(head, WAIT) >= head);
    let read = house.projection.read(|connection| {
        let pairs = |question: &str| {
            let mut statement = connection.prepare(question)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<BTreeSet<(String, String)>, _>>()
        };
        let names = |question: &str| {
            let mut statement = connection.prepare(question)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<Result<BTreeSet<String>, _>>()
        };
        Ok((
            pairs("SELECT tag, id FROM entity_tag")?,
            pairs("SELECT tag, mrn FROM tag_on")?,
            names("SELECT mrn FROM declaration WHERE batch IS NULL AND inspected = 1")?,
            names("SELECT mrn FROM declaration WHERE batch IS NULL AND irregular = 1")?,
        ))
    });
    read.unwrap()
}

fn file_of(data: &Path) -> PathBuf {
    data.join("tag-matrix").join(FILE)
}

/// Five declarations of two parties; two are inspected, one result is taken back, one is irregular.
fn told() -> World {
    let world = World::with_policies(false);
    let mut mrns = Vec::new();
    for number in 0..5 {
        let mut own =
            if number < 3 { impossible(&format!("R-{number}")) } else { declaration(&format!("G-{number}")) };
        own["exporter"] = json!({ "id": format!("CN000{}", number % 2) });
        mrns.push(world.lodge(&own).unwrap().mrn);
    }
    let officer = reader("o-1", Role::Officer);
    let complete = |mrn: &str, code| {
        world.act(&officer, mrn, CaseAction::Take).unwrap();
        world.act(&officer, mrn, CaseAction::Complete { result: result(code) }).unwrap();
    };
    complete(&mrns[0], ResultCode::Irregular);
    complete(&mrns[1], ResultCode::Conform);
    complete(&mrns[2], ResultCode::Conform);
    world.act(&officer, &mrns[2], CaseAction::WithdrawResult { why: "wrong box".to_owned() }).unwrap();
    world
}

#[test]
fn live_is_what_the_tables_say_and_stays_so_after_a_start() {
    let world = told();
    let live = of_matrix(&world.house);
    assert_eq!(live, of_tables(&world.house));
    assert!(live.0.contains(&("no_tare_at_all".to_owned(), "CN0001".to_owned())), "{:?}", live.0);
    assert_eq!((live.2.len(), live.3.len()), (2, 1));
    let world =
        world.closed(|data| assert!(file_of(data).exists(), "it was written when the house was closed"));
    assert_eq!(of_matrix(&world.house), live);
    world.lodge(&impossible("LATER")).unwrap();
    assert_eq!(of_matrix(&world.house), of_tables(&world.house));
}

#[test]
fn whatever_became_of_the_file_the_matrix_is_the_same() {
    let mut world = told();
    let live = of_matrix(&world.house);
    let mut bytes = Vec::new();
    world = world.closed(|data| bytes = std::fs::read(file_of(data)).unwrap());
    let cut = |share: usize| bytes[..bytes.len() * share / 10].to_vec();
    let flipped = |share: usize| {
        let mut bytes = bytes.clone();
        let at = bytes.len() * share / 10;
        bytes[at] ^= 0x40;
        bytes
    };
    let mut states: Vec<Option<Vec<u8>>> = vec![None, Some(Vec::new())];
    states.extend((1..10).flat_map(|share| [Some(cut(share)), Some(flipped(share))]));
    for (number, state) in states.into_iter().enumerate() {
        world = world.closed(|data| {
            let path = file_of(data);
            match &state {
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            std::fs::write(path.with_file_name(".live.bin.1.part"), b"half").unwrap();
        });
        assert_eq!(of_matrix(&world.house), live, "state {number}");
        let parts = std::fs::read_dir(world.path().join("data/tag-matrix")).unwrap().count();
        assert!(parts <= 1, "what was being written is swept away");
    }
}

/// Every prefix of the file is refused or, where it is whole, read as what it is: no byte can be missing unnoticed.
#[test]
fn no_beginning_of_a_file_is_taken_for_the_file() {
    let world = told();
    let live = of_matrix(&world.house);
    world.closed_for_good(|data| {
        let path = file_of(data);
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(content(&file::read(&path).unwrap().epoch), live);
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(file::read(&path).is_err(), "{length} of {}", bytes.len());
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, &flipped).unwrap();
            assert!(file::read(&path).is_err(), "bit at {at} of {}", bytes.len());
        }
    });
}

#[test]
fn a_file_of_another_journal_gives_way() {
    let (world, other) = (told(), World::with_policies(false));
    for number in 0..20 {
        other.lodge(&impossible(&format!("X-{number}"))).unwrap();
    }
    let live = of_matrix(&world.house);
    let mut bytes = Vec::new();
    let _ = of_matrix(&other.house);
    other.closed_for_good(|data| bytes = std::fs::read(file_of(data)).unwrap());
    let world = world.closed(|data| std::fs::write(file_of(data), &bytes).unwrap());
    assert_eq!(of_matrix(&world.house), live);
}

#[test]
fn where_the_file_cannot_be_written_what_is_held_is_right_all_the_same() {
    let world = told();
    let live = of_matrix(&world.house);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    // No file takes the place of a folder that holds something.
    std::fs::create_dir_all(path.join("something")).unwrap();
    let shared = Arc::new(Shared {
        path,
        current: Mutex::new(Current { epoch: Arc::default(), failed: None }),
        moved: Condvar::new(),
        stop: AtomicBool::new(false),
        again: AtomicBool::new(false),
    });
    let long_ago = Instant::now().checked_sub(WRITE_EVERY).unwrap();
    let mut follower = Follower {
        shared: Arc::clone(&shared),
        journal: Arc::clone(&world.house.journal),
        recent: world.house.projection.recent(),
        state: State::begun_at(world.house.journal_position()),
        written: 0,
        written_at: long_ago,
        unwritable: false,
    };
    follower.step().unwrap();
    assert!(follower.unwritable && follower.written == 0);
    assert!(follower.written_at > long_ago, "it is tried again after a while, not at once");
    assert_eq!(content(&shared.current().epoch), live);
}

/// The matrix made of the journal at once; with `grouped` false, as if nobody had ever been merged.
fn from_scratch(house: &Customhouse, grouped: bool) -> Arc<Epoch> {
    let mut state = State::begun_at(house.journal_position());
    for event in house.journal.feed(0, EVENTS_AT_ONCE).unwrap() {
        if grouped || !event.envelope.stream.starts_with("entity-decision/") {
            state.apply(&event).unwrap();
        }
    }
    state.publish().unwrap()
}

/// What groups make of a matrix without any, told from the ids alone.
fn expected(house: &Customhouse, plain: &Epoch) -> (Content, usize) {
    let numbered: BTreeSet<&str> = (0..).map_while(|number| plain.entity(number)).collect();
    let standing_for = |id: &str| {
        let members = house.projection.read(|connection| members(connection, id)).unwrap();
        members.into_iter().find(|own| numbered.contains(own.as_str())).unwrap()
    };
    let mut all = content(plain);
    all.0 = all.0.into_iter().map(|(tag, id)| (tag, standing_for(&id))).collect();
    (all, numbered.iter().map(|id| standing_for(id)).collect::<BTreeSet<_>>().len())
}

#[test]
fn entities_that_are_one_count_as_one_and_come_back_as_they_were() {
    let mut world = World::with_policies(false);
    let lines: String = (0..7).map(|n| format!("CN000{n},Name {n}\n")).collect();
    let (analyst, chief) = (reader("a-1", Role::Analyst), reader("c-1", Role::Chief));
    let receive = world.house.receive_register(
        &analyst,
        format!("id,name\n{lines}").as_bytes(),
        None,
        &std::collections::BTreeMap::new(),
        &spine::Silent,
    );
    assert_eq!(receive.unwrap().lines, 7);
    // A fixed walk: each step lodges, merges two, takes a merge back, or starts the house anew.
    let mut state = 4_711_u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let (mut standing, mut most_in_groups) = (Vec::new(), 0);
    for step in 0..60 {
        match next(9) {
            0..4 => {
                let id = format!("W-{step}");
                let mut own = if next(2) == 0 { impossible(&id) } else { declaration(&id) };
                own["exporter"] = json!({ "id": format!("CN000{}", next(7)) });
                world.lodge(&own).unwrap();
            }
            4..7 => {
                let (one, other) = (format!("CN000{}", next(7)), format!("CN000{}", next(7)));
                match world.house.merge_entities(&analyst, &one, &other, "walk") {
                    Ok(merged) => standing.push(merged.id),
                    Err(error) => assert_eq!(error.code, "entities_are_one"),
                }
            }
            7 if !standing.is_empty() => {
                let at = usize::try_from(next(u64::try_from(standing.len()).unwrap())).unwrap();
                world.house.split_entities(&chief, &standing.remove(at), "walk").unwrap();
            }
            _ => world = world.reopened(),
        }
        let live = of_matrix(&world.house);
        let plain = from_scratch(&world.house, false);
        assert_eq!(of_tables(&world.house).0, content(&plain).0, "step {step}");
        let (expected, counted) = expected(&world.house, &plain);
        assert_eq!(live, expected, "step {step}");
        let epoch = world.house.matrix.epoch().unwrap();
        let scratch = from_scratch(&world.house, true);
        assert_eq!((&epoch.of_entities, &epoch.grouped), (&scratch.of_entities, &scratch.grouped));
        assert_eq!(epoch.entities_counted(), u64::try_from(counted).unwrap(), "step {step}");
        most_in_groups = most_in_groups.max(epoch.grouped.within().len());
    }
    assert!(most_in_groups > 2 && !standing.is_empty(), "{most_in_groups}");
    for id in standing {
        world.house.split_entities(&chief, &id, "walk").unwrap();
    }
    let _ = of_matrix(&world.house);
    let epoch = world.house.matrix.epoch().unwrap();
    assert_eq!(
        epoch.of_entities,
        from_scratch(&world.house, false).of_entities,
        "as if nobody had been merged"
    );
}
