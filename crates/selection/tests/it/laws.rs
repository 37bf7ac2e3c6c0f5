//! Laws that hold for any plan, office and declaration.

use proptest::prelude::*;
use selection::{Arm, Draws, Made, OfficeStanding, PPM, Plan};

use crate::support::{FIRST_DAY, OFFICE, choose, plan};

fn any_plan() -> impl Strategy<Value = Plan> {
    let weights = prop::collection::btree_map("[a-e]", -1_000_i32..=1_000, 0..5);
    (weights, -1_000_i32..=1_000, 1_u32..PPM, -1_000_i32..=0, 0..=PPM, 0..=PPM).prop_map(
        |(weights, base_points, floor_ppm, points, factor_ppm, physical_share_ppm)| {
            let mut plan = plan();
            plan.weights = weights;
            plan.base_points = base_points;
            plan.floor_ppm = floor_ppm;
            plan.trusted.points = points;
            plan.trusted.factor_ppm = factor_ppm;
            plan.physical_share_ppm = physical_share_ppm;
            plan
        },
    )
}

fn any_office() -> impl Strategy<Value = OfficeStanding> {
    (-3_000_i32..3_000, 0..=PPM, 0_u32..100).prop_map(|(threshold, random_ppm, selected_today)| {
        let plan = plan();
        OfficeStanding {
            threshold,
            random_ppm,
            selected_today,
            ..OfficeStanding::new(&plan, OFFICE, FIRST_DAY)
        }
    })
}

fn any_draws() -> impl Strategy<Value = Draws> {
    (0..PPM, 0..PPM, 0..PPM).prop_map(|(selection_ppm, physical_ppm, audit_ppm)| Draws {
        selection_ppm,
        physical_ppm,
        audit_ppm,
    })
}

const TAGS: &str = "(([a-e]|heavy|arms|timber) ){0,6}";

/// Selected is inspected: lane, arm and probability say one thing.
fn agrees(made: &Made) -> Result<(), TestCaseError> {
    prop_assert_eq!(made.lane.is_inspection(), made.arm != Arm::None);
    prop_assert_eq!(made.probability_ppm == PPM, matches!(made.arm, Arm::HardRule | Arm::Score));
    prop_assert_eq!(made.hard_rules.is_empty(), made.arm != Arm::HardRule);
    if made.arm == Arm::None || made.arm == Arm::Random {
        prop_assert_eq!(made.arm == Arm::Random, made.is_in_random_sample());
        prop_assert_eq!(made.probability_ppm, made.random_ppm);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nobody_is_beyond_chance_and_nobody_below_the_threshold_is_certain(
        plan in any_plan(), office in any_office(), tags in TAGS, trusted: bool, draws in any_draws(),
    ) {
        let made = choose(&plan, &office, &tags, trusted, draws);
        agrees(&made)?;
        prop_assert!(made.random_ppm >= plan.floor_ppm && made.random_ppm > 0 && made.random_ppm < PPM);
        prop_assert!(made.probability_ppm >= made.random_ppm);
    }

    #[test]
    fn a_higher_score_never_lowers_the_chance(
        plan in any_plan(), office in any_office(), tags in TAGS, trusted: bool, draws in any_draws(), more in 0_i32..2_000,
    ) {
        let before = choose(&plan, &office, &tags, trusted, draws);
        let mut raised = plan.clone();
        raised.weights.insert("more".to_owned(), more);
        let after = choose(&raised, &office, &format!("{tags} more"), trusted, draws);
        prop_assert!(after.score >= before.score);
        prop_assert!(after.probability_ppm >= before.probability_ppm);
        prop_assert!(after.lane.is_inspection() || !before.lane.is_inspection());
    }

    #[test]
    fn trust_lowers_score_and_chance_and_never_touches_a_hard_rule(
        plan in any_plan(), office in any_office(), tags in TAGS, draws in any_draws(),
    ) {
        let stranger = choose(&plan, &office, &tags, false, draws);
        let trusted = choose(&plan, &office, &tags, true, draws);
        prop_assert!(trusted.score <= stranger.score);
        prop_assert!(trusted.random_ppm <= stranger.random_ppm);
        prop_assert!(trusted.probability_ppm <= stranger.probability_ppm);
        prop_assert_eq!(trusted.arm == Arm::HardRule, stranger.arm == Arm::HardRule);
        if stranger.arm == Arm::HardRule {
            prop_assert_eq!(trusted.lane, stranger.lane);
        }
    }

    #[test]
    fn order_and_repetition_of_tags_do_not_matter(
        plan in any_plan(), office in any_office(), tags in TAGS, trusted: bool, draws in any_draws(),
    ) {
        let mut turned: Vec<&str> = tags.split_whitespace().rev().collect();
        turned.extend(tags.split_whitespace());
        let one = choose(&plan, &office, &tags, trusted, draws);
        prop_assert_eq!(choose(&plan, &office, &turned.join(" "), trusted, draws), one);
    }

    #[test]
    fn a_choice_re_derives_from_its_record(
        plan in any_plan(), office in any_office(), tags in TAGS, trusted: bool, draws in any_draws(),
    ) {
        let made = choose(&plan, &office, &tags, trusted, draws);
        let kept: Made = serde_json::from_str(&serde_json::to_string(&made).unwrap()).unwrap();
        let standing = OfficeStanding { threshold: kept.threshold, ..office.clone() };
        prop_assert_eq!(choose(&plan, &standing, &tags, trusted, kept.draws), kept);
    }

    #[test]
    fn a_plan_of_any_numbers_is_kept_and_read_again(plan in any_plan()) {
        prop_assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan);
    }
}
