//! Candidates: pairs of a register that may be one party, or belong together.

use spine::Progress;

use super::block::{Blocks, KeyKind, key, spellings};
use super::likeness::{Vocabulary, Word, Words};
use super::party::{Candidate, Evidence, EvidenceKind, Party, PartyKind, permille, together};
use super::words::{EntitiesError, Lexicon, digits_of_phone, folded_identifier};

/// Names of a party that are compared: its own and the first of its aliases.
const NAMES_MAX: usize = 9;
/// Identifiers of a party that are compared.
const IDENTIFIERS_MAX: usize = 8;
/// How often the listener is asked whether to stop.
const PARTIES_A_STEP: usize = 256;
/// Days between the end of one and the beginning of the other that make a succession.
const SUCCESSION_DAYS: i64 = 120;
/// Names that tell less of what they tell alike than this are not alike.
const NAME_SHARE_MIN: f64 = 0.7;

/// Weights of agreements that two parties share with nobody else.
const IDENTIFIER: f64 = 950.0;
const PHONE: f64 = 750.0;
const OWNER: f64 = 700.0;
const NAME: f64 = 500.0;
const ADDRESS: f64 = 600.0;
/// An address that differs in spelling.
const ADDRESS_ALIKE: f64 = 400.0;
const SUCCESSION: u32 = 450;

/// Bounds of the work, and what is worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Parties in a block; what more share leads to no comparison, though it still weighs a little.
    pub block_parties: usize,
    /// Candidates told, the best.
    pub candidates: usize,
    /// Lowest score that is told, 0 to 1000.
    pub score_min: u32,
    /// Do owners count? Registers that do not know them go without.
    pub owners: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { block_parties: 48, candidates: 100_000, score_min: 400, owners: true }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matching {
    /// Candidates, the highest score first, then by their ids.
    pub candidates: Vec<Candidate>,
    /// Pairs that were compared.
    pub compared: u64,
    /// Blocks too large to be compared within.
    pub blocks_left_out: u64,
    /// Candidates that were not told because there were too many.
    pub candidates_left_out: u64,
}

/// A party as it is compared.
struct Profile<'a> {
    party: &'a Party,
    names: Vec<(&'a str, Words)>,
    address: Vec<String>,
    address_key: Option<u64>,
    phone: Option<String>,
    owner: Option<String>,
    identifiers: Vec<(&'a str, String)>,
    keys: Vec<u64>,
}

/// Pairs of a register that may be one. The order of the parties does not matter; of two with one id, the first counts.
///
/// # Errors
/// [`EntitiesError::Cancelled`].
pub fn candidates(
    lexicon: &Lexicon,
    parties: &[Party],
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Matching, EntitiesError> {
    let mut order: Vec<&Party> = parties.iter().collect();
    order.sort_by(|one, other| one.id.cmp(&other.id));
    order.dedup_by(|one, other| one.id == other.id);
    let register = Register::of(lexicon, &order, limits);
    let mut found = Matching {
        blocks_left_out: register.blocks.larger_than(limits.block_parties),
        ..Matching::default()
    };
    let total = u64::try_from(order.len()).unwrap_or(u64::MAX);
    for (at, left) in register.profiles.iter().enumerate() {
        if at.is_multiple_of(PARTIES_A_STEP) {
            progress.report("comparing_parties", u64::try_from(at).unwrap_or(u64::MAX), total);
            if progress.cancelled() {
                return Err(EntitiesError::Cancelled);
            }
            keep_best(&mut found, limits.candidates);
        }
        for partner in register.partners(at, left, limits) {
            let Some(right) = register.profiles.get(partner) else { continue };
            found.compared = found.compared.saturating_add(1);
            found.candidates.extend(register.compare(left, right, limits));
        }
    }
    found.candidates.sort_by(in_order);
    keep_best(&mut found, 0);
    let left_out = found.candidates.len().saturating_sub(limits.candidates);
    found.candidates.truncate(limits.candidates);
    found.candidates_left_out =
        found.candidates_left_out.saturating_add(u64::try_from(left_out).unwrap_or(u64::MAX));
    Ok(found)
}

fn in_order(one: &Candidate, other: &Candidate) -> std::cmp::Ordering {
    other.score.cmp(&one.score).then_with(|| (&one.left, &one.right).cmp(&(&other.left, &other.right)))
}

/// Bounds memory while pairs come in: twice what is told, then the better half.
fn keep_best(found: &mut Matching, told: usize) {
    if told == 0 || found.candidates.len() < told.saturating_mul(2) {
        return;
    }
    found.candidates.sort_by(in_order);
    let left_out = found.candidates.len().saturating_sub(told);
    found.candidates.truncate(told);
    found.candidates_left_out =
        found.candidates_left_out.saturating_add(u64::try_from(left_out).unwrap_or(u64::MAX));
}

struct Register<'a> {
    profiles: Vec<Profile<'a>>,
    vocabulary: Vocabulary,
    blocks: Blocks,
}

impl<'a> Register<'a> {
    fn of(lexicon: &Lexicon, parties: &[&'a Party], limits: &Limits) -> Self {
        let mut vocabulary = Vocabulary::default();
        let mut profiles: Vec<Profile<'a>> =
            parties.iter().map(|party| profile(lexicon, &mut vocabulary, party, limits)).collect();
        let mut rows = Vec::new();
        for (at, own) in profiles.iter_mut().enumerate() {
            own.keys = keys(own, &vocabulary, limits);
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            rows.extend(own.keys.iter().map(|key| (*key, at)));
        }
        Self { profiles, vocabulary, blocks: Blocks::of(rows) }
    }

    /// Whom a party meets among those after it, each once.
    fn partners(&self, at: usize, own: &Profile<'_>, limits: &Limits) -> Vec<usize> {
        let mut met = self.blocks.met(own.keys.iter().copied(), limits.block_parties);
        met.retain(|partner| *partner > at);
        met
    }

    fn compare(&self, left: &Profile<'_>, right: &Profile<'_>, limits: &Limits) -> Option<Candidate> {
        if left.party.kind != right.party.kind {
            return None;
        }
        let mut evidence: Vec<Evidence> = [
            self.identifier(left, right),
            self.owner(left, right),
            self.phone(left, right),
            self.address(left, right),
            self.name(left, right),
        ]
        .into_iter()
        .flatten()
        .collect();
        let reached_alike = evidence.iter().any(|own| own.kind != EvidenceKind::Name && own.weight >= 100);
        if reached_alike {
            evidence.extend(succession(left.party, right.party));
        }
        evidence.sort_by_key(|own| (std::cmp::Reverse(own.weight), own.kind));
        let score = together(evidence.iter().map(|own| own.weight));
        (score >= limits.score_min).then(|| Candidate {
            left: left.party.id.clone(),
            right: right.party.id.clone(),
            score,
            evidence,
        })
    }

    fn sharers(&self, key: u64) -> u32 {
        u32::try_from(self.blocks.with(key).len()).unwrap_or(u32::MAX).max(2)
    }

    fn identifier(&self, left: &Profile<'_>, right: &Profile<'_>) -> Option<Evidence> {
        let (one, folded) = left
            .identifiers
            .iter()
            .find(|(_, own)| right.identifiers.iter().any(|(_, other)| own == other))?;
        let (other, _) = right.identifiers.iter().find(|(_, other)| other == folded)?;
        let shared_by = self.sharers(key(KeyKind::Identifier, &[folded]));
        Some(said(EvidenceKind::Identifier, one, other, shared_by, IDENTIFIER))
    }

    fn owner(&self, left: &Profile<'_>, right: &Profile<'_>) -> Option<Evidence> {
        let value = left.owner.as_ref().filter(|value| right.owner.as_ref() == Some(value))?;
        let shared_by = self.sharers(key(KeyKind::Owner, &[value]));
        let (one, other) = (left.party.owner.as_deref()?, right.party.owner.as_deref()?);
        Some(said(EvidenceKind::Owner, one, other, shared_by, OWNER))
    }

    fn phone(&self, left: &Profile<'_>, right: &Profile<'_>) -> Option<Evidence> {
        let value = left.phone.as_ref().filter(|value| right.phone.as_ref() == Some(value))?;
        let shared_by = self.sharers(key(KeyKind::Phone, &[value]));
        let (one, other) = (left.party.phone.as_deref()?, right.party.phone.as_deref()?);
        Some(said(EvidenceKind::Phone, one, other, shared_by, PHONE))
    }

    fn address(&self, left: &Profile<'_>, right: &Profile<'_>) -> Option<Evidence> {
        let (one, other) = (left.address_key?, right.address_key?);
        let text = |party: &Party| party.address.clone().unwrap_or_default();
        let most = if one == other {
            ADDRESS
        } else if alike(&left.address, &right.address) {
            ADDRESS_ALIKE
        } else {
            return None;
        };
        let shared_by = self.sharers(one).max(self.sharers(other));
        Some(said(EvidenceKind::Address, &text(left.party), &text(right.party), shared_by, most))
    }

    fn name(&self, left: &Profile<'_>, right: &Profile<'_>) -> Option<Evidence> {
        let pairs = left.names.iter().flat_map(|one| right.names.iter().map(move |other| (one, other)));
        let (mut best, mut weight) = (None, 0.0);
        for (one, other) in pairs {
            let (own, others): (Vec<&Word>, Vec<&Word>) =
                (self.vocabulary.of(&one.1).collect(), self.vocabulary.of(&other.1).collect());
            let likeness = self.vocabulary.likeness(&own, &others);
            if likeness.share < NAME_SHARE_MIN {
                continue;
            }
            // What many could share by chance says little, however alike it is.
            let telling = (likeness.bits / self.vocabulary.bits_of_one()).min(1.0);
            let own = NAME * likeness.share.powi(3) * telling * telling;
            if own > weight {
                (best, weight) = (Some((one, other)), own);
            }
        }
        let (one, other) = best?;
        let both = self
            .vocabulary
            .of(&one.1)
            .filter(|word| self.vocabulary.of(&other.1).any(|own| own.text == word.text));
        let shared_by = both.map(|word| word.names).min().unwrap_or(2).max(2);
        let weight = permille(weight, 999);
        (weight > 0).then(|| Evidence {
            kind: EvidenceKind::Name,
            left: one.0.to_owned(),
            right: other.0.to_owned(),
            shared_by,
            weight,
        })
    }
}

fn profile<'a>(
    lexicon: &Lexicon,
    vocabulary: &mut Vocabulary,
    party: &'a Party,
    limits: &Limits,
) -> Profile<'a> {
    let named = std::iter::once(&party.name).chain(&party.aliases).take(NAMES_MAX);
    let vehicle = party.kind == PartyKind::Vehicle;
    let names = vocabulary.learn_all(lexicon, named.filter(|_| !vehicle));
    // What names a vehicle is its registration mark: an identifier, spaces and strokes apart.
    let marks = std::iter::once(&party.name).filter(|_| vehicle);
    let identifiers = marks.chain(&party.identifiers).take(IDENTIFIERS_MAX);
    let address = party.address.as_deref().map(|own| lexicon.address_words(own)).unwrap_or_default();
    Profile {
        names,
        address_key: (address.len() >= 2).then(|| key(KeyKind::Address, &refs(&address))),
        address,
        phone: party.phone.as_deref().and_then(digits_of_phone),
        owner: party.owner.as_deref().filter(|_| limits.owners).and_then(folded_identifier),
        identifiers: identifiers
            .filter_map(|own| folded_identifier(own).map(|folded| (own.as_str(), folded)))
            .collect(),
        keys: Vec::new(),
        party,
    }
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Everything by which a party meets others.
fn keys(own: &Profile<'_>, vocabulary: &Vocabulary, limits: &Limits) -> Vec<u64> {
    let mut keys: Vec<u64> = own.address_key.into_iter().collect();
    keys.extend(own.identifiers.iter().map(|(_, folded)| key(KeyKind::Identifier, &[folded])));
    keys.extend(own.phone.iter().map(|digits| key(KeyKind::Phone, &[digits])));
    keys.extend(own.owner.iter().map(|id| key(KeyKind::Owner, &[id])));
    let (numbers, letters): (Vec<&str>, Vec<&str>) =
        refs(&own.address).into_iter().partition(|word| word.bytes().all(|sign| sign.is_ascii_digit()));
    let longest = letters.into_iter().max_by_key(|word| word.len());
    if let (false, Some(longest)) = (numbers.is_empty(), longest) {
        keys.push(key(KeyKind::Address, &[&numbers.join(" "), longest, "near"]));
    }
    let most = u32::try_from(limits.block_parties).unwrap_or(u32::MAX);
    for (_, words) in &own.names {
        let mut rare: Vec<&Word> = vocabulary.of(words).filter(|word| word.names <= most).collect();
        rare.sort_by(|one, other| {
            vocabulary.bits(other).total_cmp(&vocabulary.bits(one)).then_with(|| one.text.cmp(&other.text))
        });
        keys.extend(rare.iter().map(|word| key(KeyKind::Word, &[&word.text])));
        // Near spellings of the two words that tell most; more would cost more than they find.
        keys.extend(rare.iter().take(2).flat_map(|word| spellings(&word.text, &word.bones)));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// An agreement, weighed by how many share it: halved for four, a quarter for sixteen.
fn said(kind: EvidenceKind, left: &str, right: &str, shared_by: u32, most: f64) -> Evidence {
    let weight = permille(most / f64::from(shared_by.max(2)).log2(), 999);
    Evidence { kind, left: left.to_owned(), right: right.to_owned(), shared_by, weight }
}

/// Addresses with the same numbers that share most of their words.
fn alike(one: &[String], other: &[String]) -> bool {
    let numbers = |words: &[String]| -> Vec<String> {
        words.iter().filter(|word| word.bytes().all(|sign| sign.is_ascii_digit())).cloned().collect()
    };
    if numbers(one).is_empty() || numbers(one) != numbers(other) {
        return false;
    }
    let near = |word: &String| {
        other.iter().any(|own| own == word || (word.len() >= 5 && strsim::osa_distance(own, word) == 1))
    };
    let shared = one.iter().filter(|word| near(word)).count();
    shared.saturating_mul(5) >= one.len().max(other.len()).saturating_mul(4)
}

/// One was closed about when the other was entered.
fn succession(left: &Party, right: &Party) -> Option<Evidence> {
    let follows = |before: &Party, after: &Party| {
        let days = before.closed_on?.until(after.entered_on?).ok()?.get_days();
        // Who takes over is often entered while the other still ends.
        (after.closed_on.is_none_or(|closed| Some(closed) > before.closed_on)
            && i64::from(days).abs() <= SUCCESSION_DAYS)
            .then_some(())
    };
    follows(left, right).or_else(|| follows(right, left))?;
    let told = |party: &Party| {
        let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
        format!("{} – {}", day(party.entered_on), day(party.closed_on))
    };
    Some(Evidence {
        kind: EvidenceKind::Succession,
        left: told(left),
        right: told(right),
        shared_by: 2,
        weight: SUCCESSION,
    })
}
