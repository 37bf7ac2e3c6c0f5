//! Where nothing is there to be found, the audit finds nothing beyond its stated rate.

use rayon::prelude::*;

use crate::world::{Dice, claims, ordinary, random_tags, run, table};

const WORLDS: u64 = 40;

/// The most claims that 40 worlds may make at a rate of 5 %: more have a chance below one in a thousand.
const CLAIMING_MAX: usize = 7;

fn worlds_that_claim(world: impl Fn(u64) -> Vec<String> + Sync) -> Vec<(u64, Vec<String>)> {
    let claimed: Vec<(u64, Vec<String>)> =
        (0..WORLDS).into_par_iter().map(|seed| (seed, world(seed))).collect();
    claimed.into_iter().filter(|(_, claims)| !claims.is_empty()).collect()
}

#[test]
fn irregularities_at_random_make_no_claims() {
    let claiming = worlds_that_claim(|seed| {
        let mut dice = Dice::new(1_000 + seed);
        let items: Vec<_> = (0..1_500)
            .map(|number| {
                let item = ordinary(&mut dice, number, 300);
                let inspected = dice.yes(0.6);
                let item = item
                    .text("selection_reason", format!("R{}", dice.skewed(12.0)))
                    .yes("inspected", inspected);
                if inspected { item.yes("irregular", dice.yes(0.15)) } else { item }
            })
            .collect();
        let tags = random_tags(&mut dice, items.len(), 12);
        claims(&run(&table(items), &tags))
    });
    assert!(claiming.len() <= CLAIMING_MAX, "{claiming:?}");
}

#[test]
fn outcomes_shared_by_the_items_of_a_declaration_make_no_claims() {
    // Counting items as independent would turn each irregular declaration into several finds of its importer.
    let claiming = worlds_that_claim(|seed| {
        let mut dice = Dice::new(2_000 + seed);
        let mut items = Vec::new();
        for number in 0..500 {
            let first = ordinary(&mut dice, number, 300);
            let irregular = dice.yes(0.2);
            for item in 0..=dice.skewed(6.0) {
                let goods = ordinary(&mut dice, number, 300).0.remove("commodity_code").unwrap();
                let mut own = first.clone().number("item_number", item as f64 + 1.0);
                own.0.insert("commodity_code", goods);
                items.push(own.yes("inspected", true).yes("irregular", irregular));
            }
        }
        claims(&run(&table(items), &[]))
    });
    assert!(claiming.len() <= CLAIMING_MAX, "{claiming:?}");
}

#[test]
fn busy_declarants_dealt_out_at_random_are_not_called_routed() {
    // Several consignments a day, and officers of very uneven shares.
    let claiming = worlds_that_claim(|seed| {
        let mut dice = Dice::new(3_000 + seed);
        let items = (0..2_500).map(|number| {
            ordinary(&mut dice, number, 60)
                .text("office_id", "O1")
                .text("officer_id", format!("F{}", dice.skewed(8.0)))
                .text("declarant_id", format!("B{}", dice.skewed(5.0)))
                .yes("inspected", true)
                .yes("irregular", dice.yes(0.1))
        });
        let audit = run(&table(items.collect::<Vec<_>>()), &[]);
        claims(&audit).into_iter().filter(|claim| claim.contains("routing")).collect()
    });
    assert!(claiming.len() <= 3, "{claiming:?}");
}
