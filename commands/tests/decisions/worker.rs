//! Registering workers, and hearing from them.

use purser_events::{Label, Micros, WorkerNo};
use purser_projections::registry::{Status, Worker};

use crate::script::{Row, World, check, row};

/// Per command: the rejections in the order of the checks, then what is granted.
pub(crate) const ROWS: &[Row] = &[
    // register
    row(
        "another key is refused",
        "register a key=k",
        "register a key=other",
        "key_mismatch",
    ),
    row(
        "another key is refused after the worker lapsed, whatever it offers",
        "register a key=k; wait 120001; lapse 0",
        "register a key=kk price=9",
        "key_mismatch",
    ),
    row(
        "a new id is bound to its key",
        "",
        "register a key=k",
        "session 0/1 new: worker_registered",
    ),
    row(
        "two ids may use one key",
        "register a key=k",
        "register b key=k",
        "session 1/1 new: worker_registered",
    ),
    row(
        "the same manifest again is no event",
        "register a key=k; wait 60000",
        "register a key=k",
        "session 0/1:",
    ),
    row(
        "the same manifest after the lease ran out renews it",
        "register a key=k; wait 60001",
        "register a key=k",
        "session 0/1: lease_granted",
    ),
    row(
        "a lapsed worker gets its next session",
        "register a key=k; wait 120001; lapse 0",
        "register a key=k",
        "session 0/2: lease_granted",
    ),
    row(
        "a worker that logged out gets its next session",
        "register a key=k; logout 0/1",
        "register a key=k",
        "session 0/2: lease_granted",
    ),
    row(
        "another manifest is recorded, and renews the lease",
        "register a key=k price=1",
        "register a key=k price=2",
        "session 0/1: manifest_changed lease_granted",
    ),
    row(
        "another manifest of a lapsed worker begins its next session",
        "register a key=k price=1; wait 120001; lapse 0",
        "register a key=k price=2",
        "session 0/2: manifest_changed lease_granted",
    ),
    row(
        "a price that was updated since is another manifest",
        "register a key=k price=1; update 0/1 price=5",
        "register a key=k price=1",
        "session 0/1: manifest_changed lease_granted",
    ),
    // update
    row(
        "an update of nobody is refused",
        "register a key=k",
        "update b queue=1",
        "unknown_worker",
    ),
    row(
        "an update under a number that nobody has is refused",
        "register a key=k",
        "update 1/1 queue=1",
        "unknown_worker",
    ),
    row(
        "an update by an older session is refused",
        "register a key=k; logout 0/1; register a key=k",
        "update 0/1 queue=1",
        "session_ended",
    ),
    row(
        "an update by a session that never was is refused",
        "register a key=k",
        "update 0/2 queue=1",
        "session_ended",
    ),
    row(
        "an update after the end of the session is refused",
        "register a key=k; wait 120001; lapse 0",
        "update 0/1 queue=1",
        "session_ended",
    ),
    row(
        "an update is recorded",
        "register a key=k",
        "update 0/1 queue=1 busy=yes jobs=j1,j2 price=3",
        "done: worker_updated",
    ),
    row(
        "an update on behalf is recorded",
        "register a key=k",
        "update a busy=yes",
        "done: worker_updated",
    ),
    row(
        "an update that changes nothing is no event",
        "register a key=k price=3; update 0/1 queue=1 busy=yes jobs=j1",
        "update 0/1 queue=1 busy=yes jobs=j1 price=3",
        "unchanged:",
    ),
    row(
        "an update that says nothing is no event",
        "register a key=k",
        "update 0/1",
        "unchanged:",
    ),
    // beat
    row(
        "a beat of nobody is refused",
        "",
        "beat a sent=5",
        "unknown_worker",
    ),
    row(
        "a beat by an older session is refused",
        "register a key=k; logout 0/1; register a key=k",
        "beat 0/1 sent=5",
        "session_ended",
    ),
    row(
        "a beat of a lapsed worker is refused",
        "register a key=k; wait 120001; lapse 0",
        "beat 0/1 sent=5",
        "session_ended",
    ),
    row(
        "a beat on behalf of a lapsed worker is refused",
        "register a key=k; wait 120001; lapse 0",
        "beat a sent=5",
        "session_ended",
    ),
    row(
        "a beat on behalf of a worker that logged out is refused",
        "register a key=k; logout 0/1",
        "beat a sent=5",
        "session_ended",
    ),
    row(
        "a repetition is refused like the first where the session ended",
        "register a key=k; beat 0/1 sent=5; logout 0/1",
        "beat 0/1 sent=5",
        "session_ended",
    ),
    row(
        "a beat is recorded",
        "register a key=k",
        "beat 0/1 sent=5 queue=2",
        "done: worker_beat",
    ),
    row(
        "a beat on behalf is recorded",
        "register a key=k",
        "beat a sent=5",
        "done: worker_beat",
    ),
    row(
        "a beat past the grace is recorded while nobody let the worker lapse",
        "register a key=k; wait 500000",
        "beat 0/1 sent=5",
        "done: worker_beat",
    ),
    row(
        "the same beat again is no event",
        "register a key=k; beat 0/1 sent=5",
        "beat 0/1 sent=5 queue=9",
        "unchanged:",
    ),
    row(
        "an older beat is no event",
        "register a key=k; beat 0/1 sent=5",
        "beat a sent=4",
        "unchanged:",
    ),
    row(
        "a beat sent a millisecond later is recorded",
        "register a key=k; beat 0/1 sent=5",
        "beat 0/1 sent=6",
        "done: worker_beat",
    ),
    row(
        "beats that do not say when they were sent are all recorded",
        "register a key=k; beat 0/1 sent=5; beat 0/1",
        "beat 0/1",
        "done: worker_beat",
    ),
    row(
        "a beat that does not say when does not forget the last that did",
        "register a key=k; beat 0/1 sent=5; beat 0/1",
        "beat 0/1 sent=5",
        "unchanged:",
    ),
    row(
        "a worker whose clock ran ahead is heard again in its next session",
        "register a key=k; beat 0/1 sent=18446744073709551615; logout 0/1; register a key=k",
        "beat 0/2 sent=5",
        "done: worker_beat",
    ),
    // lease
    row(
        "the lease of nobody is not renewed",
        "",
        "lease 0/1",
        "unknown_worker",
    ),
    row(
        "the lease of an older session is not renewed",
        "register a key=k; logout 0/1; register a key=k",
        "lease 0/1",
        "session_ended",
    ),
    row(
        "the lease of a session that ended is not renewed",
        "register a key=k; logout 0/1",
        "lease 0/1",
        "session_ended",
    ),
    row(
        "a lease is renewed in the same session",
        "register a key=k; wait 60000",
        "lease 0/1",
        "session 0/1: lease_granted",
    ),
    row(
        "a lease is renewed on behalf",
        "register a key=k; wait 60000",
        "lease a",
        "session 0/1: lease_granted",
    ),
    // logout
    row("nobody logs out", "", "logout a", "unknown_worker"),
    row(
        "an older session does not end its successor",
        "register a key=k; logout 0/1; register a key=k",
        "logout 0/1",
        "session_ended",
    ),
    row(
        "a worker logs out",
        "register a key=k",
        "logout 0/1",
        "done: worker_logged_out",
    ),
    row(
        "logging out again is no event",
        "register a key=k; logout 0/1",
        "logout 0/1",
        "unchanged:",
    ),
    row(
        "logging out after a lapse is no event",
        "register a key=k; wait 120001; lapse 0",
        "logout a",
        "unchanged:",
    ),
    // lapse
    row("nobody lapses", "", "lapse 0", "unknown_worker"),
    row(
        "a silence of exactly the grace is none",
        "register a key=k; wait 120000",
        "lapse 0",
        "not_silent",
    ),
    row(
        "a silence past the grace is one",
        "register a key=k; wait 120001",
        "lapse 0",
        "done: worker_lapsed",
    ),
    row(
        "the grace is the policy's",
        "policy grace 5000; register a key=k; wait 5000",
        "lapse 0",
        "not_silent",
    ),
    row(
        "the grace is the policy's at the time of the lapse",
        "register a key=k; wait 5001; policy grace 5000",
        "lapse 0",
        "done: worker_lapsed",
    ),
    row(
        "a beat breaks the silence",
        "register a key=k; wait 120000; beat 0/1 sent=5; wait 120000",
        "lapse 0",
        "not_silent",
    ),
    row(
        "a repeated beat does not break the silence",
        "register a key=k; beat 0/1 sent=5; wait 120001; beat 0/1 sent=5",
        "lapse 0",
        "done: worker_lapsed",
    ),
    row(
        "an update breaks the silence",
        "register a key=k; wait 120000; update 0/1 queue=1; wait 120000",
        "lapse 0",
        "not_silent",
    ),
    row(
        "a renewed lease breaks the silence",
        "register a key=k; wait 120000; lease 0/1; wait 120000",
        "lapse 0",
        "not_silent",
    ),
    row(
        "lapsing again is no event",
        "register a key=k; wait 120001; lapse 0",
        "lapse 0",
        "unchanged:",
    ),
    row(
        "a worker that logged out does not lapse",
        "register a key=k; logout 0/1; wait 120001",
        "lapse 0",
        "unchanged:",
    ),
];

#[test]
fn workers_are_decided_as_the_table_says() {
    ROWS.iter().for_each(check);
}

fn played(lines: &[&str]) -> World {
    let mut world = World::default();
    for line in lines {
        assert!(world.play(line).is_ok(), "{line}");
    }
    world
}

fn status(world: &World, worker: u32) -> Option<Status> {
    let projections = &world.books.projections;
    let pulse = projections.registry.pulse(WorkerNo(worker))?;
    pulse.status(world.now, &projections.policy)
}

fn first(world: &World) -> Worker<'_> {
    let registry = &world.books.projections.registry;
    registry.worker(WorkerNo(0)).expect("registered")
}

#[test]
fn a_worker_fades_from_online_to_lapsed() {
    let mut world = played(&["register a key=k"]);
    let mut seen = Vec::new();
    for line in ["wait 60000", "wait 1", "wait 59999", "wait 1", "lapse 0"] {
        assert!(world.play(line).is_ok(), "{line}");
        seen.push(status(&world, 0).expect("registered"));
    }
    let expected = [
        Status::Online,
        Status::Degraded,
        Status::Degraded,
        Status::Silent,
        Status::Lapsed,
    ];
    assert_eq!(seen, expected);
    assert_eq!(status(&world, 1), None);
}

#[test]
fn the_sweeper_finds_exactly_those_that_would_lapse() {
    let world = played(&[
        "register a key=k",
        "register b key=k",
        "register c key=k",
        "register d key=k",
        "logout d",
        "wait 1",
        "beat 1/1 sent=1",
        "wait 120000",
    ]);
    let projections = &world.books.projections;
    let grace = projections.policy.heartbeat_grace_ms;
    let silent = projections.registry.silent_since(world.now, grace);
    assert_eq!(silent.collect::<Vec<_>>(), [WorkerNo(0), WorkerNo(2)]);
    let census = projections.registry.census(world.now, &projections.policy);
    assert_eq!(census.online + census.degraded, 1);
    assert_eq!(projections.registry.live(), 3);
}

#[test]
fn the_census_counts_each_worker_once_and_averages_the_reachable() {
    let world = played(&[
        "register a key=k",
        "register b key=k",
        "register c key=k",
        "register d key=k",
        "beat 3/1 latency=1000",
        "logout d",
        "beat 0/1 latency=900",
        "wait 60001",
        "beat 1/1 latency=10",
        "beat 2/1 latency=20",
        "wait 60000",
    ]);
    let projections = &world.books.projections;
    let census = projections.registry.census(world.now, &projections.policy);
    assert_eq!((census.online, census.silent, census.logged_out), (2, 1, 1));
    assert_eq!((census.degraded, census.lapsed), (0, 0));
    assert_eq!(census.registered(), 4);
    assert_eq!(census.avg_latency_ms, Some(15));
}

#[test]
fn a_beat_is_kept_as_it_was_said() {
    let world = played(&[
        "register a key=k",
        "beat 0/1 sent=1000003 queue=4 latency=12",
    ]);
    let pulse = first(&world).pulse;
    assert_eq!((pulse.sent_at_ms, pulse.queue_len), (1_000_003, 4));
    assert_eq!(pulse.avg_latency_ms, Some(12));
    assert_eq!(pulse.last_heard, world.now);
    assert_eq!(pulse.lease_until(), Micros(world.now.0 + 60_000_000));
}

#[test]
fn what_a_worker_said_ends_with_its_session_and_what_it_offers_stays() {
    let mut world = played(&[
        "register a key=k price=1",
        "update 0/1 busy=yes jobs=j1 price=7 queue=3",
    ]);
    assert!(first(&world).pulse.busy);
    let jobs = &first(&world).file.current_jobs;
    assert_eq!(jobs.iter().map(Label::as_str).collect::<Vec<_>>(), ["j1"]);
    for line in ["logout a", "register a key=k price=7"] {
        assert!(world.play(line).is_ok());
    }
    let after = first(&world);
    assert!(!after.pulse.busy);
    assert_eq!((after.pulse.queue_len, after.pulse.session), (0, 2));
    assert!(after.file.current_jobs.is_empty());
    assert_eq!(after.file.manifest.price_micro, 7);
}

#[test]
fn pages_list_workers_in_the_order_of_their_registration() {
    let world = played(&["register b key=k", "register a key=k", "register c key=k"]);
    let registry = &world.books.projections.registry;
    let from_one = registry.workers(WorkerNo(1)).map(|one| one.number);
    assert_eq!(from_one.collect::<Vec<_>>(), [WorkerNo(1), WorkerNo(2)]);
    assert_eq!(registry.workers(WorkerNo(3)).count(), 0);
}

#[test]
fn neither_a_key_nor_its_hash_is_ever_shown() {
    let world = played(&["register a key=hunter2"]);
    let shown = format!("{:?} {:?}", world.books.projections, world.history);
    assert!(!shown.contains("hunter2"));
    assert!(shown.contains("KeyHash(..)"));
}
