//! A tag that is still being written.

use std::collections::BTreeSet;

use packs::Pack;
use rules::Lists;
use spine::noun::SubjectKind;
use spine::{Finding, LocalizedText, Sensitivity};

use crate::definition::{TagDefinition, TagSeverity, TagSource};
use crate::set::{CompiledTag, TagSet, compile};

impl TagSet {
    /// A set of one tag with this condition, which may read the fields and aggregates that conditions of this set read.
    /// Its id is `draft`.
    ///
    /// # Errors
    /// What is wrong with the condition, each with a mark under the place and a guess.
    pub fn draft(
        &self,
        when: &str,
        on: SubjectKind,
        valid_days: u16,
        lists: &Lists,
    ) -> Result<Self, Vec<String>> {
        let rule = compile(when, &self.extended, lists)?;
        let read: BTreeSet<&str> = rule.fields().iter().map(String::as_str).collect();
        let used = |at: &usize| self.aggregates.get(*at).is_some_and(|own| read.contains(own.name.as_str()));
        let aggregates: Vec<usize> = (0..self.aggregates.len()).filter(used).collect();
        let named = aggregates.iter().filter_map(|at| self.aggregates.get(*at));
        let definition = TagDefinition {
            id: "draft".to_owned(),
            version: 1,
            title: LocalizedText::default(),
            description: LocalizedText::default(),
            family: String::new(),
            on,
            when: when.to_owned(),
            aggregates: named.map(|own| (own.name.clone(), own.aggregate.clone())).collect(),
            enterprise_field: "importer_id".to_owned(),
            valid_days,
            severity: TagSeverity::Medium,
            owner: String::new(),
            legal_basis: String::new(),
            sensitivity: Sensitivity::Official,
            inspection_hint: LocalizedText::default(),
            cases: Vec::new(),
            source: TagSource::default(),
        };
        Ok(self.with_only(definition, CompiledTag { rule, aggregates }))
    }

    /// What is wrong with the tags of a pack that is put in the place of its version in use; `others` are the other packs
    /// in use.
    #[must_use]
    pub fn findings_of(
        pack: &Pack,
        others: &[&Pack],
        schema: &spine::EntrySchema,
        lists: &Lists,
    ) -> Vec<Finding> {
        let packs: Vec<&Pack> = others.iter().copied().chain([pack]).collect();
        let beginning = format!("{}/", pack.manifest.id);
        let (_, findings) = Self::from_packs_and_lists(&packs, schema, lists);
        findings.into_iter().filter(|finding| finding.pointer.0.starts_with(&beginning)).collect()
    }
}
