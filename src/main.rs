//! The `purser` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    purser::cli::run()
}
