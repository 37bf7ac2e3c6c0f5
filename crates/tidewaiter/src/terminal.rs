//! Talking to a person at a terminal: progress with rate and time left, results, errors; and Ctrl-C.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use customhouse::{Error, Kind};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use spine::Progress;

static CANCELLED: AtomicBool = AtomicBool::new(false);

/// The first Ctrl-C asks the work to stop cleanly, the second one ends the process.
pub(crate) fn install_cancellation() -> Result<(), Error> {
    ctrlc::set_handler(|| {
        if CANCELLED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(io::stderr(), "\nStopping. Press Ctrl-C again to stop at once.");
    })
    .map_err(|error| Error::internal("no_signal_handler", &error))
}

/// Has anyone pressed Ctrl-C?
pub(crate) fn cancelled() -> bool {
    CANCELLED.load(Ordering::Relaxed)
}

/// Prints one line of results. A closed pipe (`tidewaiter … | head`) is not an error.
pub(crate) fn line(text: &str) -> Result<(), Error> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::io("output_unwritable", std::path::Path::new("standard output"), &error))
        }
        _ => Ok(()),
    }
}

/// Prints a value as JSON, indented.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<(), Error> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| Error::internal("json_unwritable", &error))?;
    line(&text)
}

/// Says something beside the results, on standard error.
pub(crate) fn note(text: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints an error: what happened, the remedy, the code, and up to twenty findings that explain it.
pub(crate) fn error(error: &Error) {
    const FINDINGS_SHOWN_MAX: usize = 20;
    note(&format!("error: {}", error.detail));
    for finding in error.findings.iter().take(FINDINGS_SHOWN_MAX) {
        note(&format!("  {finding}"));
    }
    if let Some(more) = error.findings.len().checked_sub(FINDINGS_SHOWN_MAX).filter(|more| *more > 0) {
        note(&format!("  … and {more} more"));
    }
    if !error.how_to_fix.is_empty() {
        note(&format!("  {}", error.how_to_fix));
    }
    note(&format!("  [{}]", error.code));
}

/// Exit code of a failure; `--help` lists them.
pub(crate) fn exit_code(kind: Kind) -> u8 {
    match kind {
        Kind::Invalid | Kind::NotFound | Kind::Forbidden | Kind::Conflict | Kind::Refused => 3,
        Kind::FolderUnusable => 4,
        Kind::Busy | Kind::Internal => 5,
        Kind::Cancelled => 130,
    }
}

/// A table of texts with aligned columns.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> Result<(), Error> {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let render = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    line(&render(&mut header.iter().copied()))?;
    for row in rows {
        line(&render(&mut row.iter().map(String::as_str)))?;
    }
    Ok(())
}

/// Progress on a terminal: one bar, a new one for each stage. Silent elsewhere, but cancellable everywhere.
pub(crate) struct TerminalProgress {
    shown: bool,
    bar: Mutex<Option<(&'static str, ProgressBar)>>,
}

impl TerminalProgress {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { shown: !quiet && io::stderr().is_terminal(), bar: Mutex::new(None) }
    }

    /// Removes the bar, so that results stand alone.
    pub(crate) fn finish(&self) {
        if let Some((_, bar)) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn new_bar(stage: &'static str, total: u64) -> ProgressBar {
    let bar =
        ProgressBar::with_draw_target((total > 0).then_some(total), ProgressDrawTarget::stderr_with_hz(10));
    let template = if total > 0 {
        "{msg:22} {wide_bar} {percent:>3} %  {per_sec}  {eta} left"
    } else {
        "{msg:22} {spinner} {human_pos}  {per_sec}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar.set_message(stage.replace('_', " "));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

impl Progress for TerminalProgress {
    fn report(&self, stage: &'static str, done: u64, total: u64) {
        if !self.shown {
            return;
        }
        let mut current = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let same_stage = current.as_ref().is_some_and(|(shown, _)| *shown == stage);
        if !same_stage {
            if let Some((_, bar)) = current.take() {
                bar.finish_and_clear();
            }
            *current = Some((stage, new_bar(stage, total)));
        }
        if let Some((_, bar)) = current.as_ref() {
            bar.set_position(done);
        }
    }

    fn cancelled(&self) -> bool {
        cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_has_its_exit_code_and_none_is_success() {
        for (kind, code) in [
            (Kind::Invalid, 3),
            (Kind::Refused, 3),
            (Kind::FolderUnusable, 4),
            (Kind::Internal, 5),
            (Kind::Cancelled, 130),
        ] {
            assert_eq!(exit_code(kind), code);
        }
    }
}
