//! A damaged log is made anew from the journal, and never into another history.

use std::sync::Arc;

use journal::log::files::{Faults, FaultyDisk};
use journal::log::rebuild::{Rebuild, Rebuilt};
use journal::log::writer::SIGNED;
use journal::log::{Against, Files, Integrator, LogError, SignedCheckpoint, verify_log};

use super::support::{ORIGIN, Source, catch_up, disk, key, open_remembering, reader};

/// A log of 700 entries with a memory, an earlier partial tile and a witnessed checkpoint.
struct World {
    files: Arc<FaultyDisk>,
    memory: Arc<FaultyDisk>,
    aside: Arc<FaultyDisk>,
    source: Arc<Source>,
}

impl World {
    fn new() -> Self {
        let world = Self { files: disk(), memory: disk(), aside: disk(), source: Source::of(700) };
        let mut log = world.open().unwrap();
        for most in [300, 300, 100] {
            let checkpoint = catch_up(&mut log, &world.source, most).unwrap();
            if log.size() == 600 {
                log.keep_witnessed(&checkpoint).unwrap();
            }
        }
        world
    }

    fn open(&self) -> Result<Integrator, LogError> {
        open_remembering(&self.files, &self.memory, &self.source)
    }

    fn rebuild(&self, seen: &[SignedCheckpoint]) -> Result<Rebuilt, LogError> {
        let rebuild = Rebuild {
            files: self.files.clone(),
            memory: self.memory.clone(),
            aside: self.aside.clone(),
            source: self.source.as_ref(),
            origin: ORIGIN,
            known: &[key(1).verifier().clone()],
            seen: seen.iter().map(|seen| ("seen.txt".to_owned(), seen.clone())).collect(),
        };
        rebuild.run()
    }

    fn holds(&self) -> bool {
        let against = Against { source: Some(self.source.as_ref()), ..Against::default() };
        verify_log(&reader(&self.files), &[key(1).verifier().clone()], &against).unwrap().holds()
    }

    fn disk_of(&self, place: &str) -> (&Arc<FaultyDisk>, String) {
        match place.strip_prefix("log-memory/") {
            Some(name) => (&self.memory, name.to_owned()),
            None => (&self.files, place.to_owned()),
        }
    }
}

type Damage = fn(&mut Vec<u8>);

/// Every kind of file.
const PLACES: [&str; 10] = [
    "checkpoint",
    "checkpoint.witnessed",
    "log-memory/signed-checkpoint",
    "tile/0/000",
    "tile/0/002.p/188",
    "tile/0/002.p/88",
    "tile/1/000.p/2",
    "tile/entries/001",
    "tile/entries/002.p/188",
    "tile/entries/002.p/88",
];

#[test]
fn a_flipped_bit_in_any_kind_of_file_is_made_good_and_the_damaged_one_is_kept() {
    let damages: [(&str, Damage); 4] = [
        ("a bit in the midst", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }),
        ("the first bit", |bytes| bytes[0] ^= 0x80),
        ("cut", |bytes| bytes.truncate(bytes.len() - 1)),
        ("empty", Vec::clear),
    ];
    for place in PLACES {
        for (how, damage) in damages {
            let world = World::new();
            let (disk, path) = world.disk_of(place);
            let mut bytes = disk.read(&path, usize::MAX).unwrap();
            damage(&mut bytes);
            disk.write(&path, &bytes).unwrap();
            let rebuilt = world.rebuild(&[]).unwrap_or_else(|error| panic!("{place}, {how}: {error}"));
            assert_eq!(
                (&rebuilt.renewed, &rebuilt.kept_aside),
                (&vec![place.to_owned()], &vec![place.to_owned()])
            );
            assert_eq!(world.aside.read(place, usize::MAX).unwrap(), bytes, "{place}, {how}");
            assert_eq!(rebuilt.checkpoint.checkpoint().size, 700, "{place}, {how}");
            assert!(world.holds(), "{place}, {how}");
            let mut log = world.open().unwrap();
            world.source.grow(1);
            catch_up(&mut log, &world.source, 1).unwrap();
            assert!(world.holds(), "{place}, {how}: it goes on");
        }
    }
}

#[test]
fn of_a_whole_log_nothing_is_changed_and_of_a_lost_one_everything_comes_back() {
    let world = World::new();
    let whole = world.files.all();
    let rebuilt = world.rebuild(&[]).unwrap();
    assert!(rebuilt.renewed.is_empty() && world.files.all() == whole, "{rebuilt:?}");
    let sizes: Vec<u64> = rebuilt.compared.iter().map(|(_, size)| *size).collect();
    assert_eq!(sizes, [700, 600, 700]);
    let lost = World { files: disk(), ..world };
    assert_eq!(lost.rebuild(&[]).unwrap().checkpoint.checkpoint().size, 700);
    assert!(lost.holds());
}

#[test]
fn another_history_is_refused_and_nothing_is_changed() {
    let check = |what: &str, change: &dyn Fn(&World), seen: &[SignedCheckpoint], code: &str, told: &str| {
        let world = World::new();
        change(&world);
        let before = (world.files.all(), world.memory.all());
        let refused = world.rebuild(seen).unwrap_err();
        assert_eq!(refused.code(), code, "{what}: {refused}");
        assert!(refused.to_string().contains(told), "{what}: {refused}");
        assert_eq!((world.files.all(), world.memory.all()), before, "{what}");
        assert!(world.aside.all().1.is_empty(), "{what}");
    };
    let rewrite =
        |at: usize| move |world: &World| world.source.0.lock().unwrap()[at] = b"another event".to_vec();
    let nothing = |_: &World| {};
    let forget = |world: &World| {
        world.files.write("checkpoint", b"x").unwrap();
        world.files.remove("checkpoint.witnessed").unwrap();
        world.memory.write(SIGNED, b"").unwrap();
    };
    let other = || {
        let world = World::new();
        world.source.0.lock().unwrap()[5] = b"another event".to_vec();
        let fresh = World { files: disk(), memory: disk(), aside: disk(), source: world.source };
        let mut log = fresh.open().unwrap();
        (*catch_up(&mut log, &fresh.source, 650).unwrap()).clone()
    };
    let stranger = SignedCheckpoint::sign(other().checkpoint().clone(), &[key(2)], 1).unwrap();
    check("an event rewritten", &rewrite(10), &[], "log_would_fork", "checkpoint.witnessed");
    check("a late event rewritten", &rewrite(650), &[], "log_would_fork", "checkpoint");
    check(
        "events lost",
        &|world| world.source.0.lock().unwrap().truncate(690),
        &[],
        "log_journal_behind",
        "690",
    );
    check("another history was seen", &nothing, &[other()], "log_would_fork", "seen.txt");
    check("what nobody signed was seen", &nothing, &[stranger], "log_unsigned", "seen.txt");
    check("no checkpoint is left", &forget, &[], "log_nothing_known", "--checkpoint");
    // With one that others kept it goes.
    let world = World::new();
    let seen = reader(&world.files).witnessed_checkpoint().unwrap().unwrap();
    forget(&world);
    assert_eq!(world.rebuild(&[seen]).unwrap().checkpoint.checkpoint().size, 600);
    assert!(world.holds());
}

#[test]
fn whenever_the_machine_dies_it_is_begun_again() {
    let mut deaths = 0;
    for dies_at in 1..60 {
        let world = World::new();
        for place in PLACES.iter().filter(|place| !place.starts_with("log-memory/")) {
            world.files.write(place, b"rotten").unwrap();
            world.files.sync(place).unwrap();
        }
        world.files.restart_after_kill(Faults { dies_at: Some(dies_at), ..Faults::default() });
        deaths += u64::from(world.rebuild(&[]).is_err());
        world.files.restart_after_power_loss(Faults::default());
        world.rebuild(&[]).unwrap_or_else(|error| panic!("after a death at {dies_at}: {error}"));
        assert!(world.holds(), "after a death at {dies_at}");
    }
    assert!(deaths > 20, "{deaths}");
}
