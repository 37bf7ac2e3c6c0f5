//! Other inspection plans at the same capacity: what is known, what is lost, and what nobody can know.

use customhouse::audit::Audit;
use customhouse::audit::document::{Estimate, PlanResult, Plans};
use maud::{Markup, html};

use super::leakage;
use super::plot;
use super::simulated_mark;
use super::table::{Cell, Head, table};
use super::words::{
    count, localized, money, number, p_value, percent, percent_interval, say, say_with, whole,
};

/// A plan that selects more than so many times the capacity is told, not drawn: the others would be slivers beside it.
const DRAWN_CAPACITIES_MAX: u64 = 3;

/// Plans side by side.
pub(super) fn section(plans: &Plans, audit: &Audit) -> Markup {
    let split = &plans.split;
    let (drawn, larger): (Vec<&PlanResult>, Vec<&PlanResult>) = plans
        .plans
        .iter()
        .partition(|plan| plan.selected <= plans.capacity.saturating_mul(DRAWN_CAPACITIES_MAX));
    html! {
        (leakage::caution(audit))
        p {
            (say_with("plans_intro", &[
                ("learning_from", &split.learning_from.to_string()),
                ("learning_to", &split.learning_to.to_string()),
                ("trial_from", &split.trial_from.to_string()),
                ("trial_to", &split.trial_to.to_string()),
                ("capacity", &count(plans.capacity)),
                ("share", &percent(plans.capacity_share)),
                ("units", &count(split.trial_units)),
            ]))
        }
        h3 { (say("plans_title")) " " (simulated_mark(audit.population.simulated)) }
        (plot::plans(&drawn))
        @for plan in larger {
            p class="note" {
                (say_with("plan_not_drawn", &[("selected", &count(plan.selected))])) " " (localized(&plan.title))
            }
        }
        ul class="legend" {
            li { span class="swatch kept" {} " " (say("plan_kept")) }
            li { span class="swatch regular" {} " " (say("plan_regular")) }
            @if plans.plans.iter().any(|plan| plan.selected_known.saturating_add(plan.selected_unknown) < plan.selected) {
                li { span class="swatch unrecorded" {} " " (say("plan_unrecorded")) }
            }
            li { span class="swatch unknown" {} " " (say("plan_unknown")) }
        }
        (plan_table(plans, audit))
        @for plan in &plans.plans {
            details {
                summary { (localized(&plan.title)) }
                p { (localized(&plan.description)) }
                (estimate(plan))
                @if !plan.weights.is_empty() { (weights(plan)) }
            }
        }
    }
}

fn plan_table(plans: &Plans, audit: &Audit) -> Markup {
    let currency = audit.population.currency.as_deref();
    let rows: Vec<Vec<Cell>> = plans
        .plans
        .iter()
        .map(|plan| {
            vec![
                Cell::markup(localized(&plan.title)),
                Cell::number(count(plan.selected), plot::coordinate(plan.selected)),
                Cell::number(whole(plan.finds_kept), plan.finds_kept),
                Cell::number(whole(plan.finds_lost), plan.finds_lost),
                Cell::number(count(plan.selected_unknown), plot::coordinate(plan.selected_unknown)),
                Cell::optional(plan.known_rate, |rate| Cell::number(percent(rate), rate)),
                Cell::optional(plan.known_rate_interval, |interval| {
                    Cell::number(percent_interval(interval), interval.low)
                }),
                Cell::optional(plan.lift, |lift| Cell::number(number(lift), lift)),
                Cell::optional(plan.adjusted_p, |p| Cell::number(p_value(p), p)),
                Cell::number(count(plan.shared_with_actual), plot::coordinate(plan.shared_with_actual)),
                Cell::optional(plan.revenue_kept, |amount| {
                    Cell::number(money(amount, currency), plot::amount(amount))
                }),
            ]
        })
        .collect();
    let heads = [
        Head::text("plan"),
        Head::number("selected"),
        Head::number("finds_kept"),
        Head::number("finds_lost"),
        Head::number("selected_unknown"),
        Head::number("known_rate"),
        Head::number("interval"),
        Head::number("lift"),
        Head::number("adjusted_p"),
        Head::number("shared_with_actual"),
        Head::number("recovered"),
    ];
    table(&say("plans_caption"), &heads, &rows)
}

fn estimate(plan: &PlanResult) -> Markup {
    match &plan.estimate {
        None => html! {},
        Some(Estimate::Refused { reason }) => {
            html! { p class="note" { (say(&format!("estimate_refused_{reason}"))) } }
        }
        Some(Estimate::Given {
            finds,
            finds_interval,
            rate,
            rate_interval,
            inspected,
            effective_sample,
            ..
        }) => html! {
            p {
                (say_with("estimate_given", &[
                    ("finds", &whole(*finds)),
                    ("low", &whole(finds_interval.low)),
                    ("high", &whole(finds_interval.high)),
                    ("rate", &percent(*rate)),
                    ("interval", &percent_interval(*rate_interval)),
                    ("inspected", &count(*inspected)),
                    ("effective", &whole(*effective_sample)),
                ]))
            }
        },
    }
}

fn weights(plan: &PlanResult) -> Markup {
    let rows: Vec<Vec<Cell>> = plan
        .weights
        .iter()
        .map(|(name, weight)| vec![Cell::text(name), Cell::number(format!("{weight:.3}"), *weight)])
        .collect();
    table(&say("weights_caption"), &[Head::text("value"), Head::number("weight")], &rows)
}
