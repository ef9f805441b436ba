//! Requests: decided, paid, settled, released.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use purser_commands::grants::offer::offer;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, COORDINATOR, InPath, OPERATOR, ORDINARY, Read, Write};
use crate::http::query::{NoParams, PlainRead, ReadParams};
use crate::http::wire::field::name;
use crate::http::wire::grant::{
    ConfirmBody, DecideBody, RefundBody, ReleaseBody, SettleGrantBody, base_units,
};
use crate::http::wire::grant_answer::{
    ConfirmedBody, DecidedBody, GrantBody, PaidBackBody, ReleasedBody, SettledBody,
};
use crate::http::wire::grant_row::{GrantPage, GrantRow, row};
use crate::http::wire::pool::EstimateAnswer;
use crate::writer::Reply;

type Sent<const ROLES: u8> = Write<ROLES, ORDINARY, NoParams>;

/// What a write about grants answers.
fn answered(reply: &Reply) -> Result<Response, Problem> {
    let body = GrantBody::of(reply)?;
    let body = body.ok_or_else(|| Problem::new(Code::Internal))?;
    let position = reply.position;
    Ok(Answer { position, body }.into_response())
}

/// Decides how a request is served: what the pools pay of it, and what is left to be paid. What is
/// free is held at once. With `prepaid`, hold and charge are one fact: either both happen, or
/// nothing does and the answer is 402. With `invoice`, a partial grant is a quote that moves no
/// money until it is confirmed. The same request again answers as the first time.
#[utoipa::path(
    post, path = "/v1/grants/decide", tag = "grants",
    security(("bearer" = []), ("coordinator_secret" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = DecideBody<'_>),
    responses(
        (status = 200, body = DecidedBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 402, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn decide(
    State(app): State<App>,
    write: Sent<COORDINATOR>,
) -> Result<Response, Problem> {
    answered(&write.one::<DecideBody<'_>>(&app, None).await?)
}

/// Takes the payment of a request. The quoted payment begins the work, if what was quoted from the
/// pools can be held in full. Where the pools, or the day's budget, have less by now, the payment
/// goes back in full and the request is void: 409 `pool_drained`, `budget_spent` or
/// `quote_expired`. A wrong amount, a second payment, or one for a closed request goes back in full
/// as well, and changes nothing else. The `position` of such an answer is where both the payment
/// and its refund are recorded. The same payment again answers as the first time.
#[utoipa::path(
    post, path = "/v1/grants/{request}/confirm", tag = "grants",
    security(("bearer" = []), ("coordinator_secret" = [])),
    params(
        ("request" = String, Path, description = "The request's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = ConfirmBody<'_>),
    responses(
        (status = 200, body = ConfirmedBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    InPath(request): InPath,
    write: Sent<COORDINATOR>,
) -> Result<Response, Problem> {
    answered(&write.one::<ConfirmBody<'_>>(&app, Some(&request)).await?)
}

/// Settles what the work did cost: the pools pay first, then the payer up to what was quoted; the
/// operator bears the rest. What was held or paid beyond that goes back. A result for a request
/// that has expired is answered 409 `request_closed`: the operator bears its cost, once.
#[utoipa::path(
    post, path = "/v1/grants/{request}/settle", tag = "grants",
    security(("bearer" = []), ("coordinator_secret" = [])),
    params(
        ("request" = String, Path, description = "The request's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = SettleGrantBody<'_>),
    responses(
        (status = 200, body = SettledBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn settle(
    State(app): State<App>,
    InPath(request): InPath,
    write: Sent<COORDINATOR>,
) -> Result<Response, Problem> {
    answered(
        &write
            .one::<SettleGrantBody<'_>>(&app, Some(&request))
            .await?,
    )
}

/// Says that the work failed, or calls it off: everybody has everything back. A request that still
/// waits for its payment is void. The body may be empty.
#[utoipa::path(
    post, path = "/v1/grants/{request}/release", tag = "grants",
    security(("bearer" = []), ("coordinator_secret" = [])),
    params(
        ("request" = String, Path, description = "The request's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = ReleaseBody<'_>),
    responses(
        (status = 200, body = ReleasedBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn release(
    State(app): State<App>,
    InPath(request): InPath,
    write: Sent<COORDINATOR>,
) -> Result<Response, Problem> {
    answered(&write.one::<ReleaseBody<'_>>(&app, Some(&request)).await?)
}

/// Pays a charge back after the settlement, from the house's revenue. The pool keeps its credit.
#[utoipa::path(
    post, path = "/v1/grants/{request}/refund", tag = "grants", security(("bearer" = [])),
    params(
        ("request" = String, Path, description = "The request's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = RefundBody<'_>),
    responses(
        (status = 200, body = PaidBackBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 402, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn refund(
    State(app): State<App>,
    InPath(request): InPath,
    write: Sent<OPERATOR>,
) -> Result<Response, Problem> {
    answered(&write.one::<RefundBody<'_>>(&app, Some(&request)).await?)
}

/// Everything that happened to one request, open or closed: the row of its audit.
#[utoipa::path(
    get, path = "/v1/grants/{request}", tag = "grants",
    security(("bearer" = []), ("coordinator_secret" = [])),
    params(("request" = String, Path, description = "The request's id"), PlainRead),
    responses(
        (status = 200, body = GrantRow), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn one(
    State(app): State<App>,
    InPath(request): InPath,
    _read: Read<{ AUDITOR | COORDINATOR | OPERATOR }, PlainRead>,
) -> Result<Answer<GrantRow>, Problem> {
    row(&app, name("request", &request)?).await
}

/// Which open requests are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OpenParams {
    /// How many, up to 500; 100 unless it is named.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<u64>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for OpenParams {
    fn min_position(&self) -> Option<purser_events::Position> {
        self.min_position.map(purser_events::Position)
    }
}

/// The requests that are open, the oldest first.
#[utoipa::path(
    get, path = "/v1/grants", tag = "grants",
    security(("bearer" = []), ("coordinator_secret" = [])), params(OpenParams),
    responses(
        (status = 200, body = GrantPage), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn open(
    State(app): State<App>,
    read: Read<{ AUDITOR | COORDINATOR | OPERATOR }, OpenParams>,
) -> Result<Answer<GrantPage>, Problem> {
    let limit = read.params.limit.unwrap_or(100);
    if !(1..=500).contains(&limit) {
        let detail = "must be 1 to 500";
        return Err(Problem::field(Code::InvalidParameter, "limit", detail));
    }
    let folds = app.service.view.read();
    let position = folds.position;
    let body = GrantPage::of(&folds, read.params.cursor.unwrap_or(0), limit as usize);
    Ok(Answer { position, body })
}

/// What is estimated.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EstimateParams {
    /// What the work is believed to cost: digits, from 1.
    est: String,
    /// Whose request it would be.
    identity: Option<String>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for EstimateParams {
    fn min_position(&self) -> Option<purser_events::Position> {
        self.min_position.map(purser_events::Position)
    }
}

/// What a request would be offered now. Nothing is decided, held or recorded.
#[utoipa::path(
    get, path = "/v1/estimate", tag = "grants",
    security(("bearer" = []), ("coordinator_secret" = [])), params(EstimateParams),
    responses(
        (status = 200, body = EstimateAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn estimate(
    State(app): State<App>,
    read: Read<{ COORDINATOR | AUDITOR | OPERATOR }, EstimateParams>,
) -> Result<Answer<EstimateAnswer>, Problem> {
    let est = base_units("est", &read.params.est)?;
    if est == purser_events::Amount::ZERO {
        return Err(Problem::new(Code::BadAmount));
    }
    let identity = read.params.identity.as_deref();
    let identity = identity.map(|text| name("identity", text)).transpose()?;
    let now = app.service.clock.now();
    let folds = app.service.view.read();
    if folds.grants.asset().is_none() {
        return Err(Problem::new(Code::NoPool));
    }
    let offered = offer(&folds, now, identity.as_ref(), est);
    let position = folds.position;
    let body = EstimateAnswer::of(&folds, &offered);
    Ok(Answer { position, body })
}
