//! Workers in the order in which they were last heard, for as long as that is within the grace.

use purser_events::Micros;

const NONE: u32 = u32::MAX;

/// A list through the workers, the one that was not heard for longest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    links: Vec<Link>,
    first: u32,
    last: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    at: Micros,
    before: u32,
    after: u32,
    is_in: bool,
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            links: Vec::new(),
            first: NONE,
            last: NONE,
        }
    }
}

impl Heard {
    pub(super) fn grow(&mut self, workers: usize) {
        let link = Link {
            at: Micros(0),
            before: NONE,
            after: NONE,
            is_in: false,
        };
        self.links.resize(workers, link);
    }

    /// When a worker was last heard.
    pub(super) fn at(&self, worker: usize) -> Micros {
        self.links[worker].at
    }

    /// A worker was heard: it is the last one now. Nobody was heard later.
    pub(super) fn hear(&mut self, worker: usize, at: Micros) {
        self.forget(worker);
        let before = self.last;
        self.links[worker] = Link {
            at,
            before,
            after: NONE,
            is_in: true,
        };
        match self.links.get_mut(before as usize) {
            Some(link) => link.after = worker as u32,
            None => self.first = worker as u32,
        }
        self.last = worker as u32;
    }

    /// Takes a worker out.
    pub(super) fn forget(&mut self, worker: usize) {
        let link = self.links[worker];
        if !link.is_in {
            return;
        }
        match self.links.get_mut(link.before as usize) {
            Some(before) => before.after = link.after,
            None => self.first = link.after,
        }
        match self.links.get_mut(link.after as usize) {
            Some(after) => after.before = link.before,
            None => self.last = link.before,
        }
        self.links[worker].is_in = false;
    }

    /// The worker that was not heard for longest, and when it was.
    pub(super) fn first(&self) -> Option<(usize, Micros)> {
        let link = self.links.get(self.first as usize)?;
        Some((self.first as usize, link.at))
    }
}
