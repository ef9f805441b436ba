//! How jobs went of late.

use serde::{Deserialize, Serialize};

use crate::registry::WINDOW_HOURS;

/// How jobs went in the hours of the window in which any ended, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    hours: Vec<Ended>,
}

/// How the jobs that ended in a span of time went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The hour, counted from 1970.
    hour: u32,
    /// Jobs that were finished.
    pub completed: u32,
    /// Jobs that are over.
    pub over: u32,
    /// Finished jobs whose time was reported.
    pub timed: u32,
    /// The sum of those times in milliseconds.
    pub time_ms: u64,
}

const fn hour_of(at_ms: u64) -> u32 {
    (at_ms / 3_600_000) as u32
}

impl Recent {
    /// Of a worker that nothing is known of.
    pub const NONE: Self = Self { hours: Vec::new() };

    /// A job ended: the time that it took where it was finished.
    pub(super) fn count(&mut self, at_ms: u64, finished: Option<Option<u32>>) {
        let hour = hour_of(at_ms);
        self.hours.retain(|one| is_within(one.hour, hour));
        if self.hours.last().is_none_or(|last| last.hour < hour) {
            self.hours.push(Ended {
                hour,
                ..Ended::default()
            });
        }
        let Some(last) = self.hours.last_mut() else {
            return;
        };
        last.over += 1;
        if let Some(took) = finished {
            last.completed += 1;
            if let Some(took_ms) = took {
                last.timed += 1;
                last.time_ms += u64::from(took_ms);
            }
        }
    }

    /// The jobs that ended within the window that ends now.
    #[must_use]
    pub fn ended(&self, now_ms: u64) -> Ended {
        let now = hour_of(now_ms);
        let hours = self.hours.iter().filter(|one| is_within(one.hour, now));
        hours.fold(Ended::default(), |sum, one| Ended {
            hour: now,
            completed: sum.completed + one.completed,
            over: sum.over + one.over,
            timed: sum.timed + one.timed,
            time_ms: sum.time_ms + one.time_ms,
        })
    }
}

const fn is_within(hour: u32, now: u32) -> bool {
    hour.saturating_add(WINDOW_HOURS) > now
}

impl Ended {
    /// The share of jobs that were finished among those that are over, in millionths; `None` where
    /// none is.
    #[must_use]
    pub fn completion_ppm(&self) -> Option<u32> {
        let share = (u64::from(self.completed) * 1_000_000).checked_div(self.over.into())?;
        u32::try_from(share).ok()
    }

    /// The mean time of finished jobs in milliseconds, rounded down; `None` when none is known.
    #[must_use]
    pub fn response_ms(&self) -> Option<u64> {
        self.time_ms.checked_div(self.timed.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_count_for_a_day_and_no_more_hours_are_kept() {
        const HOUR: u64 = 3_600_000;
        let mut recent = Recent::default();
        for hour in 0..100 {
            recent.count(hour * HOUR, Some(Some(1_000)));
            recent.count(hour * HOUR + HOUR - 1, None);
        }
        assert_eq!(recent.hours.len(), 24);
        let ended = recent.ended(99 * HOUR);
        assert_eq!((ended.completed, ended.over), (24, 48));
        assert_eq!(ended.completion_ppm(), Some(500_000));
        assert_eq!(ended.response_ms(), Some(1_000));
        assert_eq!(recent.ended(122 * HOUR + HOUR - 1).over, 2);
        assert_eq!(recent.ended(123 * HOUR).completion_ppm(), None);
    }
}
