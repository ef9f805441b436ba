//! The audit of single requests: what happened to one, and the list of those that are open.

use std::ops::ControlFlow;
use std::sync::Arc;

use purser_commands::grants::GrantCommand;
use purser_commands::grants::answer::{Granted, Trail};
use purser_commands::{Answer as Reply, Command};
use purser_events::grant::GrantDecided;
use purser_events::{Actor, Amount, Envelope, Event, GrantNo, Label, Position};
use purser_projections::Projections;
use purser_projections::grants::{Day, GrantState, OpenGrant, sum_of};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::Problem;
use crate::http::extract::Answer;
use crate::http::time::rfc3339;
use crate::log::{LogReader, ReadError};
use crate::writer::Submission;

/// Everything that happened to one request. Amounts are texts of digits in base units of the asset.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct GrantRow {
    /// The request's id.
    request: String,
    /// Whose request it is.
    identity: Option<String>,
    /// The identity's tier when it was decided.
    tier: Option<&'static str>,
    /// When it was decided.
    decided_at: String,
    /// The UTC day whose budget it counts on, in days since 1970: that of its decision, or of the
    /// payment that began it.
    day: u32,
    /// `invoice` or `prepaid`.
    mode: &'static str,
    /// `free`, `partial` or `gate`.
    serve: &'static str,
    /// Where it stands: `quoted`, `awaiting`, `reserved`, `full_price`, `settled`, `released`,
    /// `expired` or `voided`.
    state: &'static str,
    /// Why the pools pay for nothing, or why the request is void.
    reason: Option<&'static str>,
    /// What the amounts are in.
    asset: String,
    /// What the work was believed to cost.
    est: String,
    /// What was quoted from the pools.
    quoted_absorb: String,
    /// What was quoted to the payer.
    quoted_charge: String,
    /// Everything that was ever paid for it.
    paid: String,
    /// What was held of the pools.
    held: String,
    /// What of that they paid.
    absorbed: String,
    /// What of that they have back.
    returned: String,
    /// What was charged of the payment.
    charged: String,
    /// What went back to payers, at once or at the end.
    refunded: String,
    /// What was paid back after the settlement.
    paid_back: String,
    /// What the first pool was credited with.
    credit: String,
    /// What the operator bears.
    overrun: String,
    /// What the pools had after the last of these events that moved them.
    pool_available_after: String,
    /// The event that decided it.
    decided_position: u64,
    /// The event that took its payment.
    confirmed_position: Option<u64>,
    /// The event that closed it.
    closed_position: Option<u64>,
}

/// A page of open requests.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantPage {
    /// The requests, the oldest first.
    grants: Vec<OpenRow>,
    /// The cursor of the next page; null on the last one.
    next: Option<u64>,
    /// The last position that is folded in.
    position: u64,
}

/// A request that is open.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenRow {
    /// The request's id.
    request: String,
    /// Whose request it is.
    identity: Option<String>,
    /// Where it stands: `quoted`, `awaiting`, `reserved` or `full_price`.
    state: &'static str,
    /// What the work is believed to cost.
    est: String,
    /// What the pools hold for it.
    held: String,
    /// What was paid for it.
    paid: String,
    /// When it was decided.
    decided_at: String,
    /// Until when it may wait for its payment, or run.
    valid_until: String,
    /// The job that was opened on it.
    job: Option<u64>,
}

impl GrantPage {
    /// The open requests from a cursor on.
    pub(crate) fn of(folds: &Projections, cursor: u64, limit: usize) -> Self {
        let mut open = folds.grants.open_from(GrantNo(cursor));
        let grants = open.by_ref().take(limit).map(OpenRow::of).collect();
        Self {
            grants,
            next: open.next().map(|grant| grant.number.0),
            position: folds.position.0,
        }
    }
}

impl OpenRow {
    fn of(grant: &OpenGrant) -> Self {
        Self {
            request: grant.request.to_string(),
            identity: grant.identity.as_ref().map(ToString::to_string),
            state: grant.state().as_str(),
            est: grant.est.to_string(),
            held: grant.held().to_string(),
            paid: grant.paid().to_string(),
            decided_at: rfc3339(grant.decided_at),
            valid_until: rfc3339(grant.valid_until),
            job: grant.job.map(|job| job.0),
        }
    }
}

/// The row of a request: what the writer knows of it, and the events behind that.
pub(crate) async fn row(app: &App, request: Label) -> Result<Answer<GrantRow>, Problem> {
    let command = Command::Grant(Box::new(GrantCommand::Find(request)));
    let submission = Submission {
        command,
        id: None,
        actor: Actor::Purser,
    };
    let reply = app.service.writer.submit(submission).await?;
    let Reply::Grant(answer) = reply.answer else {
        return Err(Problem::new(Code::Internal));
    };
    let Granted::Found(trail) = answer.what else {
        return Err(Problem::new(Code::Internal));
    };
    let log = Arc::clone(&app.service.log);
    let events = tokio::task::spawn_blocking(move || events_of(&*log, &trail)).await;
    let events = events.map_err(|_| Problem::new(Code::Internal))??;
    let mut row = GrantRow::of(&trail);
    events.iter().for_each(|envelope| row.add(envelope));
    row.asset = {
        let folds = app.service.view.read();
        folds.names.asset_code(trail.asset)
    };
    let (position, body) = (reply.position, row);
    Ok(Answer { position, body })
}

/// The events that made a request what it is, in order.
fn events_of(log: &dyn LogReader, trail: &Trail) -> Result<Vec<Envelope>, ReadError> {
    let decided = Position::from(trail.number);
    let positions = [Some(decided), trail.confirmed, trail.closed];
    let mut events = Vec::new();
    for position in positions.into_iter().flatten() {
        log.read(position, &mut |envelope| {
            events.push(envelope);
            ControlFlow::Break(())
        })?;
    }
    Ok(events)
}

impl GrantRow {
    fn of(trail: &Trail) -> Self {
        let zero = || Amount::ZERO.to_string();
        Self {
            decided_position: trail.number.0,
            confirmed_position: trail.confirmed.map(|position| position.0),
            closed_position: trail.closed.map(|position| position.0),
            paid: trail.refunded_at_once.to_string(),
            refunded: trail.refunded_at_once.to_string(),
            paid_back: trail.paid_back.to_string(),
            overrun: trail.late.to_string(),
            held: zero(),
            absorbed: zero(),
            returned: zero(),
            charged: zero(),
            credit: zero(),
            ..Self::default()
        }
    }

    /// Adds what one of its events says, in their order.
    fn add(&mut self, envelope: &Envelope) {
        let closed = self.closed_position.is_some();
        let at_once = self.refunded.clone();
        let more = |amount: Amount| plus(&at_once, amount);
        match &envelope.event {
            Event::GrantDecided(one) => self.decided(one, envelope),
            Event::GrantConfirmed(one) => {
                self.paid = more(one.paid);
                self.day = Day::of(envelope.recorded_at).0;
                self.held = sum_of(&one.holds).to_string();
                self.pool_available_after = one.available.to_string();
                if !closed {
                    let gate = one.holds.is_empty();
                    let state = if gate {
                        GrantState::FullPrice
                    } else {
                        GrantState::Reserved
                    };
                    self.state = state.as_str();
                }
            }
            Event::GrantSettled(one) => {
                self.state = GrantState::Settled.as_str();
                let absorbed = one.shares.iter().map(|share| share.absorbed);
                let returned = one.shares.iter().map(|share| share.returned);
                self.absorbed = absorbed.fold(Amount::ZERO, Amount::plus).to_string();
                self.returned = returned.fold(Amount::ZERO, Amount::plus).to_string();
                self.charged = one.charged.to_string();
                self.refunded = more(one.refunded);
                self.credit = one.credit.to_string();
                self.overrun = one.overrun.to_string();
                self.pool_available_after = one.available.to_string();
            }
            Event::GrantReleased(one) => {
                self.state = GrantState::Released.as_str();
                self.returned = sum_of(&one.returned).to_string();
                self.refunded = more(one.refund.map_or(Amount::ZERO, |refund| refund.amount));
                self.pool_available_after = one.available.to_string();
            }
            Event::GrantExpired(one) => {
                self.state = GrantState::Expired.as_str();
                self.returned = sum_of(&one.returned).to_string();
                self.refunded = more(one.refund.map_or(Amount::ZERO, |refund| refund.amount));
                self.pool_available_after = one.available.to_string();
            }
            Event::GrantVoided(one) => self.voided(one.reason.as_str()),
            Event::PaymentRefunded(one) => self.voided(one.reason.as_str()),
            _ => {}
        }
    }

    fn voided(&mut self, reason: &'static str) {
        self.state = GrantState::Voided.as_str();
        self.reason = Some(reason);
    }

    fn decided(&mut self, one: &GrantDecided, envelope: &Envelope) {
        self.request = one.request.to_string();
        self.identity = one.identity.as_ref().map(ToString::to_string);
        self.tier = one.tier.map(|tier| tier.as_str());
        self.decided_at = rfc3339(envelope.recorded_at);
        self.day = Day::of(envelope.recorded_at).0;
        self.mode = one.mode.as_str();
        self.serve = one.serve.as_str();
        self.reason = one.reason.map(|reason| reason.as_str());
        self.est = one.est.to_string();
        self.quoted_absorb = one.absorb.to_string();
        self.quoted_charge = one.charge.to_string();
        self.held = sum_of(&one.holds).to_string();
        if one.payer.is_some() {
            self.paid = plus(&self.paid, one.charge);
        }
        self.pool_available_after = one.available.to_string();
        if self.closed_position.is_none() {
            let decided = purser_projections::recall::SeenDecision::from(one);
            let state = purser_commands::grants::answer::Decided::from(&decided).state;
            self.state = state.as_str();
        }
    }
}

/// A sum that is written as text already.
fn plus(text: &str, amount: Amount) -> String {
    let sum = text.parse().map(Amount).unwrap_or_default();
    sum.plus(amount).to_string()
}
