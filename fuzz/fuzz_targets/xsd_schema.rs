//! Any bytes as a schema and, behind a zero byte, a message: refused with a place, or the message is judged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xsd::{Entry, Files, Limits, Schema};

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (schema, message) = bytes.split_at(at);
    let files = Files::from([("fuzz.xsd".to_owned(), schema.to_vec())]);
    match Schema::compile(&files, "fuzz.xsd") {
        Err(error) => assert!(!error.code.is_empty() && !error.detail.is_empty() && !error.remedy.is_empty()),
        Ok(schema) => {
            let text = String::from_utf8_lossy(message.strip_prefix(b"\0").unwrap_or(message));
            for violation in schema.validate(&text, Entry::Root, Limits::default()) {
                assert!(!violation.finding.expected.is_empty() && !violation.finding.how_to_fix.is_empty());
                assert!(violation.line > 0 && violation.column > 0);
            }
        }
    }
});
