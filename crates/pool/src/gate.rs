//! The quality gate: is a batch as a whole good enough to come in?

use std::collections::BTreeMap;

use formats::Intake;
use formats::intake::QUARANTINE_ROWS_MAX;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use spine::entry::TextColumn;
use spine::{Column, EntryTable, FieldDefinition, Finding, Pointer, Severity};

use crate::contract::SourceContract;

/// What the gate looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct IntakeSummary {
    /// Rows read.
    pub rows_read: u64,
    /// Rows that are understood.
    pub rows_understood: u64,
    /// Rows in quarantine.
    pub rows_quarantined: u64,
    /// In how many understood rows each field is unknown.
    pub unknown: BTreeMap<String, u64>,
}

impl IntakeSummary {
    /// The figures of an intake.
    #[must_use]
    pub fn of(intake: &Intake) -> Self {
        Self {
            rows_read: intake.rows_read,
            rows_understood: count(intake.table.len()),
            rows_quarantined: intake.rows_quarantined,
            unknown: unknown_by_field(&intake.table),
        }
    }
}

/// In how many rows each field is unknown.
#[must_use]
fn unknown_by_field(table: &EntryTable) -> BTreeMap<String, u64> {
    let one = |(field, column): (&FieldDefinition, &Column)| (field.name.clone(), unknown(column));
    table.schema().fields.iter().zip(table.columns()).map(one).collect()
}

fn unknown(column: &Column) -> u64 {
    count(match column {
        Column::Text(column) => column.codes().iter().filter(|code| **code == TextColumn::ABSENT).count(),
        Column::Decimal(values) => values.iter().filter(|value| value.is_none()).count(),
        Column::Date(values) => values.iter().filter(|value| value.is_none()).count(),
        Column::DateTime(values) => values.iter().filter(|value| value.is_none()).count(),
        Column::Boolean(values) => values.iter().filter(|value| value.is_none()).count(),
    })
}

pub(crate) fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Everything it noticed; an error among it refuses the batch.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// May the batch come in?
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Error)
    }
}

/// Judges a batch. A batch that mends another is small and partly good by nature: only its emptiness refuses it.
#[must_use]
pub fn judge(contract: &SourceContract, summary: &IntakeSummary, mends: bool) -> Verdict {
    let mut findings = Vec::new();
    if summary.rows_understood == 0 {
        findings.push(
            Finding::error("batch_empty")
                .found(&format!("0 usable rows of {}", summary.rows_read))
                .expected("at least one usable row")
                .fix(
                    "Look at the findings: most often a column is mapped wrongly or dates have another form.",
                ),
        );
    }
    if !mends {
        check_quarantine(contract, summary, &mut findings);
        check_unknown(contract, summary, &mut findings);
        check_volume(contract, summary, &mut findings);
    }
    Verdict { findings }
}

fn check_quarantine(contract: &SourceContract, summary: &IntakeSummary, findings: &mut Vec<Finding>) {
    let most = contract.quality.quarantined_share_max;
    if exceeds(summary.rows_quarantined, summary.rows_read, most) {
        findings.push(
            Finding::error("quarantined_share_too_high")
                .found(&shown(summary.rows_quarantined, summary.rows_read))
                .expected(format!("at most {} of the rows", percent(most)))
                .fix(
                    "Mend what the findings name at the source and send the file again, or change the contract.",
                ),
        );
    }
    if summary.rows_quarantined > count(QUARANTINE_ROWS_MAX) {
        findings.push(
            Finding::error("quarantine_too_large")
                .found(&format!("{} rows", summary.rows_quarantined))
                .expected(format!("at most {QUARANTINE_ROWS_MAX} rows that cannot be used"))
                .fix("Mend what the findings name at the source, or split the file."),
        );
    }
}

fn check_unknown(contract: &SourceContract, summary: &IntakeSummary, findings: &mut Vec<Finding>) {
    for (field, most) in &contract.quality.unknown_share_max {
        let unknown = summary.unknown.get(field).copied().unwrap_or(summary.rows_understood);
        if exceeds(unknown, summary.rows_understood, *most) {
            findings.push(
                Finding::error("unknown_share_too_high")
                    .at(Pointer(format!("fields.{field}")))
                    .found(&shown(unknown, summary.rows_understood))
                    .expected(format!("at most {} of the rows without it", percent(*most)))
                    .fix("Map the column that holds it, mend it at the source, or change the contract."),
            );
        }
    }
}

fn check_volume(contract: &SourceContract, summary: &IntakeSummary, findings: &mut Vec<Finding>) {
    let volume = &contract.volume;
    if !(volume.rows_min..=volume.rows_max).contains(&summary.rows_read) {
        findings.push(
            Finding::warning("volume_unexpected")
                .found(&format!("{} rows", summary.rows_read))
                .expected(format!("{} to {} rows", volume.rows_min, volume.rows_max))
                .fix("Check that the file covers the period it should; change the contract if it does."),
        );
    }
}

fn exceeds(part: u64, whole: u64, most: Decimal) -> bool {
    // A whole of 0 rows is refused as empty; nothing exceeds a share of it.
    Decimal::from(part) > most.saturating_mul(Decimal::from(whole))
}

fn percent(share: Decimal) -> String {
    format!("{} %", share.saturating_mul(Decimal::ONE_HUNDRED).round_dp(2).normalize())
}

fn shown(part: u64, whole: u64) -> String {
    let share = Decimal::from(part).checked_div(Decimal::from(whole)).unwrap_or_default();
    format!("{part} of {whole} rows ({})", percent(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(read: u64, quarantined: u64, without_code: u64) -> IntakeSummary {
        IntakeSummary {
            rows_read: read,
            rows_understood: read - quarantined,
            rows_quarantined: quarantined,
            unknown: [("commodity_code".to_owned(), without_code)].into(),
        }
    }

    #[test]
    fn a_batch_is_let_in_or_sent_back_with_the_reason() {
        let mut contract = SourceContract::declarations();
        contract.volume.rows_min = 100;
        contract.quality.unknown_share_max.insert("commodity_code".to_owned(), Decimal::new(2, 1));
        let cases: [(IntakeSummary, bool, bool, &[&str]); 8] = [
            (summary(1_000, 0, 0), false, true, &[]),
            (summary(1_000, 100, 0), false, true, &[]),
            (summary(1_000, 101, 0), false, false, &["quarantined_share_too_high"]),
            (summary(1_000, 0, 200), false, true, &[]),
            (summary(1_000, 0, 201), false, false, &["unknown_share_too_high"]),
            (summary(99, 0, 0), false, true, &["volume_unexpected"]),
            (summary(0, 0, 0), false, false, &["batch_empty", "volume_unexpected"]),
            (summary(3, 2, 1), true, true, &[]),
        ];
        for (summary, mends, accepted, codes) in cases {
            let verdict = judge(&contract, &summary, mends);
            let told: Vec<&str> = verdict.findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!((verdict.accepted(), told.as_slice()), (accepted, codes), "{summary:?}");
        }
        let verdict = judge(&contract, &summary(1_000, 101, 0), false);
        assert_eq!(verdict.findings[0].found, "101 of 1000 rows (10.1 %)");
    }

    #[test]
    fn a_demanded_field_that_is_not_delivered_at_all_is_unknown_everywhere() {
        let contract = SourceContract::declarations();
        let summary = IntakeSummary { rows_read: 10, rows_understood: 10, ..IntakeSummary::default() };
        assert!(!judge(&contract, &summary, false).accepted());
    }
}
