//! The country's life, on a thread of its own while the pages are served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use customhouse::{Customhouse, Error, Kind};

use super::Present;
use super::actors::{Actors, Pace};
use super::lodging::Lodging;

/// How often the world looks at what is due.
const BEAT: Duration = Duration::from_millis(100);
/// Declarations that are handed in at one beat at most: what a slow machine cannot do is left out.
const PER_BEAT_MAX: u32 = 100;
/// Things that people do at one beat at most.
const ACTS_PER_BEAT_MAX: usize = 20;

/// A world that lives until it is dropped.
pub(crate) struct Life {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Life {
    /// Lets a world live.
    pub(crate) fn begin(present: Present) -> Result<Self, Error> {
        let ended = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&ended);
        let thread = std::thread::Builder::new()
            .name("world".to_owned())
            .spawn(move || {
                if let Err(error) = live(present, &own) {
                    tracing::error!(code = error.code, "the simulated world has stopped: {error}");
                }
            })
            .map_err(|error| Error::internal("no_thread", &error))?;
        Ok(Self { ended, thread: Some(thread) })
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A world that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

fn live(present: Present, ended: &AtomicBool) -> Result<(), Error> {
    let Present { house, world, mut actors, natural_per_minute, .. } = present;
    let mut declarations = world.living();
    let mut lodging = Lodging::new();
    let (mut last, mut owed) = (Instant::now(), 0.0);
    while !ended.load(Ordering::Relaxed) {
        std::thread::sleep(BEAT);
        let passed = last.elapsed().as_secs_f64();
        last = Instant::now();
        let pace = f64::from(house.world_pace());
        if pace == 0.0 {
            owed = 0.0;
            continue;
        }
        actors.pace = Pace::Present { factor: (natural_per_minute / pace).min(1.0) };
        owed = (owed + pace / 60.0 * passed).min(f64::from(PER_BEAT_MAX));
        while owed >= 1.0 {
            owed -= 1.0;
            // The calendar ends in the year 9999.
            let Some(consignment) = declarations.next() else { return Ok(()) };
            lodging.hand_in(&house, consignment)?;
        }
        one_beat(&house, &mut lodging, &mut actors)?;
    }
    Ok(())
}

fn one_beat(house: &Customhouse, lodging: &mut Lodging, actors: &mut Actors) -> Result<(), Error> {
    while let Some((consignment, receipt)) = lodging.come() {
        match receipt {
            Ok(receipt) => actors.notice(consignment, &receipt)?,
            // Whoever lives here twice has lodged this before.
            Err(error) if matches!(error.kind, Kind::Conflict | Kind::Refused) => {}
            Err(error) => return Err(error),
        }
    }
    actors.act(house.now(), ACTS_PER_BEAT_MAX).map(|_| ())
}
