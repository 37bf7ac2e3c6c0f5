//! Listening, serving, and ending without breaking off what is under way.

use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use customhouse::jobs::JobState;
use customhouse::{Customhouse, Error, Kind};
use tokio::net::TcpListener;

use crate::router;

/// How often it is asked whether to stop.
const STOP_CHECK: Duration = Duration::from_millis(100);
/// Requests and jobs under way get this long to end.
const GRACE: Duration = Duration::from_secs(10);

/// How to serve.
#[derive(Debug, Clone, Copy)]
pub struct ServeOptions {
    /// Address to listen on; port 0 takes any free one. Anything but loopback must stand behind TLS: the session's
    /// cookie is `Secure`.
    pub listen: SocketAddr,
}

/// What is served, once it is.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The address that is listened on.
    pub address: SocketAddr,
    /// The page to open first.
    pub url: String,
    /// The token with which the first administrator is made, while there is no account.
    pub setup_token: Option<String>,
}

/// Serves pages and API until `stopped` says so, then ends what is under way. Calls `ready` once requests are taken.
pub fn serve(
    house: Arc<Customhouse>,
    options: &ServeOptions,
    ready: impl FnOnce(&Ready),
    stopped: impl Fn() -> bool + Send + Sync + 'static,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal("no_runtime", &error))?;
    runtime.block_on(run(house, options.listen, ready, Arc::new(stopped)))
}

async fn run(
    house: Arc<Customhouse>,
    listen: SocketAddr,
    ready: impl FnOnce(&Ready),
    stopped: Arc<impl Fn() -> bool + Send + Sync + 'static>,
) -> Result<(), Error> {
    let listener = TcpListener::bind(listen).await.map_err(|error| cannot_listen(listen, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(listen, &error))?;
    let setup_token = house.setup_token()?;
    let url = match &setup_token {
        Some(token) => format!("http://{address}/set-up?token={token}"),
        None => format!("http://{address}/"),
    };
    ready(&Ready { address, url, setup_token });
    let service = router(Arc::clone(&house)).into_make_service_with_connect_info::<SocketAddr>();
    let stop = {
        let stopped = Arc::clone(&stopped);
        async move {
            while !stopped() {
                tokio::time::sleep(STOP_CHECK).await;
            }
        }
    };
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop).into_future();
    let overdue = async {
        while !stopped() {
            tokio::time::sleep(STOP_CHECK).await;
        }
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served.map_err(|error| Error::internal("serving_failed", &error))?,
        () = overdue => {}
    }
    end_jobs(&house).await;
    Ok(())
}

/// Asks running jobs to stop and waits a bounded time, so that none leaves work half done.
async fn end_jobs(house: &Customhouse) {
    let running = || house.jobs().list().into_iter().filter(|job| job.state == JobState::Running);
    for status in running() {
        if let Ok(job) = house.jobs().find(status.id) {
            job.cancel();
        }
    }
    let mut left = GRACE;
    while running().next().is_some() && !left.is_zero() {
        tokio::time::sleep(STOP_CHECK).await;
        left = left.saturating_sub(STOP_CHECK);
    }
}

fn cannot_listen(listen: SocketAddr, error: &io::Error) -> Error {
    let (code, how_to_fix) = match error.kind() {
        io::ErrorKind::AddrInUse => {
            ("address_in_use", "Stop the program that uses it, or choose another port with --listen.")
        }
        io::ErrorKind::PermissionDenied => (
            "address_not_permitted",
            "Choose a port of 1024 or more with --listen, and let a proxy stand before it.",
        ),
        io::ErrorKind::AddrNotAvailable => (
            "address_not_available",
            "Choose an address of this machine with --listen, such as 127.0.0.1:8420.",
        ),
        _ => ("cannot_listen", "Choose another address with --listen."),
    };
    Error::new(Kind::Refused, code, format!("cannot listen on {listen}: {error}"), how_to_fix)
}
