//! Past decisions of a made-up country, derived again after many rule edits.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::start::free_address;
use super::{scratch, table};
use crate::process;
use crate::workspace::Workspace;

/// Declarations of the country: its last 14 days, which go through the full loop, are more than [`DECISIONS`].
const DECLARATIONS: &str = "140000";
const DECISIONS: &str = "10000";
const EDITS: u32 = 50;
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Prints how many of the decisions come out as they were recorded.
pub(super) fn run(workspace: &Workspace, _runs: u32) -> Result<()> {
    let folder = scratch(workspace, "replay")?;
    let (tidewaiter, data) = (workspace.binary("release"), folder.join("data"));
    make_country(&tidewaiter, &data)?;
    for edit in 1..=EDITS {
        install_edited(workspace, &tidewaiter, &data, &folder.join("pack"), edit)?;
    }
    let began = Instant::now();
    let mut command = Command::new(&tidewaiter);
    command.args(["--quiet", "replay", "sample", "--json", "--decisions", DECISIONS, "--data"]).arg(&data);
    let report: serde_json::Value = serde_json::from_str(&process::answer(&mut command)?)?;
    let took = began.elapsed();
    let number = |name: &str| report.get(name).map(ToString::to_string).unwrap_or_default();
    table::print(
        &["decisions (SIMULATED)", "rule edits", "as recorded", "otherwise", "not derivable", "time"],
        &[vec![
            number("decisions"),
            EDITS.to_string(),
            number("same"),
            number("different"),
            number("missing"),
            table::seconds(took),
        ]],
    );
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// A country whose world stands still once its history is made.
fn make_country(tidewaiter: &Path, data: &Path) -> Result<()> {
    let address = free_address()?.to_string();
    let mut demo = Command::new(tidewaiter)
        .args([
            "--quiet",
            "demo",
            "--pace",
            "0",
            "--declarations",
            DECLARATIONS,
            "--listen",
            &address,
            "--data",
        ])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("the binary does not start")?;
    let began = Instant::now();
    let made = loop {
        if std::net::TcpStream::connect(&address).is_ok() {
            break Ok(());
        }
        if began.elapsed() > GIVE_UP_AFTER || demo.try_wait()?.is_some() {
            break Err(());
        }
        std::thread::sleep(LOOK_EVERY);
    };
    demo.kill()?;
    demo.wait()?;
    if made.is_err() { bail!("the country was not made") } else { Ok(()) }
}

/// Installs the shipped tags as another version in which masses are compared otherwise.
fn install_edited(
    workspace: &Workspace,
    tidewaiter: &Path,
    data: &Path,
    pack: &Path,
    edit: u32,
) -> Result<()> {
    fs::create_dir_all(pack)?;
    let shipped = workspace.path("packs/customs-tags");
    for file in fs::read_dir(&shipped).with_context(|| shipped.display().to_string())? {
        let file = file?;
        let text = fs::read_to_string(file.path())?
            .replace("version = \"1.0.0\"\nkind", &format!("version = \"1.0.{edit}\"\nkind"))
            .replace(
                "when = \"gross_mass < net_mass\"",
                &format!("when = \"gross_mass + 0.{edit:03} < net_mass\""),
            );
        fs::write(pack.join(file.file_name()), text)?;
    }
    let mut command = Command::new(tidewaiter);
    process::answer(command.args(["--quiet", "pack", "install"]).arg(pack).arg("--data").arg(data)).map(drop)
}
