//! Given files, when a file is delivered, then events: late matches, moves, connections, copies.

use purser_events::policy::PolicyChange;
use purser_events::{Amount, AssetNo, BasisPoints, Wei};
use purser_projections::accounts::Account;

use crate::ledger::Ledger;
use crate::script::{SCRIPTED, deliver};

struct Case {
    what: &'static str,
    given: &'static [&'static str],
    when: &'static str,
    then: &'static [&'static str],
}

const ONE: &str = "taken 1: 0 malformed, 0 misrouted, 0 duplicates, 0 conflicts";
const COPY: &str = "taken 1: 0 malformed, 0 misrouted, 1 duplicates, 0 conflicts";
const CONFLICT: &str = "taken 1: 0 malformed, 0 misrouted, 0 duplicates, 1 conflicts";

const MATCHING: &[Case] = &[
    Case {
        what: "a received job stands before a processed one of the same second",
        given: &[],
        when: "ai 1: p 01 processed r 100; q 01 received r A",
        then: &[
            "processed p: orphan",
            "received q",
            "reattributed p: orphan to A",
            "taken 2: 0 malformed, 0 misrouted, 0 duplicates, 0 conflicts",
        ],
    },
    Case {
        what: "a processed job takes the received one: the next is an orphan",
        given: &["ai 1: a 01 received r A; b 02 processed r 100"],
        when: "ai 3: c 03 processed r 100",
        then: &["processed c: orphan", ONE],
    },
    Case {
        what: "of two received jobs the later one earned it",
        given: &["ai 1: a 01 received r A; b 02 received r B"],
        when: "ai 3: c 03 processed r 100",
        then: &["processed c: B", ONE],
    },
    Case {
        what: "a late received job takes over what came right after it",
        given: &["ai 1: a 01 received r A; c 03 processed r 100"],
        when: "ai 2: b 02 received r B",
        then: &["received b", "reattributed c: A to B", ONE],
    },
    Case {
        what: "a late received job of the same worker changes nothing",
        given: &["ai 1: a 01 received r A; c 03 processed r 100"],
        when: "ai 2: b 02 received r A",
        then: &["received b", ONE],
    },
    Case {
        what: "a late processed job takes the match away from the one after it",
        given: &["ai 1: a 01 received r A; c 03 processed r 100"],
        when: "ai 2: b 02 processed r 50",
        then: &["processed b: A", "reattributed c: A to orphan", ONE],
    },
    Case {
        what: "a received job after all others changes nothing",
        given: &["ai 1: a 01 received r A; b 02 processed r 100"],
        when: "ai 3: c 03 received r B",
        then: &["received c", ONE],
    },
    Case {
        what: "a job of another request or partition is another matter",
        given: &["ai 1: a 01 received r A", "transcode 1: t 01 received s A"],
        when: "ai 2: b 02 processed s 100",
        then: &["processed b: orphan", ONE],
    },
    Case {
        what: "a received job without an address or a request matches nothing",
        given: &["ai 1: a 01 received r A; b 02 processed r 100"],
        when: "ai 1: c 01 received r nobody",
        then: &["received c in vain", ONE],
    },
    Case {
        what: "equal seconds stand in the order of keys, however they arrive",
        given: &["ai 2: b 01 received r B; c 02 processed r 100"],
        when: "ai 1: a 01 received r A",
        then: &["received a", ONE],
    },
    Case {
        what: "a copy in an earlier place moves the received job",
        given: &[
            "ai 2: a 01 received r A",
            "ai 3: b 01 received r B",
            "ai 4: c 02 processed r 100",
        ],
        when: "ai 1: b 01 received r B",
        then: &["earlier b", "reattributed c: B to A", COPY],
    },
    Case {
        what: "a copy in a later place moves nothing",
        given: &["ai 1: a 01 received r A; b 02 processed r 100"],
        when: "ai 2: b 02 processed r 100",
        then: &[COPY],
    },
    Case {
        what: "a copy that moves a processed job before another gives it the match",
        given: &["ai 2: a 01 received r A; b 02 processed r 1; c 02 processed r 2"],
        when: "ai 1: c 02 processed r 2",
        then: &[
            "earlier c",
            "reattributed c: orphan to A",
            "reattributed b: A to orphan",
            COPY,
        ],
    },
    Case {
        what: "an id with other content is set aside, the first content stands",
        given: &["ai 1: a 01 received r A; b 02 processed r 100"],
        when: "ai 2: b 02 processed r 200",
        then: &["set aside 0: id_conflict", CONFLICT],
    },
    Case {
        what: "an id of another partition is a conflict too",
        given: &["ai 1: a 01 reset"],
        when: "transcode 1: a 01 reset",
        then: &["set aside 0: id_conflict", CONFLICT],
    },
    Case {
        what: "a transcoding job names its worker, or nobody",
        given: &[],
        when: "transcode 1: a 01 transcoded A 100; b 01 transcoded 0x12 100",
        then: &[
            "processed a: A",
            "processed b: no_address",
            "taken 2: 0 malformed, 0 misrouted, 0 duplicates, 0 conflicts",
        ],
    },
];

const CONNECTIONS: &[Case] = &[
    Case {
        what: "a late connect says nothing about the present",
        given: &["ai 1: a 03 disconnect A x"],
        when: "ai 2: b 01 connect A x",
        then: &["connected b: superseded", ONE],
    },
    Case {
        what: "a connect after a disconnect of the same second is the latest",
        given: &["ai 1: a 01 disconnect A x"],
        when: "ai 2: b 01 connect A x",
        then: &["connected b: latest", ONE],
    },
    Case {
        what: "a connect that names no worker says nothing",
        given: &[],
        when: "ai 1: a 01 connect nobody x",
        then: &["connected a: void", ONE],
    },
    Case {
        what: "a copy in an earlier place moves a disconnect",
        given: &["ai 2: a 01 connect A x", "ai 3: b 01 disconnect A x"],
        when: "ai 1: b 01 disconnect A x",
        then: &["earlier b", COPY],
    },
];

fn check(cases: &[Case]) {
    for case in cases {
        let mut ledger = Ledger::with(SCRIPTED, 2_500);
        for file in case.given {
            deliver(&mut ledger, file);
        }
        let said = deliver(&mut ledger, case.when);
        assert_eq!(said, case.then, "{}", case.what);
        ledger.assert_replays();
    }
}

#[test]
fn jobs_are_matched_in_the_source_order() {
    check(MATCHING);
}

#[test]
fn connections_are_ordered_by_the_source() {
    check(CONNECTIONS);
}

fn open(ledger: &Ledger) -> Vec<String> {
    let report = ledger.report();
    let partition = &report.partitions["ai|eu"];
    let workers = partition.workers.values();
    workers
        .flat_map(|worker| worker.connections.clone())
        .collect()
}

#[test]
fn what_is_open_follows_the_latest_reset_and_the_latest_event() {
    let table: &[(&[&str], &[&str])] = &[
        (&["ai 1: a 01 connect A x"], &["x"]),
        (&["ai 1: a 01 connect A x; b 01 reset"], &[]),
        (&["ai 1: a 01 reset; b 01 connect A x"], &["x"]),
        (&["ai 1: b 02 connect A x", "ai 2: a 01 reset"], &["x"]),
        (
            &[
                "ai 1: a 01 connect A x",
                "ai 2: b 02 reset",
                "ai 3: c 01 reset",
            ],
            &[],
        ),
        (&["ai 1: b 02 reset", "ai 2: a 01 connect A x"], &[]),
        (
            &[
                "ai 2: b 01 reset",
                "ai 1: a 01 connect A x; c 02 connect A y",
            ],
            &["y"],
        ),
        (
            &["ai 1: a 01 connect A x; b 01 disconnect A x; c 01 connect A x"],
            &["x"],
        ),
        (
            &["ai 1: a 03 connect A x", "ai 2: b 02 disconnect A x"],
            &["x"],
        ),
        // A copy moves the reset before the connect of its second: the connection opens again.
        (
            &[
                "ai 3: r 01 reset",
                "ai 2: a 01 connect A x",
                "ai 1: r 01 reset",
            ],
            &["x"],
        ),
        // And a copy moves a connect before the reset of its second: the connection closes.
        (
            &[
                "ai 3: a 01 connect A x",
                "ai 2: r 01 reset",
                "ai 1: a 01 connect A x",
            ],
            &[],
        ),
        // A copy moves a disconnect before the connect of its second.
        (
            &["ai 2: a 01 connect A x", "ai 3: b 01 disconnect A x"],
            &[],
        ),
        (
            &[
                "ai 2: a 01 connect A x",
                "ai 3: b 01 disconnect A x",
                "ai 1: b 01 disconnect A x",
            ],
            &["x"],
        ),
    ];
    for (files, expected) in table {
        let mut ledger = Ledger::with(SCRIPTED, 2_500);
        for file in *files {
            deliver(&mut ledger, file);
        }
        assert_eq!(open(&ledger), *expected, "{files:?}");
        ledger.assert_replays();
    }
}

#[test]
fn a_correction_reverses_by_the_old_rate_and_credits_by_the_new_one() {
    let mut ledger = Ledger::with(SCRIPTED, 2_500);
    deliver(
        &mut ledger,
        "ai 1: a 01 received r A; c 03 processed r 1001",
    );
    let rate = BasisPoints::new(1_000).expect("ten percent is a rate");
    ledger.set(PolicyChange::Commission(rate));
    let commission = |ledger: &Ledger| {
        let accounts = &ledger.books.projections.accounts;
        let account = Account::Commission;
        accounts.balance(AssetNo::ETH, account).above_zero()
    };
    assert_eq!(commission(&ledger), Amount(250));
    deliver(&mut ledger, "ai 2: b 02 received r B");
    assert_eq!(commission(&ledger), Amount(100));
    let report = ledger.report();
    let workers = &report.partitions["ai|eu"].workers;
    assert_eq!(
        workers.len(),
        1,
        "the first worker earned nothing after all"
    );
    assert_eq!(
        workers.values().next().map(|one| one.net_wei.0),
        Some(Wei(901))
    );
    let samples: Vec<u64> = report.partitions["ai|eu"]
        .models
        .iter()
        .flat_map(|models| models.values().map(|model| model.samples))
        .collect();
    assert_eq!(samples, [1], "the sample moved with the job");
    ledger.assert_replays();
}

#[test]
fn a_request_with_too_many_jobs_goes_to_suspense_of_its_own() {
    let mut ledger = Ledger::with(SCRIPTED, 2_500);
    let jobs: Vec<String> = (0..1_030)
        .map(|number| format!("i{number} 01 received r A"))
        .collect();
    deliver(&mut ledger, &format!("ai 1: {}", jobs.join(";")));
    let said = deliver(&mut ledger, "ai 2: p 02 processed r 100");
    assert_eq!(said, ["processed p: crowded", ONE]);
    let report = ledger.report();
    let partition = &report.partitions["ai|eu"];
    assert_eq!(partition.suspense_fees_wei.0, Wei(100));
    assert_eq!(partition.jobs.orphan, 1);
    assert_eq!(
        partition.received.map(|received| received.total),
        Some(1_030)
    );
    ledger.assert_replays();
}

#[test]
fn fees_are_counted_by_what_they_are() {
    let mut ledger = Ledger::with(SCRIPTED, 2_500);
    let fees = [
        ("9223372036854775807", "payable"),
        ("1", "payable"),
        ("0", "nonpositive"),
        ("-9223372036854775807", "nonpositive"),
        ("-9223372036854775808", "bad"),
        ("9223372036854775808", "bad"),
        ("1.5", "bad"),
        ("1e3", "bad"),
        ("null", "bad"),
        ("\"100\"", "bad"),
        ("[100]", "bad"),
        ("true", "bad"),
        ("{}", "bad"),
    ];
    let jobs: Vec<String> = fees
        .iter()
        .enumerate()
        .map(|(number, (fee, _))| format!("i{number} 01 transcoded A {fee}"))
        .collect();
    deliver(&mut ledger, &format!("transcode 1: {}", jobs.join(";")));
    let count = |kind| fees.iter().filter(|(_, is)| *is == kind).count() as u64;
    let report = ledger.report();
    let jobs = report.partitions["transcode|eu"].jobs;
    assert_eq!(jobs.processed, fees.len() as u64);
    assert_eq!(jobs.payable, count("payable"));
    assert_eq!(jobs.nonpositive_fee, count("nonpositive"));
    assert_eq!(jobs.bad_fee, count("bad"));
    assert_eq!(report.totals.fees_wei.0, Wei((1 << 63) - 1 + 1));
}

#[test]
fn only_redeemed_tickets_are_income() {
    let mut ledger = Ledger::with(SCRIPTED, 2_500);
    let large = u128::from(u64::MAX);
    let said = deliver(
        &mut ledger,
        &format!("ai 1: a 01 ticket {large}; b 01 ticket -1; c 01 ticket 1.5"),
    );
    assert_eq!(said.len(), 4);
    let report = ledger.report();
    let tickets = report.partitions["ai|eu"].tickets;
    assert_eq!((tickets.count, tickets.redeemed), (3, 3));
    assert_eq!(tickets.face_value_wei.0, Wei(large));
    let accounts = &ledger.books.projections.accounts;
    let moved = |account| accounts.turnover(AssetNo::ETH, account);
    assert_eq!(moved(Account::Tickets).debits, Amount(large));
    assert_eq!(moved(Account::OpenPool).credits, Amount(large));
}
