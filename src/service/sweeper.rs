//! Turns silence and time that ran out into events: every second, or when a test
//! clock is moved.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use purser_commands::Command;
use purser_commands::grants::GrantCommand;
use purser_commands::jobs::JobCommand;
use purser_commands::matching::ExpireAssignment;
use purser_events::Actor;
use tokio::sync::oneshot;

use super::RunnerStatus;
use crate::clock::Clock;
use crate::view::View;
use crate::writer::{Submission, SubmitError, WriterHandle};

/// How often it looks for silent workers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Commands in one commit.
const BATCH: usize = 1_000;

/// The way to the sweeper's thread; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Sweeper {
    wake: Sender<Wake>,
    status: Arc<Mutex<RunnerStatus>>,
}

#[derive(Debug)]
enum Wake {
    Sweep(oneshot::Sender<()>),
    Stop,
}

/// What the sweeper looks at, and where its commands go.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) writer: WriterHandle,
    pub(super) view: Arc<View>,
    pub(super) clock: Arc<Clock>,
}

impl Sweeper {
    pub(super) fn start(parts: Parts) -> std::io::Result<Self> {
        let (wake, woken) = channel();
        let status = Arc::new(Mutex::new(RunnerStatus::default()));
        let noted = Arc::clone(&status);
        std::thread::Builder::new()
            .name("sweeper".into())
            .spawn(move || run(&parts, &woken, &noted))?;
        Ok(Self { wake, status })
    }

    /// Sweeps now and waits until it is done.
    pub(super) async fn sweep_now(&self) {
        let (done, wait) = oneshot::channel();
        if self.wake.send(Wake::Sweep(done)).is_ok() {
            // A sweeper that stops meanwhile has nothing more to say.
            let _ = wait.await;
        }
    }

    pub(super) fn status(&self) -> RunnerStatus {
        self.status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn stop(&self) {
        // A sweeper that is gone has stopped already.
        let _ = self.wake.send(Wake::Stop);
    }
}

fn run(parts: &Parts, woken: &Receiver<Wake>, status: &Mutex<RunnerStatus>) {
    loop {
        let waiter = match woken.recv_timeout(LOOK_EVERY) {
            Ok(Wake::Sweep(done)) => Some(done),
            Err(RecvTimeoutError::Timeout) => None,
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        };
        let outcome = sweep(parts);
        note(parts, status, outcome.err());
        if let Some(waiter) = waiter {
            // A caller that went away does not wait.
            let _ = waiter.send(());
        }
    }
}

fn note(parts: &Parts, status: &Mutex<RunnerStatus>, error: Option<SubmitError>) {
    let mut status = status.lock().unwrap_or_else(PoisonError::into_inner);
    status.runs += 1;
    status.last_run_at = Some(parts.clock.now());
    status.last_error = error.map(|error| error.to_string());
}

/// Calls every worker degraded whose lease ran out, lets everyone lapse who is silent past the
/// grace, frees the slots that nobody reported on in time, closes the jobs that are idle, and the
/// requests that were not paid, or whose work did not end, in time. What a beat or a report has
/// overtaken is refused by the decision, not here.
fn sweep(parts: &Parts) -> Result<(), SubmitError> {
    for batch in due(parts).chunks(BATCH) {
        let submission = |command: &Command| Submission {
            command: command.clone(),
            id: None,
            actor: Actor::Purser,
        };
        let batch = batch.iter().map(submission).collect();
        for outcome in parts.writer.submit_all_blocking(batch) {
            match outcome {
                Ok(_) | Err(SubmitError::Rejected(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Everything whose time has come.
fn due(parts: &Parts) -> Vec<Command> {
    let now = parts.clock.now();
    let folds = parts.view.read();
    let registry = &folds.registry;
    let mut due: Vec<Command> = registry
        .unleased_since(now)
        .map(Command::DegradeWorker)
        .collect();
    let silent = registry.silent_since(now, folds.policy.heartbeat_grace_ms);
    due.extend(silent.map(Command::LapseWorker));
    let expired = folds.matching.jobs.expired(now.millis());
    due.extend(expired.map(|(job, worker)| {
        let job = job.clone();
        Command::ExpireAssignment(ExpireAssignment { job, worker })
    }));
    let idle = folds.jobs.idle(now, folds.policy.job_idle_ms);
    due.extend(idle.map(|job| Command::Job(Box::new(JobCommand::CloseIdle(job)))));
    let expire = |grant| Command::Grant(Box::new(GrantCommand::Expire(grant)));
    due.extend(folds.grants.due(now).map(expire));
    due
}
