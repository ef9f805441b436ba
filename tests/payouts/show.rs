//! The sample pool, paid: exactly those who are due on the total of all partitions, exactly once.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use purser::payouts::Key;
use purser::payouts::key::Transfer;
use purser_events::{Address, Amount, Wei};
use serde_json::{Value, json};

use crate::case::{amount, hex, nobody, secret};
use crate::chain::{CHAIN_ID, Chain, ETH};
use crate::program::{Program, Start, purser};
use crate::sample;

fn purse(args: &[&str], data: &Path) -> Output {
    let mut command = purser();
    command.args(args).arg("--data").arg(data);
    command.output().expect("the program runs")
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// Takes the sample pool in, before any server runs.
fn take_in(dir: &Path, data: &Path) {
    for one in sample::delivered() {
        let path = dir.join(&one.key);
        std::fs::create_dir_all(path.parent().expect("a key has one")).expect("made");
        std::fs::write(path, one.bytes()).expect("written");
    }
    let taken = purse(&["intake", dir.to_str().expect("text")], data);
    assert!(taken.status.success(), "{}", text(&taken));
}

/// Mines until nothing is under way.
async fn until_final(chain: &Chain, program: &Program) {
    let until = Instant::now() + Duration::from_secs(60);
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    loop {
        let status = program.get("/v1/status").await.expect("it runs");
        if status["payouts"]["open"] == 0 {
            return;
        }
        assert!(Instant::now() < until, "{status:#}");
        chain.mine(1).await;
        looks.tick().await;
    }
}

/// Who is due by the reference, and how much.
fn due() -> Vec<(Address, u128, bool)> {
    let expected = sample::expected();
    let workers = expected["workers"].as_object().expect("workers").iter();
    let due = workers.filter(|(_, one)| one["due_on_total"] == true);
    due.map(|(address, one)| {
        let address = Address::parse(address).expect("an address");
        let alone = one["due_in_some_partition"] == true;
        (address, amount(&one["net_wei"]), alone)
    })
    .collect()
}

async fn assert_paid(chain: &Chain, program: &Program) {
    let due = due();
    assert!(
        due.iter().any(|(_, _, alone)| !alone),
        "one is due on its total only"
    );
    for (address, net, _) in &due {
        assert_eq!(
            chain.balance(address).await,
            *net,
            "{address} is paid its net"
        );
    }
    let expected = sample::expected();
    for (address, one) in expected["workers"].as_object().expect("workers") {
        if one["due_on_total"] == false {
            let address = Address::parse(address).expect("an address");
            assert_eq!(chain.balance(&address).await, 0, "{address} is not due");
        }
    }
    let fees = program.audit("/v1/workers/fees").await;
    let paid: u128 = due.iter().map(|(_, net, _)| net).sum();
    let net = amount(&expected["totals"]["net_wei"]);
    assert_eq!(amount(&fees["totals"]["paid_wei"]), paid);
    assert_eq!(amount(&fees["totals"]["in_flight_wei"]), 0);
    assert_eq!(amount(&fees["totals"]["unpaid_wei"]), net - paid);
}

async fn transfer_by_hand(chain: &Chain, key: &Key) -> String {
    let signed = key.sign(&Transfer {
        chain_id: CHAIN_ID,
        nonce: chain.nonce(&key.address()).await,
        to: nobody(&["by hand"]),
        amount: Amount(7),
        max_fee: Wei(100_000_000_000),
        tip: Wei(1_000_000_000),
        gas_limit: 21_000,
    });
    let raw = format!("0x{}", hex(&signed.raw));
    chain.ask("eth_sendRawTransaction", json!([raw])).await;
    chain.mine(4).await;
    format!("0x{}", hex(&signed.hash))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_pool_is_paid_once_and_a_transfer_by_hand_is_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("p");
    take_in(&dir.path().join("events"), &data);
    let chain = Chain::start();
    let key_text = hex(&secret(&["sample"]));
    let key = Key::read(&key_text, None).expect("a key");
    chain.fund(&key.address(), 100 * ETH).await;
    let start = Start {
        data: &data,
        rpc: &chain.url,
        key: &key_text,
        kill_at: None,
        settings: Vec::new(),
    };
    let mut program = Program::start(&start).expect("it starts");
    let (url, operator) = (program.url().to_owned(), program.operator.clone());
    let place = ["--url", &url, "--key", &operator];
    let planned = purse(
        &[&["payouts", "run", "--dry-run"][..], &place].concat(),
        &data,
    );
    assert!(planned.status.success(), "{}", text(&planned));
    assert!(
        text(&planned).contains("would request 2 payouts"),
        "{}",
        text(&planned)
    );
    let first = program.post("/v1/payouts/run", "first", &json!({})).await;
    assert_eq!(first.expect("it runs")["requested"], due().len());
    until_final(&chain, &program).await;
    assert_paid(&chain, &program).await;
    // Again, and the same command again: nothing.
    let again = program.post("/v1/payouts/run", "second", &json!({})).await;
    assert_eq!(again.expect("it runs")["requested"], 0);
    let repeated = program.post("/v1/payouts/run", "first", &json!({})).await;
    assert_eq!(repeated.expect("it runs")["replayed"], true);
    until_final(&chain, &program).await;
    assert_paid(&chain, &program).await;

    let auditor = ["--url", &url, "--key", &program.auditor.clone()];
    let audit = ["audit", "payouts", "--rpc", &chain.url];
    let clean = purse(&[&audit[..], &auditor].concat(), &data);
    assert!(clean.status.success(), "{}", text(&clean));
    assert!(text(&clean).contains("clean"), "{}", text(&clean));

    let hash = transfer_by_hand(&chain, &key).await;
    let found = purse(&[&audit[..], &auditor].concat(), &data);
    assert_eq!(found.status.code(), Some(1), "{}", text(&found));
    assert!(
        text(&found).contains(&hash) && text(&found).contains("foreign"),
        "{}",
        text(&found)
    );
    stops_and_says_so(&program).await;

    program.kill();
    let offline = purse(&[&audit[..], &["--json"]].concat(), &data);
    assert_eq!(offline.status.code(), Some(1));
    let audited: Value = serde_json::from_slice(&offline.stdout).expect("JSON");
    assert_eq!(audited["final_wei"], audited["transferred_wei"]);
    assert_eq!(audited["differences"].as_array().map(Vec::len), Some(1));
    exported(&data, dir.path());
    let verified = purse(&["verify"], &data);
    assert!(verified.status.success(), "{}", text(&verified));
}

/// The running server signs nothing more, and says so.
async fn stops_and_says_so(program: &Program) {
    let until = Instant::now() + Duration::from_secs(20);
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    loop {
        let status = program.get("/v1/status").await.expect("it runs");
        if status["payouts"]["alarm"].is_string() {
            break;
        }
        assert!(Instant::now() < until, "{status:#}");
        looks.tick().await;
    }
    let stopped = program.post("/v1/payouts/run", "third", &json!({})).await;
    assert_eq!(stopped.expect("it runs")["code"], "signer_stopped");
}

/// One record per payout, as OpenPool's audit files have them.
fn exported(data: &Path, dir: &Path) {
    let out = dir.join("records");
    let done = purse(
        &["payouts", "export", "--out", out.to_str().expect("text")],
        data,
    );
    assert!(done.status.success(), "{}", text(&done));
    let files: Vec<_> = std::fs::read_dir(&out).expect("written").collect();
    assert_eq!(files.len(), due().len());
    for file in files {
        let path = file.expect("a file").path();
        let record: Value =
            serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        let id = record["id"].as_str().expect("an id");
        assert_eq!(
            path.file_name().and_then(|name| name.to_str()),
            Some(&*format!("{id}.json"))
        );
        assert_eq!(record["state"], "final");
        let hash = &record["transactions"][0]["hash"];
        assert_eq!(&record["block"]["transaction"], hash);
        assert!(
            record["positions"]
                .as_array()
                .is_some_and(|all| all.len() == 5),
            "{record}"
        );
    }
    let listed = purse(&["payouts", "list"], data);
    assert!(text(&listed).contains("final"), "{}", text(&listed));
}
