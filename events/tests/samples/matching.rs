//! Samples of matching.

use purser_events::matching::{
    Ask, AssignmentExpired, Candidate, Components, Evidence, FeedbackGiven, KeyRotated, MatchMade,
    Outcome, Reason, RegionFinding, RegionProbed, Weights, WorkerDegraded, WorkerResumed,
    WorkerSuspended,
};
use purser_events::policy::{PolicyChange, PolicyChanged};
use purser_events::worker::KeyHash;
use purser_events::{Event, KeyTag, Position, WorkerNo};

use super::label;

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let mut events = standing();
    events.extend(made());
    events.extend(reports());
    let change = PolicyChange::MatchWeights(Weights::default());
    events.push((
        "match_weights",
        Event::PolicyChanged(PolicyChanged { change }),
    ));
    events
}

fn standing() -> Vec<(&'static str, Event)> {
    let (worker, reason) = (WorkerNo(300), label("overheats"));
    let probed = |finding, distance_km| {
        Event::RegionProbed(Box::new(RegionProbed {
            worker,
            probe: label("eu-west"),
            rtt_us: 12_345,
            samples: 5,
            distance_km,
            finding,
        }))
    };
    vec![
        (
            "plain",
            Event::WorkerDegraded(WorkerDegraded {
                worker,
                last_heard_ms: 1_769_860_680_122,
            }),
        ),
        (
            "plain",
            Event::WorkerSuspended(Box::new(WorkerSuspended {
                worker,
                reason: reason.clone(),
            })),
        ),
        (
            "plain",
            Event::WorkerResumed(Box::new(WorkerResumed { worker, reason })),
        ),
        (
            "plain",
            Event::KeyRotated(Box::new(KeyRotated {
                worker,
                key: KeyHash {
                    salt: [0xee; 16],
                    hash: [0xee; 32],
                },
                old_until_ms: 1_769_860_680_122,
            })),
        ),
        ("open", probed(RegionFinding::Open, None)),
        ("verified", probed(RegionFinding::Verified, Some(0))),
        (
            "contradicted",
            probed(RegionFinding::Contradicted, Some(9_000)),
        ),
    ]
}

fn made() -> Vec<(&'static str, Event)> {
    let full = MatchMade {
        job: label("job-1"),
        coordinator: KeyTag(0x0102_0304),
        ask: ask(),
        weights: Weights::default(),
        looked_at: Position(70_000),
        candidates: vec![Candidate {
            worker: WorkerNo(7),
            score_ppm: 757_500,
            components: Components {
                cap: 1_000_000,
                price: 62_500,
                latency: 1_000_000,
                trust: 700_000,
                load: 800_000,
            },
            price_micro: 750_000,
            eta_ms: Some(320),
        }],
        left_out: Reason::ALL.iter().map(|reason| (*reason, 3)).collect(),
        assigned: vec![WorkerNo(7)],
        expires_at_ms: 1_769_860_680_122,
    };
    let bare = MatchMade {
        ask: Ask::default(),
        candidates: Vec::new(),
        left_out: Vec::new(),
        assigned: Vec::new(),
        ..full.clone()
    };
    let event = |made| Event::MatchMade(Box::new(made));
    vec![("full", event(full)), ("bare", event(bare))]
}

fn ask() -> Ask {
    Ask {
        task: Some(label("llm")),
        min_vram_mb: 8_192,
        min_ram_mb: 8_192,
        accel: vec![label("cuda")],
        capabilities_any: vec![label("model:a"), label("model:b")],
        capabilities_all: vec![label("runtime:c")],
        tags_any: vec![label("quiet")],
        region: Some(label("eu")),
        region_verified: true,
        max_price_micro: Some(800_000),
        deadline_ms: Some(5_000),
        top_k: 3,
    }
}

fn reports() -> Vec<(&'static str, Event)> {
    let given = |outcome| FeedbackGiven {
        job: label("job-1"),
        coordinator: KeyTag(0x0102_0304),
        worker: WorkerNo(7),
        outcome,
        latency_ms: Some(400),
        fail_code: None,
        tokens_spent: Some(1_200),
        evidence: Evidence {
            success_milli: 1_000,
            failure_milli: 0,
            fraud: false,
        },
        trust_ppm: 600_000,
        deadline_ms: Some(5_000),
        expires_at_ms: None,
    };
    let event = |given| Event::FeedbackGiven(Box::new(given));
    let accepted = FeedbackGiven {
        expires_at_ms: Some(1_769_860_680_122),
        ..given(Outcome::Accepted)
    };
    let failed = FeedbackGiven {
        latency_ms: None,
        fail_code: Some(label("invalid_result")),
        tokens_spent: None,
        deadline_ms: None,
        evidence: Evidence {
            success_milli: 0,
            failure_milli: 5_000,
            fraud: true,
        },
        ..given(Outcome::Failed)
    };
    vec![
        ("accepted", event(accepted)),
        ("completed", event(given(Outcome::Completed))),
        ("rejected", event(given(Outcome::Rejected))),
        ("failed", event(failed)),
        (
            "plain",
            Event::AssignmentExpired(Box::new(AssignmentExpired {
                job: label("job-1"),
                worker: WorkerNo(7),
                evidence: Evidence::default(),
            })),
        ),
    ]
}
