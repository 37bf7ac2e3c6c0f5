//! What is owed for a declaration, from the bases and rates that it declares itself. (What goods cost what rate is the
//! tariff's; it has its place here when it comes.)

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use spine::declaration::{Declaration, DutyTaxFee, GovernmentAgencyGoodsItem};
use spine::quantity::Money;

/// Decimals of an amount.
const AMOUNT_DECIMALS: u32 = 2;

/// What a line assesses: `base` times `rate` in percent, less what is deducted, cut off at hundredths of the currency's
/// unit. Amounts are never rounded up: of 391 lines that a real system assessed 383 come out so, five of them only so,
/// and none only when rounded half up.
///
/// `None`: larger than a decimal can hold.
#[must_use]
pub fn assessed(base: Decimal, rate_percent: Decimal, deducted: Decimal) -> Option<Decimal> {
    let duty = base.checked_mul(rate_percent)?.checked_div(Decimal::ONE_HUNDRED)?;
    Some(duty.checked_sub(deducted)?.round_dp_with_strategy(AMOUNT_DECIMALS, RoundingStrategy::ToZero))
}

/// What is owed for one goods item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemDebt {
    /// Number of the item, from 1.
    pub item: u32,
    /// One line for each duty or tax.
    pub lines: Vec<DebtLine>,
}

/// One duty or tax of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtLine {
    /// Kind of duty or tax.
    pub type_code: String,
    /// Preference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regime_code: Option<String>,
    /// What the rate is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Money>,
    /// Rate, percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    /// What is owed.
    pub assessed: Money,
    /// Method of payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_code: Option<String>,
}

/// What a declaration owes by its own rates, item by item: value times rate; taxes on consumption (kinds that begin with
/// `B`) on the value with the duties before them. A line without a rate counts with the amount that the declarant
/// assessed; one with neither is the tariff's to assess, and is not here.
#[must_use]
pub fn declared(declaration: &Declaration) -> Vec<ItemDebt> {
    let debts = declaration
        .items()
        .iter()
        .zip(1..)
        .map(|(item, number)| ItemDebt { item: number, lines: lines(item) });
    debts.filter(|debt| !debt.lines.is_empty()).collect()
}

fn lines(item: &GovernmentAgencyGoodsItem) -> Vec<DebtLine> {
    let value = item.value();
    let mut duties = Decimal::ZERO;
    let mut lines = Vec::new();
    for own in &item.commodity.duty_tax_fee {
        let Some(type_code) = own.type_code.clone() else { continue };
        let on_consumption = type_code.starts_with('B');
        let before = if on_consumption { duties } else { Decimal::ZERO };
        let base = value.map(|value| Money { amount: value.amount.saturating_add(before), ..value });
        let Some((base, assessed)) = assessment(own, base) else { continue };
        if !on_consumption && value.is_some_and(|value| value.currency == assessed.currency) {
            duties = duties.saturating_add(assessed.amount);
        }
        lines.push(DebtLine {
            type_code,
            regime_code: own.duty_regime_code.clone(),
            base,
            rate: own.tax_rate_numeric,
            assessed,
            method_code: own.payment.method_code.clone(),
        });
    }
    lines
}

/// Base and amount of a line.
fn assessment(own: &DutyTaxFee, base: Option<Money>) -> Option<(Option<Money>, Money)> {
    if let (Some(rate), Some(base)) = (own.tax_rate_numeric, base) {
        let amount = assessed(base.amount, rate, Decimal::ZERO)?;
        return Some((Some(base), Money { amount, ..base }));
    }
    own.payment.tax_assessed_amount.map(|amount| (None, amount))
}

/// What is owed altogether, by currency.
#[must_use]
pub fn total(items: &[ItemDebt]) -> Vec<Money> {
    let mut total: Vec<Money> = Vec::new();
    for line in items.iter().flat_map(|item| &item.lines) {
        match total.iter_mut().find(|own| own.currency == line.assessed.currency) {
            Some(own) => own.amount = own.amount.saturating_add(line.assessed.amount),
            None => total.push(line.assessed),
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_base_times_rate_less_what_is_deducted_cut_off_at_hundredths() {
        let check = |base: &str, rate: &str, deducted: &str, expected: &str| {
            let [base, rate, deducted] = [base, rate, deducted].map(|text| text.parse().unwrap());
            assert_eq!(
                assessed(base, rate, deducted).unwrap(),
                expected.parse().unwrap(),
                "{base} at {rate}"
            );
        };
        check("10000.00", "2.70", "0.00", "270.00");
        check("10270.00", "20.00", "0.00", "2054.00");
        check("1000.00", "16.00", "160.00", "0.00");
        // 12.345 and 12.349 are both 12.34.
        check("123.45", "10", "0", "12.34");
        check("123.49", "10", "0", "12.34");
        check("0.09", "10", "0", "0.00");
    }

    #[test]
    fn what_no_decimal_can_hold_is_none() {
        assert_eq!(assessed(Decimal::MAX, Decimal::ONE_HUNDRED, Decimal::ZERO), None);
    }
}
