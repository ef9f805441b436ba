//! `purser verify`

mod audit;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use purser_events::Position;
use purser_projections::accounts::{Side, TrialRow};
use purser_projections::names::Names;
use purser_snapshots::{Digest, digest};
use serde_json::{Value, json};

use super::args::Archived;
use super::ledger::{must_exist, unopened};
use super::out::{Column, Sheet, bar, grouped, in_units, print, print_json};
use super::restored::Aside;
use super::{Failure, configured, remote};
use crate::hex::hex;
use crate::log::{self, AcquireError, Ranges, ReadError, VerifyError};
use audit::Audit;
pub use audit::Breach;

/// What a log adds up to, once every byte of it was read.
pub(super) struct Verified {
    whole: log::Verified,
    digest: Digest,
    trial_balance: Vec<TrialRow>,
    names: Names,
    took: Duration,
}

pub(super) fn run(args: &Archived) -> Result<(), Failure> {
    let config = configured(&args.config)?;
    let aside = args
        .from
        .as_ref()
        .map(|from| Aside::restored(&config, from));
    let aside = aside.transpose()?;
    let data = aside.as_ref().map_or(&*config.data, Aside::path).to_owned();
    must_exist(&data)?;
    let found = verify(&data, Some(remote::pruned(&config)));
    if args.json {
        print_json(&match &found {
            Ok(verified) => verified.machine(),
            Err(Failure::Damage { position, .. } | Failure::Breach { position, .. }) => {
                json!({ "clean": false, "position": position.0 })
            }
            Err(_) => Value::Null,
        })?;
    }
    let verified = found?;
    if args.json {
        return Ok(());
    }
    print(&verified.people())
}

/// Reads every byte of a log that nobody holds, and adds up its books.
pub(super) fn verify(data: &Path, ranges: Option<Arc<dyn Ranges>>) -> Result<Verified, Failure> {
    let began = Instant::now();
    let bar = bar("verify", 0);
    let (mut audit, mut breach) = (Audit::default(), None);
    let whole = log::verify_with(data, ranges, &mut |envelope| {
        if breach.is_some() {
            return;
        }
        let position = envelope.position;
        if let Err(source) = audit.see(&envelope) {
            breach = Some(Failure::Breach { position, source });
        }
        if position.0.is_multiple_of(65_536) {
            bar.set_position(position.0);
        }
    });
    bar.finish_and_clear();
    // What does not add up stands before whatever is damaged behind it.
    if let Some(breach) = breach {
        return Err(breach);
    }
    let whole = whole.map_err(|error| found(error, data))?;
    let position = audit.folds.position;
    let trial_balance = audit
        .close()
        .map_err(|source| Failure::Breach { position, source })?;
    Ok(Verified {
        whole,
        digest: digest(&audit.folds),
        trial_balance,
        names: audit.folds.names,
        took: began.elapsed(),
    })
}

/// Damage is what a verification looks for; not to get at the log is something else.
fn found(error: VerifyError, data: &Path) -> Failure {
    let position = match &error {
        VerifyError::Breach(ReadError::Damaged { position, .. })
        | VerifyError::Breach(ReadError::Unreadable { position, .. })
        | VerifyError::Open(AcquireError::Corrupt(ReadError::Damaged { position, .. }))
        | VerifyError::Open(AcquireError::Corrupt(ReadError::Unreadable { position, .. })) => {
            *position
        }
        VerifyError::Structure { last, .. } => *last,
        // The file is there and can be read, but the storage engine finds nothing in it.
        VerifyError::Open(AcquireError::Unreachable(source)) if is_of_the_engine(&**source) => {
            Position(1)
        }
        VerifyError::Open(_) | VerifyError::Breach(ReadError::Away { .. }) => {
            return match error {
                VerifyError::Open(error) => unopened(error, data),
                VerifyError::Breach(away) => Failure::Read(away),
                other => Failure::Damage {
                    position: Position::ORIGIN,
                    source: other,
                },
            };
        }
    };
    Failure::Damage {
        position,
        source: error,
    }
}

/// Whether the file could be read, and only what it holds is wrong.
fn is_of_the_engine(source: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    match source.downcast_ref::<redb::Error>() {
        Some(redb::Error::Io(error)) => {
            matches!(
                error.kind(),
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof
            )
        }
        Some(_) => true,
        None => false,
    }
}

impl Verified {
    fn rate(&self) -> u64 {
        let nanos = self.took.as_nanos().max(1);
        let rate = u128::from(self.whole.end.position.0) * 1_000_000_000 / nanos;
        u64::try_from(rate).unwrap_or(u64::MAX)
    }

    fn root(&self) -> String {
        hex(&self.whole.end.root.0)
    }

    fn machine(&self) -> Value {
        let rows = self.trial_balance.iter().map(|row| {
            json!({
                "asset": self.names.asset_code(row.asset),
                "account": row.name,
                "normal_side": side(row.side),
                "debits": row.turnover.debits.to_string(),
                "credits": row.turnover.credits.to_string(),
                "balance": row.turnover.balance(row.side).to_string(),
            })
        });
        json!({
            "clean": true,
            "position": self.whole.end.position.0,
            "root": self.root(),
            "digest": self.digest.to_string(),
            "bytes": self.whole.bytes,
            "blocks": self.whole.blocks,
            "segments": self.whole.segments,
            "took_us": u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            "events_per_sec": self.rate(),
            "trial_balance": rows.collect::<Vec<_>>(),
        })
    }

    fn people(&self) -> String {
        let mut sheet = Sheet::new(&[
            Column::Text("asset"),
            Column::Text("account"),
            Column::Text("side"),
            Column::Number("debits"),
            Column::Number("credits"),
            Column::Number("balance"),
        ]);
        for row in &self.trial_balance {
            let assets = self.names.assets();
            let exponent = assets.get(row.asset.index()).map_or(0, |one| one.exponent);
            let balance = row.turnover.balance(row.side);
            let sign = if balance.below_zero { "-" } else { "" };
            sheet.row([
                self.names.asset_code(row.asset),
                row.name.clone(),
                side(row.side).to_owned(),
                in_units(row.turnover.debits, exponent),
                in_units(row.turnover.credits, exponent),
                format!("{sign}{}", in_units(balance.amount, exponent)),
            ]);
        }
        format!("{}{}", sheet.text(), self.verdict())
    }

    /// The verdict without the trial balance.
    pub(super) fn verdict(&self) -> String {
        format!(
            "verified: {} events in {} bytes, {} events/s; debits equal credits on {} accounts\n\
             root   {}\n\
             digest {}\n",
            grouped(self.whole.end.position.0),
            grouped(self.whole.bytes),
            grouped(self.rate()),
            self.trial_balance.len(),
            self.root(),
            self.digest,
        )
    }
}

const fn side(side: Side) -> &'static str {
    match side {
        Side::Debit => "debit",
        Side::Credit => "credit",
    }
}
