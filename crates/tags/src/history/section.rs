//! One tag's lineages, by entity, in chunks that are read each for itself.
//!
//! | bytes | what |
//! |---|---|
//! | 4, 4 | chunks; CRC-32 of their number and the table that follows |
//! | 4, 4, 4 each | the first entity; where the chunk ends, from the end of this table; its CRC-32 |
//! | | the chunks: of each lineage the entity less the one before, twice its first entry less the run's and one more if there are others, then how many others less one and the last less the first, as numbers of 7 bits a byte, the lowest first |

use super::{HistoryError, Lineage};

/// Lineages of a chunk: few enough to find one of them at once, enough that the table stays small.
const CHUNK: usize = 512;
/// Bytes of a chunk in the table.
const PLACE_BYTES: usize = 12;

/// Puts a section together.
#[derive(Debug, Default)]
pub(super) struct SectionWriter {
    table: Vec<u8>,
    data: Vec<u8>,
    /// Of the chunk at hand: where it begins, its first entity, the latest entity, lineages.
    begun: usize,
    first: u32,
    latest: u32,
    lineages: usize,
    all: u64,
}

impl SectionWriter {
    /// Adds the lineage of the next entity, with entries from `from` on.
    pub(super) fn push(&mut self, lineage: Lineage, from: u64) {
        if self.lineages == CHUNK {
            self.end_chunk();
        }
        if self.lineages == 0 {
            (self.first, self.latest) = (lineage.entity, lineage.entity);
            self.begun = self.data.len();
        }
        number(&mut self.data, u64::from(lineage.entity.wrapping_sub(self.latest)));
        let first = lineage.first.wrapping_sub(from);
        let others = lineage.entries.saturating_sub(1);
        number(&mut self.data, first.wrapping_shl(1) | u64::from(others > 0));
        if others > 0 {
            number(&mut self.data, others.wrapping_sub(1));
            number(&mut self.data, lineage.last.wrapping_sub(lineage.first));
        }
        self.latest = lineage.entity;
        self.lineages = self.lineages.wrapping_add(1);
        self.all = self.all.wrapping_add(1);
    }

    fn end_chunk(&mut self) {
        if self.lineages == 0 {
            return;
        }
        let chunk = self.data.get(self.begun..).unwrap_or_default();
        let end = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        for number in [self.first, end, crc32fast::hash(chunk)] {
            self.table.extend_from_slice(&number.to_le_bytes());
        }
        self.lineages = 0;
    }

    /// Writes the section behind `out` and begins anew; answers with its lineages.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> u64 {
        self.end_chunk();
        let chunks = u32::try_from(self.table.len() / PLACE_BYTES).unwrap_or(u32::MAX);
        out.extend_from_slice(&chunks.to_le_bytes());
        out.extend_from_slice(&sum_of(chunks, &self.table).to_le_bytes());
        out.extend_from_slice(&self.table);
        out.extend_from_slice(&self.data);
        self.table.clear();
        self.data.clear();
        std::mem::take(&mut self.all)
    }
}

/// A number of 7 bits a byte, the lowest first; all but the last byte have the highest bit.
#[inline]
fn number(out: &mut Vec<u8>, number: u64) {
    match u32::try_from(number) {
        Ok(short) if short < 1 << 28 => short_number(out, short),
        _ => long_number(out, number),
    }
}

/// Four bytes at once, and those that are not needed taken back: nearly all numbers are so short, and how short is hard
/// to foresee.
#[inline]
fn short_number(out: &mut Vec<u8>, number: u32) {
    let spread =
        number & 0x7f | (number & 0x7f << 7) << 1 | (number & 0x7f << 14) << 2 | (number & 0x7f << 21) << 3;
    let bits = u32::BITS.saturating_sub((number | 1).leading_zeros());
    let bytes = bits.wrapping_add(6) / 7;
    let more = 0x0080_8080_u32 & (1_u32.wrapping_shl(bytes.wrapping_sub(1).wrapping_mul(8))).wrapping_sub(1);
    out.extend_from_slice(&(spread | more).to_le_bytes());
    let unused = 4_usize.saturating_sub(usize::try_from(bytes).unwrap_or(4));
    out.truncate(out.len().saturating_sub(unused));
}

fn long_number(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn sum_of(chunks: u32, table: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&chunks.to_le_bytes());
    sum.update(table);
    sum.finalize()
}

/// The first bytes of a section, which say how long its table is.
pub(super) const HEAD_BYTES: usize = 8;

/// The beginning of a section.
pub(super) struct Head {
    chunks: u32,
    sum: u32,
}

impl Head {
    /// Reads it from the first bytes of a section.
    pub(super) fn of(section: &[u8]) -> Result<Self, HistoryError> {
        match section.as_chunks::<4>().0 {
            [chunks, sum, ..] => {
                Ok(Self { chunks: u32::from_le_bytes(*chunks), sum: u32::from_le_bytes(*sum) })
            }
            _ => Err(HistoryError::Damaged("a section has no beginning")),
        }
    }

    /// Bytes of the table behind it.
    pub(super) fn table_bytes(&self) -> usize {
        usize::try_from(self.chunks).unwrap_or(usize::MAX).saturating_mul(PLACE_BYTES)
    }

    /// The chunks of the table.
    pub(super) fn chunks(&self, table: &[u8]) -> Result<Vec<Chunk>, HistoryError> {
        if sum_of(self.chunks, table) == self.sum {
            Ok(chunks(table).collect())
        } else {
            Err(HistoryError::Damaged("the checksum of a section is another"))
        }
    }
}

/// One chunk: its first entity, where it stands behind the table, its checksum.
pub(super) struct Chunk {
    pub(super) first: u32,
    pub(super) start: usize,
    pub(super) end: usize,
    sum: u32,
}

fn chunks(table: &[u8]) -> impl Iterator<Item = Chunk> {
    let mut start = 0;
    table.as_chunks::<PLACE_BYTES>().0.iter().map(move |[a, b, c, d, e, f, g, h, i, j, k, l]| {
        let end = usize::try_from(u32::from_le_bytes([*e, *f, *g, *h])).unwrap_or(usize::MAX);
        let first = u32::from_le_bytes([*a, *b, *c, *d]);
        Chunk {
            first,
            start: std::mem::replace(&mut start, end),
            end,
            sum: u32::from_le_bytes([*i, *j, *k, *l]),
        }
    })
}

/// Visits the lineages of a chunk, in the order of their entities.
pub(super) fn visit(
    chunk: &Chunk,
    bytes: &[u8],
    from: u64,
    mut visit: impl FnMut(Lineage),
) -> Result<(), HistoryError> {
    if crc32fast::hash(bytes) != chunk.sum {
        return Err(HistoryError::Damaged("a checksum is another"));
    }
    let (mut bytes, mut entity) = (bytes, chunk.first);
    while !bytes.is_empty() {
        let step = take(&mut bytes)?;
        entity = u32::try_from(step)
            .ok()
            .and_then(|step| entity.checked_add(step))
            .ok_or(HistoryError::Damaged("an entity is beyond all numbers"))?;
        let first = take(&mut bytes)?;
        let (mut entries, mut length) = (1_u64, 0);
        if first & 1 == 1 {
            entries = take(&mut bytes)?.saturating_add(2);
            length = take(&mut bytes)?;
        }
        let first = from.saturating_add(first >> 1);
        visit(Lineage { entity, entries, first, last: first.saturating_add(length) });
    }
    Ok(())
}

#[inline]
fn take(bytes: &mut &[u8]) -> Result<u64, HistoryError> {
    let (mut number, mut shift) = (0_u64, 0_u32);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        if shift > 63 {
            break;
        }
        number |= u64::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
        shift = shift.wrapping_add(7);
    }
    Err(HistoryError::Damaged("a number has no end"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_the_same_however_they_are_written_and_read_again(number: u64, shift in 0..64_u32) {
            let wanted = number >> shift;
            let (mut bytes, mut plain) = (Vec::new(), Vec::new());
            super::number(&mut bytes, wanted);
            long_number(&mut plain, wanted);
            prop_assert_eq!(&bytes, &plain);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take(&mut rest).unwrap(), wanted);
            prop_assert!(rest.is_empty());
        }
    }
}
