//! Random rules, always the same from the same seed.
//!
//! Every rule is made twice at once, in our spelling and in CEL's, out of the subset in which both mean the same:
//!
//! - conditions with `!`, `&&`, `||`, `?:`, `has`, comparisons, `in` lists of constants, `exists`, `all`, `filter`,
//!   `map`, and `exists_one` where nothing can be unknown;
//! - whole numbers far from the ends of CEL's integers, `/` only where it leaves no remainder;
//! - texts with `+`, `size`, `startsWith`, `endsWith`, `contains`, `matches` and, from CEL's strings extension,
//!   `substring`, `lowerAscii`, `upperAscii`, `trim`; from its math extension `abs`, `least`, `greatest`.
//!
//! Brackets around operators are left out half of the time, so that precedence is compared too; what then does not
//! fit together by its types is passed over.

/// A rule in both spellings.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) ours: String,
    pub(crate) cel: String,
}

/// SplitMix64: small, and good enough to choose with.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// What rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// Fields t u (texts), n m (numbers), b c (booleans); members of `e` in CEL.
    Entry,
    /// HEAD with N, M (numbers) and T, U (texts); ITEMs with N and T, each with Vs, which are numbers; all but the
    /// groups may be absent.
    Document,
}

pub(crate) struct Generator {
    pub(crate) random: Random,
    over: Over,
    /// Variables that are numbers, and those that are ITEMs.
    numbers: Vec<String>,
    items: Vec<String>,
    /// While set, nothing that may be unknown is made.
    known_only: bool,
}

fn both(text: impl Into<String>) -> Pair {
    let text = text.into();
    Pair { ours: text.clone(), cel: text }
}

fn pair(ours: impl Into<String>, cel: impl Into<String>) -> Pair {
    Pair { ours: ours.into(), cel: cel.into() }
}

/// Fills `{}` of the pattern with the parts, in both spellings.
fn fill(pattern: &str, parts: &[&Pair]) -> Pair {
    let spell = |of: fn(&Pair) -> &str| {
        let mut pieces = pattern.split("{}");
        let mut text = pieces.next().unwrap().to_owned();
        for (piece, part) in pieces.zip(parts) {
            text += of(part);
            text += piece;
        }
        text
    };
    Pair { ours: spell(|pair| &pair.ours), cel: spell(|pair| &pair.cel) }
}

const TEXTS: [&str; 8] = ["\"\"", "\"a\"", "\"ab\"", "\"b\"", "\"B\"", "\"象\"", "\" a\"", "\"ba\""];
const PATTERNS: [&str; 5] = ["\"a\"", "\"^a\"", "\"[ab]$\"", "\"^$\"", "\"^.b*$\""];

impl Generator {
    pub(crate) fn new(seed: u64, over: Over) -> Self {
        Self { random: Random(seed), over, numbers: Vec::new(), items: Vec::new(), known_only: false }
    }

    /// A rule.
    pub(crate) fn rule(&mut self) -> Pair {
        let depth = 1 + self.random.below(4);
        self.condition(depth)
    }

    fn bracketed(&mut self, part: Pair) -> Pair {
        if self.random.below(2) == 0 { part } else { fill("({})", &[&part]) }
    }

    fn operation(&mut self, operator: &str, left: Pair, right: Pair) -> Pair {
        let (left, right) = (self.bracketed(left), self.bracketed(right));
        fill(&format!("{{}} {operator} {{}}"), &[&left, &right])
    }

    fn condition(&mut self, depth: usize) -> Pair {
        if depth == 0 {
            return match self.random.below(3) {
                0 if self.over == Over::Entry && !self.known_only => self.field(&["b", "c"]),
                1 if !self.known_only => self.has(),
                _ => both(self.random.pick(&["true", "false"])),
            };
        }
        let less = depth - 1;
        match self.random.below(14) {
            0 => {
                let inner = self.condition(less);
                fill("!({})", &[&inner])
            }
            1 | 2 => {
                let (left, right) = (self.condition(less), self.condition(less));
                self.operation("&&", left, right)
            }
            3 | 4 => {
                let (left, right) = (self.condition(less), self.condition(less));
                self.operation("||", left, right)
            }
            5 => {
                let parts = [self.condition(less), self.condition(less), self.condition(less)];
                fill("(({}) ? ({}) : ({}))", &[&parts[0], &parts[1], &parts[2]])
            }
            6 | 7 => {
                let (left, right) = (self.number(less), self.number(less));
                let operator = self.random.pick(&["==", "!=", "<", "<=", ">", ">="]);
                self.operation(operator, left, right)
            }
            8 => {
                let (left, right) = (self.text(less), self.text(less));
                let operator = self.random.pick(&["==", "!=", "<", "<=", ">", ">="]);
                self.operation(operator, left, right)
            }
            9 => {
                let (left, right) = (self.condition(less), self.condition(less));
                let operator = self.random.pick(&["==", "!="]);
                fill(&format!("({{}}) {operator} ({{}})"), &[&left, &right])
            }
            10 => {
                let value = self.number(less);
                let value = self.bracketed(value);
                fill(&format!("{{}} in [{}]", self.constants().ours), &[&value])
            }
            11 => {
                let value = self.text(less);
                let list = [self.random.pick(&TEXTS), self.random.pick(&TEXTS)].join(", ");
                fill(&format!("({{}}) in [{list}]"), &[&value])
            }
            12 => self.about_text(less),
            _ => self.quantified(less),
        }
    }

    fn about_text(&mut self, less: usize) -> Pair {
        let text = self.text(less);
        if self.random.below(3) == 0 {
            let pattern = self.random.pick(&PATTERNS);
            return fill(&format!("({{}}).matches({pattern})"), &[&text]);
        }
        let other = self.text(less);
        let method = self.random.pick(&["startsWith", "endsWith", "contains"]);
        fill(&format!("({{}}).{method}({{}})"), &[&text, &other])
    }

    /// `exists` and its kin, over constants, or over groups of the document.
    fn quantified(&mut self, less: usize) -> Pair {
        let depth = self.numbers.len() + self.items.len();
        if depth >= 3 {
            return self.condition(less);
        }
        let variable = ["x", "y", "z"][depth].to_owned();
        if self.over == Over::Document && self.random.below(2) == 0 {
            self.items.push(variable.clone());
            let body = self.condition(less);
            self.items.pop();
            return match self.random.below(3) {
                0 => fill(&format!("ITEM.exists({variable}, {{}})"), &[&body]),
                1 => fill(&format!("ITEM.all({variable}, {{}})"), &[&body]),
                _ => fill(&format!("ITEM.filter({variable}, {{}}).size() > 1"), &[&body]),
            };
        }
        let list = match self.items.last() {
            // Elements of a document are texts; in CEL they are numbers already.
            Some(item) if self.random.below(2) == 0 => {
                pair(format!("{item}.V.map(v, number(v))"), format!("{item}.V"))
            }
            _ => fill("[{}]", &[&self.constants()]),
        };
        let one = self.random.below(5);
        let before = self.known_only;
        self.known_only |= one == 0;
        self.numbers.push(variable.clone());
        let (body, value) = (self.condition(less), self.number(0));
        self.numbers.pop();
        self.known_only = before;
        match one {
            0 => fill(&format!("{{}}.exists_one({variable}, {{}})"), &[&list, &body]),
            1 | 2 => fill(&format!("{{}}.exists({variable}, {{}})"), &[&list, &body]),
            3 => fill(&format!("{{}}.all({variable}, {{}})"), &[&list, &body]),
            // What is made of each element holds its variable only, so that it is known.
            _ if value.ours == variable => fill(
                &format!("{{}}.map({variable}, {{}} * 2).exists({variable}, {{}})"),
                &[&list, &value, &body],
            ),
            _ => fill(&format!("{{}}.filter({variable}, {{}}).size() == 1"), &[&list, &body]),
        }
    }

    fn constants(&mut self) -> Pair {
        let count = 1 + self.random.below(3);
        both((0..count).map(|_| self.random.below(9).to_string()).collect::<Vec<_>>().join(", "))
    }

    fn field(&mut self, names: &[&str]) -> Pair {
        let name = self.random.pick(names);
        pair(name, format!("e.{name}"))
    }

    fn has(&mut self) -> Pair {
        let place = match self.over {
            Over::Entry => self.field(&["t", "u", "n", "m", "b", "c"]),
            Over::Document => match self.items.last() {
                Some(item) if self.random.below(2) == 0 => {
                    both(format!("{item}.{}", self.random.pick(&["N", "T"])))
                }
                _ => both(format!("HEAD.{}", self.random.pick(&["N", "M", "T", "U"]))),
            },
        };
        fill("has({})", &[&place])
    }

    fn number_leaf(&mut self) -> Pair {
        if let Some(variable) = self.numbers.last()
            && self.random.below(2) == 0
        {
            return both(variable.clone());
        }
        if self.known_only || self.random.below(3) == 0 {
            return both(self.random.below(10).to_string());
        }
        match (self.over, self.items.last()) {
            (Over::Entry, _) => self.field(&["n", "m"]),
            (Over::Document, Some(item)) if self.random.below(2) == 0 => {
                pair(format!("number({item}.N)"), format!("{item}.N"))
            }
            (Over::Document, _) => {
                let name = self.random.pick(&["N", "M"]);
                pair(format!("number(HEAD.{name})"), format!("HEAD.{name}"))
            }
        }
    }

    fn number(&mut self, depth: usize) -> Pair {
        if depth == 0 {
            return self.number_leaf();
        }
        let less = depth - 1;
        match self.random.below(10) {
            0 | 1 => self.number_leaf(),
            2..=4 => {
                let (left, right) = (self.number(less), self.number(less));
                let operator = self.random.pick(&["+", "-", "*"]);
                self.operation(operator, left, right)
            }
            5 => {
                let inner = self.number(less);
                fill("-({})", &[&inner])
            }
            6 => {
                let (left, right) = (self.number(less), self.number(less));
                fill("({}) % ({})", &[&left, &right])
            }
            7 => {
                let inner = self.number(less);
                let by = 1 + self.random.below(5);
                fill(&format!("(({{}}) * {by}) / {by}"), &[&inner])
            }
            8 => {
                let inner = self.text(less);
                fill("size({})", &[&fill("({}).trim()", &[&inner])])
            }
            _ => self.number_function(less),
        }
    }

    fn number_function(&mut self, less: usize) -> Pair {
        let (left, right) = (self.number(less), self.number(less));
        let of =
            |ours: &str, cel: &str| pair(fill(ours, &[&left, &right]).ours, fill(cel, &[&left, &right]).cel);
        match self.random.below(4) {
            0 => of("abs({})", "math.abs({})"),
            1 => of("min({}, {})", "math.least({}, {})"),
            2 => of("max({}, {})", "math.greatest({}, {})"),
            _ => {
                let condition = self.condition(less);
                fill("(({}) ? ({}) : ({}))", &[&condition, &left, &right])
            }
        }
    }

    fn text(&mut self, depth: usize) -> Pair {
        if depth == 0 || self.random.below(3) == 0 {
            if self.known_only || self.random.below(3) == 0 {
                return both(self.random.pick(&TEXTS));
            }
            return match (self.over, self.items.last()) {
                (Over::Entry, _) => self.field(&["t", "u"]),
                (Over::Document, Some(item)) if self.random.below(2) == 0 => both(format!("{item}.T")),
                (Over::Document, _) => both(format!("HEAD.{}", self.random.pick(&["T", "U"]))),
            };
        }
        let less = depth - 1;
        let inner = self.text(less);
        match self.random.below(5) {
            0 | 1 => {
                let other = self.text(less);
                self.operation("+", inner, other)
            }
            2 if !self.known_only => {
                let from = self.random.below(3);
                fill(&format!("({{}}).substring({from})"), &[&inner])
            }
            3 if !self.known_only => fill("({}).substring(0, 1)", &[&inner]),
            _ => {
                let method = self.random.pick(&["lowerAscii", "upperAscii", "trim"]);
                fill(&format!("({{}}).{method}()"), &[&inner])
            }
        }
    }
}
