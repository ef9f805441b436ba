//! Workers by their session tokens.

use purser_commands::command::WorkerRef;
use purser_events::WorkerNo;

use super::app::App;
use super::code::Code;
use super::error::Problem;
use crate::session::Proved;

/// A session that a token proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) worker: WorkerNo,
    pub(crate) session: u32,
}

impl Session {
    /// What a token proved, as long as it is good.
    pub(crate) const fn of(proved: Proved) -> Self {
        let Proved {
            worker, session, ..
        } = proved;
        Self { worker, session }
    }

    /// How a command names the worker.
    pub(crate) const fn worker(self) -> WorkerRef {
        let Self { worker, session } = self;
        WorkerRef::Session { worker, session }
    }
}

/// The session that a token proves. Whether it still goes on is for the ledger to say.
pub(crate) fn prove(app: &App, token: Option<&str>) -> Result<Session, Problem> {
    let Some(token) = token else {
        return Err(Problem::with(
            Code::Unauthenticated,
            "send the worker's session token",
        ));
    };
    match app.keys.sessions().verify(token) {
        Some(proved) if !proved.is_good(app.service.clock.now()) => {
            Err(Problem::new(Code::SessionTokenExpired))
        }
        Some(proved) => Ok(Session::of(proved)),
        None if app.keys.authenticate(token).is_some() => Err(Problem::new(Code::Forbidden)),
        None => Err(Problem::new(Code::InvalidSession)),
    }
}

/// A new token of a session, good for as long as tokens are.
pub(crate) fn issue(app: &App, session: Session) -> String {
    let life_ms = u64::try_from(app.settings.session_token_ttl.as_millis()).unwrap_or(u64::MAX);
    app.keys.sessions().issue(Proved {
        worker: session.worker,
        session: session.session,
        until_ms: app.service.clock.now().millis().saturating_add(life_ms),
    })
}

/// Whether a session goes on, as far as the read side knows. A session that was just granted may
/// be ahead of it; an older one has ended.
pub(crate) fn goes_on(app: &App, session: Session) -> Result<(), Problem> {
    let folds = app.service.view.read();
    let ended = match folds.registry.pulse(session.worker) {
        Some(pulse) if pulse.session > session.session => true,
        Some(pulse) => pulse.session == session.session && !pulse.live(),
        None => false,
    };
    if ended {
        Err(Problem::new(Code::SessionEnded))
    } else {
        Ok(())
    }
}
