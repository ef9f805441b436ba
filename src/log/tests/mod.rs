//! What all logs do alike, and what each does by itself.

mod conformance;
mod directory;
mod faults;
mod golden;
mod pruning;
mod ranges;
mod samples;
mod sealing;
mod verifying;
