//! How the server is: for load balancers and dashboards.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use purser_events::EventKind;
use purser_projections::matching::index::MatchIndex;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, admit, json, reach};
use crate::http::frame::Answered;
use crate::http::query::PlainRead;
use crate::http::time::rfc3339;
use crate::http::wire::pool::pool_gauges;
use crate::metrics::Gauges;
use crate::writer::{Counted, WriterStats};

/// How the server is. What is not known is null.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `degraded`: reads go on, writes do not.
    status: &'static str,
    /// Why it is degraded.
    reason: Option<&'static str>,
    /// Workers that are reachable.
    online_miners: Option<u32>,
    /// The mean of the latencies that they report, in milliseconds.
    avg_latency_ms: Option<u32>,
    /// The last position that is folded in.
    position: u64,
    /// When that event was recorded; null in an empty log.
    recorded_at: Option<String>,
    /// The version of the program.
    version: &'static str,
}

/// Why writes do not go on, if they do not.
const fn trouble(writer: &Counted) -> Option<&'static str> {
    if writer.failure.is_some() {
        Some("log_unavailable")
    } else if writer.read_only {
        Some("log_read_only")
    } else {
        None
    }
}

/// How the server is. Public.
#[utoipa::path(
    get, path = "/v1/health", tag = "server", security(()), params(PlainRead),
    responses((status = 200, body = Health), (status = 503, body = Health))
)]
pub(crate) async fn health(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let _: PlainRead = reach(&app, request.uri()).await?;
    let reason = trouble(&app.service.stats.counted());
    let now = app.service.clock.now();
    let reachable = app.service.view.matching(now, MatchIndex::reachable);
    let folds = app.service.view.read();
    let (position, recorded_at) = (folds.position, folds.recorded_at);
    drop(folds);
    let body = Health {
        status: if reason.is_some() { "degraded" } else { "ok" },
        reason,
        online_miners: Some(reachable.workers),
        avg_latency_ms: reachable.avg_latency_ms(),
        position: position.0,
        recorded_at: (recorded_at.0 > 0).then(|| rfc3339(recorded_at)),
        version: env!("CARGO_PKG_VERSION"),
    };
    let answer = Answer { position, body }.into_response();
    Ok(if reason.is_some() {
        degraded(answer)
    } else {
        answer
    })
}

fn degraded(mut answer: Response) -> Response {
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = answer.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(10));
    answer.extensions_mut().insert(Answered);
    answer
}

/// What is counted, as Prometheus text.
#[utoipa::path(
    get, path = "/v1/metrics", tag = "server", security((), ("bearer" = [])),
    responses(
        (status = 200, content_type = "text/plain", body = String),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
    )
)]
pub(crate) async fn metrics(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    if !app.settings.metrics_open {
        admit(&app, (&request).into(), AUDITOR)?;
    }
    let _: PlainRead = reach(&app, request.uri()).await?;
    let now = app.service.clock.now();
    let reachable = app.service.view.matching(now, MatchIndex::reachable);
    let pools = pool_gauges(&app.service.view.read());
    let position = app.service.view.position().0;
    let text = app.metrics.text(Gauges {
        position,
        miners_online: reachable.workers,
        slots: reachable.slots,
        slots_free: reachable.slots_free,
        pools,
        queued: app.service.writer.queued(),
        sockets: app.seats.count(),
        gaps: app.service.runners.gaps(),
        writer: app.service.stats.counted(),
        events: by_kind(&app.service.stats),
    });
    let mut response = Response::new(text.into());
    let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let media = HeaderValue::from_static(media);
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(response)
}

fn by_kind(stats: &WriterStats) -> Vec<(EventKind, u64)> {
    let kinds = EventKind::ALL.iter().copied();
    let counts = kinds.map(|kind| (kind, stats.events_of(kind)));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// The OpenAPI document of this server. Public.
#[utoipa::path(
    get, path = "/v1/openapi.json", tag = "server", security(()),
    responses((status = 200, content_type = "application/json", body = Object))
)]
pub(crate) async fn openapi(State(app): State<App>) -> Response {
    json(app.openapi.clone())
}
