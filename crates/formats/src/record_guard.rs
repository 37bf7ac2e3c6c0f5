//! A reader that lets no record of a CSV file grow beyond a bound, so that a 10 MB line or an unclosed quotation mark
//! never has to be held in memory.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

/// Longest record that is read; what is longer is cut, and its place noted.
pub(crate) const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// More notes than this are only counted.
const NOTES_MAX: usize = 1_000;

/// A record that was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CutRecord {
    /// Line on which it begins, from 1.
    pub(crate) line: u64,
    /// How many bytes it had.
    pub(crate) bytes: u64,
}

/// What was cut so far, shared with whoever reads the records.
#[derive(Debug, Clone, Default)]
pub(crate) struct CutRecords(Rc<RefCell<Vec<CutRecord>>>);

impl CutRecords {
    /// The cut record that begins on `line`.
    pub(crate) fn at_line(&self, line: u64) -> Option<CutRecord> {
        self.0.borrow().iter().rev().find(|cut| cut.line == line).copied()
    }

    fn note(&self, cut: CutRecord) {
        let mut notes = self.0.borrow_mut();
        if notes.len() < NOTES_MAX {
            notes.push(cut);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quotation mark inside a quoted field: its end, or the first of a doubled one.
    QuotedMark,
}

/// Passes UTF-8 bytes through, record by record.
pub(crate) struct RecordGuard<R> {
    source: R,
    delimiter: u8,
    state: State,
    line: u64,
    record_line: u64,
    record_bytes: u64,
    cut: CutRecords,
    buffer: Vec<u8>,
    pending: Vec<u8>,
    pending_at: usize,
}

impl<R: Read> RecordGuard<R> {
    pub(crate) fn new(source: R, delimiter: u8) -> (Self, CutRecords) {
        let cut = CutRecords::default();
        let guard = Self {
            source,
            delimiter,
            state: State::FieldStart,
            line: 1,
            record_line: 1,
            record_bytes: 0,
            cut: cut.clone(),
            buffer: vec![0; 64 * 1024],
            pending: Vec::with_capacity(64 * 1024),
            pending_at: 0,
        };
        (guard, cut)
    }

    fn take(&mut self, byte: u8) {
        let ends_record = byte == b'\n' && self.state != State::Quoted;
        let too_long = self.record_bytes >= bytes_max();
        self.state = match (self.state, byte) {
            (State::FieldStart, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::QuotedMark,
            (State::Quoted, _) | (State::QuotedMark, b'"') => State::Quoted,
            (_, byte) if byte == self.delimiter || byte == b'\n' || byte == b'\r' => State::FieldStart,
            _ => State::Plain,
        };
        if byte == b'\n' {
            self.line = self.line.saturating_add(1);
        }
        if ends_record {
            if too_long {
                self.cut.note(CutRecord { line: self.record_line, bytes: self.record_bytes });
            }
            self.pending.push(byte);
            self.record_bytes = 0;
            self.record_line = self.line;
            return;
        }
        self.record_bytes = self.record_bytes.saturating_add(1);
        if too_long {
            // A quoted field this long is an unclosed quotation mark: the line's end closes it, or nothing would.
            if byte == b'\n' {
                self.cut.note(CutRecord { line: self.record_line, bytes: self.record_bytes });
                self.pending.extend_from_slice(b"\"\n");
                self.state = State::FieldStart;
                self.record_bytes = 0;
                self.record_line = self.line;
            }
        } else {
            self.pending.push(byte);
        }
    }
}

fn bytes_max() -> u64 {
    u64::try_from(RECORD_BYTES_MAX).unwrap_or(u64::MAX)
}

impl<R: Read> Read for RecordGuard<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.pending_at >= self.pending.len() {
            self.pending.clear();
            self.pending_at = 0;
            let mut buffer = std::mem::take(&mut self.buffer);
            let outcome = self.source.read(&mut buffer);
            if let Ok(count) = outcome {
                for byte in buffer.iter().take(count) {
                    self.take(*byte);
                }
            }
            self.buffer = buffer;
            if outcome? == 0 {
                if self.record_bytes >= bytes_max() {
                    self.cut.note(CutRecord { line: self.record_line, bytes: self.record_bytes });
                    self.record_bytes = 0;
                }
                return Ok(0);
            }
        }
        let rest = self.pending.get(self.pending_at..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(target), Some(bytes)) = (out.get_mut(..count), rest.get(..count)) {
            target.copy_from_slice(bytes);
        }
        self.pending_at = self.pending_at.saturating_add(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pass(text: &[u8]) -> (Vec<u8>, Vec<CutRecord>) {
        let (mut guard, cut) = RecordGuard::new(text, b',');
        let mut out = Vec::new();
        guard.read_to_end(&mut out).unwrap();
        let cut = cut.0.borrow().clone();
        (out, cut)
    }

    #[test]
    fn a_ten_megabyte_line_is_cut_and_its_place_noted_and_the_next_line_is_whole() {
        let text = [b"a,b\n".to_vec(), vec![b'x'; 10_000_000], b"\n1,2\n".to_vec()].concat();
        let (out, cut) = pass(&text);
        assert_eq!(cut, [CutRecord { line: 2, bytes: 10_000_000 }]);
        assert!(out.ends_with(b"x\n1,2\n"));
        assert_eq!(out.len(), 4 + RECORD_BYTES_MAX + 5);
    }

    #[test]
    fn an_unclosed_quotation_mark_does_not_swallow_the_file() {
        let text = [b"a,b\n\"open,1\n".to_vec(), b"row,2\n".repeat(400_000)].concat();
        let (out, cut) = pass(&text);
        assert_eq!(cut.len(), 1);
        assert_eq!(cut[0].line, 2);
        assert!(out.ends_with(b"row,2\nrow,2\n"));
    }

    #[test]
    fn an_inch_mark_within_a_field_opens_nothing() {
        let text = b"a,b\n5\" pipe,1\n".repeat(10);
        assert_eq!(pass(&text), (text, vec![]));
    }

    proptest! {
        #[test]
        fn short_records_pass_unchanged(text in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            prop_assert_eq!(pass(&text).0, text);
        }
    }
}
