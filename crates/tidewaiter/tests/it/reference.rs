//! Help, completions, man pages: all from one definition, all with what they promise.

use crate::support::run;

/// Names of all commands with their subcommands, as the reference lists them.
fn commands() -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let reference = run(folder.path(), &["reference"]).expect(0).out;
    let names = reference.lines().filter_map(|line| line.strip_prefix("## tidewaiter"));
    names.map(|name| name.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn every_command_has_help_and_every_group_an_example() {
    let folder = tempfile::tempdir().unwrap();
    let commands = commands();
    assert!(commands.len() > 25, "{commands:?}");
    for command in &commands {
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = run(folder.path(), &arguments).expect(0);
        assert!(help.out.contains("Usage: tidewaiter"), "{arguments:?}");
        assert!(help.err.is_empty(), "{arguments:?}");
        // A subcommand is shown by the examples of its group.
        if command.len() < 2 {
            assert!(help.out.contains("Example"), "{arguments:?}: {}", help.out);
        }
    }
    let root = run(folder.path(), &["--help"]).expect(0).out;
    for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "130 "] {
        assert!(root.contains(&format!("\n  {code}")), "exit code {code} is documented: {root}");
    }
    assert!(run(folder.path(), &["--version"]).expect(0).out.starts_with("tidewaiter "));
}

#[test]
fn completions_are_made_for_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let made = run(folder.path(), &["completions", shell]).expect(0).out;
        assert!(made.contains("tidewaiter") && made.contains("quarantine"), "{shell}");
    }
}

#[test]
fn there_is_a_man_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["man", "pages"]).expect(0);
    for command in commands() {
        let name: Vec<&str> =
            std::iter::once("tidewaiter").chain(command.iter().map(String::as_str)).collect();
        let page = folder.path().join("pages").join(format!("{}.1", name.join("-")));
        let text =
            std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        assert!(text.contains(".SH SYNOPSIS"), "{}", page.display());
    }
    assert!(run(folder.path(), &["man"]).expect(0).out.contains(".SH SYNOPSIS"));
}

#[test]
fn what_is_not_understood_ends_with_two_and_says_what_would_be() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["adit"], "audit"),
        (&["audit", "--out", "r.html"], "--declarations"),
        (&["audit", "--declarations", "d.csv", "--out", "r.html", "--capacity", "0.05"], "5%"),
        (&["audit", "--declarations", "d.csv", "--out", "r.html", "--currency", "EURO"], "ISO 4217"),
        (&["country", "--out", "w", "--preset", "utopia"], "ordinary"),
        (&["user", "add", "ada", "--role", "boss", "--data", "d"], "analyst"),
    ];
    for (arguments, hint) in cases {
        let refused = run(folder.path(), arguments).expect(2);
        assert!(refused.err.contains(hint), "{arguments:?}: {}", refused.err);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{arguments:?} left something");
    }
}
