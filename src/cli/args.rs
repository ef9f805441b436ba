//! The argument tree.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use super::events::Shown;
use super::stream::{Form, Wanted};
use crate::config::{Bind, Commission, Layer};

/// The book of record of a compute pool: an event log, and everything that adds up from it.
#[derive(Debug, Parser)]
#[command(
    name = "purser",
    version,
    after_help = "Exit codes: 0 done, 1 a finding, 2 usage, 3 cannot reach or read."
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the server; creates its data directory on the first start
    Serve(Serve),
    /// Takes in OpenPool event files: what is read becomes events, what is not is set aside
    Intake(Intake),
    /// Shows events as they stand in the log
    Events(Events),
    /// Writes events to a file, or goes on with one
    Export(Export),
    /// Drops projections and snapshots, replays the log, and compares the digests
    Rebuild(Offline),
    /// Takes or lists snapshots
    Snapshot(Snapshot),
    /// Prints a completion script
    Completions {
        /// The shell that it is for.
        shell: Shell,
    },
}

/// Where the configuration comes from.
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    /// The configuration file; `purser.toml` where that exists
    #[arg(long, value_name = "FILE", env = "PURSER_CONFIG")]
    pub config: Option<PathBuf>,
    /// The data directory [env: PURSER_DATA]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Where a command looks: into a data directory that no server holds, or at a running server.
#[derive(Debug, clap::Args)]
pub struct PlaceArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Goes through the server at this address [env: PURSER_URL]
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub url: Option<String>,
    /// The key that the server is asked under; on this machine, the one in the data directory
    #[arg(long, value_name = "KEY", env = "PURSER_KEY", hide_env_values = true)]
    pub key: Option<String>,
}

/// Event files.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Intake {
    /// Where they go.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Something else than taking in files.
    #[command(subcommand)]
    pub action: Option<IntakeAction>,
    /// A directory; the paths of the files below it are their keys
    #[arg(value_name = "DIR")]
    pub path: Option<PathBuf>,
    /// A JSON list of {"tree", "key"}: delivers DIR/tree/key in this order
    #[arg(long, value_name = "FILE")]
    pub order: Option<PathBuf>,
    /// The pool's share in hundredths of a percent, for a new data directory
    #[arg(long, value_name = "BPS")]
    pub commission_bps: Option<Commission>,
    /// Names every file that is set aside
    #[arg(long, short)]
    pub verbose: bool,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// What there is about files beside taking them in.
#[derive(Debug, Subcommand)]
pub enum IntakeAction {
    /// Prints what all files that were taken in add up to
    Report(Online),
}

/// Events, as they stand in the log.
#[derive(Debug, clap::Args)]
pub struct Events {
    /// Where they are.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Which of them.
    #[command(flatten)]
    pub wanted: Wanted,
    /// The form; lines on a terminal and jsonl in a pipe unless it is named
    #[arg(long, value_enum)]
    pub format: Option<Shown>,
    /// Prints JSON Lines for machines
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// Events, into a file that can be continued.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// Where they are.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Which of them.
    #[command(flatten)]
    pub wanted: Wanted,
    /// The form
    #[arg(long, value_enum)]
    pub format: Form,
    /// The file; standard output when none is named
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Goes on after the last complete line of the file
    #[arg(long, requires = "out")]
    pub resume: bool,
}

/// Where a command looks, and the form of the output.
#[derive(Debug, clap::Args)]
pub struct Online {
    /// Where it looks.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// A data directory that no server holds, and the form of the output.
#[derive(Debug, clap::Args)]
pub struct Offline {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// Snapshots.
#[derive(Debug, clap::Args)]
pub struct Snapshot {
    /// What to do with them.
    #[command(subcommand)]
    pub action: SnapshotAction,
}

/// What to do with snapshots.
#[derive(Debug, Subcommand)]
pub enum SnapshotAction {
    /// Takes a snapshot at the end of the log
    Take(Offline),
    /// Lists the snapshots there are, newest first
    List(Offline),
}

/// The server.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The address to listen on: IP, :PORT or IP:PORT [env: PURSER_BIND]
    #[arg(long, value_name = "ADDR")]
    pub bind: Option<Bind>,
    /// Validates and prints the configuration, and starts nothing
    #[arg(long)]
    pub check: bool,
    /// Runs on a clock that moves only by POST /v1/test-clock
    #[arg(long)]
    pub test_clock: bool,
}

impl Serve {
    /// What the flags say of the configuration.
    #[must_use]
    pub fn layer(&self) -> Layer {
        Layer {
            data: self.config.data.clone(),
            bind: self.bind,
            ..Layer::default()
        }
    }
}
