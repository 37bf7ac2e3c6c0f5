//! Who may be who: candidates with their evidence, groups, and a list with changed spellings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use spine::Silent;
use tags::entities::{
    EvidenceKind, Lexicon, Limits, ListEntry, Party, PartyKind, ScreeningList, candidates, groups,
};

fn party(id: &str, name: &str, address: &str, phone: &str, owner: &str) -> Party {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Party {
        id: id.to_owned(),
        name: name.to_owned(),
        address: some(address),
        phone: some(phone),
        owner: some(owner),
        ..Party::default()
    }
}

/// Evidence of the first candidate of two parties, as `kind` words; empty where they are none.
fn evidence(one: Party, other: Party) -> String {
    let lexicon = Lexicon::built_in().unwrap();
    let found = candidates(&lexicon, &[one, other], &Limits::default(), &Silent).unwrap();
    let kinds = found.candidates.first().map(|own| own.evidence.iter().map(|own| own.kind.name()).collect());
    kinds.map(|kinds: Vec<_>| kinds.join(" ")).unwrap_or_default()
}

#[test]
fn two_parties_match_by_what_they_share_and_not_by_what_everybody_has() {
    let table = [
        ("Zelquari Foods GmbH", "ZELQUARI FOODS Gesellschaft mit beschränkter Haftung", "name"),
        ("Foods Zelquari", "Zelquary Foods Ltd.", "name"),
        ("北京长城贸易有限公司", "北京长城贸易股份有限公司", "name"),
        ("ООО Ромашка", "Romashka LLC", "name"),
        ("General Trading Ltd", "General Trading LLC", ""),
        ("Zelquari Foods", "Zelquari Steel Machinery", ""),
        ("", "", ""),
    ];
    for (one, other, expected) in table {
        let found = evidence(party("A", one, "", "", ""), party("B", other, "", "", ""));
        assert_eq!(found, expected, "{one} / {other}");
    }
    let place = "12 Mill Street, Osk";
    for (one, other, expected) in [
        (party("A", "X", place, "", ""), party("B", "Y", "Mill St. 12 / OSK", "", ""), "address"),
        (party("A", "X", "", "+999 20 123 4567", ""), party("B", "Y", "", "0099920 1234567", ""), "phone"),
        (party("A", "X", "", "", "PN 01"), party("B", "Y", "", "", "pn-01"), "owner"),
        (party("A", "X", place, "", ""), party("B", "Y", "13 Mill Street, Osk", "", ""), ""),
        (
            Party { kind: PartyKind::Person, ..party("A", "X", place, "", "") },
            party("B", "Y", place, "", ""),
            "",
        ),
    ] {
        assert_eq!(evidence(one.clone(), other.clone()), expected, "{one:?} {other:?}");
    }
    let vehicle = |id: &str, mark: &str| Party { kind: PartyKind::Vehicle, ..party(id, mark, "", "", "") };
    assert_eq!(evidence(vehicle("A", "AB 12-345"), vehicle("B", "ab12345")), "identifier");
    assert_eq!(evidence(vehicle("A", "AB 12-345"), vehicle("B", "ab12346")), "");
}

#[test]
fn who_closes_when_another_is_entered_at_the_same_place_is_followed() {
    let at = |id: &str, entered: &str, closed: &str| Party {
        entered_on: entered.parse().ok(),
        closed_on: closed.parse().ok(),
        ..party(id, id, "12 Mill Street, Osk", "", "")
    };
    for (entered, closed, later, expected) in [
        ("2025-01-01", "2025-06-01", "2025-06-10", true),
        ("2025-01-01", "2025-06-01", "2025-05-20", true),
        ("2025-01-01", "2025-06-01", "2026-06-01", false),
        ("2025-01-01", "", "2025-06-10", false),
    ] {
        let found = evidence(at("A", entered, closed), at("B", later, ""));
        assert_eq!(found.contains("succession"), expected, "{entered} {closed} {later}");
    }
}

#[test]
fn an_address_of_many_says_little_and_is_never_compared_n_by_n() {
    let lexicon = Lexicon::built_in().unwrap();
    let crowd: Vec<Party> = (0..2_000)
        .map(|n| party(&format!("C{n:04}"), &format!("Name{n}"), "1 Business Centre, Osk", "", ""))
        .collect();
    let found = candidates(&lexicon, &crowd, &Limits::default(), &Silent).unwrap();
    assert_eq!((found.candidates.len(), found.compared), (0, 0));
    assert!(found.blocks_left_out >= 1);
}

#[test]
fn what_is_told_is_bounded_and_the_best_of_it() {
    let lexicon = Lexicon::built_in().unwrap();
    let pairs: Vec<Party> = (0..60)
        .map(|n| {
            party(&format!("P{n:02}"), "", "", &format!("99920{:06}", n / 2), if n < 4 { "OWN1" } else { "" })
        })
        .collect();
    let limits = Limits { candidates: 5, ..Limits::default() };
    let all = candidates(&lexicon, &pairs, &Limits::default(), &Silent).unwrap();
    let some = candidates(&lexicon, &pairs, &limits, &Silent).unwrap();
    assert_eq!(all.candidates.len(), 30);
    assert_eq!(some.candidates, all.candidates[..5]);
    assert_eq!(some.candidates_left_out, 25);
    assert!(all.candidates.iter().all(|own| own.evidence[0].kind == EvidenceKind::Phone));
}

proptest! {
    #[test]
    fn the_order_of_a_register_changes_nothing(parties in prop::collection::vec(some_party(), 0..24), seed in any::<u64>()) {
        let lexicon = Lexicon::built_in().unwrap();
        let parties: Vec<Party> = parties.into_iter().enumerate().map(|(n, own)| Party { id: format!("{n}"), ..own }).collect();
        let mut other = parties.clone();
        other.rotate_left(usize::try_from(seed % 24).unwrap().min(parties.len()));
        other.reverse();
        let found = |parties: &[Party]| candidates(&lexicon, parties, &Limits::default(), &Silent).unwrap();
        let one = found(&parties);
        for own in &one.candidates {
            prop_assert!(own.left < own.right && (1..=1_000).contains(&own.score));
            prop_assert!(own.evidence.iter().all(|own| own.weight > 0 && own.weight < 1_000 && own.shared_by >= 2));
        }
        prop_assert_eq!(one, found(&other));
    }

    #[test]
    fn merges_make_the_same_groups_in_any_order_and_as_walking_does(
        merges in prop::collection::vec((0..12_u8, 0..12_u8), 0..20),
        turned in any::<bool>(),
    ) {
        let named: Vec<(String, String)> = merges.iter().map(|(a, b)| (format!("E{a:02}"), format!("E{b:02}"))).collect();
        let refs = || named.iter().map(|(a, b)| if turned { (b.as_str(), a.as_str()) } else { (a.as_str(), b.as_str()) });
        let forwards = groups(named.iter().map(|(a, b)| (a.as_str(), b.as_str())));
        let backwards = groups(refs().collect::<Vec<_>>().into_iter().rev());
        prop_assert_eq!(&forwards, &backwards);
        for id in (0..12).map(|n| format!("E{n:02}")) {
            // Slow and plain: whoever is reached over merges.
            let mut reached = BTreeSet::from([id.clone()]);
            loop {
                let more: Vec<String> = named.iter().filter_map(|(a, b)| match (reached.contains(a), reached.contains(b)) {
                    (true, false) => Some(b.clone()),
                    (false, true) => Some(a.clone()),
                    _ => None,
                }).collect();
                if more.is_empty() { break }
                reached.extend(more);
            }
            let expected: Vec<String> = reached.into_iter().collect();
            prop_assert_eq!(forwards.members(&id), expected.clone());
            prop_assert_eq!(forwards.leader(&id), expected[0].as_str());
        }
    }

    #[test]
    fn any_text_is_a_name(name in "\\PC{0,60}", address in "\\PC{0,60}", phone in "\\PC{0,30}") {
        let lexicon = Lexicon::built_in().unwrap();
        let words = lexicon.name_words(&name);
        prop_assert!(words.len() <= 24 && words.iter().all(|word| word.bytes().all(|sign| sign.is_ascii_alphanumeric())));
        let own = party("A", &name, &address, &phone, &name);
        let _ = candidates(&lexicon, &[own.clone(), Party { id: "B".to_owned(), ..own }], &Limits::default(), &Silent).unwrap();
    }
}

fn some_party() -> impl Strategy<Value = Party> {
    let name = prop::sample::select(vec![
        "Zelquari Foods",
        "Zelquary Food Ltd",
        "Norova Steel",
        "General Trading",
        "",
    ]);
    let address = prop::sample::select(vec!["12 Mill Street, Osk", "12 Mill St Osk", "3 Quay Street", ""]);
    let phone = prop::sample::select(vec!["+999 20 123 4567", "+999 20 123 4568", ""]);
    let owner = prop::sample::select(vec!["PN0001", "PN0002", ""]);
    (name, address, phone, owner)
        .prop_map(|(name, address, phone, owner)| party("", name, address, phone, owner))
}

// ── a list that others publish ──────────────────────────────────────────────────────────────────────────────────

fn published() -> Option<PathBuf> {
    let root = std::env::var_os("TIDEWAITER_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let file = root.join("reference/sanctions/ofac-sdn-2023-11.csv");
    Some(file).filter(|file| file.is_file())
}

/// Names between quotation marks after "a.k.a." and "f.k.a.".
fn also_known_as(details: &str) -> Vec<String> {
    details
        .split("k.a. '")
        .skip(1)
        .filter_map(|rest| rest.split_once('\''))
        .map(|own| own.0.to_owned())
        .collect()
}

fn entries(file: &Path) -> Vec<ListEntry> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let rows = reader.deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
    let kind = |text: &str| match text.trim() {
        "individual" => Some(PartyKind::Person),
        "vessel" | "aircraft" => None,
        _ => Some(PartyKind::Enterprise),
    };
    rows.filter_map(|row| {
        let kind = kind(&row["Type"])?;
        Some(ListEntry {
            id: row["ID"].clone(),
            kind,
            name: row["Name"].clone(),
            aliases: also_known_as(&row["Details"]),
        })
    })
    .collect()
}

/// Ways in which names are written otherwise. `None`: this name has no room for it.
fn changed(way: &str, name: &str) -> Option<String> {
    let mut words: Vec<String> =
        name.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let longest = words.iter().enumerate().max_by_key(|(_, word)| word.chars().count())?.0;
    let mut letters: Vec<char> = words[longest].chars().collect();
    match way {
        "order of words" => words.reverse(),
        "legal form" => words.push("GmbH".to_owned()),
        "lower case, signs" => return Some(name.to_lowercase().replace([' ', ','], "-")),
        _ if letters.len() < 6 => return None,
        "letters exchanged" => letters.swap(2, 3),
        "letter left out" => drop(letters.remove(3)),
        "letter doubled" => letters.insert(3, letters[3]),
        "letter for another" => letters[3] = if letters[3] == 'E' { 'A' } else { 'E' },
        "other transliteration" => {
            let turned =
                words.join(" ").replace("KH", "H").replace("OU", "U").replace("EE", "I").replace('Y', "I");
            return (turned != words.join(" ")).then_some(turned);
        }
        _ => return None,
    }
    if !matches!(way, "order of words" | "legal form") {
        words[longest] = letters.into_iter().collect();
    }
    Some(words.join(" "))
}

#[test]
fn names_of_a_published_list_are_found_in_changed_spellings() {
    let Some(file) = published() else {
        println!("skipped: published list of names (set TIDEWAITER_CASES to the folder of external data)");
        return;
    };
    let entries = entries(&file);
    let list = ScreeningList::new(Lexicon::built_in().unwrap(), entries.clone());
    // Every seventh, so that the suite stays short; which ones does not depend on anything.
    let asked: Vec<&ListEntry> = entries.iter().step_by(7).collect();
    let mut hits = 0_usize;
    for (way, at_least) in [
        ("lower case, signs", 97),
        ("order of words", 97),
        ("legal form", 97),
        ("letters exchanged", 90),
        ("letter left out", 90),
        ("letter doubled", 90),
        ("letter for another", 90),
        ("other transliteration", 80),
    ] {
        let (mut found, mut all) = (0_usize, 0_usize);
        for entry in &asked {
            let Some(name) = changed(way, &entry.name) else { continue };
            let party = Party { kind: entry.kind, name, ..Party::default() };
            let told = list.screen(&party);
            all += 1;
            hits += told.len();
            found += usize::from(told.iter().any(|hit| hit.entry == entry.id));
        }
        println!("{way}: {found} of {all} ({:.1} %)", 100.0 * found as f64 / all as f64);
        assert!(all > 100 && found * 100 >= all * at_least, "{way}: {found} of {all}");
    }
    println!("{} entries, {hits} hits in all", list.len());
}
