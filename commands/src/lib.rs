//! What may happen next: commands, the decisions on them, and the typed "no".
//!
//! `decide` is synchronous, total and deterministic: the command already carries the time, the
//! ids and the facts from outside.

pub mod answer;
pub mod command;
pub mod grants;
pub mod instruction;
pub mod intake;
pub mod jobs;
pub mod matching;
pub mod payout;
pub mod policy;
pub mod rejection;
pub mod ticket;
pub mod worker;

mod execute;

pub use answer::Answer;
pub use command::Command;
pub use execute::{Execution, execute};
pub use rejection::Rejection;
