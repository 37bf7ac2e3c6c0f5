//! What must hold of a house after a loss of power.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use customhouse::declarations::{Channel, LodgeRequest};
use customhouse::identity::{Reader, Role};
use customhouse::pool::BatchQuery;
use customhouse::proof::verify_at;
use customhouse::tags::{TagCount, TagQuery, TagSelection};
use customhouse::{Customhouse, Error, Location};
use journal::log::tree::root_of_size;
use journal::log::{DiskFiles, LogReader};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use spine::Silent;

use super::Said;
use super::lives::files_below;
use crate::crash::{Receipt, declaration};

/// Longer than anything takes here.
const WAIT: Duration = Duration::from_secs(60);
/// What is derived: it can be deleted, and comes out the same again.
const DERIVED: [&str; 3] = ["read-models", "pool/catalogue.sqlite", "tag-matrix"];

/// Opens the house in a folder by all that was said; an error is what is wrong.
pub(super) fn check(folder: &Path, said: &Said, packs: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let data = folder.join("data");
    let told = !said.checkpoints.is_empty() || !said.remembered.receipts.is_empty();
    if told {
        verified(folder, "at once")?;
    }
    let failed = |what: &'static str| move |error: Error| format!("{what}: {error} [{}]", error.code);
    let house = Customhouse::open(&data).map_err(failed("opening"))?;
    check_house(&house, said)?;
    check_packs(&data.join("packs"), said, packs)?;
    shown(&house)?;
    let tags = by_tags(&house)?;
    drop(house);
    let is_logged = check_checkpoints(&data, said)?;
    let before = derived(&data)?;
    for name in DERIVED {
        let path = data.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.map_err(|error| format!("{name}: {error}"))?;
    }
    for end in ["-wal", "-shm"] {
        // A database that was closed in order has none.
        let _ = fs::remove_file(data.join(format!("pool/catalogue.sqlite{end}")));
    }
    let house = Customhouse::open(&data).map_err(failed("opening again"))?;
    shown(&house)?;
    if by_tags(&house)? != tags {
        return Err("read model: who carries which tag is not what is built anew".to_owned());
    }
    drop(house);
    let after = derived(&data)?;
    for (table, rows) in &before {
        if after.get(table) != Some(rows) {
            return Err(format!("read model: {table} is not what is built anew"));
        }
    }
    // Where nothing was recorded there is nothing to verify.
    if is_logged { verified(folder, "in the end") } else { Ok(()) }
}

/// The folder verifies, as `tidewaiter verify folder` does it. Not by that command: a process that begins holds for a
/// moment the locks of every house that is open here.
fn verified(folder: &Path, when: &str) -> Result<(), String> {
    let verified = verify_at(&Location::from(folder.join("data").as_path()), &[], &Silent);
    let verified = verified.map_err(|error| format!("verification {when}: {error} [{}]", error.code))?;
    if verified.holds() && verified.journal_compared {
        return Ok(());
    }
    Err(format!("verification {when}: {:?}", verified.findings))
}

/// Everything that is derived reflects everything that was recorded.
fn shown(house: &Customhouse) -> Result<(), String> {
    let analyst = Reader::new("analyst", Role::Analyst);
    house.list_batches(&analyst, &BatchQuery::default()).map_err(|error| format!("batches: {error}"))?;
    let head = house.journal_position();
    let shown = house.wait_until_shown(head, WAIT);
    if shown >= head { Ok(()) } else { Err(format!("read model: it shows {shown} of {head} events")) }
}

/// Who carries which tag, of entities and of declarations.
fn by_tags(house: &Customhouse) -> Result<Vec<TagSelection>, String> {
    let head = house.journal_position();
    let counted = house.wait_until_tags_counted(head, WAIT);
    if counted < head {
        return Err(format!("read model: tags are counted up to {counted} of {head} events"));
    }
    let chief = Reader::new("chief", Role::Chief);
    let select = |of: &str| {
        let query = TagQuery { of: of.to_owned(), ..TagQuery::default() };
        let found = house.select_by_tags(&chief, &query).map_err(|error| format!("read model: {error}"))?;
        // Opening may have recorded something.
        Ok(TagSelection { counted: TagCount { position: 0, ..found.counted }, ..found })
    };
    ["entities", "declarations"].into_iter().map(select).collect()
}

fn check_house(house: &Customhouse, said: &Said) -> Result<(), String> {
    let said = &said.remembered;
    if !said.batch.is_empty() {
        let analyst = Reader::new("analyst", Role::Analyst);
        let page =
            house.rows_page(&analyst, &said.batch, 0, 100).map_err(|error| format!("batch: {error}"))?;
        if page.rows.len() != 40 {
            return Err(format!("batch: {} rows of 40", page.rows.len()));
        }
    }
    let keys = house.log_standing().keys;
    if !said.new_key.is_empty() && !keys.contains(&said.new_key) {
        return Err(format!("log: its new key is not there: {keys:?}"));
    }
    if said.token.is_empty() {
        return Ok(());
    }
    let trader =
        house.accounts().token_reader(&said.token, house.wall_now()).ok_or("the token is not known")?;
    for (id, number) in &said.drafts {
        let draft = house.draft(&trader, id).map_err(|error| format!("draft {number}: {error}"))?;
        if draft.fields.get("number") != Some(&number.to_string()) {
            return Err(format!("draft {number}: {:?}", draft.fields));
        }
    }
    let lodge = |reference: &str| {
        let request = LodgeRequest { bytes: declaration(reference), form: None, channel: Channel::Api };
        house.lodge(&trader, request).map_err(|error| format!("{reference}: {error}"))
    };
    for (reference, receipt) in &said.receipts {
        let again = lodge(reference)?;
        let found = Receipt { mrn: again.mrn, sha256: again.sha256, lodged_at: again.lodged_at.to_string() };
        if !again.repeated || found != *receipt {
            return Err(format!("journal: {reference} had {receipt:?}, now {found:?}"));
        }
    }
    let new = lodge("AFTERWARDS")?;
    if said.receipts.values().any(|receipt| receipt.mrn == new.mrn) {
        return Err(format!("journal: the number {} is given again", new.mrn));
    }
    shown(house)?;
    for reference in said.receipts.keys() {
        let (_, found) = house.own_declarations(&trader, reference, 1).map_err(|error| error.to_string())?;
        if found != 1 {
            return Err(format!("read model: {reference} is there {found} times"));
        }
    }
    let began = Instant::now();
    while house.log_standing().size < house.journal_position() {
        if began.elapsed() > WAIT {
            return Err(format!("log: it does not grow: {:?}", house.log_standing()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Every pack that is remembered is here with all of its content.
fn check_packs(folder: &Path, said: &Said, all: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let state = fs::read(folder.join("registry.json")).map_err(|error| format!("packs: {error}"))?;
    let state: Value = serde_json::from_slice(&state).map_err(|error| format!("packs: {error}"))?;
    let kept = ["installed", "built_in"].iter().flat_map(|list| state[list].as_array().into_iter().flatten());
    let kept: Vec<[&str; 2]> =
        kept.map(|own| ["id", "hash"].map(|name| own[name].as_str().unwrap())).collect();
    let installed = &said.remembered.installed;
    if !installed.is_empty() && !kept.iter().any(|[id, _]| id == installed) {
        return Err(format!("packs: {installed} was installed and is not there"));
    }
    let found = files_below(folder);
    for [id, hash] in kept {
        let place = format!("{id}/{hash}/");
        let of_pack = all.iter().filter(|(path, _)| path.starts_with(&place));
        for (path, content) in of_pack {
            if found.get(path) != Some(content) {
                return Err(format!("packs: {path} is not what it was"));
            }
        }
    }
    Ok(())
}

/// The log continues each checkpoint that was served; answers whether it has any.
fn check_checkpoints(data: &Path, said: &Said) -> Result<bool, String> {
    let files = DiskFiles::existing(&data.join("log")).map_err(|error| format!("log: {error}"))?;
    let reader = LogReader::new(Arc::new(files));
    let Some(checkpoint) = reader.checkpoint().map_err(|error| format!("log: {error}"))? else {
        return if said.checkpoints.is_empty() {
            Ok(false)
        } else {
            Err("log: it has no checkpoint".to_owned())
        };
    };
    let now = checkpoint.checkpoint().size;
    for (size, root) in &said.checkpoints {
        if *size > now {
            return Err(format!("log: it went back from {size} entries to {now}"));
        }
        let found = root_of_size(&mut reader.tree(now), *size).map_err(|error| format!("log: {error}"))?;
        if found.to_string() != *root {
            return Err(format!("log: it forked at {size}"));
        }
    }
    Ok(true)
}

/// Every row of every table of what is derived.
fn derived(data: &Path) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut tables = BTreeMap::new();
    let models = fs::read_dir(data.join("read-models")).map_err(|error| format!("read model: {error}"))?;
    let models = models
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "sqlite"));
    for path in models.chain([data.join("pool/catalogue.sqlite")]) {
        let rows = rows_of(&path).map_err(|error| format!("read model: {}: {error}", path.display()))?;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        tables.extend(rows.into_iter().map(|(table, rows)| (format!("{table} in {name}"), rows)));
    }
    Ok(tables)
}

fn rows_of(path: &Path) -> rusqlite::Result<BTreeMap<String, Vec<String>>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let names: BTreeSet<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut tables = BTreeMap::new();
    for name in names {
        let mut statement = connection.prepare(&format!("SELECT * FROM {name}"))?;
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| {
            let values: Vec<rusqlite::types::Value> =
                (0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?;
            Ok(format!("{values:?}"))
        };
        let mut rows: Vec<String> = statement.query_map([], read)?.collect::<Result<_, _>>()?;
        rows.sort_unstable();
        tables.insert(name, rows);
    }
    Ok(tables)
}
