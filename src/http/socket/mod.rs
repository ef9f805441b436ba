//! Workers on a WebSocket: heartbeats with acknowledgement, instructions to the worker, and probes
//! of the region that it claims.
//!
//! A connection is one small task. It takes the next frame only when the last one was answered, so
//! that a worker that floods waits in its own socket, and whatever is written is written at once,
//! so that a worker that does not read is cut off and nothing piles up.

mod claim;
mod end;
mod line;
mod probe;
mod seats;

use axum::extract::{FromRequestParts, Request, State, WebSocketUpgrade};
use axum::response::Response;

use super::address::identify;
use super::app::App;
use super::code::Code;
use super::error::{Problem, ProblemBody};
use super::extract::bearer;
use super::peer::Peer;
use super::query;
use super::routes::miners::SessionParams;
use super::session::{goes_on, prove};
use crate::tls::Party;
use line::Line;

pub(crate) use seats::Seats;

/// Bytes of a connection's buffer for reading: more than an ordinary frame.
const READ_BUFFER_BYTES: usize = 512;

/// Opens a WebSocket, on which a worker beats and is given instructions. `docs/sockets.md` has the
/// frames and the codes of its end.
#[utoipa::path(
    get, path = "/v1/miners/heartbeat", tag = "workers", security(("session" = [])),
    params(SessionParams),
    responses(
        (status = 101, description = "The connection is a WebSocket from here on"),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 426, body = ProblemBody), (status = 503, body = ProblemBody),
    )
)]
pub(crate) async fn socket(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    identify(&app, (&request).into(), Party::Worker)?;
    let params: SessionParams = query::read(request.uri())?;
    let token = params.session_token.as_deref();
    let session = prove(&app, token.or(bearer(request.headers())))?;
    goes_on(&app, session)?;
    let (mut parts, _) = request.into_parts();
    let peer = parts.extensions.get::<Peer>().cloned();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &app).await;
    let (Ok(upgrade), Some(peer)) = (upgrade, peer) else {
        return Err(Problem::new(Code::UpgradeRequired));
    };
    let Some(seat) = app.seats.take(session.worker) else {
        return Err(Problem::new(Code::TooManySockets));
    };
    let frame_bytes_max = app.settings.socket_frame_bytes_max;
    let running = peer.house().tasks.token();
    Ok(upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(frame_bytes_max)
        .max_frame_size(frame_bytes_max)
        .on_upgrade(move |socket| async move {
            let line = Line::new(app, session, seat);
            line.run(socket, peer.house().stopping.clone()).await;
            drop(running);
        }))
}
