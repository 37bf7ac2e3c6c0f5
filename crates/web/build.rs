//! Two things that must hold before the binary is made: the folder that `npm run build` fills exists (empty, it is no
//! user interface, and pages say so), and every text of the pages is there in every language.
//!
//! `texts/pages.toml` becomes constants, so that a page that names a missing text does not compile, and a text that no
//! page names is reported as dead code.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

/// In the order of `spine::Language::ALL`.
const LANGUAGES: [&str; 4] = ["en", "zh", "fr", "es"];

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dist = here.join("../../ui/dist");
    std::fs::create_dir_all(&dist)?;
    // Cargo looks at the newest file below a folder it is told to watch.
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=texts/pages.toml");
    println!("cargo::rerun-if-changed=build.rs");
    let texts: toml::Table = std::fs::read_to_string(here.join("texts/pages.toml"))?.parse()?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("texts.rs"), generate(&texts)?)?;
    Ok(())
}

/// Constants for `[page]`, a table to look up for `[named]` (roles, states, stages: what data names).
fn generate(texts: &toml::Table) -> Result<String, Box<dyn Error>> {
    let mut code = String::new();
    for (key, text) in section(texts, "page")? {
        let name = key.to_uppercase();
        writeln!(code, "pub(crate) const {name}: Text = Text({});", languages_of(key, text)?)?;
    }
    writeln!(code, "pub(crate) static NAMED: &[(&str, Text)] = &[")?;
    let mut named: Vec<_> = section(texts, "named")?.iter().collect();
    named.sort_by_key(|(key, _)| key.as_str());
    for (key, text) in named {
        writeln!(code, "    ({key:?}, Text({})),", languages_of(key, text)?)?;
    }
    writeln!(code, "];")?;
    Ok(code)
}

fn section<'a>(texts: &'a toml::Table, name: &str) -> Result<&'a toml::Table, Box<dyn Error>> {
    texts
        .get(name)
        .and_then(toml::Value::as_table)
        .ok_or_else(|| format!("texts/pages.toml lacks [{name}]").into())
}

fn languages_of(key: &str, text: &toml::Value) -> Result<String, Box<dyn Error>> {
    let mut code = String::from("[");
    let mut names_of_english = None;
    for language in LANGUAGES {
        let text = text.get(language).and_then(toml::Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(format!("texts/pages.toml: {key} has no text in \"{language}\"").into());
        }
        let names = names_in_braces(text);
        if *names_of_english.get_or_insert_with(|| names.clone()) != names {
            return Err(format!(
                "texts/pages.toml: {key} names other values in \"{language}\" than in English"
            )
            .into());
        }
        write!(code, "{text:?}, ")?;
    }
    code.push(']');
    Ok(code)
}

fn names_in_braces(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}
