//! The table of families in docs/tags.md is the catalogue's.

use std::fmt::Write as _;
use std::path::Path;

use spine::Language;

use crate::built_in::shipped;

const BEGIN: &str = "<!-- families: written by crates/tags/tests/it/docs.rs -->\n";
const END: &str = "<!-- end of families -->";

/// Run with TIDEWAITER_WRITE_DOCS=1 to write the table.
#[test]
fn the_guide_lists_the_families_that_are_shipped() {
    let (set, _) = shipped();
    let mut table = format!(
        "{} tags in {} families, {} cases, {} aggregates.\n\n| family | file | tags | of them high |\n|---|---|---|---|\n",
        set.definitions().len(),
        set.families().len(),
        set.definitions().iter().map(|tag| tag.cases.len()).sum::<usize>(),
        set.aggregate_count(),
    );
    for family in set.families() {
        let tags: Vec<_> = set.definitions().iter().filter(|tag| tag.family == family.id).collect();
        let file = &tags[0].source.file;
        let high = tags.iter().filter(|tag| tag.severity == tags::TagSeverity::High).count();
        let (title, chinese) =
            (family.title.in_language(Language::En), family.title.in_language(Language::Zh));
        writeln!(
            table,
            "| {title} {chinese} | [{file}](../packs/customs-tags/{file}) | {} | {high} |",
            tags.len()
        )
        .unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tags.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (text.find(BEGIN).unwrap() + BEGIN.len(), text.find(END).unwrap());
    if std::env::var_os("TIDEWAITER_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{}{table}{}", &text[..begin], &text[end..])).unwrap();
    } else {
        assert_eq!(&text[begin..end], table, "run this test with TIDEWAITER_WRITE_DOCS=1 to write the table");
    }
}
