//! What holds for any sequence of commands.

use proptest::prelude::*;
use purser_events::codec::{from_bytes, to_bytes};
use purser_events::{Micros, Position, Recorded};
use purser_projections::Projections;

use crate::script::World;

/// Few ids, so that commands meet.
fn line() -> impl Strategy<Value = String> {
    let by = prop_oneof![
        (0u32..3, 1u32..4).prop_map(|(worker, session)| format!("{worker}/{session}")),
        prop_oneof!["a", "b", "c"],
    ];
    let id = prop_oneof!["a", "b", "c"];
    prop_oneof![
        (id, "[kl]", 1u64..3)
            .prop_map(|(id, key, price)| { format!("register {id} key={key} price={price}") }),
        (by.clone(), 0u64..9, 0u32..5)
            .prop_map(|(by, sent, queue)| format!("beat {by} sent={sent} queue={queue}")),
        (by.clone(), 0u32..3, 1u64..4)
            .prop_map(|(by, queue, price)| format!("update {by} queue={queue} price={price}")),
        (by.clone(), "(yes|no)").prop_map(|(by, busy)| format!("update {by} busy={busy} jobs=j")),
        by.clone().prop_map(|by| format!("lease {by}")),
        by.prop_map(|by| format!("logout {by}")),
        (0u32..4).prop_map(|worker| format!("lapse {worker}")),
        prop_oneof![Just(1u64), Just(1_000), Just(60_001), Just(120_001)]
            .prop_map(|ms| format!("wait {ms}")),
        (
            "(grace|lease_ttl|interval)",
            prop_oneof![Just(5_000u64), Just(999), Just(120_000)]
        )
            .prop_map(|(rule, ms)| format!("policy {rule} {ms}")),
        (0u32..3, 0u32..3).prop_map(|(new, old)| format!("policy commission {new} expected={old}")),
        "partition (ai|transcode) (eu|us)",
        "asset (ETH|BTC) (8|18)",
        payout(),
        matching(),
    ]
}

/// Matches of few jobs by two coordinators.
fn matching() -> impl Strategy<Value = String> {
    let part = (0u32..3, 0u32..3, 1u32..3);
    let outcome = "(accepted|completed|rejected|failed)";
    prop_oneof![
        (0u32..3).prop_map(|worker| format!("degrade {worker}")),
        ("(bar|readmit)", "[abc]").prop_map(|(verb, id)| format!("{verb} {id}")),
        (0u32..3, "[kl]").prop_map(|(worker, key)| format!("rotate {worker}/1 key={key}")),
        (part, 1u32..3).prop_map(|((job, worker, by), count)| {
            format!("assign {job} by={by} of={worker},0,1 count={count} deadline=100")
        }),
        (
            (0u32..3, "[abc]", 1u32..3),
            outcome,
            "( offered=yes| code=oom| code=double_claim|)"
        )
            .prop_map(|((job, id, by), how, more)| format!(
                "report {job} {id} {how} by={by}{more}"
            )),
        (0u32..3, 0u32..3).prop_map(|(job, worker)| format!("expire {job} {worker}")),
        Just("wait 30101".to_owned()),
    ]
}

/// Payouts of few workers, few nonces and few blocks.
fn payout() -> impl Strategy<Value = String> {
    prop_oneof![
        (0u32..2, 1u64..300).prop_map(|(worker, fee)| format!("earned {worker} {fee}")),
        Just("policy threshold 10".to_owned()),
        prop_oneof![Just("run"), Just("run funds=100")].prop_map(str::to_owned),
        (0u32..4, 0u64..4, 1u64..4).prop_map(|(one, nonce, fee)| format!(
            "sign {one} nonce={nonce} hash={fee} fee={fee}9"
        )),
        (0u32..4, 1u64..4).prop_map(|(one, hash)| format!("known {one} hash={hash}")),
        (0u32..4, 1u64..4, "(yes|no)", 7u32..9)
            .prop_map(|(one, hash, ok, at)| format!("block {one} hash={hash} ok={ok} in={at}")),
        (0u32..4, "(gone|final)", 7u32..9)
            .prop_map(|(one, verb, at)| format!("{verb} {one} in={at}")),
        (0u32..4, 0u64..4).prop_map(|(one, chain)| format!("used {one} chain={chain}")),
        (0u32..4, "(cancel|confirm)").prop_map(|(one, verb)| format!("{verb} {one} ref=x")),
        (0u32..2, 1u64..300, "(bank|cash)")
            .prop_map(|(worker, amount, rail)| format!("elsewhere {worker} {amount} rail={rail}")),
        prop_oneof![
            Just("signer 9"),
            Just("signer 8"),
            Just("stop chain=3"),
            Just("resume chain=3")
        ]
        .prop_map(str::to_owned),
    ]
}

fn replay(history: &[(Micros, purser_events::Event)]) -> Projections {
    let mut folds = Projections::default();
    let mut position = Position::ORIGIN;
    for (recorded_at, event) in history {
        position = position.next();
        folds.apply(Recorded {
            position,
            recorded_at: *recorded_at,
            event,
        });
    }
    folds
}

proptest! {
    #[test]
    fn refused_commands_leave_no_trace(lines in prop::collection::vec(line(), 1..40)) {
        let mut world = World::default();
        for line in &lines {
            let before = world.books.clone();
            if world.play(line).is_err() {
                prop_assert_eq!(&before.projections, &world.books.projections, "{}", line);
                prop_assert_eq!(before.recalled.recent_len(), world.books.recalled.recent_len());
            }
        }
    }

    #[test]
    fn a_repeated_command_changes_nothing_unless_it_says_nothing_of_when(
        lines in prop::collection::vec(line(), 1..40),
        last in line(),
    ) {
        let mut world = World::default();
        for line in &lines {
            let _ = world.play(line);
        }
        // A lease may be renewed, and a beat that does not say when be sent, as often as one likes;
        // a wait is no command.
        // A worker may earn as often as one likes, and be paid elsewhere; what ends a payout is
        // refused the second time.
        let again = ["lease", "wait", "earned", "elsewhere"];
        let ends = ["cancel", "confirm", "gone", "final", "used", "assign"];
        let free = again.iter().chain(&ends).any(|verb| last.starts_with(verb));
        prop_assume!(!free && !last.contains("sent=0"));
        let first = world.play(&last);
        let after = world.books.projections.clone();
        let second = world.play(&last);
        if first.is_ok() && !last.contains("expected=") {
            prop_assert!(second.is_ok_and(|granted| granted.events.is_empty()));
        }
        prop_assert_eq!(after, world.books.projections);
    }

    #[test]
    fn a_replay_ends_in_the_same_state(
        lines in prop::collection::vec(line(), 1..60),
        cut in 0usize..60,
    ) {
        let mut world = World::default();
        for line in &lines {
            let _ = world.play(line);
        }
        let whole = replay(&world.history);
        prop_assert_eq!(&whole, &world.books.projections);

        let cut = cut.min(world.history.len());
        let frozen = to_bytes(&replay(&world.history[..cut]));
        let mut thawed: Projections = from_bytes(&frozen).expect("what was frozen thaws");
        for (recorded_at, event) in &world.history[cut..] {
            thawed.apply(Recorded {
                position: thawed.position.next(),
                recorded_at: *recorded_at,
                event,
            });
        }
        prop_assert_eq!(&thawed, &whole);
        prop_assert_eq!(to_bytes(&thawed), to_bytes(&whole));
    }
}
