//! Random histories of a pool, as a decision could have written them.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use purser_events::matching::{
    Ask, AssignmentExpired, Evidence, FeedbackGiven, MatchMade, Outcome, RegionFinding,
    RegionProbed, Weights, WorkerDegraded, WorkerResumed, WorkerSuspended,
};
use purser_events::policy::{PolicyChange, PolicyChanged};
use purser_events::worker::{
    KeyHash, LeaseGranted, Manifest, ManifestChanged, WorkerBeat, WorkerLapsed, WorkerLoggedOut,
    WorkerRegistered, WorkerUpdated,
};
use purser_events::{Event, KeyTag, Label, Micros, Position, Recorded, WorkerNo};
use purser_projections::Projections;
use purser_projections::matching::HALF_LIFE_MS;
use purser_projections::registry::State;

use crate::label;

pub(crate) struct Pool {
    pub(crate) folds: Projections,
    pub(crate) now: Micros,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            folds: Projections::default(),
            now: Micros::from_millis(1_700_000_000_000),
        }
    }
}

/// Something that happens to a pool; workers are named modulo their count.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Register(Manifest),
    Change(usize, Manifest),
    Beat(usize, u32, Option<u32>),
    Update(usize, Option<u32>, Option<bool>, Option<u64>),
    End(usize, bool),
    Return(usize),
    Bar(usize, bool),
    Probe(usize, RegionFinding),
    Assign(usize, u32),
    Report(usize, Outcome, Evidence),
    Wait(u64),
    Rule(PolicyChange),
    Ask(usize),
}

fn manifest(number: u64, words: [&[&str]; 4], sizes: [u32; 3]) -> Manifest {
    let labels = |words: &[&str]| words.iter().map(|word| label(word)).collect();
    Manifest {
        addr: label("10.0.0.1:7000"),
        proto: label("http"),
        gpu_name: label("RTX 4090"),
        vram_mb: sizes[0],
        cpu_cores: 16,
        ram_mb: sizes[1],
        price_micro: number,
        max_parallel: sizes[2],
        tags: labels(words[0]),
        capabilities: labels(words[1]),
        accel: labels(words[2]),
        region: words[3].first().map(|region| label(region)),
        node_type: None,
        payout_address: None,
    }
}

fn some(from: &'static [&'static str]) -> impl Strategy<Value = Vec<Label>> {
    prop::sample::subsequence(from, 0..=from.len())
        .prop_map(|words| words.into_iter().map(label).collect())
}

const REGIONS: &[&str] = &["eu", "eu-west", "eu-west-1", "eur", "us-east", "us"];
const CAPABILITIES: &[&str] = &["model:a", "model:b", "model:c", "task:llm", "llm"];
const TAGS: &[&str] = &["quiet", "cheap"];
const ACCEL: &[&str] = &["cuda", "rocm"];
const MEMORY: &[u32] = &[0, 1, 255, 256, 8_191, 8_192, 9_000, 24_576, u32::MAX];
const PRICES: &[u64] = &[0, 1, 10_000, 500_000, 800_000, 800_001, 2_000_000, u64::MAX];

fn any_manifest() -> impl Strategy<Value = Manifest> {
    let sizes = (
        prop::sample::select(MEMORY),
        prop::sample::select(MEMORY),
        1u32..4,
        prop::sample::select(PRICES),
    );
    let words = (some(TAGS), some(CAPABILITIES), some(ACCEL));
    let region = of(prop::sample::select(REGIONS));
    (sizes, words, region).prop_map(|(sizes, words, region)| Manifest {
        tags: words.0,
        capabilities: words.1,
        accel: words.2,
        region: region.map(label),
        ..manifest(sizes.3, [&[]; 4], [sizes.0, sizes.1, sizes.2])
    })
}

fn step() -> impl Strategy<Value = Step> {
    let who = || any::<usize>();
    let latency = of(prop_oneof![0u32..6, Just(u32::MAX), 0u32..2_000]);
    let finding = prop_oneof![
        Just(RegionFinding::Verified),
        Just(RegionFinding::Contradicted)
    ];
    let outcome = prop_oneof![
        Just(Outcome::Accepted),
        Just(Outcome::Completed),
        Just(Outcome::Rejected),
        Just(Outcome::Failed),
    ];
    let evidence = (0u32..3_000, 0u32..3_000, prop::bool::weighted(0.05));
    let evidence = evidence.prop_map(|(success_milli, failure_milli, fraud)| Evidence {
        success_milli,
        failure_milli,
        fraud,
    });
    let wait = prop_oneof![
        0u64..1_000,
        Just(60_000),
        Just(120_000),
        Just(120_001),
        Just(HALF_LIFE_MS)
    ];
    let rule = prop_oneof![
        Just(PolicyChange::HeartbeatGraceMs(60_000)),
        Just(PolicyChange::HeartbeatGraceMs(HALF_LIFE_MS as u32)),
        Just(PolicyChange::MatchWeights(Weights {
            cap: 0,
            price: 1_000_000,
            latency: 0,
            trust: 0,
            load: 0,
        })),
    ];
    prop_oneof![
        6 => any_manifest().prop_map(Step::Register),
        1 => (who(), any_manifest()).prop_map(|(who, offer)| Step::Change(who, offer)),
        12 => (who(), 0u32..4, latency).prop_map(|(who, queue, lat)| Step::Beat(who, queue, lat)),
        2 => (who(), of(0u32..4), of(any::<bool>()), of(prop::sample::select(PRICES)))
            .prop_map(|(who, queue, busy, price)| Step::Update(who, queue, busy, price)),
        1 => (who(), any::<bool>()).prop_map(|(who, lapsed)| Step::End(who, lapsed)),
        1 => who().prop_map(Step::Return),
        1 => (who(), any::<bool>()).prop_map(|(who, bars)| Step::Bar(who, bars)),
        1 => (who(), finding).prop_map(|(who, finding)| Step::Probe(who, finding)),
        2 => (who(), 0u32..100).prop_map(|(who, job)| Step::Assign(who, job)),
        4 => (who(), outcome, evidence)
            .prop_map(|(who, outcome, evidence)| Step::Report(who, outcome, evidence)),
        2 => wait.prop_map(Step::Wait),
        1 => prop::bool::weighted(0.1)
            .prop_flat_map(move |is| if is { rule.clone().prop_map(Step::Rule).boxed() }
                else { Just(Step::Wait(1)).boxed() }),
        3 => who().prop_map(Step::Ask),
    ]
}

pub(crate) fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..count)
}

pub(crate) fn ask() -> impl Strategy<Value = Ask> {
    let rare = |words| prop_oneof![2 => Just(Vec::new()), 1 => some(words)];
    let words = (
        rare(ACCEL),
        rare(CAPABILITIES),
        rare(CAPABILITIES),
        rare(TAGS),
    );
    let memory = || prop_oneof![2 => Just(0), 1 => prop::sample::select(MEMORY)];
    let task = prop::option::weighted(0.2, Just("llm"));
    let region = prop::option::weighted(0.4, prop::sample::select(REGIONS));
    let price = prop::option::weighted(0.4, prop::sample::select(PRICES));
    let deadline = prop::option::weighted(0.2, 0u32..3_000);
    let claims = (task, region, any::<bool>());
    let limits = (price, deadline, 1u32..12);
    (words, memory(), memory(), claims, limits).prop_map(|(words, vram, ram, claims, limits)| Ask {
        task: claims.0.map(label),
        min_vram_mb: vram,
        min_ram_mb: ram,
        accel: words.0,
        capabilities_any: words.1,
        capabilities_all: if words.2.len() > 2 {
            Vec::new()
        } else {
            words.2
        },
        tags_any: words.3,
        region: claims.1.map(label),
        region_verified: claims.2,
        max_price_micro: limits.0,
        deadline_ms: limits.1,
        top_k: limits.2,
    })
}

/// Numbers that look random.
const fn scattered(number: u32, salt: u32) -> u32 {
    let mut mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ ((salt as u64) << 17));
    mixed ^= mixed >> 29;
    mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 33) as u32
}

impl Step {
    /// The registration of one worker of a large pool.
    pub(crate) fn large(number: u32) -> Self {
        let pick = |words: &'static [&'static str], salt: u32| {
            let kept = scattered(number, salt);
            let words = words.iter().enumerate();
            let kept = words.filter(|(at, _)| kept >> at & 1 == 1);
            kept.map(|(_, word)| *word).collect::<Vec<_>>()
        };
        let (tags, capabilities) = (pick(TAGS, 1), pick(CAPABILITIES, 2));
        let accel = pick(ACCEL, 3);
        let region = [REGIONS[scattered(number, 4) as usize % REGIONS.len()]];
        let vram = [8_192, 12_288, 24_576, 81_920][scattered(number, 5) as usize % 4];
        Self::Register(manifest(
            u64::from(scattered(number, 6) % 2_000_000),
            [&tags, &capabilities, &accel, &region],
            [vram, 65_536, 1 + scattered(number, 7) % 8],
        ))
    }

    /// A worker that claims this region, and nothing else.
    pub(crate) fn of_region(region: &str) -> Self {
        let words: [&[&str]; 4] = [&[], &[], &[], &[region]];
        Self::Register(manifest(1_000, words, [8_192, 65_536, 2]))
    }

    pub(crate) fn large_beat(round: u32) -> Self {
        let latency = 20 + scattered(round, 8) % 1_000;
        let queue = scattered(round, 9) % 4;
        Self::Beat(scattered(round, 10) as usize, queue, Some(latency))
    }
}

pub(crate) fn large_asks() -> Vec<Ask> {
    let bare = Ask {
        top_k: 10,
        ..Ask::default()
    };
    let mixed = Ask {
        min_vram_mb: 8_192,
        accel: vec![label("cuda")],
        capabilities_any: vec![label("model:a"), label("model:b")],
        max_price_micro: Some(1_200_000),
        ..bare.clone()
    };
    let regional = Ask {
        region: Some(label("eu")),
        min_vram_mb: 20_000,
        deadline_ms: Some(700),
        ..bare.clone()
    };
    let narrow = Ask {
        capabilities_any: CAPABILITIES.iter().map(|word| label(word)).collect(),
        max_price_micro: Some(50_000),
        ..bare.clone()
    };
    vec![bare, mixed, regional, narrow]
}

impl Pool {
    pub(crate) fn apply(&mut self, event: &Event) {
        self.folds.apply(Recorded {
            position: self.folds.position.next(),
            recorded_at: self.now,
            event,
        });
    }

    fn worker(&self, who: usize) -> Option<WorkerNo> {
        let count = self.folds.registry.numbers();
        (count > 0).then(|| WorkerNo::following(who % count))
    }

    /// The events that a step leads to; none where a decision would refuse.
    pub(crate) fn events(&mut self, step: &Step) -> Vec<Event> {
        if let Step::Wait(ms) = step {
            self.now.0 += ms * 1_000;
        }
        self.event(step).into_iter().collect()
    }

    fn event(&self, step: &Step) -> Option<Event> {
        let live = |who: usize| {
            let worker = self.worker(who)?;
            self.folds.registry.pulse(worker)?.live().then_some(worker)
        };
        let reason = || label("because");
        Some(match step {
            Step::Wait(_) | Step::Ask(_) => return None,
            Step::Register(manifest) => self.registered(manifest),
            Step::Change(who, manifest) => Event::ManifestChanged(Box::new(ManifestChanged {
                worker: self.worker(*who)?,
                manifest: manifest.clone(),
            })),
            Step::Beat(who, queue_len, latency) => Event::WorkerBeat(WorkerBeat {
                worker: live(*who)?,
                lag_ms: None,
                queue_len: *queue_len,
                avg_latency_ms: *latency,
                temp_decidegrees: None,
                mem_free_mb: None,
            }),
            Step::Update(who, queue_len, busy, price_micro) => {
                Event::WorkerUpdated(Box::new(WorkerUpdated {
                    worker: live(*who)?,
                    queue_len: *queue_len,
                    busy: *busy,
                    current_jobs: None,
                    price_micro: *price_micro,
                }))
            }
            Step::End(who, lapsed) => self.ended(live(*who)?, *lapsed),
            Step::Return(who) => {
                let worker = self.worker(*who)?;
                let pulse = self.folds.registry.pulse(worker)?;
                let session = pulse.session + u32::from(!pulse.live());
                Event::LeaseGranted(LeaseGranted { worker, session })
            }
            Step::Bar(who, bars) => {
                let (worker, reason) = (self.worker(*who)?, reason());
                match bars {
                    true => Event::WorkerSuspended(Box::new(WorkerSuspended { worker, reason })),
                    false => Event::WorkerResumed(Box::new(WorkerResumed { worker, reason })),
                }
            }
            Step::Probe(who, finding) => Event::RegionProbed(Box::new(RegionProbed {
                worker: self.worker(*who)?,
                probe: label("eu"),
                rtt_us: 1,
                samples: 5,
                distance_km: None,
                finding: *finding,
            })),
            Step::Assign(who, job) => self.assigned(live(*who)?, *job)?,
            Step::Report(who, outcome, evidence) => self.reported(*who, *outcome, *evidence)?,
            Step::Rule(change) => Event::PolicyChanged(PolicyChanged { change: *change }),
        })
    }

    fn registered(&self, manifest: &Manifest) -> Event {
        let worker = WorkerNo::following(self.folds.registry.numbers());
        // Ids are not in the order of the numbers.
        let id = format!("m-{}-{}", scattered(worker.0, 11), worker.0);
        Event::WorkerRegistered(Box::new(WorkerRegistered {
            worker,
            miner_id: label(&id),
            key: KeyHash {
                salt: [0; 16],
                hash: [0; 32],
            },
            manifest: manifest.clone(),
        }))
    }

    fn ended(&self, worker: WorkerNo, lapsed: bool) -> Event {
        let pulse = self.folds.registry.pulse(worker).expect("it is live");
        let last_heard_ms = pulse.last_heard.millis();
        match lapsed {
            true if pulse.state == State::Live => Event::WorkerDegraded(WorkerDegraded {
                worker,
                last_heard_ms,
            }),
            true => Event::WorkerLapsed(WorkerLapsed {
                worker,
                last_heard_ms,
            }),
            false => Event::WorkerLoggedOut(WorkerLoggedOut { worker }),
        }
    }

    fn assigned(&self, worker: WorkerNo, job: u32) -> Option<Event> {
        let job = label(&format!("job-{job}"));
        if self.folds.matching.jobs.get(&job).is_some() {
            return None;
        }
        Some(Event::MatchMade(Box::new(MatchMade {
            job,
            coordinator: KeyTag(1),
            ask: Ask::default(),
            weights: Weights::default(),
            looked_at: Position(1),
            candidates: Vec::new(),
            left_out: Vec::new(),
            assigned: vec![worker],
            expires_at_ms: self.now.millis() + 1_000,
        })))
    }

    /// A report on the job that holds the worker's first slot, or its expiry.
    fn reported(&self, who: usize, outcome: Outcome, evidence: Evidence) -> Option<Event> {
        let jobs = &self.folds.matching.jobs;
        let open: Vec<_> = jobs.expired(u64::MAX).collect();
        let (job, worker) = *open.get(who.checked_rem(open.len())?)?;
        if outcome == Outcome::Rejected {
            return Some(Event::AssignmentExpired(Box::new(AssignmentExpired {
                job: job.clone(),
                worker,
                evidence,
            })));
        }
        let accepted = outcome == Outcome::Accepted;
        Some(Event::FeedbackGiven(Box::new(FeedbackGiven {
            job: job.clone(),
            coordinator: KeyTag(1),
            worker,
            outcome,
            latency_ms: None,
            fail_code: None,
            tokens_spent: None,
            evidence,
            trust_ppm: 0,
            deadline_ms: None,
            expires_at_ms: accepted.then(|| self.now.millis() + 500),
        })))
    }
}
