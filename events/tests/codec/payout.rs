//! Payouts with any content.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use purser_events::payout::{
    Draw, FailureReason, PayoutFailed, PayoutFinal, PayoutMined, PayoutReleased, PayoutReorged,
    PayoutRequested, PayoutSent, PayoutSigned, Proof, Rail, SignerOpened, SignerResumed,
    SignerStopped,
};
use purser_events::{Address, Amount, AssetNo, Event, PayoutNo, Position, RailNo, Wei, WorkerNo};

use crate::arbitrary::label;

fn number() -> impl Strategy<Value = PayoutNo> {
    any::<u32>().prop_map(PayoutNo)
}

fn asset() -> impl Strategy<Value = AssetNo> {
    any::<u32>().prop_map(AssetNo)
}

fn amount() -> impl Strategy<Value = Amount> {
    any::<u128>().prop_map(Amount)
}

fn wei() -> impl Strategy<Value = Wei> {
    any::<u128>().prop_map(Wei)
}

fn rail() -> impl Strategy<Value = Rail> {
    let other = any::<u32>().prop_map(|rail| Rail::Other(RailNo(rail)));
    prop_oneof![Just(Rail::Chain), other]
}

fn draws() -> impl Strategy<Value = Vec<Draw>> {
    let draw = (any::<u32>(), amount()).prop_map(|(worker, amount)| Draw {
        worker: WorkerNo(worker),
        amount,
    });
    vec(draw, 0..4)
}

fn held() -> impl Strategy<Value = Event> {
    let what = (number(), any::<[u8; 8]>(), rail(), of(any::<[u8; 20]>()));
    let whose = (asset(), draws(), any::<u64>());
    prop_oneof![
        (what, whose).prop_map(
            |((payout, digest, rail, address), (asset, draws, policy))| {
                Event::PayoutRequested(Box::new(PayoutRequested {
                    payout,
                    digest,
                    rail,
                    address: address.map(Address),
                    asset,
                    draws,
                    policy: Position(policy),
                }))
            }
        ),
        (number(), asset(), draws()).prop_map(|(payout, asset, draws)| {
            Event::PayoutReleased(Box::new(PayoutReleased {
                payout,
                asset,
                draws,
            }))
        }),
    ]
}

fn signed() -> impl Strategy<Value = Event> {
    let what = (number(), any::<u64>(), any::<[u8; 32]>());
    let fees = (wei(), wei(), any::<u64>(), vec(any::<u8>(), 0..200));
    (what, fees).prop_map(|((payout, nonce, hash), (max_fee, tip, gas_limit, raw))| {
        Event::PayoutSigned(Box::new(PayoutSigned {
            payout,
            nonce,
            hash,
            max_fee,
            tip,
            gas_limit,
            raw,
        }))
    })
}

fn seen() -> impl Strategy<Value = Event> {
    let proof = prop_oneof![
        any::<[u8; 32]>().prop_map(Proof::Transaction),
        label().prop_map(Proof::Reference),
    ];
    let block = (any::<u64>(), any::<[u8; 32]>(), any::<bool>());
    let place = (number(), any::<[u8; 32]>(), block, any::<u64>(), wei());
    prop_oneof![
        (number(), proof).prop_map(|(payout, proof)| {
            Event::PayoutSent(Box::new(PayoutSent { payout, proof }))
        }),
        place.prop_map(
            |(payout, hash, (block, block_hash, succeeded), gas_used, gas_price)| {
                Event::PayoutMined(Box::new(PayoutMined {
                    payout,
                    hash,
                    block,
                    block_hash,
                    succeeded,
                    gas_used,
                    gas_price,
                }))
            }
        ),
        (number(), any::<[u8; 32]>()).prop_map(|(payout, block_hash)| {
            Event::PayoutReorged(Box::new(PayoutReorged { payout, block_hash }))
        }),
    ]
}

fn ended() -> impl Strategy<Value = Event> {
    let reason = prop_oneof![
        Just(FailureReason::Reverted),
        Just(FailureReason::NonceUsed)
    ];
    prop_oneof![
        (number(), rail(), asset(), amount(), amount()).prop_map(
            |(payout, rail, asset, amount, gas)| {
                Event::PayoutFinal(Box::new(PayoutFinal {
                    payout,
                    rail,
                    asset,
                    amount,
                    gas,
                }))
            }
        ),
        (number(), reason, asset(), amount()).prop_map(|(payout, reason, asset, gas)| {
            Event::PayoutFailed(Box::new(PayoutFailed {
                payout,
                reason,
                asset,
                gas,
            }))
        }),
    ]
}

fn signer() -> impl Strategy<Value = Event> {
    prop_oneof![
        (any::<[u8; 20]>(), any::<u64>(), any::<u64>()).prop_map(|(address, chain_id, nonce)| {
            Event::SignerOpened(Box::new(SignerOpened {
                address: Address(address),
                chain_id,
                nonce,
            }))
        }),
        (any::<u64>(), any::<u64>()).prop_map(|(nonce, chain_nonce)| {
            Event::SignerStopped(Box::new(SignerStopped { nonce, chain_nonce }))
        }),
        any::<u64>().prop_map(|nonce| Event::SignerResumed(Box::new(SignerResumed { nonce }))),
    ]
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![held(), signed(), seen(), ended(), signer()]
}
