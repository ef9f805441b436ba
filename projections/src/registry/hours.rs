//! In how many minutes a worker beat of late.

use serde::{Deserialize, Serialize};

use super::Pulse;

/// How many hours are looked back on, the one that goes on with them.
pub const WINDOW_HOURS: u32 = 24;

const RING: usize = WINDOW_HOURS as usize;

/// How many minutes a worker had ever beaten in when each of the last hours began. It is touched
/// once per hour, and not by every heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hours {
    /// The hour of the last beat, counted from 1970.
    last: u32,
    /// By hour, in a ring: the lower digits are enough for a difference within a day.
    began_with: [u16; RING],
}

impl Hours {
    /// The hour of a minute that was counted from 1970.
    pub(super) const fn of_minute(minute: u32) -> u32 {
        minute / 60
    }

    /// A worker beats for the first time in this hour.
    pub(super) fn begin(&mut self, hour: u32, minutes_beaten: u32) {
        let first = (self.last + 1).max(hour.saturating_sub(WINDOW_HOURS - 1));
        for between in first..=hour {
            self.began_with[between as usize % RING] = minutes_beaten as u16;
        }
        self.last = hour;
    }

    /// The minutes in which a worker beat, of those from the beginning of the window on that ends
    /// with this hour.
    pub(super) fn beaten(&self, pulse: &Pulse, hour: u32) -> u32 {
        let first = hour.saturating_sub(WINDOW_HOURS - 1);
        if self.last < first {
            return 0;
        }
        let before = self.began_with[first as usize % RING];
        (pulse.minutes_beaten as u16).wrapping_sub(before).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_counts_what_a_list_of_minutes_counts(
            pauses in prop::collection::vec(prop_oneof![1u32..3, 1u32..90, 1u32..4_000], 1..400),
            later in 0u32..3_000,
            had in prop_oneof![Just(0u32), Just(65_000), Just(u32::from(u16::MAX))],
        ) {
            let mut hours = Hours::default();
            let mut pulse = Pulse { minutes_beaten: had, ..Pulse::default() };
            let (mut minute, mut list) = (29_000_000u32, Vec::new());
            for pause in pauses {
                minute += pause;
                let hour = Hours::of_minute(minute);
                if hour != hours.last {
                    hours.begin(hour, pulse.minutes_beaten);
                }
                pulse.minutes_beaten += 1;
                list.push(minute);
            }
            let now = Hours::of_minute(minute + later);
            let first = (now - (WINDOW_HOURS - 1)) * 60;
            let expected = list.iter().filter(|minute| **minute >= first).count();
            prop_assert_eq!(hours.beaten(&pulse, now) as usize, expected);
        }
    }
}
