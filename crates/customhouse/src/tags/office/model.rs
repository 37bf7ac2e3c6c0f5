//! What is told about tags of the office's own.

use std::collections::BTreeMap;

use ::tags::TagSeverity;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spine::noun::SubjectKind;
use spine::{Language, LocalizedText};

use crate::declarations::HitRate;
use crate::tags::TagReason;

/// Id of the pack that holds them.
pub(crate) const PACK: &str = "office-tags";
/// Their stream.
pub(super) const STREAM: &str = "tags/office";
pub(super) const PROPOSED: &str = "tag.proposed";
pub(super) const APPROVED: &str = "tag.approved";
pub(super) const DECLINED: &str = "tag.declined";

/// Characters of one text at most.
pub(super) const TEXT_CHARACTERS_MAX: usize = 2_000;
/// Tags of the office's own at most.
pub(super) const TAGS_MAX: usize = 2_000;
/// Proposals that wait at most.
pub(super) const WAITING_MAX: usize = 100;

/// A tag as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnTag {
    /// Small letters, digits and underscores; unique over all packs.
    pub id: String,
    /// In English and Chinese at least.
    pub title: LocalizedText,
    /// Why customs cares; in English at least.
    pub description: LocalizedText,
    /// What carries it.
    pub on: SubjectKind,
    /// The condition.
    pub when: String,
    /// On an enterprise or route: for how many days after the entry that raised it.
    #[serde(default)]
    pub valid_days: u16,
    /// Weight.
    pub severity: TagSeverity,
    /// The law it rests on.
    pub legal_basis: String,
    /// What an officer should look at; in English and Chinese at least.
    pub inspection_hint: LocalizedText,
}

/// A condition that is tried.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TagDraft {
    /// The condition.
    pub when: String,
    /// `item`, `declaration`, `enterprise` or `route`; an item if it is empty.
    pub on: String,
    /// On an enterprise or route.
    pub valid_days: u16,
}

/// What a condition would have marked in the pool's latest rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagPreview {
    /// Rows looked at.
    pub entries: u64,
    /// Were older batches left out?
    pub older_left_out: bool,
    /// Rows that say they are simulated.
    pub simulated: u64,
    /// Rows it would have marked.
    pub carrying: u64,
    /// Of these: inspected, and found irregular.
    pub hits: HitRate,
    /// Of these: never inspected, or without a result: nobody knows.
    pub outcome_unknown: u64,
    /// Inspected and irregular among all rows, to compare with.
    pub all: HitRate,
    /// Rows for which it cannot be told because something is missing.
    pub cannot_tell: u64,
    /// Some that it would have marked, the latest first, with the reason.
    pub rows: Vec<TagReason>,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalState {
    /// Another person is asked.
    Waiting,
    /// It was approved.
    Approved,
    /// It was declined, or taken back.
    Declined,
}

/// A proposal to put a tag into force, in the place of one of its id if there is one, or to take one out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagProposal {
    /// Its number: the version of the stream at which it stands.
    pub number: u64,
    /// The tag; `None`: the one of this id is to go.
    pub tag: Option<OwnTag>,
    /// Id of the tag.
    pub id: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Timestamp,
    /// What became of it.
    pub state: ProposalState,
    /// Who decided, when, and why it was declined.
    pub decided_by: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Why it was declined.
    pub reason: Option<String>,
    /// May the reader approve it? Not what they proposed themselves.
    pub may_approve: bool,
    /// The tag that is in force under this id now, if another one is.
    pub in_force: Option<OwnTag>,
}

/// Tags of the office's own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OwnTags {
    /// In force, by id.
    pub in_force: Vec<OwnTag>,
    /// Proposals, the latest first.
    pub proposals: Vec<TagProposal>,
}

/// What the journal tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Office {
    pub(super) version: u64,
    pub(super) approvals: u64,
    pub(super) in_force: BTreeMap<String, OwnTag>,
    pub(super) proposals: Vec<TagProposal>,
}

impl OwnTag {
    /// As a table of a pack's file.
    fn table(&self, version: i64) -> toml::Table {
        let text = |text: &LocalizedText| {
            let in_languages = text
                .0
                .iter()
                .map(|(language, text)| (language.code().to_owned(), toml::Value::from(text.as_str())));
            toml::Value::Table(in_languages.collect())
        };
        let mut table = toml::Table::new();
        table.insert("id".to_owned(), self.id.as_str().into());
        table.insert("version".to_owned(), version.into());
        table.insert("title".to_owned(), text(&self.title));
        table.insert("description".to_owned(), text(&self.description));
        table.insert("on".to_owned(), toml::Value::try_from(self.on).unwrap_or_else(|_| "item".into()));
        table.insert("when".to_owned(), self.when.as_str().into());
        if self.valid_days > 0 {
            table.insert("valid_days".to_owned(), i64::from(self.valid_days).into());
        }
        table.insert("severity".to_owned(), self.severity.name().into());
        table.insert("legal_basis".to_owned(), self.legal_basis.as_str().into());
        table.insert("inspection_hint".to_owned(), text(&self.inspection_hint));
        table
    }
}

/// The pack of these tags; the version of each counts the approvals so far.
pub(super) fn pack_files<'a>(
    tags: impl Iterator<Item = &'a OwnTag>,
    approvals: u64,
) -> BTreeMap<String, Vec<u8>> {
    let manifest = format!(
        r#"id = "{PACK}"
version = "1.{approvals}.0"
kind = "tags"
title = {{ en = "Tags of this office", zh = "本关标签" }}
description = {{ en = "Written here, tried on history, and put into force by two people." }}
owner = "Risk management unit"
legal_basis = "WTO Trade Facilitation Agreement, Article 7.4"
sensitivity = "official"
licence = "Apache-2.0 OR MIT"
"#
    );
    let version = i64::try_from(approvals).unwrap_or(i64::MAX).max(1);
    let family = toml::toml! {
        id = "office"
        title = { en = "Tags of this office", zh = "本关标签" }
    };
    let mut file = toml::Table::new();
    file.insert("family".to_owned(), toml::Value::Table(family));
    let tags = tags.map(|tag| toml::Value::Table(tag.table(version))).collect();
    file.insert("tag".to_owned(), toml::Value::Array(tags));
    let text = toml::to_string(&file).unwrap_or_default();
    [("pack.toml", manifest), ("tags.toml", text)]
        .map(|(path, text)| (path.to_owned(), text.into_bytes()))
        .into()
}

/// Languages in which a title and a hint must be written.
pub(super) const REQUIRED: [Language; 2] = [Language::En, Language::Zh];
