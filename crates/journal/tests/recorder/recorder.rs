//! A library to be preloaded into a program: it writes down, in order, what the program does to the files below one
//! folder, and what it prints.
//!
//! `RECORDER_ROOT` is the folder, `RECORDER_LOG` the record, which is appended to, `RECORDER_DIES_AT` a number of records
//! after which the program is killed as soon as it wants something flushed: what it wrote is there, and is not durable. Each record is a letter, the length of a path and the path relative to the
//! folder, a number, the length of the data and the data; lengths and numbers are 8 bytes, little-endian. The record of
//! an operation is written before any other recorded operation begins.
//!
//! Compiled by the test with `rustc --crate-type cdylib`; Linux only.
//! Not seen, because neither SQLite as it is used here nor the standard library does it: writing through a mapping of
//! anything but SQLite's `-shm` file (an index that is built anew), `copy_file_range`, `sendfile`, `link`.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::fs::{self, File};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

type Size = usize;
type Offset = i64;

#[repr(C)]
pub struct Piece {
    base: *const c_void,
    len: Size,
}

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn lseek(fd: c_int, offset: Offset, whence: c_int) -> Offset;
    fn getpid() -> c_int;
    fn kill(pid: c_int, signal: c_int) -> c_int;
    fn __errno_location() -> *mut c_int;
}

const NEXT: *mut c_void = -1_isize as *mut c_void;
const CREATES: c_int = 0o100;
const CUTS: c_int = 0o1000;
const HERE: c_int = -100;
const REMOVES_FOLDER: c_int = 0x200;

struct Recorder {
    root: PathBuf,
    log: File,
    records: u64,
    dies_at: u64,
}

fn recorder() -> Option<MutexGuard<'static, Recorder>> {
    static RECORDER: OnceLock<Option<Mutex<Recorder>>> = OnceLock::new();
    let recorder = RECORDER.get_or_init(|| {
        let root = PathBuf::from(std::env::var_os("RECORDER_ROOT")?);
        let path = CString::new(std::env::var_os("RECORDER_LOG")?.as_bytes()).ok()?;
        // Not through the standard library: its call would come back here.
        let open: extern "C" fn(*const c_char, c_int, c_int) -> c_int = next(c"open64")?;
        let fd = open(path.as_ptr(), 0o2001 | CREATES | 0o2000000, 0o600);
        let log = (fd >= 0).then(|| unsafe { File::from_raw_fd(fd) })?;
        let dies_at =
            std::env::var("RECORDER_DIES_AT").ok().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
        Some(Mutex::new(Recorder { root, log, records: 0, dies_at }))
    });
    recorder.as_ref().map(|recorder| recorder.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The function that would have been called.
fn next<F: Copy>(name: &CStr) -> Option<F> {
    static KNOWN: Mutex<BTreeMap<CString, usize>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found =
        *known.entry(name.to_owned()).or_insert_with(|| unsafe { dlsym(NEXT, name.as_ptr()) } as usize);
    assert_eq!(size_of::<F>(), size_of::<usize>());
    (found != 0).then(|| unsafe { std::mem::transmute_copy(&found) })
}

fn real<F: Copy>(name: &CStr) -> F {
    next(name).unwrap_or_else(|| std::process::abort())
}

impl Recorder {
    fn record(&mut self, letter: u8, path: &[u8], number: u64, data: &[u8]) {
        let length = |bytes: &[u8]| (bytes.len() as u64).to_le_bytes();
        let mut record = vec![letter];
        record.extend(length(path));
        record.extend(path);
        record.extend(number.to_le_bytes());
        record.extend(length(data));
        record.extend(data);
        let write: extern "C" fn(c_int, *const c_void, Size) -> isize = real(c"write");
        let fd = std::os::fd::AsRawFd::as_raw_fd(&self.log);
        if write(fd, record.as_ptr().cast(), record.len()) != record.len() as isize {
            std::process::abort();
        }
        self.records += 1;
    }

    fn relative(&self, path: &Path) -> Option<Vec<u8>> {
        let path = path.strip_prefix(&self.root).ok()?;
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let derived = path.as_os_str().as_bytes().ends_with(b"-shm");
        (plain && !derived).then(|| path.as_os_str().as_bytes().to_vec())
    }

    /// A path as it was handed in: absolute, or relative to the current folder or an open one.
    fn named(&self, folder: c_int, path: *const c_char) -> Option<Vec<u8>> {
        let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes())).to_owned();
        let folder = match folder {
            _ if path.is_absolute() => PathBuf::new(),
            HERE => std::env::current_dir().ok()?,
            fd => fs::read_link(format!("/proc/self/fd/{fd}")).ok()?,
        };
        self.relative(&folder.join(path))
    }

    /// The path of an open file or folder.
    fn opened(&self, fd: c_int) -> Option<Vec<u8>> {
        self.relative(&fs::read_link(format!("/proc/self/fd/{fd}")).ok()?)
    }
}

/// What the program did must not be changed by what this does.
fn keeping_errno<T>(act: impl FnOnce() -> T) -> T {
    unsafe {
        let errno = *__errno_location();
        let result = act();
        *__errno_location() = errno;
        result
    }
}

fn file_of(fd: c_int) -> ManuallyDrop<File> {
    ManuallyDrop::new(unsafe { File::from_raw_fd(fd) })
}

fn opening(folder: c_int, path: *const c_char, flags: c_int, open: impl FnOnce() -> c_int) -> c_int {
    let Some(mut recorder) = recorder() else { return open() };
    let named = recorder.named(folder, path);
    let Some(named) = named.filter(|_| flags & (CREATES | CUTS) != 0) else { return open() };
    let existed = fs::symlink_metadata(recorder.root.join(OsStr::from_bytes(&named))).is_ok();
    let fd = open();
    if fd >= 0 {
        keeping_errno(|| {
            if !existed {
                recorder.record(b'c', &named, 0, &[]);
            } else if flags & CUTS != 0 {
                recorder.record(b't', &named, 0, &[]);
            }
        });
    }
    fd
}

fn writing(
    fd: c_int,
    at: Option<Offset>,
    data: impl FnOnce(usize) -> Vec<u8>,
    write: impl FnOnce() -> isize,
) -> isize {
    let Some(mut recorder) = recorder() else { return write() };
    let written = write();
    if written > 0 {
        keeping_errno(|| {
            let data = data(written as usize);
            if fd == 1 {
                recorder.record(b'p', &[], 0, &data);
            } else if let Some(path) = recorder.opened(fd) {
                let at = at.unwrap_or_else(|| unsafe { lseek(fd, 0, 1) } - written as Offset);
                recorder.record(b'w', &path, at as u64, &data);
            }
        });
    }
    written
}

fn copied(base: *const c_void, len: usize) -> Vec<u8> {
    unsafe { std::slice::from_raw_parts(base.cast::<u8>(), len) }.to_vec()
}

/// Does it, and records it if it went well.
fn changing(
    letter: u8,
    path: Option<Vec<u8>>,
    to: Vec<u8>,
    recorder: Option<MutexGuard<Recorder>>,
    act: impl FnOnce() -> c_int,
) -> c_int {
    let result = act();
    if let (0, Some(path), Some(mut recorder)) = (result, path, recorder) {
        keeping_errno(|| recorder.record(letter, &path, 0, &to));
    }
    result
}

macro_rules! opens {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
            let open: extern "C" fn(*const c_char, c_int, c_int) -> c_int = real($text);
            opening(HERE, path, flags, || open(path, flags, mode))
        }
    )*};
}
opens!(open c"open", open64 c"open64");

macro_rules! opens_at {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(folder: c_int, path: *const c_char, flags: c_int, mode: c_int) -> c_int {
            let open: extern "C" fn(c_int, *const c_char, c_int, c_int) -> c_int = real($text);
            opening(folder, path, flags, || open(folder, path, flags, mode))
        }
    )*};
}
opens_at!(openat c"openat", openat64 c"openat64");

#[unsafe(no_mangle)]
pub extern "C" fn write(fd: c_int, base: *const c_void, len: Size) -> isize {
    let real: extern "C" fn(c_int, *const c_void, Size) -> isize = real(c"write");
    writing(fd, None, |written| copied(base, written), || real(fd, base, len))
}

macro_rules! writes_at {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(fd: c_int, base: *const c_void, len: Size, at: Offset) -> isize {
            let real: extern "C" fn(c_int, *const c_void, Size, Offset) -> isize = real($text);
            writing(fd, Some(at), |written| copied(base, written), || real(fd, base, len, at))
        }
    )*};
}
writes_at!(pwrite c"pwrite", pwrite64 c"pwrite64");

fn joined(pieces: *const Piece, count: c_int, written: usize) -> Vec<u8> {
    let pieces = unsafe { std::slice::from_raw_parts(pieces, count as usize) };
    let mut data: Vec<u8> = pieces.iter().flat_map(|piece| copied(piece.base, piece.len)).collect();
    data.truncate(written);
    data
}

#[unsafe(no_mangle)]
pub extern "C" fn writev(fd: c_int, pieces: *const Piece, count: c_int) -> isize {
    let real: extern "C" fn(c_int, *const Piece, c_int) -> isize = real(c"writev");
    writing(fd, None, |written| joined(pieces, count, written), || real(fd, pieces, count))
}

macro_rules! cuts {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(fd: c_int, len: Offset) -> c_int {
            let real: extern "C" fn(c_int, Offset) -> c_int = real($text);
            let Some(mut recorder) = recorder() else { return real(fd, len) };
            let result = real(fd, len);
            if let (0, Some(path)) = (result, recorder.opened(fd)) {
                keeping_errno(|| recorder.record(b't', &path, len as u64, &[]));
            }
            result
        }
    )*};
}
cuts!(ftruncate c"ftruncate", ftruncate64 c"ftruncate64");

macro_rules! flushes {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(fd: c_int) -> c_int {
            let real: extern "C" fn(c_int) -> c_int = real($text);
            let Some(mut recorder) = recorder() else { return real(fd) };
            if recorder.records >= recorder.dies_at {
                unsafe { kill(getpid(), 9) };
            }
            let result = real(fd);
            if let (0, Some(path)) = (result, recorder.opened(fd)) {
                let kind = file_of(fd).metadata().map(|found| found.file_type());
                keeping_errno(|| match kind {
                    Ok(kind) if kind.is_dir() => recorder.record(b'S', &path, 0, &[]),
                    Ok(kind) if !kind.is_fifo() => recorder.record(b's', &path, 0, &[]),
                    _ => {}
                });
            }
            result
        }
    )*};
}
flushes!(fsync c"fsync", fdatasync c"fdatasync");

#[unsafe(no_mangle)]
pub extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let real: extern "C" fn(*const c_char, *const c_char) -> c_int = real(c"rename");
    let recorder = recorder();
    let name = |path| recorder.as_ref().and_then(|recorder| recorder.named(HERE, path));
    let (old, new) = (name(from), name(to).unwrap_or_default());
    changing(b'r', old, new, recorder, || real(from, to))
}

#[unsafe(no_mangle)]
pub extern "C" fn unlink(path: *const c_char) -> c_int {
    let real: extern "C" fn(*const c_char) -> c_int = real(c"unlink");
    let recorder = recorder();
    let named = recorder.as_ref().and_then(|recorder| recorder.named(HERE, path));
    changing(b'u', named, Vec::new(), recorder, || real(path))
}

#[unsafe(no_mangle)]
pub extern "C" fn unlinkat(folder: c_int, path: *const c_char, flags: c_int) -> c_int {
    let real: extern "C" fn(c_int, *const c_char, c_int) -> c_int = real(c"unlinkat");
    let recorder = recorder();
    let named = recorder.as_ref().and_then(|recorder| recorder.named(folder, path));
    let letter = if flags & REMOVES_FOLDER != 0 { b'd' } else { b'u' };
    changing(letter, named, Vec::new(), recorder, || real(folder, path, flags))
}

#[unsafe(no_mangle)]
pub extern "C" fn mkdir(path: *const c_char, mode: c_int) -> c_int {
    let real: extern "C" fn(*const c_char, c_int) -> c_int = real(c"mkdir");
    let recorder = recorder();
    let named = recorder.as_ref().and_then(|recorder| recorder.named(HERE, path));
    changing(b'm', named, Vec::new(), recorder, || real(path, mode))
}

#[unsafe(no_mangle)]
pub extern "C" fn rmdir(path: *const c_char) -> c_int {
    let real: extern "C" fn(*const c_char) -> c_int = real(c"rmdir");
    let recorder = recorder();
    let named = recorder.as_ref().and_then(|recorder| recorder.named(HERE, path));
    changing(b'd', named, Vec::new(), recorder, || real(path))
}
