//! A sandbox: the same house on a folder of its own, with a clock that moves forward at will and, where a simulated
//! world lives in it, the pace of that world. Everything recorded in a sandbox is marked as simulated.
//!
//! | call | permission | event |
//! |---|---|---|
//! | `Customhouse::open_sandbox(path, begins)` | none: whoever holds the folder | none |
//! | `sandbox() -> Option<SandboxStanding>` | none | none |
//! | `move_clock(&reader, seconds) -> Timestamp`; what is due by then happens before it answers | move clock | `sandbox.clock_moved` |
//! | `set_pace(&reader, declarations a minute)`; 0 pauses the world | move clock | `sandbox.pace_set` |
//! | `begin_world(declarations a minute)`, `world_pace()` | none: whoever drives the world | none |

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use journal::Clock;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Error, Kind};
use crate::folder::{DataFolder, write_whole};
use crate::identity::{Permission, Reader};
use crate::{Customhouse, Fact};

/// The clock is moved by at most this much at once: a year.
pub const MOVE_SECONDS_MAX: u64 = 366 * 86_400;
/// Fastest pace of a world, in declarations a minute.
pub const PACE_MAX: u32 = 6_000;
/// Rounds in which what became due by one move happens.
const ROUNDS_MAX: usize = 1_000;

/// A password for accounts of a sandbox, to be shown once: 64 random bits.
pub fn made_up_password() -> Result<String, Error> {
    let digits = hex::encode(crate::random_bytes::<8>()?);
    let groups: Vec<&str> = (0..4_usize).filter_map(|at| digits.get(at * 4..at * 4 + 4)).collect();
    Ok(groups.join("-"))
}

/// How a sandbox stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SandboxStanding {
    /// Its time.
    pub now: Timestamp,
    /// How far its clock is ahead of the operating system's; negative: behind.
    pub offset_seconds: i64,
    /// Declarations that its world lodges in a minute; `None`: no simulated world lives here.
    pub pace_per_minute: Option<u32>,
    /// Does that world stand still?
    pub paused: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    offset_microseconds: i64,
}

/// The operating system's clock and an offset that only grows. It is kept in the data folder before it counts, so that a
/// restart does not go back.
#[derive(Debug)]
pub struct SandboxClock {
    path: PathBuf,
    offset_microseconds: AtomicI64,
    moving: Mutex<()>,
}

impl SandboxClock {
    /// The clock of a sandbox's folder. `begins` is the moment at which the clock of a new sandbox begins.
    pub(crate) fn open(folder: &DataFolder, begins: Option<Timestamp>) -> Result<Self, Error> {
        let path = folder.path().join("sandbox.toml");
        let kept = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str::<Kept>(&text).map_err(|error| {
                Error::new(
                    Kind::FolderUnusable,
                    "sandbox_clock_damaged",
                    format!("{} cannot be read: {}", path.display(), error.message()),
                    "Restore the file from a backup of the folder.",
                )
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let ahead = begins.map_or(0, |begins| microseconds_between(Timestamp::now(), begins));
                let kept = Kept { offset_microseconds: ahead };
                keep(&path, &kept)?;
                kept
            }
            Err(error) => return Err(Error::io("sandbox_clock_unreadable", &path, &error)),
        };
        Ok(Self {
            path,
            offset_microseconds: AtomicI64::new(kept.offset_microseconds),
            moving: Mutex::default(),
        })
    }

    /// Moves forward to a moment; one that has passed changes nothing.
    fn move_to(&self, moment: Timestamp) -> Result<(), Error> {
        let _moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = self.offset().saturating_add(microseconds_between(self.now(), moment).max(0));
        keep(&self.path, &Kept { offset_microseconds: offset })?;
        self.offset_microseconds.store(offset, Ordering::SeqCst);
        Ok(())
    }

    fn offset(&self) -> i64 {
        self.offset_microseconds.load(Ordering::SeqCst)
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(SignedDuration::from_micros(self.offset())).unwrap_or(now)
    }
}

fn microseconds_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_microsecond().saturating_sub(from.as_microsecond())
}

fn keep(path: &Path, kept: &Kept) -> Result<(), Error> {
    let text = toml::to_string(kept).map_err(|error| Error::internal("sandbox_clock_unwritable", &error))?;
    write_whole(path, text.as_bytes())
}

/// What a house in a sandbox has beside the others.
#[derive(Debug)]
pub(crate) struct Sandbox {
    clock: Arc<SandboxClock>,
    pace: RwLock<Option<u32>>,
}

impl Sandbox {
    pub(crate) fn new(clock: Arc<SandboxClock>) -> Self {
        Self { clock, pace: RwLock::new(None) }
    }

    fn pace(&self) -> Option<u32> {
        *self.pace.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Customhouse {
    /// Opens a sandbox, making it where it does not exist. `begins` is when the clock of a new one begins, the present if
    /// it is not given; the clock of one that was there goes on where it stood.
    ///
    /// # Errors
    /// `data_folder_no_sandbox` for a folder that was made for real records.
    pub fn open_sandbox(path: &Path, begins: Option<Timestamp>) -> Result<Self, Error> {
        let folder = DataFolder::open_sandbox(path)?;
        let clock = Arc::new(SandboxClock::open(&folder, begins)?);
        let mut house = Self::open_folder(folder, clock.clone())?;
        house.sandbox = Some(Sandbox::new(clock));
        Ok(house)
    }

    /// How the sandbox stands; `None`: this is the real thing.
    #[must_use]
    pub fn sandbox(&self) -> Option<SandboxStanding> {
        self.sandbox.as_ref().map(|sandbox| SandboxStanding {
            now: sandbox.clock.now(),
            offset_seconds: sandbox.clock.offset().div_euclid(1_000_000),
            pace_per_minute: sandbox.pace(),
            paused: sandbox.pace() == Some(0),
        })
    }

    fn in_sandbox(&self) -> Result<&Sandbox, Error> {
        self.sandbox.as_ref().ok_or_else(|| {
            Error::new(
                Kind::Refused,
                "no_sandbox",
                "this is no sandbox: its time is the time of day",
                "Start one on a folder of its own with `tidewaiter serve --sandbox --data DIR`.",
            )
        })
    }

    /// Moves the clock of a sandbox forward and lets happen what is due by then. Answers with its time.
    pub fn move_clock(&self, reader: &Reader, seconds: u64) -> Result<Timestamp, Error> {
        reader.require(Permission::MoveClock)?;
        let sandbox = self.in_sandbox()?;
        let from = sandbox.clock.now();
        let to = i64::try_from(seconds)
            .ok()
            .filter(|_| (1..=MOVE_SECONDS_MAX).contains(&seconds))
            .and_then(|seconds| from.checked_add(SignedDuration::from_secs(seconds)).ok())
            .ok_or_else(|| {
                Error::new(
                    Kind::Invalid,
                    "clock_move",
                    format!("the clock cannot be moved by {seconds} seconds"),
                    format!("It moves forward by 1 to {MOVE_SECONDS_MAX} seconds at once."),
                )
            })?;
        let payload = json!({ "from": from, "to": to });
        self.record(reader, Fact::new("sandbox", "sandbox.clock_moved", payload))?;
        sandbox.clock.move_to(to)?;
        for _ in 0..ROUNDS_MAX {
            if self.run_timers()? == 0 {
                break;
            }
        }
        self.watch_for_warnings()?;
        Ok(sandbox.clock.now())
    }

    /// Says how many declarations the simulated world lodges in a minute; 0 lets it stand still.
    ///
    /// # Errors
    /// `no_world` where no simulated world lives in this process.
    pub fn set_pace(&self, reader: &Reader, per_minute: u32) -> Result<SandboxStanding, Error> {
        reader.require(Permission::MoveClock)?;
        let sandbox = self.in_sandbox()?;
        if sandbox.pace().is_none() {
            return Err(Error::new(
                Kind::Refused,
                "no_world",
                "no simulated world lives in this sandbox",
                "Start one with `tidewaiter demo`.",
            ));
        }
        if per_minute > PACE_MAX {
            return Err(Error::new(
                Kind::Invalid,
                "pace",
                format!("{per_minute} declarations a minute are too many"),
                format!("Choose 0 to {PACE_MAX}."),
            ));
        }
        self.record(reader, Fact::new("sandbox", "sandbox.pace_set", json!({ "per_minute": per_minute })))?;
        *sandbox.pace.write().unwrap_or_else(PoisonError::into_inner) = Some(per_minute);
        self.sandbox().ok_or_else(|| Error::internal("no_sandbox", &"the sandbox is gone"))
    }

    /// Says that a simulated world lives in this process from now on, at a pace in declarations a minute.
    pub fn begin_world(&self, per_minute: u32) -> Result<(), Error> {
        let sandbox = self.in_sandbox()?;
        *sandbox.pace.write().unwrap_or_else(PoisonError::into_inner) = Some(per_minute.min(PACE_MAX));
        Ok(())
    }

    /// Declarations that the simulated world is to lodge in a minute; 0: it stands still or there is none.
    #[must_use]
    pub fn world_pace(&self) -> u32 {
        self.sandbox.as_ref().and_then(Sandbox::pace).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Role;

    #[test]
    fn the_clock_moves_forward_only_and_a_restart_does_not_go_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("played");
        let begins: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let house = Customhouse::open_sandbox(&path, Some(begins)).unwrap();
        let seconds_since = |now: Timestamp| now.as_second() - begins.as_second();
        assert!(seconds_since(house.now()) < 60, "{}", house.now());
        let (oleg, tara) = (Reader::new("u-1", Role::Officer), Reader::new("u-2", Role::Trader));
        let moved = house.move_clock(&oleg, 86_400).unwrap();
        assert!((86_400..86_460).contains(&seconds_since(moved)), "{moved}");
        for (reader, seconds, code) in [
            (&tara, 60, "not_permitted"),
            (&oleg, 0, "clock_move"),
            (&oleg, MOVE_SECONDS_MAX + 1, "clock_move"),
            (&oleg, u64::MAX, "clock_move"),
        ] {
            assert_eq!(house.move_clock(reader, seconds).unwrap_err().code, code);
        }
        drop(house);
        let again = Customhouse::open_sandbox(&path, Some(begins)).unwrap();
        assert!(again.now() >= moved, "the moment at which a sandbox begins is that of a new one");
        assert_eq!(Customhouse::open(&path).unwrap_err().code, "data_folder_in_use");
    }

    #[test]
    fn a_made_up_password_is_long_enough_and_new_each_time() {
        let (one, other) = (made_up_password().unwrap(), made_up_password().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 19);
        assert!(one.len() >= crate::identity::PASSWORD_CHARACTERS_MIN);
    }

    #[test]
    fn a_world_has_a_pace_and_the_real_thing_has_neither() {
        let folder = tempfile::tempdir().unwrap();
        let oleg = Reader::new("u-1", Role::Officer);
        let house = Customhouse::open_sandbox(&folder.path().join("played"), None).unwrap();
        assert_eq!(house.sandbox().and_then(|own| own.pace_per_minute), None);
        assert_eq!(house.set_pace(&oleg, 10).unwrap_err().code, "no_world");
        house.begin_world(20).unwrap();
        assert_eq!(house.set_pace(&oleg, PACE_MAX + 1).unwrap_err().code, "pace");
        assert_eq!(house.world_pace(), 20);
        assert!(house.set_pace(&oleg, 0).unwrap().paused);
        let real = Customhouse::open(&folder.path().join("real")).unwrap();
        assert_eq!((real.sandbox(), real.world_pace()), (None, 0));
        for refused in
            [real.move_clock(&oleg, 60).map(|_| ()), real.set_pace(&oleg, 1).map(|_| ()), real.begin_world(1)]
        {
            assert_eq!(refused.unwrap_err().code, "no_sandbox");
        }
    }
}
