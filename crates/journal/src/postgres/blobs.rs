//! Blobs in the database, in parts, so that every process finds them and a backup of the database has them.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use super::read::column;
use super::session::{Readers, Session};
use crate::blobs::{BlobReader, check_blob_hash, for_each_piece};
use crate::error::JournalError;
use crate::model::BlobReference;

/// Bytes of a part: what is held in memory of a blob.
const PART_BYTES: usize = 1024 * 1024;
const INSERT_PART: &str = "INSERT INTO journal.blob_part VALUES ($1::text::uuid, $2, $3)";
const INSERT_BLOB: &str = "INSERT INTO journal.blob VALUES ($1, $2, $3::text::uuid) ON CONFLICT DO NOTHING";
const DELETE_PARTS: &str = "DELETE FROM journal.blob_part WHERE content = $1::text::uuid";
const DELETE_BLOB: &str = "DELETE FROM journal.blob WHERE sha256 = $1";
/// Longest wait for a table to be written anew.
const REWRITE_WAIT: Duration = Duration::from_secs(600);
const FIND: &str = "SELECT content::text FROM journal.blob WHERE sha256 = $1";
const SELECT_PART: &str = "SELECT bytes FROM journal.blob_part WHERE content = $1::text::uuid AND part = $2";

/// Keeps bytes in one transaction of a connection of its own: the writer does not wait for it. The name is known only
/// at the end; if it is there already, everything is taken back.
pub(super) fn put(
    readers: &Readers,
    bytes_max: u64,
    content: &mut dyn Read,
) -> Result<BlobReference, JournalError> {
    readers.once(|session| {
        // On a failure the connection is dropped, and the transaction with it.
        session.run("BEGIN")?;
        let name = uuid::Uuid::now_v7().to_string();
        let mut part = 0_i32;
        let insert = session.statement(INSERT_PART)?;
        let reference = for_each_piece(content, PART_BYTES, bytes_max, |piece| {
            session.ask(session.client.execute(&insert, &[&name, &part, &piece]))?;
            part = part.saturating_add(1);
            Ok(())
        })?;
        let bytes = i64::try_from(reference.bytes).unwrap_or(i64::MAX);
        let insert = session.statement(INSERT_BLOB)?;
        let inserted = session.ask(session.client.execute(&insert, &[&reference.sha256, &bytes, &name]))?;
        session.run(if inserted > 0 { "COMMIT" } else { "ROLLBACK" })?;
        Ok(reference)
    })
}

/// Destroys a blob: its rows go, and both tables are written anew without them, for what a deleted row held stays in
/// its page otherwise. Nobody reads or keeps blobs meanwhile. The write-ahead log and backups keep what they have.
pub(super) fn erase(readers: &Readers, sha256: &str) -> Result<(), JournalError> {
    check_blob_hash(sha256)?;
    readers.once(|session| {
        let found = session.query(FIND, &[&sha256])?;
        let Some(row) = found.first() else { return Ok(()) };
        let content: String = column(row, 0, &readers.database().name)?;
        session.run("BEGIN; SET LOCAL journal.erasing = 'yes'")?;
        session.query(DELETE_PARTS, &[&content])?;
        session.query(DELETE_BLOB, &[&sha256])?;
        session.run("COMMIT")?;
        for rewrite in ["VACUUM FULL journal.blob_part", "VACUUM FULL journal.blob"] {
            session
                .wait(REWRITE_WAIT, session.client.batch_execute(rewrite))
                .map_err(|failure| failure.explain(&readers.database().name))?;
        }
        Ok(())
    })
}

/// Opens a blob for reading, part by part.
pub(super) fn get(readers: &Arc<Readers>, sha256: &str) -> Result<BlobReader, JournalError> {
    check_blob_hash(sha256)?;
    let found = readers.read(|session| session.query(FIND, &[&sha256]))?;
    let Some(row) = found.first() else { return Err(JournalError::NoSuchBlob { sha256: sha256.to_owned() }) };
    let parts = Parts {
        readers: Arc::clone(readers),
        content: column(row, 0, &readers.database().name)?,
        next: 0,
        part: Vec::new(),
        read: 0,
    };
    Ok(BlobReader::checking(Box::new(parts), sha256))
}

/// A blob's parts one after the other; only one is held at a time.
struct Parts {
    readers: Arc<Readers>,
    content: String,
    next: i32,
    part: Vec<u8>,
    read: usize,
}

impl Parts {
    fn fetch(&self, session: &mut Session) -> Result<Vec<u8>, JournalError> {
        let rows = session.query(SELECT_PART, &[&self.content, &self.next])?;
        rows.first().map_or_else(|| Ok(Vec::new()), |row| column(row, 0, &self.readers.database().name))
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read >= self.part.len() {
            self.part = self.readers.read(|session| self.fetch(session)).map_err(io::Error::other)?;
            self.read = 0;
            if !self.part.is_empty() {
                self.next = self.next.saturating_add(1);
            }
        }
        let mut rest = self.part.get(self.read..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.read = self.read.saturating_add(read);
        Ok(read)
    }
}
