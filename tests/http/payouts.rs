//! Payouts over HTTP, without a chain: other ways of paying, pages, plans, roles.

use purser::config::{Config, Layer};
use purser::http::Settings;
use serde_json::json;

use crate::server::{Seen, Server, Start, Who};

const ADDRESS: &str = "0x1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f";

/// A worker that is owed three quarters of 4,000,000 wei.
async fn owed(server: &Server) {
    let event = json!([{
        "ID": "5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a", "DT": "2026-01-01T00:00:00Z",
        "EventType": "job-processed", "NodeType": "transcode", "Region": "us-west", "Version": 1,
        "Payload": { "ethAddress": ADDRESS, "computeUnits": 1, "pricePerComputeUnit": 1,
            "fees": 4_000_000, "responseTime": 1, "duration": 1, "realTimeRatio": 1 },
    }]);
    let key = "us-west/transcode/us-west-transcode-20260101T000000Z_20260101T000000Z.json";
    let taken = server
        .post(
            &format!("/v1/intake/events?key={key}"),
            Who::Coordinator,
            &event,
        )
        .await;
    assert_eq!(taken.body["events"], 1, "{taken:?}");
    reached(server, taken.position()).await;
}

/// Waits until reads know of a write, however busy the machine is.
async fn reached(server: &Server, position: u64) {
    let path = format!("/v1/policy?min_position={position}");
    while server.get(&path, Who::Auditor).await.status != 200 {}
}

async fn book(server: &Server, amount: &str, reference: Option<&str>) -> Seen {
    let body = json!({
        "worker": ADDRESS, "amount": amount, "rail": "lightning", "reference": reference,
    });
    let booked = server.post("/v1/payouts", Who::Operator, &body).await;
    if booked.status == 200 {
        reached(server, booked.position()).await;
    }
    booked
}

#[tokio::test]
async fn a_payout_elsewhere_goes_through_the_same_states() {
    let server = Server::start().await;
    owed(&server).await;
    let held = book(&server, "1000000", None).await;
    assert_eq!(held.status, 200, "{held:?}");
    let id = held.body["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/payouts/{id}");
    let one = server.get(&path, Who::Auditor).await;
    assert_eq!(
        (&one.body["state"], &one.body["rail"]),
        (&json!("requested"), &json!("lightning"))
    );
    let table = server.get("/v1/workers/fees", Who::Auditor).await;
    let row = &table.body["workers"][0];
    assert_eq!(
        (&row["in_flight_wei"], &row["unpaid_wei"]),
        (&json!("1000000"), &json!("2000000"))
    );

    let body = json!({ "reference": "invoice 7" });
    let confirmed = server
        .post(&format!("{path}/confirm"), Who::Operator, &body)
        .await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    reached(&server, confirmed.position()).await;
    let one = server.get(&path, Who::Operator).await;
    assert_eq!(
        (&one.body["state"], &one.body["reference"]),
        (&json!("final"), &json!("invoice 7"))
    );
    let again = server
        .post(&format!("{path}/confirm"), Who::Operator, &body)
        .await;
    assert!(again.is(409, "payout_finished"), "{again:?}");

    let second = book(&server, "2000000", Some("invoice 8")).await;
    assert_eq!(
        (second.status, &second.body["number"]),
        (200, &json!(1)),
        "{second:?}"
    );
    let third = book(&server, "1", None).await;
    assert!(third.is(402, "more_than_owed"), "{third:?}");
    let page = server.get("/v1/payouts?limit=1", Who::Auditor).await;
    assert_eq!(
        (&page.body["payouts"][0]["number"], &page.body["next"]),
        (&json!(1), &json!(1))
    );
    let rest = server
        .get("/v1/payouts?limit=1&cursor=1", Who::Auditor)
        .await;
    assert_eq!(
        (&rest.body["payouts"][0]["number"], &rest.body["next"]),
        (&json!(0), &json!(null))
    );
}

#[tokio::test]
async fn what_was_not_paid_is_cancelled_once() {
    let server = Server::start().await;
    owed(&server).await;
    let held = book(&server, "3000000", None).await;
    let id = held.body["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/payouts/{id}/cancel");
    let cancelled = server.post(&path, Who::Operator, &json!({})).await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let again = server.post(&path, Who::Operator, &json!({})).await;
    assert!(again.is(409, "payout_finished"), "{again:?}");
    reached(&server, cancelled.position()).await;
    let table = server.get("/v1/workers/fees", Who::Auditor).await;
    assert_eq!(table.body["totals"]["unpaid_wei"], "3000000");
    let narrow = server
        .get("/v1/workers/fees?region=us-west", Who::Auditor)
        .await;
    assert_eq!(
        narrow.body["totals"]["unpaid_wei"],
        json!(null),
        "payouts know no partition"
    );
}

#[tokio::test]
async fn where_no_node_tells_the_declared_funds_are_set_against_what_is_due() {
    for (declared, covers) in [("2999999", false), ("3000000", true)] {
        let settings = Config::from_layers(Layer {
            payout_wallet_wei: declared.to_owned().try_into().ok(),
            ..Layer::default()
        });
        let settings = Settings::of(&settings);
        let start = Start {
            settings,
            ..Start::default()
        };
        let server = Server::with(start).await;
        owed(&server).await;
        let rule = json!({ "rule": "payout_threshold_wei", "value": "3000000" });
        let changed = server.post("/v1/policy", Who::Operator, &rule).await;
        reached(&server, changed.position()).await;
        let body = json!({ "dry_run": true });
        let plan = server.post("/v1/payouts/run", Who::Operator, &body).await;
        let solvency = &plan.body["solvency"];
        assert_eq!(
            (
                &solvency["funds_wei"],
                &solvency["funds_from"],
                &solvency["funds_cover"]
            ),
            (&json!(declared), &json!("declared"), &json!(covers)),
            "{plan:?}"
        );
    }
}

#[tokio::test]
async fn without_a_chain_a_run_is_refused_and_a_plan_is_shown() {
    let server = Server::start().await;
    owed(&server).await;
    let run = server
        .post("/v1/payouts/run", Who::Operator, &json!({}))
        .await;
    assert!(run.is(409, "payouts_off"), "{run:?}");
    let resume = server
        .post("/v1/payouts/resume", Who::Operator, &json!({}))
        .await;
    assert!(resume.is(409, "payouts_off"), "{resume:?}");
    let body = json!({ "dry_run": true });
    let plan = server.post("/v1/payouts/run", Who::Operator, &body).await;
    assert_eq!(
        (plan.status, &plan.body["requested"]),
        (200, &json!(0)),
        "{plan:?}"
    );
    assert_eq!(plan.body["skipped"][0]["why"], "below_threshold");
    let rule = json!({ "rule": "payout_threshold_wei", "value": "3000000" });
    let changed = server.post("/v1/policy", Who::Operator, &rule).await;
    reached(&server, changed.position()).await;
    let plan = server.post("/v1/payouts/run", Who::Operator, &body).await;
    assert_eq!(plan.body["due"][0]["address"], ADDRESS, "{plan:?}");
    let solvency = &plan.body["solvency"];
    assert_eq!(
        (&solvency["needed_wei"], &solvency["funds_cover"]),
        (&json!("3000000"), &json!(null))
    );
    assert_eq!(solvency["income_covers"], false);
    assert_eq!(
        (&solvency["funds_wei"], &solvency["funds_from"]),
        (&json!(null), &json!(null))
    );
    let status = server.get("/v1/status", Who::Operator).await;
    let runners = status.body["runners"].as_array().expect("runners").clone();
    let payouts = runners.iter().find(|one| one["name"] == "payouts");
    assert_eq!(payouts.expect("it is listed")["enabled"], false);
}

#[tokio::test]
async fn ids_amounts_and_roles_are_checked() {
    let server = Server::start().await;
    owed(&server).await;
    for (id, code) in [
        ("0", "unknown_payout"),
        ("x", "unknown_payout"),
        ("0-00", "unknown_payout"),
    ] {
        let seen = server.get(&format!("/v1/payouts/{id}"), Who::Auditor).await;
        assert!(seen.is(404, code), "{id}: {seen:?}");
    }
    let held = book(&server, "5", None).await;
    assert_eq!(held.status, 200, "{held:?}");
    let by_number = server.get("/v1/payouts/0", Who::Auditor).await;
    assert_eq!(by_number.body["id"], held.body["id"]);
    let other = server
        .get("/v1/payouts/0-0000000000000000", Who::Auditor)
        .await;
    assert!(other.is(404, "unknown_payout"), "{other:?}");
    for amount in ["-1", "", "1.5", "340282366920938463463374607431768211456"] {
        let seen = book(&server, amount, None).await;
        assert!(seen.is(400, "invalid_field"), "{amount}: {seen:?}");
    }
    let chain = json!({ "worker": ADDRESS, "amount": "1", "rail": "chain" });
    let reserved = server.post("/v1/payouts", Who::Operator, &chain).await;
    assert!(reserved.is(422, "rail_reserved"), "{reserved:?}");
    for (path, body) in [
        ("/v1/payouts", chain.clone()),
        ("/v1/payouts/run", json!({})),
        ("/v1/payouts/resume", json!({})),
        ("/v1/payouts/0/cancel", json!({})),
        ("/v1/payouts/0/confirm", json!({ "reference": "x" })),
    ] {
        for who in [Who::Auditor, Who::Coordinator] {
            let seen = server.post(path, who, &body).await;
            assert!(seen.is(403, "forbidden"), "{path}: {seen:?}");
        }
    }
    let seen = server.get("/v1/payouts", Who::Coordinator).await;
    assert!(seen.is(403, "forbidden"), "{seen:?}");
}
