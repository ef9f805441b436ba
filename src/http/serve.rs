//! The listener: bounded connections, bounded heads, an orderly end.

use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::code::Code;
use super::error::Problem;
use super::settings::Settings;

/// Serves until `shutdown` turns true; then takes no further connection and waits, for a bounded
/// time, for the requests in flight.
///
/// Over the cap of connections a client waits in the system's queue: it is not refused.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    settings: &Settings,
    shutdown: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(settings.connections_max));
    let door = Door {
        router,
        builder: builder(settings),
        room: Arc::clone(&room),
    };
    let mut ends = shutdown.clone();
    tokio::select! {
        () = door.accept(&listener, &shutdown) => {}
        () = told(&mut ends) => {}
    }
    drop(listener);
    let all = u32::try_from(settings.connections_max).unwrap_or(u32::MAX);
    let grace = settings.shutdown_grace;
    if tokio::time::timeout(grace, room.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("requests were still in flight when the server ended");
    }
}

/// Waits until it is told to stop; the sender's end counts as that.
async fn told(shutdown: &mut watch::Receiver<bool>) {
    // An error means that nobody is left to ever say so.
    let _ = shutdown.wait_for(|stop| *stop).await;
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
}

impl Door {
    async fn accept(&self, listener: &TcpListener, shutdown: &watch::Receiver<bool>) {
        loop {
            let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => self.begin(stream, shutdown.clone(), permit),
                Err(error) => {
                    // Out of file descriptors, most likely: give connections time to end.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn begin(
        &self,
        stream: TcpStream,
        shutdown: watch::Receiver<bool>,
        permit: OwnedSemaphorePermit,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
        let service = TowerToHyperService::new(self.router.clone());
        let connection = self.builder.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            run(connection, shutdown).await;
            drop(permit);
        });
    }
}

type Connection = http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>>;

async fn run(mut connection: Connection, mut shutdown: watch::Receiver<bool>) {
    let outcome = tokio::select! {
        biased;
        outcome = std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)) => outcome,
        () = told(&mut shutdown) => {
            Pin::new(&mut connection).graceful_shutdown();
            std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    match outcome {
        Err(error) if error.is_timeout() => {
            let parts = connection.into_parts();
            let stream = parts.io.into_inner();
            // A connection that is merely idle has begun no request that could be answered.
            if parts.read_buf.is_empty() {
                end(stream).await;
            } else {
                late(stream).await;
            }
        }
        Err(error) => tracing::debug!(%error, "a connection ended early"),
        Ok(()) => end(connection.into_parts().io.into_inner()).await,
    }
}

/// Tells the sender of an incomplete head why the connection ends.
async fn late(mut stream: TcpStream) {
    let problem = Problem::new(Code::HeaderTimeout);
    let body = problem.body("none");
    let head = format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let answer = [head.as_bytes(), &body].concat();
    if stream.write_all(&answer).await.is_ok() {
        end(stream).await;
    }
}

async fn end(mut stream: TcpStream) {
    if let Err(error) = stream.shutdown().await {
        tracing::debug!(%error, "a connection did not end in order");
    }
}
