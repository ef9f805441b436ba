//! Who may be matched: suspension, probes, keys; and what the pool has room for.

use std::collections::BTreeMap;

use axum::extract::State;
use purser_commands::Command;
use purser_commands::command::Secret;
use purser_commands::matching::{RotateKey, SetStanding};
use purser_events::matching::Reason;
use purser_events::{Actor, WorkerNo};
use purser_projections::matching::top_level;
use serde::Serialize;
use utoipa::ToSchema;

use super::write::submit;
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{
    AUDITOR, Answer, COORDINATOR, InPath, OPERATOR, ORDINARY, OwnWrite, Read, Write, one_id,
};
use crate::http::json;
use crate::http::query::{NoParams, PlainRead};
use crate::http::session::prove;
use crate::http::wire::answer::Written;
use crate::http::wire::field::{at_most, name, whole};
use crate::http::wire::matching::{ProbeBody, ReasonBody, RotateBody};
use crate::http::wire::register::{API_KEY_BYTES_MAX, salt};
use crate::writer::Submission;

/// An operator's write.
type ByOperator = Write<OPERATOR, ORDINARY, NoParams>;

async fn set(
    app: &App,
    write: ByOperator,
    worker: &str,
    suspended: bool,
) -> Result<Answer<Written>, Problem> {
    let body: ReasonBody<'_> = json::read(&write.body)?;
    let id = one_id(write.id, body.id.as_deref())?;
    let command = Command::SetStanding(SetStanding {
        worker: name("id", worker)?,
        suspended,
        reason: name("reason", &body.reason)?,
    });
    let reply = submit(app, (write.principal, id), command).await?;
    Ok(Written::answer(&reply))
}

/// Takes a worker out of matching. What it is at goes on.
#[utoipa::path(
    post, path = "/v1/miners/{id}/suspend", tag = "workers", security(("bearer" = [])),
    params(("id" = String, Path, description = "The worker's id")),
    request_body(content = ReasonBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn suspend(
    State(app): State<App>,
    InPath(worker): InPath,
    write: ByOperator,
) -> Result<Answer<Written>, Problem> {
    set(&app, write, &worker, true).await
}

/// Lets a worker be matched again; suspicion of fraud is cleared with it.
#[utoipa::path(
    post, path = "/v1/miners/{id}/resume", tag = "workers", security(("bearer" = [])),
    params(("id" = String, Path, description = "The worker's id")),
    request_body(content = ReasonBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn resume(
    State(app): State<App>,
    InPath(worker): InPath,
    write: ByOperator,
) -> Result<Answer<Written>, Problem> {
    set(&app, write, &worker, false).await
}

/// Tells how far a worker is from a known place. At least five ways there and back of 30 ms or
/// less, from within the region that it claims, verify the claim; one that is quicker than light
/// in fibre contradicts it.
#[utoipa::path(
    post, path = "/v1/miners/{id}/probes", tag = "workers", security(("bearer" = [])),
    params(("id" = String, Path, description = "The worker's id")),
    request_body(content = ProbeBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn probe(
    State(app): State<App>,
    InPath(worker): InPath,
    write: ByOperator,
) -> Result<Answer<Written>, Problem> {
    let body: ProbeBody<'_> = json::read(&write.body)?;
    let id = one_id(write.id, body.id.as_deref())?;
    let command = Command::ProbeRegion(body.probe(&worker)?);
    let reply = submit(&app, (write.principal, id), command).await?;
    Ok(Written::answer(&reply))
}

/// The longest overlap of two keys in seconds: seven days.
const OVERLAP_MAX_SEC: i64 = 604_800;

/// Binds a worker's id to a new API key. The old one stays good for a while.
#[utoipa::path(
    post, path = "/v1/miners/key", tag = "workers", security(("session" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = RotateBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn rotate(
    State(app): State<App>,
    write: OwnWrite<NoParams>,
) -> Result<Answer<Written>, Problem> {
    let body: RotateBody<'_> = json::read(&write.body)?;
    let token = body.session_token.as_deref().or(write.bearer.as_deref());
    let session = prove(&app, token)?;
    let id = one_id(write.id, body.id.as_deref())?;
    let key = body.new_api_key.as_ref();
    if key.is_empty() || key.len() > API_KEY_BYTES_MAX {
        let detail = "must have 1 to 512 bytes";
        return Err(Problem::field(Code::OutOfRange, "new_api_key", detail));
    }
    let overlap = body.overlap_sec.unwrap_or(86_400);
    let overlap = at_most("overlap_sec", overlap, OVERLAP_MAX_SEC)?;
    let overlap_sec: u32 = whole("overlap_sec", overlap, 0)?;
    let command = Command::RotateKey(Box::new(RotateKey {
        worker: session.worker(),
        api_key: Secret(key.into()),
        fresh_salt: salt()?,
        overlap_ms: overlap_sec * 1_000,
    }));
    let actor = Actor::Worker(session.worker);
    let submission = Submission { command, id, actor };
    let reply = app.service.writer.submit(submission).await?;
    Ok(Written::answer(&reply))
}

/// What the pool has room for, and what was asked of it in vain.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Capacity {
    /// By top-level region; workers that claim none stand under the empty name.
    regions: BTreeMap<String, RegionCapacity>,
    /// Matches that were recorded.
    matches: u64,
    /// Those that found nobody.
    unmet: u64,
    /// Workers that those left out, by the first reason.
    unmet_reasons: BTreeMap<&'static str, u64>,
}

/// The reachable workers of a region.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct RegionCapacity {
    miners_online: u32,
    /// Jobs that they run at once.
    slots: u64,
    /// Jobs that they could take now; those of suspended and busy workers are none.
    slots_free: u64,
    /// Jobs that wait or run there, as far as it is known.
    jobs: u64,
}

/// What the pool has room for, and what was asked of it in vain.
#[utoipa::path(
    get, path = "/v1/capacity", tag = "matching", security(("bearer" = [])),
    params(PlainRead),
    responses(
        (status = 200, body = Capacity), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn capacity(
    State(app): State<App>,
    _read: Read<{ COORDINATOR | OPERATOR | AUDITOR }, PlainRead>,
) -> Answer<Capacity> {
    let now = app.service.clock.now();
    let folds = app.service.view.read();
    let mut regions: BTreeMap<String, RegionCapacity> = BTreeMap::new();
    for worker in folds.registry.workers(WorkerNo(0)) {
        let status = worker.pulse.status(now, &folds.policy);
        if !status.is_some_and(|status| status.reachable()) {
            continue;
        }
        let offer = &worker.file.manifest;
        let region = offer.region.as_ref();
        let region = region.map_or("", |region| top_level(region.as_str()));
        if !regions.contains_key(region) {
            regions.insert(region.to_owned(), RegionCapacity::default());
        }
        let Some(region) = regions.get_mut(region) else {
            continue;
        };
        let standing = folds.matching.standing(worker.number);
        let jobs = worker.pulse.jobs(standing.open);
        region.miners_online += 1;
        region.slots += u64::from(offer.max_parallel);
        region.jobs += u64::from(jobs);
        if !worker.pulse.busy && !standing.suspended(now.millis()) {
            region.slots_free += u64::from(offer.max_parallel.saturating_sub(jobs));
        }
    }
    let demand = &folds.matching.demand;
    let reasons = Reason::ALL.iter().zip(demand.reasons);
    let reasons = reasons.filter(|(_, count)| *count > 0);
    let body = Capacity {
        regions,
        matches: demand.matches,
        unmet: demand.unmet,
        unmet_reasons: reasons
            .map(|(reason, count)| (reason.code(), count))
            .collect(),
    };
    let position = folds.position;
    Answer { position, body }
}
