//! What is shown of a small history.

mod events;
mod grants;
mod history;
mod instructions;
mod matching;
mod payers;
mod payouts;
mod statement;
mod tickets;
