//! `purser rebuild`

use serde_json::json;

use super::args::Archived;
use super::ledger::Books;
use super::out::{grouped, print, print_json};
use super::restored::into_data;
use super::{Failure, configured};
use crate::hex::hex;
use crate::service::{Rebuilt, rebuild};

pub(super) fn run(args: &Archived) -> Result<(), Failure> {
    let config = configured(&args.config)?;
    if let Some(from) = &args.from {
        into_data(&config, from)?;
    }
    let books = Books::open(&config)?;
    let end = books.reader().end()?;
    let rebuilt = rebuild(books.data(), &*books.reader())?;
    if args.json {
        let mut machine = machine(&rebuilt);
        machine["position"] = end.position.0.into();
        machine["tree_root"] = hex(&end.root.0).into();
        print_json(&machine)?;
    } else {
        print(&people(&rebuilt))?;
    }
    if rebuilt.before == rebuilt.after {
        Ok(())
    } else {
        Err(Failure::Digests)
    }
}

/// Events in a second; the whole number below.
fn rate(rebuilt: &Rebuilt) -> u64 {
    let nanos = rebuilt.took.as_nanos().max(1);
    let rate = u128::from(rebuilt.events) * 1_000_000_000 / nanos;
    u64::try_from(rate).unwrap_or(u64::MAX)
}

fn machine(rebuilt: &Rebuilt) -> serde_json::Value {
    json!({
        "events": rebuilt.events,
        "took_us": u64::try_from(rebuilt.took.as_micros()).unwrap_or(u64::MAX),
        "events_per_sec": rate(rebuilt),
        "snapshots_dropped": rebuilt.snapshots_dropped,
        "digest_before": rebuilt.before.to_string(),
        "digest_after": rebuilt.after.to_string(),
        "agree": rebuilt.before == rebuilt.after,
    })
}

fn people(rebuilt: &Rebuilt) -> String {
    let verdict = if rebuilt.before == rebuilt.after {
        "agree"
    } else {
        "DIFFER"
    };
    format!(
        "replayed {} events in {} ms: {} events/s\n\
         dropped {} snapshots\n\
         digest before {}\n\
         digest after  {}\n\
         the digests {verdict}\n",
        grouped(rebuilt.events),
        rebuilt.took.as_millis(),
        grouped(rate(rebuilt)),
        rebuilt.snapshots_dropped,
        rebuilt.before,
        rebuilt.after,
    )
}
