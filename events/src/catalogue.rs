//! Every kind of event there is, with its number and its name.

use crate::grant::{
    ChargeRefunded, GrantConfirmed, GrantDecided, GrantExpired, GrantJoined, GrantOverran,
    GrantReleased, GrantSettled, GrantVoided, PaymentRefunded, PoolOpened, PoolToppedUp,
    PoolsOrdered, TierSet,
};
use crate::instruction::{InstructionAnswered, WorkerInstructed};
use crate::intake::{
    EarlierCopyFound, ElementQuarantined, FileQuarantined, FileTaken, JobProcessed,
    JobReattributed, JobReceived, ModelNamed, OtherTaken, PartitionReset, TicketRedeemed,
    TypeNamed, WorkerConnected, WorkerDisconnected,
};
use crate::matching::{
    AssignmentExpired, FeedbackGiven, KeyRotated, MatchMade, RegionProbed, WorkerDegraded,
    WorkerResumed, WorkerSuspended,
};
use crate::paid::{
    CapabilityChanged, CapabilityDeclared, FundsTransferred, JobAdmitted, JobClosed, JobCredited,
    JobDebited, JobOpened, SlotFreed, SlotReserved,
};
use crate::payer::{DebtSettled, FundsDeposited, PayerChose, PayerNamed, RailNamed};
use crate::payout::{
    PayoutFailed, PayoutFinal, PayoutMined, PayoutReleased, PayoutReorged, PayoutRequested,
    PayoutSent, PayoutSigned, SignerOpened, SignerResumed, SignerStopped,
};
use crate::policy::{AssetDeclared, PartitionDeclared, PolicyChanged};
use crate::ticket::{
    BlockObserved, ChainObserved, SenderObserved, TicketSecretAdded, TicketSetOpened, TicketWon,
    TicketsTaken, WinnerReported,
};
use crate::worker::{
    LeaseGranted, ManifestChanged, WorkerBeat, WorkerLapsed, WorkerLoggedOut, WorkerNamed,
    WorkerRegistered, WorkerUpdated,
};

macro_rules! catalogue {
    ($($number:literal $kind:ident($inner:ty) $name:literal),* $(,)?) => {
        /// A fact, in past tense.
        ///
        /// Rare events with much to say are boxed, so that the frequent ones stay small.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event {
            $(#[doc = concat!("`", $name, "`")] $kind($inner),)*
        }

        /// The kind of an event, with its stable number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum EventKind {
            $(#[doc = concat!("`", $name, "`")] $kind = $number,)*
        }

        impl EventKind {
            /// Every kind, by number.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The name that documents, exports and filters use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The kind with this stable number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$kind),)* _ => None }
            }
        }

        impl Event {
            /// The kind.
            #[must_use]
            pub const fn kind(&self) -> EventKind {
                match self { $(Self::$kind(_) => EventKind::$kind,)* }
            }

            /// Serialises what the kind does not say.
            ///
            /// # Errors
            /// When the serializer fails.
            pub(crate) fn serialize_body<S: serde::Serializer>(
                &self,
                to: S,
            ) -> Result<S::Ok, S::Error> {
                match self { $(Self::$kind(inner) => serde::Serialize::serialize(inner, to),)* }
            }

            /// Deserialises what the kind does not say.
            ///
            /// # Errors
            /// When the deserializer fails.
            pub(crate) fn deserialize_body<'de, D: serde::Deserializer<'de>>(
                kind: EventKind,
                from: D,
            ) -> Result<Self, D::Error> {
                match kind {
                    $(EventKind::$kind => {
                        <$inner as serde::Deserialize>::deserialize(from).map(Self::$kind)
                    })*
                }
            }
        }
    };
}

// Numbers are stable: kinds are appended, never renumbered, never reused.
catalogue! {
    1 WorkerNamed(WorkerNamed) "worker_named",
    2 WorkerRegistered(Box<WorkerRegistered>) "worker_registered",
    3 ManifestChanged(Box<ManifestChanged>) "manifest_changed",
    4 WorkerUpdated(Box<WorkerUpdated>) "worker_updated",
    5 WorkerBeat(WorkerBeat) "worker_beat",
    6 LeaseGranted(LeaseGranted) "lease_granted",
    7 WorkerLapsed(WorkerLapsed) "worker_lapsed",
    8 WorkerLoggedOut(WorkerLoggedOut) "worker_logged_out",
    9 PolicyChanged(PolicyChanged) "policy_changed",
    10 PartitionDeclared(PartitionDeclared) "partition_declared",
    11 AssetDeclared(AssetDeclared) "asset_declared",
    12 FileTaken(Box<FileTaken>) "file_taken",
    13 FileQuarantined(Box<FileQuarantined>) "file_quarantined",
    14 ElementQuarantined(Box<ElementQuarantined>) "element_quarantined",
    15 WorkerConnected(Box<WorkerConnected>) "worker_connected",
    16 WorkerDisconnected(Box<WorkerDisconnected>) "worker_disconnected",
    17 PartitionReset(Box<PartitionReset>) "partition_reset",
    18 JobReceived(Box<JobReceived>) "job_received",
    19 JobProcessed(Box<JobProcessed>) "job_processed",
    20 JobReattributed(Box<JobReattributed>) "job_reattributed",
    21 TicketRedeemed(Box<TicketRedeemed>) "ticket_redeemed",
    22 OtherTaken(Box<OtherTaken>) "other_taken",
    23 EarlierCopyFound(Box<EarlierCopyFound>) "earlier_copy_found",
    24 ModelNamed(Box<ModelNamed>) "model_named",
    25 TypeNamed(Box<TypeNamed>) "type_named",
    30 PayerNamed(Box<PayerNamed>) "payer_named",
    31 RailNamed(Box<RailNamed>) "rail_named",
    32 PayerChose(PayerChose) "payer_chose",
    33 FundsDeposited(Box<FundsDeposited>) "funds_deposited",
    34 JobOpened(Box<JobOpened>) "job_opened",
    35 JobCredited(Box<JobCredited>) "job_credited",
    36 FundsTransferred(Box<FundsTransferred>) "funds_transferred",
    37 JobAdmitted(Box<JobAdmitted>) "job_admitted",
    38 JobDebited(Box<JobDebited>) "job_debited",
    39 JobClosed(Box<JobClosed>) "job_closed",
    40 CapabilityDeclared(Box<CapabilityDeclared>) "capability_declared",
    41 CapabilityChanged(CapabilityChanged) "capability_changed",
    42 SlotReserved(Box<SlotReserved>) "slot_reserved",
    43 SlotFreed(Box<SlotFreed>) "slot_freed",
    44 DebtSettled(DebtSettled) "debt_settled",
    70 PoolOpened(Box<PoolOpened>) "pool_opened",
    71 PoolsOrdered(Box<PoolsOrdered>) "pools_ordered",
    72 PoolToppedUp(Box<PoolToppedUp>) "pool_topped_up",
    73 TierSet(Box<TierSet>) "tier_set",
    74 GrantDecided(Box<GrantDecided>) "grant_decided",
    75 GrantConfirmed(Box<GrantConfirmed>) "grant_confirmed",
    76 PaymentRefunded(Box<PaymentRefunded>) "payment_refunded",
    77 GrantSettled(Box<GrantSettled>) "grant_settled",
    78 GrantReleased(Box<GrantReleased>) "grant_released",
    79 GrantExpired(Box<GrantExpired>) "grant_expired",
    80 GrantVoided(Box<GrantVoided>) "grant_voided",
    81 GrantOverran(Box<GrantOverran>) "grant_overran",
    82 ChargeRefunded(Box<ChargeRefunded>) "charge_refunded",
    83 GrantJoined(Box<GrantJoined>) "grant_joined",
    90 WorkerDegraded(WorkerDegraded) "worker_degraded",
    91 WorkerSuspended(Box<WorkerSuspended>) "worker_suspended",
    92 WorkerResumed(Box<WorkerResumed>) "worker_resumed",
    93 KeyRotated(Box<KeyRotated>) "key_rotated",
    94 RegionProbed(Box<RegionProbed>) "region_probed",
    95 MatchMade(Box<MatchMade>) "match_made",
    96 FeedbackGiven(Box<FeedbackGiven>) "feedback_given",
    97 AssignmentExpired(Box<AssignmentExpired>) "assignment_expired",
    110 WorkerInstructed(Box<WorkerInstructed>) "worker_instructed",
    111 InstructionAnswered(InstructionAnswered) "instruction_answered",
    130 PayoutRequested(Box<PayoutRequested>) "payout_requested",
    131 PayoutSigned(Box<PayoutSigned>) "payout_signed",
    132 PayoutSent(Box<PayoutSent>) "payout_sent",
    133 PayoutMined(Box<PayoutMined>) "payout_mined",
    134 PayoutReorged(Box<PayoutReorged>) "payout_reorged",
    135 PayoutFinal(Box<PayoutFinal>) "payout_final",
    136 PayoutFailed(Box<PayoutFailed>) "payout_failed",
    137 PayoutReleased(Box<PayoutReleased>) "payout_released",
    138 SignerOpened(Box<SignerOpened>) "signer_opened",
    139 SignerStopped(Box<SignerStopped>) "signer_stopped",
    140 SignerResumed(Box<SignerResumed>) "signer_resumed",
    50 ChainObserved(Box<ChainObserved>) "chain_observed",
    51 BlockObserved(BlockObserved) "block_observed",
    52 SenderObserved(Box<SenderObserved>) "sender_observed",
    53 TicketSecretAdded(TicketSecretAdded) "ticket_secret_added",
    54 TicketSetOpened(Box<TicketSetOpened>) "ticket_set_opened",
    55 TicketsTaken(Box<TicketsTaken>) "tickets_taken",
    56 TicketWon(Box<TicketWon>) "ticket_won",
    57 WinnerReported(Box<WinnerReported>) "winner_reported",
}
