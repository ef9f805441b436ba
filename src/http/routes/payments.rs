//! Payments by signed tickets.

use std::sync::Arc;

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use purser_commands::ticket::pay::{Binding, PayTickets};
use purser_commands::ticket::route::{Named, job_of};
use purser_commands::{Answer as Granted, Command};
use purser_events::Label;
use serde_json::value::to_raw_value;

use super::tickets::desk;
use crate::http::app::App;
use crate::http::body::Media;
use crate::http::code::Code;
use crate::http::error::{Problem, ProblemBody};
use crate::http::extract::{Answer, COORDINATOR, PAYMENT, Write, actor, one_id};
use crate::http::json;
use crate::http::wire::field::{name, optional_name};
use crate::http::wire::ticket::{PaymentAbout, PaymentAnswer, PaymentBody, TicketAnswer, verdicts};
use crate::tickets::batch::{self, Batch, Malformed};
use crate::tickets::desk::{binding, digest};
use crate::tickets::{Desk, payer_of};
use crate::writer::Submission;

/// A payment as it came: its bytes, what is said beside, the command id.
struct Came {
    bytes: Vec<u8>,
    about: PaymentAbout,
    id: Option<Label>,
}

/// Takes in a batch of signed tickets: JSON with the message in base64, or the raw message with
/// the other fields as parameters, or its base64 as plain text, as gateways send it in a header.
/// Each ticket gets a verdict, and each good one counts. A batch that was taken in before answers
/// as the first time.
#[utoipa::path(
    post, path = "/v1/payments", tag = "tickets", security(("bearer" = [])),
    params(
        PaymentAbout,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless"),
    ),
    request_body(content(
        (PaymentBody<'_> = "application/json"), (Vec<u8> = "application/octet-stream"),
    )),
    responses(
        (status = 200, body = PaymentAnswer), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 402, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 413, body = ProblemBody),
        (status = 422, body = ProblemBody, description = "No ticket counts; `results` say why"),
        (status = 429, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn pay(
    State(app): State<App>,
    write: Write<COORDINATOR, PAYMENT, PaymentAbout>,
) -> Result<Answer<PaymentAnswer>, Problem> {
    let desk = desk(&app)?;
    let actor = actor(write.principal)?;
    let came = came(write.media, &write.body, write.params, write.id)?;
    let Some(batch) = batch::read(&came.bytes).map_err(|error| malformed(&error))? else {
        let position = app.service.view.position();
        let body = PaymentAnswer::nothing(position.0);
        return Ok(Answer { position, body });
    };
    let payer = payer_of(batch.bound.sender);
    let job = job(&app, &came.about, &batch, &payer)?;
    let batch = Arc::new(batch);
    let command = command(desk, &came.about, batch, (&payer, &job)).await?;
    let id = came.id;
    let submission = Submission { command, id, actor };
    let reply = app.service.writer.submit(submission).await?;
    let Granted::Tickets(tickets) = &reply.answer else {
        return Err(Problem::with(
            Code::Internal,
            "a payment was answered otherwise",
        ));
    };
    if tickets.refused {
        return Err(refused(Code::TicketsRefused, &verdicts(&tickets.verdicts)));
    }
    let (position, body) = (
        reply.position,
        PaymentAnswer::of(&job, &payer, tickets, &reply),
    );
    Ok(Answer { position, body })
}

fn came(
    media: Media,
    body: &[u8],
    about: PaymentAbout,
    id: Option<Label>,
) -> Result<Came, Problem> {
    if media == Media::Json {
        if about != PaymentAbout::default() {
            let detail = "what a payment is for stands in the body, where that is JSON";
            return Err(Problem::field(Code::UnknownParameter, "query", detail));
        }
        let body: PaymentBody<'_> = json::read(body)?;
        return Ok(Came {
            bytes: from_base64(body.payment.as_bytes())?,
            id: one_id(id, body.id.as_deref())?,
            about: body.about(),
        });
    }
    let bytes = match media {
        Media::Text => from_base64(body.trim_ascii())?,
        _ => body.to_vec(),
    };
    Ok(Came { bytes, about, id })
}

fn from_base64(text: &[u8]) -> Result<Vec<u8>, Problem> {
    let bytes = STANDARD.decode(text);
    bytes.map_err(|_| Problem::field(Code::InvalidField, "payment", "is no base64"))
}

/// The job that is paid.
fn job(app: &App, about: &PaymentAbout, batch: &Batch, payer: &Label) -> Result<Label, Problem> {
    if let Some(id) = &about.job_id {
        return name("job_id", id);
    }
    let id = about.request_id.as_deref();
    let quoted = id.is_some_and(|id| binding(batch, id) == Binding::ThisJob);
    let named = Named {
        session: about.session_id.as_deref(),
        stream: about.stream_id.as_deref(),
        id,
        capability: about.capability.as_deref(),
        by_job: quoted || about.by_job == Some(true),
    };
    let folds = app.service.view.read();
    let payer = folds.names.payer(payer);
    let is_open = |id: &Label| payer.is_some_and(|payer| folds.jobs.named(payer, id).is_some());
    let found = job_of(&named, is_open);
    found.ok_or_else(|| Problem::field(Code::MissingField, "job_id", "or capability is required"))
}

async fn command(
    desk: &Desk,
    about: &PaymentAbout,
    batch: Arc<Batch>,
    (payer, job): (&Label, &Label),
) -> Result<Command, Problem> {
    let capability = optional_name("capability", about.capability.as_deref())?;
    let payer_ref = optional_name("payer_ref", about.payer_ref.as_deref())?;
    let digest = digest(&batch, job);
    let (set, tickets) = desk.check(batch, job.as_str()).await;
    Ok(Command::PayTickets(Box::new(PayTickets {
        payer: payer.clone(),
        job: job.clone(),
        capability,
        payer_ref,
        set,
        tickets,
        l1_block: about.l1_block,
        redeem_gas: desk.rules.wanted.redeem_gas,
        rule: desk.batch_rule(),
        digest,
    })))
}

/// A payment whose form is wrong: nothing of it counts.
fn malformed(malformed: &Malformed) -> Problem {
    let code = match malformed.out_of_range {
        true => Code::OutOfRange,
        false => Code::MalformedPayment,
    };
    let tickets = malformed.nonces.iter().map(|nonce| TicketAnswer {
        nonce: *nonce,
        verdict: "malformed",
    });
    let tickets: Vec<_> = tickets.collect();
    let problem = Problem::field(code, malformed.field, malformed.detail);
    Problem {
        results: (!tickets.is_empty())
            .then(|| to_raw_value(&tickets).ok())
            .flatten(),
        ..problem
    }
}

fn refused(code: Code, tickets: &[TicketAnswer]) -> Problem {
    Problem {
        results: to_raw_value(tickets).ok(),
        ..Problem::new(code)
    }
}
