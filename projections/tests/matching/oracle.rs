//! The rules of matching, read plainly: every worker is looked at, nothing is remembered.

use purser_events::matching::{Ask, Candidate, Components, Reason, RegionFinding};
use purser_events::{Label, Micros, WorkerNo};
use purser_projections::Projections;
use purser_projections::matching::{contains, top_level};
use purser_projections::registry::Worker;

pub(crate) struct Oracle<'a> {
    folds: &'a Projections,
    now: Micros,
}

/// What the rules say to an ask.
pub(crate) struct Expected {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) eligible: u32,
    pub(crate) first: [u32; 15],
    pub(crate) all: [u32; 15],
    pub(crate) left_out: Vec<(WorkerNo, Vec<Reason>)>,
}

const PPM: u128 = 1_000_000;

fn any(wanted: &[Label], carried: &[Label]) -> bool {
    wanted.iter().any(|word| carried.contains(word))
}

impl<'a> Oracle<'a> {
    pub(crate) const fn new(folds: &'a Projections, now: Micros) -> Self {
        Self { folds, now }
    }

    pub(crate) fn find(&self, ask: &Ask) -> Expected {
        let mut expected = Expected {
            candidates: Vec::new(),
            eligible: 0,
            first: [0; 15],
            all: [0; 15],
            left_out: Vec::new(),
        };
        for worker in self.folds.registry.workers(WorkerNo(0)) {
            let reasons = self.reasons(ask, &worker);
            if reasons.is_empty() {
                expected.eligible += 1;
                expected.candidates.push(self.candidate(ask, &worker));
                continue;
            }
            expected.first[reasons[0] as usize] += 1;
            for reason in &reasons {
                expected.all[*reason as usize] += 1;
            }
            expected.left_out.push((worker.number, reasons));
        }
        let names = self.folds.names.workers();
        expected.candidates.sort_by(|a, b| {
            let id = |one: &Candidate| names[one.worker.index()].to_string().into_bytes();
            let by_score = b.score_ppm.cmp(&a.score_ppm);
            let by_price = a.price_micro.cmp(&b.price_micro);
            by_score.then(by_price).then(id(a).cmp(&id(b)))
        });
        expected.candidates.truncate(ask.top_k as usize);
        expected
    }

    fn fresh(&self, worker: &Worker<'_>) -> bool {
        let grace = u64::from(self.folds.policy.heartbeat_grace_ms) * 1_000;
        self.now.0.saturating_sub(worker.pulse.last_heard.0) <= grace
    }

    fn jobs(&self, worker: &Worker<'_>) -> u32 {
        let open = self.folds.matching.standing(worker.number).open;
        worker.pulse.jobs(open)
    }

    fn eta(&self, worker: &Worker<'_>) -> Option<u64> {
        let latency = u64::from(worker.pulse.avg_latency_ms?);
        let parallel = u64::from(worker.file.manifest.max_parallel);
        Some(latency * (parallel + u64::from(self.jobs(worker))) / parallel)
    }

    fn reasons(&self, ask: &Ask, worker: &Worker<'_>) -> Vec<Reason> {
        let offer = &worker.file.manifest;
        let standing = self.folds.matching.standing(worker.number);
        let task = ask.task.as_ref().is_none_or(|task| {
            let named = format!("task:{task}");
            let mut words = offer.capabilities.iter();
            words.any(|word| word == task || word.as_str() == named)
        });
        let has = &offer.capabilities;
        let capabilities = (ask.capabilities_any.is_empty() || any(&ask.capabilities_any, has))
            && ask.capabilities_all.iter().all(|word| has.contains(word));
        let region = ask.region.as_ref();
        let here = region.is_none_or(|wanted| {
            let claimed = offer.region.as_ref();
            claimed.is_some_and(|claimed| contains(wanted.as_str(), claimed.as_str()))
        });
        let asked = region.is_some();
        let bare = offer.region.is_some() && standing.region == RegionFinding::Open;
        let price = ask
            .max_price_micro
            .is_none_or(|cap| offer.price_micro <= cap);
        let room = !worker.pulse.busy && self.jobs(worker) < offer.max_parallel;
        let in_time = ask.deadline_ms.is_none_or(|deadline| {
            self.eta(worker)
                .is_some_and(|eta| eta <= u64::from(deadline))
        });
        let tests = [
            (Reason::Inactive, worker.pulse.live()),
            (Reason::StaleHeartbeat, self.fresh(worker)),
            (Reason::Suspended, !standing.suspended(self.now.millis())),
            (Reason::Task, task),
            (Reason::Vram, offer.vram_mb >= ask.min_vram_mb),
            (Reason::Ram, offer.ram_mb >= ask.min_ram_mb),
            (
                Reason::Accel,
                ask.accel.is_empty() || any(&ask.accel, &offer.accel),
            ),
            (Reason::Capabilities, capabilities),
            (
                Reason::Tags,
                ask.tags_any.is_empty() || any(&ask.tags_any, &offer.tags),
            ),
            (Reason::Region, here),
            (
                Reason::RegionUnverified,
                !(asked && ask.region_verified && bare),
            ),
            (
                Reason::RegionContradicted,
                !(asked && standing.region == RegionFinding::Contradicted),
            ),
            (Reason::Price, price),
            (Reason::Capacity, room),
            (Reason::Deadline, in_time),
        ];
        let failed = tests.into_iter().filter(|(_, passed)| !passed);
        failed.map(|(reason, _)| reason).collect()
    }

    fn quickness(&self, worker: &Worker<'_>) -> u128 {
        let Some(latency) = worker.pulse.avg_latency_ms else {
            return PPM / 2;
        };
        let region = |one: &Worker<'_>| {
            let region = one.file.manifest.region.as_ref();
            region.map_or(String::new(), |region| {
                top_level(region.as_str()).to_owned()
            })
        };
        let mine = region(worker);
        let all = self.folds.registry.workers(WorkerNo(0));
        let latencies: Vec<u32> = all
            .filter(|one| one.pulse.live() && self.fresh(one) && region(one) == mine)
            .filter_map(|one| one.pulse.avg_latency_ms)
            .collect();
        if latencies.len() <= 1 {
            return PPM;
        }
        let lower = latencies.iter().filter(|one| **one < latency).count();
        PPM - PPM * lower as u128 / (latencies.len() as u128 - 1)
    }

    fn candidate(&self, ask: &Ask, worker: &Worker<'_>) -> Candidate {
        let offer = &worker.file.manifest;
        let price = u128::from(offer.price_micro);
        let mut wanted = ask.capabilities_any.clone();
        wanted.sort();
        wanted.dedup();
        let has = wanted
            .iter()
            .filter(|word| offer.capabilities.contains(word));
        let cap = (PPM * has.count() as u128)
            .checked_div(wanted.len() as u128)
            .unwrap_or(PPM);
        let cheap = match ask.max_price_micro {
            Some(0) => PPM,
            Some(cap) => PPM - PPM * price / u128::from(cap),
            None => PPM * PPM / (PPM + price),
        };
        let parallel = u128::from(offer.max_parallel);
        let jobs = u128::from(self.jobs(worker));
        let trust = self.folds.matching.standing(worker.number).trust;
        let trust = u128::from(trust.ppm(self.now.millis()));
        let load = PPM * (parallel - jobs) / (parallel + 1);
        let parts = [cap, cheap, self.quickness(worker), trust, load];
        let weights = &self.folds.policy.match_weights;
        let weights = [
            weights.cap,
            weights.price,
            weights.latency,
            weights.trust,
            weights.load,
        ];
        let sum: u128 = weights
            .iter()
            .zip(parts)
            .map(|(weight, part)| u128::from(*weight) * part)
            .sum();
        let small = |part: u128| u32::try_from(part).expect("a share of a million");
        Candidate {
            worker: worker.number,
            score_ppm: small(sum / PPM),
            components: Components {
                cap: small(cap),
                price: small(cheap),
                latency: small(parts[2]),
                trust: small(trust),
                load: small(load),
            },
            price_micro: offer.price_micro,
            eta_ms: self.eta(worker),
        }
    }
}
