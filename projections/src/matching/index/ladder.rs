//! The workers that can be matched, by price and by what else their score is made of, so that the
//! best are looked at first and the rest not at all.

use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::score::{self, WHOLE};

/// Classes of price.
const COLUMNS: usize = 32;

/// Steps of the rest of the score, over a whole.
const LEVELS: usize = 512;

const WORDS: usize = LEVELS / 64;

/// Workers in small groups of nearly the same price and rest.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    groups: Vec<Vec<u32>>,
    filled: Vec<[u64; WORDS]>,
    places: Vec<Option<Place>>,
    floors: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    group: u16,
    index: u32,
}

/// The class of a price, the cheapest first.
fn column(price_micro: u64) -> usize {
    class(price_micro, COLUMNS)
}

/// The class of a price, of so many.
fn class(price_micro: u64, classes: usize) -> usize {
    let dear = (WHOLE - score::price(price_micro, None)) as usize;
    dear * classes / (WHOLE as usize + 1)
}

fn level(rest: u32) -> usize {
    rest.min(WHOLE) as usize * LEVELS / (WHOLE as usize + 1)
}

/// No worker at a level has a greater rest.
const fn ceiling(level: usize) -> u32 {
    ((level + 1) * (WHOLE as usize + 1)).div_ceil(LEVELS) as u32
}

/// The least price of each of so many classes.
pub(super) fn floors(classes: usize) -> Vec<u64> {
    let floor = |wanted: usize| {
        let (mut low, mut high) = (0u64, 1 << 50);
        while low < high {
            let middle = low + (high - low) / 2;
            if class(middle, classes) >= wanted {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    };
    (0..classes).map(floor).collect()
}

impl Ladder {
    pub(super) fn new() -> Self {
        Self {
            groups: vec![Vec::new(); COLUMNS * LEVELS],
            filled: vec![[0; WORDS]; COLUMNS],
            places: Vec::new(),
            floors: floors(COLUMNS),
        }
    }

    pub(super) fn grow(&mut self, workers: usize) {
        self.places.resize(workers, None);
    }

    pub(super) fn has(&self, worker: usize) -> bool {
        self.places[worker].is_some()
    }

    /// Puts a worker where it belongs; the rest is an upper bound.
    pub(super) fn put(&mut self, worker: usize, price_micro: u64, rest: u32) {
        let (column, level) = (column(price_micro), level(rest));
        let group = column * LEVELS + level;
        if self.places[worker].is_some_and(|place| usize::from(place.group) == group) {
            return;
        }
        self.take_out(worker);
        let members = &mut self.groups[group];
        self.places[worker] = Some(Place {
            group: group as u16,
            index: members.len() as u32,
        });
        members.push(worker as u32);
        self.filled[column][level / 64] |= 1 << (level % 64);
    }

    pub(super) fn take_out(&mut self, worker: usize) {
        let Some(place) = self.places[worker].take() else {
            return;
        };
        let group = usize::from(place.group);
        let members = &mut self.groups[group];
        members.swap_remove(place.index as usize);
        if let Some(moved) = members.get(place.index as usize) {
            self.places[*moved as usize] = Some(place);
        }
        if members.is_empty() {
            let (column, level) = (group / LEVELS, group % LEVELS);
            self.filled[column][level / 64] &= !(1 << (level % 64));
        }
    }

    /// The highest level of a column with workers, below `end`.
    fn below(&self, column: usize, end: usize) -> Option<usize> {
        let mut word = end / 64;
        let mut bits = match self.filled[column].get(word) {
            Some(bits) => bits & ((1u64 << (end % 64)) - 1),
            None => 0,
        };
        loop {
            if bits != 0 {
                return Some(word * 64 + 63 - bits.leading_zeros() as usize);
            }
            word = word.checked_sub(1)?;
            bits = self.filled[column][word];
        }
    }

    /// Shows the workers, group by group, the one with the greatest bound first, for as long as
    /// `visit` wants more: with what the price and the rest of the score add at most. `best_price`
    /// is the best that a price can add to a score, by the least price of its class; `None` leaves
    /// the class out.
    pub(super) fn walk(
        &self,
        best_price: impl Fn(u64) -> Option<u32>,
        mut visit: impl FnMut(u32, u32, &[u32]) -> bool,
    ) {
        let head = |column: usize| {
            let price = best_price(self.floors[column])?;
            let level = self.below(column, LEVELS)?;
            Some((price + ceiling(level), column, level))
        };
        // The highest group of each class of price; the one with the greatest bound on top.
        let mut heads: BinaryHeap<_> = (0..COLUMNS).filter_map(head).collect();
        while let Some(mut head) = heads.peek_mut() {
            let (bound, column, level) = *head;
            let rest = ceiling(level);
            if !visit(bound - rest, rest, &self.groups[column * LEVELS + level]) {
                return;
            }
            match self.below(column, level) {
                Some(next) => *head = (bound - rest + ceiling(next), column, next),
                None => drop(PeekMut::pop(head)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_price_go_up_with_the_price() {
        for classes in [COLUMNS, 64] {
            for (number, floor) in floors(classes).into_iter().enumerate() {
                assert_eq!(class(floor, classes), number);
                assert!(floor == 0 || class(floor - 1, classes) == number - 1);
            }
        }
        assert_eq!(column(u64::MAX), COLUMNS - 1);
    }

    #[test]
    fn no_level_holds_more_than_its_ceiling() {
        for rest in (0..=WHOLE).step_by(97).chain([WHOLE]) {
            assert!(rest <= ceiling(level(rest)), "{rest}");
            assert!(level(rest) < LEVELS);
        }
    }

    #[test]
    fn groups_are_shown_by_their_bounds_and_nobody_twice() {
        let mut ladder = Ladder::new();
        ladder.grow(1_000);
        for worker in 0..1_000usize {
            ladder.put(worker, worker as u64 * 7_919 % 3_000_000, 1);
            let rest = worker as u32 * 104_729 % WHOLE;
            ladder.put(worker, worker as u64 * 7_919 % 3_000_000, rest);
        }
        (0..1_000)
            .step_by(3)
            .for_each(|worker| ladder.take_out(worker));
        let (mut last, mut seen) = (u32::MAX, Vec::new());
        let price = |floor| Some(score::price(floor, None));
        ladder.walk(price, |price, rest, workers| {
            let bound = price + rest;
            assert!(bound <= last);
            last = bound;
            seen.extend_from_slice(workers);
            true
        });
        seen.sort_unstable();
        let left: Vec<u32> = (0..1_000).filter(|worker| worker % 3 != 0).collect();
        assert_eq!(seen, left);
    }
}
