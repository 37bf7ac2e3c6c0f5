//! Taking, renewing and giving back leases.
//!
//! A lease moves under the lock that appends hold: once another process has taken it over, every append that still
//! shows the older epoch comes later and is refused, however long its process was paused.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Row;

use super::read::column;
use super::schema::{WRITER_LOCK, begin_under};
use super::session::{Readers, Session};
use crate::error::JournalError;
use crate::lease::{Fence, Lease};

const TAKE: &str = "
    INSERT INTO journal.lease AS held VALUES ($1, $2, 1, clock_timestamp() + $3::bigint * interval '1 microsecond')
    ON CONFLICT (name) DO UPDATE SET
        holder = excluded.holder,
        epoch = held.epoch + CASE WHEN held.holder = excluded.holder THEN 0 ELSE 1 END,
        expires_at = excluded.expires_at
    WHERE held.holder = excluded.holder OR held.expires_at <= clock_timestamp()";
const GIVE_BACK: &str = "
    UPDATE journal.lease SET expires_at = clock_timestamp() WHERE name = $1 AND holder = $2 AND epoch = $3";
const FIND: &str = "
    SELECT holder, epoch, (extract(epoch FROM expires_at) * 1000000)::bigint FROM journal.lease WHERE name = $1";

/// Takes a free lease, renews one that `holder` has, leaves one alone that another holds. Answers who holds it now.
pub(super) fn take(
    readers: &Readers,
    name: &str,
    holder: &str,
    time: Duration,
) -> Result<Lease, JournalError> {
    let microseconds = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    under_lock(readers, |session| {
        session.query(TAKE, &[&name, &holder, &microseconds])?;
        find(session, readers, name)
    })?
    .ok_or_else(|| readers.database().unavailable("a lease that was just taken is not there"))
}

/// Ends a lease at once, so that the next process need not wait. One that was lost already is left alone.
pub(super) fn give_back(readers: &Readers, fence: &Fence) -> Result<(), JournalError> {
    let epoch = crate::decode::signed(fence.epoch);
    under_lock(readers, |session| {
        session.query(GIVE_BACK, &[&fence.lease, &fence.holder, &epoch]).map(|_| ())
    })
}

fn under_lock<T>(
    readers: &Readers,
    work: impl FnOnce(&mut Session) -> Result<T, JournalError>,
) -> Result<T, JournalError> {
    readers.once(|session| {
        session.run(&begin_under(WRITER_LOCK))?;
        let done = work(session)?;
        session.run("COMMIT")?;
        Ok(done)
    })
}

fn find(session: &mut Session, readers: &Readers, name: &str) -> Result<Option<Lease>, JournalError> {
    let rows = session.query(FIND, &[&name])?;
    rows.first().map(|row| lease(row, readers, name)).transpose()
}

fn lease(row: &Row, readers: &Readers, name: &str) -> Result<Lease, JournalError> {
    let journal = &readers.database().name;
    Ok(Lease {
        name: name.to_owned(),
        holder: column(row, 0, journal)?,
        epoch: crate::decode::unsigned(column(row, 1, journal)?),
        expires_at: Timestamp::from_microsecond(column(row, 2, journal)?).unwrap_or(Timestamp::UNIX_EPOCH),
    })
}
