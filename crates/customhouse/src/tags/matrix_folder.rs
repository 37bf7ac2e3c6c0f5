//! A matrix of entities and tags in a folder of its own: made by matching, asked by conditions on tags.
//!
//! | file | what |
//! |---|---|
//! | `matrix.bin` | the matrix ([`::tags::matrix`]) |
//! | `tags.jsonl` | the id of each tag, a JSON text a line |
//! | `entities.jsonl` | the name of each entity, a JSON text a line |
//!
//! All of it is derived: delete the folder and match again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use ::pool::lanes::LaneValues;
use ::tags::matcher::{ABSENT, Matched};
use ::tags::matrix::{Matrix, Selection};
use roaring::RoaringBitmap;
use serde::Serialize;
use spine::entry::TextColumn;
use spine::{Column, Value};

use crate::error::{Error, Kind};
use crate::folder::write_whole;

/// Entities named in an answer at most.
pub const ENTITIES_LISTED_MAX: usize = 100_000;

/// Numbers the entities of a column in the order in which they come.
#[derive(Default)]
pub(super) struct Entities {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Entities {
    /// The number of each row's entity; none where the column has no value.
    pub(super) fn of(&mut self, lane: &LaneValues) -> Vec<Option<u32>> {
        match lane {
            LaneValues::Whole { values, .. } => {
                let mut known: HashMap<i64, u32> = HashMap::new();
                let number = |value: &i64| {
                    let value = Some(*value).filter(|value| *value != ABSENT)?;
                    Some(*known.entry(value).or_insert_with(|| self.number(&value.to_string())))
                };
                values.iter().map(number).collect()
            }
            LaneValues::Column(Column::Text(texts)) => {
                let known: Vec<u32> = texts.dictionary().iter().map(|text| self.number(text)).collect();
                let number = |code: &u32| match *code {
                    TextColumn::ABSENT => None,
                    code => usize::try_from(code).ok().and_then(|code| known.get(code).copied()),
                };
                texts.codes().iter().map(number).collect()
            }
            LaneValues::Column(column) => {
                let number = |row| column.value(row).map(|value: Value| self.number(&value.to_string()));
                (0..column.len()).map(number).collect()
            }
            LaneValues::Float(values) => {
                let number = |value: &f64| (!value.is_nan()).then(|| self.number(&value.to_string()));
                values.iter().map(number).collect()
            }
        }
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        number
    }
}

/// Who carries each tag, while entries come.
pub(super) struct Carriers {
    found: Vec<Vec<u32>>,
    sets: Vec<RoaringBitmap>,
}

impl Carriers {
    pub(super) fn new(tags: usize) -> Self {
        Self { found: vec![Vec::new(); tags], sets: vec![RoaringBitmap::new(); tags] }
    }

    /// Entries of a block, of whose rows `entity_of` names the entities.
    pub(super) fn found(&mut self, tag: usize, entries: Matched<'_>, entity_of: &[Option<u32>]) {
        if let Some(own) = self.found.get_mut(tag) {
            entries.rows(|row| own.extend(entity_of.get(row).copied().flatten()));
        }
    }

    /// Takes over what was found in a block: sorted first, for one by one is far slower.
    pub(super) fn end_of_block(&mut self) {
        for (found, set) in self.found.iter_mut().zip(&mut self.sets) {
            if !found.is_empty() {
                found.sort_unstable();
                found.dedup();
                // Sorted and without doubles, it is never refused.
                *set |= RoaringBitmap::from_sorted_iter(found.drain(..)).unwrap_or_default();
            }
        }
    }
}

/// Writes the matrix of what several threads found.
///
/// # Errors
/// `matrix_tags_too_many`, `file_unwritable`.
pub(super) fn write(
    folder: &Path,
    ids: &[String],
    entities: &Entities,
    all: Vec<Carriers>,
) -> Result<u64, Error> {
    let mut sets = vec![RoaringBitmap::new(); ids.len()];
    for carriers in all {
        for (set, own) in sets.iter_mut().zip(carriers.sets) {
            *set |= own;
        }
    }
    let count = u32::try_from(entities.names.len()).unwrap_or(u32::MAX);
    let matrix = Matrix::new(count, sets).map_err(|error| {
        Error::new(Kind::Refused, error.code(), error.to_string(), "Divide the rules among several matrices.")
    })?;
    fs::create_dir_all(folder).map_err(|error| Error::io("file_unwritable", folder, &error))?;
    let mut bytes = Vec::new();
    matrix.write(BufWriter::new(&mut bytes)).map_err(damaged)?;
    write_whole(&folder.join("tags.jsonl"), &lines(ids)?)?;
    write_whole(&folder.join("entities.jsonl"), &lines(&entities.names)?)?;
    write_whole(&folder.join("matrix.bin"), &bytes)?;
    Ok(matrix.pairs())
}

fn lines(texts: &[String]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    for text in texts {
        let line = serde_json::to_string(text).map_err(|error| {
            Error::new(Kind::Internal, "text_unwritable", error.to_string(), "Report this.")
        })?;
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    Ok(out)
}

fn damaged(error: ::tags::matrix::MatrixFileError) -> Error {
    Error::new(Kind::Refused, error.code(), error.to_string(), "Match the entries again.")
}

/// A matrix that was written, opened to be asked.
pub struct MatrixFolder {
    folder: PathBuf,
    matrix: Matrix,
    tags: Vec<String>,
}

/// Who carries some tags.
#[derive(Debug, Clone, Serialize)]
pub struct SelectedEntities {
    /// How many entities the condition selects.
    pub count: u64,
    /// Of so many in all.
    pub entities: u32,
    /// Their tags, with how many of them carry each: the most frequent first.
    pub tags: Vec<(String, u32)>,
    /// The names of the first of them.
    pub named: Vec<String>,
}

impl MatrixFolder {
    /// Opens a folder.
    ///
    /// # Errors
    /// `matrix_unreadable`, `matrix_damaged`.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("matrix.bin");
        let file = File::open(&path).map_err(|error| Error::io("matrix_unreadable", &path, &error))?;
        let matrix = Matrix::read(BufReader::with_capacity(1 << 20, file)).map_err(damaged)?;
        let tags = read_lines(&folder.join("tags.jsonl"), |_| true)?;
        Ok(Self { folder: folder.to_owned(), matrix, tags })
    }

    /// The entities that a condition on tags selects, their most frequent tags, and the names of some.
    ///
    /// # Errors
    /// `selection_refused`, `matrix_unreadable`.
    pub fn select(
        &self,
        condition: &str,
        tags_max: usize,
        named_max: usize,
    ) -> Result<SelectedEntities, Error> {
        let selection = Selection::parse(condition, &self.tags).map_err(|error| {
            Error::new(Kind::Invalid, error.code(), error.to_string(), "Correct the condition at the mark.")
        })?;
        let selected = self.matrix.select(&selection);
        let tags = self.matrix.tags_among(&selected, tags_max).into_iter();
        let tags = tags.filter_map(|(tag, count)| Some((self.tags.get(usize::from(tag))?.clone(), count)));
        let wanted: RoaringBitmap = selected.iter().take(named_max.min(ENTITIES_LISTED_MAX)).collect();
        let named = if wanted.is_empty() {
            Vec::new()
        } else {
            read_lines(&self.folder.join("entities.jsonl"), |line| wanted.contains(line))?
        };
        Ok(SelectedEntities {
            count: selected.len(),
            entities: self.matrix.entities(),
            tags: tags.collect(),
            named,
        })
    }
}

/// The texts of the wanted lines, counted from 0.
fn read_lines(path: &Path, wanted: impl Fn(u32) -> bool) -> Result<Vec<String>, Error> {
    let failed = |error: std::io::Error| Error::io("matrix_unreadable", path, &error);
    let reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut texts = Vec::new();
    for (number, line) in (0_u32..).zip(reader.lines()) {
        let line = line.map_err(failed)?;
        if wanted(number) {
            texts.push(serde_json::from_str(&line).map_err(|error| {
                Error::new(Kind::Refused, "matrix_damaged", error.to_string(), "Match the entries again.")
            })?);
        }
    }
    Ok(texts)
}
