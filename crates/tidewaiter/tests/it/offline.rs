//! Commands that need no data folder.

use std::fs;
use std::path::Path;

use crate::support::{of_world, run, world};

#[test]
fn a_country_is_the_same_for_the_same_seed_and_other_folders_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, seed: &str| {
        run(
            folder.path(),
            &["country", "--out", name, "--seed", seed, "--declarations", "400", "--preset", "null"],
        )
        .expect(0);
        fs::read(folder.path().join(name).join("outcomes.csv")).unwrap()
    };
    let first = make("a", "5");
    assert_eq!(first, make("b", "5"));
    assert_ne!(first, make("a", "6"), "an earlier country is replaced");
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/thesis.odt"), "years of work").unwrap();
    let refused = run(folder.path(), &["country", "--out", "mine"]).expect(3);
    assert!(refused.err.contains("[folder_foreign]"), "{}", refused.err);
    assert_eq!(fs::read_dir(folder.path().join("mine")).unwrap().count(), 1);
}

#[test]
fn a_mapping_is_proposed_as_text_as_a_file_and_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let declarations = of_world("declarations.csv");
    let printed = run(folder.path(), &["map", &declarations]).expect(0).out;
    assert!(printed.contains("[fields.declaration_id]\ncolumn = \"declaration_id\""), "{printed}");
    let written = run(folder.path(), &["map", &declarations, "--out", "map.toml"]).expect(0).out;
    assert!(written.contains("FIELD") && written.contains("wrote map.toml"), "{written}");
    assert_eq!(fs::read_to_string(folder.path().join("map.toml")).unwrap().trim_end(), printed.trim_end());
    let json = run(folder.path(), &["map", &declarations, "--json"]).expect(0).json();
    assert!(json["fields"].as_array().unwrap().len() > 30, "{json}");
    let refused = run(folder.path(), &["map", &declarations, "--outcome", "Fraud"]).expect(3);
    assert!(
        refused.err.contains("[mapping_unknown_column]") && refused.err.contains("lane"),
        "{}",
        refused.err
    );
}

#[test]
fn packs_are_listed_shown_checked_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let listed = run(at, &["pack", "list"]).expect(0).out;
    assert!(listed.contains("customs-tags") && listed.contains("in use"), "{listed}");
    let json = run(at, &["pack", "list", "--json"]).expect(0).json();
    assert!(json.as_array().unwrap().iter().any(|pack| pack["id"] == "ens-entry-summary"), "{json}");
    let shown = run(at, &["pack", "show", "customs-lists"]).expect(0).out;
    assert!(shown.contains("licence") && shown.contains("goods.toml"), "{shown}");
    assert!(run(at, &["pack", "show", "customs-list"]).expect(3).err.contains("[pack_unknown]"));

    let packs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"));
    let lists = packs.join("customs-lists");
    let ours = at.join("ours");
    fs::create_dir(&ours).unwrap();
    for file in ["pack.toml", "goods.toml", "places-and-codes.toml"] {
        fs::copy(lists.join(file), ours.join(file)).unwrap();
    }
    run(at, &["pack", "check", "ours"]).expect(0);
    assert!(run(at, &["pack", "diff", "customs-lists", "ours"]).expect(0).out.contains("no difference"));
    let goods = fs::read_to_string(ours.join("goods.toml")).unwrap();
    fs::write(ours.join("goods.toml"), goods.replacen("\"8409\"", "\"8409\", \"8410\"", 1)).unwrap();
    let difference = run(at, &["pack", "diff", "customs-lists", "ours"]).expect(0).out;
    assert!(difference.contains("changed  list parts_headings"), "{difference}");
    fs::write(ours.join("goods.toml"), goods.replacen("\"8409\"", "\"84O9\"", 1)).unwrap();
    let broken = run(at, &["pack", "check", "ours"]).expect(1).out;
    assert!(broken.contains("goods.toml:") && broken.contains("[list_value_malformed]"), "{broken}");
    assert!(run(at, &["pack", "check", "nowhere"]).expect(3).err.contains("[pack_folder_missing]"));
}

#[test]
fn the_meaning_of_a_pack_is_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("rules");
    fs::create_dir(&pack).unwrap();
    let manifest = "id = \"ours\"\nversion = \"1.0.0\"\nkind = \"rules\"\ntitle = { en = \"Ours\", zh = \"自有\" }\n\
                    owner = \"Risk unit\"\nlegal_basis = \"Act 1\"\nsensitivity = \"official\"\nlicence = \"MIT\"\n";
    fs::write(pack.join("pack.toml"), manifest).unwrap();
    let rule = |when: &str| {
        format!(
            "[document]\nroots = [\"A\"]\n[[rule]]\nid = \"one\"\ncode = \"1\"\ncontext = \"/B\"\nwhen = \"{when}\"\n\
             severity = \"error\"\nmessage = {{ en = \"C is missing.\", zh = \"缺少 C。\" }}\n\
             how_to_fix = {{ en = \"Add C.\", zh = \"补充 C。\" }}\n"
        )
    };
    fs::write(pack.join("rules.toml"), rule("!has(C)")).unwrap();
    run(folder.path(), &["pack", "check", "rules"]).expect(0);
    fs::write(pack.join("rules.toml"), rule("!has(C) &&")).unwrap();
    let broken = run(folder.path(), &["pack", "check", "rules"]).expect(1).out;
    assert!(broken.contains("rules.toml:7"), "{broken}");
}

#[test]
fn an_expression_is_checked_and_a_mistake_is_pointed_at() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let valid = run(at, &["rule", "check", "net_mass > gross_mass"]).expect(0).out;
    assert!(valid.contains("valid") && valid.contains("net_mass"), "{valid}");
    let wrong = run(at, &["rule", "check", "net_mas > gross_mass"]).expect(1).out;
    assert!(wrong.contains('^') && wrong.contains("net_mass"), "{wrong}");
    let json = run(at, &["rule", "check", "net_mass >", "--json"]).expect(1).json();
    assert_eq!(json["valid"], false);
    assert_eq!(json["problems"][0]["line"], 1);
}

#[test]
fn a_document_is_held_against_a_pack() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(
        at.join("message.xml"),
        "<CC315A><HEAHEA><TotNumOfIteHEA305>2</TotNumOfIteHEA305></HEAHEA></CC315A>",
    )
    .unwrap();
    let checked = run(at, &["rule", "run", "ens-entry-summary", "message.xml", "--json"]);
    let json = checked.json();
    assert_eq!(json["document"], "CC315A");
    let errors =
        json["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error").count();
    assert_eq!(checked.code, i32::from(errors > 0), "{json}");
    assert!(errors > 0, "a declaration without anything breaks some rule: {json}");
    let text = run(at, &["rule", "run", "ens-entry-summary", "message.xml"]).expect(1).out;
    assert!(text.contains("CC315A") && text.contains("rules of ens-entry-summary"), "{text}");
    fs::write(at.join("broken.xml"), "<CC315A><HEAHEA>").unwrap();
    let refused = run(at, &["rule", "run", "ens-entry-summary", "broken.xml"]).expect(3);
    assert!(refused.err.contains("[xml_"), "{}", refused.err);
}

#[test]
fn messages_are_checked_before_they_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let summary = "<CC315A>\n<HEAHEA>\n<TotNumOfIteHEA305>2</TotNumOfIteHEA305>\n</HEAHEA>\n</CC315A>";
    fs::write(at.join("summary.xml"), summary).unwrap();
    fs::write(at.join("declaration.json"), "{\"type_code\": \"IMA\"}").unwrap();
    fs::write(at.join("other.xml"), "<Invoice/>").unwrap();
    let checked = run(at, &["check", "summary.xml", "declaration.json"]).expect(1).out;
    assert!(checked.contains("summary.xml:3:1: error"), "{checked}");
    assert!(checked.contains("     3 | <TotNumOfIteHEA305>2</TotNumOfIteHEA305>\n       | ^^^"), "{checked}");
    assert!(checked.contains("declaration.json: Declaration") && checked.contains("rejected"), "{checked}");
    let json = run(at, &["check", "summary.xml", "--json"]).expect(1).json();
    assert_eq!(json[0]["checked"]["acceptable"], false, "{json}");
    assert!(json[0]["checked"]["findings"][0]["how_to_fix"].is_string(), "{json}");
    let refused = run(at, &["check", "other.xml"]).expect(3);
    assert!(refused.err.contains("[message_unknown]") && refused.err.contains("other.xml"), "{refused:?}");
    assert!(run(at, &["check", "none.xml"]).expect(3).err.contains("[document_unreadable]"));
}

#[test]
fn tags_are_listed_shown_and_say_why_they_are_on_a_row() {
    let at = world();
    let listed = run(at, &["tags", "list"]).expect(0).out;
    assert!(listed.contains("gross_below_net"), "{listed}");
    let json = run(at, &["tags", "list", "--json"]).expect(0).json();
    let tags: usize =
        json.as_array().unwrap().iter().map(|family| family["tags"].as_array().unwrap().len()).sum();
    assert!(tags >= 120, "{tags}");
    let shown = run(at, &["tags", "show", "gross_below_net"]).expect(0).out;
    assert!(shown.contains("gross_mass < net_mass"), "{shown}");
    assert!(run(at, &["tags", "show", "gross_below_nett"]).expect(3).err.contains("[tag_unknown]"));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.csv");
    fs::write(
        &file,
        "declaration_id,item_number,date,net_mass,gross_mass\nA,1,2024-03-01,10,12\nB,1,2024-03-02,10,9\nC,1,2024-03-02,10,\n",
    )
    .unwrap();
    for (declaration, said) in [("A", "not carried"), ("B", "carried"), ("C", "cannot be told")] {
        let why = run(
            folder.path(),
            &["tags", "why", "gross_below_net", "--declarations", "two.csv", "--declaration", declaration],
        )
        .expect(0)
        .out;
        assert!(why.contains(said), "{declaration}: {why}");
    }
    let refused = run(
        folder.path(),
        &["tags", "why", "gross_below_net", "--declarations", "two.csv", "--declaration", "Z"],
    );
    assert!(refused.expect(3).err.contains("[declaration_unknown]"));
}

#[test]
fn a_suite_tells_each_disagreement_and_its_exit_code_says_whether_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for inner in ["ncts5/xsd", "ncts5/samples"] {
        fs::create_dir_all(at.join("cases").join(inner)).unwrap();
    }
    let schema = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="m" type="xs:int"/></xs:schema>"#;
    fs::write(at.join("cases/ncts5/xsd/m.xsd"), schema).unwrap();
    fs::write(at.join("cases/ncts5/samples/a.xml"), "<m>one</m>").unwrap();
    let suite = |valid: bool, more: &[&str]| {
        let expected = format!(r#"{{"a.xml": {{"xsd": "m.xsd", "xsd_valid": {valid}}}}}"#);
        fs::write(at.join("cases/ncts5/expected.json"), expected).unwrap();
        run(at, &[&["conformance", "ncts", "--cases", "cases"], more].concat())
    };
    assert_eq!(suite(false, &[]).expect(0).out, "ncts: 1/1\n");
    let disagrees = suite(true, &[]).expect(1).out;
    assert!(
        disagrees.starts_with("a.xml: expected valid, got refused (line 1, m[1]: found \"one\""),
        "{disagrees}"
    );
    assert!(disagrees.ends_with("\nncts: 0/1\n"), "{disagrees}");
    let json = suite(true, &["--json"]).expect(1).json();
    assert_eq!((&json["agreed"], &json["cases"][0]["got"]), (&0.into(), &"refused".into()), "{json}");
    // A folder that is named records what came out; the answer is the same.
    let recorded = suite(true, &["--data", "house"]).expect(1);
    assert!(recorded.out.ends_with("\nncts: 0/1\n"), "{}", recorded.out);
    assert!(recorded.err.contains("/conformance"), "{}", recorded.err);
    let unknown = run(at, &["conformance", "nothing", "--cases", "cases"]).expect(2);
    assert!(unknown.err.contains("cds-xsd"), "{}", unknown.err);
    let missing = run(at, &["conformance", "ncts", "--cases", "nowhere"]).expect(3);
    assert!(missing.err.contains("[conformance_cases_missing]"), "{}", missing.err);
}

#[test]
fn what_is_usual_in_ones_own_records_becomes_a_pack() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    run(at, &["country", "--out", "land", "--declarations", "1000"]).expect(0);
    let making = ["tags", "usual", "--declarations", "land/declarations.csv", "--out", "usual"];
    let made = run(at, &[&making[..], &["--json"]].concat()).expect(0).json();
    assert!(made["rows"]["prices.csv"].as_u64().unwrap() > 10, "{made}");
    assert!(run(at, &making).expect(3).err.contains("[folder_used]"), "a pack is not written over another");
    let checked = run(at, &["pack", "check", "usual"]).expect(0).out;
    assert!(checked.contains("nothing is wrong"), "{checked}");

    let imported = ["import", "--data", "data", "land/declarations.csv"];
    run(at, &imported).expect(0);
    let of_pool =
        run(at, &["tags", "usual", "--data", "data", "--out", "of_pool", "--json"]).expect(0).json();
    assert_eq!(of_pool["rows"], made["rows"], "the pool has the same records");
}

#[test]
fn many_conditions_are_asked_of_a_file_of_many_entries() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    run(at, &["country", "--out", "land", "--declarations", "300"]).expect(0);
    let rules = [
        (r#"all"#, r#"has(declaration_id)"#),
        (r#"china"#, r#"origin_country == \"CN\""#),
        (r#"elsewhere"#, r#"origin_country != \"CN\""#),
        (r#"unknown, or so"#, r#"!has(origin_country)"#),
        (r#"cheap"#, r#"customs_value / net_mass < 5 && commodity_code.startsWith(\"6\")"#),
        (r#"never"#, r#"customs_value < 0 || origin_country in rare_list"#),
    ];
    let write = |rules: &[(&str, &str)]| {
        let lines = rules.iter().map(|(id, when)| format!("{{\"id\": \"{id}\", \"when\": \"{when}\"}}\n"));
        fs::write(at.join("rules.jsonl"), lines.collect::<String>()).unwrap();
    };
    let matching = ["tags", "match", "--rules", "rules.jsonl", "--entries", "land/declarations.parquet"];
    let told = |more: &[&str]| run(at, &[&matching[..], &["--counts", "counts.csv"], more].concat());

    write(&rules);
    let refused = told(&[]).expect(3);
    for part in ["[rules_refused]", "line 6", "rare_list", "^"] {
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
    assert!(!at.join("counts.csv").exists(), "a refused run writes nothing");

    fs::write(
        at.join("rules.jsonl"),
        "{\"id\": 7, \"when\": \"true\"}\n{\"id\": \"7\", \"when\": \"false\"}",
    )
    .unwrap();
    let doubled = told(&[]).expect(3);
    assert!(doubled.err.contains("line 2") && doubled.err.contains("rule_id_doubled"), "{}", doubled.err);
    fs::write(at.join("rules.jsonl"), "{\"id\": 7, \"when\": \"true\"}\n\n{\"id\": 8, \"when\": \"false\"}")
        .unwrap();
    told(&[]).expect(0);
    let counts = fs::read_to_string(at.join("counts.csv")).unwrap();
    assert!(counts.starts_with("id,count\n7,") && counts.ends_with("\n8,0\n"), "{counts}");

    write(&rules[..5]);
    let report = told(&["--json", "--threads", "2"]).expect(0).json();
    let counts = fs::read_to_string(at.join("counts.csv")).unwrap();
    let count = |id: &str| -> u64 {
        let line = counts.lines().find_map(|line| line.strip_prefix(id)?.strip_prefix(','));
        line.unwrap_or_else(|| panic!("{id}: {counts}")).parse().unwrap()
    };
    assert_eq!(count("all"), report["entries"].as_u64().unwrap());
    assert_eq!(count("china") + count("elsewhere") + count("\"unknown, or so\""), count("all"));
    assert!(count("china") > 0 && count("cheap") > 0 && count("cheap") < count("all"), "{counts}");
    assert_eq!(
        report["matches"],
        ["all", "china", "elsewhere", "\"unknown, or so\"", "cheap"].map(count).iter().sum::<u64>()
    );
    let shown = told(&["--pairs"]).expect(0).out;
    assert!(shown.contains("entries per CPU-second"), "{shown}");
    assert_eq!(
        fs::read_to_string(at.join("counts.csv")).unwrap(),
        counts,
        "threads and pairs change no count"
    );

    // The same conditions, kept with who carries them.
    let keeping = ["tags", "backfill", "--history", "kept", "--entries", "land/declarations.parquet"];
    let new = run(at, &[&keeping[..], &["--rules", "rules.jsonl"]].concat()).expect(3);
    assert!(new.err.contains("[history_column_needed]"), "{}", new.err);
    let kept = [&keeping[..], &["--rules", "rules.jsonl", "--by", "importer_id", "--json"]].concat();
    let kept = run(at, &kept).expect(0).json();
    assert_eq!((&kept["matches"], &kept["complete"]), (&report["matches"], &serde_json::json!(true)));
    let again = run(at, &[&keeping[..], &["--json"]].concat()).expect(0).json();
    assert_eq!(again["asked"], 0, "there was nothing left to do: {again}");
    let query = ["tags", "query", "--history", "kept", "cheap && china", "--json"];
    let found = run(at, &query).expect(0).json();
    let importer = found["named"][0].as_str().unwrap();
    let told =
        run(at, &["tags", "explain", "--history", "kept", "cheap", importer, "--json"]).expect(0).json();
    assert_eq!(told["first"]["explanation"]["truth"], "true", "{told}");
    assert!(told["entries"].as_u64().unwrap() > 0, "{told}");
    let shown = run(at, &["tags", "explain", "--history", "kept", "cheap", importer]).expect(0).out;
    assert!(shown.contains("customs_value / net_mass < 5"), "{shown}");

    write(&[
        rules[0],
        ("nobody", r#"customs_value < 0 && customs_value > 1"#),
        ("again", r#"has(declaration_id)"#),
    ]);
    let linting = ["tags", "lint", "--rules", "rules.jsonl", "--entries", "land/declarations.parquet"];
    let remarks = run(at, &linting).expect(1).out;
    for part in
        ["nobody: no entry can fulfil it", "again: it is true exactly where all is", "3 rules, 2 remarks"]
    {
        assert!(remarks.contains(part), "{part}: {remarks}");
    }
}

#[test]
fn aggregates_over_days_become_columns_that_conditions_read() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    run(at, &["country", "--out", "land", "--declarations", "300"]).expect(0);
    let aggregates = "[aggregate]\nvalue_90 = { measure = \"sum\", of = \"customs_value\", days = 90 }\n\
                      entries_90 = { measure = \"count\", days = 90 }\n";
    fs::write(at.join("a.toml"), aggregates).unwrap();
    let aggregating = |date: &str, more: &[&str]| {
        let own = ["tags", "aggregate", "--entries", "land/declarations.parquet", "--by", "importer_id"];
        let rest = ["--date", date, "--as-of", "2026-01-01", "--aggregates", "a.toml", "--out", "a.parquet"];
        run(at, &[&own[..], &rest[..], more].concat())
    };
    let refused = aggregating("dat", &[]).expect(3);
    assert!(refused.err.contains("column_unknown") && refused.err.contains("--date"), "{}", refused.err);
    assert!(!at.join("a.parquet").exists());
    let report = aggregating("date", &["--json"]).expect(0).json();
    let entities = report["entities"].as_u64().unwrap();
    assert!(entities > 5 && report["in_windows"].as_u64().unwrap() > 0, "{report}");
    assert!(aggregating("date", &["--threads", "2"]).expect(0).out.contains("2 aggregates of"));
    fs::write(at.join("r.jsonl"), "{\"id\": \"all\", \"when\": \"entries_90 >= 0 && value_90 >= 0\"}")
        .unwrap();
    run(at, &["tags", "match", "--rules", "r.jsonl", "--entries", "a.parquet", "--counts", "c.csv"])
        .expect(0);
    assert_eq!(fs::read_to_string(at.join("c.csv")).unwrap(), format!("id,count\nall,{entities}\n"));
}
