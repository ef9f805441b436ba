//! Samples of signed tickets.

use purser_events::paid::JobRef;
use purser_events::ticket::{
    BlockObserved, ChainObserved, SenderFunds, SenderObserved, TicketParams, TicketSecretAdded,
    TicketSetOpened, TicketSignature, TicketVerdict, TicketWon, TicketsTaken, VerdictRun,
    WinnerReport, WinnerReported,
};
use purser_events::{
    Amount, AssetNo, Balance, Event, JobNo, PayerNo, TicketSetNo, U256, WinnerNo, Word,
};

use super::{ADDRESS, label};

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let mut events = vec![
        ("plain", Event::ChainObserved(Box::new(chain()))),
        (
            "plain",
            Event::BlockObserved(BlockObserved {
                l1_block: 21_000_040,
            }),
        ),
        ("plain", Event::SenderObserved(Box::new(sender()))),
        (
            "plain",
            Event::TicketSecretAdded(TicketSecretAdded { secret: 2 }),
        ),
        ("plain", Event::TicketSetOpened(Box::new(opened()))),
        ("every_verdict", Event::TicketsTaken(Box::new(taken()))),
        ("plain", Event::TicketWon(Box::new(won()))),
    ];
    let reported = |report| {
        let (winner, face_value) = (WinnerNo(70_001), Amount(1_200_000_000_000_000));
        Event::WinnerReported(Box::new(WinnerReported {
            winner,
            face_value,
            report,
        }))
    };
    let hash = Word([0x77; 32]);
    events.extend([
        ("submitted", reported(WinnerReport::Submitted(hash))),
        ("redeemed", reported(WinnerReport::Redeemed(hash))),
        ("failed", reported(WinnerReport::Failed(label("reverted")))),
    ]);
    events
}

fn chain() -> ChainObserved {
    ChainObserved {
        l1_block: 21_000_000,
        round: 3_456,
        round_hash: Word([0x20; 32]),
        gas_price: Amount(10_000_000),
        recipient_active: true,
    }
}

fn sender() -> SenderObserved {
    SenderObserved {
        payer: PayerNo(300),
        funds: SenderFunds {
            deposit: Amount(500),
            reserve: Amount::MAX,
            claimed: Amount(1),
            claimed_by_us: Amount(2),
            recipients: 100,
            pending: Amount(3),
            unlock_round: 3_460,
        },
    }
}

fn opened() -> TicketSetOpened {
    TicketSetOpened {
        payer: PayerNo(300),
        job: JobNo(70_000),
        params: TicketParams {
            sender: ADDRESS,
            recipient: ADDRESS,
            face_value: Amount(1_200_000_000_000_000),
            win_prob: U256::MAX,
            rand_hash: Word([0xdf; 32]),
            seed: Word([0xd9; 32]),
            secret: 1,
            expiration_block: 21_000_040,
            round: 3_456,
            round_hash: Word([0x20; 32]),
            price_numerator: 1_000_000_000,
            price_denominator: 1,
        },
    }
}

fn taken() -> TicketsTaken {
    let run = |(at, verdict)| VerdictRun {
        nonce: at * 1_000,
        count: at,
        verdict,
    };
    TicketsTaken {
        set: TicketSetNo(70_001),
        job: JobRef {
            number: JobNo(70_000),
            id: label("stream-1"),
            payer: PayerNo(300),
            asset: AssetNo(0),
        },
        payment: [0xab; 16],
        verdicts: (1..).zip(TicketVerdict::ALL).map(run).collect(),
        winners: 1,
        credited: Amount(560_000_000_000),
        settled: Amount(7),
        payer_ref: Some(label("acme")),
        balance: Balance {
            below_zero: true,
            amount: Amount(1),
        },
    }
}

fn won() -> TicketWon {
    TicketWon {
        set: TicketSetNo(70_001),
        nonce: 42,
        signature: TicketSignature {
            r: Word([0x0d; 32]),
            s: Word([0x16; 32]),
            v: 28,
        },
        face_value: Amount(1_200_000_000_000_000),
    }
}
