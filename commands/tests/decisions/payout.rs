//! Payouts: due, signed, seen, given up; and the key that signs.

use purser_commands::payout::{
    ConfirmPayout, InBlock, ObservePayout, OpenSigner, PayoutRef, RequestElsewhere, ResumeSigner,
    RunPayouts, Seen, SignPayout, StopSigner,
};
use purser_commands::{Answer, Command};
use purser_events::intake::{
    Attribution, EventId, Fee, FileStamps, JobProcessed, JobReattributed, RequestId, Split,
    Suspense, Taken,
};
use purser_events::worker::WorkerNamed;
use purser_events::{
    Address, Amount, AssetNo, BasisPoints, Event, FileNo, ModelNo, PartitionNo, PayoutNo, Position,
    Seconds, Wei, WorkerNo,
};
use purser_projections::Projections;
use purser_projections::accounts::Account;

use crate::script::{Line, Row, World, check, label, number, row, small, worker_no};

const SIGNER: &str = "asset ETH 18; policy threshold 100; signer 9 nonce=5";

/// Histories that others begin with.
fn given(rest: &str) -> String {
    format!("{SIGNER}; {rest}")
}

/// Per command: the rejections in the order of the checks, then what is granted.
pub(crate) const ROWS: &[Row] = &[
    // A run.
    row(
        "nobody is paid without a key",
        "asset ETH 18; earned 0 500",
        "run",
        "signer_missing",
    ),
    row(
        "a stopped signer runs nothing",
        "signer 9; earned 0 500; stop chain=1",
        "run",
        "signer_stopped",
    ),
    row(
        "funds that do not cover what is due are not spent",
        "policy threshold 100; signer 9; earned 0 500; earned 1 501",
        "run funds=1000",
        "funds_short",
    ),
    row(
        "what is requested already counts against the funds",
        "policy threshold 100; signer 9; earned 0 500; run; earned 1 501",
        "run funds=1000",
        "funds_short",
    ),
    row(
        "funds that cover it to the last wei are enough",
        "policy threshold 100; signer 9; earned 0 500; earned 1 501",
        "run funds=1001",
        "2 payouts of 1001 from 0: payout_requested payout_requested",
    ),
    row(
        "without anything due there is no event, whatever the funds",
        "policy threshold 100; signer 9; earned 0 99",
        "run funds=0",
        "no payouts:",
    ),
    row(
        "who is owed the threshold is due",
        "policy threshold 100; signer 9; earned 0 100; earned 1 99",
        "run",
        "1 payouts of 100 from 0: payout_requested",
    ),
    row(
        "nobody has two payouts at once",
        "policy threshold 100; signer 9; earned 0 100; run; earned 0 100",
        "run",
        "no payouts:",
    ),
    row(
        "a worker waits for its interval",
        "policy threshold 1; policy payout_interval 1000; signer 9; earned 0 5; run; \
         cancel 0; wait 999",
        "run",
        "no payouts:",
    ),
    row(
        "after its interval a worker is due again",
        "policy threshold 1; policy payout_interval 1000; signer 9; earned 0 5; run; \
         cancel 0; wait 1000",
        "run",
        "1 payouts of 5 from 1: payout_requested",
    ),
    row(
        "a run passes over whoever would pass its limit",
        "policy threshold 1; policy payout_run 8; signer 9; earned 0 5; earned 1 4; earned 2 3",
        "run",
        "2 payouts of 8 from 0: payout_requested payout_requested",
    ),
    row(
        "a day has a limit over all its runs",
        "policy threshold 1; policy payout_day 8; signer 9; earned 0 5; run; earned 1 4; \
         earned 2 3",
        "run",
        "1 payouts of 3 from 1: payout_requested",
    ),
    row(
        "the next day has its own limit",
        "policy threshold 1; policy payout_day 8; signer 9; earned 0 5; run; earned 1 4; \
         wait 86400000",
        "run",
        "1 payouts of 4 from 1: payout_requested",
    ),
    row(
        "nothing is paid to nobody's address",
        "policy threshold 1; signer 9; earned 0 5 at=0",
        "run",
        "no payouts:",
    ),
    row(
        "nothing is paid to the signer itself",
        "policy threshold 1; signer 9; earned 0 5 at=9",
        "run",
        "no payouts:",
    ),
    row(
        "what was paid and then taken back is earned again before anything is paid",
        "policy threshold 1; signer 9; earned 0 5; run; lost 0 5; earned 0 5",
        "run",
        "no payouts:",
    ),
    // Elsewhere.
    row(
        "an unknown worker is paid nothing",
        "asset ETH 18",
        "elsewhere 0 5 rail=bank",
        "unknown_worker",
    ),
    row(
        "an unknown asset is not paid",
        "earned 0 5",
        "elsewhere 0 5 rail=bank asset=1",
        "unknown_asset",
    ),
    row(
        "the chain is no other rail",
        "asset ETH 18; earned 0 5",
        "elsewhere 0 5 rail=chain",
        "rail_reserved",
    ),
    row(
        "no more is paid than is owed",
        "asset ETH 18; earned 0 5",
        "elsewhere 0 6 rail=bank",
        "more_than_owed",
    ),
    row(
        "nothing is no payout",
        "asset ETH 18; earned 0 5",
        "elsewhere 0 0 rail=bank",
        "more_than_owed",
    ),
    row(
        "an amount is held for a payout elsewhere",
        "asset ETH 18; earned 0 5",
        "elsewhere 0 5 rail=bank",
        "1 payouts of 5 from 0: rail_named payout_requested",
    ),
    row(
        "a payout that was made elsewhere is booked at once",
        "asset ETH 18; earned 0 5; elsewhere 0 2 rail=bank",
        "elsewhere 0 3 rail=bank ref=x",
        "1 payouts of 3 from 1: payout_requested payout_sent payout_final",
    ),
    row(
        "what is held elsewhere is not paid on chain too",
        "policy threshold 1; asset ETH 18; signer 9; earned 0 5; elsewhere 0 5 rail=bank",
        "run",
        "no payouts:",
    ),
    row(
        "an unknown payout is not booked",
        "asset ETH 18",
        "confirm 0 ref=x",
        "unknown_payout",
    ),
    row(
        "a payout of another digest is unknown",
        "asset ETH 18; earned 0 5; elsewhere 0 5 rail=bank",
        "confirm 0 ref=x digest=1",
        "unknown_payout",
    ),
    row(
        "a payout is booked once",
        "asset ETH 18; earned 0 5; elsewhere 0 5 rail=bank ref=x",
        "confirm 0 ref=y",
        "payout_finished",
    ),
    row(
        "a transfer on chain is not booked by hand",
        "policy threshold 1; signer 9; earned 0 5; run",
        "confirm 0 ref=x",
        "payout_underway",
    ),
    row(
        "a held payout is booked with its reference",
        "asset ETH 18; earned 0 5; elsewhere 0 5 rail=bank",
        "confirm 0 ref=x",
        "done: payout_sent payout_final",
    ),
    // Giving up.
    row(
        "an unknown payout is not given up",
        "",
        "cancel 0",
        "unknown_payout",
    ),
    row(
        "a payout is given up once",
        "policy threshold 1; signer 9; earned 0 5; run; cancel 0",
        "cancel 0",
        "payout_finished",
    ),
    row(
        "what was signed may still land",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "cancel 0",
        "payout_underway",
    ),
    row(
        "what nobody signed is given up",
        "policy threshold 1; signer 9; earned 0 5; run",
        "cancel 0",
        "done: payout_released",
    ),
    row(
        "what was reverted for good is given up",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0 ok=no; final 0",
        "cancel 0",
        "done: payout_released",
    ),
    row(
        "what was given up is due again",
        "policy threshold 1; signer 9; earned 0 5; run; cancel 0",
        "run",
        "1 payouts of 5 from 1: payout_requested",
    ),
    // The signer.
    row(
        "a key is opened",
        "",
        "signer 9 nonce=5",
        "done: signer_opened",
    ),
    row(
        "a key is opened once",
        "signer 9 nonce=5",
        "signer 9 nonce=7",
        "unchanged:",
    ),
    row(
        "another key waits until nothing of the first may land",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "signer 8",
        "signer_busy",
    ),
    row(
        "another key may follow",
        "signer 9",
        "signer 8",
        "done: signer_opened",
    ),
    row(
        "without a key there is nothing to stop",
        "",
        "stop chain=1",
        "signer_missing",
    ),
    row(
        "a nonce that the log gave is no reason to stop",
        "signer 9 nonce=5",
        "stop chain=5",
        "nonce_differs",
    ),
    row(
        "a foreign nonce stops the signer",
        "signer 9 nonce=5",
        "stop chain=6",
        "done: signer_stopped",
    ),
    row(
        "a stopped signer is stopped",
        "signer 9; stop chain=1",
        "stop chain=2",
        "unchanged:",
    ),
    row(
        "without a key there is nothing to resume",
        "",
        "resume chain=1",
        "signer_missing",
    ),
    row(
        "a signer that goes on is not resumed",
        "signer 9",
        "resume chain=1",
        "unchanged:",
    ),
    row(
        "a stopped signer is resumed",
        "signer 9; stop chain=1",
        "resume chain=1",
        "done: signer_resumed",
    ),
    row(
        "a resumed signer goes on behind the foreign nonces",
        "policy threshold 1; signer 9; earned 0 5; stop chain=3; resume chain=3; run",
        "sign 0 nonce=3",
        "done: payout_signed",
    ),
    // Signing.
    row(
        "an unknown payout is not signed",
        "signer 9",
        "sign 0",
        "unknown_payout",
    ),
    row(
        "a stopped signer signs nothing",
        "policy threshold 1; signer 9; earned 0 5; run; stop chain=1",
        "sign 0",
        "signer_stopped",
    ),
    row(
        "a payout elsewhere is not signed",
        "asset ETH 18; signer 9; earned 0 5; elsewhere 0 5 rail=bank",
        "sign 0",
        "payout_differs",
    ),
    row(
        "another nonce than the next is refused",
        "policy threshold 1; signer 9 nonce=5; earned 0 5; run",
        "sign 0 nonce=6",
        "nonce_differs",
    ),
    row(
        "fees beyond what fits are refused",
        "policy threshold 1; signer 9; earned 0 5; run",
        "sign 0 fee=18446744073709551615 gas=18446744073709551615",
        "fee_out_of_range",
    ),
    row(
        "a tip above the whole fee is refused",
        "policy threshold 1; signer 9; earned 0 5; run",
        "sign 0 fee=10 tip=11",
        "fee_out_of_range",
    ),
    row(
        "no bytes are no transaction",
        "policy threshold 1; signer 9; earned 0 5; run",
        "sign 0 raw=0",
        "fee_out_of_range",
    ),
    row(
        "a payout is signed",
        "policy threshold 1; signer 9 nonce=5; earned 0 5; run",
        "sign 0 nonce=5",
        "done: payout_signed",
    ),
    row(
        "the same transaction again is no event",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "sign 0",
        "unchanged:",
    ),
    row(
        "the second payout takes the next nonce",
        "policy threshold 1; signer 9; earned 0 5; earned 1 5; run; sign 0",
        "sign 1 nonce=1 hash=2",
        "done: payout_signed",
    ),
    row(
        "a replacement of another nonce is refused",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "sign 0 nonce=1 hash=2 fee=20",
        "nonce_differs",
    ),
    row(
        "a replacement that pays less than a tenth more is refused",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0 fee=101",
        "sign 0 hash=2 fee=111",
        "fee_too_low",
    ),
    row(
        "a replacement keeps the nonce and pays more",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0 fee=101; known 0",
        "sign 0 hash=2 fee=112",
        "done: payout_signed",
    ),
    row(
        "what stands in a block is not replaced",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0",
        "sign 0 hash=2 fee=20",
        "payout_differs",
    ),
    // What the chain said.
    row(
        "an unknown payout is not seen",
        "",
        "known 0",
        "unknown_payout",
    ),
    row(
        "a transaction of nobody's is not seen",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "known 0 hash=2",
        "payout_differs",
    ),
    row(
        "a known transaction is sent",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "known 0",
        "done: payout_sent",
    ),
    row(
        "what is sent is sent once",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; known 0",
        "known 0",
        "unchanged:",
    ),
    row(
        "what stands in a block was sent",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "block 0",
        "done: payout_sent payout_mined",
    ),
    row(
        "any transaction of the nonce may land",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0 fee=10; known 0; \
         sign 0 hash=2 fee=20",
        "block 0 hash=1",
        "done: payout_mined",
    ),
    row(
        "a receipt of more gas than was signed is not believed",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "block 0 used=21001",
        "payout_differs",
    ),
    row(
        "a receipt of a higher price than was signed is not believed",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "block 0 price=11",
        "payout_differs",
    ),
    row(
        "the same block again is no event",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0",
        "block 0",
        "unchanged:",
    ),
    row(
        "another block means that the first is gone",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0",
        "block 0 in=8",
        "done: payout_reorged payout_mined",
    ),
    row(
        "a block that never held it is not gone",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0",
        "gone 0 in=8",
        "payout_differs",
    ),
    row(
        "a block that is gone takes the payout back to sent",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0",
        "gone 0",
        "done: payout_reorged",
    ),
    row(
        "what is not in a block is not final",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; known 0",
        "final 0",
        "payout_differs",
    ),
    row(
        "another block than the recorded one is not final",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0",
        "final 0 in=8",
        "payout_differs",
    ),
    row(
        "what landed is final",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0",
        "final 0",
        "done: payout_final",
    ),
    row(
        "what was reverted failed",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0 ok=no",
        "final 0",
        "done: payout_failed",
    ),
    row(
        "a nonce that the chain has not passed is not used",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "used 0 chain=0",
        "nonce_differs",
    ),
    row(
        "a nonce used elsewhere fails the payout and stops the signer",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0",
        "used 0 chain=1",
        "done: payout_failed signer_stopped",
    ),
    row(
        "a stopped signer is not stopped again",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; stop chain=2",
        "used 0 chain=2",
        "done: payout_failed",
    ),
    row(
        "what stands in a block used its own nonce",
        "policy threshold 1; signer 9; earned 0 5; run; sign 0; block 0",
        "used 0 chain=1",
        "payout_differs",
    ),
];

#[test]
fn payouts_are_decided_as_the_table_says() {
    ROWS.iter().for_each(check);
}

/// The commands of this subject.
pub(crate) fn command(line: &Line<'_>) -> Option<Command> {
    let payout = || PayoutNo(small(line.plain[0]));
    let hash = [u8::try_from(line.number("hash").unwrap_or(1)).expect("small"); 32];
    let block_hash = [u8::try_from(line.number("in").unwrap_or(7)).expect("small"); 32];
    let chain_nonce = line.number("chain").unwrap_or(0);
    let see = |seen| {
        let payout = payout();
        Command::ObservePayout(Box::new(ObservePayout { payout, seen }))
    };
    Some(match line.verb {
        "run" => Command::RunPayouts(RunPayouts {
            funds: line.number("funds").map(|funds| Amount(funds.into())),
        }),
        "elsewhere" => Command::RequestElsewhere(Box::new(RequestElsewhere {
            worker: worker_no(line.plain[0]),
            asset: AssetNo(small(line.get("asset").unwrap_or("0"))),
            amount: Amount(number(line.plain[1]).into()),
            rail: label(line.get("rail").expect("a rail")),
            reference: line.get("ref").map(label),
        })),
        "confirm" => Command::ConfirmPayout(Box::new(ConfirmPayout {
            payout: wanted(line),
            reference: label(line.get("ref").expect("a reference")),
        })),
        "cancel" => Command::CancelPayout(wanted(line)),
        "sign" => Command::SignPayout(Box::new(sign(line, payout(), hash))),
        "known" => see(Seen::Known(hash)),
        "block" => see(Seen::InBlock(InBlock {
            hash,
            block: 70,
            block_hash,
            succeeded: line.get("ok") != Some("no"),
            gas_used: line.number("used").unwrap_or(21_000),
            gas_price: Wei(line.number("price").unwrap_or(10).into()),
        })),
        "gone" => see(Seen::Gone { block_hash }),
        "final" => see(Seen::Final { block_hash }),
        "used" => see(Seen::NonceUsed { chain_nonce }),
        "signer" => Command::OpenSigner(OpenSigner {
            address: address(number(line.plain[0])),
            chain_id: 42_161,
            nonce: line.number("nonce").unwrap_or(0),
        }),
        "stop" => Command::StopSigner(StopSigner { chain_nonce }),
        "resume" => Command::ResumeSigner(ResumeSigner { chain_nonce }),
        _ => return None,
    })
}

fn wanted(line: &Line<'_>) -> PayoutRef {
    PayoutRef {
        payout: PayoutNo(small(line.plain[0])),
        digest: line.number("digest").map(u64::to_le_bytes),
    }
}

fn sign(line: &Line<'_>, payout: PayoutNo, hash: [u8; 32]) -> SignPayout {
    let fee = line.number("fee").unwrap_or(10);
    let bytes = usize::try_from(line.number("raw").unwrap_or(3)).expect("a small number");
    SignPayout {
        payout,
        nonce: line.number("nonce").unwrap_or(0),
        hash,
        max_fee: Wei(fee.into()),
        tip: Wei(line.number("tip").unwrap_or(1).into()),
        gas_limit: line.number("gas").unwrap_or(21_000),
        raw: vec![2; bytes],
    }
}

fn address(number: u64) -> Address {
    Address([u8::try_from(number).expect("a small number"); 20])
}

/// Lines that stand for what intake records: `earned WORKER FEE`, `lost WORKER FEE`.
pub(crate) fn recorded(folds: &Projections, line: &Line<'_>) -> Option<Vec<Event>> {
    let worker = || worker_no(line.plain[0]);
    let fee = || number(line.plain[1]);
    match line.verb {
        "earned" => {
            let mut events = Vec::new();
            if folds.names.workers().len() == worker().index() {
                let at = line.number("at").unwrap_or(u64::from(worker().0) + 1);
                events.push(Event::WorkerNamed(WorkerNamed {
                    worker: worker(),
                    address: address(at),
                }));
            }
            events.push(job(worker(), fee()));
            Some(events)
        }
        "lost" => Some(vec![moved(worker(), fee())]),
        _ => None,
    }
}

fn whole() -> Split {
    Split {
        policy: Position::ORIGIN,
        commission: BasisPoints::default(),
    }
}

fn job(worker: WorkerNo, fee: u64) -> Event {
    Event::JobProcessed(Box::new(JobProcessed {
        taken: Taken {
            id: EventId::Uuid([0; 16]),
            occurred_at: Seconds(1),
            file: FileNo(0),
            index: 0,
            partition: PartitionNo(0),
            stamps: FileStamps { start: 1, end: 1 },
        },
        request: Some(RequestId::Hex(1)),
        model: Some(ModelNo(0)),
        units: None,
        price_wei: None,
        response_time: None,
        duration_ms: None,
        real_time_ratio: None,
        fee: Fee::Payable(fee),
        attribution: Attribution::Worker(worker),
        split: whole(),
    }))
}

fn moved(worker: WorkerNo, fee: u64) -> Event {
    Event::JobReattributed(Box::new(JobReattributed {
        job: Position(1),
        partition: PartitionNo(0),
        request: RequestId::Hex(1),
        model: None,
        response_time: None,
        fee: Fee::Payable(fee),
        from: Attribution::Worker(worker),
        from_split: whole(),
        to: Attribution::Suspense(Suspense::Orphan),
        to_split: whole(),
        cause: Position(1),
    }))
}

/// An answer of this subject as text.
pub(crate) fn show(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Payouts { first: None, .. } => Some("no payouts".to_owned()),
        Answer::Payouts {
            count,
            amount,
            first: Some(first),
        } => Some(format!("{count} payouts of {amount} from {first}")),
        _ => None,
    }
}

fn balance(world: &World, account: Account) -> String {
    let accounts = &world.books.projections.accounts;
    accounts.balance(AssetNo::ETH, account).to_string()
}

#[test]
fn each_step_moves_what_it_says_between_accounts() {
    let (worker, held) = (Account::Worker(WorkerNo(0)), Account::InFlight);
    let steps = [
        ("earned 0 500", ["500", "0", "0", "0"]),
        ("run", ["0", "500", "0", "0"]),
        ("sign 0 nonce=5 fee=10", ["0", "500", "0", "0"]),
        ("known 0", ["0", "500", "0", "0"]),
        ("block 0 used=100 price=3", ["0", "500", "0", "0"]),
        ("gone 0", ["0", "500", "0", "0"]),
        ("block 0 used=100 price=4 in=8", ["0", "500", "0", "0"]),
        ("final 0 in=8", ["0", "0", "-900", "400"]),
        ("earned 0 200", ["200", "0", "-900", "400"]),
        ("run", ["0", "200", "-900", "400"]),
        ("sign 1 nonce=6 fee=10 hash=2", ["0", "200", "-900", "400"]),
        (
            "block 1 ok=no hash=2 used=10 price=1",
            ["0", "200", "-900", "400"],
        ),
        ("final 1", ["0", "200", "-910", "410"]),
        ("cancel 1", ["200", "0", "-910", "410"]),
        ("lost 0 600", ["-400", "0", "-910", "410"]),
    ];
    let mut world = World::default();
    for line in given("")
        .split(';')
        .map(str::trim)
        .filter(|l| !l.is_empty())
    {
        world.play(line).expect(line);
    }
    for (line, expected) in steps {
        world.play(line).expect(line);
        let found = [worker, held, Account::Chain, Account::Gas].map(|one| balance(&world, one));
        assert_eq!(found, expected, "{line}");
    }
    let payouts = &world.books.projections.payouts;
    let row = payouts.row(AssetNo::ETH, WorkerNo(0));
    assert_eq!((row.paid, row.in_flight), (Amount(500), Amount::ZERO));
    assert_eq!(
        payouts.all_open().count(),
        0,
        "what is finished leaves memory"
    );
    let finished = payouts.finished(AssetNo::ETH);
    assert_eq!((finished.count, finished.released), (1, 1));
    assert_eq!((finished.amount, finished.gas), (Amount(500), Amount(410)));
}

#[test]
fn the_same_history_gives_the_same_ids() {
    let ids = || {
        let mut world = World::default();
        let lines = given("earned 0 500; earned 1 500; run");
        for line in lines.split(';').map(str::trim) {
            world.play(line).expect(line);
        }
        let open = world.books.projections.payouts.all_open();
        open.map(|(number, payout)| (number, payout.digest))
            .collect::<Vec<_>>()
    };
    let first = ids();
    assert_eq!(first, ids());
    assert_ne!(first[0].1, first[1].1);
}
