//! A pool of the sample's proportions: workers that beat, and now and then a job.

use purser::writer::Submission;
use purser_commands::Command;
use purser_commands::command::{Beat, RegisterWorker, Secret, WorkerRef};
use purser_events::worker::Manifest;
use purser_events::{Actor, Label};

/// A short text as a label.
pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("a short text")
}

/// A generator of numbers that look random and are the same in every run (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A command without an id.
pub(crate) fn submission(command: Command) -> Submission {
    Submission {
        command,
        id: None,
        actor: Actor::CommandLine,
    }
}

/// A worker's registration.
pub(crate) fn register(number: u64) -> Command {
    Command::RegisterWorker(Box::new(RegisterWorker {
        miner_id: label(&miner(number)),
        api_key: Secret(format!("key-{number}").into()),
        fresh_salt: [7; 16],
        manifest: Manifest {
            addr: label(&format!(
                "10.{}.{}.{}:9000",
                number >> 16,
                (number >> 8) & 255,
                number & 255
            )),
            proto: label("grpc"),
            gpu_name: label("NVIDIA A100"),
            vram_mb: 81_920,
            cpu_cores: 16,
            ram_mb: 131_072,
            price_micro: 500_000 + number % 1_000,
            max_parallel: 4,
            tags: vec![label("fast")],
            capabilities: vec![label("task:llm"), label("model:llama-3.1-8b")],
            accel: vec![label("cuda")],
            region: Some(label("eu-central")),
            node_type: None,
            payout_address: None,
        },
    }))
}

/// A worker's id.
pub(crate) fn miner(number: u64) -> String {
    format!("miner-{number:06}")
}

/// A heartbeat as a real worker would send it.
pub(crate) fn beat(number: u64, dice: &mut Dice) -> Command {
    Command::Beat(Beat {
        worker: WorkerRef::Miner(label(&miner(number))),
        sent_at_ms: 0,
        queue_len: dice.below(4) as u32,
        avg_latency_ms: Some(20 + dice.below(480) as u32),
        temp_decidegrees: Some(400 + dice.below(400) as i32),
        mem_free_mb: Some(dice.below(80_000) as u32),
    })
}
