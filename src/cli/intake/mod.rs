//! `purser intake`

mod bucket;
mod delivery;
mod report;
mod summary;

use futures_util::{StreamExt, stream};

use super::Failure;
use super::args::{Intake, IntakeAction};
use super::out::{bar, print, print_json, tell};
use super::place::{Place, place};
use super::server::Timekeeping;
use super::walk::{Found, ordered, tree};
use super::{ledger, runtime};
use crate::keys::Role;
use delivery::{Books, Deliver, Outcome, Server};
use summary::Summary;

/// Files that are under way at once.
const AT_ONCE: usize = 64;

pub(super) fn run(args: &Intake) -> Result<(), Failure> {
    if let Some(IntakeAction::Report(args)) = &args.action {
        return report::run(args);
    }
    let path = args.path.as_ref().ok_or(Failure::NoPath)?;
    if let Some(text) = path.to_str().filter(|text| text.starts_with("s3://")) {
        return bucket::run(text, args);
    }
    let found = match &args.order {
        Some(order) => ordered(path, order)?,
        None => tree(path, &args.prefix)?,
    };
    match place(&args.place, Role::Coordinator)? {
        Place::Data(mut config) => {
            if let Some(commission) = args.commission_bps {
                config.commission_bps = commission;
            }
            let running = ledger::start(&config, Timekeeping::Real)?;
            let writer = running.service.writer.clone();
            let summary = runtime()?.block_on(take_in(&Books { writer }, found, args))?;
            let position = running.service.view.position();
            running.stop()?;
            finish(&summary, position.0, args)
        }
        Place::Server(_) if args.commission_bps.is_some() => Err(Failure::CommissionAtServer),
        Place::Server(client) => {
            let server = Server { client };
            let (summary, position) = runtime()?.block_on(async {
                let summary = take_in(&server, found, args).await?;
                Ok::<_, Failure>((summary, server.position().await?))
            })?;
            finish(&summary, position, args)
        }
    }
}

/// Delivers every file in order, and tells of those that could not be.
async fn take_in(to: &impl Deliver, found: Vec<Found>, args: &Intake) -> Result<Summary, Failure> {
    let bar = bar("files", found.len() as u64);
    let mut summary = Summary::default();
    // Requests that are under way together may overtake one another.
    let at_once = if args.order.is_some() { 1 } else { AT_ONCE };
    let mut delivering = stream::iter(found)
        .map(|one| to.deliver(one))
        .buffered(at_once);
    while let Some(outcome) = delivering.next().await {
        match outcome? {
            Outcome::Taken { key, file } => {
                if let Some(reason) = file.quarantined.as_deref().filter(|_| args.verbose) {
                    bar.suspend(|| tell(&format!("{key}: set aside: {reason}")));
                }
                summary.add(&file);
            }
            Outcome::Failed { key, why } => {
                bar.suspend(|| tell(&format!("{key}: {why}")));
                summary.failed += 1;
            }
        }
        bar.inc(1);
        bar.set_message(summary.progress());
    }
    bar.finish_and_clear();
    Ok(summary)
}

fn finish(summary: &Summary, position: u64, args: &Intake) -> Result<(), Failure> {
    if args.json {
        print_json(&summary.machine(position))?;
    } else {
        print(&summary.people(position))?;
    }
    match summary.failed {
        0 => Ok(()),
        failed => Err(Failure::NotTaken { failed }),
    }
}
