//! What the server allows.

use std::num::NonZeroU64;
use std::time::Duration;

use purser_commands::jobs::command::JobRules;
use purser_events::Amount;

use crate::config::{Config, Networks, Rate, Vantage};
use crate::tls::Parties;

/// What the server allows: sizes, times and counts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes of an ordinary body.
    pub body_bytes_max: usize,
    /// Bytes of a batch of commands.
    pub batch_bytes_max: usize,
    /// Bytes of a delivered file.
    pub file_bytes_max: usize,
    /// Commands of one batch.
    pub batch_commands_max: usize,
    /// How long the head of a request may take, and how long an idle connection is kept.
    pub header_read_timeout: Duration,
    /// How long a body may take to arrive.
    pub body_read_timeout: Duration,
    /// How long a reader may leave an export unread before it is cut off.
    pub stream_stall_timeout: Duration,
    /// How long requests in flight may take to end after the server was told to stop.
    pub shutdown_grace: Duration,
    /// How many connections are served at once; further ones wait to be accepted.
    pub connections_max: usize,
    /// How many exports and scans of the log run at once.
    pub streams_max: usize,
    /// How many connections, WebSockets among them, one address may hold; trusted proxies may hold
    /// more.
    pub connections_per_address_max: usize,
    /// Where coordinators may ask from; everywhere, where none is named.
    pub coordinator_networks: Networks,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// Those who need a certificate that names them.
    pub client_roles: Parties,
    /// How often each caller may ask.
    pub rates: Rates,
    /// How long a session token is good.
    pub session_token_ttl: Duration,
    /// How many WebSockets are open at once.
    pub sockets_max: usize,
    /// Bytes of a frame of a WebSocket.
    pub socket_frame_bytes_max: usize,
    /// How long nothing may be heard on a WebSocket; after half of it the worker is asked.
    pub socket_idle_timeout: Duration,
    /// Where the server stands, and probes workers' claims from; absent where it does not.
    pub vantage: Option<Vantage>,
    /// How long a read waits for `min_position`.
    pub min_position_wait: Duration,
    /// What the account that pays is declared to hold, where no node tells.
    pub declared_funds: Option<Amount>,
    /// Whether `/v1/metrics` is open; otherwise it asks for an auditor's key.
    pub metrics_open: bool,
    /// The rules that jobs are admitted and stopped by.
    pub jobs: JobRules,
}

/// How often each caller may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Registrations of one address that nobody vouches for.
    pub register: Rate,
    /// Registrations of all addresses together that nobody vouches for.
    pub register_all: Rate,
    /// Heartbeats of one worker by itself.
    pub beat: Rate,
    /// Matches that one coordinator's key asks for.
    pub matches: Rate,
}

impl Rates {
    /// No limits: what a server in the same program as its callers begins with.
    pub const OFF: Self = Self {
        register: Rate::OFF,
        register_all: Rate::OFF,
        beat: Rate::OFF,
        matches: Rate::OFF,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_bytes_max: 1 << 20,
            batch_bytes_max: 8 << 20,
            file_bytes_max: 16 << 20,
            batch_commands_max: 8_192,
            header_read_timeout: Duration::from_secs(30),
            body_read_timeout: Duration::from_secs(30),
            stream_stall_timeout: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(10),
            connections_max: 4_096,
            streams_max: 16,
            connections_per_address_max: 16_384,
            coordinator_networks: Networks::default(),
            trusted_proxies: Networks::default(),
            client_roles: Parties::NONE,
            rates: Rates::OFF,
            session_token_ttl: Duration::from_secs(900),
            sockets_max: 16_384,
            socket_frame_bytes_max: 4_096,
            socket_idle_timeout: Duration::from_secs(60),
            vantage: None,
            min_position_wait: Duration::from_secs(5),
            declared_funds: None,
            metrics_open: false,
            jobs: JobRules::default(),
        }
    }
}

impl Settings {
    /// What the configuration says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let millis = |ms: NonZeroU64| Duration::from_millis(ms.get());
        Self {
            body_bytes_max: config.body_bytes_max.get(),
            batch_bytes_max: config.batch_bytes_max.get(),
            batch_commands_max: config.batch_commands_max.get(),
            file_bytes_max: config.file_bytes_max.get(),
            header_read_timeout: millis(config.header_read_timeout_ms),
            body_read_timeout: millis(config.body_read_timeout_ms),
            stream_stall_timeout: millis(config.stream_stall_timeout_ms),
            shutdown_grace: millis(config.shutdown_grace_ms),
            connections_max: config.connections_max.get(),
            streams_max: config.streams_max.get(),
            connections_per_address_max: config.connections_per_address_max.get(),
            coordinator_networks: config.coordinator_networks.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            client_roles: config.tls_client_roles.parties(),
            rates: Rates {
                register: config.register_rate,
                register_all: config.register_rate_all,
                beat: config.beat_rate,
                matches: config.match_rate,
            },
            session_token_ttl: config.session_token_ttl_sec.duration(),
            sockets_max: config.sockets_max.get(),
            socket_frame_bytes_max: config.socket_frame_bytes_max.get(),
            socket_idle_timeout: millis(config.socket_idle_timeout_ms),
            vantage: Vantage::of(config),
            min_position_wait: millis(config.min_position_wait_ms),
            declared_funds: Some(Amount::from(config.payout_wallet_wei.wei()))
                .filter(|funds| *funds > Amount::ZERO),
            metrics_open: config.metrics_open,
            jobs: config.livepeer_compat.jobs(),
        }
    }
}
