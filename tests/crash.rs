//! The crash lattice: after every operation on the disk, every kind of image that a power cut could
//! leave is built and started through the real start-up path.
//!
//! `PURSER_CRASH_DEEP=N` builds N times as many random images, `PURSER_CRASH_ROUNDS=N` makes the
//! run longer, `PURSER_CRASH_SEED=S` makes other random choices.

#[path = "crash/adopt.rs"]
mod adopt;
#[path = "crash/check.rs"]
mod check;
#[path = "crash/disk.rs"]
mod disk;
#[path = "crash/images.rs"]
mod images;
#[path = "crash/lattice.rs"]
mod lattice;
#[path = "crash/random.rs"]
mod random;
#[path = "crash/run.rs"]
mod run;
