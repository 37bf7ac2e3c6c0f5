//! Named lists of texts.

use std::collections::{BTreeMap, BTreeSet};

/// Named lists of texts, such as codes; a rule asks for membership with `in`. They come from packs of lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists(pub BTreeMap<String, BTreeSet<String>>);
