//! What authors get wrong: each fault a finding with pack, file, line and remedy.

use spine::declaration_entry::{self, OUTCOME_FIELDS};
use tags::check_pack;

use crate::support::{compile, family, pack};

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
