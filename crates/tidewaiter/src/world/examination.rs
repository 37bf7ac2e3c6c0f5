//! What an examination says: the truth about the goods, as far as this officer sees it, and says it.

use country::{DeclaredConsignment, Examination, Item, Officer, Scheme, Truth};
use customhouse::declarations::{ControlKind, ControlResult, ItemFinding, ResultCode};
use spine::Value;
use spine::quantity::{CurrencyCode, Money};

use super::chance::Chance;

/// Currency of records that name none: that of the country.
const CURRENCY: &str = "EUR";

fn declared(item: &Item, field: &str) -> String {
    item.value(field).map(Value::to_string).unwrap_or_default()
}

/// The field that is wrong, what was declared, what was found.
fn finding(number: u32, item: &Item, scheme: Scheme) -> ItemFinding {
    let truth = &item.truth;
    let (field, found) = match scheme {
        Scheme::Undervaluation => ("customs_value", truth.value.normalize().to_string()),
        Scheme::Misclassification => ("commodity_code", truth.commodity_code.to_string()),
        Scheme::FalseOrigin => ("origin_country", truth.origin_country.to_string()),
        Scheme::ShortQuantity => ("net_mass", truth.net_mass.normalize().to_string()),
        Scheme::Concealment => ("goods_description", "other goods hidden among the declared ones".to_owned()),
        Scheme::ShellImporter => ("importer_id", "no business at the registered address".to_owned()),
        Scheme::Collusion | Scheme::Mistake => ("goods_description", "not as described".to_owned()),
    };
    ItemFinding {
        item: number,
        field: field.to_owned(),
        declared: declared(item, field),
        found,
        kind: scheme.name().to_owned(),
    }
}

/// Does this officer look away for the declarant?
fn looks_away(truth: &Truth, officer: &Officer) -> bool {
    truth.partner.as_ref().is_some_and(|partner| *partner == officer.id)
}

/// What the officer writes down.
pub(super) fn examine(
    consignment: &DeclaredConsignment,
    control: ControlKind,
    officer: &Officer,
    chance: &mut Chance,
) -> ControlResult {
    let physical = control == ControlKind::Physical;
    let examination = if physical { Examination::Physical } else { Examination::Documents };
    let mut findings = Vec::new();
    let mut recovered: Option<Money> = None;
    for (number, item) in (1..).zip(&consignment.items) {
        let seen = item.truth.found_by(examination, officer.skill, chance.even());
        let Some(scheme) = seen.filter(|_| !looks_away(&item.truth, officer)) else { continue };
        findings.push(finding(number, item, scheme));
        let currency = declared(item, "currency");
        let code = CurrencyCode::new(&currency).or_else(|_| CurrencyCode::new(CURRENCY));
        if let Ok(currency) = code
            && item.truth.duty_evaded > 0.into()
        {
            let due = Money { amount: item.truth.duty_evaded.round_dp(2), currency };
            recovered = Some(recovered.and_then(|sum| sum.checked_add(due)).unwrap_or(due));
        }
    }
    let (code, note) = match (findings.is_empty(), physical) {
        (false, true) => (ResultCode::Irregular, "SIMULATED. Opened and compared with the declaration."),
        (false, false) => (ResultCode::Irregular, "SIMULATED. The papers do not support the declaration."),
        (true, true) => (ResultCode::Conform, "SIMULATED. Opened, counted, weighed: as declared."),
        (true, false) if chance.happens(0.3) => {
            (ResultCode::ConsideredConform, "SIMULATED. Nothing in the papers speaks against it.")
        }
        (true, false) => (ResultCode::Conform, "SIMULATED. Invoice, packing list and declaration agree."),
    };
    ControlResult {
        code,
        findings,
        recovered_revenue: recovered,
        note: note.to_owned(),
        evidence: Vec::new(),
        // What is considered conform was not looked at, and a result that says otherwise is refused.
        inspected: code != ResultCode::ConsideredConform,
    }
}

#[cfg(test)]
mod tests {
    use country::{Settings, World};

    use super::*;

    #[test]
    fn officers_find_what_is_there_if_they_look_and_never_what_is_not() {
        let world = World::new(Settings { seed: 3, declarations: 1_500, ..Settings::default() }).unwrap();
        let officer = world.officers().next().unwrap().clone();
        let (able, blind) = (Officer { skill: 1.0, ..officer.clone() }, Officer { skill: 0.0, ..officer });
        let mut chance = Chance::new(1);
        let (mut irregular, mut found) = (0, 0);
        for consignment in world.declarations() {
            let wrong = consignment.items.iter().any(|item| item.truth.irregular());
            let result = examine(&consignment, ControlKind::Physical, &able, &mut chance);
            let finds = result.code == ResultCode::Irregular;
            assert!(wrong || !finds, "nothing is found where nothing is wrong: {result:?}");
            assert_eq!(finds, !result.findings.is_empty());
            let papers = examine(&consignment, ControlKind::Documents, &able, &mut chance);
            for result in [&result, &papers] {
                assert_eq!(result.inspected, result.code != ResultCode::ConsideredConform, "{result:?}");
            }
            irregular += u32::from(wrong);
            found += u32::from(finds);
            let result = examine(&consignment, ControlKind::Physical, &blind, &mut chance);
            assert_ne!(result.code, ResultCode::Irregular);
        }
        assert!(irregular > 20 && found > irregular / 3 && found < irregular, "{found} of {irregular}");
    }
}
