//! Payouts, by chain and by rail 0.

use purser_events::payout::{
    Draw, FailureReason, PayoutFailed, PayoutFinal, PayoutMined, PayoutReleased, PayoutReorged,
    PayoutRequested, PayoutSent, PayoutSigned, Proof, Rail, SignerOpened, SignerResumed,
    SignerStopped,
};
use purser_events::{
    Address, Amount, AssetNo, Envelope, Event, PayoutNo, Position, RailNo, Wei, WorkerNo,
};

use super::history::{label, numbered};

const PAYOUT: PayoutNo = PayoutNo(4);

fn draws() -> Vec<Draw> {
    let draw = |worker, amount| Draw {
        worker: WorkerNo(worker),
        amount: Amount(amount),
    };
    vec![draw(0, 7), draw(1, 340_282_366_920_938_463_463_374_607_431)]
}

fn held() -> Vec<Event> {
    let requested = |rail, address| {
        Event::PayoutRequested(Box::new(PayoutRequested {
            payout: PAYOUT,
            digest: [0xfe; 8],
            rail,
            address,
            asset: AssetNo(0),
            draws: draws(),
            policy: Position(2),
        }))
    };
    vec![
        requested(Rail::Chain, Some(Address([0x2a; 20]))),
        requested(Rail::Other(RailNo(0)), None),
        Event::PayoutReleased(Box::new(PayoutReleased {
            payout: PAYOUT,
            asset: AssetNo(0),
            draws: draws(),
        })),
    ]
}

fn on_chain() -> Vec<Event> {
    let (payout, hash, block_hash) = (PAYOUT, [0xab; 32], [0xcd; 32]);
    let sent = |proof| Event::PayoutSent(Box::new(PayoutSent { payout, proof }));
    vec![
        Event::PayoutSigned(Box::new(PayoutSigned {
            payout,
            nonce: 12,
            hash,
            max_fee: Wei(30),
            tip: Wei(1),
            gas_limit: 26_250,
            raw: vec![2, 3],
        })),
        sent(Proof::Transaction(hash)),
        sent(Proof::Reference(label("invoice \"7\""))),
        Event::PayoutMined(Box::new(PayoutMined {
            payout,
            hash,
            block: 99,
            block_hash,
            succeeded: true,
            gas_used: 21_000,
            gas_price: Wei(29),
        })),
        Event::PayoutReorged(Box::new(PayoutReorged { payout, block_hash })),
        Event::PayoutFinal(Box::new(PayoutFinal {
            payout,
            rail: Rail::Chain,
            asset: AssetNo(0),
            amount: Amount(7),
            gas: Amount(609_000),
        })),
        Event::PayoutFailed(Box::new(PayoutFailed {
            payout,
            reason: FailureReason::Reverted,
            asset: AssetNo(0),
            gas: Amount(609_000),
        })),
    ]
}

fn signer() -> Vec<Event> {
    let (address, chain_id, nonce) = (Address([0x2a; 20]), 42_161, 12);
    let chain_nonce = 13;
    vec![
        Event::SignerOpened(Box::new(SignerOpened {
            address,
            chain_id,
            nonce,
        })),
        Event::SignerStopped(Box::new(SignerStopped { nonce, chain_nonce })),
        Event::SignerResumed(Box::new(SignerResumed { nonce: chain_nonce })),
    ]
}

/// Every kind of event, numbered from 6,000.
pub(super) fn history() -> Vec<Envelope> {
    let events = held().into_iter().chain(on_chain()).chain(signer());
    numbered(6_000, events.collect())
}
