//! A small history with every kind of event, and its names.

use purser_events::intake::{
    Attribution, EarlierCopyFound, ElementQuarantined, ElementReason, EventId, Fee,
    FileQuarantined, FileReason, FileStamps, FileTaken, JobProcessed, JobReattributed, JobReceived,
    KeyState, ModelNamed, Moved, OtherTaken, PartitionReset, RequestId, Split, Standing, Suspense,
    Taken, TicketRedeemed, TypeNamed, WorkerConnected, WorkerDisconnected,
};
use purser_events::policy::{
    AssetDeclared, NodeType, PartitionDeclared, PolicyChange, PolicyChanged,
};
use purser_events::worker::{
    KeyHash, LeaseGranted, Manifest, ManifestChanged, WorkerBeat, WorkerLapsed, WorkerLoggedOut,
    WorkerNamed, WorkerRegistered, WorkerUpdated,
};
use purser_events::{
    Actor, Address, AssetNo, BasisPoints, CommandStamp, Envelope, Event, FileNo, KeyTag, Label,
    Micros, ModelNo, PartitionNo, Position, Recorded, Seconds, TypeNo, Wei, WorkerNo,
};
use purser_projections::Projections;
use purser_projections::names::Names;

use super::{grants, instructions, payers, payouts, tickets};

pub(super) fn label(text: &str) -> Label {
    Label::new(text).expect("a label")
}

/// The names that the history gives: worker 0 is an address, worker 1 a miner with a difficult id.
pub(super) fn names() -> Names {
    let mut folds = Projections::default();
    let naming = naming().into_iter().chain(payers::naming());
    for event in naming.chain(grants::naming()) {
        folds.apply(Recorded {
            position: folds.position.next(),
            recorded_at: Micros(1),
            event: &event,
        });
    }
    folds.names
}

fn naming() -> Vec<Event> {
    vec![
        Event::PartitionDeclared(PartitionDeclared {
            partition: PartitionNo(0),
            node_type: NodeType::Ai,
            region: label("us-central"),
        }),
        Event::PartitionDeclared(PartitionDeclared {
            partition: PartitionNo(1),
            node_type: NodeType::Transcode,
            region: label("eu"),
        }),
        Event::AssetDeclared(AssetDeclared {
            asset: AssetNo(0),
            code: label("ETH"),
            exponent: 18,
        }),
        Event::WorkerNamed(WorkerNamed {
            worker: WorkerNo(0),
            address: ADDRESS,
        }),
        Event::WorkerRegistered(Box::new(WorkerRegistered {
            worker: WorkerNo(1),
            miner_id: label("m \"1\", \\ \u{fc}"),
            key: KeyHash {
                salt: [0xee; 16],
                hash: [0xee; 32],
            },
            manifest: manifest(),
        })),
        Event::ModelNamed(Box::new(ModelNamed {
            model: ModelNo(0),
            model_id: label("org/model"),
            pipeline: label("llm"),
        })),
        Event::TypeNamed(Box::new(TypeNamed {
            event_type: TypeNo(0),
            name: label("stream-started"),
        })),
    ]
}

const ADDRESS: Address = Address([0x1f; 20]);

fn manifest() -> Manifest {
    Manifest {
        addr: label("10.0.0.1:7000"),
        proto: label("http"),
        gpu_name: label("RTX 4090"),
        vram_mb: 24_576,
        cpu_cores: 16,
        ram_mb: 65_536,
        price_micro: 62_500,
        max_parallel: 4,
        tags: vec![label("a\"b"), label("c")],
        capabilities: Vec::new(),
        accel: vec![label("cuda")],
        region: Some(label("eu-west")),
        node_type: None,
        payout_address: Some(ADDRESS),
    }
}

/// Every kind of event.
pub(super) fn history() -> Vec<Envelope> {
    let mut history = first();
    history.extend(payers::history());
    history.extend(payouts::history());
    history.extend(tickets::history());
    history.extend(super::matching::history());
    history.extend(instructions::history());
    history.extend(grants::history());
    history
}

/// Events numbered from `from` on: each further subject has a range of its own.
pub(super) fn numbered(from: u64, events: Vec<Event>) -> Vec<Envelope> {
    let numbers = from..;
    let envelopes = numbers.zip(events);
    envelopes
        .map(|(number, event)| envelope(number, event))
        .collect()
}

/// Workers, rules and intake, numbered from 1.
fn first() -> Vec<Envelope> {
    let events = naming().into_iter().chain(workers()).chain(taken_in());
    let mut history = numbered(1, events.chain(jobs()).collect());
    history[0].actor = Actor::Purser;
    history[0].command = Some(Box::new(CommandStamp {
        id: label("first \"try\""),
        content: [9; 16],
        events: 1,
    }));
    history[1].actor = Actor::CommandLine;
    history[2].actor = Actor::Operator(KeyTag(0xab));
    history[3].actor = Actor::Worker(WorkerNo(1));
    history[4].actor = Actor::Newcomer;
    history
}

pub(super) fn envelope(position: u64, event: Event) -> Envelope {
    Envelope {
        position: Position(position),
        recorded_at: Micros(1_769_860_800_123_456 + position * 1_000),
        command: None,
        actor: Actor::Coordinator(KeyTag(0x0102_0304)),
        event,
    }
}

fn workers() -> Vec<Event> {
    let worker = WorkerNo(1);
    vec![
        Event::ManifestChanged(Box::new(ManifestChanged {
            worker,
            manifest: Manifest {
                region: None,
                payout_address: None,
                ..manifest()
            },
        })),
        Event::WorkerUpdated(Box::new(WorkerUpdated {
            worker,
            queue_len: Some(3),
            busy: Some(true),
            current_jobs: Some(vec![label("j1"), label("j2")]),
            price_micro: Some(5),
        })),
        Event::WorkerBeat(WorkerBeat {
            worker,
            lag_ms: Some(33),
            queue_len: 2,
            avg_latency_ms: Some(250),
            temp_decidegrees: Some(-5),
            mem_free_mb: Some(20_480),
        }),
        Event::LeaseGranted(LeaseGranted { worker, session: 2 }),
        Event::WorkerLapsed(WorkerLapsed {
            worker,
            last_heard_ms: 1_769_860_680_122,
        }),
        Event::WorkerLoggedOut(WorkerLoggedOut { worker }),
        Event::PolicyChanged(PolicyChanged {
            change: PolicyChange::PayoutThreshold(Wei(u128::MAX)),
        }),
        Event::PolicyChanged(PolicyChanged {
            change: PolicyChange::Commission(BasisPoints::new(2_500).expect("a rate")),
        }),
    ]
}

pub(super) fn taken(partition: u32) -> Taken {
    Taken {
        id: EventId::Uuid([0x5a; 16]),
        occurred_at: Seconds(1_762_316_683),
        file: FileNo(4),
        index: 7,
        partition: PartitionNo(partition),
        stamps: STAMPS,
    }
}

const STAMPS: FileStamps = FileStamps {
    start: 20_251_105_003_040,
    end: 20_251_105_013_148,
};

fn taken_in() -> Vec<Event> {
    let worker = Some(WorkerNo(0));
    vec![
        Event::FileTaken(Box::new(FileTaken {
            file: FileNo(4),
            partition: PartitionNo(1),
            stamps: STAMPS,
            content: [0xc0; 32],
            etag: Some(label("\"e1\"")),
            before: KeyState::Unreadable,
            elements: 9,
            malformed: 1,
            misrouted: 2,
            duplicates: 3,
            conflicts: 0,
        })),
        Event::FileQuarantined(Box::new(FileQuarantined {
            key: label("eu/transcode/x.json"),
            place: None,
            content: [0xc1; 32],
            etag: None,
            bytes: 12,
            reason: FileReason::BadName,
            before: KeyState::New,
        })),
        Event::ElementQuarantined(Box::new(ElementQuarantined {
            file: FileNo(4),
            index: 8,
            reason: ElementReason::BadTime,
            excerpt: Some(label("{\"DT\":1}")),
        })),
        Event::WorkerConnected(Box::new(WorkerConnected {
            taken: taken(1),
            worker,
            connection: Some(label("10.0.0.9:4000")),
            standing: Standing::Latest,
        })),
        Event::WorkerDisconnected(Box::new(WorkerDisconnected {
            taken: taken(1),
            worker: None,
            connection: None,
            standing: Standing::Void,
        })),
        Event::PartitionReset(Box::new(PartitionReset { taken: taken(0) })),
        Event::OtherTaken(Box::new(OtherTaken {
            taken: Taken {
                id: EventId::Text(label("id\\1")),
                ..taken(0)
            },
            event_type: TypeNo(0),
        })),
        Event::EarlierCopyFound(Box::new(EarlierCopyFound {
            event: Position(20),
            copy: taken(0),
            content: 1,
            moved: Moved::Received(RequestId::Hex(0xab)),
        })),
    ]
}

pub(super) fn split(policy: u64, rate: u16) -> Split {
    Split {
        policy: Position(policy),
        commission: BasisPoints::new(rate).expect("a rate"),
    }
}

pub(super) fn job(fee: Fee, attribution: Attribution) -> Box<JobProcessed> {
    Box::new(JobProcessed {
        taken: taken(0),
        request: Some(RequestId::Hex(0x1b01_1a91)),
        model: Some(ModelNo(0)),
        units: Some(37_000),
        price_wei: Some(11_476_001),
        response_time: Some(3_744_096_103),
        duration_ms: None,
        real_time_ratio: None,
        fee,
        attribution,
        split: split(15, 2_500),
    })
}

fn jobs() -> Vec<Event> {
    let orphan = Attribution::Suspense(Suspense::Orphan);
    vec![
        Event::JobReceived(Box::new(JobReceived {
            taken: taken(0),
            request: Some(RequestId::Digest(Box::new([0xd1; 32]))),
            worker: Some(WorkerNo(0)),
            matchable: true,
        })),
        Event::JobProcessed(job(Fee::Payable(10_001), Attribution::Worker(WorkerNo(0)))),
        Event::JobProcessed(Box::new(JobProcessed {
            taken: taken(1),
            request: None,
            model: None,
            units: None,
            price_wei: None,
            response_time: Some(-5),
            duration_ms: Some(2_000),
            real_time_ratio: Some(4),
            ..*job(
                Fee::NonPositive(-3),
                Attribution::Suspense(Suspense::NoAddress),
            )
        })),
        Event::JobProcessed(job(Fee::Bad(Some(label("1e30"))), orphan)),
        Event::JobReattributed(Box::new(JobReattributed {
            job: Position(25),
            partition: PartitionNo(0),
            request: RequestId::Text(label("r\"1")),
            model: Some(ModelNo(0)),
            response_time: Some(7),
            fee: Fee::Payable(u64::MAX),
            from: orphan,
            from_split: split(0, 0),
            to: Attribution::Worker(WorkerNo(1)),
            to_split: split(15, 10_000),
            cause: Position(26),
        })),
        Event::TicketRedeemed(Box::new(TicketRedeemed {
            taken: taken(0),
            recipient: Some(ADDRESS),
            sender: None,
            face_value: Some(Wei(u128::MAX)),
            tx_hash: Some([0x77; 32]),
        })),
    ]
}
