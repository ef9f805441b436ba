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
    /// When its lease runs out, unless it is heard before.
    pub lease_until: Micros,
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
        self.state == State::Live
    }

    /// Whether the lease is in force at `at`.
    #[must_use]
    pub fn leased(&self, at: Micros) -> bool {
        self.live() && at <= self.lease_until
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
            State::Live if self.silent(at, policy.heartbeat_grace_ms) => Some(Status::Silent),
            State::Live if self.leased(at) => Some(Status::Online),
            State::Live => Some(Status::Degraded),
        }
    }

    /// The worker was heard: its lease runs anew.
    pub(super) fn hear(&mut self, at: Micros, policy: &Policy) {
        self.last_heard = at;
        self.lease_until = Micros(at.0.saturating_add(u64::from(policy.lease_ttl_ms) * 1_000));
    }

    /// A session begins or goes on. What a worker said of itself ends with its session.
    pub(super) fn grant(&mut self, session: u32) {
        if self.session != session {
            *self = Self {
                session,
                ..Self::default()
            };
        }
        self.state = State::Live;
    }

    /// A heartbeat says all that is known; what it leaves out is unknown from now on.
    pub(super) fn beat(&mut self, at: Micros, beat: &WorkerBeat) {
        self.sent_at_ms = self.sent_at_ms.max(beat.sent_at_ms(at).unwrap_or(0));
        self.queue_len = beat.queue_len;
        self.avg_latency_ms = beat.avg_latency_ms;
        self.temp_decidegrees = beat.temp_decidegrees;
        self.mem_free_mb = beat.mem_free_mb;
    }

    pub(super) fn update(&mut self, update: &WorkerUpdated) {
        self.queue_len = update.queue_len.unwrap_or(self.queue_len);
        self.busy = update.busy.unwrap_or(self.busy);
    }
}
