//! Days of an office from a seed: capacity, the random arm, and what its sample says of all.

use jiff::civil::Date;
use selection::{Arm, PPM};

use crate::support::{FIRST_DAY, Lived, World};

/// Declarations of a day: a week has a rhythm, there is growth, a day of twice as many and one of half.
fn arrivals(number: u32, day: Date, usual: u32) -> u32 {
    let weekday = day.weekday().to_monday_zero_offset();
    let rhythm = [110, 100, 95, 105, 90, 30, 15][weekday as usize];
    let shock = match number {
        17 => 200,
        23 => 50,
        _ => 100,
    };
    u32::try_from(u64::from(usual * rhythm) * shock * u64::from(100 + number) / 1_000_000).unwrap()
}

/// A day: what was inspected, by which arm, and in which quarter of its arrivals.
struct Day {
    number: u32,
    arrivals: usize,
    inspected: usize,
    random: usize,
    quarters: [usize; 4],
}

fn days(seed: u64, capacity: u32, usual: u32) -> Vec<Day> {
    let mut world = World::new(seed, capacity);
    let mut day = FIRST_DAY;
    let mut days = Vec::new();
    for number in 0..35 {
        let (lived, _) = world.day(day, arrivals(number, day, usual));
        let mut quarters = [0; 4];
        for (place, own) in lived.iter().enumerate() {
            quarters[4 * place / lived.len()] += usize::from(own.made.lane.is_inspection());
        }
        days.push(Day {
            number,
            arrivals: lived.len(),
            inspected: quarters.iter().sum(),
            random: lived.iter().filter(|own| own.made.arm == Arm::Random).count(),
            quarters,
        });
        day = day.tomorrow().unwrap();
    }
    days
}

/// Offices: inspections a day, declarations of a usual day.
const OFFICES: [(u32, u32); 4] = [(40, 800), (10, 150), (200, 2_500), (60, 300)];

/// The bands that docs/selection.md states.
#[test]
fn inspections_fill_the_capacity_evenly_and_the_random_arm_keeps_its_share() {
    for (capacity, usual) in OFFICES {
        let (mut inspected, mut random, mut quarters) = (0, 0, [0; 4]);
        let (mut least, mut most) = (100.0_f64, 100.0_f64);
        for seed in 0..3 {
            for day in days(seed, capacity, usual) {
                let possible = day.arrivals.min(capacity as usize) as f64;
                let place = format!(
                    "capacity {capacity}, seed {seed}, day {}: {} of {possible}",
                    day.number, day.inspected
                );
                let fair = possible * if day.number < 7 { 0.45 } else { 0.82 } - 2.0;
                assert!(day.inspected as f64 >= fair, "{place}");
                assert!(day.inspected as f64 <= capacity as f64 * 1.05 + 2.0, "{place}");
                if day.number >= 7 {
                    let percent = 100.0 * day.inspected as f64 / possible;
                    (least, most) = (least.min(percent), most.max(percent));
                    for (sum, own) in quarters.iter_mut().zip(day.quarters) {
                        *sum += own;
                    }
                }
                inspected += day.inspected;
                random += day.random;
            }
        }
        let share = 100.0 * random as f64 / inspected as f64;
        let all: usize = quarters.iter().sum();
        let quarters = quarters.map(|own| 100 * own / all);
        println!(
            "capacity {capacity}: from the second week {least:.0} to {most:.0} % of capacity, random arm {share:.1} %, \
             by quarter of the day {quarters:?} %"
        );
        assert!((8.0..12.0).contains(&share), "random share {share}");
        assert!(quarters.iter().all(|own| (15..=40).contains(own)), "{quarters:?}");
    }
}

/// The sample that the draw makes stands for all; what was chosen by score does not.
#[test]
fn weighted_by_chance_the_random_sample_tells_the_rate_of_all() {
    let (mut differences, mut truths, mut by_score) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 100..150 {
        let mut world = World::new(seed, 40);
        let mut day = FIRST_DAY;
        let mut all = Vec::new();
        for _ in 0..10 {
            all.extend(world.day(day, 400).0);
            day = day.tomorrow().unwrap();
        }
        let truth = all.iter().filter(|own| own.irregular).count() as f64 / all.len() as f64;
        let estimate: f64 = all
            .iter()
            .filter(|own| own.made.is_in_random_sample() && own.irregular)
            .map(|own| f64::from(PPM) / f64::from(own.made.random_ppm))
            .sum::<f64>()
            / all.len() as f64;
        let score: Vec<&Lived> = all.iter().filter(|own| own.made.arm == Arm::Score).collect();
        by_score.push(score.iter().filter(|own| own.irregular).count() as f64 / score.len() as f64);
        differences.push(estimate - truth);
        truths.push(truth);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let bias = mean(&differences);
    let variance = differences.iter().map(|own| (own - bias).powi(2)).sum::<f64>() / 49.0;
    let error = (variance / 50.0).sqrt();
    println!(
        "rate of all {:.4}, bias of the weighted sample {bias:.4} ± {error:.4}, rate of the score arm {:.4}",
        mean(&truths),
        mean(&by_score)
    );
    assert!(bias.abs() < 3.0 * error, "bias {bias}, standard error {error}");
    assert!(error < mean(&truths) / 5.0, "the test can tell: {error}");
    assert!(mean(&by_score) > 1.5 * mean(&truths), "what the score chose is no sample");
}
