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
        let router = Router::new().route("/v1/commands", post(answer));
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
