//! `purser simulate`

mod matches;

use indicatif::ProgressBar;

use purser_events::Wei;

use super::args::{PoolArgs, Simulate, SimulateAction};
use super::out::{bar, eth, grouped, print, print_json};
use super::place::{Door, server};
use super::{Failure, configured, fees, runtime};
use crate::client::{Client, ClientError};
use crate::keys::Role;
use crate::simulate::{Driven, Plan, Pool, Step, drive};

pub(super) fn run(args: &Simulate) -> Result<(), Failure> {
    if let Some(SimulateAction::Match(args)) = &args.action {
        return matches::run(args);
    }
    let config = configured(&args.config)?;
    let named = std::env::var("PURSER_URL")
        .ok()
        .filter(|url| !url.is_empty());
    let url = args
        .url
        .clone()
        .or(named)
        .unwrap_or_else(|| format!("http://{}", config.bind));
    let door = Door {
        url: &url,
        key: args.key.as_deref(),
        tls: &args.tls.files(),
    };
    let client = server(&door, &config.data, Role::Coordinator)?;
    let (driven, table) = runtime()?.block_on(async {
        let driven = run_pool(&client, args.pool).await?;
        let query = [("min_position", driven.position.to_string())];
        Ok::<_, ClientError>((driven, fees::pages(&client, &query).await?))
    })?;
    if args.json {
        let mut report = serde_json::json!(driven);
        report["fees"] = table;
        print_json(&report)
    } else {
        print(&format!("{}{}", fees::people(&table), told(&driven)))
    }
}

/// Drives a server with the pool of these arguments, and shows how far that is.
pub(super) async fn run_pool(client: &Client, args: PoolArgs) -> Result<Driven, ClientError> {
    let PoolArgs {
        workers,
        jobs,
        told,
        seed,
        beats,
    } = args;
    let pool = Pool::of(Plan {
        workers,
        jobs,
        told,
        seed,
    });
    let count = pool.workers.len() as u64;
    let total = count * (1 + u64::from(beats)) + pool.files.len() as u64 + u64::from(jobs);
    let bar = bar("registering", total);
    let mut events = 0;
    let driven = drive(client, &pool, beats, |step| show(&bar, step, &mut events)).await;
    bar.finish_and_clear();
    driven
}

fn show(bar: &ProgressBar, step: Step, events: &mut u64) {
    bar.inc(1);
    match step {
        Step::Registered => bar.set_prefix("registering"),
        Step::Beaten => bar.set_prefix("beating"),
        Step::Ran => bar.set_prefix("running jobs"),
        Step::Delivered { events: new } => {
            *events += u64::from(new);
            bar.set_prefix("delivering");
            bar.set_message(format!("{} events", grouped(*events)));
        }
    }
}

/// What was done, in a sentence.
pub(super) fn told(driven: &Driven) -> String {
    format!(
        "{} workers registered and beat {} times; {} jobs were given out in {} matches and charged \
         {} ETH{}; {} files held {} new events\n",
        grouped(driven.workers),
        grouped(driven.beats),
        grouped(driven.jobs),
        grouped(driven.matches),
        eth(Wei(driven.charged_wei)),
        besides(driven),
        grouped(driven.files),
        grouped(driven.events),
    )
}

/// The jobs that were not given out.
fn besides(driven: &Driven) -> String {
    let mut text = String::new();
    for (count, what) in [
        (driven.unmet, "found nobody"),
        (driven.known, "had been done before"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {} {what}", grouped(count)));
        }
    }
    text
}
