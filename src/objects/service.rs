//! An S3-compatible service: where it is, who we are there, how much we ask at once.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Config, Credentials, Region, RequestChecksumCalculation,
    ResponseChecksumValidation, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use tokio::sync::Semaphore;

use super::Bucket;

/// The keys of a service. They are shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// The id of the key.
    pub key_id: String,
    /// The secret of the key.
    pub secret: String,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access(..)")
    }
}

/// How a service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Where it is; absent for the one that the region names.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// Who we are there; requests fail without.
    pub access: Option<Access>,
    /// How long one request may take, with its body.
    pub timeout: Duration,
    /// Requests that are under way at once.
    pub at_once: usize,
}

/// A service that buckets are reached through. All of them share its connections.
#[derive(Clone)]
pub struct Service {
    client: Client,
    room: Arc<Semaphore>,
    timeout: Duration,
    has_access: bool,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl Service {
    /// The service. Nothing is asked of it yet.
    #[must_use]
    pub fn new(settings: &ServiceSettings) -> Self {
        let http = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .pool_max_idle_per_host(settings.at_once)
            .build_https();
        // Attempts are ours to count: a body that breaks off is tried again as well.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(settings.timeout.min(Duration::from_secs(5)))
            .operation_timeout(settings.timeout)
            .build();
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .region(Region::new(settings.region.clone()))
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // Services differ in which checksums they know: uploads are verified by us.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(endpoint) = &settings.endpoint {
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        if let Some(Access { key_id, secret }) = &settings.access {
            let keys = Credentials::new(key_id, secret, None, None, "configuration");
            config = config.credentials_provider(keys);
        }
        Self {
            client: Client::from_conf(config.build()),
            room: Arc::new(Semaphore::new(settings.at_once)),
            timeout: settings.timeout,
            has_access: settings.access.is_some(),
        }
    }

    /// One of its buckets.
    #[must_use]
    pub fn bucket(&self, name: &str) -> Bucket {
        Bucket::new(self.clone(), name)
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) const fn room(&self) -> &Arc<Semaphore> {
        &self.room
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) const fn has_access(&self) -> bool {
        self.has_access
    }
}
