//! A run as a file: sections, and where each of them is.

use std::io::{self, Write};

use super::section::{HEAD_BYTES, Head, SectionWriter, visit};
use super::{HistoryError, Lineage, TAGS_MAX};

const MAGIC: &[u8; 8] = b"TWTAGHI1";
/// Bytes of a tag in the directory.
const PLACE_BYTES: usize = 28;
/// Bytes behind the directory's tags.
const END_BYTES: usize = 32;

/// Reads so many bytes from a place of a file.
pub trait ReadAt {
    /// Exactly so many bytes.
    ///
    /// # Errors
    /// What the system says, or that the file ends before.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

impl<T: ReadAt> ReadAt for &T {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        (**self).read_at(offset, length)
    }
}

impl ReadAt for &[u8] {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = self.get(start..start.saturating_add(length));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Where a tag's section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    tag: u32,
    pairs: u64,
    start: u64,
    bytes: u64,
}

/// Writes a run, tag by tag.
#[derive(Debug)]
pub struct RunWriter<W> {
    out: W,
    from: u64,
    written: u64,
    places: Vec<Place>,
    section: SectionWriter,
    bytes: Vec<u8>,
}

impl<W: Write> RunWriter<W> {
    /// A run of entries from `from` on.
    pub fn new(out: W, from: u64) -> Self {
        let (places, section) = (Vec::new(), SectionWriter::default());
        Self { out, from, written: 0, places, section, bytes: Vec::new() }
    }

    /// Adds the lineage of the tag at hand: of each entity one, by entity.
    #[inline]
    pub fn push(&mut self, lineage: Lineage) {
        self.section.push(lineage, self.from);
    }

    /// The tag at hand is `tag`, which is beyond those before it, and it has no more.
    ///
    /// # Errors
    /// What the system says.
    pub fn end_tag(&mut self, tag: u32) -> Result<(), HistoryError> {
        self.bytes.clear();
        let pairs = self.section.finish(&mut self.bytes);
        if pairs > 0 {
            self.out.write_all(&self.bytes)?;
            let bytes = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
            self.places.push(Place { tag, pairs, start: self.written, bytes });
            self.written = self.written.saturating_add(bytes);
        }
        Ok(())
    }

    /// Bytes of the tags that were ended.
    pub(super) fn written(&self) -> usize {
        usize::try_from(self.written).unwrap_or(usize::MAX)
    }

    /// Takes over sections that were written elsewhere for tags beyond those before.
    pub(super) fn append(&mut self, part: RunWriter<Vec<u8>>) -> Result<(), HistoryError> {
        self.out.write_all(&part.out)?;
        let moved = part.places.into_iter();
        self.places
            .extend(moved.map(|place| Place { start: place.start.saturating_add(self.written), ..place }));
        self.written = self.written.saturating_add(part.written);
        Ok(())
    }

    /// Ends the run before the entry `to`; answers with it and the pairs of tag and entity in it.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(mut self, to: u64) -> Result<(W, u64), HistoryError> {
        let mut bytes =
            Vec::with_capacity(self.places.len().saturating_mul(PLACE_BYTES).saturating_add(END_BYTES));
        for place in &self.places {
            bytes.extend_from_slice(&place.tag.to_le_bytes());
            for number in [place.pairs, place.start, place.bytes] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        bytes.extend_from_slice(&self.from.to_le_bytes());
        bytes.extend_from_slice(&to.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(self.places.len()).unwrap_or(u32::MAX).to_le_bytes());
        let sum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes.extend_from_slice(MAGIC);
        self.out.write_all(&bytes)?;
        self.out.flush()?;
        let pairs = self.places.iter().map(|place| place.pairs).fold(0, u64::saturating_add);
        Ok((self.out, pairs))
    }
}

/// A run that stands; its lineages are read when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    from: u64,
    to: u64,
    places: Vec<Place>,
}

impl Run {
    /// Reads where everything is in a file of so many bytes.
    ///
    /// # Errors
    /// What the system says, or that these are not the bytes of a run.
    pub fn open(file: &impl ReadAt, bytes: u64) -> Result<Self, HistoryError> {
        let damaged = HistoryError::Damaged;
        let end_bytes = u64::try_from(END_BYTES).unwrap_or(u64::MAX);
        let end_start = bytes.checked_sub(end_bytes).ok_or(damaged("a run is too short"))?;
        let end = file.read_at(end_start, END_BYTES)?;
        let (_, tail) = end.split_at_checked(16).ok_or(damaged("a run is too short"))?;
        let (count, rest) = tail.split_first_chunk::<4>().ok_or(damaged("a run is too short"))?;
        let (sum, magic) = rest.split_first_chunk::<4>().ok_or(damaged("a run is too short"))?;
        if magic != MAGIC {
            return Err(damaged("a run does not end as one"));
        }
        let count = usize::try_from(u32::from_le_bytes(*count)).unwrap_or(usize::MAX);
        let length = count.saturating_mul(PLACE_BYTES);
        let start = u64::try_from(length).ok().and_then(|length| end_start.checked_sub(length));
        let start = start.filter(|_| count <= TAGS_MAX).ok_or(damaged("a run is too short"))?;
        let directory = file.read_at(start, length.saturating_add(20))?;
        if crc32fast::hash(&directory) != u32::from_le_bytes(*sum) {
            return Err(damaged("the checksum of a run is another"));
        }
        let places: Vec<Place> =
            directory.as_chunks::<PLACE_BYTES>().0.iter().take(count).map(place).collect();
        let mut expected = 0;
        for (at, place) in places.iter().enumerate() {
            let rises =
                at.checked_sub(1).and_then(|at| places.get(at)).is_none_or(|before| before.tag < place.tag);
            if place.start != expected || !rises {
                return Err(damaged("sections of a run overlap"));
            }
            expected =
                place.start.checked_add(place.bytes).ok_or(damaged("a section is beyond all bytes"))?;
        }
        let range: Vec<u64> =
            end.as_chunks::<8>().0.iter().take(2).map(|bytes| u64::from_le_bytes(*bytes)).collect();
        match range.as_slice() {
            [from, to] if expected == start && from <= to => Ok(Self { from: *from, to: *to, places }),
            _ => Err(damaged("sections of a run are missing")),
        }
    }

    /// Entries that it covers, from the first to before the last.
    #[must_use]
    pub fn entries(&self) -> std::ops::Range<u64> {
        self.from..self.to
    }

    /// Its tags, rising, each with how many entities carry it.
    pub fn tags(&self) -> impl Iterator<Item = (u32, u64)> {
        self.places.iter().map(|place| (place.tag, place.pairs))
    }

    fn place(&self, tag: u32) -> Option<&Place> {
        self.places.get(self.places.binary_search_by_key(&tag, |place| place.tag).ok()?)
    }

    /// Visits the lineages of a tag by entity; none if it has none.
    ///
    /// # Errors
    /// What the system says, or that the section is damaged.
    pub fn of_tag(
        &self,
        file: &impl ReadAt,
        tag: u32,
        mut each: impl FnMut(Lineage),
    ) -> Result<(), HistoryError> {
        let Some(place) = self.place(tag) else { return Ok(()) };
        let bytes = file.read_at(place.start, usize::try_from(place.bytes).unwrap_or(usize::MAX))?;
        let head = Head::of(&bytes)?;
        let behind = bytes.get(HEAD_BYTES..).unwrap_or_default();
        let (table, data) = behind
            .split_at_checked(head.table_bytes())
            .ok_or(HistoryError::Damaged("a table is beyond its section"))?;
        let mut latest = None;
        for chunk in head.chunks(table)? {
            if latest.is_some_and(|latest| latest >= chunk.first) {
                return Err(HistoryError::Damaged("entities do not rise"));
            }
            let bytes = data.get(chunk.start..chunk.end);
            let bytes = bytes.ok_or(HistoryError::Damaged("a chunk is beyond its section"))?;
            visit(&chunk, bytes, self.from, |lineage| {
                latest = Some(lineage.entity);
                each(lineage);
            })?;
        }
        Ok(())
    }

    /// The lineage of a tag on one entity; only what is near it is read.
    ///
    /// # Errors
    /// As [`Run::of_tag`].
    pub fn of_entity(
        &self,
        file: &impl ReadAt,
        tag: u32,
        entity: u32,
    ) -> Result<Option<Lineage>, HistoryError> {
        let Some(place) = self.place(tag) else { return Ok(None) };
        let head = Head::of(&file.read_at(place.start, HEAD_BYTES)?)?;
        let behind = u64::try_from(HEAD_BYTES.saturating_add(head.table_bytes())).unwrap_or(u64::MAX);
        if behind > place.bytes {
            return Err(HistoryError::Damaged("a table is beyond its section"));
        }
        let begins = place.start.saturating_add(u64::try_from(HEAD_BYTES).unwrap_or_default());
        let table = file.read_at(begins, head.table_bytes())?;
        let Some(chunk) = head.chunks(&table)?.into_iter().take_while(|chunk| chunk.first <= entity).last()
        else {
            return Ok(None);
        };
        let length = chunk.end.checked_sub(chunk.start);
        let end = u64::try_from(chunk.end).ok().and_then(|end| behind.checked_add(end));
        let (Some(length), Some(_)) = (length, end.filter(|end| *end <= place.bytes)) else {
            return Err(HistoryError::Damaged("a chunk is beyond its section"));
        };
        let start = place.start.saturating_add(behind);
        let start = start.saturating_add(u64::try_from(chunk.start).unwrap_or(u64::MAX));
        let bytes = file.read_at(start, length)?;
        let mut found = None;
        visit(&chunk, &bytes, self.from, |lineage| {
            if lineage.entity == entity {
                found = Some(lineage);
            }
        })?;
        Ok(found)
    }
}

fn place(bytes: &[u8; PLACE_BYTES]) -> Place {
    let (tag, numbers) = bytes.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
    let mut numbers = numbers.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
    let mut next = || numbers.next().unwrap_or_default();
    Place { tag: u32::from_le_bytes(*tag), pairs: next(), start: next(), bytes: next() }
}
