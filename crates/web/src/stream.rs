//! What moves, as it moves: server-sent events with the position that pages show by now. Whoever is told asks again for
//! what they look at; nothing else is in the stream.
//!
//! One thread waits for all listeners, as long as there are any. It tells twice a second at most, so that a page asks
//! no more often than that however fast declarations come in.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use customhouse::{Customhouse, Error, Kind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use crate::failure::{Failure, Problem};
use crate::visit::Visit;

/// Listeners at once.
const LISTENERS_MAX: usize = 64;
/// Between two tellings at least.
const STEP: Duration = Duration::from_millis(500);
/// How long the thread waits before it looks whether anybody listens.
const LOOK: Duration = Duration::from_millis(250);
/// A sign of life where nothing moves, so that proxies keep the line and lines that broke are noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Where listeners are told from. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    house: Weak<Customhouse>,
    seats: Arc<Semaphore>,
    positions: watch::Sender<u64>,
    ended: watch::Sender<bool>,
    /// Does the thread run? Held while it decides to end and while a listener looks whether to start it.
    running: Mutex<bool>,
}

impl Live {
    /// Nobody listens yet.
    pub(crate) fn new(house: &Arc<Customhouse>) -> Self {
        Self(Arc::new(Inner {
            house: Arc::downgrade(house),
            seats: Arc::new(Semaphore::new(LISTENERS_MAX)),
            positions: watch::Sender::new(0),
            ended: watch::Sender::new(false),
            running: Mutex::new(false),
        }))
    }

    /// Ends all streams: the house closes.
    pub(crate) fn end(&self) {
        self.0.ended.send_replace(true);
    }

    fn listen(&self) -> Result<watch::Receiver<u64>, Error> {
        let receiver = self.0.positions.subscribe();
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        if !*running {
            let inner = Arc::clone(&self.0);
            std::thread::Builder::new()
                .name("live".to_owned())
                .spawn(move || inner.follow())
                .map_err(|error| Error::internal("no_thread", &error))?;
            *running = true;
        }
        Ok(receiver)
    }
}

impl Inner {
    fn follow(&self) {
        loop {
            {
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                if self.positions.receiver_count() == 0 || *self.ended.borrow() {
                    *running = false;
                    return;
                }
            }
            let Some(house) = self.house.upgrade() else { return };
            let before = *self.positions.borrow();
            let position = house.wait_for_change(before, LOOK);
            drop(house);
            if position > before {
                self.positions.send_replace(position);
                std::thread::sleep(STEP);
            }
        }
    }
}

/// Where listeners sit down.
pub(crate) fn routes(live: &Live) -> Router {
    Router::new().route("/api/v1/stream", get(open)).with_state(live.clone())
}

/// Tells whenever something moved: event `moved`, its data the position up to which pages show what is recorded. Twice a
/// second at most. Ends when the session or token by which it was opened does.
#[utoipa::path(get, path = "/api/v1/stream", responses((status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream"), (status = 429, description = "Too many listen; ask now and then instead", body = Problem)))]
pub(crate) async fn open(visit: Visit, State(live): State<Live>) -> Result<Response, Failure> {
    visit.reader()?;
    let seat = Arc::clone(&live.0.seats).try_acquire_owned().map_err(|_| {
        Error::new(
            Kind::Busy,
            "too_many_listeners",
            format!("{LISTENERS_MAX} pages follow what moves already"),
            "Ask for the page again now and then instead.",
        )
    })?;
    let positions = live.listen()?;
    let ended = live.0.ended.subscribe();
    let (line, listener) = mpsc::channel(1);
    tokio::spawn(tell(visit, positions, ended, line, seat));
    let mut response = Sse::new(ReceiverStream::new(listener)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Tells one listener until either side ends. The seat is free again then.
async fn tell(
    visit: Visit,
    mut positions: watch::Receiver<u64>,
    mut ended: watch::Receiver<bool>,
    line: mpsc::Sender<Result<Event, Infallible>>,
    _seat: OwnedSemaphorePermit,
) {
    // Whatever moved between the making of the page and now is told at once.
    let mut event = moved(*positions.borrow_and_update());
    while visit.still_holds() && !*ended.borrow() {
        if line.send(Ok(event)).await.is_err() {
            return;
        }
        event = tokio::select! {
            changed = positions.changed() => match changed {
                Ok(()) => moved(*positions.borrow_and_update()),
                Err(_) => return,
            },
            () = tokio::time::sleep(HEARTBEAT) => Event::default().comment("here"),
            () = line.closed() => return,
            _ = ended.changed() => return,
        };
    }
}

fn moved(position: u64) -> Event {
    Event::default().event("moved").data(position.to_string())
}
