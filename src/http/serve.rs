//! The listener: bounded connections, bounded heads, an orderly end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::task::TaskTracker;

use super::code::Code;
use super::error::Problem;
use super::guests::{Guest, Guests};
use super::peer::{House, Peer, told};
use super::settings::Settings;
use crate::tls::{Parties, ServerTls};

/// Where connections come in.
#[derive(Debug)]
pub struct Entrance {
    /// The address.
    pub listener: TcpListener,
    /// TLS; without it, plain HTTP is spoken.
    pub tls: Option<Arc<ServerTls>>,
}

impl From<TcpListener> for Entrance {
    fn from(listener: TcpListener) -> Self {
        let tls = None;
        Self { listener, tls }
    }
}

/// Serves until `shutdown` turns true; then takes no further connection and waits, for a bounded
/// time, for the requests in flight.
///
/// Over the cap of connections a client waits in the system's queue: it is not refused.
pub async fn serve(
    router: Router,
    entrance: impl Into<Entrance>,
    settings: &Settings,
    shutdown: watch::Receiver<bool>,
) {
    let Entrance { listener, tls } = entrance.into();
    let room = Arc::new(Semaphore::new(settings.connections_max));
    let tasks = TaskTracker::new();
    let door = Door {
        router,
        builder: builder(settings),
        room: Arc::clone(&room),
        house: House {
            stopping: shutdown.clone(),
            tasks: tasks.clone(),
        },
        guests: Guests::new(settings),
        tls,
        handshake_timeout: settings.header_read_timeout,
    };
    let mut ends = shutdown;
    tokio::select! {
        () = door.accept(&listener) => {}
        () = told(&mut ends) => {}
    }
    drop(listener);
    tasks.close();
    let all = u32::try_from(settings.connections_max).unwrap_or(u32::MAX);
    let ended = async { tokio::join!(room.acquire_many(all), tasks.wait()) };
    if tokio::time::timeout(settings.shutdown_grace, ended)
        .await
        .is_err()
    {
        tracing::warn!("requests were still in flight when the server ended");
    }
}

fn builder(settings: &Settings) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_read_timeout);
    builder
}

/// What a connection needs.
struct Door {
    router: Router,
    builder: http1::Builder,
    room: Arc<Semaphore>,
    house: House,
    guests: Guests,
    tls: Option<Arc<ServerTls>>,
    handshake_timeout: Duration,
}

impl Door {
    async fn accept(&self, listener: &TcpListener) {
        loop {
            let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, address)) => match self.guests.enter(address.ip()) {
                    Some(guest) => self.begin(stream, guest, permit),
                    None if self.tls.is_some() => {}
                    None => {
                        let stream = Channel::Left(stream);
                        tokio::spawn(turn_away(stream, Code::TooManyConnections));
                    }
                },
                Err(error) => {
                    // Out of file descriptors, most likely: give connections time to end.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn begin(&self, stream: TcpStream, guest: Guest, permit: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
        let (router, builder) = (self.router.clone(), self.builder.clone());
        let (house, limit) = (self.house.clone(), self.handshake_timeout);
        let tls = self.tls.as_ref().map(|tls| tls.current());
        tokio::spawn(async move {
            let Some((stream, named)) = greet(stream, tls, limit).await else {
                return;
            };
            let stopping = house.stopping.clone();
            let service = Answering {
                router: TowerToHyperService::new(router),
                peer: Peer::new(guest, named, house),
            };
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            run(connection.with_upgrades(), stopping).await;
            drop(permit);
        });
    }
}

/// Shakes hands where TLS is spoken; tells whom the other end's certificate names. `None` when
/// that fails, or takes too long.
async fn greet(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    limit: Duration,
) -> Option<(Channel, Parties)> {
    let Some(tls) = tls else {
        return Some((Channel::Left(stream), Parties::NONE));
    };
    match tokio::time::timeout(limit, TlsAcceptor::from(tls).accept(stream)).await {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates();
            let named = shown.and_then(<[_]>::first).map(Parties::of);
            Some((Channel::Right(Box::new(stream)), named.unwrap_or_default()))
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "no TLS came about");
            None
        }
        Err(_) => None,
    }
}

/// The routes, for one connection.
struct Answering {
    router: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<Request<Incoming>> for Answering {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.router.call(request)
    }
}

/// The bytes of a connection, plain or through TLS.
type Channel = Either<TcpStream, Box<TlsStream<TcpStream>>>;

type Connection = http1::UpgradeableConnection<TokioIo<Channel>, Answering>;

async fn run(mut connection: Connection, mut stopping: watch::Receiver<bool>) {
    let outcome = tokio::select! {
        biased;
        outcome = &mut connection => outcome,
        () = told(&mut stopping) => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    match outcome {
        Err(error) if error.is_timeout() => {
            let Some(parts) = connection.into_parts() else {
                return;
            };
            let stream = parts.io.into_inner();
            // A connection that is merely idle has begun no request that could be answered.
            if parts.read_buf.is_empty() {
                end(stream).await;
            } else {
                turn_away(stream, Code::HeaderTimeout).await;
            }
        }
        Err(error) => tracing::debug!(%error, "a connection ended early"),
        Ok(()) => {}
    }
}

/// Tells why the connection ends without an answer to a request.
async fn turn_away(mut stream: Channel, code: Code) {
    let body = Problem::new(code).body("none");
    let status = code.status();
    let retry = code.retry_after_sec();
    let retry = retry.map_or_else(String::new, |sec| format!("retry-after: {sec}\r\n"));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\n{retry}connection: close\r\n\r\n",
        body.len()
    );
    let answer = [head.as_bytes(), &body].concat();
    if stream.write_all(&answer).await.is_ok() {
        end(stream).await;
    }
}

async fn end(mut stream: Channel) {
    if let Err(error) = stream.shutdown().await {
        tracing::debug!(%error, "a connection did not end in order");
    }
}
