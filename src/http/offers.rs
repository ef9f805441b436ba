//! Matches that were answered and not recorded, for a while: a report on one of them counts,
//! though nobody had asked for an assignment.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;
use purser_commands::matching::Offered;
use purser_events::matching::Candidate;
use purser_events::{KeyTag, Label, WorkerNo};

/// So many matches are remembered: the latest.
const ROOM: usize = 65_536;

/// The latest matches that were not recorded.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    offers: HashMap<(KeyTag, Label), Offer>,
    /// In the order in which they were first made.
    order: VecDeque<(KeyTag, Label)>,
}

#[derive(Debug)]
struct Offer {
    workers: Box<[WorkerNo]>,
    offered: Offered,
}

impl Offers {
    /// Notes what was answered.
    pub(crate) fn note(
        &self,
        coordinator: KeyTag,
        job: &Label,
        deadline_ms: Option<u32>,
        candidates: &[Candidate],
    ) {
        if candidates.is_empty() {
            return;
        }
        let workers = candidates.iter().map(|one| one.worker).collect();
        let offered = Offered { deadline_ms };
        let offer = Offer { workers, offered };
        let key = (coordinator, job.clone());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.offers.insert(key.clone(), offer);
        if before.is_none() {
            known.order.push_back(key);
        }
        if known.order.len() > ROOM
            && let Some(oldest) = known.order.pop_front()
        {
            known.offers.remove(&oldest);
        }
    }

    /// Whether a worker was offered for a job.
    pub(crate) fn find(
        &self,
        coordinator: KeyTag,
        job: &Label,
        worker: WorkerNo,
    ) -> Option<Offered> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let offer = known.offers.get(&(coordinator, job.clone()))?;
        offer.workers.contains(&worker).then_some(offer.offered)
    }
}

#[cfg(test)]
mod tests {
    use purser_events::matching::Components;

    use super::*;

    #[test]
    fn an_offer_is_found_by_whom_it_was_made_to_until_there_are_too_many() {
        let offers = Offers::default();
        let label = |text: &str| Label::new(text).expect("a label");
        let (by, worker) = (KeyTag(1), WorkerNo(7));
        let candidate = Candidate {
            worker,
            score_ppm: 0,
            components: Components::default(),
            price_micro: 0,
            eta_ms: None,
        };
        offers.note(by, &label("first"), Some(5), &[candidate]);
        let found = offers.find(by, &label("first"), worker);
        assert_eq!(
            found,
            Some(Offered {
                deadline_ms: Some(5)
            })
        );
        assert_eq!(offers.find(KeyTag(2), &label("first"), worker), None);
        assert_eq!(offers.find(by, &label("first"), WorkerNo(8)), None);
        for number in 0..ROOM {
            offers.note(by, &label(&number.to_string()), None, &[candidate]);
        }
        assert_eq!(offers.find(by, &label("first"), worker), None);
        let last = label(&(ROOM - 1).to_string());
        assert!(offers.find(by, &last, worker).is_some());
        let known = offers.known.lock().expect("nobody panicked");
        assert_eq!((known.offers.len(), known.order.len()), (ROOM, ROOM));
    }
}
