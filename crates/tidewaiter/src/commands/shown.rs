//! How figures and findings look on a terminal.

use customhouse::Error;
use customhouse::pool::FindingGroup;
use spine::{Finding, Severity};

use crate::terminal;

/// `1234567` as `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len().saturating_mul(2));
    for (at, digit) in digits.char_indices() {
        if at > 0 && digits.len().saturating_sub(at) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A share between 0 and 1 in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Bytes in the largest unit that leaves a number above 1.
pub(super) fn bytes(bytes: u64) -> String {
    let mut scaled = f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX));
    if bytes < 10_240 {
        return format!("{} B", count(bytes));
    }
    for unit in ["KiB", "MiB", "GiB"] {
        if scaled < 1024.0 {
            return format!("{scaled:.1} {unit}");
        }
        scaled /= 1024.0;
    }
    format!("{scaled:.1} TiB")
}

/// `1 row`, `2 rows`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// The first characters of a hash or id: enough to name it again.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Findings one a line, errors first, then how many of each there are.
pub(super) fn findings(findings: &[Finding]) -> Result<(), Error> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in sorted {
        terminal::line(&format!("{}  {finding}", severity(finding.severity)))?;
    }
    Ok(())
}

/// Findings of the same kind in one line: how many, where, and the first of them.
pub(super) fn groups(groups: &[FindingGroup]) -> Result<(), Error> {
    for group in groups {
        let column = if group.column.is_empty() { String::new() } else { format!(" in {}", group.column) };
        let times = counted(group.count, "time", "times");
        terminal::line(&format!("{}  {}{column}, {times}", severity(group.severity), group.code))?;
        if let Some(example) = group.examples.first() {
            terminal::line(&format!("         {example}"))?;
        }
    }
    Ok(())
}

/// A severity in a column of its own.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error  ",
        Severity::Warning => "warning",
        Severity::Information => "note   ",
    }
}

/// Title and value in two columns; what has no value is left out.
pub(super) fn facts(facts: &[(&str, Option<String>)]) -> Result<(), Error> {
    let width = facts.iter().map(|(title, _)| title.chars().count()).max().unwrap_or(0);
    for (title, value) in facts {
        if let Some(value) = value {
            terminal::line(&format!("{title:<width$}  {value}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), shown);
        }
        for (number, shown) in [(0, "0 B"), (10_239, "10,239 B"), (10_240, "10.0 KiB"), (5 << 30, "5.0 GiB")]
        {
            assert_eq!(bytes(number), shown);
        }
        assert_eq!(percent(0.1234), "12.3 %");
        assert_eq!(counted(1, "row", "rows"), "1 row");
    }
}
