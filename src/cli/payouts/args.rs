//! The arguments of `purser payouts` and `purser audit payouts`.

use std::path::PathBuf;

use clap::Subcommand;
use reqwest::Url;

use crate::cli::args::{ConfigArgs, PlaceArgs, TlsArgs};

/// Payouts.
#[derive(Debug, clap::Args)]
pub struct Payouts {
    /// What to do.
    #[command(subcommand)]
    pub act: Act,
}

/// What there is to do about payouts.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Lists all payouts, with their state and their transaction
    List(List),
    /// Requests a payout on chain for everybody who is due
    Run(Run),
    /// Writes one JSON record per payout
    Export(Export),
    /// Gives up a payout that never lands
    Cancel(One),
    /// Lets a signer go on that was stopped since its key was used elsewhere
    Resume(Asking),
    /// Holds an amount for a payout made elsewhere; with a reference, books it as made
    Book(Book),
    /// Books a payout that was held as made elsewhere
    Confirm(Confirm),
}

/// What to compare with the chain.
#[derive(Debug, clap::Args)]
pub struct Audit {
    /// The subject.
    #[command(subcommand)]
    pub subject: Subject,
}

/// The subjects of an audit.
#[derive(Debug, Subcommand)]
pub enum Subject {
    /// Compares every payout with the chain, and every transaction of the key with the log
    Payouts(AuditPayouts),
}

/// The log against the chain.
#[derive(Debug, clap::Args)]
pub struct AuditPayouts {
    /// Where the log is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A node of the chain; several are asked in turn. It must keep the chain's history
    #[arg(long, value_name = "URL", required = true)]
    pub rpc: Vec<Url>,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// A running server, and who asks it.
#[derive(Debug, clap::Args)]
pub struct Asking {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The server; the one that the configuration binds where none is named [env: PURSER_URL]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// An operator's key; on this machine, the one in the data directory
    #[arg(long, value_name = "KEY", env = "PURSER_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// How a server with TLS is spoken to.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// All payouts.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Where they are.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Prints JSON for machines
    #[arg(long)]
    pub json: bool,
}

/// A run.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The server.
    #[command(flatten)]
    pub asking: Asking,
    /// Only says who would be paid, and what there is to pay from
    #[arg(long)]
    pub dry_run: bool,
}

/// Records of payouts.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// Where they are.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The directory of the files; without it, one line each on standard output
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// One payout.
#[derive(Debug, clap::Args)]
pub struct One {
    /// The server.
    #[command(flatten)]
    pub asking: Asking,
    /// The payout's id
    #[arg(value_name = "PAYOUT")]
    pub payout: String,
}

/// A payout elsewhere.
#[derive(Debug, clap::Args)]
pub struct Book {
    /// The server.
    #[command(flatten)]
    pub asking: Asking,
    /// The worker's id or address
    #[arg(long)]
    pub worker: String,
    /// How much, in base units
    #[arg(long)]
    pub amount: String,
    /// The asset's code
    #[arg(long, default_value = "ETH")]
    pub asset: String,
    /// How it is paid, such as `lightning`
    #[arg(long)]
    pub rail: String,
    /// What it can be found by, where it is made already
    #[arg(long)]
    pub reference: Option<String>,
}

/// A payout that was made.
#[derive(Debug, clap::Args)]
pub struct Confirm {
    /// Which one.
    #[command(flatten)]
    pub one: One,
    /// What it can be found by
    #[arg(long)]
    pub reference: String,
}
