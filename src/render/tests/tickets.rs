//! Signed tickets: the chain, sets of parameters, batches, winners.

use purser_events::paid::JobRef;
use purser_events::ticket::{
    BlockObserved, ChainObserved, SenderFunds, SenderObserved, TicketParams, TicketSecretAdded,
    TicketSetOpened, TicketSignature, TicketVerdict, TicketWon, TicketsTaken, VerdictRun,
    WinnerReport, WinnerReported,
};
use purser_events::{
    Address, Amount, AssetNo, Balance, Envelope, Event, JobNo, PayerNo, TicketSetNo, U256,
    WinnerNo, Word,
};

use super::history::{label, numbered};

/// Every kind of event, numbered from 5,000.
pub(super) fn history() -> Vec<Envelope> {
    let (winner, face_value) = (WinnerNo(5_006), Amount(1_000));
    let reported = |report| {
        Event::WinnerReported(Box::new(WinnerReported {
            winner,
            face_value,
            report,
        }))
    };
    let mut events = seen();
    events.extend([
        Event::TicketSetOpened(Box::new(TicketSetOpened {
            payer: PayerNo(0),
            job: JobNo(3_003),
            params: params(),
        })),
        Event::TicketsTaken(Box::new(taken())),
        Event::TicketWon(Box::new(TicketWon {
            set: TicketSetNo(5_004),
            nonce: 8,
            signature: TicketSignature {
                r: Word([1; 32]),
                s: Word([2; 32]),
                v: 27,
            },
            face_value,
        })),
        reported(WinnerReport::Submitted(Word([7; 32]))),
        reported(WinnerReport::Redeemed(Word([7; 32]))),
        reported(WinnerReport::Failed(label("reverted"))),
    ]);
    numbered(5_000, events)
}

fn seen() -> Vec<Event> {
    vec![
        Event::ChainObserved(Box::new(ChainObserved {
            l1_block: 21_000_000,
            round: 3_456,
            round_hash: Word([3; 32]),
            gas_price: Amount(10_000_000),
            recipient_active: true,
        })),
        Event::BlockObserved(BlockObserved {
            l1_block: 21_000_001,
        }),
        Event::SenderObserved(Box::new(SenderObserved {
            payer: PayerNo(0),
            funds: SenderFunds {
                deposit: Amount(1),
                reserve: Amount(2),
                claimed: Amount(3),
                claimed_by_us: Amount(4),
                recipients: 5,
                pending: Amount(6),
                unlock_round: 7,
            },
        })),
        Event::TicketSecretAdded(TicketSecretAdded { secret: 2 }),
    ]
}

fn params() -> TicketParams {
    TicketParams {
        sender: Address([4; 20]),
        recipient: Address([5; 20]),
        face_value: Amount(1_000),
        win_prob: U256::MAX,
        rand_hash: Word([6; 32]),
        seed: Word([7; 32]),
        secret: 2,
        expiration_block: 21_000_040,
        round: 3_456,
        round_hash: Word([3; 32]),
        price_numerator: 3,
        price_denominator: 2,
    }
}

fn taken() -> TicketsTaken {
    let run = |nonce, count, verdict| VerdictRun {
        nonce,
        count,
        verdict,
    };
    TicketsTaken {
        set: TicketSetNo(5_004),
        job: JobRef {
            number: JobNo(3_003),
            id: label("stream \"1\""),
            payer: PayerNo(0),
            asset: AssetNo(0),
        },
        payment: [0xab; 16],
        verdicts: vec![
            run(1, 7, TicketVerdict::Credited),
            run(8, 1, TicketVerdict::CreditedWon),
        ],
        winners: 1,
        credited: Amount(8_000),
        settled: Amount(10),
        payer_ref: Some(label("acme")),
        balance: Balance {
            below_zero: true,
            amount: Amount(1),
        },
    }
}
