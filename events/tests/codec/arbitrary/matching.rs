//! Matching: any content.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use purser_events::matching::{
    Ask, AssignmentExpired, Candidate, Components, Evidence, FeedbackGiven, KeyRotated, MatchMade,
    Outcome, Reason, RegionFinding, RegionProbed, Weights, WorkerDegraded, WorkerResumed,
    WorkerSuspended,
};
use purser_events::worker::KeyHash;
use purser_events::{Event, KeyTag, WorkerNo};

use super::{label, position, worker};

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![standing(), probed(), made(), feedback()]
}

pub(crate) fn weights() -> impl Strategy<Value = Weights> {
    any::<[u32; 5]>().prop_map(|[cap, price, latency, trust, load]| Weights {
        cap,
        price,
        latency,
        trust,
        load,
    })
}

fn evidence() -> impl Strategy<Value = Evidence> {
    any::<(u32, u32, bool)>().prop_map(|(success_milli, failure_milli, fraud)| Evidence {
        success_milli,
        failure_milli,
        fraud,
    })
}

fn standing() -> impl Strategy<Value = Event> {
    let key = (any::<[u8; 16]>(), any::<[u8; 32]>());
    let key = key.prop_map(|(salt, hash)| KeyHash { salt, hash });
    prop_oneof![
        (worker(), any::<u64>()).prop_map(|(worker, last_heard_ms)| {
            Event::WorkerDegraded(WorkerDegraded {
                worker,
                last_heard_ms,
            })
        }),
        (worker(), label()).prop_map(|(worker, reason)| {
            Event::WorkerSuspended(Box::new(WorkerSuspended { worker, reason }))
        }),
        (worker(), label()).prop_map(|(worker, reason)| {
            Event::WorkerResumed(Box::new(WorkerResumed { worker, reason }))
        }),
        (worker(), key, any::<u64>()).prop_map(|(worker, key, old_until_ms)| {
            Event::KeyRotated(Box::new(KeyRotated {
                worker,
                key,
                old_until_ms,
            }))
        }),
    ]
}

fn probed() -> impl Strategy<Value = Event> {
    let finding = prop_oneof![
        Just(RegionFinding::Open),
        Just(RegionFinding::Verified),
        Just(RegionFinding::Contradicted),
    ];
    let numbers = (any::<u32>(), any::<u32>(), of(any::<u32>()));
    (worker(), label(), numbers, finding).prop_map(|(worker, probe, numbers, finding)| {
        Event::RegionProbed(Box::new(RegionProbed {
            worker,
            probe,
            rtt_us: numbers.0,
            samples: numbers.1,
            distance_km: numbers.2,
            finding,
        }))
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    let lists = || vec(label(), 0..3);
    let lists = (lists(), lists(), lists(), lists());
    let numbers = (any::<u32>(), any::<u32>(), any::<u32>());
    let claims = (of(label()), of(label()), any::<bool>());
    let limits = (of(any::<u64>()), of(any::<u32>()));
    (lists, numbers, claims, limits).prop_map(|(lists, numbers, claims, limits)| Ask {
        task: claims.0,
        min_vram_mb: numbers.0,
        min_ram_mb: numbers.1,
        accel: lists.0,
        capabilities_any: lists.1,
        capabilities_all: lists.2,
        tags_any: lists.3,
        region: claims.1,
        region_verified: claims.2,
        max_price_micro: limits.0,
        deadline_ms: limits.1,
        top_k: numbers.2,
    })
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let numbers = (any::<u32>(), any::<u64>(), of(any::<u64>()));
    (worker(), any::<[u32; 5]>(), numbers).prop_map(|(worker, parts, numbers)| {
        let [cap, price, latency, trust, load] = parts;
        Candidate {
            worker,
            score_ppm: numbers.0,
            components: Components {
                cap,
                price,
                latency,
                trust,
                load,
            },
            price_micro: numbers.1,
            eta_ms: numbers.2,
        }
    })
}

fn made() -> impl Strategy<Value = Event> {
    let reason = prop::sample::select(&Reason::ALL[..]);
    let chosen = (
        vec(candidate(), 0..4),
        vec(any::<u32>().prop_map(WorkerNo), 0..4),
    );
    let left_out = vec((reason, any::<u32>()), 0..4);
    let seen = (position(), any::<u64>(), weights(), any::<u32>());
    (label(), ask(), chosen, left_out, seen).prop_map(|(job, ask, chosen, left_out, seen)| {
        Event::MatchMade(Box::new(MatchMade {
            job,
            coordinator: KeyTag(seen.3),
            ask,
            weights: seen.2,
            looked_at: seen.0,
            candidates: chosen.0,
            left_out,
            assigned: chosen.1,
            expires_at_ms: seen.1,
        }))
    })
}

fn feedback() -> impl Strategy<Value = Event> {
    let outcome = prop_oneof![
        Just(Outcome::Accepted),
        Just(Outcome::Completed),
        Just(Outcome::Rejected),
        Just(Outcome::Failed),
    ];
    let told = (
        of(any::<u32>()),
        of(label()),
        of(any::<u64>()),
        of(any::<u64>()),
        of(any::<u32>()),
        any::<u32>(),
    );
    let given = ((label(), any::<u32>()), worker(), outcome, told, evidence());
    prop_oneof![
        given.prop_map(|((job, tag), worker, outcome, told, evidence)| {
            Event::FeedbackGiven(Box::new(FeedbackGiven {
                job,
                coordinator: KeyTag(tag),
                worker,
                outcome,
                latency_ms: told.0,
                fail_code: told.1,
                tokens_spent: told.2,
                evidence,
                trust_ppm: told.5,
                deadline_ms: told.4,
                expires_at_ms: told.3,
            }))
        }),
        (label(), worker(), evidence()).prop_map(|(job, worker, evidence)| {
            Event::AssignmentExpired(Box::new(AssignmentExpired {
                job,
                worker,
                evidence,
            }))
        }),
    ]
}
