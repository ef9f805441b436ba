//! The rules in force, and their change.

use axum::extract::State;

use crate::http::app::App;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, OPERATOR, ORDINARY, Read, Write};
use crate::http::query::{NoParams, PlainRead};
use crate::http::wire::answer::Written;
use crate::http::wire::policy::{PolicyAnswer, PolicyBody};

/// The rules in force.
#[utoipa::path(
    get, path = "/v1/policy", tag = "policy", security(("bearer" = [])), params(PlainRead),
    responses(
        (status = 200, body = PolicyAnswer), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn read(
    State(app): State<App>,
    _read: Read<{ AUDITOR | OPERATOR }, PlainRead>,
) -> Answer<PolicyAnswer> {
    let folds = app.service.view.read();
    let position = folds.position;
    let body = PolicyAnswer::of(&folds.policy);
    Answer { position, body }
}

/// Sets a rule. It acts from the answered position on; what came before keeps its old rule.
#[utoipa::path(
    post, path = "/v1/policy", tag = "policy", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = PolicyBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn change(
    State(app): State<App>,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    let reply = write.one::<PolicyBody<'_>>(&app, None).await?;
    Ok(Written::answer(&reply))
}
