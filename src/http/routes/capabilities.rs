//! Slots of capabilities, apart from money.

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use purser_commands::Command;
use purser_events::Label;
use purser_projections::jobs::Capability;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::jobs::ByCoordinator;
use super::write::submit;
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, COORDINATOR, InPath, NoBody, Read, one_id};
use crate::http::json;
use crate::http::query::{NoParams, PlainRead};
use crate::http::wire::answer::Written;
use crate::http::wire::money::{CapabilityBody, SlotBody, free_slot, remove_capability};

/// A capability and its slots.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CapabilityView {
    name: String,
    /// How many jobs may hold a slot at once.
    capacity: u32,
    /// How many do.
    in_use: u32,
}

/// Every capability.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Capabilities {
    capabilities: Vec<CapabilityView>,
    /// The position that the answer reflects.
    position: u64,
}

/// Every capability whose slots are counted.
#[utoipa::path(
    get, path = "/v1/capabilities", tag = "jobs", security(("bearer" = [])), params(PlainRead),
    responses(
        (status = 200, body = Capabilities), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn all(
    State(app): State<App>,
    _read: Read<{ AUDITOR | COORDINATOR }, PlainRead>,
) -> Answer<Capabilities> {
    let folds = app.service.view.read();
    let view = |name: &Label, one: &Capability| {
        Some(CapabilityView {
            name: name.to_string(),
            capacity: one.slots?,
            in_use: one.in_use(),
        })
    };
    let names = folds.names.capabilities();
    let all = folds.jobs.capacity.all();
    let known = all.filter_map(|(number, one)| view(names.get(number.index())?, one));
    let position = folds.position;
    let body = Capabilities {
        capabilities: known.collect(),
        position: position.0,
    };
    Answer { position, body }
}

/// Counts a capability's slots, or changes their number.
#[utoipa::path(
    post, path = "/v1/capabilities", tag = "jobs", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = CapabilityBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn declare(
    State(app): State<App>,
    write: ByCoordinator,
) -> Result<Answer<Written>, Problem> {
    written(write.one::<CapabilityBody<'_>>(&app, None).await)
}

/// Counts a capability's slots no longer. Refused while jobs hold some.
#[utoipa::path(
    delete, path = "/v1/capabilities/{name}", tag = "jobs", security(("bearer" = [])),
    params(
        ("name" = String, Path, description = "The capability"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    responses(
        (status = 200, body = Written), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn remove(
    State(app): State<App>,
    InPath(name): InPath,
    write: NoBody<COORDINATOR, NoParams>,
) -> Result<Answer<Written>, Problem> {
    let command = remove_capability(&name)?;
    written(submit(&app, (write.principal, write.id), command).await)
}

/// Reserves a slot for a job. A job holds one slot of a capability, however often it is asked.
#[utoipa::path(
    post, path = "/v1/capabilities/{name}/slots", tag = "jobs", security(("bearer" = [])),
    params(
        ("name" = String, Path, description = "The capability"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = SlotBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody),
        (status = 429, body = ProblemBody, description = "All slots are held"),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn reserve(
    State(app): State<App>,
    InPath(name): InPath,
    write: ByCoordinator,
) -> Result<Answer<Written>, Problem> {
    let body: SlotBody<'_> = json::read(&write.body)?;
    let id = one_id(write.id, body.id.as_deref())?;
    let command = body.reserve(Some(&name))?;
    written(submit(&app, (write.principal, id), command).await)
}

/// Whose job holds the slot.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Holder {
    /// The payer, where the slot was reserved for a job of these books.
    payer: Option<String>,
}

/// The two parameters of a path.
#[derive(Debug)]
pub(crate) struct TwoInPath(String, String);

impl FromRequestParts<App> for TwoInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Problem> {
        let wrong = |_| Problem::field(Code::InvalidParameter, "path", "must be UTF-8 text");
        let Path((first, second)) = parts.extract().await.map_err(wrong)?;
        Ok(Self(first, second))
    }
}

/// Frees a job's slot. Freeing what is not held changes nothing.
#[utoipa::path(
    delete, path = "/v1/capabilities/{name}/slots/{job_id}", tag = "jobs",
    security(("bearer" = [])),
    params(
        ("name" = String, Path, description = "The capability"),
        ("job_id" = String, Path, description = "The job"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
        Holder,
    ),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn free(
    State(app): State<App>,
    TwoInPath(name, job): TwoInPath,
    write: NoBody<COORDINATOR, Holder>,
) -> Result<Answer<Written>, Problem> {
    let command: Command = free_slot(&name, &job, write.params.payer.as_deref())?;
    written(submit(&app, (write.principal, write.id), command).await)
}

fn written(reply: Result<crate::writer::Reply, Problem>) -> Result<Answer<Written>, Problem> {
    reply.map(|reply| Written::answer(&reply))
}
