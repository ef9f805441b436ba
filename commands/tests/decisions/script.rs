//! Histories, commands and outcomes as text, one line each.

use purser_commands::command::{
    Beat, DeclareAsset, DeclarePartition, RegisterWorker, Secret, SetPolicy, UpdateWorker,
    WorkerRef,
};
use purser_commands::instruction::{AnswerInstruction, InstructWorker};
use purser_commands::{Answer, Command, Execution, Rejection, execute};
use purser_events::instruction::Instruction;
use purser_events::policy::{NodeType, PolicyChange};
use purser_events::worker::Manifest;
use purser_events::{Amount, BasisPoints, Event, Label, Micros, Position, Recorded, Wei, WorkerNo};
use purser_projections::grants::{GrantAudit, GrantBreach};
use purser_projections::{Books, Projections};

use crate::grants_script::assert_adds_no_more;
use crate::{matching, payout};

/// One line of a table.
pub(crate) struct Row {
    /// What the row shows.
    pub(crate) name: &'static str,
    /// Lines of history, parted by semicolons; each must be granted.
    pub(crate) given: &'static str,
    /// The command.
    pub(crate) when: &'static str,
    /// The code of the rejection, or the answer, a colon and the names of the events.
    pub(crate) then: &'static str,
}

/// A row: its name, what is given, when what is asked, then what comes out.
pub(crate) const fn row(
    name: &'static str,
    given: &'static str,
    when: &'static str,
    then: &'static str,
) -> Row {
    Row {
        name,
        given,
        when,
        then,
    }
}

/// Plays a row and compares.
pub(crate) fn check(row: &Row) {
    let mut world = World::default();
    for line in row
        .given
        .split(';')
        .map(str::trim)
        .filter(|l| !l.is_empty())
    {
        let outcome = world.play(line);
        assert!(outcome.is_ok(), "{}: {line}: {outcome:?}", row.name);
    }
    let before = world.books.projections.clone();
    let outcome = world.play(row.when);
    assert_eq!(show(outcome.as_ref()), row.then, "{}", row.name);
    if outcome.map_or(true, |granted| granted.events.is_empty()) {
        let after = &world.books.projections;
        assert_eq!(before, *after, "{}: nothing happened", row.name);
    }
}

/// Books, and the clock that they are kept by.
pub(crate) struct World {
    pub(crate) books: Books,
    pub(crate) now: Micros,
    /// Every event so far, and when it was recorded.
    pub(crate) history: Vec<(Micros, Event)>,
    replayed: Projections,
    grants: GrantAudit,
}

/// What a granted command led to.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) answer: Answer,
    pub(crate) events: Vec<Event>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            books: Books::default(),
            now: Micros::from_millis(1_000_000),
            history: Vec::new(),
            replayed: Projections::default(),
            grants: GrantAudit::default(),
        }
    }
}

impl World {
    /// Plays one line: waits, or executes a command.
    pub(crate) fn play(&mut self, line: &str) -> Result<Granted, Rejection> {
        if let Some(many) = line.strip_prefix("many ") {
            return self.play_many(many);
        }
        let mut events = Vec::new();
        let answer = if let Some(ms) = line.strip_prefix("wait ") {
            self.now.0 += number(ms) * 1_000;
            Answer::Done
        } else if let Some(recorded) = payout::recorded(&self.books.projections, &Line::read(line))
        {
            let mut run = Execution {
                books: &mut self.books,
                at: self.now,
                events: &mut events,
            };
            recorded.into_iter().for_each(|event| run.happen(event));
            Answer::Done
        } else {
            let mut run = Execution {
                books: &mut self.books,
                at: self.now,
                events: &mut events,
            };
            let outcome = execute(&mut run, &command(line));
            assert!(
                outcome.is_ok() || events.is_empty(),
                "{line}: refused, yet events"
            );
            outcome?
        };
        self.keep(&events, line);
        if let Answer::Grant(answer) = &answer {
            assert_adds_no_more(answer, &events);
        }
        Ok(Granted { answer, events })
    }

    /// Lets an event happen that no command of this world leads to.
    pub(crate) fn happen(&mut self, event: Event) {
        let mut events = Vec::new();
        let mut run = Execution {
            books: &mut self.books,
            at: self.now,
            events: &mut events,
        };
        run.happen(event);
        self.keep(&events, "an event");
    }

    /// Keeps what happened; a replay of it is in the same state, and every invariant holds.
    fn keep(&mut self, events: &[Event], line: &str) {
        if let Err(breach) = self.replay(events) {
            panic!("{line}: {breach}");
        }
        let same = || self.replayed == self.books.projections;
        assert!(
            !self.is_looked_at() || same(),
            "{line}: I11: a replay ends in another state"
        );
        let stamped = events.iter().map(|event| (self.now, event.clone()));
        self.history.extend(stamped);
    }

    /// Folds events a second time, beside the books, and looks at every invariant of the grants.
    fn replay(&mut self, events: &[Event]) -> Result<(), GrantBreach> {
        for event in events {
            let fact = Recorded {
                position: self.replayed.position.next(),
                recorded_at: self.now,
                event,
            };
            self.grants.see(&self.replayed, fact)?;
            let before = self.is_looked_at().then(|| self.replayed.clone());
            self.replayed.apply(fact);
            if let Some(before) = before {
                let mut back = self.replayed.clone();
                back.take_back(&before, std::slice::from_ref(event));
                assert!(back == before, "{event:?} is taken back");
            }
        }
        self.grants.close(&self.replayed)
    }

    /// Whether the whole state is looked at: it is while it is small, then now and then.
    const fn is_looked_at(&self) -> bool {
        let position = self.replayed.position.0;
        position < 500 || position.is_multiple_of(97)
    }
}

impl World {
    /// Plays a line a number of times, each `{}` in it being the number of the time.
    fn play_many(&mut self, many: &str) -> Result<Granted, Rejection> {
        let (times, line) = many.split_once(' ').expect("a number and a line");
        let mut last = self.play("wait 0");
        for time in 0..number(times) {
            last = self.play(&line.replace("{}", &time.to_string()));
            last.as_ref().map_err(|rejection| *rejection)?;
        }
        last
    }
}

/// The outcome as text.
pub(crate) fn show(outcome: Result<&Granted, &Rejection>) -> String {
    let granted = match outcome {
        Ok(granted) => granted,
        Err(rejection) => return rejection.code().to_owned(),
    };
    let answer = match &granted.answer {
        answer @ Answer::Payouts { .. } => payout::show(answer).unwrap_or_default(),
        Answer::Session {
            worker,
            session,
            created,
        } => format!(
            "session {worker}/{session}{}",
            if *created { " new" } else { "" }
        ),
        Answer::Job(answer) => crate::paid_script::show(answer),
        Answer::Grant(answer) => crate::grants_script::show(answer),
        Answer::Tickets(answer) => crate::ticket_script::show(answer),
        Answer::Before(_) => String::from("before"),
        other => format!("{other:?}").to_lowercase(),
    };
    let names: Vec<_> = granted.events.iter().map(|e| e.kind().name()).collect();
    format!("{answer}: {}", names.join(" "))
        .trim_end()
        .to_owned()
}

/// A command from its line: a verb, plain words, then `name=value` words.
fn command(line: &str) -> Command {
    let line = Line::read(line);
    match line.verb {
        "register" => Command::RegisterWorker(Box::new(register(&line))),
        "update" => Command::UpdateWorker(Box::new(update(&line))),
        "beat" => Command::Beat(beat(&line)),
        "lease" => Command::RenewLease(worker_ref(line.plain[0])),
        "logout" => Command::LogOut(worker_ref(line.plain[0])),
        "lapse" => Command::LapseWorker(worker_no(line.plain[0])),
        "instruct" => Command::InstructWorker(Box::new(InstructWorker {
            worker: worker_ref(line.plain[0]),
            instruction: instruction(&line),
        })),
        "answer" => Command::AnswerInstruction(AnswerInstruction {
            worker: worker_ref(line.plain[0]),
            instruction: Position(number(line.plain[1])),
            accepted: line.plain[2] == "yes",
        }),
        "policy" => Command::SetPolicy(SetPolicy {
            change: rule(line.plain[0], number(line.plain[1])),
            expected: line.number("expected").map(|v| rule(line.plain[0], v)),
        }),
        "partition" => Command::DeclarePartition(DeclarePartition {
            node_type: NodeType::parse(line.plain[0]).expect("a node type"),
            region: label(line.plain[1]),
        }),
        "asset" => Command::DeclareAsset(DeclareAsset {
            code: label(line.plain[0]),
            exponent: u8::try_from(number(line.plain[1])).expect("a small exponent"),
        }),
        _ => further(&line),
    }
}

fn instruction(line: &Line<'_>) -> Instruction {
    match line.plain[1] {
        "cap" => Instruction::CapPrice(number(line.plain[2])),
        "tags" => Instruction::SetTags(line.plain[2].split(',').map(label).collect()),
        "drain" => Instruction::Drain(line.plain[2] == "yes"),
        other => panic!("no such instruction: {other}"),
    }
}

/// Commands of the subjects that have a script of their own.
fn further(line: &Line<'_>) -> Command {
    if let Some(command) = crate::grants_script::command(line) {
        return Command::Grant(Box::new(command));
    }
    payout::command(line)
        .or_else(|| matching::command(line))
        .or_else(|| crate::ticket_script::command(line))
        .unwrap_or_else(|| Command::Job(Box::new(crate::paid_script::command(line))))
}

pub(crate) struct Line<'a> {
    pub(crate) verb: &'a str,
    pub(crate) plain: Vec<&'a str>,
    named: Vec<(&'a str, &'a str)>,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Self {
        let mut words = line.split_whitespace();
        let verb = words.next().expect("a line has a verb");
        let (mut plain, mut named) = (Vec::new(), Vec::new());
        for word in words {
            match word.split_once('=') {
                Some(pair) => named.push(pair),
                None => plain.push(word),
            }
        }
        Self { verb, plain, named }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.named.iter().find(|(one, _)| *one == name);
        found.map(|(_, value)| *value)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name).map(number)
    }

    pub(crate) fn small(&self, name: &str) -> Option<u32> {
        self.number(name)
            .map(|value| u32::try_from(value).expect("a number below 2^32"))
    }
}

pub(crate) fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// A number below 2^32.
pub(crate) fn small(text: &str) -> u32 {
    u32::try_from(number(text)).expect("a number below 2^32")
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text).expect("a label")
}

pub(crate) fn worker_no(text: &str) -> WorkerNo {
    WorkerNo(u32::try_from(number(text)).expect("a worker number"))
}

/// `0/1` is worker 0 by its session 1; any other word is a miner's id.
pub(crate) fn worker_ref(text: &str) -> WorkerRef {
    match text.split_once('/') {
        Some((worker, session)) => WorkerRef::Session {
            worker: worker_no(worker),
            session: worker_no(session).0,
        },
        None => WorkerRef::Miner(label(text)),
    }
}

fn register(line: &Line<'_>) -> RegisterWorker {
    RegisterWorker {
        miner_id: label(line.plain[0]),
        api_key: Secret(line.get("key").expect("a key").into()),
        fresh_salt: [7; 16],
        manifest: Manifest {
            region: match line.get("region") {
                Some("none") => None,
                region => Some(label(region.unwrap_or("eu-west"))),
            },
            ..manifest(line.number("price").unwrap_or(1))
        },
    }
}

fn manifest(price_micro: u64) -> Manifest {
    Manifest {
        addr: label("10.0.0.1:7000"),
        proto: label("http"),
        gpu_name: label("RTX 4090"),
        vram_mb: 24_576,
        cpu_cores: 16,
        ram_mb: 65_536,
        price_micro,
        max_parallel: 4,
        tags: vec![label("quiet")],
        capabilities: vec![label("task:llm")],
        accel: vec![label("cuda")],
        region: Some(label("eu-west")),
        node_type: None,
        payout_address: None,
    }
}

fn update(line: &Line<'_>) -> UpdateWorker {
    UpdateWorker {
        worker: worker_ref(line.plain[0]),
        queue_len: line.small("queue"),
        busy: line.get("busy").map(|word| word == "yes"),
        current_jobs: line
            .get("jobs")
            .map(|jobs| jobs.split(',').map(label).collect()),
        price_micro: line.number("price"),
    }
}

fn beat(line: &Line<'_>) -> Beat {
    Beat {
        worker: worker_ref(line.plain[0]),
        sent_at_ms: line.number("sent").unwrap_or(0),
        queue_len: line.small("queue").unwrap_or(0),
        avg_latency_ms: line.small("latency"),
        temp_decidegrees: None,
        mem_free_mb: None,
    }
}

fn rule(name: &str, value: u64) -> PolicyChange {
    let ms = || u32::try_from(value).expect("a duration below 2^32 ms");
    match name {
        "commission" => {
            let rate = u16::try_from(value).ok().and_then(BasisPoints::new);
            PolicyChange::Commission(rate.expect("a rate"))
        }
        "threshold" => PolicyChange::PayoutThreshold(Wei(value.into())),
        "lease_ttl" => PolicyChange::LeaseTtlMs(ms()),
        "grace" => PolicyChange::HeartbeatGraceMs(ms()),
        "interval" => PolicyChange::HeartbeatIntervalMs(ms()),
        "payout_interval" => PolicyChange::PayoutIntervalMs(ms()),
        "payout_run" => PolicyChange::PayoutRunMax(Wei(value.into())),
        "payout_day" => PolicyChange::PayoutDayMax(Wei(value.into())),
        "idle" => PolicyChange::JobIdleMs(ms()),
        "debt" => PolicyChange::DebtLimit(Amount(value.into())),
        "open_jobs" => PolicyChange::OpenJobsMax(ms()),
        other => PolicyChange::Grants(crate::grants_script::rule(other, value)),
    }
}
