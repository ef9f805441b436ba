//! Samples of delivered files and connections.

use purser_events::intake::{
    EarlierCopyFound, ElementQuarantined, ElementReason, EventId, FileQuarantined, FileReason,
    FileStamps, FileTaken, KeyState, ModelNamed, Moved, Order, OtherTaken, PartitionReset, Rank,
    RequestId, Standing, Taken, TypeNamed, WorkerConnected, WorkerDisconnected,
};
use purser_events::{Event, FileNo, ModelNo, PartitionNo, Position, Seconds, TypeNo, WorkerNo};

use super::label;

const STAMPS: FileStamps = FileStamps {
    start: 20_251_105_003_040,
    end: 20_251_105_013_148,
};

pub(super) fn taken() -> Taken {
    Taken {
        id: EventId::Uuid([0x5a; 16]),
        occurred_at: Seconds(1_762_316_683),
        file: FileNo(400),
        index: 7,
        partition: PartitionNo(4),
        stamps: STAMPS,
    }
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let mut events = files();
    events.extend(elements());
    events.extend(connections());
    events.extend(others());
    events.extend(copies());
    events
}

fn files() -> Vec<(&'static str, Event)> {
    let states = [
        ("new", KeyState::New),
        ("bad_name", KeyState::BadName),
        ("unknown", KeyState::Unknown),
        ("unreadable", KeyState::Unreadable),
        ("read", KeyState::Read),
    ];
    let taken = states.map(|(shape, before)| {
        let event = FileTaken {
            file: FileNo(400),
            partition: PartitionNo(4),
            stamps: STAMPS,
            content: [0xc0; 32],
            etag: (before == KeyState::Read).then(|| label("\"e1\"")),
            before,
            elements: 9_000,
            malformed: 1,
            misrouted: 2,
            duplicates: 300,
            conflicts: 4,
        };
        (shape, Event::FileTaken(Box::new(event)))
    });
    let reasons = [
        ("bad_name", FileReason::BadName),
        ("unknown_partition", FileReason::UnknownPartition),
        ("not_utf8", FileReason::NotUtf8),
        ("not_json", FileReason::NotJson),
        ("not_array", FileReason::NotArray),
        ("too_large", FileReason::TooLarge),
    ];
    let quarantined = reasons.map(|(shape, reason)| {
        let placed = reason != FileReason::BadName;
        let event = FileQuarantined {
            key: label("eu/ai/eu-ai-x.json"),
            place: placed.then_some((PartitionNo(4), STAMPS)),
            content: [0xc1; 32],
            etag: placed.then(|| label("e2")),
            bytes: 1 << 33,
            reason,
            before: KeyState::New,
        };
        (shape, Event::FileQuarantined(Box::new(event)))
    });
    taken.into_iter().chain(quarantined).collect()
}

fn elements() -> Vec<(&'static str, Event)> {
    let reasons = [
        ("not_object", ElementReason::NotObject),
        ("bad_field", ElementReason::BadField),
        ("bad_time", ElementReason::BadTime),
        ("bad_payload", ElementReason::BadPayload),
        ("bad_version", ElementReason::BadVersion),
        ("misrouted", ElementReason::Misrouted),
        ("id_conflict", ElementReason::IdConflict),
    ];
    let quarantined = reasons.map(|(shape, reason)| {
        let event = ElementQuarantined {
            file: FileNo(400),
            index: 70_000,
            reason,
            excerpt: (reason == ElementReason::BadTime).then(|| label("{\"DT\":1}")),
        };
        (shape, Event::ElementQuarantined(Box::new(event)))
    });
    quarantined.into()
}

fn connections() -> Vec<(&'static str, Event)> {
    let standings = [
        ("void", Standing::Void),
        ("superseded", Standing::Superseded),
        ("latest", Standing::Latest),
    ];
    let of = |(shape, standing)| {
        let named = standing != Standing::Void;
        let worker = named.then_some(WorkerNo(3));
        let connection = named.then(|| label("10.0.0.9:4000"));
        let connected = WorkerConnected {
            taken: taken(),
            worker,
            connection: connection.clone(),
            standing,
        };
        let disconnected = WorkerDisconnected {
            taken: taken(),
            worker,
            connection,
            standing,
        };
        [
            (shape, Event::WorkerConnected(Box::new(connected))),
            (shape, Event::WorkerDisconnected(Box::new(disconnected))),
        ]
    };
    standings.into_iter().flat_map(of).collect()
}

fn others() -> Vec<(&'static str, Event)> {
    let other = |id| {
        let taken = Taken { id, ..taken() };
        let event_type = TypeNo(2);
        Event::OtherTaken(Box::new(OtherTaken { taken, event_type }))
    };
    let early = Taken {
        occurred_at: Seconds(i64::MIN),
        ..taken()
    };
    let model = ModelNamed {
        model: ModelNo(1),
        model_id: label("org/model"),
        pipeline: label("llm"),
    };
    let named = TypeNamed {
        event_type: TypeNo(2),
        name: label("stream-started"),
    };
    vec![
        ("uuid", other(EventId::Uuid([0x5a; 16]))),
        ("text", other(EventId::Text(label("id-1")))),
        ("digest", other(EventId::Digest(Box::new([0xd0; 32])))),
        (
            "plain",
            Event::PartitionReset(Box::new(PartitionReset { taken: taken() })),
        ),
        (
            "early",
            Event::PartitionReset(Box::new(PartitionReset { taken: early })),
        ),
        ("plain", Event::ModelNamed(Box::new(model))),
        ("plain", Event::TypeNamed(Box::new(named))),
    ]
}

fn copies() -> Vec<(&'static str, Event)> {
    let order = Order {
        occurred_at: Seconds(1_762_316_683),
        rank: Rank::Other,
        stamps: STAMPS,
        index: 7,
        tie: u64::MAX,
    };
    let connection = |connected: Option<Order>| Moved::Connection {
        worker: WorkerNo(3),
        connection: label("10.0.0.9:4000"),
        opens: connected.is_some(),
        connected,
    };
    let received = Order {
        rank: Rank::Received,
        ..order
    };
    let moved = [
        ("nothing", Moved::Nothing),
        ("received", Moved::Received(RequestId::Hex(0x1b01_1a91))),
        ("processed", Moved::Processed(RequestId::Text(label("r-1")))),
        ("closed", connection(None)),
        ("connected", connection(Some(order))),
        ("connected_received", connection(Some(received))),
        ("reset", Moved::Reset),
    ];
    let found = moved.map(|(shape, moved)| {
        let event = EarlierCopyFound {
            event: Position(1 << 40),
            copy: taken(),
            content: 0x0102_0304_0506_0708,
            moved,
        };
        (shape, Event::EarlierCopyFound(Box::new(event)))
    });
    found.into()
}
