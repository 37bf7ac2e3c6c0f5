//! Screening: whose name is, or nearly is, one that stands on a list.

use super::block::{Blocks, spellings};
use super::likeness::{Vocabulary, Word, Words};
use super::party::{Party, PartyKind, permille};
use super::words::Lexicon;

/// Names of an entry that are compared.
const NAMES_MAX: usize = 40;
/// Entries that share a word; more are met through their other words.
const BLOCK_ENTRIES: usize = 400;
/// Hits of one party that are told.
const HITS_MAX: usize = 20;
/// What both names tell that they must tell alike.
const SHARE_MIN: f64 = 0.8;
/// Of what it takes to tell one name of all, so much must be told alike.
const TELLING_MIN: f64 = 0.75;

/// Somebody on a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListEntry {
    /// Its number on the list.
    pub id: String,
    /// What it is.
    pub kind: PartyKind,
    /// Name.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
}

/// A list made ready to be asked.
#[derive(Debug, Clone)]
pub struct ScreeningList {
    lexicon: Lexicon,
    vocabulary: Vocabulary,
    entries: Vec<(ListEntry, Vec<(String, Words)>)>,
    blocks: Blocks,
}

/// A name that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Number of the entry on the list.
    pub entry: String,
    /// The party's name that was compared.
    pub own: String,
    /// The name on the list.
    pub listed: String,
    /// How alike they are, 0 to 1000; 1000: the same but for legal form, order, script and signs.
    pub score: u32,
}

impl ScreeningList {
    /// Makes a list ready.
    #[must_use]
    pub fn new(lexicon: Lexicon, entries: Vec<ListEntry>) -> Self {
        let mut vocabulary = Vocabulary::default();
        let mut ready = Vec::with_capacity(entries.len());
        for entry in entries {
            let named = std::iter::once(&entry.name).chain(&entry.aliases).take(NAMES_MAX);
            let names = vocabulary.learn_all(&lexicon, named).into_iter();
            let names: Vec<(String, Words)> = names.map(|(name, words)| (name.to_owned(), words)).collect();
            ready.push((entry, names));
        }
        let mut rows = Vec::new();
        for (at, (_, names)) in ready.iter().enumerate() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            for word in names.iter().flat_map(|(_, words)| vocabulary.of(words)) {
                rows.extend(spellings(&word.text, &word.bones).into_iter().map(|key| (key, at)));
            }
        }
        Self { lexicon, vocabulary, entries: ready, blocks: Blocks::of(rows) }
    }

    /// Entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is nobody on it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Who of the list has a name like this party's, the most alike first.
    #[must_use]
    pub fn screen(&self, party: &Party) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        for name in std::iter::once(&party.name).chain(&party.aliases).take(NAMES_MAX) {
            let words = self.vocabulary.ask(&self.lexicon, name);
            let asked: Vec<&Word> = words.iter().collect();
            for at in self.met(&words) {
                let Some((entry, names)) = self.entries.get(at).filter(|(entry, _)| entry.kind == party.kind)
                else {
                    continue;
                };
                let likest =
                    names.iter().filter_map(|(listed, words)| Some((self.score(&asked, words)?, listed)));
                if let Some((score, listed)) = likest.max_by_key(|(score, _)| *score) {
                    let (entry, own, listed) = (entry.id.clone(), name.clone(), listed.clone());
                    hits.push(Hit { entry, own, listed, score });
                }
            }
        }
        hits.sort_by(|one, other| other.score.cmp(&one.score).then_with(|| one.entry.cmp(&other.entry)));
        let mut seen: Vec<String> = Vec::new();
        hits.retain(|hit| {
            let new = !seen.contains(&hit.entry);
            seen.push(hit.entry.clone());
            new
        });
        hits.truncate(HITS_MAX);
        hits
    }

    /// Who shares a word, or a near spelling of one.
    fn met(&self, words: &[Word]) -> Vec<usize> {
        self.blocks.met(words.iter().flat_map(|word| spellings(&word.text, &word.bones)), BLOCK_ENTRIES)
    }

    /// How alike names are; `None` where that is not worth telling.
    fn score(&self, asked: &[&Word], listed: &[u32]) -> Option<u32> {
        let listed: Vec<&Word> = self.vocabulary.of(listed).collect();
        let likeness = self.vocabulary.likeness(asked, &listed);
        // A name of words that everybody uses is like too many.
        let telling = likeness.bits >= self.vocabulary.bits_of_one() * TELLING_MIN;
        (likeness.share >= SHARE_MIN && telling).then(|| permille(likeness.share * 1_000.0, 1_000))
    }
}
