//! The reachable workers of one top-level region by latency, and an upper bound of how quick each
//! counts that stays one while others come and go.

use std::collections::BTreeMap;

use purser_events::Label;

use super::super::top_level;
use super::population::Population;
use super::score::{UNKNOWN_LATENCY, WHOLE};

/// From so many workers on, the bounds are told apart by latency; fewer are looked at one by one.
const TOLD_APART_FROM: u32 = 512;

/// Classes of latency.
const CLASSES: u32 = 64;

/// How far a bound may be passed before it is drawn anew, in millionths.
const DRIFT: u32 = 10_000;

/// What is added to each bound wherever it is used: the drift that is let pass, and what may come
/// on top between two looks at it.
pub(super) const ALLOWANCE: u32 = 2 * DRIFT;

/// The reachable workers of one top-level region.
#[derive(Clone, Debug, Default)]
pub(super) struct Region {
    pub(super) population: Population,
    /// Per class of latency: the lowest, and how quick that counted when the bounds were drawn.
    bounds: Vec<(u32, u32)>,
    changes: u32,
    members: u32,
}

/// The top-level regions that workers claim; whoever claims none is in one of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions {
    numbers: BTreeMap<Box<str>, u32>,
    regions: Vec<Region>,
    free: Vec<u32>,
}

impl Regions {
    pub(super) fn of(&self, number: u32) -> &Region {
        &self.regions[number as usize]
    }

    pub(super) fn of_mut(&mut self, number: u32) -> &mut Region {
        &mut self.regions[number as usize]
    }

    /// A worker claims a region: answers the number of its top-level region.
    pub(super) fn enter(&mut self, claimed: Option<&Label>) -> u32 {
        let name = name(claimed);
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => {
                let number = self.free.pop().unwrap_or_else(|| {
                    self.regions.push(Region::default());
                    self.regions.len() as u32 - 1
                });
                self.numbers.insert(name.into(), number);
                number
            }
        };
        self.regions[number as usize].members += 1;
        number
    }

    /// A worker claims it no longer; a region that nobody claims is forgotten.
    pub(super) fn leave(&mut self, claimed: Option<&Label>) {
        let name = name(claimed);
        let number = *self.numbers.get(name).expect("whoever leaves was in");
        let region = &mut self.regions[number as usize];
        region.members -= 1;
        if region.members == 0 {
            *region = Region::default();
            self.numbers.remove(name);
            self.free.push(number);
        }
    }
}

fn name(claimed: Option<&Label>) -> &str {
    claimed.map_or("", |region| top_level(region.as_str()))
}

impl Region {
    /// An upper bound, but for the allowance, of how quick a worker counts.
    pub(super) fn bound(&self, latency: Option<u32>) -> u32 {
        let Some(latency) = latency else {
            return UNKNOWN_LATENCY;
        };
        let class = self
            .bounds
            .partition_point(|(lowest, _)| *lowest <= latency);
        let class = class
            .checked_sub(1)
            .and_then(|class| self.bounds.get(class));
        class.map_or(WHOLE, |(_, quick)| *quick)
    }

    /// How quick a worker counts now.
    pub(super) fn quickness(&self, latency: Option<u32>) -> u32 {
        latency.map_or(UNKNOWN_LATENCY, |latency| {
            self.population.quickness(latency)
        })
    }

    /// Notes a change of the population; answers whether the bounds were drawn anew, so that all
    /// its workers stand in wrong places.
    pub(super) fn changed(&mut self) -> bool {
        self.changes += 1;
        let len = self.population.len();
        // Each change moves a share by at most two parts in the population.
        if self.changes <= len / 256 {
            return false;
        }
        self.changes = 0;
        if len < TOLD_APART_FROM {
            let had = !self.bounds.is_empty();
            self.bounds.clear();
            return had;
        }
        let holds = |(lowest, quick): &(u32, u32)| {
            self.population.quickness(*lowest).abs_diff(*quick) <= DRIFT
        };
        if !self.bounds.is_empty() && self.bounds.iter().all(holds) {
            return false;
        }
        self.draw();
        true
    }

    fn draw(&mut self) {
        let len = self.population.len();
        let lowest = (0..CLASSES).map(|class| match class {
            0 => 0,
            class => self.population.at(class * (len / CLASSES)),
        });
        let mut lowest: Vec<u32> = lowest.collect();
        lowest.dedup();
        let bounds = lowest.iter();
        let bounds = bounds.map(|one| (*one, self.population.quickness(*one)));
        self.bounds = bounds.collect();
    }
}
