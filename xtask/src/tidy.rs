//! What no compiler checks: sizes, leftovers, and words that do not belong in a repository.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use std::process::Command;

use crate::process;
use crate::workspace::Workspace;

/// A file that grows past this has two jobs.
const LINES_MAX: usize = 700;
/// Files that are one long table.
const LONG_TABLES: &[&str] = &["crates/formats/src/synonyms.rs"];
/// Extensions of what people write.
const SOURCES: &[&str] = &["rs", "go", "ts", "mjs", "css", "sh"];
/// Written by tools: they name registries and hold any word.
const GENERATED: &[&str] = &["Cargo.lock", "package-lock.json"];

/// Marks of unfinished work. (Written in halves, so that this file is not its own finding.)
const LEFTOVERS: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimple", "mented!("), concat!("to", "do!(")];
/// Places of one machine, and hosts of package registries: a repository works anywhere.
const FOREIGN: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/."),
    concat!("/tmp/", "tw"),
    concat!("crates", ".io"),
    concat!("npmjs", "."),
    concat!("pypi", ".org"),
    concat!("deb.", "debian.org"),
];

/// The stage of the test command.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let files = tracked(&workspace.root)?;
    let mut wrong = Vec::new();
    for file in &files {
        let path = workspace.path(file);
        let Ok(bytes) = fs::read(&path) else { continue };
        if let Ok(text) = String::from_utf8(bytes) {
            wrong.extend(findings(file, &text));
        }
    }
    for package in workspace.metadata.members() {
        let manifest = fs::read_to_string(&package.manifest_path)?;
        if !manifest.contains("[lints]\nworkspace = true") {
            wrong.push(format!("{}: its Cargo.toml does not have [lints] workspace = true", package.name));
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    println!("{} files: sizes, leftovers and foreign words are fine", files.len());
    Ok(())
}

/// Everything that is, or is about to be, in the repository.
pub(crate) fn tracked(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let names = process::answer(&mut git).context("the checks read the files that git knows")?;
    Ok(names.split_terminator('\0').map(str::to_owned).collect())
}

fn findings(file: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = file.rsplit('/').next().unwrap_or(file);
    if GENERATED.contains(&name) {
        return wrong;
    }
    let is_source = name.rsplit_once('.').is_some_and(|(_, extension)| SOURCES.contains(&extension));
    let lines = text.lines().count();
    if is_source && lines > LINES_MAX && !LONG_TABLES.contains(&file) {
        wrong.push(format!("{file}: {lines} lines, at most {LINES_MAX}: it has two jobs"));
    }
    for (index, line) in text.lines().enumerate() {
        let leftovers = LEFTOVERS.iter().filter(|_| is_source);
        let found = leftovers.chain(FOREIGN).find(|word| line.contains(**word));
        wrong.extend(found.map(|word| format!("{file}:{}: {word}", index + 1)));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_belong_is_named_with_its_place() {
        let check = |file: &str, text: &str, expected: &[&str]| {
            let found = findings(file, text);
            assert_eq!(found, expected, "{file}");
        };
        let leftover = format!("fn a() {{}}\n// {}: more\n", LEFTOVERS[0]);
        check("crates/a/src/lib.rs", "fn a() {}\n", &[]);
        check("crates/a/src/lib.rs", &leftover, &[&format!("crates/a/src/lib.rs:2: {}", LEFTOVERS[0])]);
        check("docs/a.md", &leftover, &[]);
        check("docs/a.md", &format!("see {}x\n", FOREIGN[2]), &[&format!("docs/a.md:1: {}", FOREIGN[2])]);
        check("Cargo.lock", FOREIGN[5], &[]);
        let long = "x\n".repeat(LINES_MAX + 1);
        check("ui/src/a.ts", &long, &["ui/src/a.ts: 701 lines, at most 700: it has two jobs"]);
        check("ui/data.csv", &long, &[]);
    }
}
