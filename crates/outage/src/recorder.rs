//! Programs that are watched.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::recording::Recording;

/// The library that is preloaded into what is watched.
const SOURCE: &str = include_str!("../recorder/recorder.rs");

/// Watches what programs do to the files below one folder.
#[derive(Debug)]
pub struct Recorder {
    preloaded: PathBuf,
    root: PathBuf,
    record: PathBuf,
}

impl Recorder {
    /// Compiles the recorder, with the compiler that `RUSTC` names, into a folder; there it keeps its record, and makes
    /// the folder `root` that is watched.
    ///
    /// # Errors
    /// What the system says; a compiler that fails.
    pub fn compile(folder: &Path) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        let (source, preloaded) = (folder.join("recorder.rs"), folder.join("librecorder.so"));
        fs::write(&source, SOURCE)?;
        let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut compile = Command::new(compiler);
        compile
            .args(["--edition", "2024", "--crate-type", "cdylib", "-O", "-o"])
            .arg(&preloaded)
            .arg(&source);
        if !compile.status()?.success() {
            return Err(io::Error::other("the recorder does not compile"));
        }
        Self { preloaded, root: PathBuf::new(), record: PathBuf::new() }.anew(&folder)
    }

    /// The same recorder for another folder.
    ///
    /// # Errors
    /// What the system says.
    pub fn anew(&self, folder: &Path) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        let root = folder.join("root");
        fs::create_dir(&root)?;
        Ok(Self { preloaded: self.preloaded.clone(), root, record: folder.join("record") })
    }

    /// The folder that is watched; it outlives a loss of power, whatever becomes of what is in it.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Has a program watched. After so many records of its own it is killed as soon as it wants something flushed: what
    /// it wrote is there then, and is not durable.
    pub fn watch(&self, command: &mut Command, dies_at: Option<u64>) {
        command
            .env("RECORDER_ROOT", &self.root)
            .env("RECORDER_LOG", &self.record)
            .env("RECORDER_DIES_AT", dies_at.unwrap_or(u64::MAX).to_string())
            .env("LD_PRELOAD", &self.preloaded);
    }

    /// What all watched programs did, one after the other.
    ///
    /// # Errors
    /// A record that cannot be read, or that is not complete: carried out, it must give what stands in the folder.
    pub fn recording(&self) -> io::Result<Recording> {
        let recording = Recording::read(&self.record)?;
        let missed = recording.missed(&self.root)?;
        if missed.is_empty() { Ok(recording) } else { Err(io::Error::other(missed.join("\n"))) }
    }
}
