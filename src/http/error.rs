//! Errors as the outside sees them: the only place where a rejection, a fault or a shape error
//! becomes a status and a code.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use purser_commands::Rejection;
use purser_events::{Amount, Position};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::code::{Code, Kind};
use super::extract::PURSER_POSITION;
use crate::clock::ClockError;
use crate::log::ReadError;
use crate::writer::SubmitError;

/// An error answer on its way out. It becomes a body where the request id is known, in the frame.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What happened this time, for a person.
    pub detail: Cow<'static, str>,
    /// The fields at fault.
    pub errors: Vec<FieldError>,
    /// The results of a batch that was refused as a whole.
    pub results: Option<Box<RawValue>>,
    /// What must be paid first, where money is what is missing.
    pub shortfall: Option<Box<Amount>>,
    /// The same in tickets of the usual worth, where tickets pay for it.
    pub shortfall_tickets: Option<u64>,
    /// How many seconds to wait before the same request makes sense again.
    pub retry_after_sec: Option<u32>,
    /// Where what happened nevertheless is recorded.
    pub position: Option<Position>,
}

/// One field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field or parameter, with its path where it is nested.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub detail: Cow<'static, str>,
}

/// The body of an error answer (RFC 9457).
#[derive(Serialize, ToSchema)]
pub struct ProblemBody {
    /// A URI of the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means.
    pub title: &'static str,
    /// The status again.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The stable code; `docs/errors.md` lists all.
    pub code: &'static str,
    /// The id of this request, also in the `X-Request-Id` header and in the server's log.
    pub request_id: String,
    /// The fields at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// How many seconds to wait before the same request makes sense again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_sec: Option<u32>,
    /// Per command, where an atomic batch was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub results: Option<Box<RawValue>>,
    /// What must be paid first, where money is what is missing: base units of the asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortfall: Option<String>,
    /// The same in tickets of the usual worth, where tickets pay for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortfall_tickets: Option<u64>,
    /// Where what happened nevertheless is recorded: a payment and its refund, a late result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

impl Problem {
    /// A problem of this code with the detail that all of its kind share.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self::with(code, code.meaning())
    }

    /// A problem of this code with its own detail.
    #[must_use]
    pub fn with(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            results: None,
            shortfall: None,
            shortfall_tickets: None,
            retry_after_sec: code.retry_after_sec(),
            position: None,
        }
    }

    /// The same, to be repeated after so many seconds.
    #[must_use]
    pub fn after_sec(self, seconds: u32) -> Self {
        Self {
            retry_after_sec: Some(seconds),
            ..self
        }
    }

    /// A problem with one field.
    #[must_use]
    pub fn field(
        code: Code,
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (field, detail) = (field.into(), detail.into());
        Self {
            code,
            detail: format!("{field}: {detail}").into(),
            errors: vec![FieldError { field, detail }],
            results: None,
            shortfall: None,
            shortfall_tickets: None,
            retry_after_sec: code.retry_after_sec(),
            position: None,
        }
    }

    /// The same, about something that is recorded here.
    #[must_use]
    pub fn at(self, position: Position) -> Self {
        let position = Some(position);
        Self { position, ..self }
    }

    /// What an answer without a body becomes: those that the router makes by itself.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Option<Self> {
        let code = match status {
            StatusCode::NOT_FOUND => Code::UnknownRoute,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
            StatusCode::REQUEST_TIMEOUT => Code::BodyTimeout,
            status if status.is_client_error() => Code::InvalidParameter,
            status if status.is_server_error() => Code::Internal,
            _ => return None,
        };
        Some(Self::new(code))
    }

    /// The body.
    #[must_use]
    pub fn body(&self, request_id: &str) -> Vec<u8> {
        let body = ProblemBody {
            kind: format!("urn:purser:error:{}", self.code.as_str()),
            title: self.code.meaning(),
            status: self.code.status().as_u16(),
            detail: self.detail.to_string(),
            code: self.code.as_str(),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
            retry_after_sec: self.retry_after_sec,
            results: self.results.clone(),
            shortfall: self.shortfall.as_ref().map(ToString::to_string),
            shortfall_tickets: self.shortfall_tickets,
            position: self.position.map(|position| position.0),
        };
        serde_json::to_vec(&body).expect("a problem is plain text and numbers")
    }

    /// Logs what an operator must know. What is the caller's own fault is only worth a debug line.
    pub fn log(&self, request_id: &str) {
        let (code, detail) = (self.code.as_str(), self.detail.as_ref());
        match self.code.kind() {
            Kind::Internal | Kind::Corrupt => tracing::error!(code, detail, request_id, "failed"),
            Kind::Unavailable => tracing::warn!(code, detail, request_id, "unavailable"),
            _ => tracing::debug!(code, detail, request_id, "refused"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        if let Some(seconds) = self.retry_after_sec {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(position) = self.position {
            let headers = response.headers_mut();
            headers.insert(PURSER_POSITION, HeaderValue::from(position.0));
        }
        if self.code.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"purser\"");
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(Box::new(self));
        response
    }
}

/// The code of a rejection.
#[must_use]
pub const fn of_rejection(rejection: Rejection) -> Code {
    match rejection {
        Rejection::UnknownWorker => Code::UnknownWorker,
        Rejection::KeyMismatch => Code::KeyMismatch,
        Rejection::SessionEnded => Code::SessionEnded,
        Rejection::InstructionNotWaiting => Code::InstructionNotWaiting,
        Rejection::NotSilent => Code::NotSilent,
        Rejection::PolicyDiffers => Code::PolicyDiffers,
        Rejection::PolicyOutOfRange => Code::PolicyOutOfRange,
        Rejection::AssetDiffers => Code::AssetDiffers,
        Rejection::BlockTooFar => Code::BlockTooFar,
        Rejection::TooManyTicketSets => Code::TooManyTicketSets,
        Rejection::UnknownWinner => Code::UnknownWinner,
        Rejection::WinnerSettled => Code::WinnerSettled,
        Rejection::UnknownAsset => Code::UnknownAsset,
        Rejection::UnknownPayout => Code::UnknownPayout,
        Rejection::PayoutFinished => Code::PayoutFinished,
        Rejection::RailReserved => Code::RailReserved,
        Rejection::MoreThanOwed => Code::MoreThanOwed,
        Rejection::PayoutUnderway => Code::PayoutUnderway,
        Rejection::SignerMissing => Code::SignerMissing,
        Rejection::SignerStopped => Code::SignerStopped,
        Rejection::SignerBusy => Code::SignerBusy,
        Rejection::FundsShort => Code::FundsShort,
        Rejection::PayoutDiffers => Code::PayoutDiffers,
        Rejection::NonceDiffers => Code::NonceDiffers,
        Rejection::FeeOutOfRange => Code::FeeOutOfRange,
        Rejection::FeeTooLow => Code::FeeTooLow,
        Rejection::UnknownPayer => Code::UnknownPayer,
        Rejection::PaymentDiffers => Code::PaymentDiffers,
        Rejection::DebitDiffers => Code::DebitDiffers,
        Rejection::UnknownJob => Code::UnknownJob,
        Rejection::JobClosed => Code::JobClosed,
        Rejection::JobDiffers => Code::JobDiffers,
        Rejection::Debt { .. } => Code::Debt,
        Rejection::TooManyJobs => Code::TooManyJobs,
        Rejection::NoPrice => Code::NoPrice,
        Rejection::InsufficientFunds { .. } => Code::InsufficientFunds,
        Rejection::AmountTooLarge => Code::AmountTooLarge,
        Rejection::InsufficientBalance { .. } => Code::InsufficientBalance,
        Rejection::NotIdle => Code::NotIdle,
        Rejection::TooManyNames => Code::TooManyNames,
        Rejection::UnknownCapability => Code::UnknownCapability,
        Rejection::SlotsHeld => Code::SlotsHeld,
        Rejection::CapacityFull => Code::CapacityFull,
        Rejection::UnknownMatch => Code::UnknownMatch,
        Rejection::JobOfAnother => Code::JobOfAnother,
        Rejection::JobAssigned => Code::JobAssigned,
        Rejection::JobCompleted => Code::JobCompleted,
        Rejection::CandidatesGone => Code::CandidatesGone,
        Rejection::NotExpired => Code::NotExpired,
        Rejection::NoRegionClaimed => Code::NoRegionClaimed,
        Rejection::BadAmount => Code::BadAmount,
        Rejection::NoPool => Code::NoPool,
        Rejection::UnknownPool => Code::UnknownPool,
        Rejection::PoolDiffers => Code::PoolDiffers,
        Rejection::OrderIncomplete => Code::OrderIncomplete,
        Rejection::UnknownRequest => Code::UnknownRequest,
        Rejection::RequestDiffers => Code::RequestDiffers,
        Rejection::RequestClosed => Code::RequestClosed,
        Rejection::NotPaid => Code::NotPaid,
        Rejection::OnJob => Code::RequestOnJob,
        Rejection::NotDue => Code::NotDue,
        Rejection::NotSettled => Code::NotSettled,
        Rejection::RefundTooLarge => Code::RefundTooLarge,
        Rejection::InsufficientRevenue { .. } => Code::InsufficientRevenue,
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Rejected(why) => Self {
                shortfall: why.shortfall().map(Box::new),
                ..Self::with(of_rejection(why), why.detail())
            },
            SubmitError::IdempotencyConflict => Self::new(Code::IdempotencyConflict),
            SubmitError::BatchRefused => Self::new(Code::BatchRefused),
            SubmitError::TooLarge => Self::new(Code::CommandTooLarge),
            SubmitError::Busy => Self::new(Code::QueueFull),
            SubmitError::ReadOnly => Self::new(Code::LogReadOnly),
            SubmitError::Unavailable => Self::new(Code::LogUnavailable),
        }
    }
}

impl From<ClockError> for Problem {
    fn from(error: ClockError) -> Self {
        Self::new(match error {
            ClockError::Backward => Code::ClockBackward,
            ClockError::NotATestClock => Code::NotATestClock,
        })
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged { position, damage } => {
                Self::with(Code::LogDamaged, format!("position {position}: {damage}"))
            }
            ReadError::Away {
                position,
                place,
                source,
            } => {
                tracing::error!(%position, %place, %source, "a range of the log cannot be had");
                let detail = format!("position {position} and those near it are kept in {place}");
                Self::with(Code::ArchiveUnavailable, detail)
            }
            ReadError::Unreadable { position, source } => {
                // What the storage says may name paths: it is for the log, not for the caller.
                tracing::error!(%position, %source, "the log cannot be read");
                Self::with(Code::LogUnavailable, "the log cannot be read")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rejection_keeps_its_code() {
        for rejection in Rejection::ALL {
            assert_eq!(of_rejection(*rejection).as_str(), rejection.code());
        }
    }

    #[test]
    fn a_problem_names_its_fields_and_its_request() {
        let problem = Problem::field(Code::OutOfRange, "cpu_cores", "must be above zero");
        let body: serde_json::Value =
            serde_json::from_slice(&problem.body("r1")).expect("the body is JSON");
        assert_eq!(body["type"], "urn:purser:error:out_of_range");
        assert_eq!(body["status"], 422);
        assert_eq!(body["code"], "out_of_range");
        assert_eq!(body["request_id"], "r1");
        assert_eq!(body["errors"][0]["field"], "cpu_cores");
        assert!(body.get("results").is_none());
    }
}
