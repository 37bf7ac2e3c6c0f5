//! The controller: when it moves, by what, and that it can be computed again from its record.

use jiff::civil::{Date, DateTime};
use selection::{Moved, OfficeStanding, PPM, Plan, Volume, steer};

use crate::support::{FIRST_DAY, OFFICE, World, choose, draws, in_force, plan};

/// An office that has seen so many declarations this morning, `selected` of them inspected.
fn morning(plan: &Plan, seen: u32, selected: u32) -> OfficeStanding {
    let mut office = OfficeStanding::new(plan, OFFICE, FIRST_DAY);
    for number in 0..seen {
        let tags = ["", "new", "cheap", "cheap new", "regular"][number as usize % 5];
        let made = choose(plan, &office, tags, false, draws(999_999));
        office.apply_made(&made, FIRST_DAY.at(9, 0, 0, 0));
    }
    office.selected_today = selected;
    office
}

fn moved(plan: &Plan, office: &mut OfficeStanding, now: DateTime) -> Option<Moved> {
    let moved = steer(in_force(plan), office, now)?;
    office.apply_moved(&moved);
    Some(moved)
}

#[test]
fn it_moves_when_there_is_a_reason_and_says_which() {
    let plan = plan();
    let noon = FIRST_DAY.at(12, 0, 0, 0);
    let mut office = morning(&plan, 100, 10);
    let first = moved(&plan, &mut office, noon).unwrap();
    assert_eq!((first.reason.as_str(), first.scores_seen, first.capacity_left), ("plan", 100, 30));
    assert_eq!(moved(&plan, &mut office, noon), None, "nothing has changed");

    office.arrivals_today += 1;
    assert_eq!(moved(&plan, &mut office, noon), None, "a single declaration is no reason");

    office.selected_today = 40;
    let closed = moved(&plan, &mut office, noon).unwrap();
    assert_eq!((closed.reason.as_str(), closed.capacity_left), ("capacity", 0));
    assert_eq!(office.random_ppm, plan.floor_ppm, "the least chance stays");
    assert!(office.threshold > closed.histogram.last().unwrap().0, "only what is higher than all before");
    assert_eq!(moved(&plan, &mut office, noon), None, "it is closed already");

    let next = moved(&plan, &mut office, FIRST_DAY.tomorrow().unwrap().at(0, 0, 1, 0)).unwrap();
    assert_eq!((next.reason.as_str(), next.capacity_left, next.arrivals_today), ("new_day", 40, 0));
    assert_eq!((office.selected_today, office.arrivals_today), (0, 0));
    assert!(office.threshold < closed.to_threshold);

    let mut more = plan.clone();
    more.capacity_per_day = 80;
    let other = selection::PlanInForce { plan: &more, hash: "another" };
    let changed = steer(other, &office, FIRST_DAY.tomorrow().unwrap().at(8, 0, 0, 0)).unwrap();
    assert_eq!((changed.reason.as_str(), changed.capacity_left), ("plan", 80));
    assert!(changed.to_random_ppm > office.random_ppm && changed.to_threshold <= office.threshold);
}

#[test]
fn the_pace_is_followed_as_the_day_goes() {
    let plan = plan();
    let mut office = morning(&plan, 100, 0);
    moved(&plan, &mut office, FIRST_DAY.at(9, 0, 0, 0)).unwrap();
    let before = (office.threshold, office.random_ppm);
    // Nothing was inspected until the evening: what is left is for few.
    let late = moved(&plan, &mut office, FIRST_DAY.at(20, 0, 0, 0)).unwrap();
    assert_eq!(late.reason, "pace");
    assert!(office.threshold < before.0 && office.random_ppm > before.1, "{late:?}");
}

#[test]
fn a_clock_that_went_back_stays_in_its_day() {
    let plan = plan();
    let mut office = morning(&plan, 100, 10);
    let yesterday = FIRST_DAY.yesterday().unwrap().at(23, 0, 0, 0);
    let first = moved(&plan, &mut office, yesterday).unwrap();
    assert_eq!((first.reason.as_str(), first.day, office.selected_today), ("plan", FIRST_DAY, 10));
    let made = choose(&plan, &office, "", false, draws(0));
    office.apply_made(&made, yesterday);
    assert_eq!((office.day, office.selected_today, office.arrivals_today), (FIRST_DAY, 11, 101));
}

#[test]
fn a_move_can_be_computed_again_from_what_it_recorded() {
    let mut world = World::new(11, 40);
    let mut day = FIRST_DAY;
    let mut seen = 0;
    for _ in 0..6 {
        for moved in world.day(day, 700).1 {
            assert_eq!(moved.aim(&world.plan), (moved.to_threshold, moved.to_random_ppm));
            let kept: Moved = serde_json::from_str(&serde_json::to_string(&moved).unwrap()).unwrap();
            assert_eq!(kept, moved);
            assert!(moved.histogram.len() <= 201);
            assert_eq!(moved.histogram.iter().map(|(_, count)| count).sum::<u32>(), moved.scores_seen);
            assert!(moved.histogram.is_sorted());
            seen += 1;
        }
        day = day.tomorrow().unwrap();
    }
    assert!(seen > 20, "{seen} moves");
}

#[test]
fn an_office_is_rebuilt_from_its_events() {
    let mut world = World::new(5, 25);
    let mut again = OfficeStanding::new(&world.plan, OFFICE, FIRST_DAY);
    for (number, day) in
        [FIRST_DAY, FIRST_DAY.tomorrow().unwrap(), FIRST_DAY.saturating_add(days(9))].into_iter().enumerate()
    {
        for minute in 0..400 {
            let at = day.at(8, 0, 0, 0) + jiff::SignedDuration::from_mins(minute);
            let (lived, moved) = world.live(at);
            if let Some(moved) = moved {
                again.apply_moved(&moved);
            }
            again.apply_made(&lived.made, at);
        }
        assert_eq!(again, world.office, "day {number}");
    }
}

fn days(days: i64) -> jiff::Span {
    jiff::Span::new().days(days)
}

/// With histograms that are written down: capacity left and arrivals expected | threshold and chance.
#[test]
fn the_threshold_is_the_lowest_that_capacity_allows_and_the_random_arm_gets_its_share() {
    let plan = plan();
    let check = |left: u32, expected: u32, hard: u32, threshold: i32, chance: std::ops::Range<u32>| {
        let moved = Moved {
            office: OFFICE.to_owned(),
            day: FIRST_DAY,
            from_threshold: 0,
            to_threshold: 0,
            from_random_ppm: 0,
            to_random_ppm: 0,
            capacity_left: left,
            arrivals_today: 0,
            arrivals_expected: expected,
            scores_seen: 1_000 - hard,
            trusted_seen: 0,
            hard_rules_seen: hard,
            histogram: vec![(-300, 900 - hard), (-200, 50), (-100, 30), (0, 15), (100, 5)],
            reason: "pace".to_owned(),
            plan: "plan-hash".to_owned(),
        };
        let (found, random) = moved.aim(&plan);
        assert_eq!(found, threshold, "{left} of {expected}");
        assert!(chance.contains(&random), "{left} of {expected}: {random}");
    };
    // Ninety of a thousand by score: the hundred at or above -200 are too many, the fifty at or above -100 fit.
    check(100, 1_000, 0, -100, 10_500..10_600);
    check(120, 1_000, 0, -200, 13_300..13_400);
    // Half of all: everything but the lowest bin; ten in a hundred by chance from the rest.
    check(500, 1_000, 0, -200, 55_500..55_600);
    // More inspections than declarations: all of them.
    check(2_000, 1_000, 0, -Plan::SCORE_MAX, PPM - 1..PPM);
    // None left: only what is higher than all before, and the least chance.
    check(0, 1_000, 0, 105, 1_000..1_001);
    // A hundred by hard rule use all but the random share.
    check(110, 1_000, 100, 105, 12_200..12_300);
}

#[test]
fn a_usual_day_is_learned_by_weekday_and_hour() {
    let mut world = World::new(8, 40);
    let mut day = FIRST_DAY;
    for _ in 0..21 {
        let weekend = day.weekday().to_monday_zero_offset() >= 5;
        world.day(day, if weekend { 100 } else { 600 });
        day = day.tomorrow().unwrap();
    }
    let volume = |day: Date, hour: i8, came: u32| {
        world_volume(&world, day).expected_left(day.at(hour, 0, 0, 0), came, 1)
    };
    let monday = day;
    assert!((500..700).contains(&volume(monday, 0, 0)), "{}", volume(monday, 0, 0));
    let saturday = monday.saturating_add(days(5));
    assert!((70..130).contains(&volume(saturday, 0, 0)), "{}", volume(saturday, 0, 0));
    // Half of the day is over at half past twelve; nothing comes after the last hour.
    assert!((230..370).contains(&volume(monday, 12, 300)), "{}", volume(monday, 12, 300));
    assert!(volume(monday, 23, 600) < 10, "{}", volume(monday, 23, 600));
    // Twice as many as usual this morning: twice as many are expected, or nearly.
    assert!((400..600).contains(&volume(monday, 12, 600)), "{}", volume(monday, 12, 600));
    assert_eq!(Volume::default().expected_left(monday.at(0, 0, 0, 0), 0, 800), 800);
}

/// What the office knows at the beginning of `day`.
fn world_volume(world: &World, day: Date) -> Volume {
    let mut office = world.office.clone();
    let moved = steer(in_force(&world.plan), &office, day.at(0, 0, 0, 0)).unwrap();
    office.apply_moved(&moved);
    office.volume
}
