//! `purser intake s3://…`: one pass over a bucket.

use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use purser_events::Actor;
use purser_projections::intake::file_reason_name;

use super::delivery::{Outcome, Server};
use super::summary::Summary;
use super::{AT_ONCE, finish};
use crate::cli::args::Intake;
use crate::cli::out::{bar, tell};
use crate::cli::place::{Place, place};
use crate::cli::server::Timekeeping;
use crate::cli::{Failure, configured, ledger, remote, runtime};
use crate::config::Config;
use crate::keys::Role;
use crate::objects::{Address, Objects, list_all};

pub(super) fn run(text: &str, args: &Intake) -> Result<(), Failure> {
    if args.order.is_some() || !args.prefix.is_empty() {
        return Err(Failure::OrderOfBucket);
    }
    let from = text.parse().map_err(|source| Failure::Address {
        text: text.into(),
        source,
    })?;
    match place(&args.place, Role::Coordinator)? {
        Place::Data(mut config) => {
            if let Some(commission) = args.commission_bps {
                config.commission_bps = commission;
            }
            into_books(&config, &from, args)
        }
        Place::Server(_) if args.commission_bps.is_some() => Err(Failure::CommissionAtServer),
        Place::Server(client) => {
            let config = configured(&args.place.config)?;
            let server = Server { client };
            let (summary, position) = runtime()?.block_on(async {
                let summary = through_server(&server, &config, &from).await?;
                Ok::<_, Failure>((summary, server.position().await?))
            })?;
            finish(&summary, position, args)
        }
    }
}

fn into_books(config: &Config, from: &Address, args: &Intake) -> Result<(), Failure> {
    let running = ledger::start(config, Timekeeping::Real)?;
    let pass = remote::pass(config, &running.service, (from, Actor::CommandLine))?;
    let bar = bar("files", 0);
    let mut summary = Summary::default();
    let passed = runtime()?.block_on(pass.run(&mut |taken| {
        if let Some(reason) = taken.answer.quarantined.filter(|_| args.verbose) {
            let reason = file_reason_name(reason);
            bar.suspend(|| tell(&format!("{}: set aside: {reason}", taken.key)));
        }
        summary.add(&(&taken.answer).into());
        bar.inc(1);
        bar.set_message(summary.progress());
    }));
    bar.finish_and_clear();
    let position = running.service.view.position();
    running.stop()?;
    let passed = passed?;
    summary.failed += passed.lost;
    finish(&summary, position.0, args)
}

/// Fetches every file and hands it to a server, which knows by itself what it has.
async fn through_server(
    server: &Server,
    config: &Config,
    from: &Address,
) -> Result<Summary, Failure> {
    let bucket = remote::buckets(config).bucket(&from.bucket);
    let files = list_all(&bucket, &from.prefix).await?;
    let bar = bar("files", files.len() as u64);
    let bytes_max = config.file_bytes_max.get() as u64;
    let mut delivering = stream::iter(files)
        .map(|file| {
            let bucket = &bucket;
            async move {
                let bytes: Bytes = match bucket.get(&file.key, bytes_max).await {
                    Ok(object) => object.bytes,
                    Err(error) if error.concerns_the_store() => return Err(error.into()),
                    Err(error) => {
                        let (key, why) = (file.key, error.to_string());
                        return Ok(Outcome::Failed { key, why });
                    }
                };
                server.send(file.key, bytes).await
            }
        })
        .buffered(AT_ONCE);
    let mut summary = Summary::default();
    while let Some(outcome) = delivering.next().await {
        match outcome? {
            Outcome::Taken { file, .. } => summary.add(&file),
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
