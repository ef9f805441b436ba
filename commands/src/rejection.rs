//! The typed "no". The order of the variants is the order in which a decision checks.

/// Why a command was refused. Nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejection {
    /// No worker of this id is registered. Register it first.
    UnknownWorker,
    /// The id belongs to another API key. Use that key, or another id.
    KeyMismatch,
    /// The session ended: logged out, lapsed or replaced. Register again.
    SessionEnded,
    /// The worker was heard within the grace; it does not lapse.
    NotSilent,
    /// The rule has another value than the caller expected. Read it and decide again.
    PolicyDiffers,
    /// The value is outside what the rule allows. See the API's range for it.
    PolicyOutOfRange,
    /// The asset is declared with another exponent.
    AssetDiffers,
}

impl Rejection {
    /// Every rejection, in the order of the checks.
    pub const ALL: &'static [Self] = &[
        Self::UnknownWorker,
        Self::KeyMismatch,
        Self::SessionEnded,
        Self::NotSilent,
        Self::PolicyDiffers,
        Self::PolicyOutOfRange,
        Self::AssetDiffers,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownWorker => "unknown_worker",
            Self::KeyMismatch => "key_mismatch",
            Self::SessionEnded => "session_ended",
            Self::NotSilent => "not_silent",
            Self::PolicyDiffers => "policy_differs",
            Self::PolicyOutOfRange => "policy_out_of_range",
            Self::AssetDiffers => "asset_differs",
        }
    }

    /// What the caller should do, as a sentence's fragment.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::UnknownWorker => "no worker of this id is registered; register it first",
            Self::KeyMismatch => "the id belongs to another API key",
            Self::SessionEnded => "the session ended; register again",
            Self::NotSilent => "the worker was heard within the grace",
            Self::PolicyDiffers => "the rule has another value than expected; read it again",
            Self::PolicyOutOfRange => "the value is outside the range of this rule",
            Self::AssetDiffers => "the asset is declared with another exponent",
        }
    }

    /// Whether the same command may succeed later without a change.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::NotSilent)
    }
}
