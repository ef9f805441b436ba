//! What is shown of a small history.

mod events;
mod history;
mod payers;
mod payouts;
mod statement;
