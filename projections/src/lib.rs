//! The folds: what the facts add up to. Synchronous, deterministic, free of I/O, clocks and
//! randomness; whatever is here is rebuilt by replay and by nothing else.

pub mod accounts;
pub mod analytics;
pub mod books;
pub mod connections;
pub mod fees;
pub mod grants;
pub mod instructions;
pub mod intake;
pub mod jobs;
pub mod matching;
pub mod names;
pub mod order;
pub mod paged;
pub mod payouts;
pub mod policy;
pub mod recall;
pub mod registry;
pub mod report;
pub mod tickets;

mod projections;
mod take_back;

pub use books::Books;
pub use projections::Projections;
