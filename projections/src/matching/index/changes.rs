//! Which workers changed of late.

/// So many changes are remembered.
const REMEMBERED: usize = 4_096;

/// The latest changes, in order.
#[derive(Clone, Debug)]
pub(super) struct Changes {
    latest: Box<[u32; REMEMBERED]>,
    count: u64,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            latest: Box::new([0; REMEMBERED]),
            count: 0,
        }
    }
}

impl Changes {
    pub(super) fn note(&mut self, worker: usize) {
        self.latest[self.count as usize % REMEMBERED] = worker as u32;
        self.count += 1;
    }

    /// How many there were, ever.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The workers that changed after the first `seen` changes; `None` where they are more than
    /// `at_most`, or not all of them are remembered.
    pub(super) fn since(&self, seen: u64, at_most: u64) -> Option<impl Iterator<Item = usize>> {
        let missed = self.count.checked_sub(seen)?;
        let changed = (seen..self.count).map(|at| self.latest[at as usize % REMEMBERED] as usize);
        (missed <= at_most.min(REMEMBERED as u64)).then_some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_changes_are_told_and_no_gap_is_hidden() {
        let mut changes = Changes::default();
        let since = |changes: &Changes, seen| {
            changes
                .since(seen, u64::MAX)
                .map(Iterator::collect::<Vec<usize>>)
        };
        assert_eq!(since(&changes, 0), Some(Vec::new()));
        (0..REMEMBERED).for_each(|worker| changes.note(worker));
        assert_eq!(since(&changes, 0), Some((0..REMEMBERED).collect()));
        changes.note(7);
        assert_eq!(since(&changes, 0), None);
        let rest: Vec<usize> = (1..REMEMBERED).chain([7]).collect();
        assert_eq!(since(&changes, 1), Some(rest));
        assert_eq!(since(&changes, changes.count()), Some(Vec::new()));
        assert_eq!(since(&changes, changes.count() + 1), None);
        assert!(changes.since(changes.count() - 3, 2).is_none());
        assert!(changes.since(changes.count() - 3, 3).is_some());
    }
}
