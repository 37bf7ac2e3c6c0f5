//! SPDX licence expressions: enough of them to decide whether one can be met with a list of allowed licences.

/// Whether an expression can be met: `OR` needs one side, `AND` both; `X WITH Y` is one licence of that name.
/// An expression that is not understood cannot be met. The old `MIT/Apache-2.0` means `OR`.
pub(crate) fn can_be_met(expression: &str, allowed: impl Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens, allowed: &allowed };
    let met = parser.any_of();
    met == Some(true) && parser.tokens.is_empty()
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    allowed: &'a dyn Fn(&str) -> bool,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn next_is(&mut self, word: &str) -> bool {
        let found = self.tokens.first() == Some(&word);
        if found {
            self.next();
        }
        found
    }

    fn any_of(&mut self) -> Option<bool> {
        let mut met = self.all_of()?;
        while self.next_is("OR") {
            met |= self.all_of()?;
        }
        Some(met)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.next_is("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.next_is("(") {
            let met = self.any_of()?;
            return self.next_is(")").then_some(met);
        }
        let licence = self.next().filter(|token| !["AND", "OR", "WITH", ")"].contains(token))?;
        if self.next_is("WITH") {
            let exception = self.next()?;
            return Some((self.allowed)(&format!("{licence} WITH {exception}")));
        }
        Some((self.allowed)(licence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_met_by_what_is_allowed() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"];
        let check = |expression: &str, expected: bool| {
            assert_eq!(
                can_be_met(expression, |licence| allowed.contains(&licence)),
                expected,
                "{expression}"
            );
        };
        check("MIT", true);
        check("GPL-3.0-only", false);
        check("GPL-3.0-only OR MIT", true);
        check("GPL-3.0-only AND MIT", false);
        check("MIT/Apache-2.0", true);
        check("(MIT OR Apache-2.0) AND Unicode-3.0", true);
        check("(MIT OR Apache-2.0) AND GPL-2.0", false);
        check("MIT AND (GPL-2.0 OR (AGPL-3.0 OR Apache-2.0))", true);
        check("Apache-2.0 WITH LLVM-exception", true);
        check("Apache-2.0 WITH Other-exception", false);
    }

    #[test]
    fn what_is_not_understood_is_not_met() {
        for expression in ["", "MIT OR", "MIT MIT", "(MIT", "MIT)", "OR MIT", "MIT WITH"] {
            assert!(!can_be_met(expression, |_| true), "{expression}");
        }
    }
}
