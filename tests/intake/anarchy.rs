//! Small random pools full of collisions: equal seconds, shared requests and connections, copies
//! in other files, files overwritten, resets everywhere. In any order and with any repetition they
//! add up to what the rules told a second time say, and every law of the ledger holds on the way.

use std::collections::HashMap;

use purser::intake::read_file;
use purser_events::{Amount, BasisPoints, Position, Recorded, Wei};
use purser_projections::Projections;
use purser_projections::recall::{RecallKey, Record, records_of};

use crate::ledger::Ledger;
use crate::oracle::{sums, told};
use crate::random::Random;
use crate::script::{SCRIPTED, file};

/// Pools that are tried. Each is small; the collisions are what counts.
const POOLS: u64 = 400;

/// A random element without its id.
fn body(random: &mut Random, node_type: &str) -> String {
    let second = 1 + random.below(3);
    let worker = ["A", "B", "C", "nobody"][random.below(4)];
    let request = ["r", "s"][random.below(2)];
    let connection = ["x", "y"][random.below(2)];
    let fee = ["100", "333", "7", "0", "-5", "null", "9223372036854775807"][random.below(7)];
    match random.below(12) {
        0..=2 if node_type == "ai" => format!("{second} received {request} {worker}"),
        0..=2 => format!("{second} transcoded {worker} {fee}"),
        3..=5 if node_type == "ai" => format!("{second} processed {request} {fee}"),
        3..=5 => format!("{second} transcoded {worker} {fee}"),
        6 => format!("{second} disconnect {worker} {connection}"),
        7 | 8 => format!("{second} reset"),
        9 if random.below(2) == 0 => format!("{second} gateway-reset"),
        9 => format!("{second} ticket 9"),
        _ => format!("{second} connect {worker} {connection}"),
    }
}

/// The files of a random pool, as scripts.
fn pool(random: &mut Random) -> Vec<String> {
    let mut known: Vec<(&str, String)> = Vec::new();
    let files = 2 + random.below(7);
    (0..files)
        .map(|_| {
            let node_type = ["ai", "ai", "transcode"][random.below(3)];
            let elements: Vec<String> = (0..random.below(6))
                .map(|_| {
                    let copies: Vec<String> = known
                        .iter()
                        .filter(|(of, _)| *of == node_type)
                        .map(|(_, element)| element.clone())
                        .collect();
                    if !copies.is_empty() && random.below(3) == 0 {
                        return copies[random.below(copies.len())].clone();
                    }
                    let element = format!("e{} {}", known.len(), body(random, node_type));
                    known.push((node_type, element.clone()));
                    element
                })
                .collect();
            format!("{node_type} {}: {}", random.below(4), elements.join(";"))
        })
        .collect()
}

fn taken(scripts: &[String]) -> Ledger {
    let mut ledger = Ledger::with(SCRIPTED, 2_900);
    for script in scripts {
        let (key, bytes) = file(script);
        ledger.deliver(&key, &bytes);
    }
    ledger
}

#[test]
fn any_order_and_any_repetition_add_up_to_what_the_rules_say() {
    let rate = BasisPoints::new(2_900).expect("a rate");
    for seed in 0..POOLS {
        let mut random = Random::new(seed);
        let mut scripts = pool(&mut random);
        let files: Vec<_> = scripts
            .iter()
            .map(|script| file(script))
            .map(|(key, bytes)| read_file(&key, None, &bytes).expect("the key is a label"))
            .collect();
        let mut expected = sums(&files, rate);
        for (node_type, region) in SCRIPTED {
            expected
                .entry(format!("{}|{region}", node_type.as_str()))
                .or_default();
        }
        let first = taken(&scripts);
        for _ in 0..4 {
            let ledger = taken(&scripts);
            assert_eq!(
                told(&ledger.report()),
                expected,
                "pool {seed}: {scripts:#?}"
            );
            assert_eq!(ledger.digest(), first.digest(), "pool {seed}: {scripts:#?}");
            ledger.assert_replays();
            let again = scripts[random.below(scripts.len())].clone();
            scripts.push(again);
            random.shuffle(&mut scripts);
        }
    }
}

#[test]
fn money_is_conserved_after_every_event() {
    for seed in 0..POOLS / 4 {
        let mut random = Random::new(seed);
        let mut scripts = pool(&mut random);
        random.shuffle(&mut scripts);
        let ledger = taken(&scripts);
        let mut folds = Projections::default();
        ledger.each(|fact| {
            folds.apply(fact);
            assert_balanced(&folds, seed);
        });
    }
}

/// Debits equal credits over all accounts, and accounts agree with the fees.
fn assert_balanced(folds: &Projections, seed: u64) {
    let rows = folds.accounts.trial_balance(&folds.names);
    let debits = rows
        .iter()
        .fold(Amount::ZERO, |sum, row| sum.plus(row.turnover.debits));
    let credits = rows
        .iter()
        .fold(Amount::ZERO, |sum, row| sum.plus(row.turnover.credits));
    assert_eq!(debits, credits, "pool {seed}");
    let of = |prefix: &str| {
        let rows = rows.iter().filter(|row| row.name.starts_with(prefix));
        rows.fold(Wei::ZERO, |sum, row| {
            sum.plus(Wei(row.turnover.balance(row.side).above_zero().0))
        })
    };
    let partitions = || folds.fees.partitions().map(|(_, fees)| fees);
    let earned = || partitions().flat_map(|fees| fees.workers().map(|(_, row)| row));
    let net = earned().fold(Wei::ZERO, |sum, row| sum.plus(row.net()));
    let commission = earned().fold(Wei::ZERO, |sum, row| sum.plus(row.commission));
    let suspense = partitions().fold(Wei::ZERO, |sum, fees| sum.plus(fees.suspense_total()));
    assert_eq!(of("worker:"), net, "pool {seed}");
    assert_eq!(of("pool:commission"), commission, "pool {seed}");
    assert_eq!(of("suspense:"), suspense, "pool {seed}");
}

type Parts = HashMap<RecallKey, Vec<Record>>;

fn parts(ledger: &Ledger) -> Parts {
    let mut parts = Parts::new();
    ledger.each(|fact: Recorded<'_>| {
        assert!(fact.position > Position::ORIGIN);
        records_of(fact, |key, record| {
            parts.entry(key).or_default().push(record);
        });
    });
    parts
}

/// Merges in the given order, from the left.
fn merged(parts: &[Record]) -> Record {
    let mut whole = parts[0].clone();
    for part in &parts[1..] {
        whole.merge(part);
    }
    whole
}

#[test]
fn records_merge_in_any_order_any_grouping_and_any_number_of_times() {
    let mut groups = 0;
    for seed in 0..POOLS / 4 {
        let mut random = Random::new(seed);
        let mut scripts = pool(&mut random);
        random.shuffle(&mut scripts);
        for mut parts in parts(&taken(&scripts)).into_values() {
            let whole = merged(&parts);
            for _ in 0..4 {
                let again = parts[random.below(parts.len())].clone();
                parts.push(again);
                random.shuffle(&mut parts);
                assert_eq!(merged(&parts), whole, "pool {seed}");
                let cut = 1 + random.below(parts.len() - 1);
                let (mut left, right) = (merged(&parts[..cut]), merged(&parts[cut..]));
                left.merge(&right);
                assert_eq!(left, whole, "pool {seed}");
                groups += 1;
            }
        }
    }
    assert!(groups > 1_000, "the law was tried");
}
