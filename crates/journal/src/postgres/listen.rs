//! Hearing of what other processes append.
//!
//! Every commit notifies; who waits for a position learns of it within the time of a message. Notifications can be
//! missed while a connection is down, so the database is also asked now and then.

use std::future::poll_fn;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{AsyncMessage, Connection, Socket};

use super::error::Failure;
use super::read::HEAD;
use super::session::Database;
use crate::decode::unsigned;
use crate::error::JournalError;
use crate::progress::Progress;

/// How long nothing may be heard before the database is asked.
const SILENCE_MAX: Duration = Duration::from_secs(1);
/// Pause before a broken connection is made again.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest wait for the listener's own questions.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// The listening thread; it ends when this is dropped.
pub(super) struct Listener {
    closing: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

enum End {
    Closing,
    Lost,
}

impl Listener {
    pub(super) fn start(database: &Arc<Database>, progress: &Arc<Progress>) -> Result<Self, JournalError> {
        let closing = Arc::new(Notify::new());
        let runtime = database.runtime()?;
        let (database, progress, wanted) = (Arc::clone(database), Arc::clone(progress), Arc::clone(&closing));
        let name = database.name.clone();
        let thread = thread::Builder::new()
            .name("journal-listener".to_owned())
            .spawn(move || runtime.block_on(listen(&database, &progress, &wanted)))
            .map_err(|error| JournalError::io(&name, &error))?;
        Ok(Self { closing, thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.closing.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's listener had ended with a panic");
        }
    }
}

async fn listen(database: &Database, progress: &Progress, closing: &Notify) {
    loop {
        match hear(database, progress, closing).await {
            Ok(End::Closing) => return,
            Ok(End::Lost) => {}
            Err(failure) => {
                tracing::debug!(reason = failure.reason(), database = %database.name.display(), "not listening");
            }
        }
        if timeout(PAUSE, closing.notified()).await.is_ok() {
            return;
        }
    }
}

/// One connection's worth of listening.
async fn hear(database: &Database, progress: &Progress, closing: &Notify) -> Result<End, Failure> {
    let (client, connection) = database.connect().await?;
    let (news, mut heard) = watch::channel(0_u64);
    tokio::spawn(pass_on(connection, news));
    let setup = "SET application_name = 'tidewaiter journal listener'; LISTEN journal";
    within(client.batch_execute(setup)).await?;
    let head = within(client.prepare(HEAD)).await?;
    loop {
        let row = within(client.query_one(&head, &[])).await?;
        progress.reach(unsigned(row.try_get(0)?));
        loop {
            tokio::select! {
                () = closing.notified() => return Ok(End::Closing),
                changed = timeout(SILENCE_MAX, heard.changed()) => match changed {
                    Ok(Ok(())) => progress.reach(*heard.borrow_and_update()),
                    Ok(Err(_)) => return Ok(End::Lost),
                    Err(_) => break,
                },
            }
        }
    }
}

async fn within<T>(question: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failure> {
    timeout(ANSWER_WAIT, question).await.map_or(Err(Failure::Silence), |answer| Ok(answer?))
}

/// Drives the connection and passes on how far the journal was said to reach.
async fn pass_on(mut connection: Connection<Socket, NoTlsStream>, news: watch::Sender<u64>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message
            && let Ok(position) = notification.payload().parse()
        {
            news.send_replace(position);
        }
    }
}
