//! Tags seen from the application: catalogue by clearance, rows of the pool with reasons, and what nobody may see.

use std::path::{Path, PathBuf};

use spine::{Sensitivity, Silent};

use super::*;
use crate::Customhouse;
use crate::identity::{Reader, Role};
use crate::packs::Registry;
use crate::pool::{Admission, AdmitRequest, SourceContract};

const RECORDS: &str =
    "Declaration ID,Date,Importer ID,HS6 Code,Country of Departure,Gross Mass,Net Mass,Fraud
A1,2024-01-31,IMP-1,851712,CN,100,90,0
A2,2024-02-01,IMP-2,851712,CN,40,50,1
A3,2024-02-02,IMP-1,851712,CN,,50,0
";

struct Case {
    place: tempfile::TempDir,
    house: Customhouse,
    chief: Reader,
}

impl Case {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let house = Customhouse::open(&place.path().join("data")).unwrap();
        Self { place, house, chief: Reader::new("o-chief", Role::Chief) }
    }

    fn save(&self, name: &str, text: &str) -> PathBuf {
        let path = self.place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn admit(&self, text: &str) -> Admission {
        self.house.admit(&self.chief, &AdmitRequest::new(&self.save("records.csv", text)), &Silent).unwrap()
    }

    fn install(&self, name: &str, tags: &str) {
        let folder = self.place.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let manifest = format!(
            "id = \"{name}\"\nversion = \"1.0.0\"\nkind = \"tags\"\ntitle = {{ en = \"T\", zh = \"题\" }}\n\
             owner = \"Unit\"\nlegal_basis = \"Law\"\nsensitivity = \"official\"\nlicence = \"MIT\"\n"
        );
        std::fs::write(folder.join("pack.toml"), manifest).unwrap();
        let family = "[family]\nid = \"own\"\ntitle = { en = \"Own\", zh = \"自有\" }\n";
        std::fs::write(folder.join("tags.toml"), format!("{family}{tags}")).unwrap();
        let report = self.house.install_pack(&Reader::local_operator(), &folder).unwrap();
        assert!(report.installed.is_some(), "{report:?}");
    }
}

/// A tag of an administration's own.
fn own_tag(id: &str, sensitivity: &str, when: &str) -> String {
    format!(
        "[[tag]]\nid = \"{id}\"\ntitle = {{ en = \"T\", zh = \"题\" }}\ndescription = {{ en = \"D\" }}\n\
         sensitivity = \"{sensitivity}\"\nwhen = '''{when}'''\ninspection_hint = {{ en = \"H\", zh = \"示\" }}\n"
    )
}

#[test]
fn the_catalogue_needs_no_data_folder_and_shows_no_tag_above_the_clearance() {
    let registry = Registry::built_in();
    assert_eq!(tag_set(&registry).1, []);
    let all = catalogue(&registry, Sensitivity::Official);
    assert!(all.tags >= 120 && all.families.len() >= 15, "{} {}", all.tags, all.families.len());
    assert_eq!(all.tags, all.families.iter().map(|family| family.tags.len()).sum::<usize>());
    assert_eq!(catalogue(&registry, Sensitivity::Public).tags, 0);
    let detail = find_tag(&registry, Sensitivity::Official, "gross_below_net").unwrap();
    assert_eq!((detail.definition.when.as_str(), detail.cases.len()), ("gross_mass < net_mass", 3));
    assert_eq!(detail.cases[0].entry["gross_mass"], "900");
    assert_eq!(find_tag(&registry, Sensitivity::Public, "gross_below_net").unwrap_err().code, "tag_unknown");
}

#[test]
fn rows_of_the_pool_carry_tags_with_reasons_and_follow_what_is_admitted() {
    let case = Case::new();
    let empty = case.house.tag_on_real_rows(&case.chief, "gross_below_net", 10).unwrap();
    assert_eq!((empty.entries, empty.carrying), (0, 0));
    let batch = case.admit(RECORDS).batch.summary.id;
    let found = case.house.tag_on_real_rows(&case.chief, "gross_below_net", 10).unwrap();
    assert_eq!((found.entries, found.carrying, found.unknown), (3, 1, 1));
    let reason = &found.rows[0];
    assert_eq!((reason.place.batch.as_ref(), reason.place.row), (Some(&batch), Some(1)));
    assert!(reason.carried && reason.explained == reason.place);
    let values: Vec<&str> =
        reason.explanation.parts.iter().filter_map(|part| part.value.as_deref()).collect();
    assert_eq!(values, ["40", "50"]);
    assert!(reason.fields.iter().any(|field| field.name == "importer_id" && field.value == "IMP-2"));
    // The same question about rows that do not carry it.
    let not = case.house.tag_on_row(&case.chief, "gross_below_net", &batch, 0).unwrap();
    assert!(!not.carried && !not.unknown);
    let open = case.house.tag_on_row(&case.chief, "gross_below_net", &batch, 2).unwrap();
    assert!(!open.carried && open.unknown);
    let gone = case.house.tag_on_row(&case.chief, "gross_below_net", &batch, 3).unwrap_err();
    assert_eq!(gone.code, "row_unknown");
    // What is admitted next is looked at next.
    case.admit(&RECORDS.replace("\nA", "\nB"));
    assert_eq!(case.house.tag_on_real_rows(&case.chief, "gross_below_net", 1).unwrap().carrying, 2);
}

#[test]
fn a_tag_of_an_installed_pack_is_there_at_once_and_only_for_those_who_may_see_it() {
    let case = Case::new();
    case.admit(RECORDS);
    case.house.tag_on_real_rows(&case.chief, "gross_below_net", 10).unwrap();
    case.install("own-tags", &own_tag("heavy", "restricted", "net_mass > 80"));
    assert_eq!(case.house.tag_on_real_rows(&case.chief, "heavy", 10).unwrap().carrying, 1);
    let officer = Reader::new("o-1", Role::Officer);
    for refused in [
        case.house.tag(&officer, "heavy").unwrap_err(),
        case.house.tag_on_real_rows(&officer, "heavy", 10).unwrap_err(),
        case.house.tag(&officer, "no_such_tag").unwrap_err(),
    ] {
        assert_eq!(refused.code, "tag_unknown");
    }
    let shown = serde_json::to_string(&case.house.tag_catalogue(&officer).unwrap()).unwrap();
    assert!(!shown.contains("heavy\""), "a tag above the clearance shows in no byte");
    let trader = Reader::new("t-1", Role::Trader);
    assert_eq!(case.house.tag_catalogue(&trader).unwrap_err().code, "not_permitted");
    assert_eq!(case.house.tag_on_real_rows(&trader, "gross_below_net", 1).unwrap_err().code, "not_permitted");
}

#[test]
fn a_reason_shows_no_value_above_the_clearance_nor_what_follows_from_it() {
    let case = Case::new();
    let mut contract = SourceContract::declarations();
    for field in &mut contract.fields {
        if field.name == "importer_id" {
            field.sensitivity = Sensitivity::Restricted;
        }
    }
    case.house.declare_contract(&case.chief, &contract.to_toml()).unwrap();
    let records = RECORDS.replace("IMP-1", "SECRET-1");
    case.admit(&records);
    let aggregate = "aggregate.before = { measure = \"count\", by = [\"importer_id\"] }\n";
    let tag = own_tag("again", "official", "before >= 1 && importer_id != 'X' && net_mass > 1");
    case.install("own-tags", &format!("{tag}{aggregate}"));
    let whole = case.house.tag_on_real_rows(&case.chief, "again", 10).unwrap();
    assert!(serde_json::to_string(&whole).unwrap().contains("SECRET-1"));
    assert_eq!(whole.rows[0].aggregates[0].value.as_deref(), Some("1"));
    let officer = Reader::new("o-1", Role::Officer);
    let shown = case.house.tag_on_real_rows(&officer, "again", 10).unwrap();
    let text = serde_json::to_string(&shown).unwrap();
    assert!(!text.contains("SECRET-1"), "{text}");
    let reason = &shown.rows[0];
    assert!(reason.carried && reason.withheld.contains(&"importer_id".to_owned()));
    let aggregate = &reason.aggregates[0];
    assert!(aggregate.withheld && aggregate.value.is_none() && aggregate.sample.is_empty());
    let known: Vec<&str> = reason.explanation.read().into_iter().map(|pointer| pointer.0.as_str()).collect();
    assert!(known.contains(&"net_mass"), "what may be seen is still there: {known:?}");
}

#[test]
fn a_declaration_of_a_file_is_explained_without_a_data_folder() {
    let case = Case::new();
    let registry = Registry::built_in();
    let file = case.save("declarations.csv", RECORDS);
    let ask = |tag: &str, declaration: &str, file: &Path| {
        let request = WhyRequest {
            tag: tag.to_owned(),
            declarations: file.to_owned(),
            declaration: declaration.to_owned(),
            map: None,
        };
        why_in_file(&registry, &request, &Silent)
    };
    let reasons = ask("gross_below_net", "A2", &file).unwrap();
    assert!(reasons.len() == 1 && reasons[0].carried, "{reasons:?}");
    assert_eq!(reasons[0].place.line, Some(3));
    assert!(!ask("gross_below_net", "A1", &file).unwrap()[0].carried);
    let unknown = [
        (ask("no_such_tag", "A1", &file), "tag_unknown"),
        (ask("gross_below_net", "A9", &file), "declaration_unknown"),
        (ask("gross_below_net", "A1", Path::new("no-such-file.csv")), "declarations_unreadable"),
    ];
    for (answer, code) in unknown {
        let error = answer.unwrap_err();
        assert_eq!(error.code, code);
        assert!(!error.how_to_fix.is_empty());
    }
}

/// The year of declarations that others publish, tag by tag: no tag marks so much that it says nothing.
#[test]
fn on_public_records_every_tag_stays_rare_enough_to_say_something() {
    let cases = std::env::var("TIDEWAITER_CASES")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let file = cases.join("declarations/declarations_train.csv");
    if !file.is_file() {
        println!("skipped: tags on public declarations ({} is not there)", file.display());
        return;
    }
    let schema = spine::declaration_entry::schema();
    let mapping = crate::pool::propose_for_file(&file, &schema, Some("Fraud")).unwrap().mapping;
    let table = crate::pool::read_file(&file, &mapping, &schema, &Silent).unwrap().table;
    let (set, _) = tag_set(&Registry::built_in());
    let hits = set.apply(&table, &Silent).unwrap();
    let rows = u64::try_from(table.len()).unwrap();
    let mut marked = 0;
    for hit in &hits.hits {
        let tag = &set.definitions()[hit.tag_index];
        let carrying = hit.rows.len();
        println!("{carrying:>6} marked {:>6} unknown  {}/{}", hit.unknown, tag.family, tag.id);
        assert!(carrying * 10 <= rows * 3, "{} marks {carrying} of {rows} rows", tag.id);
        marked += u64::from(carrying > 0);
    }
    assert!(marked >= 60, "only {marked} tags mark anything");
}
