//! XML piece by piece (XML 1.0, 5th edition; Namespaces in XML 1.0): what is well-formed is read, what is not is
//! refused with its place, as are document types and entities. Nothing is fetched. Pieces are borrowed from the text.
//!
//! | call | gives |
//! |---|---|
//! | [`Reader::new`]`(text, limits)`, then [`Reader::next`] | one [`Token`] after the other, or why there is none |
//! | [`read`]`(text, limits, sink)` | the same, all of it, to whoever listens ([`Sink`]) |
//! | [`Reader::written`], [`Reader::number`], [`Reader::namespace`], [`Reader::attributes`] | what is known of the element that begins |
//!
//! Costs are bounded by the text and by [`Limits`]: a name is looked at once however often it stands there, attributes
//! are compared with at most [`Limits::attributes_max`] others, and memory grows with depth and with different names.

mod broken;
mod characters;
mod reader;
mod scopes;
mod tag;
mod value;

pub use broken::Broken;
pub use characters::{is_blank, is_name, is_name_character, is_name_start};
pub use reader::{Limits, Reader, Sink, Token, read};
pub use scopes::{NamespaceNumber, Scopes, XML, XSI};
pub use tag::{Attribute, split};
pub use value::Value;
