//! Signatures of tickets: how fast the verifier's threads recover them, beside bare recovery.

use std::sync::Arc;
use std::time::{Duration, Instant};

use purser::tickets::batch::Batch;
use purser::tickets::hash::personal_digest;
use purser::tickets::rand::Bound;
use purser::tickets::signature::address_of;
use purser::tickets::verifier::Verifier;
use purser_commands::ticket::pay::SignatureFact;
use purser_events::{Address, Amount, U256, Word};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey, SecretKey};

use super::table::{Figures, rate};

/// Tickets of a batch, as a gateway sends them for a minute.
const TICKETS: u32 = 70;

/// How long each side is measured at a time.
const SPAN: Duration = Duration::from_secs(2);

/// How often.
const ROUNDS: usize = 5;

fn batch() -> Batch {
    let key = SecretKey::from_secret_bytes([7; 32]).expect("a key");
    let sender = address_of(&PublicKey::from_secret_key(&key));
    let mut batch = Batch {
        bound: Bound {
            seed: Word([1; 32]),
            sender,
            recipient: Address([9; 20]),
            face_value: U256::from_u128(1_200_000_000_000_000),
            win_prob: U256::from_u128(1 << 100),
            expiration_block: U256::from_u128(21_000_040),
            price: (1_000_000_000, 1),
            round: 3_456,
            round_hash: Word([2; 32]),
        },
        rand_hash: Word([3; 32]),
        face_value: Amount(1_200_000_000_000_000),
        expiration_block: 21_000_040,
        tickets: Vec::new(),
    };
    for nonce in 1..=TICKETS {
        let digest = personal_digest(&batch.ticket(nonce).hash());
        let message = Message::from_digest(digest.0);
        let signature = RecoverableSignature::sign_ecdsa_recoverable(message, &key);
        let (parity, compact) = signature.serialize_compact();
        let mut bytes = compact.to_vec();
        bytes.push(27 + parity.to_u8());
        batch.tickets.push((nonce, bytes));
    }
    batch
}

/// Bare recoveries a second, on so many threads.
fn bare(batch: &Arc<Batch>, threads: usize) -> f64 {
    let began = Instant::now();
    let counts = std::thread::scope(|scope| {
        let one = || {
            scope.spawn(|| {
                let mut count = 0_u64;
                while began.elapsed() < SPAN {
                    for (nonce, bytes) in &batch.tickets {
                        let digest = [u8::try_from(*nonce).unwrap_or(0); 32];
                        let parity = RecoveryId::from_u8_masked(bytes[64] - 27);
                        let signature = RecoverableSignature::from_compact(&bytes[..64], parity);
                        let message = Message::from_digest(digest);
                        let key = signature.and_then(|signature| signature.recover(message));
                        count += u64::from(std::hint::black_box(key).is_ok());
                    }
                }
                count
            })
        };
        let handles: Vec<_> = (0..threads).map(|_| one()).collect();
        let joined = handles.into_iter().map(|one| one.join());
        joined.map(|count| count.unwrap_or(0)).sum::<u64>()
    });
    counts as f64 / began.elapsed().as_secs_f64()
}

/// Tickets a second through the verifier: hashed, recovered, compared and drawn.
fn verified(batch: &Arc<Batch>, threads: usize) -> f64 {
    let verifier = Verifier::start(threads).expect("threads");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let rand = Some(Word([4; 32]));
    runtime.block_on(async {
        let began = Instant::now();
        let mut count = 0_u64;
        while began.elapsed() < SPAN {
            // Several payments are under way at once, as they come from many gateways.
            let batches = (0..8).map(|_| verifier.verify(Arc::clone(batch), rand));
            for facts in futures_util::future::join_all(batches).await {
                assert!(facts.iter().all(|fact| *fact == SignatureFact::Lost));
                count += facts.len() as u64;
            }
        }
        count as f64 / began.elapsed().as_secs_f64()
    })
}

/// The middle of some runs.
fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

pub(crate) fn measure(figures: &mut Figures) {
    let batch = Arc::new(batch());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in [1, cores] {
        // One after the other, so that both meet the same machine.
        let (mut all_bare, mut all_verified) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            all_bare.push(bare(&batch, threads));
            all_verified.push(verified(&batch, threads));
        }
        let (bare, verified) = (median(all_bare), median(all_verified));
        figures.row(
            &format!("tickets verified, {threads} threads"),
            rate(verified),
            format!("{:.3} of bare recovery {}", verified / bare, rate(bare)),
            ">= 0.90",
        );
    }
}
