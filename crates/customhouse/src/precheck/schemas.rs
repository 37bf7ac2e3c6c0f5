//! The installed schemas, and which message each of them is for.

use std::sync::{Arc, OnceLock};

use packs::{ExternalForm, Pack, PackKind, Registry};
use spine::{Finding, Pointer};
use xsd::{Entry, Files, Judgement, Limits, Schema, SchemaError};

use super::{FILE_BYTES_MAX, FINDINGS_MAX};
use crate::error::{Error, Kind};

/// Namespace of the envelope of a declaration.
const ENVELOPE: &str = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2";

/// One kind of message.
struct Message {
    /// Names of the root element.
    roots: &'static [&'static str],
    form: ExternalForm,
    /// Name of the schema's own file; what it includes stands beside it.
    file: &'static str,
    entry: Entry<'static>,
}

const MESSAGES: &[Message] = &[
    Message {
        // A declaration may come in the request of a service; the envelope within it is the message.
        roots: &["MetaData", "submitDeclarationRequest"],
        form: ExternalForm::WcoDmsSchemas,
        file: "driver-declaration.xsd",
        entry: Entry::Element { namespace: ENVELOPE, name: "MetaData" },
    },
    Message {
        roots: &["CC315A"],
        form: ExternalForm::EntrySummarySchemas,
        file: "CC315A-v11-2-New.xsd",
        entry: Entry::Root,
    },
    Message {
        roots: &["CC313A"],
        form: ExternalForm::EntrySummarySchemas,
        file: "CC313A-v11-2-New.xsd",
        entry: Entry::Root,
    },
];

/// The installed schemas; each is compiled when the first message comes that it is for.
#[derive(Debug)]
pub(super) struct Schemas {
    installed: Vec<Installed>,
}

struct Installed {
    message: &'static Message,
    pack: Arc<Pack>,
    /// Path of the schema's own file in the pack.
    entry: String,
    compiled: OnceLock<Result<Schema, SchemaError>>,
}

impl std::fmt::Debug for Installed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Installed").field("file", &self.message.file).finish_non_exhaustive()
    }
}

/// What a schema says of a message.
pub(super) struct BySchema {
    pub(super) pack: String,
    pub(super) version: String,
    /// Their places count from below the root.
    pub(super) findings: Vec<Finding>,
}

impl Schemas {
    pub(super) fn of(registry: &Registry) -> Self {
        let packs: Vec<&Arc<Pack>> =
            registry.current().filter(|pack| pack.manifest.kind == PackKind::Schemas).collect();
        let installed = MESSAGES.iter().filter_map(|message| {
            let pack = packs.iter().find(|pack| pack.manifest.external == Some(message.form))?;
            let named = |path: &str| path.rsplit('/').next() == Some(message.file);
            let (entry, _) = pack.files_with_extension("xsd").find(|(path, _)| named(path))?;
            let (entry, pack) = (entry.to_owned(), Arc::clone(pack));
            Some(Installed { message, pack, entry, compiled: OnceLock::new() })
        });
        Self { installed: installed.collect() }
    }

    /// What judges messages with this root while they are read; no schema for them is installed: `None`.
    pub(super) fn judging<'t>(&self, root: Option<&str>) -> Result<Option<Judging<'_, 't>>, Error> {
        let own =
            self.installed.iter().find(|own| root.is_some_and(|root| own.message.roots.contains(&root)));
        let Some(own) = own else { return Ok(None) };
        let schema = own.compiled.get_or_init(|| own.compile()).as_ref().map_err(|error| {
            Error::new(
                Kind::Refused,
                error.code,
                format!(
                    "the pack \"{}\", {}:{}: {}",
                    own.pack.manifest.id, error.file, error.line, error.detail
                ),
                error.remedy,
            )
        })?;
        let limits = Limits { bytes_max: FILE_BYTES_MAX, findings_max: FINDINGS_MAX, ..Limits::default() };
        Ok(Some(Judging { judgement: schema.judgement(own.message.entry, limits), pack: &own.pack }))
    }
}

/// A schema that hears a message being read.
pub(super) struct Judging<'s, 't> {
    pub(super) judgement: Judgement<'s, 't>,
    pack: &'s Pack,
}

impl Judging<'_, '_> {
    /// What it says of the message with this text.
    pub(super) fn found(self, text: &str) -> BySchema {
        let findings = self.judgement.violations(text).into_iter().map(|violation| {
            let pointer = below_root(&violation.finding.pointer);
            Finding { pointer, ..violation.finding }
        });
        let manifest = &self.pack.manifest;
        BySchema {
            pack: manifest.id.clone(),
            version: manifest.version.to_string(),
            findings: findings.collect(),
        }
    }
}

impl Installed {
    fn compile(&self) -> Result<Schema, SchemaError> {
        let files: Files = self
            .pack
            .files_with_extension("xsd")
            .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
            .collect();
        Schema::compile(&files, &self.entry)
    }
}

/// A place without its first step, the root.
fn below_root(pointer: &Pointer) -> Pointer {
    Pointer(pointer.0.split_once('/').map_or_else(String::new, |(_, below)| below.to_owned()))
}
