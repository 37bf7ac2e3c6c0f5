//! Declarations a second through all shipped tags, as they come:
//! `cargo run --release -p tags --example online_bench [ENTRIES [TAGS]]`, JSON on standard output. With TAGS, a pack of
//! tags on commodities, origins and departures is added until there are so many.
//!
//! A little country (SIMULATED) first gives ENTRIES entries of history over 500 days (100,000 unless told), then new
//! entries and declarations in calls of several sizes; at last one more tag, several times: compiled, taken up by what
//! is held, and the next declaration told by it. History, and calls of many entries, run on all threads. Processor time
//! is that of all of them.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use packs::{Pack, Registry};
use rules::Lists;
use spine::{EntryTable, declaration_entry};
use tags::{OnlineTags, TagSet};

#[path = "../tests/it/little_country.rs"]
mod little_country;

use little_country::{Entry, LittleCountry};

const HISTORY_DAYS: u64 = 500;
/// Of the little country: 10 items on 6 declarations.
const ENTRIES_PER_DECLARATION: f64 = 10.0 / 6.0;
const TABLE_DECLARATIONS: usize = 20_000;
/// The tags of the pack that is added.
const PROFILES: &str = r#"
[family]
id = "profiles"
title = { en = "Profiles", zh = "画像" }
[[tag]]
id = "profile_{key}"
table = "profiles.csv"
title = { en = "Profile {key}", zh = "画像 {key}" }
description = { en = "Goods of {code} and origin {origin} worth more than {value}, not from {departure}." }
inspection_hint = { en = "Look.", zh = "查看。" }
when = 'commodity_code.startsWith("{code}") && origin_country == "{origin}" && departure_country != "{departure}" && customs_value > {value}'
"#;

/// Commodities of these tags that the little country does not trade.
const COMMODITIES: usize = 376;
/// What one call brings, and how many calls.
const TIMED: [(Call, usize); 7] = [
    (Call::Entries(1), 2_000),
    (Call::Entries(8), 800),
    (Call::Entries(32), 400),
    (Call::Entries(64), 400),
    (Call::Declarations(1), 1_000),
    (Call::Declarations(32), 250),
    (Call::Declarations(256), 62),
];
const EDITS: usize = 7;

#[derive(Debug, Clone, Copy)]
enum Call {
    /// So many, the last declaration cut off.
    Entries(usize),
    Declarations(usize),
}

impl Call {
    fn table(self, country: &mut LittleCountry) -> Result<EntryTable, Box<dyn Error>> {
        match self {
            Self::Entries(entries) => {
                table_of(std::iter::repeat_with(|| country.declaration()).flatten().take(entries))
            }
            Self::Declarations(declarations) => {
                table_of((0..declarations).flat_map(|_| country.declaration()))
            }
        }
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (number, what) = match self {
            Self::Entries(1) => (1, "entry"),
            Self::Entries(entries) => (*entries, "entries"),
            Self::Declarations(1) => (1, "declaration"),
            Self::Declarations(declarations) => (*declarations, "declarations"),
        };
        write!(out, "{number} {what}")
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let entries: u32 = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let registry = Registry::built_in();
    let mut packs: Vec<&Pack> = registry.current().map(AsRef::as_ref).collect();
    let shipped = TagSet::from_packs(&packs, &declaration_entry::schema()).0.definitions().len();
    let wanted: usize = std::env::args().nth(2).map_or(Ok(0), |text| text.parse())?;
    let added = profiles(wanted.saturating_sub(shipped))?;
    packs.push(&added);
    let (set, _) = TagSet::from_packs(&packs, &declaration_entry::schema());
    let mut online = OnlineTags::new(Arc::new(set.clone()));

    let declarations = (f64::from(entries) / ENTRIES_PER_DECLARATION).round().to_string().parse::<u64>()?;
    let mut country = LittleCountry::new(1, declarations / HISTORY_DAYS, declarations / 60);
    let (mut seconds, mut processor) = (0.0, 0.0);
    let (mut left, mut bytes) = (declarations, resident_bytes());
    while left > 0 {
        let table =
            table_of((0..left.min(u64::try_from(TABLE_DECLARATIONS)?)).flat_map(|_| country.declaration()))?;
        left = left.saturating_sub(u64::try_from(TABLE_DECLARATIONS)?);
        let (started, before) = (Instant::now(), processor_seconds());
        online.absorb(&table)?;
        seconds += started.elapsed().as_secs_f64();
        processor += processor_seconds() - before;
    }
    bytes = resident_bytes() - bytes;
    let absorbed = online.entries();
    println!(
        "{{\"simulated\": true, \"tags\": {}, \"entries_absorbed\": {absorbed}, \"absorbed_per_second\": {:.0}, \"absorbed_per_processor_second\": {:.0}, \
         \"bytes_per_entry\": {:.0}, \"records_per_entry\": {:.1}, \"figures\": [",
        set.definitions().len(),
        f64::from(u32::try_from(absorbed)?) / seconds,
        f64::from(u32::try_from(absorbed)?) / processor,
        bytes / f64::from(u32::try_from(absorbed)?),
        f64::from(u32::try_from(online.held())?) / f64::from(u32::try_from(absorbed)?),
    );
    for (at, (call, number)) in TIMED.into_iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        println!("{comma}{}", timed(&mut online, &mut country, call, number, set.definitions().len())?);
    }
    packs.pop();
    println!(
        "], \"edits\": {}}}",
        edited(&mut online, &mut country, set, &packs, wanted.saturating_sub(shipped))?
    );
    Ok(())
}

/// One more tag, again and again: how long until the next declaration was told by it.
fn edited(
    online: &mut OnlineTags,
    country: &mut LittleCountry,
    mut set: TagSet,
    shipped: &[&Pack],
    count: usize,
) -> Result<String, Box<dyn Error>> {
    let mut times = Vec::new();
    for edit in 1..=EDITS {
        let table = Call::Declarations(1).table(country)?;
        let more = profiles(count + edit)?;
        let packs: Vec<&Pack> = shipped.iter().copied().chain([&more]).collect();
        let started = Instant::now();
        let lists = packs.iter().flat_map(|pack| pack.lists()).collect();
        (set, _) = set.edited(&packs, &declaration_entry::schema(), &Lists(lists));
        let compiled = started.elapsed();
        if !online.adopt(Arc::new(set.clone())) {
            return Err("another tag was not taken up".into());
        }
        let taken_up = started.elapsed();
        online.apply(&table)?;
        times.push((started.elapsed(), compiled, taken_up - compiled));
    }
    times.sort();
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
    let (in_all, compiled, taken_up) = times.get(EDITS / 2).copied().unwrap_or_default();
    let most = times.last().map_or(0.0, |(in_all, ..)| ms(*in_all));
    Ok(format!(
        "{{\"tags\": {}, \"compiled_ms\": {:.1}, \"taken_up_ms\": {:.1}, \"live_ms_median\": {:.1}, \
         \"live_ms_most\": {most:.1}}}",
        set.definitions().len(),
        ms(compiled),
        ms(taken_up),
        ms(in_all)
    ))
}

/// A pack of so many tags, each with a code, an origin, a departure and a value of its own.
fn profiles(count: usize) -> Result<Pack, Box<dyn Error>> {
    let manifest = "id = \"profiles\"\nversion = \"1.0.0\"\nkind = \"tags\"\n\
                    title = { en = \"Profiles\", zh = \"画像\" }\nowner = \"Bench\"\nlegal_basis = \"None\"\n\
                    sensitivity = \"official\"\nlicence = \"Apache-2.0 OR MIT\"\n";
    // An office's tags are about far more commodities than one hour brings.
    let goods = little_country::GOODS.iter().map(|(code, ..)| code.get(..6).unwrap_or(code).to_owned());
    let codes: Vec<String> =
        goods.chain((0..COMMODITIES).map(|number| format!("{:06}", 500_000 + 97 * number))).collect();
    let countries = &little_country::COUNTRIES;
    let kinds = countries.iter().flat_map(|origin| {
        codes.iter().flat_map(move |code| countries.iter().map(move |departure| (code, origin, departure)))
    });
    let mut table = "key,code,origin,departure,value\n".to_owned();
    for (key, (code, origin, departure)) in kinds.take(count).enumerate() {
        table.push_str(&format!("{key},{code},{origin},{departure},{}\n", 500 + key % 4999));
    }
    let files = [("pack.toml", manifest), ("profiles.toml", PROFILES), ("profiles.csv", &table)];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into();
    Pack::from_files(files).map_err(|findings| format!("{findings:?}").into())
}

/// Feeds what so many calls bring.
fn timed(
    online: &mut OnlineTags,
    country: &mut LittleCountry,
    call: Call,
    number: usize,
    tags: usize,
) -> Result<String, Box<dyn Error>> {
    let (mut calls, mut processor) = (Vec::new(), Vec::new());
    let (mut entries, mut carried) = (0_usize, 0_usize);
    for _ in 0..number {
        let table = call.table(country)?;
        let (started, before) = (Instant::now(), processor_seconds());
        let hits = online.apply(&table)?;
        calls.push(started.elapsed().as_secs_f64());
        processor.push(processor_seconds() - before);
        entries += hits.rows();
        carried += (0..hits.rows()).map(|row| hits.carried(row).len()).sum::<usize>();
    }
    let in_all: f64 = processor.iter().sum();
    calls.sort_by(f64::total_cmp);
    processor.sort_by(f64::total_cmp);
    let last = calls.len().saturating_sub(1);
    let at =
        |times: &[f64], share: usize| times.get(last * share / 100).copied().unwrap_or_default() * 1000.0;
    let entries = f64::from(u32::try_from(entries)?);
    Ok(format!(
        "{{\"tags\": {tags}, \"a_call\": \"{call}\", \"median_ms\": {:.3}, \"p99_ms\": {:.3}, \
         \"most_ms\": {:.3}, \"processor_median_ms\": {:.3}, \"processor_p99_ms\": {:.3}, \"entries_a_processor_second\": {:.0}, \"tags_an_entry\": {:.2}}}",
        at(&calls, 50),
        at(&calls, 99),
        at(&calls, 100),
        at(&processor, 50),
        at(&processor, 99),
        entries / in_all,
        f64::from(u32::try_from(carried)?) / entries,
    ))
}

fn table_of(entries: impl Iterator<Item = Entry>) -> Result<EntryTable, Box<dyn Error>> {
    let mut table = EntryTable::empty(declaration_entry::schema());
    for entry in entries {
        table.push(entry)?;
    }
    Ok(table)
}

/// Time that the threads of this process have had on processors. What else runs counts less there.
fn processor_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    std::time::Duration::try_from(time).map_or(0.0, |time| time.as_secs_f64())
}

/// Memory of this process, as Linux tells it; 0 elsewhere.
fn resident_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kibibytes.unwrap_or(0.0) * 1024.0
}
