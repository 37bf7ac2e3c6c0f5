//! Weights of tags: planted ones are found, where there are none nothing is claimed, and the same rows give the same.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use learning::statistics::random::uniform;
use learning::{TagRow, WeightOptions, fit_tag_weights};

/// Declarations over 300 days with eight tags, each on a quarter of them; `logit` says how likely one is irregular.
fn rows(number: u64, seed: u64, logit: impl Fn(&[u32]) -> f64) -> Vec<TagRow> {
    (0..number)
        .map(|at| {
            let tags: Vec<u32> = (0..8).filter(|tag| uniform(seed, u64::from(*tag), at) < 0.25).collect();
            let chance = 1.0 / (1.0 + (-logit(&tags)).exp());
            let day: Date =
                date(2025, 1, 1).checked_add(i64::try_from(at * 300 / number).unwrap().days()).unwrap();
            TagRow { day, irregular: uniform(seed, 100, at) < chance, tags, probability: None }
        })
        .collect()
}

#[test]
fn planted_weights_are_found_and_do_well_on_later_declarations() {
    let all = rows(20_000, 1, |tags| {
        let own = |tag: u32, weight: f64| if tags.contains(&tag) { weight } else { 0.0 };
        -3.0 + own(0, 2.0) + own(1, 1.0) + own(2, 0.5)
    });
    let fitted = fit_tag_weights(&all, 8, &WeightOptions::default());
    for (tag, planted) in [(0, 200), (1, 100), (2, 50), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0)] {
        let found = fitted.points[tag];
        assert!((found - planted).abs() <= 30, "tag {tag}: {found} for {planted}");
        assert!(found >= 0);
    }
    assert!((fitted.base_points + 300).abs() <= 30, "{}", fitted.base_points);
    let tried = &fitted.tried;
    assert!(tried.auc.unwrap() > 0.65 && tried.auc_interval.as_ref().unwrap().low > 0.6, "{tried:?}");
    assert!(tried.precision_of_best_tenth.unwrap() > 2.0 * tried.precision_of_chance.unwrap(), "{tried:?}");
    assert!((0.2..0.6).contains(&tried.recall_of_best_tenth.unwrap()), "{tried:?}");
    assert!((5_900..=6_100).contains(&tried.later_declarations), "{tried:?}");
    assert_eq!(fit_tag_weights(&all, 8, &WeightOptions::default()), fitted);
}

#[test]
fn where_tags_tell_nothing_they_get_next_to_nothing_and_no_gain_is_claimed() {
    for seed in 10..14 {
        let all = rows(8_000, seed, |_| -2.0);
        let fitted = fit_tag_weights(&all, 8, &WeightOptions::default());
        assert!(fitted.points.iter().all(|points| (0..=35).contains(points)), "{:?}", fitted.points);
        assert!(fitted.tried.recall_of_best_tenth.unwrap() < 0.16, "{:?}", fitted.tried);
        let interval = fitted.tried.auc_interval.unwrap();
        assert!(interval.low < 0.53 && interval.high > 0.47, "{interval:?}");
    }
}

#[test]
fn seldom_chosen_declarations_stand_for_many_and_rare_tags_have_no_weight() {
    // Irregular are chosen ten times as often: the base rate is that of the population, not of the inspected ones.
    let all: Vec<TagRow> = rows(40_000, 7, |_| -3.0)
        .into_iter()
        .zip(0_u64..)
        .filter_map(|(row, at)| {
            let chance = if row.irregular { 1.0 } else { 0.2 };
            (uniform(7, 200, at) < chance).then_some(TagRow { probability: Some(chance), ..row })
        })
        .collect();
    let fitted = fit_tag_weights(&all, 9, &WeightOptions::default());
    assert!((fitted.base_points + 300).abs() <= 25, "{}", fitted.base_points);
    assert_eq!(fitted.points[8], 0, "nobody carries it");
    let nobody = fit_tag_weights(&[], 3, &WeightOptions::default());
    assert_eq!((nobody.points, nobody.tried.auc), (vec![0; 3], None));
}
