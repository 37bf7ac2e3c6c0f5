//! What is wrong with a plan.

use spine::{Finding, Language, LocalizedText, Pointer, Severity};

use crate::PPM;
use crate::plan::Plan;

/// Below this share the random arm says little: one inspection in fifty.
const RANDOM_SHARE_PPM_LOW: u32 = 20_000;
/// Longest text.
const TEXT_CHARACTERS_MAX: usize = 2_000;

impl Plan {
    /// Everything that is wrong or doubtful with the plan; it can be applied if nothing is an error.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let mut check = Check { findings: Vec::new() };
        check.head(self);
        check.points(self);
        check.shares(self);
        check.hard_rules(self);
        check.capacity(self);
        check.findings
    }
}

struct Check {
    findings: Vec<Finding>,
}

impl Check {
    fn add(&mut self, severity: Severity, code: &str, place: &str, found: &str, expected: &str, fix: &str) {
        let finding = Finding::new(code, severity).at(Pointer(place.to_owned()));
        self.findings.push(finding.found(found).expected(expected).fix(fix));
    }

    fn text(&mut self, place: &str, text: &str) {
        let characters = text.chars().count();
        if text.trim().is_empty() || characters > TEXT_CHARACTERS_MAX {
            let expected = format!("a text of at most {TEXT_CHARACTERS_MAX} characters");
            self.add(Severity::Error, "plan_text", place, text, &expected, "Say it in a few words.");
        }
    }

    fn between(&mut self, place: &str, found: i64, low: i64, high: i64) {
        if !(low..=high).contains(&found) {
            let expected = format!("{low} to {high}");
            let fix = "Points are hundredths of log-odds, shares and chances parts per million.";
            self.add(Severity::Error, "plan_number", place, &found.to_string(), &expected, fix);
        }
    }

    fn head(&mut self, plan: &Plan) {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=64).contains(&plan.id.len()) || !plan.id.bytes().all(is_name) {
            let expected = "1 to 64 small letters, digits and dashes";
            self.add(Severity::Error, "plan_id", "id", &plan.id, expected, "Rename the plan.");
        }
        self.text("version", &plan.version);
        self.text("title/en", english(&plan.title));
        self.text("legal_basis", &plan.legal_basis);
    }

    fn points(&mut self, plan: &Plan) {
        let most = i64::from(Plan::POINTS_MAX);
        self.between("base_points", plan.base_points.into(), -most, most);
        self.between("trusted/points", plan.trusted.points.into(), -most, 0);
        let scores = i64::from(Plan::SCORE_MAX);
        self.between("initial_threshold", plan.initial_threshold.into(), -scores, scores);
        for (tag, points) in &plan.weights {
            self.between(&format!("weights/{tag}"), (*points).into(), -most, most);
        }
        for (place, count) in [
            ("weights", plan.weights.len()),
            ("hard_rules", plan.hard_rules.len()),
            ("physical_tags", plan.physical_tags.len()),
        ] {
            if count > Plan::TAGS_MAX {
                let expected = format!("at most {} tags", Plan::TAGS_MAX);
                self.add(
                    Severity::Error,
                    "plan_too_large",
                    place,
                    &count.to_string(),
                    &expected,
                    "Leave some out.",
                );
            }
        }
    }

    fn shares(&mut self, plan: &Plan) {
        let all = i64::from(PPM);
        self.between("physical_share_ppm", plan.physical_share_ppm.into(), 0, all);
        self.between("random_share_ppm", plan.random_share_ppm.into(), 0, all);
        self.between("audit_share_ppm", plan.audit_share_ppm.into(), 0, all);
        self.between("trusted/factor_ppm", plan.trusted.factor_ppm.into(), 0, all);
        self.between("floor_ppm", plan.floor_ppm.into(), 1, all.saturating_sub(1));
        if plan.random_share_ppm < RANDOM_SHARE_PPM_LOW {
            self.add(
                Severity::Warning,
                "plan_random_share_low",
                "random_share_ppm",
                &plan.random_share_ppm.to_string(),
                &format!("{RANDOM_SHARE_PPM_LOW} or more"),
                "With so few random inspections nobody can tell whether the plan is better than chance.",
            );
        }
    }

    fn hard_rules(&mut self, plan: &Plan) {
        for (tag, rule) in &plan.hard_rules {
            let place = format!("hard_rules/{tag}");
            if !rule.lane.is_inspection() {
                let fix = "A hard rule can only ask for an inspection.";
                let found = rule.lane.name();
                self.add(
                    Severity::Error,
                    "plan_lane",
                    &format!("{place}/lane"),
                    found,
                    "yellow, red or hold",
                    fix,
                );
            }
            self.text(&format!("{place}/legal_basis"), &rule.legal_basis);
            self.text(&format!("{place}/reason/en"), english(&rule.reason));
        }
    }

    fn capacity(&mut self, plan: &Plan) {
        if plan.offices.len() > Plan::OFFICES_MAX {
            let expected = format!("at most {} offices", Plan::OFFICES_MAX);
            let found = plan.offices.len().to_string();
            self.add(Severity::Error, "plan_too_large", "offices", &found, &expected, "Leave some out.");
        }
        let named =
            plan.offices.iter().map(|(office, own)| (format!("offices/{office}"), own.capacity_per_day));
        for (place, capacity) in named.chain([("capacity_per_day".to_owned(), plan.capacity_per_day)]) {
            if capacity == 0 {
                let fix =
                    "Hard rules and the least chance still choose; say how many inspections there can be.";
                self.add(
                    Severity::Warning,
                    "plan_no_capacity",
                    &place,
                    "0",
                    "1 or more inspections a day",
                    fix,
                );
            }
        }
    }
}

fn english(text: &LocalizedText) -> &str {
    text.in_language(Language::En)
}
