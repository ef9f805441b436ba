//! Payers' jobs over HTTP.

use purser_commands::jobs::command::{AdmitRule, JobRules, StopRule};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Seen, Server, Start, Who, changed};

fn opening() -> Value {
    json!({
        "job_id": "j1", "payer": "alice", "asset": "ETH", "timeout_sec": 30,
        "price": {"num": "10", "den": "1"}, "payer_ref": "site-7",
        "worker": "0x1b4897e079059ad22d9cd179c9e412e131594917",
    })
}

async fn post(server: &Server, path: &str, body: Value) -> Seen {
    server.post(path, Who::Coordinator, &body).await
}

/// A server with one job that got 500.
async fn paid() -> Server {
    let server = Server::start().await;
    let opened = post(&server, "/v1/jobs", opening()).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    let payment = json!({
        "payer": "alice", "amount": "500", "payment_id": "pi_1", "source": "stripe",
    });
    let credited = post(&server, "/v1/jobs/j1/credits", payment).await;
    assert_eq!(credited.status, 200, "{credited:?}");
    assert_eq!(credited.body["balance"], "500");
    server
}

async fn read(server: &Server, path: &str, after: &Seen) -> Seen {
    let mark = if path.contains('?') { '&' } else { '?' };
    let path = format!("{path}{mark}min_position={}", after.position());
    server.get(&path, Who::Auditor).await
}

#[tokio::test]
async fn a_job_lives_from_open_to_close() {
    let server = paid().await;
    let again = post(&server, "/v1/jobs", opening()).await;
    assert_eq!((again.status, &again.body["created"]), (200, &json!(false)));
    let admitted = post(
        &server,
        "/v1/jobs/j1/admit",
        json!({"payer": "alice", "min_units": 60}),
    )
    .await;
    assert_eq!(admitted.status, 200, "{admitted:?}");
    assert_eq!(admitted.body["held_units"], 30, "no more than the timeout");
    assert_eq!(admitted.body["held"], "300");
    let debit = json!({"payer": "alice", "units": 23, "debit_seq": 1});
    let debited = post(&server, "/v1/jobs/j1/debits", debit.clone()).await;
    assert_eq!(debited.status, 200, "{debited:?}");
    let expected = json!({
        "charged": "230", "total_units": 23, "balance": "270", "decision": "run",
        "position": debited.position(), "replayed": false,
    });
    assert_eq!(debited.body, expected);
    let again = post(&server, "/v1/jobs/j1/debits", debit).await;
    assert_eq!(again.body["replayed"], true, "{again:?}");
    for same in ["charged", "total_units", "balance", "decision"] {
        assert_eq!(again.body[same], debited.body[same]);
    }
    let job = read(&server, "/v1/jobs/j1?payer=alice", &debited).await;
    assert_eq!(job.body["state"], "open", "{job:?}");
    assert_eq!(job.body["balance"], "270");
    assert_eq!(job.body["held_units"], 7);
    assert_eq!(job.body["payer_ref"], "site-7");
    let closed = post(
        &server,
        "/v1/jobs/j1/close",
        json!({"payer": "alice", "reason": "done"}),
    )
    .await;
    assert_eq!(closed.body["swept"], "270", "{closed:?}");
    assert_eq!(closed.body["to"], "payer");
    let again = post(&server, "/v1/jobs/j1/close", json!({"payer": "alice"})).await;
    assert_eq!(again.body["swept"], "270");
    assert_eq!(again.body["replayed"], true);
    let job = read(&server, "/v1/jobs/j1?payer=alice", &closed).await;
    assert_eq!(job.body["state"], "closed", "{job:?}");
    assert_eq!(job.body["charged"], "230");
    assert_eq!(job.body["credited"], "500");
    assert_eq!(job.body["closed"]["swept"], "270");
    assert_eq!(job.body["closed"]["reason"], "done");
    let balances = read(&server, "/v1/balances?payer=alice", &closed).await;
    assert_eq!(balances.body["balances"][0]["funds"], "270", "{balances:?}");
    assert_eq!(balances.body["balances"][0]["open_jobs"], 0);
}

#[tokio::test]
async fn money_that_is_missing_is_402_and_says_how_much() {
    let server = paid().await;
    let admit = json!({"payer": "alice", "min_units": 20});
    let debit = json!({"payer": "alice", "units": 40, "debit_seq": 1});
    let debited = post(&server, "/v1/jobs/j1/debits", debit).await;
    assert_eq!(debited.body["balance"], "100");
    let seen = post(&server, "/v1/jobs/j1/admit", admit).await;
    assert!(seen.is(402, "insufficient_balance"), "{seen:?}");
    assert_eq!(seen.body["shortfall"], "100");
    let transfer = json!({"payer": "alice", "job_id": "j1", "amount": "5"});
    let seen = post(&server, "/v1/transfers", transfer).await;
    assert!(seen.is(402, "insufficient_funds"), "{seen:?}");
    assert_eq!(seen.body["shortfall"], "5");
    let mut decisions = Vec::new();
    for seq in 2..4 {
        let debit = json!({"payer": "alice", "units": 20, "debit_seq": seq});
        let seen = post(&server, "/v1/jobs/j1/debits", debit).await;
        decisions.push(seen.body["decision"].clone());
    }
    assert_eq!(decisions, ["grace", "stop"]);
    let closed = post(&server, "/v1/jobs/j1/close", json!({"payer": "alice"})).await;
    assert_eq!(closed.body["debt"], "300", "{closed:?}");
    let next = changed(opening(), "job_id", json!("j2"));
    let seen = post(&server, "/v1/jobs", next.clone()).await;
    assert!(seen.is(402, "debt"), "{seen:?}");
    assert_eq!(seen.body["shortfall"], "300");
    let deposit = json!({
        "asset": "ETH", "amount": "350", "payment_id": "pi_2", "source": "stripe",
    });
    let seen = post(&server, "/v1/payers/alice/deposits", deposit).await;
    assert_eq!(seen.body["settled"], "300", "{seen:?}");
    assert_eq!(seen.body["balance"], "50");
    let seen = post(&server, "/v1/jobs", next).await;
    assert_eq!(seen.status, 201, "{seen:?}");
    let transfer = json!({"payer": "alice", "job_id": "j2", "amount": "50"});
    let seen = post(&server, "/v1/transfers", transfer).await;
    assert_eq!(seen.body["balance"], "50", "{seen:?}");
}

#[tokio::test]
async fn jobs_are_admitted_and_stopped_by_the_rules_of_the_reference_node_where_that_is_set() {
    let mut start = Start::default();
    start.settings.jobs = JobRules {
        admit: AdmitRule::AllAskedFor,
        stop: StopRule::SecondBelowZero,
    };
    let server = Server::with(start).await;
    let opened = post(&server, "/v1/jobs", opening()).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    let pay = |sum: &str| -> Value {
        json!({"payer": "alice", "amount": sum, "payment_id": sum, "source": "stripe"})
    };
    post(&server, "/v1/jobs/j1/credits", pay("300")).await;
    let seen = post(&server, "/v1/jobs/j1/admit", json!({"payer": "alice"})).await;
    assert!(seen.is(402, "insufficient_balance"), "{seen:?}");
    assert_eq!(
        seen.body["shortfall"], "300",
        "60 units, though 30 are the most"
    );
    let debit = |seq| json!({"payer": "alice", "units": 40, "debit_seq": seq});
    let seen = post(&server, "/v1/jobs/j1/debits", debit(1)).await;
    assert_eq!(seen.body["decision"], "grace", "{seen:?}");
    post(&server, "/v1/jobs/j1/credits", pay("100")).await;
    let in_batch = changed(debit(2), "job_id", json!("j1"));
    let seen = post(&server, "/v1/commands", json!([{"debit_job": in_batch}])).await;
    assert_eq!(
        seen.body["results"][0]["job"]["decision"], "stop",
        "{seen:?}"
    );
}

#[tokio::test]
async fn what_a_worker_earned_by_debits_is_split_by_the_rule_in_force() {
    let server = paid().await;
    let debit = json!({"payer": "alice", "units": 10, "debit_seq": 1});
    let debited = post(&server, "/v1/jobs/j1/debits", debit).await;
    let account = "/v1/accounts/worker:0x1b4897e079059ad22d9cd179c9e412e131594917";
    let worker = read(&server, account, &debited).await;
    assert_eq!(worker.body["balances"][0]["balance"], "75", "{worker:?}");
    let fees = read(&server, "/v1/workers/fees", &debited).await;
    let row = &fees.body["workers"][0];
    assert_eq!(row["worker"], "0x1b4897e079059ad22d9cd179c9e412e131594917");
    let sums = [
        &row["debits"],
        &row["gross_wei"],
        &row["net_wei"],
        &row["unpaid_wei"],
    ];
    assert_eq!(
        sums,
        [&json!(1), &json!("100"), &json!("75"), &json!("75")],
        "{fees:?}"
    );
    let path = "/v1/workers/0x1b4897e079059ad22d9cd179c9e412e131594917/statement";
    let statement = read(&server, path, &debited).await;
    let entry = &statement.body["entries"][0];
    assert_eq!(entry["job_id"], "j1", "{statement:?}");
    assert_eq!(entry["payer"], "alice");
    assert_eq!(entry["running_net_wei"], "75");
    let pool = read(&server, "/v1/accounts/pool:commission?asset=ETH", &debited).await;
    assert_eq!(pool.body["balances"][0]["balance"], "25", "{pool:?}");
}

#[tokio::test]
async fn a_payer_has_a_statement_of_all_and_of_each_reference() {
    let server = paid().await;
    let other = changed(opening(), "job_id", json!("j2"));
    post(
        &server,
        "/v1/jobs",
        changed(other, "payer_ref", json!("site-8")),
    )
    .await;
    let deposit = json!({"amount": "100", "payment_id": "d", "source": "cash"});
    post(&server, "/v1/payers/alice/deposits", deposit).await;
    let transfer = json!({"payer": "alice", "job_id": "j2", "amount": "60"});
    post(&server, "/v1/transfers", transfer).await;
    for job in ["j1", "j2"] {
        let path = format!("/v1/jobs/{job}/debits");
        let debit = json!({"payer": "alice", "units": 4, "debit_seq": 1});
        post(&server, &path, debit).await;
    }
    let closed = post(&server, "/v1/jobs/j2/close", json!({"payer": "alice"})).await;
    let all = read(&server, "/v1/payers/alice/statement", &closed).await;
    let kinds = |seen: &Seen| -> Vec<String> {
        let entries = seen.body["entries"].as_array().expect("entries").iter();
        let kinds = entries.map(|entry| entry["type"].as_str().expect("a type").to_owned());
        kinds.collect()
    };
    let expected = [
        "job_credited",
        "funds_deposited",
        "job_debited",
        "job_debited",
    ];
    assert_eq!(kinds(&all), expected, "{all:?}");
    assert_eq!(all.body["closing"], "520");
    let path = "/v1/payers/alice/statement?payer_ref=site-8";
    let one = read(&server, path, &closed).await;
    let expected = ["funds_transferred", "job_debited", "job_closed"];
    assert_eq!(kinds(&one), expected, "{one:?}");
    assert_eq!(one.body["closing"], "0");
    assert_eq!(one.body["entries"][2]["spent"], "20");
    let path = "/v1/payers/alice/statement?format=csv&payer_ref=site-7";
    let rows = server.get(path, Who::Coordinator).await;
    assert_eq!(rows.text.lines().count(), 3, "{rows:?}");
    let none = server.get("/v1/payers/bob/statement", Who::Auditor).await;
    assert!(none.is(404, "unknown_payer"), "{none:?}");
}

#[tokio::test]
async fn an_account_is_read_as_it_was() {
    let server = Server::start().await;
    let deposit = |number: u64| {
        json!({
            "asset": "ETH", "amount": "10", "payment_id": format!("p{number}"), "source": "cash",
        })
    };
    let first = post(&server, "/v1/payers/bob/deposits", deposit(1)).await;
    let second = post(&server, "/v1/payers/bob/deposits", deposit(2)).await;
    let balance = |seen: &Seen| seen.body["balances"][0]["balance"].clone();
    let now = read(&server, "/v1/accounts/payer:bob", &second).await;
    assert_eq!(balance(&now), "20", "{now:?}");
    let path = format!("/v1/accounts/payer:bob?at={}", first.position());
    let then = server.get(&path, Who::Auditor).await;
    assert_eq!(balance(&then), "10", "{then:?}");
    assert_eq!(then.position(), first.position());
    let never = server
        .get("/v1/accounts/payer:bob?at=1", Who::Auditor)
        .await;
    assert_eq!(never.body["balances"], json!([]), "{never:?}");
    let past = "/v1/accounts/payer:bob?at_time=2020-01-01T00:00:00Z";
    let past = server.get(past, Who::Auditor).await;
    assert_eq!(past.body["balances"], json!([]), "{past:?}");
    let all = read(&server, "/v1/accounts?prefix=payer:&limit=1", &second).await;
    assert_eq!(all.body["accounts"][0]["account"], "payer:bob", "{all:?}");
    assert_eq!(all.body["next"], Value::Null);
    let none = server.get("/v1/accounts/payer:carol", Who::Auditor).await;
    assert!(none.is(404, "unknown_account"), "{none:?}");
}

#[tokio::test]
async fn an_idle_job_is_closed_when_its_time_is_over() {
    let server = Server::with(Start {
        test_clock: true,
        ..Start::default()
    })
    .await;
    let opened = post(&server, "/v1/jobs", opening()).await;
    assert_eq!(opened.status, 201, "{opened:?}");
    let clock = server.get("/v1/jobs/j1?payer=alice", Who::Auditor).await;
    let began = clock.body["opened_at"].as_str().expect("a time").to_owned();
    let began: jiff::Timestamp = began.parse().expect("a time");
    let later = began.as_millisecond() + 1_200_002;
    let body = json!({"now_ms": later});
    let moved = server.post("/v1/test-clock", Who::Operator, &body).await;
    assert_eq!(moved.status, 200, "{moved:?}");
    let job = server.get("/v1/jobs/j1?payer=alice", Who::Auditor).await;
    assert_eq!(job.body["state"], "closed", "{job:?}");
    assert_eq!(job.body["closed"]["idle"], true);
}

#[tokio::test]
async fn slots_are_reserved_and_freed_once() {
    let server = Server::start().await;
    let declare = json!({"name": "llm", "capacity": 1});
    let seen = post(&server, "/v1/capabilities", declare).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let slot = |job: &str| json!({"job_id": job});
    let path = "/v1/capabilities/llm/slots";
    for _ in 0..2 {
        let seen = post(&server, path, slot("a")).await;
        assert_eq!(seen.status, 200, "{seen:?}");
    }
    let full = post(&server, path, slot("b")).await;
    assert!(full.is(429, "capacity_full"), "{full:?}");
    assert!(full.headers.contains_key("retry-after"));
    let free = || {
        server.request(
            Method::DELETE,
            "/v1/capabilities/llm/slots/a",
            Who::Coordinator,
        )
    };
    for _ in 0..2 {
        let seen = Seen::of(free()).await;
        assert_eq!(seen.status, 200, "{seen:?}");
    }
    let seen = post(&server, path, slot("b")).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let all = read(&server, "/v1/capabilities", &seen).await;
    let expected = json!([{"name": "llm", "capacity": 1, "in_use": 1}]);
    assert_eq!(all.body["capabilities"], expected);
    let remove = || server.request(Method::DELETE, "/v1/capabilities/llm", Who::Coordinator);
    let held = Seen::of(remove()).await;
    assert!(held.is(409, "slots_held"), "{held:?}");
}

#[tokio::test]
async fn each_wish_about_jobs_is_an_item_of_a_batch() {
    let server = Server::start().await;
    let body = json!([
        {"open_job": changed(opening(), "worker", Value::Null)},
        {"credit_job": {"job_id": "j1", "payer": "alice", "amount": "500",
            "payment_id": "pi_1", "source": "stripe"}},
        {"admit_job": {"job_id": "j1", "payer": "alice", "min_units": 5}},
        {"debit_job": {"job_id": "j1", "payer": "alice", "units": 5, "debit_seq": 1}},
        {"debit_job": {"job_id": "j1", "payer": "alice", "amount": "7", "debit_seq": 2}},
        {"deposit": {"payer": "alice", "asset": "ETH", "amount": "9",
            "payment_id": "pi_2", "source": "stripe"}},
        {"transfer": {"payer": "alice", "job_id": "j1", "amount": "4", "transfer_id": "t"}},
        {"settle_debt": {"payer": "alice"}},
        {"choose_funds": {"payer": "alice", "funds_at_open": true}},
        {"declare_capability": {"name": "llm", "capacity": 2}},
        {"reserve_slot": {"capability": "llm", "job_id": "j1", "payer": "alice"}},
        {"free_slot": {"capability": "llm", "job_id": "j1", "payer": "alice"}},
        {"remove_capability": {"name": "llm"}},
        {"close_job": {"job_id": "j1", "payer": "alice"}},
        {"debit_job": {"job_id": "j1", "payer": "alice", "units": 5, "debit_seq": 3}},
    ]);
    let seen = post(&server, "/v1/commands", body.clone()).await;
    let results = seen.body["results"].as_array().expect("results");
    assert_eq!(results[3]["job"]["charged"], "50", "{seen:?}");
    assert_eq!(results[13]["job"]["swept"], "447");
    assert_eq!(results[14]["error"]["code"], "job_closed");
    assert!(
        results[..14].iter().all(|one| one["error"].is_null()),
        "{seen:?}"
    );
    let atomic = post(&server, "/v1/commands?atomic=true", body).await;
    assert!(atomic.is(409, "batch_refused"), "{atomic:?}");
}

/// Where, what, and the status and code that it is refused with.
type Defect = (&'static str, Value, u16, &'static str);

/// More than any amount.
const HUGE: &str = "340282366920938463463374607431768211455";

fn openings() -> Vec<Defect> {
    let other = || changed(opening(), "job_id", json!("other"));
    let price = |num: Value, den: Value| {
        let price = json!({"num": num, "den": den});
        ("/v1/jobs", changed(other(), "price", price))
    };
    let timeout = |sec: Value| ("/v1/jobs", changed(other(), "timeout_sec", sec));
    let field = |name: &str, value: Value| ("/v1/jobs", changed(opening(), name, value));
    let beyond = [
        price(json!("1"), json!("0")),
        price(json!("1"), json!(0)),
        price(json!("1"), json!("1000000001")),
        price(json!(HUGE), json!("1")),
        price(json!("-1"), json!("1")),
        timeout(json!(0)),
        timeout(json!(-1)),
        timeout(json!(i64::MAX)),
        field("payer", json!("")),
    ];
    let beyond = beyond.map(|(path, body)| (path, body, 422, "out_of_range"));
    let mut all = beyond.to_vec();
    let shapes = [price(json!("1.5"), json!("1")), timeout(json!(1e300))];
    all.extend(shapes.map(|(path, body)| (path, body, 400, "invalid_field")));
    let (path, body) = field("asset", json!("NONE"));
    all.push((path, body, 404, "unknown_asset"));
    let (path, body) = field("timeout_sec", json!(31));
    all.push((path, body, 409, "job_differs"));
    let (path, body) = field("wish", json!(1));
    all.push((path, body, 400, "unknown_field"));
    all
}

fn payments() -> Vec<Defect> {
    let rows = [
        ("amount", json!(5), 400, "invalid_field"),
        ("amount", json!("0"), 422, "out_of_range"),
        ("amount", json!(HUGE), 422, "out_of_range"),
        ("amount", json!("9".repeat(80)), 422, "out_of_range"),
        ("amount", json!("-5"), 400, "invalid_field"),
        ("payment_id", json!("pi_1"), 409, "payment_differs"),
        ("payer", json!("bob"), 404, "unknown_job"),
        ("source", json!("chain"), 422, "out_of_range"),
        ("source", Value::Null, 400, "missing_field"),
    ];
    let payment = json!({
        "payer": "alice", "amount": "5", "payment_id": "pi_9", "source": "stripe",
    });
    let row = |(field, value, status, code)| {
        let body = changed(payment.clone(), field, value);
        ("/v1/jobs/j1/credits", body, status, code)
    };
    rows.into_iter().map(row).collect()
}

fn debits() -> Vec<Defect> {
    let rows = [
        ("units", json!(-1), 422, "out_of_range"),
        ("units", Value::Null, 400, "missing_field"),
        ("amount", json!("5"), 400, "invalid_field"),
        ("debit_seq", Value::Null, 400, "missing_field"),
        ("debit_seq", json!(-1), 422, "out_of_range"),
        ("worker", json!("nobody"), 404, "unknown_worker"),
        ("payer", json!("bob"), 404, "unknown_job"),
    ];
    let debit = json!({"payer": "alice", "units": 5, "debit_seq": 9});
    let row = |(field, value, status, code)| {
        let body = changed(debit.clone(), field, value);
        ("/v1/jobs/j1/debits", body, status, code)
    };
    rows.into_iter().map(row).collect()
}

fn others() -> Vec<Defect> {
    let alice = json!({"payer": "alice"});
    vec![
        (
            "/v1/jobs/j2/debits",
            json!({"payer": "alice", "units": 1, "debit_seq": 1}),
            404,
            "unknown_job",
        ),
        (
            "/v1/jobs/j1/admit",
            changed(alice.clone(), "min_units", json!(-1)),
            422,
            "out_of_range",
        ),
        ("/v1/jobs/j2/close", alice, 404, "unknown_job"),
        (
            "/v1/capabilities",
            json!({"name": "x", "capacity": -1}),
            422,
            "out_of_range",
        ),
        (
            "/v1/capabilities/x/slots",
            json!({"job_id": "a"}),
            404,
            "unknown_capability",
        ),
        (
            "/v1/payers/zoe/settlements",
            json!({}),
            404,
            "unknown_payer",
        ),
    ]
}

#[tokio::test]
async fn each_defect_of_a_job_has_its_status_and_code_and_leaves_no_trace() {
    let server = paid().await;
    let before = server.get("/v1/status", Who::Operator).await;
    let table = [openings(), payments(), debits(), others()].concat();
    for (path, body, status, code) in table {
        let seen = post(&server, path, body.clone()).await;
        assert!(seen.is(status, code), "{path} {body}: {seen:?}");
    }
    let huge = json!({
        "payer": "alice", "amount": HUGE, "payment_id": "pi_9", "source": "stripe",
    });
    let limit = post(&server, "/v1/jobs/j1/credits", huge).await;
    let named = limit.body["detail"].as_str().expect("a detail");
    assert!(named.contains("79228162514264337593543950335"), "{named}");
    let after = server.get("/v1/status", Who::Operator).await;
    assert_eq!(before.body["position"], after.body["position"]);
    let jobs = server.get("/v1/balances?payer=alice", Who::Auditor).await;
    assert_eq!(
        jobs.body["jobs"].as_array().map(Vec::len),
        Some(1),
        "{jobs:?}"
    );
}

#[tokio::test]
async fn only_coordinators_write_about_jobs() {
    let server = paid().await;
    for who in [Who::Nobody, Who::Stranger, Who::Operator, Who::Auditor] {
        for path in [
            "/v1/jobs",
            "/v1/transfers",
            "/v1/jobs/j1/close",
            "/v1/capabilities",
        ] {
            let seen = server.post(path, who, &json!({})).await;
            let refused = [401, 403].contains(&seen.status);
            assert!(
                refused && !seen.code().is_empty(),
                "{path} {who:?}: {seen:?}"
            );
        }
    }
    for who in [Who::Nobody, Who::Stranger, Who::Operator] {
        for path in ["/v1/balances", "/v1/accounts", "/v1/jobs/j1?payer=alice"] {
            let seen = server.get(path, who).await;
            let refused = [401, 403].contains(&seen.status);
            assert!(
                refused && !seen.code().is_empty(),
                "{path} {who:?}: {seen:?}"
            );
        }
    }
}
