//! The routes, by subject.

pub(crate) mod accounts;
pub(crate) mod analytics;
pub(crate) mod balances;
pub(crate) mod capabilities;
pub(crate) mod clock;
pub(crate) mod commands;
pub(crate) mod events;
pub(crate) mod fees;
pub(crate) mod funds;
pub(crate) mod grants;
pub(crate) mod health;
pub(crate) mod instructions;
pub(crate) mod intake;
pub(crate) mod jobs;
pub(crate) mod matching;
pub(crate) mod miners;
pub(crate) mod payer_statement;
pub(crate) mod payouts;
pub(crate) mod policy;
pub(crate) mod pool;
pub(crate) mod registry;
pub(crate) mod standing;
pub(crate) mod statement;
pub(crate) mod status;
pub(crate) mod stream;
