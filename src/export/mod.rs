//! What goes out of the books by itself.

mod columns;
mod dashboards;
mod dataset;
pub mod tar;

pub use dashboards::{Dashboards, Parts, Settings};
pub use dataset::{Checkpoint, Dataset, DatasetError, DatasetForm, NEXT_FILE, Span};
