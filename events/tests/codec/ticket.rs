//! Signed tickets with any content.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use purser_events::paid::JobRef;
use purser_events::ticket::{
    BlockObserved, ChainObserved, SenderFunds, SenderObserved, TicketParams, TicketSecretAdded,
    TicketSetOpened, TicketSignature, TicketVerdict, TicketWon, TicketsTaken, VerdictRun,
    WinnerReport, WinnerReported,
};
use purser_events::{
    Address, Amount, AssetNo, Balance, Event, JobNo, PayerNo, TicketSetNo, U256, WinnerNo, Word,
};

use crate::arbitrary::label;

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![chain(), sender(), opened(), taken(), won(), reported()]
}

fn word() -> impl Strategy<Value = Word> {
    any::<[u8; 32]>().prop_map(Word)
}

fn amount() -> impl Strategy<Value = Amount> {
    any::<u128>().prop_map(Amount)
}

fn chain() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<u64>().prop_map(|l1_block| Event::BlockObserved(BlockObserved { l1_block })),
        any::<u16>().prop_map(|secret| Event::TicketSecretAdded(TicketSecretAdded { secret })),
        (any::<u64>(), any::<u64>(), word(), amount(), any::<bool>()).prop_map(
            |(l1_block, round, round_hash, gas_price, recipient_active)| {
                Event::ChainObserved(Box::new(ChainObserved {
                    l1_block,
                    round,
                    round_hash,
                    gas_price,
                    recipient_active,
                }))
            }
        ),
    ]
}

fn sender() -> impl Strategy<Value = Event> {
    let amounts = (amount(), amount(), amount(), amount(), amount());
    let parts = (any::<u32>(), amounts, any::<u32>(), any::<u64>());
    parts.prop_map(|(payer, amounts, recipients, unlock_round)| {
        let (deposit, reserve, claimed, claimed_by_us, pending) = amounts;
        Event::SenderObserved(Box::new(SenderObserved {
            payer: PayerNo(payer),
            funds: SenderFunds {
                deposit,
                reserve,
                claimed,
                claimed_by_us,
                recipients,
                pending,
                unlock_round,
            },
        }))
    })
}

fn params() -> impl Strategy<Value = TicketParams> {
    let accounts = (any::<[u8; 20]>(), any::<[u8; 20]>());
    let words = (word(), word(), word(), any::<[u8; 32]>());
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    let parts = (accounts, words, numbers, amount(), any::<u16>());
    parts.prop_map(
        |(accounts, words, numbers, face_value, secret)| TicketParams {
            sender: Address(accounts.0),
            recipient: Address(accounts.1),
            face_value,
            win_prob: U256::from_be_bytes(words.3),
            rand_hash: words.0,
            seed: words.1,
            secret,
            expiration_block: numbers.0,
            round: numbers.1,
            round_hash: words.2,
            price_numerator: numbers.2,
            price_denominator: numbers.3,
        },
    )
}

fn opened() -> impl Strategy<Value = Event> {
    (any::<u32>(), any::<u64>(), params()).prop_map(|(payer, job, params)| {
        Event::TicketSetOpened(Box::new(TicketSetOpened {
            payer: PayerNo(payer),
            job: JobNo(job),
            params,
        }))
    })
}

fn job() -> impl Strategy<Value = JobRef> {
    let parts = (any::<u64>(), label(), any::<u32>(), any::<u32>());
    parts.prop_map(|(number, id, payer, asset)| JobRef {
        number: JobNo(number),
        id,
        payer: PayerNo(payer),
        asset: AssetNo(asset),
    })
}

fn taken() -> impl Strategy<Value = Event> {
    let verdict = select(TicketVerdict::ALL.to_vec());
    let run = (any::<u32>(), any::<u32>(), verdict);
    let run = run.prop_map(|(nonce, count, verdict)| VerdictRun {
        nonce,
        count,
        verdict,
    });
    let sums = (amount(), amount(), any::<bool>(), amount(), any::<u32>());
    let parts = (any::<u64>(), job(), any::<[u8; 16]>(), vec(run, 0..9), sums);
    (parts, of(label())).prop_map(|((set, job, payment, verdicts, sums), payer_ref)| {
        Event::TicketsTaken(Box::new(TicketsTaken {
            set: TicketSetNo(set),
            job,
            payment,
            verdicts,
            winners: sums.4,
            credited: sums.0,
            settled: sums.1,
            payer_ref,
            balance: Balance {
                below_zero: sums.2,
                amount: sums.3,
            },
        }))
    })
}

fn won() -> impl Strategy<Value = Event> {
    let parts = (any::<u64>(), any::<u32>(), word(), word(), any::<u8>());
    (parts, amount()).prop_map(|((set, nonce, r, s, v), face_value)| {
        Event::TicketWon(Box::new(TicketWon {
            set: TicketSetNo(set),
            nonce,
            signature: TicketSignature { r, s, v },
            face_value,
        }))
    })
}

fn reported() -> impl Strategy<Value = Event> {
    let report = prop_oneof![
        word().prop_map(WinnerReport::Submitted),
        word().prop_map(WinnerReport::Redeemed),
        label().prop_map(WinnerReport::Failed),
    ];
    (any::<u64>(), amount(), report).prop_map(|(winner, face_value, report)| {
        Event::WinnerReported(Box::new(WinnerReported {
            winner: WinnerNo(winner),
            face_value,
            report,
        }))
    })
}
