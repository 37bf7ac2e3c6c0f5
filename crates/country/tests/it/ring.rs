//! The ring of shells that begins where it is asked for: one seller, one kind of goods, undervalued, and nobody else changes.

use std::collections::BTreeSet;

use country::{DeclaredConsignment, Item, Preset, Scheme, Settings, World};
use jiff::civil::{Date, date};
use spine::Silent;

use crate::{settings, text};

const BEGINS: Date = date(2025, 6, 20);

fn asked(declarations: u64, ring_begins: Option<Date>) -> Settings {
    let first_day = Some(date(2025, 1, 1));
    Settings { first_day, days: Some(180), ring_begins, ..settings(declarations, Preset::Ordinary) }
}

/// Importers of the ring, as the truth says.
fn ring(settings: &Settings) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    country::write(settings.clone(), folder.path(), &Silent).unwrap();
    let mut characters = csv::Reader::from_path(folder.path().join("truth/parties.csv")).unwrap();
    let rows = characters.records().map(Result::unwrap);
    rows.filter(|row| &row[2] == "ring").map(|row| row[0].to_owned()).collect()
}

#[test]
fn a_ring_begins_on_its_day_and_undervalues_one_kind_of_goods_of_one_seller() {
    for declarations in [3_000, 12_000] {
        let asked = asked(declarations, Some(BEGINS));
        let shells = ring(&asked);
        assert_eq!(shells.len(), 6);
        let world = World::new(asked).unwrap();
        let all: Vec<DeclaredConsignment> = world.declarations().collect();
        let of_ring = |own: &DeclaredConsignment| shells.contains(&text(&own.items[0], "importer_id"));
        let theirs: Vec<&DeclaredConsignment> = all.iter().filter(|own| of_ring(own)).collect();
        assert!(theirs.iter().all(|own| own.accepted_at.date() >= BEGINS));
        // From the 20th to the 29th of June there are six working days and four others.
        assert!((25..90).contains(&theirs.len()), "{} of {declarations}", theirs.len());
        let items: Vec<&Item> = theirs.iter().flat_map(|own| &own.items).collect();
        for field in ["commodity_code", "origin_country"] {
            let used: BTreeSet<String> = items.iter().map(|item| text(item, field)).collect();
            assert_eq!(used.len(), 1, "{field}: {used:?}");
        }
        let undervalued = items.iter().filter(|item| {
            item.truth.scheme == Some(Scheme::ShellImporter)
                && item.truth.method == Some(Scheme::Undervaluation)
        });
        assert!(undervalued.count() * 10 > items.len() * 7, "most of what they declare");
        assert!(world.living().take(500).any(|own| of_ring(&own)), "it goes on where the history ends");
    }
}

#[test]
fn without_a_ring_nothing_of_it_is_there() {
    let plain = asked(2_000, None);
    assert_eq!(ring(&plain), BTreeSet::new());
    // Whoever is there without it is there with it, in the same order.
    let parties = |settings: Settings| -> Vec<String> {
        let world = World::new(settings).unwrap();
        world.register(date(2025, 6, 1)).map(|party| party.name.to_string()).collect()
    };
    let with: BTreeSet<String> = parties(asked(2_000, Some(BEGINS))).into_iter().collect();
    assert!(parties(plain).iter().all(|name| with.contains(name)));
}
