//! What somebody saw of the chain.

use purser_events::ticket::{
    BlockObserved, ChainObserved, SenderFunds, SenderObserved, TicketSecretAdded,
};
use purser_events::{Amount, Event, Label, Word};
use purser_projections::Books;
use purser_projections::tickets::ChainState;
use serde::Serialize;

use crate::jobs::find;
use crate::{Answer, Rejection};

/// A block may be so far above the newest known one, and no further: a figure that is no block
/// would let every set of parameters expire, for ever.
pub const BLOCKS_AHEAD_MAX: u64 = 1_000_000;

/// The first block that is told of may be so high, and [`BLOCKS_AHEAD_MAX`] more.
pub const FIRST_BLOCK_MAX: u64 = 100_000_000;

/// Say where the chain stands.
#[derive(Clone, Debug, Serialize)]
pub struct ObserveChain {
    /// The newest L1 block.
    pub l1_block: u64,
    /// The round.
    pub round: u64,
    /// The hash of the round's first L1 block.
    pub round_hash: Word,
    /// What gas costs, in wei.
    pub gas_price: Amount,
    /// Whether tickets of this round can be redeemed by their recipient.
    pub recipient_active: bool,
}

/// Say which funds a sender has on the chain.
#[derive(Clone, Debug, Serialize)]
pub struct ObserveSender {
    /// The sender's name as a payer.
    pub payer: Label,
    /// Its funds.
    pub funds: SenderFunds,
}

pub(crate) fn observe(
    books: &Books,
    seen: &ObserveChain,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let chain = &books.projections.tickets.chain;
    check_block(books, seen.l1_block)?;
    let state = ChainState {
        round: seen.round,
        round_hash: seen.round_hash,
        gas_price: seen.gas_price,
        recipient_active: seen.recipient_active,
    };
    if chain.state() == Some(state) {
        let Some(event) = newer_block(books, seen.l1_block) else {
            return Ok(Answer::Unchanged);
        };
        into.push(event);
        return Ok(Answer::Done);
    }
    into.push(Event::ChainObserved(Box::new(ChainObserved {
        l1_block: seen.l1_block,
        round: seen.round,
        round_hash: seen.round_hash,
        gas_price: seen.gas_price,
        recipient_active: seen.recipient_active,
    })));
    Ok(Answer::Done)
}

/// Refuses a figure that cannot be a block.
pub(super) fn check_block(books: &Books, block: u64) -> Result<(), Rejection> {
    let last = books.projections.tickets.chain.last_block();
    let most = last.max(FIRST_BLOCK_MAX).saturating_add(BLOCKS_AHEAD_MAX);
    if block > most {
        return Err(Rejection::BlockTooFar);
    }
    Ok(())
}

/// The event that a block is newer than all that was told of, if it is.
pub(super) fn newer_block(books: &Books, l1_block: u64) -> Option<Event> {
    let last = books.projections.tickets.chain.last_block();
    (l1_block > last).then_some(Event::BlockObserved(BlockObserved { l1_block }))
}

pub(crate) fn observe_sender(
    books: &Books,
    seen: &ObserveSender,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let folds = &books.projections;
    if let Some(payer) = folds.names.payer(&seen.payer)
        && folds.tickets.chain.funds(payer) == Some(seen.funds)
    {
        return Ok(Answer::Unchanged);
    }
    let mut events = Vec::new();
    let payer = find::payer(books, &seen.payer, &mut events);
    let funds = seen.funds;
    events.push(Event::SenderObserved(Box::new(SenderObserved {
        payer,
        funds,
    })));
    into.append(&mut events);
    Ok(Answer::Done)
}

pub(crate) fn add_secret(books: &Books, secret: u16, into: &mut Vec<Event>) -> Answer {
    if secret <= books.projections.tickets.chain.secret() {
        return Answer::Unchanged;
    }
    into.push(Event::TicketSecretAdded(TicketSecretAdded { secret }));
    Answer::Done
}
