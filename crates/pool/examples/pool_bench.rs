//! Admission rows a second and bytes a row: `cargo run --release -p pool --example pool_bench [FILE] [ROWS]`, JSON on
//! standard output.
//!
//! FILE is a CSV or Parquet file of declarations, read through the mapping that is proposed for it. Without one (or
//! with `-`), a CSV of ROWS rows (default 300,000) is made, whose values repeat about as those of real declarations
//! do. An admission is everything between the file and the event: hash, read, convert, judge, write, flush.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pool::{
    EntriesMetadata, EntriesReader, IntakeSummary, NewEntries, PoolFolder, SourceContract, judge,
    propose_for_file, read_file, source_reference,
};
use serde_json::json;
use spine::Silent;

const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().filter(|file| file != "-").map(PathBuf::from);
    let rows: u64 = arguments.next().map_or(Ok(300_000), |rows| rows.parse())?;
    let place = std::env::temp_dir().join(format!("pool-bench-{}", std::process::id()));
    std::fs::create_dir_all(&place)?;
    let source = match file {
        Some(file) => file,
        None => generate(&place.join("declarations.csv"), rows)?,
    };
    let figures = bench(&source, &place.join("pool"));
    std::fs::remove_dir_all(&place)?;
    println!("{}", figures?);
    Ok(())
}

fn bench(source: &Path, pool: &Path) -> Result<serde_json::Value, Box<dyn Error>> {
    let contract = SourceContract::declarations();
    let schema = contract.entry_schema();
    let mapping = propose_for_file(source, &schema, None).map_err(|finding| finding.to_string())?.mapping;
    let folder = PoolFolder::open(pool)?;
    let (mut admissions, mut writes, mut loads) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rows, mut quarantined, mut source_bytes, mut bytes) = (0, 0, 0, 0);
    for _ in 0..RUNS {
        let began = Instant::now();
        let reference = source_reference(source, None, &Silent)?;
        let intake = read_file(source, &mapping, &schema, &Silent)?;
        let verdict = judge(&contract, &IntakeSummary::of(&intake), false);
        if !verdict.accepted() {
            return Err(format!("the gate refuses this file: {:?}", verdict.findings).into());
        }
        let writing = Instant::now();
        let metadata = EntriesMetadata {
            batch: "bench".to_owned(),
            contract_sha256: contract.sha256(),
            source_sha256: reference.sha256,
        };
        let entries = NewEntries { table: &intake.table, lines: &intake.lines, mends_lines: None };
        let stored = folder.write_entries(entries, &metadata, &Silent)?;
        admissions.push(began.elapsed());
        writes.push(writing.elapsed());
        (rows, quarantined) = (stored.rows, intake.rows_quarantined);
        (source_bytes, bytes) = (reference.bytes, stored.bytes);
        drop(intake);
        let loading = Instant::now();
        let mut reader = EntriesReader::new(&schema);
        folder.read_entries(&stored.sha256, None, &mut reader)?;
        loads.push(loading.elapsed());
        drop(reader.finish());
    }
    Ok(json!({
        "rows": rows,
        "rows_quarantined": quarantined,
        "source_bytes_per_row": ratio(source_bytes, rows),
        "pool_bytes_per_row": ratio(bytes, rows),
        "admitted_rows_per_second_median": rate(rows, &mut admissions),
        "written_rows_per_second_median": rate(rows, &mut writes),
        "loaded_rows_per_second_median": rate(rows, &mut loads),
        "runs": RUNS,
    }))
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    let (part, whole) = (u32::try_from(part).ok()?, u32::try_from(whole).ok()?);
    Some((f64::from(part) / f64::from(whole) * 100.0).round() / 100.0)
}

fn rate(rows: u64, runs: &mut [Duration]) -> Option<f64> {
    runs.sort_unstable();
    Some((f64::from(u32::try_from(rows).ok()?) / runs.get(runs.len() / 2)?.as_secs_f64()).round())
}

/// A CSV whose columns repeat about as those of real declarations do: few offices, many traders, unequal masses.
fn generate(path: &Path, rows: u64) -> Result<PathBuf, Box<dyn Error>> {
    let mut text = String::from(
        "Declaration ID,Date,Office ID,Process Type,Importer ID,Seller ID,HS6 Code,Country of Origin,\
         Tax Rate,Net Mass,Item Price,Fraud\n",
    );
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut below = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).checked_rem(limit).unwrap_or(0)
    };
    let countries = ["CN", "US", "DE", "VN", "JP", "IT", "TH", "KR"];
    for row in 0..rows {
        let (month, day) = (below(12) + 1, below(28) + 1);
        let (office, process, rate) = (below(40) + 10, below(4), below(30));
        let (importer, seller) = (below(200) * below(200), below(500) * below(60));
        let heading = below(97) * 100 + below(30) + 101;
        let country = countries.get(usize::try_from(below(8))?).unwrap_or(&"CN");
        let (mass, price) = (below(1_000) * below(1_000), below(100_000) * below(1_000));
        let fraud = u64::from(below(100) < 8);
        writeln!(
            text,
            "{},2024-{month:02}-{day:02},{office},P{process},IMP{importer:06},SEL{seller:06},{heading:04}10,\
             {country},{rate}.0,{}.{},{}.{:02},{fraud}",
            97_000_000 + row,
            mass / 10,
            mass % 10,
            price / 100,
            price % 100,
        )?;
    }
    std::fs::write(path, text)?;
    Ok(path.to_owned())
}
