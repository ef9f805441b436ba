//! Samples of payouts and of the key that signs them.

use purser_events::payout::{
    Draw, FailureReason, PayoutFailed, PayoutFinal, PayoutMined, PayoutReleased, PayoutReorged,
    PayoutRequested, PayoutSent, PayoutSigned, Proof, Rail, SignerOpened, SignerResumed,
    SignerStopped,
};
use purser_events::{Amount, AssetNo, Event, PayoutNo, Position, RailNo, Wei, WorkerNo};

use super::{ADDRESS, label};

const PAYOUT: PayoutNo = PayoutNo(300);
const HASH: [u8; 32] = [0xab; 32];
const GAS: Amount = Amount(21_000_000_000_000);

fn draws() -> Vec<Draw> {
    let draw = |worker, amount| Draw {
        worker: WorkerNo(worker),
        amount: Amount(amount),
    };
    vec![draw(1, 10_000_000_000_000_000), draw(70_000, 1)]
}

fn requested(rail: Rail) -> Event {
    Event::PayoutRequested(Box::new(PayoutRequested {
        payout: PAYOUT,
        digest: [1, 2, 3, 4, 5, 6, 7, 8],
        rail,
        address: (rail == Rail::Chain).then_some(ADDRESS),
        asset: AssetNo(0),
        draws: draws(),
        policy: Position(9),
    }))
}

fn sent(proof: Proof) -> Event {
    let payout = PAYOUT;
    Event::PayoutSent(Box::new(PayoutSent { payout, proof }))
}

fn settled(rail: Rail, gas: Amount) -> Event {
    Event::PayoutFinal(Box::new(PayoutFinal {
        payout: PAYOUT,
        rail,
        asset: AssetNo(0),
        amount: Amount(10_000_000_000_000_001),
        gas,
    }))
}

fn failed(reason: FailureReason) -> Event {
    Event::PayoutFailed(Box::new(PayoutFailed {
        payout: PAYOUT,
        reason,
        asset: AssetNo(0),
        gas: GAS,
    }))
}

fn on_chain() -> Vec<(&'static str, Event)> {
    let signed = PayoutSigned {
        payout: PAYOUT,
        nonce: 1_000,
        hash: HASH,
        max_fee: Wei(2_000_000_000),
        tip: Wei(1),
        gas_limit: 26_250,
        raw: vec![2, 0xf8, 0x6b, 0xff],
    };
    let mined = PayoutMined {
        payout: PAYOUT,
        hash: HASH,
        block: 400_000_000,
        block_hash: [0xcd; 32],
        succeeded: true,
        gas_used: 21_000,
        gas_price: Wei(1_000_000_000),
    };
    let reorged = PayoutReorged {
        payout: PAYOUT,
        block_hash: [0xcd; 32],
    };
    vec![
        ("plain", Event::PayoutSigned(Box::new(signed))),
        ("plain", Event::PayoutMined(Box::new(mined))),
        ("plain", Event::PayoutReorged(Box::new(reorged))),
    ]
}

fn signer() -> Vec<(&'static str, Event)> {
    let opened = SignerOpened {
        address: ADDRESS,
        chain_id: 42_161,
        nonce: 7,
    };
    let stopped = SignerStopped {
        nonce: 1_000,
        chain_nonce: 1_001,
    };
    let resumed = SignerResumed { nonce: 1_001 };
    vec![
        ("plain", Event::SignerOpened(Box::new(opened))),
        ("plain", Event::SignerStopped(Box::new(stopped))),
        ("plain", Event::SignerResumed(Box::new(resumed))),
    ]
}

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let other = Rail::Other(RailNo(1));
    let released = PayoutReleased {
        payout: PAYOUT,
        asset: AssetNo(0),
        draws: draws(),
    };
    let mut events = vec![
        ("on_chain", requested(Rail::Chain)),
        ("elsewhere", requested(other)),
        ("on_chain", sent(Proof::Transaction(HASH))),
        ("elsewhere", sent(Proof::Reference(label("invoice 7")))),
        ("on_chain", settled(Rail::Chain, GAS)),
        ("elsewhere", settled(other, Amount::ZERO)),
        ("reverted", failed(FailureReason::Reverted)),
        ("nonce_used", failed(FailureReason::NonceUsed)),
        ("plain", Event::PayoutReleased(Box::new(released))),
    ];
    events.extend(on_chain());
    events.extend(signer());
    events
}
