//! Reading as the upper rooms read: propose a mapping or take the one given, then intake.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use formats::csv::{CsvOptions, CsvSource};
use formats::{Intake, IntakeError, IntakeOptions, Mapping, Proposal, RowSource, propose, read_table};
use spine::{Finding, Silent, declaration_entry};

/// Rows that a proposal looks at.
const SAMPLE_ROWS: usize = 200;

pub(crate) fn open(bytes: &[u8]) -> Result<CsvSource<&[u8]>, Finding> {
    CsvSource::open(bytes, CsvOptions::default())
}

pub(crate) fn proposal(bytes: &[u8]) -> Result<Proposal, Finding> {
    let mut source = open(bytes)?;
    let mut rows = Vec::new();
    let mut cells = Vec::new();
    while rows.len() < SAMPLE_ROWS && source.next_row(&mut cells)?.is_some() {
        rows.push(cells.clone());
    }
    Ok(propose(source.headers(), &rows, &declaration_entry::schema(), None))
}

/// Reads with the mapping; what is wrong with the whole file or the mapping comes as findings.
pub(crate) fn read_with(bytes: &[u8], mapping: &Mapping) -> Result<Intake, Vec<Finding>> {
    let mut source = open(bytes).map_err(|finding| vec![finding])?;
    let schema = declaration_entry::schema();
    read_table(&mut source, mapping, &schema, IntakeOptions::default(), &Silent).map_err(
        |error| match error {
            IntakeError::Mapping(findings) => findings,
            IntakeError::Source(finding) => vec![*finding],
            other => panic!("{other}"),
        },
    )
}

/// Reads with the mapping that the file itself suggests.
pub(crate) fn read(bytes: &[u8]) -> Result<Intake, Vec<Finding>> {
    let proposal = proposal(bytes).map_err(|finding| vec![finding])?;
    read_with(bytes, &proposal.mapping)
}

/// `map.toml` for these fields.
pub(crate) fn mapping(fields: &str) -> Mapping {
    Mapping::from_toml(&format!("version = 1\nschema = \"declaration_item\"\n{fields}")).unwrap()
}

/// What a reader is told about the file: codes with how often, and the column.
pub(crate) fn told(intake: &Intake) -> String {
    let mut groups: Vec<String> = intake
        .findings
        .iter()
        .map(|group| {
            let column = if group.column.is_empty() { "(file)" } else { &group.column };
            format!("{} {column} {}", group.code, group.count)
        })
        .collect();
    groups.sort();
    groups.join(", ")
}

/// Everything in a finding that a person needs is there.
pub(crate) fn assert_helpful(finding: &Finding) {
    assert!(
        !finding.code.is_empty() && !finding.expected.is_empty() && !finding.how_to_fix.is_empty(),
        "{finding:?}"
    );
}

/// The columns that most files here have.
pub(crate) fn by_name() -> Mapping {
    mapping(
        "[fields]\ndeclaration_id = { column = \"Declaration ID\" }\ndate = { column = \"Date\" }\n\
         commodity_code = { column = \"HS Code\" }\norigin_country = { column = \"Country of Origin\" }\n\
         net_mass = { column = \"Net Mass\" }\nirregular = { column = \"Fraud\" }\n",
    )
}

/// A folder of real material that nobody here wrote; `None` where it is not there.
pub(crate) fn cases(folder: &str) -> Option<PathBuf> {
    let root = env::var_os("TIDEWAITER_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    Some(root.join(folder)).filter(|folder| folder.is_dir())
}

/// All XML files below a folder, in the order of their names.
pub(crate) fn xml_files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(xml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            found.push(path);
        }
    }
    found
}
