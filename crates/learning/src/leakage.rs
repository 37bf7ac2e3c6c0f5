//! Repeats and leakage: can the outcome be looked up in earlier rows rather than foreseen?

use std::collections::HashMap;

use rayon::prelude::*;
use spine::declaration_entry::OUTCOME_FIELDS;

use crate::AuditError;
use crate::document::{Leakage, LookUpScores, TupleStep, Verdict};
use crate::history::{Codes, History};
use crate::models::{Models, Period};
use crate::statistics::number::{count, float_of, rounded, share};
use crate::statistics::random;
use crate::statistics::ranking::Ranking;

/// Fields that identify or date a row rather than describe it.
const NOT_DESCRIBING: [&str; 5] = ["declaration_id", "item_number", "date", "accepted_at", "simulated"];
/// Latest units of learning that the search looks at.
const SEARCH_UNITS_MAX: usize = 120_000;
const TUPLE_FIELDS_MAX: usize = 10;
/// A field is added if the AUC grows by this much, and taken out again if it does not fall by that much.
const AUC_GAIN_MIN: f64 = 0.002;
/// Bounds of the verdicts: lower end of the AUC on rows whose tuple was seen, share of rows seen.
const LEAKS_AUC: f64 = 0.9;
const SUSPICIOUS_AUC: f64 = 0.8;
const SEEN_SHARE_MIN: f64 = 0.1;
const SEEN_FINDS_MIN: u64 = 20;

struct Candidate {
    field: String,
    /// By position in the history's units: the code of the unit's first row.
    codes: Vec<u32>,
}

/// A leakage section before control of false claims.
pub(crate) struct Examined {
    pub(crate) leakage: Leakage,
    /// Chance that an order at random does as well as the look-up, on rows whose tuple was seen.
    pub(crate) p_value: f64,
}

/// Outcomes of the units of learning by tuple.
type Seen = HashMap<u64, (u32, u32)>;

fn learn(keys: &[u64], finds: &[bool]) -> Seen {
    let mut seen = Seen::new();
    for (key, find) in keys.iter().zip(finds) {
        let (hits, n) = seen.entry(*key).or_default();
        *n = n.saturating_add(1);
        *hits = hits.saturating_add(u32::from(*find));
    }
    seen
}

/// The look-up's score: the rate of the tuple's earlier outcomes, with one outcome's worth of the overall rate.
fn look_up(seen: &Seen, key: u64, rate: f64) -> f64 {
    let (hits, n) = seen.get(&key).copied().unwrap_or_default();
    (f64::from(hits) + rate) / (f64::from(n) + 1.0)
}

fn extend(keys: &[u64], codes: &[u32]) -> Vec<u64> {
    keys.iter().zip(codes).map(|(key, code)| random::bits(*key, 7, u64::from(*code))).collect()
}

fn candidates(history: &History<'_>, units: &[u32]) -> Vec<Candidate> {
    history
        .table
        .schema()
        .fields
        .par_iter()
        .filter(|field| {
            !NOT_DESCRIBING.contains(&field.name.as_str()) && !OUTCOME_FIELDS.contains(&field.name.as_str())
        })
        .filter_map(|field| {
            let codes = Codes::of_field(history.table, &field.name).filter(|codes| codes.values.len() > 1)?;
            let first = |unit: &u32| history.rows_of(*unit).first().map_or(u32::MAX, |row| codes.get(*row));
            Some(Candidate { field: field.name.clone(), codes: units.iter().map(first).collect() })
        })
        .collect()
}

/// Where the search stands: how many units it learns from; the rest is tried.
struct Search<'a> {
    candidates: &'a [Candidate],
    units: std::ops::Range<usize>,
    learnt: usize,
    finds: Vec<bool>,
}

impl Search<'_> {
    fn codes<'c>(&self, candidate: &'c Candidate) -> &'c [u32] {
        candidate.codes.get(self.units.clone()).unwrap_or_default()
    }

    fn auc(&self, keys: &[u64]) -> f64 {
        let (past, later) = keys.split_at(self.learnt.min(keys.len()));
        let (finds_past, finds_later) = self.finds.split_at(self.learnt.min(self.finds.len()));
        let rate =
            float_of(finds_past.iter().filter(|find| **find).count()) / float_of(finds_past.len().max(1));
        let seen = learn(past, finds_past);
        let scores: Vec<f64> = later.iter().map(|key| look_up(&seen, *key, rate)).collect();
        Ranking::new(&scores, finds_later).auc().map_or(0.5, |(auc, _)| auc)
    }

    fn keys_of(&self, tuple: &[usize]) -> Vec<u64> {
        let mut keys = vec![0_u64; self.units.len()];
        for candidate in tuple.iter().filter_map(|at| self.candidates.get(*at)) {
            keys = extend(&keys, self.codes(candidate));
        }
        keys
    }

    /// Adds the best field while the look-up gains by it, then takes out what it does not need.
    fn run(&self, history: &History<'_>) -> Result<(Vec<usize>, Vec<TupleStep>), AuditError> {
        let (mut tuple, mut steps): (Vec<usize>, Vec<TupleStep>) = (Vec::new(), Vec::new());
        let (mut keys, mut auc) = (self.keys_of(&[]), 0.5);
        while tuple.len() < TUPLE_FIELDS_MAX {
            history.check()?;
            let tried: Vec<(usize, f64)> = self
                .candidates
                .par_iter()
                .enumerate()
                .filter(|(at, _)| !tuple.contains(at))
                .map(|(at, candidate)| (at, self.auc(&extend(&keys, self.codes(candidate)))))
                .collect();
            let best = tried.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
            let Some((at, gained)) = best.filter(|(_, gained)| *gained >= auc + AUC_GAIN_MIN) else { break };
            let Some(candidate) = self.candidates.get(at) else { break };
            keys = extend(&keys, self.codes(candidate));
            auc = gained;
            tuple.push(at);
            steps.push(TupleStep { field: candidate.field.clone(), removed: false, auc: rounded(auc) });
        }
        loop {
            history.check()?;
            let without = |at: &usize| tuple.iter().copied().filter(|other| other != at).collect::<Vec<_>>();
            let tried: Vec<(usize, f64)> =
                tuple.par_iter().map(|at| (*at, self.auc(&self.keys_of(&without(at))))).collect();
            let best = tried.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
            let Some((at, left)) = best.filter(|(_, left)| *left > auc - AUC_GAIN_MIN && tuple.len() > 1)
            else {
                break;
            };
            tuple = without(&at);
            auc = auc.max(left);
            let field = self.candidates.get(at).map_or_else(String::new, |candidate| candidate.field.clone());
            steps.push(TupleStep { field, removed: true, auc: rounded(left) });
        }
        Ok((tuple, steps))
    }
}

/// Searches the tuple within the months of learning, then tries the look-up on the months of trial.
pub(crate) fn examine(
    history: &History<'_>,
    period: &Period,
    models: &Models,
) -> Result<Examined, AuditError> {
    let trial_known: Vec<(usize, u32)> =
        period.trial.iter().copied().enumerate().filter(|(_, unit)| history.fate(*unit).known()).collect();
    let learnt = period.learning.len();
    let units: Vec<u32> =
        period.learning.iter().copied().chain(trial_known.iter().map(|(_, unit)| *unit)).collect();
    let finds: Vec<bool> = units.iter().map(|unit| history.fate(*unit).find()).collect();
    let candidates = candidates(history, &units);
    let from = learnt.saturating_sub(SEARCH_UNITS_MAX);
    let searched = learnt.saturating_sub(from);
    let search = Search {
        candidates: &candidates,
        units: from..learnt,
        learnt: searched.saturating_sub(searched / 3),
        finds: finds.get(from..learnt).unwrap_or_default().to_vec(),
    };
    let (tuple, steps) = search.run(history)?;
    let mut keys = vec![0_u64; units.len()];
    for candidate in tuple.iter().filter_map(|at| candidates.get(*at)) {
        keys = extend(&keys, &candidate.codes);
    }
    let trees: Vec<f64> =
        trial_known.iter().filter_map(|(at, _)| models.trees.of_unit.get(*at).copied()).collect();
    let name = |at: &usize| candidates.get(*at).map(|candidate| candidate.field.clone());
    let mut examined = try_out(period, &keys, &finds, learnt, &trees);
    examined.leakage.candidates = candidates.iter().map(|candidate| candidate.field.clone()).collect();
    examined.leakage.tuple = tuple.iter().filter_map(name).collect();
    examined.leakage.steps = steps;
    Ok(examined)
}

fn try_out(period: &Period, keys: &[u64], finds: &[bool], learnt: usize, trees: &[f64]) -> Examined {
    let (past, later) = keys.split_at(learnt.min(keys.len()));
    let (finds_past, finds_later) = finds.split_at(learnt.min(finds.len()));
    let rate = float_of(finds_past.iter().filter(|find| **find).count()) / float_of(finds_past.len().max(1));
    let seen = learn(past, finds_past);
    let scores: Vec<f64> = later.iter().map(|key| look_up(&seen, *key, rate)).collect();
    let is_seen: Vec<bool> = later.iter().map(|key| seen.contains_key(key)).collect();
    let ranking = |scores: &[f64], wanted: &dyn Fn(usize) -> bool| {
        let of = |at: &usize| wanted(*at);
        let chosen: Vec<usize> = (0..scores.len()).filter(of).collect();
        let scores: Vec<f64> = chosen.iter().filter_map(|at| scores.get(*at).copied()).collect();
        let finds: Vec<bool> = chosen.iter().filter_map(|at| finds_later.get(*at).copied()).collect();
        Ranking::new(&scores, &finds)
    };
    let was_seen = |at: usize| is_seen.get(at).copied().unwrap_or(false);
    let both = |id: &str, scores: &[f64]| LookUpScores {
        id: id.to_owned(),
        published: ranking(scores, &|_| true).scores(),
        novel: ranking(scores, &|at| !was_seen(at)).scores(),
        seen: ranking(scores, &was_seen).scores(),
    };
    let all = learn(keys, finds);
    let repeated: Vec<(u32, u32)> = all.values().copied().filter(|(_, n)| *n > 1).collect();
    let overall = float_of(finds.iter().filter(|find| **find).count()) / float_of(finds.len().max(1));
    let pure = repeated.iter().filter(|(hits, n)| hits == n || *hits == 0).count();
    // Summed in the order of sizes, so that the order of a hash map changes nothing.
    let mut sizes: Vec<f64> = repeated.iter().map(|(_, n)| f64::from(*n)).collect();
    sizes.sort_by(f64::total_cmp);
    let by_chance: f64 = sizes.iter().map(|n| overall.powf(*n) + (1.0 - overall).powf(*n)).sum();
    let repeating = count(keys.len()).saturating_sub(count(all.len()));
    let leakage = Leakage {
        split: period.split.clone(),
        candidates: Vec::new(),
        tuple: Vec::new(),
        steps: Vec::new(),
        units: count(keys.len()),
        tuples: count(all.len()),
        repeated_tuples: count(repeated.len()),
        repeating_units: repeating,
        repeating_share: share(repeating, count(keys.len())).map_or(0.0, rounded),
        pure_share: share(count(pure), count(repeated.len())).map(rounded),
        pure_share_by_chance: (!repeated.is_empty()).then(|| rounded(by_chance / float_of(repeated.len()))),
        trial_seen_share: share(count(is_seen.iter().filter(|seen| **seen).count()), count(later.len()))
            .map_or(0.0, rounded),
        scores: vec![both("look_up", &scores), both("trees", trees)],
        verdict: Verdict::CannotTell,
    };
    Examined { leakage, p_value: ranking(&scores, &was_seen).p_value() }
}

impl Examined {
    /// The verdict, once the control of false claims has spoken.
    pub(crate) fn conclude(mut self, adjusted_p: f64, false_rate: f64) -> Leakage {
        let leakage = &mut self.leakage;
        let seen = leakage.scores.first().and_then(|scores| scores.seen);
        leakage.verdict = match seen {
            Some(seen) if seen.finds >= SEEN_FINDS_MIN => {
                let purer = leakage.pure_share.unwrap_or(0.0) > leakage.pure_share_by_chance.unwrap_or(1.0);
                let matters = leakage.trial_seen_share >= SEEN_SHARE_MIN && purer && adjusted_p <= false_rate;
                match seen.auc_interval.low {
                    low if matters && low >= LEAKS_AUC => Verdict::Leaks,
                    low if matters && low >= SUSPICIOUS_AUC => Verdict::Suspicious,
                    _ => Verdict::NotSeen,
                }
            }
            _ => Verdict::CannotTell,
        };
        self.leakage
    }
}
