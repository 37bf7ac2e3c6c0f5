//! What the audit says in plain sentences, drawn from its figures.

use spine::Sensitivity;

use crate::document::{
    Audit, DimensionRates, Estimate, Flag, LookUpScores, Parameter, PlanResult, RateRow, Section, Statement,
    StatementKind, Verdict, Weight,
};
use crate::statistics::number::{float, rounded};

/// Fields whose absence takes something away from the report.
const NEEDED: [&str; 6] =
    ["selection_reason", "officer_id", "selection_probability", "recovered_revenue", "office_id", "date"];
/// Rules named one by one for finding little.
const RULES_NAMED_MAX: usize = 5;

/// All statements, the weightiest first.
pub(crate) fn draw(audit: &Audit) -> Vec<Statement> {
    let mut statements = population(audit);
    statements.extend(
        audit
            .quality
            .iter()
            .map(|finding| &finding.statement)
            .filter(|own| own.weight > Weight::Note)
            .cloned(),
    );
    statements.extend(hit_rates(audit));
    statements.extend(curve(audit));
    statements.extend(leakage(audit));
    statements.extend(integrity(audit));
    statements.extend(plans(audit));
    // Stable: within a weight, claims before facts before limits, else in the order of the report.
    let kind = |statement: &Statement| match statement.kind {
        StatementKind::Pattern => 0,
        StatementKind::Fact => 1,
        StatementKind::Limitation => 2,
    };
    statements.sort_by(|a, b| b.weight.cmp(&a.weight).then(kind(a).cmp(&kind(b))));
    statements
}

fn text(value: impl ToString) -> Parameter {
    Parameter::Text(value.to_string())
}

fn share_or_zero(value: Option<f64>) -> Parameter {
    Parameter::Share(value.unwrap_or(0.0))
}

fn population(audit: &Audit) -> Vec<Statement> {
    let own = &audit.population;
    let section = Section::Population;
    let mut statements = Vec::new();
    if own.simulated {
        statements.push(
            Statement::fact("simulated", Weight::Critical, section)
                .with("rows", Parameter::Count(own.simulated_rows))
                .with("all", Parameter::Count(own.rows)),
        );
    }
    let day =
        |day: Option<jiff::civil::Date>| text(day.map_or_else(|| "?".to_owned(), |day| day.to_string()));
    let code = if own.inspected_known > 0 { "overview" } else { "overview_without_outcomes" };
    let interval = own.base_rate_interval;
    statements.push(
        Statement::fact(code, Weight::Important, section)
            .with("units", Parameter::Count(own.units))
            .with("from", day(own.first_day))
            .with("to", day(own.last_day))
            .with("known", Parameter::Count(own.inspected_known))
            .with("irregular", Parameter::Count(own.irregular))
            .with("rate", share_or_zero(own.base_rate))
            .with("low", share_or_zero(interval.map(|own| own.low)))
            .with("high", share_or_zero(interval.map(|own| own.high))),
    );
    if own.unit == crate::document::Unit::Declaration {
        statements.push(Statement::fact("unit_is_declaration", Weight::Note, section));
    }
    statements.push(if own.never_inspected > 0 {
        Statement::fact("never_inspected", Weight::Important, section)
            .with("count", Parameter::Count(own.never_inspected))
            .with("share", Parameter::Share(rounded(float(own.never_inspected) / float(own.units.max(1)))))
    } else {
        Statement::fact("all_inspected", Weight::Note, section)
    });
    if own.inspected_known == 0 {
        statements.push(Statement::limitation("no_outcomes", section));
    } else if audit.plans.is_none() {
        statements.push(Statement::limitation("no_split", section));
    }
    for field in NEEDED {
        if own.fields.iter().any(|own| own.field == field && own.filled == 0) {
            statements.push(
                Statement::limitation("no_field", section)
                    .at(field)
                    .with("field", Parameter::Field(field.to_owned()))
                    .with("consequence", text(format!("consequence_{field}"))),
            );
        }
    }
    statements.push(Statement::limitation("no_cancellations", Section::Integrity));
    statements
}

fn rate_parameters(statement: Statement, row: &RateRow, base: f64) -> Statement {
    statement
        .with("value", text(&row.value))
        .with("hits", Parameter::Count(row.hits))
        .with("inspected", Parameter::Count(row.inspected))
        .with("rate", share_or_zero(row.rate))
        .with("base", Parameter::Share(base))
}

fn hit_rates(audit: &Audit) -> Vec<Statement> {
    let Some(rates) = &audit.hit_rates else { return Vec::new() };
    let base = audit.population.base_rate.unwrap_or(0.0);
    let mut statements = Vec::new();
    for dimension in &rates.dimensions {
        statements.extend(dimension_differs(dimension, base));
    }
    if !rates.dimensions.iter().any(|dimension| dimension.dimension == "tag") {
        statements.push(Statement::limitation("no_tags", Section::HitRates));
    }
    if rates.dimensions.iter().all(|dimension| dimension.flagged == 0) {
        let tested = rates.dimensions.iter().map(|dimension| dimension.tested).sum();
        statements.push(
            Statement::fact("nothing_differs", Weight::Important, Section::HitRates)
                .with("tested", Parameter::Count(tested)),
        );
    }
    statements
}

fn dimension_differs(dimension: &DimensionRates, base: f64) -> Vec<Statement> {
    let flagged = || dimension.rows.iter().filter(|row| row.flag.is_some());
    // The values of one row must not be read by someone who may not see that row.
    let Some(first) = flagged().min_by(|a, b| a.p_value.unwrap_or(1.0).total_cmp(&b.p_value.unwrap_or(1.0)))
    else {
        return Vec::new();
    };
    let sensitivity = first.sensitivity.max(dimension.sensitivity);
    let summary = Statement::pattern("values_differ", Weight::Important, Section::HitRates)
        .at(&dimension.dimension)
        .seen_by(sensitivity)
        .with("dimension", Parameter::Dimension(dimension.dimension.clone()))
        .with("flagged", Parameter::Count(dimension.flagged))
        .with("tested", Parameter::Count(dimension.tested));
    let mut statements = vec![rate_parameters(summary, first, base)];
    if dimension.dimension == "selection_reason" {
        let little = flagged().filter(|row| row.flag == Some(Flag::Below)).take(RULES_NAMED_MAX);
        statements.extend(little.map(|row| {
            let statement = Statement::pattern("rule_finds_little", Weight::Important, Section::HitRates)
                .at(&dimension.dimension)
                .seen_by(row.sensitivity.max(dimension.sensitivity));
            rate_parameters(statement, row, base)
        }));
    }
    statements
}

fn leaks(audit: &Audit) -> bool {
    audit.leakage.as_ref().is_some_and(|leakage| leakage.verdict == Verdict::Leaks)
}

/// On records that leak their outcome, a good order or plan is no news.
fn weight_of_skill(audit: &Audit) -> Weight {
    if leaks(audit) { Weight::Note } else { Weight::Important }
}

fn curve(audit: &Audit) -> Vec<Statement> {
    let Some(curve) = &audit.curve else { return Vec::new() };
    let best =
        curve.orders.iter().filter(|order| order.better_than_random).max_by(|a, b| a.auc.total_cmp(&b.auc));
    let Some(best) = best else {
        return vec![Statement::fact("no_order_better", Weight::Note, Section::Curve)];
    };
    let Some(point) = best.points.iter().find(|point| point.inspections >= 0.099) else { return Vec::new() };
    vec![
        Statement::pattern("order_better", weight_of_skill(audit), Section::Curve)
            .at(&best.id)
            .with("order", Parameter::Order(best.id.clone()))
            .with("share", Parameter::Share(point.inspections))
            .with("finds", Parameter::Share(point.finds))
            .with("low", Parameter::Share(point.interval.low))
            .with("high", Parameter::Share(point.interval.high)),
    ]
}

fn leakage(audit: &Audit) -> Vec<Statement> {
    let Some(leakage) = &audit.leakage else { return Vec::new() };
    let section = Section::Leakage;
    let scores = leakage.scores.iter().find(|scores| scores.id == "look_up");
    let auc = |of: fn(&LookUpScores) -> Option<crate::document::Scores>| {
        Parameter::Number(scores.and_then(of).map_or(0.5, |scores| scores.auc))
    };
    let statement = match leakage.verdict {
        Verdict::Leaks => Statement::pattern("leaks", Weight::Critical, section)
            .with("repeating", Parameter::Share(leakage.repeating_share))
            .with("pure", share_or_zero(leakage.pure_share))
            .with("pure_by_chance", share_or_zero(leakage.pure_share_by_chance)),
        Verdict::Suspicious => Statement::pattern("leak_suspected", Weight::Important, section),
        Verdict::NotSeen => Statement::fact("leak_not_seen", Weight::Note, section),
        Verdict::CannotTell => Statement::limitation("leak_cannot_tell", section),
    };
    let statement = statement
        .with("fields", Parameter::Fields(leakage.tuple.clone()))
        .with("auc", auc(|scores| scores.published))
        .with("novel_auc", auc(|scores| scores.novel))
        .with("seen_auc", auc(|scores| scores.seen));
    vec![statement]
}

fn integrity(audit: &Audit) -> Vec<Statement> {
    let Some(integrity) = audit.integrity.as_ref().filter(|own| !own.tables.is_empty()) else {
        return Vec::new();
    };
    let section = Section::Integrity;
    let mut statements = Vec::new();
    for table in &integrity.tables {
        let Some(first) = table.rows.iter().find(|row| row.flag.is_some()) else { continue };
        let name = match &first.second {
            Some(second) => format!("{} · {second}", first.first),
            None => first.first.clone(),
        };
        statements.push(
            Statement::pattern("stands_out", Weight::Important, section)
                .at(&table.id)
                .seen_by(table.sensitivity)
                .with("comparison", Parameter::Comparison(table.id.clone()))
                .with("flagged", Parameter::Count(table.flagged))
                .with("tested", Parameter::Count(table.tested))
                .with("first", text(name))
                .with("observed", Parameter::Count(first.observed))
                .with("expected", Parameter::Number(rounded((first.expected * 10.0).round() / 10.0))),
        );
    }
    if statements.is_empty() {
        let tested = integrity.tables.iter().map(|table| table.tested).sum();
        statements.push(
            Statement::fact("nobody_stands_out", Weight::Note, section)
                .seen_by(Sensitivity::Restricted)
                .with("tested", Parameter::Count(tested)),
        );
    }
    statements.push(
        Statement::fact("standing_out_is_not_guilt", Weight::Important, section)
            .seen_by(Sensitivity::Restricted),
    );
    statements
}

fn plans(audit: &Audit) -> Vec<Statement> {
    let Some(plans) = &audit.plans else { return Vec::new() };
    let section = Section::Plans;
    let mut statements = Vec::new();
    if plans.split.trial_units == plans.split.trial_inspected
        && audit.options.capacity == crate::Capacity::AsInspected
    {
        statements.push(Statement::limitation("capacity_is_a_tenth", section));
    }
    if leaks(audit) {
        statements.push(Statement::fact("plans_rest_on_leak", Weight::Important, section));
    }
    let alternatives = || plans.plans.iter().filter(|plan| plan.id != "actual" && plan.id != "random");
    for plan in alternatives() {
        let about =
            |statement: Statement| statement.at(&plan.id).with("plan", Parameter::Plan(plan.id.clone()));
        if plan.better_than_random {
            statements.push(about(better(audit, plan)));
        }
        if plan.selected_unknown > 0 {
            let part = float(plan.selected_unknown) / float(plan.selected.max(1));
            let least = crate::statistics::number::whole(plan.finds_kept);
            statements.push(
                about(Statement::fact("plan_unknown", Weight::Important, section))
                    .with("unknown", Parameter::Count(plan.selected_unknown))
                    .with("share", Parameter::Share(rounded(part)))
                    .with("least", Parameter::Count(least))
                    .with(
                        "most",
                        Parameter::Count(
                            least.saturating_add(plan.selected.saturating_sub(plan.selected_known)),
                        ),
                    ),
            );
            statements.extend(estimate(audit, plan).map(about));
        }
    }
    if alternatives().all(|plan| !plan.better_than_random) {
        statements.push(Statement::fact("plans_no_better", Weight::Important, section));
    }
    statements
}

fn better(audit: &Audit, plan: &PlanResult) -> Statement {
    let split = audit.plans.as_ref().map(|plans| &plans.split);
    let (from, finds, inspected) = split.map_or((String::new(), 0, 0), |split| {
        (split.trial_from.to_string(), split.trial_finds, split.trial_inspected)
    });
    Statement::pattern("plan_better", weight_of_skill(audit), Section::Plans)
        .with("from", text(from))
        .with("kept", Parameter::Count(crate::statistics::number::whole(plan.finds_kept)))
        .with("finds", Parameter::Count(finds))
        .with("selected", Parameter::Count(plan.selected))
        .with("rate", share_or_zero(plan.known_rate))
        .with("base", Parameter::Share(rounded(float(finds) / float(inspected.max(1)))))
        .with("lift", Parameter::Number(plan.lift.map_or(1.0, |lift| (lift * 100.0).round() / 100.0)))
}

fn estimate(audit: &Audit, plan: &PlanResult) -> Option<Statement> {
    let whole = |figure: f64| Parameter::Count(crate::statistics::number::whole(figure));
    match plan.estimate.as_ref()? {
        Estimate::Refused { reason } => {
            Some(Statement::limitation(&format!("estimate_{reason}"), Section::Plans))
        }
        Estimate::Given { finds, finds_interval, effective_sample, .. } => {
            let random = audit.plans.as_ref()?.plans.iter().find(|plan| plan.id == "random")?;
            let by_lot = match &random.estimate {
                Some(Estimate::Given { finds, .. }) => whole(*finds),
                _ => text("?"),
            };
            Some(
                Statement::fact("plan_estimate", Weight::Important, Section::Plans)
                    .with("finds", whole(*finds))
                    .with("low", whole(finds_interval.low))
                    .with("high", whole(finds_interval.high))
                    .with("effective", whole(*effective_sample))
                    .with("random", by_lot),
            )
        }
    }
}
