//! What rules answer over entries.

use rules::Truth;

use crate::support::{cells, compile, table};

/// One letter a row: true, false, unknown.
fn answers(source: &str) -> String {
    let (rule, table) = (compile(source), table());
    let truths = rule.evaluate(&table, 0..table.len());
    (0..table.len())
        .map(|row| match truths.truth(row) {
            Truth::True => 't',
            Truth::False => 'f',
            Truth::Unknown => '?',
        })
        .collect()
}

fn check(rules: &str) {
    for line in cells(rules) {
        let [source, expected] = line[..] else { panic!("two cells in {line:?}") };
        assert_eq!(answers(source), expected, "{source}");
    }
}

#[test]
fn absent_is_unknown_and_kleene_decides_what_it_can() {
    check(
        "
        b                             | tf?
        !b                            | ft?
        b && false                    | fff
        b && true                     | tf?
        b || true                     | ttt
        b || false                    | tf?
        b == b                        | tt?
        has(b)                        | ttf
        !has(b)                       | fft
        has(n / 0 * 1)                | fff
        b ? n > 1 : n < 1             | tt?
        has(b) ? b : true             | tft
        coalesce(b, true)             | tft
        coalesce(b, c, false)         | tff
        b || !has(b) || n > 0         | tft
        b && n > 0 && c               | ff?
        ",
    );
}

#[test]
fn numbers_are_exact_decimals() {
    check(
        "
        n == 2.5                      | tf?
        0.1 + 0.2 == 0.3              | ttt
        n + m == -0.5                 | tf?
        n * m < 0                     | tf?
        m / n > 0                     | f??
        m % 2 == -1                   | tf?
        n - 2.5 == m + 3              | tf?
        -n < 0                        | tf?
        abs(m) == 3                   | tf?
        floor(n) == 2                 | tf?
        round(n) == 3                 | tf?
        round(-n) == -3               | tf?
        min(n, m, 1) == 0             | ft?
        max(n, m) == 7                | ft?
        min([n, 9]) == 2.5            | tf?
        sum([n, m]) == 7              | ft?
        size([n, m]) == 2             | ttt
        79228162514264337593543950335 + n > 0 | ?t?
        n in [2.5, m]                 | tf?
        n in [1, m, 2.5]              | tf?
        1e3 == 1000                   | ttt
        ",
    );
}

#[test]
fn membership_among_unknown_elements_is_found_or_unknown() {
    check(
        "
        7 in [7, n]                   | ttt
        8 in [7, n]                   | ff?
        n in [7, 8]                   | ff?
        t in greek                    | tf?
        !(t in greek)                 | ft?
        t in [\"alpha\", u]             | tf?
        hs_heading(u) in headings     | tt?
        ",
    );
}

#[test]
fn texts() {
    check(
        r#"
        t == "alpha"                           | tf?
        t < "alpha"                            | ft?
        t != u                                 | tt?
        t + "!" == "alpha!"                    | tf?
        t.startsWith("al") && t.endsWith("ha") | tf?
        t.contains("mega")                     | ft?
        t.matches("^[a-z]+$")                  | tf?
        t.matches(r"\s")                       | ft?
        t.substring(2) == "pha"                | tf?
        t.substring(0, 5) == "Omega"           | ft?
        t.substring(6) == "象"                 | ?t?
        t.substring(3, 2) == ""                | ???
        t.substring(0.5) == ""                 | ???
        t.upperAscii() == "ALPHA"              | tf?
        t.lowerAscii() == "omega 象"           | ft?
        (" " + t + "\t").trim() == t           | tt?
        size(t) == 7                           | ft?
        t.size() == 5                          | tf?
        number(t) == 1                         | ???
        number("-0.50") == -0.5                | ttt
        hs_chapter(u) == "87"                  | tf?
        hs_heading(u) == "8409"                | ft?
        hs_subheading(u) == "870829"           | t??
        is_hs_code(u)                          | tt?
        is_country("nl") && !is_country("qq")  | ttt
        is_currency("EUR")                     | ttt
        is_container_number("CSQU3054383")     | ttt
        is_container_number("CSQU3054384")     | fff
        "#,
    );
}

#[test]
fn dates() {
    check(
        r#"
        d > e                                            | tf?
        d == date("2026-03-11")                          | tf?
        d == date("20240229")                            | ft?
        d >= date("2026-03-11T09:00:00")                 | tf?
        w > date_time("2026-03-11T22:04:59")             | tf?
        w == date_time("202603112205")                   | tf?
        date(w) == d                                     | tt?
        d.getFullYear() == 2024                          | ft?
        d.getMonth() == 2                                | tf?
        d.getDate() == 11 && d.getDayOfMonth() == 10     | tf?
        d.getDayOfWeek() == 3                            | tf?
        w.getHours() == 22 && w.getMinutes() == 5        | tf?
        days_between(e, d) == 11                         | tf?
        days_between(d, e) == 365                        | ft?
        days_between(w, e) < 0                           | tf?
        add_days(e, 11) == d                             | tf?
        add_days(d, n) == d                              | ?t?
        d in [e, date("2026-03-11")]                     | tf?
        "#,
    );
}

#[test]
fn quantifiers_over_lists_that_are_written_out() {
    check(
        r#"
        [n, m].exists(x, x < 0)                          | tf?
        [n, m].all(x, x >= 0)                            | ft?
        [n, 5].exists(x, x == 5)                         | ttt
        [n, 5].exists_one(x, x == 5)                     | tt?
        [n, 5, 5].exists_one(x, x == 5)                  | fff
        [n, m].filter(x, x > 0).size() == 1              | tt?
        [n, m].map(x, x * 2).exists(y, y == 14)          | ft?
        sum([1, 2].map(x, x * n)) == 7.5                 | tf?
        ["a", "b", "a"].distinct().size() == 2           | ttt
        [t, u].distinct().size() == 2                    | tt?
        [1, 2].all(x, [n, 9].exists(y, y > x))           | ttt
        "#,
    );
}

#[test]
fn a_rule_as_deep_as_may_be_is_evaluated_and_explained() {
    let source = "!".repeat(62) + "b";
    assert_eq!(answers(&source), "tf?");
    let mut explained = &compile(&source).explain(&table(), 1);
    let mut parts = 1;
    while let [inner] = &explained.parts[..] {
        (explained, parts) = (inner, parts + 1);
    }
    assert_eq!((parts, explained.source.as_str()), (63, "b"));
    let sum = vec!["n"; 60].join(" + ");
    assert_eq!(answers(&format!("{sum} == 150")), "tf?");
}

#[test]
fn a_range_counts_from_its_start_and_rows_beyond_the_table_are_absent() {
    let (rule, table) = (compile("has(n) && n > 1"), table());
    let truths = rule.evaluate(&table, 1..5);
    assert_eq!(truths.len(), 4);
    assert_eq!((0..5).map(|row| truths.truth(row)).collect::<Vec<_>>(), [Truth::False; 5]);
    let truths = compile("n > 1").evaluate(&table, 0..4);
    assert_eq!((truths.true_count(), truths.unknown_count()), (1, 2));
    assert!(compile("n > 1").evaluate(&table, 2..2).is_empty());
}

#[test]
fn a_rule_knows_which_fields_it_reads_and_a_table_may_lack_them() {
    let rule = compile("t == u || n > 1 && t in greek");
    assert_eq!(rule.fields(), ["t", "u", "n"]);
    let columns = vec![table().columns()[0].clone()];
    let mut schema = (*crate::support::schema()).clone();
    schema.fields.truncate(1);
    let narrow = spine::EntryTable::from_columns(std::sync::Arc::new(schema), columns).unwrap();
    let truths = rule.evaluate(&narrow, 0..3);
    assert_eq!(truths.unknown_count(), 3);
}
