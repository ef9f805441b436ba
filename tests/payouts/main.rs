//! Payouts against a real node of a chain, with the real program killed wherever it may be.
//!
//! `PURSER_PAYOUT_ROUNDS=N` crosses every fault with every place to die N times, each round a
//! little later; `PURSER_PAYOUT_LANES=N` runs N chains side by side.

mod audit;
mod case;
mod chain;
mod faults;
mod matrix;
mod nodes;
mod program;
mod proxy;
mod sample;
mod show;
mod speed;
