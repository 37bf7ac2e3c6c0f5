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
            out.write_all(&bytes_of(&shard.starts, |start| start.to_le_bytes()))?;
            out.write_all(&bytes_of(&shard.tags, |tag| tag.to_le_bytes()))?;
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
        let mut tags = Vec::with_capacity(count);
        for length in lengths {
            let bytes = input.bytes(length)?;
            let bitmap = RoaringBitmap::deserialize_from(bytes.as_slice())
                .map_err(|_| MatrixFileError::Damaged("a tag's entities are unreadable"))?;
            tags.push(Arc::new(bitmap));
        }
        let mut transpose = Transpose::default();
        for shard in 0..shard_count(entities) {
            let pairs = u64::from(input.number_read()?);
            let starts = u64::try_from(entities_of(shard, entities)).unwrap_or(u64::MAX).saturating_add(1);
            let starts = input.bytes(starts.saturating_mul(4))?;
            let tags = input.bytes(pairs.saturating_mul(2))?;
            transpose.shards.push(Arc::new(Shard {
                starts: starts.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect(),
                tags: tags.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect(),
            }));
        }
        let expected = input.sum();
        if input.number_read()? != expected {
            return Err(MatrixFileError::Damaged("its checksum is another"));
        }
        Ok(Self { entities, tags, transpose })
    }
}

fn bytes_of<T: Copy, const N: usize>(numbers: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| bytes(*number)).collect()
}

/// Reads and writes through a checksum.
pub(crate) struct Summed<T> {
    inner: T,
    sum: Hasher,
}

impl<T> Summed<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, sum: Hasher::new() }
    }

    /// Of everything so far.
    pub(crate) fn sum(&self) -> u32 {
        self.sum.clone().finalize()
    }
}

impl<T: Write> Summed<T> {
    pub(crate) fn number(&mut self, number: u32) -> io::Result<()> {
        self.write_all(&number.to_le_bytes())
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
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], MatrixFileError> {
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(short)?;
        self.sum.update(&bytes);
        Ok(bytes)
    }

    pub(crate) fn number_read(&mut self) -> Result<u32, MatrixFileError> {
        self.array().map(u32::from_le_bytes)
    }

    /// So many bytes; memory is taken as they come, not as the file promises.
    pub(crate) fn bytes(&mut self, length: u64) -> Result<Vec<u8>, MatrixFileError> {
        let mut bytes = Vec::new();
        let read = self.inner.by_ref().take(length).read_to_end(&mut bytes)?;
        if u64::try_from(read) != Ok(length) {
            return Err(MatrixFileError::Damaged("it ends too early"));
        }
        self.sum.update(&bytes);
        Ok(bytes)
    }
}

fn short(error: io::Error) -> MatrixFileError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => MatrixFileError::Damaged("it ends too early"),
        _ => MatrixFileError::Io(error),
    }
}
