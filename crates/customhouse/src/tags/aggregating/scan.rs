//! Entries on their way into a table of day buckets.

use ::pool::lanes::LaneValues;
use ::tags::FieldPart;
use ::tags::buckets::{Bits, BucketError, Builder, Entries, bits_of};
use ::tags::matcher::{self, Block, Matcher, Scratch};
use spine::{EntrySchema, FieldType, Finding};

use super::super::matching::lane;
use super::amounts;
use super::answers::Answers;
use super::groups::Counted;
use super::numbers::{self, Numbers};
use super::plan::{Needs, Plan};
use super::written::SEVERAL_RUNS;
use super::{AggregateReport, amounts::whole};

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;
/// Entries held in windows at most.
const HELD_MAX: usize = 1 << 30;
/// Threads at most.
const THREADS_MAX: usize = 256;

/// What is known so far.
pub(super) struct Scan {
    plan: Plan,
    by: FieldPart,
    date: FieldPart,
    day: i32,
    matcher: Matcher,
    workers: Vec<(Scratch, Bits)>,
    builder: Builder,
    entities: Numbers,
    /// Has the entity an entry before the day?
    known: Vec<bool>,
    /// By amount: digits behind the point, once an entry was seen.
    digits: Vec<Option<u8>>,
    codes: Vec<Numbers>,
    groupings: Vec<Counted>,
    pub(super) report: AggregateReport,
}

/// Rows of a part that go into the table, with their entities and days.
#[derive(Default)]
struct Kept {
    rows: Vec<usize>,
    entities: Vec<u32>,
    days: Vec<i32>,
}

impl Scan {
    pub(super) fn new(
        plan: Plan,
        (by, date): (FieldPart, String),
        day: i32,
        threads: usize,
    ) -> Result<Self, Finding> {
        let matcher = Matcher::new(&plan.formulas)
            .map_err(|error| Finding::error(error.code()).expected(error.to_string()).fix(SEVERAL_RUNS))?;
        let threads = threads.clamp(1, THREADS_MAX);
        Ok(Self {
            builder: Builder::new(plan.layout.clone(), 0, day).map_err(bucket)?,
            matcher,
            workers: std::iter::repeat_with(Default::default).take(threads).collect(),
            entities: Numbers::default(),
            known: Vec::new(),
            digits: plan.amounts.iter().map(|amount| amount.digits).collect(),
            codes: plan.codes.iter().map(|_| Numbers::default()).collect(),
            groupings: plan.groupings.iter().map(|own| Counted::new(&own.by)).collect(),
            report: AggregateReport { aggregates: plan.columns.len(), ..AggregateReport::default() },
            plan,
            by,
            date: FieldPart { field: date, prefix: None },
            day,
        })
    }

    /// All columns that are read.
    pub(super) fn columns(&self) -> Vec<String> {
        let parts = self.plan.groupings.iter().flat_map(|own| &own.by).chain(&self.plan.codes);
        let parts = parts.chain([&self.by, &self.date]).map(|part| part.field.clone());
        let amounts = self.plan.amounts.iter().map(|amount| amount.column.clone());
        let mut columns: Vec<String> = parts.chain(amounts).chain(self.plan.fields.iter().cloned()).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Takes some rows of a file, the first of which has this number there; answers how many there were.
    ///
    /// # Errors
    /// What cannot be held exactly, or is too much.
    pub(super) fn take(
        &mut self,
        schema: &EntrySchema,
        lanes: &[LaneValues],
        first_row: u64,
    ) -> Result<u64, Finding> {
        let lane_of = |name: &str| lanes.get(schema.position(name)?);
        let block = Block::new(schema, lanes.iter().map(lane).collect()).ok_or_else(|| {
            Finding::error("lanes_unequal").expected("columns of one length").fix("Write the file anew.")
        })?;
        let rows = u64::try_from(block.len()).unwrap_or(u64::MAX);
        let kept = self.kept(schema, &lane_of, block.len());
        if self.report.entries == 0 {
            self.matcher.plan_for(&block);
        }
        self.report.entries = self.report.entries.saturating_add(rows);
        if kept.rows.is_empty() {
            return Ok(rows);
        }
        let mut bits = self.bits(&block);
        let amounts = self.amounts(&lane_of, first_row)?;
        let codes: Vec<Vec<u32>> = (self.plan.codes.iter().zip(&mut self.codes))
            .map(|(part, numbers)| lane_of(&part.field).map(|own| numbers.of(own, part)).unwrap_or_default())
            .collect();
        for (condition, needs) in self.plan.needs.iter().enumerate() {
            match needs {
                Needs::Nothing => {}
                Needs::Amount(at) => unmark(&mut bits, condition, amounts.get(*at), &amounts::ABSENT),
                Needs::Code(at) => unmark(&mut bits, condition, codes.get(*at), &numbers::ABSENT),
            }
        }
        for (grouping, counted) in self.plan.groupings.iter().zip(&mut self.groupings) {
            let oldest =
                self.plan.layout.window(grouping.window).map(|days| self.day.saturating_sub_unsigned(days));
            let groups = counted.groups(|part| lane_of(&part.field));
            for ((row, entity), day) in kept.rows.iter().zip(&kept.entities).zip(&kept.days) {
                if Some(*day) >= oldest {
                    counted.add(*entity, groups.get(*row).copied().unwrap_or(numbers::ABSENT))?;
                }
            }
        }
        self.put(&kept, &bits, &amounts, &codes)?;
        Ok(rows)
    }

    /// Which rows are in some window; counts the others.
    fn kept<'a>(
        &mut self,
        schema: &EntrySchema,
        lane_of: &impl Fn(&str) -> Option<&'a LaneValues>,
        rows: usize,
    ) -> Kept {
        let entities = lane_of(&self.by.field).map(|own| self.entities.of(own, &self.by)).unwrap_or_default();
        let with_time =
            schema.field(&self.date.field).is_some_and(|own| own.field_type == FieldType::DateTime);
        let unit = if with_time { DAY_US } else { 1 };
        let days = match lane_of(&self.date.field) {
            Some(LaneValues::Whole { values, .. }) => values.as_slice(),
            _ => &[],
        };
        let day_of = |row: usize| {
            let value = days.get(row).copied().filter(|value| *value != matcher::ABSENT)?;
            i32::try_from(value.div_euclid(unit)).ok()
        };
        self.known.resize(usize::try_from(self.entities.count()).unwrap_or_default(), false);
        let oldest = self.day.saturating_sub_unsigned(self.plan.layout.longest());
        let (report, mut kept) = (&mut self.report, Kept::default());
        for row in 0..rows {
            let entity = entities.get(row).copied().unwrap_or(numbers::ABSENT);
            let day = day_of(row);
            let count = match day {
                _ if entity == numbers::ABSENT => &mut report.without_entity,
                None => &mut report.without_date,
                Some(day) if day >= self.day => &mut report.not_before,
                Some(day) => {
                    if let Some(known) = usize::try_from(entity).ok().and_then(|at| self.known.get_mut(at)) {
                        *known = true;
                    }
                    if day < oldest {
                        &mut report.too_old
                    } else {
                        kept.rows.push(row);
                        kept.entities.push(entity);
                        kept.days.push(day);
                        &mut report.in_windows
                    }
                }
            };
            *count = count.saturating_add(1);
        }
        kept
    }

    /// Which conditions each row fulfils, each thread an equal share of the rows.
    fn bits(&mut self, block: &Block<'_>) -> Vec<u64> {
        let (matcher, shares) = (&self.matcher, self.workers.len().max(1));
        std::thread::scope(|scope| {
            for (at, (scratch, found)) in self.workers.iter_mut().enumerate() {
                let share = |at: usize| block.len().saturating_mul(at) / shares;
                let rows = share(at)..share(at.saturating_add(1));
                let work = move || bits_of(matcher, block, rows, scratch, found);
                if shares == 1 {
                    work();
                } else {
                    scope.spawn(work);
                }
            }
        });
        self.workers.iter().flat_map(|(_, found)| found.bits()).copied().collect()
    }

    fn amounts<'a>(
        &mut self,
        lane_of: &impl Fn(&str) -> Option<&'a LaneValues>,
        first_row: u64,
    ) -> Result<Vec<Vec<i64>>, Finding> {
        let mut found = Vec::new();
        for (amount, digits) in self.plan.amounts.iter().zip(&mut self.digits) {
            let Some(own) = lane_of(&amount.column) else { continue };
            let digits = *digits.get_or_insert_with(|| amounts::usual_digits(own));
            found.push(whole(&amount.column, own, digits, first_row)?);
        }
        Ok(found)
    }

    /// Adds the rows that are kept to the table.
    fn put(
        &mut self,
        kept: &Kept,
        bits: &[u64],
        amounts: &[Vec<i64>],
        codes: &[Vec<u32>],
    ) -> Result<(), Finding> {
        let known = || self.plan.amounts.iter().zip(amounts);
        let of_sum = |value: i64| if value == amounts::ABSENT { 0 } else { value };
        let sums = known().filter(|(amount, _)| amount.sum);
        let sums = sums.map(|(_, lane)| gather(lane, &kept.rows).into_iter().map(of_sum).collect());
        let greatest = known().filter(|(amount, _)| amount.greatest);
        let greatest = greatest.map(|(_, lane)| gather(lane, &kept.rows));
        let amounts: Vec<Vec<i64>> = sums.chain(greatest).collect();
        let codes: Vec<Vec<u32>> = codes.iter().map(|lane| gather(lane, &kept.rows)).collect();
        self.builder.number(self.entities.count()).map_err(bucket)?;
        let entries = Entries {
            entities: &kept.entities,
            days: &kept.days,
            conditions: &gather(bits, &kept.rows),
            amounts: &amounts.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            codes: &codes.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        };
        self.builder.add(&entries).map_err(bucket)?;
        if self.builder.taken().held > HELD_MAX {
            return Err(Finding::error("entries_too_many")
                .expected(format!("at most {HELD_MAX} entries within the windows"))
                .fix("Take shorter windows, or divide the entities among several runs."));
        }
        Ok(())
    }

    /// Sorts what was taken and compares entities with their peers.
    ///
    /// # Errors
    /// Amounts whose sums could overflow, too many groups.
    pub(super) fn finish(mut self, by_type: FieldType) -> Result<(Answers, AggregateReport), Finding> {
        self.builder.number(self.entities.count()).map_err(bucket)?;
        let table = self.builder.finish().map_err(bucket)?;
        let groups = self.groupings.iter().map(|counted| counted.chosen(self.entities.count()));
        let groups = groups.collect::<Result<Vec<_>, _>>()?;
        let digits = self.digits.iter().map(|digits| digits.unwrap_or_default()).collect();
        let names = self.entities.names();
        let entities = self.known.iter().enumerate().filter(|(_, known)| **known);
        let mut entities: Vec<u32> = entities.filter_map(|(at, _)| u32::try_from(at).ok()).collect();
        entities.sort_by_key(|entity| usize::try_from(*entity).ok().and_then(|at| names.get(at)));
        self.report.entities = u64::try_from(entities.len()).unwrap_or(u64::MAX);
        let answers = Answers::new(self.plan, table, digits, groups, (entities, names, by_type))?;
        Ok((answers, self.report))
    }
}

/// A refusal of the table as a finding.
pub(super) fn bucket(error: BucketError) -> Finding {
    Finding::error(error.code()).expected(error.to_string()).fix(SEVERAL_RUNS)
}

/// Takes a condition from the rows where what it needs is absent.
fn unmark<T: PartialEq>(bits: &mut [u64], condition: usize, lane: Option<&Vec<T>>, absent: &T) {
    let bit = u32::try_from(condition).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or_default();
    for (own, value) in bits.iter_mut().zip(lane.into_iter().flatten()) {
        if value == absent {
            *own &= !bit;
        }
    }
}

fn gather<T: Copy + Default>(lane: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|row| lane.get(*row).copied().unwrap_or_default()).collect()
}
