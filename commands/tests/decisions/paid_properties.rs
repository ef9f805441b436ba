//! Money is conserved, whatever is asked, in any order and as often as one likes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use purser_events::payer::FundsDeposited;
use purser_events::{Amount, AssetNo, Balance, Event, EventKind, Label, PayerNo, RailNo, WinnerNo};
use purser_projections::accounts::{Account, Ledger};

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

/// The id of a job: of one that is open, or of one that closed, is open, or is still to come.
fn job(numbers: &mut Numbers, world: &World, payer: &str) -> String {
    let folds = &world.books.projections;
    let number = folds.names.payer(&Label::new(payer).expect("a label"));
    let which = numbers.below(8) as usize;
    let open = number.and_then(|number| folds.jobs.of(number).nth(which));
    match open.filter(|_| numbers.below(2) == 0) {
        Some(open) => open.id.to_string(),
        None => {
            let next = folds.jobs.opened() / 3;
            (next.saturating_sub(10) + numbers.below(20)).to_string()
        }
    }
}

/// A batch of tickets under one of the sets that were quoted of late: what a set is, and which job
/// it is for, follows from its number. Now and then it is for another job, or a ticket is bad.
fn tickets(numbers: &mut Numbers, world: &World) -> String {
    let block = world.books.projections.tickets.chain.last_block();
    let (quoted, which) = (block.saturating_sub(6) + numbers.below(8), numbers.below(6));
    let (set, expires) = (quoted * 6 + which, quoted + 4);
    let payer = ["p", "q", "r"][which as usize % 3];
    let job = match numbers.below(10) {
        0 => job(numbers, world, payer),
        _ => (quoted / 16 * 40 + set % 40).to_string(),
    };
    let face = ["1", "7", "100", "12345", "max"][which as usize % 5];
    let prob = ["all", "third"][which as usize % 2];
    let (first, count) = (numbers.below(12), numbers.below(5));
    let (bad, won) = (numbers.below(40), numbers.below(40));
    let rule = numbers.of(&["each", "each", "sticky"]);
    format!(
        "tickets {payer}/{job} {first}-{} set={set} expires={expires} face={face} prob={prob} \
         bad={bad} won={won} rule={rule}",
        first + count
    )
}

/// What becomes of the winner that waits longest.
fn winner(numbers: &mut Numbers, world: &World) -> String {
    let winners = &world.books.projections.tickets.winners;
    let first = winners.after(WinnerNo(0)).next();
    let number = first.map_or(1, |(number, _)| number.0);
    let end = numbers.of(&["submitted", "redeemed", "redeemed", "reverted"]);
    format!("winner {number} {end}")
}

/// A command with few names, so that commands meet.
fn line(numbers: &mut Numbers, world: &World) -> String {
    let payer = numbers.of(&["p", "q", "r"]);
    let job = format!("{payer}/{}", job(numbers, world, payer));
    let amount = numbers.of(&["0", "1", "7", "100", "12345", "max"]);
    let (id, small) = (numbers.below(30_000), numbers.below(50));
    let worker = numbers.of(&[
        "",
        " worker=0x1111111111111111111111111111111111111111",
        " worker=0x2222222222222222222222222222222222222222",
    ]);
    let asset = numbers.of(&["ETH", "ETH", "BTC"]);
    match numbers.below(22) {
        0 | 1 => {
            let price = numbers.of(&["", " price=0", " price=7", " price=1/3", " price=22/7"]);
            format!("open {job} asset={asset}{price} timeout=30")
        }
        2 | 3 => format!("credit {job} {amount} id=c{id}"),
        4 => format!("deposit {payer} {amount} id=d{id} asset={asset}"),
        5 => format!("transfer {job} {small} id=t{id}"),
        6 => format!("transfer {job} {small}"),
        7 => format!("settle {payer} asset={asset}"),
        8 => format!("admit {job} {small}"),
        9..=11 => format!("debit {job} {} units={small}{worker}", numbers.below(200)),
        12 => format!("debit {job} {} amount={amount}{worker}", numbers.below(200)),
        13 => {
            // Half of the time one that is open, so that many never are at once.
            let folds = &world.books.projections;
            let number = PayerNo(numbers.below(3) as u32);
            let open = folds.jobs.of(number).next();
            match open.filter(|_| numbers.below(2) == 0) {
                Some(open) => format!("close {}/{}", folds.names.payers()[number.index()], open.id),
                None => format!("close {job}"),
            }
        }
        14..=17 => tickets(numbers, world),
        18 => {
            let block = world.books.projections.tickets.chain.last_block();
            format!("chain {}", block + numbers.below(2))
        }
        19 => winner(numbers, world),
        20 => format!("policy commission {}", numbers.below(10_001)),
        _ => format!("choose {payer} {}", numbers.of(&["yes", "no"])),
    }
}

fn world() -> World {
    let mut world = World::default();
    for line in [
        "asset ETH 18",
        "asset BTC 8",
        "policy debt 1000",
        "policy open_jobs 9",
    ] {
        world.play(line).expect("it is granted");
    }
    world
}

/// Debits equal credits, every account is the sum of its postings, and what came in is what was
/// earned, what is left and what is owed.
fn assert_conserved(ledger: &Ledger, line: &str) {
    let posted = ledger.posted();
    assert_eq!(posted.debits, posted.credits, "{line}");
    assert_eq!(ledger.sum(), posted, "{line}");
    let (mut assets, mut claims) = (Balance::default(), Balance::default());
    for (account, turnover) in ledger.accounts() {
        let stands = turnover.balance(account.normal_side());
        assert!(!stands.below_zero || account.may_overdraw(), "{line}");
        let side = match account {
            Account::Rail(_) | Account::Debt(_) | Account::Winners | Account::Tickets => {
                &mut assets
            }
            _ => &mut claims,
        };
        *side = side.plus(stands.above_zero()).minus(stands.missing());
    }
    assert_eq!(assets, claims, "{line}");
}

#[test]
fn money_is_conserved_after_each_of_100_000_commands_of_any_kind() {
    let (mut numbers, mut world) = (Numbers(0x9e37_79b9_7f4a_7c15), world());
    let (mut granted, mut lines) = (0, Vec::<String>::new());
    let mut kinds = BTreeMap::new();
    for step in 0..100_000_u64 {
        // One in four was sent before.
        let known = step % 4 == 3;
        let line = match known {
            true => lines[numbers.below(lines.len() as u64) as usize].clone(),
            false => line(&mut numbers, &world),
        };
        let mut moved = false;
        if let Ok(one) = world.play(&line) {
            moved = !one.events.is_empty();
            granted += u32::from(moved);
            for event in &one.events {
                *kinds.entry(event.kind()).or_insert(0) += 1;
            }
        }
        if !moved {
            lines.push(line);
            continue;
        }
        for (_, ledger) in world.books.projections.accounts.ledgers() {
            assert_conserved(ledger, &line);
        }
        lines.push(line);
    }
    assert!(granted > 10_000, "{granted} commands led to something");
    let folds = &world.books.projections;
    assert!(folds.jobs.opened() > 100);
    let seen = |kind| kinds.get(&kind).copied().unwrap_or(0);
    for (kind, least) in [
        (EventKind::TicketsTaken, 1_000),
        (EventKind::TicketSetOpened, 500),
        (EventKind::TicketWon, 50),
        (EventKind::WinnerReported, 50),
        (EventKind::JobClosed, 100),
        (EventKind::JobDebited, 2_000),
    ] {
        assert!(seen(kind) > least, "{} of {kind:?}", seen(kind));
    }
}

/// What stands on every account at the end.
fn balances(world: &World) -> Vec<(String, String)> {
    let folds = &world.books.projections;
    let mut rows = Vec::new();
    for (asset, ledger) in folds.accounts.ledgers() {
        for (account, turnover) in ledger.accounts() {
            let name = format!("{asset} {}", account.name(&folds.names));
            let stands = turnover.balance(account.normal_side());
            rows.push((name, stands.to_string()));
        }
    }
    rows.sort();
    rows
}

proptest! {
    #[test]
    fn payments_and_debits_in_any_order_and_any_number_end_in_the_same_balances(
        order in prop::collection::vec(0usize..18, 18..80),
    ) {
        let lines: Vec<String> = (0..6)
            .map(|at| format!("credit p/{} {} id=c{at}", at % 3, 10 + at))
            .chain((0..6).map(|at| format!("debit p/{} {at} units={}", at % 3, 1 + at)))
            .chain((0..6).map(|at| {
                let (job, first) = (at % 3, 1 + at * 5);
                let tickets = format!("{first}-{} won={first}", first + at);
                format!("tickets p/{job} {tickets} set={job} prob=third")
            }))
            .collect();
        let play = |order: &mut dyn Iterator<Item = usize>| {
            let mut world = world();
            // Named in one order, whatever comes first.
            for line in ["deposit p 1 id=first", "many 3 open p/{} price=1/3"] {
                world.play(line).expect("it is granted");
            }
            for at in order {
                world.play(&lines[at]).expect("payments and debits are granted");
            }
            balances(&world)
        };
        let straight = play(&mut (0..18));
        let mixed = play(&mut order.iter().copied().chain(0..18));
        prop_assert_eq!(straight, mixed);
    }

    #[test]
    fn refused_and_repeated_commands_leave_no_trace(seed in any::<u64>(), count in 1usize..120) {
        let (mut numbers, mut world) = (Numbers(seed | 1), world());
        for _ in 0..count {
            let line = line(&mut numbers, &world);
            let before = world.books.clone();
            let first = world.play(&line);
            if first.is_err() {
                prop_assert_eq!(&before.projections, &world.books.projections, "{}", line);
                prop_assert_eq!(before.recalled.recent_len(), world.books.recalled.recent_len());
            }
            // A transfer without an id may be made as often as the funds allow.
            let is_free = line.starts_with("transfer") && !line.contains("id=");
            if first.is_ok() && !is_free {
                let again = world.play(&line);
                prop_assert!(again.is_ok_and(|one| one.events.is_empty()), "{}", line);
            }
        }
    }
}

/// The size of the folds as they are frozen.
fn frozen_bytes(world: &World) -> usize {
    purser_events::codec::to_bytes(&world.books.projections).len()
}

#[test]
fn closed_jobs_leave_memory() {
    let mut world = world();
    let live = |world: &mut World, from: u64, to: u64| {
        for number in from..to {
            for line in [
                format!("open p/j{number} price=1"),
                format!("credit p/j{number} 5 id=c{number}"),
                format!("debit p/j{number} 1 units=3"),
                format!("close p/j{number}"),
            ] {
                world.play(&line).expect("it is granted");
            }
        }
        world.history.clear();
    };
    live(&mut world, 0, 1_000);
    let early = frozen_bytes(&world);
    live(&mut world, 1_000, 21_000);
    assert!(world.books.projections.jobs.is_empty());
    assert_eq!(world.books.projections.jobs.opened(), 21_000);
    // Sums grow by digits, nothing grows by jobs.
    let grown = frozen_bytes(&world) - early;
    assert!(grown < 64, "20,000 further jobs left {grown} bytes behind");
}

#[test]
fn an_asset_whose_books_are_full_takes_no_more() {
    let mut world = world();
    for line in ["open p/j", "deposit p 1 id=first"] {
        world.play(line).expect("it is granted");
    }
    // It takes 2^24 of the greatest amounts to get there by commands.
    let event = Event::FundsDeposited(Box::new(FundsDeposited {
        payer: PayerNo(0),
        asset: AssetNo::ETH,
        amount: Amount(1 << 120),
        settled: Amount::ZERO,
        rail: RailNo(0),
        payment: Label::new("full").expect("a label"),
        funds: Amount((1 << 120) + 1),
    }));
    world.happen(event);
    for line in ["deposit p 1 id=next", "transfer p/j 1", "credit p/j 1 id=c"] {
        let refused = world.play(line).expect_err("the books are full");
        assert_eq!(refused.code(), "amount_too_large", "{line}");
    }
    let other = world.play("deposit p 1 id=other asset=BTC");
    assert!(other.is_ok(), "another asset has room");
}
