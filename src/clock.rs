//! The one place that reads a clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use purser_events::Micros;

/// Our clock: the machine's, or one that moves only when a test says so.
#[derive(Debug)]
pub enum Clock {
    /// The machine's clock.
    Real,
    /// Moves only by [`Clock::advance_to`].
    Test(AtomicU64),
}

/// A test clock was asked to go back, or the clock is the machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// Time only goes forward.
    #[error("the test clock only goes forward")]
    Backward,
    /// The server runs on the machine's clock.
    #[error("the server does not run on a test clock; start it with --test-clock")]
    NotATestClock,
}

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Micros {
        match self {
            Self::Real => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
            }
            Self::Test(now) => Micros(now.load(Ordering::Acquire)),
        }
    }

    /// Moves a test clock forward.
    ///
    /// # Errors
    /// When the clock is the machine's, or `to` lies before its time.
    pub fn advance_to(&self, to: Micros) -> Result<(), ClockError> {
        let Self::Test(now) = self else {
            return Err(ClockError::NotATestClock);
        };
        let before = now.fetch_max(to.0, Ordering::AcqRel);
        if to.0 < before {
            Err(ClockError::Backward)
        } else {
            Ok(())
        }
    }
}
