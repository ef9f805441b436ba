//! Query parameters, read into typed structs that refuse what they do not know.

use axum::extract::Query;
use axum::http::Uri;
use purser_events::Position;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::code::Code;
use super::error::Problem;
use super::json::bounded;

/// The parameters of a read.
pub(crate) trait ReadParams: DeserializeOwned {
    /// The position that the answer must reflect at least.
    fn min_position(&self) -> Option<Position>;
}

/// No parameters at all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

/// Only what every read accepts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlainRead {
    /// Wait, for a bounded time, until the answer reflects this position.
    min_position: Option<u64>,
}

impl ReadParams for PlainRead {
    fn min_position(&self) -> Option<Position> {
        self.min_position.map(Position)
    }
}

/// Reads the parameters.
pub(crate) fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    Query::<T>::try_from_uri(uri)
        .map(|Query(params)| params)
        .map_err(|rejection| explain(&rejection.body_text()))
}

#[cold]
fn explain(text: &str) -> Problem {
    let text = text
        .strip_prefix("Failed to deserialize query string: ")
        .unwrap_or(text);
    let name = || bounded(text.split('`').nth(1).unwrap_or("query"));
    // The path to a parameter may stand before the text of its defect.
    if text.contains("unknown field `") {
        Problem::field(Code::UnknownParameter, name(), "is not known here")
    } else if text.contains("missing field `") {
        Problem::field(Code::MissingParameter, name(), "is required")
    } else if text.contains("duplicate field `") {
        Problem::field(Code::InvalidParameter, name(), "stands twice")
    } else {
        let (path, defect) = text.split_once(": ").unwrap_or(("query", text));
        Problem::field(Code::InvalidParameter, bounded(path), bounded(defect))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its type matters")]
        limit: u32,
    }

    fn found(query: &str) -> (&'static str, String) {
        let uri: Uri = format!("/x?{query}").parse().expect("the case is a URI");
        let problem = read::<Sample>(&uri).expect_err("the query is wrong");
        (problem.code.as_str(), problem.errors[0].field.to_string())
    }

    #[test]
    fn each_defect_of_a_query_has_its_code_and_names_the_parameter() {
        let table = [
            ("", "missing_parameter", "limit"),
            ("limit=x", "invalid_parameter", "limit"),
            ("limit=-1", "invalid_parameter", "limit"),
            ("limit=1&other=2", "unknown_parameter", "other"),
            ("limit=1&limit=2", "invalid_parameter", "limit"),
        ];
        for (query, code, field) in table {
            let answer = found(query);
            assert_eq!((answer.0, answer.1.as_str()), (code, field), "{query}");
        }
    }
}
