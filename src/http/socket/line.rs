//! One worker's connection, from its first frame to its last.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use purser_events::{Actor, Position};
use purser_projections::instructions::Waiting;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::claim::Claim;
use super::end::End;
use super::probe::Probe;
use super::seats::Seat;
use crate::http::app::App;
use crate::http::code::Code;
use crate::http::error::Problem;
use crate::http::peer::told;
use crate::http::session::{Session, goes_on};
use crate::http::wire::answer::Written;
use crate::http::wire::instruction::Told;
use crate::http::wire::socket::{Frame, refusal, sheet};
use crate::writer::Submission;

/// So many frames in a row may be refused before the connection ends.
const REFUSALS_MAX: u32 = 16;

/// How long the other side may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// One worker's connection.
pub(super) struct Line {
    app: App,
    session: Session,
    seat: Seat,
    heard: Instant,
    pinged: bool,
    refusals: u32,
    /// The last instruction that was sent.
    instructed: Position,
    probe: Probe,
}

impl Line {
    pub(super) fn new(app: App, session: Session, seat: Seat) -> Self {
        Self {
            app,
            session,
            seat,
            heard: Instant::now(),
            pinged: false,
            refusals: 0,
            instructed: Position::ORIGIN,
            probe: Probe::default(),
        }
    }

    /// Serves the connection until it ends, and tells the worker why.
    pub(super) async fn run(mut self, mut socket: WebSocket, stopping: watch::Receiver<bool>) {
        let Err(end) = self.talk(&mut socket, stopping).await;
        drop(self.seat);
        let Some(frame) = end.frame() else {
            return;
        };
        let goodbye = async {
            if socket.send(Message::Close(Some(frame))).await.is_ok() {
                // Closing with bytes unread would reset the connection, and the worker might
                // never read why.
                while let Some(Ok(_)) = socket.recv().await {}
            }
        };
        // Whoever does not answer in time is left alone.
        let _ = timeout(GOODBYE, goodbye).await;
    }

    async fn talk(
        &mut self,
        socket: &mut WebSocket,
        mut stopping: watch::Receiver<bool>,
    ) -> Result<std::convert::Infallible, End> {
        self.instruct(socket).await?;
        loop {
            tokio::select! {
                biased;
                () = told(&mut stopping) => return Err(End::Stopping),
                () = self.seat.rung() => {
                    if self.seat.replaced() {
                        return Err(End::Replaced);
                    }
                    self.instruct(socket).await?;
                }
                frame = socket.recv() => {
                    let frame = frame.ok_or(End::Gone)?.map_err(End::of_error)?;
                    self.heard = Instant::now();
                    self.pinged = false;
                    self.take(socket, frame).await?;
                }
                () = sleep_until(self.heard + self.patience()) => self.wonder(socket).await?,
            }
        }
    }

    /// How long after the last frame it is time to wonder.
    fn patience(&self) -> Duration {
        let whole = self.app.settings.socket_idle_timeout;
        if self.pinged { whole } else { whole / 2 }
    }

    /// Nothing was heard for a while: asks, or gives up. A session that ended meanwhile ends the
    /// connection.
    async fn wonder(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        goes_on(&self.app, self.session).map_err(|_| End::SessionEnded)?;
        if self.pinged {
            return Err(End::Silent);
        }
        self.pinged = true;
        self.send(socket, Message::Ping(axum::body::Bytes::new()))
            .await
    }

    async fn take(&mut self, socket: &mut WebSocket, frame: Message) -> Result<(), End> {
        let text = match frame {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(End::NotText),
            Message::Close(_) => return Err(End::Gone),
            Message::Pong(bytes) => {
                self.echoed(&bytes).await;
                return Ok(());
            }
            // The protocol answers it by itself.
            Message::Ping(_) => return Ok(()),
        };
        let answer = match self.answer(text.as_str()).await {
            Ok(written) => {
                self.refusals = 0;
                sheet(&written)
            }
            Err(problem) if problem.code == Code::SessionEnded => return Err(End::SessionEnded),
            Err(problem) => {
                self.refusals += 1;
                if self.refusals > REFUSALS_MAX {
                    return Err(End::TooManyRefusals);
                }
                refusal(&problem, &self.app.request_ids.next())
            }
        };
        self.send(socket, Message::Text(answer.into())).await?;
        match self.refusals {
            0 => self.probe(socket).await,
            _ => Ok(()),
        }
    }

    /// Sends a nonce, where it is time for one and the worker's claim is open.
    async fn probe(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        if !self.probe.wants(Instant::now()) || Claim::open(&self.app, self.session).is_none() {
            return Ok(());
        }
        // Without random bytes there is no probe this time.
        let Ok(nonce) = getrandom::u64().map(u64::to_be_bytes) else {
            return Ok(());
        };
        // The clock is read before the nonce goes out, so that the way never seems shorter.
        self.probe.send(nonce, Instant::now());
        let nonce = axum::body::Bytes::copy_from_slice(&nonce);
        self.send(socket, Message::Ping(nonce)).await
    }

    /// Takes what came back for a ping, and records what the ways say once there are enough.
    async fn echoed(&mut self, bytes: &[u8]) {
        let Some(finding) = self.probe.hear(bytes, self.heard) else {
            return;
        };
        let Some(claim) = Claim::open(&self.app, self.session) else {
            return;
        };
        // The worker may have been probed on a connection before this one.
        if self.app.limits.finding(self.session.worker).is_ok() {
            claim.judge(&self.app, finding).await;
        }
    }

    /// Does what a frame asks for, and waits until it is durable.
    async fn answer(&self, text: &str) -> Result<Written, Problem> {
        let frame = Frame::read(text.as_bytes())?;
        let (command, id) = frame.command(self.session.worker())?;
        if frame.is_beat() {
            self.app.limits.beat(self.session.worker)?;
        }
        let actor = Actor::Worker(self.session.worker);
        let submission = Submission { command, id, actor };
        let reply = self.app.service.writer.submit(submission).await?;
        Ok(Written::of(&reply))
    }

    /// Sends what the worker is asked for and was not told yet on this connection.
    async fn instruct(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        let waiting: Vec<Waiting> = {
            let folds = self.app.service.view.read();
            let waiting = folds.instructions.of(self.session.worker).iter();
            let untold = waiting.filter(|one| one.number > self.instructed);
            untold.cloned().collect()
        };
        for one in waiting {
            let text = sheet(&Told::of(&one));
            self.send(socket, Message::Text(text.into())).await?;
            self.instructed = one.number;
        }
        Ok(())
    }

    /// Sends a frame; who does not take it in time is cut off.
    async fn send(&self, socket: &mut WebSocket, message: Message) -> Result<(), End> {
        let limit = self.app.settings.stream_stall_timeout;
        match timeout(limit, socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}
