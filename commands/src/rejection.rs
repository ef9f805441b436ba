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
    /// No asset of this number or code is declared. Declare it first.
    UnknownAsset,
    /// There is no payout of this id.
    UnknownPayout,
    /// The payout is final, or was given up. Nothing is left to do.
    PayoutFinished,
    /// Transfers on chain are made by a run. Name another way of paying.
    RailReserved,
    /// The worker is not owed as much, or nothing was asked for. Read its balance.
    MoreThanOwed,
    /// What was signed may still land. Wait until it is final or failed.
    PayoutUnderway,
    /// No key signs payouts. Configure one.
    SignerMissing,
    /// The key was used elsewhere, and a person has to look. Audit, then resume.
    SignerStopped,
    /// What another key signed may still land. Start with that key.
    SignerBusy,
    /// The signer's account does not cover what is due. Fund it, or lower the limit of a run.
    FundsShort,
    /// The payout is not in the state that the command speaks of. Read it again.
    PayoutDiffers,
    /// The nonce is not the one that is next. Read it again.
    NonceDiffers,
    /// The fees or the signed bytes are beyond what a transfer can have.
    FeeOutOfRange,
    /// A replacement pays a tenth more than what it replaces.
    FeeTooLow,
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
        Self::UnknownAsset,
        Self::UnknownPayout,
        Self::PayoutFinished,
        Self::RailReserved,
        Self::MoreThanOwed,
        Self::PayoutUnderway,
        Self::SignerMissing,
        Self::SignerStopped,
        Self::SignerBusy,
        Self::FundsShort,
        Self::PayoutDiffers,
        Self::NonceDiffers,
        Self::FeeOutOfRange,
        Self::FeeTooLow,
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
            Self::UnknownAsset => "unknown_asset",
            Self::UnknownPayout => "unknown_payout",
            Self::PayoutFinished => "payout_finished",
            Self::RailReserved => "rail_reserved",
            Self::MoreThanOwed => "more_than_owed",
            Self::PayoutUnderway => "payout_underway",
            Self::SignerMissing => "signer_missing",
            Self::SignerStopped => "signer_stopped",
            Self::SignerBusy => "signer_busy",
            Self::FundsShort => "funds_short",
            Self::PayoutDiffers => "payout_differs",
            Self::NonceDiffers => "nonce_differs",
            Self::FeeOutOfRange => "fee_out_of_range",
            Self::FeeTooLow => "fee_too_low",
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
            Self::UnknownAsset => "no asset of this code is declared",
            Self::UnknownPayout => "there is no payout of this id",
            Self::PayoutFinished => "the payout is final, or was given up",
            Self::RailReserved => {
                "transfers on chain are made by a run; name another way of paying"
            }
            Self::MoreThanOwed => "the worker is not owed as much; read its balance",
            Self::PayoutUnderway => {
                "what was signed may still land; wait until it is final or failed"
            }
            Self::SignerMissing => "no key signs payouts; configure one",
            Self::SignerStopped => "the key was used elsewhere; audit the payouts, then resume",
            Self::SignerBusy => "what another key signed may still land; start with that key",
            Self::FundsShort => {
                "the signer's account does not cover what is due; fund it, or \
                 lower the limit of a run"
            }
            Self::PayoutDiffers => "the payout is in another state; read it again",
            Self::NonceDiffers => "the nonce is not the one that is next; read it again",
            Self::FeeOutOfRange => {
                "the fees or the signed bytes are beyond what a transfer can have"
            }
            Self::FeeTooLow => "a replacement pays a tenth more than what it replaces",
        }
    }

    /// Whether the same command may succeed later without a change.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::NotSilent)
    }
}
