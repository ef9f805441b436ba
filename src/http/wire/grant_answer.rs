//! What writes about grants answer. Amounts are texts of digits in base units of the pools' asset.

use purser_commands::Answer;
use purser_commands::grants::answer::Granted;
use purser_events::grant::RefusedPayment;
use purser_projections::recall::Settlement;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::code::Code;
use crate::http::error::Problem;
use crate::writer::Reply;

/// How a request is served.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecidedBody {
    /// `free`, `partial` or `gate`.
    serve: &'static str,
    /// What the pools pay of the estimate.
    absorb: String,
    /// What is left to be paid.
    charge: String,
    /// Why the pools pay for nothing: `anonymous`, `tier_zero`, `budget_spent` or `pool_empty`.
    reason: Option<&'static str>,
    /// Where the request stood when this was decided: `reserved`, `quoted`, `awaiting` or
    /// `full_price`.
    state: &'static str,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier command that asked for the same.
    replayed: bool,
}

/// A payment was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfirmedBody {
    /// What the pools hold for it.
    held: String,
    /// Where the request stands now: `reserved` or `full_price`.
    state: &'static str,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier command that asked for the same.
    replayed: bool,
}

/// Who bore what of the cost of work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettledBody {
    /// What the pools paid.
    absorbed: String,
    /// What was charged of the payment.
    charged: String,
    /// What went back of the payment.
    refunded: String,
    /// What the operator bears.
    overrun: String,
    /// What the first pool was credited with.
    credit: String,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier command that asked for the same.
    replayed: bool,
}

/// Everybody has everything back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleasedBody {
    /// What the pools have back.
    returned: String,
    /// What went back of the payment.
    refunded: String,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier command that asked for the same.
    replayed: bool,
}

/// A charge was paid back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaidBackBody {
    /// How much.
    amount: String,
    /// The position that made it durable.
    position: u64,
    /// Whether this is the first answer to an earlier command that asked for the same.
    replayed: bool,
}

/// What came of a command about grants.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum GrantBody {
    /// How a request is served.
    Decided(DecidedBody),
    /// A payment was taken.
    Confirmed(ConfirmedBody),
    /// Who bore what.
    Settled(SettledBody),
    /// Everybody has everything back.
    Released(ReleasedBody),
    /// A charge was paid back.
    PaidBack(PaidBackBody),
}

impl GrantBody {
    /// An answer about grants as it is written; `None` for any other answer.
    ///
    /// # Errors
    /// When the payment was refunded at once, or the result came too late. That happened, and is
    /// durable at the problem's position.
    pub(crate) fn of(reply: &Reply) -> Result<Option<Self>, Problem> {
        let Answer::Grant(answer) = &reply.answer else {
            return Ok(None);
        };
        let position = reply.position.0;
        let replayed = reply.replayed || answer.repeated;
        Ok(Some(match answer.what {
            Granted::Decided(decided) => Self::Decided(DecidedBody {
                serve: decided.serve.as_str(),
                absorb: decided.absorb.to_string(),
                charge: decided.charge.to_string(),
                reason: decided.reason.map(|reason| reason.as_str()),
                state: decided.state.as_str(),
                position,
                replayed,
            }),
            Granted::Confirmed { held, state } => Self::Confirmed(ConfirmedBody {
                held: held.to_string(),
                state: state.as_str(),
                position,
                replayed,
            }),
            Granted::Settled(settlement) => {
                Self::Settled(SettledBody::of(&settlement, position, replayed))
            }
            Granted::Released { returned, refunded } => Self::Released(ReleasedBody {
                returned: returned.to_string(),
                refunded: refunded.to_string(),
                position,
                replayed,
            }),
            Granted::PaidBack { amount } => Self::PaidBack(PaidBackBody {
                amount: amount.to_string(),
                position,
                replayed,
            }),
            Granted::Refused { reason, .. } => {
                return Err(Problem::new(of_refused(reason)).at(reply.position));
            }
            Granted::Late { .. } => {
                let detail = "the request had expired; the operator bears what the result cost";
                return Err(Problem::with(Code::RequestClosed, detail).at(reply.position));
            }
            Granted::Found(_) => return Ok(None),
        }))
    }
}

impl SettledBody {
    fn of(settlement: &Settlement, position: u64, replayed: bool) -> Self {
        Self {
            absorbed: settlement.absorbed.to_string(),
            charged: settlement.charged.to_string(),
            refunded: settlement.refunded.to_string(),
            overrun: settlement.overrun.to_string(),
            credit: settlement.credit.to_string(),
            position,
            replayed,
        }
    }
}

/// The code of a payment that was refunded at once.
const fn of_refused(reason: RefusedPayment) -> Code {
    match reason {
        RefusedPayment::Closed => Code::PaidTooLate,
        RefusedPayment::AlreadyPaid => Code::AlreadyPaid,
        RefusedPayment::WrongAmount => Code::WrongAmount,
        RefusedPayment::QuoteExpired => Code::QuoteExpired,
        RefusedPayment::PoolDrained => Code::PoolDrained,
        RefusedPayment::BudgetSpent => Code::BudgetSpent,
    }
}
