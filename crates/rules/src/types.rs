//! Types of values, and how messages name them.

use spine::FieldType;

/// Type of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// One value.
    One(FieldType),
    /// Several values of one type.
    List(FieldType),
    /// Elements of a document, none or one or several; a single one stands for its text.
    Nodes,
}

impl Type {
    pub(crate) const BOOLEAN: Self = Self::One(FieldType::Boolean);
    pub(crate) const TEXT: Self = Self::One(FieldType::Text);
    pub(crate) const NUMBER: Self = Self::One(FieldType::Decimal);

    /// With its article, as messages say it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::One(FieldType::Text) => "a text",
            Self::One(FieldType::Decimal) => "a number",
            Self::One(FieldType::Date) => "a date",
            Self::One(FieldType::DateTime) => "a date with time",
            Self::One(FieldType::Boolean) => "true or false",
            Self::List(FieldType::Text) => "a list of texts",
            Self::List(FieldType::Decimal) => "a list of numbers",
            Self::List(FieldType::Date) => "a list of dates",
            Self::List(FieldType::DateTime) => "a list of dates with time",
            Self::List(FieldType::Boolean) => "a list of true and false",
            Self::Nodes => "elements of the document",
        }
    }
}
