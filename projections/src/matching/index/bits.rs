//! Sets of workers, one bit each: dense, and sparse by words.

/// A dense set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
}

/// The word that a worker's bit lies in, and the bit.
pub(super) const fn place(worker: usize) -> (usize, u64) {
    (worker / 64, 1 << (worker % 64))
}

/// The places of the bits of a word.
pub(super) fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(at)
    })
}

impl Bits {
    /// A set with room for `words` words of workers.
    pub(super) fn of_words(words: usize) -> Self {
        Self {
            words: vec![0; words],
        }
    }

    pub(super) fn grow(&mut self, words: usize) {
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// How many workers it holds.
    pub(super) fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Keeps only what is in the other set too.
    pub(super) fn keep(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Keeps only what is not in the other set.
    pub(super) fn drop(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    pub(super) fn put(&mut self, worker: usize, is_in: bool) {
        let (word, bit) = place(worker);
        let word = &mut self.words[word];
        *word = if is_in { *word | bit } else { *word & !bit };
    }

    pub(super) fn has(&self, worker: usize) -> bool {
        let (word, bit) = place(worker);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Every worker of the set, by number.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let words = self.words.iter().enumerate();
        words.flat_map(|(at, word)| ones(*word).map(move |bit| at * 64 + bit))
    }
}

/// A sparse set: the words that have a bit, in order. It takes 16 bytes for a lone worker and two
/// bits where most are in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Postings {
    words: Vec<(u32, u64)>,
}

impl Postings {
    fn find(&self, word: u32) -> Result<usize, usize> {
        match self.words.get(word as usize) {
            // Where no word is missing before it, a word stands in its own place.
            Some((here, _)) if *here == word => Ok(word as usize),
            _ => self.words.binary_search_by_key(&word, |(word, _)| *word),
        }
    }

    pub(super) fn insert(&mut self, worker: usize) {
        let (word, bit) = place(worker);
        let word = word as u32;
        match self.find(word) {
            Ok(at) => self.words[at].1 |= bit,
            Err(at) => self.words.insert(at, (word, bit)),
        }
    }

    pub(super) fn remove(&mut self, worker: usize) {
        let (word, bit) = place(worker);
        if let Ok(at) = self.find(word as u32) {
            self.words[at].1 &= !bit;
            if self.words[at].1 == 0 {
                self.words.remove(at);
            }
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn has(&self, worker: usize) -> bool {
        let (word, bit) = place(worker);
        let found = self.find(word as u32);
        found.is_ok_and(|at| self.words[at].1 & bit != 0)
    }

    /// Whether no word is missing before the last one: then each stands in its own place.
    fn is_whole(&self) -> bool {
        let last = self.words.last();
        last.is_some_and(|(last, _)| *last as usize + 1 == self.words.len())
    }

    /// Adds this set to a dense one.
    pub(super) fn add_to(&self, dense: &mut Bits) {
        if self.is_whole() {
            let words = dense.words.iter_mut().zip(&self.words);
            words.for_each(|(word, (_, bits))| *word |= bits);
            return;
        }
        for (word, bits) in &self.words {
            dense.words[*word as usize] |= bits;
        }
    }

    /// Keeps of a dense set only what is in this one too.
    pub(super) fn keep_in(&self, dense: &mut Bits) {
        let mut from = 0;
        if self.is_whole() {
            from = self.words.len();
            let words = dense.words.iter_mut().zip(&self.words);
            words.for_each(|(word, (_, bits))| *word &= bits);
        } else {
            for (word, bits) in &self.words {
                let at = *word as usize;
                dense.words[from..at].fill(0);
                dense.words[at] &= bits;
                from = at + 1;
            }
        }
        dense.words[from..].fill(0);
    }

    /// The words that have a bit.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, u64)> {
        self.words
            .iter()
            .map(|(word, bits)| (*word as usize, *bits))
    }
}
