//! Destroying a payload for good.
//!
//! PostgreSQL never overwrites a row: an update writes another version of it, and even after VACUUM the old bytes
//! stand in the free part of their page until something else happens to be written there. So that something else is
//! arranged. Payloads stand in parts that are never stored out of line, in pages with a little room to spare:
//!
//! 1. Together with the erasure, every part is replaced by its length in four bytes, in the same page.
//! 2. VACUUM takes the old version away and closes ranks. If rows below moved over its bytes, they are gone; if not,
//!    they begin exactly where the free part of the page now ends.
//! 3. Each part is replaced by as many zeros as it had bytes. They take the space next to the other rows, which is the
//!    space just freed; another VACUUM moves them over whatever was left.
//!
//! Somebody's old snapshot can keep step 2 from happening; step 3 is then undone and tried again with the next erasure,
//! or when the journal is opened. Where a page had no room at all for step 1, the row has moved and the old bytes stay
//! until their place is used again; `VACUUM FULL journal.payload` rewrites the table. The server's files follow at its
//! next checkpoint. Its write-ahead log keeps the bytes as they were first recorded until its segments are reused
//! (`min_wal_size`, `max_wal_size`), and so does everything made from it: archived segments, standbys, base backups.
//! Those are the administrator's to expire.

use std::time::Duration;

use super::read::column;
use super::session::{Readers, Session};
use crate::error::JournalError;

/// Step 1 for the event at `$1`; answers for each part whether it left its page.
const EMPTY: &str = "
    UPDATE journal.payload AS part SET bytes = int4send(octet_length(part.bytes))
    FROM journal.payload AS before
    WHERE before.position = $1 AND part.position = before.position AND part.part = before.part
    RETURNING (part.ctid::text::point)[0] <> (before.ctid::text::point)[0]";
/// Notes that steps 2 and 3 are to be done.
const NOTE: &str = "INSERT INTO journal.scrub VALUES ($1) ON CONFLICT DO NOTHING";
const DONE: &str = "DELETE FROM journal.scrub WHERE position = ANY ($1::bigint[])";
/// Parts that wait for step 3: place, length, and the page in which they stand.
const WAITING: &str = "
    SELECT chosen.position, payload.part, payload.bytes, (payload.ctid::text::point)[0]::bigint
    FROM (SELECT position FROM journal.scrub ORDER BY position LIMIT 1000) AS chosen
    JOIN journal.payload ON payload.position = chosen.position
    ORDER BY 1, 2";
/// Step 3 for one part; answers the page in which it stands now.
const ZERO: &str = "
    UPDATE journal.payload SET bytes = decode(repeat('00', $3::integer), 'hex') WHERE position = $1 AND part = $2
    RETURNING (ctid::text::point)[0]::bigint";
/// Index entries may point to what is gone until an ordinary VACUUM comes by: this one should be short.
const VACUUM: &str = "VACUUM (INDEX_CLEANUP OFF, TRUNCATE OFF) journal.payload";
/// Held by the connection that scrubs.
const SCRUB_LOCK: i64 = 0x5457_4a4e;
const LOCK: &str = "SELECT pg_advisory_lock($1)";
const UNLOCK: &str = "SELECT pg_advisory_unlock($1)";
/// Longest wait for a VACUUM.
const VACUUM_WAIT: Duration = Duration::from_secs(600);

/// Step 1, in the transaction that records the erasure.
pub(super) fn empty(session: &mut Session, position: i64) -> Result<(), JournalError> {
    let moved = session.query(EMPTY, &[&position])?;
    session.query(NOTE, &[&position])?;
    if moved.iter().any(|row| row.try_get(0).unwrap_or(true)) {
        tracing::warn!(
            position,
            "an erased payload left its full page: its bytes stay there until they are written over, or until \
             VACUUM FULL journal.payload"
        );
    }
    Ok(())
}

/// Steps 2 and 3 for everything that was erased. True if nothing is left to do.
pub(super) fn scrub(readers: &Readers) -> Result<bool, JournalError> {
    readers.once(|session| {
        if session.query(WAITING, &[])?.is_empty() {
            return Ok(true);
        }
        // Processes take turns; what the one before has done need not be done again.
        session.query(LOCK, &[&SCRUB_LOCK])?;
        session.run("SET statement_timeout = '600s'")?;
        vacuum(readers, session)?;
        let all = zero(readers, session)?;
        vacuum(readers, session)?;
        session.run("SET statement_timeout = '55s'")?;
        session.query(UNLOCK, &[&SCRUB_LOCK])?;
        Ok(all)
    })
}

fn vacuum(readers: &Readers, session: &Session) -> Result<(), JournalError> {
    session
        .wait(VACUUM_WAIT, session.client.batch_execute(VACUUM))
        .map_err(|failure| failure.explain(&readers.database().name))
}

/// Step 3. True if every part found room in its page.
fn zero(readers: &Readers, session: &mut Session) -> Result<bool, JournalError> {
    let name = &readers.database().name;
    let mut done: Vec<i64> = Vec::new();
    let mut waiting_still: Vec<i64> = Vec::new();
    for row in &session.query(WAITING, &[])? {
        let position: i64 = column(row, 0, name)?;
        let part: i32 = column(row, 1, name)?;
        let page: i64 = column(row, 3, name)?;
        // Four bytes that are not zero are a length; anything else has its zeros already.
        let length = <[u8; 4]>::try_from(column::<&[u8]>(row, 2, name)?).map_or(0, i32::from_be_bytes);
        let mut stays = true;
        if length > 0 {
            session.run("BEGIN")?;
            let now = session.query(ZERO, &[&position, &part, &length])?;
            stays = now.first().is_some_and(|row| row.try_get(0).is_ok_and(|now: i64| now == page));
            session.run(if stays { "COMMIT" } else { "ROLLBACK" })?;
        }
        if stays { done.push(position) } else { waiting_still.push(position) }
    }
    done.retain(|position| !waiting_still.contains(position));
    session.query(DONE, &[&done])?;
    Ok(waiting_still.is_empty())
}
