//! The quick way to the best workers: along the ladder, one worker after the other, for as long as
//! few have to be looked at.

use purser_events::Label;
use purser_events::matching::{Ask, Candidate};

use super::MatchIndex;
use super::best::Best;
use super::bits::Postings;
use super::score::{self, WHOLE};

/// So many workers are looked at; with more, the sets of everybody are quicker.
const LOOKED_AT_MAX: usize = 4_096;

/// What a job asks for, as questions about one worker that can be matched at all.
struct Sought<'a> {
    index: &'a MatchIndex,
    ask: &'a Ask,
    /// Of each list one is needed.
    one_of: Vec<Vec<&'a Postings>>,
    /// Each is needed.
    all_of: Vec<&'a Postings>,
    /// One is needed; the more, the better.
    wanted: Vec<&'a Postings>,
    /// Of how many.
    of: usize,
}

impl<'a> Sought<'a> {
    /// `None` where nobody can fit: nobody carries a word that is needed.
    fn new(index: &'a MatchIndex, ask: &'a Ask) -> Option<Self> {
        let words = &index.words;
        let mut one_of = Vec::new();
        if let Some(task) = &ask.task {
            let named = Label::new(&format!("task:{task}")).ok();
            let both: Vec<Label> = named.into_iter().chain([task.clone()]).collect();
            one_of.push(words.capabilities.sets(&both).collect());
        }
        for (labels, asked) in [(&words.accel, &ask.accel), (&words.tags, &ask.tags_any)] {
            if !asked.is_empty() {
                one_of.push(labels.sets(asked).collect());
            }
        }
        if let Some(region) = &ask.region {
            one_of.push(words.regions.sets_within(region).collect());
        }
        let all_of: Vec<_> = words.capabilities.sets(&ask.capabilities_all).collect();
        let mut distinct: Vec<&Label> = ask.capabilities_any.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let wanted: Vec<_> = distinct
            .iter()
            .filter_map(|word| words.capabilities.get(word))
            .collect();
        let missing = one_of.iter().any(Vec::is_empty)
            || all_of.len() < ask.capabilities_all.len()
            || (wanted.is_empty() && !distinct.is_empty());
        (!missing).then_some(Self {
            index,
            ask,
            one_of,
            all_of,
            wanted,
            of: distinct.len(),
        })
    }

    /// The share of the wanted capabilities that a worker has, if it fits.
    fn share(&self, worker: usize) -> Option<u32> {
        let (index, ask) = (self.index, self.ask);
        let sets = &index.sets;
        let fits = index.vram.number(worker) >= ask.min_vram_mb.into()
            && index.ram.number(worker) >= ask.min_ram_mb.into()
            && ask
                .max_price_micro
                .is_none_or(|cap| index.rows[worker].price_micro <= cap)
            && self.all_of.iter().all(|set| set.has(worker))
            && self
                .one_of
                .iter()
                .all(|sets| sets.iter().any(|set| set.has(worker)))
            && (ask.region.is_none() || !sets.contradicted.has(worker))
            && (ask.region.is_none() || !ask.region_verified || !sets.bare.has(worker))
            && ask.deadline_ms.is_none_or(|deadline| {
                let eta = index.eta_ms(worker);
                eta.is_some_and(|eta| eta <= deadline.into())
            });
        if !fits {
            return None;
        }
        if self.of == 0 {
            return Some(WHOLE);
        }
        let has = self.wanted.iter().filter(|set| set.has(worker)).count();
        (has > 0).then(|| score::share(has, self.of))
    }
}

impl MatchIndex {
    /// The best workers for a job; `None` where too many would have to be looked at.
    pub(super) fn quick(&self, ask: &Ask) -> Option<Vec<Candidate>> {
        let Some(sought) = Sought::new(self, ask) else {
            return Some(Vec::new());
        };
        let mut best = Best::new(ask.top_k as usize, &self.offers);
        let (mut looked_at, mut few) = (0, true);
        self.climb_down(ask, WHOLE, |bound, rest, workers| {
            if best.is_full() && bound < best.least() {
                return false;
            }
            looked_at += workers.len();
            few = looked_at <= LOOKED_AT_MAX;
            if few {
                for worker in workers {
                    let worker = *worker as usize;
                    // A worker's own price says more than the least one of its class.
                    let price = self.price_bound(ask, self.rows[worker].price_micro);
                    if best.is_full() && price + rest < best.least() {
                        continue;
                    }
                    if let Some(share) = sought.share(worker) {
                        best.offer(self.candidate(worker, ask, share));
                    }
                }
            }
            few
        });
        few.then(|| best.into_found())
    }
}
