//! How much work one evaluation is at most, known before it runs.

use crate::error::RuleError;
use crate::typed::{Form, Typed};

/// Steps that one evaluation of a rule may take, repeated groups counted as one element each.
///
/// For an entry this is a true bound, because its lists are written in the rule. In a document the number of
/// elements is known only at run time, where [`crate::STEPS_MAX`] bounds all rules together.
pub(crate) const COST_MAX: u64 = 20_000;

/// Cost of deciding a pattern on a text: time is linear in the text, so long texts cost more than the bound says.
const MATCH_COST: u64 = 50;

/// Refuses a rule that costs too much; answers its cost in steps.
pub(crate) fn bound(part: &Typed) -> Result<u64, RuleError> {
    let cost = cost(part);
    if cost <= COST_MAX {
        return Ok(cost);
    }
    Err(RuleError::new(
        "rule_too_costly",
        part.span,
        format!("one evaluation could take {cost} steps; at most {COST_MAX} are allowed"),
    )
    .help("shorten the lists that exists, all, filter or map run over, or nest fewer of them"))
}

fn cost(part: &Typed) -> u64 {
    let own = match &part.form {
        Form::Call(_, cost, _) => u64::from(*cost),
        Form::Matches(..) => MATCH_COST,
        Form::Quantify(_, list, body) => {
            return cost(list).saturating_add(elements(list).saturating_mul(cost(body))).saturating_add(1);
        }
        _ => 1,
    };
    part.parts().into_iter().map(cost).fold(own, u64::saturating_add)
}

/// Elements of a list at most; of a document's one.
fn elements(list: &Typed) -> u64 {
    let written = match &list.form {
        Form::List(parts) => parts.len(),
        Form::Texts(texts) => texts.len(),
        Form::Quantify(_, inner, _) => return elements(inner),
        Form::Call(_, _, parts) => return parts.iter().map(elements).max().unwrap_or(1),
        _ => 1,
    };
    u64::try_from(written).unwrap_or(u64::MAX).max(1)
}
