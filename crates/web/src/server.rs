//! Listening, serving with patience that has an end, and stopping without breaking off what is under way.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use customhouse::jobs::JobState;
use customhouse::{Customhouse, Error, Kind};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};
use tower::Service as _;

use crate::push;
use crate::router_with;
use crate::stream::Live;
use crate::witnesses;

/// How often it is asked whether to stop.
const STOP_CHECK: Duration = Duration::from_millis(100);
/// Requests and jobs under way get this long to end.
const GRACE: Duration = Duration::from_secs(10);
/// Longest head of a request.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// How long callers and receivers are waited for, and how many callers at once.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Connections at once; whoever comes beyond waits to be let in.
    pub connections_max: usize,
    /// The head of a request comes in within this time, and a connection without a request stays open for as long.
    pub head: Duration,
    /// An ordinary request comes in and is answered within this time.
    pub request: Duration,
    /// Whoever takes nothing of an answer for so long is not waited for.
    pub answer: Duration,
    /// The receiver of a pushed notification is found and answers the connection within this time.
    pub push_connect: Duration,
    /// It takes the notification within this time, all in all.
    pub push: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connections_max: 512,
            head: Duration::from_secs(20),
            request: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            push_connect: Duration::from_secs(5),
            push: Duration::from_secs(15),
        }
    }
}

/// How to serve.
#[derive(Debug, Clone, Copy)]
pub struct ServeOptions {
    /// Address to listen on; port 0 takes any free one. Anything but loopback must stand behind TLS: the session's
    /// cookie is `Secure`.
    pub listen: SocketAddr,
    /// How long callers are waited for.
    pub patience: Patience,
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
    house.note_api(&crate::openapi())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal("no_runtime", &error))?;
    runtime.block_on(run(house, *options, ready, stopped))
}

async fn run(
    house: Arc<Customhouse>,
    options: ServeOptions,
    ready: impl FnOnce(&Ready),
    stopped: impl Fn() -> bool + Send + Sync + 'static,
) -> Result<(), Error> {
    let ServeOptions { listen, patience } = options;
    let listener = TcpListener::bind(listen).await.map_err(|error| cannot_listen(listen, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(listen, &error))?;
    let setup_token = house.setup_token()?;
    let url = match &setup_token {
        Some(token) => format!("http://{address}/set-up?token={token}"),
        None => format!("http://{address}/"),
    };
    ready(&Ready { address, url, setup_token });
    let live = Live::new(&house);
    let router = router_with(Arc::clone(&house), &live, patience.request);
    let asking = tokio::spawn(witnesses::ask(Arc::clone(&house)));
    let carrying = tokio::spawn(push::carry(Arc::clone(&house), patience));
    let (closing, closed) = watch::channel(false);
    let mut connections = JoinSet::new();
    let seats = Arc::new(Semaphore::new(patience.connections_max));
    let stop = async {
        while !stopped() {
            tokio::time::sleep(STOP_CHECK).await;
        }
    };
    tokio::pin!(stop);
    loop {
        // Whoever waits for a seat holds none of our memory but the kernel's queue.
        let seat = tokio::select! {
            () = &mut stop => break,
            seat = Arc::clone(&seats).acquire_owned() => seat.map_err(|error| Error::internal("no_seats", &error))?,
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => {
                let (router, closed) = (router.clone(), closed.clone());
                connections.spawn(async move {
                    attend(stream, from, router, patience, closed).await;
                    drop(seat);
                });
            }
            // Out of file handles, or the caller is gone already: others may have more luck in a moment.
            Err(_) => tokio::time::sleep(STOP_CHECK).await,
        }
    }
    drop(listener);
    asking.abort();
    // What is under way breaks off; what was not written down is sent again under the same id.
    carrying.abort();
    live.end();
    closing.send_replace(true);
    let all_done = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, all_done).await;
    end_jobs(&house).await;
    Ok(())
}

/// Serves one connection; once `closed` says so, only what is under way.
async fn attend(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    patience: Patience,
    mut closed: watch::Receiver<bool>,
) {
    // Answers are small and complete: nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(Patient { stream, answer: patience.answer, since: None });
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(from));
        async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_header_size(HEAD_BYTES_MAX)
        .serve_connection(stream, service);
    tokio::pin!(connection);
    tokio::select! {
        // A caller that breaks off or sends no HTTP is no failure of ours.
        _ = connection.as_mut() => return,
        _ = closed.wait_for(|closed| *closed) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// A connection that gives up when the other side takes nothing of what is written for too long.
struct Patient {
    stream: TcpStream,
    answer: Duration,
    /// Ends the wait of a write that cannot go on.
    since: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn bounded<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.since = None;
            return written;
        }
        let until = Instant::now() + self.answer;
        let wait = self.since.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        match wait.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.bounded(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.bounded(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
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
