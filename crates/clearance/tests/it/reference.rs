//! The guide's table is the table that clearance works by.

use std::fs;
use std::path::Path;

use clearance::{Case, State, TRANSITIONS};
use spine::ActorKind;

const BEGIN: &str = "<!-- transitions: written by the test `reference` of crates/clearance -->\n";
const END: &str = "<!-- end of transitions -->";

fn who(kinds: &[ActorKind]) -> String {
    let names: Vec<&str> = kinds
        .iter()
        .map(|kind| match kind {
            ActorKind::Officer => "officer",
            ActorKind::Trader => "trader",
            ActorKind::Policy => "policy",
            ActorKind::System => "timer",
        })
        .collect();
    names.join(", ")
}

fn table() -> String {
    let mut table = "| from | event | when | to | who | meaning |\n|---|---|---|---|---|---|\n".to_owned();
    for line in TRANSITIONS.iter() {
        let to = if line.to == line.from { "stays" } else { line.to.name() };
        table += &format!(
            "| {} | `{}` | {} | {to} | {} | {} |\n",
            line.from.name(),
            line.event,
            line.when.words(),
            who(line.who),
            line.meaning
        );
    }
    table
}

/// Fails when the guide is behind; with `UPDATE_DOCS=1` in the environment it is brought up to date instead.
#[test]
fn the_guide_has_the_table_of_transitions() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clearance.md");
    let text = fs::read_to_string(&guide).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the guide marks where the table begins");
    let (shown, after) = rest.split_once(END).expect("the guide marks where the table ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&guide, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert_eq!(
        shown,
        table(),
        "docs/clearance.md is behind; run: UPDATE_DOCS=1 cargo test -p clearance reference"
    );
}

#[test]
fn the_guide_names_every_state() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clearance.md");
    let text = fs::read_to_string(guide).unwrap();
    let (prose, _) = text.split_once(BEGIN).unwrap();
    for state in State::ALL {
        assert!(prose.contains(&format!("`{}`", state.name())), "{state:?} is not explained");
    }
    assert!(prose.contains(&format!("`{}`", Case::lodged().state.name())));
}
