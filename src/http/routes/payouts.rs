//! Payouts: planned, run, looked at, given up.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::State;
use purser_commands::payout::{PayoutRef, plan};
use purser_commands::{Answer as Granted, Command};
use purser_events::{Actor, Amount, Label, PayoutNo, Position};
use purser_projections::recall::{RecallKey, Record};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{AUDITOR, Answer, InPath, OPERATOR, ORDINARY, Read, Write, actor};
use crate::http::json;
use crate::http::query::{NoParams, PlainRead, ReadParams};
use crate::http::wire::answer::Written;
use crate::http::wire::payout::{
    ConfirmBody, ElsewhereAnswer, ElsewhereBody, EmptyBody, Funds, PayoutPage, RunAnswer, RunBody,
    payout_ref,
};
use crate::log::{LogReader, ReadError};
use crate::payouts::{NodeError, RunError};
use crate::render::payout::{PayoutRecord, PayoutRecords};
use crate::writer::{Reply, Submission};

/// The largest page.
const LIMIT_MAX: usize = 500;
const LIMIT_USUAL: usize = 100;

/// Events that are read in passing rather than looked up anew.
const GAP: u64 = 4_096;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// Payouts on the page, 1 to 500; 100 where it is left out.
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

/// Payouts, the newest first.
#[utoipa::path(
    get, path = "/v1/payouts", tag = "payouts", security(("bearer" = [])), params(PageParams),
    responses(
        (status = 200, body = PayoutPage), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
        (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn page(
    State(app): State<App>,
    read: Read<{ AUDITOR | OPERATOR }, PageParams>,
) -> Result<Answer<PayoutPage>, Problem> {
    let limit = read.params.limit.unwrap_or(LIMIT_USUAL);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let detail = "must be from 1 to 500";
        return Err(Problem::field(Code::OutOfRange, "limit", detail));
    }
    let (position, count) = {
        let folds = app.service.view.read();
        (folds.position, folds.payouts.count())
    };
    let end = read.params.cursor.unwrap_or(count).min(count);
    let start = end.saturating_sub(u32::try_from(limit).unwrap_or(u32::MAX));
    let mut payouts = records(&app, (start..end).map(PayoutNo), position).await?;
    payouts.reverse();
    let body = PayoutPage {
        payouts,
        next: (start > 0).then_some(start),
        position: position.0,
    };
    Ok(Answer { position, body })
}

/// One payout, whether or not it is finished. The second part of its id may be left out.
#[utoipa::path(
    get, path = "/v1/payouts/{id}", tag = "payouts", security(("bearer" = [])),
    params(("id" = String, Path, description = "The payout's id"), PlainRead),
    responses(
        (status = 200, body = PayoutRecord), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn one(
    State(app): State<App>,
    InPath(id): InPath,
    _read: Read<{ AUDITOR | OPERATOR }, PlainRead>,
) -> Result<Answer<PayoutRecord>, Problem> {
    let wanted = payout_ref(&id)?;
    let position = app.service.view.position();
    let numbers = std::iter::once(wanted.payout);
    let found = records(&app, numbers, position).await?.pop();
    let unknown = || Problem::new(Code::UnknownPayout);
    let body = found.ok_or_else(unknown)?;
    // A digest that was named must be the payout's own.
    if wanted.digest.is_some() && body.id != id.to_ascii_lowercase() {
        return Err(unknown());
    }
    Ok(Answer { position, body })
}

/// The records of these payouts, by number, as of a position.
async fn records(
    app: &App,
    numbers: impl Iterator<Item = PayoutNo>,
    end: Position,
) -> Result<Vec<PayoutRecord>, Problem> {
    let keys = numbers.map(RecallKey::of_payout).collect();
    let found = app.service.writer.recall(keys).await?;
    let mut positions = BTreeSet::new();
    for (_, record) in &found {
        if let Record::Payout(trail) = record {
            positions.extend(trail.positions().iter().filter(|at| **at <= end));
        }
    }
    let (log, view) = (Arc::clone(&app.service.log), Arc::clone(&app.service.view));
    let read = tokio::task::spawn_blocking(move || {
        let mut records = PayoutRecords::default();
        let names = view.read().names.clone();
        gather(&*log, &positions, &mut |envelope| {
            records.add(envelope, &names);
        })?;
        Ok::<_, ReadError>(records.into_records())
    });
    let read = read.await.map_err(|_| Problem::new(Code::Internal))?;
    Ok(read?)
}

/// Reads the events at these positions, in order; what stands close together in one go.
fn gather(
    log: &dyn LogReader,
    positions: &BTreeSet<Position>,
    each: &mut dyn FnMut(&purser_events::Envelope),
) -> Result<(), ReadError> {
    let mut next = positions.first().copied();
    while let Some(from) = next {
        next = None;
        log.read(from, &mut |envelope| {
            let at = envelope.position;
            if positions.contains(&at) {
                each(&envelope);
            }
            match positions.range(at.next()..).next() {
                Some(wanted) if wanted.0 <= at.0 + GAP => ControlFlow::Continue(()),
                wanted => {
                    next = wanted.copied();
                    ControlFlow::Break(())
                }
            }
        })?;
    }
    Ok(())
}

/// Requests a payout on chain for everybody who is due, as far as the signer's account covers it;
/// or says, with `dry_run`, what that would be.
#[utoipa::path(
    post, path = "/v1/payouts/run", tag = "payouts", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = RunBody),
    responses(
        (status = 200, body = RunAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 402, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn run(
    State(app): State<App>,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<RunAnswer>, Problem> {
    let body: RunBody = body_or_default(&write.body)?;
    let always_dry = app.payouts.as_ref().is_some_and(|runner| runner.is_dry());
    if body.dry_run || always_dry {
        return Ok(planned(&app).await);
    }
    let runner = app.payouts.as_ref().ok_or_else(off)?;
    let reply = runner.run(write.id, actor(write.principal)?).await?;
    let (requested, amount) = match reply.answer {
        Granted::Payouts { count, amount, .. } => (count, amount),
        _ => (0, Amount::ZERO),
    };
    let body = RunAnswer::done(requested, amount, &reply);
    let position = reply.position;
    Ok(Answer { position, body })
}

async fn planned(app: &App) -> Answer<RunAnswer> {
    let told = match &app.payouts {
        Some(runner) => runner.funds().await.ok(),
        None => None,
    };
    let funds = match (told, app.settings.declared_funds) {
        (Some(told), _) => Some(Funds::OnChain(told)),
        (None, declared) => declared.map(Funds::Declared),
    };
    let folds = app.service.view.read();
    let plan = plan(&folds, app.service.clock.now());
    Answer {
        position: folds.position,
        body: RunAnswer::planned(&folds, &plan, funds),
    }
}

/// A body may be left out where it has nothing to say.
fn body_or_default<'a, T: Deserialize<'a> + Default>(body: &'a [u8]) -> Result<T, Problem> {
    if body.is_empty() {
        return Ok(T::default());
    }
    json::read(body)
}

/// Payouts on chain are not configured.
fn off() -> Problem {
    Problem::new(Code::PayoutsOff)
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Submit(error) => error.into(),
            RunError::Node(NodeError::Refused { .. } | NodeError::Unreachable { .. })
            | RunError::Ended => Self::with(Code::ChainUnavailable, error.to_string()),
            RunError::Node(NodeError::OtherChain { .. }) => {
                Self::with(Code::ChainUnavailable, error.to_string())
            }
        }
    }
}

/// Lets a stopped signer go on, once a person has looked.
#[utoipa::path(
    post, path = "/v1/payouts/resume", tag = "payouts", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = EmptyBody),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn resume(
    State(app): State<App>,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    let _: EmptyBody = body_or_default(&write.body)?;
    let runner = app.payouts.as_ref().ok_or_else(off)?;
    let reply = runner.resume(write.id, actor(write.principal)?).await?;
    Ok(Written::answer(&reply))
}

/// Gives a payout up that never lands: nothing is signed for it, or it failed for good.
#[utoipa::path(
    post, path = "/v1/payouts/{id}/cancel", tag = "payouts", security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The payout's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = EmptyBody),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    InPath(id): InPath,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    let _: EmptyBody = body_or_default(&write.body)?;
    let wanted: PayoutRef = payout_ref(&id)?;
    let by = actor(write.principal)?;
    let reply = submit(&app, Command::CancelPayout(wanted), (write.id, by)).await?;
    Ok(Written::answer(&reply))
}

/// Holds an amount for a payout that the operator makes elsewhere; with a reference, books it as
/// made.
#[utoipa::path(
    post, path = "/v1/payouts", tag = "payouts", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = ElsewhereBody<'_>),
    responses(
        (status = 200, body = ElsewhereAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 402, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn elsewhere(
    State(app): State<App>,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<ElsewhereAnswer>, Problem> {
    let body: ElsewhereBody<'_> = json::read(&write.body)?;
    let command = body.command(&app.service.view.read())?;
    let by = actor(write.principal)?;
    let reply = submit(&app, command, (write.id, by)).await?;
    let number = match reply.answer {
        Granted::Payouts { first, .. } => first,
        _ => None,
    };
    // From the log itself, where it stands already: the read side may not know it yet.
    let record = records(&app, number.into_iter(), reply.position)
        .await?
        .pop();
    let record = record.ok_or_else(|| Problem::new(Code::Internal))?;
    let body = ElsewhereAnswer::of(&record, &reply);
    let position = reply.position;
    Ok(Answer { position, body })
}

/// Books a payout that was held for another way of paying as made.
#[utoipa::path(
    post, path = "/v1/payouts/{id}/confirm", tag = "payouts", security(("bearer" = [])),
    params(
        ("id" = String, Path, description = "The payout's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = ConfirmBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    InPath(id): InPath,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    let body: ConfirmBody<'_> = json::read(&write.body)?;
    let command = body.command(payout_ref(&id)?)?;
    let by = actor(write.principal)?;
    let reply = submit(&app, command, (write.id, by)).await?;
    Ok(Written::answer(&reply))
}

async fn submit(
    app: &App,
    command: Command,
    (id, actor): (Option<Label>, Actor),
) -> Result<Reply, Problem> {
    let writer = &app.service.writer;
    Ok(writer.submit(Submission { command, id, actor }).await?)
}
