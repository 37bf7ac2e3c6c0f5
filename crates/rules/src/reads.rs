//! Which elements of a document a rule reads: so that one who has only part of a document can leave out the rules that
//! would mistake what it lacks for what was not stated.

use std::collections::BTreeSet;

use crate::ast::{Call, Form, Part};
use crate::lists::Lists;
use crate::pack::RuleDefinition;
use crate::parser::parse;

/// Functions that look at one element after the other under a name of their own.
const QUANTIFIERS: [&str; 5] = ["exists", "all", "exists_one", "filter", "map"];
/// Functions whose answer are elements of what they are asked of.
const KEEPING: [&str; 2] = ["filter", "distinct"];

/// Names from the root of a document downwards.
type Path = Vec<String>;

/// The paths below the root that a rule reads, its own place among them, as `GoodsShipment/Consignee/ID`; the root
/// itself is none. Nothing of a rule that cannot be parsed: a pack has none.
pub(crate) fn paths_read(definition: &RuleDefinition, lists: &Lists) -> BTreeSet<String> {
    let steps = |path: &str| path.split('/').filter(|step| !step.is_empty()).map(str::to_owned).collect();
    let context: Path = steps(&definition.context);
    let mut place = context.clone();
    place.extend(steps(definition.at.as_deref().unwrap_or_default()));
    let mut reading = Reading { context, lists, variables: Vec::new(), found: BTreeSet::from([place]) };
    if let Ok(expression) = parse(&definition.when) {
        reading.part(&expression.root);
    }
    let found = reading.found.into_iter().filter(|path| !path.is_empty());
    found.map(|path| path.join("/")).collect()
}

struct Reading<'a> {
    context: Path,
    lists: &'a Lists,
    /// Names for elements, the innermost last.
    variables: Vec<(String, Option<Path>)>,
    found: BTreeSet<Path>,
}

impl Reading<'_> {
    /// Reads a part; answers with the path of the elements that it stands for, if it stands for any.
    fn part(&mut self, part: &Part) -> Option<Path> {
        match &part.form {
            Form::Boolean(_) | Form::Number(_) | Form::Text(_) => None,
            Form::Name(name) => self.name(name),
            Form::Member(base, name) => {
                let mut path = self.part(base)?;
                path.push(name.clone());
                self.found.insert(path.clone());
                Some(path)
            }
            Form::Call(call) => self.call(call),
            Form::Not(inner) | Form::Negate(inner) => self.all([&**inner]),
            Form::List(parts) | Form::All(parts) | Form::Any(parts) => self.all(parts),
            Form::Binary(_, left, right) => self.all([&**left, &**right]),
            Form::Conditional(three) => self.all(three.iter()),
        }
    }

    fn all<'p>(&mut self, parts: impl IntoIterator<Item = &'p Part>) -> Option<Path> {
        for part in parts {
            self.part(part);
        }
        None
    }

    fn name(&mut self, name: &str) -> Option<Path> {
        if let Some((_, path)) = self.variables.iter().rev().find(|(own, _)| own == name) {
            return path.clone();
        }
        let mut path = self.context.clone();
        match name {
            "this" => return Some(path),
            "root" => return Some(Path::new()),
            "parent" => {
                path.pop();
                return Some(path);
            }
            _ if self.lists.0.contains_key(name) => return None,
            _ => path.push(name.to_owned()),
        }
        self.found.insert(path.clone());
        Some(path)
    }

    fn call(&mut self, call: &Call) -> Option<Path> {
        let of = call.receiver.as_ref().and_then(|receiver| self.part(receiver));
        let variable = match call.arguments.first().map(|first| &first.form) {
            Some(Form::Name(name)) if QUANTIFIERS.contains(&call.name.as_str()) => Some(name.clone()),
            _ => None,
        };
        let Some(variable) = variable else {
            self.all(&call.arguments);
            return of.filter(|_| KEEPING.contains(&call.name.as_str()));
        };
        self.variables.push((variable, of.clone()));
        let bodies: Vec<Option<Path>> = call.arguments.iter().skip(1).map(|body| self.part(body)).collect();
        self.variables.pop();
        match call.name.as_str() {
            "map" => bodies.into_iter().next_back().flatten(),
            name => of.filter(|_| KEEPING.contains(&name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Lists, RulePack};

    /// The paths of the one rule of a file.
    fn check(context: &str, at: &str, when: &str, expected: &[&str]) {
        let lists = Lists([("known".to_owned(), ["A".to_owned()].into())].into());
        let text = format!(
            "[document]\nroots = [\"D\"]\n[[rule]]\nid = \"r\"\ncode = \"r\"\ncontext = \"{context}\"\nat = \"{at}\"\nseverity = \"error\"\nwhen = '''{when}'''\nmessage = {{ en = \"x\", zh = \"x\" }}\nhow_to_fix = {{ en = \"x\", zh = \"x\" }}\n"
        );
        let (pack, findings) = RulePack::from_toml("rules.toml", &text, &lists);
        assert!(findings.is_empty(), "{findings:?}");
        let paths = super::paths_read(&pack.definitions()[0], &lists);
        assert_eq!(paths.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{when}");
        // It is asked where all of them are there, and of nobody who lacks one.
        assert_eq!(pack.asked_where(&lists, &|_| true).definitions().len(), 1);
        for lacking in expected {
            let part = pack.asked_where(&lists, &|path| path != *lacking);
            assert_eq!((part.definitions().len(), part.not_asked().len()), (0, 1), "{lacking}");
        }
    }

    #[test]
    fn every_path_that_a_rule_reads_is_found_and_nothing_else() {
        check("/", "A", "has(B)", &["A", "B"]);
        check(
            "/Item",
            "ID",
            "ID in known && number(parent.Total) > 1 || has(root.X.Y)",
            &["Item/ID", "Total", "X", "X/Y"],
        );
        check(
            "/Item",
            "A",
            "B.exists(one, one.C == 'x' && B.D == 'y')",
            &["Item/A", "Item/B", "Item/B/C", "Item/B/D"],
        );
        check(
            "/",
            "A",
            "count(B.filter(one, one.C == 'x').D) > 1 && this.E == 'x'",
            &["A", "B", "B/C", "B/D", "E"],
        );
        check("/", "A", "!(B.C.distinct().size() > 1)", &["A", "B", "B/C"]);
        check("/", "A", "B.map(one, one.C).exists(text, text == 'x')", &["A", "B", "B/C"]);
        check("/", "A", "coalesce(B, 'x') in [C, 'y']", &["A", "B", "C"]);
    }
}
