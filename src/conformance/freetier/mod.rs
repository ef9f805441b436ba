//! The scenarios of `freetier.json`: what becomes of requests, pools and funds, step by step.
//!
//! A parallel step must hold in every order: it is played in several, each time from the beginning
//! of the scenario. After each command the log is replayed, and must give the same state, and every
//! invariant is looked at. The tests of the HTTP surface play the same file over real connections.

mod compare;
mod world;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::value::{Mismatch, Node};
use super::{Report, Suite};
pub use compare::compare;
use world::World;

pub(super) const SUITE: Suite = Suite {
    name: "freetier",
    recognises: |file| file["schema"] == "freetier-scenarios/1",
    play,
};

/// Orders in which a parallel step is played.
const ORDERS: u64 = 24;

fn play(file: &Value, report: &mut Report) {
    for scenario in file["scenarios"].as_array().into_iter().flatten() {
        let id = scenario["id"].as_str().unwrap_or("?");
        report.note(id, play_one(&file["defaults"], scenario));
    }
}

fn play_one(defaults: &Value, scenario: &Value) -> Result<(), Mismatch> {
    let steps = scenario["steps"].as_array();
    let parallel = steps.is_some_and(|steps| steps.iter().any(|step| step["parallel"].is_array()));
    for order in 0..if parallel { ORDERS } else { 1 } {
        let mut world = World::begin(defaults, &scenario["setup"])?;
        let mut results = Vec::new();
        for step in Node::root(scenario).get("steps").list()? {
            results.push(play_step(&mut world, step.value(), order)?);
        }
        let mut found = world.found();
        found["results"] = results.into();
        compare(&scenario["expect"], &found)?;
    }
    Ok(())
}

/// Plays one step; what it answers.
fn play_step(world: &mut World, step: &Value, order: u64) -> Result<Value, Mismatch> {
    let Some(parallel) = step["parallel"].as_array() else {
        let results = expanded(step).map(|one| world.play(&one));
        let results = results.collect::<Result<Vec<_>, _>>()?;
        return Ok(results.into_iter().next().unwrap_or(Value::Null));
    };
    let mut ops: Vec<Value> = parallel.iter().flat_map(expanded).collect();
    shuffle(&mut ops, order);
    let mut counts = Counts::default();
    for op in ops {
        let result = world.play(&op)?;
        counts.count(&op, &result);
    }
    Ok(counts.into_result())
}

/// How often each operation of a parallel step answered what.
#[derive(Debug, Default)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    /// Counts one answer.
    pub fn count(&mut self, op: &Value, result: &Value) {
        let key = format!("{}:{}", op["op"].as_str().unwrap_or("?"), outcome(result));
        *self.0.entry(key).or_default() += 1;
    }

    /// The result of the step.
    #[must_use]
    pub fn into_result(self) -> Value {
        json!({ "counts": self.0 })
    }
}

/// A step that stands for many, one by one: `{i}` is the number of each.
pub fn expanded(step: &Value) -> impl Iterator<Item = Value> {
    let count = step["n"].as_u64();
    let step = step.clone();
    (0..count.unwrap_or(1)).map(move |at| {
        let mut one = step.clone();
        for (_, value) in one.as_object_mut().into_iter().flatten() {
            if let Value::String(text) = value {
                *text = text.replace("{i}", &at.to_string());
            }
        }
        one
    })
}

/// One word for what an operation answered, and whether it was a repetition.
fn outcome(result: &Value) -> String {
    let word = result["error"].as_str().or(result["serve"].as_str());
    let again = if result["replayed"] == true {
        ":replayed"
    } else {
        ""
    };
    format!("{}{again}", word.unwrap_or("ok"))
}

/// The first order is the file's own; each other one is always the same for its number.
fn shuffle(ops: &mut [Value], order: u64) {
    if order == 0 {
        return;
    }
    let mut state = order.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for at in (1..ops.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ops.swap(at, (state % (at as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREETIER: &str = include_str!("../../../tests/data/vectors/freetier.json");

    fn vectors() -> Value {
        serde_json::from_str(FREETIER).expect("the vectors are JSON")
    }

    #[test]
    fn the_reference_scenarios_come_out_as_they_say() {
        let report = crate::conformance::play(&vectors()).expect("the file is known");
        assert_eq!(report.failed, []);
        assert_eq!((report.passed, report.skipped), (28, 0));
    }

    #[test]
    fn a_scenario_that_says_something_else_is_found() {
        for (at, path, other) in [
            (0, "/expect/pool/available", json!(9_921)),
            (3, "/expect/grants/r1/user_charge", json!(41)),
            (6, "/expect/grant_states", json!({})),
            (24, "/expect/results/1/counts/confirm:ok", json!(2)),
            (25, "/expect/ranges/pool/granted", json!(1_001)),
            (26, "/expect/one_of/1/pool/available", json!(1)),
        ] {
            let mut file = vectors();
            let scenario = &mut file["scenarios"][at];
            *scenario.pointer_mut(path).expect("the value is there") = other;
            let id = scenario["id"].clone();
            let report = crate::conformance::play(&file).expect("the file is known");
            assert_eq!(report.failed.len(), 1, "{id} {path}: {report:?}");
            assert_eq!(report.failed[0].id, id);
        }
    }
}
