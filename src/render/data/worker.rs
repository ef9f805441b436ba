//! Workers: registered, updated, beaten, leased, lapsed.

use purser_events::Micros;
use purser_events::instruction::{Instruction, InstructionAnswered, WorkerInstructed};
use purser_events::worker::{
    LeaseGranted, Manifest, ManifestChanged, WorkerBeat, WorkerLapsed, WorkerRegistered,
    WorkerUpdated,
};

use super::Data;
use crate::render::object::Object;

impl Data<'_, '_> {
    /// The hash of the key is left out: whoever has it may try keys at leisure.
    pub(super) fn registered(&mut self, registered: &WorkerRegistered) {
        let WorkerRegistered {
            worker,
            miner_id: _,
            key: _,
            manifest,
        } = registered;
        self.worker("worker", *worker);
        self.object
            .object("manifest", |object| write_manifest(object, manifest));
    }

    pub(super) fn manifest_changed(&mut self, changed: &ManifestChanged) {
        let ManifestChanged { worker, manifest } = changed;
        self.worker("worker", *worker);
        self.object
            .object("manifest", |object| write_manifest(object, manifest));
    }

    pub(super) fn updated(&mut self, updated: &WorkerUpdated) {
        let WorkerUpdated {
            worker,
            queue_len,
            busy,
            current_jobs,
            price_micro,
        } = updated;
        self.worker("worker", *worker);
        if let Some(queue_len) = queue_len {
            self.object.number("queue_len", *queue_len);
        }
        if let Some(busy) = busy {
            self.object.flag("busy", *busy);
        }
        if let Some(jobs) = current_jobs {
            self.object.labels("current_jobs", jobs);
        }
        if let Some(price) = price_micro {
            self.object.number("price_micro", *price);
        }
    }

    pub(super) fn beat(&mut self, beat: &WorkerBeat, recorded_at: Micros) {
        let WorkerBeat {
            worker,
            lag_ms: _,
            queue_len,
            avg_latency_ms,
            temp_decidegrees,
            mem_free_mb,
        } = beat;
        self.worker("worker", *worker);
        if let Some(sent) = beat.sent_at_ms(recorded_at) {
            self.object.moment("sent_at", Micros::from_millis(sent));
        }
        self.object.number("queue_len", *queue_len);
        if let Some(latency) = avg_latency_ms {
            self.object.number("avg_latency_ms", *latency);
        }
        if let Some(temp) = temp_decidegrees {
            self.object.signed("temp_decidegrees", *temp);
        }
        if let Some(free) = mem_free_mb {
            self.object.number("mem_free_mb", *free);
        }
    }

    pub(super) fn lease(&mut self, granted: &LeaseGranted) {
        let LeaseGranted { worker, session } = granted;
        self.worker("worker", *worker);
        self.object.number("session", *session);
    }

    pub(super) fn lapsed(&mut self, lapsed: &WorkerLapsed) {
        let WorkerLapsed {
            worker,
            last_heard_ms,
        } = lapsed;
        self.worker("worker", *worker);
        let last_heard = Micros::from_millis(*last_heard_ms);
        self.object.moment("last_heard_at", last_heard);
    }
}

impl Data<'_, '_> {
    pub(super) fn instructed(&mut self, asked: &WorkerInstructed) {
        let WorkerInstructed {
            worker,
            instruction,
        } = asked;
        self.worker("worker", *worker);
        self.object.text("instruction", instruction.name());
        match instruction {
            Instruction::CapPrice(cap) => self.object.number("price_micro", *cap),
            Instruction::SetTags(tags) => self.object.labels("tags", tags),
            Instruction::Drain(on) => self.object.flag("on", *on),
        }
    }

    pub(super) fn instruction_answered(&mut self, said: &InstructionAnswered) {
        let InstructionAnswered {
            worker,
            instruction,
            accepted,
        } = said;
        self.worker("worker", *worker);
        self.object.number("instruction", instruction.0);
        self.object.flag("accepted", *accepted);
    }
}

fn write_manifest(object: &mut Object<'_>, manifest: &Manifest) {
    let Manifest {
        addr,
        proto,
        gpu_name,
        vram_mb,
        cpu_cores,
        ram_mb,
        price_micro,
        max_parallel,
        tags,
        capabilities,
        accel,
        region,
        node_type,
        payout_address,
    } = manifest;
    object.text("addr", addr.as_str());
    object.text("proto", proto.as_str());
    object.text("gpu_name", gpu_name.as_str());
    object.number("vram_mb", *vram_mb);
    object.number("cpu_cores", *cpu_cores);
    object.number("ram_mb", *ram_mb);
    object.number("price_micro", *price_micro);
    object.number("max_parallel", *max_parallel);
    object.labels("tags", tags);
    object.labels("capabilities", capabilities);
    object.labels("accel", accel);
    if let Some(region) = region {
        object.text("region", region.as_str());
    }
    if let Some(node_type) = node_type {
        object.text("node_type", node_type.as_str());
    }
    if let Some(address) = payout_address {
        object.prefixed_hex("payout_address", &address.0);
    }
}
