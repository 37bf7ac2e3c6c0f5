//! Questions to a matrix of entities and tags:
//! `cargo run --release -p tags --example matrix_bench [ENTITIES TAGS [FOLDER]]`, JSON on standard output. With FOLDER,
//! its pairs and the questions are written there, for an engine that is not ours; each row then has the sum of all
//! answers.
//!
//! Made-up tags (SIMULATED): each is carried by 5 to 50,000 entities, the logarithm spread evenly, and low numbers of
//! entities carry more than high ones. Questions are about tags of the largest fifth, and ask how many entities. Times
//! are wall times of one thread; each row is the median and the 99th of a hundred of 300 questions.
#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "a command line tool")]

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use roaring::RoaringBitmap;
use tags::matrix::{Change, Matrix, Selection};

const QUESTIONS: usize = 300;
/// Groups of entities that an engine that is not ours is asked about: it takes long.
const GROUPS_OF_OTHERS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let entities: u32 = arguments.next().map_or(Ok(4_080_000), |text| text.parse())?;
    let tags: u16 = arguments.next().map_or(Ok(43_000), |text| text.parse())?;
    let mut random = Random(1);
    let sets: Vec<RoaringBitmap> = (0..tags).map(|_| carriers(&mut random, entities)).collect();
    let started = Instant::now();
    let matrix = Matrix::new(entities, sets)?;
    let built = started.elapsed();
    let mut told = Told::new(arguments.next(), &matrix)?;
    let mut rows = vec![row(&format!("{} pairs made a matrix of", matrix.pairs()), &[built])];

    let started = Instant::now();
    let mut bytes = Vec::with_capacity(matrix.bytes());
    matrix.write(&mut bytes)?;
    rows.push(row("written to memory", &[started.elapsed()]));
    let started = Instant::now();
    black_box(Matrix::read(bytes.as_slice())?);
    rows.push(row("opened again, checked", &[started.elapsed()]));
    let sets_bytes: usize =
        (0..tags).filter_map(|tag| matrix.carriers(tag)).map(RoaringBitmap::serialized_size).sum();
    let per_pair = |bytes: usize| bytes.to_string().parse::<f64>().unwrap_or_default() / pairs_of(&matrix);

    let mut large: Vec<u16> = (0..tags).collect();
    large.sort_by_key(|tag| std::cmp::Reverse(matrix.carriers(*tag).map_or(0, RoaringBitmap::len)));
    large.truncate(usize::from(tags / 5).max(10));
    let mut one = || Selection::Carries(*random.of(&large));
    let mut several = |count: usize| (0..count).map(|_| one()).collect::<Vec<_>>();
    let mut asked: Vec<(&str, Vec<Selection>)> = Vec::new();
    for (name, count) in [("a and b", 2), ("a and b and c", 3), ("10 tags, all", 10)] {
        asked.push((name, (0..QUESTIONS).map(|_| Selection::All(several(count))).collect()));
    }
    asked.push(("10 tags, any", (0..QUESTIONS).map(|_| Selection::Any(several(10))).collect()));
    let mixed = |tags: Vec<Selection>| {
        let Ok([a, b, c, d, e, Selection::Carries(f)]) = <[Selection; 6]>::try_from(tags) else {
            return Selection::Constant(false);
        };
        let any = [Selection::Any(vec![a, b, c]), Selection::Any(vec![d, e])];
        Selection::All(any.into_iter().chain([Selection::CarriesNot(f)]).collect())
    };
    asked.push(("(a or b or c) and (d or e) and not f", (0..QUESTIONS).map(|_| mixed(several(6))).collect()));
    for (name, selections) in &asked {
        let mut sum = 0;
        let times = timed(selections, |selection| {
            let found = matrix.count(selection);
            sum += found;
            found
        });
        rows.push(row_with_sum(name, &times, sum));
        for selection in selections {
            told.question(name, selection)?;
        }
    }
    let groups: Vec<RoaringBitmap> =
        (0..QUESTIONS).map(|_| (0..9_200).map(|_| random.below(entities)).collect()).collect();
    let often = "20 most frequent tags of 9,200 entities";
    let times = timed(&groups, |group| matrix.tags_among(group, 20).len());
    let asked_of_others = groups.get(..GROUPS_OF_OTHERS).unwrap_or_default();
    let count = |group| matrix.tags_among(group, 20).iter().map(|(_, count)| u64::from(*count)).sum::<u64>();
    rows.push(row_with_sum(often, &times, asked_of_others.iter().map(count).sum()));
    for group in asked_of_others {
        told.group(often, group)?;
    }
    let some: Vec<u32> = (0..QUESTIONS).map(|_| random.below(entities)).collect();
    rows.push(row("all tags of one entity", &timed(&some, |entity| matrix.tags_of(*entity).len())));
    let changes: Vec<Change> = (0..1_000_000)
        .map(|_| Change {
            tag: u16::try_from(random.below(u32::from(tags))).unwrap_or_default(),
            entity: random.below(entities),
            carried: random.below(4) > 0,
        })
        .collect();
    let started = Instant::now();
    black_box(matrix.changed(entities, usize::from(tags), &changes)?);
    rows.push(row("a million changes make the next epoch", &[started.elapsed()]));
    let size = |what: &str, bytes: usize| {
        format!(
            "{{\"asked\": \"{what}\", \"median\": \"{:.2} bytes a pair\", \"p99\": \"\"}}",
            per_pair(bytes)
        )
    };
    rows.push(size("bitmaps", sets_bytes));
    rows.push(size("bitmaps and the other direction", bytes.len()));
    println!("{{\"simulated\": true, \"figures\": [{}]}}", rows.join(", "));
    Ok(())
}

/// What another engine is to be asked, if it is.
struct Told(Option<BufWriter<File>>);

impl Told {
    fn new(folder: Option<String>, matrix: &Matrix) -> Result<Self, Box<dyn Error>> {
        let Some(folder) = folder else { return Ok(Self(None)) };
        let mut pairs = BufWriter::new(File::create(format!("{folder}/pairs.bin"))?);
        for tag in 0..u16::try_from(matrix.tags())? {
            for entity in matrix.carriers(tag).into_iter().flatten() {
                pairs.write_all(&tag.to_le_bytes())?;
                pairs.write_all(&entity.to_le_bytes())?;
            }
        }
        pairs.flush()?;
        Ok(Self(Some(BufWriter::new(File::create(format!("{folder}/questions.jsonl"))?))))
    }

    fn question(&mut self, kind: &str, selection: &Selection) -> Result<(), Box<dyn Error>> {
        let (mut all, mut any, mut without) = (Vec::new(), Vec::new(), Vec::new());
        let tag = |part: &Selection| if let Selection::Carries(tag) = part { Some(*tag) } else { None };
        let parts = match selection {
            Selection::All(parts) => parts.as_slice(),
            whole => std::slice::from_ref(whole),
        };
        for part in parts {
            match part {
                Selection::Carries(tag) => all.push(*tag),
                Selection::CarriesNot(tag) => without.push(*tag),
                Selection::Any(parts) => any.push(parts.iter().filter_map(tag).collect::<Vec<u16>>()),
                _ => {}
            }
        }
        self.line(&format!(
            "{{\"kind\": \"{kind}\", \"all\": {all:?}, \"any\": {any:?}, \"without\": {without:?}}}"
        ))
    }

    fn group(&mut self, kind: &str, group: &RoaringBitmap) -> Result<(), Box<dyn Error>> {
        let entities: Vec<u32> = group.iter().collect();
        self.line(&format!(
            "{{\"kind\": \"{kind}\", \"all\": [], \"any\": [], \"without\": [], \"entities\": {entities:?}}}"
        ))
    }

    fn line(&mut self, line: &str) -> Result<(), Box<dyn Error>> {
        if let Some(file) = &mut self.0 {
            writeln!(file, "{line}")?;
        }
        Ok(())
    }
}

fn row_with_sum(what: &str, times: &[Duration], sum: u64) -> String {
    let row = row(what, times);
    format!("{}, \"sum\": \"{sum}\"}}", row.trim_end_matches('}'))
}

fn pairs_of(matrix: &Matrix) -> f64 {
    matrix.pairs().to_string().parse().unwrap_or(f64::NAN)
}

fn timed<Q, A>(questions: &[Q], mut answer: impl FnMut(&Q) -> A) -> Vec<Duration> {
    let mut one = |question: &Q| {
        let started = Instant::now();
        black_box(answer(question));
        started.elapsed()
    };
    questions.iter().map(&mut one).collect()
}

fn row(what: &str, times: &[Duration]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |hundredth: usize| {
        let place = (times.len() * hundredth / 100).min(times.len().saturating_sub(1));
        format!("{:.3} ms", times.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3)
    };
    let last = if times.len() > 1 { at(99) } else { String::new() };
    format!("{{\"asked\": \"{what}\", \"median\": \"{}\", \"p99\": \"{last}\"}}", at(50))
}

/// 5 to 50,000 entities.
fn carriers(random: &mut Random, entities: u32) -> RoaringBitmap {
    let count = (5.0_f64.ln() + random.part() * (10_000.0_f64).ln()).exp();
    let mut wanted = count;
    let mut found = Vec::new();
    while wanted >= 1.0 {
        // The square of an even spread: low numbers more often.
        let place = random.part().powi(2) * f64::from(entities);
        found.push(whole(place));
        wanted -= 1.0;
    }
    found.sort_unstable();
    found.dedup();
    RoaringBitmap::from_sorted_iter(found).unwrap_or_default()
}

/// The whole number below.
fn whole(number: f64) -> u32 {
    rust_decimal::prelude::ToPrimitive::to_u32(&number).unwrap_or_default()
}

/// Numbers that are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to but without `end`.
    fn below(&mut self, end: u32) -> u32 {
        u32::try_from((u128::from(self.next()) * u128::from(end)) >> 64).unwrap_or_default()
    }

    /// From 0 up to but without 1.
    fn part(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or_default()) / 4_294_967_296.0
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.below(u32::try_from(all.len()).unwrap_or(u32::MAX));
        &all[usize::try_from(at).unwrap_or_default()]
    }
}
