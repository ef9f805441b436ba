//! A sorted multiset of numbers.

/// Numbers of one piece.
const PIECE: usize = 1_024;

/// A sorted multiset in pieces: finding, adding and taking out touch one piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorted {
    pieces: Vec<Vec<u32>>,
    /// The greatest number of each piece, so that a search looks into one piece only.
    last: Vec<u32>,
    /// How many numbers stand before each piece.
    before: Vec<u32>,
    len: u32,
}

impl Sorted {
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// The piece that a number belongs to: the first that ends with it or a greater one.
    fn piece(&self, number: u32) -> usize {
        self.last.partition_point(|last| *last < number)
    }

    pub(super) fn insert(&mut self, number: u32) {
        if self.pieces.is_empty() {
            self.pieces.push(Vec::new());
            self.last.push(number);
            self.before.push(0);
        }
        let at = self.piece(number).min(self.pieces.len() - 1);
        let piece = &mut self.pieces[at];
        piece.insert(piece.partition_point(|one| *one < number), number);
        self.len += 1;
        if piece.len() > PIECE {
            let upper = piece.split_off(PIECE / 2);
            self.pieces.insert(at + 1, upper);
            self.last.insert(at + 1, 0);
            self.before.insert(at + 1, 0);
        }
        self.count_from(at);
    }

    pub(super) fn remove(&mut self, number: u32) {
        let at = self.piece(number);
        let piece = &mut self.pieces[at];
        let place = piece.partition_point(|one| *one < number);
        assert!(piece[place] == number, "a number that was added is there");
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

    /// How many numbers are lower.
    pub(super) fn lower(&self, number: u32) -> u32 {
        let at = self.piece(number);
        match self.pieces.get(at) {
            Some(piece) => self.before[at] + piece.partition_point(|one| *one < number) as u32,
            None => self.len,
        }
    }

    /// Its numbers, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.pieces.iter().flatten().copied()
    }

    /// The number at a place of the order.
    pub(super) fn at(&self, place: u32) -> u32 {
        let piece = self.before.partition_point(|before| *before <= place) - 1;
        self.pieces[piece][(place - self.before[piece]) as usize]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Adds numbers, and takes out those that are in, as `change` does to what is tested; answers
    /// what is in then, in order. `change` is told how many are in after it.
    pub(in super::super) fn played(
        steps: impl IntoIterator<Item = (bool, u32)>,
        mut change: impl FnMut(bool, u32, usize),
    ) -> Vec<u32> {
        let mut list = Vec::new();
        for (adds, number) in steps {
            let at = list.iter().position(|one| *one == number);
            match at.filter(|_| !adds) {
                None => list.push(number),
                Some(at) => drop(list.remove(at)),
            }
            change(at.is_none() || adds, number, list.len());
        }
        list.sort_unstable();
        list
    }

    /// Holds what is tested against a sorted list.
    pub(in super::super) fn counts_as(
        list: &[u32],
        numbers: impl IntoIterator<Item = u32>,
        lower_of: impl Fn(u32) -> u32,
        number_at: impl Fn(u32) -> u32,
    ) -> Result<(), TestCaseError> {
        for number in numbers {
            let lower = list.iter().filter(|one| **one < number).count();
            prop_assert_eq!(lower_of(number) as usize, lower);
        }
        for (place, number) in list.iter().enumerate() {
            prop_assert_eq!(number_at(place as u32), *number);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn it_counts_what_a_sorted_list_counts(
            steps in prop::collection::vec((any::<bool>(), 0u32..400), 0..4_000),
        ) {
            let mut found = Sorted::default();
            let list = played(steps, |adds, number, _| match adds {
                true => found.insert(number),
                false => found.remove(number),
            });
            prop_assert_eq!(found.len() as usize, list.len());
            counts_as(&list, 0..401, |number| found.lower(number), |place| found.at(place))?;
        }
    }
}
