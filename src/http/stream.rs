//! Long answers: made by a blocking thread, piece by piece, as fast as the other side reads them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::app::App;
use super::code::Code;
use super::error::Problem;
use crate::log::ReadError;

/// Pieces that wait between the thread and the socket.
const PIECES: usize = 2;

/// About how many bytes make a piece.
pub(crate) const PIECE_BYTES: usize = 64 * 1_024;

/// Why a thread ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody reads any more, or not fast enough.
    Gone,
    /// The log cannot be read.
    Failed(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Failed(error)
    }
}

/// Where a thread puts its pieces.
#[derive(Debug)]
pub(crate) struct Sink {
    pieces: mpsc::Sender<Result<Bytes, Problem>>,
    runtime: Handle,
    stall: Duration,
    _room: OwnedSemaphorePermit,
}

impl Sink {
    /// Hands over a piece; waits while the other side is slow.
    pub(crate) fn send(&self, piece: Vec<u8>) -> Result<(), Stop> {
        if piece.is_empty() {
            return Ok(());
        }
        self.put(Ok(piece.into()))
    }

    fn put(&self, piece: Result<Bytes, Problem>) -> Result<(), Stop> {
        let sending = tokio::time::timeout(self.stall, self.pieces.send(piece));
        match self.runtime.block_on(sending) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Stop::Gone),
            Err(_) => {
                tracing::info!("a reader of an export stalled and was cut off");
                Err(Stop::Gone)
            }
        }
    }
}

/// Room for one more scan of the log, if there is any.
pub(crate) fn room(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    let streams = Arc::clone(&app.streams);
    streams
        .try_acquire_owned()
        .map_err(|_| Problem::new(Code::TooManyStreams))
}

/// An answer whose body `make` writes on a thread of its own. An error before the first piece is
/// answered as a problem; a later one breaks the body off, so that nobody takes it for whole.
pub(crate) async fn stream(
    app: &App,
    media: &'static str,
    make: impl FnOnce(&Sink) -> Result<(), Stop> + Send + 'static,
) -> Result<Response, Problem> {
    let room = room(app)?;
    let (pieces, mut made) = mpsc::channel(PIECES);
    let sink = Sink {
        pieces,
        runtime: Handle::current(),
        stall: app.settings.stream_stall_timeout,
        _room: room,
    };
    tokio::task::spawn_blocking(move || {
        if let Err(Stop::Failed(error)) = make(&sink) {
            // Whether anybody is left to hear it does not matter.
            let _ = sink.put(Err(error.into()));
        }
    });
    let first = made.recv().await.transpose()?.unwrap_or_default();
    let rest = futures_util::stream::unfold(made, async |mut made| {
        let piece = made.recv().await?;
        Some((piece.map_err(|problem| broken(&problem)), made))
    });
    let begin = futures_util::stream::iter([Ok(first)]);
    let body = Body::from_stream(futures_util::StreamExt::chain(begin, rest));
    let mut response = Response::new(body);
    let media = HeaderValue::from_static(media);
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(response)
}

/// The end of a body that cannot be made whole.
fn broken(problem: &Problem) -> std::io::Error {
    problem.log("export");
    std::io::Error::other(problem.code.as_str())
}
