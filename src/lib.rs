//! Purser, the book of record of a compute pool: the world around the pure core. Sockets, disk,
//! keys, configuration and metrics live here; business rules and arithmetic on money never do.

pub mod analytics;
pub mod archive;
mod background;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod conformance;
pub mod delivery;
pub mod export;
pub mod hex;
pub mod http;
pub mod intake;
pub mod keys;
pub mod log;
pub mod match_stats;
pub mod metrics;
pub mod objects;
pub mod payouts;
pub mod recall;
pub mod render;
pub mod service;
pub mod session;
pub mod simulate;
pub mod tickets;
pub mod tls;
pub mod view;
pub mod what_if;
pub mod writer;
