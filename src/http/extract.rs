//! What handlers take in: who calls, with which parameters, and which bytes. In this order, so that
//! nobody's body is read before it is known that they may send one.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use purser_events::{Actor, Label, Position};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::address;
use super::app::App;
use super::body::{self, BodyLimit, Media};
use super::code::Code;
use super::error::Problem;
use super::peer::{Head, Peer};
use super::query::{self, ReadParams};
use crate::keys::{Principal, Role};
use crate::tls::Party;

/// A set of roles, one bit each.
pub(crate) type Roles = u8;
pub(crate) const COORDINATOR: Roles = 1;
pub(crate) const OPERATOR: Roles = 2;
pub(crate) const AUDITOR: Roles = 4;

const fn bit(role: Role) -> Roles {
    match role {
        Role::Coordinator => COORDINATOR,
        Role::Operator => OPERATOR,
        Role::Auditor => AUDITOR,
    }
}

/// The header that tells which position an answer reflects.
pub(crate) const PURSER_POSITION: HeaderName = HeaderName::from_static("purser-position");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const COORDINATOR_SECRET: HeaderName = HeaderName::from_static("x-coordinator-secret");

/// The longest idempotency key in bytes.
const IDEMPOTENCY_KEY_MAX: usize = 128;

/// The text after `Bearer`, if the caller sent one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Finds out who calls, and whether one of these roles is theirs.
pub(crate) fn admit(app: &App, head: Head<'_>, roles: Roles) -> Result<Principal, Problem> {
    let principal = identify(app, head.headers)?;
    if bit(principal.role) & roles == 0 {
        return Err(Problem::new(Code::Forbidden));
    }
    address::allow(app, head, principal.role)?;
    Ok(principal)
}

fn identify(app: &App, headers: &HeaderMap) -> Result<Principal, Problem> {
    let wrong = || Problem::new(Code::InvalidCredentials);
    if headers.contains_key(header::AUTHORIZATION) {
        let key = bearer(headers).ok_or_else(wrong)?;
        return app
            .keys
            .authenticate(key)
            .ok_or_else(|| of_worker(app, key));
    }
    let Some(secret) = headers.get(&COORDINATOR_SECRET) else {
        return Err(Problem::new(Code::Unauthenticated));
    };
    let key = secret.to_str().map_err(|_| wrong())?;
    let found = app.keys.authenticate(key).ok_or_else(wrong)?;
    // This header is the pool hub's word for one role, and opens no other door.
    if found.role == Role::Coordinator {
        Ok(found)
    } else {
        Err(wrong())
    }
}

/// Why a bearer that is no key is refused: a worker's session is known, but opens other doors.
#[cold]
fn of_worker(app: &App, token: &str) -> Problem {
    let is_session = app.keys.sessions().verify(token).is_some();
    Problem::new(if is_session {
        Code::Forbidden
    } else {
        Code::InvalidCredentials
    })
}

/// A read: the caller holds one of `ROLES`, the parameters are known, and the read side has
/// reached the position that was asked for.
#[derive(Debug)]
pub(crate) struct Read<const ROLES: Roles, Q> {
    pub(crate) params: Q,
}

impl<const ROLES: Roles, Q: ReadParams + Send> FromRequestParts<App> for Read<ROLES, Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        admit(app, (&*parts).into(), ROLES)?;
        let params = reach(app, &parts.uri).await?;
        Ok(Self { params })
    }
}

/// Reads a read's parameters and waits for the position that they ask for.
pub(crate) async fn reach<Q: ReadParams>(app: &App, uri: &axum::http::Uri) -> Result<Q, Problem> {
    let params: Q = query::read(uri)?;
    if let Some(position) = params.min_position() {
        reached(app, position).await?;
    }
    Ok(params)
}

/// Waits, for a bounded time, until the read side has reached a position.
pub(crate) async fn reached(app: &App, position: Position) -> Result<(), Problem> {
    let (view, limit) = (&app.service.view, app.settings.min_position_wait);
    if view.position() < position && !view.reached(position, limit).await {
        let detail = format!("the read side is at {}", view.position());
        return Err(Problem::with(Code::PositionNotReached, detail));
    }
    Ok(())
}

/// Who may write, and how much: the kinds of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Ordinary,
    Batch,
    File,
    Payment,
}

/// A write by a holder of a key.
#[derive(Debug)]
pub(crate) struct Write<const ROLES: Roles, const SIZE: u8, Q> {
    pub(crate) principal: Principal,
    pub(crate) params: Q,
    pub(crate) id: Option<Label>,
    pub(crate) media: Media,
    pub(crate) body: Bytes,
}

pub(crate) const ORDINARY: u8 = Size::Ordinary as u8;
pub(crate) const BATCH: u8 = Size::Batch as u8;
pub(crate) const FILE: u8 = Size::File as u8;
pub(crate) const PAYMENT: u8 = Size::Payment as u8;

impl<const ROLES: Roles, const SIZE: u8, Q: DeserializeOwned + Send> FromRequest<App>
    for Write<ROLES, SIZE, Q>
{
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let principal = admit(app, (&request).into(), ROLES)?;
        let params = query::read(request.uri())?;
        let id = idempotency_key(request.headers())?;
        let media = body::media(request.headers());
        match (SIZE, media) {
            (FILE | PAYMENT, _) | (_, Media::Json) | (BATCH, Media::JsonLines) => {}
            _ => return Err(Problem::new(Code::UnsupportedMediaType)),
        }
        let body = read_body(request, limit(app, SIZE)).await?;
        Ok(Self {
            principal,
            params,
            id,
            media,
            body,
        })
    }
}

/// A write by a holder of a key that says all in its path and parameters.
#[derive(Debug)]
pub(crate) struct NoBody<const ROLES: Roles, Q> {
    pub(crate) principal: Principal,
    pub(crate) params: Q,
    pub(crate) id: Option<Label>,
}

impl<const ROLES: Roles, Q: DeserializeOwned + Send> FromRequestParts<App> for NoBody<ROLES, Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let principal = admit(app, (&*parts).into(), ROLES)?;
        let params = query::read(&parts.uri)?;
        let id = idempotency_key(&parts.headers)?;
        Ok(Self {
            principal,
            params,
            id,
        })
    }
}

fn limit(app: &App, size: u8) -> BodyLimit {
    let settings = &app.settings;
    let bytes_max = match size {
        BATCH => settings.batch_bytes_max,
        FILE => settings.file_bytes_max,
        _ => settings.body_bytes_max,
    };
    let timeout = settings.body_read_timeout;
    BodyLimit { bytes_max, timeout }
}

async fn read_body(request: Request, limit: BodyLimit) -> Result<Bytes, Problem> {
    let (parts, body) = request.into_parts();
    body::read(&parts.headers, body, limit).await
}

/// A write that carries its own proof: an API key or a session token, in the body, the query or as
/// the bearer.
#[derive(Debug)]
pub(crate) struct OwnWrite<Q> {
    pub(crate) params: Q,
    pub(crate) id: Option<Label>,
    pub(crate) bearer: Option<Box<str>>,
    pub(crate) body: Bytes,
}

impl<Q: DeserializeOwned + Send> FromRequest<App> for OwnWrite<Q> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        address::identify(app, (&request).into(), Party::Worker)?;
        let params = query::read(request.uri())?;
        let id = idempotency_key(request.headers())?;
        if body::media(request.headers()) != Media::Json {
            return Err(Problem::new(Code::UnsupportedMediaType));
        }
        let bearer = bearer(request.headers()).map(Box::from);
        let body = read_body(request, limit(app, ORDINARY)).await?;
        Ok(Self {
            params,
            id,
            bearer,
            body,
        })
    }
}

/// A worker that registers. Without a coordinator's key beside it, only so many may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newcomer;

impl FromRequestParts<App> for Newcomer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let head: Head<'_> = (&*parts).into();
        if admit(app, head, COORDINATOR).is_ok() {
            return Ok(Self);
        }
        let trusted = &app.settings.trusted_proxies;
        let proxy = || head.peer.map(Peer::address);
        if let Some(address) = address::caller(head, trusted).or_else(proxy) {
            app.limits.register(address)?;
        }
        Ok(Self)
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<Label>, Problem> {
    let Some(value) = headers.get(&IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes()).ok();
    let key = text.and_then(command_id);
    key.map(Some)
        .ok_or_else(|| Problem::new(Code::InvalidIdempotencyKey))
}

/// A text as a command id, if it can be one.
pub(crate) fn command_id(text: &str) -> Option<Label> {
    if text.len() > IDEMPOTENCY_KEY_MAX {
        return None;
    }
    Label::new(text).ok()
}

/// The command id: from the header or the body; where both carry one they must agree.
pub(crate) fn one_id(header: Option<Label>, body: Option<&str>) -> Result<Option<Label>, Problem> {
    let Some(text) = body else {
        return Ok(header);
    };
    let wrong = || Problem::field(Code::InvalidIdempotencyKey, "id", "is no idempotency key");
    let id = command_id(text).ok_or_else(wrong)?;
    if header.is_some_and(|other| other != id) {
        let detail = "the header and the body carry different idempotency keys";
        return Err(Problem::with(Code::InvalidIdempotencyKey, detail));
    }
    Ok(Some(id))
}

/// The one parameter of a path.
#[derive(Debug)]
pub(crate) struct InPath(pub(crate) String);

impl FromRequestParts<App> for InPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Problem> {
        use axum::RequestPartsExt;
        match parts.extract::<Path<String>>().await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(Problem::field(
                Code::InvalidParameter,
                "path",
                "must be UTF-8 text",
            )),
        }
    }
}

/// Who issues a command; auditors only read.
pub(crate) fn actor(principal: Principal) -> Result<Actor, Problem> {
    principal
        .actor()
        .ok_or_else(|| Problem::new(Code::Forbidden))
}

/// An answer of JSON that reflects a position.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) position: Position,
    pub(crate) body: T,
}

impl<T: Serialize> Answer<T> {
    /// The answer as JSON text of about so many bytes: it is written without being moved about.
    pub(crate) fn of_about(&self, bytes: usize) -> Response {
        let mut text = Vec::with_capacity(bytes);
        match serde_json::to_writer(&mut text, &self.body) {
            Ok(()) => at(self.position, json(text)),
            Err(error) => Problem::with(Code::Internal, error.to_string()).into_response(),
        }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        self.of_about(128)
    }
}

/// An answer of JSON text.
pub(crate) fn json(bytes: impl Into<Body>) -> Response {
    let mut response = Response::new(bytes.into());
    let media = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

/// Notes the position that an answer reflects.
pub(crate) fn at(position: Position, mut response: Response) -> Response {
    let value = HeaderValue::from(position.0);
    response.headers_mut().insert(PURSER_POSITION, value);
    response
}
