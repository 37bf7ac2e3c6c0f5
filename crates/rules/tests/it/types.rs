//! What the type check refuses, and what it tells the author.

use rules::{RuleError, compile_document_rule, compile_entry_rule, parse};

use crate::support::{cells, lists, schema};

fn entry_errors(source: &str) -> Vec<RuleError> {
    let expression = parse(source).unwrap_or_else(|error| panic!("{}", error.render(source)));
    compile_entry_rule(&expression, &schema(), &lists()).err().unwrap_or_default()
}

fn document_errors(source: &str) -> Vec<RuleError> {
    let expression = parse(source).unwrap_or_else(|error| panic!("{}", error.render(source)));
    compile_document_rule(&expression, &lists()).err().unwrap_or_default()
}

/// Each line: rule, code, and a piece of what is told (of message and help together).
fn check(errors_of: fn(&str) -> Vec<RuleError>, table: &str) {
    for line in cells(table) {
        let [source, code, piece] = line[..] else { panic!("three cells in {line:?}") };
        let errors = errors_of(source);
        let error = errors.first().unwrap_or_else(|| panic!("{source} is accepted"));
        assert_eq!(error.code, code, "{source}: {error}");
        assert!(error.to_string().contains(piece), "{source}: {error}");
    }
}

#[test]
fn a_rule_over_entries_must_fit_the_fields() {
    check(
        entry_errors,
        r#"
        n                               | type_mismatch        | a rule is true or false
        t                               | type_mismatch        | has(...)
        x > 1                           | field_unknown        | there is no field x in test
        has_n                           | field_unknown        | there is no field
        greeks == t                     | field_unknown        | did you mean greek?
        greek == "alpha"                | list_misplaced       | value in greek
        size > 1                        | field_unknown        | size(...)
        t in greec                      | field_unknown        | did you mean greek?
        n in greek                      | type_mismatch        | a number is sought in a list of texts
        t == 1                          | type_mismatch        | a code is a text: "1"
        n == "1"                        | type_mismatch        | without quotation marks: 1
        t > n                           | type_mismatch        | number(...)
        d > "2026-03-11"                | type_mismatch        | a date is written date("2026-03-11")
        w > d                           | type_mismatch        | date(...)
        b < c                           | type_mismatch        | no order
        b && n                          | type_mismatch        | && joins what is true or false
        !t                              | type_mismatch        | turns round
        -t == 1                         | type_mismatch        | sign of a number
        t * 2 == 1                      | type_mismatch        | * calculates with numbers
        d - e > 30                      | type_mismatch        | days_between(a, b)
        0 < n < 5                       | type_mismatch        | 1 < x && x < 9
        n ? b : c                       | type_mismatch        | before ? is true or false
        (b ? n : t) == 1                | type_mismatch        | the answers differ in type
        t in "alpha"                    | type_mismatch        | a.contains(b)
        t in [1, 2]                     | type_mismatch        | sought in a list of numbers
        n in [1, "2"]                   | type_mismatch        | the list begins with a number
        n in []                         | list_empty           | holds nothing
        n == [1]                        | type_mismatch        | `in`
        n in [[1]]                      | type_mismatch        | cannot hold lists
        t.b                             | member_unknown       | has no parts
        t.size == 3                     | member_unknown       | .size()
        t.startWith("a")                | function_unknown     | did you mean startsWith?
        prefix(t, 2) == "a"             | function_unknown     | there is no function prefix
        startsWith(t, "a")              | call_malformed       | text.startsWith(text)
        t.abs() == 1                    | call_malformed       | abs(number)
        t.startsWith("a", "b")          | argument_count       | text.startsWith(text)
        coalesce(n) == 1                | argument_count       | coalesce(any, any, ...)
        abs(t) == 1                     | argument_type        | number(...)
        hs_heading(n) == "8708"         | argument_type        | hs_heading(text)
        days_between(d, "2026-01-01") > 1 | argument_type      | date("2026-01-01")
        d.getHours() > 1                | argument_type        | getHours
        coalesce(n, t) == 1             | type_mismatch        | the first value is a number
        count(t) == 1                   | argument_type        | count(elements) or count(list)
        t.matches(u)                    | pattern_not_constant | written in the rule
        t.matches("(")                  | pattern_malformed    | unclosed group
        t.matches("(a{1000}){1000}")    | pattern_malformed    | too large
        t.exists(x, true)               | type_mismatch        | elements of a list
        [n].exists(1, true)             | variable_malformed   | list.exists(x, condition)
        [n].exists(x, x)                | type_mismatch        | asks of each element
        [n].map(x, [x]) == 1            | type_mismatch        | not a list
        [n].exists(x, x > 1) && x > 1   | field_unknown        | no field x
        d == date("2026-02-30")         | never_known          | written wrongly
        n > 1 / 0                       | never_known          | division by zero
        number("1,5") > n               | never_known          | written wrongly
        "#,
    );
}

#[test]
fn everything_wrong_is_told_at_once_each_with_its_place() {
    let source = "orgin == 1 && t == 2 ||\n  abs(t) > m && foo(n)";
    let rendered: Vec<String> = entry_errors(source).iter().map(|error| error.render(source)).collect();
    insta::assert_snapshot!(rendered.join("\n\n"), @r#"
    line 1, column 1: there is no field orgin in test
      orgin == 1 && t == 2 ||
      ^^^^^

    line 1, column 15: a text is compared with a number
      orgin == 1 && t == 2 ||
                    ^^^^^^
    help: a code is a text: "2"

    line 2, column 7: this is a text, but abs is abs(number)
        abs(t) > m && foo(n)
            ^
    help: a text is read as a number with number(...)

    line 2, column 17: there is no function foo
        abs(t) > m && foo(n)
                      ^^^
    "#);
}

#[test]
fn a_rule_over_documents_has_texts_until_it_says_otherwise() {
    check(
        document_errors,
        r#"
        A > 1                           | type_mismatch    | number(...)
        A                               | type_mismatch    | has(...)
        sum(A) == "1"                   | type_mismatch    | without quotation marks: 1
        A.filter(x, x.B) == "1"         | type_mismatch    | asks of each element
        days_between(A, B) > 1          | argument_type    | date(...)
        A.exist(x, true)                | function_unknown | did you mean exists?
        A in greec                      | list_unknown     | did you mean greek? for an element, write this.greec
        position(1) == 1                | argument_type    | position(elements)
        A.exists(a, B.exists(b, C.exists(c, D.exists(d, a == d)))) | rule_too_costly | inside each other
        "#,
    );
    for fine in [
        "A == B",
        "A in greek",
        "A.B in C.D",
        "this.greek == A",
        "A in this.greec",
        "coalesce(A, B, \"x\") == parent.C",
        "A.exists(x, x.B == root.C && has(x.D))",
        "A.filter(x, has(x.B)).C.size() > 1",
    ] {
        assert_eq!(document_errors(fine), [], "{fine}");
    }
}

#[test]
fn cost_is_bounded_before_a_rule_runs() {
    let ones = vec!["1"; 90].join(", ");
    let nested = format!("[{ones}].exists(x, [{ones}].exists(y, x * y > n))");
    let errors = entry_errors(&nested);
    assert_eq!(errors[0].code, "rule_too_costly");
    assert!(errors[0].message.contains("at most 20000"), "{}", errors[0]);
    let rule = crate::support::compile("t.matches(\"a\") && [1, 2, 3].exists(x, x > n)");
    // The pattern and its text; the list with its elements, and for each of three the comparison of two values.
    assert_eq!(rule.cost(), 1 + (50 + 1) + (1 + 4 + 3 * 3));
}
