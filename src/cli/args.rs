//! The argument tree.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{Bind, Layer};

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
    #[arg(long, required = true)]
    pub check: bool,
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
