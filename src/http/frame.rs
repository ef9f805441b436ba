//! What surrounds every request: its id, its count, its line in the log, and the body of an error.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::app::App;
use super::error::Problem;

/// Hands out request ids: a random start, then a count.
#[derive(Debug)]
pub(crate) struct RequestIds {
    boot: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Ids of a server that drew `boot` at random when it started.
    pub(crate) const fn new(boot: u32) -> Self {
        let next = AtomicU64::new(1);
        Self { boot, next }
    }

    /// The next id.
    pub(crate) fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-{number:x}", self.boot)
    }
}

/// The header that carries the request id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs one request.
pub(crate) async fn frame(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = app.request_ids.next();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let name = route.as_ref().map(MatchedPath::as_str);
    // The span names the route, never the path or the query: those may carry session tokens.
    let span = tracing::debug_span!("request", id, method = %request.method(), route = name);
    let mut response = if span.is_disabled() {
        next.run(request).await
    } else {
        next.run(request).instrument(span).await
    };
    app.metrics.route(name).count(response.status().as_u16());
    if response.status().as_u16() >= 400 {
        response = with_problem(response, &id);
    }
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Gives an error answer its body. Answers that carry no problem of ours and a body, such as a
/// degraded health report, stay as they are.
#[cold]
fn with_problem(mut response: Response, id: &str) -> Response {
    let ours = response
        .extensions_mut()
        .remove::<Box<Problem>>()
        .map(|problem| *problem);
    let has_body = response.headers().contains_key(header::CONTENT_TYPE);
    let problem = match ours {
        Some(problem) => problem,
        None if has_body && response.extensions().get::<Answered>().is_some() => return response,
        None => match Problem::of_status(response.status()) {
            Some(problem) => problem,
            None => return response,
        },
    };
    problem.log(id);
    *response.body_mut() = Body::from(problem.body(id));
    let headers = response.headers_mut();
    let media = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, media);
    headers.remove(header::CONTENT_LENGTH);
    response
}

/// Marks an answer of 4xx or 5xx whose body is not a problem on purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered;
