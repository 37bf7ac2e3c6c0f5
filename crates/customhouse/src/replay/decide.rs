//! What is the same, what is not, and why: pure comparisons of decisions.

use std::collections::BTreeSet;

use ::tags::{TagDefinition, TagSet};
use selection::{Made, Plan};
use serde::Serialize;
use serde_json::Value;
use spine::Sensitivity;

use super::model::{Change, ChangeKind, Decided, Derivation, Difference};

/// Differences that one decision names.
const DIFFERENCES_MAX: usize = 50;

/// Collects what differs between what was recorded and what was derived.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) differences: Vec<Difference>,
}

impl Comparison {
    /// Compares two things field by field, as the journal writes them.
    pub(super) fn compare<A: Serialize, B: Serialize>(&mut self, at: &str, recorded: &A, derived: &B) {
        let value = |result: Result<Value, serde_json::Error>| result.unwrap_or_default();
        self.values(at, &value(serde_json::to_value(recorded)), &value(serde_json::to_value(derived)));
    }

    fn values(&mut self, at: &str, recorded: &Value, derived: &Value) {
        match (recorded, derived) {
            (Value::Object(one), Value::Object(other)) => {
                let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
                for name in names {
                    let of = |object: &serde_json::Map<String, Value>| {
                        object.get(name).cloned().unwrap_or_default()
                    };
                    self.values(&format!("{at}/{name}"), &of(one), &of(other));
                }
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                for (number, (one, other)) in one.iter().zip(other).enumerate() {
                    self.values(&format!("{at}/{number}"), one, other);
                }
            }
            _ if recorded != derived && self.differences.len() < DIFFERENCES_MAX => {
                self.differences.push(Difference {
                    at: at.to_owned(),
                    recorded: recorded.to_string(),
                    derived: derived.to_string(),
                });
            }
            _ => {}
        }
    }
}

/// A decision with the tags and the plan that it was made by.
type Ground<'a> = (&'a Decided, Option<&'a TagSet>, Option<&'a Plan>);

fn definition<'a>(set: Option<&'a TagSet>, tag: &str) -> Option<&'a TagDefinition> {
    let set = set?;
    set.definitions().get(set.position(tag)?)
}

/// Why a decision would be otherwise today: what changed in the packs and the plan, as far as this declaration meets it.
pub(super) fn changes(then: Ground<'_>, now: Ground<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let ids = |ground: &Ground<'_>| -> BTreeSet<String> { ground.0.tags.iter().cloned().collect() };
    let (tags_then, tags_now) = (ids(&then), ids(&now));
    for tag in tags_then.symmetric_difference(&tags_now) {
        let carried = |tags: &BTreeSet<String>| if tags.contains(tag) { "carried" } else { "not_carried" };
        let kind = match (definition(then.1, tag), definition(now.1, tag)) {
            (None, _) => ChangeKind::TagNew,
            (_, None) => ChangeKind::TagGone,
            (Some(one), Some(other)) if means_the_same(one, other) => ChangeKind::ListChanged,
            _ => ChangeKind::TagChanged,
        };
        let (then, now) = (carried(&tags_then).to_owned(), carried(&tags_now).to_owned());
        changes.push(Change { kind, tag: Some(tag.clone()), then, now });
    }
    let met: BTreeSet<&String> = tags_then.union(&tags_now).collect();
    match (then.2, now.2) {
        (Some(then), Some(now)) => changes.extend(changes_of_plan(then, now, &met)),
        (None, None) => {}
        (one, other) => {
            let named =
                |plan: Option<&Plan>| plan.map_or_else(|| "none".to_owned(), |plan| plan.version.clone());
            changes.push(Change { kind: ChangeKind::Plan, tag: None, then: named(one), now: named(other) });
        }
    }
    changes
}

fn means_the_same(one: &TagDefinition, other: &TagDefinition) -> bool {
    (&one.when, &one.aggregates, one.on, one.valid_days, &one.enterprise_field)
        == (&other.when, &other.aggregates, other.on, other.valid_days, &other.enterprise_field)
}

fn changes_of_plan(then: &Plan, now: &Plan, met: &BTreeSet<&String>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut note = |kind: ChangeKind, tag: Option<&String>, then: String, now: String| {
        if then != now {
            changes.push(Change { kind, tag: tag.cloned(), then, now });
        }
    };
    for tag in met {
        let points = |plan: &Plan| plan.weights.get(*tag).copied().unwrap_or(0).to_string();
        note(ChangeKind::Points, Some(tag), points(then), points(now));
        let lane = |plan: &Plan| plan.hard_rules.get(*tag).map_or("none", |rule| rule.lane.name()).to_owned();
        note(ChangeKind::HardRule, Some(tag), lane(then), lane(now));
        let physical = |plan: &Plan| plan.physical_tags.contains(*tag).to_string();
        note(ChangeKind::Shares, Some(tag), physical(then), physical(now));
    }
    note(ChangeKind::BasePoints, None, then.base_points.to_string(), now.base_points.to_string());
    let trusted = |plan: &Plan| plan.trusted.points.to_string();
    note(ChangeKind::TrustedPoints, None, trusted(then), trusted(now));
    let shares =
        |plan: &Plan| format!("{}/{}/{}", plan.floor_ppm, plan.physical_share_ppm, plan.audit_share_ppm);
    note(ChangeKind::Shares, None, shares(then), shares(now));
    changes
}

/// The derivation without what is above the reader's clearance. Whether it is the same was decided before.
pub(super) fn as_seen(mut derivation: Derivation, sets: &[Option<&TagSet>]) -> Derivation {
    let clearance = derivation.clearance;
    if clearance == Sensitivity::Sealed {
        return derivation;
    }
    let seen = |tag: &str| {
        let mut found = sets.iter().filter_map(|set| definition(*set, tag)).peekable();
        // What nobody knows any more is not shown either.
        found.peek().is_some() && found.all(|own| own.sensitivity <= clearance)
    };
    let mut hidden = 0_usize;
    let mut keep = |visible: bool| {
        hidden = hidden.saturating_add(usize::from(!visible));
        visible
    };
    let decisions = [Some(&mut derivation.then), derivation.again.as_mut(), derivation.now.as_mut()];
    for decided in decisions.into_iter().flatten() {
        decided.tags.retain(|tag| keep(seen(tag)));
        if let Some(Made { reasons, hard_rules, .. }) = &mut decided.made {
            reasons.retain(|reason| seen(&reason.tag));
            hard_rules.retain(|tag| seen(tag));
        }
    }
    derivation.changes.retain(|change| keep(change.tag.as_deref().is_none_or(seen)));
    if hidden > 0 {
        // Their text may name tags.
        derivation.differences.retain(|difference| !difference.at.starts_with("tags"));
    }
    derivation.hidden = hidden;
    derivation
}
