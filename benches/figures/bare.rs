//! A route that only parses the same body and answers: what HTTP itself costs on this machine.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use serde::Deserialize;

/// Set in the environment of this program, it serves the bare route and nothing else.
pub(crate) const VARIABLE: &str = "PURSER_BENCH_BARE";

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Item<'a> {
    #[serde(borrow)]
    Beat(Beat<'a>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Beat<'a> {
    miner_id: &'a str,
    queue_len: u32,
    avg_latency_ms: Option<u32>,
}

/// Serves until it is killed.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime starts").block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        println!("http://{}", listener.local_addr().expect("it is bound"));
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            stream
                .set_nodelay(true)
                .expect("a socket takes its options");
        });
        let router = Router::new()
            .route("/v1/commands", post(answer))
            .route("/v1/match", post(found));
        axum::serve(listener, router)
            .await
            .expect("it serves until it is killed");
    });
}

async fn answer(headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    assert!(headers.contains_key(header::AUTHORIZATION));
    let Ok(items) = serde_json::from_slice::<Vec<Item<'_>>>(&body) else {
        return (
            StatusCode::BAD_REQUEST,
            [(header::CONTENT_TYPE, "text/plain")],
            String::new(),
        );
    };
    let mut text = String::with_capacity(items.len() * 40 + 2);
    text.push('[');
    for (at, Item::Beat(beat)) in items.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        let position = beat.miner_id.len()
            + beat.queue_len as usize
            + at
            + beat.avg_latency_ms.unwrap_or(0) as usize;
        text.push_str("{\"position\":");
        text.push_str(&position.to_string());
        text.push_str(",\"replayed\":false}");
    }
    text.push(']');
    (
        StatusCode::OK,
        [(header::CONTENT_TYPE, "application/json")],
        text,
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Match<'a> {
    job_id: &'a str,
    #[serde(borrow)]
    requirements: Requirements<'a>,
    #[serde(borrow)]
    hints: Hints<'a>,
    top_k: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirements<'a> {
    min_vram_gb: u32,
    #[serde(borrow)]
    accel: Vec<&'a str>,
    #[serde(borrow)]
    capabilities_any: Vec<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hints<'a> {
    max_price: &'a str,
}

/// A candidate of a match, as long as a real one.
const CANDIDATE: &str = "{\"miner_id\":\"miner-000000\",\"addr\":\"10.1.134.160:9000\",\
    \"proto\":\"grpc\",\"score\":0.924312,\"score_ppm\":924312,\"eta_ms\":31,\
    \"price\":0.017242,\"price_micro\":17242,\"explain\":\"cap=1.000 \u{2022} price=0.985 \u{2022} \
    latency=0.971 \u{2022} trust=0.500 \u{2022} load=0.888\",\"components\":{\"cap\":1000000,\
    \"price\":985632,\"latency\":971223,\"trust\":500000,\"load\":888888}}";

async fn found(headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    assert!(headers.contains_key(header::AUTHORIZATION));
    let wanted: Match<'_> = serde_json::from_slice(&body).expect("it is what the generator sends");
    let named = wanted.requirements.accel.len() + wanted.requirements.capabilities_any.len();
    let asked = wanted.requirements.min_vram_gb as usize + wanted.hints.max_price.len() + named;
    let candidates = vec![CANDIDATE; wanted.top_k].join(",");
    let text = format!(
        "{{\"job_id\":\"{}\",\"candidates\":[{candidates}],\"position\":{asked}}}",
        wanted.job_id
    );
    ([(header::CONTENT_TYPE, "application/json")], text)
}
