//! What goes out of the books by itself.

mod columns;
mod dashboards;
mod dataset;

pub use dashboards::{Dashboards, Parts, Settings};
pub use dataset::{Checkpoint, Dataset, DatasetError, DatasetForm, Span};
