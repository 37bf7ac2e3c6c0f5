//! Relative links in Markdown.

/// The targets of all inline links and pictures outside code, without anchors; links to the outside are left out.
pub(crate) fn relative_targets(markdown: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            targets.extend(targets_of_line(line));
        }
    }
    targets
}

fn targets_of_line(line: &str) -> impl Iterator<Item = String> {
    // What stands between backquotes is code: every second part.
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let targets: Vec<String> = prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .map(|target| target.split('#').next().unwrap_or(target))
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
        .map(str::to_owned)
        .collect();
    targets.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_targets_outside_code_are_returned() {
        let check = |markdown: &str, expected: &[&str]| {
            assert_eq!(relative_targets(markdown), expected, "{markdown}")
        };
        check("see [a](docs/a.md) and ![b](b.png \"title\")", &["docs/a.md", "b.png"]);
        check(
            "[a](docs/a.md#part) [b](#part) [c](https://example.org/x) [d](mailto:a@example.org)",
            &["docs/a.md"],
        );
        check("`[a](no.md)` and [b](yes.md)", &["yes.md"]);
        check("```\n[a](no.md)\n```\n[b](yes.md)", &["yes.md"]);
        check("nothing (here)", &[]);
    }
}
