//! Any bytes as a declaration in JSON: understood or refused with a reason, and what is understood is written and read
//! again the same.
#![no_main]

use formats::declaration::{Form, read, write_dms, write_json};
use libfuzzer_sys::fuzz_target;
use spine::Severity;

fuzz_target!(|bytes: &[u8]| {
    let understood = read(bytes, Form::Json);
    for finding in &understood.findings {
        assert!(!finding.code.is_empty() && !finding.expected.is_empty() && !finding.how_to_fix.is_empty());
    }
    let Some(declaration) = &understood.declaration else {
        assert!(understood.findings.iter().any(|finding| finding.severity == Severity::Error));
        return;
    };
    for (form, written) in [(Form::Json, write_json(declaration)), (Form::DmsXml, write_dms(declaration))] {
        assert_eq!(read(&written, form).declaration.as_ref(), Some(declaration));
    }
});
