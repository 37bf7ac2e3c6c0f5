//! Bounds of a message.

/// Bounds of one message; what exceeds one is refused with a finding that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the message.
    pub bytes_max: usize,
    /// Elements within each other, the root counting 1.
    pub depth_max: usize,
    /// Attributes of one element, declarations of namespaces among them.
    pub attributes_max: usize,
    /// Namespace declarations in force at one place.
    pub namespaces_max: usize,
    /// Findings; the last one says that there were more.
    pub findings_max: usize,
}

impl Default for Limits {
    /// Many times what the largest customs messages need.
    fn default() -> Self {
        Self {
            bytes_max: 64 * 1024 * 1024,
            depth_max: 128,
            attributes_max: 64,
            namespaces_max: 64,
            findings_max: 100,
        }
    }
}

impl Limits {
    /// Those of reading. How many nodes there are is bounded by the bytes: none of them is kept.
    pub(crate) fn of_reading(self) -> markup::Limits {
        markup::Limits {
            depth_max: self.depth_max,
            nodes_max: usize::MAX,
            attributes_max: self.attributes_max,
            namespaces_max: self.namespaces_max,
        }
    }
}
