//! The list as CSV: every row that the list has, in its order, written as it is read.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use customhouse::declarations::DeclarationsQuery;
use customhouse::identity::Reader;
use customhouse::{Customhouse, Error};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::failure::Failure;
use crate::visit::{Asked, Visit};

/// Bytes sent at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces that may wait for whoever reads slowly.
const PIECES_WAITING_MAX: usize = 4;

type Piece = Result<Bytes, Error>;

/// Answers with the list as CSV.
pub(crate) async fn export(
    visit: Visit,
    Asked(query): Asked<DeclarationsQuery>,
) -> Result<Response, Failure> {
    csv(&visit, "declarations.csv", move |house, reader, out| house.export_declarations(reader, &query, out))
        .await
}

/// Answers with a CSV file that is sent as `write` writes it.
pub(crate) async fn csv(
    visit: &Visit,
    name: &str,
    write: impl FnOnce(&Customhouse, &Reader, &mut dyn Write) -> Result<u64, Error> + Send + 'static,
) -> Result<Response, Failure> {
    let (send, mut pieces) = mpsc::channel(PIECES_WAITING_MAX);
    let (house, reader) = (visit.house().clone(), visit.reader()?);
    tokio::task::spawn_blocking(move || {
        let mut out = Pieces { filled: Vec::with_capacity(PIECE_BYTES), send: &send };
        let end = match write(&house, &reader, &mut out) {
            Ok(_) => Ok(Bytes::from(std::mem::take(&mut out.filled))),
            Err(error) => Err(error),
        };
        // Nobody listens any more: there is nobody to tell.
        drop(send.blocking_send(end));
    });
    // What forbids the list, or makes it unreadable, is told before the first byte.
    let first = pieces.recv().await.transpose()?.unwrap_or_default();
    let place = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, place.unwrap_or(HeaderValue::from_static("attachment"))),
    ];
    let rest = tokio_stream::once(Ok(first)).chain(ReceiverStream::new(pieces));
    Ok((headers, Body::from_stream(rest)).into_response())
}

/// Fills pieces and hands them on; waits where they are not taken.
struct Pieces<'a> {
    filled: Vec<u8>,
    send: &'a mpsc::Sender<Piece>,
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.filled.extend_from_slice(bytes);
        if self.filled.len() >= PIECE_BYTES {
            let piece = std::mem::replace(&mut self.filled, Vec::with_capacity(PIECE_BYTES));
            self.send.blocking_send(Ok(Bytes::from(piece))).map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
