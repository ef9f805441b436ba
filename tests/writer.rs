//! The writer against a log that fails on demand: what is answered is durable, what is durable
//! counts once, and a failed commit leaves nothing.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use purser::log::memory::Fault;
use purser::log::{
    AcquireError, AppendError, Batch, BatchId, End, Lease, Limits, Log, LogReader, MemoryLog,
    ReadError, Resolution,
};
use purser::recall::{Index, MemoryIndex};
use purser::service::{Parts, Running, Settings};
use purser::writer::{Reply, Submission, SubmitError};
use purser_commands::command::{Beat, RegisterWorker, Secret, SetPolicy, WorkerRef};
use purser_commands::grants::GrantCommand;
use purser_commands::grants::command::{DecideGrant, ReleaseGrant, SetTier};
use purser_commands::{Command, Rejection};
use purser_events::grant::{PayMode, Tier};
use purser_events::policy::PolicyChange;
use purser_events::worker::Manifest;
use purser_events::{Actor, Amount, BasisPoints, Envelope, Label, Position};
use purser_snapshots::digest;

/// A log in memory whose next append goes wrong when a test says so.
struct Faulty {
    inner: Arc<Mutex<MemoryLog>>,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl Log for Faulty {
    fn limits(&self) -> Limits {
        self.inner.lock().expect("no test panics here").limits()
    }

    fn acquire(&mut self) -> Result<Lease, AcquireError> {
        self.inner.lock().expect("no test panics here").acquire()
    }

    fn end(&self) -> End {
        self.inner.lock().expect("no test panics here").end()
    }

    fn append(&mut self, lease: Lease, batch: &Batch) -> Result<End, AppendError> {
        let mut inner = self.inner.lock().expect("no test panics here");
        if let Some(fault) = self.fault.lock().expect("no test panics here").take() {
            inner.fail_next(fault);
        }
        inner.append(lease, batch)
    }

    fn resolve(&mut self, batch: BatchId) -> Result<Resolution, ReadError> {
        self.inner
            .lock()
            .expect("no test panics here")
            .resolve(batch)
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.inner.lock().expect("no test panics here").reader()
    }
}

/// A running ledger, and what a test needs to break it.
struct World {
    running: Running,
    log: Arc<Mutex<MemoryLog>>,
    fault: Arc<Mutex<Option<Fault>>>,
    settings: Settings,
    _data: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut settings = Settings {
            test_clock: true,
            ..Settings::new(data.path())
        };
        change(&mut settings);
        let log = Arc::new(Mutex::new(MemoryLog::new()));
        let fault = Arc::new(Mutex::new(None));
        let running = start(&settings, &log, &fault);
        Self {
            running,
            log,
            fault,
            settings,
            _data: data,
        }
    }

    fn fail_next(&self, fault: Fault) {
        *self.fault.lock().expect("no test panics here") = Some(fault);
    }

    fn submit(&self, command: Command, id: Option<&str>) -> Result<Reply, SubmitError> {
        self.running
            .service
            .writer
            .submit_blocking(submission(command, id))
    }

    fn end(&self) -> Position {
        self.log.lock().expect("no test panics here").end().position
    }

    fn envelopes(&self) -> Vec<Envelope> {
        let mut all = Vec::new();
        let read = self.running.service.log.read(Position(1), &mut |envelope| {
            all.push(envelope);
            ControlFlow::Continue(())
        });
        read.expect("the log is whole");
        all
    }

    /// Stops in order and starts again on the same log, with an empty index.
    fn restart(self) -> Self {
        let Self {
            running,
            log,
            fault,
            settings,
            _data,
        } = self;
        running.stop().expect("a clean stop");
        let running = start(&settings, &log, &fault);
        Self {
            running,
            log,
            fault,
            settings,
            _data,
        }
    }
}

fn start(
    settings: &Settings,
    log: &Arc<Mutex<MemoryLog>>,
    fault: &Arc<Mutex<Option<Fault>>>,
) -> Running {
    let log = Box::new(Faulty {
        inner: Arc::clone(log),
        fault: Arc::clone(fault),
    });
    let parts = Parts {
        log,
        index: Arc::new(MemoryIndex::default()),
    };
    Running::start(settings, parts).expect("the ledger starts")
}

fn label(text: &str) -> Label {
    Label::new(text).expect("a short text")
}

fn submission(command: Command, id: Option<&str>) -> Submission {
    Submission {
        command,
        id: id.map(label),
        actor: Actor::CommandLine,
    }
}

fn register(miner: &str) -> Command {
    Command::RegisterWorker(Box::new(RegisterWorker {
        miner_id: label(miner),
        api_key: Secret("k".into()),
        fresh_salt: [1; 16],
        manifest: Manifest {
            addr: label("10.0.0.1:9000"),
            proto: label("grpc"),
            gpu_name: label("A100"),
            vram_mb: 81_920,
            cpu_cores: 16,
            ram_mb: 131_072,
            price_micro: 500_000,
            max_parallel: 4,
            tags: vec![],
            capabilities: vec![],
            accel: vec![],
            region: None,
            node_type: None,
            payout_address: None,
        },
    }))
}

fn beat(miner: &str, sent_at_ms: u64) -> Command {
    Command::Beat(Beat {
        worker: WorkerRef::Miner(label(miner)),
        sent_at_ms,
        queue_len: 1,
        avg_latency_ms: Some(20),
        temp_decidegrees: None,
        mem_free_mb: None,
    })
}

fn commission(rate: u16) -> Command {
    let rate = BasisPoints::new(rate).expect("a rate");
    Command::SetPolicy(SetPolicy {
        change: PolicyChange::Commission(rate),
        expected: None,
    })
}

#[test]
fn an_answer_names_a_position_that_is_in_the_log() {
    let world = World::new();
    let reply = world.submit(register("w1"), None).expect("granted");
    assert_eq!(reply.position, world.end());
    assert!(!reply.replayed);
}

#[test]
fn the_same_id_and_content_answers_as_at_first_and_records_nothing() {
    let world = World::new();
    let first = world.submit(register("w1"), Some("once")).expect("granted");
    let end = world.end();
    let again = world.submit(register("w1"), Some("once")).expect("known");
    assert_eq!(
        (again.answer, again.position),
        (first.answer, first.position)
    );
    assert!(again.replayed);
    assert_eq!(world.end(), end);
}

#[test]
fn an_id_is_known_after_a_restart_with_an_empty_index() {
    let world = World::new();
    let first = world.submit(register("w1"), Some("once")).expect("granted");
    let world = world.restart();
    let again = world.submit(register("w1"), Some("once")).expect("known");
    assert_eq!((again.position, again.replayed), (first.position, true));
}

#[test]
fn the_same_id_with_other_content_is_refused() {
    let world = World::new();
    world
        .submit(commission(100), Some("once"))
        .expect("granted");
    let end = world.end();
    assert_eq!(
        world.submit(commission(200), Some("once")),
        Err(SubmitError::IdempotencyConflict)
    );
    assert_eq!(world.end(), end);
}

#[test]
fn a_newcomer_cannot_use_up_the_ids_of_those_who_hold_a_key() {
    let world = World::new();
    let newcomer = Submission {
        actor: Actor::Newcomer,
        ..submission(register("w1"), Some("x"))
    };
    let writer = &world.running.service.writer;
    writer.submit_blocking(newcomer.clone()).expect("granted");
    let reply = world
        .submit(commission(100), Some("x"))
        .expect("another id, though alike");
    assert!(!reply.replayed);
    let world = world.restart();
    let again = world
        .running
        .service
        .writer
        .submit_blocking(newcomer)
        .expect("known");
    assert!(again.replayed, "and each is known after a restart");
}

#[test]
fn a_repetition_within_one_commit_counts_once() {
    let world = World::new();
    let both = vec![
        submission(register("w1"), Some("a")),
        submission(register("w1"), Some("a")),
    ];
    let end = world.end();
    let replies = world.running.service.writer.submit_all_blocking(both);
    assert!(!replies[0].as_ref().expect("granted").replayed);
    assert!(replies[1].as_ref().expect("known").replayed);
    assert_eq!(world.end(), end.next());
}

#[test]
fn a_refused_command_leaves_no_trace() {
    let world = World::new();
    let end = world.end();
    let refused = world.submit(beat("nobody", 5), Some("x"));
    assert_eq!(
        refused,
        Err(SubmitError::Rejected(Rejection::UnknownWorker))
    );
    assert_eq!(world.end(), end);
    world.submit(register("nobody"), None).expect("granted");
    world
        .submit(beat("nobody", 5), Some("x"))
        .expect("the id of a refusal may be used again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_atomic_batch_happens_whole_or_not_at_all() {
    let world = tokio::task::block_in_place(World::new);
    let writer = &world.running.service.writer;
    let end = world.end();
    let batch = |last: Command| {
        vec![
            submission(register("a"), Some("a")),
            submission(register("b"), None),
            submission(last, None),
        ]
    };
    let refused = writer.submit_all(batch(beat("nobody", 1)), true).await;
    assert_eq!(refused[0], Err(SubmitError::BatchRefused));
    assert_eq!(refused[1], Err(SubmitError::BatchRefused));
    assert_eq!(
        refused[2],
        Err(SubmitError::Rejected(Rejection::UnknownWorker))
    );
    assert_eq!(world.end(), end);
    let granted = writer.submit_all(batch(beat("a", 1)), true).await;
    assert!(granted.iter().all(Result::is_ok), "{granted:?}");
    assert!(
        !granted[0].as_ref().expect("granted").replayed,
        "the refused batch used no id"
    );
    assert_eq!(world.end(), end.plus(3));
    tokio::task::block_in_place(|| drop(world));
}

fn decide(request: &str) -> Command {
    Command::Grant(Box::new(GrantCommand::Decide(DecideGrant {
        request: label(request),
        identity: Some(label("ann")),
        est: Amount(1),
        mode: PayMode::Invoice,
    })))
}

/// Two decisions under ids, and one wish that is refused.
fn refused_batch(of: &str) -> Vec<Submission> {
    let nobody = GrantCommand::Release(ReleaseGrant {
        request: label("nobody"),
        fault: false,
    });
    let [first, second] = ["x", "y"].map(|name| format!("{name}-{of}"));
    vec![
        submission(decide(&first), Some(&first)),
        submission(decide(&second), Some(&second)),
        submission(Command::Grant(Box::new(nobody)), None),
    ]
}

/// Single decisions and refused batches meet in the same commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_batches_leave_what_the_same_commit_decided_before_them() {
    const SIDES: u64 = 8;
    const TIMES: u64 = 40;
    let world = tokio::task::block_in_place(World::new);
    let writer = &world.running.service.writer;
    let tier = Command::Grant(Box::new(GrantCommand::SetTier(SetTier {
        identity: label("ann"),
        tier: Some(Tier::Elite),
    })));
    writer
        .submit(submission(tier, None))
        .await
        .expect("granted");
    let mut sides = tokio::task::JoinSet::new();
    for side in 0..SIDES {
        let writer = writer.clone();
        sides.spawn(async move {
            for time in 0..TIMES {
                let name = format!("{side}-{time}");
                let one = writer.submit(submission(decide(&name), Some(&name)));
                let (one, batch) = tokio::join!(one, writer.submit_all(refused_batch(&name), true));
                assert!(one.is_ok(), "{one:?}");
                assert!(batch.iter().all(Result::is_err), "{batch:?}");
            }
        });
    }
    sides.join_all().await;
    for request in ["x-0-0", "y-0-0"] {
        let again = writer.submit(submission(decide(request), Some(request)));
        let again = again.await.expect("granted");
        assert!(
            !again.replayed,
            "a refused batch uses no id, and decides no request"
        );
    }
    let envelopes = tokio::task::block_in_place(|| world.envelopes());
    let mut folds = purser_projections::Projections::default();
    envelopes.iter().for_each(|one| folds.apply(one.recorded()));
    assert_eq!(folds.grants.totals().decided, SIDES * TIMES + 2);
    let view = &world.running.service.view;
    let limit = std::time::Duration::from_secs(10);
    view.reached(folds.position, limit).await;
    assert_eq!(digest(&view.read()), digest(&folds));
    tokio::task::block_in_place(|| drop(world));
}

#[test]
fn a_full_disk_refuses_writes_and_recovers_without_a_restart() {
    let world = World::new();
    let end = world.end();
    world.fail_next(Fault::Full);
    assert_eq!(
        world.submit(register("w1"), Some("a")),
        Err(SubmitError::ReadOnly)
    );
    assert_eq!(world.end(), end);
    assert!(world.running.service.stats.counted().read_only);
    let reply = loop {
        match world.submit(register("w1"), Some("a")) {
            Err(SubmitError::ReadOnly) => std::thread::yield_now(),
            other => break other.expect("granted once there is space"),
        }
    };
    assert!(!reply.replayed);
    assert_eq!(world.end(), end.next());
    assert!(!world.running.service.stats.counted().read_only);
}

#[test]
fn a_failed_commit_leaves_the_books_as_the_log_has_them() {
    let world = World::new();
    world.submit(register("w1"), Some("r")).expect("granted");
    world.fail_next(Fault::Unavailable);
    assert_eq!(
        world.submit(register("w2"), Some("a")),
        Err(SubmitError::Unavailable)
    );
    let lost = world.submit(beat("w2", 1), None);
    assert_eq!(lost, Err(SubmitError::Rejected(Rejection::UnknownWorker)));
    world
        .submit(beat("w1", 1), None)
        .expect("what was durable is known still");
    assert!(
        world
            .submit(register("w1"), Some("r"))
            .expect("known")
            .replayed
    );
    assert!(
        !world
            .submit(register("w2"), Some("a"))
            .expect("granted")
            .replayed
    );
}

#[test]
fn an_unknown_outcome_is_asked_for() {
    let world = World::new();
    let end = world.end();
    world.fail_next(Fault::UnknownCommitted);
    let reply = world.submit(register("w1"), Some("a"));
    assert_eq!(reply.expect("it is in the log").position, end.next());
    world.fail_next(Fault::UnknownAbsent);
    assert_eq!(
        world.submit(register("w2"), Some("b")),
        Err(SubmitError::Unavailable)
    );
    assert_eq!(world.end(), end.next());
    let again = world.submit(register("w2"), Some("b"));
    let again = again.expect("the writer goes on");
    assert!(!again.replayed);
    assert_eq!(again.position, end.next().next());
    assert!(world.running.service.stats.counted().failure.is_none());
}

#[test]
fn an_outcome_that_nobody_can_tell_stops_the_writer_for_good() {
    let world = World::new();
    let end = world.end();
    world.fail_next(Fault::UnknownForGood);
    assert_eq!(
        world.submit(register("w1"), Some("a")),
        Err(SubmitError::Unavailable)
    );
    assert_eq!(
        world.submit(commission(1), None),
        Err(SubmitError::Unavailable)
    );
    assert!(world.running.service.stats.counted().failure.is_some());
    let world = world.restart();
    let again = world
        .submit(register("w1"), Some("a"))
        .expect("it is known");
    assert!(again.replayed, "it was in the log");
    assert_eq!(world.end(), end.next());
}

#[test]
fn records_of_what_is_not_in_the_log_never_reach_the_index() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let log = Arc::new(Mutex::new(MemoryLog::new()));
    let fault = Arc::new(Mutex::new(None));
    let index = Arc::new(MemoryIndex::default());
    let parts = Parts {
        log: Box::new(Faulty {
            inner: Arc::clone(&log),
            fault: Arc::clone(&fault),
        }),
        index: Arc::clone(&index) as Arc<dyn Index>,
    };
    let running = Running::start(&Settings::new(data.path()), parts).expect("the ledger starts");
    *fault.lock().expect("no test panics here") = Some(Fault::Fenced);
    let lost = submission(register("w1"), Some("a"));
    assert_eq!(
        running.service.writer.submit_blocking(lost),
        Err(SubmitError::Unavailable)
    );
    running.stop().expect("a clean stop");
    let end = log.lock().expect("no test panics here").end().position;
    assert!(index.checkpoint() <= end, "the index is ahead of the log");
}

#[test]
fn a_fenced_writer_stops_and_answers_nothing_as_done() {
    let world = World::new();
    world.fail_next(Fault::Fenced);
    assert_eq!(
        world.submit(register("w1"), None),
        Err(SubmitError::Unavailable)
    );
    assert!(world.running.service.stats.counted().failure.is_some());
}

#[expect(
    clippy::await_holding_lock,
    reason = "the writer is stuck in the log for as long as the test holds it"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_so_at_once() {
    let world = tokio::task::block_in_place(|| World::with(|settings| settings.queue_max = 2));
    let held = world.log.lock().expect("no test panics here");
    let writer = world.running.service.writer.clone();
    let mut waiting = tokio::task::JoinSet::new();
    // The writer is stuck in its first commit; the queue behind it fills up.
    let busy = loop {
        let ours = writer.clone();
        waiting.spawn(async move { ours.submit(submission(commission(7), None)).await });
        if let Some(done) = waiting.try_join_next() {
            break done.expect("no task panics");
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(busy, Err(SubmitError::Busy));
    drop(held);
    while let Some(done) = waiting.join_next().await {
        assert!(matches!(
            done.expect("no task panics"),
            Ok(_) | Err(SubmitError::Busy)
        ));
    }
    tokio::task::block_in_place(|| drop(world));
}

#[test]
fn the_published_folds_equal_a_replay_and_survive_a_restart() {
    let world = World::new();
    for number in 0..50 {
        let miner = format!("w{number}");
        world.submit(register(&miner), None).expect("granted");
        world.submit(beat(&miner, 9), None).expect("granted");
    }
    let mut folds = purser_projections::Projections::default();
    world
        .envelopes()
        .iter()
        .for_each(|envelope| folds.apply(envelope.recorded()));
    let world = world.restart();
    assert_eq!(digest(&world.running.service.view.read()), digest(&folds));
    let (_, newest) = world.running.service.snapshot_status();
    assert_eq!(
        newest,
        Some(world.end()),
        "a clean stop leaves a snapshot of the end"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_past_the_grace_becomes_one_event() {
    let world = tokio::task::block_in_place(World::new);
    let service = world.running.service.clone();
    let writer = &service.writer;
    writer
        .submit(submission(register("w1"), None))
        .await
        .expect("granted");
    let registered = world.end();
    let at = |millis| purser_events::Micros::from_millis(millis);
    service.advance_clock(at(120_000)).await.expect("forward");
    let end = registered.next();
    assert_eq!(
        world.end(),
        end,
        "at the grace it is degraded and still there"
    );
    service.advance_clock(at(120_001)).await.expect("forward");
    assert_eq!(world.end(), end.next(), "past it, it lapsed");
    assert!(
        service
            .view
            .reached(world.end(), std::time::Duration::from_secs(5))
            .await
    );
    service.advance_clock(at(500_000)).await.expect("forward");
    assert_eq!(world.end(), end.next(), "and lapses once");
    tokio::task::block_in_place(|| drop(world));
}
