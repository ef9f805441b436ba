//! The one writer: takes commands from a bounded queue, decides, commits, and only then answers.

mod handle;

pub use handle::{Reply, Submission, SubmitError, WriterHandle};
