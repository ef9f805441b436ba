//! The best so far.

use purser_events::matching::Candidate;

use super::Offer;

/// The best candidates so far, the best first: by score, then the cheaper, then by id.
pub(super) struct Best<'a> {
    room: usize,
    found: Vec<Candidate>,
    offers: &'a [Option<Offer>],
}

impl<'a> Best<'a> {
    pub(super) fn new(room: usize, offers: &'a [Option<Offer>]) -> Self {
        Self {
            room,
            found: Vec::with_capacity(room.min(64) + 1),
            offers,
        }
    }

    /// Whether nobody who scores so much at most can still get in.
    pub(super) fn leaves_out(&self, bound: u32) -> bool {
        match self.found.last() {
            Some(last) if self.found.len() >= self.room => bound < last.score_ppm,
            _ => false,
        }
    }

    fn is_before(&self, one: &Candidate, other: &Candidate) -> bool {
        let id = |candidate: &Candidate| {
            let offer = self.offers[candidate.worker.index()].as_ref();
            offer.map(|offer| offer.miner_id.as_str().as_bytes())
        };
        (other.score_ppm, one.price_micro)
            .cmp(&(one.score_ppm, other.price_micro))
            .then_with(|| id(one).cmp(&id(other)))
            .is_lt()
    }

    pub(super) fn offer(&mut self, candidate: Candidate) {
        let at = self
            .found
            .partition_point(|other| !self.is_before(&candidate, other));
        if at >= self.room {
            return;
        }
        self.found.insert(at, candidate);
        self.found.truncate(self.room);
    }

    pub(super) fn into_found(self) -> Vec<Candidate> {
        self.found
    }
}
