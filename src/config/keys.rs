//! Every key of the configuration: its type, its default, its variable of the environment.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::chain::{Finality, RpcUrls};
use super::grants::{Percent, PoolAsset, Units};
use super::livepeer::{Account, Prices, ServiceAddr, Switches};
use super::matching::MatchWeights;
use super::probe::{Distances, ProbeRegion};
use super::tls::{ClientRoles, PemFile};
use super::traffic::{Networks, Rate};
use super::value::{
    Bind, Commission, Partitions, Port, Seconds, Secret, Setting, Text, Threshold,
    commission_of_rate,
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
    /// The server's certificate and those between it and an authority, as PEM; without it the
    /// server speaks plain HTTP.
    tls_certificate: PemFile = "PURSER_TLS_CERTIFICATE", None;
    /// The private key of the certificate, as PEM.
    tls_key: PemFile = "PURSER_TLS_KEY", None;
    /// The authorities of clients' certificates, as PEM.
    tls_client_ca: PemFile = "PURSER_TLS_CLIENT_CA", None;
    /// Those who need a certificate that names them; where none is named, every connection needs
    /// one of `tls_client_ca`.
    tls_client_roles: ClientRoles = "PURSER_TLS_CLIENT_ROLES", None;
    /// A further key of role coordinator, beside those in the data directory's `keys.toml`.
    coordinator_secret: Secret = "PURSER_COORDINATOR_SECRET", None;
    /// Whether `/v1/metrics` answers without a key.
    metrics_open: bool = "PURSER_METRICS_OPEN", Some(false);
    /// Connections that are served at once; a further one waits to be accepted.
    connections_max: NonZeroUsize = "PURSER_CONNECTIONS_MAX", count(4_096);
    /// Exports and scans of the log that run at once.
    streams_max: NonZeroUsize = "PURSER_STREAMS_MAX", count(16);
    /// Connections, WebSockets among them, that one address may hold; trusted proxies hold more.
    connections_per_address_max: NonZeroUsize = "PURSER_CONNECTIONS_PER_ADDRESS_MAX",
        count(16_384);
    /// Networks that coordinators may ask from; all, where none is named.
    coordinator_networks: Networks = "PURSER_COORDINATOR_NETWORKS", None;
    /// Proxies whose `X-Forwarded-For` is believed.
    trusted_proxies: Networks = "PURSER_TRUSTED_PROXIES", None;
    /// Registrations of one address that no coordinator's key vouches for.
    register_rate: Rate = "PURSER_REGISTER_RATE", Some(Rate::of(5, 60, 5));
    /// Registrations of all addresses together that no coordinator's key vouches for.
    register_rate_all: Rate = "PURSER_REGISTER_RATE_ALL", Some(Rate::of(1, 1, 20));
    /// Heartbeats of one worker by itself.
    beat_rate: Rate = "PURSER_BEAT_RATE", Some(Rate::of(1, 5, 3));
    /// Matches that one coordinator's key asks for.
    match_rate: Rate = "PURSER_MATCH_RATE", Some(Rate::of(20, 1, 40));
    /// How long a worker's session token is good, in seconds; renewing the lease answers a new one.
    session_token_ttl_sec: Seconds = "PURSER_SESSION_TOKEN_TTL_SEC", Some(Seconds(900));
    /// WebSockets of workers that are open at once; a further one is answered 503.
    sockets_max: NonZeroUsize = "PURSER_SOCKETS_MAX", count(16_384);
    /// Bytes of a frame of a WebSocket.
    socket_frame_bytes_max: NonZeroUsize = "PURSER_SOCKET_FRAME_BYTES_MAX", count(4_096);
    /// How long nothing may be heard on a WebSocket before it is closed.
    socket_idle_timeout_ms: NonZeroU64 = "PURSER_SOCKET_IDLE_TIMEOUT_MS", millis(60_000);
    /// The region that this server stands in: it probes the workers' claims from there. Empty: it
    /// does not.
    probe_region: ProbeRegion = "PURSER_PROBE_REGION", Some(ProbeRegion::default());
    /// How far other regions are from here at least, in kilometres, as `region=kilometres`.
    probe_distances_km: Distances = "PURSER_PROBE_DISTANCES_KM", Some(Distances::default());
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
    /// Where the S3-compatible service is; the one of the region where it is left out.
    s3_endpoint: Text = "PURSER_S3_ENDPOINT", None;
    /// The region that requests to the service are signed for.
    s3_region: Text = "PURSER_S3_REGION", Some(Text::fixed("us-east-1"));
    /// The id of our key at the service.
    s3_access_key_id: Secret = "PURSER_S3_ACCESS_KEY_ID", None;
    /// The secret of our key at the service.
    s3_secret_access_key: Secret = "PURSER_S3_SECRET_ACCESS_KEY", None;
    /// The bucket that orchestrators write their event files to.
    s3_bucket: Text = "PURSER_S3_BUCKET", None;
    /// What the keys of files that are taken in begin with.
    s3_prefix: Text = "PURSER_S3_PREFIX", None;
    /// The bucket that summaries for dashboards are written to.
    s3_metrics_bucket: Text = "PURSER_S3_METRICS_BUCKET", None;
    /// The bucket that event files and the log are copied to.
    s3_archive_bucket: Text = "PURSER_S3_ARCHIVE_BUCKET", None;
    /// What the keys of copied event files begin with.
    s3_archive_prefix: Text = "PURSER_S3_ARCHIVE_PREFIX", Some(Text::fixed("archive/"));
    /// What the keys of copied ranges of the log begin with.
    s3_log_prefix: Text = "PURSER_S3_LOG_PREFIX", Some(Text::fixed("log/"));
    /// The newest events that stay on the local disk; older ones leave it once they are in the
    /// archive. 0 and no days: all stay.
    s3_log_local_events: u64 = "PURSER_S3_LOG_LOCAL_EVENTS", Some(0);
    /// How many days events stay on the local disk at least. 0 and no number: all stay.
    s3_log_local_days: u64 = "PURSER_S3_LOG_LOCAL_DAYS", Some(0);
    /// Files that are handed to the writer at once.
    s3_files_per_batch: NonZeroUsize = "PURSER_S3_FILES_PER_BATCH", count(250);
    /// Bytes of files that are held in memory at once.
    s3_bytes_per_batch: NonZeroUsize = "PURSER_S3_BYTES_PER_BATCH", mebibytes(64);
    /// Requests to the service that are under way at once.
    s3_requests_max: NonZeroUsize = "PURSER_S3_REQUESTS_MAX", count(32);
    /// How long a request to the service may take.
    s3_request_timeout_ms: NonZeroU64 = "PURSER_S3_REQUEST_TIMEOUT_MS", millis(10_000);
    /// How long to wait between two listings of the bucket, in seconds.
    s3_poll_interval_sec: Seconds = "PURSER_S3_POLL_INTERVAL_SEC", Some(Seconds(30));
    /// How long a live partition may deliver no file before that is an alarm, in seconds.
    s3_gap_alarm_sec: Seconds = "PURSER_S3_GAP_ALARM_SEC", Some(Seconds(900));
    /// Whether summaries for dashboards show the addresses of connections.
    s3_metrics_connections: bool = "PURSER_S3_METRICS_CONNECTIONS", Some(false);
    /// The nodes of the chain that payouts are made on, in the order in which they are asked.
    payout_rpc_urls: RpcUrls = "PURSER_PAYOUT_RPC_URLS", None;
    /// The key that signs payouts: 64 hexadecimal digits, or the path of a JSON keystore.
    payout_key: Secret = "PURSER_PAYOUT_KEY", None;
    /// The keystore's password: the text itself, or the path of a file that holds it.
    payout_key_password: Secret = "PURSER_PAYOUT_KEY_PASSWORD", None;
    /// The chain: a node of another one is not used.
    payout_chain_id: NonZeroU64 = "PURSER_PAYOUT_CHAIN_ID", NonZeroU64::new(42_161);
    /// How often payouts are requested for everybody who is due, in seconds; 0: only on an
    /// operator's word.
    payout_every_sec: u64 = "PURSER_PAYOUT_EVERY_SEC", Some(600);
    /// What the account that pays is declared to hold, in wei: what is due is set against it where
    /// no node tells; 0: it is not declared.
    payout_wallet_wei: Threshold = "PURSER_PAYOUT_WALLET_WEI", Some(Threshold::of(0));
    /// Whether runs only say what they would pay.
    payout_dry_run: bool = "PURSER_PAYOUT_DRY_RUN", Some(false);
    /// When a block is final: `finalized`, or so many blocks.
    payout_finality: Finality = "PURSER_PAYOUT_FINALITY", Some(Finality::Finalized);
    /// The most that a unit of gas may cost, in wei; above it, payouts wait.
    payout_gas_price_max_wei: Threshold = "PURSER_PAYOUT_GAS_PRICE_MAX_WEI",
        Some(Threshold::of(5_000_000_000_000));
    /// The most units of gas that one transfer may use.
    payout_gas_limit: NonZeroU64 = "PURSER_PAYOUT_GAS_LIMIT", NonZeroU64::new(1_000_000);
    /// How often the chain is asked while payouts are under way.
    payout_poll_ms: NonZeroU64 = "PURSER_PAYOUT_POLL_MS", millis(2_000);
    /// How long a transfer may wait before it is replaced with higher fees.
    payout_replace_after_ms: NonZeroU64 = "PURSER_PAYOUT_REPLACE_AFTER_MS", millis(120_000);
    /// How long a node may take to answer.
    payout_rpc_timeout_ms: NonZeroU64 = "PURSER_PAYOUT_RPC_TIMEOUT_MS", millis(10_000);
    /// The first pause after no node answered; it doubles twice.
    payout_rpc_backoff_ms: NonZeroU64 = "PURSER_PAYOUT_RPC_BACKOFF_MS", millis(1_000);
    /// Node types and regions whose files are taken in, as `node_type|region`, for a new
    /// data directory.
    partitions: Partitions = "PURSER_PARTITIONS", Some(Partitions::default());
    /// The pool's share of each fee in hundredths of a percent, for a new data directory.
    commission_bps: Commission = "PURSER_COMMISSION_BPS", Some(Commission(2_500));
    /// The unpaid total at which a worker is due, in wei, for a new data directory.
    payout_threshold_wei: Threshold = "PURSER_PAYOUT_THRESHOLD_WEI", Some(Threshold::DEFAULT);
    /// How long after its last payout a worker is not due again, in seconds, for a new data
    /// directory.
    payout_interval_sec: u64 = "PURSER_PAYOUT_INTERVAL_SEC", Some(0);
    /// The most that one run may request on chain, in wei, for a new data directory.
    payout_run_max_wei: Threshold = "PURSER_PAYOUT_RUN_MAX_WEI", Some(Threshold::of(u128::MAX));
    /// The most that may be requested on chain in one day, in wei, for a new data directory.
    payout_day_max_wei: Threshold = "PURSER_PAYOUT_DAY_MAX_WEI", Some(Threshold::of(u128::MAX));
    /// How long a lease lasts, in seconds, for a new data directory.
    lease_ttl_sec: Seconds = "PURSER_LEASE_TTL_SEC", Some(Seconds(60));
    /// How long a worker may be silent before it lapses, in seconds, for a new data directory.
    heartbeat_grace_sec: Seconds = "PURSER_HEARTBEAT_GRACE_SEC", Some(Seconds(120));
    /// How soon a worker is asked to beat again, in seconds, for a new data directory.
    heartbeat_interval_sec: Seconds = "PURSER_HEARTBEAT_INTERVAL_SEC", Some(Seconds(15));
    /// The weights of the parts of a match's score; together one; for a new data directory.
    match_weights: MatchWeights = "PURSER_MATCH_WEIGHTS", Some(MatchWeights::DEFAULT);
    /// The asset of the pools of generosity, as `code:exponent`, for a new data directory.
    pool_asset: PoolAsset = "PURSER_POOL_ASSET", Some(PoolAsset::default());
    /// What the house's own pool begins with, in base units, for a new data directory.
    pool_seed: Units = "PURSER_POOL_SEED", Some(Units(10_000));
    /// The part of each net charge that the pool is credited with, in percent, for a new data
    /// directory.
    pool_credit_pct: Percent = "PURSER_POOL_CREDIT_PCT", Some(Percent(10));
    /// What a new identity may be granted per UTC day, in base units, for a new data directory.
    grant_budget_new: Units = "PURSER_GRANT_BUDGET_NEW", Some(Units(0));
    /// The same for an established one.
    grant_budget_established: Units = "PURSER_GRANT_BUDGET_ESTABLISHED", Some(Units(50));
    /// The same for a trusted one.
    grant_budget_trusted: Units = "PURSER_GRANT_BUDGET_TRUSTED", Some(Units(200));
    /// The same for an elite one.
    grant_budget_elite: Units = "PURSER_GRANT_BUDGET_ELITE", Some(Units(1_000));
    /// Whom winning Livepeer tickets pay; without it no tickets are issued or taken.
    livepeer_recipient: Account = "PURSER_LIVEPEER_RECIPIENT", None;
    /// Where gateways reach the node, as tokens say it.
    livepeer_service_addr: ServiceAddr = "PURSER_LIVEPEER_SERVICE_ADDR",
        Some(ServiceAddr::default());
    /// What a second of each capability costs in wei, as `capability=numerator/denominator`.
    livepeer_prices: Prices = "PURSER_LIVEPEER_PRICES", Some(Prices::default());
    /// What a ticket should be worth, in wei.
    livepeer_ticket_ev_wei: Threshold = "PURSER_LIVEPEER_TICKET_EV_WEI",
        Some(Threshold::TICKET);
    /// The greatest face value of a ticket, in wei.
    livepeer_face_value_max_wei: Threshold = "PURSER_LIVEPEER_FACE_VALUE_MAX_WEI",
        Some(Threshold::MOST);
    /// Gas that the redemption of a ticket takes.
    livepeer_redeem_gas: NonZeroU64 = "PURSER_LIVEPEER_REDEEM_GAS",
        NonZeroU64::new(1_200_000);
    /// A winning ticket should pay so many times what its redemption costs.
    livepeer_cost_multiplier: NonZeroU64 = "PURSER_LIVEPEER_COST_MULTIPLIER",
        NonZeroU64::new(100);
    /// Where the reference node is followed although there is a better way: words.
    livepeer_compat: Switches = "PURSER_LIVEPEER_COMPAT", Some(Switches::default());
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
        name: "match_weights",
        variable: "DEFAULT_WEIGHTS",
    },
    Key {
        name: "commission_bps",
        variable: "POOL_COMMISSION_RATE",
    },
    Key {
        name: "payout_threshold_wei",
        variable: "PAYMENT_THRESHOLD_WEI",
    },
    Key {
        name: "pool_credit_pct",
        variable: "POOL_CREDIT_PCT",
    },
    Key {
        name: "s3_bucket",
        variable: "S3_BUCKET",
    },
    Key {
        name: "s3_metrics_bucket",
        variable: "S3_METRICS_BUCKET",
    },
    Key {
        name: "s3_endpoint",
        variable: "S3_ENDPOINT",
    },
    Key {
        name: "s3_archive_bucket",
        variable: "S3_ARCHIVE_BUCKET",
    },
    Key {
        name: "s3_archive_prefix",
        variable: "S3_ARCHIVE_PREFIX",
    },
    Key {
        name: "s3_access_key_id",
        variable: "AWS_ACCESS_KEY_ID",
    },
    Key {
        name: "s3_secret_access_key",
        variable: "AWS_SECRET_ACCESS_KEY",
    },
    Key {
        name: "s3_region",
        variable: "AWS_REGION",
    },
    Key {
        name: "s3_files_per_batch",
        variable: "MAX_FILES_PER_BATCH",
    },
    Key {
        name: "s3_poll_interval_sec",
        variable: "S3_SENSOR_INTERVAL_SECONDS",
    },
    Key {
        name: "payout_rpc_urls",
        variable: "ETH_RPC_ENDPOINT",
    },
    Key {
        name: "payout_key",
        variable: "ETH_PRIVATE_KEY",
    },
    Key {
        name: "payout_key_password",
        variable: "ETH_KEYSTORE_PASSWORD",
    },
    Key {
        name: "payout_chain_id",
        variable: "CHAIN_ID",
    },
    Key {
        name: "payout_gas_price_max_wei",
        variable: "MAX_GAS_PRICE_WEI",
    },
    Key {
        name: "payout_gas_limit",
        variable: "GAS_LIMIT",
    },
    Key {
        name: "payout_every_sec",
        variable: "PAYMENT_SENSOR_INTERVAL_SECONDS",
    },
    Key {
        name: "payout_interval_sec",
        variable: "MIN_PAYMENT_INTERVAL_SECONDS",
    },
    Key {
        name: "payout_dry_run",
        variable: "PAYMENT_PROCESSING_DRY_RUN",
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
            match_weights: variable(get, "DEFAULT_WEIGHTS")?,
            commission_bps: get("POOL_COMMISSION_RATE")
                .map(|text| commission_of_rate(&text))
                .transpose()
                .map_err(|source| named("POOL_COMMISSION_RATE", source))?,
            payout_threshold_wei: variable(get, "PAYMENT_THRESHOLD_WEI")?,
            pool_credit_pct: variable(get, "POOL_CREDIT_PCT")?,
            s3_bucket: variable(get, "S3_BUCKET")?,
            s3_metrics_bucket: variable(get, "S3_METRICS_BUCKET")?,
            s3_endpoint: variable(get, "S3_ENDPOINT")?,
            s3_archive_bucket: variable(get, "S3_ARCHIVE_BUCKET")?,
            s3_archive_prefix: variable(get, "S3_ARCHIVE_PREFIX")?,
            s3_access_key_id: variable(get, "AWS_ACCESS_KEY_ID")?,
            s3_secret_access_key: variable(get, "AWS_SECRET_ACCESS_KEY")?,
            s3_region: variable(get, "AWS_REGION")?,
            s3_files_per_batch: variable(get, "MAX_FILES_PER_BATCH")?,
            s3_poll_interval_sec: variable(get, "S3_SENSOR_INTERVAL_SECONDS")?,
            payout_rpc_urls: variable(get, "ETH_RPC_ENDPOINT")?,
            payout_key: variable(get, "ETH_PRIVATE_KEY")?,
            payout_key_password: variable(get, "ETH_KEYSTORE_PASSWORD")?,
            payout_chain_id: variable(get, "CHAIN_ID")?,
            payout_gas_price_max_wei: variable(get, "MAX_GAS_PRICE_WEI")?,
            payout_gas_limit: variable(get, "GAS_LIMIT")?,
            payout_every_sec: variable(get, "PAYMENT_SENSOR_INTERVAL_SECONDS")?,
            payout_interval_sec: variable(get, "MIN_PAYMENT_INTERVAL_SECONDS")?,
            payout_dry_run: variable(get, "PAYMENT_PROCESSING_DRY_RUN")?,
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
