//! The types that every schema has (XML Schema part 2, section 3).

use crate::moment::Parts;
use crate::simple::{Bound, Facets, Lexical, SimpleId, SimpleType, Variety, WhiteSpace};

use Lexical as L;
use WhiteSpace::{Collapse, Preserve, Replace};

/// A type of the table: name, the type above it, form, white space, least and greatest value.
type Row = (&'static str, &'static str, Lexical, WhiteSpace, &'static str, &'static str);

/// Each type stands below the one it is made from.
const ATOMIC: &[Row] = &[
    ("anySimpleType", "", L::Text, Preserve, "", ""),
    ("string", "anySimpleType", L::Text, Preserve, "", ""),
    ("normalizedString", "string", L::Text, Replace, "", ""),
    ("token", "normalizedString", L::Text, Collapse, "", ""),
    ("language", "token", L::Language, Collapse, "", ""),
    ("NMTOKEN", "token", L::NmToken, Collapse, "", ""),
    ("Name", "token", L::Name, Collapse, "", ""),
    ("NCName", "Name", L::NcName, Collapse, "", ""),
    ("ID", "NCName", L::Id, Collapse, "", ""),
    ("IDREF", "NCName", L::IdRef, Collapse, "", ""),
    ("boolean", "anySimpleType", L::Boolean, Collapse, "", ""),
    ("decimal", "anySimpleType", L::Decimal, Collapse, "", ""),
    ("integer", "decimal", L::Integer, Collapse, "", ""),
    ("nonPositiveInteger", "integer", L::Integer, Collapse, "", "0"),
    ("negativeInteger", "nonPositiveInteger", L::Integer, Collapse, "", "-1"),
    ("long", "integer", L::Integer, Collapse, "-9223372036854775808", "9223372036854775807"),
    ("int", "long", L::Integer, Collapse, "-2147483648", "2147483647"),
    ("short", "int", L::Integer, Collapse, "-32768", "32767"),
    ("byte", "short", L::Integer, Collapse, "-128", "127"),
    ("nonNegativeInteger", "integer", L::Integer, Collapse, "0", ""),
    ("unsignedLong", "nonNegativeInteger", L::Unsigned, Collapse, "0", "18446744073709551615"),
    ("unsignedInt", "unsignedLong", L::Unsigned, Collapse, "0", "4294967295"),
    ("unsignedShort", "unsignedInt", L::Unsigned, Collapse, "0", "65535"),
    ("unsignedByte", "unsignedShort", L::Unsigned, Collapse, "0", "255"),
    ("positiveInteger", "nonNegativeInteger", L::Integer, Collapse, "1", ""),
    ("float", "anySimpleType", L::Float, Collapse, "", ""),
    ("double", "anySimpleType", L::Float, Collapse, "", ""),
    ("duration", "anySimpleType", L::Duration, Collapse, "", ""),
    ("dateTime", "anySimpleType", L::Moment(Parts::DateTime), Collapse, "", ""),
    ("time", "anySimpleType", L::Moment(Parts::Time), Collapse, "", ""),
    ("date", "anySimpleType", L::Moment(Parts::Date), Collapse, "", ""),
    ("gYearMonth", "anySimpleType", L::Moment(Parts::YearMonth), Collapse, "", ""),
    ("gYear", "anySimpleType", L::Moment(Parts::Year), Collapse, "", ""),
    ("gMonthDay", "anySimpleType", L::Moment(Parts::MonthDay), Collapse, "", ""),
    ("gMonth", "anySimpleType", L::Moment(Parts::Month), Collapse, "", ""),
    ("gDay", "anySimpleType", L::Moment(Parts::Day), Collapse, "", ""),
    ("hexBinary", "anySimpleType", L::Hex, Collapse, "", ""),
    ("base64Binary", "anySimpleType", L::Base64, Collapse, "", ""),
    ("anyURI", "anySimpleType", L::Uri, Collapse, "", ""),
    ("QName", "anySimpleType", L::QName, Collapse, "", ""),
];

/// Lists of at least one value.
const LISTS: &[(&str, &str)] = &[("NMTOKENS", "NMTOKEN"), ("IDREFS", "IDREF")];

/// Any text.
pub(crate) const ANY_SIMPLE: SimpleId = SimpleId(0);

/// The number of a type of this name in every schema.
pub(crate) fn builtin(name: &str) -> Option<SimpleId> {
    let atomic = ATOMIC.iter().position(|row| row.0 == name);
    let list =
        || LISTS.iter().position(|(known, _)| *known == name).map(|at| at.saturating_add(ATOMIC.len()));
    atomic.or_else(list).map(SimpleId)
}

/// All of them, in the order of their numbers.
pub(crate) fn all() -> Vec<SimpleType> {
    let atomic = ATOMIC.iter().map(|(name, base, lexical, white_space, least, greatest)| {
        let bound = |bound: Bound, value: &str| (!value.is_empty()).then(|| (bound, value.into()));
        SimpleType {
            name: (*name).into(),
            base: builtin(base),
            variety: Variety::Atomic(*lexical),
            white_space: *white_space,
            facets: Facets {
                bounds: bound(Bound::MinInclusive, least)
                    .into_iter()
                    .chain(bound(Bound::MaxInclusive, greatest))
                    .collect(),
                ..Facets::default()
            },
        }
    });
    let lists = LISTS.iter().map(|(name, item)| SimpleType {
        name: (*name).into(),
        base: Some(ANY_SIMPLE),
        variety: Variety::List(builtin(item).unwrap_or(ANY_SIMPLE)),
        white_space: Collapse,
        facets: Facets { length_min: Some(1), ..Facets::default() },
    });
    atomic.chain(lists).collect()
}
