//! Delivered files: from bytes to a typed command.

mod element;
mod key;
mod parse;
mod value;

pub use key::{FileTimes, file_times};
pub use parse::{BadKey, read_file, too_large};
