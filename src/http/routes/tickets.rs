//! Tickets: quotes, payments, what is told of the chain, winners, secrets.

use std::sync::Arc;

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use purser_commands::Command;
use purser_commands::ticket::terms::{Free, LIFE_BLOCKS, NoTerms, float_of};
use purser_events::ticket::TicketParams;
use purser_events::{Amount, Label, Position, Wei, WinnerNo};
use purser_projections::Projections;
use purser_projections::tickets::Expected;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::write::submit;
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{
    AUDITOR, Answer, COORDINATOR, InPath, OPERATOR, ORDINARY, Read, Write, one_id,
};
use crate::http::json;
use crate::http::query::{NoParams, PlainRead, ReadParams};
use crate::http::wire::answer::Written;
use crate::http::wire::ticket::{
    Asked, ChainBody, QuoteAnswer, QuoteBody, ReportBody, SenderBody, WinnerBody,
};
use crate::tickets::desk::Wish;
use crate::tickets::token::{ParamsBody, protobuf};
use crate::tickets::{Desk, payer_of};

/// The desk, where there is one.
pub(crate) fn desk(app: &App) -> Result<&Desk, Problem> {
    let off = || Problem::new(Code::TicketsOff);
    app.desk.as_deref().ok_or_else(off)
}

/// Says where the chain stands. A figure that changes nothing is no event.
#[utoipa::path(
    post, path = "/v1/tickets/chain", tag = "tickets", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = ChainBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn chain(
    State(app): State<App>,
    write: Write<COORDINATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    let reply = write.one::<ChainBody<'_>>(&app, None).await?;
    Ok(Written::answer(&reply))
}

/// Says which funds a sender has on the chain.
#[utoipa::path(
    post, path = "/v1/tickets/senders", tag = "tickets", security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless",
    )),
    request_body(content = SenderBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn sender(
    State(app): State<App>,
    write: Write<COORDINATOR, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    let reply = write.one::<SenderBody<'_>>(&app, None).await?;
    Ok(Written::answer(&reply))
}

/// Issues parameters of tickets. Nothing is recorded of a quote: gateways ask speculatively, and
/// the first payment says what was quoted. What is told of the chain beside it is recorded.
#[utoipa::path(
    post, path = "/v1/quotes", tag = "tickets", security(("bearer" = [])),
    request_body(content = QuoteBody<'_>),
    responses(
        (status = 200, body = QuoteAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 402, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn quote(
    State(app): State<App>,
    write: Write<COORDINATOR, ORDINARY, NoParams>,
) -> Result<Answer<QuoteAnswer>, Problem> {
    let desk = desk(&app)?;
    let body: QuoteBody<'_> = json::read(&write.body)?;
    let asked = body.asked()?;
    let chain = body.chain.as_ref().map(ChainBody::command).transpose()?;
    let funds = body.funds.as_ref();
    let funds = funds.map(|funds| funds.command(asked.sender)).transpose()?;
    let mut position = Position::ORIGIN;
    for command in [chain, funds].into_iter().flatten() {
        position = submit(&app, (write.principal, None), command)
            .await?
            .position;
    }
    if !app
        .service
        .view
        .reached(position, app.settings.min_position_wait)
        .await
    {
        return Err(Problem::new(Code::PositionNotReached));
    }
    let (params, position) = {
        let folds = app.service.view.read();
        let issued = issue(desk, &folds, &asked, asked.job.as_ref().map(Label::as_str));
        (issued?, folds.position)
    };
    let body = quoted(&params, position);
    Ok(Answer { position, body })
}

fn quoted(params: &TicketParams, position: Position) -> QuoteAnswer {
    let worth = Expected::of(Wei(params.face_value.0), params.win_prob);
    QuoteAnswer {
        ticket_params: ParamsBody::of(params),
        protobuf: STANDARD.encode(protobuf(params).encode_to_vec()),
        face_value_wei: params.face_value.to_string(),
        expected_value_wei: worth.floor().to_string(),
        expiration_block: params.expiration_block,
        secret: params.secret,
        position: position.0,
    }
}

/// Issues parameters by what was last told of the chain.
pub(crate) fn issue(
    desk: &Desk,
    folds: &Projections,
    asked: &Asked,
    job: Option<&str>,
) -> Result<TicketParams, Problem> {
    let chain = &folds.tickets.chain;
    let state = chain.state();
    let state = state.ok_or_else(|| Problem::new(Code::ChainUnknown))?;
    let payer = folds.names.payer(&payer_of(asked.sender));
    let funds = payer.and_then(|payer| chain.funds(payer));
    // A sender whose funds nobody looked at is quoted without a bound: its tickets are checked
    // against what is known when they come in.
    let float = funds.map_or(Wei(u128::MAX), |funds| float_of(&funds));
    let free = if asked.price.0 == 0 {
        Free::Yes
    } else {
        Free::No
    };
    let terms = desk.rules.wanted.terms(free, Wei(state.gas_price.0), float);
    let least = desk.rules.wanted.least(Wei(state.gas_price.0));
    let terms = terms.map_err(|NoTerms::SenderReserveTooLow| reserve_too_low(least, float))?;
    let wish = Wish {
        sender: asked.sender,
        job,
        terms,
        price: asked.price,
        expiration_block: chain.last_block() + LIFE_BLOCKS,
        round: (state.round, state.round_hash),
    };
    let issued = desk.issue(&wish);
    issued.map_err(|error| Problem::with(Code::Internal, error.to_string()))
}

fn reserve_too_low(least: Wei, float: Wei) -> Problem {
    let detail = format!(
        "the sender's reserve bears face values up to {float} wei, and a ticket that is worth its \
         redemption needs {least} wei: raise the sender's reserve"
    );
    Problem {
        shortfall: Some(Box::new(Amount(least.0.saturating_sub(float.0)))),
        ..Problem::with(Code::SenderReserveTooLow, detail)
    }
}

/// Which winners.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WinnerParams {
    /// Winners on the page, 1 to 500; 100 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<u64>,
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for WinnerParams {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// Winners that wait to be redeemed, in the order that they came in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WinnerPage {
    /// The winners.
    winners: Vec<WinnerBody>,
    /// How many wait altogether.
    waiting: usize,
    /// What they pay together, in wei.
    waiting_wei: String,
    /// The cursor of the next page; null on the last one.
    next: Option<u64>,
}

/// The winners that wait to be redeemed. What a winner was drawn with is told once its parameters
/// expired.
#[utoipa::path(
    get, path = "/v1/tickets/winners", tag = "tickets", security(("bearer" = [])),
    params(WinnerParams),
    responses(
        (status = 200, body = WinnerPage), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn winners(
    State(app): State<App>,
    read: Read<{ COORDINATOR | OPERATOR }, WinnerParams>,
) -> Result<Answer<WinnerPage>, Problem> {
    let desk = desk(&app)?;
    let limit = read.params.limit.unwrap_or(100);
    if !(1..=500).contains(&limit) {
        let detail = "is from 1 to 500";
        return Err(Problem::field(Code::InvalidParameter, "limit", detail));
    }
    let folds = app.service.view.read();
    let position = folds.position;
    let body = page(
        desk,
        &folds,
        WinnerNo(read.params.cursor.unwrap_or(0)),
        limit,
    );
    drop(folds);
    Ok(Answer { position, body })
}

fn page(desk: &Desk, folds: &Projections, after: WinnerNo, limit: usize) -> WinnerPage {
    let waiting = &folds.tickets.winners;
    let block = folds.tickets.chain.last_block();
    let mut behind = waiting.after(after);
    let mut winners = Vec::new();
    let mut last = None;
    for (number, winner) in behind.by_ref().take(limit) {
        let expired = winner.params.expiration_block <= block;
        let rand = expired.then(|| desk.rand(&winner.params)).flatten();
        let payer = folds.names.payers()[winner.payer.index()].to_string();
        winners.push(WinnerBody::of(number, winner, payer, rand));
        last = Some(number.0);
    }
    WinnerPage {
        next: behind.next().and(last),
        winners,
        waiting: waiting.len(),
        waiting_wei: waiting.amount().to_string(),
    }
}

/// Says what became of a winner.
#[utoipa::path(
    post, path = "/v1/tickets/winners/{winner}", tag = "tickets", security(("bearer" = [])),
    params(
        ("winner" = u64, Path, description = "Its number"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content = ReportBody<'_>),
    responses(
        (status = 200, body = Written), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn report(
    State(app): State<App>,
    InPath(winner): InPath,
    write: Write<{ COORDINATOR | OPERATOR }, ORDINARY, NoParams>,
) -> Result<Answer<Written>, Problem> {
    let number = winner.parse().map(WinnerNo);
    let number = number.map_err(|_| Problem::new(Code::UnknownWinner))?;
    let body: ReportBody<'_> = json::read(&write.body)?;
    let id = one_id(write.id, body.id.as_deref())?;
    let reply = submit(&app, (write.principal, id), body.command(number)?).await?;
    Ok(Written::answer(&reply))
}

/// What a rotation answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretAnswer {
    /// The number of the secret that is in use from now on.
    secret: u16,
    /// The position that made it durable.
    position: u64,
}

/// Makes a further secret, which parameters are issued with from now on. The earlier ones are kept
/// for the tickets that are still to come in.
#[utoipa::path(
    post, path = "/v1/tickets/secrets", tag = "tickets", security(("bearer" = [])),
    responses(
        (status = 200, body = SecretAnswer), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn rotate(
    State(app): State<App>,
    write: Write<OPERATOR, ORDINARY, NoParams>,
) -> Result<Answer<SecretAnswer>, Problem> {
    let desk = Arc::clone(
        app.desk
            .as_ref()
            .ok_or_else(|| Problem::new(Code::TicketsOff))?,
    );
    let rotated = tokio::task::spawn_blocking(move || desk.ring().rotate()).await;
    let rotated = rotated.map_err(|_| Problem::with(Code::Internal, "the rotation failed"))?;
    let secret = rotated.map_err(|error| Problem::with(Code::Internal, error.to_string()))?;
    let command = Command::AddTicketSecret(secret);
    let reply = submit(&app, (write.principal, write.id), command).await?;
    let (position, body) = (
        reply.position,
        SecretAnswer {
            secret,
            position: reply.position.0,
        },
    );
    Ok(Answer { position, body })
}

/// What is known of tickets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketsState {
    /// The newest L1 block that was told of.
    l1_block: u64,
    /// The round that was told last; null before.
    round: Option<u64>,
    /// What gas costs, in wei; null before it was told.
    gas_price_wei: Option<String>,
    /// Sets of parameters under which tickets can still come in.
    live_sets: usize,
    /// Winners that wait to be redeemed.
    winners: usize,
    /// What they pay together, in wei.
    winners_wei: String,
    /// The number of the secret that was added last, as the log says it.
    secret: u16,
}

/// What is known of tickets.
#[utoipa::path(
    get, path = "/v1/tickets", tag = "tickets", security(("bearer" = [])), params(PlainRead),
    responses(
        (status = 200, body = TicketsState), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 504, body = ProblemBody),
    )
)]
pub(crate) async fn state(
    State(app): State<App>,
    _read: Read<{ COORDINATOR | OPERATOR | AUDITOR }, PlainRead>,
) -> Answer<TicketsState> {
    let folds = app.service.view.read();
    let (position, tickets) = (folds.position, &folds.tickets);
    let state = tickets.chain.state();
    let body = TicketsState {
        l1_block: tickets.chain.last_block(),
        round: state.map(|state| state.round),
        gas_price_wei: state.map(|state| state.gas_price.to_string()),
        live_sets: tickets.sets.len(),
        winners: tickets.winners.len(),
        winners_wei: tickets.winners.amount().to_string(),
        secret: tickets.chain.secret(),
    };
    Answer { position, body }
}
