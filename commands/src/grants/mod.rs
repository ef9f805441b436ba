//! Grants: requests that pools of generosity pay for, in whole or in part.
//!
//! Two phases: what is granted is held before the work begins, and what was used of it is settled
//! when the work has ended. Nothing runs on a promise: without a hold of the quoted size there is
//! no discount. Where a pool has run dry between a quote and its payment, the payment goes back in
//! full and the request is void.

pub mod answer;
pub mod command;
pub mod offer;

mod close;
mod confirm;
mod decide;
mod find;
pub(crate) mod on_job;
mod pools;
mod recall;
mod settle;

use purser_events::grant::{GrantRule, Tier};
use purser_events::{Amount, Event, Micros};
use purser_projections::Books;
use purser_projections::grants::SCORE_MAX;

use crate::policy::{LONGEST_MS, SHORTEST_MS};
use crate::{Answer, Rejection};
pub use command::GrantCommand;

/// Pools of generosity that there may be.
pub const POOLS_MAX: usize = 64;

/// Whether a rule may have this value. Everybody begins at the lowest tier, so it takes no score.
pub(crate) fn in_range(rule: GrantRule) -> bool {
    match rule {
        GrantRule::Budget(_, amount) | GrantRule::Paid(_, amount) => amount <= Amount::MAX,
        GrantRule::Score(Tier::New, score) => score == 0,
        GrantRule::Score(_, score) => (1..=SCORE_MAX).contains(&score),
        GrantRule::PaidShare(_) | GrantRule::CreditShare(_) => true,
        GrantRule::QuoteTtlMs(ms) | GrantRule::HoldTtlMs(ms) => {
            (SHORTEST_MS..=LONGEST_MS).contains(&ms)
        }
    }
}

/// The pure choice on a command about grants.
pub(crate) fn decide(
    books: &Books,
    at: Micros,
    command: &GrantCommand,
    into: &mut Vec<Event>,
) -> Result<Answer, Rejection> {
    let mut events = Vec::new();
    let answer = match command {
        GrantCommand::Decide(decide) => decide::decide(books, at, decide, &mut events)?,
        GrantCommand::Confirm(confirm) => confirm::confirm(books, at, confirm, &mut events)?,
        GrantCommand::Settle(settle) => settle::settle(books, settle, &mut events)?,
        GrantCommand::Release(release) => close::release(books, release, &mut events)?,
        GrantCommand::Expire(grant) => close::expire(books, at, *grant, &mut events)?,
        GrantCommand::RefundCharge(refund) => close::refund(books, refund, &mut events)?,
        GrantCommand::Find(request) => find::request(books, request)?,
        GrantCommand::OpenPool(open) => pools::open(books, open, &mut events)?,
        GrantCommand::OrderPools(names) => pools::order(books, names, &mut events)?,
        GrantCommand::TopUp(top_up) => pools::top_up(books, top_up, &mut events)?,
        GrantCommand::SetTier(set) => pools::set_tier(books, set, &mut events),
    };
    into.append(&mut events);
    Ok(answer)
}
