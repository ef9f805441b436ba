//! What changes with every heartbeat.

use purser_events::Micros;
use purser_events::worker::{WorkerBeat, WorkerUpdated};
use serde::{Deserialize, Serialize};

use crate::policy::Policy;

/// What is known of a worker's life: one small record per worker number, overwritten by each
/// heartbeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// When the worker was last heard in any way, by our clock.
    pub last_heard: Micros,
    /// How long its lease lasts from then on, unless it is heard before, in milliseconds.
    pub lease_ms: u32,
    /// The greatest time at which it says it sent a heartbeat of this session, in milliseconds
    /// since 1970; 0 when it never said.
    pub sent_at_ms: u64,
    /// Mean latency of its recent jobs in milliseconds, as its last heartbeat said.
    pub avg_latency_ms: Option<u32>,
    /// Temperature in tenths of a degree Celsius, as its last heartbeat said.
    pub temp_decidegrees: Option<i32>,
    /// Free GPU memory in MiB, as its last heartbeat said.
    pub mem_free_mb: Option<u32>,
    /// Jobs that wait.
    pub queue_len: u32,
    /// The number of its latest session, from 1; 0 for a payee that never registered.
    pub session: u32,
    /// In how many minutes of our clock it beat, in all its sessions.
    pub minutes_beaten: u32,
    /// The last of them, counted from 1970.
    pub last_minute: u32,
    /// Jobs assigned to it that its word on its queue does not know of yet.
    pub reserved: u16,
    /// Whether that session goes on.
    pub state: State,
    /// Whether it says that it takes no further work.
    pub busy: bool,
}

/// Whether a worker has a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Never registered: a payee that is known by its address only.
    #[default]
    Absent,
    /// The session goes on.
    Live,
    /// The session goes on, though its lease ran out and it was not heard since.
    Degraded,
    /// The session ended in silence.
    Lapsed,
    /// The worker ended the session.
    LoggedOut,
}

/// How a registered worker stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Its lease is in force.
    Online,
    /// Its lease ran out, but it was heard within the grace.
    Degraded,
    /// It is silent past the grace, and about to lapse.
    Silent,
    /// It lapsed.
    Lapsed,
    /// It logged out.
    LoggedOut,
}

impl Status {
    /// The word that answers use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Degraded => "degraded",
            Self::Silent => "silent",
            Self::Lapsed => "lapsed",
            Self::LoggedOut => "logged_out",
        }
    }

    /// Whether the worker counts as reachable.
    #[must_use]
    pub const fn reachable(self) -> bool {
        matches!(self, Self::Online | Self::Degraded)
    }
}

impl Pulse {
    /// Whether the session goes on.
    #[must_use]
    pub fn live(&self) -> bool {
        matches!(self.state, State::Live | State::Degraded)
    }

    /// When its lease runs out, unless it is heard before.
    #[must_use]
    pub fn lease_until(&self) -> Micros {
        let lease_us = u64::from(self.lease_ms) * 1_000;
        Micros(self.last_heard.0.saturating_add(lease_us))
    }

    /// How many jobs it has, to the best of our knowledge, when `open` were assigned to it here
    /// and are not reported on.
    #[must_use]
    pub fn jobs(&self, open: u32) -> u32 {
        let said = self.queue_len.saturating_add(self.reserved.into());
        said.max(open)
    }

    /// Whether the lease is in force at `at`.
    #[must_use]
    pub fn leased(&self, at: Micros) -> bool {
        self.live() && at <= self.lease_until()
    }

    /// Whether the session goes on although the worker was silent for more than `grace_ms`
    /// milliseconds at `at`. A silence of exactly the grace is none yet.
    #[must_use]
    pub fn silent(&self, at: Micros, grace_ms: u32) -> bool {
        self.live() && at.0.saturating_sub(self.last_heard.0) > u64::from(grace_ms) * 1_000
    }

    /// How the worker stands at `at`; `None` when it never registered.
    #[must_use]
    pub fn status(&self, at: Micros, policy: &Policy) -> Option<Status> {
        match self.state {
            State::Absent => None,
            State::Lapsed => Some(Status::Lapsed),
            State::LoggedOut => Some(Status::LoggedOut),
            _ if self.silent(at, policy.heartbeat_grace_ms) => Some(Status::Silent),
            _ if self.leased(at) => Some(Status::Online),
            State::Live | State::Degraded => Some(Status::Degraded),
        }
    }

    /// The worker was heard: its lease runs anew.
    pub(super) fn hear(&mut self, at: Micros, policy: &Policy) {
        self.last_heard = at;
        self.lease_ms = policy.lease_ttl_ms;
        self.state = State::Live;
    }

    /// A session begins or goes on. What a worker said of itself ends with its session.
    pub(super) fn grant(&mut self, session: u32) {
        if self.session != session {
            *self = Self {
                session,
                minutes_beaten: self.minutes_beaten,
                last_minute: self.last_minute,
                ..Self::default()
            };
        }
        self.state = State::Live;
    }

    /// A heartbeat says all that is known; what it leaves out is unknown from now on.
    pub(super) fn beat(&mut self, at: Micros, beat: &WorkerBeat) {
        self.sent_at_ms = self.sent_at_ms.max(beat.sent_at_ms(at).unwrap_or(0));
        let minute = (at.0 / 60_000_000) as u32;
        if minute != self.last_minute {
            self.last_minute = minute;
            self.minutes_beaten += 1;
        }
        self.queue_len = beat.queue_len;
        self.reserved = 0;
        self.avg_latency_ms = beat.avg_latency_ms;
        self.temp_decidegrees = beat.temp_decidegrees;
        self.mem_free_mb = beat.mem_free_mb;
    }

    pub(super) fn update(&mut self, update: &WorkerUpdated) {
        if let Some(queue_len) = update.queue_len {
            self.queue_len = queue_len;
            self.reserved = 0;
        }
        self.busy = update.busy.unwrap_or(self.busy);
    }

    /// A job was assigned.
    pub(super) fn reserve(&mut self) {
        self.reserved = self.reserved.saturating_add(1);
    }

    /// A job that was assigned is over.
    pub(super) fn release(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_fills_one_line_of_the_cache() {
        assert_eq!(size_of::<Pulse>(), 64);
    }
}
