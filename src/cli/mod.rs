//! The command line: what a person or a script asks for, and how it ends.

mod args;
mod balances;
mod compact;
mod conformance;
mod demo;
mod events;
mod export;
mod failure;
mod fees;
mod intake;
mod ledger;
mod out;
pub mod payouts;
mod place;
mod pool;
mod rebuild;
mod remote;
mod restored;
mod serve;
mod server;
mod simulate;
mod snapshot;
mod stream;
mod verify;
mod walk;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::config::{self, Config, Layer};
use clap::{CommandFactory, Parser};

use args::ConfigArgs;
pub use args::{Args, Command};
pub use events::Shown;
pub use failure::Failure;
pub use stream::{Edge, Form, Wanted};
pub use verify::Breach;
pub use walk::WalkError;

/// Runs the command that the process was started with; the answer is its exit code: 0 done, 1 a
/// finding, 2 usage, 3 cannot reach or read.
#[must_use]
pub fn run() -> ExitCode {
    let args = Args::parse();
    match dispatch(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(&failure),
    }
}

fn dispatch(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Serve(serve) => serve::run(&serve),
        Command::Intake(args) => intake::run(&args),
        Command::Events(args) => events::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Rebuild(args) => rebuild::run(&args),
        Command::Compact(args) => compact::run(&args),
        Command::Snapshot(args) => snapshot::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Fees(args) => fees::run(&args),
        Command::Balances(args) => balances::run(&args),
        Command::Pool(args) => pool::run(&args),
        Command::Payouts(args) => payouts::run(&args),
        Command::Audit(args) => payouts::audit(&args),
        Command::Conformance(args) => conformance::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "purser", &mut script);
            let mut out = out::stdout();
            out.write_all(&script)?;
            Ok(out.flush()?)
        }
    }
}

/// The configuration in force, under the flags of a command.
fn configured(args: &ConfigArgs) -> Result<Config, Failure> {
    let flags = Layer {
        data: args.data.clone(),
        ..Layer::default()
    };
    Ok(config::load(args.config.as_deref(), flags)?)
}

/// What servers and clients run on.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().map_err(Failure::Runtime)
}

/// Says on standard error why a command ended, causes included, and chooses the exit code.
fn end(failure: &Failure) -> ExitCode {
    if failure.is_broken_pipe() {
        return ExitCode::SUCCESS;
    }
    let mut text = format!("purser: {failure}");
    let mut cause = failure.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(failure.exit_code())
}
