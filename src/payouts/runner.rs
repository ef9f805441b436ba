//! The runner: asks the chain, reports, signs, sends; again and again. Whatever it knows is in the
//! log: it may be killed anywhere, and the next one goes on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use purser_commands::Command;
use purser_commands::payout::{OpenSigner, ResumeSigner, RunPayouts};
use purser_events::{Actor, Amount, Micros};
use tokio::sync::mpsc;

use super::books::{self, Work};
use super::fault;
use super::handle::{Ask, Asker, PayoutsHandle, PayoutsStatus, RunError};
use super::node::{At, Node, NodeError};
use super::wire::Block;
use super::{Settings, reconcile, signing};
use crate::config::Finality;
use crate::service::Service;
use crate::writer::{Reply, Submission, SubmitError};

/// Questions that may wait.
const ASKS: usize = 64;

/// Why a round ended early; the next one tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoundError {
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error("the ledger did not take a report")]
    Submit(#[from] SubmitError),
    #[error("payouts that another key signed are not final; start with the key of {0}")]
    OtherKey(purser_events::Address),
    #[error("the chain counts {chain} transactions of the key, the log {log}: a node is behind")]
    ChainBehind { chain: u64, log: u64 },
    #[error("the ledger refused what the chain said: {0}")]
    Refused(&'static str),
    #[error("nonce {0} is used by a transaction that no node shows; add a node that keeps history")]
    Hidden(u64),
}

/// The chain at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub(super) head: Block,
    /// The newest block that is final.
    pub(super) settled: Option<u64>,
    /// How many transactions of the key the newest block counts.
    pub(super) nonce: u64,
}

/// What runs.
pub(super) struct Runner {
    pub(super) service: Service,
    pub(super) node: Node,
    pub(super) settings: Settings,
    status: Arc<Mutex<PayoutsStatus>>,
    last_timer: Micros,
}

/// Starts the runner on the runtime that this is called on.
///
/// # Errors
/// When no client of HTTP can be made.
pub fn start(service: Service, settings: Settings) -> Result<PayoutsHandle, reqwest::Error> {
    let node = Node::new(settings.node.clone())?;
    let (asks, asked) = mpsc::channel(ASKS);
    let status = Arc::new(Mutex::new(PayoutsStatus {
        address: Some(settings.key.address()),
        ..PayoutsStatus::default()
    }));
    let handle = PayoutsHandle {
        asks,
        status: Arc::clone(&status),
        dry_run: settings.dry_run,
    };
    let last_timer = service.clock.now();
    let runner = Runner {
        service,
        node,
        settings,
        status,
        last_timer,
    };
    tokio::spawn(runner.run(asked));
    Ok(handle)
}

impl Runner {
    async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
        loop {
            let outcome = self.round().await;
            let moved = *outcome.as_ref().unwrap_or(&false);
            self.note(outcome.err());
            let pause = if moved {
                Duration::ZERO
            } else {
                self.settings.poll
            };
            match tokio::time::timeout(pause, asked.recv()).await {
                Err(_) => {}
                Ok(None) => return,
                Ok(Some(Ask::Stop(done))) => {
                    let _ = done.send(());
                    return;
                }
                Ok(Some(ask)) => self.answer(ask).await,
            }
        }
    }

    fn note(&self, error: Option<RoundError>) {
        let text = error.map(|error| {
            let text = error.to_string();
            tracing::warn!(error = text, "payouts wait");
            text
        });
        self.tell(|status| {
            status.runs += 1;
            status.last_run_at = Some(self.service.clock.now());
            status.last_error = text;
        });
    }

    pub(super) fn tell(&self, change: impl FnOnce(&mut PayoutsStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn answer(&mut self, ask: Ask) {
        // A caller that went away does not wait.
        match ask {
            Ask::Run(asker) => {
                let outcome = self.request(asker.id, asker.actor).await;
                let _ = asker.reply.send(outcome);
            }
            Ask::Resume(asker) => {
                let outcome = self.resume(&asker).await;
                let _ = asker.reply.send(outcome);
            }
            Ask::Funds(reply) => {
                let _ = reply.send(self.node.balance(self.settings.key.address()).await);
            }
            Ask::Stop(done) => {
                let _ = done.send(());
            }
        }
    }

    /// Looks at the chain once, and does what is next; whether anything moved.
    async fn round(&mut self) -> Result<bool, RoundError> {
        let work = self.opened().await?;
        self.timer().await?;
        let sight = self.look().await?;
        // What is not believed of one payout holds no other one back.
        let reported = match reconcile::reconcile(self, &work, &sight).await {
            Ok(moved) => Ok(moved),
            Err(error @ RoundError::Refused(_)) => Err(error),
            Err(error) => return Err(error),
        };
        let work = books::read(&self.service);
        let signed = signing::sign(self, &work, &sight).await?;
        let work = if signed {
            books::read(&self.service)
        } else {
            work
        };
        let sent = reconcile::send(self, &work, &sight).await?;
        Ok(reported? || signed || sent)
    }

    /// The work, once the log knows our key.
    async fn opened(&self) -> Result<Work, RoundError> {
        let (address, chain_id) = (self.settings.key.address(), self.node.chain_id());
        let work = books::read(&self.service);
        let known = |work: &Work| {
            let signer = work.signer?;
            Some((signer.address, signer.chain_id) == (address, chain_id))
        };
        if known(&work) == Some(true) {
            return Ok(work);
        }
        // What waits counts too: its nonces are taken.
        let latest = self.node.nonce(address, At::Latest).await?;
        let pending = self.node.nonce(address, At::Pending).await?;
        let nonce = latest.max(pending);
        let open = OpenSigner {
            address,
            chain_id,
            nonce,
        };
        books::report(&self.service, vec![Command::OpenSigner(open)]).await?;
        fault::point("opened");
        let work = books::read(&self.service);
        match (known(&work), work.signer) {
            (Some(false), Some(other)) => Err(RoundError::OtherKey(other.address)),
            _ => Ok(work),
        }
    }

    async fn look(&self) -> Result<Sight, RoundError> {
        let missing = || NodeError::Unreachable {
            host: "the chain".into(),
            why: "no newest block".into(),
        };
        let head = self.node.block(At::Latest).await?.ok_or_else(missing)?;
        let number = head.number.to::<u64>();
        let settled = match self.settings.finality {
            Finality::Confirmations(count) => (number + 1).checked_sub(count.get()),
            Finality::Finalized => {
                let block = self.node.block(At::Finalized).await?;
                block.map(|block| block.number.to())
            }
        };
        let address = self.settings.key.address();
        let nonce = self.node.nonce(address, At::Latest).await?;
        self.tell(|status| status.chain_nonce = Some(nonce));
        Ok(Sight {
            head,
            settled,
            nonce,
        })
    }

    /// Requests payouts when their time has come.
    async fn timer(&mut self) -> Result<(), RoundError> {
        let Some(every) = self.settings.every else {
            return Ok(());
        };
        let now = self.service.clock.now();
        let every = u64::try_from(every.as_micros()).unwrap_or(u64::MAX);
        if now.0 < self.last_timer.0.saturating_add(every) || self.settings.dry_run {
            return Ok(());
        }
        self.last_timer = now;
        match self.request(None, Actor::Purser).await {
            Ok(_) => Ok(()),
            Err(RunError::Node(error)) => Err(error.into()),
            Err(RunError::Submit(error)) => Err(error.into()),
            Err(RunError::Ended) => Ok(()),
        }
    }

    /// Requests payouts for everybody who is due, as far as the signer's account covers it.
    async fn request(
        &self,
        id: Option<purser_events::Label>,
        actor: Actor,
    ) -> Result<Reply, RunError> {
        let funds = self.funds().await?;
        let command = Command::RunPayouts(RunPayouts { funds: Some(funds) });
        let outcome = self.one(Submission { command, id, actor }).await;
        fault::point("requested");
        outcome
    }

    pub(super) async fn funds(&self) -> Result<Amount, NodeError> {
        let funds = self.node.balance(self.settings.key.address()).await?;
        self.tell(|status| status.funds = Some(funds));
        Ok(funds)
    }

    async fn resume(&self, asker: &Asker) -> Result<Reply, RunError> {
        let address = self.settings.key.address();
        let latest = self.node.nonce(address, At::Latest).await?;
        let pending = self.node.nonce(address, At::Pending).await?;
        let chain_nonce = latest.max(pending);
        let command = Command::ResumeSigner(ResumeSigner { chain_nonce });
        let (id, actor) = (asker.id.clone(), asker.actor);
        self.one(Submission { command, id, actor }).await
    }

    async fn one(&self, submission: Submission) -> Result<Reply, RunError> {
        let mut outcomes = books::submit(&self.service, vec![submission]).await;
        Ok(outcomes.pop().unwrap_or(Err(SubmitError::Unavailable))?)
    }
}
