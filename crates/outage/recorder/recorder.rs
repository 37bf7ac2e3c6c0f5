//! A library to be preloaded into a program: it writes down, in order, what the program does to the files below one
//! folder, and what it says.
//!
//! `RECORDER_ROOT` is the folder, `RECORDER_LOG` the record, which is appended to, `RECORDER_DIES_AT` a number of
//! records after which the program is killed as soon as it wants something flushed: what it wrote is there, and is not
//! durable. Each record is a letter, the length of a path and the path relative to the folder, a number, the length of
//! the data and the data; lengths and numbers are 8 bytes, little-endian. The record of an operation is written before
//! any other recorded operation begins.
//!
//! | letter | what | number | data |
//! |---|---|---|---|
//! | c | a file was made | | |
//! | w | bytes were written | place | the bytes |
//! | t | a file was cut or filled up | its length | |
//! | s S | a file, a folder was flushed | | |
//! | r | a new name was given | | the new name |
//! | u d | a file, a folder was removed | | |
//! | m | a folder was made | | |
//! | p | something was printed, or sent over a socket | | the bytes |
//! | ! | something was done that this cannot follow: whoever reads the record fails | | its name |
//!
//! Linux only, and 64 bits. SQLite's `-shm` files are left out: they are indexes that are built anew.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_uint, c_ulong, c_void};
use std::fs::{self, File};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

type Size = usize;
type Offset = i64;

#[repr(C)]
pub struct Piece {
    base: *const c_void,
    len: Size,
}

/// A message of `sendmsg`, as far as it is looked at.
#[repr(C)]
pub struct Message {
    name: *const c_void,
    name_len: c_uint,
    pieces: *const Piece,
    count: Size,
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
const EXCHANGES_OR_WHITES_OUT: c_int = 2 | 4;
const MAY_WRITE: c_int = 2;
const SHARED: c_int = 1;
const CLONES: [c_ulong; 2] = [0x4004_9409, 0x4020_940d];

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
        let path: PathBuf = path.strip_prefix(&self.root).ok()?.components().collect();
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
            if let Some(path) = recorder.opened(fd) {
                let at = at.unwrap_or_else(|| unsafe { lseek(fd, 0, 1) } - written as Offset);
                recorder.record(b'w', &path, at as u64, &data(written as usize));
            } else if fd == 1 || is_socket(fd) {
                recorder.record(b'p', &[], 0, &data(written as usize));
            }
        });
    }
    written
}

fn is_socket(fd: c_int) -> bool {
    file_of(fd).metadata().is_ok_and(|found| found.file_type().is_socket())
}

/// What cannot be followed is recorded as that, if it went well and was done to what is watched.
fn not_followed<T: Copy + PartialOrd + From<i8>>(
    what: &str,
    place: impl FnOnce(&Recorder) -> Option<Vec<u8>>,
    act: impl FnOnce() -> T,
) -> T {
    let Some(mut recorder) = recorder() else { return act() };
    let result = act();
    if result >= T::from(0) {
        keeping_errno(|| {
            if let Some(path) = place(&recorder) {
                recorder.record(b'!', &path, 0, what.as_bytes());
            }
        });
    }
    result
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

fn renaming(
    (from_folder, from): (c_int, *const c_char),
    (to_folder, to): (c_int, *const c_char),
    flags: c_int,
    rename: impl FnOnce() -> c_int,
) -> c_int {
    let recorder = recorder();
    let name = |folder, path| recorder.as_ref().and_then(|recorder| recorder.named(folder, path));
    let (old, new) = (name(from_folder, from), name(to_folder, to));
    match (old, new) {
        (None, None) => rename(),
        (Some(old), Some(new)) if flags & EXCHANGES_OR_WHITES_OUT == 0 => {
            changing(b'r', Some(old), new, recorder, rename)
        }
        // Between what is watched and what is not, or two names at once.
        (old, new) => changing(b'!', old.or(new), b"rename".to_vec(), recorder, rename),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let real: extern "C" fn(*const c_char, *const c_char) -> c_int = real(c"rename");
    renaming((HERE, from), (HERE, to), 0, || real(from, to))
}

#[unsafe(no_mangle)]
pub extern "C" fn renameat(old: c_int, from: *const c_char, new: c_int, to: *const c_char) -> c_int {
    let real: extern "C" fn(c_int, *const c_char, c_int, *const c_char) -> c_int = real(c"renameat");
    renaming((old, from), (new, to), 0, || real(old, from, new, to))
}

#[unsafe(no_mangle)]
pub extern "C" fn renameat2(
    old: c_int,
    from: *const c_char,
    new: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    let real: extern "C" fn(c_int, *const c_char, c_int, *const c_char, c_int) -> c_int = real(c"renameat2");
    renaming((old, from), (new, to), flags, || real(old, from, new, to, flags))
}

/// A change of the one name that a call is about.
fn naming(letter: u8, folder: c_int, path: *const c_char, call: impl FnOnce() -> c_int) -> c_int {
    let recorder = recorder();
    let named = recorder.as_ref().and_then(|recorder| recorder.named(folder, path));
    changing(letter, named, Vec::new(), recorder, call)
}

#[unsafe(no_mangle)]
pub extern "C" fn unlink(path: *const c_char) -> c_int {
    let real: extern "C" fn(*const c_char) -> c_int = real(c"unlink");
    naming(b'u', HERE, path, || real(path))
}

#[unsafe(no_mangle)]
pub extern "C" fn unlinkat(folder: c_int, path: *const c_char, flags: c_int) -> c_int {
    let real: extern "C" fn(c_int, *const c_char, c_int) -> c_int = real(c"unlinkat");
    let letter = if flags & REMOVES_FOLDER != 0 { b'd' } else { b'u' };
    naming(letter, folder, path, || real(folder, path, flags))
}

#[unsafe(no_mangle)]
pub extern "C" fn mkdir(path: *const c_char, mode: c_int) -> c_int {
    let real: extern "C" fn(*const c_char, c_int) -> c_int = real(c"mkdir");
    naming(b'm', HERE, path, || real(path, mode))
}

#[unsafe(no_mangle)]
pub extern "C" fn rmdir(path: *const c_char) -> c_int {
    let real: extern "C" fn(*const c_char) -> c_int = real(c"rmdir");
    naming(b'd', HERE, path, || real(path))
}

#[unsafe(no_mangle)]
pub extern "C" fn mkdirat(folder: c_int, path: *const c_char, mode: c_int) -> c_int {
    let real: extern "C" fn(c_int, *const c_char, c_int) -> c_int = real(c"mkdirat");
    naming(b'm', folder, path, || real(folder, path, mode))
}

#[unsafe(no_mangle)]
pub extern "C" fn send(fd: c_int, base: *const c_void, len: Size, flags: c_int) -> isize {
    let real: extern "C" fn(c_int, *const c_void, Size, c_int) -> isize = real(c"send");
    writing(fd, None, |written| copied(base, written), || real(fd, base, len, flags))
}

#[unsafe(no_mangle)]
pub extern "C" fn sendmsg(fd: c_int, message: *const Message, flags: c_int) -> isize {
    let real: extern "C" fn(c_int, *const Message, c_int) -> isize = real(c"sendmsg");
    let data = |written| {
        let message = unsafe { &*message };
        joined(message.pieces, message.count as c_int, written)
    };
    writing(fd, None, data, || real(fd, message, flags))
}

/// The bytes that were copied out of a file, at its place before or at the one that is told.
fn source(fd: c_int, at: *const Offset) -> impl FnOnce(usize) -> Vec<u8> {
    let before = if at.is_null() { unsafe { lseek(fd, 0, 1) } } else { unsafe { *at } };
    move |written| {
        let mut data = vec![0; written];
        if file_of(fd).read_exact_at(&mut data, before as u64).is_err() {
            std::process::abort();
        }
        data
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn copy_file_range(
    from: c_int,
    from_at: *mut Offset,
    to: c_int,
    to_at: *mut Offset,
    len: Size,
    flags: c_uint,
) -> isize {
    type Real = extern "C" fn(c_int, *mut Offset, c_int, *mut Offset, Size, c_uint) -> isize;
    let real: Real = real(c"copy_file_range");
    let at = (!to_at.is_null()).then(|| unsafe { *to_at });
    writing(to, at, source(from, from_at), || real(from, from_at, to, to_at, len, flags))
}

macro_rules! sends_files {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(to: c_int, from: c_int, at: *mut Offset, len: Size) -> isize {
            let real: extern "C" fn(c_int, c_int, *mut Offset, Size) -> isize = real($text);
            writing(to, None, source(from, at), || real(to, from, at, len))
        }
    )*};
}
sends_files!(sendfile c"sendfile", sendfile64 c"sendfile64");

#[unsafe(no_mangle)]
pub extern "C" fn link(from: *const c_char, to: *const c_char) -> c_int {
    let real: extern "C" fn(*const c_char, *const c_char) -> c_int = real(c"link");
    not_followed("link", |recorder| recorder.named(HERE, to), || real(from, to))
}

#[unsafe(no_mangle)]
pub extern "C" fn linkat(old: c_int, from: *const c_char, new: c_int, to: *const c_char, flags: c_int) -> c_int {
    let real: extern "C" fn(c_int, *const c_char, c_int, *const c_char, c_int) -> c_int = real(c"linkat");
    not_followed("linkat", |recorder| recorder.named(new, to), || real(old, from, new, to, flags))
}

#[unsafe(no_mangle)]
pub extern "C" fn symlink(from: *const c_char, to: *const c_char) -> c_int {
    let real: extern "C" fn(*const c_char, *const c_char) -> c_int = real(c"symlink");
    not_followed("symlink", |recorder| recorder.named(HERE, to), || real(from, to))
}

#[unsafe(no_mangle)]
pub extern "C" fn symlinkat(from: *const c_char, new: c_int, to: *const c_char) -> c_int {
    let real: extern "C" fn(*const c_char, c_int, *const c_char) -> c_int = real(c"symlinkat");
    not_followed("symlinkat", |recorder| recorder.named(new, to), || real(from, new, to))
}

#[unsafe(no_mangle)]
pub extern "C" fn splice(
    from: c_int,
    from_at: *mut Offset,
    to: c_int,
    to_at: *mut Offset,
    len: Size,
    flags: c_uint,
) -> isize {
    type Real = extern "C" fn(c_int, *mut Offset, c_int, *mut Offset, Size, c_uint) -> isize;
    let real: Real = real(c"splice");
    not_followed("splice", |recorder| recorder.opened(to), || real(from, from_at, to, to_at, len, flags))
}

macro_rules! writes_pieces_at {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(fd: c_int, pieces: *const Piece, count: c_int, at: Offset) -> isize {
            let real: extern "C" fn(c_int, *const Piece, c_int, Offset) -> isize = real($text);
            writing(fd, Some(at), |written| joined(pieces, count, written), || real(fd, pieces, count, at))
        }
    )*};
}
writes_pieces_at!(pwritev c"pwritev", pwritev64 c"pwritev64");

macro_rules! reserves {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(fd: c_int, mode: c_int, at: Offset, len: Offset) -> c_int {
            let real: extern "C" fn(c_int, c_int, Offset, Offset) -> c_int = real($text);
            not_followed("fallocate", |recorder| recorder.opened(fd), || real(fd, mode, at, len))
        }
    )*};
}
reserves!(fallocate c"fallocate", fallocate64 c"fallocate64");

macro_rules! reserves_as_posix {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(fd: c_int, at: Offset, len: Offset) -> c_int {
            let real: extern "C" fn(c_int, Offset, Offset) -> c_int = real($text);
            not_followed("posix_fallocate", |recorder| recorder.opened(fd), || real(fd, at, len))
        }
    )*};
}
reserves_as_posix!(posix_fallocate c"posix_fallocate", posix_fallocate64 c"posix_fallocate64");

macro_rules! cuts_by_name {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(path: *const c_char, len: Offset) -> c_int {
            let real: extern "C" fn(*const c_char, Offset) -> c_int = real($text);
            not_followed("truncate", |recorder| recorder.named(HERE, path), || real(path, len))
        }
    )*};
}
cuts_by_name!(truncate c"truncate", truncate64 c"truncate64");

/// Only a request that clones one file's blocks into another writes to a file.
#[unsafe(no_mangle)]
pub extern "C" fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_void) -> c_int {
    let real: extern "C" fn(c_int, c_ulong, *mut c_void) -> c_int = real(c"ioctl");
    if !CLONES.contains(&request) {
        return real(fd, request, argument);
    }
    not_followed("a clone of a file's blocks", |recorder| recorder.opened(fd), || real(fd, request, argument))
}

/// Allocators call this too: nothing may be allocated unless a file is mapped to be written.
macro_rules! maps {
    ($($name:ident $text:literal),*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(
            base: *mut c_void,
            len: Size,
            protection: c_int,
            flags: c_int,
            fd: c_int,
            at: Offset,
        ) -> *mut c_void {
            type Real = extern "C" fn(*mut c_void, Size, c_int, c_int, c_int, Offset) -> *mut c_void;
            static REAL: OnceLock<Real> = OnceLock::new();
            let real = REAL.get_or_init(|| {
                let found = unsafe { dlsym(NEXT, $text.as_ptr()) };
                if found.is_null() {
                    std::process::abort();
                }
                unsafe { std::mem::transmute::<*mut c_void, Real>(found) }
            });
            let map = || real(base, len, protection, flags, fd, at);
            if fd < 0 || protection & MAY_WRITE == 0 || flags & SHARED == 0 {
                return map();
            }
            let mut mapped = std::ptr::null_mut();
            not_followed("a mapping to be written", |recorder| recorder.opened(fd), || {
                mapped = map();
                if mapped as isize == -1 { -1_isize } else { 0 }
            });
            mapped
        }
    )*};
}
maps!(mmap c"mmap", mmap64 c"mmap64");
