//! A payout that is not finished.

use purser_events::payout::{
    Draw, FailureReason, PayoutMined, PayoutReorged, PayoutRequested, PayoutSent, PayoutSigned,
    Proof, Rail,
};
use purser_events::{Address, Amount, AssetNo, Label, Micros, PayoutNo, Position, Recorded, Wei};
use serde::{Deserialize, Serialize};

/// A payout that is not finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPayout {
    /// The event that requested it.
    pub position: Position,
    /// When it was requested.
    pub requested_at: Micros,
    /// The second part of its id.
    pub digest: [u8; 8],
    /// How it reaches its payee.
    pub rail: Rail,
    /// Where it goes to.
    pub address: Option<Address>,
    /// What is paid.
    pub asset: AssetNo,
    /// Whose accounts pay for it.
    pub draws: Vec<Draw>,
    /// The sum of the draws.
    pub amount: Amount,
    /// How far it is.
    pub state: PayoutState,
    /// The signer's nonce, from the first signature on.
    pub nonce: Option<u64>,
    /// Every transaction that was signed for it, the latest last.
    pub attempts: Vec<Attempt>,
    /// The bytes of the latest one.
    pub raw: Vec<u8>,
    /// Where it stands in the chain.
    pub mined: Option<Mined>,
    /// What the operator paid it by, elsewhere.
    pub reference: Option<Label>,
}

/// How far a payout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PayoutState {
    /// Its amount is held; nothing is signed.
    Requested,
    /// Its transfer is signed; whether anybody was told is not known.
    Signed,
    /// A node knows its transaction, or the operator paid it elsewhere.
    Sent,
    /// It stands in a block that is not final yet.
    Mined,
    /// It cannot land as it was signed; a person has to look.
    Failed(FailureReason),
}

impl PayoutState {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Signed => "signed",
            Self::Sent => "sent",
            Self::Mined => "mined",
            Self::Failed(_) => "failed",
        }
    }
}

/// A transaction that was signed for a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its hash.
    pub hash: [u8; 32],
    /// The most that a unit of gas may cost.
    pub max_fee: Wei,
    /// What of it goes to whoever makes the block, at most.
    pub tip: Wei,
    /// The most units of gas that it may use.
    pub gas_limit: u64,
    /// When it was signed.
    pub signed_at: Micros,
}

impl Attempt {
    /// The most that the chain may take for it.
    #[must_use]
    pub fn gas_max(&self) -> Amount {
        Amount(self.max_fee.0.saturating_mul(self.gas_limit.into()))
    }
}

/// Where a payout's transaction stands in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mined {
    /// Which of its transactions.
    pub hash: [u8; 32],
    /// The block's number.
    pub block: u64,
    /// The block's hash.
    pub block_hash: [u8; 32],
    /// Whether the value moved.
    pub succeeded: bool,
    /// What the chain took.
    pub gas: Amount,
}

impl OpenPayout {
    pub(super) fn new(fact: Recorded<'_>, requested: &PayoutRequested) -> Self {
        let amounts = requested.draws.iter().map(|draw| draw.amount);
        Self {
            position: fact.position,
            requested_at: fact.recorded_at,
            digest: requested.digest,
            rail: requested.rail,
            address: requested.address,
            asset: requested.asset,
            draws: requested.draws.clone(),
            amount: amounts.fold(Amount::ZERO, Amount::plus),
            state: PayoutState::Requested,
            nonce: None,
            attempts: Vec::new(),
            raw: Vec::new(),
            mined: None,
            reference: None,
        }
    }

    /// Whether this is the hash of one of its transactions.
    #[must_use]
    pub fn knows(&self, hash: &[u8; 32]) -> bool {
        self.attempts.iter().any(|attempt| attempt.hash == *hash)
    }

    /// Whether its transaction may still be taken into a block.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self.state, PayoutState::Signed | PayoutState::Sent)
    }

    pub(super) fn sign(&mut self, fact: Recorded<'_>, signed: &PayoutSigned) {
        assert_eq!(self.rail, Rail::Chain, "only transfers on chain are signed");
        match self.state {
            PayoutState::Requested => self.state = PayoutState::Signed,
            PayoutState::Signed | PayoutState::Sent => {}
            PayoutState::Mined | PayoutState::Failed(_) => {
                panic!("what landed or failed is not signed again")
            }
        }
        let nonce = *self.nonce.get_or_insert(signed.nonce);
        assert_eq!(nonce, signed.nonce, "a replacement keeps the nonce");
        self.attempts.push(Attempt {
            hash: signed.hash,
            max_fee: signed.max_fee,
            tip: signed.tip,
            gas_limit: signed.gas_limit,
            signed_at: fact.recorded_at,
        });
        self.raw.clone_from(&signed.raw);
    }

    pub(super) fn send(&mut self, sent: &PayoutSent) {
        match &sent.proof {
            Proof::Transaction(hash) => {
                assert!(self.knows(hash), "only what was signed is sent");
                assert_eq!(self.state, PayoutState::Signed, "it is sent once");
            }
            Proof::Reference(reference) => {
                assert_ne!(self.rail, Rail::Chain, "the chain is its own reference");
                assert_eq!(self.state, PayoutState::Requested, "it is paid once");
                self.reference = Some(reference.clone());
            }
        }
        self.state = PayoutState::Sent;
    }

    pub(super) fn mine(&mut self, mined: &PayoutMined) {
        assert!(self.knows(&mined.hash), "only what was signed lands");
        assert_eq!(self.state, PayoutState::Sent, "what was sent lands");
        let used = u128::from(mined.gas_used).checked_mul(mined.gas_price.0);
        self.mined = Some(Mined {
            hash: mined.hash,
            block: mined.block,
            block_hash: mined.block_hash,
            succeeded: mined.succeeded,
            gas: Amount(used.expect("gas within what was signed fits")),
        });
        self.state = PayoutState::Mined;
    }

    pub(super) fn reorg(&mut self, reorged: &PayoutReorged) {
        let mined = self.mined.take().expect("only what landed is lost again");
        assert_eq!(
            mined.block_hash, reorged.block_hash,
            "it stood in this block"
        );
        self.state = PayoutState::Sent;
    }

    pub(super) fn fail(&mut self, reason: FailureReason) {
        let fits = match reason {
            FailureReason::Reverted => self.mined.is_some_and(|mined| !mined.succeeded),
            FailureReason::NonceUsed => self.is_pending() && self.rail == Rail::Chain,
        };
        assert!(fits, "a payout fails for what happened to it");
        self.state = PayoutState::Failed(reason);
    }

    /// Whether it reached its payee.
    #[must_use]
    pub fn may_settle(&self) -> bool {
        match self.rail {
            Rail::Chain => {
                self.state == PayoutState::Mined && self.mined.is_some_and(|one| one.succeeded)
            }
            Rail::Other(_) => self.state == PayoutState::Sent,
        }
    }

    /// Whether it is sure that it never lands.
    #[must_use]
    pub const fn may_release(&self) -> bool {
        matches!(self.state, PayoutState::Requested | PayoutState::Failed(_))
    }
}

/// The text that people and programs know a payout by: its number and its digest.
#[must_use]
pub fn payout_id(number: PayoutNo, digest: &[u8; 8]) -> String {
    use std::fmt::Write;
    let mut id = format!("{number}-");
    for byte in digest {
        write!(id, "{byte:02x}").expect("a text can be written");
    }
    id
}

/// Reads the text of [`payout_id`]; the digest may be left out.
#[must_use]
pub fn parse_payout_id(text: &str) -> Option<(PayoutNo, Option<[u8; 8]>)> {
    let (number, digest) = match text.split_once('-') {
        Some((number, digest)) => (number, Some(digest)),
        None => (text, None),
    };
    let all_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = PayoutNo(number.parse().ok().filter(|_| all_digits)?);
    let Some(digits) = digest else {
        return Some((number, None));
    };
    if digits.len() != 16 {
        return None;
    }
    let mut digest = [0; 8];
    for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let digit = purser_events::money::hex_digit;
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some((number, Some(digest)))
}
