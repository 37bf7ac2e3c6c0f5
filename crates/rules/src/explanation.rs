//! The reason for an answer, part by part.

use serde::Serialize;
use spine::Pointer;

use crate::truth::Truth;

/// One part of a rule with what it came to, and its own parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The part as its author wrote it.
    pub source: String,
    /// What it came to, if it is a condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<Truth>,
    /// What it came to, if it is a value and known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where the value was read: the field of an entry, the nodes of a document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pointers: Vec<Pointer>,
    /// Its parts in the order in which they are written; constants are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Explanation>,
}
