//! How the rest of the program reaches the runner.

use std::sync::{Arc, Mutex, PoisonError};

use purser_events::{Actor, Address, Amount, Label, Micros};
use tokio::sync::{mpsc, oneshot};

use super::node::NodeError;
use crate::writer::{Reply, SubmitError};

/// What the runner is asked.
#[derive(Debug)]
pub(super) enum Ask {
    /// Request payouts for everybody who is due.
    Run(Asker),
    /// Let the stopped signer go on.
    Resume(Asker),
    /// Say what the signer's account holds.
    Funds(oneshot::Sender<Result<Amount, NodeError>>),
    /// End.
    Stop(oneshot::Sender<()>),
}

/// Who asks, and where the answer goes.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) id: Option<Label>,
    pub(super) actor: Actor,
    pub(super) reply: oneshot::Sender<Result<Reply, RunError>>,
}

/// Why a run did not happen.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The chain gave no answer.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The ledger refused.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The runner has ended.
    #[error("the payouts' runner has ended")]
    Ended,
}

/// How the runner is, for `/v1/status`. No part of it shows a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayoutsStatus {
    /// When it last looked at the chain.
    pub last_run_at: Option<Micros>,
    /// How often it did.
    pub runs: u64,
    /// What went wrong the last time.
    pub last_error: Option<String>,
    /// Why payouts wait, in words.
    pub deferred: Option<String>,
    /// The signer's address.
    pub address: Option<Address>,
    /// What the signer's account held when it was last read.
    pub funds: Option<Amount>,
    /// How many transactions of the key the chain counts.
    pub chain_nonce: Option<u64>,
}

/// The way to the runner; cheap to clone.
#[derive(Clone, Debug)]
pub struct PayoutsHandle {
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) status: Arc<Mutex<PayoutsStatus>>,
    pub(super) dry_run: bool,
}

impl PayoutsHandle {
    /// Whether runs only say what they would pay.
    #[must_use]
    pub const fn is_dry(&self) -> bool {
        self.dry_run
    }

    /// How the runner is.
    #[must_use]
    pub fn status(&self) -> PayoutsStatus {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.clone()
    }

    /// Requests payouts for everybody who is due, as far as the signer's account covers it.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn run(&self, id: Option<Label>, actor: Actor) -> Result<Reply, RunError> {
        self.ask(|reply| Ask::Run(Asker { id, actor, reply })).await
    }

    /// Lets a stopped signer go on.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn resume(&self, id: Option<Label>, actor: Actor) -> Result<Reply, RunError> {
        self.ask(|reply| Ask::Resume(Asker { id, actor, reply }))
            .await
    }

    async fn ask(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<Reply, RunError>>) -> Ask,
    ) -> Result<Reply, RunError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.asks.send(ask(reply)).await;
        sent.map_err(|_| RunError::Ended)?;
        answer.await.unwrap_or(Err(RunError::Ended))
    }

    /// What the signer's account holds.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn funds(&self) -> Result<Amount, RunError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.asks.send(Ask::Funds(reply)).await;
        sent.map_err(|_| RunError::Ended)?;
        Ok(answer.await.map_err(|_| RunError::Ended)??)
    }

    /// Ends the runner, once it is done with what it is at.
    pub async fn stop(&self) {
        let (done, wait) = oneshot::channel();
        if self.asks.send(Ask::Stop(done)).await.is_ok() {
            // A runner that stops meanwhile has nothing more to say.
            let _ = wait.await;
        }
    }
}
