//! Boosted trees over past rates, numbers and the strongest tags. A higher past rate can only raise the score, so that
//! no officer meets a plan in which a worse record lowers the risk.
#![expect(
    clippy::indexing_slicing,
    reason = "a numeric kernel over columns that it made of one length; its use is tested on planted worlds"
)]

use forust_ml::Matrix;
use forust_ml::constraints::{Constraint, ConstraintMap};
use forust_ml::gradientbooster::{GradientBooster, ImportanceMethod};

use super::features::Features;
use super::{Scored, heaviest};

const ROUNDS: usize = 120;
const DEPTH: usize = 5;
const TAG_COLUMNS_MAX: usize = 24;

fn columns(features: &Features) -> (Vec<String>, Vec<Vec<f64>>) {
    let mut names = Vec::new();
    let mut columns = Vec::new();
    for (name, values) in features.profiles.iter().chain(&features.numbers) {
        names.push(name.clone());
        columns.push(values.clone());
    }
    if !features.tags.is_empty() {
        names.push("tag_count".to_owned());
        columns.push(
            features.tags_of_row.iter().map(|tags| crate::statistics::number::float_of(tags.len())).collect(),
        );
    }
    for tag in features.strongest_tags(TAG_COLUMNS_MAX) {
        names.push(features.tags[usize::from(tag)].clone());
        columns.push(
            features
                .tags_of_row
                .iter()
                .map(|tags| f64::from(u8::from(tags.binary_search(&tag).is_ok())))
                .collect(),
        );
    }
    (names, columns)
}

/// Fits the trees to the rows of learning and scores all rows. Where they cannot be fitted, everything scores alike.
pub(super) fn fit(features: &Features, seed: u64) -> Scored {
    let alike = || Scored { of_unit: vec![0.0; features.rows], weights: Vec::new() };
    let (names, columns) = columns(features);
    // Where all outcomes are alike there is nothing to tell apart.
    let one_sided =
        features.labels.iter().all(|label| *label > 0.5) || features.labels.iter().all(|label| *label < 0.5);
    if columns.is_empty() || one_sided {
        return alike();
    }
    let learning: Vec<f64> =
        columns.iter().flat_map(|column| &column[..features.learning_rows]).copied().collect();
    let monotone: ConstraintMap =
        (0..features.profiles.len()).map(|column| (column, Constraint::Positive)).collect();
    let mut booster = GradientBooster::default()
        .set_iterations(ROUNDS)
        .set_learning_rate(0.1)
        .set_max_depth(DEPTH)
        .set_min_leaf_weight(5.0)
        .set_l2(1.0)
        .set_nbins(128)
        .set_initialize_base_score(true)
        .set_monotone_constraints(Some(monotone))
        .set_seed(seed)
        .set_missing(f64::NAN);
    let matrix = Matrix::new(&learning, features.learning_rows, columns.len());
    let weights = vec![1.0; features.learning_rows];
    if booster.fit(&matrix, &features.labels, &weights, None).is_err() {
        return alike();
    }
    let all: Vec<f64> = columns.into_iter().flatten().collect();
    let of_unit = booster.predict(&Matrix::new(&all, features.rows, names.len()), true);
    let mut importance: Vec<(usize, f32)> =
        booster.calculate_feature_importance(ImportanceMethod::TotalGain, true).into_iter().collect();
    importance.sort_by_key(|(column, _)| *column);
    let weights = importance
        .into_iter()
        .filter_map(|(column, gain)| Some((names.get(column)?.clone(), f64::from(gain))))
        .collect();
    Scored { of_unit, weights: heaviest(weights) }
}
