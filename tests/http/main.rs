//! The surface over real HTTP: every route, with its statuses and codes.

mod limits;
mod miners;
mod policy;
mod server;
mod shape;
mod status;
