//! What is shown of a small history.

mod events;
mod history;
mod payers;
mod statement;
