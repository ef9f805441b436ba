//! The surface over real HTTP: every route, with its statuses and codes.

mod batch;
mod faults;
#[path = "../gateway/mod.rs"]
mod gateway;
mod grants;
mod intake;
mod jobs;
mod limits;
mod log;
mod malformed;
mod matching;
mod miners;
mod payouts;
mod policy;
mod probes;
mod scenarios;
mod server;
mod shape;
mod sockets;
mod sponsors;
mod status;
mod tickets;
