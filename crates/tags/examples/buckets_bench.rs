//! Window aggregates in one pass and after changes: `cargo run --release -p tags --example buckets_bench FOLDER DAY RUNS`,
//! JSON on standard output. `FOLDER` holds columns as `xtask/peers/tags/aggregates.py FOLDER columns` writes them; what
//! is computed is told there, and other engines compute the same.
//!
//! Processor seconds of the process, the median of so many runs. Everything counts from the columns to the tags' counts;
//! loading the columns does not.
#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "a command line tool")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::ops::Range;
use std::path::Path;

use rules::{Formula, Lists};
use spine::{EntrySchema, FieldDefinition, FieldType, LocalizedText, Sensitivity};
use tags::buckets::{
    Bits, Builder, Change, Different, Entries, Feature, GroupBy, Layout, Peers, Questions, Reading, Sink,
    Table, bits_of,
};
use tags::matcher::{Block, Lane, Matcher, Scratch};

type Outcome<T> = Result<T, Box<dyn Error>>;

const COLUMNS: [&str; 15] = [
    "second",
    "enterprise",
    "value",
    "mass",
    "unit_value",
    "commodity_code",
    "origin",
    "port",
    "vehicle",
    "new_trader",
    "transit",
    "channel",
    "hour",
    "mode",
    "procedure",
];
const PACKAGES: usize = 15;
const CONDITIONS: [&str; 12] = [
    "true",
    "new_trader == 1",
    "transit == 1",
    "channel >= 1",
    "value >= 1000000",
    "unit_value <= 100",
    "commodity_code >= 840000 && commodity_code < 860000",
    "origin == 3",
    "hour < 6",
    "mode == 2",
    "procedure == 4",
    "packages >= 500",
];
const WINDOWS: [u32; 3] = [7, 30, 90];
const DIFFERENT: [&str; 4] = ["commodity_code", "origin", "port", "vehicle"];
const BLOCK: usize = 16 * 1024;
const DAY_S: i64 = 86_400;
const DAY_S_32: u32 = 86_400;
const WEIGHTS: u32 = 251;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("FOLDER DAY RUNS")?;
    let day: i32 = arguments.next().ok_or("FOLDER DAY RUNS")?.parse()?;
    let runs: usize = arguments.next().ok_or("FOLDER DAY RUNS")?.parse()?;
    let entries = Columns::read(Path::new(&folder))?;
    let hundredth = entries.rows / 100;
    let mut figures: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut checksums = Vec::new();
    for _ in 0..runs {
        let mut note = |name, seconds| figures.entry(name).or_default().push(seconds);
        // In one pass, conditions evaluated in loops and by the matcher.
        let started = processor_s()?;
        let (table, tags) = built(&entries, 0..entries.rows, day, None, &mut By::Loops)?;
        checksums.push(("batch", tags.checksum()));
        note("batch_cpu_s", processor_s()? - started);
        checksums.push(("aggregates", mixed(&table)));
        let stages = stages(&entries, day)?;
        note("batch_reading_rows_cpu_s", stages[0]);
        note("batch_sorting_cpu_s", stages[1]);
        note("batch_answers_cpu_s", stages[2]);
        drop((table, tags));
        let mut matcher = By::matcher()?;
        let started = processor_s()?;
        let (_, tags) = built(&entries, 0..entries.rows, day, None, &mut matcher)?;
        checksums.push(("matcher", tags.checksum()));
        note("batch_by_matcher_cpu_s", processor_s()? - started);
        drop(tags);

        // The last hundredth comes, and the day moves on to its end.
        let known = entries.rows - hundredth;
        let earlier = i32::try_from(entries.lanes[0][known] / DAY_S)?;
        let (mut table, mut tags) = built(&entries, 0..known, earlier, None, &mut By::Loops)?;
        let started = processor_s()?;
        let touched = changed(&mut table, &mut tags, &entries, None, known..entries.rows, day)?;
        checksums.push(("after the last hundredth", tags.checksum()));
        note("refresh_cpu_s", processor_s()? - started);
        note("refresh_entities", number(touched));
        checksums.push(("aggregates", mixed(&table)));
        drop((table, tags));

        late_and_wrong(&entries, day, &mut note, &mut checksums)?;

        // Ten hundredths, one after the other: with what it costs to make one run of two.
        let first = entries.rows - 10 * hundredth;
        let (mut table, mut tags) = built(&entries, 0..first, day - 40, None, &mut By::Loops)?;
        let started = processor_s()?;
        for step in 0..10 {
            let rows = first + step * hundredth..first + (step + 1) * hundredth;
            let ends = day - 36 + 4 * i32::try_from(step)?;
            changed(&mut table, &mut tags, &entries, None, rows, ends)?;
            tags.checksum();
        }
        note("one_of_ten_cpu_s", (processor_s()? - started) / 10.0);
        checksums.push(("after ten hundredths", tags.checksum()));
        checksums.push(("aggregates", mixed(&table)));
    }
    print(&figures, &checksums)
}

/// A hundredth of all days comes late; then a hundredth is put right.
fn late_and_wrong(
    entries: &Columns,
    day: i32,
    note: &mut impl FnMut(&'static str, f64),
    checksums: &mut Vec<(&'static str, u64)>,
) -> Outcome<()> {
    let late = |row: usize| row % 100 == 37;
    let (mut table, mut tags) =
        built(entries, 0..entries.rows, day, Some(&|row| !late(row)), &mut By::Loops)?;
    let rows: Vec<usize> = (0..entries.rows).filter(|row| late(*row)).collect();
    let those = entries.only(&rows);
    let started = processor_s()?;
    let touched = changed(&mut table, &mut tags, &those, None, 0..those.rows, day)?;
    checksums.push(("after a late hundredth", tags.checksum()));
    note("late_cpu_s", processor_s()? - started);
    note("late_entities", number(touched));
    checksums.push(("aggregates", mixed(&table)));

    // A hundredth is put right.
    let wrong = those.with_wrong_values();
    changed(&mut table, &mut tags, &wrong, Some(&those), 0..those.rows, day)?;
    let started = processor_s()?;
    changed(&mut table, &mut tags, &those, Some(&wrong), 0..those.rows, day)?;
    checksums.push(("after corrections", tags.checksum()));
    note("corrections_cpu_s", processor_s()? - started);
    Ok(())
}

/// One sum for the tags, one for the aggregates; an error where they are not the same after every kind of work.
fn print(figures: &BTreeMap<&str, Vec<f64>>, checksums: &[(&str, u64)]) -> Outcome<()> {
    let of = |wanted: bool| {
        let mut found = checksums.iter().filter(move |(name, _)| (*name == "aggregates") == wanted);
        let first = found.next().map(|(_, sum)| *sum).unwrap_or_default();
        found
            .find(|(_, sum)| *sum != first)
            .map_or(Ok(first), |(name, _)| Err(format!("{name}: another checksum")))
    };
    let mut written: Vec<String> = figures
        .iter()
        .map(|(name, values)| {
            let mut values = values.clone();
            values.sort_by(f64::total_cmp);
            format!("\"{name}\": {:.6}", values[(values.len() - 1) / 2])
        })
        .collect();
    written.push(format!("\"checksum\": \"{:016x}\"", of(false)?));
    written.push(format!("\"aggregates\": \"{:016x}\"", of(true)?));
    println!("{{\"simulated\": true, {}}}", written.join(", "));
    Ok(())
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

/// Processor time of all threads.
fn processor_s() -> Outcome<f64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(std::time::Duration::new(time.tv_sec.try_into()?, time.tv_nsec.try_into()?).as_secs_f64())
}

/// Entries in columns, in the order of [`COLUMNS`] with packages behind them.
struct Columns {
    lanes: Vec<Vec<i64>>,
    rows: usize,
}

impl Columns {
    fn read(folder: &Path) -> Outcome<Self> {
        let read = |name: &&str| -> Outcome<Vec<i64>> {
            let bytes = fs::read(folder.join(format!("{name}.i64")))?;
            Ok(bytes.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
        };
        let lanes = COLUMNS.iter().chain(&["packages"]).map(read).collect::<Outcome<Vec<_>>>()?;
        let rows = lanes[0].len();
        Ok(Self { lanes, rows })
    }

    fn only(&self, rows: &[usize]) -> Self {
        let lanes = self.lanes.iter().map(|lane| rows.iter().map(|row| lane[*row]).collect()).collect();
        Self { lanes, rows: rows.len() }
    }

    /// The same entries with other values and codes.
    fn with_wrong_values(&self) -> Self {
        let mut wrong = self.only(&(0..self.rows).collect::<Vec<_>>());
        for (at, by) in [(2, 1_000_003), (3, 17), (4, 900), (7, 1)] {
            wrong.lanes[at].iter_mut().for_each(|value| *value += by);
        }
        wrong
    }
}

/// How conditions are evaluated.
enum By {
    Loops,
    Matcher(Box<(EntrySchema, Matcher, Scratch, Bits)>),
}

impl By {
    fn matcher() -> Outcome<Self> {
        let field = |name: &&str| FieldDefinition {
            name: (*name).to_owned(),
            field_type: FieldType::Decimal,
            unit: None,
            sensitivity: Sensitivity::Official,
            required: false,
            title: LocalizedText::en_zh(name, name),
        };
        let fields = COLUMNS.iter().chain(&["packages"]).map(field).collect();
        let schema = EntrySchema { id: "bench".into(), version: 1, fields };
        let formula = |text: &&str| -> Outcome<Formula> {
            let expression = rules::parse(text).map_err(|error| error.render(text))?;
            let rule = rules::compile_entry_rule(&expression, &schema, &Lists::default());
            Ok(rule.map_err(|error| format!("{error:?}"))?.formula())
        };
        let formulas = CONDITIONS.iter().map(formula).collect::<Outcome<Vec<_>>>()?;
        Ok(Self::Matcher(Box::new((schema, Matcher::new(&formulas)?, Scratch::default(), Bits::default()))))
    }

    /// Bits of the entries in some rows.
    fn bits(&mut self, lanes: &[Vec<i64>], rows: Range<usize>, out: &mut Vec<u64>) -> Outcome<()> {
        out.clear();
        match self {
            Self::Loops => {
                out.resize(rows.len(), 1);
                let lane = |at: usize| &lanes[at][rows.clone()];
                mark(out, 1, lane(9), |value| value == 1);
                mark(out, 2, lane(10), |value| value == 1);
                mark(out, 3, lane(11), |value| value >= 1);
                mark(out, 4, lane(2), |value| value >= 1_000_000);
                mark(out, 5, lane(4), |value| value <= 100);
                mark(out, 6, lane(5), |value| (840_000..860_000).contains(&value));
                mark(out, 7, lane(6), |value| value == 3);
                mark(out, 8, lane(12), |value| value < 6);
                mark(out, 9, lane(13), |value| value == 2);
                mark(out, 10, lane(14), |value| value == 4);
                mark(out, 11, lane(PACKAGES), |value| value >= 500);
            }
            Self::Matcher(own) => {
                let (schema, matcher, scratch, found) = &mut **own;
                let lanes = lanes.iter().map(|lane| Lane::Whole { values: &lane[rows.clone()], scale: 0 });
                let block = Block::new(schema, lanes.collect()).ok_or("lanes")?;
                bits_of(matcher, &block, 0..rows.len(), scratch, found);
                out.extend_from_slice(found.bits());
            }
        }
        Ok(())
    }
}

fn mark(out: &mut [u64], bit: u32, lane: &[i64], holds: impl Fn(i64) -> bool) {
    for (bits, value) in out.iter_mut().zip(lane) {
        *bits |= u64::from(holds(*value)) << bit;
    }
}

/// Lanes of one block, as a table takes them.
#[derive(Default)]
struct Lanes {
    entities: Vec<u32>,
    days: Vec<i32>,
    bits: Vec<u64>,
    chapters: Vec<i64>,
    codes: [Vec<u32>; 4],
}

impl Lanes {
    fn fill(&mut self, columns: &Columns, rows: Range<usize>, by: &mut By) -> Outcome<()> {
        by.bits(&columns.lanes, rows.clone(), &mut self.bits)?;
        let lane = |at: usize| columns.lanes[at][rows.clone()].iter();
        // All columns are whole numbers below 2^31.
        let narrow = |value: &i64| u32::try_from(value.cast_unsigned() & 0xFFFF_FFFF).unwrap_or_default();
        refill(&mut self.days, lane(0).map(|second| (narrow(second) / DAY_S_32).cast_signed()));
        refill(&mut self.entities, lane(1).map(narrow));
        refill(&mut self.chapters, lane(5).map(|code| i64::from(narrow(code) / 10_000)));
        for (codes, at) in self.codes.iter_mut().zip(5..) {
            refill(codes, lane(at).map(narrow));
        }
        Ok(())
    }

    fn with<T>(&self, columns: &Columns, rows: Range<usize>, then: impl FnOnce(&Entries<'_>) -> T) -> T {
        let lane = |at: usize| &columns.lanes[at][rows.clone()];
        let amounts = [lane(2), lane(3), lane(4), self.chapters.as_slice()];
        let codes: [&[u32]; 4] = std::array::from_fn(|at| self.codes[at].as_slice());
        let (entities, days, conditions) = (&self.entities, &self.days, &self.bits);
        then(&Entries { entities, days, conditions, amounts: &amounts, codes: &codes })
    }
}

fn refill<T>(lane: &mut Vec<T>, values: impl Iterator<Item = T>) {
    lane.clear();
    lane.extend(values);
}

fn layout() -> Outcome<Layout> {
    let different = (0..DIFFERENT.len()).map(|code| Different { code, condition: 0, window: 2 }).collect();
    Ok(Layout::new(Questions {
        windows: WINDOWS.to_vec(),
        conditions: CONDITIONS.len(),
        sums: 2,
        greatest: 2,
        last_day: false,
        codes: DIFFERENT.len(),
        different,
        keep_codes_from: None,
    })?)
}

fn staged(
    columns: &Columns,
    rows: Range<usize>,
    day: i32,
    wanted: Option<&dyn Fn(usize) -> bool>,
    by: &mut By,
) -> Outcome<Builder> {
    let mut builder = Builder::new(layout()?, 1_000_000, day)?;
    let mut lanes = Lanes::default();
    let window = i64::from(day - 90) * DAY_S..i64::from(day) * DAY_S;
    for first in rows.clone().step_by(BLOCK) {
        let block = first..rows.end.min(first + BLOCK);
        // Blocks without an entry in the longest window need no conditions.
        if !columns.lanes[0][block.clone()].iter().any(|second| window.contains(second)) {
            continue;
        }
        match wanted {
            None => {
                lanes.fill(columns, block.clone(), by)?;
                lanes.with(columns, block, |entries| builder.add(entries))?;
            }
            Some(wanted) => {
                let some: Vec<usize> = block.filter(|row| wanted(*row)).collect();
                let part = columns.only(&some);
                lanes.fill(&part, 0..part.rows, by)?;
                lanes.with(&part, 0..part.rows, |entries| builder.add(entries))?;
            }
        }
    }
    Ok(builder)
}

fn built(
    columns: &Columns,
    rows: Range<usize>,
    day: i32,
    wanted: Option<&dyn Fn(usize) -> bool>,
    by: &mut By,
) -> Outcome<(Table, Tags)> {
    let table = staged(columns, rows, day, wanted, by)?.finish()?;
    let mut tags = Tags::new()?;
    table.each(|entity, reading| tags.after(entity, reading));
    Ok((table, tags))
}

/// What rows, sorting and answers cost.
fn stages(columns: &Columns, day: i32) -> Outcome<[f64; 3]> {
    let started = processor_s()?;
    let builder = staged(columns, 0..columns.rows, day, None, &mut By::Loops)?;
    let rows = processor_s()?;
    let table = builder.finish()?;
    let sorted = processor_s()?;
    let mut tags = Tags::new()?;
    table.each(|entity, reading| tags.after(entity, reading));
    tags.checksum();
    Ok([rows - started, sorted - rows, processor_s()? - sorted])
}

/// Entities that were read again.
fn changed(
    table: &mut Table,
    tags: &mut Tags,
    columns: &Columns,
    before: Option<&Columns>,
    rows: Range<usize>,
    day: i32,
) -> Outcome<usize> {
    let (mut new, mut old) = (Lanes::default(), Lanes::default());
    new.fill(columns, rows.clone(), &mut By::Loops)?;
    if let Some(before) = before {
        old.fill(before, rows.clone(), &mut By::Loops)?;
    }
    let refreshed = new.with(columns, rows.clone(), |put| match before {
        Some(before) => {
            old.with(before, rows.clone(), |out| table.change(day, &Change { out: *out, put: *put }, tags))
        }
        None => table.change(day, &Change { put: *put, ..Change::default() }, tags),
    })?;
    Ok(refreshed.entities)
}

/// How many enterprises carry each of 159 tags.
struct Tags {
    /// Entries, value, mass: by window and condition.
    counts: [[[u64; 12]; 3]; 3],
    shares: [u64; 12],
    different: [u64; 4],
    peers: Peers,
}

impl Tags {
    fn new() -> Outcome<Self> {
        let by = GroupBy { window: 2, condition: 0, greatest: 1 };
        let features =
            (0..36).map(|at| Feature { window: at / 12, condition: at % 12, sum: Some(0) }).collect();
        Ok(Self {
            counts: Default::default(),
            shares: Default::default(),
            different: Default::default(),
            peers: Peers::new(by, 100, features)?,
        })
    }

    fn count(&mut self, reading: &Reading, by: u64) {
        for window in 0..3 {
            each(reading.conditions(window), |condition| {
                let mut add = |at: usize, carried: bool| {
                    let count = &mut self.counts[at][window][condition];
                    *count = count.wrapping_add(by & 0_u64.wrapping_sub(u64::from(carried)));
                };
                add(0, reading.count(window, condition) >= 3);
                add(1, reading.sum(window, condition, 0) > 1_000_000);
                add(2, reading.sum(window, condition, 1) > 100_000);
            });
        }
        let all = reading.count(0, 0);
        each(reading.conditions(0) & !1, |condition| {
            let count = reading.count(0, condition);
            if count * 5 > all && count > 1 {
                self.shares[condition] = self.shares[condition].wrapping_add(by);
            }
        });
        for (question, count) in self.different.iter_mut().enumerate() {
            if reading.different(question) >= 8 {
                *count = count.wrapping_add(by);
            }
        }
    }

    fn checksum(&self) -> u64 {
        let beyond = self.peers.beyond(&self.peers.fences((3, 1)));
        let [counts, sums, masses] = &self.counts;
        let counts = counts.as_flattened().iter().chain(sums.as_flattened()).chain(&beyond);
        let rest = self.shares[1..].iter().chain(&self.different).chain(masses.as_flattened());
        checksum(counts.chain(rest).map(|count| i128::from(*count)))
    }
}

impl Sink for Tags {
    fn before(&mut self, entity: u32, reading: &Reading) {
        self.count(reading, u64::MAX);
        self.peers.before(entity, reading);
    }

    fn after(&mut self, entity: u32, reading: &Reading) {
        self.count(reading, 1);
        self.peers.after(entity, reading);
    }
}

fn each(bits: u64, mut visit: impl FnMut(usize)) {
    let mut open = bits;
    while open != 0 {
        visit(usize::try_from(open.trailing_zeros()).unwrap_or_default());
        open &= open - 1;
    }
}

/// A sum of all 148 aggregates with the enterprises' numbers mixed in.
fn mixed(table: &Table) -> u64 {
    let mut sums = [0_i128; 148];
    table.each(|entity, reading| {
        let weight = i128::from(entity % WEIGHTS + 1);
        let mut add = |at: usize, value: i64| sums[at] += i128::from(value) * weight;
        for window in 0..3 {
            each(reading.conditions(window), |condition| {
                let first = (window * 12 + condition) * 4;
                add(first, reading.count(window, condition));
                add(first + 1, reading.sum(window, condition, 0));
                add(first + 2, reading.sum(window, condition, 1));
                add(first + 3, reading.greatest(window, condition, 0).unwrap_or_default());
            });
        }
        for question in 0..4 {
            add(144 + question, reading.different(question).into());
        }
    });
    checksum(sums.into_iter())
}

/// The same sum as that of `aggregates.py`.
fn checksum(values: impl Iterator<Item = i128>) -> u64 {
    let factor = 0x9E37_79B9_7F4A_7C15_u64;
    (1_u64..).zip(values).fold(0, |sum, (at, value)| {
        let value = u64::try_from(value.rem_euclid(1 << 64)).unwrap_or_default();
        sum.wrapping_add(at.wrapping_mul(factor).wrapping_mul(value.wrapping_add(1)))
    })
}
