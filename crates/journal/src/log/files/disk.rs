//! Files of the operating system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Files, OpenFile};

/// Flushes under way at once: a file system that keeps a journal serves those that come together with one commit.
const SYNC_THREADS_MAX: usize = 8;

/// A folder of the operating system, flushed for real.
#[derive(Debug, Clone)]
pub struct DiskFiles {
    folder: PathBuf,
}

impl DiskFiles {
    /// Uses a folder, making it where there is none.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        make_folder_durably(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Uses a folder that must exist, for reading.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotADirectory`] or what the system says.
    pub fn existing(folder: &Path) -> io::Result<Self> {
        if fs::metadata(folder)?.is_dir() {
            Ok(Self { folder: folder.to_owned() })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The system's path; none that leads out of the folder is taken.
    fn place(&self, path: &str) -> io::Result<PathBuf> {
        if path.is_empty() {
            return Ok(self.folder.clone());
        }
        let mut place = self.folder.clone();
        for part in path.split('/') {
            if matches!(part, "" | "." | "..") || part.contains(['\\', ':', '\0']) {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("not a path here: {path}")));
            }
            place.push(part);
        }
        Ok(place)
    }

    fn each_in_parallel(&self, paths: &[String], act: fn(&Self, &str) -> io::Result<()>) -> io::Result<()> {
        let share = paths.len().div_ceil(SYNC_THREADS_MAX).max(1);
        if paths.len() <= 1 {
            return paths.iter().try_for_each(|path| act(self, path));
        }
        thread::scope(|scope| {
            let shares: Vec<_> = paths
                .chunks(share)
                .map(|share| scope.spawn(move || share.iter().try_for_each(|path| act(self, path))))
                .collect();
            shares.into_iter().try_for_each(|share| {
                share.join().unwrap_or_else(|_| Err(io::Error::other("a flushing thread panicked")))
            })
        })
    }
}

/// Makes a folder and those it stands in, so that they outlive a loss of power. That one exists is not enough: who made
/// it may have died before flushing its parent.
///
/// # Errors
/// What the system says.
pub fn make_folder_durably(folder: &Path) -> io::Result<()> {
    let parent = parent_of(folder);
    let existed = folder.is_dir();
    if !existed {
        if !parent.is_dir() {
            make_folder_durably(parent)?;
        }
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    match sync_system_folder(parent) {
        // A folder that an administrator made for this program in one that it may not read.
        Err(error) if existed && error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// Makes the names in a folder durable, where the system can.
///
/// # Errors
/// What the system says.
pub fn sync_system_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Overwrites a file's bytes where they stand, and removes it: it may hold what was erased. One that is gone stays gone;
/// answers whether it was there. The removal of its name is the caller's to make durable.
///
/// # Errors
/// What the system says.
pub fn destroy_file(path: &Path) -> io::Result<bool> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let bytes = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(bytes), &mut file)?;
    file.sync_all()?;
    drop(file);
    fs::remove_file(path)?;
    Ok(true)
}

/// The folder that a path stands in; the current one for a mere name.
pub fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// A file of the system that is open.
#[derive(Debug)]
struct OfDisk {
    /// Not every system reads at a place without moving there first.
    file: Mutex<File>,
    bytes: u64,
}

impl OpenFile for OfDisk {
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        // Memory is taken for what the file has, not for what somebody believes that it has.
        let there = self.bytes.saturating_sub(offset);
        if u64::try_from(length).unwrap_or(u64::MAX) > there {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Files for DiskFiles {
    fn read(&self, path: &str, bytes_max: usize) -> io::Result<Vec<u8>> {
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        let file = File::open(self.place(path)?)?;
        let expected = usize::try_from(file.metadata()?.len().min(limit)).unwrap_or(0);
        let mut bytes = Vec::with_capacity(expected);
        file.take(limit).read_to_end(&mut bytes)?;
        if bytes.len() > bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn OpenFile>> {
        let file = File::open(self.place(path)?)?;
        let bytes = file.metadata()?.len();
        Ok(Box::new(OfDisk { file: Mutex::new(file), bytes }))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        File::create(self.place(path)?)?.write_all(bytes)
    }

    fn sync(&self, path: &str) -> io::Result<()> {
        // Some systems flush only through a handle that may write.
        OpenOptions::new().write(true).open(self.place(path)?)?.sync_all()
    }

    fn sync_all(&self, paths: &[String]) -> io::Result<()> {
        self.each_in_parallel(paths, Self::sync)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.place(from)?, self.place(to)?)
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        sync_system_folder(&self.place(path)?)
    }

    fn sync_folders(&self, paths: &[String]) -> io::Result<()> {
        self.each_in_parallel(paths, Self::sync_folder)
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        match fs::create_dir(self.place(path)?) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.place(path)?)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let place = self.place(path)?;
        if fs::symlink_metadata(&place)?.is_dir() { fs::remove_dir(place) } else { fs::remove_file(place) }
    }
}
