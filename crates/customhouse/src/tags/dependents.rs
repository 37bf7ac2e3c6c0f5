//! Which tags rest on a column, a named list or a source contract: what has to be looked at before it is changed.

use std::collections::{BTreeMap, BTreeSet};

use ::pool::SourceContract;
use ::rules::Lists;
use ::tags::{TagDefinition, TagSet};
use packs::Registry;
use serde::Serialize;
use spine::noun::SubjectKind;
use spine::{LocalizedText, Sensitivity, declaration_entry};

use super::model::TagSummary;
use super::read_model::tag_set;
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};

/// What a tag reads: names in its condition, and in each of its aggregates.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    condition: BTreeSet<String>,
    aggregates: BTreeMap<String, BTreeSet<String>>,
}

impl Reads {
    fn of(tag: &TagDefinition) -> Self {
        let names = |source: &str| ::rules::parse(source).map(|rule| rule.names()).unwrap_or_default();
        let aggregates = tag.aggregates.iter().map(|(name, own)| {
            let mut read = own.condition.as_deref().map(names).unwrap_or_default();
            read.extend(own.fields().map(|part| part.field.clone()));
            (name.clone(), read)
        });
        let mut condition = names(&tag.when);
        if tag.on == SubjectKind::Enterprise {
            condition.insert(tag.enterprise_field.clone());
        }
        Self { condition, aggregates: aggregates.collect() }
    }

    /// What each tag of a set reads, in its order.
    pub(super) fn of_all(set: &TagSet) -> Vec<Self> {
        set.definitions().iter().map(Self::of).collect()
    }

    /// Where a name is read: `None` for the condition itself, otherwise the aggregate.
    fn through(&self, name: &str) -> Vec<Option<String>> {
        let own = self.condition.contains(name).then_some(None);
        let aggregates = self.aggregates.iter().filter(|(_, read)| read.contains(name));
        own.into_iter().chain(aggregates.map(|(aggregate, _)| Some(aggregate.clone()))).collect()
    }

    fn reads(&self, name: &str) -> bool {
        self.condition.contains(name) || self.aggregates.values().any(|read| read.contains(name))
    }
}

/// What tags rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A column of entries.
    Field,
    /// A named list.
    List,
    /// A source contract: any of its columns.
    Contract,
}

impl SourceKind {
    /// Stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::List => "list",
            Self::Contract => "contract",
        }
    }
}

/// Something that tags rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagSource {
    /// What it is.
    pub kind: SourceKind,
    /// Its name.
    pub name: String,
    /// What people call it; empty where it has no title.
    pub title: LocalizedText,
    /// Tags that rest on it and that the reader may see.
    pub tags: u64,
}

/// A tag that rests on something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DependentTag {
    /// The tag.
    #[serde(flatten)]
    pub tag: TagSummary,
    /// The columns or lists through which it does.
    pub reads: Vec<String>,
    /// Aggregates that read them; empty where the condition alone does.
    pub aggregates: Vec<String>,
}

/// The tags that rest on something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagDependents {
    /// On what.
    pub source: TagSource,
    /// They.
    pub tags: Vec<DependentTag>,
}

/// What is known of tags and of what they may rest on.
struct Known<'a> {
    set: &'a TagSet,
    reads: &'a [Reads],
    lists: &'a Lists,
    contracts: &'a [SourceContract],
    clearance: Sensitivity,
}

impl Known<'_> {
    fn sources(&self) -> Vec<TagSource> {
        let schema = declaration_entry::schema();
        let source = |kind, name: &str, title: LocalizedText| TagSource {
            kind,
            name: name.to_owned(),
            title,
            tags: u64::try_from(self.tags(&self.names(kind, name)).count()).unwrap_or(u64::MAX),
        };
        let fields = schema.fields.iter().map(|own| source(SourceKind::Field, &own.name, own.title.clone()));
        let lists = self.lists.0.keys().map(|name| source(SourceKind::List, name, LocalizedText::default()));
        let contracts = self.contracts.iter();
        let contracts = contracts.map(|own| source(SourceKind::Contract, &own.name, own.title.clone()));
        fields.chain(lists).chain(contracts).filter(|own| own.tags > 0).collect()
    }

    /// Names that stand for something in conditions.
    fn names(&self, kind: SourceKind, name: &str) -> Vec<String> {
        match kind {
            SourceKind::Field | SourceKind::List => vec![name.to_owned()],
            SourceKind::Contract => {
                let own = self.contracts.iter().filter(|own| own.name == name);
                own.flat_map(|own| own.fields.iter().map(|field| field.name.clone())).collect()
            }
        }
    }

    fn tags<'s>(&'s self, names: &'s [String]) -> impl Iterator<Item = (&'s TagDefinition, &'s Reads)> {
        let all = self.set.definitions().iter().zip(self.reads);
        all.filter(|(own, reads)| {
            own.sensitivity <= self.clearance && names.iter().any(|name| reads.reads(name))
        })
    }

    fn dependents(&self, name: &str) -> Result<TagDependents, Error> {
        let mut sources = self.sources();
        let found = sources.iter().position(|own| own.name == name).map(|at| sources.swap_remove(at));
        let source = found.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "tag_source_unknown",
                format!("no tag reads \"{}\"", name.chars().take(80).collect::<String>()),
                "Name a column, a named list or a source contract; without a name all of them are listed.",
            )
        })?;
        let names = self.names(source.kind, &source.name);
        let tags = self.tags(&names).map(|(own, reads)| {
            let read: Vec<&String> = names.iter().filter(|name| reads.reads(name)).collect();
            let aggregates: BTreeSet<String> =
                read.iter().flat_map(|name| reads.through(name)).flatten().collect();
            DependentTag {
                tag: TagSummary::from(own),
                reads: read.into_iter().cloned().collect(),
                aggregates: aggregates.into_iter().collect(),
            }
        });
        Ok(TagDependents { tags: tags.collect(), source })
    }
}

/// What the tags of packs in use rest on; of contracts the one that everybody has.
#[must_use]
pub fn tag_sources(registry: &Registry, clearance: Sensitivity) -> Vec<TagSource> {
    of_registry(registry, clearance, |known| known.sources())
}

/// The tags of packs in use that rest on a column, list or contract.
///
/// # Errors
/// `tag_source_unknown`.
pub fn tag_dependents(
    registry: &Registry,
    clearance: Sensitivity,
    name: &str,
) -> Result<TagDependents, Error> {
    of_registry(registry, clearance, |known| known.dependents(name))
}

fn of_registry<T>(registry: &Registry, clearance: Sensitivity, ask: impl FnOnce(&Known<'_>) -> T) -> T {
    let (set, _) = tag_set(registry);
    let (reads, lists) = (Reads::of_all(&set), Lists(registry.lists()));
    let contracts = [SourceContract::declarations()];
    ask(&Known { set: &set, reads: &reads, lists: &lists, contracts: &contracts, clearance })
}

impl Customhouse {
    /// What tags rest on: columns, lists, and the contracts in force.
    ///
    /// # Errors
    /// `not_permitted`.
    pub fn tag_sources(&self, reader: &Reader) -> Result<Vec<TagSource>, Error> {
        self.of_tags_in_use(reader, |known| Ok(known.sources()))
    }

    /// The tags that rest on a column, list or contract.
    ///
    /// # Errors
    /// `not_permitted`, `tag_source_unknown`.
    pub fn tag_dependents(&self, reader: &Reader, name: &str) -> Result<TagDependents, Error> {
        self.of_tags_in_use(reader, |known| known.dependents(name))
    }

    fn of_tags_in_use<T>(
        &self,
        reader: &Reader,
        ask: impl FnOnce(&Known<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        reader.require(Permission::ViewTags)?;
        let compiled = self.compiled_tags();
        let contracts: Vec<SourceContract> =
            self.list_contracts(reader)?.into_iter().map(|own| own.contract).collect();
        let contracts: Vec<SourceContract> =
            contracts.into_iter().filter(|own| own.schema == declaration_entry::ID).collect();
        let reads = compiled.reads.get_or_init(|| Reads::of_all(&compiled.set));
        ask(&Known {
            set: &compiled.set,
            reads,
            lists: &Lists(self.registry().lists()),
            contracts: &contracts,
            clearance: reader.clearance(),
        })
    }
}
