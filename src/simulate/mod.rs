//! A simulated pool: workers that register and beat, and the files that their orchestrators
//! deliver. The same plan gives the same bytes on every machine.

mod coordinate;
mod drive;
mod jobs;
mod line;
mod pool;
mod random;
mod runs;

#[cfg(test)]
mod tests;

pub use drive::{Driven, Step, drive};
pub use pool::{Delivered, Plan, Pool, SimulatedWorker};
pub use runs::Run;
