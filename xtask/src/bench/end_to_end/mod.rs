//! From bytes over HTTP to the durable choice of a lane, on the server as it is delivered.

mod client;
mod load;
mod pages;
mod site;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use self::load::{Load, Sent, send};
use self::site::Site;
use super::{scratch, table};
use crate::workspace::Workspace;
use crate::{cases, process};

/// Declarations of the load.
const DECLARATIONS: usize = 30_000;
/// Connections of every party that keep the server saturated.
const CONNECTIONS: usize = 32;
/// The steady load: declarations a second, and for how many declarations.
const RATE: f64 = 200.0;
const STEADY: usize = 4_000;
/// The large history.
const MANY: &str = "1000000";

/// Prints throughput, delay, memory, first decision, pages, rebuilding.
pub(super) fn run(workspace: &Workspace, runs: u32) -> Result<()> {
    let folder = scratch(workspace, "end-to-end")?;
    let tidewaiter = workspace.binary("release");
    let made = process::measure(&mut country(&tidewaiter, "100000", 1_000, &folder.join("country")))?;
    let world = folder.join("world");
    process::answer(&mut country(&tidewaiter, &DECLARATIONS.to_string(), DECLARATIONS, &world))?;
    let load = Load::read(&world.join("dms"))?;

    let mut saturated = Vec::new();
    let mut firsts = Vec::new();
    let mut peaks = Vec::new();
    let mut rebuilt = Vec::new();
    let mut page_rows = Vec::new();
    for run in 0..runs {
        let data = folder.join(format!("data-{run}"));
        let site = Site::prepare(&tidewaiter, &data, None)?;
        let began = Instant::now();
        let server = site.serve()?;
        send(&site, &server, &load, 0..1, 1, None)?;
        firsts.push(began.elapsed());
        let sent = send(&site, &server, &load, 1..DECLARATIONS, CONNECTIONS, None)?;
        server.until_caught_up()?;
        peaks.push(server.peak_bytes());
        if run == 0 {
            page_rows.extend(pages::rows("30,000 lodged here", &site, &server)?);
        }
        drop(server);
        rebuilt.push(rebuild(&site, sent.position)?);
        saturated.push(sent);
        fs::remove_dir_all(data)?;
    }
    let steady = steady(&tidewaiter, &folder, &load, runs)?;
    print(&saturated, &steady, &firsts, &peaks, &rebuilt);
    println!();
    by_schema(workspace, &tidewaiter, &folder, &load, runs)?;
    println!();
    let many = many(&tidewaiter, &folder)?;
    page_rows.extend(many.pages);
    table::print(&["declarations", "page", "median", "longest of 21"], &page_rows);
    println!();
    table::print(&["1,000,000 declarations of history", "figure"], &many.figures);
    println!();
    let [wall, processor, memory] = table::cells_of(&[made]);
    table::print(
        &["making a country", "time", "processor time", "peak memory"],
        &[vec!["100,000 declarations with Parquet and 1,000 messages".to_owned(), wall, processor, memory]],
    );
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// The same load where each declaration is also held against the published XML Schema of its message.
fn by_schema(workspace: &Workspace, tidewaiter: &Path, folder: &Path, load: &Load, runs: u32) -> Result<()> {
    let schemas = cases::folder(workspace).join("messages/cds-wco-dms");
    if !schemas.is_dir() {
        println!("skipped: with schemas (no {})", schemas.display());
        return Ok(());
    }
    let load = load.with_published_codes();
    let mut all = Vec::new();
    for _ in 0..runs {
        let data = folder.join("data-schemas");
        let site = Site::prepare(tidewaiter, &data, Some(&schemas))?;
        let server = site.serve()?;
        all.push(send(&site, &server, &load, 0..DECLARATIONS, CONNECTIONS, None)?);
        drop(server);
        fs::remove_dir_all(data)?;
    }
    table::print(
        &["end to end, each held against its XML Schema", "figure", "runs"],
        &[vec![
            format!(
                "declarations/s, {CONNECTIONS} senders, XML, of {DECLARATIONS} ({} rejected for correction)",
                all.first().map_or(0, |sent| sent.rejected)
            ),
            middle(all.iter().map(Sent::per_second)),
            runs.to_string(),
        ]],
    );
    Ok(())
}

fn country(tidewaiter: &Path, declarations: &str, messages: usize, out: &Path) -> Command {
    let mut command = Command::new(tidewaiter);
    command.args(["--quiet", "country", "--declarations", declarations, "--dms", &messages.to_string()]);
    command.arg("--out").arg(out);
    command
}

/// Events a second at which the pages' own store is made anew from the journal.
fn rebuild(site: &Site, events: u64) -> Result<f64> {
    fs::remove_dir_all(site.data.join("read-models"))?;
    let server = site.serve()?;
    let took = server.until_caught_up()?;
    Ok(u32::try_from(events).map_or(f64::INFINITY, f64::from) / took.as_secs_f64())
}

fn steady(tidewaiter: &Path, folder: &Path, load: &Load, runs: u32) -> Result<Vec<Sent>> {
    let site = Site::prepare(tidewaiter, &folder.join("data-steady"), None)?;
    let server = site.serve()?;
    let mut all = Vec::new();
    for run in 0..runs.min(5) {
        let from = STEADY * usize::try_from(run)?;
        all.push(send(&site, &server, load, from..from + STEADY, CONNECTIONS, Some(RATE))?);
    }
    Ok(all)
}

/// What a history of a million costs.
struct Many {
    pages: Vec<Vec<String>>,
    figures: Vec<Vec<String>>,
}

/// Takes in a history of a million, starts on it, and looks at pages.
fn many(tidewaiter: &Path, folder: &Path) -> Result<Many> {
    let world = folder.join("many");
    process::answer(&mut country(tidewaiter, MANY, 0, &world))?;
    let site = Site::prepare(tidewaiter, &folder.join("data-many"), None)?;
    let records = world.join("declarations.parquet");
    let began = Instant::now();
    site.call(&["--quiet", "import", &records.to_string_lossy()])?;
    let imported = began.elapsed();
    let began = Instant::now();
    let server = site.serve()?;
    let answering = began.elapsed();
    server.until_caught_up()?;
    let ready = began.elapsed();
    let pages = pages::rows("1,000,000 of history", &site, &server)?;
    let figure = |what: &str, figure: String| vec![what.to_owned(), figure];
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    let figures = vec![
        figure("taken into the pool", seconds(imported)),
        figure("start of the server to the first page", seconds(answering)),
        figure("start of the server until pages show all of it and lanes are chosen", seconds(ready)),
        figure("peak memory of the server", format!("{} MB", server.peak_bytes().div_ceil(1_000_000))),
    ];
    Ok(Many { pages, figures })
}

fn milliseconds(times: impl Iterator<Item = Duration>) -> String {
    table::median(times).map_or_else(String::new, |time| format!("{:.1} ms", time.as_secs_f64() * 1_000.0))
}

/// The middle one of figures that are no times.
fn middle(figures: impl Iterator<Item = f64>) -> String {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len().saturating_sub(1) / 2).map_or_else(String::new, |own| format!("{own:.0}"))
}

fn print(saturated: &[Sent], steady: &[Sent], firsts: &[Duration], peaks: &[u64], rebuilt: &[f64]) {
    let rejected: u64 = saturated.iter().map(|sent| sent.rejected).max().unwrap_or(0);
    let row = |what: String, figure: String, runs: usize| vec![what, figure, runs.to_string()];
    let rows = vec![
        row(
            format!(
                "declarations/s, {CONNECTIONS} senders, XML, of 30,000 ({rejected} rejected for correction)"
            ),
            middle(saturated.iter().map(Sent::per_second)),
            saturated.len(),
        ),
        row(
            "p50 from due to receipt at 200/s".to_owned(),
            milliseconds(steady.iter().map(|sent| sent.quantile(50))),
            steady.len(),
        ),
        row(
            "p99 from due to receipt at 200/s".to_owned(),
            milliseconds(steady.iter().map(|sent| sent.quantile(99))),
            steady.len(),
        ),
        row(
            "start of the server on a folder with accounts and policies to the first lane".to_owned(),
            milliseconds(firsts.iter().copied()),
            firsts.len(),
        ),
        row(
            "peak memory of the server, MB".to_owned(),
            table::median(peaks.iter().copied())
                .map_or_else(String::new, |bytes| bytes.div_ceil(1_000_000).to_string()),
            peaks.len(),
        ),
        row("read models made anew, events/s".to_owned(), middle(rebuilt.iter().copied()), rebuilt.len()),
    ];
    table::print(&["end to end", "figure", "runs"], &rows);
}
