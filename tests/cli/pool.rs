//! The pools of generosity through the real program.

use purser::service::Running;
use purser::writer::Submission;
use purser_commands::Command;
use purser_commands::grants::GrantCommand;
use purser_commands::grants::command::{
    DecideGrant, OpenPool, PaidBy, SetTier, SettleGrant, TopUpPool,
};
use purser_events::grant::{PayMode, Tier};
use purser_events::{Actor, Amount, Label};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::run::{dir, json as read, ledger, run};
use crate::serve::Serving;

fn label(text: &str) -> Label {
    Label::new(text).expect("a short text")
}

fn write(running: &Running, command: GrantCommand) {
    let submission = Submission {
        command: Command::Grant(Box::new(command)),
        id: None,
        actor: Actor::CommandLine,
    };
    let replies = running.service.writer.submit_all_blocking(vec![submission]);
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
}

/// A house's pool that paid 60 and holds 40, and a sponsor's that was topped up.
fn busy(running: &Running) {
    let tier = Some(Tier::Elite);
    write(
        running,
        GrantCommand::SetTier(SetTier {
            identity: label("ann"),
            tier,
        }),
    );
    for (request, est) in [("r1", 60), ("r2", 40)] {
        write(
            running,
            GrantCommand::Decide(DecideGrant {
                request: label(request),
                identity: Some(label("ann")),
                est: Amount(est),
                mode: PayMode::Invoice,
            }),
        );
    }
    write(
        running,
        GrantCommand::Settle(SettleGrant {
            request: label("r1"),
            actual: Amount(60),
            worker: None,
        }),
    );
    write(
        running,
        GrantCommand::OpenPool(OpenPool {
            name: label("acme"),
            asset: label("BTC"),
            seed: Amount(500),
            rail: label("sponsor"),
        }),
    );
    write(
        running,
        GrantCommand::TopUp(TopUpPool {
            pool: Some(label("acme")),
            paid: PaidBy {
                amount: Amount(70),
                rail: label("sponsor"),
                payment: label("p1"),
            },
        }),
    );
}

#[test]
fn the_pools_are_shown_from_the_data_and_through_a_server() {
    let dir = dir();
    let running = ledger(dir.path());
    busy(&running);
    running.stop().expect("it stops");
    let offline = run(dir.path(), &["pool", "--data", "p", "--json"]);
    assert_eq!(offline.code, 0, "{}", offline.err);
    let offline = read(&offline.out);
    for (member, value) in [
        ("/available", json!("10470")),
        ("/reserved", json!("40")),
        ("/granted", json!("60")),
        ("/topped_up", json!("70")),
        ("/asset", json!("BTC")),
        ("/pools/0/pool", json!("house")),
        ("/pools/1/available", json!("570")),
        ("/open_requests", json!(1)),
        ("/solvency/granted_per_day", json!("60")),
        ("/solvency/solvent", json!(false)),
        ("/solvency/days_left", json!("174")),
    ] {
        assert_eq!(offline.pointer(member), Some(&value), "{member}: {offline}");
    }
    let server = Serving::start(dir.path(), &[]);
    let place = ["--url", &server.url, "--data", "p"];
    let online = run(dir.path(), &[&["pool", "--json"][..], &place].concat());
    assert_eq!(online.code, 0, "{}", online.err);
    let people = run(dir.path(), &[&["pool"][..], &place].concat());
    assert_eq!(server.end(Signal::TERM), Some(0));
    // A server that starts may add an event of its own.
    let without_position = |mut table: Value| {
        table["position"] = Value::Null;
        table
    };
    assert_eq!(
        without_position(read(&online.out)),
        without_position(offline)
    );
    for part in [
        "house",
        "acme",
        "all",
        "10470",
        "budgets per UTC day: new 0, established 50, trusted 200, elite 1000; credited: 1000 bps",
        "requests: 1 open, 2 decided",
        "60 granted, 0 credited, 70 topped up; at that, what is available lasts 174 days",
        "in base units of BTC",
    ] {
        assert!(people.out.contains(part), "{part}: {}", people.out);
    }
}

#[test]
fn pools_without_grants_last() {
    let dir = dir();
    ledger(dir.path()).stop().expect("it stops");
    let people = run(dir.path(), &["pool", "--data", "p"]);
    assert_eq!(people.code, 0, "{}", people.err);
    assert!(
        people.out.contains("credits cover what is granted"),
        "{}",
        people.out
    );
    let nothing = run(dir.path(), &["pool", "--data", "none"]);
    assert_eq!(nothing.code, 3, "{}", nothing.err);
}
