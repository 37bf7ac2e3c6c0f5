//! A table as bytes, with a checksum: its entries. What is computed of them is computed again.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `TWDAYBK1` |
//! | 4 each | windows, conditions, sums, greatest, last day (0 or 1), kinds of codes, questions for different codes |
//! | 4 each | days of each window; kind of code, condition, window of each question |
//! | 4, 4 | entities; the day it stands at |
//! | | of each of 64 shards: entries (4), then their words (8 each) |
//! | 4 | CRC-32 of everything before |
//!
//! All numbers begin with their lowest byte.

use std::io::{self, Read, Write};

use thiserror::Error;

use super::SHARDS;
use super::entries::{day_of, place};
use super::error::BucketError;
use super::layout::{Different, Layout, Questions};
use super::table::{Builder, Table};
use crate::matrix::{MatrixFileError, Summed};

const MAGIC: &[u8; 8] = b"TWDAYBK1";
/// Windows, conditions and the like: more than any layout has, little enough to read.
const NUMBERS_MAX: u32 = 1_024;

/// Why bytes are no table.
#[derive(Debug, Error)]
pub enum BucketFileError {
    /// The system refused to read or write.
    #[error("the day buckets cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// Not what was written.
    #[error("the day buckets are damaged ({0}); delete the file, and it is made anew")]
    Damaged(&'static str),
    /// They ask for what no table can hold.
    #[error("the day buckets are damaged ({0}); delete the file, and it is made anew")]
    Refused(#[from] BucketError),
}

impl BucketFileError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "buckets_unreadable",
            Self::Damaged(_) | Self::Refused(_) => "buckets_damaged",
        }
    }
}

impl From<MatrixFileError> for BucketFileError {
    fn from(error: MatrixFileError) -> Self {
        match error {
            MatrixFileError::Io(error) => Self::Io(error),
            MatrixFileError::Damaged(what) => Self::Damaged(what),
        }
    }
}

impl Table {
    /// Writes its entries.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_to(&self, out: impl Write) -> Result<(), BucketFileError> {
        let mut out = Summed::new(out);
        out.write_all(MAGIC)?;
        for number in numbers_of(&self.layout) {
            out.number(u32::try_from(number).unwrap_or(u32::MAX))?;
        }
        out.number(self.entities)?;
        out.number(self.day.cast_unsigned())?;
        let stride = self.layout.stride();
        for shard in &self.shards {
            let runs = [&shard.base.words, &shard.recent.words];
            let entries = || {
                let entries = runs.into_iter().flat_map(|words| words.chunks_exact(stride));
                entries.filter(|entry| self.holds(entry))
            };
            out.number(u32::try_from(entries().count()).unwrap_or(u32::MAX))?;
            let mut bytes = Vec::new();
            for entry in entries() {
                bytes.extend(entry.iter().flat_map(|word| word.to_le_bytes()));
                if bytes.len() >= 1 << 20 {
                    out.write_all(&bytes)?;
                    bytes.clear();
                }
            }
            out.write_all(&bytes)?;
        }
        let sum = out.sum();
        out.number(sum)?;
        out.flush()?;
        Ok(())
    }

    /// An entry that was not taken out and that a window holds or will hold.
    fn holds(&self, entry: &[u64]) -> bool {
        let day = entry.first().map_or(i32::MIN, |head| day_of(*head));
        let oldest = i64::from(self.day).saturating_sub(self.layout.longest().into());
        entry.get(1).is_some_and(|conditions| *conditions != 0) && i64::from(day) >= oldest
    }

    /// Reads what [`Table::write_to`] wrote.
    ///
    /// # Errors
    /// What the system says, or that these are not the bytes of a table.
    pub fn read_from(input: impl Read) -> Result<Self, BucketFileError> {
        let mut input = Summed::new(input);
        if &input.array::<8>()? != MAGIC {
            return Err(BucketFileError::Damaged("it does not begin as one"));
        }
        let layout = layout_of(&mut input)?;
        let entities = input.number_read()?;
        let day = input.number_read()?.cast_signed();
        let entry_bytes = u64::try_from(layout.stride().saturating_mul(8)).unwrap_or(u64::MAX);
        let mut shards = Vec::new();
        for _ in 0..SHARDS {
            let entries = u64::from(input.number_read()?);
            let bytes = input.bytes(entries.saturating_mul(entry_bytes))?;
            shards.push(bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect());
        }
        // Memory for entities is taken only when the bytes are known to be whole.
        let expected = input.sum();
        if input.number_read()? != expected {
            return Err(BucketFileError::Damaged("its checksum is another"));
        }
        let mut builder = Builder::new(layout, entities, day)?;
        for (number, words) in shards.into_iter().enumerate() {
            let not_here = |_| BucketFileError::Damaged("an entry does not belong where it stands");
            builder.hold(number, words).map_err(not_here)?;
        }
        Ok(builder.finish()?)
    }
}

/// Layout as numbers, in the order of the file.
fn numbers_of(layout: &Layout) -> Vec<usize> {
    let days = layout.windows.iter().map(|days| usize::try_from(*days).unwrap_or(usize::MAX));
    let asked = layout.different.iter().flat_map(|one| [one.code, one.condition, one.window]);
    let counts = [
        layout.windows.len(),
        layout.conditions,
        layout.sums,
        layout.greatest,
        usize::from(layout.last_day),
        layout.codes,
        layout.different.len(),
    ];
    counts.into_iter().chain(days).chain(asked).collect()
}

fn layout_of(input: &mut Summed<impl Read>) -> Result<Layout, BucketFileError> {
    let mut number = || -> Result<usize, BucketFileError> {
        let number = input.number_read()?;
        if number > super::DAYS_MAX.max(NUMBERS_MAX) {
            return Err(BucketFileError::Damaged("it asks for more than a table holds"));
        }
        Ok(place(u64::from(number)))
    };
    let windows = number()?;
    let (conditions, sums, greatest) = (number()?, number()?, number()?);
    let (last_day, codes, questions) = (number()? != 0, number()?, number()?);
    let windows = (0..windows).map(|_| Ok(u32::try_from(number()?).unwrap_or(u32::MAX)));
    let windows = windows.collect::<Result<_, BucketFileError>>()?;
    let mut different = Vec::new();
    for _ in 0..questions {
        different.push(Different { code: number()?, condition: number()?, window: number()? });
    }
    Ok(Layout::new(Questions {
        windows,
        conditions,
        sums,
        greatest,
        last_day,
        codes,
        different,
        keep_codes_from: None,
    })?)
}
