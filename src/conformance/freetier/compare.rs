//! What a scenario expects against what came out: one outcome, one of several, or ranges.

use serde_json::{Map, Value, json};

use super::super::value::Mismatch;

/// Compares all that a scenario expects with what was found, part by part. Parts that it does not
/// speak of may be what they are.
///
/// # Errors
/// The first difference.
pub fn compare(expect: &Value, found: &Value) -> Result<(), Mismatch> {
    if let Some(several) = expect["one_of"].as_array() {
        let mut first = None;
        for one in several {
            match outcome(one, found) {
                Ok(()) => return Ok(()),
                Err(mismatch) => first = first.or(Some(mismatch)),
            }
        }
        return first.map_or(Ok(()), Err);
    }
    outcome(expect.get("ranges").unwrap_or(expect), found)
}

fn outcome(expect: &Value, found: &Value) -> Result<(), Mismatch> {
    for (part, expected) in expect.as_object().into_iter().flatten() {
        let found = match part.as_str() {
            "identity_days" if expected.get("sum").is_some() => found.get("identity_days_sum"),
            part => found.get(part),
        };
        let found = found.ok_or_else(|| Mismatch::new(part, "is not known"))?;
        same(part, expected, found)?;
    }
    Ok(())
}

/// Two numbers in place of one are the least and the greatest; what is absent is nothing.
fn same(path: &str, expected: &Value, found: &Value) -> Result<(), Mismatch> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => same_members(path, expected, found),
        (Value::Array(range), Value::Number(_) | Value::Null) => {
            let number = found.as_u64().unwrap_or(0);
            let bound = |at: usize| range.get(at).and_then(Value::as_u64);
            match (bound(0), bound(1)) {
                (Some(least), Some(most)) if (least..=most).contains(&number) => Ok(()),
                _ => Err(differs(path, expected, found)),
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.try_for_each(|(at, (one, other))| same(&format!("{path}[{at}]"), one, other))
        }
        (Value::Number(_), Value::Null) if *expected == json!(0) => Ok(()),
        _ if expected == found => Ok(()),
        _ => Err(differs(path, expected, found)),
    }
}

fn same_members(
    path: &str,
    expected: &Map<String, Value>,
    found: &Map<String, Value>,
) -> Result<(), Mismatch> {
    for (key, value) in expected {
        let path = format!("{path}.{key}");
        same(&path, value, found.get(key).unwrap_or(&Value::Null))?;
    }
    match found.keys().find(|key| !expected.contains_key(*key)) {
        Some(key) => Err(Mismatch::new(format!("{path}.{key}"), "was not expected")),
        None => Ok(()),
    }
}

fn differs(path: &str, expected: &Value, found: &Value) -> Mismatch {
    Mismatch::new(path, format!("expected {expected}, found {found}"))
}
