//! What rules answer at the nodes of a document.

use rules::{Budget, Truth, compile_document_rule, parse};
use spine::tree::{NodeId, Tree};

use crate::support::{cells, lists, tree};

fn document() -> Tree {
    tree(
        "
        DOC
          HEAD
            NUM = 2
            DAY = 20260311
            TIME = 202603112205
            EMPTY
          ITEM
            NO = 1
            MASS = 10.5
            PACK
              KIND = VQ
            PACK
              KIND = BX
              COUNT = 3
          ITEM
            NO = 2
            MASS = x
            PACK
              KIND = CT
              COUNT = 0
          PARTY
            ID = GB1
        ",
    )
}

fn answer(tree: &Tree, context: &str, source: &str) -> String {
    let expression = parse(source).unwrap_or_else(|error| panic!("{}", error.render(source)));
    let rule = compile_document_rule(&expression, &lists())
        .unwrap_or_else(|errors| panic!("{}", errors[0].render(source)));
    let path: Vec<&str> = context.split('/').filter(|step| !step.is_empty()).collect();
    let mut budget = Budget::of_steps(100_000);
    let letter = |node: NodeId| match rule.evaluate(tree, node, &mut budget) {
        Truth::True => 't',
        Truth::False => 'f',
        Truth::Unknown => '?',
    };
    let nodes = tree.at_path(&path);
    if nodes.is_empty() { "-".to_owned() } else { nodes.into_iter().map(letter).collect() }
}

/// Each line: context, rule, one letter a context node, or - where there is none.
fn check(table: &str) {
    let document = document();
    for line in cells(table) {
        let [context, source, expected] = line[..] else { panic!("three cells in {line:?}") };
        assert_eq!(answer(&document, context, source), expected, "{source} at {context}");
    }
}

#[test]
fn names_are_children_and_one_child_stands_for_its_text() {
    check(
        r#"
        /      | HEAD.NUM == "2"                       | t
        /      | HEAD.NUM == "3"                       | f
        /      | HEAD.NONE == "3"                      | ?
        /      | ITEM.NO == "1"                        | ?
        /      | HEAD.EMPTY == ""                      | t
        /ITEM  | NO == "1"                             | tf
        /ITEM  | this.NO == "1"                        | tf
        /ITEM  | PACK.KIND == "CT"                     | ?t
        /ITEM  | parent.HEAD.NUM == NO                 | ft
        /ITEM  | root.PARTY.ID == "GB1"                | tt
        /ITEM/NO | this == "1"                         | tf
        /ITEM/NO | parent.PACK.size() == 2             | tf
        /      | has(parent)                           | f
        /HEAD/NUM | number(this) == count(root.ITEM)   | t
        /NONE  | true                                  | -
        "#,
    );
}

#[test]
fn presence_and_number_are_always_known() {
    check(
        r#"
        /      | has(ITEM) && has(HEAD.EMPTY)          | t
        /      | has(NONE) || has(HEAD.NONE.NONE)      | f
        /      | count(ITEM) == 2 && ITEM.size() == 2  | t
        /      | count(NONE) == 0 && size(NONE) == 0   | t
        /      | count(ITEM.PACK) == 3                 | t
        /ITEM  | has(PACK.COUNT)                       | tt
        /ITEM  | has(number(MASS))                     | tf
        "#,
    );
}

#[test]
fn texts_become_numbers_and_dates_on_request() {
    check(
        r#"
        /ITEM  | number(MASS) > 10                     | t?
        /HEAD  | date(DAY) == date("2026-03-11")       | t
        /HEAD  | date_time(TIME).getHours() == 22      | t
        /HEAD  | date(NUM) == date(DAY)                | ?
        /      | sum(ITEM.PACK.COUNT) == 3             | t
        /      | sum(ITEM.MASS) > 0                    | ?
        /      | sum(NONE) == 0                        | t
        /      | max(ITEM.NO) == count(ITEM)           | t
        /      | min(NONE) == 0                        | ?
        /      | size(HEAD.DAY.trim()) == 8            | t
        "#,
    );
}

#[test]
fn repeated_groups_are_asked_one_by_one() {
    check(
        r#"
        /      | ITEM.exists(x, x.NO == "2")                                  | t
        /      | ITEM.all(x, has(x.PACK))                                     | t
        /      | ITEM.all(x, number(x.MASS) > 0)                              | ?
        /      | ITEM.all(x, number(x.MASS) > 99)                             | f
        /      | ITEM.exists(x, number(x.MASS) > 10)                          | t
        /      | ITEM.exists(x, number(x.MASS) > 99)                          | ?
        /      | NONE.exists(x, true) || !NONE.all(x, false)                  | f
        /      | ITEM.exists_one(x, has(x.PACK.COUNT) && x.NO == "1")         | t
        /      | ITEM.filter(x, x.NO == "1").PACK.size() == 2                 | t
        /      | count(ITEM.filter(x, number(x.MASS) > 1)) == 1               | ?
        /      | has(ITEM.filter(x, number(x.MASS) > 1))                      | f
        /      | sum(ITEM.map(x, coalesce(number(x.MASS), 0))) == 10.5        | t
        /      | "VQ" in ITEM.PACK.KIND && !("XX" in ITEM.PACK.KIND)          | t
        /      | "VQ" in NONE.KIND                                            | f
        /      | NONE.KIND in ["VQ"]                                          | ?
        /ITEM  | PACK.exists(p, p.KIND == "BX" && number(p.COUNT) > 0)        | tf
        /ITEM  | PACK.all(p, root.ITEM.exists(i, p.KIND in i.PACK.KIND))      | tt
        /      | ITEM.NO.distinct().size() == count(ITEM)                     | t
        /      | ITEM.PACK.KIND.exists(k, k == "CT")                          | t
        /      | ITEM.exists(x, position(x) == 2 && x.NO == "2")              | t
        /ITEM  | position(this) == number(NO)                                 | tt
        /      | ITEM.map(x, x.NO).exists(n, n == "2")                        | t
        /      | [HEAD.NUM, PARTY.ID].exists(x, x == "GB1")                   | t
        /      | "alpha" in greek                                             | t
        "#,
    );
}

#[test]
fn a_budget_ends_in_unknown_and_says_so() {
    let mut big = Tree::new("DOC");
    for _ in 0..1_000 {
        big.add(big.root(), "ITEM", "1");
    }
    let source = "ITEM.exists(x, root.ITEM.exists(y, x != y))";
    let rule = compile_document_rule(&parse(source).unwrap(), &lists()).unwrap();
    let mut small = Budget::of_steps(100_000);
    assert_eq!(rule.evaluate(&big, big.root(), &mut small), Truth::Unknown);
    assert!(small.is_exhausted());
    assert_eq!(small.steps_left(), 0);
    // Whatever is asked afterwards is unknown too, and costs nothing.
    let cheap = compile_document_rule(&parse("has(ITEM)").unwrap(), &lists()).unwrap();
    assert_eq!(cheap.evaluate(&big, big.root(), &mut small), Truth::Unknown);
    let mut large = Budget::of_steps(20_000_000);
    assert_eq!(rule.evaluate(&big, big.root(), &mut large), Truth::False);
    assert!(!large.is_exhausted());
}
