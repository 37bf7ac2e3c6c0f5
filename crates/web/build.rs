//! Two things that must hold before the binary is made: the folder that `npm run build` fills exists (empty, it is no
//! user interface, and pages say so), and every text of the pages is there in every language.
//!
//! `texts/pages/*.toml` become constants, so that a page that names a missing text does not compile, and a text that no
//! page names is reported as dead code. Which file a text stands in makes no difference; it stands in one only.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// In the order of `spine::Language::ALL`.
const LANGUAGES: [&str; 4] = ["en", "zh", "fr", "es"];

fn main() -> Result<(), Box<dyn Error>> {
    // Asked when it runs: a script that is built already may serve another copy of the repository.
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let dist = here.join("../../ui/dist");
    std::fs::create_dir_all(&dist)?;
    // Cargo looks at the newest file below a folder it is told to watch.
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=texts/pages");
    println!("cargo::rerun-if-changed=build.rs");
    let texts = Texts::read(&here.join("texts/pages"))?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("texts.rs"), texts.generate()?)?;
    Ok(())
}

/// Texts of all files by their keys; the code of each is the list of its languages.
#[derive(Default)]
struct Texts {
    /// What pages say: constants.
    page: BTreeMap<String, String>,
    /// What data names (roles, states, stages): a table to look up.
    named: BTreeMap<String, String>,
}

impl Texts {
    fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut texts = Self::default();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let table = std::fs::read_to_string(&path)?
                    .parse::<toml::Table>()
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                texts.take(table).map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        Ok(texts)
    }

    fn take(&mut self, table: toml::Table) -> Result<(), Box<dyn Error>> {
        for (name, section) in table {
            let target = match name.as_str() {
                "page" => &mut self.page,
                "named" => &mut self.named,
                _ => return Err(format!("[{name}] is neither [page] nor [named]").into()),
            };
            for (key, text) in section.as_table().into_iter().flatten() {
                if target.insert(key.clone(), languages_of(key, text)?).is_some() {
                    return Err(format!("{key} is there already, here or in another file").into());
                }
            }
        }
        Ok(())
    }

    fn generate(&self) -> Result<String, Box<dyn Error>> {
        let mut code = String::new();
        for (key, languages) in &self.page {
            writeln!(code, "pub(crate) const {}: Text = Text({languages});", key.to_uppercase())?;
        }
        writeln!(code, "pub(crate) static NAMED: &[(&str, Text)] = &[")?;
        for (key, languages) in &self.named {
            writeln!(code, "    ({key:?}, Text({languages})),")?;
        }
        writeln!(code, "];")?;
        Ok(code)
    }
}

fn languages_of(key: &str, text: &toml::Value) -> Result<String, Box<dyn Error>> {
    let mut code = String::from("[");
    let mut names_of_english = None;
    for language in LANGUAGES {
        let text = text.get(language).and_then(toml::Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(format!("{key} has no text in \"{language}\"").into());
        }
        let names = names_in_braces(text);
        if *names_of_english.get_or_insert_with(|| names.clone()) != names {
            return Err(format!("{key} names other values in \"{language}\" than in English").into());
        }
        write!(code, "{text:?}, ")?;
    }
    code.push(']');
    Ok(code)
}

fn names_in_braces(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}
