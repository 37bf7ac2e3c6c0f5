//! XML Schema for messages: a schema is compiled once into automata and then judges messages as they stream by.
//!
//! Nothing is fetched and nothing is read from disk: the caller gives the files. What of XML Schema 1.0 is understood
//! is listed in `docs/conformance.md`; everything else is refused when the schema is compiled, with file and line.
//! Memory for a message grows with the depth of its elements, not with its length.

mod blocks;
mod builtin;
mod compile;
mod decimal;
mod error;
mod finding;
mod limits;
mod model;
mod moment;
mod name;
mod particle;
mod pattern;
mod place;
mod places;
mod schema;
mod simple;
mod source;
mod validate;

pub use error::SchemaError;
pub use finding::Violation;
pub use limits::Limits;
pub use schema::Schema;
pub use source::Files;
pub use validate::{AssumedNamespaces, Entry, Judgement};
