//! Events for people and for other programs: JSON Lines, CSV, statements. Numbers that stand for
//! names are shown as the names; secrets are left out.

pub mod csv;
pub mod filter;
pub mod json;
pub mod statement;
pub mod time;

mod data;
mod name;
mod object;
mod text;

pub use csv::CsvRows;
pub use filter::{Filter, kind_named};
pub use json::JsonLines;

#[cfg(test)]
mod tests;
