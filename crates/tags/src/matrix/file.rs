//! A matrix as bytes, with a checksum.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `TWTAGMX1` |
//! | 4, 4 | entities, tags |
//! | 8 each | length of each tag's bitmap |
//! | | the bitmaps, in the portable format of roaring |
//! | | of each shard: tags in all (4); where each entity's begin (4 each), where the last end (4); tags (2 each) |
//! | 4 | CRC-32 of everything before |
//!
//! All numbers begin with their lowest byte.

use std::io::{self, Read, Write};
use std::sync::Arc;

use crc32fast::Hasher;
use roaring::RoaringBitmap;
use thiserror::Error;

use super::transpose::{Shard, Transpose, entities_of, shard_count};
use super::{Matrix, TAGS_MAX};

const MAGIC: &[u8; 8] = b"TWTAGMX1";

/// Why bytes are no matrix.
#[derive(Debug, Error)]
pub enum MatrixFileError {
    /// The system refused to read or write.
    #[error("the matrix cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// Not what was written.
    #[error("the matrix is damaged ({0}); delete the file, and it is made anew")]
    Damaged(&'static str),
}

impl MatrixFileError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "matrix_unreadable",
            Self::Damaged(_) => "matrix_damaged",
        }
    }
}

impl Matrix {
    /// How many bytes it has when it is written.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of_tags = self.tags.iter().map(|entities| entities.serialized_size().saturating_add(8));
        let of_shards = self.transpose.shards.iter().map(|shard| {
            shard
                .starts
                .len()
                .saturating_mul(4)
                .saturating_add(shard.tags.len().saturating_mul(2))
                .saturating_add(4)
        });
        of_tags.chain(of_shards).fold(MAGIC.len().saturating_add(12), usize::saturating_add)
    }

    /// Writes it. The bytes are the same for equal matrices.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, out: impl Write) -> Result<(), MatrixFileError> {
        let mut out = Summed::new(out);
        out.write_all(MAGIC)?;
        out.number(self.entities)?;
        out.number(u32::try_from(self.tags.len()).unwrap_or(u32::MAX))?;
        for entities in &self.tags {
            let length = u64::try_from(entities.serialized_size()).unwrap_or(u64::MAX);
            out.write_all(&length.to_le_bytes())?;
        }
        for entities in &self.tags {
            entities.serialize_into(&mut out)?;
        }
        for shard in &self.transpose.shards {
            out.number(u32::try_from(shard.tags.len()).unwrap_or(u32::MAX))?;
            out.numbers(&shard.starts, u32::to_le_bytes)?;
            out.numbers(&shard.tags, u16::to_le_bytes)?;
        }
        let sum = out.sum();
        out.number(sum)?;
        out.flush()?;
        Ok(())
    }

    /// Reads what [`Matrix::write`] wrote.
    ///
    /// # Errors
    /// What the system says, or that these are not the bytes of a matrix.
    pub fn read(input: impl Read) -> Result<Self, MatrixFileError> {
        let mut input = Summed::new(input);
        if &input.array::<8>()? != MAGIC {
            return Err(MatrixFileError::Damaged("it does not begin as one"));
        }
        let entities = input.number_read()?;
        let count = usize::try_from(input.number_read()?).unwrap_or(usize::MAX);
        if count > TAGS_MAX {
            return Err(MatrixFileError::Damaged("it has more tags than a matrix can have"));
        }
        let lengths: Vec<u64> =
            (0..count).map(|_| input.array().map(u64::from_le_bytes)).collect::<Result<_, _>>()?;
        let (mut tags, mut bytes) = (Vec::with_capacity(count), Vec::new());
        for length in lengths {
            input.bytes_into(&mut bytes, length)?;
            let bitmap = RoaringBitmap::deserialize_from(bytes.as_slice())
                .map_err(|_| MatrixFileError::Damaged("a tag's entities are unreadable"))?;
            tags.push(Arc::new(bitmap));
        }
        let mut transpose = Transpose::default();
        for shard in 0..shard_count(entities) {
            let pairs = u64::from(input.number_read()?);
            let starts = u64::try_from(entities_of(shard, entities)).unwrap_or(u64::MAX).saturating_add(1);
            let starts = input.numbers_read(starts, u32::from_le_bytes)?;
            let tags = input.numbers_read(pairs, u16::from_le_bytes)?;
            transpose.shards.push(Arc::new(Shard { starts, tags }));
        }
        let expected = input.sum();
        if input.number_read()? != expected {
            return Err(MatrixFileError::Damaged("its checksum is another"));
        }
        Ok(Self { entities, tags, transpose })
    }
}

/// Numbers that are made bytes, or bytes that are made numbers, at once: they stay near the processor.
const NUMBERS_AT_ONCE: usize = 16 * 1024;
/// Room is made for so many numbers at once; what is not filled takes no memory.
const NUMBERS_FORESEEN_MAX: usize = 1 << 24;

/// Reads and writes through a checksum (CRC-32), for this file and for others that keep a matrix.
#[derive(Debug)]
pub struct Summed<T> {
    inner: T,
    sum: Hasher,
}

impl<T> Summed<T> {
    /// Begins with what comes next.
    pub fn new(inner: T) -> Self {
        Self { inner, sum: Hasher::new() }
    }

    /// The checksum of everything up to here.
    #[must_use]
    pub fn sum(&self) -> u32 {
        self.sum.clone().finalize()
    }

    /// What is read or written, for what has a checksum of its own.
    pub fn inner(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: Write> Summed<T> {
    /// Writes a number, its lowest byte first.
    ///
    /// # Errors
    /// What the system says.
    pub fn number(&mut self, number: u32) -> io::Result<()> {
        self.write_all(&number.to_le_bytes())
    }

    fn numbers<N: Copy, const BYTES: usize>(
        &mut self,
        numbers: &[N],
        bytes_of: impl Fn(N) -> [u8; BYTES],
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        for some in numbers.chunks(NUMBERS_AT_ONCE) {
            bytes.resize(some.len().saturating_mul(BYTES), 0);
            for (place, number) in bytes.as_chunks_mut::<BYTES>().0.iter_mut().zip(some) {
                *place = bytes_of(*number);
            }
            self.write_all(&bytes)?;
        }
        Ok(())
    }
}

impl<T: Write> Write for Summed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sum.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Summed<T> {
    /// So many bytes.
    ///
    /// # Errors
    /// What the system says, or that there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], MatrixFileError> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(short)?;
        self.sum.update(&bytes);
        Ok(bytes)
    }

    /// Reads a number, its lowest byte first.
    ///
    /// # Errors
    /// As [`Summed::array`].
    pub fn number_read(&mut self) -> Result<u32, MatrixFileError> {
        self.array().map(u32::from_le_bytes)
    }

    /// So many numbers; memory is taken as they come, not as the file promises.
    fn numbers_read<N, const BYTES: usize>(
        &mut self,
        count: u64,
        number_of: impl Fn([u8; BYTES]) -> N,
    ) -> Result<Vec<N>, MatrixFileError> {
        let mut left = usize::try_from(count).unwrap_or(usize::MAX);
        let (mut numbers, mut bytes) = (Vec::with_capacity(left.min(NUMBERS_FORESEEN_MAX)), Vec::new());
        while left > 0 {
            let some = left.min(NUMBERS_AT_ONCE);
            bytes.resize(some.saturating_mul(BYTES), 0);
            self.inner.read_exact(&mut bytes).map_err(short)?;
            self.sum.update(&bytes);
            numbers.extend(bytes.as_chunks::<BYTES>().0.iter().map(|bytes| number_of(*bytes)));
            left = left.saturating_sub(some);
        }
        Ok(numbers)
    }

    /// So many bytes; memory is taken as they come, not as the file promises.
    ///
    /// # Errors
    /// As [`Summed::array`].
    pub fn bytes(&mut self, length: u64) -> Result<Vec<u8>, MatrixFileError> {
        let mut bytes = Vec::new();
        self.bytes_into(&mut bytes, length)?;
        Ok(bytes)
    }

    /// The same in place of what was there.
    fn bytes_into(&mut self, bytes: &mut Vec<u8>, length: u64) -> Result<(), MatrixFileError> {
        bytes.clear();
        let read = self.inner.by_ref().take(length).read_to_end(bytes)?;
        if u64::try_from(read) != Ok(length) {
            return Err(MatrixFileError::Damaged("it ends too early"));
        }
        self.sum.update(bytes);
        Ok(())
    }
}

fn short(error: io::Error) -> MatrixFileError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => MatrixFileError::Damaged("it ends too early"),
        _ => MatrixFileError::Io(error),
    }
}
