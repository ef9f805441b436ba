//! What pools, rules, time and jobs do to requests, over HTTP.

use serde_json::{Value, json};

use crate::server::{Seen, Server, Start, Who, manifest};

/// A day in 2024, to begin the test clock with.
const NOON_MS: u64 = 1_728_036_000_000;
const DAY_MS: u64 = 86_400_000;

/// A server on a test clock, with a house's pool of 10,000, the elite ann and the established cat.
async fn begun() -> Server {
    let start = Start {
        test_clock: true,
        ..Start::default()
    };
    let server = Server::with(start).await;
    server.set_clock(NOON_MS).await;
    for (identity, tier) in [("ann", "elite"), ("cat", "established")] {
        let path = format!("/v1/identities/{identity}/tier");
        gives(&server, &path, json!({"tier": tier})).await;
    }
    server
}

/// An operator writes.
async fn gives(server: &Server, path: &str, body: Value) -> Seen {
    let seen = server.post(path, Who::Operator, &body).await;
    assert_eq!(seen.status, 200, "{path} {body}: {seen:?}");
    seen
}

/// A coordinator writes, and is granted it.
async fn asks(server: &Server, path: &str, body: Value) -> Seen {
    let seen = server.post(path, Who::Coordinator, &body).await;
    assert!(seen.status < 300, "{path} {body}: {seen:?}");
    seen
}

async fn decide(server: &Server, request: &str, identity: &str, est: u32) -> Seen {
    let body = json!({
        "request": request, "identity": identity, "est": est.to_string(), "mode": "invoice",
    });
    asks(server, "/v1/grants/decide", body).await
}

/// A partial request of cat's, 50 of the pool and 70 paid, settled at so much.
async fn partial(server: &Server, request: &str, actual: u32) -> Seen {
    decide(server, request, "cat", 120).await;
    let pay = json!({"paid": "70", "payment": format!("paid-{request}")});
    asks(server, &format!("/v1/grants/{request}/confirm"), pay).await;
    let done = json!({"actual": actual.to_string()});
    asks(server, &format!("/v1/grants/{request}/settle"), done).await
}

async fn rule(server: &Server, rule: &str, value: Value) {
    gives(server, "/v1/policy", json!({"rule": rule, "value": value})).await;
}

/// An answer that knows everything that was written so far.
async fn read(server: &Server, path: &str) -> Value {
    let same = json!({"tier": null});
    let last = gives(server, "/v1/identities/nobody/tier", same).await;
    let mark = if path.contains('?') { '&' } else { '?' };
    let path = format!("{path}{mark}min_position={}", last.position());
    let seen = server.get(&path, Who::Auditor).await;
    assert_eq!(seen.status, 200, "{path}: {seen:?}");
    seen.body
}

/// What stands on an account; nothing where it never moved.
async fn balance(server: &Server, account: &str) -> String {
    let body = read(server, &format!("/v1/accounts/{account}")).await;
    let of = |one: &&Value| one["asset"] == "BTC";
    let balances = body["balances"].as_array().into_iter().flatten();
    let found = balances.clone().find(of).map(|one| one["balance"].clone());
    found.map_or_else(
        || "0".to_owned(),
        |one| one.as_str().unwrap_or("?").to_owned(),
    )
}

fn members(body: &Value, expected: &[(&str, &str)]) {
    for (member, value) in expected {
        let found = body.pointer(&format!("/{member}"));
        assert_eq!(found, Some(&json!(value)), "{member}: {body}");
    }
}

#[tokio::test]
async fn sponsors_are_asked_in_their_order_and_have_their_own_back() {
    let server = begun().await;
    let acme = json!({"name": "acme", "asset": "BTC", "seed": "40"});
    gives(&server, "/v1/pools", acme.clone()).await;
    gives(&server, "/v1/pools", acme).await;
    let more = json!({"pool": "acme", "amount": "60", "payment": "gift"});
    for _ in 0..2 {
        gives(&server, "/v1/pool/topups", more.clone()).await;
    }
    let order = json!({"order": ["acme", "house"]});
    gives(&server, "/v1/pools/order", order).await;
    decide(&server, "r", "ann", 150).await;
    let pool = read(&server, "/v1/pool").await;
    members(
        &pool,
        &[
            ("pools/0/pool", "acme"),
            ("pools/0/topped_up", "60"),
            ("pools/0/available", "0"),
            ("pools/0/reserved", "100"),
            ("pools/1/available", "9950"),
            ("pools/1/reserved", "50"),
        ],
    );
    asks(&server, "/v1/grants/r/settle", json!({"actual": "120"})).await;
    let pool = read(&server, "/v1/pool").await;
    members(
        &pool,
        &[
            ("pools/0/granted", "100"),
            ("pools/1/granted", "20"),
            ("pools/1/available", "9980"),
            ("reserved", "0"),
        ],
    );
    // Credits go to the house, whatever the order.
    partial(&server, "s", 120).await;
    let pool = read(&server, "/v1/pool").await;
    members(
        &pool,
        &[("pools/0/credited", "0"), ("pools/1/credited", "7")],
    );
}

#[tokio::test]
async fn a_pool_or_an_order_that_cannot_be_is_refused() {
    let server = begun().await;
    let acme = json!({"name": "acme", "asset": "BTC", "seed": "40"});
    gives(&server, "/v1/pools", acme).await;
    let more = json!({"pool": "acme", "amount": "60", "payment": "gift"});
    gives(&server, "/v1/pool/topups", more).await;
    for (path, body, status, code) in [
        (
            "/v1/pools/order",
            json!({"order": ["acme"]}),
            422,
            "order_incomplete",
        ),
        (
            "/v1/pools/order",
            json!({"order": ["acme", "none"]}),
            404,
            "unknown_pool",
        ),
        (
            "/v1/pools",
            json!({"name": "acme", "asset": "BTC", "seed": "41"}),
            409,
            "pool_differs",
        ),
        (
            "/v1/pools",
            json!({"name": "eth", "asset": "ETH"}),
            409,
            "pool_differs",
        ),
        (
            "/v1/pool/topups",
            json!({"pool": "acme", "amount": "61", "payment": "gift"}),
            409,
            "payment_differs",
        ),
    ] {
        let seen = server.post(path, Who::Operator, &body).await;
        assert!(seen.is(status, code), "{path} {body}: {seen:?}");
    }
}

#[tokio::test]
async fn a_refund_after_the_settlement_is_postings_from_the_houses_revenue() {
    let server = begun().await;
    let settled = partial(&server, "r", 90).await;
    members(
        &settled.body,
        &[("charged", "40"), ("refunded", "30"), ("credit", "4")],
    );
    let before = balance(&server, "pool:revenue").await;
    assert_eq!(
        (&*before, balance(&server, "external:invoice").await),
        ("86", "40".into())
    );
    let body = json!({"amount": "25", "refund": "x1"});
    let path = "/v1/grants/r/refund";
    let back = gives(&server, path, body.clone()).await;
    assert_eq!(back.body["replayed"], false);
    let again = gives(&server, path, body).await;
    assert_eq!(again.body["replayed"], true);
    for (account, value) in [
        ("pool:revenue", "61"),
        ("external:invoice", "15"),
        ("grants:available", "9954"),
    ] {
        assert_eq!(balance(&server, account).await, value, "{account}");
    }
    let row = read(&server, "/v1/grants/r").await;
    members(
        &row,
        &[("paid_back", "25"), ("charged", "40"), ("credit", "4")],
    );
    for (body, status, code) in [
        (
            json!({"amount": "16", "refund": "x2"}),
            422,
            "refund_too_large",
        ),
        (
            json!({"amount": "24", "refund": "x1"}),
            409,
            "payment_differs",
        ),
    ] {
        let seen = server.post(path, Who::Operator, &body).await;
        assert!(seen.is(status, code), "{body}: {seen:?}");
    }
    decide(&server, "s", "ann", 10).await;
    let body = json!({"amount": "1", "refund": "x1"});
    let early = server
        .post("/v1/grants/s/refund", Who::Operator, &body)
        .await;
    assert!(early.is(409, "not_settled"), "{early:?}");
}

#[tokio::test]
async fn what_is_not_paid_or_done_in_time_is_swept_and_a_late_result_is_the_operators() {
    let server = begun().await;
    decide(&server, "quote", "cat", 120).await;
    decide(&server, "task", "ann", 80).await;
    server.set_clock(NOON_MS + 900_000).await;
    let row = read(&server, "/v1/grants/quote").await;
    assert_eq!(row["state"], "quoted", "the last moment still counts");
    server.set_clock(NOON_MS + 900_001).await;
    let row = read(&server, "/v1/grants/quote").await;
    members(&row, &[("state", "voided"), ("reason", "quote_expired")]);
    let pay = json!({"paid": "70", "payment": "late"});
    let path = "/v1/grants/quote/confirm";
    let late = server.post(path, Who::Coordinator, &pay).await;
    assert!(late.is(409, "paid_too_late"), "{late:?}");
    assert_eq!(balance(&server, "external:invoice").await, "0");
    let pool = read(&server, "/v1/pool").await;
    members(&pool, &[("available", "9920"), ("reserved", "80")]);
    server.set_clock(NOON_MS + 3_600_001).await;
    let pool = read(&server, "/v1/pool").await;
    members(&pool, &[("available", "10000"), ("reserved", "0")]);
    let done = json!({"actual": "75"});
    for _ in 0..2 {
        let path = "/v1/grants/task/settle";
        let late = server.post(path, Who::Coordinator, &done).await;
        assert!(late.is(409, "request_closed"), "{late:?}");
    }
    let row = read(&server, "/v1/grants/task").await;
    members(
        &row,
        &[("state", "expired"), ("overrun", "75"), ("absorbed", "0")],
    );
    assert_eq!(balance(&server, "operator:overrun").await, "75");
    assert_eq!(read(&server, "/v1/grants").await["grants"], json!([]));
}

#[tokio::test]
async fn a_hold_outlives_a_restart_and_is_swept_all_the_same() {
    let server = begun().await;
    decide(&server, "task", "ann", 80).await;
    let server = server.rebuilt(true).await;
    let pool = read(&server, "/v1/pool").await;
    members(&pool, &[("available", "9920"), ("reserved", "80")]);
    let again = decide(&server, "task", "ann", 80).await;
    assert_eq!(again.body["replayed"], true, "{again:?}");
    server.set_clock(NOON_MS + 3_600_001).await;
    let pool = read(&server, "/v1/pool").await;
    members(&pool, &[("available", "10000"), ("reserved", "0")]);
}

#[tokio::test]
async fn rules_act_from_their_position_on() {
    let server = begun().await;
    decide(&server, "old", "cat", 120).await;
    rule(&server, "grant_quote_ttl_ms", json!(60_000)).await;
    decide(&server, "new", "cat", 120).await;
    server.set_clock(NOON_MS + 60_001).await;
    for (request, state) in [("old", "quoted"), ("new", "voided")] {
        let row = read(&server, &format!("/v1/grants/{request}")).await;
        assert_eq!(row["state"], state, "{request}");
    }
    let estimate = "/v1/estimate?est=500&identity=cat";
    members(&read(&server, estimate).await, &[("absorb", "50")]);
    rule(&server, "grant_budget_established", json!("90")).await;
    members(&read(&server, estimate).await, &[("absorb", "90")]);
    // The quote of before keeps what it said.
    let pay = json!({"paid": "70", "payment": "p"});
    let paid = asks(&server, "/v1/grants/old/confirm", pay).await;
    members(&paid.body, &[("held", "50"), ("state", "reserved")]);
    rule(&server, "grant_credit_bps", json!(2_000)).await;
    let done = json!({"actual": "120"});
    let settled = asks(&server, "/v1/grants/old/settle", done).await;
    members(&settled.body, &[("charged", "70"), ("credit", "14")]);
    rule(&server, "grant_hold_ttl_ms", json!(5_000)).await;
    decide(&server, "short", "ann", 10).await;
    server.set_clock(NOON_MS + 65_002).await;
    members(
        &read(&server, "/v1/grants/short").await,
        &[("state", "expired")],
    );
    let lower = json!({"tier": "new"});
    gives(&server, "/v1/identities/ann/tier", lower).await;
    let gated = decide(&server, "gated", "ann", 10).await;
    members(&gated.body, &[("serve", "gate"), ("reason", "tier_zero")]);
}

#[tokio::test]
async fn an_earned_tier_takes_work_and_money() {
    let server = begun().await;
    for at in 0..5 {
        let request = format!("r{at}");
        decide(&server, &request, "dan", 60).await;
        let pay = json!({"paid": "60", "payment": request});
        asks(&server, &format!("/v1/grants/{request}/confirm"), pay).await;
        let done = json!({"actual": "60"});
        asks(&server, &format!("/v1/grants/{request}/settle"), done).await;
    }
    let dan = read(&server, "/v1/identities/dan").await;
    members(
        &dan,
        &[("tier", "established"), ("paid", "300"), ("budget", "50")],
    );
    assert_eq!(dan["score"], 10);
    let free = decide(&server, "free", "dan", 50).await;
    members(&free.body, &[("serve", "free")]);
    asks(&server, "/v1/grants/free/release", json!({"fault": true})).await;
    let dan = read(&server, "/v1/identities/dan").await;
    assert_eq!((&dan["score"], &dan["tier"]), (&json!(5), &json!("new")));
}

#[tokio::test]
async fn the_solvency_line_says_how_many_days_are_left() {
    let server = begun().await;
    for day in 0..7 {
        server.set_clock(NOON_MS + day * DAY_MS).await;
        let request = format!("r{day}");
        decide(&server, &request, "ann", 500).await;
        let done = json!({"actual": "500"});
        asks(&server, &format!("/v1/grants/{request}/settle"), done).await;
    }
    let pool = read(&server, "/v1/pool").await;
    assert_eq!(pool["solvency"]["days"], 7);
    assert_eq!(pool["solvency"]["solvent"], false);
    members(
        &pool["solvency"],
        &[
            ("granted_per_day", "500"),
            ("credited_per_day", "0"),
            // 6,500 at 500 a day.
            ("days_left", "13"),
        ],
    );
    // What sponsors add is shown, and makes what is available last longer; nothing else.
    let more = json!({"amount": "2000", "payment": "gift"});
    gives(&server, "/v1/pool/topups", more).await;
    let pool = read(&server, "/v1/pool").await;
    members(
        &pool["solvency"],
        &[("topped_up_per_day", "285"), ("days_left", "17")],
    );
    // A month later nothing is granted any more.
    server.set_clock(NOON_MS + 40 * DAY_MS).await;
    let pool = read(&server, "/v1/pool").await;
    assert_eq!(pool["solvency"]["solvent"], true);
    assert_eq!(pool["solvency"]["days_left"], Value::Null);
}

#[tokio::test]
async fn prepaid_is_one_fact_or_none() {
    let server = begun().await;
    let funds = json!({"amount": "100", "asset": "BTC", "payment_id": "d", "source": "cash"});
    asks(&server, "/v1/payers/cat/deposits", funds).await;
    let ask = json!({"request": "r", "identity": "cat", "est": "160", "mode": "prepaid"});
    let before = read(&server, "/v1/pool").await["position"].clone();
    let path = "/v1/grants/decide";
    let refused = server.post(path, Who::Coordinator, &ask).await;
    assert!(refused.is(402, "insufficient_funds"), "{refused:?}");
    assert_eq!(refused.body["shortfall"], "10");
    assert_eq!(read(&server, "/v1/pool").await["position"], before);
    let more = json!({"amount": "10", "asset": "BTC", "payment_id": "e", "source": "cash"});
    let last = asks(&server, "/v1/payers/cat/deposits", more).await;
    let held = asks(&server, path, ask).await;
    members(&held.body, &[("serve", "partial"), ("state", "reserved")]);
    assert_eq!(held.position(), last.position() + 1, "one event");
    assert_eq!(balance(&server, "payer:cat").await, "0");
    asks(&server, "/v1/grants/r/settle", json!({"actual": "90"})).await;
    assert_eq!(balance(&server, "payer:cat").await, "70");
}

#[tokio::test]
async fn an_estimate_never_writes_whatever_it_is_asked() {
    let server = begun().await;
    let before = read(&server, "/v1/pool").await;
    for path in [
        "/v1/estimate?est=80&identity=ann",
        "/v1/estimate?est=80&identity=somebody-new",
        "/v1/estimate?est=80",
        "/v1/estimate?est=79228162514264337593543950335&identity=ann",
    ] {
        let seen = server.get(path, Who::Coordinator).await;
        assert_eq!(seen.status, 200, "{path}: {seen:?}");
    }
    for (path, status, code) in [
        ("/v1/estimate?est=0", 422, "bad_amount"),
        ("/v1/estimate?est=-1", 400, "invalid_field"),
        ("/v1/estimate", 400, "missing_parameter"),
        (
            "/v1/estimate?est=79228162514264337593543950336",
            422,
            "out_of_range",
        ),
    ] {
        let seen = server.get(path, Who::Coordinator).await;
        assert!(seen.is(status, code), "{path}: {seen:?}");
    }
    assert_eq!(read(&server, "/v1/pool").await, before);
}

/// A job of the worker `w` on the request `r` of cat's: 50 of the pool, 70 paid by invoice.
async fn job_on_request(server: &Server) {
    let mut worker = manifest("w");
    worker["eth_address"] = Value::Null;
    worker
        .as_object_mut()
        .expect("an object")
        .remove("eth_address");
    let seen = server
        .post("/v1/miners/register", Who::Nobody, &worker)
        .await;
    assert!(seen.status < 300, "{seen:?}");
    decide(server, "r", "cat", 120).await;
    let open = json!({
        "job_id": "j", "payer": "cat", "asset": "BTC", "worker": "w", "request": "r",
        "price": {"num": "1", "den": "1"},
    });
    let early = server.post("/v1/jobs", Who::Coordinator, &open).await;
    assert!(early.is(409, "not_paid"), "{early:?}");
    let pay = json!({"paid": "70", "payment": "p"});
    asks(server, "/v1/grants/r/confirm", pay).await;
    asks(server, "/v1/jobs", open.clone()).await;
    let mut other = open;
    other["job_id"] = json!("k");
    let second = server.post("/v1/jobs", Who::Coordinator, &other).await;
    assert!(second.is(409, "request_on_job"), "{second:?}");
    for verb in ["settle", "release"] {
        let path = format!("/v1/grants/r/{verb}");
        let body = match verb {
            "settle" => json!({"actual": "1"}),
            _ => json!({}),
        };
        let seen = server.post(&path, Who::Coordinator, &body).await;
        assert!(seen.is(409, "request_on_job"), "{verb}: {seen:?}");
    }
}

#[tokio::test]
async fn a_job_on_a_request_pays_worker_and_commission_out_of_the_pools_money() {
    let server = begun().await;
    job_on_request(&server).await;
    let admit = json!({"payer": "cat", "min_units": 100});
    asks(&server, "/v1/jobs/j/admit", admit).await;
    let debit = json!({"payer": "cat", "units": 90, "debit_seq": 1});
    asks(&server, "/v1/jobs/j/debits", debit).await;
    asks(&server, "/v1/jobs/j/close", json!({"payer": "cat"})).await;
    // 90 cost: the pool pays 50, the payer 40 of the 70. The worker has three quarters; the
    // credit of 4 comes out of the commission.
    for (account, value) in [
        ("worker:w", "68"),
        ("pool:commission", "18"),
        ("external:invoice", "40"),
        ("grants:available", "9954"),
        ("grants:reserved", "0"),
        ("payer:cat", "0"),
        ("operator:overrun", "0"),
    ] {
        assert_eq!(balance(&server, account).await, value, "{account}");
    }
    let row = read(&server, "/v1/grants/r").await;
    members(
        &row,
        &[
            ("state", "settled"),
            ("absorbed", "50"),
            ("charged", "40"),
            ("refunded", "30"),
            ("credit", "4"),
        ],
    );
    let fees = read(&server, "/v1/workers/fees?asset=BTC").await;
    assert_eq!(fees["workers"][0]["worker"], "w", "{fees}");
}

#[tokio::test]
async fn a_job_on_a_request_goes_on_from_its_own_bucket_and_never_beyond_it() {
    let server = begun().await;
    job_on_request(&server).await;
    let credit = json!({
        "payer": "cat", "amount": "25", "payment_id": "c", "source": "cash",
    });
    asks(&server, "/v1/jobs/j/credits", credit).await;
    let debit = json!({"payer": "cat", "units": 160, "debit_seq": 1});
    asks(&server, "/v1/jobs/j/debits", debit).await;
    asks(&server, "/v1/jobs/j/close", json!({"payer": "cat"})).await;
    // 160 cost: the pool 50, the invoice 70, the job's bucket 25, the operator the rest.
    for (account, value) in [
        ("external:invoice", "70"),
        ("external:cash", "25"),
        ("operator:overrun", "15"),
        ("worker:w", "120"),
        ("payer:cat", "0"),
        ("debt:cat", "0"),
    ] {
        assert_eq!(balance(&server, account).await, value, "{account}");
    }
}

#[tokio::test]
async fn a_batch_of_requests_is_all_or_nothing_where_it_says_so() {
    let server = begun().await;
    let decide = |request: &str, est: &str| {
        json!({"decide_grant": {
            "request": request, "identity": "ann", "est": est, "mode": "invoice", "id": request,
        }})
    };
    let batch = json!([
        decide("r1", "400"),
        {"settle_grant": {"request": "r1", "actual": "300"}},
        decide("r2", "400"),
        {"release_grant": {"request": "nobody"}},
        decide("r3", "400"),
    ]);
    let path = "/v1/commands?atomic=true";
    let refused = server.post(path, Who::Coordinator, &batch).await;
    assert!(refused.is(409, "batch_refused"), "{refused:?}");
    let pool = read(&server, "/v1/pool").await;
    members(
        &pool,
        &[("available", "10000"), ("reserved", "0"), ("granted", "0")],
    );
    let unknown = server.get("/v1/grants/r1", Who::Auditor).await;
    assert!(unknown.is(404, "unknown_request"), "{unknown:?}");
    // Apart from the one, all the others count; under the same ids, which a refusal does not use.
    let each = asks(&server, "/v1/commands", batch).await;
    let results = each.body["results"].as_array().expect("results");
    assert_eq!(results[3]["error"]["code"], "unknown_request", "{each:?}");
    let served = |at: usize| results[at]["grant"]["serve"].clone();
    assert_eq!(
        [served(0), served(2), served(4)],
        ["free", "free", "partial"]
    );
    let pool = read(&server, "/v1/pool").await;
    members(
        &pool,
        &[
            ("available", "9300"),
            ("reserved", "400"),
            ("granted", "300"),
        ],
    );
    let ordered = json!([decide("r4", "1"), {"order_pools": {"order": ["house"]}}]);
    let seen = asks(&server, "/v1/commands", ordered).await;
    assert_eq!(seen.body["results"][1]["error"]["code"], "forbidden");
}

#[tokio::test]
async fn coordinators_ask_and_only_operators_give() {
    let server = begun().await;
    let ask = json!({"request": "r", "identity": "ann", "est": "1", "mode": "invoice"});
    for (path, body, right) in [
        ("/v1/grants/decide", ask, Who::Coordinator),
        (
            "/v1/grants/r/settle",
            json!({"actual": "1"}),
            Who::Coordinator,
        ),
        (
            "/v1/grants/r/refund",
            json!({"amount": "1", "refund": "x"}),
            Who::Operator,
        ),
        (
            "/v1/pool/topups",
            json!({"amount": "1", "payment": "x"}),
            Who::Operator,
        ),
        (
            "/v1/identities/ann/tier",
            json!({"tier": "elite"}),
            Who::Operator,
        ),
        (
            "/v1/pools/order",
            json!({"order": ["house"]}),
            Who::Operator,
        ),
    ] {
        for who in [
            Who::Nobody,
            Who::Stranger,
            Who::Coordinator,
            Who::Operator,
            Who::Auditor,
        ] {
            if who == right {
                continue;
            }
            let seen = server.post(path, who, &body).await;
            let refused = [401, 403].contains(&seen.status) && !seen.code().is_empty();
            assert!(refused, "{path} {who:?}: {seen:?}");
        }
    }
    let seen = server.get("/v1/pool", Who::Coordinator).await;
    assert!(seen.is(403, "forbidden"), "{seen:?}");
}
