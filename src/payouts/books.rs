//! What the runner reads of the ledger, and how it reports: a commit for many payouts at once.

use std::time::Duration;

use purser_commands::payout::{ObservePayout, Seen};
use purser_commands::{Answer, Command};
use purser_events::payout::Rail;
use purser_events::{Actor, PayoutNo};
use purser_projections::payouts::{OpenPayout, PayoutState, Signer};

use super::runner::RoundError;
use crate::service::Service;
use crate::writer::{Reply, Submission, SubmitError};

/// How long the read side may take to fold in what the runner reported.
const PUBLISH_WAIT: Duration = Duration::from_secs(30);

/// How long the runner waits for room in the queue, or space on the disk.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// How often it does.
const BUSY_TRIES: u32 = 40;

/// A payout on chain that is not finished, as of one moment.
pub(super) type Open = (PayoutNo, OpenPayout);

/// What the runner works on.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) signer: Option<Signer>,
    /// Payouts that nothing is signed for, by number.
    pub(super) requested: Vec<Open>,
    /// Payouts whose transaction may be on its way, by nonce.
    pub(super) signed: Vec<Open>,
}

/// What the ledger says now.
pub(super) fn read(service: &Service) -> Work {
    let folds = service.view.read();
    let payouts = &folds.payouts;
    let own = |(number, payout): (PayoutNo, &OpenPayout)| (number, payout.clone());
    let requested = payouts
        .all_open()
        .filter(|(_, payout)| payout.rail == Rail::Chain && payout.state == PayoutState::Requested);
    Work {
        signer: payouts.signer().copied(),
        requested: requested.map(own).collect(),
        signed: payouts.signed_payouts().map(own).collect(),
    }
}

/// An observation as a command.
pub(super) fn seen(payout: PayoutNo, seen: Seen) -> Command {
    Command::ObservePayout(Box::new(ObservePayout { payout, seen }))
}

/// Reports all of it in as few commits as the writer makes of it, and waits until the read side
/// knows; whether anything was new. What the rules refuse was overtaken by something newer, and the
/// next look tells; where nothing else was reported, it is an error.
pub(super) async fn report(service: &Service, commands: Vec<Command>) -> Result<bool, RoundError> {
    if commands.is_empty() {
        return Ok(false);
    }
    let submission = |command| Submission {
        command,
        id: None,
        actor: Actor::Purser,
    };
    let submissions: Vec<Submission> = commands.into_iter().map(submission).collect();
    let (mut moved, mut refused) = (false, None);
    for outcome in submit(service, submissions).await {
        match outcome {
            Ok(reply) => moved |= reply.answer == Answer::Done,
            Err(SubmitError::Rejected(why)) => refused = Some(why),
            Err(error) => return Err(error.into()),
        }
    }
    match refused {
        Some(why) if !moved => Err(RoundError::Refused(why.code())),
        _ => Ok(moved),
    }
}

/// Submits in one go, tries again while the writer is busy, and waits for the read side.
pub(super) async fn submit(
    service: &Service,
    submissions: Vec<Submission>,
) -> Vec<Result<Reply, SubmitError>> {
    let mut tries = 0;
    loop {
        let outcomes = service.writer.submit_all(submissions.clone(), false).await;
        let busy = |one: &Result<Reply, SubmitError>| {
            matches!(one, Err(SubmitError::Busy | SubmitError::ReadOnly))
        };
        tries += 1;
        if tries == BUSY_TRIES || !outcomes.iter().all(busy) {
            let last = outcomes.iter().flatten().map(|reply| reply.position).max();
            if let Some(position) = last {
                service.view.reached(position, PUBLISH_WAIT).await;
            }
            return outcomes;
        }
        tokio::time::sleep(BUSY_PAUSE).await;
    }
}
