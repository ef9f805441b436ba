//! Delivered files, and what they add up to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Seen, Server, Who};

const KEY: &str = "oceania/transcode/oceania-transcode-20240612T045600Z_20240612T045700Z.json";
const WORKER: &str = "0x1b4897e079059ad22d9cd179c9e412e131594917";

fn job(id: &str, fee: u64) -> Value {
    json!({
        "ID": id, "DT": "2024-06-12T04:56:30Z", "EventType": "job-processed",
        "NodeType": "transcode", "Region": "oceania", "Version": 1,
        "Payload": {
            "ethAddress": WORKER, "fees": fee, "computeUnits": fee, "pricePerComputeUnit": 1,
        },
    })
}

async fn deliver(server: &Server, key: &str, body: impl Into<reqwest::Body>) -> Seen {
    let path = "/v1/intake/events";
    let request = server.request(Method::POST, path, Who::Coordinator);
    Seen::of(request.query(&[("key", key)]).body(body)).await
}

#[tokio::test]
async fn a_file_is_taken_in_once_however_often_it_is_delivered() {
    let server = Server::start().await;
    let file = json!([job("a", 1_000), job("b", 3), 7]).to_string();
    let first = deliver(&server, KEY, file.clone()).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.body["elements"], 3, "{first:?}");
    assert_eq!(first.body["events"], 2);
    assert_eq!(first.body["malformed"], 1);
    assert_eq!(first.body["quarantined"], json!(null));
    assert_eq!(first.body["repeated"], false);
    let again = deliver(&server, KEY, file).await;
    assert_eq!(
        (again.status, &again.body["repeated"]),
        (200, &json!(true)),
        "{again:?}"
    );
}

#[tokio::test]
async fn bytes_that_cannot_be_read_are_taken_in_with_their_reason() {
    let server = Server::start().await;
    let mars = KEY.replace("oceania", "mars");
    let table: [(&str, &[u8], &str); 5] = [
        (KEY, b"\xff\xfe", "not_utf8"),
        (KEY, b"[{\"ID\":", "not_json"),
        (KEY, b"{}", "not_array"),
        ("readme.txt", b"[]", "bad_name"),
        (&mars, b"[]", "unknown_partition"),
    ];
    for (key, body, reason) in table {
        let seen = deliver(&server, key, body.to_vec()).await;
        assert_eq!(
            (seen.status, &seen.body["quarantined"]),
            (200, &json!(reason)),
            "{seen:?}"
        );
        assert!(seen.position() > 0);
    }
}

#[tokio::test]
async fn only_a_bad_key_is_refused() {
    let server = Server::start().await;
    let long = "k".repeat(257);
    for key in ["", "a\u{1}b", long.as_str()] {
        let seen = deliver(&server, key, "[]").await;
        assert!(seen.is(400, "bad_key"), "{seen:?}");
    }
    let none = server
        .request(Method::POST, "/v1/intake/events", Who::Coordinator)
        .body("[]");
    let none = Seen::of(none).await;
    assert!(none.is(400, "missing_parameter"), "{none:?}");
}

#[tokio::test]
async fn a_file_in_a_batch_counts_like_one_by_itself() {
    let server = Server::start().await;
    let bytes = json!([job("a", 1_000)]).to_string();
    let item = json!({"key": KEY, "etag": "e1", "body_base64": STANDARD.encode(&bytes)});
    let body = json!([{"take_file": item}]);
    let seen = server.post("/v1/commands", Who::Coordinator, &body).await;
    assert_eq!(seen.body["results"][0]["file"]["events"], 1, "{seen:?}");
    let again = deliver(&server, KEY, bytes).await;
    assert_eq!(again.body["repeated"], true, "{again:?}");
}

#[tokio::test]
async fn the_fee_table_adds_up_and_is_filtered_by_partition() {
    let server = Server::start().await;
    let file = json!([job("a", 1_000), job("b", 3)]).to_string();
    let taken = deliver(&server, KEY, file).await;
    let position = taken.position();
    let ask = async |query: &str| {
        let path = format!("/v1/workers/fees?min_position={position}{query}");
        server.get(&path, Who::Auditor).await
    };
    let table = ask("").await;
    assert_eq!(table.status, 200, "{table:?}");
    let row = &table.body["workers"][0];
    assert_eq!(row["worker"], WORKER);
    assert_eq!(row["gross_wei"], "1003");
    assert_eq!(
        row["commission_wei"], "250",
        "each fee is floored by itself"
    );
    assert_eq!(row["net_wei"], "753");
    assert_eq!(row["unpaid_wei"], "753");
    assert_eq!(table.body["totals"]["jobs"], 2);
    assert_eq!(
        ask("&node_type=transcode&region=oceania").await.body["totals"]["jobs"],
        2
    );
    assert_eq!(ask("&node_type=ai").await.body["workers"], json!([]));
    let wrong = ask("&node_type=mining").await;
    assert!(wrong.is(400, "invalid_parameter"), "{wrong:?}");
    let wrong = ask("&limit=501").await;
    assert!(wrong.is(422, "out_of_range"), "{wrong:?}");
}

#[tokio::test]
async fn a_statement_lists_every_event_behind_the_balance() {
    let server = Server::start().await;
    let token = server.register("w1").await;
    let other = server.register("w2").await;
    let file = json!([job("a", 1_000), job("b", 3)]).to_string();
    let position = deliver(&server, KEY, file).await.position();
    let path = format!("/v1/workers/{WORKER}/statement?min_position={position}");
    let seen = server.get(&path, Who::Auditor).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let entries = seen.body["entries"].as_array().expect("entries are listed");
    assert_eq!(entries.len(), 2, "{seen:?}");
    assert_eq!(entries[1]["running_net_wei"], "753");
    assert_eq!(seen.body["closing_net_wei"], "753");
    let last = entries[1]["position"]
        .as_u64()
        .expect("an entry has a position");
    let part = server
        .get(&format!("{path}&from={last}"), Who::Auditor)
        .await;
    assert_eq!(part.body["count"], 1, "{part:?}");
    assert_eq!(part.body["opening_net_wei"], "750");
    let csv = server
        .get(&format!("{path}&format=csv"), Who::Auditor)
        .await;
    assert_eq!(csv.text.lines().count(), 3, "{csv:?}");
    let own = |id: &str, token: &str| {
        let path = format!("/v1/workers/{id}/statement?min_position={position}");
        Seen::of(
            server
                .request(Method::GET, &path, Who::Nobody)
                .bearer_auth(token),
        )
    };
    let mine = own("w1", &token).await;
    assert_eq!(
        mine.body["closing_net_wei"], "753",
        "paid at the address that it named: {mine:?}"
    );
    let theirs = own("w1", &other).await;
    assert!(theirs.is(403, "forbidden"), "{theirs:?}");
    let none = server.get("/v1/workers/w9/statement", Who::Auditor).await;
    assert!(none.is(404, "unknown_worker"), "{none:?}");
}

#[tokio::test]
async fn the_report_is_the_tree_of_all_that_was_taken_in() {
    let server = Server::start().await;
    let file = json!([job("a", 1_000), job("b", 3), 7]).to_string();
    let position = deliver(&server, KEY, file).await.position();
    let path = format!("/v1/intake/report?min_position={position}");
    let report = server.get(&path, Who::Auditor).await;
    assert_eq!(report.status, 200, "{report:?}");
    assert_eq!(report.body["counts"]["elements_total"], 3);
    assert_eq!(report.body["counts"]["events_malformed"], 1);
    assert_eq!(
        report.body["partitions"]["transcode|oceania"]["fees_wei"],
        "1003"
    );
}
