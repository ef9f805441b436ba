//! A ledger without a disk: commands executed against books, with an index of ids in a map that is
//! fed late and more than once, as the real one may be.

use std::collections::HashMap;

use purser::intake::read_file;
use purser_commands::answer::FileAnswer;
use purser_commands::command::{DeclarePartition, SetPolicy};
use purser_commands::intake::TakeFile;
use purser_commands::{Answer, Command, Execution, execute};
use purser_events::policy::{NodeType, PolicyChange};
use purser_events::{BasisPoints, Event, Label, Micros, Position, Recorded};
use purser_projections::recall::{RecallKey, Record, records_of};
use purser_projections::report::{Report, ReportBuilder, state_digest};
use purser_projections::{Books, Projections};

/// A partition as its type and region.
pub(crate) type Named<'a> = (NodeType, &'a str);

/// The partitions of the sample pool.
pub(crate) const SAMPLE: &[Named<'static>] = &[
    (NodeType::Ai, "us-central"),
    (NodeType::Transcode, "us-central"),
    (NodeType::Transcode, "us-west"),
    (NodeType::Transcode, "eu-central"),
    (NodeType::Transcode, "oceania"),
];

#[derive(Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) books: Books,
    pub(crate) events: Vec<Event>,
    index: HashMap<RecallKey, Record>,
    commits: u64,
}

impl Ledger {
    /// A ledger with these partitions and this commission.
    pub(crate) fn with(partitions: &[Named<'_>], commission_bps: u16) -> Self {
        let mut ledger = Self::default();
        let rate = BasisPoints::new(commission_bps).expect("the rate is at most a whole");
        ledger.set(PolicyChange::Commission(rate));
        for (node_type, region) in partitions {
            ledger.declare(*node_type, region);
        }
        ledger
    }

    pub(crate) fn set(&mut self, change: PolicyChange) {
        let expected = None;
        self.run(&Command::SetPolicy(SetPolicy { change, expected }));
    }

    pub(crate) fn declare(&mut self, node_type: NodeType, region: &str) {
        let region = Label::new(region).expect("the region is a label");
        self.run(&Command::DeclarePartition(DeclarePartition {
            node_type,
            region,
        }));
    }

    /// Reads a file and takes it in.
    pub(crate) fn deliver(&mut self, key: &str, bytes: &[u8]) -> FileAnswer {
        let file = read_file(key, None, bytes).expect("the key is a label");
        self.take(file)
    }

    pub(crate) fn take(&mut self, file: TakeFile) -> FileAnswer {
        match self.run(&Command::TakeFile(Box::new(file))) {
            Answer::File(answer) => answer,
            other => panic!("a file is answered as one: {other:?}"),
        }
    }

    pub(crate) fn run(&mut self, command: &Command) -> Answer {
        let mut answers = self.run_together(std::slice::from_ref(command));
        answers.pop().expect("one command is answered once")
    }

    /// Executes commands in one commit: their records are all loaded before the first one.
    pub(crate) fn run_together(&mut self, commands: &[Command]) -> Vec<Answer> {
        self.commits += 1;
        for command in commands {
            self.load(command);
        }
        let at = Micros(self.commits);
        let mut answers = Vec::new();
        for command in commands {
            let (books, events) = (&mut self.books, &mut self.events);
            let answer = execute(&mut Execution { books, at, events }, command);
            answers.push(answer.expect("the tests' commands are granted"));
        }
        self.books.recalled.unload();
        if self.commits.is_multiple_of(3) {
            self.absorb();
        }
        answers
    }

    fn load(&mut self, command: &Command) {
        let mut keys = Vec::new();
        command.recall(&self.books.projections.names, |key| keys.push(key));
        for key in keys {
            if let Some(record) = self.index.get(&key) {
                self.books.recalled.load(key, record.clone());
            }
        }
    }

    /// Moves what the fold noted to the index; every now and then twice.
    fn absorb(&mut self) {
        let recent = self.books.recalled.take_recent(0);
        let times = if self.commits.is_multiple_of(2) { 2 } else { 1 };
        for _ in 0..times {
            for (key, record) in &recent {
                merge(&mut self.index, *key, record);
            }
        }
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        state_digest(&self.books.projections)
    }

    pub(crate) fn report(&self) -> Report {
        let mut builder = ReportBuilder::default();
        self.each(|fact| builder.fold(fact));
        builder.finish(&self.books.projections)
    }

    /// Folds the log anew and compares everything that is derived from it.
    pub(crate) fn assert_replays(&self) {
        let mut folds = Projections::default();
        let mut index = HashMap::new();
        self.each(|fact| {
            let recorded_at = folds.recorded_at;
            folds.apply(Recorded {
                recorded_at,
                ..fact
            });
            records_of(fact, |key, record| merge(&mut index, key, &record));
        });
        folds.recorded_at = self.books.projections.recorded_at;
        assert_eq!(
            folds, self.books.projections,
            "the folds are those of the log"
        );
        let mut caught_up = self.clone();
        caught_up.absorb();
        assert_eq!(caught_up.index, index, "the index is that of the log");
    }

    pub(crate) fn each(&self, mut each: impl FnMut(Recorded<'_>)) {
        for (event, position) in self.events.iter().zip(1..) {
            each(Recorded {
                position: Position(position),
                recorded_at: Micros(0),
                event,
            });
        }
    }

    /// How many events of each kind there are.
    pub(crate) fn count(&self, kind: purser_events::EventKind) -> usize {
        self.events
            .iter()
            .filter(|event| event.kind() == kind)
            .count()
    }
}

fn merge(index: &mut HashMap<RecallKey, Record>, key: RecallKey, record: &Record) {
    index
        .entry(key)
        .and_modify(|known| known.merge(record))
        .or_insert_with(|| record.clone());
}
