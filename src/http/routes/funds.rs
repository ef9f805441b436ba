//! Payers' funds: deposits, transfers to jobs, settled debt.

use axum::extract::State;
use axum::response::Response;

use super::jobs::{ByCoordinator, answered};
use crate::http::app::App;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{Answer, InPath};
use crate::http::wire::answer::Written;
use crate::http::wire::job_answer::CreditedBody;
use crate::http::wire::money::{ChoiceBody, DepositBody, SettleBody, TransferBody};

/// Credits a payer's own funds with a payment. What the payer owes is settled from it first.
#[utoipa::path(
    post, path = "/v1/payers/{payer}/deposits", tag = "jobs", security(("bearer" = [])),
    params(
        ("payer" = String, Path, description = "The payer"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = DepositBody<'_>),
    responses(
        (status = 200, body = CreditedBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn deposit(
    State(app): State<App>,
    InPath(payer): InPath,
    write: ByCoordinator,
) -> Result<Response, Problem> {
    answered(&write.one::<DepositBody<'_>>(&app, Some(&payer)).await?)
}

/// Gives a payer's funds to one of its jobs.
#[utoipa::path(
    post, path = "/v1/transfers", tag = "jobs", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = TransferBody<'_>),
    responses(
        (status = 200, body = CreditedBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody),
        (status = 402, body = ProblemBody, description = "With the `shortfall`"),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn transfer(
    State(app): State<App>,
    write: ByCoordinator,
) -> Result<Response, Problem> {
    answered(&write.one::<TransferBody<'_>>(&app, None).await?)
}

/// Settles what a payer owes from its funds, as far as they go.
#[utoipa::path(
    post, path = "/v1/payers/{payer}/settlements", tag = "jobs", security(("bearer" = [])),
    params(
        ("payer" = String, Path, description = "The payer"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = SettleBody<'_>),
    responses(
        (status = 200, body = CreditedBody), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn settle(
    State(app): State<App>,
    InPath(payer): InPath,
    write: ByCoordinator,
) -> Result<Response, Problem> {
    answered(&write.one::<SettleBody<'_>>(&app, Some(&payer)).await?)
}

/// Says whether a payer's funds go to the job that it opens next.
#[utoipa::path(
    post, path = "/v1/payers/{payer}/choices", tag = "jobs", security(("bearer" = [])),
    params(
        ("payer" = String, Path, description = "The payer"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = ChoiceBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn choose(
    State(app): State<App>,
    InPath(payer): InPath,
    write: ByCoordinator,
) -> Result<Answer<Written>, Problem> {
    Ok(Written::answer(
        &write.one::<ChoiceBody<'_>>(&app, Some(&payer)).await?,
    ))
}
