//! The requests that share a commit, and what is decided on each.

use std::time::{Duration, Instant};

use purser_commands::{Answer, Command, Execution, execute};
use purser_events::{Actor, CommandStamp, Envelope, Event, Micros, Position, Recorded};
use purser_projections::names::Names;
use purser_projections::recall::{RecallKey, SeenCommand};
use purser_projections::{Books, Projections};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::handle::{Outcome, Reply, Request, Submission, SubmitError, Verdict};

/// A file with more elements is refused: one command must fit into one commit.
pub(super) const ELEMENTS_MAX: usize = 65_536;

/// How long the writer looks for the next request before it sleeps.
const LINGER: Duration = Duration::from_micros(100);

/// Requests that wait together.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) requests: Vec<Request>,
    pub(super) stop: bool,
}

impl Group {
    /// Waits for a request, then takes along whatever waits behind it, up to `commands_max`.
    pub(super) fn gather(queue: &mut mpsc::Receiver<Request>, commands_max: usize) -> Self {
        let mut group = Self::default();
        let Some(first) = first(queue) else {
            group.stop = true;
            return group;
        };
        let mut commands = group.take(first);
        while commands < commands_max && !group.stop {
            let Ok(request) = queue.try_recv() else { break };
            commands += group.take(request);
        }
        group
    }

    /// Adds a request; answers how many commands it weighs.
    fn take(&mut self, request: Request) -> usize {
        let weight = match &request {
            Request::One(submission, _) => weight(submission),
            Request::Many { submissions, .. } => submissions.iter().map(weight).sum(),
            Request::Recall { .. } => 1,
            Request::Stop => {
                self.stop = true;
                return 0;
            }
        };
        self.requests.push(request);
        weight
    }

    /// Names every record of history that the decisions look at.
    pub(super) fn recall(&self, names: &Names, keys: &mut Vec<RecallKey>) {
        for request in &self.requests {
            match request {
                Request::One(submission, _) => recall(submission, names, keys),
                Request::Many { submissions, .. } => {
                    submissions.iter().for_each(|one| recall(one, names, keys));
                }
                Request::Recall { keys: wanted, .. } => keys.extend_from_slice(wanted),
                Request::Stop => {}
            }
        }
    }
}

/// Waits for a request. It looks for one a little while before it sleeps: a client that goes on at
/// once does not have to wake the thread, which takes longer than to decide its command.
fn first(queue: &mut mpsc::Receiver<Request>) -> Option<Request> {
    let until = Instant::now() + LINGER;
    loop {
        match queue.try_recv() {
            Ok(request) => return Some(request),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if Instant::now() < until => std::thread::yield_now(),
            Err(TryRecvError::Empty) => return queue.blocking_recv(),
        }
    }
}

/// How many commands a command weighs: a file as many as it has elements, and one.
fn weight(submission: &Submission) -> usize {
    1 + elements(&submission.command)
}

fn elements(command: &Command) -> usize {
    match command {
        Command::TakeFile(file) => file.elements.as_ref().map_or(0, Vec::len),
        _ => 0,
    }
}

fn recall(submission: &Submission, names: &Names, keys: &mut Vec<RecallKey>) {
    if let Some(id) = &submission.id {
        keys.push(RecallKey::of_command(submission.actor, id));
    }
    submission.command.recall(names, |key| keys.push(key));
}

/// Where the answers go.
#[derive(Debug)]
pub(super) enum Caller {
    One(oneshot::Sender<Outcome>, Outcome),
    Many(oneshot::Sender<Vec<Outcome>>, Vec<Outcome>),
}

impl Caller {
    /// Answers. A caller that went away misses the answer; it can ask again under the same id.
    pub(super) fn answer(self) {
        match self {
            Self::One(reply, outcome) => drop(reply.send(outcome)),
            Self::Many(reply, outcomes) => drop(reply.send(outcomes)),
        }
    }

    /// Answers that nothing is known to have happened.
    pub(super) fn fail(self, error: SubmitError) {
        match self {
            Self::One(reply, _) => drop(reply.send(Err(error))),
            Self::Many(reply, outcomes) => drop(reply.send(vec![Err(error); outcomes.len()])),
        }
    }

    pub(super) fn outcomes(&self) -> &[Outcome] {
        match self {
            Self::One(_, outcome) => std::slice::from_ref(outcome),
            Self::Many(_, outcomes) => outcomes,
        }
    }
}

/// The events of one command among those of the commit.
#[derive(Debug)]
struct Span {
    end: usize,
    actor: Actor,
    stamp: Option<Box<CommandStamp>>,
}

/// What one commit will append, as it is decided.
#[derive(Debug)]
pub(super) struct Draft {
    at: Micros,
    after: Position,
    events: Vec<Event>,
    spans: Vec<Span>,
}

/// How far a draft had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    events: usize,
    spans: usize,
}

impl Draft {
    pub(super) const fn new(at: Micros, after: Position) -> Self {
        Self {
            at,
            after,
            events: Vec::new(),
            spans: Vec::new(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) const fn mark(&self) -> Mark {
        Mark {
            events: self.events.len(),
            spans: self.spans.len(),
        }
    }

    /// Decides one command and folds what it leads to.
    pub(super) fn run(&mut self, books: &mut Books, submission: Submission) -> Outcome {
        let Submission { command, id, actor } = submission;
        let content = id.is_some().then(|| command.content());
        if let Some(seen) = id.as_ref().and_then(|id| books.recalled.command(actor, id)) {
            let same = content == Some(seen.content);
            return if same {
                Ok(Verdict::Before(seen))
            } else {
                Err(SubmitError::IdempotencyConflict)
            };
        }
        if elements(&command) > ELEMENTS_MAX {
            return Err(SubmitError::TooLarge);
        }
        let from = self.events.len();
        let mut run = Execution {
            books,
            at: self.at,
            events: &mut self.events,
        };
        let answer = execute(&mut run, &command).map_err(SubmitError::Rejected)?;
        if let Answer::Before(seen) = answer {
            return Ok(Verdict::Before(seen));
        }
        let stamp = id.zip(content).and_then(|(id, content)| {
            let events = u32::try_from(self.events.len() - from).expect("bounded above");
            (events > 0).then(|| {
                Box::new(CommandStamp {
                    id,
                    content,
                    events,
                })
            })
        });
        self.close_span(books, from, actor, stamp);
        Ok(Verdict::Granted(Reply {
            answer,
            position: books.projections.position,
            replayed: false,
        }))
    }

    fn close_span(
        &mut self,
        books: &mut Books,
        from: usize,
        actor: Actor,
        stamp: Option<Box<CommandStamp>>,
    ) {
        if let Some(stamp) = &stamp {
            note(books, self.after.plus(from as u64 + 1), actor, stamp);
        }
        if self.events.len() > from {
            self.spans.push(Span {
                end: self.events.len(),
                actor,
                stamp,
            });
        }
    }

    /// The events so far.
    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Forgets what was decided after `mark`. The books have to be restored apart.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.events.truncate(mark.events);
        self.spans.truncate(mark.spans);
    }

    /// Folds what is decided so far into restored projections.
    pub(super) fn fold_again(&self, folds: &mut Projections) {
        for event in &self.events {
            folds.apply(Recorded {
                position: folds.position.next(),
                recorded_at: self.at,
                event,
            });
        }
    }

    /// The envelopes, in order.
    pub(super) fn into_envelopes(self) -> Vec<Envelope> {
        let mut envelopes = Vec::with_capacity(self.events.len());
        let mut spans = self.spans.into_iter();
        let mut span = Span {
            end: 0,
            actor: Actor::Purser,
            stamp: None,
        };
        for (index, event) in self.events.into_iter().enumerate() {
            if index == span.end {
                span = spans.next().expect("every event belongs to a command");
            }
            envelopes.push(Envelope {
                position: self.after.plus(index as u64 + 1),
                recorded_at: self.at,
                command: span.stamp.take(),
                actor: span.actor,
                event,
            });
        }
        envelopes
    }
}

/// Notes a command id, so that a repetition is known.
pub(super) fn note(books: &mut Books, position: Position, actor: Actor, stamp: &CommandStamp) {
    let seen = SeenCommand {
        content: stamp.content,
        position,
        events: stamp.events,
    };
    books.recalled.note_command(actor, &stamp.id, seen);
}
