//! The program as a person or a script meets it: arguments, exit codes, output.

mod balances;
mod books;
mod checklist;
mod completions;
mod configuration;
mod conformance;
mod events;
#[path = "../gateway/mod.rs"]
mod gateway;
mod gateways;
mod intake;
mod ledger;
mod online;
mod operations;
mod pool;
mod probes;
mod run;
mod sample;
mod serve;
mod tls;
mod traffic;
mod usage;
