//! Who belongs together, found in the register alone, against the truth. SIMULATED, as every figure of the country.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use country::{Preset, Settings};
use spine::Silent;
use tags::entities::{
    Candidate, EvidenceKind, Lexicon, Limits, ListEntry, Party, PartyKind, ScreeningList, candidates,
};

use crate::settings;

type Rows = Vec<BTreeMap<String, String>>;
type Pairs = BTreeSet<(String, String)>;

fn rows(file: &Path) -> Rows {
    csv::Reader::from_path(file).unwrap().deserialize().map(Result::unwrap).collect()
}

fn party(row: &BTreeMap<String, String>) -> Party {
    let some = |field: &str| Some(row[field].clone()).filter(|text| !text.is_empty());
    Party {
        id: row["id"].clone(),
        name: row["name"].clone(),
        address: some("address"),
        phone: some("phone"),
        owner: some("owner"),
        entered_on: row["registered_on"].parse().ok(),
        closed_on: row["closed_on"].parse().ok(),
        ..Party::default()
    }
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.min(other).to_owned(), one.max(other).to_owned())
}

/// Pairs of importers that belong to one person, and pairs of which one took over from the other.
fn truth(register: &Rows, truth: &Rows) -> (Pairs, Pairs) {
    let mut owned: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in register.iter().filter(|row| !row["owner"].is_empty()) {
        owned.entry(&row["owner"]).or_default().push(&row["id"]);
    }
    let of_one = owned.values().flat_map(|ids| {
        ids.iter().enumerate().flat_map(move |(at, one)| ids[..at].iter().map(move |other| pair(one, other)))
    });
    let shells = truth.iter().filter(|row| row["character"] == "shell" && !row["predecessor"].is_empty());
    (of_one.collect(), shells.map(|row| pair(&row["id"], &row["predecessor"])).collect())
}

/// Precision and recall of candidates, in per cent, and a line that says so.
fn measured(what: &str, found: &[Candidate], wanted: &Pairs, also_right: &Pairs) -> (String, f64, f64) {
    let told: Pairs = found.iter().map(|own| (own.left.clone(), own.right.clone())).collect();
    let count = |pairs: usize| f64::from(u32::try_from(pairs).unwrap());
    let right = told.iter().filter(|own| wanted.contains(*own) || also_right.contains(*own)).count();
    let recalled = wanted.intersection(&told).count();
    let precision = 100.0 * count(right) / count(told.len().max(1));
    let recall = 100.0 * count(recalled) / count(wanted.len().max(1));
    let told = format!(
        "SIMULATED {what}: {} told, {right} right ({precision:.1} %), {recalled} of {} found ({recall:.1} %)",
        told.len(),
        wanted.len()
    );
    (told, precision, recall)
}

#[test]
fn who_belongs_together_is_found_without_being_told() {
    let lexicon = Lexicon::built_in().unwrap();
    for seed in [7, 8, 9] {
        let folder = tempfile::tempdir().unwrap();
        let wish = Settings { seed, ..settings(12_000, Preset::Ordinary) };
        country::write(wish, folder.path(), &Silent).unwrap();
        let register = rows(&folder.path().join("parties.csv"));
        let (owned, shells) = truth(&register, &rows(&folder.path().join("truth/parties.csv")));
        let parties: Vec<Party> = register.iter().map(party).collect();
        // Owners are left out: to find who belongs to one person by the person's id would be no finding.
        let limits = Limits { owners: false, ..Limits::default() };
        let found = candidates(&lexicon, &parties, &limits, &Silent).unwrap();
        println!(
            "seed {seed}: {} parties, {} compared, {} blocks left out",
            parties.len(),
            found.compared,
            found.blocks_left_out
        );
        let reached = |own: &&Candidate| {
            own.evidence.iter().any(|own| matches!(own.kind, EvidenceKind::Phone | EvidenceKind::Address))
        };
        let contacts: Vec<Candidate> = found.candidates.iter().filter(reached).cloned().collect();
        let named: Vec<Candidate> = found.candidates.iter().filter(|own| !reached(own)).cloned().collect();
        println!("{}", measured("one owner, by name alone", &named, &owned, &shells).0);
        for least in [500, 700] {
            let some: Vec<Candidate> = contacts.iter().filter(|own| own.score >= least).cloned().collect();
            let what = format!("one owner, by address or telephone, score {least}");
            println!("{}", measured(&what, &some, &owned, &shells).0);
        }
        let (told, precision, recall) =
            measured("one owner, by address or telephone", &contacts, &owned, &shells);
        let followed: Vec<Candidate> = found
            .candidates
            .into_iter()
            .filter(|own| own.evidence.iter().any(|own| own.kind == EvidenceKind::Succession))
            .collect();
        println!("{told}");
        let (told, chain_precision, chain_recall) =
            measured("shell follows shell", &followed, &shells, &owned);
        println!("{told}");
        assert!(precision >= 50.0 && recall >= 50.0 && chain_precision >= 50.0 && chain_recall >= 50.0);
    }
}

/// Made-up names that stand on a list that others publish: chance alone.
#[test]
fn made_up_names_are_seldom_taken_for_names_of_a_published_list() {
    let root = std::env::var_os("TIDEWAITER_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let file = root.join("reference/sanctions/ofac-sdn-2023-11.csv");
    if !file.is_file() {
        println!(
            "skipped: made-up names against a published list (set TIDEWAITER_CASES to the folder of external data)"
        );
        return;
    }
    let entries = rows(&file).into_iter().filter(|row| row["Type"].trim() == "-0-");
    let entries = entries.map(|row| ListEntry {
        id: row["ID"].clone(),
        kind: PartyKind::Enterprise,
        name: row["Name"].clone(),
        aliases: Vec::new(),
    });
    let list = ScreeningList::new(Lexicon::built_in().unwrap(), entries.collect());
    let folder = tempfile::tempdir().unwrap();
    country::write(settings(12_000, Preset::Ordinary), folder.path(), &Silent).unwrap();
    let register = rows(&folder.path().join("parties.csv"));
    let hit: Vec<String> = register
        .iter()
        .filter_map(|row| list.screen(&party(row)).into_iter().next())
        .map(|hit| format!("{} ~ {} ({})", hit.own, hit.listed, hit.score))
        .collect();
    println!(
        "SIMULATED {} of {} made-up names hit one of {}: {hit:?}",
        hit.len(),
        register.len(),
        list.len()
    );
    assert!(hit.len() * 50 <= register.len(), "{hit:?}");
}
