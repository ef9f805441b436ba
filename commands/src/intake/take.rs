//! A file as a whole: repeated, set aside, or read element by element.

use purser_events::intake::{
    ElementQuarantined, ElementReason, EventId, FileQuarantined, FileReason, FileStamps, FileTaken,
    KeyState, Taken,
};
use purser_events::policy::NodeType;
use purser_events::{Event, FileNo, Label, PartitionNo, Seconds};
use purser_projections::Books;
use purser_projections::recall::{RecallKey, Record, SeenFile};

use super::element::{self, Outcome};
use super::{Element, Says, TakeFile};
use crate::answer::FileAnswer;
use crate::{Answer, Execution};

/// The partition and the stamps that a key names.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) partition: PartitionNo,
    pub(super) node_type: NodeType,
    pub(super) stamps: FileStamps,
}

/// Takes in a file: whatever it holds becomes an event, a counted duplicate or a quarantine row.
pub fn take_file(run: &mut Execution<'_>, file: &TakeFile) -> Answer {
    let place = place_of(run.books, file);
    if let Some(seen) = seen_before(run.books, file, place) {
        return Answer::File(repeated(&seen));
    }
    let answer = match (&file.name, place, &file.elements) {
        (None, ..) => set_aside(run, file, None, FileReason::BadName),
        (Some(_), None, _) => set_aside(run, file, None, FileReason::UnknownPartition),
        (Some(_), Some(place), Err(reason)) => set_aside(run, file, Some(place), *reason),
        (Some(_), Some(place), Ok(elements)) => read(run, file, place, elements),
    };
    Answer::File(answer)
}

fn place_of(books: &Books, file: &TakeFile) -> Option<Place> {
    let name = file.name.as_ref()?;
    let names = &books.projections.names;
    Some(Place {
        partition: names.partition(name.node_type, name.region.as_str())?,
        node_type: name.node_type,
        stamps: name.stamps,
    })
}

fn seen_before(books: &Books, file: &TakeFile, place: Option<Place>) -> Option<SeenFile> {
    let key = match place {
        Some(at) => RecallKey::of_file(at.partition, at.stamps, &file.content),
        None => RecallKey::of_foreign_file(&file.key, &file.content),
    };
    match books.recalled.get(&key).as_deref() {
        Some(Record::File(seen)) => Some(*seen),
        _ => None,
    }
}

fn repeated(seen: &SeenFile) -> FileAnswer {
    FileAnswer {
        repeated: true,
        quarantined: seen.quarantined,
        elements: seen.elements,
        duplicates: seen.elements - seen.malformed - seen.misrouted,
        malformed: seen.malformed,
        misrouted: seen.misrouted,
        ..FileAnswer::default()
    }
}

/// What came of a key before. A key of a partition that was declared later may have been set aside
/// as foreign until then.
fn key_state(books: &Books, file: &TakeFile, place: Option<Place>) -> KeyState {
    let state = |key| match books.recalled.get(&key).as_deref() {
        Some(Record::Key(state)) => *state,
        _ => KeyState::New,
    };
    let foreign = state(RecallKey::of_foreign_key(&file.key));
    let own = place.map(|at| state(RecallKey::of_place(at.partition, at.stamps)));
    own.map_or(foreign, |own| own.max(foreign))
}

fn set_aside(
    run: &mut Execution<'_>,
    file: &TakeFile,
    place: Option<Place>,
    reason: FileReason,
) -> FileAnswer {
    let before = key_state(run.books, file, place);
    run.happen(Event::FileQuarantined(Box::new(FileQuarantined {
        key: file.key.clone(),
        place: place.map(|at| (at.partition, at.stamps)),
        content: file.content,
        etag: file.etag.clone(),
        bytes: file.bytes,
        reason,
        before,
    })));
    FileAnswer::set_aside(reason)
}

fn read(
    run: &mut Execution<'_>,
    file: &TakeFile,
    place: Place,
    elements: &[Element],
) -> FileAnswer {
    let from = run.events.len();
    let before = key_state(run.books, file, Some(place));
    let taken = FileTaken {
        file: run.books.projections.intake.next_file(),
        partition: place.partition,
        stamps: place.stamps,
        content: file.content,
        etag: file.etag.clone(),
        before,
        elements: u32::try_from(elements.len()).expect("a file has fewer than 2^32 elements"),
        malformed: 0,
        misrouted: 0,
        duplicates: 0,
        conflicts: 0,
    };
    let mut reading = Reading { run, place, taken };
    for (index, element) in (0..).zip(elements) {
        reading.element(index, element);
    }
    let Reading { run, taken, .. } = reading;
    run.happen(Event::FileTaken(Box::new(taken.clone())));
    FileAnswer::of(&taken, run.events[from..].iter())
}

/// A file that is being read.
struct Reading<'a, 'b> {
    run: &'a mut Execution<'b>,
    place: Place,
    taken: FileTaken,
}

impl Reading<'_, '_> {
    fn element(&mut self, index: u32, element: &Element) {
        match element {
            Element::SetAside { reason, excerpt } => {
                match reason {
                    ElementReason::Misrouted => self.taken.misrouted += 1,
                    _ => self.taken.malformed += 1,
                }
                self.quarantine(index, *reason, excerpt.clone());
            }
            Element::Event {
                id,
                occurred_at,
                says,
            } => self.event(index, (id, *occurred_at), says),
        }
    }

    fn event(&mut self, index: u32, (id, occurred_at): (&EventId, Seconds), says: &Says) {
        let taken = Taken {
            id: id.clone(),
            occurred_at,
            file: self.taken.file,
            index,
            partition: self.place.partition,
            stamps: self.place.stamps,
        };
        match element::take(self.run, self.place.node_type, taken, says) {
            Outcome::New => {}
            Outcome::Duplicate => self.taken.duplicates += 1,
            Outcome::Conflict => {
                self.taken.conflicts += 1;
                self.quarantine(index, ElementReason::IdConflict, None);
            }
        }
    }

    fn quarantine(&mut self, index: u32, reason: ElementReason, excerpt: Option<Label>) {
        let file: FileNo = self.taken.file;
        self.run
            .happen(Event::ElementQuarantined(Box::new(ElementQuarantined {
                file,
                index,
                reason,
                excerpt,
            })));
    }
}
