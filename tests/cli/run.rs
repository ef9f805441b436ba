//! Runs the real program in an empty directory and an empty environment.

use std::path::Path;
use std::process::{Command, Output};

use purser::service::{Running, Settings};

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program, to be run in `dir`.
pub(crate) fn purser(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purser"));
    command.current_dir(dir).env_clear();
    command
}

/// Runs the program with these arguments in `dir`.
pub(crate) fn run(dir: &Path, args: &[&str]) -> Ended {
    ended(purser(dir).args(args).output().expect("the program runs"))
}

/// Reads what a run left.
pub(crate) fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code().expect("no signal ended it"),
        out: String::from_utf8(output.stdout).expect("the output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("the errors are UTF-8"),
    }
}

/// Reads what a run printed for machines.
pub(crate) fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("the output is JSON")
}

/// A directory for one test.
pub(crate) fn dir() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory can be made")
}

/// Runs a ledger on the data directory `p` of `dir`, as a server would.
pub(crate) fn ledger(dir: &Path) -> Running {
    let settings = Settings::new(dir.join("p"));
    Running::open(&settings).expect("the ledger starts")
}
