//! What holds for any content model: the automaton agrees with a matcher that is slow and plainly right.

use proptest::prelude::*;
use xsd::{Entry, Files, Limits, Schema};

use crate::support::one_file;

/// A content model over few names, so that repetitions meet.
#[derive(Debug, Clone)]
enum Model {
    Element(usize),
    Sequence(Vec<Part>),
    Choice(Vec<Part>),
}

/// A model that stands so and so often.
#[derive(Debug, Clone)]
struct Part {
    min: usize,
    max: Option<usize>,
    model: Box<Model>,
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn part() -> impl Strategy<Value = Part> {
    let occurs = prop_oneof![
        4 => Just((1, Some(1))),
        2 => Just((0, Some(1))),
        1 => Just((0, None)),
        1 => Just((1, None)),
        1 => Just((2, Some(3))),
        1 => Just((0, Some(2))),
        1 => Just((2, None)),
    ];
    let with = move |model: BoxedStrategy<Model>| {
        (occurs.clone(), model).prop_map(|((min, max), model)| Part { min, max, model: Box::new(model) })
    };
    let leaf = with((0..NAMES.len()).prop_map(Model::Element).boxed());
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let members = proptest::collection::vec(inner, 1..4);
        with(prop_oneof![members.clone().prop_map(Model::Sequence), members.prop_map(Model::Choice)].boxed())
    })
}

fn written(part: &Part) -> String {
    let max = part.max.map_or("unbounded".to_owned(), |max| max.to_string());
    let occurs = format!("minOccurs=\"{}\" maxOccurs=\"{max}\"", part.min);
    let inner = |parts: &[Part]| parts.iter().map(written).collect::<String>();
    match &*part.model {
        Model::Element(name) => {
            format!("<xs:element name=\"{}\" type=\"xs:string\" {occurs}/>", NAMES[*name])
        }
        Model::Sequence(parts) => format!("<xs:sequence {occurs}>{}</xs:sequence>", inner(parts)),
        Model::Choice(parts) => format!("<xs:choice {occurs}>{}</xs:choice>", inner(parts)),
    }
}

fn files(part: &Part) -> Files {
    one_file(&format!(
        "<xs:element name=\"r\"><xs:complexType><xs:sequence>{}</xs:sequence></xs:complexType></xs:element>",
        written(part)
    ))
}

/// Every place of `word` at which the part may have ended, given those at which it began.
fn ends(part: &Part, word: &[usize], starts: Vec<usize>) -> Vec<usize> {
    let mut reached = if part.min == 0 { starts.clone() } else { Vec::new() };
    let mut current = starts;
    let mut count = 0;
    // More copies than there are children, beyond those that must be there, add nothing.
    while count < part.max.unwrap_or(part.min + word.len() + 1) && !current.is_empty() {
        current = once(&part.model, word, &current);
        count += 1;
        if count >= part.min {
            reached.extend(&current);
        }
    }
    reached.sort_unstable();
    reached.dedup();
    reached
}

fn once(model: &Model, word: &[usize], starts: &[usize]) -> Vec<usize> {
    let mut found = match model {
        Model::Element(name) => {
            starts.iter().filter(|at| word.get(**at) == Some(name)).map(|at| at + 1).collect::<Vec<_>>()
        }
        Model::Sequence(parts) => parts.iter().fold(starts.to_vec(), |starts, part| ends(part, word, starts)),
        Model::Choice(parts) => parts.iter().flat_map(|part| ends(part, word, starts.to_vec())).collect(),
    };
    found.sort_unstable();
    found.dedup();
    found
}

fn matches(part: &Part, word: &[usize]) -> bool {
    ends(part, word, vec![0]).contains(&word.len())
}

/// A word of the model, by the dice.
fn word(part: &Part, dice: &mut impl Iterator<Item = usize>, into: &mut Vec<usize>) {
    let spread = part.max.map_or(3, |max| max - part.min + 1);
    let times = part.min + dice.next().unwrap_or(0) % spread;
    for _ in 0..times {
        if into.len() > 60 {
            return;
        }
        match &*part.model {
            Model::Element(name) => into.push(*name),
            Model::Sequence(parts) => parts.iter().for_each(|part| word(part, dice, into)),
            Model::Choice(parts) => word(&parts[dice.next().unwrap_or(0) % parts.len()], dice, into),
        }
    }
}

fn message(word: &[usize]) -> String {
    format!("<r>{}</r>", word.iter().map(|name| format!("<{}/>", NAMES[*name])).collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_word_of_a_model_is_accepted_and_its_neighbours_as_the_slow_matcher_says(
        part in part(),
        dice in proptest::collection::vec(0..1_000_usize, 40),
        other in 0..NAMES.len(),
    ) {
        // Models in which a child could be two things are refused; the others are judged.
        let schema = match Schema::compile(&files(&part), "test.xsd") {
            Ok(schema) => schema,
            Err(error) => {
                prop_assert_eq!(error.code, "schema_model_ambiguous");
                return Ok(());
            }
        };
        let accepts = |word: &[usize]| {
            schema.validate(&message(word), Entry::Root, Limits::default()).is_empty()
        };
        let mut made = Vec::new();
        word(&part, &mut dice.iter().copied(), &mut made);
        prop_assert_eq!(accepts(&made), matches(&part, &made), "{:?}", made);
        for at in 0..made.len() {
            let mut fewer = made.clone();
            fewer.remove(at);
            prop_assert_eq!(accepts(&fewer), matches(&part, &fewer), "{:?}", fewer);
            let mut doubled = made.clone();
            doubled.insert(at, made[at]);
            prop_assert_eq!(accepts(&doubled), matches(&part, &doubled), "{:?}", doubled);
            let mut changed = made.clone();
            changed[at] = other;
            prop_assert_eq!(accepts(&changed), matches(&part, &changed), "{:?}", changed);
        }
    }

    #[test]
    fn any_text_is_judged_or_refused_with_places(text in "[<>/a-c='\" &;!\\[\\]-]{0,60}") {
        let schema = crate::support::schema("<xs:element name=\"a\"/>");
        for violation in crate::support::judged(&schema, &text) {
            prop_assert!(!violation.finding.code.is_empty());
        }
    }
}
