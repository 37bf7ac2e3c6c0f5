//! The nouns of customs as plain types and pure functions: no input or output, no clock, no threads.
//!
//! Every other room speaks in these types. Constructors check; what they refuse, they refuse with a
//! [`Finding`] or an error that says which value, why, and what to do.

pub mod declaration;
pub mod declaration_entry;
pub mod entry;
pub mod event;
pub mod finding;
pub mod identifier;
pub mod name_table;
pub mod noun;
pub mod progress;
pub mod quantity;
pub mod sensitivity;
pub mod text;
pub mod tree;

pub use entry::{Column, EntrySchema, EntryTable, FieldDefinition, FieldType, Value};
pub use event::{Actor, ActorKind, Envelope};
pub use finding::{Finding, Pointer, Severity};
pub use progress::{Progress, Silent};
pub use sensitivity::Sensitivity;
pub use text::{Language, LocalizedText};
