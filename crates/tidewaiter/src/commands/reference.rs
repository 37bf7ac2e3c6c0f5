//! Completions, man pages and the Markdown reference: all made from the one definition of the arguments.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Command, CommandFactory};
use customhouse::Error;

use super::Answer;
use crate::arguments::Arguments;
use crate::terminal;

pub(super) fn completions(shell: clap_complete::Shell) -> Result<Answer, Error> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tidewaiter", &mut bytes);
    terminal::line(String::from_utf8_lossy(&bytes).trim_end())?;
    Ok(Answer::Done)
}

fn man_page(command: &Command, path: &Path) -> Result<Vec<u8>, Error> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| Error::io("man_page_unwritable", path, &error))?;
    Ok(page)
}

pub(super) fn man(folder: Option<&Path>) -> Result<Answer, Error> {
    let mut root = Arguments::command();
    root.build();
    let Some(folder) = folder else {
        let page = man_page(&root, Path::new("standard output"))?;
        terminal::line(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(Answer::Done);
    };
    std::fs::create_dir_all(folder).map_err(|error| Error::io("man_page_unwritable", folder, &error))?;
    write_man_pages(&root, "tidewaiter", folder)?;
    Ok(Answer::Done)
}

fn write_man_pages(command: &Command, name: &str, folder: &Path) -> Result<(), Error> {
    let path = folder.join(format!("{name}.1"));
    customhouse::write_whole(&path, &man_page(command, &path)?)?;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        write_man_pages(subcommand, &format!("{name}-{}", subcommand.get_name()), folder)?;
    }
    Ok(())
}

pub(super) fn reference() -> Result<Answer, Error> {
    terminal::line(markdown().trim_end())?;
    Ok(Answer::Done)
}

/// `docs/command-line.md`, whole.
fn markdown() -> String {
    let mut root = Arguments::command().term_width(100);
    root.build();
    let mut text = String::from(
        "# Command line\n\nMade by `tidewaiter reference`; every text stands in `crates/tidewaiter/src/arguments.rs`.\n",
    );
    append_markdown(&mut text, &root, "tidewaiter");
    text
}

fn append_markdown(text: &mut String, command: &Command, name: &str) {
    let help = command.clone().term_width(100).render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing into a String cannot fail.
    let _ = write!(text, "\n## {name}\n```text\n{}\n```\n", help.join("\n").trim_end());
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        append_markdown(text, subcommand, &format!("{name} {}", subcommand.get_name()));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_reference_in_docs_is_the_one_the_program_prints() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/command-line.md");
        let stored = std::fs::read_to_string(path).unwrap_or_default();
        let made = super::markdown();
        if std::env::var_os("TIDEWAITER_UPDATE_DOCS").is_some() {
            std::fs::write(path, &made).unwrap();
        } else {
            assert!(
                stored == made,
                "docs/command-line.md is out of date: TIDEWAITER_UPDATE_DOCS=1 cargo test -p tidewaiter"
            );
        }
    }
}
