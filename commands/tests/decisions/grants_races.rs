//! Every race that the service whose pool this replaces had, by the commit that found it.

use purser_commands::grants::offer::offer;
use purser_events::Amount;
use purser_projections::accounts::Account;

use crate::grants::{BEGUN, answers, played};
use crate::script::{World, label};

/// Available, reserved and granted.
fn pool(world: &World) -> [u128; 3] {
    let folds = &world.books.projections;
    let asset = folds.grants.asset().expect("there is a pool");
    let house = purser_events::PoolNo::HOUSE;
    let of = |account| folds.accounts.balance(asset, account).above_zero().0;
    [
        of(Account::GrantsAvailable(house)),
        of(Account::GrantsReserved(house)),
        folds.grants.pools()[0].granted.0,
    ]
}

fn overrun(world: &World) -> u128 {
    world.books.projections.grants.totals().overrun.0
}

/// 4c3a0e8: the grant was written with the invoice.
#[test]
fn unpaid_invoices_do_not_drain_the_pool() {
    let mut world = played(BEGUN);
    for time in 0..100 {
        let line = format!("decide r{time} cat 120");
        answers(&mut world, &line, "partial 50/70 quoted: grant_decided");
    }
    assert_eq!(pool(&world), [10_000, 0, 0]);
    world.play("wait 900001").expect("time passes");
    let due: Vec<_> = world.books.projections.grants.due(world.now).collect();
    assert_eq!(due.len(), 100);
    for grant in due {
        answers(&mut world, &format!("expire {grant}"), "done: grant_voided");
    }
    assert_eq!(world.books.projections.grants.open_len(), 0);
}

/// 4c3a0e8: the charge was lowered before anything was debited; sessions were decided after the
/// work.
#[test]
fn nothing_runs_cheaper_before_its_hold() {
    let mut world = played(&format!("{BEGUN}; decide r cat 120"));
    answers(&mut world, "done r 120", "not_paid");
    assert_eq!(pool(&world), [10_000, 0, 0]);
}

/// 3a61766, 1754ab1: the balance was clamped at zero, which hid what was missing.
#[test]
fn a_shortfall_is_never_clamped() {
    let mut world = played("asset ETH 18; pool house 60; tier ann elite; tier bob trusted");
    answers(
        &mut world,
        "decide r ann 50",
        "free 50/0 reserved: grant_decided",
    );
    answers(
        &mut world,
        "decide s bob 50",
        "partial 10/40 quoted: grant_decided",
    );
    answers(
        &mut world,
        "done r 55",
        "absorbed 50 charged 0 back 0 overrun 5 credit 0: grant_settled",
    );
    assert_eq!((pool(&world), overrun(&world)), ([10, 0, 50], 5));
}

/// 3a61766: partial jobs took the way of free ones.
#[test]
fn a_partial_job_is_charged_its_part() {
    let mut world = played(&format!("{BEGUN}; decide r cat 120; receive r 70 id=p"));
    let expected = "absorbed 50 charged 70 back 0 overrun 0 credit 7: grant_settled";
    answers(&mut world, "done r 120", expected);
}

/// 1754ab1: a decision was only advice.
#[test]
fn a_decision_holds_what_it_promises() {
    let world = played(&format!("{BEGUN}; decide r bob 80"));
    assert_eq!(pool(&world), [9_920, 80, 0]);
}

/// 373477b: the discount was given at the decision, and the debit could be smaller later.
#[test]
fn a_debit_is_never_smaller_than_its_discount() {
    let mut world = played("asset ETH 18; pool house 60; tier cat established; tier ann elite");
    answers(
        &mut world,
        "decide r cat 120",
        "partial 50/70 quoted: grant_decided",
    );
    answers(
        &mut world,
        "decide s ann 30",
        "free 30/0 reserved: grant_decided",
    );
    let expected = "pool_drained back 70: rail_named payment_refunded";
    answers(&mut world, "receive r 70 id=p", expected);
    assert_eq!(pool(&world), [30, 30, 0]);
}

/// eca505e: estimating debited the pool, because it called the decision.
#[test]
fn an_estimate_records_nothing() {
    let world = played(BEGUN);
    let before = world.books.projections.clone();
    let offered = offer(&before, world.now, Some(&label("bob")), Amount(80));
    assert_eq!((offered.absorb, offered.charge), (Amount(80), Amount::ZERO));
    assert_eq!(before, world.books.projections);
}

/// eca505e: the refund of a partial job ignored the pool's part.
#[test]
fn a_refund_takes_the_pools_part_into_account() {
    let mut world = played(&format!("{BEGUN}; decide r cat 120; receive r 70 id=p"));
    let expected = "absorbed 50 charged 40 back 30 overrun 0 credit 4: grant_settled";
    answers(&mut world, "done r 90", expected);
}

/// 599771e: free was granted although the race had debited less than the estimate.
#[test]
fn what_is_free_is_held_in_full_or_is_not_free() {
    let mut world = played("asset ETH 18; pool house 100; tier ann elite; tier bob trusted");
    answers(
        &mut world,
        "decide r ann 60",
        "free 60/0 reserved: grant_decided",
    );
    answers(
        &mut world,
        "decide s bob 60",
        "partial 40/20 quoted: grant_decided",
    );
}

/// 599771e: a failure after the debit leaked the reservation.
#[test]
fn a_reservation_is_released_or_expires() {
    let mut world = played(&format!("{BEGUN}; decide r bob 80; decide s bob 80"));
    answers(
        &mut world,
        "release r",
        "returned 80 back 0: grant_released",
    );
    world.play("wait 3600001").expect("time passes");
    let due: Vec<_> = world.books.projections.grants.due(world.now).collect();
    answers(
        &mut world,
        &format!("expire {}", due[0]),
        "done: grant_expired",
    );
    assert_eq!(pool(&world), [10_000, 0, 0]);
}

/// 599771e, 4845830: the record said the estimate, not the debit.
#[test]
fn the_record_says_what_was_absorbed() {
    let mut world = played(&format!("{BEGUN}; decide r bob 80"));
    let expected = "absorbed 60 charged 0 back 0 overrun 0 credit 0: grant_settled";
    answers(&mut world, "done r 60", expected);
    assert_eq!(pool(&world), [9_940, 0, 60]);
}

/// ba88824 to 4845830: six commits and three reversals about a pool that is empty at payment.
#[test]
fn a_pool_that_is_empty_at_payment_refunds_in_full_and_voids() {
    let mut world = played("asset ETH 18; pool house 50; tier cat established; tier ann elite");
    answers(
        &mut world,
        "decide r cat 120",
        "partial 50/70 quoted: grant_decided",
    );
    answers(
        &mut world,
        "decide s ann 50",
        "free 50/0 reserved: grant_decided",
    );
    let expected = "pool_drained back 70: rail_named payment_refunded";
    answers(&mut world, "receive r 70 id=p", expected);
    answers(
        &mut world,
        "receive r 70 id=p",
        "pool_drained back 70 again:",
    );
    answers(&mut world, "done r 120", "request_closed");
    assert_eq!(pool(&world), [0, 50, 0]);
}

/// The same, prepaid: there is no moment between the hold and the payment.
#[test]
fn a_prepaid_request_is_one_fact() {
    let mut world =
        played("asset ETH 18; pool house 900; tier cat established; deposit cat 100 id=d");
    answers(
        &mut world,
        "decide r cat 120 prepaid",
        "partial 50/70 reserved: grant_decided",
    );
    answers(&mut world, "decide s cat 120 prepaid", "insufficient_funds");
    assert_eq!(pool(&world), [850, 50, 0]);
}

/// b0ac398: the decay of trust was skipped when the score was written.
#[test]
fn a_score_wears_off_before_it_is_written() {
    let mut world = played("asset ETH 18; pool house 900");
    for time in 0..4 {
        for line in [
            format!("decide r{time} dan 60"),
            format!("receive r{time} 60 id=p{time}"),
        ] {
            world.play(&line).expect("it is granted");
        }
        world
            .play(&format!("done r{time} 60"))
            .expect("it is granted");
    }
    // Eight points, of which five wear off; two are added to the rest, not to all.
    world
        .play(&format!("wait {}", 35 * 86_400_000_u64))
        .expect("time passes");
    world.play("decide s dan 900").expect("it is granted");
    world.play("receive s 900 id=s").expect("it is granted");
    world.play("done s 900").expect("it is granted");
    let folds = &world.books.projections;
    let rules = &folds.policy.grants;
    let standing = folds.grants.standing(&label("dan"), world.now, rules);
    assert_eq!(standing.score, 5);
}

/// Never fixed: the daily counter moved only at the settlement.
#[test]
fn parallel_holds_count_against_the_days_budget() {
    let mut world = played(BEGUN);
    answers(
        &mut world,
        "decide r bob 80",
        "free 80/0 reserved: grant_decided",
    );
    answers(
        &mut world,
        "decide s bob 80",
        "free 80/0 reserved: grant_decided",
    );
    answers(
        &mut world,
        "decide t bob 80",
        "partial 40/40 quoted: grant_decided",
    );
}

/// Never mentioned: a double release mints money.
#[test]
fn a_double_release_returns_once() {
    let mut world = played(&format!("{BEGUN}; decide r bob 80"));
    answers(
        &mut world,
        "release r",
        "returned 80 back 0: grant_released",
    );
    answers(&mut world, "release r", "returned 80 back 0 again:");
    assert_eq!(pool(&world), [10_000, 0, 0]);
}

/// Never mentioned: a settlement after the hold had expired.
#[test]
fn a_late_settlement_is_the_operators_cost_once() {
    let mut world = played(&format!("{BEGUN}; decide r bob 80; wait 3600001"));
    let due: Vec<_> = world.books.projections.grants.due(world.now).collect();
    answers(
        &mut world,
        &format!("expire {}", due[0]),
        "done: grant_expired",
    );
    answers(&mut world, "done r 75", "late 75: grant_overran");
    answers(&mut world, "done r 75", "request_closed");
    assert_eq!((pool(&world), overrun(&world)), ([10_000, 0, 0], 75));
}

/// Never mentioned: webhooks are delivered more than once.
#[test]
fn a_repeated_notice_of_payment_counts_once() {
    let mut world = played(&format!("{BEGUN}; decide r cat 120; receive r 70 id=p"));
    answers(&mut world, "receive r 70 id=p", "held 50 reserved again:");
    assert_eq!(pool(&world), [9_950, 50, 0]);
}

/// Never mentioned: a settlement against the sweep at the deadline.
#[test]
fn a_settlement_and_a_sweep_at_the_deadline_do_not_both_happen() {
    let mut world = played(&format!("{BEGUN}; decide r bob 80; wait 3600001"));
    let due: Vec<_> = world.books.projections.grants.due(world.now).collect();
    let expected = "absorbed 80 charged 0 back 0 overrun 0 credit 0: grant_settled";
    answers(&mut world, "done r 80", expected);
    answers(&mut world, &format!("expire {}", due[0]), "unchanged:");
    assert_eq!(pool(&world), [9_920, 0, 80]);
}
