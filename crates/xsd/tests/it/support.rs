//! Small schemas and messages.

use xsd::{Entry, Files, Limits, Schema, Violation};

/// A schema of one file, without a namespace.
pub(crate) fn schema(body: &str) -> Schema {
    Schema::compile(&one_file(body), "test.xsd").unwrap_or_else(|error| panic!("{error}\n{body}"))
}

pub(crate) fn one_file(body: &str) -> Files {
    let text = format!(
        "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" elementFormDefault=\"qualified\">\n{body}</xs:schema>"
    );
    Files::from([("test.xsd".to_owned(), text.into_bytes())])
}

pub(crate) fn files(parts: &[(&str, &str)]) -> Files {
    parts.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

pub(crate) fn judged(schema: &Schema, text: &str) -> Vec<Violation> {
    let found = schema.validate(text, Entry::Root, Limits::default());
    for violation in &found {
        assert!(
            !violation.finding.how_to_fix.is_empty() && !violation.finding.expected.is_empty(),
            "{violation:?}"
        );
        assert!(violation.line > 0 && violation.column > 0, "{violation:?}");
    }
    found
}

/// The codes of what is found, with blanks between.
pub(crate) fn codes(schema: &Schema, text: &str) -> String {
    let found = judged(schema, text);
    found.iter().map(|violation| violation.finding.code.as_str()).collect::<Vec<_>>().join(" ")
}

/// Each message gets these codes; none is a valid one.
pub(crate) fn check(body: &str, messages: &[(&str, &str)]) {
    let schema = schema(body);
    for (message, expected) in messages {
        assert_eq!(codes(&schema, message), *expected, "{message}\n{body}");
    }
}
