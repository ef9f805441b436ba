//! Payers, their funds, their jobs and slots with any content.

use proptest::option::of;
use proptest::prelude::*;
use purser_events::intake::Split;
use purser_events::paid::{
    CapabilityChanged, CapabilityDeclared, CloseReason, Decision, FundsTransferred, JobAdmitted,
    JobClosed, JobCredited, JobDebited, JobOpened, JobRef, JobTerms, SlotFreed, SlotHolder,
    SlotReserved, Used,
};
use purser_events::payer::{DebtSettled, FundsDeposited, PayerChose, PayerNamed, RailNamed};
use purser_events::{
    Amount, AssetNo, Balance, CapabilityNo, Event, JobNo, PayerNo, Price, RailNo, WorkerNo,
};

use crate::arbitrary::{label, split};

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![naming(), funds(), opened(), moved(), debited(), slots()]
}

fn payer() -> impl Strategy<Value = PayerNo> {
    any::<u32>().prop_map(PayerNo)
}

fn asset() -> impl Strategy<Value = AssetNo> {
    any::<u32>().prop_map(AssetNo)
}

fn amount() -> impl Strategy<Value = Amount> {
    any::<u128>().prop_map(Amount)
}

fn balance() -> impl Strategy<Value = Balance> {
    (amount(), amount()).prop_map(|(one, other)| Balance::of(one, other))
}

fn job() -> impl Strategy<Value = JobRef> {
    let parts = (any::<u64>(), label(), payer(), asset());
    parts.prop_map(|(number, id, payer, asset)| JobRef {
        number: JobNo(number),
        id,
        payer,
        asset,
    })
}

fn price() -> impl Strategy<Value = Price> {
    let parts = (0..=Amount::MAX.0, 1..=Price::DENOMINATOR_MAX);
    parts.prop_map(|(numerator, denominator)| {
        Price::new(Amount(numerator), denominator).expect("within the limits")
    })
}

fn naming() -> impl Strategy<Value = Event> {
    prop_oneof![
        (payer(), label())
            .prop_map(|(payer, name)| { Event::PayerNamed(Box::new(PayerNamed { payer, name })) }),
        (any::<u32>(), label()).prop_map(|(rail, name)| {
            let rail = RailNo(rail);
            Event::RailNamed(Box::new(RailNamed { rail, name }))
        }),
        (payer(), any::<bool>()).prop_map(|(payer, funds_at_open)| {
            Event::PayerChose(PayerChose {
                payer,
                funds_at_open,
            })
        }),
    ]
}

fn funds() -> impl Strategy<Value = Event> {
    let amounts = (amount(), amount(), amount());
    let deposit = (payer(), asset(), amounts, any::<u32>(), label());
    prop_oneof![
        deposit.prop_map(|(payer, asset, amounts, rail, payment)| {
            Event::FundsDeposited(Box::new(FundsDeposited {
                payer,
                asset,
                amount: amounts.0,
                settled: amounts.1,
                rail: RailNo(rail),
                payment,
                funds: amounts.2,
            }))
        }),
        (payer(), asset(), amount(), amount()).prop_map(|(payer, asset, amount, funds)| {
            Event::DebtSettled(DebtSettled {
                payer,
                asset,
                amount,
                funds,
            })
        }),
        (job(), amount(), of(label()), balance()).prop_map(|(job, amount, transfer, balance)| {
            Event::FundsTransferred(Box::new(FundsTransferred {
                job,
                amount,
                transfer,
                balance,
            }))
        }),
    ]
}

fn opened() -> impl Strategy<Value = Event> {
    let labels = (of(label()), of(label()));
    let terms = (of(price()), of(any::<u32>()), labels, of(any::<u32>()));
    (payer(), label(), asset(), terms).prop_map(|(payer, id, asset, terms)| {
        Event::JobOpened(Box::new(JobOpened {
            payer,
            id,
            asset,
            terms: JobTerms {
                price: terms.0,
                timeout_sec: terms.1,
                capability: terms.2.0,
                payer_ref: terms.2.1,
                worker: terms.3.map(WorkerNo),
            },
        }))
    })
}

fn moved() -> impl Strategy<Value = Event> {
    let reason = prop_oneof![
        of(label()).prop_map(CloseReason::Asked),
        Just(CloseReason::Idle)
    ];
    let amounts = || (amount(), amount(), amount());
    let totals = (any::<u64>(), amount(), amount());
    prop_oneof![
        (job(), amounts(), any::<u32>(), label(), balance()).prop_map(
            |(job, amounts, rail, payment, balance)| {
                Event::JobCredited(Box::new(JobCredited {
                    job,
                    amount: amounts.0,
                    settled: amounts.1,
                    rail: RailNo(rail),
                    payment,
                    balance,
                }))
            }
        ),
        (job(), any::<u64>(), amount(), balance()).prop_map(|(job, units, held, balance)| {
            Event::JobAdmitted(Box::new(JobAdmitted {
                job,
                units,
                held,
                balance,
            }))
        }),
        (job(), reason, amounts(), totals).prop_map(|(job, reason, amounts, totals)| {
            Event::JobClosed(Box::new(JobClosed {
                job,
                reason,
                settled: amounts.0,
                swept: amounts.1,
                debt: amounts.2,
                units: totals.0,
                charged: totals.1,
                credited: totals.2,
            }))
        }),
    ]
}

fn debited() -> impl Strategy<Value = Event> {
    let used = prop_oneof![
        any::<u64>().prop_map(Used::Units),
        amount().prop_map(Used::Amount)
    ];
    let decision = prop_oneof![
        Just(Decision::Run),
        Just(Decision::Grace),
        Just(Decision::Stop)
    ];
    let earned = (amount(), of(any::<u32>()), split());
    let came_to = (any::<u64>(), balance(), decision);
    (job(), any::<u64>(), used, earned, came_to).prop_map(|(job, seq, used, earned, came_to)| {
        let split: Split = earned.2;
        Event::JobDebited(Box::new(JobDebited {
            job,
            seq,
            used,
            charged: earned.0,
            worker: earned.1.map(WorkerNo),
            split,
            total_units: came_to.0,
            balance: came_to.1,
            decision: came_to.2,
        }))
    })
}

fn slots() -> impl Strategy<Value = Event> {
    let capability = || any::<u32>().prop_map(CapabilityNo);
    let holder = || (label(), of(payer())).prop_map(|(job_id, payer)| SlotHolder { job_id, payer });
    prop_oneof![
        (capability(), label(), any::<u32>()).prop_map(|(capability, name, slots)| {
            Event::CapabilityDeclared(Box::new(CapabilityDeclared {
                capability,
                name,
                slots,
            }))
        }),
        (capability(), of(any::<u32>())).prop_map(|(capability, slots)| {
            Event::CapabilityChanged(CapabilityChanged { capability, slots })
        }),
        (capability(), holder()).prop_map(|(capability, holder)| {
            Event::SlotReserved(Box::new(SlotReserved { capability, holder }))
        }),
        (capability(), holder()).prop_map(|(capability, holder)| {
            Event::SlotFreed(Box::new(SlotFreed { capability, holder }))
        }),
    ]
}
