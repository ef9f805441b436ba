//! Workers by a number of theirs, so that a limit is looked up and not compared one by one.

use super::bits::{Bits, ones};

/// How many classes a scale has at most.
pub(super) const CLASSES_MAX: usize = 64;

/// Workers by a number, in classes from small to great. For each class stands who is in it or
/// below: a limit splits one class, and only that one is compared number by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// The least number of each class, ascending; the first is 0.
    floors: Vec<u64>,
    up_to: Vec<Bits>,
    numbers: Vec<u64>,
}

impl Scale {
    /// A scale with these classes.
    pub(super) fn new(floors: Vec<u64>) -> Self {
        assert!(floors.first() == Some(&0) && floors.len() <= CLASSES_MAX);
        let up_to = vec![Bits::default(); floors.len()];
        Self {
            floors,
            up_to,
            numbers: Vec::new(),
        }
    }

    /// Four classes between one power of two and the next, from 256 on.
    pub(super) fn of_memory() -> Self {
        let mut floors = vec![0];
        for exponent in 8..21 {
            let quarter = 1u64 << (exponent - 2);
            floors.extend((0..4).map(|part| (1 << exponent) + part * quarter));
        }
        Self::new(floors)
    }

    pub(super) fn grow(&mut self, words: usize) {
        self.numbers.resize(words * 64, 0);
        self.up_to.iter_mut().for_each(|bits| bits.grow(words));
    }

    fn class(&self, number: u64) -> usize {
        self.floors.partition_point(|floor| *floor <= number) - 1
    }

    pub(super) fn insert(&mut self, worker: usize, number: u64) {
        self.numbers[worker] = number;
        let class = self.class(number);
        for bits in &mut self.up_to[class..] {
            bits.put(worker, true);
        }
    }

    pub(super) fn remove(&mut self, worker: usize) {
        let class = self.class(self.numbers[worker]);
        for bits in &mut self.up_to[class..] {
            bits.put(worker, false);
        }
    }

    /// What a limit comes down to.
    pub(super) fn limit(&self, number: u64) -> Limit<'_> {
        let class = self.class(number);
        Limit {
            number,
            below: class.checked_sub(1).map(|below| &self.up_to[below]),
            with: &self.up_to[class],
            is_floor: self.floors[class] == number,
            numbers: &self.numbers,
        }
    }
}

/// A number that others are compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit<'a> {
    number: u64,
    /// Who is in a lower class; nobody for the lowest.
    below: Option<&'a Bits>,
    /// Who is in a lower class or in that of the number.
    with: &'a Bits,
    is_floor: bool,
    numbers: &'a [u64],
}

impl Limit<'_> {
    fn below(&self, word: usize) -> u64 {
        self.below.map_or(0, |bits| bits.words()[word])
    }

    /// Of the workers `among` in a word, those of the number's class for which `is` holds.
    fn split(&self, word: usize, among: u64, is: impl Fn(u64) -> bool) -> u64 {
        let class = self.with.words()[word] & !self.below(word) & among;
        let kept = ones(class).filter(|bit| is(self.numbers[word * 64 + bit]));
        kept.fold(0, |kept, bit| kept | 1 << bit)
    }

    /// Whether a worker has at least the number.
    pub(super) fn at_least(&self, worker: usize) -> bool {
        self.numbers[worker] >= self.number
    }

    /// Whether a worker has at most the number.
    pub(super) fn at_most(&self, worker: usize) -> bool {
        self.numbers[worker] <= self.number
    }

    /// Of the workers `among` in a word, those with at least the number.
    fn least_of(&self, word: usize, among: u64) -> u64 {
        let split = self.split(word, among, |number| number >= self.number);
        (among & !self.with.words()[word]) | split
    }

    /// Of the workers `among` in a word, those with at most the number.
    fn most_of(&self, word: usize, among: u64) -> u64 {
        let split = self.split(word, among, |number| number <= self.number);
        (among & self.below(word)) | split
    }

    /// Keeps those with at least the number.
    pub(super) fn keep_at_least(&self, among: &mut Bits) {
        match (self.is_floor, self.below) {
            (true, None) => {}
            (true, Some(below)) => among.drop(below),
            (false, _) => {
                let words = among.words_mut().iter_mut().enumerate();
                words.for_each(|(at, word)| *word = self.least_of(at, *word));
            }
        }
    }

    /// Keeps those with at most the number.
    pub(super) fn keep_at_most(&self, among: &mut Bits) {
        let words = among.words_mut().iter_mut().enumerate();
        words.for_each(|(at, word)| *word = self.most_of(at, *word));
    }
}
