//! What the orchestrators of a simulated pool write down: events in the form of the OpenPool.

use serde_json::{Value, json};

use super::random::Random;
use purser_events::policy::NodeType;

/// A model as it is offered: pipeline, units of one job from and to, wei per unit.
struct Model {
    id: &'static str,
    pipeline: &'static str,
    units: (u64, u64),
    price_wei: u64,
    response_ms: (u64, u64),
}

const MODELS: [Model; 4] = [
    Model {
        id: "SG161222/RealVisXL_V4.0_Lightning",
        pipeline: "text-to-image",
        units: (1_048_576, 1_048_576),
        price_wei: 4_768_371,
        response_ms: (900, 4_200),
    },
    Model {
        id: "stabilityai/stable-video-diffusion-img2vid-xt-1-1",
        pipeline: "image-to-video",
        units: (14_745_600, 14_745_600),
        price_wei: 3_390_842,
        response_ms: (21_000, 44_000),
    },
    Model {
        id: "openai/whisper-large-v3",
        pipeline: "audio-to-text",
        units: (4_000, 90_000),
        price_wei: 12_882_811,
        response_ms: (1_200, 12_000),
    },
    Model {
        id: "meta-llama/Meta-Llama-3.1-8B-Instruct",
        pipeline: "llm",
        units: (64, 2_048),
        price_wei: 187_000_000,
        response_ms: (700, 9_000),
    },
];

/// Wei per pixel of transcoding, as senders agreed on them.
const PRICES_WEI: [u64; 4] = [22, 150, 600, 1_200];

/// Every so many AI jobs the orchestrator's record of the result is lost.
const LOST_EVERY: u64 = 60;

/// One event of an orchestrator.
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) payload: Value,
}

/// The worker's stream was opened.
pub(super) fn connected(address: &str, connection: &str) -> Event {
    Event {
        kind: "worker-connected",
        payload: json!({ "ethAddress": address, "connection": connection }),
    }
}

/// The worker's stream was closed.
pub(super) fn disconnected(address: &str, connection: &str) -> Event {
    Event {
        kind: "worker-disconnected",
        payload: json!({ "ethAddress": address, "connection": connection }),
    }
}

/// The orchestrator started.
pub(super) fn reset() -> Event {
    Event {
        kind: "orchestrator-reset",
        payload: json!({}),
    }
}

/// One job of this node type, done by the worker of this address.
pub(super) fn job(random: &mut Random, node_type: NodeType, address: &str) -> Vec<Event> {
    match node_type {
        NodeType::Ai => ai(random, address),
        NodeType::Transcode => vec![transcode(random, address)],
    }
}

fn ai(random: &mut Random, address: &str) -> Vec<Event> {
    let model = random.pick(&MODELS);
    let request = format!("{:08x}", random.next() >> 32);
    let units = random.within(model.units.0, model.units.1);
    let response_ms = random.within(model.response_ms.0, model.response_ms.1);
    let received = Event {
        kind: "job-received",
        payload: json!({
            "ethAddress": address,
            "requestID": request,
            "pipeline": model.pipeline,
            "modelID": model.id,
        }),
    };
    let processed = Event {
        kind: "job-processed",
        payload: json!({
            "requestID": request,
            "pipeline": model.pipeline,
            "modelID": model.id,
            "responseTime": response_ms * 1_000_000 + random.within(0, 999_999),
            "computeUnits": units,
            "pricePerComputeUnit": model.price_wei,
            "fees": units * model.price_wei,
        }),
    };
    if random.within(1, LOST_EVERY) == 1 {
        vec![processed]
    } else {
        vec![received, processed]
    }
}

fn transcode(random: &mut Random, address: &str) -> Event {
    let heights = [
        (426, 240),
        (640, 360),
        (854, 480),
        (1_280, 720),
        (1_920, 1_080),
    ];
    let renditions = usize::try_from(random.within(1, 5)).unwrap_or(1);
    let frames = 60;
    let units: u64 = heights[..renditions]
        .iter()
        .map(|(w, h)| w * h * frames)
        .sum();
    let price_wei = *random.pick(&PRICES_WEI);
    let (duration_ms, response_ms) = (2_000, random.within(140, 1_900));
    Event {
        kind: "job-processed",
        payload: json!({
            "ethAddress": address,
            "computeUnits": units,
            "responseTime": response_ms,
            "duration": duration_ms,
            "realTimeRatio": duration_ms / response_ms,
            "pricePerComputeUnit": price_wei,
            "fees": units * price_wei,
        }),
    }
}
