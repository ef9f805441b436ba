//! Each invariant of the grants is attacked: wrong states, and wrong events, are found.

use purser_events::grant::{
    Earner, GrantConfirmed, GrantDecided, GrantExpired, GrantOverran, GrantReleased, GrantSettled,
    Party, PayMode, PaymentRefunded, PoolOpened, Refund, RefusedPayment, Serve, SettledShare,
    Share, Tier, TierSet,
};
use purser_events::{
    Amount, AssetNo, Event, GrantNo, Label, Micros, PayerNo, PoolNo, RailNo, Recorded,
};

use super::{Day, GrantAudit, Identity};
use crate::Projections;

fn label(text: &str) -> Label {
    Label::new(text).expect("a short text")
}

fn share(amount: u128) -> Share {
    let (pool, amount) = (PoolNo::HOUSE, Amount(amount));
    Share { pool, amount }
}

/// A decision on 60 units that holds so much, of which the rest is to be paid.
fn decided(grant: u64, identity: &str, held: u128) -> GrantDecided {
    GrantDecided {
        grant: GrantNo(grant),
        request: label(&format!("r{grant}")),
        identity: Some(label(identity)),
        tier: Some(Tier::Elite),
        est: Amount(60),
        mode: PayMode::Invoice,
        serve: Serve::Free,
        absorb: Amount(60),
        charge: Amount::ZERO,
        reason: None,
        asset: AssetNo::ETH,
        holds: vec![share(held)],
        payer: None,
        valid_ms: 1_000,
        available: Amount(1_000 - held),
    }
}

/// A quote of 60 units, of which the pool pays 40.
fn quoted(grant: u64) -> GrantDecided {
    GrantDecided {
        serve: Serve::Partial,
        absorb: Amount(40),
        charge: Amount(20),
        holds: Vec::new(),
        available: Amount(940),
        ..decided(grant, "ann", 0)
    }
}

fn fold(folds: &mut Projections, event: &Event) {
    folds.apply(Recorded {
        position: folds.position.next(),
        recorded_at: Micros(1),
        event,
    });
}

/// A pool of 1,000; `r3` holds 60 of it for ann, `r4` is quoted.
fn begun() -> (Projections, GrantAudit) {
    let opened = PoolOpened {
        pool: PoolNo::HOUSE,
        name: label("house"),
        asset: AssetNo::ETH,
        seed: Amount(1_000),
        rail: RailNo::following(0),
    };
    let tier = TierSet {
        identity: label("ann"),
        tier: Some(Tier::Elite),
    };
    let events = [
        Event::PoolOpened(Box::new(opened)),
        Event::TierSet(Box::new(tier)),
        Event::GrantDecided(Box::new(decided(3, "ann", 60))),
        Event::GrantDecided(Box::new(quoted(4))),
    ];
    let (mut folds, mut audit) = (Projections::default(), GrantAudit::default());
    for event in &events {
        assert_eq!(seen(&mut audit, &folds, event), "");
        fold(&mut folds, event);
    }
    (folds, audit)
}

fn seen(audit: &mut GrantAudit, before: &Projections, event: &Event) -> String {
    let fact = Recorded {
        position: before.position.next(),
        recorded_at: Micros(1),
        event,
    };
    audit
        .see(before, fact)
        .err()
        .map_or_else(String::new, |breach| breach.to_string())
}

/// How a state is made wrong.
type Wrong = fn(&mut Projections);

/// Wrong states, and how what is found begins.
const WRONG_STATES: [(Wrong, &str); 8] = [
    (
        |folds| folds.grants.kept.pools[0].seeded = Amount(999),
        "I1: the pool house did not receive",
    ),
    (
        |folds| {
            let grant = folds.grants.kept.open.get_mut(&GrantNo(3));
            let running = grant.expect("it is open").running.as_mut();
            running.expect("it runs").holds = vec![share(59)];
        },
        "I3: the pool house reserves",
    ),
    (
        |folds| {
            let ann = folds.grants.kept.identities.get_mut(&label("ann"));
            ann.expect("it is known").hold(Day(0), Amount(1));
        },
        "I5: ann holds on day 0 what no request does",
    ),
    (
        |folds| {
            let ann = folds.grants.kept.identities.get_mut(&label("ann"));
            *ann.expect("it is known") = Identity::default();
        },
        "I5: ann holds on day 0 what no request does",
    ),
    (
        |folds| {
            let grant = folds.grants.kept.open.get_mut(&GrantNo(3));
            let running = grant.expect("it is open").running.as_mut();
            running.expect("it runs").paid = Some(Refund {
                to: Party::Rail(RailNo::following(0)),
                amount: Amount(1),
            });
        },
        "I7: escrow:3 is not what was paid",
    ),
    (
        |folds| {
            let grant = folds.grants.kept.open.get_mut(&GrantNo(3));
            grant.expect("it is open").absorb = Amount(61);
        },
        "I9: r3 runs without its hold",
    ),
    (
        |folds| {
            let grant = folds.grants.kept.open.get_mut(&GrantNo(4));
            grant.expect("it is open").running = Some(super::Running {
                day: Day(0),
                holds: Vec::new(),
                paid: None,
            });
        },
        "I9: r4 runs without its hold",
    ),
    (
        |folds| {
            let pool = &mut folds.grants.kept.pools[0];
            pool.granted = Amount(5);
            pool.topped_up = Amount(5);
        },
        "I4: the pool house paid",
    ),
];

#[test]
fn every_wrong_state_is_found_and_named() {
    let (right, audit) = begun();
    assert_eq!(audit.close(&right), Ok(()));
    for (wrong, expected) in WRONG_STATES {
        let mut folds = right.clone();
        wrong(&mut folds);
        let found = audit.close(&folds).expect_err(expected).to_string();
        assert!(found.starts_with(expected), "{expected}: {found}");
    }
}

fn confirmed(paid: u128, held: u128) -> Event {
    Event::GrantConfirmed(Box::new(GrantConfirmed {
        grant: GrantNo(4),
        request: label("r4"),
        asset: AssetNo::ETH,
        payment: label("p"),
        paid: Amount(paid),
        rail: RailNo::following(0),
        holds: vec![share(held)],
        valid_ms: 1_000,
        available: Amount(940 - held),
    }))
}

fn refunded(grant: u64, total: u128) -> Event {
    Event::PaymentRefunded(Box::new(PaymentRefunded {
        grant: GrantNo(grant),
        request: label("r4"),
        asset: AssetNo::ETH,
        payment: label("p"),
        paid: Amount(7),
        rail: RailNo::following(0),
        reason: RefusedPayment::WrongAmount,
        refunded_total: Amount(total),
    }))
}

/// A settlement of `r3`: what it did cost, what is absorbed, returned, charged and overrun.
fn settled(actual: u128, [absorbed, returned, charged, overrun]: [u128; 4]) -> Event {
    let share = SettledShare {
        pool: PoolNo::HOUSE,
        absorbed: Amount(absorbed),
        returned: Amount(returned),
    };
    Event::GrantSettled(Box::new(GrantSettled {
        grant: GrantNo(3),
        request: label("r3"),
        asset: AssetNo::ETH,
        actual: Amount(actual),
        shares: vec![share],
        charged: Amount(charged),
        paid_by: None,
        refunded: Amount::ZERO,
        overrun: Amount(overrun),
        credit: Amount::ZERO,
        earner: Earner::Nobody,
        available: Amount(940 + returned),
    }))
}

fn gone_back(returned: u128, refund: u128) -> [Event; 2] {
    let refund = Some(Refund {
        to: Party::Payer(PayerNo::following(0)),
        amount: Amount(refund),
    });
    let refund = refund.filter(|refund| refund.amount > Amount::ZERO);
    let (grant, request, asset) = (GrantNo(3), label("r3"), AssetNo::ETH);
    let (returned, available) = (vec![share(returned)], Amount(940 + returned));
    let released = GrantReleased {
        grant,
        request: request.clone(),
        asset,
        returned: returned.clone(),
        refund,
        fault: false,
        available,
    };
    let expired = GrantExpired {
        grant,
        request,
        asset,
        returned,
        refund,
        available,
    };
    [
        Event::GrantReleased(Box::new(released)),
        Event::GrantExpired(Box::new(expired)),
    ]
}

fn decision(change: impl FnOnce(&mut GrantDecided)) -> Event {
    let mut one = decided(5, "ann", 60);
    change(&mut one);
    Event::GrantDecided(Box::new(one))
}

#[test]
fn every_wrong_event_is_found_and_named() {
    let (folds, audit) = begun();
    let late = Event::GrantOverran(Box::new(GrantOverran {
        grant: GrantNo(3),
        request: label("r3"),
        asset: AssetNo::ETH,
        actual: Amount(9),
        earner: Earner::Nobody,
    }));
    let stranger = decision(|one| one.identity = Some(label("dan")));
    let nobody = decision(|one| one.identity = None);
    let short = decision(|one| one.holds = vec![share(59)]);
    let unquoted = decision(|one| one.charge = Amount(1));
    let [short_release, short_expiry] = gone_back(59, 0);
    let [paid_release, paid_expiry] = gone_back(60, 1);
    for (event, expected) in [
        (stranger, "I5: dan holds on day 0 more than its budget"),
        (nobody, "I9: r5 runs without its hold"),
        (short, "I9: r5 runs without its hold"),
        (unquoted, "I8: what r5 did cost has no bearer"),
        (confirmed(20, 39), "I9: r4 runs without its hold"),
        (confirmed(21, 40), "I7: what was paid for r4"),
        (refunded(4, 8), "I7: what was paid for r4"),
        (settled(60, [60, 1, 0, 0]), "I6: what r3 held"),
        (settled(61, [60, 0, 1, 0]), "I7: what was paid for r3"),
        (settled(61, [60, 0, 0, 0]), "I8: what r3 did cost"),
        (short_release, "I6: what r3 held"),
        (short_expiry, "I6: what r3 held"),
        (paid_release, "I7: what was paid for r3"),
        (paid_expiry, "I7: what was paid for r3"),
        (late, "I10: a result is late for r3"),
    ] {
        let found = seen(&mut audit.clone(), &folds, &event);
        assert!(found.starts_with(expected), "{expected}: {found}");
    }
    for right in [
        decision(|_| {}),
        confirmed(20, 40),
        refunded(4, 7),
        settled(55, [55, 5, 0, 0]),
        settled(65, [60, 0, 0, 5]),
    ] {
        assert_eq!(seen(&mut audit.clone(), &folds, &right), "", "{right:?}");
    }
}

/// I2: what would take a pool below zero cannot even be folded.
#[test]
fn a_hold_beyond_the_pool_cannot_be_folded() {
    let (folds, _) = begun();
    let beyond = decision(|one| {
        one.holds = vec![share(941)];
        one.available = Amount::ZERO;
    });
    let folded = std::panic::catch_unwind(move || {
        let mut folds = folds;
        fold(&mut folds, &beyond);
    });
    assert!(folded.is_err());
}
