//! How plans, policies and thresholds stand, and what would follow from another capacity.

use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};
use selection::{Moved, Plan};
use spine::LocalizedText;

use super::model::{ConsequencePoint, Consequences, MoveShown, OfficeToday, PlanStanding, Policy};
use super::policy::{InForce, Known};
use crate::Customhouse;
use crate::civil_time::{civil, day_begins};
use crate::declarations::HitRate;
use crate::error::Error;
use crate::flow::{any_simulated, arms};
use crate::identity::{Permission, Reader};

const MOVES_SHOWN: usize = 40;
const DAYS: i64 = 30;
/// Points of the curve.
const CURVE_POINTS: usize = 60;
/// Declarations that the curve is tried on.
const CURVE_ROWS_MAX: usize = 200_000;

impl Customhouse {
    /// Policies in force.
    pub(crate) fn in_force(&self) -> Arc<InForce> {
        self.policies.read().unwrap_or_else(PoisonError::into_inner).in_force()
    }

    fn shown(&self, reader: &Reader, known: &Known) -> Policy {
        let title = known.content.get("title").cloned().unwrap_or_default();
        let approved_already = known.approved_by.contains(&reader.id);
        Policy {
            kind: known.kind,
            hash: known.hash.clone(),
            title: serde_json::from_value::<LocalizedText>(title).unwrap_or_default(),
            legal_basis: known
                .content
                .get("legal_basis")
                .and_then(|own| own.as_str())
                .unwrap_or_default()
                .to_owned(),
            content: known.content.clone(),
            proposed_by: self.name_of(&known.proposed_by),
            proposed_at: known.proposed_at,
            approved_by: known.approved_by.iter().map(|id| self.name_of(id)).collect(),
            in_force_since: known.in_force_since,
            ended_at: known.ended_at,
            may_approve: reader.may(Permission::ManagePlans)
                && known.ended_at.is_none()
                && known.approved_by.len() < 2
                && !approved_already,
        }
    }

    /// One policy by its hash or the beginning of it.
    pub fn find_policy(&self, reader: &Reader, hash: &str) -> Result<Policy, Error> {
        reader.require(Permission::ViewPlans)?;
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner);
        policies
            .find(hash)
            .map(|known| self.shown(reader, known))
            .ok_or_else(|| super::commands::policy_unknown(hash))
    }

    /// Everything about plans.
    pub fn plans(&self, reader: &Reader) -> Result<PlanStanding, Error> {
        reader.require(Permission::ViewPlans)?;
        let policies = {
            let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner);
            policies.known.iter().rev().map(|known| self.shown(reader, known)).collect()
        };
        let plan = self.in_force().selection.clone().map(|plan| plan.1.clone());
        let now = self.now();
        let since = now.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MIN);
        let (moves, offices, arms, simulated) = self.projection.read(|connection| {
            Ok((
                moves(connection)?,
                offices(connection, plan.as_ref(), now)?,
                arms(connection, since, "")?,
                any_simulated(connection)?,
            ))
        })?;
        let arm = |name: &str| arms.get(name).copied().unwrap_or_else(|| HitRate::of(0, 0));
        let inspected: u64 = arms.values().map(|rate| rate.inspected).sum();
        let number = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        Ok(PlanStanding {
            plan,
            policies,
            offices,
            moves,
            score_arm: arm("score"),
            random_arm: arm("random"),
            random_share: (inspected > 0).then(|| number(arm("random").inspected) / number(inspected)),
            simulated,
        })
    }

    /// What would follow from another capacity, tried on the scores of the last 30 days.
    pub fn consequences(&self, reader: &Reader, office: &str) -> Result<Consequences, Error> {
        reader.require(Permission::ViewPlans)?;
        let now = self.now();
        let since = now.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MIN);
        let (scored, first, simulated) = self.projection.read(|connection| {
            let scored = scored(connection, since, office)?;
            let first: Option<i64> = connection.query_row(
                "SELECT min(lodged_at) FROM declaration WHERE lodged_at >= ?1 AND score IS NOT NULL AND batch IS NULL",
                [since.as_microsecond()],
                |row| row.get(0),
            )?;
            Ok((scored, first, any_simulated(connection)?))
        })?;
        let days = first.map_or(1.0, |first| {
            let seconds = now.as_second().saturating_sub(first.div_euclid(1_000_000)).max(86_400);
            f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)) / 86_400.0
        });
        Ok(Consequences {
            curve: curve(&scored, days),
            declarations: u64::try_from(scored.len()).unwrap_or(u64::MAX),
            known: u64::try_from(scored.iter().filter(|one| one.irregular.is_some()).count())
                .unwrap_or(u64::MAX),
            simulated,
        })
    }
}

fn moves(connection: &Connection) -> rusqlite::Result<Vec<MoveShown>> {
    let mut statement =
        connection.prepare_cached("SELECT position, at, moved FROM moved ORDER BY position DESC LIMIT ?1")?;
    let rows = statement.query_map([MOVES_SHOWN], |row| {
        let (position, at, text): (u64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((position, at, serde_json::from_str::<Moved>(&text).ok()))
    })?;
    let mut moves = Vec::new();
    for row in rows {
        let (position, at, moved) = row?;
        if let Some(moved) = moved {
            moves.push(MoveShown {
                at: Timestamp::from_microsecond(at).unwrap_or_default(),
                position,
                moved,
            });
        }
    }
    Ok(moves)
}

/// Offices with what was selected and what arrived today, and the threshold of their last move.
fn offices(
    connection: &Connection,
    plan: Option<&Plan>,
    now: Timestamp,
) -> rusqlite::Result<Vec<OfficeToday>> {
    let begins = day_begins(civil(now).date()).map_or(0, Timestamp::as_microsecond);
    let names: Vec<String> = connection
        .prepare_cached("SELECT office FROM office ORDER BY office")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    for office in names {
        let (arrivals, selected): (u32, u32) = connection
            .prepare_cached(
                "SELECT count(*), coalesce(sum(lane IN ('yellow', 'red', 'hold')), 0) FROM declaration
                 WHERE office = ?1 AND lodged_at >= ?2 AND batch IS NULL",
            )?
            .query_row(params![office, begins], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let last: Option<Moved> = connection
            .prepare_cached("SELECT moved FROM moved WHERE office = ?1 ORDER BY position DESC LIMIT 1")?
            .query_map([&office], |row| row.get::<_, String>(0))?
            .next()
            .transpose()?
            .and_then(|text| serde_json::from_str(&text).ok());
        let capacity = plan.map_or(0, |plan| plan.capacity(&office));
        all.push(OfficeToday {
            capacity_per_day: capacity,
            selected_today: selected,
            arrivals_today: arrivals,
            arrivals_expected: last
                .as_ref()
                .map_or(arrivals, |moved| arrivals.saturating_add(moved.arrivals_expected)),
            threshold: last
                .as_ref()
                .map_or_else(|| plan.map_or(0, |plan| plan.initial_threshold), |moved| moved.to_threshold),
            random_ppm: last.as_ref().map_or(0, |moved| moved.to_random_ppm),
            office,
        });
    }
    Ok(all)
}

/// One declaration's score, what became of it, and how likely that was to be seen.
struct Scored {
    score: i32,
    irregular: Option<bool>,
    probability_ppm: u32,
}

fn scored(connection: &Connection, since: Timestamp, office: &str) -> rusqlite::Result<Vec<Scored>> {
    connection
        .prepare_cached(
            "SELECT score, irregular, probability_ppm FROM declaration
             WHERE lodged_at >= ?1 AND score IS NOT NULL AND batch IS NULL AND (?2 = '' OR office = ?2)
             ORDER BY score DESC LIMIT ?3",
        )?
        .query_map(params![since.as_microsecond(), office, CURVE_ROWS_MAX], |row| {
            Ok(Scored { score: row.get(0)?, irregular: row.get(1)?, probability_ppm: row.get(2)? })
        })?
        .collect()
}

/// Declarations in order of falling score: after each so many of them, what lies at or above the score of the last.
/// Those of one score are inspected together or not at all, so that a point stands only where a score ends.
fn curve(scored: &[Scored], days: f64) -> Vec<ConsequencePoint> {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let step = scored.len().div_ceil(CURVE_POINTS).max(1);
    let (mut known, mut bad, mut unknown, mut weighted) = (0_u64, 0_u64, 0_u64, 0.0_f64);
    let mut points = Vec::new();
    let mut due = 1;
    for (at, one) in scored.iter().enumerate() {
        let inspected = at.saturating_add(1);
        match one.irregular {
            Some(irregular) => {
                known = known.saturating_add(1);
                if irregular {
                    bad = bad.saturating_add(1);
                    // Horvitz and Thompson, 1952: each find stands for as many as its chance to be seen was small.
                    weighted += 1_000_000.0 / f64::from(one.probability_ppm.max(1));
                }
            }
            None => unknown = unknown.saturating_add(1),
        }
        let last = inspected == scored.len();
        let last_of_score = scored.get(inspected).is_none_or(|next| next.score != one.score);
        if last || last_of_score && inspected >= due {
            due = inspected.saturating_add(step);
            points.push(ConsequencePoint {
                inspections_per_day: number(inspected) / days,
                threshold: one.score,
                known_irregular: bad,
                known,
                unknown,
                expected_finds_per_day: (known > 0).then_some(weighted / days),
            });
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scores: &[i32], expect: &[(usize, i32)]) {
        let scored: Vec<Scored> = scores
            .iter()
            .map(|&score| Scored { score, irregular: None, probability_ppm: 1_000_000 })
            .collect();
        let points: Vec<(usize, i32)> =
            curve(&scored, 1.0).iter().map(|point| (point.unknown as usize, point.threshold)).collect();
        assert_eq!(points, expect, "scores {scores:?}");
    }

    #[test]
    fn the_curve_has_a_point_where_a_score_ends() {
        check(&[], &[]);
        check(&[5, 5, 5], &[(3, 5)]);
        check(&[9, 7, 7, 3], &[(1, 9), (3, 7), (4, 3)]);
    }

    #[test]
    fn many_of_one_score_take_no_later_point_away() {
        // Groups of 7 of one score: their ends rarely stand at a multiple of the step.
        let scores: Vec<i32> = (0..7 * 60).map(|at| 100 - at / 7).collect();
        let scored: Vec<Scored> = scores
            .iter()
            .map(|&score| Scored { score, irregular: None, probability_ppm: 1_000_000 })
            .collect();
        let points = curve(&scored, 1.0);
        assert!(points.len() >= 25, "{} points of 60 scores", points.len());
        assert!(points.len() <= CURVE_POINTS + 1, "{} points", points.len());
    }
}
