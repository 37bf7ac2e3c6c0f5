//! Files as people send them: CSV or Parquet, told apart by their first bytes.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use encoding_rs::Encoding;
use formats::csv::{CsvOptions, CsvSource};
use formats::{Intake, IntakeError, IntakeOptions, Mapping, Proposal, RowSource, propose, read_table};
use sha2::{Digest, Sha256};
use spine::{EntrySchema, Finding, Pointer, Progress};

use crate::event::{SourceReference, bounded_name};
use crate::gate::count;
use crate::parquet_source::ParquetSource;

/// First bytes of a Parquet file.
const PARQUET_MAGIC: &[u8] = b"PAR1";
/// Rows that a proposal looks at.
const SAMPLE_ROWS: usize = 500;
/// Bytes from which the number of rows is estimated.
const ESTIMATE_BYTES: u64 = 256 * 1024;

/// Opens a CSV or Parquet file. The finding says why there is nothing to read. A mapping that names an encoding or a
/// delimiter is obeyed; what nobody names is found out.
pub fn open_source(path: &Path, mapping: Option<&Mapping>) -> Result<Box<dyn RowSource>, Finding> {
    let failed = |error: io::Error| unreadable(path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let mut magic = Vec::new();
    file.by_ref().take(count(PARQUET_MAGIC.len())).read_to_end(&mut magic).map_err(failed)?;
    file.rewind().map_err(failed)?;
    if magic == PARQUET_MAGIC {
        return Ok(Box::new(ParquetSource::open(file)?));
    }
    let options = mapping.map_or(Ok(CsvOptions::default()), csv_options)?;
    Ok(Box::new(CsvSource::open(BufReader::new(file), options)?))
}

/// Reads all rows of a file through a mapping.
pub fn read_file(
    path: &Path,
    mapping: &Mapping,
    schema: &Arc<EntrySchema>,
    progress: &dyn Progress,
) -> Result<Intake, IntakeError> {
    let mut source =
        open_source(path, Some(mapping)).map_err(|finding| IntakeError::Source(Box::new(finding)))?;
    let options = IntakeOptions { rows_expected: rows_expected(path), ..IntakeOptions::default() };
    read_table(source.as_mut(), mapping, schema, options, progress)
}

/// Proposes what the columns of a file mean. `outcome` is the column that the caller knows to say whether something
/// was found.
pub fn propose_for_file(
    path: &Path,
    schema: &EntrySchema,
    outcome: Option<&str>,
) -> Result<Proposal, Finding> {
    let mut source = open_source(path, None)?;
    let mut rows = Vec::new();
    let mut cells = Vec::new();
    while rows.len() < SAMPLE_ROWS
        && let Some(line) = source.next_row(&mut cells)?
    {
        if source.row_finding(line, &cells).is_none() {
            rows.push(cells.clone());
        }
    }
    let mut proposal = propose(source.headers(), &rows, schema, outcome);
    let missing = outcome.filter(|outcome| !source.headers().iter().any(|header| header == outcome));
    if let Some(outcome) = missing {
        proposal.findings.push(
            Finding::error("mapping_unknown_column")
                .at(Pointer("fields.irregular.column".to_owned()))
                .found(outcome)
                .expected("a column of the file")
                .fix(format!("Columns there are: {}.", source.headers().join(", "))),
        );
    }
    Ok(proposal)
}

/// The name, hash and size of a file that somebody delivers.
pub fn source_reference(
    path: &Path,
    name: Option<&str>,
    progress: &dyn Progress,
) -> Result<SourceReference, IntakeError> {
    let failed = |error: io::Error| IntakeError::Source(Box::new(unreadable(path, &error)));
    let mut file = File::open(path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    let mut bytes: u64 = 0;
    loop {
        progress.report("hashing", bytes, total);
        if progress.cancelled() {
            return Err(IntakeError::Cancelled);
        }
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        hash.update(buffer.get(..read).unwrap_or_default());
        bytes = bytes.saturating_add(count(read));
    }
    let own_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(SourceReference {
        name: bounded_name(name.unwrap_or(&own_name)),
        sha256: hex::encode(hash.finalize()),
        bytes,
        kept: false,
    })
}

/// How many rows a file probably has, for progress; 0 when that cannot be said.
#[must_use]
pub fn rows_expected(path: &Path) -> u64 {
    let Ok(file) = File::open(path) else { return 0 };
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let mut head = Vec::new();
    if file.take(ESTIMATE_BYTES).read_to_end(&mut head).is_err() {
        return 0;
    }
    if head.starts_with(PARQUET_MAGIC) {
        return File::open(path).ok().and_then(|file| ParquetSource::open(file).ok()).map_or(0, |s| s.rows());
    }
    let lines = count(head.iter().filter(|byte| **byte == b'\n').count());
    bytes.saturating_mul(lines).checked_div(count(head.len())).unwrap_or(0)
}

fn csv_options(mapping: &Mapping) -> Result<CsvOptions, Finding> {
    let encoding = match &mapping.encoding {
        None => None,
        Some(label) => Some(Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            Finding::error("mapping_encoding")
                .at(Pointer("encoding".to_owned()))
                .found(label)
                .expected("an encoding of the WHATWG standard, such as utf-8, gb18030 or windows-1252")
                .fix("Correct it, or remove it: the encoding is then found out.")
        })?),
    };
    let delimiter = match mapping.delimiter {
        None => None,
        Some(delimiter) => Some(u8::try_from(delimiter).ok().filter(u8::is_ascii).ok_or_else(|| {
            Finding::error("mapping_delimiter")
                .at(Pointer("delimiter".to_owned()))
                .found(&delimiter.to_string())
                .expected("one ASCII character such as , or ;")
                .fix("Correct it, or remove it: the delimiter is then found out.")
        })?),
    };
    Ok(CsvOptions { encoding, delimiter })
}

fn unreadable(path: &Path, error: &io::Error) -> Finding {
    let code = if error.kind() == io::ErrorKind::NotFound { "file_not_found" } else { "file_unreadable" };
    Finding::error(code)
        .found(&format!("{}: {error}", path.display()))
        .expected("a file that can be read")
        .fix("Check the spelling of the path and who may read it.")
}
