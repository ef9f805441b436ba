//! Grants over HTTP: requests from many sides at once, and what they leave in the pool.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::server::{Seen, Server, Who};

/// Connections that ask at once.
const CONNECTIONS: usize = 64;

/// Makes the house's pool as large as this, and these identities elite.
async fn begun(seed: u128, identities: usize) -> Arc<Server> {
    let server = Arc::new(Server::start().await);
    let pool = server.get("/v1/pool", Who::Auditor).await;
    let has: u128 = text(&pool.body["available"]).parse().expect("an amount");
    // What is more than wanted is granted away first; what is less is added.
    if has > seed {
        let spent = (has - seed).to_string();
        let rule = json!({"rule": "grant_budget_elite", "value": "1000000"});
        wrote(&server.post("/v1/policy", Who::Operator, &rule).await);
        let tier = json!({"tier": "elite"});
        wrote(
            &server
                .post("/v1/identities/first/tier", Who::Operator, &tier)
                .await,
        );
        let ask = json!({"request": "first", "identity": "first", "est": spent, "mode": "invoice"});
        wrote(
            &server
                .post("/v1/grants/decide", Who::Coordinator, &ask)
                .await,
        );
        let done = json!({"actual": spent});
        wrote(
            &server
                .post("/v1/grants/first/settle", Who::Coordinator, &done)
                .await,
        );
        let rule = json!({"rule": "grant_budget_elite", "value": "1000"});
        wrote(&server.post("/v1/policy", Who::Operator, &rule).await);
    } else if has < seed {
        let more = json!({"amount": (seed - has).to_string(), "payment": "begin"});
        wrote(&server.post("/v1/pool/topups", Who::Operator, &more).await);
    }
    let tier = |at| json!({"set_tier": {"identity": format!("u{at}"), "tier": "elite"}});
    let tiers: Vec<Value> = (0..identities).map(tier).collect();
    let tiers = Value::from(tiers);
    let set = server.post("/v1/commands", Who::Operator, &tiers).await;
    wrote(&set);
    // What is read from here on knows the tiers.
    let path = format!("/v1/pool?min_position={}", set.position());
    wrote(&server.get(&path, Who::Auditor).await);
    server
}

fn text(value: &Value) -> &str {
    value.as_str().expect("an amount is a text")
}

fn wrote(seen: &Seen) {
    assert_eq!(seen.status, 200, "{seen:?}");
}

/// Posts every request, from many connections at once, in whatever order they come through.
async fn all_at_once(server: &Arc<Server>, asked: Vec<(String, Value)>) -> Vec<Seen> {
    let asked = Arc::new(tokio::sync::Mutex::new(asked));
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (server, asked) = (Arc::clone(server), Arc::clone(&asked));
        connections.spawn(async move {
            let mut answers = Vec::new();
            loop {
                let Some((path, body)) = asked.lock().await.pop() else {
                    return answers;
                };
                answers.push(server.post(&path, Who::Coordinator, &body).await);
            }
        });
    }
    connections.join_all().await.into_iter().flatten().collect()
}

fn decide(at: usize, est: u32) -> (String, Value) {
    let (request, identity) = (format!("r{at}"), format!("u{at}"));
    let body = json!({
        "request": request, "identity": identity, "est": est.to_string(), "mode": "invoice",
    });
    ("/v1/grants/decide".to_owned(), body)
}

fn count(answers: &[Seen], member: &str, value: &str) -> usize {
    let found = |seen: &&Seen| seen.body[member] == value;
    answers.iter().filter(found).count()
}

/// What the pool says after everything that these answers say.
async fn pool_after(server: &Server, answers: &[Seen]) -> [u128; 3] {
    let last = answers
        .iter()
        .filter_map(|seen| seen.body["position"].as_u64());
    let path = format!("/v1/pool?min_position={}", last.max().unwrap_or(0));
    let pool = server.get(&path, Who::Auditor).await;
    let of = |name: &str| text(&pool.body[name]).parse().expect("an amount");
    let [available, reserved, granted] = ["available", "reserved", "granted"].map(of);
    let received = of("seeded") + of("topped_up") + of("credited");
    assert_eq!(received, available + reserved + granted, "{pool:?}");
    let metrics = server.get("/v1/metrics", Who::Auditor).await.text;
    let house = &pool.body["pools"][0]["pool"];
    for (name, amount) in [
        ("available", available),
        ("reserved", reserved),
        ("granted", granted),
    ] {
        let line = format!("purser_pool_{name}{{pool={house}}} {amount}");
        assert!(metrics.lines().any(|found| found == line), "{line}");
    }
    [available, reserved, granted]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_are_free_as_the_pool_covers_and_the_rest_is_left() {
    for (asked, est, seed) in [(100, 37, 1_000), (101, 10, 1_000), (20, 37, 1_000)] {
        let server = begun(seed, asked).await;
        let decisions = (0..asked).map(|at| decide(at, est)).collect();
        let answers = all_at_once(&server, decisions).await;
        assert!(answers.iter().all(|seen| seen.status == 200));
        let covered = asked.min(usize::try_from(seed).expect("small") / est as usize);
        assert_eq!(
            count(&answers, "serve", "free"),
            covered,
            "{asked} of {est}"
        );
        let held = covered as u128 * u128::from(est);
        let [available, reserved, _] = pool_after(&server, &answers).await;
        assert_eq!(
            (available, reserved),
            (seed - held, held),
            "{asked} of {est}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_beyond_the_pool_go_back_in_full() {
    let server = begun(500, 20).await;
    let rule = json!({"rule": "grant_budget_elite", "value": "50"});
    wrote(&server.post("/v1/policy", Who::Operator, &rule).await);
    for at in 0..20 {
        let (path, body) = decide(at, 120);
        let seen = server.post(&path, Who::Coordinator, &body).await;
        assert_eq!(
            (seen.body["absorb"].as_str(), seen.body["charge"].as_str()),
            (Some("50"), Some("70"))
        );
    }
    let pay = |at| {
        let body = json!({"paid": "70", "payment": format!("p{at}")});
        (format!("/v1/grants/r{at}/confirm"), body)
    };
    let answers = all_at_once(&server, (0..20).map(pay).collect()).await;
    assert_eq!(answers.iter().filter(|seen| seen.status == 200).count(), 10);
    let drained = answers.iter().filter(|seen| seen.is(409, "pool_drained"));
    assert_eq!(
        drained
            .filter(|seen| seen.body["position"].is_u64())
            .count(),
        10
    );
    let [available, reserved, _] = pool_after(&server, &answers).await;
    assert_eq!((available, reserved), (0, 500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_notice_of_a_payment_counts_however_often_it_comes() {
    let server = begun(1_000, 1).await;
    let rule = json!({"rule": "grant_budget_elite", "value": "50"});
    wrote(&server.post("/v1/policy", Who::Operator, &rule).await);
    let (path, body) = decide(0, 120);
    wrote(&server.post(&path, Who::Coordinator, &body).await);
    let pay = |_| {
        (
            "/v1/grants/r0/confirm".to_owned(),
            json!({"paid": "70", "payment": "p"}),
        )
    };
    let answers = all_at_once(&server, (0..20).map(pay).collect()).await;
    assert!(answers.iter().all(|seen| seen.status == 200), "{answers:?}");
    let first = answers.iter().filter(|seen| seen.body["replayed"] == false);
    assert_eq!(first.count(), 1);
    let [available, reserved, _] = pool_after(&server, &answers).await;
    assert_eq!((available, reserved), (950, 50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settlements_and_decisions_at_once_conserve_every_unit() {
    let server = begun(2_000, 240).await;
    let first = all_at_once(&server, (0..200).map(|at| decide(at, 10)).collect()).await;
    assert_eq!(count(&first, "serve", "free"), 200);
    let settle = |at| (format!("/v1/grants/r{at}/settle"), json!({"actual": "5"}));
    let mut both: Vec<_> = (0..200).map(settle).collect();
    both.extend((200..240).map(|at| decide(at, 30)));
    let answers = all_at_once(&server, both).await;
    assert!(answers.iter().all(|seen| seen.status == 200));
    let free = count(&answers, "serve", "free");
    assert!(free <= 33, "{free} were free");
    let [available, reserved, granted] = pool_after(&server, &answers).await;
    assert_eq!((available + reserved, reserved), (1_000, free as u128 * 30));
    assert!(granted >= 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_prepaid_requests_do_not_spend_the_same_funds() {
    let server = begun(1_000, 1).await;
    let rule = json!({"rule": "grant_budget_elite", "value": "50"});
    wrote(&server.post("/v1/policy", Who::Operator, &rule).await);
    let funds = json!({"amount": "100", "asset": "BTC", "payment_id": "d", "source": "cash"});
    let seen = server
        .post("/v1/payers/u0/deposits", Who::Coordinator, &funds)
        .await;
    assert!(seen.status < 300, "{seen:?}");
    let ask = |at| {
        let body = json!({
            "request": format!("r{at}"), "identity": "u0", "est": "120", "mode": "prepaid",
        });
        ("/v1/grants/decide".to_owned(), body)
    };
    let answers = all_at_once(&server, (0..2).map(ask).collect()).await;
    assert_eq!(count(&answers, "serve", "partial"), 1);
    // The first took the day's budget: the second would have to pay in full, and has 30 left.
    let refused = answers
        .iter()
        .filter(|seen| seen.is(402, "insufficient_funds"));
    assert_eq!(
        refused
            .map(|seen| seen.body["shortfall"].clone())
            .collect::<Vec<_>>(),
        ["90"]
    );
    let [available, reserved, _] = pool_after(&server, &answers).await;
    assert_eq!((available, reserved), (950, 50));
}

#[tokio::test]
async fn an_estimate_says_what_a_decision_would_and_records_nothing() {
    let server = begun(1_000, 1).await;
    let before = server.get("/v1/pool", Who::Auditor).await;
    let path = "/v1/estimate?est=80&identity=u0";
    let seen = server.get(path, Who::Coordinator).await;
    assert_eq!(
        (&seen.body["serve"], &seen.body["absorb"]),
        (&json!("free"), &json!("80"))
    );
    assert_eq!(seen.body["budget"]["left"], "1000");
    let after = server.get("/v1/pool", Who::Auditor).await;
    assert_eq!(before.body["position"], after.body["position"]);
}

#[tokio::test]
async fn the_audit_of_a_request_names_every_bearer() {
    let server = begun(1_000, 1).await;
    let rule = json!({"rule": "grant_budget_elite", "value": "50"});
    wrote(&server.post("/v1/policy", Who::Operator, &rule).await);
    let (path, body) = decide(0, 120);
    wrote(&server.post(&path, Who::Coordinator, &body).await);
    let pay = json!({"paid": "70", "payment": "p"});
    wrote(
        &server
            .post("/v1/grants/r0/confirm", Who::Coordinator, &pay)
            .await,
    );
    let done = json!({"actual": "90"});
    let seen = server
        .post("/v1/grants/r0/settle", Who::Coordinator, &done)
        .await;
    wrote(&seen);
    let row = server.get("/v1/grants/r0", Who::Auditor).await;
    for (member, value) in [
        ("state", "settled"),
        ("identity", "u0"),
        ("quoted_absorb", "50"),
        ("paid", "70"),
        ("absorbed", "50"),
        ("charged", "40"),
        ("refunded", "30"),
        ("credit", "4"),
        ("overrun", "0"),
        ("pool_available_after", "954"),
    ] {
        assert_eq!(row.body[member], value, "{member}: {row:?}");
    }
    let unknown = server.get("/v1/grants/nobody", Who::Auditor).await;
    assert!(unknown.is(404, "unknown_request"), "{unknown:?}");
}
