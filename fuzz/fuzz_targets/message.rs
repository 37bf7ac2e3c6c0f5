//! Any bytes as a message: told apart or refused with a reason; an amendment among them is applied to a declaration, or
//! refused with a reason, and notifications among them are written and read again the same.
#![no_main]

use formats::declaration::{Form, read};
use formats::message::{Message, amend, read_message};
use formats::notification;
use libfuzzer_sys::fuzz_target;
use spine::{Finding, Severity};

const DECLARATION: &[u8] = include_bytes!("../../docs/examples/declaration.json");

fn helpful(findings: &[Finding]) {
    for finding in findings {
        assert!(!finding.code.is_empty() && !finding.expected.is_empty() && !finding.how_to_fix.is_empty());
    }
}

fuzz_target!(|bytes: &[u8]| {
    match read_message(bytes) {
        Ok(Message::Amendment(request)) => {
            let Some(declaration) = read(DECLARATION, Form::Json).declaration else { return };
            let amended = amend(&declaration, &request);
            helpful(&amended.findings);
            let refused = amended.findings.iter().any(|finding| finding.severity == Severity::Error);
            assert!(amended.declaration.is_some() || refused);
        }
        Ok(_) => {}
        Err(findings) => {
            helpful(&findings);
            assert!(findings.iter().any(|finding| finding.severity == Severity::Error));
        }
    }
    match notification::read(bytes) {
        // What is longer than the schema allows is written shorter; from then on it stays the same.
        Ok(notifications) => {
            let once = notification::read(&notification::write(&notifications));
            let Ok(once) = once else { panic!("what was written is not read: {once:?}") };
            assert_eq!(notification::read(&notification::write(&once)), Ok(once));
        }
        Err(findings) => helpful(&findings),
    }
});
