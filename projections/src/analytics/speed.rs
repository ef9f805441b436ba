//! How fast one worker does jobs, over all time and over the last hours and days.

use std::collections::VecDeque;

use purser_events::Micros;
use serde::{Deserialize, Serialize};

use super::Job;
use super::distribution::{Distribution, Summary, summary};

/// Hours that are kept apart: the one that runs, and those of the last day.
const HOURS: u64 = 25;

/// Days that are kept apart: the one that runs, and those of a month.
const DAYS: u64 = 31;

/// Which jobs count, by the source's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// All of them.
    All,
    /// Those of this hour and of the 24 hours before it.
    Day,
    /// Those of this day in UTC and of the 7 days before it.
    Week,
    /// Those of this day in UTC and of the 30 days before it.
    Month,
}

/// Spans of time by their number, in order.
type Slots = VecDeque<(u64, Box<Slot>)>;

/// How fast one worker does jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Speed {
    all: Slot,
    days: Slots,
    hours: Slots,
}

/// The jobs of a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    jobs: u64,
    units: i128,
    fees_wei: u128,
    response_time: Distribution,
    real_time_ratio: Distribution,
    real_time_milli: Distribution,
    units_per_second_milli: Distribution,
}

/// What the jobs of a window add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// Jobs that are known to be the worker's, whatever they earned.
    pub jobs: u64,
    /// Their units of compute.
    pub units: i128,
    /// Their fees before the pool's share.
    pub fees_wei: u128,
    /// Nanoseconds for AI, milliseconds for transcoding.
    pub response_time: Summary,
    /// The source's truncated ratio of duration to response time.
    pub real_time_ratio: Summary,
    /// Duration over response time, in thousandths.
    pub real_time_milli: Summary,
    /// Units of compute per second of response time, in thousandths, job by job.
    pub units_per_second_milli: Summary,
}

impl Slot {
    /// Adds a job, or takes it out.
    fn change(&mut self, job: &Job, is_added: bool) {
        let units = i128::from(job.units.unwrap_or(0));
        if is_added {
            self.jobs += 1;
            self.units += units;
            self.fees_wei += u128::from(job.fee);
        } else {
            self.jobs -= 1;
            self.units -= units;
            self.fees_wei -= u128::from(job.fee);
        }
        let Some(time) = job.response_time else {
            return;
        };
        let change = |samples: &mut Distribution, sample: i64| {
            if is_added {
                samples.add(sample);
            } else {
                samples.remove(sample);
            }
        };
        change(&mut self.response_time, time);
        let thousandths_of_a_second = if job.is_ai {
            1_000_000_000_000
        } else {
            1_000_000
        };
        let speed = i128::from(job.units.unwrap_or(0)) * thousandths_of_a_second;
        change(
            &mut self.units_per_second_milli,
            clamped(speed.div_euclid(time.into())),
        );
        if !job.is_ai {
            change(&mut self.real_time_ratio, job.real_time_ratio.unwrap_or(0));
            let duration = i128::from(job.duration_ms.unwrap_or(0)) * 1_000;
            let milli = duration.div_euclid(time.into());
            change(&mut self.real_time_milli, clamped(milli));
        }
    }
}

/// What no 63 bits hold is the largest or smallest that they do.
fn clamped(sample: i128) -> i64 {
    let clamped = sample.clamp(i64::MIN.into(), i64::MAX.into());
    i64::try_from(clamped).expect("it was clamped")
}

impl Speed {
    /// Adds a job, at a time behind which no window reaches any more than its length.
    pub(super) fn add(&mut self, job: &Job, now: Micros) {
        self.all.change(job, true);
        let now = now.0 / 1_000_000;
        for (slots, seconds, kept) in self.tiers() {
            let (slot, last) = (job.second / seconds, now / seconds);
            while slots.front().is_some_and(|(start, _)| start + kept <= last) {
                slots.pop_front();
            }
            if slot + kept > last {
                at(slots, slot).change(job, true);
            }
        }
    }

    pub(super) fn remove(&mut self, job: &Job) {
        self.all.change(job, false);
        for (slots, seconds, _) in self.tiers() {
            let slot = job.second / seconds;
            if let Ok(found) = slots.binary_search_by_key(&slot, |(start, _)| *start) {
                slots[found].1.change(job, false);
            }
        }
    }

    const fn tiers(&mut self) -> [(&mut Slots, u64, u64); 2] {
        [
            (&mut self.days, 86_400, DAYS),
            (&mut self.hours, 3_600, HOURS),
        ]
    }

    /// What the jobs of a window add up to.
    pub(super) fn measures(&self, window: Window, now: Micros) -> Measures {
        let slots: Vec<&Slot> = self.slots(window, now).collect();
        let of =
            |measure: fn(&Slot) -> &Distribution| summary(slots.iter().map(|slot| measure(slot)));
        Measures {
            jobs: slots.iter().map(|slot| slot.jobs).sum(),
            units: slots.iter().map(|slot| slot.units).sum(),
            fees_wei: slots.iter().map(|slot| slot.fees_wei).sum(),
            response_time: of(|slot| &slot.response_time),
            real_time_ratio: of(|slot| &slot.real_time_ratio),
            real_time_milli: of(|slot| &slot.real_time_milli),
            units_per_second_milli: of(|slot| &slot.units_per_second_milli),
        }
    }

    /// The response times of a window.
    pub(super) fn response_times(
        &self,
        window: Window,
        now: Micros,
    ) -> impl Iterator<Item = &Distribution> + Clone {
        self.slots(window, now).map(|slot| &slot.response_time)
    }

    fn slots(&self, window: Window, now: Micros) -> impl Iterator<Item = &Slot> + Clone {
        let now = now.0 / 1_000_000;
        let (all, slots, since) = match window {
            Window::All => (Some(&self.all), None, 0),
            Window::Day => (None, Some(&self.hours), (now / 3_600).saturating_sub(24)),
            Window::Week => (None, Some(&self.days), (now / 86_400).saturating_sub(7)),
            Window::Month => (None, Some(&self.days), (now / 86_400).saturating_sub(30)),
        };
        let slots = slots.into_iter().flatten();
        let slots = slots.filter(move |(start, _)| *start >= since);
        all.into_iter().chain(slots.map(|(_, slot)| &**slot))
    }
}

/// The slot that begins here, made where there is none.
fn at(slots: &mut Slots, start: u64) -> &mut Slot {
    let found = slots.binary_search_by_key(&start, |(start, _)| *start);
    let at = found.unwrap_or_else(|at| {
        slots.insert(at, (start, Box::default()));
        at
    });
    &mut slots[at].1
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;
    /// The start of a day.
    const START: u64 = 20_000 * DAY;

    fn at(second: u64) -> Micros {
        Micros(second * 1_000_000)
    }

    fn job(second: u64, response_time: i64) -> Job {
        Job {
            second,
            response_time: Some(response_time),
            units: Some(500),
            real_time_ratio: Some(4),
            duration_ms: Some(2_000),
            fee: 7,
            is_ai: false,
        }
    }

    #[test]
    fn windows_hold_the_jobs_of_their_time() {
        let mut speed = Speed::default();
        let now = START + 40 * DAY;
        let ages = [
            0,
            23 * HOUR,
            26 * HOUR,
            6 * DAY,
            9 * DAY,
            29 * DAY,
            35 * DAY,
        ];
        for (age, time) in ages.iter().zip(100..) {
            speed.add(&job(now - age, time), at(now));
        }
        let jobs = |window, now| speed.measures(window, at(now)).jobs;
        assert_eq!(jobs(Window::All, now), 7);
        assert_eq!(jobs(Window::Day, now), 2);
        assert_eq!(jobs(Window::Week, now), 4);
        assert_eq!(jobs(Window::Month, now), 6);
        assert_eq!(jobs(Window::Day, now + 25 * HOUR), 0);
        assert_eq!(jobs(Window::Month, now + 100 * DAY), 0);
        let week = speed.measures(Window::Week, at(now));
        assert_eq!(week.response_time.median_x2, 203);
        assert_eq!((week.units, week.fees_wei), (2_000, 28));
        assert_eq!(week.real_time_milli.max, 20_000);
        assert_eq!(week.units_per_second_milli.max, 5_000_000);
    }

    #[test]
    fn old_slots_are_forgotten_and_jobs_are_taken_out() {
        let mut speed = Speed::default();
        for day in 0..100 {
            speed.add(&job(START + day * DAY, 10), at(START + day * DAY));
        }
        assert!(speed.days.len() <= 31 && speed.hours.len() <= 25);
        let last = START + 99 * DAY;
        speed.remove(&job(last, 10));
        speed.remove(&job(START, 10));
        assert_eq!(speed.measures(Window::All, at(last)).jobs, 98);
        let of_today = speed.measures(Window::Day, at(last + HOUR));
        assert_eq!(of_today.jobs, 0);
        let newest = speed.hours.back().map(|(_, slot)| &**slot);
        assert_eq!(newest, Some(&Slot::default()));
    }

    #[test]
    fn figures_beyond_63_bits_are_the_largest_there_are() {
        let mut speed = Speed::default();
        let vast = Job {
            units: Some(i64::MAX),
            duration_ms: Some(i64::MIN),
            response_time: Some(1),
            ..job(START, 1)
        };
        speed.add(&vast, at(START));
        let measures = speed.measures(Window::All, at(START));
        assert_eq!(measures.units_per_second_milli.max, i64::MAX);
        assert_eq!(measures.real_time_milli.min, i64::MIN);
    }
}
