//! Type check: every part gets a type, or the rule is refused with all that is wrong.

use std::sync::Arc;

use spine::name_table::NameTable;
use spine::{EntrySchema, FieldType, Value};

use crate::ast::{Form as Written, Operator, Part};
use crate::error::{RuleError, Span, did_you_mean};
use crate::function::functions;
use crate::lists::Lists;
use crate::machine::{Machine, Place};
use crate::typed::{Arithmetic, Comparison, Form, Start, Typed};
use crate::types::Type;

/// What names mean.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// Fields of an entry.
    Entry(&'a EntrySchema),
    /// Elements below a node of a document.
    Document,
}

/// Names for the starting nodes of a path in a document.
const STARTS: [(&str, Start); 3] = [("this", Start::This), ("parent", Start::Parent), ("root", Start::Root)];

/// Checks types, gathering errors.
pub(crate) struct Checker<'a> {
    pub(crate) scope: Scope<'a>,
    lists: &'a Lists,
    /// Names of elements that it asks for.
    names: &'a mut NameTable,
    /// Fields read so far, in the order of their first use.
    pub(crate) fields: Vec<String>,
    /// Variables in scope, outermost first.
    pub(crate) variables: Vec<(String, Type)>,
    pub(crate) errors: Vec<RuleError>,
}

/// A rule that passed, the fields it reads, and its cost in steps.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) root: Typed,
    pub(crate) fields: Vec<String>,
    pub(crate) cost: u64,
}

/// Checks a whole rule, which must be true or false.
///
/// Names of elements that it asks for are kept in `names`, which several rules may share.
pub(crate) fn check(
    root: &Part,
    scope: Scope<'_>,
    lists: &Lists,
    names: &mut NameTable,
) -> Result<Checked, Vec<RuleError>> {
    let (fields, variables, errors) = (Vec::new(), Vec::new(), Vec::new());
    let mut checker = Checker { scope, lists, names, fields, variables, errors };
    match checker.want(root, Type::BOOLEAN, "a rule is true or false") {
        Some(root) if checker.errors.is_empty() => match crate::cost::bound(&root) {
            Ok(cost) => Ok(Checked { root, fields: checker.fields, cost }),
            Err(error) => Err(vec![error]),
        },
        _ => Err(checker.errors),
    }
}

pub(crate) fn boxed(typed: Typed) -> Box<Typed> {
    Box::new(typed)
}

/// Elements as one text: what they stand for where one value is wanted.
pub(crate) fn as_value(typed: Typed) -> Typed {
    if typed.of == Type::Nodes {
        let span = typed.span;
        return Typed { form: Form::Single(boxed(typed)), of: Type::TEXT, span };
    }
    typed
}

impl Checker<'_> {
    /// Notes an error; the part it is about gets no type.
    pub(crate) fn refuse<T>(&mut self, error: RuleError) -> Option<T> {
        self.errors.push(error);
        None
    }

    /// A part of a certain type, or an error that ends with `because`.
    pub(crate) fn want(&mut self, part: &Part, wanted: Type, because: &str) -> Option<Typed> {
        let typed = self.part(part)?;
        let typed = if matches!(wanted, Type::One(_)) { as_value(typed) } else { typed };
        if typed.of == wanted {
            return Some(typed);
        }
        let message = format!("this is {}, but {because}", typed.of.words());
        let help = conversion(&typed, wanted);
        self.refuse(RuleError::new("type_mismatch", part.span, message).maybe_help(help))
    }

    /// The type of a part. After an error the check goes on with the other parts.
    pub(crate) fn part(&mut self, part: &Part) -> Option<Typed> {
        let typed = |form, of| Some(Typed { form, of, span: part.span });
        match &part.form {
            Written::Boolean(yes) => typed(Form::Constant(Value::Boolean(*yes)), Type::BOOLEAN),
            Written::Number(number) => typed(Form::Constant(Value::Decimal(*number)), Type::NUMBER),
            Written::Text(text) => typed(Form::Constant(Value::Text(text.clone())), Type::TEXT),
            Written::Name(name) => self.name(name, part.span),
            Written::Member(base, name) => self.member(base, name, part.span),
            Written::Call(call) => {
                let called = self.call(call, part.span)?;
                self.fold(called)
            }
            Written::Not(inner) => {
                let inner = self.want(inner, Type::BOOLEAN, "! turns round what is true or false")?;
                typed(Form::Not(boxed(inner)), Type::BOOLEAN)
            }
            Written::Negate(inner) => {
                let inner = self.want(inner, Type::NUMBER, "- turns round the sign of a number")?;
                self.fold(Typed { form: Form::Negate(boxed(inner)), of: Type::NUMBER, span: part.span })
            }
            Written::All(parts) => typed(Form::All(self.conditions(parts, "&&")?), Type::BOOLEAN),
            Written::Any(parts) => typed(Form::Any(self.conditions(parts, "||")?), Type::BOOLEAN),
            Written::Binary(operator, left, right) => {
                let joined = self.binary(*operator, left, right, part.span)?;
                self.fold(joined)
            }
            Written::Conditional(three) => self.conditional(three, part.span),
            Written::List(parts) => self.list(parts, part.span),
        }
    }

    fn conditions(&mut self, parts: &[Part], symbol: &str) -> Option<Vec<Typed>> {
        let because = format!("{symbol} joins what is true or false");
        let typed: Vec<Option<Typed>> =
            parts.iter().map(|part| self.want(part, Type::BOOLEAN, &because)).collect();
        typed.into_iter().collect()
    }

    /// A part of constants only is evaluated now; one that can never be known is a mistake.
    fn fold(&mut self, typed: Typed) -> Option<Typed> {
        let foldable = matches!(
            typed.form,
            Form::Call(..)
                | Form::Matches(..)
                | Form::Negate(_)
                | Form::Compare(..)
                | Form::Arithmetic(..)
                | Form::Join(..)
        );
        let parts = typed.parts();
        if !foldable || parts.is_empty() || !parts.iter().all(|part| part.is_constant()) {
            return Some(typed);
        }
        match Machine::new(Place::Nowhere).one(&typed).map(crate::value::Scalar::into_value) {
            Some(value) => Some(Typed { form: Form::Constant(value), of: typed.of, span: typed.span }),
            None => self.refuse(
                RuleError::new("never_known", typed.span, "this has no value, whatever the record says")
                    .help("is it a division by zero, or a date or number that is written wrongly?"),
            ),
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Option<Typed> {
        if let Some(at) = self.variables.iter().rposition(|(own, _)| own == name) {
            let of = self.variables.get(at)?.1;
            return Some(Typed { form: Form::Variable(at), of, span });
        }
        match self.scope {
            Scope::Entry(schema) => self.field(schema, name, span),
            Scope::Document => {
                let start = STARTS.iter().find(|(own, _)| *own == name).map(|(_, start)| *start);
                let form = match start {
                    Some(start) => Form::Start(start),
                    None => {
                        let this = Typed { form: Form::Start(Start::This), of: Type::Nodes, span };
                        self.step(this, name, span)?
                    }
                };
                Some(Typed { form, of: Type::Nodes, span })
            }
        }
    }

    fn step(&mut self, base: Typed, name: &str, span: Span) -> Option<Form> {
        match self.names.number(name) {
            Some(number) => Some(Form::Step(boxed(base), number)),
            None => {
                self.refuse(RuleError::new("rule_too_costly", span, "there are too many names".to_owned()))
            }
        }
    }

    fn field(&mut self, schema: &EntrySchema, name: &str, span: Span) -> Option<Typed> {
        if let Some(field) = schema.field(name) {
            let at = self.fields.iter().position(|own| own == name).unwrap_or_else(|| {
                self.fields.push(name.to_owned());
                self.fields.len().saturating_sub(1)
            });
            return Some(Typed { form: Form::Field(at), of: Type::One(field.field_type), span });
        }
        if self.lists.0.contains_key(name) {
            let message = format!("{name} is a named list, and a list stands only on the right of `in`");
            return self.refuse(
                RuleError::new("list_misplaced", span, message).help(format!("write: value in {name}")),
            );
        }
        if functions().any(|function| function.name == name) {
            let message = format!("{name} is a function, not a field");
            return self
                .refuse(RuleError::new("field_unknown", span, message).help(format!("write {name}(...)")));
        }
        let variables = self.variables.iter().map(|(name, _)| name.as_str());
        let fields = schema.fields.iter().map(|field| field.name.as_str());
        let help = did_you_mean(name, variables.chain(fields).chain(self.lists.0.keys().map(String::as_str)));
        let message = format!("there is no field {name} in {}", schema.id);
        self.refuse(RuleError::new("field_unknown", span, message).maybe_help(help))
    }

    fn member(&mut self, base: &Part, name: &str, span: Span) -> Option<Typed> {
        let base = self.part(base)?;
        if base.of == Type::Nodes {
            let form = self.step(base, name, span)?;
            return Some(Typed { form, of: Type::Nodes, span });
        }
        let message = format!("{} has no parts, so .{name} has no meaning", base.of.words());
        let help = if functions().any(|function| function.name == name) {
            Some(format!("a function is called with brackets: .{name}()"))
        } else {
            None
        };
        self.refuse(RuleError::new("member_unknown", span, message).maybe_help(help))
    }

    fn binary(&mut self, operator: Operator, left: &Part, right: &Part, span: Span) -> Option<Typed> {
        use Arithmetic as A;
        use Comparison as C;
        match operator {
            // The parser makes All and Any of these.
            Operator::And | Operator::Or => None,
            Operator::Equal => self.compare(C::Equal, left, right, span),
            Operator::NotEqual => self.compare(C::NotEqual, left, right, span),
            Operator::Less => self.compare(C::Less, left, right, span),
            Operator::LessOrEqual => self.compare(C::LessOrEqual, left, right, span),
            Operator::Greater => self.compare(C::Greater, left, right, span),
            Operator::GreaterOrEqual => self.compare(C::GreaterOrEqual, left, right, span),
            Operator::In => self.is_in(left, right, span),
            Operator::Add => self.add(left, right, span),
            Operator::Subtract => self.arithmetic(A::Subtract, "-", left, right, span),
            Operator::Multiply => self.arithmetic(A::Multiply, "*", left, right, span),
            Operator::Divide => self.arithmetic(A::Divide, "/", left, right, span),
            Operator::Remainder => self.arithmetic(A::Remainder, "%", left, right, span),
        }
    }

    /// Both sides as values, each checked even if the other is wrong.
    fn both(&mut self, left: &Part, right: &Part) -> Option<(Typed, Typed)> {
        let (left, right) = (self.part(left), self.part(right));
        Some((as_value(left?), as_value(right?)))
    }

    fn compare(&mut self, comparison: Comparison, left: &Part, right: &Part, span: Span) -> Option<Typed> {
        let written = (left, right);
        let (left, right) = self.both(left, right)?;
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let chained = |part: &Part| matches!(&part.form, Written::Binary(operator, ..) if operator.level() == Operator::Less.level());
        let error = match (left.of, right.of) {
            (Type::List(_), _) | (_, Type::List(_)) => {
                RuleError::new("type_mismatch", span, "a list cannot be compared as a whole")
                    .help("ask whether a value is in it with `in`, or ask each element with exists or all")
            }
            (a, b) if a != b => {
                let message = format!("{} is compared with {}", a.words(), b.words());
                let help = if chained(written.0) && ordered {
                    Some("a chain like 1 < x < 9 is written 1 < x && x < 9".to_owned())
                } else {
                    // A constant is what its author can most easily write otherwise; but order wants numbers.
                    let constant = right.is_constant() && !(ordered && b == Type::NUMBER);
                    let sides = if constant { [(&right, a), (&left, b)] } else { [(&left, b), (&right, a)] };
                    sides.into_iter().find_map(|(side, wanted)| conversion(side, wanted))
                };
                RuleError::new("type_mismatch", span, message).maybe_help(help)
            }
            (Type::One(FieldType::Boolean), _) if ordered => {
                RuleError::new("type_mismatch", span, "true and false have no order")
                    .help("use == or !=, or ! && ||")
            }
            _ => {
                let form = Form::Compare(comparison, boxed(left), boxed(right));
                return Some(Typed { form, of: Type::BOOLEAN, span });
            }
        };
        self.refuse(error)
    }

    fn add(&mut self, left: &Part, right: &Part, span: Span) -> Option<Typed> {
        let written = (left, right);
        let (left, right) = self.both(left, right)?;
        if left.of == Type::TEXT && right.of == Type::TEXT {
            return Some(Typed { form: Form::Join(boxed(left), boxed(right)), of: Type::TEXT, span });
        }
        self.numbers(Arithmetic::Add, "+", (left, written.0.span), (right, written.1.span), span)
    }

    fn arithmetic(
        &mut self,
        arithmetic: Arithmetic,
        symbol: &str,
        left: &Part,
        right: &Part,
        span: Span,
    ) -> Option<Typed> {
        let spans = (left.span, right.span);
        let (left, right) = self.both(left, right)?;
        self.numbers(arithmetic, symbol, (left, spans.0), (right, spans.1), span)
    }

    fn numbers(
        &mut self,
        arithmetic: Arithmetic,
        symbol: &str,
        left: (Typed, Span),
        right: (Typed, Span),
        span: Span,
    ) -> Option<Typed> {
        for (side, place) in [&left, &right] {
            if side.of != Type::NUMBER {
                let message = format!("this is {}, but {symbol} calculates with numbers", side.of.words());
                let help = match side.of {
                    Type::One(FieldType::Date | FieldType::DateTime) => Some(
                        "days from one date to another: days_between(a, b); a later date: add_days(a, 7)"
                            .to_owned(),
                    ),
                    _ => conversion(side, Type::NUMBER),
                };
                return self.refuse(RuleError::new("type_mismatch", *place, message).maybe_help(help));
            }
        }
        let form = Form::Arithmetic(arithmetic, boxed(left.0), boxed(right.0));
        Some(Typed { form, of: Type::NUMBER, span })
    }

    fn is_in(&mut self, left: &Part, right: &Part, span: Span) -> Option<Typed> {
        let value = self.part(left).map(as_value);
        let list = self.members(right);
        let (value, list) = (value?, list?);
        let error = match list.of {
            Type::List(of) if value.of == Type::One(of) => {
                return Some(Typed { form: Form::In(boxed(value), boxed(list)), of: Type::BOOLEAN, span });
            }
            Type::List(of) => {
                let message = format!("{} is sought in {}", value.of.words(), list.of.words());
                RuleError::new("type_mismatch", span, message).maybe_help(conversion(&value, Type::One(of)))
            }
            of => {
                let error = RuleError::new(
                    "type_mismatch",
                    right.span,
                    format!("`in` wants a list on its right, but this is {}", of.words()),
                );
                if of == Type::TEXT {
                    error.help("whether a text stands in another is asked with a.contains(b)")
                } else {
                    error
                }
            }
        };
        self.refuse(error)
    }

    /// The right side of `in`: a named list, or any other list, or elements.
    fn members(&mut self, right: &Part) -> Option<Typed> {
        let span = right.span;
        let texts =
            |texts| Some(Typed { form: Form::Texts(Arc::new(texts)), of: Type::List(FieldType::Text), span });
        if let Written::Name(name) = &right.form {
            let bound = self.variables.iter().any(|(own, _)| own == name);
            let field = matches!(self.scope, Scope::Entry(schema) if schema.field(name).is_some());
            match self.lists.0.get(name) {
                Some(list) if !bound && !field => return texts(list.iter().cloned().collect()),
                None if !bound && matches!(self.scope, Scope::Document) => self.near_a_list(name, span)?,
                _ => {}
            }
        }
        let typed = self.part(right)?;
        if typed.of == Type::Nodes {
            return Some(Typed { form: Form::TextsOf(boxed(typed)), of: Type::List(FieldType::Text), span });
        }
        if let Form::List(parts) = &typed.form {
            let constant = |part: &Typed| match &part.form {
                Form::Constant(Value::Text(text)) => Some(text.clone()),
                _ => None,
            };
            if let Some(constants) = parts.iter().map(constant).collect() {
                return texts(constants);
            }
        }
        Some(typed)
    }

    /// In a document any name is that of an element, so a misspelt list would silently be empty.
    fn near_a_list(&mut self, name: &str, span: Span) -> Option<()> {
        let Some(help) = did_you_mean(name, self.lists.0.keys().map(String::as_str)) else { return Some(()) };
        let message = format!("there is no named list {name}");
        self.refuse(
            RuleError::new("list_unknown", span, message)
                .help(format!("{help} for an element, write this.{name}")),
        )
    }

    fn list(&mut self, parts: &[Part], span: Span) -> Option<Typed> {
        let typed: Vec<Option<Typed>> = parts.iter().map(|part| self.part(part).map(as_value)).collect();
        let elements = typed.into_iter().collect::<Option<Vec<Typed>>>()?;
        let Some(first) = elements.first() else {
            return self.refuse(
                RuleError::new("list_empty", span, "an empty list holds nothing")
                    .help("leave the condition out"),
            );
        };
        let Type::One(of) = first.of else {
            return self.refuse(RuleError::new("type_mismatch", span, "a list cannot hold lists"));
        };
        if let Some(other) = elements.iter().find(|element| element.of != Type::One(of)) {
            let message =
                format!("the list begins with {}, but this is {}", Type::One(of).words(), other.of.words());
            let help = conversion(other, Type::One(of));
            return self.refuse(RuleError::new("type_mismatch", other.span, message).maybe_help(help));
        }
        Some(Typed { form: Form::List(elements), of: Type::List(of), span })
    }

    fn conditional(&mut self, three: &[Part; 3], span: Span) -> Option<Typed> {
        let [condition, yes, no] = three;
        let condition = self.want(condition, Type::BOOLEAN, "the part before ? is true or false");
        let answers = self.both(yes, no);
        let (condition, (yes, no)) = (condition?, answers?);
        if yes.of != no.of {
            let message = format!("the answers differ in type: {} and {}", yes.of.words(), no.of.words());
            return self
                .refuse(RuleError::new("type_mismatch", span, message).maybe_help(conversion(&no, yes.of)));
        }
        let of = yes.of;
        Some(Typed { form: Form::Conditional(Box::new([condition, yes, no])), of, span })
    }
}

/// How to make one type of another, if there is a way.
pub(crate) fn conversion(typed: &Typed, wanted: Type) -> Option<String> {
    let text = typed.of == Type::TEXT || typed.of == Type::Nodes;
    match (wanted, &typed.form) {
        (Type::One(FieldType::Date), Form::Constant(Value::Text(day))) => {
            Some(format!("a date is written date(\"{day}\")"))
        }
        (Type::One(FieldType::DateTime), Form::Constant(Value::Text(time))) => {
            Some(format!("a date with time is written date_time(\"{time}\")"))
        }
        (Type::One(FieldType::Text), Form::Constant(Value::Decimal(number))) => {
            Some(format!("a code is a text: \"{number}\""))
        }
        (Type::One(FieldType::Decimal), Form::Constant(Value::Text(number)))
            if crate::builtin::number_of(number).is_some() =>
        {
            Some(format!("a number is written without quotation marks: {number}"))
        }
        (Type::One(FieldType::Decimal), _) if text => {
            Some("a text is read as a number with number(...)".to_owned())
        }
        (Type::One(FieldType::Date), _) if text || typed.of == Type::One(FieldType::DateTime) => {
            Some("its day is date(...)".to_owned())
        }
        (Type::One(FieldType::DateTime), _) if text => {
            Some("a text is read as a date with time with date_time(...)".to_owned())
        }
        (Type::One(FieldType::Boolean), _) => {
            Some("whether a value is there is asked with has(...)".to_owned())
        }
        (Type::One(of), _) if typed.of == Type::List(of) => {
            Some("ask each element with exists or all".to_owned())
        }
        _ => None,
    }
}
