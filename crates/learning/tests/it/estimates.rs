//! Estimates from recorded probabilities: their intervals cover the truth, and they are refused when they must be.

use learning::document::Estimate;
use learning::estimate_rate;

use crate::world::Dice;

/// A selection whose inspections were drawn with recorded probabilities; its true number of finds, and the estimate.
fn simulated(
    seed: u64,
    units: u64,
    probability: impl Fn(&mut Dice) -> f64,
    rate: f64,
    drift: f64,
) -> (f64, Estimate) {
    let mut dice = Dice::new(seed);
    let (mut truth, mut draws) = (0.0, Vec::new());
    for _ in 0..units {
        let p = probability(&mut dice);
        // Irregularities are more frequent where inspections are: the raw rate of the inspected is biased.
        let find = dice.yes(rate * (1.0 + drift * p));
        truth += f64::from(u8::from(find));
        if dice.yes(p) {
            draws.push((p, find));
        }
    }
    (truth, estimate_rate(&draws, units))
}

#[test]
fn intervals_cover_the_simulated_truth() {
    let mixed = |dice: &mut Dice| if dice.yes(0.3) { 1.0 } else { 0.1 };
    let graded = |dice: &mut Dice| 0.05 + 0.6 * dice.share();
    type Probability<'a> = &'a dyn Fn(&mut Dice) -> f64;
    let cases: [(&str, Probability<'_>, f64, f64); 4] = [
        ("rules for certain and a tenth by lot", &mixed, 0.05, 3.0),
        ("the same, finds rare", &mixed, 0.01, 0.0),
        ("graded probabilities", &graded, 0.1, 2.0),
        ("one probability for all", &|_| 0.2, 0.15, 0.0),
    ];
    for (name, probability, rate, drift) in cases {
        let (mut given, mut covered) = (0, 0);
        for seed in 0..300 {
            let (truth, estimate) = simulated(seed, 900, probability, rate, drift);
            let Estimate::Given { finds_interval, .. } = estimate else { continue };
            given += 1;
            covered += u32::from((finds_interval.low..=finds_interval.high).contains(&truth));
        }
        assert!(given >= 280, "{name}: given {given} of 300 times");
        assert!(covered * 10 >= given * 9, "{name}: covered {covered} of {given}");
    }
}

#[test]
fn the_estimate_mends_the_bias_of_the_inspected() {
    let mixed = |dice: &mut Dice| if dice.yes(0.3) { 1.0 } else { 0.1 };
    let (truth, estimate) = simulated(9, 20_000, mixed, 0.05, 3.0);
    let Estimate::Given { finds, horvitz_thompson_finds, .. } = estimate else { panic!("{estimate:?}") };
    assert!((finds / truth - 1.0).abs() < 0.1, "{finds} of {truth}");
    assert!((horvitz_thompson_finds / truth - 1.0).abs() < 0.1, "{horvitz_thompson_finds} of {truth}");
}

#[test]
fn what_was_inspected_for_certain_leaves_nothing_to_chance() {
    let draws: Vec<(f64, bool)> = (0..100).map(|at| (1.0, at < 7)).collect();
    let Estimate::Given { finds, finds_interval, .. } = estimate_rate(&draws, 100) else { panic!() };
    assert_eq!((finds, finds_interval.low, finds_interval.high), (7.0, 7.0, 7.0));
}

#[test]
fn an_estimate_is_refused_with_its_reason() {
    let draws = |n: usize, p: f64| -> Vec<(f64, bool)> { (0..n).map(|at| (p, at % 5 == 0)).collect() };
    for (draws, selected, expected) in [
        (draws(12, 0.5), 24, "too_few_inspected"),
        // Half of the selection could never be inspected.
        (draws(200, 0.5), 800, "overlap_insufficient"),
        // Four times as many inspections as the probabilities explain.
        (draws(400, 0.1), 1_000, "probabilities_inconsistent"),
    ] {
        assert_eq!(estimate_rate(&draws, selected), Estimate::Refused { reason: expected.to_owned() });
    }
}
