//! Reference vectors, played through the code that the ledger itself runs.
//!
//! A file belongs to the first of [`SUITES`] that recognises it. Another kind of file is a further
//! [`Suite`]; another category of `livepeer.json` is a line in `livepeer::CATEGORIES`. A suite
//! reports each of its cases once: passed, failed with what differs, or skipped.

pub mod freetier;
mod livepeer;
mod matching;
mod value;

use serde_json::Value;

pub use value::{Mismatch, Node, Rational};

/// A kind of file with reference vectors.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// What it is called.
    pub name: &'static str,
    /// Whether a file is of this kind.
    pub recognises: fn(&Value) -> bool,
    /// Plays every case of a file.
    pub play: fn(&Value, &mut Report),
}

/// Every kind of file that can be played.
pub const SUITES: &[Suite] = &[livepeer::SUITE, matching::SUITE, freetier::SUITE];

/// A case that did not come out as its file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The case.
    pub id: String,
    /// What differs.
    pub detail: String,
}

/// How the cases came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Cases that came out as their file says.
    pub passed: u64,
    /// Cases that did not.
    pub failed: Vec<Failed>,
    /// Cases about what the ledger does not do.
    pub skipped: u64,
}

impl Report {
    /// Notes how a case came out.
    pub fn note(&mut self, id: &str, outcome: Result<(), Mismatch>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(mismatch) => self.failed.push(Failed {
                id: id.to_owned(),
                detail: mismatch.to_string(),
            }),
        }
    }

    /// Notes a case about what the ledger does not do.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }
}

/// Plays a file; `None` when no suite recognises it.
#[must_use]
pub fn play(file: &Value) -> Option<Report> {
    let suite = SUITES.iter().find(|suite| (suite.recognises)(file))?;
    let mut report = Report::default();
    (suite.play)(file, &mut report);
    Some(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATCH: &str = include_str!("../../tests/data/vectors/match.json");
    const LIVEPEER: &str = include_str!("../../tests/data/vectors/livepeer.json");

    fn vectors() -> Value {
        serde_json::from_str(LIVEPEER).expect("the vectors are JSON")
    }

    #[test]
    fn the_reference_vectors_come_out_as_they_say() {
        let report = play(&vectors()).expect("the file is known");
        assert_eq!(report.failed, []);
        let all = vectors()["vectors"].as_array().map_or(0, Vec::len) as u64;
        assert_eq!(report.passed + report.skipped, all);
        assert!(report.passed >= livepeer::PLAYED_MIN, "{report:?}");
    }

    #[test]
    fn every_scenario_of_matching_comes_out_as_it_says() {
        let file: Value = serde_json::from_str(MATCH).expect("the scenarios are JSON");
        let report = play(&file).expect("the file is known");
        assert_eq!(report.failed, []);
        let all = file["scenarios"].as_array().map_or(0, Vec::len) as u64;
        assert_eq!((report.passed, report.skipped), (all, 0));
    }

    #[test]
    fn a_scenario_that_says_something_else_is_found() {
        for (path, other) in [
            ("/scenarios/0/expect/eligible", serde_json::json!(["m-a"])),
            (
                "/scenarios/0/expect/order",
                serde_json::json!(["m-b", "m-a"]),
            ),
            ("/scenarios/0/expect/candidates/1/score_ppm", 1.into()),
            ("/scenarios/0/expect/candidates/1/eta_ms", 1.into()),
            ("/scenarios/0/expect/candidates/0/explain", "cap=1".into()),
            ("/scenarios/0/expect/candidates/0/components/load", 1.into()),
            (
                "/scenarios/0/expect/rejected/m-c",
                serde_json::json!(["tags"]),
            ),
            (
                "/scenarios/0/expect/rejected_primary_histogram/tags",
                2.into(),
            ),
            ("/scenarios/16/expect/trust_ppm/fraud", 1.into()),
        ] {
            let mut file: Value = serde_json::from_str(MATCH).expect("the scenarios are JSON");
            *file.pointer_mut(path).expect(path) = other;
            let report = play(&file).expect("the file is known");
            assert_eq!(report.failed.len(), 1, "{path}: {report:?}");
        }
    }

    #[test]
    fn a_vector_that_says_something_else_is_found() {
        for (at, path, other) in [
            ("ticket_ev/half", "ev", "499/1"),
            ("ticket_hash/fv1_wp500", "hash", "0x00"),
            ("ticket_params/default", "win_prob", "1"),
        ] {
            let mut file = vectors();
            let list = file["vectors"].as_array_mut().expect("a list");
            let one = list
                .iter_mut()
                .find(|vector| vector["id"] == at)
                .expect("the vector is there");
            one["expected"][path] = other.into();
            let report = play(&file).expect("the file is known");
            assert_eq!(report.failed.len(), 1, "{report:?}");
            assert_eq!(report.failed[0].id, at);
        }
    }

    #[test]
    fn an_unknown_category_is_a_mismatch_and_an_unknown_file_is_none() {
        let file = serde_json::json!({ "vectors": [{ "id": "x/1", "category": "x" }] });
        let report = play(&file).expect("the file is known");
        assert_eq!(report.failed[0].detail, "category: no such category");
        assert_eq!(play(&serde_json::json!({})), None);
    }
}
