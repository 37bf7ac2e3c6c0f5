//! The guide's table of functions is made from the table that the language works by.

use std::fs;
use std::path::Path;

use rules::{compile_document_rule, compile_entry_rule, function_reference, parse};
use spine::declaration_entry;

use crate::support::lists;

const BEGIN: &str = "<!-- functions: written by the test `reference` of crates/rules -->\n";
const END: &str = "<!-- end of functions -->";

fn table() -> String {
    let mut table = "| function | answers | meaning | example |\n|---|---|---|---|\n".to_owned();
    for function in function_reference() {
        let example = function.example.replace('|', "\\|");
        table += &format!(
            "| `{}` | {} | {} | `{example}` |\n",
            function.signature,
            function.returns,
            function.meaning.replace("||", "\\|\\|")
        );
    }
    table
}

/// Fails when the guide is behind; with `UPDATE_DOCS=1` in the environment it is brought up to date instead.
#[test]
fn the_guide_has_the_table_of_functions() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let text = fs::read_to_string(&guide).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the guide marks where the table begins");
    let (shown, after) = rest.split_once(END).expect("the guide marks where the table ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&guide, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert_eq!(shown, table(), "docs/rules.md is behind; run: UPDATE_DOCS=1 cargo test -p rules reference");
}

#[test]
fn every_example_of_the_table_is_a_rule() {
    let mut lists = lists();
    lists.0.insert("parts_headings".to_owned(), ["8708".to_owned()].into());
    for function in function_reference() {
        let expression =
            parse(function.example).unwrap_or_else(|error| panic!("{}", error.render(function.example)));
        let result = if function.example.contains("GOOITEGDS") {
            compile_document_rule(&expression, &lists).map(|_| ())
        } else {
            compile_entry_rule(&expression, &declaration_entry::schema(), &lists).map(|_| ())
        };
        if let Err(errors) = result {
            panic!("{}", errors[0].render(function.example));
        }
    }
}
