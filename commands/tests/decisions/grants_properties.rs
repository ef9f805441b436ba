//! What holds for grants, whatever is asked, in any order and as often as one likes. Most
//! invariants are looked at after every command that is played; here are those over events.

use std::collections::BTreeMap;

use purser_events::grant::GrantSettled;
use purser_events::{Amount, Event, GrantNo, Recorded};
use purser_projections::Projections;
use purser_projections::grants::sum_of;

use crate::script::World;

/// A stream of numbers that is the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

/// A command with few names, so that commands meet.
fn line(numbers: &mut Numbers) -> String {
    let request = format!("r{}", numbers.below(60));
    let who = numbers.of(&["ann", "bob", "cat", "dan", "-"]);
    let amount = numbers.of(&["0", "1", "19", "50", "70", "120", "300"]);
    let (id, small) = (numbers.below(400), numbers.below(150));
    match numbers.below(22) {
        0..=2 => format!("decide {request} {who} {amount}"),
        3 => format!("decide {request} {who} {amount} prepaid"),
        4..=6 => format!("receive {request} {amount} id=p{id}"),
        7..=9 => format!("done {request} {small}"),
        10 => format!("done {request} {small} worker=w"),
        11 => format!("release {request}"),
        12 => format!("release {request} fault=yes"),
        13 => format!("expire {}", numbers.below(500)),
        14 => format!("refund {request} {small} id=x{}", numbers.below(5)),
        15 => format!(
            "tier {who} {}",
            numbers.of(&["new", "established", "trusted", "earned"])
        ),
        16 => numbers
            .of(&[
                "order acme house",
                "order house acme",
                "policy grant_budget_trusted 90",
                "policy grant_credit 2000",
                "policy grant_hold_ttl 5000",
                "policy commission 500",
            ])
            .to_owned(),
        17 => format!("open cat/j{small} price=1 worker=w request={request}"),
        18 | 19 => {
            let job = numbers.below(150);
            format!("debit cat/j{job} {small} amount={amount}")
        }
        20 => format!("close cat/j{}", numbers.below(150)),
        _ => format!(
            "wait {}",
            numbers.of(&["1", "900001", "3600001", "86400000"])
        ),
    }
}

/// I6, I7, I8: what was held is absorbed or returned, what was paid is charged or goes back, and
/// every unit of the cost has one bearer.
fn assert_borne(settled: &GrantSettled, held: Amount, paid: Amount) {
    let absorbed = settled.shares.iter().map(|share| share.absorbed);
    let absorbed = absorbed.fold(Amount::ZERO, Amount::plus);
    let returned = settled.shares.iter().map(|share| share.returned);
    let returned = returned.fold(Amount::ZERO, Amount::plus);
    assert_eq!(held, absorbed.plus(returned), "{settled:?}");
    assert_eq!(paid, settled.charged.plus(settled.refunded), "{settled:?}");
    let borne = absorbed.plus(settled.charged).plus(settled.overrun);
    assert_eq!(settled.actual, borne, "{settled:?}");
}

/// Looks at all events of a history, against nothing but themselves.
fn audit(world: &World) {
    let mut running: BTreeMap<GrantNo, (Amount, Amount)> = BTreeMap::new();
    let mut granted = Amount::ZERO;
    for (_, event) in &world.history {
        match event {
            Event::GrantDecided(one) => {
                let paid = one.payer.map_or(Amount::ZERO, |_| one.charge);
                running.insert(one.grant, (sum_of(&one.holds), paid));
            }
            Event::GrantConfirmed(one) => {
                running.insert(one.grant, (sum_of(&one.holds), one.paid));
            }
            Event::GrantSettled(one) => {
                let (held, paid) = running[&one.grant];
                assert_borne(one, held, paid);
                let absorbed = one.shares.iter().map(|share| share.absorbed);
                granted = absorbed.fold(granted, Amount::plus);
            }
            _ => {}
        }
    }
    let pools = world.books.projections.grants.pools().iter();
    let said = pools.map(|pool| pool.granted);
    assert_eq!(granted, said.fold(Amount::ZERO, Amount::plus), "I4");
}

fn replay(world: &World) -> Projections {
    let mut folds = Projections::default();
    for (recorded_at, event) in &world.history {
        folds.apply(Recorded {
            position: folds.position.next(),
            recorded_at: *recorded_at,
            event,
        });
    }
    folds
}

const BEGUN: &str = "asset ETH 18; pool house 700; pool acme 90; tier ann elite; tier bob trusted; \
     tier cat established; deposit cat 500 id=d0; deposit dan 500 id=d1; register w key=k";

#[test]
fn every_unit_has_one_bearer_in_any_order() {
    let (mut granted, mut refused) = (0, 0);
    for seed in 1..60_u64 {
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut world = crate::grants::played(BEGUN);
        for _ in 0..300 {
            let line = line(&mut numbers);
            let before = world.books.projections.clone();
            match world.play(&line) {
                Ok(done) if !done.events.is_empty() => granted += 1,
                Ok(_) => assert_eq!(before, world.books.projections, "seed {seed}: {line}"),
                Err(_) => {
                    refused += 1;
                    assert_eq!(before, world.books.projections, "seed {seed}: {line}");
                }
            }
        }
        audit(&world);
        assert_eq!(replay(&world), world.books.projections, "seed {seed}");
    }
    assert!(
        granted > 3_000 && refused > 1_000,
        "{granted} granted, {refused} refused"
    );
}

/// I12: N decisions of x units against B: as many are free as B covers, and the rest of B is left,
/// quoted to the next.
#[test]
fn as_many_are_free_as_the_pool_covers() {
    let mut numbers = Numbers(12);
    for _ in 0..60 {
        let (balance, est) = (numbers.below(900), 1 + numbers.below(60));
        let asked = numbers.below(80);
        let begun = format!("asset ETH 18; pool house {balance}");
        let mut world = crate::grants::played(&begun);
        let mut free = 0;
        for at in 0..asked {
            let tier = format!("tier u{at} elite");
            world.play(&tier).expect("a tier is set");
            let line = format!("decide r{at} u{at} {est}");
            let done = world.play(&line).expect("it is decided");
            free += u64::from(crate::script::show(Ok(&done)).starts_with("free"));
        }
        let covered = asked.min(balance / est);
        assert_eq!(free, covered, "{asked} of {est} against {balance}");
        let folds = &world.books.projections;
        let left = folds.grants.available(&folds.accounts);
        assert_eq!(left, Amount(u128::from(balance - covered * est)));
    }
}
