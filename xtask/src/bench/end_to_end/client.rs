//! A connection that is kept open, as software houses keep theirs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("{}: {}", self.status, self.text()))
    }

    /// The cookies that were set, as they are sent back.
    pub(super) fn cookies(&self) -> impl Iterator<Item = &str> {
        let set = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        set.filter_map(|(_, value)| value.split(';').next())
    }
}

fn open(address: SocketAddr) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// A connection with what it always sends.
pub(super) struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    /// Header lines of every request.
    pub(super) always: String,
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Result<Self> {
        let always = format!("Host: {address}\r\n");
        Ok(Self { address, stream: open(address)?, always })
    }

    /// A program that acts by a token.
    pub(super) fn with_token(address: SocketAddr, token: &str) -> Result<Self> {
        let mut client = Self::connect(address)?;
        client.always.push_str(&format!("Authorization: Bearer {token}\r\n"));
        Ok(client)
    }

    pub(super) fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, "text/plain", &[])
    }

    pub(super) fn ask(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Answer> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\n{}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.always,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        let answered = self.exchange(&request);
        if answered.is_ok() {
            return answered;
        }
        // The server closes connections on which nothing has come for a while: once more on a fresh one. A declaration
        // that was recorded all the same gets its receipt.
        self.stream = open(self.address)?;
        self.exchange(&request)
    }

    fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.get_mut().write_all(request)?;
        self.answer()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the server closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }

    fn answer(&mut self) -> Result<Answer> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("no status line: {first}"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let header =
            |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value);
        let body = match header("content-length") {
            Some(length) => {
                let mut body = vec![0; length.parse()?];
                self.stream.read_exact(&mut body)?;
                body
            }
            None if header("transfer-encoding") == Some("chunked") => self.chunks()?,
            None => Vec::new(),
        };
        Ok(Answer { status, headers, body })
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(self.line()?.trim(), 16)?;
            let mut chunk = vec![0; length];
            self.stream.read_exact(&mut chunk)?;
            self.line()?;
            if length == 0 {
                return Ok(body);
            }
            body.extend(chunk);
        }
    }
}
