//! Since when tags mean what they mean. A tag that is new, or marks other things than before, was not looked for in
//! earlier days: that it stands on none of them says nothing, so its series begin anew.

use std::collections::BTreeMap;

use ::tags::{TagDefinition, TagSet};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::event::TagsInUse;
use super::state::day;
use crate::tags::OFFICE_TAGS;

/// Tags told in one event at most: an event's payload is bounded.
const TOLD_AT_ONCE_MAX: usize = 10_000;
/// Digits of a meaning.
const MEANING_DIGITS: usize = 16;

/// The tags in use, as the journal tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InUse {
    /// Was it ever told?
    known: bool,
    tags: BTreeMap<String, Meant>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Meant {
    meaning: String,
    /// The first whole day, in days since 1970; none: from before anything was told.
    from: Option<i32>,
}

impl InUse {
    /// Follows one event.
    pub(super) fn follow(&mut self, told: TagsInUse) {
        self.known = true;
        for tag in &told.gone {
            self.tags.remove(tag);
        }
        let from = told.from.map(day);
        self.tags.extend(told.tags.into_iter().map(|(tag, meaning)| (tag, Meant { meaning, from })));
    }

    /// The first whole day on which a tag had the meaning that it has, where that is told.
    pub(super) fn from(&self, tag: &str) -> Option<i32> {
        self.tags.get(tag).and_then(|own| own.from)
    }

    /// What is to be told where tags have these meanings now, and have them for whole days from `from` on. Nothing is
    /// known of the time before it was first told: what is in use then counts as in use before.
    pub(super) fn changes(&self, now: &BTreeMap<String, String>, from: Date) -> Vec<TagsInUse> {
        let is_new = |(tag, meaning): &(&String, &String)| {
            self.tags.get(*tag).is_none_or(|own| own.meaning != **meaning)
        };
        let mut new = now.iter().filter(is_new).map(|(tag, meaning)| (tag.clone(), meaning.clone()));
        let mut gone = self.tags.keys().filter(|tag| !now.contains_key(*tag)).cloned();
        let from = self.known.then_some(from);
        let mut told = Vec::new();
        loop {
            let tags: BTreeMap<String, String> = new.by_ref().take(TOLD_AT_ONCE_MAX).collect();
            let gone: Vec<String> = gone.by_ref().take(TOLD_AT_ONCE_MAX).collect();
            // That there is no tag at all is told, too: what comes later is new.
            if tags.is_empty() && gone.is_empty() && (self.known || !told.is_empty()) {
                return told;
            }
            told.push(TagsInUse { from, tags, gone });
        }
    }
}

/// What each tag marks, in few digits.
pub(super) fn meanings(set: &TagSet) -> BTreeMap<String, String> {
    set.definitions().iter().map(|own| (own.id.clone(), meaning(own))).collect()
}

fn meaning(own: &TagDefinition) -> String {
    // Tags of the office's own share a version that counts approvals of all of them; of others, it is their author's word
    // that something has changed that the condition does not show.
    let version = if own.source.pack_id == OFFICE_TAGS { 0 } else { own.version };
    let said = json!([own.on, own.when, own.aggregates, own.enterprise_field, own.valid_days, version]);
    hex::encode(Sha256::digest(said.to_string().as_bytes())).chars().take(MEANING_DIGITS).collect()
}
