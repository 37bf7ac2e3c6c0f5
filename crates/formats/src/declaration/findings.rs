//! Findings in their order, bounded.

use spine::{Finding, Severity};

/// Findings told; what is beyond is counted.
const FINDINGS_MAX: usize = 200;

/// A bounded list of findings.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    told: Vec<Finding>,
    untold: usize,
    worst_untold: Option<Severity>,
}

impl Findings {
    /// Takes a finding, or counts it.
    pub(crate) fn push(&mut self, finding: Finding) {
        if self.told.len() < FINDINGS_MAX {
            self.told.push(finding);
        } else {
            self.untold = self.untold.saturating_add(1);
            self.worst_untold = self.worst_untold.max(Some(finding.severity));
        }
    }

    /// The findings, and where there are more than are told, one that says so and weighs what they weigh.
    pub(crate) fn into_vec(self) -> Vec<Finding> {
        let mut findings = self.told;
        if let Some(severity) = self.worst_untold {
            findings.push(
                Finding::new("more_findings", severity)
                    .found(&format!("{} more", self.untold))
                    .expected(format!("at most {FINDINGS_MAX} findings in one declaration"))
                    .fix("Mend what is told and send it again; the others follow."),
            );
        }
        findings
    }
}
