//! A data folder made ready for work, and the server on it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::client::Client;
use crate::bench::start::free_address;
use crate::process;

/// Parties that lodge; the declarations of the load are dealt out to them.
pub(super) const PARTIES: usize = 8;
pub(super) const PASSWORD: &str = "correct horse battery staple";
const GIVE_UP_AFTER: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A folder with accounts and policies in force.
pub(super) struct Site {
    tidewaiter: PathBuf,
    pub(super) data: PathBuf,
    /// One for each party.
    pub(super) tokens: Vec<String>,
    /// Of the chief.
    pub(super) chief: String,
}

impl Site {
    /// With a folder of schemas, each declaration is held against them when it is lodged.
    pub(super) fn prepare(tidewaiter: &Path, data: &Path, schemas: Option<&Path>) -> Result<Self> {
        let mut site = Self {
            tidewaiter: tidewaiter.to_owned(),
            data: data.to_owned(),
            tokens: Vec::new(),
            chief: String::new(),
        };
        for role in ["analyst", "chief"] {
            site.add(role, role, &[])?;
        }
        for kind in ["acceptance", "selection", "release"] {
            site.call(&["policy", "propose", kind, "--as", "analyst"])?;
        }
        let listed: serde_json::Value = serde_json::from_str(&site.call(&["policy", "list", "--json"])?)?;
        for policy in listed.as_array().into_iter().flatten() {
            let hash = policy.get("hash").and_then(serde_json::Value::as_str).context("no hash")?;
            site.call(&["policy", "approve", hash, "--as", "analyst"])?;
            site.call(&["policy", "approve", hash, "--as", "chief"])?;
        }
        if let Some(folder) = schemas {
            site.call(&["--quiet", "pack", "install", &folder.to_string_lossy()])?;
        }
        site.chief = site.token("chief")?;
        for party in 0..PARTIES {
            let name = party_name(party);
            site.add(&name, "trader", &["--party", &name])?;
            let token = site.token(&name)?;
            site.tokens.push(token);
        }
        Ok(site)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.tidewaiter);
        command.args(arguments).arg("--data").arg(&self.data);
        command
    }

    pub(super) fn call(&self, arguments: &[&str]) -> Result<String> {
        process::answer(&mut self.command(arguments))
    }

    fn token(&self, name: &str) -> Result<String> {
        Ok(self.call(&["user", "token", name, "--label", "bench"])?.trim().to_owned())
    }

    fn add(&self, name: &str, role: &str, more: &[&str]) -> Result<()> {
        use std::io::Write as _;
        let mut command = self.command(&["user", "add", name, "--role", role]);
        let mut child = command.args(more).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        child.stdin.take().context("no input")?.write_all(format!("{PASSWORD}\n").as_bytes())?;
        let status = child.wait()?;
        if status.success() { Ok(()) } else { bail!("no account {name}: {status}") }
    }

    /// Starts the server and waits until it answers.
    pub(super) fn serve(&self) -> Result<Server> {
        let address = free_address()?;
        let mut command = self.command(&["--quiet", "serve", "--listen", &address.to_string()]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let server = Server { child, address };
        let began = Instant::now();
        loop {
            if let Ok(mut client) = Client::connect(address)
                && client.get("/api/v1/status").is_ok_and(|answer| answer.status == 200)
            {
                return Ok(server);
            }
            if began.elapsed() > GIVE_UP_AFTER {
                bail!("the server does not answer");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// Name and id of a party.
pub(super) fn party_name(party: usize) -> String {
    format!("BENCH{party}")
}

/// A server; dropping it ends it.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Peak resident memory so far, in bytes.
    pub(super) fn peak_bytes(&self) -> u64 {
        process::resident_peak(&self.child).unwrap_or(0)
    }

    /// Waits until pages show everything and the desk knows the past; answers with how long that took.
    pub(super) fn until_caught_up(&self) -> Result<Duration> {
        let began = Instant::now();
        let mut client = Client::connect(self.address)?;
        loop {
            let status = client.get("/api/v1/status")?.json()?;
            let behind = status.get("behind_events").and_then(serde_json::Value::as_u64);
            let state = status.get("state").and_then(serde_json::Value::as_str);
            if behind == Some(0) && state == Some("running") {
                return Ok(began.elapsed());
            }
            if began.elapsed() > GIVE_UP_AFTER {
                bail!("the pages do not catch up: {status}");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
