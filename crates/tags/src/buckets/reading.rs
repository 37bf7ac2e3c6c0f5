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

    /// Forgets the answers before.
    fn clear(&mut self) {
        let (added, compared) = (self.layout.added(), self.layout.compared());
        for (window, any) in self.cells.any.iter_mut().enumerate() {
            let first = window * self.layout.conditions;
            each_bit(*any, |condition| {
                let cell = first + condition;
                self.cells.added[cell * added..(cell + 1) * added].fill(0);
                self.cells.greatest[cell * compared..(cell + 1) * compared].fill(i64::MIN);
            });
            *any = 0;
        }
    }

    /// Reads an entity's entries, or its day buckets where it has them.
    pub(super) fn read(&mut self, entity: &OfEntity<'_>, day: i32) {
        self.clear();
        self.day = day;
        match entity.busy {
            Some(busy) => self.cells.clone_from(&busy.cells),
            None => self.add_entries(entity.held, day),
        }
        self.widen();
        self.different.fill(0);
        for (own, counted) in self.different.iter_mut().zip(entity.different) {
            *own = *counted;
        }
    }

    fn add_entries(&mut self, held: Held<'_>, day: i32) {
        let layout = &self.layout;
        let cells = &mut self.cells;
        for entry in held.into_iter().flat_map(|run| run.chunks_exact(layout.stride())) {
            let class = class_of(layout, day, entry[0]);
            if class == NO_WINDOW {
                continue;
            }
            let class = place(u64::from(class));
            cells.any[class] |= entry[1];
            add_entry(layout, class, entry, &mut cells.added, &mut cells.greatest);
        }
    }

    /// Each window takes in the next shorter one.
    fn widen(&mut self) {
        let (added, compared) = (self.layout.added(), self.layout.compared());
        let conditions = self.layout.conditions;
        for window in 1..self.layout.windows.len() {
            let shorter = self.cells.any[window - 1];
            self.cells.any[window] |= shorter;
            let (before, own) = self.cells.added.split_at_mut(window * conditions * added);
            let before = &before[(window - 1) * conditions * added..];
            each_bit(shorter, |cell| {
                let range = cell * added..(cell + 1) * added;
                for (own, before) in own[range.clone()].iter_mut().zip(&before[range]) {
                    *own += before;
                }
            });
            let (before, own) = self.cells.greatest.split_at_mut(window * conditions * compared);
            let before = &before[(window - 1) * conditions * compared..];
            each_bit(shorter, |cell| {
                let range = cell * compared..(cell + 1) * compared;
                for (own, before) in own[range.clone()].iter_mut().zip(&before[range]) {
                    *own = (*own).max(*before);
                }
            });
        }
    }
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
    // Loops of a length that the compiler knows, for the usual numbers of amounts.
    match (layout.sums, layout.compared()) {
        (0, 0) => add_to_cells::<0, 0>(first, entry, added, greatest),
        (1, 0) => add_to_cells::<1, 0>(first, entry, added, greatest),
        (1, 1) => add_to_cells::<1, 1>(first, entry, added, greatest),
        (2, 0) => add_to_cells::<2, 0>(first, entry, added, greatest),
        (2, 1) => add_to_cells::<2, 1>(first, entry, added, greatest),
        (2, 2) => add_to_cells::<2, 2>(first, entry, added, greatest),
        (3, 2) => add_to_cells::<3, 2>(first, entry, added, greatest),
        (3, 3) => add_to_cells::<3, 3>(first, entry, added, greatest),
        (sums, compared) => each_bit(entry[1], |condition| {
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
        }),
    }
}

#[inline(always)]
fn add_to_cells<const SUMS: usize, const COMPARED: usize>(
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
