//! Grants, pools of generosity and identities.

use purser_events::{Event, Micros};

use crate::script::{Row, World, check, row};

/// A pool of 10,000, and somebody of every tier: the next event is the ninth.
pub(crate) const BEGUN: &str = "asset ETH 18; pool house 10000; tier ann elite; tier bob trusted; \
     tier cat established; asset BTC 8; deposit dan 100 id=d0";

/// The same with a pool of 60.
const SMALL: &str = "asset ETH 18; pool house 60; tier ann elite; tier bob trusted; \
     tier cat established";

/// Per command: the rejections in the order of the checks, then what is granted.
pub(crate) const ROWS: &[Row] = &[
    row(
        "work of nothing is refused",
        "",
        "decide r - 0",
        "bad_amount",
    ),
    row(
        "without a pool nothing is decided",
        "",
        "decide r - 5",
        "no_pool",
    ),
    row(
        "another estimate under the same id is refused",
        "asset ETH 18; pool house 9; decide r - 5",
        "decide r - 6",
        "request_differs",
    ),
    row(
        "another identity under the same id is refused, also when it is closed",
        "asset ETH 18; pool house 9; tier bob trusted; decide r bob 5; done r 5",
        "decide r - 5",
        "request_differs",
    ),
    row(
        "prepaid work that the funds do not cover is refused, and nothing is held",
        "asset ETH 18; pool house 9; tier bob trusted",
        "decide r bob 10 prepaid",
        "insufficient_funds",
    ),
    row(
        "nobody has no prepaid funds",
        "asset ETH 18; pool house 9",
        "decide r - 10 prepaid",
        "insufficient_funds",
    ),
    row(
        "the same request answers as the first time",
        "asset ETH 18; pool house 9; tier bob trusted; decide r bob 5; done r 5",
        "decide r bob 5",
        "free 5/0 reserved again:",
    ),
    row(
        "nobody is granted nothing",
        "asset ETH 18; pool house 9",
        "decide r - 5",
        "gate 0/5 awaiting anonymous: grant_decided",
    ),
    row(
        "whoever is new is granted nothing",
        "asset ETH 18; pool house 9",
        "decide r dan 5",
        "gate 0/5 awaiting tier_zero: grant_decided",
    ),
    row(
        "a day's budget is granted once",
        "asset ETH 18; pool house 900; tier bob trusted; decide q bob 200",
        "decide r bob 5",
        "gate 0/5 awaiting budget_spent: grant_decided",
    ),
    row(
        "an empty pool grants nothing",
        "asset ETH 18; pool house 0; tier bob trusted",
        "decide r bob 5",
        "gate 0/5 awaiting pool_empty: grant_decided",
    ),
    row(
        "prepaid work at full price runs at once",
        "asset ETH 18; pool house 0; deposit dan 70 id=d",
        "decide r dan 70 prepaid",
        "gate 0/70 full_price tier_zero: grant_decided",
    ),
    row(
        "a part is granted where the budget ends",
        "asset ETH 18; pool house 900; tier cat established",
        "decide r cat 120",
        "partial 50/70 quoted: grant_decided",
    ),
    row(
        "a part is granted where the pool ends",
        SMALL,
        "decide r ann 100",
        "partial 60/40 quoted: grant_decided",
    ),
    row(
        "a payment of nothing is refused",
        "asset ETH 18; pool house 9; decide r - 5",
        "receive r 0 id=p",
        "bad_amount",
    ),
    row(
        "an unknown request is not paid",
        "",
        "receive r 5 id=p",
        "unknown_request",
    ),
    row(
        "a payment pays one request",
        "asset ETH 18; pool house 9; decide q - 5; decide r - 5; receive q 5 id=p",
        "receive r 5 id=p",
        "payment_differs",
    ),
    row(
        "a payment that credited a job pays no request",
        "asset ETH 18; pool house 9; deposit p 5 rail=invoice id=p; decide r - 5",
        "receive r 5 id=p",
        "payment_differs",
    ),
    row(
        "a payment that paid a request credits nobody's funds",
        "asset ETH 18; pool house 9; decide r - 5; receive r 5 id=p",
        "deposit p 5 rail=invoice id=p",
        "payment_differs",
    ),
    row(
        "a wrong amount goes back, and the quote stands",
        "asset ETH 18; pool house 900; tier cat established; decide r cat 120",
        "receive r 69 id=p",
        "wrong_amount back 69: rail_named payment_refunded",
    ),
    row(
        "a second payment goes back",
        "asset ETH 18; pool house 900; tier cat established; decide r cat 120; receive r 70 id=p",
        "receive r 70 id=q",
        "already_paid back 70: payment_refunded",
    ),
    row(
        "a payment for a closed request goes back",
        "asset ETH 18; pool house 900; tier bob trusted; decide r bob 5; done r 5",
        "receive r 5 id=q",
        "closed back 5: rail_named payment_refunded",
    ),
    row(
        "a late payment goes back, and the request is void",
        "asset ETH 18; pool house 900; tier cat established; decide r cat 120; wait 900001",
        "receive r 70 id=p",
        "quote_expired back 70: rail_named payment_refunded",
    ),
    row(
        "a payment at the last moment is in time",
        "asset ETH 18; pool house 900; tier cat established; decide r cat 120; wait 900000",
        "receive r 70 id=p",
        "held 50 reserved: rail_named grant_confirmed",
    ),
    row(
        "a budget that was spent meanwhile voids the request",
        "asset ETH 18; pool house 900; tier cat established; decide r cat 120; decide q cat 10",
        "receive r 70 id=p",
        "budget_spent back 70: rail_named payment_refunded",
    ),
    row(
        "the full price is paid and nothing is held",
        "asset ETH 18; pool house 9; decide r - 5",
        "receive r 5 id=p",
        "held 0 full_price: rail_named grant_confirmed",
    ),
    row(
        "an unknown request is not settled",
        "",
        "done r 5",
        "unknown_request",
    ),
    row(
        "what waits for its payment is not settled",
        "asset ETH 18; pool house 9; decide r - 5",
        "done r 5",
        "not_paid",
    ),
    row(
        "a released request is not settled",
        "asset ETH 18; pool house 9; tier bob trusted; decide r bob 5; release r",
        "done r 5",
        "request_closed",
    ),
    row(
        "another cost for a settled request is refused",
        "asset ETH 18; pool house 99; tier bob trusted; decide r bob 80; done r 60",
        "done r 70",
        "request_differs",
    ),
    row(
        "another worker for a settled request is refused",
        "asset ETH 18; pool house 99; tier bob trusted; decide r bob 80; register w key=k; \
         register v key=k; done r 60 worker=w",
        "done r 60 worker=v",
        "request_differs",
    ),
    row(
        "an unknown worker earns nothing",
        "asset ETH 18; pool house 99; tier bob trusted; decide r bob 80",
        "done r 60 worker=nobody",
        "unknown_worker",
    ),
    row(
        "a worker earns what pool, payer and operator bear",
        "asset ETH 18; policy commission 2500; pool house 900; tier cat established; \
         register w key=k; decide r cat 120; receive r 70 id=p",
        "done r 150 worker=w",
        "absorbed 50 charged 70 back 0 overrun 30 credit 7: grant_settled",
    ),
    row(
        "a credit is never more than the house earns by the charge",
        "asset ETH 18; policy commission 500; pool house 900; register w key=k; decide r - 100; \
         receive r 100 id=p",
        "done r 100 worker=w",
        "absorbed 0 charged 100 back 0 overrun 0 credit 5: grant_settled",
    ),
    row(
        "an unknown request is not released",
        "",
        "release r",
        "unknown_request",
    ),
    row(
        "a settled request is not released",
        "asset ETH 18; pool house 9; tier bob trusted; decide r bob 5; done r 5",
        "release r",
        "request_closed",
    ),
    row(
        "a release with another blame is another wish",
        "asset ETH 18; pool house 9; tier bob trusted; decide r bob 5; release r",
        "release r fault=yes",
        "request_closed",
    ),
    row(
        "what waits for its payment is called off",
        "asset ETH 18; pool house 9; decide r - 5",
        "release r",
        "returned 0 back 0: grant_voided",
    ),
    row(
        "calling off twice changes nothing",
        "asset ETH 18; pool house 9; decide r - 5; release r",
        "release r",
        "returned 0 back 0 again:",
    ),
    row(
        "what was paid goes back with a release",
        "asset ETH 18; pool house 900; tier cat established; decide r cat 120; receive r 70 id=p",
        "release r",
        "returned 50 back 70: grant_released",
    ),
    row(
        "what is not due does not expire",
        "asset ETH 18; pool house 9; decide r - 5",
        "expire 4",
        "not_due",
    ),
    row(
        "nothing expires twice",
        "asset ETH 18; pool house 9",
        "expire 4",
        "unchanged:",
    ),
    row(
        "a quote that nobody paid is void",
        "asset ETH 18; pool house 9; decide r - 5; wait 900001",
        "expire 4",
        "done: grant_voided",
    ),
    row(
        "work that does not end expires, at full price too",
        "asset ETH 18; pool house 9; decide r - 5; receive r 5 id=p; wait 3600001",
        "expire 4",
        "done: grant_expired",
    ),
    row(
        "a result that comes too late is the operator's cost",
        "asset ETH 18; pool house 9; tier bob trusted; decide r bob 5; wait 3600001; expire 5",
        "done r 5",
        "late 5: grant_overran",
    ),
    row(
        "a second late result is refused",
        "asset ETH 18; pool house 9; tier bob trusted; decide r bob 5; wait 3600001; expire 5; \
         done r 5",
        "done r 5",
        "request_closed",
    ),
    row(
        "a refund of nothing is refused",
        "",
        "refund r 0 id=x",
        "bad_amount",
    ),
    row(
        "an unknown request has no refund",
        "",
        "refund r 5 id=x",
        "unknown_request",
    ),
    row(
        "a refund of another amount under the same id is refused",
        "asset ETH 18; pool house 9; decide r - 50; receive r 50 id=p; done r 50; refund r 5 id=x",
        "refund r 6 id=x",
        "payment_differs",
    ),
    row(
        "what was not settled is not paid back",
        "asset ETH 18; pool house 9; decide r - 50; receive r 50 id=p",
        "refund r 5 id=x",
        "not_settled",
    ),
    row(
        "no more is paid back than was charged",
        "asset ETH 18; pool house 9; decide r - 50; receive r 50 id=p; done r 50; refund r 41 id=x",
        "refund r 10 id=y",
        "refund_too_large",
    ),
    row(
        "nothing is paid back that the house does not have",
        "asset ETH 18; policy commission 2500; pool house 9; register w key=k; decide r - 50; \
         receive r 50 id=p; done r 50 worker=w",
        "refund r 50 id=x",
        "insufficient_revenue",
    ),
    row(
        "a charge is paid back",
        "asset ETH 18; pool house 9; decide r - 50; receive r 50 id=p; done r 50",
        "refund r 45 id=x",
        "paid back 45: charge_refunded",
    ),
    row(
        "a refund counts once",
        "asset ETH 18; pool house 9; decide r - 50; receive r 50 id=p; done r 50; refund r 45 id=x",
        "refund r 45 id=x",
        "paid back 45 again:",
    ),
    row(
        "a job is opened on no unknown request",
        "asset ETH 18; pool house 99",
        "open p/j request=r",
        "unknown_request",
    ),
    row(
        "a job is opened on no closed request",
        "asset ETH 18; pool house 99; decide r - 5; release r",
        "open p/j request=r",
        "request_closed",
    ),
    row(
        "a job is opened on a request in its own asset",
        "asset ETH 18; asset BTC 8; pool house 99; tier bob trusted; decide r bob 80",
        "open p/j request=r asset=BTC",
        "request_differs",
    ),
    row(
        "a job is opened on work under way only",
        "asset ETH 18; pool house 99; decide r - 5",
        "open p/j request=r",
        "not_paid",
    ),
    row(
        "one job is opened on a request",
        "asset ETH 18; pool house 99; tier bob trusted; decide r bob 80; open p/j request=r",
        "open p/k request=r",
        "request_on_job",
    ),
    row(
        "a request with a job is settled by closing the job",
        "asset ETH 18; pool house 99; tier bob trusted; decide r bob 80; open p/j request=r",
        "done r 80",
        "request_on_job",
    ),
    row(
        "a request with a job is released by closing the job",
        "asset ETH 18; pool house 99; tier bob trusted; decide r bob 80; open p/j request=r",
        "release r",
        "request_on_job",
    ),
    row(
        "a job is opened on a request",
        "asset ETH 18; pool house 99; tier bob trusted; decide r bob 80",
        "open p/j request=r",
        "opened 0: payer_named job_opened grant_joined",
    ),
    row(
        "opening again without the request is another wish",
        "asset ETH 18; pool house 99; tier bob trusted; decide r bob 80; open p/j request=r",
        "open p/j",
        "job_differs",
    ),
    row(
        "opening again on the request changes nothing",
        "asset ETH 18; pool house 99; tier bob trusted; decide r bob 80; open p/j request=r",
        "open p/j request=r",
        "opened again 0:",
    ),
    row(
        "an unknown request is not found",
        "",
        "request r",
        "unknown_request",
    ),
    row(
        "a closed request is found",
        "asset ETH 18; pool house 9; decide r - 5; release r",
        "request r",
        "request 4:",
    ),
    row(
        "a pool in an unknown asset is refused",
        "",
        "pool house 5",
        "unknown_asset",
    ),
    row(
        "a pool is opened once",
        "asset ETH 18; pool house 5",
        "pool house 6",
        "pool_differs",
    ),
    row(
        "all pools are in one asset",
        "asset ETH 18; asset BTC 8; pool house 5",
        "pool acme 6 asset=BTC",
        "pool_differs",
    ),
    row(
        "there is a bound to pools",
        "asset ETH 18; many 64 pool p{} 5",
        "pool acme 5",
        "too_many_names",
    ),
    row(
        "a pool is opened, its way named",
        "asset ETH 18",
        "pool house 5",
        "done: rail_named pool_opened",
    ),
    row(
        "the same pool again is no event",
        "asset ETH 18; pool house 5",
        "pool house 5",
        "unchanged:",
    ),
    row(
        "an unknown pool has no place",
        "",
        "order house",
        "unknown_pool",
    ),
    row(
        "an order names every pool",
        "asset ETH 18; pool house 5; pool acme 5",
        "order acme",
        "order_incomplete",
    ),
    row(
        "an order names every pool once",
        "asset ETH 18; pool house 5; pool acme 5",
        "order acme acme",
        "order_incomplete",
    ),
    row(
        "pools are ordered",
        "asset ETH 18; pool house 5; pool acme 5",
        "order acme house",
        "done: pools_ordered",
    ),
    row(
        "the order in force is no event",
        "asset ETH 18; pool house 5; pool acme 5",
        "order house acme",
        "unchanged:",
    ),
    row("nothing is added", "", "topup house 0 id=t", "bad_amount"),
    row(
        "nobody adds to no pool",
        "",
        "topup house 5 id=t",
        "no_pool",
    ),
    row(
        "nobody adds to an unknown pool",
        "asset ETH 18; pool house 5",
        "topup - 5 id=t pool=acme",
        "unknown_pool",
    ),
    row(
        "a payment adds to one pool",
        "asset ETH 18; pool house 5; pool acme 5; topup - 5 id=t pool=acme",
        "topup - 5 id=t",
        "payment_differs",
    ),
    row(
        "a sponsor adds to a pool",
        "asset ETH 18; pool house 5; pool acme 5",
        "topup - 5 id=t pool=acme rail=seed",
        "done: pool_topped_up",
    ),
    row(
        "a payment is added once",
        "asset ETH 18; pool house 5; topup - 5 id=t",
        "topup - 5 id=t",
        "unchanged:",
    ),
    row("a tier is set", "", "tier bob elite", "done: tier_set"),
    row(
        "the tier in force is no event",
        "tier bob elite",
        "tier bob elite",
        "unchanged:",
    ),
    row(
        "what was never set is earned",
        "",
        "tier bob earned",
        "unchanged:",
    ),
    row(
        "a tier is left to be earned",
        "tier bob new",
        "tier bob earned",
        "done: tier_set",
    ),
    row(
        "a score that nobody reaches is refused",
        "",
        "policy grant_score_elite 1001",
        "policy_out_of_range",
    ),
    row(
        "a quote of less than a second is refused",
        "",
        "policy grant_quote_ttl 999",
        "policy_out_of_range",
    ),
    row(
        "a work time of more than a day is refused",
        "",
        "policy grant_hold_ttl 86400001",
        "policy_out_of_range",
    ),
    row(
        "the default of a rule is no event",
        "",
        "policy grant_credit 1000",
        "unchanged:",
    ),
];

#[test]
fn grants_are_decided_as_the_table_says() {
    ROWS.iter().for_each(check);
}

/// Plays lines, each of which is granted.
pub(crate) fn played(lines: &str) -> World {
    let mut world = World::default();
    for line in lines.split(';').map(str::trim) {
        let outcome = world.play(line);
        assert!(outcome.is_ok(), "{line}: {outcome:?}");
    }
    world
}

/// Whether a line answers so.
pub(crate) fn answers(world: &mut World, line: &str, expected: &str) {
    let outcome = world.play(line);
    assert_eq!(crate::script::show(outcome.as_ref()), expected, "{line}");
}

#[test]
fn pools_are_asked_in_their_order_and_have_their_own_back() {
    let mut world = played(
        "asset ETH 18; pool house 100; pool acme 30; order acme house; tier ann elite; \
         decide r ann 50",
    );
    let event = world.history.last().map(|(_, event)| event.clone());
    let Some(Event::GrantDecided(decided)) = event else {
        panic!("a grant was decided");
    };
    let holds = decided
        .holds
        .iter()
        .map(|share| (share.pool.0, share.amount.0));
    assert_eq!(holds.collect::<Vec<_>>(), [(1, 30), (0, 20)]);
    let expected = "absorbed 40 charged 0 back 0 overrun 0 credit 0: grant_settled";
    answers(&mut world, "done r 40", expected);
    let pools = world.books.projections.grants.pools();
    assert_eq!([pools[0].granted.0, pools[1].granted.0], [10, 30]);
}

#[test]
fn credits_go_to_the_house_whatever_the_order() {
    let world = played(
        "asset ETH 18; pool house 100; pool acme 30; order acme house; decide r - 50; \
         receive r 50 id=p; done r 50",
    );
    let pools = world.books.projections.grants.pools();
    assert_eq!([pools[0].credited.0, pools[1].credited.0], [5, 0]);
}

#[test]
fn rules_act_from_their_position_on() {
    let mut world = played(
        "asset ETH 18; pool house 900; tier bob trusted; tier cat established; decide q cat 120; \
         policy grant_budget_trusted 7; policy grant_quote_ttl 1000; policy grant_credit 5000",
    );
    answers(
        &mut world,
        "decide r bob 7",
        "free 7/0 reserved: grant_decided",
    );
    answers(
        &mut world,
        "decide s cat 51",
        "partial 50/1 quoted: grant_decided",
    );
    answers(&mut world, "wait 1001", "done:");
    let expected = "held 50 reserved: rail_named grant_confirmed";
    answers(&mut world, "receive q 70 id=p", expected);
    let expected = "quote_expired back 1: payment_refunded";
    answers(&mut world, "receive s 1 id=o", expected);
    let expected = "absorbed 50 charged 70 back 0 overrun 0 credit 35: grant_settled";
    answers(&mut world, "done q 120", expected);
}

#[test]
fn a_tier_is_earned_by_work_and_money_and_wears_off() {
    let mut world = played("asset ETH 18; pool house 9000");
    for time in 0..5 {
        for line in [
            format!("decide r{time} dan 50"),
            format!("receive r{time} 50 id=p{time}"),
            format!("done r{time} 50"),
        ] {
            world.play(&line).expect("it is granted");
        }
    }
    let expected = "free 10/0 reserved: grant_decided";
    answers(&mut world, "decide x dan 10", expected);
    // The tier is reached; a quarter of what was paid is more than its budget.
    answers(
        &mut world,
        "decide y dan 99",
        "partial 40/59 quoted: grant_decided",
    );
    world
        .play(&format!("wait {}", 31 * 86_400_000_u64))
        .expect("time passes");
    let expected = "gate 0/10 awaiting tier_zero: grant_decided";
    answers(&mut world, "decide z dan 10", expected);
}

#[test]
fn identities_of_which_nothing_is_left_to_know_leave_memory() {
    let mut world = played("asset ETH 18; pool house 9000; tier bob trusted");
    for time in 0..50 {
        for line in [
            format!("decide r{time} x{time} 5"),
            format!("receive r{time} 5 id=p{time}"),
            format!("done r{time} 5"),
        ] {
            world.play(&line).expect("it is granted");
        }
    }
    assert_eq!(world.books.projections.grants.identities().count(), 51);
    assert_eq!(world.books.projections.grants.open_len(), 0);
    world.now = Micros(world.now.0 + 40 * 86_400_000_000);
    world.play("decide y - 5").expect("it is granted");
    assert_eq!(world.books.projections.grants.identities().count(), 1);
}

/// Closes a job that was opened on a request; what is left on some accounts.
fn closed(lines: &str, close: &str) -> (String, Vec<(String, String)>) {
    let mut world = played(lines);
    let outcome = world.play(close);
    let shown = crate::script::show(outcome.as_ref());
    let folds = &world.books.projections;
    let rows = folds.accounts.trial_balance(&folds.names);
    let rows = rows
        .into_iter()
        .filter(|row| row.turnover.debits != row.turnover.credits);
    let rows = rows.map(|row| (row.name, row.turnover.balance(row.side).to_string()));
    (shown, rows.collect())
}

fn rows(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, balance): &(&str, &str)| ((*name).to_owned(), (*balance).to_owned());
    expected.iter().map(owned).collect()
}

/// A pool of 900, a partial request of 50 and 70 that is paid, a job on it that a worker does.
const ON_JOB: &str = "asset ETH 18; policy commission 2500; pool house 900; \
     tier cat established; register w key=k; decide r cat 120; receive r 70 id=i; \
     open cat/j price=1 worker=w request=r";

#[test]
fn what_a_pool_absorbs_pays_worker_and_commission_like_any_other_money() {
    let lines = format!("{ON_JOB}; admit cat/j 100; debit cat/j 1 units=90");
    let (shown, left) = closed(&lines, "close cat/j");
    assert!(shown.ends_with(": grant_settled job_closed"), "{shown}");
    let expected = [
        ("external:invoice", "40"),
        ("external:seed", "900"),
        ("grants:available", "854"),
        ("pool:commission", "18"),
        ("worker:w", "68"),
    ];
    assert_eq!(left, rows(&expected));
}

#[test]
fn a_job_on_a_request_never_costs_its_payer_more_than_was_quoted() {
    let (shown, left) = closed(&format!("{ON_JOB}; debit cat/j 1 units=150"), "close cat/j");
    assert!(shown.ends_with(": grant_settled job_closed"), "{shown}");
    let expected = [
        ("external:invoice", "70"),
        ("external:seed", "900"),
        ("grants:available", "857"),
        ("operator:overrun", "30"),
        ("pool:commission", "30"),
        ("worker:w", "113"),
    ];
    assert_eq!(left, rows(&expected));
}

#[test]
fn what_was_credited_to_the_job_pays_before_the_operator_does() {
    let lines = format!("{ON_JOB}; credit cat/j 25 id=c; debit cat/j 1 units=140");
    let (_, left) = closed(&lines, "close cat/j");
    assert!(
        left.contains(&("payer:cat".to_owned(), "5".to_owned())),
        "{left:?}"
    );
    assert!(
        left.iter().all(|(name, _)| name != "operator:overrun"),
        "{left:?}"
    );
}

#[test]
fn a_job_that_did_nothing_gives_the_request_everything_back() {
    let (shown, left) = closed(ON_JOB, "close cat/j");
    assert!(shown.ends_with(": grant_released job_closed"), "{shown}");
    assert_eq!(
        left,
        rows(&[("external:seed", "900"), ("grants:available", "900")])
    );
}

#[test]
fn a_job_is_admitted_and_runs_on_what_its_request_bears() {
    let mut world = played(ON_JOB);
    let shown = |world: &mut World, line: &str| crate::script::show(world.play(line).as_ref());
    assert_eq!(shown(&mut world, "admit cat/j 121"), "insufficient_balance");
    assert!(shown(&mut world, "admit cat/j 120").ends_with("job_admitted"));
    for (line, word) in [
        ("debit cat/j 1 units=120", "run"),
        ("debit cat/j 2 units=1", "grace"),
        ("debit cat/j 3 units=1", "stop"),
    ] {
        let shown = shown(&mut world, line);
        assert!(shown.to_lowercase().contains(word), "{line}: {shown}");
    }
}

#[test]
fn a_request_with_a_job_ends_with_the_job() {
    let mut world = played(&format!("{ON_JOB}; wait 3600001"));
    assert_eq!(world.books.projections.grants.due(world.now).count(), 0);
    let job = world
        .books
        .projections
        .jobs
        .idle(world.now, 1_200_000)
        .next();
    let line = format!("idle {}", job.expect("the job is idle"));
    let outcome = world.play(&line);
    let shown = crate::script::show(outcome.as_ref());
    assert!(shown.ends_with(": grant_released job_closed"), "{shown}");
    assert_eq!(world.books.projections.grants.open_len(), 0);
}
