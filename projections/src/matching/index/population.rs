//! The latencies of a region's reachable workers, in order: how many are lower than one.

use super::score::WHOLE;
use super::sorted::Sorted;

/// Of more latencies than this, the low ones are counted in a table.
const FEW: u32 = 512;

/// The latencies below this, in milliseconds, have a place each in the table.
const SPAN: usize = 4_096;

/// Places that are added up together.
const BLOCK: usize = 16;

/// Latencies of reachable workers.
#[derive(Clone, Debug, Default)]
pub(super) struct Population {
    /// The low ones, once there are many.
    low: Option<Box<Table>>,
    rest: Sorted,
}

/// How often each low latency occurs.
#[derive(Clone, Debug)]
struct Table {
    counts: [u32; SPAN],
    /// How many stand before each block of places.
    before: [u32; SPAN / BLOCK],
    len: u32,
}

impl Table {
    fn insert(&mut self, latency: usize) {
        self.counts[latency] += 1;
        self.len += 1;
        let after = &mut self.before[latency / BLOCK + 1..];
        after.iter_mut().for_each(|before| *before += 1);
    }

    fn remove(&mut self, latency: usize) {
        assert!(
            self.counts[latency] > 0,
            "a latency that was added is there"
        );
        self.counts[latency] -= 1;
        self.len -= 1;
        let after = &mut self.before[latency / BLOCK + 1..];
        after.iter_mut().for_each(|before| *before -= 1);
    }

    fn lower(&self, latency: usize) -> u32 {
        let block = latency / BLOCK;
        let same = &self.counts[block * BLOCK..latency];
        self.before[block] + same.iter().sum::<u32>()
    }

    fn at(&self, place: u32) -> u32 {
        let block = self.before.partition_point(|before| *before <= place) - 1;
        let (mut latency, mut before) = (block * BLOCK, self.before[block]);
        while before + self.counts[latency] <= place {
            before += self.counts[latency];
            latency += 1;
        }
        latency as u32
    }
}

/// The place in the table, of a low latency.
const fn place(latency: u32) -> Option<usize> {
    let place = latency as usize;
    if place < SPAN { Some(place) } else { None }
}

impl Population {
    fn low_len(&self) -> u32 {
        self.low.as_ref().map_or(0, |table| table.len)
    }

    pub(super) fn len(&self) -> u32 {
        self.low_len() + self.rest.len()
    }

    pub(super) fn insert(&mut self, latency: u32) {
        match (&mut self.low, place(latency)) {
            (Some(table), Some(place)) => table.insert(place),
            _ => self.rest.insert(latency),
        }
        if self.low.is_none() && self.rest.len() > FEW {
            self.lay_out();
        }
    }

    /// Moves the low ones into a table.
    fn lay_out(&mut self) {
        let mut table = Box::new(Table {
            counts: [0; SPAN],
            before: [0; SPAN / BLOCK],
            len: 0,
        });
        for latency in std::mem::take(&mut self.rest).iter() {
            match place(latency) {
                Some(place) => table.insert(place),
                None => self.rest.insert(latency),
            }
        }
        self.low = Some(table);
    }

    pub(super) fn remove(&mut self, latency: u32) {
        match (&mut self.low, place(latency)) {
            (Some(table), Some(place)) => table.remove(place),
            _ => self.rest.remove(latency),
        }
    }

    /// How many latencies are lower.
    fn lower(&self, latency: u32) -> u32 {
        match (&self.low, place(latency)) {
            (Some(table), Some(place)) => table.lower(place),
            _ => self.low_len() + self.rest.lower(latency),
        }
    }

    /// How quick a latency is among these, in millionths.
    pub(super) fn quickness(&self, latency: u32) -> u32 {
        match u64::from(self.len()).checked_sub(1) {
            None | Some(0) => WHOLE,
            Some(others) => {
                let slower = u64::from(WHOLE) * u64::from(self.lower(latency)) / others;
                WHOLE - (slower as u32).min(WHOLE)
            }
        }
    }

    /// The latency at a place of the order.
    pub(super) fn at(&self, place: u32) -> u32 {
        match &self.low {
            Some(table) if place < table.len => table.at(place),
            _ => self.rest.at(place - self.low_len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sorted::tests::{counts_as, played};
    use super::*;

    proptest! {
        #[test]
        fn it_counts_what_a_sorted_list_counts(
            first in prop::collection::vec(0u32..5_000, 0..1_200),
            steps in prop::collection::vec(
                (any::<bool>(), prop_oneof![0u32..400, 4_000u32..4_200]),
                0..1_000,
            ),
        ) {
            let (mut found, mut was_many) = (Population::default(), false);
            let first = first.into_iter().map(|latency| (true, latency));
            let list = played(first.chain(steps), |adds, latency, len| {
                was_many |= len > FEW as usize;
                match adds {
                    true => found.insert(latency),
                    false => found.remove(latency),
                }
            });
            prop_assert_eq!(found.len() as usize, list.len());
            prop_assert_eq!(found.low.is_some(), was_many);
            let latencies = (0..401).chain(3_999..4_201);
            counts_as(&list, latencies, |latency| found.lower(latency), |place| found.at(place))?;
        }
    }
}
