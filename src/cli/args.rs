//! The argument tree.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use purser_events::policy::NodeType;

use super::events::Shown;
use super::payouts::args::{Audit, Payouts};
use super::stream::{Form, Wanted};
use crate::config::{Bind, Commission, Layer, MatchWeights};
use crate::tls::ClientFiles;

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
    Rebuild(Archived),
    /// Packs the log into as little space as it takes; no event changes
    Compact(Offline),
    /// Takes or lists snapshots
    Snapshot(Snapshot),
    /// Reads every byte of the log, adds up its books, and prints the trial balance
    Verify(Archived),
    /// Shows who earned what
    Fees(Fees),
    /// Shows what payers have, owe, and may still spend
    Balances(Balances),
    /// Shows what the pools of generosity have, hold and paid, and how long they last
    Pool(Pool),
    /// Shows payouts, requests them, books those made elsewhere
    Payouts(Payouts),
    /// Compares the log with the world outside
    Audit(Audit),
    /// Drives a running server with a simulated pool, and ends with the fee table
    Simulate(Simulate),
    /// Shows everything at work: a server, a simulated pool, the fee table, the verdict
    Demo(Demo),
    /// Runs reference vectors through the built-in code, and prints each mismatch
    Conformance(Conformance),
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

/// What is trusted and shown where the server speaks TLS.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TlsArgs {
    /// The authorities to trust, as PEM; the system's where none is named
    #[arg(long, value_name = "FILE", env = "PURSER_CA")]
    pub ca: Option<PathBuf>,
    /// The certificate to show, as PEM
    #[arg(long, value_name = "FILE", env = "PURSER_CERT")]
    pub cert: Option<PathBuf>,
    /// The private key of the certificate, as PEM
    #[arg(long, value_name = "FILE", env = "PURSER_CERT_KEY")]
    pub cert_key: Option<PathBuf>,
}

impl TlsArgs {
    /// The files.
    #[must_use]
    pub fn files(&self) -> ClientFiles {
        ClientFiles {
            ca: self.ca.clone(),
            certificate: self.cert.clone(),
            key: self.cert_key.clone(),
        }
    }
}

/// Where a command looks: into a data directory that no server holds, or at a running server.
#[derive(Debug, clap::Args)]
pub struct PlaceArgs {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Goes through the server at this address; the data directory then only says where its keys
    /// are [env: PURSER_URL]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The key that the server is asked under; on this machine, the one in the data directory
    #[arg(long, value_name = "KEY", env = "PURSER_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// What is trusted and shown where the server speaks TLS.
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// The worker-fee table.
#[derive(Debug, clap::Args)]
pub struct Fees {
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Only partitions of this node type
    #[arg(long, value_enum)]
    pub node_type: Option<NodeKind>,
    /// Only partitions of this region
    #[arg(long)]
    pub region: Option<String>,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// What payers have and owe.
#[derive(Debug, clap::Args)]
pub struct Balances {
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// The pools of generosity.
#[derive(Debug, clap::Args)]
pub struct Pool {
    /// Where they are.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// What the nodes of a partition do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NodeKind {
    /// AI inference
    Ai,
    /// Transcoding
    Transcode,
}

impl From<NodeKind> for NodeType {
    fn from(kind: NodeKind) -> Self {
        match kind {
            NodeKind::Ai => Self::Ai,
            NodeKind::Transcode => Self::Transcode,
        }
    }
}

/// A simulated pool.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct PoolArgs {
    /// How many workers register
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub workers: u32,
    /// How many jobs a coordinator gives to them: matched, run, charged to payers, reported on
    #[arg(long, default_value_t = 200, value_parser = jobs())]
    pub jobs: u32,
    /// How many further jobs orchestrators tell of in event files
    #[arg(long, default_value_t = 2_000, value_parser = jobs())]
    pub told: u32,
    /// Another seed gives another pool; the same one gives the same pool, and the same fees
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How often each worker beats
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(..=1_000))]
    pub beats: u32,
}

fn jobs() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(..=10_000_000)
}

/// A simulated pool against a running server.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Simulate {
    /// Something else than driving a server.
    #[command(subcommand)]
    pub action: Option<SimulateAction>,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The server; the one that the configuration binds where none is named [env: PURSER_URL]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A coordinator's key; on this machine, the one in the data directory
    #[arg(long, value_name = "KEY", env = "PURSER_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// What is trusted and shown where the server speaks TLS.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// The pool.
    #[command(flatten)]
    pub pool: PoolArgs,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// Something else than driving a server.
#[derive(Debug, Subcommand)]
pub enum SimulateAction {
    /// Asks recorded matches anew, under other weights: what would change with the rule
    Match(WhatIfArgs),
}

/// Other weights, for recorded matches.
#[derive(Debug, clap::Args)]
pub struct WhatIfArgs {
    /// Where the matches are.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The weights, such as cap:0.4,price:0.2,latency:0.2,trust:0.15,load:0.05
    #[arg(long)]
    pub weights: MatchWeights,
    /// The first position
    #[arg(long, default_value_t = 1)]
    pub from: u64,
    /// The last position; the end of the log where it is left out
    #[arg(long)]
    pub to: Option<u64>,
    /// How many of the matches that change are shown
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(..=500))]
    pub limit: u16,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// Reference vectors.
#[derive(Debug, clap::Args)]
pub struct Conformance {
    /// The files; each is recognised by its shape
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// Everything at work.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Where the configuration comes from; the data directory is a new one in the system's
    /// place for temporary files unless it is named.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The pool.
    #[command(flatten)]
    pub pool: PoolArgs,
    /// Ends after the verdict instead of staying up
    #[arg(long)]
    pub exit: bool,
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
    /// A directory, the paths of the files below it are their keys; or s3://BUCKET/PREFIX
    #[arg(value_name = "DIR|S3")]
    pub path: Option<PathBuf>,
    /// What the keys begin with, for a directory that is a part of a bucket
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: String,
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
    /// A data set of files by day and type: a directory, or s3://BUCKET/PREFIX. Goes on where it
    /// ended
    #[arg(long = "into", value_name = "DIR|S3", conflicts_with = "out")]
    pub to_place: Option<String>,
    /// Goes on with what happens, until it is ended; through a server
    #[arg(long)]
    pub follow: bool,
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

/// A data directory that no server holds, or the archive of a log.
#[derive(Debug, clap::Args)]
pub struct Archived {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Reads the log from its archive: s3://BUCKET/PREFIX
    #[arg(long, value_name = "S3")]
    pub from: Option<String>,
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
