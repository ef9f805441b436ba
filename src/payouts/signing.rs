//! Signing: fees within the limit, funds that cover it, and the log before anybody else.

use purser_commands::Command;
use purser_commands::payout::SignPayout;
use purser_events::{Amount, PayoutNo, Wei};
use purser_projections::payouts::{OpenPayout, Signer};

use super::books::{self, Work};
use super::fault;
use super::key::Transfer;
use super::node::NodeError;
use super::runner::{RoundError, Runner, Sight};

/// So many transfers are signed in one commit.
const BATCH: usize = 1_000;

/// What a unit of gas costs now.
#[derive(Clone, Copy, Debug)]
struct Fees {
    base: Wei,
    tip: Wei,
}

impl Fees {
    async fn now(runner: &Runner, sight: &Sight) -> Result<Self, NodeError> {
        let base = sight.head.base_fee_per_gas.unwrap_or_default();
        Ok(Self {
            base: Wei(base.to()),
            tip: runner.node.tip().await?,
        })
    }

    /// What a transfer needs at least to be taken into a block.
    const fn least(&self) -> u128 {
        self.base.0.saturating_add(self.tip.0)
    }

    /// Room for the base fee to double, within the limit.
    fn offer(&self, most: Wei) -> Wei {
        let wanted = self.base.0.saturating_mul(2).saturating_add(self.tip.0);
        Wei(wanted.min(most.0))
    }
}

/// Signs what was requested, and what waits too long anew; whether anything was signed. All of it
/// is durable before this returns.
pub(super) async fn sign(runner: &Runner, work: &Work, sight: &Sight) -> Result<bool, RoundError> {
    let Some(signer) = work.signer.filter(|signer| signer.stopped.is_none()) else {
        runner.tell(|status| status.deferred = None);
        return Ok(false);
    };
    let stuck = replaceable(runner, work, sight);
    if work.requested.is_empty() && stuck.is_none() {
        runner.tell(|status| status.deferred = None);
        return Ok(false);
    }
    check_nonce(work, &signer, sight)?;
    let fees = Fees::now(runner, sight).await?;
    let mut round = Round {
        runner,
        signer,
        fees,
        commands: Vec::new(),
        deferred: None,
    };
    if let Some((number, payout)) = stuck {
        round.replace(number, payout);
    }
    if sight.nonce <= signer.next_nonce {
        round.first_time(work).await?;
    } else {
        round.deferred = Some("the key made a transaction that the log does not know".into());
    }
    let Round {
        commands, deferred, ..
    } = round;
    runner.tell(|status| status.deferred = deferred);
    if commands.is_empty() {
        return Ok(false);
    }
    fault::point("before_signed");
    let signed = books::report(&runner.service, commands).await?;
    fault::point("signed");
    Ok(signed)
}

/// A chain that counts fewer transactions than landed for good is behind, or another one.
fn check_nonce(work: &Work, signer: &Signer, sight: &Sight) -> Result<(), RoundError> {
    let pending = work.signed.len() as u64;
    let landed = signer.next_nonce - pending.min(signer.next_nonce);
    if sight.nonce < landed {
        let chain = sight.nonce;
        return Err(RoundError::ChainBehind { chain, log: landed });
    }
    Ok(())
}

/// The lowest nonce that waits, when it waits for too long.
fn replaceable<'a>(
    runner: &Runner,
    work: &'a Work,
    sight: &Sight,
) -> Option<(PayoutNo, &'a OpenPayout)> {
    let (number, payout) = work.signed.iter().find(|(_, payout)| payout.is_pending())?;
    let waits = payout.nonce.is_some_and(|nonce| nonce >= sight.nonce);
    let since = payout.attempts.last()?.signed_at;
    let patience = u64::try_from(runner.settings.replace_after.as_micros()).unwrap_or(u64::MAX);
    let late = runner.service.clock.now().0 >= since.0.saturating_add(patience);
    (waits && late).then_some((*number, payout))
}

/// What is signed in one round.
struct Round<'a> {
    runner: &'a Runner,
    signer: Signer,
    fees: Fees,
    commands: Vec<Command>,
    deferred: Option<String>,
}

impl Round<'_> {
    /// Signs the same transfer with higher fees, under the same nonce.
    fn replace(&mut self, number: PayoutNo, payout: &OpenPayout) {
        let most = self.runner.settings.gas_price_max;
        let (Some(latest), Some(nonce)) = (payout.attempts.last(), payout.nonce) else {
            return;
        };
        // Nodes take a replacement that pays an eighth more, whatever they are.
        let more = |fee: Wei| fee.0.saturating_add(fee.0.div_ceil(8)).max(1);
        let max_fee = Wei(more(latest.max_fee).max(self.fees.offer(Wei(u128::MAX)).0));
        let tip = Wei(more(latest.tip).max(self.fees.tip.0).min(max_fee.0));
        let max_fee = Wei(max_fee.0.min(most.0));
        if max_fee.0 < more(latest.max_fee) || tip > max_fee {
            self.deferred = Some(format!("a replacement would cost more than {most} per gas"));
            return;
        }
        self.push(number, payout, (nonce, max_fee, tip, latest.gas_limit));
    }

    /// Signs what was requested, as far as fees and funds allow.
    async fn first_time(&mut self, work: &Work) -> Result<(), RoundError> {
        let most = self.runner.settings.gas_price_max;
        if work.requested.is_empty() {
            return Ok(());
        }
        if self.fees.least() > most.0 {
            let least = self.fees.least();
            self.deferred = Some(format!("gas costs {least}, the limit is {most}"));
            return Ok(());
        }
        let mut funds = self.free_funds(work).await?;
        let (max_fee, tip) = (self.fees.offer(most), self.fees.tip);
        let mut nonce = self.signer.next_nonce;
        for (number, payout) in work.requested.iter().take(BATCH) {
            let Some(gas_limit) = self.gas_limit(payout).await? else {
                continue;
            };
            let gas = Amount(max_fee.0.saturating_mul(gas_limit.into()));
            let cost = Amount(payout.amount.0.saturating_add(gas.0));
            if cost > funds {
                self.deferred = Some(format!(
                    "the account of {} does not cover the next payout",
                    self.signer.address
                ));
                break;
            }
            funds = funds.minus(cost);
            self.push(*number, payout, (nonce, max_fee, tip, gas_limit));
            nonce += 1;
        }
        Ok(())
    }

    /// What the account holds, less what was signed and may still leave it.
    async fn free_funds(&self, work: &Work) -> Result<Amount, NodeError> {
        let funds = self.runner.funds().await?;
        let pending = work.signed.iter().filter(|(_, payout)| payout.is_pending());
        let bound = pending.map(|(_, payout)| {
            let gas = payout.attempts.iter().map(|one| one.gas_max().0).max();
            payout.amount.0.saturating_add(gas.unwrap_or(0))
        });
        let bound = bound.fold(0u128, u128::saturating_add);
        Ok(Amount(funds.0.saturating_sub(bound)))
    }

    /// How much gas a transfer may use: a quarter more than it would use now. `None` while the
    /// chain would not take it.
    async fn gas_limit(&mut self, payout: &OpenPayout) -> Result<Option<u64>, RoundError> {
        let Some(to) = payout.address else {
            return Ok(None);
        };
        let estimate = self
            .runner
            .node
            .estimate(self.signer.address, to, payout.amount)
            .await;
        let most = self.runner.settings.gas_limit;
        match estimate {
            Ok(gas) if gas <= most => Ok(Some(gas.saturating_add(gas / 4).min(most))),
            Ok(gas) => {
                self.deferred = Some(format!("a transfer to {to} would use {gas} gas"));
                Ok(None)
            }
            Err(error @ NodeError::Refused { .. }) => {
                tracing::warn!(%to, %error, "a payout waits: the chain would not take it");
                self.deferred = Some(format!("the chain would not take a transfer to {to}"));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn push(
        &mut self,
        payout: PayoutNo,
        open: &OpenPayout,
        (nonce, max_fee, tip, gas_limit): (u64, Wei, Wei, u64),
    ) {
        let Some(to) = open.address else {
            return;
        };
        let transfer = Transfer {
            chain_id: self.signer.chain_id,
            nonce,
            to,
            amount: open.amount,
            max_fee,
            tip: tip.min(max_fee),
            gas_limit,
        };
        let signed = self.runner.settings.key.sign(&transfer);
        self.commands.push(Command::SignPayout(Box::new(SignPayout {
            payout,
            nonce,
            hash: signed.hash,
            max_fee,
            tip: transfer.tip,
            gas_limit,
            raw: signed.raw,
        })));
    }
}
