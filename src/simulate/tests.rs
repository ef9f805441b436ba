use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Plan, Pool};

const PLAN: Plan = Plan {
    workers: 12,
    jobs: 6,
    told: 503,
    seed: 7,
};

fn events(pool: &Pool) -> Vec<Value> {
    let files = pool.files.iter();
    files
        .flat_map(|file| serde_json::from_slice::<Vec<Value>>(&file.bytes).expect("an array"))
        .collect()
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["EventType"] == kind)
        .collect()
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_gives_others() {
    assert_eq!(Pool::of(PLAN).files, Pool::of(PLAN).files);
    let other = Pool::of(Plan { seed: 8, ..PLAN });
    assert_ne!(Pool::of(PLAN).files, other.files);
    assert_ne!(
        Pool::of(PLAN).workers[0].manifest,
        other.workers[0].manifest
    );
}

#[test]
fn the_planned_number_of_jobs_is_done() {
    for plan in [
        PLAN,
        Plan {
            workers: 1,
            jobs: 3,
            told: 4,
            seed: 0,
        },
        Plan { told: 0, ..PLAN },
    ] {
        let events = events(&Pool::of(plan));
        let jobs = of_kind(&events, "job-processed").len();
        assert_eq!(jobs, plan.told as usize, "{plan:?}");
    }
}

#[test]
fn keys_and_ids_are_unique_and_keys_say_what_the_files_hold() {
    let pool = Pool::of(PLAN);
    let keys: BTreeSet<_> = pool.files.iter().map(|file| &file.key).collect();
    assert_eq!(keys.len(), pool.files.len());
    let events = events(&pool);
    let ids: BTreeSet<_> = events.iter().map(|event| event["ID"].to_string()).collect();
    assert_eq!(ids.len(), events.len());
    for file in &pool.files {
        let elements: Vec<Value> = serde_json::from_slice(&file.bytes).expect("an array");
        let (region, node_type) = (&elements[0]["Region"], &elements[0]["NodeType"]);
        let (region, node_type) = (region.as_str(), node_type.as_str());
        let (region, node_type) = (region.expect("a text"), node_type.expect("a text"));
        let stamp = |element: &Value| element["DT"].to_string().replace(['-', ':', '"'], "");
        let first = elements.first().map(stamp).expect("no file is empty");
        let last = elements.last().map(stamp).expect("no file is empty");
        let key = format!("{region}/{node_type}/{region}-{node_type}-{first}_{last}.json");
        assert_eq!(file.key, key);
    }
}

#[test]
fn every_fee_is_its_units_at_their_price_and_fits_the_source() {
    let events = events(&Pool::of(PLAN));
    for job in of_kind(&events, "job-processed") {
        let number = |name: &str| job["Payload"][name].as_u64().expect("a number");
        assert_eq!(
            number("fees"),
            number("computeUnits") * number("pricePerComputeUnit")
        );
        assert!(i64::try_from(number("fees")).is_ok());
    }
}

#[test]
fn a_few_results_are_lost_so_that_suspense_is_seen() {
    let pool = Pool::of(Plan {
        workers: 12,
        jobs: 0,
        told: 5_000,
        seed: 1,
    });
    let events = events(&pool);
    let ai = |kind| {
        let all = of_kind(&events, kind);
        all.into_iter()
            .filter(|event| event["NodeType"] == "ai")
            .count()
    };
    let (received, processed) = (ai("job-received"), ai("job-processed"));
    assert!(received < processed && received > processed * 9 / 10);
}

#[test]
fn no_connection_is_closed_before_it_was_opened() {
    let mut open: BTreeMap<String, u32> = BTreeMap::new();
    for event in events(&Pool::of(PLAN)) {
        let connection = event["Payload"]["connection"].to_string();
        let connection = format!("{}{}{connection}", event["NodeType"], event["Region"]);
        if event["EventType"] == "worker-connected" {
            *open.entry(connection).or_default() += 1;
        } else if event["EventType"] == "worker-disconnected" {
            let open = open.get_mut(&connection).expect("it was opened");
            *open = open.checked_sub(1).expect("it was opened as often");
        }
    }
}

#[test]
fn the_runs_of_a_seed_are_the_same_and_each_has_its_name() {
    let (pool, again) = (Pool::of(PLAN), Pool::of(PLAN));
    assert_eq!(pool.runs, again.runs);
    assert_eq!(pool.runs.len(), PLAN.jobs as usize);
    let other = Pool::of(Plan { seed: 8, ..PLAN });
    assert!(pool.runs.iter().all(|run| !other.runs.contains(run)));
}
