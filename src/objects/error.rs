//! Why a store of objects did not do what it was asked.

/// Why a store of objects did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// No keys of the service are configured.
    #[error("no access keys are set; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    NoAccess,
    /// The service does not take our keys, or they may not do this.
    #[error("{place} refuses our access keys ({code}); correct them or their rights")]
    Denied {
        /// The store.
        place: String,
        /// The service's word.
        code: String,
    },
    /// There is no such bucket.
    #[error("{place} does not exist; create the bucket or name another one")]
    NoBucket {
        /// The store.
        place: String,
    },
    /// There is no such object.
    #[error("{place} holds no {key}")]
    NotFound {
        /// The store.
        place: String,
        /// The key.
        key: String,
    },
    /// The object is larger than the caller takes.
    #[error("{key} is larger than {bytes_max} bytes")]
    TooLarge {
        /// The key.
        key: String,
        /// What the caller takes.
        bytes_max: u64,
    },
    /// The service asks for fewer requests.
    #[error("{place} asks for fewer requests ({code})")]
    Throttled {
        /// The store.
        place: String,
        /// The service's word.
        code: String,
    },
    /// The answer did not come in time.
    #[error("{place} did not answer in time")]
    Timeout {
        /// The store.
        place: String,
    },
    /// The service cannot be reached.
    #[error("{place} cannot be reached: {why}")]
    Unreachable {
        /// The store.
        place: String,
        /// The last cause.
        why: String,
    },
    /// What came is not what is stored, or what was stored is not what was sent.
    #[error("{place}: {key} did not arrive whole")]
    Damaged {
        /// The store.
        place: String,
        /// The key.
        key: String,
    },
    /// The service failed, or gave an answer of another kind.
    #[error("{place} failed: {why}")]
    Failed {
        /// The store.
        place: String,
        /// Status and code.
        why: String,
    },
}

impl ObjectError {
    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::Timeout { .. }
                | Self::Unreachable { .. }
                | Self::Damaged { .. }
                | Self::Failed { .. }
        )
    }

    /// Whether other requests to the same store would fail as well.
    #[must_use]
    pub const fn concerns_the_store(&self) -> bool {
        !matches!(
            self,
            Self::NotFound { .. } | Self::TooLarge { .. } | Self::Damaged { .. }
        )
    }
}
