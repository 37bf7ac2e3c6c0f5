//! Tells stories of the log's simulation: `cargo run --release -p journal --example simulate FROM COUNT`.
//!
//! Prints progress on standard error, and on standard output what happened, as a JSON list of figures. Ends with 1, and
//! one line for each seed that failed, if something was violated.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints for its caller")]

use std::error::Error;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use journal::log::simulation::{Mutant, Totals, Violation, simulate};
use serde_json::json;

/// Seeds between two lines of progress.
const PROGRESS_EVERY: u64 = 500;
/// After so many violations it ends.
const VIOLATIONS_MAX: usize = 20;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name: &str| -> Result<u64, Box<dyn Error>> {
        let text = arguments.next().ok_or_else(|| format!("name {name}"))?;
        text.parse().map_err(|_| format!("{text} is no {name}").into())
    };
    let (from, count) = (number("FROM")?, number("COUNT")?);
    let began = Instant::now();
    let (totals, violations) = run(from, count);
    let seconds = began.elapsed().as_secs_f64();
    if !violations.is_empty() {
        violations.iter().for_each(|violation| eprintln!("{violation}"));
        return Ok(ExitCode::FAILURE);
    }
    let mut figures = vec![
        json!({"happened": "seeds", "times": count}),
        json!({"happened": "violations", "times": 0}),
        json!({"happened": "seconds", "times": seconds}),
    ];
    figures
        .extend(totals.rows().into_iter().map(|(what, number)| json!({"happened": what, "times": number})));
    println!("{}", json!({ "figures": figures }));
    Ok(ExitCode::SUCCESS)
}

fn run(from: u64, count: u64) -> (Totals, Vec<Violation>) {
    let next = AtomicU64::new(0);
    let outcome = Mutex::new((Totals::default(), Vec::new()));
    let work = || {
        loop {
            let done = next.fetch_add(1, Ordering::Relaxed);
            if done >= count {
                return;
            }
            let told = simulate(from.saturating_add(done), Mutant::None);
            let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
            match told {
                Ok(totals) => outcome.0 += totals,
                Err(violation) => outcome.1.push(violation),
            }
            if outcome.1.len() >= VIOLATIONS_MAX {
                return;
            }
            if done % PROGRESS_EVERY == PROGRESS_EVERY - 1 {
                eprintln!("{} of {count} seeds, {} violations", done + 1, outcome.1.len());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    outcome.into_inner().unwrap_or_else(PoisonError::into_inner)
}
