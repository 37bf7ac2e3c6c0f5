//! Verifies a log: `cargo run --release -p journal --example log_verify LOG_FOLDER VKEY_FILE [THREADS]`.
//!
//! Prints every finding, then the size and the seconds it took; fails if there was a finding.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use journal::log::{Against, DiskFiles, KeyHistory, LogReader, VerifierKey, verify_log};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(log), Some(vkey)) = (arguments.next(), arguments.next()) else {
        return Err("name the log's folder and the file with its verifier key".into());
    };
    let threads = arguments.next().map(|number| number.parse()).transpose()?;
    let files = Arc::new(DiskFiles::existing(Path::new(&log))?);
    let trusted = VerifierKey::parse(std::fs::read_to_string(vkey)?.trim_end())?;
    let known = KeyHistory::read(files.as_ref())?.accepted(&[trusted]);
    let started = Instant::now();
    let report = verify_log(&LogReader::new(files), &known, &Against { threads, ..Against::default() })?;
    for finding in &report.findings {
        println!("{} {}: {}", finding.code, finding.place, finding.reason);
    }
    let size = report.checkpoint.checkpoint().size;
    println!("{size} entries, {} findings, {:.3} s", report.findings_total, started.elapsed().as_secs_f64());
    if report.holds() { Ok(()) } else { Err("the log does not hold".into()) }
}
