//! Matching: matches, reports, standing.

use purser_events::matching::{
    Ask, AssignmentExpired, Candidate, Components, Evidence, FeedbackGiven, KeyRotated, MatchMade,
    RegionFinding, RegionProbed, Weights, WorkerDegraded,
};
use purser_events::{Label, Micros, WorkerNo};

use super::Data;
use crate::render::object::Object;

impl Data<'_, '_> {
    pub(super) fn degraded(&mut self, degraded: &WorkerDegraded) {
        let WorkerDegraded {
            worker,
            last_heard_ms,
        } = degraded;
        self.worker("worker", *worker);
        let last_heard = Micros::from_millis(*last_heard_ms);
        self.object.moment("last_heard_at", last_heard);
    }

    pub(super) fn standing(&mut self, worker: WorkerNo, reason: &Label) {
        self.worker("worker", worker);
        self.object.text("reason", reason.as_str());
    }

    /// The hash of the key is left out: whoever has it may try keys at leisure.
    pub(super) fn key_rotated(&mut self, rotated: &KeyRotated) {
        let KeyRotated {
            worker,
            key: _,
            old_until_ms,
        } = rotated;
        self.worker("worker", *worker);
        let until = Micros::from_millis(*old_until_ms);
        self.object.moment("old_until", until);
    }

    pub(super) fn probed(&mut self, probed: &RegionProbed) {
        let RegionProbed {
            worker,
            probe,
            rtt_us,
            samples,
            distance_km,
            finding,
        } = probed;
        self.worker("worker", *worker);
        self.object.text("probe", probe.as_str());
        self.object.number("rtt_us", *rtt_us);
        self.object.number("samples", *samples);
        if let Some(distance) = distance_km {
            self.object.number("distance_km", *distance);
        }
        self.object.text("finding", finding_name(*finding));
    }

    pub(super) fn match_made(&mut self, made: &MatchMade) {
        let MatchMade {
            job,
            coordinator,
            ask,
            weights,
            looked_at,
            candidates,
            left_out,
            assigned,
            expires_at_ms,
        } = made;
        self.object.text("job", job.as_str());
        self.object.hex("coordinator", &coordinator.0.to_be_bytes());
        self.object.object("ask", |object| write_ask(object, ask));
        self.object
            .object("weights", |object| write_weights(object, weights));
        self.object.number("looked_at", looked_at.0);
        let names = self.names;
        self.object
            .objects("candidates", candidates, |object, one| {
                write_candidate(&mut Data { object, names }, one);
            });
        self.object.object("left_out", |object| {
            for (reason, count) in left_out {
                object.number(reason.code(), *count);
            }
        });
        self.object.objects("assigned", assigned, |object, worker| {
            Data { object, names }.worker("worker", *worker);
        });
        let expires = Micros::from_millis(*expires_at_ms);
        self.object.moment("expires_at", expires);
    }

    pub(super) fn feedback(&mut self, given: &FeedbackGiven) {
        let FeedbackGiven {
            job,
            coordinator,
            worker,
            outcome,
            latency_ms,
            fail_code,
            tokens_spent,
            evidence,
            trust_ppm,
            deadline_ms,
            expires_at_ms,
        } = given;
        self.object.text("job", job.as_str());
        self.object.hex("coordinator", &coordinator.0.to_be_bytes());
        self.worker("worker", *worker);
        self.object.text("outcome", outcome.as_str());
        if let Some(latency) = latency_ms {
            self.object.number("latency_ms", *latency);
        }
        if let Some(code) = fail_code {
            self.object.text("fail_code", code.as_str());
        }
        if let Some(tokens) = tokens_spent {
            self.object.number("tokens_spent", *tokens);
        }
        write_evidence(self.object, *evidence);
        self.object.number("trust_ppm", *trust_ppm);
        if let Some(deadline) = deadline_ms {
            self.object.number("deadline_ms", *deadline);
        }
        if let Some(expires) = expires_at_ms {
            let expires = Micros::from_millis(*expires);
            self.object.moment("expires_at", expires);
        }
    }

    pub(super) fn expired(&mut self, expired: &AssignmentExpired) {
        let AssignmentExpired {
            job,
            worker,
            evidence,
        } = expired;
        self.object.text("job", job.as_str());
        self.worker("worker", *worker);
        write_evidence(self.object, *evidence);
    }
}

const fn finding_name(finding: RegionFinding) -> &'static str {
    match finding {
        RegionFinding::Open => "open",
        RegionFinding::Verified => "verified",
        RegionFinding::Contradicted => "contradicted",
    }
}

fn write_evidence(object: &mut Object<'_>, evidence: Evidence) {
    let Evidence {
        success_milli,
        failure_milli,
        fraud,
    } = evidence;
    object.number("success_milli", success_milli);
    object.number("failure_milli", failure_milli);
    object.flag("fraud", fraud);
}

/// Weights of the parts of a score.
pub(super) fn write_weights(object: &mut Object<'_>, weights: &Weights) {
    let Weights {
        cap,
        price,
        latency,
        trust,
        load,
    } = weights;
    object.number("cap", *cap);
    object.number("price", *price);
    object.number("latency", *latency);
    object.number("trust", *trust);
    object.number("load", *load);
}

fn write_candidate(data: &mut Data<'_, '_>, candidate: &Candidate) {
    let Candidate {
        worker,
        score_ppm,
        components,
        price_micro,
        eta_ms,
    } = candidate;
    data.worker("worker", *worker);
    data.object.number("score_ppm", *score_ppm);
    data.object.object("components", |object| {
        let Components {
            cap,
            price,
            latency,
            trust,
            load,
        } = components;
        object.number("cap", *cap);
        object.number("price", *price);
        object.number("latency", *latency);
        object.number("trust", *trust);
        object.number("load", *load);
    });
    data.object.number("price_micro", *price_micro);
    if let Some(eta) = eta_ms {
        data.object.number("eta_ms", *eta);
    }
}

fn write_ask(object: &mut Object<'_>, ask: &Ask) {
    let Ask {
        task,
        min_vram_mb,
        min_ram_mb,
        accel,
        capabilities_any,
        capabilities_all,
        tags_any,
        region,
        region_verified,
        max_price_micro,
        deadline_ms,
        top_k,
    } = ask;
    if let Some(task) = task {
        object.text("task", task.as_str());
    }
    object.number("min_vram_mb", *min_vram_mb);
    object.number("min_ram_mb", *min_ram_mb);
    object.labels("accel", accel);
    object.labels("capabilities_any", capabilities_any);
    object.labels("capabilities_all", capabilities_all);
    object.labels("tags_any", tags_any);
    if let Some(region) = region {
        object.text("region", region.as_str());
    }
    object.flag("region_verified", *region_verified);
    if let Some(price) = max_price_micro {
        object.number("max_price_micro", *price);
    }
    if let Some(deadline) = deadline_ms {
        object.number("deadline_ms", *deadline);
    }
    object.number("top_k", *top_k);
}
