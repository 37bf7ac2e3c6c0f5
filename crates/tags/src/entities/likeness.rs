//! How alike names are: words that both have, each by what it tells, with near spellings.

use std::collections::HashMap;

use super::words::{Lexicon, skeleton};

/// Words of one name, each with its number in the [`Vocabulary`].
pub(super) type Words = Vec<u32>;

/// Added to the number of names, so that words of a short register are not all common.
const NAMES_ASSUMED: u32 = 1_000;
/// A word that half the world uses is taken to be in one name of so many.
const COMMON_SHARE: u32 = 12;

/// A word with what it tells.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) text: String,
    /// What is left of it in other spellings.
    pub(super) bones: String,
    /// How many names it is in.
    pub(super) names: u32,
    common: bool,
}

/// All words of a register's names, and how many names each is in.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    numbers: HashMap<String, u32>,
    words: Vec<Word>,
    names: u32,
}

/// How alike two names are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likeness {
    /// Share of what both tell that they tell alike, 0 to 1.
    pub(super) share: f64,
    /// What they tell alike, in bits: one name in 2 to the power of this would by chance.
    pub(super) bits: f64,
}

impl Vocabulary {
    /// Takes a name in, and counts its words.
    pub(super) fn learn(&mut self, lexicon: &Lexicon, name: &str) -> Words {
        self.names = self.names.saturating_add(1);
        let found: Words = lexicon
            .name_words(name)
            .into_iter()
            .map(|text| {
                let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
                let number = *self.numbers.entry(text.clone()).or_insert(next);
                if number == next {
                    let common = lexicon.is_common(&text);
                    self.words.push(Word { bones: skeleton(&text), text, names: 0, common });
                }
                number
            })
            .collect();
        for number in &found {
            if let Some(word) = self.word_mut(*number) {
                word.names = word.names.saturating_add(1);
            }
        }
        found
    }

    /// Takes names in, each with its words; one that has none tells nothing and is left out.
    pub(super) fn learn_all<'a>(
        &mut self,
        lexicon: &Lexicon,
        names: impl Iterator<Item = &'a String>,
    ) -> Vec<(&'a str, Words)> {
        let learnt = names.map(|name| (name.as_str(), self.learn(lexicon, name)));
        learnt.filter(|(_, words)| !words.is_empty()).collect()
    }

    pub(super) fn word(&self, number: u32) -> Option<&Word> {
        usize::try_from(number).ok().and_then(|at| self.words.get(at))
    }

    fn word_mut(&mut self, number: u32) -> Option<&mut Word> {
        usize::try_from(number).ok().and_then(|at| self.words.get_mut(at))
    }

    /// The words of a name that was taken in.
    pub(super) fn of<'a>(&'a self, words: &'a [u32]) -> impl Iterator<Item = &'a Word> {
        words.iter().filter_map(|number| self.word(*number))
    }

    /// The words of a name that is only asked about: those that are known tell what they tell here.
    pub(super) fn ask(&self, lexicon: &Lexicon, name: &str) -> Vec<Word> {
        let asked = lexicon.name_words(name).into_iter().map(|text| {
            let known = self.numbers.get(&text).and_then(|number| self.word(*number)).cloned();
            known.unwrap_or_else(|| Word {
                bones: skeleton(&text),
                common: lexicon.is_nearly_common(&text),
                names: 0,
                text,
            })
        });
        asked.collect()
    }

    /// Bits that it takes to tell one name of all.
    pub(super) fn bits_of_one(&self) -> f64 {
        f64::from(self.names.saturating_add(NAMES_ASSUMED)).log2()
    }

    /// What a word tells, in bits.
    pub(super) fn bits(&self, word: &Word) -> f64 {
        let all = self.names.saturating_add(NAMES_ASSUMED);
        let assumed = if word.common { all.div_euclid(COMMON_SHARE) } else { 0 };
        (f64::from(all) / f64::from(word.names.saturating_add(assumed).max(1))).log2().max(0.0)
    }

    /// How alike two names are. Each word meets at most one of the other name, the most telling first.
    pub(super) fn likeness(&self, one: &[&Word], other: &[&Word]) -> Likeness {
        let told = |words: &[&Word]| words.iter().map(|word| self.bits(word)).sum::<f64>();
        let mut all = told(one) + told(other);
        if all <= 0.0 {
            return Likeness { share: 0.0, bits: 0.0 };
        }
        let mut pairs: Vec<(f64, f64, usize, usize)> = Vec::new();
        for (at_left, left) in one.iter().enumerate() {
            for (at_right, right) in other.iter().enumerate() {
                let alike = alike(left, right);
                if alike > 0.0 {
                    let (own, others) = (self.bits(left), self.bits(right));
                    pairs.push((alike * own.min(others), (own - others).abs(), at_left, at_right));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.2, a.3).cmp(&(b.2, b.3))));
        let (mut met_left, mut met_right, mut bits) = (Vec::new(), Vec::new(), 0.0);
        for (shared, more, left, right) in pairs {
            if !met_left.contains(&left) && !met_right.contains(&right) {
                met_left.push(left);
                met_right.push(right);
                bits += shared;
                // A misspelled word is new to the register, and tells no more than the word that is meant.
                all -= more;
            }
        }
        Likeness { share: (2.0 * bits / all).min(1.0), bits }
    }
}

/// How alike two words are: 1 the same, less for one or two letters, 0 for more.
fn alike(one: &Word, other: &Word) -> f64 {
    if one.text == other.text {
        return 1.0;
    }
    let length = one.text.len().min(other.text.len());
    let longest = one.text.len().max(other.text.len());
    // A number with another digit is another number; so is a short word with another letter.
    let digits = one.text.bytes().chain(other.text.bytes()).any(|sign| sign.is_ascii_digit());
    if length < 4 || digits || longest.abs_diff(length) > 3 {
        return 0.0;
    }
    let same_bones = one.bones.len() >= 3 && one.bones == other.bones;
    match strsim::osa_distance(&one.text, &other.text) {
        1 => 0.95,
        2 if length >= 7 || same_bones => 0.88,
        3 if same_bones => 0.88,
        _ => 0.0,
    }
}
