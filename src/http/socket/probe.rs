//! The way to a worker and back, measured by nonces that it sends back. Nobody can send back a
//! nonce that was not sent yet: a worker can seem farther than it is, and never nearer.

use std::time::Duration;

use tokio::time::Instant;

/// Ways that were measured together, and how long nothing is asked after a finding.
const WINDOW: Duration = Duration::from_secs(600);

/// So many ways make a finding.
const WAYS: usize = 5;

/// So many nonces are sent within a window at most: whoever sends none back costs no more.
const NONCES_MAX: usize = 10;

/// A nonce that comes back after so long says nothing about the way.
const LATE: Duration = Duration::from_secs(10);

/// What a worker is asked to send back.
pub(super) type Nonce = [u8; 8];

/// What is measured of the way to one worker.
#[derive(Debug, Default)]
pub(super) struct Probe {
    /// The nonce that is to come back.
    under_way: Option<(Nonce, Instant)>,
    /// When nonces were sent, of late.
    sent: Vec<Instant>,
    /// When nonces came back, of late, and the ways in microseconds.
    ways: Vec<(Instant, u32)>,
    /// When there was a finding.
    found: Option<Instant>,
}

/// Ways that make a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The shortest, in microseconds, rounded up.
    pub(super) rtt_us: u32,
    /// How many there are.
    pub(super) samples: u32,
}

impl Probe {
    /// Whether a nonce should be sent now.
    pub(super) fn wants(&mut self, now: Instant) -> bool {
        let recent = |at: Instant| now.duration_since(at) < WINDOW;
        self.sent.retain(|at| recent(*at));
        let waits = |(_, at): (Nonce, Instant)| now.duration_since(at) <= LATE;
        !self.under_way.is_some_and(waits)
            && !self.found.is_some_and(recent)
            && self.sent.len() < NONCES_MAX
    }

    /// A nonce is about to be sent. One that is under way no longer counts.
    pub(super) fn send(&mut self, nonce: Nonce, now: Instant) {
        self.under_way = Some((nonce, now));
        self.sent.push(now);
    }

    /// Bytes came back. Those of the nonce that is under way measure the way, any others nothing;
    /// answers a finding when that was the last that it took.
    pub(super) fn hear(&mut self, bytes: &[u8], now: Instant) -> Option<Finding> {
        let (_, sent) = self.under_way.filter(|(nonce, _)| nonce == bytes)?;
        self.under_way = None;
        let way = now.duration_since(sent);
        if way > LATE {
            return None;
        }
        let us = way.as_nanos().div_ceil(1_000);
        self.ways.push((now, u32::try_from(us).unwrap_or(u32::MAX)));
        self.ways.retain(|(at, _)| now.duration_since(*at) < WINDOW);
        if self.ways.len() < WAYS {
            return None;
        }
        let ways = std::mem::take(&mut self.ways);
        self.found = Some(now);
        Some(Finding {
            rtt_us: ways.iter().map(|(_, us)| *us).min()?,
            samples: u32::try_from(ways.len()).unwrap_or(u32::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const BEAT: Duration = Duration::from_secs(15);

    fn nonce(number: u64) -> Nonce {
        number.to_be_bytes()
    }

    /// One way; the finding that it makes.
    fn way(probe: &mut Probe, number: u64, at: Instant, took: Duration) -> Option<Finding> {
        assert!(probe.wants(at), "{number}");
        probe.send(nonce(number), at);
        probe.hear(&nonce(number), at + took)
    }

    #[test]
    fn five_ways_make_a_finding_of_the_shortest_and_then_there_is_rest() {
        let (mut probe, mut now) = (Probe::default(), Instant::now());
        for round in 0..3 {
            for (number, took) in (0..4).zip([30 * MS, 12 * MS, 7 * MS, 400 * MS]) {
                assert_eq!(way(&mut probe, number, now, took), None, "{round}");
                now += BEAT;
            }
            let last = Duration::from_nanos(7_000_001);
            let found = way(&mut probe, 4, now, last).expect("five are enough");
            assert_eq!((found.rtt_us, found.samples), (7_000, 5));
            let end = now + last + WINDOW;
            assert!(!probe.wants(now + BEAT) && !probe.wants(end - MS));
            now = end;
        }
    }

    #[test]
    fn a_way_is_never_said_to_be_shorter_than_it_is() {
        let (mut probe, now) = (Probe::default(), Instant::now());
        let mut found = None;
        for number in 0..5 {
            found = way(&mut probe, number, now, Duration::from_nanos(1_000_001));
        }
        assert_eq!(found.expect("five are enough").rtt_us, 1_001);
    }

    #[test]
    fn ways_that_are_ten_minutes_apart_do_not_count_together() {
        let (mut probe, now) = (Probe::default(), Instant::now());
        for number in 0..4 {
            assert_eq!(way(&mut probe, number, now, MS), None);
        }
        let late = now + WINDOW + MS;
        for number in 0..4 {
            assert_eq!(way(&mut probe, number, late, 2 * MS), None, "{number}");
        }
        let found = way(&mut probe, 4, late, 3 * MS).expect("five are enough");
        assert_eq!((found.rtt_us, found.samples), (2_000, 5));
    }

    #[test]
    fn what_was_not_asked_for_counts_for_nothing() {
        let (mut probe, now) = (Probe::default(), Instant::now());
        probe.send(nonce(1), now);
        for bytes in [&b""[..], &[0; 7], &[0; 9], &nonce(0), &nonce(2), &[7; 125]] {
            assert_eq!(probe.hear(bytes, now + MS), None);
            assert!(probe.ways.is_empty(), "{bytes:?}");
        }
        probe.hear(&nonce(1), now + MS);
        assert_eq!(probe.ways.len(), 1);
        for _ in 0..9 {
            assert_eq!(probe.hear(&nonce(1), now + MS), None);
        }
        assert_eq!(probe.ways.len(), 1, "each counts once");
        probe.send(nonce(3), now);
        assert!(!probe.wants(now + LATE), "it may still come back");
        assert!(probe.wants(now + LATE + MS));
        probe.send(nonce(4), now + LATE + MS);
        probe.hear(&nonce(3), now + LATE + 2 * MS);
        assert_eq!(probe.ways.len(), 1, "another is under way");
        probe.hear(&nonce(4), now + 3 * LATE);
        assert_eq!(probe.ways.len(), 1, "it came too late");
    }

    #[test]
    fn whoever_sends_nothing_back_is_asked_ten_times_in_ten_minutes() {
        let (mut probe, start) = (Probe::default(), Instant::now());
        let mut asked = 0;
        for beat in 0..40 {
            let now = start + beat * BEAT;
            if probe.wants(now) {
                probe.send(nonce(asked), now);
                asked += 1;
            }
        }
        assert_eq!(asked, 10);
        assert!(probe.wants(start + WINDOW));
    }

    /// What happens on a connection.
    #[derive(Clone, Debug)]
    enum Step {
        Wait(u64),
        Beat,
        /// One of the last nonces comes back.
        Back(usize),
        Garbage(Vec<u8>),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => (0_u64..20_000).prop_map(Step::Wait),
            1 => Just(Step::Wait(300_000)),
            3 => Just(Step::Beat),
            4 => (0_usize..3).prop_map(Step::Back),
            1 => proptest::collection::vec(any::<u8>(), 0..10).prop_map(Step::Garbage),
        ]
    }

    proptest! {
        #[test]
        fn findings_are_rare_and_no_shorter_than_any_true_way(
            steps in proptest::collection::vec(step(), 0..400)
        ) {
            let (mut probe, mut now) = (Probe::default(), Instant::now());
            let mut sent: VecDeque<(Nonce, Instant)> = VecDeque::new();
            let (mut all, mut findings, mut shortest) = (Vec::new(), Vec::new(), Duration::MAX);
            for (number, step) in (1_u64..).zip(steps) {
                let found = match step {
                    Step::Wait(ms) => {
                        now += Duration::from_millis(ms);
                        None
                    }
                    Step::Beat => {
                        if probe.wants(now) {
                            probe.send(nonce(number), now);
                            sent.push_front((nonce(number), now));
                            all.push(now);
                        }
                        None
                    }
                    Step::Back(which) => sent.get(which).and_then(|(nonce, at)| {
                        shortest = shortest.min(now.duration_since(*at));
                        probe.hear(nonce, now)
                    }),
                    Step::Garbage(bytes) => probe.hear(&bytes, now),
                };
                if let Some(found) = found {
                    prop_assert_eq!(found.samples, 5);
                    prop_assert!(Duration::from_micros(found.rtt_us.into()) >= shortest);
                    prop_assert!(found.rtt_us <= 10_000_000);
                    findings.push(now);
                    shortest = Duration::MAX;
                }
                prop_assert!(probe.sent.len() <= NONCES_MAX && probe.ways.len() < WAYS);
            }
            for pair in findings.windows(2) {
                prop_assert!(pair[1].duration_since(pair[0]) >= WINDOW);
            }
            for run in all.windows(NONCES_MAX + 1) {
                prop_assert!(run[NONCES_MAX].duration_since(run[0]) >= WINDOW);
            }
        }
    }
}
