//! Matches, and reports on them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use purser_commands::answer::Counted;
use purser_commands::matching::{AssignMatch, Finding};
use purser_commands::{Answer as Granted, Command, Rejection};
use purser_events::matching::{Ask, Reason};
use purser_events::{Actor, Envelope, Event, KeyTag, Label, Position, WorkerNo};
use purser_projections::matching::index::{Counting, Found, MatchIndex};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::reached;
use crate::http::extract::{
    AUDITOR, Answer, COORDINATOR, InPath, OPERATOR, ORDINARY, Read, Write, actor, one_id,
};
use crate::http::json;
use crate::http::query::{NoParams, PlainRead};
use crate::http::time::rfc3339;
use crate::http::wire::field::name;
use crate::http::wire::matching::{
    CandidateBody, FeedbackAnswer, FeedbackBody, MatchAnswer, MatchBody, Rejected, TOP_K_MAX,
    Wanted, summary,
};
use crate::writer::{Reply, Submission, SubmitError};

/// Workers that are answered with all their reasons.
const LISTED_MAX: usize = 1_000;

/// How often a match looks again, when all its candidates were given away meanwhile.
const TRIES: usize = 3;

/// How long it waits for the read side before it does.
const CATCH_UP: Duration = Duration::from_millis(500);

/// Which reasons are answered.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MatchParams {
    /// `first` (the usual): how many workers were left out, by their first reason. `all`: every
    /// reason of each. `none`: only the candidates, the quickest.
    #[serde(default)]
    reasons: Reasons,
    /// Wait, for a bounded time, until the match reflects this position.
    min_position: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Reasons {
    #[default]
    First,
    All,
    None,
}

/// Finds the best workers for a job. Without `assign` it is answered from memory, waits for no
/// disk and leaves no event; with it the match is recorded, and its best workers hold a slot.
#[utoipa::path(
    post, path = "/v1/match", tag = "matching", security(("bearer" = [])),
    params(
        MatchParams,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = MatchBody<'_>),
    responses(
        (status = 200, body = MatchAnswer<'_>), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn make(
    State(app): State<App>,
    write: Write<COORDINATOR, ORDINARY, MatchParams>,
) -> Result<Response, Problem> {
    app.limits.matching(write.principal.tag)?;
    let body: MatchBody<'_> = json::read(&write.body)?;
    let id = one_id(write.id, body.id.as_deref())?;
    let wanted = body.wanted()?;
    if let Some(position) = write.params.min_position.map(Position) {
        reached(&app, position).await?;
    }
    let coordinator = write.principal.tag;
    match wanted.assign {
        None => Ok(look(&app, coordinator, &wanted, write.params.reasons)),
        Some(count) => {
            let actor = actor(write.principal)?;
            let by = (coordinator, count);
            let reply = assign(&app, &wanted, by, |command| Submission {
                command,
                id: id.clone(),
                actor,
            });
            let reply = reply.await?;
            recorded(&app, reply.position, reply.replayed).await
        }
    }
}

/// Asks the index, and counts that it was asked.
fn find<T>(
    app: &App,
    ask: &Ask,
    counting: Counting,
    then: impl FnOnce(&MatchIndex, Found) -> T,
) -> T {
    let began = Instant::now();
    let now = app.service.clock.now();
    app.service.view.matching(now, |index| {
        let found = index.find(ask, counting);
        let (took, count) = (began.elapsed(), found.candidates.len());
        app.metrics.matches.count(took, count, &found.left_out);
        then(index, found)
    })
}

/// Answers a match from memory. The answer is written out beside the index: it would take no less
/// time to copy out what is in it.
fn look(app: &App, by: KeyTag, wanted: &Wanted, reasons: Reasons) -> Response {
    let counting = match reasons {
        Reasons::None => Counting::None,
        Reasons::First | Reasons::All => Counting::First,
    };
    let (answer, candidates) = find(app, &wanted.ask, counting, |index, found| {
        let position = index.position();
        let body = answer_of(index, wanted, &found, reasons);
        (written(&Answer { position, body }), found.candidates)
    });
    let deadline = wanted.ask.deadline_ms;
    app.offers.note(by, &wanted.job, deadline, &candidates);
    answer
}

fn written(answer: &Answer<MatchAnswer<'_>>) -> Response {
    answer.of_about(512 + 384 * answer.body.candidates.len())
}

fn answer_of<'a>(
    index: &'a MatchIndex,
    wanted: &'a Wanted,
    found: &Found,
    reasons: Reasons,
) -> MatchAnswer<'a> {
    let first: BTreeMap<_, _> = by_code(&found.left_out);
    let mut answer = MatchAnswer {
        job_id: wanted.job.as_str(),
        explain: summary(found.candidates.len(), &first),
        candidates: found
            .candidates
            .iter()
            .map(|one| CandidateBody::of(index, one))
            .collect(),
        eligible: found.eligible,
        rejected: Rejected::Counts(BTreeMap::new()),
        rejected_primary_histogram: None,
        reason_counts: None,
        assigned: None,
        expires_at: None,
        weights: None,
        recorded_at: None,
        position: index.position().0,
        replayed: false,
    };
    if reasons == Reasons::All {
        let all = index.find(&wanted.ask, Counting::All);
        answer.reason_counts = Some(by_code(&all.left_out));
        answer.rejected_primary_histogram = Some(first);
        answer.rejected = Rejected::Workers(listed(index, wanted));
    } else {
        answer.rejected = Rejected::Counts(first);
    }
    answer
}

fn by_code(counts: &[u32; Reason::ALL.len()]) -> BTreeMap<&'static str, u32> {
    let counts = Reason::ALL.iter().zip(counts);
    let counted = counts.filter(|(_, count)| **count > 0);
    counted
        .map(|(reason, count)| (reason.code(), *count))
        .collect()
}

fn listed<'a>(index: &'a MatchIndex, wanted: &Wanted) -> BTreeMap<&'a str, Vec<&'static str>> {
    let listed = index.left_out(&wanted.ask, WorkerNo(0), LISTED_MAX);
    let named = listed.into_iter().filter_map(|(worker, reasons)| {
        let id = index.offer(worker)?.miner_id.as_str();
        Some((id, reasons.into_iter().map(Reason::code).collect()))
    });
    named.collect()
}

/// Records a match. The writer decides which candidates still stand; when none does, it looks
/// again, and further: the best may have had their part in the job already.
async fn assign(
    app: &App,
    wanted: &Wanted,
    (coordinator, count): (KeyTag, u32),
    submission: impl Fn(Command) -> Submission,
) -> Result<Reply, Problem> {
    let (mut tries, mut ask) = (0, wanted.ask.clone());
    loop {
        let found = find(app, &ask, Counting::First, |index, found| Finding {
            looked_at: index.position(),
            weights: *index.weights(),
            left_out: found.reasons().collect(),
            candidates: found.candidates,
        });
        let command = Command::AssignMatch(Box::new(AssignMatch {
            job: wanted.job.clone(),
            coordinator,
            ask: wanted.ask.clone(),
            count,
            found,
        }));
        tries += 1;
        match app.service.writer.submit(submission(command)).await {
            Err(SubmitError::Rejected(Rejection::CandidatesGone)) if tries < TRIES => {
                let end = app.service.log.end()?;
                app.service.view.reached(end.position, CATCH_UP).await;
                ask.top_k = TOP_K_MAX;
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// A recorded match, from its event.
async fn recorded(app: &App, position: Position, replayed: bool) -> Result<Response, Problem> {
    let log = Arc::clone(&app.service.log);
    let read = tokio::task::spawn_blocking(move || {
        let mut found: Option<Envelope> = None;
        log.read(position, &mut |envelope| {
            found = Some(envelope);
            ControlFlow::Break(())
        })?;
        Ok::<_, Problem>(found)
    });
    let envelope = read.await.map_err(|_| Problem::new(Code::Internal))??;
    let (recorded_at, made) = match envelope {
        Some(Envelope {
            event: Event::MatchMade(made),
            recorded_at,
            ..
        }) => (recorded_at, made),
        _ => return Err(Problem::new(Code::UnknownMatch)),
    };
    let now = app.service.clock.now();
    Ok(app.service.view.matching(now, |index| {
        let body = MatchAnswer {
            recorded_at: Some(rfc3339(recorded_at)),
            position: position.0,
            replayed,
            ..MatchAnswer::of_event(index, &made)
        };
        written(&Answer { position, body })
    }))
}

/// The latest recorded match of a job, with what its scores were made of.
#[utoipa::path(
    get, path = "/v1/match/{job_id}", tag = "matching", security(("bearer" = [])),
    params(("job_id" = String, Path, description = "The coordinator's id of the job"), PlainRead),
    responses(
        (status = 200, body = MatchAnswer<'_>), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn made(
    State(app): State<App>,
    _read: Read<{ COORDINATOR | OPERATOR | AUDITOR }, PlainRead>,
    InPath(job): InPath,
) -> Result<Response, Problem> {
    let job: Label = name("job_id", &job)?;
    // The index of ids is the writer's: it is asked, and nothing happens.
    let asked = app.service.writer.submit(Submission {
        command: Command::FindMatch(job),
        id: None,
        actor: Actor::Purser,
    });
    match asked.await?.answer {
        Granted::Match(position) => recorded(&app, position, false).await,
        _ => Err(Problem::new(Code::UnknownMatch)),
    }
}

/// Tells how a job went. What counts for or against the worker moves its trust; each worker's part
/// in a job ends once, and what comes later is ignored.
#[utoipa::path(
    post, path = "/v1/feedback", tag = "matching", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = FeedbackBody<'_>),
    responses(
        (status = 200, body = FeedbackAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn feedback(
    State(app): State<App>,
    write: Write<COORDINATOR, ORDINARY, NoParams>,
) -> Result<Answer<FeedbackAnswer>, Problem> {
    let body: FeedbackBody<'_> = json::read(&write.body)?;
    let id = one_id(write.id, body.id.as_deref())?;
    let actor = actor(write.principal)?;
    let by = write.principal.tag;
    let mut report = body.report(by)?;
    let worker = app.service.view.read().names.miner(&report.worker);
    report.offered = worker.and_then(|worker| app.offers.find(by, &report.job, worker));
    let command = Command::GiveFeedback(Box::new(report));
    let submission = Submission { command, id, actor };
    let reply = app.service.writer.submit(submission).await?;
    let Granted::Feedback { trust_ppm, counted } = reply.answer else {
        return Err(Problem::new(Code::Internal));
    };
    let position = reply.position;
    let body = FeedbackAnswer {
        trust_ppm,
        counted: counted == Counted::Yes,
        ignored: match counted {
            Counted::Yes => None,
            Counted::Duplicate => Some("duplicate"),
            Counted::NotAssigned => Some("not_assigned"),
        },
        position: position.0,
        replayed: reply.replayed,
    };
    Ok(Answer { position, body })
}
