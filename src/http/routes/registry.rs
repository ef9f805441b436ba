//! The registry, to be looked at.

use axum::extract::State;
use purser_events::matching::RegionFinding;
use purser_events::{Label, Micros, Position, WorkerNo};
use purser_projections::Projections;
use purser_projections::registry::{WINDOW_HOURS, Worker};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, InPath, OPERATOR, Read};
use crate::http::query::{PlainRead, ReadParams};
use crate::http::time::rfc3339;

/// The largest page.
const LIMIT_MAX: usize = 500;
const LIMIT_USUAL: usize = 100;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// Workers on the page, 1 to 500; 100 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<u32>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for PageParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// A page of the registry, in the order in which workers registered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MinerPage {
    /// The workers.
    miners: Vec<Miner>,
    /// The cursor of the next page; null on the last one.
    next: Option<u32>,
}

/// A registered worker.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Miner {
    miner_id: String,
    /// `online`, `degraded` (its lease ran out within the grace), `silent` (about to lapse),
    /// `lapsed` or `logged_out`.
    status: &'static str,
    addr: String,
    proto: String,
    gpu_name: String,
    vram_mb: u32,
    cpu_cores: u32,
    ram_mb: u32,
    /// Price in millionths of a credit per kilosecond.
    price_micro: u64,
    max_parallel: u32,
    tags: Vec<String>,
    capabilities: Vec<String>,
    accel: Vec<String>,
    region: Option<String>,
    node_type: Option<String>,
    eth_address: Option<String>,
    queue_len: u32,
    busy: bool,
    current_jobs: Vec<String>,
    avg_latency_ms: Option<u32>,
    /// Temperature in tenths of a degree Celsius.
    temp_decidegrees: Option<i32>,
    mem_free_mb: Option<u32>,
    session: u32,
    last_heard_at: String,
    lease_until: String,
    /// Jobs that were assigned to it and are not reported on.
    open_jobs: u32,
    /// How far it is trusted, in millionths.
    trust_ppm: u32,
    /// Whether it is left out of matches.
    suspended: bool,
    /// Why an operator suspended it.
    suspended_reason: Option<String>,
    /// `claimed`, `verified` or `contradicted` by probes; null where it claims no region.
    region_status: Option<&'static str>,
    /// The figures that a service level is judged by.
    sla: Sla,
    /// The event that registered it.
    registered_position: u64,
    /// The event that last changed what it offers.
    changed_position: u64,
}

/// The figures that a service level is judged by, from what the log holds of the worker.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sla {
    /// The share of the minutes since it registered in which it beat, in millionths.
    uptime_ppm: u32,
    /// The share of jobs that it completed among those that are over, in millionths.
    completion_ppm: Option<u32>,
    /// The mean time of completed jobs in milliseconds.
    response_ms: Option<u64>,
    completed: u64,
    /// Completed after their deadline.
    late: u64,
    rejected: u64,
    failed: u64,
    /// Nobody reported in time.
    expired: u64,
    /// The same figures of late.
    recent: RecentSla,
}

/// The figures of the last hours, the one that goes on with them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecentSla {
    /// How many hours.
    hours: u32,
    /// The share of their minutes, since it registered, in which it beat, in millionths.
    uptime_ppm: u32,
    /// The share of jobs that it completed among those that ended, in millionths.
    completion_ppm: Option<u32>,
    /// The mean time of completed jobs in milliseconds.
    response_ms: Option<u64>,
    completed: u32,
    /// Completed, rejected, failed or expired.
    ended: u32,
}

fn sla(folds: &Projections, worker: &Worker<'_>, now: Micros) -> Sla {
    let standing = folds.matching.standing(worker.number);
    let (counts, ended) = (standing.counts, standing.recent.ended(now.millis()));
    Sla {
        recent: RecentSla {
            hours: WINDOW_HOURS,
            uptime_ppm: folds.registry.recent_uptime_ppm(*worker, now),
            completion_ppm: ended.completion_ppm(),
            response_ms: ended.response_ms(),
            completed: ended.completed,
            ended: ended.over,
        },
        uptime_ppm: worker.uptime_ppm(now),
        completion_ppm: counts.completion_ppm(),
        response_ms: counts.response_ms(),
        completed: counts.completed,
        late: counts.late,
        rejected: counts.rejected,
        failed: counts.failed,
        expired: counts.expired,
    }
}

const fn finding_word(finding: RegionFinding) -> &'static str {
    match finding {
        RegionFinding::Open => "claimed",
        RegionFinding::Verified => "verified",
        RegionFinding::Contradicted => "contradicted",
    }
}

fn texts(labels: &[Label]) -> Vec<String> {
    labels.iter().map(ToString::to_string).collect()
}

/// A worker as it stands at a moment.
fn miner(folds: &Projections, worker: Worker<'_>, now: Micros) -> Miner {
    let (pulse, file, offer) = (worker.pulse, worker.file, &worker.file.manifest);
    let status = pulse.status(now, &folds.policy);
    let standing = folds.matching.standing(worker.number);
    Miner {
        miner_id: folds.names.workers()[worker.number.index()].to_string(),
        status: status.map_or("unknown", |status| status.as_str()),
        addr: offer.addr.to_string(),
        proto: offer.proto.to_string(),
        gpu_name: offer.gpu_name.to_string(),
        vram_mb: offer.vram_mb,
        cpu_cores: offer.cpu_cores,
        ram_mb: offer.ram_mb,
        price_micro: offer.price_micro,
        max_parallel: offer.max_parallel,
        tags: texts(&offer.tags),
        capabilities: texts(&offer.capabilities),
        accel: texts(&offer.accel),
        region: offer.region.as_ref().map(ToString::to_string),
        node_type: offer.node_type.as_ref().map(ToString::to_string),
        eth_address: offer.payout_address.map(|address| address.to_string()),
        queue_len: pulse.queue_len,
        busy: pulse.busy,
        current_jobs: texts(&file.current_jobs),
        avg_latency_ms: pulse.avg_latency_ms,
        temp_decidegrees: pulse.temp_decidegrees,
        mem_free_mb: pulse.mem_free_mb,
        session: pulse.session,
        last_heard_at: rfc3339(pulse.last_heard),
        lease_until: rfc3339(pulse.lease_until()),
        open_jobs: standing.open,
        trust_ppm: standing.trust.ppm(now.millis()),
        suspended: standing.suspended(now.millis()),
        suspended_reason: standing.suspended.as_ref().map(ToString::to_string),
        region_status: offer
            .region
            .is_some()
            .then(|| finding_word(standing.region)),
        sla: sla(folds, &worker, now),
        registered_position: file.registered_at.0,
        changed_position: file.changed_at.0,
    }
}

/// A page of the registry.
#[utoipa::path(
    get, path = "/v1/miners", tag = "workers", security(("bearer" = [])),
    params(PageParams),
    responses(
        (status = 200, body = MinerPage), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn page(
    State(app): State<App>,
    read: Read<{ OPERATOR | AUDITOR }, PageParams>,
) -> Result<Answer<MinerPage>, Problem> {
    let limit = read.params.limit.unwrap_or(LIMIT_USUAL);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::field(
            Code::OutOfRange,
            "limit",
            "must be from 1 to 500",
        ));
    }
    let from = WorkerNo(read.params.cursor.unwrap_or(0));
    let now = app.service.clock.now();
    let folds = app.service.view.read();
    let mut workers = folds.registry.workers(from);
    let shown = workers.by_ref().take(limit);
    let miners = shown.map(|worker| miner(&folds, worker, now)).collect();
    let next = workers.next().map(|worker| worker.number.0);
    let position = folds.position;
    let body = MinerPage { miners, next };
    Ok(Answer { position, body })
}

/// One worker of the registry.
#[utoipa::path(
    get, path = "/v1/miners/{id}", tag = "workers", security(("bearer" = [])),
    params(("id" = String, Path, description = "The worker's id"), PlainRead),
    responses(
        (status = 200, body = Miner), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn one(
    State(app): State<App>,
    _read: Read<{ OPERATOR | AUDITOR }, PlainRead>,
    InPath(id): InPath,
) -> Result<Answer<Miner>, Problem> {
    let now = app.service.clock.now();
    let folds = app.service.view.read();
    let number = folds.names.worker(&id);
    let worker = number.and_then(|number| folds.registry.worker(number));
    let worker = worker.ok_or_else(|| Problem::new(Code::UnknownWorker))?;
    let position = folds.position;
    let body = miner(&folds, worker, now);
    Ok(Answer { position, body })
}
