//! The clock of tests.

use axum::extract::State;
use purser_events::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{Answer, OPERATOR, ORDINARY, Write};
use crate::http::json;
use crate::http::query::NoParams;
use crate::http::time::rfc3339;
use crate::http::wire::field::{YEAR_9999_MS, at_most, whole};

/// Where the clock goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockBody {
    /// Milliseconds since 1970; never before the clock's time.
    now_ms: i64,
}

/// Where the clock is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClockAnswer {
    /// Milliseconds since 1970.
    now_ms: u64,
    /// The same as text.
    now: String,
    /// The last position that is folded in.
    position: u64,
}

/// Moves the test clock forward, and waits until what is due by then has happened. Only a server
/// that was started with `--test-clock` has one.
#[utoipa::path(
    post, path = "/v1/test-clock", tag = "server", security(("bearer" = [])),
    request_body(content = ClockBody),
    responses(
        (status = 200, body = ClockAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
    )
)]
pub(crate) async fn advance(
    State(app): State<App>,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<ClockAnswer>, Problem> {
    let body: ClockBody = json::read(&write.body)?;
    let now_ms: u64 = whole("now_ms", at_most("now_ms", body.now_ms, YEAR_9999_MS)?, 0)?;
    app.service
        .advance_clock(Micros::from_millis(now_ms))
        .await?;
    // What became due was committed; the answer waits until reads see it too.
    let end = app.service.log.end()?.position;
    let limit = app.settings.min_position_wait;
    app.service.view.reached(end, limit).await;
    let (now, position) = (app.service.clock.now(), app.service.view.position());
    let body = ClockAnswer {
        now_ms: now.millis(),
        now: rfc3339(now),
        position: position.0,
    };
    Ok(Answer { position, body })
}
