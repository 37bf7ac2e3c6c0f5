//! Parquet of the pool: immutable files, each named by its hash.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use ::pool::Catalogue;
use journal::Journal;
use spine::Progress;

use super::manifest::KeptFile;
use super::source::Source;
use super::{
    POOL_FOLDER, cancelled, destroy, destroy_database, flush_folder, hash_file, make_private_folder,
    names_in, place,
};
use crate::error::{Error, Kind};
use crate::pool::catch_up;

const EXTENSION: &str = ".parquet";

/// What became of the pool.
#[derive(Debug, Default)]
pub(super) struct PoolCarried {
    /// All that the backup is to hold.
    pub(super) kept: Vec<KeptFile>,
    pub(super) new: u64,
    pub(super) new_bytes: u64,
    /// Files that batches name and the data folder no longer has.
    pub(super) lost: Vec<String>,
}

/// Carries what is not there yet. What the house no longer has is kept if a batch of the `journal`, which is the
/// backup's own, still names it: it was lost, nobody erased it.
pub(super) fn carry(
    source: &Source,
    backup: &Path,
    journal: &dyn Journal,
    check: bool,
    progress: &dyn Progress,
) -> Result<PoolCarried, Error> {
    let (from, to) = (source.path.join(POOL_FOLDER), backup.join(POOL_FOLDER));
    make_private_folder(&to)?;
    let mut carried = PoolCarried::default();
    let names = parquet_in(&from)?;
    let total = u64::try_from(names.len()).unwrap_or(u64::MAX);
    for (name, done) in names.iter().zip(0..) {
        progress.report("carrying_the_pool", done, total);
        if let Some(kept) = carry_one(&from.join(name), &to.join(name), name, check, progress, &mut carried)?
        {
            carried.kept.push(kept);
        }
    }
    let gone: Vec<String> = parquet_in(&to)?.into_iter().filter(|name| !names.contains(name)).collect();
    if !gone.is_empty() {
        let named = named_in(journal, backup, progress)?;
        for name in gone {
            let sha256 = name.strip_suffix(EXTENSION).unwrap_or_default();
            if named.contains(sha256) {
                let (_, bytes) = hash_file(&to.join(&name))?;
                let path = format!("{POOL_FOLDER}/{name}");
                carried.kept.push(KeptFile { path: path.clone(), sha256: sha256.to_owned(), bytes });
                carried.lost.push(path);
            }
        }
    }
    carried.kept.sort_by(|one, other| one.path.cmp(&other.path));
    flush_folder(&to)?;
    Ok(carried)
}

/// Hashes of the files that batches name: by a catalogue that is made from the events when it is needed, which is seldom,
/// for one that a process of the house keeps may be behind them.
fn named_in(
    journal: &dyn Journal,
    backup: &Path,
    progress: &dyn Progress,
) -> Result<BTreeSet<String>, Error> {
    let path = backup.join(".catalogue.sqlite");
    destroy_database(&path)?;
    let mut catalogue = Catalogue::open(&path)?;
    let (mut position, head) = (0, journal.head());
    while position < head {
        if progress.cancelled() {
            return Err(cancelled());
        }
        progress.report("reading_batches", position, head);
        position = catch_up(&mut catalogue, journal)?;
    }
    let named = catalogue.files_now()?;
    drop(catalogue);
    destroy_database(&path)?;
    Ok(named)
}

fn carry_one(
    from: &Path,
    to: &Path,
    name: &str,
    check: bool,
    progress: &dyn Progress,
    carried: &mut PoolCarried,
) -> Result<Option<KeptFile>, Error> {
    let failed = |error: io::Error| Error::io("pool_file_unreadable", from, &error);
    let sha256 = name.strip_suffix(EXTENSION).unwrap_or_default();
    let mut content = match File::open(from) {
        Ok(content) => content,
        // Swept or erased since it was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let bytes = content.metadata().map_err(failed)?.len();
    let kept = KeptFile { path: format!("{POOL_FOLDER}/{name}"), sha256: sha256.to_owned(), bytes };
    let there =
        fs::metadata(to).is_ok_and(|found| found.len() == bytes) && (!check || hash_file(to)?.0 == sha256);
    if there {
        return Ok(Some(kept));
    }
    let (found, _) = place(to, &mut content, progress)?;
    if found != sha256 {
        destroy(to)?;
        // Erased while it was read.
        if !from.exists() {
            return Ok(None);
        }
        return Err(Error::new(
            Kind::FolderUnusable,
            "pool_file_damaged",
            format!("{} is damaged: its SHA-256 is {found}", from.display()),
            "Restore that file from an older backup, then run the same command again.",
        ));
    }
    carried.new = carried.new.saturating_add(1);
    carried.new_bytes = carried.new_bytes.saturating_add(bytes);
    Ok(Some(kept))
}

/// Destroys what is not kept any more.
pub(super) fn sweep(backup: &Path, kept: &[KeptFile]) -> Result<(), Error> {
    let folder = backup.join(POOL_FOLDER);
    let named: BTreeSet<String> = kept.iter().map(|file| format!("{}{EXTENSION}", file.sha256)).collect();
    for name in names_in(&folder)?.iter().filter(|name| !named.contains(*name)) {
        destroy(&folder.join(name))?;
    }
    flush_folder(&folder)
}

fn parquet_in(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = names_in(folder)?;
    names.retain(|name| name.ends_with(EXTENSION) && !name.starts_with('.'));
    Ok(names)
}
