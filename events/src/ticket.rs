//! Signed tickets: what was seen of the chain, the parameters that they came under, which of them
//! counted, which won, and what became of the winners.

use serde::{Deserialize, Serialize};

use crate::paid::JobRef;
use crate::{Address, Amount, Balance, JobNo, Label, PayerNo, TicketSetNo, U256, WinnerNo, Word};

/// Somebody saw where the chain stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainObserved {
    /// The newest L1 block.
    pub l1_block: u64,
    /// The round.
    pub round: u64,
    /// The hash of the round's first L1 block.
    pub round_hash: Word,
    /// What gas costs, in wei.
    pub gas_price: Amount,
    /// Whether tickets of this round can be redeemed by their recipient.
    pub recipient_active: bool,
}

/// A payment told of a newer L1 block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockObserved {
    /// The block.
    pub l1_block: u64,
}

/// Somebody saw a sender's funds on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderObserved {
    /// Who sends tickets.
    pub payer: PayerNo,
    /// Its funds.
    pub funds: SenderFunds,
}

/// A sender's funds on the chain, in wei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderFunds {
    /// The deposit.
    pub deposit: Amount,
    /// What is left of the reserve.
    pub reserve: Amount,
    /// What was claimed of the reserve in this round.
    pub claimed: Amount,
    /// What our recipient claimed of it in this round.
    pub claimed_by_us: Amount,
    /// Active recipients that share the reserve.
    pub recipients: u32,
    /// Face values that wait to be redeemed.
    pub pending: Amount,
    /// The round from which on the sender may take its funds back; 0 when it does not want to.
    pub unlock_round: u64,
}

/// A secret was made, which parameters are issued with from now on. Only its number is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSecretAdded {
    /// The secret's number.
    pub secret: u16,
}

/// The first ticket came in under parameters that were issued before. The set's number is the
/// position of this event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSetOpened {
    /// Who pays.
    pub payer: PayerNo,
    /// The job that the tickets pay for, and no other.
    pub job: JobNo,
    /// What the tickets say.
    pub params: TicketParams,
}

/// What every ticket of a set says, and how it was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketParams {
    /// Who pays.
    pub sender: Address,
    /// Whom a winner pays.
    pub recipient: Address,
    /// What a winner pays, in wei.
    pub face_value: Amount,
    /// A ticket wins when its draw of 256 bits is below this.
    pub win_prob: U256,
    /// The hash of what is drawn with.
    pub rand_hash: Word,
    /// What is drawn with is made of this and a secret.
    pub seed: Word,
    /// The number of that secret.
    pub secret: u16,
    /// The L1 block from which on no ticket is taken.
    pub expiration_block: u64,
    /// The round.
    pub round: u64,
    /// The hash of the round's first L1 block.
    pub round_hash: Word,
    /// The price of the work that was quoted, in wei: the numerator.
    pub price_numerator: u64,
    /// Its denominator.
    pub price_denominator: u64,
}

/// Why a ticket counts, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TicketVerdict {
    /// It counts.
    Credited,
    /// It counts, and it won.
    CreditedWon,
    /// A ticket of this number was taken before.
    ReplayedNonce,
    /// The set has taken as many tickets as it takes.
    NonceLimit,
    /// The signature is not the sender's.
    BadSignature,
    /// The parameters' last block has come.
    ParamsExpired,
    /// It pays somebody else.
    WrongRecipient,
    /// It has no sender.
    WrongSender,
    /// The parameters are not as they were issued.
    BadCommitment,
    /// The parameters were issued by nobody here.
    NotIssued,
    /// The sender takes its funds back.
    SenderUnlocking,
    /// Its recipient cannot redeem tickets in this round.
    RecipientInactive,
    /// A winner does not pay what its redemption costs.
    UneconomicFaceValue,
    /// The parameters are for another job.
    WrongJob,
    /// It came behind a bad ticket of its batch, where that ends a batch.
    AfterFailure,
}

impl TicketVerdict {
    /// Every verdict.
    pub const ALL: [Self; 15] = [
        Self::Credited,
        Self::CreditedWon,
        Self::ReplayedNonce,
        Self::NonceLimit,
        Self::BadSignature,
        Self::ParamsExpired,
        Self::WrongRecipient,
        Self::WrongSender,
        Self::BadCommitment,
        Self::NotIssued,
        Self::SenderUnlocking,
        Self::RecipientInactive,
        Self::UneconomicFaceValue,
        Self::WrongJob,
        Self::AfterFailure,
    ];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credited => "credited",
            Self::CreditedWon => "credited_won",
            Self::ReplayedNonce => "replayed_nonce",
            Self::NonceLimit => "nonce_limit",
            Self::BadSignature => "bad_signature",
            Self::ParamsExpired => "params_expired",
            Self::WrongRecipient => "wrong_recipient",
            Self::WrongSender => "wrong_sender",
            Self::BadCommitment => "bad_commitment",
            Self::NotIssued => "not_issued",
            Self::SenderUnlocking => "sender_unlocking",
            Self::RecipientInactive => "recipient_inactive",
            Self::UneconomicFaceValue => "uneconomic_face_value",
            Self::WrongJob => "wrong_job",
            Self::AfterFailure => "after_failure",
        }
    }

    /// Whether the ticket is worth its expected value to the job.
    #[must_use]
    pub const fn is_credited(self) -> bool {
        matches!(self, Self::Credited | Self::CreditedWon)
    }

    /// Whether the ticket's number is used up.
    #[must_use]
    pub const fn uses_nonce(self) -> bool {
        self.is_credited() || matches!(self, Self::AfterFailure)
    }
}

/// Tickets of one batch with numbers that follow one another and with one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictRun {
    /// The first number.
    pub nonce: u32,
    /// How many tickets.
    pub count: u32,
    /// What became of each.
    pub verdict: TicketVerdict,
}

/// A batch of tickets was taken in, and at least one of them counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketsTaken {
    /// The set that they belong to.
    pub set: TicketSetNo,
    /// The job that they pay for.
    pub job: JobRef,
    /// The first half of a SHA-256 of what was signed and for which job: tells a repetition.
    #[serde(with = "crate::bytes::sixteen")]
    pub payment: [u8; 16],
    /// What became of each ticket, in the order of the batch.
    pub verdicts: Vec<VerdictRun>,
    /// How many tickets won; an event for each follows.
    pub winners: u32,
    /// What the job is credited: the whole wei of all that its tickets were ever worth together,
    /// less what it was credited before.
    pub credited: Amount,
    /// How much of that settled the payer's debt.
    pub settled: Amount,
    /// Whose money the payer spends, by the payer's own name.
    pub payer_ref: Option<Label>,
    /// What the job's balance came to.
    pub balance: Balance,
}

/// A ticket's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSignature {
    /// Its first half.
    pub r: Word,
    /// Its second half.
    pub s: Word,
    /// 27 or 28.
    pub v: u8,
}

impl TicketSignature {
    /// The 65 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 65] {
        let mut bytes = [0; 65];
        bytes[..32].copy_from_slice(&self.r.0);
        bytes[32..64].copy_from_slice(&self.s.0);
        bytes[64] = self.v;
        bytes
    }

    /// The signature of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 65]) -> Self {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        r.copy_from_slice(&bytes[..32]);
        s.copy_from_slice(&bytes[32..64]);
        Self {
            r: Word(r),
            s: Word(s),
            v: bytes[64],
        }
    }
}

/// A ticket that was taken in won: it can be redeemed for its face value. The winner's number is
/// the position of this event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketWon {
    /// The set that it belongs to.
    pub set: TicketSetNo,
    /// Its number among those of the set.
    pub nonce: u32,
    /// Its signature.
    pub signature: TicketSignature,
    /// What it pays, in wei.
    pub face_value: Amount,
}

/// The node reported what became of a winner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WinnerReported {
    /// The winner.
    pub winner: WinnerNo,
    /// What it pays, in wei.
    pub face_value: Amount,
    /// What became of it.
    pub report: WinnerReport,
}

/// What became of a winner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WinnerReport {
    /// A transaction that redeems it is on its way.
    Submitted(Word),
    /// This transaction redeemed it.
    Redeemed(Word),
    /// It will never be redeemed, for this reason.
    Failed(Label),
}

impl WinnerReport {
    /// The stable word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Submitted(_) => "submitted",
            Self::Redeemed(_) => "redeemed",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Submitted(_))
    }
}
