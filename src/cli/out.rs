//! Standard output. A reader that goes away is an error that can be told, not a panic.

use std::io::{self, StdoutLock};

/// Standard output, to be written through `std::io::Write`.
pub(super) fn stdout() -> StdoutLock<'static> {
    io::stdout().lock()
}
