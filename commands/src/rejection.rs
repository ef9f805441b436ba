//! The typed "no". The order of the variants is the order in which a decision checks.

use purser_events::Amount;

/// Why a command was refused. Nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejection {
    /// No worker of this id is registered. Register it first.
    UnknownWorker,
    /// The id belongs to another API key. Use that key, or another id.
    KeyMismatch,
    /// The session ended: logged out, lapsed or replaced. Register again.
    SessionEnded,
    /// No such instruction waits for this worker's answer: it was answered, or asked anew.
    InstructionNotWaiting,
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
    /// No payer of this name is known.
    UnknownPayer,
    /// The id was used for a payment of another amount, payer or job.
    PaymentDiffers,
    /// The number was used for a debit of something else.
    DebitDiffers,
    /// The payer has no job of this id. Open it first.
    UnknownJob,
    /// The job closed. Open another one; pay into the payer's own funds.
    JobClosed,
    /// The payer's job of this id was opened with other terms. Choose another id.
    JobDiffers,
    /// The payer owes more than the rule allows. Pay the shortfall.
    Debt {
        /// How much must be paid before a job is opened.
        shortfall: Amount,
    },
    /// The payer has as many open jobs as the rule allows. Close some.
    TooManyJobs,
    /// The job was opened without a price. Debit it by amount.
    NoPrice,
    /// The payer's funds do not cover the transfer.
    InsufficientFunds {
        /// How much is missing.
        shortfall: Amount,
    },
    /// The amount, or a sum that it leads to, is beyond the range of amounts.
    AmountTooLarge,
    /// The job's balance does not cover the units asked for.
    InsufficientBalance {
        /// How much is missing.
        shortfall: Amount,
    },
    /// Something happened to the job within the time that it may be idle.
    NotIdle,
    /// As many names of this kind are known as there may be.
    TooManyNames,
    /// No capability of this name is declared. Declare it first.
    UnknownCapability,
    /// Jobs hold slots of the capability. Free them first.
    SlotsHeld,
    /// All slots of the capability are held. Try again when some are freed.
    CapacityFull,
    /// No match of this job was recorded.
    UnknownMatch,
    /// The job is another coordinator's.
    JobOfAnother,
    /// The job holds slots already. Report on them first.
    JobAssigned,
    /// A worker completed the job.
    JobCompleted,
    /// None of the candidates can take the job any more. Match again.
    CandidatesGone,
    /// The slot's time is not over.
    NotExpired,
    /// The worker claims no region.
    NoRegionClaimed,
    /// An amount of work, a payment or a refund is at least 1. Name one.
    BadAmount,
    /// No pool of generosity is open. Open one first.
    NoPool,
    /// No pool of this name is open.
    UnknownPool,
    /// The pool is open with another seed, or all pools are in another asset.
    PoolDiffers,
    /// The order does not name every pool once.
    OrderIncomplete,
    /// No request of this id was decided. Decide it first.
    UnknownRequest,
    /// The request was decided, or settled, with other values. Choose another id.
    RequestDiffers,
    /// The request is closed.
    RequestClosed,
    /// The request waits for its payment. Confirm it first.
    NotPaid,
    /// A job was opened on the request. Close the job.
    OnJob,
    /// The request's time has not run out.
    NotDue,
    /// The request was not settled, so there is nothing to pay back.
    NotSettled,
    /// More would be paid back than was charged.
    RefundTooLarge,
    /// The house's revenue does not cover the refund.
    InsufficientRevenue {
        /// How much is missing.
        shortfall: Amount,
    },
    /// The L1 block is too far above the newest known one to be a block.
    BlockTooFar,
    /// The payer, or all payers, have as many live sets of ticket parameters as there may be.
    TooManyTicketSets,
    /// No winner of this number is known.
    UnknownWinner,
    /// The winner came to another end before.
    WinnerSettled,
}

impl Rejection {
    /// Every rejection, in the order of the checks.
    pub const ALL: &'static [Self] = &[
        Self::UnknownWorker,
        Self::KeyMismatch,
        Self::SessionEnded,
        Self::InstructionNotWaiting,
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
        Self::UnknownPayer,
        Self::PaymentDiffers,
        Self::DebitDiffers,
        Self::UnknownJob,
        Self::JobClosed,
        Self::JobDiffers,
        Self::Debt {
            shortfall: Amount::ZERO,
        },
        Self::TooManyJobs,
        Self::NoPrice,
        Self::InsufficientFunds {
            shortfall: Amount::ZERO,
        },
        Self::AmountTooLarge,
        Self::InsufficientBalance {
            shortfall: Amount::ZERO,
        },
        Self::NotIdle,
        Self::TooManyNames,
        Self::UnknownCapability,
        Self::SlotsHeld,
        Self::CapacityFull,
        Self::UnknownMatch,
        Self::JobOfAnother,
        Self::JobAssigned,
        Self::JobCompleted,
        Self::CandidatesGone,
        Self::NotExpired,
        Self::NoRegionClaimed,
        Self::BadAmount,
        Self::NoPool,
        Self::UnknownPool,
        Self::PoolDiffers,
        Self::OrderIncomplete,
        Self::UnknownRequest,
        Self::RequestDiffers,
        Self::RequestClosed,
        Self::NotPaid,
        Self::OnJob,
        Self::NotDue,
        Self::NotSettled,
        Self::RefundTooLarge,
        Self::InsufficientRevenue {
            shortfall: Amount::ZERO,
        },
        Self::BlockTooFar,
        Self::TooManyTicketSets,
        Self::UnknownWinner,
        Self::WinnerSettled,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownWorker => "unknown_worker",
            Self::KeyMismatch => "key_mismatch",
            Self::SessionEnded => "session_ended",
            Self::InstructionNotWaiting => "instruction_not_waiting",
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
            Self::UnknownPayer => "unknown_payer",
            Self::PaymentDiffers => "payment_differs",
            Self::DebitDiffers => "debit_differs",
            Self::UnknownJob => "unknown_job",
            Self::JobClosed => "job_closed",
            Self::JobDiffers => "job_differs",
            Self::Debt { .. } => "debt",
            Self::TooManyJobs => "too_many_jobs",
            Self::NoPrice => "no_price",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::AmountTooLarge => "amount_too_large",
            Self::InsufficientBalance { .. } => "insufficient_balance",
            Self::NotIdle => "not_idle",
            Self::TooManyNames => "too_many_names",
            Self::UnknownCapability => "unknown_capability",
            Self::SlotsHeld => "slots_held",
            Self::CapacityFull => "capacity_full",
            Self::UnknownMatch => "unknown_match",
            Self::JobOfAnother => "job_of_another",
            Self::JobAssigned => "job_assigned",
            Self::JobCompleted => "job_completed",
            Self::CandidatesGone => "candidates_gone",
            Self::NotExpired => "not_expired",
            Self::NoRegionClaimed => "no_region_claimed",
            Self::BadAmount => "bad_amount",
            Self::NoPool => "no_pool",
            Self::UnknownPool => "unknown_pool",
            Self::PoolDiffers => "pool_differs",
            Self::OrderIncomplete => "order_incomplete",
            Self::UnknownRequest => "unknown_request",
            Self::RequestDiffers => "request_differs",
            Self::RequestClosed => "request_closed",
            Self::NotPaid => "not_paid",
            Self::OnJob => "request_on_job",
            Self::NotDue => "not_due",
            Self::NotSettled => "not_settled",
            Self::RefundTooLarge => "refund_too_large",
            Self::InsufficientRevenue { .. } => "insufficient_revenue",
            Self::BlockTooFar => "block_too_far",
            Self::TooManyTicketSets => "too_many_ticket_sets",
            Self::UnknownWinner => "unknown_winner",
            Self::WinnerSettled => "winner_settled",
        }
    }

    /// What the caller should do, as a sentence's fragment.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::UnknownWorker => "no worker of this id is registered; register it first",
            Self::KeyMismatch => "the id belongs to another API key",
            Self::SessionEnded => "the session ended; register again",
            Self::InstructionNotWaiting => {
                "no such instruction waits for the worker's answer: answered before, or asked anew"
            }
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
            Self::UnknownPayer => "no payer of this name is known",
            Self::PaymentDiffers => "the payment id was used for another amount, payer or job",
            Self::DebitDiffers => "the debit number was used for something else",
            Self::UnknownJob => "the payer has no job of this id; open it first",
            Self::JobClosed => "the job closed; open another one, or pay the payer's own funds",
            Self::JobDiffers => "the payer's job of this id was opened with other terms",
            Self::Debt { .. } => "the payer owes more than is allowed; pay the shortfall",
            Self::TooManyJobs => "the payer has as many open jobs as are allowed; close some",
            Self::NoPrice => "the job was opened without a price; debit it by amount",
            Self::InsufficientFunds { .. } => "the payer's funds do not cover the transfer",
            Self::AmountTooLarge => {
                "the amount, or a sum that it leads to, is beyond 2^96 - 1 base units"
            }
            Self::InsufficientBalance { .. } => {
                "the job's balance does not cover the units; pay the shortfall"
            }
            Self::NotIdle => "something happened to the job within the time it may be idle",
            Self::TooManyNames => "as many rails or capabilities are known as there may be",
            Self::UnknownCapability => "no capability of this name is declared",
            Self::SlotsHeld => "jobs hold slots of the capability; free them first",
            Self::CapacityFull => "all slots of the capability are held",
            Self::UnknownMatch => "no match of this job was recorded",
            Self::JobOfAnother => "the job is another coordinator's",
            Self::JobAssigned => "the job holds slots already; report on them first",
            Self::JobCompleted => "a worker completed the job",
            Self::CandidatesGone => "none of the candidates can take the job any more; match again",
            Self::NotExpired => "the slot's time is not over",
            Self::NoRegionClaimed => "the worker claims no region",
            Self::BadAmount => "an amount of work, a payment or a refund is at least 1",
            Self::NoPool => "no pool of generosity is open",
            Self::UnknownPool => "no pool of this name is open",
            Self::PoolDiffers => {
                "the pool is open with another seed, or all pools are in another asset"
            }
            Self::OrderIncomplete => "the order does not name every pool once",
            Self::UnknownRequest => "no request of this id was decided",
            Self::RequestDiffers => "the request was decided, or settled, with other values",
            Self::RequestClosed => "the request is closed",
            Self::NotPaid => "the request waits for its payment",
            Self::OnJob => "a job was opened on the request",
            Self::NotDue => "the request's time has not run out",
            Self::NotSettled => "the request was not settled",
            Self::RefundTooLarge => "more would be paid back than was charged",
            Self::InsufficientRevenue { .. } => "the house's revenue does not cover the refund",
            Self::BlockTooFar => "the L1 block is more than a million above the newest known one",
            Self::TooManyTicketSets => "too many sets of parameters live; wait until some expire",
            Self::UnknownWinner => "no winner of this number is known",
            Self::WinnerSettled => "the winner came to another end before",
        }
    }

    /// Whether the same command may succeed later without a change.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Self::NotSilent
                | Self::NotIdle
                | Self::CapacityFull
                | Self::TooManyJobs
                | Self::NotExpired
                | Self::CandidatesGone
                | Self::NotDue
                | Self::TooManyTicketSets
        )
    }

    /// What must be paid before the same command is granted, where money is what is missing.
    #[must_use]
    pub const fn shortfall(self) -> Option<Amount> {
        match self {
            Self::Debt { shortfall }
            | Self::InsufficientFunds { shortfall }
            | Self::InsufficientBalance { shortfall }
            | Self::InsufficientRevenue { shortfall } => Some(shortfall),
            _ => None,
        }
    }
}
