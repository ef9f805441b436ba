//! Questions that are asked again and again. Who fits them is kept, and the next time only those
//! workers are looked at that changed since: the answer is the same.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use hashbrown::{DefaultHashBuilder, HashMap};
use purser_events::matching::Ask;

use super::MatchIndex;
use super::bits::Bits;
use super::conditions::{Conditions, Tally};

/// So many questions are kept. Each takes a bit per worker and condition: with six conditions and
/// 100,000 workers 75 kB.
const KEPT_MAX: usize = 32;

/// A question makes room for another after so many that were asked since.
const IDLE: u64 = 4_096;

/// So many questions are told apart that were asked once.
const SIGHTINGS: usize = 256;

/// The questions of an index.
#[derive(Debug)]
pub(super) struct Asked {
    kept: RwLock<HashMap<Ask, Arc<Question>>>,
    hasher: DefaultHashBuilder,
    /// Half a question's hash, and half the number of changes when it was asked.
    sightings: [AtomicU64; SIGHTINGS],
    clock: AtomicU64,
}

/// A question that is kept.
#[derive(Debug)]
pub(super) struct Question {
    last_asked: AtomicU64,
    sieved: RwLock<Sieved>,
}

/// Who fell through which sieve of a question, one sieve after another.
#[derive(Debug)]
pub(super) struct Sieved {
    /// How many changes are taken in.
    seen: u64,
    through: Vec<Bits>,
    tally: Tally,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            kept: RwLock::default(),
            hasher: DefaultHashBuilder::default(),
            sightings: [const { AtomicU64::new(0) }; SIGHTINGS],
            clock: AtomicU64::new(0),
        }
    }
}

/// What was asked is no part of what an index says: a copy begins without.
impl Clone for Asked {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Asked {
    /// Shows who fits a question that is kept or worth keeping: it is asked again before more than
    /// `changes_max` workers changed. `None` for others; it is quicker to look anew.
    pub(super) fn recall<T>(
        &self,
        index: &MatchIndex,
        ask: &Ask,
        changes_max: u64,
        then: impl FnOnce(&Sieved) -> T,
    ) -> Option<T> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        let known = self.kept.read().ok()?.get(ask).cloned();
        let question = match known {
            Some(question) => {
                let recurs = || self.recurs(index, ask, changes_max);
                let is_current = question.catch_up(index, ask, changes_max, recurs);
                is_current.then_some(question)?
            }
            None if self.recurs(index, ask, changes_max) => self.keep(index, ask, now)?,
            None => return None,
        };
        question.last_asked.store(now, Ordering::Relaxed);
        let sieved = question.sieved.read().ok()?;
        Some(then(&sieved))
    }

    /// Whether a question was asked before, and few workers changed since. Hashes that agree by
    /// chance keep a question too many.
    fn recurs(&self, index: &MatchIndex, ask: &Ask, changes_max: u64) -> bool {
        let hash = self.hasher.hash_one(ask);
        let (half, changes) = (u64::from(u32::MAX), index.changes.count());
        let sighting = (hash & !half) | (changes & half);
        let slot = &self.sightings[hash as usize % SIGHTINGS];
        let before = slot.swap(sighting, Ordering::Relaxed);
        let at = (changes & !half) | (before & half);
        before & !half == hash & !half && index.changes.since(at, changes_max).is_some()
    }

    /// Keeps a question, in the place of one that nobody asks any more.
    fn keep(&self, index: &MatchIndex, ask: &Ask, now: u64) -> Option<Arc<Question>> {
        let has_room = {
            let kept = self.kept.read().ok()?;
            let mut asked = kept
                .values()
                .map(|one| one.last_asked.load(Ordering::Relaxed));
            kept.len() < KEPT_MAX || asked.any(|last| is_idle(last, now))
        };
        if !has_room {
            return None;
        }
        let question = Arc::new(Question {
            last_asked: AtomicU64::new(now),
            sieved: RwLock::new(Sieved::new(index, &Conditions::new(index, ask))),
        });
        let mut kept = self.kept.write().ok()?;
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, one| !is_idle(one.last_asked.load(Ordering::Relaxed), now));
        }
        if kept.len() < KEPT_MAX {
            kept.insert(ask.clone(), Arc::clone(&question));
        }
        Some(question)
    }
}

const fn is_idle(last_asked: u64, now: u64) -> bool {
    now.saturating_sub(last_asked) > IDLE
}

impl Question {
    /// Takes in what changed; where too much did, everybody is sieved anew, if the question came
    /// back sooner than it does now. Answers whether it is up to date.
    fn catch_up(
        &self,
        index: &MatchIndex,
        ask: &Ask,
        changes_max: u64,
        recurs: impl FnOnce() -> bool,
    ) -> bool {
        let (changes, sieved) = (&index.changes, self.sieved.read());
        if sieved.is_ok_and(|sieved| sieved.seen == changes.count()) {
            return true;
        }
        let Ok(mut sieved) = self.sieved.write() else {
            return false;
        };
        match changes.since(sieved.seen, changes_max) {
            Some(changed) => sieved.follow(index, &Conditions::new(index, ask), changed),
            None if recurs() => *sieved = Sieved::new(index, &Conditions::new(index, ask)),
            None => return false,
        }
        true
    }
}

impl Sieved {
    fn new(index: &MatchIndex, conditions: &Conditions<'_>) -> Self {
        let mut through = Vec::new();
        let (_, tally) = conditions.sieve(|fit| through.push(fit.clone()));
        Self {
            seen: index.changes.count(),
            through,
            tally,
        }
    }

    fn follow(
        &mut self,
        index: &MatchIndex,
        conditions: &Conditions<'_>,
        changed: impl Iterator<Item = usize>,
    ) {
        let words = index.size();
        self.through.iter_mut().for_each(|set| set.grow(words));
        for worker in changed {
            let passed = conditions.passed(worker);
            let sieves = self.through.iter_mut().zip(self.tally.counts_mut());
            for (at, (set, count)) in sieves.enumerate() {
                let (was, is) = (set.has(worker), at < passed);
                if was != is {
                    set.put(worker, is);
                    *count = *count + u32::from(is) - u32::from(was);
                }
            }
        }
        self.seen = index.changes.count();
    }

    /// Who fits.
    pub(super) fn fit(&self) -> &Bits {
        self.through.last().expect("there is a sieve at least")
    }

    /// How many fell through each sieve.
    pub(super) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Who fell through all sieves but the last one, and how many through each of them.
    pub(super) fn but_the_last(&self) -> (&Bits, Tally) {
        let fit = &self.through[self.through.len() - 2];
        (fit, self.tally.but_the_last())
    }
}

#[cfg(test)]
mod tests {
    use purser_events::Micros;

    use super::*;
    use crate::Projections;

    fn ask(number: u64) -> Ask {
        Ask {
            max_price_micro: Some(number),
            top_k: 1,
            ..Ask::default()
        }
    }

    #[test]
    fn as_many_are_kept_as_there_is_room_for_and_the_idle_ones_go() {
        let index = MatchIndex::new(&Projections::default(), Micros(0));
        let asked = Asked::default();
        let recall = |number| asked.recall(&index, &ask(number), 256, |_| ()).is_some();
        let is_kept = |number| {
            asked
                .kept
                .read()
                .expect("no panic")
                .contains_key(&ask(number))
        };
        let kept_max = KEPT_MAX as u64;
        for number in 0..kept_max + 1 {
            assert!(!recall(number), "it is asked for the first time");
            assert_eq!(recall(number), number < kept_max, "{number}");
        }
        assert!(!is_kept(kept_max));
        for _ in 0..=IDLE {
            assert!(recall(7));
        }
        assert!(recall(kept_max), "the others made room");
        assert!(is_kept(kept_max) && is_kept(7) && !is_kept(8));
    }

    #[test]
    fn a_question_that_comes_back_after_many_changes_is_not_kept() {
        let mut index = MatchIndex::new(&Projections::default(), Micros(0));
        let asked = Asked::default();
        for _ in 0..3 {
            assert!(asked.recall(&index, &ask(1), 256, |_| ()).is_none());
            (0..300).for_each(|_| index.changes.note(0));
        }
    }
}
