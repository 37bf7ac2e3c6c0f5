//! What authors get wrong: each fault a finding with pack, file, line and remedy.

use packs::Pack;
use rules::Lists;
use spine::Silent;
use spine::declaration_entry::{self, OUTCOME_FIELDS};
use tags::{TagSet, check_pack};

use crate::support::{compile, family, pack, table};

/// Checks that the text gives exactly one finding with this code, at this line, whose remedy says `words`.
fn check(text: &str, code: &str, line: usize, words: &str) {
    let (set, findings) = compile(text);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = &findings[0];
    assert_eq!(finding.code, code, "{finding}");
    assert!(finding.pointer.0.starts_with(&format!("test-tags/family.toml:{line}")), "{}", finding.pointer);
    assert!(finding.to_string().contains(words), "{finding}");
    assert!(set.definitions().len() <= 1, "what is faulty is left out");
}

/// The line on which the only tag of [`family`] has its id.
const TAG_LINE: usize = 5;

/// Checks the fault of a tag with this head and condition.
fn check_tag(head: &str, when: &str, words: &str) {
    check(&family(&[("faulty", head, when)]), "tag_refused", TAG_LINE, words);
}

#[test]
fn a_condition_is_checked_against_the_record() {
    check_tag("", "net_mas > 3", "net_mass");
    check_tag("", "net_mass > 'heavy'", "net_mass");
    check_tag("", "net_mass +", "net_mass +");
    check_tag("", "net_mass", "net_mass");
    check_tag("", "commodity_code in no_such_list", "no_such_list");
}

#[test]
fn what_became_of_a_declaration_is_refused_in_conditions_and_aggregates() {
    for field in OUTCOME_FIELDS {
        check_tag("", &format!("has({field})"), "became of a declaration");
        let where_it = format!(
            "[aggregate]\nn = {{ measure = \"count\", by = [\"importer_id\"], where = \"has({field})\" }}\n"
        );
        check(&where_it, "tag_aggregate_refused", 2, "became of a declaration");
        let by_it = format!("[aggregate]\nn = {{ measure = \"count\", by = [\"{field}\"] }}\n");
        check(&by_it, "tag_aggregate_refused", 2, "became of a declaration");
    }
}

#[test]
fn a_tag_without_texts_or_with_a_crooked_id_is_refused() {
    check_tag("valid_days = 3", "net_mass > 3", "enterprises and routes");
    check_tag("on = \"enterprise\"\nenterprise_field = \"office_id\"", "net_mass > 3", "importer_id");
    let text = family(&[("faulty", "", "net_mass > 3")]);
    check(&text.replace("id = \"faulty\"", "id = \"Faulty Tag\""), "tag_refused", TAG_LINE, "small letters");
    check(&text.replace(", zh = \"示\"", ""), "tag_refused", TAG_LINE, "中文");
    check(&text.replace("en = \"D\"", "en = \"\""), "tag_refused", TAG_LINE, "English");
}

#[test]
fn ids_are_unique_and_files_have_a_family() {
    let text = family(&[("one", "", "net_mass > 3"), ("one", "", "net_mass > 4")]);
    check(&text, "tag_refused", TAG_LINE, "there already");
    let tag = &text[text.find("[[tag]]").unwrap()..text.rfind("[[tag]]").unwrap()];
    check(tag, "tag_family_missing", 1, "[family]");
}

#[test]
fn an_aggregate_must_make_sense() {
    let of = |text: &str| format!("[aggregate]\nfine = {{ measure = \"count\" }}\nn = {text}\n");
    let table = [
        ("{ measure = \"count\", by = [\"importer\"] }", "no field importer"),
        ("{ measure = \"count\", by = [\"net_mass[:2]\"] }", "no text"),
        ("{ measure = \"sum\" }", "needs `of`"),
        ("{ measure = \"count\", of = \"net_mass\" }", "no `of`"),
        ("{ measure = \"sum\", of = \"importer_id\" }", "no number"),
        ("{ measure = \"share\" }", "needs `where`"),
        ("{ measure = \"count\", days = 0 }", "0 days"),
        ("{ measure = \"days_since_last\", same_day = true }", "no meaning"),
        ("{ measure = \"count\", where = \"fine > 3\" }", "fine"),
    ];
    for (aggregate, words) in table {
        check(&of(aggregate), "tag_aggregate_refused", 3, words);
    }
    check("[aggregate]\nnet_mass = { measure = \"count\" }\n", "tag_aggregate_refused", 2, "already");
    check(
        "[aggregate]\nn = { measure = \"count\", by = [\"importer_id[:0]\"] }\n",
        "tag_file_unreadable",
        2,
        "importer_id[:0]",
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_its_line() {
    check("[family]\nid = \"f\"\nheading = 3\n", "tag_file_unreadable", 3, "heading");
    check("[[tag]\n", "tag_file_unreadable", 1, "docs/tags.md");
}

/// The findings of a pack's cases: code and the tail of the pointer.
fn case_findings(head: &str, cases: &str) -> Vec<(String, String)> {
    let text = family(&[("t", head, "net_mass > 3")]) + cases;
    let findings = check_pack(&pack(&[("family.toml", &text)]), &[], &declaration_entry::schema());
    findings
        .into_iter()
        .map(|finding| (finding.code, finding.pointer.0.rsplit('/').next().unwrap().to_owned()))
        .collect()
}

#[test]
fn cases_that_are_missing_wrong_or_unreadable_are_told_apart() {
    let missing = ("tag_case_missing".to_owned(), "cases".to_owned());
    assert_eq!(case_findings("", ""), vec![missing.clone(), missing.clone(), missing.clone()]);
    let cases = "cases = [\n  { expect = \"tagged\", set = { net_mass = 2 } },\n  { expect = \"not_tagged\", \
                 set = { net_mas = 2 } },\n  { expect = \"unknown\" },\n]\n";
    let failed = ("tag_case_failed".to_owned(), "cases[1]".to_owned());
    let unreadable = ("tag_case_unreadable".to_owned(), "cases[2]".to_owned());
    assert_eq!(case_findings("", cases), vec![failed, unreadable]);
}

#[test]
fn the_packs_example_is_under_the_tags_own() {
    let text = "[example]\nnet_mass = 5\ngross_mass = 9\n".to_owned()
        + &family(&[("t", "example = { net_mass = 2 }", "net_mass > 3 || gross_mass < 9")])
        + "cases = [\n  { expect = \"not_tagged\" },\n  { expect = \"tagged\", set = { net_mass = 4 } },\n  \
           { expect = \"unknown\", without = [\"net_mass\"] },\n]\n";
    let findings = check_pack(&pack(&[("family.toml", &text)]), &[], &declaration_entry::schema());
    assert!(findings.is_empty(), "{findings:#?}");
}

const TABLED: &str = r#"[family]
id = "family"
title = { en = "Family", zh = "族" }
[[tag]]
id = "heavy_{key}"
table = "table.csv"
title = { en = "Heavy {heading}", zh = "{heading} 重" }
description = { en = "D" }
inspection_hint = { en = "H", zh = "示" }
when = 'commodity_code.startsWith("{heading}") && net_mass > {most}'
example = { commodity_code = "{heading}00", net_mass = 1 }
cases = [
  { expect = "tagged", set = { net_mass = 1000 } },
  { expect = "not_tagged" },
  { expect = "unknown", without = ["net_mass"] },
]
"#;

#[test]
fn a_tag_with_a_table_stands_for_one_tag_a_row() {
    let pack = pack(&[("family.toml", TABLED), ("table.csv", "key,heading,most\na,0101,5\nb, 8703 ,2.5\n")]);
    assert_eq!(check_pack(&pack, &[], &declaration_entry::schema()), []);
    let (set, _) = tags::TagSet::from_packs(&[&pack], &declaration_entry::schema());
    let told: Vec<(&str, &str, &str, u64)> = set
        .definitions()
        .iter()
        .map(|tag| (tag.id.as_str(), tag.when.as_str(), tag.source.file.as_str(), tag.source.line))
        .collect();
    let heavy = |heading, most| format!("commodity_code.startsWith(\"{heading}\") && net_mass > {most}");
    assert_eq!(
        told,
        [
            ("heavy_a", heavy("0101", "5").as_str(), "table.csv", 2),
            ("heavy_b", heavy("8703", "2.5").as_str(), "table.csv", 3),
        ]
    );
    assert_eq!(set.position("heavy_b"), Some(1));
}

#[test]
fn a_row_that_cannot_be_used_is_told_with_its_line_and_the_others_stay() {
    /// Code and pointer of each finding, and how many tags there are.
    fn check(table: &str, tags: usize, expect: &[(u64, &str)]) {
        let pack = pack(&[("family.toml", TABLED), ("table.csv", table)]);
        let (set, findings) = tags::TagSet::from_packs(&[&pack], &declaration_entry::schema());
        assert_eq!(set.definitions().len(), tags, "{table}: {findings:#?}");
        assert_eq!(findings.len(), expect.len(), "{table}: {findings:#?}");
        for (finding, (line, words)) in findings.iter().zip(expect) {
            assert_eq!(finding.code, "tag_refused");
            assert!(finding.pointer.0.starts_with(&format!("test-tags/table.csv:{line}/")), "{finding}");
            assert!(finding.to_string().contains(words), "{finding}");
        }
    }
    check("key,heading,most\na,0101,5\na,0102,5\n", 1, &[(3, "there already")]);
    check("key,heading,most\na,01\\\"01,5\nb,0102,5\n", 1, &[(2, "quotation mark")]);
    check("key,heading,most\na,0101,five\nb,0102,5\n", 1, &[(2, "five")]);
    check("key,heading,most\na,0101\nb,0102,5\n", 1, &[(2, "fields")]);
    check("key,heading\na,0101\n", 0, &[(2, "no column \"most\"")]);
    check("key,Heading,most\n", 0, &[(1, "small letters")]);
    let pack = pack(&[("family.toml", TABLED)]);
    let (_, findings) = tags::TagSet::from_packs(&[&pack], &declaration_entry::schema());
    assert!(findings[0].to_string().contains("no table table.csv"), "{}", findings[0]);
}

#[test]
fn what_was_compiled_before_excuses_nothing() {
    let window = "[aggregate]\nown = { measure = \"count\", by = [\"importer_id\"], days = 9 }\n";
    let tags = family(&[("often", "", "own > 0"), ("listed", "", "origin_country in kinds")]);
    let kinds = |code: &str| Lists([("kinds".to_owned(), [code.to_owned()].into())].into());
    let schema = declaration_entry::schema();
    let files = |text: String| pack(&[("family.toml", &text)]);
    let (with, without) = (files(format!("{window}{tags}")), files(tags.clone()));
    let (before, findings) = TagSet::from_packs_and_lists(&[&with], &schema, &kinds("CN"));
    assert_eq!(findings, []);
    let entries = table(&["importer_id=A origin_country=CN day=1", "importer_id=A origin_country=DE day=2"]);
    let check = |pack: &Pack, lists: &Lists, refused: usize, rows_told: &[&[u32]]| {
        let (set, findings) = before.edited(&[pack], &schema, lists);
        assert_eq!(findings, TagSet::from_packs_and_lists(&[pack], &schema, lists).1);
        assert_eq!(findings.len(), refused, "{findings:#?}");
        let hits = set.apply(&entries, &Silent).unwrap().hits;
        assert_eq!(hits.iter().map(|hit| hit.rows.iter().collect()).collect::<Vec<Vec<u32>>>(), rows_told);
    };
    check(&with, &kinds("CN"), 0, &[&[1], &[0]]);
    check(&with, &kinds("DE"), 0, &[&[1], &[1]]);
    check(&with, &Lists::default(), 1, &[&[1]]);
    check(&without, &kinds("CN"), 1, &[&[0]]);
}
