//! The answers for one entity, as of one day.
//!
//! An entry is added to the shortest window that holds it; then each window takes in the next shorter one. Only cells of
//! conditions that some entry fulfils are touched, so an entity with three entries costs three entries.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: places are computed from the layout, and property tests compare all answers with a plain \
              recomputation"
)]

use super::entries::{day_of, place};
use super::layout::{HEAD, Layout, NO_WINDOW};
use super::peers::Feature;
use super::quotient::Quotient;
use super::shard::{Held, OfEntity};

/// Numbers by window, condition and amount.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// How many entries, then the sums.
    pub(super) added: Vec<i64>,
    pub(super) greatest: Vec<i64>,
    /// Of each window the conditions that some entry fulfils.
    pub(super) any: Vec<u64>,
}

impl Clone for Cells {
    fn clone(&self) -> Self {
        Self { added: self.added.clone(), greatest: self.greatest.clone(), any: self.any.clone() }
    }

    /// Without taking memory anew.
    fn clone_from(&mut self, other: &Self) {
        self.added.clone_from(&other.added);
        self.greatest.clone_from(&other.greatest);
        self.any.clone_from(&other.any);
    }
}

impl Cells {
    pub(super) fn new(layout: &Layout) -> Self {
        let cells = layout.windows.len() * layout.conditions;
        Self {
            added: vec![0; cells * layout.added()],
            greatest: vec![i64::MIN; cells * layout.compared()],
            any: vec![0; layout.windows.len()],
        }
    }
}

/// The answers for one entity. All numbers are exact. Windows and conditions are asked for by their numbers; of what the
/// table does not have there is nothing.
#[derive(Debug, Clone)]
pub struct Reading {
    layout: Layout,
    day: i32,
    cells: Cells,
    different: Vec<u32>,
}

/// Calls with the number of each bit.
#[inline(always)]
pub(super) fn each_bit(bits: u64, mut visit: impl FnMut(usize)) {
    let mut open = bits;
    while open != 0 {
        visit(place(u64::from(open.trailing_zeros())));
        open &= open - 1;
    }
}

impl Reading {
    pub(super) fn new(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
            day: 0,
            cells: Cells::new(layout),
            different: vec![0; layout.different.len()],
        }
    }

    /// Reads an entity's entries, or its day buckets where it has them.
    pub(super) fn read(&mut self, entity: &OfEntity<'_>, day: i32) {
        clear(&self.layout, &mut self.cells);
        self.day = day;
        match entity.busy {
            Some(busy) => self.cells.clone_from(&busy.cells),
            None => add_entries(&self.layout, entity.held, day, &mut self.cells),
        }
        widen(&self.layout, &mut self.cells);
        self.different.fill(0);
        for (own, counted) in self.different.iter_mut().zip(entity.different) {
            *own = *counted;
        }
    }
}

/// Calls a function made for the layout's numbers of amounts, where they are usual ones: the compiler knows then how long
/// its loops are. Otherwise calls one for any.
macro_rules! by_amounts {
    ($layout:expr, $usual:ident, $any:ident, $arguments:tt) => {
        match ($layout.sums, $layout.compared()) {
            (0, 0) => $usual::<0, 0> $arguments,
            (1, 0) => $usual::<1, 0> $arguments,
            (1, 1) => $usual::<1, 1> $arguments,
            (2, 0) => $usual::<2, 0> $arguments,
            (2, 1) => $usual::<2, 1> $arguments,
            (2, 2) => $usual::<2, 2> $arguments,
            (3, 2) => $usual::<3, 2> $arguments,
            (3, 3) => $usual::<3, 3> $arguments,
            _ => $any $arguments,
        }
    };
}

/// Adds an entry to the cells of a class (a window, or a day) and its conditions.
#[inline]
pub(super) fn add_entry(
    layout: &Layout,
    class: usize,
    entry: &[u64],
    added: &mut [i64],
    greatest: &mut [i64],
) {
    let first = class * layout.conditions;
    by_amounts!(layout, add_to_cells, add_to_any_cells, (layout, first, entry, added, greatest));
}

/// Adds an entity's entries, each to the shortest window that holds it.
fn add_entries(layout: &Layout, held: Held<'_>, day: i32, cells: &mut Cells) {
    by_amounts!(layout, add_usual, add_any, (layout, held, day, cells));
}

fn add_usual<const SUMS: usize, const COMPARED: usize>(
    layout: &Layout,
    held: Held<'_>,
    day: i32,
    cells: &mut Cells,
) {
    add_with(layout, held, day, cells, add_to_cells::<SUMS, COMPARED>);
}

fn add_any(layout: &Layout, held: Held<'_>, day: i32, cells: &mut Cells) {
    add_with(layout, held, day, cells, add_to_any_cells);
}

#[inline(always)]
fn add_with(
    layout: &Layout,
    held: Held<'_>,
    day: i32,
    cells: &mut Cells,
    add: impl Fn(&Layout, usize, &[u64], &mut [i64], &mut [i64]),
) {
    for entry in held.into_iter().flat_map(|run| run.chunks_exact(layout.stride())) {
        let class = class_of(layout, day, entry[0]);
        if class == NO_WINDOW {
            continue;
        }
        let class = place(u64::from(class));
        cells.any[class] |= entry[1];
        add(layout, class * layout.conditions, entry, &mut cells.added, &mut cells.greatest);
    }
}

/// Forgets the answers before.
fn clear(layout: &Layout, cells: &mut Cells) {
    by_amounts!(layout, clear_usual, clear_any, (layout, cells));
}

fn clear_usual<const SUMS: usize, const COMPARED: usize>(layout: &Layout, cells: &mut Cells) {
    for (window, any) in cells.any.iter_mut().enumerate() {
        each_bit(std::mem::take(any), |condition| {
            let cell = window * layout.conditions + condition;
            if let Some((count, sums)) = cells.added[cell * (SUMS + 1)..].split_first_mut() {
                *count = 0;
                sums.first_chunk_mut::<SUMS>().into_iter().for_each(|sums| *sums = [0; SUMS]);
            }
            let own = cells.greatest[cell * COMPARED..].first_chunk_mut::<COMPARED>();
            own.into_iter().for_each(|own| *own = [i64::MIN; COMPARED]);
        });
    }
}

fn clear_any(layout: &Layout, cells: &mut Cells) {
    let (added, compared) = (layout.added(), layout.compared());
    for (window, any) in cells.any.iter_mut().enumerate() {
        each_bit(std::mem::take(any), |condition| {
            let cell = window * layout.conditions + condition;
            cells.added[cell * added..(cell + 1) * added].fill(0);
            cells.greatest[cell * compared..(cell + 1) * compared].fill(i64::MIN);
        });
    }
}

/// Each window takes in the next shorter one.
fn widen(layout: &Layout, cells: &mut Cells) {
    by_amounts!(layout, widen_usual, widen_any, (layout, cells));
}

fn widen_usual<const SUMS: usize, const COMPARED: usize>(layout: &Layout, cells: &mut Cells) {
    widen_with(layout, cells, |(own_added, own_greatest), (added, greatest)| {
        if let (Some((own_count, own)), Some((count, sums))) =
            (own_added.split_first_mut(), added.split_first())
        {
            *own_count += count;
            if let (Some(own), Some(sums)) = (own.first_chunk_mut::<SUMS>(), sums.first_chunk::<SUMS>()) {
                own.iter_mut().zip(sums).for_each(|(own, sum)| *own += sum);
            }
        }
        let own = own_greatest.first_chunk_mut::<COMPARED>();
        if let (Some(own), Some(greatest)) = (own, greatest.first_chunk::<COMPARED>()) {
            own.iter_mut().zip(greatest).for_each(|(own, greatest)| *own = (*own).max(*greatest));
        }
    });
}

fn widen_any(layout: &Layout, cells: &mut Cells) {
    let (added_count, compared) = (layout.added(), layout.compared());
    widen_with(layout, cells, |(own_added, own_greatest), (added, greatest)| {
        own_added.iter_mut().zip(added).take(added_count).for_each(|(own, sum)| *own += sum);
        let greatest = own_greatest.iter_mut().zip(greatest).take(compared);
        greatest.for_each(|(own, greatest)| *own = (*own).max(*greatest));
    });
}

/// Calls with what begins with a cell of a window, and with the same cell of the next shorter one.
#[inline(always)]
fn widen_with(
    layout: &Layout,
    cells: &mut Cells,
    take_in: impl Fn((&mut [i64], &mut [i64]), (&[i64], &[i64])),
) {
    let (added, compared) = (layout.added(), layout.compared());
    for window in 1..layout.windows.len() {
        let shorter = cells.any[window - 1];
        cells.any[window] |= shorter;
        let first = window * layout.conditions;
        let before = first - layout.conditions;
        let (added_before, own_added) = cells.added.split_at_mut(first * added);
        let (greatest_before, own_greatest) = cells.greatest.split_at_mut(first * compared);
        each_bit(shorter, |condition| {
            let from = before + condition;
            take_in(
                (&mut own_added[condition * added..], &mut own_greatest[condition * compared..]),
                (&added_before[from * added..], &greatest_before[from * compared..]),
            );
        });
    }
}

fn add_to_any_cells(layout: &Layout, first: usize, entry: &[u64], added: &mut [i64], greatest: &mut [i64]) {
    let (sums, compared) = (layout.sums, layout.compared());
    each_bit(entry[1], |condition| {
        let cell = first + condition;
        let own = &mut added[cell * (sums + 1)..(cell + 1) * (sums + 1)];
        own[0] += 1;
        for (sum, amount) in own[1..].iter_mut().zip(&entry[HEAD..]) {
            *sum += amount.cast_signed();
        }
        let own = &mut greatest[cell * compared..(cell + 1) * compared];
        for (greatest, amount) in own.iter_mut().zip(&entry[HEAD + sums..]) {
            *greatest = (*greatest).max(amount.cast_signed());
        }
    });
}

#[inline(always)]
fn add_to_cells<const SUMS: usize, const COMPARED: usize>(
    _layout: &Layout,
    first: usize,
    entry: &[u64],
    added: &mut [i64],
    greatest: &mut [i64],
) {
    let Some((sums, rest)) = entry[HEAD..].split_first_chunk::<SUMS>() else { return };
    let Some(compared) = rest.first_chunk::<COMPARED>() else { return };
    each_bit(entry[1], |condition| {
        let cell = first + condition;
        let Some((count, own)) = added[cell * (SUMS + 1)..].split_first_mut() else { return };
        *count += 1;
        if let Some(own) = own.first_chunk_mut::<SUMS>() {
            for (sum, amount) in own.iter_mut().zip(sums) {
                *sum += amount.cast_signed();
            }
        }
        if let Some(own) = greatest[cell * COMPARED..].first_chunk_mut::<COMPARED>() {
            for (greatest, amount) in own.iter_mut().zip(compared) {
                *greatest = (*greatest).max(amount.cast_signed());
            }
        }
    });
}

/// The shortest window that holds an entry.
#[inline(always)]
pub(super) fn class_of(layout: &Layout, day: i32, head: u64) -> u8 {
    let age = i64::from(day) - i64::from(day_of(head));
    usize::try_from(age).ok().and_then(|age| layout.class_of_age.get(age).copied()).unwrap_or(NO_WINDOW)
}

impl Reading {
    /// The day that the answers are as of: windows end before it.
    #[must_use]
    #[inline]
    pub fn day(&self) -> i32 {
        self.day
    }

    /// No entry in any window.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.cells.any.last().is_none_or(|any| *any == 0)
    }

    /// The conditions that some entry of a window fulfils, one bit each.
    #[must_use]
    #[inline]
    pub fn conditions(&self, window: usize) -> u64 {
        self.cells.any.get(window).copied().unwrap_or_default()
    }

    /// How many entries.
    #[must_use]
    #[inline]
    pub fn count(&self, window: usize, condition: usize) -> i64 {
        self.added(window, condition).and_then(|cell| cell.first().copied()).unwrap_or_default()
    }

    /// The sum of an amount.
    #[must_use]
    #[inline]
    pub fn sum(&self, window: usize, condition: usize, amount: usize) -> i64 {
        self.added(window, condition)
            .and_then(|cell| cell.get(amount.saturating_add(1)).copied())
            .unwrap_or_default()
    }

    /// The greatest of an amount; none without entries, or where it is absent in all of them.
    #[must_use]
    #[inline]
    pub fn greatest(&self, window: usize, condition: usize, amount: usize) -> Option<i64> {
        if amount >= self.layout.greatest {
            return None;
        }
        self.compared(window, condition, amount).filter(|greatest| *greatest != i64::MIN)
    }

    /// How many entries, or a sum.
    #[must_use]
    pub fn value(&self, feature: &Feature) -> i64 {
        match feature.sum {
            Some(sum) => self.sum(feature.window, feature.condition, sum),
            None => self.count(feature.window, feature.condition),
        }
    }

    /// One number of entries or sum divided by another; none where that is 0.
    #[must_use]
    pub fn ratio(&self, part: &Feature, whole: &Feature) -> Option<Quotient> {
        Quotient::new(self.value(part), self.value(whole).into())
    }

    /// The day of the last entry of a window; none without entries, and where the table was not asked for last days. How
    /// many days ago that was changes each day, for entities too that nothing happens to: keep the day.
    #[must_use]
    #[inline]
    pub fn last_day(&self, window: usize, condition: usize) -> Option<i32> {
        i32::try_from(self.compared(window, condition, self.layout.greatest)?).ok()
    }

    /// The answer to a question for different codes, by its position.
    #[must_use]
    #[inline]
    pub fn different(&self, question: usize) -> u32 {
        self.different.get(question).copied().unwrap_or_default()
    }

    #[inline]
    fn cell(&self, window: usize, condition: usize) -> Option<usize> {
        (self.conditions(window).checked_shr(u32::try_from(condition).ok()?)? & 1 != 0)
            .then(|| window * self.layout.conditions + condition)
    }

    #[inline]
    pub(super) fn added(&self, window: usize, condition: usize) -> Option<&[i64]> {
        let (cell, added) = (self.cell(window, condition)?, self.layout.added());
        self.cells.added.get(cell * added..(cell + 1) * added)
    }

    #[inline]
    fn compared(&self, window: usize, condition: usize, amount: usize) -> Option<i64> {
        let (cell, compared) = (self.cell(window, condition)?, self.layout.compared());
        self.cells.greatest.get(cell * compared..(cell + 1) * compared)?.get(amount).copied()
    }
}
