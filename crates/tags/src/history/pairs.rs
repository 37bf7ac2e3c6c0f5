//! Pairs of tag and entry as they are found, and the run that they make.

use std::ops::Range;

use rayon::prelude::*;

use super::run::RunWriter;
use super::{HistoryError, Lineage};
use crate::matcher::{LANES, Matched, Sink};
use crate::rising::{RISING_MIN, Rising};

/// Pairs held before they become a run: about half a gigabyte while they do.
pub const PAIRS_MAX: usize = 48 << 20;

/// Stands for no entity: entries that name nobody are kept as those of one more.
pub const NOBODY: u32 = u32::MAX;

/// Rows told at once, as bits of [`Pairs::told`].
const COUNT_BITS: u32 = LANES.trailing_zeros();

/// Pairs of tag and row, in the order in which a matcher finds them. Of several threads each has its own.
#[derive(Debug)]
pub struct Pairs {
    max: usize,
    whole: bool,
    /// A tag and how many rows less one, each from 1 to [`LANES`].
    told: Vec<u32>,
    rows: Vec<u32>,
    filled: usize,
    blocks: Vec<Begun>,
}

/// Where rows of another block begin.
#[derive(Debug, Clone, Copy)]
struct Begun {
    told: usize,
    filled: usize,
    /// What is added to its rows.
    shift: u32,
}

impl Pairs {
    /// Room for so many pairs; memory is taken as they come.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let (told, rows, blocks) = (Vec::new(), Vec::new(), Vec::new());
        Self { max, whole: true, told, rows, filled: 0, blocks }
    }

    /// What is told from now on are rows of a block: in the part they are `shift` further on (modulo 2^32).
    pub fn begin_block(&mut self, shift: u32) {
        self.blocks.push(Begun { told: self.told.len(), filled: self.filled, shift });
    }

    /// False if there were more pairs than room.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Takes back everything since the last block began.
    pub fn back_to_block(&mut self) {
        self.whole = true;
        if let Some(begun) = self.blocks.pop() {
            self.told.truncate(begun.told);
            self.filled = begun.filled;
        }
    }

    /// Pairs held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.filled
    }

    /// True without pairs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Forgets them; the memory is used again.
    pub fn clear(&mut self) {
        self.told.clear();
        self.blocks.clear();
        (self.filled, self.whole) = (0, true);
    }

    /// Rows of the block that carry a tag.
    pub fn push(&mut self, tag: u32, rows: impl IntoIterator<Item = u32>) {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            if !self.make_room() {
                return;
            }
            let room = self.rows.get_mut(self.filled..).unwrap_or_default();
            let count = room.iter_mut().take(LANES).zip(&mut rows).map(|(place, row)| *place = row).count();
            self.tell(tag, count);
        }
    }

    /// Room for one more group of rows; false where there is none.
    #[inline]
    fn make_room(&mut self) -> bool {
        if self.filled >= self.max {
            self.whole = false;
        } else if self.rows.len() < self.filled.saturating_add(LANES) {
            let grown = self.rows.len().saturating_add(self.rows.len() / 2).max(1 << 16);
            self.rows.resize(grown, 0);
        }
        self.whole
    }

    #[inline]
    fn tell(&mut self, tag: u32, count: usize) {
        let less_one = u32::try_from(count.wrapping_sub(1)).unwrap_or_default();
        self.told.push(tag.wrapping_shl(COUNT_BITS) | less_one);
        self.filled = self.filled.wrapping_add(count);
    }

    /// Calls `each` with tag, what is added to the rows, and rows.
    fn visit(&self, mut each: impl FnMut(usize, u32, &[u32])) {
        let mut rows = self.rows.as_slice();
        let ends = self.blocks.iter().skip(1).map(|block| block.told).chain([self.told.len()]);
        for (begun, end) in self.blocks.iter().zip(ends) {
            for told in self.told.get(begun.told..end).unwrap_or_default() {
                let tag = usize::try_from(told >> COUNT_BITS).unwrap_or(usize::MAX);
                let count = usize::try_from(told & (u32::MAX >> (32 - COUNT_BITS))).unwrap_or_default();
                let (own, rest) = rows.split_at_checked(count.wrapping_add(1)).unwrap_or_default();
                rows = rest;
                each(tag, begun.shift, own);
            }
        }
    }

    /// Writes the run of a part of the entries. `entity_of` has the entity of each row of the part, or [`NOBODY`];
    /// `numbers` the rising numbers of the tags; `first_entry` is the first row counted over all sources; the memory of
    /// `ranks` is used. Answers with its bytes and its pairs of tag and entity.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(
        all: &[&Self],
        numbers: &[u32],
        entity_of: &[u32],
        first_entry: u64,
        threads: usize,
        ranks: &mut Vec<u32>,
    ) -> Result<(Vec<u8>, u64), HistoryError> {
        let held = all.iter().map(|pairs| pairs.len()).fold(0, usize::saturating_add);
        if held.saturating_mul(FEW_PAIRS) <= entity_of.len() {
            return write_few(all, numbers, entity_of, first_entry);
        }
        let order = Order::of(entity_of);
        let starts = ranks_by_tag(all, numbers.len(), &order, ranks);
        let (mut shares_of_ranks, mut rest) = (Vec::new(), ranks.as_mut_slice());
        for share in shares(&starts, threads.max(1)) {
            let at = |tag: usize| starts.get(tag).copied().unwrap_or_default();
            let (own, behind) = rest.split_at_mut(at(share.end).saturating_sub(at(share.start)));
            shares_of_ranks.push((share, own));
            rest = behind;
        }
        let parts = shares_of_ranks
            .into_par_iter()
            .map(|(share, own)| sections(share, &starts, own, numbers, &order, first_entry))
            .collect::<Result<Vec<_>, HistoryError>>()?;
        let mut parts = parts.into_iter();
        let mut writer = parts.next().unwrap_or_else(|| RunWriter::new(Vec::new(), first_entry));
        for part in parts {
            writer.append(part)?;
        }
        let rows = u64::try_from(entity_of.len()).unwrap_or(u64::MAX);
        writer.finish(first_entry.saturating_add(rows))
    }
}

impl Sink for Pairs {
    #[inline]
    fn matched(&mut self, rule: u32, entries: Matched<'_>) {
        if self.make_room()
            && let Some(out) = self.rows.get_mut(self.filled..).and_then(|rows| rows.first_chunk_mut())
        {
            let count = entries.write_rows(out);
            self.tell(rule, count);
        }
    }
}

/// Where there are so many rows a pair, pairs are sorted rather than rows.
const FEW_PAIRS: usize = 8;

/// [`Pairs::write`] where most rows have no pair.
fn write_few(
    all: &[&Pairs],
    numbers: &[u32],
    entity_of: &[u32],
    first_entry: u64,
) -> Result<(Vec<u8>, u64), HistoryError> {
    let mut found: Vec<(usize, u32, u32)> = Vec::new();
    for pairs in all {
        pairs.visit(|tag, shift, rows| {
            let rows = rows.iter().map(|row| shift.wrapping_add(*row));
            let entity = |row: u32| usize::try_from(row).ok().and_then(|row| entity_of.get(row));
            found.extend(rows.filter_map(|row| Some((tag, *entity(row)?, row))));
        });
    }
    found.sort_unstable();
    let mut writer = RunWriter::new(Vec::new(), first_entry);
    for own in found.chunk_by(|a, b| a.0 == b.0) {
        let mut lineages = Lineages::new(&mut writer, first_entry);
        own.iter().for_each(|(_, entity, row)| lineages.push(*entity, *row));
        lineages.finish();
        if let Some(number) = own.first().and_then(|(tag, ..)| numbers.get(*tag)) {
            writer.end_tag(*number)?;
        }
    }
    let rows = u64::try_from(entity_of.len()).unwrap_or(u64::MAX);
    writer.finish(first_entry.saturating_add(rows))
}

/// Makes lineages of a tag's entities and rows, which come in order.
struct Lineages<'a> {
    out: &'a mut RunWriter<Vec<u8>>,
    first_entry: u64,
    open: Option<Lineage>,
}

impl<'a> Lineages<'a> {
    fn new(out: &'a mut RunWriter<Vec<u8>>, first_entry: u64) -> Self {
        Self { out, first_entry, open: None }
    }

    #[inline]
    fn push(&mut self, entity: u32, row: u32) {
        let entry = self.first_entry.wrapping_add(u64::from(row));
        match &mut self.open {
            Some(open) if open.entity == entity => {
                open.entries = open.entries.wrapping_add(1);
                open.last = entry;
            }
            _ => {
                let new = Lineage { entity, entries: 1, first: entry, last: entry };
                if let Some(done) = self.open.replace(new) {
                    self.out.push(done);
                }
            }
        }
    }

    fn finish(self) {
        if let Some(done) = self.open {
            self.out.push(done);
        }
    }
}

/// Rows by entity and, of one entity, in their order: what has a rank is sorted by sorting numbers.
struct Order {
    rank_of_row: Vec<u32>,
    /// Entity and row of each rank.
    ranked: Vec<(u32, u32)>,
}

impl Order {
    fn of(entity_of: &[u32]) -> Self {
        let mut ranked: Vec<(u32, u32)> = entity_of.iter().copied().zip(0_u32..).collect();
        ranked.sort_unstable();
        let mut rank_of_row = vec![0; ranked.len()];
        for (rank, (_, row)) in (0_u32..).zip(&ranked) {
            if let Some(own) = usize::try_from(*row).ok().and_then(|row| rank_of_row.get_mut(row)) {
                *own = rank;
            }
        }
        Self { rank_of_row, ranked }
    }
}

/// Makes `ranks` those of each tag's rows, tag behind tag; tells where those of each begin and, behind the last, where
/// they end.
fn ranks_by_tag(all: &[&Pairs], tags: usize, order: &Order, ranks: &mut Vec<u32>) -> Vec<usize> {
    let mut starts = vec![0_usize; tags.saturating_add(1)];
    for pairs in all {
        pairs.visit(|tag, _, rows| {
            if let Some(count) = starts.get_mut(tag.saturating_add(1)) {
                *count = count.wrapping_add(rows.len());
            }
        });
    }
    let mut sum = 0_usize;
    for start in &mut starts {
        sum = sum.saturating_add(*start);
        *start = sum;
    }
    // Each of them is written below, whatever it was.
    ranks.resize(sum, 0);
    let mut next = starts.clone();
    for pairs in all {
        pairs.visit(|tag, shift, rows| {
            let Some(next) = next.get_mut(tag) else { return };
            let own = ranks.get_mut(*next..).unwrap_or_default();
            for (place, row) in own.iter_mut().zip(rows) {
                let row = usize::try_from(shift.wrapping_add(*row)).unwrap_or(usize::MAX);
                *place = order.rank_of_row.get(row).copied().unwrap_or_default();
            }
            *next = next.wrapping_add(rows.len());
        });
    }
    starts
}

/// Ranges of tags with about equally many pairs.
fn shares(starts: &[usize], threads: usize) -> Vec<Range<usize>> {
    let tags = starts.len().saturating_sub(1);
    let all = starts.last().copied().unwrap_or_default();
    let mut shares = Vec::new();
    let mut begin = 0;
    for share in 1..=threads {
        let wanted = all.saturating_mul(share) / threads;
        let end =
            if share == threads { tags } else { starts.partition_point(|start| *start < wanted).min(tags) };
        if end > begin {
            shares.push(begin..end);
            begin = end;
        }
    }
    shares
}

/// Ranks looked up before anything depends on what is found: then the processor waits for many at once.
const LOOKED_UP: usize = 256;

/// Bytes of a run for each of its pairs of tag and entry, where several of an entity become one lineage.
const BYTES_FORESEEN: usize = 2;

/// The sections of some tags, whose ranks are `ranks`.
fn sections(
    tags: Range<usize>,
    starts: &[usize],
    mut ranks: &mut [u32],
    numbers: &[u32],
    order: &Order,
    first_entry: u64,
) -> Result<RunWriter<Vec<u8>>, HistoryError> {
    // Room for what most need: what grows is moved, and what is not filled takes no memory.
    let room = Vec::with_capacity(ranks.len().saturating_mul(BYTES_FORESEEN));
    let mut out = RunWriter::new(room, first_entry);
    let mut rising = Rising::default();
    rising.make_room(order.ranked.len());
    let mut looked_up = Vec::with_capacity(LOOKED_UP);
    for tag in tags {
        let at = |tag: usize| starts.get(tag).copied().unwrap_or_default();
        let count = at(tag.saturating_add(1)).saturating_sub(at(tag));
        let (own, rest) = std::mem::take(&mut ranks).split_at_mut(count);
        ranks = rest;
        if own.len() < RISING_MIN {
            own.sort_unstable();
        } else {
            // No row carries a tag twice, so all come out again.
            own.iter().for_each(|rank| rising.put(*rank));
            let mut places = own.iter_mut();
            rising.take(|rank| places.next().into_iter().for_each(|place| *place = rank));
        }
        let mut lineages = Lineages::new(&mut out, first_entry);
        for some in own.chunks(LOOKED_UP) {
            looked_up.clear();
            let ranked = |rank: &u32| usize::try_from(*rank).ok().and_then(|rank| order.ranked.get(rank));
            looked_up.extend(some.iter().map(|rank| ranked(rank).copied().unwrap_or_default()));
            looked_up.iter().for_each(|(entity, row)| lineages.push(*entity, *row));
        }
        lineages.finish();
        if let Some(number) = numbers.get(tag) {
            out.end_tag(*number)?;
        }
    }
    Ok(out)
}
