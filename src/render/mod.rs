//! Events for people and for other programs: JSON Lines, CSV, statements. Numbers that stand for
//! names are shown as the names; secrets are left out.

pub mod csv;
pub mod filter;
pub mod json;
pub mod payout;
pub mod statement;
pub mod time;

mod cells;
mod cloud;
mod data;
mod name;
mod number;
mod object;
mod performance;
mod summary;
mod text;

pub use cells::{Cells, cells};
pub use cloud::CloudLines;
pub use csv::CsvRows;
pub use filter::{Filter, kind_named};
pub use json::{JsonLines, write_data, write_envelope};
pub use name::NameText;
pub use performance::{Performance, window_name};
pub use summary::Summary;
pub use time::compact_time;

#[cfg(test)]
mod tests;
