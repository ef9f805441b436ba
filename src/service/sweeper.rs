//! Turns silence into events: every second, or whenever a test clock is moved.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use purser_commands::Command;
use purser_events::{Actor, WorkerNo};
use tokio::sync::oneshot;

use super::RunnerStatus;
use crate::clock::Clock;
use crate::view::View;
use crate::writer::{Submission, SubmitError, WriterHandle};

/// How often it looks for silent workers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Workers that lapse in one commit.
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

/// Lets every worker lapse that is silent past the grace. What a beat has overtaken is refused by
/// the decision, not here.
fn sweep(parts: &Parts) -> Result<(), SubmitError> {
    let silent: Vec<WorkerNo> = {
        let folds = parts.view.read();
        let grace = folds.policy.heartbeat_grace_ms;
        folds
            .registry
            .silent_since(parts.clock.now(), grace)
            .collect()
    };
    for batch in silent.chunks(BATCH) {
        let submission = |worker: &WorkerNo| Submission {
            command: Command::LapseWorker(*worker),
            id: None,
            actor: Actor::Purser,
        };
        for outcome in parts
            .writer
            .submit_all_blocking(batch.iter().map(submission).collect())
        {
            match outcome {
                Ok(_) | Err(SubmitError::Rejected(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
