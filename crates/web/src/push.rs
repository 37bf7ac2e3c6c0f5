//! Notifications carried to webhooks, as long as the house is served. What is due, and what follows from what came of
//! it, is the application's business: see `customhouse::webhooks`.
//!
//! A name is resolved here, every address that it leads to is judged, and the connection goes to an address that was
//! judged: nobody can answer the check with one address and the connection with another. Nothing of an answer but its
//! status is looked at, and no redirection is followed.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, header};
use customhouse::Customhouse;
use customhouse::webhooks::{Delivery, Outcome, Target, Trouble};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use tokio_stream::StreamExt as _;

#[cfg(test)]
mod tests;

use crate::server::Patience;
use crate::visit::blocking;

/// Between two looks at what is due.
const STEP: Duration = Duration::from_millis(500);
/// Receivers that are sent something at the same time.
const AT_ONCE_MAX: usize = 16;
/// Longest head of an answer, and most fields in it.
const HEAD_BYTES_MAX: usize = 32 * 1024;
const FIELDS_MAX: usize = 100;
/// So much of an answer's body is read, and thrown away.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 16;
const USER_AGENT: &str = concat!("tidewaiter/", env!("CARGO_PKG_VERSION"));

/// Carries what is due, round after round, until the server ends. Of several processes on one database, the one that
/// decides does so.
pub(crate) async fn carry(house: Arc<Customhouse>, patience: Patience) {
    let mut under_way: JoinSet<String> = JoinSet::new();
    let mut busy: HashSet<String> = HashSet::new();
    loop {
        tokio::select! {
            Some(done) = under_way.join_next(), if !under_way.is_empty() => match done {
                Ok(webhook) => { busy.remove(&webhook); }
                Err(error) => {
                    tracing::error!("a delivery ended: {error}");
                    // Whose it was is not known any more; the others are asked for again when they are done.
                    under_way.abort_all();
                    while under_way.join_next().await.is_some() {}
                    busy.clear();
                }
            },
            () = tokio::time::sleep(STEP) => {}
        }
        let free = AT_ONCE_MAX.saturating_sub(busy.len());
        if free == 0 || !house.decides() {
            continue;
        }
        let (asked, taken) = (Arc::clone(&house), busy.clone());
        match blocking(move || asked.due_deliveries(&taken, free)).await {
            Ok(due) => {
                for delivery in due {
                    busy.insert(delivery.webhook.clone());
                    under_way.spawn(deliver(Arc::clone(&house), delivery, patience));
                }
            }
            Err(error) => {
                tracing::warn!(code = error.code, "what is to be pushed could not be read: {error}")
            }
        }
    }
}

/// Tries one delivery and writes down what came of it. Answers with the webhook's id.
async fn deliver(house: Arc<Customhouse>, delivery: Delivery, patience: Patience) -> String {
    let begun = Instant::now();
    let to_private = house.webhooks_reach_private();
    let tried = post(&delivery, to_private, patience.push_connect, tls());
    let answered = match timeout(patience.push, tried).await {
        Ok(answered) => answered,
        Err(_) => Err(Trouble::TimedOut),
    };
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let outcome = match answered {
        Ok(status) => Outcome { status: Some(status), trouble: Trouble::of_status(status), milliseconds },
        Err(trouble) => Outcome { status: None, trouble: Some(trouble), milliseconds },
    };
    let webhook = delivery.webhook.clone();
    if let Err(error) = blocking(move || house.record_delivery(&delivery, &outcome)).await {
        tracing::warn!(code = error.code, "what came of a push could not be written down: {error}");
    }
    webhook
}

/// Sends it, and answers with the status once all of the answer is there.
async fn post(
    delivery: &Delivery,
    to_private: bool,
    connect_max: Duration,
    trusted: Option<Arc<ClientConfig>>,
) -> Result<u16, Trouble> {
    let stream = timeout(connect_max, connect(&delivery.target, to_private))
        .await
        .map_err(|_| Trouble::TimedOut)??;
    if !delivery.target.secure {
        return exchange(stream, delivery).await;
    }
    let name = ServerName::try_from(delivery.target.host.clone()).map_err(|_| Trouble::NotSecure)?;
    let config = trusted.ok_or(Trouble::NotSecure)?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|_| Trouble::NotSecure)?;
    exchange(stream, delivery).await
}

/// A connection to an address of the host to which we go.
async fn connect(target: &Target, to_private: bool) -> Result<TcpStream, Trouble> {
    let addresses: Vec<SocketAddr> = match target.host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, target.port)],
        Err(_) => {
            let found = lookup_host((target.host.as_str(), target.port)).await;
            found.map_err(|_| Trouble::NameUnknown)?.take(ADDRESSES_MAX).collect()
        }
    };
    if addresses.is_empty() {
        return Err(Trouble::NameUnknown);
    }
    // A name that leads inwards with one of its addresses is not trusted with the others.
    if !addresses.iter().all(|address| target.may_reach(address.ip(), to_private)) {
        return Err(Trouble::Inwards);
    }
    for address in addresses {
        if let Ok(stream) = TcpStream::connect(address).await {
            return Ok(stream);
        }
    }
    Err(Trouble::NotConnected)
}

/// Who is trusted to say which host is which: as this machine's system has it. Read once.
fn tls() -> Option<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let make = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            tracing::warn!("this machine knows no certificates to trust: nothing can be pushed over TLS");
            return None;
        }
        trusting(roots)
    };
    CONFIG.get_or_init(make).clone()
}

/// A client that believes what these say of hosts.
fn trusting(roots: RootCertStore) -> Option<Arc<ClientConfig>> {
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().ok()?;
    Some(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

async fn exchange<S>(stream: S, delivery: &Delivery) -> Result<u16, Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = Request::post(&delivery.target.path)
        .header(header::HOST, delivery.target.authority())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONTENT_TYPE, "application/xml; charset=utf-8")
        .header(header::CONNECTION, "close")
        .header("webhook-id", &delivery.message)
        .header("webhook-timestamp", delivery.second)
        .header("webhook-signature", &delivery.signature)
        .body(Body::from(delivery.body.clone()))
        .map_err(|_| Trouble::NotConnected)?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(FIELDS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Trouble::NotConnected)?;
    // Driven beside the request rather than on a task of its own: whatever gives up on one gives up on both.
    let exchanged = async {
        let answer = sender.send_request(request).await.map_err(|_| Trouble::BrokenOff)?;
        let status = answer.status().as_u16();
        swallow(answer.into_body()).await?;
        Ok(status)
    };
    tokio::pin!(exchanged);
    tokio::pin!(connection);
    tokio::select! {
        done = &mut exchanged => done,
        // The connection may end together with the answer, of which the rest is there then.
        _ = &mut connection => exchanged.await,
    }
}

/// Reads an answer's body to its end, or as much of it as we bear.
async fn swallow(body: Incoming) -> Result<(), Trouble> {
    let mut parts = Body::new(body).into_data_stream();
    let mut bytes = 0_usize;
    while let Some(part) = parts.next().await {
        bytes = bytes.saturating_add(part.map_err(|_| Trouble::BrokenOff)?.len());
        if bytes > ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(())
}
