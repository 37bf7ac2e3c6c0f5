//! What the recorder sees, and what it says of what it cannot follow.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use outage::{Recorder, Recording};

const CHILD_FOLDER: &str = "TIDEWAITER_OUTAGE_CHILD_FOLDER";

/// Runs a script of the system's own programs under the recorder, in the folder that is watched.
fn after(recorder: &Recorder, script: &str) -> io::Result<Recording> {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder.anew(folder.path()).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", script]).current_dir(recorder.root());
    recorder.watch(&mut shell, None);
    assert!(shell.status().unwrap().success(), "{script}");
    recorder.recording()
}

/// The disk after the whole record, had all of it been flushed.
fn left(recording: &Recording, path: &str) -> Vec<String> {
    let losses = recording.losses(1, 200, &|_| false).map(Result::unwrap);
    let contents = losses.filter_map(|loss| {
        let folder = tempfile::tempdir().unwrap();
        loss.write_out(folder.path()).unwrap();
        fs::read_to_string(folder.path().join(path)).ok()
    });
    contents.collect()
}

#[test]
fn what_programs_of_the_system_do_is_carried_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::compile(folder.path()).unwrap();
    let cases = [
        ("mkdir -p a/b && printf one >a/b/c && sync a/b/c a/b a .", "a/b/c", "one"),
        ("printf one >a && mv a b && sync b .", "b", "one"),
        ("printf one >a && cat a >b && sync b .", "b", "one"),
        ("printf one >a && printf two >>a && sync a .", "a", "onetwo"),
        ("printf onetwo >a && dd if=/dev/null of=a bs=1 seek=3 2>/dev/null && sync a .", "a", "one"),
    ];
    for (script, path, expected) in cases {
        let recording = after(&recorder, script).unwrap();
        let left = left(&recording, path);
        assert!(left.iter().any(|content| content == expected), "{script}: {recording:?} {left:?}");
    }
}

/// The child: copies a file as the standard library does, in the kernel where that can. As a test of its own it does
/// nothing.
#[test]
fn child() {
    let Some(folder) = env::var_os(CHILD_FOLDER).map(PathBuf::from) else { return };
    let (from, to, again) = (folder.join("from"), folder.join("to"), folder.join("again"));
    fs::write(&from, "one").unwrap();
    fs::copy(&from, &to).unwrap();
    let mut out = File::create(&again).unwrap();
    io::copy(&mut File::open(&from).unwrap(), &mut out).unwrap();
    io::copy(&mut File::open(&to).unwrap(), &mut out).unwrap();
    out.sync_all().unwrap();
    File::open(&folder).unwrap().sync_all().unwrap();
}

#[test]
fn what_is_copied_in_the_kernel_is_carried_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::compile(folder.path()).unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "child"]).env(CHILD_FOLDER, recorder.root());
    recorder.watch(&mut child, None);
    assert!(child.status().unwrap().success());
    let left = left(&recorder.recording().unwrap(), "again");
    assert!(left.iter().any(|content| content == "oneone"), "{left:?}");
}

#[test]
fn what_it_cannot_follow_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::compile(folder.path()).unwrap();
    let cases = [
        ("printf one >a && ln a b", "link"),
        ("printf one >a && ln -s a b", "symlink"),
        ("fallocate -l 4096 a", "fallocate"),
        ("printf one >../beside && mv ../beside a", "rename"),
    ];
    for (script, expected) in cases {
        let refused = after(&recorder, script).unwrap_err().to_string();
        assert!(refused.contains(expected), "{script}: {refused}");
    }
}

#[test]
fn a_record_that_is_cut_off_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record");
    let read = |bytes: &[u8], path: &Path| {
        fs::write(path, bytes).unwrap();
        Recording::read(path).map(|recording| recording.records()).map_err(|error| error.kind())
    };
    let mut whole = vec![b'm'];
    whole.extend(1_u64.to_le_bytes());
    whole.push(b'a');
    whole.extend([0; 16]);
    assert_eq!(read(&whole, &path), Ok(1));
    for end in 1..whole.len() {
        assert_eq!(read(&whole[..end], &path), Err(io::ErrorKind::InvalidData), "{end}");
    }
}
