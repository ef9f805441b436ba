//! A batch of tickets pays for a job.

use purser_events::ticket::{
    TicketParams, TicketSetOpened, TicketSignature, TicketVerdict, TicketWon, TicketsTaken,
};
use purser_events::{Amount, Event, Label, Price, TicketSetNo, Wei};
use purser_projections::names::Names;
use purser_projections::recall::{RecallKey, Record};
use purser_projections::tickets::Expected;
use serde::Serialize;

use super::chain::{check_block, newer_block};
use super::judge::{judge, runs};
use super::route::POOL;
use crate::answer::TicketsAnswer;
use crate::jobs::command::JobName;
use crate::jobs::ticketed::{Standing, Ticketed, standing};
use crate::{Answer, Execution, Rejection};

/// Live sets of parameters of one payer at most.
pub const SETS_OF_PAYER_MAX: u32 = 16_384;

/// Live sets of parameters of all payers at most.
pub const SETS_MAX: usize = 262_144;

/// A batch of tickets pays for a job. Signatures, commitment and draw were worked out before: they
/// stand here as facts.
#[derive(Clone, Debug, Serialize)]
pub struct PayTickets {
    /// The sender's name as a payer.
    pub payer: Label,
    /// The job's id.
    pub job: Label,
    /// What the job asks for, where the payment opens it.
    pub capability: Option<Label>,
    /// The payer's own reference.
    pub payer_ref: Option<Label>,
    /// The parameters of the tickets.
    pub set: IssuedSet,
    /// The tickets.
    pub tickets: Vec<PaidTicket>,
    /// The newest L1 block, as the caller sees it.
    pub l1_block: Option<u64>,
    /// Gas that a redemption takes.
    pub redeem_gas: u64,
    /// What a bad ticket means for those behind it.
    pub rule: BatchRule,
    /// The first half of a SHA-256 of the signed tickets and the job.
    pub digest: [u8; 16],
}

/// The parameters of a batch, and what was found out about them.
#[derive(Clone, Debug, Serialize)]
pub struct IssuedSet {
    /// What they say.
    pub params: TicketParams,
    /// Who issued them.
    pub origin: Origin,
    /// Whom they pay.
    pub recipient: Recipient,
    /// Which job they were quoted for.
    pub binding: Binding,
}

/// Who issued parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Origin {
    /// We did, as they are.
    Ours,
    /// We did, and they were altered since.
    Altered,
    /// Nobody that we know.
    Unknown,
}

/// Whom parameters pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Recipient {
    /// Our recipient.
    Ours,
    /// Somebody else.
    Foreign,
}

/// Which job parameters were quoted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Binding {
    /// None: the first that they pay is theirs.
    Free,
    /// The job that is paid.
    ThisJob,
    /// Another one.
    OtherJob,
}

/// A ticket of a batch.
#[derive(Clone, Debug, Serialize)]
pub struct PaidTicket {
    /// Its number among those of its set.
    pub nonce: u32,
    /// Its signature.
    pub signature: TicketSignature,
    /// What the signature says.
    pub fact: SignatureFact,
}

/// What a signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum SignatureFact {
    /// It is not the sender's.
    Bad,
    /// It is the sender's, and its draw did not win.
    Lost,
    /// It is the sender's, and its draw won.
    Won,
}

/// What a bad ticket means for those behind it in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum BatchRule {
    /// Nothing: each good ticket counts.
    EachByItself,
    /// None of them counts, though their numbers are used up: the reference node's rule.
    EndAtFirstFailure,
}

impl PayTickets {
    /// Names every record of history that the decision looks at.
    pub(crate) fn recall(&self, names: &Names, mut each: impl FnMut(RecallKey)) {
        each(RecallKey::of_tickets(&self.digest));
        if let Some(payer) = names.payer(&self.payer) {
            each(RecallKey::of_job(payer, &self.job));
        }
    }
}

pub(crate) fn pay(run: &mut Execution<'_>, pay: &PayTickets) -> Result<Answer, Rejection> {
    let key = RecallKey::of_tickets(&pay.digest);
    if let Some(Record::Command(seen)) = run.books.recalled.get(&key).as_deref() {
        return Ok(Answer::Before(*seen));
    }
    if let Some(block) = pay.l1_block {
        check_block(run.books, block)?;
    }
    let sets = &run.books.projections.tickets.sets;
    let set = sets.find(&pay.set.params.rand_hash);
    let verdicts = judge(run.books, pay, set.map(|(_, set)| set));
    let number = set.map(|(number, _)| number);
    if !verdicts.iter().any(|verdict| verdict.uses_nonce()) {
        let verdicts = runs(pay, &verdicts);
        return Ok(Answer::Tickets(Box::new(TicketsAnswer::refused(verdicts))));
    }
    if number.is_none() {
        check_room(run, pay)?;
    }
    take(run, pay, &verdicts, number)
}

/// Whether one more set may live.
fn check_room(run: &Execution<'_>, pay: &PayTickets) -> Result<(), Rejection> {
    let folds = &run.books.projections;
    let payer = folds.names.payer(&pay.payer);
    let of_payer = payer.map_or(0, |payer| folds.tickets.sets.of_payer(payer));
    if of_payer >= SETS_OF_PAYER_MAX || folds.tickets.sets.len() >= SETS_MAX {
        return Err(Rejection::TooManyTicketSets);
    }
    Ok(())
}

/// What a batch leads to, once nothing speaks against it any more.
fn take(
    run: &mut Execution<'_>,
    pay: &PayTickets,
    verdicts: &[TicketVerdict],
    number: Option<TicketSetNo>,
) -> Result<Answer, Rejection> {
    let mut opening = Vec::new();
    let standing = standing(run.books, ticketed(pay), &mut opening)?;
    let credited = credited(run, pay, verdicts, &standing)?;
    let settled = standing.debt.min(credited);
    let job = standing.job;
    let block = pay.l1_block.and_then(|block| newer_block(run.books, block));
    opening
        .into_iter()
        .chain(block)
        .for_each(|event| run.happen(event));
    let set = number.unwrap_or_else(|| {
        run.happen(Event::TicketSetOpened(Box::new(TicketSetOpened {
            payer: job.payer,
            job: job.number,
            params: pay.set.params.clone(),
        })));
        run.books.projections.position.into()
    });
    let batch = pay.tickets.iter().zip(verdicts);
    let won: Vec<_> = batch
        .filter(|(ticket, verdict)| ticket.fact == SignatureFact::Won && verdict.uses_nonce())
        .map(|(ticket, _)| ticket)
        .collect();
    let taken = TicketsTaken {
        set,
        job,
        payment: pay.digest,
        verdicts: runs(pay, verdicts),
        winners: won.len() as u32,
        credited,
        settled,
        payer_ref: pay.payer_ref.clone(),
        balance: standing.balance.plus(credited).minus(settled),
    };
    let answer = TicketsAnswer::of(&taken);
    run.happen(Event::TicketsTaken(Box::new(taken)));
    for ticket in won {
        run.happen(Event::TicketWon(Box::new(TicketWon {
            set,
            nonce: ticket.nonce,
            signature: ticket.signature,
            face_value: pay.set.params.face_value,
        })));
    }
    Ok(Answer::Tickets(Box::new(answer)))
}

/// The job that the tickets open where there is none: at the price that was quoted. A pool of
/// tickets is for all that its payer will ever ask for, and so is never idle.
fn ticketed(pay: &PayTickets) -> Ticketed {
    let params = &pay.set.params;
    let denominator = u32::try_from(params.price_denominator).ok();
    let numerator = Amount(params.price_numerator.into());
    let (payer, id) = (pay.payer.clone(), pay.job.clone());
    let is_pool = id.as_str().starts_with(POOL);
    Ticketed {
        job: JobName { payer, id },
        price: denominator.and_then(|denominator| Price::new(numerator, denominator)),
        capability: pay.capability.clone(),
        payer_ref: pay.payer_ref.clone(),
        timeout_sec: is_pool.then_some(u32::MAX),
    }
}

/// What the job is credited: the whole wei of all that its tickets were ever worth together, less
/// what it was credited before.
fn credited(
    run: &Execution<'_>,
    pay: &PayTickets,
    verdicts: &[TicketVerdict],
    standing: &Standing,
) -> Result<Amount, Rejection> {
    let count = verdicts
        .iter()
        .filter(|verdict| verdict.is_credited())
        .count();
    let count = u32::try_from(count).map_err(|_| Rejection::AmountTooLarge)?;
    let params = &pay.set.params;
    let worth = Expected::of(Wei(params.face_value.0), params.win_prob).times(count);
    let worth = worth.ok_or(Rejection::AmountTooLarge)?;
    let owed = run
        .books
        .projections
        .tickets
        .owed(standing.job.number, worth);
    let credited = Amount(owed.floor().0);
    if credited > Amount::MAX {
        return Err(Rejection::AmountTooLarge);
    }
    Ok(credited)
}
