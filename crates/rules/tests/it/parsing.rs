//! What is read, how it is written canonically, and what authors are told when it cannot be read.

use rules::parse;

use crate::support::cells;

#[test]
fn precedence_is_that_of_cel_and_the_canonical_spelling_keeps_it() {
    let table = r#"
        a||b&&c                        | a || b && c
        (a||b)&&c                      | (a || b) && c
        a&&(b&&c)                      | a && (b && c)
        (a&&b)&&c                      | (a && b) && c
        a && b && c                    | a && b && c
        !a==b                          | !a == b
        !(a==b)                        | !(a == b)
        1+2*3-4%5                      | 1 + 2 * 3 - 4 % 5
        (1+2)*3                        | (1 + 2) * 3
        1-(2-3)                        | 1 - (2 - 3)
        1-2-3                          | 1 - 2 - 3
        --1                            | --1
        -(1+2)                         | -(1 + 2)
        a<b==c                         | a < b == c
        a<(b==c)                       | a < (b == c)
        a?b:c?d:e                      | a ? b : c ? d : e
        (a?b:c)?d:e                    | (a ? b : c) ? d : e
        a ? (b ? c : d) : e            | a ? (b ? c : d) : e
        a.b.c(d,[1,"x",],)             | a.b.c(d, [1, "x"])
        (a+b).size()                   | (a + b).size()
        a in['x']                      | a in ["x"]
        1.50                           | 1.50
        2.5e3                          | 2500
        r'a\d"'                        | "a\\d\""
        "\u00e9\x41\101\n\?"           | "éAA\n?"
        '''a"b'''                      | "a\"b"
        `a-b`.`in`                     | `a-b`.`in`
        a // why                       | a
    "#;
    for line in cells(table) {
        let [source, expected] = line[..] else { panic!("two cells in {line:?}") };
        let parsed = parse(source).unwrap_or_else(|error| panic!("{}", error.render(source)));
        assert_eq!(parsed.to_string(), expected, "{source}");
        assert_eq!(parse(expected).unwrap(), parsed, "{source}");
    }
}

/// Source, then what is told about it.
fn check(source: &str, expected: &str) {
    let error = parse(source).expect_err(source);
    let expected: Vec<&str> = expected
        .trim_matches('\n')
        .lines()
        .map(|line| line.strip_prefix("        ").unwrap_or(line))
        .collect();
    assert_eq!(error.render(source), expected.join("\n"));
}

#[test]
fn a_mistake_is_shown_with_line_column_caret_and_remedy() {
    check(
        "has(x) &&",
        "
        line 1, column 10: expected a value, but the rule ends
          has(x) &&
                   ^",
    );
    check(
        "a == 1\n  && b = 2",
        "
        line 2, column 8: `=` has no meaning here
            && b = 2
                 ^
        help: equality is written ==",
    );
    check(
        "net_mass > 5 and b",
        "
        line 1, column 14: expected an operator or the end of the rule, but there is `and`
          net_mass > 5 and b
                       ^^^
        help: \"and\" is written &&",
    );
    check(
        "f(a, (b || c)",
        "
        line 1, column 14: expected `,` or `)`, but the rule ends
          f(a, (b || c)
                       ^
        help: the bracket opened in column 2 is not closed",
    );
    check(
        "goods == “象牙”",
        "
        line 1, column 10: `“` has no meaning here
          goods == “象牙”
                   ^
        help: texts stand between plain quotation marks: \"text\"",
    );
    check(
        "\tx == \"abc",
        "
        line 1, column 7: the text does not end
          \tx == \"abc
          \t     ^^^^
        help: close it with \"",
    );
}

#[test]
fn the_line_of_a_long_rule_is_cut_around_the_mistake() {
    let source = format!("{} = 1", "a || ".repeat(100) + "b");
    let rendered = parse(&source).unwrap_err().render(&source);
    let lines: Vec<&str> = rendered.lines().collect();
    assert_eq!(lines[0], "line 1, column 503: `=` has no meaning here");
    assert!(lines[1].chars().count() < 110 && lines[1].starts_with("  …"), "{}", lines[1]);
    let caret = lines[2].find('^').unwrap();
    assert_eq!(lines[1].chars().nth(caret), Some('='), "{rendered}");
}

#[test]
fn what_cannot_be_read_has_a_code_and_a_hint() {
    let table = r#"
        x == null             | null_unsupported     | has(x)
        x[0]                  | index_unsupported    | filter
        5kg > 1               | number_malformed     | unit
        1u                    | number_malformed     | exact decimal
        99999999999999999999999999999999 > x | number_too_large | 28 digits
        "a\q"                 | escape_unknown       | r"..."
        `a                    | name_malformed       | `name`
        a <> b                | syntax               | !=
        a === b               | unexpected_character | ==
        a & b                 | unexpected_character | &&
        x > .5                | syntax               | 0.5
        a（b）                | unexpected_character | half-width
        a ? b                 | syntax               | -
        a.true                | syntax               | -
        )                     | syntax               | -
        é == 1                | unexpected_character | backticks
    "#;
    for line in cells(table) {
        let [source, code, hint] =
            [line[0], line[1], line.get(2).copied().unwrap_or("").trim_matches('|').trim()];
        let error = parse(source).expect_err(source);
        assert_eq!(error.code, code, "{source}: {error}");
        assert!(error.help.as_deref().unwrap_or("-").contains(hint), "{source}: {error}");
    }
    assert_eq!(parse("a | b").unwrap_err().help.as_deref(), Some("\"or\" is written ||"));
    assert_eq!(parse("").unwrap_err().code, "syntax");
}

#[test]
fn size_and_depth_are_bounded() {
    let code = |source: &str| parse(source).expect_err("refused").code;
    assert_eq!(code(&"a".repeat(20_000)), "rule_too_long");
    assert_eq!(code(&("(".repeat(100) + "a" + &")".repeat(100))), "rule_too_deep");
    assert_eq!(code(&("!".repeat(8_000) + "a")), "rule_too_deep");
    assert_eq!(code(&"-".repeat(16_000)), "rule_too_deep");
    assert_eq!(code(&("a".to_owned() + &".b".repeat(5_000))), "rule_too_deep");
    assert_eq!(code(&("1".to_owned() + &" + 1".repeat(200))), "rule_too_deep");
    assert_eq!(code(&("a".to_owned() + &" ? a : a".repeat(200))), "rule_too_deep");
    assert_eq!(code(&("[".to_owned() + &"1,".repeat(3_000) + "1]")), "rule_too_large");
    // A long chain of && is one part, as deep as its deepest.
    assert!(parse(&vec!["a == 1"; 500].join(" && ")).is_ok());
    assert!(parse(&("(".repeat(60) + "a" + &")".repeat(60))).is_ok());
}
