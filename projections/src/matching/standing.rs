//! How far a worker is trusted: evidence for and against it, which fades.

use purser_events::Label;
use purser_events::matching::{Evidence, FeedbackGiven, Outcome, RegionFinding};
use serde::{Deserialize, Serialize};

use super::recent::Recent;

/// Evidence counts half as much after so many milliseconds: seven days.
pub const HALF_LIFE_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// Two observations for and two against everybody, in thousandths.
const PRIOR_MILLI: u64 = 2_000;

/// With so much evidence, in thousandths of an observation, a worker that is hardly trusted is
/// suspended.
const SUSPENDED_FROM_MILLI: u64 = 5_000;

/// Hardly trusted is whoever is trusted less than this, in millionths.
const SUSPENDED_BELOW_PPM: u32 = 200_000;

/// How a worker stands with those that it worked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The evidence for and against it.
    pub trust: Trust,
    /// Whether it is suspended for fraud.
    pub fraud: bool,
    /// Why an operator suspended it; absent when none did.
    pub suspended: Option<Label>,
    /// The region that it claims.
    pub claimed: Option<Label>,
    /// What probes found about that claim.
    pub region: RegionFinding,
    /// Jobs that are assigned to it and not reported on.
    pub open: u32,
    /// What was reported on it.
    pub counts: Counts,
    /// How its jobs went of late.
    pub recent: Recent,
}

/// Evidence for and against a worker, which fades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// For it, in thousandths of an observation, as of `halvings`.
    success_milli: u64,
    /// Against it.
    failure_milli: u64,
    /// When the first was counted, in milliseconds since 1970; absent before that.
    first_ms: Option<u64>,
    /// How often it was halved since.
    halvings: u32,
}

/// What was reported on a worker, ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Jobs that it finished, late ones with them.
    pub completed: u64,
    /// Jobs that it finished late.
    pub late: u64,
    /// Jobs that it refused.
    pub rejected: u64,
    /// Jobs that failed.
    pub failed: u64,
    /// Jobs on which nobody reported in time.
    pub expired: u64,
    /// Finished jobs whose time was reported.
    pub timed: u64,
    /// The sum of those times in milliseconds.
    pub time_ms: u64,
}

impl Counts {
    pub(super) fn count(&mut self, given: &FeedbackGiven) {
        match given.outcome {
            Outcome::Accepted => {}
            Outcome::Completed => {
                self.completed += 1;
                self.late += u64::from(given.evidence.failure_milli > 0);
                if let Some(latency) = given.latency_ms {
                    self.timed += 1;
                    self.time_ms += u64::from(latency);
                }
            }
            Outcome::Rejected => self.rejected += 1,
            Outcome::Failed => self.failed += 1,
        }
    }

    /// Jobs that are over.
    #[must_use]
    pub const fn terminal(&self) -> u64 {
        self.completed + self.rejected + self.failed + self.expired
    }

    /// The share of jobs that it finished among those that are over, in millionths; `None` before
    /// the first is.
    #[must_use]
    pub fn completion_ppm(&self) -> Option<u32> {
        let share = (self.completed * 1_000_000).checked_div(self.terminal())?;
        u32::try_from(share).ok()
    }

    /// The mean time of finished jobs in milliseconds, rounded down; `None` when none is known.
    #[must_use]
    pub fn response_ms(&self) -> Option<u64> {
        self.time_ms.checked_div(self.timed)
    }
}

/// The trust that evidence leads to, in millionths.
#[must_use]
pub const fn trust_ppm(success_milli: u64, failure_milli: u64) -> u32 {
    let all = 2 * PRIOR_MILLI + success_milli + failure_milli;
    (1_000_000 * (PRIOR_MILLI + success_milli) / all) as u32
}

impl Standing {
    /// Of a worker that nothing is known of.
    pub const FRESH: Self = Self {
        trust: Trust {
            success_milli: 0,
            failure_milli: 0,
            first_ms: None,
            halvings: 0,
        },
        fraud: false,
        suspended: None,
        claimed: None,
        region: RegionFinding::Open,
        open: 0,
        counts: Counts {
            completed: 0,
            late: 0,
            rejected: 0,
            failed: 0,
            expired: 0,
            timed: 0,
            time_ms: 0,
        },
        recent: Recent::NONE,
    };

    /// Adds evidence.
    pub fn weigh(&mut self, evidence: Evidence, now_ms: u64) {
        self.fraud |= evidence.fraud;
        self.trust.weigh(evidence, now_ms);
    }

    pub(super) fn claim(&mut self, region: Option<&Label>) {
        if self.claimed.as_ref() != region {
            self.claimed = region.cloned();
            self.region = RegionFinding::Open;
        }
    }

    /// Whether somebody's word keeps it from being matched: an operator's, or that of fraud.
    #[must_use]
    pub const fn barred(&self) -> bool {
        self.fraud || self.suspended.is_some()
    }

    /// Whether it is not matched at a moment: it is barred, or hardly trusted on much evidence.
    #[must_use]
    pub fn suspended(&self, now_ms: u64) -> bool {
        self.barred() || self.trust.hardly(now_ms)
    }
}

impl Trust {
    /// Adds evidence. What is known already fades first, so that one success does not bring back
    /// the trust of long ago.
    fn weigh(&mut self, evidence: Evidence, now_ms: u64) {
        let (success, failure) = (evidence.success_milli, evidence.failure_milli);
        if success == 0 && failure == 0 {
            return;
        }
        (self.success_milli, self.failure_milli) = self.faded(now_ms);
        self.halvings = self.halvings_at(now_ms);
        self.first_ms.get_or_insert(now_ms);
        self.success_milli += u64::from(success);
        self.failure_milli += u64::from(failure);
    }

    fn halvings_at(&self, now_ms: u64) -> u32 {
        let past = |first| now_ms.saturating_sub(first) / HALF_LIFE_MS;
        let halvings = u32::try_from(self.first_ms.map_or(0, past)).unwrap_or(u32::MAX);
        halvings.max(self.halvings)
    }

    /// The evidence for and against it at a moment, in thousandths of an observation.
    #[must_use]
    pub fn faded(&self, now_ms: u64) -> (u64, u64) {
        let halvings = self.halvings_at(now_ms) - self.halvings;
        let fade = |milli: u64| milli.checked_shr(halvings).unwrap_or(0);
        (fade(self.success_milli), fade(self.failure_milli))
    }

    /// How far the worker is trusted at a moment, in millionths.
    #[must_use]
    pub fn ppm(&self, now_ms: u64) -> u32 {
        let (success, failure) = self.faded(now_ms);
        trust_ppm(success, failure)
    }

    /// Whether there is much evidence at a moment and the worker is hardly trusted by it. It heals
    /// as the evidence fades.
    #[must_use]
    pub fn hardly(&self, now_ms: u64) -> bool {
        let (success, failure) = self.faded(now_ms);
        success + failure >= SUSPENDED_FROM_MILLI
            && trust_ppm(success, failure) < SUSPENDED_BELOW_PPM
    }

    /// When it next changes by itself, in milliseconds since 1970; `None` when there is nothing
    /// left to fade.
    #[must_use]
    pub fn fades_at_ms(&self, now_ms: u64) -> Option<u64> {
        if self.faded(now_ms) == (0, 0) {
            return None;
        }
        let next = u64::from(self.halvings_at(now_ms)) + 1;
        Some(self.first_ms?.saturating_add(next * HALF_LIFE_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success() -> Evidence {
        Evidence {
            success_milli: 1_000,
            ..Evidence::default()
        }
    }

    fn failure(milli: u32) -> Evidence {
        Evidence {
            failure_milli: milli,
            ..Evidence::default()
        }
    }

    #[test]
    fn trust_grows_with_clean_completions() {
        for (completions, ppm) in [
            (0, 500_000),
            (1, 600_000),
            (2, 666_666),
            (10, 857_142),
            (100, 980_769),
        ] {
            assert_eq!(trust_ppm(completions * 1_000, 0), ppm, "{completions}");
        }
    }

    #[test]
    fn evidence_fades_by_halves_from_the_first_on_and_before_anything_is_added() {
        let mut standing = Standing::default();
        for _ in 0..10 {
            standing.weigh(success(), 1_000);
        }
        assert_eq!(standing.trust.ppm(1_000 + HALF_LIFE_MS - 1), 857_142);
        assert_eq!(
            standing.trust.ppm(1_000 + HALF_LIFE_MS),
            trust_ppm(5_000, 0)
        );
        assert_eq!(
            standing.trust.fades_at_ms(1_000 + HALF_LIFE_MS),
            Some(1_000 + 2 * HALF_LIFE_MS)
        );
        standing.weigh(success(), 1_000 + 3 * HALF_LIFE_MS);
        assert_eq!(standing.trust.success_milli, 1_250 + 1_000);
        assert_eq!(
            standing.trust.ppm(1_000 + 4 * HALF_LIFE_MS),
            trust_ppm(1_125, 0)
        );
        assert_eq!(standing.trust.ppm(u64::MAX), 500_000);
        assert_eq!(standing.trust.fades_at_ms(u64::MAX), None);
    }

    #[test]
    fn seven_failures_without_a_success_suspend_until_they_fade() {
        let mut standing = Standing::default();
        for _ in 0..6 {
            standing.weigh(failure(1_000), 0);
        }
        assert!(!standing.suspended(0));
        standing.weigh(failure(1_000), 0);
        assert!(standing.suspended(0) && standing.suspended(HALF_LIFE_MS - 1));
        assert!(!standing.suspended(HALF_LIFE_MS));
    }

    #[test]
    fn fraud_suspends_however_trusted_until_it_is_cleared() {
        let mut standing = Standing::default();
        let fraud = Evidence {
            fraud: true,
            ..failure(5_000)
        };
        standing.weigh(fraud, 0);
        assert_eq!(standing.trust.ppm(0), 222_222);
        assert!(standing.suspended(u64::MAX));
    }
}
