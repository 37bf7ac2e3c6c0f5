//! The statistics against published values and against what they promise.

use learning::document::Prior;
use learning::statistics::hypergeometric::{self, Stratum};
use learning::statistics::interval::{beta_quantile, wilson};
use learning::statistics::multiple::{benjamini_hochberg, control};
use learning::statistics::number::rounded;
use learning::statistics::ranking::{Ranking, best};
use learning::statistics::{beta_binomial, random};
use proptest::prelude::*;

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected}");
}

#[test]
fn wilson_intervals_are_those_of_the_textbook() {
    // Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    for (hits, n, low, high) in [
        (81.0, 263.0, 0.2553, 0.3662),
        (15.0, 148.0, 0.0624, 0.1605),
        (0.0, 20.0, 0.0, 0.1611),
        (1.0, 29.0, 0.0061, 0.1718),
    ] {
        let interval = wilson(hits, n);
        close(interval.low, low, 5e-5);
        close(interval.high, high, 5e-5);
    }
    assert_eq!((wilson(0.0, 0.0).low, wilson(0.0, 0.0).high), (0.0, 1.0));
}

#[test]
fn beta_quantiles_of_closed_forms() {
    close(beta_quantile(1.0, 1.0, 0.3), 0.3, 1e-9);
    // Beta(a, 1): x^a. Beta(1, b): 1 - (1 - x)^b.
    close(beta_quantile(4.0, 1.0, 0.1), 0.1_f64.powf(0.25), 1e-9);
    close(beta_quantile(1.0, 200.0, 0.975), 1.0 - 0.025_f64.powf(1.0 / 200.0), 1e-9);
}

#[test]
fn benjamini_and_hochbergs_own_example() {
    // Benjamini and Hochberg (1995), section 4.1: 15 p-values, of which four are rejected at 0.05.
    let p_values = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0000,
    ];
    let adjusted = benjamini_hochberg(&p_values);
    assert_eq!(adjusted.iter().filter(|p| **p <= 0.05).count(), 4);
    close(adjusted[0], 0.0015, 1e-12);
    close(adjusted[3], 0.0095 * 15.0 / 4.0, 1e-12);
}

#[test]
fn a_family_with_nothing_in_it_costs_the_others_and_is_itself_silent() {
    let found = control(&[vec![1e-6, 0.5], vec![0.04, 0.9], vec![]], 0.05);
    assert_eq!((found.families, found.selected), (2, 1));
    // 0.04 alone would do within its family at 0.05 with one test, not after selection.
    assert!(found.adjusted[0][0] <= 0.05 && found.adjusted[1][0] > 0.05);
}

#[test]
fn fishers_tea_and_strata() {
    // Fisher's tea: 8 cups, 4 with milk first, all 4 told right: 1 in 70.
    let tea = hypergeometric::test([Stratum { total: 8, hits: 4, drawn: 4 }], 4);
    close(tea.at_least, 1.0 / 70.0, 1e-12);
    close(tea.expected, 2.0, 1e-12);
    // Two strata: the sum of two independent draws, by hand.
    let strata = [Stratum { total: 4, hits: 2, drawn: 2 }, Stratum { total: 3, hits: 1, drawn: 1 }];
    close(hypergeometric::test(strata, 3).at_least, (1.0 / 6.0) * (1.0 / 3.0), 1e-12);
    close(hypergeometric::test(strata, 0).at_most, (1.0 / 6.0) * (2.0 / 3.0), 1e-12);
    // A large one against R: phyper(1200, 20000, 80000, 5500, lower.tail = FALSE) counts 1201 and more.
    let large = Stratum { total: 100_000, hits: 20_000, drawn: 5_500 };
    let test = hypergeometric::test([large], 1_100);
    close(test.at_least + test.at_most, 1.0 + probability_at(large, 1_100), 1e-9);
}

/// The probability of one value, from the two tails around it.
fn probability_at(stratum: Stratum, value: u64) -> f64 {
    let below = hypergeometric::test([stratum], value - 1).at_most;
    hypergeometric::test([stratum], value).at_most - below
}

/// Rates drawn from a known beta distribution by inverting its distribution function.
fn drawn(prior: Prior, values: u64, inspections: u64, seed: u64) -> Vec<(u64, u64)> {
    (0..values)
        .map(|value| {
            let (alpha, beta) = (prior.mean * prior.strength, (1.0 - prior.mean) * prior.strength);
            let rate = beta_quantile(alpha, beta, random::uniform(seed, 1, value));
            let hit = |at: u64| random::uniform(seed, 2, value * 10_000 + at) < rate;
            (u64::try_from((0..inspections).filter(|at| hit(*at)).count()).unwrap(), inspections)
        })
        .collect()
}

#[test]
fn a_beta_distribution_of_rates_is_recovered() {
    for (mean, strength, inspections) in [(0.2, 10.0, 50), (0.05, 40.0, 80), (0.5, 3.0, 30)] {
        let fitted = beta_binomial::fit(drawn(Prior { mean, strength }, 600, inspections, 4));
        close(fitted.mean, mean, 0.1 * mean + 0.01);
        assert!((0.6..1.6).contains(&(fitted.strength / strength)), "{fitted:?} for {mean} {strength}");
    }
}

#[test]
fn values_that_are_alike_are_drawn_all_the_way_to_their_mean() {
    let fitted = beta_binomial::fit(drawn(Prior { mean: 0.2, strength: 1e6 }, 300, 40, 5));
    assert!(fitted.strength > 150.0, "{fitted:?}");
    close(fitted.shrink(8, 10), 0.2, 0.07);
}

#[test]
fn estimates_of_many_small_values_are_better_shrunk_than_raw() {
    let prior = Prior { mean: 0.1, strength: 20.0 };
    let samples = drawn(prior, 400, 15, 6);
    let fitted = beta_binomial::fit(samples.iter().copied());
    let truth = |value: usize| beta_quantile(2.0, 18.0, random::uniform(6, 1, value as u64));
    let error = |estimate: &dyn Fn(u64, u64) -> f64| -> f64 {
        samples.iter().enumerate().map(|(at, (k, n))| (estimate(*k, *n) - truth(at)).powi(2)).sum()
    };
    assert!(error(&|k, n| fitted.shrink(k, n)) < 0.6 * error(&|k, n| k as f64 / n as f64));
    let covered = samples
        .iter()
        .enumerate()
        .filter(|(at, (k, n))| {
            let interval = fitted.interval(*k, *n);
            (interval.low..=interval.high).contains(&truth(*at))
        })
        .count();
    assert!(covered * 10 >= samples.len() * 9, "{covered} of {}", samples.len());
}

#[test]
fn areas_under_curves_known_by_hand() {
    let auc = |scores: &[f64], finds: &[bool]| Ranking::new(scores, finds).auc().map(|(auc, _)| auc);
    assert_eq!(auc(&[3.0, 2.0, 1.0], &[true, false, false]), Some(1.0));
    assert_eq!(auc(&[1.0, 1.0, 1.0, 1.0], &[true, false, false, true]), Some(0.5));
    // Of the four pairs of a find and a regular one, three are in order.
    assert_eq!(auc(&[4.0, 3.0, 2.0, 1.0], &[true, false, true, false]), Some(0.75));
    assert_eq!(auc(&[1.0, 2.0], &[true, true]), None);
    close(
        Ranking::new(&[4.0, 3.0, 2.0, 1.0], &[true, false, true, false]).average_precision(),
        5.0 / 6.0,
        1e-12,
    );
    // Within a tie every order is as likely: one find among two is worth (1 + 1/2) / 2 on average.
    close(Ranking::new(&[1.0, 1.0], &[true, false]).average_precision(), 0.75, 1e-12);
}

#[test]
fn the_interval_of_an_area_covers_it() {
    // Normal scores one deviation apart: the true area is Phi(1 / sqrt 2) = 0.7602.
    let normal = |seed: u64, at: u64| {
        let sum: f64 = (0..12).map(|part| random::uniform(seed, part, at)).sum();
        sum - 6.0
    };
    let covered = (0..200_u64)
        .filter(|seed| {
            let finds: Vec<bool> = (0..150).map(|at| at % 3 == 0).collect();
            let scores: Vec<f64> =
                (0..150_u64).map(|at| normal(*seed, at) + f64::from(u8::from(at % 3 == 0))).collect();
            let (_, interval) = Ranking::new(&scores, &finds).auc().unwrap();
            (interval.low..=interval.high).contains(&0.7602)
        })
        .count();
    assert!((180..=199).contains(&covered), "{covered} of 200 at 95 %");
}

#[test]
fn figures_are_rounded_and_finite() {
    for (figure, expected) in [
        (0.123_456_789, 0.123_457),
        (1_234_567.0, 1_234_570.0),
        (0.0, 0.0),
        (f64::NAN, 0.0),
        (f64::INFINITY, 0.0),
    ] {
        assert_eq!(rounded(figure).to_bits(), f64::to_bits(expected));
    }
}

proptest! {
    #[test]
    fn tails_of_any_strata_meet_at_the_observed_number(
        strata in prop::collection::vec((1_u64..60, 0_u64..60, 0_u64..60), 1..4), observed in 0_u64..40,
    ) {
        let strata: Vec<Stratum> = strata
            .into_iter()
            .map(|(total, hits, drawn)| Stratum { total, hits: hits.min(total), drawn: drawn.min(total) })
            .collect();
        let test = hypergeometric::test(strata.iter().copied(), observed);
        prop_assert!(test.at_least <= 1.0 && test.at_most <= 1.0);
        prop_assert!(test.at_least + test.at_most >= 1.0 - 1e-9);
        let more = hypergeometric::test(strata, observed + 1);
        prop_assert!(more.at_least <= test.at_least + 1e-12);
        prop_assert!((test.at_most + more.at_least - 1.0).abs() < 1e-9);
    }

    #[test]
    fn adjusting_keeps_the_order_and_never_helps(p_values in prop::collection::vec(0.0_f64..=1.0, 1..30)) {
        let adjusted = benjamini_hochberg(&p_values);
        for (p, own) in p_values.iter().zip(&adjusted) {
            prop_assert!(own >= p && *own <= 1.0);
            for (other, theirs) in p_values.iter().zip(&adjusted) {
                prop_assert!(p > other || own <= theirs);
            }
        }
    }

    #[test]
    fn the_best_are_the_best(scores in prop::collection::vec(-5_i8..5, 1..60), capacity in 0_usize..70) {
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        let chosen = best(&scores, capacity, |at| at as u64);
        prop_assert_eq!(chosen.len(), capacity.min(scores.len()));
        let worst = chosen.iter().map(|at| scores[*at]).fold(f64::INFINITY, f64::min);
        let left = (0..scores.len()).filter(|at| !chosen.contains(at)).map(|at| scores[at]);
        prop_assert!(left.fold(f64::NEG_INFINITY, f64::max) <= worst || chosen.is_empty());
    }

    #[test]
    fn an_area_does_not_depend_on_scale(scores in prop::collection::vec(-9_i8..9, 4..40), finds in prop::collection::vec(any::<bool>(), 40)) {
        let finds = &finds[..scores.len()];
        let plain: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
        let curved: Vec<f64> = plain.iter().map(|score| (score / 3.0).exp()).collect();
        let (a, b) = (Ranking::new(&plain, finds), Ranking::new(&curved, finds));
        prop_assert_eq!(a.auc().map(|own| own.0), b.auc().map(|own| own.0));
        let by_pairs = pairs_in_order(&plain, finds);
        prop_assert!(a.auc().is_none_or(|(auc, _)| (auc - by_pairs).abs() < 1e-9));
    }
}

fn pairs_in_order(scores: &[f64], finds: &[bool]) -> f64 {
    let (mut pairs, mut ordered) = (0.0, 0.0);
    for (find, _) in scores.iter().zip(finds).filter(|(_, find)| **find) {
        for (regular, _) in scores.iter().zip(finds).filter(|(_, find)| !**find) {
            pairs += 1.0;
            ordered += if find > regular {
                1.0
            } else if find < regular {
                0.0
            } else {
                0.5
            };
        }
    }
    if pairs > 0.0 { ordered / pairs } else { 0.5 }
}
