//! Why a schema cannot be compiled.

/// A schema that is wrong, or uses what is not understood here. Nothing of a schema is ever left out in silence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {detail}. {remedy} [{code}]")]
pub struct SchemaError {
    /// Stable snake_case code.
    pub code: &'static str,
    /// Path of the file, as the caller named it.
    pub file: String,
    /// Line in it, from 1; 0 where the file as a whole is meant.
    pub line: u32,
    /// What is wrong.
    pub detail: String,
    /// What to do now.
    pub remedy: &'static str,
}

/// What can be wrong with a schema: code and remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    FileMissing,
    NotUtf8,
    NotWellFormed,
    NotASchema,
    Unsupported,
    Misplaced,
    AttributeUnsupported,
    AttributeMissing,
    ValueInvalid,
    ReferenceUnknown,
    DefinedTwice,
    Circular,
    NamespaceMismatch,
    PatternInvalid,
    PatternTooLarge,
    ModelAmbiguous,
    ModelTooLarge,
    TooLarge,
}

impl Fault {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::FileMissing => {
                ("schema_file_missing", "Take the whole set of schemas as it was published.")
            }
            Self::NotUtf8 => ("schema_not_utf8", "Save the schema as UTF-8."),
            Self::NotWellFormed => ("schema_not_well_formed", "Take the file as it was published."),
            Self::NotASchema => ("schema_not_a_schema", "Name the XML Schema itself."),
            Self::Unsupported => (
                "schema_construct_unsupported",
                "Express it with the constructs that docs/conformance.md lists, or ask for this one.",
            ),
            Self::Misplaced => ("schema_construct_misplaced", "Move it to where XML Schema allows it."),
            Self::AttributeUnsupported => (
                "schema_attribute_unsupported",
                "Express it with the constructs that docs/conformance.md lists, or ask for this one.",
            ),
            Self::AttributeMissing => ("schema_attribute_missing", "Add the attribute that is named."),
            Self::ValueInvalid => ("schema_value_invalid", "Correct the value."),
            Self::ReferenceUnknown => (
                "schema_reference_unknown",
                "Correct the name, or import the namespace in which it is defined.",
            ),
            Self::DefinedTwice => ("schema_defined_twice", "Keep one of the two definitions."),
            Self::Circular => ("schema_definition_circular", "Break the circle of definitions."),
            Self::NamespaceMismatch => (
                "schema_namespace_mismatch",
                "Import the namespace that the file has, or include a file of the same namespace.",
            ),
            Self::PatternInvalid => {
                ("schema_pattern_invalid", "Correct the pattern (XML Schema part 2, appendix F).")
            }
            Self::PatternTooLarge => ("schema_pattern_too_large", "Use smaller numbers of repetitions."),
            Self::ModelAmbiguous => (
                "schema_model_ambiguous",
                "Give the elements different names, or the same declaration (unique particle attribution).",
            ),
            Self::ModelTooLarge => {
                ("schema_model_too_large", "Use smaller numbers of repetitions of groups.")
            }
            Self::TooLarge => ("schema_too_large", "Split the schema, or simplify it."),
        }
    }

    pub(crate) fn at(self, file: &str, line: u32, detail: impl Into<String>) -> SchemaError {
        let (code, remedy) = self.words();
        SchemaError { code, file: file.to_owned(), line, detail: detail.into(), remedy }
    }
}
