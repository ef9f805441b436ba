//! The latencies of a region's reachable workers, in order: how many are lower than one.

use super::score::WHOLE;

/// Latencies of one piece.
const PIECE: usize = 1_024;

/// A sorted multiset in pieces: finding, adding and taking out touch one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Population {
    pieces: Vec<Vec<u32>>,
    /// The greatest latency of each piece, so that a search looks into one piece only.
    last: Vec<u32>,
    /// How many latencies stand before each piece.
    before: Vec<u32>,
    len: u32,
}

impl Population {
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// The piece that a latency belongs to: the first that ends with it or a greater one.
    fn piece(&self, latency: u32) -> usize {
        self.last.partition_point(|last| *last < latency)
    }

    pub(super) fn insert(&mut self, latency: u32) {
        if self.pieces.is_empty() {
            self.pieces.push(Vec::new());
            self.last.push(latency);
            self.before.push(0);
        }
        let at = self.piece(latency).min(self.pieces.len() - 1);
        let piece = &mut self.pieces[at];
        piece.insert(piece.partition_point(|one| *one < latency), latency);
        self.len += 1;
        if piece.len() > PIECE {
            let upper = piece.split_off(PIECE / 2);
            self.pieces.insert(at + 1, upper);
            self.last.insert(at + 1, 0);
            self.before.insert(at + 1, 0);
        }
        self.count_from(at);
    }

    pub(super) fn remove(&mut self, latency: u32) {
        let at = self.piece(latency);
        let piece = &mut self.pieces[at];
        let place = piece.partition_point(|one| *one < latency);
        assert!(piece[place] == latency, "a latency that was added is there");
        piece.remove(place);
        self.len -= 1;
        if piece.is_empty() {
            self.pieces.remove(at);
            self.last.remove(at);
            self.before.remove(at);
        }
        self.count_from(at);
    }

    fn count_from(&mut self, at: usize) {
        let mut before = match at.checked_sub(1) {
            Some(last) => self.before[last] + self.pieces[last].len() as u32,
            None => 0,
        };
        let counts = self.last.iter_mut().zip(&mut self.before);
        for ((last, count), piece) in counts.zip(&self.pieces).skip(at) {
            *last = piece.last().copied().expect("no piece is empty");
            *count = before;
            before += piece.len() as u32;
        }
    }

    /// How many latencies are lower.
    fn lower(&self, latency: u32) -> u32 {
        let at = self.piece(latency);
        match self.pieces.get(at) {
            Some(piece) => self.before[at] + piece.partition_point(|one| *one < latency) as u32,
            None => self.len,
        }
    }

    /// How quick a latency is among these, in millionths.
    pub(super) fn quickness(&self, latency: u32) -> u32 {
        match u64::from(self.len).checked_sub(1) {
            None | Some(0) => WHOLE,
            Some(others) => {
                let slower = u64::from(WHOLE) * u64::from(self.lower(latency)) / others;
                WHOLE - (slower as u32).min(WHOLE)
            }
        }
    }

    /// The latency at a place of the order.
    pub(super) fn at(&self, place: u32) -> u32 {
        let piece = self.before.partition_point(|before| *before <= place) - 1;
        self.pieces[piece][(place - self.before[piece]) as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_counts_what_a_sorted_list_counts(
            steps in prop::collection::vec((any::<bool>(), 0u32..400), 0..4_000),
        ) {
            let (mut found, mut list) = (Population::default(), Vec::new());
            for (adds, latency) in steps {
                if adds || !list.contains(&latency) {
                    found.insert(latency);
                    list.push(latency);
                } else {
                    found.remove(latency);
                    let at = list.iter().position(|one| *one == latency);
                    list.remove(at.expect("it is there"));
                }
            }
            list.sort_unstable();
            prop_assert_eq!(found.len() as usize, list.len());
            for latency in 0..401 {
                let lower = list.iter().filter(|one| **one < latency).count();
                prop_assert_eq!(found.lower(latency) as usize, lower);
            }
            for (place, latency) in list.iter().enumerate() {
                prop_assert_eq!(found.at(place as u32), *latency);
            }
        }
    }
}
