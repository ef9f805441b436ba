//! What is counted of requests, and the Prometheus text of all that is counted. Counting takes no
//! lock.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use purser_events::matching::Reason;
use purser_events::{Amount, EventKind};

use crate::match_stats::{MATCH_BUCKETS_US, MatchCounts, MatchStats};
use crate::writer::{COMMIT_BUCKETS_US, Counted};

/// The statuses that are counted apart; all others share the last place.
const STATUSES: [u16; 21] = [
    101, 200, 201, 204, 400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 426, 429, 500, 503,
    504, 0,
];

/// What is counted of one route.
#[derive(Debug, Default)]
pub struct RouteStats {
    by_status: [AtomicU64; STATUSES.len()],
}

impl RouteStats {
    /// Counts one answer.
    pub fn count(&self, status: u16) {
        let known = STATUSES.iter().position(|one| *one == status);
        let place = known.unwrap_or(STATUSES.len() - 1);
        self.by_status[place].fetch_add(1, Ordering::Relaxed);
    }
}

/// What the rest of the program knows at the moment of a scrape.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    /// The last position that is folded in.
    pub position: u64,
    /// Workers that are reachable.
    pub miners_online: u32,
    /// Jobs that they run at once.
    pub slots: u64,
    /// Jobs that they could take now.
    pub slots_free: u64,
    /// The pools of generosity, in the order in which they are asked.
    pub pools: Vec<PoolGauges>,
    /// Requests that wait for the writer.
    pub queued: usize,
    /// WebSockets of workers that are open.
    pub sockets: usize,
    /// Times in which a partition delivered no files, by partition.
    pub gaps: Vec<(String, u64)>,
    /// What the writer counts.
    pub writer: Counted,
    /// Events that were folded in since the start, by kind; kinds that did not occur may be left
    /// out.
    pub events: Vec<(EventKind, u64)>,
}

/// What stands on one pool of generosity, in base units of the pools' asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolGauges {
    /// What it is known by.
    pub pool: String,
    /// What it may still grant.
    pub available: Amount,
    /// What of it is held for work under way.
    pub reserved: Amount,
    /// What it paid for work.
    pub granted: Amount,
}

/// What is counted of requests.
#[derive(Debug, Default)]
pub struct Metrics {
    routes: HashMap<String, RouteStats>,
    unmatched: RouteStats,
    /// What is counted of matches.
    pub matches: MatchStats,
}

impl Metrics {
    /// Metrics of these routes.
    #[must_use]
    pub fn new(routes: impl IntoIterator<Item = String>) -> Self {
        let routes = routes
            .into_iter()
            .map(|route| (route, RouteStats::default()));
        Self {
            routes: routes.collect(),
            unmatched: RouteStats::default(),
            matches: MatchStats::default(),
        }
    }

    /// What is counted of a route; requests without one share a place.
    #[must_use]
    pub fn route(&self, route: Option<&str>) -> &RouteStats {
        let found = route.and_then(|route| self.routes.get(route));
        found.unwrap_or(&self.unmatched)
    }

    /// The Prometheus text.
    #[must_use]
    pub fn text(&self, gauges: Gauges) -> String {
        let mut registry = Registry::default();
        let routes = self.route_counts();
        let matches = self.matches.counts();
        registry.register_collector(Box::new(Scrape {
            routes,
            gauges,
            matches,
        }));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)
            .expect("a String takes every text");
        text
    }

    fn route_counts(&self) -> Vec<RouteCount> {
        let matched = self
            .routes
            .iter()
            .map(|(route, stats)| (route.as_str(), stats));
        let mut counts = Vec::new();
        for (route, stats) in matched.chain([("unmatched", &self.unmatched)]) {
            for (status, count) in STATUSES.iter().zip(&stats.by_status) {
                let (route, status) = (route.to_owned(), *status);
                let count = count.load(Ordering::Relaxed);
                counts.extend((count > 0).then_some(RouteCount {
                    route,
                    status,
                    count,
                }));
            }
        }
        counts.sort_unstable();
        counts
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RouteCount {
    route: String,
    status: u16,
    count: u64,
}

/// One scrape.
#[derive(Debug)]
struct Scrape {
    routes: Vec<RouteCount>,
    gauges: Gauges,
    matches: MatchCounts,
}

impl Collector for Scrape {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        let (gauges, to) = (&self.gauges, &mut to);
        let writer = &gauges.writer;
        let online = i64::from(gauges.miners_online);
        gauge(
            to,
            ["poolhub_miners_online", "Workers that are reachable"],
            online,
        )?;
        let position = i64::try_from(gauges.position).unwrap_or(i64::MAX);
        gauge(
            to,
            ["purser_position", "The last position that is folded in"],
            position,
        )?;
        let queued = i64::try_from(gauges.queued).unwrap_or(i64::MAX);
        gauge(
            to,
            ["purser_queue_depth", "Requests that wait for the writer"],
            queued,
        )?;
        let sockets = i64::try_from(gauges.sockets).unwrap_or(i64::MAX);
        let help = "WebSockets of workers that are open";
        gauge(to, ["purser_sockets", help], sockets)?;
        let help = "Whether the last commit failed for lack of space";
        gauge(to, ["purser_read_only", help], i64::from(writer.read_only))?;
        counter(to, ["purser_commits", "Commits to the log"], writer.commits)?;
        counter(
            to,
            ["purser_commands_granted", "Commands granted"],
            writer.granted,
        )?;
        counter(
            to,
            ["purser_commands_refused", "Commands refused"],
            writer.refused,
        )?;
        counter(
            to,
            ["purser_commands_replayed", "Commands repeated"],
            writer.replayed,
        )?;
        commit_latency(to, writer)?;
        match_latency(to, &self.matches)?;
        self.matches(to)?;
        self.slots(to)?;
        self.pools(to)?;
        self.gaps(to)?;
        self.events(to)?;
        self.requests(to)
    }
}

fn gauge(to: &mut DescriptorEncoder<'_>, [name, help]: [&str; 2], value: i64) -> fmt::Result {
    let encoder = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(value).encode(encoder)
}

/// An amount, exact below 2^64; a greater one as near as the doubles of Prometheus come.
fn amount(to: MetricEncoder<'_>, amount: Amount) -> fmt::Result {
    match u64::try_from(amount.0) {
        Ok(exact) => ConstGauge::new(exact).encode(to),
        Err(_) => ConstGauge::new(amount.0 as f64).encode(to),
    }
}

fn counter(to: &mut DescriptorEncoder<'_>, [name, help]: [&str; 2], value: u64) -> fmt::Result {
    let encoder = to.encode_descriptor(name, help, None, MetricType::Counter)?;
    ConstCounter::new(value).encode(encoder)
}

#[expect(
    clippy::float_arithmetic,
    reason = "Prometheus text holds seconds as decimals"
)]
fn commit_latency(to: &mut DescriptorEncoder<'_>, writer: &Counted) -> fmt::Result {
    let seconds = |us: u64| us as f64 / 1e6;
    let bounds = COMMIT_BUCKETS_US
        .iter()
        .map(|us| seconds(*us))
        .chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(writer.buckets).collect();
    let count = writer.buckets.iter().sum();
    let help = "Time in which the log made a commit durable";
    to.encode_descriptor("purser_commit_seconds", help, None, MetricType::Histogram)?
        .encode_histogram::<[(&str, &str); 0]>(seconds(writer.commit_us), count, &buckets, None)
}

#[expect(
    clippy::float_arithmetic,
    reason = "Prometheus text holds milliseconds as decimals"
)]
fn match_latency(to: &mut DescriptorEncoder<'_>, matches: &MatchCounts) -> fmt::Result {
    let bounds = MATCH_BUCKETS_US.iter().map(|us| *us as f64 / 1e3);
    let bounds = bounds.chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(matches.buckets).collect();
    let (count, sum_ms) = (matches.buckets.iter().sum(), matches.sum_ns as f64 / 1e6);
    let (name, help) = (
        "poolhub_match_latency_ms",
        "Time in which a match was found",
    );
    to.encode_descriptor(name, help, None, MetricType::Histogram)?
        .encode_histogram::<[(&str, &str); 0]>(sum_ms, count, &buckets, None)
}

impl Scrape {
    fn matches(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Matches that found nobody";
        counter(to, ["purser_matches_unmet", help], self.matches.unmet)?;
        let families = [
            (
                "purser_match_left_out",
                "Workers that matches left out, by the first reason",
                &self.matches.left_out,
            ),
            (
                "purser_match_wanting",
                "Matches that found nobody, by the reason that left most workers out",
                &self.matches.wanting,
            ),
        ];
        for (name, help, counts) in families {
            let mut family = to.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (reason, count) in Reason::ALL.iter().zip(counts) {
                let labels = [("reason", reason.code())];
                ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn slots(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let whole = |slots| i64::try_from(slots).unwrap_or(i64::MAX);
        let Gauges {
            slots, slots_free, ..
        } = self.gauges;
        let help = "Jobs that reachable workers run at once";
        gauge(to, ["purser_slots", help], whole(slots))?;
        let help = "Jobs that they could take now";
        gauge(to, ["purser_slots_free", help], whole(slots_free))
    }

    fn pools(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        type Of = fn(&PoolGauges) -> Amount;
        let families: [(&str, &str, Of); 3] = [
            (
                "purser_pool_available",
                "What a pool may still grant, in base units",
                |pool| pool.available,
            ),
            (
                "purser_pool_reserved",
                "What of a pool is held for work under way, in base units",
                |pool| pool.reserved,
            ),
            (
                "purser_pool_granted",
                "What a pool paid for work, in base units",
                |pool| pool.granted,
            ),
        ];
        for (name, help, of) in families {
            let mut family = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for pool in &self.gauges.pools {
                let labels = [("pool", pool.pool.as_str())];
                amount(family.encode_family(&labels)?, of(pool))?;
            }
        }
        Ok(())
    }

    fn gaps(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = (
            "purser_intake_gaps",
            "Times in which a partition delivered no files for too long",
        );
        let mut family = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (partition, count) in &self.gauges.gaps {
            let labels = [("partition", partition.as_str())];
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            ConstGauge::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn events(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = ("purser_events", "Events recorded since the start, by kind");
        let mut family = to.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (kind, count) in &self.gauges.events {
            let labels = [("kind", kind.name())];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn requests(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = (
            "purser_http_requests",
            "Answered requests, by route and status",
        );
        let mut family = to.encode_descriptor(name, help, None, MetricType::Counter)?;
        for one in &self.routes {
            let status = match one.status {
                0 => String::from("other"),
                status => status.to_string(),
            };
            let labels = [("route", one.route.clone()), ("status", status)];
            ConstCounter::new(one.count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, lines: &[&str]) {
        for line in lines {
            let held = text.lines().any(|found| found == *line);
            assert!(held, "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_text_holds_each_series() {
        let metrics = Metrics::new([String::from("/v1/health")]);
        metrics.route(Some("/v1/health")).count(200);
        metrics.route(None).count(404);
        metrics.route(None).count(418);
        let mut left_out = [0; 15];
        left_out[Reason::Vram as usize] = 3;
        let took = std::time::Duration::from_micros(40);
        metrics.matches.count(took, 0, &left_out);
        let mut writer = Counted {
            commit_us: 5_000_070,
            ..Counted::default()
        };
        writer.buckets[1] = 1;
        writer.buckets[COMMIT_BUCKETS_US.len()] = 1;
        let text = metrics.text(Gauges {
            position: 7,
            miners_online: 2,
            slots: 8,
            slots_free: 3,
            queued: 4,
            sockets: 3,
            gaps: vec![("ai|eu".into(), 2)],
            writer,
            events: vec![(EventKind::WorkerBeat, 3)],
            ..Gauges::default()
        });
        holds(
            &text,
            &[
                "poolhub_miners_online 2",
                "poolhub_match_latency_ms_bucket{le=\"0.05\"} 1",
                "poolhub_match_latency_ms_count 1",
                "purser_matches_unmet_total 1",
                "purser_match_wanting_total{reason=\"vram\"} 1",
                "purser_position 7",
                "purser_queue_depth 4",
                "purser_sockets 3",
                "purser_slots 8",
                "purser_slots_free 3",
                "purser_intake_gaps{partition=\"ai|eu\"} 2",
                "purser_commit_seconds_bucket{le=\"0.00005\"} 0",
                "purser_commit_seconds_bucket{le=\"0.0001\"} 1",
                "purser_commit_seconds_bucket{le=\"+Inf\"} 2",
                "purser_commit_seconds_count 2",
                "purser_events_total{kind=\"worker_beat\"} 3",
                "purser_http_requests_total{route=\"/v1/health\",status=\"200\"} 1",
                "purser_http_requests_total{route=\"unmatched\",status=\"404\"} 1",
                "purser_http_requests_total{route=\"unmatched\",status=\"other\"} 1",
            ],
        );
    }

    #[test]
    fn each_pool_has_its_series() {
        let metrics = Metrics::new([]);
        let text = metrics.text(Gauges {
            pools: vec![
                PoolGauges {
                    pool: "house".into(),
                    available: Amount(u64::MAX.into()),
                    reserved: Amount(37),
                    granted: Amount::ZERO,
                },
                PoolGauges {
                    pool: "a \"b\"".into(),
                    available: Amount(1 << 64),
                    reserved: Amount::ZERO,
                    granted: Amount(5),
                },
            ],
            ..Gauges::default()
        });
        holds(
            &text,
            &[
                "purser_pool_available{pool=\"house\"} 18446744073709551615",
                "purser_pool_reserved{pool=\"house\"} 37",
                "purser_pool_granted{pool=\"house\"} 0",
                "purser_pool_available{pool=\"a \\\"b\\\"\"} 18446744073709553000.0",
                "purser_pool_granted{pool=\"a \\\"b\\\"\"} 5",
            ],
        );
    }
}
