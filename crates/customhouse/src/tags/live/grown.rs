//! A list that only grows, of which earlier states stay readable: what was full is shared, the last part is copied when
//! it changes.

use std::sync::Arc;

/// Entries of a part.
const PART: usize = 1 << 12;

/// The list.
#[derive(Debug, Clone)]
pub(super) struct Grown<T> {
    parts: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Grown<T> {
    fn default() -> Self {
        Self { parts: Vec::new() }
    }
}

impl<T: Clone> Grown<T> {
    pub(super) fn len(&self) -> usize {
        let full = self.parts.len().saturating_sub(1).saturating_mul(PART);
        self.parts.last().map_or(0, |last| full.saturating_add(last.len()))
    }

    pub(super) fn get(&self, at: u32) -> Option<&T> {
        let at = usize::try_from(at).ok()?;
        self.parts.get(at / PART)?.get(at % PART)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    pub(super) fn push(&mut self, entry: T) {
        match self.parts.last_mut() {
            Some(last) if last.len() < PART => Arc::make_mut(last).push(entry),
            _ => {
                let mut part = Vec::with_capacity(PART);
                part.push(entry);
                self.parts.push(Arc::new(part));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_state_stays_as_it_was() {
        let mut list = Grown::default();
        let sizes = [0, 1, PART - 1, PART, PART + 1, 3 * PART];
        let mut states = Vec::new();
        for number in 0..=3 * PART {
            if sizes.contains(&number) {
                states.push((number, list.clone()));
            }
            list.push(number);
        }
        for (length, state) in states {
            assert_eq!(state.len(), length);
            assert!(state.iter().copied().eq(0..length));
            assert_eq!(state.get(u32::try_from(length).unwrap()), None);
        }
    }
}
