//! A plan whose weights are fitted on the outcomes of history.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::tags::{TagDefinition, TagHits};
use learning::{TagRow, WeightOptions, fit_tag_weights};
use rust_decimal::prelude::ToPrimitive;
use spine::{EntryTable, Language, LocalizedText, Progress, Sensitivity};

use super::model::{FitSpec, PolicyKind};
use crate::Customhouse;
use crate::error::{Error, Kind};
use crate::identity::{Permission, Reader};
use crate::jobs::Job;
use crate::pool::BatchSelection;

impl Customhouse {
    /// Fits weights of tags on the outcomes of history and proposes the plan that follows, on a thread of its own. The
    /// job's result is the plan's hash.
    pub fn start_fit(self: &Arc<Self>, reader: &Reader, spec: FitSpec) -> Result<Arc<Job>, Error> {
        reader.require(Permission::ManagePlans)?;
        let (house, reader) = (Arc::clone(self), reader.clone());
        self.jobs().start("fit_plan", move |job| house.fit_plan(&reader, &spec, job))
    }

    fn fit_plan(&self, reader: &Reader, spec: &FitSpec, progress: &dyn Progress) -> Result<String, Error> {
        let entries = self.load_entries(reader, &BatchSelection::All, progress)?;
        let compiled = self.compiled_tags();
        let hits = compiled.set.apply(&entries.table, progress).map_err(|error| match error {
            ::tags::ApplyError::Cancelled => Error::cancelled(),
            error => Error::internal("tags_failed", &error),
        })?;
        let definitions = compiled.set.definitions();
        let rows = inspected(&entries.table, &hits, definitions);
        if rows.is_empty() {
            return Err(Error::new(
                Kind::Refused,
                "fit_no_history",
                "there are no inspected declarations with known outcomes to fit a plan on",
                "Admit records with outcomes into the pool, or propose the standard plan.",
            ));
        }
        progress.report("fitting", 0, 0);
        let fitted = fit_tag_weights(&rows, definitions.len(), &WeightOptions::default());
        let mut plan = self.base_plan()?;
        "fitted".clone_into(&mut plan.id);
        plan.version = self.now().strftime("%Y-%m-%d.%H%M%S").to_string();
        plan.title = LocalizedText([(Language::En, spec.title.clone())].into());
        plan.base_points = fitted.base_points;
        plan.weights = definitions
            .iter()
            .zip(&fitted.points)
            .filter(|(_, points)| **points != 0)
            .map(|(tag, points)| (tag.id.clone(), *points))
            .collect();
        plan.capacity_per_day = spec.capacity_per_day;
        plan.random_share_ppm = spec.random_share_ppm;
        plan.fit = serde_json::to_value(&fitted.tried).ok();
        plan.simulated = entries.rows_simulated > 0;
        let content =
            serde_json::to_value(&plan).map_err(|error| Error::internal("plan_unwritable", &error))?;
        Ok(self.propose_policy(reader, PolicyKind::Selection, content)?.hash)
    }
}

/// Declarations that were inspected with a known outcome, with the tags that any of their items carries. Sealed tags
/// stay out: what officers may not see must not decide before their eyes.
fn inspected(table: &EntryTable, hits: &TagHits, definitions: &[TagDefinition]) -> Vec<TagRow> {
    let ids = table.texts("declaration_id");
    let irregular = table.booleans("irregular");
    let days = table.dates("date");
    let probability = table.decimals("selection_probability");
    let mut found: BTreeMap<u32, TagRow> = BTreeMap::new();
    let mut of_row: BTreeMap<u32, u32> = BTreeMap::new();
    for row in 0..table.len() {
        let known = irregular.and_then(|column| *column.get(row)?);
        let code = ids.and_then(|column| column.codes().get(row).copied());
        let day = days.and_then(|column| *column.get(row)?);
        let (Some(known), Some(code), Some(day)) = (known, code, day) else { continue };
        let Ok(position) = u32::try_from(row) else { break };
        of_row.insert(position, code);
        let own = found.entry(code).or_insert_with(|| TagRow {
            day,
            tags: Vec::new(),
            irregular: false,
            probability: probability.and_then(|column| column.get(row)?.as_ref()?.to_f64()),
        });
        own.irregular |= known;
    }
    for (tag, hit) in (0_u32..).zip(&hits.hits) {
        let sealed = usize::try_from(tag)
            .ok()
            .and_then(|at| definitions.get(at))
            .is_none_or(|own| own.sensitivity > Sensitivity::Restricted);
        if sealed {
            continue;
        }
        for row in &hit.rows {
            if let Some(own) = of_row.get(&row).and_then(|code| found.get_mut(code))
                && own.tags.last() != Some(&tag)
            {
                own.tags.push(tag);
            }
        }
    }
    found.into_values().collect()
}
