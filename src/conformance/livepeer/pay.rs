//! Whole payments, through the decisions that the ledger itself makes.

use std::collections::BTreeSet;

use prost::Message;
use purser_commands::command::DeclareAsset;
use purser_commands::ticket::chain::{ObserveChain, ObserveSender};
use purser_commands::ticket::pay::{
    BatchRule, Binding, IssuedSet, Origin, PaidTicket, PayTickets, Recipient, SignatureFact,
};
use purser_commands::{Answer, Command, Execution, execute};
use purser_events::ticket::{SenderFunds, TicketSignature, TicketVerdict};
use purser_events::{Amount, Balance, Event, Label, Micros, Word};
use purser_projections::Books;
use purser_projections::accounts::Account;

use super::price::is_balance;
use super::ticket::payment_of;
use crate::conformance::value::{Mismatch, Node};
use crate::tickets::batch::{self, Batch};
use crate::tickets::desk::{digest, params_of};
use crate::tickets::hash::{commitment, draw};
use crate::tickets::payer_of;
use crate::tickets::signature::signer;

/// Plays the payments of a vector one after the other, by the reference node's batch rule and by
/// its way of deriving what is drawn with.
pub(super) fn payments(input: &Node<'_>, expected: &Node<'_>) -> Result<(), Mismatch> {
    let mut ledger = Ledger::new(input)?;
    let mut results = expected.get("results").list()?;
    for payment in input.get("payments").list()? {
        let missing = || expected.get("results").wrong("is too short");
        let result = results.next().ok_or_else(missing)?;
        ledger.pay(input, &payment, &result)?;
    }
    Ok(())
}

struct Ledger {
    books: Books,
    events: Vec<Event>,
}

fn label(text: &str) -> Label {
    Label::new(text).expect("these texts are short and printable")
}

impl Ledger {
    fn new(input: &Node<'_>) -> Result<Self, Mismatch> {
        let mut ledger = Self {
            books: Books::default(),
            events: Vec::new(),
        };
        let (code, exponent) = (label("ETH"), 18);
        ledger.run(&Command::DeclareAsset(DeclareAsset { code, exponent }));
        ledger.run(&Command::ObserveChain(Box::new(ObserveChain {
            l1_block: input.get("last_l1_block").integer()?,
            round: 3_456,
            round_hash: Word::ZERO,
            gas_price: Amount::ZERO,
            recipient_active: true,
        })));
        Ok(ledger)
    }

    fn run(&mut self, command: &Command) -> Option<Answer> {
        self.events.clear();
        let mut run = Execution {
            books: &mut self.books,
            at: Micros(1),
            events: &mut self.events,
        };
        execute(&mut run, command).ok()
    }

    fn pay(
        &mut self,
        input: &Node<'_>,
        payment: &Node<'_>,
        result: &Node<'_>,
    ) -> Result<(), Mismatch> {
        let wire = payment_of(payment)?.encode_to_vec();
        let batch = batch::read(&wire).map_err(|error| payment.wrong(error.to_string()))?;
        let batch = batch.ok_or_else(|| payment.wrong("holds no tickets"))?;
        let (payer, job) = (
            payer_of(batch.bound.sender),
            label(payment.get("balance_key").text()?),
        );
        if payment.get("sender_error").is_there() {
            let unlock_round = 1;
            let funds = SenderFunds {
                unlock_round,
                ..SenderFunds::default()
            };
            let payer = payer.clone();
            self.run(&Command::ObserveSender(Box::new(ObserveSender {
                payer,
                funds,
            })));
        }
        let block = payment.get("last_l1_block");
        let block = block.is_there().then(|| block.integer()).transpose()?;
        let command = command(input, (&batch, block), (&payer, &job))?;
        let answer = self.run(&command);
        let Some(Answer::Tickets(answer)) = answer else {
            return Err(payment.wrong(format!("was answered with {answer:?}")));
        };
        let verdicts = answer.verdicts.iter().map(|run| run.verdict);
        is_error(result, &verdicts.collect())?;
        let won = |event: &&Event| matches!(event, Event::TicketWon(_));
        let winners = self.events.iter().filter(won).count();
        result.get("queued_winners").is(winners)?;
        let balance = self.balance(&payer, &job);
        let after = result.get("balance_after");
        match balance {
            // The reference node keeps an empty balance for a payment that it refused.
            None if after.text()? != "nil" => after.is_floor(0),
            balance => is_balance(&after, balance),
        }
    }

    fn balance(&self, payer: &Label, job: &Label) -> Option<Balance> {
        let folds = &self.books.projections;
        let job = folds.jobs.named(folds.names.payer(payer)?, job)?;
        let account = Account::Job(job.number);
        Some(folds.accounts.balance(job.asset, account))
    }
}

fn command(
    input: &Node<'_>,
    (batch, l1_block): (&Batch, Option<u64>),
    (payer, job): (&Label, &Label),
) -> Result<Command, Mismatch> {
    let rand = batch.bound.reference_rand(&input.get("secret").bytes()?);
    let ours = commitment(&rand) == batch.rand_hash;
    let tickets = batch.tickets.iter().map(|(nonce, bytes)| {
        let signed = signer(&batch.ticket(*nonce).hash(), bytes) == Ok(batch.bound.sender);
        let won = ours && draw(bytes, &rand) < batch.bound.win_prob;
        let signature: Option<&[u8; 65]> = bytes.as_slice().try_into().ok();
        PaidTicket {
            nonce: *nonce,
            signature: TicketSignature::from_bytes(signature.unwrap_or(&[0; 65])),
            fact: match (signed, won) {
                (false, _) => SignatureFact::Bad,
                (true, true) => SignatureFact::Won,
                (true, false) => SignatureFact::Lost,
            },
        }
    });
    let recipient = match input.get("recipient").address()? == batch.bound.recipient {
        true => Recipient::Ours,
        false => Recipient::Foreign,
    };
    Ok(Command::PayTickets(Box::new(PayTickets {
        payer: payer.clone(),
        job: job.clone(),
        capability: None,
        payer_ref: None,
        set: IssuedSet {
            params: params_of(batch, 1),
            origin: if ours { Origin::Ours } else { Origin::Altered },
            recipient,
            binding: Binding::Free,
        },
        tickets: tickets.collect(),
        l1_block,
        redeem_gas: 0,
        rule: BatchRule::EndAtFirstFailure,
        digest: digest(batch, job),
    })))
}

/// Compares the reference node's error with the verdicts: what each begins with, and which verdicts
/// stand for it.
fn is_error(result: &Node<'_>, verdicts: &BTreeSet<TicketVerdict>) -> Result<(), Mismatch> {
    use TicketVerdict as V;
    let error = result.get("error");
    let stands_for: &[TicketVerdict] = match error.value().as_str() {
        None => {
            let all = verdicts.iter().all(|verdict| verdict.is_credited());
            return if all {
                Ok(())
            } else {
                Err(error.wrong(format!("found {verdicts:?}")))
            };
        }
        Some("TicketParams expired") => &[V::ParamsExpired],
        Some("invalid ticket signature") => &[V::BadSignature],
        Some("invalid recipientRand for ticket recipientRandHash") => &[V::BadCommitment],
        Some(text) if text.starts_with("invalid ticket senderNonce") => {
            // Parameters are one job's here, which is found before their numbers are looked at.
            &[V::ReplayedNonce, V::WrongJob]
        }
        Some(text) if text.contains("set to unlock soon") => &[V::SenderUnlocking],
        Some(other) => return Err(error.wrong(format!("`{other}` is not known"))),
    };
    match stands_for.iter().any(|verdict| verdicts.contains(verdict)) {
        true => Ok(()),
        false => Err(error.wrong(format!("found {verdicts:?}"))),
    }
}
