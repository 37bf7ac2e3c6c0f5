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
use super::session::Readers;
use crate::error::JournalError;

/// Step 1 for the event at `$1`.
pub(super) const EMPTY: &str = "
    UPDATE journal.payload SET bytes = int4send(octet_length(bytes)) WHERE position = $1";
/// Parts that wait for step 3: place, length, and the page in which they stand.
const WAITING: &str = "
    SELECT payload.position, payload.part, payload.bytes, (payload.ctid::text::point)[0]::bigint
    FROM journal.erasure JOIN journal.payload USING (position)
    WHERE octet_length(payload.bytes) = 4 AND payload.bytes <> int4send(0)
    ORDER BY 1, 2 LIMIT 10000";
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

/// Steps 2 and 3 for everything that was erased. True if nothing is left to do.
pub(super) fn scrub(readers: &Readers) -> Result<bool, JournalError> {
    readers.once(|session| {
        let name = readers.database().name.clone();
        if session.query(WAITING, &[])?.is_empty() {
            return Ok(true);
        }
        // Processes take turns; what the one before has done need not be done again.
        session.query(LOCK, &[&SCRUB_LOCK])?;
        let waiting = session.query(WAITING, &[])?;
        let vacuum = |session: &super::session::Session| {
            session
                .wait(VACUUM_WAIT, session.client.batch_execute(VACUUM))
                .map_err(|failure| failure.explain(&name))
        };
        session.run("SET statement_timeout = '600s'")?;
        vacuum(session)?;
        let mut all = true;
        for row in &waiting {
            let (position, part, page): (i64, i32, i64) =
                (column(row, 0, &name)?, column(row, 1, &name)?, column(row, 3, &name)?);
            let length: [u8; 4] = column::<&[u8]>(row, 2, &name)?.try_into().unwrap_or_default();
            session.run("BEGIN")?;
            let moved = session.query(ZERO, &[&position, &part, &i32::from_be_bytes(length)])?;
            let stayed = moved.first().is_some_and(|row| row.try_get(0).is_ok_and(|now: i64| now == page));
            session.run(if stayed { "COMMIT" } else { "ROLLBACK" })?;
            all &= stayed;
        }
        vacuum(session)?;
        session.run("SET statement_timeout = '55s'")?;
        session.query(UNLOCK, &[&SCRUB_LOCK])?;
        Ok(all)
    })
}
