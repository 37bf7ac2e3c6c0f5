//! Repeats of the same goods, and whether they give the outcome away.

use customhouse::audit::Audit;
use customhouse::audit::document::{Leakage, Scores, Verdict};
use maud::{Markup, html};

use super::plot;
use super::simulated_mark;
use super::table::{Cell, Head, table};
use super::words::{count, field, percent, say, say_with};

/// What stands above every part whose figures rest on outcomes that may be looked up.
pub(super) fn caution(audit: &Audit) -> Markup {
    let key = match audit.leakage.as_ref().map(|leakage| leakage.verdict) {
        Some(Verdict::Leaks) => "leak_caution",
        Some(Verdict::Suspicious) => "leak_suspected_caution",
        _ => return html! {},
    };
    html! { p class="caution" { (say(key)) " " a href="#leakage" { (say("section_leakage")) } } }
}

/// Verdict, figures, scores under both protocols, and how the tuple was found.
pub(super) fn section(leakage: &Leakage, audit: &Audit) -> Markup {
    let verdict = match leakage.verdict {
        Verdict::CannotTell => "cannot_tell",
        Verdict::NotSeen => "not_seen",
        Verdict::Suspicious => "suspicious",
        Verdict::Leaks => "leaks",
    };
    html! {
        p class={ "verdict " (verdict) } { (say(&format!("verdict_{verdict}"))) " " (simulated_mark(audit.population.simulated)) }
        @if !leakage.tuple.is_empty() {
            p {
                (say("leakage_tuple")) " "
                @for (at, name) in leakage.tuple.iter().enumerate() {
                    @if at > 0 { " · " }
                    (field(name))
                }
            }
        }
        ul {
            li {
                (say_with("leakage_repeats", &[
                    ("units", &count(leakage.units)),
                    ("tuples", &count(leakage.tuples)),
                    ("repeating", &count(leakage.repeating_units)),
                    ("share", &percent(leakage.repeating_share)),
                ]))
            }
            @if let (Some(pure), Some(chance)) = (leakage.pure_share, leakage.pure_share_by_chance) {
                li {
                    (say_with("leakage_pure", &[
                        ("repeated", &count(leakage.repeated_tuples)),
                        ("pure", &percent(pure)),
                        ("chance", &percent(chance)),
                    ]))
                }
            }
            li { (say_with("leakage_seen", &[("share", &percent(leakage.trial_seen_share))])) }
        }
        (scores(leakage))
        details { summary { (say("leakage_steps")) } (steps(leakage)) }
    }
}

fn scores(leakage: &Leakage) -> Markup {
    let mut rows = Vec::new();
    for score in &leakage.scores {
        let model = if score.id == "look_up" { "model_look_up" } else { "model_trees" };
        for (protocol, scores) in [
            ("protocol_published", &score.published),
            ("protocol_seen", &score.seen),
            ("protocol_novel", &score.novel),
        ] {
            if let Some(scores) = scores {
                rows.push(score_row(model, protocol, scores));
            }
        }
    }
    let heads = [
        Head::text("model"),
        Head::text("protocol"),
        Head::number("units"),
        Head::number("hits"),
        Head::number("auc_head"),
        Head::number("interval"),
        Head::number("average_precision"),
        Head::number("precision_at_5"),
        Head::number("base_rate"),
    ];
    table(&say("leakage_scores"), &heads, &rows)
}

fn score_row(model: &str, protocol: &str, scores: &Scores) -> Vec<Cell> {
    vec![
        Cell::markup(say(model)),
        Cell::markup(say(protocol)),
        Cell::number(count(scores.units), plot::coordinate(scores.units)),
        Cell::number(count(scores.finds), plot::coordinate(scores.finds)),
        Cell::number(format!("{:.3}", scores.auc), scores.auc),
        Cell::number(
            format!("{:.3} – {:.3}", scores.auc_interval.low, scores.auc_interval.high),
            scores.auc_interval.low,
        ),
        Cell::number(format!("{:.3}", scores.average_precision), scores.average_precision),
        Cell::number(percent(scores.precision_at_5), scores.precision_at_5),
        Cell::number(percent(scores.base_rate), scores.base_rate),
    ]
}

fn steps(leakage: &Leakage) -> Markup {
    let rows: Vec<Vec<Cell>> = leakage
        .steps
        .iter()
        .map(|step| {
            vec![
                Cell::markup(html! { @if step.removed { "− " } @else { "+ " } (field(&step.field)) }),
                Cell::number(format!("{:.3}", step.auc), step.auc),
            ]
        })
        .collect();
    table(&say("leakage_steps"), &[Head::text("field"), Head::number("auc_head")], &rows)
}
