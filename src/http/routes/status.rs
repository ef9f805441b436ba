//! How the server is: for its operator.

use axum::extract::State;
use purser_events::{Micros, Position};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Clock;
use crate::hex::hex;
use crate::http::app::App;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{Answer, OPERATOR, Read};
use crate::http::query::PlainRead;
use crate::http::time::rfc3339;
use crate::payouts::PayoutsHandle;
use crate::service::RunnerStatus;

/// What an operator wants to know. What is not known is null.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// The last durable position.
    position: u64,
    /// The tree root of all entries up to there, in hexadecimal.
    tree_root: String,
    /// When the last event was recorded; null in an empty log.
    recorded_at: Option<String>,
    /// The newest snapshot's position; null when there is none.
    snapshot_position: Option<u64>,
    /// What the writer counts since the start.
    writer: WriterReport,
    /// How far each projection is behind the log.
    projections: Vec<Lag>,
    /// What runs in the background.
    runners: Vec<Runner>,
    /// Payouts: what is under way, and what a person has to look at.
    payouts: PayoutsReport,
    /// Our clock: `real` or `test`.
    clock: &'static str,
    /// The time by it.
    now: String,
}

/// What the writer counts since the start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WriterReport {
    /// Requests that wait.
    queued: usize,
    /// Commits to the log.
    commits: u64,
    /// Events in them.
    events: u64,
    /// Commands that were granted.
    granted: u64,
    /// Commands that were refused.
    refused: u64,
    /// Commands that repeated an earlier one.
    replayed: u64,
    /// Whether the last commit failed for lack of space.
    read_only: bool,
    /// Why the writer stopped for good, if it did.
    failure: Option<String>,
}

/// How far a projection is behind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Lag {
    /// Its name.
    name: &'static str,
    /// The last position that it folded in.
    position: u64,
    /// How many events it is behind the log.
    lag: u64,
}

/// Payouts: what is under way, and what a person has to look at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayoutsReport {
    /// The address of the key that signs; null before any was opened.
    signer: Option<String>,
    /// Its chain.
    chain_id: Option<u64>,
    /// The nonce that the next payout uses.
    next_nonce: Option<u64>,
    /// How many transactions of the key the chain counted at the last look.
    chain_nonce: Option<u64>,
    /// What its account held when it was last read, in wei.
    funds_wei: Option<String>,
    /// Payouts that are not finished.
    open: usize,
    /// Those of them that failed: the operator cancels them.
    failed: usize,
    /// Why payouts wait, in words.
    deferred: Option<String>,
    /// Set when the key made a transaction that the log does not know: nothing is signed until a
    /// person has looked and resumed it.
    alarm: Option<String>,
}

/// What runs in the background.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Runner {
    /// Its name.
    name: &'static str,
    /// Whether it runs at all.
    enabled: bool,
    /// When it last ran.
    last_run_at: Option<String>,
    /// How often it ran.
    runs: u64,
    /// What went wrong in its last run.
    last_error: Option<String>,
    /// What it waits for; null while it works.
    waits_for: Option<String>,
    /// What there is to say of this one; null where there is nothing.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

fn runner(name: &'static str, status: RunnerStatus) -> Runner {
    Runner {
        name,
        enabled: true,
        last_run_at: status.last_run_at.map(rfc3339),
        runs: status.runs,
        last_error: status.last_error,
        waits_for: status.waits_for,
        detail: serde_json::Value::Null,
    }
}

/// A runner that deals with other machines; off where it is not configured.
fn remote(app: &App, name: &'static str) -> Runner {
    match app.service.runners.of(name) {
        Some(reported) => Runner {
            detail: reported.detail,
            ..runner(name, reported.status)
        },
        None => Runner {
            enabled: false,
            ..runner(name, RunnerStatus::default())
        },
    }
}

fn payouts_runner(app: &App) -> Runner {
    let Some(handle) = &app.payouts else {
        return Runner {
            enabled: false,
            ..runner("payouts", RunnerStatus::default())
        };
    };
    let status = handle.status();
    let status = RunnerStatus {
        last_run_at: status.last_run_at,
        runs: status.runs,
        last_error: status.last_error,
        waits_for: status.deferred,
    };
    runner("payouts", status)
}

fn payouts_report(app: &App) -> PayoutsReport {
    let status = app.payouts.as_ref().map(PayoutsHandle::status);
    let status = status.unwrap_or_default();
    let folds = app.service.view.read();
    let payouts = &folds.payouts;
    let signer = payouts.signer();
    let alarm = signer.and_then(|signer| signer.stopped).map(|stop| {
        format!(
            "the key used nonce {} outside the log, and the chain counts {} transactions of it",
            stop.nonce, stop.chain_nonce
        )
    });
    PayoutsReport {
        signer: signer.map(|signer| signer.address.to_string()),
        chain_id: signer.map(|signer| signer.chain_id),
        next_nonce: signer.map(|signer| signer.next_nonce),
        chain_nonce: status.chain_nonce,
        funds_wei: status.funds.map(|funds| funds.to_string()),
        open: payouts.all_open().count(),
        failed: payouts.failures(),
        deferred: status.deferred,
        alarm,
    }
}

/// The folds that are published, all at one position.
const PROJECTIONS: [&str; 8] = [
    "names",
    "policy",
    "registry",
    "fees",
    "accounts",
    "connections",
    "intake",
    "payouts",
];

/// What an operator wants to know.
#[utoipa::path(
    get, path = "/v1/status", tag = "server", security(("bearer" = [])), params(PlainRead),
    responses(
        (status = 200, body = Status), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn status(
    State(app): State<App>,
    _read: Read<OPERATOR, PlainRead>,
) -> Result<Answer<Status>, Problem> {
    let service = &app.service;
    let folded = service.view.position();
    let end = service.log.end()?;
    let (snapshotter, snapshot) = service.snapshot_status();
    let body = Status {
        position: end.position.0,
        tree_root: hex(&end.root.0),
        recorded_at: (end.recorded_at > Micros(0)).then(|| rfc3339(end.recorded_at)),
        snapshot_position: snapshot.map(|position| position.0),
        writer: writer_report(&app),
        projections: lags(&app, (end.position, folded)),
        runners: vec![
            runner("sweeper", service.sweeper_status()),
            runner("snapshotter", snapshotter),
            analyst(&app),
            remote(&app, "intake_s3"),
            remote(&app, "export_metrics"),
            remote(&app, "archive_log"),
            payouts_runner(&app),
        ],
        payouts: payouts_report(&app),
        clock: match *service.clock {
            Clock::Real => "real",
            Clock::Test(_) => "test",
        },
        now: rfc3339(service.clock.now()),
    };
    let position = folded;
    Ok(Answer { position, body })
}

/// How far each projection is: those that are published together, and the analytics.
fn lags(app: &App, (end, folded): (Position, Position)) -> Vec<Lag> {
    let published = PROJECTIONS.map(|name| (name, folded));
    let analytics = [("analytics", app.service.analyst.position())];
    let all = published.into_iter().chain(analytics);
    let lag = |(name, position): (&'static str, Position)| Lag {
        name,
        position: position.0,
        lag: end.0.saturating_sub(position.0),
    };
    all.map(lag).collect()
}

/// The folder of the analytics, which go on behind the others.
fn analyst(app: &App) -> Runner {
    let analyst = &app.service.analyst;
    let status = RunnerStatus {
        last_error: analyst.failure(),
        waits_for: analyst.waits_for(),
        ..RunnerStatus::default()
    };
    runner("analyst", status)
}

fn writer_report(app: &App) -> WriterReport {
    let counted = app.service.stats.counted();
    WriterReport {
        queued: app.service.writer.queued(),
        commits: counted.commits,
        events: counted.events,
        granted: counted.granted,
        refused: counted.refused,
        replayed: counted.replayed,
        read_only: counted.read_only,
        failure: counted.failure,
    }
}
