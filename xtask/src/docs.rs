//! The documents say what is so: links lead somewhere, invariants name tests that exist, counts are right.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::links;
use crate::tidy;
use crate::workspace::Workspace;

/// ARCHITECTURE.md is read in one sitting or not at all.
const ARCHITECTURE_WORDS_MAX: usize = 1_500;

/// The stage of the test command.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut wrong = dead_links(workspace)?;
    let architecture = read(workspace, "ARCHITECTURE.md")?;
    let words = words_of_prose(&architecture);
    if words > ARCHITECTURE_WORDS_MAX {
        wrong.push(format!("ARCHITECTURE.md: {words} words, at most {ARCHITECTURE_WORDS_MAX}"));
    }
    let invariants = invariants(&architecture);
    if invariants.is_empty() {
        wrong.push("ARCHITECTURE.md: no invariant names its test".to_owned());
    }
    wrong.extend(invariants.iter().filter_map(|invariant| missing_test(workspace, invariant)));
    wrong.extend(wrong_counts(workspace)?);
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    println!(
        "links lead somewhere; {} invariants name tests that exist; ARCHITECTURE.md has {words} words",
        invariants.len()
    );
    Ok(())
}

/// Words outside of tables: those are looked things up in, not read.
fn words_of_prose(text: &str) -> usize {
    text.lines().filter(|line| !line.starts_with('|')).flat_map(str::split_whitespace).count()
}

fn read(workspace: &Workspace, file: &str) -> Result<String> {
    fs::read_to_string(workspace.path(file)).with_context(|| file.to_owned())
}

fn dead_links(workspace: &Workspace) -> Result<Vec<String>> {
    let mut dead = Vec::new();
    for file in tidy::tracked(&workspace.root)?.iter().filter(|file| file.ends_with(".md")) {
        let path = workspace.path(file);
        let folder = path.parent().unwrap_or(&workspace.root);
        // A file that git still lists but that was just deleted has no links.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let missing =
            links::relative_targets(&text).into_iter().filter(|target| !folder.join(target).exists());
        dead.extend(missing.map(|target| format!("{file}: the link to {target} leads nowhere")));
    }
    Ok(dead)
}

/// A sentence of ARCHITECTURE.md and the test that holds it.
#[derive(Debug, PartialEq, Eq)]
struct Invariant {
    sentence: String,
    /// Path of the file from the root.
    file: String,
    /// Name of the test in it.
    test: String,
}

/// Rows of the table under "Invariants": `| sentence | path::name |`, the test in backquotes; a row may name several.
fn invariants(architecture: &str) -> Vec<Invariant> {
    architecture
        .lines()
        .skip_while(|line| !line.starts_with("## Invariants"))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .flat_map(|(sentence, tests)| {
            tests.split('`').skip(1).step_by(2).filter_map(|test| test.rsplit_once("::")).map(
                |(file, test)| Invariant {
                    sentence: sentence.to_owned(),
                    file: file.to_owned(),
                    test: test.to_owned(),
                },
            )
        })
        .collect()
}

fn missing_test(workspace: &Workspace, invariant: &Invariant) -> Option<String> {
    let Invariant { sentence, file, test } = invariant;
    let Ok(text) = fs::read_to_string(workspace.path(file)) else {
        return Some(format!("ARCHITECTURE.md: \"{sentence}\" names {file}, which does not exist"));
    };
    (!is_test(&text, test))
        .then(|| format!("ARCHITECTURE.md: \"{sentence}\" names {test}, which is no test of {file}"))
}

/// Whether a source holds a test of this name: a Rust function under `#[test]`, or a `test("name"` of node's runner.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let function = format!("fn {name}(");
    let in_rust = lines.iter().enumerate().any(|(index, line)| {
        line.strip_prefix("async ").unwrap_or(line).starts_with(&function)
            && lines
                .iter()
                .take(index)
                .rev()
                .take_while(|above| above.starts_with("#[") || above.starts_with("//"))
                .any(|above| above.starts_with("#[test]") || above.starts_with("#[tokio::test"))
    });
    in_rust || lines.iter().any(|line| line.starts_with(&format!("test(\"{name}\"")))
}

/// The README's sentence about tags: `- 131 tags in 16 families, ...`.
fn wrong_counts(workspace: &Workspace) -> Result<Vec<String>> {
    let mut tags = 0;
    let mut families = 0;
    for file in tidy::tracked(&workspace.root)? {
        if file.starts_with("packs/customs-tags/") && file.ends_with(".toml") {
            let text = read(workspace, &file)?;
            tags += text.lines().filter(|line| *line == "[[tag]]").count();
            families += text.lines().filter(|line| *line == "[family]").count();
        }
    }
    let sentence = format!("{tags} tags in {families} families");
    let right = read(workspace, "README.md")?.contains(&sentence);
    Ok(if right {
        Vec::new()
    } else {
        vec![format!("README.md: does not say \"{sentence}\", which is what packs/customs-tags has")]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariants_are_rows_that_name_a_file_and_a_test() {
        let text = "## Invariants and tests\n| invariant | test |\n|---|---|\n\
                    | Rooms keep apart. | `xtask/src/rooms.rs::rooms_keep_apart` |\n\
                    | Two hold it. | `a.rs::one`, `b.rs::two` |\n## More\n| x | `c.rs::three` |\n";
        let found: Vec<_> = invariants(text).into_iter().map(|row| (row.file, row.test)).collect();
        let expected = [("xtask/src/rooms.rs", "rooms_keep_apart"), ("a.rs", "one"), ("b.rs", "two")];
        assert_eq!(found, expected.map(|(file, test)| (file.to_owned(), test.to_owned())));
    }

    #[test]
    fn words_of_tables_are_not_prose() {
        assert_eq!(words_of_prose("Two words.\n| a table | of | many |\nOne more line."), 5);
    }

    #[test]
    fn a_test_is_a_function_under_its_attribute() {
        let rust = "/// Words.\n#[test]\n// Why.\nfn holds() {}\n\nfn helper() {}\n";
        assert!(is_test(rust, "holds"));
        assert!(is_test("#[tokio::test(flavor = \"multi_thread\")]\nasync fn waits() {}", "waits"));
        assert!(!is_test(rust, "helper"));
        assert!(!is_test(rust, "hold"));
        assert!(is_test(
            "test(\"pages have no axe violation\", async () => {",
            "pages have no axe violation"
        ));
    }
}
