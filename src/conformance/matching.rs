//! The scenarios of matching: a registry, what happened to it, a request, and who is chosen why.

use std::collections::BTreeMap;

use purser_commands::matching::{GiveFeedback, Offered};
use purser_commands::{Command, Execution, execute};
use purser_events::matching::{
    Ask, Outcome, Reason, RegionFinding, RegionProbed, Weights, WorkerSuspended,
};
use purser_events::policy::{PolicyChange, PolicyChanged};
use purser_events::worker::{KeyHash, Manifest, WorkerBeat, WorkerLoggedOut, WorkerRegistered};
use purser_events::{Event, KeyTag, Label, Micros, WorkerNo};
use purser_projections::Books;
use purser_projections::matching::index::{Counting, MatchIndex, explain};
use serde_json::{Value, json};

use super::value::{Mismatch, Node};
use super::{Report, Suite};

/// Files with scenarios of matching.
pub(super) const SUITE: Suite = Suite {
    name: "match",
    recognises: |file| file["schema"] == "match-scenarios/1",
    play,
};

fn play(file: &Value, report: &mut Report) {
    for scenario in file["scenarios"].as_array().into_iter().flatten() {
        let id = scenario["id"].as_str().unwrap_or("a scenario");
        report.note(id, compare(&Node::root(scenario)));
    }
}

/// Something that happens at a time.
enum Act {
    Event(Event),
    Feedback(GiveFeedback),
}

fn label(node: &Node<'_>) -> Result<Label, Mismatch> {
    Label::new(node.text()?).map_err(|error| node.wrong(error.to_string()))
}

fn labels(node: &Node<'_>) -> Result<Vec<Label>, Mismatch> {
    match node.is_there() {
        true => node.list()?.map(|one| label(&one)).collect(),
        false => Ok(Vec::new()),
    }
}

fn optional<T>(
    node: &Node<'_>,
    read: impl Fn(&Node<'_>) -> Result<T, Mismatch>,
) -> Result<Option<T>, Mismatch> {
    node.is_there().then(|| read(node)).transpose()
}

/// The history of a scenario: everybody registers before anything else happens.
fn history(scenario: &Node<'_>) -> Result<Vec<(u64, Act)>, Mismatch> {
    let mut acts = Vec::new();
    let miners = scenario.get("registry").list()?.enumerate();
    let mut first = u64::MAX;
    for (number, miner) in miners {
        let worker = WorkerNo::following(number);
        let heard: u64 = miner.get("last_heartbeat_ms").integer()?;
        first = first.min(heard);
        acts.push((0, Act::Event(registered(worker, &miner)?)));
        acts.extend(
            life(worker, &miner)?
                .into_iter()
                .map(|event| (heard, Act::Event(event))),
        );
    }
    if scenario.get("feedback").is_there() {
        for given in scenario.get("feedback").list()? {
            let at: u64 = given.get("t_ms").integer()?;
            first = first.min(at);
            acts.push((at, Act::Feedback(feedback(&given)?)));
        }
    }
    if scenario.get("config").is_there() {
        acts.push((
            first,
            Act::Event(weights(&scenario.get("config").get("weights"))?),
        ));
    }
    acts.iter_mut().for_each(|(at, _)| *at = (*at).max(first));
    // Stable: what happens at one time stays in its order.
    acts.sort_by_key(|(at, _)| *at);
    Ok(acts)
}

fn registered(worker: WorkerNo, miner: &Node<'_>) -> Result<Event, Mismatch> {
    let word = |text: &str| Label::new(text).map_err(|error| miner.wrong(error.to_string()));
    Ok(Event::WorkerRegistered(Box::new(WorkerRegistered {
        worker,
        miner_id: label(&miner.get("miner_id"))?,
        key: KeyHash {
            salt: [0; 16],
            hash: [0; 32],
        },
        manifest: Manifest {
            addr: word("127.0.0.1")?,
            proto: word("http")?,
            gpu_name: word("gpu")?,
            vram_mb: miner.get("vram_mb").integer()?,
            cpu_cores: 1,
            ram_mb: miner.get("ram_mb").integer()?,
            price_micro: miner.get("price_micro").integer()?,
            max_parallel: miner.get("max_parallel").integer()?,
            tags: labels(&miner.get("tags"))?,
            capabilities: labels(&miner.get("capabilities"))?,
            accel: labels(&miner.get("accel"))?,
            region: optional(&miner.get("region"), label)?,
            node_type: None,
            payout_address: None,
        },
    })))
}

/// What a miner said and what was done to it, when it was last heard.
fn life(worker: WorkerNo, miner: &Node<'_>) -> Result<Vec<Event>, Mismatch> {
    let mut life = vec![Event::WorkerBeat(WorkerBeat {
        worker,
        lag_ms: None,
        queue_len: miner.get("queue_len").integer()?,
        avg_latency_ms: optional(&miner.get("avg_latency_ms"), |node| node.integer())?,
        temp_decidegrees: None,
        mem_free_mb: None,
    })];
    let finding = match miner.get("region_status").value().as_str() {
        Some("verified") => Some(RegionFinding::Verified),
        Some("contradicted") => Some(RegionFinding::Contradicted),
        _ => None,
    };
    if let Some(finding) = finding {
        life.push(Event::RegionProbed(Box::new(RegionProbed {
            worker,
            probe: label(&miner.get("region"))?,
            rtt_us: 0,
            samples: 5,
            distance_km: None,
            finding,
        })));
    }
    if miner.get("suspended").value() == &json!(true) {
        let reason = label(&miner.get("miner_id"))?;
        life.push(Event::WorkerSuspended(Box::new(WorkerSuspended {
            worker,
            reason,
        })));
    }
    if miner.get("state").is_there() && miner.get("state").text()? != "active" {
        life.push(Event::WorkerLoggedOut(WorkerLoggedOut { worker }));
    }
    Ok(life)
}

fn weights(node: &Node<'_>) -> Result<Event, Mismatch> {
    let change = PolicyChange::MatchWeights(Weights {
        cap: node.get("cap").integer()?,
        price: node.get("price").integer()?,
        latency: node.get("latency").integer()?,
        trust: node.get("trust").integer()?,
        load: node.get("load").integer()?,
    });
    Ok(Event::PolicyChanged(PolicyChanged { change }))
}

fn feedback(node: &Node<'_>) -> Result<GiveFeedback, Mismatch> {
    let deadline_ms = optional(&node.get("deadline_ms"), |node| node.integer())?;
    let assigned = node.get("assigned").value() != &json!(false);
    Ok(GiveFeedback {
        job: label(&node.get("job_id"))?,
        worker: label(&node.get("miner_id"))?,
        coordinator: KeyTag(0),
        outcome: match node.get("outcome").text()? {
            "accepted" => Outcome::Accepted,
            "completed" => Outcome::Completed,
            "rejected" => Outcome::Rejected,
            "failed" => Outcome::Failed,
            other => return Err(node.wrong(format!("{other} is no outcome"))),
        },
        latency_ms: optional(&node.get("latency_ms"), |node| node.integer())?,
        fail_code: optional(&node.get("fail_code"), label)?,
        tokens_spent: None,
        offered: assigned.then_some(Offered { deadline_ms }),
    })
}

/// GB to MiB, where a whole number of them is meant.
fn memory(node: &Node<'_>) -> Result<u32, Mismatch> {
    let gb: u32 = optional(node, |node| node.integer())?.unwrap_or(0);
    gb.checked_mul(1_024)
        .ok_or_else(|| node.wrong("is too much"))
}

fn ask(request: &Node<'_>) -> Result<Ask, Mismatch> {
    let (requirements, hints) = (request.get("requirements"), request.get("hints"));
    Ok(Ask {
        task: optional(&requirements.get("task"), label)?,
        min_vram_mb: memory(&requirements.get("min_vram_gb"))?,
        min_ram_mb: memory(&requirements.get("min_ram_gb"))?,
        accel: labels(&requirements.get("accel"))?,
        capabilities_any: labels(&requirements.get("capabilities_any"))?,
        capabilities_all: labels(&requirements.get("capabilities_all"))?,
        tags_any: labels(&requirements.get("tags_any"))?,
        region: optional(&hints.get("region"), label)?,
        region_verified: hints.get("region_trust").value() == &json!("verified"),
        max_price_micro: optional(&hints.get("max_price_micro"), |node| node.integer())?,
        deadline_ms: optional(&hints.get("deadline_ms"), |node| node.integer())?,
        top_k: request.get("top_k").integer()?,
    })
}

/// Plays the history through the folds and decisions that the ledger runs.
fn books(scenario: &Node<'_>) -> Result<Books, Mismatch> {
    let mut books = Books::default();
    let mut events = Vec::new();
    for (at_ms, act) in history(scenario)? {
        let mut run = Execution {
            books: &mut books,
            at: Micros::from_millis(at_ms),
            events: &mut events,
        };
        match act {
            Act::Event(event) => run.happen(event),
            Act::Feedback(given) => {
                let command = Command::GiveFeedback(Box::new(given));
                let refused = |no: purser_commands::Rejection| scenario.wrong(no.code());
                execute(&mut run, &command).map_err(refused)?;
            }
        }
    }
    Ok(books)
}

fn compare(scenario: &Node<'_>) -> Result<(), Mismatch> {
    let books = books(scenario)?;
    let now_ms: u64 = scenario.get("now_ms").integer()?;
    let now = Micros::from_millis(now_ms);
    let mut index = MatchIndex::new(&books.projections, now);
    index.advance(now);
    for (number, miner) in scenario.get("registry").list()?.enumerate() {
        if let Some(trust) = optional(&miner.get("trust_ppm"), |node| node.integer())? {
            index.suppose_trust(WorkerNo::following(number), trust);
        }
    }
    let ask = ask(&scenario.get("request"))?;
    let expect = scenario.get("expect");
    same(&expect.get("eligible"), &eligible(&index, &ask))?;
    let found = index.find(&ask, Counting::First);
    let id = |worker| index.offer(worker).map(|offer| offer.miner_id.to_string());
    let order: Vec<_> = found.candidates.iter().map(|one| id(one.worker)).collect();
    same(&expect.get("order"), &json!(order))?;
    let candidates = found.candidates.iter().map(|one| {
        let parts = &one.components;
        json!({
            "miner_id": id(one.worker),
            "score_ppm": one.score_ppm,
            "eta_ms": one.eta_ms,
            "price_micro": one.price_micro,
            "components": {
                "cap": parts.cap,
                "price": parts.price,
                "latency": parts.latency,
                "trust": parts.trust,
                "load": parts.load,
            },
            "explain": explain(parts),
        })
    });
    same(&expect.get("candidates"), &candidates.collect())?;
    let codes = |reasons: Vec<Reason>| reasons.into_iter().map(Reason::code).collect::<Vec<_>>();
    let left_out = index.left_out(&ask, WorkerNo(0), usize::MAX);
    let rejected: BTreeMap<_, _> = left_out
        .into_iter()
        .filter_map(|(worker, reasons)| Some((id(worker)?, codes(reasons))))
        .collect();
    same(&expect.get("rejected"), &json!(rejected))?;
    let histogram: BTreeMap<_, _> = found
        .reasons()
        .map(|(reason, count)| (reason.code(), count))
        .collect();
    same(&expect.get("rejected_primary_histogram"), &json!(histogram))?;
    trust(&expect.get("trust_ppm"), &books, now_ms)
}

fn eligible(index: &MatchIndex, ask: &Ask) -> Value {
    let everybody = Ask {
        top_k: u32::MAX,
        ..ask.clone()
    };
    let found = index.find(&everybody, Counting::None).candidates;
    let offers = found.iter().filter_map(|one| index.offer(one.worker));
    let mut ids: Vec<_> = offers.map(|offer| offer.miner_id.to_string()).collect();
    ids.sort_unstable();
    json!(ids)
}

fn trust(expected: &Node<'_>, books: &Books, now_ms: u64) -> Result<(), Mismatch> {
    let ids = expected.value().as_object().into_iter().flatten();
    for (id, _) in ids {
        let node = expected.get(id);
        let worker = books.projections.names.worker(id);
        let worker = worker.ok_or_else(|| node.wrong("no such miner"))?;
        let standing = books.projections.matching.standing(worker);
        same(&node, &json!(standing.trust.ppm(now_ms)))?;
    }
    Ok(())
}

fn same(expected: &Node<'_>, found: &Value) -> Result<(), Mismatch> {
    if expected.value() == found {
        return Ok(());
    }
    Err(expected.wrong(format!("expected {}, found {found}", expected.value())))
}
