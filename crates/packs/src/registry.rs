//! The registry: built-in packs and installed ones, which version is current, and who approved what.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use include_dir::{Dir, include_dir};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use spine::{Finding, Pointer, Severity};

use crate::check::{check_pack, load};
use crate::content::{MANIFEST_PATH, Pack, PackError};
use crate::durable::{flush_files, flush_folders};
use crate::lists::NamedLists;

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../packs");

/// The record of what is installed and approved, in the registry's folder.
const STATE_FILE: &str = "registry.json";

/// Form of the record.
const STATE_FORMAT: u32 = 1;

/// Where a pack comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Compiled into this binary.
    BuiltIn,
    /// Installed in the data folder.
    Installed,
    /// Compiled into an earlier binary that worked on this data folder; kept so that what was decided by it can be
    /// derived again, never in use.
    Earlier,
}

/// What people decided about a content hash. It is no part of the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Approval {
    /// Not yet approved by two people.
    Draft {
        /// The one who approved so far.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approved_by: Option<String>,
    },
    /// Approved by two different people.
    Approved {
        /// Both, in the order in which they approved.
        approved_by: [String; 2],
    },
    /// No longer to be used; it stays for the record.
    Withdrawn {
        /// Who withdrew it.
        withdrawn_by: String,
        /// Why.
        reason: String,
    },
}

impl Approval {
    const NONE: Self = Self::Draft { approved_by: None };

    /// The stable name of the state.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Draft { .. } => "draft",
            Self::Approved { .. } => "approved",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }
}

/// A pack as the registry knows it.
#[derive(Debug, Clone)]
pub struct PackEntry {
    /// The pack.
    pub pack: Arc<Pack>,
    /// Where it comes from.
    pub origin: Origin,
    /// What people decided about it.
    pub approval: Approval,
    /// Is it the version in use: the newest of its id that is not withdrawn?
    pub current: bool,
    /// Position in the order of installation; 0 for built-in ones.
    pub sequence: u64,
}

/// A named list that an installed pack offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// Name under which conditions use it: `value in name`.
    pub list: String,
    /// Number of values.
    pub values: usize,
}

/// What came of an installation.
#[derive(Debug, Clone, Serialize)]
pub struct InstallReport {
    /// Id, version and content hash of what is installed now; `None` if it was refused.
    pub installed: Option<(String, String, String)>,
    /// The very same content had been there before.
    pub already_installed: bool,
    /// Named lists that it offers.
    pub offers: Vec<Offer>,
    /// What was noticed; errors mean that it was refused.
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Installed {
    id: String,
    version: String,
    hash: String,
    sequence: u64,
}

impl Installed {
    fn of(pack: &Pack, sequence: u64) -> Self {
        Self {
            id: pack.manifest.id.clone(),
            version: pack.manifest.version.to_string(),
            hash: pack.hash.clone(),
            sequence,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    format: u32,
    #[serde(default)]
    installed: Vec<Installed>,
    /// Built-in packs of this binary and of earlier ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    built_in: Vec<Installed>,
    /// By content hash.
    #[serde(default)]
    approvals: BTreeMap<String, Approval>,
}

impl Default for State {
    fn default() -> Self {
        Self { format: STATE_FORMAT, installed: Vec::new(), built_in: Vec::new(), approvals: BTreeMap::new() }
    }
}

/// All packs of an installation.
#[derive(Debug, Clone)]
pub struct Registry {
    folder: Option<PathBuf>,
    state: State,
    entries: Vec<PackEntry>,
    findings: Vec<Finding>,
}

impl Registry {
    /// What the binary was built with. Findings would be defects of the build, which a test excludes; a broken
    /// built-in pack is left out and told in [`Registry::findings`].
    #[must_use]
    pub fn built_in() -> Self {
        let (packs, findings) = shipped();
        let mut registry =
            Self { folder: None, state: State::default(), entries: Vec::new(), findings: findings.clone() };
        for pack in packs {
            registry.add(Arc::clone(pack), Origin::BuiltIn, 0);
        }
        registry.settle();
        registry
    }

    /// Built-in packs and those installed in `folder`, which is made if it is not there. An installed pack whose
    /// content no longer has its recorded hash is left out and told in [`Registry::findings`].
    pub fn open(folder: &Path) -> Result<Self, PackError> {
        fs::create_dir_all(folder).map_err(PackError::io("create the folder", folder))?;
        let state = read_state(&folder.join(STATE_FILE))?;
        let mut registry = Self::built_in();
        registry.folder = Some(folder.to_owned());
        let shipped: BTreeSet<String> =
            registry.entries.iter().map(|entry| entry.pack.hash.clone()).collect();
        let earlier = state.built_in.iter().filter(|own| !shipped.contains(&own.hash));
        let all = state.installed.iter().map(|own| (own, Origin::Installed));
        for (installed, origin) in all.chain(earlier.map(|own| (own, Origin::Earlier))) {
            let place = folder.join(&installed.id).join(&installed.hash);
            let read = if place.is_dir() { Some(Pack::read(&place)?) } else { None };
            match read {
                Some(Ok(pack)) if pack.hash == installed.hash => {
                    registry.add(Arc::new(pack), origin, installed.sequence);
                }
                Some(Err(findings)) => registry.findings.extend(findings),
                other => registry.findings.push(
                    Finding::error("installed_pack_altered")
                        .at(Pointer(place.display().to_string()))
                        .found(&other.map_or_else(
                            || "no such folder".to_owned(),
                            |read| read.map_or_else(|_| String::new(), |pack| pack.hash),
                        ))
                        .expected(format!("content with the hash {}", installed.hash))
                        .fix("Restore the folder from a backup, or install the pack again from its source."),
                ),
            }
        }
        registry.state = state;
        registry.keep_built_in(folder)?;
        registry.settle();
        Ok(registry)
    }

    /// The same packs with exactly these in use, by content hash: to decide again as it was decided then.
    ///
    /// # Errors
    /// The hashes of which no content is here.
    pub fn with_in_use(&self, hashes: &[String]) -> Result<Self, Vec<String>> {
        let here = |hash: &&String| self.entries.iter().any(|entry| entry.pack.hash == **hash);
        let missing: Vec<String> = hashes.iter().filter(|hash| !here(hash)).cloned().collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let mut then = self.clone();
        for entry in &mut then.entries {
            entry.current = hashes.contains(&entry.pack.hash);
        }
        Ok(then)
    }

    /// Keeps the content of this binary's own packs in the folder: a later binary has others.
    fn keep_built_in(&mut self, folder: &Path) -> Result<(), PackError> {
        let kept: BTreeSet<&str> = self.state.built_in.iter().map(|own| own.hash.as_str()).collect();
        let new: Vec<Arc<Pack>> = self
            .entries
            .iter()
            .filter(|entry| entry.origin == Origin::BuiltIn && !kept.contains(entry.pack.hash.as_str()))
            .map(|entry| Arc::clone(&entry.pack))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut state = self.state.clone();
        for pack in new {
            write_files(folder, &pack)?;
            state.built_in.push(Installed::of(&pack, 0));
        }
        self.write_state(folder, state)
    }

    fn add(&mut self, pack: Arc<Pack>, origin: Origin, sequence: u64) {
        self.entries.push(PackEntry { pack, origin, approval: Approval::NONE, current: false, sequence });
    }

    /// Sorts, attaches approvals, and marks the newest version of each id that is not withdrawn.
    fn settle(&mut self) {
        for entry in &mut self.entries {
            entry.approval = self.state.approvals.get(&entry.pack.hash).cloned().unwrap_or(Approval::NONE);
            entry.current = false;
        }
        let rank = |entry: &PackEntry| {
            let version = &entry.pack.manifest.version;
            ((version.major, version.minor, version.patch), entry.sequence, entry.pack.hash.clone())
        };
        self.entries
            .sort_by(|a, b| a.pack.manifest.id.cmp(&b.pack.manifest.id).then_with(|| rank(b).cmp(&rank(a))));
        let mut seen = BTreeSet::new();
        for entry in &mut self.entries {
            let withdrawn = matches!(entry.approval, Approval::Withdrawn { .. });
            let usable = !withdrawn && entry.origin != Origin::Earlier;
            entry.current = usable && seen.insert(entry.pack.manifest.id.clone());
        }
    }

    /// All packs: by id, newest version first.
    #[must_use]
    pub fn list(&self) -> &[PackEntry] {
        &self.entries
    }

    /// The packs in use, by id.
    pub fn current(&self) -> impl Iterator<Item = &Arc<Pack>> {
        self.entries.iter().filter(|entry| entry.current).map(|entry| &entry.pack)
    }

    /// The version in use of a pack; or, given a content hash (at least its first 8 digits), that very content.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&PackEntry> {
        let by_hash = |entry: &&PackEntry| id.len() >= 8 && entry.pack.hash.starts_with(id);
        let by_id = |entry: &&PackEntry| entry.current && entry.pack.manifest.id == id;
        self.entries.iter().find(by_id).or_else(|| self.entries.iter().find(by_hash))
    }

    /// One version of a pack.
    #[must_use]
    pub fn get_version(&self, id: &str, version: &str) -> Option<&PackEntry> {
        self.entries
            .iter()
            .find(|entry| entry.pack.manifest.id == id && entry.pack.manifest.version.to_string() == version)
    }

    /// What is wrong with packs that had to be left out, and unmet dependencies.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        for pack in self.current() {
            for need in &pack.manifest.depends {
                let have = self.get(&need.id).map(|entry| &entry.pack.manifest.version);
                if have.is_none_or(|have| have.major != need.version.major || *have < need.version) {
                    findings.push(
                        Finding::error("pack_dependency_missing")
                            .at(Pointer(format!("{}/{MANIFEST_PATH}/depends", pack.manifest.id)))
                            .found(&have.map_or_else(|| "not installed".to_owned(), ToString::to_string))
                            .expected(format!(
                                "{} {} or a later {}.x",
                                need.id, need.version, need.version.major
                            ))
                            .fix(format!("Install a fitting version of {}.", need.id)),
                    );
                }
            }
        }
        findings
    }

    /// The named lists of all packs in use. Where two packs offer the same name, the installed one wins over the
    /// built-in one: an administration's own list replaces ours.
    #[must_use]
    pub fn lists(&self) -> NamedLists {
        self.lists_of(None)
    }

    /// The same, with those that depend on the day that is asked about: `authorisations_in_force`.
    #[must_use]
    pub fn lists_on(&self, day: Date) -> NamedLists {
        self.lists_of(Some(day))
    }

    fn lists_of(&self, day: Option<Date>) -> NamedLists {
        let mut all = NamedLists::new();
        for origin in [Origin::BuiltIn, Origin::Installed] {
            for entry in self.entries.iter().filter(|entry| entry.current && entry.origin == origin) {
                all.extend(entry.pack.lists_of(day));
            }
        }
        all
    }

    /// Installs a folder: a pack with `pack.toml`, or files as others publish them. Refused with findings when it is
    /// broken, or when the same version is installed with other content. `Err` is the file system's.
    pub fn install(&mut self, source: &Path) -> Result<InstallReport, PackError> {
        self.folder()?;
        let (pack, findings) = load(source)?;
        self.install_loaded(pack, findings)
    }

    /// Checks a pack and keeps it in the registry; the same content once.
    pub fn install_pack(&mut self, pack: Pack) -> Result<InstallReport, PackError> {
        self.install_loaded(Some(pack), Vec::new())
    }

    fn folder(&self) -> Result<PathBuf, PackError> {
        self.folder.clone().ok_or_else(|| {
            PackError::Approval(
                "packs are installed in a data folder, but this registry has none; open one with --data DIR"
                    .to_owned(),
            )
        })
    }

    fn install_loaded(
        &mut self,
        pack: Option<Pack>,
        mut findings: Vec<Finding>,
    ) -> Result<InstallReport, PackError> {
        let folder = self.folder()?;
        let mut report = InstallReport {
            installed: None,
            already_installed: false,
            offers: Vec::new(),
            findings: Vec::new(),
        };
        if let Some(pack) = pack {
            findings.extend(check_pack(&pack));
            findings.extend(self.version_reused(&pack));
            if !findings.iter().any(|finding| finding.severity == Severity::Error) {
                let name = (pack.manifest.id.clone(), pack.manifest.version.to_string(), pack.hash.clone());
                report.offers = pack
                    .lists()
                    .into_iter()
                    .map(|(list, values)| Offer { list, values: values.len() })
                    .collect();
                report.already_installed = self.entries.iter().any(|entry| entry.pack.hash == pack.hash);
                if !report.already_installed {
                    self.keep(&folder, pack)?;
                }
                report.installed = Some(name);
            }
        }
        report.findings = findings;
        Ok(report)
    }

    fn version_reused(&self, pack: &Pack) -> Option<Finding> {
        let version = pack.manifest.version.to_string();
        let other =
            self.get_version(&pack.manifest.id, &version).filter(|entry| entry.pack.hash != pack.hash)?;
        Some(
            Finding::error("pack_version_reused")
                .at(Pointer(format!("{MANIFEST_PATH}/version")))
                .found(&format!("{version} with the hash {}", pack.short_hash()))
                .expected(format!(
                    "{} {version} is already there with the hash {}",
                    pack.manifest.id,
                    other.pack.short_hash()
                ))
                .fix("Raise the version in pack.toml: one version never has two contents."),
        )
    }

    /// Writes the files, then records them: after a crash at any moment the record names only whole packs.
    fn keep(&mut self, folder: &Path, pack: Pack) -> Result<(), PackError> {
        write_files(folder, &pack)?;
        let sequence = self
            .state
            .installed
            .iter()
            .map(|installed| installed.sequence)
            .max()
            .unwrap_or(0)
            .saturating_add(1);
        let mut state = self.state.clone();
        state.installed.push(Installed::of(&pack, sequence));
        self.write_state(folder, state)?;
        self.add(Arc::new(pack), Origin::Installed, sequence);
        self.settle();
        Ok(())
    }

    /// Records that `person` approves the content `hash`. Two different people make it approved.
    pub fn approve(&mut self, hash: &str, person: &str) -> Result<Approval, PackError> {
        let approval = match self.approval_of(hash)? {
            Approval::Draft { approved_by: None } => Approval::Draft { approved_by: Some(person.to_owned()) },
            Approval::Draft { approved_by: Some(first) } if first != person => {
                Approval::Approved { approved_by: [first, person.to_owned()] }
            }
            Approval::Draft { .. } => {
                return Err(PackError::Approval(format!(
                    "{person} has approved this pack already; the second approval must be another person's"
                )));
            }
            other => return Err(PackError::Approval(format!("this pack is {} already", other.name()))),
        };
        self.decide(hash, approval)
    }

    /// Takes the content `hash` out of use; it stays in the registry.
    pub fn withdraw(&mut self, hash: &str, person: &str, reason: &str) -> Result<Approval, PackError> {
        self.approval_of(hash)?;
        self.decide(hash, Approval::Withdrawn { withdrawn_by: person.to_owned(), reason: reason.to_owned() })
    }

    fn approval_of(&self, hash: &str) -> Result<Approval, PackError> {
        self.entries
            .iter()
            .find(|entry| entry.pack.hash == hash)
            .map(|entry| entry.approval.clone())
            .ok_or_else(|| {
                let known: BTreeSet<&str> =
                    self.entries.iter().map(|entry| entry.pack.short_hash()).collect();
                PackError::UnknownPack {
                    id: hash.to_owned(),
                    known: known.into_iter().collect::<Vec<_>>().join(", "),
                }
            })
    }

    fn decide(&mut self, hash: &str, approval: Approval) -> Result<Approval, PackError> {
        let mut state = self.state.clone();
        state.approvals.insert(hash.to_owned(), approval.clone());
        match self.folder.clone() {
            Some(folder) => self.write_state(&folder, state)?,
            None => self.state = state,
        }
        self.settle();
        Ok(approval)
    }

    fn write_state(&mut self, folder: &Path, state: State) -> Result<(), PackError> {
        let place = folder.join(STATE_FILE);
        let beside = folder.join(".registry.json.new");
        let text = serde_json::to_vec_pretty(&state)
            .map_err(|error| PackError::State { path: place.clone(), reason: error.to_string() })?;
        let write = || {
            let mut file = fs::File::create(&beside)?;
            std::io::Write::write_all(&mut file, &text)?;
            file.sync_all()?;
            fs::rename(&beside, &place)?;
            flush_folders(&[folder.to_owned()])
        };
        write().map_err(PackError::io("write", &place))?;
        self.state = state;
        Ok(())
    }
}

/// Writes a pack's files beside their final place and renames the folder. All of it is durable then: that a pack is
/// here is remembered for good.
fn write_files(folder: &Path, pack: &Pack) -> Result<(), PackError> {
    let own = folder.join(&pack.manifest.id);
    let place = own.join(&pack.hash);
    let incoming = folder.join(format!(".incoming-{}", pack.hash));
    for leftover in [&incoming, &place] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(PackError::io("remove the leftover", leftover))?;
        }
    }
    let (mut files, mut folders) = (Vec::new(), BTreeSet::from([incoming.clone()]));
    for (path, bytes) in &pack.files {
        let file = incoming.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(PackError::io("create the folder", parent))?;
        }
        fs::write(&file, bytes).map_err(PackError::io("write", &file))?;
        let above = file.ancestors().skip(1).take_while(|above| above.starts_with(&incoming));
        folders.extend(above.map(Path::to_path_buf));
        files.push(file);
    }
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    flush_files(&files).and_then(|()| flush_folders(&folders)).map_err(PackError::io("write", &incoming))?;
    fs::create_dir_all(&own).map_err(PackError::io("create the folder", &own))?;
    fs::rename(&incoming, &place)
        .and_then(|()| flush_folders(&[own, folder.to_owned()]))
        .map_err(PackError::io("move into place", &place))
}

fn read_state(path: &Path) -> Result<State, PackError> {
    if !path.exists() {
        return Ok(State::default());
    }
    let bytes = fs::read(path).map_err(PackError::io("read", path))?;
    let unreadable = |reason: String| PackError::State { path: path.to_owned(), reason };
    let state: State = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if state.format > STATE_FORMAT {
        return Err(unreadable(format!(
            "it has form {}, this version of the program knows forms up to {STATE_FORMAT}; use the newer program",
            state.format
        )));
    }
    let well_formed = |installed: &Installed| {
        crate::manifest::is_id(&installed.id)
            && installed.hash.len() == 64
            && installed.hash.bytes().all(|b| b.is_ascii_hexdigit())
    };
    match state.installed.iter().find(|installed| !well_formed(installed)) {
        Some(bad) => {
            Err(unreadable(format!("it names a pack \"{}\" with the hash \"{}\"", bad.id, bad.hash)))
        }
        None => Ok(state),
    }
}

/// The packs compiled in, read once.
fn shipped() -> &'static (Vec<Arc<Pack>>, Vec<Finding>) {
    static PACKS: LazyLock<(Vec<Arc<Pack>>, Vec<Finding>)> = LazyLock::new(|| {
        let (mut packs, mut findings) = (Vec::new(), Vec::new());
        for folder in SHIPPED.dirs() {
            let mut files = BTreeMap::new();
            collect(folder, folder.path(), &mut files);
            if !files.contains_key(MANIFEST_PATH) {
                continue;
            }
            match Pack::from_files(files) {
                Ok(pack) => packs.push(Arc::new(pack)),
                Err(more) => findings.extend(more.into_iter().map(|mut finding| {
                    finding.pointer = Pointer(format!("{}/{}", folder.path().display(), finding.pointer.0));
                    finding
                })),
            }
        }
        (packs, findings)
    });
    &PACKS
}

fn collect(folder: &Dir<'static>, root: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for file in folder.files() {
        let inner = file.path().strip_prefix(root).unwrap_or(file.path());
        let parts: Vec<&str> = inner.components().filter_map(|part| part.as_os_str().to_str()).collect();
        if !parts.iter().any(|part| part.starts_with('.')) {
            files.insert(parts.join("/"), file.contents().to_vec());
        }
    }
    for inner in folder.dirs() {
        collect(inner, root, files);
    }
}
