//! How often each caller may ask. What was spent is kept in memory only, and never journalled.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use purser_events::{KeyTag, WorkerNo};

use super::code::Code;
use super::error::Problem;
use super::settings::Rates;
use crate::clock::Clock;
use crate::config::Rate;

/// Every limit of a server.
#[derive(Debug)]
pub(crate) struct Limits {
    registrations: Limit<IpAddr>,
    all_registrations: Limit<()>,
    beats: Limit<WorkerNo>,
    matches: Limit<KeyTag>,
    findings: Limit<WorkerNo>,
}

/// What a probe found of one worker: nobody needs it more often.
const FINDINGS: Rate = Rate::of(1, 600, 1);

impl Limits {
    pub(crate) fn new(rates: &Rates, clock: &Arc<Clock>) -> Self {
        Self {
            registrations: Limit::new(rates.register, clock),
            all_registrations: Limit::new(rates.register_all, clock),
            beats: Limit::new(rates.beat, clock),
            matches: Limit::new(rates.matches, clock),
            findings: Limit::new(FINDINGS, clock),
        }
    }

    /// A registration that nobody vouches for, from this address. A network of IPv6 counts as one
    /// address: whoever holds it has all of them.
    pub(crate) fn register(&self, address: IpAddr) -> Result<(), Problem> {
        self.registrations.spend(&source(address))?;
        self.all_registrations.spend(&())
    }

    /// A heartbeat of this worker, by itself.
    pub(crate) fn beat(&self, worker: WorkerNo) -> Result<(), Problem> {
        self.beats.spend(&worker)
    }

    /// What a probe found of this worker, on whichever connection.
    pub(crate) fn finding(&self, worker: WorkerNo) -> Result<(), Problem> {
        self.findings.spend(&worker)
    }
}

impl Limits {
    /// A match that the holder of this key asks for.
    pub(crate) fn matching(&self, coordinator: KeyTag) -> Result<(), Problem> {
        self.matches.spend(&coordinator)
    }
}

fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

/// A bucket per key.
type Buckets<K> = RateLimiter<K, DashMapStateStore<K>, LimitClock, NoOpMiddleware<Nanos>>;

/// One limit; every key has a bucket of its own.
struct Limit<K: Hash + Eq + Clone> {
    buckets: Option<Buckets<K>>,
    spent: AtomicUsize,
}

impl<K: Hash + Eq + Clone> std::fmt::Debug for Limit<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limit").finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(rate: Rate, clock: &Arc<Clock>) -> Self {
        let buckets = rate.bucket().and_then(|bucket| {
            let quota = Quota::with_period(bucket.interval())?.allow_burst(bucket.burst);
            let clock = LimitClock::of(clock);
            Some(RateLimiter::new(quota, DashMapStateStore::default(), clock))
        });
        let spent = AtomicUsize::new(0);
        Self { buckets, spent }
    }

    fn spend(&self, key: &K) -> Result<(), Problem> {
        let Some(buckets) = &self.buckets else {
            return Ok(());
        };
        self.tidy(buckets);
        let Err(denied) = buckets.check_key(key) else {
            return Ok(());
        };
        let wait = denied.wait_time_from(buckets.clock().now());
        Err(refusal(wait))
    }

    /// Forgets full buckets, as often as that costs next to nothing per request.
    fn tidy(&self, buckets: &Buckets<K>) {
        const LEAST: usize = 4_096;
        let spent = self.spent.fetch_add(1, Ordering::Relaxed) + 1;
        if spent >= LEAST && spent >= buckets.len() / 2 {
            self.spent.store(0, Ordering::Relaxed);
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
    }
}

/// Whole seconds, rounded up, and at least one.
fn refusal(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let seconds = u32::try_from(seconds.max(1)).unwrap_or(u32::MAX);
    Problem::new(Code::RateLimited).after_sec(seconds)
}

/// Time that never goes back; the test clock where the server runs on one.
#[derive(Clone, Debug)]
enum LimitClock {
    Real(Instant),
    Test(Arc<Clock>),
}

impl LimitClock {
    fn of(clock: &Arc<Clock>) -> Self {
        match **clock {
            Clock::Real => Self::Real(Instant::now()),
            Clock::Test(_) => Self::Test(Arc::clone(clock)),
        }
    }
}

impl governor::clock::Clock for LimitClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        match self {
            Self::Real(start) => Nanos::from(start.elapsed()),
            Self::Test(clock) => Nanos::from(Duration::from_micros(clock.now().0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use purser_events::Micros;

    use super::*;

    const SECOND: u64 = 1_000_000;

    fn limit(rate: &str) -> (Limit<u32>, Arc<Clock>) {
        let clock = Arc::new(Clock::Test(AtomicU64::new(SECOND)));
        let rate = rate.parse().expect("a rate");
        (Limit::new(rate, &clock), clock)
    }

    #[test]
    fn five_hundred_calls_in_ten_seconds_admit_two_hundred_and_forty() {
        let (limit, clock) = limit("20/s burst 40");
        let mut admitted = 0;
        for call in 0..500 {
            clock
                .advance_to(Micros(SECOND + call * 20_000))
                .expect("forward");
            match limit.spend(&1) {
                Ok(()) => admitted += 1,
                Err(problem) => {
                    assert_eq!(problem.code, Code::RateLimited);
                    assert_eq!(problem.retry_after_sec, Some(1));
                }
            }
        }
        assert!((238..=242).contains(&admitted), "{admitted}");
        assert!(limit.spend(&2).is_ok(), "another key is untouched");
    }

    #[test]
    fn a_bucket_says_when_to_come_back_and_full_ones_are_forgotten() {
        let (limit, clock) = limit("1/5s burst 1");
        assert!(limit.spend(&1).is_ok());
        let refused = limit.spend(&1).expect_err("it is too soon");
        assert_eq!(refused.retry_after_sec, Some(5));
        clock.advance_to(Micros(6 * SECOND)).expect("forward");
        assert!(limit.spend(&1).is_ok());
        for key in 0..20_000 {
            clock
                .advance_to(Micros((7 + u64::from(key)) * SECOND))
                .expect("forward");
            let _ = limit.spend(&key);
        }
        let kept = limit.buckets.as_ref().map_or(0, RateLimiter::len);
        assert!(kept < 5_000, "{kept} buckets are kept");
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let of = |text: &str| source(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
