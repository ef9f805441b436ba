//! Where parameters are issued and batches are checked: our recipient, our secrets, the threads
//! that recover signatures.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use alloy_primitives::keccak256;
use purser_commands::ticket::pay::{
    BatchRule, Binding, IssuedSet, Origin, PaidTicket, Recipient, SignatureFact,
};
use purser_commands::ticket::terms::{Terms, Wanted};
use purser_events::ticket::{TicketParams, TicketSignature};
use purser_events::{Address, Amount, Label, U256, Word};
use sha2::{Digest, Sha256};

use super::batch::Batch;
use super::hash::commitment;
use super::rand::Bound;
use super::ring::{Ring, RingError, SecretId};
use super::signature::BYTES;
use super::verifier::Verifier;

/// Where the reference node is followed although there is a better way: for runs beside one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compat {
    /// A bad ticket ends its batch, and uses up the numbers behind it.
    pub sticky_batches: bool,
    /// A balance above what a token can show is shown as nothing.
    pub token_balance_zero: bool,
    /// Prices in tokens are rounded down to whole wei.
    pub whole_wei_prices: bool,
    /// Prices in tokens bear the cost of redemptions.
    pub price_overhead: bool,
}

/// What tickets are issued by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whom winners pay.
    pub recipient: Address,
    /// Where gateways reach the node.
    pub service_addr: String,
    /// What is wanted of a ticket.
    pub wanted: Wanted,
    /// What a unit of each capability costs, in wei: numerator and denominator.
    pub prices: BTreeMap<String, (u64, u64)>,
    /// Where the reference node is followed.
    pub compat: Compat,
}

/// Issues parameters and checks batches.
#[derive(Debug)]
pub struct Desk {
    /// What tickets are issued by.
    pub rules: Rules,
    ring: Ring,
    verifier: Verifier,
}

/// Why there is no desk.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The secrets cannot be used.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// No thread can be started.
    #[error("cannot start a thread for signatures")]
    Threads(#[source] std::io::Error),
}

/// What parameters are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish<'a> {
    /// Who will pay.
    pub sender: Address,
    /// The job that they are for; any, where absent.
    pub job: Option<&'a str>,
    /// How much a winner pays, and how often one wins.
    pub terms: Terms,
    /// The price of the work.
    pub price: (u64, u64),
    /// The block from which on no ticket is taken.
    pub expiration_block: u64,
    /// The round, and the hash of its first block.
    pub round: (u64, Word),
}

/// Bytes of a seed that are random; behind them stand the secret's number and the job's mark.
const RANDOM: usize = 14;

impl Desk {
    /// Opens the desk over the secrets of a data directory.
    ///
    /// # Errors
    /// When there are no secrets, or no thread can be started.
    pub fn open(data: &Path, rules: Rules) -> Result<Self, DeskError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            rules,
            ring: Ring::open(data)?,
            verifier: Verifier::start(threads).map_err(DeskError::Threads)?,
        })
    }

    /// The secrets.
    #[must_use]
    pub const fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Issues parameters. Nothing is kept: they say by themselves that they are ours.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn issue(&self, wish: &Wish<'_>) -> Result<TicketParams, getrandom::Error> {
        let (id, secret) = self.ring.newest();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed[..RANDOM])?;
        seed[RANDOM..RANDOM + 2].copy_from_slice(&id.to_be_bytes());
        if let Some(job) = wish.job {
            seed[16..].copy_from_slice(&mark(wish.sender, job));
        }
        let bound = Bound {
            seed: Word(seed),
            sender: wish.sender,
            recipient: self.rules.recipient,
            face_value: U256::from_u128(wish.terms.face_value.0),
            win_prob: wish.terms.win_prob,
            expiration_block: U256::from_u128(wish.expiration_block.into()),
            price: wish.price,
            round: wish.round.0,
            round_hash: wish.round.1,
        };
        let rand_hash = commitment(&bound.rand(&secret, id));
        let face_value = Amount(wish.terms.face_value.0);
        Ok(params(
            &bound,
            (rand_hash, id),
            face_value,
            wish.expiration_block,
        ))
    }

    /// What is drawn with under parameters that we issued.
    #[must_use]
    pub fn rand(&self, params: &TicketParams) -> Option<Word> {
        let secret = self.ring.get(params.secret)?;
        let bound = Bound {
            seed: params.seed,
            sender: params.sender,
            recipient: params.recipient,
            face_value: U256::from_u128(params.face_value.0),
            win_prob: params.win_prob,
            expiration_block: U256::from_u128(params.expiration_block.into()),
            price: (params.price_numerator, params.price_denominator),
            round: params.round,
            round_hash: params.round_hash,
        };
        Some(bound.rand(&secret, params.secret))
    }

    /// Finds out everything about a batch that takes secrets or work: who signed, who issued, what
    /// is drawn.
    pub async fn check(&self, batch: Arc<Batch>, job: &str) -> (IssuedSet, Vec<PaidTicket>) {
        let (origin, id, rand) = self.origin(&batch);
        let facts = self.verifier.verify(Arc::clone(&batch), rand).await;
        let tickets = paid(&batch, facts);
        (self.issued(&batch, (origin, id), job), tickets)
    }

    fn origin(&self, batch: &Batch) -> (Origin, SecretId, Option<Word>) {
        let seed = batch.bound.seed.0;
        let id = SecretId::from_be_bytes([seed[RANDOM], seed[RANDOM + 1]]);
        let Some(secret) = self.ring.get(id) else {
            return (Origin::Unknown, id, None);
        };
        let rand = batch.bound.rand(&secret, id);
        if commitment(&rand) == batch.rand_hash {
            (Origin::Ours, id, Some(rand))
        } else {
            (Origin::Altered, id, None)
        }
    }

    fn issued(&self, batch: &Batch, (origin, id): (Origin, SecretId), job: &str) -> IssuedSet {
        let bound = &batch.bound;
        let recipient = match bound.recipient == self.rules.recipient {
            true => Recipient::Ours,
            false => Recipient::Foreign,
        };
        IssuedSet {
            params: params_of(batch, id),
            origin,
            recipient,
            binding: binding(batch, job),
        }
    }

    /// What a bad ticket means for those behind it.
    #[must_use]
    pub const fn batch_rule(&self) -> BatchRule {
        if self.rules.compat.sticky_batches {
            BatchRule::EndAtFirstFailure
        } else {
            BatchRule::EachByItself
        }
    }
}

/// What the parameters of a batch say, with the number of the secret that they name.
#[must_use]
pub fn params_of(batch: &Batch, secret: SecretId) -> TicketParams {
    let id = (batch.rand_hash, secret);
    params(&batch.bound, id, batch.face_value, batch.expiration_block)
}

fn params(
    bound: &Bound,
    (rand_hash, secret): (Word, SecretId),
    face_value: Amount,
    expiration_block: u64,
) -> TicketParams {
    TicketParams {
        sender: bound.sender,
        recipient: bound.recipient,
        face_value,
        win_prob: bound.win_prob,
        rand_hash,
        seed: bound.seed,
        secret,
        expiration_block,
        round: bound.round,
        round_hash: bound.round_hash,
        price_numerator: bound.price.0,
        price_denominator: bound.price.1,
    }
}

/// The job's mark in the seeds of its parameters.
fn mark(sender: Address, job: &str) -> [u8; 16] {
    let text = [b"purser/job/v1".as_slice(), &sender.0, job.as_bytes()].concat();
    let mut mark = [0; 16];
    mark.copy_from_slice(&keccak256(text)[..16]);
    mark
}

/// Which job parameters were quoted for.
#[must_use]
pub fn binding(batch: &Batch, job: &str) -> Binding {
    let seed = &batch.bound.seed.0[16..];
    if seed.iter().all(|byte| *byte == 0) {
        Binding::Free
    } else if seed == mark(batch.bound.sender, job) {
        Binding::ThisJob
    } else {
        Binding::OtherJob
    }
}

fn paid(batch: &Batch, facts: Vec<SignatureFact>) -> Vec<PaidTicket> {
    let tickets = batch.tickets.iter().zip(facts);
    let paid = tickets.map(|((nonce, bytes), fact)| {
        let bytes: Option<&[u8; BYTES]> = bytes.as_slice().try_into().ok();
        PaidTicket {
            nonce: *nonce,
            // A signature of another length is bad, and is looked at no further.
            signature: TicketSignature::from_bytes(bytes.unwrap_or(&[0; BYTES])),
            fact,
        }
    });
    paid.collect()
}

/// The first half of a SHA-256 of what was signed and for which job: the same whenever the same
/// batch comes again.
#[must_use]
pub fn digest(batch: &Batch, job: &Label) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(batch.bound.sender.0);
    hash.update(batch.rand_hash.0);
    hash.update((job.as_str().len() as u64).to_le_bytes());
    hash.update(job.as_str().as_bytes());
    for (nonce, signature) in &batch.tickets {
        hash.update(nonce.to_le_bytes());
        hash.update((signature.len() as u64).to_le_bytes());
        hash.update(signature);
    }
    let mut half = [0; 16];
    half.copy_from_slice(&hash.finalize()[..16]);
    half
}
