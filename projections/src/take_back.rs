//! Taking back what a refused batch had folded.

use purser_events::{Event, EventKind};

use crate::Projections;

/// Which folds events may have touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    /// Those of payers' money, jobs and grants.
    Money,
    /// Any.
    All,
}

impl Touched {
    const fn by(kind: EventKind) -> Self {
        match kind as u8 {
            30..=44 | 70..=83 => Self::Money,
            _ => Self::All,
        }
    }
}

/// Whether an event of payers' money, jobs and grants names something.
const fn is_name(kind: EventKind) -> bool {
    use EventKind::{CapabilityDeclared, PayerNamed, PoolOpened, RailNamed};
    matches!(
        kind,
        CapabilityDeclared | PayerNamed | PoolOpened | RailNamed
    )
}

impl Projections {
    /// Takes events back: everything that was folded since `before` stood. What they cannot have
    /// touched is not copied: what workers are known by and beat is most of the memory, and a
    /// batch about money leaves it alone.
    pub fn take_back(&mut self, before: &Self, events: &[Event]) {
        let kinds = || events.iter().map(Event::kind);
        match kinds().map(Touched::by).max() {
            None => {}
            Some(Touched::All) => self.clone_from(before),
            Some(Touched::Money) => {
                if kinds().any(is_name) {
                    self.names.clone_from(&before.names);
                }
                // A job that closes ends the quotes for its tickets.
                if kinds().any(|kind| kind == EventKind::JobClosed) {
                    self.tickets.clone_from(&before.tickets);
                }
                self.fees.clone_from(&before.fees);
                self.accounts.clone_from(&before.accounts);
                self.jobs.clone_from(&before.jobs);
                self.grants.clone_from(&before.grants);
                self.position = before.position;
                self.recorded_at = before.recorded_at;
            }
        }
    }
}
