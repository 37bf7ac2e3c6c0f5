//! What may be seen of the pool.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::sync::Arc;

use ::pool::{Batch, BatchState, EntriesReader, Quarantine, SourceContract, schema_of};
use formats::Mapping;
use spine::{EntryTable, Finding, Progress, Sensitivity, Silent};

use super::answers::{
    BatchDetail, BatchQuery, BatchSelection, BatchSummary, ColumnOfRows, ContractSummary, Lineage,
    QuarantinePage, QuarantineRow, RowOfBatch, RowsPage,
};
use super::model::{Entries, EntriesOfBatch, Pool, contract_unknown};
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// Rows or batches of one page at most.
pub const PAGE_ROWS_MAX: usize = 500;
/// Rows loaded into one table at most.
const ENTRIES_ROWS_MAX: u64 = 50_000_000;

fn length(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

fn index(row: u64) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

impl Pool {
    /// The one batch whose id begins so.
    pub(super) fn batch(&self, id: &str) -> Result<Batch, Error> {
        let mut found = self.catalogue()?.batches_beginning(id)?.into_iter().filter(|_| !id.is_empty());
        match (found.next(), found.next()) {
            (Some(batch), None) => Ok(batch),
            (None, _) => Err(Error::new(
                Kind::NotFound,
                "batch_unknown",
                format!("there is no batch whose id begins with \"{id}\""),
                "Look at the list of batches.",
            )),
            (Some(_), Some(_)) => Err(Error::new(
                Kind::Invalid,
                "batch_ambiguous",
                format!("several batches begin with \"{id}\""),
                "Write more of the id.",
            )),
        }
    }

    fn summary(&self, batch: &Batch) -> Result<BatchSummary, Error> {
        let record = &batch.record;
        let mends = self.catalogue()?.mends_of(&record.batch)?;
        Ok(BatchSummary {
            id: record.batch.clone(),
            state: batch.state,
            recorded_at: batch.recorded_at,
            actor: batch.actor.clone(),
            position: batch.position,
            contract: record.contract.name.clone(),
            source_name: record.source.name.clone(),
            source_sha256: record.source.sha256.clone(),
            source_bytes: record.source.bytes,
            rows_read: record.rows_read,
            rows: record.rows,
            rows_quarantined: record.rows_quarantined,
            rows_mended: mends.iter().map(|mend| mend.record.rows).sum(),
            rows_simulated: record.rows_simulated,
            bytes: record.files.iter().chain(&record.quarantine).map(|file| file.bytes).sum(),
            first_date: record.first_date,
            last_date: record.last_date,
            mends: record.mends.clone(),
        })
    }

    pub(super) fn detail(&self, batch: &Batch, clearance: Sensitivity) -> Result<BatchDetail, Error> {
        let record = &batch.record;
        let contracts = self.contracts_of(batch)?;
        let mends = self.catalogue()?.mends_of(&record.batch)?;
        let mut findings = record.findings.clone();
        for group in &mut findings {
            if class_of_column(&contracts, &record.mapping, &group.column) > clearance {
                group.examples.clear();
            }
        }
        Ok(BatchDetail {
            summary: self.summary(batch)?,
            contract_sha256: record.contract.sha256.clone(),
            source_kept: record.source.kept,
            outcomes: record.outcomes.clone(),
            verdict: record.verdict.clone(),
            findings,
            finding_groups_left_out: record.finding_groups_left_out,
            unknown: record.unknown.clone(),
            unused_columns: record.unused_columns.clone(),
            mapping: record.mapping.clone(),
            files: record.files.clone(),
            quarantine: record.quarantine.clone(),
            mended_by: mends.into_iter().map(|mend| mend.record.batch).collect(),
        })
    }

    /// The contract a batch came in under, and the one of its name in force now: the more secret class of a field
    /// counts.
    fn contracts_of(&self, batch: &Batch) -> Result<Vec<SourceContract>, Error> {
        let reference = &batch.record.contract;
        let now = self.contract(&reference.name)?;
        let then = self.catalogue()?.contract_with(&reference.sha256)?;
        Ok(then.map(|declared| declared.declared.contract).into_iter().chain([now]).collect())
    }

    /// The most secret class that a field has in any contract under which rows came in.
    pub(crate) fn class_of(&self, field: &str) -> Result<Sensitivity, Error> {
        let (mut by_contract, mut before) = (BTreeMap::new(), None);
        loop {
            let page = self.catalogue()?.batches(before, Some(BatchState::Admitted), PAGE_ROWS_MAX)?;
            let Some(last) = page.last() else { break };
            before = Some(last.position);
            by_contract.extend(page.into_iter().map(|batch| (batch.record.contract.sha256.clone(), batch)));
        }
        let classes = by_contract.values().map(|batch| Ok(class_of_field(&self.contracts_of(batch)?, field)));
        Ok(classes.collect::<Result<Vec<_>, Error>>()?.into_iter().max().unwrap_or_default())
    }

    /// Lines of a batch's quarantine that later batches mended.
    pub(super) fn mended_lines(&self, batch: &str) -> Result<HashSet<u64>, Error> {
        let mends = self.catalogue()?.mends_of(batch)?;
        let mut lines = HashSet::new();
        for mend in mends {
            let schema = self.schema_of(&mend)?;
            let mut reader = EntriesReader::of_fields(&schema, |_| false);
            for file in &mend.record.files {
                self.folder.read_entries(&file.sha256, None, &mut reader)?;
            }
            lines.extend(reader.finish().mends_lines);
        }
        Ok(lines)
    }

    fn schema_of(&self, batch: &Batch) -> Result<Arc<spine::EntrySchema>, Error> {
        let id = &batch.record.schema.id;
        schema_of(id).ok_or_else(|| {
            Error::new(
                Kind::FolderUnusable,
                "schema_unknown",
                format!("the batch {} has entries of the schema {id}", batch.record.batch),
                "Run the newer version of tidewaiter that admitted it.",
            )
        })
    }

    /// The rows of a batch that could not be used, and the positions of those that nothing mended yet.
    fn quarantine(&self, batch: &Batch) -> Result<Option<(Quarantine, Vec<usize>)>, Error> {
        let Some(file) = &batch.record.quarantine else { return Ok(None) };
        let quarantine = self.folder.read_quarantine(&file.sha256)?;
        let remaining = quarantine.remaining(&self.mended_lines(&batch.record.batch)?);
        Ok(Some((quarantine, remaining)))
    }
}

/// Class of a field: the most secret that schema and contracts give it; sealed where nobody knows it.
fn class_of_field(contracts: &[SourceContract], field: &str) -> Sensitivity {
    contracts
        .iter()
        .flat_map(|contract| &contract.fields)
        .filter(|known| known.name == field)
        .map(|known| known.sensitivity)
        .max()
        .unwrap_or_default()
}

/// Class of a source's column: that of the fields it fills; findings about whole rows and files show no cell of a
/// field that officials may not see.
fn class_of_column(contracts: &[SourceContract], mapping: &Mapping, column: &str) -> Sensitivity {
    if column.is_empty() {
        return Sensitivity::Official;
    }
    let fields = mapping.fields.iter().filter(|(_, field)| field.column.as_deref() == Some(column));
    fields.map(|(name, _)| class_of_field(contracts, name)).max().unwrap_or_default()
}

impl Customhouse {
    /// The contracts in force.
    pub fn list_contracts(&self, reader: &Reader) -> Result<Vec<ContractSummary>, Error> {
        reader.require(Permission::ViewPool)?;
        let mut contracts: Vec<ContractSummary> = self
            .pool
            .catalogue()?
            .contracts()?
            .into_iter()
            .map(|declared| ContractSummary {
                revision: declared.revision,
                declared_at: Some(declared.declared_at),
                actor: Some(declared.actor),
                sha256: declared.declared.sha256,
                contract: declared.declared.contract,
            })
            .collect();
        if !contracts.iter().any(|known| known.contract.name == SourceContract::DECLARATIONS) {
            let contract = SourceContract::declarations();
            let sha256 = contract.sha256();
            contracts
                .insert(0, ContractSummary { revision: 0, declared_at: None, actor: None, sha256, contract });
        }
        Ok(contracts)
    }

    /// The contract in force under this name.
    pub fn find_contract(&self, reader: &Reader, name: &str) -> Result<ContractSummary, Error> {
        let found = self.list_contracts(reader)?.into_iter().find(|known| known.contract.name == name);
        found.ok_or_else(|| contract_unknown(name))
    }

    /// Batches, the latest first.
    pub fn list_batches(&self, reader: &Reader, query: &BatchQuery) -> Result<Vec<BatchSummary>, Error> {
        reader.require(Permission::ViewPool)?;
        let limit = if query.limit == 0 { PAGE_ROWS_MAX } else { query.limit.min(PAGE_ROWS_MAX) };
        let batches = self.pool.catalogue()?.batches(query.before, query.state, limit)?;
        batches.iter().map(|batch| self.pool.summary(batch)).collect()
    }

    /// One batch, by its id or the beginning of it.
    pub fn find_batch(&self, reader: &Reader, id: &str) -> Result<BatchDetail, Error> {
        reader.require(Permission::ViewPool)?;
        let batch = self.pool.batch(id)?;
        self.pool.detail(&batch, reader.clearance())
    }

    /// A page of admitted rows, as far as the reader's clearance goes.
    pub fn rows_page(
        &self,
        reader: &Reader,
        batch: &str,
        offset: u64,
        limit: usize,
    ) -> Result<RowsPage, Error> {
        reader.require(Permission::ViewPool)?;
        let batch = self.pool.batch(batch)?;
        let schema = self.pool.schema_of(&batch)?;
        let contracts = self.pool.contracts_of(&batch)?;
        let seen = |field: &str| class_of_field(&contracts, field) <= reader.clearance();
        let mut entries = EntriesReader::of_fields(&schema, seen);
        let end = offset.saturating_add(length(limit.min(PAGE_ROWS_MAX)));
        let files = self.pool.catalogue()?.files(&batch.record.batch)?;
        for file in files {
            let from = offset.max(file.first_row).saturating_sub(file.first_row);
            let to = end.saturating_sub(file.first_row).min(file.rows);
            if from < to {
                self.pool.folder.read_entries(&file.sha256, Some(index(from)..index(to)), &mut entries)?;
            }
        }
        let entries = entries.finish();
        let filled: Vec<&spine::FieldDefinition> = schema
            .fields
            .iter()
            .filter(|field| {
                (0..entries.table.len()).any(|row| entries.table.value(row, &field.name).is_some())
            })
            .collect();
        Ok(RowsPage {
            withheld: schema
                .fields
                .iter()
                .map(|field| field.name.clone())
                .filter(|name| !seen(name))
                .filter(|name| batch.record.unknown.get(name).is_some_and(|rows| *rows < batch.record.rows))
                .collect(),
            columns: filled
                .iter()
                .map(|field| ColumnOfRows {
                    name: field.name.clone(),
                    title: field.title.clone(),
                    field_type: field.field_type,
                    unit: field.unit.clone(),
                })
                .collect(),
            rows: rows_of(&entries.table, &entries.lines, &filled, offset),
            rows_total: batch.record.rows,
            batch: batch.record.batch,
        })
    }

    /// A page of rows that could not be used, as far as the reader's clearance goes.
    pub fn quarantine_page(
        &self,
        reader: &Reader,
        batch: &str,
        offset: u64,
        limit: usize,
    ) -> Result<QuarantinePage, Error> {
        reader.require(Permission::ViewPool)?;
        let batch = self.pool.batch(batch)?;
        let clearance = reader.clearance();
        let mut page = QuarantinePage {
            batch: batch.record.batch.clone(),
            columns: Vec::new(),
            withheld: Vec::new(),
            rows: Vec::new(),
            rows_total: 0,
        };
        let Some((quarantine, remaining)) = self.pool.quarantine(&batch)? else { return Ok(page) };
        page.rows_total = length(remaining.len());
        let columns = quarantine.columns();
        let shown = |at: usize| columns.get(at).is_some_and(|column| column.sensitivity <= clearance);
        let secret: HashSet<&str> = columns
            .iter()
            .filter(|column| column.sensitivity > clearance)
            .map(|column| column.header.as_str())
            .collect();
        page.columns = visible(columns.iter().map(|column| &column.header), shown);
        page.withheld =
            secret.iter().filter(|name| !name.is_empty()).map(|name| (*name).to_owned()).collect();
        page.withheld.sort_unstable();
        let positions: Vec<usize> =
            remaining.into_iter().skip(index(offset)).take(limit.min(PAGE_ROWS_MAX)).collect();
        for row in quarantine.page(&positions)? {
            let findings = row.findings.into_iter().map(|finding| redact(finding, &secret)).collect();
            page.rows.push(QuarantineRow {
                line: row.line,
                cells: visible(row.cells.iter(), shown),
                findings,
            });
        }
        Ok(page)
    }

    /// Writes what is still in a batch's quarantine as CSV, with the reasons, to be mended and sent again.
    pub fn export_quarantine(&self, reader: &Reader, batch: &str, out: &mut dyn Write) -> Result<u64, Error> {
        reader.require(Permission::AdmitRecords)?;
        let batch = self.pool.batch(batch)?;
        let Some((quarantine, remaining)) = self.pool.quarantine(&batch)? else {
            return Err(Error::new(
                Kind::NotFound,
                "quarantine_empty",
                format!("the batch {} has no rows in quarantine of its own", batch.record.batch),
                "Look at the batch: it has no rows to mend, or it mends another one, whose quarantine to export.",
            ));
        };
        let withheld = quarantine.withheld(reader.clearance());
        if let Some(most) = withheld.iter().map(|column| column.sensitivity).max() {
            let names: Vec<&str> = withheld.iter().map(|column| column.header.as_str()).collect();
            return Err(Error::new(
                Kind::Forbidden,
                "export_above_clearance",
                format!(
                    "the columns {} are {}, and an export without them would lose cells",
                    names.join(", "),
                    most.name()
                ),
                "Ask someone whose role reads these columns to mend the rows.",
            ));
        }
        Ok(quarantine.export(&remaining, reader.clearance(), out)?)
    }

    /// Where a row of a batch came from.
    pub fn lineage(&self, reader: &Reader, batch: &str, row: u64) -> Result<Lineage, Error> {
        reader.require(Permission::ViewPool)?;
        let batch = self.pool.batch(batch)?;
        let record = &batch.record;
        let file = self.pool.catalogue()?.file_of_row(&record.batch, row)?.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "row_unknown",
                format!("the batch {} has {} rows, and no row {row}", record.batch, record.rows),
                "Rows count from 0.",
            )
        })?;
        let file_row = row.saturating_sub(file.first_row);
        let schema = self.pool.schema_of(&batch)?;
        let mut entries = EntriesReader::of_fields(&schema, |_| false);
        let one = index(file_row)..index(file_row).saturating_add(1);
        self.pool.folder.read_entries(&file.sha256, Some(one), &mut entries)?;
        let entries = entries.finish();
        Ok(Lineage {
            batch: record.batch.clone(),
            row,
            source_name: record.source.name.clone(),
            source_sha256: record.source.sha256.clone(),
            source_kept: record.source.kept,
            line: entries.lines.first().copied().unwrap_or_default(),
            mends: record.mends.clone().zip(entries.mends_lines.first().copied()),
            file_sha256: file.sha256,
            file_row,
            contract: record.contract.name.clone(),
            contract_sha256: record.contract.sha256.clone(),
            admitted_at: batch.recorded_at,
            actor: batch.actor.clone(),
            position: batch.position,
        })
    }

    /// Loads whole batches as one table, with every field whatever the reader's clearance: for engines.
    pub(crate) fn load_entries(
        &self,
        reader: &Reader,
        selection: &BatchSelection,
        progress: &dyn Progress,
    ) -> Result<Entries, Error> {
        reader.require(Permission::ViewPool)?;
        let batches = self.selected(selection)?;
        let total: u64 = batches.iter().map(|batch| batch.record.rows).sum();
        if total > ENTRIES_ROWS_MAX {
            return Err(Error::new(
                Kind::Refused,
                "too_many_rows",
                format!("these batches have {total} rows; at most {ENTRIES_ROWS_MAX} are loaded at once"),
                "Choose fewer batches.",
            ));
        }
        self.pool.load(&batches, progress)
    }

    fn selected(&self, selection: &BatchSelection) -> Result<Vec<Batch>, Error> {
        let mut batches = match selection {
            BatchSelection::All => {
                self.pool.catalogue()?.batches(None, Some(BatchState::Admitted), usize::MAX)?
            }
            BatchSelection::These(ids) => {
                ids.iter().map(|id| self.pool.batch(id)).collect::<Result<Vec<Batch>, Error>>()?
            }
        };
        batches.retain(|batch| batch.state == BatchState::Admitted);
        batches.sort_by_key(|batch| batch.position);
        batches.dedup_by_key(|batch| batch.position);
        Ok(batches)
    }
}

impl Pool {
    /// Whole batches as one table, with every field: for engines.
    fn load(&self, batches: &[Batch], progress: &dyn Progress) -> Result<Entries, Error> {
        let total: u64 = batches.iter().map(|batch| batch.record.rows).sum();
        let mut reader = EntriesReader::new(&spine::declaration_entry::schema());
        let mut origins = Vec::new();
        let mut first_row: usize = 0;
        for batch in batches {
            for file in &batch.record.files {
                progress.report("loading", length(first_row), total);
                if progress.cancelled() {
                    return Err(Error::cancelled());
                }
                self.folder.read_entries(&file.sha256, None, &mut reader)?;
            }
            let rows = index(batch.record.rows);
            origins.push(EntriesOfBatch { batch: batch.record.batch.clone(), first_row, rows });
            first_row = first_row.saturating_add(rows);
        }
        progress.report("loading", total, total);
        Ok(Entries {
            table: reader.finish().table,
            batches: origins,
            rows_simulated: batches.iter().map(|batch| batch.record.rows_simulated).sum(),
            position: batches.iter().map(|batch| batch.position).max().unwrap_or(0),
        })
    }

    /// All rows of a batch, if the event at `position` is the latest that speaks of it: for read models and engines.
    pub(crate) fn table_if_latest(&self, batch: &str, position: u64) -> Result<Option<EntryTable>, Error> {
        let is_latest = self.catalogue()?.batch(batch)?.is_some_and(|batch| batch.position == position);
        if is_latest { self.table(batch) } else { Ok(None) }
    }

    /// All rows of a batch with what is known of them today; `None` if there is no such batch.
    pub(crate) fn table(&self, batch: &str) -> Result<Option<EntryTable>, Error> {
        let Some(batch) = self.catalogue()?.batch(batch)? else { return Ok(None) };
        Ok(Some(self.load(std::slice::from_ref(&batch), &Silent)?.table))
    }
}

fn rows_of(
    table: &EntryTable,
    lines: &[u64],
    columns: &[&spine::FieldDefinition],
    offset: u64,
) -> Vec<RowOfBatch> {
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| RowOfBatch {
            row: offset.saturating_add(length(at)),
            line: *line,
            values: columns
                .iter()
                .map(|column| table.value(at, &column.name).map(|value| value.to_string()))
                .collect(),
        })
        .collect()
}

fn visible<'a>(cells: impl Iterator<Item = &'a String>, shown: impl Fn(usize) -> bool) -> Vec<String> {
    cells.enumerate().filter(|(at, _)| shown(*at)).map(|(_, cell)| cell.clone()).collect()
}

/// A finding without the value, where the value stands in a column that is not shown.
fn redact(mut finding: Finding, secret: &HashSet<&str>) -> Finding {
    if finding.pointer.0.split_once('/').is_some_and(|(_, column)| secret.contains(column)) {
        finding.found = String::new();
    }
    finding
}
