//! Which tickets of a batch count.

use purser_events::ticket::{TicketVerdict, VerdictRun};
use purser_events::{Amount, Label};
use purser_projections::Books;
use purser_projections::tickets::{Nonces, TicketSet};

use crate::jobs::command::JobName;
use crate::jobs::ticketed;

use super::pay::{BatchRule, Binding, Origin, PayTickets, Recipient, SignatureFact};

/// A verdict on each ticket, in the order of the batch.
pub(super) fn judge(
    books: &Books,
    pay: &PayTickets,
    set: Option<&TicketSet>,
) -> Vec<TicketVerdict> {
    if let Some(verdict) = of_set(books, pay, set) {
        return vec![verdict; pay.tickets.len()];
    }
    let mut nonces = set.map_or_else(Nonces::default, |set| set.nonces.clone());
    let mut failed = false;
    let mut verdicts = Vec::with_capacity(pay.tickets.len());
    for ticket in &pay.tickets {
        let verdict = of_ticket(ticket.fact, ticket.nonce, &nonces);
        let after = failed && verdict.is_credited() && pay.rule == BatchRule::EndAtFirstFailure;
        let verdict = if after {
            TicketVerdict::AfterFailure
        } else {
            verdict
        };
        if verdict.uses_nonce() {
            nonces.take(ticket.nonce);
        } else {
            failed = true;
        }
        verdicts.push(verdict);
    }
    verdicts
}

fn of_ticket(fact: SignatureFact, nonce: u32, nonces: &Nonces) -> TicketVerdict {
    if fact == SignatureFact::Bad {
        TicketVerdict::BadSignature
    } else if nonces.holds(nonce) {
        TicketVerdict::ReplayedNonce
    } else if nonces.is_full() {
        TicketVerdict::NonceLimit
    } else if fact == SignatureFact::Won {
        TicketVerdict::CreditedWon
    } else {
        TicketVerdict::Credited
    }
}

/// What is wrong with the parameters, and so with every ticket of the batch; in the order of the
/// checks.
fn of_set(books: &Books, pay: &PayTickets, set: Option<&TicketSet>) -> Option<TicketVerdict> {
    use TicketVerdict as V;
    let tickets = &books.projections.tickets;
    let params = &pay.set.params;
    let block = tickets.chain.last_block().max(pay.l1_block.unwrap_or(0));
    let state = tickets.chain.state();
    let refusals = [
        (is_unlocking(books, &pay.payer), V::SenderUnlocking),
        (pay.set.recipient == Recipient::Foreign, V::WrongRecipient),
        (params.sender.0 == [0; 20], V::WrongSender),
        (pay.set.origin == Origin::Unknown, V::NotIssued),
        (pay.set.origin == Origin::Altered, V::BadCommitment),
        (is_of_other_job(books, pay, set), V::WrongJob),
        (params.expiration_block <= block, V::ParamsExpired),
        (
            state.is_some_and(|state| !state.recipient_active),
            V::RecipientInactive,
        ),
        (is_uneconomic(books, pay), V::UneconomicFaceValue),
    ];
    let first = refusals.into_iter().find(|(applies, _)| *applies);
    first.map(|(_, verdict)| verdict)
}

/// Whether the sender may take its funds back before the next round ends.
fn is_unlocking(books: &Books, payer: &Label) -> bool {
    let folds = &books.projections;
    let payer = folds.names.payer(payer);
    let funds = payer.and_then(|payer| folds.tickets.chain.funds(payer));
    let round = folds.tickets.chain.state().map_or(0, |state| state.round);
    funds.is_some_and(|funds| {
        funds.unlock_round > 0 && funds.unlock_round <= round.saturating_add(1)
    })
}

/// Parameters are for the job that they were quoted for, or else for the first that they pay.
fn is_of_other_job(books: &Books, pay: &PayTickets, set: Option<&TicketSet>) -> bool {
    if pay.set.binding == Binding::OtherJob {
        return true;
    }
    let Some(set) = set else { return false };
    let (payer, id) = (pay.payer.clone(), pay.job.clone());
    let job = ticketed::named(books, &JobName { payer, id });
    job.is_none_or(|job| job.number != set.job)
}

/// Whether a winner pays no more than what its redemption costs.
fn is_uneconomic(books: &Books, pay: &PayTickets) -> bool {
    let face_value = pay.set.params.face_value;
    let state = books.projections.tickets.chain.state();
    let cost = state.map_or(Amount::ZERO, |state| {
        Amount(state.gas_price.0.saturating_mul(pay.redeem_gas.into()))
    });
    face_value <= cost
}

/// Verdicts of tickets whose numbers follow one another become one.
pub(super) fn runs(pay: &PayTickets, verdicts: &[TicketVerdict]) -> Vec<VerdictRun> {
    let mut runs: Vec<VerdictRun> = Vec::new();
    for (ticket, verdict) in pay.tickets.iter().zip(verdicts) {
        let (nonce, verdict) = (ticket.nonce, *verdict);
        match runs.last_mut() {
            Some(run)
                if run.verdict == verdict && run.nonce.checked_add(run.count) == Some(nonce) =>
            {
                run.count += 1;
            }
            _ => runs.push(VerdictRun {
                nonce,
                count: 1,
                verdict,
            }),
        }
    }
    runs
}
