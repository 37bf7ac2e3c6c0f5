//! The load: declarations of a made-up country, each sent once.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::client::Client;
use super::site::{PARTIES, Server, Site, party_name};

/// Declarations as they are sent, each with the party that sends it.
pub(super) struct Load(Vec<(usize, Vec<u8>)>);

impl Load {
    /// Reads what `tidewaiter country` wrote, in order, and deals it out: the declarant becomes one of the parties.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for part in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            for file in fs::read_dir(part?.path())? {
                files.push(file?.path());
            }
        }
        files.sort();
        let mut load = Vec::new();
        for (at, file) in files.iter().enumerate() {
            let text = fs::read_to_string(file)?;
            let party = at % PARTIES;
            load.push((party, with_declarant(&text, &party_name(party)).into_bytes()));
        }
        Ok(Self(load))
    }

    /// The same with codes in the places where the country writes words that the published schemas refuse.
    pub(super) fn with_published_codes(&self) -> Self {
        let coded = |(party, message): &(usize, Vec<u8>)| {
            let text = String::from_utf8_lossy(message).into_owned();
            let text = CODES.iter().fold(text, |text, (element, word, code)| {
                text.replace(&format!("<{element}>{word}<"), &format!("<{element}>{code}<"))
            });
            (*party, text.into_bytes())
        };
        Self(self.0.iter().map(coded).collect())
    }
}

/// Element, word of the country, code of the Union Customs Code's data annex (data elements 4/3 and 4/8).
const CODES: [(&str, &str, &str); 6] = [
    ("TypeCode", "ordinary", "A00"),
    ("TypeCode", "preferential", "A00"),
    ("MethodCode", "cash", "A"),
    ("MethodCode", "deferred", "E"),
    ("MethodCode", "transfer", "H"),
    ("MethodCode", "guarantee", "R"),
];

/// The message with another declarant: the first ID after `<Declarant>`.
fn with_declarant(message: &str, id: &str) -> String {
    let replaced = message.split_once("<Declarant>").and_then(|(before, rest)| {
        let (opening, rest) = rest.split_once("<ID>")?;
        let (_, after) = rest.split_once("</ID>")?;
        Some(format!("{before}<Declarant>{opening}<ID>{id}</ID>{after}"))
    });
    replaced.unwrap_or_else(|| message.to_owned())
}

/// What came of a load.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// From the moment at which each was due to its receipt, in order of length.
    pub(super) times: Vec<Duration>,
    pub(super) rejected: u64,
    pub(super) wall: Duration,
    /// Last position in the journal.
    pub(super) position: u64,
}

impl Sent {
    pub(super) fn per_second(&self) -> f64 {
        count(self.times.len()) / self.wall.as_secs_f64()
    }

    pub(super) fn quantile(&self, percent: usize) -> Duration {
        let at = self.times.len().saturating_sub(1) * percent / 100;
        self.times.get(at).copied().unwrap_or_default()
    }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// Sends declarations `from..to` over so many connections; at a rate in declarations a second, or as fast as they are
/// answered.
pub(super) fn send(
    site: &Site,
    server: &Server,
    load: &Load,
    range: std::ops::Range<usize>,
    connections: usize,
    rate: Option<f64>,
) -> Result<Sent> {
    let declarations = load.0.get(range).context("the load is too short")?;
    let next = AtomicUsize::new(0);
    let (rejected, position) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    let one_connection = || -> Result<Vec<Duration>> {
        let mut clients = Vec::new();
        for token in &site.tokens {
            clients.push(Client::with_token(server.address, token)?);
        }
        let mut times = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((party, bytes)) = declarations.get(at) else { return Ok(times) };
            let due = match rate {
                Some(rate) => began + Duration::from_secs_f64(count(at) / rate),
                None => Instant::now(),
            };
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let client = clients.get_mut(*party).context("no such party")?;
            let answer = client.ask("POST", "/api/v1/declarations", "application/xml", bytes)?;
            match answer.status {
                200 | 201 => {
                    let own = answer.json()?.get("position").and_then(serde_json::Value::as_u64);
                    position.fetch_max(own.unwrap_or(0), Ordering::Relaxed);
                }
                422 => {
                    rejected.fetch_add(1, Ordering::Relaxed);
                }
                status => anyhow::bail!("a declaration was answered with {status}: {}", answer.text()),
            }
            times.push(due.elapsed());
        }
    };
    let times = std::thread::scope(|scope| -> Result<Vec<Duration>> {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(one_connection)).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow::anyhow!("a sender stopped"))??);
        }
        Ok(all)
    });
    let wall = began.elapsed();
    let mut times = times?;
    times.sort_unstable();
    let (rejected, position) = (rejected.into_inner(), position.into_inner());
    Ok(Sent { times, rejected, wall, position })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_declarant_becomes_another() {
        let message =
            "<Declaration><ID>L1</ID><Declarant><ID>D7</ID></Declarant><Exporter><ID>E</ID></Exporter>";
        let expected =
            "<Declaration><ID>L1</ID><Declarant><ID>B0</ID></Declarant><Exporter><ID>E</ID></Exporter>";
        assert_eq!(with_declarant(message, "B0"), expected);
        assert_eq!(with_declarant("<Declaration/>", "B0"), "<Declaration/>");
    }

    #[test]
    fn a_quantile_is_a_time_that_was_measured() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        let sent = Sent { times, ..Sent::default() };
        assert_eq!((sent.quantile(50).as_millis(), sent.quantile(99).as_millis()), (50, 99));
        assert_eq!(Sent::default().quantile(99), Duration::ZERO);
    }
}
