//! Pools of generosity, and the identities that are granted from them.

use axum::extract::State;
use purser_events::Micros;
use purser_projections::Projections;

use crate::http::app::App;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, COORDINATOR, InPath, OPERATOR, ORDINARY, Read, Write};
use crate::http::query::{NoParams, PlainRead};
use crate::http::wire::answer::Written;
use crate::http::wire::field::name;
use crate::http::wire::grant::{OrderBody, PoolBody, TierBody, TopUpBody};
use crate::http::wire::pool::{IdentityAnswer, PoolAnswer};

/// What the pools have, hold and paid, the budgets, and the solvency line: what is granted per day
/// against what comes in, and in how many days the pools are empty if all goes on so.
#[utoipa::path(
    get, path = "/v1/pool", tag = "grants", security(("bearer" = [])), params(PlainRead),
    responses(
        (status = 200, body = PoolAnswer), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    _read: Read<{ AUDITOR | OPERATOR }, PlainRead>,
) -> Answer<PoolAnswer> {
    let now = app.service.clock.now();
    let folds = app.service.view.read();
    let position = folds.position;
    let body = PoolAnswer::of(&folds, now);
    Answer { position, body }
}

/// The same answer, for the command line.
pub(crate) fn whole(folds: &Projections, now: Micros) -> serde_json::Value {
    serde_json::json!(PoolAnswer::of(folds, now))
}

/// Opens a further pool, for a sponsor: it is asked after those that are open.
#[utoipa::path(
    post, path = "/v1/pools", tag = "grants", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = PoolBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn open(
    State(app): State<App>,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    Ok(Written::answer(
        &write.one::<PoolBody<'_>>(&app, None).await?,
    ))
}

/// Sets the order in which pools are asked. It acts from the answered position on.
#[utoipa::path(
    post, path = "/v1/pools/order", tag = "grants", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = OrderBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn order(
    State(app): State<App>,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    Ok(Written::answer(
        &write.one::<OrderBody<'_>>(&app, None).await?,
    ))
}

/// Adds a sponsor's payment to a pool. The same payment again changes nothing.
#[utoipa::path(
    post, path = "/v1/pool/topups", tag = "grants", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = TopUpBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn top_up(
    State(app): State<App>,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    Ok(Written::answer(
        &write.one::<TopUpBody<'_>>(&app, None).await?,
    ))
}

/// How an identity stands today: its tier, its score, its budget.
#[utoipa::path(
    get, path = "/v1/identities/{id}", tag = "grants",
    security(("bearer" = []), ("coordinator_secret" = [])),
    params(("id" = String, Path, description = "The identity"), PlainRead),
    responses(
        (status = 200, body = IdentityAnswer), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn identity(
    State(app): State<App>,
    InPath(identity): InPath,
    _read: Read<{ AUDITOR | COORDINATOR | OPERATOR }, PlainRead>,
) -> Result<Answer<IdentityAnswer>, Problem> {
    let identity = name("id", &identity)?;
    let now = app.service.clock.now();
    let folds = app.service.view.read();
    let position = folds.position;
    let body = IdentityAnswer::of(&folds, &identity, now);
    Ok(Answer { position, body })
}

/// Sets an identity's tier, or leaves it to be earned. It acts on what is decided from then on.
#[utoipa::path(
    post, path = "/v1/identities/{id}/tier", tag = "grants", security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The identity"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = TierBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn set_tier(
    State(app): State<App>,
    InPath(identity): InPath,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    Ok(Written::answer(
        &write.one::<TierBody<'_>>(&app, Some(&identity)).await?,
    ))
}
