//! Rule packs: reading them, checking documents with them.

use rules::{FINDINGS_MAX, RulePack};
use spine::tree::Tree;
use spine::{Language, Severity};

use crate::support::{lists, tree};

const HEAD: &str = "[document]\nroots = [\"DOC\"]\nprefix = \"x\"\n";

/// A rule with the texts that every rule needs.
fn rule(id: &str, context: &str, when: &str, more: &str) -> String {
    format!(
        "[[rule]]\nid = \"{id}\"\ncode = \"C_{id}\"\ncontext = \"{context}\"\nwhen = '''{when}'''\nseverity = \"error\"\n\
         message = {{ en = \"Broken.\", zh = \"违反。\" }}\nhow_to_fix = {{ en = \"Mend it.\", zh = \"请更正。\" }}\n{more}\n"
    )
}

fn pack(rules: &[String]) -> RulePack {
    let (pack, findings) = RulePack::from_toml("test.toml", &format!("{HEAD}{}", rules.concat()), &lists());
    assert_eq!(findings, []);
    pack
}

fn document() -> Tree {
    tree(
        "
        DOC
          ITEM
            NO = 1
          ITEM
            NO = 3
            PARTY
              ID = GB1
          ITEM
        ",
    )
}

#[test]
fn findings_come_in_document_order_with_code_place_and_reason() {
    let pack = pack(&[
        rule("numbered", "/ITEM", "number(NO) != position(this)", "at = \"NO\""),
        rule(
            "party",
            "/ITEM",
            "!has(PARTY.ID)",
            "at = \"PARTY/ID\"\nlegal_basis = \"Article 1\"\nsensitivity = \"sealed\"",
        ),
        rule("many", "/", "count(ITEM) > 2", ""),
        rule("nowhere", "/ITEM/PARTY/NAME", "true", ""),
        rule("unknown", "/ITEM", "NO == \"9\"", ""),
    ]);
    let found = pack.check(&document());
    let lines: Vec<String> =
        found.iter().map(|finding| format!("{} {}", finding.code, finding.location)).collect();
    assert_eq!(
        lines,
        [
            "C_many /x:DOC[1]",
            "C_party /x:DOC[1]/ITEM[1]/PARTY[1]/ID[1]",
            "C_numbered /x:DOC[1]/ITEM[2]/NO[1]",
            "C_party /x:DOC[1]/ITEM[3]/PARTY[1]/ID[1]",
        ]
    );
    let numbered = &found[2];
    assert_eq!((numbered.rule_id.as_str(), numbered.severity), ("numbered", Severity::Error));
    assert_eq!(numbered.message.in_language(Language::Zh), "违反。");
    assert_eq!(numbered.pointer.0, "ITEM[2]/NO[1]");
    assert_eq!(numbered.explanation.source, "number(NO) != position(this)");
    assert_eq!(numbered.explanation.read().len(), 2);
    assert_eq!((found[1].legal_basis.as_deref(), found[2].legal_basis.as_deref()), (Some("Article 1"), None));
    assert_eq!((found[1].sensitivity, found[2].sensitivity), (Some(spine::Sensitivity::Sealed), None));
}

#[test]
fn other_documents_are_none_of_its_business() {
    let pack = pack(&[rule("always", "/", "true", "")]);
    assert!(pack.applies_to(&Tree::new("DOC")) && !pack.applies_to(&Tree::new("OTHER")));
    assert_eq!(pack.check(&Tree::new("DOC")).len(), 1);
    assert_eq!(pack.check(&Tree::new("OTHER")), []);
}

/// What is wrong with a file, as place, code and a piece of the remedy; and how many of its rules still work.
fn check(text: &str, good: usize, expected: &[(&str, &str, &str)]) {
    let (pack, findings) = RulePack::from_toml("f.toml", text, &lists());
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(findings.len(), expected.len(), "{told:#?}");
    for (finding, (place, code, piece)) in findings.iter().zip(expected) {
        assert_eq!((finding.pointer.0.as_str(), finding.code.as_str()), (*place, *code), "{finding}");
        assert!(finding.how_to_fix.contains(piece), "{finding}");
    }
    assert_eq!(pack.definitions().len(), good);
}

#[test]
fn a_file_that_cannot_be_used_says_where_and_why() {
    let unreadable = "rule_file_unreadable";
    check("", 0, &[("f.toml:1", unreadable, "document")]);
    check("[document]\nroots = [\"DOC\"\n", 0, &[("f.toml:2", unreadable, "unclosed array")]);
    check(&format!("{HEAD}\n[[rule]]\nwen = \"x\"\n"), 0, &[("f.toml:6", unreadable, "unknown field `wen`")]);
    let huge = format!("{HEAD}# {}", "x".repeat(5_000_000));
    check(&huge, 0, &[("f.toml:1", "rule_file_too_large", "Split")]);
}

#[test]
fn a_rule_that_cannot_be_used_leaves_the_others_working() {
    let (good, refused) = (rule("good", "/", "has(A)", ""), "rule_refused");
    check(
        &format!("[document]\nroots = []\n{good}"),
        1,
        &[("f.toml:2/document", "rule_file_without_roots", "CC315A")],
    );
    let bad = rule("bad", "/", "has(A) && ", "");
    let told = "in `when`, line 1, column 11: expected a value";
    check(&format!("{HEAD}{bad}{good}"), 1, &[("f.toml:8/bad", refused, told)]);
    let bad = rule("Bad", "A//B", "A > 1", "at = \"/C\"");
    let places = [
        ("f.toml:14/Bad", refused, "small letters"),
        ("f.toml:14/Bad", refused, "context must be"),
        ("f.toml:14/Bad", refused, "at must be"),
        ("f.toml:17/Bad", refused, "number(...)"),
    ];
    check(&format!("{HEAD}{good}{bad}"), 1, &places);
    let twice = good.replace("\"error\"", "\"information\"").replace("Mend it.", " ").replace("C_good", "");
    let places = [
        ("f.toml:14/good", refused, "unique"),
        ("f.toml:14/good", refused, "code is empty"),
        ("f.toml:14/good", refused, "error or warning"),
        ("f.toml:14/good", refused, "how_to_fix needs a text in English"),
    ];
    check(&format!("{HEAD}{good}{twice}"), 1, &places);
}

#[test]
fn a_document_that_needs_too_many_steps_gets_a_finding_not_a_hanging_office() {
    let pack = pack(&[
        rule("cheap", "/", "has(ITEM)", ""),
        rule("dear", "/ITEM", "root.ITEM.exists(x, root.ITEM.exists(y, x.NO == \"0\" && y.NO == \"0\"))", ""),
        rule("behind", "/", "true", ""),
    ]);
    let mut big = Tree::new("DOC");
    for _ in 0..500 {
        let item = big.add(big.root(), "ITEM", "").unwrap();
        big.add(item, "NO", "1").unwrap();
    }
    let found = pack.check_within(&big, 200_000);
    let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["C_cheap", "rule_budget_exceeded"]);
    assert_eq!((found[1].rule_id.as_str(), found[1].location.as_str()), ("dear", "/x:DOC[1]"));
}

#[test]
fn findings_are_bounded_too() {
    let pack = pack(&[rule("every", "/ITEM", "true", "")]);
    let mut big = Tree::new("DOC");
    for _ in 0..=FINDINGS_MAX {
        big.add(big.root(), "ITEM", "");
    }
    let found = pack.check(&big);
    assert_eq!(found.len(), FINDINGS_MAX + 1);
    assert_eq!(found[FINDINGS_MAX].code, "rule_findings_exceeded");
}

#[test]
fn a_rule_that_needs_a_list_which_is_not_there_is_checked_but_not_asked() {
    let rules = [
        rule("known", "/ITEM", "has(NO)", "needs = [\"greek\"]"),
        rule("unknown", "/ITEM", "!(NO in offices)", "needs = [\"offices\"]"),
    ];
    let pack = pack(&rules);
    let asked: Vec<&str> = pack.definitions().iter().map(|rule| rule.id.as_str()).collect();
    let not_asked: Vec<&str> = pack.not_asked().iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!((asked, not_asked), (vec!["known"], vec!["unknown"]));
    assert_eq!(pack.missing_lists().iter().collect::<Vec<_>>(), ["offices"]);
    let broken: Vec<String> = pack.check(&document()).into_iter().map(|finding| finding.rule_id).collect();
    assert_eq!(broken, ["known", "known"]);
    // Its condition has to be one all the same, and its id to be its own.
    let broken = [
        rule("unknown", "/ITEM", "!(NO in offices", "needs = [\"offices\"]"),
        rule("twice", "/", "true", "needs = [\"offices\"]"),
        rule("twice", "/", "true", ""),
    ];
    let (_, findings) = RulePack::from_toml("f.toml", &format!("{HEAD}{}", broken.concat()), &lists());
    assert_eq!(findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), ["rule_refused"; 2]);
}

#[test]
fn a_file_may_say_of_which_documents_it_is_asked() {
    let asked = |condition: &str| -> (usize, Vec<String>) {
        let text = format!(
            "[document]\nroots = [\"DOC\"]\nwhere = '''{condition}'''\n{}",
            rule("any", "/", "has(ITEM)", "")
        );
        let (pack, findings) = RulePack::from_toml("f.toml", &text, &lists());
        let codes =
            findings.into_iter().map(|finding| format!("{} {}", finding.code, finding.pointer)).collect();
        (pack.check(&document()).len(), codes)
    };
    assert_eq!(asked("count(ITEM) == 3"), (1, vec![]));
    assert_eq!(asked("count(ITEM) == 4"), (0, vec![]));
    // What is unknown is not true.
    assert_eq!(asked("COUNTRY == \"GB\""), (0, vec![]));
    // Rules whose condition cannot be read are asked of nothing.
    assert_eq!(asked("count(ITEM"), (0, vec!["rule_refused f.toml:3/document".to_owned()]));
}
