//! The index of matching against a plain reading of the rules, over random histories.

mod oracle;
mod pool;

use proptest::prelude::*;
use purser_events::matching::{Ask, Reason};
use purser_events::{Label, Micros, WorkerNo};
use purser_projections::Projections;
use purser_projections::matching::index::{Counting, MatchIndex, explain};

use oracle::{Expected, Oracle};
use pool::{Pool, Step, ask, steps};

/// The slots of reachable workers, and those of them that are free.
fn slots(folds: &Projections, now: Micros) -> (u64, u64) {
    let (mut all, mut free) = (0, 0);
    for worker in folds.registry.workers(WorkerNo(0)) {
        let status = worker.pulse.status(now, &folds.policy);
        if !status.is_some_and(|status| status.reachable()) {
            continue;
        }
        let slots = worker.file.manifest.max_parallel;
        all += u64::from(slots);
        let standing = folds.matching.standing(worker.number);
        if !worker.pulse.busy && !standing.suspended(now.millis()) {
            free += u64::from(slots.saturating_sub(worker.pulse.jobs(standing.open)));
        }
    }
    (all, free)
}

/// Brings the index to a moment.
fn reach(index: &mut MatchIndex, now: Micros) {
    if index.is_due(now) {
        index.advance(now);
    }
    assert!(!index.is_due(now), "what was due is done");
}

/// Compares the best and the first reasons with what the oracle expects, which is answered.
fn compare_first(index: &MatchIndex, oracle: &Oracle<'_>, ask: &Ask) -> Expected {
    let (found, expected) = (index.find(ask, Counting::First), oracle.find(ask));
    assert_eq!(found.candidates, expected.candidates, "{ask:?}");
    assert_eq!(found.eligible, Some(expected.eligible), "{ask:?}");
    assert_eq!(found.left_out, expected.first, "{ask:?}");
    expected
}

/// Asks the index and the oracle, and compares everything that they say.
fn compare(index: &mut MatchIndex, pool: &Pool, ask: &Ask) {
    let now = pool.now;
    reach(index, now);
    let census = pool.folds.registry.census(now, &pool.folds.policy);
    let reachable = index.reachable();
    assert_eq!(reachable.workers, census.online + census.degraded);
    assert_eq!(reachable.avg_latency_ms(), census.avg_latency_ms);
    let slots = slots(&pool.folds, now);
    assert_eq!((reachable.slots, reachable.slots_free), slots);
    let oracle = Oracle::new(&pool.folds, now);
    let expected = compare_first(index, &oracle, ask);
    let found = index.find(ask, Counting::All);
    assert_eq!(found.candidates, expected.candidates, "{ask:?}");
    assert_eq!(found.left_out, expected.all, "{ask:?}");
    let found = index.find(ask, Counting::None);
    assert_eq!(found.candidates, expected.candidates, "{ask:?}");
    let left_out = index.left_out(ask, WorkerNo(0), usize::MAX);
    assert_eq!(left_out, expected.left_out, "{ask:?}");
}

/// A question again, at other prices and in other times.
fn of_its_kind(ask: &Ask) -> impl Iterator<Item = Ask> {
    let others = [
        (None, None),
        (Some(700_000), None),
        (Some(9), Some(900)),
        (None, Some(300)),
    ];
    others
        .into_iter()
        .map(|(max_price_micro, deadline_ms)| Ask {
            max_price_micro,
            deadline_ms,
            ..ask.clone()
        })
}

/// Compares the first reasons of questions of one kind, each asked once.
fn compare_kind(index: &mut MatchIndex, pool: &Pool, ask: &Ask) {
    reach(index, pool.now);
    let oracle = Oracle::new(&pool.folds, pool.now);
    for ask in of_its_kind(ask) {
        compare_first(index, &oracle, &ask);
    }
}

/// A pool of so many workers, and its index.
fn large_pool(workers: u32) -> (Pool, MatchIndex) {
    let mut pool = Pool::default();
    let mut index = MatchIndex::new(&pool.folds, pool.now);
    for number in 0..workers {
        follow(&mut pool, &mut index, &Step::large(number));
    }
    (pool, index)
}

fn follow(pool: &mut Pool, index: &mut MatchIndex, step: &Step) {
    for event in pool.events(step) {
        pool.apply(&event);
        index.follow(&pool.folds, &event);
    }
}

fn play(steps: &[Step], asks: &[Ask]) {
    let mut pool = Pool::default();
    let mut index = MatchIndex::new(&pool.folds, pool.now);
    for step in steps {
        follow(&mut pool, &mut index, step);
        if let (Step::Ask(at), false) = (step, asks.is_empty()) {
            compare_kind(&mut index, &pool, &asks[at % asks.len()]);
            compare(&mut index, &pool, &asks[at % asks.len()]);
        }
    }
    let mut anew = MatchIndex::new(&pool.folds, pool.now);
    for ask in asks {
        compare_kind(&mut index, &pool, ask);
        compare(&mut index, &pool, ask);
        compare(&mut anew, &pool, ask);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_index_says_what_the_rules_say(
        steps in steps(300),
        asks in prop::collection::vec(ask(), 1..6),
    ) {
        play(&steps, &asks);
    }
}

/// So many workers that latencies are told apart and bounds are drawn anew.
#[test]
fn a_large_pool_is_answered_as_a_small_one() {
    let (mut pool, mut index) = large_pool(3_000);
    let asks = pool::large_asks();
    for round in 0..4_000u32 {
        follow(&mut pool, &mut index, &Step::large_beat(round));
        if round % 250 == 0 {
            for ask in &asks {
                compare(&mut index, &pool, ask);
            }
        }
    }
    let mut anew = MatchIndex::new(&pool.folds, pool.now);
    for ask in &asks {
        compare(&mut index, &pool, ask);
        compare(&mut anew, &pool, ask);
    }
}

#[test]
fn the_grace_ends_exactly() {
    let (pool, mut index) = large_pool(1);
    let heard = pool.now;
    let ask = Ask {
        top_k: 1,
        ..Ask::default()
    };
    for (silent_ms, found) in [(0, 1), (120_000, 1), (120_001, 0)] {
        let now = Micros(heard.0 + silent_ms * 1_000);
        if index.is_due(now) {
            index.advance(now);
        }
        let answer = index.find(&ask, Counting::First);
        assert_eq!(answer.candidates.len(), found, "{silent_ms}");
        let stale = answer.left_out[Reason::StaleHeartbeat as usize];
        assert_eq!(stale as usize, 1 - found, "{silent_ms}");
    }
}

#[test]
fn the_parts_are_explained_with_three_places_cut() {
    let components = purser_events::matching::Components {
        cap: 1_000_000,
        price: 62_500,
        latency: 999_999,
        trust: 700_000,
        load: 0,
    };
    assert_eq!(
        explain(&components),
        "cap=1.000 \u{2022} price=0.062 \u{2022} latency=0.999 \u{2022} trust=0.700 \u{2022} \
         load=0.000"
    );
}

fn label(text: &str) -> Label {
    Label::new(text).expect("a label")
}

/// A copy of an index knows no question: it answers each as if it were asked for the first time.
fn ask_again(index: &MatchIndex, ask: &Ask) {
    for ask in of_its_kind(ask) {
        let anew = index.clone().find(&ask, Counting::First);
        assert_eq!(index.find(&ask, Counting::First), anew, "{ask:?}");
    }
    for counting in [Counting::First, Counting::None] {
        let anew = index.clone().find(ask, counting);
        assert_eq!(index.find(ask, counting), anew, "{ask:?}");
    }
}

#[test]
fn a_question_that_is_asked_again_is_answered_as_if_anew() {
    let (mut pool, mut index) = large_pool(700);
    let asks = pool::large_asks();
    // Up to 64 changes are caught up with one by one, in a pool of this size; after more everybody
    // is sieved anew.
    let gaps = [0, 1, 63, 64, 65, 0, 0, 600, 2, 0, 64];
    let mut round = 0;
    for gap in gaps.into_iter().cycle().take(33) {
        for _ in 0..gap {
            follow(&mut pool, &mut index, &Step::large_beat(round));
            round += 1;
        }
        for ask in &asks {
            ask_again(&index, ask);
        }
    }
    // The pool outgrows the sets that are kept.
    for number in 700..1_500 {
        follow(&mut pool, &mut index, &Step::large(number));
        if number % 100 == 0 {
            asks.iter().for_each(|ask| ask_again(&index, ask));
        }
    }
    // All fall silent, by time alone.
    pool.now = Micros(pool.now.0 + 3_600_000_000);
    index.advance(pool.now);
    for ask in &asks {
        ask_again(&index, ask);
        assert_eq!(index.find(ask, Counting::First).eligible, Some(0));
    }
}

#[test]
fn more_questions_than_are_kept_are_answered_all_the_same() {
    let (mut pool, mut index) = large_pool(200);
    let asks: Vec<Ask> = (0..200)
        .map(|price| Ask {
            max_price_micro: Some(price * 10_000),
            top_k: 3,
            ..Ask::default()
        })
        .collect();
    for round in 0..10u32 {
        // Those that are asked change, so that the first ones make room in the end.
        let asked = &asks[(round as usize / 5 * 100)..][..100];
        for ask in asked.iter().chain(asked) {
            ask_again(&index, ask);
        }
        follow(&mut pool, &mut index, &Step::large_beat(round));
    }
}

#[test]
fn many_can_ask_the_same_at_once() {
    let (mut pool, mut index) = large_pool(300);
    let asks = pool::large_asks();
    for round in 0..30u32 {
        follow(&mut pool, &mut index, &Step::large_beat(round));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| asks.iter().for_each(|ask| ask_again(&index, ask)));
            }
        });
    }
}

/// So many parts that what a worker offers is read instead of their sets.
#[test]
fn a_region_of_many_parts_is_asked_for() {
    let (mut pool, mut index) = large_pool(40);
    for number in 0..40 {
        follow(
            &mut pool,
            &mut index,
            &Step::of_region(&format!("eu-{number}")),
        );
    }
    for region in ["eu", "eu-1", "us"] {
        let ask = Ask {
            region: Some(label(region)),
            top_k: 3,
            ..Ask::default()
        };
        compare(&mut index, &pool, &ask);
    }
}
