//! How long pages take: over loopback, on one connection, signed in as the chief.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::client::Client;
use super::site::{PASSWORD, Server, Site};
use crate::bench::table;

/// How often each page is asked for.
const ASKED: usize = 21;

fn signed_in(server: &Server) -> Result<Client> {
    let mut client = Client::connect(server.address)?;
    let form = client.get("/sign-in")?;
    let text = form.text();
    let csrf = text
        .split_once("name=\"csrf\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(csrf, _)| csrf.to_owned())
        .context("no form to sign in")?;
    let plain = client.always.clone();
    let cookies: Vec<&str> = form.cookies().collect();
    client.always.push_str(&format!("Cookie: {}\r\n", cookies.join("; ")));
    let password = PASSWORD.replace(' ', "+");
    let body = format!("csrf={csrf}&name=chief&password={password}&next=");
    let answer = client.ask("POST", "/sign-in", "application/x-www-form-urlencoded", body.as_bytes())?;
    let session: Vec<&str> = answer.cookies().collect();
    if answer.status != 303 || session.is_empty() {
        bail!("the chief cannot sign in: {}", answer.status);
    }
    client.always = format!("{plain}Cookie: {}\r\n", session.join("; "));
    Ok(client)
}

/// The number of some declaration.
fn some_case(site: &Site, server: &Server) -> Result<String> {
    let listed = Client::with_token(server.address, &site.chief)?.get("/api/v1/declarations")?.json()?;
    let number = listed.pointer("/rows/0/mrn").and_then(serde_json::Value::as_str);
    Ok(number.context("there is no declaration")?.to_owned())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// One row a page: median and longest.
pub(super) fn rows(what: &str, site: &Site, server: &Server) -> Result<Vec<Vec<String>>> {
    let mut client = signed_in(server)?;
    let case = format!("/declarations/{}", some_case(site, server)?);
    let mut rows = Vec::new();
    for path in ["/", "/declarations", &case, "/queue", "/entities", "/plan"] {
        let mut times = Vec::new();
        for _ in 0..ASKED {
            let began = Instant::now();
            let answer = client.get(path)?;
            times.push(began.elapsed());
            if answer.status != 200 {
                bail!("{path} was answered with {}", answer.status);
            }
        }
        let shown = if path == case { "a case" } else { path };
        let longest = times.iter().max().copied().unwrap_or_default();
        let median = table::median(times).unwrap_or_default();
        rows.push(vec![what.to_owned(), shown.to_owned(), milliseconds(median), milliseconds(longest)]);
    }
    Ok(rows)
}
