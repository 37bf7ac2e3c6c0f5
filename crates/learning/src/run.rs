//! The audit from end to end.

use roaring::RoaringBitmap;
use spine::{EntryTable, Progress};

use crate::document::{Audit, FORMAT, FalseRateControl, OptionsUsed};
use crate::error::AuditError;
use crate::history::History;
use crate::models::Period;
use crate::options::{AuditOptions, Capacity, TagColumn};
use crate::statistics::interval::LEVEL;
use crate::statistics::multiple::{self, Controlled};
use crate::statistics::number::count;
use crate::{curve, integrity, leakage, models, plans, population, quality, rates, statements};

/// Stages reported under the name `audit`.
const STAGES: u64 = 6;

fn check_options(table: &EntryTable, tags: &[TagColumn], options: &AuditOptions) -> Result<(), AuditError> {
    if table.is_empty() {
        return Err(AuditError::NoRows);
    }
    if let Capacity::Share(share) = options.capacity
        && !(share > 0.0 && share <= 1.0)
    {
        let message =
            format!("a capacity of {share} is no share; give more than 0 and at most 1 (0.05 is 5 %)");
        return Err(AuditError::Option(message));
    }
    if options.capacity == Capacity::Count(0) {
        return Err(AuditError::Option(
            "a capacity of 0 inspections compares nothing; give at least 1".to_owned(),
        ));
    }
    if !(options.false_rate > 0.0 && options.false_rate < 1.0) {
        let message =
            format!("a false rate of {} is none; give a number between 0 and 1", options.false_rate);
        return Err(AuditError::Option(message));
    }
    let beyond = |rows: &RoaringBitmap| {
        rows.max().is_some_and(|row| crate::statistics::number::index(row) >= table.len())
    };
    if let Some(tag) = tags.iter().find(|tag| beyond(&tag.rows)) {
        return Err(AuditError::Option(format!(
            "the tag {} is on rows that the table does not have",
            tag.id
        )));
    }
    Ok(())
}

/// Audits one history of declared items (schema [`spine::declaration_entry`]) and the tags they carry.
///
/// Reports the stage `audit` in steps. Deterministic: the same input gives the same document, whatever the number of
/// threads. Memory is a small multiple of that of the table.
///
/// # Errors
/// [`AuditError::Cancelled`] when the listener asked for it; the rest are inputs of which nothing can be made.
pub fn audit(
    table: &EntryTable,
    tags: &[TagColumn],
    options: &AuditOptions,
    progress: &dyn Progress,
) -> Result<Audit, AuditError> {
    check_options(table, tags, options)?;
    let report = |done: u64| progress.report("audit", done, STAGES);
    report(0);
    let history = History::new(table, tags, options, progress)?;
    let population = population::describe(&history);
    history.check()?;
    let quality = quality::examine(&history, &population);
    report(1);
    let mut audit = Audit {
        format: FORMAT,
        options: OptionsUsed {
            seed: options.seed,
            false_rate: options.false_rate,
            interval_level: LEVEL,
            capacity: options.capacity,
            rows_max: count(options.rows_max),
        },
        population,
        quality,
        hit_rates: None,
        curve: None,
        leakage: None,
        integrity: None,
        plans: None,
        control: FalseRateControl {
            false_rate: options.false_rate,
            families: 0,
            families_selected: 0,
            tests: 0,
            flagged: 0,
        },
        statements: Vec::new(),
    };
    if !history.known.is_empty() {
        judge(&history, &mut audit, &report)?;
    }
    audit.statements = statements::draw(&audit);
    report(STAGES);
    Ok(audit)
}

/// Everything that needs outcomes: first all tests, then the control of false claims over all of them, then words.
fn judge(history: &History<'_>, audit: &mut Audit, report: &dyn Fn(u64)) -> Result<(), AuditError> {
    let measured = rates::measure(history)?;
    report(2);
    let work = integrity::Work::new(history);
    let compared = integrity::compare(history, &work)?;
    report(3);
    let learnt = match Period::new(history) {
        None => None,
        Some(period) => {
            let models = models::learn(history, &period)?;
            report(4);
            let examined = leakage::examine(history, &period, &models)?;
            report(5);
            Some((
                curve::draw(history, &period, &models),
                examined,
                plans::try_out(history, &period, &models),
            ))
        }
    };
    let mut families: Vec<Vec<f64>> = measured.iter().map(|own| own.p_values.clone()).collect();
    families.extend(compared.iter().map(|own| own.p_values.clone()));
    if let Some((drawn, examined, tried)) = &learnt {
        families.extend([drawn.p_values.clone(), vec![examined.p_value], tried.p_values.clone()]);
    }
    let false_rate = history.options.false_rate;
    let Controlled { adjusted, families: tested, selected } = multiple::control(&families, false_rate);
    audit.control.families = tested;
    audit.control.families_selected = selected;
    audit.control.tests = count(families.iter().map(Vec::len).sum());
    audit.control.flagged = count(adjusted.iter().flatten().filter(|p| **p <= false_rate).count());
    let (of_rates, rest) = adjusted.split_at(measured.len());
    let (of_integrity, of_learnt) = rest.split_at(compared.len());
    audit.hit_rates = Some(rates::conclude(history, measured, of_rates));
    audit.integrity = Some(integrity::conclude(history, &work, compared, of_integrity));
    if let (Some((drawn, examined, tried)), [of_curve, of_leakage, of_plans]) = (learnt, of_learnt) {
        audit.curve = Some(drawn.conclude(of_curve, false_rate));
        let adjusted_p = of_leakage.first().copied().unwrap_or(1.0);
        audit.leakage = Some(examined.conclude(adjusted_p, false_rate));
        audit.plans = Some(tried.conclude(of_plans, false_rate));
    }
    Ok(())
}
