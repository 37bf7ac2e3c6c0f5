//! Numbers in order of size, equal ones each, in pieces small enough that putting one in moves few.
#![expect(
    clippy::indexing_slicing,
    reason = "numeric kernel: positions come from its own binary searches; a property test compares it with a sorted list"
)]

/// A piece is cut in two when it grows beyond this.
const PIECE_MAX: usize = 512;

/// Sorted numbers.
#[derive(Debug)]
pub(crate) struct Sorted<N> {
    /// Never an empty one.
    pieces: Vec<Vec<N>>,
    /// The last number of each piece.
    lasts: Vec<N>,
    len: usize,
}

impl<N> Default for Sorted<N> {
    fn default() -> Self {
        Self { pieces: Vec::new(), lasts: Vec::new(), len: 0 }
    }
}

impl<N: Copy + Ord + Into<i128>> Sorted<N> {
    /// Of these numbers.
    pub(crate) fn of(mut numbers: Vec<N>) -> Self {
        numbers.sort_unstable();
        let pieces: Vec<Vec<N>> = numbers.chunks(PIECE_MAX / 2).map(<[N]>::to_vec).collect();
        let lasts = pieces.iter().filter_map(|piece| piece.last().copied()).collect();
        Self { pieces, lasts, len: numbers.len() }
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts one in.
    pub(crate) fn insert(&mut self, number: N) {
        self.len += 1;
        let Some(last_piece) = self.pieces.len().checked_sub(1) else {
            self.pieces.push(vec![number]);
            self.lasts.push(number);
            return;
        };
        let at = self.lasts.partition_point(|last| *last < number).min(last_piece);
        let piece = &mut self.pieces[at];
        piece.insert(piece.partition_point(|own| *own < number), number);
        self.lasts[at] = piece[piece.len() - 1];
        if piece.len() > PIECE_MAX {
            let upper = piece.split_off(PIECE_MAX / 2);
            self.lasts[at] = piece[piece.len() - 1];
            self.lasts.insert(at + 1, upper[upper.len() - 1]);
            self.pieces.insert(at + 1, upper);
        }
    }

    /// Takes one out that is in.
    pub(crate) fn remove(&mut self, number: N) {
        let at = self.lasts.partition_point(|last| *last < number);
        let Some(piece) = self.pieces.get_mut(at) else { return };
        let place = piece.partition_point(|own| *own < number);
        if piece.get(place) != Some(&number) {
            return;
        }
        piece.remove(place);
        self.len -= 1;
        match piece.last() {
            Some(last) => self.lasts[at] = *last,
            None => {
                self.pieces.remove(at);
                self.lasts.remove(at);
            }
        }
    }

    /// The number at a place, from 0.
    pub(crate) fn nth(&self, mut place: usize) -> Option<N> {
        for piece in &self.pieces {
            match piece.get(place) {
                Some(number) => return Some(*number),
                None => place -= piece.len(),
            }
        }
        None
    }

    /// How many are smaller.
    pub(crate) fn smaller_than(&self, bound: i128) -> usize {
        let at = self.lasts.partition_point(|last| (*last).into() < bound);
        let earlier: usize = self.pieces[..at].iter().map(Vec::len).sum();
        earlier + self.pieces.get(at).map_or(0, |piece| piece.partition_point(|own| (*own).into() < bound))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_answers_as_a_sorted_list_does(
            start in proptest::collection::vec(-900..900_i64, 0..2_000),
            changes in proptest::collection::vec((any::<bool>(), -900..900_i64), 0..2_000),
        ) {
            let mut plain = start.clone();
            plain.sort_unstable();
            let mut sorted = Sorted::of(start);
            for (put_in, number) in changes {
                if put_in {
                    sorted.insert(number);
                    plain.insert(plain.partition_point(|own| *own < number), number);
                } else if let Ok(at) = plain.binary_search(&number) {
                    sorted.remove(number);
                    plain.remove(at);
                }
            }
            prop_assert_eq!(sorted.len(), plain.len());
            prop_assert!(sorted.pieces.iter().all(|piece| (1..=PIECE_MAX).contains(&piece.len())));
            for place in (0..=plain.len()).step_by(7) {
                prop_assert_eq!(sorted.nth(place), plain.get(place).copied());
            }
            for bound in (-1_000..1_000).step_by(31) {
                let smaller = plain.iter().filter(|own| i128::from(**own) < bound).count();
                prop_assert_eq!(sorted.smaller_than(bound), smaller);
            }
        }
    }
}
