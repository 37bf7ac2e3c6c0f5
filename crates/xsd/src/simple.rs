//! Simple types: what a value may be (XML Schema part 2).

use markup::{is_name, is_name_character};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::decimal::Decimal;
use crate::moment::{Moment, Parts, is_duration};
use crate::pattern::Pattern;

/// A simple type of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SimpleId(pub(crate) usize);

/// What happens to white space before a value is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WhiteSpace {
    Preserve,
    Replace,
    Collapse,
}

impl WhiteSpace {
    pub(crate) fn apply(self, value: &str) -> Cow<'_, str> {
        let blank = |character: char| matches!(character, ' ' | '\t' | '\n' | '\r');
        match self {
            Self::Preserve => Cow::Borrowed(value),
            Self::Replace if !value.contains(['\t', '\n', '\r']) => Cow::Borrowed(value),
            Self::Replace => Cow::Owned(value.replace(['\t', '\n', '\r'], " ")),
            Self::Collapse => {
                let value = value.trim_matches(blank);
                let mut after_blank = false;
                let plain = value.bytes().all(|byte| {
                    let doubled = after_blank && byte == b' ';
                    after_blank = byte == b' ';
                    !doubled && !matches!(byte, b'\t' | b'\n' | b'\r')
                });
                if plain {
                    return Cow::Borrowed(value);
                }
                let words: Vec<&str> = value.split(blank).filter(|word| !word.is_empty()).collect();
                Cow::Owned(words.join(" "))
            }
        }
    }
}

/// What a value looks like, and in which order values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lexical {
    Text,
    Uri,
    Name,
    NcName,
    NmToken,
    Language,
    Id,
    IdRef,
    Boolean,
    Decimal,
    Integer,
    /// Digits without a sign.
    Unsigned,
    Float,
    Duration,
    Moment(Parts),
    Hex,
    Base64,
    QName,
}

impl Lexical {
    /// Is it one, white space aside?
    pub(crate) fn accepts(self, value: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Uri => is_uri(value),
            Self::Name => is_name(value, true),
            Self::NcName | Self::Id | Self::IdRef => is_name(value, false),
            Self::NmToken => !value.is_empty() && value.chars().all(|c| is_name_character(c) || c == ':'),
            Self::Language => is_language(value),
            Self::Boolean => matches!(value, "true" | "false" | "1" | "0"),
            Self::Decimal => Decimal::parse(value).is_some(),
            Self::Integer => !value.contains('.') && Decimal::parse(value).is_some(),
            Self::Unsigned => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Float => float(value).is_some(),
            Self::Duration => is_duration(value),
            Self::Moment(parts) => Moment::parse(parts, value).is_some(),
            Self::Hex => value.len().is_multiple_of(2) && value.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Self::Base64 => base64_bytes(value).is_some(),
            Self::QName => {
                let (prefix, local) = value.split_once(':').unwrap_or(("x", value));
                is_name(prefix, false) && is_name(local, false)
            }
        }
    }

    /// The order of two values; `None` where there is none.
    pub(crate) fn compare(self, left: &str, right: &str) -> Option<Ordering> {
        match self {
            Self::Decimal | Self::Integer | Self::Unsigned => {
                Some(Decimal::parse(left)?.compare(Decimal::parse(right)?))
            }
            Self::Float => float(left)?.partial_cmp(&float(right)?),
            Self::Moment(parts) => Moment::parse(parts, left)?.compare(Moment::parse(parts, right)?),
            Self::Boolean => {
                let truth = |text| matches!(text, "true" | "1");
                (truth(left) == truth(right)).then_some(Ordering::Equal)
            }
            Self::Hex => left.eq_ignore_ascii_case(right).then_some(Ordering::Equal),
            Self::Base64 => {
                let bare = |text: &str| text.replace(' ', "");
                (bare(left) == bare(right)).then_some(Ordering::Equal)
            }
            _ => (left == right).then_some(Ordering::Equal),
        }
    }

    /// May a bound such as `minInclusive` be stated?
    pub(crate) fn is_ordered(self) -> bool {
        self.is_decimal() || matches!(self, Self::Float | Self::Moment(_))
    }

    /// May digits be counted?
    pub(crate) fn is_decimal(self) -> bool {
        matches!(self, Self::Decimal | Self::Integer | Self::Unsigned)
    }

    /// Characters of a text, bytes of what encodes bytes.
    fn length(self, value: &str) -> usize {
        match self {
            Self::Hex => value.len() / 2,
            Self::Base64 => base64_bytes(value).unwrap_or(0),
            _ if value.is_ascii() => value.len(),
            _ => value.chars().count(),
        }
    }
}

fn float(value: &str) -> Option<f64> {
    match value {
        "INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ if value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => {
            value.parse().ok()
        }
        _ => None,
    }
}

/// What may be one once its blanks and foreign letters are escaped (RFC 3986): looked at are the scheme, the escapes it
/// has already, and that there is one fragment at the most.
fn is_uri(value: &str) -> bool {
    let first = value.split(['/', '?', '#']).next().unwrap_or_default();
    let scheme = first.split_once(':').is_none_or(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    let escaped = |part: &str| {
        let mut digits = part.bytes();
        let mut hex = || digits.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        hex() && hex()
    };
    scheme && value.split('%').skip(1).all(escaped) && value.matches('#').count() <= 1
}

fn is_language(value: &str) -> bool {
    value.split('-').enumerate().all(|(at, part)| {
        (1..=8).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()))
    })
}

/// How many bytes a text of base 64 stands for. Single blanks may stand between its characters.
fn base64_bytes(value: &str) -> Option<usize> {
    let data = value.trim_end_matches(['=', ' ']);
    let of_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    if !data.bytes().all(|byte| byte == b' ' || of_alphabet(byte)) {
        return None;
    }
    let digits = data.bytes().filter(|byte| *byte != b' ').count();
    let padding = value.bytes().filter(|byte| *byte == b'=').count();
    // Bits that no byte has are zero.
    let last = data.chars().next_back().unwrap_or('A');
    let whole_bytes = match padding {
        0 => true,
        1 => "AEIMQUYcgkosw048".contains(last),
        2 => "AQgw".contains(last),
        _ => false,
    };
    if !whole_bytes || !digits.saturating_add(padding).is_multiple_of(4) {
        return None;
    }
    Some(digits.saturating_mul(3) / 4)
}

/// How a simple type is made.
#[derive(Debug, Clone)]
pub(crate) enum Variety {
    Atomic(Lexical),
    /// Values of one type, with blanks between.
    List(SimpleId),
    /// A value of one of several types.
    Union(Vec<SimpleId>),
}

/// Patterns of one step of derivation; one of them must match.
pub(crate) type Alternatives = Vec<Arc<Pattern>>;

/// What restricts the values of a type beyond its variety.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facets {
    pub(crate) length_min: Option<usize>,
    pub(crate) length_max: Option<usize>,
    pub(crate) patterns: Vec<Alternatives>,
    /// In order, so that long lists are searched quickly.
    pub(crate) enumeration: Option<Arc<Vec<Box<str>>>>,
    pub(crate) bounds: Vec<(Bound, Box<str>)>,
    pub(crate) total_digits: Option<usize>,
    pub(crate) fraction_digits: Option<usize>,
}

/// A bound of an ordered type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    MinInclusive,
    MinExclusive,
    MaxInclusive,
    MaxExclusive,
}

impl Bound {
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::MinInclusive => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Self::MinExclusive => order == Some(Ordering::Greater),
            Self::MaxInclusive => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::MaxExclusive => order == Some(Ordering::Less),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::MinInclusive => "at least",
            Self::MinExclusive => "more than",
            Self::MaxInclusive => "at most",
            Self::MaxExclusive => "less than",
        }
    }
}

/// A simple type.
#[derive(Debug, Clone)]
pub(crate) struct SimpleType {
    /// Its own name, or that of the nearest type above it that has one.
    pub(crate) name: Box<str>,
    pub(crate) base: Option<SimpleId>,
    pub(crate) variety: Variety,
    pub(crate) white_space: WhiteSpace,
    pub(crate) facets: Facets,
}

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) expected: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, expected: impl Into<String>) -> Self {
        Self { code, expected: expected.into() }
    }
}

/// Values that an expectation names; more are counted.
const NAMED_MAX: usize = 12;

/// The simple types of a schema.
#[derive(Debug)]
pub(crate) struct SimpleTypes(pub(crate) Vec<SimpleType>);

impl SimpleTypes {
    pub(crate) fn get(&self, id: SimpleId) -> Option<&SimpleType> {
        self.0.get(id.0)
    }

    /// The value as its type sees it, or why it is none.
    pub(crate) fn check<'v>(&self, id: SimpleId, raw: &'v str) -> Result<Cow<'v, str>, Refusal> {
        let Some(simple) = self.get(id) else { return Ok(Cow::Borrowed(raw)) };
        match &simple.variety {
            Variety::Atomic(lexical) => {
                let value = simple.white_space.apply(raw);
                if !lexical.accepts(&value) {
                    return Err(Refusal::new("xsd_value_type", format!("a value of type {}", simple.name)));
                }
                simple.facets.check(*lexical, &value, lexical.length(&value), &simple.name)?;
                Ok(value)
            }
            Variety::List(item) => {
                let value = WhiteSpace::Collapse.apply(raw);
                let mut count = 0_usize;
                for part in value.split(' ').filter(|part| !part.is_empty()) {
                    self.check(*item, part)?;
                    count = count.saturating_add(1);
                }
                simple.facets.check(Lexical::Text, &value, count, &simple.name)?;
                Ok(value)
            }
            Variety::Union(members) => {
                let accepted = members.iter().find_map(|member| self.check(*member, raw).ok());
                let value = accepted.ok_or_else(|| {
                    Refusal::new("xsd_value_type", format!("a value of one of the types of {}", simple.name))
                })?;
                simple.facets.check(Lexical::Text, &value, value.chars().count(), &simple.name)?;
                Ok(value)
            }
        }
    }

    /// Are two values the same value of a type?
    pub(crate) fn same(&self, id: SimpleId, left: &str, right: &str) -> bool {
        let Some(simple) = self.get(id) else { return left == right };
        let (left, right) = (simple.white_space.apply(left), simple.white_space.apply(right));
        match &simple.variety {
            Variety::Atomic(lexical) => lexical.compare(&left, &right) == Some(Ordering::Equal),
            _ => left == right,
        }
    }

    /// What atomic form the values of a type have; lists and unions have several.
    pub(crate) fn lexical(&self, id: SimpleId) -> Option<Lexical> {
        match self.get(id)?.variety {
            Variety::Atomic(lexical) => Some(lexical),
            _ => None,
        }
    }

    /// Is a type the other one, or made from it by restriction?
    pub(crate) fn derives(&self, id: SimpleId, from: SimpleId) -> bool {
        let mut current = Some(id);
        // A chain is as long as the number of types at the most.
        for _ in 0..=self.0.len() {
            match current {
                None => return false,
                Some(at) if at == from => return true,
                Some(at) => current = self.get(at).and_then(|simple| simple.base),
            }
        }
        false
    }
}

impl Facets {
    fn check(&self, lexical: Lexical, value: &str, length: usize, name: &str) -> Result<(), Refusal> {
        if self.length_min.is_some_and(|min| length < min) || self.length_max.is_some_and(|max| length > max)
        {
            return Err(Refusal::new("xsd_value_length", self.length_words()));
        }
        for step in &self.patterns {
            if !step.iter().any(|pattern| pattern.matches(value)) {
                let sources: Vec<&str> = step.iter().take(3).map(|pattern| &*pattern.source).collect();
                return Err(Refusal::new(
                    "xsd_value_pattern",
                    format!("a value of type {name}, like {}", sources.join(" or ")),
                ));
            }
        }
        self.check_enumeration(lexical, value)?;
        for (bound, limit) in &self.bounds {
            if !bound.holds(lexical.compare(value, limit)) {
                return Err(Refusal::new("xsd_value_range", format!("{} {limit}", bound.words())));
            }
        }
        if self.total_digits.is_some() || self.fraction_digits.is_some() {
            self.check_digits(value)?;
        }
        Ok(())
    }

    fn check_enumeration(&self, lexical: Lexical, value: &str) -> Result<(), Refusal> {
        let Some(values) = &self.enumeration else { return Ok(()) };
        let known = values.binary_search_by(|known| (**known).cmp(value)).is_ok()
            || (lexical != Lexical::Text
                && values.iter().any(|known| lexical.compare(known, value) == Some(Ordering::Equal)));
        if known {
            return Ok(());
        }
        let mut named: Vec<&str> = values.iter().take(NAMED_MAX).map(|value| &**value).collect();
        let more = format!("{} more", values.len().saturating_sub(NAMED_MAX));
        if values.len() > NAMED_MAX {
            named.push(&more);
        }
        Err(Refusal::new("xsd_value_not_listed", format!("one of {}", named.join(", "))))
    }

    fn check_digits(&self, value: &str) -> Result<(), Refusal> {
        let Some(decimal) = Decimal::parse(value) else { return Ok(()) };
        let too_many = |max: Option<usize>, digits: usize| max.is_some_and(|max| digits > max);
        if too_many(self.total_digits, decimal.total_digits())
            || too_many(self.fraction_digits, decimal.fraction_digits())
        {
            let total = self.total_digits.map(|max| format!("at most {max} digits"));
            let fraction = self.fraction_digits.map(|max| format!("at most {max} behind the point"));
            let words: Vec<String> = total.into_iter().chain(fraction).collect();
            return Err(Refusal::new("xsd_value_digits", words.join(", ")));
        }
        Ok(())
    }

    fn length_words(&self) -> String {
        match (self.length_min, self.length_max) {
            (Some(min), Some(max)) if min == max => format!("a length of exactly {min}"),
            (Some(min), Some(max)) => format!("a length of {min} to {max}"),
            (Some(min), None) => format!("a length of at least {min}"),
            (None, Some(max)) => format!("a length of at most {max}"),
            (None, None) => String::new(),
        }
    }
}
