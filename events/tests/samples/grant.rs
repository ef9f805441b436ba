//! Samples of grants and pools.

use purser_events::grant::{
    ChargeRefunded, Earner, GateReason, GrantConfirmed, GrantDecided, GrantExpired, GrantJoined,
    GrantOverran, GrantReleased, GrantRule, GrantSettled, GrantVoided, Party, PayMode,
    PaymentRefunded, PoolOpened, PoolToppedUp, PoolsOrdered, Refund, RefusedPayment, Serve,
    SettledShare, Share, Tier, TierSet, VoidReason,
};
use purser_events::intake::Split;
use purser_events::policy::{PolicyChange, PolicyChanged};
use purser_events::{
    Amount, AssetNo, BasisPoints, Event, GrantNo, JobNo, PayerNo, PoolNo, Position, RailNo,
    WorkerNo,
};

use super::label;

const ASSET: AssetNo = AssetNo(1);
const GRANT: GrantNo = GrantNo(70_000);

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let mut all = pools();
    all.extend(rules());
    all.extend(decided());
    all.extend(paid());
    all.extend(settled());
    all.extend(ended());
    all
}

fn shares() -> Vec<Share> {
    vec![
        Share {
            pool: PoolNo(0),
            amount: Amount(30),
        },
        Share {
            pool: PoolNo(2),
            amount: Amount(1 << 70),
        },
    ]
}

fn pools() -> Vec<(&'static str, Event)> {
    let opened = PoolOpened {
        pool: PoolNo(0),
        name: label("house"),
        asset: ASSET,
        seed: Amount(10_000),
        rail: RailNo(0),
    };
    let ordered = PoolsOrdered {
        order: vec![PoolNo(2), PoolNo(0), PoolNo(300)],
    };
    let topped_up = PoolToppedUp {
        pool: PoolNo(2),
        asset: ASSET,
        amount: Amount(500),
        rail: RailNo(1),
        payment: label("tx-1"),
    };
    let tier = |tier| {
        let identity = label("npub1xyz");
        Event::TierSet(Box::new(TierSet { identity, tier }))
    };
    vec![
        ("plain", Event::PoolOpened(Box::new(opened))),
        ("plain", Event::PoolsOrdered(Box::new(ordered))),
        ("plain", Event::PoolToppedUp(Box::new(topped_up))),
        ("set", tier(Some(Tier::Elite))),
        ("earned", tier(None)),
    ]
}

fn rules() -> Vec<(&'static str, Event)> {
    let share = BasisPoints::new(2_500).expect("below the whole");
    let rules = [
        (
            "grant_budget",
            GrantRule::Budget(Tier::Established, Amount(50)),
        ),
        ("grant_score", GrantRule::Score(Tier::Trusted, 300)),
        ("grant_paid", GrantRule::Paid(Tier::New, Amount(1 << 70))),
        ("grant_paid_share", GrantRule::PaidShare(share)),
        ("grant_credit_share", GrantRule::CreditShare(share)),
        ("grant_quote_ttl", GrantRule::QuoteTtlMs(900_000)),
        ("grant_hold_ttl", GrantRule::HoldTtlMs(3_600_000)),
    ];
    let event = |(name, rule)| {
        let change = PolicyChange::Grants(rule);
        (name, Event::PolicyChanged(PolicyChanged { change }))
    };
    rules.into_iter().map(event).collect()
}

fn free() -> GrantDecided {
    GrantDecided {
        grant: GRANT,
        request: label("r1"),
        identity: Some(label("npub1xyz")),
        tier: Some(Tier::Trusted),
        est: Amount(80),
        mode: PayMode::Invoice,
        serve: Serve::Free,
        absorb: Amount(80),
        charge: Amount::ZERO,
        reason: None,
        asset: ASSET,
        holds: shares(),
        payer: None,
        valid_ms: 3_600_000,
        available: Amount(9_920),
    }
}

fn decided() -> Vec<(&'static str, Event)> {
    let partial = GrantDecided {
        mode: PayMode::Prepaid,
        serve: Serve::Partial,
        charge: Amount(30),
        payer: Some(PayerNo(300)),
        ..free()
    };
    let gate = GrantDecided {
        identity: None,
        tier: None,
        serve: Serve::Gate,
        reason: Some(GateReason::PoolEmpty),
        holds: Vec::new(),
        ..free()
    };
    let all = [("free", free()), ("partial", partial), ("gate", gate)];
    all.map(|(name, one)| (name, Event::GrantDecided(Box::new(one))))
        .into()
}

fn paid() -> Vec<(&'static str, Event)> {
    let confirmed = GrantConfirmed {
        grant: GRANT,
        request: label("r1"),
        asset: ASSET,
        payment: label("p1"),
        paid: Amount(70),
        rail: RailNo(1),
        holds: shares(),
        valid_ms: 3_600_000,
        available: Amount(9_920),
    };
    let refunded = PaymentRefunded {
        grant: GRANT,
        request: label("r1"),
        asset: ASSET,
        payment: label("p2"),
        paid: Amount(70),
        rail: RailNo(1),
        reason: RefusedPayment::BudgetSpent,
        refunded_total: Amount(140),
    };
    let back = |to| ChargeRefunded {
        grant: GRANT,
        request: label("r1"),
        asset: ASSET,
        refund: label("d1"),
        to,
        amount: Amount(7),
        refunded_total: Amount(9),
    };
    let (rail, payer) = (Party::Rail(RailNo(1)), Party::Payer(PayerNo(300)));
    vec![
        ("plain", Event::GrantConfirmed(Box::new(confirmed))),
        ("plain", Event::PaymentRefunded(Box::new(refunded))),
        ("to_rail", Event::ChargeRefunded(Box::new(back(rail)))),
        ("to_payer", Event::ChargeRefunded(Box::new(back(payer)))),
    ]
}

fn earners() -> [(&'static str, Earner); 3] {
    let split = Split {
        policy: Position(9),
        commission: BasisPoints::new(2_500).expect("below the whole"),
    };
    [
        ("by_nobody", Earner::Nobody),
        ("by_worker", Earner::Worker(WorkerNo(300), split)),
        ("by_job", Earner::Job(JobNo(70_001))),
    ]
}

fn settled() -> Vec<(&'static str, Event)> {
    let share = SettledShare {
        pool: PoolNo(2),
        absorbed: Amount(30),
        returned: Amount(20),
    };
    let settled = |(name, earner)| {
        let one = GrantSettled {
            grant: GRANT,
            request: label("r1"),
            asset: ASSET,
            actual: Amount(150),
            shares: vec![share],
            charged: Amount(70),
            paid_by: Some(Party::Rail(RailNo(1))),
            refunded: Amount(5),
            overrun: Amount(50),
            credit: Amount(7),
            earner,
            available: Amount(9_920),
        };
        (name, Event::GrantSettled(Box::new(one)))
    };
    earners().map(settled).into()
}

fn ended() -> Vec<(&'static str, Event)> {
    let refund = Some(Refund {
        to: Party::Payer(PayerNo(0)),
        amount: Amount(70),
    });
    let released = GrantReleased {
        grant: GRANT,
        request: label("r1"),
        asset: ASSET,
        returned: shares(),
        refund,
        fault: true,
        available: Amount(9_920),
    };
    let expired = GrantExpired {
        grant: GRANT,
        request: label("r1"),
        asset: ASSET,
        returned: shares(),
        refund: None,
        available: Amount(9_920),
    };
    let voided = GrantVoided {
        grant: GRANT,
        request: label("r1"),
        reason: VoidReason::Cancelled,
    };
    let overran = GrantOverran {
        grant: GRANT,
        request: label("r1"),
        asset: ASSET,
        actual: Amount(75),
        earner: Earner::Nobody,
    };
    let joined = GrantJoined {
        grant: GRANT,
        request: label("r1"),
        job: JobNo(70_001),
    };
    vec![
        ("plain", Event::GrantReleased(Box::new(released))),
        ("plain", Event::GrantExpired(Box::new(expired))),
        ("plain", Event::GrantVoided(Box::new(voided))),
        ("plain", Event::GrantOverran(Box::new(overran))),
        ("plain", Event::GrantJoined(Box::new(joined))),
    ]
}
