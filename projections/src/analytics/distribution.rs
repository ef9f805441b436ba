//! Samples of one measure, kept so that any rank among them is exact.
//!
//! Samples from 0 on stand in classes that grow with their size: 128 of them for each doubling.
//! A class holds the offsets of its samples in no order; asking for a rank counts classes and
//! sorts the one that holds it. Where a class has more samples than values, it counts its values
//! instead. So a sample takes four bytes or less (eight above 2^39), adding one is a push, and a
//! median looks at a hundredth of the samples.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Values below this have a class each.
const SMALL: u64 = 256;

/// Classes of one doubling, as a power of two.
const SPLIT: u32 = 7;

/// Classes wider than this never count their values.
const TALLY_MAX: u64 = 1 << 16;

/// Samples of one measure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    count: u64,
    sum: i128,
    below_zero: BTreeMap<i64, u64>,
    classes: Vec<(u16, Class)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Class {
    /// Offsets from the lowest value of the class.
    Offsets(Vec<u32>),
    /// The same, of a class that is wider than 2^32.
    Wide(Vec<u64>),
    /// How often each of its values was seen.
    Tally(Vec<u64>),
}

/// What samples add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many there are.
    pub count: u64,
    /// Their sum.
    pub sum: i128,
    /// The lowest; 0 where there is none.
    pub min: i64,
    /// The highest; 0 where there is none.
    pub max: i64,
    /// Twice the median: of an even count, the sum of the middle two; of none, 0.
    pub median_x2: i128,
}

/// The class of a value, and the lowest value and the width of that class.
const fn class_of(value: u64) -> (u16, u64, u64) {
    if value < SMALL {
        return (value as u16, value, 1);
    }
    let doubling = 63 - value.leading_zeros();
    let shift = doubling - SPLIT;
    let sub = (value >> shift) & ((1 << SPLIT) - 1);
    let class = SMALL + ((doubling as u64 - 8) << SPLIT) + sub;
    (class as u16, value >> shift << shift, 1 << shift)
}

/// The lowest value of a class.
const fn low_of(class: u16) -> u64 {
    let class = class as u64;
    if class < SMALL {
        return class;
    }
    let doubling = ((class - SMALL) >> SPLIT) + 8;
    let sub = (class - SMALL) & ((1 << SPLIT) - 1);
    ((1 << SPLIT) + sub) << (doubling - SPLIT as u64)
}

impl Class {
    const fn new(width: u64) -> Self {
        if width > 1 << 32 {
            Self::Wide(Vec::new())
        } else {
            Self::Offsets(Vec::new())
        }
    }

    fn add(&mut self, offset: u64, width: u64) {
        match self {
            Self::Wide(offsets) => push(offsets, offset),
            Self::Tally(counts) => counts[place(offset)] += 1,
            Self::Offsets(offsets) => {
                push(offsets, narrow(offset));
                if offsets.len() as u64 > width && width <= TALLY_MAX {
                    let mut counts = vec![0; place(width)];
                    for offset in offsets {
                        counts[*offset as usize] += 1;
                    }
                    *self = Self::Tally(counts);
                }
            }
        }
    }

    /// Takes one sample out; whether it was there.
    fn remove(&mut self, offset: u64) -> bool {
        match self {
            Self::Wide(offsets) => take_out(offsets, &offset),
            Self::Offsets(offsets) => take_out(offsets, &narrow(offset)),
            Self::Tally(counts) => {
                let count = &mut counts[place(offset)];
                let was_there = *count > 0;
                *count -= u64::from(was_there);
                was_there
            }
        }
    }

    fn len(&self) -> u64 {
        match self {
            Self::Offsets(offsets) => offsets.len() as u64,
            Self::Wide(offsets) => offsets.len() as u64,
            Self::Tally(counts) => counts.iter().sum(),
        }
    }

    /// Its samples, as values and how often each stands here; in no order.
    fn append_to(&self, low: u64, into: &mut Vec<(u64, u64)>) {
        match self {
            Self::Offsets(offsets) => {
                into.extend(offsets.iter().map(|offset| (low + u64::from(*offset), 1)));
            }
            Self::Wide(offsets) => into.extend(offsets.iter().map(|offset| (low + offset, 1))),
            Self::Tally(counts) => {
                let seen = (low..).zip(counts).filter(|(_, count)| **count > 0);
                into.extend(seen.map(|(value, count)| (value, *count)));
            }
        }
    }
}

fn narrow(offset: u64) -> u32 {
    u32::try_from(offset).expect("a class of offsets is at most 2^32 wide")
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("a class that counts its values is narrow")
}

/// Grows by an eighth: there are many of these vectors.
fn push<T>(samples: &mut Vec<T>, sample: T) {
    if samples.len() == samples.capacity() {
        samples.reserve_exact(samples.len() / 8 + 4);
    }
    samples.push(sample);
}

fn take_out<T: PartialEq>(samples: &mut Vec<T>, sample: &T) -> bool {
    let found = samples.iter().position(|one| one == sample);
    found.map(|at| samples.swap_remove(at)).is_some()
}

impl Distribution {
    /// Adds a sample.
    pub fn add(&mut self, sample: i64) {
        self.count += 1;
        self.sum += i128::from(sample);
        let Ok(value) = u64::try_from(sample) else {
            *self.below_zero.entry(sample).or_default() += 1;
            return;
        };
        let (class, low, width) = class_of(value);
        let at = match self
            .classes
            .binary_search_by_key(&class, |(class, _)| *class)
        {
            Ok(at) => at,
            Err(at) => {
                self.classes.insert(at, (class, Class::new(width)));
                at
            }
        };
        self.classes[at].1.add(value - low, width);
    }

    /// Takes a sample out that turned out to be none.
    ///
    /// # Panics
    /// When it was never added.
    pub fn remove(&mut self, sample: i64) {
        self.count -= 1;
        self.sum -= i128::from(sample);
        let Ok(value) = u64::try_from(sample) else {
            let count = self.below_zero.get_mut(&sample);
            let count = count.expect("only what was added is taken out");
            *count -= 1;
            if *count == 0 {
                self.below_zero.remove(&sample);
            }
            return;
        };
        let (class, low, _) = class_of(value);
        let found = self
            .classes
            .binary_search_by_key(&class, |(class, _)| *class);
        let at = found.expect("only what was added is taken out");
        let was_there = self.classes[at].1.remove(value - low);
        assert!(was_there, "only what was added is taken out");
        if self.classes[at].1.len() == 0 {
            self.classes.remove(at);
        }
    }

    /// How many samples there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }
}

/// What the samples of several distributions add up to, together.
#[must_use]
pub fn summary<'a>(of: impl Iterator<Item = &'a Distribution> + Clone) -> Summary {
    summary_with(of, FEW)
}

/// So many classes are sorted by comparison, more of them by counting.
const FEW: usize = 4_096;

fn summary_with<'a>(of: impl Iterator<Item = &'a Distribution> + Clone, few: usize) -> Summary {
    let count: u64 = of.clone().map(Distribution::count).sum();
    if count == 0 {
        return Summary::default();
    }
    let ranks = Ranks::of(of.clone(), few);
    let middle = count / 2;
    let lower = middle - u64::from(count.is_multiple_of(2));
    Summary {
        count,
        sum: of.map(|one| one.sum).sum(),
        min: ranks.lowest(),
        max: ranks.highest(),
        median_x2: ranks.sum_of(lower, middle),
    }
}

/// A class with its number.
type Numbered<'a> = (u16, &'a Class);

/// The classes of several distributions, in order.
struct Ranks<'a> {
    below_zero: BTreeMap<i64, u64>,
    classes: Vec<Numbered<'a>>,
}

impl<'a> Ranks<'a> {
    fn of(all: impl Iterator<Item = &'a Distribution> + Clone, few: usize) -> Self {
        let mut below_zero = BTreeMap::new();
        for (value, count) in all.clone().flat_map(|one| &one.below_zero) {
            *below_zero.entry(*value).or_default() += count;
        }
        let classes = all.flat_map(|one| &one.classes);
        let mut classes: Vec<_> = classes.map(|(number, class)| (*number, class)).collect();
        if classes.len() > few {
            classes = counted(&classes);
        } else {
            classes.sort_unstable_by_key(|(number, _)| *number);
        }
        Self {
            below_zero,
            classes,
        }
    }

    fn groups(&self) -> impl DoubleEndedIterator<Item = &[Numbered<'a>]> {
        self.classes.chunk_by(|one, other| one.0 == other.0)
    }

    fn lowest(&self) -> i64 {
        let below = self.below_zero.keys().next().copied();
        let above = || self.groups().next().map(|group| *ends_of(group).start());
        below.or_else(above).unwrap_or(0)
    }

    fn highest(&self) -> i64 {
        let above = self.groups().next_back();
        let above = above.map(|group| *ends_of(group).end());
        let below = || self.below_zero.keys().next_back().copied();
        above.or_else(below).unwrap_or(0)
    }

    /// The samples of two ranks, from 0, added up. The second is the first, or the next.
    fn sum_of(&self, lower: u64, upper: u64) -> i128 {
        let mut passed = 0;
        let mut sum = 0;
        let mut take = |values: &mut dyn Iterator<Item = (i64, u64)>| {
            for (value, count) in values {
                let here = passed..passed + count;
                let wanted = [lower, upper]
                    .into_iter()
                    .filter(|rank| here.contains(rank));
                sum += i128::from(value) * wanted.count() as i128;
                passed += count;
            }
        };
        take(
            &mut self
                .below_zero
                .iter()
                .map(|(value, count)| (*value, *count)),
        );
        let mut before: u64 = self.below_zero.values().sum();
        for group in self.groups() {
            let count: u64 = group.iter().map(|(_, class)| class.len()).sum();
            let here = before..before + count;
            if here.contains(&lower) || here.contains(&upper) {
                take(&mut sorted(group).into_iter());
            } else {
                take(&mut std::iter::once((0, count)));
            }
            before += count;
            if before > upper {
                break;
            }
        }
        sum
    }
}

/// Classes in order of their numbers: as many of them as there are of each number are counted
/// first, so that each finds its place at once.
fn counted<'a>(classes: &[Numbered<'a>]) -> Vec<Numbered<'a>> {
    let most = classes.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let mut places = vec![0; usize::from(most) + 2];
    for (number, _) in classes {
        places[usize::from(*number) + 1] += 1;
    }
    for at in 1..places.len() {
        places[at] += places[at - 1];
    }
    let mut ordered = classes.to_vec();
    for one in classes {
        let place: &mut usize = &mut places[usize::from(one.0)];
        ordered[*place] = *one;
        *place += 1;
    }
    ordered
}

/// The samples of classes of one number, in order, and how often each is there.
fn sorted(group: &[Numbered<'_>]) -> Vec<(i64, u64)> {
    let mut samples = Vec::new();
    for (number, class) in group {
        class.append_to(low_of(*number), &mut samples);
    }
    samples.sort_unstable();
    let signed = |value| i64::try_from(value).expect("samples are of 63 bits");
    let samples = samples.into_iter();
    samples
        .map(|(value, count)| (signed(value), count))
        .collect()
}

/// The lowest and the highest sample of classes of one number.
fn ends_of(group: &[Numbered<'_>]) -> RangeInclusive<i64> {
    let samples = sorted(group);
    let end = |sample: Option<&(i64, u64)>| sample.map_or(0, |(value, _)| *value);
    end(samples.first())..=end(samples.last())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_value_lies_in_its_class_and_classes_do_not_overlap() {
        let mut last = None;
        for class in 0..=7_295 {
            let low = low_of(class);
            let (found, start, width) = class_of(low);
            assert_eq!((found, start), (class, low));
            let (found, ..) = class_of(low + (width - 1));
            assert_eq!(found, class);
            if let Some(last) = last {
                assert_eq!(low, last, "no value lies between two classes");
            }
            last = Some(low + width);
        }
        assert_eq!(last, Some(1 << 63), "the last class ends with the samples");
    }

    fn sample() -> impl Strategy<Value = i64> {
        prop_oneof![
            -3_i64..300,
            0_i64..100_000,
            1_i64 << 30..1 << 34,
            any::<i64>()
        ]
    }

    proptest! {
        #[test]
        fn ranks_are_those_of_the_sorted_samples(
            samples in proptest::collection::vec(sample(), 0..400),
            copies in 1_usize..40,
            retracted in 0_usize..200,
            parts in 1_usize..4,
        ) {
            let mut all: Vec<i64> = samples.iter().flat_map(|one| vec![*one; copies]).collect();
            let mut distributions = vec![Distribution::default(); parts];
            for (number, sample) in all.iter().enumerate() {
                distributions[number % parts].add(*sample);
            }
            for (number, sample) in all.iter().enumerate().take(retracted) {
                distributions[number % parts].remove(*sample);
            }
            all.drain(..retracted.min(all.len()));
            all.sort_unstable();
            let told = summary(distributions.iter());
            let middle = all.len() / 2;
            let median_x2 = match all.len() {
                0 => 0,
                odd if odd % 2 == 1 => 2 * i128::from(all[middle]),
                _ => i128::from(all[middle - 1]) + i128::from(all[middle]),
            };
            prop_assert_eq!(summary_with(distributions.iter(), 0), told, "sorted by counting");
            prop_assert_eq!(told, Summary {
                count: all.len() as u64,
                sum: all.iter().map(|one| i128::from(*one)).sum(),
                min: all.first().copied().unwrap_or(0),
                max: all.last().copied().unwrap_or(0),
                median_x2,
            });
        }
    }
}
