//! From starting the binary on a new folder to its first page.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{scratch, table};
use crate::workspace::Workspace;

const GIVE_UP_AFTER: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(2);
const REDIRECTS_MAX: usize = 4;

/// Prints the time until a page is answered with 200.
pub(super) fn run(workspace: &Workspace, runs: u32) -> Result<()> {
    let folder = scratch(workspace, "start")?;
    let mut times = Vec::new();
    for run in 0..runs {
        let address = free_address()?;
        let started = Instant::now();
        let mut server = Command::new(workspace.binary("release"))
            .args(["--quiet", "serve", "--listen", &address.to_string(), "--data"])
            .arg(folder.join(run.to_string()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("the binary does not start")?;
        let first_page = until_first_page(address, started);
        server.kill()?;
        server.wait()?;
        times.push(first_page?);
    }
    let median = table::median(times).map_or_else(String::new, table::seconds);
    table::print(
        &["start", "time", "runs"],
        &[vec!["new folder to first page".to_owned(), median, runs.to_string()]],
    );
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn until_first_page(address: SocketAddr, started: Instant) -> Result<Duration> {
    while started.elapsed() < GIVE_UP_AFTER {
        if let Some(page) = first_page(address)? {
            return Ok(if page {
                started.elapsed()
            } else {
                bail!("the first page is no page: the server answered with an error")
            });
        }
        std::thread::sleep(ASK_EVERY);
    }
    bail!("no page within {} s", GIVE_UP_AFTER.as_secs())
}

/// Absent while nobody listens; whether the answer, redirects followed, is a page.
fn first_page(address: SocketAddr) -> Result<Option<bool>> {
    let mut path = "/".to_owned();
    for _ in 0..REDIRECTS_MAX {
        let Ok(mut connection) = TcpStream::connect(address) else { return Ok(None) };
        connection.set_read_timeout(Some(GIVE_UP_AFTER))?;
        write!(
            connection,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        match redirect(&answer) {
            Some(target) => path = target.to_owned(),
            None => return Ok(Some(answer.starts_with("HTTP/1.1 200 "))),
        }
    }
    bail!("more than {REDIRECTS_MAX} redirects")
}

/// The target of a 3xx answer.
fn redirect(answer: &str) -> Option<&str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    if !head.starts_with("HTTP/1.1 3") {
        return None;
    }
    let line =
        head.lines().find(|line| line.get(..9).is_some_and(|name| name.eq_ignore_ascii_case("location:")))?;
    line.get(9..).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_followed_by_its_location() {
        let check = |answer: &str, expected: Option<&str>| assert_eq!(redirect(answer), expected, "{answer}");
        check("HTTP/1.1 303 See Other\r\nlocation: /sign-in\r\n\r\n", Some("/sign-in"));
        check("HTTP/1.1 200 OK\r\nLocation: /sign-in\r\n\r\n", None);
        check("HTTP/1.1 303 See Other\r\nserver: x\r\n\r\nlocation: /body", None);
    }
}
