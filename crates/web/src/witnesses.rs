//! Asking other nodes to cosign this node's log, as long as it is served.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, Uri, header};
use customhouse::Customhouse;
use customhouse::proof::LogError;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

/// Between two rounds.
const STEP: Duration = Duration::from_secs(10);
/// A witness answers within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Asks, round after round, until the server ends.
pub(crate) async fn ask(house: Arc<Customhouse>) {
    loop {
        tokio::time::sleep(STEP).await;
        let (house, handle) = (Arc::clone(&house), Handle::current());
        let round = tokio::task::spawn_blocking(move || {
            let mut carry = |url: &str, body: &[u8]| {
                let asked =
                    handle.block_on(tokio::time::timeout(PATIENCE, post(url, Bytes::copy_from_slice(body))));
                let failed = |reason: String| LogError::Io { path: url.to_owned(), reason };
                asked.map_err(|_| failed("no answer in time".to_owned()))?.map_err(failed)
            };
            house.ask_witnesses(&mut carry)
        });
        match round.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(code = error.code, "witnesses could not be asked: {error}"),
            Err(error) => tracing::error!("asking witnesses ended: {error}"),
        }
    }
}

/// Sends a body over plain HTTP: a witness elsewhere is reached through a proxy on this machine that speaks TLS.
async fn post(url: &str, body: Bytes) -> Result<(u16, Vec<u8>), String> {
    let uri: Uri = url.parse().map_err(|error| format!("no address: {error}"))?;
    let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(
            "the address must begin with http://; put a proxy before a witness that speaks TLS".to_owned()
        );
    };
    let port = authority.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((authority.host(), port)).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // Ends with the answer: the sender is dropped then.
    let driving = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::post(path)
        .header(header::HOST, authority.as_str())
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(Body::from(body))
        .map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(Body::new(answer.into_body()), ANSWER_BYTES_MAX)
        .await
        .map_err(|error| error.to_string())?;
    drop(sender);
    driving.abort();
    Ok((status, body.to_vec()))
}
