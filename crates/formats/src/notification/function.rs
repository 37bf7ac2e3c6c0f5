//! What a notification tells.

use serde::{Deserialize, Serialize};

/// What a notification tells (code list of DMS, element `Response/FunctionCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionCode {
    /// The declaration is accepted.
    Accepted,
    /// A declaration or request was received and registered.
    Received,
    /// A declaration or request is rejected.
    Rejected,
    /// The goods are to be examined.
    Control,
    /// Documents are wanted.
    Documents,
    /// Corrections were applied.
    Amended,
    /// The goods are released.
    Released,
    /// The declaration is cleared.
    Cleared,
    /// The declaration is cancelled.
    Cancelled,
    /// A request was decided on.
    Decision,
    /// Duties and taxes were assessed.
    Debt,
    /// An account or guarantee does not cover what is to be paid.
    InsufficientFunds,
    /// What is to be paid was not paid yet.
    PaymentReminder,
    /// The goods have left.
    Exited,
    /// The goods leave under another authority.
    ExitHandledElsewhere,
    /// Nothing was heard of the goods' exit.
    ExitAwaited,
    /// Something is asked.
    Query,
    /// The goods are detained.
    Detained,
}

use FunctionCode::{
    Accepted, Amended, Cancelled, Cleared, Control, Debt, Decision, Detained, Documents, ExitAwaited,
    ExitHandledElsewhere, Exited, InsufficientFunds, PaymentReminder, Query, Received, Rejected, Released,
};

impl FunctionCode {
    /// All, in the order of their codes.
    pub const ALL: [Self; 18] = [
        Accepted,
        Received,
        Rejected,
        Control,
        Documents,
        Amended,
        Released,
        Cleared,
        Cancelled,
        Decision,
        Debt,
        InsufficientFunds,
        PaymentReminder,
        Exited,
        ExitHandledElsewhere,
        ExitAwaited,
        Query,
        Detained,
    ];

    /// Code, stable name, and short title.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Accepted => ("01", "accepted", "DMSACC"),
            Received => ("02", "received", "DMSRCV"),
            Rejected => ("03", "rejected", "DMSREJ"),
            Control => ("05", "control", "DMSCTL"),
            Documents => ("06", "documents", "DMSDOC"),
            Amended => ("07", "amended", "DMSRES"),
            Released => ("08", "released", "DMSROG"),
            Cleared => ("09", "cleared", "DMSCLE"),
            Cancelled => ("10", "cancelled", "DMSINV"),
            Decision => ("11", "decision", "DMSREQ"),
            Debt => ("13", "debt", "DMSTAX"),
            InsufficientFunds => ("14", "insufficient_funds", "DMSCPI"),
            PaymentReminder => ("15", "payment_reminder", "DMSCPR"),
            Exited => ("16", "exited", "DMSEOG"),
            ExitHandledElsewhere => ("17", "exit_handled_elsewhere", "DMSEXT"),
            ExitAwaited => ("18", "exit_awaited", "DMSGER"),
            Query => ("51", "query", "DMSQRY"),
            Detained => ("52", "detained", "DMSDET"),
        }
    }

    /// Two digits.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.words().0
    }

    /// Stable name in `snake_case`; that of its serialised form.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.words().1
    }

    /// Short title, such as `DMSACC`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.words().2
    }

    /// Reads two digits.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_those_of_one_function_each() {
        for function in FunctionCode::ALL {
            assert_eq!(FunctionCode::from_code(function.code()), Some(function));
            assert_eq!(serde_json::to_value(function).unwrap(), function.name());
            assert!(function.title().starts_with("DMS") && function.title().len() == 6);
        }
        assert!(
            FunctionCode::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code() && pair[0] < pair[1])
        );
        assert_eq!(FunctionCode::from_code("04"), None);
    }
}
