//! Matching: who gets a job, how it went, who may be matched.

use purser_commands::command::Secret;
use purser_commands::matching::{
    AssignMatch, ExpireAssignment, Finding, GiveFeedback, Offered, ProbeRegion, RotateKey,
    SetStanding, evidence_of,
};
use purser_commands::{Answer, Command};
use purser_events::matching::{
    Ask, Candidate, Components, Evidence, Outcome, Reason, RegionFinding, Weights,
};
use purser_events::{KeyTag, Position, WorkerNo};

use crate::script::{Line, Row, World, check, label, number, row, worker_no, worker_ref};

/// Two workers, one slot taken.
const TAKEN: &str = "register a key=k; register b key=k; assign j by=1 of=0,1";

/// Per command: the rejections in the order of the checks, then what is granted.
pub(crate) const ROWS: &[Row] = &[
    // degrade
    row(
        "nobody is degraded under a number that nobody has",
        "",
        "degrade 0",
        "unknown_worker",
    ),
    row(
        "a lease that ends this moment is in force",
        "register a key=k; wait 60000",
        "degrade 0",
        "not_silent",
    ),
    row(
        "a lease that ran out is told",
        "register a key=k; wait 60001",
        "degrade 0",
        "done: worker_degraded",
    ),
    row(
        "a lease that ran out is told once",
        "register a key=k; wait 60001; degrade 0",
        "degrade 0",
        "unchanged:",
    ),
    row(
        "a worker that was heard since is told of again",
        "register a key=k; wait 60001; degrade 0; beat a; wait 60001",
        "degrade 0",
        "done: worker_degraded",
    ),
    row(
        "a worker that lapsed is not degraded",
        "register a key=k; wait 120001; lapse 0",
        "degrade 0",
        "unchanged:",
    ),
    row(
        "a degraded worker lapses as any other",
        "register a key=k; wait 120001; degrade 0",
        "lapse 0",
        "done: worker_lapsed",
    ),
    // suspend, resume
    row(
        "nobody of an unknown id is suspended",
        "",
        "bar a",
        "unknown_worker",
    ),
    row(
        "a worker is suspended",
        "register a key=k",
        "bar a",
        "done: worker_suspended",
    ),
    row(
        "a worker is suspended once",
        "register a key=k; bar a",
        "bar a",
        "unchanged:",
    ),
    row(
        "whoever is not suspended is not resumed",
        "register a key=k",
        "readmit a",
        "unchanged:",
    ),
    row(
        "a worker is resumed",
        "register a key=k; bar a",
        "readmit a",
        "done: worker_resumed",
    ),
    row(
        "resuming clears fraud",
        "register a key=k; report j a failed by=1 code=double_claim offered=yes",
        "readmit a",
        "done: worker_resumed",
    ),
    // rotate
    row(
        "a key is rotated in a session that goes on",
        "register a key=k; logout 0/1",
        "rotate 0/1 key=n overlap=10",
        "session_ended",
    ),
    row(
        "a key is rotated",
        "register a key=k",
        "rotate 0/1 key=n overlap=10",
        "done: key_rotated",
    ),
    row(
        "the same key again is no change",
        "register a key=k; rotate 0/1 key=n overlap=10",
        "rotate 0/1 key=n overlap=99",
        "unchanged:",
    ),
    row(
        "the new key opens the id",
        "register a key=k; rotate 0/1 key=n overlap=0; wait 1",
        "register a key=n",
        "session 0/1:",
    ),
    row(
        "the old key opens it to the end of the overlap",
        "register a key=k; rotate 0/1 key=n overlap=10; wait 10",
        "register a key=k",
        "session 0/1:",
    ),
    row(
        "the old key opens it no longer",
        "register a key=k; rotate 0/1 key=n overlap=10; wait 11",
        "register a key=k",
        "key_mismatch",
    ),
    // probe
    row(
        "nobody of an unknown id is probed",
        "",
        "probe a from=eu rtt=1",
        "unknown_worker",
    ),
    row(
        "a claim that was not made is not probed",
        "register a key=k region=none",
        "probe a from=eu rtt=1",
        "no_region_claimed",
    ),
    row(
        "a probe is recorded",
        "register a key=k",
        "probe a from=eu-west rtt=30000",
        "done: region_probed",
    ),
    row(
        "a probe of the claim is recorded",
        "register a key=k",
        "probe a from=us rtt=1 km=9000 of=eu-west",
        "done: region_probed",
    ),
    row(
        "a probe of another claim is not recorded",
        "register a key=k",
        "probe a from=us rtt=1 km=9000 of=us-west",
        "no_region_claimed",
    ),
    // assign
    row(
        "a job of another is not assigned",
        TAKEN,
        "assign j by=2 of=1",
        "job_of_another",
    ),
    row(
        "a job that holds a slot is not assigned again",
        TAKEN,
        "assign j by=1 of=1",
        "job_assigned",
    ),
    row(
        "a job that was completed is not assigned again",
        "register a key=k; assign j by=1 of=0; report j a completed by=1",
        "assign j by=1 of=0",
        "job_completed",
    ),
    row(
        "a worker that is gone takes nothing",
        "register a key=k; logout a",
        "assign j by=1 of=0",
        "candidates_gone",
    ),
    row(
        "a worker that is silent takes nothing",
        "register a key=k; wait 120001",
        "assign j by=1 of=0",
        "candidates_gone",
    ),
    row(
        "a worker that is suspended takes nothing",
        "register a key=k; bar a",
        "assign j by=1 of=0",
        "candidates_gone",
    ),
    row(
        "a worker that is busy takes nothing",
        "register a key=k; update a busy=yes",
        "assign j by=1 of=0",
        "candidates_gone",
    ),
    row(
        "a worker without room takes nothing",
        "register a key=k; beat a queue=4",
        "assign j by=1 of=0",
        "candidates_gone",
    ),
    row(
        "slots that were given away are taken",
        "register a key=k; beat a queue=3; assign i by=1 of=0",
        "assign j by=1 of=0",
        "candidates_gone",
    ),
    row(
        "slots that were given away stay taken when the worker does not speak of them",
        "register a key=k; assign f by=1 of=0; assign g by=1 of=0; assign h by=1 of=0; \
         assign i by=1 of=0; beat a queue=0",
        "assign j by=1 of=0",
        "candidates_gone",
    ),
    row(
        "a slot that was reported on is free",
        "register a key=k; beat a queue=3; assign i by=1 of=0; report i a completed by=1",
        "assign j by=1 of=0",
        "recorded { assigned: 1 }: match_made",
    ),
    row(
        "a price that changed since is not agreed to",
        "register a key=k price=2",
        "assign j by=1 of=0",
        "candidates_gone",
    ),
    row(
        "a worker whose part ended does not get the job again",
        "register a key=k; assign j by=1 of=0; report j a rejected by=1",
        "assign j by=1 of=0",
        "candidates_gone",
    ),
    row(
        "the best that stands gets the job",
        "register a key=k; register b key=k; logout a",
        "assign j by=1 of=0,1",
        "recorded { assigned: 1 }: match_made",
    ),
    row(
        "a job is given to several",
        "register a key=k; register b key=k",
        "assign j by=1 of=0,1 count=2",
        "recorded { assigned: 2 }: match_made",
    ),
    row(
        "a job that nobody fits is recorded",
        "",
        "assign j by=1",
        "recorded { assigned: 0 }: match_made",
    ),
    row(
        "a refused job goes on to another",
        "register a key=k; register b key=k; assign j by=1 of=0,1; report j a rejected by=1",
        "assign j by=1 of=0,1",
        "recorded { assigned: 1 }: match_made",
    ),
    // report
    row(
        "nobody of an unknown id is reported on",
        "",
        "report j a completed by=1",
        "unknown_worker",
    ),
    row(
        "a job of another is not reported on",
        TAKEN,
        "report j a completed by=2",
        "job_of_another",
    ),
    row(
        "what was never assigned does not count",
        TAKEN,
        "report j b completed by=1",
        "feedback { trust_ppm: 500000, counted: notassigned }:",
    ),
    row(
        "what was offered counts",
        "register a key=k",
        "report j a completed by=1 offered=yes",
        "feedback { trust_ppm: 600000, counted: yes }: feedback_given",
    ),
    row(
        "a job that is done in time counts for the worker",
        "register a key=k; assign j by=1 of=0 deadline=50",
        "report j a completed by=1 took=50",
        "feedback { trust_ppm: 600000, counted: yes }: feedback_given",
    ),
    row(
        "a job that is done late counts half",
        "register a key=k; assign j by=1 of=0 deadline=50",
        "report j a completed by=1 took=51",
        "feedback { trust_ppm: 500000, counted: yes }: feedback_given",
    ),
    row(
        "a job that was accepted is accepted once",
        "register a key=k; assign j by=1 of=0; report j a accepted by=1",
        "report j a accepted by=1",
        "feedback { trust_ppm: 500000, counted: duplicate }:",
    ),
    row(
        "an outcome counts once, whatever comes later",
        "register a key=k; assign j by=1 of=0; report j a completed by=1",
        "report j a failed by=1 code=oom",
        "feedback { trust_ppm: 600000, counted: duplicate }:",
    ),
    row(
        "an outcome counts once, whoever was offered again",
        "register a key=k; report j a completed by=1 offered=yes",
        "report j a completed by=1 offered=yes",
        "feedback { trust_ppm: 600000, counted: duplicate }:",
    ),
    row(
        "a report after the end counts as none",
        "register a key=k; assign j by=1 of=0 deadline=50; wait 30051; expire j 0",
        "report j a completed by=1",
        "feedback { trust_ppm: 500000, counted: duplicate }:",
    ),
    // expire
    row(
        "a slot is held to the end",
        "register a key=k; assign j by=1 of=0 deadline=50; wait 30050",
        "expire j 0",
        "not_expired",
    ),
    row(
        "a slot is freed after the end",
        "register a key=k; assign j by=1 of=0 deadline=50; wait 30051",
        "expire j 0",
        "done: assignment_expired",
    ),
    row(
        "a slot that is free already is let be",
        "register a key=k; assign j by=1 of=0; report j a failed by=1",
        "expire j 0",
        "unchanged:",
    ),
    // find
    row(
        "a match that was never recorded is not found",
        "",
        "matched j",
        "unknown_match",
    ),
    row(
        "the latest recorded match is found",
        "register a key=k; assign j by=1 of=0; report j a rejected by=1; assign j by=1",
        "matched j",
        "match(position(4)):",
    ),
];

#[test]
fn matching() {
    ROWS.iter().for_each(check);
}

/// The command of a line of this subject.
pub(crate) fn command(line: &Line<'_>) -> Option<Command> {
    let set = |suspended| {
        Command::SetStanding(SetStanding {
            worker: label(line.plain[0]),
            suspended,
            reason: label("because"),
        })
    };
    Some(match line.verb {
        "degrade" => Command::DegradeWorker(worker_no(line.plain[0])),
        "bar" => set(true),
        "readmit" => set(false),
        "rotate" => Command::RotateKey(Box::new(RotateKey {
            worker: worker_ref(line.plain[0]),
            api_key: Secret(line.get("key").expect("a key").into()),
            fresh_salt: [8; 16],
            overlap_ms: line.small("overlap").unwrap_or(0),
        })),
        "probe" => Command::ProbeRegion(ProbeRegion {
            worker: label(line.plain[0]),
            probe: label(line.get("from").expect("where the probe is")),
            rtt_us: line.small("rtt").expect("the time there and back"),
            samples: line.small("samples").unwrap_or(5),
            distance_km: line.small("km"),
            claimed: line.get("of").map(label),
        }),
        "assign" => Command::AssignMatch(Box::new(assign(line))),
        "report" => Command::GiveFeedback(Box::new(report(line))),
        "expire" => Command::ExpireAssignment(ExpireAssignment {
            job: label(line.plain[0]),
            worker: worker_no(line.plain[1]),
        }),
        "matched" => Command::FindMatch(label(line.plain[0])),
        _ => return None,
    })
}

fn by(line: &Line<'_>) -> KeyTag {
    KeyTag(line.small("by").expect("a coordinator"))
}

fn assign(line: &Line<'_>) -> AssignMatch {
    let named = line.get("of").map(|of| of.split(','));
    let candidate = |word: &str| Candidate {
        worker: worker_no(word),
        score_ppm: 1,
        components: Components::default(),
        price_micro: 1,
        eta_ms: None,
    };
    let candidates = named.into_iter().flatten().map(candidate).collect();
    AssignMatch {
        job: label(line.plain[0]),
        coordinator: by(line),
        ask: Ask {
            deadline_ms: line.small("deadline"),
            ..Ask::default()
        },
        count: line.small("count").unwrap_or(1),
        found: Finding {
            looked_at: Position(1),
            weights: Weights::default(),
            candidates,
            left_out: vec![(Reason::Vram, 3)],
        },
    }
}

fn report(line: &Line<'_>) -> GiveFeedback {
    GiveFeedback {
        job: label(line.plain[0]),
        worker: label(line.plain[1]),
        coordinator: by(line),
        outcome: match line.plain[2] {
            "accepted" => Outcome::Accepted,
            "completed" => Outcome::Completed,
            "rejected" => Outcome::Rejected,
            _ => Outcome::Failed,
        },
        latency_ms: line.small("took"),
        fail_code: line.get("code").map(label),
        tokens_spent: line.get("tokens").map(number),
        offered: line.get("offered").map(|_| Offered { deadline_ms: None }),
    }
}

#[test]
fn outcomes_weigh_what_the_rules_say() {
    let table = [
        (Outcome::Accepted, None, false, (0, 0)),
        (Outcome::Completed, None, false, (1_000, 0)),
        (Outcome::Completed, None, true, (500, 500)),
        (Outcome::Rejected, None, false, (0, 100)),
        (Outcome::Rejected, Some("busy"), false, (0, 100)),
        (Outcome::Rejected, Some("price_changed"), false, (0, 250)),
        (Outcome::Rejected, Some("policy"), false, (0, 0)),
        (Outcome::Failed, None, false, (0, 1_000)),
        (Outcome::Failed, Some("client_cancelled"), true, (0, 0)),
        (Outcome::Failed, Some("coordinator_error"), false, (0, 0)),
        (Outcome::Failed, Some("payment_failed"), false, (0, 0)),
        (Outcome::Failed, Some("net_timeout"), false, (0, 250)),
        (Outcome::Failed, Some("conn_reset"), false, (0, 250)),
        (Outcome::Failed, Some("preempted"), false, (0, 250)),
        (Outcome::Failed, Some("oom_retryable"), false, (0, 250)),
        (Outcome::Failed, Some("oom"), false, (0, 1_000)),
        (Outcome::Failed, Some("whatever"), false, (0, 1_000)),
        (Outcome::Failed, Some("invalid_result"), false, (0, 5_000)),
        (
            Outcome::Failed,
            Some("forged_capability"),
            false,
            (0, 5_000),
        ),
        (Outcome::Failed, Some("double_claim"), false, (0, 5_000)),
        (Outcome::Rejected, Some("double_claim"), false, (0, 100)),
    ];
    for (outcome, code, late, (success_milli, failure_milli)) in table {
        let expected = Evidence {
            success_milli,
            failure_milli,
            fraud: failure_milli == 5_000,
        };
        let found = evidence_of(outcome, code, late);
        assert_eq!(found, expected, "{outcome:?} {code:?} {late}");
    }
}

/// What the probes of a worker that claims `eu-west` lead to.
#[test]
fn probes_verify_or_contradict_a_claim() {
    let table = [
        ("from=eu-west rtt=30000 samples=5", RegionFinding::Verified),
        ("from=eu-west-1 rtt=1 samples=9", RegionFinding::Verified),
        ("from=eu-west rtt=30001 samples=5", RegionFinding::Open),
        ("from=eu-west rtt=30000 samples=4", RegionFinding::Open),
        ("from=eu rtt=30000 samples=5", RegionFinding::Open),
        ("from=us rtt=90000 km=9000", RegionFinding::Open),
        ("from=us rtt=89999 km=9000", RegionFinding::Contradicted),
        (
            "from=us rtt=89999 km=9000 samples=1",
            RegionFinding::Contradicted,
        ),
        (
            "from=eu-west rtt=1 km=1 samples=5",
            RegionFinding::Contradicted,
        ),
    ];
    for (probe, expected) in table {
        let mut world = World::default();
        for line in ["register a key=k", &format!("probe a {probe}")] {
            world.play(line).expect("it is granted");
        }
        let standing = world.books.projections.matching.standing(WorkerNo(0));
        assert_eq!(standing.region, expected, "{probe}");
        world
            .play("register a key=k region=us")
            .expect("another claim");
        let standing = world.books.projections.matching.standing(WorkerNo(0));
        assert_eq!(standing.region, RegionFinding::Open, "{probe}: a new claim");
    }
}

#[test]
fn an_accepted_job_that_nobody_reports_on_counts_against_the_worker() {
    let mut world = World::default();
    let trust = |world: &World| {
        let standing = world.books.projections.matching.standing(WorkerNo(0));
        (standing.trust.ppm(world.now.millis()), standing.open)
    };
    for line in [
        "register a key=k",
        "assign j by=1 of=0 deadline=50",
        "wait 30000",
        "report j a accepted by=1",
        "wait 30050",
    ] {
        world.play(line).expect("it is granted");
    }
    assert!(world.play("expire j 0").is_err(), "accepting begins anew");
    world.play("wait 1").expect("time goes on");
    let expired = world.play("expire j 0").expect("it is over");
    assert_eq!(expired.answer, Answer::Done);
    assert_eq!(trust(&world), (444_444, 0));
    assert!(world.books.projections.matching.jobs.is_empty());
}

#[test]
fn demand_that_was_not_met_is_counted_by_its_reasons() {
    let mut world = World::default();
    for line in ["assign i by=1", "register a key=k", "assign j by=1 of=0"] {
        world.play(line).expect("it is granted");
    }
    let demand = &world.books.projections.matching.demand;
    assert_eq!((demand.matches, demand.unmet), (2, 1));
    assert_eq!(demand.reasons[Reason::Vram as usize], 3);
}
