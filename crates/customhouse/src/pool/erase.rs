//! Taking somebody's data out of batches. Files are immutable and named by their hash: others are written without what
//! names people, a new admission of the batch puts them in the place of the old ones, and those are destroyed.

use std::collections::BTreeSet;

use ::pool::event::Rewritten;
use ::pool::quarantine::QuarantineColumn;
use ::pool::{
    Batch, BatchRecord, BatchState, EntriesMetadata, EntriesReader, NewEntries, NewQuarantine, schema_of,
};
use formats::QuarantinedRow;
use spine::{EntryTable, Silent};

use super::model::Pool;
use crate::error::Error;

/// Fields of a row that name a party.
const PARTY_FIELDS: [&str; 4] = ["declarant_id", "importer_id", "exporter_id", "carrier_id"];
/// Fields of a row that name people or are in their own words: absent afterwards, that is unknown. What is left is
/// number, office, dates, codes, amounts and outcome.
const PERSONAL_FIELDS: [&str; 7] = [
    "declarant_id",
    "importer_id",
    "exporter_id",
    "carrier_id",
    "goods_description",
    "container_id",
    "origin_marking",
];
/// Rows of quarantine read at once.
const QUARANTINE_PIECE: usize = 10_000;

/// Whose rows.
pub(crate) struct RowsOf<'a> {
    /// Is a text the subject?
    pub(crate) is: &'a dyn Fn(&str) -> bool,
    /// Does a text name the subject among other words?
    pub(crate) said: &'a dyn Fn(&str) -> bool,
    /// Is the subject a party, or a declaration?
    pub(crate) party: bool,
}

impl RowsOf<'_> {
    fn fields(&self) -> &'static [&'static str] {
        if self.party { &PARTY_FIELDS } else { &["declaration_id"] }
    }

    /// Rows that are the subject's.
    fn rows(&self, table: &EntryTable) -> BTreeSet<usize> {
        let mut rows = BTreeSet::new();
        for column in self.fields().iter().filter_map(|field| table.texts(field)) {
            let dictionary = column.dictionary().iter();
            let codes: BTreeSet<u32> =
                dictionary.filter(|text| (self.is)(text)).filter_map(|text| column.code_of(text)).collect();
            if !codes.is_empty() {
                let own = column.codes().iter().enumerate().filter(|(_, code)| codes.contains(*code));
                rows.extend(own.map(|(row, _)| row));
            }
        }
        rows
    }

    /// Does what is recorded of a batch name the subject: its file's name, an example in its findings?
    fn is_told_of(&self, record: &BatchRecord) -> bool {
        let examples = record.findings.iter().flat_map(|group| &group.examples);
        let joined = record.outcomes.as_ref().map(|outcomes| outcomes.source.name.as_str());
        self.party
            && (examples.chain(&record.verdict).any(|finding| (self.said)(&finding.found))
                || (self.said)(&record.source.name)
                || joined.is_some_and(|name| (self.said)(name)))
    }

    fn names(&self, row: &QuarantinedRow) -> bool {
        row.cells.iter().any(|cell| (self.said)(cell))
            || row.findings.iter().any(|finding| (self.said)(&finding.found))
    }
}

/// A batch without the subject's data, to be admitted in the place of what it was.
pub(crate) struct RewrittenBatch {
    /// What the event says.
    pub(crate) record: BatchRecord,
    /// Version of its stream that this rests on.
    pub(crate) version: u64,
}

impl Pool {
    /// Batches that hold rows of the subject, admitted or in quarantine.
    pub(crate) fn batches_of(&self, of: &RowsOf<'_>) -> Result<BTreeSet<String>, Error> {
        let batches = self.catalogue()?.batches(None, None, usize::MAX)?;
        let mut own = BTreeSet::new();
        for batch in &batches {
            let rows = self.rows_of_batch(batch)?.is_some_and(|read| !of.rows(&read.table).is_empty());
            if rows
                || of.is_told_of(&batch.record)
                || self.quarantined(batch)?.1.iter().any(|row| of.names(row))
            {
                own.insert(batch.record.batch.clone());
            }
        }
        Ok(own)
    }

    fn rows_of_batch(&self, batch: &Batch) -> Result<Option<::pool::ReadEntries>, Error> {
        if batch.state != BatchState::Admitted || batch.record.files.is_empty() {
            return Ok(None);
        }
        let Some(schema) = schema_of(&batch.record.schema.id) else { return Ok(None) };
        let mut reader = EntriesReader::new(&schema);
        for file in &batch.record.files {
            self.folder.read_entries(&file.sha256, None, &mut reader)?;
        }
        Ok(Some(reader.finish()))
    }

    fn quarantined(&self, batch: &Batch) -> Result<(Vec<QuarantineColumn>, Vec<QuarantinedRow>), Error> {
        let Some(file) = &batch.record.quarantine else { return Ok((Vec::new(), Vec::new())) };
        let quarantine = self.folder.read_quarantine(&file.sha256)?;
        let positions: Vec<usize> = (0..quarantine.lines().len()).collect();
        let mut rows = Vec::with_capacity(positions.len());
        for piece in positions.chunks(QUARANTINE_PIECE) {
            rows.extend(quarantine.page(piece)?);
        }
        Ok((quarantine.columns().to_vec(), rows))
    }

    /// Writes a batch's files without the subject's data. They count once the record is admitted.
    pub(crate) fn without(
        &self,
        id: &str,
        of: &RowsOf<'_>,
        erasure: &str,
    ) -> Result<Option<RewrittenBatch>, Error> {
        let Some(batch) = self.catalogue()?.batch(id)? else { return Ok(None) };
        let mut record = batch.record.clone();
        let mut gone = self.catalogue()?.every_file(id)?;
        let rows = self.rewrite_rows(&batch, of, &mut record)?;
        let rows_quarantined = self.rewrite_quarantine(&batch, of, &mut record)?;
        // What is found in single rows comes with examples of their values.
        for group in &mut record.findings {
            group.examples.clear();
        }
        for finding in record.verdict.iter_mut().filter(|finding| (of.said)(&finding.found)) {
            finding.found.clear();
        }
        let joined = record.outcomes.as_mut().map(|outcomes| &mut outcomes.source);
        for source in [Some(&mut record.source), joined].into_iter().flatten() {
            if (of.said)(&source.name) {
                "erased".clone_into(&mut source.name);
            }
        }
        record.source.kept = false;
        let present: BTreeSet<&str> =
            record.files.iter().chain(&record.quarantine).map(|file| file.sha256.as_str()).collect();
        gone.retain(|sha256| !present.contains(sha256.as_str()));
        let replaced = |sha256: &String| {
            let at = batch.record.files.iter().position(|file| file.sha256 == *sha256);
            let rows = at.and_then(|_| record.files.first());
            let quarantine = batch.record.quarantine.as_ref().filter(|file| file.sha256 == *sha256);
            let quarantine = quarantine.and(record.quarantine.as_ref());
            (sha256.clone(), rows.or(quarantine).map(|file| file.sha256.clone()))
        };
        let files = gone.iter().map(replaced).collect();
        record.rewritten = Some(Rewritten { erasure: erasure.to_owned(), files, rows, rows_quarantined });
        Ok(Some(RewrittenBatch { record, version: batch.stream_version }))
    }

    fn rewrite_rows(&self, batch: &Batch, of: &RowsOf<'_>, record: &mut BatchRecord) -> Result<u64, Error> {
        let Some(read) = self.rows_of_batch(batch)? else { return Ok(0) };
        let own = of.rows(&read.table);
        if own.is_empty() {
            return Ok(0);
        }
        let schema = read.table.schema();
        let mut table = EntryTable::empty(schema.clone());
        for row in 0..read.table.len() {
            let value = |field: &spine::FieldDefinition| {
                let erased = own.contains(&row) && PERSONAL_FIELDS.contains(&field.name.as_str());
                if erased { None } else { read.table.value(row, &field.name) }
            };
            let values = schema.fields.iter().map(value).collect();
            table.push(values).map_err(|error| Error::internal("pool_row_unwritable", &error))?;
        }
        let metadata = EntriesMetadata {
            batch: record.batch.clone(),
            contract_sha256: record.contract.sha256.clone(),
            source_sha256: record.source.sha256.clone(),
        };
        let mends_lines = (!read.mends_lines.is_empty()).then_some(read.mends_lines.as_slice());
        let entries = NewEntries { table: &table, lines: &read.lines, mends_lines };
        record.files = vec![self.folder.write_entries(entries, &metadata, &Silent)?];
        for field in PERSONAL_FIELDS {
            let unknown = table
                .texts(field)
                .map(|column| (0..table.len()).filter(|row| column.get(*row).is_none()).count());
            if let (Some(own), Some(unknown)) = (record.unknown.get_mut(field), unknown) {
                *own = u64::try_from(unknown).unwrap_or(u64::MAX);
            }
        }
        Ok(u64::try_from(own.len()).unwrap_or(u64::MAX))
    }

    /// Rows of quarantine keep their line, so that what was mended stays mended, and lose their cells.
    fn rewrite_quarantine(
        &self,
        batch: &Batch,
        of: &RowsOf<'_>,
        record: &mut BatchRecord,
    ) -> Result<u64, Error> {
        let (columns, mut rows) = self.quarantined(batch)?;
        let mut own = 0_u64;
        for row in rows.iter_mut().filter(|row| of.names(row)) {
            own = own.saturating_add(1);
            row.cells.iter_mut().for_each(String::clear);
            for finding in &mut row.findings {
                finding.found.clear();
            }
        }
        if own > 0 {
            let written = NewQuarantine { columns: &columns, rows: &rows };
            record.quarantine = Some(self.folder.write_quarantine(written)?);
        }
        Ok(own)
    }

    /// Files that gave way to others in an erasure, whether they are gone by now or not.
    pub(crate) fn replaced_by(&self, erasure: &str) -> Result<Vec<String>, Error> {
        let batches = self.catalogue()?.batches(None, None, usize::MAX)?;
        let told = batches.into_iter().filter_map(|batch| batch.record.rewritten);
        let own = told.filter(|rewritten| rewritten.erasure == erasure);
        Ok(own.flat_map(|rewritten| rewritten.files).map(|(old, _)| old).collect())
    }

    /// Destroys files that no batch names any more.
    pub(crate) fn destroy(&self, files: &[String]) -> Result<(), Error> {
        files.iter().try_for_each(|sha256| Ok(self.folder.erase(sha256)?))
    }

    /// Forgets the catalogue and reads it from the journal again.
    pub(crate) fn read_again(&self) -> Result<(), Error> {
        self.catalogue()?.clear()?;
        drop(self.catalogue()?);
        Ok(())
    }
}
