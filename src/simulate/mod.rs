//! A simulated pool: workers that register and beat, and the files that their orchestrators
//! deliver. The same plan gives the same bytes on every machine.

mod drive;
mod jobs;
mod pool;
mod random;

#[cfg(test)]
mod tests;

pub use drive::{Driven, Step, drive};
pub use pool::{Delivered, Plan, Pool, SimulatedWorker};
