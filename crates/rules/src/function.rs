//! The table of functions: type check, evaluation, cost and documentation all derive from it.

use serde::Serialize;
use spine::FieldType;
use spine::tree::{NodeId, Tree};

use crate::builtin as b;
use crate::types::Type;
use crate::value::{Data, Scalar};

/// How a function is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `first.name(others)`
    Method,
    /// `name(all)`
    Free,
    /// Both.
    Either,
}

/// What a function takes in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameter {
    Text,
    Number,
    DateTime,
    /// A date, with or without time.
    Day,
    Numbers,
    Texts,
    /// A list of anything.
    List,
    Nodes,
    /// One value of any type.
    Any,
    /// A regular expression, written in the rule.
    Pattern,
    /// The name that stands for each element.
    Variable,
    /// True or false, about that element.
    Condition,
    /// Any value, made from that element.
    Body,
}

impl Parameter {
    /// How signatures call it.
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::DateTime => "date_time",
            Self::Day => "date",
            Self::Numbers => "numbers",
            Self::Texts => "texts",
            Self::List => "list",
            Self::Nodes => "elements",
            Self::Any => "any",
            Self::Pattern => "pattern",
            Self::Variable => "x",
            Self::Condition => "condition",
            Self::Body => "value",
        }
    }
}

/// What a function answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returns {
    Type(Type),
    /// What its first argument is.
    First,
    /// A list of what the last argument is.
    ListOfLast,
}

/// A question asked of each element of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Exists,
    All,
    ExistsOne,
    Filter,
    Map,
}

/// How it is evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    /// From known values; unknown as soon as one is unknown.
    Values(for<'b, 'a> fn(&'b [Scalar<'a>]) -> Option<Scalar<'static>>),
    /// From a list that is known, whose elements may be unknown.
    List(for<'a> fn(Vec<Option<Scalar<'a>>>) -> Data<'a>),
    /// From exactly one node; unknown without.
    Node(fn(&Tree, NodeId) -> Option<Scalar<'static>>),
    /// As `Values`, but known by name: with a constant prefix it is a range of texts.
    StartsWith,
    Matches,
    Has,
    Count,
    Coalesce,
    Quantify(Quantifier),
}

/// One row of the table: a function with one list of parameters.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    pub(crate) parameters: &'static [Parameter],
    /// May the last parameter be repeated?
    pub(crate) variadic: bool,
    pub(crate) returns: Returns,
    /// Steps of one call.
    pub(crate) cost: u32,
    pub(crate) run: Run,
    meaning: &'static str,
    example: &'static str,
}

const BOOLEAN: Returns = Returns::Type(Type::BOOLEAN);
const TEXT: Returns = Returns::Type(Type::TEXT);
const NUMBER: Returns = Returns::Type(Type::NUMBER);
const DATE: Returns = Returns::Type(Type::One(FieldType::Date));
const DATE_TIME: Returns = Returns::Type(Type::One(FieldType::DateTime));
const TEXTS: Returns = Returns::Type(Type::List(FieldType::Text));

type Row = (&'static str, Style, &'static [Parameter], Returns, u32, Run, &'static str, &'static str);

#[rustfmt::skip]
const ROWS: &[Row] = {
    use Parameter::{Any, Body, Condition, DateTime, Day, List, Nodes, Number, Numbers, Pattern, Text, Texts, Variable};
    use Quantifier as Q;
    use Returns::{First, ListOfLast};
    use Run::{Coalesce, Count, Has, Matches, Node, Quantify, StartsWith, Values};
    use Style::{Either, Free, Method};
    &[
        // Is it there?
        ("has", Free, &[Any], BOOLEAN, 1, Has, "Is the value there? Always true or false.", "has(container_id)"),
        ("has", Free, &[Nodes], BOOLEAN, 1, Has, "Is there at least one such element? An empty element is there.", "has(GOOITEGDS.SPEMENMT2)"),
        ("coalesce", Free, &[Any, Any], First, 1, Coalesce, "The first value that is known.", "coalesce(origin_country, departure_country) == \"CN\""),
        // Texts
        ("size", Either, &[Text], NUMBER, 3, Values(b::text_size), "Characters of a text.", "size(commodity_code) >= 6"),
        ("startsWith", Method, &[Text, Text], BOOLEAN, 3, StartsWith, "Does it begin with the other text?", "procedure_code.startsWith(\"51\")"),
        ("endsWith", Method, &[Text, Text], BOOLEAN, 3, Values(b::ends_with), "Does it end with the other text?", "commodity_code.endsWith(\"90\")"),
        ("contains", Method, &[Text, Text], BOOLEAN, 5, Values(b::contains), "Does the other text stand in it?", "goods_description.contains(\"used\")"),
        ("matches", Method, &[Text, Pattern], BOOLEAN, 50, Matches, "Does the regular expression match anywhere in it? Anchor with ^ and $. The pattern is written in the rule.", "goods_description.matches(r\"^\\w+$\")"),
        ("substring", Method, &[Text, Number], TEXT, 5, Values(b::substring), "From a position, counted from 0, to the end; unknown if the text is shorter.", "commodity_code.substring(6) == \"00\""),
        ("substring", Method, &[Text, Number, Number], TEXT, 5, Values(b::substring), "From a position up to but without another; unknown if the text is shorter.", "procedure_code.substring(0, 2) == \"40\""),
        ("lowerAscii", Method, &[Text], TEXT, 5, Values(b::lower_ascii), "A to Z in small letters.", "goods_description.lowerAscii().contains(\"sample\")"),
        ("upperAscii", Method, &[Text], TEXT, 5, Values(b::upper_ascii), "a to z in capital letters.", "origin_country.upperAscii() == \"CN\""),
        ("trim", Method, &[Text], TEXT, 5, Values(b::trim), "Without surrounding white space.", "goods_description.trim() == \"\""),
        // Numbers
        ("number", Free, &[Text], NUMBER, 5, Values(b::number_from_text), "A text of sign, digits and decimal point as a number; anything else is unknown.", "number(office_id) >= 40"),
        ("abs", Free, &[Number], NUMBER, 1, Values(b::abs), "Without its sign.", "abs(gross_mass - net_mass) > 10"),
        ("floor", Free, &[Number], NUMBER, 1, Values(b::floor), "The whole number at or below it.", "floor(quantity) == quantity"),
        ("round", Free, &[Number], NUMBER, 1, Values(b::round), "The nearest whole number; a half goes away from zero.", "round(net_mass) == net_mass"),
        ("min", Free, &[Number, Number], NUMBER, 1, Values(b::min), "The smallest.", "min(net_mass, gross_mass) > 0"),
        ("min", Free, &[Numbers], NUMBER, 3, Run::List(b::list_min), "The smallest of a list; unknown if it is empty.", "min(GOOITEGDS.IteNumGDS7) == 1"),
        ("max", Free, &[Number, Number], NUMBER, 1, Values(b::max), "The largest.", "max(net_mass, gross_mass) < 1000"),
        ("max", Free, &[Numbers], NUMBER, 3, Run::List(b::list_max), "The largest of a list; unknown if it is empty.", "max(GOOITEGDS.IteNumGDS7) == count(GOOITEGDS)"),
        ("sum", Free, &[Numbers], NUMBER, 3, Run::List(b::sum), "The sum; 0 of an empty list, unknown if an element is no number.", "sum(GOOITEGDS.GroMasGDS46) > number(HEAHEA.TotGroMasHEA307)"),
        // Dates
        ("date", Free, &[Text], DATE, 5, Values(b::date_from_text), "A text `CCYYMMDD` or `CCYY-MM-DD` as a date, also with time behind it; anything else is unknown.", "date >= date(\"2026-03-11\")"),
        ("date", Free, &[DateTime], DATE, 1, Values(b::date_of_time), "The day of a date with time.", "date(accepted_at) == date"),
        ("date_time", Free, &[Text], DATE_TIME, 5, Values(b::date_time_from_text), "A text `CCYYMMDDhhmm`, with or without seconds, or ISO 8601 without offset, as a date with time.", "accepted_at < date_time(\"2026-03-11T12:00:00\")"),
        ("getFullYear", Method, &[Day], NUMBER, 2, Values(b::full_year), "Year.", "date.getFullYear() == 2026"),
        ("getMonth", Method, &[Day], NUMBER, 2, Values(b::month), "Month, January is 0 (as in CEL).", "date.getMonth() == 11"),
        ("getDate", Method, &[Day], NUMBER, 2, Values(b::day_from_one), "Day of the month, from 1.", "date.getDate() == 31"),
        ("getDayOfMonth", Method, &[Day], NUMBER, 2, Values(b::day_from_zero), "Day of the month, from 0 (as in CEL).", "date.getDayOfMonth() == 0"),
        ("getDayOfWeek", Method, &[Day], NUMBER, 2, Values(b::day_of_week), "Day of the week, Sunday is 0.", "date.getDayOfWeek() in [0, 6]"),
        ("getHours", Method, &[DateTime], NUMBER, 2, Values(b::hours), "Hour, 0 to 23.", "accepted_at.getHours() >= 22"),
        ("getMinutes", Method, &[DateTime], NUMBER, 2, Values(b::minutes), "Minute, 0 to 59.", "accepted_at.getMinutes() == 0"),
        ("days_between", Free, &[Day, Day], NUMBER, 3, Values(b::days_between), "Whole days from the first to the second; negative if the second is earlier.", "days_between(date, date(accepted_at)) > 30"),
        ("add_days", Free, &[Day, Number], DATE, 3, Values(b::add_days), "The day so many days later; earlier for a negative number.", "add_days(date, 14) < date(\"2026-03-31\")"),
        // Customs
        ("hs_chapter", Free, &[Text], TEXT, 5, Values(b::hs_chapter), "First 2 digits of a commodity code; unknown if it has fewer.", "hs_chapter(commodity_code) == \"61\""),
        ("hs_heading", Free, &[Text], TEXT, 5, Values(b::hs_heading), "First 4 digits of a commodity code; unknown if it has fewer.", "hs_heading(commodity_code) in parts_headings"),
        ("hs_subheading", Free, &[Text], TEXT, 5, Values(b::hs_subheading), "First 6 digits of a commodity code; unknown if it has fewer.", "hs_subheading(commodity_code) == \"610910\""),
        ("is_hs_code", Free, &[Text], BOOLEAN, 5, Values(b::is_hs_code), "2, 4, 6, 8 or 10 digits with a chapter from 01 to 99?", "is_hs_code(commodity_code)"),
        ("is_container_number", Free, &[Text], BOOLEAN, 5, Values(b::is_container_number), "A container number with the right check digit (ISO 6346)?", "has(container_id) && !is_container_number(container_id)"),
        ("is_country", Free, &[Text], BOOLEAN, 5, Values(b::is_country), "A country code (ISO 3166-1 alpha-2, and XI, XK, ZZ)?", "!is_country(origin_country)"),
        ("is_currency", Free, &[Text], BOOLEAN, 5, Values(b::is_currency), "A currency code (ISO 4217)?", "!is_currency(currency)"),
        // Lists and repeated elements
        ("size", Either, &[List], NUMBER, 2, Run::List(b::list_size), "Elements of a list.", "GOOITEGDS.filter(x, has(x.PACGS2)).size() > 1"),
        ("size", Either, &[Nodes], NUMBER, 2, Count, "How many there are; 0 if there are none.", "GOOITEGDS.size() <= 999"),
        ("count", Free, &[Nodes], NUMBER, 2, Count, "How many there are; 0 if there are none.", "count(GOOITEGDS) > 0"),
        ("count", Free, &[List], NUMBER, 2, Run::List(b::list_size), "Elements of a list.", "count(GOOITEGDS.map(x, x.IteNumGDS7)) > 0"),
        ("exists", Method, &[List, Variable, Condition], BOOLEAN, 1, Quantify(Q::Exists), "Does it hold for at least one? `||` over all elements.", "GOOITEGDS.exists(x, \"10600\" in x.SPEMENMT2.AddInfCodMT23)"),
        ("all", Method, &[List, Variable, Condition], BOOLEAN, 1, Quantify(Q::All), "Does it hold for every one? `&&` over all elements; true of none.", "GOOITEGDS.all(x, has(x.GroMasGDS46))"),
        ("exists_one", Method, &[List, Variable, Condition], BOOLEAN, 1, Quantify(Q::ExistsOne), "Does it hold for exactly one?", "GOOITEGDS.exists_one(x, x.IteNumGDS7 == \"1\")"),
        ("filter", Method, &[List, Variable, Condition], First, 1, Quantify(Q::Filter), "Those for which it holds; unknown if that is unknown of one.", "count(GOOITEGDS.filter(x, has(x.PACGS2))) == 1"),
        ("map", Method, &[List, Variable, Body], ListOfLast, 1, Quantify(Q::Map), "What is made of each.", "sum(GOOITEGDS.map(x, coalesce(number(x.GroMasGDS46), 0))) > 0"),
        ("distinct", Method, &[Texts], TEXTS, 5, Run::List(b::distinct), "Every text once; unknown if an element is unknown.", "GOOITEGDS.IteNumGDS7.distinct().size() < count(GOOITEGDS)"),
        ("position", Free, &[Nodes], NUMBER, 2, Node(position), "Place, from 1, of one element among its siblings of the same name.", "GOOITEGDS.exists(x, number(x.IteNumGDS7) != position(x))"),
    ]
};

fn position(tree: &Tree, node: NodeId) -> Option<Scalar<'static>> {
    Some(Scalar::Decimal(tree.node(node)?.position.into()))
}

/// All functions, by the table.
pub(crate) fn functions() -> impl Iterator<Item = Function> {
    ROWS.iter().map(|(name, style, parameters, returns, cost, run, meaning, example)| Function {
        name,
        style: *style,
        parameters,
        variadic: matches!(*name, "coalesce") || matches!((*name, parameters.len()), ("min" | "max", 2)),
        returns: *returns,
        cost: *cost,
        run: *run,
        meaning,
        example,
    })
}

impl Function {
    /// How it is written, such as `text.startsWith(text)`.
    pub(crate) fn signature(&self) -> String {
        let mut names: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name()).collect();
        if self.variadic {
            names.push("...");
        }
        match (self.style, names.split_first()) {
            (Style::Method, Some((first, rest))) => format!("{first}.{}({})", self.name, rest.join(", ")),
            _ => format!("{}({})", self.name, names.join(", ")),
        }
    }
}

/// What people read about a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionReference {
    /// How it is written; `elements` are elements of a document, so such functions are for document rules.
    pub signature: String,
    /// What it answers.
    pub returns: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// A condition that uses it.
    pub example: &'static str,
}

/// The reference of all functions, in the order of the guide.
#[must_use]
pub fn function_reference() -> Vec<FunctionReference> {
    functions()
        .map(|function| {
            let either = if function.style == Style::Either {
                let first = function.parameters.first().map_or("", |first| first.name());
                format!("{first}.{}() or ", function.name)
            } else {
                String::new()
            };
            FunctionReference {
                signature: format!("{either}{}", function.signature()),
                returns: match function.returns {
                    Returns::Type(of) => of.words(),
                    Returns::First if matches!(function.run, Run::Quantify(_)) => "a list of the same",
                    Returns::First => "the same",
                    Returns::ListOfLast => "a list",
                },
                meaning: function.meaning,
                example: function.example,
            }
        })
        .collect()
}
