//! Every key of the configuration: its type, its default, its variable of the environment.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::value::{
    Bind, Commission, Partitions, Port, Seconds, Secret, Setting, Threshold, commission_of_rate,
};

/// A key of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name in `purser.toml`.
    pub name: &'static str,
    /// Its variable of the environment.
    pub variable: &'static str,
}

macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $key:ident: $kind:ty = $variable:literal, $default:expr;)*) => {
        /// Every key, in the order that they are shown.
        pub const KEYS: &[Key] = &[
            $(Key { name: stringify!($key), variable: $variable },)*
        ];

        /// What one source says: the file, the environment, or the flags. Absent keys are left
        /// to the source below.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Layer {
            $($(#[doc = $doc])+ pub $key: Option<$kind>,)*
        }

        impl Layer {
            /// This source over another.
            #[must_use]
            pub fn over(self, below: Self) -> Self {
                Self { $($key: <$kind as Setting>::over(self.$key, below.$key),)* }
            }

            /// What our own variables of the environment say.
            fn own_variables(
                get: &dyn Fn(&str) -> Option<String>,
            ) -> Result<Self, ConfigError> {
                Ok(Self { $($key: variable(get, $variable)?,)* })
            }
        }

        /// The configuration in force.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $key: <$kind as Setting>::Effective,)*
        }

        impl Config {
            /// Fills in the defaults.
            #[must_use]
            pub fn from_layers(layer: Layer) -> Self {
                Self {
                    $($key: {
                        let over = <$kind as Setting>::over(layer.$key, $default);
                        <$kind as Setting>::effective(over)
                    },)*
                }
            }
        }
    };
}

const fn count(count: usize) -> Option<NonZeroUsize> {
    NonZeroUsize::new(count)
}

const fn mebibytes(count: usize) -> Option<NonZeroUsize> {
    NonZeroUsize::new(count << 20)
}

const fn millis(millis: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(millis)
}

keys! {
    /// The directory of the log, the snapshots and the keys.
    data: PathBuf = "PURSER_DATA", Some(PathBuf::from("purser-data"));
    /// The address that the server listens on: `IP`, `:PORT` or `IP:PORT`.
    bind: Bind = "PURSER_BIND", Some(Bind::DEFAULT);
    /// A further key of role coordinator, beside those in the data directory's `keys.toml`.
    coordinator_secret: Secret = "PURSER_COORDINATOR_SECRET", None;
    /// Whether `/v1/metrics` answers without a key.
    metrics_open: bool = "PURSER_METRICS_OPEN", Some(false);
    /// Connections that are served at once; a further one waits to be accepted.
    connections_max: NonZeroUsize = "PURSER_CONNECTIONS_MAX", count(4_096);
    /// Exports and scans of the log that run at once.
    streams_max: NonZeroUsize = "PURSER_STREAMS_MAX", count(16);
    /// Bytes of an ordinary request's body.
    body_bytes_max: NonZeroUsize = "PURSER_BODY_BYTES_MAX", mebibytes(1);
    /// Bytes of a batch of commands.
    batch_bytes_max: NonZeroUsize = "PURSER_BATCH_BYTES_MAX", mebibytes(8);
    /// Commands of one batch.
    batch_commands_max: NonZeroUsize = "PURSER_BATCH_COMMANDS_MAX", count(8_192);
    /// Bytes of a delivered file.
    file_bytes_max: NonZeroUsize = "PURSER_FILE_BYTES_MAX", mebibytes(16);
    /// How long a request's head may take, and how long an idle connection is kept.
    header_read_timeout_ms: NonZeroU64 = "PURSER_HEADER_READ_TIMEOUT_MS", millis(30_000);
    /// How long a request's body may take.
    body_read_timeout_ms: NonZeroU64 = "PURSER_BODY_READ_TIMEOUT_MS", millis(30_000);
    /// How long a reader may leave an export unread before it is cut off.
    stream_stall_timeout_ms: NonZeroU64 = "PURSER_STREAM_STALL_TIMEOUT_MS", millis(30_000);
    /// How long requests in flight may take to end once the server was told to stop.
    shutdown_grace_ms: NonZeroU64 = "PURSER_SHUTDOWN_GRACE_MS", millis(10_000);
    /// How long a read waits for its `min_position`.
    min_position_wait_ms: NonZeroU64 = "PURSER_MIN_POSITION_WAIT_MS", millis(5_000);
    /// Requests that wait for the writer; a further one is answered 503.
    queue_len_max: NonZeroUsize = "PURSER_QUEUE_LEN_MAX", count(4_096);
    /// Commands that share a commit at most.
    commit_commands_max: NonZeroUsize = "PURSER_COMMIT_COMMANDS_MAX", count(16_384);
    /// Events between two snapshots.
    snapshot_every_events: NonZeroU64 = "PURSER_SNAPSHOT_EVERY_EVENTS",
        NonZeroU64::new(1_000_000);
    /// Node types and regions whose files are taken in, as `node_type|region`, for a new
    /// data directory.
    partitions: Partitions = "PURSER_PARTITIONS", Some(Partitions::default());
    /// The pool's share of each fee in hundredths of a percent, for a new data directory.
    commission_bps: Commission = "PURSER_COMMISSION_BPS", Some(Commission(2_500));
    /// The unpaid total at which a worker is due, in wei, for a new data directory.
    payout_threshold_wei: Threshold = "PURSER_PAYOUT_THRESHOLD_WEI", Some(Threshold::DEFAULT);
    /// How long a lease lasts, in seconds, for a new data directory.
    lease_ttl_sec: Seconds = "PURSER_LEASE_TTL_SEC", Some(Seconds(60));
    /// How long a worker may be silent before it lapses, in seconds, for a new data directory.
    heartbeat_grace_sec: Seconds = "PURSER_HEARTBEAT_GRACE_SEC", Some(Seconds(120));
    /// How soon a worker is asked to beat again, in seconds, for a new data directory.
    heartbeat_interval_sec: Seconds = "PURSER_HEARTBEAT_INTERVAL_SEC", Some(Seconds(15));
}

/// The variables of Purser's sources that are honoured, each with the key that it sets.
pub const SOURCE_VARIABLES: &[Key] = &[
    Key {
        name: "bind",
        variable: "POOLHUB_BIND",
    },
    Key {
        name: "bind",
        variable: "POOLHUB_PORT",
    },
    Key {
        name: "coordinator_secret",
        variable: "COORDINATOR_SHARED_SECRET",
    },
    Key {
        name: "lease_ttl_sec",
        variable: "SESSION_TTL_SEC",
    },
    Key {
        name: "heartbeat_grace_sec",
        variable: "HEARTBEAT_GRACE_SEC",
    },
    Key {
        name: "commission_bps",
        variable: "POOL_COMMISSION_RATE",
    },
    Key {
        name: "payout_threshold_wei",
        variable: "PAYMENT_THRESHOLD_WEI",
    },
];

impl Layer {
    /// What the environment says: our own variables over those of Purser's sources.
    ///
    /// # Errors
    /// When a variable has a value that its key does not take.
    pub fn from_environment(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let bind = Bind::over(
            variable(get, "POOLHUB_BIND")?,
            variable::<Port>(get, "POOLHUB_PORT")?.map(Bind::of_port),
        );
        let sources = Self {
            bind,
            coordinator_secret: variable(get, "COORDINATOR_SHARED_SECRET")?,
            lease_ttl_sec: variable(get, "SESSION_TTL_SEC")?,
            heartbeat_grace_sec: variable(get, "HEARTBEAT_GRACE_SEC")?,
            commission_bps: get("POOL_COMMISSION_RATE")
                .map(|text| commission_of_rate(&text))
                .transpose()
                .map_err(|source| named("POOL_COMMISSION_RATE", source))?,
            payout_threshold_wei: variable(get, "PAYMENT_THRESHOLD_WEI")?,
            ..Self::default()
        };
        Ok(Self::own_variables(get)?.over(sources))
    }
}

fn variable<T: Setting>(
    get: &dyn Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<Option<T>, ConfigError> {
    get(name)
        .map(|text| T::from_text(&text))
        .transpose()
        .map_err(|source| named(name, source))
}

const fn named(name: &'static str, source: super::ValueError) -> ConfigError {
    ConfigError::Environment { name, source }
}
