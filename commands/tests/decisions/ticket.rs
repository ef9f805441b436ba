//! Tickets, winners, and what is told of the chain.

use crate::script::{Row, World, check, row};

/// Per command: the rejections in the order of the checks, then what is granted.
pub(crate) const ROWS: &[Row] = &[
    row(
        "a block that can be none is refused",
        "",
        "chain 101000001",
        "block_too_far",
    ),
    row(
        "where the chain stands is told once",
        "chain 100 gas=3",
        "chain 100 gas=3",
        "unchanged:",
    ),
    row(
        "a newer block alone says little",
        "chain 100 gas=3",
        "chain 101 gas=3",
        "done: block_observed",
    ),
    row(
        "another price of gas says all again",
        "chain 100 gas=3",
        "chain 99 gas=4",
        "done: chain_observed",
    ),
    row(
        "a sender's funds name it as a payer",
        "",
        "sender p reserve=5",
        "done: payer_named sender_observed",
    ),
    row(
        "the same funds again change nothing",
        "sender p reserve=5",
        "sender p reserve=5",
        "unchanged:",
    ),
    row(
        "a secret is told by its number",
        "secret 1",
        "secret 2",
        "done: ticket_secret_added",
    ),
    row(
        "an earlier secret is known",
        "secret 2",
        "secret 1",
        "unchanged:",
    ),
    row(
        "tickets whose block can be none are refused",
        "asset ETH 18",
        "tickets p/j 1 block=101000001",
        "block_too_far",
    ),
    row(
        "tickets open the job that they pay for",
        "asset ETH 18",
        "tickets p/j 1-3",
        "credited 30 settled 0 to 30 won 0 [1-3 credited]: \
         payer_named job_opened ticket_set_opened tickets_taken",
    ),
    row(
        "further tickets of a set need no more than themselves",
        "asset ETH 18; tickets p/j 1-3",
        "tickets p/j 4-5 block=120",
        "credited 20 settled 0 to 50 won 0 [4-5 credited]: block_observed tickets_taken",
    ),
    row(
        "a job that was opened before keeps its terms",
        "asset ETH 18; open p/j price=7",
        "tickets p/j 600,1,42",
        "credited 30 settled 0 to 30 won 0 [600 credited, 1 credited, 42 credited]: \
         ticket_set_opened tickets_taken",
    ),
    row(
        "a batch that comes again is answered from the log",
        "asset ETH 18; tickets p/j 1-3",
        "tickets p/j 1-3",
        "before:",
    ),
    row(
        "a part of a batch that comes again counts for nothing",
        "asset ETH 18; tickets p/j 1-3",
        "tickets p/j 2-3",
        "refused [2-3 replayed_nonce]:",
    ),
    row(
        "good tickets beside bad ones count",
        "asset ETH 18",
        "tickets p/j 1-3 bad=2",
        "credited 20 settled 0 to 20 won 0 [1 credited, 2 bad_signature, 3 credited]: \
         payer_named job_opened ticket_set_opened tickets_taken",
    ),
    row(
        "a bad ticket does not use its number up",
        "asset ETH 18; tickets p/j 1-3 bad=2",
        "tickets p/j 2",
        "credited 10 settled 0 to 30 won 0 [2 credited]: tickets_taken",
    ),
    row(
        "the reference rule ends a batch at its first bad ticket",
        "asset ETH 18; tickets p/j 1",
        "tickets p/j 2,1,3 rule=sticky",
        "credited 10 settled 0 to 20 won 0 [2 credited, 1 replayed_nonce, 3 after_failure]: \
         tickets_taken",
    ),
    row(
        "and uses up the numbers behind it",
        "asset ETH 18; tickets p/j 1; tickets p/j 2,1,3 rule=sticky",
        "tickets p/j 3",
        "refused [3 replayed_nonce]:",
    ),
    row(
        "one number twice in a batch counts once",
        "asset ETH 18",
        "tickets p/j 5,5",
        "credited 10 settled 0 to 10 won 0 [5 credited, 5 replayed_nonce]: \
         payer_named job_opened ticket_set_opened tickets_taken",
    ),
    row(
        "a set takes 600 tickets",
        "asset ETH 18; tickets p/j 1-599",
        "tickets p/j 700,701",
        "credited 10 settled 0 to 6000 won 0 [700 credited, 701 nonce_limit]: tickets_taken",
    ),
    row(
        "a winner counts like any other, and waits to be redeemed",
        "asset ETH 18",
        "tickets p/j 1-2 won=2",
        "credited 20 settled 0 to 20 won 1 [1 credited, 2 credited_won]: \
         payer_named job_opened ticket_set_opened tickets_taken ticket_won",
    ),
    row(
        "what a payer owes is settled first",
        "asset ETH 18; open p/i price=10; debit p/i 1 units=2; close p/i; policy debt 20",
        "tickets p/j 1-3",
        "credited 30 settled 20 to 10 won 0 [1-3 credited]: \
         job_opened ticket_set_opened tickets_taken",
    ),
    row(
        "a payer that owes too much opens no job by tickets",
        "asset ETH 18; open p/i price=10; debit p/i 1 units=2; close p/i",
        "tickets p/j 1-3",
        "debt",
    ),
    row(
        "a closed job takes no tickets",
        "asset ETH 18; open p/j; close p/j",
        "tickets p/j 1",
        "job_closed",
    ),
    row(
        "a job in another asset takes no tickets",
        "asset ETH 18; asset BTC 8; open p/j asset=BTC",
        "tickets p/j 1",
        "job_differs",
    ),
    row(
        "nothing is credited beyond the range of amounts",
        "asset ETH 18",
        "tickets p/j 1-2 face=max",
        "amount_too_large",
    ),
    row(
        "a sender that takes its funds back in the next round is refused",
        "asset ETH 18; chain 100 round=7; sender p unlock=8",
        "tickets p/j 1",
        "refused [1 sender_unlocking]:",
    ),
    row(
        "tickets for somebody else are refused",
        "asset ETH 18",
        "tickets p/j 1 recipient=foreign",
        "refused [1 wrong_recipient]:",
    ),
    row(
        "tickets from nobody are refused",
        "asset ETH 18",
        "tickets p/j 1 sender=zero",
        "refused [1 wrong_sender]:",
    ),
    row(
        "parameters of nobody here are refused",
        "asset ETH 18",
        "tickets p/j 1 origin=unknown",
        "refused [1 not_issued]:",
    ),
    row(
        "altered parameters are refused",
        "asset ETH 18",
        "tickets p/j 1-2 origin=altered",
        "refused [1-2 bad_commitment]:",
    ),
    row(
        "parameters that were quoted for another job are refused",
        "asset ETH 18",
        "tickets p/j 1 quoted=other",
        "refused [1 wrong_job]:",
    ),
    row(
        "parameters belong to the first job that they pay for",
        "asset ETH 18; tickets p/j 1",
        "tickets p/k 2",
        "refused [2 wrong_job]:",
    ),
    row(
        "a number that another job was refused stays unused",
        "asset ETH 18; tickets p/j 1; tickets p/k 2",
        "tickets p/j 2",
        "credited 10 settled 0 to 20 won 0 [2 credited]: tickets_taken",
    ),
    row(
        "parameters end with their last block, as it was told",
        "asset ETH 18; chain 140",
        "tickets p/j 1",
        "refused [1 params_expired]:",
    ),
    row(
        "and as the payment itself tells it",
        "asset ETH 18; chain 100",
        "tickets p/j 1 block=140",
        "refused [1 params_expired]:",
    ),
    row(
        "tickets are good up to the block before",
        "asset ETH 18; chain 139",
        "tickets p/j 1",
        "credited 10 settled 0 to 10 won 0 [1 credited]: \
         payer_named job_opened ticket_set_opened tickets_taken",
    ),
    row(
        "a set that expired takes nothing, though it is forgotten",
        "asset ETH 18; tickets p/j 1; chain 140",
        "tickets p/j 1,2",
        "refused [1-2 params_expired]:",
    ),
    row(
        "a recipient that cannot redeem takes no tickets",
        "asset ETH 18; chain 100 active=no",
        "tickets p/j 1",
        "refused [1 recipient_inactive]:",
    ),
    row(
        "a winner must pay more than its redemption",
        "asset ETH 18; chain 100 gas=1",
        "tickets p/j 1 face=10",
        "refused [1 uneconomic_face_value]:",
    ),
    row(
        "tickets of no value count for nothing",
        "asset ETH 18",
        "tickets p/j 1 face=0",
        "refused [1 uneconomic_face_value]:",
    ),
    row(
        "a payer has so many live sets and no more",
        "asset ETH 18; many 16384 tickets p/j 1 set={} face=1",
        "tickets p/j 1 set=20000 face=1",
        "too_many_ticket_sets",
    ),
    row(
        "a set that is live takes tickets even then",
        "asset ETH 18; many 16384 tickets p/j 1 set={} face=1",
        "tickets p/j 2 set=7 face=1",
        "credited 1 settled 0 to 16385 won 0 [2 credited]: tickets_taken",
    ),
    row(
        "a winner that nobody knows is refused",
        "",
        "winner 3 redeemed",
        "unknown_winner",
    ),
    row(
        "a redeemed winner does not fail afterwards",
        "asset ETH 18; tickets p/j 1 won=1; winner 6 redeemed",
        "winner 6 failed",
        "winner_settled",
    ),
    row(
        "a redemption is told once",
        "asset ETH 18; tickets p/j 1 won=1; winner 6 redeemed",
        "winner 6 redeemed",
        "unchanged:",
    ),
    row(
        "a transaction on its way is told once",
        "asset ETH 18; tickets p/j 1 won=1; winner 6 submitted",
        "winner 6 submitted",
        "unchanged:",
    ),
    row(
        "another transaction may take its place",
        "asset ETH 18; tickets p/j 1 won=1; winner 6 submitted",
        "winner 6 submitted tx=2",
        "done: winner_reported",
    ),
];

#[test]
fn every_row_comes_out_as_it_says() {
    ROWS.iter().for_each(check);
}

fn balance(world: &World, name: &str) -> String {
    let folds = &world.books.projections;
    let rows = folds.accounts.trial_balance(&folds.names);
    let found = rows.iter().find(|row| row.name == name);
    found.map_or_else(String::new, |row| {
        row.turnover.balance(row.side).to_string()
    })
}

fn played(lines: &str) -> World {
    let mut world = World::default();
    for line in lines.split(';') {
        world.play(line.trim()).expect("it is granted");
    }
    world
}

#[test]
fn luck_is_what_winners_pay_less_what_tickets_were_worth() {
    let paid = "asset ETH 18; tickets p/j 1-30 prob=third face=12 won=7";
    let world = played(paid);
    assert_eq!(balance(&world, "luck"), "-108");
    assert_eq!(balance(&world, "external:winners"), "12");
    let redeemed = played(&format!("{paid}; winner 6 submitted; winner 6 redeemed"));
    assert_eq!(balance(&redeemed, "luck"), "-108");
    assert_eq!(balance(&redeemed, "external:winners"), "0");
    assert_eq!(balance(&redeemed, "external:tickets"), "12");
    let failed = played(&format!("{paid}; winner 6 reverted"));
    assert_eq!(balance(&failed, "luck"), "-120");
    assert_eq!(balance(&failed, "external:winners"), "0");
}

#[test]
fn fractions_of_a_wei_are_kept_until_they_are_whole() {
    let mut world = played("asset ETH 18");
    let mut credited = Vec::new();
    // Each is worth a third of a wei, under one set of parameters and then another.
    for line in [
        "tickets p/j 1 prob=third face=1",
        "tickets p/j 2 prob=third face=1",
        "tickets p/j 1 set=2 prob=third face=1",
        "tickets p/j 2-6 set=2 prob=third face=1",
    ] {
        let granted = world.play(line).expect("it is granted");
        credited.push(match granted.answer {
            purser_commands::Answer::Tickets(answer) => answer.credited.0,
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(credited, [0, 0, 1, 1]);
    world
        .play("tickets p/j 7 set=2 prob=third face=1")
        .expect("granted");
    assert_eq!(balance(&world, "job:*"), "3");
}

#[test]
fn memory_is_that_of_live_sets_and_not_of_history() {
    let mut world = played("asset ETH 18");
    for at in 0..1_800_u64 {
        let (block, expires) = (100 + at, 100 + at + 40);
        let set = at % 200;
        let line = format!(
            "tickets p/j{} 1-70 set={set} block={block} expires={expires}",
            at % 9
        );
        world.play(&line).expect("it is granted");
        let sets = &world.books.projections.tickets.sets;
        assert!(sets.len() <= 40, "{} sets at {at}", sets.len());
    }
    world.play("chain 9000").expect("it is granted");
    let tickets = &world.books.projections.tickets;
    assert!(tickets.sets.is_empty());
    assert_eq!(tickets.sets.of_payer(purser_events::PayerNo(0)), 0);
    assert_eq!(balance(&world, "job:*"), (1_800 * 700).to_string());
}
