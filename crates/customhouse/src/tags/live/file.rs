//! The live matrix as one file, with checksums.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `TWTAGLV2` |
//! | 8 | position of the last event that it reflects; its id, a text |
//! | 8 | position up to which what was erased was gone when it was begun |
//! | 8 | what found no room |
//! | | tags: how many (4), each a text |
//! | | entities: how many (4), each a text |
//! | | declarations: how many (4); of each its number, a text, when its tags were applied (8), its parties (4 each) |
//! | | waiting: how many (4); of each its number and its four parties, texts; an empty one is nobody |
//! | | merges that stand: how many (4); of each the id of its decision, the one, the other, its state, texts |
//! | | inspected, irregular: bytes (8) of a bitmap in the portable format of roaring, the bitmap |
//! | 4 | CRC-32 of everything before |
//! | | the matrix of entities, that of declarations ([`::tags::matrix`]), each with its own checksum |
//!
//! All numbers begin with their lowest byte; a text is its length in bytes (4) and UTF-8.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use ::tags::matrix::{Matrix, MatrixFileError, Summed};
use roaring::RoaringBitmap;

use super::grown::Grown;
use super::state::{Epoch, Parties, ROLES, State, Tagged};
use crate::entities::DecisionState;
use crate::entities::joins::{Followed, Join, Joins};
use crate::error::{Error, Kind};
use crate::folder::write_whole_from;

const MAGIC: &[u8; 8] = b"TWTAGLV2";
/// Bytes of a text at most.
const TEXT_BYTES_MAX: u32 = 1 << 16;

type Read1<T> = Result<T, MatrixFileError>;

/// Writes the state, whole or not at all.
///
/// # Errors
/// `file_unwritable`.
pub(super) fn write(path: &Path, state: &State) -> Result<(), Error> {
    write_whole_from(path, |file| {
        let mut out = Summed::new(&mut *file);
        head(&mut out, state)?;
        let sum = out.sum();
        out.number(sum)?;
        for matrix in [&state.own, &state.epoch.of_declarations] {
            matrix.write(out.inner()).map_err(|error| match error {
                MatrixFileError::Io(error) => error,
                MatrixFileError::Damaged(why) => io::Error::other(why),
            })?;
        }
        Ok(())
    })
}

fn head(out: &mut Summed<impl Write>, state: &State) -> io::Result<()> {
    let epoch = &state.epoch;
    out.write_all(MAGIC)?;
    out.write_all(&epoch.position.to_le_bytes())?;
    text(out, &state.event)?;
    out.write_all(&state.begun_at.to_le_bytes())?;
    out.write_all(&epoch.left_out.to_le_bytes())?;
    for names in [&epoch.tags, &epoch.entities] {
        out.number(count(names.len()))?;
        for name in names.iter() {
            text(out, name)?;
        }
    }
    out.number(count(epoch.declarations.len()))?;
    for own in epoch.declarations.iter() {
        text(out, &own.mrn)?;
        out.write_all(&own.at.to_le_bytes())?;
        for party in own.parties {
            out.number(party)?;
        }
    }
    out.number(count(state.waiting.len()))?;
    for (mrn, parties) in &state.waiting {
        text(out, mrn)?;
        for party in parties {
            text(out, party.as_deref().unwrap_or_default())?;
        }
    }
    out.number(count(state.joins.len()))?;
    for (id, join) in state.joins.iter() {
        for part in [id, &join.one, &join.other, join.state.name()] {
            text(out, part)?;
        }
    }
    for set in [&epoch.inspected, &epoch.irregular] {
        let length = u64::try_from(set.serialized_size()).unwrap_or(u64::MAX);
        out.write_all(&length.to_le_bytes())?;
        set.serialize_into(&mut *out)?;
    }
    Ok(())
}

fn text(out: &mut Summed<impl Write>, text: &str) -> io::Result<()> {
    let length = u32::try_from(text.len()).ok().filter(|length| *length <= TEXT_BYTES_MAX);
    out.number(length.ok_or_else(|| io::Error::other("a name is too long"))?)?;
    out.write_all(text.as_bytes())
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Reads what was written.
///
/// # Errors
/// `matrix_unreadable`, `matrix_damaged`.
pub(super) fn read(path: &Path) -> Result<State, Error> {
    let file = File::open(path).map_err(|error| Error::io("matrix_unreadable", path, &error))?;
    from_bytes(BufReader::with_capacity(1 << 20, file)).map_err(|error| {
        let remedy = "Nothing need be done: it is made anew from the journal.";
        Error::new(Kind::Refused, error.code(), error.to_string(), remedy)
    })
}

fn from_bytes(input: impl Read) -> Read1<State> {
    let mut input = Summed::new(input);
    if &input.array::<8>()? != MAGIC {
        return Err(MatrixFileError::Damaged("it does not begin as one"));
    }
    let position = input.array().map(u64::from_le_bytes)?;
    let event = text_read(&mut input)?;
    let begun_at = input.array().map(u64::from_le_bytes)?;
    let left_out = input.array().map(u64::from_le_bytes)?;
    let tags = names(&mut input)?;
    let entities = names(&mut input)?;
    let declarations = declarations(&mut input)?;
    let waiting = waiting(&mut input)?;
    let joins = joins(&mut input)?;
    let inspected = bitmap(&mut input)?;
    let irregular = bitmap(&mut input)?;
    let expected = input.sum();
    if input.number_read()? != expected {
        return Err(MatrixFileError::Damaged("its checksum is another"));
    }
    let of_entities = Matrix::read(input.inner())?;
    let of_declarations = Matrix::read(input.inner())?;
    let sizes = [(&of_entities, entities.len()), (&of_declarations, declarations.len())];
    let fits = |(matrix, length): &(&Matrix, usize)| {
        usize::try_from(matrix.entities()) == Ok(*length) && matrix.tags() == tags.len()
    };
    if !sizes.iter().all(fits) {
        return Err(MatrixFileError::Damaged("its parts are of different sizes"));
    }
    let epoch = Epoch {
        position,
        left_out,
        of_entities,
        of_declarations,
        inspected,
        irregular,
        tags,
        entities,
        declarations,
        ..Epoch::default()
    };
    State::of(epoch, event, begun_at, waiting, joins)
        .map_err(|_| MatrixFileError::Damaged("its groups are of other entities"))
}

fn text_read(input: &mut Summed<impl Read>) -> Read1<String> {
    let length = input.number_read()?;
    if length > TEXT_BYTES_MAX {
        return Err(MatrixFileError::Damaged("a name is too long"));
    }
    let bytes = input.bytes(u64::from(length))?;
    String::from_utf8(bytes).map_err(|_| MatrixFileError::Damaged("a name is no text"))
}

fn names(input: &mut Summed<impl Read>) -> Read1<Grown<Arc<str>>> {
    let mut names = Grown::default();
    for _ in 0..input.number_read()? {
        names.push(Arc::from(text_read(input)?));
    }
    Ok(names)
}

fn declarations(input: &mut Summed<impl Read>) -> Read1<Grown<Tagged>> {
    let mut all = Grown::default();
    for _ in 0..input.number_read()? {
        let mrn = Arc::from(text_read(input)?);
        let at = input.array().map(i64::from_le_bytes)?;
        let mut parties = [0; ROLES];
        for party in &mut parties {
            *party = input.number_read()?;
        }
        all.push(Tagged { mrn, at, parties });
    }
    Ok(all)
}

fn waiting(input: &mut Summed<impl Read>) -> Read1<BTreeMap<String, Parties>> {
    let mut all = BTreeMap::new();
    for _ in 0..input.number_read()? {
        let mrn = text_read(input)?;
        let mut parties = Parties::default();
        for party in &mut parties {
            *party = Some(text_read(input)?).filter(|id| !id.is_empty());
        }
        all.insert(mrn, parties);
    }
    Ok(all)
}

fn joins(input: &mut Summed<impl Read>) -> Read1<Joins> {
    let mut all = Joins::default();
    for _ in 0..input.number_read()? {
        let id = text_read(input)?;
        let (one, other) = (text_read(input)?, text_read(input)?);
        let state = DecisionState::from_name(&text_read(input)?)
            .filter(|state| state.joins())
            .ok_or(MatrixFileError::Damaged("a merge is of no known state"))?;
        if all.insert(id, Join { one, other, state }) == Followed::LeftOut {
            return Err(MatrixFileError::Damaged("it has too many merges"));
        }
    }
    Ok(all)
}

fn bitmap(input: &mut Summed<impl Read>) -> Read1<Arc<RoaringBitmap>> {
    let length = input.array().map(u64::from_le_bytes)?;
    let bytes = input.bytes(length)?;
    let set = RoaringBitmap::deserialize_from(bytes.as_slice())
        .map_err(|_| MatrixFileError::Damaged("a set of declarations is unreadable"))?;
    Ok(Arc::new(set))
}
