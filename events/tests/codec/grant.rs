//! Grants and pools with any content.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use purser_events::grant::{
    ChargeRefunded, Earner, GateReason, GrantConfirmed, GrantDecided, GrantExpired, GrantJoined,
    GrantOverran, GrantReleased, GrantRule, GrantSettled, GrantVoided, Party, PayMode,
    PaymentRefunded, PoolOpened, PoolToppedUp, PoolsOrdered, Refund, RefusedPayment, Serve,
    SettledShare, Share, Tier, TierSet, VoidReason,
};
use purser_events::intake::Split;
use purser_events::policy::{PolicyChange, PolicyChanged};
use purser_events::{
    Amount, AssetNo, BasisPoints, Event, GrantNo, JobNo, Label, PayerNo, PoolNo, Position, RailNo,
    WorkerNo,
};

use crate::arbitrary::label;

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![pool(), rule(), decided(), payment(), settled(), ended()]
}

fn amount() -> impl Strategy<Value = Amount> + Clone {
    prop_oneof![0u128..100, any::<u128>()].prop_map(Amount)
}

fn number() -> impl Strategy<Value = PoolNo> + Clone {
    any::<u32>().prop_map(PoolNo)
}

fn shares() -> impl Strategy<Value = Vec<Share>> + Clone {
    vec(
        (number(), amount()).prop_map(|(pool, amount)| Share { pool, amount }),
        0..4,
    )
}

fn tier() -> impl Strategy<Value = Tier> {
    select(&Tier::ALL[..])
}

fn rate() -> impl Strategy<Value = BasisPoints> {
    (0u16..=10_000).prop_map(|rate| BasisPoints::new(rate).expect("below the whole"))
}

fn party() -> impl Strategy<Value = Party> + Clone {
    prop_oneof![
        any::<u32>().prop_map(|rail| Party::Rail(RailNo(rail))),
        any::<u32>().prop_map(|payer| Party::Payer(PayerNo(payer))),
    ]
}

fn earner() -> impl Strategy<Value = Earner> {
    let worker = (any::<u32>(), any::<u64>(), rate());
    let worker = worker.prop_map(|(worker, policy, commission)| {
        let policy = Position(policy);
        Earner::Worker(WorkerNo(worker), Split { policy, commission })
    });
    let job = any::<u64>().prop_map(|job| Earner::Job(JobNo(job)));
    prop_oneof![Just(Earner::Nobody), worker, job]
}

fn head() -> impl Strategy<Value = (GrantNo, Label, AssetNo)> + Clone {
    let head = (any::<u64>(), label(), any::<u32>());
    head.prop_map(|(grant, request, asset)| (GrantNo(grant), request, AssetNo(asset)))
}

fn pool() -> impl Strategy<Value = Event> {
    let parts = (number(), label(), any::<u32>(), amount(), any::<u32>());
    let opened = parts.clone().prop_map(|(pool, name, asset, seed, rail)| {
        Event::PoolOpened(Box::new(PoolOpened {
            pool,
            name,
            asset: AssetNo(asset),
            seed,
            rail: RailNo(rail),
        }))
    });
    let topped_up = parts.prop_map(|(pool, payment, asset, amount, rail)| {
        Event::PoolToppedUp(Box::new(PoolToppedUp {
            pool,
            asset: AssetNo(asset),
            amount,
            rail: RailNo(rail),
            payment,
        }))
    });
    let ordered =
        vec(number(), 0..5).prop_map(|order| Event::PoolsOrdered(Box::new(PoolsOrdered { order })));
    let set = (label(), of(tier()));
    let set = set.prop_map(|(identity, tier)| Event::TierSet(Box::new(TierSet { identity, tier })));
    prop_oneof![opened, topped_up, ordered, set]
}

fn rule() -> impl Strategy<Value = Event> {
    let rule = prop_oneof![
        (tier(), amount()).prop_map(|(tier, amount)| GrantRule::Budget(tier, amount)),
        (tier(), any::<u32>()).prop_map(|(tier, score)| GrantRule::Score(tier, score)),
        (tier(), amount()).prop_map(|(tier, amount)| GrantRule::Paid(tier, amount)),
        rate().prop_map(GrantRule::PaidShare),
        rate().prop_map(GrantRule::CreditShare),
        any::<u32>().prop_map(GrantRule::QuoteTtlMs),
        any::<u32>().prop_map(GrantRule::HoldTtlMs),
    ];
    rule.prop_map(|rule| {
        let change = PolicyChange::Grants(rule);
        Event::PolicyChanged(PolicyChanged { change })
    })
}

fn decided() -> impl Strategy<Value = Event> {
    let reasons = [
        GateReason::Anonymous,
        GateReason::TierZero,
        GateReason::BudgetSpent,
        GateReason::PoolEmpty,
    ];
    let how = (
        select(vec![PayMode::Invoice, PayMode::Prepaid]),
        select(vec![Serve::Free, Serve::Partial, Serve::Gate]),
        of(select(reasons.to_vec())),
        of(any::<u32>()),
        any::<u32>(),
    );
    let who = (of(label()), of(tier()));
    let amounts = (amount(), amount(), amount(), amount(), shares());
    (head(), who, amounts, how).prop_map(|(head, who, amounts, how)| {
        let ((grant, request, asset), (identity, tier)) = (head, who);
        let (est, absorb, charge, available, holds) = amounts;
        let (mode, serve, reason, payer, valid_ms) = how;
        Event::GrantDecided(Box::new(GrantDecided {
            grant,
            request,
            identity,
            tier,
            est,
            mode,
            serve,
            absorb,
            charge,
            reason,
            asset,
            holds,
            payer: payer.map(PayerNo),
            valid_ms,
            available,
        }))
    })
}

fn payment() -> impl Strategy<Value = Event> {
    let parts = (head(), label(), amount(), any::<u32>());
    let held = (parts.clone(), shares(), any::<u32>(), amount());
    let confirmed = held.prop_map(
        |((head, payment, paid, rail), holds, valid_ms, available)| {
            let (grant, request, asset) = head;
            Event::GrantConfirmed(Box::new(GrantConfirmed {
                grant,
                request,
                asset,
                payment,
                paid,
                rail: RailNo(rail),
                holds,
                valid_ms,
                available,
            }))
        },
    );
    let reasons = [
        RefusedPayment::Closed,
        RefusedPayment::AlreadyPaid,
        RefusedPayment::WrongAmount,
        RefusedPayment::QuoteExpired,
        RefusedPayment::PoolDrained,
        RefusedPayment::BudgetSpent,
    ];
    let why = (parts.clone(), select(reasons.to_vec()), amount());
    let refunded = why.prop_map(|((head, payment, paid, rail), reason, refunded_total)| {
        let (grant, request, asset) = head;
        Event::PaymentRefunded(Box::new(PaymentRefunded {
            grant,
            request,
            asset,
            payment,
            paid,
            rail: RailNo(rail),
            reason,
            refunded_total,
        }))
    });
    let back = (parts, party(), amount());
    let back = back.prop_map(|((head, refund, amount, _), to, refunded_total)| {
        let (grant, request, asset) = head;
        Event::ChargeRefunded(Box::new(ChargeRefunded {
            grant,
            request,
            asset,
            refund,
            to,
            amount,
            refunded_total,
        }))
    });
    prop_oneof![confirmed, refunded, back]
}

fn settled() -> impl Strategy<Value = Event> {
    let share = (number(), amount(), amount());
    let share = share.prop_map(|(pool, absorbed, returned)| SettledShare {
        pool,
        absorbed,
        returned,
    });
    let amounts = (amount(), amount(), amount(), amount(), amount(), amount());
    let parts = (head(), vec(share, 0..4), amounts, of(party()), earner());
    let settled = parts.prop_map(|(head, shares, amounts, paid_by, earner)| {
        let (grant, request, asset) = head;
        let (actual, charged, refunded, overrun, credit, available) = amounts;
        Event::GrantSettled(Box::new(GrantSettled {
            grant,
            request,
            asset,
            actual,
            shares,
            charged,
            paid_by,
            refunded,
            overrun,
            credit,
            earner,
            available,
        }))
    });
    let overran = (head(), amount(), earner());
    let overran = overran.prop_map(|((grant, request, asset), actual, earner)| {
        Event::GrantOverran(Box::new(GrantOverran {
            grant,
            request,
            asset,
            actual,
            earner,
        }))
    });
    prop_oneof![settled, overran]
}

fn ended() -> impl Strategy<Value = Event> {
    let refund = (party(), amount()).prop_map(|(to, amount)| Refund { to, amount });
    let parts = (head(), shares(), of(refund), amount());
    let released = (parts.clone(), any::<bool>());
    let released = released.prop_map(|((head, returned, refund, available), fault)| {
        let (grant, request, asset) = head;
        Event::GrantReleased(Box::new(GrantReleased {
            grant,
            request,
            asset,
            returned,
            refund,
            fault,
            available,
        }))
    });
    let expired = parts.prop_map(|((grant, request, asset), returned, refund, available)| {
        Event::GrantExpired(Box::new(GrantExpired {
            grant,
            request,
            asset,
            returned,
            refund,
            available,
        }))
    });
    let reasons = [
        VoidReason::QuoteExpired,
        VoidReason::PoolDrained,
        VoidReason::BudgetSpent,
        VoidReason::Cancelled,
    ];
    let voided = (head(), select(reasons.to_vec()));
    let voided = voided.prop_map(|((grant, request, _), reason)| {
        Event::GrantVoided(Box::new(GrantVoided {
            grant,
            request,
            reason,
        }))
    });
    let joined = (head(), any::<u64>()).prop_map(|((grant, request, _), job)| {
        Event::GrantJoined(Box::new(GrantJoined {
            grant,
            request,
            job: JobNo(job),
        }))
    });
    prop_oneof![released, expired, voided, joined]
}
