//! A simulated country that lives in a sandbox: its past as batches of the pool, its last days through the full loop, and
//! then its life, at a pace that can be changed. Everything in it is SIMULATED, and says so.

mod actors;
mod agenda;
mod chance;
mod examination;
mod history;
mod life;
mod lodging;
mod people;
mod policies;
mod register;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use country::{DeclaredConsignment, Settings, World};
use customhouse::identity::{Reader, Role};
use customhouse::{Customhouse, Error, Kind};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use spine::Progress;

use actors::{Actors, Pace};
use history::Past;
use lodging::Lodging;
use policies::{Approvers, capacities};

use crate::commands::country_failed;

pub(crate) use life::Life;
pub(crate) use people::Visitors;

/// Days of the history, today among them: what would come in later today is left out.
const DAYS: u32 = 180;
/// Of these, the last that go through the full loop: early warning learns for two weeks and leaves one out.
const LIVE_DAYS: u32 = 28;
/// So many days before today a ring of shells begins to undervalue.
const RING_DAYS: u32 = 6;
/// The sandbox begins this many hours into the first of these days, before offices open.
const BEGINS_AT_HOUR: i64 = 6;
/// The clock moves in steps of this length through these days: who comes within one is lodged together.
const STEP: SignedDuration = SignedDuration::from_mins(60);
/// In the last hours, which are those that people look at, it moves in shorter ones.
const LAST_HOURS: i64 = 48;
const LAST_STEP: SignedDuration = SignedDuration::from_mins(15);
/// What comes to a visitor's office in the last hours is left to the visitor.
const LEFT_HOURS: i64 = 30;
/// Things done in one step at most.
const ACTS_MAX: usize = 100_000;

/// What is asked of a world.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) declarations: u64,
    pub(crate) seed: u64,
    /// Declarations a minute.
    pub(crate) pace: u32,
    pub(crate) password: String,
}

/// A world that has come to the present.
pub(crate) struct Present {
    pub(crate) house: Arc<Customhouse>,
    pub(crate) visitors: Visitors,
    world: World,
    actors: Actors,
    natural_per_minute: f64,
}

/// The moment at which a day begins.
fn midnight(day: Date) -> Result<Timestamp, Error> {
    TimeZone::UTC
        .to_timestamp(day.to_datetime(jiff::civil::Time::midnight()))
        .map_err(|error| Error::internal("calendar_ends", &error))
}

/// The day so many days before another.
fn before(day: Date, days: u32) -> Result<Date, Error> {
    day.checked_sub(i64::from(days).days()).map_err(|error| Error::internal("calendar_ends", &error))
}

fn settle(wish: &Wish, today: Date) -> Result<World, Error> {
    let first_day = before(today, DAYS.saturating_sub(1))?;
    World::new(Settings {
        seed: wish.seed,
        declarations: wish.declarations,
        first_day: Some(first_day),
        days: Some(DAYS),
        ring_begins: Some(before(today, RING_DAYS)?),
        ..Settings::default()
    })
    .map_err(|error| country_failed(&error))
}

/// Makes a world in a new sandbox and brings it to the present.
pub(crate) fn begin(path: &Path, wish: &Wish, progress: &dyn Progress) -> Result<Present, Error> {
    refuse_used(path)?;
    let now = Timestamp::now();
    let today = TimeZone::UTC.to_datetime(now).date();
    let world = settle(wish, today)?;
    let cut = before(today, LIVE_DAYS)?;
    let begins = midnight(cut)?
        .checked_add(SignedDuration::from_hours(BEGINS_AT_HOUR))
        .map_err(|error| Error::internal("calendar_ends", &error))?;
    let house = Arc::new(Customhouse::open_sandbox(path, Some(begins))?);
    let operator = Reader::local_operator();
    let mut past = Past::of(&world, cut, wish.declarations, progress)?;
    past.admit(&house, &operator, progress)?;
    register::receive(&house, &world, today, progress)?;
    let visitors = Visitors::choose(&past.recent, wish.password.clone())?;
    visitors.open_accounts(&house)?;
    let approvers = Approvers {
        analyst: Visitors::reader(&house, Role::Analyst)?,
        chief: Visitors::reader(&house, Role::Chief)?,
        admin: Visitors::reader(&house, Role::Admin)?,
    };
    approvers.adopt_usual(&house, &path.join("usual-trade"), progress)?;
    approvers.adopt_standard(&house)?;
    let capacities = capacities(&people::of_offices(&past.recent), u64::from(LIVE_DAYS));
    approvers.adopt_fitted(&house, &capacities, progress)?;
    let left_from = now.checked_sub(SignedDuration::from_hours(LEFT_HOURS)).unwrap_or(now);
    let mut actors = Actors::new(
        Arc::clone(&house),
        visitors.clone(),
        world.officers().cloned(),
        wish.seed,
        Pace::Past { left_from },
    );
    replay(&house, past.recent, &mut actors, now, progress)?;
    house.begin_world(wish.pace)?;
    let minutes = f64::from(DAYS) * 12.0 * 60.0;
    let declarations = f64::from(u32::try_from(wish.declarations).unwrap_or(u32::MAX));
    Ok(Present { house, visitors, world, actors, natural_per_minute: declarations / minutes })
}

/// A demo begins in a folder of its own.
fn refuse_used(path: &Path) -> Result<(), Error> {
    let used = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    if !used {
        return Ok(());
    }
    Err(Error::new(
        Kind::Refused,
        "demo_folder_used",
        format!("the folder {} is not empty", path.display()),
        "Name a new folder. A demo that was made before is served again by `tidewaiter serve --sandbox`.",
    ))
}

/// The last days: the clock moves through them, declarations come in at their times, people do their work.
fn replay(
    house: &Customhouse,
    recent: Vec<DeclaredConsignment>,
    actors: &mut Actors,
    until: Timestamp,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let operator = Reader::local_operator();
    let total = u64::try_from(recent.len()).unwrap_or(u64::MAX);
    let mut lodging = Lodging::new();
    let mut coming = recent.into_iter().peekable();
    let comes_at =
        |consignment: &DeclaredConsignment| TimeZone::UTC.to_timestamp(consignment.accepted_at).ok();
    let mut done = 0_u64;
    let last_from = until.checked_sub(SignedDuration::from_hours(LAST_HOURS)).unwrap_or(until);
    loop {
        progress.report("living_the_last_days", done, total);
        if progress.cancelled() {
            return Err(Error::cancelled());
        }
        let next = [coming.peek().and_then(comes_at), actors.next_at()].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next < until) else { break };
        let from = next.max(house.now());
        let step = if from < last_from { STEP } else { LAST_STEP };
        let to = from.checked_add(step).unwrap_or(until).min(until);
        move_to(house, &operator, to)?;
        while let Some(consignment) = coming.next_if(|own| comes_at(own).is_none_or(|at| at <= to)) {
            lodging.hand_in(house, consignment)?;
        }
        while let Some((consignment, receipt)) = lodging.next() {
            done = done.saturating_add(1);
            actors.notice(consignment, &receipt?)?;
        }
        actors.act(house.now(), ACTS_MAX)?;
    }
    move_to(house, &operator, Timestamp::now())?;
    let _ = house.wait_until_shown(house.journal_position(), Duration::from_secs(60));
    Ok(())
}

fn move_to(house: &Customhouse, operator: &Reader, moment: Timestamp) -> Result<(), Error> {
    let seconds = moment.duration_since(house.now()).as_secs();
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => house.move_clock(operator, seconds).map(|_| ()),
        _ => Ok(()),
    }
}
