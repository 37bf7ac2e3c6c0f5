//! Asking planned rules of a block of entries.

use std::ops::Range;

use super::axis::{Axis, Code};
use super::block::Block;

/// Entries sorted at once. More cost memory near the processor, fewer cost the work that a rule takes a block.
pub(crate) const ROWS_MAX: usize = 64 * 1024;
/// So few entries are sorted by comparing, and pieces are looked up by their codes.
const FEW_ROWS: usize = 256;
/// So few pieces pick their entries first, and only those are sorted and asked further.
const FEW_FILED: usize = 32;
/// Entries of a run asked at once.
pub const LANES: usize = 64;

/// One more condition of a rule, on entries of a run.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// In a range.
    Within(Within),
    /// In one of a few ranges, each from its first code to so many beyond it.
    Among { axis: u16, ranges: Box<[(Code, Code)]> },
    /// 1 for the codes for which it holds.
    Table { axis: u16, holds: std::sync::Arc<[u8]> },
    /// All tests of at least one of these hold.
    Either(Box<[Box<[Test]>]>),
    /// Not all of these hold.
    Not(Box<[Test]>),
}

/// The axis has a code from `low` to `low + width`: what most conditions come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Within {
    pub(crate) axis: u16,
    pub(crate) low: Code,
    pub(crate) width: Code,
}

/// A rule, or one of its alternatives, filed under a range of an axis.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) rule: u32,
    pub(crate) low: Code,
    pub(crate) high: Code,
    /// Where its ranges begin among those of the plan; its group says how many they are.
    pub(crate) within: u32,
    /// Its other tests among those of the plan, the rarest first.
    pub(crate) tests: Range<u32>,
}

/// Pieces with equally many ranges: they are asked by a loop of their own, in which the processor has nothing to guess.
#[derive(Debug)]
pub(crate) struct Group {
    /// At most [`WITHIN_MAX`].
    within: usize,
    /// By their first code.
    pieces: Vec<Piece>,
    /// Places of those over few codes, and of the others.
    narrow: Vec<u32>,
    wide: Vec<u32>,
}

/// A piece over so many more codes than one is narrow.
const NARROW_MAX: Code = 4;

impl Group {
    /// Pieces by their first code, so that runs which lie side by side are read one after the other.
    pub(crate) fn new(within: usize, pieces: Vec<Piece>) -> Self {
        let is_narrow = |piece: &Piece| piece.high.saturating_sub(piece.low) <= NARROW_MAX;
        let (narrow, wide): (Vec<_>, Vec<_>) =
            (0_u32..).zip(&pieces).partition(|(_, piece)| is_narrow(piece));
        let places = |those: Vec<(u32, &Piece)>| those.into_iter().map(|(at, _)| at).collect();
        let (narrow, wide) = (places(narrow), places(wide));
        Self { within, pieces, narrow, wide }
    }

    /// Pieces filed here.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    fn at(&self, place: &u32) -> Option<&Piece> {
        self.pieces.get(usize::try_from(*place).ok()?)
    }

    /// The narrow pieces over a code.
    fn over(&self, code: Code) -> impl Iterator<Item = &Piece> {
        let first = self.narrow.partition_point(|place| {
            self.at(place).is_some_and(|piece| piece.low < code.saturating_sub(NARROW_MAX))
        });
        let near = self.narrow.get(first..).unwrap_or_default().iter().filter_map(|place| self.at(place));
        near.take_while(move |piece| piece.low <= code).filter(move |piece| piece.high >= code)
    }
}

/// Ranges of a piece that its group's loop asks; more are tests like others.
pub(crate) const WITHIN_MAX: usize = 4;

/// What pieces ask.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) within: Vec<Within>,
    pub(crate) tests: Vec<Test>,
}

/// All that is filed under one axis.
#[derive(Debug)]
pub(crate) struct Section {
    /// None for rules that no range helps: they are asked of all entries.
    pub(crate) axis: Option<u16>,
    /// Axes that the tests look at.
    pub(crate) looks_at: Vec<u16>,
    pub(crate) groups: Vec<Group>,
}

/// Entries that fulfil a rule: up to 64 of a block.
#[derive(Debug, Clone, Copy)]
pub struct Matched<'a> {
    mask: u64,
    rows: &'a [u32; LANES],
    first: u32,
}

impl Matched<'_> {
    /// How many.
    #[must_use]
    #[inline]
    pub fn len(&self) -> u32 {
        self.mask.count_ones()
    }

    /// Never: what has no entry is not told.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.mask == 0
    }

    /// Writes the row of each in the block to the beginning of `out`, in no particular order; answers with how many.
    /// What stands behind them is overwritten too.
    #[inline]
    pub fn write_rows(&self, out: &mut [u32; LANES]) -> usize {
        let mut left = self.mask;
        // Some at a time, whether there are as many or not: how many there are, the processor cannot guess.
        for out in out.as_chunks_mut::<AT_ONCE>().0 {
            for place in out {
                // Where none is left, the last lane stands for it.
                let lane = usize::try_from((left | LAST_LANE).trailing_zeros()).unwrap_or_default();
                left &= left.wrapping_sub(1);
                #[expect(
                    clippy::indexing_slicing,
                    reason = "the remainder is below 64, and checks cost a fifth"
                )]
                {
                    *place = self.first.wrapping_add(self.rows[lane % LANES]);
                }
            }
            if left == 0 {
                break;
            }
        }
        usize::try_from(self.len()).unwrap_or_default()
    }

    /// Calls `visit` with the row of each in the block, in no particular order.
    #[inline]
    pub fn rows(&self, mut visit: impl FnMut(usize)) {
        let mut out = [0_u32; LANES];
        let count = self.write_rows(&mut out);
        for row in out.iter().take(count) {
            visit(usize::try_from(*row).unwrap_or(usize::MAX));
        }
    }
}

/// Rows that are written at once.
const AT_ONCE: usize = 8;
const LAST_LANE: u64 = 1 << (LANES - 1);

/// Takes what was found.
pub trait Sink {
    /// These entries fulfil the rule. No entry is told twice for one rule.
    fn matched(&mut self, rule: u32, entries: Matched<'_>);
}

/// Memory of one thread, used again for each block.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Of each axis the codes of the block's entries, `stride` apart.
    codes: Vec<Code>,
    /// Places that the codes of an axis take: behind the last entry there is room for a whole group of lanes.
    stride: usize,
    /// The same in the order of the axis at hand.
    sorted: Vec<Code>,
    /// Rows in the order of the axis at hand, and room for a group of lanes behind them.
    order: Vec<u32>,
    length: usize,
    /// Of few entries, or those that were picked: their codes of the axis at hand, in order.
    few: Vec<Code>,
    /// 1 for the codes of the axis at hand that a piece is filed under.
    wanted: Vec<u8>,
    starts: Vec<u32>,
    next: Vec<u32>,
    /// Of each axis the codes of the block's texts that are known.
    known: Vec<Vec<Code>>,
}

/// Codes of entries, those of each axis side by side.
#[derive(Debug, Clone, Copy)]
struct Codes<'a> {
    codes: &'a [Code],
    /// Places that an axis takes.
    stride: usize,
}

impl<'a> Codes<'a> {
    /// The codes of an axis from a place on.
    #[inline(always)]
    fn from(self, axis: u16, at: usize) -> Option<&'a [Code]> {
        // Axes and strides are bounded far below where this would wrap.
        self.codes.get(usize::from(axis).wrapping_mul(self.stride).wrapping_add(at)..)
    }

    /// The codes of an axis for so many entries from a place on.
    #[inline(always)]
    fn lanes(self, axis: u16, at: usize) -> Option<&'a [Code; LANES]> {
        self.from(axis, at)?.first_chunk()
    }
}

/// Asks the pieces of the sections of some rows of a block.
pub(crate) fn run(
    axes: &[Axis],
    sections: &[Section],
    asked: &Asked,
    block: &Block<'_>,
    rows: Range<usize>,
    scratch: &mut Scratch,
    sink: &mut impl Sink,
) {
    scratch.known.clear();
    scratch.known.resize_with(axes.len(), Vec::new);
    scratch.stride = rows.len().min(ROWS_MAX).saturating_add(LANES);
    let needed = axes.len().saturating_mul(scratch.stride);
    scratch.codes.resize(needed, 0);
    scratch.sorted.resize(needed, 0);
    let filed = sections.iter().flat_map(|section| &section.groups).map(|group| group.pieces.len());
    let few_filed = filed.fold(0, usize::saturating_add) <= FEW_FILED;
    let mut first = rows.start;
    while first < rows.end {
        let last = rows.end.min(first.saturating_add(ROWS_MAX));
        let length = last.saturating_sub(first);
        if few_filed && length > FEW_ROWS && sections.iter().all(|section| section.axis.is_some()) {
            for section in sections {
                scratch.pick(axes, section, block, first..last);
                ask_section(section, asked, scratch, u32::try_from(first).unwrap_or(u32::MAX), sink);
            }
            first = last;
            continue;
        }
        let places = scratch.codes.chunks_exact_mut(scratch.stride);
        for ((axis, codes), known) in axes.iter().zip(places).zip(&mut scratch.known) {
            if let Some(codes) = codes.get_mut(..length) {
                axis.code_rows(block, first..last, known, codes);
            }
        }
        for section in sections {
            scratch.sort(axes, section, length);
            ask_section(section, asked, scratch, u32::try_from(first).unwrap_or(u32::MAX), sink);
        }
        first = last;
    }
}

impl Scratch {
    /// Of the entries that lie in runs of the section, the same as [`Scratch::sort`] of all: of the others, only the
    /// section's own axis is looked at.
    fn pick(&mut self, axes: &[Axis], section: &Section, block: &Block<'_>, rows: Range<usize>) {
        let Some((own, axis)) = section.axis.and_then(|own| Some((own, axes.get(usize::from(own))?))) else {
            return;
        };
        let (length, stride) = (rows.len(), self.stride);
        let places = |axis: u16, length: usize| {
            let start = usize::from(axis).saturating_mul(stride);
            start..start.saturating_add(length)
        };
        let mut nothing = Vec::new();
        let known = self.known.get_mut(usize::from(own)).unwrap_or(&mut nothing);
        if let Some(codes) = self.codes.get_mut(places(own, length)) {
            axis.code_rows(block, rows.clone(), known, codes);
        }
        self.wanted.clear();
        self.wanted.resize(usize::from(axis.code_max()).saturating_add(1), 0);
        for piece in section.groups.iter().flat_map(Group::pieces) {
            let last = usize::from(piece.high.min(axis.code_max()));
            if let Some(wanted) = self.wanted.get_mut(usize::from(piece.low)..=last) {
                wanted.fill(1);
            }
        }
        self.order.resize(length.saturating_add(LANES), 0);
        let codes = self.codes.get(places(own, length)).unwrap_or_default();
        let mut picked = 0_usize;
        for (row, code) in (0_u32..).zip(codes) {
            // Written whether it is wanted or not: which are, the processor cannot guess.
            if let Some(place) = self.order.get_mut(picked) {
                *place = row;
            }
            let wanted = self.wanted.get(usize::from(*code)).copied().unwrap_or_default();
            picked = picked.wrapping_add(usize::from(wanted));
        }
        self.order.truncate(picked);
        let code = |row: &u32| usize::try_from(*row).ok().and_then(|row| codes.get(row).copied());
        self.order.sort_by_key(code);
        self.few.clear();
        self.few.extend(self.order.iter().filter_map(code));
        self.length = picked;
        for axis in &section.looks_at {
            let known = self.known.get_mut(usize::from(*axis)).unwrap_or(&mut nothing);
            if let (Some(asked), Some(sorted)) =
                (axes.get(usize::from(*axis)), self.sorted.get_mut(places(*axis, picked)))
            {
                asked.code_picked(block, rows.start, &self.order, known, sorted);
            }
        }
        self.order.resize(picked.saturating_add(LANES), 0);
    }

    /// Sorts the entries by the section's axis and brings the codes that its tests look at into that order.
    fn sort(&mut self, axes: &[Axis], section: &Section, length: usize) {
        self.order.clear();
        self.few.clear();
        self.length = length;
        let stride = self.stride;
        let codes_of = |axis: u16| {
            let start = usize::from(axis).saturating_mul(stride);
            start..start.saturating_add(length)
        };
        let Some(axis) = section.axis else {
            self.order.extend((0_u32..).take(length.saturating_add(LANES)));
            for axis in &section.looks_at {
                let place = codes_of(*axis);
                if let (Some(to), Some(from)) = (self.sorted.get_mut(place.clone()), self.codes.get(place)) {
                    to.copy_from_slice(from);
                }
            }
            return;
        };
        let code_max = axes.get(usize::from(axis)).map_or(0, Axis::code_max);
        let codes = self.codes.get(codes_of(axis)).unwrap_or_default();
        if length <= FEW_ROWS {
            let code = |row: &u32| usize::try_from(*row).ok().and_then(|row| codes.get(row).copied());
            self.order.extend((0_u32..).take(length));
            self.order.sort_by_key(code);
            self.few.extend(self.order.iter().filter_map(code));
            self.order.resize(length.saturating_add(LANES), 0);
        } else {
            self.count_sort(codes_of(axis), code_max);
        }
        for axis in &section.looks_at {
            let place = codes_of(*axis);
            let (Some(to), Some(from)) = (self.sorted.get_mut(place.clone()), self.codes.get(place)) else {
                continue;
            };
            for (to, row) in to.iter_mut().zip(&self.order) {
                *to = usize::try_from(*row).ok().and_then(|row| from.get(row).copied()).unwrap_or_default();
            }
        }
    }

    /// Puts the rows in the order of these codes.
    fn count_sort(&mut self, codes: Range<usize>, code_max: Code) {
        let length = codes.len();
        let codes = self.codes.get(codes).unwrap_or_default();
        self.starts.clear();
        self.starts.resize(usize::from(code_max).saturating_add(2), 0);
        for code in codes {
            if let Some(count) = self.starts.get_mut(usize::from(*code).saturating_add(1)) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0_u32;
        for start in &mut self.starts {
            sum = sum.saturating_add(*start);
            *start = sum;
        }
        self.next.clone_from(&self.starts);
        self.order.resize(length.saturating_add(LANES), 0);
        for (row, code) in (0_u32..).zip(codes) {
            if let Some(next) = self.next.get_mut(usize::from(*code))
                && let Some(place) = usize::try_from(*next).ok().and_then(|next| self.order.get_mut(next))
            {
                *place = row;
                *next = next.saturating_add(1);
            }
        }
    }

    /// The entries of a piece in the sorted order.
    fn run_of(&self, section: &Section, piece: &Piece) -> Range<usize> {
        if section.axis.is_none() {
            return 0..self.length;
        }
        if self.few.len() == self.length {
            let start = self.few.partition_point(|code| *code < piece.low);
            return start..self.few.partition_point(|code| *code <= piece.high);
        }
        let start = |code: usize| {
            self.starts.get(code).and_then(|start| usize::try_from(*start).ok()).unwrap_or(self.length)
        };
        start(usize::from(piece.low))..start(usize::from(piece.high).saturating_add(1))
    }
}

/// Asks the pieces of a section of its sorted entries. Code for wider vectors than every processor has was no faster.
fn ask_section(section: &Section, asked: &Asked, scratch: &Scratch, first: u32, sink: &mut impl Sink) {
    for group in &section.groups {
        match group.within {
            0 => ask_group::<0>(section, group, asked, scratch, first, sink),
            1 => ask_group::<1>(section, group, asked, scratch, first, sink),
            2 => ask_group::<2>(section, group, asked, scratch, first, sink),
            3 => ask_group::<3>(section, group, asked, scratch, first, sink),
            _ => ask_group::<WITHIN_MAX>(section, group, asked, scratch, first, sink),
        }
    }
}

#[inline(always)]
fn ask_group<const WITHIN: usize>(
    section: &Section,
    group: &Group,
    asked: &Asked,
    scratch: &Scratch,
    first: u32,
    sink: &mut impl Sink,
) {
    if scratch.few.is_empty() || scratch.few.len().saturating_mul(FEW_PIECES) > group.pieces.len() {
        for piece in &group.pieces {
            ask_piece::<WITHIN>(piece, scratch.run_of(section, piece), asked, scratch, first, sink);
        }
        return;
    }
    let mut start = 0_usize;
    for together in scratch.few.chunk_by(|a, b| a == b) {
        let run = start..start.saturating_add(together.len());
        start = run.end;
        for piece in together.first().into_iter().flat_map(|code| group.over(*code)) {
            ask_piece::<WITHIN>(piece, run.clone(), asked, scratch, first, sink);
        }
    }
    for piece in group.wide.iter().filter_map(|place| group.at(place)) {
        ask_piece::<WITHIN>(piece, scratch.run_of(section, piece), asked, scratch, first, sink);
    }
}

/// Looking up the pieces over an entry's code is worth it where there are so many more pieces than entries.
const FEW_PIECES: usize = 8;

#[inline(always)]
fn ask_piece<const WITHIN: usize>(
    piece: &Piece,
    run: Range<usize>,
    asked: &Asked,
    scratch: &Scratch,
    first: u32,
    sink: &mut impl Sink,
) {
    let place = |at: u32| usize::try_from(at).unwrap_or_default();
    let sorted = Codes { codes: &scratch.sorted, stride: scratch.stride };
    let within = asked.within.get(place(piece.within)..).and_then(|within| within.first_chunk::<WITHIN>());
    let Some(within) = within else { return };
    let tests = asked.tests.get(place(piece.tests.start)..place(piece.tests.end)).unwrap_or_default();
    let mut at = run.start;
    while at < run.end {
        let mut mask = low_bits(run.end.saturating_sub(at));
        if WITHIN > 0 {
            mask &= all_within(within, sorted, at);
        }
        if mask != 0 && !tests.is_empty() {
            mask = rest(tests, sorted, at, mask);
        }
        if mask != 0
            && let Some(rows) = scratch.order.get(at..).and_then(|rows| rows.first_chunk())
        {
            sink.matched(piece.rule, Matched { mask, rows, first });
        }
        at = at.saturating_add(LANES);
    }
}

/// The lanes in which all ranges hold.
#[inline(always)]
fn all_within<const WITHIN: usize>(within: &[Within; WITHIN], sorted: Codes<'_>, at: usize) -> u64 {
    let mut holds = [1_u8; LANES];
    for own in within {
        let Some(codes) = sorted.lanes(own.axis, at) else { return 0 };
        for (hold, code) in holds.iter_mut().zip(codes) {
            *hold &= u8::from(code.wrapping_sub(own.low) <= own.width);
        }
    }
    bits(&holds)
}

/// So few lanes are asked one by one.
const FEW: u32 = 12;

/// The lanes of a mask in which all other tests hold.
#[inline(always)]
fn rest(tests: &[Test], sorted: Codes<'_>, at: usize, mut mask: u64) -> u64 {
    for test in tests {
        mask &= if mask.count_ones() <= FEW {
            holds_in_few(test, sorted, at, mask)
        } else {
            holds_in(test, sorted, at, mask)
        };
        if mask == 0 {
            break;
        }
    }
    mask
}

/// The lanes of a mask of few in which a test holds.
fn holds_in_few(test: &Test, sorted: Codes<'_>, at: usize, mask: u64) -> u64 {
    let lanes = |axis: u16| sorted.lanes(axis, at);
    match test {
        Test::Within(own) => kept(lanes(own.axis), mask, |code| code.wrapping_sub(own.low) <= own.width),
        // All ranges are compared: where an entry stands, the processor cannot guess.
        Test::Among { axis, ranges } => kept(lanes(*axis), mask, |code| {
            ranges.iter().fold(false, |any, (low, width)| any | (code.wrapping_sub(*low) <= *width))
        }),
        Test::Table { axis, holds } => {
            kept(lanes(*axis), mask, |code| holds.get(usize::from(code)).is_some_and(|hold| *hold != 0))
        }
        Test::Either(_) | Test::Not(_) => holds_in(test, sorted, at, mask),
    }
}

/// The lanes of a mask whose code holds, asked one by one.
#[inline(always)]
fn kept(codes: Option<&[Code; LANES]>, mask: u64, holds: impl Fn(Code) -> bool) -> u64 {
    let Some(codes) = codes else { return 0 };
    let (mut left, mut kept) = (mask, 0_u64);
    while left != 0 {
        let lane = usize::try_from(left.trailing_zeros()).unwrap_or_default();
        let lowest = left & left.wrapping_neg();
        left ^= lowest;
        #[expect(clippy::indexing_slicing, reason = "the remainder is below 64, and checks cost a fifth")]
        {
            kept |= lowest & u64::from(holds(codes[lane % LANES])).wrapping_neg();
        }
    }
    kept
}

/// The lanes in which a test holds; those outside the mask may be right or wrong.
fn holds_in(test: &Test, sorted: Codes<'_>, at: usize, mask: u64) -> u64 {
    match test {
        Test::Within(own) => all_within(std::array::from_ref(own), sorted, at),
        Test::Among { axis, ranges } => {
            let Some(codes) = sorted.lanes(*axis, at) else { return 0 };
            let mut any = [0_u8; LANES];
            for (low, width) in ranges {
                for (hold, code) in any.iter_mut().zip(codes) {
                    *hold |= u8::from(code.wrapping_sub(*low) <= *width);
                }
            }
            bits(&any)
        }
        Test::Table { axis, holds } => {
            let Some(codes) = sorted.lanes(*axis, at) else { return 0 };
            let mut found = [0_u8; LANES];
            for (hold, code) in found.iter_mut().zip(codes) {
                *hold = holds.get(usize::from(*code)).copied().unwrap_or_default();
            }
            bits(&found)
        }
        Test::Either(branches) => {
            branches.iter().fold(0, |any, branch| any | rest(branch, sorted, at, mask & !any))
        }
        Test::Not(tests) => mask & !rest(tests, sorted, at, mask),
    }
}

/// One bit a lane.
#[inline(always)]
fn bits(holds: &[u8; LANES]) -> u64 {
    // The product of eight bytes that are 0 or 1 has them side by side in its highest byte.
    const SIDE_BY_SIDE: u64 = 0x0102_0408_1020_4080;
    let (words, _) = holds.as_chunks::<8>();
    let mut mask = 0_u64;
    for (at, word) in words.iter().enumerate() {
        mask |= (u64::from_le_bytes(*word).wrapping_mul(SIDE_BY_SIDE) >> 56) << (8 * at);
    }
    mask
}

#[inline(always)]
fn low_bits(count: usize) -> u64 {
    if count >= LANES { u64::MAX } else { (1_u64 << count).wrapping_sub(1) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Told(Vec<(u32, u64)>);

    impl Sink for Told {
        fn matched(&mut self, rule: u32, entries: Matched<'_>) {
            self.0.push((rule, entries.mask));
        }
    }

    fn within() -> impl Strategy<Value = Within> {
        (0_u16..2, 0_u16..6, 0_u16..6).prop_map(|(axis, low, width)| Within { axis, low, width })
    }

    fn test() -> impl Strategy<Value = Test> {
        let within = within().prop_map(Test::Within).boxed();
        let among = (0_u16..2, proptest::collection::vec((0_u16..6, 0_u16..3), 0..4))
            .prop_map(|(axis, ranges)| Test::Among { axis, ranges: ranges.into() })
            .boxed();
        let table = (0_u16..2, proptest::collection::vec(0_u8..2, 6))
            .prop_map(|(axis, holds)| Test::Table { axis, holds: holds.into() })
            .boxed();
        prop_oneof![within, among, table].prop_recursive(3, 12, 3, |inner| {
            let all = || proptest::collection::vec(inner.clone(), 0..3);
            prop_oneof![
                proptest::collection::vec(all(), 0..3).prop_map(|branches| {
                    Test::Either(branches.into_iter().map(Vec::into_boxed_slice).collect())
                }),
                all().prop_map(|tests| Test::Not(tests.into())),
            ]
        })
    }

    /// What a test says of one entry, without vectors.
    fn holds(test: &Test, codes: [Code; 2]) -> bool {
        let within = |axis: u16, low: Code, width: Code| codes[usize::from(axis)].wrapping_sub(low) <= width;
        match test {
            Test::Within(own) => within(own.axis, own.low, own.width),
            Test::Among { axis, ranges } => ranges.iter().any(|(low, width)| within(*axis, *low, *width)),
            Test::Table { axis, holds } => holds.get(usize::from(codes[usize::from(*axis)])) == Some(&1),
            Test::Either(branches) => {
                branches.iter().any(|branch| branch.iter().all(|test| holds(test, codes)))
            }
            Test::Not(tests) => !tests.iter().all(|test| holds(test, codes)),
        }
    }

    proptest! {
        #[test]
        fn entries_asked_together_are_judged_as_one_by_one(
            ranges in proptest::collection::vec(within(), 0..=WITHIN_MAX),
            tests in proptest::collection::vec(test(), 0..4),
            codes in proptest::collection::vec((0_u16..6, 0_u16..6), 1..200),
        ) {
            let stride = codes.len() + LANES;
            let mut scratch = Scratch { sorted: vec![0; 2 * stride], stride, ..Scratch::default() };
            for (at, (first, second)) in codes.iter().enumerate() {
                scratch.sorted[at] = *first;
                scratch.sorted[stride + at] = *second;
            }
            scratch.order = (0_u32..).take(codes.len() + LANES).collect();
            scratch.length = codes.len();
            let all: Vec<Test> = ranges.iter().copied().map(Test::Within).chain(tests.clone()).collect();
            let piece = Piece { rule: 7, low: 0, high: 0, within: 0, tests: 0..u32::try_from(tests.len()).unwrap() };
            let groups = vec![Group::new(ranges.len(), vec![piece])];
            let section = Section { axis: None, looks_at: vec![0, 1], groups };
            let asked = Asked { within: ranges, tests };
            let expected: Vec<(u32, u64)> = codes
                .chunks(LANES)
                .map(|chunk| {
                    let bit = |(at, (a, b)): (usize, &(Code, Code))| {
                        u64::from(all.iter().all(|test| holds(test, [*a, *b]))) << at
                    };
                    (7, chunk.iter().enumerate().map(bit).fold(0, |mask, bit| mask | bit))
                })
                .filter(|(_, mask)| *mask != 0)
                .collect();
            let mut told = Told::default();
            ask_section(&section, &asked, &scratch, 0, &mut told);
            prop_assert_eq!(&told.0, &expected);
        }
    }
}
