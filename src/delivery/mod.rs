//! Files of a bucket on their way into the books: what is there, what was taken in already, what
//! is to be fetched, copied to the archive and handed to the writer.
//!
//! What was taken in is known for ever by the log. The inventory only spares us from fetching it
//! again: when it is lost, everything is fetched once more, and nothing is counted twice.

mod archive;
mod fetch;
mod gaps;
mod inventory;
mod pass;
mod runner;
mod status;

use std::sync::Arc;

pub use archive::Archive;
pub use inventory::{Inventory, InventoryError};
pub use pass::{Limits, Pass, PassError, Passed, Taken};
pub use runner::{Parts, Runner, RunnerSettings};
pub use status::IntakeStatus;

use crate::objects::Objects;

/// A bucket of event files.
#[derive(Clone, Debug)]
pub struct Source {
    /// The bucket.
    pub bucket: Arc<dyn Objects>,
    /// What the keys of its files begin with.
    pub prefix: String,
    /// Where each file is copied before it is taken in.
    pub archive: Option<Archive>,
}
