//! The rules over HTTP.

use serde_json::{Value, json};

use crate::server::{Server, Who};

#[tokio::test]
async fn a_rule_is_read_and_changed_only_from_its_expected_value() {
    let server = Server::start().await;
    let policy = server.get("/v1/policy", Who::Auditor).await;
    assert_eq!(policy.body["commission_bps"], 2_500, "{policy:?}");
    assert_eq!(policy.body["payout_threshold_wei"], "10000000000000000");
    let change = json!({"rule": "commission_bps", "value": 3_000, "expected": 2_500});
    let seen = server.post("/v1/policy", Who::Operator, &change).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let path = format!("/v1/policy?min_position={}", seen.position());
    let policy = server.get(&path, Who::Auditor).await;
    assert_eq!(policy.body["commission_bps"], 3_000);
    assert_eq!(policy.body["commission_position"], seen.position());
    let again = server.post("/v1/policy", Who::Operator, &change).await;
    assert!(again.is(409, "policy_differs"), "{again:?}");
}

#[tokio::test]
async fn each_defect_of_a_change_has_its_status_and_code() {
    let server = Server::start().await;
    let table: Vec<(Value, u16, &str)> = vec![
        (json!({"rule": "commission_bps"}), 400, "missing_field"),
        (
            json!({"rule": "commission", "value": 1}),
            400,
            "invalid_field",
        ),
        (
            json!({"rule": "commission_bps", "value": "1"}),
            400,
            "invalid_field",
        ),
        (
            json!({"rule": "commission_bps", "value": 0.25}),
            400,
            "invalid_field",
        ),
        (
            json!({"rule": "commission_bps", "value": 10_001}),
            422,
            "policy_out_of_range",
        ),
        (
            json!({"rule": "commission_bps", "value": -1}),
            422,
            "out_of_range",
        ),
        (
            json!({"rule": "payout_threshold_wei", "value": 5}),
            400,
            "invalid_field",
        ),
        (
            json!({"rule": "payout_threshold_wei", "value": "-5"}),
            400,
            "invalid_field",
        ),
        (
            json!({"rule": "payout_threshold_wei", "value": "9".repeat(40)}),
            422,
            "out_of_range",
        ),
        (
            json!({"rule": "lease_ttl_ms", "value": 999}),
            422,
            "policy_out_of_range",
        ),
        (
            json!({"rule": "lease_ttl_ms", "value": 9_000, "was": 1}),
            400,
            "unknown_field",
        ),
    ];
    for (body, status, code) in table {
        let seen = server.post("/v1/policy", Who::Operator, &body).await;
        assert!(seen.is(status, code), "{body}: {seen:?}");
    }
}
