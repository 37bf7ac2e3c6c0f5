//! The additive plan: log-odds of tags and of past rates, added up with weights that are shrunk towards zero.
//!
//! Ridge-penalised logistic regression, fitted by Newton's method (iteratively reweighted least squares; le Cessie and
//! van Houwelingen 1992). The penalty is a normal prior on each weight.
#![expect(
    clippy::indexing_slicing,
    reason = "a numeric kernel over square matrices that it made itself; recovery of known weights is tested"
)]

use rayon::prelude::*;

use super::features::Features;
use super::{Scored, heaviest};
use crate::statistics::number::float_of;

/// Inverse variance of the prior on the weight of a tag: half a unit of log-odds.
const TAG_PENALTY: f64 = 4.0;
/// The same of a past rate, whose own log-odds are its natural weight.
const PROFILE_PENALTY: f64 = 1.0;
const NEWTON_STEPS: usize = 8;
/// Rows a task; sums are formed by block and added in order, so the number of threads changes nothing.
const BLOCK_ROWS: usize = 4_096;

struct Sums {
    gradient: Vec<f64>,
    /// Upper triangle, row by row.
    curvature: Vec<f64>,
}

/// Sparse features of one row: `(column, value)`, ascending; column 0 is the constant.
fn row(features: &Features, at: usize, into: &mut Vec<(usize, f64)>) {
    into.clear();
    into.push((0, 1.0));
    for (column, (_, values)) in features.profiles.iter().enumerate() {
        let value = values[at];
        if !value.is_nan() && value.abs() > 0.0 {
            into.push((1 + column, value));
        }
    }
    let first_tag = 1 + features.profiles.len();
    into.extend(features.tags_of_row[at].iter().map(|tag| (first_tag + usize::from(*tag), 1.0)));
}

fn dot(row: &[(usize, f64)], weights: &[f64]) -> f64 {
    row.iter().map(|(column, value)| value * weights[*column]).sum()
}

fn block_sums(features: &Features, rows: std::ops::Range<usize>, weights: &[f64]) -> Sums {
    let size = weights.len();
    let mut sums = Sums { gradient: vec![0.0; size], curvature: vec![0.0; size * size] };
    let mut own = Vec::new();
    for at in rows {
        row(features, at, &mut own);
        let p = 1.0 / (1.0 + (-dot(&own, weights)).exp());
        let (error, spread) = (features.labels[at] - p, p * (1.0 - p));
        for (place, (column, value)) in own.iter().enumerate() {
            sums.gradient[*column] += error * value;
            for (other, theirs) in &own[place..] {
                sums.curvature[column * size + other] += spread * value * theirs;
            }
        }
    }
    sums
}

/// Solves `matrix * x = right` for a symmetric positive definite matrix given by its upper triangle (Cholesky).
fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for i in 0..n {
        for j in i..n {
            let sum: f64 = (0..i).map(|k| matrix[k * n + i] * matrix[k * n + j]).sum();
            let value = matrix[i * n + j] - sum;
            matrix[i * n + j] = if i == j { value.max(1e-9).sqrt() } else { value / matrix[i * n + i] };
        }
    }
    for i in 0..n {
        let sum: f64 = (0..i).map(|k| matrix[k * n + i] * right[k]).sum();
        right[i] = (right[i] - sum) / matrix[i * n + i];
    }
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|k| matrix[i * n + k] * right[k]).sum();
        right[i] = (right[i] - sum) / matrix[i * n + i];
    }
    right
}

fn newton_step(features: &Features, weights: &[f64], penalties: &[f64]) -> Vec<f64> {
    let size = weights.len();
    let blocks: Vec<usize> = (0..features.learning_rows).step_by(BLOCK_ROWS).collect();
    let mut sums = Sums { gradient: vec![0.0; size], curvature: vec![0.0; size * size] };
    // A few blocks at a time: all of their matrices at once would not fit a small machine.
    for batch in blocks.chunks(16) {
        let parts: Vec<Sums> = batch
            .par_iter()
            .map(|start| {
                block_sums(features, *start..(start + BLOCK_ROWS).min(features.learning_rows), weights)
            })
            .collect();
        for part in parts {
            for (sum, own) in sums.gradient.iter_mut().zip(&part.gradient) {
                *sum += own;
            }
            for (sum, own) in sums.curvature.iter_mut().zip(&part.curvature) {
                *sum += own;
            }
        }
    }
    for column in 0..size {
        sums.gradient[column] -= penalties[column] * weights[column];
        sums.curvature[column * size + column] += penalties[column];
    }
    solve(sums.curvature, sums.gradient)
}

/// Fits the weights to the rows of learning and scores all rows.
pub(super) fn fit(features: &Features) -> Scored {
    let first_tag = 1 + features.profiles.len();
    let size = first_tag + features.tags.len();
    let mut penalties = vec![TAG_PENALTY; size];
    penalties[..first_tag].fill(PROFILE_PENALTY);
    penalties[0] = 1e-6;
    let rate = features.labels.iter().sum::<f64>() / float_of(features.labels.len().max(1));
    let mut weights = vec![0.0; size];
    weights[0] = super::logit(rate);
    for _ in 0..NEWTON_STEPS {
        let step = newton_step(features, &weights, &penalties);
        let largest = step.iter().fold(0.0_f64, |largest, change| largest.max(change.abs()));
        // A step of more than two units of log-odds is cut: far from the optimum the curvature says little.
        let scale = if largest > 2.0 { 2.0 / largest } else { 1.0 };
        for (weight, change) in weights.iter_mut().zip(&step) {
            *weight += scale * change;
        }
        if largest < 1e-5 {
            break;
        }
    }
    let of_unit: Vec<f64> = (0..features.rows)
        .into_par_iter()
        .map_init(Vec::new, |own, at| {
            row(features, at, own);
            dot(own, &weights)
        })
        .collect();
    let names = features.profiles.iter().map(|(name, _)| name).chain(&features.tags);
    let spread = spreads(features, size);
    let weights = names
        .zip(weights.iter().zip(&spread).skip(1))
        .map(|(name, (weight, spread))| (name.clone(), weight * spread))
        .collect();
    Scored { of_unit, weights: heaviest(weights) }
}

/// Standard deviation of each column over the rows of learning: what makes weights comparable.
fn spreads(features: &Features, size: usize) -> Vec<f64> {
    let (mut sums, mut squares) = (vec![0.0; size], vec![0.0; size]);
    let mut own = Vec::new();
    for at in 0..features.learning_rows {
        row(features, at, &mut own);
        for (column, value) in &own {
            sums[*column] += value;
            squares[*column] += value * value;
        }
    }
    let n = float_of(features.learning_rows.max(1));
    sums.iter()
        .zip(&squares)
        .map(|(sum, square)| (square / n - (sum / n) * (sum / n)).max(0.0).sqrt())
        .collect()
}
