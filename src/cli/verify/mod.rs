//! `purser verify`

mod audit;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use purser_events::Position;
use purser_projections::accounts::{Side, TrialRow};
use purser_snapshots::{Digest, digest};
use serde_json::{Value, json};

use super::args::Offline;
use super::ledger::Books;
use super::out::{Column, Sheet, bar, eth, grouped, print, print_json};
use super::{Failure, configured};
use crate::log::{AcquireError, LogReader, ReadError, Root};
pub use audit::Breach;
use audit::{Audit, balance};

/// What a log adds up to, once every byte of it was read.
pub(super) struct Verified {
    position: Position,
    root: Root,
    digest: Digest,
    trial_balance: Vec<TrialRow>,
    took: Duration,
}

pub(super) fn run(args: &Offline) -> Result<(), Failure> {
    let found = open_and_verify(args);
    if args.json {
        match &found {
            Ok(verified) => print_json(&verified.machine())?,
            Err(Failure::Breach { position, .. } | Failure::Damage(position, _)) => {
                print_json(&json!({ "clean": false, "position": position.0 }))?;
            }
            Err(_) => {}
        }
    }
    let verified = found?;
    if args.json {
        Ok(())
    } else {
        print(&verified.people())
    }
}

fn open_and_verify(args: &Offline) -> Result<Verified, Failure> {
    let books = Books::open(&configured(&args.config)?).map_err(|failure| match failure {
        Failure::Log(AcquireError::Corrupt(error)) => found(error),
        other => other,
    })?;
    verify(&*books.reader())
}

/// A damage of the log is what a verification looks for.
fn found(error: ReadError) -> Failure {
    match error {
        ReadError::Damaged { position, .. } => Failure::Damage(position, error),
        other => Failure::Read(other),
    }
}

/// Reads every byte of a log, and adds up its books.
pub(super) fn verify(log: &dyn LogReader) -> Result<Verified, Failure> {
    let began = Instant::now();
    let end = log.end().map_err(found)?;
    let bar = bar("verify", end.position.0);
    let mut audit = Audit::default();
    let mut breach = None;
    log.read(Position(1), &mut |envelope| {
        if let Err(source) = audit.see(&envelope) {
            breach = Some(Failure::Breach {
                position: envelope.position,
                source,
            });
            return ControlFlow::Break(());
        }
        if envelope.position.0 % 65_536 == 0 {
            bar.set_position(envelope.position.0);
        }
        // A server may go on writing: what comes after the end is for the next time.
        if envelope.position < end.position {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })
    .map_err(found)?;
    bar.finish_and_clear();
    if let Some(breach) = breach {
        return Err(breach);
    }
    let position = audit.folds.position;
    let trial_balance = audit
        .close()
        .map_err(|source| Failure::Breach { position, source })?;
    Ok(Verified {
        position,
        root: end.root,
        digest: digest(&audit.folds),
        trial_balance,
        took: began.elapsed(),
    })
}

impl Verified {
    fn rate(&self) -> u64 {
        let nanos = self.took.as_nanos().max(1);
        let rate = u128::from(self.position.0) * 1_000_000_000 / nanos;
        u64::try_from(rate).unwrap_or(u64::MAX)
    }

    fn root(&self) -> String {
        self.root
            .0
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    fn machine(&self) -> Value {
        let rows = self.trial_balance.iter().map(|row| {
            let (sign, balance) = balance(row);
            json!({
                "account": row.name,
                "normal_side": side(row.side),
                "debits_wei": row.turnover.debits.to_string(),
                "credits_wei": row.turnover.credits.to_string(),
                "balance_wei": format!("{}{balance}", sign.text()),
            })
        });
        json!({
            "clean": true,
            "position": self.position.0,
            "root": self.root(),
            "digest": self.digest.to_string(),
            "took_us": u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            "events_per_sec": self.rate(),
            "trial_balance": rows.collect::<Vec<_>>(),
        })
    }

    fn people(&self) -> String {
        let mut sheet = Sheet::new(&[
            Column::Text("account"),
            Column::Text("side"),
            Column::Number("debits ETH"),
            Column::Number("credits ETH"),
            Column::Number("balance ETH"),
        ]);
        for row in &self.trial_balance {
            let (sign, balance) = balance(row);
            sheet.row([
                row.name.clone(),
                side(row.side).to_owned(),
                eth(row.turnover.debits),
                eth(row.turnover.credits),
                format!("{}{}", sign.text(), eth(balance)),
            ]);
        }
        format!("{}{}", sheet.text(), self.verdict())
    }

    /// The verdict without the trial balance.
    pub(super) fn verdict(&self) -> String {
        format!(
            "verified: {} events, {} events/s; debits equal credits on {} accounts\n\
             root   {}\n\
             digest {}\n",
            grouped(self.position.0),
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
