//! Blocks: whoever shares a key meets, so that nobody is compared with everybody.

/// What a key is made of: keys of different kinds never meet.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyKind {
    Identifier,
    Owner,
    Phone,
    Address,
    Word,
    /// A word without one of its letters: near spellings share one.
    Spelling,
    /// Consonants alone.
    Bones,
}

/// A key as a number (FNV-1a, 64 bits). Two that are the same by chance cost a comparison, and change nothing else.
pub(super) fn key(kind: KeyKind, text: &[&str]) -> u64 {
    let start = match kind {
        KeyKind::Identifier => 1_u8,
        KeyKind::Owner => 2,
        KeyKind::Phone => 3,
        KeyKind::Address => 4,
        KeyKind::Word => 5,
        KeyKind::Spelling => 6,
        KeyKind::Bones => 7,
    };
    let bytes = text.iter().flat_map(|part| part.bytes().chain(std::iter::once(0)));
    std::iter::once(start).chain(bytes).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Keys of a word, of its spellings with one letter fewer, and of its consonants: words that differ by one letter more,
/// less, other or exchanged with its neighbour share one of them, and so do those that sound alike.
pub(super) fn spellings(word: &str, bones: &str) -> Vec<u64> {
    let mut keys = vec![key(KeyKind::Spelling, &[word])];
    // A number with another digit is another number.
    if word.len() < 4 || word.bytes().any(|sign| sign.is_ascii_digit()) {
        return keys;
    }
    if bones.len() >= 3 {
        keys.push(key(KeyKind::Bones, &[bones]));
    }
    let mut shorter = String::with_capacity(word.len());
    for (at, _) in word.char_indices() {
        shorter.clear();
        shorter.extend(word.char_indices().filter(|(other, _)| *other != at).map(|(_, sign)| sign));
        keys.push(key(KeyKind::Spelling, &[&shorter]));
    }
    keys
}

/// Who has which key.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    /// Key and party, in order.
    rows: Vec<(u64, u32)>,
}

impl Blocks {
    pub(super) fn of(mut rows: Vec<(u64, u32)>) -> Self {
        rows.sort_unstable();
        rows.dedup();
        Self { rows }
    }

    /// Everybody who has a key, in order.
    pub(super) fn with(&self, key: u64) -> &[(u64, u32)] {
        let from = self.rows.partition_point(|row| row.0 < key);
        let rest = self.rows.get(from..).unwrap_or_default();
        let until = rest.partition_point(|row| row.0 == key);
        rest.get(..until).unwrap_or_default()
    }

    /// Whoever has one of these keys, each once, in order. A key that more than `most` have leads to nobody.
    pub(super) fn met(&self, keys: impl IntoIterator<Item = u64>, most: usize) -> Vec<usize> {
        let blocks = keys.into_iter().map(|key| self.with(key)).filter(|block| block.len() <= most);
        let mut met: Vec<usize> =
            blocks.flatten().filter_map(|(_, party)| usize::try_from(*party).ok()).collect();
        met.sort_unstable();
        met.dedup();
        met
    }

    /// How many blocks hold more than so many.
    pub(super) fn larger_than(&self, most: usize) -> u64 {
        let runs = self.rows.chunk_by(|one, other| one.0 == other.0);
        u64::try_from(runs.filter(|run| run.len() > most).count()).unwrap_or(u64::MAX)
    }
}
