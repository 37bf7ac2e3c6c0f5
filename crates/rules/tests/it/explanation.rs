//! The reasons that readers are given.

use std::fmt::Write;

use rules::{Budget, Explanation, Truth, compile_document_rule, parse};

use crate::support::{compile, lists, table, tree};

/// An explanation as indented lines.
fn outline(explanation: &Explanation) -> String {
    fn write(out: &mut String, explanation: &Explanation, level: usize) {
        let truth =
            explanation.truth.map(|truth| format!(" is {truth:?}").to_lowercase()).unwrap_or_default();
        let value = explanation.value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
        let places: Vec<&str> = explanation.pointers.iter().map(|pointer| pointer.0.as_str()).collect();
        let places = if places.is_empty() { String::new() } else { format!(" @ {}", places.join(" ")) };
        writeln!(out, "{}{}{truth}{value}{places}", "  ".repeat(level), explanation.source).unwrap();
        for part in &explanation.parts {
            write(out, part, level + 1);
        }
    }
    let mut out = String::new();
    write(&mut out, explanation, 0);
    out
}

#[test]
fn every_part_of_a_rule_over_an_entry_shows_its_value_and_field() {
    let rule = compile("(hs_heading(u) in headings || t == \"x\") && n / m < 2 && has(w)");
    insta::assert_snapshot!(outline(&rule.explain(&table(), 0)), @r#"
    (hs_heading(u) in headings || t == "x") && n / m < 2 && has(w) is true
      (hs_heading(u) in headings || t == "x") is true
        hs_heading(u) in headings is true
          hs_heading(u) = 8708
            u = 87.08.29 @ u
        t == "x" is false
          t = alpha @ t
      n / m < 2 is true
        n / m = -0.8333333333333333333333333333
          n = 2.5 @ n
          m = -3 @ m
      has(w) is true
        w = 2026-03-11T22:05:00 @ w
    "#);
    insta::assert_snapshot!(outline(&rule.explain(&table(), 2)), @r#"
    (hs_heading(u) in headings || t == "x") && n / m < 2 && has(w) is false
      (hs_heading(u) in headings || t == "x") is unknown
        hs_heading(u) in headings is unknown
          hs_heading(u)
            u @ u
        t == "x" is unknown
          t @ t
      n / m < 2 is unknown
        n / m
          n @ n
          m @ m
      has(w) is false
        w @ w
    "#);
    let read: Vec<String> =
        rule.explain(&table(), 0).read().into_iter().map(|pointer| pointer.0.clone()).collect();
    assert_eq!(read, ["u", "t", "n", "m", "w"]);
}

#[test]
fn in_a_document_the_deciding_elements_are_shown_with_their_places() {
    let document = tree(
        "
        DOC
          ITEM
            NO = 1
            KIND = A
          ITEM
            NO = 2
            KIND = B
            KIND = C
          ITEM
            NO = 3
        ",
    );
    let explain = |source: &str| {
        let rule = compile_document_rule(&parse(source).unwrap(), &lists()).unwrap();
        outline(&rule.explain(&document, document.root(), &mut Budget::of_steps(10_000)))
    };
    insta::assert_snapshot!(explain("ITEM.exists(x, \"B\" in x.KIND)"), @r#"
    ITEM.exists(x, "B" in x.KIND) is true
      ITEM @ ITEM[1] ITEM[2] ITEM[3]
      "B" in x.KIND is true
        x.KIND = [B, C] @ ITEM[2]/KIND[1] ITEM[2]/KIND[2]
    "#);
    insta::assert_snapshot!(explain("ITEM.all(x, has(x.KIND)) || sum(ITEM.filter(x, !has(x.KIND)).NO) > 5"), @"
    ITEM.all(x, has(x.KIND)) || sum(ITEM.filter(x, !has(x.KIND)).NO) > 5 is false
      ITEM.all(x, has(x.KIND)) is false
        ITEM @ ITEM[1] ITEM[2] ITEM[3]
        has(x.KIND) is false
          x.KIND
      sum(ITEM.filter(x, !has(x.KIND)).NO) > 5 is false
        sum(ITEM.filter(x, !has(x.KIND)).NO) = 3
          ITEM.filter(x, !has(x.KIND)).NO = [3] @ ITEM[3]/NO[1]
            ITEM.filter(x, !has(x.KIND))
              ITEM @ ITEM[1] ITEM[2] ITEM[3]
              !has(x.KIND) is true
                has(x.KIND) is false
                  x.KIND
    ");
}

#[test]
fn an_explanation_is_json_without_empty_parts() {
    let explanation = compile("n > 1").explain(&table(), 0);
    assert_eq!(explanation.truth, Some(Truth::True));
    assert_eq!(
        serde_json::to_string(&explanation).unwrap(),
        r#"{"source":"n > 1","truth":"true","parts":[{"source":"n","value":"2.5","pointers":["n"]}]}"#
    );
}
