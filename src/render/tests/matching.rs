//! Matching in the small history.

use purser_events::matching::{
    Ask, AssignmentExpired, Candidate, Components, Evidence, FeedbackGiven, KeyRotated, MatchMade,
    Outcome, Reason, RegionFinding, RegionProbed, Weights, WorkerDegraded, WorkerResumed,
    WorkerSuspended,
};
use purser_events::policy::{PolicyChange, PolicyChanged};
use purser_events::worker::KeyHash;
use purser_events::{Envelope, Event, KeyTag, Position, WorkerNo};

use super::history::{label, numbered};

const WORKER: WorkerNo = WorkerNo(1);
const BY: KeyTag = KeyTag(0x0102_0304);
const MOMENT_MS: u64 = 1_769_860_680_122;

/// Numbered from 301.
pub(super) fn history() -> Vec<Envelope> {
    numbered(301, events())
}

fn events() -> Vec<Event> {
    let (worker, reason) = (WORKER, label("over\"heats"));
    vec![
        Event::WorkerDegraded(WorkerDegraded {
            worker,
            last_heard_ms: MOMENT_MS,
        }),
        Event::WorkerSuspended(Box::new(WorkerSuspended {
            worker,
            reason: reason.clone(),
        })),
        Event::WorkerResumed(Box::new(WorkerResumed { worker, reason })),
        Event::KeyRotated(Box::new(KeyRotated {
            worker,
            key: KeyHash {
                salt: [0xee; 16],
                hash: [0xee; 32],
            },
            old_until_ms: MOMENT_MS,
        })),
        Event::RegionProbed(Box::new(RegionProbed {
            worker,
            probe: label("eu-west"),
            rtt_us: 12_345,
            samples: 5,
            distance_km: Some(9_000),
            finding: RegionFinding::Contradicted,
        })),
        made(),
        given(),
        Event::AssignmentExpired(Box::new(AssignmentExpired {
            job: label("job-2"),
            worker,
            evidence: Evidence {
                failure_milli: 500,
                ..Evidence::default()
            },
        })),
        Event::PolicyChanged(PolicyChanged {
            change: PolicyChange::MatchWeights(Weights::default()),
        }),
    ]
}

fn made() -> Event {
    Event::MatchMade(Box::new(MatchMade {
        job: label("job-1"),
        coordinator: BY,
        ask: Ask {
            task: Some(label("llm")),
            accel: vec![label("cuda")],
            region: Some(label("eu")),
            max_price_micro: Some(800_000),
            deadline_ms: Some(5_000),
            top_k: 3,
            ..Ask::default()
        },
        weights: Weights::default(),
        looked_at: Position(30),
        candidates: vec![Candidate {
            worker: WORKER,
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
        left_out: vec![(Reason::Tags, 1), (Reason::Deadline, 2)],
        assigned: vec![WORKER],
        expires_at_ms: MOMENT_MS,
    }))
}

fn given() -> Event {
    Event::FeedbackGiven(Box::new(FeedbackGiven {
        job: label("job-1"),
        coordinator: BY,
        worker: WORKER,
        outcome: Outcome::Failed,
        latency_ms: Some(400),
        fail_code: Some(label("invalid_result")),
        tokens_spent: Some(1_200),
        evidence: Evidence {
            success_milli: 0,
            failure_milli: 5_000,
            fraud: true,
        },
        trust_ppm: 222_222,
        deadline_ms: Some(5_000),
        expires_at_ms: Some(MOMENT_MS),
    }))
}
