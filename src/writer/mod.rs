//! The one writer: takes commands from a bounded queue, decides them, commits, and only then
//! answers.

pub(crate) mod engine;
mod group;
mod handle;
mod publisher;
mod stats;
mod vigil;

pub use engine::{GENERATION, Start, WriterThread, start};
pub use handle::{Reply, Submission, SubmitError, WriterHandle};
pub use stats::{COMMIT_BUCKETS_US, Counted, WriterStats};
