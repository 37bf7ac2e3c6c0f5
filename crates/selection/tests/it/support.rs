//! A plan with three tags, an office, and days of declarations from a seed.

use jiff::civil::{Date, DateTime, date};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selection::{
    Draws, HardRule, Made, Moved, OfficeStanding, PPM, Plan, PlanInForce, Subject, Trusted, select, steer,
};
use spine::LocalizedText;
use spine::noun::Lane;

pub(crate) const OFFICE: &str = "NLRTM01";
/// A Monday.
pub(crate) const FIRST_DAY: Date = date(2026, 11, 2);

pub(crate) fn plan() -> Plan {
    let rule = |lane| HardRule {
        lane,
        legal_basis: "Arms Act, section 3".to_owned(),
        reason: LocalizedText::en_zh("A licence comes first.", "先验许可。"),
    };
    Plan {
        id: "test".to_owned(),
        version: "1".to_owned(),
        title: LocalizedText::en_zh("Test", "测试"),
        legal_basis: "Customs Act, section 40".to_owned(),
        base_points: -300,
        weights: [("cheap".to_owned(), 120), ("new".to_owned(), 40), ("regular".to_owned(), -30)].into(),
        hard_rules: [("arms".to_owned(), rule(Lane::Hold)), ("timber".to_owned(), rule(Lane::Red))].into(),
        physical_tags: ["heavy".to_owned()].into(),
        physical_share_ppm: 300_000,
        random_share_ppm: 100_000,
        floor_ppm: 1_000,
        trusted: Trusted { points: -50, factor_ppm: 500_000 },
        audit_share_ppm: 20_000,
        capacity_per_day: 40,
        offices: [("BEANR01".to_owned(), selection::OfficePlan { capacity_per_day: 7 })].into(),
        initial_threshold: -180,
        fit: None,
        simulated: false,
    }
}

pub(crate) fn in_force(plan: &Plan) -> PlanInForce<'_> {
    PlanInForce { plan, hash: "plan-hash" }
}

/// An office with this threshold and chance.
pub(crate) fn office(plan: &Plan, threshold: i32, random_ppm: u32) -> OfficeStanding {
    OfficeStanding { threshold, random_ppm, ..OfficeStanding::new(plan, OFFICE, FIRST_DAY) }
}

pub(crate) fn draws(selection_ppm: u32) -> Draws {
    Draws { selection_ppm, physical_ppm: 999_999, audit_ppm: 999_999 }
}

pub(crate) fn choose(plan: &Plan, office: &OfficeStanding, tags: &str, trusted: bool, draws: Draws) -> Made {
    let tags: Vec<String> = tags.split_whitespace().map(str::to_owned).collect();
    select(in_force(plan), office, &Subject { office: &office.office, tags: &tags, trusted }, draws)
}

/// A world of declarations: tags that come and go together, and irregularities that are likelier with them.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) office: OfficeStanding,
    pub(crate) chance: ChaCha8Rng,
}

/// One declaration of the world and what became of it.
pub(crate) struct Lived {
    pub(crate) made: Made,
    pub(crate) irregular: bool,
}

impl World {
    /// A plan over thirty tags, at an office with this capacity.
    pub(crate) fn new(seed: u64, capacity_per_day: u32) -> Self {
        let mut plan = plan();
        plan.capacity_per_day = capacity_per_day;
        plan.weights = (0..30).map(|tag| (format!("t{tag}"), 15 + (tag * 7) % 90)).collect();
        let office = OfficeStanding::new(&plan, OFFICE, FIRST_DAY);
        Self { plan, office, chance: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn ppm(&mut self) -> u32 {
        self.chance.random_range(0..PPM)
    }

    /// Tags, trust and truth of one declaration.
    fn declaration(&mut self) -> (Vec<String>, bool, bool) {
        let suspicious = self.chance.random_range(0..10) == 0;
        let trusted = self.chance.random_range(0..5) == 0;
        let share = if suspicious { 200_000 } else { 40_000 };
        let mut tags: Vec<String> = Vec::new();
        for tag in 0..30 {
            if self.ppm() < share {
                tags.push(format!("t{tag}"));
            }
        }
        if self.ppm() < 2_000 {
            tags.push("arms".to_owned());
        }
        let irregular = self.ppm() < if suspicious { 250_000 } else { 30_000 };
        (tags, trusted, irregular)
    }

    /// One declaration at a time.
    pub(crate) fn live(&mut self, at: DateTime) -> (Lived, Option<Moved>) {
        let (tags, trusted, irregular) = self.declaration();
        let draws = Draws { selection_ppm: self.ppm(), physical_ppm: self.ppm(), audit_ppm: self.ppm() };
        let moved = steer(in_force(&self.plan), &self.office, at);
        if let Some(moved) = &moved {
            self.office.apply_moved(moved);
        }
        let subject = Subject { office: OFFICE, tags: &tags, trusted };
        let made = select(in_force(&self.plan), &self.office, &subject, draws);
        self.office.apply_made(&made, at);
        (Lived { made, irregular }, moved)
    }

    /// A day with about so many declarations, most of them between 7 and 18 o'clock.
    pub(crate) fn day(&mut self, day: Date, arrivals: u32) -> (Vec<Lived>, Vec<Moved>) {
        let spread = arrivals / 10;
        let arrivals = arrivals - spread + self.chance.random_range(0..=2 * spread);
        let mut seconds: Vec<i64> = (0..arrivals)
            .map(|_| {
                let night = self.chance.random_range(0..20) == 0;
                let (low, high) = if night { (0, 86_400) } else { (7 * 3_600, 18 * 3_600) };
                self.chance.random_range(low..high)
            })
            .collect();
        seconds.sort_unstable();
        let (mut lived, mut moves) = (Vec::new(), Vec::new());
        for second in seconds {
            let at = day.at(0, 0, 0, 0) + jiff::SignedDuration::from_secs(second);
            let (own, moved) = self.live(at);
            lived.push(own);
            moves.extend(moved);
        }
        (lived, moves)
    }
}
