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
use crate::folder::{Installed, Kept, State, content, kept, read_state, write_files};
use crate::lists::NamedLists;
use crate::manifest::Manifest;

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../packs");

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

/// What is held of a pack. Of those that are not in use only what they say about themselves: an office that edits its
/// tags every day has thousands of versions.
#[derive(Debug, Clone)]
enum Content {
    Held(Arc<Pack>),
    /// In the registry's folder.
    Kept(Arc<Kept>),
}

/// A pack as the registry knows it.
#[derive(Debug, Clone)]
pub struct PackEntry {
    content: Content,
    /// Where it comes from.
    pub origin: Origin,
    /// What people decided about it.
    pub approval: Approval,
    /// Is it the version in use: the newest of its id that is not withdrawn?
    pub current: bool,
    /// Position in the order of installation; 0 for built-in ones.
    pub sequence: u64,
}

impl PackEntry {
    /// What the pack says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        match &self.content {
            Content::Held(pack) => &pack.manifest,
            Content::Kept(kept) => &kept.manifest,
        }
    }

    /// SHA-256 of its content.
    #[must_use]
    pub fn hash(&self) -> &str {
        match &self.content {
            Content::Held(pack) => &pack.hash,
            Content::Kept(kept) => &kept.hash,
        }
    }

    /// Number of its files.
    #[must_use]
    pub fn files(&self) -> usize {
        match &self.content {
            Content::Held(pack) => pack.files.len(),
            Content::Kept(kept) => kept.files,
        }
    }

    /// Its content, where that is held in memory: of every pack in use and of those compiled in.
    #[must_use]
    pub fn held(&self) -> Option<&Arc<Pack>> {
        match &self.content {
            Content::Held(pack) => Some(pack),
            Content::Kept(_) => None,
        }
    }
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
            registry.add(Content::Held(Arc::clone(pack)), Origin::BuiltIn, 0);
        }
        registry.mark();
        registry
    }

    /// Built-in packs and those installed in `folder`, which is made if it is not there. The content of those in use is
    /// read, of all others what they say about themselves. A pack in use whose content no longer has its recorded hash
    /// is left out and told in [`Registry::findings`].
    pub fn open(folder: &Path) -> Result<Self, PackError> {
        fs::create_dir_all(folder).map_err(PackError::io("create the folder", folder))?;
        let state = read_state(folder)?;
        let mut registry = Self::built_in();
        registry.folder = Some(folder.to_owned());
        let shipped: BTreeSet<String> =
            registry.entries.iter().map(|entry| entry.hash().to_owned()).collect();
        let earlier = state.built_in.iter().filter(|own| !shipped.contains(&own.hash));
        let all = state.installed.iter().map(|own| (own, Origin::Installed));
        for (installed, origin) in all.chain(earlier.map(|own| (own, Origin::Earlier))) {
            match kept(folder, installed)? {
                Ok(kept) => registry.add(Content::Kept(Arc::new(kept)), origin, installed.sequence),
                Err(findings) => registry.findings.extend(findings),
            }
        }
        registry.state = state;
        registry.keep_built_in(folder)?;
        registry.settle()?;
        Ok(registry)
    }

    /// The content of a pack, read from the folder where it is not held.
    ///
    /// # Errors
    /// [`PackError::Content`]: it is not what was installed any more; or the file system's.
    pub fn content(&self, entry: &PackEntry) -> Result<Arc<Pack>, PackError> {
        match entry.held() {
            Some(pack) => Ok(Arc::clone(pack)),
            None => Ok(Arc::new(content(&self.folder()?, &entry.manifest().id, entry.hash())?)),
        }
    }

    /// The same packs with exactly these in use, by content hash: to decide again as it was decided then.
    ///
    /// # Errors
    /// The hashes of which no content is here.
    pub fn with_in_use(&self, hashes: &[String]) -> Result<Self, Vec<String>> {
        let (mut then, mut missing) = (self.clone(), Vec::new());
        for entry in &mut then.entries {
            entry.current = false;
        }
        for hash in hashes {
            let entry = then.entries.iter_mut().find(|entry| entry.hash() == hash);
            let content = entry.as_ref().and_then(|entry| self.content(entry).ok());
            match (entry, content) {
                (Some(entry), Some(pack)) => {
                    entry.content = Content::Held(pack);
                    entry.current = true;
                }
                _ => missing.push(hash.clone()),
            }
        }
        if missing.is_empty() { Ok(then) } else { Err(missing) }
    }

    /// Keeps the content of this binary's own packs in the folder: a later binary has others.
    fn keep_built_in(&mut self, folder: &Path) -> Result<(), PackError> {
        let kept: BTreeSet<&str> = self.state.built_in.iter().map(|own| own.hash.as_str()).collect();
        let new: Vec<Arc<Pack>> = self
            .entries
            .iter()
            .filter(|entry| entry.origin == Origin::BuiltIn && !kept.contains(entry.hash()))
            .filter_map(|entry| entry.held().map(Arc::clone))
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

    fn add(&mut self, content: Content, origin: Origin, sequence: u64) {
        self.entries.push(PackEntry { content, origin, approval: Approval::NONE, current: false, sequence });
    }

    /// Sorts, attaches approvals, marks the newest version of each id that is not withdrawn, and holds the content of
    /// those. One whose content is not what it was is left out, and an earlier version takes its place.
    fn settle(&mut self) -> Result<(), PackError> {
        loop {
            self.mark();
            let mut left_out = None;
            for at in 0..self.entries.len() {
                let Some(entry) = self.entries.get(at).filter(|entry| entry.current) else { continue };
                match self.content(entry) {
                    Ok(pack) => {
                        if let Some(entry) = self.entries.get_mut(at) {
                            entry.content = Content::Held(pack);
                        }
                    }
                    Err(PackError::Content(findings)) => {
                        left_out = Some((at, findings));
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
            let Some((at, findings)) = left_out else { break };
            self.entries.remove(at);
            self.findings.extend(findings);
        }
        for entry in &mut self.entries {
            if let (false, Content::Held(pack)) = (entry.current, &entry.content)
                && entry.origin != Origin::BuiltIn
            {
                let (manifest, hash, files) = (pack.manifest.clone(), pack.hash.clone(), pack.files.len());
                entry.content = Content::Kept(Arc::new(Kept { manifest, hash, files }));
            }
        }
        Ok(())
    }

    fn mark(&mut self) {
        for entry in &mut self.entries {
            entry.approval = self.state.approvals.get(entry.hash()).cloned().unwrap_or(Approval::NONE);
            entry.current = false;
        }
        let rank = |entry: &PackEntry| {
            let version = &entry.manifest().version;
            ((version.major, version.minor, version.patch), entry.sequence, entry.hash().to_owned())
        };
        self.entries
            .sort_by(|a, b| a.manifest().id.cmp(&b.manifest().id).then_with(|| rank(b).cmp(&rank(a))));
        let mut seen = BTreeSet::new();
        for entry in &mut self.entries {
            let withdrawn = matches!(entry.approval, Approval::Withdrawn { .. });
            let usable = !withdrawn && entry.origin != Origin::Earlier;
            entry.current = usable && seen.insert(entry.manifest().id.clone());
        }
    }

    /// All packs: by id, newest version first.
    #[must_use]
    pub fn list(&self) -> &[PackEntry] {
        &self.entries
    }

    /// The packs in use, by id.
    pub fn current(&self) -> impl Iterator<Item = &Arc<Pack>> {
        self.entries.iter().filter(|entry| entry.current).filter_map(PackEntry::held)
    }

    /// The version in use of a pack; or, given a content hash (at least its first 8 digits), that very content.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&PackEntry> {
        let by_hash = |entry: &&PackEntry| id.len() >= 8 && entry.hash().starts_with(id);
        let by_id = |entry: &&PackEntry| entry.current && entry.manifest().id == id;
        self.entries.iter().find(by_id).or_else(|| self.entries.iter().find(by_hash))
    }

    /// One version of a pack.
    #[must_use]
    pub fn get_version(&self, id: &str, version: &str) -> Option<&PackEntry> {
        self.entries
            .iter()
            .find(|entry| entry.manifest().id == id && entry.manifest().version.to_string() == version)
    }

    /// What is wrong with packs that had to be left out, and unmet dependencies.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        for pack in self.current() {
            for need in &pack.manifest.depends {
                let have = self.get(&need.id).map(|entry| &entry.manifest().version);
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
            let current = self.entries.iter().filter(|entry| entry.current && entry.origin == origin);
            for pack in current.filter_map(PackEntry::held) {
                all.extend(pack.lists_of(day));
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
                report.already_installed = self.entries.iter().any(|entry| entry.hash() == pack.hash);
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
            self.get_version(&pack.manifest.id, &version).filter(|entry| entry.hash() != pack.hash)?;
        Some(
            Finding::error("pack_version_reused")
                .at(Pointer(format!("{MANIFEST_PATH}/version")))
                .found(&format!("{version} with the hash {}", pack.short_hash()))
                .expected(format!(
                    "{} {version} is already there with the hash {}",
                    pack.manifest.id,
                    short(other.hash())
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
        self.add(Content::Held(Arc::new(pack)), Origin::Installed, sequence);
        self.settle()
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
        self.entries.iter().find(|entry| entry.hash() == hash).map(|entry| entry.approval.clone()).ok_or_else(
            || {
                let known: BTreeSet<&str> = self.entries.iter().map(|entry| short(entry.hash())).collect();
                PackError::UnknownPack {
                    id: hash.to_owned(),
                    known: known.into_iter().collect::<Vec<_>>().join(", "),
                }
            },
        )
    }

    fn decide(&mut self, hash: &str, approval: Approval) -> Result<Approval, PackError> {
        let mut state = self.state.clone();
        state.approvals.insert(hash.to_owned(), approval.clone());
        match self.folder.clone() {
            Some(folder) => self.write_state(&folder, state)?,
            None => self.state = state,
        }
        self.settle()?;
        Ok(approval)
    }

    fn write_state(&mut self, folder: &Path, state: State) -> Result<(), PackError> {
        state.write(folder)?;
        self.state = state;
        Ok(())
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
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
