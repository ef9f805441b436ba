//! Tickets over HTTP: quotes, payments, tokens, winners, secrets, and whatever is wrong with them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use purser::tickets::wire::Payment;
use reqwest::Method;
use serde_json::{Value, json};

use crate::gateway::{Gateway, RECIPIENT, chain, encoded};
use crate::server::{Seen, Server, Start, Who};

pub(crate) const PRICE: (i64, i64) = (1_000_000_000, 1);

/// What eight tickets of the usual worth are worth in whole wei.
const EIGHT: &str = "64000000000";

pub(crate) async fn server() -> Server {
    Server::with(Start {
        recipient: Some(RECIPIENT),
        ..Start::default()
    })
    .await
}

pub(crate) fn gateway() -> Gateway {
    Gateway::named("purser/tests/gateway")
}

pub(crate) fn quote_body(gateway: &Gateway, job: Option<&str>) -> Value {
    let mut body = json!({
        "sender": gateway.address.to_string(),
        "price": { "num": PRICE.0.to_string() },
        "chain": chain(21_000_000),
    });
    if let Some(job) = job {
        body["job_id"] = job.into();
    }
    body
}

/// Parameters of tickets for a job, or for any.
pub(crate) async fn quoted(server: &Server, gateway: &Gateway, job: Option<&str>) -> Value {
    let body = quote_body(gateway, job);
    let seen = server.post("/v1/quotes", Who::Coordinator, &body).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    seen.body["ticket_params"].clone()
}

pub(crate) async fn pay(server: &Server, payment: &Payment, job: &str) -> Seen {
    let body = json!({ "payment": encoded(payment), "job_id": job });
    server.post("/v1/payments", Who::Coordinator, &body).await
}

/// The last position, and how much is open and live.
pub(crate) async fn state(server: &Server) -> (u64, Value) {
    let seen = server.get("/v1/tickets", Who::Auditor).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let position = seen.headers["purser-position"].to_str().expect("digits");
    (position.parse().expect("a position"), seen.body)
}

#[tokio::test]
async fn a_batch_pays_for_its_job_once() {
    let (server, gateway) = (server().await, gateway());
    let params = quoted(&server, &gateway, Some("j1")).await;
    let payment = gateway.payment(&params, PRICE, 1..=8);
    let first = pay(&server, &payment, "j1").await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.body["credited"], EIGHT);
    assert_eq!(first.body["balance"], EIGHT);
    assert_eq!(first.body["payer"], gateway.address.to_string());
    assert_eq!(first.body["replayed"], false);
    let tickets = first.body["tickets"].as_array().expect("a list");
    assert_eq!(tickets.len(), 8);
    assert_eq!(tickets[7], json!({ "nonce": 8, "verdict": "credited" }));
    let again = pay(&server, &payment, "j1").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(again.body["replayed"], true);
    let mut same = again.body.clone();
    same["replayed"] = false.into();
    assert_eq!(same, first.body);
    let part = gateway.payment(&params, PRICE, [8, 1]);
    let part = pay(&server, &part, "j1").await;
    assert!(part.is(422, "tickets_refused"), "{part:?}");
    assert_eq!(part.body["results"][0]["verdict"], "replayed_nonce");
}

#[tokio::test]
async fn a_payment_comes_as_json_as_bytes_or_as_the_text_of_a_header() {
    let (server, gateway) = (server().await, gateway());
    for (at, media) in [
        "application/octet-stream",
        "application/x-protobuf",
        "text/plain",
    ]
    .into_iter()
    .enumerate()
    {
        let params = quoted(&server, &gateway, None).await;
        let payment = gateway.payment(&params, PRICE, 1..=2);
        let body = match media {
            "text/plain" => encoded(&payment).into_bytes(),
            _ => payment.encode_to_vec(),
        };
        let path = format!("/v1/payments?job_id=raw-{at}&l1_block=21000001&payer_ref=acme");
        let request = server.request(Method::POST, &path, Who::Coordinator);
        let request = request.header("content-type", media).body(body);
        let seen = Seen::of(request).await;
        assert_eq!(seen.status, 200, "{media}: {seen:?}");
        assert_eq!(seen.body["credited"], "16000000000", "{media}");
    }
    let free = Payment {
        ticket_params: None,
        ticket_sender_params: Vec::new(),
        ..gateway.payment(&quoted(&server, &gateway, None).await, PRICE, [1])
    };
    let before = state(&server).await;
    let seen = pay(&server, &free, "free").await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert_eq!(seen.body["credited"], "0");
    assert_eq!(state(&server).await, before);
}

#[tokio::test]
async fn bodies_that_are_no_payments_name_what_is_wrong() {
    let (server, gateway) = (server().await, gateway());
    let payment = encoded(&gateway.payment(&quoted(&server, &gateway, None).await, PRICE, [1]));
    for (body, status, code, field) in [
        (json!({ "job_id": "j" }), 400, "missing_field", "payment"),
        (
            json!({ "payment": "*", "job_id": "j" }),
            400,
            "invalid_field",
            "payment",
        ),
        (
            json!({ "payment": "AAAA", "job_id": "j" }),
            400,
            "malformed_payment",
            "payment",
        ),
        (
            json!({ "payment": payment }),
            400,
            "missing_field",
            "job_id",
        ),
        (
            json!({ "payment": payment, "job_id": "" }),
            422,
            "out_of_range",
            "job_id",
        ),
        (
            json!({ "payment": payment, "jobid": "j" }),
            400,
            "unknown_field",
            "jobid",
        ),
        (
            json!({ "payment": payment, "job_id": "j", "l1_block": u64::MAX }),
            422,
            "block_too_far",
            "",
        ),
    ] {
        let seen = server.post("/v1/payments", Who::Coordinator, &body).await;
        assert!(seen.is(status, code), "{body}: {seen:?}");
        let found = seen.body["errors"][0]["field"].as_str().unwrap_or("");
        assert_eq!(found, field, "{body}");
    }
    for who in [Who::Nobody, Who::Stranger, Who::Auditor, Who::Operator] {
        let seen = server.post("/v1/payments", who, &json!({})).await;
        assert!([401, 403].contains(&seen.status), "{who:?}: {seen:?}");
    }
}

#[tokio::test]
async fn a_quote_needs_a_chain_a_reserve_and_a_recipient() {
    let (server, gateway) = (server().await, gateway());
    let mut body = quote_body(&gateway, None);
    body["chain"] = Value::Null;
    let seen = server.post("/v1/quotes", Who::Coordinator, &body).await;
    assert!(seen.is(409, "chain_unknown"), "{seen:?}");
    let mut body = quote_body(&gateway, None);
    body["funds"] = json!({ "deposit_wei": "0", "reserve_wei": "8000000000", "recipients": 2 });
    let seen = server.post("/v1/quotes", Who::Coordinator, &body).await;
    assert!(seen.is(402, "sender_reserve_too_low"), "{seen:?}");
    assert!(
        seen.body["detail"]
            .as_str()
            .is_some_and(|text| text.contains("4000000000"))
    );
    body["funds"]["reserve_wei"] = "1000000000000000000".into();
    let seen = server.post("/v1/quotes", Who::Coordinator, &body).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert_eq!(seen.body["face_value_wei"], "1200000000000000");
    assert_eq!(seen.body["expected_value_wei"], "8000000000");
    assert_eq!(seen.body["expiration_block"], 21_000_040);
    let off = Server::start().await;
    for path in ["/v1/quotes", "/v1/payments"] {
        let seen = off.post(path, Who::Coordinator, &json!({})).await;
        assert!(seen.is(409, "tickets_off"), "{path}: {seen:?}");
    }
    assert!(
        off.get("/process/token", Who::Nobody)
            .await
            .is(409, "tickets_off")
    );
}

#[tokio::test]
async fn parameters_outlive_a_rotation_and_bind_to_their_job() {
    let (server, gateway) = (server().await, gateway());
    let old = quoted(&server, &gateway, Some("mine")).await;
    let seen = server
        .post("/v1/tickets/secrets", Who::Operator, &json!({}))
        .await;
    assert_eq!(
        (seen.status, &seen.body["secret"]),
        (200, &json!(2)),
        "{seen:?}"
    );
    let new = quoted(&server, &gateway, Some("mine")).await;
    let mut position = 0;
    for params in [&old, &new] {
        let payment = gateway.payment(params, PRICE, [1]);
        let other = pay(&server, &payment, "other").await;
        assert_eq!(
            other.body["results"][0]["verdict"], "wrong_job",
            "{other:?}"
        );
        let mine = pay(&server, &payment, "mine").await;
        assert_eq!(mine.status, 200, "{mine:?}");
        position = mine.position();
    }
    let path = format!("/v1/tickets?min_position={position}");
    let state = server.get(&path, Who::Auditor).await.body;
    assert_eq!(
        (&state["live_sets"], &state["secret"]),
        (&json!(2), &json!(2))
    );
}

/// The events of the log as text.
async fn log(server: &Server) -> String {
    server.get("/v1/events", Who::Auditor).await.text
}

/// Reports the end of a winner, after much else; answers the last position.
async fn redeem(server: &Server, number: u64) -> u64 {
    let path = format!("/v1/tickets/winners/{number}");
    let hash = format!("0x{}", "ab".repeat(32));
    let mut last = 0;
    for (body, status, code) in [
        (json!({ "state": "submitted" }), 400, "invalid_field"),
        (
            json!({ "state": "failed", "tx_hash": hash }),
            400,
            "invalid_field",
        ),
        (json!({ "state": "lost" }), 422, "out_of_range"),
        (
            json!({ "state": "submitted", "tx_hash": "0xab" }),
            422,
            "out_of_range",
        ),
        (json!({ "state": "submitted", "tx_hash": hash }), 200, ""),
        (json!({ "state": "redeemed", "tx_hash": hash }), 200, ""),
        (json!({ "state": "redeemed", "tx_hash": hash }), 200, ""),
        (
            json!({ "state": "failed", "reason": "reverted" }),
            409,
            "winner_settled",
        ),
    ] {
        let seen = server.post(&path, Who::Coordinator, &body).await;
        assert_eq!(
            (seen.status, seen.code()),
            (status, code),
            "{body}: {seen:?}"
        );
        if status == 200 {
            last = seen.position();
        }
    }
    let redeemed = json!({ "state": "redeemed", "tx_hash": hash });
    let seen = server
        .post("/v1/tickets/winners/1", Who::Coordinator, &redeemed)
        .await;
    assert!(seen.is(404, "unknown_winner"), "{seen:?}");
    last
}

/// A payment of three tickets that all win.
async fn lucky(server: &Server, gateway: &Gateway) -> Seen {
    // With the reserve of one ticket's worth, every ticket wins.
    let mut body = quote_body(gateway, None);
    body["funds"] = json!({ "deposit_wei": "0", "reserve_wei": "8000000000", "recipients": 1 });
    body["chain"]["gas_price_wei"] = "100".into();
    let seen = server.post("/v1/quotes", Who::Coordinator, &body).await;
    assert_eq!(seen.body["face_value_wei"], "8000000000", "{seen:?}");
    let payment = gateway.payment(&seen.body["ticket_params"], PRICE, 1..=3);
    let paid = pay(server, &payment, "lucky").await;
    assert_eq!(paid.body["winners"], 3, "{paid:?}");
    assert_eq!(paid.body["tickets"][0]["verdict"], "credited_won");
    paid
}

#[tokio::test]
async fn a_winner_waits_until_it_is_redeemed_and_tells_its_draw_only_after_its_last_block() {
    let (server, gateway) = (server().await, gateway());
    let paid = lucky(&server, &gateway).await;
    let path = format!(
        "/v1/tickets/winners?limit=2&min_position={}",
        paid.position()
    );
    let page = server.get(&path, Who::Coordinator).await;
    assert_eq!(page.body["waiting"], 3, "{page:?}");
    assert_eq!(page.body["waiting_wei"], "24000000000");
    let first = &page.body["winners"][0];
    assert_eq!(
        (&first["state"], &first["ticket"]["recipient_rand"]),
        (&json!("queued"), &Value::Null)
    );
    let next = page.body["next"].as_u64().expect("a further page");
    let rest = server
        .get(
            &format!("/v1/tickets/winners?cursor={next}"),
            Who::Coordinator,
        )
        .await;
    assert_eq!(rest.body["winners"].as_array().map(Vec::len), Some(1));
    assert!(rest.body["next"].is_null());
    let told = server
        .post("/v1/tickets/chain", Who::Coordinator, &chain(21_000_040))
        .await;
    let position = told.position();
    let page = server
        .get(
            &format!("/v1/tickets/winners?min_position={position}"),
            Who::Coordinator,
        )
        .await;
    let first = page.body["winners"][0].clone();
    let rand = first["ticket"]["recipient_rand"]
        .as_str()
        .expect("it is told");
    assert!(rand.len() > 70, "{rand}");
    assert!(!log(&server).await.contains(rand));
    let number = first["winner"].as_u64().expect("a number");
    let last = redeem(&server, number).await;
    let path = format!("/v1/tickets/winners?min_position={last}");
    let page = server.get(&path, Who::Operator).await;
    assert_eq!(page.body["waiting"], 2, "{page:?}");
    assert_eq!(
        server.get("/v1/tickets/winners", Who::Auditor).await.status,
        403
    );
}

/// Tells where the chain stands, and waits until that is seen.
async fn tell(server: &Server) {
    let told = server
        .post("/v1/tickets/chain", Who::Coordinator, &chain(21_000_000))
        .await;
    let path = format!("/v1/tickets?min_position={}", told.position());
    assert_eq!(server.get(&path, Who::Auditor).await.status, 200);
}

/// A token request; headers that are absent are not sent.
async fn token(server: &Server, headers: &[(&str, &str)]) -> Seen {
    let mut request = server.request(Method::GET, "/process/token", Who::Nobody);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Seen::of(request).await
}

#[tokio::test]
async fn a_token_tells_old_gateways_of_the_pool_and_new_ones_of_their_job() {
    let (server, gateway) = (server().await, gateway());
    let address = gateway.header();
    let (address, capability) = (
        ("Livepeer-Eth-Address", address.as_str()),
        ("Livepeer-Capability", "llm"),
    );
    assert!(
        token(&server, &[address, capability])
            .await
            .is(409, "chain_unknown")
    );
    tell(&server).await;
    let seen = token(&server, &[address, capability]).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    let body = &seen.body;
    assert_eq!(
        body["price"],
        json!({ "pricePerUnit": PRICE.0, "pixelsPerUnit": 1 })
    );
    assert_eq!(
        (&body["LastNonce"], &body["balance_keying"]),
        (&json!(0), &json!("job"))
    );
    assert_eq!(
        (&body["available_capacity"], &body["balance"]),
        // Nothing is said of slots that nobody counts, nor of a balance of nothing.
        (&Value::Null, &Value::Null)
    );
    let params = &body["ticket_params"];
    for (job, count) in [("pool", 2), ("s-1", 3)] {
        let params = match job {
            "pool" => params.clone(),
            _ => quoted(&server, &gateway, Some(job)).await,
        };
        let payment = gateway.payment(&params, PRICE, 1..=count);
        let body = match job {
            "pool" => json!({ "payment": encoded(&payment), "capability": "llm" }),
            id => json!({ "payment": encoded(&payment), "request_id": id, "capability": "llm" }),
        };
        let paid = server.post("/v1/payments", Who::Coordinator, &body).await;
        assert_eq!(paid.status, 200, "{paid:?}");
        let expected = if job == "pool" { "cap:llm" } else { job };
        assert_eq!(paid.body["job_id"], expected);
        let path = format!("/v1/tickets?min_position={}", paid.position());
        assert_eq!(server.get(&path, Who::Auditor).await.status, 200);
    }
    for (job, balance) in [
        (None, json!(16_000_000_000_i64)),
        (Some("s-1"), json!(24_000_000_000_i64)),
        (Some("new"), Value::Null),
        (Some("unheard-of"), Value::Null),
    ] {
        let mut headers = vec![address, capability];
        headers.extend(job.map(|job| ("Livepeer-Job-Id", job)));
        let seen = token(&server, &headers).await;
        assert_eq!(
            (seen.status, &seen.body["balance"]),
            (200, &balance),
            "{job:?}"
        );
    }
}

#[tokio::test]
async fn token_requests_that_are_not_signed_or_not_whole_are_refused() {
    let server = server().await;
    tell(&server).await;
    let address = gateway().header();
    let other = Gateway::named("purser/tests/other");
    let forged = json!({ "addr": other.address.to_string(), "sig": "0x00" });
    let swapped = {
        let bytes = STANDARD.decode(&address).expect("base64");
        let mut signed: Value = serde_json::from_slice(&bytes).expect("JSON");
        signed["addr"] = other.address.to_string().into();
        STANDARD.encode(signed.to_string())
    };
    let long = "x".repeat(129);
    for headers in [
        &[("Livepeer-Capability", "llm")][..],
        &[
            ("Livepeer-Eth-Address", "*"),
            ("Livepeer-Capability", "llm"),
        ],
        &[
            ("Livepeer-Eth-Address", "e30="),
            ("Livepeer-Capability", "llm"),
        ],
        &[
            ("Livepeer-Eth-Address", &STANDARD.encode(forged.to_string())),
            ("Livepeer-Capability", "llm"),
        ],
        &[
            ("Livepeer-Eth-Address", &swapped),
            ("Livepeer-Capability", "llm"),
        ],
        &[("Livepeer-Eth-Address", &address)],
        &[
            ("Livepeer-Eth-Address", &address),
            ("Livepeer-Capability", ""),
        ],
        &[
            ("Livepeer-Eth-Address", &address),
            ("Livepeer-Capability", "unpriced"),
        ],
        &[
            ("Livepeer-Eth-Address", &address),
            ("Livepeer-Capability", "llm"),
            ("Livepeer-Job-Id", "cap:llm"),
        ],
        &[
            ("Livepeer-Eth-Address", &address),
            ("Livepeer-Capability", "llm"),
            ("Livepeer-Job-Id", &long),
        ],
    ] {
        let seen = token(&server, headers).await;
        assert!(seen.is(400, "invalid_header"), "{headers:?}: {seen:?}");
    }
    let seen = Seen::of(server.request(Method::POST, "/process/token", Who::Nobody)).await;
    assert!(seen.is(405, "method_not_allowed"), "{seen:?}");
}
