//! Envelopes of every kind with any content.

mod matching;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use purser_events::intake::{
    Attribution, EarlierCopyFound, ElementQuarantined, ElementReason, EventId, Fee,
    FileQuarantined, FileReason, FileStamps, FileTaken, JobProcessed, JobReattributed, JobReceived,
    KeyState, ModelNamed, Moved, Order, OtherTaken, PartitionReset, Rank, RequestId, Split,
    Standing, Suspense, Taken, TicketRedeemed, TypeNamed, WorkerConnected, WorkerDisconnected,
};
use purser_events::policy::{
    AssetDeclared, NodeType, PartitionDeclared, PolicyChange, PolicyChanged,
};
use purser_events::worker::{
    KeyHash, LeaseGranted, Manifest, ManifestChanged, WorkerBeat, WorkerLapsed, WorkerLoggedOut,
    WorkerNamed, WorkerRegistered, WorkerUpdated,
};
use purser_events::{
    Actor, Address, Amount, AssetNo, BasisPoints, CommandStamp, Envelope, Event, FileNo, KeyTag,
    Label, Micros, ModelNo, PartitionNo, Position, Seconds, TypeNo, Wei, WorkerNo,
};

use crate::{grant, instruction, payer, payout, ticket};

pub(crate) fn envelope() -> impl Strategy<Value = Envelope> {
    let stamp = (label(), any::<[u8; 16]>(), any::<u32>());
    let stamp = stamp.prop_map(|(id, content, events)| {
        Box::new(CommandStamp {
            id,
            content,
            events,
        })
    });
    let parts = (any::<u64>(), any::<u64>(), of(stamp), actor(), event());
    parts.prop_map(|(position, recorded_at, command, actor, event)| Envelope {
        position: Position(position),
        recorded_at: Micros(recorded_at),
        command,
        actor,
        event,
    })
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        Just(Actor::Purser),
        Just(Actor::CommandLine),
        Just(Actor::Newcomer),
        any::<u32>().prop_map(|tag| Actor::Coordinator(KeyTag(tag))),
        any::<u32>().prop_map(|tag| Actor::Operator(KeyTag(tag))),
        worker().prop_map(Actor::Worker),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        worker_event(),
        report(),
        rule(),
        file(),
        connection(),
        job(),
        naming(),
        payer::event(),
        grant::event(),
        ticket::event(),
        payout::event(),
        matching::event(),
        instruction::event(),
    ]
}

pub(crate) fn label() -> impl Strategy<Value = Label> + Clone {
    "\\PC{1,40}".prop_map(|text| Label::new(&text).expect("a label"))
}

fn worker() -> impl Strategy<Value = WorkerNo> {
    any::<u32>().prop_map(WorkerNo)
}

fn position() -> impl Strategy<Value = Position> {
    any::<u64>().prop_map(Position)
}

fn manifest() -> impl Strategy<Value = Manifest> {
    let texts = (label(), label(), label());
    let sizes = (
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        any::<u64>(),
        any::<u32>(),
    );
    let labels = || vec(label(), 0..4);
    let lists = (labels(), labels(), labels());
    let claims = (of(label()), of(label()), of(any::<[u8; 20]>()));
    (texts, sizes, lists, claims).prop_map(|(texts, sizes, lists, claims)| Manifest {
        addr: texts.0,
        proto: texts.1,
        gpu_name: texts.2,
        vram_mb: sizes.0,
        cpu_cores: sizes.1,
        ram_mb: sizes.2,
        price_micro: sizes.3,
        max_parallel: sizes.4,
        tags: lists.0,
        capabilities: lists.1,
        accel: lists.2,
        region: claims.0,
        node_type: claims.1,
        payout_address: claims.2.map(Address),
    })
}

fn worker_event() -> impl Strategy<Value = Event> {
    let key = (any::<[u8; 16]>(), any::<[u8; 32]>());
    let key = key.prop_map(|(salt, hash)| KeyHash { salt, hash });
    prop_oneof![
        (worker(), any::<[u8; 20]>()).prop_map(|(worker, address)| {
            let address = Address(address);
            Event::WorkerNamed(WorkerNamed { worker, address })
        }),
        (worker(), label(), key, manifest()).prop_map(|(worker, miner_id, key, manifest)| {
            Event::WorkerRegistered(Box::new(WorkerRegistered {
                worker,
                miner_id,
                key,
                manifest,
            }))
        }),
        (worker(), manifest()).prop_map(|(worker, manifest)| {
            Event::ManifestChanged(Box::new(ManifestChanged { worker, manifest }))
        }),
        (worker(), any::<u32>()).prop_map(|(worker, session)| {
            Event::LeaseGranted(LeaseGranted { worker, session })
        }),
        (worker(), any::<u64>()).prop_map(|(worker, last_heard_ms)| {
            Event::WorkerLapsed(WorkerLapsed {
                worker,
                last_heard_ms,
            })
        }),
        worker().prop_map(|worker| Event::WorkerLoggedOut(WorkerLoggedOut { worker })),
    ]
}

fn report() -> impl Strategy<Value = Event> {
    let updated = (
        worker(),
        of(any::<u32>()),
        of(any::<bool>()),
        of(vec(label(), 0..4)),
        of(any::<u64>()),
    );
    let beat = (
        worker(),
        of(any::<i64>()),
        any::<u32>(),
        of(any::<u32>()),
        of(any::<i32>()),
        of(any::<u32>()),
    );
    prop_oneof![
        updated.prop_map(|(worker, queue_len, busy, current_jobs, price_micro)| {
            Event::WorkerUpdated(Box::new(WorkerUpdated {
                worker,
                queue_len,
                busy,
                current_jobs,
                price_micro,
            }))
        }),
        beat.prop_map(|(worker, lag_ms, queue_len, latency, temp, free)| {
            Event::WorkerBeat(WorkerBeat {
                worker,
                lag_ms,
                queue_len,
                avg_latency_ms: latency,
                temp_decidegrees: temp,
                mem_free_mb: free,
            })
        }),
    ]
}

fn rate() -> impl Strategy<Value = BasisPoints> {
    (0..=BasisPoints::WHOLE).prop_map(|rate| BasisPoints::new(rate).expect("a rate"))
}

fn rule() -> impl Strategy<Value = Event> {
    let change = prop_oneof![
        rate().prop_map(PolicyChange::Commission),
        any::<u128>().prop_map(|wei| PolicyChange::PayoutThreshold(Wei(wei))),
        any::<u32>().prop_map(PolicyChange::LeaseTtlMs),
        any::<u32>().prop_map(PolicyChange::HeartbeatGraceMs),
        any::<u32>().prop_map(PolicyChange::HeartbeatIntervalMs),
        any::<u32>().prop_map(PolicyChange::JobIdleMs),
        any::<u128>().prop_map(|limit| PolicyChange::DebtLimit(Amount(limit))),
        any::<u32>().prop_map(PolicyChange::OpenJobsMax),
        matching::weights().prop_map(PolicyChange::MatchWeights),
    ];
    let node_type = prop_oneof![Just(NodeType::Ai), Just(NodeType::Transcode)];
    prop_oneof![
        change.prop_map(|change| Event::PolicyChanged(PolicyChanged { change })),
        (any::<u32>(), node_type, label()).prop_map(|(partition, node_type, region)| {
            Event::PartitionDeclared(PartitionDeclared {
                partition: PartitionNo(partition),
                node_type,
                region,
            })
        }),
        (any::<u32>(), label(), any::<u8>()).prop_map(|(asset, code, exponent)| {
            Event::AssetDeclared(AssetDeclared {
                asset: AssetNo(asset),
                code,
                exponent,
            })
        }),
    ]
}

fn event_id() -> impl Strategy<Value = EventId> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(EventId::Uuid),
        label().prop_map(EventId::Text),
        any::<[u8; 32]>().prop_map(|digest| EventId::Digest(Box::new(digest))),
    ]
}

fn request() -> impl Strategy<Value = RequestId> {
    prop_oneof![
        any::<u32>().prop_map(RequestId::Hex),
        label().prop_map(RequestId::Text),
        any::<[u8; 32]>().prop_map(|digest| RequestId::Digest(Box::new(digest))),
    ]
}

fn stamps() -> impl Strategy<Value = FileStamps> {
    (any::<u64>(), any::<u64>()).prop_map(|(start, end)| FileStamps { start, end })
}

fn taken() -> impl Strategy<Value = Taken> {
    let place = (any::<u32>(), any::<u32>(), any::<u32>(), stamps());
    (event_id(), any::<i64>(), place).prop_map(|(id, occurred_at, place)| Taken {
        id,
        occurred_at: Seconds(occurred_at),
        file: FileNo(place.0),
        index: place.1,
        partition: PartitionNo(place.2),
        stamps: place.3,
    })
}

fn key_state() -> impl Strategy<Value = KeyState> {
    prop_oneof![
        Just(KeyState::New),
        Just(KeyState::BadName),
        Just(KeyState::Unknown),
        Just(KeyState::Unreadable),
        Just(KeyState::Read),
    ]
}

fn file() -> impl Strategy<Value = Event> {
    let reason = prop_oneof![
        Just(FileReason::BadName),
        Just(FileReason::UnknownPartition),
        Just(FileReason::NotUtf8),
        Just(FileReason::NotJson),
        Just(FileReason::NotArray),
        Just(FileReason::TooLarge),
    ];
    let element = prop_oneof![
        Just(ElementReason::NotObject),
        Just(ElementReason::BadField),
        Just(ElementReason::BadTime),
        Just(ElementReason::BadPayload),
        Just(ElementReason::BadVersion),
        Just(ElementReason::Misrouted),
        Just(ElementReason::IdConflict),
    ];
    let content = || (any::<[u8; 32]>(), of(label()), key_state());
    let place = || (any::<u32>().prop_map(PartitionNo), stamps());
    prop_oneof![
        (any::<u32>(), place(), content(), any::<[u32; 5]>()).prop_map(
            |(file, (partition, stamps), (content, etag, before), counts)| {
                Event::FileTaken(Box::new(FileTaken {
                    file: FileNo(file),
                    partition,
                    stamps,
                    content,
                    etag,
                    before,
                    elements: counts[0],
                    malformed: counts[1],
                    misrouted: counts[2],
                    duplicates: counts[3],
                    conflicts: counts[4],
                }))
            }
        ),
        (label(), of(place()), content(), any::<u64>(), reason).prop_map(
            |(key, place, (content, etag, before), bytes, reason)| {
                Event::FileQuarantined(Box::new(FileQuarantined {
                    key,
                    place,
                    content,
                    etag,
                    bytes,
                    reason,
                    before,
                }))
            }
        ),
        (any::<u32>(), any::<u32>(), element, of(label())).prop_map(
            |(file, index, reason, excerpt)| {
                Event::ElementQuarantined(Box::new(ElementQuarantined {
                    file: FileNo(file),
                    index,
                    reason,
                    excerpt,
                }))
            }
        ),
    ]
}

fn connection() -> impl Strategy<Value = Event> {
    let standing = || {
        prop_oneof![
            Just(Standing::Void),
            Just(Standing::Superseded),
            Just(Standing::Latest),
        ]
    };
    let parts = || (taken(), of(worker()), of(label()), standing());
    let order = (
        any::<i64>(),
        any::<bool>(),
        stamps(),
        any::<u32>(),
        any::<u64>(),
    );
    let order = order.prop_map(|(occurred_at, received, stamps, index, tie)| Order {
        occurred_at: Seconds(occurred_at),
        rank: if received {
            Rank::Received
        } else {
            Rank::Other
        },
        stamps,
        index,
        tie,
    });
    let moved = prop_oneof![
        Just(Moved::Nothing),
        Just(Moved::Reset),
        request().prop_map(Moved::Received),
        request().prop_map(Moved::Processed),
        (worker(), label(), any::<bool>(), of(order)).prop_map(
            |(worker, connection, opens, connected)| Moved::Connection {
                worker,
                connection,
                opens,
                connected,
            }
        ),
    ];
    prop_oneof![
        parts().prop_map(|(taken, worker, connection, standing)| {
            Event::WorkerConnected(Box::new(WorkerConnected {
                taken,
                worker,
                connection,
                standing,
            }))
        }),
        parts().prop_map(|(taken, worker, connection, standing)| {
            Event::WorkerDisconnected(Box::new(WorkerDisconnected {
                taken,
                worker,
                connection,
                standing,
            }))
        }),
        taken().prop_map(|taken| Event::PartitionReset(Box::new(PartitionReset { taken }))),
        (position(), taken(), any::<u64>(), moved).prop_map(|(event, copy, content, moved)| {
            Event::EarlierCopyFound(Box::new(EarlierCopyFound {
                event,
                copy,
                content,
                moved,
            }))
        }),
    ]
}

fn fee() -> impl Strategy<Value = Fee> {
    prop_oneof![
        any::<u64>().prop_map(Fee::Payable),
        any::<i64>().prop_map(Fee::NonPositive),
        of(label()).prop_map(Fee::Bad),
    ]
}

fn credit() -> impl Strategy<Value = (Attribution, Split)> {
    let attribution = prop_oneof![
        worker().prop_map(Attribution::Worker),
        Just(Attribution::Suspense(Suspense::Orphan)),
        Just(Attribution::Suspense(Suspense::NoAddress)),
        Just(Attribution::Suspense(Suspense::NoRequestId)),
        Just(Attribution::Suspense(Suspense::Crowded)),
    ];
    (attribution, position(), rate())
        .prop_map(|(attribution, policy, commission)| (attribution, Split { policy, commission }))
}

pub(crate) fn split() -> impl Strategy<Value = Split> {
    (position(), rate()).prop_map(|(policy, commission)| Split { policy, commission })
}

fn figure() -> impl Strategy<Value = Option<i64>> {
    of(any::<i64>())
}

fn model() -> impl Strategy<Value = Option<ModelNo>> {
    of(any::<u32>().prop_map(ModelNo))
}

fn job() -> impl Strategy<Value = Event> {
    let received = (taken(), of(request()), of(worker()), any::<bool>());
    let received = received.prop_map(|(taken, request, worker, matchable)| {
        Event::JobReceived(Box::new(JobReceived {
            taken,
            request,
            worker,
            matchable,
        }))
    });
    prop_oneof![received, processed(), reattributed(), ticket()]
}

fn processed() -> impl Strategy<Value = Event> {
    let figures = (figure(), figure(), figure(), figure(), figure());
    let job = (taken(), of(request()), model(), figures, fee(), credit());
    job.prop_map(|(taken, request, model, figures, fee, credit)| {
        Event::JobProcessed(Box::new(JobProcessed {
            taken,
            request,
            model,
            units: figures.0,
            price_wei: figures.1,
            response_time: figures.2,
            duration_ms: figures.3,
            real_time_ratio: figures.4,
            fee,
            attribution: credit.0,
            split: credit.1,
        }))
    })
}

fn reattributed() -> impl Strategy<Value = Event> {
    let job = (position(), any::<u32>(), request());
    let work = (model(), figure(), fee());
    let credits = (credit(), credit(), position());
    (job, work, credits).prop_map(|(job, work, (from, to, cause))| {
        Event::JobReattributed(Box::new(JobReattributed {
            job: job.0,
            partition: PartitionNo(job.1),
            request: job.2,
            model: work.0,
            response_time: work.1,
            fee: work.2,
            from: from.0,
            from_split: from.1,
            to: to.0,
            to_split: to.1,
            cause,
        }))
    })
}

fn ticket() -> impl Strategy<Value = Event> {
    let address = || of(any::<[u8; 20]>().prop_map(Address));
    let face_value = of(any::<u128>().prop_map(Wei));
    let ticket = (
        taken(),
        address(),
        address(),
        face_value,
        of(any::<[u8; 32]>()),
    );
    ticket.prop_map(|(taken, recipient, sender, face_value, tx_hash)| {
        Event::TicketRedeemed(Box::new(TicketRedeemed {
            taken,
            recipient,
            sender,
            face_value,
            tx_hash,
        }))
    })
}

fn naming() -> impl Strategy<Value = Event> {
    prop_oneof![
        (any::<u32>(), label(), label()).prop_map(|(model, model_id, pipeline)| {
            Event::ModelNamed(Box::new(ModelNamed {
                model: ModelNo(model),
                model_id,
                pipeline,
            }))
        }),
        (any::<u32>(), label()).prop_map(|(event_type, name)| {
            let event_type = TypeNo(event_type);
            Event::TypeNamed(Box::new(TypeNamed { event_type, name }))
        }),
        (taken(), any::<u32>()).prop_map(|(taken, event_type)| {
            let event_type = TypeNo(event_type);
            Event::OtherTaken(Box::new(OtherTaken { taken, event_type }))
        }),
    ]
}
