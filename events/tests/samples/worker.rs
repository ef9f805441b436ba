//! Samples of workers and rules.

use purser_events::policy::{
    AssetDeclared, NodeType, PartitionDeclared, PolicyChange, PolicyChanged,
};
use purser_events::worker::{
    KeyHash, LeaseGranted, Manifest, ManifestChanged, WorkerBeat, WorkerLapsed, WorkerLoggedOut,
    WorkerNamed, WorkerRegistered, WorkerUpdated,
};
use purser_events::{Amount, AssetNo, BasisPoints, Event, PartitionNo, Wei, WorkerNo};

use super::{ADDRESS, label};

pub(crate) fn logged_out() -> Event {
    let worker = WorkerNo(5);
    Event::WorkerLoggedOut(WorkerLoggedOut { worker })
}

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let worker = WorkerNo(300);
    let mut events = vec![
        (
            "plain",
            Event::WorkerNamed(WorkerNamed {
                worker,
                address: ADDRESS,
            }),
        ),
        (
            "plain",
            Event::WorkerRegistered(Box::new(WorkerRegistered {
                worker,
                miner_id: label("miner-1"),
                key: KeyHash {
                    salt: [1; 16],
                    hash: [2; 32],
                },
                manifest: full(),
            })),
        ),
        (
            "full",
            Event::ManifestChanged(Box::new(ManifestChanged {
                worker,
                manifest: full(),
            })),
        ),
        (
            "bare",
            Event::ManifestChanged(Box::new(ManifestChanged {
                worker,
                manifest: bare(),
            })),
        ),
        (
            "plain",
            Event::LeaseGranted(LeaseGranted { worker, session: 2 }),
        ),
        (
            "plain",
            Event::WorkerLapsed(WorkerLapsed {
                worker,
                last_heard_ms: 1_769_860_680_122,
            }),
        ),
    ];
    events.extend(reports());
    events.extend(rules());
    events
}

fn reports() -> Vec<(&'static str, Event)> {
    let worker = WorkerNo(99_999);
    vec![
        (
            "full",
            Event::WorkerUpdated(Box::new(WorkerUpdated {
                worker,
                queue_len: Some(3),
                busy: Some(true),
                current_jobs: Some(vec![label("job-1"), label("job-2")]),
                price_micro: Some(u64::MAX),
            })),
        ),
        (
            "bare",
            Event::WorkerUpdated(Box::new(WorkerUpdated {
                worker,
                queue_len: None,
                busy: None,
                current_jobs: None,
                price_micro: None,
            })),
        ),
        (
            "full",
            Event::WorkerBeat(WorkerBeat {
                worker,
                lag_ms: Some(-40),
                queue_len: 2,
                avg_latency_ms: Some(250),
                temp_decidegrees: Some(-5),
                mem_free_mb: Some(20_480),
            }),
        ),
        (
            "bare",
            Event::WorkerBeat(WorkerBeat {
                worker: WorkerNo(0),
                lag_ms: None,
                queue_len: 0,
                avg_latency_ms: None,
                temp_decidegrees: None,
                mem_free_mb: None,
            }),
        ),
    ]
}

fn rules() -> Vec<(&'static str, Event)> {
    let commission = BasisPoints::new(2_500).expect("a rate");
    let changes = [
        ("commission", PolicyChange::Commission(commission)),
        (
            "payout_threshold",
            PolicyChange::PayoutThreshold(Wei(u128::MAX)),
        ),
        ("lease_ttl_ms", PolicyChange::LeaseTtlMs(60_000)),
        (
            "heartbeat_grace_ms",
            PolicyChange::HeartbeatGraceMs(120_000),
        ),
        (
            "heartbeat_interval_ms",
            PolicyChange::HeartbeatIntervalMs(15_000),
        ),
        ("job_idle_ms", PolicyChange::JobIdleMs(1_200_000)),
        ("debt_limit", PolicyChange::DebtLimit(Amount(300))),
        ("open_jobs_max", PolicyChange::OpenJobsMax(64)),
    ];
    let changed = |change| Event::PolicyChanged(PolicyChanged { change });
    let mut events: Vec<_> = changes.map(|(name, change)| (name, changed(change))).into();
    for (name, node_type) in [("ai", NodeType::Ai), ("transcode", NodeType::Transcode)] {
        let declared = PartitionDeclared {
            partition: PartitionNo(1),
            node_type,
            region: label("us-central"),
        };
        events.push((name, Event::PartitionDeclared(declared)));
    }
    let asset = AssetDeclared {
        asset: AssetNo(0),
        code: label("ETH"),
        exponent: 18,
    };
    events.push(("plain", Event::AssetDeclared(asset)));
    events
}

fn full() -> Manifest {
    Manifest {
        addr: label("10.0.0.1:7000"),
        proto: label("http"),
        gpu_name: label("RTX 4090"),
        vram_mb: 24_576,
        cpu_cores: 16,
        ram_mb: 65_536,
        price_micro: 62_500,
        max_parallel: 4,
        tags: vec![label("quiet"), label("gr\u{fc}n")],
        capabilities: vec![label("task:llm")],
        accel: vec![label("cuda")],
        region: Some(label("eu-west")),
        node_type: Some(label("ai")),
        payout_address: Some(ADDRESS),
    }
}

fn bare() -> Manifest {
    Manifest {
        tags: Vec::new(),
        capabilities: Vec::new(),
        accel: Vec::new(),
        region: None,
        node_type: None,
        payout_address: None,
        ..full()
    }
}
