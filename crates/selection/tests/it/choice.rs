//! The choice of one lane.

use selection::{Arm, Draws, OfficeStanding, Plan, Reason};
use spine::noun::Lane;

use crate::support::{FIRST_DAY, choose, draws, office, plan};

/// Threshold and chance of the office | tags | trusted | draw of selection | lane, arm, score, probability, stratum.
const CASES: &str = "
    -180 50000 | | no | 999999 | green none -300 50000 standard
    -180 50000 | | no | 50000 | green none -300 50000 standard
    -180 50000 | | no | 49999 | yellow random -300 50000 standard
    -180 50000 | cheap | no | 999999 | yellow score -180 1000000 standard
    -179 50000 | cheap | no | 999999 | green none -180 50000 standard
    -180 50000 | cheap cheap cheap | no | 999999 | yellow score -180 1000000 standard
    -180 50000 | new cheap | no | 999999 | yellow score -140 1000000 standard
    -180 50000 | regular | no | 999999 | green none -330 50000 standard
    -180 50000 | unheard-of | no | 999999 | green none -300 50000 standard
    -180 50000 | cheap | yes | 999999 | green none -230 25000 trusted
    -180 50000 | cheap | yes | 24999 | yellow random -230 25000 trusted
    -180 50000 | cheap new | yes | 999999 | green none -190 25000 trusted
    -180 1000 | | yes | 999 | yellow random -350 1000 trusted
    -180 0 | | no | 999 | yellow random -300 1000 standard
    -180 1000000 | | no | 999999 | green none -300 999999 standard
    -180 50000 | arms | no | 999999 | hold hard_rule -300 1000000 hard_rule
    -180 50000 | timber | no | 999999 | red hard_rule -300 1000000 hard_rule
    -180 50000 | timber arms | no | 999999 | hold hard_rule -300 1000000 hard_rule
    -180 50000 | arms | yes | 999999 | hold hard_rule -350 1000000 hard_rule
    -180 50000 | arms cheap | no | 0 | hold hard_rule -180 1000000 hard_rule
    -180 50000 | heavy | no | 0 | red random -300 50000 standard
    -180 50000 | heavy | no | 999999 | green none -300 50000 standard
    -180 50000 | heavy cheap | no | 999999 | red score -180 1000000 standard
";

#[test]
fn every_case_comes_out_as_written() {
    let plan = plan();
    for line in CASES.lines().filter(|line| line.contains('|')) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let (threshold, chance) = parts[0].split_once(' ').unwrap();
        let office = office(&plan, threshold.parse().unwrap(), chance.parse().unwrap());
        let made = choose(&plan, &office, parts[1], parts[2] == "yes", draws(parts[3].parse().unwrap()));
        let told = format!(
            "{} {} {} {} {}",
            made.lane.name(),
            made.arm.name(),
            made.score,
            made.probability_ppm,
            made.stratum
        );
        assert_eq!(told, parts[4], "{line}");
        assert_eq!(made.threshold, office.threshold, "{line}");
    }
}

#[test]
fn the_second_draw_chooses_between_papers_and_goods_and_the_third_an_audit() {
    let plan = plan();
    let office = office(&plan, -180, 50_000);
    let lane = |tags: &str, selection_ppm, physical_ppm, audit_ppm| {
        let draws = Draws { selection_ppm, physical_ppm, audit_ppm };
        choose(&plan, &office, tags, false, draws).lane
    };
    assert_eq!(lane("cheap", 999_999, 299_999, 0), Lane::Red);
    assert_eq!(lane("cheap", 999_999, 300_000, 0), Lane::Yellow);
    assert_eq!(lane("", 0, 299_999, 0), Lane::Red);
    assert_eq!(lane("", 999_999, 0, 19_999), Lane::Blue);
    assert_eq!(lane("", 999_999, 0, 20_000), Lane::Green);
    assert_eq!(lane("arms", 0, 0, 0), Lane::Hold);
}

#[test]
fn a_choice_says_what_it_rests_on() {
    let plan = plan();
    let mut office = office(&plan, -180, 50_000);
    office.selected_today = 15;
    let made = choose(&plan, &office, "new timber regular cheap arms odd", true, draws(7));
    let reason = |tag: &str, points| Reason { tag: tag.to_owned(), points };
    assert_eq!(made.reasons, [reason("cheap", 120), reason("new", 40), reason("regular", -30)]);
    assert_eq!(made.hard_rules, ["arms", "timber"]);
    let sum: i32 = made.reasons.iter().map(|own| own.points).sum();
    assert_eq!(made.score, made.base_points + sum + made.trusted_points);
    assert_eq!((made.capacity_left, made.plan.as_str(), made.draws), (25, "plan-hash", draws(7)));
    assert!(made.is_in_random_sample(), "a hard rule took it, and the draw would have too");
    assert!(!choose(&plan, &office, "cheap", false, draws(50_000)).is_in_random_sample());
}

#[test]
fn an_office_has_its_own_capacity() {
    let plan = plan();
    let antwerp = OfficeStanding::new(&plan, "BEANR01", FIRST_DAY);
    assert_eq!(choose(&plan, &antwerp, "", false, draws(0)).capacity_left, 7);
    assert_eq!(plan.capacity("anywhere"), 40);
}

/// A change of the plan | what is told, errors and warnings.
#[test]
fn what_is_wrong_with_a_plan_is_told_by_place() {
    type Change = dyn Fn(&mut Plan);
    let check = |change: &Change, expected: &[&str]| {
        let mut own = plan();
        change(&mut own);
        let told: Vec<String> =
            own.check().iter().map(|finding| format!("{} {}", finding.pointer, finding.code)).collect();
        assert_eq!(told, expected);
    };
    check(&|_| {}, &[]);
    check(&|own| own.id = "My plan".to_owned(), &["id plan_id"]);
    check(&|own| own.legal_basis = " ".to_owned(), &["legal_basis plan_text"]);
    check(&|own| own.title = spine::LocalizedText::default(), &["title/en plan_text"]);
    check(&|own| own.floor_ppm = 0, &["floor_ppm plan_number"]);
    check(&|own| own.floor_ppm = 1_000_000, &["floor_ppm plan_number"]);
    check(&|own| own.trusted.points = 1, &["trusted/points plan_number"]);
    check(&|own| own.trusted.factor_ppm = 2_000_000, &["trusted/factor_ppm plan_number"]);
    check(&|own| own.random_share_ppm = 1_000_001, &["random_share_ppm plan_number"]);
    check(&|own| own.random_share_ppm = 5_000, &["random_share_ppm plan_random_share_low"]);
    check(&|own| own.capacity_per_day = 0, &["capacity_per_day plan_no_capacity"]);
    check(&|own| own.weights.insert("x".to_owned(), 5_000).map_or((), |_| ()), &["weights/x plan_number"]);
    check(
        &|own| own.hard_rules.get_mut("arms").unwrap().lane = Lane::Green,
        &["hard_rules/arms/lane plan_lane"],
    );
    check(
        &|own| own.hard_rules.get_mut("arms").unwrap().legal_basis.clear(),
        &["hard_rules/arms/legal_basis plan_text"],
    );
}

#[test]
fn arms_and_lanes_are_read_by_their_names() {
    assert!(Arm::ALL.iter().all(|arm| Arm::from_name(arm.name()) == Some(*arm)));
    assert!(Lane::ALL.iter().all(|lane| Lane::from_name(lane.name()) == Some(*lane)));
    assert!(Lane::ALL.is_sorted());
    assert_eq!(serde_json::to_value(Arm::HardRule).unwrap(), "hard_rule");
}
