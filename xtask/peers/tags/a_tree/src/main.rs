//! Counts how many entries fulfil each rule with the crate `a-tree`, entry by entry.
//!
//! `a-tree-peer FOLDER ENTRIES RULES`: rules.jsonl and first.csv in FOLDER are those of workload.py, whole numbers only.
//! Prints one line of JSON. Building the tree is not counted.

use std::error::Error;
use std::fs;
use std::time::Instant;

use a_tree::{ATree, AttributeDefinition};
use serde_json::{Value, json};

/// The largest bound that the workload writes; it stands for none.
const LARGEST: i64 = 2_147_483_647;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, entries, rules] = arguments.as_slice() else { return Err("FOLDER ENTRIES RULES".into()) };
    let (entries, rules): (usize, usize) = (entries.parse()?, rules.parse()?);
    let csv = fs::read_to_string(format!("{folder}/first.csv"))?;
    let mut lines = csv.lines();
    let names: Vec<String> =
        lines.next().ok_or("no header")?.split(',').map(|name| name.trim_matches('"').to_owned()).collect();
    let rows: Vec<Vec<i64>> = lines
        .take(entries)
        .map(|line| line.split(',').map(str::parse).collect::<Result<_, _>>())
        .collect::<Result<_, _>>()?;
    let attributes: Vec<AttributeDefinition> =
        names.iter().map(|name| AttributeDefinition::integer(name)).collect();
    let mut tree = ATree::<u64>::new(&attributes).map_err(|error| format!("{error:?}"))?;
    let written = fs::read_to_string(format!("{folder}/rules.jsonl"))?;
    let building = Instant::now();
    let mut number = 0_u64;
    for line in written.lines().take(rules) {
        let rule: Value = serde_json::from_str(line)?;
        let parts = rule["parts"].as_array().ok_or("no parts")?;
        let parts: Vec<String> = parts.iter().map(expression).collect();
        tree.insert(&number, &parts.join(" and ")).map_err(|error| format!("rule {number}: {error:?}"))?;
        number += 1;
    }
    let building = building.elapsed();
    let mut counts = vec![0_u64; rules];
    let before = processor_seconds()?;
    for row in &rows {
        let mut event = tree.make_event();
        for (name, value) in names.iter().zip(row) {
            event.with_integer(name, *value).map_err(|error| format!("{error:?}"))?;
        }
        let event = event.build().map_err(|error| format!("{error:?}"))?;
        for rule in tree.search(&event).map_err(|error| format!("{error:?}"))?.matches() {
            counts[usize::try_from(**rule)?] += 1;
        }
    }
    let spent = processor_seconds()? - before;
    let checksum = (1_u64..).zip(&counts).fold(0_u64, |sum, (at, count)| {
        sum.wrapping_add(at.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_mul(count + 1))
    });
    let answer = json!({
        "cpu_s": spent,
        "entries": rows.len(),
        "matches": counts.iter().sum::<u64>(),
        "checksum": format!("{checksum:016x}"),
        "building_s": building.as_secs_f64(),
    });
    println!("{answer}");
    Ok(())
}

fn expression(part: &Value) -> String {
    let name = part[0].as_str().unwrap_or_default();
    if part[1] == "in" {
        return format!("{name} in {}", part[2]);
    }
    let (low, high) = (part[2].as_i64().unwrap_or_default(), part[3].as_i64().unwrap_or_default());
    match (low, high) {
        (low, high) if low == high => format!("{name} = {low}"),
        (low, LARGEST) => format!("{name} >= {low}"),
        (0, high) => format!("{name} <= {high}"),
        (low, high) => format!("{name} >= {low} and {name} <= {high}"),
    }
}

/// What this process has had of the processor; Linux tells it.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let spent = fs::read_to_string("/proc/self/schedstat")?;
    Ok(spent.split_whitespace().next().ok_or("no time")?.parse::<f64>()? / 1e9)
}
