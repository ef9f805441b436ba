//! A run of commands on a recorded disk: what was acknowledged when, and where each commit ended.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use purser::intake::read_file;
use purser::log::{AcquireError, AppendError, Batch, BatchId, End, Lease, Limits, Log, LogReader};
use purser::log::{PrunedRange, RangeFault, Ranges, ReadError, RedbLog, Resolution, Root};
use purser::recall::{DiskIndex, IndexError, Tuning};
use purser::service::{Parts, Running, Settings};
use purser::writer::Submission;
use purser_commands::command::{Beat, RegisterWorker, Secret, WorkerRef};
use purser_commands::{Answer, Command};
use purser_events::worker::Manifest;
use purser_events::{Actor, Label, Micros, Position};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::disk::{Disk, Name, Operation};

/// Every how many commits the log is sealed, all but its newest block.
const SEAL_EVERY: usize = 7;

/// Ranges of a log that were pruned, by first position: the archive never crashes here.
#[derive(Debug, Default)]
pub(crate) struct Archived(Mutex<BTreeMap<Position, Vec<u8>>>);

impl Archived {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Ranges for Archived {
    fn range(&self, wanted: &PrunedRange) -> Result<Vec<u8>, RangeFault> {
        let ranges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = ranges.get(&wanted.first).cloned();
        found.ok_or_else(|| "it was never archived".into())
    }
}

/// A command that was answered.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    /// What was asked, under which id.
    pub(crate) submission: Submission,
    /// The position of its answer.
    pub(crate) position: Position,
    /// How many operations the disk had seen when the answer came.
    pub(crate) after: usize,
}

/// A snapshot as it stood beside the log, and since when.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// Its file's name.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// How many operations the disk had seen when it was there.
    pub(crate) after: usize,
}

/// All that is known of a run.
#[derive(Debug)]
pub(crate) struct Run {
    /// What the disk was told, in order.
    pub(crate) operations: Vec<(Name, Operation)>,
    /// What was answered, in order.
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// Where each commit ended, and the tree root there.
    pub(crate) ends: BTreeMap<Position, Root>,
    /// The snapshots that were written.
    pub(crate) snapshots: Vec<Kept>,
    /// How many operations the disk had seen when all files were made.
    pub(crate) made: usize,
    /// What was pruned.
    pub(crate) archived: Arc<Archived>,
}

/// A log that notes where each commit ends, and is sealed and pruned every now and then.
struct Noting {
    log: RedbLog,
    appends: usize,
    ends: Arc<Mutex<BTreeMap<Position, Root>>>,
    archived: Arc<Archived>,
}

impl Noting {
    /// Prunes the oldest range, unless it is the newest too.
    fn prune(&self) {
        let pruner = self.log.pruner();
        let Some(range) = pruner.oldest().expect("the log is whole") else {
            return;
        };
        let mut archived = self
            .archived
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        archived.insert(range.first, range.bytes.clone());
        drop(archived);
        pruner.prune(&range, "memory").expect("it is pruned");
    }
}

impl Log for Noting {
    fn limits(&self) -> Limits {
        self.log.limits()
    }

    fn acquire(&mut self) -> Result<Lease, AcquireError> {
        self.log.acquire()
    }

    fn end(&self) -> End {
        self.log.end()
    }

    fn append(&mut self, lease: Lease, batch: &Batch) -> Result<End, AppendError> {
        let end = self.log.append(lease, batch)?;
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.insert(end.position, end.root);
        drop(ends);
        self.appends += 1;
        if self.appends.is_multiple_of(SEAL_EVERY) {
            let sealed = self.log.seal_all().expect("the log is whole");
            assert!(sealed > Position::ORIGIN, "something was sealed");
            self.prune();
        }

        Ok(end)
    }

    fn resolve(&mut self, batch: BatchId) -> Result<Resolution, ReadError> {
        self.log.resolve(batch)
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.log.reader()
    }
}

/// A directory for snapshots: in memory where there is such a place, since they are not what is
/// crashed here.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() {
        TempDir::new_in(memory)
    } else {
        TempDir::new()
    };
    place.expect("a directory for snapshots")
}

/// The settings of every start in these tests.
pub(crate) fn settings(data: &Path) -> Settings {
    let mut settings = Settings::new(data);
    settings.test_clock = true;
    settings.snapshot_every = 0;
    settings
}

/// The index of ids on a disk.
pub(crate) fn open_index(disk: &Disk) -> Result<DiskIndex, IndexError> {
    let file = disk.file(Name::Index);
    let opener =
        Box::new(move |builder: &mut redb::Builder| builder.create_with_backend(file.clone()));
    DiskIndex::open_with(opener, Tuning::default())
}

/// Runs `sessions` from start to clean stop, each of `rounds` rounds of commands.
pub(crate) fn record(sessions: usize, rounds: usize) -> Run {
    let disk = Disk::default();
    let data = scratch();
    let ends = Arc::new(Mutex::new(BTreeMap::new()));
    let archived = Arc::<Archived>::default();
    let mut acknowledged = Vec::new();
    let mut snapshots = Vec::new();
    let mut made = 0;
    for session in 0..sessions {
        let log = RedbLog::create_with_backends(disk.file(Name::Hot), disk.file(Name::Cold))
            .expect("the log opens");
        log.read_pruned_from(Arc::clone(&archived) as Arc<dyn Ranges>);
        let log = Box::new(Noting {
            log,
            appends: 0,
            ends: Arc::clone(&ends),
            archived: Arc::clone(&archived),
        });
        let index = Arc::new(open_index(&disk).expect("the index opens"));
        if session == 0 {
            made = disk.count();
        }
        let parts = Parts { log, index };
        let running = Running::start(&settings(data.path()), parts).expect("the ledger starts");
        for round in 0..rounds {
            let number = session * rounds + round;
            acknowledged.extend(play(&running, &disk, number));
        }
        running.stop().expect("the ledger stops in order");
        snapshots.extend(snapshots_in(data.path(), disk.count()));
    }
    let ends = ends.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Run {
        operations: disk.operations(),
        acknowledged,
        ends,
        snapshots,
        made,
        archived,
    }
}

/// Plays one round: a command alone, some at once from several threads, and a batch.
fn play(running: &Running, disk: &Disk, round: usize) -> Vec<Acknowledged> {
    let now = Micros::from_millis(1_000 + 10 * round as u64);
    let clock = &running.service.clock;
    clock.advance_to(now).expect("the test clock goes forward");
    let mut done = vec![submit(running, disk, register(round))];
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..3)
            .map(|beat| scope.spawn(move || submit(running, disk, beat_of(round, beat))))
            .collect();
        done.extend(
            asking
                .into_iter()
                .map(|one| one.join().expect("a beat is granted")),
        );
    });
    let mut batch = vec![file(round)];
    batch.extend((3..20 + round % 7 * 40).map(|beat| beat_of(round, beat)));
    let replies = running.service.writer.submit_all_blocking(batch.clone());
    let after = disk.count();
    let Ok(Answer::File(taken)) = replies[0].as_ref().map(|reply| &reply.answer) else {
        panic!("a file is taken in: {:?}", replies[0]);
    };
    assert_eq!(
        taken.quarantined.is_none(),
        round.is_multiple_of(2),
        "{taken:?}"
    );
    for (submission, reply) in batch.into_iter().zip(replies) {
        let position = reply.expect("a batch is granted").position;
        done.push(Acknowledged {
            submission,
            position,
            after,
        });
    }
    done
}

fn submit(running: &Running, disk: &Disk, submission: Submission) -> Acknowledged {
    let writer = &running.service.writer;
    let reply = writer.submit_blocking(submission.clone());
    let position = reply.expect("a command is granted").position;
    let after = disk.count();
    Acknowledged {
        submission,
        position,
        after,
    }
}

fn snapshots_in(data: &Path, after: usize) -> Vec<Kept> {
    let entries = std::fs::read_dir(data.join("snapshots")).expect("a clean stop left a snapshot");
    entries
        .map(|entry| {
            let path = entry.expect("a snapshot").path();
            let name = path.file_name().expect("a file has a name");
            let name = name.to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).expect("a snapshot is read");
            Kept { name, bytes, after }
        })
        .collect()
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("a short text is a label")
}

fn under_id(id: &str, command: Command) -> Submission {
    Submission {
        command,
        id: Some(label(id)),
        actor: Actor::CommandLine,
    }
}

/// Registers a worker of this round.
pub(crate) fn register(round: usize) -> Submission {
    let word = || label("any");
    let manifest = Manifest {
        addr: label("127.0.0.1:9000"),
        proto: word(),
        gpu_name: label(&format!("gpu {}", "x".repeat(round % 50))),
        vram_mb: 24_576,
        cpu_cores: 8,
        ram_mb: 65_536,
        price_micro: 100 + round as u64,
        max_parallel: 2,
        tags: vec![word()],
        capabilities: vec![label("llm:any")],
        accel: Vec::new(),
        region: None,
        node_type: None,
        payout_address: None,
    };
    let register = RegisterWorker {
        miner_id: label(&format!("miner-{round}")),
        api_key: Secret(format!("key of {round}").into()),
        fresh_salt: [7; 16],
        manifest,
    };
    under_id(
        &format!("register-{round}"),
        Command::RegisterWorker(Box::new(register)),
    )
}

/// A heartbeat of the round's worker.
fn beat_of(round: usize, beat: usize) -> Submission {
    let command = Command::Beat(Beat {
        worker: WorkerRef::Miner(label(&format!("miner-{round}"))),
        sent_at_ms: 0,
        queue_len: u32::try_from(beat).expect("small"),
        avg_latency_ms: Some(20),
        temp_decidegrees: None,
        mem_free_mb: None,
    });
    under_id(&format!("beat-{round}-{beat}"), command)
}

/// A delivered file: every other one cannot be read and is set aside.
fn file(round: usize) -> Submission {
    let stamp = format!("20251105T{round:06}Z");
    let key = match round % 2 {
        0 => format!("us-central/ai/us-central-ai-{stamp}_{stamp}.json"),
        _ => format!("odd/{round}.json"),
    };
    let bytes = elements(round).to_string();
    let file = read_file(&key, None, bytes.as_bytes()).expect("a key is a label");
    under_id(&format!("file-{round}"), Command::TakeFile(Box::new(file)))
}

/// A connection, and a job that is received and done; the fees differ, and one event of an earlier
/// file comes again.
fn elements(round: usize) -> Value {
    let event = |id: &str, kind: &str, payload: Value| {
        json!({
            "ID": id, "DT": "2025-11-05T00:00:00Z", "EventType": kind,
            "NodeType": "ai", "Region": "us-central", "Version": 1, "Payload": payload,
        })
    };
    let worker = "0x1b4897e079059ad22d9cd179c9e412e131594917";
    let request = format!("{round:08x}");
    let job = json!({"pipeline": "text-to-image", "modelID": "any", "requestID": request});
    let with = |more: Value| {
        let mut job = job.clone();
        for (name, value) in more.as_object().expect("an object") {
            job[name] = value.clone();
        }
        job
    };
    let done = json!({
        "responseTime": 700_000_000, "computeUnits": 1_000,
        "pricePerComputeUnit": 20 + round, "fees": 1_000 * (20 + round),
    });
    let connected = json!({"ethAddress": worker, "connection": "10.0.0.1:9000"});
    json!([
        event("the first", "worker-connected", connected),
        event(
            &format!("r {round}"),
            "job-received",
            with(json!({"ethAddress": worker}))
        ),
        event(&format!("p {round}"), "job-processed", with(done)),
    ])
}
