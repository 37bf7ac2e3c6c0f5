//! What was recorded, and the disks that may be left of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use journal::log::Files;
use journal::log::files::{Dice, Faults, FaultyDisk};

/// Longest record that is read, in bytes.
const RECORD_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Flushes and new names: right before and after them a loss of power tells most.
const MARKED: &[u8] = b"sSr";

/// One thing that a program did; `recorder/recorder.rs` says which letter means what.
struct Record {
    what: u8,
    path: String,
    number: usize,
    data: Vec<u8>,
}

/// What programs did to the files below one folder, and what they said meanwhile.
pub struct Recording {
    records: Vec<Record>,
}

impl fmt::Debug for Recording {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Recording").field("records", &self.records.len()).finish()
    }
}

impl Recording {
    /// Reads a record.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::InvalidData`] of one that is cut off or larger than 2 GiB.
    pub fn read(path: &Path) -> io::Result<Self> {
        if fs::metadata(path)?.len() > RECORD_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the record is too large"));
        }
        let bytes = fs::read(path)?;
        let (mut rest, mut records) = (bytes.as_slice(), Vec::new());
        while let Some((what, after)) = rest.split_first() {
            let record = Record::read(*what, after);
            let (record, after) =
                record.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the record is cut off"))?;
            records.push(record);
            rest = after;
        }
        Ok(Self { records })
    }

    /// How much was recorded.
    #[must_use]
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// Was there anything of this kind?
    #[must_use]
    pub fn happened(&self, letter: char) -> bool {
        self.records.iter().any(|record| char::from(record.what) == letter)
    }

    /// Compares what the records come to with what stands below the folder; says what differs.
    ///
    /// # Errors
    /// What the system says; a record that cannot be carried out.
    pub fn missed(&self, root: &Path) -> io::Result<Vec<String>> {
        let disk = FaultyDisk::new(1, Faults::default());
        self.records.iter().try_for_each(|record| record.carry_out(&disk, &|_| false))?;
        let (recorded, found) = (disk.all().1, found_below(root)?);
        let names: BTreeSet<&String> = recorded.keys().chain(found.keys()).collect();
        let differs = names.into_iter().filter(|name| recorded.get(*name) != found.get(*name));
        Ok(differs.map(|name| format!("the recorder missed something that was done to {name}")).collect())
    }

    /// So many losses of power, in the order in which they come. A flush of a path that is forgotten does not happen.
    pub fn losses<'a>(
        &'a self,
        seed: u64,
        number: usize,
        forgets: &'a (dyn Fn(&str) -> bool + Sync),
    ) -> Losses<'a> {
        let points = self.points(number, &mut Dice::new(seed));
        self.losses_at(points, seed, forgets)
    }

    /// A loss of power at every point of the record: for short ones.
    pub fn every_loss(&self, seed: u64) -> Losses<'_> {
        self.losses_at((0..=self.records.len()).collect(), seed, &|_| false)
    }

    fn losses_at<'a>(
        &'a self,
        points: Vec<usize>,
        seed: u64,
        forgets: &'a (dyn Fn(&str) -> bool + Sync),
    ) -> Losses<'a> {
        let disk = FaultyDisk::new(seed, Faults::default());
        Losses { recording: self, forgets, seed, disk, points: points.into_iter(), carried_out: 0, image: 0 }
    }

    /// Points of the record: most of them right before or after a flush or a new name.
    fn points(&self, number: usize, dice: &mut Dice) -> Vec<usize> {
        let marked: Vec<usize> = self
            .records
            .iter()
            .enumerate()
            .filter(|(_, record)| MARKED.contains(&record.what))
            .map(|(place, _)| place)
            .collect();
        let mut point = |image: usize| match marked.get(dice.below_usize(marked.len())) {
            Some(marked) if !image.is_multiple_of(4) => marked.saturating_add(image % 2),
            _ => dice.below_usize(self.records.len()),
        };
        let mut points: Vec<usize> = (0..number).map(&mut point).collect();
        points.sort_unstable();
        points
    }
}

impl Record {
    fn read(what: u8, rest: &[u8]) -> Option<(Self, &[u8])> {
        let (path, rest) = piece(rest)?;
        let (number, rest) = number(rest)?;
        let (data, rest) = piece(rest)?;
        let path = String::from_utf8(path.to_vec()).ok()?;
        Some((Self { what, path, number, data: data.to_vec() }, rest))
    }

    fn carry_out(&self, disk: &FaultyDisk, forgets: &dyn Fn(&str) -> bool) -> io::Result<()> {
        let Self { what, path, number, data } = self;
        // A file that has no name any more is nobody's.
        if path.ends_with(" (deleted)") {
            return Ok(());
        }
        let text = String::from_utf8_lossy(data);
        let done = match what {
            b'c' => disk.create(path),
            b'w' => disk.write_at(path, *number, data),
            b't' => disk.set_bytes(path, *number),
            b's' | b'S' if forgets(path) => Ok(()),
            b's' => disk.sync(path),
            b'S' => disk.sync_folder(path),
            b'r' => disk.rename(path, &text),
            b'u' | b'd' => disk.remove(path),
            b'm' => disk.make_folder(path),
            b'p' => Ok(()),
            _ => Err(io::Error::other(format!("the recorder cannot follow {text}"))),
        };
        done.map_err(|error| io::Error::other(format!("{} {path}: {error}", char::from(*what))))
    }
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((usize::try_from(u64::from_le_bytes(*number)).ok()?, rest))
}

fn piece(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(bytes)?;
    rest.split_at_checked(length)
}

/// Every file below a folder that is recorded, by its path there.
fn found_below(root: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.ends_with("-shm") {
                found.insert(name, fs::read(path)?);
            }
        }
    }
    Ok(found)
}

/// Losses of power, one after the other; [`Recording::losses`].
pub struct Losses<'a> {
    recording: &'a Recording,
    forgets: &'a (dyn Fn(&str) -> bool + Sync),
    seed: u64,
    disk: FaultyDisk,
    points: std::vec::IntoIter<usize>,
    carried_out: usize,
    image: u64,
}

impl fmt::Debug for Losses<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Losses")
            .field("seed", &self.seed)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

/// What is left after one loss of power.
#[derive(Debug)]
pub struct Loss<'a> {
    /// Which one it is: with the seed and the record it tells the whole story.
    pub name: String,
    /// What programs said between the loss before and this one: on standard output and on sockets.
    pub said: Vec<&'a [u8]>,
    disk: FaultyDisk,
}

impl<'a> Iterator for Losses<'a> {
    type Item = io::Result<Loss<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let point = self.points.next()?;
        let records = self.recording.records.get(self.carried_out..point).unwrap_or_default();
        self.carried_out = point;
        self.image = self.image.saturating_add(1);
        if let Err(error) = records.iter().try_for_each(|record| record.carry_out(&self.disk, self.forgets)) {
            return Some(Err(error));
        }
        let said = records.iter().filter(|record| record.what == b'p');
        let disk = self.disk.copy(self.seed.wrapping_mul(1_000_000).wrapping_add(self.image));
        disk.restart_after_power_loss(Faults::default());
        let name = format!(
            "after {point} of {} records, seed {}, image {}",
            self.recording.records(),
            self.seed,
            self.image
        );
        Some(Ok(Loss { name, said: said.map(|record| record.data.as_slice()).collect(), disk }))
    }
}

impl Loss<'_> {
    /// Puts what is left into a folder of the system. Only its owner may read it, for modes are not recorded, and keys
    /// that others may read are refused.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_out(&self, to: &Path) -> io::Result<()> {
        let (folders, files) = self.disk.all();
        let (mut folder, mut file) = (DirBuilder::new(), OpenOptions::new());
        file.write(true).create_new(true);
        #[cfg(unix)]
        {
            std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
            std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
        }
        folders.iter().try_for_each(|path| folder.create(to.join(path)))?;
        files.iter().try_for_each(|(path, content)| file.open(to.join(path))?.write_all(content))
    }
}
