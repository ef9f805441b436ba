//! Long answers: made by a blocking thread, piece by piece, as fast as the other side reads them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::{Stream, StreamExt};
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
    /// What was read cannot be told.
    Broken(Problem),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Failed(error)
    }
}

/// What goes from the thread to the socket.
#[derive(Debug)]
enum Piece {
    /// A part of the body.
    Part(Bytes),
    /// The body is whole. Without this word it is not.
    End,
    /// The body cannot be made.
    Failed(Problem),
}

/// Where a thread puts its pieces.
#[derive(Debug)]
pub(crate) struct Sink {
    pieces: mpsc::Sender<Piece>,
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
        self.put(Piece::Part(piece.into()))
    }

    /// Waits until something comes true, but not longer than `limit`; whether it did. Ends early
    /// when nobody reads any more.
    pub(crate) fn wait<T, E>(
        &self,
        limit: Duration,
        until: impl Future<Output = Result<T, E>>,
    ) -> Result<bool, Stop> {
        self.runtime.block_on(async {
            tokio::select! {
                outcome = tokio::time::timeout(limit, until) => match outcome {
                    Ok(Ok(_)) => Ok(true),
                    Ok(Err(_)) => Err(Stop::Gone),
                    Err(_) => Ok(false),
                },
                () = self.pieces.closed() => Err(Stop::Gone),
            }
        })
    }

    fn put(&self, piece: Piece) -> Result<(), Stop> {
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
        let last = match make(&sink) {
            Ok(()) => Piece::End,
            Err(Stop::Failed(error)) => Piece::Failed(error.into()),
            Err(Stop::Broken(problem)) => Piece::Failed(problem),
            Err(Stop::Gone) => return,
        };
        // Whether anybody is left to hear it does not matter.
        let _ = sink.put(last);
    });
    let first = match made.recv().await {
        Some(Piece::Part(part)) => part,
        Some(Piece::End) => return Ok(answer(media, Body::empty())),
        Some(Piece::Failed(problem)) => return Err(problem),
        None => {
            return Err(Problem::with(
                Code::Internal,
                "the export ended before it began",
            ));
        }
    };
    let begin = futures_util::stream::iter([Ok(first)]);
    let body = Body::from_stream(begin.chain(rest(made)));
    Ok(answer(media, body))
}

/// The pieces behind the first one. A body that is not whole ends in an error, so that the
/// connection breaks and nobody takes it for whole.
fn rest(made: mpsc::Receiver<Piece>) -> impl Stream<Item = std::io::Result<Bytes>> {
    futures_util::stream::unfold(Some(made), async |made| {
        let mut made = made?;
        match made.recv().await {
            Some(Piece::Part(part)) => Some((Ok(part), Some(made))),
            Some(Piece::End) => None,
            Some(Piece::Failed(problem)) => Some((Err(broken(&problem)), None)),
            None => Some((Err(std::io::ErrorKind::TimedOut.into()), None)),
        }
    })
}

fn answer(media: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    let media = HeaderValue::from_static(media);
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

/// The end of a body that cannot be made whole.
fn broken(problem: &Problem) -> std::io::Error {
    problem.log("export");
    std::io::Error::other(problem.code.as_str())
}
