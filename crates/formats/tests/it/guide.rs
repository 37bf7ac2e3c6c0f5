//! `docs/mapping.md` says what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use formats::Mapping;
use spine::declaration_entry;

fn guide() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mapping.md")).unwrap()
}

#[test]
fn the_whole_example_is_a_mapping_that_fits_its_file() {
    let guide = guide();
    let (_, example) = guide.split_once("```toml\n").unwrap();
    let mapping = Mapping::from_toml(example.split("```").next().unwrap()).unwrap();
    let headers: Vec<String> = mapping.fields.values().filter_map(|field| field.column.clone()).collect();
    assert_eq!(mapping.check(&headers, &declaration_entry::schema()), []);
}

#[test]
fn every_field_and_every_code_of_intake_stands_in_the_guide() {
    let guide = guide();
    let lacks = |name: &str| !guide.contains(&format!("`{name}`"));
    for field in &declaration_entry::schema().fields {
        assert!(!lacks(&field.name), "field {}", field.name);
    }
    // Codes stand in the sources as the first argument of what makes a finding.
    let mut codes = BTreeSet::new();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() || path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("xml")) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        for maker in ["Finding::error(", "Finding::warning(", "self.row(", "self.finding("] {
            for rest in text.split(maker).skip(1) {
                if let Some(code) =
                    rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next())
                {
                    codes.insert(code.to_owned());
                }
            }
        }
    }
    // A mismatch of types would be our mistake, never the file's; nobody can mend it.
    codes.remove("type_mismatch");
    assert!(codes.len() > 25, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| lacks(code)).collect::<Vec<_>>(), Vec::<&String>::new());
}
