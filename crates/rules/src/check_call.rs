//! Type check of calls, against the table of functions.

use regex::{Regex, RegexBuilder};
use spine::FieldType;

use crate::ast::{Call, Form as Written, Part};
use crate::check::{Checker, as_value, boxed, conversion};
use crate::error::{RuleError, Span, did_you_mean};
use crate::function::{Function, Parameter, Quantifier, Returns, Run, Style, functions};
use crate::typed::{Form, Typed};
use crate::types::Type;

/// Bytes that a compiled regular expression may take.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// `exists` and its kin inside each other at most.
const QUANTIFIERS_NESTED_MAX: usize = 3;

impl Checker<'_> {
    pub(crate) fn call(&mut self, call: &Call, span: Span) -> Option<Typed> {
        let named: Vec<Function> = functions().filter(|function| function.name == call.name).collect();
        if named.is_empty() {
            let help =
                did_you_mean(&call.name, functions().map(|function| function.name).collect::<Vec<_>>());
            let message = format!("there is no function {}", call.name);
            return self.refuse(RuleError::new("function_unknown", call.name_span, message).maybe_help(help));
        }
        let method = call.receiver.is_some();
        let fits_style = |function: &&Function| match function.style {
            Style::Method => method,
            Style::Free => !method,
            Style::Either => true,
        };
        let styled: Vec<&Function> = named.iter().filter(fits_style).collect();
        if styled.is_empty() {
            let error = RuleError::new(
                "call_malformed",
                call.name_span,
                format!("{} is called in another way", call.name),
            );
            return self
                .refuse(error.help(format!("write {}", signatures(&named.iter().collect::<Vec<_>>()))));
        }
        let written: Vec<&Part> = call.receiver.as_deref().into_iter().chain(&call.arguments).collect();
        let counted: Vec<&Function> = styled
            .iter()
            .copied()
            .filter(|function| {
                let least = function.parameters.len();
                written.len() == least || (function.variadic && written.len() > least)
            })
            .collect();
        let Some(first) = counted.first() else {
            let found = call.arguments.len();
            let message =
                format!("{} does not take {found} argument{}", call.name, if found == 1 { "" } else { "s" });
            let error = RuleError::new("argument_count", span, message);
            return self.refuse(error.help(format!("write {}", signatures(&styled))));
        };
        match first.run {
            Run::Quantify(quantifier) => self.quantify(quantifier, first, &written, span),
            Run::Matches => self.matches(&written, span),
            _ => self.plain(&counted, &written, span),
        }
    }

    /// A call whose arguments all have types of their own.
    fn plain(&mut self, candidates: &[&Function], written: &[&Part], span: Span) -> Option<Typed> {
        let typed: Vec<Option<Typed>> = written.iter().map(|part| self.part(part)).collect();
        let arguments = typed.into_iter().collect::<Option<Vec<Typed>>>()?;
        // A function that takes the arguments as they are goes before one that takes them as texts.
        let chosen = [false, true].into_iter().find_map(|converting| {
            candidates.iter().copied().find(|function| {
                arguments.iter().enumerate().all(|(at, argument)| {
                    parameter(function, at)
                        .is_some_and(|parameter| accepts(parameter, argument.of, converting))
                })
            })
        });
        let Some(function) = chosen else { return self.misfit(candidates, &arguments, span) };
        let converted: Vec<Typed> = arguments
            .into_iter()
            .enumerate()
            .map(|(at, argument)| match parameter(function, at) {
                Some(parameter) => convert(parameter, argument),
                None => argument,
            })
            .collect();
        self.finish(function, converted, span)
    }

    fn finish(&mut self, function: &Function, mut arguments: Vec<Typed>, span: Span) -> Option<Typed> {
        let first = arguments.first().map(|argument| argument.of)?;
        let of = match function.returns {
            Returns::Type(of) => of,
            Returns::First | Returns::ListOfLast => first,
        };
        let form = match function.run {
            Run::Has => Form::Has(boxed(arguments.pop()?)),
            Run::Count => Form::Count(boxed(arguments.pop()?)),
            Run::Coalesce => {
                if let Some(other) = arguments.iter().find(|argument| argument.of != first) {
                    let message =
                        format!("the first value is {}, but this is {}", first.words(), other.of.words());
                    let help = conversion(other, first);
                    return self
                        .refuse(RuleError::new("type_mismatch", other.span, message).maybe_help(help));
                }
                Form::Coalesce(arguments)
            }
            run => Form::Call(run, function.cost, arguments),
        };
        Some(Typed { form, of, span })
    }

    /// Says which argument does not fit.
    fn misfit(&mut self, candidates: &[&Function], arguments: &[Typed], span: Span) -> Option<Typed> {
        let function = candidates.first()?;
        let wrong = arguments.iter().enumerate().find(|(at, argument)| {
            !candidates.iter().any(|function| {
                parameter(function, *at).is_some_and(|parameter| accepts(parameter, argument.of, true))
            })
        });
        let (place, of, help) = match wrong {
            Some((at, argument)) => {
                let help =
                    parameter(function, at).and_then(wanted).and_then(|wanted| conversion(argument, wanted));
                (argument.span, argument.of.words(), help)
            }
            None => (span, "another combination of values", None),
        };
        let message = format!("this is {of}, but {} is {}", function.name, signatures(candidates));
        self.refuse(RuleError::new("argument_type", place, message).maybe_help(help))
    }

    fn matches(&mut self, written: &[&Part], span: Span) -> Option<Typed> {
        let [text, pattern] = written else { return None };
        let text = self.want(text, Type::TEXT, "matches looks at a text");
        let Written::Text(source) = &pattern.form else {
            let error = RuleError::new(
                "pattern_not_constant",
                pattern.span,
                "the pattern must be written in the rule, as a text",
            );
            return self.refuse(error.help("write it in r\"...\", where backslashes are themselves"));
        };
        match compile_pattern(source) {
            Ok(compiled) => {
                let form = Form::Matches(boxed(text?), compiled);
                Some(Typed { form, of: Type::BOOLEAN, span })
            }
            Err(reason) => {
                let message = format!("this is no regular expression: {reason}");
                self.refuse(RuleError::new("pattern_malformed", pattern.span, message))
            }
        }
    }

    fn quantify(
        &mut self,
        quantifier: Quantifier,
        function: &Function,
        written: &[&Part],
        span: Span,
    ) -> Option<Typed> {
        let [list, variable, body] = written else { return None };
        let Written::Name(name) = &variable.form else {
            let error =
                RuleError::new("variable_malformed", variable.span, "here stands the name for one element");
            return self.refuse(error.help(format!("write {}", function.signature())));
        };
        let list = self.part(list)?;
        let element = match list.of {
            Type::Nodes => Type::Nodes,
            Type::List(of) => Type::One(of),
            of => {
                let message = format!(
                    "{} goes through the elements of a list, but this is {}",
                    function.name,
                    of.words()
                );
                return self.refuse(RuleError::new("type_mismatch", list.span, message));
            }
        };
        if self.variables.len() >= QUANTIFIERS_NESTED_MAX {
            let message = format!(
                "more than {QUANTIFIERS_NESTED_MAX} of exists, all, exists_one, filter and map stand inside each other"
            );
            return self.refuse(RuleError::new("rule_too_costly", span, message).help("split the rule"));
        }
        self.variables.push((name.clone(), element));
        let body = if quantifier == Quantifier::Map {
            self.part(body).map(as_value)
        } else {
            self.want(
                body,
                Type::BOOLEAN,
                &format!("{} asks of each element what is true or false", function.name),
            )
        };
        self.variables.pop();
        let body = body?;
        let of = match (function.returns, body.of) {
            (Returns::Type(of), _) => of,
            (Returns::First, _) => list.of,
            (Returns::ListOfLast, Type::One(of)) => Type::List(of),
            (Returns::ListOfLast, _) => {
                return self.refuse(RuleError::new(
                    "type_mismatch",
                    body.span,
                    "map makes one value of each element, not a list",
                ));
            }
        };
        Some(Typed { form: Form::Quantify(quantifier, boxed(list), boxed(body)), of, span })
    }
}

fn signatures(functions: &[&Function]) -> String {
    functions.iter().map(|function| function.signature()).collect::<Vec<_>>().join(" or ")
}

fn parameter(function: &Function, at: usize) -> Option<Parameter> {
    let last = if function.variadic { function.parameters.last() } else { None };
    function.parameters.get(at).or(last).copied()
}

/// May an argument of this type stand there? Elements stand for their texts and numbers only when `converting`.
fn accepts(parameter: Parameter, of: Type, converting: bool) -> bool {
    let nodes = converting && of == Type::Nodes;
    match parameter {
        Parameter::Text => of == Type::TEXT || nodes,
        Parameter::Number => of == Type::NUMBER,
        Parameter::DateTime => of == Type::One(FieldType::DateTime),
        Parameter::Day => matches!(of, Type::One(FieldType::Date | FieldType::DateTime)),
        Parameter::Numbers => of == Type::List(FieldType::Decimal) || nodes,
        Parameter::Texts => of == Type::List(FieldType::Text) || nodes,
        Parameter::List => matches!(of, Type::List(_)),
        Parameter::Nodes => of == Type::Nodes,
        Parameter::Any => matches!(of, Type::One(_)) || nodes,
        Parameter::Pattern | Parameter::Variable | Parameter::Condition | Parameter::Body => false,
    }
}

/// The type that an argument should have been, for the hint how to make it so.
fn wanted(parameter: Parameter) -> Option<Type> {
    match parameter {
        Parameter::Text => Some(Type::TEXT),
        Parameter::Number => Some(Type::NUMBER),
        Parameter::DateTime => Some(Type::One(FieldType::DateTime)),
        Parameter::Day => Some(Type::One(FieldType::Date)),
        _ => None,
    }
}

fn convert(parameter: Parameter, argument: Typed) -> Typed {
    if argument.of != Type::Nodes {
        return argument;
    }
    let span = argument.span;
    match parameter {
        Parameter::Text | Parameter::Any => as_value(argument),
        Parameter::Texts => {
            Typed { form: Form::TextsOf(boxed(argument)), of: Type::List(FieldType::Text), span }
        }
        Parameter::Numbers => {
            Typed { form: Form::NumbersOf(boxed(argument)), of: Type::List(FieldType::Decimal), span }
        }
        _ => argument,
    }
}

/// Compiles a pattern, or says in one line why not.
fn compile_pattern(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(source).size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX).build().map_err(
        |error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large; repeat fewer times".to_owned(),
            other => {
                let text = other.to_string();
                text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            }
        },
    )
}
