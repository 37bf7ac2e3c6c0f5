//! What the desk decides of one declaration: tags, lane, and the way that its lane goes.

use std::collections::BTreeMap;
use std::ops::Range;

use clearance::{Basis, Command, LookFor};
use jiff::Timestamp;
use journal::NewEvent;
use selection::{Made, PlanInForce, Subject, select, steer};
use spine::Actor;
use spine::declaration::Declaration;
use spine::noun::Lane;

use super::clerk::{Batch, Clerk, Outcome, Pending, draws, moves, new_event, policy_actor};
use super::event::{AppliedTag, SELECTION_MADE, TAGS_APPLIED, THRESHOLD_MOVED, TagsApplied};
use super::past::{Past, importer_of};
use super::words;
use crate::civil_time::civil;
use crate::plans::InForce;

/// A lane that was chosen, and the events of it.
struct Choice {
    made: Made,
    events: Vec<NewEvent>,
}

/// What tags say of one declaration's rows.
pub(crate) fn tagged(past: &Past, hits: &::tags::OnlineHits, rows: Range<usize>, epoch: u64) -> TagsApplied {
    let mut found: BTreeMap<usize, AppliedTag> = BTreeMap::new();
    let mut unknown = 0_u64;
    for (item, row) in rows.enumerate() {
        let number = u32::try_from(item.saturating_add(1)).unwrap_or(u32::MAX);
        unknown = unknown.max(hits.unknown(row));
        for hit in hits.carried(row) {
            let Some(definition) = past.tag_set().definitions().get(hit.tag_index) else { continue };
            let applied = found.entry(hit.tag_index).or_insert_with(|| AppliedTag {
                tag: definition.id.clone(),
                items: Vec::new(),
                values: hits.values(row, hit.tag_index),
            });
            applied.items.push(number);
        }
    }
    TagsApplied {
        tags: found.into_values().collect(),
        unknown,
        packs: past.packs().to_vec(),
        epoch,
        groups: past.groups(),
    }
}

impl Clerk {
    /// Accepts one declaration, chooses its lane, and gives it its way.
    pub(super) fn assess(&mut self, batch: &Batch, own: Pending, tagged: Option<TagsApplied>) -> Outcome {
        let Pending { mrn, declaration, mut case, .. } = own;
        let (now, in_force) = (batch.now, &batch.in_force);
        let Some(acceptance) = &in_force.acceptance else { return Outcome { case, events: Vec::new() } };
        let by_acceptance = policy_actor(&acceptance.hash);
        let accept = Command::Accept {
            basis: acceptance.basis(),
            export: declaration.is_export(),
            debt: clearance::duty::declared(&declaration),
        };
        let mut events = moves(&mut case, &accept, &mrn, &by_acceptance, now);
        let tags: Vec<String> = tagged.iter().flat_map(|own| &own.tags).map(|own| own.tag.clone()).collect();
        let found: Vec<AppliedTag> = tagged.iter().flat_map(|own| &own.tags).cloned().collect();
        let known = tagged.is_some();
        if let Some(payload) = tagged.and_then(|tagged| serde_json::to_value(tagged).ok()) {
            events.push(new_event(&mrn, TAGS_APPLIED, payload, Actor::system(), now));
        }
        let made = if known { self.choose(in_force, &tags, &declaration, &mrn, now) } else { None };
        let made = made.map(|choice| {
            events.extend(choice.events);
            choice.made
        });
        let (lane, reason) = match &made {
            None => (Lane::Hold, words::no_plan()),
            Some(made) if in_force.release.is_none() && matches!(made.lane, Lane::Green | Lane::Blue) => {
                (Lane::Hold, words::no_release_policy())
            }
            Some(made) => (made.lane, words::lane(made.lane)),
        };
        if let Some(made) = &made {
            case.select(made.lane);
        }
        let released_by = in_force.release.as_ref().filter(|_| matches!(lane, Lane::Green | Lane::Blue));
        let (basis, by) = match (released_by, &in_force.selection) {
            (Some(release), _) => (release.basis(), policy_actor(&release.hash)),
            (None, Some(plan)) => {
                let basis = Basis {
                    legal_basis: plan.1.legal_basis.clone(),
                    reason,
                    how_to_contest: acceptance.grounds.how_to_contest.clone(),
                    policy: Some(plan.0.clone()),
                };
                (basis, policy_actor(&plan.0))
            }
            (None, None) => (Basis { reason, ..acceptance.basis() }, by_acceptance),
        };
        let look_for = if lane == Lane::Green { Vec::new() } else { self.look_for(&found) };
        let route = Command::Route { lane, look_for, basis, deadlines: in_force.deadlines() };
        events.extend(moves(&mut case, &route, &mrn, &by, now));
        Outcome { case, events }
    }

    /// Chooses the lane under the plan, and moves the office's threshold where that is due.
    fn choose(
        &mut self,
        in_force: &InForce,
        tags: &[String],
        declaration: &Declaration,
        mrn: &str,
        now: Timestamp,
    ) -> Option<Choice> {
        let plan = in_force.selection.as_ref()?;
        let office = declaration.office_id().unwrap_or("unknown");
        let at = civil(now);
        let trusted = importer_of(declaration).is_some_and(|importer| self.past.trusts(importer));
        let draws = draws()?;
        let by = policy_actor(&plan.0);
        let mut events = Vec::new();
        let standing = self.past.office(&plan.1, office, at);
        let in_force = PlanInForce { plan: &plan.1, hash: &plan.0 };
        if let Some(moved) = steer(in_force, standing, at) {
            standing.apply_moved(&moved);
            let payload = serde_json::to_value(&moved).ok()?;
            let stream = format!("office/{office}");
            events.push(NewEvent { stream, ..new_event(mrn, THRESHOLD_MOVED, payload, by.clone(), now) });
        }
        let made = select(in_force, standing, &Subject { office, tags, trusted }, draws);
        standing.apply_made(&made, at);
        let payload = serde_json::to_value(&made).ok()?;
        events.push(new_event(mrn, SELECTION_MADE, payload, by, now));
        Some(Choice { made, events })
    }

    /// What officers are to look for, from the tags found.
    fn look_for(&self, found: &[AppliedTag]) -> Vec<LookFor> {
        let definitions = self.past.tag_set().definitions();
        found
            .iter()
            .filter_map(|own| {
                let definition = definitions.get(self.past.tag_set().position(&own.tag)?)?;
                Some(LookFor {
                    tag: own.tag.clone(),
                    title: definition.title.clone(),
                    hint: definition.inspection_hint.clone(),
                    sensitivity: definition.sensitivity,
                    items: own.items.clone(),
                })
            })
            .collect()
    }
}
